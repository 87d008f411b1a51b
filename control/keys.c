/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/keys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool
system_random(void *buf, size_t len)
{
	return getrandom(buf, len, 0) == (ssize_t)len;
}

/* Take @len bytes out of the pool, which does not keep them. */
static bool
take(struct sp_key_pool *pool, uint8_t *out, size_t len)
{
	bool (*more)(void *buf, size_t len) =
		pool->more ? pool->more : system_random;

	if (pool->left < len) {
		pool->left = 0;
		if (!more(pool->bytes, sizeof pool->bytes))
			return false;
		pool->left = sizeof pool->bytes;
	}
	pool->left -= len;
	memcpy(out, pool->bytes + pool->left, len);
	explicit_bzero(pool->bytes + pool->left, len);
	return true;
}

enum sp_status
sp_keys_fill(struct sp_key_pool *pool, struct sp_plan_keys *plan)
{
	for (unsigned int i = 0; i < plan->count; i++) {
		struct sp_srtp_conf *srtp = &plan->line[i].srtp;
		const struct sp_srtp_facts *facts =
			sp_srtp_facts((enum sp_srtp_suite)srtp->suite);

		if (srtp->n_keys > 0)
			continue;
		if (!take(pool, srtp->key[0].key,
			    (size_t)facts->key_len + facts->salt_len))
			return SP_SYSTEM;
		srtp->n_keys = 1;
	}
	return SP_OK;
}

void
sp_keys_drain(struct sp_key_pool *pool)
{
	explicit_bzero(pool->bytes, sizeof pool->bytes);
	pool->left = 0;
}

static size_t
size_of(unsigned int count)
{
	return sizeof(struct sp_leg_keys) + count * sizeof(struct sp_kept *);
}

enum sp_status
sp_keys_make(struct sp_leg *leg)
{
	if (!leg->keys)
		leg->keys = calloc(1, size_of(0));
	return leg->keys ? SP_OK : SP_NO_MEMORY;
}

struct sp_leg_keys *
sp_keys_clone(const struct sp_leg_keys *from)
{
	struct sp_leg_keys *to = malloc(size_of(from->count));

	if (!to)
		return NULL;
	memcpy(to, from, sizeof *from);
	for (to->count = 0; to->count < from->count; to->count++) {
		to->line[to->count] = sp_kept_clone(from->line[to->count]);
		if (!to->line[to->count]) {
			sp_keys_free(to);
			return NULL;
		}
	}
	return to;
}

void
sp_keys_free(struct sp_leg_keys *keys)
{
	for (unsigned int i = 0; keys && i < keys->count; i++)
		sp_kept_free(keys->line[i]);
	free(keys);
}

struct sp_said *
sp_said_new(unsigned int count)
{
	struct sp_said *said =
		calloc(1, sizeof *said + count * sizeof said->media[0]);

	if (said)
		said->count = (uint8_t)count;
	return said;
}

void
sp_said_free(struct sp_said *said)
{
	if (!said)
		return;
	for (unsigned int m = 0; m < said->count; m++)
		sp_kept_free(said->media[m].crypto);
	free(said);
}

enum sp_status
sp_said_set(struct sp_said *said, unsigned int m, const struct sp_media *media)
{
	struct sp_kept *crypto = NULL;

	if (media->crypto) {
		crypto = sp_kept_clone(media->crypto);
		if (!crypto)
			return SP_NO_MEMORY;
	}
	sp_kept_free(said->media[m].crypto);
	said->media[m] = *media;
	said->media[m].crypto = crypto;
	return SP_OK;
}

struct sp_said *
sp_said_clone(const struct sp_said *from)
{
	struct sp_said *to = sp_said_new(from->count);
	enum sp_status status = SP_OK;

	if (!to)
		return NULL;
	to->signalling = from->signalling;
	to->policy = from->policy;
	for (unsigned int m = 0; status == SP_OK && m < from->count; m++)
		status = sp_said_set(to, m, &from->media[m]);
	if (status == SP_OK)
		return to;
	sp_said_free(to);
	return NULL;
}

static bool
has_bit(uint16_t bits, unsigned int i)
{
	return bits >> i & 1;
}

/* The line of @said that counts for m= line @m, or NULL. */
static const struct sp_kept *
crypto_of(const struct sp_said *said, unsigned int m)
{
	return said && m < said->count && said->media[m].live
		? said->media[m].crypto
		: NULL;
}

/* The place of the line of @tag and @suite among those of @keys, or its
   count. */
static unsigned int
find(const struct sp_leg_keys *keys, uint32_t tag, uint8_t suite)
{
	unsigned int i = 0;

	while (i < keys->count &&
		(keys->line[i]->tag != tag || keys->line[i]->suite != suite))
		i++;
	return i;
}

/* The place of the line of ours that goes with what a party @said. */
static unsigned int
find_said(const struct sp_leg_keys *keys, const struct sp_kept *said)
{
	return find(keys, said->tag, said->suite);
}

/* Does media under the key of our line @i go to any tag of @party? */
static bool
in_use(const struct sp_party *party, unsigned int m,
	const struct sp_leg_keys *keys, unsigned int i)
{
	for (const struct sp_tag *t = party->tags; t; t = t->next) {
		const struct sp_kept *said = crypto_of(t->said, m);
		const unsigned int at =
			said ? find_said(keys, said) : keys->count;

		if (at < keys->count &&
			(at == i ||
				sp_kept_same(keys->line[at], keys->line[i])))
			return true;
	}
	return false;
}

/* Has the key of @line, one of ours, been in use, under whatever tag? */
static bool
was_used(const struct sp_leg_keys *keys, const struct sp_sdes *line)
{
	for (unsigned int i = 0; i < keys->count; i++)
		if (has_bit(keys->used, i) &&
			sp_kept_has(keys->line[i], &line->srtp))
			return true;
	return false;
}

void
sp_keys_retire(struct sp_party *party, bool keep)
{
	for (unsigned int m = 0; m < party->legs; m++) {
		struct sp_leg_keys *keys = party->leg[m].keys;

		for (unsigned int i = 0; keys && i < keys->count; i++) {
			if (!has_bit(keys->used, i) ||
				(keep && has_bit(keys->offered, i)) ||
				in_use(party, m, keys, i))
				continue;
			keys->used &= (uint16_t) ~(1u << i);
			sp_kept_take(keys->line[i]);
		}
	}
}

/*
 * Put a line behind those of @keys, if it has none of that tag and suite:
 * @shown or, if that is NULL, a copy of @old. False: no memory.
 */
static bool
append(struct sp_leg_keys *keys, const struct sp_sdes *shown,
	const struct sp_kept *old, bool offered, bool used)
{
	const unsigned int at = shown
		? find(keys, shown->tag, shown->srtp.suite)
		: find_said(keys, old);

	if (at == SP_KEYS_LINES_MAX)
		return true;
	if (at == keys->count) {
		keys->line[at] =
			shown ? sp_kept_new(shown) : sp_kept_clone(old);
		if (!keys->line[at])
			return false;
		keys->count++;
	}
	keys->offered |= (uint16_t)(offered << at);
	keys->used |= (uint16_t)(used << at);
	return true;
}

enum sp_status
sp_keys_show(struct sp_party *party, unsigned int m,
	const struct sp_plan_keys *plan, bool offer, bool keep)
{
	struct sp_leg *leg = &party->leg[m];
	struct sp_leg_keys *old, *new;
	enum sp_status status;
	bool fine = true;

	if (!leg->keys && plan->count == 0)
		return SP_OK;
	status = sp_keys_make(leg);
	if (status != SP_OK)
		return status;
	old = leg->keys;
	new = calloc(1, size_of(plan->count + old->count));
	if (!new)
		return SP_NO_MEMORY;
	new->told = old->told;
	new->id = old->id;
	for (unsigned int i = 0; fine && i < plan->count; i++)
		fine = append(new, &plan->line[i], NULL, offer,
			was_used(old, &plan->line[i]));
	for (unsigned int i = 0; fine && i < old->count; i++) {
		const bool kept = keep && has_bit(old->offered, i);

		if (kept || in_use(party, m, old, i))
			fine = append(new, NULL, old->line[i], kept,
				has_bit(old->used, i));
	}
	sp_keys_free(fine ? old : new);
	if (!fine)
		return SP_NO_MEMORY;
	leg->keys = new;
	return SP_OK;
}

unsigned int
sp_keys_lines(
	const struct sp_leg_keys *keys, struct sp_sdes out[SP_KEYS_LINES_MAX])
{
	unsigned int n = 0;

	for (; keys && n < keys->count; n++)
		sp_kept_read(keys->line[n], &out[n]);
	return n;
}

unsigned int
sp_keys_offered(
	const struct sp_leg_keys *keys, struct sp_sdes out[SP_KEYS_LINES_MAX])
{
	unsigned int n = 0;

	for (unsigned int i = 0; keys && i < keys->count; i++) {
		const struct sp_kept *line = keys->line[i];

		if (!has_bit(keys->offered, i))
			continue;
		out[n++] = (struct sp_sdes){
			.tag = line->tag,
			.srtp = {
				.suite = line->suite,
				.flags = line->flags,
				.n_keys = line->n_keys,
			},
		};
	}
	return n;
}

void
sp_keys_use(struct sp_party *party, const struct sp_said *said)
{
	for (unsigned int m = 0; m < party->legs; m++) {
		struct sp_leg_keys *keys = party->leg[m].keys;
		const struct sp_kept *crypto = crypto_of(said, m);
		unsigned int at;

		if (!keys || !crypto)
			continue;
		at = find_said(keys, crypto);
		/* A line that was refused or left has no key to be used. */
		for (unsigned int i = 0; at < keys->count && i < keys->count;
			i++)
			if (sp_kept_same(keys->line[at], keys->line[i]))
				keys->used |= (uint16_t)(1u << i);
	}
}

void
sp_keys_undone(const struct sp_cast *cast, uint8_t p, unsigned int m,
	const struct sp_srtp_conf *out, bool forgotten)
{
	struct sp_leg_keys *keys;

	if (out->suite == SP_SRTP_NONE || p >= cast->count ||
		m >= cast->party[p]->legs)
		return;
	keys = cast->party[p]->leg[m].keys;
	for (unsigned int i = 0; keys && i < keys->count; i++) {
		if (!sp_kept_has(keys->line[i], out))
			continue;
		keys->used |= (uint16_t)(1u << i);
		if (forgotten) {
			keys->used &= (uint16_t) ~(1u << i);
			sp_kept_take(keys->line[i]);
		}
	}
}

void
sp_keys_leave(struct sp_leg *leg)
{
	struct sp_leg_keys *keys = leg->keys;

	keys->id = 0;
	keys->told = 0;
	for (unsigned int i = 0; i < keys->count; i++) {
		if (has_bit(keys->used, i))
			sp_kept_take(keys->line[i]);
	}
	keys->used = 0;
}

/* May an offer that @p has not answered on m= line @m make it keyed? */
static bool
is_offered(const struct sp_cast *cast, uint8_t p, unsigned int m)
{
	const uint8_t maybe = 1u << SP_KEYING_SDES | 1u << SP_KEYING_OSRTP;

	if (cast->party[p]->caller != SP_NOBODY)
		return cast->party[p]->leg[m].kinds[SP_BY_CALLER] & maybe;
	for (uint8_t b = 0; b < cast->count; b++) {
		const struct sp_party *branch = cast->party[b];

		if (branch->caller == p && m < branch->legs &&
			sp_party_on(cast, b, m) &&
			branch->leg[m].kinds[SP_BY_BRANCH] & maybe)
			return true;
	}
	return false;
}

bool
sp_keys_conf(const struct sp_cast *cast, uint8_t p, unsigned int m,
	struct sp_flow_keys *out)
{
	const struct sp_party *party = cast->party[p];
	const struct sp_media *said = sp_party_media(party, m);
	const struct sp_leg *leg = &party->leg[m];

	if (out)
		*out = (struct sp_flow_keys){ 0 };
	if (!sp_party_on(cast, p, m))
		return false;
	if (!said || !said->live)
		return is_offered(cast, p, m);
	if (!said->crypto)
		return false;
	if (out) {
		unsigned int i =
			leg->keys ? find_said(leg->keys, said->crypto) : 0;
		struct sp_sdes line;

		sp_kept_read(said->crypto, &line);
		out->in = line.srtp;
		if (leg->keys && i < leg->keys->count &&
			has_bit(leg->keys->used, i)) {
			sp_kept_read(leg->keys->line[i], &line);
			out->out = line.srtp;
		}
		explicit_bzero(&line, sizeof line);
	}
	return true;
}

enum sp_keying
sp_keys_of(
	const struct sp_party *party, unsigned int m, uint8_t *in, uint8_t *out)
{
	const struct sp_media *said = sp_party_media(party, m);
	const struct sp_leg_keys *keys =
		m < party->legs ? party->leg[m].keys : NULL;
	unsigned int i;

	*in = *out = SP_SRTP_NONE;
	if (!said || !said->live)
		return SP_KEYING_CLEAR;
	if (!said->crypto)
		return said->secure ? SP_KEYING_END_TO_END : SP_KEYING_CLEAR;
	*in = said->crypto->suite;
	i = keys ? find_said(keys, said->crypto) : 0;
	if (keys && i < keys->count && has_bit(keys->used, i))
		*out = keys->line[i]->suite;
	return SP_KEYING_SDES;
}
