/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "bench/pktgen.h"

#define FINE 0.02      /* rates this close are one */
#define HONEST 0.98    /* of the rate asked for, we must send as much */
#define STEP_BACK 0.95 /* after a rate that did not hold for long */
#define STEPS_BACK 8u

/*
 * Does @rate pass, once in @tries? What a machine does beside can make any
 * rate fail, and none pass.
 */
static bool
passes(struct pktgen *g, double rate, double seconds, unsigned int tries,
	struct pktgen_result *r)
{
	while (tries-- > 0) {
		pktgen_trial(g, rate, seconds, r);
		if (!g->conf.json)
			pktgen_report_row(r);
		if (pktgen_lost(r) == 0 && r->offered >= HONEST * r->asked)
			return true;
	}
	return false;
}

/*
 * Halve what is between a rate that passes and one that does not, then see
 * that the answer passes for longer; where it does not, less must do. If
 * nothing does, @best says what was lost.
 */
void
pktgen_search(struct pktgen *g, struct pktgen_result *best)
{
	static struct pktgen_result r;
	double low = g->conf.least, high = g->conf.most;
	bool bound = false;

	if (!g->conf.json)
		pktgen_report_head();
	while (high - low > FINE * high) {
		const double rate = (low + high) / 2;

		if (passes(g, rate, g->conf.seconds, 2, &r)) {
			low = rate;
		} else {
			high = rate;
			bound = pktgen_lost(&r) == 0;
		}
	}
	for (unsigned int i = 0; i < STEPS_BACK; i++) {
		if (passes(g, low, g->conf.confirm_s, 2, &r))
			break;
		low *= STEP_BACK;
	}
	r.bound = bound;
	*best = r;
}
