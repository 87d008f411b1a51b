/* SPDX-License-Identifier: BSD-3-Clause */
/* Which a=crypto line counts, and which ones the other party is shown. */
#include "tests/relay/keys_rig.h"

#define LINES_80_32 LINE_80 LINE_32
#define GCM_LINE CRYPTO(3, GCM, KEY_28)
#define ALL                                                                    \
	LINE_80 LINE_32 GCM_LINE CRYPTO(4, CM256, KEY_46)                      \
		CRYPTO(5, "AES_256_CM_HMAC_SHA1_32", KEY_46)                   \
			CRYPTO(6, "AEAD_AES_256_GCM",                          \
				"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB" \
				"QUFBQUFBQUFBQUFBQUE=")

enum {
	S80 = SP_SRTP_AES_CM_128_80,
	S32 = SP_SRTP_AES_CM_128_32,
	S256 = SP_SRTP_AES_CM_256_80,
	SGCM = SP_SRTP_GCM_128,
	NOT_80 = SP_SDES_BIT(S80),
	NOT_32 = SP_SDES_BIT(S32),
	NOT_GCM = SP_SDES_BIT(SGCM),
	ONLY_256 = 0x7e & ~SP_SDES_BIT(S256),
	E = SP_SRTP_PLAIN_RTP,
	C = SP_SRTP_PLAIN_RTCP,
	A = SP_SRTP_NO_AUTH,
};

/* Lines of an offer, what is wished, and the lines for the receiver. */
struct shown_case {
	char proto[12];
	char more[600];
	struct sp_sdes_policy sdes;
	bool srtp; /* the receiver's realm requires it */
	char want[80];
};

#define IN(line, parameter) "a=crypto:" line " inline:" KEY " " parameter "\r\n"

ParameterizedTestParameters(negotiate_lines, receiver_is_shown_a_short_list)
{
	static struct shown_case cases[] = {
		{ "RTP/AVP", "", { 0 }, false, "1 80,2 gcm,3 32" },
		{ "RTP/SAVP", LINE_80, { 0 }, false, "1 80,2 gcm,3 32" },
		{ "RTP/SAVP", LINE_32, { 0 }, false, "2 32,1 80,3 gcm" },
		{ "RTP/SAVP", LINES_80_32, { 0 }, false, "1 80,2 32,3 gcm" },
		{ "RTP/SAVP", CRYPTO(7, CM256, KEY_46), { 0 }, false,
			"7 256,1 80,2 gcm,3 32" },
		{ "RTP/SAVP", ALL, { 0 }, false, "1 80,2 32,3 gcm,4 256" },
		/* One line a suite; what we can't use is not shown on. */
		{ "RTP/SAVP", LINE_80 CRYPTO(9, CM80, KEY_2), { 0 }, false,
			"1 80,2 gcm,3 32" },
		{ "RTP/SAVP",
			CRYPTO(1, "F8_128_HMAC_SHA1_80", KEY)
				CRYPTO(2, CM80, KEY),
			{ 0 }, false, "2 80,1 gcm,3 32" },
		{ "RTP/SAVP", LINE_80, { .no_new = true }, false, "1 80" },
		{ "RTP/AVP", "", { .no_new = true }, false, "1 80,2 gcm,3 32" },
		{ "RTP/AVP", "", { .without = NOT_80 | NOT_32 }, false,
			"1 gcm" },
		{ "RTP/SAVP", LINES_80_32, { .without = NOT_80 }, false,
			"2 32,1 gcm" },
		{ "RTP/AVP", "", { .without = ONLY_256 }, false, "1 256" },
		{ "RTP/AVP", "", { .n_order = 2, .order = { S256, S32 } },
			false, "1 256,2 32,3 80,4 gcm" },
		{ "RTP/SAVP", LINES_80_32,
			{ .n_order = 2, .order = { SGCM, S32 } }, false,
			"3 gcm,2 32,1 80" },
		{ "RTP/SAVP", ALL, { .n_order = 1, .order = { S256 } }, false,
			"4 256,1 80,2 32,3 gcm" },
		{ "RTP/AVP", "", { .lifetime = true }, false,
			"1 80 life,2 gcm life,3 32 life" },
		/* Session parameters are the offerer's, and those asked for. */
		{ "RTP/SAVP",
			IN("1 " CM80, "UNENCRYPTED_SRTP UNENCRYPTED_SRTCP"),
			{ 0 }, false, "1 80 -e -c,2 gcm,3 32" },
		{ "RTP/SAVP",
			IN("1 " CM80, "UNENCRYPTED_SRTP UNENCRYPTED_SRTCP"),
			{ .drop = E }, false, "1 80 -c,2 gcm,3 32" },
		{ "RTP/SAVP", LINE_80, { .add = C | A }, false,
			"1 80 -c -a,2 gcm,3 32 -c -a" },
		{ "RTP/SAVP", IN("1 " CM80, "UNAUTHENTICATED_SRTP"),
			{ .add = C | E }, true, "1 80 -c,2 gcm,3 32 -c" },
	};

	return cr_make_param_array(
		struct shown_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct shown_case *tc, negotiate_lines, receiver_is_shown_a_short_list)
{
	policy.sdes = tc->sdes;
	policy.transport = SP_TRANSPORT_RTP_SAVP;
	before.receiver_srtp = tc->srtp;
	cr_assert(
		eq(int, offer(tc->proto, tc->more), SP_OK), "%s", error.reason);
	cr_expect(
		eq(str, (char *)(uintptr_t)lines(), tc->want), "%s", tc->more);
	for (unsigned int i = 0; i < keys.count; i++) {
		static const struct sp_srtp_key none;

		cr_expect(eq(int, keys.line[i].srtp.n_keys, 0));
		cr_expect(eq(int, keys.line[i].srtp.mki_len, 0));
		cr_expect(zero(int,
			memcmp(&keys.line[i].srtp.key[0], &none, sizeof none)));
	}
}

Test(negotiate_lines, nothing_left_to_offer_is_refused)
{
	policy.transport = SP_TRANSPORT_RTP_SAVP;
	policy.sdes.no_new = true;
	policy.sdes.without = NOT_80;
	cr_expect(eq(int, offer("RTP/SAVP", LINE_80), SP_UNSUPPORTED));
	/* Beside RTP/AVP there is always the clear. */
	policy.transport = SP_TRANSPORT_RTP_AVP;
	policy.sdes.osrtp_offer = true;
	cr_assert(eq(int, offer("RTP/SAVP", LINE_80), SP_OK));
	cr_expect(eq(int, keys.to, SP_KEYING_CLEAR));
}

Test(negotiate_lines, receiver_is_shown_what_it_was_shown_before)
{
	struct sp_sdes had[3] = { ours(5, SGCM, 1), ours(3, S32, 2),
		ours(1, S80, 3) };

	before.line = had;
	before.count = 3;
	cr_assert(eq(int, offer("RTP/SAVP", LINE_80), SP_OK));
	cr_expect(eq(str, (char *)(uintptr_t)lines(), "5 gcm,3 32,1 80"));
	for (unsigned int i = 0; i < 3; i++)
		cr_expect(sp_srtp_conf_equal(&keys.line[i].srtp, &had[i].srtp));

	/* But for what may not be any more. */
	policy.sdes.without = NOT_32;
	had[2].srtp.flags = E;
	before.receiver_srtp = true;
	cr_assert(eq(int, offer("RTP/SAVP", LINE_80), SP_OK));
	cr_expect(eq(str, (char *)(uintptr_t)lines(), "5 gcm"));
	policy.sdes.without = NOT_32 | NOT_GCM;
	cr_assert(eq(int, offer("RTP/SAVP", LINE_80), SP_OK));
	cr_expect(eq(str, (char *)(uintptr_t)lines(), "1 80"));
	cr_expect(eq(int, keys.line[0].srtp.n_keys, 0));
}

/* Who offers and who answers gives tags: of one suite there is one line. */
Test(negotiate_lines, tags_of_both_sides_do_not_meet)
{
	struct sp_sdes had[4] = { ours(1, S32, 1), ours(1, SGCM, 2),
		ours(2, S80, 3), ours(7, S32, 4) };

	before.line = had;
	before.count = 4;
	cr_assert(eq(int, offer("RTP/SAVP", LINE_80), SP_OK));
	cr_expect(eq(str, (char *)(uintptr_t)lines(), "1 32,3 gcm,2 80"));
	cr_expect(eq(int, keys.line[0].srtp.key[0].key[0], 1));
	cr_expect(eq(int, keys.line[1].srtp.key[0].key[0], 2));
}

/* Lines of an offer, what is wished, and the tag that is answered. */
struct chosen_case {
	char more[400];
	struct sp_sdes_policy sdes;
	uint8_t before; /* suite; NONE: no line counts so far */
	uint8_t tag;
	uint8_t key; /* byte of @before's key */
};

ParameterizedTestParameters(negotiate_lines, one_line_of_the_offerer_counts)
{
	static struct chosen_case cases[] = {
		{ LINES_80_32, { 0 }, 0, 1, 0 },
		{ LINE_32 LINE_80, { 0 }, 0, 2, 0 },
		{ CRYPTO(1, "F8_128_HMAC_SHA1_80", KEY) LINE_32, { 0 }, 0, 2,
			0 },
		{ LINES_80_32 GCM_LINE,
			{ .n_prefer = 2, .prefer = { SGCM, S32 } }, 0, 3, 0 },
		{ LINES_80_32, { .n_prefer = 2, .prefer = { SGCM, S32 } }, 0, 2,
			0 },
		{ LINES_80_32, { .n_prefer = 1, .prefer = { S256 } }, 0, 1, 0 },
		/* What is not for the receiver may be the offerer's. */
		{ LINES_80_32, { .without = NOT_80 }, 0, 1, 0 },
		/* The same line goes on, whatever is preferred. */
		{ LINE_32 LINE_80, { .n_prefer = 1, .prefer = { S32 } }, S80, 1,
			'A' },
		/* Its key is new: as if it were new, unless that is static. */
		{ LINE_32 LINE_80, { 0 }, S80, 2, 'B' },
		{ LINE_32 LINE_80, { .keep = true }, S80, 1, 'B' },
		{ LINE_32 LINE_80, { .keep = true }, S256, 2, 'B' },
	};

	return cr_make_param_array(
		struct chosen_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct chosen_case *tc, negotiate_lines, one_line_of_the_offerer_counts)
{
	const struct sp_sdes was = ours(1, tc->before, tc->key);

	policy.sdes = tc->sdes;
	before.said = tc->before ? &was : NULL;
	cr_assert(eq(int, offer("RTP/SAVP", tc->more), SP_OK));
	cr_expect(eq(u32, keys.said.tag, tc->tag), "%s", tc->more);
	cr_expect(eq(int, keys.said.srtp.n_keys, 1));
	cr_expect(eq(int, keys.said.srtp.key[0].key[0], 'A'));
}

/* What was offered, what is answered, and what becomes of it. */
struct answer_case {
	uint8_t kinds; /* bits: clear 1, SDES 2, OSRTP 4 */
	bool srtp;     /* the answerer's realm requires it */
	char proto[20];
	char more[240];
	enum sp_status want;
	uint32_t tag;
};

ParameterizedTestParameters(negotiate_lines, answer_is_one_to_the_offer)
{
	static struct answer_case cases[] = {
		{ 2, false, "RTP/SAVP", LINE_80, SP_OK, 1 },
		{ 2, true, "RTP/SAVPF", LINE_80, SP_OK, 1 },
		{ 2, false, "RTP/SAVP", LINE_32, SP_OK, 2 },
		{ 2, false, "RTP/SAVP", "", SP_CONFLICT, 0 },
		{ 2, false, "RTP/SAVP", CRYPTO(3, CM80, KEY), SP_CONFLICT, 0 },
		{ 2, false, "RTP/SAVP", CRYPTO(1, CM32, KEY), SP_CONFLICT, 0 },
		{ 2, false, "RTP/SAVP", CRYPTO(1, CM256, KEY_46), SP_CONFLICT,
			0 },
		{ 2, false, "RTP/SAVP", IN("1 " CM80, "UNENCRYPTED_SRTP"),
			SP_CONFLICT, 0 },
		{ 2, false, "RTP/SAVP", CRYPTO(4, CM80, KEY), SP_CONFLICT, 0 },
		{ 2, false, "RTP/SAVP", CRYPTO(9, CM80, KEY) LINE_80, SP_OK,
			1 },
		{ 2, false, "RTP/AVP", "", SP_CONFLICT, 0 },
		{ 2, false, "RTP/AVP", LINE_80, SP_CONFLICT, 0 },
		{ 2, false, "UDP/TLS/RTP/SAVP", FINGERPRINT, SP_CONFLICT, 0 },
		{ 4, false, "RTP/AVP", LINE_80, SP_OK, 1 },
		{ 4, false, "RTP/SAVP", LINE_80, SP_OK, 1 },
		{ 4, false, "RTP/AVP", "", SP_OK, 0 },
		{ 4, false, "RTP/AVP", CRYPTO(3, CM80, KEY), SP_CONFLICT, 0 },
		{ 4, true, "RTP/AVP", "", SP_FORBIDDEN, 0 },
		{ 1, false, "RTP/AVP", "", SP_OK, 0 },
		{ 1, false, "RTP/AVP", LINE_80, SP_OK, 0 },
		{ 1, false, "RTP/SAVP", LINE_80, SP_CONFLICT, 0 },
		{ 1, true, "RTP/AVP", "", SP_FORBIDDEN, 0 },
		/* Two targets shared one branch: each answers to its own. */
		{ 3, false, "RTP/AVP", "", SP_OK, 0 },
		{ 3, false, "RTP/SAVP", LINE_80, SP_OK, 1 },
	};

	return cr_make_param_array(
		struct answer_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct answer_case *tc, negotiate_lines, answer_is_one_to_the_offer)
{
	struct sp_sdes shown[3] = { ours(1, S80, 1), ours(2, S32, 2),
		ours(4, S80, 3) };

	shown[2].srtp.n_keys = 0; /* it has been taken back */
	offered = (struct sp_keys_offered){
		.transport = SP_TRANSPORT_RTP_AVPF,
		.kinds = tc->kinds,
		.answerer_srtp = tc->srtp,
		.line = shown,
		.n_line = 3,
	};
	error.reason = NULL;
	cr_assert(eq(int, answer(tc->proto, tc->more), tc->want), "%s %s: %s",
		tc->proto, tc->more, error.reason ? error.reason : "");
	if (tc->want != SP_OK) {
		cr_expect(ne(ptr, (void *)(uintptr_t)error.reason, NULL));
		cr_expect(eq(u32, error.media, 1));
		return;
	}
	cr_expect(
		eq(u32, keys.said.tag, tc->tag), "%s %s", tc->proto, tc->more);
	cr_expect(eq(int, plan.media[0].written, SP_TRANSPORT_RTP_AVPF));
	cr_expect(not(plan.media[0].secure));
	cr_expect(eq(int, keys.to, SP_KEYING_CLEAR));
	cr_expect(eq(u32, keys.count, 0));
	cr_expect(keys.strip_crypto);
}

/*
 * A party that sends under our key of its leg would have us take what we send
 * for its own, should somebody send it back.
 */
Test(negotiate_lines, key_of_ours_is_nobody_elses)
{
	struct sp_sdes own[2] = { ours(1, S256, 'B'), ours(1, S80, 'A') };

	before.own = own;
	before.n_own = 2;
	/* Whatever salt or suite it has with it. */
	cr_expect(eq(int, offer("RTP/SAVP", LINE_80), SP_UNSUPPORTED));
	cr_expect(eq(int, offer("RTP/SAVP", LINE_32), SP_UNSUPPORTED));
	cr_expect(eq(int, offer("RTP/SAVP", CRYPTO(7, GCM, KEY_28)),
		SP_UNSUPPORTED));
	cr_assert(eq(
		int, offer("RTP/SAVP", LINE_80 CRYPTO(9, CM32, KEY_2)), SP_OK));
	cr_expect(eq(u32, keys.said.tag, 9));
	cr_expect(eq(int, offer("RTP/SAVP", CRYPTO(1, CM256, KEY_46)), SP_OK));
	own[1].srtp.n_keys = 0; /* it has been taken back */
	cr_expect(eq(int, offer("RTP/SAVP", LINE_80), SP_OK));
}

ParameterizedTestParameters(negotiate_lines, answer_may_not_echo_our_key)
{
	static struct answer_case cases[] = {
		{ 2, false, "RTP/SAVP", LINE_80, SP_CONFLICT, 0 },
		{ 2, false, "RTP/SAVP", LINE_32, SP_CONFLICT, 0 },
		{ 2, false, "RTP/SAVP", CRYPTO(1, CM80, KEY_2), SP_OK, 1 },
		{ 4, false, "RTP/AVP", LINE_80, SP_CONFLICT, 0 },
	};

	return cr_make_param_array(
		struct answer_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct answer_case *tc, negotiate_lines, answer_may_not_echo_our_key)
{
	struct sp_sdes shown[2] = { ours(1, S80, 'A'), ours(2, S32, 'A') };

	offered = (struct sp_keys_offered){
		.transport = SP_TRANSPORT_RTP_AVP,
		.kinds = tc->kinds,
		.line = shown,
		.n_line = 2,
		.own = shown,
		.n_own = 2,
	};
	cr_assert(eq(int, answer(tc->proto, tc->more), tc->want), "%s %s",
		tc->proto, tc->more);
	cr_expect(eq(u32, tc->want == SP_OK ? keys.said.tag : 0, tc->tag));
	if (tc->want != SP_OK)
		cr_expect(ne(ptr, strstr(error.reason, "relay's own"), NULL));
}

/* Its realm may have begun to require SRTP since it offered. */
Test(negotiate_lines, offerer_that_needs_srtp_is_not_answered_in_the_clear)
{
	offered = (struct sp_keys_offered){
		.transport = SP_TRANSPORT_RTP_AVP,
		.kinds = 1,
		.offerer_srtp = true,
	};
	cr_expect(eq(int, answer("RTP/AVP", ""), SP_FORBIDDEN));
	offered.offerer_srtp = false;
	cr_expect(eq(int, answer("RTP/AVP", ""), SP_OK));
}

/* The offerer gets one line: its tag, suite and parameters, and our key. */
Test(negotiate_lines, offerer_is_answered_under_its_line)
{
	struct sp_sdes said = ours(77, S80, 'A');
	struct sp_sdes had[3] = { ours(1, S32, 1), ours(2, S80, 2),
		ours(3, S80, 3) };

	said.srtp.flags = C;
	said.srtp.mki_len = 2;
	said.srtp.key[0].mki[1] = 9;
	offered = (struct sp_keys_offered){
		.transport = SP_TRANSPORT_RTP_SAVP,
		.kinds = 1,
		.said = &said,
		.ours = had,
		.n_ours = 3,
	};
	cr_assert(eq(int, answer("RTP/AVP", ""), SP_OK));
	cr_expect(eq(int, plan.media[0].written, SP_TRANSPORT_RTP_SAVP));
	cr_expect(eq(int, keys.to, SP_KEYING_SDES));
	cr_expect(eq(str, (char *)(uintptr_t)lines(), "77 80 -c"));
	cr_expect(eq(int, keys.line[0].srtp.n_keys, 0));
	cr_expect(eq(int, keys.line[0].srtp.mki_len, 2));
	cr_expect(eq(int, keys.line[0].srtp.key[0].mki[1], 9));
	cr_expect(eq(int, keys.line[0].srtp.key[0].key[0], 0));

	/* A key of ours that fits goes on, under its new tag. */
	had[2].srtp.flags = C;
	had[2].srtp.mki_len = 2;
	had[2].srtp.key[0].mki[1] = 9;
	policy.sdes.lifetime = true;
	cr_assert(eq(int, answer("RTP/AVP", ""), SP_OK));
	cr_expect(eq(str, (char *)(uintptr_t)lines(), "77 80 -c life"));
	cr_expect(eq(int, keys.line[0].srtp.key[0].key[0], 3));
	cr_expect(not(keys.line[0].other_name));
	said.other_name = true;
	cr_assert(eq(int, answer("RTP/AVP", ""), SP_OK));
	cr_expect(keys.line[0].other_name);
	/* Unless it has been in use, and was left. */
	had[2].srtp.n_keys = 0;
	cr_assert(eq(int, answer("RTP/AVP", ""), SP_OK));
	cr_expect(eq(int, keys.line[0].srtp.key[0].key[0], 0));
}

Test(negotiate_lines, osrtp_offerer_is_answered_beside_rtp_avp)
{
	struct sp_sdes said = ours(1, SGCM, 'A');

	said.lifetime = true;
	offered = (struct sp_keys_offered){
		.transport = SP_TRANSPORT_RTP_AVP,
		.kinds = 1,
		.said = &said,
	};
	cr_assert(eq(int, answer("RTP/AVP", ""), SP_OK));
	cr_expect(eq(int, plan.media[0].written, SP_TRANSPORT_RTP_AVP));
	cr_expect(eq(int, keys.to, SP_KEYING_OSRTP));
	cr_expect(eq(str, (char *)(uintptr_t)lines(), "1 gcm life"));
}

/* End to end the answer passes, and goes back in the protocol offered. */
struct pass_case {
	uint8_t transport; /* of the offer */
	bool srtp;         /* a realm requires it */
	char proto[20];
	enum sp_status want;
	uint8_t written;
	bool refused;
};

ParameterizedTestParameters(negotiate_lines, answer_end_to_end_passes)
{
	enum {
		AVP = SP_TRANSPORT_RTP_AVP,
		SAVP = SP_TRANSPORT_RTP_SAVP,
		SAVPF = SP_TRANSPORT_RTP_SAVPF,
		TLS = SP_TRANSPORT_DTLS_SAVP,
		TLSF = SP_TRANSPORT_DTLS_SAVPF,
	};
	static struct pass_case cases[] = {
		{ TLS, false, "UDP/TLS/RTP/SAVPF", SP_OK, TLS, false },
		{ TLS, true, "UDP/TLS/RTP/SAVP", SP_OK, TLS, false },
		{ SAVP, false, "RTP/SAVPF", SP_OK, SAVP, false },
		{ TLSF, false, "RTP/AVP", SP_OK, AVP, true },
		{ TLSF, true, "RTP/AVP", SP_FORBIDDEN, 0, false },
		{ TLSF, false, "RTP/SAVPF", SP_OK, SAVPF, true },
	};

	return cr_make_param_array(
		struct pass_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct pass_case *tc, negotiate_lines, answer_end_to_end_passes)
{
	offered = (struct sp_keys_offered){
		.transport = tc->transport,
		.kinds = 1u << SP_KEYING_END_TO_END,
		.end_to_end = true,
		.offerer_srtp = tc->srtp,
	};
	cr_assert(eq(int, answer(tc->proto, FINGERPRINT), tc->want));
	if (tc->want != SP_OK)
		return;
	cr_expect(eq(int, plan.media[0].written, tc->written), "%s", tc->proto);
	cr_expect(eq(int, plan.media[0].transport_refused, tc->refused));
	cr_expect(plan.media[0].secure);
	cr_expect(eq(int, keys.from, SP_KEYING_END_TO_END));
	cr_expect(not(keys.strip_keys));
}
