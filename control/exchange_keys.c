/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/exchange.h"
#include "control/keys.h"

/*
 * Protocols and keys of an exchange: what is known of both parties goes into
 * the pure plan (negotiate_keys.h), and what it says goes into the cast.
 */

/* The end of m= line @m towards party @p, or NULL. */
static struct sp_leg *
leg_of(const struct sp_exchange *x, uint8_t p, unsigned int m)
{
	const struct sp_party *party = x->cast.party[p];

	return m < party->legs ? &party->leg[m] : NULL;
}

/* Does the realm of party @p take no media in the clear? */
static bool
requires_srtp(const struct sp_exchange *x, uint8_t p)
{
	return x->s->conf->more[x->cast.party[p]->realm].require_srtp;
}

/* What @said says of m= line @m, if that is in use; or NULL. */
static const struct sp_media *
media_of(const struct sp_said *said, unsigned int m)
{
	return said && m < said->count && said->media[m].live ? &said->media[m]
							      : NULL;
}

/* Give the lines of ours that are new their keys. */
static bool
fill(struct sp_exchange *x)
{
	enum sp_status status = SP_OK;

	for (unsigned int m = 0; m < x->planned && status == SP_OK; m++)
		status = sp_keys_fill(&x->s->key_pool, &x->keys[m]);
	if (status != SP_OK)
		sp_reply_status(&x->problem, status);
	return status == SP_OK;
}

/* Put the end of a plan of keys into @x->problem. */
static bool
refused(struct sp_exchange *x, enum sp_status status,
	const struct sp_sdp_error *error)
{
	if (status != SP_FORBIDDEN)
		return sp_exchange_refused(x, status, error);
	x->s->metrics.srtp_refused++;
	sp_problem_set(&x->problem, SP_PROBLEM_SRTP, "sdp", "m-line %u: %s",
		error->media, error->reason);
	return false;
}

/* Can answers to an earlier offer still come, to a branch without an id? */
static bool
adds_to_offer(const struct sp_exchange *x)
{
	const struct sp_party *pair = x->cast.party[x->pair];

	return !pair->answered &&
		sp_party_offered(pair, sp_exchange_by(x, x->from));
}

/* Is the party that gets this offered something by other branches, too? */
static bool
others_offer(const struct sp_exchange *x)
{
	for (uint8_t b = 0; b < x->cast.count; b++) {
		const struct sp_party *branch = x->cast.party[b];

		if (b != x->pair && branch->caller == x->to &&
			sp_party_offered(branch, SP_BY_BRANCH))
			return true;
	}
	return false;
}

/* Lines of the cast, read for a plan that refers to them; wiped after it. */
struct lines {
	struct sp_sdes said;                     /* the offerer's */
	struct sp_sdes from[SP_KEYS_LINES_MAX];  /* ours, to who speaks now */
	struct sp_sdes to[SP_KEYS_LINES_MAX];    /* and to the other one */
	struct sp_sdes shown[SP_KEYS_LINES_MAX]; /* @from that were offered */
};

/* The line that counts of @media (may be NULL), or NULL. */
static const struct sp_sdes *
read_said(const struct sp_media *media, struct lines *lines)
{
	if (!media || !media->crypto)
		return NULL;
	sp_kept_read(media->crypto, &lines->said);
	return &lines->said;
}

static void
before_offer(const struct sp_exchange *x, unsigned int m, struct lines *lines,
	struct sp_keys_before *keys, struct sp_negotiate_before *mux)
{
	const struct sp_tag *tag =
		sp_party_tag(x->cast.party[x->from], x->request->from_tag);
	const struct sp_media *media =
		media_of(tag && tag->said ? tag->said : NULL, m);
	const struct sp_media *theirs = sp_party_media(x->cast.party[x->to], m);
	const struct sp_leg *from = leg_of(x, x->from, m);
	const struct sp_leg *to = leg_of(x, x->to, m);

	*keys = (struct sp_keys_before){
		.offerer_srtp = requires_srtp(x, x->from),
		.receiver_srtp = requires_srtp(x, x->to),
		.said = read_said(media, lines),
		.own = lines->from,
		.line = lines->to,
	};
	*mux = (struct sp_negotiate_before){ 0 };
	if (from) {
		keys->offerer = from->transport;
		keys->n_own = (uint8_t)sp_keys_lines(from->keys, lines->from);
		mux->offerer_mux =
			from->mux && sp_party_on(&x->cast, x->from, m);
	}
	if (!to)
		return;
	keys->receiver = to->transport;
	mux->receiver_mux = to->mux && sp_party_on(&x->cast, x->to, m);
	keys->receiver_osrtp =
		theirs && theirs->live && theirs->keying == SP_KEYING_OSRTP;
	keys->count = (uint8_t)sp_keys_lines(to->keys, lines->to);
}

bool
sp_exchange_keys_offer(struct sp_exchange *x)
{
	sp_keys_retire(
		x->cast.party[x->to], adds_to_offer(x) || others_offer(x));
	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		struct sp_plan_media *plan = &x->plan.media[m];
		struct sp_negotiate_before mux;
		struct sp_keys_before before;
		struct sp_sdp_error error;
		struct lines lines;
		enum sp_status status;

		before_offer(x, m, &lines, &before, &mux);
		sp_negotiate_keep(x->policy, &mux, plan);
		x->planned = m + 1;
		status = sp_negotiate_keys_offer(&x->sdp, m, x->policy, &before,
			&error, plan, &x->keys[m]);
		explicit_bzero(&lines, sizeof lines);
		if (status != SP_OK)
			return refused(x, status, &error);
	}
	return fill(x);
}

bool
sp_exchange_keys_answer(struct sp_exchange *x, const struct sp_offer *offer)
{
	struct sp_party *to = x->cast.party[x->to];
	const struct sp_tag *tag = sp_party_tag(to, x->request->from_tag);
	const struct sp_said *said = tag->staged ? tag->staged : tag->said;
	const enum sp_by by = sp_exchange_by(x, x->to);

	sp_keys_retire(to, others_offer(x));
	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		const struct sp_media *media = media_of(said, m);
		const struct sp_leg *theirs = leg_of(x, x->from, m);
		const struct sp_leg *ours = leg_of(x, x->to, m);
		const struct sp_leg *pair = leg_of(x, x->pair, m);
		struct lines lines;
		struct sp_keys_offered offered = {
			.transport = offer->line[m] / SP_OFFERED_TRANSPORT,
			.kinds = pair ? pair->kinds[by] : 0,
			.end_to_end = media && media->secure,
			.offerer_srtp = requires_srtp(x, x->to),
			.answerer_srtp = requires_srtp(x, x->from),
			.said = read_said(media, &lines),
			.line = lines.shown,
			.own = lines.from,
			.ours = lines.to,
		};
		struct sp_sdp_error error;
		enum sp_status status;

		if (theirs) {
			offered.n_line = (uint8_t)sp_keys_offered(
				theirs->keys, lines.shown);
			offered.n_own = (uint8_t)sp_keys_lines(
				theirs->keys, lines.from);
		}
		if (ours)
			offered.n_ours =
				(uint8_t)sp_keys_lines(ours->keys, lines.to);
		x->planned = m + 1;
		status = sp_negotiate_keys_answer(&x->sdp, m, x->policy,
			&offered, &error, &x->plan.media[m], &x->keys[m]);
		explicit_bzero(&lines, sizeof lines);
		if (status != SP_OK)
			return refused(x, status, &error);
	}
	return fill(x);
}

bool
sp_exchange_keys_told(struct sp_exchange *x)
{
	const bool offer = !x->plan.answer;
	const bool adds = offer && adds_to_offer(x);
	const bool keep = !offer || adds || others_offer(x);
	struct sp_party *to = x->cast.party[x->to];
	const enum sp_by by = sp_exchange_by(x, x->from);

	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		const struct sp_plan_media *plan = &x->plan.media[m];
		const struct sp_plan_keys *keys = &x->keys[m];
		struct sp_leg *pair = leg_of(x, x->pair, m);
		struct sp_leg *theirs = leg_of(x, x->from, m);
		struct sp_leg *ours = leg_of(x, x->to, m);

		if (theirs)
			theirs->transport = plan->accepted ? plan->transport
							   : SP_TRANSPORT_ANY;
		if (!ours)
			continue;
		if (offer)
			ours->transport = plan->accepted ? plan->written
							 : SP_TRANSPORT_ANY;
		if (!plan->accepted)
			continue;
		if (offer)
			pair->kinds[by] =
				(uint8_t)((adds ? pair->kinds[by] : 0) |
					1u << keys->to);
		/* An answer to an earlier offer may still choose from those. */
		if (adds && keys->count == 0)
			continue;
		if (sp_keys_show(to, m, keys, offer, keep) != SP_OK)
			return sp_exchange_no_memory(x);
	}
	return true;
}
