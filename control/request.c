/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "control/problem.h"

#define BIT(verb) (1u << (verb))
#define OFFER BIT(SP_VERB_OFFER)
#define ANSWER BIT(SP_VERB_ANSWER)
#define DELETE BIT(SP_VERB_DELETE)
#define MEDIA (OFFER | ANSWER)
#define ALL (MEDIA | DELETE)
#define LENGTH(table) (sizeof(table) / sizeof *(table))
#define LIST_TEXT 200 /* room to name all words of a list */

/* What the setters share. */
struct reader {
	enum sp_verb verb;
	struct sp_request *to;
	struct sp_problem *problem;
};

struct field {
	const char *name;
	bool (*set)(struct reader *r, const struct field *f, json_t *value);
	unsigned int verbs;    /* that take it */
	unsigned int required; /* that need it */
	size_t offset;         /* in struct sp_request, for set_text */
	size_t most;           /* bytes of text */
};

/* A word of the API and what it means. */
struct word {
	const char *name;
	unsigned int value;
};

static const char *const verbs[] = {
	[SP_VERB_OFFER] = "offer",
	[SP_VERB_ANSWER] = "answer",
	[SP_VERB_DELETE] = "delete",
	[SP_VERB_QUERY] = "query",
	[SP_VERB_LIST] = "list",
};

static const struct word latches[] = {
	{ "signalled", SP_LATCH_SIGNALLED },
	{ "restricted", SP_LATCH_RESTRICTED },
	{ "any", SP_LATCH_ANY },
};

static const struct word rtcp_mux[] = {
	{ "offer", SP_RTCP_MUX_OFFER },
	{ "require", SP_RTCP_MUX_REQUIRE },
	{ "demux", SP_RTCP_MUX_DEMUX },
	{ "accept", SP_RTCP_MUX_ACCEPT },
	{ "reject", SP_RTCP_MUX_REJECT },
};

static const struct word replace[] = {
	{ "origin", SP_REPLACE_ORIGIN },
	{ "zero-address", SP_REPLACE_ZERO_ADDRESS },
	{ "session-connection", 0 }, /* c= is replaced anyhow */
};

static const struct word families[] = {
	{ "ip4", SP_FAMILY_IP4 },
	{ "ip6", SP_FAMILY_IP6 },
	{ "IP4", SP_FAMILY_IP4 },
	{ "IP6", SP_FAMILY_IP6 },
};

/* Candidates beside a rewritten c= would lead around the relay. */
static const struct word ice[] = { { "remove", 0 } };

static bool
wrong_type(struct reader *r, const struct field *f, const char *wanted)
{
	sp_problem_set(r->problem, SP_PROBLEM_BAD_VALUE, f->name,
		"\"%s\" must be %s", f->name, wanted);
	return false;
}

static bool
set_text(struct reader *r, const struct field *f, json_t *value)
{
	struct sp_text text;

	if (!json_is_string(value))
		return wrong_type(r, f, "a string");
	text.at = json_string_value(value);
	text.len = json_string_length(value);
	if (text.len == 0 || text.len > f->most) {
		sp_problem_set(r->problem, SP_PROBLEM_BAD_VALUE, f->name,
			"\"%s\" has %zu bytes; from 1 to %zu are possible",
			f->name, text.len, f->most);
		return false;
	}
	memcpy((char *)r->to + f->offset, &text, sizeof text);
	return true;
}

static bool
find_word(struct reader *r, const struct field *f, json_t *value,
	const struct word *words, size_t count, unsigned int *out)
{
	char list[LIST_TEXT] = "";
	const char *given = json_string_value(value);
	const char *near;

	if (!given)
		return wrong_type(r, f, "a string");
	for (size_t i = 0; i < count; i++) {
		const size_t used = strlen(list);

		if (strcmp(words[i].name, given) == 0) {
			*out = words[i].value;
			return true;
		}
		snprintf(list + used, sizeof list - used, "%s%s",
			i > 0 ? ", " : "", words[i].name);
	}
	near = sp_problem_nearest(given, words, count, sizeof *words);
	sp_problem_set(r->problem, SP_PROBLEM_BAD_VALUE, f->name,
		"\"%.32s\" is not one of %s%s%s%s", given, list,
		near ? "; did you mean " : "", near ? near : "",
		near ? "?" : "");
	return false;
}

static bool
find_words(struct reader *r, const struct field *f, json_t *value,
	const struct word *words, size_t count, uint8_t *out)
{
	unsigned int all = 0;
	json_t *item;
	size_t i;

	if (!json_is_array(value))
		return wrong_type(r, f, "a list of strings");
	json_array_foreach(value, i, item)
	{
		unsigned int bit;

		if (!find_word(r, f, item, words, count, &bit))
			return false;
		all |= bit;
	}
	*out = (uint8_t)all;
	return true;
}

static bool
set_latch(struct reader *r, const struct field *f, json_t *value)
{
	unsigned int latch;

	if (!find_word(r, f, value, latches, LENGTH(latches), &latch))
		return false;
	r->to->latch = (enum sp_latch_policy)latch;
	r->to->has_latch = true;
	return true;
}

static bool
set_rtcp_mux(struct reader *r, const struct field *f, json_t *value)
{
	return find_words(r, f, value, rtcp_mux, LENGTH(rtcp_mux),
		&r->to->policy.rtcp_mux);
}

static bool
set_replace(struct reader *r, const struct field *f, json_t *value)
{
	return find_words(
		r, f, value, replace, LENGTH(replace), &r->to->policy.replace);
}

static bool
set_family(struct reader *r, const struct field *f, json_t *value)
{
	unsigned int family;

	if (!find_word(r, f, value, families, LENGTH(families), &family))
		return false;
	r->to->policy.address_family = (uint8_t)family;
	return true;
}

static bool
set_ice(struct reader *r, const struct field *f, json_t *value)
{
	unsigned int always;

	return find_word(r, f, value, ice, LENGTH(ice), &always);
}

static bool
set_keep_direction(struct reader *r, const struct field *f, json_t *value)
{
	r->to->policy.keep_direction = json_is_true(value);
	return json_is_boolean(value) || wrong_type(r, f, "true or false");
}

static bool
set_no_rtcp_attribute(struct reader *r, const struct field *f, json_t *value)
{
	r->to->policy.no_rtcp_attribute = json_is_true(value);
	return json_is_boolean(value) || wrong_type(r, f, "true or false");
}

static bool
set_signalling_source(struct reader *r, const struct field *f, json_t *value)
{
	if (!json_is_string(value))
		return wrong_type(r, f, "an IP address in a string");
	if (sp_addr_parse(json_string_value(value), json_string_length(value),
		    &r->to->signalling_source) == SP_OK)
		return true;
	return wrong_type(r, f,
		"a bare IPv4 or IPv6 address, as in 192.0.2.1 or 2001:db8::1");
}

/* clang-format off */
#define TEXT(name, verbs, required, most)                                     \
	{ #name, set_text, verbs, required,                                   \
	  offsetof(struct sp_request, name), most }
#define OTHER(name, verbs) { #name, set_##name, verbs, 0, 0, 0 }

/* Every field of the API. A new one is a row here and in openapi.yaml. */
static const struct field fields[] = {
	TEXT(call_id,    ALL,           ALL,    SP_TAG_MAX),
	TEXT(from_tag,   ALL,           MEDIA,  SP_TAG_MAX),
	TEXT(to_tag,     ALL,           ANSWER, SP_TAG_MAX),
	TEXT(branch,     ALL,           0,      SP_TAG_MAX),
	TEXT(label,      MEDIA,         0,      SP_TAG_MAX),
	TEXT(sdp,        MEDIA,         MEDIA,  SP_BODY_MAX),
	TEXT(from_realm, MEDIA,         0,      SP_TAG_MAX),
	TEXT(to_realm,   MEDIA,         0,      SP_TAG_MAX),
	OTHER(signalling_source, MEDIA),
	OTHER(latch,             MEDIA),
	OTHER(rtcp_mux,          MEDIA),
	OTHER(replace,           MEDIA),
	OTHER(ice,               MEDIA),
	OTHER(keep_direction,    MEDIA),
	OTHER(no_rtcp_attribute, MEDIA),
	{ "address_family", set_family, MEDIA, 0, 0, 0 },
};
/* clang-format on */

static bool
unknown_field(struct reader *r, const char *name)
{
	const char *near = sp_problem_nearest(
		name, fields, LENGTH(fields), sizeof *fields);

	/* A field of another verb is no typo. */
	if (near && strcmp(near, name) == 0)
		near = NULL;
	sp_problem_set(r->problem, SP_PROBLEM_UNKNOWN_FIELD, name,
		"\"%.32s\" is not a field of %s%s%s%s", name, verbs[r->verb],
		near ? "; did you mean " : "; see /openapi.json",
		near ? near : "", near ? "?" : "");
	return false;
}

static bool
take(struct reader *r, const char *name, json_t *value, unsigned int *seen)
{
	for (size_t i = 0; i < LENGTH(fields); i++)
		if (strcmp(fields[i].name, name) == 0 &&
			(fields[i].verbs & BIT(r->verb))) {
			*seen |= 1u << i;
			return fields[i].set(r, &fields[i], value);
		}
	return unknown_field(r, name);
}

static bool
complete(struct reader *r, unsigned int seen)
{
	for (size_t i = 0; i < LENGTH(fields); i++)
		if ((fields[i].required & BIT(r->verb)) &&
			!(seen & (1u << i))) {
			sp_problem_set(r->problem, SP_PROBLEM_MISSING_FIELD,
				fields[i].name, "%s needs \"%s\"",
				verbs[r->verb], fields[i].name);
			return false;
		}
	return true;
}

static enum sp_status
read_object(struct reader *r, json_t *tree)
{
	unsigned int seen = 0;
	const char *name;
	json_t *value;

	_Static_assert(LENGTH(fields) <= 32, "a bit of @seen for each field");
	if (!json_is_object(tree)) {
		sp_problem_set(r->problem, SP_PROBLEM_BAD_JSON, "",
			"The body must be a JSON object: {\"call_id\": ...}");
		return SP_MALFORMED;
	}
	json_object_foreach(tree, name,
		value) if (!take(r, name, value, &seen)) return SP_UNSUPPORTED;
	return complete(r, seen) ? SP_OK : SP_UNSUPPORTED;
}

enum sp_status
sp_request_parse(enum sp_verb verb, const char *body, size_t len,
	struct sp_request *out, struct sp_problem *problem)
{
	struct sp_request request = { .verb = verb };
	struct reader r = { verb, &request, problem };
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
	*out = (struct sp_request){ .verb = verb, .call_id = id };
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
		request.after = *after;
	}
	*out = request;
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
