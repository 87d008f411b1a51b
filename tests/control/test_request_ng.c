/* SPDX-License-Identifier: BSD-3-Clause */
#include "ng_reader.h"

/* A text as it was read. */
struct text_case {
	enum sp_verb verb;
	char body[120];
	char call_id[8], from_tag[8], to_tag[8], branch[8], label[8];
	char to_label[8], metadata[8], from_realm[8], to_realm[8];
};

/* clang-format off */
static struct text_case text_cases[] = {
	{ SP_VERB_OFFER, "{\"call id\":\"i\",\"From-Tag\":\"f\","
	  "\"to_tag\":\"t\",\"via branch\":\"b\",\"SDP\":\"v\"}",
	  "i", "f", "t", "b", "", "", "", "", "" },
	{ SP_VERB_OFFER, "{" OFFER ",\"to-tag\":\"\",\"via-branch\":\"\","
	  "\"label\":\"\"}", "c", "f", "", "", "", "", "", "", "" },
	{ SP_VERB_OFFER, "{" OFFER ",\"set-label\":\"l\",\"metadata\":\"m\"}",
	  "c", "f", "", "", "l", "", "m", "", "" },
	{ SP_VERB_OFFER, "{" OFFER ",\"direction\":[\"in\",\"out\"]}",
	  "c", "f", "", "", "", "", "", "in", "out" },
	{ SP_VERB_OFFER, "{" OFFER ",\"direction\":\"in,out\"}",
	  "c", "f", "", "", "", "", "", "in", "out" },
	{ SP_VERB_OFFER, "{" OFFER ",\"interface\":\"in\"}",
	  "c", "f", "", "", "", "", "", "in", "in" },
	{ SP_VERB_OFFER, "{" OFFER ",\"from interface\":\"in\","
	  "\"to-interface\":\"out\"}",
	  "c", "f", "", "", "", "", "", "in", "out" },
	{ SP_VERB_OFFER, "{" OFFER ",\"direction\":[\"round-robin-calls\","
	  "\"out\"]}", "c", "f", "", "", "", "", "", "", "out" },
	{ SP_VERB_OFFER, "{" OFFER ",\"rtpp-flags\":\"from-tag=x to-tag=y "
	  "via-branch=z\"}", "c", "f", "y", "z", "", "", "", "", "" },
	{ SP_VERB_ANSWER, "{" OFFER ",\"to-tag\":\"t\",\"direction\":"
	  "[\"in\",\"out\"]}", "c", "f", "t", "", "", "", "", "", "" },
	{ SP_VERB_DELETE, "{\"call-ID\":\"c\",\"metadata\":\"m\","
	  "\"replace\":[\"origin\"]}",
	  "c", "", "", "", "", "", "m", "", "" },
	{ SP_VERB_QUERY, "{" CALL "}",
	  "c", "f", "", "", "", "", "", "", "" },
	{ SP_VERB_BLOCK_MEDIA, "{\"call-id\":\"c\",\"from-label\":\"l\","
	  "\"to label\":\"k\"}", "c", "", "", "", "l", "k", "", "", "" },
};
/* clang-format on */

ParameterizedTestParameters(request_ng, texts_arrive)
{
	return cr_make_param_array(struct text_case, text_cases,
		sizeof text_cases / sizeof *text_cases);
}

ParameterizedTest(struct text_case *tc, request_ng, texts_arrive)
{
	struct read read = read_ng(tc->verb, tc->body);
	const struct sp_request *r = &read.request;

	cr_assert(eq(int, read.status, SP_OK), "%s", read.problem.detail);
	cr_expect(eq(int, r->verb, tc->verb));
	cr_expect(eq(int, r->door, SP_DOOR_NG));
	cr_expect(is(r->call_id, tc->call_id));
	cr_expect(is(r->from_tag, tc->from_tag));
	cr_expect(is(r->to_tag, tc->to_tag), "%s", tc->body);
	cr_expect(is(r->branch, tc->branch));
	cr_expect(is(r->label, tc->label));
	cr_expect(is(r->to_label, tc->to_label));
	cr_expect(is(r->metadata, tc->metadata));
	cr_expect(is(r->from_realm, tc->from_realm), "%s", tc->body);
	cr_expect(is(r->to_realm, tc->to_realm), "%s", tc->body);
	cr_expect(eq(sz, json_array_size(read.warnings), 0), "%s: %s", tc->body,
		warning(&read, 0));
	done(&read);
}

struct bad_case {
	enum sp_verb verb;
	char body[120];
	char type[16];
	char where[12];
};

/* clang-format off */
static struct bad_case bad_cases[] = {
	{ SP_VERB_OFFER, "{" CALL "}", "missing-field", "sdp" },
	{ SP_VERB_OFFER, "{" CALL ",\"sdp\":\"\"}", "missing-field", "sdp" },
	{ SP_VERB_OFFER, "{\"from-tag\":\"f\",\"sdp\":\"v\"}",
	  "missing-field", "call_id" },
	{ SP_VERB_OFFER, "{\"call-id\":7,\"from-tag\":\"f\",\"sdp\":\"v\"}",
	  "missing-field", "call_id" },
	{ SP_VERB_OFFER, "{\"call-id\":\"c\",\"sdp\":\"v\"}",
	  "missing-field", "from_tag" },
	{ SP_VERB_ANSWER, "{" OFFER "}", "missing-field", "to_tag" },
	{ SP_VERB_DELETE, "{}", "missing-field", "call_id" },
	{ SP_VERB_QUERY, "{}", "missing-field", "call_id" },
	{ SP_VERB_UNBLOCK_DTMF, "{}", "missing-field", "call_id" },
	{ SP_VERB_OFFER, "{" OFFER ",\"to-tag\":\"a\\u0000b\"}", "bad-value",
	  "to_tag" },
	{ SP_VERB_LIST, "{\"limit\":-1}", "bad-value", "limit" },
	{ SP_VERB_BLOCK_MEDIA, "{\"call-id\":\"c\",\"address\":\"x\"}",
	  "bad-value", "address" },
	{ SP_VERB_BLOCK_MEDIA, "{\"call-id\":\"c\",\"address\":[]}",
	  "bad-value", "address" },
	{ SP_VERB_BLOCK_MEDIA,
	  "{\"call-id\":\"c\",\"all\":\"except-offer-answer\"}",
	  "bad-value", "all" },
	{ SP_VERB_BLOCK_MEDIA, "{\"call-id\":\"c\",\"all\":\"some\"}",
	  "bad-value", "all" },
};
/* clang-format on */

ParameterizedTestParameters(request_ng, what_cannot_be_done_is_refused)
{
	return cr_make_param_array(struct bad_case, bad_cases,
		sizeof bad_cases / sizeof *bad_cases);
}

ParameterizedTest(
	struct bad_case *tc, request_ng, what_cannot_be_done_is_refused)
{
	struct read read = read_ng(tc->verb, tc->body);

	cr_assert(eq(int, read.status, SP_UNSUPPORTED), "%s", tc->body);
	cr_expect(eq(str, (char *)(uintptr_t)read.problem.type, tc->type));
	cr_expect(eq(str, (char *)read.problem.where, tc->where));
	cr_expect(gt(int, read.problem.http, 399));
	done(&read);
}

Test(request_ng, where_the_message_came_from)
{
	static const char *const forms[] = {
		"\"received-from\":[\"IP4\",\"192.0.2.1\"]",
		"\"received from\":[\"192.0.2.1\"]",
		"\"received_from\":\"192.0.2.1\"",
	};
	struct sp_addr want;

	cr_assert(eq(int, sp_addr_parse("192.0.2.1", 9, &want), SP_OK));
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		char body[120];
		struct read read;

		snprintf(body, sizeof body, "{%s,%s}", OFFER, forms[i]);
		read = read_ng(SP_VERB_OFFER, body);
		cr_assert(eq(int, read.status, SP_OK));
		cr_expect(
			sp_addr_equal(&read.request.signalling_source, &want));
		cr_expect(eq(sz, json_array_size(read.warnings), 0));
		done(&read);
	}
}

Test(request_ng, whom_a_command_means)
{
	struct read read = read_ng(SP_VERB_BLOCK_MEDIA,
		"{" CALL ",\"address\":\"192.0.2.1\",\"flags\":[\"all\"]}");

	cr_assert(eq(int, read.status, SP_OK));
	cr_expect(eq(int, read.request.address.family, SP_FAMILY_IP4));
	cr_expect(read.request.all);
	cr_expect(not(read.request.directional));
	done(&read);
	read = read_ng(SP_VERB_BLOCK_DTMF,
		"{" CALL ",\"flags\":[\"directional\"],\"all\":\"flows\"}");
	cr_assert(eq(int, read.status, SP_OK));
	cr_expect(read.request.directional);
	cr_expect(not(read.request.all));
	done(&read);
	read = read_ng(SP_VERB_SILENCE_MEDIA, "{" CALL ",\"all\":\"all\"}");
	cr_assert(eq(int, read.status, SP_OK));
	cr_expect(read.request.all);
	done(&read);
}

Test(request_ng, how_a_delete_is_meant)
{
	struct read read = read_ng(SP_VERB_DELETE,
		"{" CALL ",\"flags\":[\"fatal\"],\"delete-delay\":\"0\","
		"\"sip-message-type\":\"sip_reply\"}");

	cr_assert(eq(int, read.status, SP_OK));
	cr_expect(read.request.fatal);
	cr_expect(read.request.of_reply);
	cr_expect(read.request.has_delete_delay);
	cr_expect(eq(u32, read.request.delete_delay_s, 0));
	done(&read);
	read = read_ng(SP_VERB_DELETE, "{" CALL ",\"delete_delay\":-1}");
	cr_assert(eq(int, read.status, SP_OK));
	cr_expect(not(read.request.has_delete_delay));
	cr_expect(not(read.request.fatal));
	done(&read);
	read = read_ng(SP_VERB_DELETE, "{" CALL ",\"delete delay\":99999999}");
	cr_assert(eq(int, read.status, SP_OK));
	cr_expect(eq(u32, read.request.delete_delay_s, 86400));
	done(&read);
}

Test(request_ng, a_list_has_a_length)
{
	struct read read = read_ng(SP_VERB_LIST, "{}");

	cr_expect(eq(u32, read.request.limit, 32));
	done(&read);
	read = read_ng(SP_VERB_LIST, "{\"limit\":\"0\"}");
	cr_expect(eq(u32, read.request.limit, 0));
	done(&read);
	read = read_ng(SP_VERB_LIST, "{\"limit\":99999999999}");
	cr_expect(eq(u32, read.request.limit, UINT32_MAX));
	done(&read);
}

/* "--" and ".." are undone, and the texts outlive the dictionary. */
Test(request_ng, escapes_of_lists_are_undone)
{
	struct read read = read_ng(SP_VERB_OFFER,
		"{" OFFER ",\"flags\":[\"sdp-attr-substitute-audio-a--b>c..d\","
		"\"codec-mask-opus/48000/2/x\"],"
		"\"rtpp-flags\":\"sdp-attr=[none=[add=[tool:x]]]\"}");
	const struct sp_policy *p = &read.request.policy;

	cr_assert(eq(int, read.status, SP_OK));
	json_decref(read.dictionary);
	read.dictionary = NULL;
	cr_assert(eq(int, p->n_attr, 2));
	cr_expect(eq(int, p->attr[0].what, SP_ATTR_SUBSTITUTE));
	cr_expect(eq(int, memcmp(p->attr[0].media.at, "audio", 5), 0));
	cr_expect(eq(int, memcmp(p->attr[0].text.at, "a=b", 3), 0));
	cr_expect(eq(int, memcmp(p->attr[0].with.at, "c d", 3), 0));
	cr_expect(eq(sz, p->attr[1].media.len, 0));
	cr_expect(eq(int, memcmp(p->attr[1].text.at, "tool:x", 6), 0));
	cr_assert(eq(int, p->n_codec, 1));
	cr_expect(eq(sz, p->codec[0].name.len, 12));
	cr_expect(is(read.request.call_id, "c"));
	done(&read);
}

/* The reply does not grow with what a client makes up. */
Test(request_ng, warnings_are_bounded)
{
	static char body[65536];
	size_t len = (size_t)snprintf(body, sizeof body, "{" OFFER);
	struct read read;

	for (unsigned int i = 0; i < 2000; i++)
		len += (size_t)snprintf(
			body + len, sizeof body - len, ",\"key%u\":1", i);
	snprintf(body + len, sizeof body - len, "}");
	read = read_ng(SP_VERB_OFFER, body);
	cr_assert(eq(int, read.status, SP_OK));
	cr_expect(eq(sz, json_array_size(read.warnings), 17));
	cr_expect(eq(str, (char *)(uintptr_t)warning(&read, 16), "and more"));
	done(&read);
}

static unsigned int allocations_left;

static void *
scarce_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(size);
}

Test(request_ng, without_memory_it_fails_cleanly)
{
	const char *body = "{" OFFER ",\"flags\":[\"sdp-attr-add-none-a--b\","
			   "\"unknown\"],\"rtpp-flags\":"
			   "\"codec=[strip=[PCMA] mask=[b]] direction=[a b]\"}";
	enum sp_status status = SP_NO_MEMORY;
	unsigned int most = 0;

	for (; status != SP_OK && most < 1000; most++) {
		json_t *tree, *warnings;
		struct sp_request request;
		struct sp_problem problem;

		json_set_alloc_funcs(malloc, free);
		tree = json_loads(body, 0, NULL);
		warnings = json_array();
		allocations_left = most;
		json_set_alloc_funcs(scarce_malloc, free);
		status = sp_request_ng(
			SP_VERB_OFFER, tree, warnings, &request, &problem);
		json_set_alloc_funcs(malloc, free);
		if (status == SP_OK)
			sp_request_close(&request);
		json_decref(tree);
		json_decref(warnings);
	}
	cr_expect(eq(int, status, SP_OK));
	cr_expect(gt(uint, most, 3));
}
