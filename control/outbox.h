/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_OUTBOX_H
#define SP_CONTROL_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/status.h"

/*
 * What goes out to a disk or a network, which may be slow, full or gone: a
 * bounded queue and a thread that delivers from it, in order, each message
 * until it is done. Whoever puts never waits and takes no lock.
 */

struct sp_outbox;

enum sp_outbox_result {
	SP_OUTBOX_DONE,
	SP_OUTBOX_AGAIN, /* later: the same message comes again */
	SP_OUTBOX_NEVER, /* nobody will ever take it */
};

#define SP_OUTBOX_WHY 128

/* Where messages go. The functions are called on the outbox's thread. */
struct sp_outbox_sink {
	const char *name; /* static; of events in the log */
	void *arg;
	/*
	 * Deliver one message. On failure *@trouble becomes a number that
	 * @explain can put into words; waits end when sp_outbox_hurries().
	 */
	enum sp_outbox_result (*deliver)(void *arg, struct sp_outbox *outbox,
		const char *bytes, size_t len, int *trouble);
	/* Put @trouble into words. Core: control. */
	void (*explain)(void *arg, int trouble, char why[SP_OUTBOX_WHY]);
	/* Release @arg, when the thread has ended. Core: control. */
	void (*close)(void *arg);
	size_t most_bytes;      /* of messages that wait */
	uint32_t again_ms;      /* pause after a failure, doubled for the ... */
	uint32_t again_most_ms; /* ... next one, up to this */
	uint32_t patience_ms;   /* age at which one is given up; 0: never */
};

/* What became of the messages so far; the numbers are of one moment each. */
struct sp_outbox_counts {
	uint64_t sent;
	uint64_t lost;  /* no room, no memory, refused, too old */
	uint64_t again; /* deliveries that failed and were tried again */
	uint64_t waiting;
	uint64_t waiting_bytes;
};

/*
 * Start a thread that delivers to @sink.
 *
 * Core:  start-up, after sp_loop_open() and before the workers start: it
 *        inherits that signals are the loop's, and no worker's CPU.
 * Owns:  the caller closes *@out; @sink is copied, its arg taken over in any
 *        case.
 * Fails: SP_NO_MEMORY, SP_SYSTEM.
 */
enum sp_status sp_outbox_open(const struct sp_outbox_sink *sink,
	struct sp_outbox **out) SP_MUST_CHECK;

/*
 * Deliver what waits, for @patience_ms at most, then end. What is left is
 * lost and logged. Takes NULL.
 */
void sp_outbox_close(struct sp_outbox *outbox, uint32_t patience_ms);

/*
 * Queue a copy of @bytes. Without room, and for NULL, which is what failed to
 * be made, one is lost: counted, and logged by the next tick. Core: control.
 */
void sp_outbox_put(struct sp_outbox *outbox, const char *bytes, size_t len);

/*
 * Log what has gone wrong or right since the last time. Takes NULL.
 * Core: control, once a second.
 */
void sp_outbox_tick(struct sp_outbox *outbox);

/* Read the counters. Core: control. */
void sp_outbox_read(
	const struct sp_outbox *outbox, struct sp_outbox_counts *out);

/* For a sink: is the time over that the close left? */
bool sp_outbox_hurries(const struct sp_outbox *outbox);

/*
 * For a sink: wait until @fd (-1: none) can be written to, for @ms at most;
 * a close ends it sooner. Return whether it can.
 */
bool sp_outbox_wait(struct sp_outbox *outbox, int fd, uint32_t ms);

#endif
