/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_STATUS_H
#define SP_RELAY_STATUS_H

/* Why a call failed. Every function on untrusted input answers one of these. */

#define SP_MUST_CHECK __attribute__((warn_unused_result))

/* clang-format off */
#define SP_STATUS_LIST(X)                                                     \
	X(OK,          "ok")                                                  \
	X(SHORT,       "input ends before a field does")                      \
	X(MALFORMED,   "input breaks the grammar")                            \
	X(TOO_LONG,    "input is larger than its limit")                      \
	X(UNSUPPORTED, "understood, but not offered here")                    \
	X(FORBIDDEN,   "not allowed: policy or address")                      \
	X(NOT_FOUND,   "no such call, party or object")                       \
	X(CONFLICT,    "does not fit the state it meets")                     \
	X(FULL,        "a pool, ring or limit is exhausted")                  \
	X(NO_SPACE,    "the output buffer is too small")                      \
	X(NO_MEMORY,   "out of memory")                                       \
	X(SYSTEM,      "kernel, NIC or library failed: see the log")
/* clang-format on */

enum sp_status {
#define X(name, text) SP_##name,
	SP_STATUS_LIST(X)
#undef X
	SP_STATUS_COUNT
};

/* Return the English text of @status; never NULL, static storage. */
const char *sp_status_text(enum sp_status status);

#endif
