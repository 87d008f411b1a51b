/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <string.h>

#include "bench/pktgen.h"
#include "bench/pktgen_extra.h"
#include "bench/pktgen_srtp.h"
#include "relay/srtp_conf.h"

#define BURST 32u
#define AHEAD 8u       /* streams whose lines are on their way */
#define LAG_S 0.0005   /* of the clock: more is not made up for in a rush */
#define DRAIN_S 0.3    /* for the last packets */
#define QUIET_S 0.0002 /* long enough without us to call it a stall */

/* When who is to send. */
struct schedule {
	double begun;  /* cycles: this period's */
	double period; /* cycles, in which each stream sends once */
	uint32_t at;   /* next of g->order and g->phase */
	uint64_t left;
};

/* Frames of one side, until a burst is full. */
struct outgoing {
	struct rte_mbuf *m[BURST];
	uint16_t n;
};

uint64_t
pktgen_lost(const struct pktgen_result *r)
{
	uint64_t lost = 0;

	for (unsigned int s = 0; s < PKTGEN_SIDES; s++)
		lost += r->way[s].sent - r->way[s].received;
	return lost;
}

static double
due(const struct pktgen *g, const struct schedule *t)
{
	return t->begun + t->period * (double)g->phase[t->at] / 4294967296.0;
}

static void
step(const struct pktgen *g, struct schedule *t)
{
	t->left--;
	if (++t->at == g->n) {
		t->at = 0;
		t->begun += t->period;
	}
	rte_prefetch0(&g->stream[g->order[(t->at + AHEAD) % g->n]]);
}

static void
flush(struct pktgen *g, unsigned int side, struct outgoing *out)
{
	const uint16_t taken =
		rte_eth_tx_burst(g->port[side], 0, out->m, out->n);

	g->counted->way[side].refused += out->n - taken;
	if (taken < out->n)
		rte_pktmbuf_free_bulk(&out->m[taken], out->n - taken);
	out->n = 0;
}

static struct rte_mbuf *
make_packet(struct pktgen *g, uint32_t number, uint64_t now)
{
	const bool clear = g->conf.suite[number % 2] == SP_SRTP_NONE;
	struct rte_mbuf *m =
		rte_pktmbuf_alloc(clear ? g->tx_pool : g->other_pool);

	if (!m)
		pktgen_die("out of buffers: the device keeps them all");
	g->counted->way[number % 2].sent++;
	m->data_len = (uint16_t)pktgen_stream_write(
		g, number, now, rte_pktmbuf_mtod(m, uint8_t *));
	m->pkt_len = m->data_len;
	return m;
}

/* Send what is due, BURST packets at the most; false: nothing was. */
static bool
send_due(struct pktgen *g, struct schedule *t, uint64_t now)
{
	struct outgoing out[PKTGEN_SIDES] = { 0 };
	unsigned int n = 0;

	while (n < BURST && t->left > 0 && due(g, t) <= (double)now) {
		const uint32_t number = g->order[t->at];
		struct outgoing *to = &out[number % 2];

		step(g, t);
		n++;
		if (!pktgen_stream_rests(g, number))
			to->m[to->n++] = make_packet(g, number, now);
		g->event++;
	}
	for (unsigned int side = 0; side < PKTGEN_SIDES; side++)
		if (out[side].n > 0)
			flush(g, side, &out[side]);
	return n > 0;
}

/* Behind by too much: go on from here. Returns by how many cycles. */
static double
shift(const struct pktgen *g, struct schedule *t, uint64_t now)
{
	const double lag = (double)now - due(g, t);

	if (lag < LAG_S * g->hz)
		return 0;
	t->begun += lag;
	return lag;
}

void
pktgen_trial(
	struct pktgen *g, double rate, double seconds, struct pktgen_result *r)
{
	struct schedule t = { .period = (double)g->n / rate * g->hz,
		.left = (uint64_t)(rate * seconds) };
	uint64_t start, now, last, end = 0;

	memset(r, 0, sizeof *r);
	r->asked = rate;
	g->run++;
	g->event = 0;
	pktgen_srtp_prepare(g, t.left);
	g->counted = r;
	start = last = now = rte_rdtsc();
	t.begun = (double)start;
	pktgen_extra_begin(g, start);
	while (!end || now < end) {
		now = rte_rdtsc();
		if ((double)(now - last) > QUIET_S * g->hz)
			r->stalled += (double)(now - last) / g->hz;
		last = now;
		if (t.left > 0) {
			(void)shift(g, &t, now);
			(void)send_due(g, &t, now);
			pktgen_extra_send(g, now);
		} else if (!end) {
			r->seconds = (double)(now - start) / g->hz;
			end = now + (uint64_t)(DRAIN_S * g->hz);
		}
		pktgen_receive(g);
	}
	g->counted = NULL;
	if (r->seconds > 0)
		r->offered =
			(double)(r->way[0].sent + r->way[1].sent) / r->seconds;
}
