/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "relay/rtcp_ref.h"

#define HEADER(count, type, words) 0x80 | (count), type, 0, words
#define SSRC(n) 0, 0, 0, n
#define SENDER_INFO                                                            \
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20
/* Loss, the highest number, jitter, last report and the delay since. */
#define BLOCK(n)                                                               \
	SSRC(n), 0xff, 0, 0, 1, 0, 1, 0, n, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4

/* A datagram, and where it says what of whom. */
struct speech {
	char name[32];
	uint8_t bytes[112];
	uint8_t len;
	uint8_t n;
	struct sp_rtcp_ref want[4];
};

ParameterizedTestParameters(rtcp_ref, lists_what_is_said)
{
	/* clang-format off */
	static struct speech cases[] = {
		{ "receiver report", { HEADER(2, 201, 13), SSRC(9), BLOCK(1),
			BLOCK(2) }, 56, 2, { { 1, 16, 4 }, { 2, 40, 4 } } },
		{ "sender report", { HEADER(1, 200, 12), SSRC(9), SENDER_INFO,
			BLOCK(1) }, 52, 1, { { 1, 36, 4 } } },
		{ "no blocks", { HEADER(0, 201, 1), SSRC(9) }, 8, 0,
			{ { 0, 0, 0 } } },
		{ "fewer blocks than counted", { HEADER(3, 201, 7), SSRC(9),
			BLOCK(1) }, 32, 1, { { 1, 16, 4 } } },
		{ "compound", { HEADER(1, 201, 7), SSRC(9), BLOCK(1),
			HEADER(1, 205, 4), SSRC(9), SSRC(2), 0, 5, 0, 1,
			0, 9, 0, 0 }, 52, 3,
			{ { 1, 16, 4 }, { 2, 44, 2 }, { 2, 48, 2 } } },
		{ "other feedback", { HEADER(15, 205, 4), SSRC(9), SSRC(2),
			0, 5, 0, 1, 0, 9, 0, 0 }, 20, 0, { { 0, 0, 0 } } },
		{ "picture feedback", { HEADER(1, 206, 2), SSRC(9), SSRC(2) },
			12, 0, { { 0, 0, 0 } } },
		{ "extended", { HEADER(0, 207, 11), SSRC(9),
			1, 0, 0, 3, SSRC(4), 0, 1, 0, 9, 0, 0, 0, 0,
			7, 0, 0, 0,
			6, 0, 0, 2, SSRC(5), 0, 1, 0, 9,
			4, 0, 0, 0 }, 48, 4,
			{ { 4, 16, 2 }, { 4, 18, 2 }, { 5, 36, 2 },
			{ 5, 38, 2 } } },
		{ "extended, cut short", { HEADER(0, 207, 3), SSRC(9),
			1, 0, 0, 9, SSRC(4) }, 16, 0, { { 0, 0, 0 } } },
		{ "goodbye", { HEADER(1, 203, 1), SSRC(9) }, 8, 0,
			{ { 0, 0, 0 } } },
		{ "no RTCP after a report", { HEADER(1, 201, 7), SSRC(9),
			BLOCK(1), 1, 2, 3, 4 }, 36, 1, { { 1, 16, 4 } } },
		{ "nothing", { 0 }, 0, 0, { { 0, 0, 0 } } },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct speech, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct speech *tc, rtcp_ref, lists_what_is_said)
{
	struct sp_rtcp_ref ref[SP_RTCP_REFS];
	const unsigned int n = sp_rtcp_ref_list(tc->bytes, tc->len, ref);

	cr_assert(eq(uint, n, tc->n), "%s", tc->name);
	for (unsigned int i = 0; i < n; i++) {
		cr_expect(eq(u32, ref[i].ssrc, tc->want[i].ssrc), "%s, %u",
			tc->name, i);
		cr_expect(eq(u16, ref[i].at, tc->want[i].at), "%s, %u",
			tc->name, i);
		cr_expect(eq(u8, ref[i].len, tc->want[i].len), "%s, %u",
			tc->name, i);
	}
}

Test(rtcp_ref, stops_at_so_many)
{
	static uint8_t bytes[4 + 8 + 4 * 100];
	struct sp_rtcp_ref ref[SP_RTCP_REFS];

	memcpy(bytes, (uint8_t[]){ HEADER(1, 205, 102) }, 4);
	cr_expect(eq(uint, sp_rtcp_ref_list(bytes, sizeof bytes, ref),
		SP_RTCP_REFS));
}

Test(rtcp_ref, shifts_a_number_and_nothing_else)
{
	uint8_t bytes[8] = { 1, 0, 2, 0, 3, 7, 7, 7 };
	const struct sp_rtcp_ref four = { .at = 1, .len = 4 };
	const struct sp_rtcp_ref two = { .at = 3, .len = 2 };

	sp_rtcp_ref_shift(bytes, &four, 5);
	cr_expect(eq(int,
		memcmp(bytes, (uint8_t[]){ 1, 0, 1, 0xff, 0xfe, 7, 7, 7 }, 8),
		0));
	sp_rtcp_ref_shift(bytes, &two, 0xffff);
	cr_expect(eq(int,
		memcmp(bytes, (uint8_t[]){ 1, 0, 1, 0xff, 0xff, 7, 7, 7 }, 8),
		0));
}
