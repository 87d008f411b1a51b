/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far two CPUs are from each other: the time that a cache line takes to
 * the other one and back. Packets go that way through memif's rings, and a
 * virtual machine's CPUs are sometimes two threads of a core and sometimes
 * two cores far apart, as the host likes.
 *
 * Usage: bounce CPU CPU
 * Prints nanoseconds, the median of some rounds.
 */
#include <pthread.h>
#include <rte_pause.h>
#include <sched.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/stats.h"

#define ROUNDS 51u
#define TURNS 2000u /* a round */

static alignas(128) uint64_t ball; /* even: the first thread's turn */

static void
pin(const char *cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(strtoul(cpu, NULL, 10), &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0) {
		fprintf(stderr, "CPU %s can't be had\n", cpu);
		exit(1);
	}
}

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
wait_for(uint64_t turn)
{
	while (__atomic_load_n(&ball, __ATOMIC_ACQUIRE) != turn)
		rte_pause();
}

static void *
throw_back(void *cpu)
{
	pin(cpu);
	for (uint64_t turn = 1; turn < 2 * ROUNDS * TURNS; turn += 2) {
		wait_for(turn);
		__atomic_store_n(&ball, turn + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	struct stats ns = { 0 };
	pthread_t other;
	uint64_t turn = 0;

	if (argc != 3) {
		fputs("Usage: bounce CPU CPU\n", stderr);
		return 2;
	}
	pin(argv[1]);
	if (pthread_create(&other, NULL, throw_back, argv[2]) != 0)
		return 1;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		const double start = now_ns();

		for (unsigned int i = 0; i < TURNS; i++, turn += 2) {
			wait_for(turn);
			__atomic_store_n(&ball, turn + 1, __ATOMIC_RELEASE);
		}
		stats_add(&ns, (now_ns() - start) / TURNS);
	}
	pthread_join(other, NULL);
	printf("%.1f\n", stats_median(&ns));
	return 0;
}
