/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A leg that sends to itself, under both engines at once: what one side
 * protects the other one must open to the very same bytes, whatever arrives in
 * between, forged, repeated or garbage. The input is an agreement and a story.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/rtp.h"
#include "relay/srtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ENGINES 2
#define LONGEST 300
#define MORE (4 + SP_SRTP_MKI_MAX + SP_SRTP_TAG_MAX)
#define EDGE 8
#define EDGE_BYTE 0x5a
#define RTCP_MIN 8

enum event {
	SEND,      /* what follows, as RTP */
	SEND_RTCP, /* as RTCP */
	HEAR,      /* what follows, just as it is */
	HEAR_RTCP,
	DAMAGE, /* the packet before with some bits turned */
	CUT,    /* or shorter */
	AGAIN,
	REKEY,
};

struct story {
	const uint8_t *at;
	const uint8_t *end;
	struct sp_srtp *out[ENGINES];
	struct sp_srtp *in[ENGINES];
	struct sp_srtp_conf conf;
	uint32_t now_ms;
	/* The last packet that was sent. */
	uint8_t wire[LONGEST + MORE];
	uint16_t wire_len; /* 0: none */
	bool wire_rtcp;
};

static struct sp_srtp_engine *engine[ENGINES];
static unsigned int engines;

/* Where a packet is while engine k has it. */
static struct {
	uint8_t room[EDGE + LONGEST + MORE + SP_SRTP_ROOM + EDGE];
	struct sp_srtp_packet p;
} desk[ENGINES];

static void
must(bool truth)
{
	if (!truth)
		abort();
}

static unsigned int
byte(struct story *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

static void
open_engines(void)
{
	static const enum sp_srtp_kind kinds[ENGINES] = { SP_SRTP_LIBSRTP,
		SP_SRTP_IPSECMB };

	for (unsigned int i = 0; i < ENGINES && engines == i; i++)
		if (sp_srtp_engine_open(kinds[i], 4, &engine[i]) == SP_OK)
			engines++;
	must(engines > 0);
}

/*
 * Any agreement; the keys are few, so that some come back. A second one is
 * never another agreement's first: then those who hear, who know it, would go
 * on where the sender, who has no use for it, begins anew.
 */
static void
agree(struct story *s)
{
	const unsigned int choice = byte(s);
	const unsigned int more = byte(s);
	const struct sp_srtp_facts *facts;
	struct sp_srtp_conf *conf = &s->conf;

	memset(conf, 0, sizeof *conf);
	conf->suite = (uint8_t)(1 + choice % (SP_SRTP_SUITES - 1));
	facts = sp_srtp_facts(conf->suite);
	conf->mki_len = more & 1 ? (uint8_t)(1 + (more >> 1) % 16) : 0;
	conf->n_keys = conf->mki_len > 0 && more & 64 ? 2 : 1;
	if (!facts->aead)
		conf->flags = (uint8_t)(choice >> 3 & 7);
	for (unsigned int k = 0; k < conf->n_keys; k++) {
		memset(conf->key[k].key, (int)(1 + 4 * k + (choice >> 6)),
			(size_t)facts->key_len + facts->salt_len);
		memset(conf->key[k].mki, (int)k, conf->mki_len);
	}
}

static void
put_on_desk(const uint8_t *data, uint16_t len, uint16_t header_len)
{
	for (unsigned int k = 0; k < engines; k++) {
		memset(desk[k].room, EDGE_BYTE, sizeof desk[k].room);
		memcpy(desk[k].room + EDGE, data, len);
		desk[k].p = (struct sp_srtp_packet){
			.data = desk[k].room + EDGE,
			.len = len,
			.header_len = header_len,
			.fate = UINT8_MAX,
		};
	}
}

/* What is true of every packet: see srtp.h. Of one mind, too. */
static enum sp_srtp_fate
judge(const uint8_t *before, uint16_t len, bool gcm)
{
	const struct sp_srtp_packet *first = &desk[0].p;

	for (unsigned int k = 0; k < engines; k++) {
		const struct sp_srtp_packet *p = &desk[k].p;
		const uint8_t *room = desk[k].room;

		must(p->fate == first->fate && p->fate <= SP_SRTP_EXPIRED);
		must(p->len == first->len && p->data == room + EDGE);
		for (unsigned int i = 0; i < EDGE; i++)
			must(room[i] == EDGE_BYTE);
		for (size_t i = EDGE + (size_t)len + SP_SRTP_ROOM;
			i < sizeof desk[k].room; i++)
			must(room[i] == EDGE_BYTE);
		if (p->fate != SP_SRTP_OK) {
			must(p->len == len);
			must((gcm && p->fate == SP_SRTP_AUTH) ||
				memcmp(p->data, before, len) == 0);
		} else {
			must(memcmp(p->data, first->data, p->len) == 0);
		}
	}
	return first->fate;
}

static enum sp_srtp_fate
work(struct story *s, struct sp_srtp *const side[ENGINES], bool rtcp,
	const uint8_t *data, uint16_t len)
{
	const bool sends = side == s->out;
	struct sp_rtp rtp = { 0 };

	if (!rtcp && sp_rtp_parse_header(data, len, &rtp) != SP_OK)
		return SP_SRTP_SHORT; /* the data path lets none of these in */
	put_on_desk(data, len, rtp.header_len);
	for (unsigned int k = 0; k < engines; k++) {
		struct sp_srtp_packet *p = &desk[k].p;

		if (sends && rtcp)
			sp_srtcp_protect(engine[k], side[k], p, s->now_ms);
		else if (sends)
			sp_srtp_protect(engine[k], &side[k], p, 1, s->now_ms);
		else if (rtcp)
			sp_srtcp_unprotect(engine[k], side[k], p, s->now_ms);
		else
			sp_srtp_unprotect(engine[k], &side[k], p, 1, s->now_ms);
		must(sends || p->len <= len);
		must(!sends || p->len <= len + MORE);
	}
	return judge(data, len, sp_srtp_facts(s->conf.suite)->aead);
}

static bool
open_to_forgeries(const struct story *s, bool rtcp)
{
	return !rtcp && s->conf.flags & SP_SRTP_NO_AUTH;
}

/* Unless forgeries were let in, what left must arrive as it was. */
static void
deliver(struct story *s, const uint8_t *plain, uint16_t len, bool rtcp)
{
	const enum sp_srtp_fate fate =
		work(s, s->in, rtcp, s->wire, s->wire_len);

	if (s->conf.flags & SP_SRTP_NO_AUTH)
		return;
	must(fate == SP_SRTP_OK && desk[0].p.len == len);
	if (rtcp) {
		must(memcmp(desk[0].p.data, plain, len) == 0);
	} else { /* a source that starts anew gets other numbers */
		must(memcmp(desk[0].p.data, plain, 2) == 0);
		must(memcmp(desk[0].p.data + 4, plain + 4, len - 4u) == 0);
	}
}

/* Copy what follows; a byte says how much. */
static uint16_t
take(struct story *s, uint8_t *to)
{
	const size_t left = (size_t)(s->end - s->at);
	size_t len = byte(s);

	if (len > left)
		len = left;
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)byte(s);
	return (uint16_t)len;
}

static void
send_one(struct story *s, bool rtcp)
{
	uint8_t plain[LONGEST] = { 0 };
	uint16_t len = take(s, plain);
	enum sp_srtp_fate fate;

	if (rtcp && len < RTCP_MIN)
		len = RTCP_MIN;
	fate = work(s, s->out, rtcp, plain, len);
	if (fate != SP_SRTP_OK)
		return;
	s->wire_len = desk[0].p.len;
	s->wire_rtcp = rtcp;
	memcpy(s->wire, desk[0].p.data, s->wire_len);
	deliver(s, plain, len, rtcp);
}

static void
hear_one(struct story *s, bool rtcp)
{
	uint8_t data[LONGEST] = { 0 };
	const uint16_t len = take(s, data);

	must(work(s, s->in, rtcp, data, len) != SP_SRTP_OK ||
		open_to_forgeries(s, rtcp));
}

static void
damage(struct story *s)
{
	const size_t at = byte(s);
	const uint8_t bits = (uint8_t)byte(s);
	uint8_t copy[sizeof s->wire];

	if (at >= s->wire_len || bits == 0)
		return;
	memcpy(copy, s->wire, s->wire_len);
	copy[at] ^= bits;
	must(work(s, s->in, s->wire_rtcp, copy, s->wire_len) != SP_SRTP_OK ||
		open_to_forgeries(s, s->wire_rtcp));
}

static void
cut(struct story *s)
{
	const uint16_t len = (uint16_t)byte(s);

	if (len >= s->wire_len)
		return;
	must(work(s, s->in, s->wire_rtcp, s->wire, len) != SP_SRTP_OK ||
		open_to_forgeries(s, s->wire_rtcp));
}

/* New keys, or the same in other words; both sides hear of it. */
static void
rekey(struct story *s)
{
	enum sp_status out, in;

	agree(s);
	for (unsigned int k = 0; k < engines; k++) {
		out = sp_srtp_rekey(engine[k], s->out[k], &s->conf, s->now_ms);
		in = sp_srtp_rekey(engine[k], s->in[k], &s->conf, s->now_ms);
		must(out == SP_OK && in == SP_OK);
	}
	s->wire_len = 0;
}

static void
happen(struct story *s)
{
	const unsigned int event = byte(s);

	s->now_ms += 1u << (event >> 3 & 15); /* up to 33 seconds */
	switch ((enum event)(event & 7)) {
	case SEND:
	case SEND_RTCP:
		send_one(s, (event & 7) == SEND_RTCP);
		break;
	case HEAR:
	case HEAR_RTCP:
		hear_one(s, (event & 7) == HEAR_RTCP);
		break;
	case DAMAGE:
		damage(s);
		break;
	case CUT:
		cut(s);
		break;
	case AGAIN:
		if (s->wire_len > 0)
			must(work(s, s->in, s->wire_rtcp, s->wire,
				     s->wire_len) != SP_SRTP_OK);
		break;
	case REKEY:
		rekey(s);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct story s = {
		.at = data,
		.end = data + len,
		.now_ms = (uint32_t)-5000,
	};

	if (engines == 0)
		open_engines();
	agree(&s);
	for (unsigned int k = 0; k < engines; k++) {
		must(sp_srtp_open(engine[k], &s.conf, true, &s.out[k]) ==
			SP_OK);
		must(sp_srtp_open(engine[k], &s.conf, false, &s.in[k]) ==
			SP_OK);
	}
	while (s.at < s.end)
		happen(&s);
	for (unsigned int k = 0; k < engines; k++) {
		sp_srtp_close(engine[k], s.out[k]);
		sp_srtp_close(engine[k], s.in[k]);
	}
	return 0;
}
