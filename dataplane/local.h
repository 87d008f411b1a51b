/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_LOCAL_H
#define SP_DATAPLANE_LOCAL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "relay/addr.h"

#define SP_LOCALS_MAX (SP_REALMS_MAX * SP_REALM_ADDRS_MAX)
#define SP_LOCAL_BITS 6u
#define SP_LOCAL_BUCKETS (1u << SP_LOCAL_BITS)

/* One local address of one realm. Read by all workers, written at open. */
struct sp_local {
	struct sp_addr addr; /* port 0 */
	uint16_t vlan;       /* 0: untagged */
	uint16_t first_port;
	uint16_t last_port;
	uint8_t nic;
	uint8_t realm;
	uint8_t next;      /* of the same bucket: index + 1, 0: none */
	uint8_t dedicated; /* no kernel answers for this address */
	uint32_t *slot;    /* by UDP port: flow id at the port's owner */
};

/*
 * All locals, found by (NIC, VLAN, address): two realms may use the same
 * private address on two NICs or VLANs.
 */
struct sp_locals {
	uint16_t count;
	uint8_t bucket[SP_LOCAL_BUCKETS]; /* index + 1 of the first, 0: none */
	struct sp_local local[SP_LOCALS_MAX];
};

static inline unsigned int
sp_local_bucket(uint8_t nic, uint16_t vlan, const struct sp_addr *addr)
{
	uint32_t mix;

	/* Neighbours differ in the last bytes; the product's top has it all. */
	memcpy(&mix, addr->ip + 12, sizeof mix);
	mix ^= vlan ^ (uint32_t)nic << 12;
	return mix * 0x9e3779b1u >> (32 - SP_LOCAL_BITS);
}

/* Index the locals by bucket. Core: start-up. */
static inline void
sp_locals_index(struct sp_locals *all)
{
	for (unsigned int i = all->count; i > 0; i--) {
		struct sp_local *l = &all->local[i - 1];
		const unsigned int b =
			sp_local_bucket(l->nic, l->vlan, &l->addr);

		l->next = all->bucket[b];
		all->bucket[b] = (uint8_t)i;
	}
}

/*
 * Find the local that takes @to (with its port) on @nic in @vlan; -1: none.
 *
 * Core: worker, for every packet.
 */
static inline int
sp_locals_find(const struct sp_locals *all, uint8_t nic, uint16_t vlan,
	const struct sp_addr *to)
{
	unsigned int i = all->bucket[sp_local_bucket(nic, vlan, to)];

	while (i > 0) {
		const struct sp_local *l = &all->local[i - 1];

		/* One address may serve several realms by its port ranges. */
		if (l->nic == nic && l->vlan == vlan &&
			sp_addr_same_ip(&l->addr, to) &&
			to->port >= l->first_port && to->port <= l->last_port)
			return (int)i - 1;
		i = l->next;
	}
	return -1;
}

#endif
