/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>

#include "control/flags.h"
#include "control/problem.h"
#include "openapi_lab.h"

/*
 * The description that is served, held against the server: what is described
 * must be so, and what is so must be described. tests/e2e/test_openapi.py
 * holds the replies of a live relay against it.
 */

#define TYPE_PREFIX "urn:sallyport:problem:"

/* Ask @method of @path, without a body and with "x" for the call-id. */
static int
try(const char *method, const char *path, char *reply)
{
	char upper[16] = "";
	char request[300];
	int plain = (int)strcspn(path, "{");

	for (size_t i = 0; method[i] && i < sizeof upper - 1; i++)
		upper[i] = (char)toupper((unsigned char)method[i]);
	snprintf(request, sizeof request, "%s %.*s%s HTTP/1.1\r\n" JSON END,
		upper, plain, path, path[plain] ? "x" : "");
	return ask(request, reply);
}

/* Call @check for every operation. */
static int
each_operation(json_t *tree,
	void (*check)(json_t *operation, const char *method, const char *path))
{
	const char *path, *method;
	json_t *item, *operation;
	int count = 0;

	json_object_foreach(json_object_get(tree, "paths"), path, item)
	{
		json_object_foreach(item, method, operation)
		{
			if (strcmp(method, "parameters") == 0)
				continue;
			check(operation, method, path);
			count++;
		}
	}
	return count;
}

static void
check_served(json_t *operation, const char *method, const char *path)
{
	char reply[REPLY_MAX];
	char code[8];
	const int status = try(method, path, reply);

	cr_expect(ne(int, status, 404), "%s", path);
	cr_expect(ne(int, status, 405), "%s", path);
	snprintf(code, sizeof code, "%d", status);
	cr_expect(json_object_get(json_object_get(operation, "responses"),
			  code) != NULL,
		"%s %s answers %s, which is not described", method, path, code);
}

Test(openapi, every_path_and_method_is_served, .init = start_plain,
	.fini = stop_all)
{
	json_t *tree = description();

	cr_expect(eq(int, each_operation(tree, check_served), 19),
		"a route more or less: describe it");
	json_decref(tree);
}

static void
start_secret(void)
{
	start_all("0123456789abcdef");
}

static void
check_secret(json_t *operation, const char *method, const char *path)
{
	char reply[REPLY_MAX];
	const bool open = json_object_get(operation, "security") != NULL;
	const int status = try(method, path, reply);

	cr_expect(open == (status != 401), "%s %s answers %d", method, path,
		status);
	cr_expect(open !=
			(json_object_get(
				 json_object_get(operation, "responses"),
				 "401") != NULL),
		"%s %s", method, path);
}

Test(openapi, a_token_is_asked_for_where_described, .init = start_secret,
	.fini = stop_all)
{
	char reply[REPLY_MAX];
	const char *body;
	json_t *tree;

	cr_assert(eq(int,
		ask("GET /openapi.json HTTP/1.1\r\n"
		    "Authorization: Bearer 0123456789abcdef\r\n" END,
			reply),
		200));
	body = strstr(reply, "\r\n\r\n") + 4;
	tree = json_loads(body, 0, NULL);
	cr_assert(tree != NULL);
	each_operation(tree, check_secret);
	json_decref(tree);
}

/* Nothing is described that nothing leads to, and no reference is broken. */
static unsigned int
check_references(json_t *tree, json_t *at, json_t *seen)
{
	const char *reference = text_of(json_object_get(at, "$ref"));
	json_t *target = tree;
	unsigned int count = 0;
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach(at, i, item) count +=
		check_references(tree, item, seen);
	json_object_foreach(at, key, item) count +=
		check_references(tree, item, seen);
	if (reference[0] != '#')
		return count;
	reference++;
	while (*reference == '/') {
		char part[64];
		const size_t len = strcspn(reference + 1, "/");

		snprintf(part, sizeof part, "%.*s", (int)len, reference + 1);
		target = json_object_get(target, part);
		reference += len + 1;
	}
	cr_expect(target != NULL, "%s", text_of(json_object_get(at, "$ref")));
	json_object_set(
		seen, text_of(json_object_get(at, "$ref")), json_true());
	return count + 1;
}

Test(openapi, every_schema_and_response_is_used, .init = start_plain,
	.fini = stop_all)
{
	static const char *const kinds[] = { "schemas", "responses" };
	json_t *tree = description();
	json_t *seen = json_object();
	const char *name;
	json_t *item;

	cr_expect(gt(uint, check_references(tree, tree, seen), 100));
	for (size_t i = 0; i < 2; i++)
		json_object_foreach(
			json_object_get(
				json_object_get(tree, "components"), kinds[i]),
			name, item)
		{
			char reference[100];

			snprintf(reference, sizeof reference,
				"#/components/%s/%s", kinds[i], name);
			cr_expect(json_object_get(seen, reference) != NULL,
				"%s", reference);
		}
	json_decref(seen);
	json_decref(tree);
}

static enum sp_status
parse(enum sp_verb verb, json_t *given, struct sp_problem *problem)
{
	struct sp_request request;
	char *body = json_dumps(given, 0);
	const enum sp_status status =
		sp_request_parse(verb, body, strlen(body), &request, problem);

	if (status == SP_OK)
		sp_request_close(&request);
	free(body);
	return status;
}

/* Is @field taken by the parser? An object is no good value for most. */
static void
check_taken(enum sp_verb verb, const char *field)
{
	struct sp_problem problem = { .type = "" };
	json_t *given = json_pack("{s:{s:{s:i}}}", field, "x", "x", 1);

	cr_assert(ne(int, parse(verb, given, &problem), SP_OK));
	cr_expect(eq(str, (char *)(uintptr_t)problem.type, "bad-value"),
		"%s of verb %d", field, verb);
	json_decref(given);
}

static void
check_required(enum sp_verb verb, json_t *required)
{
	const unsigned int bit = 1u << verb;
	json_t *value;
	size_t i;

	json_array_foreach(required, i, value)
	{
		struct sp_problem problem;
		json_t *fields = json_pack("{s:s, s:s, s:s, s:s}", "call_id",
			"c", "from_tag", "f", "to_tag", "t", "sdp", "v=0");

		if (verb != SP_VERB_OFFER && verb != SP_VERB_ANSWER)
			json_object_del(fields, "sdp");
		json_object_del(fields, json_string_value(value));
		cr_assert(ne(int, parse(verb, fields, &problem), SP_OK));
		cr_expect(eq(str, (char *)problem.where,
			(char *)(uintptr_t)json_string_value(value)));
		json_decref(fields);
	}
	for (i = 0; i < sp_flags_count; i++)
		if (sp_flags[i].needed & bit)
			required = NULL;
	cr_expect(required == NULL);
}

/* Those fields are described that the table has, and each is taken. */
static void
hold(const char *name, enum sp_verb verb)
{
	json_t *tree = description();
	json_t *object = schema(tree, name);
	json_t *properties = json_object_get(object, "properties");
	bool closed;
	const char *field;
	json_t *value;

	json_object_foreach(properties, field, value) check_taken(verb, field);
	for (size_t i = 0; i < sp_flags_count; i++)
		if (sp_flags[i].json && (sp_flags[i].verbs & (1u << verb)))
			cr_expect(json_object_get(
					  properties, sp_flags[i].json) != NULL,
				"%s has no %s", name, sp_flags[i].json);
	check_required(verb, json_object_get(object, "required"));
	closed = json_is_false(json_object_get(object, "additionalProperties"));
	cr_expect(closed);
	json_decref(tree);
}

Test(openapi, fields_of_an_offer_are_those_described, .init = start_plain,
	.fini = stop_all)
{
	hold("Offer", SP_VERB_OFFER);
}

Test(openapi, fields_of_an_answer_are_those_described, .init = start_plain,
	.fini = stop_all)
{
	hold("Answer", SP_VERB_ANSWER);
}

Test(openapi, fields_of_a_delete_are_those_described, .init = start_plain,
	.fini = stop_all)
{
	hold("Delete", SP_VERB_DELETE);
}

Test(openapi, fields_of_a_block_are_those_described, .init = start_plain,
	.fini = stop_all)
{
	for (enum sp_verb verb = SP_VERB_BLOCK_MEDIA; verb < SP_VERB_COUNT;
		verb++)
		hold("Block", verb);
}

static bool
is_listed(json_t *types, const char *type)
{
	char whole[80];
	json_t *item;
	size_t i;

	snprintf(whole, sizeof whole, TYPE_PREFIX "%s", type);
	json_array_foreach(types, i, item)
	{
		if (strcmp(text_of(item), whole) == 0)
			return true;
	}
	return false;
}

Test(openapi, problem_types_are_those_described, .init = start_plain,
	.fini = stop_all)
{
	static const char *const types[] = {
#define X(name, http, type, title) type,
		SP_PROBLEM_LIST(X)
#undef X
#define X(type) type,
			SP_PROBLEM_FULL_LIST(X)
#undef X
	};
	const size_t count = sizeof types / sizeof *types;
	json_t *tree = description();
	json_t *listed = json_object_get(
		json_object_get(
			json_object_get(schema(tree, "Problem"), "properties"),
			"type"),
		"enum");

	for (size_t i = 0; i < count; i++)
		cr_expect(is_listed(listed, types[i]), "%s", types[i]);
	cr_expect(eq(sz, json_array_size(listed), count));
	json_decref(tree);
}
