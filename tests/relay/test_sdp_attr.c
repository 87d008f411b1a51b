/* SPDX-License-Identifier: BSD-3-Clause */
/* Matching and limits; the vectors say what becomes of a body. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/sdp_edit.h"

static struct sp_sdp_text
text(const char *from)
{
	return (struct sp_sdp_text){ from, strlen(from) };
}

/* An attribute, and whether a request may write it. */
struct allows_case {
	char text[48];
	size_t len; /* 0: up to the NUL */
	bool want;
};

ParameterizedTestParameters(sdp_attr, not_all_may_be_written)
{
	static struct allows_case cases[] = {
		{ "sendrecv", 0, true },
		{ "ptime:20", 0, true },
		{ "fmtp:101 0-15", 0, true },
		{ "mid:x", 0, true },
		{ "rtcp-fb:96 nack", 0, true },
		{ "rtcp-rsize", 0, true },
		{ "icelike", 0, true },
		{ "group:LS 1 2", 0, true },
		{ "", 0, false },
		{ "  ", 0, false },
		{ "a\nb", 0, false },
		{ "a\rb", 0, false },
		{ "a\0b", 3, false },
		{ "rtcp:4000", 0, false },
		{ "Rtcp : 4000", 0, false },
		{ "rtcp-mux", 0, false },
		{ "rtcp-mux-only", 0, false },
		{ "rtpengine:x", 0, false },
		{ "candidate:1 1 udp 1 192.0.2.1 9 typ host", 0, false },
		{ "end-of-candidates", 0, false },
		{ "remote-candidates:1 192.0.2.1 9", 0, false },
		{ "ice-ufrag:x", 0, false },
		{ "altc:1 IP4 192.0.2.1 9", 0, false },
		{ "source-filter: incl IN IP4 * x", 0, false },
		{ "group:BUNDLE 0", 0, false },
		{ "crypto:1 x inline:y", 0, false },
		{ "fingerprint:sha-256 AA", 0, false },
		{ "zrtp-hash:1.10 fe30", 0, false },
		{ "setup:active", 0, false },
		{ "tls-id:abc", 0, false },
		{ "key-mgmt:mikey AQ", 0, false },
	};

	return cr_make_param_array(
		struct allows_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct allows_case *tc, sdp_attr, not_all_may_be_written)
{
	const struct sp_sdp_text t = {
		tc->text,
		tc->len ? tc->len : strlen(tc->text),
	};

	cr_expect(eq(int, sp_sdp_attr_allows(t), tc->want), "%s", tc->text);
}

/* A wish's text, a line, and whether that is the line it means. */
struct find_case {
	char wish[24];
	char line[24];
	bool want;
};

ParameterizedTestParameters(sdp_attr, wish_is_name_or_value_or_all)
{
	static struct find_case cases[] = {
		{ "foo", "foo", true },
		{ "foo", "FOO:bar", true },
		{ "foo", "foo:bar baz", true },
		{ "foo:bar", "foo:bar baz", true },
		{ "foo:bar baz", "foo:bar baz", true },
		{ "foo", "foo bar", true },
		{ "foo", "food", false },
		{ "foo", "fo", false },
		{ "foo:", "foo:bar", false },
		{ "foo:ba", "foo:bar", false },
		{ "foo:bar ba", "foo:bar baz", false },
		{ "bar", "foo:bar", false },
		{ "", "foo", false },
	};

	return cr_make_param_array(
		struct find_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct find_case *tc, sdp_attr, wish_is_name_or_value_or_all)
{
	const struct sp_attr_wish wish = {
		.text = text(tc->wish),
		.what = SP_ATTR_REMOVE,
	};
	const struct sp_attr_wish *found =
		sp_sdp_attr_find(&wish, 1, 1, text(tc->line));

	cr_expect(eq(int, found != NULL, tc->want), "%s in %s", tc->wish,
		tc->line);
	cr_expect(sp_sdp_attr_find(&wish, 1, 0, text(tc->line)) == NULL);
}

Test(sdp_attr, mask_has_a_bit_for_each_wish_of_the_section)
{
	const struct sp_attr_wish wishes[] = {
		{ text("audio"), text("x"), { NULL, 0 }, SP_ATTR_ADD },
		{ text(""), text("x"), { NULL, 0 }, SP_ATTR_REMOVE },
		{ text("AUDIO"), text("rtcp:1"), { NULL, 0 }, SP_ATTR_REMOVE },
		{ text("audio"), text("rtcp:1"), { NULL, 0 }, SP_ATTR_ADD },
		{ text("audio"), text("x"), text("y"), SP_ATTR_SUBSTITUTE },
		{ text("audio"), text("x"), text("setup:active"),
			SP_ATTR_SUBSTITUTE },
	};

	cr_expect(eq(u32, sp_sdp_attr_mask(wishes, 6, text("audio")), 0x15));
	cr_expect(eq(u32, sp_sdp_attr_mask(wishes, 6, text("")), 0x02));
	cr_expect(eq(u32, sp_sdp_attr_mask(wishes, 6, text("video")), 0));
}

Test(sdp_attr, long_texts_fill_the_buffer_and_nothing_else)
{
	static const char body[] = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\n"
				   "c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
				   "m=audio 4000 RTP/AVP 0\r\na=x\r\n";
	static struct sp_attr_wish wishes[SP_ATTRS_MAX];
	static struct sp_sdp_edit edit;
	static struct sp_sdp sdp;
	char *out = malloc(SP_SDP_OUT_MAX), *large = malloc(SP_SDP_MAX);
	struct sp_sdp_error error;
	size_t len = 77;

	cr_assert(out && large);
	memset(large, 'y', SP_SDP_MAX);
	cr_assert(
		eq(int, sp_sdp_parse(body, strlen(body), &error, &sdp), SP_OK));
	edit.addr = edit.media[0].addr = sdp.addr;
	edit.media[0].addr.port = 1;
	edit.attr = wishes;
	edit.n_attr = SP_ATTRS_MAX;
	for (unsigned int i = 0; i < SP_ATTRS_MAX; i++)
		wishes[i] = (struct sp_attr_wish){
			.media = text("audio"),
			.text = { large, SP_SDP_MAX - i },
			.what = SP_ATTR_ADD,
		};
	cr_expect(eq(int, sp_sdp_edit(&sdp, &edit, out, SP_SDP_OUT_MAX, &len),
		SP_NO_SPACE));
	cr_expect(eq(sz, len, 77));
	edit.n_attr = 1;
	cr_expect(eq(int, sp_sdp_edit(&sdp, &edit, out, SP_SDP_OUT_MAX, &len),
		SP_OK));
	free(out);
	free(large);
}
