/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_DATAPLANE_NEXTHOP_BED_H
#define SP_TESTS_DATAPLANE_NEXTHOP_BED_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/nexthop.h"

/* What the tests of next hops in shared and in dedicated realms share. */

#define SHARED 1
#define DEDICATED 2
#define HOPS 64

/* A table, and what its callbacks told. */
struct bed {
	struct sp_nexthop *table;
	struct sp_l2 l2[HOPS + 1]; /* the workers' table */
	unsigned int changes;
	unsigned int moves;
	uint16_t from;
	uint16_t to;
	struct sp_addr moved;
	uint16_t moved_realm;
	unsigned int frames;
	uint8_t frame[SP_NEIGH_FRAME_MAX]; /* the last one */
	size_t len;
};

static inline struct sp_addr
addr(const char *text)
{
	struct sp_addr a;

	cr_assert(eq(int, sp_addr_parse(text, strlen(text), &a), SP_OK));
	return a;
}

static inline void
on_change(void *arg, uint16_t id, const struct sp_l2 *l2)
{
	struct bed *bed = arg;

	cr_assert(id > 0 && id <= HOPS);
	bed->l2[id] = *l2;
	bed->changes++;
}

static inline void
on_move(void *arg, uint16_t realm, const struct sp_addr *dst, uint16_t from,
	uint16_t to)
{
	struct bed *bed = arg;

	bed->moves++;
	bed->moved_realm = realm;
	bed->moved = *dst;
	bed->from = from;
	bed->to = to;
}

static inline void
transmit(void *arg, uint16_t realm, const uint8_t *frame, size_t len)
{
	struct bed *bed = arg;

	cr_expect(eq(u16, realm, DEDICATED));
	bed->frames++;
	bed->len = len;
	memcpy(bed->frame, frame, len);
}

static inline void
bed_open(struct bed *bed, uint32_t max_destinations, uint16_t max_hops)
{
	const struct sp_nexthop_conf conf = {
		.max_destinations = max_destinations,
		.max_hops = max_hops,
		.arg = bed,
		.on_change = on_change,
		.on_move = on_move,
	};

	memset(bed, 0, sizeof *bed);
	cr_assert(eq(int, sp_nexthop_open(&conf, &bed->table), SP_OK));
}

static inline void
add_dedicated(struct bed *bed, uint16_t vlan)
{
	const struct sp_addr gateway[2] = { addr("10.0.0.1"), { .family = 0 } };
	const struct sp_station station = {
		.realm = DEDICATED,
		.vlan = vlan,
		.mac = { 2, 7, 7, 7, 7, 7 },
		.n_addrs = 2,
		.prefix = { 24, 64 },
		.addr = { addr("10.0.0.10"), addr("fd00::10") },
		.transmit = transmit,
		.arg = bed,
	};

	cr_assert(eq(int,
		sp_nexthop_add_dedicated(bed->table, &station, gateway, 1500),
		SP_OK));
}

static inline uint16_t
get(struct bed *bed, uint16_t realm, const char *dst, uint64_t now_ms)
{
	const struct sp_addr a = addr(dst);
	uint32_t dest = 0;

	cr_assert(eq(int, sp_nexthop_get(bed->table, realm, &a, now_ms, &dest),
			  SP_OK),
		"%s", dst);
	cr_assert(sp_addr_same_ip(sp_nexthop_addr(bed->table, dest), &a));
	return sp_nexthop_hop(bed->table, dest, now_ms);
}

static inline void
put(struct bed *bed, uint16_t realm, const char *dst, uint64_t now_ms)
{
	const struct sp_addr a = addr(dst);
	uint32_t dest = 0;

	/* What is held already has the id that it had. */
	cr_assert(eq(int, sp_nexthop_get(bed->table, realm, &a, now_ms, &dest),
		SP_OK));
	sp_nexthop_put(bed->table, dest, now_ms);
	sp_nexthop_put(bed->table, dest, now_ms);
}

/* The neighbour that was asked for last answers with a MAC that ends so. */
static inline void
answer(struct bed *bed, uint8_t last, uint64_t now_ms)
{
	struct sp_neigh_event asked;
	struct sp_neigh_event told = { .learn = true, .override = true };
	const size_t l2 = bed->frame[12] == 0x81 ? 18 : 14;
	const uint16_t type =
		(uint16_t)(bed->frame[l2 - 2] << 8 | bed->frame[l2 - 1]);

	cr_assert(eq(int,
		sp_neigh_parse(type, bed->frame + l2, bed->len - l2, &asked),
		SP_OK));
	told.kind =
		asked.kind == SP_NEIGH_NS ? SP_NEIGH_NA : SP_NEIGH_ARP_REPLY;
	told.solicited = true;
	told.sender = asked.target;
	told.target = asked.sender;
	told.mac[0] = 2;
	told.mac[5] = last;
	cr_assert(sp_neighbour_learn(
		sp_nexthop_neighbours(bed->table, DEDICATED), &told, now_ms));
}

#endif
