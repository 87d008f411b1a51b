/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <time.h>

#include "dataplane/stall.h"

#define HZ 1000000000u /* of a clock that this test reads as it likes */
#define MS (HZ / 1000)

static void
stand_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

Test(stall, nobody_watches_until_the_start)
{
	struct sp_stall s = { 0 };

	cr_expect(not(sp_stall_is(&s, UINT64_MAX)));
	sp_stall_start(&s, 0, HZ);
	cr_expect(sp_stall_is(&s, SP_STALL_MS * MS));
	cr_expect(not(sp_stall_is(&s, SP_STALL_MS * MS - 1)));
}

Test(stall, time_without_the_cpu_is_told_apart)
{
	struct sp_counters c = { 0 };
	struct sp_stall s;

	sp_stall_start(&s, 0, HZ);
	stand_ms(20);
	sp_stall_count(&s, &c, 20 * MS, 20 * MS);
	cr_expect(eq(u64, c.stalls, 1));
	cr_expect(eq(u64, c.stalled_cycles, 20 * MS));
	cr_expect(ge(u64, c.displaced_cycles, 15 * MS));
	cr_expect(le(u64, c.displaced_cycles, 20 * MS));
}

/* The thread worked all the time, by its own clock. */
Test(stall, own_work_is_not_displaced)
{
	struct sp_counters c = { 0 };
	struct timespec t;
	struct sp_stall s;
	uint64_t began, now;

	sp_stall_start(&s, 0, HZ);
	began = s.cpu_ns;
	do {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
		now = (uint64_t)t.tv_sec * HZ + (uint64_t)t.tv_nsec;
	} while (now - began < 5 * MS);
	sp_stall_count(&s, &c, 5 * MS, 5 * MS);
	cr_expect(eq(u64, c.stalled_cycles, 5 * MS));
	cr_expect(eq(u64, c.displaced_cycles, 0));
}

Test(stall, what_was_before_it_is_not_part_of_it)
{
	struct sp_counters c = { 0 };
	struct sp_stall s;

	sp_stall_start(&s, 0, HZ);
	stand_ms(20);
	sp_stall_count(&s, &c, 20 * MS, 3 * MS);
	cr_expect(eq(u64, c.displaced_cycles, 3 * MS));
}

Test(stall, a_sleep_is_not_part_of_it)
{
	struct sp_counters c = { 0 };
	struct sp_stall s;

	sp_stall_start(&s, 0, HZ);
	stand_ms(20);
	s.slept_cycles += 20 * MS;
	sp_stall_count(&s, &c, 20 * MS, 3 * MS);
	cr_expect(eq(u64, c.stalls, 1));
	cr_expect(eq(u64, c.displaced_cycles, 0));
	cr_expect(eq(u64, s.slept_cycles, 0));
}
