/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "bench/pktgen_slice.h"

#define N 20u
#define HOLD_S 0.001

static struct pktgen_slices s;

/* In each slice 100 are sent, and all arrive. */
static void
begin(void)
{
	cr_assert(pktgen_slices_begin(&s, N, HOLD_S));
	s.used = N;
	for (uint32_t i = 0; i < N; i++)
		s.slice[i] = (struct pktgen_slice){ 100, 100, 0, 0 };
}

static void
expect(uint32_t quiet, uint64_t lost)
{
	const struct pktgen_judged j = pktgen_slices_judge(&s, 0, N);

	cr_expect(eq(u32, j.quiet, quiet));
	cr_expect(eq(u32, j.disturbed, N - quiet));
	cr_expect(eq(u64, j.sent, 100 * quiet));
	cr_expect(eq(u64, j.lost, lost));
	pktgen_slices_close(&s);
}

Test(pktgen_slice, loss_in_quiet_counts)
{
	begin();
	s.slice[7].received = 97;
	expect(N, 3);
}

Test(pktgen_slice, loss_beside_a_pause_does_not)
{
	begin();
	s.slice[7].own_s = 0.002f;
	s.slice[7].received = 90;
	s.slice[8].received = 90;
	/* The slice, what piled up in the next ones, nothing else. */
	expect(N - 2 - PKTGEN_SLICE_GRACE, 0);
}

Test(pktgen_slice, loss_long_after_a_pause_counts)
{
	begin();
	s.slice[7].relay_s = 0.002f;
	s.slice[7 + PKTGEN_SLICE_GRACE + 2].received = 99;
	expect(N - 3 - PKTGEN_SLICE_GRACE, 1);
}

Test(pktgen_slice, pauses_that_rings_hold_excuse_nothing)
{
	begin();
	for (uint32_t i = 0; i < N; i++) {
		s.slice[i].own_s = 0.0009f;
		s.slice[i].relay_s = 0.0004f;
	}
	s.slice[3].received = 50;
	expect(N, 50);
}

Test(pktgen_slice, a_pause_of_the_relay_may_lie_in_two_slices)
{
	begin();
	s.slice[9].relay_s = 0.0007f;
	s.slice[10].relay_s = 0.0007f;
	s.slice[9].received = 10;
	expect(N - 2 - PKTGEN_SLICE_GRACE, 0);
}

Test(pktgen_slice, the_first_and_last_slices_are_judged_too)
{
	begin();
	s.slice[0].own_s = 1;
	s.slice[N - 1].received = 0;
	expect(N - 2 - PKTGEN_SLICE_GRACE, 100);
}

Test(pktgen_slice, a_new_trial_remembers_nothing)
{
	begin();
	s.slice[5].own_s = 1;
	s.slice[5].received = 0;
	begin();
	expect(N, 0);
}
