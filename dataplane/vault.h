/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_VAULT_H
#define SP_DATAPLANE_VAULT_H

#include <stdint.h>

#include "relay/order.h"
#include "relay/status.h"

/*
 * SRTP keys on their way from control to one worker. Rings copy what they
 * carry and never clean up, so an order carries a slot of the vault instead.
 * Whoever took the keys out wipes the slot. Not in core dumps.
 */
struct sp_vault {
	struct sp_flow_keys *slot;
	uint32_t size;
	uint32_t next;  /* control: the slot for the next keys */
	uint32_t put;   /* control: how many came in, wraps */
	uint32_t taken; /* worker: how many were wiped, wraps */
};

/*
 * Reserve a vault for @size keys at a time.
 *
 * Core:  start-up.
 * Fails: SP_NO_MEMORY.
 */
enum sp_status sp_vault_open(struct sp_vault *v, uint32_t size) SP_MUST_CHECK;

/* Wipe and free it. Takes a zeroed one. Core: neither side uses it now. */
void sp_vault_close(struct sp_vault *v);

/*
 * Copy @keys in and say where they lie. Keys leave in the order they came.
 *
 * Core:  control.
 * Fails: SP_FULL.
 */
enum sp_status sp_vault_put(struct sp_vault *v, const struct sp_flow_keys *keys,
	uint32_t *slot) SP_MUST_CHECK;

/* Take the last keys back, before the worker was told. Core: control. */
void sp_vault_undo(struct sp_vault *v, uint32_t slot);

/* Look at the keys in @slot, borrowed until they are wiped. Core: worker. */
static inline const struct sp_flow_keys *
sp_vault_look(const struct sp_vault *v, uint32_t slot)
{
	return &v->slot[slot];
}

/* Wipe @slot, which is free then. Core: worker. */
void sp_vault_wipe(struct sp_vault *v, uint32_t slot);

#endif
