/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/exchange.h"
#include "control/reply_ng.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/keys.h"
#include "control/told.h"

#define ECN_BITS 2 /* of a TOS byte, below the DSCP: not ours to set */

bool
sp_exchange_no_memory(struct sp_exchange *x)
{
	sp_reply_status(&x->problem, SP_NO_MEMORY);
	return false;
}

bool
sp_exchange_refused(struct sp_exchange *x, enum sp_status status,
	const struct sp_sdp_error *error)
{
	const enum sp_problem_kind kind = status == SP_FORBIDDEN
		? SP_PROBLEM_ADDRESS
		: status == SP_CONFLICT ? SP_PROBLEM_CONFLICT
					: SP_PROBLEM_BAD_SDP;
	char where[48] = "sdp";

	if (error->line > 0)
		snprintf(where, sizeof where, "sdp line %u", error->line);
	if (error->media > 0)
		sp_problem_set(&x->problem, kind, where, "m-line %u: %s",
			error->media, error->reason);
	else
		sp_problem_set(&x->problem, kind, where, "%s", error->reason);
	return false;
}

bool
sp_exchange_conflict(struct sp_exchange *x, const char *where, const char *what)
{
	sp_problem_set(&x->problem, SP_PROBLEM_CONFLICT, where, "%s", what);
	return false;
}

bool
sp_exchange_open(struct sp_exchange *x, struct sp_service *s,
	struct sp_call *call, const struct sp_request *request,
	const struct sp_asker *asker)
{
	struct sp_sdp_error error = { 0 };
	enum sp_status status;

	x->s = s;
	x->call = call;
	x->first = x->again = false;
	x->request = request;
	x->asker = *asker;
	x->problem.http = 0;
	x->planned = 0;
	x->cast = (struct sp_cast){ 0 };
	x->from = x->to = x->pair = SP_NOBODY;
	x->policy = &request->policy;
	if (request->trust_source &&
		x->policy->endpoint.family == SP_FAMILY_NONE) {
		x->changed = request->policy;
		x->changed.endpoint = request->signalling_source;
		x->policy = &x->changed;
	}
	x->warnings = json_array();
	if (!x->warnings)
		return sp_exchange_no_memory(x);
	if (request->fragment)
		return true;
	status = sp_sdp_parse(
		request->sdp.at, request->sdp.len, &error, &x->sdp);
	if (status != SP_OK)
		return sp_exchange_refused(x, status, &error);
	return true;
}

/* Has the SDP been through this relay before? */
static bool
is_looped(const struct sp_exchange *x)
{
	const struct sp_sdp_text own = { x->s->id, strlen(x->s->id) };

	return x->request->loop_protect && sp_sdp_went_through(&x->sdp, own);
}

bool
sp_exchange_pass(struct sp_exchange *x)
{
	const struct sp_text sdp = x->request->sdp;
	json_t *body;

	if (x->request->fragment)
		body = json_pack("{s:O}", "warnings", x->warnings);
	else if (is_looped(x))
		body = json_pack("{s:o, s:O}", "sdp",
			json_stringn_nocheck(sdp.at, sdp.len), "warnings",
			x->warnings);
	else
		return false;
	json_decref(x->warnings);
	sp_reply_body(x->s, &x->asker, body);
	return true;
}

void
sp_exchange_warn(struct sp_exchange *x, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	/* Without memory the reply is a problem anyway, or complete enough. */
	json_array_append_new(x->warnings, json_string(text));
}

void
sp_exchange_warn_of_plan(struct sp_exchange *x)
{
	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		const struct sp_plan_media *plan = &x->plan.media[m];

		if (plan->transport_refused)
			sp_exchange_warn(x,
				"m-line %u: transport is ignored: there are no "
				"keys of ours for it",
				m + 1);
		if (plan->codecs_refused)
			sp_exchange_warn(x,
				"m-line %u: codec is ignored: it would leave "
				"none",
				m + 1);
	}
	for (unsigned int i = 0; i < x->policy->n_attr; i++) {
		const struct sp_attr_wish *wish = &x->policy->attr[i];
		const struct sp_sdp_text text = wish->what == SP_ATTR_SUBSTITUTE
			? wish->with
			: wish->text;

		if (wish->what != SP_ATTR_REMOVE && !sp_sdp_attr_allows(text))
			sp_exchange_warn(x,
				"sdp-attr: a=%.*s is not written: that is the "
				"relay's business",
				(int)(text.len < 32 ? text.len : 32), text.at);
	}
}

bool
sp_exchange_plan(struct sp_exchange *x, const struct sp_offer *offer)
{
	const struct sp_negotiate_own own = {
		x->s->ports.own,
		x->s->ports.n_own,
	};
	struct sp_sdp_error error = { 0 };
	enum sp_status status;

	if (offer)
		status = sp_negotiate_answer(&x->sdp, x->policy, &own,
			offer->line, offer->count, &error, &x->plan);
	else
		status = sp_negotiate_offer(
			&x->sdp, x->policy, &own, &error, &x->plan);
	if (status != SP_OK)
		return sp_exchange_refused(x, status, &error);
	return true;
}

static void
say_media(const struct sp_sdp_media *sdp, const struct sp_plan_media *plan,
	const struct sp_media *before, struct sp_media *out)
{
	*out = (struct sp_media){
		.rtp = plan->rtp,
		.rtcp = plan->rtcp,
		.payload_types =
			plan->payload_types[0] | plan->payload_types[1],
		.dtmf_types = plan->dtmf_types,
		.clock_hz = plan->clock_hz,
		.ptime_ms = plan->ptime_ms,
		.kind = plan->kind,
		.direction = plan->direction,
		.family = plan->family,
		.type = sp_reply_ng_type(sdp->type.at, sdp->type.len),
		.protocol = sp_reply_ng_protocol(sdp->proto.at, sdp->proto.len),
		.live = plan->accepted,
		.secure = plan->secure,
		.zero = plan->hold_by_zero,
	};
	memcpy(out->quiet, plan->quiet, sizeof out->quiet);
	/* Back from hold it will have the same address: nothing to relearn. */
	if (out->zero && before && before->live &&
		before->family == out->family) {
		out->rtp = before->rtp;
		out->rtcp = before->rtcp;
	}
}

struct sp_said *
sp_exchange_said(const struct sp_exchange *x, const struct sp_said *before)
{
	const struct sp_request *request = x->request;
	const unsigned int realm = x->cast.party[x->from]->realm;
	struct sp_said *said = sp_said_new(x->plan.media_count);

	if (!said)
		return NULL;
	said->signalling = request->signalling_source;
	said->signalling.port = 0;
	said->policy =
		(uint8_t)(request->has_latch ? request->latch
					     : x->s->conf->more[realm].latch);
	/* What the proxy does not say again still holds. */
	if (before && !request->has_latch)
		said->policy = before->policy;
	if (before && said->signalling.family == SP_FAMILY_NONE)
		said->signalling = before->signalling;
	for (unsigned int m = 0; m < said->count; m++) {
		const struct sp_sdes *crypto = &x->keys[m].said;
		struct sp_media *media = &said->media[m];

		say_media(&x->sdp.media[m], &x->plan.media[m],
			before && m < before->count ? &before->media[m] : NULL,
			media);
		media->keying = x->keys[m].from;
		if (crypto->tag > 0)
			media->crypto = sp_kept_new(crypto);
		if (crypto->tag == 0 || media->crypto)
			continue;
		sp_said_free(said);
		return NULL;
	}
	return said;
}

static bool
is_private(const struct sp_addr *a)
{
	return sp_addr_scope(a) == SP_ADDR_PRIVATE;
}

bool
sp_exchange_may_send(struct sp_exchange *x, const struct sp_said *said)
{
	const unsigned int realm = x->cast.party[x->from]->realm;

	/* No signaller at all has no scope that would be public. */
	if (!x->s->conf->more[realm].refuse_private ||
		sp_addr_scope(&said->signalling) == SP_ADDR_PUBLIC)
		return true;
	for (unsigned int m = 0; m < said->count; m++) {
		const struct sp_media *media = &said->media[m];
		const struct sp_sdp_error error = {
			.line = x->sdp.media[m].line,
			.media = m + 1,
			.reason = "media address is private, which the "
				  "party's realm refuses (private_targets): "
				  "send a public one, or the signalling_source "
				  "of a party behind NAT",
		};

		if (is_private(&media->rtp) || is_private(&media->rtcp))
			return sp_exchange_refused(x, SP_FORBIDDEN, &error);
	}
	return true;
}

/* Of an offer, no TOS means the default; an answer only sets one. */
static void
note_tos(struct sp_exchange *x)
{
	const struct sp_request *request = x->request;

	if (request->tos_mode == SP_TOS_KEEP ||
		(request->tos_mode == SP_TOS_DEFAULT &&
			request->verb != SP_VERB_OFFER))
		return;
	x->cast.has_dscp = request->tos_mode == SP_TOS_SET;
	x->cast.dscp = x->cast.has_dscp ? request->tos >> ECN_BITS : 0;
}

bool
sp_exchange_note(struct sp_exchange *x)
{
	const struct sp_request *request = x->request;
	enum sp_status status = SP_OK;

	note_tos(x);
	if (request->label.len > 0)
		status = sp_party_text(
			&x->cast.party[x->from]->label, request->label);
	if (status == SP_OK && request->metadata.len > 0)
		status = sp_party_text(&x->cast.metadata, request->metadata);
	return status == SP_OK || sp_exchange_no_memory(x);
}

uint8_t
sp_exchange_family(const struct sp_exchange *x)
{
	for (unsigned int m = 0; m < x->plan.media_count; m++)
		if (x->plan.media[m].accepted)
			return x->plan.media[m].family;
	return SP_FAMILY_NONE;
}

bool
sp_exchange_has_ports(struct sp_exchange *x, unsigned int worker,
	unsigned int realm, bool six, unsigned int count)
{
	const struct sp_service *s = x->s;
	const enum sp_family family = six ? SP_FAMILY_IP6 : SP_FAMILY_IP4;
	const char *name = s->conf->realm[realm].name;

	if (sp_ports_local(&s->ports, realm, family) < 0) {
		sp_problem_set(&x->problem, SP_PROBLEM_ADDRESS, "sdp",
			"the SDP uses IPv%d, but realm %s has no such "
			"address: add one to its addresses, or choose another "
			"realm",
			(int)family, name);
		return false;
	}
	if (sp_ports_have(&s->ports, worker, realm, family,
		    sp_service_now_s(s)) >= count)
		return true;
	sp_reply_full(&x->problem, "no-ports",
		"realm %s has no IPv%d ports left for worker %u: widen its "
		"range, or ask another relay",
		name, (int)family, worker);
	return false;
}

/* The local where @party has other m= lines already, or -1. */
static int
known_local(const struct sp_party *party, int six)
{
	for (unsigned int m = 0; m < party->legs; m++)
		if (party->leg[m].pair[six].port != 0)
			return party->leg[m].pair[six].local;
	return -1;
}

bool
sp_exchange_reserve(
	struct sp_exchange *x, uint8_t p, unsigned int m, enum sp_family family)
{
	struct sp_service *s = x->s;
	struct sp_party *party = x->cast.party[p];
	const int six = family == SP_FAMILY_IP6;
	struct sp_pair pair;
	enum sp_status status = sp_party_legs(party, m + 1);

	if (status == SP_OK && party->leg[m].pair[six].port != 0)
		return true;
	if (status == SP_OK)
		status = sp_ports_take(&s->ports, x->call->worker, party->realm,
			family, known_local(party, six), sp_service_now_s(s),
			&pair.local, &pair.port);
	if (status != SP_OK) {
		sp_reply_status(&x->problem, status);
		return false;
	}
	party->leg[m].pair[six] = pair;
	return true;
}

/* Has the address of m= line @m changed since @before? */
static bool
has_moved(const struct sp_exchange *x, const struct sp_said *before,
	unsigned int m)
{
	const struct sp_addr *now = &x->plan.media[m].rtp;

	return before && m < before->count && before->media[m].live &&
		before->media[m].rtp.family != SP_FAMILY_NONE &&
		now->family != SP_FAMILY_NONE &&
		!sp_addr_equal(now, &before->media[m].rtp);
}

bool
sp_exchange_renew(struct sp_exchange *x, const struct sp_said *before)
{
	struct sp_party *to = x->cast.party[x->to];

	for (unsigned int m = 0; m < x->plan.media_count; m++) {
		enum sp_family family;
		struct sp_pair *pair;
		struct sp_pair old;

		if (!x->request->new_ports || !x->plan.media[m].accepted ||
			!has_moved(x, before, m) || m >= to->legs)
			continue;
		family = to->leg[m].six ? SP_FAMILY_IP6 : SP_FAMILY_IP4;
		pair = &to->leg[m].pair[to->leg[m].six];
		old = *pair;
		if (old.port == 0)
			continue;
		*pair = (struct sp_pair){ 0 };
		if (!sp_exchange_has_ports(
			    x, x->call->worker, to->realm, to->leg[m].six, 1) ||
			!sp_exchange_reserve(x, x->to, m, family)) {
			*pair = old;
			return false;
		}
	}
	return true;
}

bool
sp_exchange_commit(struct sp_exchange *x)
{
	const uint64_t ends_ms = x->call->ends_ms;
	json_t *body = sp_told_write(x);
	enum sp_status status;

	if (!body)
		return x->problem.http == 0 && sp_exchange_no_memory(x);
	x->call->ends_ms = 0; /* it was deleted, and comes back to life */
	status = sp_job_program(x->s, x->call, &x->cast, &x->asker, body);
	if (status == SP_OK) {
		/* It falls back should the workers refuse. */
		if (x->call->job)
			x->call->job->ends_ms = ends_ms;
		json_decref(x->warnings);
		return true;
	}
	x->call->ends_ms = ends_ms;
	if (status == SP_FULL)
		sp_reply_full(&x->problem, "worker-busy",
			"worker %u takes no more flows or orders now",
			x->call->worker);
	else
		sp_reply_status(&x->problem, status);
	return false;
}

void
sp_exchange_refuse(struct sp_exchange *x)
{
	if (x->call)
		sp_job_give_ports(
			x->s, x->call->worker, &x->cast, &x->call->cast);
	sp_party_free(&x->cast);
	if (x->first)
		sp_call_free(x->call);
	json_decref(x->warnings);
	sp_reply_problem(x->s, &x->asker, &x->problem);
}

void
sp_exchange_close(struct sp_exchange *x)
{
	explicit_bzero(x->keys, x->planned * sizeof x->keys[0]);
}
