/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/rtp.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <string.h>

#define FIXED(first) first, 0xe0, 0x12, 0x34, 1, 2, 3, 4, 0xde, 0xad, 0xbe, 0xef

/* Arrays, no pointers: Criterion copies each case into another process. */
struct parse_case {
	char name[40];
	uint8_t wire[32];
	size_t len;
	enum sp_status want;
	uint16_t header_len;
	uint8_t padding_len;
};

/* clang-format off */
static struct parse_case cases[] = {
	{ "shortest", { FIXED(0x80) }, 12, SP_OK, 12, 0 },
	{ "with payload", { FIXED(0x80), 1, 2, 3 }, 15, SP_OK, 12, 0 },
	{ "empty datagram", { 0 }, 0, SP_SHORT, 0, 0 },
	{ "one byte missing", { FIXED(0x80) }, 11, SP_SHORT, 0, 0 },
	{ "version 0", { FIXED(0x00) }, 12, SP_MALFORMED, 0, 0 },
	{ "version 1", { FIXED(0x40) }, 12, SP_MALFORMED, 0, 0 },
	{ "version 3", { FIXED(0xc0) }, 12, SP_MALFORMED, 0, 0 },
	{ "one source", { FIXED(0x81), 1, 2, 3, 4 }, 16, SP_OK, 16, 0 },
	{ "its last byte cut", { FIXED(0x81), 1, 2, 3 }, 15, SP_SHORT, 0, 0 },
	{ "15 sources cut", { FIXED(0x8f) }, 32, SP_SHORT, 0, 0 },
	{ "empty extension", { FIXED(0x90), 0xbe, 0xde, 0, 0 },
		16, SP_OK, 16, 0 },
	{ "extension of a word", { FIXED(0x90), 0xbe, 0xde, 0, 1, 1, 2, 3, 4 },
		20, SP_OK, 20, 0 },
	{ "extension header cut", { FIXED(0x90), 0xbe, 0xde, 0 },
		15, SP_SHORT, 0, 0 },
	{ "extension cut", { FIXED(0x90), 0xbe, 0xde, 0, 2, 1, 2, 3, 4 },
		20, SP_SHORT, 0, 0 },
	{ "extension of 256 KiB", { FIXED(0x90), 0xbe, 0xde, 0xff, 0xff },
		32, SP_SHORT, 0, 0 },
	{ "source and extension",
		{ FIXED(0x91), 9, 9, 9, 9, 0, 0, 0, 0, 7 }, 21, SP_OK, 20, 0 },
	{ "all padding", { FIXED(0xa0), 0, 0, 0, 4 }, 16, SP_OK, 12, 4 },
	{ "a byte of padding", { FIXED(0xa0), 5, 6, 7, 1 }, 16, SP_OK, 12, 1 },
	{ "padding of 0", { FIXED(0xa0), 5, 6, 7, 0 },
		16, SP_MALFORMED, 0, 0 },
	{ "padding into the header", { FIXED(0xa0), 5, 6, 7, 5 },
		16, SP_MALFORMED, 0, 0 },
	{ "padding, no payload", { FIXED(0xa0) }, 12, SP_MALFORMED, 0, 0 },
	{ "padding into extension",
		{ FIXED(0xb0), 0, 0, 0, 0, 2 }, 17, SP_MALFORMED, 0, 0 },
};
/* clang-format on */

ParameterizedTestParameters(rtp, parse_answers)
{
	return cr_make_param_array(
		struct parse_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct parse_case *tc, rtp, parse_answers)
{
	struct sp_rtp rtp = { .header_len = 99 };

	cr_assert(eq(int, sp_rtp_parse(tc->wire, tc->len, &rtp), tc->want),
		"%s", tc->name);
	if (tc->want != SP_OK) {
		cr_expect(eq(u16, rtp.header_len, 99), "untouched");
		return;
	}
	cr_expect(eq(u32, rtp.ssrc, 0xdeadbeef));
	cr_expect(eq(u32, rtp.timestamp, 0x01020304));
	cr_expect(eq(u16, rtp.seq, 0x1234));
	cr_expect(eq(u8, rtp.payload_type, 0x60));
	cr_expect(eq(u8, rtp.marker, 1));
	cr_expect(eq(u16, rtp.header_len, tc->header_len), "%s", tc->name);
	cr_expect(eq(u8, rtp.padding_len, tc->padding_len), "%s", tc->name);
}

ParameterizedTestParameters(rtp, read_answers_as_parse_does)
{
	return cr_make_param_array(
		struct parse_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct parse_case *tc, rtp, read_answers_as_parse_does)
{
	struct sp_rtp slow, fast;

	memset(&slow, 0x55, sizeof slow);
	memset(&fast, 0x55, sizeof fast);
	cr_assert(eq(int, sp_rtp_read(tc->wire, tc->len, &fast),
			  sp_rtp_parse(tc->wire, tc->len, &slow)),
		"%s", tc->name);
	cr_expect(eq(u32, fast.ssrc, slow.ssrc));
	cr_expect(eq(u32, fast.timestamp, slow.timestamp));
	cr_expect(eq(u16, fast.seq, slow.seq));
	cr_expect(eq(u16, fast.header_len, slow.header_len));
	cr_expect(eq(u8, fast.payload_type, slow.payload_type));
	cr_expect(eq(u8, fast.marker, slow.marker));
	cr_expect(eq(u8, fast.padding_len, slow.padding_len));
}

Test(rtp, the_header_alone_does_not_look_at_encrypted_padding)
{
	const uint8_t wire[] = { FIXED(0xa0), 5, 6, 7, 0xff };
	struct sp_rtp rtp;

	cr_expect(eq(int, sp_rtp_parse(wire, sizeof wire, &rtp), SP_MALFORMED));
	cr_assert(eq(int, sp_rtp_parse_header(wire, sizeof wire, &rtp), SP_OK));
	cr_expect(eq(u8, rtp.padding_len, 0));
	cr_expect(eq(u16, rtp.header_len, 12));
}

Test(rtp, more_than_a_datagram_can_hold_is_refused)
{
	static uint8_t wire[UINT16_MAX + 1] = { FIXED(0x80) };
	struct sp_rtp rtp;

	cr_expect(eq(int, sp_rtp_read(wire, UINT16_MAX, &rtp), SP_OK));
	cr_expect(eq(int, sp_rtp_read(wire, sizeof wire, &rtp), SP_TOO_LONG));
	cr_expect(eq(int, sp_rtp_parse(wire, sizeof wire, &rtp), SP_TOO_LONG));
}
