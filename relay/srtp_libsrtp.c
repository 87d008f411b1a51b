/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine on libsrtp2. It is there because it runs wherever libsrtp2 does,
 * and because it holds the other one to account: every test runs under both.
 * Its cost is why it is not the default. Debian builds libsrtp2 on NSS, which
 * makes a context for each packet and walks lists of all there are: about 2 us
 * a packet while there are few keys in the process, twice that with 400, fifty
 * times with 4,000, and no faster on two cores. Hence SP_SRTP_LIBSRTP_MAX,
 * which counts the boxes of all engines of the process (one for a master key
 * of a direction, and for each key before it that is remembered), and
 * sp_srtp_about.slow, which is what the library itself says of its ciphers,
 * not a measurement.
 *
 * It is the library's ciphers and hash that work here (cipher.h, auth.h), not
 * its sessions. A session guesses the index of a packet by what it has seen
 * and keeps a window and RTCP's counter to itself; none of them can be set.
 * With two master keys under one window, a key that returns and must not use
 * an index again, or a packet that is tried again, srtp.c knows better. The
 * tests hold the outcome against sessions.
 *
 * What it does about the library: NSS decrypts GCM before it says whether the
 * tag was right, so it gets a copy; a header beyond what it takes as
 * associated data would stay behind for the next packet, so it is not asked;
 * a key's memory is NSS's own and may be in a core dump, which the daemon
 * does not write.
 */
#include "relay/srtp_libsrtp.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define AAD_MAX 2048u /* what NSS's GCM takes */
#define ROC_LEN 4u
#define TRAILER_LEN 4u /* RTCP's E bit and index */
#define E_BIT 0x80000000u
#define RTCP_HEADER_LEN 8u
#define RTCP_SSRC_AT 4
#define RTP_SSRC_AT 8
#define SSRC_IV_AT 4   /* of counter mode; GCM: two bytes earlier */
#define SCRATCH 65536u /* the longest packet */

struct lib {
	uint8_t scratch[SCRATCH]; /* GCM's packet between two steps */
};

static enum sp_status
lib_open(uint32_t capacity, void **out)
{
	const enum sp_status status = sp_libsrtp_start();
	struct lib *lib;

	(void)capacity;
	if (status != SP_OK)
		return status;
	lib = calloc(1, sizeof *lib);
	if (!lib)
		return SP_NO_MEMORY;
	*out = lib;
	return SP_OK;
}

static void
lib_close(void *lib)
{
	if (lib)
		explicit_bzero(lib, sizeof(struct lib));
	free(lib);
}

static void
put32(uint8_t *to, uint32_t v)
{
	v = htobe32(v);
	memcpy(to, &v, sizeof v);
}

static bool
start_cipher(const struct sp_libsrtp_box *box,
	const struct sp_libsrtp_half *half, const uint8_t *ssrc, uint64_t index,
	int direction)
{
	const uint64_t index_be = htobe64(index << 16);
	uint8_t iv[16] = { 0 };

	/* Spec: RFC 3711 section 4.1.1; RFC 7714 sections 8.1 and 9.1. */
	if (box->aead) {
		memcpy(iv + SSRC_IV_AT - 2, ssrc, 4);
		memcpy(iv + SSRC_IV_AT + 2, &index_be, 6);
		for (unsigned int i = 0; i < SP_LIBSRTP_IV_LEN; i++)
			iv[i] ^= half->salt[i];
	} else {
		memcpy(iv + SSRC_IV_AT, ssrc, 4);
		memcpy(iv + SSRC_IV_AT + 4, &index_be, 8);
	}
	return srtp_cipher_set_iv(half->cipher, iv, direction) ==
		srtp_err_status_ok;
}

/* Counter mode works the same way in both directions. */
static bool
crypt(const struct sp_libsrtp_box *box, const struct sp_libsrtp_half *half,
	const uint8_t *ssrc, uint64_t index, uint8_t *at, uint32_t len)
{
	return len == 0 ||
		(start_cipher(box, half, ssrc, index, srtp_direction_encrypt) &&
			srtp_cipher_encrypt(half->cipher, at, &len) ==
				srtp_err_status_ok);
}

/* The tag of @len bytes and @more behind them. */
static bool
hash(const struct sp_libsrtp_half *half, const uint8_t *data, uint32_t len,
	const uint8_t *more, uint32_t more_len, uint8_t *tag)
{
	return srtp_auth_start(half->auth) == srtp_err_status_ok &&
		srtp_auth_update(half->auth, data, (int)len) ==
		srtp_err_status_ok &&
		srtp_auth_compute(half->auth, more, (int)more_len, tag) ==
		srtp_err_status_ok;
}

/* In a time that says nothing of where they differ. */
static bool
tags_equal(const uint8_t *a, const uint8_t *b, unsigned int len)
{
	unsigned int differ = 0;

	for (unsigned int i = 0; i < len; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

static bool
start_gcm(const struct sp_libsrtp_box *box, const struct sp_libsrtp_half *half,
	const uint8_t *ssrc, uint64_t index, int direction,
	const uint8_t *header, uint32_t header_len)
{
	return header_len <= AAD_MAX - TRAILER_LEN &&
		start_cipher(box, half, ssrc, index, direction) &&
		srtp_cipher_set_aad(half->cipher, header, header_len) ==
		srtp_err_status_ok;
}

/* Encrypt what is between @at and @at + @len; the tag follows. */
static bool
seal(const struct sp_libsrtp_half *half, uint8_t *at, uint32_t len)
{
	uint8_t *end = at + len;
	uint32_t tag_len = SP_LIBSRTP_TAG_LEN;

	return srtp_cipher_encrypt(half->cipher, at, &len) ==
		srtp_err_status_ok &&
		srtp_cipher_get_tag(half->cipher, end, &tag_len) ==
		srtp_err_status_ok;
}

/* A box without one may get no pointer to it. */
static void
put_mki(uint8_t *to, const struct sp_libsrtp_box *box, const uint8_t *mki)
{
	if (box->mki_len > 0)
		memcpy(to, mki, box->mki_len);
}

static bool
protect_one(const struct sp_libsrtp_box *box, struct sp_srtp_packet *p,
	uint64_t index, const uint8_t *mki)
{
	const struct sp_libsrtp_half *half = &box->rtp;
	const uint8_t *ssrc = p->data + RTP_SSRC_AT;
	uint8_t *payload = p->data + p->header_len;
	const uint32_t len = p->len - p->header_len;
	uint8_t *end = p->data + p->len;
	uint8_t roc[ROC_LEN];

	put32(roc, (uint32_t)(index >> 16));
	if (box->aead) {
		if (!start_gcm(box, half, ssrc, index, srtp_direction_encrypt,
			    p->data, p->header_len) ||
			!seal(half, payload, len))
			return false;
		put_mki(end + SP_LIBSRTP_TAG_LEN, box, mki);
	} else {
		if (!(box->flags & SP_SRTP_PLAIN_RTP) &&
			!crypt(box, half, ssrc, index, payload, len))
			return false;
		put_mki(end, box, mki);
		if (half->auth &&
			!hash(half, p->data, p->len, roc, sizeof roc,
				end + box->mki_len))
			return false;
	}
	p->len = (uint16_t)(p->len + half->tag_len + box->mki_len);
	return true;
}

static void
protect(void *lib, struct sp_srtp_job job[], unsigned int n)
{
	(void)lib;
	for (unsigned int i = 0; i < n; i++)
		job[i].ok = protect_one(
			job[i].box, job[i].p, job[i].index, job[i].mki);
}

/* Bytes of the packet without its tag and MKI. */
static uint32_t
bare_len(const struct sp_libsrtp_box *box, const struct sp_srtp_packet *p)
{
	return (uint32_t)p->len - box->rtp.tag_len - box->mki_len;
}

static bool
authentic(struct lib *lib, const struct sp_srtp_job *job)
{
	const struct sp_libsrtp_box *box = job->box;
	const struct sp_srtp_packet *p = job->p;
	const uint32_t bare = bare_len(box, p);
	uint32_t len = bare - p->header_len + SP_LIBSRTP_TAG_LEN;
	uint8_t roc[ROC_LEN], tag[SP_SRTP_TAG_MAX];

	if (box->aead) {
		memcpy(lib->scratch, p->data + p->header_len, len);
		return start_gcm(box, &box->rtp, p->data + RTP_SSRC_AT,
			       job->index, srtp_direction_decrypt, p->data,
			       p->header_len) &&
			srtp_cipher_decrypt(box->rtp.cipher, lib->scratch,
				&len) == srtp_err_status_ok;
	}
	if (!box->rtp.auth)
		return true;
	put32(roc, (uint32_t)(job->index >> 16));
	return hash(&box->rtp, p->data, bare, roc, sizeof roc, tag) &&
		tags_equal(tag, p->data + p->len - box->rtp.tag_len,
			box->rtp.tag_len);
}

/* There is one scratch, hence one job at most. */
static void
unprotect(void *lib, struct sp_srtp_job job[], unsigned int n)
{
	assert(n <= 1);
	if (n > 0)
		job->ok = authentic(lib, job);
}

static void
decrypt(struct lib *lib, struct sp_srtp_job *job)
{
	const struct sp_libsrtp_box *box = job->box;
	struct sp_srtp_packet *p = job->p;
	const uint32_t bare = bare_len(box, p);
	uint8_t *payload = p->data + p->header_len;

	if (box->aead)
		memcpy(payload, lib->scratch, bare - p->header_len);
	else if (!(box->flags & SP_SRTP_PLAIN_RTP))
		job->ok = crypt(box, &box->rtp, p->data + RTP_SSRC_AT,
			job->index, payload, bare - p->header_len);
	p->len = (uint16_t)bare;
}

static void
finish(void *lib, struct sp_srtp_job job[], unsigned int n)
{
	if (n > 0 && job->ok)
		decrypt(lib, job);
}

/* Spec: RFC 3711 section 3.4, RFC 7714 section 9. */
static void
rtcp_protect(void *lib, struct sp_srtp_job *job)
{
	const struct sp_libsrtp_box *box = job->box;
	const struct sp_libsrtp_half *half = &box->rtcp;
	struct sp_srtp_packet *p = job->p;
	const uint8_t *ssrc = p->data + RTCP_SSRC_AT;
	const bool plain = box->flags & SP_SRTP_PLAIN_RTCP;
	uint8_t *body = p->data + RTCP_HEADER_LEN;
	uint8_t *end = p->data + p->len;
	const uint32_t len = p->len - RTCP_HEADER_LEN;
	uint8_t trailer[TRAILER_LEN];

	(void)lib;
	put32(trailer, (uint32_t)job->index | (plain ? 0 : E_BIT));
	if (box->aead) {
		job->ok = start_gcm(box, half, ssrc, job->index,
				  srtp_direction_encrypt, p->data,
				  RTCP_HEADER_LEN) &&
			srtp_cipher_set_aad(half->cipher, trailer,
				TRAILER_LEN) == srtp_err_status_ok &&
			seal(half, body, len);
		end += SP_LIBSRTP_TAG_LEN;
	} else {
		job->ok =
			plain || crypt(box, half, ssrc, job->index, body, len);
	}
	memcpy(end, trailer, TRAILER_LEN);
	end += TRAILER_LEN;
	put_mki(end, box, job->mki);
	end += box->mki_len;
	if (!box->aead)
		job->ok = job->ok &&
			hash(half, p->data, p->len, trailer, TRAILER_LEN, end);
	if (job->ok)
		p->len = (uint16_t)(p->len + TRAILER_LEN + half->tag_len +
			box->mki_len);
}

/* Decrypt what says that it is encrypted; that is in what the tag covers. */
static bool
rtcp_open_cm(const struct sp_libsrtp_box *box, struct sp_srtp_packet *p,
	uint64_t index, uint32_t bare)
{
	const struct sp_libsrtp_half *half = &box->rtcp;
	const uint8_t *trailer = p->data + bare;
	uint8_t tag[SP_SRTP_TAG_MAX];

	if (!hash(half, p->data, bare, trailer, TRAILER_LEN, tag) ||
		!tags_equal(
			tag, p->data + p->len - half->tag_len, half->tag_len))
		return false;
	return !(trailer[0] & E_BIT >> 24) ||
		crypt(box, half, p->data + RTCP_SSRC_AT, index,
			p->data + RTCP_HEADER_LEN, bare - RTCP_HEADER_LEN);
}

static bool
rtcp_open_gcm(struct lib *lib, const struct sp_libsrtp_box *box,
	struct sp_srtp_packet *p, uint64_t index, uint32_t bare)
{
	const struct sp_libsrtp_half *half = &box->rtcp;
	const uint8_t *trailer = p->data + bare + SP_LIBSRTP_TAG_LEN;
	uint8_t *body = p->data + RTCP_HEADER_LEN;
	uint32_t len = bare - RTCP_HEADER_LEN + SP_LIBSRTP_TAG_LEN;

	memcpy(lib->scratch, body, len);
	if (!start_gcm(box, half, p->data + RTCP_SSRC_AT, index,
		    srtp_direction_decrypt, p->data, RTCP_HEADER_LEN) ||
		srtp_cipher_set_aad(half->cipher, trailer, TRAILER_LEN) !=
			srtp_err_status_ok ||
		srtp_cipher_decrypt(half->cipher, lib->scratch, &len) !=
			srtp_err_status_ok)
		return false;
	memcpy(body, lib->scratch, bare - RTCP_HEADER_LEN);
	return true;
}

static void
rtcp_unprotect(void *lib, struct sp_srtp_job *job)
{
	const struct sp_libsrtp_box *box = job->box;
	struct sp_srtp_packet *p = job->p;
	const uint32_t bare = (uint32_t)p->len - TRAILER_LEN -
		box->rtcp.tag_len - box->mki_len;

	job->ok = box->aead ? rtcp_open_gcm(lib, box, p, job->index, bare)
			    : rtcp_open_cm(box, p, job->index, bare);
	if (job->ok)
		p->len = (uint16_t)bare;
}

const struct sp_srtp_ops sp_srtp_libsrtp_ops = {
	.kind = SP_SRTP_LIBSRTP,
	.burst = 1, /* it gains nothing from more */
	.open = lib_open,
	.close = lib_close,
	.about = sp_libsrtp_about,
	.box_open = sp_libsrtp_box_open,
	.box_close = sp_libsrtp_box_close,
	.box_same = sp_libsrtp_box_same,
	.protect = protect,
	.unprotect = unprotect,
	.finish = finish,
	.rtcp_protect = rtcp_protect,
	.rtcp_unprotect = rtcp_unprotect,
};
