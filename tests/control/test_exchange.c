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
			  "m=audio 4000 UDP/TLS/RTP/SAVP 8\r\n";

	cr_assert(eq(int, rig_offer(&r, "a", NULL, NULL, sdp), 200));
	cr_expect(eq(int, rig_flow(&r, rig_port(rig_got(&r), 0))->flags,
		SP_FLOW_OPAQUE));
}

Test(exchange, tos_of_a_request_holds_for_all_that_the_call_sends)
{
	struct sp_request ask = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));
	static const struct {
		enum sp_verb verb;
		enum sp_tos mode;
		uint8_t tos;
		uint8_t a, b;
	} steps[] = {
		{ SP_VERB_OFFER, SP_TOS_SET, 0xb8, 46, 46 },
		{ SP_VERB_ANSWER, SP_TOS_DEFAULT, 0, 46, 46 },
		{ SP_VERB_OFFER, SP_TOS_SET, 0x2b, 10, 10 },
		{ SP_VERB_OFFER, SP_TOS_KEEP, 0, 10, 10 },
		{ SP_VERB_OFFER, SP_TOS_DEFAULT, 0, 5, 0 },
		{ SP_VERB_ANSWER, SP_TOS_SET, 0x20, 8, 8 },
	};

	r.conf.realm[0].dscp = 5;
	connect_call();
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		ask.verb = steps[i].verb;
		ask.to_tag = rig_text("b");
		ask.tos_mode = steps[i].mode;
		ask.tos = steps[i].tos;
		ask.sdp = rig_text(steps[i].verb == SP_VERB_OFFER
				? rig_sdp("192.0.2.5", 4000, "")
				: rig_sdp("10.1.1.1", 5000, ""));
		cr_assert(eq(int, rig_ask(&r, &ask), 200));
		cr_expect(eq(u8, rig_flow(&r, port_a)->dscp, steps[i].a), "%zu",
			i);
		cr_expect(eq(u8, rig_flow(&r, port_b)->dscp, steps[i].b), "%zu",
			i);
	}
}

Test(exchange, tos_of_a_refused_request_is_forgotten)
{
	struct sp_request ask = rig_request(SP_VERB_OFFER, "a", "b", NULL,
		rig_sdp("192.0.2.5", 4000, "m=video 4002 RTP/AVP 96\r\n"));

	connect_call();
	ask.tos_mode = SP_TOS_SET;
	ask.tos = 0x20;
	r.dp->room = 3;
	cr_assert(eq(int, rig_ask(&r, &ask), 503));
	r.dp->room = FAKE_QUEUE;
	connect_call();
	cr_expect(eq(u8, rig_flow(&r, port_a)->dscp, 46));
}

Test(exchange, media_is_at_the_source_of_the_signalling_when_that_is_trusted)
{
	struct sp_request offer = rig_request(SP_VERB_OFFER, "a", NULL, NULL,
		rig_sdp("192.168.1.2", 4000, ""));
	char text[SP_ADDR_TEXT];

	r.conf.more[0].refuse_private = true;
	offer.trust_source = true;
	rig_addr(&offer.signalling_source, "192.0.2.77");
	cr_assert(eq(int, rig_ask(&r, &offer), 200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(eq(str,
		(char *)sp_addr_print(&rig_flow(&r, port_a)->signalled, text),
		"192.0.2.77:4000"));
	cr_expect(eq(str,
		(char *)sp_addr_print(
			&rig_flow(&r, port_a + 1)->signalled, text),
		"192.0.2.77:4001"));
	cr_expect(eq(int, rig_flow(&r, port_a)->wait, 0));
	cr_expect(eq(u32, offer.policy.endpoint.family, SP_FAMILY_NONE));

	/* What is said of the media itself counts more. */
	rig_addr(&offer.policy.endpoint, "192.0.2.78");
	cr_assert(eq(int, rig_ask(&r, &offer), 200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_expect(eq(str,
		(char *)sp_addr_print(&rig_flow(&r, port_a)->signalled, text),
		"192.0.2.78:4000"));
}

Test(exchange, source_in_another_family_than_the_sdp_is_where_media_goes)
{
	struct sp_request offer = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));
	char text[SP_ADDR_TEXT];

	offer.trust_source = true;
	rig_addr(&offer.signalling_source, "2001:db8:1::5");
	cr_assert(eq(int, rig_ask(&r, &offer), 200));
	cr_expect(eq(
		sz, json_array_size(json_object_get(r.body, "warnings")), 0));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	port_a = rig_port(rig_got(&r), 0);
	cr_expect(eq(str,
		(char *)sp_addr_print(&rig_flow(&r, port_a)->signalled, text),
		"[2001:db8:1::5]:4000"));
}

Test(exchange, attribute_that_is_ours_is_not_written_and_that_is_said)
{
	struct sp_request offer = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));

	offer.policy.n_attr = 2;
	offer.policy.attr[0] = (struct sp_attr_wish){ .what = SP_ATTR_ADD,
		.media = { "audio", 5 },
		.text = { "rtcp:1", 6 } };
	offer.policy.attr[1] = (struct sp_attr_wish){ .what = SP_ATTR_ADD,
		.media = { "audio", 5 },
		.text = { "fine", 4 } };
	cr_assert(eq(int, rig_ask(&r, &offer), 200));
	cr_expect(eq(
		sz, json_array_size(json_object_get(r.body, "warnings")), 1));
	cr_expect(ne(ptr, strstr(rig_got(&r), "a=fine\r\n"), NULL));
	cr_expect(eq(ptr, strstr(rig_got(&r), "a=rtcp:1\r\n"), NULL));
}

/* Offer or answer that asks for new ports. Returns the one told. */
static unsigned int
renewing(enum sp_verb verb, const char *sdp)
{
	struct sp_request ask = rig_request(verb, "a", "b", NULL, sdp);

	ask.new_ports = true;
	cr_assert(eq(int, rig_ask(&r, &ask), 200));
	return rig_port(rig_got(&r), 0);
}

Test(exchange, changed_address_gets_another_port_where_that_is_asked)
{
	const struct sp_port_pool *out, *in;
	unsigned int new_b, new_a;

	connect_call();
	out = sp_ports_pool(&r.s->ports, 0, 0);
	in = sp_ports_pool(&r.s->ports, 0, 2);
	cr_expect(
		eq(u32, renewing(SP_VERB_OFFER, rig_sdp("192.0.2.5", 4000, "")),
			port_b));
	new_b = renewing(SP_VERB_OFFER, rig_sdp("192.0.2.5", 4400, ""));
	cr_expect(ne(u32, new_b, port_b));
	cr_expect(
		eq(u32, renewing(SP_VERB_OFFER, rig_sdp("192.0.2.5", 4400, "")),
			new_b));
	cr_expect(eq(ptr, (void *)rig_flow(&r, port_b), NULL));
	cr_expect(eq(u32, in->used, 1));
	cr_expect(eq(u32, in->quarantined, 1));

	cr_expect(
		eq(u32, renewing(SP_VERB_ANSWER, rig_sdp("10.1.1.1", 5000, "")),
			port_a));
	new_a = renewing(SP_VERB_ANSWER, rig_sdp("10.1.1.2", 5000, ""));
	cr_expect(ne(u32, new_a, port_a));
	cr_expect(eq(u32, rig_flow(&r, new_a)->out_rtp,
		fake_find(r.dp, 0, (uint16_t)new_b)));
	cr_expect(eq(u32, out->used, 1));
	cr_expect(eq(u32, r.dp->taken, 4));
	cr_assert(eq(int, rig_delete(&r, NULL, NULL, NULL), 200));
	cr_expect(eq(u32, out->used + in->used, 0));
}

Test(exchange, new_port_that_can_not_be_had_leaves_the_old_one)
{
	struct sp_request ask = rig_request(
		SP_VERB_OFFER, "a", "b", NULL, rig_sdp("192.0.2.5", 4400, ""));

	connect_call();
	ask.new_ports = true;
	r.dp->room = 0;
	cr_expect(eq(int, rig_ask(&r, &ask), 503));
	r.dp->room = FAKE_QUEUE;
	cr_expect(ne(ptr, (void *)rig_flow(&r, port_b), NULL));
	cr_expect(eq(u32, sp_ports_pool(&r.s->ports, 0, 2)->used, 1));
	for (unsigned int n = 1; n <= 2; n++) {
		r.dp->refuse_in = n;
		cr_expect(eq(int, rig_ask(&r, &ask), 500));
		rig_serve(&r);
		cr_expect(eq(u32, sp_ports_pool(&r.s->ports, 0, 2)->used, 1));
	}
	connect_call();
	cr_expect(eq(u32, r.dp->taken, 4));
}

Test(exchange, silence_and_digits_go_by_the_receivers_numbers)
{
	struct sp_cast *cast;
	const char *offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\n"
			    "c=IN IP4 192.0.2.5\r\nt=0 0\r\n"
			    "m=audio 4000 RTP/AVP 0 8 96\r\n"
			    "a=rtpmap:96 telephone-event/8000\r\n";
	const char *answer = "v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\n"
			     "c=IN IP4 10.1.1.1\r\nt=0 0\r\n"
			     "m=audio 5000 RTP/AVP 8 101\r\n"
			     "a=rtpmap:101 telephone-event/8000\r\n";

	cr_assert(eq(int, rig_offer(&r, "a", NULL, NULL, offer), 200));
	port_b = rig_port(rig_got(&r), 0);
	cr_assert(eq(int, rig_answer(&r, "a", "b", NULL, answer), 200));
	port_a = rig_port(rig_got(&r), 0);
	for (int i = 0; i < 2; i++) {
		const struct sp_flow_conf *conf =
			rig_flow(&r, i == 0 ? port_a : port_b);

		cr_expect(eq(u64, conf->dtmf_types,
			UINT64_C(1) << (96 & 63) | UINT64_C(1) << (101 & 63)));
		cr_expect(eq(u8, conf->quiet[SP_QUIET_PCMA], 8));
		cr_expect(eq(u8, conf->quiet[SP_QUIET_G722], SP_QUIET_NONE));
		cr_expect(eq(u8, conf->flags, 0));
	}

	/* And what is blocked is kept through whatever follows. */
	cast = &sp_calls_find(&r.s->calls, rig_text("call-1"))->cast;
	cast->blocked = SP_BLOCK_DTMF;
	cast->party[0]->blocked = SP_BLOCK_MEDIA | SP_BLOCK_SILENCE;
	connect_call();
	cr_expect(eq(u8, rig_flow(&r, port_a)->flags,
		SP_FLOW_NO_DTMF | SP_FLOW_BLOCK | SP_FLOW_SILENCE));
	cr_expect(eq(u8, rig_flow(&r, port_b)->flags, SP_FLOW_NO_DTMF));
	cr_expect(eq(u8, rig_flow(&r, port_a + 1)->flags, 0));
}

Test(exchange, metadata_stays_with_the_call)
{
	struct sp_request ask = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));
	const struct sp_call *call;

	ask.metadata = rig_text("tenant:7");
	cr_assert(eq(int, rig_ask(&r, &ask), 200));
	connect_call();
	call = sp_calls_find(&r.s->calls, rig_text("call-1"));
	cr_expect(eq(str, call->cast.metadata, "tenant:7"));
}
