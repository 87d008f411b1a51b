/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BITS 6u
#define MOST_BITS 24u

static size_t
bucket_of(const struct sp_calls *calls, uint64_t hash)
{
	return hash >> (64 - calls->bits);
}

/* Order of two calls: by hash, and by id should hashes be equal. */
static int
compare(const struct sp_call *call, uint64_t hash, struct sp_text id)
{
	const size_t common = call->id_len < id.len ? call->id_len : id.len;
	int order;

	if (call->hash != hash)
		return call->hash < hash ? -1 : 1;
	order = memcmp(call->id, id.at, common);
	if (order == 0 && call->id_len != id.len)
		order = call->id_len < id.len ? -1 : 1;
	return order;
}

enum sp_status
sp_calls_open(struct sp_calls *calls, const struct sp_hash_key *key)
{
	*calls = (struct sp_calls){ .bits = FIRST_BITS, .key = *key };
	calls->bucket = calloc(1u << FIRST_BITS, sizeof calls->bucket[0]);
	return calls->bucket ? SP_OK : SP_NO_MEMORY;
}

void
sp_calls_close(struct sp_calls *calls)
{
	free(calls->bucket);
	*calls = (struct sp_calls){ 0 };
}

struct sp_call *
sp_call_new(struct sp_text id)
{
	struct sp_call *call = calloc(1, offsetof(struct sp_call, id) + id.len);

	assert(id.len <= SP_TAG_MAX);
	if (!call)
		return NULL;
	call->id_len = (uint16_t)id.len;
	memcpy(call->id, id.at, id.len);
	return call;
}

void
sp_call_free(struct sp_call *call)
{
	if (!call)
		return;
	sp_timers_clear(&call->timer);
	sp_party_free(&call->cast);
	free(call);
}

struct sp_text
sp_call_id(const struct sp_call *call)
{
	return (struct sp_text){ call->id, call->id_len };
}

static void
insert(struct sp_calls *calls, struct sp_call *call)
{
	struct sp_call **at = &calls->bucket[bucket_of(calls, call->hash)];

	while (*at && compare(*at, call->hash, sp_call_id(call)) < 0)
		at = &(*at)->next;
	call->next = *at;
	*at = call;
}

/* Twice the buckets. Without memory the chains just get longer. */
static void
grow_table(struct sp_calls *calls)
{
	const size_t before = (size_t)1 << calls->bits;
	struct sp_call **old = calls->bucket;
	struct sp_call **more = calloc(2 * before, sizeof *more);

	if (!more)
		return;
	calls->bucket = more;
	calls->bits++;
	for (size_t b = 0; b < before; b++) {
		while (old[b]) {
			struct sp_call *call = old[b];

			old[b] = call->next;
			insert(calls, call);
		}
	}
	free(old);
}

void
sp_calls_add(struct sp_calls *calls, struct sp_call *call)
{
	assert(!sp_calls_find(calls, sp_call_id(call)));
	if (calls->count >> calls->bits != 0 && calls->bits < MOST_BITS)
		grow_table(calls);
	call->hash = sp_hash(&calls->key, call->id, call->id_len);
	insert(calls, call);
	calls->count++;
}

void
sp_calls_del(struct sp_calls *calls, struct sp_call *call)
{
	struct sp_call **at = &calls->bucket[bucket_of(calls, call->hash)];

	while (*at && *at != call)
		at = &(*at)->next;
	assert(*at);
	*at = call->next;
	call->next = NULL;
	calls->count--;
}

/* The first call that is not before (@hash, @id). */
static struct sp_call *
lower_bound(const struct sp_calls *calls, uint64_t hash, struct sp_text id)
{
	struct sp_call *call = calls->bucket[bucket_of(calls, hash)];

	while (call && compare(call, hash, id) < 0)
		call = call->next;
	return call;
}

struct sp_call *
sp_calls_find(const struct sp_calls *calls, struct sp_text id)
{
	const uint64_t hash = sp_hash(&calls->key, id.at, id.len);
	struct sp_call *call = lower_bound(calls, hash, id);

	return call && compare(call, hash, id) == 0 ? call : NULL;
}

/* The first call of the buckets from @b on. */
static struct sp_call *
first_from(const struct sp_calls *calls, size_t b)
{
	for (; b < (size_t)1 << calls->bits; b++)
		if (calls->bucket[b])
			return calls->bucket[b];
	return NULL;
}

struct sp_call *
sp_calls_after(const struct sp_calls *calls, struct sp_text id)
{
	uint64_t hash;
	struct sp_call *call;

	if (id.len == 0)
		return first_from(calls, 0);
	hash = sp_hash(&calls->key, id.at, id.len);
	call = lower_bound(calls, hash, id);
	if (!call)
		return first_from(calls, bucket_of(calls, hash) + 1);
	return compare(call, hash, id) == 0 ? sp_calls_next(calls, call) : call;
}

struct sp_call *
sp_calls_next(const struct sp_calls *calls, const struct sp_call *call)
{
	return call->next ? call->next
			  : first_from(calls, bucket_of(calls, call->hash) + 1);
}
