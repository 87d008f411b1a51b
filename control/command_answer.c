/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "control/dialogue.h"
#include "control/keys.h"

#define REPEAT_MS 5000u /* above T2 of RFC 3261, which answers repeat after */

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

/*
 * The tag that answers; a new one is added. Unless it repeats itself because
 * the offerer was slow, it is now the latest to answer. What comes later is
 * the final answer after an early one, though it may say the same.
 */
static struct sp_tag *
answering_tag(struct sp_exchange *x)
{
	struct sp_party *from = x->cast.party[x->from];
	const struct sp_request *request = x->request;
	const uint64_t hash =
		1 | sp_hash(&x->s->told_key, request->sdp.at, request->sdp.len);
	const uint64_t now_ms = x->s->now_ms;
	struct sp_tag *tag = sp_party_tag(from, request->to_tag);

	x->again = tag && tag->answer == hash &&
		now_ms - tag->answered_ms < REPEAT_MS &&
		!sp_party_offered(
			x->cast.party[x->pair], sp_exchange_by(x, x->to));
	if (!x->again)
		tag = sp_party_tag_first(from, request->to_tag);
	if (tag) {
		tag->answer = hash;
		tag->answered_ms = now_ms;
	}
	return tag;
}

/* What the answerer said counts now, and so does the offer. */
static bool
hear_answer(struct sp_exchange *x)
{
	struct sp_party *to = x->cast.party[x->to];
	struct sp_offer **offers = x->cast.party[x->pair]->offer;
	const enum sp_by by = sp_exchange_by(x, x->to);
	struct sp_tag *tag = answering_tag(x);
	struct sp_tag *offer = x->again
		? sp_party_tag(to, x->request->from_tag)
		: sp_party_tag_first(to, x->request->from_tag);
	struct sp_said *said;

	if (tag && !sp_exchange_renew(x, tag->said))
		return false;
	said = tag ? sp_exchange_said(x, tag->said) : NULL;
	if (!said)
		return sp_exchange_no_memory(x);
	if (!sp_exchange_may_send(x, said)) {
		sp_said_free(said);
		return false;
	}
	check_families(x, said);
	sp_said_free(tag->said);
	tag->said = said;
	/* If both have offered, the offer that is answered wins. */
	if (offers[by]->pending) {
		sp_said_free(tag->staged);
		tag->staged = NULL;
		free(offers[SP_BYS - 1 - by]);
		offers[SP_BYS - 1 - by] = NULL;
	}
	offers[by]->pending = false;

	if (offer->staged) {
		sp_said_free(offer->said);
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
	if (x->again)
		return;
	x->cast.party[pair->caller]->peer = x->pair;
}

static bool
answer(struct sp_exchange *x)
{
	const struct sp_offer *offer;
	struct sp_party *from, *to;

	if (sp_party_clone(&x->call->cast, &x->cast) != SP_OK)
		return sp_exchange_no_memory(x);
	if (!sp_dialogue_answer(x))
		return false;
	offer = x->cast.party[x->pair]->offer[sp_exchange_by(x, x->to)];
	if (!sp_exchange_plan(x, offer) || !sp_exchange_keys_answer(x, offer))
		return false;
	sp_exchange_warn_of_plan(x);
	if (!check_lines(x) || !hear_answer(x) || !sp_exchange_note(x) ||
		!sp_exchange_keys_told(x))
		return false;
	settle(x);
	from = x->cast.party[x->from];
	to = x->cast.party[x->to];
	sp_keys_use(from, sp_party_tag(from, x->request->to_tag)->said);
	sp_keys_use(to, sp_party_tag(to, x->request->from_tag)->said);
	return sp_exchange_commit(x);
}

void
sp_command_answer(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = sp_asker(request, reply, arg);
	struct sp_exchange x;

	if (!call) {
		sp_reply_unknown(s, &asker);
		return;
	}
	if (!sp_exchange_open(&x, s, call, request, &asker) ||
		(!sp_exchange_pass(&x) && !answer(&x)))
		sp_exchange_refuse(&x);
	sp_exchange_close(&x);
}
