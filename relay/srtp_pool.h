/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SRTP_POOL_H
#define SP_RELAY_SRTP_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "relay/status.h"

/*
 * Memory for keys: items of one size on cache lines of their own, reserved
 * once, given pages when first used, never in a core dump, wiped when freed.
 * One thread's.
 */

#define SP_SRTP_LINE 64u /* bytes of a cache line */

struct sp_srtp_pool {
	uint8_t *base; /* NULL: closed */
	void *free;    /* each item's first bytes point to the next */
	void *map;
	size_t map_len;
	uint32_t item; /* bytes, whole cache lines */
	uint32_t most;
	uint32_t fresh; /* items never used yet start here */
};

/*
 * Reserve room for @most items of @item bytes. Zero @pool first.
 *
 * Fails: SP_NO_MEMORY.
 */
enum sp_status sp_srtp_pool_open(
	struct sp_srtp_pool *pool, size_t item, uint32_t most) SP_MUST_CHECK;
void sp_srtp_pool_close(struct sp_srtp_pool *pool); /* wipes; takes closed */

/*
 * Take an item, all zero; NULL if there is none left.
 *
 * Core: worker, on an order, or on the first packet of another SSRC.
 */
void *sp_srtp_pool_take(struct sp_srtp_pool *pool);

/* Return the i-th item, taken or wiped; @i is below @fresh. */
static inline void *
sp_srtp_pool_item(const struct sp_srtp_pool *pool, uint32_t i)
{
	return pool->base + (size_t)i * pool->item;
}

/* Wipe an item and give it back. Takes NULL. */
void sp_srtp_pool_give(struct sp_srtp_pool *pool, void *item);

#endif
