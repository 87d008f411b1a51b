/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "control/keys.h"

static void *
copy(const void *from, size_t size)
{
	void *to = malloc(size);

	if (to)
		memcpy(to, from, size);
	return to;
}

enum sp_status
sp_party_text(char **to, struct sp_text text)
{
	char *string = NULL;

	if (text.len > 0) {
		string = malloc(text.len + 1);
		if (!string)
			return SP_NO_MEMORY;
		memcpy(string, text.at, text.len);
		string[text.len] = '\0';
	}
	free(*to);
	*to = string;
	return SP_OK;
}

/* Make @to, of which nothing is ours yet, a copy of the string @from. */
static bool
clone_string(const char *from, char **to)
{
	const struct sp_text text = { from, from ? strlen(from) : 0 };

	*to = NULL;
	return sp_party_text(to, text) == SP_OK;
}

void
sp_party_tag_free(struct sp_tag *tag)
{
	sp_said_free(tag->said);
	sp_said_free(tag->staged);
	free(tag);
}

static void
told_free(struct sp_told *told)
{
	if (!told)
		return;
	free(told->username);
	free(told->session_name);
	free(told);
}

static void
party_free(struct sp_party *party)
{
	while (party->tags) {
		struct sp_tag *tag = party->tags;

		party->tags = tag->next;
		sp_party_tag_free(tag);
	}
	for (unsigned int m = 0; m < party->legs; m++) {
		free(party->leg[m].past);
		sp_keys_free(party->leg[m].keys);
	}
	free(party->leg);
	for (enum sp_by by = 0; by < SP_BYS; by++)
		free(party->offer[by]);
	told_free(party->told);
	free(party->branch);
	free(party->label);
	free(party);
}

static struct sp_tag *
tag_clone(const struct sp_tag *from)
{
	struct sp_tag *to = copy(from, SP_TAG_SIZE(from->len));

	if (!to)
		return NULL;
	to->next = NULL;
	to->said = from->said ? sp_said_clone(from->said) : NULL;
	to->staged = from->staged ? sp_said_clone(from->staged) : NULL;
	if ((from->said && !to->said) || (from->staged && !to->staged)) {
		sp_party_tag_free(to);
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

		if (leg->past) {
			leg->past = copy(leg->past, sizeof *leg->past);
			fine &= leg->past != NULL;
		}
		if (leg->keys) {
			leg->keys = sp_keys_clone(leg->keys);
			fine &= leg->keys != NULL;
		}
	}
	return fine;
}

static bool
clone_told(const struct sp_party *from, struct sp_party *to)
{
	bool fine;

	to->told = NULL;
	if (!from->told)
		return true;
	to->told = copy(from->told, sizeof *from->told);
	if (!to->told)
		return false;
	fine = clone_string(from->told->username, &to->told->username);
	fine &= clone_string(from->told->session_name, &to->told->session_name);
	return fine;
}

static bool
clone_offers(const struct sp_party *from, struct sp_party *to)
{
	bool fine = true;

	for (enum sp_by by = 0; by < SP_BYS; by++) {
		const struct sp_offer *offer = from->offer[by];

		to->offer[by] = NULL;
		if (!offer)
			continue;
		to->offer[by] = copy(offer, sizeof *offer + offer->count);
		fine &= to->offer[by] != NULL;
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
	fine &= clone_offers(from, to);
	fine &= clone_told(from, to);
	fine &= clone_string(from->branch, &to->branch);
	fine &= clone_string(from->label, &to->label);

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

enum sp_status
sp_party_clone(const struct sp_cast *from, struct sp_cast *to)
{
	*to = (struct sp_cast){
		.blocked = from->blocked,
		.dscp = from->dscp,
		.has_dscp = from->has_dscp,
	};
	if (from->count == 0)
		return SP_OK;
	if (!clone_string(from->metadata, &to->metadata))
		return SP_NO_MEMORY;
	to->party = calloc(from->count, sizeof to->party[0]);
	if (!to->party) {
		sp_party_free(to);
		return SP_NO_MEMORY;
	}
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
	free(cast->metadata);
	*cast = (struct sp_cast){ 0 };
}
