/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "control/bencode.h"

#define TEXT_MAX 4096

/* Arrays, no pointers: Criterion copies each case into another process. */
struct parse_case {
	char wire[64];
	enum sp_status want;
	char again[64]; /* as it is written, when not as it came */
};

ParameterizedTestParameters(bencode, parse_answers)
{
	static struct parse_case cases[] = {
		{ "0:", SP_OK, "" },
		{ "5:hello", SP_OK, "" },
		{ "i0e", SP_OK, "" },
		{ "i-17e", SP_OK, "" },
		{ "le", SP_OK, "" },
		{ "de", SP_OK, "" },
		{ "li1e3:twold1:xi3eeee", SP_OK, "" },
		{ "d1:bi1e1:ai2ee", SP_OK, "" },
		{ "i9223372036854775807e", SP_OK, "" },
		{ "i-9223372036854775808e", SP_OK, "" },

		{ "i+5e", SP_OK, "i5e" },
		{ "i007e", SP_OK, "i7e" },
		{ "i-0e", SP_OK, "i0e" },
		{ "03:abc", SP_OK, "3:abc" },
		{ "d1:ai1e1:ai2ee", SP_OK, "d1:ai2ee" },
		{ "i1egarbage", SP_OK, "i1e" },
		{ "de\n", SP_OK, "de" },

		{ "", SP_SHORT, "" },
		{ "5:hell", SP_SHORT, "" },
		{ "5", SP_SHORT, "" },
		{ "18446744073709551617:a", SP_SHORT, "" },
		{ "99999999999999999999999:", SP_SHORT, "" },
		{ "i5", SP_SHORT, "" },
		{ "i", SP_SHORT, "" },
		{ "i-", SP_SHORT, "" },
		{ "l", SP_SHORT, "" },
		{ "li1e", SP_SHORT, "" },
		{ "d", SP_SHORT, "" },
		{ "d1:a", SP_SHORT, "" },
		{ "d1:ai1e", SP_SHORT, "" },

		{ "e", SP_MALFORMED, "" },
		{ "x", SP_MALFORMED, "" },
		{ "-1:a", SP_MALFORMED, "" },
		{ "5hello", SP_MALFORMED, "" },
		{ "ie", SP_MALFORMED, "" },
		{ "i-e", SP_MALFORMED, "" },
		{ "i--1e", SP_MALFORMED, "" },
		{ "i1.5e", SP_MALFORMED, "" },
		{ "i 1e", SP_MALFORMED, "" },
		{ "i9223372036854775808e", SP_MALFORMED, "" },
		{ "i-9223372036854775809e", SP_MALFORMED, "" },
		{ "di1ei2ee", SP_MALFORMED, "" },
		{ "dlei2ee", SP_MALFORMED, "" },
		{ "d1:ae", SP_MALFORMED, "" },
		{ "l1:axe", SP_MALFORMED, "" },
	};

	return cr_make_param_array(
		struct parse_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct parse_case *tc, bencode, parse_answers)
{
	const char *want = tc->again[0] ? tc->again : tc->wire;
	char out[TEXT_MAX];
	size_t len = 0;
	json_t *tree = NULL;

	cr_expect(eq(int, sp_bencode_parse(tc->wire, strlen(tc->wire), &tree),
			  tc->want),
		"%s", tc->wire);
	if (tc->want != SP_OK) {
		cr_expect(eq(ptr, tree, NULL), "%s", tc->wire);
		return;
	}
	cr_assert(
		eq(int, sp_bencode_write(tree, out, sizeof out, &len), SP_OK));
	out[len] = '\0';
	cr_expect(eq(str, out, (char *)want));
	json_decref(tree);
}

Test(bencode, strings_are_bytes)
{
	static const char wire[] = "d3:a\xff"
				   "b4:\0\xff\x80ze";
	const size_t wire_len = sizeof wire - 1;
	char out[sizeof wire];
	json_t *tree = NULL;
	const json_t *value;
	size_t len = 0;

	cr_assert(eq(int, sp_bencode_parse(wire, wire_len, &tree), SP_OK));
	value = json_object_get(tree,
		"a\xff"
		"b");
	cr_assert(eq(sz, json_string_length(value), 4));
	cr_expect(
		eq(int, memcmp(json_string_value(value), "\0\xff\x80z", 4), 0));
	cr_assert(
		eq(int, sp_bencode_write(tree, out, sizeof out, &len), SP_OK));
	cr_assert(eq(sz, len, wire_len));
	cr_expect(eq(int, memcmp(out, wire, len), 0));
	json_decref(tree);
}

Test(bencode, a_key_has_no_nul)
{
	static const char wire[] = "d3:a\0bi1ee";
	json_t *tree = NULL;

	cr_expect(eq(int, sp_bencode_parse(wire, sizeof wire - 1, &tree),
		SP_MALFORMED));
	cr_expect(eq(ptr, tree, NULL));
}

/* "l" @depth times and as many "e". */
static size_t
nested(char *out, unsigned int depth)
{
	memset(out, 'l', depth);
	memset(out + depth, 'e', depth);
	return 2 * (size_t)depth;
}

Test(bencode, depth_has_a_limit_both_ways)
{
	char wire[2 * (SP_BENCODE_DEPTH + 1)];
	char out[sizeof wire];
	json_t *tree = NULL;
	json_t *outer;
	size_t len = 0;

	cr_assert(eq(int,
		sp_bencode_parse(wire, nested(wire, SP_BENCODE_DEPTH), &tree),
		SP_OK));
	cr_expect(
		eq(int, sp_bencode_write(tree, out, sizeof out, &len), SP_OK));
	outer = json_pack("[o]", tree);
	cr_expect(eq(int, sp_bencode_write(outer, out, sizeof out, &len),
		SP_TOO_LONG));
	json_decref(outer);
	tree = NULL;
	cr_expect(eq(int,
		sp_bencode_parse(
			wire, nested(wire, SP_BENCODE_DEPTH + 1), &tree),
		SP_TOO_LONG));
	cr_expect(eq(ptr, tree, NULL));
}

Test(bencode, the_number_of_values_has_a_limit)
{
	static char wire[2 * SP_BENCODE_VALUES + 2];
	const size_t most = SP_BENCODE_VALUES - 1; /* and the list itself */
	json_t *tree = NULL;

	wire[0] = 'l';
	for (size_t i = 0; i <= most; i++)
		memcpy(wire + 1 + 2 * i, "0:", 2);
	wire[1 + 2 * most] = 'e';
	cr_assert(eq(int, sp_bencode_parse(wire, 2 * most + 2, &tree), SP_OK));
	cr_expect(eq(sz, json_array_size(tree), most));
	json_decref(tree);
	memcpy(wire + 1 + 2 * most, "0:", 2);
	tree = NULL;
	cr_expect(eq(
		int, sp_bencode_parse(wire, sizeof wire, &tree), SP_TOO_LONG));
	cr_expect(eq(ptr, tree, NULL));
}

Test(bencode, what_it_does_not_have_is_written_as_near_as_can_be)
{
	json_t *tree = json_pack("[b, b, f, n]", 1, 0, 4.25);
	char out[64];
	size_t len = 0;

	cr_assert(
		eq(int, sp_bencode_write(tree, out, sizeof out, &len), SP_OK));
	out[len] = '\0';
	cr_expect(eq(str, out, "li1ei0e4:4.250:e"));
	json_decref(tree);
}

Test(bencode, nothing_is_written_beyond_the_room)
{
	static const char wire[] = "d1:al2:bci-1234eee";
	const size_t wire_len = sizeof wire - 1;
	json_t *tree = NULL;
	char out[sizeof wire + 1];
	size_t len;

	cr_assert(eq(int, sp_bencode_parse(wire, wire_len, &tree), SP_OK));
	for (size_t room = 0; room < wire_len; room++) {
		memset(out, '#', sizeof out);
		len = 77;
		cr_expect(eq(int, sp_bencode_write(tree, out, room, &len),
				  SP_NO_SPACE),
			"%zu", room);
		cr_expect(eq(sz, len, 77));
		for (size_t i = room; i < sizeof out; i++)
			cr_expect(eq(chr, out[i], '#'), "%zu at %zu", room, i);
	}
	cr_expect(eq(int, sp_bencode_write(tree, out, wire_len, &len), SP_OK));
	cr_expect(eq(sz, len, wire_len));
	json_decref(tree);
}

/* Criterion runs tests in the build directory, next to which __FILE__ is. */
#define VECTORS "../vectors/ng/*/*_req.bin"

static void
find_vectors(glob_t *found)
{
	char pattern[TEXT_MAX];
	const char *slash = strrchr(__FILE__, '/');

	snprintf(pattern, sizeof pattern, "%.*s/" VECTORS,
		(int)(slash - __FILE__), __FILE__);
	cr_assert(eq(int, glob(pattern, 0, NULL, found), 0), "%s", pattern);
}

/* Read, write, compare. */
static void
round_trip(const char *path)
{
	FILE *file = fopen(path, "re");
	char wire[TEXT_MAX];
	char out[TEXT_MAX];
	size_t wire_len;
	size_t len = 0;
	char *body;
	json_t *tree = NULL;
	enum sp_status status;

	cr_assert(ne(ptr, file, NULL), "%s", path);
	wire_len = fread(wire, 1, sizeof wire, file);
	fclose(file);
	body = memchr(wire, ' ', wire_len);
	cr_assert(ne(ptr, body, NULL), "%s", path);
	body++;
	wire_len -= (size_t)(body - wire);
	status = sp_bencode_parse(body, wire_len, &tree);
	cr_assert(eq(int, status, SP_OK), "%s", path);
	cr_expect(ne(ptr, json_object_get(tree, "command"), NULL), "%s", path);
	status = sp_bencode_write(tree, out, sizeof out, &len);
	cr_assert(eq(int, status, SP_OK), "%s", path);
	cr_expect(eq(sz, len, wire_len), "%s", path);
	cr_expect(eq(int, memcmp(out, body, wire_len), 0), "%s", path);
	json_decref(tree);
}

Test(bencode, what_a_proxy_sent_is_read_and_written_alike)
{
	glob_t found;

	find_vectors(&found);
	cr_assert(gt(sz, found.gl_pathc, 20));
	for (size_t i = 0; i < found.gl_pathc; i++)
		round_trip(found.gl_pathv[i]);
	globfree(&found);
}
