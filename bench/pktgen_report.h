/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_REPORT_H
#define SP_BENCH_PKTGEN_REPORT_H

#include "bench/pktgen.h"

/* What table and JSON have in common. */

/* What a way counts: X(name, field). */
#define PKTGEN_COUNTS(X)                                                       \
	X("sent", sent)                                                        \
	X("refused by our NIC", refused)                                       \
	X("received", received)                                                \
	X("reordered", reordered)                                              \
	X("duplicated", duplicated)                                            \
	X("to the wrong call", wrong)                                          \
	X("forged or broken", forged)                                          \
	X("RTCP sent", rtcp_sent)                                              \
	X("RTCP received", rtcp_received)

/* The times that count: those in quiet, or all if there was none. */
static inline const struct pktgen_hist *
pktgen_times(const struct pktgen_way *way)
{
	return way->latency.count > 0 ? &way->latency : &way->all;
}

/* Microseconds; the largest for a @share of 1. */
static inline double
pktgen_us(const struct pktgen_hist *h, double share)
{
	const uint64_t ns =
		share < 1 ? pktgen_hist_quantile(h, share) : h->most;

	return (double)ns / 1000;
}

#endif
