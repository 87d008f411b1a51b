/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/program.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_OWNERS 1024u

/* What is known of m= line @m: what the party said, else what the other did. */
static const struct sp_media *
media_of(const struct sp_cast *cast, uint8_t p, unsigned int m)
{
	const struct sp_media *media = sp_party_media(cast->party[p], m);
	const uint8_t other = sp_party_other(cast, p);

	if ((!media || !media->live) && other != SP_NOBODY)
		media = sp_party_media(cast->party[other], m);
	return media;
}

/* Does the cast need this flow? */
static bool
wanted(const struct sp_cast *cast, uint8_t p, unsigned int m, enum sp_part part)
{
	const struct sp_leg *leg = &cast->party[p]->leg[m];
	const struct sp_media *media = media_of(cast, p, m);

	if (!sp_party_on(cast, p, m) || leg->pair[leg->six].port == 0)
		return false;
	return part == SP_PART_RTP ||
		(!leg->mux && media && media->kind == SP_MEDIA_RTP);
}

/* A private address is of no use when the SIP came from a public one. */
static bool
must_wait(const struct sp_addr *signalled, const struct sp_addr *signalling)
{
	return signalled->family != SP_FAMILY_NONE &&
		signalling->family != SP_FAMILY_NONE &&
		sp_addr_scope(signalled) == SP_ADDR_PRIVATE &&
		sp_addr_scope(signalling) == SP_ADDR_PUBLIC;
}

/* What of the packets that party @p sends is kept back. */
static uint8_t
block_flags(const struct sp_cast *cast, uint8_t p)
{
	const struct sp_party *party = cast->party[p];
	uint8_t blocked = cast->blocked | party->blocked;
	uint8_t flags = 0;

	if (party->caller != SP_NOBODY)
		blocked |= party->block_up;
	else if (party->peer != SP_NOBODY)
		blocked |= cast->party[party->peer]->block_down;

	if (blocked & SP_BLOCK_MEDIA)
		flags |= SP_FLOW_BLOCK;
	if (blocked & SP_BLOCK_SILENCE)
		flags |= SP_FLOW_SILENCE;
	if (blocked & SP_BLOCK_DTMF)
		flags |= SP_FLOW_NO_DTMF;
	return flags;
}

static uint16_t
shorter(uint16_t a, uint16_t b)
{
	if (a == 0 || b == 0)
		return a > b ? a : b;
	return a < b ? a : b;
}

/* The flows on the other side that send on what arrives here. */
static void
connect_flows(const struct sp_cast *cast, uint8_t p, unsigned int m,
	enum sp_part part, struct sp_flow_conf *out)
{
	const uint8_t other = sp_party_other(cast, p);
	const uint8_t branch = cast->party[p]->caller != SP_NOBODY ? p : other;
	const struct sp_leg *to;

	if (part == SP_PART_RTCP)
		out->rtp_flow = cast->party[p]->leg[m].slot[SP_PART_RTP].flow;
	if (other == SP_NOBODY || m >= cast->party[other]->legs ||
		!sp_party_on(cast, branch, m))
		return;
	to = &cast->party[other]->leg[m];
	if (part == SP_PART_RTP)
		out->out_rtp = to->slot[SP_PART_RTP].flow;
	if (out->kind != SP_FLOW_DATA)
		out->out_rtcp =
			to->slot[to->mux ? SP_PART_RTP : SP_PART_RTCP].flow;
}

/* What the SDPs say of the stream. */
static void
describe(const struct sp_cast *cast, uint8_t p, unsigned int m,
	enum sp_part part, struct sp_flow_conf *out)
{
	const struct sp_media *media = media_of(cast, p, m);
	const struct sp_media *said = sp_party_media(cast->party[p], m);
	const uint8_t other = sp_party_other(cast, p);
	const struct sp_media *back = other == SP_NOBODY
		? NULL
		: sp_party_media(cast->party[other], m);

	out->send = 1;
	out->kind = part == SP_PART_RTCP ? SP_FLOW_RTCP : SP_FLOW_RTP;
	if (part == SP_PART_RTP && cast->party[p]->leg[m].mux)
		out->kind = SP_FLOW_MUX;
	if (media) {
		if (media->kind == SP_MEDIA_DATA)
			out->kind = SP_FLOW_DATA;
		if (media->secure)
			out->flags = SP_FLOW_OPAQUE;
		out->payload_types = media->payload_types;
		out->dtmf_types = media->dtmf_types;
		memcpy(out->quiet, media->quiet, sizeof out->quiet);
		out->clock_hz = media->clock_hz;
		out->ptime_ms = media->ptime_ms;
	}
	if (back && back->live) {
		out->payload_types |= back->payload_types;
		out->dtmf_types |= back->dtmf_types;
		/* A sender uses the numbers that its receiver gave. */
		for (unsigned int q = 0; q < SP_QUIET_CODECS; q++)
			if (back->quiet[q] != SP_QUIET_NONE)
				out->quiet[q] = back->quiet[q];
		out->ptime_ms = shorter(out->ptime_ms, back->ptime_ms);
		if (out->clock_hz == 0)
			out->clock_hz = back->clock_hz;
	}
	if (said && said->live) {
		out->signalled = part == SP_PART_RTCP ? said->rtcp : said->rtp;
		/* A party on hold still gets RTCP (RFC 3264, 8.4). */
		out->send = part == SP_PART_RTCP ||
			said->direction & SP_SDP_RECVONLY;
	}
}

static void
flow_conf(const struct sp_service *s, const struct sp_cast *cast, uint8_t p,
	unsigned int m, enum sp_part part, struct sp_flow_conf *out)
{
	const struct sp_party *party = cast->party[p];
	const struct sp_slot *slot = &party->leg[m].slot[part];
	const struct sp_said *said = party->tags ? party->tags->said : NULL;
	const struct sp_realm_more *realm = &s->conf->more[party->realm];

	memset(out, 0, sizeof *out); /* its padding is hashed, too */
	memset(out->quiet, SP_QUIET_NONE, sizeof out->quiet);
	describe(cast, p, m, part, out);
	connect_flows(cast, p, m, part, out);
	if (part == SP_PART_RTP)
		out->flags |= block_flags(cast, p);
	out->policy = said ? said->policy : (uint8_t)realm->latch;
	if (said)
		out->signalling = said->signalling;
	out->wait = must_wait(&out->signalled, &out->signalling);
	out->unanswered = realm->unanswered_packets;
	out->dscp =
		cast->has_dscp ? cast->dscp : s->conf->realm[party->realm].dscp;
	out->local = slot->local;
	out->port = slot->port;
}

static bool
owners_grow(struct sp_owners *owners, uint32_t flow)
{
	uint32_t size = owners->size > 0 ? owners->size : FIRST_OWNERS;
	struct sp_call **call;

	while (size <= flow)
		size *= 2;
	if (size == owners->size)
		return true;
	call = realloc(owners->call, size * sizeof call[0]);
	if (!call)
		return false;
	memset(call + owners->size, 0, (size - owners->size) * sizeof call[0]);
	owners->call = call;
	owners->size = size;
	return true;
}

static enum sp_status
take(struct sp_service *s, struct sp_call *call, uint32_t *flow)
{
	struct sp_owners *owners = &s->owners[call->worker];
	enum sp_status status =
		sp_dataplane_flow_take(s->dp, call->worker, flow);

	if (status != SP_OK)
		return status;
	if (!owners_grow(owners, *flow)) {
		sp_dataplane_flow_give(s->dp, call->worker, *flow);
		return SP_NO_MEMORY;
	}
	owners->call[*flow] = call;
	owners->flows++;
	return SP_OK;
}

void
sp_program_give(struct sp_service *s, unsigned int worker, uint32_t flow)
{
	s->owners[worker].call[flow] = NULL;
	s->owners[worker].flows--;
	sp_dataplane_flow_give(s->dp, worker, flow);
}

static size_t
count_slots(const struct sp_cast *cast)
{
	size_t count = 0;

	for (uint8_t p = 0; p < cast->count; p++)
		count += (size_t)cast->party[p]->legs * SP_PARTS;
	return count;
}

static struct sp_order *
add_order(struct sp_orders *to, const struct sp_cast *cast, uint8_t p,
	unsigned int m, int part)
{
	struct sp_order *order = &to->order[to->count++];

	order->flow = cast->party[p]->leg[m].slot[part].flow;
	order->party = p;
	order->m = (uint8_t)m;
	order->part = (uint8_t)part;
	return order;
}

/* First pass: every slot has a flow if it needs one, and only then. */
static enum sp_status
settle_slot(struct sp_service *s, struct sp_call *call,
	const struct sp_cast *cast, uint8_t p, unsigned int m, int part,
	struct sp_orders *tell, struct sp_orders *stop)
{
	struct sp_leg *leg = &cast->party[p]->leg[m];
	struct sp_slot *slot = &leg->slot[part];
	const struct sp_pair *pair = &leg->pair[leg->six];
	const uint16_t port = (uint16_t)(pair->port + part);
	const bool want = wanted(cast, p, m, part);
	bool fresh = false;
	struct sp_order *order;
	enum sp_status status;

	if (slot->flow != 0 &&
		(!want || slot->port != port || slot->local != pair->local)) {
		order = add_order(stop, cast, p, m, part);
		order->kind = SP_ORDER_STOP;
		*slot = (struct sp_slot){ 0 };
	}
	if (!want)
		return SP_OK;
	if (slot->flow == 0) {
		status = take(s, call, &slot->flow);
		if (status != SP_OK)
			return status;
		slot->local = pair->local;
		slot->port = port;
		fresh = true;
	}
	order = add_order(tell, cast, p, m, part);
	order->kind = SP_ORDER_PROGRAM;
	order->fresh = fresh;
	return SP_OK;
}

static void
give_fresh(struct sp_service *s, unsigned int worker, struct sp_orders *tell)
{
	for (size_t i = 0; i < tell->count; i++)
		if (tell->order[i].fresh)
			sp_program_give(s, worker, tell->order[i].flow);
}

/* Second pass: all flows have ids, so they can name each other. */
static void
fill(const struct sp_service *s, struct sp_cast *cast, struct sp_orders *tell)
{
	const size_t all = tell->count;

	tell->count = 0;
	for (size_t i = 0; i < all; i++) {
		struct sp_order *order = &tell->order[tell->count];
		struct sp_slot *slot;
		uint64_t hash;

		*order = tell->order[i];
		slot = &cast->party[order->party]
				->leg[order->m]
				.slot[order->part];
		flow_conf(s, cast, order->party, order->m, order->part,
			&order->conf);
		hash = sp_hash(&s->told_key, &order->conf, sizeof order->conf);
		hash |= 1; /* never 0: nothing was told */
		if (slot->told == hash)
			continue;
		slot->told = hash;
		tell->count++;
	}
}

enum sp_status
sp_program_plan(struct sp_service *s, struct sp_call *call,
	struct sp_cast *cast, struct sp_orders *tell, struct sp_orders *stop)
{
	const size_t slots = count_slots(cast) + 1;
	enum sp_status status = SP_OK;

	*tell = (struct sp_orders){ calloc(slots, sizeof tell->order[0]), 0 };
	*stop = (struct sp_orders){ calloc(slots, sizeof stop->order[0]), 0 };
	if (!tell->order || !stop->order)
		status = SP_NO_MEMORY;

	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int m = 0; m < cast->party[p]->legs; m++)
			for (int part = 0; part < SP_PARTS; part++)
				if (status == SP_OK)
					status = settle_slot(s, call, cast, p,
						m, part, tell, stop);
	if (status == SP_OK) {
		fill(s, cast, tell);
		return SP_OK;
	}
	give_fresh(s, call->worker, tell);
	free(tell->order);
	free(stop->order);
	*tell = *stop = (struct sp_orders){ 0 };
	return status;
}

enum sp_status
sp_program_all(const struct sp_cast *cast, enum sp_order_kind kind,
	struct sp_orders *out)
{
	*out = (struct sp_orders){ .order = calloc(count_slots(cast) + 1,
					   sizeof out->order[0]) };
	if (!out->order)
		return SP_NO_MEMORY;
	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int m = 0; m < cast->party[p]->legs; m++)
			for (int part = 0; part < SP_PARTS; part++) {
				struct sp_order *order;

				if (cast->party[p]->leg[m].slot[part].flow == 0)
					continue;
				order = add_order(out, cast, p, m, part);
				order->kind = (uint8_t)kind;
			}
	return SP_OK;
}

void
sp_program_again(const struct sp_service *s, const struct sp_cast *cast,
	struct sp_order *order)
{
	flow_conf(s, cast, order->party, order->m, order->part, &order->conf);
}

struct sp_slot *
sp_program_slot(const struct sp_cast *cast, uint32_t flow, uint8_t *party,
	unsigned int *m)
{
	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int l = 0; l < cast->party[p]->legs; l++)
			for (int part = 0; part < SP_PARTS; part++) {
				struct sp_slot *slot =
					&cast->party[p]->leg[l].slot[part];

				if (slot->flow != flow || flow == 0)
					continue;
				*party = p;
				*m = l;
				return slot;
			}
	return NULL;
}
