/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/port_pool.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <stdlib.h>

enum {
	REST_S = 30,
	NOW = 1000
};

static void *storage[3]; /* of the pools of this test */
static unsigned int pools;

/* A pool with exactly the bytes that it asks for, so that ASan sees more. */
static struct sp_port_pool
pool_of(struct sp_port_pool_conf conf)
{
	struct sp_port_pool pool;

	conf.quarantine_s = REST_S;
	if (conf.scarce_s == 0)
		conf.scarce_s = REST_S;
	storage[pools] = malloc(sp_port_pool_size(&conf));
	sp_port_pool_init(&pool, &conf, storage[pools++]);
	return pool;
}

static void
close_pools(void)
{
	while (pools > 0)
		free(storage[--pools]);
}

TestSuite(port_pool, .fini = close_pools);

static struct sp_port_pool
simple(uint16_t first, uint16_t last)
{
	return pool_of((struct sp_port_pool_conf){
		.first = first, .last = last, .workers = 1 });
}

static uint16_t
take(struct sp_port_pool *pool, uint32_t random, uint32_t now_s)
{
	uint16_t port = 0;

	cr_assert(
		eq(int, sp_port_pool_take(pool, random, now_s, &port), SP_OK));
	return port;
}

struct range_case {
	uint16_t first;
	uint16_t last;
	uint16_t pairs;
};

ParameterizedTestParameters(port_pool, holds_every_whole_pair_once)
{
	static struct range_case cases[] = {
		{ 30000, 39999, 5000 },
		{ 30001, 39999, 4999 }, /* an odd first has lost its even */
		{ 30000, 39998, 4999 }, /* an even last has lost its odd */
		{ 30000, 30001, 1 },
		{ 30000, 30000, 0 },
		{ 30001, 30002, 0 },
		{ 65534, 65535, 1 },
		{ 65535, 65535, 0 },
		{ 1, 65535, 32767 },
		{ 40000, 30000, 0 },
	};

	return cr_make_param_array(
		struct range_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct range_case *tc, port_pool, holds_every_whole_pair_once)
{
	static uint8_t seen[1 << 16];
	struct sp_port_pool pool = simple(tc->first, tc->last);
	uint16_t port = 7;

	cr_expect(eq(u32, pool.free, tc->pairs));
	for (uint32_t i = 0; i < tc->pairs; i++) {
		port = take(&pool, i * 2654435761u, NOW);
		cr_assert(eq(u16, port % 2, 0));
		cr_assert(ge(u16, port, tc->first));
		cr_assert(lt(u16, port, tc->last));
		cr_assert(eq(u8, seen[port]++, 0), "%u twice", port);
	}
	cr_expect(eq(u32, pool.used, tc->pairs));
	cr_expect(eq(int, sp_port_pool_take(&pool, 0, NOW, &port), SP_FULL));
	cr_expect(eq(int, sp_port_pool_give(&pool, 30000, NOW),
		tc->pairs > 0 && seen[30000] ? SP_OK : SP_CONFLICT));
}

Test(port_pool, a_full_pool_leaves_the_answer_untouched)
{
	struct sp_port_pool pool = simple(30000, 30001);
	uint16_t port = 7;

	take(&pool, 0, NOW);
	cr_expect(eq(int, sp_port_pool_take(&pool, 0, NOW, &port), SP_FULL));
	cr_expect(eq(u16, port, 7));
}

Test(port_pool, the_random_number_chooses)
{
	struct sp_port_pool pool = simple(30000, 30199);
	unsigned int count[100] = { 0 };
	uint32_t random = 1;

	/* Each time all are free again, so each pair is as likely. */
	for (uint32_t i = 0; i < 10000; i++) {
		const uint32_t now_s = i * (REST_S + 1);
		uint16_t port;

		random = random * 1664525 + 1013904223;
		port = take(&pool, random, now_s);
		count[(port - 30000) / 2]++;
		cr_assert(
			eq(int, sp_port_pool_give(&pool, port, now_s), SP_OK));
	}
	for (unsigned int i = 0; i < 100; i++) {
		cr_expect(ge(uint, count[i], 50), "pair %u", i);
		cr_expect(le(uint, count[i], 200), "pair %u", i);
	}
}

Test(port_pool, extremes_of_random_are_its_ends)
{
	struct sp_port_pool one = simple(30000, 30005);
	struct sp_port_pool other = simple(30000, 30005);

	cr_expect(eq(u16, take(&one, 0, NOW), 30000));
	cr_expect(eq(u16, take(&other, UINT32_MAX, NOW), 30004));
}

Test(port_pool, a_port_rests_before_it_is_used_again)
{
	struct sp_port_pool pool = simple(30000, 30001);
	uint16_t port = take(&pool, 0, NOW);

	cr_assert(eq(int, sp_port_pool_give(&pool, port, NOW), SP_OK));
	cr_expect(eq(u32, pool.quarantined, 1));
	cr_expect(eq(u32, pool.used, 0));
	cr_expect(eq(int, sp_port_pool_take(&pool, 0, NOW + REST_S - 1, &port),
		SP_FULL));
	cr_expect(eq(u16, take(&pool, 0, NOW + REST_S), 30000));
	cr_expect(eq(u32, pool.quarantined, 0));
	cr_expect(eq(u32, pool.used, 1));
}

Test(port_pool, scarce_ports_rest_less_but_not_less_than_that)
{
	struct sp_port_pool pool = pool_of((struct sp_port_pool_conf){
		.first = 30000, .last = 30031, .workers = 1, .scarce_s = 5 });
	uint16_t held[16], port;

	for (unsigned int i = 0; i < 16; i++)
		held[i] = take(&pool, 0, NOW);
	for (unsigned int i = 0; i < 16; i++)
		cr_assert(eq(int,
			sp_port_pool_give(&pool, held[i], NOW + i / 4), SP_OK));
	cr_expect(eq(u32, sp_port_pool_have(&pool, NOW + 4, 16), 0));
	cr_expect(
		eq(int, sp_port_pool_take(&pool, 0, NOW + 4, &port), SP_FULL));
	/* An eighth of 16: so many at a time, the oldest ones. */
	cr_expect(eq(u32, sp_port_pool_have(&pool, NOW + 5, 16), 2));
	for (unsigned int i = 0; i < 4; i++)
		take(&pool, UINT32_MAX, NOW + 5);
	cr_expect(
		eq(int, sp_port_pool_take(&pool, 0, NOW + 5, &port), SP_FULL));
	cr_expect(eq(u32, pool.quarantined, 12));
	/* The others are not needed before their time. */
	take(&pool, 0, NOW + 20);
	cr_expect(eq(u32, pool.quarantined, 10));
	cr_expect(eq(u32, sp_port_pool_have(&pool, NOW + 1 + REST_S, 16), 3));
}

Test(port_pool, the_clock_of_quarantine_may_wrap)
{
	struct sp_port_pool pool = simple(30000, 30001);
	uint16_t port = take(&pool, 0, UINT32_MAX - 3);

	cr_assert(
		eq(int, sp_port_pool_give(&pool, port, UINT32_MAX - 3), SP_OK));
	cr_expect(eq(
		int, sp_port_pool_take(&pool, 0, UINT32_MAX, &port), SP_FULL));
	cr_expect(eq(int, sp_port_pool_take(&pool, 0, 0, &port), SP_FULL));
	cr_expect(eq(u16, take(&pool, 0, REST_S - 4), 30000));
}

Test(port_pool, what_was_not_taken_is_not_taken_back)
{
	struct sp_port_pool pool = simple(30000, 30063);
	const uint16_t port = take(&pool, 0, NOW);

	cr_expect(eq(int, sp_port_pool_give(&pool, port + 1, NOW), SP_CONFLICT),
		"odd");
	cr_expect(eq(int, sp_port_pool_give(&pool, port + 2, NOW), SP_CONFLICT),
		"free");
	cr_expect(eq(int, sp_port_pool_give(&pool, 29998, NOW), SP_CONFLICT));
	cr_expect(eq(int, sp_port_pool_give(&pool, 30064, NOW), SP_CONFLICT));
	cr_expect(eq(int, sp_port_pool_give(&pool, 0, NOW), SP_CONFLICT));
	cr_expect(eq(int, sp_port_pool_give(&pool, port, NOW), SP_OK));
	cr_expect(eq(int, sp_port_pool_give(&pool, port, NOW), SP_CONFLICT),
		"twice");
	cr_expect(eq(u32, pool.quarantined, 1));
	cr_expect(eq(u32, pool.free, 31));
}

Test(port_pool, counts_add_up_whatever_happens)
{
	struct sp_port_pool pool = simple(30000, 30255);
	uint16_t held[128];
	uint8_t in_use[128] = { 0 };
	uint32_t n = 0, random = 1, now_s = NOW;

	for (unsigned int i = 0; i < 100000; i++) {
		random = random * 1664525 + 1013904223;
		now_s += random >> 30;
		if (random & 1 << 20) {
			uint16_t port;

			if (sp_port_pool_take(&pool, random, now_s, &port) !=
				SP_OK)
				continue;
			cr_assert(eq(u8, in_use[(port - 30000) / 2]++, 0));
			held[n++] = port;
		} else if (n > 0) {
			const uint32_t at = (random >> 8) % n;

			cr_assert(eq(int,
				sp_port_pool_give(&pool, held[at], now_s),
				SP_OK));
			in_use[(held[at] - 30000) / 2]--;
			held[at] = held[--n];
		}
		cr_assert(eq(u32, pool.used, n));
		cr_assert(
			eq(u32, pool.free + pool.used + pool.quarantined, 128));
	}
}

Test(port_pool, every_port_has_one_owner_and_a_pair_the_same)
{
	for (unsigned int workers = 1; workers <= 9; workers++)
		for (uint32_t port = 0; port <= UINT16_MAX; port += 2) {
			const unsigned int owner =
				sp_port_owner((uint16_t)port, workers);

			cr_assert(lt(uint, owner, workers));
			cr_assert(eq(uint,
				sp_port_owner((uint16_t)(port + 1), workers),
				owner));
			/* A masked port is all a steering rule can see. */
			cr_assert(eq(uint,
				sp_port_owner(port & 15 << 6, workers), owner));
		}
}

Test(port_pool, workers_share_a_range_without_overlap)
{
	uint32_t pairs = 0;

	for (unsigned int worker = 0; worker < 3; worker++) {
		struct sp_port_pool pool =
			pool_of((struct sp_port_pool_conf){ .first = 30000,
				.last = 39999,
				.worker = worker,
				.workers = 3 });

		pairs += pool.pairs;
		cr_expect(gt(u32, pool.pairs, 1000), "worker %u", worker);
		while (pool.free > 0)
			cr_assert(eq(uint,
				sp_port_owner(take(&pool, 1u << 31, NOW), 3),
				worker));
	}
	cr_expect(eq(u32, pairs, 5000));
}

Test(port_pool, a_port_of_another_worker_is_foreign)
{
	struct sp_port_pool pool = pool_of((struct sp_port_pool_conf){
		.first = 30000, .last = 39999, .workers = 2 });
	uint16_t port;

	while (sp_port_pool_take(&pool, 0, NOW, &port) == SP_OK)
		;
	for (uint32_t other = 30000; other < 39999; other += 2)
		cr_assert(eq(int,
			sp_port_pool_give(&pool, (uint16_t)other, NOW),
			sp_port_owner((uint16_t)other, 2) == 0 ? SP_OK
							       : SP_CONFLICT));
}
