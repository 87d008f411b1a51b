/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/dataplane/bed_relay.h"

static enum sp_status
program(struct bed *bed, uint32_t id, const struct sp_flow_conf *conf)
{
	return sp_flow_table_program(&bed->table, id, conf, 1, 1, 1);
}

Test(flow_table, serves_the_port_it_is_told)
{
	struct bed *bed = bed_open();
	const struct sp_flow_conf conf = { .local = BED_IP4, .port = 31000 };

	cr_assert(eq(int, program(bed, 5, &conf), SP_OK));
	cr_expect(eq(u32, bed->locals.local[BED_IP4].slot[31000], 5));
	cr_expect(eq(u32, bed->table.running, 1));
	cr_assert(eq(int, program(bed, 5, &conf), SP_OK));
	cr_expect(eq(u32, bed->table.running, 1));
	cr_assert(eq(int, sp_flow_table_stop(&bed->table, 5), SP_OK));
	cr_expect(eq(u32, bed->locals.local[BED_IP4].slot[31000], 0));
	cr_expect(eq(u32, bed->table.running, 0));
	bed_close(bed);
}

Test(flow_table, refuses_what_does_not_fit_and_changes_nothing)
{
	struct bed *bed = bed_open();
	const struct sp_flow_conf conf = { .local = BED_IP4, .port = 31000 };
	struct sp_flow_conf other = conf;
	struct sp_flow before;

	cr_assert(eq(int, program(bed, 5, &conf), SP_OK));
	before = bed->table.flow[5];
	cr_expect(eq(int, program(bed, 6, &conf), SP_CONFLICT));
	cr_expect(eq(int, program(bed, 0, &conf), SP_CONFLICT));
	cr_expect(eq(int, program(bed, bed->table.capacity + 1, &conf),
		SP_CONFLICT));
	other.port = 31002; /* a flow keeps its port */
	cr_expect(eq(int, program(bed, 5, &other), SP_CONFLICT));
	other.port = 31000;
	other.local = BED_IP6;
	cr_expect(eq(int, program(bed, 5, &other), SP_CONFLICT));
	other.local = BED_LOCALS;
	cr_expect(eq(int, program(bed, 6, &other), SP_CONFLICT));
	cr_expect(eq(
		int, memcmp(&before, &bed->table.flow[5], sizeof before), 0));
	cr_expect(eq(u32, bed->table.running, 1));
	cr_expect(eq(u32, bed->locals.local[BED_IP4].slot[31002], 0));
	cr_expect(eq(u32, bed->locals.local[BED_IP6].slot[31000], 0));
	bed_close(bed);
}

Test(flow_table, names_only_keys_that_can_be)
{
	struct bed *bed = bed_open();
	const struct sp_key_table keys = { .capacity = 16 };
	struct sp_flow_conf conf = { .local = BED_IP4, .port = 31000 };

	conf.keys = 16;
	cr_expect(eq(int, program(bed, 5, &conf), SP_CONFLICT));
	bed->table.keys = &keys;
	cr_assert(eq(int, program(bed, 5, &conf), SP_OK));
	cr_expect(eq(u32, bed->table.flow[5].keys, 16));
	conf.keys = 17;
	cr_expect(eq(int, program(bed, 5, &conf), SP_CONFLICT));
	conf.keys = 0;
	conf.out_keys = 17;
	cr_expect(eq(int, program(bed, 5, &conf), SP_CONFLICT));
	cr_expect(eq(u32, bed->table.flow[5].keys, 16));
	/* And in the clear again. */
	conf.out_keys = 0;
	cr_assert(eq(int, program(bed, 5, &conf), SP_OK));
	cr_expect(eq(u8, bed->table.flow[5].flags, 0));
	bed_close(bed);
}

Test(flow_table, does_not_know_what_was_never_started)
{
	struct bed *bed = bed_open();
	struct sp_flow_report r;

	cr_expect(eq(int, sp_flow_table_stop(&bed->table, 3), SP_NOT_FOUND));
	cr_expect(
		eq(int, sp_flow_table_read(&bed->table, 3, &r), SP_NOT_FOUND));
	cr_expect(
		eq(int, sp_flow_table_read(&bed->table, 0, &r), SP_NOT_FOUND));
	cr_expect(eq(int,
		sp_flow_table_read(&bed->table, bed->table.capacity + 1, &r),
		SP_NOT_FOUND));
	sp_flow_table_hop(&bed->table, 3, 1, 1, &(struct sp_addr){ 0 }, 0);
	cr_expect(eq(u32, bed->table.flow[3].index, 0));
	bed_close(bed);
}

/* SEC-11: what the last call on a port left says nothing to the next. */
Test(flow_table, next_call_starts_from_nothing)
{
	struct bed *bed = bed_open();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	const struct sp_addr stranger = packet_addr("203.0.113.200", 9);
	struct sp_flow fresh;
	struct sp_flow_report r;

	bed_call(bed, BED_IP4, BED_IP4);
	fresh = bed->table.flow[BED_A];
	bed_talk(bed, &a, BED_A, 7, 1, 5);
	bed_talk(bed, &stranger, BED_A, 7, 1, 5);
	cr_assert(eq(int, sp_flow_table_stop(&bed->table, BED_A), SP_OK));
	bed_program(bed, BED_A);
	bed->table.flow[BED_A].pair = fresh.pair; /* RTCP's next order says */
	cr_expect(eq(
		int, memcmp(&fresh, &bed->table.flow[BED_A], sizeof fresh), 0));
	cr_assert(eq(int, sp_flow_table_read(&bed->table, BED_A, &r), SP_OK));
	for (unsigned int v = 0; v < SP_FLOW_VERDICTS; v++)
		cr_expect(eq(u32, r.dropped[v], 0));
	/* A's packets still on their way are not the next party's. */
	bed->conf[BED_A].signalled = packet_addr("203.0.113.201", 4000);
	bed->conf[BED_A].signalling = packet_addr("203.0.113.201", 5060);
	cr_assert(eq(int, sp_flow_table_stop(&bed->table, BED_A), SP_OK));
	bed_program(bed, BED_A);
	cr_expect(
		eq(uint, bed_talk(bed, &a, BED_A, 7, 6, 3), SP_VERDICT_SOURCE));
	bed_close(bed);
}

Test(flow_table, ties_rtcp_to_rtp_and_lets_go)
{
	struct bed *bed = bed_open();
	struct sp_flow *flow = bed->table.flow;

	bed_call(bed, BED_IP4, BED_IP4);
	cr_expect(eq(u32, flow[BED_A].pair, BED_A_RTCP));
	cr_expect(eq(u32, flow[BED_A_RTCP].pair, BED_A));
	cr_assert(eq(int, sp_flow_table_stop(&bed->table, BED_A_RTCP), SP_OK));
	cr_expect(eq(u32, flow[BED_A].pair, 0));
	bed_program(bed, BED_A_RTCP);
	cr_expect(eq(u32, flow[BED_A].pair, BED_A_RTCP));
	cr_assert(eq(int, sp_flow_table_stop(&bed->table, BED_A), SP_OK));
	cr_expect(eq(u32, flow[BED_A_RTCP].pair, 0));
	bed_close(bed);
}

/* SEC-4, for a whole flow: statistics, latch, counts, header. */
Test(flow_table, same_order_twice_changes_nothing)
{
	struct bed *bed = bed_open();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	const struct sp_addr b = bed_phone(BED_IP6, BED_B);
	struct sp_flow before[BED_FLOWS];

	bed_call(bed, BED_IP4, BED_IP6);
	bed_talk(bed, &a, BED_A, 7, 1, 5);
	bed_talk(bed, &b, BED_B, 8, 1, 5);
	memcpy(before, bed->table.flow, sizeof before);
	bed->now_us += 30000000;
	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++)
		bed_program(bed, id);
	cr_expect(eq(int, memcmp(before, bed->table.flow, sizeof before), 0));
	bed_close(bed);
}

Test(flow_table, changed_order_keeps_statistics_and_source)
{
	struct bed *bed = bed_open();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	struct sp_flow_report r;

	bed_call(bed, BED_IP4, BED_IP4);
	bed_talk(bed, &a, BED_A, 7, 1, 5);
	bed->conf[BED_A].signalled.port = 6000;
	bed->conf[BED_A].dscp = 10;
	bed_program(bed, BED_A);
	cr_assert(eq(int, sp_flow_table_read(&bed->table, BED_A, &r), SP_OK));
	cr_expect(eq(u64, r.packets, 5));
	cr_expect(sp_addr_equal(&r.remote, &a));
	cr_expect(eq(u8, bed->table.flow[BED_A].header.bytes[1], 10 << 2));
	bed_close(bed);
}

Test(flow_table, takes_the_hop_of_where_it_sends)
{
	struct bed *bed = bed_open();
	const struct sp_addr natted = packet_addr("198.51.100.99", 7000);
	const struct sp_addr stranger = packet_addr("192.0.2.200", 7000);
	const struct sp_addr none = { 0 };
	struct sp_flow *f = &bed->table.flow[BED_A];

	bed_call(bed, BED_IP4, BED_IP4);
	cr_assert(eq(int,
		sp_flow_table_program(
			&bed->table, BED_A, &bed->conf[BED_A], 3, 4, 1),
		SP_OK));
	cr_expect(eq(u16, f->hop, 3));
	sp_flow_table_hop(&bed->table, BED_A, 5, 6, &none, 0);
	cr_expect(eq(u16, f->hop, 5));
	f->latch.state = SP_LATCH_HELD;
	f->latch.remote = natted;
	sp_flow_table_aim(&bed->table, f);
	cr_expect(eq(u16, f->hop, 6));
	f->latch.remote = stranger;
	sp_flow_table_aim(&bed->table, f);
	cr_expect(eq(u16, f->hop, 0)); /* not known before control tells */
	sp_flow_table_hop(&bed->table, BED_A, 5, 6, &stranger, 7);
	cr_expect(eq(u16, f->hop, 7));
	/* It was told of another one, which it has left meanwhile. */
	f->latch.remote = natted;
	sp_flow_table_hop(&bed->table, BED_A, 5, 6, &stranger, 7);
	cr_expect(eq(u16, f->hop, 6));
	bed_close(bed);
}

Test(flow_table, probation_lasts_as_long_as_the_packets_are)
{
	struct bed *bed = bed_open();

	bed_call(bed, BED_IP4, BED_IP4);
	cr_expect(eq(u16, bed->table.flow[BED_A].facts.min_spread_ms, 20));
	bed->conf[BED_A].ptime_ms = 60;
	bed_program(bed, BED_A);
	cr_expect(eq(u16, bed->table.flow[BED_A].facts.min_spread_ms, 60));
	bed_close(bed);
}

Test(flow_table, large_table_costs_what_is_used)
{
	struct sp_locals locals = { .count = 0 };
	struct sp_flow_table t;

	cr_assert(eq(
		int, sp_flow_table_open(&t, &locals, 1u << 22, false), SP_OK));
	cr_expect(eq(u32, t.flow[1u << 22].index, 0));
	sp_flow_table_close(&t);
	cr_expect(eq(ptr, t.flow, NULL));
	sp_flow_table_close(&t); /* once more does no harm */
}
