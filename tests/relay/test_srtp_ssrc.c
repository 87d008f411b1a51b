/* SPDX-License-Identifier: BSD-3-Clause */
/* Many SSRCs under one key: each has its indices, and none gets them anew. */
#include <criterion/criterion.h>

#include "tests/relay/srtp_pair.h"

#define IDLE SP_SRTP_IDLE_MS

static struct sp_srtp_engine *e;
static struct sp_srtp *in, *out[SP_SRTP_KNOWN + 1];
static struct parcel first[SP_SRTP_KNOWN + 1];

/* Directions that send one SSRC each, under one key, and one that receives. */
static void
set_up(void)
{
	const struct sp_srtp_conf conf = pair_conf(SP_SRTP_AES_CM_128_80, 1, 0);

	e = pair_engine(SP_SRTP_AUTO, SP_SRTP_KNOWN + 2);
	in = pair_open(e, &conf, false);
	for (uint32_t i = 0; i <= SP_SRTP_KNOWN; i++) {
		out[i] = pair_open(e, &conf, true);
		pair_send(e, out[i], &first[i], i, 100);
	}
}

static void
tear_down(void)
{
	sp_srtp_engine_close(e);
}

TestSuite(srtp_ssrc, .init = set_up, .fini = tear_down);

static enum sp_srtp_fate
hear(uint32_t ssrc, uint16_t seq, uint32_t now_ms)
{
	struct parcel at;

	pair_send(e, out[ssrc], &at, ssrc, seq);
	return pair_receive(e, in, &at, now_ms);
}

Test(srtp_ssrc, eight_speak_and_a_ninth_does_not)
{
	for (uint32_t i = 0; i < SP_SRTP_SSRCS; i++)
		cr_expect(
			eq(int, pair_receive(e, in, &first[i], i), SP_SRTP_OK));
	cr_expect(eq(
		int, pair_receive(e, in, &first[8], IDLE - 1), SP_SRTP_SSRC));
	for (uint32_t i = 0; i < SP_SRTP_SSRCS; i++)
		cr_expect(eq(int, hear(i, 101, IDLE), SP_SRTP_OK));
	/* Time that steps back makes nobody idle. */
	cr_expect(eq(
		int, pair_receive(e, in, &first[8], IDLE - 500), SP_SRTP_SSRC));
}

Test(srtp_ssrc, who_is_silent_longest_makes_room)
{
	for (uint32_t i = 0; i < SP_SRTP_SSRCS; i++)
		cr_assert(eq(int, pair_receive(e, in, &first[i], 100 - i),
			SP_SRTP_OK));
	cr_expect(eq(
		int, pair_receive(e, in, &first[8], IDLE + 100), SP_SRTP_OK));
	/* The last but one still speaks, the last has left. */
	cr_expect(eq(int, in->n_left, 1));
	cr_expect(eq(u32, in->crowd->left[0].ssrc, 7));
	cr_expect(eq(int, pair_receive(e, in, &first[6], IDLE + 100),
		SP_SRTP_REPLAY));
}

Test(srtp_ssrc, who_comes_back_can_replay_nothing)
{
	for (uint32_t i = 0; i < SP_SRTP_SSRCS; i++)
		cr_assert(
			eq(int, pair_receive(e, in, &first[i], i), SP_SRTP_OK));
	cr_assert(eq(int, hear(0, 103, 0), SP_SRTP_OK)); /* 101, 102 lost */
	for (uint32_t i = 1; i < SP_SRTP_SSRCS; i++)
		cr_assert(eq(int, hear(i, 101, 5000), SP_SRTP_OK));
	cr_assert(eq(int, pair_receive(e, in, &first[8], IDLE), SP_SRTP_OK));
	cr_expect(eq(ptr, sp_srtp_direction_find(in, 0), NULL));

	cr_expect(eq(
		int, pair_receive(e, in, &first[0], 2 * IDLE), SP_SRTP_REPLAY));
	cr_expect(eq(int, hear(0, 102, 2 * IDLE), SP_SRTP_REPLAY));
	cr_expect(eq(int, hear(0, 104, 2 * IDLE), SP_SRTP_OK));
	cr_expect(eq(int, hear(0, 105, 2 * IDLE), SP_SRTP_OK));
}

Test(srtp_ssrc, so_many_are_known_and_no_more_let_in)
{
	uint32_t now = 0;

	for (uint32_t i = 0; i < SP_SRTP_KNOWN; i++) {
		cr_assert(eq(int, pair_receive(e, in, &first[i], now),
				  SP_SRTP_OK),
			"%u", i);
		now += IDLE;
	}
	cr_expect(eq(int, in->n_left, SP_SRTP_LEFT));
	cr_expect(eq(int, pair_receive(e, in, &first[SP_SRTP_KNOWN], now),
		SP_SRTP_SSRC));
	/* None of them can be replayed, all can go on. */
	for (uint32_t i = 0; i < SP_SRTP_KNOWN; i++) {
		cr_expect(eq(int, pair_receive(e, in, &first[i], now),
				  SP_SRTP_REPLAY),
			"%u", i);
		cr_expect(eq(int, hear(i, 101, now), SP_SRTP_OK), "%u", i);
		now += IDLE;
	}
}

Test(srtp_ssrc, sending_goes_on_after_the_highest_index)
{
	const struct sp_srtp_conf conf = pair_conf(SP_SRTP_GCM_128, 2, 0);
	struct sp_srtp *s;
	struct parcel at;

	sp_srtp_close(e, out[0]);
	s = pair_open(e, &conf, true);
	for (uint32_t ssrc = 0; ssrc < 12; ssrc++) {
		pair_fill(&at, ssrc, 1000);
		sp_srtp_protect(e, &s, &at.p, 1, ssrc * IDLE);
		cr_assert(eq(int, at.p.fate, SP_SRTP_OK));
	}
	cr_expect(eq(ptr, sp_srtp_direction_find(s, 0), NULL));
	pair_fill(&at, 0, 1000);
	sp_srtp_protect(e, &s, &at.p, 1, 20 * IDLE);
	cr_expect(eq(int, at.p.fate, SP_SRTP_REPLAY));
	pair_fill(&at, 0, 1001);
	sp_srtp_protect(e, &s, &at.p, 1, 20 * IDLE);
	cr_expect(eq(int, at.p.fate, SP_SRTP_OK));
	cr_expect(eq(u64, sp_srtp_direction_find(s, 0)->index, 1001));
}

Test(srtp_ssrc, a_source_that_starts_anew_is_renumbered_on_the_wire)
{
	struct parcel at;
	uint16_t seq_be;

	cr_assert(eq(int, pair_receive(e, in, &first[3], 0), SP_SRTP_OK));
	for (uint16_t seq = 30000; seq < 30010; seq++)
		cr_assert(eq(int, hear(3, seq, 0), SP_SRTP_OK));
	pair_fill(&at, 3, 7);
	sp_srtp_protect(e, &out[3], &at.p, 1, 0);
	cr_expect(eq(int, at.p.fate, SP_SRTP_REPLAY));
	cr_expect(eq(u16, sp_srtp_offset(out[3], 3), 0));
	pair_send(e, out[3], &at, 3, 8);
	memcpy(&seq_be, at.data + 2, sizeof seq_be);
	cr_expect(eq(u16, __builtin_bswap16(seq_be), 30010));
	cr_expect(eq(u16, sp_srtp_offset(out[3], 3), 30010 - 8));
	cr_expect(eq(u16, sp_srtp_offset(out[3], 4), 0));
	cr_expect(eq(int, pair_receive(e, in, &at, 0), SP_SRTP_OK));
	cr_expect(eq(int, hear(3, 9, 0), SP_SRTP_OK));
}

Test(srtp_ssrc, rtcp_and_rtp_of_one_ssrc_share_a_slot)
{
	struct parcel at;

	for (uint32_t i = 0; i < SP_SRTP_SSRCS; i++) {
		pair_send_rtcp(e, out[i], &at, i);
		cr_expect(
			eq(int, pair_receive_rtcp(e, in, &at, 0), SP_SRTP_OK));
		cr_expect(eq(
			int, pair_receive_rtcp(e, in, &at, 0), SP_SRTP_REPLAY));
	}
	pair_send_rtcp(e, out[8], &at, 8);
	cr_expect(eq(int, pair_receive_rtcp(e, in, &at, 0), SP_SRTP_SSRC));
	for (uint32_t i = 0; i < SP_SRTP_SSRCS; i++)
		cr_expect(
			eq(int, pair_receive(e, in, &first[i], 0), SP_SRTP_OK));
}

Test(srtp_ssrc, a_forged_ssrc_takes_no_slot)
{
	struct parcel forged = first[0];

	for (uint32_t i = 1; i < 100; i++) {
		forged.data[8] = (uint8_t)i;
		cr_assert(
			eq(int, pair_receive(e, in, &forged, 0), SP_SRTP_AUTH));
	}
	cr_expect(not(in->first.used));
	cr_expect(eq(ptr, in->crowd, NULL));
}

Test(srtp_ssrc, receiving_ends_with_the_last_index)
{
	struct parcel at;

	cr_assert(eq(int, pair_receive(e, in, &first[5], 0), SP_SRTP_OK));
	in->first.index = out[5]->first.index = SP_SRTP_INDEX_MAX - 1;
	cr_expect(eq(int, hear(5, 65535, 0), SP_SRTP_OK));
	pair_fill(&at, 5, 0);
	cr_expect(eq(int, pair_receive(e, in, &at, 0), SP_SRTP_EXPIRED));
	sp_srtp_protect(e, &out[5], &at.p, 1, 0);
	cr_expect(eq(int, at.p.fate, SP_SRTP_EXPIRED));

	out[5]->first_rtcp.index = SP_SRTCP_INDEX_MAX;
	pair_fill_rtcp(&at, 5);
	sp_srtcp_protect(e, out[5], &at.p, 0);
	cr_expect(eq(int, at.p.fate, SP_SRTP_EXPIRED));
}
