/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "tests/control/rig_call.h"

TestSuite(media, .init = open_rig, .fini = close_rig);

#define ALL (SP_FLOW_BLOCK | SP_FLOW_SILENCE | SP_FLOW_NO_DTMF)

/* What the flow on @port is told to keep back. */
static uint8_t
flags(unsigned int port)
{
	const struct sp_flow_conf *conf = rig_flow(&r, port);

	cr_assert(ne(ptr, (void *)conf, NULL));
	return conf->flags & ALL;
}

static int
ask(enum sp_verb verb, const char *from, const char *to)
{
	const struct sp_request request =
		rig_request(verb, from, to, NULL, NULL);

	return rig_ask(&r, &request);
}

/* The same as SIP proxies ask it. */
static int
ask_ng(enum sp_verb verb, const char *from, const char *to, bool directional)
{
	struct sp_request request = rig_request(verb, from, to, NULL, NULL);

	request.door = SP_DOOR_NG;
	request.directional = directional;
	return rig_ask(&r, &request);
}

static size_t
warnings(void)
{
	return json_array_size(json_object_get(r.body, "warnings"));
}

static const char *
warning(size_t i)
{
	const char *text = json_string_value(
		json_array_get(json_object_get(r.body, "warnings"), i));

	return text ? text : "";
}

Test(media, call_wide_block_reaches_both_sides_and_no_rtcp)
{
	connect_call();
	cr_expect(eq(int, ask(SP_VERB_BLOCK_MEDIA, NULL, NULL), 200));
	cr_expect(eq(sz, warnings(), 0));
	cr_expect(eq(int, flags(port_a), SP_FLOW_BLOCK));
	cr_expect(eq(int, flags(port_b), SP_FLOW_BLOCK));
	cr_expect(eq(int, flags(port_a + 1), 0));
	cr_expect(eq(int, flags(port_b + 1), 0));
	cr_expect(eq(int, ask(SP_VERB_UNBLOCK_MEDIA, NULL, NULL), 200));
	cr_expect(eq(int, flags(port_a), 0));
	cr_expect(eq(int, flags(port_b), 0));
}

Test(media, each_verb_has_a_state_of_its_own)
{
	static const struct {
		enum sp_verb on, off;
		uint8_t flag;
	} each[] = {
		{ SP_VERB_BLOCK_MEDIA, SP_VERB_UNBLOCK_MEDIA, SP_FLOW_BLOCK },
		{ SP_VERB_SILENCE_MEDIA, SP_VERB_UNSILENCE_MEDIA,
			SP_FLOW_SILENCE },
		{ SP_VERB_BLOCK_DTMF, SP_VERB_UNBLOCK_DTMF, SP_FLOW_NO_DTMF },
	};
	uint8_t want = 0;

	connect_call();
	for (size_t i = 0; i < 3; i++) {
		cr_expect(eq(int, ask(each[i].on, "a", NULL), 200));
		want |= each[i].flag;
		cr_expect(eq(int, flags(port_a), want));
	}
	for (size_t i = 0; i < 3; i++) {
		cr_expect(eq(int, ask(each[i].off, "a", NULL), 200));
		want &= (uint8_t)~each[i].flag;
		cr_expect(eq(int, flags(port_a), want));
	}
	cr_expect(eq(int, flags(port_b), 0));
}

Test(media, what_is_blocked_already_is_not_ordered_again)
{
	unsigned int programs;

	connect_call();
	cr_assert(eq(int, ask(SP_VERB_BLOCK_MEDIA, "a", NULL), 200));
	programs = r.dp->programs;
	cr_expect(eq(int, ask(SP_VERB_BLOCK_MEDIA, "a", NULL), 200));
	cr_expect(eq(int, ask(SP_VERB_UNSILENCE_MEDIA, "a", NULL), 200));
	cr_expect(eq(u32, r.dp->programs, programs));
}

Test(media, call_and_parties_are_unblocked_as_they_were_blocked)
{
	struct sp_request all;

	connect_call();
	cr_assert(eq(int, ask(SP_VERB_BLOCK_MEDIA, NULL, NULL), 200));
	cr_assert(eq(int, ask(SP_VERB_BLOCK_MEDIA, "a", NULL), 200));
	cr_assert(eq(int, ask(SP_VERB_BLOCK_MEDIA, "b", "a"), 200));
	cr_expect(eq(int, ask(SP_VERB_UNBLOCK_MEDIA, "a", NULL), 200));
	cr_expect(eq(int, flags(port_a), SP_FLOW_BLOCK), "by the call's");
	cr_expect(eq(int, ask(SP_VERB_BLOCK_MEDIA, "a", NULL), 200));
	cr_expect(eq(int, ask(SP_VERB_UNBLOCK_MEDIA, NULL, NULL), 200));
	cr_expect(eq(int, flags(port_a), SP_FLOW_BLOCK), "by its own");
	cr_expect(eq(int, flags(port_b), SP_FLOW_BLOCK), "by the dialogue's");

	cr_assert(eq(int, ask(SP_VERB_BLOCK_MEDIA, NULL, NULL), 200));
	all = rig_request(SP_VERB_UNBLOCK_MEDIA, "b", NULL, NULL, NULL);
	all.all = true;
	cr_expect(eq(int, rig_ask(&r, &all), 200));
	cr_expect(eq(int, flags(port_a), 0));
	cr_expect(eq(int, flags(port_b), 0));
}

Test(media, ng_heeds_from_tag_only_when_directional)
{
	connect_call();
	cr_expect(eq(
		int, ask_ng(SP_VERB_BLOCK_MEDIA, "nobody", "b", false), 200));
	cr_expect(eq(int, flags(port_a), SP_FLOW_BLOCK));
	cr_expect(eq(int, flags(port_b), SP_FLOW_BLOCK));
	cr_expect(eq(int, ask_ng(SP_VERB_UNBLOCK_MEDIA, "b", "a", false), 200));
	cr_expect(eq(int, ask_ng(SP_VERB_BLOCK_MEDIA, "b", "a", true), 200));
	cr_expect(eq(int, flags(port_a), 0));
	cr_expect(eq(int, flags(port_b), SP_FLOW_BLOCK));
	/* Of whom events go to, ng knows nothing. */
	cr_expect(
		eq(int, ask_ng(SP_VERB_BLOCK_DTMF, "a", "nobody", true), 200));
	cr_expect(eq(int, flags(port_a), SP_FLOW_NO_DTMF));
}

Test(media, parties_are_found_by_label_and_by_address)
{
	struct sp_request request = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));

	request.label = rig_text("caller");
	cr_assert(eq(int, rig_ask(&r, &request), 200));
	port_b = rig_port(rig_got(&r), 0);
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	port_a = rig_port(rig_got(&r), 0);

	request = rig_request(SP_VERB_BLOCK_MEDIA, "b", NULL, NULL, NULL);
	request.label = rig_text("caller");
	cr_expect(eq(int, rig_ask(&r, &request), 200));
	cr_expect(eq(int, flags(port_a), SP_FLOW_BLOCK), "label comes first");
	cr_expect(eq(int, flags(port_b), 0));

	request = rig_request(SP_VERB_BLOCK_DTMF, "a", NULL, NULL, NULL);
	rig_addr(&request.address, "10.1.1.1");
	cr_expect(eq(int, rig_ask(&r, &request), 200));
	cr_expect(eq(int, flags(port_a), SP_FLOW_BLOCK));
	cr_expect(eq(int, flags(port_b), SP_FLOW_NO_DTMF), "then the address");
}

struct unknown_case {
	char from[8], to[8], label[8], to_label[8], address[16];
	char type[24];
	char ng[64];
};

ParameterizedTestParameters(media, unknown_parties_are_named)
{
	static struct unknown_case cases[] = {
		{ .label = "x",
			.type = "unknown-label",
			.ng = "No monologue matching the given label" },
		{ .address = "192.0.2.99",
			.type = "unknown-address",
			.ng = "Failed to match address to any tag" },
		{ .from = "x",
			.type = "unknown-tag",
			.ng = "From-tag given, but no such tag exists" },
		{ .from = "a",
			.to = "x",
			.type = "unknown-sink",
			.ng = "Media flow not found (to-tag not found)" },
		{ .from = "a",
			.to_label = "x",
			.type = "unknown-sink",
			.ng = "Media flow not found (to-label not found)" },
		{ .from = "a",
			.to = "a",
			.type = "unknown-sink",
			.ng = "Media flow not found (to-tag not subscribed)" },
	};

	return cr_make_param_array(
		struct unknown_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct unknown_case *tc, media, unknown_parties_are_named)
{
	struct sp_request request =
		rig_request(SP_VERB_BLOCK_MEDIA, tc->from, tc->to, NULL, NULL);

	request.label = rig_text(tc->label);
	request.to_label = rig_text(tc->to_label);
	if (tc->address[0])
		rig_addr(&request.address, tc->address);
	connect_call();
	cr_expect(eq(int, rig_ask(&r, &request), 404), "%s", tc->ng);
	cr_expect(eq(str, r.type, tc->type));
	request.door = SP_DOOR_NG;
	request.directional = true;
	cr_expect(eq(int, rig_ask(&r, &request), 404));
	cr_expect(eq(str, r.type, tc->type));
	cr_expect(eq(str, r.detail, tc->ng));
	cr_expect(eq(int, flags(port_a) | flags(port_b), 0));
}

Test(media, http_wants_a_source_for_a_sink)
{
	connect_call();
	cr_expect(eq(int, ask(SP_VERB_BLOCK_MEDIA, NULL, "b"), 400));
	cr_expect(eq(str, r.type, "missing-field"));
	cr_expect(eq(str, r.where, "from_tag"));
}

Test(media, unknown_call_is_none)
{
	cr_expect(eq(int, ask(SP_VERB_BLOCK_MEDIA, NULL, NULL), 404));
	cr_expect(eq(str, r.type, "unknown-call"));
}

/* Two branches of one caller, both answered: the last one hears it. */
static void
connect_fork(unsigned int port[2])
{
	static const char *const branch[] = { "z1", "z2" };
	static const char *const tag[] = { "b1", "b2" };

	for (unsigned int b = 0; b < 2; b++) {
		cr_assert(eq(int,
			rig_offer(&r, "a", NULL, branch[b],
				rig_sdp("192.0.2.5", 4000, "")),
			200));
		port[b] = rig_port(rig_got(&r), 0);
	}
	for (unsigned int b = 0; b < 2; b++)
		cr_assert(eq(int,
			rig_answer(&r, "a", tag[b], branch[b],
				rig_sdp("10.1.1.1", 5000 + 2 * b, "")),
			200));
	port_a = rig_port(rig_got(&r), 0);
}

Test(media, block_for_one_branch_counts_when_it_gets_the_media)
{
	unsigned int port[2];

	connect_fork(port);
	cr_expect(eq(int, ask(SP_VERB_BLOCK_MEDIA, "a", "b1"), 200));
	cr_expect(eq(sz, warnings(), 1));
	cr_expect(eq(str, (char *)warning(0),
		"tag \"b1\": another branch gets the media now: this counts "
		"from when it goes here"));
	cr_expect(eq(int, flags(port_a), 0));
	cr_expect(eq(int, rig_delete(&r, "a", "b2", NULL), 200));
	cr_expect(eq(int, flags(port_a), SP_FLOW_BLOCK));
	cr_expect(eq(int, ask(SP_VERB_UNBLOCK_MEDIA, "a", "b1"), 200));
	cr_expect(eq(int, flags(port_a), 0));
}

Test(media, block_of_one_branch_leaves_the_other_alone)
{
	unsigned int port[2];

	connect_fork(port);
	cr_expect(eq(int, ask(SP_VERB_BLOCK_MEDIA, "b1", "a"), 200));
	cr_expect(eq(sz, warnings(), 0));
	cr_expect(eq(int, flags(port[0]), SP_FLOW_BLOCK));
	cr_expect(eq(int, flags(port[1]), 0));
	cr_expect(eq(int, flags(port_a), 0));
	cr_expect(eq(int, ask(SP_VERB_BLOCK_MEDIA, "b1", "b2"), 404));
	cr_expect(eq(str, r.type, "unknown-sink"));
}

Test(media, block_outlives_a_new_offer)
{
	connect_call();
	cr_assert(eq(int, ask(SP_VERB_BLOCK_MEDIA, "a", NULL), 200));
	cr_assert(eq(int,
		rig_offer(&r, "b", "a", NULL,
			rig_sdp("10.1.1.1", 5000, "a=sendonly\r\n")),
		200));
	cr_expect(eq(int, flags(port_a), SP_FLOW_BLOCK));
	cr_assert(eq(int,
		rig_answer(&r, "b", "a", NULL,
			rig_sdp("192.0.2.5", 4000, "a=recvonly\r\n")),
		200));
	cr_expect(eq(int, flags(port_a), SP_FLOW_BLOCK));
	cr_expect(eq(int, flags(port_b), 0));
}

Test(media, block_before_the_answer_holds_for_who_answers)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	port_b = rig_port(rig_got(&r), 0);
	cr_expect(eq(int, ask(SP_VERB_BLOCK_MEDIA, NULL, NULL), 200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_expect(eq(int, flags(port_b), SP_FLOW_BLOCK));
}

Test(media, full_mailbox_changes_nothing)
{
	connect_call();
	r.dp->room = 1;
	cr_expect(eq(int, ask(SP_VERB_BLOCK_MEDIA, NULL, NULL), 503));
	cr_expect(eq(str, r.type, "worker-busy"));
	r.dp->room = FAKE_QUEUE;
	cr_expect(eq(int, flags(port_a) | flags(port_b), 0));
	r.dp->refuse_in = 2;
	cr_expect(ge(int, ask(SP_VERB_BLOCK_MEDIA, NULL, NULL), 500));
	rig_sleep(&r, 2);
	cr_expect(eq(int, flags(port_a) | flags(port_b), 0));
	cr_expect(eq(int, ask(SP_VERB_BLOCK_MEDIA, NULL, NULL), 200));
	cr_expect(eq(int, flags(port_a) & flags(port_b), SP_FLOW_BLOCK));
}

Test(media, silence_of_known_codecs_needs_no_warning)
{
	static const char *const more = "m=audio 4010 RTP/AVP 0 8 9 13 96\r\n"
					"a=rtpmap:96 telephone-event/8000\r\n";

	connect_with(more, more);
	cr_expect(eq(int, ask(SP_VERB_SILENCE_MEDIA, NULL, NULL), 200));
	cr_expect(eq(sz, warnings(), 0), "%s", warning(0));
	cr_expect(eq(int, flags(port_a), SP_FLOW_SILENCE));
	cr_expect(eq(int, rig_flow(&r, port_a)->quiet[SP_QUIET_PCMA], 8));
	cr_expect(eq(int, rig_flow(&r, port_a)->quiet[SP_QUIET_PCMU],
		SP_QUIET_NONE));
}

struct loud_case {
	char offer[128], answer[128];
	char want[160]; /* of the answerer */
};

#define IS_BLOCKED ": these are blocked instead"

ParameterizedTestParameters(media, what_can_not_be_silent_is_said_to_be_blocked)
{
	static struct loud_case cases[] = {
		{ "m=audio 4010 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n",
			"m=audio 5010 RTP/AVP 111\r\n"
			"a=rtpmap:111 opus/48000/2\r\n",
			"tag \"b\": m-line 2: no silence is known for payload "
			"types 111" IS_BLOCKED },
		{ "m=audio 4010 RTP/AVP 18 8 3\r\n",
			"m=audio 5010 RTP/AVP 8 3 18\r\n",
			"tag \"b\": m-line 2: no silence is known for payload "
			"types 3, 18" IS_BLOCKED },
		{ "m=audio 4010 RTP/AVP 18 8\r\n", "m=audio 5010 RTP/AVP 8\r\n",
			"" },
		{ "m=video 4010 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n",
			"m=video 5010 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n",
			"tag \"b\": m-line 2: no silence is known for payload "
			"types 96" IS_BLOCKED },
		{ "m=audio 4010 UDP/TLS/RTP/SAVP 8\r\n",
			"m=audio 5010 UDP/TLS/RTP/SAVP 8\r\n",
			"tag \"b\": m-line 2 is encrypted end to end: it is "
			"blocked instead of silenced" },
		{ "m=image 4010 udptl t38\r\n", "m=image 5010 udptl t38\r\n",
			"tag \"b\": m-line 2 is not RTP: it is blocked instead "
			"of silenced" },
	};

	return cr_make_param_array(
		struct loud_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct loud_case *tc, media,
	what_can_not_be_silent_is_said_to_be_blocked)
{
	connect_with(tc->offer, tc->answer);
	cr_expect(eq(int, ask(SP_VERB_SILENCE_MEDIA, "b", NULL), 200));
	cr_expect(eq(sz, warnings(), tc->want[0] ? 1 : 0), "%s", tc->offer);
	cr_expect(eq(str, (char *)warning(0), tc->want));
	cr_expect(eq(int, ask(SP_VERB_UNSILENCE_MEDIA, "b", NULL), 200));
	cr_expect(eq(sz, warnings(), 0));
}

Test(media, tag_that_is_long_or_no_text_is_fit_for_a_warning)
{
	const char *line = "m=audio 4010 RTP/AVP 18\r\n";
	char tag[201];

	memset(tag, '\xff', 200);
	tag[200] = '\0';
	cr_assert(eq(int,
		rig_offer(
			&r, tag, NULL, NULL, rig_sdp("192.0.2.5", 4000, line)),
		200));
	cr_expect(eq(int, ask(SP_VERB_SILENCE_MEDIA, tag, NULL), 200));
	cr_expect(eq(sz, warnings(), 1));
	cr_expect(ne(ptr, strstr(warning(0), "payload types 18"), NULL));
}
