/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_BURST_H
#define SP_DATAPLANE_BURST_H

#include <stdint.h>

#include "dataplane/flow.h"
#include "relay/datagram.h"
#include "relay/rtp.h"

/*
 * A packet of a flow not in cache waits for three loads in a row; a burst
 * shares that wait. bench/path, 200,000 flows: 89 cycles at 32, 83 at 64.
 */
#define SP_BURST 64

/* In place of a verdict: a copy waits for its source to prove itself. */
#define SP_BURST_HELD SP_VERDICT_COUNT

/* What SRTP says of a packet that it let pass. */
enum sp_proof {
	SP_PROOF_MISSING, /* it waits for the keys, protected as it came */
	SP_PROOF_NONE,    /* it was not even authenticated */
	SP_PROOF_LATE,    /* authentic, but not the newest of its stream */
	SP_PROOF_NEWEST,
};

struct rte_mbuf;

/*
 * Up to SP_BURST packets on their way through the stages. Each stage fills
 * fields of its own and reads those before; a verdict other than FORWARD ends
 * a packet's journey. Lives in its worker.
 */
struct sp_burst {
	uint16_t count;
	uint8_t nic;     /* all came in here */
	uint64_t now_us; /* when they were received */

	struct rte_mbuf *pkt[SP_BURST];
	uint8_t verdict[SP_BURST]; /* enum sp_verdict */

	/* classify */
	struct sp_datagram datagram[SP_BURST];
	uint8_t *payload[SP_BURST];
	uint8_t local[SP_BURST];

	/* lookup, admit */
	struct sp_flow *flow[SP_BURST];
	struct sp_flow *out[SP_BURST];
	uint8_t what[SP_BURST];      /* enum sp_demux */
	struct sp_rtp rtp[SP_BURST]; /* where @what is RTP */
	uint8_t flags;               /* of all these flows, ORed */
	uint8_t strangers; /* 0: all came from who holds their flows */

	/* unprotect, for flows with keys */
	uint8_t proof[SP_BURST]; /* enum sp_proof */

	/* rewrite */
	uint8_t out_nic[SP_BURST];
};

#endif
