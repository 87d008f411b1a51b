/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "relay/negotiate.h"

/* The session that a body must have at least. */
#define OWN "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\nt=0 0\r\n"

#define SESSION                                                                \
	"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"                           \
	"c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 0 101\r\n"
#define MUX "a=rtcp-mux\r\n"

static struct sp_sdp sdp;
static struct sp_sdp_error error;
static struct sp_plan plan;
static struct sp_policy policy;
static struct sp_negotiate_own own;

static void
parse(const char *body)
{
	cr_assert(
		eq(int, sp_sdp_parse(body, strlen(body), &error, &sdp), SP_OK),
		"%s: %s", body, error.reason);
}

static enum sp_status
offer(const char *body)
{
	parse(body);
	return sp_negotiate_offer(&sdp, &policy, &own, &error, &plan);
}

static enum sp_status
answer(const char *body, uint8_t offered)
{
	parse(body);
	return sp_negotiate_answer(
		&sdp, &policy, &own, &offered, 1, &error, &plan);
}

static bool
addr_is(const struct sp_addr *addr, const char *want)
{
	char text[SP_ADDR_TEXT];

	return strcmp(sp_addr_print(addr, text), want) == 0;
}

Test(negotiate, plain_offer_says_all_that_a_relay_needs)
{
	const struct sp_plan_media *m = &plan.media[0];

	cr_assert(eq(int, offer(SESSION AUDIO "a=ptime:20\r\na=sendonly\r\n"),
		SP_OK));
	cr_expect(eq(int, plan.media_count, 1));
	cr_expect(eq(int, plan.family, SP_FAMILY_IP4));
	cr_expect(not(plan.answer));
	cr_expect(m->accepted);
	cr_expect(eq(int, m->kind, SP_MEDIA_RTP));
	cr_expect(not(m->secure));
	cr_expect(addr_is(&m->rtp, "192.0.2.1:4000"));
	cr_expect(addr_is(&m->rtcp, "192.0.2.1:4001"));
	cr_expect(eq(int, m->direction, SP_SDP_SENDONLY));
	cr_expect(eq(u64, m->payload_types[0], 1));
	cr_expect(eq(u64, m->payload_types[1], UINT64_C(1) << (101 - 64)));
	cr_expect(eq(u32, m->clock_hz, 8000));
	cr_expect(eq(int, m->ptime_ms, 20));
	cr_expect(eq(int, m->offered,
		SP_OFFERED_LIVE + SP_OFFERED_TRANSPORT * SP_TRANSPORT_RTP_AVP));
	cr_expect(m->rtcp_written);
	cr_expect(not(m->mux_written));
}

/* One m= section, and where its RTCP goes ("" is nowhere). */
struct rtcp_case {
	char media[96];
	char want[32];
};

ParameterizedTestParameters(negotiate, rtcp_goes_where_it_is_asked)
{
	static struct rtcp_case cases[] = {
		{ AUDIO, "192.0.2.1:4001" },
		{ AUDIO "a=rtcp:4009\r\n", "192.0.2.1:4009" },
		{ AUDIO "a=rtcp:4009 IN IP4 192.0.2.7\r\n", "192.0.2.7:4009" },
		{ AUDIO "a=rtcp:4009 IN IP6 2001:db8::7\r\n",
			"[2001:db8::7]:4009" },
		{ AUDIO "a=rtcp:9 IN IP4 0.0.0.0\r\n", "" },
		{ AUDIO "a=rtcp:0\r\n", "" },
		/* What cannot be read of it is as if it were not there. */
		{ AUDIO "a=rtcp:4009 IN IP4 a.example\r\n", "192.0.2.1:4009" },
		{ AUDIO "a=rtcp:4009 IN IP4 192.0.2.7/9\r\n",
			"192.0.2.1:4009" },
		{ AUDIO "a=rtcp:4009 IN IP6 192.0.2.7\r\n", "192.0.2.1:4009" },
		{ AUDIO "a=rtcp:4009 IN\r\n", "192.0.2.1:4009" },
		{ AUDIO "a=rtcp\r\n", "192.0.2.1:4001" },
		{ AUDIO "a=rtcp:-1 IN IP4 192.0.2.7\r\n", "192.0.2.1:4001" },
		{ "m=audio 65535 RTP/AVP 0\r\n", "" },
		{ AUDIO "c=IN IP4 0.0.0.0\r\n", "" },
		{ "m=audio 0 RTP/AVP 0\r\n", "" },
		{ "m=image 4000 udptl t38\r\n", "" },
		{ "m=message 4000 TCP/MSRP *\r\n", "" },
		/* Asked, but not agreed: that is for the answer. */
		{ AUDIO MUX, "192.0.2.1:4001" },
	};

	return cr_make_param_array(
		struct rtcp_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct rtcp_case *tc, negotiate, rtcp_goes_where_it_is_asked)
{
	char body[256];

	snprintf(body, sizeof body, SESSION "%s", tc->media);
	cr_assert(eq(int, offer(body), SP_OK));
	if (tc->want[0])
		cr_expect(addr_is(&plan.media[0].rtcp, tc->want), "%s",
			tc->media);
	else
		cr_expect(eq(int, plan.media[0].rtcp.family, SP_FAMILY_NONE),
			"%s", tc->media);
}

/* One m= section, and whether it needs ports. */
struct kind_case {
	char media[64];
	bool accepted;
	bool remote;
	uint8_t direction;
};

ParameterizedTestParameters(negotiate, not_all_lines_are_relayed)
{
	static struct kind_case cases[] = {
		{ AUDIO, true, true, SP_SDP_SENDRECV },
		{ "m=image 4000 udptl t38\r\n", true, true, SP_SDP_SENDRECV },
		{ "m=audio 0 RTP/AVP 0\r\n", false, false, SP_SDP_SENDRECV },
		{ "m=message 4000 TCP/MSRP *\r\n", false, false,
			SP_SDP_SENDRECV },
		{ AUDIO "c=IN IP4 0.0.0.0\r\n", true, false, SP_SDP_SENDONLY },
		{ AUDIO "c=IN IP6 ::\r\n", true, false, SP_SDP_SENDONLY },
		{ AUDIO "c=IN IP4 0.0.0.0\r\na=recvonly\r\n", true, false,
			SP_SDP_INACTIVE },
		{ AUDIO "a=inactive\r\n", true, true, SP_SDP_INACTIVE },
	};

	return cr_make_param_array(
		struct kind_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct kind_case *tc, negotiate, not_all_lines_are_relayed)
{
	const struct sp_plan_media *m = &plan.media[0];
	char body[256];

	snprintf(body, sizeof body, SESSION "%s", tc->media);
	cr_assert(eq(int, offer(body), SP_OK));
	cr_expect(eq(int, m->accepted, tc->accepted), "%s", tc->media);
	cr_expect(eq(int, m->rtp.family != SP_FAMILY_NONE, tc->remote), "%s",
		tc->media);
	cr_expect(eq(int, m->direction, tc->direction), "%s", tc->media);
}

/*
 * From the offerer's wish and a policy to what both are told: does the offer
 * go out with mux, and who muxes once the answer has come?
 */
struct mux_case {
	uint8_t bits;      /* enum sp_policy_rtcp_mux */
	bool asked;        /* by the offerer */
	bool answered;     /* by the answerer */
	bool offered_on;   /* a=rtcp-mux in the offer that goes out */
	bool rtcp_written; /* a=rtcp in it */
	bool answerer;     /* muxes */
	bool offerer;      /* muxes */
};

ParameterizedTestParameters(negotiate, mux_is_agreed_hop_by_hop)
{
	enum {
		OFFER = SP_RTCP_MUX_OFFER,
		REQUIRE = SP_RTCP_MUX_REQUIRE,
		DEMUX = SP_RTCP_MUX_DEMUX,
		ACCEPT = SP_RTCP_MUX_ACCEPT,
		REJECT = SP_RTCP_MUX_REJECT,
	};
	/* clang-format off */
	static struct mux_case cases[] = {
		/* bits           ask ans   on rtcp   B  A */
		{ 0,               0,  0,   0,  1,   0,  0 },
		{ 0,               0,  1,   0,  1,   0,  0 },
		{ 0,               1,  0,   1,  1,   0,  0 },
		{ 0,               1,  1,   1,  1,   1,  1 },
		{ OFFER,           0,  1,   1,  1,   1,  0 },
		{ OFFER,           0,  0,   1,  1,   0,  0 },
		{ OFFER,           1,  1,   1,  1,   1,  1 },
		{ REQUIRE,         0,  1,   1,  0,   1,  0 },
		{ REQUIRE,         1,  0,   1,  0,   0,  0 },
		{ DEMUX,           1,  0,   0,  1,   0,  1 },
		{ DEMUX,           1,  1,   0,  1,   0,  1 },
		{ DEMUX,           0,  0,   0,  1,   0,  0 },
		{ ACCEPT,          1,  0,   1,  1,   0,  1 },
		{ ACCEPT,          1,  1,   1,  1,   1,  1 },
		{ ACCEPT,          0,  0,   0,  1,   0,  0 },
		{ REJECT,          1,  1,   1,  1,   1,  0 },
		{ REJECT,          1,  0,   1,  1,   0,  0 },
		{ OFFER | REJECT,  1,  1,   1,  1,   1,  0 },
		{ OFFER | REJECT,  0,  1,   1,  1,   1,  0 },
		{ OFFER | ACCEPT,  1,  0,   1,  1,   0,  1 },
		{ DEMUX | REJECT,  1,  0,   0,  1,   0,  0 },
		{ DEMUX | OFFER,   1,  1,   1,  1,   1,  1 },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct mux_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct mux_case *tc, negotiate, mux_is_agreed_hop_by_hop)
{
	const struct sp_plan_media *m = &plan.media[0];
	char body[256];

	policy = (struct sp_policy){ .rtcp_mux = tc->bits };
	snprintf(body, sizeof body, SESSION AUDIO "%s", tc->asked ? MUX : "");
	cr_assert(eq(int, offer(body), SP_OK));
	cr_expect(eq(int, m->mux_written, tc->offered_on), "%#x", tc->bits);
	cr_expect(eq(int, m->rtcp_written, tc->rtcp_written), "%#x", tc->bits);
	cr_expect(not(m->mux));

	policy = (struct sp_policy){ 0 };
	snprintf(
		body, sizeof body, SESSION AUDIO "%s", tc->answered ? MUX : "");
	cr_assert(eq(int, answer(body, m->offered), SP_OK));
	cr_expect(plan.answer);
	cr_expect(eq(int, m->mux, tc->answerer), "%#x", tc->bits);
	cr_expect(eq(int, m->mux_written, tc->offerer), "%#x", tc->bits);
	cr_expect(eq(int, sp_addr_equal(&m->rtp, &m->rtcp), tc->answerer),
		"%#x", tc->bits);
}

Test(negotiate, mux_is_for_rtp_that_is_accepted)
{
	policy.rtcp_mux = SP_RTCP_MUX_OFFER;
	cr_assert(eq(int, offer(SESSION "m=image 4000 udptl t38\r\n"), SP_OK));
	cr_expect(not(plan.media[0].mux_written));
	cr_expect(not(plan.media[0].rtcp_written));
	cr_assert(eq(int, offer(SESSION "m=audio 0 RTP/AVP 0\r\n"), SP_OK));
	cr_expect(not(plan.media[0].mux_written));
	cr_expect(eq(int, plan.media[0].offered,
		SP_OFFERED_TRANSPORT *SP_TRANSPORT_RTP_AVP));
}

Test(negotiate, answer_may_not_revive_what_the_offer_refused)
{
	cr_assert(eq(int, answer(SESSION AUDIO, 0), SP_OK));
	cr_expect(not(plan.media[0].accepted));
	cr_expect(eq(int, plan.media[0].rtp.family, SP_FAMILY_NONE));
}

Test(negotiate, answer_with_more_lines_than_the_offer_is_refused)
{
	cr_expect(eq(int, answer(SESSION AUDIO AUDIO, SP_OFFERED_LIVE),
		SP_CONFLICT));
	cr_expect(eq(u32, error.media, 2));
	cr_expect(eq(u32, error.line, 7));
}

Test(negotiate, answer_with_fewer_lines_is_taken)
{
	const uint8_t offered[2] = { SP_OFFERED_LIVE, SP_OFFERED_LIVE };

	parse(SESSION AUDIO);
	cr_assert(eq(int,
		sp_negotiate_answer(
			&sdp, &policy, &own, offered, 2, &error, &plan),
		SP_OK));
	cr_expect(eq(int, plan.media_count, 1));
	cr_expect(plan.media[0].accepted);
}

/* An address in c= (or a=rtcp), and whether media may go there. */
struct target_case {
	char addr[48];
	enum sp_status want;
};

ParameterizedTestParameters(negotiate, targets_are_judged)
{
	static struct target_case cases[] = {
		{ "192.0.2.1", SP_OK },
		{ "10.0.0.1", SP_OK },
		{ "0.0.0.0", SP_OK },
		{ "::", SP_OK },
		{ "2001:db8::1", SP_OK },
		{ "127.0.0.1", SP_FORBIDDEN },
		{ "0.1.2.3", SP_FORBIDDEN },
		{ "224.0.0.1", SP_FORBIDDEN },
		{ "239.255.255.255", SP_FORBIDDEN },
		{ "255.255.255.255", SP_FORBIDDEN },
		{ "240.0.0.1", SP_FORBIDDEN },
		{ "169.254.169.254", SP_FORBIDDEN },
		{ "::1", SP_FORBIDDEN },
		{ "fe80::1", SP_FORBIDDEN },
		{ "ff0e::1", SP_FORBIDDEN },
		{ "::ffff:127.0.0.1", SP_FORBIDDEN },
		{ "::127.0.0.1", SP_FORBIDDEN },
		{ "2002:7f00:1::1", SP_FORBIDDEN },
		{ "64:ff9b::169.254.169.254", SP_FORBIDDEN },
		/* Ours, and ours in disguise. */
		{ "198.51.100.1", SP_FORBIDDEN },
		{ "::ffff:198.51.100.1", SP_FORBIDDEN },
		{ "::198.51.100.1", SP_FORBIDDEN },
		{ "2002:c633:6401::", SP_FORBIDDEN },
		{ "64:ff9b::198.51.100.1", SP_FORBIDDEN },
		{ "2001:db8::99", SP_FORBIDDEN },
		{ "198.51.100.2", SP_OK },
		{ "64:ff9b::198.51.100.2", SP_OK },
	};

	return cr_make_param_array(
		struct target_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct target_case *tc, negotiate, targets_are_judged)
{
	const char *family = strchr(tc->addr, ':') ? "IP6" : "IP4";
	struct sp_addr ours[2];
	char body[256];

	cr_assert(eq(int, sp_addr_parse("198.51.100.1", 12, &ours[0]), SP_OK));
	cr_assert(eq(int, sp_addr_parse("2001:db8::99", 12, &ours[1]), SP_OK));
	ours[0].port = 2223; /* of a control socket: does not count */
	own = (struct sp_negotiate_own){ ours, 2 };
	snprintf(body, sizeof body, SESSION AUDIO AUDIO "c=IN %s %s\r\n",
		family, tc->addr);
	cr_expect(eq(int, offer(body), tc->want), "c= %s", tc->addr);
	cr_expect(eq(int, answer(SESSION AUDIO, SP_OFFERED_LIVE), SP_OK));
	if (tc->want != SP_OK) {
		cr_expect(eq(u32, error.media, 2));
		cr_expect(eq(u32, error.line, 7));
		cr_expect(error.reason != NULL);
	}

	snprintf(body, sizeof body, SESSION AUDIO "a=rtcp:4001 IN %s %s\r\n",
		family, tc->addr);
	cr_expect(eq(int, answer(body, SP_OFFERED_LIVE), tc->want), "a=rtcp %s",
		tc->addr);

	/* What is not relayed is not sent to. */
	snprintf(body, sizeof body,
		SESSION "m=audio 0 RTP/AVP 0\r\nc=IN %s %s\r\n"
			"m=message 1 TCP/MSRP *\r\nc=IN %s %s\r\n",
		family, tc->addr, family, tc->addr);
	cr_expect(eq(int, offer(body), SP_OK), "refused %s", tc->addr);
}

Test(negotiate, refusal_leaves_the_plan_alone)
{
	cr_assert(eq(int, offer(SESSION AUDIO), SP_OK));
	cr_assert(eq(int,
		offer(SESSION "m=audio 5000 RTP/AVP 0\r\n" AUDIO
			      "c=IN IP4 127.0.0.1\r\n"),
		SP_FORBIDDEN));
	cr_expect(eq(int, plan.media_count, 1));
	cr_expect(addr_is(&plan.media[0].rtp, "192.0.2.1:4000"));
}

Test(negotiate, family_is_the_policys_or_the_writers)
{
	static const char six[] =
		OWN "m=audio 0 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n"
		    "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n";

	cr_assert(eq(int, offer(six), SP_OK));
	cr_expect(eq(int, plan.family, SP_FAMILY_IP6));
	policy.address_family = SP_FAMILY_IP4;
	cr_assert(eq(int, offer(six), SP_OK));
	cr_expect(eq(int, plan.family, SP_FAMILY_IP4));
	policy.address_family = SP_FAMILY_NONE;
	cr_assert(eq(int, offer(OWN), SP_OK));
	cr_expect(eq(int, plan.family, SP_FAMILY_IP4));
	cr_assert(eq(int, offer(OWN "c=IN IP6 2001:db8::1\r\n"), SP_OK));
	cr_expect(eq(int, plan.family, SP_FAMILY_IP6));
}

Test(negotiate, only_tcp_leaves_ice_and_bundle_alone)
{
	const struct sp_negotiate_told told = { 0 };
	struct sp_addr session = { 0 };
	static struct sp_sdp_edit edit;

	cr_assert(eq(int, offer(SESSION "m=message 1 TCP/MSRP *\r\n"), SP_OK));
	sp_negotiate_edit(
		&sdp, &plan, &policy, NULL, &told, &session, &session, &edit);
	cr_expect(edit.media[0].keep);
	cr_expect(not(edit.strip_ice));
	cr_expect(not(edit.strip_bundle));
}
