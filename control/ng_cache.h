/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_NG_CACHE_H
#define SP_CONTROL_NG_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "control/ng_counts.h"
#include "relay/addr.h"
#include "relay/status.h"

/*
 * The replies of the last minute, by client and cookie: a request that comes
 * twice is done once. Bounded by bytes; the oldest reply goes first. The
 * clock is the caller's. Core: control.
 */

#define SP_NG_CACHE_MS 60000u         /* a reply is kept so long */
#define SP_NG_CACHE_BYTES (64u << 20) /* memory of all replies kept */
#define SP_NG_COOKIE_MAX 255u

struct sp_ng_cache;

/* Whose request it is: what is hashed and compared. */
struct sp_ng_key {
	struct sp_addr client;
	const char *cookie;
	size_t cookie_len; /* up to SP_NG_COOKIE_MAX */
	const char *body;
	size_t body_len;
};

/* A request that was seen. Its cache owns it. */
struct sp_ng_entry {
	struct sp_ng_entry *next;      /* in its bucket */
	struct sp_ng_entry *next_kept; /* the one that was finished next */
	void *asked;                   /* in progress: the caller's; or NULL */
	char *reply;                   /* finished: NULL without memory */
	size_t reply_len;
	uint64_t done_ms;
	uint64_t key;  /* hash of client and cookie */
	uint64_t body; /* hash of the body */
	struct sp_addr client;
	uint8_t listed; /* in its bucket: not replaced */
	uint8_t cookie_len;
	char cookie[];
};

/*
 * Make a cache of at most @bytes, which counts into @counts, borrowed.
 *
 * Owns:  the caller closes *@out.
 * Fails: SP_NO_MEMORY; SP_SYSTEM when there is no entropy.
 */
enum sp_status sp_ng_cache_open(size_t bytes, struct sp_ng_counts *counts,
	struct sp_ng_cache **out) SP_MUST_CHECK;

/* Free all; none may be in progress. Counts no more. Takes NULL. */
void sp_ng_cache_close(struct sp_ng_cache *cache);

/*
 * Find the same request, body included, or NULL. A borrowed entry lives until
 * the next call of any function here, one in progress until it is finished.
 */
struct sp_ng_entry *sp_ng_cache_find(
	struct sp_ng_cache *cache, const struct sp_ng_key *key);

/*
 * Add a request that was not found, with @asked. It replaces one of the same
 * client and cookie, whose body was another. NULL without memory.
 */
struct sp_ng_entry *sp_ng_cache_add(
	struct sp_ng_cache *cache, const struct sp_ng_key *key, void *asked);

/* Keep a copy of @reply to @entry, which was in progress. */
void sp_ng_cache_finish(struct sp_ng_cache *cache, struct sp_ng_entry *entry,
	const char *reply, size_t len, uint64_t now_ms);

/* Forget what is older than a minute at @now_ms. */
void sp_ng_cache_tick(struct sp_ng_cache *cache, uint64_t now_ms);

#endif
