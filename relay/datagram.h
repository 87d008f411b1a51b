/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_DATAGRAM_H
#define SP_RELAY_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/addr.h"
#include "relay/sum.h"
#include "relay/verdict.h"

enum {
	SP_DATAGRAM_UDP = 8,
	SP_DATAGRAM_IP4 = 20 + SP_DATAGRAM_UDP,
	SP_DATAGRAM_IP6 = 40 + SP_DATAGRAM_UDP,
	SP_DATAGRAM_PROTO = 17,
};

/* A received UDP datagram, by its IP and UDP header. */
struct sp_datagram {
	struct sp_addr from;
	struct sp_addr to;
	uint16_t pseudo_be;   /* sum of addresses and ports */
	uint16_t check_be;    /* UDP checksum as received */
	uint16_t payload_len; /* IP and UDP agree on it; padding is beyond */
	uint8_t header_len;   /* the payload starts here */
	uint8_t ecn;          /* 0..3 */
	uint8_t partial;      /* @check_be says nothing of the payload */
};

/* Would its checksum tell that its payload was damaged? */
static inline bool
sp_datagram_has_sum(const struct sp_datagram *d)
{
	return d->check_be != 0 && !d->partial;
}

/*
 * Say why the IP packet at @l3 is not a plain UDP datagram.
 *
 * Core: worker, for packets that sp_datagram_parse can't read.
 */
enum sp_verdict sp_datagram_refuse(const uint8_t *l3, size_t len);

/*
 * Lay out an IPv4 address as struct sp_addr has it; the port comes later. In
 * halves, as it is compared right away: smaller pieces would be waited for.
 */
static inline void
sp_datagram_fill_ip4(struct sp_addr *out, const uint8_t *ip)
{
	const uint64_t mapped = 0xffff;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t half = (uint64_t)sp_sum_pair(ip) << 32 | mapped << 16;
#else
	const uint64_t half = mapped << 32 | sp_sum_pair(ip);
#endif

	__builtin_memset(out->ip, 0, 8);
	__builtin_memcpy(out->ip + 8, &half, sizeof half);
	out->family = SP_FAMILY_IP4;
	out->zero = 0;
}

/* Fill what IPv4 and IPv6 have in common; @ips is the addresses' sum. */
static inline void
sp_datagram_fill(struct sp_datagram *out, const uint8_t *udp, uint64_t ips,
	unsigned int header_len, unsigned int ecn)
{
	const uint16_t len_be = sp_sum_word(udp + 4);
	const uint16_t proto_be = sp_sum_swap(SP_DATAGRAM_PROTO);

	out->from.port = sp_sum_swap(sp_sum_word(udp));
	out->to.port = sp_sum_swap(sp_sum_word(udp + 2));
	out->pseudo_be = sp_sum_narrow(ips + sp_sum_pair(udp));
	out->check_be = sp_sum_word(udp + 6);
	out->payload_len = (uint16_t)(sp_sum_swap(len_be) - SP_DATAGRAM_UDP);
	out->header_len = (uint8_t)header_len;
	out->ecn = (uint8_t)ecn;
	out->partial = sp_sum_narrow(ips + proto_be + len_be) == out->check_be;
}

/* Read an IPv4 datagram of at least SP_DATAGRAM_IP4 bytes. */
static inline enum sp_verdict
sp_datagram_parse_ip4(const uint8_t *l3, size_t len, struct sp_datagram *out)
{
	const uint16_t fragment_bits = sp_sum_swap(0x3fff);
	const unsigned int total = sp_sum_swap(sp_sum_word(l3 + 2));
	const unsigned int udp_len = sp_sum_swap(sp_sum_word(l3 + 24));
	const uint64_t ips =
		(uint64_t)sp_sum_pair(l3 + 12) + sp_sum_pair(l3 + 16);
	const uint64_t rest = (uint64_t)sp_sum_pair(l3) + sp_sum_pair(l3 + 4) +
		sp_sum_pair(l3 + 8);

	/* None of it is ever so; which it was is asked later. */
	if (__builtin_expect(l3[0] != 0x45 || l3[9] != SP_DATAGRAM_PROTO ||
			    (sp_sum_word(l3 + 6) & fragment_bits) != 0 ||
			    total > len || udp_len + 20 != total ||
			    udp_len < SP_DATAGRAM_UDP ||
			    sp_sum_word(l3 + 20) == 0 ||
			    sp_sum_narrow(ips + rest) != 0xffff,
		    0))
		return sp_datagram_refuse(l3, len);

	sp_datagram_fill_ip4(&out->from, l3 + 12);
	sp_datagram_fill_ip4(&out->to, l3 + 16);
	sp_datagram_fill(out, l3 + 20, ips, SP_DATAGRAM_IP4, l3[1] & 3);
	return SP_VERDICT_FORWARD;
}

/* Read an IPv6 datagram of at least SP_DATAGRAM_IP6 bytes. */
static inline enum sp_verdict
sp_datagram_parse_ip6(const uint8_t *l3, size_t len, struct sp_datagram *out)
{
	const unsigned int ip_len = sp_sum_swap(sp_sum_word(l3 + 4));
	const unsigned int udp_len = sp_sum_swap(sp_sum_word(l3 + 44));

	if (__builtin_expect(((l3[0] >> 4) ^ 6) | (l3[6] ^ SP_DATAGRAM_PROTO) |
			    (ip_len + 40 > len) | (udp_len != ip_len) |
			    (udp_len < SP_DATAGRAM_UDP) |
			    (sp_sum_word(l3 + 40) == 0) |
			    (sp_sum_word(l3 + 46) == 0),
		    0))
		return sp_datagram_refuse(l3, len);

	*out = (struct sp_datagram){
		.from.family = SP_FAMILY_IP6,
		.to.family = SP_FAMILY_IP6,
	};
	__builtin_memcpy(out->from.ip, l3 + 8, 16);
	__builtin_memcpy(out->to.ip, l3 + 24, 16);
	sp_datagram_fill(out, l3 + 40, sp_sum_bytes(l3 + 8, 32),
		SP_DATAGRAM_IP6, (l3[1] >> 4) & 3);
	return SP_VERDICT_FORWARD;
}

/*
 * Read the IP and UDP header of the packet at @l3, after Ethernet and its
 * tags; @len reaches to the end of the frame. @out is filled if the answer is
 * SP_VERDICT_FORWARD, and untouched with any other:
 *
 * BAD_FRAME:  cut off, lengths disagree, source port 0; bytes after the IP
 *             packet are Ethernet's padding and fine
 * BAD_SUM:    IPv4 header checksum wrong, or IPv6 without UDP checksum
 * IP_OPTIONS: IPv4 options, IPv6 extension headers
 * FRAGMENT:   any, the IPv6 one that is its only one too
 * PUNT:       ICMP or ICMPv6
 * NOT_OURS:   another protocol
 *
 * Core: worker, for every packet.
 * Spec: RFC 791, RFC 8200, RFC 768; SEC-41.
 */
static inline enum sp_verdict
sp_datagram_parse(const uint8_t *l3, size_t len, struct sp_datagram *out)
{
	if (__builtin_expect(len >= SP_DATAGRAM_IP4 && l3[0] >> 4 == 4, 1))
		return sp_datagram_parse_ip4(l3, len, out);
	if (len >= SP_DATAGRAM_IP6)
		return sp_datagram_parse_ip6(l3, len, out);
	return sp_datagram_refuse(l3, len);
}

#endif
