/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "control/party.h"

/* Make room for one more party. */
static bool
grow_cast(struct sp_cast *cast)
{
	struct sp_party **more = realloc(
		cast->party, (cast->count + 1u) * sizeof cast->party[0]);

	if (more)
		cast->party = more;
	return more != NULL;
}

uint8_t
sp_party_add(struct sp_cast *cast, struct sp_text branch)
{
	struct sp_party *party;

	if (cast->count >= SP_PARTIES_MAX || !grow_cast(cast))
		return SP_NOBODY;
	party = calloc(1, sizeof *party);
	if (!party || sp_party_text(&party->branch, branch) != SP_OK) {
		free(party);
		return SP_NOBODY;
	}
	party->caller = SP_NOBODY;
	party->peer = SP_NOBODY;
	cast->party[cast->count] = party;
	return cast->count++;
}

/* The branch that @caller's media goes to when nobody has said: the latest. */
static uint8_t
next_peer(const struct sp_cast *cast, uint8_t caller)
{
	uint8_t found = SP_NOBODY;

	for (uint8_t p = 0; p < cast->count; p++) {
		const struct sp_party *party = cast->party[p];

		if (party->caller != caller)
			continue;
		if (found == SP_NOBODY || party->answered ||
			!cast->party[found]->answered)
			found = p;
	}
	return found;
}

uint32_t
sp_party_without(const struct sp_cast *cast, uint8_t p)
{
	const uint8_t caller = cast->party[p]->caller;
	uint32_t bits = 1u << p;
	bool more = false;

	for (uint8_t b = 0; b < cast->count; b++) {
		if (cast->party[b]->caller == p)
			bits |= 1u << b;
		more |= b != p && cast->party[b]->caller == caller;
	}
	if (caller != SP_NOBODY && !more)
		bits |= 1u << caller;
	return bits;
}

/* What the index @whom becomes for a party that leaves, or stays. */
static uint8_t
moved(uint8_t whom, bool leaves, uint32_t gone, const uint8_t *place)
{
	if (whom >= SP_PARTIES_MAX)
		return whom;
	return leaves == (gone >> whom & 1) ? place[whom] : SP_AWAY;
}

enum sp_status
sp_party_leave(struct sp_cast *cast, uint32_t gone, struct sp_cast *to)
{
	const uint8_t count = cast->count;
	uint8_t place[SP_PARTIES_MAX];

	to->party = calloc(count, sizeof to->party[0]);
	if (!to->party)
		return SP_NO_MEMORY;
	cast->count = 0;
	for (uint8_t p = 0; p < count; p++) {
		struct sp_cast *in = gone >> p & 1 ? to : cast;

		place[p] = in->count;
		in->party[in->count++] = cast->party[p];
	}
	for (uint8_t p = 0; p < count; p++) {
		const bool leaves = gone >> p & 1;
		struct sp_party *party = (leaves ? to : cast)->party[place[p]];

		party->caller = moved(party->caller, leaves, gone, place);
		party->peer = moved(party->peer, leaves, gone, place);
		assert(leaves || party->caller != SP_AWAY);
	}
	for (uint8_t p = 0; p < cast->count; p++)
		if (cast->party[p]->peer == SP_AWAY)
			cast->party[p]->peer = next_peer(cast, p);
	return SP_OK;
}

uint8_t
sp_party_by_tag(const struct sp_cast *cast, struct sp_text tag)
{
	for (uint8_t p = 0; p < cast->count; p++)
		if (sp_party_tag(cast->party[p], tag))
			return p;
	return SP_NOBODY;
}

uint8_t
sp_party_by_branch(
	const struct sp_cast *cast, uint8_t caller, struct sp_text branch)
{
	for (uint8_t p = 0; p < cast->count; p++) {
		const struct sp_party *party = cast->party[p];
		const char *name = party->branch ? party->branch : "";
		const size_t len = strlen(name);

		if (party->caller == SP_NOBODY)
			continue;
		if (caller != SP_NOBODY && party->caller != caller)
			continue;
		if (len == branch.len &&
			(len == 0 || memcmp(name, branch.at, len) == 0))
			return p;
	}
	return SP_NOBODY;
}

struct sp_tag *
sp_party_tag(const struct sp_party *party, struct sp_text text)
{
	struct sp_tag *tag = party->tags;

	if (text.len == 0)
		return NULL;
	while (tag &&
		(tag->len != text.len ||
			memcmp(tag->text, text.at, text.len) != 0))
		tag = tag->next;
	return tag;
}

/* Take @tag out of its party's list; it must be in there. */
static void
unlink_tag(struct sp_party *party, struct sp_tag *tag)
{
	struct sp_tag **at = &party->tags;

	while (*at != tag)
		at = &(*at)->next;
	*at = tag->next;
}

struct sp_tag *
sp_party_tag_first(struct sp_party *party, struct sp_text text)
{
	struct sp_tag *tag = sp_party_tag(party, text);
	unsigned int count = 0;

	if (tag) {
		unlink_tag(party, tag);
	} else {
		for (tag = party->tags; tag; tag = tag->next)
			count++;
		if (count >= SP_TAGS_MAX || text.len > SP_TAG_MAX)
			return NULL;
		tag = calloc(1, SP_TAG_SIZE(text.len));
		if (!tag)
			return NULL;
		tag->len = (uint8_t)text.len;
		memcpy(tag->text, text.at, text.len);
	}
	tag->next = party->tags;
	party->tags = tag;
	return tag;
}

void
sp_party_tag_del(struct sp_party *party, struct sp_tag *tag)
{
	unlink_tag(party, tag);
	sp_party_tag_free(tag);
}

void
sp_party_keep(struct sp_party *party, unsigned int m,
	const struct sp_flow_report *report)
{
	struct sp_flow_report sum = *report;
	struct sp_flow_report **past = &party->leg[m].past;

	if (!*past)
		*past = calloc(1, sizeof **past);
	if (!*past)
		return;
	sum.sent += (*past)->sent;
	sum.packets += (*past)->packets;
	sum.octets += (*past)->octets;
	for (unsigned int v = 0; v < SP_FLOW_VERDICTS; v++)
		sum.dropped[v] += (*past)->dropped[v];
	sum.quality.packets += (*past)->quality.packets;
	sum.quality.expected += (*past)->quality.expected;
	sum.quality.lost += (*past)->quality.lost;
	sum.quality.reordered += (*past)->quality.reordered;
	sum.quality.duplicates += (*past)->quality.duplicates;
	**past = sum;
}

enum sp_status
sp_party_legs(struct sp_party *party, unsigned int count)
{
	struct sp_leg *more;

	assert(count <= SP_SDP_MEDIA_MAX);
	if (count <= party->legs)
		return SP_OK;
	more = realloc(party->leg, count * sizeof *more);
	if (!more)
		return SP_NO_MEMORY;
	memset(more + party->legs, 0, (count - party->legs) * sizeof *more);
	party->leg = more;
	party->legs = (uint8_t)count;
	return SP_OK;
}

const struct sp_media *
sp_party_media(const struct sp_party *party, unsigned int m)
{
	const struct sp_said *said = party->tags ? party->tags->said : NULL;

	return said && m < said->count ? &said->media[m] : NULL;
}

bool
sp_party_on(const struct sp_cast *cast, uint8_t p, unsigned int m)
{
	if (cast->party[p]->caller != SP_NOBODY)
		return cast->party[p]->on >> m & 1;
	for (uint8_t b = 0; b < cast->count; b++)
		if (cast->party[b]->caller == p && cast->party[b]->on >> m & 1)
			return true;
	return false;
}

uint8_t
sp_party_other(const struct sp_cast *cast, uint8_t p)
{
	const struct sp_party *party = cast->party[p];
	const uint8_t other =
		party->caller != SP_NOBODY ? party->caller : party->peer;

	return other < cast->count ? other : SP_NOBODY;
}

bool
sp_party_offered(const struct sp_party *party, enum sp_by by)
{
	return party->offer[by] && party->offer[by]->pending;
}

bool
sp_party_answered(const struct sp_cast *cast)
{
	for (uint8_t p = 0; p < cast->count; p++)
		if (cast->party[p]->answered)
			return true;
	return false;
}
