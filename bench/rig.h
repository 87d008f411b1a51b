/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_RIG_H
#define SP_BENCH_RIG_H

#include <rte_mbuf.h>
#include <stdint.h>

#include "dataplane/stage.h"

/*
 * A worker's stages in memory, without a NIC: flows that face each other in
 * pairs, met in random order, and packets for them in a ring of buffers.
 */

#define RIG_PAYLOAD 172u        /* RTP header and 20 ms of G.711 */
#define RIG_INTERRUPTED 200000u /* cycles: no burst needs so long by itself */

/* What comes in; what goes out differs only with FOUR_TO_SIX. */
enum rig_family {
	RIG_FOUR,
	RIG_SIX,
	RIG_FOUR_TO_SIX
};

struct rig_conf {
	const char *name;
	enum rig_family family;
	uint8_t flags;    /* of the flows: SP_FLOW_OPAQUE ... */
	uint32_t n_flows; /* packets arrive on so many */
	bool one_way;     /* and leave by as many others */
	uint8_t suite_in; /* enum sp_srtp_suite; not NONE: one_way */
	uint8_t suite_out;
};

struct rig {
	struct rig_conf conf;
	uint32_t interrupted; /* bursts that another process cut in on */
	struct sp_burst burst;
	struct sp_locals locals;
	struct sp_flow_table table;
	struct sp_key_table keys;
	struct sp_stage_commit commit;
	struct sp_l2 hops[2];

	struct rte_mbuf *mbuf; /* a NIC's ring of them */
	uint8_t *data;
	uint32_t *order; /* the flows that packets arrive on, in random order */
	uint32_t n_order;
	uint32_t at;   /* of @order */
	uint32_t turn; /* of the ring */
	uint16_t seq;  /* of all flows, a turn of @order */

	struct sp_srtp_engine *phones; /* what the parties protect with */
	struct sp_srtp **phone;        /* of each flow, NULL in the clear */
};

/* Make flows and warm up: every flow has latched. */
struct rig *rig_open(const struct rig_conf *conf);
void rig_close(struct rig *r);

/* Put the next packets into the ring's buffers. */
void rig_receive(struct rig *r);

/* The same, with tags that are wrong. */
void rig_receive_forged(struct rig *r);

/* From classify to the rewritten frame. */
void rig_relay(struct rig *r);

/* Has every packet of the burst this verdict? Else the process ends. */
void rig_check(const struct rig *r, enum sp_verdict verdict);

/* Mean cycles a packet of @path, over @packets that it gets by @receive. */
double rig_measure(struct rig *r, uint32_t packets,
	void (*receive)(struct rig *), void (*path)(struct rig *),
	enum sp_verdict verdict);

#endif
