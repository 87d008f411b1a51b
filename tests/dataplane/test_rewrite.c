/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/dataplane/bed_frame.h"

/* A packet from party A on one network to party B on another. */
struct crossing {
	char name[40];
	enum bed_local a;
	enum bed_local b;
	unsigned int len; /* of the payload */
	uint8_t ecn;
	int check;      /* of the packet that comes */
	int want_check; /* of the one that leaves */
};

ParameterizedTestParameters(rewrite, makes_the_frame_that_b_expects)
{
	/* clang-format off */
	static struct crossing cases[] = {
		{ "IPv4 to IPv4", BED_IP4, BED_IP4, 172, 0, 0, 0 },
		{ "IPv4 to IPv6", BED_IP4, BED_IP6, 172, 0, 0, 0 },
		{ "IPv6 to IPv4", BED_IP6, BED_IP4, 172, 0, 0, 0 },
		{ "IPv6 to IPv6", BED_IP6, BED_IP6, 172, 0, 0, 0 },
		{ "tag off", BED_TAGGED4, BED_IP4, 172, 0, 0, 0 },
		{ "tag on", BED_IP4, BED_TAGGED4, 172, 0, 0, 0 },
		{ "tag to tag", BED_TAGGED6, BED_TAGGED4, 172, 0, 0, 0 },
		{ "to the other NIC", BED_IP4, BED_TWIN, 172, 0, 0, 0 },
		{ "all at its largest", BED_TWIN, BED_TAGGED6, 172, 0, 0, 0 },
		{ "header only", BED_IP4, BED_IP6, 12, 0, 0, 0 },
		{ "odd length", BED_IP6, BED_IP4, 173, 0, 0, 0 },
		{ "ECT(1)", BED_IP4, BED_IP4, 172, 1, 0, 0 },
		{ "ECT(0)", BED_IP4, BED_IP6, 172, 2, 0, 0 },
		{ "congestion", BED_IP6, BED_IP4, 172, 3, 0, 0 },
		{ "congestion, IPv6", BED_IP6, BED_IP6, 172, 3, 0, 0 },
		{ "no checksum", BED_IP4, BED_IP4, 172, 0,
			PACKET_NO_CHECK, PACKET_NO_CHECK },
		{ "no checksum, but IPv6 needs one", BED_IP4, BED_IP6, 172, 0,
			PACKET_NO_CHECK, PACKET_FULL },
		{ "partial checksum", BED_IP4, BED_IP4, 172, 0,
			PACKET_PARTIAL, PACKET_FULL },
		{ "partial checksum to IPv6", BED_IP4, BED_IP6, 173, 0,
			PACKET_PARTIAL, PACKET_FULL },
		{ "partial checksum from IPv6", BED_IP6, BED_IP4, 172, 0,
			PACKET_PARTIAL, PACKET_FULL },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct crossing, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct crossing *tc, rewrite, makes_the_frame_that_b_expects)
{
	struct bed *bed = bed_open();
	struct packet_shape in, out;
	struct packet came, want;
	struct sp_addr from;
	uint8_t rtp[200];

	bed_call(bed, tc->a, tc->b);
	from = bed_phone(tc->a, BED_A);
	in = bed_shape(bed, &from, BED_A);
	in.ecn = tc->ecn;
	in.dscp = 10;
	in.check = tc->check;
	out = bed_expected(bed, tc->b);
	out.ecn = tc->ecn;
	out.check = tc->want_check;
	/* Several payloads, so that carries run in every way. */
	for (uint16_t seq = 0; seq < 40; seq++) {
		packet_put_rtp(rtp, tc->len, 0xfedc0000u + seq * 77u,
			(uint16_t)(seq * 1637));
		packet_write(&came, &in, rtp, tc->len);
		packet_write(&want, &out, rtp, tc->len);
		bed_add(bed, &came, bed->locals.local[tc->a].nic);
		bed_relay(bed);
		cr_assert(eq(uint, bed->n_sent, seq + 1u), "%s", tc->name);
		bed_expect_frame(&bed->sent[seq], &want, tc->name);
		cr_expect(eq(u8, bed->sent_nic[seq],
				  bed->locals.local[tc->b].nic),
			"%s", tc->name);
	}
	bed_close(bed);
}

Test(rewrite, damage_before_us_stays_visible)
{
	struct bed *bed = bed_open();
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);
	struct packet_shape in, out;
	struct packet came, want;
	uint8_t rtp[172];

	bed_call(bed, BED_IP4, BED_IP6);
	in = bed_shape(bed, &from, BED_A);
	out = bed_expected(bed, BED_IP6);
	packet_put_rtp(rtp, sizeof rtp, 1, 1);
	packet_write(&came, &in, rtp, sizeof rtp);
	packet_write(&want, &out, rtp, sizeof rtp);
	came.frame[came.len - 5] ^= 0x10;
	want.frame[want.len - 5] ^= 0x10;
	bed_add(bed, &came, 0);
	bed_relay(bed);
	bed_expect_frame(&bed->sent[0], &want, "damaged");
	bed_close(bed);
}

Test(rewrite, padding_of_the_frame_stays_behind)
{
	struct bed *bed = bed_open();
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);
	struct packet_shape in, out;
	struct packet came, want;
	uint8_t rtp[12];
	struct rte_mbuf *m;

	bed_call(bed, BED_IP4, BED_IP4);
	in = bed_shape(bed, &from, BED_A);
	out = bed_expected(bed, BED_IP4);
	packet_put_rtp(rtp, sizeof rtp, 1, 1);
	packet_write(&came, &in, rtp, sizeof rtp);
	packet_write(&want, &out, rtp, sizeof rtp);
	memset(came.frame + came.len, 0x77, 60u - came.len);
	came.len = 60;
	m = bed_add(bed, &came, 0);
	m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_RSS_HASH;
	bed_relay(bed);
	bed_expect_frame(&bed->sent[0], &want, "padded");
	cr_expect(eq(u64, m->ol_flags, 0)); /* nothing that asks the NIC */
	cr_expect(eq(u32, m->pkt_len, want.len));
	bed_close(bed);
}

/* An RTP packet of A to B; the verdict. */
static unsigned int
speak(struct bed *bed)
{
	const struct sp_addr from =
		bed_phone((enum bed_local)bed->conf[BED_A].local, BED_A);
	static uint16_t seq;

	return bed_talk(bed, &from, BED_A, 1, ++seq, 1);
}

static unsigned int
report(struct bed *bed)
{
	const struct sp_addr from =
		bed_phone((enum bed_local)bed->conf[BED_A].local, BED_A_RTCP);

	return bed_report(bed, &from, BED_A_RTCP);
}

Test(rewrite, packet_must_fit_the_next_link)
{
	struct bed *bed = bed_open();

	bed_call(bed, BED_IP4, BED_IP6);
	bed->hops[BED_IP6 + 1].mtu = 40 + 8 + 172;
	cr_expect(eq(uint, speak(bed), SP_VERDICT_FORWARD));
	bed->hops[BED_IP6 + 1].mtu--;
	cr_expect(eq(uint, speak(bed), SP_VERDICT_TOO_BIG));
	cr_expect(eq(u32, bed->table.flow[BED_B].sent, 1));
	bed_close(bed);
}

Test(rewrite, headers_that_grow_need_headroom)
{
	struct bed *bed = bed_open();
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);
	struct packet_shape in;
	struct packet came;
	uint8_t rtp[172];

	bed_call(bed, BED_IP4, BED_TAGGED6);
	in = bed_shape(bed, &from, BED_A);
	packet_put_rtp(rtp, sizeof rtp, 1, 1);
	packet_write(&came, &in, rtp, sizeof rtp);
	/* IPv6 and a tag are 24 bytes more. */
	for (uint16_t room = 23; room <= 24; room++) {
		struct rte_mbuf *m = bed_add(bed, &came, 0);

		m->data_off = room;
		memcpy(rte_pktmbuf_mtod(m, uint8_t *), came.frame, came.len);
		bed_relay(bed);
		cr_expect(eq(int, bed->burst.verdict[0],
			room < 24 ? SP_VERDICT_TOO_BIG : SP_VERDICT_FORWARD));
	}
	bed_close(bed);
}

Test(rewrite, nothing_leaves_without_a_next_hop)
{
	struct bed *bed = bed_open();

	bed_call(bed, BED_IP4, BED_IP4);
	bed->hops[BED_IP4 + 1].ready = 0;
	cr_expect(eq(uint, speak(bed), SP_VERDICT_NO_NEXT_HOP));
	bed->hops[BED_IP4 + 1].ready = 1;
	cr_expect(eq(uint, speak(bed), SP_VERDICT_FORWARD));
	bed->table.flow[BED_B].hop = 0;
	cr_expect(eq(uint, speak(bed), SP_VERDICT_NO_NEXT_HOP));
	cr_expect(eq(u32, bed->table.flow[BED_B].sent, 1));
	bed_close(bed);
}

Test(rewrite, nothing_leaves_without_a_remote)
{
	struct bed *bed = bed_open();

	bed_call(bed, BED_IP4, BED_IP4);
	bed->conf[BED_A].out_rtp = 0;
	bed_program(bed, BED_A);
	cr_expect(eq(uint, speak(bed), SP_VERDICT_NO_REMOTE));
	bed->conf[BED_A].out_rtp = 7; /* not programmed */
	bed_program(bed, BED_A);
	cr_expect(eq(uint, speak(bed), SP_VERDICT_NO_REMOTE));
	bed->conf[BED_A].out_rtp = BED_B;
	bed_program(bed, BED_A);
	cr_expect(eq(uint, speak(bed), SP_VERDICT_FORWARD));
	bed->conf[BED_B].signalled = (struct sp_addr){ 0 };
	bed_program(bed, BED_B);
	cr_expect(eq(uint, speak(bed), SP_VERDICT_NO_REMOTE));
	/* An address that this local can't reach is none. */
	bed->conf[BED_B].signalled = packet_addr("2001:db8::5", 5000);
	bed_program(bed, BED_B);
	cr_expect(eq(uint, speak(bed), SP_VERDICT_NO_REMOTE));
	bed_close(bed);
}

Test(rewrite, party_on_hold_gets_rtcp_only)
{
	struct bed *bed = bed_open();

	bed_call(bed, BED_IP4, BED_IP4);
	bed->conf[BED_B].send = 0;
	bed_program(bed, BED_B);
	cr_expect(eq(uint, speak(bed), SP_VERDICT_NO_REMOTE));
	cr_expect(eq(uint, report(bed), SP_VERDICT_FORWARD));
	/* On one port, too. */
	bed->conf[BED_A].out_rtcp = BED_B;
	bed->conf[BED_A].kind = SP_FLOW_MUX;
	bed->conf[BED_B].kind = SP_FLOW_MUX;
	bed_program(bed, BED_A);
	bed_program(bed, BED_B);
	cr_expect(eq(uint, speak(bed), SP_VERDICT_NO_REMOTE));
	cr_expect(eq(uint, bed_report(bed, &bed->conf[BED_A].signalled, BED_A),
		SP_VERDICT_FORWARD));
	bed_close(bed);
}

Test(rewrite, party_behind_a_nat_gets_nothing_before_it_came)
{
	struct bed *bed = bed_open();
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);

	bed_call(bed, BED_IP4, BED_IP4);
	bed->conf[BED_B].wait = 1;
	bed_program(bed, BED_B);
	cr_expect(eq(uint, speak(bed), SP_VERDICT_NO_REMOTE));
	cr_expect(eq(
		uint, bed_talk(bed, &b, BED_B, 2, 1, 1), SP_VERDICT_FORWARD));
	cr_expect(eq(uint, speak(bed), SP_VERDICT_FORWARD));
	bed_close(bed);
}

/* SEC-10: who has never answered gets a few packets and no more. */
Test(rewrite, silent_destination_is_not_hammered)
{
	struct bed *bed = bed_open();
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);

	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++)
		bed->conf[id].unanswered = 0;
	bed_call(bed, BED_IP4, BED_IP4);
	bed->conf[BED_B].unanswered = 5;
	bed->conf[BED_B].signalled.port++; /* a change begins the count */
	bed_program(bed, BED_B);
	for (unsigned int i = 0; i < 10; i++)
		cr_expect(eq(uint, speak(bed),
			i < 5 ? SP_VERDICT_FORWARD : SP_VERDICT_UNANSWERED));
	/* An answer opens the way, and it stays open. */
	bed->conf[BED_B].signalled = b;
	bed_program(bed, BED_B);
	cr_expect(eq(
		uint, bed_talk(bed, &b, BED_B, 2, 1, 1), SP_VERDICT_FORWARD));
	for (unsigned int i = 0; i < 10; i++)
		cr_expect(eq(uint, speak(bed), SP_VERDICT_FORWARD));
	bed_close(bed);
}

Test(rewrite, rtcp_of_the_destination_is_an_answer)
{
	struct bed *bed = bed_open();
	const struct sp_addr b = bed_phone(BED_IP4, BED_B_RTCP);

	bed_call(bed, BED_IP4, BED_IP4);
	bed->conf[BED_B].unanswered = 2;
	bed->conf[BED_B].signalled.port = 5555;
	bed_program(bed, BED_B);
	for (unsigned int i = 0; i < 3; i++)
		speak(bed);
	cr_expect(eq(uint, bed->count[SP_VERDICT_UNANSWERED], 1));
	cr_expect(
		eq(uint, bed_report(bed, &b, BED_B_RTCP), SP_VERDICT_FORWARD));
	cr_expect(eq(uint, speak(bed), SP_VERDICT_FORWARD));
	bed_close(bed);
}

Test(rewrite, old_source_does_not_answer_for_a_new_address)
{
	struct bed *bed = bed_open();
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);

	bed_call(bed, BED_IP4, BED_IP4);
	bed_talk(bed, &b, BED_B, 2, 1, 1);
	/* B points us at somebody else and goes on talking. */
	bed->conf[BED_B].unanswered = 5;
	bed->conf[BED_B].signalled = packet_addr("192.0.2.77", 53);
	bed_program(bed, BED_B);
	for (uint16_t i = 0; i < 10; i++) {
		cr_expect(eq(uint, bed_talk(bed, &b, BED_B, 2, 2 + i, 1),
			SP_VERDICT_FORWARD));
		cr_expect(eq(uint, speak(bed),
			i < 5 ? SP_VERDICT_FORWARD : SP_VERDICT_UNANSWERED));
	}
	bed_close(bed);
}
