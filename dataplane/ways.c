/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/internal.h"

#define SWEEP_AT_ONCE 2048u
#define ROOM_FOR_SWEEP 64u

/* There is an order for a worker, which may be asleep. */
static void
ring_later(struct sp_crew *crew)
{
	struct sp_mailbox *box = &crew->worker->box;

	crew->wanted = true;
	/* What waits for the end of a turn must find room until then. */
	if (sp_mailbox_room(box) < SP_MAILBOX_ORDERS / 2)
		sp_mailbox_ring(box);
}

void
sp_dataplane_ring(struct sp_dataplane *dp)
{
	for (unsigned int w = 0; w < dp->n_workers; w++) {
		if (dp->crew[w].wanted)
			sp_mailbox_ring(&dp->crew[w].worker->box);
		dp->crew[w].wanted = false;
	}
}

static enum sp_status
send(struct sp_dataplane *dp, unsigned int worker, const struct sp_command *cmd)
{
	struct sp_crew *crew = &dp->crew[worker];
	const enum sp_status status = sp_mailbox_send(&crew->worker->box, cmd);

	ring_later(crew);
	return status;
}

void
sp_ways_on_change(void *arg, uint16_t id, const struct sp_l2 *l2)
{
	struct sp_dataplane *dp = arg;
	struct sp_command cmd = {
		.kind = SP_COMMAND_L2, .hop[0] = id, .silent = 1, .l2 = *l2
	};

	cmd.l2.nic = dp->nic_of_realm[l2->realm];
	dp->l2[id] = cmd.l2;
	if (id > dp->max_l2)
		dp->max_l2 = id;
	for (unsigned int w = 0; w < dp->n_workers; w++) {
		struct sp_crew *crew = &dp->crew[w];

		if (crew->l2_next == 0 && send(dp, w, &cmd) == SP_OK)
			continue;
		if (crew->l2_next == 0 || crew->l2_next > id)
			crew->l2_next = id;
	}
}

/* A sweep under way is finished first, and then done again. */
static void
ask_sweep(struct sp_crew *crew)
{
	if (crew->sweep) {
		crew->sweep_again = true;
		return;
	}
	crew->sweep = true;
	crew->swept = 0;
}

void
sp_ways_on_move(void *arg, uint16_t realm, const struct sp_addr *dst,
	uint16_t from, uint16_t to)
{
	struct sp_dataplane *dp = arg;

	(void)realm;
	(void)dst;
	(void)from;
	(void)to;
	for (unsigned int w = 0; w < dp->n_workers; w++)
		ask_sweep(&dp->crew[w]);
}

static void
put(struct sp_dataplane *dp, struct sp_way *way, enum sp_way_kind kind)
{
	if (way->dest[kind] == 0)
		return;
	sp_nexthop_put(dp->nexthop, way->dest[kind], sp_dataplane_clock_ms(dp));
	way->dest[kind] = 0;
	way->hop[kind] = 0;
}

/*
 * Hold @dst in @next, a copy of a flow's way, as well as what the flow holds
 * there; let_go ends that. Nothing changes on failure.
 */
static enum sp_status
take(struct sp_dataplane *dp, struct sp_way *next, enum sp_way_kind kind,
	const struct sp_addr *dst)
{
	const uint64_t now_ms = sp_dataplane_clock_ms(dp);
	const struct sp_addr *held =
		sp_nexthop_addr(dp->nexthop, next->dest[kind]);
	enum sp_status status = SP_OK;
	uint32_t dest = 0;

	if (sp_addr_same_ip(held, dst))
		return SP_OK;
	if (dst->family != SP_FAMILY_NONE)
		status = sp_nexthop_get(
			dp->nexthop, next->realm, dst, now_ms, &dest);
	if (status != SP_OK)
		return status;
	next->dest[kind] = dest;
	next->hop[kind] = sp_nexthop_hop(dp->nexthop, dest, now_ms);
	return SP_OK;
}

/* Put what @loser holds and @kept does not. */
static void
let_go(struct sp_dataplane *dp, struct sp_way *loser, const struct sp_way *kept)
{
	for (enum sp_way_kind kind = 0; kind < SP_WAYS; kind++)
		if (loser->dest[kind] != kept->dest[kind])
			put(dp, loser, kind);
}

void
sp_ways_put(struct sp_dataplane *dp, unsigned int worker, uint32_t flow)
{
	struct sp_way *way = &dp->crew[worker].way[flow];

	for (enum sp_way_kind kind = 0; kind < SP_WAYS; kind++)
		put(dp, way, kind);
	way->live = way->untold = false;
}

/* Tell the worker the hops of @flow as they are now. */
static enum sp_status
tell(struct sp_dataplane *dp, unsigned int worker, uint32_t flow)
{
	struct sp_way *way = &dp->crew[worker].way[flow];
	struct sp_command cmd = { .kind = SP_COMMAND_HOPS,
		.flow = flow,
		.silent = 1,
		.learnt = *sp_nexthop_addr(
			dp->nexthop, way->dest[SP_WAY_LEARNT]) };
	enum sp_status status;

	memcpy(cmd.hop, way->hop, sizeof cmd.hop);
	status = send(dp, worker, &cmd);
	way->untold = status != SP_OK;
	return status;
}

void
sp_ways_learn(struct sp_dataplane *dp, unsigned int worker, uint32_t flow,
	const struct sp_addr *remote)
{
	struct sp_crew *crew = &dp->crew[worker];
	struct sp_way *way = &crew->way[flow];
	struct sp_way next = *way;

	/*
	 * The flow may have been stopped since. What signalling names is held
	 * here as well: the source stays when signalling names another.
	 */
	if (!way->live || take(dp, &next, SP_WAY_LEARNT, remote) != SP_OK)
		return;
	let_go(dp, way, &next);
	*way = next;
	if (tell(dp, worker, flow) != SP_OK)
		ask_sweep(crew);
}

/* Ask anew which hops the held destinations take. */
static void
refresh(struct sp_dataplane *dp, struct sp_way *way)
{
	const uint64_t now_ms = sp_dataplane_clock_ms(dp);

	for (enum sp_way_kind kind = 0; kind < SP_WAYS; kind++) {
		const uint16_t hop =
			sp_nexthop_hop(dp->nexthop, way->dest[kind], now_ms);

		way->untold |= hop != way->hop[kind];
		way->hop[kind] = hop;
	}
}

static void
sweep(struct sp_dataplane *dp, unsigned int worker)
{
	struct sp_crew *crew = &dp->crew[worker];

	for (unsigned int n = 0; n < SWEEP_AT_ONCE; n++) {
		if (++crew->swept > dp->max_flows) {
			crew->sweep = crew->sweep_again;
			crew->sweep_again = false;
			crew->swept = 0;
			return;
		}
		refresh(dp, &crew->way[crew->swept]);
		if (crew->way[crew->swept].untold &&
			tell(dp, worker, crew->swept) != SP_OK) {
			crew->swept--;
			return;
		}
	}
}

/* Tell a worker the next hops that found its mailbox full. */
static void
catch_up(struct sp_dataplane *dp, unsigned int worker)
{
	struct sp_crew *crew = &dp->crew[worker];

	while (crew->l2_next != 0) {
		const struct sp_command cmd = { .kind = SP_COMMAND_L2,
			.silent = 1,
			.hop[0] = (uint16_t)crew->l2_next,
			.l2 = dp->l2[crew->l2_next] };

		if (send(dp, worker, &cmd) != SP_OK)
			return;
		if (++crew->l2_next > dp->max_l2)
			crew->l2_next = 0;
	}
}

void
sp_ways_serve(struct sp_dataplane *dp)
{
	for (unsigned int w = 0; w < dp->n_workers; w++) {
		catch_up(dp, w);
		if (dp->crew[w].sweep &&
			sp_dataplane_room(dp, w) >= ROOM_FOR_SWEEP)
			sweep(dp, w);
	}
}

/* The address that orders name, or none where the local can't reach it. */
static struct sp_addr
reachable(const struct sp_local *local, const struct sp_addr *addr)
{
	return addr->family == local->addr.family ? *addr
						  : (struct sp_addr){ 0 };
}

enum sp_status
sp_dataplane_program(struct sp_dataplane *dp, unsigned int worker,
	uint32_t flow, const struct sp_flow_conf *conf, uint64_t ticket)
{
	const struct sp_local *local = &dp->locals.local[conf->local];
	struct sp_way *way = &dp->crew[worker].way[flow];
	struct sp_command cmd = { .kind = SP_COMMAND_PROGRAM,
		.flow = flow,
		.ticket = ticket,
		.conf = *conf };
	struct sp_way next = *way;
	enum sp_status status = SP_OK;

	/* Room for the hops' own messages too: then nothing fails halfway. */
	if (sp_dataplane_room(dp, worker) < SP_WAYS + 1)
		return SP_FULL;
	next.realm = local->realm;
	cmd.conf.signalled = reachable(local, &conf->signalled);
	cmd.conf.signalling = reachable(local, &conf->signalling);
	/* A party on hold without an address stays where it was. */
	if (cmd.conf.signalled.family != SP_FAMILY_NONE)
		status = take(dp, &next, SP_WAY_SIGNALLED, &cmd.conf.signalled);
	if (status == SP_OK)
		status = take(dp, &next, SP_WAY_SIP, &cmd.conf.signalling);
	memcpy(cmd.hop, next.hop, sizeof cmd.hop);
	if (status == SP_OK)
		status = send(dp, worker, &cmd);
	if (status != SP_OK) {
		let_go(dp, &next, way);
		return status;
	}
	/* Only now: the worker used the old hops until it was told. */
	let_go(dp, way, &next);
	*way = next;
	way->live = true;
	/* The worker forgets it when it aims anew. There is room. */
	if (way->dest[SP_WAY_LEARNT] != 0 && tell(dp, worker, flow) != SP_OK)
		ask_sweep(&dp->crew[worker]);
	return SP_OK;
}

enum sp_status
sp_dataplane_keys(struct sp_dataplane *dp, unsigned int worker, uint32_t id,
	const struct sp_flow_keys *keys, uint64_t ticket)
{
	struct sp_crew *crew = &dp->crew[worker];
	struct sp_command cmd = {
		.kind = SP_COMMAND_KEYS, .flow = id, .ticket = ticket
	};
	const enum sp_status status =
		sp_mailbox_send_keys(&crew->worker->box, &cmd, keys);

	ring_later(crew);
	return status;
}

static enum sp_status
order(struct sp_dataplane *dp, unsigned int worker, enum sp_command_kind kind,
	uint32_t flow, struct sp_flow_report *report, uint64_t ticket)
{
	const struct sp_command cmd = { .kind = (uint16_t)kind,
		.flow = flow,
		.ticket = ticket,
		.report = report };

	return send(dp, worker, &cmd);
}

enum sp_status
sp_dataplane_stop(struct sp_dataplane *dp, unsigned int worker, uint32_t flow,
	struct sp_flow_report *report, uint64_t ticket)
{
	return order(dp, worker, SP_COMMAND_STOP, flow, report, ticket);
}

enum sp_status
sp_dataplane_read(struct sp_dataplane *dp, unsigned int worker, uint32_t flow,
	struct sp_flow_report *report, uint64_t ticket)
{
	return order(dp, worker, SP_COMMAND_READ, flow, report, ticket);
}
