/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/bencode.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "relay/cursor.h"

#define NUMBER_TEXT 32u /* longest int64_t or real, and what surrounds it */

struct reader {
	struct sp_cursor c;
	unsigned int values;
	enum sp_status status;
};

static json_t *
fail(struct reader *r, enum sp_status status)
{
	if (r->status == SP_OK)
		r->status = r->c.failed ? SP_SHORT : status;
	return NULL;
}

static bool
is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* The byte that comes next, 0 at the end: which no value starts with. */
static uint8_t
peek(const struct reader *r)
{
	return sp_cursor_left(&r->c) > 0 ? *r->c.at : 0;
}

/* LENGTH ":" BYTES */
static const char *
read_bytes(struct reader *r, size_t *len)
{
	const size_t most = sp_cursor_left(&r->c);
	const uint8_t *at;
	size_t n = 0;
	uint8_t byte = sp_cursor_u8(&r->c);

	if (!is_digit(byte)) {
		fail(r, SP_MALFORMED);
		return NULL;
	}
	/* It stops growing where it is too long for sure: no overflow. */
	for (; is_digit(byte); byte = sp_cursor_u8(&r->c))
		if (n <= most)
			n = n * 10 + (byte - '0');
	if (byte != ':') {
		fail(r, SP_MALFORMED);
		return NULL;
	}
	at = sp_cursor_take(&r->c, n);
	if (!at)
		fail(r, SP_SHORT);
	*len = n;
	return (const char *)at;
}

/* [SIGN] DIGITS "e", after the "i" */
static json_t *
read_integer(struct reader *r)
{
	uint8_t byte = sp_cursor_u8(&r->c);
	const bool minus = byte == '-';
	int64_t n = 0;

	if (byte == '-' || byte == '+')
		byte = sp_cursor_u8(&r->c);
	if (!is_digit(byte))
		return fail(r, SP_MALFORMED);
	for (; is_digit(byte); byte = sp_cursor_u8(&r->c)) {
		const int64_t digit = byte - '0';

		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, minus ? -digit : digit, &n))
			return fail(r, SP_MALFORMED);
	}
	if (byte != 'e')
		return fail(r, SP_MALFORMED);
	return json_integer(n);
}

static json_t *read_value(struct reader *r, unsigned int depth);

/* VALUE ... "e", after the "l" */
static json_t *
read_list(struct reader *r, unsigned int depth)
{
	json_t *list = json_array();

	while (list && peek(r) != 'e') {
		json_t *value = read_value(r, depth);

		if (json_array_append_new(list, value) != 0) {
			fail(r, SP_NO_MEMORY);
			json_decref(list);
			return NULL;
		}
	}
	sp_cursor_u8(&r->c);
	return list;
}

/* KEY VALUE ... "e", after the "d" */
static json_t *
read_dictionary(struct reader *r, unsigned int depth)
{
	json_t *dictionary = json_object();

	while (dictionary && peek(r) != 'e') {
		size_t len = 0;
		const char *key = read_bytes(r, &len);
		json_t *value = NULL;

		/* Whoever looks up or lists keys takes them for C's texts. */
		if (key && memchr(key, '\0', len))
			fail(r, SP_MALFORMED);
		else if (key)
			value = read_value(r, depth);
		if (!value ||
			json_object_setn_new_nocheck(
				dictionary, key, len, value) != 0) {
			fail(r, SP_NO_MEMORY);
			json_decref(dictionary);
			return NULL;
		}
	}
	sp_cursor_u8(&r->c);
	return dictionary;
}

/* Never NULL without a status that says why. */
static json_t *
read_value(struct reader *r, unsigned int depth)
{
	const uint8_t first = peek(r);
	json_t *value = NULL;
	const char *at;
	size_t len = 0;

	if (depth == 0 || ++r->values > SP_BENCODE_VALUES)
		return fail(r, SP_TOO_LONG);
	if (is_digit(first)) {
		at = read_bytes(r, &len);
		value = at ? json_stringn_nocheck(at, len) : NULL;
	} else {
		sp_cursor_u8(&r->c);
		if (first == 'i')
			value = read_integer(r);
		else if (first == 'l')
			value = read_list(r, depth - 1);
		else if (first == 'd')
			value = read_dictionary(r, depth - 1);
		else
			return fail(r, SP_MALFORMED);
	}
	return value ? value : fail(r, SP_NO_MEMORY);
}

enum sp_status
sp_bencode_parse(const char *data, size_t len, json_t **out)
{
	struct reader r = { .c = sp_cursor((const uint8_t *)data, len) };
	json_t *tree = read_value(&r, SP_BENCODE_DEPTH);

	if (!tree)
		return r.status;
	*out = tree;
	return SP_OK;
}

struct writer {
	char *at;
	char *end;
	enum sp_status status;
};

static void
put(struct writer *w, const char *bytes, size_t len)
{
	if (len > (size_t)(w->end - w->at)) {
		w->status = SP_NO_SPACE;
		w->end = w->at; /* nothing more: it would not fit together */
		return;
	}
	memcpy(w->at, bytes, len);
	w->at += len;
}

/* @before and @after around a number; @before may be NUL, for none. */
static void
put_number(struct writer *w, char before, int64_t number, char after)
{
	char text[NUMBER_TEXT];
	char *at = text + sizeof text;
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

	*--at = after;
	do
		*--at = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (number < 0)
		*--at = '-';
	if (before)
		*--at = before;
	put(w, at, (size_t)(text + sizeof text - at));
}

static void
put_bytes(struct writer *w, const char *bytes, size_t len)
{
	put_number(w, '\0', (int64_t)len, ':');
	put(w, bytes, len);
}

static void
put_real(struct writer *w, double real)
{
	char text[NUMBER_TEXT];
	const int len = snprintf(text, sizeof text, "%.6g", real);

	put_bytes(w, text, (size_t)len);
}

static void put_value(struct writer *w, const json_t *value, unsigned depth);

static void
put_dictionary(struct writer *w, json_t *dictionary, unsigned int depth)
{
	void *at = json_object_iter(dictionary);

	put(w, "d", 1);
	for (; at; at = json_object_iter_next(dictionary, at)) {
		put_bytes(w, json_object_iter_key(at),
			json_object_iter_key_len(at));
		put_value(w, json_object_iter_value(at), depth);
	}
	put(w, "e", 1);
}

static void
put_value(struct writer *w, const json_t *value, unsigned int depth)
{
	const json_t *item;
	size_t i;

	if (depth == 0) {
		w->status = SP_TOO_LONG;
		return;
	}
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		/* Jansson's iterators are for changing it, too. */
		put_dictionary(w, (json_t *)(uintptr_t)value, depth - 1);
		break;
	case JSON_ARRAY:
		put(w, "l", 1);
		json_array_foreach(value, i, item)
			put_value(w, item, depth - 1);
		put(w, "e", 1);
		break;
	case JSON_STRING:
		put_bytes(
			w, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		put_number(w, 'i', json_integer_value(value), 'e');
		break;
	case JSON_REAL:
		put_real(w, json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		put_number(w, 'i', json_is_true(value), 'e');
		break;
	case JSON_NULL:
		put_bytes(w, "", 0);
		break;
	}
}

enum sp_status
sp_bencode_write(const json_t *tree, char *out, size_t room, size_t *len)
{
	struct writer w = { .at = out, .end = out + room };

	put_value(&w, tree, SP_BENCODE_DEPTH);
	if (w.status == SP_OK)
		*len = (size_t)(w.at - out);
	return w.status;
}
