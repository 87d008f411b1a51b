/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/control/rig_call.h"

TestSuite(exchange, .init = open_rig, .fini = close_rig);

Test(exchange, hold_and_resume_leave_the_latch_alone)
{
	connect_call();
	cr_assert(eq(int,
		rig_offer(&r, "a", "b", NULL,
			rig_sdp("192.0.2.5", 4000, "a=sendonly\r\n")),
		200));
	cr_expect(ne(ptr, strstr(rig_got(&r), "a=sendonly"), NULL));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL,
			rig_sdp("10.1.1.1", 5000, "a=recvonly\r\n")),
		200));
	cr_expect(eq(int, rig_flow(&r, port_a)->send, 0));
	cr_expect(eq(int, rig_flow(&r, port_a + 1)->send, 1));
	cr_expect(eq(int, rig_flow(&r, port_b)->send, 1));

	connect_call();
	cr_expect(eq(int, rig_flow(&r, port_a)->send, 1));
	cr_expect(eq(u32, r.dp->taken, 4));
}

Test(exchange, hold_by_zero_address_keeps_the_known_one)
{
	connect_call();
	cr_assert(eq(int,
		rig_offer(&r, "a", "b", NULL, rig_sdp("0.0.0.0", 4000, "")),
		200));
	cr_expect(ne(ptr, strstr(rig_got(&r), "c=IN IP4 0.0.0.0"), NULL));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_expect(eq(int, rig_flow(&r, port_a)->send, 0));
	cr_expect(eq(u32, rig_flow(&r, port_a)->signalled.port, 4000));
}

Test(exchange, label_and_realm_are_told)
{
	struct sp_request offer = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));
	json_t *party;

	offer.label = rig_text("caller's");
	cr_assert(eq(int, rig_ask(&r, &offer), 200));
	cr_assert(eq(int, rig_query(&r), 200));
	party = json_array_get(json_object_get(r.body, "parties"), 0);
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(party, "label")),
		"caller's"));
	cr_expect(eq(str,
		(char *)json_string_value(json_object_get(party, "realm")),
		"out"));

	/* A realm named anew does not move anybody, but is remarked upon. */
	offer.from_realm = rig_text("in");
	cr_assert(eq(int, rig_ask(&r, &offer), 200));
	cr_expect(eq(
		sz, json_array_size(json_object_get(r.body, "warnings")), 1));
	cr_expect(eq(u32, r.dp->taken, 4));
}

Test(exchange, mux_on_one_side_only_maps_rtcp_to_its_port)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL,
			rig_sdp("192.0.2.5", 4000, "a=rtcp-mux\r\n")),
		200));
	port_b = rig_port(rig_got(&r), 0);

	struct sp_request answer = rig_request(SP_VERB_ANSWER, "a", "b", NULL,
		rig_sdp("10.1.1.1", 5000, "a=rtcp-mux\r\n"));
	cr_assert(eq(int, rig_ask(&r, &answer), 200));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(eq(int, rig_flow(&r, port_a)->kind, SP_FLOW_MUX));
	cr_expect(eq(int, rig_flow(&r, port_b)->kind, SP_FLOW_MUX));
	cr_expect(eq(ptr, (void *)rig_flow(&r, port_a + 1), NULL));
	cr_expect(eq(u32, r.dp->taken, 2));

	/* A new offer that the caller muxes alone. */
	struct sp_request offer = rig_request(SP_VERB_OFFER, "a", "b", NULL,
		rig_sdp("192.0.2.5", 4000, "a=rtcp-mux\r\n"));
	offer.policy.rtcp_mux = SP_RTCP_MUX_DEMUX;
	cr_assert(eq(int, rig_ask(&r, &offer), 200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_expect(eq(int, rig_flow(&r, port_a)->kind, SP_FLOW_MUX));
	cr_expect(eq(int, rig_flow(&r, port_b)->kind, SP_FLOW_RTP));
	cr_expect(eq(u32, rig_flow(&r, port_a)->out_rtcp,
		fake_find(r.dp, 0, (uint16_t)(port_b + 1))));
	cr_expect(eq(u32, rig_flow(&r, port_b + 1)->out_rtcp,
		fake_find(r.dp, 0, (uint16_t)port_a)));
}

Test(exchange, media_that_is_not_rtp_has_one_flow)
{
	const char *fax = "v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\n"
			  "c=IN IP4 192.0.2.5\r\nt=0 0\r\n"
			  "m=image 4000 udptl t38\r\n";

	cr_assert(eq(int, rig_offer(&r, "a", NULL, NULL, fax), 200));
	cr_expect(eq(int, rig_flow(&r, rig_port(rig_got(&r), 0))->kind,
		SP_FLOW_DATA));
	cr_expect(eq(u32, r.dp->taken, 2));
}

Test(exchange, private_address_with_a_public_signaller_waits)
{
	struct sp_request offer = rig_request(SP_VERB_OFFER, "a", NULL, NULL,
		rig_sdp("192.168.1.2", 4000, ""));

	rig_addr(&offer.signalling_source, "192.0.2.77");
	offer.has_latch = true;
	offer.latch = SP_LATCH_ANY;
	cr_assert(eq(int, rig_ask(&r, &offer), 200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(eq(int, rig_flow(&r, port_a)->wait, 1));
	cr_expect(eq(int, rig_flow(&r, port_a)->policy, SP_LATCH_ANY));
	cr_expect(sp_addr_equal(
		&rig_flow(&r, port_a)->signalling, &offer.signalling_source));
}

Test(exchange, bridges_ipv6_to_ipv4)
{
	char text[SP_ADDR_TEXT];

	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL,
			rig_sdp("2001:db8:1::5", 4000, "")),
		200));
	cr_expect(ne(ptr, strstr(rig_got(&r), "c=IN IP4 10.9.0.1"), NULL));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_expect(ne(ptr, strstr(rig_got(&r), "c=IN IP6 2001:db8::10"), NULL));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(eq(u16, rig_flow(&r, port_a)->local, 1));
	cr_expect(eq(str,
		(char *)sp_addr_print(&rig_flow(&r, port_a)->signalled, text),
		"[2001:db8:1::5]:4000"));
}

Test(exchange, party_that_changes_family_gets_its_old_port_back_later)
{
	unsigned int six;

	connect_call();
	cr_assert(eq(int,
		rig_offer(
			&r, "a", "b", NULL, rig_sdp("2001:db8:1::5", 4000, "")),
		200));
	cr_expect(eq(u32, rig_port(rig_got(&r), 0), port_b));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	six = rig_port(rig_got(&r), 0);
	cr_expect(ne(ptr, strstr(rig_got(&r), "IP6 2001:db8::10"), NULL));
	cr_expect(eq(u16, rig_flow(&r, six)->local, 1));
	cr_expect(eq(u32, r.dp->taken, 4));

	connect_call();
	cr_expect(ne(ptr, strstr(rig_got(&r), "IP4 198.51.100.7"), NULL));
	cr_expect(eq(u16, rig_flow(&r, port_a)->local, 0));
}

Test(exchange, realm_without_the_family_is_named)
{
	struct sp_request offer = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));

	offer.policy.address_family = SP_FAMILY_IP6;
	cr_expect(eq(int, rig_ask(&r, &offer), 400));
	cr_expect(eq(str, r.where, "address_family"));
	offer.policy.address_family = 0;
	offer.from_realm = rig_text("in");
	offer.sdp = rig_text(rig_sdp("2001:db8::5", 4000, ""));
	cr_expect(eq(int, rig_ask(&r, &offer), 422));
	offer.from_realm = rig_text("nowhere");
	cr_expect(eq(int, rig_ask(&r, &offer), 400));
	cr_expect(eq(str, r.type, "unknown-realm"));
	cr_expect(eq(u32, r.dp->taken, 0));
	cr_expect(eq(sz, r.s->calls.count, 0));
}

Test(exchange, realms_are_remembered_for_offers_from_either_side)
{
	struct sp_request offer = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("10.1.1.9", 4000, ""));

	offer.from_realm = rig_text("in");
	offer.to_realm = rig_text("in");
	cr_assert(eq(int, rig_ask(&r, &offer), 200));
	cr_expect(ne(ptr, strstr(rig_got(&r), "c=IN IP4 10.9.0.1"), NULL));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_assert(eq(int,
		rig_offer(&r, "b", "a", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_expect(ne(ptr, strstr(rig_got(&r), "c=IN IP4 10.9.0.1"), NULL));
}

Test(exchange, secure_media_is_relayed_unopened)
{
	const char *sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\n"
			  "c=IN IP4 192.0.2.5\r\nt=0 0\r\n"
			  "m=audio 4000 RTP/SAVP 8\r\n";

	cr_assert(eq(int, rig_offer(&r, "a", NULL, NULL, sdp), 200));
	cr_expect(eq(int, rig_flow(&r, rig_port(rig_got(&r), 0))->flags,
		SP_FLOW_OPAQUE));
}
