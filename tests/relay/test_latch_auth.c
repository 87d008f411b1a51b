/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/relay/latch_leg.h"

/* Sources whose SRTP is authentic: RFC 7362 section 5, SECURITY 3.2. */

/* An authentic packet as the worker treats it. */
static enum sp_latch_answer
hear_authentic(struct leg *leg, const struct sp_addr *from, bool newest)
{
	enum sp_latch_answer answer;

	sp_latch_expire(
		&leg->latch, &leg->facts, leg->running.seen_ms, leg->now_ms);
	answer = sp_latch_commit_authentic(&leg->latch, &leg->facts,
		&leg->trial, leg->running.seen_ms, from, newest, leg->now_ms);
	if (answer == SP_LATCH_PASS || answer == SP_LATCH_NEW)
		leg->running.seen_ms = leg->now_ms;
	return answer;
}

/* The next packet at the pace of a phone. */
static enum sp_latch_answer
speak(struct leg *leg, const struct sp_addr *from)
{
	leg->now_ms += PTIME_MS;
	return hear_authentic(leg, from, true);
}

static struct sp_addr
target(const struct leg *leg)
{
	struct sp_addr to = { 0 };

	cr_assert(sp_latch_target(&leg->latch, &leg->facts, NULL, &to));
	return to;
}

/* A leg under policy AUTH that @from holds. */
static void
open_held(struct leg *leg, const struct sp_addr *from)
{
	leg_open(leg, SP_LATCH_AUTH);
	cr_assert(eq(int, speak(leg, from), SP_LATCH_NEW));
}

/* What the first authentic packet is told, strangers first, exact last. */
struct first {
	char name[16];
	enum sp_latch_policy policy;
	char want[5];
};

ParameterizedTestParameters(latch_auth, first_packet_needs_no_probation)
{
	static struct first cases[] = {
		{ "signalled", SP_LATCH_SIGNALLED, "DDDN" },
		{ "asymmetric", SP_LATCH_ASYMMETRIC, "DNNN" },
		{ "restricted", SP_LATCH_RESTRICTED, "DNNN" },
		{ "any", SP_LATCH_ANY, "NNNN" },
		{ "handover", SP_LATCH_HANDOVER, "NNNN" },
		{ "auth", SP_LATCH_AUTH, "NNNN" },
	};

	return cr_make_param_array(
		struct first, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct first *tc, latch_auth, first_packet_needs_no_probation)
{
	for (unsigned int i = 0; i < 4; i++) {
		const struct sp_addr from = source(
			(enum sp_latch_class)(SP_LATCH_STRANGER + i), false);
		const bool welcome = tc->want[i] == 'N';
		struct leg leg;

		leg_open(&leg, tc->policy);
		cr_expect(
			eq(int, sp_latch_allows(&leg.latch, &leg.facts, &from),
				welcome),
			"%s, %u", tc->name, i);
		cr_expect(eq(int, speak(&leg, &from),
				  welcome ? SP_LATCH_NEW : SP_LATCH_DENY),
			"%s, %u", tc->name, i);
		cr_expect(
			eq(int, leg.latch.class,
				welcome ? SP_LATCH_AUTHENTIC : SP_LATCH_NOBODY),
			"%s, %u", tc->name, i);
	}
}

/* Where nothing may ever be sent to, whatever its tag says. */
struct scope {
	char ip[24];
	bool eligible;
};

ParameterizedTestParameters(latch_auth, never_holds_what_may_be_no_target)
{
	static struct scope cases[] = {
		{ "198.51.100.7", true },
		{ "10.1.2.3", true },
		{ "2001:db8::7", true },
		{ "fd00::7", true },
		{ "127.0.0.1", false },
		{ "::1", false },
		{ "224.0.0.5", false },
		{ "ff02::5", false },
		{ "169.254.169.254", false },
		{ "fe80::7", false },
		{ "0.0.0.0", false },
		{ "255.255.255.255", false },
		{ "::ffff:127.0.0.1", false },
		{ "64:ff9b::7f00:1", false },
	};

	return cr_make_param_array(
		struct scope, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct scope *tc, latch_auth, never_holds_what_may_be_no_target)
{
	const struct sp_addr holder = source(SP_LATCH_EXACT, false);
	struct sp_addr from;
	struct sp_latch before;
	struct leg leg;

	cr_assert(eq(int, sp_addr_parse(tc->ip, strlen(tc->ip), &from), SP_OK));
	from.port = 5004;
	leg_open(&leg, SP_LATCH_AUTH);
	before = leg.latch;
	cr_expect(eq(int, speak(&leg, &from),
			  tc->eligible ? SP_LATCH_NEW : SP_LATCH_DENY),
		"%s", tc->ip);
	cr_expect(eq(int, memcmp(&before, &leg.latch, sizeof before) == 0,
			  !tc->eligible),
		"%s", tc->ip);

	open_held(&leg, &holder);
	for (unsigned int i = 0; i < 50; i++)
		speak(&leg, &from);
	cr_expect(eq(int, sp_addr_equal(&leg.latch.remote, &holder),
			  !tc->eligible),
		"%s", tc->ip);
}

Test(latch_auth, packets_of_another_source_pass_before_it_is_followed)
{
	const struct sp_addr wifi = source(SP_LATCH_SAME_IP, false);
	const struct sp_addr mobile = source(SP_LATCH_STRANGER, false);
	struct leg leg;
	unsigned int passed = 0;

	open_held(&leg, &wifi);
	while (speak(&leg, &mobile) == SP_LATCH_PASS) {
		struct sp_addr to = target(&leg);

		cr_expect(sp_addr_equal(&to, &wifi));
		cr_assert(lt(uint, ++passed, 50));
	}
	/* The first one after 200 ms of silence, that is the tenth. */
	cr_expect(eq(uint, passed, SP_LATCH_AUTH_MS / PTIME_MS - 1));
	cr_expect(sp_addr_equal(&leg.latch.remote, &mobile));
	cr_expect(eq(int, leg.latch.class, SP_LATCH_AUTHENTIC));
	cr_expect(not(sp_latch_tries(&leg.trial)));
	/* Late ones of the old address are heard, and move nothing back. */
	cr_expect(eq(int, hear_authentic(&leg, &wifi, false), SP_LATCH_PASS));
	cr_expect(sp_addr_equal(&leg.latch.remote, &mobile));
}

Test(latch_auth, three_packets_are_needed_however_long_the_silence)
{
	const struct sp_addr old = source(SP_LATCH_EXACT, false);
	const struct sp_addr new = source(SP_LATCH_STRANGER, false);
	struct leg leg;

	open_held(&leg, &old);
	leg.now_ms += 60000;
	cr_expect(eq(int, speak(&leg, &new), SP_LATCH_PASS));
	cr_expect(eq(int, speak(&leg, &new), SP_LATCH_PASS));
	cr_expect(eq(int, speak(&leg, &new), SP_LATCH_NEW));
}

Test(latch_auth, only_the_newest_packets_count)
{
	const struct sp_addr old = source(SP_LATCH_EXACT, false);
	const struct sp_addr new = source(SP_LATCH_STRANGER, false);
	struct leg leg;

	open_held(&leg, &old);
	leg.now_ms += 60000;
	for (unsigned int i = 0; i < 50; i++) {
		leg.now_ms += PTIME_MS;
		cr_expect(eq(
			int, hear_authentic(&leg, &new, false), SP_LATCH_PASS));
	}
	cr_expect(not(sp_latch_tries(&leg.trial)));
	cr_expect(sp_addr_equal(&leg.latch.remote, &old));
	/* Nor do late ones between them stand in their way. */
	for (unsigned int i = 0; i < 2; i++) {
		cr_expect(eq(int, speak(&leg, &new), SP_LATCH_PASS));
		cr_expect(eq(
			int, hear_authentic(&leg, &new, false), SP_LATCH_PASS));
	}
	leg.now_ms += SP_LATCH_AUTH_MS;
	cr_expect(eq(int, speak(&leg, &new), SP_LATCH_NEW));
}

/* However long nobody else spoke, a late packet is not what moves a leg. */
Test(latch_auth, late_packet_is_never_the_one_that_moves)
{
	const struct sp_addr old = source(SP_LATCH_EXACT, false);
	const struct sp_addr new = source(SP_LATCH_STRANGER, false);
	struct leg leg;

	open_held(&leg, &old);
	for (unsigned int i = 0; i < 4; i++)
		speak(&leg, &new);
	leg.now_ms += 1000;
	cr_expect(eq(int, hear_authentic(&leg, &new, false), SP_LATCH_PASS));
	cr_expect(sp_addr_equal(&leg.latch.remote, &old));
	cr_expect(eq(int, speak(&leg, &new), SP_LATCH_NEW));
}

/* An attacker copies each packet and wins the race for some of them. */
Test(latch_auth, copies_that_win_some_races_turn_nothing)
{
	const struct sp_addr party = source(SP_LATCH_EXACT, false);
	const struct sp_addr thief = source(SP_LATCH_STRANGER, false);
	struct leg leg;

	open_held(&leg, &party);
	for (unsigned int i = 0; i < 1000; i++) {
		/* Who comes second is a replay, and never heard of here. */
		const bool stolen = i % 9 != 0;

		speak(&leg, stolen ? &thief : &party);
		cr_assert(sp_addr_equal(&leg.latch.remote, &party));
	}
}

Test(latch_auth, holder_that_speaks_keeps_the_leg_from_several)
{
	const struct sp_addr party = source(SP_LATCH_EXACT, false);
	struct leg leg;

	open_held(&leg, &party);
	for (unsigned int i = 0; i < 300; i++) {
		const struct sp_addr other =
			at((uint8_t)(20 + i % 5), (uint16_t)(6000 + i % 5));

		speak(&leg, i % 6 == 0 ? &party : &other);
		cr_assert(sp_addr_equal(&leg.latch.remote, &party));
	}
}

Test(latch_auth, plain_packets_are_judged_as_restricted_ones)
{
	const struct sp_addr exact = source(SP_LATCH_EXACT, false);
	const struct sp_addr same = source(SP_LATCH_SAME_IP, false);
	const struct sp_addr stranger = source(SP_LATCH_STRANGER, false);
	struct leg leg;

	leg_open(&leg, SP_LATCH_AUTH);
	cr_expect(
		eq(int, hear_stream(&leg, &stranger, 1, 1, 5), SP_LATCH_DENY));
	cr_expect(eq(int, hear_stream(&leg, &same, 1, 1, 1), SP_LATCH_WAIT));
	cr_expect(eq(int, hear_stream(&leg, &same, 1, 2, 2), SP_LATCH_NEW));
	cr_expect(eq(int, hear_stream(&leg, &exact, 1, 1, 1), SP_LATCH_NEW));

	/* And never take the leg from one who is authentic and speaks. */
	open_held(&leg, &stranger);
	cr_expect(eq(int, hear(&leg, &exact, 1, 2), SP_LATCH_DENY));
	for (uint16_t i = 0; i < 100; i++) {
		speak(&leg, &stranger);
		hear(&leg, &exact, 1, (uint16_t)(3 + i));
		cr_assert(sp_addr_equal(&leg.latch.remote, &stranger));
	}
}

/* SEC-4: the same address again re-opens nothing. */
Test(latch_auth, unchanged_sdp_changes_nothing)
{
	const struct sp_addr media = source(SP_LATCH_EXACT, false);
	const struct sp_addr natted = source(SP_LATCH_STRANGER, false);
	struct leg leg;
	struct sp_latch before;

	open_held(&leg, &natted);
	before = leg.latch;
	say_sdp(&leg, &media);
	cr_expect(eq(int, memcmp(&before, &leg.latch, sizeof before), 0));
}

Test(latch_auth, new_sdp_is_followed_by_its_first_packet)
{
	const struct sp_addr old = source(SP_LATCH_STRANGER, false);
	const struct sp_addr new = at(50, 6000);
	struct leg leg;

	open_held(&leg, &old);
	say_sdp(&leg, &new);
	cr_expect(eq(int, speak(&leg, &old), SP_LATCH_PASS));
	leg.now_ms += PTIME_MS;
	cr_expect(eq(int, hear_authentic(&leg, &new, false), SP_LATCH_PASS));
	cr_expect(sp_addr_equal(&leg.latch.remote, &old));
	cr_expect(eq(int, speak(&leg, &new), SP_LATCH_NEW));
	cr_expect(eq(int, leg.latch.renewing, 0));
	/* The old one's last packets are still the party's. */
	cr_expect(eq(int, hear_authentic(&leg, &old, false), SP_LATCH_PASS));
	cr_expect(sp_addr_equal(&leg.latch.remote, &new));
}

Test(latch_auth, listener_at_a_new_address_is_sent_to_at_once)
{
	const struct sp_addr old = source(SP_LATCH_EXACT, false);
	const struct sp_addr listener = at(50, 6000);
	struct sp_addr to;
	struct leg leg;

	open_held(&leg, &old);
	say_sdp(&leg, &listener);
	to = target(&leg);
	cr_expect(sp_addr_equal(&to, &listener));
}

Test(latch_auth, silent_one_loses_what_the_sdp_took_from_it)
{
	const struct sp_addr old = source(SP_LATCH_STRANGER, false);
	const struct sp_addr new = at(50, 6000);
	struct sp_addr to;
	struct leg leg;

	for (unsigned int speaks = 0; speaks < 2; speaks++) {
		open_held(&leg, &old);
		say_sdp(&leg, &new);
		to = target(&leg);
		cr_expect(sp_addr_equal(&to, &old)); /* behind its NAT */
		for (uint32_t ms = 0; ms <= SP_LATCH_GRACE_MS; ms += PTIME_MS)
			if (speaks)
				speak(&leg, &old);
			else
				leg.now_ms += PTIME_MS;
		sp_latch_expire(&leg.latch, &leg.facts, leg.running.seen_ms,
			leg.now_ms);
		to = target(&leg);
		cr_expect(sp_addr_equal(&to, speaks ? &old : &new));
	}
}

/* What was believed in the clear has no claim under the keys. */
Test(latch_auth, leg_that_becomes_srtp_follows_who_has_the_keys)
{
	const struct sp_addr plain = source(SP_LATCH_EXACT, false);
	const struct sp_addr keyed = source(SP_LATCH_STRANGER, false);
	struct leg leg;

	leg_open(&leg, SP_LATCH_RESTRICTED);
	occupy(&leg, SP_LATCH_EXACT);
	leg.latch.policy = SP_LATCH_AUTH;
	/* Its plain packets are none of the leg's any more: it is silent. */
	leg.now_ms += SP_LATCH_AUTH_MS;
	cr_expect(eq(int, speak(&leg, &keyed), SP_LATCH_PASS));
	cr_expect(eq(int, speak(&leg, &keyed), SP_LATCH_PASS));
	cr_expect(eq(int, speak(&leg, &keyed), SP_LATCH_NEW));
	cr_expect(sp_addr_equal(&leg.latch.remote, &keyed));
	/* And if it has the keys, too, it stays. */
	leg_open(&leg, SP_LATCH_RESTRICTED);
	occupy(&leg, SP_LATCH_EXACT);
	leg.latch.policy = SP_LATCH_AUTH;
	cr_expect(eq(int, speak(&leg, &plain), SP_LATCH_PASS));
}
