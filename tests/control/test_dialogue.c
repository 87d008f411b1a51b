/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/control/rig_call.h"

TestSuite(dialogue, .init = open_rig, .fini = close_rig);

/* The port on the far side of a 200 to an offer of 192.0.2.5:@port. */
static unsigned int
offer(const char *from, const char *to, const char *branch, unsigned int port)
{
	cr_assert(eq(int,
		rig_offer(&r, from, to, branch, rig_sdp("192.0.2.5", port, "")),
		200));
	return rig_port(rig_got(&r), 0);
}

static unsigned int
answer(const char *from, const char *to, const char *branch, unsigned int port)
{
	cr_assert(eq(int,
		rig_answer(&r, from, to, branch, rig_sdp("10.1.1.1", port, "")),
		200));
	return rig_port(rig_got(&r), 0);
}

/* Does what arrives on @port leave by the flow on @other? */
static bool
feeds(unsigned int port, unsigned int other)
{
	const struct sp_flow_conf *conf = rig_flow(&r, port);

	return conf && conf->out_rtp != 0 &&
		conf->out_rtp == fake_find(r.dp, 0, (uint16_t)other);
}

/* The port that media for the party behind our @port goes to. */
static unsigned int
target(unsigned int port)
{
	return rig_flow(&r, port)->signalled.port;
}

Test(dialogue, repeated_answer_of_an_older_branch_moves_nobody)
{
	const unsigned int one = offer("a", NULL, "z1", 4000);
	const unsigned int two = offer("a", NULL, "z2", 4000);
	const unsigned int caller = answer("a", "b1", "z1", 5001);
	unsigned int programs;

	answer("a", "b2", "z2", 5002);
	programs = r.dp->programs;
	for (int i = 0; i < 8; i++) {
		rig_sleep(&r, 4);
		cr_expect(eq(u32, answer("a", "b1", "z1", 5001), caller));
	}
	cr_expect(feeds(caller, two));
	cr_expect(eq(u32, r.dp->programs, programs));

	/* The same once more after a while: what rang has been picked up. */
	rig_sleep(&r, 10);
	answer("a", "b1", "z1", 5001);
	cr_expect(feeds(caller, one));
}

Test(dialogue, repeated_answer_of_an_older_tag_moves_nobody)
{
	const unsigned int callee = offer("a", NULL, NULL, 4000);

	answer("a", "b1", NULL, 5001);
	answer("a", "b2", NULL, 5002);
	answer("a", "b1", NULL, 5001);
	cr_expect(eq(u32, target(callee), 5002));
	answer("a", "b1", NULL, 5003);
	cr_expect(eq(u32, target(callee), 5003), "another SDP is news");
}

Test(dialogue, answer_after_early_media_with_another_address_counts)
{
	const unsigned int callee = offer("a", NULL, NULL, 4000);
	const unsigned int caller = answer("a", "b", NULL, 5001);

	cr_expect(eq(u32, answer("a", "b", NULL, 5002), caller));
	cr_expect(eq(u32, target(callee), 5002));
	cr_expect(feeds(caller, callee));
	cr_expect(eq(u32, r.dp->taken, 4));
}

Test(dialogue, refresh_from_either_side_changes_nothing)
{
	unsigned int programs;

	connect_call();
	programs = r.dp->programs;
	for (int i = 0; i < 3; i++) {
		rig_sleep(&r, 15);
		cr_assert(eq(int,
			rig_offer(&r, "b", "a", NULL,
				rig_sdp("10.1.1.1", 5000, "")),
			200));
		cr_expect(eq(u32, rig_port(rig_got(&r), 0), port_a));
		cr_assert(eq(int,
			rig_answer(&r, "b", "a", NULL,
				rig_sdp("192.0.2.5", 4000, "")),
			200));
		cr_expect(eq(u32, rig_port(rig_got(&r), 0), port_b));
		connect_call();
	}
	cr_expect(eq(u32, r.dp->programs, programs));
	cr_expect(eq(u32, r.dp->stops, 0));
}

Test(dialogue, offers_that_cross_leave_the_media_alone_until_answered)
{
	for (int winner = 0; winner < 2; winner++) {
		connect_call();
		offer("a", "b", NULL, 4400);
		cr_assert(eq(int,
			rig_offer(&r, "b", "a", NULL,
				rig_sdp("10.1.1.2", 6000, "")),
			200));
		cr_expect(eq(u32, target(port_a), 4000));
		cr_expect(eq(u32, target(port_b), 5000));

		if (winner == 0) {
			answer("a", "b", NULL, 5000);
			cr_expect(eq(u32, target(port_a), 4400));
			cr_expect(eq(u32, target(port_b), 5000));
			cr_expect(eq(int,
				rig_answer(&r, "b", "a", NULL,
					rig_sdp("192.0.2.5", 4000, "")),
				409));
		} else {
			cr_assert(eq(int,
				rig_answer(&r, "b", "a", NULL,
					rig_sdp("192.0.2.5", 4000, "")),
				200));
			cr_expect(eq(u32, target(port_a), 4000));
			cr_expect(eq(u32, target(port_b), 6000));
			cr_expect(eq(int,
				rig_answer(&r, "a", "b", NULL,
					rig_sdp("10.1.1.1", 5000, "")),
				409));
		}
		/* And again, one after the other. */
		cr_expect(eq(u32, offer("a", "b", NULL, 4500), port_b));
		cr_expect(eq(u32, answer("a", "b", NULL, 5000), port_a));
		cr_expect(eq(u32, target(port_a), 4500));
		cr_expect(eq(u32, r.dp->taken, 4));
		cr_assert(eq(int, rig_delete(&r, NULL, NULL, NULL), 200));
	}
}

Test(dialogue, late_copy_of_an_answer_does_not_undo_the_other_sides_offer)
{
	connect_call();
	cr_assert(eq(int,
		rig_offer(&r, "b", "a", NULL, rig_sdp("10.1.1.2", 6000, "")),
		200));
	answer("a", "b", NULL, 5000);
	cr_assert(eq(int,
		rig_answer(&r, "b", "a", NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_expect(eq(u32, target(port_b), 6000));
}

Test(dialogue, serial_fork_keeps_the_ports_of_who_never_answered)
{
	const unsigned int callee = offer("a", NULL, NULL, 4000);

	for (int i = 0; i < 3; i++)
		cr_expect(eq(u32, offer("a", NULL, NULL, 4000), callee));
	cr_expect(eq(u32, r.dp->taken, 4));
	answer("a", "b", NULL, 5000);
	cr_expect(eq(u32, target(callee), 5000));
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));
}

Test(dialogue, serial_fork_after_early_media_goes_to_who_picks_up)
{
	const unsigned int callee = offer("a", NULL, NULL, 4000);
	const unsigned int caller = answer("a", "b1", NULL, 5001);

	cr_expect(eq(u32, offer("a", NULL, NULL, 4000), callee));
	cr_expect(eq(u32, answer("a", "b2", NULL, 5002), caller));
	cr_expect(eq(u32, target(callee), 5002));
}

Test(dialogue, mux_offered_to_one_of_a_fork_is_not_lost_by_the_next_offer)
{
	struct sp_request ask = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));
	unsigned int callee;

	ask.policy.rtcp_mux = SP_RTCP_MUX_OFFER;
	cr_assert(eq(int, rig_ask(&r, &ask), 200));
	callee = rig_port(rig_got(&r), 0);
	ask.policy.rtcp_mux = SP_RTCP_MUX_DEMUX;
	cr_assert(eq(int, rig_ask(&r, &ask), 200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b1", NULL,
			rig_sdp("10.1.1.1", 5000, "a=rtcp-mux\r\n")),
		200));
	cr_expect(eq(int, rig_flow(&r, callee)->kind, SP_FLOW_MUX));
}

Test(dialogue, delete_by_an_unknown_tag_never_hurts_who_answered)
{
	static const char *const stranger[][3] = {
		{ "a", "x", NULL },
		{ "x", NULL, NULL },
		{ "x", "y", NULL },
		{ NULL, "x", NULL },
		{ "b", "x", NULL },
		{ "x", "b", NULL },
		{ "b", "b", NULL },
		{ "a", "a", NULL },
		{ "a", NULL, "z9" },
		{ NULL, NULL, "z9" },
	};

	connect_call();
	for (size_t i = 0; i < sizeof stranger / sizeof *stranger; i++) {
		cr_expect(eq(int,
				  rig_delete(&r, stranger[i][0], stranger[i][1],
					  stranger[i][2]),
				  404),
			"%zu", i);
		cr_expect(eq(str, r.type, "unknown-call"));
	}
	cr_expect(feeds(port_a, port_b));
}

Test(dialogue, delete_by_one_tag_of_either_side_ends_the_call)
{
	static const char *const by[][2] = {
		{ "a", NULL },
		{ "b", NULL },
		{ NULL, "a" },
		{ NULL, "b" },
		{ "a", "b" },
		{ "b", "a" },
	};

	for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
		connect_call();
		cr_assert(
			eq(int, rig_delete(&r, by[i][0], by[i][1], NULL), 200),
			"%zu", i);
		cr_expect(eq(sz, r.s->calls.count, 0), "%zu", i);
	}
}

Test(dialogue, tag_of_who_said_nothing_names_only_who_is_left)
{
	offer("a", NULL, NULL, 4000);
	cr_expect(eq(int, rig_delete(&r, "a", "busy", NULL), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));

	offer("a", NULL, "z1", 4000);
	offer("a", NULL, "z2", 4000);
	cr_expect(eq(int, rig_delete(&r, "a", "busy", NULL), 404));
	cr_expect(eq(int, rig_delete(&r, "a", "busy", "z2"), 200));
	answer("a", "b1", "z1", 5000);
	cr_expect(eq(int, rig_delete(&r, "a", "busy", "z1"), 404),
		"another one of that branch has answered");
	cr_expect(eq(u32, r.dp->taken, 4));
}

/* Delete as a proxy does for a reply that it got: 487 of a branch, say. */
static int
delete_for_reply(const char *branch)
{
	struct sp_request request =
		rig_request(SP_VERB_DELETE, "a", NULL, branch, NULL);

	request.of_reply = true;
	return rig_ask(&r, &request);
}

Test(dialogue, refused_branch_does_not_hurt_one_that_answered)
{
	unsigned int one, two, caller;

	connect_call();
	cr_expect(eq(int, delete_for_reply(NULL), 404));
	cr_expect(feeds(port_a, port_b));
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));

	one = offer("a", NULL, "z1", 4000);
	two = offer("a", NULL, "z2", 4000);
	caller = answer("a", "b1", "z1", 5001);
	cr_expect(eq(int, delete_for_reply(NULL), 200));
	cr_expect(eq(ptr, (void *)rig_flow(&r, two), NULL));
	cr_expect(feeds(caller, one));

	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));
	offer("a", NULL, NULL, 4000);
	cr_expect(eq(int, delete_for_reply(NULL), 200));
	cr_expect(eq(sz, r.s->calls.count, 0), "nobody is left to call");
}

Test(dialogue, deleting_one_of_two_callers_leaves_the_other)
{
	/* By the caller, by the callee, and by both tags. */
	static const char *const by[][2] = {
		{ "a1", NULL },
		{ "b1", NULL },
		{ "a1", "b1" },
		{ "b1", "a1" },
	};

	for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
		const unsigned int one = offer("a1", NULL, "z1", 4000);
		const unsigned int a1 = answer("a1", "b1", "z1", 5001);
		const unsigned int two = offer("a2", NULL, "z2", 4002);
		const unsigned int a2 = answer("a2", "b2", "z2", 5002);

		cr_expect(feeds(a1, one) && feeds(a2, two));
		cr_assert(
			eq(int, rig_delete(&r, by[i][0], by[i][1], NULL), 200),
			"%zu", i);
		cr_expect(eq(sz,
			json_array_size(json_object_get(r.body, "parties")),
			2));
		cr_expect(eq(u32, r.dp->taken, 4), "%zu", i);
		cr_expect(feeds(a2, two) && feeds(two, a2));
		/* The other one goes on as ever, to its end. */
		cr_expect(eq(u32, offer("a2", "b2", NULL, 4004), two));
		cr_expect(eq(u32, answer("a2", "b2", NULL, 5002), a2));
		cr_assert(eq(int, rig_delete(&r, "b2", NULL, NULL), 200));
		cr_expect(eq(sz, r.s->calls.count, 0));
		cr_expect(eq(u32, r.dp->taken, 0));
	}
	cr_expect(eq(u32, sp_ports_pool(&r.s->ports, 0, 0)->used, 0));
	cr_expect(eq(u32, sp_ports_pool(&r.s->ports, 0, 2)->used, 0));
}

Test(dialogue, unanswered_branch_of_a_second_caller_takes_it_along)
{
	offer("a1", NULL, "z1", 4000);
	answer("a1", "b1", "z1", 5001);
	offer("a2", NULL, "z2", 4002);
	cr_expect(eq(u32, r.dp->taken, 8));
	for (int i = 0; i < 301; i++) {
		fake_media(r.dp, 0, 1);
		rig_sleep(&r, 1);
	}
	cr_expect(eq(u32, r.dp->taken, 4));
	cr_assert(eq(int, rig_query(&r), 200));
	cr_expect(
		eq(sz, json_array_size(json_object_get(r.body, "parties")), 2));
}

Test(dialogue, realm_nobody_knows_costs_no_call_on_ng)
{
	struct sp_request ask = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));

	ask.from_realm = rig_text("external");
	ask.to_realm = rig_text("internal");
	cr_expect(eq(int, rig_ask(&r, &ask), 400));
	ask.door = SP_DOOR_NG;
	cr_expect(eq(int, rig_ask(&r, &ask), 200));
	cr_expect(eq(
		sz, json_array_size(json_object_get(r.body, "warnings")), 2));
	cr_expect(ne(ptr, strstr(rig_got(&r), "c=IN IP4 198.51.100.7"), NULL));
}

Test(dialogue, fragment_of_ice_changes_nothing)
{
	struct sp_request ask = rig_request(SP_VERB_OFFER, "a", "b", NULL,
		"a=ice-ufrag:x\r\na=end-of-candidates\r\n");

	ask.fragment = true;
	cr_expect(eq(int, rig_ask(&r, &ask), 404));
	connect_call();
	cr_expect(eq(int, rig_ask(&r, &ask), 200));
	cr_expect(eq(ptr, json_object_get(r.body, "sdp"), NULL));
	cr_expect(eq(u32, r.dp->programs, 4 + 2));
}
