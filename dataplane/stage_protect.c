/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_ether.h>

#include "dataplane/stage_out.h"
#include "dataplane/stage_srtp.h"

/* What may lie before a frame, and its largest usual size with a VLAN tag. */
#define BEFORE (RTE_PKTMBUF_HEADROOM + 256u)
#define FRAME (RTE_ETHER_MAX_LEN + RTE_VLAN_HLEN)

bool
sp_stage_has_room(struct rte_mempool *pool)
{
	return rte_pktmbuf_data_room_size(pool) >=
		BEFORE + FRAME + SP_SRTP_ROOM;
}

/* May packet @i leave, once it is as long as @key makes it? */
static enum sp_verdict
check(const struct sp_burst *b, unsigned int i, const struct sp_key *key,
	const struct sp_l2 *hops)
{
	const struct sp_flow *out = b->out[i];
	const struct sp_l2 *l2 = &hops[out->hop];
	const uint16_t len = b->datagram[i].payload_len;
	const bool is_rtp = b->what[i] == SP_DEMUX_RTP;
	const unsigned int more = is_rtp ? key->rtp_more : key->rtcp_more;
	const enum sp_verdict verdict = sp_stage_out_check(out, b->what[i]);

	if (verdict != SP_VERDICT_FORWARD)
		return verdict;
	if (!l2->ready)
		return SP_VERDICT_NO_NEXT_HOP;
	/* Nothing goes in the clear to who was promised SRTP. */
	if (!is_rtp && b->what[i] != SP_DEMUX_RTCP)
		return SP_VERDICT_NOT_MEDIA;
	if (!key->out)
		return SP_VERDICT_NO_KEYS;
	return out->header.len + len + more <= l2->mtu &&
			sp_stage_srtp_fits(b->pkt[i], b->payload[i], len)
		? SP_VERDICT_FORWARD
		: SP_VERDICT_TOO_BIG;
}

static inline void
add(struct sp_stage_srtp *s, const struct sp_burst *b, unsigned int i,
	struct sp_srtp *out)
{
	sp_stage_srtp_add(s, b, i, out);
	sp_stage_srtp_sum_before(s, b);
}

static inline void
take(const struct sp_stage_srtp *s, unsigned int k, struct sp_burst *b)
{
	const enum sp_verdict verdict = sp_stage_srtp_take(s, k, b);

	b->verdict[s->at[k]] = (uint8_t)verdict;
	if (likely(verdict == SP_VERDICT_FORWARD))
		sp_stage_srtp_move_sum(s, k, b);
}

static void
protect_rtcp(struct sp_burst *b, unsigned int i,
	const struct sp_key_table *keys, struct sp_srtp *out, uint32_t now_ms)
{
	struct sp_stage_srtp one;

	one.n = 0;
	add(&one, b, i, out);
	sp_srtcp_protect(keys->engine, out, &one.packet[0], now_ms);
	take(&one, 0, b);
}

void
sp_stage_protect(struct sp_burst *b, const struct sp_flow_table *t,
	const struct sp_l2 *hops)
{
	const struct sp_key_table *keys = t->keys;
	const uint32_t now_ms = (uint32_t)(b->now_us / 1000);
	struct sp_stage_srtp rtp;

	if (likely(!(b->flags & SP_FLOW_KEYED_OUT)))
		return;
	rtp.n = 0;
	for (unsigned int i = 0; i < b->count; i++) {
		const uint32_t id = b->flow[i]->out_keys;
		const struct sp_key *key;

		if (b->verdict[i] != SP_VERDICT_FORWARD || id == 0)
			continue;
		key = &keys->key[id];
		b->verdict[i] = (uint8_t)check(b, i, key, hops);
		if (unlikely(b->verdict[i] != SP_VERDICT_FORWARD))
			continue;
		if (likely(b->what[i] == SP_DEMUX_RTP))
			add(&rtp, b, i, key->out);
		else
			protect_rtcp(b, i, keys, key->out, now_ms);
	}
	if (rtp.n > 0)
		sp_srtp_protect(
			keys->engine, rtp.direction, rtp.packet, rtp.n, now_ms);
	for (unsigned int k = 0; k < rtp.n; k++)
		take(&rtp, k, b);
}
