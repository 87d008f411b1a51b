/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/reader.h"

#include <stdarg.h>
#include <string.h>

#define BIT(verb) (1u << (verb))
#define LIST_TEXT 240 /* room to name all words of a list */
#define WORDS_MAX 32u
#define QUOTED 40 /* bytes of a client's that are repeated */

static enum sp_door
door(const struct sp_reader *r)
{
	return sp_reader_strict(r) ? SP_DOOR_HTTP : SP_DOOR_NG;
}

const char *
sp_reader_name(const struct sp_reader *r, const struct sp_flag *f)
{
	return sp_reader_strict(r) || !f->ng ? f->json : f->ng;
}

static void
warn(struct sp_reader *r, char *text)
{
	const size_t n = json_array_size(r->warnings);

	/* It quotes bytes of a client's, and goes into JSON and a log. */
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	if (n < SP_READER_WARNINGS)
		json_array_append_new(r->warnings, json_string(text));
	else if (n == SP_READER_WARNINGS)
		json_array_append_new(r->warnings, json_string("and more"));
}

void
sp_reader_warn(struct sp_reader *r, const char *format, ...)
{
	char text[sizeof r->problem->detail];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	warn(r, text);
}

bool
sp_reader_bad(
	struct sp_reader *r, const struct sp_flag *f, const char *format, ...)
{
	char text[sizeof r->problem->detail];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (!sp_reader_strict(r)) {
		warn(r, text);
		return true;
	}
	sp_problem_set(r->problem, SP_PROBLEM_BAD_VALUE, f->json, "%s", text);
	return false;
}

bool
sp_reader_keep(struct sp_reader *r, json_t *json)
{
	if (!r->kept)
		r->kept = json_array();
	if (json_array_append_new(r->kept, json) == 0)
		return true;
	r->no_memory = true;
	sp_problem_set(r->problem, SP_PROBLEM_INTERNAL, "", "out of memory");
	return false;
}

bool
sp_reader_text(const struct sp_value *value, struct sp_text *out)
{
	if (!value->json) {
		*out = value->text;
		return true;
	}
	if (!json_is_string(value->json))
		return false;
	out->at = json_string_value(value->json);
	out->len = json_string_length(value->json);
	return true;
}

struct sp_words
sp_words(const struct sp_reader *r, const struct sp_value *value, bool split)
{
	struct sp_words w = { NULL, 0, { NULL, 0 }, split, false };

	if (json_is_array(value->json))
		w.list = value->json;
	else if (sp_reader_strict(r) || !sp_reader_text(value, &w.rest))
		w.bad = true;
	return w;
}

bool
sp_words_next(struct sp_words *w, struct sp_text *out)
{
	const struct sp_value item = { json_array_get(w->list, w->next),
		{ NULL, 0 } };
	const char *comma;

	if (w->list && item.json) {
		w->next++;
		if (sp_reader_text(&item, out))
			return true;
		w->bad = true;
		return false;
	}
	if (w->list || w->rest.len == 0)
		return false;
	*out = w->rest;
	comma = w->split ? memchr(w->rest.at, ',', w->rest.len) : NULL;
	if (comma)
		out->len = (size_t)(comma - w->rest.at);
	w->rest.at += out->len + (comma != NULL);
	w->rest.len -= out->len + (comma != NULL);
	return true;
}

bool
sp_reader_unknown(
	struct sp_reader *r, const struct sp_flag *f, struct sp_text given)
{
	const char *known[WORDS_MAX];
	char list[LIST_TEXT] = "";
	char word[QUOTED];
	const char *near;
	unsigned int n = 0;

	snprintf(word, sizeof word, "%.*s", (int)given.len, given.at);
	if (!sp_reader_strict(r)) {
		sp_reader_warn(
			r, "unknown value \"%s\" of \"%s\"", word, f->ng);
		return true;
	}
	for (const struct sp_flag_word *w = f->words; w->name; w++) {
		const size_t used = strlen(list);

		if (!(w->doors & BIT(SP_DOOR_HTTP)) || n == WORDS_MAX)
			continue;
		snprintf(list + used, sizeof list - used, "%s%s",
			n > 0 ? ", " : "", w->name);
		known[n++] = w->name;
	}
	near = sp_problem_nearest(word, known, n, sizeof *known);
	return sp_reader_bad(r, f, "\"%s\" is not one of %s%s%s%s", word, list,
		near ? "; did you mean " : "", near ? near : "",
		near ? "?" : "");
}

bool
sp_reader_word(struct sp_reader *r, const struct sp_flag *f,
	struct sp_text given, const struct sp_flag_word **out)
{
	const struct sp_flag_word *w = sp_flags_word(f, door(r), given);

	*out = NULL;
	if (!w)
		return sp_reader_unknown(r, f, given);
	if (!w->refused) {
		*out = w;
		return true;
	}
	return sp_reader_bad(r, f, "\"%s=%.*s\" is not supported: %s", f->ng,
		(int)(given.len < QUOTED ? given.len : QUOTED), given.at,
		w->text);
}
