/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the RFCs print, against the engine on libipsec-mb. They print session
 * keys where they print packets, so boxes are filled with these.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#ifdef SP_HAVE_IPSECMB
#include <stdio.h>

#include "relay/srtp_ipsecmb.h"

static struct sp_ipsecmb *m;
static void *lib;
static alignas(SP_SRTP_LINE) uint8_t room[SP_IPSECMB_BOX_GCM];

static void
open_lib(void)
{
	const enum sp_status status = sp_srtp_ipsecmb_ops.open(1, &lib);

	if (status == SP_UNSUPPORTED)
		cr_skip_test("this CPU is not one for ipsec-mb");
	cr_assert(eq(int, status, SP_OK));
	m = lib;
}

static void
close_lib(void)
{
	sp_srtp_ipsecmb_ops.close(lib);
}

TestSuite(srtp_rfc, .init = open_lib, .fini = close_lib);

/* Hexadecimal digits to bytes; returns how many. */
static size_t
bytes(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned int byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		out[n++] = (uint8_t)byte;
	return n;
}

static bool
is(const uint8_t *got, const char *hex)
{
	uint8_t want[256];
	const size_t n = bytes(hex, want);

	return n > 0 && memcmp(got, want, n) == 0;
}

Test(srtp_rfc, session_keys_are_those_of_rfc_3711_b_3)
{
	struct sp_ipsecmb_session s;
	uint8_t key[SP_SRTP_KEY_MAX];

	bytes("E1F97A0D3E018BE0D64FA32C06DE4139"
	      "0EC675AD498AFEEBB6960B3AABE6",
		key);
	sp_ipsecmb_derive(m, sp_srtp_facts(SP_SRTP_AES_CM_128_80), key, &s);
	cr_expect(is(s.rtp.key, "C61E7A93744F39EE10734AFE3FF7A087"));
	cr_expect(is(s.rtp.salt, "30CBBC08863D8C85D49DB34A9AE1"));
	cr_expect(is(s.rtp.auth, "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

Test(srtp_rfc, session_keys_are_those_of_rfc_6188_7_2)
{
	struct sp_ipsecmb_session s;
	uint8_t key[SP_SRTP_KEY_MAX];

	bytes("f0f04914b513f2763a1b1fa130f10e29"
	      "98f6f6e43e4309d1e622a0e332b9f1b6"
	      "3b04803de51ee7c96423ab5b78d2",
		key);
	sp_ipsecmb_derive(m, sp_srtp_facts(SP_SRTP_AES_CM_256_80), key, &s);
	cr_expect(is(s.rtp.key,
		"5ba1064e30ec51613cad926c5a28ef73"
		"1ec7fb397f70a960653caf06554cd8c4"));
	cr_expect(is(s.rtp.salt, "fa31791685ca444a9e07c6c64e93"));
	cr_expect(is(s.rtp.auth, "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"));
}

/* The key stream of a session key, from its salt as it is printed, shifted. */
static void
key_stream(enum sp_srtp_suite suite, const char *key, uint8_t *out, size_t len)
{
	struct sp_srtp_conf conf = { .suite = suite, .n_keys = 1 };
	struct sp_ipsecmb_session s = { 0 };
	uint8_t iv[SP_IPSECMB_BLOCK];
	struct sp_ipsecmb_box *box;
	void *memory = room;

	cr_assert(eq(int,
		sp_srtp_ipsecmb_ops.box_open(lib, &conf, 0, true, &memory),
		SP_OK));
	box = memory;
	bytes(key, s.rtp.key);
	sp_ipsecmb_set(m, sp_srtp_facts(suite), &s, box);
	bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000", iv);
	memset(out, 0, len);
	sp_ipsecmb_crypt(m, box->keys, box->long_key, iv, out, len);
	sp_srtp_ipsecmb_ops.box_close(lib, box);
}

Test(srtp_rfc, the_key_stream_is_that_of_rfc_3711_b_2)
{
	static uint8_t stream[0xff02 * SP_IPSECMB_BLOCK];

	key_stream(SP_SRTP_AES_CM_128_80, "2B7E151628AED2A6ABF7158809CF4F3C",
		stream, sizeof stream);
	cr_expect(is(stream,
		"E03EAD0935C95E80E166B16DD92B4EB4"
		"D23513162B02D0F72A43A2FE4A5F97AB"
		"41E95B3BB0A2E8DD477901E4FCA894C0"));
	cr_expect(is(stream + 0xfeff * SP_IPSECMB_BLOCK,
		"EC8CDF7398607CB0F2D21675EA9EA1E4"
		"362B7C3C6773516318A077D7FC5073AE"
		"6A2CC3787889374FBEB4C81B17BA6C44"));
}

Test(srtp_rfc, the_key_stream_is_that_of_rfc_6188_7_1)
{
	uint8_t stream[3 * SP_IPSECMB_BLOCK];

	key_stream(SP_SRTP_AES_CM_256_80,
		"57f82fe3613fd170a85ec93c40b1f092"
		"2ec4cb0dc025b58272147cc438944a98",
		stream, sizeof stream);
	cr_expect(is(stream,
		"92bdd28a93c3f52511c677d08b5515a4"
		"9da71b2378a854f67050756ded165bac"
		"63c4868b7096d88421b563b8c94c9a31"));
}

/* RFC 7714 sections 16 and 17. */
#define RTP_PLAIN                                                              \
	"8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976"     \
	"69736120696e207061727465732074726573"
#define RTCP_PLAIN                                                             \
	"81c8000d4d6172734e5450314e545032525450200000042a0000e930"             \
	"4c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"

struct gcm_case {
	char name[32];
	enum sp_srtp_suite suite;
	bool rtcp;
	uint32_t index;
	char plain[160];
	char wire[256];
};

/* clang-format off */
ParameterizedTestParameters(srtp_rfc, packets_are_those_of_rfc_7714)
{
	static struct gcm_case cases[] = {
		{ "16.1, 128 bits", SP_SRTP_GCM_128, false, 0xf17b, RTP_PLAIN,
			"8040f17b8041f8d35501a0b2"
			"f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f"
			"42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf"
			"765ee4390cce" },
		{ "16.2, 256 bits", SP_SRTP_GCM_256, false, 0xf17b, RTP_PLAIN,
			"8040f17b8041f8d35501a0b2"
			"32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3"
			"b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb"
			"7878d7a76c13" },
		{ "17.1, 128 bits", SP_SRTP_GCM_128, true, 0x5d4, RTCP_PLAIN,
			"81c8000d4d617273"
			"63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32d"
			"c676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa458"
			"96cf4d2fc5abf87245d9eade800005d4" },
		{ "17.3, 256 bits", SP_SRTP_GCM_256, true, 0x5d4, RTCP_PLAIN,
			"81c8000d4d617273"
			"d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50"
			"a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c"
			"4446839f57ff6f6cb26ac3be800005d4" },
	};

	return cr_make_param_array(
		struct gcm_case, cases, sizeof cases / sizeof *cases);
}
/* clang-format on */

/* The RFC's keys are the session's. */
static void *
gcm_box(const struct gcm_case *tc)
{
	struct sp_srtp_conf conf = { .suite = tc->suite, .n_keys = 1 };
	struct sp_ipsecmb_session s = { 0 };
	void *box = room;

	for (unsigned int i = 0; i < sizeof s.rtp.key; i++)
		s.rtp.key[i] = s.rtcp.key[i] = (uint8_t)i;
	memcpy(s.rtp.salt, "Quid pro quo", 12);
	memcpy(s.rtcp.salt, "Quid pro quo", 12);
	cr_assert(
		eq(int, sp_srtp_ipsecmb_ops.box_open(lib, &conf, 0, true, &box),
			SP_OK));
	sp_ipsecmb_set(m, sp_srtp_facts(tc->suite), &s, box);
	return box;
}

ParameterizedTest(struct gcm_case *tc, srtp_rfc, packets_are_those_of_rfc_7714)
{
	uint8_t data[256], plain[256], wire[256];
	const size_t plain_len = bytes(tc->plain, plain);
	const size_t wire_len = bytes(tc->wire, wire);
	struct sp_srtp_packet p = {
		.data = data,
		.len = (uint16_t)plain_len,
		.header_len = 12,
	};
	struct sp_srtp_job job = {
		.p = &p,
		.box = gcm_box(tc),
		.index = tc->index,
		.ok = true,
	};

	memcpy(data, plain, plain_len);
	if (tc->rtcp)
		sp_srtp_ipsecmb_ops.rtcp_protect(lib, &job);
	else
		sp_srtp_ipsecmb_ops.protect(lib, &job, 1);
	cr_expect(eq(sz, p.len, wire_len), "%s", tc->name);
	cr_expect(memcmp(data, wire, wire_len) == 0, "%s", tc->name);

	if (tc->rtcp) {
		sp_srtp_ipsecmb_ops.rtcp_unprotect(lib, &job);
	} else {
		sp_srtp_ipsecmb_ops.unprotect(lib, &job, 1);
		sp_srtp_ipsecmb_ops.finish(lib, &job, 1);
	}
	cr_expect(job.ok, "%s", tc->name);
	cr_expect(eq(sz, p.len, plain_len), "%s", tc->name);
	cr_expect(memcmp(data, plain, plain_len) == 0, "%s", tc->name);
	sp_srtp_ipsecmb_ops.box_close(lib, job.box);
}
#endif
