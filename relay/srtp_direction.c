/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/srtp_direction.h"

#include <string.h>

/* The i-th slot of SP_SRTP_SSRCS; NULL: the crowd is not made yet. */
static struct sp_srtp_stream *
slot(const struct sp_srtp *s, unsigned int i)
{
	if (i == 0)
		return (struct sp_srtp_stream *)&s->first;
	return s->crowd ? &s->crowd->member[i - 1].rtp : NULL;
}

struct sp_srtp_stream *
sp_srtp_direction_search(struct sp_srtp *s, uint32_t ssrc)
{
	for (unsigned int i = 1; i < SP_SRTP_SSRCS; i++) {
		struct sp_srtp_stream *at = slot(s, i);

		if (at->ssrc == ssrc && at->used)
			return at;
	}
	return NULL;
}

/* Which slot a new stream gets: a free one, else the one silent longest, if
   that is long enough. Returns SP_SRTP_SSRCS if there is none. */
static unsigned int
choose(const struct sp_srtp *s, uint32_t now_ms)
{
	int32_t longest = SP_SRTP_IDLE_MS;
	unsigned int found = SP_SRTP_SSRCS;

	for (unsigned int i = 0; i < SP_SRTP_SSRCS; i++) {
		const struct sp_srtp_stream *at = slot(s, i);

		if (!at || !at->used)
			return i;
		if ((int32_t)(now_ms - at->seen_ms) >= longest) {
			longest = (int32_t)(now_ms - at->seen_ms);
			found = i;
		}
	}
	return found;
}

/* Where @ssrc is among those that have left; n_left if it is not. */
static unsigned int
among_left(const struct sp_srtp *s, uint32_t ssrc)
{
	unsigned int i = 0;

	while (i < s->n_left && s->crowd->left[i].ssrc != ssrc)
		i++;
	return i;
}

/* A stream as it starts, or as it goes on after @left: everything up to the
   highest index counts as seen. */
static struct sp_srtp_member
start(uint32_t ssrc, const struct sp_srtp_left *left)
{
	struct sp_srtp_member m = { .rtp = { .ssrc = ssrc, .used = 1 } };

	if (left) {
		m.rtp.index = left->index & SP_SRTP_INDEX_MAX;
		m.rtp.offset = (uint16_t)(left->index >> SP_SRTP_INDEX_BITS);
		m.rtcp.index = left->rtcp_index;
		memset(m.rtp.window, 0xff, sizeof m.rtp.window);
		memset(m.rtcp.window, 0xff, sizeof m.rtcp.window);
	}
	return m;
}

static struct sp_srtp_left
leave(const struct sp_srtp_stream *s, const struct sp_srtcp_stream *rtcp)
{
	return (struct sp_srtp_left){
		.index = s->index | (uint64_t)s->offset << SP_SRTP_INDEX_BITS,
		.rtcp_index = rtcp->index,
		.ssrc = s->ssrc,
	};
}

uint16_t
sp_srtp_direction_offset(const struct sp_srtp *s, uint32_t ssrc)
{
	const unsigned int left = among_left(s, ssrc);

	for (unsigned int i = 0; i < SP_SRTP_SSRCS; i++) {
		const struct sp_srtp_stream *at = slot(s, i);

		if (at && at->used && at->ssrc == ssrc)
			return at->offset;
	}
	if (left == s->n_left)
		return 0;
	return (uint16_t)(s->crowd->left[left].index >> SP_SRTP_INDEX_BITS);
}

bool
sp_srtp_direction_would(const struct sp_srtp *s, uint32_t ssrc, uint32_t now_ms,
	struct sp_srtp_member *out)
{
	const unsigned int left = among_left(s, ssrc);
	const unsigned int i = choose(s, now_ms);

	if (i == SP_SRTP_SSRCS)
		return false;

	/* Who gives up a slot needs room among those that have left; who
	   comes back from there makes it. */
	if (slot(s, i) && slot(s, i)->used && left == s->n_left &&
		s->n_left == SP_SRTP_LEFT)
		return false;
	*out = start(ssrc, left < s->n_left ? &s->crowd->left[left] : NULL);
	return true;
}

struct sp_srtp_stream *
sp_srtp_direction_join(struct sp_srtp *s, uint32_t ssrc, uint32_t now_ms,
	struct sp_srtp_pool *crowds)
{
	const unsigned int left = among_left(s, ssrc);
	const unsigned int i = choose(s, now_ms);
	struct sp_srtp_member joins;
	struct sp_srtp_stream *at;

	assert(i < SP_SRTP_SSRCS);
	if (i > 0 && !s->crowd)
		s->crowd = sp_srtp_pool_take(crowds);
	at = slot(s, i);
	if (!at)
		return NULL;

	joins = start(ssrc, left < s->n_left ? &s->crowd->left[left] : NULL);
	if (left < s->n_left)
		s->crowd->left[left] = s->crowd->left[--s->n_left];
	if (at->used) {
		assert(s->n_left < SP_SRTP_LEFT);
		s->crowd->left[s->n_left++] =
			leave(at, sp_srtp_direction_rtcp(s, at));
	}
	*at = joins.rtp;
	*sp_srtp_direction_rtcp(s, at) = joins.rtcp;
	return at;
}
