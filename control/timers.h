/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_TIMERS_H
#define SP_CONTROL_TIMERS_H

#include <stdint.h>

/*
 * Timers with a resolution of one second, as a wheel: a timer costs the same
 * whether there are ten or a hundred thousand. Core: control.
 */

#define SP_TIMERS_SLOTS 256u

/* One timer, part of what it is about. All zero: not set. */
struct sp_timer {
	struct sp_timer *next;
	struct sp_timer **link; /* what points at this one; NULL: not set */
	uint64_t due_s;
};

struct sp_timers {
	struct sp_timer *slot[SP_TIMERS_SLOTS];
	uint64_t now_s; /* all up to here has been run */
};

/* Start counting at @now_s, with no timer set. */
void sp_timers_init(struct sp_timers *timers, uint64_t now_s);

/*
 * Set @timer, anew if it was set, to @due_s; it goes off in the next second
 * at the earliest.
 *
 * Owns: @timer is borrowed until it goes off or is cleared.
 */
void sp_timers_set(
	struct sp_timers *timers, struct sp_timer *timer, uint64_t due_s);

/* Forget @timer, set or not. */
void sp_timers_clear(struct sp_timer *timer);

/*
 * Call @due for each timer that is due up to @now_s, after clearing it. It
 * may set and clear timers as it likes.
 */
void sp_timers_run(struct sp_timers *timers, uint64_t now_s,
	void (*due)(void *arg, struct sp_timer *timer), void *arg);

#endif
