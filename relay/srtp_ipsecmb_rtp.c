/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bursts of RTP: the jobs are put in order of what is to be done to them, so
 * that each call of the library gets a run of its array.
 *
 * The ROC, which HMAC covers and no packet holds, is written behind the
 * payload; when sending the tag then goes over it, when receiving it lies
 * over the tag for as long as the hash takes.
 *
 * Spec: RFC 3711 sections 4.1.1 and 4.2, RFC 7714 section 8.
 */
#include "relay/srtp_ipsecmb_packet.h"

#define ROC_LEN 4u
#define HASH_BLOCK 64u
#define HASH_END 9u    /* bytes that SHA-1 adds, at least */
#define BLOCKS_MAX 31u /* longer packets count as such */
#define KEYS_OF_WORK (BLOCKS_MAX + 1)
#define KEYS (SP_IPSECMB_WORKS * KEYS_OF_WORK)

/*
 * So many packets of that many blocks, or fewer, are hashed faster one by one
 * with the SHA instructions. Measured on AMD Zen 5 and Intel Emerald Rapids.
 */
static const uint8_t few[BLOCKS_MAX + 1] = {
	[0 ... 1] = 12,
	[2] = 10,
	[3] = 8,
	[4 ... 5] = 6,
	[6 ... 9] = 5,
	[10 ... BLOCKS_MAX] = 4,
};

/* What is to be done to a packet until @end, and how many blocks are hashed. */
static inline unsigned int
sort_key(const struct sp_srtp_job *job, unsigned int end)
{
	const struct sp_ipsecmb_box *box = job->box;
	const unsigned int blocks =
		(end + ROC_LEN + HASH_END - 1) / HASH_BLOCK + 1;
	unsigned int work = box->work;

	if (work == SP_IPSECMB_GCM)
		return work * KEYS_OF_WORK;
	if (__builtin_expect(end == job->p->header_len, 0))
		work = box->work_empty;
	return work * KEYS_OF_WORK +
		(blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX);
}

/* Put packets of different keys in order: a counting sort, which looks only
   at the keys there are. */
static void
sort_mixed(struct sp_ipsecmb *m, const uint8_t key[], unsigned int n)
{
	struct sp_srtp_job *job[SP_SRTP_BURST];
	uint64_t used[KEYS / 64 + 1] = { 0 };
	unsigned int sum = 0;
	unsigned int work = 0;

	for (unsigned int i = 0; i < n; i++) {
		job[i] = m->order[i];
		m->place[key[i]]++;
		used[key[i] / 64] |= 1ull << key[i] % 64;
	}
	for (unsigned int u = 0; u <= KEYS / 64; u++) {
		for (uint64_t bits = used[u]; bits != 0; bits &= bits - 1) {
			const unsigned int k =
				64 * u + (unsigned int)__builtin_ctzll(bits);
			const uint8_t count = m->place[k];

			while (work <= k / KEYS_OF_WORK)
				m->at[work++] = (uint8_t)sum;
			m->place[k] = (uint8_t)sum;
			sum += count;
		}
	}
	while (work <= SP_IPSECMB_WORKS)
		m->at[work++] = (uint8_t)n;
	for (unsigned int i = 0; i < n; i++) {
		m->lane[m->place[key[i]]].blocks = key[i] % KEYS_OF_WORK;
		m->order[m->place[key[i]]++] = job[i];
	}
	for (unsigned int i = 0; i < n; i++)
		m->place[key[i]] = 0;
}

/*
 * Put the jobs that are @ok in order: by work, since a call does one, and by
 * blocks, since lanes of different lengths wait for each other. Nearly always
 * they are all alike, and in order already. @tagged: they have tags yet.
 */
static void
sort(struct sp_ipsecmb *m, struct sp_srtp_job job[], unsigned int n,
	bool tagged)
{
	uint8_t key[SP_SRTP_BURST];
	unsigned int n_ok = 0;
	unsigned int mixed = 0;

	for (unsigned int i = 0; i < n; i++) {
		unsigned int end = job[i].p->len;

		if (__builtin_expect(!job[i].ok, 0))
			continue;
		if (tagged)
			end = sp_ipsecmb_payload_end(&job[i]);
		key[n_ok] = (uint8_t)sort_key(&job[i], end);
		mixed |= key[n_ok] ^ key[0];
		m->lane[n_ok].blocks = key[n_ok] % KEYS_OF_WORK;
		m->order[n_ok++] = &job[i];
	}
	if (__builtin_expect(mixed != 0, 0)) {
		sort_mixed(m, key, n_ok);
		return;
	}
	for (unsigned int w = 0; w <= SP_IPSECMB_WORKS; w++)
		m->at[w] = n_ok > 0 && w > key[0] / KEYS_OF_WORK ? (uint8_t)n_ok
								 : 0;
}

/* All ciphers of counter mode. */
static void
crypt_all(struct sp_ipsecmb *m)
{
	const unsigned int from_128 = m->at[SP_IPSECMB_128];
	const unsigned int to_128 = m->at[SP_IPSECMB_HMAC];
	const unsigned int from_256 = m->at[SP_IPSECMB_256_HMAC];
	const unsigned int to_256 = m->at[SP_IPSECMB_NOTHING];

	if (to_128 > from_128)
		IMB_SUBMIT_CIPHER_BURST_NOCHECK(m->many, m->job + from_128,
			to_128 - from_128, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
			IMB_KEY_128_BYTES);
	if (to_256 > from_256)
		IMB_SUBMIT_CIPHER_BURST_NOCHECK(m->many, m->job + from_256,
			to_256 - from_256, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
			IMB_KEY_256_BYTES);
}

/* Hash n packets that have as many blocks. */
static void
hash_run(struct sp_ipsecmb *m, unsigned int from, unsigned int n)
{
	unsigned int rest = n % m->lanes;

	if (!m->few || rest > few[m->lane[from].blocks])
		rest = 0;
	if (n > rest)
		IMB_SUBMIT_HASH_BURST_NOCHECK(
			m->many, m->job + from, n - rest, IMB_AUTH_HMAC_SHA_1);
	if (rest > 0)
		IMB_SUBMIT_HASH_BURST_NOCHECK(m->few, m->job + from + n - rest,
			rest, IMB_AUTH_HMAC_SHA_1);
}

static void
hash_all(struct sp_ipsecmb *m)
{
	const unsigned int to = m->at[SP_IPSECMB_256];
	unsigned int from = m->at[SP_IPSECMB_128_HMAC];

	while (from < to) {
		unsigned int n = 1;

		while (from + n < to &&
			m->lane[from + n].blocks == m->lane[from].blocks)
			n++;
		hash_run(m, from, n);
		from += n;
	}
}

/* What the cipher needs, for a payload until @end. */
static inline void
fill_cipher(struct sp_ipsecmb *m, unsigned int i, unsigned int end)
{
	const struct sp_srtp_job *job = m->order[i];
	const struct sp_ipsecmb_box *box = job->box;
	const struct sp_srtp_packet *p = job->p;
	IMB_JOB *to = &m->job[i];

	sp_ipsecmb_iv(box->salt, p->data + SP_IPSECMB_SSRC_AT, job->index,
		m->lane[i].iv);
	to->enc_keys = box->keys;
	to->src = p->data;
	to->dst = p->data + p->header_len;
	to->cipher_start_src_offset_in_bytes = p->header_len;
	to->msg_len_to_cipher_in_bytes = end - p->header_len;
}

/* What the hash needs, for @end bytes and the ROC, which is put there. */
static inline void
fill_hash(struct sp_ipsecmb *m, unsigned int i, unsigned int end, uint8_t *tag)
{
	const struct sp_srtp_job *job = m->order[i];
	const struct sp_ipsecmb_box *box = job->box;
	const uint32_t roc_be = __builtin_bswap32((uint32_t)(job->index >> 16));
	IMB_JOB *to = &m->job[i];

	memcpy(job->p->data + end, &roc_be, sizeof roc_be);
	to->msg_len_to_hash_in_bytes = end + ROC_LEN;
	to->auth_tag_output = tag;
	to->u.HMAC._hashed_auth_key_xor_ipad = (const uint8_t *)box->inner;
	to->u.HMAC._hashed_auth_key_xor_opad = (const uint8_t *)box->outer;
}

void
sp_ipsecmb_protect(void *lib, struct sp_srtp_job job[], unsigned int n)
{
	struct sp_ipsecmb *m = lib;
	unsigned int i;

	m->filled = NULL;
	sort(m, job, n, false);
	for (i = 0; i < m->at[SP_IPSECMB_NOTHING]; i++) {
		const struct sp_srtp_packet *p = m->order[i]->p;
		const struct sp_ipsecmb_box *box = m->order[i]->box;

		fill_cipher(m, i, p->len);
		fill_hash(m, i, p->len, p->data + p->len + box->mki_len);
	}
	crypt_all(m);
	hash_all(m);
	for (i = 0; i < m->at[SP_IPSECMB_GCM]; i++)
		sp_ipsecmb_close_packet(m->order[i], 0);

	if (m->at[SP_IPSECMB_GCM] < m->at[SP_IPSECMB_WORKS])
		sp_ipsecmb_gcm_protect(m);
}

/* Keep the tag and what the ROC will lie over. */
static inline void
keep(struct sp_ipsecmb_lane *lane, const struct sp_srtp_job *job)
{
	const struct sp_ipsecmb_box *box = job->box;
	const uint8_t *at = job->p->data + lane->end;

	/* May read beyond the packet: there is SP_SRTP_ROOM. */
	memcpy(&lane->under, at, sizeof lane->under);
	memcpy(lane->found, at + box->mki_len, sizeof lane->found);
}

void
sp_ipsecmb_unprotect(void *lib, struct sp_srtp_job job[], unsigned int n)
{
	struct sp_ipsecmb *m = lib;
	unsigned int i;

	sort(m, job, n, true);
	for (i = 0; i < m->at[SP_IPSECMB_NOTHING]; i++) {
		struct sp_ipsecmb_lane *lane = &m->lane[i];

		lane->end = (uint16_t)sp_ipsecmb_payload_end(m->order[i]);
		fill_cipher(m, i, lane->end);
		keep(lane, m->order[i]);
		fill_hash(m, i, lane->end, lane->made);
	}
	m->filled = job;
	m->n_filled = m->at[SP_IPSECMB_WORKS];
	hash_all(m);
	for (i = 0; i < m->at[SP_IPSECMB_NOTHING]; i++) {
		const struct sp_ipsecmb_lane *lane = &m->lane[i];
		const struct sp_ipsecmb_box *box = m->order[i]->box;

		memcpy(m->order[i]->p->data + lane->end, &lane->under,
			sizeof lane->under);
		m->order[i]->ok =
			sp_ipsecmb_equal(lane->made, lane->found, box->tag_len);
	}
	if (m->at[SP_IPSECMB_GCM] < m->at[SP_IPSECMB_WORKS])
		sp_ipsecmb_gcm_unprotect(m);
}

/* Set the lengths of those that are @ok, GCM's apart, which are; return how
   many are @ok. */
static unsigned int
shorten(struct sp_srtp_job job[], unsigned int n)
{
	unsigned int n_ok = 0;

	for (unsigned int i = 0; i < n; i++) {
		const struct sp_ipsecmb_box *box = job[i].box;

		if (__builtin_expect(!job[i].ok, 0))
			continue;
		n_ok++;
		if (box->work != SP_IPSECMB_GCM)
			job[i].p->len =
				(uint16_t)sp_ipsecmb_payload_end(&job[i]);
	}
	return n_ok;
}

void
sp_ipsecmb_finish(void *lib, struct sp_srtp_job job[], unsigned int n)
{
	struct sp_ipsecmb *m = lib;

	if (m->filled == job && m->at[SP_IPSECMB_GCM] == 0)
		return; /* all were GCM: it is done */

	/* All are good, and nothing was tried in between. */
	if (shorten(job, n) == m->n_filled && m->filled == job) {
		crypt_all(m);
		return;
	}
	sort(m, job, n, false);
	for (unsigned int i = 0; i < m->at[SP_IPSECMB_NOTHING]; i++)
		fill_cipher(m, i, m->order[i]->p->len);
	crypt_all(m);
}
