/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/dataplane/bed_dpdk.h"
#include "tests/dataplane/bed_relay.h"

/* A call on IPv4, with a pool to hold packets in. */
static struct bed *
open_call(void)
{
	struct bed *bed = bed_open();

	bed_start_dpdk(NULL);
	bed_open_pool(bed);
	bed_call(bed, BED_IP4, BED_IP4);
	return bed;
}

/* Party A where its NAT shows it: at the address its SIP came from. */
static struct sp_addr
natted(uint16_t port)
{
	return packet_addr("198.51.100.99", port);
}

static struct sp_flow_report
read_flow(const struct bed *bed, enum bed_flow id)
{
	struct sp_flow_report r;

	cr_assert(eq(int, sp_flow_table_read(&bed->table, id, &r), SP_OK));
	return r;
}

static uint32_t
dropped(const struct bed *bed, enum bed_flow id, enum sp_verdict verdict)
{
	return read_flow(bed, id).dropped[verdict - SP_VERDICT_FORWARD - 1];
}

/* The RTP sequence number of a frame that left. */
static unsigned int
seq_sent(const struct bed *bed, unsigned int i)
{
	const uint8_t *rtp = bed->sent[i].frame + 14 + 28;

	return (unsigned int)rtp[2] << 8 | rtp[3];
}

static void
expect_all_free(const struct bed *bed)
{
	cr_expect(eq(u32, bed->commit.holding, 0));
	cr_expect(eq(u16, bed->commit.n_holders, 0));
	cr_expect(eq(uint, rte_mempool_in_use_count(bed->commit.hold_pool), 0));
}

Test(commit, exact_source_is_believed_at_once)
{
	struct bed *bed = open_call();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	struct sp_flow_report r;

	cr_expect(eq(
		uint, bed_talk(bed, &a, BED_A, 7, 100, 1), SP_VERDICT_FORWARD));
	cr_assert(eq(u16, bed->commit.n_news, 1));
	cr_expect(eq(int, bed->commit.news[0].kind, SP_NEWS_LATCHED));
	cr_expect(eq(int, bed->commit.news[0].class, SP_LATCH_EXACT));
	cr_expect(eq(u32, bed->commit.news[0].flow, BED_A));
	cr_expect(sp_addr_equal(&bed->commit.news[0].remote, &a));
	r = read_flow(bed, BED_A);
	cr_expect(sp_addr_equal(&r.remote, &a));
	cr_expect(eq(u64, r.packets, 1));
	cr_expect(eq(u64, r.octets, 172));
	cr_expect(eq(u32, r.seen_ms, 1020));
	cr_expect(eq(u32, r.quality.ssrc, 7));
	cr_expect(eq(u32, read_flow(bed, BED_B).sent, 1));
	bed_close(bed);
}

/* All of a burst was admitted before the first of it moved the latch. */
Test(commit, who_lost_the_latch_in_this_burst_is_heard_no_more)
{
	struct bed *bed = open_call();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A), nat = natted(7000);

	bed_talk(bed, &nat, BED_A, 7, 100, 4);
	cr_assert(eq(int, read_flow(bed, BED_A).class, SP_LATCH_SIP_SOURCE));
	bed_arrive_rtp(bed, &nat, BED_A, 7, 104);
	bed_arrive_rtp(bed, &a, BED_A, 8, 1);
	bed_arrive_rtp(bed, &nat, BED_A, 7, 105);
	bed_arrive_rtp(bed, &a, BED_A, 8, 2);
	bed_relay(bed);
	cr_expect(eq(uint, bed->burst.verdict[0], SP_VERDICT_FORWARD));
	cr_expect(eq(uint, bed->burst.verdict[1], SP_VERDICT_FORWARD));
	cr_expect(eq(uint, bed->burst.verdict[2], SP_VERDICT_SOURCE));
	cr_expect(eq(uint, bed->burst.verdict[3], SP_VERDICT_FORWARD));
	cr_expect(eq(int, read_flow(bed, BED_A).class, SP_LATCH_EXACT));
	bed_close(bed);
}

Test(commit, first_syllable_is_held_and_sent_in_order)
{
	struct bed *bed = open_call();
	const struct sp_addr a = natted(7000);
	struct sp_flow_report r;

	cr_expect(eq(uint, bed_talk(bed, &a, BED_A, 7, 100, 2), SP_BURST_HELD));
	r = read_flow(bed, BED_A);
	cr_expect(eq(u64, r.packets, 0)); /* nothing is remembered yet */
	cr_expect(eq(u32, r.seen_ms, 0));
	cr_expect(eq(int, r.has_quality, 0));
	cr_expect(eq(int, r.state, SP_LATCH_EMPTY));
	cr_expect(eq(u32, bed->commit.holding, 2));
	cr_expect(eq(uint, bed->n_sent, 0));

	bed_talk(bed, &a, BED_A, 7, 102, 2);
	cr_assert(eq(uint, bed->n_sent, 4));
	for (unsigned int i = 0; i < 4; i++)
		cr_expect(eq(uint, seq_sent(bed, i), 100 + i));
	r = read_flow(bed, BED_A);
	cr_expect(eq(u64, r.packets, 4));
	cr_expect(eq(u64, r.quality.packets, 4));
	cr_expect(eq(u64, r.quality.expected, 4));
	cr_expect(eq(u64, r.quality.reordered, 0));
	cr_expect(eq(u32, r.quality.jitter_us, 0)); /* each at its own time */
	cr_expect(eq(u32, r.seen_ms, 1080));
	expect_all_free(bed);
	bed_close(bed);
}

Test(commit, holds_a_few_and_drops_the_oldest)
{
	struct bed *bed = open_call();
	const struct sp_addr a = natted(7000);

	for (uint16_t i = 0; i < SP_FLOW_HOLD + 2; i++) {
		bed->now_us += 1000;
		bed_arrive_rtp(bed, &a, BED_A, 7, i);
		bed_relay(bed);
		cr_expect(eq(int, bed->burst.verdict[0], SP_BURST_HELD));
	}
	cr_expect(eq(u32, bed->commit.holding, SP_FLOW_HOLD));
	cr_expect(eq(u32, bed->commit.expired, 2));
	cr_expect(eq(u32, dropped(bed, BED_A, SP_VERDICT_PROBATION), 2));
	bed_talk(bed, &a, BED_A, 7, SP_FLOW_HOLD + 2, 1);
	cr_assert(eq(uint, bed->n_sent, SP_FLOW_HOLD + 1));
	for (unsigned int i = 0; i < bed->n_sent; i++)
		cr_expect(eq(uint, seq_sent(bed, i), i + 2));
	expect_all_free(bed);
	bed_close(bed);
}

Test(commit, held_in_vain_expires)
{
	struct bed *bed = open_call();
	const struct sp_addr a = natted(7000);
	const uint32_t first_ms = (uint32_t)(bed->now_us / 1000) + 20;

	bed_talk(bed, &a, BED_A, 7, 1, 2);
	sp_stage_commit_age(
		&bed->commit, &bed->table, first_ms + 20 + SP_STAGE_HOLD_MS);
	cr_expect(eq(u32, bed->commit.holding, 2));
	sp_stage_commit_age(
		&bed->commit, &bed->table, first_ms + 21 + SP_STAGE_HOLD_MS);
	cr_expect(eq(u32, bed->commit.expired, 2));
	cr_expect(eq(u32, dropped(bed, BED_A, SP_VERDICT_PROBATION), 2));
	expect_all_free(bed);
	bed_close(bed);
}

Test(commit, stopping_a_flow_drops_what_it_holds)
{
	struct bed *bed = open_call();
	const struct sp_addr a = natted(7000);
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);

	bed_talk(bed, &a, BED_A, 7, 1, 2);
	sp_stage_commit_drop(&bed->commit, &bed->table, BED_A);
	sp_stage_commit_drop(&bed->commit, &bed->table, BED_B);
	sp_stage_commit_drop(&bed->commit, &bed->table, 0);
	sp_stage_commit_drop(&bed->commit, &bed->table, 4711);
	cr_expect(eq(u32, dropped(bed, BED_A, SP_VERDICT_PROBATION), 2));
	expect_all_free(bed);
	cr_assert(eq(int, sp_flow_table_stop(&bed->table, BED_A), SP_OK));
	cr_expect(eq(
		uint, bed_talk(bed, &b, BED_B, 1, 1, 1), SP_VERDICT_NO_REMOTE));
	cr_expect(eq(
		uint, bed_talk(bed, &a, BED_A, 7, 3, 1), SP_VERDICT_NO_FLOW));
	bed_close(bed);
}

Test(commit, without_copies_only_the_first_syllable_is_lost)
{
	struct bed *bed = open_call();
	const struct sp_addr a = natted(7000);
	struct rte_mbuf *all[255];

	cr_assert(eq(int,
		rte_pktmbuf_alloc_bulk(bed->commit.hold_pool, all, 254), 0));
	cr_expect(eq(uint, bed_talk(bed, &a, BED_A, 7, 1, 1), SP_BURST_HELD));
	cr_expect(eq(
		uint, bed_talk(bed, &a, BED_A, 7, 2, 1), SP_VERDICT_PROBATION));
	/* The proof itself finds no copy either, and is sent all the same. */
	cr_expect(eq(
		uint, bed_talk(bed, &a, BED_A, 7, 3, 1), SP_VERDICT_FORWARD));
	cr_assert(eq(uint, bed->n_sent, 2));
	cr_expect(eq(uint, seq_sent(bed, 0), 1));
	cr_expect(eq(uint, seq_sent(bed, 1), 3));
	rte_pktmbuf_free_bulk(all, 254);
	expect_all_free(bed);
	bed_close(bed);
}

Test(commit, loser_of_a_race_is_dropped_with_what_it_sent)
{
	struct bed *bed = open_call();
	const struct sp_addr winner = natted(7000), loser = natted(7002);

	for (uint16_t i = 1; i <= 3; i++) {
		bed->now_us += 20000;
		bed_arrive_rtp(bed, &winner, BED_A, 1, i);
		bed_arrive_rtp(bed, &loser, BED_A, 2, i);
		bed_relay(bed);
	}
	cr_expect(eq(uint, bed->n_sent, 3));
	cr_expect(eq(uint, bed->count[SP_VERDICT_SOURCE], 3));
	bed_talk(bed, &loser, BED_A, 2, 4, 3);
	cr_expect(eq(uint, bed->count[SP_VERDICT_SOURCE], 6));
	cr_assert(eq(u16, bed->commit.n_news, 2));
	cr_expect(eq(int, bed->commit.news[1].kind, SP_NEWS_CONTESTED));
	cr_expect(sp_addr_equal(&bed->commit.news[1].remote, &loser));
	expect_all_free(bed);
	bed_close(bed);
}

Test(commit, exact_source_displaces_and_what_was_held_is_dropped)
{
	struct bed *bed = open_call();
	const struct sp_addr guess = natted(7000);
	const struct sp_addr exact = bed_phone(BED_IP4, BED_A);

	/* Enough in number, but too fast: held to the last. */
	for (uint16_t i = 0; i < 6; i++) {
		bed->now_us += 3000;
		bed_arrive_rtp(bed, &guess, BED_A, 1, i);
		bed_relay(bed);
	}
	bed_talk(bed, &exact, BED_A, 2, 1, 1);
	cr_expect(eq(uint, bed->n_sent, 1));
	cr_expect(eq(uint, bed->count[SP_VERDICT_SOURCE], 6));
	cr_expect(sp_addr_equal(&bed->table.flow[BED_A].latch.remote, &exact));
	expect_all_free(bed);
	bed_close(bed);
}

Test(commit, stream_that_moves_its_port_is_followed_without_loss)
{
	struct bed *bed = open_call();
	const struct sp_addr before = natted(7000), after = natted(7500);

	bed_talk(bed, &before, BED_A, 7, 65530, 5);
	cr_expect(eq(uint, bed->n_sent, 5));
	bed_talk(bed, &after, BED_A, 7, 65535, 2);
	cr_expect(eq(uint, bed->n_sent, 5));
	bed_talk(bed, &after, BED_A, 7, 1, 2);
	cr_assert(eq(uint, bed->n_sent, 9));
	for (unsigned int i = 0; i < 9; i++)
		cr_expect(eq(uint, seq_sent(bed, i), (65530 + i) & 0xffff));
	cr_expect(eq(int, bed->commit.news[1].kind, SP_NEWS_MOVED));
	cr_expect(eq(u64, read_flow(bed, BED_A).quality.lost, 0));
	/* B's packets go to the new port. */
	cr_expect(eq(int,
		memcmp(bed->table.flow[BED_A].header.bytes + 22, "\x1d\x4c", 2),
		0));
	bed_close(bed);
}

Test(commit, refused_packets_leave_no_trace)
{
	struct bed *bed = open_call();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	const struct sp_addr stranger = packet_addr("198.51.100.2", 4000);
	struct sp_flow before;

	bed_talk(bed, &a, BED_A, 7, 1, 3);
	before = bed->table.flow[BED_A];
	cr_expect(eq(uint, bed_talk(bed, &stranger, BED_A, 7, 4, 50),
		SP_VERDICT_SOURCE));
	cr_expect(eq(int,
		memcmp(&before, &bed->table.flow[BED_A], sizeof before), 0));
	cr_expect(eq(u32, dropped(bed, BED_A, SP_VERDICT_SOURCE), 50));
	bed_close(bed);
}

Test(commit, unknown_payload_type_is_no_candidate)
{
	struct bed *bed = open_call();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	uint8_t rtp[172];

	packet_put_rtp(rtp, sizeof rtp, 7, 1);
	rtp[1] = 96;
	cr_expect(eq(uint, bed_say(bed, &a, BED_A, rtp, sizeof rtp),
		SP_VERDICT_PROBATION));
	bed_talk(bed, &a, BED_A, 7, 2, 1);
	/* Who is believed may change to what the SDP did not say. */
	cr_expect(eq(uint, bed_say(bed, &a, BED_A, rtp, sizeof rtp),
		SP_VERDICT_FORWARD));
	bed_close(bed);
}

Test(commit, zrtp_proves_nothing)
{
	struct bed *bed = open_call();
	static const uint8_t zrtp[20] = { 0x10 };
	const struct sp_addr exact = bed_phone(BED_IP4, BED_A);
	const struct sp_addr a = natted(7000);

	cr_expect(eq(
		uint, bed_say(bed, &a, BED_A, zrtp, 20), SP_VERDICT_PROBATION));
	cr_expect(eq(uint, bed_say(bed, &exact, BED_A, zrtp, 20),
		SP_VERDICT_FORWARD));
	cr_expect(eq(int, bed->table.flow[BED_A].latch.state, SP_LATCH_EMPTY));
	bed_talk(bed, &a, BED_A, 7, 1, 3);
	cr_expect(eq(
		uint, bed_say(bed, &a, BED_A, zrtp, 20), SP_VERDICT_FORWARD));
	cr_expect(eq(uint, bed_say(bed, &exact, BED_A, zrtp, 20),
		SP_VERDICT_SOURCE));
	bed_close(bed);
}

Test(commit, packet_count_does_not_wrap)
{
	struct bed *bed = open_call();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);

	bed_talk(bed, &a, BED_A, 7, 1, 1);
	bed->table.flow[BED_A].packets = UINT32_MAX;
	bed_talk(bed, &a, BED_A, 7, 2, 1);
	cr_expect(eq(u64, read_flow(bed, BED_A).packets, 1ull << 32));
	bed_close(bed);
}

/* Everything at once: whatever comes, each packet ends in one verdict. */
Test(commit, drops_and_forwards_add_up_to_what_came)
{
	struct bed *bed = open_call();
	uint32_t random = 12345;
	unsigned int came = 0, ended = 0;
	uint32_t kept[BED_FLOWS] = { 0 }, arrived[BED_FLOWS] = { 0 };

	for (unsigned int burst = 0; burst < 2000; burst++) {
		bed->now_us += 1000 + random % 40000;
		for (unsigned int i = 0; i < 1 + burst % SP_BURST; i++) {
			const enum bed_flow id =
				BED_A + (random >> 7) % (BED_FLOWS - BED_A);
			const uint16_t port =
				(uint16_t)(4000 + id - 1 + random % 3);
			const struct sp_addr from = random & 0x1000
				? natted(port)
				: bed_phone(BED_IP4, id);

			random = random * 1664525u + 1013904223u;
			if (random >> 30 == 0)
				bed_arrive_rtcp(bed, &from, id);
			else
				bed_arrive_rtp(bed, &from, id, 1 + random % 2,
					(uint16_t)(burst + i));
			arrived[id]++;
			came++;
		}
		bed_relay(bed);
		bed->commit.n_news = 0;
		if (burst % 50 == 0)
			sp_stage_commit_age(&bed->commit, &bed->table,
				(uint32_t)(bed->now_us / 1000));
	}
	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++)
		sp_stage_commit_drop(&bed->commit, &bed->table, id);
	for (unsigned int v = 0; v < SP_VERDICT_COUNT; v++)
		ended += bed->count[v];
	cr_expect(eq(uint, ended + bed->commit.expired, came));
	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++) {
		const struct sp_flow_report r = read_flow(bed, id);

		for (unsigned int v = 0; v < SP_FLOW_VERDICTS; v++)
			kept[id] += r.dropped[v];
	}
	/* What came in by A and was not dropped has left by B, and back. */
	cr_expect(eq(
		u32, arrived[BED_A] - kept[BED_A], read_flow(bed, BED_B).sent));
	cr_expect(eq(u32, arrived[BED_A_RTCP] - kept[BED_A_RTCP],
		read_flow(bed, BED_B_RTCP).sent));
	cr_expect(eq(
		u32, arrived[BED_B] - kept[BED_B], read_flow(bed, BED_A).sent));
	cr_expect(gt(u32, read_flow(bed, BED_B).sent, 0));
	cr_expect(gt(uint, bed->commit.expired, 0));
	expect_all_free(bed);
	bed_close(bed);
}
