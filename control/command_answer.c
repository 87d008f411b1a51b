/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "control/exchange.h"

/* The only branch of @caller, or SP_NOBODY if there are several. */
static uint8_t
only_branch(const struct sp_cast *cast, uint8_t caller)
{
	uint8_t found = SP_NOBODY;

	for (uint8_t p = 0; p < cast->count; p++) {
		if (cast->party[p]->caller != caller)
			continue;
		if (found != SP_NOBODY)
			return SP_NOBODY;
		found = p;
	}
	return found;
}

/*
 * Which branch does a tag that is new belong to? The branch id says, or there
 * is one without, or one at all. A second tag means that a proxy beyond us
 * forks: both got the ports that this branch was offered.
 */
static uint8_t
branch_of_new_tag(const struct sp_exchange *x, uint8_t caller)
{
	const struct sp_text branch = x->request->branch;
	const struct sp_text none = { 0 };
	uint8_t p = sp_party_by_branch(&x->cast, caller, branch);

	if (p == SP_NOBODY && branch.len > 0)
		p = sp_party_by_branch(&x->cast, caller, none);
	return p != SP_NOBODY ? p : only_branch(&x->cast, caller);
}

static bool
has_offered(const struct sp_party *party, struct sp_text text)
{
	const struct sp_tag *tag = sp_party_tag(party, text);

	return tag && (tag->said || tag->staged);
}

/* Who answers whom? @x->from is the answerer, from_tag the offerer's. */
static bool
find_dialogue(struct sp_exchange *x)
{
	struct sp_cast *cast = &x->cast;

	x->to = sp_party_by_tag(cast, x->request->from_tag);
	if (x->to == SP_NOBODY)
		return sp_exchange_conflict(x, "from_tag",
			"no offer of this call came from it: in an answer "
			"from_tag is the offerer's");
	x->from = sp_party_by_tag(cast, x->request->to_tag);
	if (x->from == SP_NOBODY && cast->party[x->to]->caller == SP_NOBODY)
		x->from = branch_of_new_tag(x, x->to);
	if (x->from == SP_NOBODY)
		return sp_exchange_conflict(x, "to_tag",
			"it is unknown, and so is the branch it belongs to");

	if (cast->party[x->from]->caller == x->to)
		x->pair = x->from;
	else if (cast->party[x->to]->caller == x->from)
		x->pair = x->to;
	else
		return sp_exchange_conflict(
			x, "to_tag", "it belongs to another dialogue");
	if (cast->party[x->pair]->by_branch != (x->pair == x->to) ||
		!has_offered(cast->party[x->to], x->request->from_tag))
		return sp_exchange_conflict(x, "from_tag",
			"the last offer came from the other side: in an "
			"answer from_tag is the offerer's");
	return true;
}

/* Does @party have ports for m= line @m? */
static bool
has_ports(const struct sp_party *party, unsigned int m)
{
	return m < party->legs &&
		party->leg[m].pair[party->leg[m].six].port != 0;
}

/* A line that was not relayed when it was offered is not relayed now. */
static bool
check_lines(struct sp_exchange *x)
{
	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		if (!x->plan.media[m].accepted ||
			(has_ports(x->cast.party[x->from], m) &&
				has_ports(x->cast.party[x->to], m)))
			continue;
		sp_problem_set(&x->problem, SP_PROBLEM_CONFLICT, "sdp",
			"m-line %u: its protocol is not the one offered",
			m + 1);
		return false;
	}
	return true;
}

/* We can only send from the address that the answerer was told. */
static void
check_families(struct sp_exchange *x, struct sp_said *said)
{
	const struct sp_party *party = x->cast.party[x->from];

	for (unsigned int m = 0; m < said->count; m++) {
		struct sp_media *media = &said->media[m];
		const bool six = media->family == SP_FAMILY_IP6;

		if (!media->live || m >= party->legs ||
			six == party->leg[m].six)
			continue;
		media->rtp = media->rtcp = (struct sp_addr){ 0 };
		sp_exchange_warn(x,
			"m-line %u answers in another address family than it "
			"was offered: media goes there once some has come",
			m + 1);
	}
}

/* What the answerer said counts now, and so does the offer. */
static bool
hear_answer(struct sp_exchange *x)
{
	struct sp_party *from = x->cast.party[x->from];
	struct sp_party *to = x->cast.party[x->to];
	struct sp_tag *tag = sp_party_tag_first(from, x->request->to_tag);
	struct sp_tag *offer = sp_party_tag(to, x->request->from_tag);
	struct sp_said *said;

	said = tag ? sp_exchange_said(x, tag->said) : NULL;
	if (!said)
		return sp_exchange_no_memory(x);
	if (!sp_exchange_may_send(x, said)) {
		free(said);
		return false;
	}
	check_families(x, said);
	free(tag->said);
	free(tag->staged);
	tag->said = said;
	tag->staged = NULL;

	if (offer->staged) {
		free(offer->said);
		offer->said = offer->staged;
		offer->staged = NULL;
	}
	return true;
}

/* Which lines are in use, who muxes, and in which family the offerer is. */
static void
settle(struct sp_exchange *x)
{
	struct sp_party *pair = x->cast.party[x->pair];
	struct sp_party *from = x->cast.party[x->from];
	struct sp_party *to = x->cast.party[x->to];
	const struct sp_said *said =
		sp_party_tag(to, x->request->from_tag)->said;

	pair->answered = true;
	pair->on = 0;
	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		const struct sp_plan_media *plan = &x->plan.media[m];
		struct sp_leg *leg;

		if (!plan->accepted)
			continue;
		pair->on |= 1u << m;
		from->leg[m].mux = plan->mux;
		leg = &to->leg[m];
		leg->mux = plan->mux_written;
		if (m >= said->count ||
			!leg->pair[said->media[m].family == SP_FAMILY_IP6].port)
			continue;
		leg->six = said->media[m].family == SP_FAMILY_IP6;
		to->family = said->media[m].family;
	}
	/* Of several branches, the last one that answers hears the caller. */
	x->cast.party[pair->caller]->peer = x->pair;
}

static bool
answer(struct sp_exchange *x)
{
	const struct sp_negotiate_own own = {
		x->s->ports.own,
		x->s->ports.n_own,
	};
	const struct sp_party *pair;
	struct sp_sdp_error error = { 0 };
	enum sp_status status;

	if (sp_party_clone(&x->call->cast, &x->cast) != SP_OK)
		return sp_exchange_no_memory(x);
	if (!find_dialogue(x))
		return false;
	pair = x->cast.party[x->pair];
	status = sp_negotiate_answer(&x->sdp, &x->request->policy, &own,
		pair->offered, pair->n_offered, &error, &x->plan);
	if (status != SP_OK)
		return sp_exchange_refused(x, status, &error);
	if (!check_lines(x) || !hear_answer(x) || !sp_exchange_label(x))
		return false;
	settle(x);
	return sp_exchange_commit(x);
}

void
sp_command_answer(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = { reply, arg, SP_VERB_ANSWER };
	struct sp_exchange x;

	if (!call) {
		sp_reply_unknown(s, &asker);
		return;
	}
	if (!sp_exchange_open(&x, s, call, request, &asker) || !answer(&x))
		sp_exchange_refuse(&x);
}
