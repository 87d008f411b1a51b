/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/srtp_ipsecmb.h"

/* Labels of RFC 3711 section 4.3.2; RTCP's follow those of RTP. */
enum {
	LABEL_KEY,
	LABEL_AUTH,
	LABEL_SALT,
	LABELS_RTCP
};

#define LABEL_AT 7u /* of the salt's bytes: above 48 bits of index */
#define HMAC_BLOCK 64u

/* Bytes of expanded keys, as the library lays them out, and of boxes. */
static const size_t keys_len[SP_IPSECMB_KINDS] = {
	[SP_IPSECMB_KEY_128] = SP_IPSECMB_KEYS_128,
	[SP_IPSECMB_KEY_256] = SP_IPSECMB_KEYS_256,
	[SP_IPSECMB_KEY_GCM] = sizeof(struct gcm_key_data),
};
static const size_t box_size[SP_IPSECMB_KINDS] = {
	[SP_IPSECMB_KEY_128] = SP_IPSECMB_BOX_128,
	[SP_IPSECMB_KEY_256] = SP_IPSECMB_BOX_256,
	[SP_IPSECMB_KEY_GCM] = SP_IPSECMB_BOX_GCM,
};

struct sp_ipsecmb_rtcp *
sp_ipsecmb_rtcp(const struct sp_ipsecmb_box *box)
{
	return (struct sp_ipsecmb_rtcp *)(box->keys + keys_len[box->kind]);
}

void
sp_ipsecmb_pads(const struct sp_ipsecmb *m, const uint8_t auth[SP_IPSECMB_AUTH],
	uint32_t inner[5], uint32_t outer[5])
{
	const uint8_t inner_pad = 0x36, outer_pad = 0x5c;
	uint8_t block[HMAC_BLOCK];

	memset(block, inner_pad, sizeof block);
	for (size_t i = 0; i < SP_IPSECMB_AUTH; i++)
		block[i] ^= auth[i];
	IMB_SHA1_ONE_BLOCK(m->many, block, inner);
	for (size_t i = 0; i < sizeof block; i++)
		block[i] ^= inner_pad ^ outer_pad;
	IMB_SHA1_ONE_BLOCK(m->many, block, outer);
	explicit_bzero(block, sizeof block);
}

/* A master key, ready to derive. */
struct master {
	alignas(SP_IPSECMB_BLOCK) uint8_t keys[SP_IPSECMB_KEYS_256];
	uint8_t salt[SP_IPSECMB_BLOCK]; /* shorter ones end in zeros */
	bool is_long;
};

/* AES key schedules; the library makes that for decryption, too. */
static void
expand(const struct sp_ipsecmb *m, const uint8_t *key, bool is_long, void *keys)
{
	alignas(SP_IPSECMB_BLOCK) uint8_t unused[SP_IPSECMB_KEYS_256];

	if (is_long)
		IMB_AES_KEYEXP_256(m->many, key, keys, unused);
	else
		IMB_AES_KEYEXP_128(m->many, key, keys, unused);
	explicit_bzero(unused, sizeof unused);
}

/* The first @len bytes of the key stream that @label picks. */
static void
derive(struct sp_ipsecmb *m, const struct master *master, unsigned int label,
	uint8_t *out, size_t len)
{
	uint8_t iv[SP_IPSECMB_BLOCK];

	memcpy(iv, master->salt, sizeof iv);
	iv[LABEL_AT] ^= (uint8_t)label;
	memset(out, 0, len);
	sp_ipsecmb_crypt(m, master->keys, master->is_long, iv, out, len);
}

void
sp_ipsecmb_derive(struct sp_ipsecmb *m, const struct sp_srtp_facts *facts,
	const uint8_t *key, struct sp_ipsecmb_session *out)
{
	struct master master = { .is_long = facts->key_len > 16 };

	expand(m, key, master.is_long, master.keys);
	memcpy(master.salt, key + facts->key_len, facts->salt_len);
	memset(out, 0, sizeof *out);
	for (unsigned int half = 0; half < 2; half++) {
		const unsigned int label = half * LABELS_RTCP;
		struct sp_ipsecmb_half *to = half ? &out->rtcp : &out->rtp;

		derive(m, &master, label + LABEL_KEY, to->key, facts->key_len);
		derive(m, &master, label + LABEL_SALT, to->salt,
			facts->salt_len);
		if (!facts->aead)
			derive(m, &master, label + LABEL_AUTH, to->auth,
				sizeof to->auth);
	}
	explicit_bzero(&master, sizeof master);
}

void
sp_ipsecmb_set(struct sp_ipsecmb *m, const struct sp_srtp_facts *facts,
	const struct sp_ipsecmb_session *from, struct sp_ipsecmb_box *box)
{
	struct sp_ipsecmb_rtcp *rtcp = sp_ipsecmb_rtcp(box);

	box->long_key = facts->key_len > 16;
	memcpy(box->salt, from->rtp.salt, facts->salt_len);
	memcpy(rtcp->salt, from->rtcp.salt, facts->salt_len);
	memcpy(rtcp->key, from->rtcp.key, facts->key_len);
	if (!facts->aead) {
		expand(m, from->rtp.key, box->long_key, box->keys);
		sp_ipsecmb_pads(m, from->rtp.auth, box->inner, box->outer);
		memcpy(rtcp->auth, from->rtcp.auth, sizeof rtcp->auth);
	} else if (box->long_key) {
		IMB_AES256_GCM_PRE(m->many, from->rtp.key,
			(struct gcm_key_data *)box->keys);
	} else {
		IMB_AES128_GCM_PRE(m->many, from->rtp.key,
			(struct gcm_key_data *)box->keys);
	}
}

/* Both: from a master key to a box, all zero but for its kind. */
static void
fill(struct sp_ipsecmb *m, const struct sp_srtp_facts *facts,
	const struct sp_srtp_key *key, struct sp_ipsecmb_box *box)
{
	struct sp_ipsecmb_session session;

	sp_ipsecmb_derive(m, facts, key->key, &session);
	sp_ipsecmb_set(m, facts, &session, box);
	explicit_bzero(&session, sizeof session);
}

static enum sp_ipsecmb_kind
kind_of(const struct sp_srtp_facts *facts)
{
	if (facts->aead)
		return SP_IPSECMB_KEY_GCM;
	return facts->key_len > 16 ? SP_IPSECMB_KEY_256 : SP_IPSECMB_KEY_128;
}

/* What flags and suite make of RTP packets. */
static void
plan(struct sp_ipsecmb_box *box)
{
	const bool hmac = !(box->flags & SP_SRTP_NO_AUTH);

	box->work_empty = hmac ? SP_IPSECMB_HMAC : SP_IPSECMB_NOTHING;
	if (box->kind == SP_IPSECMB_KEY_GCM)
		box->work = box->work_empty = SP_IPSECMB_GCM;
	else if (box->flags & SP_SRTP_PLAIN_RTP)
		box->work = box->work_empty;
	else if (box->kind == SP_IPSECMB_KEY_128)
		box->work = hmac ? SP_IPSECMB_128_HMAC : SP_IPSECMB_128;
	else
		box->work = hmac ? SP_IPSECMB_256_HMAC : SP_IPSECMB_256;
}

enum sp_status
sp_ipsecmb_box_open(void *lib, const struct sp_srtp_conf *conf, unsigned int k,
	bool sends, void **out)
{
	struct sp_ipsecmb *m = lib;
	const struct sp_srtp_facts *facts = sp_srtp_facts(conf->suite);
	struct sp_ipsecmb_box *box = *out;

	(void)sends;
	box->kind = (uint8_t)kind_of(facts);
	fill(m, facts, &conf->key[k], box);
	box->flags = conf->flags;
	box->tag_len = conf->flags & SP_SRTP_NO_AUTH ? 0 : facts->rtp_tag;
	box->mki_len = conf->mki_len;
	plan(box);
	return SP_OK;
}

void
sp_ipsecmb_box_close(void *lib, void *at)
{
	const struct sp_ipsecmb_box *box = at;

	(void)lib;
	explicit_bzero(at, box_size[box->kind]);
}

/* Derives them again: so the master key need not be kept. */
bool
sp_ipsecmb_box_same(void *lib, const void *box, const struct sp_srtp_conf *conf,
	unsigned int k)
{
	const struct sp_srtp_facts *facts = sp_srtp_facts(conf->suite);
	const struct sp_ipsecmb_box *mine = box;
	alignas(SP_SRTP_LINE) uint8_t other[SP_IPSECMB_BOX_GCM] = { 0 };
	struct sp_ipsecmb_box *theirs = (struct sp_ipsecmb_box *)other;
	const size_t from = offsetof(struct sp_ipsecmb_box, salt);
	bool same;

	if (kind_of(facts) != (enum sp_ipsecmb_kind)mine->kind ||
		mine->long_key != (facts->key_len > 16))
		return false;
	theirs->kind = mine->kind;
	fill(lib, facts, &conf->key[k], theirs);
	same = memcmp((const uint8_t *)mine + from, other + from,
		       box_size[mine->kind] - from) == 0;
	explicit_bzero(other, sizeof other);
	return same;
}
