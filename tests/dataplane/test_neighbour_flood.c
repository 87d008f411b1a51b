/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/neighbour.h"

/* SDP of strangers names more addresses of a link than a table can hold. */

#define STRANGERS 5000
#define STRANGERS_AT 1000 /* the first of them, for nth() */

static struct sp_addr
addr(const char *text)
{
	struct sp_addr a;

	cr_assert(eq(int, sp_addr_parse(text, strlen(text), &a), SP_OK));
	return a;
}

/* The @i-th of many addresses on the link. */
static struct sp_addr
nth(unsigned int i)
{
	struct sp_addr a = addr("fd00::1:0");

	a.ip[14] = (uint8_t)(i >> 8);
	a.ip[15] = (uint8_t)i;
	return a;
}

static void
transmit(void *arg, uint16_t realm, const uint8_t *frame, size_t len)
{
	unsigned int *frames = arg;

	(void)realm;
	(void)frame;
	(void)len;
	++*frames;
}

static void
on_change(void *arg, const struct sp_addr *who, const uint8_t *mac)
{
	(void)arg;
	(void)who;
	(void)mac;
}

/* Open a table whose questions are counted. */
static struct sp_neighbour *
open_table(unsigned int *frames)
{
	const struct sp_neighbour_conf conf = {
		.gateway = { addr("10.0.0.1"), addr("fd00::1") },
		.on_change = on_change,
		.station = {
			.n_addrs = 2,
			.prefix = { 24, 64 },
			.addr = { addr("10.0.0.10"), addr("fd00::10") },
			.transmit = transmit,
			.arg = frames,
		},
	};
	struct sp_neighbour *table;

	*frames = 0;
	cr_assert(eq(int, sp_neighbour_open(&conf, &table), SP_OK));
	return table;
}

static bool
add(struct sp_neighbour *table, struct sp_addr a, uint64_t now_ms)
{
	return sp_neighbour_add(table, &a, now_ms) == SP_OK;
}

static bool
add_later(struct sp_neighbour *table, struct sp_addr a, bool again,
	uint64_t now_ms)
{
	return sp_neighbour_add_later(table, &a, again, now_ms) == SP_OK;
}

static bool
answer(struct sp_neighbour *table, struct sp_addr a, uint64_t now_ms)
{
	const struct sp_neigh_event e = {
		.kind = SP_NEIGH_NA,
		.learn = true,
		.solicited = true,
		.override = true,
		.sender = a,
		.target = a,
		.mac = { 2, 0, 0, 0, 0, 7 },
	};

	return sp_neighbour_learn(table, &e, now_ms);
}

static bool
known(const struct sp_neighbour *table, struct sp_addr a)
{
	return sp_neighbour_find(table, &a) != NULL;
}

/* Want @count who all answer, so slowly that none has to wait. */
static uint64_t
fill(struct sp_neighbour *table, unsigned int count)
{
	uint64_t now = 0;

	for (unsigned int i = 0; i < count; i++, now += 10) {
		cr_assert(add(table, nth(i), now));
		cr_assert(answer(table, nth(i), now));
	}
	return now;
}

/* Want strangers in every way there is, one a millisecond. */
static uint64_t
flood(struct sp_neighbour *table, uint64_t now_ms, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++, now_ms++) {
		const struct sp_addr a = nth(STRANGERS_AT + i);

		if (!add(table, a, now_ms))
			add_later(table, a, false, now_ms);
		add_later(table, nth(STRANGERS_AT + i / 2), true, now_ms);
		sp_neighbour_serve(table, now_ms);
	}
	return now_ms;
}

Test(neighbour_flood, who_answers_is_reached_and_stays)
{
	unsigned int frames;
	struct sp_neighbour *table = open_table(&frames);
	uint64_t now = fill(table, 1);

	now = flood(table, now, STRANGERS) + 10;
	cr_assert(add(table, nth(1), now), "there is room");
	cr_expect(answer(table, nth(1), now + 5));
	(void)flood(table, now, STRANGERS);
	cr_expect(known(table, nth(0)), "known before");
	cr_expect(known(table, nth(1)), "known since");
	sp_neighbour_close(table);
}

Test(neighbour_flood, who_was_asked_just_now_has_time_to_answer)
{
	unsigned int frames;
	struct sp_neighbour *table = open_table(&frames);
	uint64_t now = fill(table, 800); /* few places are left */

	now = flood(table, now, STRANGERS) + 600;
	cr_assert(add(table, nth(900), now));
	now = flood(table, now, 490);
	cr_expect(answer(table, nth(900), now));
	sp_neighbour_close(table);
}

Test(neighbour_flood, who_lost_the_place_is_found_when_wanted_again)
{
	unsigned int frames;
	struct sp_neighbour *table = open_table(&frames);
	uint64_t now;

	cr_assert(add(table, nth(0), 0));
	now = flood(table, 0, STRANGERS) + 10;
	cr_assert(not(answer(table, nth(0), now)), "it lost its place");
	cr_assert(add_later(table, nth(0), true, now));
	cr_expect(answer(table, nth(0), now + 1));
	cr_expect(known(table, nth(0)));
	sp_neighbour_close(table);
}

Test(neighbour_flood, a_table_of_all_who_answer_is_full_until_one_is_unwanted)
{
	const struct sp_addr first = nth(0);
	unsigned int frames;
	struct sp_neighbour *table = open_table(&frames);
	uint64_t now = fill(table, SP_NEIGHBOUR_MAX);

	cr_expect(not(add(table, nth(2000), now)));
	cr_expect(not(add_later(table, nth(2000), false, now)));
	cr_expect(eq(uint, frames, SP_NEIGHBOUR_MAX));
	for (unsigned int i = 0; i < SP_NEIGHBOUR_MAX; i++)
		cr_assert(known(table, nth(i)));
	sp_neighbour_del(table, &first);
	cr_expect(add(table, nth(2000), now));
	sp_neighbour_close(table);
}

Test(neighbour_flood, gateways_have_places_of_their_own)
{
	const struct sp_addr gateway = addr("fd00::1");
	unsigned int frames;
	struct sp_neighbour *table = open_table(&frames);
	uint64_t now = fill(table, SP_NEIGHBOUR_MAX);

	for (unsigned int i = 0; i < 100; i++)
		(void)add(table, nth(2000 + i), now);
	cr_assert(add(table, gateway, now), "nor do they wait");
	cr_expect(answer(table, gateway, now));
	sp_neighbour_close(table);
}

Test(neighbour_flood, a_gateway_is_asked_for_on_and_on)
{
	unsigned int frames;
	struct sp_neighbour *table = open_table(&frames);

	cr_assert(add(table, addr("fd00::1"), 0));
	for (uint64_t now = 0; now <= 63000; now += 100)
		sp_neighbour_serve(table, now);
	cr_expect(eq(uint, frames, 3 + 12), "three, then one each 5 s");
	(void)flood(table, 63000, STRANGERS);
	cr_expect(answer(table, addr("fd00::1"), 70000));
	sp_neighbour_close(table);
}

Test(neighbour_flood, who_answered_once_keeps_the_place_before_strangers)
{
	unsigned int frames;
	struct sp_neighbour *table = open_table(&frames);
	uint64_t now = fill(table, 10);

	for (; now < 60000; now += 100)
		sp_neighbour_serve(table, now);
	cr_assert(not(known(table, nth(0))));
	now = flood(table, now, STRANGERS);
	for (unsigned int i = 0; i < 10; i++)
		cr_expect(answer(table, nth(i), now));
	sp_neighbour_close(table);
}

Test(neighbour_flood, those_who_failed_make_room_when_no_stranger_can)
{
	unsigned int frames;
	struct sp_neighbour *table = open_table(&frames);
	uint64_t now = fill(table, SP_NEIGHBOUR_MAX);

	/* They answered once and never again. */
	for (; now < 60000; now += 100)
		sp_neighbour_serve(table, now);
	cr_assert(not(known(table, nth(0))));
	cr_assert(add(table, nth(2000), now));
	cr_expect(answer(table, nth(2000), now));
	sp_neighbour_close(table);
}

Test(neighbour_flood, strangers_are_asked_for_at_a_bounded_rate)
{
	unsigned int frames;
	struct sp_neighbour *table = open_table(&frames);

	(void)flood(table, 0, 10000);
	/* 50 at once and 200 a second: new, waiting, tried before, repeated. */
	cr_expect(le(uint, frames, 4 * (50 + 2000)));
	cr_expect(ge(uint, frames, 3 * 2000), "and not too seldom");
	sp_neighbour_close(table);
}
