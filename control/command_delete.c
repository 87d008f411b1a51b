/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ageing.h"
#include "control/job.h"

/* Who is to go. */
struct named {
	struct sp_text tag; /* that named a branch; or empty */
	uint8_t branch;     /* that is named by it, or NOBODY */
	uint32_t gone;      /* a bit a party */
};

static uint32_t
all_of(const struct sp_cast *cast)
{
	return (uint32_t)((UINT64_C(1) << cast->count) - 1);
}

/* Has a branch of @caller besides @p answered? */
static bool
another_answered(const struct sp_cast *cast, uint8_t caller, uint8_t p)
{
	for (uint8_t b = 0; b < cast->count; b++)
		if (b != p && cast->party[b]->caller == caller &&
			cast->party[b]->answered)
			return true;
	return false;
}

static bool
is_branch(const struct sp_cast *cast, uint8_t p)
{
	return p != SP_NOBODY && cast->party[p]->caller != SP_NOBODY;
}

/* The only branch of @caller, if it has but one, or NOBODY. */
static uint8_t
only_branch(const struct sp_cast *cast, uint8_t caller)
{
	uint8_t found = SP_NOBODY;

	for (uint8_t p = 0; p < cast->count; p++) {
		if (!is_branch(cast, p) || cast->party[p]->caller != caller)
			continue;
		if (found != SP_NOBODY)
			return SP_NOBODY;
		found = p;
	}
	return found;
}

/*
 * The branch of @caller that has said nothing yet and is named by its id, or
 * by a tag that nobody else can have. An id that nobody has may come with a
 * second delete of a branch that failed: it names nobody.
 */
static uint8_t
quiet_branch(const struct sp_cast *cast, const struct sp_request *request,
	uint8_t caller)
{
	const bool tagged = request->to_tag.len > 0;
	uint8_t p = SP_NOBODY;

	if (request->branch.len > 0)
		p = sp_party_by_branch(cast, caller, request->branch);
	else if (tagged && caller != SP_NOBODY)
		p = only_branch(cast, caller);
	return p != SP_NOBODY && tagged && cast->party[p]->tags ? SP_NOBODY : p;
}

/*
 * The branch that a delete names by tags or its branch id. A tag that nobody
 * has must not fall back on somebody else, and two must belong together.
 */
static void
find_branch(const struct sp_cast *cast, const struct sp_request *request,
	struct named *out)
{
	const uint8_t from = sp_party_by_tag(cast, request->from_tag);
	const uint8_t to = sp_party_by_tag(cast, request->to_tag);

	if (request->from_tag.len > 0 && from == SP_NOBODY)
		return;
	if (is_branch(cast, to)) {
		if (from != SP_NOBODY && from != cast->party[to]->caller)
			return;
		out->tag = request->to_tag;
		out->branch = to;
	} else if (is_branch(cast, from)) {
		if (request->to_tag.len > 0 && to != cast->party[from]->caller)
			return;
		out->tag = request->from_tag;
		out->branch = from;
	} else if (to == SP_NOBODY) {
		out->branch = quiet_branch(cast, request, from);
	}
}

/*
 * Is the branch id just one more of @caller's? Proxies that name branches put
 * an id into everything on ng, and that of a BYE is a new one.
 */
static bool
is_byes(const struct sp_cast *cast, const struct sp_request *request,
	uint8_t caller)
{
	return request->door == SP_DOOR_NG && !request->of_reply &&
		request->from_tag.len > 0 &&
		sp_party_by_branch(cast, caller, request->branch) == SP_NOBODY;
}

/* The caller that a delete names by its tag alone, or NOBODY. */
static uint8_t
find_caller(const struct sp_cast *cast, const struct sp_request *request)
{
	const bool by_from = request->from_tag.len > 0;
	const uint8_t p = sp_party_by_tag(
		cast, by_from ? request->from_tag : request->to_tag);

	if (p == SP_NOBODY || is_branch(cast, p) ||
		(by_from && request->to_tag.len > 0))
		return SP_NOBODY;
	return request->branch.len == 0 || is_byes(cast, request, p)
		? p
		: SP_NOBODY;
}

/* Of @gone, those that have not answered, if any of them has. */
static uint32_t
unanswered(const struct sp_cast *cast, uint32_t gone)
{
	uint32_t bits = 0;
	bool answered = false;

	for (uint8_t p = 0; p < cast->count; p++) {
		if (!(gone >> p & 1) || !is_branch(cast, p))
			continue;
		if (cast->party[p]->answered)
			answered = true;
		else
			bits |= sp_party_without(cast, p);
	}
	return answered ? bits : gone;
}

/*
 * Was it a request inside the dialogue with branch @p that was refused, a new
 * offer say? From the branch itself it was: who answered is in a dialogue.
 * From the caller it was if an offer waits that came after the answer.
 */
static bool
was_inside(
	const struct sp_cast *cast, const struct sp_request *request, uint8_t p)
{
	const struct sp_party *party = cast->party[p];

	return request->of_reply && party->answered &&
		(sp_party_tag(party, request->from_tag) ||
			(request->to_tag.len > 0 &&
				sp_party_offered(party, SP_BY_CALLER)));
}

/* Who does the request mean? Nobody: @out->gone is 0. */
static void
find_named(const struct sp_cast *cast, const struct sp_request *request,
	struct named *out)
{
	const uint8_t caller = find_caller(cast, request);
	uint8_t p;

	*out = (struct named){ .branch = SP_NOBODY };
	if (request->from_tag.len + request->to_tag.len + request->branch.len ==
		0)
		out->gone = all_of(cast);
	else if (caller != SP_NOBODY)
		out->gone = sp_party_without(cast, caller);
	/* A branch that was refused says nothing of the others. */
	if (request->of_reply)
		out->gone = unanswered(cast, out->gone);
	if (out->gone != 0 || caller != SP_NOBODY)
		return;
	find_branch(cast, request, out);
	p = out->branch;
	if (p == SP_NOBODY || was_inside(cast, request, p))
		return;
	out->gone = sp_party_without(cast, p);
	/* Who hangs up in its own name was in a dialogue, the only one. */
	if (sp_party_tag(cast->party[p], request->from_tag) &&
		!another_answered(cast, cast->party[p]->caller, p))
		out->gone = sp_party_without(cast, cast->party[p]->caller);
}

/* One of several tags that share a branch is gone; the others talk on. */
static enum sp_status
drop_tag(struct sp_service *s, struct sp_call *call, const struct named *named,
	const struct sp_asker *asker)
{
	struct sp_cast cast;
	enum sp_status status = sp_party_clone(&call->cast, &cast);
	struct sp_party *party;
	json_t *body;

	if (status != SP_OK)
		return status;
	party = cast.party[named->branch];
	sp_party_tag_del(party, sp_party_tag(party, named->tag));
	if (asker->door == SP_DOOR_NG)
		body = json_object();
	else
		body = json_pack("{s:o, s:o, s:s, s:[]}", "call_id",
			sp_reply_text(call->id, call->id_len), "tag",
			sp_reply_text(named->tag.at, named->tag.len), "state",
			"deleted", "parties");
	if (!body) {
		sp_party_free(&cast);
		return SP_NO_MEMORY;
	}
	return sp_job_program(s, call, &cast, asker, body);
}

/* End all of it, now or when its media has had time to end by itself. */
static enum sp_status
end_call(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, const struct sp_asker *asker)
{
	const uint32_t delay_s = request->has_delete_delay
		? request->delete_delay_s
		: s->conf->delete_delay_s;
	const uint64_t ends_ms = s->now_ms + delay_s * UINT64_C(1000);

	if (delay_s == 0)
		return sp_job_end(s, call, SP_END_DELETED, asker);
	if (call->ends_ms == 0 || call->ends_ms > ends_ms)
		call->ends_ms = ends_ms;
	sp_ageing_watch(s, call);
	return sp_job_read(s, call, asker);
}

static enum sp_status
take_out(struct sp_service *s, struct sp_call *call, const struct named *named,
	const struct sp_request *request, const struct sp_asker *asker)
{
	const struct sp_cast *cast = &call->cast;

	if (request->metadata.len > 0 &&
		sp_party_text(&call->cast.metadata, request->metadata) != SP_OK)
		return SP_NO_MEMORY;
	if (named->tag.len > 0 && cast->party[named->branch]->tags->next)
		return drop_tag(s, call, named, asker);
	if (named->gone == all_of(cast))
		return end_call(s, call, request, asker);
	return sp_job_leave(s, call, named->gone, asker);
}

/*
 * Does anybody else ring whom the same was offered? Then one of them refused,
 * and as many refusals as offers end it.
 */
static bool
others_ring(const struct sp_cast *cast, const struct sp_request *request,
	uint32_t gone)
{
	if (!request->of_reply)
		return false;
	for (uint8_t p = 0; p < cast->count; p++) {
		struct sp_party *party = cast->party[p];

		if (!(gone >> p & 1) || party->targets <= 1 || party->tags ||
			party->answered)
			continue;
		party->targets--;
		return true;
	}
	return false;
}

void
sp_command_delete(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = sp_asker(request, reply, arg);
	struct sp_problem problem;
	struct named named;
	enum sp_status status;

	if (!call) {
		sp_reply_unknown(s, &asker);
		return;
	}
	find_named(&call->cast, request, &named);
	if (named.gone == 0) {
		sp_problem_set(&problem, SP_PROBLEM_NO_CALL, "",
			"the call has no such tag or branch: nothing was "
			"deleted");
		sp_reply_problem(s, &asker, &problem);
		return;
	}
	if (others_ring(&call->cast, request, named.gone))
		status = sp_job_read(s, call, &asker);
	else
		status = take_out(s, call, &named, request, &asker);
	if (status != SP_OK) {
		sp_reply_status(&problem, status);
		sp_reply_problem(s, &asker, &problem);
	}
}
