/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SRTP_STREAM_H
#define SP_RELAY_SRTP_STREAM_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "relay/srtp.h"

/*
 * One SSRC under one key: the highest index and what was seen below it, for
 * RTP and for RTCP. Asked before a packet is authenticated, told after.
 *
 * Core: worker, for every packet.
 */

#define SP_SRTP_INDEX_MAX 0xffffffffffffu /* 2^48 packets: RFC 3711 9.2 */
#define SP_SRTCP_INDEX_MAX 0x7fffffffu
#define SP_SRTP_HALF 0x8000u /* of the sequence numbers */

struct sp_srtp_stream {
	uint64_t index;     /* ROC << 16 | seq, the highest so far */
	uint64_t window[2]; /* bit d of 128: @index - d was seen */
	uint32_t ssrc;
	uint32_t seen_ms; /* RTCP, too */
	uint16_t offset;  /* of sequence numbers, sending: see .._send() */
	uint16_t restart; /* seq that would prove that its source restarted */
	uint8_t restarts; /* 1: @restart is set */
	uint8_t used;     /* 0: an empty slot; all else is zero, too */
	uint8_t spare[2];
};

struct sp_srtcp_stream {
	uint64_t window[2];
	uint32_t index;
	uint32_t spare;
};

static_assert(sizeof(struct sp_srtp_stream) == 40 &&
		sizeof(struct sp_srtcp_stream) == 24,
	"together they are a cache line");

/*
 * Return the index that @seq means, as libsrtp does: the one next to the
 * highest seen, but in the first half of the first cycle without looking
 * back. May be above SP_SRTP_INDEX_MAX: then the key has expired.
 *
 * Spec: RFC 3711 section 3.3.1, appendix A.
 */
static inline uint64_t
sp_srtp_stream_guess(const struct sp_srtp_stream *s, uint16_t seq)
{
	const uint32_t last = (uint16_t)s->index;
	uint64_t roc = s->index >> 16;

	if (s->index <= SP_SRTP_HALF)
		return seq;
	if (last < SP_SRTP_HALF) {
		if (seq > last + SP_SRTP_HALF)
			roc--; /* above half: there is a cycle before */
	} else if (last - SP_SRTP_HALF > seq) {
		roc++;
	}
	return roc << 16 | seq;
}

/*
 * The index that @seq means if it is above the highest and less than half a
 * cycle away, as nearly always; else 0. It is sp_srtp_stream_guess()'s then,
 * and fresh.
 */
static inline uint64_t
sp_srtp_stream_next(const struct sp_srtp_stream *s, uint16_t seq)
{
	const uint16_t step = (uint16_t)(seq - (uint16_t)s->index);
	const uint64_t index = s->index + step;

	return (uint16_t)(step - 1) < SP_SRTP_HALF - 1 &&
			index <= SP_SRTP_INDEX_MAX
		? index
		: 0;
}

/* Would @index, guessed at before, be guessed again, and be fresh? Never says
   yes wrongly. */
static inline bool
sp_srtp_stream_still_next(const struct sp_srtp_stream *s, uint64_t index)
{
	return index - s->index - 1 < SP_SRTP_HALF - 1;
}

/* Was @index, by these, not seen and is young enough to know? */
static inline bool
sp_srtp_stream_new(const uint64_t window[2], uint64_t highest, uint64_t index)
{
	const uint64_t late = highest - index;

	if (index > highest)
		return true;
	if (late >= SP_SRTP_WINDOW)
		return false;
	return (window[late >> 6] >> (late & 63) & 1) == 0;
}

/* May a packet of @index be taken? Changes nothing. */
static inline bool
sp_srtp_stream_fresh(const struct sp_srtp_stream *s, uint64_t index)
{
	return sp_srtp_stream_new(s->window, s->index, index);
}

/* The same for RTCP. */
static inline bool
sp_srtcp_stream_fresh(const struct sp_srtcp_stream *s, uint32_t index)
{
	return sp_srtp_stream_new(s->window, s->index, index);
}

/* Set the bit of an index that is new; return the highest from now on. */
static inline uint64_t
sp_srtp_stream_mark(uint64_t window[2], uint64_t highest, uint64_t index)
{
	const uint64_t step = index - highest;

	if (index <= highest) {
		const uint64_t late = highest - index;

		window[late >> 6] |= 1ull << (late & 63);
		return highest;
	}
	if (__builtin_expect(step == 1, 1)) {
		window[1] = window[1] << 1 | window[0] >> 63;
		window[0] = window[0] << 1 | 1;
	} else if (step < 64) {
		window[1] = window[1] << step | window[0] >> (64 - step);
		window[0] = window[0] << step | 1;
	} else {
		window[1] =
			step < SP_SRTP_WINDOW ? window[0] << (step - 64) : 0;
		window[0] = 1;
	}
	return index;
}

/* A packet of @index was authentic and fresh, or is being sent. */
static inline void
sp_srtp_stream_commit(struct sp_srtp_stream *s, uint64_t index, uint32_t now_ms)
{
	s->index = sp_srtp_stream_mark(s->window, s->index, index);
	s->seen_ms = now_ms;
}

/* The same for RTCP. */
static inline void
sp_srtcp_stream_commit(struct sp_srtcp_stream *s, uint32_t index)
{
	s->index = (uint32_t)sp_srtp_stream_mark(s->window, s->index, index);
}

/*
 * Choose the index under which a packet numbered @seq by its source is sent,
 * and use it up. No index is used twice. One that was used, or that is too
 * old to say, is a REPLAY; but when two in a row are too old, their source
 * has started anew: from then on its numbers are shifted by @offset, so that
 * they follow on the highest. Unless OK or REPLAY, nothing changes.
 *
 * Core: worker, for every packet sent.
 * Fails: SP_SRTP_REPLAY; SP_SRTP_EXPIRED when there is no index left.
 */
enum sp_srtp_fate sp_srtp_stream_send_any(struct sp_srtp_stream *s,
	uint16_t seq, uint32_t now_ms, uint64_t *index) SP_MUST_CHECK;

SP_MUST_CHECK static inline enum sp_srtp_fate
sp_srtp_stream_send(struct sp_srtp_stream *s, uint16_t seq, uint32_t now_ms,
	uint64_t *index)
{
	const uint64_t next =
		sp_srtp_stream_next(s, (uint16_t)(seq + s->offset));

	if (__builtin_expect(next == 0, 0))
		return sp_srtp_stream_send_any(s, seq, now_ms, index);
	s->restarts = 0;
	sp_srtp_stream_commit(s, next, now_ms);
	*index = next;
	return SP_SRTP_OK;
}

/* The same for RTCP, whose index just counts. */
enum sp_srtp_fate sp_srtcp_stream_send(
	struct sp_srtcp_stream *s, uint32_t *index) SP_MUST_CHECK;

#endif
