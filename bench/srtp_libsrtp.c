/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system's libsrtp2, one session a direction as its users have them; a
 * burst is one call after the other.
 */
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

#include "bench/srtp_contender.h"

#define WINDOW 128

struct libsrtp {
	uint32_t streams;
	srtp_t *sends;
	srtp_t *receives;
	srtp_t out[RING_PACKETS];
	srtp_t in[RING_PACKETS];
};

static void
set_suite(srtp_crypto_policy_t *p, enum sp_srtp_suite suite)
{
	switch (suite) {
	case SP_SRTP_AES_CM_128_80:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(p);
		break;
	case SP_SRTP_AES_CM_128_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(p);
		break;
	case SP_SRTP_AES_CM_256_80:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(p);
		break;
	case SP_SRTP_AES_CM_256_32:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(p);
		break;
	case SP_SRTP_GCM_128:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(p);
		break;
	case SP_SRTP_GCM_256:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(p);
		break;
	case SP_SRTP_NONE:
	case SP_SRTP_SUITES:
		abort();
	}
}

static void *
open_libsrtp(enum sp_srtp_suite suite, uint32_t streams)
{
	struct libsrtp *l = calloc(1, sizeof *l);

	if (!l)
		abort();
	(void)srtp_init(); /* fails if the engine has done it already */
	l->streams = streams;
	l->sends = calloc(streams, sizeof(srtp_t));
	l->receives = calloc(streams, sizeof(srtp_t));
	if (!l->sends || !l->receives)
		abort();
	for (uint32_t i = 0; i < streams; i++) {
		uint8_t key[SP_SRTP_KEY_MAX];
		srtp_policy_t p = { .key = key, .window_size = WINDOW };

		srtp_ring_key(key, sizeof key);
		set_suite(&p.rtp, suite);
		set_suite(&p.rtcp, suite);
		p.ssrc.type = ssrc_any_outbound;
		if (srtp_create(&l->sends[i], &p) != srtp_err_status_ok)
			abort();
		p.ssrc.type = ssrc_any_inbound;
		if (srtp_create(&l->receives[i], &p) != srtp_err_status_ok)
			abort();
	}
	return l;
}

static void
close_libsrtp(void *self)
{
	struct libsrtp *l = self;

	for (uint32_t i = 0; i < l->streams; i++) {
		srtp_dealloc(l->sends[i]);
		srtp_dealloc(l->receives[i]);
	}
	free(l->sends);
	free(l->receives);
	free(l);
}

static void
find(void *self, const struct srtp_ring *r)
{
	struct libsrtp *l = self;

	for (unsigned int i = 0; i < RING_PACKETS; i++) {
		l->out[i] = l->sends[r->stream[i]];
		l->in[i] = l->receives[r->stream[i]];
	}
}

static void
protect(void *self, struct srtp_ring *r, unsigned int burst)
{
	struct libsrtp *l = self;

	(void)burst;
	for (unsigned int i = 0; i < RING_PACKETS; i++) {
		struct sp_srtp_packet *p = &r->packet[i];
		int len = p->len;

		r->refused += srtp_protect(l->out[i], p->data, &len) !=
			srtp_err_status_ok;
		p->len = (uint16_t)len;
	}
}

static void
unprotect(void *self, struct srtp_ring *r, unsigned int burst)
{
	struct libsrtp *l = self;

	(void)burst;
	for (unsigned int i = 0; i < RING_PACKETS; i++) {
		struct sp_srtp_packet *p = &r->packet[i];
		int len = p->len;

		r->refused += srtp_unprotect(l->in[i], p->data, &len) !=
			srtp_err_status_ok;
		p->len = (uint16_t)len;
	}
}

const struct srtp_contender srtp_libsrtp = {
	.name = "libsrtp2",
	.open = open_libsrtp,
	.close = close_libsrtp,
	.find = find,
	.protect = protect,
	.unprotect = unprotect,
};
