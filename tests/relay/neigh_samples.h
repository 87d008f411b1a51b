/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_RELAY_NEIGH_SAMPLES_H
#define SP_TESTS_RELAY_NEIGH_SAMPLES_H

/* One good packet of each kind, for the tests of parsing and of writing. */

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "relay/neigh.h"

#define PEER_MAC 0x02, 0, 0, 0, 0, 1
#define OUR_MAC 0x02, 0, 0, 0, 0, 9
#define NO_MAC 0, 0, 0, 0, 0, 0
#define PEER4 192, 0, 2, 1
#define OURS4 192, 0, 2, 9
#define LL(last) 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last
#define GROUP(last) 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, last
#define NOBODY6 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

enum {
	IP4 = 0x0800,
	ARP = 0x0806,
	IP6 = 0x86dd,
};

static const uint8_t arp[] = { 0, 1, 8, 0, 6, 4, 0, 1, PEER_MAC, PEER4, NO_MAC,
	OURS4 };

static const uint8_t ns[] = { 0x60, 0, 0, 0, 0, 32, 58, 255, LL(1), GROUP(9),
	135, 0, 0, 0, 0, 0, 0, 0, LL(9), 1, 1, PEER_MAC };

static const uint8_t dad[] = { 0x60, 0, 0, 0, 0, 24, 58, 255, NOBODY6, GROUP(9),
	135, 0, 0, 0, 0, 0, 0, 0, LL(9) };

static const uint8_t na[] = { 0x60, 0, 0, 0, 0, 32, 58, 255, LL(1), LL(9), 136,
	0, 0, 0, 0x60, 0, 0, 0, LL(1), 2, 1, PEER_MAC };

static const uint8_t ping[] = { 0x45, 0, 0, 33, 1, 2, 0x40, 0, 3, 1, 0, 0,
	PEER4, OURS4, 8, 0, 0, 0, 0xab, 0xcd, 0, 1, 'h', 'e', 'l', 'l', 'o' };

static const uint8_t ping6[] = { 0x60, 0, 0, 0, 0, 13, 58, 3, LL(1), LL(9), 128,
	0, 0, 0, 0xab, 0xcd, 0, 1, 'h', 'e', 'l', 'l', 'o' };

static inline uint16_t
plain_sum(const uint8_t *data, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static inline uint16_t
icmp6_sum(const uint8_t *ip, size_t len)
{
	return plain_sum(ip + 8, len - 8, 58 + (uint32_t)(len - 40));
}

static inline void
put_check(uint8_t *at, uint16_t sum)
{
	at[0] = (uint8_t)(~sum >> 8);
	at[1] = (uint8_t)~sum;
}

/* Make all checksums of a packet right. */
static inline void
seal(uint16_t ethertype, uint8_t *ip, size_t len)
{
	if (ethertype == IP4 && len > 24) {
		memset(ip + 10, 0, 2);
		put_check(ip + 10, plain_sum(ip, 4u * (ip[0] & 15), 0));
		memset(ip + 22, 0, 2);
		put_check(ip + 22, plain_sum(ip + 20, len - 20, 0));
	} else if (ethertype == IP6 && len > 44) {
		memset(ip + 42, 0, 2);
		put_check(ip + 42, icmp6_sum(ip, len));
	}
}

/* Parse a sealed copy of @bytes that must be good. */
static inline struct sp_neigh_event
parse(uint16_t ethertype, const uint8_t *bytes, size_t len, uint8_t copy[128])
{
	struct sp_neigh_event e = { 0 };

	memcpy(copy, bytes, len);
	seal(ethertype, copy, len);
	cr_assert(eq(int, sp_neigh_parse(ethertype, copy, len, &e), SP_OK));
	return e;
}

#endif
