/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_NG_READER_H
#define SP_TESTS_NG_READER_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/request.h"

/* Requests of ng from JSON text. For inclusion in one test. */

#define CALL "\"call-id\":\"c\",\"from-tag\":\"f\""
#define OFFER CALL ",\"sdp\":\"v=0\""

/* A request that was read, and what was said of it. */
struct read {
	enum sp_status status;
	json_t *dictionary;
	json_t *warnings;
	struct sp_request request;
	struct sp_problem problem;
};

static inline struct read
read_ng(enum sp_verb verb, const char *body)
{
	struct read out = { .status = SP_OK };
	json_error_t error;

	out.dictionary = json_loads(body, JSON_ALLOW_NUL, &error);
	cr_assert(
		not(eq(ptr, out.dictionary, NULL)), "%s: %s", body, error.text);
	out.warnings = json_array();
	out.status = sp_request_ng(
		verb, out.dictionary, out.warnings, &out.request, &out.problem);
	return out;
}

static inline void
done(struct read *read)
{
	if (read->status == SP_OK)
		sp_request_close(&read->request);
	json_decref(read->dictionary);
	json_decref(read->warnings);
}

static inline const char *
warning(const struct read *read, size_t i)
{
	const char *text = json_string_value(json_array_get(read->warnings, i));

	return text ? text : "";
}

static inline bool
is(struct sp_text text, const char *want)
{
	return text.len == strlen(want) &&
		(text.len == 0 || memcmp(text.at, want, text.len) == 0);
}

#endif
