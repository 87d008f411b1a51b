/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_PROBLEM_H
#define SP_CONTROL_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "control/request.h"
#include "relay/status.h"

/* Refusals: one table of kinds, and their JSON (RFC 9457). Core: control. */

/* clang-format off */
#define SP_PROBLEM_LIST(X)                                                    \
	X(BAD_JSON,      400, "bad-json",        "The body is not JSON")      \
	X(BAD_QUERY,     400, "bad-query",       "A query parameter is wrong") \
	X(UNAUTHORIZED,  401, "unauthorized",    "A token is needed")         \
	X(FORBIDDEN,     403, "forbidden",       "Not allowed")               \
	X(NO_PATH,       404, "unknown-path",    "No such path")              \
	X(NO_CALL,       404, "unknown-call",    "No such call")              \
	X(NO_LABEL,      404, "unknown-label",   "No party has this label")   \
	X(NO_ADDRESS,    404, "unknown-address", "No party has this address") \
	X(NO_TAG,        404, "unknown-tag",     "No party has this tag")     \
	X(NO_SINK,       404, "unknown-sink",    "No such media flow")        \
	X(METHOD,        405, "method",          "Not this method")           \
	X(CONFLICT,      409, "conflict",        "Does not fit the call")     \
	X(TOO_LARGE,     413, "too-large",       "The body is too large")     \
	X(CONTENT_TYPE,  415, "content-type",    "The body is not JSON")      \
	X(UNKNOWN_FIELD, 400, "unknown-field",   "No such field")             \
	X(MISSING_FIELD, 400, "missing-field",   "A field is missing")        \
	X(BAD_VALUE,     400, "bad-value",       "A field's value is wrong")  \
	X(BAD_SDP,       422, "bad-sdp",         "The SDP is wrong")          \
	X(BAD_REALM,     400, "unknown-realm",   "No such realm")             \
	X(ADDRESS,       422, "address",         "An address is not allowed") \
	X(SRTP,          422, "srtp-required",   "The realm requires SRTP")   \
	X(INTERNAL,      500, "internal",        "Our own failure")           \
	X(CAPACITY,      503, "capacity",        "No room for it now")        \
	X(DRAINING,      503, "draining",        "Going out of service")

/* What there is no room for now: the types of sp_reply_full()'s problems. */
#define SP_PROBLEM_FULL_LIST(X)                                               \
	X("call-busy")                                                        \
	X("max-calls")                                                        \
	X("no-memory")                                                        \
	X("no-ports")                                                         \
	X("worker-busy")                                                      \
	X("worker-stuck")
/* clang-format on */

enum sp_problem_kind {
#define X(name, http, type, title) SP_PROBLEM_##name,
	SP_PROBLEM_LIST(X)
#undef X
	SP_PROBLEM_COUNT
};

/*
 * Fill @p: what was wrong at @where (a field, "sdp line 7", or ""), and what
 * to do, printf style and cut to its room.
 */
void sp_problem_set(struct sp_problem *p, enum sp_problem_kind kind,
	const char *where, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Is @type of SP_PROBLEM_FULL_LIST, and so described in openapi.yaml? */
bool sp_problem_is_full(const char *type);

/*
 * Return @p as JSON text for application/problem+json.
 *
 * Owns: the caller frees it; NULL without memory.
 */
char *sp_problem_text(const struct sp_problem *p);

/*
 * Return the entry of @known that @word was most likely meant to be, or NULL
 * when none is near. @known is @stride bytes a row, each starting with a
 * const char *; so a table of structs will do.
 */
const char *sp_problem_nearest(
	const char *word, const void *known, size_t count, size_t stride);

#endif
