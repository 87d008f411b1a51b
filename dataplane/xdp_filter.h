/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
#ifndef SP_DATAPLANE_XDP_FILTER_H
#define SP_DATAPLANE_XDP_FILTER_H

#include <linux/types.h>

/* What the XDP filter and filter.c both know: the map "sp_ranges". */

#define SP_XDP_ADDRS_MAX 256
#define SP_XDP_RANGES_MAX 4

/* A local address, as in struct sp_addr, on a VLAN. */
struct sp_xdp_key {
	__u16 vlan;   /* host order; 0: untagged */
	__u16 family; /* 4 or 6 */
	__u8 ip[16];
};

/* Its ports, host order. An unused range ends before it starts. */
struct sp_xdp_ranges {
	struct {
		__u16 first;
		__u16 last;
	} range[SP_XDP_RANGES_MAX];
};

#endif
