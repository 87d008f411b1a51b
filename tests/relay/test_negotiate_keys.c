/* SPDX-License-Identifier: BSD-3-Clause */
/* Which protocol and keying each side of an offered m= line gets. */
#include "tests/relay/keys_rig.h"

enum {
	ANY = SP_TRANSPORT_ANY,
	AVP = SP_TRANSPORT_RTP_AVP,
	AVPF = SP_TRANSPORT_RTP_AVPF,
	SAVP = SP_TRANSPORT_RTP_SAVP,
	SAVPF = SP_TRANSPORT_RTP_SAVPF,
	TLS = SP_TRANSPORT_DTLS_SAVP,
	TLSF = SP_TRANSPORT_DTLS_SAVPF,
	OTHER = SP_TRANSPORT_OTHER,
	CLEAR = SP_KEYING_CLEAR,
	SDES = SP_KEYING_SDES,
	OSRTP = SP_KEYING_OSRTP,
	E2E = SP_KEYING_END_TO_END,
};

/* From the protocol of m= and a wish to what is written. */
struct transport_case {
	char proto[24];
	char more[240];
	uint8_t is; /* these three: enum sp_transport */
	uint8_t wish;
	uint8_t written;
	uint8_t from; /* these two: enum sp_keying */
	uint8_t to;
	bool refused;
};

ParameterizedTestParameters(negotiate_keys, protocol_and_keying_by_wish)
{
	/* clang-format off */
	static struct transport_case cases[] = {
		{ "RTP/AVP",   "", AVP,  ANY,   AVP,   CLEAR, CLEAR, false },
		{ "RTP/AVP",   "", AVP,  AVP,   AVP,   CLEAR, CLEAR, false },
		{ "rtp/avp",   "", AVP,  AVPF,  AVPF,  CLEAR, CLEAR, false },
		{ "RTP/AVPF",  "", AVPF, AVP,   AVP,   CLEAR, CLEAR, false },
		{ "RTP/AVP",   "", AVP,  SAVP,  SAVP,  CLEAR, SDES,  false },
		{ "RTP/AVPF",  "", AVPF, SAVP,  SAVP,  CLEAR, SDES,  false },
		{ "RTP/AVP",   "", AVP,  SAVPF, SAVPF, CLEAR, SDES,  false },
		{ "RTP/AVP",   "", AVP,  TLSF,  AVP,   CLEAR, CLEAR, true },
		{ "RTP/AVP", LINE_80, AVP, ANY, AVP,   CLEAR, CLEAR, false },
		{ "RTP/SAVP",  LINE_80, SAVP,  ANY,   SAVP,  SDES, SDES,
		  false },
		{ "RTP/SAVP",  LINE_80, SAVP,  SAVPF, SAVPF, SDES, SDES,
		  false },
		{ "RTP/SAVPF", LINE_80, SAVPF, AVP,   AVP,   SDES, CLEAR,
		  false },
		{ "RTP/SAVPF", LINE_80, SAVPF, AVPF,  AVPF,  SDES, CLEAR,
		  false },
		{ "RTP/SAVPF", LINE_80, SAVPF, TLSF,  SAVPF, SDES, SDES,
		  true },
		{ "RTP/SAVP", LINE_80 FINGERPRINT, SAVP, ANY, SAVP, SDES,
		  SDES, false },
		{ "RTP/SAVP", FINGERPRINT, SAVP, SAVPF, SAVPF, E2E, E2E,
		  false },
		{ "RTP/SAVP", FINGERPRINT, SAVP, AVP,  SAVP, E2E, E2E, true },
		{ "RTP/AVP", "a=zrtp-hash:1.10 00\r\n", AVP, AVPF, AVPF, E2E,
		  E2E, false },
		{ "RTP/AVP", "a=zrtp-hash:1.10 00\r\n", AVP, SAVP, SAVP, CLEAR,
		  SDES, false },
		{ "RTP/AVP", LINE_80 "a=zrtp-hash:1.10 00\r\n", AVP, ANY, AVP,
		  E2E, E2E, false },
		{ "UDP/TLS/RTP/SAVP",  "", TLS,  TLSF,  TLSF, E2E, E2E, false },
		{ "UDP/TLS/RTP/SAVPF", "", TLSF, TLS,   TLS,  E2E, E2E, false },
		{ "UDP/TLS/RTP/SAVPF", "", TLSF, SAVPF, TLSF, E2E, E2E, true },
		{ "UDP/TLS/RTP/SAVP", LINE_80, TLS, AVP, TLS, E2E, E2E, true },
		{ "RTP/SOMETHING", "", OTHER, AVP, OTHER, CLEAR, CLEAR, true },
		{ "udptl",         "", OTHER, AVP, OTHER, CLEAR, CLEAR, false },
		{ "TCP/MSRP",      "", OTHER, AVP, OTHER, CLEAR, CLEAR, false },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct transport_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct transport_case *tc, negotiate_keys, protocol_and_keying_by_wish)
{
	const struct sp_plan_media *m = &plan.media[0];

	policy.transport = tc->wish;
	cr_assert(eq(int, offer(tc->proto, tc->more), SP_OK));
	cr_expect(eq(int, m->transport, tc->is), "%s", tc->proto);
	cr_expect(eq(int, m->written, tc->written), "%s", tc->proto);
	cr_expect(eq(int, m->transport_refused, tc->refused), "%s", tc->proto);
	cr_expect(eq(int, keys.from, tc->from), "%s", tc->proto);
	cr_expect(eq(int, keys.to, tc->to), "%s", tc->proto);
	cr_expect(eq(int, m->secure, tc->from == E2E && m->accepted));
	cr_expect(eq(int, keys.said.tag > 0, tc->from == SDES));
	cr_expect(eq(int, keys.count > 0, tc->to == SDES));
	cr_expect(keys.strip_crypto);
	cr_expect(eq(int, m->offered / SP_OFFERED_TRANSPORT, tc->is));
}

/* Protocols that both sides had, the offerer's now, and the receiver's. */
struct used_case {
	uint8_t offerer, receiver, now, written;
};

ParameterizedTestParameters(negotiate_keys, receiver_keeps_what_it_is_used_to)
{
	static struct used_case cases[] = {
		{ ANY, ANY, AVP, AVP },
		{ ANY, ANY, SAVP, SAVP },
		{ AVP, SAVP, AVP, SAVP },
		{ SAVP, AVP, SAVP, AVP },
		{ SAVPF, AVP, SAVPF, AVP },
		/* A new party offers: the one that stays is not moved. */
		{ ANY, SAVP, AVP, SAVP },
		{ ANY, AVP, SAVP, AVP },
		/* Keys that come or go on one side are that side's business. */
		{ AVP, AVP, SAVP, AVP },
		{ SAVP, SAVP, AVP, SAVP },
		/* Who changes the profile negotiates it anew. */
		{ AVP, AVP, AVPF, AVPF },
		{ AVPF, SAVPF, AVP, SAVP },
		{ AVPF, AVPF, SAVP, AVP },
		{ TLS, AVP, AVPF, AVP },
		{ AVP, TLS, AVP, AVP },
		{ TLS, TLSF, TLS, TLSF },
		{ AVP, TLSF, TLS, TLS },
		{ TLS, AVP, TLS, TLS },
	};

	return cr_make_param_array(
		struct used_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct used_case *tc, negotiate_keys, receiver_keeps_what_it_is_used_to)
{
	before.offerer = tc->offerer;
	before.receiver = tc->receiver;
	cr_assert(eq(int,
		offer(sp_sdp_transport((enum sp_transport)tc->now),
			tc->now == SAVP || tc->now == SAVPF ? LINE_80 : ""),
		SP_OK));
	cr_expect(eq(int, plan.media[0].written, tc->written), "%u %u %u",
		tc->offerer, tc->receiver, tc->now);
	/* A wish beats habit. */
	if (tc->now == TLS)
		return;
	policy.transport = AVP;
	cr_assert(eq(int,
		offer(sp_sdp_transport((enum sp_transport)tc->now),
			tc->now == SAVP || tc->now == SAVPF ? LINE_80 : ""),
		SP_OK));
	cr_expect(eq(int, plan.media[0].written, AVP));
}

/* What a realm that requires SRTP, or the wish for no SDES, does. */
struct srtp_case {
	char proto[24];
	char more[240];
	bool offerer, receiver; /* whose realm requires it */
	bool off;               /* no SDES for the receiver */
	uint8_t wish;
	enum sp_status want;
	uint8_t written;
};

ParameterizedTestParameters(negotiate_keys, realms_may_require_srtp)
{
	static struct srtp_case cases[] = {
		{ "RTP/AVP", "", true, false, false, ANY, SP_FORBIDDEN, 0 },
		{ "RTP/AVP", "", true, false, false, SAVP, SP_FORBIDDEN, 0 },
		{ "RTP/AVP", LINE_80, true, false, false, ANY, SP_FORBIDDEN,
			0 },
		{ "RTP/AVP", "a=zrtp-hash:1.10 00\r\n", true, false, false, ANY,
			SP_FORBIDDEN, 0 },
		{ "RTP/SAVP", LINE_80, true, false, false, AVP, SP_OK, AVP },
		{ "RTP/SAVP", LINE_80, true, true, false, ANY, SP_OK, SAVP },
		{ "UDP/TLS/RTP/SAVP", FINGERPRINT, true, true, false, ANY,
			SP_OK, TLS },
		{ "RTP/AVP", "", false, true, false, ANY, SP_OK, SAVP },
		{ "RTP/AVPF", "", false, true, false, ANY, SP_OK, SAVPF },
		{ "RTP/AVP", "", false, true, false, TLS, SP_OK, SAVP },
		{ "RTP/AVP", "a=zrtp-hash:1.10 00\r\n", false, true, false, ANY,
			SP_OK, SAVP },
		{ "RTP/AVP", "", false, true, false, AVP, SP_FORBIDDEN, 0 },
		{ "RTP/AVP", "", false, true, false, AVPF, SP_FORBIDDEN, 0 },
		{ "RTP/SAVP", LINE_80, false, true, false, AVP, SP_FORBIDDEN,
			0 },
		{ "RTP/SOMETHING", "", false, true, false, ANY, SP_FORBIDDEN,
			0 },
		/* SRTP in name only. */
		{ "RTP/SAVP",
			"a=crypto:1 " CM80 " inline:" KEY
			" UNENCRYPTED_SRTP\r\n",
			true, false, false, ANY, SP_UNSUPPORTED, 0 },
		{ "RTP/SAVP",
			"a=crypto:1 " CM80 " inline:" KEY
			" UNAUTHENTICATED_SRTP\r\n",
			true, false, false, ANY, SP_UNSUPPORTED, 0 },
		/* No SDES: what is there without? */
		{ "RTP/AVP", "", false, false, true, ANY, SP_OK, AVP },
		{ "RTP/AVP", "", false, false, true, SAVP, SP_OK, AVP },
		{ "RTP/AVP", "", false, true, true, ANY, SP_UNSUPPORTED, 0 },
		{ "RTP/AVP", "", false, true, true, SAVP, SP_UNSUPPORTED, 0 },
		{ "RTP/SAVP", LINE_80, false, false, true, ANY, SP_UNSUPPORTED,
			0 },
		{ "RTP/SAVP", LINE_80, false, false, true, AVP, SP_OK, AVP },
		{ "RTP/SAVP", LINE_80 FINGERPRINT, false, false, true, ANY,
			SP_OK, SAVP },
		/* No keys at all, or none that we can use. */
		{ "RTP/SAVP", "", false, false, false, ANY, SP_UNSUPPORTED, 0 },
		{ "RTP/SAVP", CRYPTO(1, "F8_128_HMAC_SHA1_80", KEY), false,
			false, false, AVP, SP_UNSUPPORTED, 0 },
	};

	return cr_make_param_array(
		struct srtp_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct srtp_case *tc, negotiate_keys, realms_may_require_srtp)
{
	before.offerer_srtp = tc->offerer;
	before.receiver_srtp = tc->receiver;
	policy.sdes.off = tc->off;
	policy.transport = tc->wish;
	error.reason = NULL;
	cr_assert(eq(int, offer(tc->proto, tc->more), tc->want), "%s %s: %s",
		tc->proto, tc->more, error.reason ? error.reason : "");
	if (tc->want != SP_OK) {
		cr_expect(ne(ptr, (void *)(uintptr_t)error.reason, NULL));
		cr_expect(eq(u32, error.media, 1));
		cr_expect(eq(u32, error.line, 6));
		return;
	}
	cr_expect(eq(int, plan.media[0].written, tc->written), "%s %s",
		tc->proto, tc->more);
}

/* Who is used to SRTP is not put into the clear because SDES is off. */
Test(negotiate_keys, habit_without_sdes_is_refused)
{
	before.offerer = AVP;
	before.receiver = SAVP;
	policy.sdes.off = true;
	cr_expect(eq(int, offer("RTP/AVP", ""), SP_UNSUPPORTED));
}

Test(negotiate_keys, line_that_is_off_needs_no_keys)
{
	static const struct sp_negotiate_own own;
	const char *body = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"
			   "c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
			   "m=audio 0 RTP/SAVP 0\r\n" LINE_80;

	before.offerer_srtp = before.receiver_srtp = true;
	policy.transport = AVP;
	cr_assert(
		eq(int, sp_sdp_parse(body, strlen(body), &error, &sdp), SP_OK));
	cr_assert(eq(int,
		sp_negotiate_offer(&sdp, &policy, &own, &error, &plan), SP_OK));
	cr_assert(eq(int,
		sp_negotiate_keys_offer(&sdp, 0, &policy, &before, &error,
			&plan.media[0], &keys),
		SP_OK));
	cr_expect(eq(int, plan.media[0].written, AVP));
	cr_expect(not(plan.media[0].transport_refused));
	cr_expect(eq(u32, keys.said.tag, 0));
	cr_expect(eq(u32, keys.count, 0));
	cr_expect(keys.strip_crypto);
}

/* Keys that are not ours: what of them may the other party see? */
struct strip_case {
	char proto[24];
	char more[240];
	bool pass, off;
	uint8_t from;
	bool crypto, others; /* these are stripped */
};

ParameterizedTestParameters(negotiate_keys, keys_pass_only_if_asked)
{
	static struct strip_case cases[] = {
		{ "RTP/SAVP", LINE_80, true, false, E2E, false, false },
		{ "RTP/SAVP", LINE_80, true, true, SDES, true, true },
		{ "RTP/SAVP", LINE_80, false, false, SDES, true, true },
		{ "RTP/SAVP", LINE_80 FINGERPRINT, false, false, SDES, true,
			true },
		{ "RTP/SAVP", FINGERPRINT, false, false, E2E, true, false },
		{ "RTP/AVP", LINE_80, true, false, E2E, false, false },
		{ "RTP/AVP", LINE_80, false, false, CLEAR, true, false },
		{ "UDP/TLS/RTP/SAVP", LINE_80 FINGERPRINT, false, false, E2E,
			true, false },
		{ "UDP/TLS/RTP/SAVP", LINE_80 FINGERPRINT, true, false, E2E,
			false, false },
	};

	return cr_make_param_array(
		struct strip_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct strip_case *tc, negotiate_keys, keys_pass_only_if_asked)
{
	policy.sdes.pass = tc->pass;
	policy.sdes.off = tc->off;
	policy.transport = tc->off ? AVP : ANY;
	cr_assert(eq(int, offer(tc->proto, tc->more), SP_OK));
	cr_expect(eq(int, keys.from, tc->from), "%s %s", tc->proto, tc->more);
	cr_expect(eq(int, keys.strip_crypto, tc->crypto), "%s %s", tc->proto,
		tc->more);
	cr_expect(eq(int, keys.strip_keys, tc->others), "%s %s", tc->proto,
		tc->more);
}

/* RFC 8643: keys beside RTP/AVP. */
struct osrtp_case {
	char more[240];
	bool offer, accept, off;
	bool from_keyed, to_keyed; /* so both sides are already */
	uint8_t from, to;
};

ParameterizedTestParameters(negotiate_keys, osrtp_is_offered_and_taken_if_asked)
{
	static struct osrtp_case cases[] = {
		{ "", true, false, false, false, false, CLEAR, OSRTP },
		{ "", true, false, true, false, false, CLEAR, CLEAR },
		{ "", false, false, false, false, true, CLEAR, OSRTP },
		{ LINE_80, false, true, false, false, false, OSRTP, CLEAR },
		{ LINE_80, true, true, false, false, false, OSRTP, OSRTP },
		{ LINE_80, true, false, false, false, false, CLEAR, OSRTP },
		{ LINE_80, false, false, false, true, true, OSRTP, OSRTP },
		{ LINE_80, false, false, false, true, false, OSRTP, CLEAR },
		{ CRYPTO(1, "F8_128_HMAC_SHA1_80", KEY), false, true, false,
			false, false, CLEAR, CLEAR },
	};

	return cr_make_param_array(
		struct osrtp_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct osrtp_case *tc, negotiate_keys,
	osrtp_is_offered_and_taken_if_asked)
{
	const struct sp_sdes said = ours(1, SP_SRTP_AES_CM_128_80, 'A');

	policy.sdes.osrtp_offer = tc->offer;
	policy.sdes.osrtp_accept = tc->accept;
	policy.sdes.off = tc->off;
	before.said = tc->from_keyed ? &said : NULL;
	before.receiver_osrtp = tc->to_keyed;
	before.receiver = AVP;
	cr_assert(eq(int, offer("RTP/AVP", tc->more), SP_OK));
	cr_expect(eq(int, keys.from, tc->from), "%s", tc->more);
	cr_expect(eq(int, keys.to, tc->to), "%s", tc->more);
	cr_expect(eq(int, plan.media[0].written, AVP));
	cr_expect(eq(int, keys.count > 0, tc->to == OSRTP));
	/* Where RTP/SAVP is asked for, that is what is offered. */
	if (tc->off)
		return;
	policy.transport = SAVP;
	cr_assert(eq(int, offer("RTP/AVP", tc->more), SP_OK));
	cr_expect(eq(int, keys.to, SDES));
}
