/* SPDX-License-Identifier: BSD-3-Clause */
/* What the vectors cannot say: room, identity, edits made by hand. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/sdp_edit.h"

#define SESSION                                                                \
	"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"                           \
	"c=IN IP4 192.0.2.1\r\nt=0 0\r\n"

static struct sp_sdp sdp;
static struct sp_sdp_edit edit;
static char out[SP_SDP_OUT_MAX];
static size_t out_len;

static struct sp_addr
addr(const char *ip, uint16_t port)
{
	struct sp_addr a;

	cr_assert(eq(int, sp_addr_parse(ip, strlen(ip), &a), SP_OK));
	a.port = port;
	return a;
}

static void
parse(const char *body)
{
	struct sp_sdp_error error;

	cr_assert(
		eq(int, sp_sdp_parse(body, strlen(body), &error, &sdp), SP_OK));
	edit = (struct sp_sdp_edit){ .addr = addr("203.0.113.1", 0) };
	for (size_t i = 0; i < SP_SDP_MEDIA_MAX; i++)
		edit.media[i] = (struct sp_sdp_edit_media){
			.addr = addr("203.0.113.1", (uint16_t)(30000 + 2 * i)),
			.direction = SP_SDP_KEEP_DIRECTION,
		};
}

static bool
gives(const char *want)
{
	const enum sp_status status =
		sp_sdp_edit(&sdp, &edit, out, sizeof out, &out_len);

	cr_expect(eq(int, status, SP_OK));
	if (out_len == strlen(want) && memcmp(out, want, out_len) == 0)
		return true;
	cr_log_error("got\n%.*s", (int)out_len, out);
	return false;
}

Test(sdp_edit, every_buffer_but_a_full_one_is_too_small)
{
	static const char want[] = "v=0\r\n"
				   "o=- 1 2 IN IP4 203.0.113.1\r\n"
				   "s=-\r\n"
				   "c=IN IP4 203.0.113.1\r\n"
				   "t=0 0\r\n"
				   "m=audio 30000 RTP/AVP 0\r\n"
				   "a=sendonly\r\n"
				   "a=rtcp:30001\r\n"
				   "a=rtcp-mux\r\n"
				   "a=ptime:20\r\n";

	parse(SESSION "m=audio 4000 RTP/AVP 0\r\na=ptime:20");
	edit.origin = true;
	edit.media[0].direction = SP_SDP_SENDONLY;
	edit.media[0].rtcp_port = 30001;
	edit.media[0].rtcp_mux = true;
	for (size_t size = 0; size < sizeof want - 1; size++) {
		/* Its own block: ASan sees the first byte beyond. */
		char *small = malloc(size ? size : 1);
		size_t len = 77;

		cr_assert(small != NULL);
		cr_expect(eq(int, sp_sdp_edit(&sdp, &edit, small, size, &len),
			SP_NO_SPACE));
		cr_expect(eq(sz, len, 77));
		free(small);
	}
	cr_expect(gives(want));
	cr_expect(eq(int,
		sp_sdp_edit(&sdp, &edit, out, sizeof want - 1, &out_len),
		SP_OK));
}

Test(sdp_edit, what_is_kept_and_not_touched_leaves_byte_by_byte)
{
	static const char body[] =
		SESSION "a=group:BUNDLE 0\r\na=ice-lite\r\n"
			"m=message  2855  TCP/MSRP  *\r\n"
			"a=candidate:1 1 tcp 1 192.0.2.1 9 typ host\r\n"
			"a=sendrecv\r\na=rtcp:1\r\na=rtcp-mux\r\n";

	parse(body);
	edit.media[0].keep = true;
	cr_expect(gives(body));
}

Test(sdp_edit, kept_line_keeps_the_address_it_inherited)
{
	parse(SESSION "m=message 2855 TCP/MSRP *\r\ni=chat\r\na=x\r\n"
		      "m=audio 4000 RTP/AVP 0\r\n"
		      "m=message 2856 TCP/MSRP *");
	edit.media[0].keep = true;
	edit.media[2].keep = true;
	cr_expect(gives("v=0\r\n"
			"o=- 1 2 IN IP4 192.0.2.1\r\n"
			"s=-\r\n"
			"c=IN IP4 203.0.113.1\r\n"
			"t=0 0\r\n"
			"m=message 2855 TCP/MSRP *\r\n"
			"i=chat\r\n"
			"c=IN IP4 192.0.2.1\r\n"
			"a=x\r\n"
			"m=audio 30002 RTP/AVP 0\r\n"
			"m=message 2856 TCP/MSRP *\r\n"
			"c=IN IP4 192.0.2.1\r\n"));
}

Test(sdp_edit, line_refused_here_gets_no_address_of_its_own)
{
	parse(SESSION "m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 31\r\n");
	edit.media[0].addr = addr("203.0.113.9", 0);
	cr_expect(gives("v=0\r\n"
			"o=- 1 2 IN IP4 192.0.2.1\r\n"
			"s=-\r\n"
			"c=IN IP4 203.0.113.1\r\n"
			"t=0 0\r\n"
			"m=audio 0 RTP/AVP 0\r\n"
			"m=video 30002 RTP/AVP 31\r\n"));
}

Test(sdp_edit, ice_and_bundle_go_only_when_asked)
{
	static const char body[] =
		SESSION "a=group:BUNDLE 0\r\na=ice-lite\r\n"
			"m=audio 4000 RTP/AVP 0\r\n"
			"a=ice-ufrag:x\r\na=ice-pwd:y\r\n"
			"a=candidate:1 1 udp 1 192.0.2.1 4000 typ host\r\n"
			"a=group:LS 0\r\n";

	parse(body);
	edit.addr = addr("192.0.2.1", 0);
	edit.media[0].addr = addr("192.0.2.1", 4000);
	cr_expect(gives(body));
	edit.strip_ice = true;
	cr_expect(gives(SESSION "a=group:BUNDLE 0\r\n"
				"m=audio 4000 RTP/AVP 0\r\na=group:LS 0\r\n"));
	edit.strip_bundle = true;
	cr_expect(gives(SESSION "m=audio 4000 RTP/AVP 0\r\na=group:LS 0\r\n"));
}

Test(sdp_edit, half_a_line_end_becomes_a_whole_one)
{
	parse(SESSION "m=audio 4000 RTP/AVP 0\r\na=x\r");
	edit.addr = addr("192.0.2.1", 0);
	edit.media[0].addr = addr("192.0.2.1", 4000);
	edit.media[0].direction = SP_SDP_INACTIVE;
	cr_expect(gives(
		SESSION "m=audio 4000 RTP/AVP 0\r\na=x\r\na=inactive\r\n"));
}

/* A direction that is asked for, and its text. */
struct direction_case {
	enum sp_sdp_direction direction;
	char text[16];
};

ParameterizedTestParameters(sdp_edit, direction_is_replaced)
{
	static struct direction_case cases[] = {
		{ SP_SDP_INACTIVE, "a=inactive\r\n" },
		{ SP_SDP_SENDONLY, "a=sendonly\r\n" },
		{ SP_SDP_RECVONLY, "a=recvonly\r\n" },
		{ SP_SDP_SENDRECV, "a=sendrecv\r\n" },
	};

	return cr_make_param_array(
		struct direction_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct direction_case *tc, sdp_edit, direction_is_replaced)
{
	char want[256] = SESSION "m=audio 4000 RTP/AVP 0\r\na=x\r\n";

	parse(SESSION "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\na=x\r\n");
	edit.media[0].addr = addr("192.0.2.1", 4000);
	edit.media[0].direction = (uint8_t)tc->direction;
	strcat(want, tc->text);
	cr_expect(gives(want), "%s", tc->text);
}

/* The longest a=crypto lines that there are. */
static struct sp_sdes *
longest_keys(void)
{
	static struct sp_sdes lines[SP_SDES_LINES_MAX];

	for (size_t i = 0; i < SP_SDES_LINES_MAX; i++) {
		lines[i] = (struct sp_sdes){
			.tag = SP_SDES_TAG_MAX,
			.lifetime = true,
			.srtp = {
				.suite = SP_SRTP_AES_CM_256_80,
				.flags = SP_SRTP_PLAIN_RTP |
					SP_SRTP_PLAIN_RTCP | SP_SRTP_NO_AUTH,
				.mki_len = SP_SRTP_MKI_MAX,
				.n_keys = SP_SRTP_KEYS_MAX,
			},
		};
		memset(lines[i].srtp.key, 0xff, sizeof lines[i].srtp.key);
	}
	return lines;
}

Test(sdp_edit, largest_growth_fits_the_largest_output)
{
	static char body[SP_SDP_MAX];
	char *at = body +
		sprintf(body,
			"v=0\no=- 1 2 IN IP4 0.0.0.0\n"
			"c=IN IP4 0.0.0.0\n"
			"t=0 0\n");
	size_t was;

	for (int i = 0; i < SP_SDP_MEDIA_MAX; i++)
		at += sprintf(at, "m=a 1 RTP/AVP 0\n");
	parse(body);
	was = strlen(body);
	edit.addr = addr("2001:db8:1111:2222:3333:4444:5555:6666", 0);
	edit.origin = true;
	edit.version = UINT64_MAX;
	edit.full_rtcp = true;
	for (int i = 0; i < SP_SDP_MEDIA_MAX; i++) {
		edit.media[i] = (struct sp_sdp_edit_media){
			.addr = edit.addr,
			.proto = "UDP/TLS/RTP/SAVPF",
			.rtcp_port = 65535,
			.mid = 1024,
			.direction = SP_SDP_SENDRECV,
			.rtcp_mux = true,
			.crypto = longest_keys(),
			.n_crypto = SP_SDES_LINES_MAX,
		};
		edit.media[i].addr.ip[15] = (uint8_t)i;
		edit.media[i].addr.port = 65535;
	}
	cr_assert(eq(int, sp_sdp_edit(&sdp, &edit, out, sizeof out, &out_len),
		SP_OK));
	cr_expect(le(sz, out_len - was, SP_SDP_OUT_MAX - SP_SDP_MAX));
	cr_expect(gt(sz, out_len - was,
		(size_t)SP_SDP_MEDIA_MAX *
			(150 + SP_SDES_LINES_MAX * (SP_SDES_TEXT_MAX - 4))));
}
