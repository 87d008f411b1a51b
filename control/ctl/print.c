/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ctl/print.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define ID_WIDTH 40
#define KEY_WIDTH 28
#define INDENT 2
#define DEPTH_MAX 8
#define COLUMNS 24
#define VALUE_TEXT 32
#define MS_A_SECOND 1000
#define S_A_MINUTE 60
#define S_AN_HOUR 3600
#define C1_LEAD 0xc2 /* U+0080 to U+009f begin with it */

/* Text as it is, but for control characters. */
static void
print_text(FILE *to, const char *text, int width)
{
	int columns = 0;

	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		const bool c1 = *c == C1_LEAD && c[1] >= 0x80 && c[1] < 0xa0;

		fputc(*c < ' ' || *c == 0x7f || c1 ? '?' : *c, to);
		if (c1)
			c++;
		columns += (*c & 0xc0) != 0x80 || c1;
	}
	while (columns++ < width)
		fputc(' ', to);
}

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

static json_int_t
number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static bool
is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static void
print_duration(FILE *to, json_int_t ms)
{
	const json_int_t s = ms / MS_A_SECOND;

	fprintf(to, "%" JSON_INTEGER_FORMAT ":%02d:%02d", s / S_AN_HOUR,
		(int)(s / S_A_MINUTE % S_A_MINUTE), (int)(s % S_A_MINUTE));
}

void
sp_print_calls(FILE *to, const json_t *calls)
{
	const json_t *call;
	size_t i;

	print_text(to, "CALL-ID", ID_WIDTH);
	fprintf(to, "  %-9s PARTIES      AGE\n", "STATE");
	json_array_foreach(calls, i, call)
	{
		print_text(to, text_of(call, "call_id"), ID_WIDTH);
		fputs("  ", to);
		print_text(to, text_of(call, "state"), 9);
		fprintf(to, " %7" JSON_INTEGER_FORMAT "  ",
			number_of(call, "parties"));
		print_duration(to, number_of(call, "duration_ms"));
		fputc('\n', to);
	}
}

/* "key value" for each number of @object that is not 0. */
static void
print_counts(FILE *to, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		if (json_integer_value(value) == 0)
			continue;
		fputc(' ', to);
		print_text(to, key, 0);
		fprintf(to, " %" JSON_INTEGER_FORMAT,
			json_integer_value(value));
	}
}

static void
print_flow(FILE *to, const json_t *flow, const char *indent)
{
	json_t *dropped = json_object_get(flow, "dropped");
	const char *local = text_of(flow, "local");
	const char *advertised = text_of(flow, "advertised");

	fprintf(to, "%slocal %s", indent, local);
	if (strcmp(local, advertised) != 0)
		fprintf(to, ", advertised as %s", advertised);
	fprintf(to, "\n%ssignalled %s, latched %s", indent,
		text_of(flow, "signalled"), text_of(flow, "latched"));
	if (json_is_string(json_object_get(flow, "latched")))
		fprintf(to, " (%s)", text_of(flow, "class"));
	if (json_is_integer(json_object_get(flow, "latched_at_ms")))
		fprintf(to, " after %" JSON_INTEGER_FORMAT " ms",
			number_of(flow, "latched_at_ms"));
	fprintf(to,
		", moved %" JSON_INTEGER_FORMAT
		", contested %" JSON_INTEGER_FORMAT "\n",
		number_of(flow, "moved"), number_of(flow, "contested"));
	fprintf(to,
		"%sreceived %" JSON_INTEGER_FORMAT
		" packets, sent %" JSON_INTEGER_FORMAT "\n",
		indent, number_of(flow, "packets"), number_of(flow, "sent"));
	if (json_object_size(dropped) > 0) {
		fprintf(to, "%sdropped:", indent);
		print_counts(to, dropped);
		fputc('\n', to);
	}
}

static void
print_media(FILE *to, const json_t *media)
{
	const json_t *rtcp = json_object_get(media, "rtcp");
	const char *suite =
		json_string_value(json_object_get(media, "crypto_suite"));

	fprintf(to, "  media %" JSON_INTEGER_FORMAT ": %s %s%s%s%s%s%s\n",
		number_of(media, "index"), text_of(media, "kind"),
		is_true(media, "on") ? text_of(media, "direction") : "off",
		is_true(media, "mux") ? ", rtcp-mux" : "",
		is_true(media, "secure") ? ", SRTP" : "", suite ? ", " : "",
		suite ? suite : "", is_true(media, "silent") ? ", SILENT" : "");
	if (!json_object_get(media, "local"))
		return;
	print_flow(to, media, "    ");
	if (json_object_get(media, "expected"))
		fprintf(to,
			"    lost %" JSON_INTEGER_FORMAT
			" of %" JSON_INTEGER_FORMAT
			", reordered %" JSON_INTEGER_FORMAT
			", jitter %.1f ms, MOS %.2f\n",
			number_of(media, "lost"), number_of(media, "expected"),
			number_of(media, "reordered"),
			json_number_value(json_object_get(media, "jitter_ms")),
			json_number_value(json_object_get(media, "mos")));
	if (rtcp) {
		fputs("    RTCP\n", to);
		print_flow(to, rtcp, "      ");
	}
}

static void
print_party(FILE *to, const json_t *party)
{
	const json_t *media = json_object_get(party, "media");
	const json_t *each;
	size_t i;

	print_text(to, text_of(party, "role"), 0);
	fputs(", tag ", to);
	print_text(to, text_of(party, "tag"), 0);
	fputs(", realm ", to);
	print_text(to, text_of(party, "realm"), 0);
	if (json_object_get(party, "label")) {
		fputs(", ", to);
		print_text(to, text_of(party, "label"), 0);
	}
	if (json_is_false(json_object_get(party, "answered")))
		fputs(", not answered", to);
	fputc('\n', to);
	json_array_foreach(media, i, each) print_media(to, each);
}

void
sp_print_call(FILE *to, const json_t *call)
{
	const json_t *parties = json_object_get(call, "parties");
	const json_t *party;
	size_t i;

	fputs("call ", to);
	print_text(to, text_of(call, "call_id"), 0);
	fprintf(to, ", %s, ", text_of(call, "state"));
	print_duration(to, number_of(call, "duration_ms"));
	fprintf(to, ", worker %" JSON_INTEGER_FORMAT "\n",
		number_of(call, "worker"));
	json_array_foreach(parties, i, party) print_party(to, party);
}

void
sp_print_found(FILE *to, const json_t *calls)
{
	const json_t *call;
	size_t i;

	json_array_foreach(calls, i, call)
	{
		if (i > 0)
			fputc('\n', to);
		sp_print_call(to, call);
	}
}

/* The plain @value as text. */
static const char *
value_text(const json_t *value, char room[VALUE_TEXT])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		snprintf(room, VALUE_TEXT, "%" JSON_INTEGER_FORMAT,
			json_integer_value(value));
	else if (json_is_real(value))
		snprintf(room, VALUE_TEXT, "%.6g", json_real_value(value));
	else
		snprintf(room, VALUE_TEXT, "%s",
			json_is_true(value)            ? "yes"
				: json_is_false(value) ? "no"
						       : "-");
	return room;
}

/* A table whose rows are the objects of an array; objects in them are cells
 * side by side. */
struct table {
	FILE *to; /* NULL: look how wide the columns are */
	bool heading;
	unsigned int at;
	int width[COLUMNS];
};

static void
walk_row(struct table *t, json_t *row, int depth)
{
	const char *key;
	json_t *value;
	char room[VALUE_TEXT];

	json_object_foreach(row, key, value)
	{
		const char *text = t->heading ? key : value_text(value, room);

		if (json_is_object(value) && depth < DEPTH_MAX) {
			walk_row(t, value, depth + 1);
			continue;
		}
		if (t->at == COLUMNS)
			return;
		if (t->to) {
			print_text(t->to, text, t->width[t->at]);
			fputs("  ", t->to);
		} else if ((int)strlen(text) > t->width[t->at]) {
			t->width[t->at] = (int)strlen(text);
		}
		t->at++;
	}
}

static void
print_table(FILE *to, const json_t *rows, int depth)
{
	struct table t = { .heading = true };
	json_t *row;
	size_t i;

	for (int pass = 0; pass < 2; pass++) {
		for (i = 0; i <= json_array_size(rows); i++) {
			row = json_array_get(rows, i > 0 ? i - 1 : 0);
			t.heading = i == 0;
			t.at = 0;
			if (pass == 1)
				fprintf(to, "%*s", depth * INDENT, "");
			walk_row(&t, row, 0);
			if (pass == 1)
				fputc('\n', to);
		}
		t.to = to;
	}
}

/* Plain values first: behind a section they would seem to be in it. */
static void
print_section(FILE *to, json_t *tree, int depth)
{
	const char *key;
	json_t *value;
	char room[VALUE_TEXT];

	json_object_foreach(tree, key, value)
	{
		if (json_is_object(value) || json_is_array(value))
			continue;
		fprintf(to, "%*s", depth * INDENT, "");
		print_text(to, key, KEY_WIDTH - depth * INDENT);
		fputs("  ", to);
		print_text(to, value_text(value, room), 0);
		fputc('\n', to);
	}
	json_object_foreach(tree, key, value)
	{
		if (!json_is_object(value) && !json_is_array(value))
			continue;
		fprintf(to, "%s%*s", depth == 0 ? "\n" : "", depth * INDENT,
			"");
		print_text(to, key, 0);
		fputc('\n', to);
		if (json_is_array(value))
			print_table(to, value, depth + 1);
		else if (depth < DEPTH_MAX)
			print_section(to, value, depth + 1);
	}
}

void
sp_print_statistics(FILE *to, const json_t *tree)
{
	/* The iterator of Jansson wants an object that could change. */
	json_t *copy = json_copy(json_object_get(tree, "statistics"));

	print_section(to, copy, 0);
	json_decref(copy);
}
