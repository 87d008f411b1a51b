/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ng_reply.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/bencode.h"
#include "control/problem.h"

#define SEPARATOR "; "
#define NO_SUCH_CALL "unknown-call"
#define OVERLOADED "Load limit exceeded"
#define NO_PORTS "Ran out of ports"

/* Problems with a text of their own, by type and field. */
static const struct {
	const char *type;
	const char *where; /* NULL: any */
	const char *text;
} texts[] = {
	{ "missing-field", "sdp", "No SDP body in message" },
	{ "missing-field", "call_id", "No call-id in message" },
	{ "missing-field", "from_tag", "No from-tag in message" },
	{ "missing-field", "to_tag", "No to-tag in message" },
	{ "bad-sdp", NULL, "Failed to parse SDP" },
	{ "address", NULL, "Failed to parse SDP" },
	{ "conflict", NULL, "Invalid dialogue association" },
	{ "no-ports", NULL, NO_PORTS },
	{ "max-calls", NULL, "Parallel session limit reached" },
	{ "draining", NULL, "Parallel session limit reached" },
	{ "stopping", NULL, "Parallel session limit reached" },
	{ "bandwidth", NULL, "Bandwidth limit exceeded" },
};

static const char *
unknown_call(enum sp_verb verb)
{
	switch (verb) {
	case SP_VERB_OFFER:
	case SP_VERB_ANSWER:
	case SP_VERB_QUERY:
		return "Unknown call-id";
	case SP_VERB_DELETE:
		return "Call-ID not found or tags didn't match";
	default:
		return "Unknown call-ID";
	}
}

/* NULL: there is no exact text, so that ours may say it. */
static const char *
text_of(const struct sp_problem *p, enum sp_verb verb)
{
	if (strcmp(p->type, NO_SUCH_CALL) == 0)
		return unknown_call(verb);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (strcmp(texts[i].type, p->type) == 0 &&
			(!texts[i].where ||
				strcmp(texts[i].where, p->where) == 0))
			return texts[i].text;
	return p->http == 503 ? OVERLOADED : NULL;
}

/* A detail may quote a client's bytes, which bencode can carry. */
static json_t *
any_text(const char *text)
{
	json_t *json = json_string(text);
	char *plain;

	if (json)
		return json;
	plain = strdup(text);
	if (!plain)
		return NULL;
	for (char *at = plain; *at; at++)
		*at = *at & 0x80 ? '?' : *at;
	json = json_string(plain);
	free(plain);
	return json;
}

static bool
set(json_t *tree, const char *key, json_t *value)
{
	return json_object_set_new_nocheck(tree, key, value) == 0;
}

/* @tree if it is @whole; else nothing, and no memory lost. */
static json_t *
finished(json_t *tree, bool whole)
{
	if (whole)
		return tree;
	json_decref(tree);
	return NULL;
}

json_t *
sp_ng_reply_error(const char *reason, const char *detail)
{
	json_t *tree = json_object();

	return finished(tree,
		set(tree, "result", json_string("error")) &&
			set(tree, "error-reason", any_text(reason)) &&
			(!detail || set(tree, "detail", any_text(detail))));
}

/* Is it that the relay has no room, and nothing else is wrong? */
static bool
is_limit(const struct sp_problem *p, const char *text)
{
	return p->http == 503 && text && strcmp(text, NO_PORTS) != 0;
}

static json_t *
refusal(const struct sp_ng_asked *asked, const struct sp_problem *p)
{
	const char *text = text_of(p, asked->verb);
	json_t *tree;

	if (asked->load_limit && is_limit(p, text)) {
		tree = json_object();
		return finished(tree,
			set(tree, "result", json_string("load limit")) &&
				set(tree, "message", json_string(text)) &&
				set(tree, "detail", any_text(p->detail)));
	}
	if (asked->verb == SP_VERB_DELETE && !asked->fatal &&
		strcmp(p->type, NO_SUCH_CALL) == 0) {
		tree = json_object();
		return finished(tree,
			set(tree, "result", json_string("ok")) &&
				set(tree, "warning", json_string(text)));
	}
	if (!text)
		return sp_ng_reply_error(p->detail, NULL);
	return sp_ng_reply_error(text, p->detail);
}

json_t *
sp_ng_reply_join(const json_t *first, const json_t *list)
{
	const size_t gap = strlen(SEPARATOR);
	size_t len = json_string_length(first);
	json_t *joined = NULL;
	const json_t *item;
	char *text;
	char *at;
	size_t i;

	json_array_foreach(list, i, item) len += gap + json_string_length(item);
	text = len > 0 ? malloc(len) : NULL;
	if (!text)
		return NULL;
	at = mempcpy(text, json_string_value(first) ?: "",
		json_string_length(first));
	json_array_foreach(list, i, item)
	{
		if (at > text)
			at = mempcpy(at, SEPARATOR, gap);
		at = mempcpy(at, json_string_value(item) ?: "",
			json_string_length(item));
	}
	if (at > text)
		joined = json_stringn_nocheck(text, (size_t)(at - text));
	free(text);
	return joined;
}

/* The body's members become the dictionary's; warnings are one text. */
static json_t *
success(const struct sp_ng_asked *asked, json_t *body)
{
	json_t *tree = json_object();
	json_t *warning;
	bool whole = set(tree, "result", json_string("ok")) &&
		(!body || json_object_update(tree, body) == 0);

	json_object_del(tree, "warnings");
	warning = sp_ng_reply_join(
		asked->warning, json_object_get(body, "warnings"));
	if (warning)
		whole = set(tree, "warning", warning) && whole;
	return finished(tree, whole);
}

json_t *
sp_ng_reply(const struct sp_ng_asked *asked, const struct sp_reply *reply)
{
	if (reply->problem)
		return refusal(asked, reply->problem);
	return success(asked, reply->body);
}

/* An error without a tree, for when there is none. @reason needs no escape. */
static size_t
write_error(enum sp_ng_encoding encoding, const char *reason, char *out,
	size_t room)
{
	const int len = encoding == SP_NG_JSON
		? snprintf(out, room,
			  "{\"result\":\"error\",\"error-reason\":\"%s\"}",
			  reason)
		: snprintf(out, room, "d6:result5:error12:error-reason%zu:%se",
			  strlen(reason), reason);

	return (size_t)len;
}

/* 0: it is no UTF-8; more than @room: it is too large. */
static size_t
write_tree(enum sp_ng_encoding encoding, const json_t *tree, char *out,
	size_t room)
{
	size_t len = 0;

	if (encoding == SP_NG_JSON)
		return json_dumpb(
			tree, out, room, JSON_COMPACT | JSON_REAL_PRECISION(6));
	if (sp_bencode_write(tree, out, room, &len) != SP_OK)
		return room + 1;
	return len;
}

/* Add to the warnings of @tree. */
static void
warn(json_t *tree, const char *text)
{
	json_t *list = json_pack("[s]", text);
	json_t *joined =
		sp_ng_reply_join(json_object_get(tree, "warning"), list);

	/* Without memory for it the reply is worth more than the warning. */
	(void)!set(tree, "warning", joined);
	json_decref(list);
}

/*
 * Write @tree, which was too large, without what most clients do not read. A
 * deletion, above all, has been done and must not be told as an error.
 */
static size_t
write_shorter(enum sp_ng_encoding encoding, const json_t *tree, char *out,
	size_t room)
{
	static const struct {
		const char *key;
		const char *warning;
	} spare[] = {
		{ "tags", "no room for \"tags\"" },
		{ "SSRC", "no room for \"SSRC\"" },
	};
	/* Jansson counts the references to what is copied. */
	json_t *copy = json_copy((json_t *)(uintptr_t)tree);
	size_t len = room + 1;

	for (size_t i = 0; len > room && i < sizeof spare / sizeof *spare;
		i++) {
		if (json_object_del(copy, spare[i].key) != 0)
			continue;
		warn(copy, spare[i].warning);
		len = write_tree(encoding, copy, out, room);
	}
	json_decref(copy);
	return len;
}

size_t
sp_ng_reply_write(enum sp_ng_encoding encoding, const json_t *tree, char *out,
	size_t room)
{
	size_t len;

	if (!tree)
		return write_error(encoding, OVERLOADED, out, room);
	len = write_tree(encoding, tree, out, room);
	if (len > room)
		len = write_shorter(encoding, tree, out, room);
	if (len == 0 || len > room)
		return write_error(encoding,
			len == 0 ? "The reply is no UTF-8: ask in bencode"
				 : "The reply is too large",
			out, room);
	return len;
}
