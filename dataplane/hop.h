/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_HOP_H
#define SP_DATAPLANE_HOP_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "dataplane/l2.h"
#include "dataplane/neighbour.h"
#include "dataplane/netlink.h"
#include "relay/addr.h"
#include "relay/status.h"

/*
 * The ways out of the realms: ids, MACs and what the workers know of them.
 * For nexthop.c only, which knows which way is whose.
 *
 * Core: control.
 */

#define SP_HOP_LINGER_MS 60000 /* of ids that flows may still hold */
#define SP_HOP_SLICE 256       /* entries looked at in one go */

/* A realm as far as leaving it goes. Written by nexthop.c. */
struct sp_hop_realm {
	bool used;
	bool up;
	uint16_t vlan;
	uint16_t mtu;
	uint16_t mtu_max; /* shared: the NIC's, whatever the link's is */
	uint8_t mac[6];
	uint32_t ifindex;               /* shared */
	struct sp_addr source[2];       /* shared: IPv4, IPv6 */
	struct sp_neighbour *neighbour; /* dedicated, else NULL */
	struct sp_addr gateway[2];      /* dedicated: IPv4, IPv6 */
};

struct sp_hop; /* one entry */

struct sp_hop_table {
	void *arg;
	void (*on_change)(void *arg, uint16_t id, const struct sp_l2 *l2);
	struct sp_netlink *netlink; /* NULL without shared realms */
	struct sp_hop_realm realm[SP_REALMS_MAX];
	uint64_t now_ms;
	uint64_t asked_ms;  /* ahead of @now_ms: hops asked for of late */
	uint64_t secret[2]; /* for hashes: others choose the addresses */
	struct sp_hop *hop; /* [@max + 1], 0 is none */
	uint16_t *chain;    /* [@mask + 1] first id, by hash */
	uint16_t *free;     /* [@max] ids given back */
	uint32_t n_free;    /* of these */
	uint32_t mask;
	uint32_t used; /* ids up to here have been in use */
	uint32_t at;   /* the next slice follows it */
	uint16_t max;
};

/* Return the hash of an address in a realm. */
uint32_t sp_hop_hash(const struct sp_hop_table *t, uint16_t realm,
	const struct sp_addr *addr);

/* Set up an empty table for ids up to @max. Fails: SP_NO_MEMORY, SP_SYSTEM. */
enum sp_status sp_hop_open(struct sp_hop_table *t, uint16_t max) SP_MUST_CHECK;

/* Release all but the netlink. Takes half-open ones. */
void sp_hop_close(struct sp_hop_table *t);

/*
 * Hold the way by @route for packets of @family once more.
 *
 * Fails: SP_FULL without a free id; SP_NOT_FOUND if the realm cannot ask for
 *        it.
 */
enum sp_status sp_hop_get(struct sp_hop_table *t, uint16_t realm,
	uint8_t family, const struct sp_netlink_route *route,
	uint16_t *id) SP_MUST_CHECK;

/*
 * Hold it once less. @moved: flows may take it until they are told, so its id
 * must not stand for something else for a while. 0 is accepted.
 */
void sp_hop_put(struct sp_hop_table *t, uint16_t id, bool moved);

/* Return what the workers know of @id, borrowed; NULL if there is none. */
const struct sp_l2 *sp_hop_find(const struct sp_hop_table *t, uint16_t id);

/* Take in what the kernel told of a neighbour. */
void sp_hop_hear(struct sp_hop_table *t, const struct sp_netlink_neighbour *n);

/* Take in what the link told: @mac of @addr, or NULL. */
void sp_hop_learn(struct sp_hop_table *t, uint16_t realm,
	const struct sp_addr *addr, const uint8_t *mac);

/* The realm's own MAC, MTU or state changed: tell the workers. */
void sp_hop_renew(struct sp_hop_table *t, uint16_t realm);

/* Refresh, retry and free what is due among the next slice of entries. */
void sp_hop_serve(struct sp_hop_table *t);

#endif
