/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/srtp_contender.h"

#define FIRST_PAYLOAD 20u
#define FIRST_BURST 32u
#define CALIBRATION_NS 20000000.0

static double
read_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* TSC cycles in a nanosecond. */
static double
tsc_rate(void)
{
	const double start_ns = read_ns(CLOCK_MONOTONIC);
	const uint64_t start = rte_rdtsc();
	double ns;

	do
		ns = read_ns(CLOCK_MONOTONIC) - start_ns;
	while (ns < CALIBRATION_NS);
	return (double)(rte_rdtsc() - start) / ns;
}

double
srtp_lap_cycles(void)
{
	static double rate;

	if (rate == 0)
		rate = tsc_rate();
	return read_ns(CLOCK_THREAD_CPUTIME_ID) * rate;
}

struct srtp_lap
srtp_lap(const struct srtp_contender *c, void *self, struct srtp_ring *r,
	struct srtp_walk *w, uint16_t payload, unsigned int burst)
{
	double start, middle, end;

	srtp_ring_fill(r, w, payload);
	c->find(self, r);
	start = srtp_lap_cycles();
	c->protect(self, r, burst);
	middle = srtp_lap_cycles();
	c->unprotect(self, r, burst);
	end = srtp_lap_cycles();
	if (!srtp_ring_restored(r)) {
		fprintf(stderr,
			"%s, %u streams, payload %u, bursts of %u: %u packets "
			"refused, or not what they were\n",
			c->name, w->n, payload, burst, r->refused);
		exit(1);
	}
	return (struct srtp_lap){
		(middle - start) / RING_PACKETS,
		(end - middle) / RING_PACKETS,
	};
}

void
srtp_lap_first(const struct srtp_contender *c, void *self, struct srtp_ring *r,
	struct srtp_walk *w)
{
	for (uint32_t n = 0; n < w->n + RING_PACKETS; n += RING_PACKETS)
		srtp_lap(c, self, r, w, FIRST_PAYLOAD, FIRST_BURST);
}
