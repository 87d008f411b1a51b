/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SDP_CODEC_H
#define SP_RELAY_SDP_CODEC_H

#include "relay/sdp.h"

/*
 * Which payload types of an m= line go on, and in which order. Codecs are
 * known by a=rtpmap, static payload types without one by RFC 3551.
 */

/* What is done with a codec, by name; see sp_policy.codec. */
enum sp_codec_what {
	SP_CODEC_STRIP,  /* remove it; "all" and "full" remove every one */
	SP_CODEC_OFFER,  /* put it back, behind what was not removed; events
			    and what else is not talk come after these */
	SP_CODEC_EXCEPT, /* not removed with all of them */
	SP_CODEC_MASK,   /* remove it from an offer */
};

#define SP_CODECS_MAX 32u

/*
 * NAME[/rate[/channels]], "all" or "full"; case does not matter, and what
 * follows the channels is not looked at. Borrowed.
 */
struct sp_codec_wish {
	struct sp_sdp_text name;
	uint8_t what; /* enum sp_codec_what */
};

/* Return the clock rate of a static payload type; 0 for others. */
uint32_t sp_sdp_codec_clock_hz(uint32_t pt);

/* The formats of an m= line as they shall be. */
struct sp_sdp_codecs {
	uint64_t gone[SP_SDP_PAYLOAD_TYPES / 64]; /* bits: those removed */
	uint8_t count;
	uint8_t pt[SP_SDP_PAYLOAD_TYPES]; /* what is left, in order */
};

/* What sp_sdp_codecs_choose found. */
enum sp_codec_choice {
	SP_CODECS_SAME,    /* nothing is to change */
	SP_CODECS_CHANGED, /* as in struct sp_sdp_codecs */
	SP_CODECS_REFUSED, /* nothing to talk with would be left */
};

/*
 * Choose the formats of @media, which is RTP, by @count @wishes; MASK counts
 * if it is of an @offer. Retransmission (RFC 4588) goes with its codec.
 * Without any codec left, apart from events, comfort noise, redundancy and
 * retransmission, the choice is REFUSED. @out is filled if CHANGED.
 *
 * Core: control.
 */
enum sp_codec_choice sp_sdp_codecs_choose(const struct sp_sdp_media *media,
	const struct sp_codec_wish *wishes, unsigned int count, bool offer,
	struct sp_sdp_codecs *out);

/*
 * Is the line about a payload type that is gone? To be asked of a=rtpmap,
 * a=fmtp and a=rtcp-fb; the wildcard of the last one is about none.
 */
bool sp_sdp_codecs_gone(
	const struct sp_sdp_codecs *codecs, const struct sp_sdp_line *line);

#endif
