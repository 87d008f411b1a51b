/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SRTP_IPSECMB_PACKET_H
#define SP_RELAY_SRTP_IPSECMB_PACKET_H

#include "relay/srtp_ipsecmb.h"

/* What the engine on libipsec-mb does to a packet besides calling it. */

#define SP_IPSECMB_SSRC_AT 8u /* of RTP */

/* Where an RTP packet's payload ends, and its tag or its MKI begins. */
static inline unsigned int
sp_ipsecmb_payload_end(const struct sp_srtp_job *job)
{
	const struct sp_ipsecmb_box *box = job->box;

	return (unsigned int)(job->p->len - box->mki_len - box->tag_len);
}

/* The tag is in place; put the MKI @mki_at behind the payload. */
static inline void
sp_ipsecmb_close_packet(const struct sp_srtp_job *job, unsigned int mki_at)
{
	const struct sp_ipsecmb_box *box = job->box;
	struct sp_srtp_packet *p = job->p;

	if (__builtin_expect(box->mki_len != 0, 0))
		memcpy(p->data + p->len + mki_at, job->mki, box->mki_len);
	p->len = (uint16_t)(p->len + box->tag_len + box->mki_len);
}

/* Encrypt or decrypt with GCM; @tag gets 16 bytes. */
static inline void
sp_ipsecmb_gcm(const struct sp_ipsecmb *m, const void *keys, bool is_long,
	bool encrypt, const uint8_t iv[12], const uint8_t *aad, size_t aad_len,
	uint8_t *at, size_t len, uint8_t *tag)
{
	struct gcm_context_data context;
	aes_gcm_enc_dec_t call;

	if (is_long)
		call = encrypt ? m->many->gcm256_enc : m->many->gcm256_dec;
	else
		call = encrypt ? m->many->gcm128_enc : m->many->gcm128_dec;
	call(keys, &context, at, at, len, iv, aad, aad_len, tag,
		SP_IPSECMB_GCM_TAG);
}

/*
 * Are the first @len bytes of both equal? In a time that says nothing of
 * where they differ. Reads 16 bytes of each, whatever @len.
 */
static inline bool
sp_ipsecmb_equal(const uint8_t *a, const uint8_t *b, unsigned int len)
{
	const unsigned int low = len < 8 ? 8 * (8 - len) : 0;
	const unsigned int high = len > 8 ? 8 * (16 - len) : 0;
	uint64_t x[2], y[2];

	if (len == 0)
		return true;
	memcpy(x, a, sizeof x);
	memcpy(y, b, sizeof y);
	x[0] ^= y[0];
	x[1] ^= y[1];
	return ((x[0] << low) | (len > 8 ? x[1] << high : 0)) == 0;
}

/* In one store: the library's load of 12 or 16 bytes would wait for two. */
static inline void
sp_ipsecmb_put_iv(const uint8_t *salt, uint64_t first, uint64_t second,
	uint8_t iv[SP_IPSECMB_BLOCK])
{
	uint64_t both __attribute__((vector_size(16))) = { first, second };
	uint64_t with __attribute__((vector_size(16)));

	memcpy(&with, salt, sizeof with);
	both ^= with;
	memcpy(iv, &both, sizeof both);
}

/*
 * The counter block that AES-CM starts with, and the nonce of GCM (12
 * bytes), from the SSRC as it lies in the packet.
 *
 * Spec: RFC 3711 section 4.1.1, RFC 7714 sections 8.1 and 9.1.
 */
static inline void
sp_ipsecmb_iv(const uint8_t *salt, const uint8_t *ssrc, uint64_t index,
	uint8_t iv[SP_IPSECMB_BLOCK])
{
	uint32_t ssrc_be;

	memcpy(&ssrc_be, ssrc, sizeof ssrc_be);
	sp_ipsecmb_put_iv(salt, (uint64_t)ssrc_be << 32,
		__builtin_bswap64(index << 16), iv);
}

static inline void
sp_ipsecmb_nonce(const uint8_t *salt, const uint8_t *ssrc, uint64_t index,
	uint8_t iv[SP_IPSECMB_BLOCK])
{
	const uint64_t index_be = __builtin_bswap64(index << 16);
	uint32_t ssrc_be;

	memcpy(&ssrc_be, ssrc, sizeof ssrc_be);
	sp_ipsecmb_put_iv(salt, (uint64_t)ssrc_be << 16 ^ index_be << 48,
		index_be >> 16, iv);
}

#endif
