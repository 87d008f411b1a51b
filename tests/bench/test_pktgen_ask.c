/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "bench/pktgen_ask.h"

static struct pktgen_said said;
static char text[PKTGEN_ASK_MAX];

static const struct pktgen_ask offer = { .run = 0xabcdef01,
	.call = 12,
	.step = PKTGEN_OFFER,
	.sdp = "v=0\r\n",
	.realm = { "public", "core" },
	.transport = "RTP/SAVP",
	.suite = "AES_CM_128_HMAC_SHA1_80",
	.host = "127.0.0.1:8080" };

static void
expect_text(size_t len, const char *want)
{
	text[len < sizeof text ? len : sizeof text - 1] = '\0';
	cr_expect(eq(str, text, (char *)want));
}

Test(pktgen_ask, an_offer_over_ng)
{
	expect_text(pktgen_ng_write(&offer, text),
		"abcdef01_12_0 d7:command5:offer7:call-id18:pktgen-abcdef01-12"
		"8:from-tag3:a123:sdp5:v=0\r\n7:replacel6:origine3:ICE6:remove"
		"18:transport-protocol8:RTP/SAVP"
		"4:SDESl28:only-AES_CM_128_HMAC_SHA1_80e"
		"9:directionl6:public4:coreee");
}

Test(pktgen_ask, an_answer_and_a_delete_over_ng)
{
	struct pktgen_ask ask = offer;

	ask.step = PKTGEN_ANSWER;
	expect_text(pktgen_ng_write(&ask, text),
		"abcdef01_12_1 d7:command6:answer7:call-id18:pktgen-abcdef01-12"
		"8:from-tag3:a126:to-tag3:b123:sdp5:v=0\r\n"
		"7:replacel6:origine3:ICE6:removee");
	ask.step = PKTGEN_DELETE;
	expect_text(pktgen_ng_write(&ask, text),
		"abcdef01_12_2 d7:command6:delete7:call-id18:pktgen-abcdef01-12"
		"8:from-tag3:a12e");
}

Test(pktgen_ask, an_offer_over_http)
{
	expect_text(pktgen_http_write(&offer, text),
		"POST /v1/offer HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
		"Content-Type: application/json\r\nContent-Length: 168\r\n\r\n"
		"{\"call_id\":\"pktgen-abcdef01-12\",\"from_tag\":\"a12\","
		"\"sdp\":\"v=0\\r\\n\",\"transport\":\"RTP/SAVP\","
		"\"sdes\":[\"only-AES_CM_128_HMAC_SHA1_80\"],"
		"\"from_realm\":\"public\",\"to_realm\":\"core\"}");
}

Test(pktgen_ask, a_delete_over_http_with_a_token)
{
	struct pktgen_ask ask = offer;

	ask.step = PKTGEN_DELETE;
	ask.token = "t0k3n";
	expect_text(pktgen_http_write(&ask, text),
		"POST /v1/delete HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
		"Content-Type: application/json\r\n"
		"Authorization: Bearer t0k3n\r\nContent-Length: 49\r\n\r\n"
		"{\"call_id\":\"pktgen-abcdef01-12\",\"from_tag\":\"a12\"}");
}

Test(pktgen_ask, what_is_too_long_is_not_cut)
{
	static char sdp[2 * PKTGEN_ASK_MAX];
	struct pktgen_ask ask = offer;

	memset(sdp, 'x', sizeof sdp - 1);
	ask.sdp = sdp;
	cr_expect(eq(sz, pktgen_ng_write(&ask, text), 0));
	cr_expect(eq(sz, pktgen_http_write(&ask, text), 0));
}

struct ng_case {
	char name[24];
	char wire[96];
	bool want;
	bool ok;
	char sdp[16];
};

ParameterizedTestParameters(pktgen_ask, ng_replies)
{
	static struct ng_case cases[] = {
		{ "offer", "0000002a_7_0 d6:result2:ok3:sdp5:v=0\r\ne", true,
			true, "v=0\r\n" },
		{ "sdp first", "0000002a_7_0 d3:sdp5:v=0\r\n6:result2:oke",
			true, true, "v=0\r\n" },
		{ "delete", "0000002a_7_0 d6:result2:oke", true, true, "" },
		{ "refused",
			"0000002a_7_0 d12:error-reason4:full6:result5:errore",
			true, false, "" },
		{ "pong", "0000002a_7_0 d6:result4:ponge", true, false, "" },
		{ "no cookie of ours", "hello d6:result2:oke", false, false,
			"" },
		{ "no such step", "0000002a_7_3 d6:result2:oke", false, false,
			"" },
		{ "no result", "0000002a_7_0 d3:sdp5:v=0\r\ne", false, false,
			"" },
		{ "sdp that is cut", "0000002a_7_0 d6:result2:ok3:sdp50:v=0",
			true, true, "" },
		{ "empty", "", false, false, "" },
	};

	return cr_make_param_array(
		struct ng_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct ng_case *tc, pktgen_ask, ng_replies)
{
	cr_assert(eq(int, pktgen_ng_read(tc->wire, strlen(tc->wire), &said),
			  tc->want),
		"%s", tc->name);
	if (!tc->want)
		return;
	cr_expect(eq(u32, said.run, 0x2a));
	cr_expect(eq(u32, said.call, 7));
	cr_expect(eq(int, said.step, PKTGEN_OFFER));
	cr_expect(eq(int, said.ok, tc->ok), "%s", tc->name);
	cr_expect(eq(sz, said.sdp ? said.sdp_len : 0, strlen(tc->sdp)));
	cr_expect(eq(int,
		memcmp(said.sdp ? said.sdp : "", tc->sdp, strlen(tc->sdp)), 0));
}

struct http_case {
	char name[24];
	char wire[160];
	long want; /* 1: all of it */
	bool ok;
	char sdp[16];
};

ParameterizedTestParameters(pktgen_ask, http_replies)
{
	static struct http_case cases[] = {
		{ "offer",
			"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n"
			"{\"sdp\":\"v=0\\r\\n\"}",
			1, true, "v=0\r\n" },
		{ "any case", "HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\n{}",
			1, true, "" },
		{ "refused",
			"HTTP/1.1 503 Busy\r\nContent-Length: 14\r\n\r\n"
			"{\"status\":503}",
			1, false, "" },
		{ "nothing to say",
			"HTTP/1.1 204 OK\r\nContent-Length: 0\r\n\r\n", 1, true,
			"" },
		{ "half a head", "HTTP/1.1 200 OK\r\nContent-Le", 0, false,
			"" },
		{ "half a body",
			"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", 0,
			false, "" },
		{ "no length", "HTTP/1.1 200 OK\r\n\r\n{}", -1, false, "" },
		{ "too long",
			"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{}",
			-1, false, "" },
		{ "no HTTP", "SSH-2.0\r\nContent-Length: 2\r\n\r\n{}", -1,
			false, "" },
		{ "no JSON", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{{",
			-1, false, "" },
	};

	return cr_make_param_array(
		struct http_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct http_case *tc, pktgen_ask, http_replies)
{
	const long len = (long)strlen(tc->wire);

	cr_assert(eq(long, pktgen_http_read(tc->wire, (size_t)len, &said),
			  tc->want == 1 ? len : tc->want),
		"%s", tc->name);
	if (tc->want < 1)
		return;
	cr_expect(eq(int, said.ok, tc->ok), "%s", tc->name);
	cr_expect(eq(sz, said.sdp ? said.sdp_len : 0, strlen(tc->sdp)));
	cr_expect(eq(int,
		memcmp(said.sdp ? said.sdp : "", tc->sdp, strlen(tc->sdp)), 0));
}

Test(pktgen_ask, of_two_http_replies_the_first_is_taken)
{
	static const char one[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
	char two[2 * sizeof one];

	snprintf(two, sizeof two, "%s%s", one, one);
	cr_expect(eq(long, pktgen_http_read(two, strlen(two), &said),
		(long)strlen(one)));
}
