/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/sdes.h"

#define K30 "rV/YhmgzW2vmAix3KiARq0UXHUBvMVVREJDElE3n"
#define L30 "Mp5paR3S8w2Hq+ZOa+z0pCxhUsplYAQTOBUvyfsd"
#define M30 "gTOKB1Ta++GsPWre4EkSlXa2bRn2RgXoIG7s3dT6"
#define K46 "Nl1sEp2kW952H+IuIEOwoVZToHjL3R1a+RogmTpnFvoQLDRE0pVPEfeykUXOwA"
#define K28 "Xzhk93YWKfjGKEGEI8AHssiJfG7mIqvGZEknTw"
#define K44 "s7bDnROmibjAJTc2KZEQFRk4Damnmb0LHbOHbnNZz1QALT4qaGvJ/KBz3uw"
#define CM "AES_CM_128_HMAC_SHA1_80 inline:"

/* Parse from a block of its own: ASan sees the first byte beyond. */
static enum sp_status
parse(const char *text, struct sp_sdes *out)
{
	const size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	enum sp_status status;

	cr_assert(copy != NULL);
	memcpy(copy, text, len);
	status = sp_sdes_parse((struct sp_sdp_text){ copy, len }, out);
	free(copy);
	return status;
}

static const char *
written(const struct sp_sdes *line)
{
	static char text[SP_SDES_TEXT_MAX + 1];
	const size_t len = sp_sdes_write(line, text);

	cr_assert(le(sz, len, (size_t)SP_SDES_TEXT_MAX));
	text[len] = '\0';
	return text;
}

/* A line, and what is to be said of it. */
struct parse_case {
	char text[300];
	enum sp_status want;
};

static struct parse_case parse_cases[] = {
	/* The shortest, and each suite. */
	{ "1 " CM K30, SP_OK },
	{ "1 AES_CM_128_HMAC_SHA1_32 inline:" K30, SP_OK },
	{ "1 AES_256_CM_HMAC_SHA1_80 inline:" K46, SP_OK },
	{ "1 AES_256_CM_HMAC_SHA1_32 inline:" K46 "==", SP_OK },
	{ "1 AEAD_AES_128_GCM inline:" K28 "==", SP_OK },
	{ "1 AEAD_AES_256_GCM inline:" K44 "=", SP_OK },
	{ "1 aead_aes_128_gcm INLINE:" K28, SP_OK },

	/* The tag. */
	{ "", SP_MALFORMED },
	{ "1", SP_MALFORMED },
	{ "999999999 " CM K30, SP_OK },
	{ "1000000000 " CM K30, SP_MALFORMED },
	{ "0 " CM K30, SP_MALFORMED },
	{ "01 " CM K30, SP_MALFORMED },
	{ "-1 " CM K30, SP_MALFORMED },
	{ "x " CM K30, SP_MALFORMED },
	{ CM K30, SP_MALFORMED },

	/* The suite. */
	{ "1 AES_CM_128_HMAC_SHA1_80", SP_MALFORMED },
	{ "1 inline:" K30, SP_MALFORMED },
	{ "1 AES-CM-128 inline:" K30, SP_MALFORMED },
	{ "1 AES_CM_128_HMAC_SHA1_8 inline:" K30, SP_UNSUPPORTED },
	{ "1 F8_128_HMAC_SHA1_80 inline:" K30, SP_UNSUPPORTED },
	{ "1 AES_192_CM_HMAC_SHA1_80 inline:" K46, SP_UNSUPPORTED },
	{ "1 NULL_HMAC_SHA1_80 inline:" K30, SP_UNSUPPORTED },
	{ "1 none inline:" K30, SP_UNSUPPORTED },
	{ "1 F8_128_HMAC_SHA1_80 inline:", SP_MALFORMED },
	{ "1 F8_128_HMAC_SHA1_80 inline", SP_MALFORMED },

	/* The key. */
	{ "1 " CM, SP_MALFORMED },
	{ "1 AES_CM_128_HMAC_SHA1_80 inline", SP_MALFORMED },
	{ "1 AES_CM_128_HMAC_SHA1_80 :" K30, SP_MALFORMED },
	{ "1 AES_CM_128_HMAC_SHA1_80 in-line:" K30, SP_MALFORMED },
	{ "1 AES_CM_128_HMAC_SHA1_80 uri:x", SP_UNSUPPORTED },
	{ "1 AES_CM_128_HMAC_SHA1_80 uri:", SP_MALFORMED },
	{ "1 " CM K30 "A", SP_MALFORMED },
	{ "1 " CM K30 "=", SP_MALFORMED },
	{ "1 " CM K28, SP_MALFORMED },
	{ "1 " CM K46, SP_MALFORMED },
	{ "1 " CM "*" K30, SP_MALFORMED },
	{ "1 AEAD_AES_128_GCM inline:" K28 "=", SP_OK },
	{ "1 AEAD_AES_128_GCM inline:" K28 "===", SP_MALFORMED },
	{ "1 AEAD_AES_128_GCM inline:" K28 "A", SP_MALFORMED },
	{ "1 AEAD_AES_128_GCM inline:" K30, SP_MALFORMED },
	{ "1 AEAD_AES_256_GCM inline:" K44 "==", SP_MALFORMED },
	{ "1 AEAD_AES_256_GCM inline:" K46, SP_MALFORMED },
	{ "1 AES_256_CM_HMAC_SHA1_80 inline:" K44, SP_MALFORMED },
	{ "1 " CM "=" K30, SP_MALFORMED },
	{ "1 " CM K30 "\x7f", SP_MALFORMED },

	/* The lifetime. */
	{ "1 " CM K30 "|2^31", SP_OK },
	{ "1 " CM K30 "|2^0", SP_OK },
	{ "1 " CM K30 "|2^48", SP_OK },
	{ "1 " CM K30 "|2^49", SP_MALFORMED },
	{ "1 " CM K30 "|2^", SP_MALFORMED },
	{ "1 " CM K30 "|3^3", SP_MALFORMED },
	{ "1 " CM K30 "|1", SP_OK },
	{ "1 " CM K30 "|0", SP_MALFORMED },
	{ "1 " CM K30 "|", SP_MALFORMED },
	{ "1 " CM K30 "|281474976710656", SP_OK },
	{ "1 " CM K30 "|281474976710657", SP_MALFORMED },
	{ "1 " CM K30 "|99999999999999999999999", SP_MALFORMED },
	{ "1 " CM K30 "|2^31|2^31", SP_MALFORMED },
	{ "1 " CM K30 "|2^31|", SP_MALFORMED },

	/* The MKI. */
	{ "1 " CM K30 "|1:1", SP_OK },
	{ "1 " CM K30 "|2^31|1:1", SP_OK },
	{ "1 " CM K30 "|1:1|2^31", SP_MALFORMED },
	{ "1 " CM K30 "|1:1|1:1", SP_MALFORMED },
	{ "1 " CM K30 "|255:1", SP_OK },
	{ "1 " CM K30 "|256:1", SP_MALFORMED },
	{ "1 " CM K30 "|65536:2", SP_MALFORMED },
	{ "1 " CM K30 "|340282366920938463463374607431768211455:16", SP_OK },
	{ "1 " CM K30 "|340282366920938463463374607431768211456:16",
		SP_MALFORMED },
	{ "1 " CM K30 "|1:17", SP_UNSUPPORTED },
	/* Zeros that would cost time: 41 digits. */
	{ "1 " CM K30 "|00000000000000000000000000000000000000001:16",
		SP_MALFORMED },
	{ "1 " CM K30 "|1:128", SP_UNSUPPORTED },
	{ "1 " CM K30 "|1:129", SP_MALFORMED },
	{ "1 " CM K30 "|1:0", SP_MALFORMED },
	{ "1 " CM K30 "|1:", SP_MALFORMED },
	{ "1 " CM K30 "|:1", SP_MALFORMED },
	{ "1 " CM K30 "|x:1", SP_MALFORMED },
	{ "1 " CM K30 "|x:17", SP_MALFORMED },
	{ "1 " CM K30 "|1:1:1", SP_MALFORMED },

	/* Several keys. */
	{ "1 " CM K30 "|1:1;inline:" L30 "|2:1", SP_OK },
	{ "1 " CM K30 "|2^9|1:1;inline:" L30 "|2^9|2:1", SP_OK },
	{ "1 " CM K30 "|1:1;inline:" L30 "|1:1", SP_MALFORMED },
	{ "1 " CM K30 "|1:1;inline:" L30 "|2:2", SP_MALFORMED },
	{ "1 " CM K30 "|1:1;inline:" L30, SP_MALFORMED },
	{ "1 " CM K30 ";inline:" L30 "|1:1", SP_MALFORMED },
	{ "1 " CM K30 ";inline:" L30, SP_MALFORMED },
	{ "1 " CM K30 "|1:1;inline:" L30 "|2:1;inline:" M30 "|3:1",
		SP_UNSUPPORTED },
	{ "1 " CM K30 "|1:1;", SP_MALFORMED },
	{ "1 " CM K30 "|1:1;;inline:" L30 "|2:1", SP_MALFORMED },
	{ "1 " CM K30 "|1:1;uri:x", SP_UNSUPPORTED },

	/* Session parameters. */
	{ "1 " CM K30 " UNENCRYPTED_SRTP", SP_OK },
	{ "1 " CM K30 " UNENCRYPTED_SRTCP UNENCRYPTED_SRTP", SP_OK },
	{ "1 " CM K30 "\t UNAUTHENTICATED_SRTP ", SP_OK },
	{ "1 AEAD_AES_128_GCM inline:" K28 " UNENCRYPTED_SRTP",
		SP_UNSUPPORTED },
	{ "1 AEAD_AES_128_GCM inline:" K28 " UNENCRYPTED_SRTCP",
		SP_UNSUPPORTED },
	{ "1 AEAD_AES_256_GCM inline:" K44 " UNAUTHENTICATED_SRTP",
		SP_UNSUPPORTED },
	{ "1 " CM K30 " KDR=0", SP_UNSUPPORTED },
	{ "1 " CM K30 " KDR=24", SP_UNSUPPORTED },
	{ "1 " CM K30 " KDR=25", SP_MALFORMED },
	{ "1 " CM K30 " KDR=001", SP_MALFORMED },
	{ "1 " CM K30 " KDR", SP_MALFORMED },
	{ "1 " CM K30 " FEC_ORDER=FEC_SRTP", SP_OK },
	{ "1 " CM K30 " FEC_ORDER=SRTP_FEC", SP_UNSUPPORTED },
	{ "1 " CM K30 " FEC_ORDER=x", SP_MALFORMED },
	{ "1 " CM K30 " FEC_KEY=inline:" L30, SP_UNSUPPORTED },
	{ "1 " CM K30 " WSH=64", SP_OK },
	{ "1 " CM K30 " WSH=1024", SP_OK },
	{ "1 " CM K30 " WSH=63", SP_MALFORMED },
	{ "1 " CM K30 " WSH=", SP_MALFORMED },
	{ "1 " CM K30 " WSH=x64", SP_MALFORMED },
	{ "1 " CM K30 " NEWS", SP_UNSUPPORTED },
	{ "1 " CM K30 " NEWS=1", SP_UNSUPPORTED },
	{ "1 " CM K30 " -NEWS", SP_OK },
	{ "1 " CM K30 " -NEWS=1 WSH=64", SP_OK },
	{ "1 " CM K30 " --NEWS", SP_MALFORMED },
	{ "1 " CM K30 " -", SP_MALFORMED },
	{ "1 " CM K30 " \x01", SP_MALFORMED },
	{ "1 F8_128_HMAC_SHA1_80 inline:" K30 " \xff", SP_MALFORMED },

	/* Blanks. */
	{ " \t1\t AES_CM_128_HMAC_SHA1_80 \tinline:" K30 " ", SP_OK },
	{ "1 AES_CM_128_HMAC_SHA1_80 inline: " K30, SP_MALFORMED },
};

ParameterizedTestParameters(sdes, parse_answers)
{
	return cr_make_param_array(struct parse_case, parse_cases,
		sizeof parse_cases / sizeof *parse_cases);
}

ParameterizedTest(struct parse_case *tc, sdes, parse_answers)
{
	struct sp_sdes line, was;

	memset(&line, 0x55, sizeof line);
	was = line;
	cr_expect(
		eq(int, parse(tc->text, &line), tc->want), "\"%s\"", tc->text);
	cr_expect(eq(int, memcmp(&line, &was, sizeof line) != 0,
			  tc->want == SP_OK),
		"\"%s\"", tc->text);
}

Test(sdes, every_field_is_read)
{
	static const uint8_t key[] = { 0xad, 0x5f, 0xd8, 0x86, 0x68, 0x33, 0x5b,
		0x6b, 0xe6, 0x02, 0x2c, 0x77, 0x2a, 0x20, 0x11, 0xab, 0x45,
		0x17, 0x1d, 0x40, 0x6f, 0x31, 0x55, 0x51, 0x10, 0x90, 0xc4,
		0x94, 0x4d, 0xe7 };
	static const uint8_t mki[] = { 0x00, 0x01, 0x02, 0x03 };
	struct sp_sdes line;

	cr_assert(eq(int,
		parse("7 " CM K30 "|2^20|66051:4 UNENCRYPTED_SRTCP", &line),
		SP_OK));
	cr_expect(eq(u32, line.tag, 7));
	cr_expect(line.lifetime);
	cr_expect(eq(int, line.srtp.suite, SP_SRTP_AES_CM_128_80));
	cr_expect(eq(int, line.srtp.flags, SP_SRTP_PLAIN_RTCP));
	cr_expect(eq(int, line.srtp.n_keys, 1));
	cr_expect(eq(int, line.srtp.mki_len, 4));
	cr_expect(memcmp(line.srtp.key[0].key, key, sizeof key) == 0);
	cr_expect(memcmp(line.srtp.key[0].mki, mki, sizeof mki) == 0);
	for (size_t i = sizeof key; i < SP_SRTP_KEY_MAX; i++)
		cr_expect(eq(int, line.srtp.key[0].key[i], 0));

	cr_assert(eq(int, parse("1 " CM K30, &line), SP_OK));
	cr_expect(not(line.lifetime));
	cr_expect(eq(int, line.srtp.mki_len, 0));
	cr_expect(eq(int, line.srtp.flags, 0));
}

Test(sdes, two_keys_are_told_apart)
{
	struct sp_sdes line, one, two;

	cr_assert(eq(int, parse("1 " CM L30 "|9:1", &one), SP_OK));
	cr_assert(eq(int, parse("1 " CM K30 "|8:1", &two), SP_OK));
	cr_assert(eq(int, parse("1 " CM L30 "|9:1;inline:" K30 "|8:1", &line),
		SP_OK));
	cr_expect(eq(int, line.srtp.n_keys, 2));
	cr_expect(memcmp(&line.srtp.key[0], &one.srtp.key[0],
			  sizeof line.srtp.key[0]) == 0);
	cr_expect(memcmp(&line.srtp.key[1], &two.srtp.key[0],
			  sizeof line.srtp.key[0]) == 0);
}

/* What comes, and what is written of it. */
struct write_case {
	char text[300];
	char want[300];
};

ParameterizedTestParameters(sdes, lines_leave_in_one_form)
{
	static struct write_case cases[] = {
		{ "1 " CM K30, "1 " CM K30 },
		{ " 22\tAES_CM_128_HMAC_SHA1_80  INLINE:" K30 " -x WSH=64",
			"22 " CM K30 },
		{ "1 " CM K30 "|2^20|00001:4", "1 " CM K30 "|2^31|1:4" },
		{ "1 " CM K30 "|1048576", "1 " CM K30 "|2^31" },
		{ "1 " CM K30 "|0:16", "1 " CM K30 "|0:16" },
		{ "1 AEAD_AES_128_GCM inline:" K28,
			"1 AEAD_AES_128_GCM inline:" K28 "==" },
		{ "1 AEAD_AES_256_GCM inline:" K44,
			"1 AEAD_AES_256_GCM inline:" K44 "=" },
		{ "1 aes_256_cm_hmac_sha1_32 inline:" K46,
			"1 AES_256_CM_HMAC_SHA1_32 inline:" K46 "==" },
		{ "1 " CM K30
		  " UNAUTHENTICATED_SRTP unencrypted_srtcp UNENCRYPTED_SRTP",
			"1 " CM K30 " UNENCRYPTED_SRTP UNENCRYPTED_SRTCP "
			"UNAUTHENTICATED_SRTP" },
		{ "1 " CM K30 "|2:1;inline:" L30 "|1:1",
			"1 " CM K30 "|2:1;inline:" L30 "|1:1" },
		{ "1 " CM K30 "|2^4|2:1;inline:" L30 "|1:1",
			"1 " CM K30 "|2^31|2:1;inline:" L30 "|2^31|1:1" },
	};

	return cr_make_param_array(
		struct write_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct write_case *tc, sdes, lines_leave_in_one_form)
{
	struct sp_sdes line;

	cr_assert(eq(int, parse(tc->text, &line), SP_OK), "%s", tc->text);
	cr_expect(eq(str, (char *)written(&line), tc->want));
}

/* Bytes that differ from each other and from time to time. */
static void
fill(uint8_t *to, size_t len, uint32_t *seed)
{
	for (size_t i = 0; i < len; i++) {
		*seed = *seed * 1103515245u + 12345u;
		to[i] = (uint8_t)(*seed >> 16);
	}
}

/* Any key of any suite, with any MKI. */
static struct sp_sdes
some_line(unsigned int suite, unsigned int mki_len, uint32_t seed)
{
	const struct sp_srtp_facts *facts =
		sp_srtp_facts((enum sp_srtp_suite)suite);
	struct sp_sdes line = {
		.tag = 1 + seed % SP_SDES_TAG_MAX,
		.lifetime = seed & 1,
		.srtp = {
			.suite = (uint8_t)suite,
			.mki_len = (uint8_t)mki_len,
			.n_keys = mki_len > 0 && seed & 2 ? 2 : 1,
			.flags = (uint8_t)(facts->aead ? 0 : seed >> 2 & 7),
		},
	};

	for (unsigned int k = 0; k < line.srtp.n_keys; k++) {
		struct sp_srtp_key *key = &line.srtp.key[k];

		fill(key->key, facts->key_len + facts->salt_len, &seed);
		fill(key->mki, mki_len, &seed);
	}
	if (line.srtp.n_keys == 2)
		line.srtp.key[1].mki[0] = (uint8_t)~line.srtp.key[0].mki[0];
	return line;
}

Test(sdes, what_is_written_is_read_again)
{
	struct sp_sdes line, again;

	for (unsigned int suite = 1; suite < SP_SRTP_SUITES; suite++)
		for (unsigned int len = 0; len <= SP_SRTP_MKI_MAX; len++)
			for (unsigned int seed = 0; seed < 64; seed++) {
				line = some_line(suite, len, seed * 7);
				cr_assert(eq(int, parse(written(&line), &again),
						  SP_OK),
					"%s", written(&line));
				cr_assert(
					memcmp(&line, &again, sizeof line) == 0,
					"%s", written(&line));
			}
}

Test(sdes, suite_is_written_as_its_phone_has_it)
{
	struct sp_sdes line;

	cr_assert(eq(int, parse("1 AES_CM_256_HMAC_SHA1_80 inline:" K46, &line),
		SP_OK));
	cr_expect(ne(ptr, strstr(written(&line), "1 AES_CM_256_HMAC_SHA1_80 "),
		NULL));
	line.other_name = false;
	cr_expect(ne(ptr, strstr(written(&line), "1 AES_256_CM_HMAC_SHA1_80 "),
		NULL));
	/* There is no such name for others. */
	line = some_line(SP_SRTP_AES_CM_128_80, 0, 1);
	line.other_name = true;
	cr_expect(ne(ptr, strstr(written(&line), " AES_CM_128_HMAC_SHA1_80 "),
		NULL));
}

Test(sdes, longest_line_is_as_long_as_the_header_says)
{
	struct sp_sdes line = {
		.tag = SP_SDES_TAG_MAX,
		.lifetime = true,
		.srtp = {
			.suite = SP_SRTP_AES_CM_256_80,
			.flags = SP_SRTP_PLAIN_RTP | SP_SRTP_PLAIN_RTCP |
				SP_SRTP_NO_AUTH,
			.mki_len = SP_SRTP_MKI_MAX,
			.n_keys = SP_SRTP_KEYS_MAX,
		},
	};

	memset(line.srtp.key, 0xff, sizeof line.srtp.key);
	cr_expect(le(sz, strlen(written(&line)), (size_t)SP_SDES_TEXT_MAX));
	cr_expect(gt(sz, strlen(written(&line)), SP_SDES_TEXT_MAX - 16));
}

/* As devices and their manuals have them; keys are others. */
struct peer_case {
	char name[16];
	char text[160];
	enum sp_srtp_suite suite;
	uint8_t mki_len;
};

ParameterizedTestParameters(sdes, lines_of_real_peers_are_read)
{
	static struct peer_case cases[] = {
		{ "baresip", "7 " CM K30, SP_SRTP_AES_CM_128_80, 0 },
		{ "baresip", "2 AEAD_AES_128_GCM inline:" K28 "==",
			SP_SRTP_GCM_128, 0 },
		{ "rtpengine", "1 AEAD_AES_256_GCM inline:" K44,
			SP_SRTP_GCM_256, 0 },
		{ "rtpengine", "3 AES_256_CM_HMAC_SHA1_80 inline:" K46 "==",
			SP_SRTP_AES_CM_256_80, 0 },
		{ "Cisco", "1 AES_CM_128_HMAC_SHA1_32 inline:" K30 "|2^31|1:1",
			SP_SRTP_AES_CM_128_32, 1 },
		{ "Lync", "2 " CM K30 "|2^31|1:1", SP_SRTP_AES_CM_128_80, 1 },
		{ "Snom", "1 AES_CM_128_HMAC_SHA1_32 inline:" K30,
			SP_SRTP_AES_CM_128_32, 0 },
		{ "Polycom", "1 " CM K30 "|2^48", SP_SRTP_AES_CM_128_80, 0 },
		{ "Avaya", "1 " CM K30 " UNENCRYPTED_SRTCP",
			SP_SRTP_AES_CM_128_80, 0 },
		{ "Asterisk", "1 AEAD_AES_256_GCM inline:" K44 "=",
			SP_SRTP_GCM_256, 0 },
		{ "Asterisk", "1 " CM K30, SP_SRTP_AES_CM_128_80, 0 },
		{ "linphone", "4 AES_256_CM_HMAC_SHA1_32 inline:" K46 "==",
			SP_SRTP_AES_CM_256_32, 0 },
		{ "old linphone", "3 AES_CM_256_HMAC_SHA1_80 inline:" K46 "==",
			SP_SRTP_AES_CM_256_80, 0 },
		{ "old linphone", "4 aes_cm_256_hmac_sha1_32 inline:" K46 "==",
			SP_SRTP_AES_CM_256_32, 0 },
		{ "RFC 4568", "1 " CM K30 "|2^20|1:4 FEC_ORDER=FEC_SRTP",
			SP_SRTP_AES_CM_128_80, 4 },
	};

	return cr_make_param_array(
		struct peer_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct peer_case *tc, sdes, lines_of_real_peers_are_read)
{
	struct sp_sdes line, again;

	cr_assert(eq(int, parse(tc->text, &line), SP_OK), "%s", tc->name);
	cr_expect(eq(int, line.srtp.suite, tc->suite), "%s", tc->name);
	cr_expect(eq(int, line.srtp.mki_len, tc->mki_len), "%s", tc->name);
	cr_assert(eq(int, parse(written(&line), &again), SP_OK));
	cr_expect(memcmp(&line, &again, sizeof line) == 0, "%s", tc->name);
}

Test(sdes, usable_lines_of_an_m_line_come_in_order)
{
	static const char body[] =
		"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"
		"c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
		"a=crypto:9 " CM K30 "\r\n" /* not for a session to say */
		"m=audio 4000 RTP/SAVP 0\r\n"
		"a=crypto:1 F8_128_HMAC_SHA1_80 inline:" K30 "\r\n"
		"a=crypto:2 " CM K30 "\r\n"
		"a=sendrecv\r\n"
		"a=crypto:3 " CM "broken\r\n"
		"a=crypto:4 AEAD_AES_128_GCM inline:" K28 "\r\n"
		"m=video 4002 RTP/SAVP 31\r\n"
		"a=x-crypto:1 " CM K30 "\r\n";
	static struct sp_sdp sdp;
	struct sp_sdp_error error;
	struct sp_sdes line;
	size_t at = 0;

	cr_assert(
		eq(int, sp_sdp_parse(body, strlen(body), &error, &sdp), SP_OK));
	cr_assert(sp_sdes_next(&sdp.media[0], &at, &line));
	cr_expect(eq(u32, line.tag, 2));
	cr_assert(sp_sdes_next(&sdp.media[0], &at, &line));
	cr_expect(eq(u32, line.tag, 4));
	cr_expect(eq(int, line.srtp.suite, SP_SRTP_GCM_128));
	cr_expect(not(sp_sdes_next(&sdp.media[0], &at, &line)));
	cr_expect(not(sp_sdes_next(&sdp.media[0], &at, &line)));
	cr_expect(eq(u32, line.tag, 4));
	at = 0;
	cr_expect(not(sp_sdes_next(&sdp.media[1], &at, &line)));
}
