/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/reply.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/job.h"
#include "control/keys.h"
#include "control/reply_http.h"
#include "control/reply_ng.h"

#define RETRY_AFTER_S 5u

void
sp_reply_body(struct sp_service *s, const struct sp_asker *asker, json_t *body)
{
	const struct sp_reply reply = { .http = 200, .body = body };
	struct sp_problem problem;

	if (!asker->reply) {
		json_decref(body);
		return;
	}
	if (!body) {
		sp_reply_status(&problem, SP_NO_MEMORY);
		sp_reply_problem(s, asker, &problem);
		return;
	}
	sp_metrics_count_reply(s, asker, reply.http);
	asker->reply(asker->arg, &reply);
	json_decref(body);
}

void
sp_reply_problem(struct sp_service *s, const struct sp_asker *asker,
	const struct sp_problem *problem)
{
	const struct sp_reply reply = {
		.http = problem->http,
		.problem = problem,
	};

	if (!asker->reply)
		return;
	sp_metrics_count_reply(s, asker, reply.http);
	asker->reply(asker->arg, &reply);
}

void
sp_reply_unknown(struct sp_service *s, const struct sp_asker *asker)
{
	struct sp_problem problem;

	sp_problem_set(&problem, SP_PROBLEM_NO_CALL, "call_id",
		"there is no such call here: it has ended, or never began");
	sp_reply_problem(s, asker, &problem);
}

void
sp_reply_status(struct sp_problem *problem, enum sp_status status)
{
	sp_problem_set(
		problem, SP_PROBLEM_INTERNAL, "", "%s", sp_status_text(status));
	if (status == SP_NO_MEMORY || status == SP_FULL)
		sp_reply_full(problem,
			status == SP_FULL ? "worker-busy" : "no-memory",
			"%s: ask another relay", sp_status_text(status));
}

void
sp_reply_full(
	struct sp_problem *problem, const char *type, const char *format, ...)
{
	char text[sizeof problem->detail];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	assert(sp_problem_is_full(type));
	sp_problem_set(problem, SP_PROBLEM_CAPACITY, "", "%s", text);
	problem->type = type;
	problem->retry_after_s = RETRY_AFTER_S;
}

json_t *
sp_reply_text(const char *at, size_t len)
{
	json_t *text = json_stringn(at, len);
	char *plain;

	if (text)
		return text;
	plain = malloc(len + 1);
	if (!plain)
		return NULL;
	for (size_t i = 0; i < len; i++)
		plain[i] = at[i] & 0x80 ? '?' : at[i];
	text = json_stringn(plain, len);
	free(plain);
	return text;
}

const char *
sp_reply_state(const struct sp_call *call)
{
	if (call->ends_ms > 0 ||
		(call->job && call->job->stage == SP_STAGE_END))
		return "ending";
	return sp_party_answered(&call->cast) ? "answered" : "offered";
}

const char *
sp_reply_verdict(unsigned int row)
{
	static const char *const label[] = {
#define X(name, text, help) [SP_VERDICT_##name] = text,
		SP_VERDICT_LIST(X)
#undef X
	};

	return label[SP_VERDICT_FORWARD + 1 + row];
}

const char *
sp_reply_keying(const struct sp_party *party, unsigned int m)
{
	static const char *const name[] = {
		[SP_KEYING_CLEAR] = "clear",
		[SP_KEYING_SDES] = "sdes",
		[SP_KEYING_OSRTP] = "sdes",
		[SP_KEYING_END_TO_END] = "end-to-end",
	};
	uint8_t in, out;

	return name[sp_keys_of(party, m, &in, &out)];
}

const char *
sp_reply_suite(const struct sp_party *party, unsigned int m)
{
	uint8_t in, out;

	sp_keys_of(party, m, &in, &out);
	return in == SP_SRTP_NONE ? NULL : sp_srtp_facts(in)->name;
}

const enum sp_verdict sp_reply_errors[SP_REPLY_ERRORS] = {
	SP_VERDICT_NOT_MEDIA,
	SP_VERDICT_MALFORMED,
	SP_VERDICT_NO_NEXT_HOP,
	SP_VERDICT_TOO_BIG,
	SP_VERDICT_TX_FULL,
};

void
sp_reply_stream_sum(
	const struct sp_flow_report *report, struct sp_stream_sum *out)
{
	*out = (struct sp_stream_sum){ report->packets, report->octets, 0 };
	for (unsigned int i = 0; i < SP_REPLY_ERRORS; i++)
		out->errors += report->dropped[sp_reply_errors[i] -
			SP_VERDICT_FORWARD - 1];
}

void
sp_reply_stream_add(struct sp_stream_sum *to, const struct sp_stream_sum *more)
{
	to->packets += more->packets;
	to->octets += more->octets;
	to->errors += more->errors;
}

void
sp_reply_sum(const struct sp_leg *leg, const struct sp_flow_report *now,
	struct sp_flow_report *out)
{
	const struct sp_flow_report *past = leg->past;

	*out = *now;
	if (!past)
		return;
	out->sent += past->sent;
	out->packets += past->packets;
	out->octets += past->octets;
	for (unsigned int v = 0; v < SP_FLOW_VERDICTS; v++)
		out->dropped[v] += past->dropped[v];
	if (!now->has_quality) {
		out->has_quality = past->has_quality;
		out->quality = past->quality;
		return;
	}
	out->quality.packets += past->quality.packets;
	out->quality.expected += past->quality.expected;
	out->quality.lost += past->quality.lost;
	out->quality.reordered += past->quality.reordered;
	out->quality.duplicates += past->quality.duplicates;
}

json_t *
sp_reply_call(const struct sp_service *s, const struct sp_asker *asker,
	const struct sp_call *call, const struct sp_cast *cast,
	const struct sp_flow_report *report, const char *state)
{
	if (!asker->reply)
		return NULL;
	if (asker->door == SP_DOOR_NG)
		return sp_reply_ng(s, call, cast, report, asker->hidden);
	return sp_reply_http(s, call, cast, report, state);
}
