/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_HTTP_H
#define SP_CONTROL_HTTP_H

#include <stdint.h>

#include "control/command.h"
#include "control/config.h"
#include "relay/status.h"

/*
 * The HTTP door: sockets to bodies, replies to sockets. libmicrohttpd runs
 * without a thread of its own and ends in http*.c. Core: control.
 */

#define SP_HTTP_CONNECTIONS 512u
#define SP_HTTP_CROWD 384u         /* from here on a new one costs the idlest */
#define SP_HTTP_PATIENCE_MS 15000u /* for a whole request, and when idle */
#define SP_HTTP_WHY 384

struct sp_http;
struct sp_ng;
struct sp_ng_udp;

/*
 * Listen where @conf says; requests go to @service. Both are borrowed until
 * the close, and the service is closed before.
 *
 * Owns:  the caller closes *@out.
 * Fails: SP_SYSTEM, SP_NO_MEMORY; @why then has one sentence.
 */
enum sp_status sp_http_open(const struct sp_config *conf,
	struct sp_service *service, struct sp_http **out,
	char why[SP_HTTP_WHY]) SP_MUST_CHECK;

/*
 * Pass POST /ng on to @ng, and glance at the sockets of @udp, or NULL, between
 * any two requests. Both are borrowed until the close, and closed before.
 */
void sp_http_serve_ng(
	struct sp_http *h, struct sp_ng *ng, struct sp_ng_udp *udp);

/* Close all connections. No reply may come after this. Takes NULL. */
void sp_http_close(struct sp_http *h);

/* Return the descriptor to poll for input: readable means serve. */
int sp_http_fd(const struct sp_http *h);

/* Do what the sockets ask for. What is left over keeps the fd readable. */
void sp_http_serve(struct sp_http *h);

/* Cut off who took longer than SP_HTTP_PATIENCE_MS. Once a second. */
void sp_http_tick(struct sp_http *h, uint64_t now_ms);

/* Return the port that is listened on. */
uint16_t sp_http_port(const struct sp_http *h);

#endif
