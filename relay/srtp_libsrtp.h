/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SRTP_LIBSRTP_H
#define SP_RELAY_SRTP_LIBSRTP_H

#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <srtp2/srtp.h>

#include "relay/srtp_engine.h"

/*
 * What the two files of the engine on libsrtp2 share: srtp_libsrtp_box.c
 * derives and keeps keys, srtp_libsrtp.c works on packets.
 */

#define SP_LIBSRTP_IV_LEN 12u  /* GCM's, and its salt */
#define SP_LIBSRTP_TAG_LEN 16u /* GCM's */

/* The session keys of RTP, or of RTCP. */
struct sp_libsrtp_half {
	srtp_cipher_t *cipher;
	srtp_auth_t *auth;               /* NULL: GCM, or no tags */
	uint8_t salt[SP_LIBSRTP_IV_LEN]; /* counter mode's is in the cipher */
	uint8_t tag_len;
};

/* All keys that come from one master key. */
struct sp_libsrtp_box {
	struct sp_libsrtp_half rtp;
	struct sp_libsrtp_half rtcp;
	uint8_t master[SP_SRTP_KEY_MAX];
	uint8_t suite;
	uint8_t flags;
	uint8_t mki_len;
	bool aead;
};

/*
 * Start the library, the first time.
 *
 * Core:  start-up.
 * Fails: SP_UNSUPPORTED if it finds that it does not work.
 */
enum sp_status sp_libsrtp_start(void) SP_MUST_CHECK;

/* As struct sp_srtp_ops has them. */
void sp_libsrtp_about(const void *lib, struct sp_srtp_about *out);
enum sp_status sp_libsrtp_box_open(void *lib, const struct sp_srtp_conf *conf,
	unsigned int k, bool sends, void **out);
void sp_libsrtp_box_close(void *lib, void *at);
bool sp_libsrtp_box_same(void *lib, const void *at,
	const struct sp_srtp_conf *conf, unsigned int k);

#endif
