/* SPDX-License-Identifier: BSD-3-Clause */
/* Replies in rtpengine's layout, as proxies' statistics variables read it. */
#include <time.h>

#include "tests/control/rig_call.h"

TestSuite(reply_ng, .init = open_rig, .fini = close_rig);

static int
ask(enum sp_verb verb, const char *from, const char *to, uint32_t limit)
{
	struct sp_request request = rig_request(verb, from, to, NULL, NULL);

	request.door = SP_DOOR_NG;
	request.limit = limit;
	return rig_ask(&r, &request);
}

static json_t *
tag(const char *name)
{
	return json_object_get(json_object_get(r.body, "tags"), name);
}

/* Stream @n of the first m= line of @name. */
static json_t *
stream(const char *name, size_t n)
{
	json_t *medias = json_object_get(tag(name), "medias");

	return json_array_get(
		json_object_get(json_array_get(medias, 0), "streams"), n);
}

static json_int_t
number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static const char *
word(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

/* The words of an array, with blanks between them. */
static const char *
words(const json_t *object, const char *key)
{
	static char out[200];
	const json_t *array = json_object_get(object, key);

	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(array); i++) {
		strcat(out, i > 0 ? " " : "");
		strcat(out, json_string_value(json_array_get(array, i)));
	}
	return out;
}

static void
hear(unsigned int port, int packets)
{
	while (packets-- > 0)
		fake_media(r.dp, 0, fake_find(r.dp, 0, (uint16_t)port));
}

Test(reply_ng, times_are_those_of_the_wall_clock)
{
	const time_t before = time(NULL);

	connect_call();
	rig_sleep(&r, 5);
	cr_assert(eq(int, ask(SP_VERB_QUERY, NULL, NULL, 0), 200));
	/* The fake data plane's 5 seconds took no time: they lie ahead. */
	cr_expect(ge(long, number(r.body, "created"), before - 6));
	cr_expect(le(long, number(r.body, "created"), time(NULL)));
	cr_expect(ge(long, number(r.body, "created_us"), 0));
	cr_expect(lt(long, number(r.body, "created_us"), 1000000));
	cr_expect(eq(long, number(r.body, "last signal"),
		number(r.body, "created")));
	cr_expect(eq(
		long, number(tag("a"), "created"), number(r.body, "created")));
	cr_expect(eq(long, number(stream("a", 0), "last packet"),
		number(r.body, "created")));
	cr_expect(eq(sz, json_object_size(json_object_get(r.body, "SSRC")), 0));
}

Test(reply_ng, streams_say_what_came_and_from_whom)
{
	const json_t *s;

	connect_call();
	hear(port_a, 98);
	hear(port_a + 1, 2);
	cr_assert(eq(int, ask(SP_VERB_QUERY, NULL, NULL, 0), 200));
	s = stream("a", 0);
	cr_expect(eq(long, number(s, "local port"), port_a));
	cr_expect(eq(str, (char *)word(s, "local address"), "203.0.113.10"));
	cr_expect(eq(str, (char *)word(s, "family"), "IPv4"));
	cr_expect(
		eq(str, (char *)word(json_object_get(s, "endpoint"), "address"),
			"192.0.2.5"));
	cr_expect(eq(long,
		number(json_object_get(s, "advertised endpoint"), "port"),
		4000));
	cr_expect(eq(str, (char *)words(s, "flags"), "RTP filled confirmed"));
	cr_expect(eq(long, number(s, "SSRC"), 0));
	cr_expect(eq(long, number(json_object_get(s, "stats"), "packets"), 98));
	cr_expect(eq(
		long, number(json_object_get(s, "stats"), "bytes"), 98 * 172));
	s = stream("a", 1);
	cr_expect(eq(long, number(s, "local port"), port_a + 1));
	cr_expect(eq(str, (char *)words(s, "flags"), "RTCP filled confirmed"));
	cr_expect(
		eq(str, (char *)words(stream("b", 0), "flags"), "RTP filled"));

	s = json_object_get(r.body, "totals");
	cr_expect(eq(long, number(json_object_get(s, "RTP"), "packets"), 98));
	cr_expect(eq(long, number(json_object_get(s, "RTCP"), "packets"), 2));
}

Test(reply_ng, ssrc_has_the_mos_times_ten)
{
	const json_t *ssrc, *average;

	connect_call();
	hear(port_a, 98);
	cr_assert(eq(int, ask(SP_VERB_QUERY, NULL, NULL, 0), 200));
	ssrc = json_object_get(json_object_get(r.body, "SSRC"), "0");
	cr_expect(eq(long, number(ssrc, "packets"), 98));
	cr_expect(eq(long, number(ssrc, "cumulative loss"), 2));
	average = json_object_get(ssrc, "average MOS");
	cr_expect(eq(long, number(average, "MOS"), 43));
	cr_expect(eq(long, number(average, "jitter"), 2));
	cr_expect(eq(long, number(average, "packet loss"), 2));
	cr_expect(eq(long, number(average, "samples"), 1));
	cr_expect(eq(ptr, json_object_get(average, "round-trip time"), NULL));
}

/* Proxies have variables for them, and for when that was. */
Test(reply_ng, one_sample_is_the_lowest_and_the_highest_mos)
{
	static const char *const keys[] = { "lowest MOS", "highest MOS" };

	connect_call();
	hear(port_a, 98);
	cr_assert(eq(int, ask(SP_VERB_QUERY, NULL, NULL, 0), 200));
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const json_t *mos = json_object_get(
			json_object_get(json_object_get(r.body, "SSRC"), "0"),
			keys[i]);

		cr_expect(eq(long, number(mos, "MOS"), 43));
		cr_expect(eq(long, number(mos, "jitter"), 2));
		cr_expect(eq(long, number(mos, "packet loss"), 2));
		cr_expect(eq(long, number(mos, "reported at"),
			number(stream("a", 0), "last packet")));
	}
}

Test(reply_ng, medias_have_the_words_of_their_sdp)
{
	json_t *media;

	connect_with("a=sendonly\r\n", "a=recvonly\r\n");
	cr_assert(eq(int, ask(SP_VERB_QUERY, NULL, NULL, 0), 200));
	media = json_array_get(json_object_get(tag("a"), "medias"), 0);
	cr_expect(eq(long, number(media, "index"), 1));
	cr_expect(eq(str, (char *)word(media, "type"), "audio"));
	cr_expect(eq(str, (char *)word(media, "protocol"), "RTP/AVP"));
	cr_expect(eq(str, (char *)words(media, "flags"), "initialized recv"));
	media = json_array_get(json_object_get(tag("b"), "medias"), 0);
	cr_expect(eq(str, (char *)words(media, "flags"), "initialized send"));
	cr_expect(eq(str,
		(char *)word(
			json_array_get(
				json_object_get(tag("a"), "subscriptions"), 0),
			"tag"),
		"b"));
	cr_expect(eq(str,
		(char *)word(
			json_array_get(
				json_object_get(tag("a"), "subscribers"), 0),
			"type"),
		"offer/answer"));
}

Test(reply_ng, who_has_no_tag_yet_has_an_empty_one)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z1", rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z2", rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_assert(eq(int, ask(SP_VERB_QUERY, NULL, NULL, 0), 200));
	cr_expect(eq(sz, json_object_size(json_object_get(r.body, "tags")), 3));
	cr_expect(eq(str, (char *)word(tag(""), "via-branch"), "z1"));
	cr_expect(
		eq(str, (char *)word(tag("<untagged 2>"), "via-branch"), "z2"));
}

Test(reply_ng, query_by_tag_shows_its_dialogue_only)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z1", rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z2", rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", "z1", rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "c", "z2", rig_sdp("10.1.1.2", 5000, "")),
		200));
	hear(rig_port(rig_got(&r), 0), 7);
	cr_assert(eq(int, ask(SP_VERB_QUERY, "a", NULL, 0), 200));
	cr_expect(eq(sz, json_object_size(json_object_get(r.body, "tags")), 3));
	cr_assert(eq(int, ask(SP_VERB_QUERY, "a", "c", 0), 200));
	cr_expect(eq(sz, json_object_size(json_object_get(r.body, "tags")), 2));
	cr_expect(not(eq(ptr, tag("c"), NULL)));
	/* The reports of those who are not shown are not taken for theirs. */
	cr_expect(eq(long,
		number(json_object_get(stream("a", 0), "stats"), "packets"),
		7));
	cr_expect(eq(str,
		(char *)word(
			json_object_get(stream("c", 0), "advertised endpoint"),
			"address"),
		"10.1.1.2"));
	cr_assert(eq(int, ask(SP_VERB_QUERY, "nobody", NULL, 0), 200));
	cr_expect(eq(sz, json_object_size(json_object_get(r.body, "tags")), 0));
}

Test(reply_ng, delete_tells_the_same_as_query)
{
	connect_call();
	hear(port_a, 5);
	hear(port_b, 6);
	cr_assert(eq(int, ask(SP_VERB_DELETE, NULL, NULL, 0), 200));
	cr_expect(eq(long,
		number(json_object_get(
			       json_object_get(r.body, "totals"), "RTP"),
			"packets"),
		11));
	cr_expect(not(eq(ptr, tag("b"), NULL)));
	cr_expect(eq(int, ask(SP_VERB_QUERY, NULL, NULL, 0), 404));
}

Test(reply_ng, list_has_ids_up_to_its_limit)
{
	char id[24];

	for (int i = 0; i < 5; i++) {
		struct sp_request request = rig_request(SP_VERB_OFFER, "a",
			NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));

		snprintf(id, sizeof id, "call-%d", i);
		request.call_id = rig_text(id);
		cr_assert(eq(int, rig_ask(&r, &request), 200));
	}
	cr_assert(eq(int, ask(SP_VERB_LIST, NULL, NULL, 3), 200));
	cr_expect(eq(sz, json_array_size(json_object_get(r.body, "calls")), 3));
	cr_assert(eq(int, ask(SP_VERB_LIST, NULL, NULL, 0), 200));
	cr_expect(eq(sz, json_array_size(json_object_get(r.body, "calls")), 5));
	cr_expect(eq(int,
		json_is_string(
			json_array_get(json_object_get(r.body, "calls"), 4)),
		1));
}

Test(reply_ng, statistics_have_the_sections_of_rtpengine)
{
	const json_t *all, *interface;

	connect_call();
	cr_assert(eq(int, ask(SP_VERB_DELETE, NULL, NULL, 0), 200));
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_assert(eq(int, ask(SP_VERB_STATISTICS, NULL, NULL, 0), 200));
	all = json_object_get(r.body, "statistics");
	cr_expect(eq(long,
		number(json_object_get(all, "currentstatistics"),
			"sessionstotal"),
		1));
	cr_expect(eq(long,
		number(json_object_get(all, "totalstatistics"),
			"managedsessions"),
		2));
	cr_expect(eq(long,
		number(json_object_get(all, "totalstatistics"),
			"regularterminatedsessions"),
		1));
	cr_expect(eq(long,
		number(json_object_get(all, "controlstatistics"),
			"totaloffercount"),
		2));
	interface = json_array_get(json_object_get(all, "interfaces"), 2);
	cr_expect(eq(str, (char *)word(interface, "name"), "in"));
	cr_expect(eq(str, (char *)word(interface, "address"), "10.9.0.1"));
	cr_expect(eq(
		long, number(json_object_get(interface, "ports"), "used"), 2));
	cr_expect(eq(long, number(json_object_get(interface, "ports"), "min"),
		40000));
}
