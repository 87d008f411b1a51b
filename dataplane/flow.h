/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_FLOW_H
#define SP_DATAPLANE_FLOW_H

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/header.h"
#include "relay/latch.h"
#include "relay/order.h"

#define SP_CACHE_LINE 64

/* Packets that a flow holds while their source is on probation. */
#define SP_FLOW_HOLD 8

/* Bits of sp_flow.ready. */
#define SP_FLOW_READY 1u       /* the header is built: RTCP may leave */
#define SP_FLOW_READY_MEDIA 2u /* so may media: the party is not on hold */
#define SP_FLOW_GRACE 4u       /* the latch's holder is on its way out */

/*
 * Bits of sp_flow.flags beside those that are ordered: the flags of a burst
 * are looked at anyway, so that flows in the clear pay nothing for keys.
 */
#define SP_FLOW_KEYED 0x80u     /* @keys is not 0 */
#define SP_FLOW_KEYED_OUT 0x40u /* nor is @out_keys */

struct rte_mbuf;

/*
 * One UDP port as its worker serves it: what arrives here and what leaves
 * from here. A packet reads the first two lines of the flow it arrives on and
 * the third of the flow it leaves from. The worker that owns the flow writes
 * it; control reads @seen_ms and nothing else.
 */
struct sp_flow {
	/* Line 0: read for every packet that arrives, written when told. */
	alignas(SP_CACHE_LINE) struct sp_latch latch;
	uint32_t out_rtp; /* flow that sends on what arrives; 0: none */
	uint32_t out_rtcp;
	uint32_t pair; /* RTP flow of an RTCP flow and back; 0: none */
	uint32_t clock_hz;
	uint64_t payload_types; /* bit (pt & 63), for sources not believed */
	uint32_t index;         /* own id; 0: empty */
	uint8_t kind;           /* enum sp_flow_kind */
	uint8_t flags;          /* SP_FLOW_OPAQUE ..., SP_FLOW_KEYED ... */
	uint8_t heard;          /* the party has sent something valid */
	uint32_t keys;          /* of its leg; 0: it is in the clear */
	uint32_t out_keys;      /* of the leg that sends on; 0: the same */

	/* Line 1: written for every packet that arrives. */
	alignas(SP_CACHE_LINE) struct sp_quality quality;
	uint64_t octets;  /* UDP payload */
	uint32_t packets; /* wraps into @packets_high */
	uint32_t seen_ms; /* last one but RTCP on RTP's port; 0: never */

	/* Line 2: read for every packet that leaves, and @sent written. */
	alignas(SP_CACHE_LINE) struct sp_header header;
	uint16_t hop;     /* next-hop id; 0: none known */
	uint8_t ready;    /* SP_FLOW_READY... */
	uint8_t answered; /* same as @heard, where packets leave */
	uint32_t sent;    /* packets, wraps */

	/* Line 3: signalling's facts; for sources not yet believed. */
	alignas(SP_CACHE_LINE) struct sp_latch_facts facts;
	uint32_t unanswered; /* @sent may reach this; 0: no limit */
	uint16_t packets_high;
	uint16_t hop_signalled; /* next hops of the addresses in @facts */
	uint16_t hop_sip;
	uint16_t local;
	uint16_t port;
	uint8_t dscp;
	uint8_t send; /* 0: the party is on hold */
	uint8_t wait; /* 1: nothing is sent before it has latched */
};

static_assert(sizeof(struct sp_flow) == 4 * SP_CACHE_LINE,
	"a flow is 256 bytes: grow it by measuring, not by accident");
static_assert(offsetof(struct sp_flow, out_keys) < SP_CACHE_LINE,
	"what every packet reads is on the first line");
static_assert(offsetof(struct sp_flow, quality) == SP_CACHE_LINE,
	"what every packet writes starts the second line");
static_assert(offsetof(struct sp_flow, header) == 2 * SP_CACHE_LINE,
	"what every packet leaves with starts the third line");
static_assert(offsetof(struct sp_flow, facts) == 3 * SP_CACHE_LINE,
	"what few packets need starts the fourth line");

/*
 * What a flow needs only when it turns packets away, silences them or learns
 * a source; kept apart so that a flow which never does costs no memory for it.
 */
struct sp_flow_aside {
	struct sp_latch_trial trial;
	uint64_t dtmf_types; /* bit (pt & 63); valid when muted, as @quiet */
	uint32_t dropped[SP_FLOW_VERDICTS];
	uint32_t held_ms;                    /* when the last one was held */
	uint8_t quiet[SP_QUIET_CODECS];      /* payload types */
	uint8_t used;                        /* not all zero */
	uint8_t early;                       /* @hold came before the answer */
	uint8_t held;                        /* in @hold, oldest first */
	struct rte_mbuf *hold[SP_FLOW_HOLD]; /* copies, from a pool apart */
};

#endif
