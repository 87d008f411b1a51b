/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/neigh.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <string.h>

#include "tests/relay/neigh_samples.h"

enum {
	NOWHERE = -1,
};

/* A good packet of one kind, sealed. */
static size_t
good(enum sp_neigh_kind kind, uint8_t out[128])
{
	static const struct {
		const uint8_t *bytes;
		size_t len;
	} samples[] = {
		[SP_NEIGH_ARP_REQUEST] = { arp, sizeof arp },
		[SP_NEIGH_ARP_REPLY] = { arp, sizeof arp },
		[SP_NEIGH_NS] = { ns, sizeof ns },
		[SP_NEIGH_NA] = { na, sizeof na },
		[SP_NEIGH_ECHO] = { ping, sizeof ping },
		[SP_NEIGH_ECHO6] = { ping6, sizeof ping6 },
	};
	const size_t len = samples[kind].len;

	memcpy(out, samples[kind].bytes, len);
	if (kind == SP_NEIGH_ARP_REPLY)
		out[7] = 2;
	return len;
}

static uint16_t
ethertype_of(enum sp_neigh_kind kind)
{
	if (kind == SP_NEIGH_ARP_REQUEST || kind == SP_NEIGH_ARP_REPLY)
		return ARP;
	return kind == SP_NEIGH_ECHO ? IP4 : IP6;
}

/* Changes to a good packet, and what is then said of it. */
struct change_case {
	char name[32];
	enum sp_neigh_kind kind;
	int at[2];
	uint8_t value[2];
	uint8_t cut;
	uint8_t unsealed; /* leave the checksums wrong */
	enum sp_status want;
};

/* clang-format off */
#define AT(a) { (a), NOWHERE }
#define SAME { NOWHERE, NOWHERE }

static struct change_case cases[] = {
	{ "request", SP_NEIGH_ARP_REQUEST, SAME, { 0 }, 0, 0, SP_OK },
	{ "reply", SP_NEIGH_ARP_REPLY, SAME, { 0 }, 0, 0, SP_OK },
	{ "ARP cut", SP_NEIGH_ARP_REQUEST, SAME, { 0 },
		1, 0, SP_SHORT },
	{ "not Ethernet", SP_NEIGH_ARP_REQUEST, AT(1), { 6 },
		0, 0, SP_UNSUPPORTED },
	{ "not IPv4", SP_NEIGH_ARP_REQUEST, AT(2), { 9 },
		0, 0, SP_UNSUPPORTED },
	{ "long MAC", SP_NEIGH_ARP_REQUEST, AT(4), { 8 },
		0, 0, SP_UNSUPPORTED },
	{ "long IP", SP_NEIGH_ARP_REQUEST, AT(5), { 16 },
		0, 0, SP_UNSUPPORTED },
	{ "RARP", SP_NEIGH_ARP_REQUEST, AT(7), { 3 },
		0, 0, SP_UNSUPPORTED },
	{ "from a group MAC", SP_NEIGH_ARP_REQUEST, AT(8), { 3 },
		0, 0, SP_FORBIDDEN },
	{ "from no MAC", SP_NEIGH_ARP_REQUEST, { 8, 13 }, { 0, 0 },
		0, 0, SP_FORBIDDEN },
	{ "from 127", SP_NEIGH_ARP_REQUEST, AT(14), { 127 },
		0, 0, SP_FORBIDDEN },
	{ "from 224", SP_NEIGH_ARP_REPLY, AT(14), { 224 },
		0, 0, SP_FORBIDDEN },
	{ "from 0.0.2.1", SP_NEIGH_ARP_REQUEST, AT(14), { 0 },
		0, 0, SP_FORBIDDEN },
	{ "who has 255", SP_NEIGH_ARP_REQUEST, AT(24), { 255 },
		0, 0, SP_FORBIDDEN },

	{ "NS", SP_NEIGH_NS, SAME, { 0 }, 0, 0, SP_OK },
	{ "NS cut", SP_NEIGH_NS, SAME, { 0 }, 1, 0, SP_SHORT },
	{ "NS cut in IPv6", SP_NEIGH_NS, SAME, { 0 },
		33, 0, SP_SHORT },
	{ "NS without target", SP_NEIGH_NS, AT(5), { 16 },
		16, 0, SP_SHORT },
	{ "version 4", SP_NEIGH_NS, AT(0), { 0x40 },
		0, 0, SP_MALFORMED },
	{ "wrong sum", SP_NEIGH_NS, AT(63), { 8 },
		0, 1, SP_MALFORMED },
	{ "routed NS", SP_NEIGH_NS, AT(7), { 254 },
		0, 0, SP_FORBIDDEN },
	{ "NS code 1", SP_NEIGH_NS, AT(41), { 1 },
		0, 0, SP_MALFORMED },
	{ "NS for a group", SP_NEIGH_NS, AT(48), { 0xff },
		0, 0, SP_FORBIDDEN },
	{ "NS from a group", SP_NEIGH_NS, AT(8), { 0xff },
		0, 0, SP_FORBIDDEN },
	{ "NS with a group MAC", SP_NEIGH_NS, AT(66), { 3 },
		0, 0, SP_FORBIDDEN },
	{ "option of length 0", SP_NEIGH_NS, AT(65), { 0 },
		0, 0, SP_MALFORMED },
	{ "option beyond the end", SP_NEIGH_NS, AT(65), { 2 },
		0, 0, SP_SHORT },
	{ "an option for others", SP_NEIGH_NS, AT(64), { 14 },
		0, 0, SP_OK },
	{ "NS from ::1", SP_NEIGH_NS, { 8, 9 }, { 0, 0 },
		0, 0, SP_FORBIDDEN },
	{ "hop by hop", SP_NEIGH_NS, AT(6), { 0 },
		0, 0, SP_UNSUPPORTED },
	{ "router advertisement", SP_NEIGH_NS, AT(40), { 134 },
		0, 0, SP_UNSUPPORTED },

	{ "NA", SP_NEIGH_NA, SAME, { 0 }, 0, 0, SP_OK },
	{ "routed NA", SP_NEIGH_NA, AT(7), { 64 },
		0, 0, SP_FORBIDDEN },
	{ "NA for a group", SP_NEIGH_NA, AT(48), { 0xff },
		0, 0, SP_FORBIDDEN },
	{ "NA answers to all", SP_NEIGH_NA, AT(24), { 0xff },
		0, 0, SP_FORBIDDEN },
	{ "NA tells all", SP_NEIGH_NA, { 24, 44 }, { 0xff, 0x20 },
		0, 0, SP_OK },

	{ "ping", SP_NEIGH_ECHO, SAME, { 0 }, 0, 0, SP_OK },
	{ "ping cut", SP_NEIGH_ECHO, SAME, { 0 }, 1, 0, SP_SHORT },
	{ "ping cut in IP", SP_NEIGH_ECHO, SAME, { 0 },
		14, 0, SP_SHORT },
	{ "wrong IP sum", SP_NEIGH_ECHO, AT(8), { 4 },
		0, 1, SP_MALFORMED },
	{ "wrong ICMP sum", SP_NEIGH_ECHO, AT(32), { 'O' },
		0, 1, SP_MALFORMED },
	{ "version 6", SP_NEIGH_ECHO, AT(0), { 0x65 },
		0, 0, SP_MALFORMED },
	{ "short header", SP_NEIGH_ECHO, AT(0), { 0x44 },
		0, 0, SP_MALFORMED },
	{ "options", SP_NEIGH_ECHO, AT(0), { 0x46 },
		0, 0, SP_FORBIDDEN },
	{ "length below header", SP_NEIGH_ECHO, AT(3), { 19 },
		0, 0, SP_MALFORMED },
	{ "no room for ICMP", SP_NEIGH_ECHO, AT(3), { 27 },
		6, 0, SP_SHORT },
	{ "more fragments", SP_NEIGH_ECHO, AT(6), { 0x20 },
		0, 0, SP_FORBIDDEN },
	{ "last fragment", SP_NEIGH_ECHO, AT(7), { 9 },
		0, 0, SP_FORBIDDEN },
	{ "UDP", SP_NEIGH_ECHO, AT(9), { 17 }, 0, 0, SP_UNSUPPORTED },
	{ "a reply", SP_NEIGH_ECHO, AT(20), { 0 },
		0, 0, SP_UNSUPPORTED },
	{ "code 1", SP_NEIGH_ECHO, AT(21), { 1 },
		0, 0, SP_UNSUPPORTED },
	{ "to a group", SP_NEIGH_ECHO, AT(16), { 224 },
		0, 0, SP_FORBIDDEN },
	{ "to everybody", SP_NEIGH_ECHO, AT(16), { 255 },
		0, 0, SP_FORBIDDEN },
	{ "from everybody", SP_NEIGH_ECHO, AT(12), { 255 },
		0, 0, SP_FORBIDDEN },
	{ "from this network", SP_NEIGH_ECHO, AT(12), { 0 },
		0, 0, SP_FORBIDDEN },

	{ "ping6", SP_NEIGH_ECHO6, SAME, { 0 }, 0, 0, SP_OK },
	{ "ping6 cut", SP_NEIGH_ECHO6, SAME, { 0 }, 1, 0, SP_SHORT },
	{ "ping6 wrong sum", SP_NEIGH_ECHO6, AT(52), { 'O' },
		0, 1, SP_MALFORMED },
	{ "ping6 to a group", SP_NEIGH_ECHO6, AT(24), { 0xff },
		0, 0, SP_FORBIDDEN },
	{ "ping6 from a group", SP_NEIGH_ECHO6, AT(8), { 0xff },
		0, 0, SP_FORBIDDEN },
	{ "ping6 code 1", SP_NEIGH_ECHO6, AT(41), { 1 },
		0, 0, SP_UNSUPPORTED },
	{ "ping6 reply", SP_NEIGH_ECHO6, AT(40), { 129 },
		0, 0, SP_UNSUPPORTED },
	{ "ping6 of 4 bytes", SP_NEIGH_ECHO6, AT(5), { 4 },
		9, 0, SP_SHORT },
};
/* clang-format on */

ParameterizedTestParameters(neigh_parse, judges)
{
	return cr_make_param_array(
		struct change_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct change_case *tc, neigh_parse, judges)
{
	struct sp_neigh_event e = { .kind = 99 };
	const uint16_t ethertype = ethertype_of(tc->kind);
	uint8_t wire[128];
	const size_t len = good(tc->kind, wire) - tc->cut;

	seal(ethertype, wire, len + tc->cut);
	for (unsigned int i = 0; i < 2; i++)
		if (tc->at[i] != NOWHERE)
			wire[tc->at[i]] = tc->value[i];
	if (!tc->unsealed)
		seal(ethertype, wire, len);
	cr_assert(eq(int, sp_neigh_parse(ethertype, wire, len, &e), tc->want),
		"%s", tc->name);
	cr_expect(eq(u8, e.kind, tc->want == SP_OK ? tc->kind : 99), "%s",
		tc->name);
}

Test(neigh_parse, other_ethertypes_are_not_ours)
{
	struct sp_neigh_event e;

	cr_expect(eq(int, sp_neigh_parse(0x88cc, arp, sizeof arp, &e),
		SP_UNSUPPORTED));
}

Test(neigh_parse, an_arp_request_says_who_asks_for_whom)
{
	const uint8_t mac[] = { PEER_MAC };
	uint8_t copy[128];
	const struct sp_neigh_event e = parse(ARP, arp, sizeof arp, copy);
	char text[SP_ADDR_TEXT];

	cr_expect(
		eq(str, (char *)sp_addr_print(&e.sender, text), "192.0.2.1:0"));
	cr_expect(
		eq(str, (char *)sp_addr_print(&e.target, text), "192.0.2.9:0"));
	cr_expect(memcmp(e.mac, mac, 6) == 0);
	cr_expect(e.learn);
}

Test(neigh_parse, a_probe_is_answered_and_teaches_nothing)
{
	uint8_t wire[sizeof arp];
	struct sp_neigh_event e;

	memcpy(wire, arp, sizeof wire);
	memset(wire + 14, 0, 4);
	cr_assert(eq(int, sp_neigh_parse(ARP, wire, sizeof wire, &e), SP_OK));
	cr_expect(not(e.learn));
	wire[7] = 2;
	cr_expect(eq(int, sp_neigh_parse(ARP, wire, sizeof wire, &e),
			  SP_FORBIDDEN),
		"nobody is nowhere");
}

Test(neigh_parse, an_na_is_about_its_target_and_not_about_its_sender)
{
	const uint8_t target[] = { LL(7) };
	uint8_t wire[sizeof na], copy[128];
	struct sp_neigh_event e;

	memcpy(wire, na, sizeof wire);
	memcpy(wire + 48, target, 16);
	e = parse(IP6, wire, sizeof wire, copy);
	cr_expect(memcmp(e.sender.ip, target, 16) == 0);
	cr_expect(e.learn);
	cr_expect(e.solicited);
	cr_expect(e.override);
	wire[44] = 0;
	e = parse(IP6, wire, sizeof wire, copy);
	cr_expect(not(e.solicited));
	cr_expect(not(e.override));
}

Test(neigh_parse, nd_without_a_mac_teaches_nothing)
{
	uint8_t wire[sizeof ns], copy[128];

	memcpy(wire, ns, sizeof wire);
	wire[5] = 24;
	cr_expect(not(parse(IP6, wire, sizeof wire - 8, copy).learn));
	memcpy(wire, na, sizeof wire);
	wire[5] = 24;
	cr_expect(not(parse(IP6, wire, sizeof wire - 8, copy).learn));
}

Test(neigh_parse, duplicate_detection_has_its_own_rules)
{
	uint8_t wire[128];
	struct sp_neigh_event e;

	cr_expect(not(parse(IP6, dad, sizeof dad, wire).learn));

	wire[24] = 0xfe; /* to the target itself */
	seal(IP6, wire, sizeof dad);
	cr_expect(eq(
		int, sp_neigh_parse(IP6, wire, sizeof dad, &e), SP_FORBIDDEN));

	memcpy(wire, ns, sizeof ns);
	memset(wire + 8, 0, 16); /* with a MAC */
	seal(IP6, wire, sizeof ns);
	cr_expect(eq(
		int, sp_neigh_parse(IP6, wire, sizeof ns, &e), SP_FORBIDDEN));
}

/* Who asks, and whether a host on a link may be called that. */
struct asker_case {
	char name[32];
	uint8_t ip[16];
	enum sp_status want;
};

/* clang-format off */
#define MAPPED(...) { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, __VA_ARGS__ }
#define NAT64(...) { 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, __VA_ARGS__ }

static struct asker_case askers[] = {
	{ "mapped 0.0.0.0", MAPPED(0, 0, 0, 0), SP_FORBIDDEN },
	{ "mapped 0.0.2.1", MAPPED(0, 0, 2, 1), SP_FORBIDDEN },
	{ "mapped 127.0.0.1", MAPPED(127, 0, 0, 1), SP_FORBIDDEN },
	{ "mapped 224.0.0.1", MAPPED(224, 0, 0, 1), SP_FORBIDDEN },
	{ "mapped 192.0.2.1", MAPPED(PEER4), SP_OK },
	{ "NAT64's 0.0.0.0", NAT64(0, 0, 0, 0), SP_FORBIDDEN },
	{ "NAT64's 192.0.2.1", NAT64(PEER4), SP_OK },
	{ "6to4 of 0.0.0.0", { 0x20, 2, 0, 0, 0, 0, 0, 1 }, SP_FORBIDDEN },
	{ "6to4 of 192.0.2.1", { 0x20, 2, PEER4, 0, 1 }, SP_OK },
	{ "compatible 0.0.1.0", { [14] = 1 }, SP_FORBIDDEN },
	{ "unique local", { 0xfd, [15] = 1 }, SP_OK },
	{ "global", { 0x20, 1, 0x0d, 0xb8, [15] = 1 }, SP_OK },
	{ "last link-local", { 0xfe, 0xbf, [15] = 1 }, SP_OK },
};
/* clang-format on */

ParameterizedTestParameters(neigh_parse, learns_only_from_hosts)
{
	return cr_make_param_array(
		struct asker_case, askers, sizeof askers / sizeof *askers);
}

ParameterizedTest(struct asker_case *tc, neigh_parse, learns_only_from_hosts)
{
	struct sp_neigh_event e = { 0 };
	uint8_t wire[sizeof ns];

	memcpy(wire, ns, sizeof wire);
	memcpy(wire + 8, tc->ip, 16);
	seal(IP6, wire, sizeof wire);
	cr_expect(eq(int, sp_neigh_parse(IP6, wire, sizeof wire, &e), tc->want),
		"%s", tc->name);
	cr_expect(eq(int, e.learn, tc->want == SP_OK), "%s", tc->name);
}

Test(neigh_parse, an_option_that_is_not_ours_is_stepped_over)
{
	static const uint8_t nonce[8] = { 14, 1 };
	uint8_t wire[sizeof ns + 8], copy[128];

	memcpy(wire, ns, sizeof ns - 8);
	memcpy(wire + sizeof ns - 8, nonce, 8);
	memcpy(wire + sizeof ns, ns + sizeof ns - 8, 8);
	wire[5] = 40;
	cr_expect(parse(IP6, wire, sizeof wire, copy).learn);
}
