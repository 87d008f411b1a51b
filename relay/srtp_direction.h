/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SRTP_DIRECTION_H
#define SP_RELAY_SRTP_DIRECTION_H

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include "relay/srtp_engine.h"
#include "relay/srtp_pool.h"
#include "relay/srtp_stream.h"

/*
 * The inside of a direction: the boxes of one agreement and the streams under
 * them. Nearly all have one SSRC, and its stream lies in the first line;
 * others are in a crowd, made for the second. A stream that leaves its slot to
 * a new one leaves its indices behind: whoever cycles through SSRCs can
 * neither replay nor make us use an index twice.
 *
 * Core: worker.
 */

#define SP_SRTP_BACK_MS 1000u
#define SP_SRTP_LEFT (SP_SRTP_KNOWN - SP_SRTP_SSRCS)

/* What stays of a stream that is gone. */
struct sp_srtp_left {
	uint64_t index; /* and the offset above SP_SRTP_INDEX_BITS */
	uint32_t rtcp_index;
	uint32_t ssrc;
};
#define SP_SRTP_INDEX_BITS 48u

/* A stream as it stands in a crowd. */
struct sp_srtp_member {
	struct sp_srtp_stream rtp;
	struct sp_srtcp_stream rtcp;
};

struct sp_srtp_crowd {
	struct sp_srtp_member member[SP_SRTP_SSRCS - 1];
	struct sp_srtp_left left[SP_SRTP_LEFT]; /* the first n_left */
};

static_assert(sizeof(struct sp_srtp_crowd) == 39 * SP_SRTP_LINE,
	"whole cache lines; those of @left are used as it grows");

/* What only packets with an MKI are told apart by. */
struct sp_srtp_mkis {
	uint8_t of[SP_SRTP_KEYS_MAX][SP_SRTP_MKI_MAX];
};

/*
 * A direction; room for a box of one kind follows it in memory. The first
 * key's box is there, so that prefetching needs no pointer, unless a new
 * suite's does not fit.
 */
struct sp_srtp {
	/* Line 0: RTCP's, and what is seldom asked. */
	alignas(SP_SRTP_LINE) struct sp_srtcp_stream first_rtcp;
	struct sp_srtp_mkis *mkis; /* NULL: there is no MKI */
	void *box_2;               /* of the second key */
	struct sp_srtp *past;      /* the agreement before, with its own past */
	uint32_t rekeyed_ms;
	uint8_t kind;           /* of boxes that the room is for */
	uint8_t rtcp_more;      /* of tag, MKI and index */
	uint8_t rtcp_mki_end;   /* as @mki_end */
	uint8_t rtcp_index_end; /* and from the index's start */
	uint8_t flags;
	uint8_t n_left;

	/* Line 1: all that an RTP packet needs. */
	alignas(SP_SRTP_LINE) struct sp_srtp_stream first;
	void *box;
	uint8_t box_lines; /* to load: sp_srtp_ops.box_lines */
	uint8_t n_boxes;
	uint8_t mki_len;
	uint8_t mki_end;  /* bytes from the MKI's start to the packet's end */
	uint8_t rtp_more; /* of tag and MKI */
	uint8_t suite;
	bool sends;
	bool grace; /* @past is heard, too, if @rekeyed_ms is not long ago */
	struct sp_srtp_crowd *crowd; /* or NULL */
};

static_assert(offsetof(struct sp_srtp, first) == SP_SRTP_LINE &&
		sizeof(struct sp_srtp) == 2 * SP_SRTP_LINE,
	"an RTP packet needs one line of its direction, next to its key");

/* A worker's engine. */
struct sp_srtp_engine {
	const struct sp_srtp_ops *ops;
	void *lib;                                     /* what ops->open made */
	struct sp_srtp_pool directions[SP_SRTP_BOXES]; /* with their rooms */
	struct sp_srtp_pool crowds;
	struct sp_srtp_pool mkis;
	uint32_t capacity;
	uint32_t open; /* directions */
	struct sp_srtp_job job[SP_SRTP_BURST];
};

/* The room behind a direction. */
static inline void *
sp_srtp_direction_room(const struct sp_srtp *s)
{
	return (void *)(s + 1);
}

/* The box of the k-th key. */
static inline void **
sp_srtp_direction_box(struct sp_srtp *s, unsigned int k)
{
	return k == 0 ? &s->box : &s->box_2;
}

/* The MKI of the k-th key; NULL: there is none. @mkis is on a line that most
   packets do without. */
static inline const uint8_t *
sp_srtp_direction_mki(const struct sp_srtp *s, unsigned int k)
{
	return __builtin_expect(s->mki_len == 0, 1) ? NULL : s->mkis->of[k];
}

/* Which key's MKI the packet has at @mki; n_boxes: none's. */
static inline unsigned int
sp_srtp_direction_by_mki(const struct sp_srtp *s, const uint8_t *mki)
{
	unsigned int k = 0;

	while (k < s->n_boxes && s->mki_len > 0 &&
		memcmp(s->mkis->of[k], mki, s->mki_len) != 0)
		k++;
	return k;
}

/* Find the stream of @ssrc beside the first, or NULL. */
struct sp_srtp_stream *sp_srtp_direction_search(
	struct sp_srtp *s, uint32_t ssrc);

/* Find the stream of @ssrc, or NULL. */
static inline struct sp_srtp_stream *
sp_srtp_direction_find(struct sp_srtp *s, uint32_t ssrc)
{
	if (__builtin_expect(s->first.ssrc == ssrc && s->first.used, 1))
		return &s->first;
	return s->crowd ? sp_srtp_direction_search(s, ssrc) : NULL;
}

/* The RTCP part of one of the streams of @s. */
static inline struct sp_srtcp_stream *
sp_srtp_direction_rtcp(struct sp_srtp *s, struct sp_srtp_stream *stream)
{
	if (stream == &s->first)
		return &s->first_rtcp;
	return &((struct sp_srtp_member *)stream)->rtcp;
}

/*
 * Is the agreement before still heard? Time may step back a little: packets
 * that waited keep the time they came at.
 */
static inline bool
sp_srtp_direction_grace(const struct sp_srtp *s, uint32_t now_ms)
{
	return s->grace &&
		now_ms - s->rekeyed_ms + SP_SRTP_BACK_MS <
		SP_SRTP_GRACE_MS + SP_SRTP_BACK_MS;
}

/* Return the offset of @ssrc's sequence numbers, gone or not; else 0. */
uint16_t sp_srtp_direction_offset(const struct sp_srtp *s, uint32_t ssrc);

/*
 * Say whether @ssrc, which has no stream, may get one, and fill @out with
 * what it would be. Changes nothing of @s.
 */
bool sp_srtp_direction_would(const struct sp_srtp *s, uint32_t ssrc,
	uint32_t now_ms, struct sp_srtp_member *out);

/*
 * Make a stream for @ssrc, which may get one: sp_srtp_direction_would(). NULL
 * only if @crowds has no memory left; nothing has changed then.
 */
struct sp_srtp_stream *sp_srtp_direction_join(struct sp_srtp *s, uint32_t ssrc,
	uint32_t now_ms, struct sp_srtp_pool *crowds);

#endif
