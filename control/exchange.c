/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/exchange.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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
	x->first = false;
	x->request = request;
	x->asker = *asker;
	x->cast = (struct sp_cast){ 0 };
	x->from = x->to = x->pair = SP_NOBODY;
	x->warnings = json_array();
	if (!x->warnings)
		return sp_exchange_no_memory(x);
	status = sp_sdp_parse(
		request->sdp.at, request->sdp.len, &error, &x->sdp);
	if (status != SP_OK)
		return sp_exchange_refused(x, status, &error);
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

static void
say_media(const struct sp_sdp_media *sdp, const struct sp_plan_media *plan,
	const struct sp_media *before, struct sp_media *out)
{
	*out = (struct sp_media){
		.rtp = plan->rtp,
		.rtcp = plan->rtcp,
		.payload_types =
			plan->payload_types[0] | plan->payload_types[1],
		.clock_hz = plan->clock_hz,
		.ptime_ms = plan->ptime_ms,
		.kind = plan->kind,
		.direction = plan->direction,
		.family = sdp->addr.family,
		.live = plan->accepted,
		.secure = plan->secure,
		.zero = plan->hold_by_zero,
	};
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
	struct sp_said *said = calloc(
		1, sizeof *said + x->plan.media_count * sizeof said->media[0]);

	if (!said)
		return NULL;
	said->count = x->plan.media_count;
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
	for (unsigned int m = 0; m < said->count; m++)
		say_media(&x->sdp.media[m], &x->plan.media[m],
			before && m < before->count ? &before->media[m] : NULL,
			&said->media[m]);
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

bool
sp_exchange_label(struct sp_exchange *x)
{
	if (x->request->label.len == 0 ||
		sp_party_label(x->cast.party[x->from], x->request->label) ==
			SP_OK)
		return true;
	return sp_exchange_no_memory(x);
}

uint8_t
sp_exchange_family(const struct sp_exchange *x)
{
	for (unsigned int m = 0; m < x->plan.media_count; m++)
		if (x->plan.media[m].accepted)
			return x->sdp.media[m].addr.family;
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
			family, sp_service_now_s(s), &pair.local, &pair.port);
	if (status != SP_OK) {
		sp_reply_status(&x->problem, status);
		return false;
	}
	party->leg[m].pair[six] = pair;
	return true;
}

/* The address that SDP names @party by, with the port of its m= line @m. */
static struct sp_addr
advertised(const struct sp_exchange *x, const struct sp_party *party,
	unsigned int m)
{
	const struct sp_leg *leg = &party->leg[m];
	const struct sp_pair *pair = &leg->pair[leg->six];
	struct sp_addr addr = x->s->ports.local[pair->local].advertised;

	addr.port = pair->port;
	return addr;
}

/* Our address for what is not about an m= line that is relayed. */
static struct sp_addr
session_address(const struct sp_exchange *x, const struct sp_party *party)
{
	int local = sp_ports_local(
		&x->s->ports, party->realm, (enum sp_family)party->family);

	for (unsigned int m = 0; m < x->plan.media_count; m++)
		if (x->plan.media[m].accepted)
			return advertised(x, party, m);
	/* A realm has at least one address. */
	if (local < 0)
		local = sp_ports_local(
			&x->s->ports, party->realm, SP_FAMILY_IP4);
	if (local < 0)
		local = sp_ports_local(
			&x->s->ports, party->realm, SP_FAMILY_IP6);
	return x->s->ports.local[local].advertised;
}

/* The reply to be: {"sdp": ..., "warnings": [...]}, or NULL. */
static json_t *
write_body(struct sp_exchange *x)
{
	const struct sp_party *party = x->cast.party[x->to];
	struct sp_sdp_edit edit = { 0 };
	struct sp_addr local[SP_SDP_MEDIA_MAX] = { 0 };
	const struct sp_addr session = session_address(x, party);
	size_t len = 0;

	for (unsigned int m = 0; m < x->plan.media_count; m++)
		if (x->plan.media[m].accepted)
			local[m] = advertised(x, party, m);
	sp_negotiate_edit(
		&x->sdp, &x->plan, &x->request->policy, &session, local, &edit);
	if (sp_sdp_edit(&x->sdp, &edit, x->s->sdp, sizeof x->s->sdp, &len) !=
		SP_OK)
		return NULL;
	return json_pack(
		"{s:s#, s:O}", "sdp", x->s->sdp, len, "warnings", x->warnings);
}

bool
sp_exchange_commit(struct sp_exchange *x)
{
	json_t *body = write_body(x);
	enum sp_status status;

	if (!body)
		return sp_exchange_no_memory(x);
	status = sp_job_program(x->s, x->call, &x->cast, &x->asker, body);
	if (status == SP_OK) {
		json_decref(x->warnings);
		return true;
	}
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
