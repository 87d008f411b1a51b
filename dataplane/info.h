/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_INFO_H
#define SP_DATAPLANE_INFO_H

#include <stdbool.h>
#include <stdint.h>

/* What the data plane tells of itself, for logs and metrics. */

/* Counters of a worker, all since start. */
struct sp_worker_counts {
	uint64_t received;       /* from NICs */
	uint64_t handed_over;    /* given to the worker that owns the port */
	uint64_t taken_over;     /* got from other workers */
	uint64_t hand_over_full; /* lost because that worker's ring was full */
	uint64_t passed_on_lost; /* forwarded, then no room in a shared queue */
	uint64_t held;           /* copies on probation, in no verdict yet */
	uint64_t polls;
	uint64_t busy_polls;   /* that found at least one packet */
	uint64_t busy_us;      /* spent in these: its growth is the load */
	uint64_t stalls;       /* times it did not look for packets in time */
	uint64_t stalled_us;   /* and for how long */
	uint64_t displaced_us; /* of that: while its CPU ran another thread */
	uint64_t news_lost;    /* events that found their ring full */
	uint32_t flows;        /* running now */
	uint32_t keys;         /* legs whose keys it holds now */
};

/* How a realm's packets come and go, for logs and metrics. */
struct sp_realm_info {
	char driver[24];   /* "af_xdp", "af_packet", "device" */
	char steering[24]; /* "rte_flow", "rss", "hand-over", "one worker" */
	uint16_t queues;
	uint16_t mtu;
};

/* Which SRTP engine the workers use, and what it costs here. */
struct sp_srtp_info {
	char engine[16];     /* "ipsec-mb", "libsrtp" */
	char library[48];    /* its version and instructions */
	uint32_t most;       /* directions a worker is fit to carry */
	uint32_t protect_ns; /* a packet of AES_CM_128_HMAC_SHA1_80 with 160
				bytes, in bursts, measured at the start */
	uint32_t unprotect_ns;
	bool slow; /* it costs more with each direction */
};

#endif
