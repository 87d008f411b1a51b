/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/dialogue.h"

#include <string.h>

/* The realm called @name, or @otherwise if there is no name. */
static bool
find_realm(struct sp_exchange *x, const char *field, struct sp_text name,
	unsigned int otherwise, uint8_t *out)
{
	const int shown = (int)(name.len < 64 ? name.len : 64);
	int realm = name.len > 0 ? sp_ports_realm(&x->s->ports, name)
				 : (int)otherwise;

	/* On ng no word may cost a call: the first realm it is then. */
	if (realm < 0 && x->request->door == SP_DOOR_NG) {
		realm = 0;
		sp_exchange_warn(x, "there is no realm \"%.*s\": %s is used",
			shown, name.at, x->s->conf->realm[realm].name);
	}
	if (realm < 0) {
		sp_problem_set(&x->problem, SP_PROBLEM_BAD_REALM, field,
			"there is no realm \"%.*s\": see realms in the "
			"configuration",
			shown, name.at);
		return false;
	}
	*out = (uint8_t)realm;
	return true;
}

/*
 * Where the other side is if nobody says: across the border. A script for
 * rtpengine names both sides of a call that crosses, and else means one.
 */
static unsigned int
other_realm(const struct sp_exchange *x, unsigned int realm)
{
	const bool across =
		x->request->door != SP_DOOR_NG && x->s->conf->n_realms == 2;

	return across ? 1u - realm : realm;
}

/* A realm named for a party that has one: it stays where it is. */
static void
warn_of_move(struct sp_exchange *x, const char *field, uint8_t p, uint8_t realm)
{
	if (p != SP_NOBODY && x->cast.party[p]->realm != realm)
		sp_exchange_warn(x,
			"%s is ignored: the party is in realm %s since the "
			"call began",
			x->request->door == SP_DOOR_NG ? "direction" : field,
			x->s->conf->realm[x->cast.party[p]->realm].name);
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
		otherwise = other_realm(x, x->cast.party[to]->realm);
	if (!find_realm(x, "from_realm", request->from_realm, otherwise,
		    from_realm))
		return false;
	if (x->from == SP_NOBODY)
		otherwise = *from_realm;
	if (!find_realm(x, "to_realm", request->to_realm,
		    other_realm(x, otherwise), to_realm))
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
	x->cast.party[p]->offered_ms = x->s->now_ms;
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

static bool
same_text(struct sp_text a, struct sp_text b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* A proxy that forks without branch ids offers the same for each target. */
static void
count_target(const struct sp_exchange *x, struct sp_party *branch)
{
	if (x->request->branch.len == 0 && !branch->tags && !branch->branch &&
		!branch->answered && branch->targets < UINT8_MAX)
		branch->targets++;
}

bool
sp_dialogue_offer(struct sp_exchange *x)
{
	const struct sp_request *request = x->request;
	const struct sp_text none = { 0 };
	struct sp_cast *cast = &x->cast;
	uint8_t to = sp_party_by_tag(cast, request->to_tag);
	uint8_t from_realm, to_realm;

	x->from = sp_party_by_tag(cast, request->from_tag);
	if (!find_realms(x, to, &from_realm, &to_realm))
		return false;
	if ((x->from != SP_NOBODY && x->from == to) ||
		same_text(request->from_tag, request->to_tag))
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
		if (cast->party[to]->peer == SP_NOBODY)
			cast->party[to]->peer = x->from;
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
	count_target(x, cast->party[x->pair]);
	cast->party[x->pair]->caller = x->from;
	cast->party[x->pair]->offered_ms = x->s->now_ms;
	if (cast->party[x->from]->peer == SP_NOBODY)
		cast->party[x->from]->peer = x->pair;
	/* Its tag may be known before it says anything. */
	if (request->to_tag.len > 0 && to == SP_NOBODY &&
		!sp_party_tag_first(cast->party[x->to], request->to_tag))
		return sp_exchange_no_memory(x);
	return true;
}

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
	if (p != SP_NOBODY)
		return p;
	/* A late answer of a branch that is gone must not take another's. */
	p = only_branch(&x->cast, caller);
	return p != SP_NOBODY && branch.len > 0 && x->cast.party[p]->tags
		? SP_NOBODY
		: p;
}

static bool
has_offered(const struct sp_party *party, struct sp_text text)
{
	const struct sp_tag *tag = sp_party_tag(party, text);

	return tag && (tag->said || tag->staged);
}

bool
sp_dialogue_answer(struct sp_exchange *x)
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
	if (!cast->party[x->pair]->offer[sp_exchange_by(x, x->to)] ||
		!has_offered(cast->party[x->to], x->request->from_tag))
		return sp_exchange_conflict(x, "from_tag",
			"no offer of it waits for an answer: in an answer "
			"from_tag is the offerer's");
	return true;
}
