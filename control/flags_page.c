/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/flags.h"

/* flags.md: the rows by what they do. */

static const char head[] =
	"<!-- SPDX-License-Identifier: BSD-3-Clause -->\n"
	"# Keys, flags and fields\n"
	"\n"
	"What a request may say, over ng and over HTTP. This page is what\n"
	"`sallyport --flags` prints; a test compares the two.\n"
	"\n"
	"**ng** On names and words blank, `_` and `-` are the same, and so "
	"are\n"
	"upper and lower case. A *key* stands in the dictionary; a *flag* in\n"
	"the list `flags`, or in the string `rtpp-flags`, where a key is "
	"written\n"
	"`key=value` or `key=[value value]`. A *key, flag* can be said as\n"
	"`key-value` in the list too. Integers may be strings, and a string\n"
	"may stand for a list. In lists of codecs and attributes `--` stands\n"
	"for `=` and `..` for a blank. What is unknown or not supported costs "
	"a\n"
	"`warning` in the reply and a line in the log, never the request.\n"
	"\n"
	"**HTTP** A field or value that is unknown is refused. `openapi.yaml`\n"
	"has the types.\n";

static void
write_words(const struct sp_flag *f, FILE *to)
{
	const char *before = "<br>";

	for (const struct sp_flag_word *w = f->words; w && w->name; w++) {
		const bool http = w->doors & (1u << SP_DOOR_HTTP);
		const bool ng = w->doors & (1u << SP_DOOR_NG);

		if (w->refused)
			continue;
		fprintf(to, "%s`%s`%s", before, w->name,
			http == ng || !f->json ? ""
				: http         ? " (HTTP)"
					       : " (ng)");
		before = ", ";
	}
	before = "<br>not supported: ";
	for (const struct sp_flag_word *w = f->words; w && w->name; w++) {
		if (!w->refused)
			continue;
		fprintf(to, "%s`%s`", before,
			strcmp(w->name, "*") == 0 ? "others" : w->name);
		/* The next one may be so for the same reason. */
		if (!w[1].name || !w[1].text || strcmp(w->text, w[1].text) != 0)
			fprintf(to, " (%s)", w->text);
		before = ", ";
	}
}

/* The names of ng: `a`, `b`, `c` */
static void
write_names(const struct sp_flag *f, FILE *to)
{
	if (f->ng)
		fprintf(to, "`%s`", f->ng);
	for (const char *at = f->also; at && *at;) {
		const size_t len = strcspn(at, " ");

		fprintf(to, ", `%.*s`", (int)len, at);
		at += len + (at[len] == ' ');
	}
}

static const char *
place(const struct sp_flag *f)
{
	if (!f->ng)
		return "";
	if (f->places & SP_FLAG_PREFIX)
		return "key, flag";
	return f->places & SP_FLAG_FLAG ? "flag" : "key";
}

static void
write_done(FILE *to)
{
	fputs("\n## What is done\n\n"
	      "| ng | | HTTP | |\n| --- | --- | --- | --- |\n",
		to);
	for (size_t i = 0; i < sp_flags_count; i++) {
		const struct sp_flag *f = &sp_flags[i];

		if (f->kind == SP_FLAG_NOTHING || f->kind == SP_FLAG_REFUSED)
			continue;
		fputs("| ", to);
		write_names(f, to);
		fprintf(to, " | %s | ", place(f));
		if (f->json)
			fprintf(to, "`%s`", f->json);
		fprintf(to, " | %s", f->text);
		write_words(f, to);
		fputs(" |\n", to);
	}
}

static void
write_kind(enum sp_flag_kind kind, FILE *to)
{
	fputs("| ng | | |\n| --- | --- | --- |\n", to);
	for (size_t i = 0; i < sp_flags_count; i++) {
		const struct sp_flag *f = &sp_flags[i];

		if (f->kind != kind)
			continue;
		fputs("| ", to);
		write_names(f, to);
		fprintf(to, " | %s | %s", place(f), f->text);
		write_words(f, to);
		fputs(" |\n", to);
	}
}

void
sp_flags_write(FILE *to)
{
	fputs(head, to);
	write_done(to);
	fputs("\n## Taken, with nothing to do\n\n", to);
	write_kind(SP_FLAG_NOTHING, to);
	fputs("\n## Known, and not supported\n\n"
	      "These are named in a warning.\n\n",
		to);
	write_kind(SP_FLAG_REFUSED, to);
}
