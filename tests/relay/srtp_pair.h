/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_RELAY_SRTP_PAIR_H
#define SP_TESTS_RELAY_SRTP_PAIR_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "relay/srtp_direction.h"

/*
 * One engine and a little of everything to try it with: packets whose payload
 * says who they are.
 */

#define PAIR_PAYLOAD 100u

struct parcel {
	uint8_t data[256 + SP_SRTP_ROOM];
	struct sp_srtp_packet p;
};

/* Open an engine, or skip the test: the CPU may not be one for it. */
static inline struct sp_srtp_engine *
pair_engine(enum sp_srtp_kind kind, uint32_t capacity)
{
	struct sp_srtp_engine *e = NULL;
	const enum sp_status status = sp_srtp_engine_open(kind, capacity, &e);

	if (status == SP_UNSUPPORTED && kind == SP_SRTP_IPSECMB)
		cr_skip_test("no ipsec-mb here");
	cr_assert(eq(int, status, SP_OK));
	return e;
}

/* Keys that differ by @seed; with an MKI, that many keys. */
static inline struct sp_srtp_conf
pair_conf(enum sp_srtp_suite suite, uint8_t seed, uint8_t mki_len)
{
	struct sp_srtp_conf conf = {
		.suite = (uint8_t)suite,
		.mki_len = mki_len,
		.n_keys = mki_len > 0 ? 2 : 1,
	};

	for (unsigned int k = 0; k < conf.n_keys; k++) {
		for (unsigned int i = 0; i < SP_SRTP_KEY_MAX; i++)
			conf.key[k].key[i] = (uint8_t)(seed * 37 + k * 11 + i);
		memset(conf.key[k].mki, seed + (int)k, mki_len);
	}
	return conf;
}

static inline struct sp_srtp *
pair_open(struct sp_srtp_engine *e, const struct sp_srtp_conf *conf, bool sends)
{
	struct sp_srtp *s = NULL;

	cr_assert(eq(int, sp_srtp_open(e, conf, sends, &s), SP_OK));
	return s;
}

/* An RTP packet, in the clear. */
static inline void
pair_fill(struct parcel *to, uint32_t ssrc, uint16_t seq)
{
	const uint32_t ssrc_be = __builtin_bswap32(ssrc);
	const uint16_t seq_be = __builtin_bswap16(seq);

	memset(to->data, 0, sizeof to->data);
	to->data[0] = 0x80;
	memcpy(to->data + 2, &seq_be, sizeof seq_be);
	memcpy(to->data + 8, &ssrc_be, sizeof ssrc_be);
	for (unsigned int i = 0; i < PAIR_PAYLOAD; i++)
		to->data[12 + i] = (uint8_t)(seq + ssrc + i);
	to->p = (struct sp_srtp_packet){
		.data = to->data,
		.len = 12 + PAIR_PAYLOAD,
		.header_len = 12,
	};
}

/* An RTCP packet, in the clear. */
static inline void
pair_fill_rtcp(struct parcel *to, uint32_t ssrc)
{
	const uint32_t ssrc_be = __builtin_bswap32(ssrc);

	memset(to->data, 0x5a, sizeof to->data);
	memcpy(to->data, "\x80\xc8\0\x06", 4);
	memcpy(to->data + 4, &ssrc_be, sizeof ssrc_be);
	to->p = (struct sp_srtp_packet){ .data = to->data, .len = 28 };
}

/* Make @to a packet as it is on the wire: sent by @s. */
static inline void
pair_send(struct sp_srtp_engine *e, struct sp_srtp *s, struct parcel *to,
	uint32_t ssrc, uint16_t seq)
{
	pair_fill(to, ssrc, seq);
	sp_srtp_protect(e, &s, &to->p, 1, 0);
	cr_assert(eq(int, to->p.fate, SP_SRTP_OK));
}

static inline void
pair_send_rtcp(struct sp_srtp_engine *e, struct sp_srtp *s, struct parcel *to,
	uint32_t ssrc)
{
	pair_fill_rtcp(to, ssrc);
	sp_srtcp_protect(e, s, &to->p, 0);
	cr_assert(eq(int, to->p.fate, SP_SRTP_OK));
}

/* What becomes of a copy of @from when @s receives it at @now_ms. */
static inline enum sp_srtp_fate
pair_receive(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct parcel *from, uint32_t now_ms)
{
	struct parcel copy = *from;

	copy.p.data = copy.data;
	sp_srtp_unprotect(e, &s, &copy.p, 1, now_ms);
	return (enum sp_srtp_fate)copy.p.fate;
}

static inline enum sp_srtp_fate
pair_receive_rtcp(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct parcel *from, uint32_t now_ms)
{
	struct parcel copy = *from;

	copy.p.data = copy.data;
	sp_srtcp_unprotect(e, s, &copy.p, now_ms);
	return (enum sp_srtp_fate)copy.p.fate;
}

#endif
