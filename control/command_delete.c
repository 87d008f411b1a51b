/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/job.h"

/* Is there a branch besides @p, and has it answered if that is asked? */
static bool
another_branch(const struct sp_cast *cast, uint8_t p, bool answered)
{
	for (uint8_t b = 0; b < cast->count; b++) {
		const struct sp_party *party = cast->party[b];

		if (b != p && party->caller != SP_NOBODY &&
			(party->answered || !answered))
			return true;
	}
	return false;
}

/*
 * The branch that a delete names by a tag or its branch id; @tag becomes the
 * tag that did. SP_NOBODY: none.
 */
static uint8_t
named_branch(const struct sp_cast *cast, const struct sp_request *request,
	struct sp_text *tag)
{
	const uint8_t from = sp_party_by_tag(cast, request->from_tag);
	const uint8_t to = sp_party_by_tag(cast, request->to_tag);

	if (to != SP_NOBODY && cast->party[to]->caller != SP_NOBODY) {
		*tag = request->to_tag;
		return to;
	}
	if (from != SP_NOBODY && cast->party[from]->caller != SP_NOBODY) {
		*tag = request->from_tag;
		return from;
	}
	/* A tag that nobody has must not fall back on somebody else. */
	if (request->branch.len == 0)
		return SP_NOBODY;
	return sp_party_by_branch(cast, from, request->branch);
}

/* Does the request mean all of the call? */
static bool
means_all(const struct sp_cast *cast, const struct sp_request *request)
{
	const uint8_t from = sp_party_by_tag(cast, request->from_tag);

	if (request->to_tag.len > 0 || request->branch.len > 0)
		return false;
	return request->from_tag.len == 0 ||
		(from != SP_NOBODY && cast->party[from]->caller == SP_NOBODY);
}

/* One of several tags that share a branch is gone; the others talk on. */
static enum sp_status
drop_tag(struct sp_service *s, struct sp_call *call, uint8_t p,
	struct sp_text text, const struct sp_asker *asker)
{
	struct sp_cast cast;
	enum sp_status status = sp_party_clone(&call->cast, &cast);
	json_t *body;

	if (status != SP_OK)
		return status;
	sp_party_tag_del(cast.party[p], sp_party_tag(cast.party[p], text));
	body = json_pack("{s:o, s:o, s:s, s:[]}", "call_id",
		sp_reply_text(call->id, call->id_len), "tag",
		sp_reply_text(text.at, text.len), "state", "deleted",
		"parties");
	if (!body) {
		sp_party_free(&cast);
		return SP_NO_MEMORY;
	}
	return sp_job_program(s, call, &cast, asker, body);
}

static enum sp_status
delete_branch(struct sp_service *s, struct sp_call *call, uint8_t p,
	struct sp_text tag, const struct sp_request *request,
	const struct sp_asker *asker)
{
	const struct sp_cast *cast = &call->cast;
	const struct sp_party *party = cast->party[p];
	/* Who hangs up in its own name was in a dialogue, the only one. */
	const bool hangs_up = sp_party_tag(party, request->from_tag) != NULL;

	if (tag.len > 0 && party->tags->next)
		return drop_tag(s, call, p, tag, asker);
	if (!another_branch(cast, p, hangs_up))
		return sp_job_end(s, call, SP_END_DELETED, asker);
	return sp_job_leave(s, call, p, asker);
}

void
sp_command_delete(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = { reply, arg, SP_VERB_DELETE };
	struct sp_text tag = { 0 };
	struct sp_problem problem;
	enum sp_status status;
	uint8_t p;

	if (!call) {
		sp_reply_unknown(s, &asker);
		return;
	}
	if (means_all(&call->cast, request)) {
		status = sp_job_end(s, call, SP_END_DELETED, &asker);
	} else {
		p = named_branch(&call->cast, request, &tag);
		if (p == SP_NOBODY) {
			sp_problem_set(&problem, SP_PROBLEM_NO_CALL, "",
				"the call has no such tag or branch: nothing "
				"was deleted");
			sp_reply_problem(s, &asker, &problem);
			return;
		}
		status = delete_branch(s, call, p, tag, request, &asker);
	}
	if (status != SP_OK) {
		sp_reply_status(&problem, status);
		sp_reply_problem(s, &asker, &problem);
	}
}
