/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bursts of RTP under GCM: one call a packet, back to back, so that one
 * starts while the one before still ends.
 *
 * Spec: RFC 7714 section 8.
 */
#include "relay/srtp_ipsecmb_packet.h"

#define GCM_AHEAD 8u    /* packets to prefetch for */
#define NONCE_AHEAD 3u  /* packets whose nonces are ready */
#define GCM_POWERS 768u /* bytes of the hash key's powers */

/* One packet of @end bytes without tag. */
static inline void
call(struct sp_ipsecmb *m, const struct sp_srtp_job *job, bool encrypt,
	const uint8_t *iv, unsigned int end, uint8_t *tag)
{
	const struct sp_ipsecmb_box *box = job->box;
	const struct sp_srtp_packet *p = job->p;

	sp_ipsecmb_gcm(m, box->keys, box->long_key, encrypt, iv, p->data,
		p->header_len, p->data + p->header_len, end - p->header_len,
		tag);
}

/*
 * Start loading what a GCM call reads of its keys: the round keys, and from
 * the end as many powers of the hash key as there are blocks. A burst's keys
 * together would not fit the first cache. gcc takes a call that only
 * prefetches for one without effect, so it is always inlined.
 */
__attribute__((always_inline)) static inline void
prefetch(const struct sp_srtp_job *job)
{
	const struct sp_ipsecmb_box *box = job->box;
	const uint8_t *end = box->keys + sizeof(struct gcm_key_data) - 1;
	const size_t powers = job->p->len + 2 * SP_IPSECMB_BLOCK;

	__builtin_prefetch(box->keys);
	__builtin_prefetch(box->keys + SP_SRTP_LINE);
	__builtin_prefetch(box->keys + 2 * SP_SRTP_LINE);
	if (box->long_key)
		__builtin_prefetch(box->keys + 3 * SP_SRTP_LINE);
	__builtin_prefetch(end);
	__builtin_prefetch(end - SP_SRTP_LINE);
	for (size_t at = 2 * SP_SRTP_LINE; at < powers && at < GCM_POWERS;
		at += SP_SRTP_LINE)
		__builtin_prefetch(end - at);
}

/* Work out a packet's nonce. */
static inline void
set_nonce(struct sp_ipsecmb *m, unsigned int i)
{
	const struct sp_srtp_job *job = m->order[i];
	const struct sp_ipsecmb_box *box = job->box;

	sp_ipsecmb_nonce(box->salt, job->p->data + SP_IPSECMB_SSRC_AT,
		job->index, m->lane[i].iv);
}

/* Get ready for the first calls, as get_ahead() does for later ones. */
static inline void
start(struct sp_ipsecmb *m, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to && i < from + GCM_AHEAD; i++)
		prefetch(m->order[i]);
	for (unsigned int i = from; i < to && i < from + NONCE_AHEAD; i++)
		set_nonce(m, i);
}

/* While the i-th call runs: a call that waits for its nonce to be stored
   would not overlap with it. */
static inline void
get_ahead(struct sp_ipsecmb *m, unsigned int i, unsigned int to)
{
	if (i + GCM_AHEAD < to)
		prefetch(m->order[i + GCM_AHEAD]);
	if (i + NONCE_AHEAD < to)
		set_nonce(m, i + NONCE_AHEAD);
}

void
sp_ipsecmb_gcm_protect(struct sp_ipsecmb *m)
{
	const unsigned int from = m->at[SP_IPSECMB_GCM];
	const unsigned int to = m->at[SP_IPSECMB_WORKS];

	start(m, from, to);
	for (unsigned int i = from; i < to; i++) {
		const struct sp_srtp_packet *p = m->order[i]->p;

		get_ahead(m, i, to);
		call(m, m->order[i], true, m->lane[i].iv, p->len,
			p->data + p->len);
		sp_ipsecmb_close_packet(m->order[i], SP_IPSECMB_GCM_TAG);
	}
}

void
sp_ipsecmb_gcm_unprotect(struct sp_ipsecmb *m)
{
	const unsigned int from = m->at[SP_IPSECMB_GCM];
	const unsigned int to = m->at[SP_IPSECMB_WORKS];

	start(m, from, to);
	for (unsigned int i = from; i < to; i++) {
		struct sp_srtp_job *job = m->order[i];
		const unsigned int end = sp_ipsecmb_payload_end(job);
		uint8_t made[SP_IPSECMB_GCM_TAG];

		get_ahead(m, i, to);
		call(m, job, false, m->lane[i].iv, end, made);
		job->ok = sp_ipsecmb_equal(
			made, job->p->data + end, SP_IPSECMB_GCM_TAG);
		if (__builtin_expect(job->ok, 1))
			job->p->len = (uint16_t)end;
	}
}

/* Decrypting GCM twice with the same nonce changes nothing. */
void
sp_ipsecmb_undo(void *lib, struct sp_srtp_job *job)
{
	const struct sp_ipsecmb_box *box = job->box;
	uint8_t iv[SP_IPSECMB_BLOCK];
	uint8_t unused[SP_IPSECMB_GCM_TAG];

	if (box->work != SP_IPSECMB_GCM)
		return;
	if (job->ok)
		job->p->len =
			(uint16_t)(job->p->len + box->tag_len + box->mki_len);
	sp_ipsecmb_nonce(
		box->salt, job->p->data + SP_IPSECMB_SSRC_AT, job->index, iv);
	call(lib, job, true, iv, sp_ipsecmb_payload_end(job), unused);
}
