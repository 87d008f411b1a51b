/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/dataplane/bed_dpdk.h"
#include "tests/dataplane/bed_relay.h"

/* An offer was made: nothing is known yet of B, who is to answer. */
static struct bed *
open_offer(void)
{
	struct bed *bed = bed_open();

	bed_start_dpdk(NULL);
	bed_open_pool(bed);
	bed_call(bed, BED_IP4, BED_IP4);
	packet_must(sp_flow_table_stop(&bed->table, BED_B) == SP_OK);
	bed->conf[BED_B].signalled = (struct sp_addr){ 0 };
	bed_program(bed, BED_B);
	return bed;
}

/* B's answer arrives; as a worker does when it obeys. */
static void
answer(struct bed *bed, const struct sp_addr *signalled)
{
	bed->conf[BED_B].signalled = *signalled;
	bed_program(bed, BED_B);
	sp_stage_commit_answered(&bed->commit, &bed->table, BED_B);
	bed_release(bed);
}

static unsigned int
seq_sent(const struct bed *bed, unsigned int i)
{
	const uint8_t *rtp = bed->sent[i].frame + 14 + 28;

	return (unsigned int)rtp[2] << 8 | rtp[3];
}

Test(commit_early, first_words_before_the_answer_are_sent_after_it)
{
	struct bed *bed = open_offer();
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);

	cr_expect(eq(uint, bed_talk(bed, &b, BED_B, 7, 1, 3), SP_BURST_HELD));
	cr_expect(eq(uint, bed->n_sent, 0));
	answer(bed, &b);
	cr_assert(eq(uint, bed->n_sent, 3));
	for (unsigned int i = 0; i < 3; i++)
		cr_expect(eq(uint, seq_sent(bed, i), i + 1));
	cr_expect(eq(
		uint, bed_talk(bed, &b, BED_B, 7, 4, 1), SP_VERDICT_FORWARD));
	cr_expect(eq(u32, bed->commit.holding, 0));
	cr_expect(eq(u16, bed->commit.n_holders, 0));
	bed_close(bed);
}

Test(commit_early, strangers_words_are_dropped_by_the_answer)
{
	struct bed *bed = open_offer();
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);
	const struct sp_addr stranger = packet_addr("203.0.113.66", 6666);

	bed_talk(bed, &stranger, BED_B, 66, 1, 2);
	bed_talk(bed, &b, BED_B, 7, 1, 1);
	answer(bed, &b);
	cr_expect(eq(uint, bed->n_sent, 1));
	cr_expect(eq(uint,
		bed->count[SP_VERDICT_SOURCE] +
			bed->count[SP_VERDICT_PROBATION],
		2));
	cr_expect(eq(u32, bed->commit.holding, 0));
	bed_close(bed);
}

Test(commit_early, words_are_not_kept_for_long)
{
	struct bed *bed = open_offer();
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);

	bed_talk(bed, &b, BED_B, 7, 1, 2);
	sp_stage_commit_age(&bed->commit, &bed->table,
		(uint32_t)(bed->now_us / 1000) + SP_STAGE_HOLD_MS + 1);
	cr_expect(eq(u32, bed->commit.holding, 0));
	answer(bed, &b);
	cr_expect(eq(uint, bed->n_sent, 0));
	bed_close(bed);
}

/* Whoever sprays the ports of unanswered calls leaves room for others. */
Test(commit_early, half_of_the_places_stay_free)
{
	struct bed *bed = open_offer();
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);

	bed->commit.n_holders = SP_STAGE_HOLDERS / 2;
	cr_expect(
		eq(uint, bed_talk(bed, &b, BED_B, 7, 1, 1), SP_VERDICT_SOURCE));
	bed->commit.n_holders = 0;
	bed_close(bed);
}

/* A refresh while somebody is on probation does not run it again. */
Test(commit_early, answer_leaves_a_probation_alone)
{
	struct bed *bed = open_offer();
	const struct sp_addr other = packet_addr("192.0.2.1", 7000);
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);

	answer(bed, &b);
	cr_expect(
		eq(uint, bed_talk(bed, &other, BED_B, 7, 1, 2), SP_BURST_HELD));
	answer(bed, &b);
	cr_expect(eq(u32, bed->commit.holding, 2));
	bed_talk(bed, &other, BED_B, 7, 3, 1);
	cr_expect(eq(uint, bed->n_sent, 3));
	bed_close(bed);
}
