/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <string.h>

#include "bench/pktgen.h"
#include "bench/pktgen_six.h"
#include "bench/pktgen_srtp.h"

#define BURST 64u
#define TAG 4u /* bytes of a VLAN's */
#define VLAN_MASK 0xfffu
#define IP4 0x0800
#define ARP 0x0806
#define IP6 0x86dd
#define UDP 17
#define ICMP6 58
#define LINE 64u

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

/* Packet @seq of @stream, sent at @sent, arrived at @party. */
static void
note(struct pktgen *g, uint32_t party, uint32_t stream, uint32_t seq,
	uint64_t sent)
{
	struct pktgen_way *way = &g->counted->way[stream % 2];
	const uint32_t slice = pktgen_slice_of(g, sent);

	if (unlikely(party != (stream ^ 1))) {
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
	if (likely(slice < g->slices.used))
		g->slices.slice[slice].received++;
}

static void
note_time(struct pktgen *g, uint32_t stream, uint64_t took)
{
	pktgen_hist_add(
		&g->now[stream % 2], (uint64_t)((double)took * 1e9 / g->hz));
}

/* In the clear, as it was sent: the payload says what it is. */
static void
take_marked(struct pktgen *g, uint32_t party, const struct pktgen_mark *mark,
	uint64_t now)
{
	if (unlikely(mark->run != g->run)) {
		g->counted->strays++;
		return;
	}
	note(g, party, mark->stream, mark->seq, mark->tsc);
	note_time(g, mark->stream, now - mark->tsc);
}

/* Protected on its way to us or to the relay: the header says which it is. */
static void
take_srtp(struct pktgen *g, uint32_t party, uint32_t stream, uint8_t *rtp,
	uint32_t len, uint64_t now)
{
	const uint32_t seq =
		pktgen_heard_widen(&g->heard[stream], read16(rtp + 2));
	const uint64_t sent = pktgen_stream_when(g, stream, seq);

	if (!pktgen_srtp_good(g, party, stream, seq, rtp, len, now)) {
		g->counted->way[stream % 2].forged++;
		return;
	}
	note(g, party, stream, seq, sent);
	note_time(g, stream, now - sent);
}

/* Comfort noise or an event, too short to say when it was sent. */
static void
take_short(
	struct pktgen *g, uint32_t party, uint32_t stream, const uint8_t *rtp)
{
	const uint32_t seq =
		pktgen_heard_widen(&g->heard[stream], read16(rtp + 2));

	note(g, party, stream, seq,
		g->sent ? pktgen_stream_when(g, stream, seq) : g->start);
}

static void
take_rtp(struct pktgen *g, uint32_t party, uint8_t *rtp, uint32_t len,
	uint64_t now)
{
	const uint32_t stream = read32(rtp + 8) - PKTGEN_SSRC;
	struct pktgen_mark mark;

	if (unlikely(rtp[0] != 0x80 || stream >= g->n)) {
		g->counted->junk_received++;
		return;
	}
	if (g->srtp) {
		take_srtp(g, party, stream, rtp, len, now);
		return;
	}
	if (unlikely(len < 12 + sizeof mark)) {
		if (rtp[1] == 13 || rtp[1] == 101)
			take_short(g, party, stream, rtp);
		else
			g->counted->way[stream % 2].forged++;
		return;
	}
	memcpy(&mark, rtp + 12, sizeof mark);
	if (unlikely(mark.magic != PKTGEN_MAGIC || mark.stream != stream))
		g->counted->way[stream % 2].forged++;
	else
		take_marked(g, party, &mark, now);
}

/* Take the tag off, unless the device did; false: it is not the side's, or
   there should be one. */
static bool
untag(const struct pktgen *g, unsigned int side, const struct rte_mbuf *m,
	uint8_t **frame, uint32_t *len)
{
	const uint16_t vlan = g->conf.vlan[side];

	if (vlan == 0)
		return true;
	if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		return (m->vlan_tci & VLAN_MASK) == vlan;
	if (*len < PKTGEN_ETH + TAG || read16(*frame + 12) != 0x8100 ||
		(read16(*frame + 14) & VLAN_MASK) != vlan)
		return false;
	memmove(*frame + TAG, *frame, 12);
	*frame += TAG;
	*len -= TAG;
	return true;
}

static bool
is_six(const uint8_t *frame)
{
	return read16(frame + 12) == IP6;
}

/* Does it ask for an address, or tell of one? */
static bool
is_neighbours(const uint8_t *frame, uint32_t len)
{
	if (len >= PKTGEN_HEAD && is_six(frame))
		return frame[PKTGEN_ETH + 6] == ICMP6;
	return len >= PKTGEN_ETH && read16(frame + 12) == ARP;
}

/* Which IP is there, with UDP in it? @frame then is where it would begin if it
   were IPv4: UDP's place is the same. */
static enum sp_family
open_ip(uint8_t **frame, uint32_t *len)
{
	const uint8_t *ip = *frame + PKTGEN_ETH;

	if (*len < PKTGEN_HEAD)
		return SP_FAMILY_NONE;
	if (likely(read16(*frame + 12) == IP4))
		return ip[0] == 0x45 && ip[9] == UDP ? SP_FAMILY_IP4
						     : SP_FAMILY_NONE;
	if (!is_six(*frame) || *len < PKTGEN_HEAD + PKTGEN_SIX_MORE ||
		ip[0] >> 4 != 6 || ip[6] != UDP)
		return SP_FAMILY_NONE;
	*frame += PKTGEN_SIX_MORE;
	*len -= PKTGEN_SIX_MORE;
	return SP_FAMILY_IP6;
}

static void
take_frame(
	struct pktgen *g, unsigned int side, struct rte_mbuf *m, uint64_t now)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	uint32_t len = rte_pktmbuf_data_len(m);
	enum sp_family family;
	uint32_t party, udp_len;
	uint16_t port;

	if (unlikely(!untag(g, side, m, &frame, &len)))
		return;
	if (unlikely(is_neighbours(frame, len))) {
		pktgen_hop_take(g, side, frame, len);
		return;
	}
	family = g->counted ? open_ip(&frame, &len) : SP_FAMILY_NONE;
	if (family == SP_FAMILY_NONE)
		return;
	udp_len = read16(frame + PKTGEN_UDP + 4);
	port = read16(frame + PKTGEN_UDP + 2);
	/* Where an address ends, UDP begins. */
	party = pktgen_party_at(g, family, frame + PKTGEN_UDP - 4, port);
	if (party == UINT32_MAX || udp_len < 20 || PKTGEN_UDP + udp_len > len)
		g->counted->strays++;
	else if (port % 2 == 1)
		g->counted->way[(party ^ 1) % 2].rtcp_received++;
	else
		take_rtp(g, party, frame + PKTGEN_RTP, udp_len - 8, now);
}

/* What they say is of whom, for a guess: a wrong one costs time only. */
static void
prefetch_heard(const struct pktgen *g, const struct rte_mbuf *m)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	const uint8_t *rtp = frame + PKTGEN_RTP +
		(unlikely(is_six(frame)) ? PKTGEN_SIX_MORE : 0);
	const uint32_t stream = read32(rtp + 8) - PKTGEN_SSRC;

	if (stream < g->n)
		rte_prefetch0(&g->heard[stream]);
}

unsigned int
pktgen_receive(struct pktgen *g)
{
	const unsigned int n_sides = g->port[0] == g->port[1] ? 1 : 2;
	unsigned int sum = 0;

	for (unsigned int side = 0; side < n_sides; side++) {
		struct rte_mbuf *m[BURST];
		const uint16_t n = rte_eth_rx_burst(g->port[side], 0, m, BURST);
		const uint64_t now = rte_rdtsc();

		if (n == 0)
			continue;
		sum += n;
		for (uint16_t i = 0; i < n; i++) {
			rte_prefetch0(rte_pktmbuf_mtod(m[i], uint8_t *));
			rte_prefetch0(rte_pktmbuf_mtod(m[i], uint8_t *) + LINE);
		}
		for (uint16_t i = 0; i < n; i++)
			prefetch_heard(g, m[i]);
		for (uint16_t i = 0; i < n; i++)
			take_frame(g, side, m[i], now);
		rte_pktmbuf_free_bulk(m, n);
	}
	return sum;
}
