/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/stage_out.h"

static inline enum sp_verdict
rewrite(struct sp_burst *b, unsigned int i, const struct sp_l2 *hops)
{
	struct rte_mbuf *m = b->pkt[i];
	const struct sp_datagram *d = &b->datagram[i];
	struct sp_flow *out = b->out[i];
	const struct sp_header *h = &out->header;
	const struct sp_l2 *l2 = &hops[out->hop];
	const enum sp_verdict verdict = sp_stage_out_check(out, b->what[i]);
	uint8_t *payload = b->payload[i];
	uint8_t *frame = payload - h->len - l2->len;

	if (unlikely(verdict != SP_VERDICT_FORWARD))
		return verdict;
	if (unlikely(!l2->ready))
		return SP_VERDICT_NO_NEXT_HOP;
	if (unlikely(h->len + d->payload_len > l2->mtu ||
		    frame < (uint8_t *)m->buf_addr))
		return SP_VERDICT_TOO_BIG;

	/* The checksum of the old header goes before the header does. */
	const uint16_t check_be = sp_header_check(h, d, payload);

	sp_header_place(h, payload - h->len, d->payload_len, d->ecn, check_be);
	if (l2->len == SP_L2_PLAIN)
		memcpy(frame, l2->header, SP_L2_PLAIN);
	else
		memcpy(frame, l2->header, SP_L2_TAGGED);

	m->data_off = (uint16_t)(frame - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)(l2->len + h->len + d->payload_len);
	m->pkt_len = m->data_len;
	m->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
	b->out_nic[i] = l2->nic;
	out->sent++;
	return SP_VERDICT_FORWARD;
}

void
sp_stage_rewrite(struct sp_burst *b, const struct sp_l2 *hops)
{
	const unsigned int n = b->count;

	for (unsigned int i = 0; i < n; i++)
		if (likely(b->verdict[i] == SP_VERDICT_FORWARD))
			b->verdict[i] = (uint8_t)rewrite(b, i, hops);
}
