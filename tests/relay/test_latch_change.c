/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/relay/latch_leg.h"

Test(latch_change, unchanged_signal_changes_nothing)
{
	struct leg leg, before;

	for (enum phase phase = EMPTY; phase <= SPEAKING; phase++) {
		const struct sp_addr media = source(SP_LATCH_EXACT, false);
		const struct sp_addr none = { 0 };
		const struct sp_addr sip = at(3, 5060);

		leg_open(&leg, SP_LATCH_RESTRICTED);
		if (phase == SPEAKING)
			occupy(&leg, SP_LATCH_SIP_SOURCE);
		before = leg;
		leg.now_ms += 60000;
		cr_expect(not(sp_latch_signal(
			&leg.latch, &leg.facts, &media, &sip, leg.now_ms)));
		leg.now_ms = before.now_ms;
		cr_expect(eq(int, memcmp(&leg, &before, sizeof leg), 0));
		if (phase == EMPTY)
			continue;
		/* Put on hold and taken back: the party did not move. */
		cr_expect(not(sp_latch_signal(
			&leg.latch, &leg.facts, &none, &sip, leg.now_ms)));
		cr_expect(not(sp_latch_signal(
			&leg.latch, &leg.facts, &media, &sip, leg.now_ms)));
		cr_expect(eq(int, memcmp(&leg, &before, sizeof leg), 0));
	}
}

Test(latch_change, signal_that_names_the_holder_confirms_it)
{
	const struct sp_addr natted = source(SP_LATCH_SIP_SOURCE, false);
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	occupy(&leg, SP_LATCH_SIP_SOURCE);
	say_sdp(&leg, &natted);
	cr_expect(sp_latch_holds(&leg.latch, &natted));
	cr_expect(eq(int, leg.latch.class, SP_LATCH_EXACT));
}

Test(latch_change, silence_lets_another_source_in)
{
	const struct sp_addr old = source(SP_LATCH_SIP_SOURCE, false);
	const struct sp_addr new = source(SP_LATCH_SIP_SOURCE, true);
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	leg.now_ms = (uint32_t)-1500; /* wraps while silent */
	hear_stream(&leg, &old, 1, 1, 3);
	leg.now_ms += SP_LATCH_SILENCE_MS - PTIME_MS - 1;
	cr_expect(eq(int, hear_stream(&leg, &new, 2, 1, 1), SP_LATCH_DENY));
	cr_expect(eq(int, hear_stream(&leg, &new, 2, 2, 1), SP_LATCH_WAIT));
	cr_expect(eq(int, hear_stream(&leg, &new, 2, 3, 1), SP_LATCH_NEW));
	cr_expect(sp_latch_holds(&leg.latch, &new));
}

Test(latch_change, packet_that_was_held_does_not_turn_back_time)
{
	const struct sp_addr old = source(SP_LATCH_SIP_SOURCE, false);
	const struct sp_addr other = source(SP_LATCH_SIP_SOURCE, true);
	const struct sp_addr moved = at(5, 4000);
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	occupy(&leg, SP_LATCH_SIP_SOURCE);
	say_sdp(&leg, &moved);
	leg.now_ms -= 10;
	cr_expect(eq(int, hear(&leg, &old, 1, 103), SP_LATCH_PASS));
	cr_expect(leg.latch.renewing);
	leg.latch.renewing = 0;
	leg.running.seen_ms = leg.now_ms + 10;
	cr_expect(eq(int, hear(&leg, &other, 2, 1), SP_LATCH_DENY));
}

Test(latch_change, old_source_is_heard_until_the_new_one_came)
{
	const struct sp_addr old = source(SP_LATCH_EXACT, false);
	const struct sp_addr moved = at(5, 4000);
	struct sp_addr target;
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	occupy(&leg, SP_LATCH_EXACT);
	say_sdp(&leg, &moved);
	cr_expect(eq(int, hear_stream(&leg, &old, 1, 103, 5), SP_LATCH_PASS));
	cr_assert(sp_latch_target(&leg.latch, &leg.facts, NULL, &target));
	cr_expect(sp_addr_equal(&target, &moved));
	cr_expect(eq(int, hear(&leg, &moved, 2, 1), SP_LATCH_NEW));
	/* What was still on its way can neither return nor steal. */
	cr_expect(eq(int, hear_stream(&leg, &old, 1, 108, 20), SP_LATCH_DENY));
	cr_expect(sp_latch_holds(&leg.latch, &moved));
}

Test(latch_change, source_behind_a_nat_is_kept_until_its_new_mapping_came)
{
	const struct sp_addr old = source(SP_LATCH_SIP_SOURCE, false);
	const struct sp_addr new = source(SP_LATCH_SIP_SOURCE, true);
	const struct sp_addr moved = at(5, 4000);
	struct sp_addr target;
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	occupy(&leg, SP_LATCH_SIP_SOURCE);
	say_sdp(&leg, &moved);
	cr_assert(sp_latch_target(&leg.latch, &leg.facts, NULL, &target));
	cr_expect(sp_addr_equal(&target, &old));
	cr_expect(eq(int, hear_stream(&leg, &old, 1, 103, 2), SP_LATCH_PASS));
	cr_expect(eq(int, hear_stream(&leg, &new, 2, 1, 2), SP_LATCH_WAIT));
	cr_expect(eq(int, hear(&leg, &old, 1, 105), SP_LATCH_PASS));
	cr_expect(eq(int, hear_stream(&leg, &new, 2, 3, 1), SP_LATCH_NEW));
	cr_expect(eq(int, hear_stream(&leg, &old, 1, 106, 2), SP_LATCH_DENY));
}

Test(latch_change, grace_ends)
{
	const struct sp_addr old = source(SP_LATCH_EXACT, false);
	const struct sp_addr moved = at(5, 4000);
	struct sp_addr target;
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	leg.now_ms = (uint32_t)-3000; /* wraps within the grace */
	occupy(&leg, SP_LATCH_EXACT);
	say_sdp(&leg, &moved);
	leg.now_ms += SP_LATCH_GRACE_MS;
	cr_expect(eq(int, hear(&leg, &old, 1, 103), SP_LATCH_PASS));
	leg.now_ms++;
	cr_expect(eq(int, hear(&leg, &old, 1, 104), SP_LATCH_DENY));
	cr_expect(eq(int, leg.latch.state, SP_LATCH_EMPTY));
	cr_assert(sp_latch_target(&leg.latch, &leg.facts, NULL, &target));
	cr_expect(sp_addr_equal(&target, &moved));
}

Test(latch_change, source_that_still_speaks_outlives_the_grace)
{
	const struct sp_addr old = source(SP_LATCH_SIP_SOURCE, false);
	const struct sp_addr moved = at(5, 4000);
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	occupy(&leg, SP_LATCH_SIP_SOURCE);
	say_sdp(&leg, &moved);
	leg.now_ms += SP_LATCH_GRACE_MS;
	cr_expect(eq(int, hear(&leg, &old, 1, 103), SP_LATCH_PASS));
	leg.now_ms++;
	cr_expect(eq(int, hear(&leg, &old, 1, 104), SP_LATCH_PASS));
	cr_expect(sp_latch_holds(&leg.latch, &old));
	cr_expect(not(sp_latch_expire(&leg.latch, &leg.facts, leg.now_ms,
		leg.now_ms + SP_LATCH_GRACE_MS)));
}

Test(latch_change, silent_source_gives_way_to_a_listener)
{
	const struct sp_addr moved = at(5, 4000);
	struct sp_addr target;
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	occupy(&leg, SP_LATCH_SIP_SOURCE);
	say_sdp(&leg, &moved);
	leg.now_ms += SP_LATCH_GRACE_MS + 1;
	cr_expect(sp_latch_expire(
		&leg.latch, &leg.facts, leg.running.seen_ms, leg.now_ms));
	cr_expect(eq(int, leg.latch.state, SP_LATCH_EMPTY));
	cr_assert(sp_latch_target(&leg.latch, &leg.facts, NULL, &target));
	cr_expect(sp_addr_equal(&target, &moved));
}

/* Whether a stream that goes on from another port is followed. */
struct move {
	char name[40];
	uint8_t net;     /* of the new source; 3 is the old one's */
	uint32_t ssrc;   /* 1 is the running one */
	uint16_t ahead;  /* of the last sequence number */
	bool old_speaks; /* the old port goes on, too */
	char want[6];
};

ParameterizedTestParameters(latch_change, follows_a_stream_to_another_port)
{
	static struct move cases[] = {
		{ "the next packet on", 3, 1, 1, false, "WWNP" },
		{ "some lost while moving", 3, 1, 98, false, "WWNP" },
		{ "too far ahead", 3, 1, 101, false, "DDRD" },
		{ "a copy, then the next", 3, 1, 0, false, "DWNP" },
		{ "another source id", 3, 2, 1, false, "DDRD" },
		{ "the old port still sends", 3, 1, 1, true, "WWRD" },
		{ "another address", 9, 1, 1, false, "DDDD" },
	};

	return cr_make_param_array(
		struct move, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct move *tc, latch_change, follows_a_stream_to_another_port)
{
	static const char letter[] = { [SP_LATCH_PASS] = 'P',
		[SP_LATCH_NEW] = 'N',
		[SP_LATCH_WAIT] = 'W',
		[SP_LATCH_RIVAL] = 'R',
		[SP_LATCH_DENY] = 'D' };
	const struct sp_addr old = source(SP_LATCH_SIP_SOURCE, false);
	const struct sp_addr new = at(tc->net, 7777);
	const uint16_t last = 65533; /* wraps while it moves */
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	hear_stream(&leg, &old, 1, (uint16_t)(last - 9), 10);
	cr_assert(sp_latch_holds(&leg.latch, &old));
	for (unsigned int i = 0; tc->want[i]; i++) {
		leg.now_ms += PTIME_MS;
		cr_expect(eq(chr,
				  letter[hear(&leg, &new, tc->ssrc,
					  (uint16_t)(last + tc->ahead + i))],
				  tc->want[i]),
			"%s, packet %u", tc->name, i);
		leg.now_ms++;
		if (tc->old_speaks)
			hear(&leg, &old, 1, (uint16_t)(last + i + 1));
	}
}

Test(latch_change, media_that_is_not_rtp_latches_by_numbers_and_time)
{
	const struct sp_addr fax = source(SP_LATCH_SIP_SOURCE, false);
	static const enum sp_latch_answer want[] = { SP_LATCH_WAIT,
		SP_LATCH_WAIT, SP_LATCH_NEW, SP_LATCH_PASS };
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	for (unsigned int i = 0; i < 4; i++) {
		leg.now_ms += PTIME_MS;
		cr_expect(eq(int,
			sp_latch_commit(&leg.latch, &leg.facts, &leg.trial,
				&leg.running, &fax, NULL, leg.now_ms),
			want[i]));
	}
}

Test(latch_change, handover_goes_to_who_came_last_while_the_other_speaks)
{
	const struct sp_addr first = source(SP_LATCH_SIP_SOURCE, false);
	const struct sp_addr second = source(SP_LATCH_STRANGER, false);
	static const enum sp_latch_answer want[] = { SP_LATCH_WAIT,
		SP_LATCH_WAIT, SP_LATCH_NEW };
	struct leg leg;

	leg_open(&leg, SP_LATCH_HANDOVER);
	cr_expect(eq(int, hear_stream(&leg, &first, 1, 1, 3), SP_LATCH_NEW));
	for (uint16_t i = 0; i < 3; i++) {
		cr_expect(eq(int, hear_stream(&leg, &first, 1, 4 + i, 1),
			SP_LATCH_PASS));
		cr_expect(eq(int, hear(&leg, &second, 2, i), want[i]));
	}
	cr_expect(sp_latch_holds(&leg.latch, &second));
	cr_expect(eq(int, leg.latch.class, SP_LATCH_STRANGER));
	/* A late packet of the first one takes nothing back. */
	cr_expect(eq(int, hear_stream(&leg, &first, 1, 7, 1), SP_LATCH_WAIT));
	cr_expect(eq(int, hear_stream(&leg, &second, 2, 3, 9), SP_LATCH_PASS));
	cr_expect(sp_latch_holds(&leg.latch, &second));
}

Test(latch_change, handover_believes_nobody_without_a_probation)
{
	const struct sp_addr phone = source(SP_LATCH_EXACT, false);
	const struct sp_addr spray = source(SP_LATCH_STRANGER, false);
	const struct sp_addr loopback =
		sp_addr_ip4((const uint8_t[]){ 127, 0, 0, 1 }, 4000);
	struct leg leg;

	leg_open(&leg, SP_LATCH_HANDOVER);
	for (uint16_t i = 0; i < 1000; i++) {
		hear_stream(&leg, &phone, 1, i, 1);
		cr_assert(eq(int, hear(&leg, &spray, 2, 7), SP_LATCH_WAIT));
		cr_assert(eq(int, hear(&leg, &loopback, 3, i), SP_LATCH_DENY));
	}
	cr_expect(sp_latch_holds(&leg.latch, &phone));
}

Test(latch_change, handover_is_over_when_the_exact_source_speaks)
{
	const struct sp_addr exact = source(SP_LATCH_EXACT, false);
	const struct sp_addr other = source(SP_LATCH_STRANGER, false);
	struct leg leg;

	leg_open(&leg, SP_LATCH_HANDOVER);
	hear_stream(&leg, &exact, 1, 1, 9);
	cr_expect(eq(int, hear_stream(&leg, &other, 2, 1, 3), SP_LATCH_NEW));
	cr_expect(eq(int, hear_stream(&leg, &exact, 1, 10, 1), SP_LATCH_NEW));
	cr_expect(eq(int, leg.latch.class, SP_LATCH_EXACT));
}
