/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "tests/dataplane/station.h"

/* Which next hops a flow holds: a worker without a NIC, a dedicated realm. */

#define FLOW 1
#define REALM 0
#define HOPS_MOST 8

static void
transmit(void *arg, uint16_t realm, const uint8_t *frame, size_t len)
{
	(void)arg;
	(void)realm;
	(void)frame;
	(void)len;
}

/* A relay that knows @hops next hops at most, all of them neighbours. */
static struct station *
set_up(uint16_t hops)
{
	struct station *s = station_open(1, 0, 0, 0);
	const struct sp_nexthop_conf conf = {
		.max_destinations = 16,
		.max_hops = hops,
		.arg = &s->dp,
		.on_change = sp_ways_on_change,
		.on_move = sp_ways_on_move,
	};
	const struct sp_station ours = {
		.realm = REALM,
		.mac = { 2, 0, 0, 0, 0, 1 },
		.n_addrs = 1,
		.prefix = { 24 },
		.addr = { packet_addr("203.0.113.10", 0) },
		.transmit = transmit,
	};
	const struct sp_addr no_gateway[2] = { { .family = SP_FAMILY_NONE } };

	s->dp.l2 = calloc(HOPS_MOST + 1, sizeof *s->dp.l2);
	cr_assert(s->dp.l2 != NULL);
	cr_assert(eq(int, sp_nexthop_open(&conf, &s->dp.nexthop), SP_OK));
	cr_assert(eq(int,
		sp_nexthop_add_dedicated(
			s->dp.nexthop, &ours, no_gateway, 1500),
		SP_OK));
	return s;
}

static void
tear_down(struct station *s)
{
	sp_nexthop_close(s->dp.nexthop);
	free(s->dp.l2);
	station_close(s);
}

static struct sp_addr
neighbour(unsigned int last)
{
	char text[SP_ADDR_TEXT];

	snprintf(text, sizeof text, "203.0.113.%u", last);
	return packet_addr(text, 4000);
}

/* Aim the flow at two neighbours, by the last byte of their addresses. */
static enum sp_status
program(struct station *s, unsigned int signalled, unsigned int sip)
{
	const struct sp_flow_conf conf = {
		.signalled = neighbour(signalled),
		.signalling = neighbour(sip),
		.local = BED_IP4,
		.port = 30080,
		.kind = SP_FLOW_RTP,
		.policy = SP_LATCH_RESTRICTED,
	};

	return sp_dataplane_program(&s->dp, 0, FLOW, &conf, 1);
}

/* Take what the worker was sent; how many orders, and the last one. */
static unsigned int
orders(struct station *s, struct sp_command *last)
{
	struct sp_command cmd;
	unsigned int n = 0;

	while (rte_ring_dequeue_elem(
		       station_worker(s, 0)->box.orders, &cmd, sizeof cmd) == 0)
		if (cmd.kind == SP_COMMAND_PROGRAM) {
			*last = cmd;
			n++;
		}
	return n;
}

static enum sp_status
get(struct station *s, unsigned int last, uint16_t *id)
{
	const uint64_t now_ms = sp_dataplane_clock_ms(&s->dp);
	const struct sp_addr dst = neighbour(last);
	uint32_t dest;
	const enum sp_status status =
		sp_nexthop_get(s->dp.nexthop, REALM, &dst, now_ms, &dest);

	if (status == SP_OK)
		*id = sp_nexthop_hop(s->dp.nexthop, dest, now_ms);
	return status;
}

/* How many more neighbours find a place. */
static unsigned int
room(struct station *s)
{
	uint16_t id;
	unsigned int n = 0;

	while (n <= HOPS_MOST && get(s, 200 + n, &id) == SP_OK)
		n++;
	return n;
}

Test(ways, a_refused_change_leaves_a_flow_the_hops_it_has)
{
	struct station *s = set_up(3);
	const struct sp_way *way = &s->dp.crew[0].way[FLOW];
	struct sp_command cmd = { .kind = 0 };
	struct sp_way before;
	uint16_t id = 0;

	cr_assert(eq(int, program(s, 1, 2), SP_OK));
	cr_assert(eq(uint, orders(s, &cmd), 1));
	before = *way;
	cr_expect(eq(
		u16, cmd.hop[SP_WAY_SIGNALLED], before.hop[SP_WAY_SIGNALLED]));

	/* The third hop is there for one of the two. */
	cr_expect(eq(int, program(s, 3, 4), SP_FULL));
	cr_expect(eq(uint, orders(s, &cmd), 0));
	cr_expect(eq(int, memcmp(way->dest, before.dest, sizeof way->dest), 0));
	cr_expect(eq(int, memcmp(way->hop, before.hop, sizeof way->hop), 0));

	cr_assert(eq(int, get(s, 5, &id), SP_OK), "the third is free again");
	cr_expect(ne(u16, id, before.hop[SP_WAY_SIGNALLED]));
	cr_expect(ne(u16, id, before.hop[SP_WAY_SIP]));
	cr_expect(eq(uint, room(s), 0), "the flow holds the other two");
	tear_down(s);
}

Test(ways, a_refused_start_holds_nothing)
{
	struct station *s = set_up(1);
	struct sp_command cmd;

	cr_expect(eq(int, program(s, 1, 2), SP_FULL));
	cr_expect(eq(uint, orders(s, &cmd), 0));
	cr_expect(not(s->dp.crew[0].way[FLOW].live));
	cr_expect(eq(uint, room(s), 1));
	tear_down(s);
}

Test(ways, a_change_holds_the_new_hops_and_no_old_one)
{
	struct station *s = set_up(4);
	const struct sp_way *way = &s->dp.crew[0].way[FLOW];
	struct sp_command cmd = { .kind = 0 };

	cr_assert(eq(int, program(s, 1, 2), SP_OK));
	cr_assert(eq(int, program(s, 3, 4), SP_OK));
	cr_expect(eq(uint, orders(s, &cmd), 2));
	cr_expect(eq(int, memcmp(cmd.hop, way->hop, sizeof cmd.hop), 0));
	cr_expect(eq(int, cmd.hop[SP_WAY_SIGNALLED], 3));
	cr_expect(eq(int, cmd.hop[SP_WAY_SIP], 4));
	cr_expect(eq(uint, room(s), 2), "the first two were put");
	tear_down(s);
}

Test(ways, parties_that_change_places_keep_their_hops)
{
	struct station *s = set_up(2);
	struct sp_command cmd = { .kind = 0 };

	cr_assert(eq(int, program(s, 1, 2), SP_OK));
	cr_assert(eq(int, program(s, 2, 1), SP_OK));
	cr_expect(eq(uint, orders(s, &cmd), 2));
	cr_expect(eq(int, cmd.hop[SP_WAY_SIGNALLED], 2));
	cr_expect(eq(int, cmd.hop[SP_WAY_SIP], 1));
	cr_expect(eq(uint, room(s), 0), "both are held");
	sp_ways_put(&s->dp, 0, FLOW);
	cr_expect(eq(uint, room(s), 2), "and once each");
	tear_down(s);
}

Test(ways, what_a_flow_learns_takes_the_place_of_what_it_had_learnt)
{
	struct station *s = set_up(4);
	const struct sp_addr first = neighbour(3), second = neighbour(4);
	struct sp_command cmd;

	cr_assert(eq(int, program(s, 1, 2), SP_OK));
	sp_ways_learn(&s->dp, 0, FLOW, &first);
	sp_ways_learn(&s->dp, 0, FLOW, &second);
	cr_expect(eq(uint, orders(s, &cmd), 1));
	cr_expect(eq(int, s->dp.crew[0].way[FLOW].hop[SP_WAY_LEARNT], 4));
	cr_expect(eq(uint, room(s), 1), "only the first was put");
	tear_down(s);
}

/* How often the worker's bell has rung since the last look. */
static uint64_t
rings(struct station *s)
{
	uint64_t n = 0;

	return read(station_worker(s, 0)->box.worker_bell, &n, sizeof n) < 0
		? 0
		: n;
}

Test(ways, a_sleeping_worker_is_woken_once_for_all_orders_of_a_turn)
{
	struct station *s = set_up(HOPS_MOST);
	struct sp_mailbox *box = &station_worker(s, 0)->box;

	box->asleep = 1;
	for (uint64_t ticket = 1; ticket <= 3; ticket++)
		cr_assert(eq(int,
			sp_dataplane_keys(&s->dp, 0, FLOW, NULL, ticket),
			SP_OK));
	cr_expect(eq(u64, rings(s), 0));
	sp_dataplane_ring(&s->dp);
	cr_expect(eq(u64, rings(s), 1));
	box->asleep = 1;
	sp_dataplane_ring(&s->dp);
	cr_expect(eq(u64, rings(s), 0));
	tear_down(s);
}

Test(ways, a_mailbox_that_fills_does_not_wait_for_the_end_of_the_turn)
{
	struct station *s = set_up(HOPS_MOST);

	station_worker(s, 0)->box.asleep = 1;
	for (unsigned int i = 0; i < SP_MAILBOX_ORDERS / 2 + 1; i++)
		cr_assert(eq(int, sp_dataplane_keys(&s->dp, 0, FLOW, NULL, i),
			SP_OK));
	cr_expect(eq(u64, rings(s), 1));
	tear_down(s);
}
