/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load_watch.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <time.h>

#define NS_IN_S 1000000000u
#define PERIOD_NS 1000000u
/* A relay's longest system calls, which nobody interrupts, are shorter. */
#define AWAY_NS 500000u
#define CAUGHT_UP_NS 10000000u /* as a relay at 70 % needs after 4 ms */
#define MOMENTS_MAX 65536u

/* A CPU was away. */
struct moment {
	uint64_t from_ns;
	uint64_t to_ns;
};

struct witness {
	pthread_t thread;
	size_t count;
	struct moment moment[MOMENTS_MAX];
};

static struct witness witnesses[LOAD_WATCH_CPUS];
static unsigned int n_witnesses;
static uint32_t stop; /* relaxed */

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_IN_S + (uint64_t)t.tv_nsec;
}

static void *
watch(void *witness)
{
	struct witness *w = witness;
	uint64_t due = now_ns();

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct timespec until;
		uint64_t now;

		due += PERIOD_NS;
		until.tv_sec = (time_t)(due / NS_IN_S);
		until.tv_nsec = (long)(due % NS_IN_S);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		now = now_ns();
		if (now - due < AWAY_NS)
			continue;
		if (w->count < MOMENTS_MAX)
			w->moment[w->count++] = (struct moment){ due, now };
		due = now;
	}
	return NULL;
}

bool
load_watch_start(unsigned int cpu)
{
	const struct sched_param first = { .sched_priority = 1 };
	struct witness *w = &witnesses[n_witnesses];
	pthread_attr_t attr;
	cpu_set_t set;

	assert(n_witnesses < LOAD_WATCH_CPUS);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof set, &set);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &first);
	errno = pthread_create(&w->thread, &attr, watch, w);
	pthread_attr_destroy(&attr);
	n_witnesses += errno == 0;
	return errno == 0;
}

void
load_watch_stop(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < n_witnesses; i++)
		pthread_join(witnesses[i].thread, NULL);
}

static bool
was_away(const struct witness *w, uint64_t from_ns, uint64_t to_ns)
{
	size_t low = 0, high = w->count;

	/* The first moment that had not been caught up with at @from_ns. */
	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (w->moment[middle].to_ns + CAUGHT_UP_NS < from_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low < w->count && w->moment[low].from_ns < to_ns;
}

bool
load_watch_was_away(uint64_t from_ns, uint64_t to_ns)
{
	bool away = false;

	for (unsigned int i = 0; i < n_witnesses; i++)
		away |= was_away(&witnesses[i], from_ns, to_ns);
	return away;
}

uint64_t
load_watch_away_ns(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n_witnesses; i++)
		for (size_t m = 0; m < witnesses[i].count; m++)
			sum += witnesses[i].moment[m].to_ns -
				witnesses[i].moment[m].from_ns;
	return sum;
}
