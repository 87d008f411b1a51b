/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_PORTS_H
#define SP_CONTROL_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/config.h"
#include "control/request.h"
#include "relay/port_pool.h"
#include "relay/status.h"

/*
 * The local addresses of all realms and, a pool a worker, their ports.
 * Core: control.
 */

/* One local, numbered as the data plane does. */
struct sp_local {
	struct sp_addr addr;
	struct sp_addr advertised; /* as SDP names it */
	uint8_t realm;
};

struct sp_ports {
	struct sp_local *local;
	struct sp_port_pool *pool; /* a worker a local: @workers in a row */
	void **storage;            /* of each pool */
	struct sp_addr *own;       /* what no SDP may name */
	size_t n_own;
	unsigned int locals;
	unsigned int workers;
	unsigned int realms;
	const struct sp_config *conf;
	uint32_t random[64];
	unsigned int random_left;
};

/*
 * Lay out pools for @conf and @workers.
 *
 * Owns:  sp_ports_close releases; @conf is borrowed until then.
 * Fails: SP_NO_MEMORY, SP_SYSTEM without entropy; close it all the same.
 */
enum sp_status sp_ports_open(struct sp_ports *ports,
	const struct sp_config *conf, unsigned int workers) SP_MUST_CHECK;

/* Release what open got; takes half-open and zeroed ones. */
void sp_ports_close(struct sp_ports *ports);

/* Return the index of the realm called @name, or -1. */
int sp_ports_realm(const struct sp_ports *ports, struct sp_text name);

/* Return the first local of @realm in @family, or -1. */
int sp_ports_local(const struct sp_ports *ports, unsigned int realm,
	enum sp_family family);

/*
 * Return how many pairs of @worker's ports could be taken at @now_s on the
 * locals of @realm in @family.
 */
unsigned int sp_ports_have(const struct sp_ports *ports, unsigned int worker,
	unsigned int realm, enum sp_family family, uint32_t now_s);

/*
 * Take a pair of @worker's ports on a local of @realm in @family: on the one
 * called @prefer, so that a party has one address, if that is not -1 and has
 * any left; else on the one with most.
 *
 * Units: @now_s of one clock for all calls.
 * Fails: SP_FULL when all of them are empty, SP_SYSTEM without entropy.
 */
enum sp_status sp_ports_take(struct sp_ports *ports, unsigned int worker,
	unsigned int realm, enum sp_family family, int prefer, uint32_t now_s,
	uint16_t *local, uint16_t *port) SP_MUST_CHECK;

/* Give a pair back; it rests before it is used again. */
void sp_ports_give(struct sp_ports *ports, unsigned int worker, uint16_t local,
	uint16_t port, uint32_t now_s);

/* Return the pool of @worker on @local. */
const struct sp_port_pool *sp_ports_pool(
	const struct sp_ports *ports, unsigned int worker, unsigned int local);

#endif
