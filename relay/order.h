/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_ORDER_H
#define SP_RELAY_ORDER_H

#include <stdint.h>

#include "relay/addr.h"
#include "relay/latch.h"
#include "relay/quality.h"
#include "relay/srtp_conf.h"
#include "relay/verdict.h"

/*
 * What control orders of a flow and what a flow reports back: plain values
 * that both shells around relay/ pass to each other.
 */

/* What kind of endpoint a flow serves. */
enum sp_flow_kind {
	SP_FLOW_RTP,  /* RTP only; RTCP has a port of its own */
	SP_FLOW_RTCP, /* RTCP only */
	SP_FLOW_MUX,  /* both on one port (RFC 5761) */
	SP_FLOW_DATA, /* UDP media that is not RTP */
};

#define SP_FLOW_OPAQUE 1u  /* flag: SRTP or DTLS end to end, keys unknown */
#define SP_FLOW_BLOCK 2u   /* media that arrives is dropped */
#define SP_FLOW_SILENCE 4u /* its sound becomes silence, or it is dropped */
#define SP_FLOW_NO_DTMF 8u /* telephone events (RFC 4733) are dropped */

/*
 * Flags that keep media from the other side. Such packets are the party's all
 * the same: they latch, keep the call alive and count in its statistics.
 * RTCP passes, and so do key agreement (ZRTP, DTLS) and, unless NO_DTMF or
 * OPAQUE is set, telephone events. What can't be silenced, SILENCE blocks.
 */
#define SP_FLOW_MUTED (SP_FLOW_BLOCK | SP_FLOW_SILENCE | SP_FLOW_NO_DTMF)

/* The codecs whose silence is known, in this order. */
enum sp_quiet {
	SP_QUIET_PCMU,
	SP_QUIET_PCMA,
	SP_QUIET_G722,
	SP_QUIET_CODECS,
};
#define SP_QUIET_NONE 0xffu /* instead of a payload type */

/*
 * The keys of a leg, both directions of it; its RTP and RTCP flows name them
 * by one id. A suite of NONE: not agreed yet, and nothing passes that way.
 */
struct sp_flow_keys {
	struct sp_srtp_conf in;  /* what the party sends under */
	struct sp_srtp_conf out; /* what it is sent under */
};

/* All that a worker needs to know of a flow. */
struct sp_flow_conf {
	struct sp_addr signalled;  /* the party's SDP; NONE: unknown or held */
	struct sp_addr signalling; /* where its SIP came from; NONE: unknown */
	uint64_t payload_types;    /* bit (pt & 63) for each one negotiated */
	uint64_t dtmf_types;       /* the same: those of telephone-event */
	uint32_t out_rtp;    /* flow that sends on what arrives; 0: none */
	uint32_t out_rtcp;   /* same for RTCP */
	uint32_t rtp_flow;   /* of an RTCP flow: the RTP flow it follows */
	uint32_t keys;       /* id of its leg's; 0: the leg is in the clear */
	uint32_t out_keys;   /* of the leg that sends on; 0: the same */
	uint32_t clock_hz;   /* of the RTP timestamps */
	uint32_t unanswered; /* packets before an answer, 0: no limit */
	uint16_t local;      /* index of the local */
	uint16_t port;       /* on it */
	uint16_t ptime_ms;   /* of a packet, 0: 20 */
	uint8_t kind;        /* enum sp_flow_kind */
	uint8_t policy;      /* enum sp_latch_policy */
	uint8_t flags;       /* SP_FLOW_OPAQUE ... */
	uint8_t quiet[SP_QUIET_CODECS]; /* payload types, or QUIET_NONE */
	uint8_t dscp;                   /* of what we send, 0..63 */
	uint8_t send; /* 0: the party is not to get media (hold) */
	uint8_t wait; /* 1: send nothing before it has latched */
};

/* What a flow has seen. Filled by its worker. */
struct sp_flow_report {
	struct sp_addr remote; /* the latched source, or NONE */
	uint32_t seen_ms;      /* last packet that passed admission */
	uint32_t sent;         /* packets sent to the party, wraps */
	uint64_t packets;      /* admitted; the out flow may drop some */
	uint64_t octets;       /* UDP payload of these */
	uint32_t dropped[SP_FLOW_VERDICTS]; /* rows after FORWARD */
	uint8_t state;                      /* enum sp_latch_state */
	uint8_t class;                      /* enum sp_latch_class */
	uint8_t has_quality; /* @quality is about at least one packet */
	struct sp_quality_report quality;
};

#endif
