/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "bench/pktgen.h"
#include "bench/pktgen_six.h"
#include "bench/pktgen_srtp.h"
#include "relay/srtp_conf.h"

#define BURST 32u
#define AHEAD 12u /* streams whose lines are on their way */
_Static_assert(BURST <= PKTGEN_SRTP_LIVE, "protected at once");

/* Packets of one side that are due. */
struct outgoing {
	uint32_t stream[BURST];
	unsigned int n;
};

static double
due_at(const struct pktgen *g, const struct pktgen_schedule *t)
{
	return t->begun + t->period * (double)g->phase[t->at] / 4294967296.0;
}

static void
step(struct pktgen *g, struct pktgen_schedule *t)
{
	const uint32_t ahead = t->at + AHEAD;
	const uint32_t next = g->order[ahead < g->n_order ? ahead : 0];

	rte_prefetch0(&g->stream[next]);
	if (g->six)
		rte_prefetch0(&g->six[next]);
	t->left--;
	g->events++;
	if (++t->at == g->n_order) {
		t->at = 0;
		t->begun += t->period;
	}
}

static void
send_side(struct pktgen *g, unsigned int side, const struct outgoing *out,
	uint64_t now)
{
	const bool clear = g->conf.suite[side] == SP_SRTP_NONE;
	const bool is_six = g->conf.first[side].family == SP_FAMILY_IP6;
	struct pktgen_way *way = &g->counted->way[side];
	struct rte_mbuf *m[BURST];
	uint8_t *frame[BURST];
	const uint16_t n = (uint16_t)out->n;

	if (rte_pktmbuf_alloc_bulk(clear ? g->tx_pool : g->other_pool, m, n) !=
		0)
		pktgen_die("out of buffers: the device keeps them all");
	for (uint16_t i = 0; i < n; i++) {
		frame[i] = rte_pktmbuf_mtod(m[i], uint8_t *);
		m[i]->data_len = (uint16_t)pktgen_stream_write(
			g, out->stream[i], now, frame[i]);
		m[i]->pkt_len = m[i]->data_len;
	}
	if (!clear && g->conf.srtp_live) {
		const uint32_t tag = pktgen_srtp_live(g, out->stream, frame, n);

		for (uint16_t i = 0; i < n; i++) {
			m[i]->data_len = (uint16_t)(m[i]->data_len + tag);
			m[i]->pkt_len = m[i]->data_len;
		}
	}
	for (uint16_t i = 0; is_six && i < n; i++)
		pktgen_six_put(&g->six[out->stream[i]], m[i]);
	way->sent += n;
	way->refused += n - pktgen_port_send(g, side, m, n);
}

unsigned int
pktgen_send_due(struct pktgen *g, struct pktgen_schedule *t, uint64_t now)
{
	struct outgoing out[PKTGEN_SIDES];
	struct pktgen_slices *slices = &g->slices;
	unsigned int n;

	out[PKTGEN_A].n = 0;
	out[PKTGEN_B].n = 0;
	for (n = 0; n < BURST && t->left > 0 && due_at(g, t) <= (double)now;
		n++) {
		const uint32_t number = g->order[t->at];
		struct outgoing *to = &out[number % 2];

		if (!pktgen_stream_rests(g, number))
			to->stream[to->n++] = number;
		step(g, t);
	}
	slices->slice[slices->used - 1].sent +=
		out[PKTGEN_A].n + out[PKTGEN_B].n;
	for (unsigned int side = 0; side < PKTGEN_SIDES; side++)
		if (out[side].n > 0)
			send_side(g, side, &out[side], now);
	return n;
}
