/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <string.h>

#include "bench/pktgen.h"
#include "bench/pktgen_srtp.h"

#define BURST 64u

static uint32_t
read32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
		(uint32_t)at[2] << 8 | at[3];
}

static uint16_t
read16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* Packet @seq of @stream arrived at @party. */
static void
note(struct pktgen *g, uint32_t party, uint32_t stream, uint32_t seq)
{
	struct pktgen_way *way = &g->counted->way[stream % 2];

	if (party != (stream ^ 1)) {
		way->wrong++;
		return;
	}
	switch (pktgen_heard_note(&g->heard[stream], seq)) {
	case PKTGEN_AGAIN:
		way->duplicated++;
		return;
	case PKTGEN_LATE:
		way->reordered++;
		break;
	case PKTGEN_NEW:
		break;
	}
	way->received++;
}

/* In the clear, as it was sent: the payload says what it is. */
static void
take_marked(struct pktgen *g, uint32_t party, const struct pktgen_mark *mark,
	uint64_t now)
{
	struct pktgen_hist *latency;

	if (mark->run != g->run) {
		g->counted->strays++;
		return;
	}
	note(g, party, mark->stream, mark->seq);
	latency = &g->counted->way[mark->stream % 2].latency;
	pktgen_hist_add(
		latency, (uint64_t)((double)(now - mark->tsc) * 1e9 / g->hz));
}

/* What the header alone identifies. */
static uint32_t
full_seq(const struct pktgen *g, uint32_t stream, const uint8_t *rtp)
{
	const uint32_t highest = g->heard[stream].highest;

	return highest + (uint32_t)(int16_t)(read16(rtp + 2) - highest);
}

/* Protected on its way to us or to the relay. */
static void
take_srtp(struct pktgen *g, uint32_t party, uint32_t stream, uint8_t *rtp,
	uint32_t len, uint64_t now)
{
	const uint32_t seq = full_seq(g, stream, rtp);
	struct pktgen_way *way = &g->counted->way[stream % 2];

	if (!pktgen_srtp_good(g, party, stream, seq, rtp, len, now)) {
		way->forged++;
		return;
	}
	note(g, party, stream, seq);
	pktgen_hist_add(&way->latency, pktgen_srtp_took(g, stream, seq, now));
}

static void
take_rtp(struct pktgen *g, uint32_t party, uint8_t *rtp, uint32_t len,
	uint64_t now)
{
	const uint32_t stream = read32(rtp + 8) - PKTGEN_SSRC;
	struct pktgen_mark mark;

	if (rtp[0] != 0x80 || stream >= g->n) {
		g->counted->junk_received++;
		return;
	}
	if (g->srtp) {
		take_srtp(g, party, stream, rtp, len, now);
		return;
	}
	if (len < 12 + sizeof mark && (rtp[1] == 13 || rtp[1] == 101)) {
		note(g, party, stream, full_seq(g, stream, rtp));
		return;
	}
	if (len >= 12 + sizeof mark) {
		memcpy(&mark, rtp + 12, sizeof mark);
		if (mark.magic == PKTGEN_MAGIC && mark.stream == stream) {
			take_marked(g, party, &mark, now);
			return;
		}
	}
	g->counted->way[stream % 2].forged++;
}

static void
take_frame(
	struct pktgen *g, unsigned int side, struct rte_mbuf *m, uint64_t now)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	const uint32_t len = rte_pktmbuf_data_len(m);
	uint32_t party, udp_len;
	uint16_t port;

	if (len >= PKTGEN_ETH && read16(frame + 12) == 0x0806) {
		pktgen_hop_take(g, side, frame, len);
		return;
	}
	if (!g->counted || len < PKTGEN_HEAD || read16(frame + 12) != 0x0800 ||
		frame[PKTGEN_ETH] != 0x45 || frame[PKTGEN_ETH + 9] != 17)
		return;
	udp_len = read16(frame + PKTGEN_UDP + 4);
	port = read16(frame + PKTGEN_UDP + 2);
	party = pktgen_party_at(g, read32(frame + PKTGEN_ETH + 16), port);
	if (party == UINT32_MAX || udp_len < 20 || PKTGEN_UDP + udp_len > len)
		g->counted->strays++;
	else if (port % 2 == 1)
		g->counted->way[(party ^ 1) % 2].rtcp_received++;
	else
		take_rtp(g, party, frame + PKTGEN_RTP, udp_len - 8, now);
}

void
pktgen_receive(struct pktgen *g)
{
	const unsigned int n_sides = g->port[0] == g->port[1] ? 1 : 2;

	for (unsigned int side = 0; side < n_sides; side++) {
		struct rte_mbuf *m[BURST];
		const uint16_t n = rte_eth_rx_burst(g->port[side], 0, m, BURST);
		const uint64_t now = rte_rdtsc();

		for (uint16_t i = 0; i < n; i++)
			rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
		for (uint16_t i = 0; i < n; i++)
			take_frame(g, side, m[i], now);
		rte_pktmbuf_free_bulk(m, n);
	}
}
