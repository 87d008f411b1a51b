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
