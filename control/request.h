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
#define SP_METADATA_MAX 1024u

/*
 * What can be asked. The name is the ng command; in HTTP's paths and in
 * metrics blanks are underscores.
 *
 * X(name, text)
 */
/* clang-format off */
#define SP_VERB_LIST_ALL(X)                                                   \
	X(OFFER,           "offer")                                           \
	X(ANSWER,          "answer")                                          \
	X(DELETE,          "delete")                                          \
	X(QUERY,           "query") /* one call */                            \
	X(LIST,            "list")                                            \
	X(PING,            "ping") /* answered by the doors */                \
	X(STATISTICS,      "statistics")                                      \
	X(BLOCK_MEDIA,     "block media")                                     \
	X(UNBLOCK_MEDIA,   "unblock media")                                   \
	X(SILENCE_MEDIA,   "silence media")                                   \
	X(UNSILENCE_MEDIA, "unsilence media")                                 \
	X(BLOCK_DTMF,      "block DTMF")                                      \
	X(UNBLOCK_DTMF,    "unblock DTMF")
/* clang-format on */

enum sp_verb {
#define X(name, text) SP_VERB_##name,
	SP_VERB_LIST_ALL(X)
#undef X
	SP_VERB_COUNT
};

/* How the request came, which decides how its reply is laid out. */
enum sp_door {
	SP_DOOR_HTTP, /* control/openapi.yaml */
	SP_DOOR_NG,   /* as rtpengine does */
};

/* A borrowed piece of text; @len 0: not given. */
struct sp_text {
	const char *at;
	size_t len;
};

/* The TOS byte of what a call sends. */
enum sp_tos {
	SP_TOS_DEFAULT, /* the realm's DSCP */
	SP_TOS_KEEP,    /* what the call has now */
	SP_TOS_SET,     /* sp_request.tos */
};

/* One request. Fields that a verb does not take stay zero. */
struct sp_request {
	enum sp_verb verb;
	enum sp_door door;
	uint64_t began_us; /* CLOCK_MONOTONIC; 0: now, sp_command() says */
	struct sp_text call_id;
	struct sp_text from_tag; /* of a list: calls with it */
	struct sp_text to_tag;
	struct sp_text branch;
	struct sp_text label;    /* of the party, or who is meant by it; of
				    a list: calls with it */
	struct sp_text to_label; /* of the sink that is meant */
	struct sp_text metadata; /* stored, for queries and records */
	struct sp_text sdp;
	struct sp_text from_realm;
	struct sp_text to_realm;
	struct sp_addr signalling_source; /* NONE: not given */
	struct sp_addr address; /* whose SDP named it is meant; NONE */
	bool has_latch;
	enum sp_latch_policy latch;
	struct sp_policy policy; /* rtcp_mux, replace, address_family, ... */
	enum sp_tos tos_mode;
	uint8_t tos;
	bool has_delete_delay;
	uint32_t delete_delay_s; /* until a deleted call ends */
	bool trust_source;    /* media is at signalling_source, not as in SDP */
	bool new_ports;       /* a changed address gets other ports of ours */
	bool loop_protect;    /* mark the SDP, and leave it if it is marked */
	bool fragment;        /* the body is an ICE fragment, not SDP */
	bool directional;     /* from_tag says who is meant, not who asks */
	bool all;             /* all of the call, of whatever kind */
	bool of_reply;        /* delete: the SIP message at hand is a reply */
	bool fatal;           /* delete: an unknown call is an error */
	uint32_t limit;       /* of a list; on ng 0 is no limit */
	struct sp_text after; /* of a list: calls after this one */
	struct json_t *tree;  /* owns the texts; sp_request_close() */
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
 * Read an ng dictionary, whose "command" is @verb. Keys, flags and values
 * that are not known or not supported are named in @warnings, an array that
 * gets a string for each; they never fail a request.
 *
 * Owns:  @out holds a reference to @dictionary until sp_request_close(@out).
 * Fails: as sp_request_parse, for a key that is missing, too long or not of
 *        any use; @problem->where is then the JSON field's name.
 */
enum sp_status sp_request_ng(enum sp_verb verb, struct json_t *dictionary,
	struct json_t *warnings, struct sp_request *out,
	struct sp_problem *problem) SP_MUST_CHECK;

/*
 * Make a request about one call that is named in a path; @id is copied.
 * Fails: SP_UNSUPPORTED, as above, for an empty or long name.
 */
enum sp_status sp_request_call(enum sp_verb verb, struct sp_text id,
	struct sp_request *out, struct sp_problem *problem) SP_MUST_CHECK;

/*
 * Make a list request; @limit and @after may be NULL, and are copied.
 * Fails: SP_UNSUPPORTED for what is no number or too long.
 */
enum sp_status sp_request_list(const char *limit, const struct sp_text *after,
	struct sp_request *out, struct sp_problem *problem) SP_MUST_CHECK;

/*
 * Narrow @list, a request for a list, to calls with a party of that @tag
 * and one of that @label; texts whose bytes are NULL ask nothing. Both are
 * copied.
 *
 * Fails: SP_UNSUPPORTED for an empty or too long text, SP_NO_MEMORY; @problem
 *        then says which. @list is to be closed in any case.
 */
enum sp_status sp_request_narrow(struct sp_request *list,
	const struct sp_text *tag, const struct sp_text *label,
	struct sp_problem *problem) SP_MUST_CHECK;

/* Release what one of the above made; nothing for an all-zero one. */
void sp_request_close(struct sp_request *request);

/*
 * Decode %41 in place and set @len; false for bad hex digits and for NUL,
 * which would end the text early for whoever looks next.
 *
 * Spec: RFC 3986 section 2.1.
 */
bool sp_request_unescape(char *text, size_t *len) SP_MUST_CHECK;

#endif
