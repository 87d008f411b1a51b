/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_L2_H
#define SP_DATAPLANE_L2_H

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>

#define SP_L2_PLAIN 14  /* MACs and EtherType */
#define SP_L2_TAGGED 18 /* the same with an 802.1Q tag */

/*
 * What leaves before the IP header, and how large a packet may be: one next
 * hop as the workers see it. Written by control, copied to each worker.
 */
struct sp_l2 {
	alignas(8) uint8_t header[SP_L2_TAGGED]; /* EtherType included */
	uint8_t len;   /* of the header: SP_L2_PLAIN or SP_L2_TAGGED */
	uint8_t ready; /* 0: the MAC is not known, nothing may be sent */
	uint16_t mtu;  /* largest IP packet, header included */
	uint8_t realm; /* whose way out it is */
	uint8_t nic;   /* by which NIC; filled in where NICs are known */
};

static_assert(sizeof(struct sp_l2) == 24, "three words, copied for a packet");

#endif
