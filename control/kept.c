/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/kept.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a master key of @suite with its salt. */
static size_t
key_len(uint8_t suite)
{
	const struct sp_srtp_facts *facts =
		sp_srtp_facts((enum sp_srtp_suite)suite);

	return (size_t)facts->key_len + facts->salt_len;
}

/* Bytes of all keys of @kept. */
static size_t
keys_len(const struct sp_kept *kept)
{
	return kept->n_keys * (key_len(kept->suite) + kept->mki_len);
}

/* Without the padding that the struct ends in. */
static size_t
size_of(const struct sp_kept *kept)
{
	return offsetof(struct sp_kept, keys) + keys_len(kept);
}

struct sp_kept *
sp_kept_new(const struct sp_sdes *line)
{
	const struct sp_srtp_conf *srtp = &line->srtp;
	const struct sp_kept head = {
		.tag = line->tag,
		.suite = srtp->suite,
		.flags = srtp->flags,
		.mki_len = srtp->mki_len,
		.n_keys = srtp->n_keys,
		.lifetime = line->lifetime,
		.other_name = line->other_name,
	};
	const size_t len = key_len(srtp->suite);
	struct sp_kept *kept = malloc(size_of(&head));
	uint8_t *to;

	if (!kept)
		return NULL;
	memcpy(kept, &head, offsetof(struct sp_kept, keys));
	to = kept->keys;
	for (unsigned int k = 0; k < srtp->n_keys; k++) {
		memcpy(to, srtp->key[k].key, len);
		memcpy(to + len, srtp->key[k].mki, srtp->mki_len);
		to += len + srtp->mki_len;
	}
	return kept;
}

struct sp_kept *
sp_kept_clone(const struct sp_kept *from)
{
	struct sp_kept *to = malloc(size_of(from));

	if (to)
		memcpy(to, from, size_of(from));
	return to;
}

void
sp_kept_free(struct sp_kept *kept)
{
	if (kept)
		explicit_bzero(kept, size_of(kept));
	free(kept);
}

void
sp_kept_read(const struct sp_kept *kept, struct sp_sdes *out)
{
	const size_t len = key_len(kept->suite);
	const uint8_t *from = kept->keys;

	/* All of it, as its bytes are hashed once they are an order. */
	memset(out, 0, sizeof *out);
	out->tag = kept->tag;
	out->lifetime = kept->lifetime;
	out->other_name = kept->other_name;
	out->srtp.suite = kept->suite;
	out->srtp.flags = kept->flags;
	out->srtp.mki_len = kept->mki_len;
	out->srtp.n_keys = kept->n_keys;
	for (unsigned int k = 0; k < kept->n_keys; k++) {
		memcpy(out->srtp.key[k].key, from, len);
		memcpy(out->srtp.key[k].mki, from + len, kept->mki_len);
		from += len + kept->mki_len;
	}
}

void
sp_kept_take(struct sp_kept *kept)
{
	explicit_bzero(kept->keys, keys_len(kept));
	kept->n_keys = 0;
}

bool
sp_kept_same(const struct sp_kept *a, const struct sp_kept *b)
{
	return a->n_keys > 0 && a->n_keys == b->n_keys &&
		a->suite == b->suite && a->flags == b->flags &&
		a->mki_len == b->mki_len &&
		memcmp(a->keys, b->keys, keys_len(a)) == 0;
}

bool
sp_kept_has(const struct sp_kept *kept, const struct sp_srtp_conf *srtp)
{
	struct sp_sdes line;
	bool same;

	sp_kept_read(kept, &line);
	same = srtp->n_keys > 0 && sp_srtp_conf_equal(&line.srtp, srtp);
	explicit_bzero(&line, sizeof line);
	return same;
}
