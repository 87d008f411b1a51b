/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "control/reader.h"

static const char *const verbs[] = {
#define X(name, text) [SP_VERB_##name] = text,
	SP_VERB_LIST_ALL(X)
#undef X
};

static bool
unknown_field(struct sp_reader *r, const char *name)
{
	const char *near = sp_problem_nearest(
		name, sp_flags, sp_flags_count, sizeof *sp_flags);

	/* A field of another verb is no typo. */
	if (near && strcmp(near, name) == 0)
		near = NULL;
	sp_problem_set(r->problem, SP_PROBLEM_UNKNOWN_FIELD, name,
		"\"%.32s\" is not a field of %s%s%s%s", name,
		verbs[r->to->verb], near ? "; did you mean " : "",
		near ? near : "; see /openapi.json", near ? "?" : "");
	return false;
}

static bool
take(struct sp_reader *r, const char *name, json_t *json)
{
	const struct sp_text key = { name, strlen(name) };
	const struct sp_value value = { json, { NULL, 0 } };
	const struct sp_flag *f = sp_flags_find(SP_FLAG_FIELD, key);

	if (!f || !(f->verbs & (1u << r->to->verb)))
		return unknown_field(r, name);
	return sp_reader_set(r, f, &value);
}

static enum sp_status
read_object(struct sp_reader *r, json_t *tree)
{
	const char *name;
	json_t *value;

	if (!json_is_object(tree)) {
		sp_problem_set(r->problem, SP_PROBLEM_BAD_JSON, "",
			"The body must be a JSON object: {\"call_id\": ...}");
		return SP_MALFORMED;
	}
	json_object_foreach(tree, name, value)
	{
		if (!take(r, name, value))
			return SP_UNSUPPORTED;
	}
	return sp_reader_finish(r) ? SP_OK : SP_UNSUPPORTED;
}

enum sp_status
sp_request_parse(enum sp_verb verb, const char *body, size_t len,
	struct sp_request *out, struct sp_problem *problem)
{
	struct sp_request request = { .verb = verb };
	struct sp_reader r = { .to = &request, .problem = problem };
	enum sp_status status;
	json_error_t error;

	request.tree = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);
	if (!request.tree) {
		if (json_error_code(&error) == json_error_out_of_memory) {
			sp_problem_set(problem, SP_PROBLEM_INTERNAL, "",
				"out of memory");
			return SP_NO_MEMORY;
		}
		sp_problem_set(problem, SP_PROBLEM_BAD_JSON, "",
			"line %d, column %d: %s", error.line, error.column,
			error.text);
		return SP_MALFORMED;
	}
	status = read_object(&r, request.tree);
	if (status == SP_OK)
		*out = request;
	else
		sp_request_close(&request);
	return status;
}

enum sp_status
sp_request_call(enum sp_verb verb, struct sp_text id, struct sp_request *out,
	struct sp_problem *problem)
{
	if (id.len == 0 || id.len > SP_TAG_MAX) {
		sp_problem_set(problem, SP_PROBLEM_BAD_VALUE, "call_id",
			"the call-id in the path has %zu bytes; from 1 to %u "
			"are possible",
			id.len, SP_TAG_MAX);
		return SP_UNSUPPORTED;
	}
	*out = (struct sp_request){ .verb = verb };
	out->tree = json_stringn_nocheck(id.at, id.len);
	if (!out->tree) {
		sp_problem_set(
			problem, SP_PROBLEM_INTERNAL, "", "out of memory");
		return SP_NO_MEMORY;
	}
	out->call_id.at = json_string_value(out->tree);
	out->call_id.len = id.len;
	return SP_OK;
}

enum sp_status
sp_request_list(const char *limit, const struct sp_text *after,
	struct sp_request *out, struct sp_problem *problem)
{
	struct sp_request request = {
		.verb = SP_VERB_LIST,
		.limit = SP_LIST_LIMIT,
	};
	char *end;

	if (limit) {
		const unsigned long n = strtoul(limit, &end, 10);

		if (limit[0] < '0' || limit[0] > '9' || *end || n == 0 ||
			n > SP_LIST_LIMIT_MAX) {
			sp_problem_set(problem, SP_PROBLEM_BAD_QUERY, "limit",
				"\"%.32s\" is not a number from 1 to %u", limit,
				SP_LIST_LIMIT_MAX);
			return SP_UNSUPPORTED;
		}
		request.limit = (uint32_t)n;
	}
	if (after) {
		if (after->len > SP_TAG_MAX) {
			sp_problem_set(problem, SP_PROBLEM_BAD_QUERY, "after",
				"a call-id has at most %u bytes", SP_TAG_MAX);
			return SP_UNSUPPORTED;
		}
		request.tree = json_stringn_nocheck(after->at, after->len);
		if (!request.tree) {
			sp_problem_set(problem, SP_PROBLEM_INTERNAL, "",
				"out of memory");
			return SP_NO_MEMORY;
		}
		request.after.at = json_string_value(request.tree);
		request.after.len = after->len;
	}
	*out = request;
	return SP_OK;
}

/* Add a copy of @text to what @request owns; NULL without memory. */
static const char *
keep(struct sp_request *request, const struct sp_text *text)
{
	json_t *copy = json_stringn_nocheck(text->at, text->len);
	json_t *both = json_array();

	if ((request->tree && json_array_append(both, request->tree) != 0) ||
		json_array_append(both, copy) != 0) {
		json_decref(both);
		both = NULL;
	} else {
		json_decref(request->tree);
		request->tree = both;
	}
	json_decref(copy);
	return both ? json_string_value(copy) : NULL;
}

enum sp_status
sp_request_narrow(struct sp_request *list, const struct sp_text *tag,
	const struct sp_text *label, struct sp_problem *problem)
{
	const struct {
		const char *name;
		const struct sp_text *given;
		struct sp_text *to;
	} texts[] = {
		{ "tag", tag, &list->from_tag },
		{ "label", label, &list->label },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct sp_text *given = texts[i].given;

		if (!given->at)
			continue;
		if (given->len == 0 || given->len > SP_TAG_MAX) {
			sp_problem_set(problem, SP_PROBLEM_BAD_QUERY,
				texts[i].name, "a %s has from 1 to %u bytes",
				texts[i].name, SP_TAG_MAX);
			return SP_UNSUPPORTED;
		}
		texts[i].to->at = keep(list, given);
		texts[i].to->len = given->len;
		if (!texts[i].to->at) {
			sp_problem_set(problem, SP_PROBLEM_INTERNAL, "",
				"out of memory");
			return SP_NO_MEMORY;
		}
	}
	return SP_OK;
}

void
sp_request_close(struct sp_request *request)
{
	json_decref(request->tree);
	request->tree = NULL;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
sp_request_unescape(char *text, size_t *len)
{
	size_t to = 0;

	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '%') {
			const int high = hex(text[i + 1]);
			const int low = high < 0 ? -1 : hex(text[i + 2]);

			if (low < 0 || high + low == 0)
				return false;
			text[to++] = (char)(high * 16 + low);
			i += 2;
		} else {
			text[to++] = text[i];
		}
	}
	text[to] = '\0';
	*len = to;
	return true;
}
