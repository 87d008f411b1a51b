/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/srtp_stream.h"

/* Use up @index, which is fresh. */
static enum sp_srtp_fate
use(struct sp_srtp_stream *s, uint64_t index, uint32_t now_ms, uint64_t *out)
{
	if (index > SP_SRTP_INDEX_MAX)
		return SP_SRTP_EXPIRED;
	s->restarts = 0;
	sp_srtp_stream_commit(s, index, now_ms);
	*out = index;
	return SP_SRTP_OK;
}

enum sp_srtp_fate
sp_srtp_stream_send_any(struct sp_srtp_stream *s, uint16_t seq, uint32_t now_ms,
	uint64_t *index)
{
	const uint64_t guess =
		sp_srtp_stream_guess(s, (uint16_t)(seq + s->offset));

	if (sp_srtp_stream_fresh(s, guess))
		return use(s, guess, now_ms, index);

	/* Within the window it is a copy of what was sent. */
	if (s->index - guess < SP_SRTP_WINDOW)
		return SP_SRTP_REPLAY;

	if (s->restarts && s->restart == seq) {
		const uint64_t next = s->index + 1;
		const enum sp_srtp_fate fate = use(s, next, now_ms, index);

		if (fate == SP_SRTP_OK)
			s->offset = (uint16_t)(next - seq);
		return fate;
	}
	s->restarts = 1;
	s->restart = (uint16_t)(seq + 1);
	return SP_SRTP_REPLAY;
}

enum sp_srtp_fate
sp_srtcp_stream_send(struct sp_srtcp_stream *s, uint32_t *index)
{
	if (s->index >= SP_SRTCP_INDEX_MAX)
		return SP_SRTP_EXPIRED;
	sp_srtcp_stream_commit(s, s->index + 1);
	*index = s->index;
	return SP_SRTP_OK;
}
