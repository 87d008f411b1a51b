/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_LINE_H
#define SP_CONTROL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/status.h"

/*
 * One JSON object as one line of text, written straight through: a record of
 * a call costs a few microseconds, a tree of Jansson's ten times that.
 *
 *     sp_line_begin(&line);
 *     sp_line_string(&line, "event", "call_end");
 *     sp_line_open(&line, "parties", '[');
 *     ...
 *     sp_line_close(&line, ']');
 *     if (sp_line_end(&line))
 *             use(line.text, line.len);
 *
 * Keys are plain ASCII; in an array they are NULL. Core: control.
 */
struct sp_line {
	char *text; /* kept from line to line; sp_line_free() */
	size_t len;
	size_t size;
	bool failed; /* out of memory */
};

/* Start a line; what is in @line goes, but for its memory. */
void sp_line_begin(struct sp_line *line);

/* End it with a newline. Fails: false if it has not all that was written. */
bool sp_line_end(struct sp_line *line);

void sp_line_free(struct sp_line *line);

/* Open an object or an array: @bracket is its first byte, '{' or '['. */
void sp_line_open(struct sp_line *line, const char *key, char bracket);
void sp_line_close(struct sp_line *line, char bracket);

/* Write text of any bytes; those that are not UTF-8 become '?'. */
void sp_line_text(
	struct sp_line *line, const char *key, const char *at, size_t len);

/* The same for text that ends in NUL; NULL is null. */
void sp_line_string(struct sp_line *line, const char *key, const char *text);

void sp_line_number(struct sp_line *line, const char *key, int64_t number);
void sp_line_bool(struct sp_line *line, const char *key, bool value);
void sp_line_null(struct sp_line *line, const char *key);

/* Write thousandths: 12345 as 12.345. */
void sp_line_milli(struct sp_line *line, const char *key, uint32_t thousandths);

/*
 * Write a time as text: 2026-01-31T12:00:00.123Z.
 * Units: milliseconds since 1970.
 * Spec:  RFC 3339.
 */
void sp_line_time(struct sp_line *line, const char *key, int64_t at_ms);

#endif
