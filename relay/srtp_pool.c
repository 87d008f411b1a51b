/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/srtp_pool.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define HUGE_FROM (4 * HUGE_PAGE)

enum sp_status
sp_srtp_pool_open(struct sp_srtp_pool *pool, size_t item, uint32_t most)
{
	const size_t size =
		(item + SP_SRTP_LINE - 1) / SP_SRTP_LINE * SP_SRTP_LINE;
	const size_t len = size * most + HUGE_PAGE;
	void *map = mmap(NULL, len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return SP_NO_MEMORY;
	if (madvise(map, len, MADV_DONTDUMP) != 0) {
		munmap(map, len);
		return SP_NO_MEMORY;
	}

	/* Many streams at random miss the TLB for each line else. For a few it
	   would cost more than it saves, and a kernel that has no huge pages
	   is no reason to fail. */
	if (len >= HUGE_FROM)
		(void)madvise(map, len, MADV_HUGEPAGE);

	*pool = (struct sp_srtp_pool){
		.base = (uint8_t *)(((uintptr_t)map + HUGE_PAGE - 1) /
			HUGE_PAGE * HUGE_PAGE),
		.map = map,
		.map_len = len,
		.item = (uint32_t)size,
		.most = most,
	};
	return SP_OK;
}

void
sp_srtp_pool_close(struct sp_srtp_pool *pool)
{
	if (!pool->base)
		return;
	explicit_bzero(pool->base, (size_t)pool->fresh * pool->item);
	munmap(pool->map, pool->map_len);
	*pool = (struct sp_srtp_pool){ 0 };
}

void *
sp_srtp_pool_take(struct sp_srtp_pool *pool)
{
	uint8_t *item = pool->free;

	if (item) {
		memcpy(&pool->free, item, sizeof pool->free);
		memset(item, 0, sizeof pool->free);
		return item;
	}
	if (pool->fresh == pool->most)
		return NULL;
	return sp_srtp_pool_item(pool, pool->fresh++);
}

void
sp_srtp_pool_give(struct sp_srtp_pool *pool, void *item)
{
	if (!item)
		return;
	explicit_bzero(item, pool->item);
	memcpy(item, &pool->free, sizeof pool->free);
	pool->free = item;
}
