/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <net/if.h>
#include <string.h>

#include "dataplane/netlink.h"
#include "tests/dataplane/netns.h"

/* What the events told. */
struct seen {
	unsigned int neighbours;
	unsigned int links;
	unsigned int routes;
	unsigned int lost;
	struct sp_netlink_neighbour neighbour; /* the last one of @about */
	struct sp_addr about;
	struct sp_netlink_link link;
};

static struct sp_addr
addr(const char *text)
{
	struct sp_addr a;

	cr_assert(eq(int, sp_addr_parse(text, strlen(text), &a), SP_OK));
	return a;
}

static void
on_neighbour(void *arg, const struct sp_netlink_neighbour *n)
{
	struct seen *seen = arg;

	if (!sp_addr_same_ip(&n->addr, &seen->about))
		return;
	seen->neighbours++;
	seen->neighbour = *n;
}

static void
on_link(void *arg, const struct sp_netlink_link *link)
{
	struct seen *seen = arg;

	seen->links++;
	seen->link = *link;
}

static void
on_routes(void *arg)
{
	((struct seen *)arg)->routes++;
}

static void
on_lost(void *arg)
{
	((struct seen *)arg)->lost++;
}

static struct sp_netlink *
open_netlink(struct seen *seen)
{
	const struct sp_netlink_events events = {
		.arg = seen,
		.neighbour = on_neighbour,
		.link = on_link,
		.routes = on_routes,
		.lost = on_lost,
	};
	struct sp_netlink *nl;

	if (seen)
		memset(seen, 0, sizeof *seen);
	cr_assert(eq(int, sp_netlink_open(seen ? &events : NULL, &nl), SP_OK));
	return nl;
}

/* Serve until @seen has a neighbour in this state, at most five seconds. */
static bool
await(struct sp_netlink *nl, const struct seen *seen,
	enum sp_netlink_reach reach)
{
	while (seen->neighbours == 0 || seen->neighbour.reach != reach) {
		if (!netns_wait(sp_netlink_fd(nl), 5000))
			return false;
		sp_netlink_serve(nl);
	}
	return true;
}

/* Ask for a route from a text to a text; status, and the hop as text. */
static enum sp_status
route(struct sp_netlink *nl, const char *interface, const char *from,
	const char *to, char hop[SP_ADDR_TEXT], uint16_t *mtu)
{
	const struct sp_addr source = addr(from);
	const struct sp_addr dst = addr(to);
	struct sp_netlink_route r;
	const enum sp_status status = sp_netlink_find_route(
		nl, if_nametoindex(interface), &source, &dst, &r);

	hop[0] = '\0';
	if (status == SP_OK) {
		sp_addr_print_ip(&r.hop, hop);
		*mtu = r.mtu;
	}
	return status;
}

struct route_case {
	char name[40];
	char to[40];
	enum sp_status want;
	char hop[40];
	int mtu;
};

ParameterizedTestParameters(netlink, find_route_answers)
{
	/* clang-format off */
	static struct route_case cases[] = {
		{ "on-link", "10.0.0.77", SP_OK, "10.0.0.77", 0 },
		{ "behind the gateway", "8.8.8.8", SP_OK, "10.0.0.2", 0 },
		{ "with an MTU", "10.9.1.1", SP_OK, "10.0.0.3", 1400 },
		{ "IPv4 by IPv6", "10.8.1.1", SP_OK, "fd00::2", 0 },
		{ "unreachable", "10.5.0.1", SP_NOT_FOUND, "", 0 },
		{ "blackhole", "10.6.0.1", SP_NOT_FOUND, "", 0 },
		{ "prohibit", "10.7.0.1", SP_NOT_FOUND, "", 0 },
		{ "our own", "10.0.0.1", SP_NOT_FOUND, "", 0 },
		{ "broadcast", "10.0.0.255", SP_NOT_FOUND, "", 0 },
		{ "multicast", "224.0.0.5", SP_NOT_FOUND, "", 0 },
		{ "IPv6 on-link", "fd00::77", SP_OK, "fd00::77", 0 },
		{ "IPv6 gateway", "2001:db8::1", SP_OK, "fe80::2", 0 },
		{ "IPv6 with an MTU", "fd09::1", SP_OK, "fd00::3", 1300 },
		{ "IPv6 without", "fd08::1", SP_NOT_FOUND, "", 0 },
		{ "our own IPv6", "fd00::1", SP_NOT_FOUND, "", 0 },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct route_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct route_case *tc, netlink, find_route_answers)
{
	char hop[SP_ADDR_TEXT];
	struct sp_netlink *nl;
	uint16_t mtu = 0;

	(void)netns_pair();
	netns_run("ip route add default via 10.0.0.2 && "
		  "ip route add 10.9.0.0/16 via 10.0.0.3 mtu 1400 && "
		  "ip route add 10.8.0.0/16 via inet6 fd00::2 dev va && "
		  "ip route add unreachable 10.5.0.0/16 && "
		  "ip route add blackhole 10.6.0.0/16 && "
		  "ip route add prohibit 10.7.0.0/16 && "
		  "ip route add 2001:db8::/32 via fe80::2 dev va && "
		  "ip route add fd09::/64 via fd00::3 mtu 1300");
	nl = open_netlink(NULL);
	cr_expect(eq(int,
			  route(nl, "va",
				  strchr(tc->to, ':') ? "fd00::1" : "10.0.0.1",
				  tc->to, hop, &mtu),
			  tc->want),
		"%s", tc->name);
	cr_expect(eq(str, hop, tc->hop), "%s", tc->name);
	cr_expect(eq(int, mtu, tc->mtu), "%s", tc->name);
	sp_netlink_close(nl);
}

Test(netlink, the_interface_decides_between_equal_networks)
{
	char hop[SP_ADDR_TEXT];
	struct sp_netlink *nl;
	uint16_t mtu;

	netns_enter();
	netns_link("d1");
	netns_link("d2");
	netns_run("ip addr add 10.0.0.1/24 dev d1 && "
		  "ip addr add 10.0.0.2/24 dev d2 && "
		  "ip route add default via 10.0.0.100 dev d1 metric 10 && "
		  "ip route add default via 10.0.0.200 dev d2 metric 20");
	nl = open_netlink(NULL);
	cr_expect(eq(int, route(nl, "d1", "10.0.0.1", "10.0.0.9", hop, &mtu),
		SP_OK));
	cr_expect(eq(int, route(nl, "d2", "10.0.0.2", "10.0.0.9", hop, &mtu),
		SP_OK));
	cr_expect(eq(
		int, route(nl, "d2", "10.0.0.2", "8.8.8.8", hop, &mtu), SP_OK));
	cr_expect(eq(str, hop, "10.0.0.200"));
	sp_netlink_close(nl);
}

Test(netlink, without_a_route_nothing_is_taken_for_on_link)
{
	char hop[SP_ADDR_TEXT];
	struct sp_netlink *nl;
	uint16_t mtu;

	(void)netns_pair();
	nl = open_netlink(NULL);
	cr_expect(eq(int, route(nl, "va", "10.0.0.1", "8.8.8.8", hop, &mtu),
		SP_NOT_FOUND));
	cr_expect(eq(int, route(nl, "va", "10.0.0.1", "10.0.0.3", hop, &mtu),
			  SP_OK),
		"a failure does not spoil the next question");
	sp_netlink_close(nl);
}

Test(netlink, describes_a_link)
{
	struct sp_netlink_link link;
	struct sp_netlink *nl;

	(void)netns_pair();
	netns_run("ip link set va mtu 1420");
	nl = open_netlink(NULL);
	cr_assert(eq(int, sp_netlink_find_link(nl, if_nametoindex("va"), &link),
		SP_OK));
	cr_expect(eq(u32, link.ifindex, if_nametoindex("va")));
	cr_expect(eq(u16, link.mtu, 1420));
	cr_expect(eq(int, memcmp(link.mac, "\2\0\0\0\0\xa", 6), 0));
	cr_expect(eq(str, link.name, "va"));
	cr_expect(link.up && link.ethernet);
	cr_expect(eq(int, sp_netlink_find_link(nl, if_nametoindex("lo"), &link),
		SP_OK));
	cr_expect(not(link.ethernet));
	cr_expect(eq(u16, link.mtu, UINT16_MAX), "65536 does not fit");
	cr_expect(eq(int, sp_netlink_find_link(nl, 999, &link), SP_NOT_FOUND));
	sp_netlink_close(nl);
}

Test(netlink, lists_the_addresses_that_last)
{
	struct sp_addr list[8];
	char text[SP_ADDR_TEXT];
	struct sp_netlink *nl;
	size_t n = 0;

	(void)netns_pair();
	netns_run("ip addr add 10.0.0.5/24 dev va && "
		  "ip addr add 169.254.0.5/16 dev va scope link && "
		  "ip addr add fd00::9/64 dev va nodad preferred_lft 0");
	nl = open_netlink(NULL);
	cr_assert(eq(int,
		sp_netlink_list_addresses(
			nl, if_nametoindex("va"), list, 8, &n),
		SP_OK));
	cr_assert(eq(sz, n, 3));
	cr_expect(
		eq(str, (char *)sp_addr_print_ip(&list[0], text), "10.0.0.1"));
	cr_expect(
		eq(str, (char *)sp_addr_print_ip(&list[1], text), "10.0.0.5"));
	cr_expect(eq(str, (char *)sp_addr_print_ip(&list[2], text), "fd00::1"));
	cr_expect(eq(int,
		sp_netlink_list_addresses(
			nl, if_nametoindex("va"), list, 2, &n),
		SP_OK));
	cr_expect(eq(sz, n, 2));
	sp_netlink_close(nl);
}

Test(netlink, knows_whose_an_address_is)
{
	const struct sp_addr own = addr("10.0.0.1");
	const struct sp_addr own6 = addr("fd00::1");
	const struct sp_addr peers = addr("10.0.0.2");
	struct sp_netlink *nl;

	(void)netns_pair();
	nl = open_netlink(NULL);
	cr_expect(sp_netlink_has_address(nl, if_nametoindex("va"), &own));
	cr_expect(sp_netlink_has_address(nl, if_nametoindex("va"), &own6));
	cr_expect(not(sp_netlink_has_address(nl, if_nametoindex("lo"), &own)));
	cr_expect(
		not(sp_netlink_has_address(nl, if_nametoindex("va"), &peers)));
	sp_netlink_close(nl);
}

Test(netlink, finds_the_default_route_with_the_lowest_metric)
{
	struct sp_netlink *nl;
	uint32_t ifindex = 0;

	netns_enter();
	nl = open_netlink(NULL);
	cr_expect(eq(int, sp_netlink_find_default(nl, &ifindex), SP_NOT_FOUND));
	netns_link("d1");
	netns_link("d2");
	netns_link("d3");
	netns_run("ip route add default dev d3 table 100 && "
		  "ip -6 route add default dev d3");
	cr_expect(eq(int, sp_netlink_find_default(nl, &ifindex), SP_OK));
	cr_expect(eq(u32, ifindex, if_nametoindex("d3")), "only IPv6 has one");
	netns_run("ip route add default dev d1 metric 20 && "
		  "ip route add default dev d2 metric 10");
	cr_expect(eq(int, sp_netlink_find_default(nl, &ifindex), SP_OK));
	cr_expect(eq(u32, ifindex, if_nametoindex("d2")));
	netns_run("ip route del default dev d2 && "
		  "ip route add default metric 5 nexthop dev d3 "
		  "nexthop dev d1");
	cr_expect(eq(int, sp_netlink_find_default(nl, &ifindex), SP_OK));
	cr_expect(eq(u32, ifindex, if_nametoindex("d3")));
	sp_netlink_close(nl);
}

struct use_case {
	char peer[16];
	enum sp_netlink_reach want;
};

ParameterizedTestParameters(netlink, use_makes_the_kernel_resolve)
{
	static struct use_case cases[] = {
		{ "10.0.0.2", SP_NETLINK_KNOWN },
		{ "fd00::2", SP_NETLINK_KNOWN },
		{ "10.0.0.66", SP_NETLINK_FAILED },
		{ "fd00::66", SP_NETLINK_FAILED },
	};

	return cr_make_param_array(
		struct use_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct use_case *tc, netlink, use_makes_the_kernel_resolve)
{
	const struct sp_addr peer = addr(tc->peer);
	struct sp_netlink_neighbour n;
	struct sp_netlink *nl;
	struct seen seen;
	uint32_t va;

	(void)netns_pair();
	netns_hurry();
	va = if_nametoindex("va");
	nl = open_netlink(&seen);
	seen.about = peer;
	cr_expect(eq(int, sp_netlink_find_neighbour(nl, va, &peer, &n),
		SP_NOT_FOUND));
	sp_netlink_use_neighbour(nl, va, &peer);
	cr_assert(await(nl, &seen, tc->want), "%s", tc->peer);
	cr_expect(eq(u32, seen.neighbour.ifindex, va));
	if (tc->want == SP_NETLINK_KNOWN) {
		cr_expect(eq(int,
			memcmp(seen.neighbour.mac, "\2\0\0\0\0\xb", 6), 0));
		cr_expect(eq(int, sp_netlink_find_neighbour(nl, va, &peer, &n),
			SP_OK));
		cr_expect(eq(int, n.reach, SP_NETLINK_KNOWN));
		cr_expect(eq(int, memcmp(n.mac, seen.neighbour.mac, 6), 0));
	}
	sp_netlink_close(nl);
}

Test(netlink, tells_when_the_kernel_forgets_a_neighbour)
{
	struct sp_netlink *nl;
	struct seen seen;

	(void)netns_pair();
	netns_run("ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev va");
	nl = open_netlink(&seen);
	seen.about = addr("10.0.0.7");
	netns_run("ip neigh del 10.0.0.7 dev va");
	cr_expect(await(nl, &seen, SP_NETLINK_UNKNOWN));
	sp_netlink_close(nl);
}

Test(netlink, tells_of_routes_rules_and_links)
{
	struct sp_netlink *nl;
	struct seen seen;

	(void)netns_pair();
	nl = open_netlink(&seen);
	sp_netlink_serve(nl);
	cr_expect(eq(uint, seen.routes + seen.links + seen.lost, 0));

	netns_run("ip route add 10.9.0.0/16 via 10.0.0.2");
	sp_netlink_serve(nl);
	cr_expect(eq(uint, seen.routes, 1));
	netns_run("ip -6 route add fd09::/64 via fd00::2");
	sp_netlink_serve(nl);
	cr_expect(eq(uint, seen.routes, 2));
	netns_run("ip rule add from 10.0.0.1 table 7");
	sp_netlink_serve(nl);
	cr_expect(eq(uint, seen.routes, 3));
	netns_run("ip -6 rule add from fd00::1 table 7");
	sp_netlink_serve(nl);
	cr_expect(eq(uint, seen.routes, 4));
	netns_run("ip link set va mtu 1300");
	sp_netlink_serve(nl);
	cr_expect(ge(uint, seen.links, 1));
	cr_expect(eq(u16, seen.link.mtu, 1300));
	netns_run("ip link set va down");
	sp_netlink_serve(nl);
	cr_expect(not(seen.link.up));
	sp_netlink_close(nl);
}

Test(netlink, notices_that_news_was_lost_and_asks_for_all)
{
	struct sp_netlink *nl;
	struct seen seen;

	(void)netns_pair();
	nl = open_netlink(&seen);
	seen.about = addr("10.0.0.7");
	netns_run("i=0; while [ $i -lt 16000 ]; do "
		  "echo route add 11.0.$((i/256)).$((i%%256)) dev va; "
		  "i=$((i+1)); done | ip -batch -");
	netns_run("ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev va");
	while (netns_wait(sp_netlink_fd(nl), 0))
		sp_netlink_serve(nl);
	cr_expect(ge(uint, seen.lost, 1));
	cr_expect(gt(uint, seen.routes, 0));
	cr_expect(eq(uint, seen.neighbours, 0));

	cr_assert(eq(int, sp_netlink_resync(nl), SP_OK));
	cr_expect(await(nl, &seen, SP_NETLINK_KNOWN));
	cr_expect(eq(int, seen.neighbour.mac[5], 7));
	sp_netlink_close(nl);
}

Test(netlink, without_events_it_has_no_descriptor)
{
	struct sp_netlink *nl;

	netns_enter();
	nl = open_netlink(NULL);
	cr_expect(eq(int, sp_netlink_fd(nl), -1));
	sp_netlink_serve(nl);
	sp_netlink_close(nl);
	sp_netlink_close(NULL);
}
