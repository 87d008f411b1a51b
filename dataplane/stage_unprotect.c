/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_branch_prediction.h>

#include "dataplane/stage_srtp.h"
#include "relay/rtcp.h"
#include "relay/rtcp_ref.h"

/*
 * Keys are agreed with the answer, and a phone may speak before it. What can
 * wait for it, as packets in the clear do, is left as it is: it makes the
 * whole journey again when the answer is there.
 */
static enum sp_verdict
await_keys(struct sp_burst *b, unsigned int i)
{
	const struct sp_flow *f = b->flow[i];

	b->proof[i] = SP_PROOF_MISSING;
	return f->kind != SP_FLOW_RTCP &&
			sp_latch_is_blank(&f->latch, &f->facts)
		? SP_VERDICT_FORWARD
		: SP_VERDICT_NO_KEYS;
}

/*
 * What is in the clear now may break its grammar where it was encrypted. A
 * plain header never was, and was read before.
 */
static inline enum sp_verdict
read_clear(struct sp_burst *b, unsigned int i)
{
	const uint8_t *payload = b->payload[i];
	const uint16_t len = b->datagram[i].payload_len;
	struct sp_rtcp_info rtcp;
	enum sp_status status;

	if (b->what[i] != SP_DEMUX_RTP)
		status = sp_rtcp_check(payload, len, false, &rtcp);
	else if (likely(payload[0] == SP_RTP_PLAIN))
		return SP_VERDICT_FORWARD;
	else
		status = sp_rtp_read(payload, len, &b->rtp[i]);
	return status == SP_OK ? SP_VERDICT_FORWARD : SP_VERDICT_MALFORMED;
}

/* What a tag proves. */
static inline void
add(struct sp_stage_srtp *s, struct sp_burst *b, unsigned int i,
	const struct sp_key *key)
{
	sp_stage_srtp_add(s, b, i, key->in);
	b->proof[i] = SP_PROOF_LATE;
	if (unlikely(key->no_auth) && b->what[i] == SP_DEMUX_RTP) {
		b->proof[i] = SP_PROOF_NONE;
		sp_stage_srtp_sum_before(s, b);
	}
}

/*
 * A tag has proved more of the packet than its checksum could: that is summed
 * up again from what is sent.
 */
static inline enum sp_verdict
take(const struct sp_stage_srtp *s, unsigned int k, struct sp_burst *b)
{
	const unsigned int i = s->at[k];
	const enum sp_verdict verdict = sp_stage_srtp_take(s, k, b);

	if (unlikely(verdict != SP_VERDICT_FORWARD))
		return verdict;
	if (unlikely(b->proof[i] == SP_PROOF_NONE)) {
		sp_stage_srtp_move_sum(s, k, b);
	} else {
		b->datagram[i].partial = true;
		if (s->packet[k].newest)
			b->proof[i] = SP_PROOF_NEWEST;
	}
	return read_clear(b, i);
}

/* What is said of numbers that we gave a source which started anew. */
static void
take_out_offsets(const struct sp_srtp *out, const struct sp_srtp_packet *p)
{
	struct sp_rtcp_ref ref[SP_RTCP_REFS];
	const unsigned int n = sp_rtcp_ref_list(p->data, p->len, ref);

	for (unsigned int i = 0; i < n; i++) {
		const uint16_t offset = sp_srtp_offset(out, ref[i].ssrc);

		if (offset != 0)
			sp_rtcp_ref_shift(p->data, &ref[i], offset);
	}
}

/* RTCP comes every few seconds: one by one is good enough. */
static void
unprotect_rtcp(struct sp_burst *b, unsigned int i,
	const struct sp_key_table *keys, uint32_t now_ms)
{
	const struct sp_key *key = &keys->key[b->flow[i]->keys];
	struct sp_stage_srtp one;

	one.n = 0;
	add(&one, b, i, key);
	sp_srtcp_unprotect(keys->engine, key->in, &one.packet[0], now_ms);
	if (one.packet[0].fate == SP_SRTP_OK && key->out)
		take_out_offsets(key->out, &one.packet[0]);
	b->verdict[i] = (uint8_t)take(&one, 0, b);
}

/*
 * RTP first, all of it together. RTCP under a new key would end the time in
 * which the old one is heard, and the RTP before it in the burst would be late.
 */
void
sp_stage_unprotect(struct sp_burst *b, const struct sp_flow_table *t)
{
	const struct sp_key_table *keys = t->keys;
	const uint32_t now_ms = (uint32_t)(b->now_us / 1000);
	struct sp_stage_srtp rtp;
	uint8_t rtcp[SP_BURST];
	unsigned int n_rtcp = 0;

	if (likely(!(b->flags & SP_FLOW_KEYED)))
		return;
	rtp.n = 0;
	for (unsigned int i = 0; i < b->count; i++) {
		const struct sp_flow *f = b->flow[i];
		const struct sp_key *key;

		if (b->verdict[i] != SP_VERDICT_FORWARD || f->keys == 0)
			continue;
		key = &keys->key[f->keys];
		if (unlikely(!key->in))
			b->verdict[i] = (uint8_t)await_keys(b, i);
		else if (unlikely(!sp_stage_srtp_fits(b->pkt[i], b->payload[i],
				 b->datagram[i].payload_len)))
			b->verdict[i] = SP_VERDICT_TOO_BIG;
		else if (likely(b->what[i] == SP_DEMUX_RTP))
			add(&rtp, b, i, key);
		else
			rtcp[n_rtcp++] = (uint8_t)i;
	}
	if (rtp.n > 0)
		sp_srtp_unprotect(
			keys->engine, rtp.direction, rtp.packet, rtp.n, now_ms);
	for (unsigned int k = 0; k < rtp.n; k++)
		b->verdict[rtp.at[k]] = (uint8_t)take(&rtp, k, b);
	for (unsigned int k = 0; k < n_rtcp; k++)
		unprotect_rtcp(b, rtcp[k], keys, now_ms);
}
