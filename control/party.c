/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/party.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t
said_size(const struct sp_said *said)
{
	return sizeof *said + said->count * sizeof said->media[0];
}

static void *
copy(const void *from, size_t size)
{
	void *to = malloc(size);

	if (to)
		memcpy(to, from, size);
	return to;
}

/* The text with a NUL at its end; empty text is NULL, which is no failure. */
static bool
copy_text(struct sp_text text, char **out)
{
	*out = NULL;
	if (text.len == 0)
		return true;
	*out = malloc(text.len + 1);
	if (!*out)
		return false;
	memcpy(*out, text.at, text.len);
	(*out)[text.len] = '\0';
	return true;
}

static struct sp_text
text_of(const char *string)
{
	return (struct sp_text){ string, string ? strlen(string) : 0 };
}

static void
tag_free(struct sp_tag *tag)
{
	free(tag->said);
	free(tag->staged);
	free(tag);
}

static void
party_free(struct sp_party *party)
{
	while (party->tags) {
		struct sp_tag *tag = party->tags;

		party->tags = tag->next;
		tag_free(tag);
	}
	for (unsigned int m = 0; m < party->legs; m++)
		free(party->leg[m].past);
	free(party->leg);
	free(party->branch);
	free(party->label);
	free(party);
}

static struct sp_tag *
tag_clone(const struct sp_tag *from)
{
	struct sp_tag *to = copy(from, sizeof *from + from->len);

	if (!to)
		return NULL;
	to->next = NULL;
	to->said = from->said ? copy(from->said, said_size(from->said)) : NULL;
	to->staged = from->staged ? copy(from->staged, said_size(from->staged))
				  : NULL;
	if ((from->said && !to->said) || (from->staged && !to->staged)) {
		tag_free(to);
		return NULL;
	}
	return to;
}

static bool
clone_legs(const struct sp_party *from, struct sp_party *to)
{
	bool fine = true;

	to->legs = 0;
	to->leg = NULL;
	if (from->legs == 0)
		return true;
	to->leg = copy(from->leg, from->legs * sizeof from->leg[0]);
	if (!to->leg)
		return false;
	to->legs = from->legs;
	for (unsigned int m = 0; m < to->legs; m++) {
		struct sp_leg *leg = &to->leg[m];

		if (!leg->past)
			continue;
		leg->past = copy(leg->past, sizeof *leg->past);
		fine &= leg->past != NULL;
	}
	return fine;
}

static struct sp_party *
party_clone(const struct sp_party *from)
{
	struct sp_party *to = copy(from, sizeof *from);
	struct sp_tag **end;
	bool fine;

	if (!to)
		return NULL;
	to->tags = NULL;
	fine = clone_legs(from, to);
	fine &= copy_text(text_of(from->branch), &to->branch);
	fine &= copy_text(text_of(from->label), &to->label);

	end = &to->tags;
	for (const struct sp_tag *t = from->tags; fine && t; t = t->next) {
		*end = tag_clone(t);
		fine = *end != NULL;
		if (fine)
			end = &(*end)->next;
	}
	if (!fine) {
		party_free(to);
		return NULL;
	}
	return to;
}

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

enum sp_status
sp_party_clone(const struct sp_cast *from, struct sp_cast *to)
{
	*to = (struct sp_cast){ 0 };
	if (from->count == 0)
		return SP_OK;
	to->party = calloc(from->count, sizeof to->party[0]);
	if (!to->party)
		return SP_NO_MEMORY;
	for (; to->count < from->count; to->count++) {
		to->party[to->count] = party_clone(from->party[to->count]);
		if (!to->party[to->count]) {
			sp_party_free(to);
			return SP_NO_MEMORY;
		}
	}
	return SP_OK;
}

void
sp_party_free(struct sp_cast *cast)
{
	while (cast->count > 0)
		party_free(cast->party[--cast->count]);
	free(cast->party);
	cast->party = NULL;
}

uint8_t
sp_party_add(struct sp_cast *cast, struct sp_text branch)
{
	struct sp_party *party;

	if (cast->count >= SP_PARTIES_MAX || !grow_cast(cast))
		return SP_NOBODY;
	party = calloc(1, sizeof *party);
	if (!party)
		return SP_NOBODY;
	if (!copy_text(branch, &party->branch)) {
		party_free(party);
		return SP_NOBODY;
	}
	party->caller = SP_NOBODY;
	party->peer = SP_NOBODY;
	cast->party[cast->count] = party;
	return cast->count++;
}

/* The branch that @caller's media goes to when nobody has said yet. */
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

enum sp_status
sp_party_leave(struct sp_cast *cast, uint8_t gone, struct sp_cast *to)
{
	if (!grow_cast(to))
		return SP_NO_MEMORY;
	to->party[to->count++] = cast->party[gone];
	cast->count--;
	for (uint8_t p = gone; p < cast->count; p++)
		cast->party[p] = cast->party[p + 1];

	for (uint8_t p = 0; p < cast->count; p++) {
		struct sp_party *party = cast->party[p];

		assert(party->caller != gone);
		if (party->caller != SP_NOBODY && party->caller > gone)
			party->caller--;
		if (party->peer == gone)
			party->peer = SP_NOBODY;
		else if (party->peer != SP_NOBODY && party->peer > gone)
			party->peer--;
	}
	for (uint8_t p = 0; p < cast->count; p++)
		if (cast->party[p]->caller == SP_NOBODY &&
			cast->party[p]->peer == SP_NOBODY)
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
		const struct sp_text has = text_of(party->branch);

		if (party->caller == SP_NOBODY)
			continue;
		if (caller != SP_NOBODY && party->caller != caller)
			continue;
		if (has.len == branch.len &&
			(has.len == 0 ||
				memcmp(has.at, branch.at, has.len) == 0))
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
		tag = calloc(1, sizeof *tag + text.len);
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
	tag_free(tag);
}

enum sp_status
sp_party_label(struct sp_party *party, struct sp_text label)
{
	char *text;

	if (!copy_text(label, &text))
		return SP_NO_MEMORY;
	free(party->label);
	party->label = text;
	return SP_OK;
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

	return party->caller != SP_NOBODY ? party->caller : party->peer;
}

bool
sp_party_answered(const struct sp_cast *cast)
{
	for (uint8_t p = 0; p < cast->count; p++)
		if (cast->party[p]->answered)
			return true;
	return false;
}
