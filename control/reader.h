/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_READER_H
#define SP_CONTROL_READER_H

#include <jansson.h>

#include "control/flags.h"
#include "control/problem.h"

/*
 * From values to struct sp_request, as the rows of flags.h say: what the
 * strict reader (HTTP) and the lenient one (ng) have in common. Every
 * function that returns bool says whether to go on; when not, the problem is
 * set. Core: control.
 */

#define SP_READER_WARNINGS 16u /* in one reply; what is more is counted out */

struct sp_reader {
	struct sp_request *to;
	struct sp_problem *problem;
	json_t *warnings; /* array; NULL: strict, as HTTP is */
	json_t *kept;     /* array of what else the texts lie in, or NULL */
	bool in_flags;    /* these are flags, not the dictionary's keys */
	bool has_only;    /* of SDES: no other suites than these */
	uint8_t n_only;
	uint8_t only[SP_SRTP_SUITES];
	bool no_memory;
};

/* A value: of a tree, or if @json is NULL a part of a text. */
struct sp_value {
	json_t *json;
	struct sp_text text;
};

static inline bool
sp_reader_strict(const struct sp_reader *r)
{
	return !r->warnings;
}

/* Do what @f says with @value. Not for SP_FLAG_FLAGS and SP_FLAG_STRING. */
bool sp_reader_set(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value) SP_MUST_CHECK;

/* Check what only the whole request shows, and that nothing is missing. */
bool sp_reader_finish(struct sp_reader *r) SP_MUST_CHECK;

/*
 * @f's value is of no use: refuse the request, or if lenient say so in a
 * warning and go on.
 */
bool sp_reader_bad(struct sp_reader *r, const struct sp_flag *f,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Add a warning; what a client wrote of it is made printable. */
void sp_reader_warn(struct sp_reader *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Keep @json, which is given away, as long as the request.
 * Fails: SP_NO_MEMORY, with the problem set; also for NULL.
 */
bool sp_reader_keep(struct sp_reader *r, json_t *json) SP_MUST_CHECK;

/* Is @value a string? */
bool sp_reader_text(const struct sp_value *value, struct sp_text *out);

/* @given is none of @f's words: complain. */
bool sp_reader_unknown(struct sp_reader *r, const struct sp_flag *f,
	struct sp_text given) SP_MUST_CHECK;

/* How the name of @f is spelled at this door. */
const char *sp_reader_name(const struct sp_reader *r, const struct sp_flag *f);

/*
 * Find the word of @f that @given is, into @out; NULL when it is unknown or
 * not supported, which was then complained about.
 */
bool sp_reader_word(struct sp_reader *r, const struct sp_flag *f,
	struct sp_text given, const struct sp_flag_word **out) SP_MUST_CHECK;

/*
 * The texts of a list, one by one. The lenient reader takes a string for a
 * list as well, with commas if it is @split.
 */
struct sp_words {
	json_t *list; /* NULL: @rest is */
	size_t next;
	struct sp_text rest;
	bool split;
	bool bad; /* something was no string */
};
struct sp_words sp_words(
	const struct sp_reader *r, const struct sp_value *value, bool split);
bool sp_words_next(struct sp_words *w, struct sp_text *out);

/* The two whose values are dictionaries of lists. */
bool sp_reader_codec(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value) SP_MUST_CHECK;
bool sp_reader_attr(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value) SP_MUST_CHECK;

/* Lists of what is asked of SDES and OSRTP. */
bool sp_reader_sdes(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value) SP_MUST_CHECK;

/* Let what was read of SDES make sense as a whole. */
bool sp_reader_sdes_finish(struct sp_reader *r) SP_MUST_CHECK;

#endif
