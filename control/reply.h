/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_REPLY_H
#define SP_CONTROL_REPLY_H

#include "control/problem.h"
#include "control/service.h"

/* How requests are answered: problems, and calls as JSON. Core: control. */

/* Who waits for the answer to what. */
struct sp_asker {
	sp_reply_fn reply; /* NULL: nobody waits */
	void *arg;
	enum sp_verb verb;
	enum sp_door door;
	uint64_t began_us;
	uint32_t hidden; /* query: bits of the parties that are not asked for */
};

/* Return who asks @request. */
static inline struct sp_asker
sp_asker(const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	return (struct sp_asker){ reply, arg, request->verb, request->door,
		request->began_us, 0 };
}

/*
 * Answer with @body, or with a problem if it is NULL because memory ran out.
 * Owns: @body, which is released.
 */
void sp_reply_body(
	struct sp_service *s, const struct sp_asker *asker, json_t *body);

/* Answer with @problem. */
void sp_reply_problem(struct sp_service *s, const struct sp_asker *asker,
	const struct sp_problem *problem);

/* Answer that there is no such call. */
void sp_reply_unknown(struct sp_service *s, const struct sp_asker *asker);

/* Put @status, which no more is known about, into words. */
void sp_reply_status(struct sp_problem *problem, enum sp_status status);

/*
 * Fill @problem: there is no room for it now. @type is stable and static,
 * such as "no-ports".
 */
void sp_reply_full(struct sp_problem *problem, const char *type,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Return "offered", "answered" or "ending". */
const char *sp_reply_state(const struct sp_call *call);

/* Return the label of a drop's row in a flow's report. */
const char *sp_reply_verdict(unsigned int row);

/* Return how m= line @m of @party is keyed: "clear", "sdes", "end-to-end". */
const char *sp_reply_keying(const struct sp_party *party, unsigned int m);

/* Return the name of the suite that it sends under; NULL: not by SDES. */
const char *sp_reply_suite(const struct sp_party *party, unsigned int m);

/* Drops that rtpengine calls errors: it was let in, but not sent on. */
#define SP_REPLY_ERRORS 5u
extern const enum sp_verdict sp_reply_errors[SP_REPLY_ERRORS];

/* What came on a port, in rtpengine's terms. */
struct sp_stream_sum {
	uint64_t packets;
	uint64_t octets;
	uint64_t errors; /* packets that could not be sent on */
};
void sp_reply_stream_sum(
	const struct sp_flow_report *report, struct sp_stream_sum *out);
void sp_reply_stream_add(
	struct sp_stream_sum *to, const struct sp_stream_sum *more);

/* Add what @leg's flows did before to what the one there is reports. */
void sp_reply_sum(const struct sp_leg *leg, const struct sp_flow_report *now,
	struct sp_flow_report *out);

/* Return a JSON string, also of text that is not UTF-8; NULL without memory. */
json_t *sp_reply_text(const char *at, size_t len);

/*
 * Describe @call to @asker in the way of its door: the parties of @cast with
 * what their flows reported. @report has one entry for each running flow of
 * @cast, in its order (as sp_program_all has it).
 *
 * Owns: the caller releases it; NULL without memory, and without an asker.
 */
json_t *sp_reply_call(const struct sp_service *s, const struct sp_asker *asker,
	const struct sp_call *call, const struct sp_cast *cast,
	const struct sp_flow_report *report, const char *state);

#endif
