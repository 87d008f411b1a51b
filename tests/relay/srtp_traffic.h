/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_RELAY_SRTP_TRAFFIC_H
#define SP_TESTS_RELAY_SRTP_TRAFFIC_H

#include "tests/relay/srtp_oracle.h"

/*
 * A leg's sources, protected by libsrtp2, and the network on their way to us:
 * it loses, jumps, reorders, repeats and forges.
 */

#define PLAIN_MAX 1560 /* 15 CSRCs, 20 words of extension, 1,400 bytes */
#define WIRE_MAX (PLAIN_MAX + 4 + SP_SRTP_MKI_MAX + SP_SRTP_TAG_MAX)
#define WIRE_MIN 8 /* no packet is cut shorter: an RTCP header */
#define SEQ_AT 2
#define RTP_SSRC_AT 8
#define RTCP_SSRC_AT 4
#define RTP_FIXED 12
#define LATE 24       /* packets on a detour at a time, of a leg */
#define LATE_MOST 200 /* how many overtake one, at most */
#define PAST 64       /* packets that may be repeated or forged from */
#define STRIDE 30000  /* as far as libsrtp follows a jump, and less */
#define JUMP_MOST 40000

struct wire {
	uint16_t len;
	uint8_t data[WIRE_MAX + 8];
};

struct source {
	uint32_t ssrc;
	uint16_t seq; /* of its last packet */
};

struct traffic {
	struct lots lots;
	srtp_t crypto;   /* NULL: that is our part */
	srtp_t stranger; /* protects alike, under a key of its own */
	bool rtcp;
	bool mki;
	bool open; /* nothing authenticates RTP: payloads alone are forged */
	struct source source[SP_SRTP_SSRCS];
	unsigned int sources;
	uint32_t count;
	uint32_t due[LATE]; /* at which count, 0: a free place */
	struct wire late[LATE];
	struct wire past[PAST];
	uint32_t n_past;
	struct wire held; /* follows the forgery that was made from it */
	bool holds;
};

/* What a packet that arrives is. */
enum origin {
	GENUINE,
	AGAIN,
	FORGED,
};

static inline void
put16(uint8_t *to, uint16_t v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

static inline void
put32(uint8_t *to, uint32_t v)
{
	put16(to, (uint16_t)(v >> 16));
	put16(to + 2, (uint16_t)v);
}

/* A payload's length: none, a few bytes, a G.711 packet, any. */
static inline uint16_t
draw_len(struct lots *lots)
{
	switch (lots_below(lots, 8)) {
	case 0:
		return 0;
	case 1:
		return (uint16_t)lots_below(lots, 40);
	case 2:
		return (uint16_t)lots_below(lots, 1401);
	case 3:
		return (uint16_t)lots_below(lots, 300);
	default:
		return 160;
	}
}

static inline void
draw_rtp(struct lots *lots, const struct source *source, struct wire *out)
{
	const uint32_t csrcs = lots_below(lots, 4) ? 0 : lots_below(lots, 16);
	const bool extended = lots_percent(lots, 25);
	const uint32_t words = extended ? lots_below(lots, 21) : 0;
	const uint32_t header =
		RTP_FIXED + 4 * csrcs + 4 * words + (extended ? 4 : 0);

	out->len = (uint16_t)(header + draw_len(lots));
	lots_fill(lots, out->data, out->len);
	out->data[0] = (uint8_t)(0x80 | extended << 4 | csrcs);
	put16(out->data + SEQ_AT, source->seq);
	put32(out->data + RTP_SSRC_AT, source->ssrc);
	if (extended)
		put16(out->data + RTP_FIXED + 4 * csrcs + 2, (uint16_t)words);
}

/* Real ones are of whole words; engines need not insist. */
static inline void
draw_rtcp(struct lots *lots, const struct source *source, struct wire *out)
{
	const uint32_t words =
		lots_below(lots, lots_percent(lots, 5) ? 350 : 30);
	const uint32_t odd = lots_percent(lots, 5) ? lots_below(lots, 4) : 0;

	out->len = (uint16_t)(8 + 4 * words + odd);
	lots_fill(lots, out->data, out->len);
	out->data[0] = 0x81;
	out->data[1] = (uint8_t)(200 + lots_below(lots, 8));
	put32(out->data + RTCP_SSRC_AT, source->ssrc);
}

static inline void
draw_plain(struct lots *lots, bool rtcp, const struct source *source,
	struct wire *out)
{
	if (rtcp)
		draw_rtcp(lots, source, out);
	else
		draw_rtp(lots, source, out);
}

/* Was the last packet not protected because it is below the window? */
static bool oracle_said_old;

static inline enum sp_srtp_fate
oracle_protect(srtp_t oracle, bool rtcp, bool mki, struct wire *w)
{
	int len = w->len;
	const srtp_err_status_t status = rtcp
		? srtp_protect_rtcp_mki(oracle, w->data, &len, mki, 0)
		: srtp_protect_mki(oracle, w->data, &len, mki, 0);

	if (status == srtp_err_status_ok)
		w->len = (uint16_t)len;
	oracle_said_old = status == srtp_err_status_replay_old;
	return oracle_fate(status);
}

static inline enum sp_srtp_fate
oracle_unprotect(srtp_t oracle, bool rtcp, bool mki, struct wire *w)
{
	int len = w->len;
	const srtp_err_status_t status = rtcp
		? srtp_unprotect_rtcp_mki(oracle, w->data, &len, mki)
		: srtp_unprotect_mki(oracle, w->data, &len, mki);

	if (status == srtp_err_status_ok)
		w->len = (uint16_t)len;
	return oracle_fate(status);
}

/*
 * @conf, @stranger: NULL for packets in the clear. Half of the sources are
 * about to wrap when they begin.
 */
static inline void
traffic_open(struct traffic *t, uint64_t seed, const struct sp_srtp_conf *conf,
	srtp_t stranger, unsigned int sources, bool rtcp)
{
	memset(t, 0, sizeof *t);
	t->lots.state = seed;
	t->crypto = conf ? oracle_open(conf, true, rtcp) : NULL;
	t->stranger = stranger;
	t->rtcp = rtcp;
	t->mki = conf && conf->mki_len > 0;
	t->open = conf && !rtcp && conf->flags & SP_SRTP_NO_AUTH;
	t->sources = sources;
	for (unsigned int i = 0; i < sources; i++)
		t->source[i] = (struct source){
			.ssrc = (uint32_t)lots_draw(&t->lots),
			.seq = (uint16_t)(lots_percent(&t->lots, 50)
					? lots_draw(&t->lots)
					: -lots_below(&t->lots, 300)),
		};
}

static inline void
traffic_close(struct traffic *t)
{
	if (t->crypto)
		cr_assert(eq(int, srtp_dealloc(t->crypto), srtp_err_status_ok));
}

#endif
