/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/eal.h"
#include "dataplane/filter.h"
#include "dataplane/internal.h"

#define HOLD_MBUFS 2047u
#define HOLD_ROOM (RTE_PKTMBUF_HEADROOM + 2048u)
#define HAND_OVER_RING 1024u
#define MAX_HOPS 65001u

static struct rte_ring *
between(const char *what, unsigned int from, unsigned int to)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof name, "%s%u-%u", what, from, to);
	return rte_ring_create(name, HAND_OVER_RING, SOCKET_ID_ANY,
		RING_F_SP_ENQ | RING_F_SC_DEQ);
}

/* Two rings from each worker to each other one. */
static enum sp_status
open_hand_over(struct sp_dataplane *dp)
{
	const unsigned int n = dp->n_workers;

	for (unsigned int i = 0; i < n * n; i++) {
		struct sp_worker *from = dp->crew[i / n].worker;
		struct sp_worker *to = dp->crew[i % n].worker;
		struct sp_hand_over *h = &from->to[to->index];

		if (from == to)
			continue;
		h->owner = between("owner", from->index, to->index);
		h->transmit = between("tx", from->index, to->index);
		h->box = &to->box;
		if (!h->owner || !h->transmit)
			return SP_NO_MEMORY;
		to->box.inbound[to->box.n_inbound++] = h->owner;
		to->box.inbound[to->box.n_inbound++] = h->transmit;
		to->from[from->index] = *h;
	}
	return SP_OK;
}

/* The engine, and the keys that it works under. */
static enum sp_status
open_keys(struct sp_worker *w, uint32_t max_flows, enum sp_srtp_kind kind)
{
	struct sp_srtp_engine *engine;
	enum sp_status status = sp_srtp_engine_open(
		kind, SP_KEY_TABLE_DIRECTIONS(max_flows), &engine);

	if (status != SP_OK)
		return status;
	w->table.keys = &w->keys;
	return sp_key_table_open(&w->keys, engine, max_flows);
}

static enum sp_status
open_worker(struct sp_dataplane *dp, unsigned int i,
	const struct sp_dataplane_conf *conf)
{
	struct sp_crew *crew = &dp->crew[i];
	struct sp_worker *w = aligned_alloc(SP_CACHE_LINE, sizeof *w);
	char name[RTE_MEMPOOL_NAMESIZE];
	enum sp_status status;

	if (!w)
		return SP_NO_MEMORY;
	memset(w, 0, sizeof *w);
	crew->worker = w;
	w->index = i;
	w->count = dp->n_workers;
	w->busy = conf->busy;
	w->tsc_start = dp->tsc_start;
	w->tsc_hz = dp->tsc_hz;
	w->nics = dp->nic;
	w->n_nics = dp->n_nics;
	w->locals = &dp->locals;
	w->hops = calloc(MAX_HOPS, sizeof *w->hops);
	w->to = calloc(dp->n_workers, sizeof *w->to);
	w->from = calloc(dp->n_workers, sizeof *w->from);
	crew->way = calloc(dp->max_flows + 1ul, sizeof *crew->way);
	crew->free = calloc(dp->max_flows + 1ul, sizeof *crew->free);
	snprintf(name, sizeof name, "hold%u", i);
	w->commit.hold_pool = rte_pktmbuf_pool_create(name, HOLD_MBUFS, 0,
		sizeof(uint64_t), HOLD_ROOM, SOCKET_ID_ANY);
	if (!w->hops || !w->to || !w->from || !crew->way || !crew->free ||
		!w->commit.hold_pool || !sp_stage_has_room(w->commit.hold_pool))
		return SP_NO_MEMORY;

	for (uint32_t id = dp->max_flows; id > 0; id--)
		crew->free[crew->last++] = id;
	status = sp_flow_table_open(
		&w->table, &dp->locals, dp->max_flows, conf->hugepages);
	return status == SP_OK ? open_keys(w, dp->max_flows, conf->srtp)
			       : status;
}

enum sp_status
sp_crew_open(struct sp_dataplane *dp, const struct sp_dataplane_conf *conf,
	struct sp_dataplane_error *error)
{
	enum sp_status status = SP_OK;

	for (unsigned int i = 0; status == SP_OK && i < dp->n_workers; i++) {
		status = open_worker(dp, i, conf);
		if (status == SP_OK)
			status = sp_mailbox_open(
				&dp->crew[i].worker->box, i, dp->bell);
	}
	if (status == SP_OK)
		status = open_hand_over(dp);
	if (status != SP_OK)
		return sp_dataplane_fault(error, status, -1, "max_calls",
			"no memory for the workers' tables and rings: lower "
			"max_calls or give more memory (%s)",
			rte_strerror(rte_errno));
	return SP_OK;
}

/*
 * Packets come by sockets, so these may wake a worker. Which one reads which
 * socket only the drivers know: all of them wake all workers. Not where a NIC
 * without a socket has to be polled as well.
 */
static void
find_wakers(struct sp_dataplane *dp)
{
	int fd[SP_MAILBOX_WAKERS];
	unsigned int queues = 0;

	for (unsigned int nic = 0; nic < dp->n_nics; nic++)
		queues += dp->nic[nic]->n_rx;
	if (queues > SP_MAILBOX_WAKERS ||
		sp_filter_sockets(fd, SP_MAILBOX_WAKERS) != queues)
		return;
	for (unsigned int i = 0; i < dp->n_workers; i++) {
		struct sp_worker *w = dp->crew[i].worker;

		w->is_woken = true;
		for (unsigned int s = 0; s < queues; s++)
			w->is_woken &= sp_mailbox_hear(&w->box, fd[s]);
	}
}

enum sp_status
sp_crew_launch(struct sp_dataplane *dp, struct sp_dataplane_error *error)
{
	find_wakers(dp);
	for (unsigned int i = 0; i < dp->n_workers; i++) {
		dp->launched = true;
		__atomic_store_n(
			&dp->crew[i].worker->ours, 1, __ATOMIC_RELEASE);
		if (rte_eal_remote_launch(sp_worker_run, dp->crew[i].worker,
			    sp_eal_lcore(i)) != 0)
			return sp_dataplane_fault(error, SP_SYSTEM, -1,
				"workers", "worker %u does not start", i);
	}
	return SP_OK;
}

void
sp_crew_stop(struct sp_dataplane *dp)
{
	if (!dp->launched)
		return;
	for (unsigned int i = 0; i < dp->n_workers; i++) {
		__atomic_store_n(
			&dp->crew[i].worker->stop, 1, __ATOMIC_RELAXED);
		sp_mailbox_ring(&dp->crew[i].worker->box);
	}
	rte_eal_mp_wait_lcore();
	for (unsigned int i = 0; i < dp->n_workers; i++)
		(void)__atomic_load_n(
			&dp->crew[i].worker->ours, __ATOMIC_ACQUIRE);
	dp->launched = false;
}

static void
close_packets(struct rte_ring *ring)
{
	struct rte_mbuf *m;

	while (ring && rte_ring_dequeue(ring, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

static void
close_worker(struct sp_worker *w)
{
	for (uint32_t i = 0; w->table.aside && i < w->commit.n_holders; i++) {
		struct sp_flow_aside *a = &w->table.aside[w->commit.holder[i]];

		rte_pktmbuf_free_bulk(a->hold, a->held);
	}
	for (unsigned int i = 0; w->to && i < w->count; i++) {
		close_packets(w->to[i].owner);
		close_packets(w->to[i].transmit);
	}
	sp_mailbox_close(&w->box);
	sp_flow_table_close(&w->table);
	sp_key_table_close(&w->keys);
	rte_mempool_free(w->commit.hold_pool);
	free(w->hops);
	free(w->to);
	free(w->from);
	free(w);
}

void
sp_crew_close(struct sp_dataplane *dp)
{
	for (unsigned int i = 0; i < dp->n_workers; i++) {
		if (dp->crew[i].worker)
			close_worker(dp->crew[i].worker);
		free(dp->crew[i].way);
		free(dp->crew[i].free);
	}
}

enum sp_status
sp_dataplane_flow_take(
	struct sp_dataplane *dp, unsigned int worker, uint32_t *flow)
{
	struct sp_crew *crew = &dp->crew[worker];

	if (crew->first == crew->last)
		return SP_FULL;
	*flow = crew->free[--crew->last];
	return SP_OK;
}

void
sp_dataplane_flow_give(
	struct sp_dataplane *dp, unsigned int worker, uint32_t flow)
{
	struct sp_crew *crew = &dp->crew[worker];

	sp_ways_put(dp, worker, flow);
	crew->free[crew->last++] = flow;
}

enum sp_status
sp_dataplane_keys_take(
	struct sp_dataplane *dp, unsigned int worker, uint32_t *id)
{
	struct sp_crew *crew = &dp->crew[worker];

	if (crew->first == crew->last)
		return SP_FULL;
	*id = crew->free[crew->first++];
	return SP_OK;
}

void
sp_dataplane_keys_give(
	struct sp_dataplane *dp, unsigned int worker, uint32_t id)
{
	struct sp_crew *crew = &dp->crew[worker];

	crew->free[--crew->first] = id;
}

unsigned int
sp_dataplane_room(const struct sp_dataplane *dp, unsigned int worker)
{
	return sp_mailbox_room(&dp->crew[worker].worker->box);
}

uint32_t
sp_dataplane_seen_ms(
	const struct sp_dataplane *dp, unsigned int worker, uint32_t flow)
{
	const struct sp_flow_table *t = &dp->crew[worker].worker->table;

	return __atomic_load_n(&t->flow[flow].seen_ms, __ATOMIC_RELAXED);
}

uint64_t
sp_dataplane_count(const struct sp_dataplane *dp, unsigned int worker,
	enum sp_verdict verdict)
{
	return sp_counter_read(
		&dp->crew[worker].worker->counters.verdict[verdict]);
}

void
sp_dataplane_worker_counts(const struct sp_dataplane *dp, unsigned int worker,
	struct sp_worker_counts *out)
{
	const struct sp_worker *w = dp->crew[worker].worker;
	const struct sp_counters *c = &w->counters;

	*out = (struct sp_worker_counts){
		.received = sp_counter_read(&c->received),
		.handed_over = sp_counter_read(&c->handed_over),
		.taken_over = sp_counter_read(&c->taken_over),
		.hand_over_full = sp_counter_read(&c->hand_over_full),
		.passed_on_lost = sp_counter_read(&c->passed_on_lost),
		.held = sp_counter_read(&c->held),
		.polls = sp_counter_read(&c->polls),
		.busy_polls = sp_counter_read(&c->busy_polls),
		.busy_us = sp_worker_us(
			sp_counter_read(&c->busy_cycles), w->tsc_hz),
		.stalls = sp_counter_read(&c->stalls),
		.stalled_us = sp_worker_us(
			sp_counter_read(&c->stalled_cycles), w->tsc_hz),
		.displaced_us = sp_worker_us(
			sp_counter_read(&c->displaced_cycles), w->tsc_hz),
		.news_lost = sp_counter_read(&c->news_lost),
		.flows = (uint32_t)sp_counter_read(&c->flows),
		.keys = (uint32_t)sp_counter_read(&c->keys),
	};
}
