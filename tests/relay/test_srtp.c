/* SPDX-License-Identifier: BSD-3-Clause */
/* Engines and directions, and what is refused, under both libraries. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "tests/relay/srtp_pair.h"

#define SSRC 0x01020304u

struct suite_case {
	enum sp_srtp_kind kind;
	enum sp_srtp_suite suite;
	uint8_t mki_len;
};

/* clang-format off */
#define ALL_SUITES(kind)                                                      \
	{ kind, SP_SRTP_AES_CM_128_80, 0 },                                   \
	{ kind, SP_SRTP_AES_CM_128_80, 4 },                                   \
	{ kind, SP_SRTP_AES_CM_128_32, 0 },                                   \
	{ kind, SP_SRTP_AES_CM_256_80, 0 },                                   \
	{ kind, SP_SRTP_AES_CM_256_32, 16 },                                  \
	{ kind, SP_SRTP_GCM_128, 0 },                                         \
	{ kind, SP_SRTP_GCM_256, 0 },                                         \
	{ kind, SP_SRTP_GCM_256, 1 }
/* clang-format on */

static struct suite_case suites[] = {
	ALL_SUITES(SP_SRTP_IPSECMB),
	ALL_SUITES(SP_SRTP_LIBSRTP),
};

static struct criterion_test_params
all_suites(void)
{
	return cr_make_param_array(
		struct suite_case, suites, sizeof suites / sizeof *suites);
}

Test(srtp, auto_is_an_engine_that_says_what_it_is)
{
	struct sp_srtp_engine *e = pair_engine(SP_SRTP_AUTO, 7);
	struct sp_srtp_about about;

	sp_srtp_engine_about(e, &about);
	cr_expect(gt(sz, strlen(about.name), 0));
	cr_expect(gt(sz, strlen(about.library), 0));
	cr_expect(ne(int, about.kind, SP_SRTP_AUTO));
	cr_expect(le(u32, about.most, 7));
	sp_srtp_engine_close(e);
	sp_srtp_engine_close(NULL);
}

ParameterizedTestParameters(srtp, what_is_sent_is_received)
{
	return all_suites();
}

ParameterizedTest(struct suite_case *tc, srtp, what_is_sent_is_received)
{
	const struct sp_srtp_conf conf = pair_conf(tc->suite, 1, tc->mki_len);
	struct sp_srtp_engine *e = pair_engine(tc->kind, 2);
	struct sp_srtp *out = pair_open(e, &conf, true);
	struct sp_srtp *in = pair_open(e, &conf, false);
	const struct sp_srtp_facts *facts = sp_srtp_facts(tc->suite);
	struct parcel sent, plain;

	pair_fill(&plain, SSRC, 9);
	pair_send(e, out, &sent, SSRC, 9);
	cr_expect(eq(
		int, sent.p.len, plain.p.len + facts->rtp_tag + tc->mki_len));
	cr_expect(memcmp(sent.data, plain.data, 12) == 0);
	cr_expect(memcmp(sent.data + 12, plain.data + 12, 16) != 0);
	sp_srtp_unprotect(e, &in, &sent.p, 1, 0);
	cr_expect(eq(int, sent.p.fate, SP_SRTP_OK));
	cr_expect(eq(int, sent.p.newest, 1));
	cr_expect(eq(int, sent.p.len, plain.p.len));
	cr_expect(memcmp(sent.data, plain.data, plain.p.len) == 0);

	pair_fill_rtcp(&plain, SSRC);
	pair_send_rtcp(e, out, &sent, SSRC);
	cr_expect(eq(int, sent.p.len,
		plain.p.len + 4 + facts->rtcp_tag + tc->mki_len));
	sp_srtcp_unprotect(e, in, &sent.p, 0);
	cr_expect(eq(int, sent.p.fate, SP_SRTP_OK));
	cr_expect(eq(int, sent.p.len, plain.p.len));
	cr_expect(memcmp(sent.data, plain.data, plain.p.len) == 0);
	sp_srtp_close(e, out);
	sp_srtp_close(e, in);
	sp_srtp_engine_close(e);
}

/* All that a direction is, but for its pointers' targets that packets don't
   change. */
struct image {
	struct sp_srtp direction;
	struct sp_srtp_crowd crowd;
};

static struct image
image_of(const struct sp_srtp *s)
{
	struct image image;

	memset(&image, 0, sizeof image);
	memcpy(&image.direction, s, sizeof *s);
	if (s->crowd)
		memcpy(&image.crowd, s->crowd, sizeof *s->crowd);
	return image;
}

/* A direction that has received a little of two streams, RTCP too. */
static struct sp_srtp *
used(struct sp_srtp_engine *e, struct sp_srtp *out,
	const struct sp_srtp_conf *conf, struct parcel *last)
{
	struct sp_srtp *in = pair_open(e, conf, false);
	struct parcel rtcp;

	for (uint16_t seq = 65530; seq != 4; seq++) {
		pair_send(e, out, last, SSRC, seq);
		cr_assert(eq(int, pair_receive(e, in, last, 1), SP_SRTP_OK));
	}
	pair_send_rtcp(e, out, &rtcp, SSRC + 1);
	cr_assert(eq(int, pair_receive_rtcp(e, in, &rtcp, 1), SP_SRTP_OK));
	return in;
}

ParameterizedTestParameters(srtp, what_is_forged_changes_nothing)
{
	return all_suites();
}

ParameterizedTest(struct suite_case *tc, srtp, what_is_forged_changes_nothing)
{
	const struct sp_srtp_conf conf = pair_conf(tc->suite, 1, tc->mki_len);
	struct sp_srtp_engine *e = pair_engine(tc->kind, 2);
	struct sp_srtp *out = pair_open(e, &conf, true);
	struct parcel last, next, forged, rtcp;
	struct sp_srtp *in = used(e, out, &conf, &last);
	const struct image before = image_of(in);
	struct image after;

	pair_send(e, out, &next, SSRC, 4);
	for (unsigned int at = 0; at < next.p.len; at++) {
		forged = next;
		forged.data[at] ^= 0x40;
		cr_expect(ne(int, pair_receive(e, in, &forged, 2), SP_SRTP_OK),
			"byte %u", at);
	}
	for (uint16_t len = 12; len < next.p.len; len++) {
		forged = next;
		forged.p.len = len;
		cr_expect(ne(int, pair_receive(e, in, &forged, 2), SP_SRTP_OK),
			"%u bytes", len);
	}
	cr_expect(eq(int, pair_receive(e, in, &last, 2), SP_SRTP_REPLAY));

	pair_send_rtcp(e, out, &rtcp, SSRC);
	for (unsigned int at = 0; at < rtcp.p.len; at++) {
		forged = rtcp;
		forged.data[at] ^= 0x40;
		cr_expect(ne(int, pair_receive_rtcp(e, in, &forged, 2),
				  SP_SRTP_OK),
			"byte %u", at);
	}
	for (uint16_t len = 0; len < rtcp.p.len; len++) {
		forged = rtcp;
		forged.p.len = len;
		cr_expect(ne(
			int, pair_receive_rtcp(e, in, &forged, 2), SP_SRTP_OK));
	}

	after = image_of(in);
	cr_expect(memcmp(&before, &after, sizeof before) == 0);
	cr_expect(eq(int, pair_receive(e, in, &next, 3), SP_SRTP_OK));
	cr_expect(eq(int, pair_receive_rtcp(e, in, &rtcp, 3), SP_SRTP_OK));
	sp_srtp_engine_close(e);
}

ParameterizedTestParameters(srtp, too_short_or_long_is_no_packet)
{
	return all_suites();
}

ParameterizedTest(struct suite_case *tc, srtp, too_short_or_long_is_no_packet)
{
	const struct sp_srtp_conf conf = pair_conf(tc->suite, 1, tc->mki_len);
	struct sp_srtp_engine *e = pair_engine(tc->kind, 2);
	struct sp_srtp *out = pair_open(e, &conf, true);
	struct sp_srtp *in = pair_open(e, &conf, false);
	const unsigned int more =
		sp_srtp_facts(tc->suite)->rtp_tag + tc->mki_len;
	struct parcel at;

	/* A header that is longer than its packet, or shorter than any. */
	pair_fill(&at, SSRC, 1);
	at.p.header_len = (uint16_t)(at.p.len + 1);
	sp_srtp_protect(e, &out, &at.p, 1, 0);
	cr_expect(eq(int, at.p.fate, SP_SRTP_SHORT));
	at.p.header_len = 11;
	sp_srtp_protect(e, &out, &at.p, 1, 0);
	cr_expect(eq(int, at.p.fate, SP_SRTP_SHORT));

	/* What would pass 65,535 bytes. */
	at.p.header_len = 12;
	at.p.len = (uint16_t)(UINT16_MAX - more + 1);
	sp_srtp_protect(e, &out, &at.p, 1, 0);
	cr_expect(eq(int, at.p.fate, SP_SRTP_SHORT));
	at.p.len = UINT16_MAX - 4;
	sp_srtcp_protect(e, out, &at.p, 0);
	cr_expect(eq(int, at.p.fate, SP_SRTP_SHORT));
	at.p.len = 7;
	sp_srtcp_protect(e, out, &at.p, 0);
	cr_expect(eq(int, at.p.fate, SP_SRTP_SHORT));

	/* No payload is a packet; a byte of the tag less is none. */
	pair_fill(&at, SSRC, 1);
	at.p.len = 12;
	sp_srtp_protect(e, &out, &at.p, 1, 0);
	cr_expect(eq(int, at.p.fate, SP_SRTP_OK));
	cr_expect(eq(int, at.p.len, 12 + more));
	at.p.len--;
	cr_expect(eq(int, pair_receive(e, in, &at, 0), SP_SRTP_SHORT));
	at.p.len++;
	sp_srtp_unprotect(e, &in, &at.p, 1, 0);
	cr_expect(eq(int, at.p.fate, SP_SRTP_OK));
	cr_expect(eq(int, at.p.len, 12));
	sp_srtp_engine_close(e);
}

struct conf_case {
	char name[32];
	struct sp_srtp_conf conf;
};

ParameterizedTestParameters(srtp, what_does_not_go_together_is_refused)
{
#define CONF(...)                                                              \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
	static struct conf_case cases[] = {
		{ "no suite", CONF(.n_keys = 1) },
		{ "unknown suite", CONF(.suite = SP_SRTP_SUITES, .n_keys = 1) },
		{ "no key", CONF(.suite = SP_SRTP_GCM_128) },
		{ "three keys",
			CONF(.suite = SP_SRTP_GCM_128, .n_keys = 3,
				.mki_len = 1) },
		{ "two keys, no MKI",
			CONF(.suite = SP_SRTP_GCM_128, .n_keys = 2) },
		{ "two keys, one MKI",
			CONF(.suite = SP_SRTP_GCM_128, .n_keys = 2,
				.mki_len = 1) },
		{ "MKI too long",
			CONF(.suite = SP_SRTP_GCM_128, .n_keys = 1,
				.mki_len = SP_SRTP_MKI_MAX + 1) },
		{ "GCM that is plain",
			CONF(.suite = SP_SRTP_GCM_256, .n_keys = 1,
				.flags = SP_SRTP_PLAIN_RTCP) },
		{ "unknown flag",
			CONF(.suite = SP_SRTP_AES_CM_128_80, .n_keys = 1,
				.flags = 8) },
	};

	return cr_make_param_array(
		struct conf_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct conf_case *tc, srtp, what_does_not_go_together_is_refused)
{
	const struct sp_srtp_conf good = pair_conf(SP_SRTP_GCM_128, 1, 0);
	struct sp_srtp_engine *e = pair_engine(SP_SRTP_AUTO, 2);
	struct sp_srtp *s = pair_open(e, &good, true);
	struct sp_srtp *other = NULL;
	const struct image before = image_of(s);
	struct image after;

	cr_expect(eq(int, sp_srtp_open(e, &tc->conf, true, &other),
			  SP_UNSUPPORTED),
		"%s", tc->name);
	cr_expect(eq(ptr, other, NULL));
	cr_expect(eq(int, sp_srtp_rekey(e, s, &tc->conf, 0), SP_UNSUPPORTED),
		"%s", tc->name);
	after = image_of(s);
	cr_expect(memcmp(&before, &after, sizeof before) == 0);
	sp_srtp_engine_close(e);
}

Test(srtp, an_engine_takes_so_many_directions_and_no_more)
{
	const struct sp_srtp_conf conf = pair_conf(SP_SRTP_AES_CM_128_80, 1, 0);
	struct sp_srtp_engine *e = pair_engine(SP_SRTP_AUTO, 3);
	struct sp_srtp *s[3], *other = NULL;

	for (unsigned int i = 0; i < 3; i++)
		s[i] = pair_open(e, &conf, i & 1);
	cr_expect(eq(int, sp_srtp_open(e, &conf, true, &other), SP_FULL));
	sp_srtp_close(e, s[1]);
	sp_srtp_close(e, NULL);
	s[1] = pair_open(e, &conf, true);
	cr_expect(eq(int, sp_srtp_open(e, &conf, true, &other), SP_FULL));
	sp_srtp_engine_close(e);
}
