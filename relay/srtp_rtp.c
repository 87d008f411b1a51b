/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bursts of RTP. What is sent gets its index at once, in order. What arrives
 * is guessed at, authenticated together, and then settled in order: whoever
 * would have been decided otherwise, had the packets before it in the burst
 * been settled already, is done again by itself. So a burst ends exactly as
 * its packets would one by one, and nothing of a stream changes before a tag
 * has proved right.
 */
#include <endian.h>
#include <string.h>

#include "relay/srtp_direction.h"

#define HEADER_MIN 12u
#define SEQ_AT 2u
#define SSRC_AT 8u
#define KEYS_AT_ONCE 32u /* that stay in the first cache, with packets */

static inline uint16_t
seq_of(const struct sp_srtp_packet *p)
{
	uint16_t seq_be;

	memcpy(&seq_be, p->data + SEQ_AT, sizeof seq_be);
	return be16toh(seq_be);
}

static inline uint32_t
ssrc_of(const struct sp_srtp_packet *p)
{
	uint32_t ssrc_be;

	memcpy(&ssrc_be, p->data + SSRC_AT, sizeof ssrc_be);
	return be32toh(ssrc_be);
}

/*
 * Start loading a key. Not in a loop over its lines, which would end in a
 * wrong guess of the CPU's each time. And gcc takes a call that only
 * prefetches for one without effect, so these are always inlined.
 */
__attribute__((always_inline)) static inline void
prefetch_key(const struct sp_srtp *s)
{
	const uint8_t *box = s->box;
	const unsigned int lines = s->box_lines;

	if (lines <= 1)
		return;
	__builtin_prefetch(box + SP_SRTP_LINE);
	__builtin_prefetch(box + 2 * SP_SRTP_LINE);
	__builtin_prefetch(box + 3 * SP_SRTP_LINE);
	__builtin_prefetch(box + (lines - 1) * SP_SRTP_LINE);
}

/* Give the packet an index and make a job of it. */
static enum sp_srtp_fate
send_one(struct sp_srtp_engine *e, struct sp_srtp *s, struct sp_srtp_packet *p,
	uint32_t now_ms, struct sp_srtp_job *job)
{
	struct sp_srtp_stream *stream;
	uint16_t wire_be;
	enum sp_srtp_fate fate;

	if (p->header_len < HEADER_MIN || p->header_len > p->len ||
		p->len + s->rtp_more > UINT16_MAX)
		return SP_SRTP_SHORT;

	stream = sp_srtp_direction_find(s, ssrc_of(p));
	if (!stream) {
		struct sp_srtp_member would;

		if (!sp_srtp_direction_would(s, ssrc_of(p), now_ms, &would))
			return SP_SRTP_SSRC;
		stream = sp_srtp_direction_join(
			s, ssrc_of(p), now_ms, &e->crowds);
		if (!stream)
			return SP_SRTP_SSRC;
	}

	fate = sp_srtp_stream_send(stream, seq_of(p), now_ms, &job->index);
	if (fate != SP_SRTP_OK)
		return fate;
	/* Not always: hash or cipher would wait for so fresh a store. */
	if (__builtin_expect(stream->offset != 0, 0)) {
		wire_be = htobe16((uint16_t)job->index);
		memcpy(p->data + SEQ_AT, &wire_be, sizeof wire_be);
	}
	job->p = p;
	job->box = s->box;
	job->mki = sp_srtp_direction_mki(s, 0);
	job->ok = true;
	return SP_SRTP_OK;
}

void
sp_srtp_protect(struct sp_srtp_engine *e, struct sp_srtp *const s[],
	struct sp_srtp_packet p[], unsigned int n, uint32_t now_ms)
{
	const unsigned int most = e->ops->burst;
	unsigned int jobs = 0;

	assert(n <= SP_SRTP_BURST);
	for (unsigned int i = 0; i < n; i++) {
		__builtin_prefetch(s[i]->box);
		prefetch_key(s[i]);
	}
	for (unsigned int i = 0; i < n; i++) {
		p[i].fate = (uint8_t)send_one(
			e, s[i], &p[i], now_ms, &e->job[jobs]);
		jobs += p[i].fate == SP_SRTP_OK;
	}
	for (unsigned int at = 0; at < jobs; at += most)
		e->ops->protect(e->lib, e->job + at,
			jobs - at < most ? jobs - at : most);
	for (unsigned int i = 0; i < jobs; i++)
		if (__builtin_expect(!e->job[i].ok, 0))
			e->job[i].p->fate = SP_SRTP_AUTH;
}

/* Guess the packet's index by what @s is now. Changes nothing. */
static enum sp_srtp_fate
guess_any(struct sp_srtp *s, const struct sp_srtp_packet *p, uint32_t now_ms,
	uint64_t *index)
{
	const struct sp_srtp_stream *stream =
		sp_srtp_direction_find(s, ssrc_of(p));
	struct sp_srtp_member would;

	if (!stream) {
		if (!sp_srtp_direction_would(s, ssrc_of(p), now_ms, &would))
			return SP_SRTP_SSRC;
		stream = &would.rtp;
	}
	*index = sp_srtp_stream_guess(stream, seq_of(p));
	if (*index > SP_SRTP_INDEX_MAX)
		return SP_SRTP_EXPIRED;
	return sp_srtp_stream_fresh(stream, *index) ? SP_SRTP_OK
						    : SP_SRTP_REPLAY;
}

static inline enum sp_srtp_fate
guess(struct sp_srtp *s, const struct sp_srtp_packet *p, uint32_t now_ms,
	uint64_t *index)
{
	const struct sp_srtp_stream *stream =
		sp_srtp_direction_find(s, ssrc_of(p));

	*index = stream ? sp_srtp_stream_next(stream, seq_of(p)) : 0;
	if (__builtin_expect(*index != 0, 1))
		return SP_SRTP_OK;
	return guess_any(s, p, now_ms, index);
}

/*
 * Say what is known of a packet before its tag is checked; if that is OK,
 * make a job of it. Changes nothing of @s.
 */
static inline enum sp_srtp_fate
expect(struct sp_srtp *s, struct sp_srtp_packet *p, uint32_t now_ms,
	struct sp_srtp_job *job)
{
	unsigned int k = 0;

	if (p->header_len < HEADER_MIN || p->header_len + s->rtp_more > p->len)
		return SP_SRTP_SHORT;
	if (__builtin_expect(s->mki_len != 0, 0)) {
		k = sp_srtp_direction_by_mki(s, p->data + p->len - s->mki_end);
		if (k == s->n_boxes)
			return SP_SRTP_AUTH;
	}
	job->p = p;
	job->box = *sp_srtp_direction_box(s, k);
	job->mki = sp_srtp_direction_mki(s, k);
	job->ok = true;
	return guess(s, p, now_ms, &job->index);
}

/* The new keys are in use: the old ones are not heard any more. */
static inline void
end_grace(struct sp_srtp *s)
{
	if (__builtin_expect(s->grace, 0))
		s->grace = false;
}

/* Take an authentic and fresh packet of @index. */
static inline enum sp_srtp_fate
take(struct sp_srtp *s, struct sp_srtp_stream *stream, struct sp_srtp_packet *p,
	uint64_t index, uint32_t now_ms)
{
	p->newest = index >= stream->index;
	sp_srtp_stream_commit(stream, index, now_ms);
	end_grace(s);
	return SP_SRTP_OK;
}

/* An authentic packet of @index is here, which @s has found to be fresh. */
static enum sp_srtp_fate
accept(struct sp_srtp_engine *e, struct sp_srtp *s, struct sp_srtp_packet *p,
	uint64_t index, uint32_t now_ms)
{
	struct sp_srtp_stream *stream = sp_srtp_direction_find(s, ssrc_of(p));

	if (__builtin_expect(!stream, 0))
		stream = sp_srtp_direction_join(
			s, ssrc_of(p), now_ms, &e->crowds);
	if (!stream)
		return SP_SRTP_SSRC;
	return take(s, stream, p, index, now_ms);
}

/* Try one packet under @s by itself. If it fails, its bytes are as before. */
static enum sp_srtp_fate
attempt(struct sp_srtp_engine *e, struct sp_srtp *s, struct sp_srtp_packet *p,
	uint32_t now_ms)
{
	struct sp_srtp_job job;
	enum sp_srtp_fate fate = expect(s, p, now_ms, &job);

	if (fate != SP_SRTP_OK)
		return fate;
	e->ops->unprotect(e->lib, &job, 1);
	fate = job.ok ? accept(e, s, p, job.index, now_ms) : SP_SRTP_AUTH;
	if (fate != SP_SRTP_OK) {
		if (e->ops->undo)
			e->ops->undo(e->lib, &job);
		return fate;
	}
	if (e->ops->finish)
		e->ops->finish(e->lib, &job, 1);
	return SP_SRTP_OK;
}

/* Whatever the packet is under @s is final. Under the keys before? */
static enum sp_srtp_fate
settle_alone(struct sp_srtp_engine *e, struct sp_srtp *s,
	struct sp_srtp_packet *p, enum sp_srtp_fate fate, uint32_t now_ms)
{
	if (fate != SP_SRTP_OK && sp_srtp_direction_grace(s, now_ms) &&
		attempt(e, s->past, p, now_ms) == SP_SRTP_OK)
		return SP_SRTP_OK;
	return fate;
}

/*
 * Settle a packet whose tag was checked together with the others'. Its guess
 * may be wrong by now; then it is done again.
 */
static enum sp_srtp_fate
settle(struct sp_srtp_engine *e, struct sp_srtp *s, struct sp_srtp_job *job,
	uint32_t now_ms)
{
	struct sp_srtp_packet *p = job->p;
	struct sp_srtp_stream *stream = sp_srtp_direction_find(s, ssrc_of(p));
	enum sp_srtp_fate fate;
	uint64_t index = 0;
	bool same;

	/* A little above the highest, it would be guessed again. */
	if (__builtin_expect(job->ok && stream &&
			    sp_srtp_stream_still_next(stream, job->index),
		    1))
		return take(s, stream, p, job->index, now_ms);

	fate = guess(s, p, now_ms, &index);
	same = fate == SP_SRTP_OK && index == job->index;
	if (same)
		fate = job->ok ? accept(e, s, p, index, now_ms) : SP_SRTP_AUTH;
	if (fate == SP_SRTP_OK && same)
		return fate;

	/* A forged one may stay as GCM has left it: it goes nowhere. */
	if (e->ops->undo &&
		(fate != SP_SRTP_AUTH || sp_srtp_direction_grace(s, now_ms)))
		e->ops->undo(e->lib, job);
	if (fate == SP_SRTP_OK)
		fate = attempt(e, s, p, now_ms);
	job->ok = false; /* nothing is left for finish() to do */
	return settle_alone(e, s, p, fate, now_ms);
}

/* The same, for as many as the library takes at a time. */
static void
unprotect_some(struct sp_srtp_engine *e, struct sp_srtp *const s[],
	struct sp_srtp_packet p[], unsigned int n, uint32_t now_ms)
{
	struct sp_srtp_job *const job = e->job;
	unsigned int jobs = 0;
	unsigned int at = 0;

	for (unsigned int i = 0; i < n; i++) {
		p[i].fate = (uint8_t)expect(s[i], &p[i], now_ms, &job[jobs]);
		jobs += p[i].fate == SP_SRTP_OK;
	}
	e->ops->unprotect(e->lib, job, jobs);
	for (unsigned int i = 0; i < n; i++) {
		if (p[i].fate == SP_SRTP_OK) {
			/* The hash needs none; finish() will, soon. */
			if (n > KEYS_AT_ONCE)
				prefetch_key(s[i]);
			p[i].fate =
				(uint8_t)settle(e, s[i], &job[at++], now_ms);
			continue;
		}
		/* What came before it in the burst may help it. */
		p[i].fate = (uint8_t)attempt(e, s[i], &p[i], now_ms);
		p[i].fate = (uint8_t)settle_alone(
			e, s[i], &p[i], p[i].fate, now_ms);
	}
	if (e->ops->finish)
		e->ops->finish(e->lib, job, jobs);
}

void
sp_srtp_unprotect(struct sp_srtp_engine *e, struct sp_srtp *const s[],
	struct sp_srtp_packet p[], unsigned int n, uint32_t now_ms)
{
	const unsigned int most = e->ops->burst;

	assert(n <= SP_SRTP_BURST);
	for (unsigned int i = 0; i < n; i++) {
		__builtin_prefetch(s[i]->box);
		if (n <= KEYS_AT_ONCE)
			prefetch_key(s[i]);
	}
	for (unsigned int at = 0; at < n; at += most)
		unprotect_some(e, s + at, p + at, n - at < most ? n - at : most,
			now_ms);
}
