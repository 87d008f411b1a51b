/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/control/rig_call.h"

TestSuite(call, .init = open_rig, .fini = close_rig);

static unsigned int
offer(const char *to, const char *branch)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", to, branch, rig_sdp("192.0.2.5", 4000, "")),
		200));
	return rig_port(rig_got(&r), 0);
}

static unsigned int
answer(const char *to, const char *branch, unsigned int port)
{
	cr_assert(eq(int,
		rig_answer(&r, "a", to, branch, rig_sdp("10.1.1.1", port, "")),
		200));
	return rig_port(rig_got(&r), 0);
}

/* Does the caller's media go to the flow on @port? */
static bool
feeds(unsigned int caller, unsigned int port)
{
	const struct sp_flow_conf *conf = rig_flow(&r, caller);

	return conf && conf->out_rtp != 0 &&
		conf->out_rtp == fake_find(r.dp, 0, (uint16_t)port);
}

/* SipHash's reference output for key 00..0f and these many bytes 00, 01 ... */
Test(call, hash_is_siphash)
{
	struct sp_hash_key key;
	uint8_t bytes[16];

	for (uint8_t i = 0; i < 16; i++)
		bytes[i] = i;
	memcpy(&key, bytes, sizeof key);
	cr_expect(
		eq(u64, sp_hash(&key, bytes, 0), UINT64_C(0x726fdb47dd0e0e31)));
	cr_expect(eq(
		u64, sp_hash(&key, bytes, 15), UINT64_C(0xa129ca6149be45e5)));
}

Test(call, table_finds_and_lists_what_is_in_it)
{
	const struct sp_hash_key key = { { 1, 2 } };
	const struct sp_text start = { 0 };
	struct sp_calls calls;
	struct sp_call *call;
	char id[16];
	unsigned int seen = 0;
	uint64_t last = 0;

	cr_assert(eq(int, sp_calls_open(&calls, &key), SP_OK));
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(id, sizeof id, "id-%u", i);
		sp_calls_add(&calls, sp_call_new(rig_text(id)));
	}
	for (call = sp_calls_after(&calls, start); call;
		call = sp_calls_after(&calls, sp_call_id(call))) {
		cr_expect(ge(u64, call->hash, last));
		last = call->hash;
		seen++;
	}
	cr_expect(eq(u32, seen, 1000));
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(id, sizeof id, "id-%u", i);
		call = sp_calls_find(&calls, rig_text(id));
		cr_assert(ne(ptr, call, NULL));
		sp_calls_del(&calls, call);
		cr_expect(eq(ptr, sp_calls_find(&calls, rig_text(id)), NULL));
		sp_call_free(call);
	}
	cr_expect(eq(sz, calls.count, 0));
	sp_calls_close(&calls);
}

Test(call, branches_have_ports_of_their_own_and_the_caller_one)
{
	const unsigned int one = offer(NULL, "z1");
	const unsigned int two = offer(NULL, "z2");
	const unsigned int caller = answer("b1", "z1", 5001);

	cr_expect(ne(u32, one, two));
	cr_expect(feeds(caller, one));
	cr_expect(eq(u32, answer("b2", "z2", 5002), caller));
	cr_expect(feeds(caller, two), "the latest to answer is heard");
	cr_expect(feeds(one, caller));
	cr_expect(feeds(two, caller));
}

Test(call, deleted_branch_does_not_hurt_an_answered_one)
{
	const unsigned int one = offer(NULL, "z1");
	const unsigned int two = offer(NULL, "z2");
	const unsigned int caller = answer("b1", "z1", 5001);

	cr_assert(eq(int, rig_delete(&r, "a", NULL, "z2"), 200));
	cr_expect(eq(ptr, (void *)rig_flow(&r, two), NULL));
	cr_expect(feeds(caller, one));
	cr_expect(eq(u32, r.dp->taken, 4));
	cr_expect(
		eq(sz, json_array_size(json_object_get(r.body, "parties")), 1));

	cr_expect(eq(int, rig_delete(&r, "a", "stranger", NULL), 404));
	cr_expect(eq(int, rig_delete(&r, "a", NULL, "z2"), 404));
	cr_expect(eq(int, rig_delete(&r, "stranger", NULL, NULL), 404));
	cr_expect(feeds(caller, one));

	cr_assert(eq(int, rig_delete(&r, "a", "b1", NULL), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));
	cr_expect(eq(u32, r.dp->taken, 0));
}

Test(call, caller_is_heard_by_the_other_when_the_latest_leaves)
{
	const unsigned int one = offer(NULL, "z1");
	const unsigned int two = offer(NULL, "z2");
	const unsigned int caller = answer("b1", "z1", 5001);

	answer("b2", "z2", 5002);
	cr_assert(feeds(caller, two));
	cr_assert(eq(int, rig_delete(&r, "a", "b2", NULL), 200));
	cr_expect(feeds(caller, one));
	cr_expect(eq(sz, r.s->calls.count, 1));
}

Test(call, fork_without_branch_ids_shares_the_ports_offered)
{
	const unsigned int port = offer(NULL, NULL);
	const unsigned int caller = answer("b1", NULL, 5001);

	cr_expect(eq(u32, answer("b2", NULL, 5002), caller));
	cr_expect(eq(u32, rig_flow(&r, port)->signalled.port, 5002));
	cr_expect(eq(u32, r.dp->taken, 4));

	/* One of two that answered hangs up: the other one talks on. */
	cr_assert(eq(int, rig_delete(&r, "a", "b2", NULL), 200));
	cr_expect(eq(u32, rig_flow(&r, port)->signalled.port, 5001));
	cr_expect(feeds(caller, port));
	cr_assert(eq(int, rig_delete(&r, "a", "b1", NULL), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));
}

Test(call, callee_hanging_up_ends_the_call_with_its_unanswered_branches)
{
	offer(NULL, "z1");
	offer(NULL, "z2");
	answer("b1", "z1", 5001);
	cr_assert(eq(int, rig_delete(&r, "b1", NULL, NULL), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));
	cr_expect(eq(u32, r.dp->taken, 0));
}

Test(call, caller_or_nobody_deletes_all_of_it)
{
	offer(NULL, "z1");
	offer(NULL, "z2");
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));
	offer(NULL, "z1");
	cr_assert(eq(int, rig_delete(&r, NULL, NULL, NULL), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));
	cr_expect(eq(u32, r.dp->taken, 0));
	cr_expect(eq(u32, sp_ports_pool(&r.s->ports, 0, 0)->used, 0));
	cr_expect(eq(u32, sp_ports_pool(&r.s->ports, 0, 2)->used, 0));
}

Test(call, delete_tells_what_the_flows_have_seen)
{
	const unsigned int callee = offer(NULL, NULL);
	const unsigned int caller = answer("b", NULL, 5000);
	char want[SP_ADDR_TEXT];
	json_t *media;

	r.dp->now_ms += 500;
	fake_media(r.dp, 0, fake_find(r.dp, 0, (uint16_t)caller));
	r.dp->news[r.dp->told++] = (struct fake_news){
		.what = SP_NEWS_LATCHED,
		.flow = fake_find(r.dp, 0, (uint16_t)caller),
	};
	rig_serve(&r);
	r.dp->now_ms += 1500;
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(r.body, "state")),
		"deleted"));
	cr_expect(eq(int,
		(int)json_integer_value(json_object_get(r.body, "duration_ms")),
		2000));

	media = rig_media(&r, 0, 0);
	snprintf(want, sizeof want, "203.0.113.10:%u", caller);
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(media, "local")),
		want));
	snprintf(want, sizeof want, "198.51.100.7:%u", caller);
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(media, "advertised")),
		want));
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(media, "latched")),
		"192.0.2.5:4000"));
	cr_expect(eq(int,
		(int)json_integer_value(
			json_object_get(media, "latched_at_ms")),
		500));
	cr_expect(eq(int,
		(int)json_integer_value(json_object_get(media, "packets")), 1));
	cr_expect(eq(int,
		(int)json_integer_value(json_object_get(media, "lost")), 2));
	cr_expect(epsilon_eq(dbl,
		json_real_value(json_object_get(media, "mos")), 4.3, 0.001));
	cr_expect(eq(int,
		(int)json_integer_value(json_object_get(
			json_object_get(media, "dropped"), "not_media")),
		3));
	cr_expect(eq(int, json_is_object(json_object_get(media, "rtcp")), 1));
	media = rig_media(&r, 1, 0);
	snprintf(want, sizeof want, "10.9.0.1:%u", callee);
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(media, "local")),
		want));
	cr_expect(eq(
		int, json_is_null(json_object_get(media, "latched_at_ms")), 1));
}

Test(call, query_reads_and_list_pages)
{
	struct sp_request list =
		rig_request(SP_VERB_LIST, NULL, NULL, NULL, NULL);
	char id[3][16], after[16];
	unsigned int seen = 0;

	for (unsigned int i = 0; i < 3; i++) {
		struct sp_request one = rig_request(SP_VERB_OFFER, "a", NULL,
			NULL, rig_sdp("192.0.2.5", 4000, ""));

		snprintf(id[i], sizeof id[i], "c%u", i);
		one.call_id = rig_text(id[i]);
		cr_assert(eq(int, rig_ask(&r, &one), 200));
	}
	offer(NULL, NULL);
	cr_assert(eq(int, rig_query(&r), 200));
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(r.body, "state")),
		"offered"));
	answer("b", NULL, 5000);
	cr_assert(eq(int, rig_query(&r), 200));
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(r.body, "state")),
		"answered"));
	cr_expect(
		eq(sz, json_array_size(json_object_get(r.body, "parties")), 2));

	list.limit = 3;
	for (int page = 0; page < 2; page++) {
		json_t *next;

		cr_assert(eq(int, rig_ask(&r, &list), 200));
		seen += (unsigned int)json_array_size(
			json_object_get(r.body, "calls"));
		next = json_object_get(r.body, "next");
		cr_assert(eq(int, json_is_null(next), page == 1));
		if (page == 0) {
			snprintf(after, sizeof after, "%s",
				json_string_value(next));
			list.after = rig_text(after);
		}
	}
	cr_expect(eq(u32, seen, 4));
}

Test(call, requests_for_a_busy_call_are_done_in_order)
{
	json_t *text = json_string(rig_sdp("192.0.2.5", 4000, ""));
	struct sp_request request;

	/* Who asks lets go of its bytes before a request's turn comes. */
	request = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, json_string_value(text));
	request.tree = text;
	sp_command(r.s, &request, rig_reply, &r);
	request = rig_request(SP_VERB_QUERY, NULL, NULL, NULL, NULL);
	sp_command(r.s, &request, rig_reply, &r);
	request = rig_request(SP_VERB_DELETE, "a", NULL, NULL, NULL);
	sp_command(r.s, &request, rig_reply, &r);
	request = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, json_string_value(text));
	request.tree = text;
	sp_command(r.s, &request, rig_reply, &r);
	sp_request_close(&request);
	cr_expect(eq(u32, r.replies, 0));

	sp_service_serve(r.s);
	cr_expect(eq(u32, r.replies, 1));
	sp_service_serve(r.s);
	cr_expect(eq(u32, r.replies, 2));
	sp_service_serve(r.s);
	cr_expect(eq(u32, r.replies, 3));
	sp_service_serve(r.s);
	cr_expect(eq(u32, r.replies, 4));
	cr_expect(eq(int, r.http, 200));
	cr_expect(eq(sz, r.s->calls.count, 1));
}

Test(call, line_for_a_busy_call_is_bounded)
{
	struct sp_request query =
		rig_request(SP_VERB_QUERY, NULL, NULL, NULL, NULL);

	offer(NULL, NULL);
	r.dp->stuck = true;
	for (unsigned int i = 0; i < SP_WAITING_MAX + 1; i++)
		sp_command(r.s, &query, rig_reply, &r);
	cr_expect(eq(u32, r.replies, 1));
	sp_command(r.s, &query, rig_reply, &r);
	cr_expect(eq(u32, r.replies, 2));
	cr_expect(eq(int, r.http, 503));
	cr_expect(eq(str, r.type, "call-busy"));
	/* All of them get an answer when the service closes. */
	sp_service_close(r.s);
	cr_expect(eq(u32, r.replies, 2 + SP_WAITING_MAX + 1));
	cr_assert(eq(int, sp_service_open(&r.conf, r.dp, &r.s), SP_OK));
}

Test(call, branches_and_tags_are_bounded)
{
	char branch[16], tag[16];
	unsigned int done = 0;

	r.conf.realm[0].last_port = 30999;
	r.conf.realm[1].last_port = 40999;
	sp_service_close(r.s);
	cr_assert(eq(int, sp_service_open(&r.conf, r.dp, &r.s), SP_OK));
	for (unsigned int i = 0; i < 40; i++) {
		snprintf(branch, sizeof branch, "z%u", i);
		done += rig_offer(&r, "a", NULL, branch,
				rig_sdp("192.0.2.5", 4000, "")) == 200;
	}
	cr_expect(eq(u32, done, SP_PARTIES_MAX - 1));
	cr_expect(eq(int, r.http, 409));
	cr_assert(eq(int, rig_delete(&r, NULL, NULL, NULL), 200));

	offer(NULL, NULL);
	done = 0;
	for (unsigned int i = 0; i < 40; i++) {
		snprintf(tag, sizeof tag, "t%u", i);
		done += rig_answer(&r, "a", tag, NULL,
				rig_sdp("10.1.1.1", 5000, "")) == 200;
	}
	cr_expect(eq(u32, done, SP_TAGS_MAX));
}
