/* SPDX-License-Identifier: BSD-3-Clause */
/* Cookies, framing, the reply cache: whatever the command is. */
#include "ng_lab.h"

TestSuite(ng, .init = open_ng, .fini = close_ng);

/* Arrays, no pointers: Criterion copies each case into another process. */
struct say_case {
	char message[120];
	char reply[160];
};

static struct say_case say_cases[] = {
	{ "c d7:command4:pinge", "c d6:result4:ponge" },
	{ "c {\"command\":\"ping\"}", "c {\"result\":\"pong\"}" },
	{ "c {\"command\":\"PING\"} \n", "c {\"result\":\"pong\"}" },
	{ "1_2957_3 d7:command4:pinge", "1_2957_3 d6:result4:ponge" },

	/* without a cookie there is silence */
	{ "", "" },
	{ " ", "" },
	{ " d7:command4:pinge", "" },
	{ "d7:command4:pinge", "" },
	{ "cookie", "" },
	{ "{\"command\":\"ping\"}", "" },

	{ "c ",
		"c d6:result5:error12:error-reason25:"
		"Invalid data (no payload)e" },
	{ "c ping",
		"c d6:result5:error12:error-reason22:"
		"Invalid NG data formate" },
	{ "c  d7:command4:pinge",
		"c d6:result5:error12:error-reason22:"
		"Invalid NG data formate" },
	{ "c [1]",
		"c d6:result5:error12:error-reason22:"
		"Invalid NG data formate" },
	{ "c d7:command",
		"c d6:result5:error12:error-reason35:"
		"Could not decode bencode dictionarye" },
	{ "c {\"command\":",
		"c {\"result\":\"error\",\"error-reason\":"
		"\"Failed to parse JSON document\"}" },
	{ "c {} {}",
		"c {\"result\":\"error\",\"error-reason\":"
		"\"Failed to parse JSON document\"}" },
	{ "c de",
		"c d6:result5:error12:error-reason36:"
		"Dictionary contains no key \"command\"e" },
	{ "c d7:commandi1ee",
		"c d6:result5:error12:error-reason36:"
		"Dictionary contains no key \"command\"e" },
	{ "c {}",
		"c {\"result\":\"error\",\"error-reason\":\"Dictionary"
		" contains no key \\\"command\\\"\"}" },
	{ "c d7:command0:e",
		"c d6:result5:error12:error-reason20:"
		"Unrecognized commande" },
	{ "c d7:command6:offersee",
		"c d6:result5:error12:error-reason20:"
		"Unrecognized commande" },
	{ "c d7:command10:play mediae",
		"c d6:result5:error12:error-reason31:"
		"unsupported command: play mediae" },
	{ "c {\"command\":\"Start_Recording\"}",
		"c {\"result\":\"error\",\"error-reason\":"
		"\"unsupported command: start recording\"}" },
	{ "c {\"command\":\"subscribe-request\"}",
		"c {\"result\":\"error\",\"error-reason\":"
		"\"unsupported command: subscribe request\"}" },
	{ "c {\"command\":\"play dtmf\"}",
		"c {\"result\":\"error\",\"error-reason\":"
		"\"unsupported command: play DTMF\"}" },
};

ParameterizedTestParameters(ng, say_answers)
{
	return cr_make_param_array(struct say_case, say_cases,
		sizeof say_cases / sizeof *say_cases);
}

ParameterizedTest(struct say_case *tc, ng, say_answers)
{
	cr_expect(eq(str, say(tc->message), tc->reply));
	cr_expect(eq(uint, fake.asked, 0));
}

Test(ng, a_cookie_has_a_limit)
{
	char message[SP_NG_COOKIE_MAX + 32];

	memset(message, 'c', sizeof message);
	strcpy(message + 255, " d7:command4:pinge");
	cr_expect(eq(sz, strlen(say(message)), 255 + 17));
	memset(message, 'c', sizeof message);
	strcpy(message + 256, " d7:command4:pinge");
	cr_expect(eq(str, say(message), ""));
	cr_expect(eq(u64, fake.counts.no_cookie, 1));
}

Test(ng, a_request_is_passed_on_and_answered_in_its_encoding)
{
	cr_expect(eq(str, say("c " OFFER_BODY),
		"c d6:result2:ok3:sdp5:v=0\r\n4:fakei1ee"));
	cr_expect(eq(int, fake.verb, SP_VERB_OFFER));
	cr_expect(eq(int, fake.door, SP_DOOR_NG));
	cr_expect(eq(str, fake.call_id, "c"));
	cr_expect(eq(u64, fake.began_us, 1000000));
	cr_expect(eq(str, say("d " OFFER_JSON),
		"d {\"result\":\"ok\",\"sdp\":\"v=0\\r\\n\",\"fake\":true}"));
	cr_expect(eq(uint, fake.asked, 2));
}

Test(ng, spelling_of_commands_does_not_matter)
{
	static const char *const commands[] = { "block media", "block-media",
		"block_media", "Block Media", "BLOCK-MEDIA" };

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		char message[100];

		snprintf(message, sizeof message,
			"%zu {\"command\":\"%s\",\"call-id\":\"c\"}", i,
			commands[i]);
		say(message);
		cr_expect(eq(uint, fake.asked, i + 1), "%s", commands[i]);
		cr_expect(eq(int, fake.verb, SP_VERB_BLOCK_MEDIA));
	}
}

Test(ng, the_same_message_is_done_once)
{
	char first[LAB_TEXT];

	strcpy(first, say("c " OFFER_BODY));
	cr_expect(eq(str, say("c " OFFER_BODY), first));
	cr_expect(eq(uint, fake.asked, 1));
	cr_expect(eq(u64, fake.counts.replayed, 1));
}

Test(ng, another_body_under_the_cookie_is_another_request)
{
	say("c " OFFER_BODY);
	cr_expect(eq(str, say("c {\"command\":\"list\"}"),
		"c {\"result\":\"ok\",\"sdp\":\"v=0\\r\\n\",\"fake\":true}"));
	cr_expect(eq(uint, fake.asked, 2));
	cr_expect(eq(int, fake.verb, SP_VERB_LIST));
	say("c " OFFER_BODY); /* whose reply has been replaced */
	cr_expect(eq(uint, fake.asked, 3));
}

Test(ng, another_client_with_the_cookie_asks_for_itself)
{
	const struct sp_ng_path other = path_of(1, 1000);

	say("c " OFFER_BODY);
	cr_expect(sp_ng_take(
		ng, &other, "c " OFFER_BODY, strlen("c " OFFER_BODY)));
	cr_expect(eq(uint, fake.asked, 2));
	cr_expect(eq(int, sent.to[1], 1));
}

Test(ng, a_reply_is_forgotten_after_a_minute)
{
	cr_expect(say_at(1000, "c " OFFER_BODY));
	cr_expect(say_at(60999, "c " OFFER_BODY));
	cr_expect(eq(uint, fake.asked, 1));
	cr_expect(say_at(61000, "c " OFFER_BODY));
	cr_expect(eq(uint, fake.asked, 2));
	sp_ng_tick(ng, 61000 + 60000);
	cr_expect(eq(u64, fake.counts.cache_entries, 0));
}

Test(ng, a_message_that_had_to_wait_turns_no_clock_back)
{
	cr_expect(say_at(5000, "c " OFFER_BODY));
	cr_expect(say_at(4000, "d " OFFER_BODY));
	cr_expect(say_at(5000, "c " OFFER_BODY));
	cr_expect(eq(uint, fake.asked, 2));
	cr_expect(eq(u64, fake.counts.cache_entries, 2));
}

Test(ng, duplicates_of_one_in_progress_get_its_reply)
{
	static const char message[] = "c " OFFER_BODY;

	fake.later = true;
	for (int i = 0; i < 4; i++) {
		struct sp_ng_path path = path_of(0, 1000);

		path.arg = &who[i];
		cr_expect(sp_ng_take(ng, &path, message, strlen(message)));
	}
	cr_expect(not(say_at(1000, message)), "there is a limit");
	cr_expect(eq(uint, fake.asked, 1));
	cr_expect(eq(uint, sent.count, 0));
	cr_expect(eq(u64, fake.counts.duplicates, 3));
	cr_expect(eq(u64, fake.counts.surplus, 1));
	fake_answer_all();
	cr_assert(eq(uint, sent.count, 4));
	for (int i = 0; i < 4; i++) {
		cr_expect(eq(int, sent.to[i], i));
		cr_expect(eq(str, sent.text[i],
			"c d6:result2:ok3:sdp5:v=0\r\n4:fakei1ee"));
	}
	say(message);
	cr_expect(eq(uint, fake.asked, 1));
}

Test(ng, one_in_progress_does_not_answer_another_body)
{
	fake.later = true;
	cr_expect(say_at(1000, "c " OFFER_BODY));
	cr_expect(say_at(1000, "c {\"command\":\"list\"}"));
	cr_expect(eq(uint, fake.asked, 2));
	fake_answer_all();
	cr_assert(eq(uint, sent.count, 2));
	cr_expect(eq(chr, sent.text[0][2], '{'));
	cr_expect(eq(chr, sent.text[1][2], 'd'));
	say("c {\"command\":\"list\"}");
	cr_expect(eq(uint, fake.asked, 2));
}

Test(ng, a_ping_is_never_a_reply_that_is_kept)
{
	say("c d7:command4:pinge");
	cr_expect(eq(u64, fake.counts.cache_entries, 0));
	cr_expect(eq(u64, fake.counts.pings, 1));
}

static size_t
pong(const char *message, char out[SP_NG_PONG_MAX + 1])
{
	const size_t len = sp_ng_pong(ng, message, strlen(message), out);

	out[len] = '\0';
	return len;
}

Test(ng, only_pings_have_pongs)
{
	static const char *const others[] = { "", "c", "c ", " d", "ping",
		"c ping", "d7:command4:pinge", "c d7:command5:offere",
		"c d7:command5:offer7:call-id4:pinge",
		"c {\"command\":\"list\",\"x\":\"ping\"}", "c {\"ping\":1}",
		"c d4:ping4:pinge", "c d7:command4:ping" };
	char out[SP_NG_PONG_MAX + 1];

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		cr_expect(eq(sz, pong(others[i], out), 0), "%s", others[i]);
	cr_expect(gt(sz, pong("c d7:command4:pinge", out), 0));
	cr_expect(eq(str, out, "c d6:result4:ponge"));
	cr_expect(gt(sz,
		pong("c d8:supportsl10:load limite7:command4:pinge", out), 0));
	cr_expect(eq(str, out, "c d6:result4:ponge"));
	cr_expect(gt(sz, pong("x {\"command\":\"ping\",\"a\":[1]}", out), 0));
	cr_expect(eq(str, out, "x {\"result\":\"pong\"}"));
}

Test(ng, the_longest_cookie_has_room_in_a_pong)
{
	char message[SP_NG_COOKIE_MAX + 40];
	char out[SP_NG_PONG_MAX + 1];

	memset(message, 'c', 255);
	strcpy(message + 255, " {\"command\":\"ping\"}");
	cr_expect(eq(sz, pong(message, out), 256 + 17));
	cr_expect(eq(str, out + 255, " {\"result\":\"pong\"}"));
}

Test(ng, a_bare_dictionary_needs_no_cookie_and_is_done_each_time)
{
	const struct sp_ng_path path = path_of(0, 1000);

	for (int i = 0; i < 2; i++)
		sp_ng_take_bare(ng, &path, OFFER_JSON, strlen(OFFER_JSON));
	cr_expect(eq(uint, fake.asked, 2));
	cr_expect(eq(str, sent.text[0],
		"{\"result\":\"ok\",\"sdp\":\"v=0\\r\\n\",\"fake\":true}"));
	cr_expect(eq(u64, fake.counts.cache_entries, 0));
}

Test(ng, an_ice_fragment_is_fine_and_changes_nothing)
{
	cr_expect(eq(str,
		say("c {\"command\":\"offer\",\"call-id\":\"c\",\"from-tag\":"
		    "\"f\",\"sdp\":\"a=x\",\"flags\":[\"fragment\"]}"),
		"c {\"result\":\"ok\"}"));
	cr_expect(eq(uint, fake.asked, 0));
}
