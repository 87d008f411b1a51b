/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/control/rig_call.h"

TestSuite(offer_answer, .init = open_rig, .fini = close_rig);

Test(offer_answer, names_our_address_to_the_other_side)
{
	connect_call();
	cr_expect(ne(ptr, strstr(rig_got(&r), "c=IN IP4 198.51.100.7"), NULL));
	cr_expect(ne(
		ptr, strstr(rig_got(&r), "o=- 1 1 IN IP4 198.51.100.7"), NULL));
	cr_expect(eq(ptr, strstr(rig_got(&r), "10.1.1.1"), NULL));
	cr_expect(ge(u32, port_a, 30000));
	cr_expect(eq(u32, port_a % 2, 0));
}

Test(offer_answer, connects_both_sides)
{
	connect_call();

	const struct sp_flow_conf *a = rig_flow(&r, port_a);
	const struct sp_flow_conf *b = rig_flow(&r, port_b);
	const struct sp_flow_conf *a_rtcp = rig_flow(&r, port_a + 1);
	const struct sp_flow_conf *b_rtcp = rig_flow(&r, port_b + 1);
	char text[SP_ADDR_TEXT];

	cr_assert(a && b && a_rtcp && b_rtcp);
	cr_expect(eq(str, (char *)sp_addr_print(&a->signalled, text),
		"192.0.2.5:4000"));
	cr_expect(eq(str, (char *)sp_addr_print(&b->signalled, text),
		"10.1.1.1:5000"));
	cr_expect(eq(str, (char *)sp_addr_print(&b_rtcp->signalled, text),
		"10.1.1.1:5001"));
	cr_expect(eq(u32, a->out_rtp, fake_find(r.dp, 0, (uint16_t)port_b)));
	cr_expect(eq(u32, b->out_rtp, fake_find(r.dp, 0, (uint16_t)port_a)));
	cr_expect(eq(u32, a_rtcp->out_rtcp,
		fake_find(r.dp, 0, (uint16_t)(port_b + 1))));
	cr_expect(eq(
		u32, a_rtcp->rtp_flow, fake_find(r.dp, 0, (uint16_t)port_a)));
	cr_expect(eq(int, a->kind, SP_FLOW_RTP));
	cr_expect(eq(int, a_rtcp->kind, SP_FLOW_RTCP));
	cr_expect(eq(u64, a->payload_types,
		UINT64_C(1) << 8 | UINT64_C(1) << (101 & 63)));
	cr_expect(eq(u32, a->clock_hz, 8000));
	cr_expect(eq(u16, a->ptime_ms, 20));
	cr_expect(eq(int, a->dscp, 46));
	cr_expect(eq(u32, b->unanswered, 250));
	cr_expect(eq(int, a->send && b->send, 1));
	cr_expect(eq(u32, r.dp->taken, 4));
}

Test(offer_answer, replies_only_when_the_workers_have_confirmed)
{
	const char *sdp = rig_sdp("192.0.2.5", 4000, "");
	const struct sp_request request =
		rig_request(SP_VERB_OFFER, "a", NULL, NULL, sdp);

	sp_command(r.s, &request, rig_reply, &r);
	cr_expect(eq(u32, r.replies, 0));
	cr_expect(eq(u32, r.dp->queued, 4));
	sp_service_serve(r.s);
	cr_expect(eq(u32, r.replies, 1));
	cr_expect(eq(int, r.http, 200));
}

Test(offer_answer, retransmissions_change_nothing)
{
	unsigned int before;
	char offer[RIG_SDP], answer[RIG_SDP];

	connect_call();
	snprintf(answer, sizeof answer, "%s", rig_got(&r));
	before = r.dp->programs;

	cr_expect(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_expect(eq(str, (char *)rig_got(&r), answer));
	cr_expect(eq(int,
		rig_offer(&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	snprintf(offer, sizeof offer, "%s", rig_got(&r));
	cr_expect(eq(u32, rig_port(offer, 0), port_b));
	cr_expect(eq(int,
		rig_offer(&r, "a", "b", NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_expect(eq(str, (char *)rig_got(&r), offer));
	cr_expect(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_expect(eq(str, (char *)rig_got(&r), answer));
	cr_expect(eq(u32, r.dp->programs, before));
	cr_expect(eq(u32, r.dp->stops, 0));
}

Test(offer_answer, reoffer_from_the_callee_keeps_both_ports)
{
	connect_call();
	cr_assert(eq(int,
		rig_offer(&r, "b", "a", NULL, rig_sdp("10.1.1.2", 6000, "")),
		200));
	cr_expect(eq(u32, rig_port(rig_got(&r), 0), port_a));
	/* A refused offer must leave the call as it was. */
	cr_expect(eq(u32, rig_flow(&r, port_b)->signalled.port, 5000));

	cr_assert(eq(int,
		rig_answer(&r, "b", "a", NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_expect(eq(u32, rig_port(rig_got(&r), 0), port_b));
	cr_expect(eq(u32, rig_flow(&r, port_b)->signalled.port, 6000));
	cr_expect(eq(u32, r.dp->taken, 4));
}

Test(offer_answer, answer_to_nobodys_offer_is_a_conflict)
{
	connect_call();
	cr_expect(eq(int,
		rig_answer(&r, "b", "a", NULL, rig_sdp("192.0.2.5", 4000, "")),
		409));
	cr_expect(eq(str, r.where, "from_tag"));
	cr_expect(eq(int,
		rig_answer(&r, "x", "b", NULL, rig_sdp("192.0.2.5", 4000, "")),
		409));
}

Test(offer_answer, lines_are_added_disabled_and_enabled_again)
{
	const char *video = "m=video 4002 RTP/AVP 96\r\n"
			    "a=rtpmap:96 VP8/90000\r\n";
	const char *none = "m=video 0 RTP/AVP 96\r\n";
	unsigned int video_b, video_a;

	connect_call();
	cr_assert(eq(int,
		rig_offer(
			&r, "a", "b", NULL, rig_sdp("192.0.2.5", 4000, video)),
		200));
	cr_expect(eq(u32, rig_port(rig_got(&r), 0), port_b));
	video_b = rig_port(rig_got(&r), 1);
	cr_assert(ne(ptr, (void *)rig_flow(&r, video_b), NULL));
	cr_assert(eq(int,
		rig_answer(
			&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, video)),
		200));
	video_a = rig_port(rig_got(&r), 1);
	cr_expect(eq(u32, r.dp->taken, 8));

	cr_assert(eq(int,
		rig_offer(&r, "b", "a", NULL, rig_sdp("10.1.1.1", 5000, none)),
		200));
	cr_expect(eq(u32, rig_port(rig_got(&r), 1), 0));
	cr_expect(eq(u32, r.dp->taken, 8), "runs until it is answered");
	cr_assert(eq(int,
		rig_answer(
			&r, "b", "a", NULL, rig_sdp("192.0.2.5", 4000, none)),
		200));
	cr_expect(eq(u32, r.dp->taken, 4));

	cr_assert(eq(int,
		rig_offer(
			&r, "a", "b", NULL, rig_sdp("192.0.2.5", 4000, video)),
		200));
	cr_expect(eq(u32, rig_port(rig_got(&r), 1), video_b));
	cr_assert(eq(int,
		rig_answer(
			&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, video)),
		200));
	cr_expect(eq(u32, rig_port(rig_got(&r), 1), video_a));
	cr_expect(eq(u32, r.dp->taken, 8));
}

Test(offer_answer, line_that_is_switched_off_keeps_its_statistics)
{
	const char *off = "v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\n"
			  "c=IN IP4 192.0.2.5\r\nt=0 0\r\n"
			  "m=audio 0 RTP/AVP 8\r\n";
	json_t *earlier;

	for (int i = 0; i < 2; i++) {
		connect_call();
		fake_media(r.dp, 0, fake_find(r.dp, 0, (uint16_t)port_a));
		cr_assert(eq(int, rig_offer(&r, "a", "b", NULL, off), 200));
		cr_assert(eq(int, rig_answer(&r, "a", "b", NULL, off), 200));
		cr_expect(eq(u32, r.dp->taken, 0));
	}
	cr_assert(eq(int, rig_query(&r), 200));
	earlier = json_object_get(rig_media(&r, 0, 0), "earlier");
	cr_expect(eq(int,
		(int)json_integer_value(json_object_get(earlier, "packets")),
		2));
	cr_expect(eq(int,
		(int)json_integer_value(json_object_get(earlier, "lost")), 4));
}

Test(offer_answer, line_enabled_again_has_an_rtcp_port_before_the_answer)
{
	const char *mux = "m=video 4002 RTP/AVP 96\r\na=rtcp-mux\r\n";
	const char *off = "m=video 0 RTP/AVP 96\r\n";
	const char *on = "m=video 4002 RTP/AVP 96\r\n";
	const char *const offers[] = { mux, off, on };

	connect_call();
	for (size_t i = 0; i < 3; i++) {
		cr_assert(eq(int,
			rig_offer(&r, "a", "b", NULL,
				rig_sdp("192.0.2.5", 4000, offers[i])),
			200));
		if (i < 2)
			cr_assert(eq(int,
				rig_answer(&r, "a", "b", NULL,
					rig_sdp("10.1.1.1", 5000, offers[i])),
				200));
	}
	cr_expect(ne(
		ptr, (void *)rig_flow(&r, rig_port(rig_got(&r), 1) + 1), NULL));
}

Test(offer_answer, refused_line_costs_no_flows)
{
	const char *video = "m=video 4002 RTP/AVP 96\r\n";

	cr_assert(eq(int,
		rig_offer(
			&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, video)),
		200));
	cr_expect(eq(u32, r.dp->taken, 8));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL,
			rig_sdp("10.1.1.1", 5000, "m=video 0 RTP/AVP 96\r\n")),
		200));
	cr_expect(eq(u32, r.dp->taken, 4));
}

Test(offer_answer, forbidden_and_own_addresses_are_refused_by_line)
{
	static const char *const bad[] = { "127.0.0.1", "203.0.113.10",
		"198.51.100.7", "10.9.0.99", "169.254.169.254",
		"::ffff:203.0.113.10" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cr_expect(eq(int,
				  rig_offer(&r, "a", NULL, NULL,
					  rig_sdp(bad[i], 4000, "")),
				  422),
			"%s", bad[i]);
		cr_expect(eq(str, r.type, "address"));
		cr_expect(eq(str, r.where, "sdp line 6"));
	}
	cr_expect(eq(u32, r.dp->taken, 0));
	cr_expect(eq(sz, r.s->calls.count, 0));
}

Test(offer_answer, broken_sdp_says_where)
{
	cr_expect(eq(
		int, rig_offer(&r, "a", NULL, NULL, "v=0\r\nnonsense"), 422));
	cr_expect(eq(str, r.type, "bad-sdp"));
	cr_expect(eq(int, rig_offer(&r, "a", NULL, NULL, ""), 422));
}

Test(offer_answer, answer_and_query_of_an_unknown_call_are_404)
{
	cr_expect(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		404));
	cr_expect(eq(int, rig_query(&r), 404));
	cr_expect(eq(int, rig_delete(&r, "a", NULL, NULL), 404));
	cr_expect(eq(str, r.type, "unknown-call"));
}

Test(offer_answer, answer_with_another_protocol_than_offered_is_refused)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL,
			rig_sdp("192.0.2.5", 4000,
				"m=message 2855 TCP/MSRP *\r\n")),
		200));
	cr_expect(eq(int,
		rig_answer(&r, "a", "b", NULL,
			rig_sdp("10.1.1.1", 5000,
				"m=message 2856 RTP/AVP 8\r\n")),
		409));
	cr_expect(eq(u32, r.dp->taken, 4));
}

Test(offer_answer, delayed_offer_starts_with_the_callee)
{
	cr_assert(eq(int,
		rig_offer(&r, "b", "a", NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	port_b = rig_port(rig_got(&r), 0);
	cr_assert(eq(int,
		rig_answer(&r, "b", "a", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(eq(u32, rig_flow(&r, port_a)->out_rtp,
		fake_find(r.dp, 0, (uint16_t)port_b)));
	/* And a reoffer of the original caller. */
	cr_assert(eq(int,
		rig_offer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_expect(eq(u32, rig_port(rig_got(&r), 0), port_a));
}

Test(offer_answer, lines_refused_throughout_make_a_call_without_flows)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 0, "")),
		200));
	cr_expect(eq(u32, rig_port(rig_got(&r), 0), 0));
	cr_expect(eq(u32, r.dp->taken, 0));
	cr_expect(eq(int, rig_delete(&r, NULL, NULL, NULL), 200));
	cr_expect(eq(sz, r.s->calls.count, 0));
}

/* An offer or answer with @count lines from m-line @first on; off before. */
static const char *
sdp_of(unsigned int first, unsigned int count)
{
	char more[RIG_SDP / 2] = "";
	const char *sdp;
	size_t used = 0;

	for (unsigned int m = 1; m < first + count; m++)
		used += (size_t)snprintf(more + used, sizeof more - used,
			"m=audio %u RTP/AVP 8\r\n",
			m < first ? 0 : 4000 + 2 * m);
	sdp = rig_sdp("192.0.2.5", first == 0 ? 4000 : 0, more);
	cr_assert(lt(sz, strlen(sdp), RIG_SDP - 1));
	return sdp;
}

Test(offer_answer, offer_with_more_lines_than_max_media_is_refused)
{
	r.conf.max_media = 3;
	cr_expect(eq(int, rig_offer(&r, "a", NULL, NULL, sdp_of(0, 4)), 422));
	cr_expect(eq(str, r.type, "bad-sdp"));
	cr_expect(eq(str, r.detail,
		"m-line 4: the call would use 4 m= lines, and max_media is 3: "
		"offer fewer, or use those again that are off"));
	cr_expect(eq(u32, r.dp->taken, 0));
	cr_expect(eq(sz, r.s->calls.count, 0));

	cr_expect(eq(int, rig_offer(&r, "a", NULL, NULL, sdp_of(2, 3)), 200));
	cr_expect(eq(u32, r.dp->taken, 12), "lines that are off are free");
}

Test(offer_answer, lines_that_have_been_in_use_count_for_max_media)
{
	r.conf.max_media = 3;
	cr_assert(eq(int, rig_offer(&r, "a", NULL, NULL, sdp_of(2, 2)), 200));
	cr_expect(eq(int, rig_offer(&r, "a", NULL, NULL, sdp_of(4, 2)), 422));
	cr_expect(eq(int, rig_offer(&r, "a", NULL, NULL, sdp_of(0, 2)), 422));
	cr_expect(eq(int, rig_offer(&r, "a", NULL, NULL, sdp_of(1, 3)), 200));
	cr_expect(eq(int, rig_offer(&r, "a", NULL, NULL, sdp_of(1, 3)), 200));
}

Test(offer_answer, max_media_of_32_takes_all_that_the_parser_takes)
{
	r.conf.max_media = SP_SDP_MEDIA_MAX;
	cr_expect(eq(int, rig_offer(&r, "a", NULL, NULL, sdp_of(0, 32)), 200));
	cr_expect(eq(u32, r.dp->taken, 128));
}

/* Offer an SDP with @ip, signalled from @signaller if that is not NULL. */
static int
offer_from(const char *ip, const char *more, const char *signaller)
{
	struct sp_request offer = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp(ip, 4000, more));

	if (signaller)
		rig_addr(&offer.signalling_source, signaller);
	return rig_ask(&r, &offer);
}

Test(offer_answer, private_address_is_refused_where_the_realm_says_so)
{
	static const char *const bad[] = { "10.1.1.1", "172.16.0.1",
		"192.168.1.2", "100.64.0.1", "fd00::1", "::ffff:10.1.1.1",
		"64:ff9b::a01:101" };

	r.conf.more[0].refuse_private = true;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cr_expect(eq(int, offer_from(bad[i], "", NULL), 422), "%s",
			bad[i]);
		cr_expect(eq(str, r.type, "address"));
		cr_expect(eq(str, r.where, "sdp line 6"));
		cr_expect(eq(int, strncmp(r.detail, "m-line 1: ", 10), 0));
	}
	cr_expect(eq(int,
		offer_from(
			"192.0.2.5", "a=rtcp:4001 IN IP4 10.1.1.1\r\n", NULL),
		422));
	cr_expect(eq(int,
		offer_from(
			"10.1.1.1", "a=rtcp:4001 IN IP4 192.0.2.5\r\n", NULL),
		422));
	cr_expect(eq(int, offer_from("10.1.1.1", "", "10.1.1.1"), 422));
	cr_expect(eq(u32, r.dp->taken, 0));
	cr_expect(eq(sz, r.s->calls.count, 0));

	/* The other side's realm allows them. */
	connect_call();
}

Test(offer_answer, private_address_behind_nat_waits_where_it_is_refused)
{
	r.conf.more[0].refuse_private = true;
	cr_assert(eq(int, offer_from("10.1.1.1", "", "192.0.2.77"), 200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(eq(int, rig_flow(&r, port_a)->wait, 1));
	cr_expect(eq(int, rig_flow(&r, port_a + 1)->wait, 1));

	/* A hold keeps the address: it is judged again. */
	cr_expect(eq(int, offer_from("0.0.0.0", "", NULL), 200));
	cr_expect(eq(int, offer_from("0.0.0.0", "", "10.1.1.1"), 422));
	cr_expect(eq(int, rig_flow(&r, port_a)->wait, 1));
}

Test(offer_answer, private_answer_is_refused_and_can_be_repeated)
{
	struct sp_request answer = rig_request(
		SP_VERB_ANSWER, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, ""));

	r.conf.more[1].refuse_private = true;
	cr_assert(eq(int, offer_from("10.1.1.1", "", NULL), 200));
	cr_expect(eq(int, rig_ask(&r, &answer), 422));
	cr_expect(eq(str, r.type, "address"));
	cr_expect(eq(str, r.where, "sdp line 6"));
	rig_addr(&answer.signalling_source, "192.0.2.78");
	cr_expect(eq(int, rig_ask(&r, &answer), 200));
}
