/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_branch_prediction.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/worker.h"

#define PUNT_PER_MS 2u
#define PUNT_CREDIT_MAX 128u

/* The transmit queue of @w on @nic, and the worker that serves it. */
static const struct sp_nic_queue *
queue_of(const struct sp_worker *w, const struct sp_nic *nic,
	unsigned int *server)
{
	const unsigned int q = w->index % nic->n_tx;

	*server = q;
	return &nic->tx[q];
}

/* Send or pass on @n packets for @nic. Returns how many were taken. */
static uint16_t
transmit(struct sp_worker *w, unsigned int nic, struct rte_mbuf **pkt,
	uint16_t n)
{
	unsigned int server;
	const struct sp_nic_queue *q = queue_of(w, w->nics[nic], &server);
	uint16_t sent;

	if (server == w->index) {
		sent = rte_eth_tx_burst(q->port, q->queue, pkt, n);
		/* Drivers clean their ring in this call: ask once more. */
		if (unlikely(sent < n))
			sent += rte_eth_tx_burst(q->port, q->queue, pkt + sent,
				(uint16_t)(n - sent));
		return sent;
	}
	for (uint16_t i = 0; i < n; i++)
		pkt[i]->port = (uint16_t)nic;
	sent = (uint16_t)rte_ring_enqueue_burst(
		w->to[server].transmit, (void **)pkt, n, NULL);
	sp_mailbox_ring(w->to[server].box);
	return sent;
}

/* Hand a frame to the slow path, unless there are too many. */
static enum sp_verdict
punt(struct sp_worker *w, const struct sp_burst *b, unsigned int i)
{
	const uint32_t now_ms = (uint32_t)(b->now_us / 1000);
	const uint32_t gap = now_ms - w->punt_ms;

	if (gap > 0) {
		const uint32_t more = gap < PUNT_CREDIT_MAX ? gap * PUNT_PER_MS
							    : PUNT_CREDIT_MAX;

		w->punt_ms = now_ms;
		w->punt_credit += more;
		if (w->punt_credit > PUNT_CREDIT_MAX)
			w->punt_credit = PUNT_CREDIT_MAX;
	}
	if (w->punt_credit == 0)
		return SP_VERDICT_PUNT_LIMIT;
	b->pkt[i]->port = b->nic;
	if (rte_ring_enqueue(w->box.punt, b->pkt[i]) != 0)
		return SP_VERDICT_PUNT_LIMIT;
	w->punt_credit--;
	return SP_VERDICT_PUNT;
}

/* The packets for @nic that it did not take, the last ones: drop them. */
static void
drop_unsent(struct sp_burst *b, unsigned int nic, unsigned int sent)
{
	for (unsigned int i = 0; i < b->count; i++) {
		if (b->verdict[i] != SP_VERDICT_FORWARD || b->out_nic[i] != nic)
			continue;
		if (sent > 0) {
			sent--;
			continue;
		}
		b->verdict[i] = SP_VERDICT_TX_FULL;
		b->out[i]->sent--;
	}
}

/* Send what leaves by @nic. Returns how many it took. */
static unsigned int
send_out(struct sp_worker *w, struct sp_burst *b, unsigned int nic)
{
	struct sp_outgoing *o = &w->out[nic];
	const uint16_t n = o->count;
	uint16_t sent;

	if (n == 0)
		return 0;
	o->count = 0;
	sent = transmit(w, nic, o->pkt, n);
	if (unlikely(sent < n))
		drop_unsent(b, nic, sent);
	return sent;
}

/* Free and count what does not leave. */
static void
turn_away(struct sp_worker *w, struct sp_burst *b)
{
	bool punted = false;

	for (unsigned int i = 0; i < b->count; i++) {
		if (likely(b->verdict[i] == SP_VERDICT_FORWARD))
			continue;
		if (b->verdict[i] == SP_VERDICT_PUNT)
			b->verdict[i] = (uint8_t)punt(w, b, i);
		if (b->verdict[i] == SP_VERDICT_PUNT)
			punted = true;
		else
			rte_pktmbuf_free(b->pkt[i]);
		if (b->verdict[i] == SP_BURST_HELD)
			continue;
		sp_counter_add(&w->counters.verdict[b->verdict[i]], 1);
		if (b->verdict[i] > SP_VERDICT_FORWARD)
			sp_stage_count_drop(
				&w->table, b->flow[i]->index, b->verdict[i]);
	}
	if (punted)
		sp_mailbox_wake_control(&w->box);
}

void
sp_worker_send(struct sp_worker *w, struct sp_burst *b)
{
	const unsigned int n = b->count;
	unsigned int sent = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct sp_outgoing *o;

		if (unlikely(b->verdict[i] != SP_VERDICT_FORWARD))
			continue;
		o = &w->out[b->out_nic[i]];
		o->pkt[o->count++] = b->pkt[i];
	}
	for (unsigned int nic = 0; nic < w->n_nics; nic++)
		sent += send_out(w, b, nic);
	sp_counter_add(&w->counters.verdict[SP_VERDICT_FORWARD], sent);
	if (unlikely(sent < n))
		turn_away(w, b);
}

unsigned int
sp_worker_transmit_shared(struct sp_worker *w)
{
	unsigned int seen = 0;

	for (unsigned int i = 0; i < w->count; i++) {
		struct rte_mbuf *pkt[SP_BURST];
		unsigned int n;

		if (i == w->index)
			continue;
		n = rte_ring_dequeue_burst(
			w->from[i].transmit, (void **)pkt, SP_BURST, NULL);
		seen += n;
		for (unsigned int at = 0; at < n;) {
			const uint16_t nic = pkt[at]->port;
			uint16_t run = 0, sent;

			while (at + run < n && pkt[at + run]->port == nic)
				run++;
			sent = transmit(w, nic, pkt + at, run);
			/* Its verdict was given where it came from. */
			for (uint16_t j = sent; j < run; j++) {
				rte_pktmbuf_free(pkt[at + j]);
				sp_counter_add(&w->counters.passed_on_lost, 1);
			}
			at += run;
		}
	}
	return seen;
}

unsigned int
sp_worker_transmit_slow(struct sp_worker *w)
{
	struct rte_mbuf *pkt[SP_BURST];
	const unsigned int n = rte_ring_dequeue_burst(
		w->box.transmit, (void **)pkt, SP_BURST, NULL);

	for (unsigned int i = 0; i < n; i++)
		if (transmit(w, pkt[i]->port, &pkt[i], 1) == 0)
			rte_pktmbuf_free(pkt[i]);
	return n;
}
