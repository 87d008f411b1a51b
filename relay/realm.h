/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_REALM_H
#define SP_RELAY_REALM_H

#include <stdint.h>

#include "relay/addr.h"

#define SP_REALMS_MAX 16
#define SP_REALM_ADDRS_MAX 4
#define SP_REALM_NAME 32

enum sp_driver {
	SP_DRIVER_AUTO, /* AF_XDP, else af_packet with a warning */
	SP_DRIVER_AF_XDP,
	SP_DRIVER_AF_PACKET,
};

/* One side of the border. Plain values: copy and keep as you like. */
struct sp_realm_conf {
	char name[SP_REALM_NAME];
	char interface[16]; /* shared with the kernel, or "" */
	char device[256];   /* dedicated: PCI address or vdev string, or "" */
	enum sp_driver driver; /* of a shared interface */
	uint16_t vlan;         /* 802.1Q id, 0: untagged */
	uint16_t first_port;   /* UDP, even */
	uint16_t last_port;    /* inclusive, odd */
	uint8_t dscp;          /* 0..63, of what we send */
	uint8_t n_addrs;
	uint8_t prefix[SP_REALM_ADDRS_MAX]; /* bits on-link; dedicated realms */
	struct sp_addr addr[SP_REALM_ADDRS_MAX];
	struct sp_addr gateway[2]; /* dedicated: IPv4, IPv6; NONE: on-link */
};

#endif
