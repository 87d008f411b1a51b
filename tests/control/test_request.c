/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/problem.h"
#include "control/request.h"
#include "tests/control/scarce_json.h"

#define IDS "\"call_id\":\"c\",\"from_tag\":\"f\""
#define OFFER IDS ",\"sdp\":\"v=0\""

static const char everything[] =
	"{\"call_id\":\"a84b4c76e66710@pc33\",\"from_tag\":\"f1\","
	"\"to_tag\":\"t1\",\"branch\":\"z9hG4bK\",\"label\":\"lobby\","
	"\"sdp\":\"v=0\\r\\ns=\\u00e4\\r\\n\",\"from_realm\":\"public\","
	"\"to_realm\":\"core\",\"signalling_source\":\"2001:db8::1\","
	"\"latch\":\"signalled\",\"rtcp_mux\":[\"offer\",\"accept\"],"
	"\"replace\":[\"origin\",\"session-connection\"],"
	"\"address_family\":\"ip6\",\"ice\":\"pass\","
	"\"keep_direction\":true,\"no_rtcp_attribute\":true,"
	"\"full_rtcp_attribute\":true,\"generate_mid\":true,"
	"\"strip_extmap\":true,\"loop_protect\":true,\"new_ports\":true,"
	"\"trust_source\":true,\"fragment\":false,"
	"\"media_address\":\"192.0.2.9\",\"transport\":\"RTP/AVPF\","
	"\"tos\":184,\"metadata\":\"a:b\","
	"\"codec\":{\"strip\":[\"all\"],\"except\":[\"opus/48000/2\"]},"
	"\"sdp_attributes\":{\"session\":{\"add\":[\"tool:x\"]},"
	"\"audio\":{\"remove\":[\"ptime\"],"
	"\"substitute\":[[\"maxptime:1\",\"maxptime:2\"]]}}}";

static enum sp_status
parse(enum sp_verb verb, const char *body, struct sp_request *request,
	struct sp_problem *problem)
{
	memset(problem, 0, sizeof *problem);
	return sp_request_parse(verb, body, strlen(body), request, problem);
}

static bool
is(struct sp_text text, const char *want)
{
	return text.len == strlen(want) &&
		(text.len == 0 || memcmp(text.at, want, text.len) == 0);
}

/* The second half of everything. */
static void
expect_policy(const struct sp_request *r)
{
	const struct sp_policy *policy = &r->policy;

	cr_expect(eq(int, policy->replace, SP_REPLACE_ORIGIN));
	cr_expect(policy->keep_ice);
	cr_expect(policy->full_rtcp_attribute);
	cr_expect(policy->generate_mid);
	cr_expect(policy->strip_extmap);
	cr_expect(r->loop_protect);
	cr_expect(r->new_ports);
	cr_expect(r->trust_source);
	cr_expect(not(r->fragment));
	cr_expect(eq(int, policy->advertised.family, SP_FAMILY_IP4));
	cr_expect(eq(int, policy->transport, SP_TRANSPORT_RTP_AVPF));
	cr_expect(eq(int, r->tos_mode, SP_TOS_SET));
	cr_expect(eq(int, r->tos, 184));
	cr_expect(is(r->metadata, "a:b"));
	cr_assert(eq(int, policy->n_codec, 2));
	cr_expect(eq(int, policy->codec[0].what, SP_CODEC_STRIP));
	cr_expect(eq(int, policy->codec[1].what, SP_CODEC_EXCEPT));
	cr_expect(eq(sz, policy->codec[1].name.len, 12));
	cr_assert(eq(int, policy->n_attr, 3));
	cr_expect(eq(int, policy->attr[0].what, SP_ATTR_ADD));
	cr_expect(eq(sz, policy->attr[0].media.len, 0));
	cr_expect(eq(int, policy->attr[1].what, SP_ATTR_REMOVE));
	cr_expect(eq(sz, policy->attr[1].media.len, 5));
	cr_expect(eq(int, policy->attr[2].what, SP_ATTR_SUBSTITUTE));
	cr_expect(eq(sz, policy->attr[2].with.len, 10));
}

Test(request, every_field_arrives)
{
	struct sp_problem p;
	struct sp_request r;
	struct sp_addr from;

	cr_assert(eq(int, parse(SP_VERB_OFFER, everything, &r, &p), SP_OK),
		"%s", p.detail);
	cr_expect(eq(int, r.verb, SP_VERB_OFFER));
	cr_expect(is(r.call_id, "a84b4c76e66710@pc33"));
	cr_expect(is(r.from_tag, "f1"));
	cr_expect(is(r.to_tag, "t1"));
	cr_expect(is(r.branch, "z9hG4bK"));
	cr_expect(is(r.label, "lobby"));
	cr_expect(is(r.sdp, "v=0\r\ns=\xc3\xa4\r\n"));
	cr_expect(is(r.from_realm, "public"));
	cr_expect(is(r.to_realm, "core"));
	cr_assert(eq(int, sp_addr_parse("2001:db8::1", 11, &from), SP_OK));
	cr_expect(sp_addr_equal(&r.signalling_source, &from));
	cr_expect(r.has_latch);
	cr_expect(eq(int, r.latch, SP_LATCH_SIGNALLED));
	cr_expect(eq(int, r.policy.rtcp_mux,
		SP_RTCP_MUX_OFFER | SP_RTCP_MUX_ACCEPT));
	cr_expect(eq(int, r.policy.replace, SP_REPLACE_ORIGIN));
	cr_expect(eq(int, r.policy.address_family, SP_FAMILY_IP6));
	cr_expect(r.policy.keep_direction);
	cr_expect(r.policy.no_rtcp_attribute);
	expect_policy(&r);
	sp_request_close(&r);
}

Test(request, what_is_not_given_is_zero)
{
	struct sp_problem p;
	struct sp_request r;
	const struct sp_policy none = { 0 };

	cr_assert(eq(int, parse(SP_VERB_OFFER, "{" OFFER "}", &r, &p), SP_OK));
	cr_expect(not(r.has_latch));
	cr_expect(eq(int, r.signalling_source.family, SP_FAMILY_NONE));
	cr_expect(is(r.to_tag, ""));
	cr_expect(eq(int, memcmp(&r.policy, &none, sizeof none), 0));
	sp_request_close(&r);
}

Test(request, who_blocks_by_tag_means_it)
{
	struct sp_problem p;
	struct sp_request r;

	cr_assert(eq(
		int, parse(SP_VERB_BLOCK_MEDIA, "{" IDS "}", &r, &p), SP_OK));
	cr_expect(r.directional);
	sp_request_close(&r);
	cr_assert(eq(int,
		parse(SP_VERB_BLOCK_MEDIA, "{\"call_id\":\"c\",\"all\":true}",
			&r, &p),
		SP_OK));
	cr_expect(not(r.directional));
	cr_expect(r.all);
	sp_request_close(&r);
}

/* As many as there is room for, and one more. */
Test(request, lists_have_a_limit)
{
	static char body[4096];
	const unsigned int limits[] = { SP_CODECS_MAX, SP_CODECS_MAX + 1 };

	for (size_t i = 0; i < 2; i++) {
		struct sp_problem p;
		struct sp_request r;

		snprintf(body, sizeof body,
			"{" OFFER ",\"codec\":{\"mask\":[\"a\"");
		for (unsigned int n = 1; n < limits[i]; n++)
			strcat(body, ",\"a\"");
		strcat(body, "]}}");
		cr_expect(eq(int, parse(SP_VERB_OFFER, body, &r, &p),
			i == 0 ? SP_OK : SP_UNSUPPORTED));
		if (i == 0)
			sp_request_close(&r);
		else
			cr_expect(eq(str, (char *)p.where, "codec"));
	}
}

struct bad_case {
	enum sp_verb verb;
	char body[160];
	char type[16];
	char where[20];
	char detail[120]; /* a part of it */
};

static struct bad_case bad_cases[] = {
	{ SP_VERB_OFFER, "", "bad-json", "", "near end of file" },
	{ SP_VERB_OFFER, "{", "bad-json", "", "line 1, column 1" },
	{ SP_VERB_OFFER, "[]", "bad-json", "", "must be a JSON object" },
	{ SP_VERB_OFFER, "{} x", "bad-json", "", "end of file expected" },
	{ SP_VERB_OFFER, "{\"call_id\":\"a\",\"call_id\":\"b\"}", "bad-json",
		"", "duplicate" },
	{ SP_VERB_OFFER, "{\"call_id\":\"a\\u0000b\"}", "bad-json", "",
		"\\u0000" },
	{ SP_VERB_OFFER, "{\"call_id\":\"\xff\"}", "bad-json", "",
		"decode byte 0xff" },
	{ SP_VERB_OFFER, "{}", "missing-field", "call_id",
		"offer needs \"call_id\"" },
	{ SP_VERB_OFFER, "{" IDS "}", "missing-field", "sdp",
		"offer needs \"sdp\"" },
	{ SP_VERB_ANSWER, "{" OFFER "}", "missing-field", "to_tag",
		"answer needs \"to_tag\"" },
	{ SP_VERB_DELETE, "{}", "missing-field", "call_id",
		"delete needs \"call_id\"" },
	{ SP_VERB_OFFER, "{\"callid\":\"c\"}", "unknown-field", "callid",
		"is not a field of offer; did you mean call_id?" },
	{ SP_VERB_OFFER, "{\"zzz\":1}", "unknown-field", "zzz",
		"is not a field of offer; see /openapi.json" },
	{ SP_VERB_DELETE, "{" OFFER "}", "unknown-field", "sdp",
		"\"sdp\" is not a field of delete; see /openapi.json" },
	{ SP_VERB_OFFER, "{\"call_id\":5}", "bad-value", "call_id",
		"\"call_id\" must be a string" },
	{ SP_VERB_OFFER, "{\"call_id\":null}", "bad-value", "call_id",
		"\"call_id\" must be a string" },
	{ SP_VERB_OFFER, "{\"call_id\":\"\"}", "bad-value", "call_id",
		"has 0 bytes; from 1 to 255 are possible" },
	{ SP_VERB_OFFER, "{" OFFER ",\"latch\":\"anny\"}", "bad-value", "latch",
		"\"anny\" is not one of signalled, asymmetric, "
		"restricted, any, handover; did you mean any?" },
	{ SP_VERB_OFFER, "{" OFFER ",\"latch\":\"Any\"}", "bad-value", "latch",
		"is not one of signalled, asymmetric, restricted, any, "
		"handover" },
	{ SP_VERB_OFFER, "{" OFFER ",\"latch\":2}", "bad-value", "latch",
		"\"latch\" must be a string" },
	{ SP_VERB_OFFER, "{" OFFER ",\"rtcp_mux\":\"offer\"}", "bad-value",
		"rtcp_mux", "must be a list of strings" },
	{ SP_VERB_OFFER, "{" OFFER ",\"rtcp_mux\":[1]}", "bad-value",
		"rtcp_mux", "must be a list of strings" },
	{ SP_VERB_OFFER, "{" OFFER ",\"rtcp_mux\":[\"ofer\"]}", "bad-value",
		"rtcp_mux", "did you mean offer?" },
	{ SP_VERB_OFFER, "{" OFFER ",\"replace\":[\"orgin\"]}", "bad-value",
		"replace", "did you mean origin?" },
	{ SP_VERB_OFFER, "{" OFFER ",\"address_family\":\"ipv4\"}", "bad-value",
		"address_family", "did you mean ip4?" },
	{ SP_VERB_OFFER, "{" OFFER ",\"ice\":\"force\"}", "bad-value", "ice",
		"\"force\" is not one of remove" },
	{ SP_VERB_OFFER, "{" OFFER ",\"keep_direction\":\"yes\"}", "bad-value",
		"keep_direction", "must be true or false" },
	{ SP_VERB_OFFER, "{" OFFER ",\"signalling_source\":\"192.0.2.1:5060\"}",
		"bad-value", "signalling_source",
		"must be a bare IPv4 or IPv6" },
	{ SP_VERB_OFFER, "{" OFFER ",\"media_address\":\"a.example\"}",
		"bad-value", "media_address", "must be a bare IPv4 or IPv6" },
	{ SP_VERB_OFFER, "{" OFFER ",\"trust_source\":true}", "missing-field",
		"signalling_source", "needs \"signalling_source\"" },
	{ SP_VERB_OFFER, "{" OFFER ",\"ICE\":\"pass\"}", "unknown-field", "ICE",
		"is not a field of offer" },
	{ SP_VERB_OFFER, "{" OFFER ",\"latch\":\"off\"}", "bad-value", "latch",
		"is not one of signalled" },
	{ SP_VERB_OFFER, "{" OFFER ",\"latch\":\"Handover\"}", "bad-value",
		"latch", "did you mean handover?" },
	{ SP_VERB_OFFER, "{" OFFER ",\"ice\":\"\"}", "bad-value", "ice",
		"\"\" is not one of remove, pass" },
	{ SP_VERB_OFFER, "{" OFFER ",\"transport\":\"rtp/avp\"}", "bad-value",
		"transport", "is not one of RTP/AVP" },
	{ SP_VERB_OFFER, "{" OFFER ",\"tos\":256}", "bad-value", "tos",
		"is 256; from -1 to 255 are possible" },
	{ SP_VERB_OFFER, "{" OFFER ",\"tos\":\"184\"}", "bad-value", "tos",
		"must be a number" },
	{ SP_VERB_DELETE, "{" IDS ",\"delete_delay_s\":-1}", "bad-value",
		"delete_delay_s", "from 0 to 86400 are possible" },
	{ SP_VERB_OFFER, "{" OFFER ",\"codec\":[\"PCMA\"]}", "bad-value",
		"codec", "must be an object of lists" },
	{ SP_VERB_OFFER, "{" OFFER ",\"codec\":{\"stripp\":[]}}", "bad-value",
		"codec", "did you mean strip?" },
	{ SP_VERB_OFFER, "{" OFFER ",\"codec\":{\"strip\":\"PCMA\"}}",
		"bad-value", "codec", "must be a list of strings" },
	{ SP_VERB_OFFER, "{" OFFER ",\"codec\":{\"strip\":[\"a b\"]}}",
		"bad-value", "codec", "NAME[/rate[/channels]]" },
	{ SP_VERB_OFFER, "{" OFFER ",\"codec\":{\"strip\":[\"a/1/2/3\"]}}",
		"bad-value", "codec", "NAME[/rate[/channels]]" },
	{ SP_VERB_OFFER, "{" OFFER ",\"codec\":{\"transcode\":[]}}",
		"bad-value", "codec", "is not one of strip, offer" },
	{ SP_VERB_OFFER, "{" OFFER ",\"sdp_attributes\":[]}", "bad-value",
		"sdp_attributes", "must be an object" },
	{ SP_VERB_OFFER, "{" OFFER ",\"sdp_attributes\":{\"audio\":[]}}",
		"bad-value", "sdp_attributes", "must be an object" },
	{ SP_VERB_OFFER, "{" OFFER ",\"sdp_attributes\":{\"\":{}}}",
		"bad-value", "sdp_attributes", "goes by" },
	{ SP_VERB_OFFER, "{" OFFER ",\"sdp_attributes\":{\"a\":{\"ad\":[]}}}",
		"bad-value", "sdp_attributes", "did you mean add?" },
	{ SP_VERB_OFFER,
		"{" OFFER ",\"sdp_attributes\":{\"a\":{\"add\":[\"x\\n\"]}}}",
		"bad-value", "sdp_attributes", "is one line" },
	{ SP_VERB_OFFER,
		"{" OFFER
		",\"sdp_attributes\":{\"a\":{\"substitute\":[\"x\"]}}}",
		"bad-value", "sdp_attributes", "[from, to]" },
	{ SP_VERB_BLOCK_MEDIA, "{\"call_id\":\"c\",\"address\":\"x\"}",
		"bad-value", "address", "must be a bare IPv4 or IPv6" },
	{ SP_VERB_BLOCK_MEDIA, "{\"call_id\":\"c\",\"all\":\"flows\"}",
		"bad-value", "all", "must be true or false" },
	{ SP_VERB_BLOCK_MEDIA, "{\"from_tag\":\"f\"}", "missing-field",
		"call_id", "block media needs \"call_id\"" },
	{ SP_VERB_BLOCK_DTMF, "{\"call_id\":\"c\",\"sdp\":\"v\"}",
		"unknown-field", "sdp", "is not a field of block DTMF" },
	{ SP_VERB_OFFER, "{" OFFER ",\"signalling_source\":7}", "bad-value",
		"signalling_source", "address in a string" },
};

ParameterizedTestParameters(request, mistakes_are_named)
{
	return cr_make_param_array(struct bad_case, bad_cases,
		sizeof bad_cases / sizeof *bad_cases);
}

ParameterizedTest(struct bad_case *tc, request, mistakes_are_named)
{
	struct sp_problem p;
	struct sp_request r, before;
	const bool bad_json = strcmp(tc->type, "bad-json") == 0;

	memset(&r, 0x5a, sizeof r);
	before = r;
	cr_expect(eq(int, parse(tc->verb, tc->body, &r, &p),
		bad_json ? SP_MALFORMED : SP_UNSUPPORTED));
	cr_expect(eq(int, memcmp(&r, &before, sizeof r), 0));
	cr_expect(eq(int, p.http, 400));
	cr_expect(eq(str, (char *)(uintptr_t)p.type, tc->type));
	cr_expect(eq(str, (char *)p.where, tc->where));
	cr_expect(not(eq(ptr, strstr(p.detail, tc->detail), NULL)), "%s: %s",
		tc->body, p.detail);
}

Test(request, text_has_a_limit)
{
	char body[600];
	char tag[SP_TAG_MAX + 2];
	struct sp_problem p;
	struct sp_request r;

	memset(tag, 'x', sizeof tag);
	tag[SP_TAG_MAX] = '\0';
	snprintf(body, sizeof body, "{\"call_id\":\"%s\"}", tag);
	cr_assert(eq(int, parse(SP_VERB_DELETE, body, &r, &p), SP_OK));
	cr_expect(eq(sz, r.call_id.len, SP_TAG_MAX));
	sp_request_close(&r);
	tag[SP_TAG_MAX] = 'x';
	tag[SP_TAG_MAX + 1] = '\0';
	snprintf(body, sizeof body, "{\"call_id\":\"%s\"}", tag);
	cr_expect(eq(int, parse(SP_VERB_DELETE, body, &r, &p), SP_UNSUPPORTED));
	cr_expect(eq(str, (char *)p.where, "call_id"));
}

Test(request, deep_nesting_is_refused)
{
	static char body[SP_BODY_MAX];
	struct sp_problem p;
	struct sp_request r;

	memset(body, '[', sizeof body - 1);
	cr_expect(eq(int, parse(SP_VERB_OFFER, body, &r, &p), SP_MALFORMED));
	cr_expect(
		not(eq(ptr, strstr(p.detail, "depth"), NULL)), "%s", p.detail);
}

Test(request, every_prefix_of_a_request_is_refused)
{
	for (size_t len = 0; len < sizeof everything - 1; len++) {
		struct sp_problem p = { 0 };
		struct sp_request r;

		cr_expect(eq(int,
			sp_request_parse(
				SP_VERB_OFFER, everything, len, &r, &p),
			SP_MALFORMED));
		cr_expect(eq(int, p.http, 400));
	}
}

Test(request, without_memory_it_fails_cleanly)
{
	enum sp_status status = SP_NO_MEMORY;
	unsigned int most = 0;

	json_set_alloc_funcs(scarce_malloc, scarce_free);
	for (; status != SP_OK && most < 1000; most++) {
		struct sp_problem p;
		struct sp_request r;

		allocations_left = most;
		status = parse(SP_VERB_OFFER, everything, &r, &p);
		if (status == SP_OK)
			sp_request_close(&r);
		else
			cr_expect(ge(int, p.http, 400));
		cr_assert(eq(uint, allocations_open, 0), "leak at %u", most);
	}
	cr_expect(eq(int, status, SP_OK));
	cr_expect(gt(uint, most, 10));
}

struct escape_case {
	char text[16];
	bool want;
	char decoded[16];
	size_t len;
};

static struct escape_case escape_cases[] = {
	{ "", true, "", 0 },
	{ "abc", true, "abc", 3 },
	{ "a%40b", true, "a@b", 3 },
	{ "%25%32%35", true, "%25", 3 },
	{ "%fF", true, "\xff", 1 },
	{ "a+b", true, "a+b", 3 },
	{ "%00", false, "", 0 },
	{ "%", false, "", 0 },
	{ "%4", false, "", 0 },
	{ "%4g", false, "", 0 },
	{ "%g4", false, "", 0 },
	{ "a%%41", false, "", 0 },
};

ParameterizedTestParameters(request, escapes_are_undone)
{
	return cr_make_param_array(struct escape_case, escape_cases,
		sizeof escape_cases / sizeof *escape_cases);
}

ParameterizedTest(struct escape_case *tc, request, escapes_are_undone)
{
	char text[16];
	size_t len = 99;

	memcpy(text, tc->text, sizeof text);
	cr_expect(eq(int, sp_request_unescape(text, &len), tc->want));
	if (tc->want) {
		cr_expect(eq(str, text, tc->decoded));
		cr_expect(eq(sz, len, tc->len));
	}
}
