/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/job.h"

void
sp_command_query(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = { reply, arg, SP_VERB_QUERY };
	struct sp_problem problem;
	enum sp_status status;

	(void)request;
	if (!call) {
		sp_reply_unknown(s, &asker);
		return;
	}
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

/* {"calls": [...], "total": n, "next": where the next page starts, or null} */
static json_t *
list(const struct sp_service *s, const struct sp_request *request)
{
	const size_t limit =
		request->limit > 0 ? request->limit : SP_LIST_LIMIT;
	const struct sp_call *call = sp_calls_after(&s->calls, request->after);
	const struct sp_call *last = NULL;
	json_t *calls = json_array();
	bool fine = calls != NULL;

	for (; fine && call && json_array_size(calls) < limit;
		call = sp_calls_next(&s->calls, call)) {
		fine = json_array_append_new(calls, summary(s, call)) == 0;
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

void
sp_command_list(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = { reply, arg, SP_VERB_LIST };

	(void)call;
	sp_reply_body(s, &asker, list(s, request));
}
