/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "dataplane/stage.h"
#include "relay/demux.h"
#include "relay/rtcp.h"

#define BIT(x) (1u << SP_DEMUX_##x)

/* What may arrive on a flow of each kind, by its first bytes. */
static const uint8_t allowed[] = {
	[SP_FLOW_RTP] = BIT(RTP) | BIT(ZRTP),
	[SP_FLOW_RTCP] = BIT(RTCP),
	[SP_FLOW_MUX] = BIT(RTP) | BIT(RTCP) | BIT(ZRTP),
	[SP_FLOW_DATA] = UINT8_MAX,
};

/* Is it of a kind that SDP named, and well formed? */
static inline enum sp_verdict
check_form(struct sp_burst *b, unsigned int i, const struct sp_flow *f)
{
	const uint8_t *payload = b->payload[i];
	const uint16_t len = b->datagram[i].payload_len;
	const bool opaque = f->flags & (SP_FLOW_OPAQUE | SP_FLOW_KEYED);
	const enum sp_demux what = sp_demux(payload, len);
	struct sp_rtcp_info rtcp;
	enum sp_status status = SP_OK;

	b->what[i] = (uint8_t)what;
	if (unlikely(!(allowed[f->kind] >> what & 1)) &&
		!(opaque && what == SP_DEMUX_DTLS))
		return SP_VERDICT_NOT_MEDIA;
	if (likely(what == SP_DEMUX_RTP) && likely(f->kind != SP_FLOW_DATA))
		status = opaque && payload[0] != SP_RTP_PLAIN
			? sp_rtp_parse_header(payload, len, &b->rtp[i])
			: sp_rtp_read(payload, len, &b->rtp[i]);
	else if (what == SP_DEMUX_RTCP && f->kind != SP_FLOW_DATA)
		status = sp_rtcp_check(payload, len, opaque, &rtcp);
	else if (f->flags & SP_FLOW_KEYED)
		return SP_VERDICT_NOT_MEDIA; /* its keys are agreed already */
	else if (f->kind == SP_FLOW_DATA)
		b->what[i] = SP_DEMUX_UNKNOWN;
	return likely(status == SP_OK) ? SP_VERDICT_FORWARD
				       : SP_VERDICT_MALFORMED;
}

/* Start loading what the packets need that go through the engine. */
static void
prefetch(const struct sp_burst *b, const struct sp_key_table *keys)
{
	for (unsigned int i = 0; i < b->count; i++) {
		rte_prefetch0(&keys->key[b->flow[i]->keys]);
		rte_prefetch0(&keys->key[b->flow[i]->out_keys]);
	}
	for (unsigned int i = 0; i < b->count; i++) {
		const struct sp_flow *f = b->flow[i];

		if (b->verdict[i] != SP_VERDICT_FORWARD)
			continue;
		if (keys->key[f->keys].in)
			sp_srtp_prefetch(keys->key[f->keys].in);
		if (keys->key[f->out_keys].out)
			sp_srtp_prefetch(keys->key[f->out_keys].out);
	}
}

/*
 * RTCP follows RTP, as the commit stage will say. Where there are keys that
 * must be known before: they would take a copy from elsewhere for the packet
 * itself, which would then come too late.
 */
static bool
strays(const struct sp_burst *b, unsigned int i, const struct sp_flow_table *t)
{
	const struct sp_flow *f = b->flow[i];
	const struct sp_latch *rtp =
		f->kind == SP_FLOW_RTCP ? &t->flow[f->pair].latch : &f->latch;

	return f->flags & SP_FLOW_KEYED && rtp->state == SP_LATCH_HELD &&
		!sp_addr_same_ip(&rtp->remote, &b->datagram[i].from);
}

/* May @from, who does not hold @f, become its source? */
static bool
may_learn(const struct sp_flow *f, const struct sp_addr *from)
{
	/* An RTCP flow's source is judged by its RTP flow: commit. */
	return f->kind == SP_FLOW_RTCP ||
		sp_latch_allows(&f->latch, &f->facts, from) ||
		sp_latch_is_blank(&f->latch, &f->facts);
}

void
sp_stage_admit(struct sp_burst *b, struct sp_flow_table *t)
{
	const unsigned int n = b->count;
	uint8_t flags = 0;

	b->strangers = 0;
	for (unsigned int i = 0; i < n; i++) {
		const struct sp_flow *f = b->flow[i];
		const struct sp_addr *from = &b->datagram[i].from;
		uint32_t out;

		if (b->verdict[i] != SP_VERDICT_FORWARD)
			continue;
		rte_prefetch0(&f->quality);
		flags |= f->flags;
		b->verdict[i] = (uint8_t)check_form(b, i, f);
		if (unlikely(b->verdict[i] != SP_VERDICT_FORWARD))
			continue;

		if (unlikely(!sp_latch_holds(&f->latch, from))) {
			b->strangers = 1;
			if (!may_learn(f, from)) {
				b->verdict[i] = SP_VERDICT_SOURCE;
				continue;
			}
		}
		if (unlikely(b->what[i] == SP_DEMUX_RTCP) && strays(b, i, t)) {
			b->verdict[i] = SP_VERDICT_SOURCE;
			continue;
		}
		/* DTLS on RTCP's port is for RTCP's port. */
		out = b->what[i] == SP_DEMUX_RTCP || f->kind == SP_FLOW_RTCP
			? f->out_rtcp
			: f->out_rtp;
		b->out[i] = &t->flow[out];
		rte_prefetch0(&b->out[i]->header);
	}
	b->flags = flags;
	if (unlikely(flags & (SP_FLOW_KEYED | SP_FLOW_KEYED_OUT)))
		prefetch(b, t->keys);
}
