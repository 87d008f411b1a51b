/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/neigh.h"

#include <assert.h>
#include <string.h>

#include "relay/neigh_wire.h"

static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 0x01 };
static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static uint8_t *
put_u16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *
put(uint8_t *at, const void *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

static void
put_check(uint8_t *at, uint32_t sum_be)
{
	const uint16_t check_be = sp_sum_close(sum_be);

	memcpy(at, &check_be, sizeof check_be);
}

/*
 * Write the Ethernet header of a frame with @l3_len bytes in it, and zeros
 * after it. Return where those bytes go, NULL if the frame doesn't fit.
 */
static uint8_t *
open_frame(const struct sp_neigh_link *link, const uint8_t to[6],
	unsigned int ethertype, size_t l3_len, uint8_t *out, size_t cap,
	size_t *len)
{
	const size_t used = 14u + (link->vlan ? 4 : 0) + l3_len;
	const size_t whole = used > ETHERNET_MIN ? used : ETHERNET_MIN;

	if (whole > cap)
		return NULL;
	*len = whole;
	memset(out, 0, whole);
	out = put(out, to, 6);
	out = put(out, link->from, 6);
	if (link->vlan)
		out = put_u16(put_u16(out, ETHERTYPE_VLAN), link->vlan);
	return put_u16(out, ethertype);
}

/* The Ethernet address of an IPv6 group: RFC 2464 section 7. */
static void
group_mac(const uint8_t group[16], uint8_t mac[6])
{
	mac[0] = 0x33;
	mac[1] = 0x33;
	memcpy(mac + 2, group + 12, 4);
}

static enum sp_status
write_arp(const struct sp_neigh_link *link, const uint8_t to[6],
	unsigned int operation, const struct sp_addr *sender,
	const uint8_t target_mac[6], const struct sp_addr *target, uint8_t *out,
	size_t cap, size_t *len)
{
	uint8_t *at =
		open_frame(link, to, ETHERTYPE_ARP, ARP_LEN, out, cap, len);

	if (!at)
		return SP_NO_SPACE;
	at = put_u16(at, ARP_ETHERNET);
	at = put_u16(at, ETHERTYPE_IP4);
	at = put_u16(at, 6 << 8 | 4); /* lengths of the addresses */
	at = put_u16(at, operation);
	at = put(at, link->from, 6);
	at = put(at, sender->ip + 12, 4);
	at = put(at, target_mac, 6);
	put(at, target->ip + 12, 4);
	return SP_OK;
}

/* Write an IPv6 header; return where the payload goes. */
static uint8_t *
put_ip6(uint8_t *at, size_t payload_len, uint8_t hop_limit,
	const uint8_t from[16], const uint8_t to[16])
{
	at[0] = 6 << 4; /* the rest of the first word is 0 already */
	at = put_u16(at + 4, (unsigned int)payload_len);
	*at++ = PROTO_ICMP6;
	*at++ = hop_limit;
	at = put(at, from, 16);
	return put(at, to, 16);
}

/* An NS or NA without its addresses. */
struct nd {
	uint8_t type;
	uint8_t flags;
	uint8_t option; /* the one that holds our MAC */
};

static enum sp_status
write_nd(const struct sp_neigh_link *link, const uint8_t to_mac[6],
	const struct nd *nd, const uint8_t from[16], const uint8_t to[16],
	const uint8_t target[16], uint8_t *out, size_t cap, size_t *len)
{
	const size_t icmp_len = ND_LEN + ND_OPTION_UNIT;
	uint8_t *ip = open_frame(
		link, to_mac, ETHERTYPE_IP6, IP6_LEN + icmp_len, out, cap, len);
	uint8_t *icmp;

	if (!ip)
		return SP_NO_SPACE;
	icmp = put_ip6(ip, icmp_len, ND_HOP_LIMIT, from, to);
	icmp[0] = nd->type;
	icmp[4] = nd->flags;
	memcpy(icmp + 8, target, 16);
	icmp[ND_LEN] = nd->option;
	icmp[ND_LEN + 1] = 1; /* units of eight bytes */
	memcpy(icmp + ND_LEN + 2, link->from, 6);
	put_check(icmp + 2, sp_neigh_sum(ip, icmp, icmp_len));
	return SP_OK;
}

enum sp_status
sp_neigh_write_request(const struct sp_neigh_link *link,
	const struct sp_addr *from, const struct sp_addr *target, uint8_t *out,
	size_t cap, size_t *len)
{
	static const uint8_t unknown[6];
	const struct nd ns = { .type = ICMP6_NS, .option = ND_SOURCE_MAC };
	uint8_t group[16];
	uint8_t mac[6];

	assert(from->family == target->family);
	if (target->family == SP_FAMILY_IP4)
		return write_arp(link, broadcast, ARP_REQUEST, from, unknown,
			target, out, cap, len);

	memcpy(group, sp_neigh_group, sizeof sp_neigh_group);
	memcpy(group + sizeof sp_neigh_group, target->ip + 13, 3);
	group_mac(group, mac);
	return write_nd(
		link, mac, &ns, from->ip, group, target->ip, out, cap, len);
}

enum sp_status
sp_neigh_write_answer(const struct sp_neigh_link *link,
	const struct sp_neigh_event *event, uint8_t *out, size_t cap,
	size_t *len)
{
	static const uint8_t nobody[16];
	struct nd na = {
		.type = ICMP6_NA,
		.flags = ND_SOLICITED | ND_OVERRIDE,
		.option = ND_TARGET_MAC,
	};
	const uint8_t *to = event->sender.ip;
	uint8_t mac[6];

	if (event->kind == SP_NEIGH_ARP_REQUEST)
		return write_arp(link, link->to, ARP_REPLY, &event->target,
			event->mac, &event->sender, out, cap, len);
	if (event->kind != SP_NEIGH_NS)
		return SP_UNSUPPORTED;

	memcpy(mac, link->to, sizeof mac);
	if (memcmp(to, nobody, sizeof nobody) == 0) {
		na.flags = ND_OVERRIDE;
		to = all_nodes;
		group_mac(all_nodes, mac);
	}
	return write_nd(link, mac, &na, event->target.ip, to, event->target.ip,
		out, cap, len);
}

static enum sp_status
write_echo4(const struct sp_neigh_link *link,
	const struct sp_neigh_event *event, uint8_t *out, size_t cap,
	size_t *len)
{
	const size_t icmp_len = ICMP_HEADER + (size_t)event->echo_len;
	uint8_t *ip = open_frame(link, link->to, ETHERTYPE_IP4,
		IP4_LEN + icmp_len, out, cap, len);

	if (!ip)
		return SP_NO_SPACE;
	ip[0] = 0x45; /* version 4, five words of header */
	put_u16(ip + 2, (unsigned int)(IP4_LEN + icmp_len));
	ip[8] = TTL;
	ip[9] = PROTO_ICMP;
	memcpy(ip + 12, event->target.ip + 12, 4);
	memcpy(ip + 16, event->sender.ip + 12, 4);
	put_check(ip + 10, sp_sum_bytes(ip, IP4_LEN));

	ip[IP4_LEN] = ICMP_ECHO_REPLY;
	memcpy(ip + IP4_LEN + ICMP_HEADER, event->echo, event->echo_len);
	put_check(ip + IP4_LEN + 2, sp_sum_bytes(ip + IP4_LEN, icmp_len));
	return SP_OK;
}

static enum sp_status
write_echo6(const struct sp_neigh_link *link,
	const struct sp_neigh_event *event, uint8_t *out, size_t cap,
	size_t *len)
{
	const size_t icmp_len = ICMP_HEADER + (size_t)event->echo_len;
	uint8_t *ip = open_frame(link, link->to, ETHERTYPE_IP6,
		IP6_LEN + icmp_len, out, cap, len);
	uint8_t *icmp;

	if (!ip)
		return SP_NO_SPACE;
	icmp = put_ip6(ip, icmp_len, TTL, event->target.ip, event->sender.ip);
	icmp[0] = ICMP6_ECHO_REPLY;
	memcpy(icmp + ICMP_HEADER, event->echo, event->echo_len);
	put_check(icmp + 2, sp_neigh_sum(ip, icmp, icmp_len));
	return SP_OK;
}

enum sp_status
sp_neigh_write_echo(const struct sp_neigh_link *link,
	const struct sp_neigh_event *event, uint8_t *out, size_t cap,
	size_t *len)
{
	if (event->kind == SP_NEIGH_ECHO)
		return write_echo4(link, event, out, cap, len);
	if (event->kind == SP_NEIGH_ECHO6)
		return write_echo6(link, event, out, cap, len);
	return SP_UNSUPPORTED;
}
