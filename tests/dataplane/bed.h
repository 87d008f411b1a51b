/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_DATAPLANE_BED_H
#define SP_TESTS_DATAPLANE_BED_H

#include <rte_mbuf.h>

#include "dataplane/stage.h"
#include "tests/dataplane/packet.h"

/*
 * A worker's stages without a worker: locals, a call of four flows, a burst
 * of packets on the way, and a record of what left.
 */

#define BED_BUFFER 2048
#define BED_SENT 64
#define BED_MTU 1500

enum bed_local {
	BED_IP4,     /* 203.0.113.10 on NIC 0 */
	BED_IP6,     /* 2001:db8::10 on NIC 0 */
	BED_TAGGED4, /* 10.0.0.10, dedicated, on NIC 0 in VLAN 120 */
	BED_TAGGED6, /* fd00::10 there */
	BED_TWIN,    /* 10.0.0.10 again, on NIC 1 */
	BED_LOCALS,
};

/* Flows of the call: the party, then RTP or RTCP. */
enum bed_flow {
	BED_A = 1,
	BED_A_RTCP,
	BED_B,
	BED_B_RTCP,
	BED_FLOWS
};

struct bed {
	struct sp_locals locals;
	struct sp_flow_table table;
	struct sp_flow_conf conf[BED_FLOWS];
	struct sp_stage_commit commit;
	struct sp_l2 hops[BED_LOCALS + 1]; /* the way out of local i is i + 1 */
	struct sp_burst burst;
	struct rte_mbuf mbuf[SP_BURST];
	uint8_t buffer[SP_BURST][BED_BUFFER];
	uint64_t now_us;

	/* What became of the packets. */
	unsigned int count[SP_VERDICT_COUNT];
	unsigned int n_sent;
	struct packet sent[BED_SENT];
	uint8_t sent_nic[BED_SENT];
};

static inline void
bed_local(struct bed *bed, enum bed_local at, const char *ip, uint8_t nic,
	uint16_t vlan)
{
	struct sp_local *l = &bed->locals.local[at];

	l->addr = packet_addr(ip, 0);
	l->nic = nic;
	l->vlan = vlan;
	l->dedicated = at == BED_TAGGED4 || at == BED_TAGGED6;
	l->first_port = 30000;
	l->last_port = 39999;
	l->slot = calloc(65536, sizeof *l->slot);
	packet_must(l->slot != NULL);
}

/* The way out of a local, to the peer's MAC. */
static inline void
bed_hop(struct bed *bed, unsigned int local)
{
	const struct sp_local *l = &bed->locals.local[local];
	struct sp_l2 *l2 = &bed->hops[local + 1];

	*l2 = (struct sp_l2){
		.len = l->vlan ? SP_L2_TAGGED : SP_L2_PLAIN,
		.ready = 1,
		.mtu = BED_MTU,
		.nic = l->nic,
	};
	memcpy(l2->header, PACKET_PEER PACKET_OURS, 12);
	if (l->vlan) {
		packet_put16(l2->header + 12, 0x8100);
		packet_put16(l2->header + 14, l->vlan);
	}
	packet_put16(l2->header + l2->len - 2,
		l->addr.family == SP_FAMILY_IP4 ? 0x0800 : 0x86dd);
}

static inline struct bed *
bed_open(void)
{
	struct bed *bed = aligned_alloc(64, (sizeof *bed + 63) / 64 * 64);

	packet_must(bed != NULL);
	memset(bed, 0, sizeof *bed);
	bed_local(bed, BED_IP4, "203.0.113.10", 0, 0);
	bed_local(bed, BED_IP6, "2001:db8::10", 0, 0);
	bed_local(bed, BED_TAGGED4, "10.0.0.10", 0, 120);
	bed_local(bed, BED_TAGGED6, "fd00::10", 0, 120);
	bed_local(bed, BED_TWIN, "10.0.0.10", 1, 0);
	bed->locals.count = BED_LOCALS;
	sp_locals_index(&bed->locals);
	packet_must(sp_flow_table_open(&bed->table, &bed->locals, 16, false) ==
		SP_OK);
	for (unsigned int i = 0; i < BED_LOCALS; i++)
		bed_hop(bed, i);
	bed->now_us = 1000000;
	bed->burst.now_us = bed->now_us;
	return bed;
}

static inline void
bed_close(struct bed *bed)
{
	for (uint32_t id = 1; id <= bed->table.capacity; id++)
		sp_stage_commit_drop(&bed->commit, &bed->table, id);
	rte_mempool_free(bed->commit.hold_pool);
	sp_flow_table_close(&bed->table);
	for (unsigned int i = 0; i < BED_LOCALS; i++)
		free(bed->locals.local[i].slot);
	free(bed);
}

static inline void
bed_program(struct bed *bed, enum bed_flow id)
{
	const uint16_t hop = (uint16_t)(bed->conf[id].local + 1);

	packet_must(sp_flow_table_program(&bed->table, id, &bed->conf[id], hop,
			    hop, (uint32_t)(bed->now_us / 1000)) == SP_OK);
}

/* The address of @party on the network that @local is on. */
static inline struct sp_addr
bed_phone(enum bed_local local, enum bed_flow flow)
{
	const bool ip6 = local == BED_IP6 || local == BED_TAGGED6;

	if (flow < BED_B)
		return packet_addr(ip6 ? "2001:db8:a::1" : "198.51.100.1",
			(uint16_t)(4000 + flow - BED_A));
	return packet_addr(ip6 ? "2001:db8:b::1" : "192.0.2.1",
		(uint16_t)(5000 + flow - BED_B));
}

/* Set up a call of party A on @a and party B on @b. */
static inline void
bed_call(struct bed *bed, enum bed_local a, enum bed_local b)
{
	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++) {
		struct sp_flow_conf *c = &bed->conf[id];
		const bool rtcp = id == BED_A_RTCP || id == BED_B_RTCP;

		*c = (struct sp_flow_conf){
			.local = id < BED_B ? a : b,
			.port = (uint16_t)(30000 + id - 1),
			.kind = rtcp ? SP_FLOW_RTCP : SP_FLOW_RTP,
			.rtp_flow = rtcp ? id - 1u : 0,
			.out_rtp = rtcp ? 0 : (id < BED_B ? BED_B : BED_A),
			.out_rtcp = id < BED_B ? BED_B_RTCP : BED_A_RTCP,
			.policy = SP_LATCH_RESTRICTED,
			.payload_types = 1,
			.clock_hz = 8000,
			.dscp = 46,
			.send = 1,
		};
		c->signalled = bed_phone((enum bed_local)c->local, id);
		if (id < BED_B && a != BED_IP6 && a != BED_TAGGED6)
			c->signalling = packet_addr("198.51.100.99", 5060);
		bed_program(bed, id);
	}
}

#endif
