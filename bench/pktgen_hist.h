/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_HIST_H
#define SP_BENCH_PKTGEN_HIST_H

#include <stdint.h>

/*
 * How often which value was seen: log-linear, 64 steps from a power of two to
 * the next, so that a value read back is at most 1.6 % too low.
 */

#define PKTGEN_HIST_BITS 6u
#define PKTGEN_HIST_STEPS (1u << PKTGEN_HIST_BITS)
#define PKTGEN_HIST_TOP 36u /* 2^36 ns are a minute; more counts as that */
#define PKTGEN_HIST_CELLS                                                      \
	((PKTGEN_HIST_TOP - PKTGEN_HIST_BITS + 1) * PKTGEN_HIST_STEPS)

struct pktgen_hist {
	uint64_t count;
	uint64_t most; /* exact */
	uint64_t cell[PKTGEN_HIST_CELLS];
};

void pktgen_hist_add(struct pktgen_hist *h, uint64_t value);
void pktgen_hist_merge(
	struct pktgen_hist *into, const struct pktgen_hist *from);

/* Return what @share (0..1) of all values are not above; 0 if there is none. */
uint64_t pktgen_hist_quantile(const struct pktgen_hist *h, double share);

#endif
