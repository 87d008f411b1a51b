/* SPDX-License-Identifier: BSD-3-Clause */
/* SRTP keyed by a=crypto on one side of a call or on both. */
#include "tests/control/rig_keys.h"

TestSuite(sdes, .init = open_keys, .fini = close_rig);

Test(sdes, srtp_caller_talks_to_plain_callee)
{
	const struct sp_flow_conf *a, *b;

	ask_avp(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, LINE_A));
	cr_expect(has(" RTP/AVP 8 101\r\n"));
	cr_expect(not(has("crypto")));
	port_b = rig_port(rig_got(&r), 0);
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(has(" RTP/SAVP 8 101\r\n"));
	cr_expect(eq(u32, count("a=crypto:"), 1));
	cr_expect(has("a=crypto:1 " CM80 " inline:"));
	cr_expect(not(has(KEY_A)));

	a = rig_flow(&r, port_a);
	b = rig_flow(&r, port_b);
	cr_expect(ne(u32, a->keys, 0));
	cr_expect(eq(u32, a->out_keys, 0));
	cr_expect(eq(u32, b->keys, 0));
	cr_expect(eq(u32, b->out_keys, a->keys));
	cr_expect(eq(int, a->policy, SP_LATCH_AUTH));
	cr_expect(eq(int, b->policy, SP_LATCH_RESTRICTED));
	cr_expect(zero(int, (a->flags | b->flags) & SP_FLOW_OPAQUE));
	cr_expect(key_is(&keys_at(port_a)->in, KEY_A));
	cr_expect(has_key(&keys_at(port_a)->out, "a=crypto:1 "));
	/* RTCP has the keys of its leg. */
	cr_expect(eq(u32, rig_flow(&r, port_a + 1)->keys, a->keys));
	cr_expect(eq(u32, rig_flow(&r, port_b + 1)->out_keys, a->keys));
	cr_expect(eq(int, rig_flow(&r, port_a + 1)->policy, SP_LATCH_AUTH));
}

Test(sdes, plain_caller_talks_to_srtp_callee)
{
	const struct sp_flow_keys *keys;

	ask_savp(SP_VERB_OFFER, "a", NULL, rig_sdp("192.0.2.5", 4000, ""));
	cr_expect(has(" RTP/SAVP 8 101\r\n"));
	cr_expect(eq(u32, count("a=crypto:"), 3));
	cr_expect(has("a=crypto:1 " CM80 " inline:"));
	cr_expect(has("a=crypto:2 AEAD_AES_128_GCM inline:"));
	cr_expect(has("a=crypto:3 " CM32 " inline:"));
	port_b = rig_port(rig_got(&r), 0);
	/* Nothing is agreed: nothing passes. */
	keys = keys_at(port_b);
	cr_assert(ne(ptr, (void *)(uintptr_t)keys, NULL));
	cr_expect(eq(int, keys->in.suite, SP_SRTP_NONE));
	cr_expect(eq(int, keys->out.suite, SP_SRTP_NONE));

	keep_got();
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000, LINE(3, CM32, KEY_B)));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(has(" RTP/AVP 8 101\r\n"));
	cr_expect(not(has("crypto")));
	cr_expect(key_is(&keys->in, KEY_B));
	cr_expect(eq(int, keys->in.suite, SP_SRTP_AES_CM_128_32));
	cr_expect(eq(int, keys->out.suite, SP_SRTP_AES_CM_128_32));
	cr_expect(kept_key(&keys->out, "a=crypto:3 "));
	cr_expect(eq(u32, rig_flow(&r, port_a)->keys, 0));
	cr_expect(eq(u32, rig_flow(&r, port_a)->out_keys,
		rig_flow(&r, port_b)->keys));
}

Test(sdes, each_side_has_its_own_keys_and_suite)
{
	connect_keys();
	cr_expect(key_is(&keys_at(port_a)->in, KEY_A));
	cr_expect(key_is(&keys_at(port_b)->in, KEY_B));
	cr_expect(eq(int, keys_at(port_a)->out.suite, SP_SRTP_AES_CM_128_80));
	cr_expect(eq(int, keys_at(port_b)->out.suite, SP_SRTP_AES_CM_128_32));
	cr_expect(eq(u32, rig_flow(&r, port_a)->out_keys,
		rig_flow(&r, port_b)->keys));
	cr_expect(eq(u32, rig_flow(&r, port_b)->out_keys,
		rig_flow(&r, port_a)->keys));
	cr_expect(eq(u32, r.dp->taken, 6));
}

Test(sdes, repetition_changes_nothing_and_says_the_same)
{
	const char *offer = savp("192.0.2.5", 4000, LINE_A);
	const char *answer = savp("10.1.1.1", 5000, LINE(2, CM32, KEY_B));
	unsigned int orders;

	ask(SP_VERB_OFFER, "a", NULL, offer);
	keep_got();
	ask(SP_VERB_OFFER, "a", NULL, offer);
	cr_expect(is_kept());
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000, LINE(3, CM32, KEY_B)));
	keep_got();
	orders = r.dp->key_orders + r.dp->programs;
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000, LINE(3, CM32, KEY_B)));
	cr_expect(is_kept());
	/* And a refresh, from either side. */
	ask(SP_VERB_OFFER, "a", "b", offer);
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000, LINE(3, CM32, KEY_B)));
	cr_expect(is_kept());
	cr_expect(eq(u32, r.dp->key_orders + r.dp->programs, orders));
	cr_expect(eq(int, try(SP_VERB_ANSWER, "a", "b", answer), 409));
}

Test(sdes, offer_again_shows_the_same_lines)
{
	connect_keys();
	ask(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_A));
	keep_got();
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000, LINE(3, CM32, KEY_B)));
	ask(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(is_kept());
	cr_expect(eq(u32, count("a=crypto:"), 3));
	cr_expect(has_key(&keys_at(port_b)->out, "a=crypto:3 "));
}

/* The tags are the offerer's, and so is the order. */
Test(sdes, answerer_sees_the_tags_of_the_offer)
{
	ask(SP_VERB_OFFER, "a", NULL,
		savp("192.0.2.5", 4000,
			LINE(7, CM32, KEY_A) LINE(4, CM80, KEY_A)));
	cr_expect(lt(ptr, strstr(rig_got(&r), "a=crypto:7 " CM32),
		strstr(rig_got(&r), "a=crypto:4 " CM80)));
	cr_expect(has("a=crypto:1 AEAD_AES_128_GCM"));
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000, LINE(4, CM80, KEY_B)));
	cr_expect(eq(u32, count("a=crypto:"), 1));
	cr_expect(has("a=crypto:7 " CM32));
}

/* An answer that is none: it is refused, and nothing of it is left. */
struct wrong_case {
	char lines[160];
	bool plain;
};

ParameterizedTestParameters(sdes, wrong_answer_changes_nothing)
{
	static struct wrong_case cases[] = {
		{ "", true },
		{ "", false },
		{ LINE(9, CM80, KEY_B), false },
		{ LINE(1, CM32, KEY_B), false },
		{ "a=crypto:1 " CM80 " inline:" KEY_B " UNENCRYPTED_SRTP\r\n",
			false },
	};

	return cr_make_param_array(
		struct wrong_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct wrong_case *tc, sdes, wrong_answer_changes_nothing)
{
	unsigned int orders;

	ask(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, LINE_A));
	port_b = rig_port(rig_got(&r), 0);
	orders = r.dp->key_orders + r.dp->programs;
	cr_expect(eq(int,
		try(SP_VERB_ANSWER, "a", "b",
			tc->plain ? rig_sdp("10.1.1.1", 5000, tc->lines)
				  : savp("10.1.1.1", 5000, tc->lines)),
		409));
	cr_expect(eq(str, r.type, "conflict"));
	cr_expect(eq(u32, r.dp->key_orders + r.dp->programs, orders));
	/* A better one still comes through. */
	ask(SP_VERB_ANSWER, "a", "b", savp("10.1.1.1", 5000, LINE_B));
	cr_expect(key_is(&keys_at(port_b)->in, KEY_B));
}

Test(sdes, offer_without_a_usable_key_is_refused)
{
	cr_expect(eq(int,
		try(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, "")),
		422));
	cr_expect(eq(str, r.type, "bad-sdp"));
	cr_expect(eq(str, r.where, "sdp line 6"));
	cr_expect(eq(sz, r.s->calls.count, 0));
	cr_expect(eq(u32, r.dp->taken, 0));
}

Test(sdes, keys_pass_unread_only_when_asked)
{
	wish.sdes.pass = true;
	ask(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, LINE_A));
	cr_expect(has("a=crypto:1 " CM80 " inline:" KEY_A "\r\n"));
	port_b = rig_port(rig_got(&r), 0);
	/* The answer need not ask again. */
	wish.sdes.pass = false;
	ask(SP_VERB_ANSWER, "a", "b", savp("10.1.1.1", 5000, LINE_B));
	cr_expect(has("a=crypto:1 " CM80 " inline:" KEY_B "\r\n"));
	cr_expect(eq(u32, count("a=crypto:"), 1));
	cr_expect(eq(u32, rig_flow(&r, port_b)->keys, 0));
	cr_expect(eq(int, rig_flow(&r, port_b)->flags, SP_FLOW_OPAQUE));
	cr_expect(eq(u32, r.dp->key_orders, 0));
}

Test(sdes, dtls_with_sdes_beside_it_passes_without_the_sdes)
{
	char sdp[RIG_SDP];

	snprintf(sdp, sizeof sdp,
		"v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\n"
		"c=IN IP4 192.0.2.5\r\nt=0 0\r\n"
		"m=audio 4000 UDP/TLS/RTP/SAVP 8\r\n"
		"a=fingerprint:sha-1 00:11\r\na=setup:actpass\r\n" LINE_A);
	ask(SP_VERB_OFFER, "a", NULL, sdp);
	cr_expect(has("a=fingerprint:sha-1 00:11\r\n"));
	cr_expect(not(has("crypto")));
	cr_expect(eq(int, rig_flow(&r, rig_port(rig_got(&r), 0))->flags,
		SP_FLOW_OPAQUE));
}

Test(sdes, other_keys_beside_sdes_are_not_shown_on)
{
	ask(SP_VERB_OFFER, "a", NULL,
		savp("192.0.2.5", 4000,
			LINE_A "a=fingerprint:sha-1 00:11\r\n"
			       "a=setup:actpass\r\n"));
	cr_expect(not(has("fingerprint") || has("setup")));
	cr_expect(eq(u32, count("a=crypto:"), 3));
}

/* Who may move the leg, by what the proxy asks and the line says. */
struct policy_case {
	uint8_t asked; /* enum sp_latch_policy */
	bool no_auth;
	uint8_t want;
};

ParameterizedTestParameters(sdes, keys_say_who_the_party_is)
{
	static struct policy_case cases[] = {
		{ SP_LATCH_RESTRICTED, false, SP_LATCH_AUTH },
		{ SP_LATCH_ANY, false, SP_LATCH_AUTH },
		{ SP_LATCH_HANDOVER, false, SP_LATCH_AUTH },
		{ SP_LATCH_SIGNALLED, false, SP_LATCH_SIGNALLED },
		{ SP_LATCH_ASYMMETRIC, false, SP_LATCH_ASYMMETRIC },
		{ SP_LATCH_RESTRICTED, true, SP_LATCH_RESTRICTED },
	};

	return cr_make_param_array(
		struct policy_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct policy_case *tc, sdes, keys_say_who_the_party_is)
{
	struct sp_request request = rig_request(SP_VERB_OFFER, "a", NULL, NULL,
		savp("192.0.2.5", 4000,
			tc->no_auth ? "a=crypto:1 " CM80 " inline:" KEY_A
				      " UNAUTHENTICATED_SRTP\r\n"
				    : LINE_A));

	request.has_latch = true;
	request.latch = tc->asked;
	cr_assert(eq(int, rig_ask(&r, &request), 200));
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000,
			tc->no_auth ? "a=crypto:1 " CM80 " inline:" KEY_B
				      " UNAUTHENTICATED_SRTP\r\n"
				    : LINE_B));
	cr_expect(eq(
		int, rig_flow(&r, rig_port(rig_got(&r), 0))->policy, tc->want));
}

Test(sdes, mki_of_a_party_has_one_of_ours_beside_it)
{
	ask_avp(SP_VERB_OFFER, "a", NULL,
		savp("192.0.2.5", 4000,
			"a=crypto:1 " CM80 " inline:" KEY_A "|2^20|7:2\r\n"));
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(has("|7:2\r\n"));
	cr_expect(eq(int, keys_at(port_a)->in.mki_len, 2));
	cr_expect(eq(int, keys_at(port_a)->out.mki_len, 2));
}

Test(sdes, media_can_be_silenced_where_keys_are_ours)
{
	struct sp_request request =
		rig_request(SP_VERB_SILENCE_MEDIA, "a", NULL, NULL, NULL);

	connect_keys();
	cr_assert(eq(int, rig_ask(&r, &request), 200));
	cr_expect(eq(int, rig_flow(&r, port_a)->flags, SP_FLOW_SILENCE));
	cr_expect(eq(
		sz, json_array_size(json_object_get(r.body, "warnings")), 0));
}

Test(sdes, version_of_ours_grows_only_with_what_changes)
{
	struct sp_request request = rig_request(SP_VERB_OFFER, "a", NULL, NULL,
		savp("192.0.2.5", 4000, LINE_A));

	request.policy.replace = SP_REPLACE_SDP_VERSION;
	cr_assert(eq(int, rig_ask(&r, &request), 200));
	keep_got();
	cr_assert(eq(int, rig_ask(&r, &request), 200));
	cr_expect(is_kept());
	cr_expect(has("o=- 1 1 "));
}

Test(sdes, without_entropy_there_is_no_call)
{
	r.s->key_pool.more = no_random;
	cr_expect(eq(int,
		try(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, LINE_A)),
		500));
	cr_expect(eq(sz, r.s->calls.count, 0));
	/* Who needs no key of ours gets a call. */
	ask(SP_VERB_OFFER, "a", NULL, rig_sdp("192.0.2.5", 4000, ""));
}

Test(sdes, people_are_told_the_suites)
{
	uint8_t in, out;
	const struct sp_call *call;

	connect_keys();
	call = sp_calls_find(&r.s->calls, rig_text("call-1"));
	cr_expect(eq(int, sp_keys_of(call->cast.party[0], 0, &in, &out),
		SP_KEYING_SDES));
	cr_expect(eq(int, in, SP_SRTP_AES_CM_128_80));
	cr_expect(eq(int, out, SP_SRTP_AES_CM_128_80));
	cr_expect(eq(int, sp_keys_of(call->cast.party[1], 0, &in, &out),
		SP_KEYING_SDES));
	cr_expect(eq(int, in, SP_SRTP_AES_CM_128_32));
	cr_expect(eq(int, sp_keys_of(call->cast.party[1], 1, &in, &out),
		SP_KEYING_CLEAR));
	cr_expect(eq(int, in, SP_SRTP_NONE));
}
