/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_CONTROL_RIG_CALL_H
#define SP_TESTS_CONTROL_RIG_CALL_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/control/rig.c"

/* A rig for each test, opened before and closed after it. */
static struct rig r;

static inline void
open_rig(void)
{
	rig_open(&r);
}

static inline void
close_rig(void)
{
	cr_expect(eq(u32, r.dp->errors, 0));
	rig_close(&r);
}

/* A call between 192.0.2.5:4000 and 10.1.1.1:5000: our ports for each. */
static unsigned int port_a, port_b;

/* The two bodies get these lines, too. */
static inline void
connect_with(const char *offer, const char *answer)
{
	cr_assert(eq(int,
		rig_offer(
			&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, offer)),
		200));
	port_b = rig_port(rig_got(&r), 0);
	cr_assert(eq(int,
		rig_answer(
			&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, answer)),
		200));
	port_a = rig_port(rig_got(&r), 0);
}

static inline void
connect_call(void)
{
	connect_with("", "");
}

#endif
