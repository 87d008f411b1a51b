/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What it costs that a packet comes to the wrong worker. Two threads on two
 * CPUs, each with half of a worker: the one that receives finds out whose the
 * packet is and puts it on the other's ring; that one takes it off, looks at
 * its headers once more and relays it. Next to it the same without a ring:
 * frames from another CPU too, as a NIC's are, but relayed by who finds them.
 *
 * The two take turns; numbers are medians of rounds.
 *
 * Usage: handover [--json]
 */
#include <inttypes.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/rig.h"
#include "bench/stats.h"
#include "relay/port_pool.h"

#define ROUNDS 15u
#define BURSTS 4000u /* a round */
#define AHEAD 8u     /* bursts that may wait: the rig has buffers for 16 */
#define SLOTS 1024u  /* of the ring, more than may wait */
#define WORKERS 2u

/* What the two threads share. */
struct line {
	struct rig *rig;   /* of who receives */
	struct rig *taker; /* the same flows, of who relays */
	struct rte_ring *ring;
	bool handed; /* is the ring a part of what is measured? */
	int cpu[2];
	alignas(SP_CACHE_LINE) uint64_t relayed; /* bursts */
	alignas(SP_CACHE_LINE) double give;      /* cycles a packet */
	double take;
};

/* Cycles of bursts that no other process cut in on. */
struct spent {
	uint64_t cycles;
	uint64_t packets;
};

static void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0) {
		fprintf(stderr, "CPU %d can't be had\n", cpu);
		exit(1);
	}
}

static void
note(struct spent *s, uint64_t start)
{
	const uint64_t took = rte_rdtsc_precise() - start;

	if (took > RIG_INTERRUPTED)
		return;
	s->cycles += took;
	s->packets += SP_BURST;
}

static double
mean(const struct spent *s)
{
	return s->packets > 0 ? (double)s->cycles / (double)s->packets : 0;
}

/* Whose is it? As dataplane/worker.c asks. It is the other one's here. */
static void
give(struct line *l)
{
	struct sp_burst *b = &l->rig->burst;
	unsigned int owners = 0;

	if (l->handed)
		sp_stage_classify(b, &l->rig->locals);
	for (unsigned int i = 0; i < b->count; i++) {
		if (l->handed)
			owners +=
				sp_port_owner(b->datagram[i].to.port, WORKERS);
		if (rte_ring_enqueue(l->ring, b->pkt[i]) != 0)
			abort();
	}
	if (owners > b->count)
		abort();
}

static void *
receive(void *line)
{
	struct line *l = line;
	struct spent spent = { 0 };

	pin(l->cpu[0]);
	for (uint64_t n = 1; n <= BURSTS; n++) {
		uint64_t start;

		while (n >
			AHEAD + __atomic_load_n(&l->relayed, __ATOMIC_ACQUIRE))
			rte_pause();
		rig_receive(l->rig);
		start = rte_rdtsc_precise();
		give(l);
		note(&spent, start);
	}
	l->give = l->handed ? mean(&spent) : 0;
	return NULL;
}

static void
relay(struct line *l)
{
	struct sp_burst *b = &l->taker->burst;
	struct spent spent = { 0 };

	for (uint64_t n = 1; n <= BURSTS; n++) {
		uint64_t start;

		while (rte_ring_count(l->ring) < SP_BURST)
			rte_pause();
		start = rte_rdtsc_precise();
		b->count = (uint16_t)rte_ring_dequeue_burst(
			l->ring, (void **)b->pkt, SP_BURST, NULL);
		if (!l->handed)
			start = rte_rdtsc_precise();
		b->now_us += 100;
		rig_relay(l->taker);
		note(&spent, start);
		rig_check(l->taker, SP_VERDICT_FORWARD);
		__atomic_store_n(&l->relayed, n, __ATOMIC_RELEASE);
	}
	l->take = mean(&spent);
}

static void
run(struct line *l, bool handed)
{
	pthread_t thread;

	l->handed = handed;
	l->relayed = 0;
	if (pthread_create(&thread, NULL, receive, l) != 0)
		abort();
	relay(l);
	pthread_join(thread, NULL);
}

static void
open_line(struct line *l, const struct rig_conf *conf)
{
	const ssize_t size = rte_ring_get_memsize(SLOTS);

	l->rig = rig_open(conf);
	l->taker = aligned_alloc(SP_CACHE_LINE,
		(sizeof *l->taker + SP_CACHE_LINE - 1) / SP_CACHE_LINE *
			SP_CACHE_LINE);
	l->ring = aligned_alloc(SP_CACHE_LINE, (size_t)size);
	if (!l->taker || !l->ring ||
		rte_ring_init(l->ring, "bench", SLOTS,
			RING_F_SP_ENQ | RING_F_SC_DEQ) != 0)
		abort();
	memcpy(l->taker, l->rig, sizeof *l->taker);
}

static void
close_line(struct line *l)
{
	free(l->taker);
	free(l->ring);
	rig_close(l->rig);
}

/* The first two CPUs that this process may use. */
static void
choose_cpus(int cpu[2])
{
	unsigned int n = 0;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) != 0)
		abort();
	for (int i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET((size_t)i, &set))
			cpu[n++] = i;
	if (n < 2) {
		fprintf(stderr, "this takes two CPUs\n");
		exit(1);
	}
}

static void
measure(struct line *l, uint32_t flows, bool json)
{
	const struct rig_conf conf = {
		.name = "IPv4", .family = RIG_FOUR, .n_flows = flows
	};
	static struct stats own, gave, took;
	double ring;

	own.n = gave.n = took.n = 0;
	open_line(l, &conf);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		run(l, false);
		stats_add(&own, l->take);
		run(l, true);
		stats_add(&gave, l->give);
		stats_add(&took, l->take);
	}
	close_line(l);
	ring = stats_median(&gave) + stats_median(&took) - stats_median(&own);
	printf("%8" PRIu32 " %8.0f %8.0f %8.0f %8.0f\n", flows,
		stats_median(&own), stats_median(&gave), stats_median(&took),
		ring);
	if (json)
		printf("{\"flows\": %" PRIu32 ", \"own\": %.1f, "
		       "\"give\": %.1f, \"take\": %.1f, \"ring\": %.1f}\n",
			flows, stats_median(&own), stats_median(&gave),
			stats_median(&took), ring);
}

int
main(int argc, char **argv)
{
	const bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
	static struct line l;

	printf("TSC cycles a packet, medians of %u rounds\n"
	       "%8s %8s %8s %8s %8s\n",
		ROUNDS, "flows", "own", "give", "take", "ring");
	choose_cpus(l.cpu);
	pin(l.cpu[1]);
	measure(&l, 2000, json);
	measure(&l, 200000, json);
	return 0;
}
