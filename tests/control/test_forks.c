/* SPDX-License-Identifier: BSD-3-Clause */
/* Forks as proxies play them, and what the model test found in them. */
#include "tests/control/rig_call.h"

TestSuite(forks, .init = open_rig, .fini = close_rig);

/* Offer from 192.0.2.5; returns our port for the callee. */
static unsigned int
invite(const char *branch)
{
	cr_assert(eq(int,
		rig_offer(
			&r, "a", NULL, branch, rig_sdp("192.0.2.5", 4000, "")),
		200));
	return rig_port(rig_got(&r), 0);
}

/* Answer with @tag from 10.1.1.1:@port; returns the HTTP status. */
static int
answers(const char *tag, const char *branch, unsigned int port)
{
	const int http =
		rig_answer(&r, "a", tag, branch, rig_sdp("10.1.1.1", port, ""));

	if (http == 200)
		port_a = rig_port(rig_got(&r), 0);
	return http;
}

/* Whom the caller's media goes to: a port of theirs. */
static unsigned int
hears_caller(void)
{
	const struct sp_flow_conf *conf = rig_flow(&r, port_a);

	cr_assert(ne(ptr, (void *)conf, NULL));
	cr_assert(ne(u32, conf->out_rtp, 0));
	return r.dp->flow[0][conf->out_rtp].conf.signalled.port;
}

Test(forks, early_media_of_two_branches_then_one_picks_up)
{
	const unsigned int one = invite("z1"), two = invite("z2");
	unsigned int caller;

	cr_expect(ne(u32, one, two));
	cr_assert(eq(int, answers("b1", "z1", 5001), 200)); /* 183 */
	caller = port_a;
	cr_expect(eq(u32, hears_caller(), 5001));
	cr_assert(eq(int, answers("b2", "z2", 5002), 200)); /* 183 */
	cr_expect(eq(u32, hears_caller(), 5002));
	rig_sleep(&r, 10);
	cr_assert(eq(int, answers("b1", "z1", 5001), 200)); /* 200 */
	cr_expect(eq(u32, hears_caller(), 5001));
	cr_expect(eq(u32, port_a, caller), "the caller has one port");

	/* The other one is cancelled, and answers 487. */
	cr_expect(eq(int, rig_delete(&r, "a", "b2", "z2"), 200));
	cr_expect(eq(u32, hears_caller(), 5001));
	cr_expect(eq(ptr, (void *)rig_flow(&r, two), NULL));
	cr_expect(ne(ptr, (void *)rig_flow(&r, one), NULL));
}

Test(forks, without_branch_ids_all_share_what_was_offered)
{
	const unsigned int offered = invite(NULL);

	cr_expect(eq(u32, invite(NULL), offered));
	cr_assert(eq(int, answers("b1", NULL, 5001), 200));
	cr_assert(eq(int, answers("b2", NULL, 5002), 200));
	cr_expect(eq(u32, hears_caller(), 5002));
	/* The one that lost ends with 487 or BYE. */
	cr_expect(eq(int, rig_delete(&r, "a", "b1", NULL), 200));
	cr_expect(eq(u32, hears_caller(), 5002));
	cr_expect(ne(ptr, (void *)rig_flow(&r, offered), NULL));
}

Test(forks, cancelled_branch_leaves_the_answered_one_alone)
{
	invite("z1");
	cr_assert(eq(int, answers("b1", "z1", 5001), 200));
	invite("z2");
	cr_expect(eq(int, rig_delete(&r, "a", NULL, "z2"), 200));
	cr_expect(eq(u32, hears_caller(), 5001));
	/* Its 487 comes as well, with a tag that nobody knows. */
	cr_expect(eq(int, rig_delete(&r, "a", "b487", "z2"), 404));
	cr_expect(eq(u32, hears_caller(), 5001));
}

Test(forks, late_answer_of_a_cancelled_branch_takes_nobodys_place)
{
	unsigned int programs;

	invite("z1");
	invite("z2");
	cr_assert(eq(int, answers("b1", "z1", 5001), 200));
	cr_assert(eq(int, rig_delete(&r, "a", NULL, "z2"), 200));
	programs = r.dp->programs;
	/* Its 200 has crossed the CANCEL. */
	cr_expect(eq(int, answers("b2", "z2", 5002), 409));
	cr_expect(eq(u32, hears_caller(), 5001));
	cr_expect(eq(u32, r.dp->programs, programs));
}

Test(forks, branch_id_of_one_that_answers_may_be_another_proxys)
{
	invite("z1");
	cr_expect(eq(int, answers("b1", "z9", 5001), 200));
	cr_expect(eq(u32, hears_caller(), 5001));
}

Test(forks, nobody_offers_to_itself)
{
	cr_expect(eq(int,
		rig_offer(&r, "a", "a", NULL, rig_sdp("192.0.2.5", 4000, "")),
		409));
	cr_expect(eq(str, r.where, "to_tag"));
	cr_expect(eq(sz, r.s->calls.count, 0));
}

Test(forks, repeated_offer_with_fewer_lines_orders_nothing)
{
	const char *second = "m=audio 4010 RTP/AVP 8\r\n";
	unsigned int orders;

	invite("z1");
	cr_assert(eq(int, answers("b1", "z1", 0), 200));
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z2", rig_sdp("192.0.2.5", 0, second)),
		200));
	invite("z2");
	orders = r.dp->programs + r.dp->stops;
	invite("z2");
	cr_expect(eq(u32, r.dp->programs + r.dp->stops, orders));
}

Test(forks, worker_stuck_behind_a_reply_does_not_cause_another)
{
	const char *off = "m=audio 0 RTP/AVP 8\r\n";
	unsigned int replies;

	connect_with(
		"m=audio 4010 RTP/AVP 8\r\n", "m=audio 5010 RTP/AVP 8\r\n");
	cr_assert(eq(int,
		rig_offer(&r, "a", "b", NULL, rig_sdp("192.0.2.5", 4000, off)),
		200));
	replies = r.replies;

	/* What follows the reply, the end of a line, is not confirmed. */
	const struct sp_request answer = rig_request(
		SP_VERB_ANSWER, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, off));

	sp_command(r.s, &answer, rig_reply, &r);
	for (int i = 0; i < 8 && r.replies == replies; i++)
		sp_service_serve(r.s);
	cr_assert(eq(u32, r.replies, replies + 1));
	cr_assert(ne(ptr, (void *)r.s->jobs, NULL));
	r.dp->stuck = true;
	rig_sleep(&r, 10);
	cr_expect(eq(u32, r.replies, replies + 1));
	r.dp->stuck = false;
	rig_serve(&r);
	cr_expect(eq(ptr, (void *)r.s->jobs, NULL));
}

Test(forks, deleted_call_stays_so_when_the_worker_refuses_an_offer)
{
	struct sp_request gone =
		rig_request(SP_VERB_DELETE, "a", NULL, NULL, NULL);

	connect_call();
	gone.has_delete_delay = true;
	gone.delete_delay_s = 5;
	cr_assert(eq(int, rig_ask(&r, &gone), 200));
	r.dp->refuse_in = 1;
	cr_expect(ge(int,
		rig_offer(&r, "a", "b", NULL,
			rig_sdp("192.0.2.5", 4444,
				"m=audio 4010 RTP/AVP 8\r\n")),
		500));
	rig_sleep(&r, 7);
	cr_expect(eq(sz, r.s->calls.count, 0));
}

/* Delete as Kamailio asks for it: because of a reply, or of a request. */
static int
ng_delete(const char *from, const char *to, const char *branch, bool of_reply)
{
	struct sp_request request =
		rig_request(SP_VERB_DELETE, from, to, branch, NULL);

	request.door = SP_DOOR_NG;
	request.of_reply = of_reply;
	return rig_ask(&r, &request);
}

Test(forks, bye_with_a_branch_id_of_its_own_ends_the_call)
{
	/* By its own id a BYE is none of the INVITE's branches. */
	invite("z1");
	invite("z2");
	cr_assert(eq(int, answers("b1", "z1", 5001), 200));
	cr_assert(eq(int, ng_delete("a", NULL, "z2", true), 200));
	cr_expect(eq(int, ng_delete("a", NULL, "z2", true), 404),
		"its second delete, for a reply, means nobody");
	cr_expect(eq(u32, hears_caller(), 5001));
	cr_expect(eq(int, ng_delete("x", NULL, "z9", false), 404));
	cr_expect(eq(int, ng_delete(NULL, NULL, "z9", false), 404));
	cr_expect(eq(int, ng_delete("a", NULL, "z9", false), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));
	cr_expect(eq(u32, r.dp->taken, 0));
}

Test(forks, without_branch_ids_one_refusal_leaves_those_who_ring)
{
	const unsigned int offered = invite(NULL);

	/* Busy; the other phone of a parallel fork rings on, and picks up. */
	invite(NULL);
	cr_assert(eq(int, ng_delete("a", NULL, NULL, true), 200));
	cr_assert(ne(ptr, (void *)rig_flow(&r, offered), NULL));
	cr_assert(eq(int, answers("b2", NULL, 5002), 200));
	cr_expect(eq(u32, hears_caller(), 5002));
	cr_assert(eq(int, ng_delete("a", NULL, NULL, false), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));

	/* As many refusals as offers end it, and a CANCEL does so at once. */
	for (int cancel = 0; cancel < 2; cancel++) {
		invite(NULL);
		invite(NULL);
		invite(NULL);
		for (int i = 0; i < 2 && !cancel; i++)
			cr_assert(
				eq(int, ng_delete("a", NULL, NULL, true), 200));
		cr_expect(eq(sz, r.s->calls.count, 1));
		cr_assert(eq(int, ng_delete("a", NULL, NULL, !cancel), 200));
		cr_expect(eq(sz, r.s->calls.count, 0));
	}
}

Test(forks, refused_request_inside_a_dialogue_does_not_end_it)
{
	connect_call();
	cr_expect(eq(int, ng_delete("b", NULL, NULL, true), 404),
		"the callee's re-INVITE, without SDP");
	cr_expect(eq(int, ng_delete("b", "a", NULL, true), 404));
	cr_assert(eq(int,
		rig_offer(&r, "b", "a", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_expect(eq(int, ng_delete("b", NULL, "z9", true), 404));
	cr_assert(eq(int,
		rig_offer(&r, "a", "b", NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_expect(eq(int, ng_delete("a", "b", NULL, true), 404));
	cr_expect(eq(u32, hears_caller(), 5000));

	/* A branch that failed after early media is named by its tag. */
	cr_assert(eq(int, answers("b", NULL, 5000), 200));
	cr_expect(eq(int, ng_delete("a", "b", NULL, true), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));
}

Test(forks, whoever_rings_after_early_media_is_given_time)
{
	r.conf.end_silent = true;
	for (int sends = 0; sends < 2; sends++) {
		invite("z1");
		cr_assert(eq(int, answers("b1", "z1", 5001), 200)); /* 183 */
		rig_sleep(&r, 10);
		invite("z2");
		for (int i = 0; i < 90; i++) { /* rings; who called may send */
			if (sends)
				fake_media(r.dp, 0,
					fake_find(r.dp, 0, (uint16_t)port_a));
			rig_sleep(&r, 1);
		}
		cr_assert(eq(int, answers("b2", "z2", 5002), 200));
		cr_expect(eq(u32, hears_caller(), 5002));
		/* Nobody rings any more: without media it is over. */
		rig_sleep(&r, 62);
		cr_expect(eq(sz, r.s->calls.count, 0));
	}
	cr_expect(eq(u64, r.s->metrics.ends[SP_END_MEDIA_TIMEOUT], 2));
}

Test(forks, each_target_of_a_serial_fork_may_ring_as_long)
{
	r.conf.offer_s = 60;
	for (int i = 0; i < 4; i++) {
		invite(NULL);
		rig_sleep(&r, 40);
	}
	cr_assert(eq(int, answers("b4", NULL, 5004), 200));
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));

	invite(NULL);
	rig_sleep(&r, 62);
	cr_expect(eq(u64, r.s->metrics.ends[SP_END_OFFER_TIMEOUT], 1));
}
