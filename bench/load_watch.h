/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_LOAD_WATCH_H
#define SP_BENCH_LOAD_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Witnesses, a thread on each CPU that is watched: it goes before all others
 * there and wants to wake every millisecond. No thread of a relay
 * delays it, only who holds the CPU against all threads: the hypervisor, or
 * the kernel with work of its own. What a request took at such a moment says
 * nothing of the relay. Called by load's one thread; the witnesses belong to
 * this file, and end with stop().
 */
#define LOAD_WATCH_CPUS 2u

/* Watch @cpu, too. False: not allowed to, see errno. */
bool load_watch_start(unsigned int cpu);

void load_watch_stop(void);

/*
 * Was a CPU away at some time between the two, or so shortly before that a
 * relay had not caught up yet? After stop(). Units: ns of CLOCK_MONOTONIC.
 */
bool load_watch_was_away(uint64_t from_ns, uint64_t to_ns);

/* For how long one was away in all. */
uint64_t load_watch_away_ns(void);

#endif
