/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "relay/sdp.h"

/* The session that a body must have at least. */
#define OWN "v=0\no=- 1 2 IN IP4 ::\nt=0 0\n"

#define SESSION                                                                \
	"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"                           \
	"c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define SESSION_LINES 5
#define AUDIO "m=audio 4000 RTP/AVP 0 8\r\n"

static struct sp_sdp sdp;
static struct sp_sdp_error error;

static enum sp_status
parse(const char *body)
{
	return sp_sdp_parse(body, strlen(body), &error, &sdp);
}

/* Is the piece of the body this text? */
static bool
text_is(struct sp_sdp_text text, const char *want)
{
	return text.len == strlen(want) && memcmp(text.at, want, text.len) == 0;
}

static bool
addr_is(const struct sp_addr *addr, const char *want)
{
	char text[SP_ADDR_TEXT];

	return strcmp(sp_addr_print(addr, text), want) == 0;
}

/* The session above, then these lines; the error is at @line of them. */
struct line_case {
	char name[40];
	char lines[96];
	enum sp_status want;
	uint32_t line;
};

/* clang-format off */
static struct line_case line_cases[] = {
	{ "no m= at all", "", SP_OK, 0 },
	{ "audio", AUDIO, SP_OK, 0 },
	{ "highest port", "m=audio 65535 RTP/AVP 0\r\n", SP_OK, 0 },
	{ "port too high", "m=audio 65536 RTP/AVP 0\r\n",
		SP_MALFORMED, 1 },
	{ "port beyond any integer",
		"m=audio 18446744073709551617 RTP/AVP 0\r\n",
		SP_MALFORMED, 1 },
	{ "negative port", "m=audio -1 RTP/AVP 0\r\n",
		SP_MALFORMED, 1 },
	{ "port with a sign", "m=audio +1 RTP/AVP 0\r\n",
		SP_MALFORMED, 1 },
	{ "no port", "m=audio\r\n", SP_MALFORMED, 1 },
	{ "no type", "m=\r\n", SP_MALFORMED, 1 },
	{ "no protocol", "m=audio 4000\r\n", SP_MALFORMED, 1 },
	{ "no formats", "m=audio 4000 RTP/AVP\r\n", SP_MALFORMED, 1 },
	{ "refused, no formats", "m=audio 0 RTP/AVP\r\n", SP_OK, 0 },
	{ "one port", "m=audio 4000/1 RTP/AVP 0\r\n", SP_OK, 0 },
	{ "two ports", "m=audio 4000/2 RTP/AVP 0\r\n",
		SP_UNSUPPORTED, 1 },
	{ "no count", "m=audio 4000/x RTP/AVP 0\r\n",
		SP_MALFORMED, 1 },
	{ "highest payload type", "m=audio 4000 RTP/AVP 127\r\n",
		SP_OK, 0 },
	{ "payload type too high", "m=audio 4000 RTP/AVP 128\r\n",
		SP_MALFORMED, 1 },
	{ "any format of data", "m=image 4000 udptl t38\r\n",
		SP_OK, 0 },
	{ "a=rtcp", AUDIO "a=rtcp:4001\r\n", SP_OK, 0 },
	{ "a=rtcp with nothing", AUDIO "a=rtcp:\r\n", SP_OK, 0 },
	{ "a=rtcp of no number", AUDIO "a=rtcp:x\r\n", SP_OK, 0 },
	{ "a=rtcp too high", AUDIO "a=rtcp:65536\r\n", SP_OK, 0 },
	{ "a=rtcp with half an address", AUDIO "a=rtcp:1 IN IP4\r\n",
		SP_OK, 0 },
	{ "a=rtcp with a wrong family",
		AUDIO "a=rtcp:1 IN IP6 192.0.2.1\r\n", SP_OK, 0 },
	{ "a=rtcp with a name", AUDIO "a=rtcp:1 IN IP4 a.example\r\n",
		SP_OK, 0 },
	{ "two c= in one m=",
		AUDIO "c=IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\n",
		SP_MALFORMED, 3 },
	{ "c= of two m=", AUDIO "c=IN IP4 192.0.2.1\r\n"
		AUDIO "c=IN IP4 192.0.2.1\r\n", SP_OK, 0 },
	{ "c= with a TTL", AUDIO "c=IN IP4 224.0.0.9/127\r\n",
		SP_UNSUPPORTED, 2 },
	{ "c= with a name", AUDIO "c=IN IP4 a.example\r\n",
		SP_MALFORMED, 2 },
	{ "c= of an unknown net", AUDIO "c=ATM NSAP 47\r\n",
		SP_MALFORMED, 2 },
	{ "c= with nothing", AUDIO "c=\r\n", SP_MALFORMED, 2 },
	{ "c= with too much", AUDIO "c=IN IP4 192.0.2.1 x\r\n",
		SP_MALFORMED, 2 },
	{ "o= after m=", AUDIO "o=- 1 2 IN IP4 192.0.2.1\r\n",
		SP_MALFORMED, 2 },
	{ "v= again", AUDIO "v=0\r\n", SP_MALFORMED, 2 },
	{ "no equals sign", AUDIO "abc\r\n", SP_MALFORMED, 2 },
	{ "a letter alone", AUDIO "a", SP_MALFORMED, 2 },
	{ "a capital letter", AUDIO "A=sendrecv\r\n",
		SP_MALFORMED, 2 },
	{ "a blank first", AUDIO " a=sendrecv\r\n", SP_MALFORMED, 2 },
	{ "an empty line inside", "\r\n" AUDIO, SP_MALFORMED, 1 },
	{ "empty lines at the end", AUDIO "\r\n\n\r\n", SP_OK, 0 },
	{ "no line end", AUDIO "a=ptime:20", SP_OK, 0 },
	{ "return in a name", AUDIO "a=x\ry\r\n", SP_MALFORMED, 2 },
	{ "return in a value", AUDIO "a=x:1\r2\r\n",
		SP_MALFORMED, 2 },
	{ "return twice", AUDIO "a=x\r\r\n", SP_MALFORMED, 2 },
	{ "unknown letters", AUDIO "x=1\r\nk=clear:1\r\n", SP_OK, 0 },
	{ "rtpmap that is none", AUDIO "a=rtpmap:x\r\na=rtpmap:\r\n"
		"a=rtpmap:0 PCMU/-1\r\na=ptime:-1\r\n", SP_OK, 0 },
};
/* clang-format on */

ParameterizedTestParameters(sdp_parse, lines_are_judged)
{
	return cr_make_param_array(struct line_case, line_cases,
		sizeof line_cases / sizeof *line_cases);
}

ParameterizedTest(struct line_case *tc, sdp_parse, lines_are_judged)
{
	char body[512];

	snprintf(body, sizeof body, SESSION "%s", tc->lines);
	cr_expect(eq(int, parse(body), tc->want), "%s", tc->name);
	if (tc->want == SP_OK)
		return;
	cr_expect(error.line == SESSION_LINES + tc->line, "%s: line %u",
		tc->name, error.line);
	cr_expect(error.reason != NULL, "%s", tc->name);
}

/* Whole bodies, where the first lines are what matters. */
struct body_case {
	char name[32];
	char body[96];
	size_t len; /* 0: it is a string */
	enum sp_status want;
};

ParameterizedTestParameters(sdp_parse, bodies_are_judged)
{
	/* clang-format off */
	static struct body_case cases[] = {
		{ "shortest", "v=0\no=- 1 2 IN IP4 ::\nt=", 0, SP_OK },
		{ "no o=", "v=0\ns=-\nt=0 0\n", 0, SP_MALFORMED },
		{ "no t=", "v=0\no=- 1 2 IN IP4 ::\n", 0, SP_MALFORMED },
		{ "empty line", "\r\n", 0, SP_MALFORMED },
		{ "version 1", "v=1\r\n", 0, SP_MALFORMED },
		{ "version twice", "v=\nv=0\n", 0, SP_MALFORMED },
		{ "not v= first", "s=-\r\nv=0\r\n", 0, SP_MALFORMED },
		{ "two o=", OWN "o=- 1 2 IN IP4 ::\n", 0,
			SP_MALFORMED },
		{ "o= with five fields", "v=0\no=- 1 2 IN IP4\n", 0,
			SP_MALFORMED },
		{ "o= with nothing", "v=0\no=\n", 0, SP_MALFORMED },
		{ "two s=", OWN "s=-\ns=-\n", 0, SP_MALFORMED },
		{ "two c=", OWN "c=IN IP6 ::1\nc=IN IP6 ::1\n", 0,
			SP_MALFORMED },
		{ "m= without c=", OWN "m=audio 1 RTP/AVP 0\n", 0,
			SP_MALFORMED },
		{ "refused m= without c=", OWN "m=audio 0 RTP/AVP 0\n", 0,
			SP_OK },
		{ "TCP without c=", OWN "m=message 1 TCP/MSRP *\n", 0,
			SP_MALFORMED },
		{ "NUL in a value", OWN "s=a\0b\n", sizeof OWN + 5,
			SP_MALFORMED },
		{ "NUL for a letter", OWN "\0=1\n", sizeof OWN + 3,
			SP_MALFORMED },
		{ "NUL after the end", OWN "\0", sizeof OWN, SP_MALFORMED },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct body_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct body_case *tc, sdp_parse, bodies_are_judged)
{
	const size_t len = tc->len ? tc->len : strlen(tc->body);

	cr_expect(eq(int, sp_sdp_parse(tc->body, len, &error, &sdp), tc->want),
		"%s", tc->name);
}

Test(sdp_parse, empty_body_is_refused)
{
	cr_expect(eq(int, parse(""), SP_MALFORMED));
}

Test(sdp_parse, failure_leaves_the_output_alone)
{
	cr_assert(eq(int, parse(SESSION AUDIO), SP_OK));
	cr_assert(eq(int, parse(OWN "m=audio 1\r\n"), SP_MALFORMED));
	cr_expect(eq(int, sdp.media_count, 1));
	cr_expect(addr_is(&sdp.media[0].addr, "192.0.2.1:4000"));
}

Test(sdp_parse, session_fields_are_slices_of_the_body)
{
	static const char body[] = "v=0\n"
				   "o=Big Al 11 22 IN IP6 [2001:db8::9]\n"
				   "c=IN IP6 2001:db8::1\n"
				   "t=0 0\n"
				   "a=group:BUNDLE 0 1\n"
				   "a=ice-lite\n"
				   "a=fingerprint:sha-256 AA:BB\n"
				   "a=inactive\n"
				   "m=audio 4000 RTP/AVP 0\n"
				   "\n";

	cr_assert(eq(int, parse(body), SP_OK));
	cr_expect(text_is(sdp.origin, "Big Al 11 22"));
	cr_expect(text_is(sdp.connection, "IN IP6 2001:db8::1"));
	cr_expect(addr_is(&sdp.addr, "[2001:db8::1]:0"));
	cr_expect(sdp.session.at == body);
	cr_expect(sdp.session.at + sdp.session.len == strstr(body, "m="));
	cr_expect(eq(sz, sdp.body.len, sizeof body - 2));
	cr_expect(not(sdp.crlf));
	cr_expect(eq(int, sdp.direction, SP_SDP_INACTIVE));
	cr_expect(eq(u32, sdp.attrs,
		1u << SP_SDP_ATTR_BUNDLE | 1u << SP_SDP_ATTR_ICE |
			1u << SP_SDP_ATTR_FINGERPRINT |
			1u << SP_SDP_ATTR_DIRECTION));
	cr_expect(eq(int, sdp.media[0].direction, SP_SDP_INACTIVE));
}

Test(sdp_parse, media_fields_are_read)
{
	const struct sp_sdp_media *m = &sdp.media[1];

	cr_assert(eq(int,
		parse(SESSION AUDIO "a=sendonly\r\n"
				    "m=video 5000 RTP/SAVPF 96 31 127\r\n"
				    "c=IN IP4 192.0.2.7\r\n"
				    "a=rtcp:5009 IN IP4 192.0.2.8\r\n"
				    "a=rtcp-mux\r\n"
				    "a=rtpmap:96 H264/90000\r\n"
				    "a=ptime:30\r\n"),
		SP_OK));
	cr_expect(eq(int, sdp.media_count, 2));
	cr_expect(sdp.crlf);
	cr_expect(text_is(m->type, "video"));
	cr_expect(text_is(m->proto, "RTP/SAVPF"));
	cr_expect(text_is(m->formats, "96 31 127"));
	cr_expect(text_is(m->connection, "IN IP4 192.0.2.7"));
	cr_expect(addr_is(&m->addr, "192.0.2.7:5000"));
	cr_expect(addr_is(&m->rtcp, "192.0.2.8:5009"));
	cr_expect(eq(u64, m->payload_types[0], UINT64_C(1) << 31));
	cr_expect(eq(u64, m->payload_types[1],
		UINT64_C(1) << (96 - 64) | UINT64_C(1) << 63));
	cr_expect(eq(u32, m->clock_hz, 90000));
	cr_expect(eq(int, m->ptime_ms, 30));
	cr_expect(eq(u32, m->line, SESSION_LINES + 3));
	cr_expect(eq(int, m->kind, SP_MEDIA_RTP));
	cr_expect(m->secure);
	cr_expect(eq(int, m->direction, SP_SDP_SENDRECV));
	cr_expect(m->attrs >> SP_SDP_ATTR_RTCP_MUX & 1);
	cr_expect(eq(int, sdp.media[0].direction, SP_SDP_SENDONLY));
	cr_expect(addr_is(&sdp.media[0].addr, "192.0.2.1:4000"));
	cr_expect(eq(sz, sdp.media[0].connection.len, 0));
	cr_expect(eq(int, sdp.media[0].rtcp.family, SP_FAMILY_NONE));
	cr_expect(eq(int, sdp.media[0].attrs, 1u << SP_SDP_ATTR_DIRECTION));
}

/* A protocol, and the kind of media it makes. */
struct kind_case {
	char proto[24];
	enum sp_media_kind kind;
	bool secure;
};

ParameterizedTestParameters(sdp_parse, protocol_decides_the_kind)
{
	static struct kind_case cases[] = {
		{ "RTP/AVP", SP_MEDIA_RTP, false },
		{ "RTP/AVPF", SP_MEDIA_RTP, false },
		{ "rtp/avp", SP_MEDIA_RTP, false },
		{ "RTP/SAVP", SP_MEDIA_RTP, true },
		{ "RTP/SAVPF", SP_MEDIA_RTP, true },
		{ "UDP/TLS/RTP/SAVP", SP_MEDIA_RTP, true },
		{ "UDP/TLS/RTP/SAVPF", SP_MEDIA_RTP, true },
		{ "udptl", SP_MEDIA_DATA, false },
		{ "UDPTL", SP_MEDIA_DATA, false },
		{ "UDP", SP_MEDIA_DATA, false },
		{ "UDP/BFCP", SP_MEDIA_DATA, false },
		{ "UDP/TLS/UDPTL", SP_MEDIA_DATA, true },
		{ "UDP/DTLS/SCTP", SP_MEDIA_DATA, true },
		{ "DTLS/SCTP", SP_MEDIA_DATA, true },
		{ "TCP/MSRP", SP_MEDIA_OTHER, false },
		{ "TCP/TLS/MSRP", SP_MEDIA_OTHER, false },
		{ "TCP/RTP/AVP", SP_MEDIA_OTHER, false },
		{ "TCP", SP_MEDIA_OTHER, false },
		{ "SCTP/DTLS", SP_MEDIA_OTHER, false },
	};

	return cr_make_param_array(
		struct kind_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct kind_case *tc, sdp_parse, protocol_decides_the_kind)
{
	char body[256];

	snprintf(body, sizeof body, SESSION "m=x 4000 %s 0\r\n", tc->proto);
	cr_assert(eq(int, parse(body), SP_OK), "%s", tc->proto);
	cr_expect(eq(int, sdp.media[0].kind, tc->kind), "%s", tc->proto);
	cr_expect(eq(int, sdp.media[0].secure, tc->secure), "%s", tc->proto);
}

/* Formats and an rtpmap, and the clock rate they mean. */
struct clock_case {
	char formats[16];
	char rtpmap[48];
	uint32_t hz;
};

ParameterizedTestParameters(sdp_parse, clock_is_that_of_the_first_format)
{
	static struct clock_case cases[] = {
		{ "0 8", "", 8000 },
		{ "9", "", 8000 },
		{ "9", "a=rtpmap:9 G722/8000\r\n", 8000 },
		{ "10", "", 44100 },
		{ "34", "", 90000 },
		{ "1", "", 0 },
		{ "35", "", 0 },
		{ "111 0", "", 0 },
		{ "111 0", "a=rtpmap:111 opus/48000/2\r\n", 48000 },
		{ "111 0", "a=rtpmap:0 PCMU/16000\r\n", 0 },
		{ "0", "a=rtpmap:0 PCMU/16000\r\n", 16000 },
		{ "0", "a=rtpmap:0 PCMU/16000x\r\n", 8000 },
		{ "0", "a=rtpmap:0 PCMU\r\n", 8000 },
	};

	return cr_make_param_array(
		struct clock_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct clock_case *tc, sdp_parse, clock_is_that_of_the_first_format)
{
	char body[256];

	snprintf(body, sizeof body, SESSION "m=audio 4000 RTP/AVP %s\r\n%s",
		tc->formats, tc->rtpmap);
	cr_assert(eq(int, parse(body), SP_OK));
	cr_expect(eq(u32, sdp.media[0].clock_hz, tc->hz), "%s, %s", tc->formats,
		tc->rtpmap);
}

/* What may come @most times, and not once more. */
struct limit_case {
	char line[64];
	int most;
};

ParameterizedTestParameters(sdp_parse, limits_are_exact)
{
	static struct limit_case cases[] = {
		{ AUDIO, SP_SDP_MEDIA_MAX - 1 },
		{ "a=x\r\n", SP_SDP_ATTR_MAX },
		{ "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n",
			SP_SDP_CANDIDATE_MAX },
		{ "a=crypto:1 x inline:y\r\n", SP_SDP_CRYPTO_MAX },
	};

	return cr_make_param_array(
		struct limit_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct limit_case *tc, sdp_parse, limits_are_exact)
{
	static char body[16384];
	char *at = body + sprintf(body, SESSION AUDIO);

	for (int i = 0; i < tc->most; i++)
		at += sprintf(at, "%s", tc->line);
	cr_expect(eq(int, parse(body), SP_OK), "%s", tc->line);
	sprintf(at, "%s", tc->line);
	cr_expect(eq(int, parse(body), SP_TOO_LONG), "%s", tc->line);
}

Test(sdp_parse, attributes_are_counted_for_each_section)
{
	static char body[16384];
	char *at = body + sprintf(body, SESSION);

	for (int section = 0; section < 3; section++) {
		for (int i = 0; i < SP_SDP_ATTR_MAX; i++)
			at += sprintf(at, "a=x\r\n");
		at += sprintf(at, AUDIO);
	}
	cr_expect(eq(int, parse(body), SP_OK));
}

Test(sdp_parse, body_of_64_kilobytes_is_the_longest)
{
	static char body[SP_SDP_MAX + 1];
	const int n = sprintf(body, SESSION "i=");

	memset(body + n, 'x', sizeof body - (size_t)n);
	cr_expect(eq(int, sp_sdp_parse(body, SP_SDP_MAX, &error, &sdp), SP_OK));
	cr_expect(eq(int, sp_sdp_parse(body, SP_SDP_MAX + 1, &error, &sdp),
		SP_TOO_LONG));
}

Test(sdp_parse, lines_of_a_section_can_be_walked)
{
	struct sp_cursor c;
	struct sp_sdp_line line;

	cr_assert(eq(int,
		parse(SESSION AUDIO "a=crypto:1 x inline:y \r\n"
				    "a=recvonly\r\nb=AS:64\r\na=x:1"),
		SP_OK));
	c = sp_sdp_cursor(sdp.media[0].section);
	cr_assert(sp_sdp_next_line(&c, &line));
	cr_expect(eq(chr, line.type, 'm'));
	cr_assert(sp_sdp_next_line(&c, &line));
	cr_expect(eq(int, line.attr, SP_SDP_ATTR_CRYPTO));
	cr_expect(text_is(line.value, "1 x inline:y"));
	cr_expect(text_is(line.all, "a=crypto:1 x inline:y \r\n"));
	cr_assert(sp_sdp_next_line(&c, &line));
	cr_expect(eq(int, line.attr, SP_SDP_ATTR_DIRECTION));
	cr_expect(eq(int, line.direction, SP_SDP_RECVONLY));
	cr_assert(sp_sdp_next_line(&c, &line));
	cr_expect(eq(chr, line.type, 'b'));
	cr_expect(text_is(line.value, "AS:64"));
	cr_assert(sp_sdp_next_line(&c, &line));
	cr_expect(eq(int, line.attr, SP_SDP_ATTR_NONE));
	cr_expect(text_is(line.all, "a=x:1"));
	cr_expect(not(sp_sdp_next_line(&c, &line)));
}

Test(sdp_parse, who_had_the_sdp_in_hand_is_known)
{
	const struct sp_sdp_text b = { "b", 1 }, c = { "c", 1 };

	cr_assert(eq(int,
		parse(OWN "a=rtpengine:a\na=rtpengine: b\n"
			  "m=audio 0 RTP/AVP 0\na=rtpengine:c\n"),
		SP_OK));
	cr_expect(text_is(sdp.loop, "a"));
	cr_expect(sp_sdp_went_through(&sdp, b));
	cr_expect(not(sp_sdp_went_through(&sdp, c)));
	cr_assert(eq(int, parse(OWN), SP_OK));
	cr_expect(zero(sz, sdp.loop.len));
	cr_expect(not(sp_sdp_went_through(&sdp, b)));
}

Test(sdp_parse, what_replace_may_keep_is_read)
{
	cr_assert(eq(int,
		parse("v=0\no=a b  7  9 IN IP4 ::\ns= x y \nt=0 0\n"
		      "m=audio 0 RTP/AVP 0\na=mid: 1 \ns=other\n"),
		SP_OK));
	cr_expect(text_is(sdp.username, "a b"));
	cr_expect(text_is(sdp.version, "9"));
	cr_expect(text_is(sdp.name, "x y"));
	cr_expect(text_is(sdp.media[0].mid, "1"));
}
