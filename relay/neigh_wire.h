/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_NEIGH_WIRE_H
#define SP_RELAY_NEIGH_WIRE_H

#include "relay/sum.h"

/* Numbers on the wire that neigh_parse.c and neigh_write.c share. */
enum sp_neigh_wire {
	ETHERTYPE_IP4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IP6 = 0x86dd,
	ETHERNET_MIN = 60, /* without FCS; shorter frames are padded */

	ARP_LEN = 28,
	ARP_ETHERNET = 1,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,

	IP4_LEN = 20,
	IP6_LEN = 40,
	PROTO_ICMP = 1,
	PROTO_ICMP6 = 58,
	FRAGMENT_BITS = 0x3fff,
	TTL = 64,
	ND_HOP_LIMIT = 255, /* nobody beyond the link can send that */

	ICMP_HEADER = 4, /* type, code, checksum */
	ICMP_ECHO_MIN = 8,
	ICMP_ECHO_REPLY = 0,
	ICMP_ECHO = 8,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_NS = 135,
	ICMP6_NA = 136,

	ND_LEN = 24, /* NS and NA without options */
	ND_SOLICITED = 0x40,
	ND_OVERRIDE = 0x20,
	ND_OPTION_UNIT = 8,
	ND_SOURCE_MAC = 1,
	ND_TARGET_MAC = 2,
};

/* First bytes of the group that an NS for an address is sent to. */
static const uint8_t sp_neigh_group[13] = { 0xff,
	0x02, [11] = 0x01, [12] = 0xff };

/* Sum an ICMPv6 message with its pseudo-header; @ip is the IPv6 header. */
static inline uint32_t
sp_neigh_sum(const uint8_t *ip, const uint8_t *icmp, size_t len)
{
	return sp_sum_bytes(ip + 8, 32) + sp_sum_swap((uint16_t)len) +
		sp_sum_swap(PROTO_ICMP6) + sp_sum_bytes(icmp, len);
}

#endif
