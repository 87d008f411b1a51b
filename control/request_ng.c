/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/reader.h"

/*
 * The lenient reader: an ng dictionary to struct sp_request. What it does not
 * know costs a warning and nothing else.
 */

#define LIST_LIMIT 32u
#define QUOTED 40u /* bytes of a client's name that are repeated */
#define NESTING 4u /* brackets within brackets */

static bool take_flag(struct sp_reader *r, struct sp_text flag);
static bool take_flags(struct sp_reader *r, const struct sp_value *value);
static bool take_string(struct sp_reader *r, const struct sp_value *value);

static int
quoted(struct sp_text name)
{
	return (int)(name.len < QUOTED ? name.len : QUOTED);
}

/* @name is its spelling in this request. */
static bool
take(struct sp_reader *r, const struct sp_flag *f, struct sp_text name,
	const struct sp_value *value)
{
	const bool list = f->kind == SP_FLAG_FLAGS || f->kind == SP_FLAG_STRING;

	/* A proxy sends the flags of its offers with everything. */
	if (!(f->verbs & (1u << r->to->verb)))
		return true;
	if (f->kind == SP_FLAG_REFUSED) {
		sp_reader_warn(r, "\"%.*s\" is not supported: %s", quoted(name),
			name.at, f->text);
		return true;
	}
	if (!list)
		return sp_reader_set(r, f, value);
	if (r->in_flags) {
		sp_reader_warn(r, "no flags within flags");
		return true;
	}
	return f->kind == SP_FLAG_FLAGS ? take_flags(r, value)
					: take_string(r, value);
}

static bool
take_key(struct sp_reader *r, struct sp_text name, const struct sp_value *value)
{
	const struct sp_flag *f = sp_flags_find(SP_FLAG_KEY, name);

	if (f)
		return take(r, f, name, value);
	sp_reader_warn(r, "unknown key \"%.*s\"", quoted(name), name.at);
	return true;
}

/* Split @flag behind the first @len bytes, and the character after them. */
static struct sp_value
value_after(struct sp_text flag, size_t len)
{
	return (struct sp_value){ NULL,
		{ flag.at + len + 1, flag.len - len - 1 } };
}

/* The row of "name-value" and its value; NULL when none has such a name. */
static const struct sp_flag *
find_prefix(struct sp_text flag, struct sp_value *value)
{
	for (size_t i = 1; i < flag.len && i < QUOTED; i++) {
		const struct sp_text key = { flag.at, i };
		const struct sp_flag *f;

		if (flag.at[i] != '-' && flag.at[i] != ' ' && flag.at[i] != '_')
			continue;
		f = sp_flags_find(SP_FLAG_PREFIX, key);
		if (f) {
			*value = value_after(flag, i);
			return f;
		}
	}
	return NULL;
}

/* "flag", "key=value" or "key-value", which may have a "=" in its value */
static bool
take_flag(struct sp_reader *r, struct sp_text flag)
{
	const struct sp_flag *f = sp_flags_find(SP_FLAG_FLAG, flag);
	const char *equals = flag.len ? memchr(flag.at, '=', flag.len) : NULL;
	const struct sp_text key = { flag.at,
		equals ? (size_t)(equals - flag.at) : 0 };
	struct sp_value value = { NULL, { NULL, 0 } };

	if (f)
		return take(r, f, flag, &value);
	if (!equals || !sp_flags_find(SP_FLAG_KEY, key))
		f = find_prefix(flag, &value);
	if (f)
		return take(r, f, flag, &value);
	if (equals) {
		value = value_after(flag, key.len);
		return take_key(r, key, &value);
	}
	if (flag.len > 0)
		sp_reader_warn(
			r, "unknown flag \"%.*s\"", quoted(flag), flag.at);
	return true;
}

static bool
take_flags(struct sp_reader *r, const struct sp_value *value)
{
	struct sp_words list = sp_words(r, value, true);
	struct sp_text flag;
	bool go_on = true;

	r->in_flags = true;
	while (go_on && sp_words_next(&list, &flag))
		go_on = take_flag(r, flag);
	r->in_flags = false;
	if (list.bad)
		sp_reader_warn(r, "\"flags\" must be a list of strings");
	return go_on;
}

/* One token of a string of flags: up to a blank or bracket. */
static struct sp_text
token(struct sp_text *from)
{
	struct sp_text out;

	while (from->len > 0 && *from->at == ' ') {
		from->at++;
		from->len--;
	}
	out = (struct sp_text){ from->at, 0 };
	while (out.len < from->len && !memchr(" []", from->at[out.len], 3))
		out.len++;
	from->at += out.len;
	from->len -= out.len;
	return out;
}

static bool
skip(struct sp_text *from, char c)
{
	if (from->len == 0 || *from->at != c)
		return false;
	from->at++;
	from->len--;
	return true;
}

static json_t *bracket(struct sp_text *from, unsigned int depth);

/* Add the item "key=value" or "key=[" to @out. */
static bool
add_pair(json_t *out, struct sp_text item, struct sp_text *from,
	unsigned int depth)
{
	const char *equals = memchr(item.at, '=', item.len);
	const size_t len = equals ? (size_t)(equals - item.at) : 0;
	json_t *value;

	if (!equals)
		return false;
	if (len == item.len - 1 && skip(from, '['))
		value = bracket(from, depth + 1);
	else
		value = json_stringn_nocheck(equals + 1, item.len - len - 1);
	return json_object_setn_new_nocheck(out, item.at, len, value) == 0;
}

/*
 * Read "PCMA PCMU]" into an array, or "strip=[PCMA] offer=PCMU]" into an
 * object; its first item decides. NULL for what is neither, or no memory.
 */
static json_t *
bracket(struct sp_text *from, unsigned int depth)
{
	json_t *out = NULL;
	bool fine = depth < NESTING;

	while (fine) {
		const struct sp_text item = token(from);

		if (item.len == 0)
			break;
		if (!out)
			out = memchr(item.at, '=', item.len) ? json_object()
							     : json_array();
		if (json_is_object(out))
			fine = add_pair(out, item, from, depth);
		else
			fine = json_array_append_new(out,
				       json_stringn_nocheck(
					       item.at, item.len)) == 0;
	}
	if (fine && skip(from, ']'))
		return out ? out : json_array();
	json_decref(out);
	return NULL;
}

static bool
take_string(struct sp_reader *r, const struct sp_value *value)
{
	struct sp_text from, item;
	bool go_on = true;

	if (!sp_reader_text(value, &from)) {
		sp_reader_warn(r, "\"rtpp-flags\" must be a string");
		return true;
	}
	r->in_flags = true;
	while (go_on && (item = token(&from)).len > 0) {
		const struct sp_text start = { item.at, item.len + from.len };
		struct sp_value list = { NULL, { NULL, 0 } };

		if (item.at[item.len - 1] != '=' || !skip(&from, '[')) {
			go_on = take_flag(r, item);
			continue;
		}
		item.len--;
		list.json = bracket(&from, 0);
		if (!list.json) {
			from = start;
			break;
		}
		go_on = sp_reader_keep(r, list.json) &&
			take_key(r, item, &list);
	}
	r->in_flags = false;
	if (go_on && from.len > 0)
		sp_reader_warn(r, "\"rtpp-flags\" cannot be read from \"%.*s\"",
			quoted(from), from.at);
	return go_on;
}

static bool
take_all(struct sp_reader *r, json_t *dictionary)
{
	struct sp_value value = { NULL, { NULL, 0 } };
	const char *name;
	size_t len;

	json_object_keylen_foreach(dictionary, name, len, value.json)
	{
		const struct sp_text key = { name, len };

		if (!take_key(r, key, &value))
			return false;
	}
	return sp_reader_finish(r);
}

enum sp_status
sp_request_ng(enum sp_verb verb, json_t *dictionary, json_t *warnings,
	struct sp_request *out, struct sp_problem *problem)
{
	struct sp_request request = {
		.verb = verb,
		.door = SP_DOOR_NG,
		.limit = verb == SP_VERB_LIST ? LIST_LIMIT : 0,
	};
	struct sp_reader r = {
		.to = &request,
		.problem = problem,
		.warnings = warnings,
	};

	if (!take_all(&r, dictionary) ||
		(r.kept && !sp_reader_keep(&r, json_incref(dictionary)))) {
		json_decref(r.kept);
		return r.no_memory ? SP_NO_MEMORY : SP_UNSUPPORTED;
	}
	request.tree = r.kept ? r.kept : json_incref(dictionary);
	*out = request;
	return SP_OK;
}
