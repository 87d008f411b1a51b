/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "bench/pktgen.h"

/* A CPU's time that somebody could have had, and had. */
struct used {
	double wall_s;
	double cpu_s;
};

static clockid_t relay_clock;
static bool is_open;
static struct used relay, own;

static double
read_s(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) != 0)
		pktgen_die("the process that is watched has ended");
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double
missed_s(struct used *last, clockid_t id)
{
	struct used now;
	double missed;

	now.wall_s = read_s(CLOCK_MONOTONIC);
	now.cpu_s = read_s(id);
	missed = now.wall_s - last->wall_s - (now.cpu_s - last->cpu_s);
	*last = now;
	/* Another thread's work can hide some; it is never less than none. */
	return missed > 0 ? missed : 0;
}

void
pktgen_watch_open(int pid)
{
	const int error = clock_getcpuclockid(pid, &relay_clock);

	if (error != 0)
		pktgen_die("process %d: %s", pid, strerror(error));
	is_open = true;
}

double
pktgen_watch_missed_s(void)
{
	return is_open ? missed_s(&relay, relay_clock) : 0;
}

double
pktgen_watch_own_s(void)
{
	return missed_s(&own, CLOCK_THREAD_CPUTIME_ID);
}
