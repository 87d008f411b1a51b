/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_FLOW_TABLE_H
#define SP_DATAPLANE_FLOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/flow.h"
#include "dataplane/key_table.h"
#include "dataplane/local.h"
#include "relay/status.h"

/*
 * The flows of one worker, found by the local port they serve. Opened by the
 * control thread; from then on only the worker touches it, but for @seen_ms.
 */
struct sp_flow_table {
	struct sp_flow *flow; /* [0] is the empty flow that misses hit */
	struct sp_flow_aside *aside;
	const struct sp_locals *locals;  /* borrowed */
	const struct sp_key_table *keys; /* borrowed; NULL: there is no SRTP */
	uint32_t capacity;               /* ids 1..capacity */
	uint32_t running;
	bool huge; /* memory is of DPDK's hugepages */
};

/*
 * Reserve memory for @capacity flows. Pages are used as flows are.
 *
 * Core:  start-up.
 * Fails: SP_NO_MEMORY.
 */
enum sp_status sp_flow_table_open(struct sp_flow_table *t,
	const struct sp_locals *locals, uint32_t capacity,
	bool huge) SP_MUST_CHECK;

/* Free it. Packets held must have been freed before. */
void sp_flow_table_close(struct sp_flow_table *t);

/*
 * Start or change flow @id as @conf says. @hop_signalled and @hop_sip are the
 * next hops of the two addresses in @conf.
 *
 * Core:  worker.
 * Fails: SP_CONFLICT when the port is another flow's, or there can be no such
 *        keys; nothing changed.
 */
enum sp_status sp_flow_table_program(struct sp_flow_table *t, uint32_t id,
	const struct sp_flow_conf *conf, uint16_t hop_signalled,
	uint16_t hop_sip, uint32_t now_ms) SP_MUST_CHECK;

/*
 * Forget flow @id, which must hold no packets any more.
 *
 * Core:  worker.
 * Fails: SP_NOT_FOUND if there is no such flow.
 */
enum sp_status sp_flow_table_stop(
	struct sp_flow_table *t, uint32_t id) SP_MUST_CHECK;

/* Write what flow @id has seen. Core: worker. Fails: SP_NOT_FOUND. */
enum sp_status sp_flow_table_read(const struct sp_flow_table *t, uint32_t id,
	struct sp_flow_report *out) SP_MUST_CHECK;

/*
 * Build anew what @f's packets leave with: after its latch or facts changed.
 * A flow with nowhere to send to is then not ready.
 *
 * Core: worker.
 */
void sp_flow_table_aim(struct sp_flow_table *t, struct sp_flow *f);

/*
 * Take over the next hops of @f's two signalled addresses, and of @learnt if
 * @f sends there now.
 *
 * Core: worker.
 */
void sp_flow_table_hop(struct sp_flow_table *t, uint32_t id,
	uint16_t hop_signalled, uint16_t hop_sip, const struct sp_addr *learnt,
	uint16_t hop_learnt);

#endif
