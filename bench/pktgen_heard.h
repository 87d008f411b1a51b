/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_HEARD_H
#define SP_BENCH_PKTGEN_HEARD_H

#include <stdint.h>

/* Which packets of a stream arrived. */

#define PKTGEN_HEARD_WINDOW 64u /* packets that a late one is looked for in */

struct pktgen_heard {
	uint64_t seen; /* bit i: @highest - i arrived */
	uint32_t highest;
};

enum pktgen_place {
	PKTGEN_NEW,  /* later than all before */
	PKTGEN_LATE, /* after a later one */
	PKTGEN_AGAIN /* it was there already */
};

/* Note that @seq arrived; numbers begin at 1. One that is older than the
   window counts as late: nobody knows whether it came before. */
static inline enum pktgen_place
pktgen_heard_note(struct pktgen_heard *h, uint32_t seq)
{
	const int32_t ahead = (int32_t)(seq - h->highest);
	const uint32_t behind = 0u - (uint32_t)ahead;

	if (__builtin_expect(ahead > 0, 1)) {
		h->seen = (uint32_t)ahead < PKTGEN_HEARD_WINDOW
			? h->seen << ahead
			: 0;
		h->seen |= 1;
		h->highest = seq;
		return PKTGEN_NEW;
	}
	if (behind >= PKTGEN_HEARD_WINDOW)
		return PKTGEN_LATE;
	if (h->seen & 1ull << behind)
		return PKTGEN_AGAIN;
	h->seen |= 1ull << behind;
	return PKTGEN_LATE;
}

/* The whole number of a packet of which the low 16 bits are known. */
static inline uint32_t
pktgen_heard_widen(const struct pktgen_heard *h, uint16_t low)
{
	return h->highest + (uint32_t)(int16_t)(low - h->highest);
}

#endif
