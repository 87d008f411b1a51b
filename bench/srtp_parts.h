/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_SRTP_PARTS_H
#define SP_BENCH_SRTP_PARTS_H

#include <stdbool.h>

#include "relay/srtp_conf.h"

/* Parts of bench/crypto. Each prints its tables; false: an aim is missed. */

struct srtp_options {
	bool quick; /* little of everything: does it run? */
	bool json;  /* a line of JSON for each row of a table, too */
	unsigned int rounds;

	enum sp_srtp_suite suite; /* NONE: all; but not of relay */

	/* Of bursts; 0: all. */
	unsigned int payload;
	unsigned int burst;
};

/* The stage against the bare library: bursts, payloads, streams, suites. */
bool srtp_bursts(const struct srtp_options *o);

/* The stage against the system's libsrtp2. */
bool srtp_sessions(const struct srtp_options *o);

/* What a forged packet costs against a good one. */
bool srtp_forged(const struct srtp_options *o);

/* Packets between RTP and SRTP through all stages of a worker. */
bool srtp_relay(const struct srtp_options *o);

#endif
