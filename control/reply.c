/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/reply.h"

#include <stdarg.h>
#include <string.h>

#include "control/job.h"

#define RETRY_AFTER_S 5u

static void
count(struct sp_service *s, const struct sp_asker *asker, int http)
{
	enum sp_result result = SP_RESULT_OK;

	if (http >= 500)
		result = http == 503 ? SP_RESULT_CAPACITY : SP_RESULT_FAILED;
	else if (http >= 400)
		result = SP_RESULT_REFUSED;
	s->metrics.requests[asker->verb][result]++;
}

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
	count(s, asker, reply.http);
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
	count(s, asker, reply.http);
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
	sp_problem_set(problem, SP_PROBLEM_CAPACITY, "", "%s", text);
	problem->type = type;
	problem->retry_after_s = RETRY_AFTER_S;
}

json_t *
sp_reply_text(const char *at, size_t len)
{
	char plain[SP_TAG_MAX];
	json_t *text = json_stringn(at, len);

	if (text || len > sizeof plain)
		return text;
	for (size_t i = 0; i < len; i++)
		plain[i] = at[i] & 0x80 ? '?' : at[i];
	return json_stringn(plain, len);
}

const char *
sp_reply_state(const struct sp_call *call)
{
	if (call->job && call->job->stage == SP_STAGE_END)
		return "ending";
	return sp_party_answered(&call->cast) ? "answered" : "offered";
}

/* Set @key; a missing value or object shows in the answer. */
static bool
set(json_t *to, const char *key, json_t *value)
{
	return json_object_set_new(to, key, value) == 0;
}

static bool
set_count(json_t *to, const char *key, uint64_t value)
{
	return set(to, key, json_integer((json_int_t)value));
}

static bool
set_addr(json_t *to, const char *key, const struct sp_addr *addr)
{
	char text[SP_ADDR_TEXT];

	if (addr->family == SP_FAMILY_NONE)
		return set(to, key, json_null());
	return set(to, key, json_string(sp_addr_print(addr, text)));
}

static bool
set_string(json_t *to, const char *key, const char *text)
{
	return !text || set(to, key, sp_reply_text(text, strlen(text)));
}

static json_t *
dropped(const struct sp_flow_report *report)
{
	static const char *const label[] = {
#define X(name, text, help) [SP_VERDICT_##name] = text,
		SP_VERDICT_LIST(X)
#undef X
	};
	json_t *out = json_object();
	bool fine = out != NULL;

	for (unsigned int i = 0; fine && i < SP_FLOW_VERDICTS; i++)
		if (report->dropped[i] > 0)
			fine = set_count(out, label[SP_VERDICT_FORWARD + 1 + i],
				report->dropped[i]);
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static const char *
class_name(uint8_t class)
{
	static const char *const name[] = {
		[SP_LATCH_NOBODY] = "none",
		[SP_LATCH_STRANGER] = "stranger",
		[SP_LATCH_SIP_SOURCE] = "signalling_source",
		[SP_LATCH_SAME_IP] = "same_ip",
		[SP_LATCH_EXACT] = "exact",
	};

	return class < sizeof name / sizeof *name ? name[class] : "none";
}

/* Whom a flow talks to, and what it has seen. */
static bool
set_flow(json_t *to, const struct sp_service *s, const struct sp_call *call,
	const struct sp_slot *slot, const struct sp_flow_report *report)
{
	const uint32_t began_ms =
		s->last_ms - (uint32_t)(s->now_ms - call->created_ms);
	const bool held = report->state == SP_LATCH_HELD;
	const int32_t idle_ms = (int32_t)(s->last_ms - report->seen_ms);
	bool fine = set_addr(to, "latched", &report->remote);

	fine &= set(to, "latched_at_ms",
		held && slot->latched_ms > 0
			? json_integer(slot->latched_ms - began_ms)
			: json_null());
	fine &= set_string(to, "class",
		class_name(held ? report->class : SP_LATCH_NOBODY));
	fine &= set_count(to, "moved", slot->moves);
	fine &= set_count(to, "contested", slot->rivals);
	fine &= set(to, "idle_ms",
		report->seen_ms > 0 ? json_integer(idle_ms > 0 ? idle_ms : 0)
				    : json_null());
	fine &= set_count(to, "packets", report->packets);
	fine &= set_count(to, "octets", report->octets);
	fine &= set_count(to, "sent", report->sent);
	fine &= set(to, "dropped", dropped(report));
	return fine;
}

static bool
set_quality(json_t *to, const struct sp_quality_report *quality)
{
	bool fine = set_count(to, "expected", quality->expected);

	fine &= set_count(to, "lost", quality->lost);
	fine &= set_count(to, "reordered", quality->reordered);
	fine &= set_count(to, "duplicates", quality->duplicates);
	fine &= set(to, "jitter_ms", json_real(quality->jitter_us / 1000.0));
	fine &= set(to, "mos", json_real(quality->mos_x100 / 100.0));
	fine &= set_count(to, "ssrc", quality->ssrc);
	fine &= set_count(to, "ssrc_changes", quality->ssrc_changes);
	return fine;
}

/* What a line did before it was switched off, or its port changed. */
static json_t *
earlier(const struct sp_flow_report *past)
{
	json_t *out = json_object();
	bool fine = set_count(out, "packets", past->packets);

	fine &= set_count(out, "octets", past->octets);
	fine &= set_count(out, "sent", past->sent);
	fine &= set(out, "dropped", dropped(past));
	if (past->has_quality)
		fine &= set_quality(out, &past->quality);
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static bool
set_local(json_t *to, const struct sp_service *s, const struct sp_slot *slot,
	const struct sp_addr *signalled)
{
	const struct sp_local *local = &s->ports.local[slot->local];
	struct sp_addr addr = local->addr;
	struct sp_addr advertised = local->advertised;
	bool fine;

	addr.port = advertised.port = slot->port;
	fine = set_addr(to, "local", &addr);
	fine &= set_addr(to, "advertised", &advertised);
	fine &= set_addr(to, "signalled", signalled);
	return fine;
}

/* RTCP on a port of its own. */
static json_t *
rtcp(const struct sp_service *s, const struct sp_call *call,
	const struct sp_slot *slot, const struct sp_media *media,
	const struct sp_flow_report *report)
{
	const struct sp_addr none = { 0 };
	json_t *out = json_object();
	bool fine = set_local(out, s, slot, media ? &media->rtcp : &none);

	fine &= set_flow(out, s, call, slot, report);
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static bool
set_media(json_t *out, const struct sp_media *media, const struct sp_leg *leg,
	bool on)
{
	static const char *const direction[] = {
		[SP_SDP_INACTIVE] = "inactive",
		[SP_SDP_SENDONLY] = "sendonly",
		[SP_SDP_RECVONLY] = "recvonly",
		[SP_SDP_SENDRECV] = "sendrecv",
	};
	bool fine = set(out, "on", json_boolean(on));

	fine &= set(out, "mux", json_boolean(leg->mux));
	fine &= set(out, "silent", json_boolean(leg->silent));
	if (media && media->live) {
		fine &= set_string(out, "kind",
			media->kind == SP_MEDIA_RTP ? "rtp" : "data");
		fine &= set_string(
			out, "direction", direction[media->direction & 3]);
		fine &= set(out, "secure", json_boolean(media->secure));
	}
	return fine;
}

/* One m= line; takes as many of @report as it has flows. */
static json_t *
describe_leg(const struct sp_service *s, const struct sp_call *call,
	const struct sp_party *party, unsigned int m,
	const struct sp_flow_report **report)
{
	const struct sp_addr none = { 0 };
	const struct sp_leg *leg = &party->leg[m];
	const struct sp_slot *slot = leg->slot;
	const struct sp_media *media = sp_party_media(party, m);
	json_t *out = json_object();
	bool fine = set_count(out, "index", m);

	fine &= set_media(out, media, leg, slot[SP_PART_RTP].flow != 0);
	if (slot[SP_PART_RTP].flow != 0) {
		const struct sp_flow_report *r = (*report)++;

		fine &= set_local(out, s, &slot[SP_PART_RTP],
			media ? &media->rtp : &none);
		fine &= set_flow(out, s, call, &slot[SP_PART_RTP], r);
		if (r->has_quality)
			fine &= set_quality(out, &r->quality);
	}
	if (leg->past)
		fine &= set(out, "earlier", earlier(leg->past));
	if (slot[SP_PART_RTCP].flow != 0)
		fine &= set(out, "rtcp",
			rtcp(s, call, &slot[SP_PART_RTCP], media, (*report)++));
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static json_t *
describe_party(const struct sp_service *s, const struct sp_call *call,
	const struct sp_party *party, const struct sp_flow_report **report)
{
	const bool caller = party->caller == SP_NOBODY;
	json_t *out = json_object();
	json_t *media = json_array();
	bool fine = set_string(out, "role", caller ? "caller" : "branch");

	fine &= set(out, "tag",
		party->tags ? sp_reply_text(party->tags->text, party->tags->len)
			    : json_null());
	fine &= set_string(out, "branch", party->branch);
	fine &= set_string(out, "label", party->label);
	fine &= set_string(out, "realm", s->conf->realm[party->realm].name);
	if (!caller)
		fine &= set(out, "answered", json_boolean(party->answered));
	for (unsigned int m = 0; m < party->legs; m++)
		fine &= json_array_append_new(media,
				describe_leg(s, call, party, m, report)) == 0;
	fine &= set(out, "media", media);
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}

json_t *
sp_reply_call(const struct sp_service *s, const struct sp_call *call,
	const struct sp_cast *cast, const struct sp_flow_report *report,
	const char *state)
{
	const struct sp_flow_report *at = report;
	json_t *out = json_object();
	json_t *parties = json_array();
	bool fine = set(out, "call_id", sp_reply_text(call->id, call->id_len));

	fine &= set_string(out, "state", state);
	fine &= set_count(out, "duration_ms", s->now_ms - call->created_ms);
	fine &= set_count(out, "worker", call->worker);
	for (uint8_t p = 0; p < cast->count; p++)
		fine &= json_array_append_new(parties,
				describe_party(s, call, cast->party[p], &at)) ==
			0;
	fine &= set(out, "parties", parties);
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}
