/* SPDX-License-Identifier: BSD-3-Clause */
/* What a plan says beyond addresses: codecs, protocols, endpoints, refusals. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "relay/negotiate.h"

#define SESSION                                                                \
	"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"                           \
	"c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 0 101\r\n"
#define NONE SP_QUIET_NONE

static struct sp_sdp sdp;
static struct sp_sdp_error error;
static struct sp_plan plan;
static struct sp_policy policy;
static struct sp_negotiate_own own;

static enum sp_status
offer(const char *media)
{
	char body[1024];

	snprintf(body, sizeof body, SESSION "%s", media);
	cr_assert(
		eq(int, sp_sdp_parse(body, strlen(body), &error, &sdp), SP_OK),
		"%s: %s", media, error.reason);
	return sp_negotiate_offer(&sdp, &policy, &own, &error, &plan);
}

static enum sp_status
answer(const char *media, uint8_t offered)
{
	char body[1024];

	snprintf(body, sizeof body, SESSION "%s", media);
	cr_assert(
		eq(int, sp_sdp_parse(body, strlen(body), &error, &sdp), SP_OK),
		"%s: %s", media, error.reason);
	return sp_negotiate_answer(
		&sdp, &policy, &own, &offered, 1, &error, &plan);
}

static bool
addr_is(const struct sp_addr *addr, const char *want)
{
	char text[SP_ADDR_TEXT];

	return strcmp(sp_addr_print(addr, text), want) == 0;
}

static struct sp_addr
addr(const char *text)
{
	struct sp_addr a;

	cr_assert(eq(int, sp_addr_parse(text, strlen(text), &a), SP_OK));
	return a;
}

static struct sp_sdp_text
text(const char *from)
{
	return (struct sp_sdp_text){ from, strlen(from) };
}

/* One m= section, and which payload types mean what. */
struct types_case {
	char media[160];
	uint64_t dtmf;
	uint8_t quiet[SP_QUIET_CODECS];
};

ParameterizedTestParameters(negotiate_plan, codecs_are_known_by_name_or_number)
{
	static struct types_case cases[] = {
		{ "m=audio 4000 RTP/AVP 0 8 9\r\n", 0, { 0, 8, 9 } },
		{ "m=audio 4000 RTP/AVP 18\r\n", 0, { NONE, NONE, NONE } },
		{ "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:0 opus/48000\r\n"
		  "a=rtpmap:96 pcmu/8000\r\n",
			0, { 96, NONE, NONE } },
		{ "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 PCMU/8000\r\n", 0,
			{ 0, NONE, NONE } },
		{ "m=audio 4000 RTP/AVP 98\r\na=rtpmap:98 G722/8000\r\n", 0,
			{ NONE, NONE, 98 } },
		{ "m=audio 4000 RTP/AVP 8\r\na=rtpmap:0 PCMU/8000\r\n", 0,
			{ NONE, 8, NONE } },
		{ "m=audio 4000 RTP/AVP 8 101\r\n"
		  "a=rtpmap:101 Telephone-Event/8000\r\n",
			UINT64_C(1) << (101 - 64), { NONE, 8, NONE } },
		{ "m=audio 4000 RTP/AVP 8 101 60\r\n"
		  "a=rtpmap:101 telephone-event/8000\r\n"
		  "a=rtpmap:60 telephone-event/48000\r\n",
			UINT64_C(1) << (101 - 64) | UINT64_C(1) << 60,
			{ NONE, 8, NONE } },
		{ "m=audio 4000 RTP/AVP 8\r\n"
		  "a=rtpmap:101 telephone-event/8000\r\n",
			0, { NONE, 8, NONE } },
		{ "m=image 4000 udptl 0\r\n", 0, { NONE, NONE, NONE } },
		{ "m=audio 0 RTP/AVP 0\r\n", 0, { 0, NONE, NONE } },
	};

	return cr_make_param_array(
		struct types_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct types_case *tc, negotiate_plan,
	codecs_are_known_by_name_or_number)
{
	const struct sp_plan_media *m = &plan.media[0];

	cr_assert(eq(int, offer(tc->media), SP_OK));
	cr_expect(eq(u64, m->dtmf_types, tc->dtmf), "%s", tc->media);
	for (int i = 0; i < SP_QUIET_CODECS; i++)
		cr_expect(eq(int, m->quiet[i], tc->quiet[i]), "%d of %s", i,
			tc->media);
}

/* An endpoint, one m= section, and where media and RTCP go ("": nowhere). */
struct endpoint_case {
	char endpoint[32];
	char media[96];
	char rtp[32];
	char rtcp[32];
	uint8_t family;
};

ParameterizedTestParameters(negotiate_plan, endpoint_is_instead_of_the_sdps)
{
	enum {
		IP4 = SP_FAMILY_IP4,
		IP6 = SP_FAMILY_IP6
	};
	static struct endpoint_case cases[] = {
		{ "198.51.100.7", AUDIO, "198.51.100.7:4000",
			"198.51.100.7:4001", IP4 },
		{ "198.51.100.7", AUDIO "a=rtcp:9\r\n", "198.51.100.7:4000",
			"198.51.100.7:9", IP4 },
		{ "198.51.100.7", AUDIO "a=rtcp:9 IN IP4 10.0.0.1\r\n",
			"198.51.100.7:4000", "198.51.100.7:9", IP4 },
		{ "198.51.100.7", AUDIO "a=rtcp:9 IN IP4 0.0.0.0\r\n",
			"198.51.100.7:4000", "", IP4 },
		{ "198.51.100.7", AUDIO "c=IN IP4 0.0.0.0\r\n", "", "", IP4 },
		{ "198.51.100.7", AUDIO "c=IN IP4 127.0.0.1\r\n",
			"198.51.100.7:4000", "198.51.100.7:4001", IP4 },
		{ "0.0.0.0", AUDIO, "192.0.2.1:4000", "192.0.2.1:4001", IP4 },
		{ "2001:db8::7", AUDIO, "[2001:db8::7]:4000",
			"[2001:db8::7]:4001", IP6 },
		{ "198.51.100.7", "m=image 4000 udptl t38\r\n",
			"198.51.100.7:4000", "", IP4 },
		{ "198.51.100.7", "m=audio 0 RTP/AVP 0\r\n", "", "", IP4 },
	};

	return cr_make_param_array(
		struct endpoint_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct endpoint_case *tc, negotiate_plan,
	endpoint_is_instead_of_the_sdps)
{
	const struct sp_plan_media *m = &plan.media[0];

	policy.endpoint = addr(tc->endpoint);
	policy.endpoint.port = 77; /* counts for nothing */
	cr_assert(eq(int, offer(tc->media), SP_OK));
	if (tc->rtp[0])
		cr_expect(addr_is(&m->rtp, tc->rtp), "%s", tc->media);
	else
		cr_expect(eq(int, m->rtp.family, SP_FAMILY_NONE), "%s",
			tc->media);
	if (tc->rtcp[0])
		cr_expect(addr_is(&m->rtcp, tc->rtcp), "%s", tc->media);
	else
		cr_expect(eq(int, m->rtcp.family, SP_FAMILY_NONE), "%s",
			tc->media);
	cr_expect(eq(int, m->family, tc->family));
}

Test(negotiate_plan, endpoint_is_judged_like_any_target)
{
	const struct sp_addr ours = addr("203.0.113.1");

	policy.endpoint = addr("169.254.169.254");
	cr_expect(eq(int, offer(AUDIO), SP_FORBIDDEN));
	policy.endpoint = addr("203.0.113.1");
	cr_expect(eq(int, offer(AUDIO), SP_OK));
	own = (struct sp_negotiate_own){ &ours, 1 };
	cr_expect(eq(int, offer(AUDIO), SP_FORBIDDEN));
	cr_expect(eq(int, answer(AUDIO, SP_OFFERED_LIVE), SP_FORBIDDEN));
	cr_expect(eq(u32, error.media, 1));
}

Test(negotiate_plan, endpoint_of_another_family_is_the_partys_family)
{
	policy.endpoint = addr("2001:db8::7");
	cr_assert(eq(int, offer(AUDIO), SP_OK));
	cr_expect(eq(int, plan.family, SP_FAMILY_IP6));
}

Test(negotiate_plan, codecs_of_the_plan_are_those_of_the_sdp)
{
	policy.n_codec = 1;
	policy.codec[0] = (struct sp_codec_wish){
		text("PCMU"),
		SP_CODEC_STRIP,
	};
	cr_assert(eq(int, offer("m=audio 4000 RTP/AVP 0 8\r\n"), SP_OK));
	cr_expect(eq(u64, plan.media[0].payload_types[0], 1 | 1 << 8));
	cr_expect(eq(int, plan.media[0].quiet[SP_QUIET_PCMU], 0));
	cr_expect(not(plan.media[0].codecs_refused));
}

Test(negotiate_plan, says_that_no_codec_would_be_left)
{
	policy.n_codec = 1;
	policy.codec[0] = (struct sp_codec_wish){
		text("PCMU"),
		SP_CODEC_MASK,
	};
	cr_assert(eq(int, offer(AUDIO "a=rtpmap:101 telephone-event/8000\r\n"),
		SP_OK));
	cr_expect(plan.media[0].codecs_refused);
	cr_assert(eq(int, offer("m=audio 0 RTP/AVP 0\r\n"), SP_OK));
	cr_expect(not(plan.media[0].codecs_refused));
	/* A mask is for offers. */
	cr_assert(eq(int, answer(AUDIO, SP_OFFERED_LIVE), SP_OK));
	cr_expect(not(plan.media[0].codecs_refused));
	policy.codec[0].what = SP_CODEC_STRIP;
	cr_assert(eq(int, answer("m=audio 4000 RTP/AVP 0\r\n", SP_OFFERED_LIVE),
		SP_OK));
	cr_expect(plan.media[0].codecs_refused);
}

Test(negotiate_plan, offered_byte_tells_of_a_mid_that_is_ours)
{
	policy.generate_mid = true;
	cr_assert(eq(int, offer(AUDIO "a=mid:0\r\n" AUDIO), SP_OK));
	cr_expect(zero(int, plan.media[0].offered &SP_OFFERED_MID_OURS));
	cr_expect(not(zero(int, plan.media[1].offered &SP_OFFERED_MID_OURS)));
	cr_assert(eq(int, answer(AUDIO, plan.media[1].offered), SP_OK));
	cr_expect(plan.media[0].mid_ours);
}
