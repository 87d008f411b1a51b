/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/job.h"

#define IDS_BYTES 60000u /* of call-ids that fit into one datagram */
#define ID_MORE 6u       /* what is around each of them */

/* The parties that have nothing to do with the one of @tag. */
static uint32_t
strangers(const struct sp_cast *cast, struct sp_text tag)
{
	const uint8_t meant = sp_party_by_tag(cast, tag);
	uint32_t hidden = UINT32_MAX;

	if (tag.len == 0)
		return 0;
	for (uint8_t p = 0; meant != SP_NOBODY && p < cast->count; p++)
		if (p == meant || sp_party_other(cast, p) == meant ||
			sp_party_other(cast, meant) == p)
			hidden &= ~(UINT32_C(1) << p);
	return hidden;
}

void
sp_command_query(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	struct sp_asker asker = sp_asker(request, reply, arg);
	struct sp_problem problem;
	enum sp_status status;

	if (!call) {
		sp_reply_unknown(s, &asker);
		return;
	}
	asker.hidden = strangers(&call->cast,
		request->to_tag.len > 0 ? request->to_tag : request->from_tag);
	status = sp_job_read(s, call, &asker);
	if (status != SP_OK) {
		sp_reply_status(&problem, status);
		sp_reply_problem(s, &asker, &problem);
	}
}

static json_t *
summary(const struct sp_service *s, const struct sp_call *call)
{
	return json_pack("{s:o, s:s, s:i, s:I}", "call_id",
		sp_reply_text(call->id, call->id_len), "state",
		sp_reply_state(call), "parties", (int)call->cast.count,
		"duration_ms", (json_int_t)(s->now_ms - call->created_ms));
}

static bool
has_label(const struct sp_party *party, struct sp_text label)
{
	return party->label && strlen(party->label) == label.len &&
		memcmp(party->label, label.at, label.len) == 0;
}

/* Is @call one that the list is to have? */
static bool
wanted(const struct sp_call *call, const struct sp_request *request)
{
	bool tag = request->from_tag.len == 0;
	bool label = request->label.len == 0;

	for (uint8_t i = 0; i < call->cast.count; i++) {
		const struct sp_party *party = call->cast.party[i];

		tag = tag || sp_party_tag(party, request->from_tag);
		label = label || has_label(party, request->label);
	}
	return tag && label;
}

/* Can @call be told by its name? Bytes that are no UTF-8 are replaced. */
static bool
is_named(const struct sp_call *call, const json_t *summary)
{
	const json_t *name = json_object_get(summary, "call_id");

	return json_string_length(name) == call->id_len &&
		memcmp(json_string_value(name), call->id, call->id_len) == 0;
}

/*
 * {"calls": [...], "total": n, "next": where the next page starts, or null}.
 * A page ends with a call that the next one can be asked for by, or never.
 */
static json_t *
list(const struct sp_service *s, const struct sp_request *request)
{
	const size_t limit =
		request->limit > 0 ? request->limit : SP_LIST_LIMIT;
	const struct sp_call *call = sp_calls_after(&s->calls, request->after);
	const struct sp_call *last = NULL;
	json_t *calls = json_array();
	bool fine = calls != NULL;
	bool named = true;

	for (; fine && call && (json_array_size(calls) < limit || !named);
		call = sp_calls_next(&s->calls, call)) {
		json_t *about;

		if (!wanted(call, request))
			continue;
		about = summary(s, call);
		named = is_named(call, about);
		fine = json_array_append_new(calls, about) == 0;
		last = call;
	}
	if (!fine) {
		json_decref(calls);
		return NULL;
	}
	return json_pack("{s:o, s:I, s:o}", "calls", calls, "total",
		(json_int_t)s->calls.count, "next",
		call && last ? sp_reply_text(last->id, last->id_len)
			     : json_null());
}

/* As rtpengine does: {"calls": [id, ...]}, as many as a reply can have. */
static json_t *
list_ids(const struct sp_service *s, const struct sp_request *request)
{
	const struct sp_text start = { 0 };
	const size_t limit = request->limit > 0 ? request->limit : SIZE_MAX;
	const struct sp_call *call = sp_calls_after(&s->calls, start);
	json_t *calls = json_array();
	bool fine = calls != NULL;
	size_t bytes = 0;

	for (; fine && call && json_array_size(calls) < limit;
		call = sp_calls_next(&s->calls, call)) {
		bytes += call->id_len + ID_MORE;
		if (bytes > IDS_BYTES)
			break;
		fine = json_array_append_new(calls,
			       sp_reply_text(call->id, call->id_len)) == 0;
	}
	if (!fine) {
		json_decref(calls);
		return NULL;
	}
	if (bytes > IDS_BYTES)
		return json_pack("{s:o, s:[s]}", "calls", calls, "warnings",
			"there are more calls than one reply can name");
	return json_pack("{s:o}", "calls", calls);
}

void
sp_command_list(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = sp_asker(request, reply, arg);

	(void)call;
	sp_reply_body(s, &asker,
		asker.door == SP_DOOR_NG ? list_ids(s, request)
					 : list(s, request));
}
