/* SPDX-License-Identifier: BSD-3-Clause */
/* The choice itself; the vectors say what becomes of a body. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "relay/sdp_codec.h"

#define SESSION "v=0\no=- 1 2 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1\nt=0 0\n"
#define EVENT "a=rtpmap:101 telephone-event/8000\n"

/* "-strip +offer =except ~mask ...", one m= section, and what is left. */
struct choice_case {
	char wishes[48];
	char media[112];
	enum sp_codec_choice want;
	char left[24];
};

static unsigned int
read_wishes(char *list, struct sp_codec_wish *out)
{
	unsigned int n = 0;
	char *at = NULL;

	for (char *w = strtok_r(list, " ", &at); w;
		w = strtok_r(NULL, " ", &at)) {
		out[n++] = (struct sp_codec_wish){
			.name = { w + 1, strlen(w + 1) },
			.what = (uint8_t)(strchr("-+=~", w[0]) - "-+=~"),
		};
	}
	return n;
}

/* clang-format off */
static struct choice_case cases[] = {
	{ "-PCMU", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_CHANGED, "8" },
	{ "-pcmu/8000", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_CHANGED, "8" },
	{ "-PCMU/8000/1", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_CHANGED,
		"8" },
	{ "-PCMU/8000/1/64000/20", "m=x 1 RTP/AVP 0 8\n",
		SP_CODECS_CHANGED, "8" },
	{ "-PCMU//1", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_CHANGED, "8" },
	{ "-PCMU/16000", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_SAME, "" },
	{ "-PCMU/8000/2", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_SAME, "" },
	{ "-PCMU/x", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_SAME, "" },
	{ "-PCM", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_SAME, "" },
	{ "-", "m=x 1 RTP/AVP 0 77\n", SP_CODECS_SAME, "" },
	{ "~PCMU", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_CHANGED, "8" },
	{ "-all", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_REFUSED, "" },
	{ "-FULL", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_REFUSED, "" },
	{ "-all =all", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_SAME, "" },
	{ "-PCMU =PCMU", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_CHANGED,
		"8" },
	{ "-all -PCMU =all", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_CHANGED,
		"8" },
	{ "-all +PCMA", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_CHANGED, "8" },
	{ "+PCMA -all", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_CHANGED, "8" },
	{ "+PCMA +PCMU", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_SAME, "" },
	{ "-all +PCMA +PCMU", "m=x 1 RTP/AVP 0 18 8\n",
		SP_CODECS_CHANGED, "8 0" },
	{ "-all +PCMA =PCMU", "m=x 1 RTP/AVP 8 18 0\n",
		SP_CODECS_CHANGED, "0 8" },
	{ "-PCMU +PCMU", "m=x 1 RTP/AVP 0 18 13 8\n", SP_CODECS_CHANGED,
		"18 8 0 13" },
	{ "~PCMU +PCMU", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_CHANGED,
		"8 0" },
	{ "-all +telephone-event +PCMA",
		"m=x 1 RTP/AVP 0 101 8\n" EVENT, SP_CODECS_CHANGED,
		"8 101" },
	{ "=PCMA", "m=x 1 RTP/AVP 0 8\n", SP_CODECS_SAME, "" },
	{ "-all =PCMA =PCMU", "m=x 1 RTP/AVP 0 18 8\n",
		SP_CODECS_CHANGED, "0 8" },
	{ "-PCMU", "m=x 1 RTP/AVP 0 0 8 008\n", SP_CODECS_CHANGED,
		"8" },
	{ "-DVI4/16000", "m=x 1 RTP/AVP 5 6\n", SP_CODECS_CHANGED,
		"5" },
	{ "-L16//2", "m=x 1 RTP/AVP 10 11\n", SP_CODECS_CHANGED, "11" },
	/* Only what nobody can talk with. */
	{ "-PCMU", "m=x 1 RTP/AVP 0 13\n", SP_CODECS_REFUSED, "" },
	{ "-PCMU", "m=x 1 RTP/AVP 0 101\n" EVENT, SP_CODECS_REFUSED,
		"" },
	{ "-PCMU", "m=x 1 RTP/AVP 0 101\n", SP_CODECS_CHANGED, "101" },
	{ "-opus",
		"m=x 1 RTP/AVP 96 97\na=rtpmap:96 opus/48000/2\n"
		"a=rtpmap:97 red/48000/2\n",
		SP_CODECS_REFUSED, "" },
	{ "-VP8",
		"m=x 1 RTP/AVP 96 97 98\na=fmtp:97 x; apt=96\n"
		"a=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\n",
		SP_CODECS_CHANGED, "98" },
	{ "-VP8 =rtx",
		"m=x 1 RTP/AVP 96 97 98\na=fmtp:97 apt=96\n"
		"a=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\n",
		SP_CODECS_CHANGED, "98" },
	/* A broken a=rtpmap says nothing, one of nothing neither. */
	{ "-PCMU", "m=x 1 RTP/AVP 0 8\na=rtpmap:0\na=rtpmap:99 x/1\n",
		SP_CODECS_CHANGED, "8" },
};
/* clang-format on */

ParameterizedTestParameters(sdp_codec, wishes_choose)
{
	return cr_make_param_array(
		struct choice_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct choice_case *tc, sdp_codec, wishes_choose)
{
	static struct sp_sdp sdp;
	struct sp_codec_wish wishes[SP_CODECS_MAX];
	struct sp_sdp_codecs codecs;
	struct sp_sdp_error error;
	char body[256], list[48], left[64] = "";
	unsigned int n;

	snprintf(list, sizeof list, "%s", tc->wishes);
	n = read_wishes(list, wishes);
	snprintf(body, sizeof body, SESSION "%s", tc->media);
	cr_assert(
		eq(int, sp_sdp_parse(body, strlen(body), &error, &sdp), SP_OK));
	cr_assert(eq(int,
			  sp_sdp_codecs_choose(
				  &sdp.media[0], wishes, n, true, &codecs),
			  tc->want),
		"%s of %s", tc->wishes, tc->media);
	if (tc->want != SP_CODECS_CHANGED)
		return;
	for (unsigned int i = 0; i < codecs.count; i++)
		snprintf(left + strlen(left), sizeof left - strlen(left),
			i ? " %u" : "%u", codecs.pt[i]);
	cr_expect(eq(str, left, tc->left), "%s of %s", tc->wishes, tc->media);
}

Test(sdp_codec, every_payload_type_and_wish_at_once)
{
	static struct sp_codec_wish wishes[SP_CODECS_MAX];
	static struct sp_sdp sdp;
	struct sp_sdp_codecs codecs;
	struct sp_sdp_error error;
	char body[1024] = SESSION "m=x 1 RTP/AVP";

	for (int pt = 127; pt >= 0; pt--)
		snprintf(body + strlen(body), sizeof body - strlen(body), " %d",
			pt);
	strcat(body, "\n");
	for (unsigned int i = 0; i < SP_CODECS_MAX; i++)
		wishes[i] = (struct sp_codec_wish){
			.name = { "PCMU", 4 },
			.what = i % 2 ? SP_CODEC_OFFER : SP_CODEC_STRIP,
		};
	cr_assert(
		eq(int, sp_sdp_parse(body, strlen(body), &error, &sdp), SP_OK));
	cr_expect(eq(int,
		sp_sdp_codecs_choose(
			&sdp.media[0], wishes, SP_CODECS_MAX, true, &codecs),
		SP_CODECS_CHANGED));
	cr_expect(eq(int, codecs.count, SP_SDP_PAYLOAD_TYPES));
	/* Behind all, but for comfort noise (13). */
	cr_expect(eq(int, codecs.pt[0], 127));
	cr_expect(eq(int, codecs.pt[126], 0));
	cr_expect(eq(int, codecs.pt[127], 13));
}
