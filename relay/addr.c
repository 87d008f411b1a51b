/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/addr.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
static const uint8_t zeros[16];

struct sp_addr
sp_addr_ip4(const uint8_t ip[4], uint16_t port)
{
	struct sp_addr a = { .port = port, .family = SP_FAMILY_IP4 };

	memcpy(a.ip, mapped, sizeof mapped);
	memcpy(a.ip + sizeof mapped, ip, 4);
	return a;
}

struct sp_addr
sp_addr_ip6(const uint8_t ip[16], uint16_t port)
{
	struct sp_addr a = { .port = port, .family = SP_FAMILY_IP6 };

	memcpy(a.ip, ip, sizeof a.ip);
	return a;
}

enum sp_status
sp_addr_parse(const char *text, size_t len, struct sp_addr *out)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t ip[16];

	if (len >= sizeof copy || memchr(text, '\0', len))
		return SP_MALFORMED;
	memcpy(copy, text, len);
	copy[len] = '\0';

	/* inet_pton refuses zones, octal, short forms and what follows. */
	if (inet_pton(AF_INET, copy, ip) == 1)
		*out = sp_addr_ip4(ip, 0);
	else if (inet_pton(AF_INET6, copy, ip) == 1)
		*out = sp_addr_ip6(ip, 0);
	else
		return SP_MALFORMED;
	return SP_OK;
}

/* Write @number at @at; return where it ends. */
static char *
print_number(char *at, uint16_t number)
{
	char digits[5];
	unsigned int n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

/* As inet_ntop(), which takes ten times as long by way of printf. */
static void
print_ip4(const uint8_t ip[4], char *at)
{
	for (unsigned int i = 0; i < 4; i++) {
		if (i > 0)
			*at++ = '.';
		at = print_number(at, ip[i]);
	}
	*at = '\0';
}

const char *
sp_addr_print_ip(const struct sp_addr *a, char text[SP_ADDR_TEXT])
{
	if (a->family == SP_FAMILY_IP4)
		print_ip4(a->ip + 12, text);
	else if (a->family == SP_FAMILY_IP6)
		inet_ntop(AF_INET6, a->ip, text, SP_ADDR_TEXT);
	else
		strcpy(text, "none");
	return text;
}

const char *
sp_addr_print(const struct sp_addr *a, char text[SP_ADDR_TEXT])
{
	const bool brackets = a->family == SP_FAMILY_IP6;
	char *at = text;

	if (brackets)
		*at++ = '[';
	/* The port still fits: 64 bytes hold far more than 45 and 9. */
	char ip[SP_ADDR_TEXT];
	const size_t len = strlen(sp_addr_print_ip(a, ip));

	memcpy(at, ip, len);
	at += len;
	if (brackets)
		*at++ = ']';
	if (a->family != SP_FAMILY_NONE) {
		*at++ = ':';
		at = print_number(at, a->port);
	}
	*at = '\0';
	return text;
}

static enum sp_addr_scope
scope_ip4(const uint8_t ip[4])
{
	if (memcmp(ip, zeros, 4) == 0)
		return SP_ADDR_UNSPECIFIED;
	if (ip[0] == 0 || ip[0] == 127 || ip[0] >= 224 ||
		(ip[0] == 169 && ip[1] == 254))
		return SP_ADDR_FORBIDDEN;
	if (ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
		(ip[0] == 192 && ip[1] == 168) ||
		(ip[0] == 100 && (ip[1] & 0xc0) == 64))
		return SP_ADDR_PRIVATE;
	return SP_ADDR_PUBLIC;
}

static enum sp_addr_scope
scope_ip6(const uint8_t ip[16])
{
	if (memcmp(ip, zeros, 16) == 0)
		return SP_ADDR_UNSPECIFIED;
	/* ::1 is an IPv4-compatible 0.0.0.1 here, forbidden as well. */
	if (memcmp(ip, mapped, sizeof mapped) == 0 ||
		memcmp(ip, nat64, sizeof nat64) == 0 ||
		memcmp(ip, zeros, 12) == 0)
		return scope_ip4(ip + 12);
	if (ip[0] == 0x20 && ip[1] == 0x02) /* 6to4 */
		return scope_ip4(ip + 2);
	if (ip[0] == 0xff || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80))
		return SP_ADDR_FORBIDDEN;
	if ((ip[0] & 0xfe) == 0xfc)
		return SP_ADDR_PRIVATE;
	return SP_ADDR_PUBLIC;
}

enum sp_addr_scope
sp_addr_scope(const struct sp_addr *a)
{
	if (a->family == SP_FAMILY_IP4)
		return scope_ip4(a->ip + 12);
	if (a->family == SP_FAMILY_IP6)
		return scope_ip6(a->ip);
	return SP_ADDR_UNSPECIFIED;
}

bool
sp_addr_within(
	const struct sp_addr *a, const struct sp_addr *prefix, unsigned bits)
{
	const unsigned int skip = a->family == SP_FAMILY_IP4 ? 12 : 0;
	const unsigned int whole = skip + bits / 8;
	const unsigned int mask = 0xff00u >> bits % 8 & 0xff;

	if (a->family != prefix->family || a->family == SP_FAMILY_NONE ||
		whole > 16 || (whole == 16 && mask != 0))
		return false;
	if (memcmp(a->ip + skip, prefix->ip + skip, whole - skip) != 0)
		return false;
	return mask == 0 || ((a->ip[whole] ^ prefix->ip[whole]) & mask) == 0;
}
