/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/control/rig_call.h"

TestSuite(program, .init = open_rig, .fini = close_rig);

static int
offer(const char *call_id, const char *sdp)
{
	struct sp_request request =
		rig_request(SP_VERB_OFFER, "a", NULL, NULL, sdp);

	request.call_id = rig_text(call_id);
	return rig_ask(&r, &request);
}

/* Nothing runs, nothing is taken, no port is in use. */
static bool
all_is_free(void)
{
	return r.dp->taken == 0 && r.s->calls.count == 0 && !r.s->jobs &&
		sp_ports_pool(&r.s->ports, 0, 0)->used == 0 &&
		sp_ports_pool(&r.s->ports, 0, 2)->used == 0;
}

Test(program, max_calls_refuses_only_the_new_one)
{
	r.conf.max_calls = 1;
	connect_call();
	cr_expect(
		eq(int, offer("call-2", rig_sdp("192.0.2.5", 4000, "")), 503));
	cr_expect(eq(str, r.type, "max-calls"));
	cr_expect(eq(u32, r.dp->taken, 4));
	cr_expect(not(sp_service_ready(r.s)));
	connect_call();
}

Test(program, empty_pool_is_named_and_costs_no_other_pool)
{
	char id[16];
	int http = 200;
	unsigned int done = 0;

	r.conf.realm[1].last_port = 40007;
	sp_service_close(r.s);
	cr_assert(eq(int, sp_service_open(&r.conf, r.dp, &r.s), SP_OK));
	for (; http == 200; done++) {
		snprintf(id, sizeof id, "c%u", done);
		http = offer(id, rig_sdp("192.0.2.5", 4000, ""));
	}
	cr_expect(eq(u32, done, 5));
	cr_expect(eq(int, http, 503));
	cr_expect(eq(str, r.type, "no-ports"));
	cr_expect(ne(ptr, strstr(r.detail, "realm in "), NULL));
	cr_expect(eq(u32, sp_ports_pool(&r.s->ports, 0, 0)->used, 4));
	cr_expect(eq(u32, sp_ports_pool(&r.s->ports, 0, 0)->quarantined, 0));
	cr_expect(eq(sz, r.s->calls.count, 4));
}

Test(program, failed_reoffer_leaves_the_call_as_it_was)
{
	const char *more = "m=video 4002 RTP/AVP 96\r\n";
	struct sp_flow_conf before;

	r.dp->flows = 6; /* ids 1 to 5 */
	connect_call();
	before = *rig_flow(&r, port_a);
	cr_expect(eq(int,
		rig_offer(&r, "a", "b", NULL, rig_sdp("192.0.2.5", 4000, more)),
		503));
	cr_expect(eq(str, r.type, "worker-busy"));
	cr_expect(eq(u32, r.dp->taken, 4));
	cr_expect(eq(
		int, memcmp(rig_flow(&r, port_a), &before, sizeof before), 0));
	cr_expect(eq(u32, sp_ports_pool(&r.s->ports, 0, 0)->used, 1));
	connect_call();
}

Test(program, full_mailbox_refuses_before_the_first_order)
{
	r.dp->room = 3;
	cr_expect(
		eq(int, offer("call-1", rig_sdp("192.0.2.5", 4000, "")), 503));
	cr_expect(eq(u32, r.dp->programs, 0));
	cr_expect(all_is_free());
}

Test(program, delete_needs_no_room_at_once)
{
	connect_call();
	r.dp->room = 1;
	cr_expect(eq(int, rig_delete(&r, NULL, NULL, NULL), 200));
	cr_expect(all_is_free());
}

/* The next hop table fills up at any of the four orders of a first offer. */
Test(program, first_offer_that_fails_halfway_is_undone)
{
	for (unsigned int n = 1; n <= 4; n++) {
		r.dp->no_hop_in = n;
		cr_expect(eq(int,
			offer("call-1", rig_sdp("192.0.2.5", 4000, "")), 503));
		rig_serve(&r);
		cr_expect(all_is_free(), "%u", n);
	}
	connect_call();
}

Test(program, answer_that_fails_halfway_is_undone)
{
	for (unsigned int n = 1; n <= 2; n++) {
		const char *other = rig_sdp("10.1.1.2", 6000, "");

		connect_call();
		cr_assert(eq(int,
			rig_offer(&r, "a", "b", NULL,
				rig_sdp("192.0.2.6", 4400, "")),
			200));
		r.dp->no_hop_in = n;
		cr_expect(eq(int, rig_answer(&r, "a", "b", NULL, other), 503));
		rig_serve(&r);
		cr_expect(eq(u32, rig_flow(&r, port_a)->signalled.port, 4000));
		cr_expect(eq(u32, rig_flow(&r, port_b)->signalled.port, 5000));
		cr_expect(eq(u32, r.dp->taken, 4));

		cr_expect(eq(int, rig_answer(&r, "a", "b", NULL, other), 200));
		cr_expect(eq(u32, rig_flow(&r, port_a)->signalled.port, 4400));
		cr_expect(eq(u32, rig_flow(&r, port_b)->signalled.port, 6000));
	}
}

Test(program, order_refused_by_the_worker_is_undone)
{
	for (unsigned int n = 1; n <= 4; n++) {
		r.dp->refuse_in = n;
		cr_expect(eq(int,
			offer("call-1", rig_sdp("192.0.2.5", 4000, "")), 500));
		rig_serve(&r);
		cr_expect(all_is_free(), "%u", n);
	}
	cr_expect(eq(u64, r.s->metrics.ends[SP_END_FAILED], 4));
}

Test(program, stuck_worker_costs_an_answer_but_not_the_asker)
{
	const char *sdp = rig_sdp("192.0.2.5", 4000, "");
	const struct sp_request ask =
		rig_request(SP_VERB_OFFER, "a", NULL, NULL, sdp);
	const struct sp_request query =
		rig_request(SP_VERB_QUERY, NULL, NULL, NULL, NULL);

	r.dp->stuck = true;
	sp_command(r.s, &ask, rig_reply, &r);
	sp_command(r.s, &query, rig_reply, &r);
	rig_sleep(&r, 2);
	cr_expect(eq(u32, r.replies, 0));
	rig_sleep(&r, 2);
	cr_expect(eq(u32, r.replies, 2));
	cr_expect(eq(int, r.http, 503));
	cr_expect(eq(str, r.type, "worker-stuck"));
	/* Nobody was told that the call is there: it is not. */
	r.dp->stuck = false;
	rig_serve(&r);
	cr_expect(eq(u32, r.replies, 2));
	cr_expect(all_is_free());
}

Test(program, calls_spread_over_workers_and_stay_on_theirs)
{
	char id[16];

	sp_service_close(r.s);
	free(r.dp);
	r.conf.workers = 3;
	r.conf.realm[0].last_port = 30999;
	r.conf.realm[1].last_port = 40999;
	rig_start(&r);
	for (unsigned int i = 0; i < 30; i++) {
		snprintf(id, sizeof id, "c%u", i);
		cr_assert(eq(
			int, offer(id, rig_sdp("192.0.2.5", 4000, "")), 200));
	}
	for (unsigned int w = 0; w < 3; w++) {
		unsigned int flows = 0;

		for (uint32_t f = 1; f < 100; f++) {
			if (!r.dp->flow[w][f].running)
				continue;
			flows++;
			cr_expect(eq(u32,
				sp_port_owner(r.dp->flow[w][f].conf.port, 3),
				w));
		}
		cr_expect(eq(u32, flows, 40));
	}
}

Test(program, worker_without_ports_is_passed_over)
{
	sp_service_close(r.s);
	free(r.dp);
	/* One block of 64 ports: all are the first worker's. */
	r.conf.workers = 2;
	r.conf.realm[1].first_port = 29952;
	r.conf.realm[1].last_port = 30015;
	r.conf.realm[0].first_port = 29952;
	r.conf.realm[0].last_port = 30015;
	rig_start(&r);
	cr_expect(eq(int, offer("c1", rig_sdp("192.0.2.5", 4000, "")), 200));
	cr_expect(eq(int, offer("c2", rig_sdp("192.0.2.5", 4000, "")), 200));
}
