/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_HEADER_H
#define SP_RELAY_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "relay/addr.h"
#include "relay/datagram.h"
#include "relay/sum.h"

/* The IP and UDP header that the packets of one flow leave with. */
struct sp_header {
	uint8_t bytes[SP_DATAGRAM_IP6]; /* lengths and checksums are 0 */
	uint16_t pseudo_be;             /* sum of addresses and ports */
	uint16_t ip_sum_be; /* IPv4: sum of the header, length and ECN 0 */
	uint8_t len;        /* SP_DATAGRAM_IP4 or SP_DATAGRAM_IP6 */
};

_Static_assert(
	sizeof(struct sp_header) <= 56, "shares a line with hop and counts");

/*
 * Build the header for packets @from a local address @to a remote one.
 *
 * Core: any, when a flow is programmed or latched.
 * Units: @dscp is the six-bit code point.
 * Fails: asserts that both are of one family, and one of the two.
 */
void sp_header_build(struct sp_header *h, const struct sp_addr *from,
	const struct sp_addr *to, uint8_t dscp, uint8_t ttl);

/* Sum what the fast paths must not rely on: see sp_header_check. */
uint16_t sp_header_check_rare(const struct sp_header *h,
	const struct sp_datagram *d, const uint8_t *payload);

/*
 * Return the UDP checksum for @d's payload under header @h: by difference;
 * in full where the sender's host left the sum to a NIC that never came
 * (veth, virtio), where SRTP has changed a payload and proved it right, and
 * where IPv4 without checksum goes out as IPv6. No checksum stays none from
 * IPv4 to IPv4.
 *
 * Core: worker, for every packet.
 * Spec: RFC 1624, RFC 768, RFC 8200 section 8.1, RFC 6936.
 */
static inline uint16_t
sp_header_check(const struct sp_header *h, const struct sp_datagram *d,
	const uint8_t *payload)
{
	if (__builtin_expect(!sp_datagram_has_sum(d), 0))
		return sp_header_check_rare(h, d, payload);
	return sp_sum_move(d->check_be, d->pseudo_be, h->pseudo_be);
}

/*
 * Write @h->len bytes of header at @at, which end where @payload_len bytes
 * of payload begin. @ecn (0..3) is the received packet's, @check_be what
 * sp_header_check returned.
 *
 * Core: worker, for every packet.
 */
static inline void
sp_header_place(const struct sp_header *h, uint8_t *at, uint16_t payload_len,
	uint8_t ecn, uint16_t check_be)
{
	const uint16_t udp_be =
		sp_sum_swap((uint16_t)(payload_len + SP_DATAGRAM_UDP));
	const uint16_t udp[2] = { udp_be, check_be };

	if (h->len == SP_DATAGRAM_IP4) {
		const uint16_t total_be =
			sp_sum_swap((uint16_t)(payload_len + SP_DATAGRAM_IP4));
		const uint16_t ip_check = (uint16_t)~sp_sum_fold(
			(uint32_t)h->ip_sum_be + total_be + sp_sum_swap(ecn));

		__builtin_memcpy(at, h->bytes, SP_DATAGRAM_IP4);
		at[1] = h->bytes[1] | ecn;
		__builtin_memcpy(at + 2, &total_be, sizeof total_be);
		__builtin_memcpy(at + 10, &ip_check, sizeof ip_check);
		__builtin_memcpy(at + 24, udp, sizeof udp);
	} else {
		__builtin_memcpy(at, h->bytes, SP_DATAGRAM_IP6);
		at[1] = (uint8_t)(h->bytes[1] | ecn << 4);
		__builtin_memcpy(at + 4, &udp_be, sizeof udp_be);
		__builtin_memcpy(at + 44, udp, sizeof udp);
	}
}

#endif
