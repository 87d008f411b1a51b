/* SPDX-License-Identifier: BSD-3-Clause */
/* New keys, old keys, several keys, and SSRCs that come and go. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "tests/relay/srtp_pair.h"

#define SSRC 0x01020304u

struct kind_case {
	enum sp_srtp_kind kind;
	enum sp_srtp_suite suite;
	enum sp_srtp_suite next;
};

static struct kind_case kinds[] = {
	{ SP_SRTP_IPSECMB, SP_SRTP_AES_CM_128_80, SP_SRTP_AES_CM_128_80 },
	{ SP_SRTP_IPSECMB, SP_SRTP_AES_CM_256_32, SP_SRTP_GCM_128 },
	{ SP_SRTP_IPSECMB, SP_SRTP_GCM_128, SP_SRTP_GCM_256 },
	{ SP_SRTP_IPSECMB, SP_SRTP_GCM_128, SP_SRTP_AES_CM_128_32 },
	{ SP_SRTP_LIBSRTP, SP_SRTP_AES_CM_128_80, SP_SRTP_GCM_128 },
	{ SP_SRTP_LIBSRTP, SP_SRTP_GCM_128, SP_SRTP_GCM_256 },
};

static struct criterion_test_params
all_kinds(void)
{
	return cr_make_param_array(
		struct kind_case, kinds, sizeof kinds / sizeof *kinds);
}

/* An engine, a receiver, and senders under three agreements. */
static struct sp_srtp_engine *e;
static struct sp_srtp_conf conf[3];
static struct sp_srtp *out[3], *in;

static void
set_up(const struct kind_case *tc)
{
	e = pair_engine(tc->kind, 8);
	conf[0] = pair_conf(tc->suite, 1, 0);
	conf[1] = pair_conf(tc->next, 2, 0);
	conf[2] = pair_conf(tc->suite, 3, 0);
	for (unsigned int i = 0; i < 3; i++)
		out[i] = pair_open(e, &conf[i], true);
	in = pair_open(e, &conf[0], false);
}

static enum sp_srtp_fate
hear(unsigned int sender, uint16_t seq, uint32_t now_ms)
{
	struct parcel at;

	pair_send(e, out[sender], &at, SSRC, seq);
	return pair_receive(e, in, &at, now_ms);
}

static void
rekey(unsigned int to, uint32_t now_ms)
{
	cr_assert(eq(int, sp_srtp_rekey(e, in, &conf[to], now_ms), SP_OK));
}

ParameterizedTestParameters(srtp_keys, the_same_keys_change_nothing)
{
	return all_kinds();
}

ParameterizedTest(struct kind_case *tc, srtp_keys, the_same_keys_change_nothing)
{
	struct sp_srtp before;
	struct parcel at;

	set_up(tc);
	pair_send(e, out[0], &at, SSRC, 65535);
	cr_expect(eq(int, pair_receive(e, in, &at, 0), SP_SRTP_OK));
	cr_expect(eq(int, hear(0, 0, 0), SP_SRTP_OK)); /* ROC is 1 */
	before = *in;
	rekey(0, 10);
	cr_expect(memcmp(&before, in, sizeof before) == 0);
	cr_expect(eq(int, pair_receive(e, in, &at, 20), SP_SRTP_REPLAY));
	cr_expect(eq(int, hear(0, 1, 20), SP_SRTP_OK));
	sp_srtp_engine_close(e);
}

ParameterizedTestParameters(srtp_keys, old_keys_are_heard_until_new_ones_are)
{
	return all_kinds();
}

ParameterizedTest(
	struct kind_case *tc, srtp_keys, old_keys_are_heard_until_new_ones_are)
{
	set_up(tc);
	cr_expect(eq(int, hear(0, 100, 0), SP_SRTP_OK));
	cr_expect(eq(int, hear(1, 101, 0), SP_SRTP_AUTH));
	rekey(1, 1000);
	cr_expect(eq(int, hear(0, 101, 1000), SP_SRTP_OK));
	cr_expect(eq(int, hear(2, 1, 1000), SP_SRTP_AUTH));
	cr_expect(eq(int, hear(0, 102, 5999), SP_SRTP_OK));
	cr_expect(eq(int, hear(1, 102, 5999), SP_SRTP_OK));
	cr_expect(eq(int, hear(0, 103, 5999), SP_SRTP_AUTH));
	sp_srtp_engine_close(e);
}

ParameterizedTestParameters(srtp_keys, old_keys_are_heard_five_seconds_at_most)
{
	return all_kinds();
}

ParameterizedTest(struct kind_case *tc, srtp_keys,
	old_keys_are_heard_five_seconds_at_most)
{
	const uint32_t then = UINT32_MAX - 1000; /* time wraps */

	set_up(tc);
	cr_expect(eq(int, hear(0, 100, then), SP_SRTP_OK));
	rekey(1, then);
	/* A packet may have waited, and be older than the order. */
	cr_expect(eq(int, hear(0, 101, then - 500), SP_SRTP_OK));
	cr_expect(eq(int, hear(0, 102, then + 4999), SP_SRTP_OK));
	cr_expect(eq(int, hear(0, 103, then + 5000), SP_SRTP_AUTH));
	cr_expect(eq(int, hear(0, 104, then + 0x80000000u), SP_SRTP_AUTH));
	cr_expect(eq(int, hear(1, 100, then + 5000), SP_SRTP_OK));
	sp_srtp_engine_close(e);
}

ParameterizedTestParameters(srtp_keys, a_burst_changes_over_in_order)
{
	return all_kinds();
}

ParameterizedTest(
	struct kind_case *tc, srtp_keys, a_burst_changes_over_in_order)
{
	static const unsigned int sender[] = { 0, 2, 0, 1, 0, 1, 2 };
	static const enum sp_srtp_fate want[] = { SP_SRTP_OK, SP_SRTP_AUTH,
		SP_SRTP_OK, SP_SRTP_OK, SP_SRTP_AUTH, SP_SRTP_OK,
		SP_SRTP_AUTH };
	struct parcel at[7], plain;
	struct sp_srtp_packet p[7];
	struct sp_srtp *s[7];

	set_up(tc);
	cr_expect(eq(int, hear(0, 9, 0), SP_SRTP_OK));
	rekey(1, 0);
	for (unsigned int i = 0; i < 7; i++) {
		pair_send(e, out[sender[i]], &at[i], SSRC, (uint16_t)(10 + i));
		p[i] = at[i].p;
		s[i] = in;
	}
	sp_srtp_unprotect(e, s, p, 7, 1);
	for (unsigned int i = 0; i < 7; i++) {
		cr_expect(eq(int, p[i].fate, want[i]), "packet %u", i);
		pair_fill(&plain, SSRC, (uint16_t)(10 + i));
		if (want[i] == SP_SRTP_OK)
			cr_expect(memcmp(at[i].data, plain.data, plain.p.len) ==
					0,
				"packet %u", i);
	}
	sp_srtp_engine_close(e);
}

ParameterizedTestParameters(srtp_keys, rtcp_takes_part_in_the_change)
{
	return all_kinds();
}

ParameterizedTest(
	struct kind_case *tc, srtp_keys, rtcp_takes_part_in_the_change)
{
	struct parcel at;

	set_up(tc);
	rekey(1, 0);
	pair_send_rtcp(e, out[0], &at, SSRC);
	cr_expect(eq(int, pair_receive_rtcp(e, in, &at, 1), SP_SRTP_OK));
	cr_expect(ne(int, pair_receive_rtcp(e, in, &at, 1), SP_SRTP_OK));
	pair_send_rtcp(e, out[1], &at, SSRC);
	cr_expect(eq(int, pair_receive_rtcp(e, in, &at, 1), SP_SRTP_OK));
	pair_send_rtcp(e, out[0], &at, SSRC);
	cr_expect(eq(int, pair_receive_rtcp(e, in, &at, 1), SP_SRTP_AUTH));
	cr_expect(eq(int, hear(0, 1, 1), SP_SRTP_AUTH));
	sp_srtp_engine_close(e);
}

ParameterizedTestParameters(srtp_keys, who_returns_to_old_keys_is_remembered)
{
	return all_kinds();
}

ParameterizedTest(
	struct kind_case *tc, srtp_keys, who_returns_to_old_keys_is_remembered)
{
	struct parcel at, again;
	uint16_t seq_be;

	set_up(tc);
	pair_send(e, out[0], &at, SSRC, 100);
	cr_expect(eq(int, pair_receive(e, in, &at, 0), SP_SRTP_OK));
	rekey(1, 0);
	cr_expect(eq(int, hear(1, 100, 1), SP_SRTP_OK));
	rekey(2, 2);
	rekey(0, 3);
	cr_expect(eq(int, pair_receive(e, in, &at, 4), SP_SRTP_REPLAY));
	cr_expect(eq(int, hear(0, 101, 4), SP_SRTP_OK));

	/* Sending, the index goes on; the same packet is not sent again. */
	cr_assert(eq(int, sp_srtp_rekey(e, out[0], &conf[1], 0), SP_OK));
	pair_send(e, out[0], &again, SSRC, 50);
	cr_assert(eq(int, sp_srtp_rekey(e, out[0], &conf[0], 0), SP_OK));
	pair_fill(&again, SSRC, 100);
	sp_srtp_protect(e, &out[0], &again.p, 1, 0);
	cr_expect(eq(int, again.p.fate, SP_SRTP_REPLAY));
	pair_send(e, out[0], &again, SSRC, 102);
	memcpy(&seq_be, again.data + 2, sizeof seq_be);
	cr_expect(eq(u16, __builtin_bswap16(seq_be), 102));
	cr_expect(eq(int, pair_receive(e, in, &again, 5), SP_SRTP_OK));
	sp_srtp_engine_close(e);
}

Test(srtp_keys, any_number_of_new_keys_finds_room)
{
	struct sp_srtp_conf next;
	struct parcel at;

	e = pair_engine(SP_SRTP_AUTO, 1);
	conf[0] = pair_conf(SP_SRTP_AES_CM_128_80, 0, 1);
	in = pair_open(e, &conf[0], false);
	for (unsigned int i = 1; i < 200; i++) {
		next = pair_conf(SP_SRTP_AES_CM_128_80, (uint8_t)i, 1);
		next.key[0].key[20] = next.key[1].key[21] = (uint8_t)(i >> 3);
		cr_assert(eq(int, sp_srtp_rekey(e, in, &next, i), SP_OK));
	}
	sp_srtp_close(e, in);
	in = pair_open(e, &next, true);
	pair_send(e, in, &at, SSRC, 1);
	sp_srtp_engine_close(e);
}

/* Its tag's length is not the key: an index stays used. */
Test(srtp_keys, the_same_key_in_another_suite_keeps_its_indices)
{
	struct parcel at;

	e = pair_engine(SP_SRTP_AUTO, 1);
	conf[0] = pair_conf(SP_SRTP_AES_CM_128_80, 1, 0);
	conf[1] = pair_conf(SP_SRTP_AES_CM_128_32, 1, 0);
	out[0] = pair_open(e, &conf[0], true);
	pair_send(e, out[0], &at, SSRC, 100);
	cr_assert(eq(int, sp_srtp_rekey(e, out[0], &conf[1], 0), SP_OK));
	pair_fill(&at, SSRC, 100);
	sp_srtp_protect(e, &out[0], &at.p, 1, 0);
	cr_expect(eq(int, at.p.fate, SP_SRTP_REPLAY));
	pair_send(e, out[0], &at, SSRC, 101);
	cr_expect(eq(int, at.p.len, 12 + PAIR_PAYLOAD + 4));
	sp_srtp_engine_close(e);
}

ParameterizedTestParameters(srtp_keys, an_mki_picks_the_key)
{
	return all_kinds();
}

ParameterizedTest(struct kind_case *tc, srtp_keys, an_mki_picks_the_key)
{
	struct sp_srtp_conf both = pair_conf(tc->suite, 1, 3);
	struct sp_srtp_conf second = both;
	struct sp_srtp_conf third = pair_conf(tc->suite, 9, 3);
	struct parcel at, old;

	e = pair_engine(tc->kind, 8);
	second.key[0] = both.key[1];
	second.key[1] = both.key[0];
	in = pair_open(e, &both, false);
	out[0] = pair_open(e, &both, true);
	out[1] = pair_open(e, &second, true);
	out[2] = pair_open(e, &third, true);
	cr_expect(eq(int, hear(0, 1, 0), SP_SRTP_OK));
	cr_expect(eq(int, hear(1, 2, 0), SP_SRTP_OK));
	cr_expect(eq(int, hear(2, 3, 0), SP_SRTP_AUTH));
	cr_expect(eq(int, hear(0, 3, 0), SP_SRTP_OK));
	/* They share ROC and window, RFC 3711 section 8.1. */
	pair_send(e, out[1], &old, SSRC, 3);
	cr_expect(eq(int, pair_receive(e, in, &old, 0), SP_SRTP_REPLAY));
	pair_send_rtcp(e, out[1], &at, SSRC);
	cr_expect(eq(int, pair_receive_rtcp(e, in, &at, 0), SP_SRTP_OK));
	pair_send_rtcp(e, out[2], &at, SSRC);
	cr_expect(eq(int, pair_receive_rtcp(e, in, &at, 0), SP_SRTP_AUTH));

	/* A key that stays while the other goes keeps its streams. */
	third.key[1] = both.key[1];
	cr_assert(eq(int, sp_srtp_rekey(e, in, &third, 0), SP_OK));
	cr_expect(eq(int, pair_receive(e, in, &old, 0), SP_SRTP_REPLAY));
	cr_expect(eq(int, hear(1, 4, 0), SP_SRTP_OK));
	cr_expect(eq(int, hear(2, 5, 0), SP_SRTP_OK));
	sp_srtp_engine_close(e);
}

Test(srtp_keys, a_key_that_authenticates_nothing_is_not_heard_after_it_is_gone)
{
	e = pair_engine(SP_SRTP_AUTO, 8);
	conf[0] = pair_conf(SP_SRTP_AES_CM_128_80, 1, 0);
	conf[0].flags = SP_SRTP_NO_AUTH;
	conf[1] = pair_conf(SP_SRTP_AES_CM_128_80, 2, 0);
	in = pair_open(e, &conf[0], false);
	out[0] = pair_open(e, &conf[0], true);
	cr_expect(eq(int, hear(0, 1, 0), SP_SRTP_OK));
	rekey(1, 1);
	cr_expect(eq(int, hear(0, 2, 1), SP_SRTP_AUTH));
	sp_srtp_engine_close(e);
}

/* What is kept of an MKI goes with its keys. */
Test(srtp_keys, keys_with_an_mki_come_and_go_without_end)
{
	e = pair_engine(SP_SRTP_AUTO, 2);
	conf[0] = pair_conf(SP_SRTP_AES_CM_128_80, 1, 3);
	in = pair_open(e, &conf[0], false);
	out[0] = pair_open(e, &conf[0], true);
	for (unsigned int i = 0; i < 200; i++) {
		conf[0] = pair_conf(
			SP_SRTP_AES_CM_128_80, (uint8_t)(i + 2), i % 4 ? 3 : 0);
		cr_assert(
			eq(int, sp_srtp_rekey(e, out[0], &conf[0], i), SP_OK));
		rekey(0, i);
		cr_expect(eq(int, hear(0, (uint16_t)i, i), SP_SRTP_OK));
	}
	sp_srtp_close(e, in);
	sp_srtp_close(e, out[0]);
	in = pair_open(e, &conf[0], false);
	out[0] = pair_open(e, &conf[0], true);
	cr_expect(eq(int, hear(0, 1, 0), SP_SRTP_OK));
	sp_srtp_engine_close(e);
}
