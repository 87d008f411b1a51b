/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "bench/pktgen_search.h"

#define LEAST 1000.0
#define MOST 1000000.0
#define FINE 1.03
#define LONG_S 10.0

/* A relay, its generator and the machine they are on. */
static struct {
	double loses;              /* from that rate on */
	double long_run;           /* from that rate on, if asked for long */
	double sends;              /* no more than that */
	unsigned int noisy;        /* so many trials say nothing */
	unsigned int silent_after; /* an overload, nothing comes: 1 is on */
	bool is_silent;
	unsigned int trials, long_trials;
	double longest_passed; /* rate */
} world;

static enum pktgen_verdict
trial(void *arg, double rate, double seconds)
{
	cr_assert(eq(ptr, arg, &world));
	world.trials++;
	world.long_trials += seconds == LONG_S;
	cr_assert(ge(dbl, rate, LEAST));
	cr_assert(le(dbl, rate, MOST));
	if (world.is_silent)
		return PKTGEN_SILENT;
	if (world.noisy > 0 && world.trials > 2) {
		world.noisy--;
		return PKTGEN_DISTURBED;
	}
	if (rate > world.loses) {
		world.is_silent = world.silent_after;
		return PKTGEN_LOST;
	}
	if (rate > world.sends)
		return PKTGEN_SHORT;
	if (seconds == LONG_S && rate > world.long_run)
		return PKTGEN_LOST;
	if (seconds == LONG_S)
		world.longest_passed = rate;
	return PKTGEN_PASSED;
}

static struct pktgen_search
begin(double loses)
{
	world.loses = world.long_run = loses;
	world.sends = 2 * MOST;
	return (struct pktgen_search){ .least = LEAST,
		.most = MOST,
		.fine = FINE,
		.seconds = 1,
		.confirm_s = LONG_S,
		.repeats = 3,
		.trial = trial,
		.arg = &world };
}

Test(pktgen_search, finds_the_highest_rate_and_confirms_it)
{
	for (double limit = LEAST; limit < MOST; limit *= 1.37) {
		struct pktgen_search s = begin(limit);

		world.trials = 0;
		cr_expect(eq(int, pktgen_search_run(&s), PKTGEN_FOUND));
		cr_expect(le(dbl, s.rate, limit));
		cr_expect(ge(dbl, s.rate * FINE, limit));
		cr_expect(eq(dbl, world.longest_passed, s.rate));
		cr_expect(eq(int, s.limit, PKTGEN_BY_RELAY));
		cr_expect(le(uint, world.trials, 12));
	}
}

Test(pktgen_search, says_when_nobody_asked_for_more)
{
	struct pktgen_search s = begin(2 * MOST);

	cr_expect(eq(int, pktgen_search_run(&s), PKTGEN_FOUND));
	cr_expect(ge(dbl, s.rate * FINE, MOST));
	cr_expect(eq(int, s.limit, PKTGEN_BY_MOST));
}

Test(pktgen_search, says_when_the_generator_is_the_limit)
{
	struct pktgen_search s = begin(2 * MOST);

	world.sends = 50000;
	cr_expect(eq(int, pktgen_search_run(&s), PKTGEN_FOUND));
	cr_expect(le(dbl, s.rate, 50000));
	cr_expect(eq(int, s.limit, PKTGEN_BY_GENERATOR));
}

Test(pktgen_search, steps_back_from_what_does_not_hold)
{
	struct pktgen_search s = begin(100000);

	world.long_run = 90000;
	cr_expect(eq(int, pktgen_search_run(&s), PKTGEN_FOUND));
	cr_expect(le(dbl, s.rate, 90000));
	cr_expect(ge(dbl, s.rate * FINE * FINE, 90000));
	cr_expect(ge(uint, world.long_trials, 2));
}

Test(pktgen_search, fails_when_the_least_rate_loses)
{
	struct pktgen_search s = begin(LEAST / 2);

	cr_expect(eq(int, pktgen_search_run(&s), PKTGEN_NOT_LEAST));
	cr_expect(eq(uint, world.trials, 1));
}

Test(pktgen_search, fails_when_nothing_holds)
{
	struct pktgen_search s = begin(100000);

	world.long_run = 0;
	cr_expect(eq(int, pktgen_search_run(&s), PKTGEN_NOT_LEAST));
}

Test(pktgen_search, repeats_what_was_disturbed)
{
	struct pktgen_search s = begin(50000);

	world.noisy = 3;
	cr_expect(eq(int, pktgen_search_run(&s), PKTGEN_FOUND));
	cr_expect(eq(uint, world.noisy, 0));
	cr_expect(le(dbl, s.rate, 50000));
	cr_expect(ge(dbl, s.rate * FINE, 50000));
}

Test(pktgen_search, gives_up_on_a_machine_that_is_never_quiet)
{
	struct pktgen_search s = begin(50000);

	world.noisy = 1000;
	cr_expect(eq(int, pktgen_search_run(&s), PKTGEN_NEVER_QUIET));
	cr_expect(eq(uint, world.trials, 2 + 1 + s.repeats));
}

Test(pktgen_search, tells_a_relay_that_fell_silent_from_a_slow_one)
{
	struct pktgen_search s = begin(50000);

	world.silent_after = 1;
	cr_expect(eq(int, pktgen_search_run(&s), PKTGEN_GONE_SILENT));
}

Test(pktgen_search, a_relay_that_never_spoke_has_not_fallen_silent)
{
	struct pktgen_search s = begin(50000);

	world.is_silent = true;
	cr_expect(eq(int, pktgen_search_run(&s), PKTGEN_NOT_LEAST));
}
