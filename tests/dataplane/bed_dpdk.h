/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_DATAPLANE_BED_DPDK_H
#define SP_TESTS_DATAPLANE_BED_DPDK_H

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <stdio.h>

#include "tests/dataplane/bed.h"

/* Start DPDK in this process, for tests that hold packets or use rings. */
static inline void
bed_start_dpdk(const char *more)
{
	static char arg[8][64] = { "test", "--no-huge", "--no-pci",
		"--no-shconf", "--no-telemetry", "-m64",
		"--log-level=critical" };
	char *argv[9] = { arg[0], arg[1], arg[2], arg[3], arg[4], arg[5],
		arg[6] };

	if (more) {
		snprintf(arg[7], sizeof arg[7], "%s", more);
		argv[7] = arg[7];
	}
	packet_must(rte_eal_init(more ? 8 : 7, argv) >= 0);
}

/* Allow the commit stage to hold packets; DPDK must have been started. */
static inline void
bed_open_pool(struct bed *bed)
{
	bed->commit.hold_pool =
		rte_pktmbuf_pool_create("hold", 255, 0, sizeof(uint64_t),
			RTE_PKTMBUF_HEADROOM + BED_BUFFER, SOCKET_ID_ANY);
	packet_must(bed->commit.hold_pool != NULL);
}

#endif
