/* SPDX-License-Identifier: BSD-3-Clause */
/* Is what was said, or are keys, the same? Included by model_check.c. */
#include "control/keys.h"

static bool
same_crypto(const struct sp_kept *a, const struct sp_kept *b)
{
	struct sp_sdes left, right;

	if (!a || !b)
		return a == b;
	sp_kept_read(a, &left);
	sp_kept_read(b, &right);
	return left.tag == right.tag && left.lifetime == right.lifetime &&
		sp_srtp_conf_equal(&left.srtp, &right.srtp);
}

/* But for the place of its keys. */
static bool
same_media(const struct sp_media *a, const struct sp_media *b)
{
	struct sp_media left, right;

	memcpy(&left, a, sizeof left);
	memcpy(&right, b, sizeof right);
	left.crypto = right.crypto = NULL;
	return memcmp(&left, &right, sizeof left) == 0 &&
		same_crypto(a->crypto, b->crypto);
}

static bool
same_said(const struct sp_said *a, const struct sp_said *b)
{
	if (!a || !b)
		return a == b;
	if (a->count != b->count || a->policy != b->policy ||
		!sp_addr_equal(&a->signalling, &b->signalling))
		return false;
	for (unsigned int m = 0; m < a->count; m++)
		if (!same_media(&a->media[m], &b->media[m]))
			return false;
	return true;
}

/*
 * Ours; what a worker had begun with is taken away if the request comes to
 * nothing after all.
 */
static bool
same_line(const struct sp_leg_keys *before, const struct sp_leg_keys *now,
	unsigned int i)
{
	const struct sp_kept *a = now->line[i], *b = before->line[i];

	if (story.failing && a->n_keys == 0)
		return a->tag == b->tag && a->suite == b->suite;
	return same_crypto(a, b);
}

static bool
same_keys(const struct sp_leg_keys *a, const struct sp_leg_keys *b)
{
	if (!a || !b)
		return a == b;
	if (a->told != b->told || a->id != b->id || a->count != b->count ||
		a->offered != b->offered ||
		(a->used != b->used && !story.failing))
		return false;
	for (unsigned int i = 0; i < a->count; i++)
		if (!same_line(b, a, i))
			return false;
	return true;
}
