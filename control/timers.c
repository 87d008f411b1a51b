/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/timers.h"

#include <string.h>

static void
link_timer(struct sp_timer **head, struct sp_timer *timer)
{
	timer->next = *head;
	timer->link = head;
	if (timer->next)
		timer->next->link = &timer->next;
	*head = timer;
}

void
sp_timers_init(struct sp_timers *timers, uint64_t now_s)
{
	memset(timers, 0, sizeof *timers);
	timers->now_s = now_s;
}

void
sp_timers_set(struct sp_timers *timers, struct sp_timer *timer, uint64_t due_s)
{
	sp_timers_clear(timer);
	timer->due_s = due_s > timers->now_s ? due_s : timers->now_s + 1;
	link_timer(&timers->slot[timer->due_s % SP_TIMERS_SLOTS], timer);
}

void
sp_timers_clear(struct sp_timer *timer)
{
	if (!timer->link)
		return;
	*timer->link = timer->next;
	if (timer->next)
		timer->next->link = timer->link;
	timer->next = NULL;
	timer->link = NULL;
}

/* Run one slot: what is not due yet waits for the wheel's next turn. */
static void
run_slot(struct sp_timers *timers, unsigned int slot,
	void (*due)(void *arg, struct sp_timer *timer), void *arg)
{
	struct sp_timer *list = timers->slot[slot];

	timers->slot[slot] = NULL;
	if (list)
		list->link = &list;
	while (list) {
		struct sp_timer *timer = list;

		sp_timers_clear(timer);
		if (timer->due_s > timers->now_s)
			link_timer(&timers->slot[slot], timer);
		else
			due(arg, timer);
	}
}

void
sp_timers_run(struct sp_timers *timers, uint64_t now_s,
	void (*due)(void *arg, struct sp_timer *timer), void *arg)
{
	/* After a long sleep one turn of the wheel reaches every timer. */
	uint64_t from = timers->now_s + 1;

	if (now_s <= timers->now_s)
		return;
	if (now_s - timers->now_s > SP_TIMERS_SLOTS)
		from = now_s - SP_TIMERS_SLOTS + 1;
	timers->now_s = now_s;
	for (uint64_t at = from; at <= now_s; at++)
		run_slot(
			timers, (unsigned int)(at % SP_TIMERS_SLOTS), due, arg);
}
