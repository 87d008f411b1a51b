/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "relay/srtp_stream.h"

#define ROC 0x10000ull

struct guess_case {
	uint64_t highest;
	uint16_t seq;
	uint64_t want;
};

ParameterizedTestParameters(srtp_stream, a_number_means_the_nearest_index)
{
	static struct guess_case cases[] = {
		/* The first cycle's first half does not look back. */
		{ 0, 0, 0 },
		{ 0, 1, 1 },
		{ 0, 65535, 65535 },
		{ 100, 65535, 65535 },
		{ 32768, 0, 0 },
		{ 32768, 65535, 65535 },
		/* From then on a small number is of the next cycle... */
		{ 32769, 0, ROC },
		{ 32769, 1, 1 },
		{ 65535, 0, ROC },
		{ 65535, 32766, ROC + 32766 },
		{ 65535, 32767, 32767 },
		/* ...and a large one of the one before. */
		{ ROC, 32767, ROC + 32767 },
		{ ROC, 32768, ROC + 32768 },
		{ ROC, 32769, 32769 },
		{ ROC, 65535, 65535 },
		{ ROC + 32767, 65535, ROC + 65535 },
		{ ROC + 32766, 65535, 65535 },
		{ 5 * ROC + 40000, 100, 6 * ROC + 100 },
		{ 5 * ROC + 100, 40000, 4 * ROC + 40000 },
		/* Beyond the last cycle there is no packet. */
		{ SP_SRTP_INDEX_MAX, 0, SP_SRTP_INDEX_MAX + 1 },
	};

	return cr_make_param_array(
		struct guess_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct guess_case *tc, srtp_stream, a_number_means_the_nearest_index)
{
	const struct sp_srtp_stream s = { .index = tc->highest };
	const uint64_t next = sp_srtp_stream_next(&s, tc->seq);

	cr_expect(eq(u64, sp_srtp_stream_guess(&s, tc->seq), tc->want), "%llu",
		(unsigned long long)tc->highest);
	cr_expect(next == 0 || next == tc->want);
}

/* Every number after every highest index that is near an edge. */
Test(srtp_stream, the_short_way_guesses_as_the_long_one_does)
{
	static const uint64_t highest[] = { 0, 1, 32766, 32767, 32768, 32769,
		32770, 65534, 65535, ROC, ROC + 1, ROC + 32767, ROC + 32768,
		ROC + 32769, 9 * ROC - 1, SP_SRTP_INDEX_MAX - 1,
		SP_SRTP_INDEX_MAX };

	for (size_t i = 0; i < sizeof highest / sizeof *highest; i++) {
		const struct sp_srtp_stream s = { .index = highest[i] };
		unsigned int short_ways = 0;

		for (unsigned int seq = 0; seq <= UINT16_MAX; seq++) {
			const uint64_t next =
				sp_srtp_stream_next(&s, (uint16_t)seq);
			const uint64_t guess =
				sp_srtp_stream_guess(&s, (uint16_t)seq);

			if (sp_srtp_stream_still_next(&s, guess))
				cr_assert(sp_srtp_stream_fresh(&s, guess));
			if (next == 0)
				continue;
			short_ways++;
			cr_assert(eq(u64, next, guess));
			cr_assert(sp_srtp_stream_fresh(&s, next));
			cr_assert(sp_srtp_stream_still_next(&s, next));
		}
		cr_expect(short_ways > 0 || highest[i] >= 65535);
	}
}

/* A window as it would be drawn: each index once. */
Test(srtp_stream, the_window_is_what_a_list_of_indices_says)
{
	static bool seen[100000];
	struct sp_srtp_stream s = { 0 };
	uint64_t highest = 0;
	uint32_t lots = 1;

	for (unsigned int i = 0; i < 200000; i++) {
		uint64_t index;
		bool want;

		lots = lots * 1664525 + 1013904223;
		index = highest + (lots >> 16) % 8;
		if (lots >> 31)
			index -= (lots >> 16) % 160;
		if ((lots >> 8) % 1000 == 0)
			index += 60 + lots % 80;
		if (index > highest + 1000 || index >= sizeof seen)
			continue;
		want = !seen[index] &&
			(index > highest || highest - index < SP_SRTP_WINDOW);
		cr_assert(eq(int, sp_srtp_stream_fresh(&s, index), want));
		if (!want)
			continue;
		sp_srtp_stream_commit(&s, index, i);
		seen[index] = true;
		highest = index > highest ? index : highest;
		cr_assert(eq(u64, s.index, highest));
		cr_assert(eq(u32, s.seen_ms, i));
	}
	cr_expect(gt(u64, highest, 50000));
}

static enum sp_srtp_fate
send(struct sp_srtp_stream *s, uint16_t seq, uint64_t *index)
{
	return sp_srtp_stream_send(s, seq, 0, index);
}

/* Send these numbers in a row and expect that they go out. */
static void
send_row(struct sp_srtp_stream *s, uint16_t from, unsigned int n)
{
	uint64_t index;

	for (unsigned int i = 0; i < n; i++)
		cr_assert(eq(int, send(s, (uint16_t)(from + i), &index),
			SP_SRTP_OK));
}

Test(srtp_stream, sending_uses_no_index_twice)
{
	struct sp_srtp_stream s = { 0 };
	uint64_t index = 77;

	send_row(&s, 1000, 200);
	cr_expect(eq(int, send(&s, 1199, &index), SP_SRTP_REPLAY));
	cr_expect(eq(int, send(&s, 1150, &index), SP_SRTP_REPLAY));
	cr_expect(eq(u64, index, 77));
	/* What was left out may come late. */
	cr_expect(eq(int, send(&s, 1203, &index), SP_SRTP_OK));
	cr_expect(eq(int, send(&s, 1202, &index), SP_SRTP_OK));
	cr_expect(eq(u64, index, 1202));
	cr_expect(eq(int, send(&s, 1202, &index), SP_SRTP_REPLAY));
}

Test(srtp_stream, a_source_that_starts_anew_follows_on_the_highest)
{
	struct sp_srtp_stream s = { 0 };
	uint64_t index;

	send_row(&s, 30000, 200); /* up to 30199 */
	cr_expect(eq(int, send(&s, 5, &index), SP_SRTP_REPLAY));
	cr_expect(eq(int, send(&s, 6, &index), SP_SRTP_OK));
	cr_expect(eq(u64, index, 30200));
	cr_expect(eq(u16, s.offset, 30200 - 6));
	send_row(&s, 7, 100);
	cr_expect(eq(u64, s.index, 30300));
	cr_expect(eq(int, send(&s, 50, &index), SP_SRTP_REPLAY));
	/* And once more. */
	cr_expect(eq(int, send(&s, 60000, &index), SP_SRTP_REPLAY));
	cr_expect(eq(int, send(&s, 60001, &index), SP_SRTP_OK));
	cr_expect(eq(u64, index, 30301));
	send_row(&s, 60002, 10000); /* across the source's cycle */
	cr_expect(eq(u64, s.index, 40301));
	send_row(&s, (uint16_t)70002, 30000); /* and across ours */
	cr_expect(eq(u64, s.index, 70301));
}

Test(srtp_stream, one_late_packet_is_no_new_start)
{
	struct sp_srtp_stream s = { 0 };
	uint64_t index;

	send_row(&s, 30000, 200);
	cr_expect(eq(int, send(&s, 5, &index), SP_SRTP_REPLAY));
	send_row(&s, 30200, 1);
	cr_expect(eq(int, send(&s, 6, &index), SP_SRTP_REPLAY));
	cr_expect(eq(u16, s.offset, 0));
	/* Nor are copies of a burst within the window. */
	for (uint16_t seq = 30100; seq < 30200; seq++)
		cr_assert(eq(int, send(&s, seq, &index), SP_SRTP_REPLAY));
	cr_expect(eq(u16, s.offset, 0));
	cr_expect(eq(u64, s.index, 30200));
}

Test(srtp_stream, sending_ends_with_the_last_index)
{
	struct sp_srtp_stream s = { .index = SP_SRTP_INDEX_MAX - 1 };
	struct sp_srtp_stream before;
	uint64_t index = 0;

	cr_expect(eq(int, send(&s, 65535, &index), SP_SRTP_OK));
	cr_expect(eq(u64, index, SP_SRTP_INDEX_MAX));
	before = s;
	cr_expect(eq(int, send(&s, 0, &index), SP_SRTP_EXPIRED));
	cr_expect(eq(int, send(&s, 5, &index), SP_SRTP_EXPIRED));
	cr_expect(memcmp(&s, &before, sizeof s) == 0);
	/* Neither does a new start help. */
	cr_expect(eq(int, send(&s, 40000, &index), SP_SRTP_REPLAY));
	cr_expect(eq(int, send(&s, 40001, &index), SP_SRTP_EXPIRED));
	cr_expect(eq(u64, s.index, SP_SRTP_INDEX_MAX));
}

Test(srtp_stream, rtcp_counts_from_1_to_its_last_index)
{
	struct sp_srtcp_stream s = { 0 };
	uint32_t index = 0;

	cr_expect(eq(int, sp_srtcp_stream_send(&s, &index), SP_SRTP_OK));
	cr_expect(eq(u32, index, 1));
	s.index = SP_SRTCP_INDEX_MAX - 1;
	cr_expect(eq(int, sp_srtcp_stream_send(&s, &index), SP_SRTP_OK));
	cr_expect(eq(u32, index, SP_SRTCP_INDEX_MAX));
	cr_expect(eq(int, sp_srtcp_stream_send(&s, &index), SP_SRTP_EXPIRED));
	cr_expect(eq(u32, index, SP_SRTCP_INDEX_MAX));
}

Test(srtp_stream, rtcp_has_a_window_of_its_own)
{
	struct sp_srtcp_stream s = { 0 };

	cr_expect(sp_srtcp_stream_fresh(&s, 0));
	sp_srtcp_stream_commit(&s, 0);
	cr_expect(not(sp_srtcp_stream_fresh(&s, 0)));
	sp_srtcp_stream_commit(&s, 200);
	cr_expect(not(sp_srtcp_stream_fresh(&s, 200)));
	cr_expect(not(sp_srtcp_stream_fresh(&s, 200 - SP_SRTP_WINDOW)));
	cr_expect(sp_srtcp_stream_fresh(&s, 201 - SP_SRTP_WINDOW));
	sp_srtcp_stream_commit(&s, SP_SRTCP_INDEX_MAX);
	cr_expect(not(sp_srtcp_stream_fresh(&s, SP_SRTCP_INDEX_MAX)));
	cr_expect(sp_srtcp_stream_fresh(&s, SP_SRTCP_INDEX_MAX - 1));
}
