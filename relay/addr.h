/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_ADDR_H
#define SP_RELAY_ADDR_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/status.h"

/* Longest text of an address: an IPv6 address in brackets, colon, port. */
#define SP_ADDR_TEXT 64

enum sp_family {
	SP_FAMILY_NONE = 0,
	SP_FAMILY_IP4 = 4,
	SP_FAMILY_IP6 = 6,
};

/*
 * An IP address with a port, as one value: plain to copy, compare and hash.
 * IPv4 lies in @ip[12..15] with the mapped prefix before it, so that all 20
 * bytes of equal addresses are equal. All zero means "no address".
 */
struct sp_addr {
	alignas(4) uint8_t ip[16]; /* network order */
	uint16_t port;             /* host order; 0 where only the IP matters */
	uint8_t family;            /* enum sp_family */
	uint8_t zero;              /* keeps the bytes comparable */
};

_Static_assert(sizeof(struct sp_addr) == 20, "compared as five words");

/* What an address may be used for: SECURITY's list of forbidden targets. */
enum sp_addr_scope {
	SP_ADDR_PUBLIC,      /* none of the others */
	SP_ADDR_PRIVATE,     /* RFC 1918, RFC 6598, fc00::/7 */
	SP_ADDR_UNSPECIFIED, /* 0.0.0.0 or :: (the old way to hold) */
	SP_ADDR_FORBIDDEN,   /* loopback, multicast, broadcast, 0/8, 240/4,
				169.254/16, fe80::/10 and what embeds them */
};

/* Make an IPv4 address from four bytes in network order. */
struct sp_addr sp_addr_ip4(const uint8_t ip[4], uint16_t port);

/* Make an IPv6 address from 16 bytes in network order. */
struct sp_addr sp_addr_ip6(const uint8_t ip[16], uint16_t port);

/*
 * Read a bare IPv4 or IPv6 address (no port, brackets or zone) from text that
 * need not end in NUL.
 *
 * Core:  any.
 * Fails: SP_MALFORMED; @out is then untouched. @out->port becomes 0.
 */
enum sp_status sp_addr_parse(
	const char *text, size_t len, struct sp_addr *out) SP_MUST_CHECK;

/* Write the bare address of @a, NUL-terminated, into @text; return it. */
const char *sp_addr_print_ip(const struct sp_addr *a, char text[SP_ADDR_TEXT]);

/* Write "address:port" ("[address]:port" for IPv6) into @text; return it. */
const char *sp_addr_print(const struct sp_addr *a, char text[SP_ADDR_TEXT]);

/* Are address, family and port the same? */
static inline bool
sp_addr_equal(const struct sp_addr *a, const struct sp_addr *b)
{
	return __builtin_memcmp(a, b, sizeof *a) == 0;
}

/* Are address and family the same, whatever the ports? */
static inline bool
sp_addr_same_ip(const struct sp_addr *a, const struct sp_addr *b)
{
	return a->family == b->family &&
		__builtin_memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/*
 * Say what @a may be used for. IPv4 inside IPv6 (mapped, compatible, 6to4,
 * NAT64's 64:ff9b::/96) is judged by the IPv4 address.
 *
 * Spec: RFC 6890, RFC 3056, RFC 6052; SEC-9.
 */
enum sp_addr_scope sp_addr_scope(const struct sp_addr *a);

/* Is the IP of @a within @prefix / @bits (of @prefix's own family)? */
bool sp_addr_within(
	const struct sp_addr *a, const struct sp_addr *prefix, unsigned bits);

#endif
