/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "control/dialogue.h"
#include "control/keys.h"

/* Does @party hold ports for m= line @m? They stay with a line that is off. */
static bool
holds_ports(const struct sp_party *party, unsigned int m)
{
	return m < party->legs &&
		(party->leg[m].pair[0].port || party->leg[m].pair[1].port);
}

/*
 * One call must not empty the ports, be it by offers one after another that
 * each use other lines: lines that were in use count, too.
 */
static bool
check_media_count(struct sp_exchange *x)
{
	const struct sp_party *from = x->cast.party[x->from];
	const struct sp_party *to = x->cast.party[x->to];
	const uint32_t most = x->s->conf->max_media;
	unsigned int count = 0, last = 0;

	for (unsigned int m = 0; m < SP_SDP_MEDIA_MAX; m++) {
		const bool had = holds_ports(from, m) || holds_ports(to, m);
		const bool used =
			m < x->sdp.media_count && x->sdp.media[m].addr.port > 0;

		count += had || used;
		if (used && !had)
			last = m;
	}
	if (count <= most)
		return true;
	sp_problem_set(&x->problem, SP_PROBLEM_BAD_SDP, "sdp",
		"m-line %u: the call would use %u m= lines, and max_media is "
		"%u: offer fewer, or use those again that are off",
		last + 1, count, most);
	return false;
}

/* In which family is the receiver to be addressed? */
static bool
choose_family(struct sp_exchange *x)
{
	struct sp_party *party = x->cast.party[x->to];
	const uint8_t asked = x->policy->address_family;
	const struct sp_ports *ports = &x->s->ports;

	if (asked == SP_FAMILY_NONE && party->family != SP_FAMILY_NONE)
		return true;
	party->family = x->plan.family;
	if (sp_ports_local(
		    ports, party->realm, (enum sp_family)party->family) >= 0)
		return true;
	if (asked != SP_FAMILY_NONE) {
		sp_problem_set(&x->problem, SP_PROBLEM_BAD_VALUE,
			"address_family", "realm %s has no IPv%u address",
			x->s->conf->realm[party->realm].name, asked);
		return false;
	}
	party->family =
		party->family == SP_FAMILY_IP6 ? SP_FAMILY_IP4 : SP_FAMILY_IP6;
	return true;
}

/* Is there an answered dialogue that @p takes part in? */
static bool
settled(const struct sp_cast *cast, uint8_t p)
{
	if (cast->party[p]->caller != SP_NOBODY)
		return cast->party[p]->answered;
	for (uint8_t b = 0; b < cast->count; b++)
		if (cast->party[b]->caller == p && cast->party[b]->answered)
			return true;
	return false;
}

/* Is m= line @m in use apart from a branch that is still to answer this? */
static bool
in_use(const struct sp_exchange *x, unsigned int m)
{
	const struct sp_cast *cast = &x->cast;
	const uint8_t caller = cast->party[x->pair]->caller;

	for (uint8_t b = 0; b < cast->count; b++)
		if (cast->party[b]->caller == caller &&
			(b != x->pair || cast->party[b]->answered) &&
			cast->party[b]->on >> m & 1)
			return true;
	return false;
}

/* Does m= line @m go on as it was until the offer is answered? */
static bool
goes_on(const struct sp_exchange *x, const struct sp_said *before,
	unsigned int m)
{
	return before && m < before->count && before->media[m].live &&
		settled(&x->cast, x->from) && in_use(x, m);
}

/* The tag that offers. In a dialogue that runs it takes over once answered. */
static struct sp_tag *
offering_tag(const struct sp_exchange *x)
{
	struct sp_party *party = x->cast.party[x->from];
	const struct sp_text text = x->request->from_tag;
	struct sp_tag *tag = sp_party_tag(party, text);

	return tag && settled(&x->cast, x->from)
		? tag
		: sp_party_tag_first(party, text);
}

/* What counts at once of the offer, given that @tag said something before. */
static struct sp_said *
merge(const struct sp_exchange *x, const struct sp_tag *tag,
	const struct sp_said *said)
{
	const struct sp_said *before = tag->said;
	struct sp_said *now = sp_exchange_said(x, before);
	unsigned int kept = 0;

	for (unsigned int m = 0; now && m < said->count; m++) {
		if (!goes_on(x, before, m))
			continue;
		kept++;
		if (sp_said_set(now, m, &before->media[m]) == SP_OK)
			continue;
		sp_said_free(now);
		now = NULL;
	}
	if (now && kept > 0) {
		now->signalling = before->signalling;
		now->policy = before->policy;
	}
	return now;
}

/* Do lines that the new offer lacks run until it is answered? */
static bool
outlived(const struct sp_exchange *x, const struct sp_said *before)
{
	for (unsigned int m = x->plan.media_count; before && m < before->count;
		m++)
		if (goes_on(x, before, m))
			return true;
	return false;
}

/*
 * What the offerer said. In a dialogue that runs it counts once answered,
 * because a refused offer leaves all as it was; what is new counts at once,
 * so that nobody is told of a port that does not relay.
 */
static bool
hear_offer(struct sp_exchange *x)
{
	struct sp_party *party = x->cast.party[x->from];
	struct sp_tag *tag = offering_tag(x);
	struct sp_said *said, *now;

	if (!tag)
		return sp_exchange_no_memory(x);
	if (party->family == SP_FAMILY_NONE)
		party->family = sp_exchange_family(x);
	if (!sp_exchange_renew(x, tag->staged ? tag->staged : tag->said))
		return false;
	said = sp_exchange_said(x, tag->said);
	now = said ? merge(x, tag, said) : NULL;
	if (!now || !sp_exchange_may_send(x, said)) {
		if (!now)
			sp_exchange_no_memory(x);
		sp_said_free(said);
		sp_said_free(now);
		return false;
	}
	if (outlived(x, tag->said)) {
		sp_said_free(now);
	} else {
		sp_said_free(tag->said);
		tag->said = now;
	}
	sp_said_free(tag->staged);
	tag->staged = said;
	return true;
}

/* Does party @p lack ports for m= line @m in @six? */
static bool
lacks(const struct sp_party *party, unsigned int m, bool six)
{
	return m >= party->legs || party->leg[m].pair[six].port == 0;
}

/* Is the receiver's m= line @m to get ports in the family chosen for it? */
static bool
receives_anew(const struct sp_exchange *x, unsigned int m)
{
	const struct sp_party *to = x->cast.party[x->to];

	return m >= to->legs || lacks(to, m, to->leg[m].six) ||
		x->policy->address_family != SP_FAMILY_NONE;
}

/* Has @worker the ports that are needed? False: @x->problem says which not. */
static bool
suffices(struct sp_exchange *x, unsigned int worker)
{
	const struct sp_party *from = x->cast.party[x->from];
	const struct sp_party *to = x->cast.party[x->to];
	const bool to_six = to->family == SP_FAMILY_IP6;
	unsigned int need[SP_REALMS_MAX][2] = { 0 };

	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		const bool six = x->plan.media[m].family == SP_FAMILY_IP6;

		if (!x->plan.media[m].accepted)
			continue;
		need[from->realm][six] += lacks(from, m, six);
		if (receives_anew(x, m))
			need[to->realm][to_six] += lacks(to, m, to_six);
	}
	for (unsigned int r = 0; r < SP_REALMS_MAX; r++)
		for (unsigned int six = 0; six < 2; six++)
			if (need[r][six] > 0 &&
				!sp_exchange_has_ports(
					x, worker, r, six, need[r][six]))
				return false;
	return true;
}

/* A new call goes to the worker with least to do that has ports for it. */
static bool
choose_worker(struct sp_exchange *x)
{
	const struct sp_owners *owners = x->s->owners;
	unsigned int best = x->s->workers;

	if (!x->first)
		return suffices(x, x->call->worker);
	for (unsigned int w = 0; w < x->s->workers; w++)
		if ((best == x->s->workers ||
			    owners[w].flows < owners[best].flows) &&
			suffices(x, w))
			best = w;
	if (best == x->s->workers)
		return false;
	x->call->worker = (uint8_t)best;
	return true;
}

/* Ports for both sides of each m= line that is to be relayed. */
static bool
reserve(struct sp_exchange *x)
{
	struct sp_party *from = x->cast.party[x->from];
	struct sp_party *to = x->cast.party[x->to];
	const struct sp_said *said =
		sp_party_tag(from, x->request->from_tag)->said;

	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		const uint8_t family = x->plan.media[m].family;

		if (!x->plan.media[m].accepted)
			continue;
		if (!sp_exchange_reserve(x, x->from, m, (enum sp_family)family))
			return false;
		if (m < said->count && said->media[m].family == family)
			from->leg[m].six = family == SP_FAMILY_IP6;

		if (!receives_anew(x, m))
			continue;
		if (!sp_exchange_reserve(
			    x, x->to, m, (enum sp_family)to->family))
			return false;
		to->leg[m].six = to->family == SP_FAMILY_IP6;
	}
	return true;
}

/* Remember what an answer has to know of this offer. */
static bool
note_offer(struct sp_exchange *x)
{
	struct sp_party *pair = x->cast.party[x->pair];
	struct sp_offer **at = &pair->offer[sp_exchange_by(x, x->from)];
	struct sp_offer *before = *at;
	struct sp_offer *offer = malloc(sizeof *offer + x->plan.media_count);
	uint32_t on = 0;

	if (!offer)
		return sp_exchange_no_memory(x);
	offer->pending = true;
	offer->count = (uint8_t)x->plan.media_count;
	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		offer->line[m] = x->plan.media[m].offered;
		/* Without branch ids, answers to both offers may come. */
		if (before && before->pending && !pair->answered &&
			m < before->count)
			offer->line[m] |=
				before->line[m] & SP_OFFERED_MUX_WRITTEN;
		if (!x->plan.media[m].accepted)
			continue;
		on |= 1u << m;
		/* What was agreed before the line went off is forgotten. */
		if (!sp_party_on(&x->cast, x->from, m))
			x->cast.party[x->from]->leg[m].mux = false;
		if (!sp_party_on(&x->cast, x->to, m))
			x->cast.party[x->to]->leg[m].mux = false;
	}
	pair->on = pair->answered ? pair->on | on : on;
	free(before);
	*at = offer;
	return true;
}

/* A call for a call-id that is new. */
static bool
new_call(struct sp_exchange *x)
{
	struct sp_service *s = x->s;

	if (s->stopping || s->draining) {
		sp_problem_set(&x->problem, SP_PROBLEM_DRAINING, "",
			"no new calls here: ask another relay");
		return false;
	}
	if (s->calls.count >= s->conf->max_calls) {
		sp_reply_full(&x->problem, "max-calls",
			"max_calls (%u) are set up: ask another relay",
			s->conf->max_calls);
		return false;
	}
	x->call = sp_call_new(x->request->call_id);
	if (!x->call)
		return sp_exchange_no_memory(x);
	x->first = true;
	x->call->created_ms = s->now_ms;
	return true;
}

static bool
offer(struct sp_exchange *x)
{
	if (!sp_exchange_plan(x, NULL) || (!x->call && !new_call(x)))
		return false;
	if (sp_party_clone(&x->call->cast, &x->cast) != SP_OK)
		return sp_exchange_no_memory(x);
	if (!sp_dialogue_offer(x) || !check_media_count(x) ||
		!choose_family(x) || !sp_exchange_keys_offer(x) ||
		!hear_offer(x) || !sp_exchange_note(x))
		return false;
	if (!choose_worker(x) || !reserve(x))
		return false;
	if (!sp_exchange_keys_told(x))
		return false;
	sp_exchange_warn_of_plan(x);
	return note_offer(x) && sp_exchange_commit(x);
}

/* Is the deleted @call none of the offerer's? Then a new one begins. */
static bool
is_another(const struct sp_call *call, const struct sp_request *request)
{
	return call->ends_ms > 0 &&
		sp_party_by_tag(&call->cast, request->from_tag) == SP_NOBODY &&
		sp_party_by_tag(&call->cast, request->to_tag) == SP_NOBODY;
}

void
sp_command_offer(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = sp_asker(request, reply, arg);
	struct sp_exchange x;

	if (request->fragment && !call) {
		sp_reply_unknown(s, &asker);
		return;
	}
	if (call && is_another(call, request)) {
		sp_command_renew(s, call, request, reply, arg);
		return;
	}
	if (!sp_exchange_open(&x, s, call, request, &asker) ||
		(!sp_exchange_pass(&x) && !offer(&x)))
		sp_exchange_refuse(&x);
	sp_exchange_close(&x);
}
