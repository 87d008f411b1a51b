/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_NG_UDP_H
#define SP_CONTROL_NG_UDP_H

#include <stdint.h>

#include "control/config.h"
#include "control/ng.h"
#include "relay/status.h"

/*
 * The ng door's sockets. A ping is answered when it is read, all else waits
 * in a queue; between any two commands there is a glance at the sockets, so
 * that a ping never waits for more than one of them. Core: control.
 */

#define SP_NG_QUEUE 16384u            /* requests that may wait ... */
#define SP_NG_QUEUE_BYTES (16u << 20) /* ... and their bytes */
#define SP_NG_UDP_WHY 384

struct sp_ng_udp;

/*
 * Listen where @conf says, on nothing if it says nothing; messages go to @ng.
 * All are borrowed until the close.
 *
 * Owns:  the caller closes *@out.
 * Fails: SP_SYSTEM, SP_NO_MEMORY; @why then has one sentence.
 */
enum sp_status sp_ng_udp_open(const struct sp_config *conf, struct sp_ng *ng,
	struct sp_ng_counts *counts, struct sp_ng_udp **out,
	char why[SP_NG_UDP_WHY]) SP_MUST_CHECK;

/* Close the sockets; no reply may come after this. Takes NULL. */
void sp_ng_udp_close(struct sp_ng_udp *u);

/* Return the descriptor to poll for input: readable means serve. */
int sp_ng_udp_fd(const struct sp_ng_udp *u);

/* Take some of the requests. What is left over keeps the fd readable. */
void sp_ng_udp_serve(struct sp_ng_udp *u);

/*
 * Read what has come if the last look was a while ago: answer pings, queue
 * the rest. Call it between any two commands, whatever door they are from.
 * Takes NULL.
 */
void sp_ng_udp_glance(struct sp_ng_udp *u);

/* Return the port of the @i-th listener. */
uint16_t sp_ng_udp_port(const struct sp_ng_udp *u, unsigned int i);

#endif
