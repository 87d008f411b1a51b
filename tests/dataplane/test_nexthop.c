/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/nexthop.h"
#include "tests/dataplane/nexthop_bed.h"

/* Next hops in general, and in dedicated realms: no kernel is asked. */

Test(nexthop, all_behind_the_gateway_share_one_hop)
{
	struct bed bed;
	uint16_t id;

	bed_open(&bed, 16, HOPS);
	add_dedicated(&bed, 0);
	id = get(&bed, DEDICATED, "192.0.2.1", 0);
	cr_expect(ne(u16, id, 0));
	cr_expect(eq(u16, get(&bed, DEDICATED, "192.0.2.2", 0), id));
	cr_expect(eq(u16, get(&bed, DEDICATED, "192.0.2.1", 0), id));
	cr_expect(eq(u16, get(&bed, DEDICATED, "10.0.0.1", 0), id));
	cr_expect(ne(u16, get(&bed, DEDICATED, "10.0.0.2", 0), id));
	cr_expect(eq(uint, bed.frames, 2), "one question a neighbour");
	sp_nexthop_close(bed.table);
}

Test(nexthop, a_hop_is_ready_when_its_neighbour_answers)
{
	static const uint8_t want[] = { 2, 0, 0, 0, 0, 9, 2, 7, 7, 7, 7, 7, 8,
		0 };
	struct bed bed;
	uint16_t id;

	bed_open(&bed, 16, HOPS);
	add_dedicated(&bed, 0);
	id = get(&bed, DEDICATED, "192.0.2.1", 0);
	cr_expect(eq(uint, bed.changes, 1), "known before get returns");
	cr_expect(eq(int, bed.l2[id].ready, 0));
	answer(&bed, 9, 10);
	cr_expect(eq(int, bed.l2[id].ready, 1));
	cr_expect(eq(int, bed.l2[id].len, SP_L2_PLAIN));
	cr_expect(eq(int, bed.l2[id].mtu, 1500));
	cr_expect(eq(int, bed.l2[id].realm, DEDICATED));
	cr_expect(eq(int, memcmp(bed.l2[id].header, want, sizeof want), 0));
	cr_expect(eq(int,
		memcmp(sp_nexthop_find(bed.table, id), &bed.l2[id],
			sizeof bed.l2[id]),
		0));
	sp_nexthop_close(bed.table);
}

Test(nexthop, the_header_has_the_realms_tag_and_the_familys_type)
{
	static const uint8_t want[] = { 2, 0, 0, 0, 0, 9, 2, 7, 7, 7, 7, 7,
		0x81, 0, 0, 120, 0x86, 0xdd };
	struct bed bed;
	uint16_t id;

	bed_open(&bed, 16, HOPS);
	add_dedicated(&bed, 120);
	id = get(&bed, DEDICATED, "fd00::1", 0);
	answer(&bed, 9, 10);
	cr_expect(eq(int, bed.l2[id].len, SP_L2_TAGGED));
	cr_expect(eq(int, memcmp(bed.l2[id].header, want, sizeof want), 0));
	sp_nexthop_close(bed.table);
}

Test(nexthop, a_hop_that_stops_answering_is_not_ready)
{
	struct bed bed;
	uint16_t id;

	bed_open(&bed, 16, HOPS);
	add_dedicated(&bed, 0);
	id = get(&bed, DEDICATED, "192.0.2.1", 0);
	answer(&bed, 9, 0);
	for (uint64_t now = 30000; now < 33000; now += 1000)
		sp_nexthop_serve(bed.table, now);
	cr_expect(eq(int, bed.l2[id].ready, 1));
	sp_nexthop_serve(bed.table, 33000);
	cr_expect(eq(int, bed.l2[id].ready, 0));
	sp_nexthop_serve(bed.table, 38000);
	answer(&bed, 8, 38001);
	cr_expect(bed.l2[id].ready && bed.l2[id].header[5] == 8);
	sp_nexthop_close(bed.table);
}

Test(nexthop, there_is_no_way_to_ourselves_or_without_a_gateway)
{
	struct bed bed;

	bed_open(&bed, 16, HOPS);
	add_dedicated(&bed, 0);
	cr_expect(eq(u16, get(&bed, DEDICATED, "10.0.0.10", 0), 0));
	cr_expect(eq(u16, get(&bed, DEDICATED, "2001:db8::1", 0), 0));
	cr_expect(eq(uint, bed.frames + bed.changes, 0));
	put(&bed, DEDICATED, "10.0.0.10", 1);
	sp_nexthop_close(bed.table);
}

Test(nexthop, what_nobody_holds_is_forgotten_after_a_minute)
{
	struct bed bed;
	uint16_t id;

	bed_open(&bed, 16, HOPS);
	add_dedicated(&bed, 0);
	id = get(&bed, DEDICATED, "10.0.0.2", 0);
	(void)get(&bed, DEDICATED, "10.0.0.2", 0);
	answer(&bed, 9, 0);
	put(&bed, DEDICATED, "10.0.0.2", 1000);
	sp_nexthop_serve(bed.table, 100000);
	cr_expect(ne(ptr, (void *)sp_nexthop_find(bed.table, id), NULL));
	put(&bed, DEDICATED, "10.0.0.2", 100000);
	sp_nexthop_serve(bed.table, 159999);
	cr_expect(ne(ptr, (void *)sp_nexthop_find(bed.table, id), NULL));
	sp_nexthop_serve(bed.table, 160010);
	cr_expect(eq(ptr, (void *)sp_nexthop_find(bed.table, id), NULL));
	bed.frames = 0;
	sp_nexthop_serve(bed.table, 300000);
	cr_expect(eq(uint, bed.frames, 0), "nor is it probed any more");
	sp_nexthop_close(bed.table);
}

Test(nexthop, makes_room_by_forgetting_what_nobody_holds)
{
	struct bed bed;
	const struct sp_addr more = addr("10.0.0.9");
	uint32_t id;

	bed_open(&bed, 4, 2);
	add_dedicated(&bed, 0);
	(void)get(&bed, DEDICATED, "10.0.0.2", 0);
	(void)get(&bed, DEDICATED, "10.0.0.3", 0);
	cr_expect(eq(int, sp_nexthop_get(bed.table, DEDICATED, &more, 0, &id),
			  SP_FULL),
		"no hop");
	put(&bed, DEDICATED, "10.0.0.3", 1);
	cr_expect(ne(u16, get(&bed, DEDICATED, "10.0.0.9", 2), 0));
	put(&bed, DEDICATED, "10.0.0.9", 3);
	for (char last = '1'; last <= '3'; last++) {
		char far[] = "192.0.2.x";

		far[8] = last;
		cr_expect(ne(u16, get(&bed, DEDICATED, far, 4), 0));
	}
	cr_expect(eq(int, sp_nexthop_get(bed.table, DEDICATED, &more, 5, &id),
			  SP_FULL),
		"no destination");
	sp_nexthop_close(bed.table);
}

Test(nexthop, a_thousand_destinations_come_and_go)
{
	static uint32_t dest[1000];
	struct sp_addr a = addr("192.0.2.0");
	struct bed bed;

	bed_open(&bed, 1000, HOPS);
	add_dedicated(&bed, 0);
	for (unsigned int round = 0; round < 3; round++) {
		const uint64_t now = 100000ull * round;

		for (unsigned int i = 0; i < 1000; i++) {
			a.ip[13] = (uint8_t)(i >> 8);
			a.ip[14] = (uint8_t)i;
			cr_assert(eq(int,
				sp_nexthop_get(bed.table, DEDICATED, &a, now,
					&dest[i]),
				SP_OK));
			cr_assert(eq(u16,
				sp_nexthop_hop(bed.table, dest[i], now), 1));
		}
		for (unsigned int i = 0; i < 1000; i++)
			sp_nexthop_put(bed.table, dest[i], now);
		for (unsigned int i = 1; i < 5; i++)
			sp_nexthop_serve(bed.table, now + 60000 + 10 * i);
		cr_expect(eq(ptr, (void *)sp_nexthop_find(bed.table, 1), NULL));
	}
	sp_nexthop_close(bed.table);
}

#define STRANGERS 5000
#define ASKED_MAX 32
#define AMONG 20 /* who answer, among the strangers */

/* A table with room for a flood; who is there answers what it is asked. */
struct flood {
	struct bed bed; /* first: its callbacks get this as well */
	struct sp_l2 l2[STRANGERS + HOPS];
	struct sp_addr asked[ASKED_MAX]; /* of IPv4, not answered yet */
	unsigned int n_asked;
};

static void
flood_change(void *arg, uint16_t id, const struct sp_l2 *l2)
{
	struct flood *f = arg;

	f->l2[id] = *l2;
}

static void
flood_transmit(void *arg, uint16_t realm, const uint8_t *frame, size_t len)
{
	struct flood *f = arg;
	struct sp_neigh_event asked;

	transmit(arg, realm, frame, len);
	if (sp_neigh_parse(0x0806, frame + 14, len - 14, &asked) == SP_OK &&
		f->n_asked < ASKED_MAX)
		f->asked[f->n_asked++] = asked.target;
}

static void
flood_open(struct flood *f)
{
	const struct sp_addr gateway[2] = { addr("10.0.0.1"), { .family = 0 } };
	const struct sp_nexthop_conf conf = {
		.max_destinations = STRANGERS + HOPS,
		.max_hops = STRANGERS + HOPS - 1,
		.arg = f,
		.on_change = flood_change,
		.on_move = on_move,
	};
	const struct sp_station station = {
		.realm = DEDICATED,
		.mac = { 2, 7, 7, 7, 7, 7 },
		.n_addrs = 2,
		.prefix = { 24, 64 },
		.addr = { addr("10.0.0.10"), addr("fd00::10") },
		.transmit = flood_transmit,
		.arg = f,
	};

	memset(f, 0, sizeof *f);
	cr_assert(eq(int, sp_nexthop_open(&conf, &f->bed.table), SP_OK));
	cr_assert(eq(int,
		sp_nexthop_add_dedicated(f->bed.table, &station, gateway, 1500),
		SP_OK));
}

/* Serve from @now_ms to @until_ms; all of IPv4 answer with MACs of theirs. */
static void
flood_serve(struct flood *f, uint64_t now_ms, uint64_t until_ms)
{
	for (; now_ms < until_ms; now_ms += 10) {
		sp_nexthop_serve(f->bed.table, now_ms);
		while (f->n_asked > 0) {
			struct sp_neigh_event told = {
				.kind = SP_NEIGH_ARP_REPLY,
				.learn = true,
				.sender = f->asked[--f->n_asked],
				.target = addr("10.0.0.10"),
				.mac = { 2 },
			};

			told.mac[5] = told.sender.ip[15];
			(void)sp_neighbour_learn(
				sp_nexthop_neighbours(f->bed.table, DEDICATED),
				&told, now_ms);
		}
	}
}

/* Want some who are not there. No call is refused for their sake. */
static void
want_strangers(struct flood *f, unsigned int first, unsigned int count,
	uint64_t now_ms)
{
	struct sp_addr a = addr("fd00::99");
	uint32_t id;

	for (unsigned int i = first; i < first + count; i++) {
		a.ip[8] = (uint8_t)(i >> 8);
		a.ip[9] = (uint8_t)i;
		cr_assert(eq(int,
			sp_nexthop_get(
				f->bed.table, DEDICATED, &a, now_ms, &id),
			SP_OK));
	}
}

Test(nexthop, strangers_by_the_thousand_keep_nobody_from_being_reached)
{
	static struct flood f;
	uint16_t gateway;
	uint16_t at_once;
	uint16_t waits;

	flood_open(&f);
	gateway = get(&f.bed, DEDICATED, "192.0.2.1", 0);
	flood_serve(&f, 0, 1000);
	cr_assert(eq(int, f.l2[gateway].ready, 1));
	f.bed.frames = 0;
	want_strangers(&f, 0, STRANGERS, 1000);
	waits = get(&f.bed, DEDICATED, "10.0.0.2", 1000);
	flood_serve(&f, 1000, 1100);
	cr_expect(eq(int, f.l2[waits].ready, 0), "its turn comes");
	at_once = get(&f.bed, DEDICATED, "10.0.0.3", 1100);
	flood_serve(&f, 1100, 1120);
	cr_expect(eq(int, f.l2[at_once].ready, 1));
	flood_serve(&f, 1120, 30000);
	cr_expect(eq(int, f.l2[waits].ready, 1));
	cr_expect(le(uint, f.bed.frames, 4 * (29 * 200 + 50)));
	flood_serve(&f, 30000, 120000);
	cr_expect(f.l2[gateway].ready && f.l2[at_once].ready &&
		f.l2[waits].ready);
	sp_nexthop_close(f.bed.table);
}

Test(nexthop, all_who_wait_have_their_turn_before_any_has_a_second)
{
	static struct flood f;
	uint16_t id[AMONG];

	flood_open(&f);
	for (unsigned int i = 0; i < AMONG; i++) {
		char who[16];

		want_strangers(
			&f, i * (STRANGERS / AMONG), STRANGERS / AMONG, 0);
		snprintf(who, sizeof who, "10.0.0.%u", 100 + i);
		id[i] = get(&f.bed, DEDICATED, who, 0);
	}
	/* 200 a second among 5,020 of whom 50 were asked for at once. */
	flood_serve(&f, 0, 26000);
	for (unsigned int i = 0; i < AMONG; i++)
		cr_expect(eq(int, f.l2[id[i]].ready, 1), "%u", i);
	sp_nexthop_close(f.bed.table);
}

Test(nexthop, who_comes_late_is_found_in_spite_of_strangers)
{
	static struct flood f;
	uint16_t late;

	flood_open(&f);
	late = get(&f.bed, DEDICATED, "10.0.0.2", 0);
	want_strangers(&f, 0, STRANGERS, 1);
	for (uint64_t now = 10; now < 10000; now += 10) {
		f.n_asked = 0; /* not there yet */
		sp_nexthop_serve(f.bed.table, now);
	}
	cr_expect(eq(int, f.l2[late].ready, 0));
	f.n_asked = 0;
	flood_serve(&f, 10000, 60000);
	cr_expect(eq(int, f.l2[late].ready, 1));
	sp_nexthop_close(f.bed.table);
}
