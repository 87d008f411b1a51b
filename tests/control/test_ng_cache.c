/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "control/ng_cache.h"

#define ROOM 4096u

static struct sp_ng_counts counts;
static struct sp_ng_cache *cache;

static void
open_cache(void)
{
	memset(&counts, 0, sizeof counts);
	cr_assert(eq(int, sp_ng_cache_open(ROOM, &counts, &cache), SP_OK));
}

static void
close_cache(void)
{
	sp_ng_cache_close(cache);
}

static struct sp_ng_key
key(uint16_t port, const char *cookie, const char *body)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };

	return (struct sp_ng_key){ sp_addr_ip4(ip, port), cookie,
		strlen(cookie), body, strlen(body) };
}

/* Ask for the first time, and be answered. */
static void
exchange(const struct sp_ng_key *k, const char *reply, uint64_t now_ms)
{
	struct sp_ng_entry *entry = sp_ng_cache_add(cache, k, &counts);

	cr_assert(not(eq(ptr, entry, NULL)));
	sp_ng_cache_finish(cache, entry, reply, strlen(reply), now_ms);
}

static bool
replays(const struct sp_ng_key *k, const char *reply)
{
	const struct sp_ng_entry *entry = sp_ng_cache_find(cache, k);

	return entry && !entry->asked && entry->reply_len == strlen(reply) &&
		memcmp(entry->reply, reply, entry->reply_len) == 0;
}

TestSuite(ng_cache, .init = open_cache, .fini = close_cache);

Test(ng_cache, a_reply_is_kept_for_client_cookie_and_body)
{
	const struct sp_ng_key k = key(1000, "c1", "body");
	const struct sp_ng_key port = key(1001, "c1", "body");
	const struct sp_ng_key cookie = key(1000, "c2", "body");
	const struct sp_ng_key body = key(1000, "c1", "BODY");

	cr_expect(eq(ptr, sp_ng_cache_find(cache, &k), NULL));
	exchange(&k, "reply", 0);
	cr_expect(replays(&k, "reply"));
	cr_expect(replays(&k, "reply"));
	cr_expect(eq(ptr, sp_ng_cache_find(cache, &port), NULL));
	cr_expect(eq(ptr, sp_ng_cache_find(cache, &cookie), NULL));
	cr_expect(eq(ptr, sp_ng_cache_find(cache, &body), NULL));
}

Test(ng_cache, another_body_takes_the_place_of_the_first)
{
	const struct sp_ng_key first = key(1, "c", "first");
	const struct sp_ng_key second = key(1, "c", "second");

	exchange(&first, "1", 0);
	exchange(&second, "2", 0);
	cr_expect(replays(&second, "2"));
	cr_expect(eq(ptr, sp_ng_cache_find(cache, &first), NULL));
	exchange(&first, "3", 0);
	cr_expect(replays(&first, "3"));
}

Test(ng_cache, one_in_progress_is_found_with_who_asked)
{
	const struct sp_ng_key k = key(1, "c", "body");
	int asker;
	struct sp_ng_entry *entry = sp_ng_cache_add(cache, &k, &asker);

	cr_assert(eq(ptr, sp_ng_cache_find(cache, &k), entry));
	cr_expect(eq(ptr, entry->asked, (void *)&asker));
	sp_ng_cache_finish(cache, entry, "reply", 5, 0);
	cr_expect(replays(&k, "reply"));
}

Test(ng_cache, one_in_progress_can_be_replaced)
{
	const struct sp_ng_key first = key(1, "c", "first");
	const struct sp_ng_key second = key(1, "c", "second");
	struct sp_ng_entry *one = sp_ng_cache_add(cache, &first, &counts);
	struct sp_ng_entry *two = sp_ng_cache_add(cache, &second, &counts);

	cr_expect(eq(ptr, sp_ng_cache_find(cache, &second), two));
	cr_expect(eq(ptr, sp_ng_cache_find(cache, &first), NULL));
	sp_ng_cache_finish(cache, two, "2", 1, 0);
	sp_ng_cache_finish(cache, one, "1", 1, 0);
	cr_expect(replays(&second, "2"));
	cr_expect(eq(ptr, sp_ng_cache_find(cache, &first), NULL));
}

Test(ng_cache, a_reply_is_forgotten_after_a_minute)
{
	const struct sp_ng_key early = key(1, "early", "b");
	const struct sp_ng_key late = key(1, "late", "b");

	exchange(&early, "1", 1000);
	exchange(&late, "2", 1001);
	sp_ng_cache_tick(cache, 1000 + SP_NG_CACHE_MS - 1);
	cr_expect(replays(&early, "1"));
	sp_ng_cache_tick(cache, 1000 + SP_NG_CACHE_MS);
	cr_expect(eq(ptr, sp_ng_cache_find(cache, &early), NULL));
	cr_expect(replays(&late, "2"));
	cr_expect(eq(u64, counts.cache_entries, 1));
	sp_ng_cache_tick(cache, 1001 + SP_NG_CACHE_MS);
	cr_expect(eq(u64, counts.cache_entries, 0));
	cr_expect(eq(u64, counts.cache_bytes, 0));
	cr_expect(eq(u64, counts.evicted, 0));
}

Test(ng_cache, the_oldest_replies_make_room)
{
	char reply[200];
	char cookie[64][16];

	memset(reply, 'r', sizeof reply - 1);
	reply[sizeof reply - 1] = '\0';
	for (int i = 0; i < 64; i++) {
		struct sp_ng_key k;

		snprintf(cookie[i], sizeof cookie[i], "c%d", i);
		k = key(1, cookie[i], "b");
		exchange(&k, reply, 5);
		cr_expect(le(u64, counts.cache_bytes, ROOM));
	}
	cr_expect(gt(u64, counts.cache_entries, 3));
	cr_expect(eq(u64, counts.evicted, 64 - counts.cache_entries));
	for (uint64_t i = 0; i < 64; i++) {
		const struct sp_ng_key k = key(1, cookie[i], "b");

		cr_expect(eq(int, replays(&k, reply), i >= counts.evicted),
			"%d", (int)i);
	}
}

Test(ng_cache, a_reply_larger_than_all_room_is_not_kept)
{
	static char reply[ROOM + 1];
	const struct sp_ng_key k = key(1, "c", "b");
	struct sp_ng_entry *entry = sp_ng_cache_add(cache, &k, &counts);

	sp_ng_cache_finish(cache, entry, reply, sizeof reply, 0);
	cr_expect(eq(ptr, sp_ng_cache_find(cache, &k), NULL));
	cr_expect(eq(u64, counts.cache_bytes, 0));
}

Test(ng_cache, the_longest_cookie_and_an_empty_body_are_fine)
{
	char cookie[SP_NG_COOKIE_MAX + 1];
	struct sp_ng_key k;

	memset(cookie, 'c', SP_NG_COOKIE_MAX);
	cookie[SP_NG_COOKIE_MAX] = '\0';
	k = key(1, cookie, "");
	exchange(&k, "", 0);
	cr_expect(not(eq(ptr, sp_ng_cache_find(cache, &k), NULL)));
	k.cookie_len--;
	cr_expect(eq(ptr, sp_ng_cache_find(cache, &k), NULL));
}
