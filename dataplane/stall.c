/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stall.h"

#include <time.h>

#define MS_PER_S 1000u
#define NS_IN_S 1000000000u

static uint64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_IN_S + (uint64_t)t.tv_nsec;
}

void
sp_stall_refresh(struct sp_stall *s, uint64_t tsc)
{
	s->read_tsc = tsc;
	s->cpu_ns = cpu_ns();
	s->slept_cycles = 0;
}

void
sp_stall_start(struct sp_stall *s, uint64_t tsc, uint64_t tsc_hz)
{
	s->least_cycles = tsc_hz / MS_PER_S * SP_STALL_MS;
	s->tsc_hz = tsc_hz;
	sp_stall_refresh(s, tsc);
}

void
sp_stall_count(struct sp_stall *s, struct sp_counters *counters, uint64_t tsc,
	uint64_t cycles)
{
	const uint64_t awake = tsc - s->read_tsc - s->slept_cycles;
	const uint64_t before_ns = s->cpu_ns;
	uint64_t had, displaced;

	sp_stall_refresh(s, tsc);
	had = (uint64_t)((double)(s->cpu_ns - before_ns) / NS_IN_S *
		(double)s->tsc_hz);
	displaced = awake > had ? awake - had : 0;
	/* The rest is from before: of moments too short to count. */
	if (displaced > cycles)
		displaced = cycles;
	sp_counter_add(&counters->stalls, 1);
	sp_counter_add(&counters->stalled_cycles, cycles);
	sp_counter_add(&counters->displaced_cycles, displaced);
}
