/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys in SDP: where they are seen, and how they leave. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "relay/sdp_edit.h"

#define SESSION                                                                \
	"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"                           \
	"c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 0\r\n"

static struct sp_sdp sdp;
static struct sp_sdp_edit edit;

/* Read @body, which is borrowed, and prepare an edit that changes nothing. */
static void
parse(const char *body)
{
	struct sp_sdp_error error;

	cr_assert(
		eq(int, sp_sdp_parse(body, strlen(body), &error, &sdp), SP_OK),
		"%s", body);
	edit = (struct sp_sdp_edit){ .addr = sdp.addr };
	for (unsigned int i = 0; i < sdp.media_count; i++)
		edit.media[i] = (struct sp_sdp_edit_media){
			.addr = sdp.media[i].addr,
			.direction = SP_SDP_KEEP_DIRECTION,
		};
}

static bool
gives(const char *want)
{
	static char out[SP_SDP_OUT_MAX];
	size_t len;

	cr_assert(eq(
		int, sp_sdp_edit(&sdp, &edit, out, sizeof out, &len), SP_OK));
	if (len == strlen(want) && memcmp(out, want, len) == 0)
		return true;
	cr_log_error("got\n%.*s", (int)len, out);
	return false;
}

/* Where keys stand, and what they make of a plain protocol. */
struct keys_case {
	char session[32];
	char media[32];
	bool secure;
	bool others;
};

ParameterizedTestParameters(sdp_keys, keys_make_a_plain_protocol_secure)
{
	static struct keys_case cases[] = {
		{ "", "", false, false },
		{ "", "a=crypto:1 X inline:Y\r\n", true, false },
		{ "a=crypto:1 X inline:Y\r\n", "", false, false },
		{ "", "a=fingerprint:sha-1 00\r\n", true, true },
		{ "a=fingerprint:sha-1 00\r\n", "", true, true },
		{ "", "a=zrtp-hash:1.10 fe30\r\n", true, true },
		{ "a=key-mgmt:mikey AQ\r\n", "", true, true },
		{ "", "a=key-mgmt:mikey AQ\r\n", true, true },
		{ "a=setup:active\r\n", "a=tls-id:x\r\n", false, false },
	};

	return cr_make_param_array(
		struct keys_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct keys_case *tc, sdp_keys, keys_make_a_plain_protocol_secure)
{
	char body[300];

	snprintf(body, sizeof body, "%s%s%s%s%s", SESSION, tc->session, AUDIO,
		tc->media, AUDIO);
	parse(body);
	cr_expect(eq(int, sdp.media[0].secure, tc->secure), "%s", body);
	cr_expect(eq(int, sdp.media[0].other_keys, tc->others), "%s", body);
	cr_expect(eq(int, sdp.media[1].secure, tc->session[0] && tc->others));
}

Test(sdp_keys, keys_of_ours_come_before_ptime)
{
	const struct sp_sdes lines[] = {
		{ .tag = 3, .srtp = { .suite = SP_SRTP_GCM_128, .n_keys = 1 } },
		{ .tag = 1,
			.lifetime = true,
			.srtp = { .suite = SP_SRTP_AES_CM_128_32,
				.n_keys = 1 } },
	};

	parse(SESSION "m=audio 4000 RTP/SAVP 0\r\na=ptime:20\r\n"
		      "a=crypto:1 x inline:y\r\na=x\r\n");
	edit.media[0].rtcp_port = 4001;
	edit.media[0].rtcp_mux = true;
	edit.media[0].strip_crypto = true;
	edit.media[0].crypto = lines;
	edit.media[0].n_crypto = 2;
	cr_expect(gives(SESSION
		"m=audio 4000 RTP/SAVP 0\r\na=x\r\na=rtcp:4001\r\n"
		"a=rtcp-mux\r\n"
		"a=crypto:3 AEAD_AES_128_GCM "
		"inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\r\n"
		"a=crypto:1 AES_CM_128_HMAC_SHA1_32 "
		"inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|2^31\r\n"
		"a=ptime:20\r\n"));
}

Test(sdp_keys, keys_go_only_when_asked)
{
	static const char body[] =
		SESSION "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 x inline:y\r\n"
			"a=fingerprint:sha-256 AA\r\na=setup:active\r\n"
			"a=tls-id:x\r\na=zrtp-hash:1.10 fe\r\n"
			"a=key-mgmt:mikey AQ\r\n";

	parse(body);
	cr_expect(gives(body));
	edit.media[0].strip_keys = true;
	cr_expect(gives(SESSION "m=audio 4000 RTP/SAVP 0\r\n"
				"a=crypto:1 x inline:y\r\n"));
	edit.media[0].strip_crypto = true;
	cr_expect(gives(SESSION "m=audio 4000 RTP/SAVP 0\r\n"));
}

Test(sdp_keys, keys_of_the_session_go_when_no_line_needs_them)
{
	static const char session[] = SESSION "a=fingerprint:sha-256 AA\r\n"
					      "a=setup:active\r\n";
	static const char media[] = "m=audio 4000 RTP/SAVP 0\r\n"
				    "m=video 0 RTP/SAVP 31\r\n"
				    "m=message 2855 TCP/TLS/MSRP *\r\n"
				    "c=IN IP4 192.0.2.1\r\n";
	char body[512], want[512];

	snprintf(body, sizeof body, "%sa=crypto:1 x inline:y\r\n%s", session,
		media);
	parse(body);
	edit.media[0].strip_keys = true;
	edit.media[2].keep = true;
	snprintf(want, sizeof want, "%s%s", session, media);
	cr_expect(gives(want), "the last line needs them");
	edit.media[2].keep = false;
	cr_expect(gives(want), "the last line needs them");
	edit.media[2].strip_keys = true;
	snprintf(want, sizeof want, "%s%s", SESSION, media);
	cr_expect(gives(want));
}
