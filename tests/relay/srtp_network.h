/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_RELAY_SRTP_NETWORK_H
#define SP_TESTS_RELAY_SRTP_NETWORK_H

#include "relay/rtp.h"
#include "tests/relay/srtp_traffic.h"

/* What arrives next from the sources of a leg, see srtp_traffic.h. */

/* The header's length of an RTP packet; 0: nobody would let it in. */
static inline uint16_t
header_of(const struct wire *w)
{
	struct sp_rtp rtp;

	if (sp_rtp_parse_header(w->data, w->len, &rtp) != SP_OK)
		return 0;
	return rtp.header_len;
}

/* libsrtp's sender follows no jump beyond 32,768: packets nobody gets. */
static inline void
stride(struct traffic *t, struct source *source, uint32_t far)
{
	if (!t->crypto)
		source->seq = (uint16_t)(source->seq + far);
	while (t->crypto && far > 0) {
		const uint32_t step = far < STRIDE ? far : STRIDE;
		struct wire unseen = { .len = RTP_FIXED, .data = { 0x80 } };

		source->seq = (uint16_t)(source->seq + step);
		put16(unseen.data + SEQ_AT, source->seq);
		put32(unseen.data + (t->rtcp ? RTCP_SSRC_AT : RTP_SSRC_AT),
			source->ssrc);
		oracle_protect(t->crypto, t->rtcp, t->mki, &unseen);
		far -= step;
	}
}

/*
 * How many packets of a source get lost now. More than @most would mean that
 * nobody understands it ever again.
 */
static inline uint32_t
draw_loss(struct lots *lots, uint32_t most)
{
	if (lots_below(lots, 2000) == 0)
		return lots_below(lots, most);
	if (lots_below(lots, 200) == 0)
		return lots_below(lots, 300);
	return lots_percent(lots, 5) ? lots_below(lots, 5) : 0;
}

static inline void
send_next(struct traffic *t, struct wire *out)
{
	const uint32_t i = lots_below(&t->lots, t->sources);
	/* The first of several jumps once too far. */
	const bool sacrifice = t->crypto && t->sources > 1 && i == 0;
	struct source *source = &t->source[i];
	uint32_t loss = draw_loss(&t->lots, sacrifice ? JUMP_MOST : STRIDE);

	if (t->rtcp) /* its index can't jump: each one costs a packet */
		for (loss = loss > 200 ? 200 : loss; loss > 0; loss--)
			stride(t, source, 1);
	if (loss > 0)
		stride(t, source, loss);
	source->seq++;
	draw_plain(&t->lots, t->rtcp, source, out);
	if (t->crypto)
		cr_assert(
			eq(int, oracle_protect(t->crypto, t->rtcp, t->mki, out),
				SP_SRTP_OK));
}

static inline void
remember(struct traffic *t, const struct wire *w)
{
	struct wire *to =
		&t->past[t->n_past < PAST ? t->n_past
					  : lots_below(&t->lots, PAST)];

	*to = *w;
	if (t->n_past < PAST)
		t->n_past++;
}

/* A detour: it arrives after up to LATE_MOST others. False: no more room. */
static inline bool
delay(struct traffic *t, const struct wire *w)
{
	for (unsigned int i = 0; i < LATE; i++) {
		if (t->due[i] != 0)
			continue;
		t->due[i] = t->count + 1 +
			lots_below(&t->lots,
				lots_percent(&t->lots, 50) ? 10 : LATE_MOST);
		t->late[i] = *w;
		return true;
	}
	return false;
}

static inline bool
arrive_late(struct traffic *t, struct wire *out)
{
	for (unsigned int i = 0; i < LATE; i++) {
		if (t->due[i] == 0 || t->due[i] > t->count)
			continue;
		t->due[i] = 0;
		*out = t->late[i];
		return true;
	}
	return false;
}

/* Make something of a packet that its sender never sent. */
static inline void
forge(struct traffic *t, struct wire *w)
{
	struct lots *lots = &t->lots;
	const uint32_t at = t->rtcp ? RTCP_SSRC_AT : RTP_SSRC_AT;
	const uint32_t from = t->open ? 8u * header_of(w) : 0;
	const uint32_t bit = from + lots_below(lots, 8u * w->len - from);
	const uint32_t grow = 1 + lots_below(lots, 4);

	if (w->len <= from / 8)
		return; /* nothing that might be changed */
	switch (t->open ? 9 : lots_below(lots, 8)) {
	case 0:
		w->len = (uint16_t)(WIRE_MIN +
			lots_below(lots, w->len - WIRE_MIN));
		break;
	case 1:
		lots_fill(lots, w->data + w->len, grow);
		w->len = (uint16_t)(w->len + grow);
		break;
	case 2:
		lots_fill(lots, w->data + at, 4);
		break;
	case 3:
		lots_fill(lots, w->data + SEQ_AT, 2);
		w->data[w->len - 1] ^= 1;
		break;
	case 4:
		draw_plain(lots, t->rtcp,
			&t->source[lots_below(lots, t->sources)], w);
		if (oracle_protect(t->stranger, t->rtcp, t->mki, w) !=
			SP_SRTP_OK)
			w->data[w->len - 1] ^= 1;
		break;
	default:
		w->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		break;
	}
}

/* Half of the forgeries are ahead of what they are made from. */
static inline enum origin
arrive_forged(struct traffic *t, struct wire *out)
{
	if (!t->holds && lots_percent(&t->lots, 50)) {
		send_next(t, &t->held);
		t->holds = true;
		*out = t->held;
	}
	forge(t, out);
	return FORGED;
}

/* The next packet from the network. */
static inline enum origin
arrive(struct traffic *t, struct wire *out)
{
	struct lots *lots = &t->lots;
	const uint32_t choice = lots_below(lots, 100);

	t->count++;
	if (choice < (t->crypto ? 20 : 8) && t->n_past > 0) {
		*out = t->past[lots_below(lots, t->n_past)];
		return choice < 8 ? AGAIN : arrive_forged(t, out);
	}
	if (t->holds) {
		*out = t->held;
		t->holds = false;
	} else if (!arrive_late(t, out)) {
		send_next(t, out);
		while (lots_percent(lots, 12) && delay(t, out))
			send_next(t, out);
	}
	remember(t, out);
	return GENUINE;
}

#endif
