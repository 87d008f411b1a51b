/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_hist.h"

/* Values below PKTGEN_HIST_STEPS have a cell each. */
static unsigned int
cell_of(uint64_t value)
{
	unsigned int top;

	if (value < PKTGEN_HIST_STEPS)
		return (unsigned int)value;
	top = 63u - (unsigned int)__builtin_clzll(value);
	if (top >= PKTGEN_HIST_TOP)
		return PKTGEN_HIST_CELLS - 1;
	return (top - PKTGEN_HIST_BITS) * PKTGEN_HIST_STEPS +
		(unsigned int)(value >> (top - PKTGEN_HIST_BITS));
}

static uint64_t
least_of(unsigned int cell)
{
	const unsigned int shift = cell / PKTGEN_HIST_STEPS;

	if (shift == 0)
		return cell;
	return (uint64_t)(PKTGEN_HIST_STEPS + cell % PKTGEN_HIST_STEPS)
		<< (shift - 1);
}

void
pktgen_hist_add(struct pktgen_hist *h, uint64_t value)
{
	h->count++;
	h->cell[cell_of(value)]++;
	if (value > h->most)
		h->most = value;
}

void
pktgen_hist_merge(struct pktgen_hist *into, const struct pktgen_hist *from)
{
	into->count += from->count;
	if (from->most > into->most)
		into->most = from->most;
	for (unsigned int i = 0; i < PKTGEN_HIST_CELLS; i++)
		into->cell[i] += from->cell[i];
}

uint64_t
pktgen_hist_quantile(const struct pktgen_hist *h, double share)
{
	const double wanted = share * (double)h->count;
	uint64_t below = 0;

	for (unsigned int i = 0; i < PKTGEN_HIST_CELLS; i++) {
		below += h->cell[i];
		if (below > 0 && (double)below >= wanted)
			return least_of(i);
	}
	return h->most;
}
