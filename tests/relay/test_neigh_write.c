/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/neigh.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "tests/relay/neigh_samples.h"

static const struct sp_neigh_link link_to_peer = {
	.to = { PEER_MAC },
	.from = { OUR_MAC },
};

Test(neigh_write, an_arp_question_is_what_a_neighbour_understands)
{
	const struct sp_addr ours = sp_addr_ip4((uint8_t[]){ OURS4 }, 5);
	const struct sp_addr peer = sp_addr_ip4((uint8_t[]){ PEER4 }, 6);
	static const uint8_t want[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		OUR_MAC, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, OUR_MAC, OURS4, NO_MAC,
		PEER4 };
	uint8_t out[60];
	size_t len = 0;

	cr_assert(eq(int,
		sp_neigh_write_request(
			&link_to_peer, &ours, &peer, out, sizeof out, &len),
		SP_OK));
	cr_expect(eq(sz, len, 60), "padded to the shortest frame");
	cr_expect(memcmp(out, want, sizeof want) == 0);
	for (size_t i = sizeof want; i < len; i++)
		cr_expect(eq(u8, out[i], 0));
}

Test(neigh_write, an_nd_question_is_what_a_neighbour_understands)
{
	const struct sp_addr ours = sp_addr_ip6((uint8_t[]){ LL(9) }, 5);
	const struct sp_addr peer =
		sp_addr_ip6((uint8_t[]){ 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0,
				    0, 0, 1, 2, 3, 4 },
			6);
	static const uint8_t ethernet[] = { 0x33, 0x33, 0xff, 2, 3, 4, OUR_MAC,
		0x81, 0, 0, 120, 0x86, 0xdd };
	static const uint8_t group[] = { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		0xff, 2, 3, 4 };
	struct sp_neigh_link tagged = link_to_peer;
	struct sp_neigh_event e;
	uint8_t out[90];
	size_t len = 0;

	tagged.vlan = 120;
	cr_assert(eq(int,
		sp_neigh_write_request(
			&tagged, &ours, &peer, out, sizeof out, &len),
		SP_OK));
	cr_assert(eq(sz, len, 18 + 72));
	cr_expect(memcmp(out, ethernet, sizeof ethernet) == 0);
	cr_expect(memcmp(out + 18 + 24, group, 16) == 0);
	cr_expect(eq(u16, icmp6_sum(out + 18, 72), 0xffff));
	cr_assert(eq(int, sp_neigh_parse(IP6, out + 18, 72, &e), SP_OK));
	cr_expect(eq(u8, e.kind, SP_NEIGH_NS));
	cr_expect(sp_addr_same_ip(&e.sender, &ours));
	cr_expect(sp_addr_same_ip(&e.target, &peer));
	cr_expect(e.learn);
	cr_expect(memcmp(e.mac, tagged.from, 6) == 0);
}

Test(neigh_write, the_answer_to_arp_goes_to_who_asked)
{
	static const uint8_t want[] = { PEER_MAC, OUR_MAC, 8, 6, 0, 1, 8, 0, 6,
		4, 0, 2, OUR_MAC, OURS4, PEER_MAC, PEER4 };
	uint8_t copy[128], out[60];
	const struct sp_neigh_event e = parse(ARP, arp, sizeof arp, copy);
	size_t len = 0;

	cr_assert(eq(int,
		sp_neigh_write_answer(&link_to_peer, &e, out, sizeof out, &len),
		SP_OK));
	cr_expect(eq(sz, len, 60));
	cr_expect(memcmp(out, want, sizeof want) == 0);
}

Test(neigh_write, the_answer_to_nd_goes_to_who_asked)
{
	uint8_t copy[128], out[86];
	const struct sp_neigh_event e = parse(IP6, ns, sizeof ns, copy);
	struct sp_neigh_event back;
	size_t len = 0;

	cr_assert(eq(int,
		sp_neigh_write_answer(&link_to_peer, &e, out, sizeof out, &len),
		SP_OK));
	cr_assert(eq(sz, len, 86));
	cr_expect(memcmp(out, link_to_peer.to, 6) == 0);
	cr_expect(eq(u16, icmp6_sum(out + 14, 72), 0xffff));
	cr_expect(memcmp(out + 14 + 24, e.sender.ip, 16) == 0);
	cr_assert(eq(int, sp_neigh_parse(IP6, out + 14, 72, &back), SP_OK));
	cr_expect(eq(u8, back.kind, SP_NEIGH_NA));
	cr_expect(sp_addr_equal(&back.sender, &e.target));
	cr_expect(memcmp(back.mac, link_to_peer.from, 6) == 0);
	cr_expect(back.solicited);
	cr_expect(back.override);
}

Test(neigh_write, duplicate_detection_is_answered_to_everybody)
{
	static const uint8_t all[] = { 0x33, 0x33, 0, 0, 0, 1 };
	uint8_t copy[128], out[86];
	const struct sp_neigh_event e = parse(IP6, dad, sizeof dad, copy);
	struct sp_neigh_event back;
	size_t len = 0;

	cr_assert(eq(int,
		sp_neigh_write_answer(&link_to_peer, &e, out, sizeof out, &len),
		SP_OK));
	cr_expect(memcmp(out, all, sizeof all) == 0);
	cr_assert(eq(int, sp_neigh_parse(IP6, out + 14, 72, &back), SP_OK));
	cr_expect(not(back.solicited), "or it would be refused");
}

Test(neigh_write, a_ping_comes_back_as_it_was)
{
	uint8_t copy[128], out[128];
	const struct sp_neigh_event e = parse(IP4, ping, sizeof ping, copy);
	const uint8_t *ip = out + 14;
	size_t len = 0;

	cr_assert(eq(int,
		sp_neigh_write_echo(&link_to_peer, &e, out, sizeof out, &len),
		SP_OK));
	cr_expect(eq(sz, len, 60));
	cr_expect(eq(u16, plain_sum(ip, 20, 0), 0xffff));
	cr_expect(eq(u16, plain_sum(ip + 20, 13, 0), 0xffff));
	cr_expect(eq(u8, ip[3], 33));
	cr_expect(eq(u8, ip[20], 0));
	cr_expect(memcmp(ip + 12, e.target.ip + 12, 4) == 0);
	cr_expect(memcmp(ip + 16, e.sender.ip + 12, 4) == 0);
	cr_expect(memcmp(ip + 24, ping + 24, 9) == 0);
}

Test(neigh_write, a_ping6_comes_back_as_it_was)
{
	uint8_t copy[128], out[128];
	const struct sp_neigh_event e = parse(IP6, ping6, sizeof ping6, copy);
	const uint8_t *ip = out + 14;
	size_t len = 0;

	cr_assert(eq(int,
		sp_neigh_write_echo(&link_to_peer, &e, out, sizeof out, &len),
		SP_OK));
	cr_expect(eq(sz, len, 14 + sizeof ping6));
	cr_expect(eq(u16, icmp6_sum(ip, sizeof ping6), 0xffff));
	cr_expect(eq(u8, ip[40], 129));
	cr_expect(memcmp(ip + 8, e.target.ip, 16) == 0);
	cr_expect(memcmp(ip + 24, e.sender.ip, 16) == 0);
	cr_expect(memcmp(ip + 44, ping6 + 44, 9) == 0);
}

Test(neigh_write, nothing_is_written_beyond_the_buffer)
{
	uint8_t copy[128], out[128];
	size_t len = 77;
	struct sp_neigh_event e = parse(ARP, arp, sizeof arp, copy);

	cr_expect(
		eq(int, sp_neigh_write_answer(&link_to_peer, &e, out, 59, &len),
			SP_NO_SPACE));
	cr_expect(eq(int,
		sp_neigh_write_request(
			&link_to_peer, &e.target, &e.sender, out, 59, &len),
		SP_NO_SPACE));
	e = parse(IP6, ns, sizeof ns, copy);
	cr_expect(
		eq(int, sp_neigh_write_answer(&link_to_peer, &e, out, 85, &len),
			SP_NO_SPACE));
	e = parse(IP6, ping6, sizeof ping6, copy);
	cr_expect(eq(int, sp_neigh_write_echo(&link_to_peer, &e, out, 66, &len),
		SP_NO_SPACE));
	e = parse(IP4, ping, sizeof ping, copy);
	cr_expect(eq(int, sp_neigh_write_echo(&link_to_peer, &e, out, 46, &len),
		SP_NO_SPACE));
	cr_expect(eq(sz, len, 77), "untouched");
}

Test(neigh_write, what_asks_for_nothing_gets_no_answer)
{
	uint8_t copy[128], out[128];
	size_t len;
	struct sp_neigh_event e = parse(IP6, na, sizeof na, copy);

	cr_expect(eq(int,
		sp_neigh_write_answer(&link_to_peer, &e, out, sizeof out, &len),
		SP_UNSUPPORTED));
	cr_expect(eq(int,
		sp_neigh_write_echo(&link_to_peer, &e, out, sizeof out, &len),
		SP_UNSUPPORTED));
}
