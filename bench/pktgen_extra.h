/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_EXTRA_H
#define SP_BENCH_PKTGEN_EXTRA_H

#include <stdint.h>

/* What is sent beside the streams: RTCP, and junk from elsewhere. */

struct pktgen;

/* A trial begins; send what is due since the last call. */
void pktgen_extra_begin(struct pktgen *g, uint64_t now);
void pktgen_extra_send(struct pktgen *g, uint64_t now);

#endif
