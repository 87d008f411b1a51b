/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
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
	uint16_t id;

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
	struct sp_addr a = addr("192.0.2.0");
	struct bed bed;
	uint16_t id;

	bed_open(&bed, 1000, HOPS);
	add_dedicated(&bed, 0);
	for (unsigned int round = 0; round < 3; round++) {
		const uint64_t now = 100000ull * round;

		for (unsigned int i = 0; i < 1000; i++) {
			a.ip[13] = (uint8_t)(i >> 8);
			a.ip[14] = (uint8_t)i;
			cr_assert(eq(int,
				sp_nexthop_get(
					bed.table, DEDICATED, &a, now, &id),
				SP_OK));
			cr_assert(eq(u16, id, 1));
		}
		for (unsigned int i = 0; i < 1000; i++) {
			a.ip[13] = (uint8_t)(i >> 8);
			a.ip[14] = (uint8_t)i;
			sp_nexthop_put(bed.table, DEDICATED, &a, now);
		}
		for (unsigned int i = 1; i < 5; i++)
			sp_nexthop_serve(bed.table, now + 60000 + 10 * i);
		cr_expect(eq(ptr, (void *)sp_nexthop_find(bed.table, 1), NULL));
	}
	sp_nexthop_close(bed.table);
}
