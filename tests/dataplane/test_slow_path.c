/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "dataplane/internal.h"
#include "relay/sum.h"

#define NIC 1
#define PEER "\2\1\1\1\1\1"
#define OWN "\2\7\7\7\7\7"
#define ALL "\xff\xff\xff\xff\xff\xff"

/* A slow path with one realm, and what it sent. */
struct bed {
	struct sp_neighbour *neighbours;
	struct sp_slow_path *slow;
	unsigned int sent;
	uint8_t frame[SP_NEIGH_FRAME_MAX]; /* the last one */
	size_t len;
	unsigned int changes;
};

struct wire {
	uint8_t frame[SP_NEIGH_FRAME_MAX];
	size_t len;
};

static struct sp_addr
addr(const char *text)
{
	struct sp_addr a;

	cr_assert(eq(int, sp_addr_parse(text, strlen(text), &a), SP_OK));
	return a;
}

static void
transmit(void *arg, uint16_t realm, const uint8_t *frame, size_t len)
{
	struct bed *bed = arg;

	cr_expect(eq(u16, realm, 2));
	bed->sent++;
	bed->len = len;
	memcpy(bed->frame, frame, len);
}

static void
on_change(void *arg, const struct sp_addr *who, const uint8_t *mac)
{
	struct bed *bed = arg;

	(void)who;
	(void)mac;
	bed->changes++;
}

static void
bed_open(struct bed *bed, uint16_t vlan)
{
	struct sp_neighbour_conf conf = {
		.arg = bed,
		.on_change = on_change,
		.station = {
			.realm = 2,
			.vlan = vlan,
			.mac = { 2, 7, 7, 7, 7, 7 },
			.n_addrs = 2,
			.prefix = { 24, 64 },
			.transmit = transmit,
			.arg = bed,
		},
	};

	memset(bed, 0, sizeof *bed);
	conf.station.addr[0] = addr("10.0.0.10");
	conf.station.addr[1] = addr("fd00::10");
	cr_assert(eq(int, sp_neighbour_open(&conf, &bed->neighbours), SP_OK));
	cr_assert(eq(int, sp_slow_path_open(&bed->slow), SP_OK));
	cr_assert(eq(
		int, sp_slow_path_add(bed->slow, NIC, bed->neighbours), SP_OK));
}

static void
bed_close(struct bed *bed)
{
	sp_slow_path_close(bed->slow);
	sp_neighbour_close(bed->neighbours);
}

/* The peer asks who has @target. */
static struct wire
question(uint16_t vlan, const char *from, const char *target)
{
	struct sp_neigh_link link = { .vlan = vlan };
	const struct sp_addr sender = addr(from);
	const struct sp_addr wanted = addr(target);
	struct wire w;

	memcpy(link.from, PEER, 6);
	cr_assert(eq(int,
		sp_neigh_write_request(&link, &sender, &wanted, w.frame,
			sizeof w.frame, &w.len),
		SP_OK));
	return w;
}

/* The peer answers a question for @sender that @target asked. */
static struct wire
reply(const char *sender, const char *target)
{
	struct sp_neigh_event e = { .kind = SP_NEIGH_ARP_REQUEST };
	struct sp_neigh_link link = { .vlan = 0 };
	struct wire w;

	e.sender = addr(target);
	e.target = addr(sender);
	if (e.sender.family == SP_FAMILY_IP6)
		e.kind = SP_NEIGH_NS;
	memcpy(e.mac, OWN, 6);
	memcpy(link.from, PEER, 6);
	memcpy(link.to, OWN, 6);
	cr_assert(eq(int,
		sp_neigh_write_answer(
			&link, &e, w.frame, sizeof w.frame, &w.len),
		SP_OK));
	return w;
}

static void
put_sum(uint8_t *at, uint32_t sum)
{
	const uint16_t check = sp_sum_close(sum);

	memcpy(at, &check, sizeof check);
}

/* The peer pings 10.0.0.10 with eight bytes. */
static struct wire
ping(const char *to_mac)
{
	static const uint8_t ip[36] = { 0x45, 0, 0, 36, 0, 1, 0, 0, 64, 1, 0, 0,
		10, 0, 0, 1, 10, 0, 0, 10, 8, 0, 0, 0, 0x12, 0x34, 0, 1, 'e',
		'c', 'h', 'o', 'e', 'c', 'h', 'o' };
	struct wire w = { .len = 14 + sizeof ip };

	memcpy(w.frame, to_mac, 6);
	memcpy(w.frame + 6, PEER, 6);
	memcpy(w.frame + 12, "\x08\0", 2);
	memcpy(w.frame + 14, ip, sizeof ip);
	put_sum(w.frame + 14 + 10, sp_sum_bytes(w.frame + 14, 20));
	put_sum(w.frame + 34 + 2, sp_sum_bytes(w.frame + 34, 16));
	return w;
}

/* The peer pings fd00::10 with four bytes. */
static struct wire
ping6(void)
{
	static const uint8_t icmp[12] = { 128, 0, 0, 0, 0x12, 0x34, 0, 1, 'e',
		'c', 'h', 'o' };
	const struct sp_addr from = addr("fd00::1");
	const struct sp_addr to = addr("fd00::10");
	const uint8_t tail[8] = { 0, 0, 0, sizeof icmp, 0, 0, 0, 58 };
	struct wire w = { .len = 14 + 40 + sizeof icmp };
	uint8_t *ip = w.frame + 14;

	memcpy(w.frame, OWN, 6);
	memcpy(w.frame + 6, PEER, 6);
	memcpy(w.frame + 12, "\x86\xdd\x60", 3);
	ip[5] = sizeof icmp;
	ip[6] = 58; /* ICMPv6 */
	ip[7] = 64;
	memcpy(ip + 8, from.ip, 16);
	memcpy(ip + 24, to.ip, 16);
	memcpy(ip + 40, icmp, sizeof icmp);
	put_sum(ip + 42,
		sp_sum_bytes(ip + 8, 32 + sizeof icmp) +
			sp_sum_bytes(tail, sizeof tail));
	return w;
}

static int
take(struct bed *bed, const struct wire *w, uint64_t now_ms)
{
	return sp_slow_path_take(bed->slow, NIC, 0, w->frame, w->len, now_ms);
}

/* Read what the realm sent as its peer would. */
static struct sp_neigh_event
sent(const struct bed *bed)
{
	struct sp_neigh_event e = { 0 };
	const uint16_t type = (uint16_t)(bed->frame[12] << 8 | bed->frame[13]);

	cr_expect(eq(int, memcmp(bed->frame + 6, OWN, 6), 0));
	cr_assert(eq(int,
		sp_neigh_parse(type, bed->frame + 14, bed->len - 14, &e),
		SP_OK));
	return e;
}

Test(slow_path, answers_who_has_our_address)
{
	struct bed bed;
	struct wire w = question(0, "10.0.0.1", "10.0.0.10");
	struct sp_neigh_event e;

	bed_open(&bed, 0);
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_ADDRESS));
	cr_assert(eq(uint, bed.sent, 1));
	e = sent(&bed);
	cr_expect(eq(int, memcmp(bed.frame, PEER, 6), 0));
	cr_expect(eq(int, e.kind, SP_NEIGH_ARP_REPLY));
	cr_expect(eq(int, memcmp(e.mac, OWN, 6), 0));
	cr_expect(eq(int, e.sender.ip[15], 10));
	cr_expect(
		eq(u64, sp_slow_path_count(bed.slow, SP_SLOW_PATH_ADDRESS), 1));
	bed_close(&bed);
}

Test(slow_path, counts_for_control_what_became_of_a_frame)
{
	struct bed bed;
	struct wire w = question(0, "10.0.0.1", "10.0.0.10");
	struct sp_dataplane dp = { 0 };

	bed_open(&bed, 0);
	dp.slow = bed.slow;
	take(&bed, &w, 0);
	for (enum sp_slow_path_fate f = 0; f < SP_SLOW_PATH_COUNT; f++)
		cr_expect(eq(u64, sp_dataplane_slow_count(&dp, f),
			f == SP_SLOW_PATH_ADDRESS));
	bed_close(&bed);
}

Test(slow_path, answers_a_neighbour_solicitation)
{
	const struct sp_addr own = addr("fd00::10");
	struct bed bed;
	struct wire w = question(0, "fd00::1", "fd00::10");
	struct sp_neigh_event e;

	bed_open(&bed, 0);
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_ADDRESS));
	e = sent(&bed);
	cr_expect(eq(int, e.kind, SP_NEIGH_NA));
	cr_expect(e.solicited && sp_addr_same_ip(&e.sender, &own));
	bed_close(&bed);
}

Test(slow_path, defends_our_address_before_everybody)
{
	struct bed bed;
	struct wire w = question(0, "fd00::1", "fd00::10");
	uint8_t *icmp = w.frame + 54;
	struct sp_neigh_event e;

	/* Source ::, and without the option that holds the source's MAC. */
	w.len -= 8;
	w.frame[14 + 5] = 24;
	memset(w.frame + 14 + 8, 0, 16);
	memset(icmp + 2, 0, 2);
	put_sum(icmp + 2,
		sp_sum_bytes(w.frame + 22, 32 + 24) +
			sp_sum_bytes(
				(const uint8_t *)"\0\0\0\x18\0\0\0\x3a", 8));
	bed_open(&bed, 0);
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_ADDRESS));
	e = sent(&bed);
	cr_expect(not(e.solicited));
	cr_expect(eq(int, memcmp(bed.frame, "\x33\x33\0\0\0\1", 6), 0));
	bed_close(&bed);
}

Test(slow_path, is_silent_about_addresses_of_others)
{
	struct bed bed;
	struct wire w = question(0, "10.0.0.1", "10.0.0.11");

	bed_open(&bed, 0);
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_IGNORED));
	w = question(0, "fd00::1", "fd00::11");
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_IGNORED));
	cr_expect(eq(uint, bed.sent, 0));
	bed_close(&bed);
}

Test(slow_path, keeps_nics_and_vlans_apart)
{
	struct bed bed;
	struct wire plain = question(0, "10.0.0.1", "10.0.0.10");
	struct wire tagged = question(120, "10.0.0.1", "10.0.0.10");

	bed_open(&bed, 120);
	cr_expect(eq(int, take(&bed, &plain, 0), SP_SLOW_PATH_IGNORED));
	cr_expect(eq(int,
		sp_slow_path_take(
			bed.slow, NIC + 1, 0, tagged.frame, tagged.len, 0),
		SP_SLOW_PATH_IGNORED));
	cr_expect(eq(uint, bed.sent, 0));
	cr_expect(eq(int, take(&bed, &tagged, 0), SP_SLOW_PATH_ADDRESS));
	cr_expect(eq(int, memcmp(bed.frame + 12, "\x81\0\0\x78\x08\6", 6), 0));
	bed_close(&bed);
}

Test(slow_path, takes_a_frame_whose_tag_the_nic_took_off)
{
	struct bed bed;
	struct wire plain = question(0, "10.0.0.1", "10.0.0.10");

	bed_open(&bed, 120);
	cr_expect(eq(int,
		sp_slow_path_take(
			bed.slow, NIC, 120, plain.frame, plain.len, 0),
		SP_SLOW_PATH_ADDRESS));
	cr_expect(eq(int, memcmp(bed.frame + 12, "\x81\0\0\x78\x08\6", 6), 0));
	bed_close(&bed);
}

Test(slow_path, echoes_a_ping_to_where_it_came_from)
{
	struct bed bed;
	struct wire w = ping(OWN);

	bed_open(&bed, 0);
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_ECHO));
	cr_assert(eq(uint, bed.sent, 1));
	cr_expect(eq(int, memcmp(bed.frame, PEER OWN, 12), 0));
	cr_expect(eq(int, bed.frame[34], 0));
	cr_expect(eq(int, memcmp(bed.frame + 38, w.frame + 38, 12), 0));
	cr_expect(eq(int, memcmp(bed.frame + 26, "\xa\0\0\xa\xa\0\0\1", 8), 0));
	bed_close(&bed);
}

Test(slow_path, echoes_an_ipv6_ping)
{
	struct bed bed;
	struct wire w = ping6();

	bed_open(&bed, 0);
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_ECHO));
	cr_expect(eq(int, bed.frame[54], 129));
	cr_expect(eq(int, memcmp(bed.frame + 58, w.frame + 58, 8), 0));
	bed_close(&bed);
}

Test(slow_path, does_not_echo_a_ping_to_everybody)
{
	struct bed bed;
	struct wire w = ping(ALL);

	bed_open(&bed, 0);
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_IGNORED));
	w = ping("\2\2\2\2\2\2");
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_IGNORED));
	cr_expect(eq(uint, bed.sent, 0));
	bed_close(&bed);
}

Test(slow_path, feeds_the_neighbours)
{
	const struct sp_addr a = addr("10.0.0.1");
	const struct sp_addr b = addr("fd00::1");
	struct bed bed;
	struct wire w = reply("10.0.0.1", "10.0.0.10");

	bed_open(&bed, 0);
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_IGNORED));
	cr_assert(eq(int, sp_neighbour_add(bed.neighbours, &a, 0), SP_OK));
	cr_assert(eq(int, sp_neighbour_add(bed.neighbours, &b, 0), SP_OK));
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_LEARNED));
	w = reply("fd00::1", "fd00::10");
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_LEARNED));
	cr_expect(eq(uint, bed.changes, 2));
	cr_expect(eq(int,
		memcmp(sp_neighbour_find(bed.neighbours, &b), PEER, 6), 0));
	bed_close(&bed);
}

Test(slow_path, hears_an_announcement_in_a_request)
{
	const struct sp_addr a = addr("10.0.0.1");
	struct bed bed;
	struct wire w = question(0, "10.0.0.1", "10.0.0.1");

	bed_open(&bed, 0);
	cr_assert(eq(int, sp_neighbour_add(bed.neighbours, &a, 0), SP_OK));
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_LEARNED));
	bed_close(&bed);
}

Test(slow_path, refuses_every_frame_that_is_cut_off)
{
	struct wire frames[] = { question(0, "10.0.0.1", "10.0.0.10"),
		question(0, "fd00::1", "fd00::10"), ping(OWN), ping6() };
	const size_t whole[] = { 42, 86, 50, 66 };
	struct bed bed;

	bed_open(&bed, 0);
	for (unsigned int i = 0; i < 4; i++) {
		for (size_t len = 0; len < whole[i]; len++) {
			uint8_t *cut = malloc(len + 1); /* for the sanitizer */

			memcpy(cut, frames[i].frame, len);
			cut = realloc(cut, len ? len : 1);
			cr_expect(eq(int,
				sp_slow_path_take(
					bed.slow, NIC, 0, cut, len, 0),
				SP_SLOW_PATH_MALFORMED));
			free(cut);
		}
	}
	cr_expect(eq(uint, bed.sent, 0));
	bed_close(&bed);
}

Test(slow_path, ignores_what_is_none_of_its_business)
{
	struct bed bed;
	struct wire w = ping(OWN);

	bed_open(&bed, 0);
	w.frame[12] = 0x88; /* LLDP's EtherType */
	w.frame[13] = 0xcc;
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_IGNORED));
	w = ping(OWN);
	w.frame[6] |= 1; /* no station sends from a group */
	cr_expect(eq(int, take(&bed, &w, 0), SP_SLOW_PATH_MALFORMED));
	bed_close(&bed);
}

Test(slow_path, a_flood_of_questions_leaves_room_for_answers)
{
	const struct sp_addr a = addr("10.0.0.1");
	struct bed bed;
	struct wire flood = question(0, "10.0.0.66", "10.0.0.10");
	struct wire pings = ping(OWN);
	struct wire w = reply("10.0.0.1", "10.0.0.10");

	bed_open(&bed, 0);
	cr_assert(eq(int, sp_neighbour_add(bed.neighbours, &a, 1000), SP_OK));
	bed.sent = 0;
	/* A second of both floods, a hundred of each a millisecond. */
	for (uint64_t now = 1000; now < 2000; now++) {
		for (unsigned int i = 0; i < 100; i++) {
			(void)take(&bed, &flood, now);
			(void)take(&bed, &pings, now);
		}
	}
	cr_expect(le(uint, bed.sent, 500 + 100 + 200 + 50));
	cr_expect(ge(uint, bed.sent, 500 + 200));
	cr_expect(eq(u64,
		bed.sent + sp_slow_path_count(bed.slow, SP_SLOW_PATH_LIMITED),
		200000));
	cr_expect(eq(int, take(&bed, &w, 2000), SP_SLOW_PATH_LEARNED));
	bed_close(&bed);
}

Test(slow_path, questions_for_others_cost_nothing_of_the_rate)
{
	struct bed bed;
	struct wire others = question(0, "10.0.0.66", "10.0.0.99");
	struct wire ours = question(0, "10.0.0.1", "10.0.0.10");

	bed_open(&bed, 0);
	for (unsigned int i = 0; i < 5000; i++)
		(void)take(&bed, &others, 0);
	cr_expect(eq(int, take(&bed, &ours, 0), SP_SLOW_PATH_ADDRESS));
	cr_expect(eq(
		u64, sp_slow_path_count(bed.slow, SP_SLOW_PATH_IGNORED), 5000));
	bed_close(&bed);
}

Test(slow_path, serves_no_more_realms_than_there_may_be)
{
	struct bed bed;

	bed_open(&bed, 0);
	for (unsigned int i = 1; i < SP_REALMS_MAX; i++)
		cr_assert(
			eq(int, sp_slow_path_add(bed.slow, NIC, bed.neighbours),
				SP_OK));
	cr_expect(eq(
		int, sp_slow_path_add(bed.slow, NIC, bed.neighbours), SP_FULL));
	bed_close(&bed);
}
