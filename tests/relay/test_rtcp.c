/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/rtcp.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <string.h>

#define SSRC 0xde, 0xad, 0xbe, 0xef
#define RR 0x80, 201, 0, 1, SSRC
#define BYE_OF_NOBODY 0x80, 203, 0, 0
#define SDES 0x81, 202, 0, 2, SSRC, 1, 1, 'a', 0

struct check_case {
	char name[40];
	uint8_t wire[64];
	size_t len;
	enum sp_status whole;
	enum sp_status first_only;
	uint16_t packets;
};

/* clang-format off */
static struct check_case cases[] = {
	{ "shortest", { RR }, 8, SP_OK, SP_OK, 1 },
	{ "RR and SDES", { RR, SDES }, 20, SP_OK, SP_OK, 2 },
	{ "BYE without source after it", { RR, BYE_OF_NOBODY },
		12, SP_OK, SP_OK, 2 },
	{ "feedback of reduced size", { 0x81, 205, 0, 2, SSRC, 1, 2, 3, 4 },
		12, SP_OK, SP_OK, 1 },
	{ "lowest type", { 0x80, 192, 0, 1, SSRC }, 8, SP_OK, SP_OK, 1 },
	{ "highest type", { 0x80, 223, 0, 1, SSRC }, 8, SP_OK, SP_OK, 1 },
	{ "type too low", { 0x80, 191, 0, 1, SSRC },
		8, SP_MALFORMED, SP_MALFORMED, 0 },
	{ "type too high", { 0x80, 224, 0, 1, SSRC },
		8, SP_MALFORMED, SP_MALFORMED, 0 },
	{ "version 1", { 0x40, 201, 0, 1, SSRC },
		8, SP_MALFORMED, SP_MALFORMED, 0 },
	{ "version 3", { 0xc0, 201, 0, 1, SSRC },
		8, SP_MALFORMED, SP_MALFORMED, 0 },
	{ "nothing", { 0 }, 0, SP_SHORT, SP_SHORT, 0 },
	{ "four bytes that unset a latch", { 0x80, 201, 0, 0 },
		4, SP_SHORT, SP_SHORT, 0 },
	{ "seven bytes", { RR }, 7, SP_SHORT, SP_SHORT, 0 },
	{ "no sender in the first", { BYE_OF_NOBODY, RR },
		12, SP_SHORT, SP_SHORT, 0 },
	{ "length beyond the end", { 0x80, 201, 0, 2, SSRC },
		8, SP_SHORT, SP_SHORT, 0 },
	{ "length of 256 KiB", { 0x80, 201, 0xff, 0xff, SSRC },
		8, SP_SHORT, SP_SHORT, 0 },
	{ "three bytes too many", { RR, 0x80, 203, 0 },
		11, SP_SHORT, SP_OK, 1 },
	{ "second is cut off", { RR, SDES }, 19, SP_SHORT, SP_OK, 1 },
	{ "second is version 0", { RR, 0, 0, 0, 0 },
		12, SP_MALFORMED, SP_OK, 1 },
	{ "second is no RTCP", { RR, 0x80, 0, 0, 0 },
		12, SP_MALFORMED, SP_OK, 1 },
	{ "padding of a word", { 0xa0, 201, 0, 2, SSRC, 0, 0, 0, 4 },
		12, SP_OK, SP_OK, 1 },
	{ "padding in the last", { RR, 0xa0, 203, 0, 1, 0, 0, 0, 4 },
		16, SP_OK, SP_OK, 2 },
	{ "padding in the first", { 0xa0, 201, 0, 2, SSRC, 0, 0, 0, 4, RR },
		20, SP_MALFORMED, SP_OK, 1 },
	{ "padding of 0", { 0xa0, 201, 0, 2, SSRC, 0, 0, 0, 0 },
		12, SP_MALFORMED, SP_OK, 1 },
	{ "padding of 3", { 0xa0, 201, 0, 2, SSRC, 0, 0, 0, 3 },
		12, SP_MALFORMED, SP_OK, 1 },
	{ "padding beyond the body", { 0xa0, 201, 0, 2, SSRC, 0, 0, 0, 12 },
		12, SP_MALFORMED, SP_OK, 1 },
	{ "padding eats the sender", { 0xa0, 201, 0, 2, SSRC, 0, 0, 0, 8 },
		12, SP_SHORT, SP_OK, 1 },
	{ "padding without a body", { RR, 0xa0, 203, 0, 0 },
		12, SP_MALFORMED, SP_OK, 1 },
	{ "RTP", { 0x80, 0, 0, 1, SSRC, 1, 2, 3, 4 },
		12, SP_MALFORMED, SP_MALFORMED, 0 },
};
/* clang-format on */

ParameterizedTestParameters(rtcp, check_walks_to_the_end)
{
	return cr_make_param_array(
		struct check_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct check_case *tc, rtcp, check_walks_to_the_end)
{
	struct sp_rtcp_info info = { .packets = 99 };

	cr_assert(eq(int, sp_rtcp_check(tc->wire, tc->len, false, &info),
			  tc->whole),
		"%s", tc->name);
	if (tc->whole != SP_OK) {
		cr_expect(eq(u16, info.packets, 99), "untouched");
		return;
	}
	cr_expect(eq(u32, info.ssrc, 0xdeadbeef), "%s", tc->name);
	cr_expect(eq(u8, info.type, tc->wire[1]), "%s", tc->name);
	cr_expect(eq(u16, info.packets, tc->packets), "%s", tc->name);
}

ParameterizedTestParameters(rtcp, check_can_stop_after_the_first)
{
	return cr_make_param_array(
		struct check_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct check_case *tc, rtcp, check_can_stop_after_the_first)
{
	struct sp_rtcp_info info = { .packets = 99 };

	cr_assert(eq(int, sp_rtcp_check(tc->wire, tc->len, true, &info),
			  tc->first_only),
		"%s", tc->name);
	if (tc->first_only == SP_OK) {
		cr_expect(eq(u32, info.ssrc, 0xdeadbeef), "%s", tc->name);
		cr_expect(eq(u16, info.packets, 1), "%s", tc->name);
	}
}

Test(rtcp, check_notices_a_bye)
{
	const uint8_t wire[] = { RR, 0x81, 203, 0, 1, SSRC };
	struct sp_rtcp_info info;

	cr_assert(eq(int, sp_rtcp_check(wire, 8, false, &info), SP_OK));
	cr_expect(not(info.bye));
	cr_assert(
		eq(int, sp_rtcp_check(wire, sizeof wire, false, &info), SP_OK));
	cr_expect(info.bye);
}

Test(rtcp, check_refuses_more_than_a_datagram_holds)
{
	static uint8_t wire[1 << 16];
	struct sp_rtcp_info info;

	for (size_t i = 0; i < sizeof wire; i += 8)
		memcpy(wire + i, (uint8_t[]){ RR }, 8);
	cr_expect(eq(int, sp_rtcp_check(wire, sizeof wire, false, &info),
		SP_TOO_LONG));
	cr_assert(eq(int, sp_rtcp_check(wire, sizeof wire - 8, false, &info),
		SP_OK));
	cr_expect(eq(u16, info.packets, sizeof wire / 8 - 1));
}

Test(rtcp, next_gives_the_body_without_header_and_padding)
{
	const uint8_t wire[] = { RR, 0xa3, 206, 0, 3, SSRC, 1, 2, 3, 4, 0, 0, 0,
		4 };
	struct sp_cursor at = sp_cursor(wire, sizeof wire);
	struct sp_rtcp_packet p;

	cr_assert(eq(int, sp_rtcp_next(&at, &p), SP_OK));
	cr_expect(eq(u8, p.type, SP_RTCP_RR));
	cr_expect(eq(sz, sp_cursor_left(&p.body), 4));
	cr_assert(eq(int, sp_rtcp_next(&at, &p), SP_OK));
	cr_expect(eq(u8, p.type, SP_RTCP_PSFB));
	cr_expect(eq(u8, p.count, 3));
	cr_expect(eq(u8, p.padding_len, 4));
	cr_expect(eq(u32, p.ssrc, 0xdeadbeef));
	cr_expect(p.body.at == wire + 12);
	cr_expect(eq(sz, sp_cursor_left(&p.body), 8));
	cr_expect(eq(sz, sp_cursor_left(&at), 0));
}

Test(rtcp, next_stays_where_it_is_when_it_fails)
{
	const uint8_t wire[] = { RR };
	struct sp_cursor at = sp_cursor(wire, 6);
	struct sp_rtcp_packet p = { .type = 99 };

	cr_expect(eq(int, sp_rtcp_next(&at, &p), SP_SHORT));
	cr_expect(at.at == wire);
	cr_expect(not(at.failed));
	cr_expect(eq(u8, p.type, 99));
}
