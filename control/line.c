/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/line.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/reply.h"

#define FIRST_SIZE 4096u
#define NUMBER_TEXT 20u /* digits of an int64_t and its sign */

/* Room for @more bytes behind the text, or NULL for good. */
static char *
room(struct sp_line *line, size_t more)
{
	size_t size = line->size ? line->size : FIRST_SIZE;
	char *text;

	if (line->failed)
		return NULL;
	while (size < line->len + more)
		size *= 2;
	if (size != line->size) {
		text = realloc(line->text, size);
		if (!text) {
			line->failed = true;
			return NULL;
		}
		line->text = text;
		line->size = size;
	}
	return line->text + line->len;
}

static void
add(struct sp_line *line, const char *bytes, size_t len)
{
	char *to = room(line, len);

	if (!to)
		return;
	memcpy(to, bytes, len);
	line->len += len;
}

static void
add_byte(struct sp_line *line, char byte)
{
	add(line, &byte, 1);
}

/* What comes before a value: a comma after another one, and the key. */
static void
add_key(struct sp_line *line, const char *key)
{
	const char last = line->len > 0 ? line->text[line->len - 1] : '{';

	if (last != '{' && last != '[')
		add_byte(line, ',');
	if (!key)
		return;
	add_byte(line, '"');
	add(line, key, strlen(key));
	add(line, "\":", 2);
}

/* The decimal digits of @number, before @end. */
static char *
digits(uint64_t number, char *end)
{
	do {
		*--end = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return end;
}

void
sp_line_begin(struct sp_line *line)
{
	line->len = 0;
	line->failed = false;
	add_byte(line, '{');
}

bool
sp_line_end(struct sp_line *line)
{
	add(line, "}\n", 2);
	return !line->failed;
}

void
sp_line_free(struct sp_line *line)
{
	free(line->text);
	*line = (struct sp_line){ 0 };
}

void
sp_line_open(struct sp_line *line, const char *key, char bracket)
{
	add_key(line, key);
	add_byte(line, bracket);
}

void
sp_line_close(struct sp_line *line, char bracket)
{
	add_byte(line, bracket);
}

static bool
plain(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] < ' ' || at[i] > '~' || at[i] == '"' || at[i] == '\\')
			return false;
	return true;
}

/* What needs escapes is rare, and Jansson knows them. */
static void
add_odd(struct sp_line *line, const char *at, size_t len)
{
	json_t *text = sp_reply_text(at, len);
	char *dump = text ? json_dumps(text, JSON_ENCODE_ANY) : NULL;

	if (dump)
		add(line, dump, strlen(dump));
	else
		line->failed = true;
	free(dump);
	json_decref(text);
}

void
sp_line_text(struct sp_line *line, const char *key, const char *at, size_t len)
{
	add_key(line, key);
	if (!plain(at, len)) {
		add_odd(line, at, len);
		return;
	}
	add_byte(line, '"');
	add(line, at, len);
	add_byte(line, '"');
}

void
sp_line_string(struct sp_line *line, const char *key, const char *text)
{
	if (text)
		sp_line_text(line, key, text, strlen(text));
	else
		sp_line_null(line, key);
}

void
sp_line_number(struct sp_line *line, const char *key, int64_t number)
{
	char text[NUMBER_TEXT];
	char *const end = text + sizeof text;
	const uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;
	char *at = digits(size, end);

	if (number < 0)
		*--at = '-';
	add_key(line, key);
	add(line, at, (size_t)(end - at));
}

void
sp_line_bool(struct sp_line *line, const char *key, bool value)
{
	add_key(line, key);
	add(line, value ? "true" : "false", value ? 4 : 5);
}

void
sp_line_null(struct sp_line *line, const char *key)
{
	add_key(line, key);
	add(line, "null", 4);
}

/* @number with @width digits, and @after behind it. */
static char *
put_fixed(char *to, unsigned int number, unsigned int width, char after)
{
	for (unsigned int i = width; i > 0; i--) {
		to[i - 1] = (char)('0' + number % 10);
		number /= 10;
	}
	to[width] = after;
	return to + width + 1;
}

void
sp_line_milli(struct sp_line *line, const char *key, uint32_t thousandths)
{
	char text[sizeof ".123"];

	sp_line_number(line, key, thousandths / 1000);
	text[0] = '.';
	put_fixed(text + 1, thousandths % 1000, 3, '\0');
	add(line, text, sizeof text - 1);
}

void
sp_line_time(struct sp_line *line, const char *key, int64_t at_ms)
{
	const time_t at_s = (time_t)(at_ms / 1000);
	char text[sizeof "2026-01-31T12:00:00.123Z\""];
	char *to = text;
	struct tm tm;

	gmtime_r(&at_s, &tm);
	to = put_fixed(to, (unsigned int)tm.tm_year + 1900u, 4, '-');
	to = put_fixed(to, (unsigned int)tm.tm_mon + 1u, 2, '-');
	to = put_fixed(to, (unsigned int)tm.tm_mday, 2, 'T');
	to = put_fixed(to, (unsigned int)tm.tm_hour, 2, ':');
	to = put_fixed(to, (unsigned int)tm.tm_min, 2, ':');
	to = put_fixed(to, (unsigned int)tm.tm_sec, 2, '.');
	put_fixed(to, (unsigned int)(at_ms % 1000), 3, 'Z');
	sp_line_text(line, key, text, sizeof text - 2);
}
