/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/neigh.h"

#include <string.h>

#include "relay/cursor.h"
#include "relay/neigh_wire.h"

static const uint8_t nothing[16];

static bool
is_station(const uint8_t mac[6])
{
	return (mac[0] & 1) == 0 && memcmp(mac, nothing, 6) != 0;
}

/*
 * Could one host on a link have this address? Link-local ones may; an IPv6
 * address with IPv4 inside is as good as that: ::ffff:0.0.0.0 is nobody's.
 */
static bool
is_host(const struct sp_addr *a)
{
	enum sp_addr_scope scope;

	if (a->family == SP_FAMILY_IP4)
		return a->ip[12] != 0 && a->ip[12] != 127 && a->ip[12] < 224;
	if (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80)
		return true;
	scope = sp_addr_scope(a);
	return scope == SP_ADDR_PUBLIC || scope == SP_ADDR_PRIVATE;
}

/* The very 0.0.0.0 or ::, which alone stand for one without an address. */
static bool
is_unspecified(const struct sp_addr *a)
{
	return memcmp(a->ip + (a->family == SP_FAMILY_IP4 ? 12 : 0), nothing,
		       a->family == SP_FAMILY_IP4 ? 4 : 16) == 0;
}

static enum sp_status
parse_arp(struct sp_cursor c, struct sp_neigh_event *e)
{
	const uint16_t hardware = sp_cursor_u16(&c);
	const uint16_t protocol = sp_cursor_u16(&c);
	const uint16_t lengths = sp_cursor_u16(&c);
	const uint16_t operation = sp_cursor_u16(&c);
	const uint8_t *sender_mac = sp_cursor_take(&c, 6);
	const uint8_t *sender_ip = sp_cursor_take(&c, 4);
	const uint8_t *target_ip;

	sp_cursor_take(&c, 6); /* the target's MAC is what is asked for */
	target_ip = sp_cursor_take(&c, 4);
	if (c.failed)
		return SP_SHORT;
	if (hardware != ARP_ETHERNET || protocol != ETHERTYPE_IP4 ||
		lengths != (6 << 8 | 4) ||
		(operation != ARP_REQUEST && operation != ARP_REPLY))
		return SP_UNSUPPORTED;

	e->kind = operation == ARP_REQUEST ? SP_NEIGH_ARP_REQUEST
					   : SP_NEIGH_ARP_REPLY;
	e->sender = sp_addr_ip4(sender_ip, 0);
	e->target = sp_addr_ip4(target_ip, 0);
	e->learn = is_host(&e->sender);
	if (!is_station(sender_mac) || !is_host(&e->target))
		return SP_FORBIDDEN;
	/* Only a question may come from nobody: RFC 5227's probe. */
	if (!e->learn &&
		(operation == ARP_REPLY || !is_unspecified(&e->sender)))
		return SP_FORBIDDEN;
	memcpy(e->mac, sender_mac, 6);
	return SP_OK;
}

static enum sp_status
parse_ip4(const uint8_t *l3, size_t len, struct sp_neigh_event *e)
{
	struct sp_cursor c = sp_cursor(l3, len);
	const uint8_t first = sp_cursor_u8(&c);
	const size_t header_len = 4u * (first & 0x0f);
	const uint8_t *icmp;
	size_t total, icmp_len;
	uint16_t fragment;
	uint8_t proto;

	sp_cursor_u8(&c); /* service */
	total = sp_cursor_u16(&c);
	sp_cursor_u16(&c); /* id */
	fragment = sp_cursor_u16(&c);
	sp_cursor_u8(&c); /* TTL */
	proto = sp_cursor_u8(&c);
	sp_cursor_take(&c, 10); /* checksum and addresses: below */
	if (c.failed || total > len)
		return SP_SHORT;
	if (first >> 4 != 4 || header_len < IP4_LEN || total < header_len ||
		sp_sum_fold(sp_sum_bytes(l3, header_len)) != 0xffff)
		return SP_MALFORMED;
	if (header_len > IP4_LEN || fragment & FRAGMENT_BITS)
		return SP_FORBIDDEN;
	if (proto != PROTO_ICMP)
		return SP_UNSUPPORTED;

	icmp = l3 + IP4_LEN;
	icmp_len = total - IP4_LEN;
	if (icmp_len < ICMP_ECHO_MIN)
		return SP_SHORT;
	if (sp_sum_fold(sp_sum_bytes(icmp, icmp_len)) != 0xffff)
		return SP_MALFORMED;
	if (icmp[0] != ICMP_ECHO || icmp[1] != 0)
		return SP_UNSUPPORTED;

	e->kind = SP_NEIGH_ECHO;
	e->sender = sp_addr_ip4(l3 + 12, 0);
	e->target = sp_addr_ip4(l3 + 16, 0);
	e->echo = icmp + ICMP_HEADER;
	e->echo_len = (uint16_t)(icmp_len - ICMP_HEADER);
	return is_host(&e->sender) && is_host(&e->target) ? SP_OK
							  : SP_FORBIDDEN;
}

/* Find the MAC in the option @wanted of an NS or NA; NULL if it has none. */
static enum sp_status
parse_options(struct sp_cursor c, uint8_t wanted, const uint8_t **mac)
{
	*mac = NULL;
	while (sp_cursor_left(&c) > 0) {
		const uint8_t type = sp_cursor_u8(&c);
		const size_t len = (size_t)ND_OPTION_UNIT * sp_cursor_u8(&c);
		const uint8_t *value;

		if (len == 0)
			return SP_MALFORMED;
		value = sp_cursor_take(&c, len - 2);
		if (!value)
			return SP_SHORT;
		if (type != wanted)
			continue;
		if (len != ND_OPTION_UNIT)
			return SP_MALFORMED;
		*mac = value;
	}
	return SP_OK;
}

/* Read an NS or NA; @ip and @icmp are the headers, checked for length. */
static enum sp_status
parse_nd(const uint8_t *ip, const uint8_t *icmp, size_t icmp_len,
	struct sp_neigh_event *e)
{
	const bool asks = icmp[0] == ICMP6_NS;
	const struct sp_addr from = sp_addr_ip6(ip + 8, 0);
	const uint8_t *to = ip + 24;
	const struct sp_addr target = sp_addr_ip6(icmp + 8, 0);
	const uint8_t *mac;
	const enum sp_status status =
		parse_options(sp_cursor(icmp + ND_LEN, icmp_len - ND_LEN),
			asks ? ND_SOURCE_MAC : ND_TARGET_MAC, &mac);

	if (status != SP_OK)
		return status;
	if (icmp[1] != 0)
		return SP_MALFORMED;
	if (ip[7] != ND_HOP_LIMIT || !is_host(&target) ||
		(mac && !is_station(mac)))
		return SP_FORBIDDEN;
	if (asks && is_unspecified(&from)) {
		/* Duplicate address detection: RFC 4861 section 7.1.1. */
		if (mac || memcmp(to, sp_neigh_group, sizeof sp_neigh_group))
			return SP_FORBIDDEN;
	} else if (!is_host(&from)) {
		return SP_FORBIDDEN;
	}
	if (!asks && to[0] == 0xff && icmp[4] & ND_SOLICITED)
		return SP_FORBIDDEN;

	e->kind = asks ? SP_NEIGH_NS : SP_NEIGH_NA;
	e->sender = asks ? from : target;
	e->target = asks ? target : sp_addr_ip6(to, 0);
	e->solicited = !asks && icmp[4] & ND_SOLICITED;
	e->override = !asks && icmp[4] & ND_OVERRIDE;
	e->learn = mac != NULL;
	if (mac)
		memcpy(e->mac, mac, 6);
	return SP_OK;
}

static enum sp_status
parse_ip6(const uint8_t *l3, size_t len, struct sp_neigh_event *e)
{
	struct sp_cursor c = sp_cursor(l3, len);
	const uint32_t first = sp_cursor_u32(&c);
	const uint16_t ip_len = sp_cursor_u16(&c);
	const uint8_t next = sp_cursor_u8(&c);
	const uint8_t *icmp;

	sp_cursor_take(&c, 33); /* hop limit and addresses: below */
	icmp = sp_cursor_take(&c, ip_len);
	if (c.failed)
		return SP_SHORT;
	if (first >> 28 != 6)
		return SP_MALFORMED;
	if (next != PROTO_ICMP6)
		return SP_UNSUPPORTED;
	if (ip_len < ICMP_ECHO_MIN)
		return SP_SHORT;
	if (sp_sum_fold(sp_neigh_sum(l3, icmp, ip_len)) != 0xffff)
		return SP_MALFORMED;

	if (icmp[0] == ICMP6_NS || icmp[0] == ICMP6_NA)
		return ip_len < ND_LEN ? SP_SHORT
				       : parse_nd(l3, icmp, ip_len, e);
	if (icmp[0] != ICMP6_ECHO || icmp[1] != 0)
		return SP_UNSUPPORTED;
	e->kind = SP_NEIGH_ECHO6;
	e->sender = sp_addr_ip6(l3 + 8, 0);
	e->target = sp_addr_ip6(l3 + 24, 0);
	e->echo = icmp + ICMP_HEADER;
	e->echo_len = (uint16_t)(ip_len - ICMP_HEADER);
	return is_host(&e->sender) && is_host(&e->target) ? SP_OK
							  : SP_FORBIDDEN;
}

enum sp_status
sp_neigh_parse(uint16_t ethertype, const uint8_t *l3, size_t len,
	struct sp_neigh_event *out)
{
	struct sp_neigh_event event = { 0 };
	enum sp_status status = SP_UNSUPPORTED;

	if (ethertype == ETHERTYPE_ARP)
		status = parse_arp(sp_cursor(l3, len), &event);
	else if (ethertype == ETHERTYPE_IP4)
		status = parse_ip4(l3, len, &event);
	else if (ethertype == ETHERTYPE_IP6)
		status = parse_ip6(l3, len, &event);
	if (status == SP_OK)
		*out = event;
	return status;
}
