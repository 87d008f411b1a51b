/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/flags.h"
#include "openapi_lab.h"

/* The values of fields: their types and words are those of the table. */

/* Does @enumeration have those words that HTTP takes, and no others? */
static int
check_words(const struct sp_flag *f, json_t *enumeration)
{
	json_t *word;
	size_t i;
	size_t count = 0;

	for (const struct sp_flag_word *w = f->words; w->name; w++) {
		bool found = false;

		if (!(w->doors & (1u << SP_DOOR_HTTP)))
			continue;
		json_array_foreach(enumeration, i, word) found |=
			strcmp(text_of(word), w->name) == 0;
		cr_expect(found, "%s of %s is not described", w->name, f->json);
		count++;
	}
	cr_expect(eq(sz, json_array_size(enumeration), count), "%s", f->json);
	return (int)count;
}

/*
 * The same where words may have suites behind them: those are described by a
 * pattern each.
 */
static int
check_suites(const struct sp_flag *f, json_t *any)
{
	json_t *words = json_object_get(json_array_get(any, 0), "enum");
	size_t plain = 0, open = 0;

	for (const struct sp_flag_word *w = f->words; w->name; w++) {
		const size_t len = strlen(w->name) - 1;
		char pattern[32];
		bool found = false;
		json_t *item;
		size_t i;

		if (!(w->doors & (1u << SP_DOOR_HTTP)))
			continue;
		if (w->name[len] == '*')
			open++;
		else
			plain++;
		snprintf(pattern, sizeof pattern, "^%.*s[", (int)len, w->name);
		json_array_foreach(any, i, item) found |=
			strncmp(text_of(json_object_get(item, "pattern")),
				pattern, strlen(pattern)) == 0;
		json_array_foreach(words, i, item) found |=
			strcmp(text_of(item), w->name) == 0;
		cr_expect(found, "%s of %s is not described", w->name, f->json);
	}
	cr_expect(eq(sz, json_array_size(words), plain), "%s", f->json);
	cr_expect(eq(sz, json_array_size(any), open + 1), "%s", f->json);
	return (int)plain;
}

Test(openapi, words_are_those_described, .init = start_plain, .fini = stop_all)
{
	json_t *tree = description();
	int words = 0;

	for (size_t i = 0; i < sp_flags_count; i++) {
		const struct sp_flag *f = &sp_flags[i];
		json_t *described, *items;

		if (!f->json || !f->words || f->kind == SP_FLAG_CODEC ||
			f->kind == SP_FLAG_ATTR)
			continue;
		described = property(tree, f->json);
		items = json_object_get(described, "items");
		words += json_object_get(items, "anyOf")
			? check_suites(f, json_object_get(items, "anyOf"))
			: check_words(f,
				  json_object_get(
					  items ? items : described, "enum"));
	}
	cr_expect(gt(int, words, 25));
	json_decref(tree);
}

/* What JSON type HTTP takes for @f. */
static const char *
type_of(const struct sp_flag *f)
{
	switch (f->kind) {
	case SP_FLAG_BOOL:
		return "boolean";
	case SP_FLAG_WORDS:
	case SP_FLAG_SDES:
		return "array";
	case SP_FLAG_TOS:
	case SP_FLAG_DELAY:
		return "integer";
	case SP_FLAG_CODEC:
	case SP_FLAG_ATTR:
		return "object";
	default:
		return "string";
	}
}

Test(openapi, types_and_lengths_are_those_described, .init = start_plain,
	.fini = stop_all)
{
	json_t *tree = description();
	int fields = 0;

	for (size_t i = 0; i < sp_flags_count; i++) {
		const struct sp_flag *f = &sp_flags[i];
		json_t *described;
		const char *type;

		if (!f->json)
			continue;
		described = property(tree, f->json);
		type = text_of(json_object_get(described, "type"));
		if (f->kind == SP_FLAG_ID || f->kind == SP_FLAG_TEXT) {
			cr_expect(eq(llong,
					  json_integer_value(json_object_get(
						  described, "maxLength")),
					  f->most),
				"%s", f->json);
		}
		cr_expect(eq(str, (char *)(uintptr_t)type,
				  (char *)(uintptr_t)type_of(f)),
			"%s", f->json);
		fields++;
	}
	cr_expect(gt(int, fields, 30));
	json_decref(tree);
}
