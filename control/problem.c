/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/problem.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TYPE_PREFIX "urn:sallyport:problem:"
#define WORD_MAX 32u   /* longer words are near nothing */
#define NEAR_ENOUGH 2u /* edits */
#define RETRY_AFTER_S 5u

static const struct {
	int http;
	const char *type;
	const char *title;
} kinds[] = {
#define X(name, http, type, title) [SP_PROBLEM_##name] = { http, type, title },
	SP_PROBLEM_LIST(X)
#undef X
};

void
sp_problem_set(struct sp_problem *p, enum sp_problem_kind kind,
	const char *where, const char *format, ...)
{
	va_list args;

	*p = (struct sp_problem){
		.http = kinds[kind].http,
		.type = kinds[kind].type,
		/* A proxy should ask the next relay, or us a little later. */
		.retry_after_s = kinds[kind].http == 503 ? RETRY_AFTER_S : 0,
	};
	snprintf(p->title, sizeof p->title, "%s", kinds[kind].title);
	snprintf(p->where, sizeof p->where, "%s", where);
	va_start(args, format);
	vsnprintf(p->detail, sizeof p->detail, format, args);
	va_end(args);
}

bool
sp_problem_is_full(const char *type)
{
	static const char *const known[] = {
#define X(type) type,
		SP_PROBLEM_FULL_LIST(X)
#undef X
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i], type) == 0)
			return true;
	return false;
}

/* A detail may quote a client's bytes and may have been cut inside one. */
static json_t *
text_of(const char *text)
{
	char ascii[sizeof((struct sp_problem *)0)->detail];
	json_t *json = json_string(text);
	size_t n = 0;

	if (json)
		return json;
	for (; text[n] && n < sizeof ascii - 1; n++)
		ascii[n] = (text[n] & 0x80) ? '?' : text[n];
	ascii[n] = '\0';
	return json_string(ascii);
}

char *
sp_problem_text(const struct sp_problem *p)
{
	char type[sizeof TYPE_PREFIX + WORD_MAX];
	json_t *json;
	char *text = NULL;

	snprintf(type, sizeof type, "%s%s", TYPE_PREFIX, p->type);
	json = json_pack("{s:s, s:o, s:i, s:o}", "type", type, "title",
		text_of(p->title), "status", p->http, "detail",
		text_of(p->detail));
	if (json && p->where[0] &&
		json_object_set_new(json, "where", text_of(p->where)) != 0) {
		json_decref(json);
		return NULL;
	}
	if (json)
		text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

/* Levenshtein's distance of two short words, in two rows. */
static unsigned int
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	uint8_t row[WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = (uint8_t)j;
	for (size_t i = 1; i <= a_len; i++) {
		uint8_t diagonal = row[0];

		row[0] = (uint8_t)i;
		for (size_t j = 1; j <= b_len; j++) {
			const uint8_t change =
				(uint8_t)(diagonal + (a[i - 1] != b[j - 1]));
			uint8_t least =
				row[j] < row[j - 1] ? row[j] : row[j - 1];

			diagonal = row[j];
			least++;
			row[j] = change < least ? change : least;
		}
	}
	return row[b_len];
}

const char *
sp_problem_nearest(
	const char *word, const void *known, size_t count, size_t stride)
{
	const size_t len = strlen(word);
	unsigned int best = NEAR_ENOUGH + 1;
	const char *nearest = NULL;

	if (len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *row = (const char *)known + i * stride;
		const char *name = *(const char *const *)(const void *)row;
		unsigned int d;

		if (!name || strlen(name) > WORD_MAX)
			continue;
		d = distance(word, len, name, strlen(name));
		/* "ab" is not a typo of "xy": half of it must be right. */
		if (d < best && 2 * d <= strlen(name)) {
			best = d;
			nearest = name;
		}
	}
	return nearest;
}
