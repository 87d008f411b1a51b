/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <string.h>

#include "control/line.h"

static struct sp_line line;

static void
free_line(void)
{
	sp_line_free(&line);
}

TestSuite(line, .fini = free_line);

/* What Jansson reads from the line; the caller releases it. */
static json_t *
read_back(void)
{
	cr_assert(sp_line_end(&line));
	cr_assert(eq(chr, line.text[line.len - 1], '\n'));
	cr_expect(eq(ptr, memchr(line.text, '\n', line.len - 1), NULL));
	return json_loadb(line.text, line.len, 0, NULL);
}

Test(line, nested_values_are_written_in_order)
{
	sp_line_begin(&line);
	sp_line_string(&line, "event", "call_end");
	sp_line_open(&line, "parties", '[');
	sp_line_open(&line, NULL, '{');
	sp_line_close(&line, '}');
	sp_line_open(&line, NULL, '{');
	sp_line_bool(&line, "answered", true);
	sp_line_null(&line, "tag");
	sp_line_close(&line, '}');
	sp_line_number(&line, NULL, -7);
	sp_line_number(&line, NULL, INT64_MIN);
	sp_line_number(&line, NULL, INT64_MAX);
	sp_line_close(&line, ']');
	sp_line_milli(&line, "jitter_ms", 12005);
	sp_line_milli(&line, "mos", 0);
	sp_line_string(&line, "none", NULL);
	cr_assert(sp_line_end(&line));
	sp_line_text(&line, NULL, "", 0); /* ends the text below */
	line.text[line.len - 3] = '\0';
	cr_expect(eq(str, line.text,
		"{\"event\":\"call_end\",\"parties\":[{},"
		"{\"answered\":true,\"tag\":null},-7,-9223372036854775808,"
		"9223372036854775807],\"jitter_ms\":12.005,\"mos\":0.000,"
		"\"none\":null}\n"));
}

struct time_case {
	int64_t at_ms;
	char want[32];
};

ParameterizedTestParameters(line, times_are_as_in_rfc_3339)
{
	static struct time_case cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1769860800123, "2026-01-31T12:00:00.123Z" },
		{ 1709251199999, "2024-02-29T23:59:59.999Z" },
	};

	return cr_make_param_array(
		struct time_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct time_case *tc, line, times_are_as_in_rfc_3339)
{
	json_t *tree;

	sp_line_begin(&line);
	sp_line_time(&line, "at", tc->at_ms);
	tree = read_back();
	cr_expect(
		eq(str, (char *)json_string_value(json_object_get(tree, "at")),
			tc->want));
	json_decref(tree);
	free_line();
}

struct text_case {
	char text[40];
	size_t len;
	char want[40]; /* as Jansson reads it; NUL ends it */
};

ParameterizedTestParameters(line, any_text_becomes_json)
{
	static struct text_case cases[] = {
		{ "a-plain@call.id", 15, "a-plain@call.id" },
		{ "", 0, "" },
		{ "quote\" back\\slash", 17, "quote\" back\\slash" },
		{ "line\r\nfeed\ttab", 14, "line\r\nfeed\ttab" },
		{ "\x01\x1f\x7f", 3, "\x01\x1f\x7f" },
		{ "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f" },
		{ "gr\xfc\xdf", 4, "gr??" },
		{ "cut \xe2\x82", 6, "cut ??" },
		{ "\xc0\xaf\xed\xa0\x80", 5, "?????" },
	};

	return cr_make_param_array(
		struct text_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct text_case *tc, line, any_text_becomes_json)
{
	json_t *tree;

	sp_line_begin(&line);
	sp_line_text(&line, "text", tc->text, tc->len);
	sp_line_number(&line, "after", 1);
	tree = read_back();
	cr_assert(not(eq(ptr, tree, NULL)), "%.*s", (int)line.len, line.text);
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(tree, "text")),
		tc->want));
	json_decref(tree);
	free_line();
}

Test(line, long_lines_grow_and_the_next_one_starts_anew)
{
	char long_text[3000];
	json_t *tree;

	memset(long_text, 'x', sizeof long_text);
	long_text[2999] = '\xff';
	sp_line_begin(&line);
	sp_line_open(&line, "list", '[');
	for (int i = 0; i < 100; i++)
		sp_line_text(&line, NULL, long_text, sizeof long_text);
	sp_line_close(&line, ']');
	tree = read_back();
	cr_expect(eq(sz, json_array_size(json_object_get(tree, "list")), 100));
	json_decref(tree);
	sp_line_begin(&line);
	tree = read_back();
	cr_expect(eq(sz, json_object_size(tree), 0));
	json_decref(tree);
}
