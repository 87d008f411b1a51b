/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <net/if.h>
#include <string.h>

#include "dataplane/nexthop.h"
#include "tests/dataplane/netns.h"
#include "tests/dataplane/nexthop_bed.h"

/* Next hops in shared realms, as the kernel of a namespace knows them. */

#define NIC_MTU 3000 /* as if frames had to fit some buffer */

static void
add_shared(struct bed *bed, const char *interface)
{
	const struct sp_addr source[2] = { addr("10.0.0.1"), addr("fd00::1") };

	cr_assert(eq(int,
		sp_nexthop_add_shared(bed->table, SHARED,
			if_nametoindex(interface), 0, source, NIC_MTU),
		SP_OK));
}

/* Serve until hop @id is as wanted, at most 5 s of both times. */
static bool
await(struct bed *bed, uint16_t id, bool ready, uint8_t last, uint64_t now_ms)
{
	for (unsigned int i = 0; i < 250; i++) {
		sp_nexthop_serve(bed->table, now_ms + 20 * i);
		if (bed->l2[id].ready == ready &&
			(!ready || bed->l2[id].header[5] == last))
			return true;
		usleep(20000);
	}
	return false;
}

struct shared_case {
	char dst[40];
	int type;
};

ParameterizedTestParameters(nexthop_shared, a_shared_realm_asks_the_kernel)
{
	static struct shared_case cases[] = {
		{ "10.0.0.2", 0x0800 }, { "192.0.2.1", 0x0800 },
		{ "fd00::2", 0x86dd }, { "2001:db8::1", 0x86dd },
		{ "198.51.100.1", 0x0800 }, /* by an IPv6 gateway */
	};

	return cr_make_param_array(
		struct shared_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct shared_case *tc, nexthop_shared, a_shared_realm_asks_the_kernel)
{
	struct bed bed;
	uint16_t id;

	(void)netns_pair();
	netns_run("ip route add default via 10.0.0.2 && "
		  "ip route add default via fd00::2 && "
		  "ip route add 198.51.100.0/24 via inet6 fd00::2");
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	id = get(&bed, SHARED, tc->dst, 0);
	cr_assert(ne(u16, id, 0));
	cr_expect(await(&bed, id, true, 0xb, 0), "%s", tc->dst);
	cr_expect(
		eq(int, memcmp(bed.l2[id].header + 6, "\2\0\0\0\0\xa", 6), 0));
	cr_expect(eq(int, bed.l2[id].header[12] << 8 | bed.l2[id].header[13],
		tc->type));
	cr_expect(eq(int, bed.l2[id].mtu, 1500));
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, a_neighbour_that_the_kernel_knows_is_ready_at_once)
{
	struct bed bed;
	uint16_t id;

	(void)netns_pair();
	netns_run("ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev va");
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	id = get(&bed, SHARED, "10.0.0.7", 0);
	cr_expect(bed.l2[id].ready && bed.l2[id].header[5] == 7);
	netns_run("ip neigh replace 10.0.0.7 lladdr 02:00:00:00:00:08 dev va");
	cr_expect(await(&bed, id, true, 8, 0));
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, a_neighbour_set_by_hand_stays_and_may_be_taken_away)
{
	struct bed bed;
	uint16_t id;

	(void)netns_pair();
	netns_run("ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:07 dev va "
		  "nud permanent");
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	id = get(&bed, SHARED, "10.0.0.2", 0);
	cr_expect(bed.l2[id].ready && bed.l2[id].header[5] == 7);
	sp_nexthop_serve(bed.table, 40000);
	netns_run("ip neigh show 10.0.0.2 | grep -q PERMANENT");
	netns_run("ip neigh del 10.0.0.2 dev va");
	cr_expect(await(&bed, id, true, 0xb, 41000));
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, a_neighbour_that_was_flushed_is_resolved_again_at_once)
{
	struct bed bed;
	uint16_t id;

	(void)netns_pair();
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	id = get(&bed, SHARED, "10.0.0.2", 0);
	cr_assert(await(&bed, id, true, 0xb, 0));
	netns_run("ip neigh flush dev va");
	bed.changes = 0;
	sp_nexthop_serve(bed.table, 10000);
	cr_expect(await(&bed, id, true, 0xb, 10010));
	cr_expect(ge(uint, bed.changes, 1), "it was not ready in between");
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, a_neighbour_that_vanishes_fails_and_may_return)
{
	struct bed bed;
	pid_t peer;
	uint16_t id;

	peer = netns_pair();
	netns_hurry();
	netns_run("echo 0 >/proc/sys/net/ipv4/neigh/va/delay_first_probe_time"
		  " && echo 0 >/proc/sys/net/ipv4/neigh/va/gc_stale_time"
		  " && echo 20 >/proc/sys/net/ipv4/neigh/va/"
		  "base_reachable_time_ms");
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	id = get(&bed, SHARED, "10.0.0.2", 0);
	cr_assert(await(&bed, id, true, 0xb, 0));
	netns_run("nsenter -t %d -n ip addr del 10.0.0.2/24 dev vb", peer);
	usleep(200000); /* until the kernel's entry is stale */
	cr_expect(await(&bed, id, false, 0, 30000), "found by the refresh");
	netns_run("nsenter -t %d -n ip addr add 10.0.0.2/24 dev vb", peer);
	cr_expect(await(&bed, id, true, 0xb, 40000), "found by the retry");
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, a_mac_that_moves_in_silence_is_found_by_the_refresh)
{
	struct bed bed;
	pid_t peer;
	uint16_t id;

	peer = netns_pair();
	netns_hurry();
	netns_run("echo 0 >/proc/sys/net/ipv4/neigh/va/delay_first_probe_time"
		  " && echo 20 >/proc/sys/net/ipv4/neigh/va/"
		  "base_reachable_time_ms");
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	id = get(&bed, SHARED, "10.0.0.2", 0);
	cr_assert(await(&bed, id, true, 0xb, 0));
	sp_nexthop_serve(bed.table, 6000); /* the retry after the first use */
	netns_run("nsenter -t %d -n ip link set vb address 02:00:00:00:00:0c",
		peer);
	usleep(200000); /* until the kernel's entry is stale */
	cr_expect(await(&bed, id, true, 0xc, 36000));
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, a_route_change_moves_the_destination)
{
	const struct sp_addr dst = addr("192.0.2.1");
	struct bed bed;
	uint16_t before;

	(void)netns_pair();
	netns_run("ip route add default via 10.0.0.2");
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	before = get(&bed, SHARED, "192.0.2.1", 0);
	(void)get(&bed, SHARED, "10.0.0.5", 0);
	netns_run("ip route add 192.0.2.0/24 via 10.0.0.3");
	sp_nexthop_serve(bed.table, 100);
	cr_assert(eq(uint, bed.moves, 1), "and only that one");
	cr_expect(eq(u16, bed.moved_realm, SHARED));
	cr_expect(sp_addr_same_ip(&bed.moved, &dst));
	cr_expect(eq(u16, bed.from, before));
	cr_expect(ne(u16, bed.to, before));
	cr_expect(eq(u16, get(&bed, SHARED, "192.0.2.1", 100), bed.to));
	cr_expect(ne(ptr, (void *)sp_nexthop_find(bed.table, before), NULL),
		"flows may still hold the old id");
	for (uint64_t now = 200; now < 60500; now += 100)
		sp_nexthop_serve(bed.table, now);
	cr_expect(eq(ptr, (void *)sp_nexthop_find(bed.table, before), NULL));
	cr_expect(eq(uint, bed.moves, 1));
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, a_route_that_goes_and_comes_is_followed)
{
	struct bed bed;
	uint16_t before;

	(void)netns_pair();
	netns_run("ip route add default via 10.0.0.2");
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	before = get(&bed, SHARED, "192.0.2.1", 0);
	netns_run("ip route del default");
	sp_nexthop_serve(bed.table, 100);
	cr_expect(bed.moves == 1 && bed.from == before && bed.to == 0);
	netns_run("ip route add default via 10.0.0.2");
	sp_nexthop_serve(bed.table, 200);
	cr_expect(bed.moves == 2 && bed.from == 0 && bed.to == before);
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, a_route_with_an_mtu_has_a_hop_of_its_own)
{
	struct bed bed;
	uint16_t plain;
	uint16_t narrow;

	(void)netns_pair();
	netns_run("ip route add default via 10.0.0.2 && "
		  "ip route add 192.0.2.0/24 via 10.0.0.2 mtu 1400");
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	plain = get(&bed, SHARED, "198.51.100.1", 0);
	narrow = get(&bed, SHARED, "192.0.2.1", 0);
	cr_expect(ne(u16, plain, narrow));
	cr_expect(await(&bed, plain, true, 0xb, 0));
	cr_expect(await(&bed, narrow, true, 0xb, 0));
	cr_expect(eq(int, bed.l2[plain].mtu, 1500));
	cr_expect(eq(int, bed.l2[narrow].mtu, 1400));
	netns_run("ip link set va mtu 1300");
	sp_nexthop_serve(bed.table, 100);
	cr_expect(eq(int, bed.l2[plain].mtu, 1300));
	cr_expect(eq(int, bed.l2[narrow].mtu, 1300));
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, the_nic_may_send_less_than_the_link)
{
	struct bed bed;
	uint16_t wide;
	uint16_t plain;

	(void)netns_pair();
	netns_run("ip link set va mtu 9000 && "
		  "ip route add default via 10.0.0.2 && "
		  "ip route add 192.0.2.0/24 via 10.0.0.2 mtu 8000");
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	plain = get(&bed, SHARED, "198.51.100.1", 0);
	wide = get(&bed, SHARED, "192.0.2.1", 0);
	cr_expect(eq(int, bed.l2[plain].mtu, NIC_MTU));
	cr_expect(eq(int, bed.l2[wide].mtu, NIC_MTU));
	netns_run("ip link set va mtu 1300");
	sp_nexthop_serve(bed.table, 100);
	cr_expect(eq(int, bed.l2[plain].mtu, 1300));
	netns_run("ip link set va mtu 9000");
	sp_nexthop_serve(bed.table, 200);
	cr_expect(eq(int, bed.l2[plain].mtu, NIC_MTU));
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, a_link_that_goes_down_and_up_is_followed)
{
	struct bed bed;
	uint16_t id;

	(void)netns_pair();
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	id = get(&bed, SHARED, "10.0.0.2", 0);
	cr_assert(await(&bed, id, true, 0xb, 0));
	netns_run("ip link set va down");
	cr_expect(await(&bed, id, false, 0, 100));
	netns_run("ip link set va address 02:00:00:00:00:1a && "
		  "ip link set va up");
	cr_expect(await(&bed, id, true, 0xb, 200));
	cr_expect(eq(int, bed.l2[id].header[11], 0x1a));
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, routes_that_vanish_with_the_link_are_missed)
{
	struct bed bed;
	uint16_t id;

	/* IPv4 alone: of IPv6 routes the kernel tells that they went. */
	(void)netns_pair();
	netns_run("echo 1 >/proc/sys/net/ipv6/conf/va/disable_ipv6 && "
		  "ip route add default via 10.0.0.2");
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	id = get(&bed, SHARED, "192.0.2.1", 0);
	cr_assert(await(&bed, id, true, 0xb, 0));
	netns_run("ip link set va down");
	sp_nexthop_serve(bed.table, 10000);
	sp_nexthop_serve(bed.table, 10020);
	cr_expect(bed.moves == 1 && bed.from == id && bed.to == 0);
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, news_that_was_lost_is_asked_for)
{
	struct bed bed;
	uint16_t id;

	(void)netns_pair();
	netns_run("ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev va && "
		  "ip route add default via 10.0.0.7");
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	id = get(&bed, SHARED, "192.0.2.1", 0);
	netns_run("i=0; while [ $i -lt 16000 ]; do "
		  "echo route add 11.0.$((i/256)).$((i%%256)) dev va; "
		  "i=$((i+1)); done | ip -batch -");
	netns_run("ip neigh replace 10.0.0.7 lladdr 02:00:00:00:00:08 dev va"
		  " && ip link set va mtu 1300");
	for (uint64_t now = 10; now < 20000 && bed.l2[id].header[5] != 8;
		now += 10)
		sp_nexthop_serve(bed.table, now);
	cr_expect(eq(int, bed.l2[id].header[5], 8));
	cr_expect(eq(int, bed.l2[id].mtu, 1300));
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, realms_with_the_same_addresses_have_hops_of_their_own)
{
	struct bed bed;
	uint16_t shared;
	uint16_t dedicated;

	(void)netns_pair();
	bed_open(&bed, 16, HOPS);
	add_shared(&bed, "va");
	add_dedicated(&bed, 0);
	shared = get(&bed, SHARED, "10.0.0.2", 0);
	dedicated = get(&bed, DEDICATED, "10.0.0.2", 0);
	cr_expect(ne(u16, shared, dedicated));
	answer(&bed, 9, 0);
	cr_expect(await(&bed, shared, true, 0xb, 0));
	cr_expect(eq(int, bed.l2[dedicated].header[5], 9));
	sp_nexthop_close(bed.table);
}

Test(nexthop_shared, refuses_interfaces_that_are_not_there_or_have_no_mac)
{
	const struct sp_addr source[2] = { addr("127.0.0.1"), { .family = 0 } };
	struct bed bed;

	netns_enter();
	bed_open(&bed, 16, HOPS);
	cr_expect(eq(int,
		sp_nexthop_add_shared(bed.table, SHARED, 999, 0, source, 1500),
		SP_NOT_FOUND));
	cr_expect(eq(int,
		sp_nexthop_add_shared(bed.table, SHARED, if_nametoindex("lo"),
			0, source, 1500),
		SP_UNSUPPORTED));
	sp_nexthop_close(bed.table);
	sp_nexthop_close(NULL);
}
