/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/wipe.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdbool.h>
#include <stdint.h>

#define DEEP 8192 /* what is called in between does not get there */
#define MARK 0x5a

static uintptr_t left; /* where a function that has returned had its mark */

static __attribute__((noinline)) void
leave_a_mark(void)
{
	volatile uint8_t frame[DEEP];

	frame[0] = MARK;
	left = (uintptr_t)frame;
}

static __attribute__((noinline)) bool
shows(void)
{
	return *(const volatile uint8_t *)left == MARK;
}

Test(wipe, a_mark_stays_until_the_stack_is_wiped)
{
	bool before, after;

	leave_a_mark();
	before = shows();
	sp_wipe_stack(2ul * DEEP);
	after = shows();
	cr_expect(before);
	cr_expect(not(after));
}

Test(wipe, what_is_in_use_stays)
{
	volatile uint8_t mine[DEEP];

	for (size_t i = 0; i < DEEP; i++)
		mine[i] = (uint8_t)i;
	sp_wipe_stack(2ul * DEEP);
	for (size_t i = 0; i < DEEP; i++)
		cr_assert(mine[i] == (uint8_t)i);
}
