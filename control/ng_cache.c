/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ng_cache.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "control/hash.h"
#include "control/secret.h"

#define BUCKETS (1u << 17)
#define OVERHEAD 16u /* of malloc, about, a block */

struct sp_ng_cache {
	struct sp_hash_key key;
	struct sp_hash_key body_key;
	size_t most;
	size_t bytes;
	size_t entries;
	struct sp_ng_counts *counts;
	struct sp_ng_entry *oldest; /* of the finished ones */
	struct sp_ng_entry **newest;
	struct sp_ng_entry *bucket[BUCKETS];
};

enum sp_status
sp_ng_cache_open(
	size_t bytes, struct sp_ng_counts *counts, struct sp_ng_cache **out)
{
	struct sp_ng_cache *cache = calloc(1, sizeof *cache);
	struct sp_hash_key key[2];

	if (!cache)
		return SP_NO_MEMORY;
	if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key) {
		free(cache);
		return SP_SYSTEM;
	}
	cache->key = key[0];
	cache->body_key = key[1];
	cache->most = bytes;
	cache->counts = counts;
	cache->newest = &cache->oldest;
	*out = cache;
	return SP_OK;
}

static size_t
bytes_of(const struct sp_ng_entry *entry)
{
	return sizeof *entry + entry->cookie_len + entry->reply_len +
		2 * OVERHEAD;
}

static void
unlist(struct sp_ng_cache *cache, struct sp_ng_entry *entry)
{
	struct sp_ng_entry **link = &cache->bucket[entry->key % BUCKETS];

	if (!entry->listed)
		return;
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	entry->listed = false;
}

static void
forget_oldest(struct sp_ng_cache *cache)
{
	struct sp_ng_entry *entry = cache->oldest;

	cache->oldest = entry->next_kept;
	if (!cache->oldest)
		cache->newest = &cache->oldest;
	unlist(cache, entry);
	cache->entries--;
	cache->bytes -= bytes_of(entry);
	sp_secret_free(entry->reply);
	free(entry);
}

void
sp_ng_cache_close(struct sp_ng_cache *cache)
{
	if (!cache)
		return;
	while (cache->oldest)
		forget_oldest(cache);
	free(cache);
}

static uint64_t
hash_of(const struct sp_ng_cache *cache, const struct sp_ng_key *key)
{
	uint8_t bytes[sizeof key->client + SP_NG_COOKIE_MAX];

	assert(key->cookie_len <= SP_NG_COOKIE_MAX);
	memcpy(bytes, &key->client, sizeof key->client);
	memcpy(bytes + sizeof key->client, key->cookie, key->cookie_len);
	return sp_hash(
		&cache->key, bytes, sizeof key->client + key->cookie_len);
}

static struct sp_ng_entry *
find(struct sp_ng_cache *cache, const struct sp_ng_key *key, uint64_t hash)
{
	struct sp_ng_entry *entry = cache->bucket[hash % BUCKETS];

	while (entry &&
		(entry->key != hash || entry->cookie_len != key->cookie_len ||
			!sp_addr_equal(&entry->client, &key->client) ||
			memcmp(entry->cookie, key->cookie, key->cookie_len) !=
				0))
		entry = entry->next;
	return entry;
}

struct sp_ng_entry *
sp_ng_cache_find(struct sp_ng_cache *cache, const struct sp_ng_key *key)
{
	struct sp_ng_entry *entry = find(cache, key, hash_of(cache, key));

	if (!entry ||
		entry->body !=
			sp_hash(&cache->body_key, key->body, key->body_len))
		return NULL;
	return entry;
}

struct sp_ng_entry *
sp_ng_cache_add(
	struct sp_ng_cache *cache, const struct sp_ng_key *key, void *asked)
{
	const uint64_t hash = hash_of(cache, key);
	struct sp_ng_entry **bucket = &cache->bucket[hash % BUCKETS];
	struct sp_ng_entry *entry = malloc(sizeof *entry + key->cookie_len);
	struct sp_ng_entry *other;

	if (!entry)
		return NULL;
	other = find(cache, key, hash);
	if (other)
		unlist(cache, other);
	*entry = (struct sp_ng_entry){
		.next = *bucket,
		.asked = asked,
		.key = hash,
		.body = sp_hash(&cache->body_key, key->body, key->body_len),
		.client = key->client,
		.listed = true,
		.cookie_len = (uint8_t)key->cookie_len,
	};
	memcpy(entry->cookie, key->cookie, key->cookie_len);
	*bucket = entry;
	return entry;
}

void
sp_ng_cache_finish(struct sp_ng_cache *cache, struct sp_ng_entry *entry,
	const char *reply, size_t len, uint64_t now_ms)
{
	entry->asked = NULL;
	entry->done_ms = now_ms;
	entry->reply = malloc(len);
	if (entry->reply) {
		memcpy(entry->reply, reply, len);
		entry->reply_len = len;
	} else {
		unlist(cache, entry); /* nothing to say: as if never seen */
	}
	*cache->newest = entry;
	cache->newest = &entry->next_kept;
	cache->entries++;
	cache->bytes += bytes_of(entry);
	while (cache->bytes > cache->most) {
		forget_oldest(cache);
		cache->counts->evicted++;
	}
	sp_ng_cache_tick(cache, now_ms);
}

void
sp_ng_cache_tick(struct sp_ng_cache *cache, uint64_t now_ms)
{
	while (cache->oldest &&
		now_ms - cache->oldest->done_ms >= SP_NG_CACHE_MS)
		forget_oldest(cache);
	cache->counts->cache_entries = cache->entries;
	cache->counts->cache_bytes = cache->bytes;
}
