/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_RELAY_SRTP_ORACLE_H
#define SP_TESTS_RELAY_SRTP_ORACLE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <srtp2/crypto_types.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

#include "relay/srtp.h"

/*
 * What SRTP's engines are held against: libsrtp2 itself, called for one packet
 * after the other, with nothing of ours in between but the translation of its
 * answers. Beside it what the tests draw lots with.
 */

/* A generator of numbers: the same story each time for the same seed. */
struct lots {
	uint64_t state;
};

static inline uint64_t
lots_draw(struct lots *lots)
{
	uint64_t x = lots->state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* One of 0..@n - 1. */
static inline uint32_t
lots_below(struct lots *lots, uint32_t n)
{
	return (uint32_t)((lots_draw(lots) >> 32) * n >> 32);
}

static inline bool
lots_percent(struct lots *lots, unsigned int percent)
{
	return lots_below(lots, 100) < percent;
}

static inline void
lots_fill(struct lots *lots, uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)lots_draw(lots);
}

/* The agreement of one direction. */
static inline struct sp_srtp_conf
draw_conf(struct lots *lots, enum sp_srtp_suite suite, uint8_t flags,
	uint8_t mki_len, uint8_t n_keys)
{
	const struct sp_srtp_facts *facts = sp_srtp_facts(suite);
	struct sp_srtp_conf conf = {
		.suite = (uint8_t)suite,
		.flags = flags,
		.mki_len = mki_len,
		.n_keys = n_keys,
	};

	for (unsigned int i = 0; i < n_keys; i++) {
		lots_fill(lots, conf.key[i].key,
			(size_t)facts->key_len + facts->salt_len);
		lots_fill(lots, conf.key[i].mki, mki_len);
	}
	if (n_keys == 2) /* no two are alike */
		conf.key[1].mki[0] = (uint8_t)~conf.key[0].mki[0];
	return conf;
}

/* How libsrtp is told about an agreement. */
struct oracle_words {
	srtp_policy_t policy;
	srtp_master_key_t key[SP_SRTP_KEYS_MAX];
	srtp_master_key_t *keys[SP_SRTP_KEYS_MAX];
};

static inline void
oracle_suite(enum sp_srtp_suite suite, srtp_policy_t *policy)
{
	srtp_crypto_policy_set_rtp_default(&policy->rtp);
	srtp_crypto_policy_set_rtcp_default(&policy->rtcp);
	switch (suite) {
	case SP_SRTP_AES_CM_128_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy->rtp);
		break;
	case SP_SRTP_AES_CM_256_80:
	case SP_SRTP_AES_CM_256_32:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtp);
		policy->rtcp = policy->rtp;
		if (suite == SP_SRTP_AES_CM_256_32)
			policy->rtp.auth_tag_len = 4;
		break;
	case SP_SRTP_GCM_128:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
		policy->rtcp = policy->rtp;
		break;
	case SP_SRTP_GCM_256:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
		policy->rtcp = policy->rtp;
		break;
	default:
		break;
	}
}

/*
 * libsrtp 2.5 looks for the MKI of an RTCP packet before a tag as long as
 * RTP's, and so never finds it with the _32 suites. It speaks of one protocol
 * at a time here: for RTCP both tags are RTCP's.
 */
static inline void
oracle_policy(struct oracle_words *words, struct sp_srtp_conf *conf, bool sends,
	bool rtcp)
{
	srtp_policy_t *policy = &words->policy;

	memset(words, 0, sizeof *words);
	oracle_suite(conf->suite, policy);
	if (conf->flags & SP_SRTP_NO_AUTH) {
		policy->rtp.auth_type = SRTP_NULL_AUTH;
		policy->rtp.auth_key_len = 0;
		policy->rtp.auth_tag_len = 0;
		policy->rtp.sec_serv = sec_serv_conf;
	}
	if (conf->flags & SP_SRTP_PLAIN_RTP)
		policy->rtp.sec_serv = conf->flags & SP_SRTP_NO_AUTH
			? sec_serv_none
			: sec_serv_auth;
	if (conf->flags & SP_SRTP_PLAIN_RTCP)
		policy->rtcp.sec_serv = sec_serv_auth;
	if (rtcp)
		policy->rtp = policy->rtcp;
	policy->ssrc.type = sends ? ssrc_any_outbound : ssrc_any_inbound;
	policy->window_size = SP_SRTP_WINDOW;
	for (unsigned int i = 0; i < conf->n_keys; i++) {
		words->key[i] = (srtp_master_key_t){
			.key = conf->key[i].key,
			.mki_id = conf->key[i].mki,
			.mki_size = conf->mki_len,
		};
		words->keys[i] = &words->key[i];
	}
	policy->keys = words->keys;
	policy->num_master_keys = conf->n_keys;
}

static inline srtp_t
oracle_open(const struct sp_srtp_conf *conf, bool sends, bool rtcp)
{
	struct sp_srtp_conf copy = *conf; /* its keys are not const there */
	struct oracle_words words;
	srtp_t oracle = NULL;

	oracle_policy(&words, &copy, sends, rtcp);
	cr_assert(eq(
		int, srtp_create(&oracle, &words.policy), srtp_err_status_ok));
	return oracle;
}

/* What libsrtp's answer is called here. */
static inline enum sp_srtp_fate
oracle_fate(srtp_err_status_t status)
{
	switch (status) {
	case srtp_err_status_ok:
		return SP_SRTP_OK;
	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old:
		return SP_SRTP_REPLAY;
	case srtp_err_status_bad_param:
	case srtp_err_status_parse_err:
		return SP_SRTP_SHORT;
	case srtp_err_status_auth_fail:
	case srtp_err_status_cipher_fail: /* GCM's tag, or no room for it */
	case srtp_err_status_cant_check:  /* RTCP's E bit is not as agreed */
	case srtp_err_status_bad_mki:
		return SP_SRTP_AUTH;
	default:
		cr_fatal("libsrtp answers %d", status);
	}
}

#endif
