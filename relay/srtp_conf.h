/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SRTP_CONF_H
#define SP_RELAY_SRTP_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * SRTP's suites and the keys of one direction, as plain values: what SDP says
 * (sdes.h), what control orders (order.h) and what an engine opens (srtp.h).
 * Whoever holds keys wipes them when it is done: explicit_bzero().
 */

/*
 * X(name, text, key, salt, rtp_tag, rtcp_tag): bytes of the master key and
 * salt and of both tags. The _32 suites shorten RTP's tag alone.
 *
 * Spec: RFC 4568 section 6.2, RFC 6188, RFC 7714 section 14.2.
 */
/* clang-format off */
#define SP_SRTP_SUITE_LIST(X)                                                 \
	X(AES_CM_128_80, "AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10)           \
	X(AES_CM_128_32, "AES_CM_128_HMAC_SHA1_32", 16, 14,  4, 10)           \
	X(AES_CM_256_80, "AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10)           \
	X(AES_CM_256_32, "AES_256_CM_HMAC_SHA1_32", 32, 14,  4, 10)           \
	X(GCM_128,       "AEAD_AES_128_GCM",        16, 12, 16, 16)           \
	X(GCM_256,       "AEAD_AES_256_GCM",        32, 12, 16, 16)
/* clang-format on */

enum sp_srtp_suite {
	SP_SRTP_NONE, /* in the clear */
#define X(name, text, key, salt, rtp_tag, rtcp_tag) SP_SRTP_##name,
	SP_SRTP_SUITE_LIST(X)
#undef X
	SP_SRTP_SUITES
};

#define SP_SRTP_KEY_MAX 46u /* bytes of a master key and its salt */
#define SP_SRTP_MKI_MAX 16u /* bytes of an MKI that we take */
#define SP_SRTP_KEYS_MAX 2u /* master keys at a time, told apart by MKI */
#define SP_SRTP_TAG_MAX 16u

/* Session parameters of RFC 4568 section 6.3; for CM suites only. */
enum sp_srtp_flag {
	SP_SRTP_PLAIN_RTP = 1,  /* UNENCRYPTED_SRTP */
	SP_SRTP_PLAIN_RTCP = 2, /* UNENCRYPTED_SRTCP */
	SP_SRTP_NO_AUTH = 4,    /* UNAUTHENTICATED_SRTP; RTCP is always */
};

/* A master key, its salt behind it; unused bytes are 0. */
struct sp_srtp_key {
	uint8_t key[SP_SRTP_KEY_MAX];
	uint8_t mki[SP_SRTP_MKI_MAX]; /* the first sp_srtp_conf.mki_len */
};

/* What one direction of a leg is protected with. All zero: nothing. */
struct sp_srtp_conf {
	uint8_t suite;   /* enum sp_srtp_suite */
	uint8_t flags;   /* enum sp_srtp_flag */
	uint8_t mki_len; /* 0: none */
	uint8_t n_keys;  /* more than one with an MKI only; we send under the
			    first */
	struct sp_srtp_key key[SP_SRTP_KEYS_MAX];
};

/* The sizes and the name of a suite. */
struct sp_srtp_facts {
	const char *name; /* static */
	uint8_t key_len;
	uint8_t salt_len;
	uint8_t rtp_tag;
	uint8_t rtcp_tag;
	bool aead;
};

/* Return the facts of @suite; of NONE they are zero, the name is "none". */
const struct sp_srtp_facts *sp_srtp_facts(enum sp_srtp_suite suite);

/* Return the suite named @text (any case), or NONE. */
enum sp_srtp_suite sp_srtp_suite(const char *text, size_t len);

/* Are both the same keys, suite and parameters? Not in constant time. */
bool sp_srtp_conf_equal(
	const struct sp_srtp_conf *a, const struct sp_srtp_conf *b);

#endif
