/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <jansson.h>

#include "http_lab.h"

/*
 * The description that is served, held against the server: what is described
 * must be so.
 */

static json_t *
description(void)
{
	static char reply[REPLY_MAX];
	json_error_t error;
	json_t *tree;

	cr_assert(
		eq(int, ask("GET /openapi.json HTTP/1.1\r\n" END, reply), 200));
	tree = json_loads(strstr(reply, "\r\n\r\n") + 4, 0, &error);
	cr_assert(not(eq(ptr, tree, NULL)), "%s", error.text);
	return tree;
}

static json_t *
schema(json_t *tree, const char *name)
{
	json_t *found = json_object_get(
		json_object_get(json_object_get(tree, "components"), "schemas"),
		name);

	cr_assert(not(eq(ptr, found, NULL)), "%s", name);
	return found;
}

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

Test(openapi, every_path_and_method_is_served, .init = start_open, .fini = stop)
{
	json_t *tree = description();
	const char *path, *method;
	json_t *item, *operation;
	int served = 0;

	json_object_foreach(json_object_get(tree, "paths"), path, item)
	{
		json_object_foreach(item, method, operation)
		{
			char reply[REPLY_MAX];
			char code[8];
			int status;

			if (strcmp(method, "parameters") == 0)
				continue;
			status = try(method, path, reply);
			cr_expect(ne(int, status, 404), "%s", path);
			cr_expect(ne(int, status, 405), "%s", path);
			snprintf(code, sizeof code, "%d", status);
			cr_expect(not(eq(ptr,
					  json_object_get(
						  json_object_get(operation,
							  "responses"),
						  code),
					  NULL)),
				"%s %s answers %s, which is not described",
				method, path, code);
			served++;
		}
	}
	cr_expect(eq(int, served, 11), "a route more or less: describe it");
	json_decref(tree);
}

/* Every field of @name is taken; without a required one it is missed. */
static void
hold(const char *name, enum sp_verb verb)
{
	json_t *tree = description();
	json_t *object = schema(tree, name);
	const char *field;
	json_t *value;
	size_t i;

	json_object_foreach(json_object_get(object, "properties"), field, value)
	{
		struct sp_problem problem;
		struct sp_request request;
		char body[100];

		snprintf(body, sizeof body, "{\"%s\":{}}", field);
		cr_assert(ne(int,
			sp_request_parse(
				verb, body, strlen(body), &request, &problem),
			SP_OK));
		cr_expect(eq(str, (char *)(uintptr_t)problem.type, "bad-value"),
			"%s of %s", field, name);
	}
	json_array_foreach(json_object_get(object, "required"), i, value)
	{
		struct sp_problem problem;
		struct sp_request request;
		char *body;
		json_t *fields = json_pack("{s:s, s:s, s:s, s:s}", "call_id",
			"c", "from_tag", "f", "to_tag", "t", "sdp", "v=0");

		if (verb == SP_VERB_DELETE)
			json_object_del(fields, "sdp");
		json_object_del(fields, json_string_value(value));
		body = json_dumps(fields, 0);
		cr_assert(ne(int,
			sp_request_parse(
				verb, body, strlen(body), &request, &problem),
			SP_OK));
		cr_expect(eq(str, (char *)problem.where,
			(char *)(uintptr_t)json_string_value(value)));
		free(body);
		json_decref(fields);
	}
	json_decref(tree);
}

Test(openapi, fields_of_an_offer_are_those_described, .init = start_open,
	.fini = stop)
{
	hold("Offer", SP_VERB_OFFER);
}

Test(openapi, fields_of_an_answer_are_those_described, .init = start_open,
	.fini = stop)
{
	hold("Answer", SP_VERB_ANSWER);
}

Test(openapi, fields_of_a_delete_are_those_described, .init = start_open,
	.fini = stop)
{
	hold("Delete", SP_VERB_DELETE);
}

/* Words of an enum are taken, and so is every field with them. */
Test(openapi, words_are_those_described, .init = start_open, .fini = stop)
{
	json_t *tree = description();
	const char *field;
	json_t *value;
	int words = 0;

	json_object_foreach(
		json_object_get(schema(tree, "Offer"), "properties"), field,
		value)
	{
		json_t *items = json_object_get(value, "items");
		json_t *list = json_object_get(items ? items : value, "enum");
		json_t *word;
		size_t i;

		json_array_foreach(list, i, word)
		{
			struct sp_problem problem;
			struct sp_request request;
			json_t *given = json_pack("{s:s, s:s, s:s, s:o}",
				"call_id", "c", "from_tag", "f", "sdp", "v=0",
				field,
				items ? json_pack("[O]", word)
				      : json_incref(word));
			char *body = json_dumps(given, 0);

			cr_expect(eq(int,
					  sp_request_parse(SP_VERB_OFFER, body,
						  strlen(body), &request,
						  &problem),
					  SP_OK),
				"%s", body);
			sp_request_close(&request);
			words++;
			free(body);
			json_decref(given);
		}
	}
	cr_expect(gt(int, words, 10));
	json_decref(tree);
}
