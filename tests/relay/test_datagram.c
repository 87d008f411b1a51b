/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/datagram.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <string.h>

enum {
	NOWHERE = -1,
};

static const uint8_t ip4[] = { 0x45, 0x02, 0, 32, 0x12, 0x34, 0x40, 0, 64, 17,
	0, 0, 192, 0, 2, 1, 198, 51, 100, 7, /* UDP */ 0x13, 0x88, 0x75, 0x30,
	0, 12, 0xab, 0xcd, 1, 2, 3, 4 };

static const uint8_t ip6[] = { 0x60, 0x30, 0, 0, 0, 12, 17, 64, 0x20, 0x01,
	0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 0x01, 0x0d, 0xb8,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, /* UDP */ 0x13, 0x88, 0x75, 0x30, 0,
	12, 0xab, 0xcd, 1, 2, 3, 4 };

/* Make the IPv4 header checksum right again, the long way. */
static void
seal(uint8_t *ip)
{
	const unsigned int header = 4u * (ip[0] & 15);
	uint32_t sum = 0;

	ip[10] = ip[11] = 0;
	for (unsigned int i = 0; i < header; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (uint8_t)(~sum >> 8);
	ip[11] = (uint8_t)~sum;
}

Test(datagram, reads_an_ip4_header)
{
	uint8_t wire[sizeof ip4 + 14] = { 0 };
	struct sp_datagram d = { 0 };

	memcpy(wire, ip4, sizeof ip4);
	seal(wire);
	/* The 14 bytes after it are Ethernet's padding. */
	cr_assert(eq(int, sp_datagram_parse(wire, sizeof wire, &d),
		SP_VERDICT_FORWARD));
	const struct sp_addr from = sp_addr_ip4(wire + 12, 5000);
	const struct sp_addr to = sp_addr_ip4(wire + 16, 30000);

	cr_expect(sp_addr_equal(&d.from, &from));
	cr_expect(sp_addr_equal(&d.to, &to));
	cr_expect(eq(u8, d.header_len, 28));
	cr_expect(eq(u16, d.payload_len, 4));
	cr_expect(eq(u8, d.ecn, 2));
	cr_expect(eq(u16, sp_sum_swap(d.check_be), 0xabcd));
	cr_expect(eq(u8, d.partial, 0));
	cr_expect(eq(u16, sp_sum_fold(d.pseudo_be),
		sp_sum_fold(sp_sum_bytes(wire + 12, 12))));
}

Test(datagram, reads_an_ip6_header)
{
	struct sp_datagram d = { 0 };

	cr_assert(eq(int, sp_datagram_parse(ip6, sizeof ip6, &d),
		SP_VERDICT_FORWARD));
	const struct sp_addr from = sp_addr_ip6(ip6 + 8, 5000);
	const struct sp_addr to = sp_addr_ip6(ip6 + 24, 30000);

	cr_expect(sp_addr_equal(&d.from, &from));
	cr_expect(sp_addr_equal(&d.to, &to));
	cr_expect(eq(u8, d.header_len, 48));
	cr_expect(eq(u16, d.payload_len, 4));
	cr_expect(eq(u8, d.ecn, 3));
	cr_expect(eq(u16, sp_sum_fold(d.pseudo_be),
		sp_sum_fold(sp_sum_bytes(ip6 + 8, 36))));
}

Test(datagram, knows_a_checksum_that_was_left_to_the_nic)
{
	uint8_t wire[sizeof ip4];
	struct sp_datagram d = { 0 };
	uint16_t pseudo;

	memcpy(wire, ip4, sizeof ip4);
	seal(wire);
	pseudo = sp_sum_fold(
		sp_sum_bytes(wire + 12, 8) + sp_sum_swap(17) + sp_sum_swap(12));
	memcpy(wire + 26, &pseudo, sizeof pseudo);
	cr_assert(eq(int, sp_datagram_parse(wire, sizeof wire, &d),
		SP_VERDICT_FORWARD));
	cr_expect(eq(u8, d.partial, 1));
}

/* One change to a good packet, and the verdict it earns. */
struct change_case {
	char name[32];
	int at[2]; /* NOWHERE: no change */
	uint8_t value[2];
	uint8_t cut;    /* bytes off its end */
	uint8_t unseal; /* leave the checksum wrong */
	enum sp_verdict want;
};

/* clang-format off */
#define AT(a) { (a), NOWHERE }
#define SAME { NOWHERE, NOWHERE }
/* clang-format on */

ParameterizedTestParameters(datagram, ip4_has_a_verdict_for_all_else)
{
	/* clang-format off */
	static struct change_case cases[] = {
		{ "good", SAME, { 0 }, 0, 0, SP_VERDICT_FORWARD },
		{ "wrong checksum", AT(8), { 63 }, 0, 1, SP_VERDICT_BAD_SUM },
		{ "version 5", AT(0), { 0x55 }, 0, 0, SP_VERDICT_BAD_FRAME },
		{ "version 0", AT(0), { 0x05 }, 0, 0, SP_VERDICT_BAD_FRAME },
		{ "4 words of header", AT(0), { 0x44 },
			0, 0, SP_VERDICT_BAD_FRAME },
		{ "options", AT(0), { 0x46 }, 0, 0, SP_VERDICT_IP_OPTIONS },
		{ "options beyond the end", AT(0), { 0x4f },
			0, 1, SP_VERDICT_BAD_FRAME },
		{ "a byte cut", SAME, { 0 }, 1, 0, SP_VERDICT_BAD_FRAME },
		{ "cut in UDP", SAME, { 0 }, 5, 0, SP_VERDICT_BAD_FRAME },
		{ "cut in IP", SAME, { 0 }, 13, 0, SP_VERDICT_BAD_FRAME },
		{ "empty", SAME, { 0 }, 32, 0, SP_VERDICT_BAD_FRAME },
		{ "IP length short of UDP", { 3, 25 }, { 27, 7 },
			0, 0, SP_VERDICT_BAD_FRAME },
		{ "no payload", { 3, 25 }, { 28, 8 },
			0, 0, SP_VERDICT_FORWARD },
		{ "IP length short of IP", AT(3), { 19 },
			0, 0, SP_VERDICT_BAD_FRAME },
		{ "UDP longer than IP", AT(25), { 13 },
			0, 0, SP_VERDICT_BAD_FRAME },
		{ "UDP shorter than IP", AT(25), { 11 },
			0, 0, SP_VERDICT_BAD_FRAME },
		{ "UDP of 256 more", AT(24), { 1 },
			0, 0, SP_VERDICT_BAD_FRAME },
		{ "source port 0", { 20, 21 }, { 0, 0 },
			0, 0, SP_VERDICT_BAD_FRAME },
		{ "more fragments", AT(6), { 0x20 },
			0, 0, SP_VERDICT_FRAGMENT },
		{ "a later fragment", AT(7), { 1 }, 0, 0, SP_VERDICT_FRAGMENT },
		{ "a far fragment", AT(6), { 0x10 },
			0, 0, SP_VERDICT_FRAGMENT },
		{ "the reserved bit", AT(6), { 0x80 },
			0, 0, SP_VERDICT_FORWARD },
		{ "fragment of ICMP", { 6, 9 }, { 0x20, 1 },
			0, 0, SP_VERDICT_FRAGMENT },
		{ "ICMP", AT(9), { 1 }, 0, 0, SP_VERDICT_PUNT },
		{ "ICMPv6 in IPv4", AT(9), { 58 }, 0, 0, SP_VERDICT_NOT_OURS },
		{ "TCP", AT(9), { 6 }, 0, 0, SP_VERDICT_NOT_OURS },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct change_case, cases, sizeof cases / sizeof *cases);
}

static void
change(const struct change_case *tc, uint8_t *wire)
{
	for (unsigned int i = 0; i < 2; i++)
		if (tc->at[i] != NOWHERE)
			wire[tc->at[i]] = tc->value[i];
}

ParameterizedTest(
	struct change_case *tc, datagram, ip4_has_a_verdict_for_all_else)
{
	struct sp_datagram d = { .header_len = 99 };
	uint8_t wire[64] = { 0 };

	memcpy(wire, ip4, sizeof ip4);
	seal(wire);
	change(tc, wire);
	if (!tc->unseal)
		seal(wire);
	cr_expect(eq(int, sp_datagram_parse(wire, sizeof ip4 - tc->cut, &d),
			  tc->want),
		"%s", tc->name);
	cr_expect(eq(int, d.header_len == 99, tc->want != SP_VERDICT_FORWARD),
		"%s", tc->name);
}

ParameterizedTestParameters(datagram, ip6_has_a_verdict_for_all_else)
{
	/* clang-format off */
	static struct change_case cases[] = {
		{ "good", SAME, { 0 }, 0, 0, SP_VERDICT_FORWARD },
		{ "version 5", AT(0), { 0x50 }, 0, 0, SP_VERDICT_BAD_FRAME },
		{ "version 7", AT(0), { 0x70 }, 0, 0, SP_VERDICT_BAD_FRAME },
		{ "a byte cut", SAME, { 0 }, 1, 0, SP_VERDICT_BAD_FRAME },
		{ "cut in UDP", SAME, { 0 }, 5, 0, SP_VERDICT_BAD_FRAME },
		{ "cut in IP", SAME, { 0 }, 13, 0, SP_VERDICT_BAD_FRAME },
		{ "UDP longer than IP", AT(45), { 13 },
			0, 0, SP_VERDICT_BAD_FRAME },
		{ "UDP shorter than IP", AT(45), { 11 },
			0, 0, SP_VERDICT_BAD_FRAME },
		{ "both 7", { 5, 45 }, { 7, 7 }, 0, 0, SP_VERDICT_BAD_FRAME },
		{ "both 8", { 5, 45 }, { 8, 8 }, 0, 0, SP_VERDICT_FORWARD },
		{ "jumbogram", AT(5), { 0 }, 0, 0, SP_VERDICT_BAD_FRAME },
		{ "source port 0", { 40, 41 }, { 0, 0 },
			0, 0, SP_VERDICT_BAD_FRAME },
		{ "no checksum", { 46, 47 }, { 0, 0 },
			0, 0, SP_VERDICT_BAD_SUM },
		{ "hop by hop", AT(6), { 0 }, 0, 0, SP_VERDICT_IP_OPTIONS },
		{ "routing", AT(6), { 43 }, 0, 0, SP_VERDICT_IP_OPTIONS },
		{ "destination", AT(6), { 60 }, 0, 0, SP_VERDICT_IP_OPTIONS },
		{ "fragment", AT(6), { 44 }, 0, 0, SP_VERDICT_FRAGMENT },
		{ "ICMPv6", AT(6), { 58 }, 0, 0, SP_VERDICT_PUNT },
		{ "ICMP in IPv6", AT(6), { 1 }, 0, 0, SP_VERDICT_NOT_OURS },
		{ "TCP", AT(6), { 6 }, 0, 0, SP_VERDICT_NOT_OURS },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct change_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct change_case *tc, datagram, ip6_has_a_verdict_for_all_else)
{
	struct sp_datagram d = { .header_len = 99 };
	uint8_t wire[sizeof ip6];

	memcpy(wire, ip6, sizeof ip6);
	change(tc, wire);
	cr_expect(eq(int, sp_datagram_parse(wire, sizeof ip6 - tc->cut, &d),
			  tc->want),
		"%s", tc->name);
	cr_expect(eq(int, d.header_len == 99, tc->want != SP_VERDICT_FORWARD),
		"%s", tc->name);
}

Test(datagram, icmp_needs_no_room_for_a_udp_header)
{
	uint8_t wire[40] = { 0x45, 0, 0, 24, [8] = 64, [9] = 1 };
	struct sp_datagram d = { 0 };

	seal(wire);
	cr_expect(eq(int, sp_datagram_parse(wire, 24, &d), SP_VERDICT_PUNT));
	memset(wire, 0, sizeof wire);
	wire[0] = 0x60;
	wire[6] = 58;
	cr_expect(eq(int, sp_datagram_parse(wire, 40, &d), SP_VERDICT_PUNT));
}
