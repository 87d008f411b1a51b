/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/flags.h"

#define PAGE_MAX (1u << 20)
#define NAME_MAX 64

static struct sp_text
text(const char *name)
{
	return (struct sp_text){ name, strlen(name) };
}

/* The page that people read is what the program says. */
Test(flags, the_page_is_as_the_table_is)
{
	char *wanted = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&wanted, &len);
	char *page = calloc(1, PAGE_MAX);
	FILE *from = fopen(SP_FLAGS_PAGE, "re");

	cr_assert(to && page && from);
	sp_flags_write(to);
	cr_assert(eq(int, fclose(to), 0));
	cr_assert(gt(sz, fread(page, 1, PAGE_MAX - 1, from), 0));
	fclose(from);
	cr_expect(strcmp(page, wanted) == 0,
		"control/flags.md is old: sallyport --flags >control/flags.md");
	free(page);
	free(wanted);
}

/* Call @check for each of @row's names and the places where it stands. */
static unsigned int
each_name(const struct sp_flag *row,
	void (*check)(
		const struct sp_flag *row, uint8_t places, const char *name))
{
	unsigned int n = 0;

	if (row->json) {
		check(row, SP_FLAG_FIELD, row->json);
		n++;
	}
	for (const char *at = row->ng; at; n++) {
		char name[NAME_MAX];
		const size_t len = strcspn(at, " ");

		cr_assert(lt(sz, len, sizeof name));
		memcpy(name, at, len);
		name[len] = '\0';
		check(row, row->places, name);
		if (at == row->ng)
			at = row->also;
		else
			at = at[len] ? at + len + 1 : NULL;
	}
	return n;
}

static void
check_found(const struct sp_flag *row, uint8_t places, const char *name)
{
	for (uint8_t place = 1; place <= SP_FLAG_FIELD; place <<= 1)
		if (places & place)
			cr_expect(eq(ptr,
					  (void *)(uintptr_t)sp_flags_find(
						  place, text(name)),
					  (void *)(uintptr_t)row),
				"%s is in another row too", name);
}

/* A name that two rows had would be found in one of them only. */
Test(flags, each_name_leads_to_its_row)
{
	unsigned int names = 0;

	for (size_t i = 0; i < sp_flags_count; i++)
		names += each_name(&sp_flags[i], check_found);
	cr_expect(gt(uint, names, 150));
}

static void
check_spellings(const struct sp_flag *row, uint8_t places, const char *name)
{
	char other[NAME_MAX];
	size_t i;

	if (places == SP_FLAG_FIELD)
		return;
	for (i = 0; name[i]; i++) {
		if (name[i] == '-')
			other[i] = i % 2 ? '_' : ' ';
		else if (name[i] >= 'a' && name[i] <= 'z')
			other[i] = (char)(name[i] - 'a' + 'A');
		else if (name[i] >= 'A' && name[i] <= 'Z')
			other[i] = (char)(name[i] - 'A' + 'a');
		else
			other[i] = name[i];
	}
	other[i] = '\0';
	check_found(row, places, other);
	cr_expect(sp_flags_same(name, text(other)));
	other[i - 1] = '\0';
	cr_expect(not(sp_flags_same(name, text(other))));
}

Test(flags, spellings_do_not_matter_on_ng)
{
	for (size_t i = 0; i < sp_flags_count; i++)
		each_name(&sp_flags[i], check_spellings);
}

Test(flags, spellings_matter_on_http)
{
	cr_expect(sp_flags_find(SP_FLAG_FIELD, text("call_id")) != NULL);
	cr_expect(sp_flags_find(SP_FLAG_FIELD, text("call-id")) == NULL);
	cr_expect(sp_flags_find(SP_FLAG_FIELD, text("Call_id")) == NULL);
	cr_expect(sp_flags_find(SP_FLAG_FIELD, text("")) == NULL);
}

/* Readers stop looking for what is missing at the first row without. */
Test(flags, needed_rows_come_first)
{
	bool over = false;

	for (size_t i = 0; i < sp_flags_count; i++) {
		cr_expect(not(over && sp_flags[i].needed));
		over |= sp_flags[i].needed == 0;
	}
	cr_expect(over);
}

Test(flags, a_row_tells_what_it_is_for)
{
	for (size_t i = 0; i < sp_flags_count; i++) {
		const struct sp_flag *f = &sp_flags[i];

		cr_expect(f->json || f->ng);
		cr_expect(f->verbs != 0);
		cr_expect(f->text && f->text[0]);
		cr_expect(strpbrk(f->text, "|\n") == NULL, "%s", f->text);
		for (const struct sp_flag_word *w = f->words; w && w->name; w++)
			cr_expect(
				w->refused == (w->text != NULL), "%s", w->name);
	}
}

/* SEC-8: what makes a call insecure has one exact name at each door. */
Test(flags, nothing_but_its_name_opens_a_latch)
{
	unsigned int ways = 0;

	for (size_t i = 0; i < sp_flags_count; i++) {
		const struct sp_flag *f = &sp_flags[i];

		if (f->kind != SP_FLAG_LATCH)
			continue;
		ways += f->most > SP_LATCH_RESTRICTED;
		for (const struct sp_flag_word *w = f->words; w && w->name;
			w++) {
			if (w->value <= SP_LATCH_RESTRICTED)
				continue;
			ways++;
			cr_expect(eq(int, w->doors, 1u << SP_DOOR_HTTP));
			cr_expect(strchr(w->name, '*') == NULL);
		}
	}
	cr_expect(eq(uint, ways, 3));
}
