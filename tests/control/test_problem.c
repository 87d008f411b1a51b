/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "control/problem.h"
#include "tests/control/scarce_json.h"

Test(problem, it_fails_cleanly_without_memory)
{
	struct sp_problem p;
	char *text = NULL;
	unsigned int most = 0;

	sp_problem_set(&p, SP_PROBLEM_UNKNOWN_FIELD, "callid", "detail");
	json_set_alloc_funcs(scarce_malloc, scarce_free);
	for (; !text && most < 1000; most++) {
		allocations_left = most;
		text = sp_problem_text(&p);
		if (!text)
			cr_assert(eq(uint, allocations_open, 0), "leak at %u",
				most);
	}
	cr_assert(not(eq(ptr, text, NULL)));
	cr_expect(gt(uint, most, 5));
	scarce_free(text);
	cr_expect(eq(uint, allocations_open, 0));
}

Test(problem, text_is_json_whatever_was_quoted)
{
	struct sp_problem p;
	json_t *json;
	char *text;

	sp_problem_set(&p, SP_PROBLEM_NO_CALL, "call_id", "no call \"%s\"",
		"\xff\xc3");
	text = sp_problem_text(&p);
	cr_assert(not(eq(ptr, text, NULL)));
	json = json_loads(text, 0, NULL);
	cr_assert(not(eq(ptr, json, NULL)), "%s", text);
	cr_expect(eq(str,
		(char *)(uintptr_t)json_string_value(
			json_object_get(json, "type")),
		"urn:sallyport:problem:unknown-call"));
	cr_expect(eq(str,
		(char *)(uintptr_t)json_string_value(
			json_object_get(json, "detail")),
		"no call \"??\""));
	cr_expect(eq(llong, json_integer_value(json_object_get(json, "status")),
		404));
	cr_expect(eq(str,
		(char *)(uintptr_t)json_string_value(
			json_object_get(json, "where")),
		"call_id"));
	json_decref(json);
	free(text);
}

Test(problem, only_capacity_asks_to_come_back)
{
	struct sp_problem p;

	sp_problem_set(&p, SP_PROBLEM_CAPACITY, "", "x");
	cr_expect(gt(uint, p.retry_after_s, 0));
	sp_problem_set(&p, SP_PROBLEM_CONFLICT, "", "x");
	cr_expect(eq(uint, p.retry_after_s, 0));
}

struct near_case {
	char word[16];
	char want[16];
};

static struct near_case near_cases[] = {
	{ "adresses", "addresses" },
	{ "addresses", "addresses" },
	{ "latsh", "latch" },
	{ "lacth", "latch" },
	{ "ltc", "latch" },
	{ "l", "" },
	{ "xy", "" },
	{ "", "" },
	{ "gateways", "gateway" },
	{ "zzzzzzz", "" },
};

ParameterizedTestParameters(problem, nearest_is_a_likely_typo)
{
	return cr_make_param_array(struct near_case, near_cases,
		sizeof near_cases / sizeof *near_cases);
}

ParameterizedTest(struct near_case *tc, problem, nearest_is_a_likely_typo)
{
	static const char *const known[] = { "addresses", "latch", "gateway",
		"ab" };
	const char *near = sp_problem_nearest(
		tc->word, known, sizeof known / sizeof *known, sizeof *known);

	cr_expect(eq(str, (char *)(uintptr_t)(near ? near : ""), tc->want),
		"%s", tc->word);
}
