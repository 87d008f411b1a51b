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
	const bool opaque = f->flags & SP_FLOW_OPAQUE;
	const enum sp_demux what = sp_demux(payload, len);
	struct sp_rtcp_info rtcp;
	enum sp_status status = SP_OK;

	b->what[i] = (uint8_t)what;
	if (unlikely(!(allowed[f->kind] >> what & 1)) &&
		!(opaque && what == SP_DEMUX_DTLS))
		return SP_VERDICT_NOT_MEDIA;
	if (f->kind == SP_FLOW_DATA)
		b->what[i] = SP_DEMUX_UNKNOWN;
	else if (likely(what == SP_DEMUX_RTP))
		status = opaque ? sp_rtp_parse_header(payload, len, &b->rtp[i])
				: sp_rtp_read(payload, len, &b->rtp[i]);
	else if (what == SP_DEMUX_RTCP)
		status = sp_rtcp_check(payload, len, opaque, &rtcp);
	return likely(status == SP_OK) ? SP_VERDICT_FORWARD
				       : SP_VERDICT_MALFORMED;
}

void
sp_stage_admit(struct sp_burst *b, struct sp_flow_table *t)
{
	uint8_t flags = 0;

	for (unsigned int i = 0; i < b->count; i++) {
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

		/* An RTCP flow's source is judged by its RTP flow: commit. */
		if (unlikely(!sp_latch_holds(&f->latch, from)) &&
			f->kind != SP_FLOW_RTCP &&
			!sp_latch_allows(&f->latch, &f->facts, from) &&
			!sp_latch_is_blank(&f->latch, &f->facts)) {
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
}
