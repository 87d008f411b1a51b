/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "dataplane/neighbour.h"

/* What the callbacks of a table saw. */
struct seen {
	unsigned int frames;
	uint8_t frame[SP_NEIGH_FRAME_MAX]; /* the last one */
	size_t len;
	uint16_t realm;
	unsigned int changes;
	bool failed; /* the last change said so */
	uint8_t mac[6];
};

static const uint8_t first_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t other_mac[6] = { 2, 0, 0, 0, 0, 2 };

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
	struct seen *seen = arg;

	seen->frames++;
	seen->realm = realm;
	seen->len = len;
	memcpy(seen->frame, frame, len);
}

static void
on_change(void *arg, const struct sp_addr *who, const uint8_t *mac)
{
	struct seen *seen = arg;

	(void)who;
	seen->changes++;
	seen->failed = mac == NULL;
	if (mac)
		memcpy(seen->mac, mac, sizeof seen->mac);
}

static struct sp_neighbour *
open_table(struct seen *seen, uint16_t vlan)
{
	struct sp_neighbour_conf conf = {
		.arg = seen,
		.on_change = on_change,
		.station = {
			.realm = 3,
			.vlan = vlan,
			.mac = { 2, 9, 9, 9, 9, 9 },
			.n_addrs = 3,
			.prefix = { 24, 24, 64 },
			.transmit = transmit,
			.arg = seen,
		},
	};
	struct sp_neighbour *table;

	memset(seen, 0, sizeof *seen);
	conf.station.addr[0] = addr("10.0.0.10");
	conf.station.addr[1] = addr("10.0.1.10");
	conf.station.addr[2] = addr("fd00::10");
	cr_assert(eq(int, sp_neighbour_open(&conf, &table), SP_OK));
	return table;
}

static struct sp_neigh_event
arp_reply(const char *sender, const uint8_t mac[6], const char *target)
{
	struct sp_neigh_event e = {
		.kind = SP_NEIGH_ARP_REPLY,
		.learn = true,
		.sender = addr(sender),
		.target = addr(target),
	};

	memcpy(e.mac, mac, sizeof e.mac);
	return e;
}

static struct sp_neigh_event
advert(const uint8_t mac[6], bool solicited, bool override)
{
	struct sp_neigh_event e = {
		.kind = SP_NEIGH_NA,
		.learn = true,
		.solicited = solicited,
		.override = override,
		.sender = addr("fd00::1"),
		.target = addr("fd00::10"),
	};

	memcpy(e.mac, mac, sizeof e.mac);
	return e;
}

static bool
has_mac(const struct sp_neighbour *table, const char *who, const uint8_t mac[6])
{
	const struct sp_addr a = addr(who);
	const uint8_t *found = sp_neighbour_find(table, &a);

	return found && memcmp(found, mac, 6) == 0;
}

static void
want(struct sp_neighbour *table, const char *who, uint64_t now_ms)
{
	const struct sp_addr a = addr(who);

	cr_assert(eq(int, sp_neighbour_add(table, &a, now_ms), SP_OK));
}

/* Want 10.0.0.1 at 0 ms and let it answer. */
static void
resolve(struct sp_neighbour *table, uint64_t now_ms)
{
	const struct sp_neigh_event e =
		arp_reply("10.0.0.1", first_mac, "10.0.0.10");

	want(table, "10.0.0.1", now_ms);
	cr_assert(sp_neighbour_learn(table, &e, now_ms));
}

Test(neighbour, asks_everybody_from_the_address_on_the_same_subnet)
{
	static const uint8_t head[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
		9, 9, 9, 9, 9, 0x08, 0x06 };
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);
	struct sp_neigh_event e;

	want(table, "10.0.1.77", 0);
	cr_assert(eq(uint, seen.frames, 1));
	cr_expect(eq(u16, seen.realm, 3));
	cr_expect(eq(int, memcmp(seen.frame, head, sizeof head), 0));
	cr_assert(eq(int,
		sp_neigh_parse(0x0806, seen.frame + 14, seen.len - 14, &e),
		SP_OK));
	cr_expect(eq(int, e.kind, SP_NEIGH_ARP_REQUEST));
	cr_expect(e.sender.ip[14] == 1 && e.sender.ip[15] == 10);
	cr_expect(e.target.ip[14] == 1 && e.target.ip[15] == 77);
	sp_neighbour_close(table);
}

Test(neighbour, tags_what_it_asks_in_a_vlan)
{
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 120);

	want(table, "10.0.0.1", 0);
	cr_expect(eq(int, memcmp(seen.frame + 12, "\x81\0\0\x78\x08\6", 6), 0));
	sp_neighbour_close(table);
}

Test(neighbour, asks_by_neighbour_solicitation_on_ipv6)
{
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);
	struct sp_neigh_event e;

	want(table, "fe80::1", 0);
	cr_assert(eq(int,
		sp_neigh_parse(0x86dd, seen.frame + 14, seen.len - 14, &e),
		SP_OK));
	cr_expect(eq(int, e.kind, SP_NEIGH_NS));
	cr_expect(eq(int, seen.frame[0], 0x33));
	sp_neighbour_close(table);
}

Test(neighbour, learns_the_answer_and_tells)
{
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	resolve(table, 0);
	cr_expect(has_mac(table, "10.0.0.1", first_mac));
	cr_expect(eq(uint, seen.changes, 1));
	cr_expect(not(seen.failed));
	cr_expect(eq(int, memcmp(seen.mac, first_mac, 6), 0));
	sp_neighbour_close(table);
}

Test(neighbour, knows_nobody_it_did_not_want)
{
	const struct sp_neigh_event e =
		arp_reply("10.0.0.66", first_mac, "10.0.0.10");
	const struct sp_neigh_event gratuitous =
		arp_reply("10.0.0.66", first_mac, "10.0.0.66");
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	cr_expect(not(sp_neighbour_learn(table, &e, 0)));
	cr_expect(not(sp_neighbour_learn(table, &gratuitous, 0)));
	cr_expect(not(has_mac(table, "10.0.0.66", first_mac)));
	cr_expect(eq(uint, seen.frames + seen.changes, 0));
	sp_neighbour_close(table);
}

Test(neighbour, learns_nothing_from_questions_and_answers_to_others)
{
	struct sp_neigh_event e = arp_reply("10.0.0.1", first_mac, "10.0.0.99");
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	want(table, "10.0.0.1", 0);
	cr_expect(not(sp_neighbour_learn(table, &e, 0)));
	e = arp_reply("10.0.0.1", first_mac, "10.0.0.10");
	e.kind = SP_NEIGH_ARP_REQUEST;
	cr_expect(not(sp_neighbour_learn(table, &e, 0)));
	e.kind = SP_NEIGH_ARP_REPLY;
	e.learn = false;
	cr_expect(not(sp_neighbour_learn(table, &e, 0)));
	cr_expect(eq(uint, seen.changes, 0));
	sp_neighbour_close(table);
}

Test(neighbour, gives_up_after_three_requests_and_asks_on_when_told_to)
{
	const struct sp_addr a = addr("10.0.0.1");
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	want(table, "10.0.0.1", 0);
	sp_neighbour_serve(table, 999);
	cr_expect(eq(uint, seen.frames, 1));
	sp_neighbour_serve(table, 1000);
	sp_neighbour_serve(table, 2000);
	cr_expect(eq(uint, seen.frames, 3));
	cr_expect(eq(uint, seen.changes, 0));
	sp_neighbour_serve(table, 3000);
	cr_expect(eq(uint, seen.frames, 3));
	cr_expect(seen.failed && seen.changes == 1);
	sp_neighbour_serve(table, 13000);
	cr_expect(eq(uint, seen.frames, 3));
	cr_expect(
		eq(int, sp_neighbour_add_later(table, &a, true, 13000), SP_OK));
	sp_neighbour_serve(table, 30000);
	cr_expect(eq(uint, seen.frames, 4));
	cr_expect(eq(uint, seen.changes, 1), "failing is told once");
	sp_neighbour_close(table);
}

Test(neighbour, retries_who_answered_once_every_five_seconds)
{
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	resolve(table, 0);
	for (uint64_t now = 30000; now <= 33000; now += 1000)
		sp_neighbour_serve(table, now);
	cr_assert(seen.failed && seen.frames == 4);
	sp_neighbour_serve(table, 37999);
	cr_expect(eq(uint, seen.frames, 4));
	sp_neighbour_serve(table, 38000);
	sp_neighbour_serve(table, 43000);
	cr_expect(eq(uint, seen.frames, 6));
	cr_expect(eq(uint, seen.changes, 2), "failing is told once");
	sp_neighbour_close(table);
}

Test(neighbour, comes_back_when_a_failed_one_answers)
{
	const struct sp_neigh_event e =
		arp_reply("10.0.0.1", first_mac, "10.0.0.10");
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	want(table, "10.0.0.1", 0);
	for (uint64_t now = 1000; now <= 8000; now += 1000)
		sp_neighbour_serve(table, now);
	cr_assert(seen.failed);
	cr_expect(sp_neighbour_learn(table, &e, 8001));
	cr_expect(not(seen.failed));
	cr_expect(has_mac(table, "10.0.0.1", first_mac));
	sp_neighbour_close(table);
}

Test(neighbour, keeps_the_mac_while_it_probes)
{
	const struct sp_neigh_event e =
		arp_reply("10.0.0.1", first_mac, "10.0.0.10");
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	resolve(table, 0);
	sp_neighbour_serve(table, 29999);
	cr_expect(eq(uint, seen.frames, 1));
	sp_neighbour_serve(table, 30000);
	sp_neighbour_serve(table, 31000);
	cr_expect(eq(uint, seen.frames, 3));
	cr_expect(has_mac(table, "10.0.0.1", first_mac));
	cr_expect(sp_neighbour_learn(table, &e, 31500));
	cr_expect(eq(uint, seen.changes, 1), "the same MAC is no news");
	sp_neighbour_serve(table, 61499);
	cr_expect(eq(uint, seen.frames, 3));
	sp_neighbour_close(table);
}

Test(neighbour, fails_when_no_probe_is_answered)
{
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	resolve(table, 0);
	for (uint64_t now = 30000; now < 33000; now += 1000)
		sp_neighbour_serve(table, now);
	cr_expect(has_mac(table, "10.0.0.1", first_mac));
	sp_neighbour_serve(table, 33000);
	cr_expect(not(has_mac(table, "10.0.0.1", first_mac)));
	cr_expect(seen.failed && seen.changes == 2);
	sp_neighbour_close(table);
}

Test(neighbour, finds_a_mac_that_moved)
{
	const struct sp_neigh_event e =
		arp_reply("10.0.0.1", other_mac, "10.0.0.10");
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	resolve(table, 0);
	sp_neighbour_serve(table, 30000);
	cr_expect(sp_neighbour_learn(table, &e, 30010));
	cr_expect(has_mac(table, "10.0.0.1", other_mac));
	cr_expect(eq(uint, seen.changes, 2));
	sp_neighbour_close(table);
}

Test(neighbour, believes_an_announcement_and_asks_at_once)
{
	const struct sp_neigh_event e =
		arp_reply("10.0.0.1", other_mac, "10.0.0.1");
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	resolve(table, 0);
	cr_expect(sp_neighbour_learn(table, &e, 100));
	cr_expect(has_mac(table, "10.0.0.1", other_mac));
	cr_expect(eq(uint, seen.frames, 2));
	sp_neighbour_serve(table, 1100);
	cr_expect(eq(uint, seen.frames, 3), "it has not answered yet");
	sp_neighbour_close(table);
}

Test(neighbour, takes_an_announcement_of_the_same_mac_for_no_news)
{
	const struct sp_neigh_event e =
		arp_reply("10.0.0.1", first_mac, "10.0.0.1");
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	resolve(table, 0);
	cr_expect(not(sp_neighbour_learn(table, &e, 20000)));
	sp_neighbour_serve(table, 30000);
	cr_expect(eq(uint, seen.frames, 2), "nor for a sign of life");
	sp_neighbour_close(table);
}

Test(neighbour, takes_a_reply_that_it_did_not_ask_for_as_no_confirmation)
{
	struct sp_neigh_event e = arp_reply("10.0.0.1", first_mac, "10.0.0.10");
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	resolve(table, 0);
	cr_expect(not(sp_neighbour_learn(table, &e, 20000)));
	sp_neighbour_serve(table, 30000);
	cr_expect(eq(uint, seen.frames, 2));
	cr_expect(sp_neighbour_learn(table, &e, 30001));
	e = arp_reply("10.0.0.1", other_mac, "10.0.0.10");
	cr_expect(sp_neighbour_learn(table, &e, 30002));
	cr_expect(has_mac(table, "10.0.0.1", other_mac));
	cr_expect(eq(uint, seen.frames, 3), "another MAC is asked about");
	sp_neighbour_close(table);
}

Test(neighbour, obeys_the_override_flag)
{
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);
	struct sp_neigh_event e = advert(first_mac, true, false);

	want(table, "fd00::1", 0);
	cr_expect(sp_neighbour_learn(table, &e, 1));
	e = advert(other_mac, false, false);
	cr_expect(not(sp_neighbour_learn(table, &e, 2)));
	cr_expect(has_mac(table, "fd00::1", first_mac));
	e = advert(other_mac, false, true);
	cr_expect(sp_neighbour_learn(table, &e, 3));
	cr_expect(has_mac(table, "fd00::1", other_mac));
	cr_expect(eq(uint, seen.frames, 2), "unasked: asked about at once");
	e = advert(other_mac, true, true);
	cr_expect(sp_neighbour_learn(table, &e, 4));
	sp_neighbour_serve(table, 1003);
	cr_expect(eq(uint, seen.frames, 2));
	sp_neighbour_close(table);
}

Test(neighbour, wanting_twice_is_wanting_once)
{
	const struct sp_addr a = addr("10.0.0.1");
	struct seen seen;
	struct sp_neighbour *table = open_table(&seen, 0);

	resolve(table, 0);
	want(table, "10.0.0.1", 10);
	cr_expect(eq(uint, seen.frames, 1));
	sp_neighbour_del(table, &a);
	sp_neighbour_del(table, &a);
	cr_expect(not(has_mac(table, "10.0.0.1", first_mac)));
	sp_neighbour_serve(table, 40000);
	cr_expect(eq(uint, seen.frames, 1));
	sp_neighbour_close(table);
}

Test(neighbour, cannot_ask_in_a_family_it_has_no_address_of)
{
	struct sp_neighbour_conf conf = { .station = { .n_addrs = 0 } };
	const struct sp_addr a = addr("10.0.0.1");
	struct sp_neighbour *table;

	cr_assert(eq(int, sp_neighbour_open(&conf, &table), SP_OK));
	cr_expect(eq(int, sp_neighbour_add(table, &a, 0), SP_NOT_FOUND));
	sp_neighbour_close(table);
}
