/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/control/rig_call.h"

/* A deleted call whose media goes on for a while. */
TestSuite(linger, .init = open_rig, .fini = close_rig);

static int
delete_in(uint32_t delay_s)
{
	struct sp_request request =
		rig_request(SP_VERB_DELETE, "a", NULL, NULL, NULL);

	request.has_delete_delay = true;
	request.delete_delay_s = delay_s;
	return rig_ask(&r, &request);
}

/* The call's state, "" if it is gone. */
static const char *
state(void)
{
	return rig_query(&r) == 200
		? json_string_value(json_object_get(r.body, "state"))
		: "";
}

Test(linger, statistics_come_at_once_and_the_end_later)
{
	connect_call();
	fake_media(r.dp, 0, fake_find(r.dp, 0, (uint16_t)port_a));
	cr_assert(eq(int, delete_in(10), 200));
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(r.body, "state")),
		"deleted"));
	cr_expect(eq(int,
		(int)json_integer_value(
			json_object_get(rig_media(&r, 0, 0), "packets")),
		1));
	cr_expect(eq(str, (char *)state(), "ending"));
	rig_sleep(&r, 8);
	cr_expect(eq(u32, r.dp->taken, 4));
	rig_sleep(&r, 3);
	cr_expect(eq(u32, r.dp->taken, 0));
	cr_expect(eq(str, (char *)state(), ""));
	cr_expect(eq(u64, r.s->metrics.ends[SP_END_DELETED], 1));
}

Test(linger, configured_delay_holds_unless_the_request_has_its_own)
{
	r.conf.delete_delay_s = 20;
	connect_call();
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	rig_sleep(&r, 15);
	cr_expect(eq(str, (char *)state(), "ending"));
	cr_assert(eq(int, delete_in(0), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));
}

Test(linger, second_delete_does_not_put_the_end_off)
{
	connect_call();
	cr_assert(eq(int, delete_in(10), 200));
	rig_sleep(&r, 5);
	cr_assert(eq(int, delete_in(60), 200));
	rig_sleep(&r, 7);
	cr_expect(eq(sz, r.s->calls.count, 0));
}

Test(linger, answer_or_offer_brings_the_call_back_to_life)
{
	for (int i = 0; i < 2; i++) {
		connect_call();
		cr_assert(eq(int, delete_in(10), 200));
		if (i == 0)
			cr_assert(eq(int,
				rig_answer(&r, "a", "b", NULL,
					rig_sdp("10.1.1.1", 5000, "")),
				200));
		else
			cr_assert(eq(int,
				rig_offer(&r, "b", "a", NULL,
					rig_sdp("10.1.1.1", 5000, "")),
				200));
		cr_expect(eq(str, (char *)state(), "answered"));
		rig_sleep(&r, 30);
		cr_expect(eq(str, (char *)state(), "answered"));
		cr_assert(eq(int, delete_in(0), 200));
	}
}

Test(linger, refused_offer_does_not_bring_it_back)
{
	connect_call();
	cr_assert(eq(int, delete_in(10), 200));
	r.dp->room = 0;
	cr_assert(eq(int,
		rig_offer(&r, "a", "b", NULL,
			rig_sdp("192.0.2.5", 4000,
				"m=video 4002 RTP/AVP 96\r\n")),
		503));
	r.dp->room = FAKE_QUEUE;
	cr_expect(eq(str, (char *)state(), "ending"));
	rig_sleep(&r, 12);
	cr_expect(eq(sz, r.s->calls.count, 0));
}

Test(linger, strangers_offer_under_the_same_id_begins_a_new_call)
{
	connect_call();
	cr_assert(eq(int, delete_in(10), 200));
	cr_assert(eq(int,
		rig_offer(
			&r, "new", NULL, NULL, rig_sdp("192.0.2.6", 4000, "")),
		200));
	cr_expect(eq(sz, r.s->calls.count, 1));
	cr_expect(eq(u32, r.dp->taken, 4));
	cr_expect(eq(u64, r.s->metrics.ends[SP_END_DELETED], 1));
	cr_expect(eq(str, (char *)state(), "offered"));
	rig_sleep(&r, 30);
	cr_expect(eq(str, (char *)state(), "offered"));
}

Test(linger, branch_is_deleted_at_once)
{
	r.conf.delete_delay_s = 20;
	connect_call();
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z2", rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_expect(eq(u32, r.dp->taken, 6));
	cr_assert(eq(int, rig_delete(&r, "a", NULL, "z2"), 200));
	cr_expect(eq(u32, r.dp->taken, 4));
	cr_expect(eq(str, (char *)state(), "answered"));
}
