/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_REQUEST_H
#define SP_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/addr.h"
#include "relay/latch.h"
#include "relay/negotiate.h"
#include "relay/status.h"

/*
 * What a client asks, whichever door it came through, as plain values that
 * borrow the request's bytes. The JSON door is in this file's .c; Jansson ends
 * there. Core: control.
 */

#define SP_BODY_MAX 65536u /* bytes of a request body */
#define SP_TAG_MAX 255u    /* bytes of a call-id, tag, branch, label */

enum sp_verb {
	SP_VERB_OFFER,
	SP_VERB_ANSWER,
	SP_VERB_DELETE,
	SP_VERB_QUERY, /* one call */
	SP_VERB_LIST,
	SP_VERB_COUNT
};

/* A borrowed piece of text; @len 0: not given. */
struct sp_text {
	const char *at;
	size_t len;
};

/* One request. Fields that a verb does not take stay zero. */
struct sp_request {
	enum sp_verb verb;
	struct sp_text call_id;
	struct sp_text from_tag;
	struct sp_text to_tag;
	struct sp_text branch;
	struct sp_text label;
	struct sp_text sdp;
	struct sp_text from_realm;
	struct sp_text to_realm;
	struct sp_addr signalling_source; /* NONE: not given */
	bool has_latch;
	enum sp_latch_policy latch;
	struct sp_policy policy; /* rtcp_mux, replace, address_family, ... */
	uint32_t limit;          /* of a list */
	struct sp_text after;    /* of a list: calls after this one */
	struct json_t *tree;     /* owns the texts; sp_request_close() */
};

/*
 * Why a request was refused: becomes application/problem+json (RFC 9457).
 * @type is the stable last part of the problem type, e.g. "unknown-field".
 */
struct sp_problem {
	int http;         /* status code */
	const char *type; /* static */
	char title[64];
	char detail[320];           /* what, where, and what to do */
	char where[64];             /* JSON field or "sdp line 7", or "" */
	unsigned int retry_after_s; /* 0: no such header */
};

#define SP_LIST_LIMIT 100u      /* calls in a list, unless asked ... */
#define SP_LIST_LIMIT_MAX 1000u /* ... for up to so many */

/*
 * Read the JSON body of an offer, answer or delete.
 *
 * Owns:  @out's texts live until sp_request_close(@out), after SP_OK only.
 * Fails: SP_MALFORMED for what is not JSON, SP_UNSUPPORTED for a field or
 *        value that is not known, missing, too long or of the wrong type,
 *        SP_NO_MEMORY; @problem then says which, @out is untouched.
 * Spec:  RFC 8259; control/openapi.yaml.
 */
enum sp_status sp_request_parse(enum sp_verb verb, const char *body, size_t len,
	struct sp_request *out, struct sp_problem *problem) SP_MUST_CHECK;

/*
 * Make a request about one call that is named in a path; @id is borrowed.
 * Fails: SP_UNSUPPORTED, as above, for an empty or long name.
 */
enum sp_status sp_request_call(enum sp_verb verb, struct sp_text id,
	struct sp_request *out, struct sp_problem *problem) SP_MUST_CHECK;

/*
 * Make a list request; @limit and @after may be NULL, and are borrowed.
 * Fails: SP_UNSUPPORTED for what is no number or too long.
 */
enum sp_status sp_request_list(const char *limit, const struct sp_text *after,
	struct sp_request *out, struct sp_problem *problem) SP_MUST_CHECK;

/* Free what sp_request_parse made. */
void sp_request_close(struct sp_request *request);

/*
 * Decode %41 in place and set @len; false for bad hex digits and for NUL,
 * which would end the text early for whoever looks next.
 *
 * Spec: RFC 3986 section 2.1.
 */
bool sp_request_unescape(char *text, size_t *len) SP_MUST_CHECK;

#endif
