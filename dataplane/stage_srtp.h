/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_STAGE_SRTP_H
#define SP_DATAPLANE_STAGE_SRTP_H

#include <assert.h>
#include <rte_mbuf.h>

#include "dataplane/stage.h"
#include "relay/demux.h"
#include "relay/srtp.h"

static_assert(SP_BURST <= SP_SRTP_BURST, "a burst goes in one call");

/* Packets of a burst on their way through the engine. */
struct sp_stage_srtp {
	unsigned int n;
	uint8_t at[SP_BURST]; /* index in the burst */
	struct sp_srtp *direction[SP_BURST];
	struct sp_srtp_packet packet[SP_BURST];
	uint16_t sum_be[SP_BURST]; /* of the bytes before, if asked for */
};

/*
 * Is the packet in @m ours to change, with room behind its @len bytes at
 * @payload? Bytes that somebody else refers to, too, are not.
 */
static inline bool
sp_stage_srtp_fits(
	const struct rte_mbuf *m, const uint8_t *payload, unsigned int len)
{
	const uint8_t *end = (const uint8_t *)m->buf_addr + m->buf_len;

	return end - payload >= (ptrdiff_t)(len + SP_SRTP_ROOM) &&
		!(m->ol_flags & RTE_MBUF_F_INDIRECT) &&
		rte_mbuf_refcnt_read(m) <= 1 &&
		(!(m->ol_flags & RTE_MBUF_F_EXTERNAL) ||
			rte_mbuf_ext_refcnt_read(m->shinfo) <= 1);
}

/*
 * Sum what changes with a packet's bytes: those of the header, too, because a
 * source that started anew may get other sequence numbers; and the length
 * twice, as it is in the pseudo-header and in UDP's.
 */
static inline uint16_t
sp_stage_srtp_sum(const struct sp_burst *b, unsigned int i)
{
	const uint16_t len = b->datagram[i].payload_len;

	return sp_sum_fold(sp_sum_bytes(b->payload[i], len) +
		2u * sp_sum_swap((uint16_t)(len + SP_DATAGRAM_UDP)));
}

static inline void
sp_stage_srtp_add(struct sp_stage_srtp *s, const struct sp_burst *b,
	unsigned int i, struct sp_srtp *direction)
{
	s->at[s->n] = (uint8_t)i;
	s->direction[s->n] = direction;
	s->packet[s->n++] = (struct sp_srtp_packet){
		.data = b->payload[i],
		.len = b->datagram[i].payload_len,
		.header_len =
			b->what[i] == SP_DEMUX_RTP ? b->rtp[i].header_len : 0,
	};
}

/*
 * What became of packet @k. Where it is OK, the burst has its new length; its
 * checksum is the caller's to see to.
 */
static inline enum sp_verdict
sp_stage_srtp_take(
	const struct sp_stage_srtp *s, unsigned int k, struct sp_burst *b)
{
	static const uint8_t verdicts[] = {
		[SP_SRTP_OK] = SP_VERDICT_FORWARD,
		[SP_SRTP_SHORT] = SP_VERDICT_MALFORMED,
		[SP_SRTP_AUTH] = SP_VERDICT_SRTP_AUTH,
		[SP_SRTP_REPLAY] = SP_VERDICT_SRTP_REPLAY,
		[SP_SRTP_SSRC] = SP_VERDICT_SRTP_LIMIT,
		[SP_SRTP_EXPIRED] = SP_VERDICT_SRTP_LIMIT,
	};
	const struct sp_srtp_packet *p = &s->packet[k];

	b->datagram[s->at[k]].payload_len = p->len;
	return (enum sp_verdict)verdicts[p->fate];
}

/* Keep the sum of the packet added last, if its checksum will be moved. */
static inline void
sp_stage_srtp_sum_before(struct sp_stage_srtp *s, const struct sp_burst *b)
{
	const unsigned int k = s->n - 1;

	if (sp_datagram_has_sum(&b->datagram[s->at[k]]))
		s->sum_be[k] = sp_stage_srtp_sum(b, s->at[k]);
}

/* Packet @k is changed: its checksum knows as much of its past as before. */
static inline void
sp_stage_srtp_move_sum(
	const struct sp_stage_srtp *s, unsigned int k, struct sp_burst *b)
{
	struct sp_datagram *d = &b->datagram[s->at[k]];

	if (sp_datagram_has_sum(d))
		d->check_be = sp_sum_move(d->check_be, s->sum_be[k],
			sp_stage_srtp_sum(b, s->at[k]));
}

#endif
