/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_NEXTHOP_H
#define SP_DATAPLANE_NEXTHOP_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/l2.h"
#include "dataplane/neighbour.h"
#include "relay/addr.h"
#include "relay/status.h"

/*
 * Where packets go after us. A *hop* is one way out of a realm: a gateway or
 * an on-link host, its MAC and its MTU; its id (1..SP_NEXTHOP_MAX, 0: none)
 * is what flows hold and what the workers' table of sp_l2 is indexed with.
 * All that lies behind one gateway shares one id, so few entries are hot.
 *
 * A *destination* is one remote IP of a realm. It is what callers hold, by an
 * id of its own (0: none): it stands for a hop now, and for another one after
 * a route changed, of which on_move tells. Shared realms ask the kernel,
 * dedicated ones ask the link.
 *
 * Core:  control. Time is passed in and never goes back.
 * Units: milliseconds.
 */
#define SP_NEXTHOP_MAX UINT16_MAX

struct sp_nexthop; /* the table */

struct sp_nexthop_conf {
	uint32_t max_destinations; /* remote IPs known at a time */
	uint16_t max_hops;         /* size of the workers' table, less one */
	void *arg;                 /* of both callbacks */
	/* Hop @id is @l2 from now on; borrowed, copy it to the workers. */
	void (*on_change)(void *arg, uint16_t id, const struct sp_l2 *l2);
	/*
	 * Packets to @dst take hop @to instead of @from; either may be 0. The
	 * references held move along; on_change of @to came before.
	 */
	void (*on_move)(void *arg, uint16_t realm, const struct sp_addr *dst,
		uint16_t from, uint16_t to);
};

/* Open an empty table. Owns: caller closes *@out. Fails: SP_NO_MEMORY. */
enum sp_status sp_nexthop_open(const struct sp_nexthop_conf *conf,
	struct sp_nexthop **out) SP_MUST_CHECK;

/* Close it, without callbacks. Takes NULL and half-open ones. */
void sp_nexthop_close(struct sp_nexthop *table);

/*
 * Add realm @realm (< SP_REALMS_MAX) whose interface the kernel keeps.
 * @ifindex has the addresses and routes; with a VLAN that is the VLAN's own
 * interface. @source: an address of the realm by family, IPv4 and IPv6, or
 * NONE where it has none. @mtu: what the NIC can send, even if the kernel's
 * link could more.
 *
 * Fails: SP_NOT_FOUND without such an interface, SP_UNSUPPORTED if it has no
 *        MAC, SP_SYSTEM.
 */
enum sp_status sp_nexthop_add_shared(struct sp_nexthop *table, uint16_t realm,
	uint32_t ifindex, uint16_t vlan, const struct sp_addr source[2],
	uint16_t mtu) SP_MUST_CHECK;

/*
 * Add a realm that is ours alone. @gateway: IPv4 and IPv6, or NONE: then only
 * what is on-link can be reached.
 *
 * Fails: SP_NO_MEMORY.
 */
enum sp_status sp_nexthop_add_dedicated(struct sp_nexthop *table,
	const struct sp_station *station, const struct sp_addr gateway[2],
	uint16_t mtu) SP_MUST_CHECK;

/* Return the neighbours of a dedicated realm, borrowed; NULL if shared. */
struct sp_neighbour *sp_nexthop_neighbours(
	const struct sp_nexthop *table, uint16_t realm);

/*
 * Hold @dst (its port does not matter) in @realm once more. *@dest is its id
 * for as long as it is held. A new hop's on_change comes before this returns,
 * ready or not.
 *
 * Fails: SP_FULL when there are too many destinations or hops; SP_SYSTEM when
 *        the kernel cannot be asked. Nothing is then held.
 */
enum sp_status sp_nexthop_get(struct sp_nexthop *table, uint16_t realm,
	const struct sp_addr *dst, uint64_t now_ms,
	uint32_t *dest) SP_MUST_CHECK;

/*
 * Return which hop @dest, which is held, takes now; 0 when there is no way, or
 * no @dest: on_move follows once there is one. on_change as above.
 */
uint16_t sp_nexthop_hop(
	struct sp_nexthop *table, uint32_t dest, uint64_t now_ms);

/* Return the address of @dest, its port 0, borrowed while it is held; that of
   0 is none. */
const struct sp_addr *sp_nexthop_addr(
	const struct sp_nexthop *table, uint32_t dest);

/*
 * Hold @dest once less, after the worker's flow has stopped. What nobody holds
 * is forgotten a minute later, or when its place is needed.
 */
void sp_nexthop_put(struct sp_nexthop *table, uint32_t dest, uint64_t now_ms);

/* Return hop @id as on_change last told it, borrowed; NULL if there is none. */
const struct sp_l2 *sp_nexthop_find(
	const struct sp_nexthop *table, uint16_t id);

/* Return the descriptor to poll for input, -1 without shared realms. */
int sp_nexthop_fd(const struct sp_nexthop *table);

/*
 * Take in what the kernel told and do what is due. Call it when the
 * descriptor is readable and some ten times a second; the work of one call
 * is bounded.
 */
void sp_nexthop_serve(struct sp_nexthop *table, uint64_t now_ms);

#endif
