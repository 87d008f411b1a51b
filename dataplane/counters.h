/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_COUNTERS_H
#define SP_DATAPLANE_COUNTERS_H

#include <stdint.h>

#include "relay/verdict.h"

/*
 * One worker's counters: it alone writes, anybody reads. received plus
 * taken_over equals the sum of the verdicts, what was handed over or lost in
 * doing so, and what is held now.
 */
struct sp_counters {
	uint64_t verdict[SP_VERDICT_COUNT];
	uint64_t received;       /* from NICs */
	uint64_t handed_over;    /* given to the port's owner */
	uint64_t taken_over;     /* got from other workers */
	uint64_t hand_over_full; /* lost: the owner's ring was full */
	uint64_t passed_on_lost; /* forwarded, no room in the shared queue */
	uint64_t polls;
	uint64_t busy_polls;  /* that found a packet */
	uint64_t busy_cycles; /* spent in these */
	uint64_t stalls;      /* see stall.h */
	uint64_t stalled_cycles;
	uint64_t displaced_cycles; /* of these: without the CPU */
	uint64_t news_lost;        /* the ring to control was full */
	uint64_t flows;            /* running now */
	uint64_t keys;             /* legs whose keys it holds now */
	uint64_t held;             /* copies on probation now */
};

/* Add to a counter that only this thread writes. Core: its worker. */
static inline void
sp_counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* Read a counter of any thread. */
static inline uint64_t
sp_counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

#endif
