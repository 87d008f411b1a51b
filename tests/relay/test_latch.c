/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/relay/latch_leg.h"

/*
 * What the first packet of a challenger is told, by the policy and by who
 * holds the leg in which state: one letter a class, strangers first, exact
 * addresses last. N: new, W: wait, D: deny, -: it is the holder itself.
 */
struct meeting {
	char name[40];
	enum sp_latch_policy policy;
	enum phase phase;
	enum sp_latch_class holder;
	char want[5];
};

ParameterizedTestParameters(latch, answers_a_first_packet)
{
	/* clang-format off */
	static struct meeting cases[] = {
#define ROWS(name, policy, empty, speak_x, speak_g, speak_p, speak_s,         \
	silent_x, silent_g, silent_p, silent_s, renewed)                      \
	{ name ", empty", policy, EMPTY, SP_LATCH_NOBODY, empty },            \
	{ name ", X speaks", policy, SPEAKING, SP_LATCH_STRANGER, speak_x },  \
	{ name ", G speaks", policy, SPEAKING, SP_LATCH_SIP_SOURCE, speak_g },\
	{ name ", P speaks", policy, SPEAKING, SP_LATCH_SAME_IP, speak_p },   \
	{ name ", S speaks", policy, SPEAKING, SP_LATCH_EXACT, speak_s },     \
	{ name ", X silent", policy, SILENT, SP_LATCH_STRANGER, silent_x },   \
	{ name ", G silent", policy, SILENT, SP_LATCH_SIP_SOURCE, silent_g }, \
	{ name ", P silent", policy, SILENT, SP_LATCH_SAME_IP, silent_p },    \
	{ name ", S silent", policy, SILENT, SP_LATCH_EXACT, silent_s },      \
	{ name ", X renewed", policy, RENEWED, SP_LATCH_STRANGER, renewed },  \
	{ name ", G renewed", policy, RENEWED, SP_LATCH_SIP_SOURCE, renewed },\
	{ name ", P renewed", policy, RENEWED, SP_LATCH_SAME_IP, renewed },   \
	{ name ", S renewed", policy, RENEWED, SP_LATCH_EXACT, renewed }
		ROWS("signalled", SP_LATCH_SIGNALLED, "DDDN",
			"DDDN", "DDDN", "DDDN", "DDD-",
			"DDDN", "DDDN", "DDDN", "DDD-", "DDDN"),
		ROWS("asymmetric", SP_LATCH_ASYMMETRIC, "DWWN",
			"DWWN", "DDWN", "DDDN", "DDD-",
			"DWWN", "DWWN", "DWWN", "DWW-", "DWWN"),
		ROWS("restricted", SP_LATCH_RESTRICTED, "DWWN",
			"DWWN", "DDWN", "DDDN", "DDD-",
			"DWWN", "DWWN", "DWWN", "DWW-", "DWWN"),
		ROWS("any", SP_LATCH_ANY, "WWWN",
			"DWWN", "DDWN", "DDDN", "DDD-",
			"WWWN", "WWWN", "WWWN", "WWW-", "WWWN"),
		ROWS("handover", SP_LATCH_HANDOVER, "WWWN",
			"WWWN", "WWWN", "WWWN", "WWW-",
			"WWWN", "WWWN", "WWWN", "WWW-", "WWWN"),
	};
	/* clang-format on */

	return cr_make_param_array(
		struct meeting, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct meeting *tc, latch, answers_a_first_packet)
{
	for (enum sp_latch_class class = SP_LATCH_STRANGER;
		class <= SP_LATCH_EXACT; class ++) {
		struct sp_addr from = source(class, true);
		const char want = tc->want[class - SP_LATCH_STRANGER];
		struct leg leg;
		char got;

		if (want == '-')
			continue;
		leg_open(&leg, tc->policy);
		if (tc->phase != EMPTY)
			occupy(&leg, tc->holder);
		if (tc->phase == SILENT)
			leg.now_ms += SP_LATCH_SILENCE_MS;
		if (tc->phase == RENEWED) {
			const struct sp_addr moved = at(5, 4000);

			say_sdp(&leg, &moved);
			if (class == SP_LATCH_EXACT)
				from = moved;
			if (class == SP_LATCH_SAME_IP)
				from = at(5, 7002);
		}
		switch (hear(&leg, &from, 2, 7)) {
		case SP_LATCH_NEW:
			got = 'N';
			break;
		case SP_LATCH_WAIT:
			got = 'W';
			break;
		case SP_LATCH_DENY:
			got = 'D';
			break;
		default:
			got = '?';
		}
		cr_expect(eq(chr, got, want), "%s, class %d", tc->name, class);
		cr_expect(eq(int, got == 'N',
				  sp_addr_equal(&leg.latch.remote, &from)),
			"%s, class %d", tc->name, class);
	}
}

/* Ways to behave on probation; each letter of @want answers a packet. */
struct trial_case {
	char name[32];
	uint16_t seq[8];
	uint16_t ms[8]; /* since the one before */
	uint8_t ssrc[8];
	char want[9];
};

ParameterizedTestParameters(latch, puts_on_probation)
{
	/* clang-format off */
	static struct trial_case cases[] = {
		{ "three in a row", { 1, 2, 3, 4 }, { 0, 20, 20, 20 },
			{ 1, 1, 1, 1 }, "WWNP" },
		{ "sequence wraps", { 65534, 65535, 0 }, { 0, 20, 20 },
			{ 1, 1, 1 }, "WWN" },
		{ "all at once", { 1, 2, 3, 4, 5, 6, 7, 8 }, { 0 },
			{ 1, 1, 1, 1, 1, 1, 1, 1 }, "WWWWWWWW" },
		{ "a burst, then time", { 1, 2, 3, 4 }, { 0, 0, 0, 20 },
			{ 1, 1, 1, 1 }, "WWWN" },
		{ "one short of the spread", { 1, 2, 3, 4 }, { 0, 10, 9, 1 },
			{ 1, 1, 1, 1 }, "WWWN" },
		{ "constant sequence", { 1, 1, 1, 1, 1, 1, 1, 1 },
			{ 0, 20, 20, 20, 20, 20, 20, 20 },
			{ 1, 1, 1, 1, 1, 1, 1, 1 }, "WWWWWWWW" },
		{ "backwards", { 9, 8, 7, 6, 5, 4, 3, 2 },
			{ 0, 20, 20, 20, 20, 20, 20, 20 },
			{ 1, 1, 1, 1, 1, 1, 1, 1 }, "WWWWWWWW" },
		{ "one lost", { 1, 2, 4, 5, 6 }, { 0, 20, 20, 20, 20 },
			{ 1, 1, 1, 1, 1 }, "WWWWN" },
		{ "one late", { 5, 4, 6, 7 }, { 0, 20, 20, 20 },
			{ 1, 1, 1, 1 }, "WWWN" },
		{ "every other one", { 1, 3, 5, 7, 9, 11, 13, 15 },
			{ 0, 20, 20, 20, 20, 20, 20, 20 },
			{ 1, 1, 1, 1, 1, 1, 1, 1 }, "WWWWWWWW" },
		{ "another source id", { 1, 2, 3, 4, 5 },
			{ 0, 20, 20, 20, 20 }, { 1, 1, 2, 2, 2 }, "WWWWN" },
		{ "gone for a while", { 1, 2, 3, 4, 5 },
			{ 0, 20, 1501, 20, 20 }, { 1, 1, 1, 1, 1 }, "WWWWN" },
		{ "late, but not gone", { 1, 2, 3 }, { 0, 1500, 1500 },
			{ 1, 1, 1 }, "WWN" },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct trial_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct trial_case *tc, latch, puts_on_probation)
{
	const struct sp_addr from = source(SP_LATCH_SIP_SOURCE, false);
	static const char letter[] = { [SP_LATCH_PASS] = 'P',
		[SP_LATCH_NEW] = 'N',
		[SP_LATCH_WAIT] = 'W',
		[SP_LATCH_RIVAL] = 'R',
		[SP_LATCH_DENY] = 'D' };

	/* Once more where the clock wraps in the middle of it. */
	for (unsigned int wrap = 0; wrap < 2; wrap++) {
		struct leg leg;

		leg_open(&leg, SP_LATCH_RESTRICTED);
		if (wrap)
			leg.now_ms = (uint32_t)-25;
		for (unsigned int i = 0; tc->want[i]; i++) {
			leg.now_ms += tc->ms[i];
			cr_expect(eq(chr,
					  letter[hear(&leg, &from, tc->ssrc[i],
						  tc->seq[i])],
					  tc->want[i]),
				"%s, packet %u", tc->name, i);
		}
	}
}

Test(latch, other_candidates_do_not_end_a_probation)
{
	const struct sp_addr phone = source(SP_LATCH_SIP_SOURCE, false);
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	for (uint16_t i = 0; i < 3; i++) {
		const struct sp_addr other = at(3, (uint16_t)(9000 + i));

		leg.now_ms += PTIME_MS;
		cr_expect(eq(int, hear(&leg, &phone, 1, i),
			i < 2 ? SP_LATCH_WAIT : SP_LATCH_NEW));
		hear(&leg, &other, 66, 5);
	}
	cr_expect(sp_latch_holds(&leg.latch, &phone));
}

Test(latch, constant_sequence_never_passes_even_where_anybody_may)
{
	const struct sp_addr spray = at(9, 31337);
	struct leg leg;

	leg_open(&leg, SP_LATCH_ANY);
	for (unsigned int i = 0; i < 5000; i++) {
		leg.now_ms += i % 3;
		cr_assert(eq(
			int, hear(&leg, &spray, 0xee, 0xee3c), SP_LATCH_WAIT));
	}
	cr_expect(eq(int, leg.latch.state, SP_LATCH_EMPTY));
}

/* SEC-2: a perfect stream from an address that nothing speaks for. */
struct siege {
	enum sp_latch_policy policy;
	enum phase phase;
};

ParameterizedTestParameters(latch, good_stream_of_a_stranger_never_passes)
{
	static struct siege cases[] = {
		{ SP_LATCH_SIGNALLED, EMPTY },
		{ SP_LATCH_SIGNALLED, SPEAKING },
		{ SP_LATCH_SIGNALLED, SILENT },
		{ SP_LATCH_SIGNALLED, RENEWED },
		{ SP_LATCH_RESTRICTED, EMPTY },
		{ SP_LATCH_RESTRICTED, SPEAKING },
		{ SP_LATCH_RESTRICTED, SILENT },
		{ SP_LATCH_RESTRICTED, RENEWED },
	};

	return cr_make_param_array(
		struct siege, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct siege *tc, latch, good_stream_of_a_stranger_never_passes)
{
	const struct sp_addr stranger = at(9, 4000);
	const struct sp_addr phone = source(SP_LATCH_EXACT, false);
	const struct sp_addr moved = at(5, 4000);
	struct sp_addr target;
	struct leg leg;

	leg_open(&leg, tc->policy);
	if (tc->phase != EMPTY)
		occupy(&leg, SP_LATCH_EXACT);
	if (tc->phase == RENEWED)
		say_sdp(&leg, &moved);
	cr_expect(not(sp_latch_allows(&leg.latch, &leg.facts, &stranger)));
	for (uint16_t i = 0; i < 1000; i++) {
		leg.now_ms += PTIME_MS;
		cr_assert(eq(int, hear(&leg, &stranger, 66, i), SP_LATCH_DENY));
		if (tc->phase == SPEAKING)
			hear(&leg, &phone, 1, i);
		cr_assert(
			sp_latch_target(&leg.latch, &leg.facts, NULL, &target));
		cr_assert(not(sp_addr_same_ip(&target, &stranger)));
	}
}

Test(latch, one_address_holds_two_contest_and_the_exact_one_wins)
{
	const struct sp_addr first = at(3, 7000);
	const struct sp_addr second = at(3, 7002);
	const struct sp_addr exact = source(SP_LATCH_EXACT, false);
	struct leg leg;
	unsigned int rivals = 0;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	for (uint16_t i = 0; i < 50; i++) {
		leg.now_ms += PTIME_MS;
		hear(&leg, &first, 1, i);
		rivals += hear(&leg, &second, 2, i) == SP_LATCH_RIVAL;
		cr_expect(not(sp_latch_holds(&leg.latch, &second)));
	}
	cr_expect(sp_latch_holds(&leg.latch, &first));
	cr_expect(eq(uint, rivals, 1)); /* told once, not for each packet */
	cr_expect(eq(int, hear(&leg, &exact, 3, 1), SP_LATCH_NEW));
	cr_expect(sp_latch_holds(&leg.latch, &exact));
	cr_expect(eq(int, hear_stream(&leg, &first, 1, 50, 3), SP_LATCH_RIVAL));
	cr_expect(sp_latch_holds(&leg.latch, &exact));
}

Test(latch, an_asymmetric_party_is_heard_from_elsewhere_and_sent_to_its_sdp)
{
	const struct sp_addr from = source(SP_LATCH_SAME_IP, false);
	const struct sp_addr sdp = source(SP_LATCH_EXACT, false);
	const struct sp_addr moved = at(5, 4000);
	struct sp_latch rtcp = { .policy = SP_LATCH_ASYMMETRIC };
	struct sp_latch_facts rtcp_facts = { .signalled = at(2, 4001) };
	struct sp_addr to;
	struct leg leg;

	leg_open(&leg, SP_LATCH_ASYMMETRIC);
	cr_expect(eq(int, hear_stream(&leg, &from, 1, 1, 3), SP_LATCH_NEW));
	cr_expect(eq(int, hear_stream(&leg, &from, 1, 4, 9), SP_LATCH_PASS));
	cr_assert(sp_latch_target(&leg.latch, &leg.facts, NULL, &to));
	cr_expect(sp_addr_equal(&to, &sdp));
	cr_assert(sp_latch_target(&rtcp, &rtcp_facts, &leg.latch, &to));
	cr_expect(sp_addr_equal(&to, &rtcp_facts.signalled));
	say_sdp(&leg, &moved);
	cr_assert(sp_latch_target(&leg.latch, &leg.facts, NULL, &to));
	cr_expect(sp_addr_equal(&to, &moved));
}
