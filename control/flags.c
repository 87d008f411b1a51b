/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/flags.h"

#include <assert.h>
#include <string.h>

#define SLOTS 1024u /* a power of two, more than twice the names */
#define FNV_START 2166136261u
#define FNV_PRIME 16777619u

/*
 * All names of all rows by their hash, open addressing. Filled on first use,
 * from the table alone: no client adds a name.
 */
static struct slot {
	const char *name; /* not ended by NUL; NULL: free */
	uint16_t row;
	uint8_t len;
	uint8_t places; /* enum sp_flag_place */
} slots[SLOTS];
static bool filled;

static char
fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == ' ' || c == '_' ? '-' : c;
}

static bool
same(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (fold(a[i]) != fold(b[i]))
			return false;
	return true;
}

static unsigned int
hash(const char *name, size_t len)
{
	uint32_t h = FNV_START;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)fold(name[i])) * FNV_PRIME;
	return h & (SLOTS - 1);
}

static void
add(size_t row, const char *name, size_t len, uint8_t places)
{
	unsigned int at = hash(name, len);

	while (slots[at].name)
		at = (at + 1) & (SLOTS - 1);
	slots[at] = (struct slot){ name, (uint16_t)row, (uint8_t)len, places };
}

static void
fill(void)
{
	for (size_t i = 0; i < sp_flags_count; i++) {
		const struct sp_flag *f = &sp_flags[i];
		const char *also = f->also;

		if (f->json)
			add(i, f->json, strlen(f->json), SP_FLAG_FIELD);
		if (f->ng)
			add(i, f->ng, strlen(f->ng), f->places);
		while (also && *also) {
			const size_t len = strcspn(also, " ");

			add(i, also, len, f->places);
			also += len + (also[len] == ' ');
		}
	}
	filled = true;
}

const struct sp_flag *
sp_flags_find(enum sp_flag_place place, struct sp_text name)
{
	if (!filled)
		fill();
	for (unsigned int at = hash(name.at, name.len); slots[at].name;
		at = (at + 1) & (SLOTS - 1)) {
		const struct slot *s = &slots[at];

		if (!(s->places & place) || s->len != name.len)
			continue;
		if (place == SP_FLAG_FIELD
				? memcmp(s->name, name.at, name.len) == 0
				: same(s->name, name.at, name.len))
			return &sp_flags[s->row];
	}
	return NULL;
}

bool
sp_flags_same(const char *name, struct sp_text given)
{
	return strlen(name) == given.len && same(name, given.at, given.len);
}

const struct sp_flag_word *
sp_flags_word(
	const struct sp_flag *row, enum sp_door door, struct sp_text given)
{
	for (const struct sp_flag_word *w = row->words; w && w->name; w++) {
		const size_t len = strlen(w->name);
		const bool any = w->name[len - 1] == '*';
		const size_t looked = any ? len - 1 : len;

		if (!(w->doors & (1u << door)))
			continue;
		if (any ? given.len < looked : given.len != looked)
			continue;
		if (door == SP_DOOR_NG ? same(w->name, given.at, looked)
				       : memcmp(w->name, given.at, looked) == 0)
			return w;
	}
	return NULL;
}
