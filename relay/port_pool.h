/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_PORT_POOL_H
#define SP_RELAY_PORT_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "relay/status.h"

/* How long a port rests, and how long when less than an eighth is free. */
#define SP_PORT_POOL_QUARANTINE_S 30
#define SP_PORT_POOL_SCARCE_S 5

/*
 * Say which worker owns @port, and with it every packet sent to it. Blocks
 * of 64 ports are dealt by masked bits of the port, so that one steering
 * rule per masked value tells a NIC the same.
 *
 * Core: any.
 */
static inline unsigned int
sp_port_owner(uint16_t port, unsigned int workers)
{
	unsigned int values = 1;

	while (values < workers)
		values <<= 1;
	return (port >> 6 & (values - 1)) % workers;
}

/*
 * The even/odd port pairs of one local address that belong to one worker.
 * @port and @ready_s are one ring over all pairs that are not taken: @free
 * of them from @head on in any order, after them @quarantined in the order
 * they came back. The oldest in quarantine becomes free by moving the border,
 * early when few are free: a call is worth more than the rest of a rest.
 */
struct sp_port_pool {
	uint32_t *ready_s; /* when it leaves quarantine, by ring slot */
	uint16_t *port;    /* even port, by ring slot */
	uint8_t *taken;    /* a bit a pair of the range */
	uint32_t head;     /* ring slot of the first free pair */
	uint32_t pairs;    /* slots in the ring */
	uint32_t free;     /* as of the last take or give */
	uint32_t used;
	uint32_t quarantined;
	uint32_t quarantine_s;
	uint32_t scarce_s; /* instead, when free ones are scarce */
	uint16_t first;    /* even */
	uint16_t last;     /* odd */
};

/* What a pool is made of; @first to @last are the realm's ports. */
struct sp_port_pool_conf {
	uint16_t first;
	uint16_t last;
	unsigned int worker; /* below @workers */
	unsigned int workers;
	uint32_t quarantine_s;
	uint32_t scarce_s; /* at most @quarantine_s */
};

/*
 * Return how many bytes of storage sp_port_pool_init wants for @conf.
 *
 * Core: start-up.
 */
size_t sp_port_pool_size(const struct sp_port_pool_conf *conf);

/*
 * Fill @pool with every whole pair of the range that the worker owns.
 *
 * Core: start-up.
 * Owns: @storage stays the caller's, is aligned for uint32_t, at least
 *       sp_port_pool_size bytes long, and outlives the pool.
 */
void sp_port_pool_init(struct sp_port_pool *pool,
	const struct sp_port_pool_conf *conf, void *storage);

/*
 * Take a pair: @out becomes its even port. Which one, @random decides: 32
 * bits from a cryptographic generator.
 *
 * Core:  control.
 * Units: @now_s counts seconds from anywhere, may wrap, never goes back.
 * Fails: SP_FULL if no pair is free; @out is then untouched.
 * Spec:  SEC-11.
 */
enum sp_status sp_port_pool_take(struct sp_port_pool *pool, uint32_t random,
	uint32_t now_s, uint16_t *out) SP_MUST_CHECK;

/*
 * Return how many pairs could be taken at @now_s; counts no further than to
 * about @most.
 */
uint32_t sp_port_pool_have(
	const struct sp_port_pool *pool, uint32_t now_s, uint32_t most);

/*
 * Give back the pair of the even @port; it rests before it is used again.
 *
 * Core:  control.
 * Fails: SP_CONFLICT if the pair is not taken from this pool: given twice,
 *        odd or foreign. Nothing is then changed.
 */
enum sp_status sp_port_pool_give(
	struct sp_port_pool *pool, uint16_t port, uint32_t now_s);

#endif
