/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of a call that goes on: re-offers, hold, lines off and on, transfer. */
#include "tests/control/rig_keys.h"

#define LINE_32(tag) LINE(tag, CM32, KEY_C)

TestSuite(sdes_again, .init = open_keys, .fini = close_rig);

#define B_ANSWER savp("10.1.1.1", 5000, LINE(3, CM32, KEY_B))

/* The keys of both legs, to compare. */
static struct sp_flow_keys was_a, was_b;

static void
remember(void)
{
	was_a = *keys_at(port_a);
	was_b = *keys_at(port_b);
}

static bool
same(const struct sp_srtp_conf *a, const struct sp_srtp_conf *b)
{
	return sp_srtp_conf_equal(a, b);
}

static bool
is_a(void)
{
	return same(&was_a.in, &keys_at(port_a)->in) &&
		same(&was_a.out, &keys_at(port_a)->out);
}

static bool
is_b(void)
{
	return same(&was_b.in, &keys_at(port_b)->in) &&
		same(&was_b.out, &keys_at(port_b)->out);
}

Test(sdes_again, new_key_counts_once_it_is_answered)
{
	connect_keys();
	remember();
	ask(SP_VERB_OFFER, "a", "b",
		savp("192.0.2.5", 4000, LINE(1, CM80, KEY_C)));
	cr_expect(is_a() && is_b());
	ask(SP_VERB_ANSWER, "a", "b", B_ANSWER);
	cr_expect(key_is(&keys_at(port_a)->in, KEY_C));
	/* Ours stays: it is still offered, and nobody knows it but A. */
	cr_expect(same(&was_a.out, &keys_at(port_a)->out));
	cr_expect(is_b());
	cr_expect(has_key(&was_a.out, "a=crypto:1 "));
}

/* 488: the old keys go on, whatever was offered. */
Test(sdes_again, refused_offer_leaves_the_keys)
{
	connect_keys();
	remember();
	ask(SP_VERB_OFFER, "a", "b",
		savp("192.0.2.5", 4000, LINE(5, CM32, KEY_C)));
	ask_avp(SP_VERB_OFFER, "a", "b",
		savp("192.0.2.5", 4000, LINE(6, CM32, KEY_C)));
	cr_expect(is_a() && is_b());
	ask_savp(SP_VERB_OFFER, "b", "a", B_ANSWER);
	cr_expect(is_a() && is_b());
	/* What follows goes by what was agreed last. */
	cr_expect(has_key(&was_a.out, "a=crypto:1 "));
	ask(SP_VERB_ANSWER, "b", "a", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(is_a() && is_b());
}

Test(sdes_again, other_side_offers_under_the_same_keys)
{
	connect_keys();
	remember();
	ask(SP_VERB_OFFER, "b", "a",
		savp("10.1.1.1", 5000, LINE(3, CM32, KEY_B)));
	cr_expect(eq(u32, count("a=crypto:"), 1));
	cr_expect(has_key(&was_a.out, "a=crypto:1 " CM80));
	ask(SP_VERB_ANSWER, "b", "a", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(eq(u32, count("a=crypto:"), 1));
	cr_expect(has_key(&was_b.out, "a=crypto:3 " CM32));
	cr_expect(is_a() && is_b());
}

/* Its tags are its own business: the suite has its key. */
Test(sdes_again, other_side_offers_under_other_tags)
{
	connect_keys();
	remember();
	ask(SP_VERB_OFFER, "b", "a",
		savp("10.1.1.1", 5000,
			LINE(1, CM32, KEY_B) LINE(2, CM80, KEY_B)));
	ask(SP_VERB_ANSWER, "b", "a", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(has_key(&was_b.out, "a=crypto:1 " CM32));
	cr_expect(is_a() && is_b());
}

Test(sdes_again, key_that_was_left_is_never_shown_again)
{
	connect_keys();
	remember();
	keep_got();
	ask(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(has_key(&was_b.out, "a=crypto:3 " CM32));
	keep_got();
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000, LINE(1, CM80, KEY_B)));
	cr_expect(kept_key(&keys_at(port_b)->out, "a=crypto:1 "));
	ask(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(has("a=crypto:3 " CM32));
	cr_expect(not(has_key(&was_b.out, "a=crypto:3 ")));
	/* The others are as they were. */
	cr_expect(kept_key(&keys_at(port_b)->out, "a=crypto:1 "));
	cr_expect(has_key(&keys_at(port_b)->out, "a=crypto:1 "));
}

Test(sdes_again, offerer_that_returns_to_a_suite_gets_a_new_key)
{
	connect_keys();
	remember();
	ask(SP_VERB_OFFER, "a", "b",
		savp("192.0.2.5", 4000, LINE(1, CM32, KEY_A)));
	ask(SP_VERB_ANSWER, "a", "b", B_ANSWER);
	cr_expect(eq(int, keys_at(port_a)->out.suite, SP_SRTP_AES_CM_128_32));
	ask(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_A));
	ask(SP_VERB_ANSWER, "a", "b", B_ANSWER);
	cr_expect(eq(int, keys_at(port_a)->out.suite, SP_SRTP_AES_CM_128_80));
	cr_expect(not(same(&was_a.out, &keys_at(port_a)->out)));
	cr_expect(is_b());
}

/* A hold by attribute, and one by address. */
Test(sdes_again, hold_and_resume_leave_the_keys)
{
	unsigned int orders;

	connect_keys();
	remember();
	orders = r.dp->key_orders;
	ask(SP_VERB_OFFER, "a", "b",
		savp("192.0.2.5", 4000, LINE_A "a=sendonly\r\n"));
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000, LINE(3, CM32, KEY_B) "a=recvonly\r\n"));
	ask(SP_VERB_OFFER, "b", "a",
		savp("0.0.0.0", 5000, LINE(3, CM32, KEY_B)));
	ask(SP_VERB_ANSWER, "b", "a", savp("192.0.2.5", 4000, LINE_A));
	ask(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_A));
	ask(SP_VERB_ANSWER, "a", "b", B_ANSWER);
	cr_expect(is_a() && is_b());
	cr_expect(eq(u32, r.dp->key_orders, orders));
}

/* The worker forgets a line that is off, so our keys may not come back. */
Test(sdes_again, line_that_was_off_gets_new_keys_of_ours)
{
	connect_keys();
	remember();
	ask(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 0, ""));
	ask(SP_VERB_ANSWER, "a", "b", savp("10.1.1.1", 0, ""));
	cr_expect(eq(u32, r.dp->wipes, 2));
	cr_expect(eq(u32, r.dp->taken, 0));
	ask(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(eq(u32, count("a=crypto:"), 3));
	cr_expect(not(has_key(&was_b.out, "a=crypto:3 ")));
	ask(SP_VERB_ANSWER, "a", "b", B_ANSWER);
	cr_expect(same(&was_a.in, &keys_at(port_a)->in));
	cr_expect(same(&was_b.in, &keys_at(port_b)->in));
	cr_expect(not(same(&was_a.out, &keys_at(port_a)->out)));
	cr_expect(not(same(&was_b.out, &keys_at(port_b)->out)));
}

Test(sdes_again, added_line_has_keys_of_its_own)
{
	unsigned int video;

	connect_keys();
	remember();
	ask(SP_VERB_OFFER, "a", "b",
		savp("192.0.2.5", 4000,
			LINE_A
			"m=video 4010 RTP/SAVP 96\r\n" LINE(1, CM80, KEY_C)));
	cr_expect(eq(u32, count("a=crypto:"), 6));
	video = rig_port(rig_got(&r), 1);
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000,
			LINE(3, CM32,
				KEY_B) "m=video 5010 RTP/SAVP 96\r\n" LINE(1,
				CM80, KEY_B)));
	cr_expect(is_a() && is_b());
	cr_expect(key_is(&keys_at(rig_port(rig_got(&r), 1))->in, KEY_C));
	cr_expect(not(same(&keys_at(video)->out,
		&keys_at(rig_port(rig_got(&r), 1))->out)));
	cr_expect(
		ne(u32, rig_flow(&r, video)->keys, rig_flow(&r, port_b)->keys));
}

/* Each side keeps its protocol when nobody wishes otherwise. */
Test(sdes_again, both_sides_keep_what_they_are_used_to)
{
	ask_avp(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, LINE_A));
	port_b = rig_port(rig_got(&r), 0);
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	port_a = rig_port(rig_got(&r), 0);
	was_a = *keys_at(port_a);
	ask(SP_VERB_OFFER, "b", "a", rig_sdp("10.1.1.1", 5000, ""));
	cr_expect(has(" RTP/SAVP 8"));
	cr_expect(has_key(&was_a.out, "a=crypto:1 " CM80));
	ask(SP_VERB_ANSWER, "b", "a", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(has(" RTP/AVP 8") && !has("crypto"));
	ask(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(has(" RTP/AVP 8") && !has("crypto"));
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	cr_expect(is_a());
}

/* A callee that turns SRTP off, and on again. */
Test(sdes_again, side_that_leaves_srtp_is_wiped)
{
	connect_keys();
	remember();
	ask_avp(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(is_b());
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	cr_expect(eq(u32, rig_flow(&r, port_b)->keys, 0));
	cr_expect(eq(u32, rig_flow(&r, port_a)->out_keys, 0));
	cr_expect(eq(u32, r.dp->wipes, 1));
	cr_expect(is_a());
	ask_savp(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_A));
	/* In the clear until it is answered. */
	cr_expect(eq(u32, rig_flow(&r, port_b)->keys, 0));
	cr_expect(not(has_key(&was_b.out, "a=crypto:3 ")));
	ask(SP_VERB_ANSWER, "a", "b", B_ANSWER);
	cr_expect(same(&was_b.in, &keys_at(port_b)->in));
	cr_expect(not(same(&was_b.out, &keys_at(port_b)->out)));
}

/* A new party takes B's place; A stays, with its keys. */
Test(sdes_again, transfer_leaves_the_keys_of_who_stays)
{
	connect_keys();
	remember();
	ask(SP_VERB_OFFER, "c", "a",
		savp("10.1.1.3", 6000, LINE(1, CM80, KEY_C)));
	cr_expect(has_key(&was_a.out, "a=crypto:1 " CM80));
	cr_expect(has(" RTP/SAVP 8"));
	ask(SP_VERB_ANSWER, "c", "a", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(key_is(&keys_at(rig_port(rig_got(&r), 0))->in, KEY_C));
	cr_expect(is_a());
	cr_assert(eq(int, rig_delete(&r, "a", "b", NULL), 200));
	cr_expect(is_a());
	cr_expect(eq(u32, r.dp->wipes, 1));
}

/* One that talks RTP, to an A that is used to SRTP. */
Test(sdes_again, transfer_to_a_plain_party_leaves_srtp_on)
{
	connect_keys();
	remember();
	ask(SP_VERB_OFFER, "c", "a", rig_sdp("10.1.1.3", 6000, ""));
	cr_expect(has(" RTP/SAVP 8"));
	cr_expect(has_key(&was_a.out, "a=crypto:1 " CM80));
	ask(SP_VERB_ANSWER, "c", "a", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(has(" RTP/AVP 8"));
	cr_expect(is_a());
}

/* The INVITE had no SDP: the 200 offers, the ACK answers. */
Test(sdes_again, delayed_offer_turns_the_roles_round)
{
	ask_avp(SP_VERB_OFFER, "b", "a",
		savp("10.1.1.1", 5000, LINE(4, CM32, KEY_B)));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(not(has("crypto")));
	ask(SP_VERB_ANSWER, "b", "a", rig_sdp("192.0.2.5", 4000, ""));
	port_b = rig_port(rig_got(&r), 0);
	cr_expect(has_key(&keys_at(port_b)->out, "a=crypto:4 " CM32));
	cr_expect(key_is(&keys_at(port_b)->in, KEY_B));
	cr_expect(eq(u32, rig_flow(&r, port_a)->keys, 0));
}

/* Two UPDATEs cross: the one that is answered counts. */
Test(sdes_again, offers_that_cross_leave_one_agreement)
{
	connect_keys();
	remember();
	ask(SP_VERB_OFFER, "a", "b",
		savp("192.0.2.5", 4000, LINE(1, CM80, KEY_C)));
	ask(SP_VERB_OFFER, "b", "a",
		savp("10.1.1.1", 5000, LINE(1, CM80, KEY_C)));
	cr_expect(is_a() && is_b());
	ask(SP_VERB_ANSWER, "b", "a", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(is_a());
	cr_expect(key_is(&keys_at(port_b)->in, KEY_C));
	cr_expect(eq(int, keys_at(port_b)->out.suite, SP_SRTP_AES_CM_128_80));
	cr_expect(eq(int, try(SP_VERB_ANSWER, "a", "b", B_ANSWER), 409));
}

/* A late repetition of an answer takes no choice from a newer offer. */
Test(sdes_again, repeated_answer_leaves_the_newer_offer_alone)
{
	connect_keys();
	ask(SP_VERB_OFFER, "b", "a",
		savp("10.1.1.1", 5000,
			LINE(3, CM32, KEY_B) LINE(8, CM80, KEY_B)));
	keep_got();
	ask(SP_VERB_ANSWER, "a", "b", B_ANSWER);
	ask(SP_VERB_ANSWER, "b", "a", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(kept_key(&keys_at(port_a)->out, "a=crypto:1 "));
}

/* Suites the proxy excludes are gone, but the one in use goes on meanwhile. */
Test(sdes_again, suite_in_use_goes_on_until_another_is_answered)
{
	connect_keys();
	remember();
	wish.sdes.without = SP_SDES_BIT(SP_SRTP_AES_CM_128_32);
	ask(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(not(has(CM32)));
	cr_expect(is_b());
	cr_expect(eq(int, try(SP_VERB_ANSWER, "a", "b", B_ANSWER), 409));
	cr_expect(is_b());
	ask(SP_VERB_ANSWER, "a", "b", savp("10.1.1.1", 5000, LINE_B));
	cr_expect(eq(int, keys_at(port_b)->out.suite, SP_SRTP_AES_CM_128_80));
}

/* RFC 8643: RTP/AVP all the way, with keys or without. */
Test(sdes_again, osrtp_is_answered_with_keys_or_in_the_clear)
{
	wish.sdes.osrtp_offer = true;
	ask(SP_VERB_OFFER, "a", NULL, rig_sdp("192.0.2.5", 4000, ""));
	cr_expect(has(" RTP/AVP 8"));
	cr_expect(eq(u32, count("a=crypto:"), 3));
	port_b = rig_port(rig_got(&r), 0);
	cr_expect(ne(u32, rig_flow(&r, port_b)->keys, 0));
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	cr_expect(eq(u32, rig_flow(&r, port_b)->keys, 0));
	cr_expect(eq(u32, r.dp->wipes, 1));
	ask(SP_VERB_OFFER, "a", "b", rig_sdp("192.0.2.5", 4000, ""));
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, LINE_B));
	cr_expect(not(has("crypto")));
	cr_expect(key_is(&keys_at(port_b)->in, KEY_B));
	/* Who is keyed stays so without being asked again. */
	wish.sdes.osrtp_offer = false;
	ask(SP_VERB_OFFER, "a", "b", rig_sdp("192.0.2.5", 4000, ""));
	cr_expect(has_key(&keys_at(port_b)->out, "a=crypto:1 "));
}

Test(sdes_again, osrtp_offer_is_taken_only_when_asked)
{
	ask(SP_VERB_OFFER, "a", NULL, rig_sdp("192.0.2.5", 4000, LINE_A));
	cr_expect(not(has("crypto")));
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	cr_expect(not(has("crypto")));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(eq(u32, rig_flow(&r, port_a)->keys, 0));
	cr_expect(eq(int, rig_flow(&r, port_a)->flags, 0));
	wish.sdes.osrtp_accept = true;
	ask(SP_VERB_OFFER, "a", "b", rig_sdp("192.0.2.5", 4000, LINE_A));
	cr_expect(not(has("crypto")));
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	cr_expect(has(" RTP/AVP 8"));
	cr_expect(has_key(&keys_at(port_a)->out, "a=crypto:1 "));
	cr_expect(key_is(&keys_at(port_a)->in, KEY_A));
}

/* SEC-29: no answer, no offer and no re-offer in the clear. */
Test(sdes_again, realm_that_requires_srtp_is_never_left_in_the_clear)
{
	r.conf.more[1].require_srtp = true;
	ask(SP_VERB_OFFER, "a", NULL, rig_sdp("192.0.2.5", 4000, ""));
	cr_expect(has(" RTP/SAVP 8"));
	port_b = rig_port(rig_got(&r), 0);
	cr_expect(eq(int,
		try(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, "")),
		409));
	ask(SP_VERB_ANSWER, "a", "b", savp("10.1.1.1", 5000, LINE_B));
	port_a = rig_port(rig_got(&r), 0);

	wish.transport = SP_TRANSPORT_RTP_AVP;
	cr_expect(eq(int,
		try(SP_VERB_OFFER, "a", "b", rig_sdp("192.0.2.5", 4000, "")),
		422));
	cr_expect(eq(str, r.type, "srtp-required"));
	wish.transport = SP_TRANSPORT_ANY;
	/* Bid down from its own side, OSRTP too. */
	cr_expect(eq(int,
		try(SP_VERB_OFFER, "b", "a", rig_sdp("10.1.1.1", 5000, "")),
		422));
	wish.sdes.osrtp_accept = true;
	cr_expect(eq(int,
		try(SP_VERB_OFFER, "b", "a", rig_sdp("10.1.1.1", 5000, LINE_B)),
		422));
	cr_expect(eq(u64, r.s->metrics.srtp_refused, 3));
	cr_expect(key_is(&keys_at(port_b)->in, KEY_B));
	cr_expect(eq(u32, rig_flow(&r, port_a)->keys, 0));
}

/* Nor is DTLS answered by nothing, on either side of the border. */
Test(sdes_again, dtls_answered_in_the_clear_is_refused_where_srtp_is_required)
{
	const char *dtls = "v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\n"
			   "c=IN IP4 192.0.2.5\r\nt=0 0\r\n"
			   "m=audio 4000 UDP/TLS/RTP/SAVP 8\r\n"
			   "a=fingerprint:sha-1 00:11\r\n";

	for (unsigned int realm = 0; realm < 2; realm++) {
		r.conf.more[realm].require_srtp = true;
		ask(SP_VERB_OFFER, "a", NULL, dtls);
		cr_expect(eq(int,
			try(SP_VERB_ANSWER, "a", "b",
				rig_sdp("10.1.1.1", 5000, "")),
			422));
		cr_expect(eq(str, r.type, "srtp-required"));
		r.conf.more[realm].require_srtp = false;
	}
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
}

/* The value of the first a=crypto line of what we answered last. */
static const char *
echo(void)
{
	static char line[SP_SDES_TEXT_MAX + 16];
	const char *at = strstr(rig_got(&r), "a=crypto:");

	snprintf(line, sizeof line, "%.*s\r\n",
		at ? (int)strcspn(at, "\r\n") : 0, at ? at : "");
	return line;
}

Test(sdes_again, our_own_key_is_no_answer_and_no_offer)
{
	struct sp_flow_keys b;

	ask(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, LINE_A));
	port_b = rig_port(rig_got(&r), 0);
	cr_expect(eq(int,
		try(SP_VERB_ANSWER, "a", "b", savp("10.1.1.1", 5000, echo())),
		409));
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000, LINE(3, CM32, KEY_B)));
	port_a = rig_port(rig_got(&r), 0);
	b = *keys_at(port_b);
	cr_expect(eq(int,
		try(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, echo())),
		422));
	cr_expect(same(&b.in, &keys_at(port_b)->in));
	cr_expect(key_is(&keys_at(port_a)->in, KEY_A));
}

/*
 * A key that has two tags, one of each side's offers, is one key: once it was
 * left, neither brings it back.
 */
Test(sdes_again, key_under_two_tags_is_left_under_both)
{
	struct sp_flow_keys a;

	/* B offers to A; then A offers what B had under another tag. */
	ask(SP_VERB_OFFER, "b", NULL,
		savp("10.1.1.1", 5000, LINE(1, CM80, KEY_B) LINE_32(2)));
	port_a = rig_port(rig_got(&r), 0);
	ask(SP_VERB_ANSWER, "b", "a", savp("192.0.2.5", 4000, LINE_A));
	port_b = rig_port(rig_got(&r), 0);
	ask(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_32(1)));
	ask(SP_VERB_ANSWER, "a", "b", savp("10.1.1.1", 5000, LINE_B));
	a = *keys_at(port_a);
	cr_assert(eq(int, a.out.suite, SP_SRTP_AES_CM_128_32));

	ask_avp(SP_VERB_OFFER, "a", "b", rig_sdp("192.0.2.5", 4000, ""));
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	cr_expect(eq(ptr, (void *)(uintptr_t)keys_at(port_a), NULL));
	ask_avp(SP_VERB_OFFER, "a", "b", savp("192.0.2.5", 4000, LINE_32(1)));
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	cr_assert(eq(int, keys_at(port_a)->out.suite, SP_SRTP_AES_CM_128_32));
	cr_expect(not(same(&a.out, &keys_at(port_a)->out)));
}
