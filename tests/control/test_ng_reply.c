/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of rtpengine, which proxies compare. */
#include "ng_lab.h"

#include "control/ng_reply.h"
#include "control/problem.h"

TestSuite(ng_reply, .init = open_ng, .fini = close_ng);

/* Arrays, no pointers: Criterion copies each case into another process. */
struct refusal_case {
	char type[24];
	char where[24];
	int http;
	enum sp_verb verb;
	char reason[48]; /* "": the detail */
	bool limit;      /* a result of its own, for who knows it */
};

#define CASE(type, where, http, verb, reason, limit)                           \
	{                                                                      \
		type, where, http, SP_VERB_##verb, reason, limit               \
	}

ParameterizedTestParameters(ng_reply, refusals_have_their_texts)
{
	/* clang-format off */
	static struct refusal_case cases[] = {
		CASE("missing-field", "sdp", 400, OFFER,
			"No SDP body in message", false),
		CASE("missing-field", "call_id", 400, OFFER,
			"No call-id in message", false),
		CASE("missing-field", "from_tag", 400, OFFER,
			"No from-tag in message", false),
		CASE("missing-field", "to_tag", 400, ANSWER,
			"No to-tag in message", false),
		CASE("missing-field", "limit", 400, LIST, "", false),
		CASE("bad-value", "limit", 400, LIST, "", false),
		CASE("unknown-call", "call_id", 404, OFFER,
			"Unknown call-id", false),
		CASE("unknown-call", "call_id", 404, ANSWER,
			"Unknown call-id", false),
		CASE("unknown-call", "call_id", 404, QUERY,
			"Unknown call-id", false),
		CASE("unknown-call", "call_id", 404, BLOCK_MEDIA,
			"Unknown call-ID", false),
		CASE("unknown-call", "call_id", 404, UNSILENCE_MEDIA,
			"Unknown call-ID", false),
		CASE("unknown-call", "call_id", 404, BLOCK_DTMF,
			"Unknown call-ID", false),
		CASE("unknown-label", "label", 404, BLOCK_MEDIA, "", false),
		CASE("bad-sdp", "sdp line 3", 422, OFFER,
			"Failed to parse SDP", false),
		CASE("address", "sdp", 422, ANSWER,
			"Failed to parse SDP", false),
		CASE("conflict", "from_tag", 409, ANSWER,
			"Invalid dialogue association", false),
		CASE("no-ports", "", 503, OFFER, "Ran out of ports", false),
		CASE("max-calls", "", 503, OFFER,
			"Parallel session limit reached", true),
		CASE("draining", "", 503, OFFER,
			"Parallel session limit reached", true),
		CASE("stopping", "", 503, OFFER,
			"Parallel session limit reached", true),
		CASE("bandwidth", "", 503, OFFER,
			"Bandwidth limit exceeded", true),
		CASE("worker-busy", "", 503, OFFER,
			"Load limit exceeded", true),
		CASE("worker-stuck", "", 503, ANSWER,
			"Load limit exceeded", true),
		CASE("call-busy", "", 503, DELETE,
			"Load limit exceeded", true),
		CASE("no-memory", "", 503, QUERY, "Load limit exceeded", true),
		CASE("internal", "", 500, OFFER, "", false),
	};
	/* clang-format on */

	return cr_make_param_array(
		struct refusal_case, cases, sizeof cases / sizeof *cases);
}

static char *
text(const json_t *tree, const char *key)
{
	const char *value = json_string_value(json_object_get(tree, key));

	return (char *)(uintptr_t)(value ? value : "");
}

ParameterizedTest(struct refusal_case *tc, ng_reply, refusals_have_their_texts)
{
	struct sp_problem problem = { .http = tc->http, .type = tc->type };
	const struct sp_reply reply = { tc->http, &problem, NULL };
	struct sp_ng_asked asked = { .verb = tc->verb, .fatal = true };
	char *reason = tc->reason[0] ? tc->reason : problem.detail;
	json_t *tree;

	strcpy(problem.where, tc->where);
	strcpy(problem.detail, "what is wrong");
	tree = sp_ng_reply(&asked, &reply);
	cr_expect(eq(str, text(tree, "result"), "error"));
	cr_expect(eq(str, text(tree, "error-reason"), reason), "%s", tc->type);
	cr_expect(eq(str, text(tree, "detail"),
		tc->reason[0] ? problem.detail : ""));
	json_decref(tree);

	asked.load_limit = true;
	tree = sp_ng_reply(&asked, &reply);
	cr_expect(eq(
		str, text(tree, "result"), tc->limit ? "load limit" : "error"));
	cr_expect(eq(str, text(tree, tc->limit ? "message" : "error-reason"),
		reason));
	cr_expect(eq(ptr,
		json_object_get(tree, tc->limit ? "error-reason" : "message"),
		NULL));
	json_decref(tree);
}

#define DELETE_BODY "d7:command6:delete7:call-id1:c"
#define NO_CALL "Call-ID not found or tags didn't match"

Test(ng_reply, deleting_an_unknown_call_is_fine_unless_that_is_fatal)
{
	struct sp_problem problem;

	sp_problem_set(&problem, SP_PROBLEM_NO_CALL, "call_id", "gone");
	fake.refuse = true;
	fake.problem = &problem;
	cr_expect(eq(str, say("1 " DELETE_BODY "e"),
		"1 d6:result2:ok7:warning38:" NO_CALL "e"));
	cr_expect(eq(str, say("2 " DELETE_BODY "5:flagsl5:fatalee"),
		"2 d6:result5:error12:error-reason38:" NO_CALL
		"6:detail4:gonee"));
}

Test(ng_reply, a_limit_is_told_as_the_client_understands_it)
{
	fake.refuse = true; /* "capacity" */
	cr_expect(eq(str, say("1 " OFFER_BODY),
		"1 d6:result5:error12:error-reason19:Load limit exceeded"
		"6:detail15:no port is freee"));
	cr_expect(eq(str,
		say("2 d8:supportsl10:load limite7:command5:offer"
		    "7:call-id1:c8:from-tag1:f3:sdp3:v=0e"),
		"2 d6:result10:load limit7:message19:Load limit exceeded"
		"6:detail15:no port is freee"));
	cr_expect(eq(str,
		say("3 {\"supports\":\"load limit\",\"command\":\"list\"}"),
		"3 {\"result\":\"load limit\",\"message\":\"Load limit exceeded"
		"\",\"detail\":\"no port is free\"}"));
	cr_expect(eq(str,
		say("4 {\"supports\":[1,\"x\"],\"command\":\"list\"}"),
		"4 {\"result\":\"error\",\"error-reason\":\"Load limit exceeded"
		"\",\"detail\":\"no port is free\"}"));
}

Test(ng_reply, what_is_missing_is_told_before_the_service_is_asked)
{
	cr_expect(has_text(say("1 d7:command5:offer7:call-id1:ce"),
		"No from-tag in message"));
	cr_expect(
		has_text(say("2 d7:command5:querye"), "No call-id in message"));
	cr_expect(has_text(say("3 d7:command6:answer7:call-id1:c8:from-tag1:f"
			       "3:sdp3:v=0e"),
		"No to-tag in message"));
	cr_expect(has_text(say("4 d7:command5:offer7:call-id1:c8:from-tag1:fe"),
		"No SDP body in message"));
	cr_expect(eq(uint, fake.asked, 0));
}

Test(ng_reply, warnings_of_door_and_service_are_one_text)
{
	json_t *body = json_pack(
		"{s:s, s:[s, s]}", "sdp", "x", "warnings", "one", "two");
	const char *said;

	fake.body = body;
	cr_expect(eq(str, say("1 " OFFER_BODY),
		"1 d6:result2:ok3:sdp1:x7:warning8:one; twoe"));
	said = say("2 d7:command5:offer7:call-id1:c8:from-tag1:f3:sdp3:v=0"
		   "9:odd thing1:1e");
	cr_expect(has_text(said, "odd thing"), "%s", said);
	cr_expect(has_text(said, "; one; two"), "%s", said);
	json_decref(body);
}

Test(ng_reply, no_warnings_are_no_key)
{
	json_t *body = json_pack("{s:s, s:[]}", "sdp", "x", "warnings");

	fake.body = body;
	cr_expect(eq(str, say("1 " OFFER_BODY), "1 d6:result2:ok3:sdp1:xe"));
	json_decref(body);
}

Test(ng_reply, what_does_not_fit_a_datagram_is_an_error)
{
	json_t *body = json_object();
	static char large[SP_NG_REPLY_MAX];

	memset(large, 'x', sizeof large - 1);
	json_object_set_new(body, "sdp", json_string(large));
	fake.body = body;
	cr_expect(eq(str, say("1 " OFFER_BODY),
		"1 d6:result5:error12:error-reason22:The reply is too largee"));
	cr_expect(eq(str, say("2 " OFFER_JSON),
		"2 {\"result\":\"error\",\"error-reason\":"
		"\"The reply is too large\"}"));
	json_decref(body);
}

/* A deletion that was done must not be told as an error. */
Test(ng_reply, statistics_too_large_are_left_out_with_a_warning)
{
	json_t *body = json_pack("{s:s, s:{}, s:{}, s:{s:i}}", "sdp", "x",
		"tags", "SSRC", "totals", "RTP", 7);
	static char large[SP_NG_REPLY_MAX];

	memset(large, 'x', sizeof large - 1);
	json_object_set_new(
		json_object_get(body, "tags"), "a", json_string(large));
	fake.body = body;
	cr_expect(eq(str, say("1 " OFFER_BODY),
		"1 d6:result2:ok3:sdp1:x4:SSRCde6:totalsd3:RTPi7ee"
		"7:warning18:no room for \"tags\"e"));
	json_object_set_new(
		json_object_get(body, "SSRC"), "1", json_string(large));
	cr_expect(eq(str, say("2 " OFFER_JSON),
		"2 {\"result\":\"ok\",\"sdp\":\"x\",\"totals\":{\"RTP\":7},"
		"\"warning\":\"no room for \\\"tags\\\"; "
		"no room for \\\"SSRC\\\"\"}"));
	json_decref(body);
}

Test(ng_reply, bytes_that_json_can_not_carry_are_an_error_there)
{
	json_t *body = json_object();

	json_object_set_new(body, "sdp", json_string_nocheck("\xff"));
	fake.body = body;
	cr_expect(eq(str, say("1 " OFFER_BODY),
		"1 d6:result2:ok3:sdp1:\xff"
		"e"));
	cr_expect(has_text(say("2 " OFFER_JSON), "no UTF-8"));
	json_decref(body);
}

Test(ng_reply, without_memory_there_is_still_a_reply)
{
	char out[SP_NG_REPLY_LEAST + 1] = { 0 };

	cr_expect(gt(sz,
		sp_ng_reply_write(SP_NG_BENCODE, NULL, out, sizeof out - 1),
		0));
	cr_expect(eq(str, out,
		"d6:result5:error12:error-reason19:Load limit exceedede"));
	memset(out, 0, sizeof out);
	cr_expect(gt(sz,
		sp_ng_reply_write(SP_NG_JSON, NULL, out, sizeof out - 1), 0));
	cr_expect(eq(str, out,
		"{\"result\":\"error\",\"error-reason\":"
		"\"Load limit exceeded\"}"));
}
