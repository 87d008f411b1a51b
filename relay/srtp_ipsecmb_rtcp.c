/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP, a packet at a time. Its keys are expanded for each: that takes as
 * long as the packet does, and spares every direction the room.
 *
 * Spec: RFC 3711 section 3.4, RFC 7714 section 9.
 */
#include "relay/srtp_ipsecmb_packet.h"

#define HEADER_LEN 8u
#define SSRC_AT 4u
#define WORD_LEN 4u /* E bit and index */
#define TAG_LEN 10u
#define ENCRYPTED 0x80000000u
#define E_BIT 0x80 /* the same in the word's first byte */

void
sp_ipsecmb_crypt(struct sp_ipsecmb *m, const void *keys, bool is_long,
	const uint8_t iv[SP_IPSECMB_BLOCK], uint8_t *at, size_t len)
{
	IMB_JOB job = {
		.cipher_mode = IMB_CIPHER_CNTR,
		.cipher_direction = IMB_DIR_ENCRYPT,
		.chain_order = IMB_ORDER_CIPHER_HASH,
		.hash_alg = IMB_AUTH_NULL,
		.enc_keys = keys,
		.src = at,
		.dst = at,
		.msg_len_to_cipher_in_bytes = len,
		.iv = iv,
		.iv_len_in_bytes = SP_IPSECMB_BLOCK,
	};

	if (len > 0)
		IMB_SUBMIT_CIPHER_BURST_NOCHECK(m->many, &job, 1,
			IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
			is_long ? IMB_KEY_256_BYTES : IMB_KEY_128_BYTES);
}

/* Counter mode over all behind the header. */
static void
crypt(struct sp_ipsecmb *m, const struct sp_srtp_job *job, unsigned int end)
{
	const struct sp_ipsecmb_box *box = job->box;
	const struct sp_ipsecmb_rtcp *keys = sp_ipsecmb_rtcp(box);
	alignas(SP_IPSECMB_BLOCK) uint8_t expanded[15 * SP_IPSECMB_BLOCK];
	alignas(SP_IPSECMB_BLOCK) uint8_t unused[15 * SP_IPSECMB_BLOCK];
	uint8_t salt[SP_IPSECMB_BLOCK] = { 0 };
	uint8_t iv[SP_IPSECMB_BLOCK];

	memcpy(salt, keys->salt, sizeof keys->salt);
	sp_ipsecmb_iv(salt, job->p->data + SSRC_AT, job->index, iv);
	if (box->long_key)
		IMB_AES_KEYEXP_256(m->many, keys->key, expanded, unused);
	else
		IMB_AES_KEYEXP_128(m->many, keys->key, expanded, unused);
	sp_ipsecmb_crypt(m, expanded, box->long_key, iv,
		job->p->data + HEADER_LEN, end - HEADER_LEN);
	explicit_bzero(expanded, sizeof expanded);
	explicit_bzero(unused, sizeof unused);
	explicit_bzero(salt, sizeof salt);
}

/* The tag of the first @len bytes. */
static void
hash(struct sp_ipsecmb *m, const struct sp_srtp_job *job, unsigned int len,
	uint8_t tag[SP_IPSECMB_BLOCK])
{
	uint32_t inner[5], outer[5];
	IMB_JOB hash = {
		.hash_alg = IMB_AUTH_HMAC_SHA_1,
		.src = job->p->data,
		.msg_len_to_hash_in_bytes = len,
		.auth_tag_output = tag,
		.auth_tag_output_len_in_bytes = SP_IPSECMB_TAG,
		.u.HMAC._hashed_auth_key_xor_ipad = (uint8_t *)inner,
		.u.HMAC._hashed_auth_key_xor_opad = (uint8_t *)outer,
	};

	sp_ipsecmb_pads(m, sp_ipsecmb_rtcp(job->box)->auth, inner, outer);
	IMB_SUBMIT_HASH_BURST_NOCHECK(
		m->few ? m->few : m->many, &hash, 1, IMB_AUTH_HMAC_SHA_1);
	explicit_bzero(inner, sizeof inner);
	explicit_bzero(outer, sizeof outer);
}

/* GCM over the first @end bytes; the word is authenticated with the header. */
static void
gcm(struct sp_ipsecmb *m, const struct sp_srtp_job *job, bool encrypt,
	unsigned int end, uint8_t tag[SP_IPSECMB_GCM_TAG])
{
	const struct sp_ipsecmb_box *box = job->box;
	const struct sp_ipsecmb_rtcp *keys = sp_ipsecmb_rtcp(box);
	const uint32_t word_be =
		__builtin_bswap32((uint32_t)job->index | ENCRYPTED);
	alignas(SP_SRTP_LINE) struct gcm_key_data expanded;
	uint8_t salt[SP_IPSECMB_BLOCK] = { 0 };
	uint8_t iv[SP_IPSECMB_BLOCK];
	uint8_t aad[HEADER_LEN + WORD_LEN];

	memcpy(salt, keys->salt, sizeof keys->salt);
	memcpy(aad, job->p->data, HEADER_LEN);
	memcpy(aad + HEADER_LEN, &word_be, sizeof word_be);
	sp_ipsecmb_nonce(salt, job->p->data + SSRC_AT, job->index, iv);
	if (box->long_key)
		IMB_AES256_GCM_PRE(m->many, keys->key, &expanded);
	else
		IMB_AES128_GCM_PRE(m->many, keys->key, &expanded);
	sp_ipsecmb_gcm(m, &expanded, box->long_key, encrypt, iv, aad,
		sizeof aad, job->p->data + HEADER_LEN, end - HEADER_LEN, tag);
	explicit_bzero(&expanded, sizeof expanded);
	explicit_bzero(salt, sizeof salt);
}

/* Append; returns what is behind it. */
static uint8_t *
put(uint8_t *to, const void *from, size_t len)
{
	if (len > 0) /* @from may be NULL then */
		memcpy(to, from, len);
	return to + len;
}

void
sp_ipsecmb_rtcp_protect(void *lib, struct sp_srtp_job *job)
{
	const struct sp_ipsecmb_box *box = job->box;
	const bool plain = box->flags & SP_SRTP_PLAIN_RTCP;
	const uint32_t word_be = __builtin_bswap32(
		(uint32_t)job->index | (plain ? 0 : ENCRYPTED));
	struct sp_srtp_packet *p = job->p;
	uint8_t *end = p->data + p->len;
	uint8_t tag[SP_IPSECMB_BLOCK];

	if (box->kind == SP_IPSECMB_KEY_GCM) {
		gcm(lib, job, true, p->len, tag);
		end = put(end, tag, SP_IPSECMB_GCM_TAG);
		end = put(end, &word_be, sizeof word_be);
		end = put(end, job->mki, box->mki_len);
	} else {
		if (!plain)
			crypt(lib, job, p->len);
		end = put(end, &word_be, sizeof word_be);
		hash(lib, job, p->len + WORD_LEN, tag);
		end = put(end, job->mki, box->mki_len);
		end = put(end, tag, TAG_LEN);
	}
	p->len = (uint16_t)(end - p->data);
}

/* Where what is encrypted ends. */
static unsigned int
content_end(const struct sp_srtp_job *job)
{
	const struct sp_ipsecmb_box *box = job->box;
	const unsigned int tag =
		box->kind == SP_IPSECMB_KEY_GCM ? SP_IPSECMB_GCM_TAG : TAG_LEN;

	return job->p->len - tag - WORD_LEN - box->mki_len;
}

void
sp_ipsecmb_rtcp_unprotect(void *lib, struct sp_srtp_job *job)
{
	const struct sp_ipsecmb_box *box = job->box;
	struct sp_srtp_packet *p = job->p;
	const unsigned int end = content_end(job);
	uint8_t tag[SP_IPSECMB_BLOCK];

	if (box->kind == SP_IPSECMB_KEY_GCM) {
		gcm(lib, job, false, end, tag);
		job->ok = sp_ipsecmb_equal(
			tag, p->data + end, SP_IPSECMB_GCM_TAG);
	} else {
		hash(lib, job, end + WORD_LEN, tag);
		job->ok = sp_ipsecmb_equal(
			tag, p->data + end + WORD_LEN + box->mki_len, TAG_LEN);
		if (job->ok && p->data[end] & E_BIT)
			crypt(lib, job, end);
	}
	if (job->ok)
		p->len = (uint16_t)end;
}

/* Only GCM has changed what it turned away. */
void
sp_ipsecmb_rtcp_undo(void *lib, struct sp_srtp_job *job)
{
	const struct sp_ipsecmb_box *box = job->box;
	uint8_t unused[SP_IPSECMB_GCM_TAG];

	if (box->kind == SP_IPSECMB_KEY_GCM && !job->ok)
		gcm(lib, job, true, content_end(job), unused);
}
