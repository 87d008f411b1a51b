/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/dataplane/bed_dpdk.h"
#include "tests/dataplane/bed_frame.h"
#include "tests/dataplane/bed_srtp.h"

/* Whom a leg with keys believes, and when. */

static const struct sp_addr nobody = { .family = SP_FAMILY_NONE };

/* A call of A with @suite and a plain B, with a pool to hold packets in. */
static void
open_call(struct bed_srtp *s, enum sp_srtp_suite suite)
{
	bed_start_dpdk(NULL);
	bed_srtp_open(s);
	bed_open_pool(s->bed);
	bed_srtp_call(s, BED_IP4, suite, BED_IP4, SP_SRTP_NONE);
}

/* A's next authentic packet, by way of @from; its verdict. */
static unsigned int
say(struct bed_srtp *s, const struct sp_addr *from, uint16_t seq)
{
	const struct bed_payload srtp =
		bed_protect(s, BED_PARTY_A, bed_rtp(7, seq, 172));

	return bed_say_payload(s, from, BED_A, &srtp);
}

/* What B says goes to A at @want, once control has said by which hop. */
static void
expect_sent_to(struct bed_srtp *s, const struct sp_addr *want)
{
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);
	const unsigned int at = s->bed->n_sent;
	const uint8_t *frame = s->bed->sent[at].frame;
	const uint16_t hop = BED_IP4 + 1;
	struct sp_addr to;

	sp_flow_table_hop(&s->bed->table, BED_A, hop, hop, want, hop);
	bed_talk(s->bed, &b, BED_B, 8, 1, 1);
	cr_assert(eq(uint, s->bed->n_sent, at + 1));
	to = sp_addr_ip4(frame + 30, (uint16_t)(frame[36] << 8 | frame[37]));
	cr_expect(sp_addr_equal(&to, want));
}

Test(commit_srtp, first_authentic_packet_latches_from_anywhere)
{
	const struct sp_addr carrier = packet_addr("192.0.2.200", 7000);
	struct bed_srtp s;

	open_call(&s, SP_SRTP_AES_CM_128_80);
	cr_expect(eq(uint, say(&s, &carrier, 1), SP_VERDICT_FORWARD));
	cr_assert(eq(u16, s.bed->commit.n_news, 1));
	cr_expect(eq(int, s.bed->commit.news[0].kind, SP_NEWS_LATCHED));
	cr_expect(eq(int, s.bed->commit.news[0].class, SP_LATCH_AUTHENTIC));
	cr_expect(sp_addr_equal(&s.bed->commit.news[0].remote, &carrier));
	expect_sent_to(&s, &carrier);
	bed_srtp_close(&s);
}

Test(commit_srtp, what_is_sent_follows_a_move_after_a_while)
{
	const struct sp_addr wifi = bed_phone(BED_IP4, BED_A);
	const struct sp_addr mobile = packet_addr("192.0.2.200", 7000);
	struct bed_srtp s;
	uint16_t seq = 1;

	open_call(&s, SP_SRTP_GCM_128);
	cr_expect(eq(uint, say(&s, &wifi, seq++), SP_VERDICT_FORWARD));
	for (unsigned int i = 0; i < 9; i++) {
		cr_expect(
			eq(uint, say(&s, &mobile, seq++), SP_VERDICT_FORWARD));
		cr_expect(sp_addr_equal(
			&s.bed->table.flow[BED_A].latch.remote, &wifi));
	}
	s.bed->commit.n_news = 0;
	cr_expect(eq(uint, say(&s, &mobile, seq++), SP_VERDICT_FORWARD));
	cr_expect(eq(int, s.bed->commit.news[0].kind, SP_NEWS_MOVED));
	expect_sent_to(&s, &mobile);
	/* Not one packet was lost on the way. */
	cr_expect(eq(u32, s.bed->table.flow[BED_A].packets, 11));
	bed_srtp_close(&s);
}

/* RTCP of a leg follows its RTP by IP, however good its tag. */
Test(commit_srtp, rtcp_follows_rtp)
{
	const struct sp_addr rtp = packet_addr("192.0.2.200", 7000);
	const struct sp_addr rtcp = packet_addr("192.0.2.200", 7001);
	const struct sp_addr other = packet_addr("192.0.2.201", 7001);
	struct bed_payload srtcp;
	struct bed_srtp s;

	open_call(&s, SP_SRTP_AES_CM_128_80);
	cr_expect(eq(uint, say(&s, &rtp, 1), SP_VERDICT_FORWARD));
	srtcp = bed_protect(&s, BED_PARTY_A, bed_rtcp(7));
	cr_expect(ne(uint, bed_say_payload(&s, &other, BED_A_RTCP, &srtcp),
		SP_VERDICT_FORWARD));
	srtcp = bed_protect(&s, BED_PARTY_A, bed_rtcp(7));
	cr_expect(eq(uint, bed_say_payload(&s, &rtcp, BED_A_RTCP, &srtcp),
		SP_VERDICT_FORWARD));
	bed_srtp_close(&s);
}

/* Whoever copies it on its way must not get ahead of it. */
Test(commit_srtp, rtcp_from_elsewhere_uses_up_nothing)
{
	const struct sp_addr rtp = packet_addr("192.0.2.200", 7000);
	const struct sp_addr rtcp = packet_addr("192.0.2.200", 7001);
	const struct sp_addr other = packet_addr("192.0.2.201", 7001);
	struct bed_payload srtcp;
	struct bed_srtp s;

	open_call(&s, SP_SRTP_AES_CM_128_80);
	cr_expect(eq(uint, say(&s, &rtp, 1), SP_VERDICT_FORWARD));
	srtcp = bed_protect(&s, BED_PARTY_A, bed_rtcp(7));
	cr_expect(eq(uint, bed_say_payload(&s, &other, BED_A_RTCP, &srtcp),
		SP_VERDICT_SOURCE));
	cr_expect(eq(uint, bed_say_payload(&s, &rtcp, BED_A_RTCP, &srtcp),
		SP_VERDICT_FORWARD));
	bed_srtp_close(&s);
}

/* A policy that names addresses goes on doing so. */
Test(commit_srtp, restricted_leg_needs_keys_and_address)
{
	const struct sp_addr other = packet_addr("192.0.2.200", 7000);
	const struct sp_addr natted = packet_addr("198.51.100.99", 7000);
	struct bed_srtp s;

	open_call(&s, SP_SRTP_AES_CM_128_80);
	s.bed->conf[BED_A].policy = SP_LATCH_RESTRICTED;
	bed_program(s.bed, BED_A);
	cr_expect(eq(uint, say(&s, &other, 1), SP_VERDICT_SOURCE));
	cr_expect(eq(uint, say(&s, &natted, 2), SP_VERDICT_FORWARD));
	cr_expect(eq(
		int, s.bed->table.flow[BED_A].latch.class, SP_LATCH_AUTHENTIC));
	s.bed->conf[BED_A].policy = SP_LATCH_SIGNALLED;
	bed_program(s.bed, BED_A);
	cr_expect(eq(uint, say(&s, &other, 3), SP_VERDICT_SOURCE));
	bed_srtp_close(&s);
}

/* Without a tag SRTP proves as little as RTP; and is not held, being open. */
Test(commit_srtp, untagged_srtp_is_on_probation)
{
	const struct sp_addr natted = packet_addr("198.51.100.99", 7000);
	const struct sp_addr other = packet_addr("192.0.2.200", 7000);
	struct bed_srtp s;

	open_call(&s, SP_SRTP_AES_CM_128_80);
	s.conf[BED_PARTY_A].in.flags = SP_SRTP_NO_AUTH;
	bed_hold_keys(&s, BED_PARTY_A);
	bed_equip(&s, BED_PARTY_A);
	cr_expect(eq(uint, say(&s, &other, 1), SP_VERDICT_PROBATION));
	cr_expect(eq(uint, say(&s, &natted, 2), SP_VERDICT_PROBATION));
	cr_expect(eq(uint, say(&s, &natted, 3), SP_VERDICT_PROBATION));
	cr_expect(eq(u32, s.bed->commit.holding, 0));
	cr_expect(eq(uint, say(&s, &natted, 4), SP_VERDICT_FORWARD));
	cr_expect(eq(int, s.bed->table.flow[BED_A].latch.class,
		SP_LATCH_SIP_SOURCE));
	cr_expect(eq(uint, s.bed->n_sent, 1));
	bed_srtp_close(&s);
}

/* SEC-4: what is offered again as it was re-opens nothing; nor does a key. */
Test(commit_srtp, orders_again_drop_no_latch)
{
	const struct sp_addr from = packet_addr("192.0.2.200", 7000);
	struct sp_flow before;
	struct bed_srtp s;

	open_call(&s, SP_SRTP_AES_CM_128_80);
	say(&s, &from, 1);
	before = s.bed->table.flow[BED_A];
	bed_hold_keys(&s, BED_PARTY_A);
	bed_program(s.bed, BED_A);
	cr_expect(eq(int,
		memcmp(&before, &s.bed->table.flow[BED_A], sizeof before), 0));
	s.conf[BED_PARTY_A].in = bed_conf(SP_SRTP_AES_CM_128_80, 9);
	bed_hold_keys(&s, BED_PARTY_A);
	bed_program(s.bed, BED_A);
	cr_expect(eq(int,
		memcmp(&before, &s.bed->table.flow[BED_A], sizeof before), 0));
	cr_expect(eq(uint, say(&s, &from, 2), SP_VERDICT_FORWARD));
	bed_equip(&s, BED_PARTY_A);
	cr_expect(eq(uint, say(&s, &from, 3), SP_VERDICT_FORWARD));
	bed_srtp_close(&s);
}

/* An offer to A was sent, and nothing of A is known, but who will ask. */
static void
open_offer(struct bed_srtp *s)
{
	struct sp_flow_conf *c;

	open_call(s, SP_SRTP_AES_CM_128_80);
	for (enum bed_flow id = BED_A; id <= BED_A_RTCP; id++) {
		c = &s->bed->conf[id];
		cr_assert(
			eq(int, sp_flow_table_stop(&s->bed->table, id), SP_OK));
		c->signalled = c->signalling = nobody;
		bed_program(s->bed, id);
	}
	cr_assert(eq(int,
		sp_key_table_set(&s->keys, bed_key_id(BED_PARTY_A), NULL, 1),
		SP_OK));
}

/* The answer brings its keys, then its address. */
static void
answer(struct bed_srtp *s)
{
	bed_hold_keys(s, BED_PARTY_A);
	for (enum bed_flow id = BED_A; id <= BED_A_RTCP; id++) {
		s->bed->conf[id].signalled = bed_phone(BED_IP4, id);
		bed_program(s->bed, id);
		sp_stage_commit_answered(&s->bed->commit, &s->bed->table, id);
	}
	bed_release(s->bed);
}

Test(commit_srtp, who_speaks_before_the_answer_is_heard_with_it)
{
	const struct sp_addr from = packet_addr("192.0.2.200", 7000);
	struct bed_srtp s;

	open_offer(&s);
	for (uint16_t i = 0; i < 3; i++)
		cr_expect(eq(uint, say(&s, &from, i), SP_BURST_HELD));
	cr_expect(eq(u32, s.bed->commit.holding, 3));
	cr_expect(eq(uint, s.bed->n_sent, 0));
	answer(&s);
	cr_assert(eq(uint, s.bed->n_sent, 3));
	for (uint16_t i = 0; i < 3; i++) {
		const struct bed_payload got = bed_sent_payload(s.bed, i);
		const struct bed_payload want = bed_rtp(7, i, 172);

		bed_expect_payload(&got, &want, "held");
		cr_expect(bed_sum_is_right(s.bed, i));
	}
	cr_expect(eq(u32, s.bed->commit.holding, 0));
	cr_expect(
		eq(uint, rte_mempool_in_use_count(s.bed->commit.hold_pool), 0));
	cr_expect(sp_addr_equal(&s.bed->table.flow[BED_A].latch.remote, &from));
	bed_srtp_close(&s);
}

Test(commit_srtp, held_before_the_answer_and_forged_ends_there)
{
	const struct sp_addr from = packet_addr("192.0.2.200", 7000);
	struct bed_payload forged = bed_rtp(7, 1, 172);
	struct bed_srtp s;

	open_offer(&s);
	cr_expect(eq(uint, bed_say_payload(&s, &from, BED_A, &forged),
		SP_BURST_HELD));
	answer(&s);
	cr_expect(eq(uint, s.bed->n_sent, 0));
	cr_expect(eq(uint, s.bed->count[SP_VERDICT_SRTP_AUTH], 1));
	cr_expect(
		eq(int, s.bed->table.flow[BED_A].latch.state, SP_LATCH_EMPTY));
	bed_srtp_close(&s);
}

/* Where an address is known, or on RTCP's port, nothing waits for keys. */
Test(commit_srtp, without_keys_nothing_passes)
{
	const struct sp_addr rtp = bed_phone(BED_IP4, BED_A);
	const struct sp_addr rtcp = bed_phone(BED_IP4, BED_A_RTCP);
	struct bed_payload srtcp;
	struct bed_srtp s;

	open_offer(&s);
	srtcp = bed_protect(&s, BED_PARTY_A, bed_rtcp(7));
	cr_expect(eq(uint, bed_say_payload(&s, &rtcp, BED_A_RTCP, &srtcp),
		SP_VERDICT_NO_KEYS));
	s.bed->conf[BED_A].signalled = rtp;
	bed_program(s.bed, BED_A);
	cr_expect(eq(uint, say(&s, &rtp, 1), SP_VERDICT_NO_KEYS));
	cr_expect(eq(uint, s.bed->n_sent, 0));
	cr_expect(eq(u32, s.bed->commit.holding, 0));
	bed_srtp_close(&s);
}

Test(commit_srtp, wait_for_keys_ends_by_the_clock)
{
	const struct sp_addr from = packet_addr("192.0.2.200", 7000);
	struct bed_srtp s;

	open_offer(&s);
	cr_expect(eq(uint, say(&s, &from, 1), SP_BURST_HELD));
	s.bed->now_us += (SP_STAGE_HOLD_MS + 20) * 1000;
	sp_stage_commit_age(&s.bed->commit, &s.bed->table,
		(uint32_t)(s.bed->now_us / 1000));
	cr_expect(eq(u32, s.bed->commit.holding, 0));
	cr_expect(
		eq(uint, rte_mempool_in_use_count(s.bed->commit.hold_pool), 0));
	bed_srtp_close(&s);
}
