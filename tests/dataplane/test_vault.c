/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "dataplane/vault.h"

static struct sp_flow_keys
keys_of(uint32_t number)
{
	struct sp_flow_keys keys = { 0 };

	memset(&keys, 0x40 + (int)(number % 64), sizeof keys);
	memcpy(keys.in.key[0].key, &number, sizeof number);
	return keys;
}

static uint32_t
number_in(const struct sp_flow_keys *keys)
{
	uint32_t number;

	memcpy(&number, keys->in.key[0].key, sizeof number);
	return number;
}

static bool
is_wiped(const struct sp_vault *v, uint32_t slot)
{
	static const struct sp_flow_keys none;

	return memcmp(&v->slot[slot], &none, sizeof none) == 0;
}

Test(vault, gives_what_was_put_and_wipes_it)
{
	struct sp_vault v;
	const struct sp_flow_keys keys = keys_of(7);
	uint32_t slot;

	cr_assert(eq(int, sp_vault_open(&v, 3), SP_OK));
	cr_assert(eq(int, sp_vault_put(&v, &keys, &slot), SP_OK));
	cr_expect(eq(
		int, memcmp(sp_vault_look(&v, slot), &keys, sizeof keys), 0));
	sp_vault_wipe(&v, slot);
	cr_expect(is_wiped(&v, slot));
	sp_vault_close(&v);
	sp_vault_close(&v); /* once more does no harm */
}

Test(vault, full_one_says_so_and_keeps_the_rest)
{
	struct sp_vault v;
	struct sp_flow_keys keys;
	uint32_t slot[3], other;

	cr_assert(eq(int, sp_vault_open(&v, 3), SP_OK));
	for (uint32_t i = 0; i < 3; i++) {
		keys = keys_of(i);
		cr_assert(eq(int, sp_vault_put(&v, &keys, &slot[i]), SP_OK));
	}
	cr_expect(eq(int, sp_vault_put(&v, &keys, &other), SP_FULL));
	sp_vault_wipe(&v, slot[0]);
	keys = keys_of(9);
	cr_assert(eq(int, sp_vault_put(&v, &keys, &other), SP_OK));
	cr_expect(eq(u32, number_in(sp_vault_look(&v, slot[1])), 1));
	cr_expect(eq(u32, number_in(sp_vault_look(&v, slot[2])), 2));
	cr_expect(eq(u32, number_in(sp_vault_look(&v, other)), 9));
	sp_vault_close(&v);
}

Test(vault, taken_back_is_as_if_never_put)
{
	struct sp_vault v;
	struct sp_flow_keys keys = keys_of(1);
	uint32_t first, second;

	cr_assert(eq(int, sp_vault_open(&v, 2), SP_OK));
	cr_assert(eq(int, sp_vault_put(&v, &keys, &first), SP_OK));
	for (unsigned int i = 0; i < 5; i++) {
		cr_assert(eq(int, sp_vault_put(&v, &keys, &second), SP_OK));
		sp_vault_undo(&v, second);
		cr_expect(is_wiped(&v, second));
		cr_expect(eq(u32, number_in(sp_vault_look(&v, first)), 1));
	}
	sp_vault_wipe(&v, first);
	sp_vault_close(&v);
}

Test(vault, empty_one_serves_by_the_same_page)
{
	struct sp_vault v;
	const struct sp_flow_keys keys = keys_of(1);
	uint32_t slot;

	cr_assert(eq(int, sp_vault_open(&v, 1000), SP_OK));
	for (unsigned int i = 0; i < 5000; i++) {
		cr_assert(eq(int, sp_vault_put(&v, &keys, &slot), SP_OK));
		cr_assert(eq(u32, slot, 0));
		sp_vault_wipe(&v, slot);
	}
	sp_vault_close(&v);
}

#define KEYS 50000u
#define BESIDE 8u /* more than may be on their way */

/* A ring of slots, as orders carry them. */
struct line {
	struct sp_vault vault;
	uint32_t slot[16];
	uint32_t in;
	uint32_t out;
	uint32_t wrong;
};

static void *
obey(void *arg)
{
	struct line *l = arg;

	for (uint32_t i = 0; i < KEYS; i++) {
		uint32_t slot;

		while (__atomic_load_n(&l->in, __ATOMIC_ACQUIRE) == i)
			sched_yield();
		slot = l->slot[i % 16];
		/* Free for the ring, not yet for the vault. */
		__atomic_store_n(&l->out, i + 1, __ATOMIC_RELEASE);
		l->wrong += number_in(sp_vault_look(&l->vault, slot)) != i;
		sp_vault_wipe(&l->vault, slot);
	}
	return NULL;
}

Test(vault, carries_keys_between_two_threads)
{
	static struct line l;
	pthread_t worker;

	cr_assert(eq(int, sp_vault_open(&l.vault, 16 + BESIDE), SP_OK));
	cr_assert(eq(int, pthread_create(&worker, NULL, obey, &l), 0));
	for (uint32_t i = 0; i < KEYS; i++) {
		const struct sp_flow_keys keys = keys_of(i);

		while (i - __atomic_load_n(&l.out, __ATOMIC_ACQUIRE) == 16)
			sched_yield();
		cr_assert(eq(int,
			sp_vault_put(&l.vault, &keys, &l.slot[i % 16]), SP_OK));
		__atomic_store_n(&l.in, i + 1, __ATOMIC_RELEASE);
	}
	pthread_join(worker, NULL);
	cr_expect(eq(u32, l.wrong, 0));
	for (uint32_t i = 0; i < 16 + BESIDE; i++)
		cr_expect(is_wiped(&l.vault, i), "slot %u", i);
	sp_vault_close(&l.vault);
}
