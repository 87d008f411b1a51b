/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_LOOP_H
#define SP_CONTROL_LOOP_H

#include "relay/status.h"

/*
 * The one event loop of the control thread (epoll): descriptors, periodic
 * timers, and the signals that end the process. Core: control.
 */

#define SP_LOOP_WATCHES 16

struct sp_loop;

/* Do what is due, and not more: the others wait meanwhile. */
typedef void (*sp_loop_fn)(void *arg);

/*
 * Make a loop. SIGTERM and SIGINT are blocked from now on and read by the
 * loop: open it before any other thread starts, so that they inherit that.
 *
 * Owns:  the caller closes *@out.
 * Fails: SP_NO_MEMORY, SP_SYSTEM.
 */
enum sp_status sp_loop_open(struct sp_loop **out) SP_MUST_CHECK;

/* Close its timers; watched descriptors stay the caller's. Takes NULL. */
void sp_loop_close(struct sp_loop *loop);

/*
 * Call @fn when @fd, borrowed until the loop closes, is readable.
 * Fails: SP_FULL, SP_SYSTEM.
 */
enum sp_status sp_loop_watch(
	struct sp_loop *loop, int fd, sp_loop_fn fn, void *arg) SP_MUST_CHECK;

/* Call @fn every @period_ms. Fails: SP_FULL, SP_SYSTEM. */
enum sp_status sp_loop_every(struct sp_loop *loop, unsigned int period_ms,
	sp_loop_fn fn, void *arg) SP_MUST_CHECK;

/*
 * Serve until a signal comes or sp_loop_end() is called. May be run again.
 * Returns the signal's number, 0 for sp_loop_end(), -1 if epoll fails.
 */
int sp_loop_run(struct sp_loop *loop);

/* Make sp_loop_run() return after the callback that calls this. */
void sp_loop_end(struct sp_loop *loop);

#endif
