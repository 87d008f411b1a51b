/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_SRTP_SUMMARY_H
#define SP_BENCH_SRTP_SUMMARY_H

#include <stdint.h>

#include "relay/srtp_conf.h"

/* The rows of srtp_bursts() that results.md has, in its form. */

/* What a row said of so many streams, protecting and unprotecting. */
struct srtp_summary {
	enum sp_srtp_suite suite;
	uint16_t payload;
	unsigned int burst;
	uint32_t streams;
	double cycles[2];
	double ratio[2];
};

void srtp_summary_note(const struct srtp_summary *s);

/* @streams: how many the rows are about, as noted. */
void srtp_summary_print(const uint32_t streams[], unsigned int n);

#endif
