/* SPDX-License-Identifier: BSD-3-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/filter.h"
#include "dataplane/nic.h"
#include "dataplane/xdp_filter.h"
#include "tests/dataplane/filter_path.h"
#include "tests/dataplane/netns.h"

#define ETHER 14
#define FRAME_MAX 256
#define PAYLOAD 20

/* What tc's classifier answers; XDP's are in <linux/bpf.h>. */
#define TC_UNSPEC (-1)
#define TC_SHOT 2

/* The relay: 10.0.0.2 untagged and on VLAN 7, 2001:db8::2 untagged. */
#define FIRST_PORT 30000
#define LAST_PORT 30099
#define VLAN_FIRST_PORT 40000
#define VLAN_LAST_PORT 40001

/* A handmade frame. Arrays, no pointers: Criterion copies each case. */
struct frame_case {
	char name[48];
	int vlan;           /* -1: no tag */
	int family;         /* 4 or 6 */
	int last_byte;      /* of the destination address */
	int protocol;       /* 17: UDP */
	int port;           /* destination */
	int offset;         /* of the fragment, in bytes; 8 or more: a later */
	int options;        /* IPv4: words; IPv6: 0, or a header's
			       type + 256 * its length field */
	unsigned cut;       /* bytes missing at the end */
	unsigned tag_proto; /* 0: 0x8100 */
	bool ours;
};

static size_t
put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return 2;
}

static size_t
put_ip4(uint8_t *at, const struct frame_case *c)
{
	const unsigned words = 5u + (unsigned)c->options;
	const uint8_t source[] = { 10, 0, 0, 1 };
	uint8_t target[] = { 10, 0, 0, 0 };

	target[3] = (uint8_t)c->last_byte;
	memset(at, 0, 4 * words);
	at[0] = (uint8_t)(0x40 | words);
	put16(at + 2, 4 * words + 8 + PAYLOAD);
	put16(at + 6, (unsigned)c->offset / 8);
	at[8] = 64;
	at[9] = (uint8_t)c->protocol;
	memcpy(at + 12, source, 4);
	memcpy(at + 16, target, 4);
	return 4 * words;
}

static size_t
put_ip6(uint8_t *at, const struct frame_case *c)
{
	const uint8_t prefix[] = { 0x20, 0x01, 0x0d, 0xb8 };
	const size_t more = (size_t)c->options >> 8;
	const size_t extension = c->options || c->offset ? 8 * (1 + more) : 0;

	memset(at, 0, 40 + extension);
	at[0] = 0x60;
	put16(at + 4, (unsigned)extension + 8 + PAYLOAD);
	at[6] = (uint8_t)(c->offset  ? 44
			: c->options ? c->options
				     : c->protocol);
	at[7] = 64;
	memcpy(at + 8, prefix, sizeof prefix);
	memcpy(at + 24, prefix, sizeof prefix);
	at[23] = 1;
	at[39] = (uint8_t)c->last_byte;
	if (extension) {
		at[40] = (uint8_t)c->protocol;
		at[41] = (uint8_t)more;
		/* An offset of 1 stands for a first fragment. */
		put16(at + 42, (unsigned)c->offset & 0xfff8);
	}
	return 40 + extension;
}

/* Write the frame of @c into @at; answer its length. */
static size_t
put_frame(uint8_t *at, const struct frame_case *c)
{
	const uint8_t macs[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	size_t n = sizeof macs;

	memcpy(at, macs, sizeof macs);
	if (c->vlan >= 0) {
		n += put16(at + n, c->tag_proto ? c->tag_proto : 0x8100);
		n += put16(at + n, (unsigned)c->vlan);
	}
	n += put16(at + n, c->family == 4 ? 0x0800 : 0x86dd);
	n += c->family == 4 ? put_ip4(at + n, c) : put_ip6(at + n, c);
	n += put16(at + n, 5004);
	n += put16(at + n, (unsigned)c->port);
	n += put16(at + n, 8 + PAYLOAD);
	n += put16(at + n, 0);
	memset(at + n, 0x55, PAYLOAD);
	return n + PAYLOAD - c->cut;
}

/* The filter, loaded and with its ranges set; skips where that is forbidden. */
static struct bpf_object *
loaded(void)
{
	const struct sp_xdp_ranges plain = { { { FIRST_PORT, LAST_PORT },
		{ UINT16_MAX, 0 }, { UINT16_MAX, 0 }, { UINT16_MAX, 0 } } };
	const struct sp_xdp_ranges tagged = { { { UINT16_MAX, 0 },
		{ UINT16_MAX, 0 }, { UINT16_MAX, 0 },
		{ VLAN_FIRST_PORT, VLAN_LAST_PORT } } };
	const struct sp_xdp_key ip4 = { 0, 4,
		{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2 } };
	const struct sp_xdp_key ip6 = { 0, 6,
		{ 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			2 } };
	struct sp_xdp_key ip4_tagged = ip4;
	struct bpf_object *object = bpf_object__open_file(filter_path(), NULL);
	int map;

	cr_assert(object != NULL, "%s: %s", filter_path(), strerror(errno));
	if (bpf_object__load(object) != 0) {
		cr_assert(ne(int, (int)geteuid(), 0),
			"the kernel refuses the filter though we are root");
		cr_skip_test("loading BPF needs root");
	}
	map = bpf_object__find_map_fd_by_name(object, "sp_ranges");
	ip4_tagged.vlan = 7;
	cr_assert(eq(int, bpf_map_update_elem(map, &ip4, &plain, 0), 0));
	cr_assert(eq(int, bpf_map_update_elem(map, &ip6, &plain, 0), 0));
	cr_assert(
		eq(int, bpf_map_update_elem(map, &ip4_tagged, &tagged, 0), 0));
	return object;
}

/* Run program @name on a frame; answer its verdict. */
static int
run(struct bpf_object *object, const char *name, uint8_t *frame, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		.data_size_in = (uint32_t)len, .repeat = 1);
	const int fd =
		bpf_program__fd(bpf_object__find_program_by_name(object, name));
	const int err = bpf_prog_test_run_opts(fd, &opts);

	cr_assert(eq(int, err, 0), "%s: %s", name, strerror(-err));
	return (int)opts.retval;
}

/* Give receive queue 0 a socket: without one there is no redirect. */
static void
open_queue(struct bpf_object *object)
{
	const int map = bpf_object__find_map_fd_by_name(object, "xsks_map");
	const int fd = socket(AF_XDP, SOCK_RAW, 0);
	const uint32_t queue = 0;

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(int, bpf_map_update_elem(map, &queue, &fd, 0), 0));
}

ParameterizedTestParameters(filter, takes_what_is_the_relays_and_no_more)
{
	static struct frame_case cases[] = {
		{ "first port", -1, 4, 2, 17, 30000, 0, 0, 0, 0, true },
		{ "last port", -1, 4, 2, 17, 30099, 0, 0, 0, 0, true },
		{ "a port below", -1, 4, 2, 17, 29999, 0, 0, 0, 0, false },
		{ "a port above", -1, 4, 2, 17, 30100, 0, 0, 0, 0, false },
		{ "other address", -1, 4, 3, 17, 30000, 0, 0, 0, 0, false },
		{ "TCP", -1, 4, 2, 6, 30000, 0, 0, 0, 0, false },
		{ "ICMP", -1, 4, 2, 1, 30000, 0, 0, 0, 0, false },
		{ "IPv4 options", -1, 4, 2, 17, 30000, 0, 10, 0, 0, true },
		{ "options, wrong port", -1, 4, 2, 17, 9, 0, 10, 0, 0, false },
		{ "later fragment", -1, 4, 2, 17, 30000, 8, 0, 0, 0, false },
		{ "last fragment", -1, 4, 2, 17, 30000, 65528, 0, 0, 0, false },
		{ "ports only", -1, 4, 2, 17, 30000, 0, 0, 24, 0, true },
		{ "ports cut", -1, 4, 2, 17, 30000, 0, 0, 25, 0, false },
		{ "IPv4 cut", -1, 4, 2, 17, 30000, 0, 0, 29, 0, false },
		{ "nothing but Ethernet", -1, 4, 2, 17, 30000, 0, 0, 48, 0,
			false },
		{ "IPv6", -1, 6, 2, 17, 30000, 0, 0, 0, 0, true },
		{ "IPv6, port above", -1, 6, 2, 17, 30100, 0, 0, 0, 0, false },
		{ "IPv6, other", -1, 6, 9, 17, 30000, 0, 0, 0, 0, false },
		{ "IPv6 TCP", -1, 6, 2, 6, 30000, 0, 0, 0, 0, false },
		{ "IPv6 hop by hop", -1, 6, 2, 17, 30000, 0, 256, 0, 0, true },
		{ "IPv6 destination", -1, 6, 2, 17, 30000, 0, 60, 0, 0, true },
		{ "IPv6 routing", -1, 6, 2, 17, 30000, 0, 43, 0, 0, false },
		{ "IPv6 first fragment", -1, 6, 2, 17, 30000, 1, 0, 0, 0,
			true },
		{ "IPv6 later fragment", -1, 6, 2, 17, 30000, 8, 0, 0, 0,
			false },
		{ "IPv6 ports cut", -1, 6, 2, 17, 30000, 0, 0, 25, 0, false },
		{ "IPv6 extension cut", -1, 6, 2, 17, 30000, 1, 0, 33, 0,
			false },
		{ "VLAN", 7, 4, 2, 17, 40000, 0, 0, 0, 0, true },
		{ "VLAN with priority", 0xe007, 4, 2, 17, 40001, 0, 0, 0, 0,
			true },
		{ "VLAN, untagged realm's port", 7, 4, 2, 17, 30000, 0, 0, 0, 0,
			false },
		{ "no VLAN, tagged realm's port", -1, 4, 2, 17, 40000, 0, 0, 0,
			0, false },
		{ "other VLAN", 8, 4, 2, 17, 40000, 0, 0, 0, 0, false },
		{ "VLAN without our IPv6", 7, 6, 2, 17, 40000, 0, 0, 0, 0,
			false },
		{ "priority tag only", 0, 4, 2, 17, 30000, 0, 0, 0, 0, true },
		{ "service tag", 7, 4, 2, 17, 40000, 0, 0, 0, 0x88a8, false },
		{ "VLAN, options", 7, 4, 2, 17, 40000, 0, 1, 0, 0, true },
		{ "VLAN, cut", 7, 4, 2, 17, 40000, 0, 0, 25, 0, false },
	};

	return cr_make_param_array(
		struct frame_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct frame_case *c, filter, takes_what_is_the_relays_and_no_more)
{
	uint8_t frame[ETHER + FRAME_MAX] = { 0 };
	uint8_t *bare = frame + ETHER;
	struct bpf_object *object = loaded();
	const size_t len = put_frame(bare, c);

	open_queue(object);
	cr_expect(eq(int, run(object, "sallyport_xdp", bare, len),
			  c->ours ? XDP_REDIRECT : XDP_PASS),
		"xdp: %s", c->name);
	/* The kernel builds no buffer for tc of less than an IP header. */
	if (len >= ETHER + 20)
		cr_expect(eq(int, run(object, "sallyport_tc", bare, len),
				  c->ours ? TC_SHOT : TC_UNSPEC),
			"tc: %s", c->name);
	/* The kernel takes an Ethernet header off before it runs these. */
	cr_expect(eq(int, run(object, "sallyport_sock", frame, ETHER + len),
			  c->ours ? (int)len : 0),
		"packet socket: %s", c->name);
	bpf_object__close(object);
}

Test(filter, leaves_packets_of_an_unopened_queue_to_the_kernel)
{
	const struct frame_case c = { .vlan = -1,
		.family = 4,
		.last_byte = 2,
		.protocol = 17,
		.port = FIRST_PORT };
	uint8_t frame[FRAME_MAX];
	struct bpf_object *object = loaded();

	cr_expect(eq(int,
		run(object, "sallyport_xdp", frame, put_frame(frame, &c)),
		XDP_PASS));
	bpf_object__close(object);
}

static struct sp_filter_entry
entry(unsigned vlan, unsigned last_byte, unsigned first, unsigned last)
{
	const uint8_t ip[4] = { 10, 0, 0, (uint8_t)last_byte };

	return (struct sp_filter_entry){
		.vlan = (uint16_t)vlan,
		.first_port = (uint16_t)first,
		.last_port = (uint16_t)last,
		.addr = sp_addr_ip4(ip, 4711),
	};
}

Test(filter, gathers_the_ranges_of_an_address)
{
	const struct sp_filter_entry entries[] = {
		entry(0, 2, 100, 199),
		entry(0, 2, 300, 399),
		entry(5, 2, 500, 599),
	};
	struct sp_xdp_key key[SP_XDP_ADDRS_MAX];
	struct sp_xdp_ranges ranges[SP_XDP_ADDRS_MAX];
	size_t n = 0;

	cr_assert(eq(int, sp_filter_plan(entries, 3, key, ranges, &n), SP_OK));
	cr_assert(eq(sz, n, 2));
	cr_expect(eq(u16, key[0].vlan, 0));
	cr_expect(eq(u16, key[0].family, 4));
	cr_expect(eq(u8, key[0].ip[15], 2));
	cr_expect(eq(u16, ranges[0].range[1].first, 300));
	cr_expect(eq(u16, ranges[0].range[1].last, 399));
	cr_expect(gt(u16, ranges[0].range[2].first, ranges[0].range[2].last));
	cr_expect(eq(u16, key[1].vlan, 5));
	cr_expect(eq(u16, ranges[1].range[0].first, 500));
}

Test(filter, refuses_a_range_too_many)
{
	struct sp_filter_entry entries[SP_FILTER_RANGES_MAX + 1];
	struct sp_xdp_key key[SP_XDP_ADDRS_MAX];
	struct sp_xdp_ranges ranges[SP_XDP_ADDRS_MAX];
	size_t n = 0;

	for (unsigned i = 0; i <= SP_FILTER_RANGES_MAX; i++)
		entries[i] = entry(0, 2, 100 * i, 100 * i + 1);
	cr_expect(eq(int,
		sp_filter_plan(entries, SP_FILTER_RANGES_MAX, key, ranges, &n),
		SP_OK));
	cr_expect(eq(int,
		sp_filter_plan(
			entries, SP_FILTER_RANGES_MAX + 1, key, ranges, &n),
		SP_FULL));
}

Test(filter, refuses_an_address_too_many)
{
	static struct sp_filter_entry entries[SP_XDP_ADDRS_MAX + 1];
	struct sp_xdp_key key[SP_XDP_ADDRS_MAX];
	struct sp_xdp_ranges ranges[SP_XDP_ADDRS_MAX];
	size_t n = 0;

	for (unsigned i = 0; i <= SP_XDP_ADDRS_MAX; i++)
		entries[i] = entry(i, 2, 100, 199);
	cr_expect(eq(int,
		sp_filter_plan(entries, SP_XDP_ADDRS_MAX, key, ranges, &n),
		SP_OK));
	cr_expect(eq(int,
		sp_filter_plan(entries, SP_XDP_ADDRS_MAX + 1, key, ranges, &n),
		SP_FULL));
}

/* In a network namespace of its own: does @port of loopback hear a datagram? */
static bool
hears(int from, int to, unsigned port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	char byte;

	cr_assert(eq(int,
		(int)sendto(from, "x", 1, 0, (struct sockaddr *)&at, sizeof at),
		1));
	return recv(to, &byte, 1, 0) == 1;
}

static int
bound(unsigned port)
{
	const struct timeval patience = { .tv_usec = 100000 };
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(int,
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			sizeof patience),
		0));
	cr_assert(eq(int, bind(fd, (struct sockaddr *)&at, sizeof at), 0));
	return fd;
}

Test(filter, keeps_the_relays_ports_from_the_kernel_until_closed)
{
	struct sp_nic nic = { .name = "loopback" };
	struct sp_filter_entry e = { .first_port = 30000, .last_port = 30001 };
	const uint8_t loopback[4] = { 127, 0, 0, 1 };
	char why[SP_EAL_WHY] = "";
	int from, in, out;

	netns_enter();
	e.addr = sp_addr_ip4(loopback, 0);
	from = bound(5004);
	in = bound(30001);
	out = bound(30002);

	cr_assert(eq(int,
			  sp_filter_attach(if_nametoindex("lo"), filter_path(),
				  &nic.filter, why),
			  SP_OK),
		"%s", why);
	cr_expect(hears(from, in, 30001), "nothing is the relay's yet");
	cr_assert(eq(int, sp_filter_set(&nic, &e, 1, why), SP_OK));
	cr_expect(not(hears(from, in, 30001)), "it is now");
	cr_expect(hears(from, out, 30002), "others are the kernel's");
	cr_assert(eq(int, sp_filter_set(&nic, NULL, 0, why), SP_OK));
	cr_expect(hears(from, in, 30001), "an empty set");

	cr_assert(eq(int, sp_filter_set(&nic, &e, 1, why), SP_OK));
	sp_filter_close(nic.filter);
	cr_expect(hears(from, in, 30001), "closed");
}

Test(filter, replaces_what_a_killed_run_left)
{
	struct sp_nic nic = { .name = "loopback" };
	struct sp_filter *left;
	struct sp_filter_entry e = { .first_port = 30000, .last_port = 30001 };
	const uint8_t loopback[4] = { 127, 0, 0, 1 };
	char why[SP_EAL_WHY] = "";
	unsigned lo;
	int from, in;

	netns_enter();
	lo = if_nametoindex("lo");
	e.addr = sp_addr_ip4(loopback, 0);
	from = bound(5004);
	in = bound(30001);

	cr_assert(eq(
		int, sp_filter_attach(lo, filter_path(), &left, why), SP_OK));
	nic.filter = left;
	cr_assert(eq(int, sp_filter_set(&nic, &e, 1, why), SP_OK));
	cr_expect(not(hears(from, in, 30001)));
	cr_assert(eq(int, sp_filter_attach(lo, filter_path(), &nic.filter, why),
			  SP_OK),
		"%s", why);
	cr_expect(hears(from, in, 30001), "the old set went with its filter");
	sp_filter_close(nic.filter);
	sp_filter_close(left);
}

Test(filter, says_what_is_wrong_with_a_file)
{
	struct sp_filter *filter = NULL;
	char why[SP_EAL_WHY] = "";

	cr_expect(eq(int, sp_filter_attach(1, "/no/such/file", &filter, why),
		SP_NOT_FOUND));
	cr_expect(strstr(why, "/no/such/file") != NULL);
}
