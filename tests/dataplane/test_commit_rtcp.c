/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/dataplane/bed_dpdk.h"
#include "tests/dataplane/bed_relay.h"

#define STRANGER "198.51.100.2"

static struct bed *
open_call(void)
{
	struct bed *bed = bed_open();

	bed_start_dpdk(NULL);
	bed_open_pool(bed);
	bed_call(bed, BED_IP4, BED_IP4);
	return bed;
}

static struct sp_addr
natted(uint16_t port)
{
	return packet_addr("198.51.100.99", port);
}

/* Where the packets that leave by @id go to; NONE: nowhere. */
static struct sp_addr
goes_to(const struct bed *bed, enum bed_flow id)
{
	const struct sp_flow *f = &bed->table.flow[id];
	const uint8_t *ip = f->header.bytes;

	if (!(f->ready & SP_FLOW_READY))
		return (struct sp_addr){ 0 };
	return sp_addr_ip4(ip + 16, (uint16_t)(ip[22] << 8 | ip[23]));
}

static void
expect_target(
	const struct bed *bed, enum bed_flow id, const char *ip, uint16_t port)
{
	const struct sp_addr got = goes_to(bed, id);
	const struct sp_addr want = packet_addr(ip, port);
	char text[SP_ADDR_TEXT];

	cr_expect(sp_addr_equal(&got, &want), "flow %d goes to %s", id,
		sp_addr_print(&got, text));
}

/* SEC-5, on a port of its own. */
Test(commit_rtcp, comes_from_and_goes_to_the_ip_of_rtp)
{
	struct bed *bed = open_call();
	const struct sp_addr exact = bed_phone(BED_IP4, BED_A_RTCP);
	const struct sp_addr stranger = packet_addr(STRANGER, 4001);
	const struct sp_addr rtp = natted(7000), rtcp = natted(7001);

	cr_expect(eq(uint, bed_report(bed, &stranger, BED_A_RTCP),
		SP_VERDICT_PROBATION));
	cr_expect(eq(
		uint, bed_report(bed, &exact, BED_A_RTCP), SP_VERDICT_FORWARD));
	expect_target(bed, BED_A_RTCP, "198.51.100.1", 4001);

	bed_talk(bed, &rtp, BED_A, 7, 1, 3);
	expect_target(bed, BED_A, "198.51.100.99", 7000);
	cr_expect(eq(u8, goes_to(bed, BED_A_RTCP).family, SP_FAMILY_NONE));
	cr_expect(eq(uint, bed_report(bed, &exact, BED_A_RTCP),
		SP_VERDICT_PROBATION));
	cr_expect(eq(uint, bed_report(bed, &stranger, BED_A_RTCP),
		SP_VERDICT_PROBATION));

	cr_expect(eq(
		uint, bed_report(bed, &rtcp, BED_A_RTCP), SP_VERDICT_FORWARD));
	expect_target(bed, BED_A_RTCP, "198.51.100.99", 7001);
	cr_expect(eq(uint, bed_report(bed, &stranger, BED_A_RTCP),
		SP_VERDICT_SOURCE));
	expect_target(bed, BED_A_RTCP, "198.51.100.99", 7001);
	bed_close(bed);
}

/* SEC-5, where RTCP shares the port of RTP. */
Test(commit_rtcp, on_one_port_comes_from_the_ip_of_rtp)
{
	struct bed *bed = open_call();
	const struct sp_addr exact = bed_phone(BED_IP4, BED_A);
	const struct sp_addr rtp = natted(7000);

	bed->conf[BED_A].kind = SP_FLOW_MUX;
	bed_program(bed, BED_A);
	cr_expect(eq(uint, bed_report(bed, &exact, BED_A), SP_VERDICT_FORWARD));
	bed_talk(bed, &rtp, BED_A, 7, 1, 3);
	cr_expect(eq(uint, bed_report(bed, &rtp, BED_A), SP_VERDICT_FORWARD));
	cr_expect(eq(uint, bed_report(bed, &exact, BED_A), SP_VERDICT_SOURCE));
	bed_close(bed);
}

Test(commit_rtcp, on_one_port_does_not_pass_for_media)
{
	struct bed *bed = open_call();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	const struct sp_addr a_rtcp = bed_phone(BED_IP4, BED_A_RTCP);
	uint32_t seen_ms;

	bed->conf[BED_A].kind = SP_FLOW_MUX;
	bed_program(bed, BED_A);
	cr_expect(eq(uint, bed_report(bed, &a, BED_A), SP_VERDICT_FORWARD));
	cr_expect(eq(u32, bed->table.flow[BED_A].seen_ms, 0));
	bed_talk(bed, &a, BED_A, 7, 1, 1);
	seen_ms = bed->table.flow[BED_A].seen_ms;
	cr_expect(eq(u32, seen_ms, (uint32_t)(bed->now_us / 1000)));
	cr_expect(eq(uint, bed_report(bed, &a, BED_A), SP_VERDICT_FORWARD));
	cr_expect(eq(u32, bed->table.flow[BED_A].seen_ms, seen_ms));
	bed_report(bed, &a_rtcp, BED_A_RTCP); /* but for itself it does */
	cr_expect(eq(u32, bed->table.flow[BED_A_RTCP].seen_ms,
		(uint32_t)(bed->now_us / 1000)));
	bed_close(bed);
}

Test(commit_rtcp, leaves_with_rtp_that_moves_to_another_ip)
{
	struct bed *bed = open_call();
	const struct sp_addr exact = bed_phone(BED_IP4, BED_A);
	const struct sp_addr exact_rtcp = bed_phone(BED_IP4, BED_A_RTCP);
	const struct sp_addr rtp = natted(7000), rtcp = natted(7001);

	bed_talk(bed, &rtp, BED_A, 7, 1, 3);
	bed_report(bed, &rtcp, BED_A_RTCP);
	bed_talk(bed, &exact, BED_A, 8, 1, 1);
	expect_target(bed, BED_A_RTCP, "198.51.100.1", 4001);
	cr_expect(eq(uint, bed_report(bed, &rtcp, BED_A_RTCP),
		SP_VERDICT_PROBATION));
	cr_expect(eq(uint, bed_report(bed, &exact_rtcp, BED_A_RTCP),
		SP_VERDICT_FORWARD));
	bed_close(bed);
}

Test(commit_rtcp, leaves_with_rtp_that_is_handed_over)
{
	struct bed *bed = open_call();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	const struct sp_addr a_rtcp = bed_phone(BED_IP4, BED_A_RTCP);
	const struct sp_addr rtp = packet_addr(STRANGER, 7000);
	const struct sp_addr rtcp = packet_addr(STRANGER, 7001);

	for (enum bed_flow id = BED_A; id <= BED_A_RTCP; id++) {
		bed->conf[id].policy = SP_LATCH_HANDOVER;
		bed_program(bed, id);
	}
	bed_talk(bed, &a, BED_A, 7, 1, 3);
	bed_report(bed, &a_rtcp, BED_A_RTCP);
	cr_expect(eq(
		uint, bed_report(bed, &rtcp, BED_A_RTCP), SP_VERDICT_SOURCE));
	bed_talk(bed, &rtp, BED_A, 8, 1, 3);
	expect_target(bed, BED_A, STRANGER, 7000);
	cr_assert(eq(u16, bed->commit.n_news, 2));
	cr_expect(eq(int, bed->commit.news[1].kind, SP_NEWS_MOVED));
	cr_expect(sp_addr_equal(&bed->commit.news[1].remote, &rtp));
	/* No syllable of the new one is lost: what was held left too. */
	cr_expect(eq(u64, bed->table.flow[BED_B].sent, 6));
	cr_expect(eq(uint, bed_report(bed, &a_rtcp, BED_A_RTCP),
		SP_VERDICT_PROBATION));
	cr_expect(eq(
		uint, bed_report(bed, &rtcp, BED_A_RTCP), SP_VERDICT_FORWARD));
	expect_target(bed, BED_A_RTCP, STRANGER, 7001);
	bed_close(bed);
}

Test(commit_rtcp, knows_the_next_hop_that_rtp_was_told)
{
	struct bed *bed = open_call();
	const struct sp_addr rtp = packet_addr(STRANGER, 7000);
	const struct sp_addr rtcp = packet_addr(STRANGER, 7001);
	const struct sp_addr b_rtcp = bed_phone(BED_IP4, BED_B_RTCP);

	bed->conf[BED_A].policy = SP_LATCH_ANY;
	bed->conf[BED_A_RTCP].policy = SP_LATCH_ANY;
	bed_program(bed, BED_A);
	bed_program(bed, BED_A_RTCP);
	bed_talk(bed, &rtp, BED_A, 7, 1, 3);
	cr_expect(eq(
		uint, bed_report(bed, &rtcp, BED_A_RTCP), SP_VERDICT_FORWARD));
	cr_expect(eq(uint, bed_report(bed, &b_rtcp, BED_B_RTCP),
		SP_VERDICT_NO_NEXT_HOP));
	sp_flow_table_hop(&bed->table, BED_A, BED_IP4 + 1, BED_IP4 + 1, &rtp,
		BED_IP4 + 1);
	cr_expect(eq(u16, bed->table.flow[BED_A].hop, BED_IP4 + 1));
	cr_expect(eq(uint, bed_report(bed, &b_rtcp, BED_B_RTCP),
		SP_VERDICT_FORWARD));
	/* The RTCP flow's own hops may be told at any time. */
	sp_flow_table_hop(&bed->table, BED_A_RTCP, BED_IP4 + 1, BED_IP4 + 1,
		&(struct sp_addr){ 0 }, 0);
	cr_expect(eq(uint, bed_report(bed, &b_rtcp, BED_B_RTCP),
		SP_VERDICT_FORWARD));
	bed_close(bed);
}

Test(commit_rtcp, alone_is_refused)
{
	struct bed *bed = open_call();
	const struct sp_addr rtcp = bed_phone(BED_IP4, BED_A_RTCP);

	cr_assert(eq(int, sp_flow_table_stop(&bed->table, BED_A), SP_OK));
	cr_expect(eq(uint, bed_report(bed, &rtcp, BED_A_RTCP),
		SP_VERDICT_PROBATION));
	bed_close(bed);
}

/* Party A moves: the SDP names 198.51.100.200, its SIP comes from there. */
static void
move_a(struct bed *bed)
{
	for (enum bed_flow id = BED_A; id <= BED_A_RTCP; id++) {
		bed->conf[id].signalled = packet_addr(
			"198.51.100.200", (uint16_t)(8000 + id - 1));
		bed->conf[id].signalling = packet_addr("198.51.100.200", 5060);
		bed_program(bed, id);
	}
}

Test(commit_rtcp, both_follow_a_new_sdp_at_once)
{
	struct bed *bed = open_call();
	const struct sp_addr old = bed_phone(BED_IP4, BED_A);
	const struct sp_addr old_rtcp = bed_phone(BED_IP4, BED_A_RTCP);
	const struct sp_addr new = packet_addr("198.51.100.200", 8000);

	bed_talk(bed, &old, BED_A, 7, 1, 3);
	bed_report(bed, &old_rtcp, BED_A_RTCP);
	move_a(bed);
	expect_target(bed, BED_A, "198.51.100.200", 8000);
	expect_target(bed, BED_A_RTCP, "198.51.100.200", 8001);
	cr_expect(eq(
		uint, bed_talk(bed, &old, BED_A, 7, 4, 3), SP_VERDICT_FORWARD));
	cr_expect(eq(uint, bed_report(bed, &old_rtcp, BED_A_RTCP),
		SP_VERDICT_FORWARD));
	cr_expect(eq(
		uint, bed_talk(bed, &new, BED_A, 8, 1, 1), SP_VERDICT_FORWARD));
	cr_expect(eq(
		uint, bed_talk(bed, &old, BED_A, 7, 7, 1), SP_VERDICT_SOURCE));
	cr_expect(eq(uint, bed_report(bed, &old_rtcp, BED_A_RTCP),
		SP_VERDICT_PROBATION));
	bed_close(bed);
}

Test(commit_rtcp, leaves_its_source_when_the_sdp_moves_rtp_alone)
{
	struct bed *bed = open_call();
	const struct sp_addr rtp = bed_phone(BED_IP4, BED_A);
	const struct sp_addr rtcp = packet_addr("198.51.100.1", 9001);

	bed_talk(bed, &rtp, BED_A, 7, 1, 3);
	bed_report(bed, &rtcp, BED_A_RTCP);
	expect_target(bed, BED_A_RTCP, "198.51.100.1", 9001);
	bed->conf[BED_A].signalled = packet_addr("198.51.100.200", 8000);
	bed_program(bed, BED_A);
	expect_target(bed, BED_A, "198.51.100.200", 8000);
	expect_target(bed, BED_A_RTCP, "198.51.100.1", 4001);
	bed_close(bed);
}

Test(commit_rtcp, both_leave_a_source_whose_grace_ended)
{
	struct bed *bed = open_call();
	const struct sp_addr old = natted(7000), old_rtcp = natted(7001);

	bed_talk(bed, &old, BED_A, 7, 1, 3);
	bed_report(bed, &old_rtcp, BED_A_RTCP);
	move_a(bed);
	/* Behind a NAT: kept until the new mapping is known... */
	expect_target(bed, BED_A, "198.51.100.99", 7000);
	expect_target(bed, BED_A_RTCP, "198.51.100.99", 7001);
	cr_expect(eq(
		uint, bed_talk(bed, &old, BED_A, 7, 4, 1), SP_VERDICT_FORWARD));
	/* ...but not for longer than the grace. */
	bed->now_us += (SP_LATCH_GRACE_MS + 1) * 1000ull;
	cr_expect(eq(
		uint, bed_talk(bed, &old, BED_A, 7, 5, 1), SP_VERDICT_SOURCE));
	expect_target(bed, BED_A, "198.51.100.200", 8000);
	expect_target(bed, BED_A_RTCP, "198.51.100.200", 8001);
	bed_close(bed);
}

Test(commit_rtcp, report_of_a_listener_ends_the_grace_of_rtp)
{
	struct bed *bed = open_call();
	const struct sp_addr old = natted(7000);
	const struct sp_addr new_rtcp = packet_addr("198.51.100.200", 8001);

	bed_talk(bed, &old, BED_A, 7, 1, 3);
	move_a(bed);
	cr_expect(eq(uint, bed_report(bed, &new_rtcp, BED_A_RTCP),
		SP_VERDICT_PROBATION));
	bed->now_us += (SP_LATCH_GRACE_MS + 1) * 1000ull;
	cr_expect(eq(uint, bed_report(bed, &new_rtcp, BED_A_RTCP),
		SP_VERDICT_FORWARD));
	expect_target(bed, BED_A, "198.51.100.200", 8000);
	bed_close(bed);
}

Test(commit_rtcp, what_we_send_ends_the_grace_for_a_silent_listener)
{
	struct bed *bed = open_call();
	const struct sp_addr old = natted(7000), old_rtcp = natted(7001);
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);

	bed_talk(bed, &old, BED_A, 7, 1, 3);
	bed_report(bed, &old_rtcp, BED_A_RTCP);
	move_a(bed);
	bed_talk(bed, &b, BED_B, 9, 1, 2);
	expect_target(bed, BED_A, "198.51.100.99", 7000);
	bed->now_us += (SP_LATCH_GRACE_MS + 1) * 1000ull;
	bed_talk(bed, &b, BED_B, 9, 3, 1);
	expect_target(bed, BED_A, "198.51.100.200", 8000);
	expect_target(bed, BED_A_RTCP, "198.51.100.200", 8001);
	bed_close(bed);
}
