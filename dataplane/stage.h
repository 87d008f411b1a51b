/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_STAGE_H
#define SP_DATAPLANE_STAGE_H

#include <stdint.h>

#include "dataplane/burst.h"
#include "dataplane/flow_table.h"
#include "dataplane/l2.h"
#include "dataplane/local.h"

struct rte_mempool;

/*
 * The stages of a packet's journey, in their order: allow, authenticate, only
 * then remember. Each works on a whole burst. Core: worker, for every burst.
 */

/* Ethernet to UDP: which local and port, or why not. Sets payload. */
void sp_stage_classify(struct sp_burst *b, const struct sp_locals *locals);

/* Local port to flow; starts loading its lines. */
void sp_stage_lookup(struct sp_burst *b, struct sp_flow_table *t);

/*
 * May this packet speak here? What it is (RFC 7983), whether its form is
 * right, and whether its source may be or become the flow's; for a flow with
 * keys, as far as that can be told before they are used. Changes nothing.
 */
void sp_stage_admit(struct sp_burst *b, struct sp_flow_table *t);

/*
 * SRTP and SRTCP of flows with keys: is it authentic and new? Then it is in
 * the clear from here on. What is not leaves no trace but its verdict. A
 * packet that comes before its keys goes on to wait for them, where others
 * wait for an answer.
 */
void sp_stage_unprotect(struct sp_burst *b, const struct sp_flow_table *t);

/* What the commit stage learnt that others must hear of. */
struct sp_stage_news {
	uint32_t flow;
	uint8_t kind;  /* enum sp_dataplane_news */
	uint8_t class; /* enum sp_latch_class */
	struct sp_addr remote;
};

#define SP_STAGE_HOLDERS 512u /* flows that hold packets at a time */
#define SP_STAGE_HOLD_MS 500u /* for how long they do */
#define SP_STAGE_OUT (SP_BURST * (SP_FLOW_HOLD + 1))

/* What the commit stage keeps, and what leaves it besides the burst. */
struct sp_stage_commit {
	struct rte_mempool *hold_pool; /* copies of packets on probation */
	struct rte_mbuf *released[SP_STAGE_OUT]; /* to be sent */
	struct sp_stage_news news[SP_BURST];
	uint16_t n_released;
	uint16_t n_news;
	uint16_t n_holders;
	uint32_t holding;                  /* copies held now */
	uint32_t expired;                  /* held in vain and freed */
	uint32_t holder[SP_STAGE_HOLDERS]; /* flows that hold something */
};

/*
 * The packet is what it claims: latch its source, count it. Packets whose
 * source just proved itself leave in @released, the proof last and as a copy
 * too, to make the whole journey before the burst goes on with its own.
 */
void sp_stage_commit(
	struct sp_burst *b, struct sp_flow_table *t, struct sp_stage_commit *c);

/*
 * Flow @id was programmed. If it now has an address, the packets that came
 * before it leave in @released, to be judged by it. Core: worker.
 */
void sp_stage_commit_answered(
	struct sp_stage_commit *c, struct sp_flow_table *t, uint32_t id);

/* Free what was held for too long. Core: worker, some ten times a second. */
void sp_stage_commit_age(
	struct sp_stage_commit *c, struct sp_flow_table *t, uint32_t now_ms);

/* Free what flow @id holds, before it is stopped. */
void sp_stage_commit_drop(
	struct sp_stage_commit *c, struct sp_flow_table *t, uint32_t id);

/*
 * When a copied packet arrived, in microseconds; it lies beside the mbuf,
 * whose port is the index of the NIC.
 */
uint64_t *sp_stage_arrival(struct rte_mbuf *m);

/*
 * Keep from the other side what a flow's flags say it must not get: drop it,
 * or write silence over its payload. After it was counted: the party is
 * alive, only its media is not passed on.
 */
void sp_stage_mute(struct sp_burst *b, const struct sp_flow_table *t);

/*
 * Do the buffers of @pool have the room behind a frame of the usual size that
 * SRTP needs? Frames larger than that are turned away one by one.
 *
 * Core: start-up.
 */
bool sp_stage_has_room(struct rte_mempool *pool);

/*
 * Protect what leaves by a leg with keys, and nothing that could not leave:
 * before its header, which tells the length.
 */
void sp_stage_protect(struct sp_burst *b, const struct sp_flow_table *t,
	const struct sp_l2 *hops);

/* Put on the headers that the out flow leaves with. */
void sp_stage_rewrite(struct sp_burst *b, const struct sp_l2 *hops);

/* Count a drop for its flow, where there is one. */
static inline void
sp_stage_count_drop(
	struct sp_flow_table *t, uint32_t flow, enum sp_verdict verdict)
{
	if (flow == 0 || verdict <= SP_VERDICT_FORWARD)
		return;
	t->aside[flow].used = 1;
	t->aside[flow].dropped[verdict - SP_VERDICT_FORWARD - 1]++;
}

#endif
