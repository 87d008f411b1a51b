/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_NG_H
#define SP_CONTROL_NG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/command.h"
#include "control/ng_socket.h"
#include "relay/status.h"

/*
 * The ng door: rtpengine's protocol, whatever carries its messages. A message
 * is "COOKIE SP DICTIONARY", in bencode or JSON, and so is its reply.
 * Core: control.
 */

#define SP_NG_REPLY_MAX 65507u /* what a datagram can carry */
#define SP_NG_PONG_MAX 320u    /* a ping's reply, cookie included */
#define SP_NG_ASKERS_MAX 4u    /* equal requests that wait for one reply */

struct sp_ng;

/* The way back to who sent a message; copied with each request. */
struct sp_ng_path {
	/* Send the reply, borrowed for the call. It may take no message. */
	void (*send)(
		const struct sp_ng_path *path, const char *reply, size_t len);
	void *arg;              /* the transport's */
	struct sp_ng_ends ends; /* the client's cookies are its own */
	uint64_t came_us;       /* CLOCK_MONOTONIC, when the message did */
};

/*
 * Make the door in front of @service, which is borrowed.
 *
 * Owns:  the caller closes *@out.
 * Fails: SP_NO_MEMORY, SP_SYSTEM.
 */
enum sp_status sp_ng_open(
	struct sp_service *service, struct sp_ng **out) SP_MUST_CHECK;

/* Close it, after the service: every request has its reply. Takes NULL. */
void sp_ng_close(struct sp_ng *ng);

/*
 * Take a message. Its reply is sent before this returns or when the service
 * has it, once; false: none will ever come, because there is no cookie, or
 * too many equal messages wait already.
 *
 * Owns: @path is copied; @data is borrowed for the call.
 * Spec: the ng protocol as rtpengine 10.5.3 has it.
 */
bool sp_ng_take(struct sp_ng *ng, const struct sp_ng_path *path,
	const char *data, size_t len) SP_MUST_CHECK;

/* Take a dictionary without a cookie: no reply is kept. There is a reply. */
void sp_ng_take_bare(struct sp_ng *ng, const struct sp_ng_path *path,
	const char *data, size_t len);

/*
 * Answer a ping at once, without the service: return the reply's length, 0
 * for all that is no ping, or one so odd that it may wait for sp_ng_take().
 */
size_t sp_ng_pong(struct sp_ng *ng, const char *data, size_t len,
	char out[SP_NG_PONG_MAX]);

/* Forget old replies. Once a second. */
void sp_ng_tick(struct sp_ng *ng, uint64_t now_ms);

#endif
