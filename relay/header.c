/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "relay/header.h"

enum {
	VERSION4_IHL5 = 0x45,
	DONT_FRAGMENT = 0x40, /* of the byte before the fragment offset */
};

/* Fill everything that precedes the UDP header. */
static void
build_ip4(struct sp_header *h, const struct sp_addr *from,
	const struct sp_addr *to, uint8_t dscp, uint8_t ttl)
{
	uint8_t *ip = h->bytes;

	ip[0] = VERSION4_IHL5;
	ip[1] = (uint8_t)(dscp << 2);
	ip[6] = DONT_FRAGMENT; /* so id 0 is as good as any: RFC 6864 */
	ip[8] = ttl;
	ip[9] = SP_DATAGRAM_PROTO;
	__builtin_memcpy(ip + 12, from->ip + 12, 4);
	__builtin_memcpy(ip + 16, to->ip + 12, 4);
	h->len = SP_DATAGRAM_IP4;
	h->pseudo_be = sp_sum_bytes(ip + 12, 8);
	h->ip_sum_be = sp_sum_bytes(ip, 20);
}

static void
build_ip6(struct sp_header *h, const struct sp_addr *from,
	const struct sp_addr *to, uint8_t dscp, uint8_t ttl)
{
	uint8_t *ip = h->bytes;

	ip[0] = (uint8_t)(6 << 4 | dscp >> 2);
	ip[1] = (uint8_t)(dscp << 6);
	ip[6] = SP_DATAGRAM_PROTO;
	ip[7] = ttl;
	__builtin_memcpy(ip + 8, from->ip, 16);
	__builtin_memcpy(ip + 24, to->ip, 16);
	h->len = SP_DATAGRAM_IP6;
	h->pseudo_be = sp_sum_bytes(ip + 8, 32);
}

void
sp_header_build(struct sp_header *h, const struct sp_addr *from,
	const struct sp_addr *to, uint8_t dscp, uint8_t ttl)
{
	const uint16_t from_be = sp_sum_swap(from->port);
	const uint16_t to_be = sp_sum_swap(to->port);
	uint8_t *udp;

	assert(from->family == to->family);
	assert(from->family == SP_FAMILY_IP4 || from->family == SP_FAMILY_IP6);
	assert(dscp < 64);

	*h = (struct sp_header){ 0 };
	if (from->family == SP_FAMILY_IP4)
		build_ip4(h, from, to, dscp, ttl);
	else
		build_ip6(h, from, to, dscp, ttl);
	udp = h->bytes + h->len - SP_DATAGRAM_UDP;
	__builtin_memcpy(udp, &from_be, sizeof from_be);
	__builtin_memcpy(udp + 2, &to_be, sizeof to_be);
	h->pseudo_be = sp_sum_fold((uint32_t)h->pseudo_be + from_be + to_be);
}

uint16_t
sp_header_check_rare(const struct sp_header *h, const struct sp_datagram *d,
	const uint8_t *payload)
{
	const uint32_t len_be =
		sp_sum_swap((uint16_t)(d->payload_len + SP_DATAGRAM_UDP));

	/* A sum that was never there can't be vouched for over IPv4 either. */
	if (d->check_be == 0 && h->len == SP_DATAGRAM_IP4)
		return 0;
	/* The length counts twice: pseudo-header and UDP header. */
	return sp_sum_close((uint32_t)h->pseudo_be +
		sp_sum_swap(SP_DATAGRAM_PROTO) + 2 * len_be +
		sp_sum_bytes(payload, d->payload_len));
}
