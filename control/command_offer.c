/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "control/exchange.h"

/* The realm called @name, or @otherwise if there is no name. */
static bool
find_realm(struct sp_exchange *x, const char *field, struct sp_text name,
	unsigned int otherwise, uint8_t *out)
{
	const int realm = name.len > 0 ? sp_ports_realm(&x->s->ports, name)
				       : (int)otherwise;

	if (realm < 0) {
		sp_problem_set(&x->problem, SP_PROBLEM_BAD_REALM, field,
			"there is no realm \"%.*s\": see realms in the "
			"configuration",
			(int)(name.len < 64 ? name.len : 64), name.at);
		return false;
	}
	*out = (uint8_t)realm;
	return true;
}

static unsigned int
other_realm(const struct sp_service *s, unsigned int realm)
{
	return s->conf->n_realms == 2 ? 1u - realm : realm;
}

/* A realm named for a party that has one: it stays where it is. */
static void
warn_of_move(struct sp_exchange *x, const char *field, uint8_t p, uint8_t realm)
{
	if (p != SP_NOBODY && x->cast.party[p]->realm != realm)
		sp_exchange_warn(x,
			"%s is ignored: the party is in realm %s since the "
			"call began",
			field, x->s->conf->realm[x->cast.party[p]->realm].name);
}

/*
 * The realms of both sides, in case that they are new: as the request says,
 * or across from whom we know. Later offers go by what was said first.
 */
static bool
find_realms(struct sp_exchange *x, uint8_t to, uint8_t *from_realm,
	uint8_t *to_realm)
{
	const struct sp_request *request = x->request;
	unsigned int otherwise = 0;

	if (x->from != SP_NOBODY)
		otherwise = x->cast.party[x->from]->realm;
	else if (to != SP_NOBODY)
		otherwise = other_realm(x->s, x->cast.party[to]->realm);
	if (!find_realm(x, "from_realm", request->from_realm, otherwise,
		    from_realm))
		return false;
	if (x->from == SP_NOBODY)
		otherwise = *from_realm;
	if (!find_realm(x, "to_realm", request->to_realm,
		    other_realm(x->s, otherwise), to_realm))
		return false;
	warn_of_move(x, "from_realm", x->from, *from_realm);
	if (request->to_realm.len > 0)
		warn_of_move(x, "to_realm", to, *to_realm);
	return true;
}

/* A party that is new to the call. */
static bool
add_party(struct sp_exchange *x, struct sp_text branch, uint8_t realm,
	uint8_t *out)
{
	const uint8_t p = sp_party_add(&x->cast, branch);

	if (p == SP_NOBODY && x->cast.count >= SP_PARTIES_MAX)
		return sp_exchange_conflict(x, "branch",
			"the call has too many branches: delete some");
	if (p == SP_NOBODY)
		return sp_exchange_no_memory(x);
	x->cast.party[p]->realm = realm;
	x->cast.party[p]->since_ms = x->s->now_ms;
	*out = p;
	return true;
}

/*
 * The branch that @caller's offer is for: known by its tag (in a dialogue a
 * new branch id means nothing), by its branch id, or as the one without.
 */
static uint8_t
find_branch(const struct sp_exchange *x, uint8_t caller)
{
	const struct sp_cast *cast = &x->cast;
	const struct sp_request *request = x->request;
	uint8_t p = sp_party_by_tag(cast, request->to_tag);

	if (p != SP_NOBODY && cast->party[p]->caller == caller)
		return p;
	p = sp_party_by_branch(cast, caller, request->branch);
	/* Another tag is another party, unless this one has none yet. */
	if (p != SP_NOBODY && request->to_tag.len > 0 && cast->party[p]->tags)
		return SP_NOBODY;
	return p;
}

/* Who offers to whom? Adds who is new. */
static bool
find_parties(struct sp_exchange *x)
{
	const struct sp_request *request = x->request;
	const struct sp_text none = { 0 };
	struct sp_cast *cast = &x->cast;
	uint8_t to = sp_party_by_tag(cast, request->to_tag);
	uint8_t from_realm, to_realm;

	x->from = sp_party_by_tag(cast, request->from_tag);
	if (!find_realms(x, to, &from_realm, &to_realm))
		return false;
	if (x->from != SP_NOBODY && x->from == to)
		return sp_exchange_conflict(
			x, "to_tag", "it is the offerer's own party");

	if (x->from == SP_NOBODY && to != SP_NOBODY) {
		/* A callee that never answered, or whose answer we missed. */
		if (cast->party[to]->caller != SP_NOBODY)
			return sp_exchange_conflict(x, "from_tag",
				"it is unknown, and to_tag is not the caller");
		x->from = sp_party_by_branch(cast, to, request->branch);
		if ((x->from == SP_NOBODY || cast->party[x->from]->tags) &&
			!add_party(x, request->branch, from_realm, &x->from))
			return false;
		cast->party[x->from]->caller = to;
	}
	if (x->from != SP_NOBODY && cast->party[x->from]->caller != SP_NOBODY) {
		x->pair = x->from;
		x->to = cast->party[x->pair]->caller;
		return to == SP_NOBODY || to == x->to ||
			sp_exchange_conflict(
				x, "to_tag", "it is another branch's tag");
	}

	if (x->from == SP_NOBODY && !add_party(x, none, from_realm, &x->from))
		return false;
	if (to != SP_NOBODY && cast->party[to]->caller != x->from)
		return sp_exchange_conflict(
			x, "to_tag", "it belongs to another dialogue");
	x->to = find_branch(x, x->from);
	if (x->to == SP_NOBODY &&
		!add_party(x, request->branch, to_realm, &x->to))
		return false;
	x->pair = x->to;
	cast->party[x->pair]->caller = x->from;
	if (cast->party[x->from]->peer == SP_NOBODY)
		cast->party[x->from]->peer = x->pair;
	/* Its tag may be known before it says anything. */
	if (request->to_tag.len > 0 && to == SP_NOBODY &&
		!sp_party_tag_first(cast->party[x->to], request->to_tag))
		return sp_exchange_no_memory(x);
	return true;
}

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
	const uint8_t asked = x->request->policy.address_family;
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

/* Does m= line @m go on as it was until the offer is answered? */
static bool
goes_on(const struct sp_exchange *x, const struct sp_said *before,
	unsigned int m)
{
	return before && m < before->count && before->media[m].live &&
		settled(&x->cast, x->from) && sp_party_on(&x->cast, x->from, m);
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
	struct sp_tag *tag = sp_party_tag_first(party, x->request->from_tag);
	struct sp_said *said, *now;
	unsigned int kept = 0;

	if (!tag)
		return sp_exchange_no_memory(x);
	if (party->family == SP_FAMILY_NONE)
		party->family = sp_exchange_family(x);
	said = sp_exchange_said(x, tag->said);
	now = said ? sp_exchange_said(x, tag->said) : NULL;
	if (!now) {
		free(said);
		return sp_exchange_no_memory(x);
	}
	if (!sp_exchange_may_send(x, said)) {
		free(said);
		free(now);
		return false;
	}
	for (unsigned int m = 0; m < now->count; m++)
		if (goes_on(x, tag->said, m)) {
			now->media[m] = tag->said->media[m];
			kept++;
		}
	if (kept > 0) {
		now->signalling = tag->said->signalling;
		now->policy = tag->said->policy;
	}
	/* Lines that the new offer lacks run until it is answered, too. */
	if (kept > 0 && tag->said->count > now->count) {
		free(now);
		now = NULL;
	}
	if (now) {
		free(tag->said);
		tag->said = now;
	}
	free(tag->staged);
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
		x->request->policy.address_family != SP_FAMILY_NONE;
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
		const bool six = x->sdp.media[m].addr.family == SP_FAMILY_IP6;

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
	const struct sp_said *said = from->tags->said;

	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		const uint8_t family = x->sdp.media[m].addr.family;

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
static void
note_offer(struct sp_exchange *x)
{
	struct sp_party *pair = x->cast.party[x->pair];
	uint32_t on = 0;

	pair->n_offered = x->plan.media_count;
	pair->by_branch = x->from == x->pair;
	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		pair->offered[m] = x->plan.media[m].offered;
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
	const struct sp_negotiate_own own = {
		x->s->ports.own,
		x->s->ports.n_own,
	};
	struct sp_sdp_error error = { 0 };
	const enum sp_status status = sp_negotiate_offer(
		&x->sdp, &x->request->policy, &own, &error, &x->plan);

	if (status != SP_OK)
		return sp_exchange_refused(x, status, &error);
	if (!x->call && !new_call(x))
		return false;
	if (sp_party_clone(&x->call->cast, &x->cast) != SP_OK)
		return sp_exchange_no_memory(x);
	if (!find_parties(x) || !check_media_count(x) || !choose_family(x) ||
		!hear_offer(x) || !sp_exchange_label(x))
		return false;
	if (!choose_worker(x) || !reserve(x))
		return false;
	note_offer(x);
	return sp_exchange_commit(x);
}

void
sp_command_offer(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = { reply, arg, SP_VERB_OFFER };
	struct sp_exchange x;

	if (!sp_exchange_open(&x, s, call, request, &asker) || !offer(&x))
		sp_exchange_refuse(&x);
}
