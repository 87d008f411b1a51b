/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floor under an SRTP stage on ipsec-mb: its cipher and its hash over the
 * same bursts, buffers and streams, and nothing else: no index, no window, no
 * IV worked out (they lie ready), no tag compared or moved.
 */
#define NO_COMPAT_IMB_API_053 /* names that other libraries use too */
#include <float.h>
#include <intel-ipsec-mb.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/srtp_contender.h"
#include "relay/rtp.h"

#define LINE 64u
#define PADS 64u        /* room of both HMAC states, before the cipher's key */
#define ROC 4u          /* hashed behind a packet */
#define HMAC_OUTPUT 12u /* 1.3 writes 12 or 20 bytes */
#define GCM_TAG 16u
#define GCM_KEYS 1024u  /* of sizeof(struct gcm_key_data), on lines */
#define GCM_POWERS 768u /* bytes of the hash key's powers at its end */
#define GCM_AHEAD 8u
#define TUNE_ROUNDS 10u
#define HMAC_BLOCK 64u
#define HMAC_KEY 20u
#define SHA1_STATE 20u

struct bare {
	IMB_MGR *wide;   /* the widest instructions */
	IMB_MGR *narrow; /* SHA-NI, good for few packets at a time */
	IMB_MGR *m;      /* one of both */
	bool gcm;
	uint32_t key_len;
	uint32_t streams;
	size_t each;                   /* bytes of a stream's keys */
	uint8_t *keys;                 /* senders' first, then receivers' */
	uint8_t *key[2][RING_PACKETS]; /* of the ring's packets */
	alignas(LINE) uint8_t iv[RING_PACKETS][16];
	alignas(LINE) uint8_t tag[SP_SRTP_BURST][16];
	alignas(LINE) struct gcm_context_data context;
	IMB_JOB job[SP_SRTP_BURST]; /* of the cipher and of the hash */
};

/* SHA-1 of one HMAC pad, where ipsec-mb goes on from. */
static void
expand_pad(
	struct bare *b, const uint8_t key[HMAC_KEY], uint8_t pad, uint8_t *out)
{
	uint8_t block[HMAC_BLOCK];

	memset(block, pad, sizeof block);
	for (unsigned int i = 0; i < HMAC_KEY; i++)
		block[i] ^= key[i];
	IMB_SHA1_ONE_BLOCK(b->m, block, out);
}

static void
expand(struct bare *b, uint8_t *to)
{
	alignas(16) uint8_t key[32], unused[16 * 15];
	uint8_t mac[HMAC_KEY];

	srtp_ring_key(key, sizeof key);
	srtp_ring_key(mac, sizeof mac);
	if (b->gcm && b->key_len == 16) {
		IMB_AES128_GCM_PRE(b->m, key, (struct gcm_key_data *)to);
	} else if (b->gcm) {
		IMB_AES256_GCM_PRE(b->m, key, (struct gcm_key_data *)to);
	} else {
		expand_pad(b, mac, 0x36, to);
		expand_pad(b, mac, 0x5c, to + PADS / 2);
		if (b->key_len == 16)
			IMB_AES_KEYEXP_128(b->m, key, to + PADS, unused);
		else
			IMB_AES_KEYEXP_256(b->m, key, to + PADS, unused);
	}
}

/* What is the same for every packet. */
static void
prepare_jobs(struct bare *b)
{
	for (unsigned int i = 0; i < SP_SRTP_BURST; i++)
		b->job[i] = (IMB_JOB){
			.cipher_mode = IMB_CIPHER_CNTR,
			.cipher_direction = IMB_DIR_ENCRYPT,
			.hash_alg = IMB_AUTH_HMAC_SHA_1,
			.key_len_in_bytes = b->key_len,
			.iv_len_in_bytes = sizeof b->iv[0],
			.cipher_start_src_offset_in_bytes = SP_RTP_HEADER_MIN,
			.auth_tag_output_len_in_bytes = HMAC_OUTPUT,
		};
}

static void *
open_bare(enum sp_srtp_suite suite, uint32_t streams)
{
	const struct sp_srtp_facts *facts = sp_srtp_facts(suite);
	struct bare *b = aligned_alloc(LINE, sizeof *b);

	if (!b)
		abort();
	memset(b, 0, sizeof *b);
	b->wide = alloc_mb_mgr(0);
	b->narrow = alloc_mb_mgr(0);
	if (!b->wide || !b->narrow)
		abort();
	init_mb_mgr_auto(b->wide, NULL);
	init_mb_mgr_sse(b->narrow);
	b->m = b->wide;
	b->gcm = facts->aead;
	b->key_len = facts->key_len;
	b->streams = streams;
	b->each = b->gcm ? GCM_KEYS : PADS + (b->key_len == 16 ? 192u : 256u);
	b->keys = srtp_ring_map(2 * streams * b->each);
	for (uint32_t i = 0; i < streams; i++)
		expand(b, b->keys + i * b->each);
	/* Both ends have the same keys, each its own copy. */
	memcpy(b->keys + streams * b->each, b->keys, streams * b->each);
	prepare_jobs(b);
	return b;
}

static void
close_bare(void *self)
{
	struct bare *b = self;

	munmap(b->keys, 2 * b->streams * b->each);
	free_mb_mgr(b->wide);
	free_mb_mgr(b->narrow);
	free(b);
}

static void
find(void *self, const struct srtp_ring *r)
{
	struct bare *b = self;

	for (unsigned int i = 0; i < RING_PACKETS; i++) {
		b->key[0][i] = b->keys + r->stream[i] * b->each;
		b->key[1][i] = b->keys + (b->streams + r->stream[i]) * b->each;
		memset(b->iv[i], 0, sizeof b->iv[i]);
		memcpy(b->iv[i] + 4, r->packet[i].data + 8, 4);
		memcpy(b->iv[i] + 10, r->packet[i].data + 2, 2);
	}
}

static void
prefetch(const uint8_t *at, const uint8_t *end)
{
	for (; at < end; at += LINE)
		__builtin_prefetch(at);
}

/*
 * Protecting, the tag goes to its place; else aside, to be compared. All keys
 * of a burst are prefetched: without it, this is half as fast in 100,000
 * streams.
 */
static void
fill_jobs(struct bare *b, uint8_t *const key[], const struct sp_srtp_packet p[],
	uint8_t iv[][16], unsigned int n, bool sends)
{
	for (unsigned int i = 0; i < n; i++)
		prefetch(key[i], key[i] + b->each);
	for (unsigned int i = 0; i < n; i++) {
		IMB_JOB *job = &b->job[i];

		job->src = p[i].data;
		job->dst = p[i].data + SP_RTP_HEADER_MIN;
		job->msg_len_to_cipher_in_bytes = p[i].len - SP_RTP_HEADER_MIN;
		job->iv = iv[i];
		job->enc_keys = key[i] + PADS;
		job->msg_len_to_hash_in_bytes = p[i].len + ROC;
		job->u.HMAC._hashed_auth_key_xor_ipad = key[i];
		job->u.HMAC._hashed_auth_key_xor_opad = key[i] + PADS / 2;
		job->auth_tag_output = sends ? p[i].data + p[i].len : b->tag[i];
	}
}

static void
cipher(struct bare *b, unsigned int n)
{
	if (IMB_SUBMIT_CIPHER_BURST_NOCHECK(b->m, b->job, n, IMB_CIPHER_CNTR,
		    IMB_DIR_ENCRYPT, b->key_len) != n)
		abort();
}

static void
hash(struct bare *b, unsigned int n)
{
	if (IMB_SUBMIT_HASH_BURST_NOCHECK(
		    b->m, b->job, n, IMB_AUTH_HMAC_SHA_1) != n)
		abort();
}

/*
 * What a GCM call reads of its keys: the key schedule, and from the end as
 * many powers of the hash key as there are blocks. A burst's keys would fill
 * the first cache, so it is done some packets ahead.
 */
static void
gcm_prefetch(const struct bare *b, const uint8_t *key, uint64_t len)
{
	const uint64_t powers =
		len + 2 * 16 < GCM_POWERS ? len + 2 * 16 : GCM_POWERS;
	const uint8_t *end = key + sizeof(struct gcm_key_data);

	prefetch(key, key + 16 * (b->key_len / 4 + 7));
	prefetch(end - powers, end);
}

static void
gcm_protect(struct bare *b, uint8_t *const key[],
	const struct sp_srtp_packet p[], uint8_t iv[][16], unsigned int n)
{
	for (unsigned int i = 0; i < n && i < GCM_AHEAD; i++)
		gcm_prefetch(b, key[i], p[i].len);
	for (unsigned int i = 0; i < n; i++) {
		uint8_t *text = p[i].data + SP_RTP_HEADER_MIN;
		const uint64_t len = p[i].len - SP_RTP_HEADER_MIN;
		const struct gcm_key_data *k =
			(const struct gcm_key_data *)key[i];

		if (i + GCM_AHEAD < n)
			gcm_prefetch(
				b, key[i + GCM_AHEAD], p[i + GCM_AHEAD].len);
		if (b->key_len == 16)
			IMB_AES128_GCM_ENC(b->m, k, &b->context, text, text,
				len, iv[i], p[i].data, SP_RTP_HEADER_MIN,
				text + len, GCM_TAG);
		else
			IMB_AES256_GCM_ENC(b->m, k, &b->context, text, text,
				len, iv[i], p[i].data, SP_RTP_HEADER_MIN,
				text + len, GCM_TAG);
	}
}

static void
gcm_unprotect(struct bare *b, uint8_t *const key[],
	const struct sp_srtp_packet p[], uint8_t iv[][16], unsigned int n)
{
	for (unsigned int i = 0; i < n && i < GCM_AHEAD; i++)
		gcm_prefetch(b, key[i], p[i].len);
	for (unsigned int i = 0; i < n; i++) {
		uint8_t *text = p[i].data + SP_RTP_HEADER_MIN;
		const uint64_t len = p[i].len - SP_RTP_HEADER_MIN;
		const struct gcm_key_data *k =
			(const struct gcm_key_data *)key[i];

		if (i + GCM_AHEAD < n)
			gcm_prefetch(
				b, key[i + GCM_AHEAD], p[i + GCM_AHEAD].len);
		if (b->key_len == 16)
			IMB_AES128_GCM_DEC(b->m, k, &b->context, text, text,
				len, iv[i], p[i].data, SP_RTP_HEADER_MIN,
				b->tag[i], GCM_TAG);
		else
			IMB_AES256_GCM_DEC(b->m, k, &b->context, text, text,
				len, iv[i], p[i].data, SP_RTP_HEADER_MIN,
				b->tag[i], GCM_TAG);
	}
}

static void
protect(void *self, struct srtp_ring *r, unsigned int burst)
{
	struct bare *b = self;

	for (unsigned int i = 0; i < RING_PACKETS; i += burst) {
		if (b->gcm) {
			gcm_protect(b, &b->key[0][i], &r->packet[i], &b->iv[i],
				burst);
			continue;
		}
		fill_jobs(b, &b->key[0][i], &r->packet[i], &b->iv[i], burst,
			true);
		cipher(b, burst);
		hash(b, burst);
	}
}

static void
unprotect(void *self, struct srtp_ring *r, unsigned int burst)
{
	struct bare *b = self;

	for (unsigned int i = 0; i < RING_PACKETS; i += burst) {
		if (b->gcm) {
			gcm_unprotect(b, &b->key[1][i], &r->packet[i],
				&b->iv[i], burst);
			continue;
		}
		fill_jobs(b, &b->key[1][i], &r->packet[i], &b->iv[i], burst,
			false);
		hash(b, burst);
		cipher(b, burst);
	}
}

static double
time_ring(struct bare *b, struct srtp_ring *r, unsigned int burst)
{
	const double start = srtp_lap_cycles();

	protect(b, r, burst);
	unprotect(b, r, burst);
	return srtp_lap_cycles() - start;
}

/* Which manager is quicker here? The keys of AES-CM suit both. */
static void
tune(void *self, struct srtp_ring *r, struct srtp_walk *w, uint16_t payload,
	unsigned int burst)
{
	struct bare *b = self;
	double best[2] = { DBL_MAX, DBL_MAX };

	for (unsigned int i = 0; i < TUNE_ROUNDS && !b->gcm; i++) {
		double took;

		srtp_ring_fill(r, w, payload);
		find(b, r);
		b->m = i % 2 == 0 ? b->wide : b->narrow;
		took = time_ring(b, r, burst);
		if (took < best[i % 2])
			best[i % 2] = took;
	}
	b->m = best[1] < best[0] ? b->narrow : b->wide;
}

const struct srtp_contender srtp_bare = {
	.name = "bare",
	.open = open_bare,
	.close = close_bare,
	.tune = tune,
	.find = find,
	.protect = protect,
	.unprotect = unprotect,
};
