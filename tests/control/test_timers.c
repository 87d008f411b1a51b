/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/control/rig_call.h"

TestSuite(timers, .init = open_rig, .fini = close_rig);

static void
media(unsigned int port)
{
	fake_media(r.dp, 0, fake_find(r.dp, 0, (uint16_t)port));
}

static bool
alive(void)
{
	return r.s->calls.count == 1;
}

struct due {
	struct sp_timer timer;
	unsigned int times;
	struct sp_timers *again; /* set anew when it goes off */
};

static void
count_due(void *arg, struct sp_timer *timer)
{
	struct due *due = (struct due *)timer;

	(void)arg;
	due->times++;
	if (due->again)
		sp_timers_set(due->again, timer, 0);
}

Test(timers, wheel_runs_each_once_and_not_early)
{
	static struct due due[1000];
	struct sp_timers timers;

	sp_timers_init(&timers, 10);
	for (unsigned int i = 0; i < 1000; i++)
		sp_timers_set(&timers, &due[i].timer, i);
	for (uint64_t now = 11; now < 700; now++) {
		sp_timers_run(&timers, now, count_due, NULL);
		for (unsigned int i = 0; i < 1000; i++)
			cr_assert(eq(u32, due[i].times,
				i <= now && now >= 11 ? 1 : 0));
	}
	/* A long sleep catches up with all of them. */
	sp_timers_clear(&due[999].timer);
	sp_timers_clear(&due[999].timer);
	sp_timers_run(&timers, 5000, count_due, NULL);
	for (unsigned int i = 0; i < 999; i++)
		cr_assert(eq(u32, due[i].times, 1));
	cr_expect(eq(u32, due[999].times, 0));
}

Test(timers, timer_that_sets_itself_goes_off_once_a_run)
{
	struct sp_timers timers;
	struct due due = { .again = &timers };

	sp_timers_init(&timers, 0);
	sp_timers_set(&timers, &due.timer, 1);
	sp_timers_run(&timers, 600, count_due, NULL);
	cr_expect(eq(u32, due.times, 1));
	sp_timers_run(&timers, 601, count_due, NULL);
	cr_expect(eq(u32, due.times, 2));
	sp_timers_clear(&due.timer);
}

Test(timers, offer_that_nobody_answers_ends)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	rig_sleep(&r, 298);
	cr_expect(alive());
	rig_sleep(&r, 4);
	cr_expect(not(alive()));
	cr_expect(eq(u64, r.s->metrics.ends[SP_END_OFFER_TIMEOUT], 1));
	cr_expect(eq(u32, r.dp->taken, 0));
}

Test(timers, call_without_any_media_ends)
{
	connect_with("", "");
	rig_sleep(&r, 58);
	cr_expect(alive());
	rig_sleep(&r, 4);
	cr_expect(not(alive()));
	cr_expect(eq(u64, r.s->metrics.ends[SP_END_MEDIA_TIMEOUT], 1));
}

Test(timers, one_silent_leg_is_reported_but_ends_nothing)
{
	connect_with("", "");
	for (unsigned int i = 0; i < 200; i++) {
		media(port_a);
		rig_sleep(&r, 1);
	}
	cr_expect(alive());
	cr_expect(eq(u64, r.s->metrics.silent_legs, 1));
	cr_assert(eq(int, rig_query(&r), 200));
	cr_expect(eq(int,
		json_is_true(json_object_get(rig_media(&r, 0, 0), "silent")),
		0));
	cr_expect(eq(int,
		json_is_true(json_object_get(rig_media(&r, 1, 0), "silent")),
		1));
	rig_sleep(&r, 63);
	cr_expect(not(alive()));
}

Test(timers, rtcp_alone_keeps_no_call_alive)
{
	connect_with("", "");
	for (unsigned int i = 0; i < 63 && alive(); i++) {
		media(port_a + 1);
		rig_sleep(&r, 1);
	}
	cr_expect(not(alive()));
}

Test(timers, held_call_has_the_longer_limit)
{
	connect_with("a=sendonly\r\n", "a=recvonly\r\n");
	rig_sleep(&r, 3590);
	cr_expect(alive());
	rig_sleep(&r, 15);
	cr_expect(not(alive()));
	cr_expect(eq(u64, r.s->metrics.ends[SP_END_HOLD_TIMEOUT], 1));
}

Test(timers, resumed_call_has_time_to_bring_media)
{
	connect_with("a=inactive\r\n", "a=inactive\r\n");
	rig_sleep(&r, 600);
	connect_with("", "");
	rig_sleep(&r, 50);
	cr_expect(alive());
	rig_sleep(&r, 15);
	cr_expect(not(alive()));
}

Test(timers, branch_that_never_answers_leaves_an_answered_call)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z1", rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z2", rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", "z1", rig_sdp("10.1.1.1", 5000, "")),
		200));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(eq(u32, r.dp->taken, 6));
	for (unsigned int i = 0; i < 303; i++) {
		media(port_a);
		rig_sleep(&r, 1);
	}
	cr_expect(alive());
	cr_expect(eq(u32, r.dp->taken, 4));
	cr_expect(eq(u64, r.s->metrics.branches_lost, 1));
}

Test(timers, clock_that_wraps_ends_no_call)
{
	r.dp->now_ms = UINT32_MAX - 20000;
	connect_with("", "");
	for (unsigned int i = 0; i < 50; i++) {
		media(port_a);
		media(port_b);
		rig_sleep(&r, 1);
	}
	cr_expect(alive());
	cr_expect(eq(u64, r.s->metrics.silent_legs, 0));
}

Test(timers, ended_calls_ports_rest_before_they_are_used_again)
{
	const struct sp_port_pool *pool = sp_ports_pool(&r.s->ports, 0, 2);

	connect_with("", "");
	cr_assert(eq(int, rig_delete(&r, NULL, NULL, NULL), 200));
	cr_expect(eq(u32, pool->quarantined, 1));
	rig_sleep(&r, SP_PORT_POOL_QUARANTINE_S - 1);
	connect_with("", "");
	cr_expect(eq(u32, pool->quarantined, 1));
	rig_sleep(&r, 2);
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z9", rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_expect(eq(u32, pool->quarantined, 0));
}

Test(timers, stopped_service_ends_its_calls_and_takes_no_more)
{
	connect_with("", "");
	cr_expect(sp_service_ready(r.s));
	sp_service_stop(r.s);
	cr_expect(not(sp_service_ready(r.s)));
	cr_expect(not(sp_service_idle(r.s)));
	rig_serve(&r);
	cr_expect(sp_service_idle(r.s));
	cr_expect(eq(u64, r.s->metrics.ends[SP_END_SHUTDOWN], 1));
	cr_expect(eq(int,
		rig_offer(&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, "")),
		503));
	cr_expect(eq(str, r.type, "draining"));
}

Test(timers, no_call_is_older_than_any_may_get)
{
	r.conf.max_s = 90;
	connect_with("", "");
	for (unsigned int i = 0; i < 88; i++) {
		media(port_a);
		media(port_b);
		rig_sleep(&r, 1);
	}
	cr_expect(alive());
	rig_sleep(&r, 4);
	cr_expect(not(alive()));
	cr_expect(eq(u64, r.s->metrics.ends[SP_END_FINAL_TIMEOUT], 1));
}

Test(timers, one_silent_leg_ends_a_call_if_that_is_wanted)
{
	r.conf.end_silent = true;
	connect_with("", "");
	for (unsigned int i = 0; i < 58; i++) {
		media(port_a);
		rig_sleep(&r, 1);
	}
	cr_expect(alive());
	for (unsigned int i = 0; i < 4 && alive(); i++) {
		media(port_a);
		rig_sleep(&r, 1);
	}
	cr_expect(not(alive()));
	cr_expect(eq(u64, r.s->metrics.ends[SP_END_SILENT_LEG], 1));
}

/* A camera that is off is no reason to hang up. */
Test(timers, line_that_is_silent_both_ways_ends_no_call)
{
	r.conf.end_silent = true;
	connect_with(
		"m=video 4002 RTP/AVP 96\r\n", "m=video 5002 RTP/AVP 96\r\n");
	for (unsigned int i = 0; i < 100; i++) {
		media(port_a);
		media(port_b);
		rig_sleep(&r, 1);
	}
	cr_expect(alive());
	cr_expect(eq(u64, r.s->metrics.silent_legs, 2));
}

Test(timers, held_leg_is_not_a_silent_one)
{
	r.conf.end_silent = true;
	connect_with("a=sendonly\r\n", "a=recvonly\r\n");
	for (unsigned int i = 0; i < 200; i++) {
		media(port_a);
		rig_sleep(&r, 1);
	}
	cr_expect(alive());
	cr_expect(eq(u64, r.s->metrics.silent_legs, 0));
}
