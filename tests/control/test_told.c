/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/control/rig_call.h"

TestSuite(told, .init = open_rig, .fini = close_rig);

#define BODY(origin, name, port)                                               \
	"v=0\r\no=" origin " IN IP4 192.0.2.5\r\ns=" name "\r\n"               \
	"c=IN IP4 192.0.2.5\r\nt=0 0\r\nm=audio " port " RTP/AVP 8\r\n"

/* Offer @sdp with @replace, return 200 or what came. */
static int
offer(uint8_t replace, const char *sdp)
{
	struct sp_request ask =
		rig_request(SP_VERB_OFFER, "a", NULL, NULL, sdp);

	ask.policy.replace = replace;
	return rig_ask(&r, &ask);
}

static bool
got(const char *line)
{
	return strstr(rig_got(&r), line) != NULL;
}

Test(told, username_and_session_name_stay_as_first_told)
{
	const uint8_t keep = SP_REPLACE_USERNAME | SP_REPLACE_SESSION_NAME;

	cr_assert(eq(int, offer(0, BODY("x 1 1", "nobody kept", "4000")), 200));
	cr_assert(eq(int, offer(keep, BODY("ann 1 1", "one", "4000")), 200));
	cr_expect(got("o=ann 1 1 ") && got("s=one\r\n"));
	cr_assert(eq(int, offer(keep, BODY("bob 2 7", "two", "4000")), 200));
	cr_expect(got("o=ann 2 7 ") && got("s=one\r\n"));
	cr_assert(eq(int,
		offer(SP_REPLACE_USERNAME, BODY("bob 2 7", "two", "4000")),
		200));
	cr_expect(got("o=ann 2 7 ") && got("s=two\r\n"));
	cr_assert(eq(int, offer(0, BODY("bob 2 7", "two", "4000")), 200));
	cr_expect(got("o=bob 2 7 ") && got("s=two\r\n"));
	/* Each party has its own. */
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_expect(got("o=- 1 1 ") && got("s=-\r\n"));
}

Test(told, version_grows_only_when_the_rest_differs)
{
	const uint8_t ours = SP_REPLACE_SDP_VERSION;

	cr_assert(eq(int, offer(ours, BODY("- 1 41", "-", "4000")), 200));
	cr_expect(got("o=- 1 41 "));
	for (int i = 0; i < 2; i++) {
		cr_assert(
			eq(int, offer(ours, BODY("- 1 99", "-", "4000")), 200));
		cr_expect(got("o=- 1 41 "), "only the version is another");
	}
	cr_assert(eq(int, offer(ours, BODY("- 1 41", "x", "4000")), 200));
	cr_expect(got("o=- 1 42 "), "and here it is not");
	cr_assert(eq(int, offer(ours, BODY("- 1 41", "x", "0")), 200));
	cr_expect(got("o=- 1 43 "));
	/* What we write does not name the port of the sender. */
	cr_assert(eq(int, offer(ours, BODY("- 1 41", "x", "4000")), 200));
	cr_assert(eq(int, offer(ours, BODY("- 1 41", "x", "4400")), 200));
	cr_expect(got("o=- 1 44 "));
}

Test(told, version_that_is_no_number_of_ours_starts_anew)
{
	cr_assert(eq(int,
		offer(SP_REPLACE_SDP_VERSION,
			BODY("- 1 99999999999999999999", "-", "4000")),
		200));
	cr_expect(got("o=- 1 1 "));
}

Test(told, refused_offer_leaves_the_version_where_it_was)
{
	const uint8_t ours = SP_REPLACE_SDP_VERSION;

	cr_assert(eq(int, offer(ours, BODY("- 1 5", "-", "4000")), 200));
	r.dp->room = 0;
	cr_assert(eq(int, offer(ours, BODY("- 1 5", "-", "4400")), 503));
	r.dp->room = FAKE_QUEUE;
	cr_assert(eq(int, offer(ours, BODY("- 1 5", "-", "4000")), 200));
	cr_expect(got("o=- 1 5 "));
}

Test(told, sdp_that_comes_round_is_left_alone)
{
	struct sp_request ask = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));
	char looped[RIG_SDP];
	unsigned int programs;

	ask.loop_protect = true;
	cr_assert(eq(int, rig_ask(&r, &ask), 200));
	snprintf(looped, sizeof looped, "%s", rig_got(&r));
	cr_expect(ne(ptr, strstr(looped, "a=rtpengine:"), NULL));
	programs = r.dp->programs;

	ask.sdp = rig_text(looped);
	cr_expect(eq(int, rig_ask(&r, &ask), 200));
	cr_expect(eq(str, (char *)rig_got(&r), looped));
	ask.verb = SP_VERB_ANSWER;
	ask.to_tag = rig_text("b");
	cr_expect(eq(int, rig_ask(&r, &ask), 200));
	cr_expect(eq(str, (char *)rig_got(&r), looped));
	cr_expect(eq(u32, r.dp->programs, programs));

	/* Not even a call is made of it. */
	ask.verb = SP_VERB_OFFER;
	ask.call_id = rig_text("another");
	cr_expect(eq(int, rig_ask(&r, &ask), 200));
	cr_expect(eq(sz, r.s->calls.count, 1));
	/* Without the flag, as before: it names us. */
	ask.loop_protect = false;
	cr_expect(eq(int, rig_ask(&r, &ask), 422));
}

Test(told, mark_of_another_relay_is_none_of_ours)
{
	struct sp_request ask = rig_request(SP_VERB_OFFER, "a", NULL, NULL,
		"v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\n"
		"c=IN IP4 192.0.2.5\r\nt=0 "
		"0\r\na=rtpengine:0123456789abcdef\r\n"
		"m=audio 4000 RTP/AVP 8\r\n");

	ask.loop_protect = true;
	cr_assert(eq(int, rig_ask(&r, &ask), 200));
	cr_expect(eq(u32, r.dp->taken, 4));
}

/* One audio line in this protocol, and what follows it. */
static const char *
talk(const char *proto, unsigned int port, const char *more)
{
	static char text[2][RIG_SDP];
	static unsigned int next;
	char *out = text[next++ % 2];

	snprintf(out, RIG_SDP,
		"v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\n"
		"c=IN IP4 192.0.2.5\r\nt=0 0\r\nm=audio %u %s 8\r\n%s",
		port, proto, more);
	return out;
}

static int
offer_between(const char *from, const char *to, const char *sdp, uint8_t mux,
	enum sp_transport transport)
{
	struct sp_request ask = rig_request(SP_VERB_OFFER, from, to, NULL, sdp);

	ask.policy.rtcp_mux = mux;
	ask.policy.transport = (uint8_t)transport;
	return rig_ask(&r, &ask);
}

#define AVP "RTP/AVP"
#define AVPF "RTP/AVPF"
#define ANY SP_TRANSPORT_ANY
#define MUX "a=rtcp-mux\r\n"

/* "a" speaks plain RTP, "b" is a browser that insists on rtcp-mux. */
static void
connect_browser(void)
{
	cr_assert(eq(int,
		offer_between("a", NULL, talk(AVP, 4000, ""), SP_RTCP_MUX_OFFER,
			SP_TRANSPORT_RTP_AVPF),
		200));
	cr_assert(got(" RTP/AVPF 8\r\n") && got(MUX));
	port_b = rig_port(rig_got(&r), 0);
	cr_assert(eq(int, rig_answer(&r, "a", "b", NULL, talk(AVPF, 5000, MUX)),
		200));
	cr_assert(got(" RTP/AVP 8\r\n") && !got(MUX));
	port_a = rig_port(rig_got(&r), 0);
	cr_assert(eq(int, rig_flow(&r, port_a)->kind, SP_FLOW_RTP));
	cr_assert(eq(int, rig_flow(&r, port_b)->kind, SP_FLOW_MUX));
}

Test(told, reoffer_without_flags_goes_on_as_each_side_is_used_to)
{
	unsigned int programs, stops;

	connect_browser();
	programs = r.dp->programs;
	stops = r.dp->stops;
	for (int i = 0; i < 3; i++) {
		rig_sleep(&r, 15);
		cr_assert(eq(int,
			offer_between("a", "b", talk(AVP, 4000, ""), 0, ANY),
			200));
		cr_expect(got(" RTP/AVPF 8\r\n") && got(MUX));
		cr_assert(eq(int,
			rig_answer(&r, "a", "b", NULL, talk(AVPF, 5000, MUX)),
			200));
		cr_expect(got(" RTP/AVP 8\r\n") && !got(MUX));

		/* The browser's own offer gets what it cannot do without. */
		cr_assert(eq(int,
			offer_between("b", "a", talk(AVPF, 5000, MUX), 0, ANY),
			200));
		cr_expect(got(" RTP/AVP 8\r\n"));
		cr_assert(eq(int,
			rig_answer(&r, "b", "a", NULL, talk(AVP, 4000, "")),
			200));
		cr_expect(got(" RTP/AVPF 8\r\n") && got(MUX));
	}
	cr_expect(eq(u32, r.dp->programs, programs));
	cr_expect(eq(u32, r.dp->stops, stops));
}

Test(told, offerer_that_muxes_is_offered_it_by_who_does_not)
{
	cr_assert(eq(int,
		offer_between("a", NULL, talk(AVP, 4000, MUX),
			SP_RTCP_MUX_DEMUX, ANY),
		200));
	cr_expect(not(got(MUX)));
	cr_assert(eq(
		int, rig_answer(&r, "a", "b", NULL, talk(AVP, 5000, "")), 200));
	cr_expect(got(MUX));
	port_a = rig_port(rig_got(&r), 0);
	cr_assert(eq(int, offer_between("b", "a", talk(AVP, 5000, ""), 0, ANY),
		200));
	cr_expect(got(MUX));
	cr_assert(eq(int, rig_answer(&r, "b", "a", NULL, talk(AVP, 4000, MUX)),
		200));
	cr_expect(not(got(MUX)));
	cr_expect(eq(int, rig_flow(&r, port_a)->kind, SP_FLOW_MUX));
}

Test(told, what_a_request_or_a_party_says_is_stronger_than_the_past)
{
	connect_browser();
	cr_assert(eq(int,
		offer_between("a", "b", talk(AVP, 4000, ""), SP_RTCP_MUX_DEMUX,
			SP_TRANSPORT_RTP_AVP),
		200));
	cr_expect(got(" RTP/AVP 8\r\n") && !got(MUX));

	/* A refusal is one, and who no longer asks no longer muxes. */
	cr_assert(eq(int,
		offer_between("b", "a", talk(AVPF, 5000, MUX),
			SP_RTCP_MUX_REJECT, ANY),
		200));
	cr_assert(eq(
		int, rig_answer(&r, "b", "a", NULL, talk(AVP, 4000, "")), 200));
	cr_expect(not(got(MUX)));
	cr_expect(eq(int, rig_flow(&r, port_b)->kind, SP_FLOW_RTP));
	cr_assert(eq(int, offer_between("a", "b", talk(AVP, 4000, ""), 0, ANY),
		200));
	cr_expect(not(got(MUX)));

	/* Who changes the protocol negotiates it anew. */
	cr_assert(eq(int, offer_between("a", "b", talk(AVPF, 4000, ""), 0, ANY),
		200));
	cr_assert(eq(int, rig_answer(&r, "a", "b", NULL, talk(AVPF, 5000, "")),
		200));
	cr_assert(eq(int, offer_between("b", "a", talk(AVP, 5000, ""), 0, ANY),
		200));
	cr_expect(got(" RTP/AVP 8\r\n"));
}

Test(told, line_that_was_off_has_no_past)
{
	connect_browser();
	cr_assert(eq(
		int, offer_between("a", "b", talk(AVP, 0, ""), 0, ANY), 200));
	cr_assert(eq(
		int, rig_answer(&r, "a", "b", NULL, talk(AVPF, 0, "")), 200));
	cr_assert(eq(int, offer_between("a", "b", talk(AVP, 4000, ""), 0, ANY),
		200));
	cr_expect(got(" RTP/AVP 8\r\n") && !got(MUX));
}

Test(told, protocol_that_needs_other_keys_is_left_alone)
{
	cr_assert(eq(int, offer_between("a", NULL, talk(AVP, 4000, ""), 0, ANY),
		200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, talk("RTP/SAVP", 5000, "")),
		409));
	cr_assert(eq(int,
		rig_answer(
			&r, "a", "b", NULL, talk("UDP/TLS/RTP/SAVP", 5000, "")),
		409));
	cr_assert(eq(int, offer_between("a", "b", talk(AVP, 4000, ""), 0, ANY),
		200));
	cr_expect(got(" RTP/AVP 8\r\n"));
}
