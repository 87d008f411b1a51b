/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/dataplane/bed_relay.h"

#define PAYLOAD 20

/* A good frame, and what was done to it. */
struct frame_case {
	char name[40];
	enum bed_local to; /* whose address it goes to */
	bool tagged;
	uint16_t tci;
	uint16_t tpid;
	uint8_t nic;
	uint16_t port;    /* 0: 30000 */
	uint8_t mac0;     /* first byte of the destination, 0: ours */
	uint8_t n;        /* bytes changed... */
	uint8_t at[4];    /* ...so far into the IP header */
	uint8_t value[4]; /* ...to this */
	bool reseal;      /* make the IPv4 header checksum right again */
	enum sp_verdict want;
};

/* clang-format off */
#define IS(verdict) .want = SP_VERDICT_##verdict
#define V4(verdict, ...) { .to = BED_IP4, IS(verdict), __VA_ARGS__ }
#define V6(verdict, ...) { .to = BED_IP6, IS(verdict), __VA_ARGS__ }
#define TAG(vlan, verdict, ...) { .to = BED_TAGGED4, .tagged = true,          \
	.tci = vlan, IS(verdict), __VA_ARGS__ }
#define TAG6(verdict, ...) { .to = BED_TAGGED6, .tagged = true, .tci = 120,   \
	IS(verdict), __VA_ARGS__ }
#define PATCH1(a, v) .n = 1, .at = { a }, .value = { v }
/* clang-format on */

/* clang-format off */
static struct frame_case frames[] = {
	V4(FORWARD, .name = "IPv4"),
	V6(FORWARD, .name = "IPv6"),
	TAG(120, FORWARD, .name = "tagged IPv4"),
	TAG6(FORWARD, .name = "tagged IPv6"),
	TAG(0xb078, FORWARD, .name = "tagged with priority"),
	V4(FORWARD, .name = "priority tag only", .tagged = true,
		.tci = 0xa000),
	{ .name = "same address on the other NIC", .to = BED_TWIN,
		.nic = 1, IS(FORWARD) },
	{ .name = "same address, NIC of neither", .to = BED_TWIN,
		.nic = 0, IS(NOT_OURS) },
	TAG(120, NOT_OURS, .name = "same address, tagged on NIC 1",
		.nic = 1),
	TAG(121, NOT_OURS, .name = "another VLAN"),
	TAG(120, NOT_OURS, .name = "service tag", .tpid = 0x88a8),
	V4(NOT_OURS, .name = "tagged for an untagged realm",
		.tagged = true,
		.tci = 120),
	V4(FORWARD, .name = "first port", .port = 30000),
	V4(FORWARD, .name = "last port", .port = 39999),
	V4(NOT_OURS, .name = "port before the range", .port = 29999),
	V4(NOT_OURS, .name = "port after the range", .port = 40000),
	V4(NOT_OURS, .name = "multicast MAC", .mac0 = 0x01),
	V4(NOT_OURS, .name = "broadcast MAC", .mac0 = 0xff),
	V6(NOT_OURS, .name = "multicast MAC, IPv6", .mac0 = 0x33),
	V4(NOT_OURS, .name = "another address", PATCH1(19, 11),
		.reseal = true),
	V6(NOT_OURS, .name = "another IPv6 address", PATCH1(39, 1)),
	V4(BAD_SUM, .name = "wrong IPv4 checksum", PATCH1(10, 0)),
	V6(BAD_SUM, .name = "IPv6 without UDP checksum", .n = 2,
		.at = { 46, 47 }, .value = { 0, 0 }),
	V4(FRAGMENT, .name = "first fragment", PATCH1(6, 0x20),
		.reseal = true),
	V4(FRAGMENT, .name = "later fragment", PATCH1(7, 1),
		.reseal = true),
	V4(FRAGMENT, .name = "fragment in the high bits",
		PATCH1(6, 0x01),
		.reseal = true),
	V6(FRAGMENT, .name = "IPv6 fragment", PATCH1(6, 44)),
	V4(IP_OPTIONS, .name = "IPv4 options", PATCH1(0, 0x46),
		.reseal = true),
	V4(BAD_FRAME, .name = "IPv4 header too short", PATCH1(0, 0x44),
		.reseal = true),
	V6(IP_OPTIONS, .name = "hop-by-hop options", PATCH1(6, 0)),
	V6(IP_OPTIONS, .name = "routing header", PATCH1(6, 43)),
	V6(IP_OPTIONS, .name = "destination options", PATCH1(6, 60)),
	V4(NOT_OURS, .name = "TCP", PATCH1(9, 6), .reseal = true),
	V6(NOT_OURS, .name = "TCP over IPv6", PATCH1(6, 6)),
	V4(NOT_OURS, .name = "ICMP, shared", PATCH1(9, 1),
		.reseal = true),
	V6(NOT_OURS, .name = "ICMPv6, shared", PATCH1(6, 58)),
	TAG(120, PUNT, .name = "ICMP, dedicated", PATCH1(9, 1),
		.reseal = true),
	TAG6(PUNT, .name = "ICMPv6, dedicated", PATCH1(6, 58)),
	TAG6(PUNT, .name = "ICMPv6 to many, dedicated", PATCH1(6, 58),
		.mac0 = 0x33),
	V4(BAD_FRAME, .name = "version 6 in IPv4's frame",
		PATCH1(0, 0x65)),
	V6(BAD_FRAME, .name = "version 4 in IPv6's frame",
		PATCH1(0, 0x45)),
	V4(BAD_FRAME, .name = "longer than the frame", PATCH1(3, 200),
		.reseal = true),
	V4(BAD_FRAME, .name = "UDP shorter than IP", PATCH1(25,
		PAYLOAD + 7)),
	V4(BAD_FRAME, .name = "UDP longer than IP", PATCH1(25,
		PAYLOAD + 9)),
	V6(BAD_FRAME, .name = "UDP over IPv6 too short", PATCH1(45, 7)),
	V4(BAD_FRAME, .name = "source port 0", .n = 2,
		.at = { 20, 21 }),
	V4(FORWARD, .name = "wrong UDP checksum is not ours to judge",
		PATCH1(26, 0x5a)),
};
/* clang-format on */

ParameterizedTestParameters(classify, judges_frames)
{
	return cr_make_param_array(
		struct frame_case, frames, sizeof frames / sizeof *frames);
}

static void
make(const struct bed *bed, const struct frame_case *tc, struct packet *p)
{
	static const uint8_t payload[PAYLOAD] = "what does it matter";
	const bool ip6 = bed->locals.local[tc->to].addr.family == SP_FAMILY_IP6;
	struct packet_shape s = {
		.from = packet_addr(ip6 ? "2001:db8::1" : "192.0.2.1", 4000),
		.to = bed->locals.local[tc->to].addr,
		.tagged = tc->tagged,
		.tci = tc->tci,
		.tpid = tc->tpid,
	};
	uint8_t *ip = p->frame + (tc->tagged ? 18 : 14);

	s.to.port = tc->port ? tc->port : 30000;
	packet_write(p, &s, payload, sizeof payload);
	if (tc->mac0)
		p->frame[0] = tc->mac0;
	for (unsigned int i = 0; i < tc->n; i++)
		ip[tc->at[i]] = tc->value[i];
	if (tc->reseal) {
		packet_put16(ip + 10, 0);
		packet_put16(
			ip + 10, packet_sum(0, ip, 4u * (ip[0] & 15)) ^ 0xffff);
	}
}

static enum sp_verdict
classify(struct bed *bed)
{
	sp_stage_classify(&bed->burst, &bed->locals);
	return (enum sp_verdict)bed->burst.verdict[bed->burst.count - 1];
}

ParameterizedTest(struct frame_case *tc, classify, judges_frames)
{
	struct bed *bed = bed_open();
	struct packet p;

	make(bed, tc, &p);
	bed_add(bed, &p, tc->nic);
	cr_expect(eq(int, classify(bed), tc->want), "%s", tc->name);
	if (tc->want == SP_VERDICT_FORWARD) {
		cr_expect(eq(int, bed->burst.local[0], tc->to), "%s", tc->name);
		cr_expect(eq(int, memcmp(bed->burst.payload[0], "what does", 9),
				  0),
			"%s", tc->name);
		cr_expect(eq(u16, bed->burst.datagram[0].payload_len, PAYLOAD),
			"%s", tc->name);
	}
	bed_close(bed);
}

Test(classify, frame_cut_anywhere_is_a_bad_one)
{
	struct bed *bed = bed_open();

	for (enum bed_local to = BED_IP4; to <= BED_TAGGED6; to++) {
		const struct frame_case tc = {
			.to = to, .tagged = to >= BED_TAGGED4, .tci = 120
		};
		struct packet p;

		make(bed, &tc, &p);
		for (uint16_t len = 0; len < p.len; len++) {
			/* A buffer of its own, so that no byte more is read. */
			uint8_t *exact = malloc(len ? len : 1);
			struct rte_mbuf *m;

			cr_assert(exact != NULL);
			memcpy(exact, p.frame, len);
			bed->burst.count = 0;
			m = bed_add(bed, &p, 0);
			m->buf_addr = exact;
			m->data_off = 0;
			m->buf_len = len;
			m->data_len = len;
			m->pkt_len = len;
			cr_expect(eq(int, classify(bed), SP_VERDICT_BAD_FRAME),
				"local %d, %u bytes", to, len);
			free(exact);
		}
	}
	bed_close(bed);
}

Test(classify, bytes_after_the_packet_are_padding)
{
	struct bed *bed = bed_open();
	const struct frame_case tc = { .to = BED_IP4 };
	struct packet p;

	make(bed, &tc, &p);
	memset(p.frame + p.len, 0xaa, 40);
	p.len += 40;
	bed_add(bed, &p, 0);
	cr_expect(eq(int, classify(bed), SP_VERDICT_FORWARD));
	cr_expect(eq(u16, bed->burst.datagram[0].payload_len, PAYLOAD));
	bed_close(bed);
}

Test(classify, arp_is_for_dedicated_links_only)
{
	struct bed *bed = bed_open();
	struct packet p = { .frame = "\xff\xff\xff\xff\xff\xff" PACKET_PEER
				     "\x08\x06\0\1\x08\0\6\4\0\1",
		.len = 60 };

	bed_add(bed, &p, 0);
	cr_expect(eq(int, classify(bed), SP_VERDICT_NOT_OURS));
	memmove(p.frame + 16, p.frame + 12, 40);
	memcpy(p.frame + 12, "\x81\0\0\x78", 4);
	bed_add(bed, &p, 0);
	cr_expect(eq(int, classify(bed), SP_VERDICT_PUNT));
	p.frame[15] = 121;
	bed_add(bed, &p, 0);
	cr_expect(eq(int, classify(bed), SP_VERDICT_NOT_OURS));
	bed_close(bed);
}

Test(classify, other_ethertypes_are_not_ours)
{
	struct bed *bed = bed_open();
	struct packet p = { .frame = PACKET_OURS PACKET_PEER "\x88\xcc",
		.len = 60 };

	bed_add(bed, &p, 0);
	cr_expect(eq(int, classify(bed), SP_VERDICT_NOT_OURS));
	bed_close(bed);
}

Test(classify, takes_a_tag_that_the_nic_took_off)
{
	struct bed *bed = bed_open();
	const struct frame_case tc = { .to = BED_TAGGED4 };
	struct packet p;
	struct rte_mbuf *m;

	make(bed, &tc, &p);
	m = bed_add(bed, &p, 0);
	m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = 0xa078; /* with a priority */
	cr_expect(eq(int, classify(bed), SP_VERDICT_FORWARD));
	cr_expect(eq(int, bed->burst.local[0], BED_TAGGED4));
	bed_close(bed);
}

Test(classify, tag_below_the_one_taken_off_opens_no_door)
{
	struct bed *bed = bed_open();
	const struct frame_case tc = {
		.to = BED_TAGGED4, .tagged = true, .tci = 120
	};
	struct packet p;
	struct rte_mbuf *m;

	make(bed, &tc, &p);
	m = bed_add(bed, &p, 0);
	m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = 999;
	cr_expect(eq(int, classify(bed), SP_VERDICT_NOT_OURS));
	bed_close(bed);
}

Test(classify, two_tags_are_not_ours)
{
	struct bed *bed = bed_open();
	const struct frame_case tc = {
		.to = BED_TAGGED4, .tagged = true, .tci = 120
	};
	struct packet p;

	make(bed, &tc, &p);
	memmove(p.frame + 16, p.frame + 12, p.len - 12u);
	p.len += 4;
	bed_add(bed, &p, 0);
	cr_expect(eq(int, classify(bed), SP_VERDICT_NOT_OURS));
	bed_close(bed);
}

Test(classify, frame_in_two_pieces_is_a_bad_one)
{
	struct bed *bed = bed_open();
	const struct frame_case tc = { .to = BED_IP4 };
	struct packet p;

	make(bed, &tc, &p);
	bed_add(bed, &p, 0)->nb_segs = 2;
	cr_expect(eq(int, classify(bed), SP_VERDICT_BAD_FRAME));
	bed_close(bed);
}

Test(classify, one_address_serves_two_realms_by_their_ports)
{
	struct bed *bed = bed_open();
	const struct frame_case low = { .to = BED_IP4, .port = 30000 };
	const struct frame_case high = { .to = BED_IP4, .port = 50000 };
	struct sp_local *second = &bed->locals.local[BED_LOCALS];
	struct packet p;

	*second = bed->locals.local[BED_IP4];
	second->first_port = 50000;
	second->last_port = 50009;
	memset(bed->locals.bucket, 0, sizeof bed->locals.bucket);
	bed->locals.count++;
	sp_locals_index(&bed->locals);
	make(bed, &low, &p);
	bed_add(bed, &p, 0);
	cr_expect(eq(int, classify(bed), SP_VERDICT_FORWARD));
	cr_expect(eq(int, bed->burst.local[0], BED_IP4));
	make(bed, &high, &p);
	bed_add(bed, &p, 0);
	cr_expect(eq(int, classify(bed), SP_VERDICT_FORWARD));
	cr_expect(eq(int, bed->burst.local[1], BED_LOCALS));
	bed_close(bed);
}
