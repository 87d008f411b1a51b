/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_RELAY_KEYS_RIG_H
#define SP_TESTS_RELAY_KEYS_RIG_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "relay/negotiate_keys.h"

/* Short ways to plan one m= line, for the tests of its protocol and keys. */

#define KEY "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
#define KEY_2 "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC"
#define KEY_46                                                                 \
	"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ=="
#define KEY_28 "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ=="
#define CM80 "AES_CM_128_HMAC_SHA1_80"
#define CM32 "AES_CM_128_HMAC_SHA1_32"
#define CM256 "AES_256_CM_HMAC_SHA1_80"
#define GCM "AEAD_AES_128_GCM"
#define CRYPTO(tag, suite, key) "a=crypto:" #tag " " suite " inline:" key "\r\n"
#define LINE_80 CRYPTO(1, CM80, KEY)
#define LINE_32 CRYPTO(2, CM32, KEY)
#define FINGERPRINT "a=fingerprint:sha-1 00:11\r\n"

static struct sp_sdp sdp;
static struct sp_sdp_error error;
static struct sp_plan plan;
static struct sp_plan_keys keys;
static struct sp_policy policy;
static struct sp_keys_before before;
static struct sp_keys_offered offered;

static inline void
parse(const char *proto, const char *more)
{
	static char body[8192];

	snprintf(body, sizeof body,
		"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"
		"c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 %s 0\r\n%s",
		proto, more);
	cr_assert(
		eq(int, sp_sdp_parse(body, strlen(body), &error, &sdp), SP_OK),
		"%s %s: %s", proto, more, error.reason);
}

/* Offer an audio line; its plan and its keys are then there. */
static inline enum sp_status
offer(const char *proto, const char *more)
{
	static const struct sp_negotiate_own own;

	parse(proto, more);
	cr_assert(eq(int,
		sp_negotiate_offer(&sdp, &policy, &own, &error, &plan), SP_OK));
	return sp_negotiate_keys_offer(
		&sdp, 0, &policy, &before, &error, &plan.media[0], &keys);
}

/* Answer it, held against @offered. */
static inline enum sp_status
answer(const char *proto, const char *more)
{
	static const struct sp_negotiate_own own;
	const uint8_t byte = (uint8_t)(SP_OFFERED_LIVE |
		offered.transport * SP_OFFERED_TRANSPORT);

	parse(proto, more);
	cr_assert(eq(int,
		sp_negotiate_answer(
			&sdp, &policy, &own, &byte, 1, &error, &plan),
		SP_OK));
	return sp_negotiate_keys_answer(
		&sdp, 0, &policy, &offered, &error, &plan.media[0], &keys);
}

/* The lines for the other party: "1 80,2 gcm ...". Static storage. */
static inline const char *
lines(void)
{
	static const char *const name[] = { "-", "80", "32", "256", "256_32",
		"gcm", "gcm256" };
	static char text[128];
	size_t len = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < keys.count; i++) {
		const struct sp_sdes *line = &keys.line[i];

		len += (size_t)snprintf(text + len, sizeof text - len,
			"%s%u %s%s%s%s%s", i > 0 ? "," : "", line->tag,
			name[line->srtp.suite],
			line->srtp.flags & SP_SRTP_PLAIN_RTP ? " -e" : "",
			line->srtp.flags & SP_SRTP_PLAIN_RTCP ? " -c" : "",
			line->srtp.flags & SP_SRTP_NO_AUTH ? " -a" : "",
			line->lifetime ? " life" : "");
	}
	return text;
}

/* A line as one of ours, with a key that is all @fill. */
static inline struct sp_sdes
ours(uint32_t tag, uint8_t suite, uint8_t fill)
{
	struct sp_sdes line = { .tag = tag, .srtp = { .suite = suite } };

	line.srtp.n_keys = 1;
	memset(line.srtp.key[0].key, fill,
		(size_t)sp_srtp_facts((enum sp_srtp_suite)suite)->key_len +
			sp_srtp_facts((enum sp_srtp_suite)suite)->salt_len);
	return line;
}

#endif
