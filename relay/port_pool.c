/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/port_pool.h"

#include <assert.h>
#include <stdbool.h>

/* First even port of the range. */
static uint32_t
lowest(uint16_t first)
{
	return ((uint32_t)first + 1) & ~1u;
}

/* Pairs in the whole range, whoever owns them. */
static uint32_t
range_pairs(uint16_t first, uint16_t last)
{
	const uint32_t low = lowest(first);

	return last > low ? (last - low + 1) / 2 : 0;
}

/* Pairs of the range that the worker owns. */
static uint32_t
owned_pairs(const struct sp_port_pool_conf *conf)
{
	uint32_t pairs = 0;

	for (uint32_t port = lowest(conf->first); port < conf->last; port += 2)
		pairs += sp_port_owner((uint16_t)port, conf->workers) ==
			conf->worker;
	return pairs;
}

size_t
sp_port_pool_size(const struct sp_port_pool_conf *conf)
{
	return owned_pairs(conf) * (sizeof(uint32_t) + sizeof(uint16_t)) +
		(range_pairs(conf->first, conf->last) + 7) / 8;
}

void
sp_port_pool_init(struct sp_port_pool *pool,
	const struct sp_port_pool_conf *conf, void *storage)
{
	const uint32_t pairs = owned_pairs(conf);
	const uint32_t bits = range_pairs(conf->first, conf->last);
	uint32_t *ready_s = storage;
	uint16_t *ports = (uint16_t *)(ready_s + pairs);

	assert(conf->workers > 0 && conf->worker < conf->workers);
	assert(conf->scarce_s <= conf->quarantine_s);
	*pool = (struct sp_port_pool){
		.ready_s = ready_s,
		.port = ports,
		.taken = (uint8_t *)(ports + pairs),
		.pairs = pairs,
		.quarantine_s = conf->quarantine_s,
		.scarce_s = conf->scarce_s,
		.first = (uint16_t)lowest(conf->first),
		.last = bits > 0 ? conf->last : 0,
	};
	for (uint32_t port = lowest(conf->first); port < conf->last; port += 2)
		if (sp_port_owner((uint16_t)port, conf->workers) ==
			conf->worker)
			ports[pool->free++] = (uint16_t)port;
	for (uint32_t i = 0; i < (bits + 7) / 8; i++)
		pool->taken[i] = 0;
}

/* The ring slot @n after the first free one. */
static uint32_t
slot(const struct sp_port_pool *pool, uint32_t n)
{
	const uint32_t at = pool->head + n;

	return at < pool->pairs ? at : at - pool->pairs;
}

/* How many in quarantine have rested enough? Counts up to @most. */
static uint32_t
rested(const struct sp_port_pool *pool, uint32_t now_s, uint32_t most)
{
	const uint32_t few = (pool->pairs + 7) / 8;
	const uint32_t early = pool->quarantine_s - pool->scarce_s;
	uint32_t count = 0;

	while (count < pool->quarantined && count < most) {
		const uint32_t at = slot(pool, pool->free + count);
		const int32_t left = (int32_t)(pool->ready_s[at] - now_s);

		if (left > 0 &&
			(pool->free + count >= few || left > (int32_t)early))
			break;
		count++;
	}
	return count;
}

/* Let those go whose quarantine is over: each is looked at once. */
static void
release(struct sp_port_pool *pool, uint32_t now_s)
{
	const uint32_t count = rested(pool, now_s, UINT32_MAX);

	pool->quarantined -= count;
	pool->free += count;
}

uint32_t
sp_port_pool_have(
	const struct sp_port_pool *pool, uint32_t now_s, uint32_t most)
{
	return pool->free >= most ? pool->free
				  : pool->free + rested(pool, now_s, most);
}

static uint32_t
bit_of(const struct sp_port_pool *pool, uint16_t port)
{
	return (uint32_t)(port - pool->first) / 2;
}

enum sp_status
sp_port_pool_take(struct sp_port_pool *pool, uint32_t random, uint32_t now_s,
	uint16_t *out)
{
	uint32_t pick, bit;
	uint16_t port;

	release(pool, now_s);
	if (pool->free == 0)
		return SP_FULL;

	pick = slot(pool, (uint32_t)((uint64_t)random * pool->free >> 32));
	port = pool->port[pick];
	pool->port[pick] = pool->port[pool->head];
	pool->head = slot(pool, 1);
	pool->free--;
	pool->used++;

	bit = bit_of(pool, port);
	pool->taken[bit / 8] |= (uint8_t)(1 << bit % 8);
	*out = port;
	return SP_OK;
}

static bool
is_taken(const struct sp_port_pool *pool, uint16_t port)
{
	uint32_t bit;

	if (port % 2 != 0 || port < pool->first || port >= pool->last)
		return false;
	bit = bit_of(pool, port);
	return pool->taken[bit / 8] & 1 << bit % 8;
}

enum sp_status
sp_port_pool_give(struct sp_port_pool *pool, uint16_t port, uint32_t now_s)
{
	uint32_t at, bit;

	if (!is_taken(pool, port))
		return SP_CONFLICT;
	release(pool, now_s);

	at = slot(pool, pool->free + pool->quarantined);
	pool->port[at] = port;
	pool->ready_s[at] = now_s + pool->quarantine_s;
	pool->quarantined++;
	pool->used--;

	bit = bit_of(pool, port);
	pool->taken[bit / 8] &= (uint8_t) ~(1 << bit % 8);
	return SP_OK;
}
