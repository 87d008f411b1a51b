/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/program.h"

#include <stdlib.h>
#include <string.h>

#include "control/describe.h"
#include "control/keys.h"

#define FIRST_OWNERS 1024u

static bool
owners_grow(struct sp_owners *owners, uint32_t flow)
{
	uint32_t size = owners->size > 0 ? owners->size : FIRST_OWNERS;
	struct sp_call **call;

	while (size <= flow)
		size += size / 4;
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

/* The same for keys, of which there is no news that would need an owner. */
static enum sp_status
take_keys(struct sp_service *s, const struct sp_call *call, uint32_t *id)
{
	const enum sp_status status =
		sp_dataplane_keys_take(s->dp, call->worker, id);

	if (status == SP_OK)
		s->owners[call->worker].flows++;
	return status;
}

void
sp_program_give(
	struct sp_service *s, unsigned int worker, const struct sp_order *order)
{
	s->owners[worker].flows--;
	if (order->kind == SP_ORDER_KEYS || order->kind == SP_ORDER_WIPE) {
		sp_dataplane_keys_give(s->dp, worker, order->flow);
		return;
	}
	s->owners[worker].call[order->flow] = NULL;
	sp_dataplane_flow_give(s->dp, worker, order->flow);
}

static size_t
count_orders(const struct sp_cast *cast)
{
	size_t count = 0;

	for (uint8_t p = 0; p < cast->count; p++)
		count += (size_t)cast->party[p]->legs * (SP_PARTS + 1);
	return count;
}

static struct sp_order *
add_order(struct sp_orders *to, enum sp_order_kind kind, uint32_t flow,
	uint8_t p, unsigned int m, int part)
{
	struct sp_order *order = &to->order[to->count++];

	order->kind = (uint8_t)kind;
	order->flow = flow;
	order->party = p;
	order->m = (uint8_t)m;
	order->part = (uint8_t)part;
	return order;
}

static struct sp_order *
add_flow(struct sp_orders *to, enum sp_order_kind kind,
	const struct sp_cast *cast, uint8_t p, unsigned int m, int part)
{
	return add_order(
		to, kind, cast->party[p]->leg[m].slot[part].flow, p, m, part);
}

/* Every leg that is keyed has an id, and only those. */
static enum sp_status
settle_keys(struct sp_service *s, struct sp_call *call,
	const struct sp_cast *cast, uint8_t p, unsigned int m,
	struct sp_orders *tell)
{
	struct sp_leg *leg = &cast->party[p]->leg[m];
	bool fresh;
	enum sp_status status;

	if (!sp_keys_conf(cast, p, m, NULL))
		return SP_OK;
	status = sp_keys_make(leg);
	fresh = status == SP_OK && leg->keys->id == 0;
	if (fresh)
		status = take_keys(s, call, &leg->keys->id);
	if (status != SP_OK)
		return status;
	add_order(tell, SP_ORDER_KEYS, leg->keys->id, p, m, SP_PART_RTP)
		->fresh = fresh;
	return SP_OK;
}

/* The keys of legs that are not keyed any more, behind all stops. */
static void
wipe_others(const struct sp_cast *cast, uint8_t p, unsigned int m,
	struct sp_orders *stop)
{
	struct sp_leg *leg = &cast->party[p]->leg[m];

	if (!leg->keys || leg->keys->id == 0 || sp_keys_conf(cast, p, m, NULL))
		return;
	add_order(stop, SP_ORDER_WIPE, leg->keys->id, p, m, SP_PART_RTP);
	sp_keys_leave(leg);
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
	const bool want = sp_describe_wants(cast, p, m, (enum sp_part)part);
	bool fresh = false;
	enum sp_status status;

	if (slot->flow != 0 &&
		(!want || slot->port != port || slot->local != pair->local)) {
		add_flow(stop, SP_ORDER_STOP, cast, p, m, part);
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
	add_flow(tell, SP_ORDER_PROGRAM, cast, p, m, part)->fresh = fresh;
	return SP_OK;
}

static void
give_fresh(struct sp_service *s, unsigned int worker, struct sp_orders *tell)
{
	for (size_t i = 0; i < tell->count; i++)
		if (tell->order[i].fresh)
			sp_program_give(s, worker, &tell->order[i]);
}

/* What @order tells of its leg or flow. */
static void
describe_order(const struct sp_service *s, const struct sp_cast *cast,
	struct sp_order *order)
{
	if (order->kind == SP_ORDER_KEYS)
		sp_keys_conf(cast, order->party, order->m, &order->keys);
	else
		sp_describe_flow(s, cast, order->party, order->m,
			(enum sp_part)order->part, &order->conf);
}

/* Second pass: all flows have ids, so they can name each other. */
static void
fill(const struct sp_service *s, struct sp_cast *cast, struct sp_orders *tell)
{
	const size_t all = tell->count;

	tell->count = 0;
	for (size_t i = 0; i < all; i++) {
		struct sp_order *order = &tell->order[tell->count];
		struct sp_leg *leg;
		uint64_t *told, hash;

		*order = tell->order[i];
		leg = &cast->party[order->party]->leg[order->m];
		describe_order(s, cast, order);
		if (order->kind == SP_ORDER_KEYS) {
			told = &leg->keys->told;
			hash = sp_hash(
				&s->told_key, &order->keys, sizeof order->keys);
		} else {
			told = &leg->slot[order->part].told;
			hash = sp_hash(
				&s->told_key, &order->conf, sizeof order->conf);
		}
		hash |= 1; /* never 0: nothing was told */
		if (*told == hash)
			continue;
		*told = hash;
		tell->count++;
	}
	/* Only what is counted is wiped later. */
	explicit_bzero(tell->order + tell->count,
		(all - tell->count) * sizeof tell->order[0]);
}

void
sp_orders_free(struct sp_orders *orders)
{
	for (size_t i = 0; i < orders->count; i++)
		if (orders->order[i].kind == SP_ORDER_KEYS)
			explicit_bzero(&orders->order[i].keys,
				sizeof orders->order[i].keys);
	free(orders->order);
	*orders = (struct sp_orders){ 0 };
}

/* Keys, then flows, then the keys that are left over. */
static enum sp_status
settle_all(struct sp_service *s, struct sp_call *call,
	const struct sp_cast *cast, struct sp_orders *tell,
	struct sp_orders *stop)
{
	enum sp_status status = SP_OK;

	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int m = 0; m < cast->party[p]->legs; m++)
			if (status == SP_OK)
				status = settle_keys(s, call, cast, p, m, tell);
	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int m = 0; m < cast->party[p]->legs; m++)
			for (int part = 0; part < SP_PARTS; part++)
				if (status == SP_OK)
					status = settle_slot(s, call, cast, p,
						m, part, tell, stop);
	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int m = 0; m < cast->party[p]->legs; m++)
			if (status == SP_OK)
				wipe_others(cast, p, m, stop);
	return status;
}

enum sp_status
sp_program_plan(struct sp_service *s, struct sp_call *call,
	struct sp_cast *cast, struct sp_orders *tell, struct sp_orders *stop)
{
	const size_t slots = count_orders(cast) + 1;
	enum sp_status status = SP_OK;

	*tell = (struct sp_orders){ calloc(slots, sizeof tell->order[0]), 0 };
	*stop = (struct sp_orders){ calloc(slots, sizeof stop->order[0]), 0 };
	if (!tell->order || !stop->order)
		status = SP_NO_MEMORY;

	if (status == SP_OK)
		status = settle_all(s, call, cast, tell, stop);
	if (status == SP_OK) {
		fill(s, cast, tell);
		return SP_OK;
	}
	give_fresh(s, call->worker, tell);
	sp_orders_free(tell);
	sp_orders_free(stop);
	return status;
}

enum sp_status
sp_program_all(const struct sp_cast *cast, enum sp_order_kind kind,
	struct sp_orders *out)
{
	*out = (struct sp_orders){ .order = calloc(count_orders(cast) + 1,
					   sizeof out->order[0]) };
	if (!out->order)
		return SP_NO_MEMORY;
	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int m = 0; m < cast->party[p]->legs; m++)
			for (int part = 0; part < SP_PARTS; part++)
				if (cast->party[p]->leg[m].slot[part].flow != 0)
					add_flow(out, kind, cast, p, m, part);
	if (kind != SP_ORDER_STOP)
		return SP_OK;
	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int m = 0; m < cast->party[p]->legs; m++) {
			const struct sp_leg_keys *keys =
				cast->party[p]->leg[m].keys;

			if (keys && keys->id != 0)
				add_order(out, SP_ORDER_WIPE, keys->id, p, m,
					SP_PART_RTP);
		}
	return SP_OK;
}

void
sp_program_again(const struct sp_service *s, const struct sp_cast *cast,
	struct sp_order *order)
{
	describe_order(s, cast, order);
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
