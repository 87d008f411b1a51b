/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_LEG_H
#define SP_CONTROL_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "control/kept.h"
#include "relay/addr.h"
#include "relay/negotiate.h"
#include "relay/order.h"

/*
 * One m= line of a party: our end of it, and what the party's SDP said.
 * Core: control.
 */

enum sp_part {
	SP_PART_RTP, /* also muxed, and media that is not RTP */
	SP_PART_RTCP,
	SP_PARTS
};

/* One flow of a leg, as its worker was told. */
struct sp_slot {
	uint64_t told;       /* hash of the orders; 0: none yet */
	uint32_t flow;       /* 0: does not run */
	uint32_t latched_ms; /* data plane's clock; 0: never */
	uint16_t local;      /* where it runs */
	uint16_t port;
	uint8_t moves;  /* the source changed; stops at 255 */
	uint8_t rivals; /* another one was refused; stops at 255 */
};

/* A reserved even/odd pair of ports; @port is the even one, 0: none. */
struct sp_pair {
	uint16_t local;
	uint16_t port;
};

/* Our end of one m= line towards one party. */
struct sp_leg {
	struct sp_slot slot[SP_PARTS];
	struct sp_pair pair[2]; /* IPv4, IPv6 */
	uint8_t six;            /* which one of them is in use */
	uint8_t transport; /* enum sp_transport of the m= line that the party
			      sent or got last; ANY: it was off */
	bool mux;          /* RTCP on the RTP port */
	bool silent;       /* reported as such */
	uint8_t kinds[2]; /* branch: 1 << enum sp_keying of what an offer may be
			     answered with; by enum sp_by, who offered */
	struct sp_leg_keys *keys;    /* keys.h; NULL: none of ours */
	struct sp_flow_report *past; /* of flows that ran before, or NULL */
};

/* What an SDP said of one m= line. */
struct sp_media {
	struct sp_addr rtp;     /* NONE: not known */
	struct sp_addr rtcp;    /* same */
	uint64_t payload_types; /* bit (pt & 63) */
	uint64_t dtmf_types;    /* those of telephone-event */
	uint32_t clock_hz;
	uint16_t ptime_ms;
	uint8_t quiet[SP_QUIET_CODECS]; /* payload types, or QUIET_NONE */
	uint8_t kind;                   /* enum sp_media_kind */
	uint8_t direction; /* bit 0: the party sends, bit 1: it listens */
	uint8_t family;    /* enum sp_family of its c= */
	uint8_t type;      /* sp_reply_ng_type() */
	uint8_t protocol;  /* sp_reply_ng_protocol() */
	uint8_t keying;    /* enum sp_keying */
	bool live : 1;     /* in use, as far as this SDP goes */
	bool secure : 1;   /* end to end */
	bool zero : 1; /* held by 0.0.0.0; the addresses are the last ones */
	struct sp_kept *crypto; /* the line that the party sends under, with
				   its keys; NULL: none */
};

/* What a party said: its SDP, and what the proxy told along with it. */
struct sp_said {
	struct sp_addr signalling; /* where the SIP came from, or NONE */
	uint8_t policy;            /* enum sp_latch_policy */
	uint8_t count;             /* of @media */
	struct sp_media media[];
};

#endif
