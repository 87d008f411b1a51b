/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_SIX_H
#define SP_BENCH_PKTGEN_SIX_H

#include <stdalign.h>
#include <stdint.h>

#include "relay/addr.h"

/*
 * IPv6. A packet is written as over IPv4, with a checksum that is right for
 * its addresses; then the header in front of UDP becomes an IPv6 one, which
 * begins that much earlier. Called by the generator's thread: made once a
 * stream (junk: for each packet), put into what is sent. Neither can fail.
 */

struct rte_mbuf;

#define PKTGEN_SIX_MORE 20u /* bytes, than an IPv4 header */

/* What precedes the UDP header from the Ethernet type on; the length lacks. */
struct pktgen_six {
	alignas(64) uint8_t head[42];
};

void pktgen_six_make(struct pktgen_six *six, const struct sp_addr *from,
	const struct sp_addr *to);

/* Put it into @m, whose Ethernet addresses and UDP header are there. */
void pktgen_six_put(const struct pktgen_six *six, struct rte_mbuf *m);

#endif
