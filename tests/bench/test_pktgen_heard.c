/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "bench/pktgen_heard.h"

static struct pktgen_heard h;

static void
expect(uint32_t seq, enum pktgen_place place)
{
	cr_expect(eq(int, pktgen_heard_note(&h, seq), place), "packet %u", seq);
}

Test(pktgen_heard, packets_in_order_are_new)
{
	for (uint32_t seq = 1; seq < 1000; seq++)
		expect(seq, PKTGEN_NEW);
}

Test(pktgen_heard, a_gap_is_no_lateness)
{
	expect(1, PKTGEN_NEW);
	expect(5, PKTGEN_NEW);
	expect(6, PKTGEN_NEW);
}

Test(pktgen_heard, a_late_one_is_late_once_and_then_again)
{
	expect(1, PKTGEN_NEW);
	expect(3, PKTGEN_NEW);
	expect(2, PKTGEN_LATE);
	expect(2, PKTGEN_AGAIN);
	expect(3, PKTGEN_AGAIN);
	expect(1, PKTGEN_AGAIN);
	expect(4, PKTGEN_NEW);
	expect(2, PKTGEN_AGAIN);
}

Test(pktgen_heard, the_window_has_edges)
{
	const uint32_t top = 1000;

	expect(1, PKTGEN_NEW);
	expect(top, PKTGEN_NEW);
	expect(top - PKTGEN_HEARD_WINDOW + 1, PKTGEN_LATE);
	expect(top - PKTGEN_HEARD_WINDOW + 1, PKTGEN_AGAIN);
	/* Too old to know of: late each time, and nothing is forgotten. */
	expect(top - PKTGEN_HEARD_WINDOW, PKTGEN_LATE);
	expect(top - PKTGEN_HEARD_WINDOW, PKTGEN_LATE);
	expect(top, PKTGEN_AGAIN);
}

Test(pktgen_heard, a_jump_by_the_window_forgets_all_before)
{
	expect(1, PKTGEN_NEW);
	expect(1 + PKTGEN_HEARD_WINDOW, PKTGEN_NEW);
	expect(2, PKTGEN_LATE);
	expect(2, PKTGEN_AGAIN);
	expect(1 + 2 * PKTGEN_HEARD_WINDOW - 1, PKTGEN_NEW);
	expect(1 + PKTGEN_HEARD_WINDOW, PKTGEN_AGAIN);
}

Test(pktgen_heard, the_count_goes_on_after_its_wrap)
{
	h.highest = UINT32_MAX - 1;
	h.seen = 1;
	expect(UINT32_MAX, PKTGEN_NEW);
	expect(1, PKTGEN_NEW);
	expect(0, PKTGEN_LATE);
	expect(0, PKTGEN_AGAIN);
	expect(2, PKTGEN_NEW);
	expect(UINT32_MAX, PKTGEN_AGAIN);
}

Test(pktgen_heard, sixteen_bits_are_widened_to_the_nearest)
{
	h.highest = 0x1fffe;
	cr_expect(eq(u32, pktgen_heard_widen(&h, 0xffff), 0x1ffff));
	cr_expect(eq(u32, pktgen_heard_widen(&h, 0x0001), 0x20001));
	cr_expect(eq(u32, pktgen_heard_widen(&h, 0xfff0), 0x1fff0));
	h.highest = 0x20002;
	cr_expect(eq(u32, pktgen_heard_widen(&h, 0xffff), 0x1ffff));
	h.highest = 0;
	cr_expect(eq(u32, pktgen_heard_widen(&h, 1), 1));
}
