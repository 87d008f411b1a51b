/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A data plane made of arrays, included by the tests of control. Orders wait
 * in a queue until serve, as they do in a real mailbox. It holds control to
 * the facade's contract: what is against it counts as an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/dataplane.h"

#define FAKE_WORKERS 4
#ifndef FAKE_FLOWS
#define FAKE_FLOWS 20000
#define FAKE_QUEUE 8192
#endif
#define FAKE_NEWS 64

#define FAKE_PASTS 3u /* keys that a direction goes back to */
#define FAKE_GONE (1u << 16)

enum fake_kind {
	FAKE_KEYS,
	FAKE_WIPE,
	FAKE_PROGRAM,
	FAKE_STOP,
	FAKE_READ
};

struct fake_flow {
	struct sp_flow_conf conf;
	uint64_t packets;
	uint32_t seen_ms;
	uint32_t programs; /* orders since it was taken */
	bool taken;
	bool running;
	bool keyed; /* the id is one of keys: these */
	struct sp_flow_keys keys;
	uint64_t sent[FAKE_PASTS + 1]; /* keys whose indices are known, the
					  latest first; 0: none */
};

struct fake_order {
	struct sp_flow_conf conf;
	struct sp_flow_keys keys;
	struct sp_flow_report *report;
	uint64_t ticket;
	enum fake_kind kind;
	unsigned int worker;
	uint32_t flow;
};

struct fake_news {
	struct sp_addr remote;
	enum sp_dataplane_news what;
	unsigned int worker;
	uint32_t flow;
};

struct sp_dataplane {
	struct fake_flow flow[FAKE_WORKERS][FAKE_FLOWS];
	struct fake_order queue[FAKE_QUEUE];
	struct fake_news news[FAKE_NEWS];
	unsigned int queued;
	unsigned int told;
	unsigned int workers;
	unsigned int taken; /* flow ids, of all workers */
	uint32_t now_ms;
	uint32_t flows;         /* ids a worker has */
	unsigned int room;      /* orders a mailbox takes */
	unsigned int no_hop_in; /* so many programs until one fails; 0: none */
	unsigned int no_key_in; /* the same of orders for keys */
	unsigned int refuse_in; /* so many orders until one is refused */
	unsigned int programs;  /* that were accepted */
	unsigned int stops;
	unsigned int key_orders; /* without the wipes */
	unsigned int wipes;
	unsigned int errors;
	uint64_t *gone;    /* FAKE_GONE keys, hashed, that were sent under and
			      are forgotten; NULL: nobody asks */
	bool stuck;        /* the workers answer nothing */
	bool keys_refused; /* so flows may name keys that are not there */
};

static struct sp_dataplane *
fake_open(unsigned int workers)
{
	struct sp_dataplane *dp = calloc(1, sizeof *dp);

	dp->workers = workers;
	dp->now_ms = 1000;
	dp->flows = FAKE_FLOWS;
	dp->room = FAKE_QUEUE;
	return dp;
}

static void
fake_error(struct sp_dataplane *dp, const char *what)
{
	fprintf(stderr, "fake data plane: %s\n", what);
	dp->errors++;
}

int
sp_dataplane_fd(const struct sp_dataplane *dp)
{
	(void)dp;
	return -1;
}

uint32_t
sp_dataplane_now_ms(const struct sp_dataplane *dp)
{
	return dp->now_ms;
}

unsigned int
sp_dataplane_workers(const struct sp_dataplane *dp)
{
	return dp->workers;
}

enum sp_status
sp_dataplane_flow_take(
	struct sp_dataplane *dp, unsigned int worker, uint32_t *flow)
{
	for (uint32_t f = 1; f < dp->flows; f++) {
		if (dp->flow[worker][f].taken)
			continue;
		dp->flow[worker][f] = (struct fake_flow){ .taken = true };
		dp->taken++;
		*flow = f;
		return SP_OK;
	}
	return SP_FULL;
}

void
sp_dataplane_flow_give(
	struct sp_dataplane *dp, unsigned int worker, uint32_t flow)
{
	struct fake_flow *f = &dp->flow[worker][flow];

	if (!f->taken)
		fake_error(dp, "a flow id given twice");
	if (f->running)
		fake_error(dp, "a running flow's id given");
	if (f->keyed)
		fake_error(dp, "the id of keys given that are not wiped");
	f->taken = false;
	dp->taken--;
}

enum sp_status
sp_dataplane_keys_take(
	struct sp_dataplane *dp, unsigned int worker, uint32_t *id)
{
	return sp_dataplane_flow_take(dp, worker, id);
}

void
sp_dataplane_keys_give(
	struct sp_dataplane *dp, unsigned int worker, uint32_t id)
{
	sp_dataplane_flow_give(dp, worker, id);
}

unsigned int
sp_dataplane_room(const struct sp_dataplane *dp, unsigned int worker)
{
	unsigned int used = 0;

	for (unsigned int i = 0; i < dp->queued; i++)
		used += dp->queue[i].worker == worker;
	return used < dp->room ? dp->room - used : 0;
}

static enum sp_status
fake_order(struct sp_dataplane *dp, const struct fake_order *order)
{
	if (!dp->flow[order->worker][order->flow].taken)
		fake_error(dp, "an order for a flow that nobody took");
	if (sp_dataplane_room(dp, order->worker) == 0)
		return SP_FULL;
	dp->queue[dp->queued++] = *order;
	return SP_OK;
}

enum sp_status
sp_dataplane_program(struct sp_dataplane *dp, unsigned int worker,
	uint32_t flow, const struct sp_flow_conf *conf, uint64_t ticket)
{
	const struct fake_order order = {
		.conf = *conf,
		.ticket = ticket,
		.kind = FAKE_PROGRAM,
		.worker = worker,
		.flow = flow,
	};

	if (dp->no_hop_in > 0 && --dp->no_hop_in == 0)
		return SP_FULL;
	dp->programs++;
	return fake_order(dp, &order);
}

enum sp_status
sp_dataplane_keys(struct sp_dataplane *dp, unsigned int worker, uint32_t id,
	const struct sp_flow_keys *keys, uint64_t ticket)
{
	struct fake_order order = {
		.ticket = ticket,
		.kind = keys ? FAKE_KEYS : FAKE_WIPE,
		.worker = worker,
		.flow = id,
	};

	if (keys && dp->no_key_in > 0 && --dp->no_key_in == 0)
		return SP_FULL;
	if (keys)
		order.keys = *keys;
	dp->key_orders += keys != NULL;
	dp->wipes += keys == NULL;
	return fake_order(dp, &order);
}

enum sp_status
sp_dataplane_stop(struct sp_dataplane *dp, unsigned int worker, uint32_t flow,
	struct sp_flow_report *report, uint64_t ticket)
{
	const struct fake_order order = {
		.report = report,
		.ticket = ticket,
		.kind = FAKE_STOP,
		.worker = worker,
		.flow = flow,
	};

	dp->stops++;
	return fake_order(dp, &order);
}

enum sp_status
sp_dataplane_read(struct sp_dataplane *dp, unsigned int worker, uint32_t flow,
	struct sp_flow_report *report, uint64_t ticket)
{
	const struct fake_order order = {
		.report = report,
		.ticket = ticket,
		.kind = FAKE_READ,
		.worker = worker,
		.flow = flow,
	};

	return fake_order(dp, &order);
}

uint32_t
sp_dataplane_seen_ms(
	const struct sp_dataplane *dp, unsigned int worker, uint32_t flow)
{
	return dp->flow[worker][flow].seen_ms;
}

uint64_t
sp_dataplane_count(const struct sp_dataplane *dp, unsigned int worker,
	enum sp_verdict verdict)
{
	(void)dp;
	return worker * 100 + verdict;
}

uint64_t
sp_dataplane_slow_count(
	const struct sp_dataplane *dp, enum sp_slow_path_fate fate)
{
	(void)dp;
	return 40u + fate;
}

void
sp_dataplane_worker_counts(const struct sp_dataplane *dp, unsigned int worker,
	struct sp_worker_counts *out)
{
	*out = (struct sp_worker_counts){ .received = 7,
		.polls = 11,
		.busy_us = 1500000,
		.stalls = 3,
		.stalled_us = 250000,
		.displaced_us = 200000 };
	for (uint32_t f = 1; f < dp->flows; f++)
		out->flows += dp->flow[worker][f].running;
}

void
sp_dataplane_srtp_info(const struct sp_dataplane *dp, struct sp_srtp_info *out)
{
	(void)dp;
	*out = (struct sp_srtp_info){ "ipsec-mb", "libIPSec_MB 1.3.0 AVX512",
		20000, 115, 120, false };
}

/* Is the port of a new flow its own, and its worker's? */
static void
fake_check_port(struct sp_dataplane *dp, const struct fake_order *order)
{
	for (unsigned int w = 0; w < dp->workers; w++)
		for (uint32_t f = 1; f < dp->flows; f++) {
			const struct fake_flow *flow = &dp->flow[w][f];

			if (flow->running &&
				(w != order->worker || f != order->flow) &&
				flow->conf.local == order->conf.local &&
				flow->conf.port == order->conf.port)
				fake_error(dp, "two flows on one port");
		}
}

static void
fake_report(const struct fake_flow *flow, struct sp_flow_report *report)
{
	if (!report)
		return;
	*report = (struct sp_flow_report){
		.remote = flow->conf.signalled,
		.seen_ms = flow->seen_ms,
		.packets = flow->packets,
		.octets = flow->packets * 172,
		.state = flow->packets > 0 ? SP_LATCH_HELD : SP_LATCH_EMPTY,
		.class = SP_LATCH_EXACT,
		.dropped = { [0] = 3 },
		.has_quality = flow->packets > 0,
		.quality = { .packets = flow->packets,
			.expected = flow->packets + 2,
			.lost = 2,
			.jitter_us = 1500,
			.mos_x100 = 430 },
	};
}

/* Keys are there before the flows that name them, and no shorter. */
static void
fake_check_keys(struct sp_dataplane *dp, unsigned int worker, uint32_t id)
{
	if (id != 0 && !dp->flow[worker][id].keyed && !dp->keys_refused)
		fake_error(dp, "a flow names keys that the worker has not");
}

static void
fake_check_unnamed(struct sp_dataplane *dp, unsigned int worker, uint32_t id)
{
	for (uint32_t f = 1; f < dp->flows; f++) {
		const struct fake_flow *flow = &dp->flow[worker][f];

		if (flow->running &&
			(flow->conf.keys == id || flow->conf.out_keys == id))
			fake_error(dp, "keys wiped that a flow names");
	}
}

/* Where @key is among those that are gone, or would be. */
static uint64_t *
fake_gone(struct sp_dataplane *dp, uint64_t key)
{
	uint32_t at = (uint32_t)(key % FAKE_GONE);

	while (dp->gone[at] != 0 && dp->gone[at] != key)
		at = (at + 1) % FAKE_GONE;
	return &dp->gone[at];
}

static void
fake_forget(struct sp_dataplane *dp, uint64_t key)
{
	if (key != 0)
		*fake_gone(dp, key) = key;
}

/* No key that we send under may ever begin with its first index again. */
static void
fake_send_under(struct sp_dataplane *dp, struct fake_flow *flow,
	const struct sp_srtp_conf *out)
{
	unsigned int at = 0;
	uint64_t key;

	if (out->suite != SP_SRTP_NONE && out->n_keys == 0)
		fake_error(dp, "a suite to send under, and no key");
	if (!dp->gone || out->suite == SP_SRTP_NONE)
		return;
	memcpy(&key, out->key[0].key, sizeof key);
	key |= 1;
	if (*fake_gone(dp, key) != 0)
		fake_error(dp, "a key that was left is sent under again");
	while (at < FAKE_PASTS && flow->sent[at] != key)
		at++;
	if (flow->sent[at] != key)
		fake_forget(dp, flow->sent[at]);
	for (; at > 0; at--)
		flow->sent[at] = flow->sent[at - 1];
	flow->sent[0] = key;
}

static enum sp_status
fake_obey_keys(struct sp_dataplane *dp, const struct fake_order *order)
{
	struct fake_flow *flow = &dp->flow[order->worker][order->flow];

	if (flow->running)
		fake_error(dp, "the id of a flow for keys");
	if (order->kind == FAKE_KEYS) {
		if (dp->refuse_in > 0 && --dp->refuse_in == 0) {
			dp->keys_refused = true;
			return SP_FULL;
		}
		fake_send_under(dp, flow, &order->keys.out);
		flow->keys = order->keys;
		flow->keyed = true;
		return SP_OK;
	}
	fake_check_unnamed(dp, order->worker, order->flow);
	/* Keys may have been refused before they were wiped. */
	flow->keys = (struct sp_flow_keys){ 0 };
	flow->keyed = false;
	for (unsigned int i = 0; dp->gone && i <= FAKE_PASTS; i++) {
		fake_forget(dp, flow->sent[i]);
		flow->sent[i] = 0;
	}
	return SP_OK;
}

static enum sp_status
fake_obey(struct sp_dataplane *dp, const struct fake_order *order)
{
	struct fake_flow *flow = &dp->flow[order->worker][order->flow];

	if (order->kind == FAKE_KEYS || order->kind == FAKE_WIPE)
		return fake_obey_keys(dp, order);

	if (order->kind == FAKE_PROGRAM) {
		if (dp->refuse_in > 0 && --dp->refuse_in == 0)
			return SP_CONFLICT;
		if (!flow->running)
			fake_check_port(dp, order);
		else if (flow->conf.port != order->conf.port)
			fake_error(dp, "a running flow changed its port");
		fake_check_keys(dp, order->worker, order->conf.keys);
		fake_check_keys(dp, order->worker, order->conf.out_keys);
		flow->conf = order->conf;
		flow->running = true;
		flow->programs++;
		return SP_OK;
	}
	fake_report(flow, order->report);
	if (order->kind == FAKE_STOP)
		flow->running = false;
	return SP_OK;
}

void
sp_dataplane_serve(
	struct sp_dataplane *dp, const struct sp_dataplane_events *events)
{
	const unsigned int count = dp->stuck ? 0 : dp->queued;
	static struct fake_order now[FAKE_QUEUE];

	memcpy(now, dp->queue, count * sizeof now[0]);
	if (count > 0)
		dp->queued = 0;
	for (unsigned int i = 0; i < count; i++)
		events->done(
			events->arg, now[i].ticket, fake_obey(dp, &now[i]));
	for (unsigned int i = 0; i < dp->told; i++)
		events->news(events->arg, dp->news[i].worker, dp->news[i].flow,
			dp->news[i].what, &dp->news[i].remote, SP_LATCH_EXACT,
			dp->now_ms);
	dp->told = 0;
	explicit_bzero(now, count * sizeof now[0]);
	dp->keys_refused = false;
}

/* Media comes to the flow now. */
static inline void
fake_media(struct sp_dataplane *dp, unsigned int worker, uint32_t flow)
{
	dp->flow[worker][flow].seen_ms = dp->now_ms;
	dp->flow[worker][flow].packets++;
}

/* The running flow on @port of @local; 0: none. */
static inline uint32_t
fake_find(const struct sp_dataplane *dp, unsigned int worker, uint16_t port)
{
	for (uint32_t f = 1; f < dp->flows; f++)
		if (dp->flow[worker][f].running &&
			dp->flow[worker][f].conf.port == port)
			return f;
	return 0;
}
