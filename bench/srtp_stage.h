/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_SRTP_STAGE_H
#define SP_BENCH_SRTP_STAGE_H

#include "relay/srtp.h"

/* The engine that srtp_stage opens; AUTO unless asked otherwise. */
extern enum sp_srtp_kind srtp_stage_kind;

/* What opening cost. */
struct srtp_stage_cost {
	double bytes; /* of resident memory, a direction */
	double us;    /* to open one */
};

/* Return how many streams, both ends of each, the engine is fit for. */
uint32_t srtp_stage_most(void);

struct srtp_stage_cost srtp_stage_cost(const void *self);

#endif
