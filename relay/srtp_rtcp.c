/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP, one compound packet at a time: there is one in some hundred packets,
 * and it carries its index with it.
 */
#include <endian.h>
#include <string.h>

#include "relay/srtp_direction.h"

#define HEADER_LEN 8u /* what stays in the clear: with the sender's SSRC */
#define SSRC_AT 4u
#define ENCRYPTED 0x80000000u

static uint32_t
word_at(const uint8_t *at)
{
	uint32_t be;

	memcpy(&be, at, sizeof be);
	return be32toh(be);
}

void
sp_srtcp_protect(struct sp_srtp_engine *e, struct sp_srtp *s,
	struct sp_srtp_packet *p, uint32_t now_ms)
{
	struct sp_srtp_job job = { .p = p, .box = s->box, .ok = true };
	struct sp_srtp_stream *stream;
	struct sp_srtp_member would;
	uint32_t index = 0;
	uint32_t ssrc;

	p->fate = SP_SRTP_SHORT;
	if (p->len < HEADER_LEN || p->len + s->rtcp_more > UINT16_MAX)
		return;

	p->fate = SP_SRTP_SSRC;
	ssrc = word_at(p->data + SSRC_AT);
	stream = sp_srtp_direction_find(s, ssrc);
	if (!stream && sp_srtp_direction_would(s, ssrc, now_ms, &would))
		stream = sp_srtp_direction_join(s, ssrc, now_ms, &e->crowds);
	if (!stream)
		return;

	p->fate = (uint8_t)sp_srtcp_stream_send(
		sp_srtp_direction_rtcp(s, stream), &index);
	if (p->fate != SP_SRTP_OK)
		return;
	stream->seen_ms = now_ms;
	job.index = index;
	job.mki = sp_srtp_direction_mki(s, 0);
	e->ops->rtcp_protect(e->lib, &job);
	if (!job.ok)
		p->fate = SP_SRTP_AUTH;
}

/* Say what is known before the tag is checked. Changes nothing. */
static enum sp_srtp_fate
expect(struct sp_srtp *s, struct sp_srtp_packet *p, uint32_t now_ms,
	struct sp_srtp_job *job)
{
	const struct sp_srtcp_stream *rtcp;
	struct sp_srtp_stream *stream;
	struct sp_srtp_member would;
	unsigned int k;
	uint32_t word;
	uint32_t ssrc;

	if (p->len < HEADER_LEN + s->rtcp_more)
		return SP_SRTP_SHORT;
	k = sp_srtp_direction_by_mki(s, p->data + p->len - s->rtcp_mki_end);
	if (k == s->n_boxes)
		return SP_SRTP_AUTH;
	word = word_at(p->data + p->len - s->rtcp_index_end);
	if (!(word & ENCRYPTED) && !(s->flags & SP_SRTP_PLAIN_RTCP))
		return SP_SRTP_AUTH;

	ssrc = word_at(p->data + SSRC_AT);
	stream = sp_srtp_direction_find(s, ssrc);
	rtcp = stream ? sp_srtp_direction_rtcp(s, stream) : &would.rtcp;
	if (!stream && !sp_srtp_direction_would(s, ssrc, now_ms, &would))
		return SP_SRTP_SSRC;
	*job = (struct sp_srtp_job){
		.p = p,
		.box = *sp_srtp_direction_box(s, k),
		.mki = sp_srtp_direction_mki(s, k),
		.index = word & ~ENCRYPTED,
		.ok = true,
	};
	return sp_srtcp_stream_fresh(rtcp, (uint32_t)job->index)
		? SP_SRTP_OK
		: SP_SRTP_REPLAY;
}

/* Try a packet under @s. If it fails, its bytes are as they were. */
static enum sp_srtp_fate
attempt(struct sp_srtp_engine *e, struct sp_srtp *s, struct sp_srtp_packet *p,
	uint32_t now_ms)
{
	const uint32_t ssrc = word_at(p->data + SSRC_AT);
	struct sp_srtp_stream *stream;
	struct sp_srtp_job job;
	enum sp_srtp_fate fate = expect(s, p, now_ms, &job);

	if (fate != SP_SRTP_OK)
		return fate;
	e->ops->rtcp_unprotect(e->lib, &job);
	if (!job.ok) {
		if (e->ops->rtcp_undo)
			e->ops->rtcp_undo(e->lib, &job);
		return SP_SRTP_AUTH;
	}

	stream = sp_srtp_direction_find(s, ssrc);
	if (!stream)
		stream = sp_srtp_direction_join(s, ssrc, now_ms, &e->crowds);
	if (!stream)
		return SP_SRTP_SSRC;
	sp_srtcp_stream_commit(
		sp_srtp_direction_rtcp(s, stream), (uint32_t)job.index);
	stream->seen_ms = now_ms;
	s->grace = false;
	return SP_SRTP_OK;
}

void
sp_srtcp_unprotect(struct sp_srtp_engine *e, struct sp_srtp *s,
	struct sp_srtp_packet *p, uint32_t now_ms)
{
	if (p->len < HEADER_LEN) {
		p->fate = SP_SRTP_SHORT;
		return;
	}
	p->fate = (uint8_t)attempt(e, s, p, now_ms);
	if (p->fate != SP_SRTP_OK && sp_srtp_direction_grace(s, now_ms) &&
		attempt(e, s->past, p, now_ms) == SP_SRTP_OK)
		p->fate = SP_SRTP_OK;
}
