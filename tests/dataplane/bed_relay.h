/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_DATAPLANE_BED_RELAY_H
#define SP_TESTS_DATAPLANE_BED_RELAY_H

#include "tests/dataplane/bed.h"

/* Packets into a test bed, and their journey as a worker arranges it. */

/* Put a frame into the burst, as @nic received it. */
static inline struct rte_mbuf *
bed_add(struct bed *bed, const struct packet *p, uint8_t nic)
{
	struct sp_burst *b = &bed->burst;
	struct rte_mbuf *m = &bed->mbuf[b->count];

	packet_must(b->count < SP_BURST);
	memset(m, 0, sizeof *m);
	m->buf_addr = bed->buffer[b->count];
	m->buf_len = BED_BUFFER;
	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->data_len = p->len;
	m->pkt_len = p->len;
	m->nb_segs = 1;
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), p->frame, p->len);
	b->nic = nic;
	b->pkt[b->count++] = m;
	return m;
}

/* A shape for a packet of @from to the port of @flow. */
static inline struct packet_shape
bed_shape(const struct bed *bed, const struct sp_addr *from, enum bed_flow flow)
{
	const struct sp_local *l = &bed->locals.local[bed->conf[flow].local];
	struct packet_shape s = {
		.from = *from,
		.to = l->addr,
		.tagged = l->vlan != 0,
		.tci = l->vlan,
	};

	s.to.port = bed->conf[flow].port;
	return s;
}

/* @from sends @payload to @flow. */
static inline void
bed_arrive(struct bed *bed, const struct sp_addr *from, enum bed_flow flow,
	const uint8_t *payload, unsigned int len)
{
	const struct packet_shape s = bed_shape(bed, from, flow);
	struct packet p;

	packet_write(&p, &s, payload, len);
	bed_add(bed, &p, bed->locals.local[bed->conf[flow].local].nic);
}

static inline void
bed_arrive_rtp(struct bed *bed, const struct sp_addr *from, enum bed_flow flow,
	uint32_t ssrc, uint16_t seq)
{
	uint8_t rtp[172];

	packet_put_rtp(rtp, sizeof rtp, ssrc, seq);
	bed_arrive(bed, from, flow, rtp, sizeof rtp);
}

static inline void
bed_arrive_rtcp(struct bed *bed, const struct sp_addr *from, enum bed_flow flow)
{
	uint8_t rtcp[PACKET_RTCP_LEN];

	packet_put_rtcp(rtcp, 1);
	bed_arrive(bed, from, flow, rtcp, sizeof rtcp);
}

/* Note what became of the packets, as the send stage does. */
static inline void
bed_settle(struct bed *bed, struct sp_burst *b)
{
	for (unsigned int i = 0; i < b->count; i++) {
		const uint8_t verdict = b->verdict[i];
		struct packet *p = &bed->sent[bed->n_sent % BED_SENT];

		if (verdict == SP_BURST_HELD)
			continue;
		bed->count[verdict]++;
		if (verdict > SP_VERDICT_FORWARD)
			sp_stage_count_drop(
				&bed->table, b->flow[i]->index, verdict);
		if (verdict != SP_VERDICT_FORWARD)
			continue;
		p->len = rte_pktmbuf_data_len(b->pkt[i]);
		memcpy(p->frame, rte_pktmbuf_mtod(b->pkt[i], uint8_t *),
			p->len);
		bed->sent_nic[bed->n_sent++ % BED_SENT] = b->out_nic[i];
	}
}

static inline void bed_journey(struct bed *bed, struct sp_burst *b);

/* What was held and is let go makes the journey anew. */
static inline void
bed_release(struct bed *bed)
{
	struct sp_stage_commit *c = &bed->commit;
	struct rte_mbuf *pkt[SP_STAGE_OUT];
	const unsigned int n = c->n_released;

	memcpy(pkt, c->released, n * sizeof *pkt);
	c->n_released = 0;
	for (unsigned int i = 0; i < n; i++) {
		struct sp_burst one = {
			.count = 1,
			.pkt = { pkt[i] },
			.nic = (uint8_t)pkt[i]->port,
			.now_us = *sp_stage_arrival(pkt[i]),
		};

		sp_stage_classify(&one, &bed->locals);
		bed_journey(bed, &one);
		rte_pktmbuf_free(pkt[i]);
	}
}

static inline void
bed_journey(struct bed *bed, struct sp_burst *b)
{
	sp_stage_lookup(b, &bed->table);
	sp_stage_admit(b, &bed->table);
	sp_stage_unprotect(b, &bed->table);
	sp_stage_commit(b, &bed->table, &bed->commit);
	bed_release(bed);
	sp_stage_mute(b, &bed->table);
	sp_stage_protect(b, &bed->table, bed->hops);
	sp_stage_rewrite(b, bed->hops);
	bed_settle(bed, b);
}

/* Relay the burst; the verdict of each packet is in it afterwards. */
static inline void
bed_relay(struct bed *bed)
{
	bed->burst.now_us = bed->now_us;
	sp_stage_classify(&bed->burst, &bed->locals);
	bed_journey(bed, &bed->burst);
	bed->burst.count = 0;
}

/* @n RTP packets at the pace of a phone, a burst each; the last verdict. */
static inline unsigned int
bed_talk(struct bed *bed, const struct sp_addr *from, enum bed_flow flow,
	uint32_t ssrc, uint16_t seq, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		bed->now_us += 20000;
		bed_arrive_rtp(bed, from, flow, ssrc, (uint16_t)(seq + i));
		bed_relay(bed);
	}
	return bed->burst.verdict[0];
}

/* One RTCP packet; its verdict. */
static inline unsigned int
bed_report(struct bed *bed, const struct sp_addr *from, enum bed_flow flow)
{
	bed->now_us += 20000;
	bed_arrive_rtcp(bed, from, flow);
	bed_relay(bed);
	return bed->burst.verdict[0];
}

/* Any datagram alone; its verdict. */
static inline unsigned int
bed_say(struct bed *bed, const struct sp_addr *from, enum bed_flow flow,
	const uint8_t *payload, unsigned int len)
{
	bed->now_us += 20000;
	bed_arrive(bed, from, flow, payload, len);
	bed_relay(bed);
	return bed->burst.verdict[0];
}

#endif
