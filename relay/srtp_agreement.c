/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/srtp_agreement.h"

#include <string.h>

#define RTCP_WORD 4u /* E bit and index */

bool
sp_srtp_agreement_sensible(const struct sp_srtp_conf *conf)
{
	const struct sp_srtp_facts *facts = sp_srtp_facts(conf->suite);
	const unsigned int known =
		SP_SRTP_PLAIN_RTP | SP_SRTP_PLAIN_RTCP | SP_SRTP_NO_AUTH;

	if (facts->key_len == 0)
		return false;
	if (conf->flags & ~known || (facts->aead && conf->flags))
		return false;
	if (conf->mki_len > SP_SRTP_MKI_MAX || conf->n_keys == 0 ||
		conf->n_keys > SP_SRTP_KEYS_MAX)
		return false;
	if (conf->n_keys == 1)
		return true;
	return conf->mki_len > 0 &&
		memcmp(conf->key[0].mki, conf->key[1].mki, conf->mki_len) != 0;
}

/* Set what @s knows of @conf besides the keys. */
static void
describe(struct sp_srtp *s, const struct sp_srtp_conf *conf)
{
	const struct sp_srtp_facts *facts = sp_srtp_facts(conf->suite);
	const unsigned int mki = conf->mki_len;
	const unsigned int rtcp_tag = facts->rtcp_tag;
	const unsigned int rtp_tag =
		conf->flags & SP_SRTP_NO_AUTH ? 0 : facts->rtp_tag;

	s->suite = conf->suite;
	s->flags = conf->flags;
	s->mki_len = conf->mki_len;
	s->rtp_more = (uint8_t)(rtp_tag + mki);
	s->rtcp_more = (uint8_t)(RTCP_WORD + rtcp_tag + mki);

	/* HMAC: payload, MKI, tag. AEAD: the tag belongs to the payload. */
	s->mki_end = (uint8_t)(mki + (facts->aead ? 0 : rtp_tag));
	s->rtcp_mki_end = (uint8_t)(mki + (facts->aead ? 0 : rtcp_tag));
	s->rtcp_index_end = (uint8_t)(RTCP_WORD + s->rtcp_mki_end);
}

struct sp_srtp *
sp_srtp_agreement_take(struct sp_srtp_engine *e, uint8_t kind)
{
	struct sp_srtp *s = sp_srtp_pool_take(&e->directions[kind]);

	if (s)
		s->kind = kind;
	return s;
}

static void
give(struct sp_srtp_engine *e, struct sp_srtp *s)
{
	sp_srtp_pool_give(&e->directions[s->kind], s);
}

void
sp_srtp_agreement_drop(struct sp_srtp_engine *e, struct sp_srtp *s)
{
	if (!s)
		return;
	sp_srtp_agreement_close(e, s);
	sp_srtp_pool_give(&e->crowds, s->crowd);
	give(e, s);
}

/* Keep the MKIs of @conf, if it has any. */
static enum sp_status
open_mkis(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct sp_srtp_conf *conf)
{
	if (conf->mki_len == 0)
		return SP_OK;
	s->mkis = sp_srtp_pool_take(&e->mkis);
	if (!s->mkis)
		return SP_FULL;
	for (unsigned int k = 0; k < conf->n_keys; k++)
		memcpy(s->mkis->of[k], conf->key[k].mki, conf->mki_len);
	return SP_OK;
}

/* The item whose room a box is in. */
static struct sp_srtp *
item_of(void *box)
{
	return (struct sp_srtp *)box - 1;
}

/* What the boxes of @s take of our memory; 0: none. */
static size_t
box_size(const struct sp_srtp_engine *e, const struct sp_srtp *s)
{
	return e->ops->box_size[e->ops->box_kind[s->suite]];
}

static enum sp_status
open_box(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct sp_srtp_conf *conf, unsigned int k)
{
	const uint8_t kind = e->ops->box_kind[conf->suite];
	struct sp_srtp *item = NULL;
	enum sp_status status;
	void *box = NULL;

	if (e->ops->box_size[kind] > 0) {
		item = sp_srtp_agreement_take(e, kind);
		if (!item)
			return SP_FULL;
		box = sp_srtp_direction_room(item);
	}
	status = e->ops->box_open(e->lib, conf, k, s->sends, &box);
	if (status == SP_OK)
		*sp_srtp_direction_box(s, k) = box;
	else if (item)
		give(e, item);
	return status;
}

enum sp_status
sp_srtp_agreement_open(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct sp_srtp_conf *conf)
{
	const unsigned int n = s->sends ? 1 : conf->n_keys;
	enum sp_status status;

	describe(s, conf);
	s->box_lines = e->ops->box_lines[conf->suite];
	status = open_mkis(e, s, conf);
	for (unsigned int k = 0; status == SP_OK && k < n; k++) {
		status = open_box(e, s, conf, k);
		if (status == SP_OK)
			s->n_boxes++;
	}
	if (status != SP_OK)
		sp_srtp_agreement_close(e, s);
	return status;
}

void
sp_srtp_agreement_close(struct sp_srtp_engine *e, struct sp_srtp *s)
{
	for (unsigned int k = 0; k < s->n_boxes; k++) {
		void *box = *sp_srtp_direction_box(s, k);

		e->ops->box_close(e->lib, box);
		if (box_size(e, s) > 0 && box != sp_srtp_direction_room(s))
			give(e, item_of(box));
	}
	s->n_boxes = 0;
	sp_srtp_pool_give(&e->mkis, s->mkis);
	s->mkis = NULL;
}

void
sp_srtp_agreement_move_in(struct sp_srtp_engine *e, struct sp_srtp *s)
{
	void *room = sp_srtp_direction_room(s);

	if (box_size(e, s) == 0 || s->box == room ||
		s->kind != e->ops->box_kind[s->suite])
		return;
	memcpy(room, s->box, box_size(e, s));
	give(e, item_of(s->box));
	s->box = room;
}

bool
sp_srtp_agreement_move_out(struct sp_srtp_engine *e, struct sp_srtp *s)
{
	void *room = sp_srtp_direction_room(s);
	struct sp_srtp *item;

	if (box_size(e, s) == 0 || s->box != room)
		return true;
	item = sp_srtp_agreement_take(e, s->kind);
	if (!item)
		return false;
	s->box = sp_srtp_direction_room(item);
	memcpy(s->box, room, box_size(e, s));
	explicit_bzero(room, box_size(e, s));
	return true;
}

/* Is the k-th key of @conf one of @s, however it is used? */
static bool
holds(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct sp_srtp_conf *conf, unsigned int k)
{
	for (unsigned int i = 0; i < s->n_boxes; i++)
		if (e->ops->box_same(
			    e->lib, *sp_srtp_direction_box(s, i), conf, k))
			return true;
	return false;
}

bool
sp_srtp_agreement_shares(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct sp_srtp_conf *conf)
{
	const unsigned int n = s->sends ? 1 : conf->n_keys;

	for (unsigned int k = 0; k < n; k++)
		if (holds(e, s, conf, k))
			return true;
	return false;
}

bool
sp_srtp_agreement_is(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct sp_srtp_conf *conf)
{
	const unsigned int n = s->sends ? 1 : conf->n_keys;

	if (s->suite != conf->suite || s->flags != conf->flags ||
		s->mki_len != conf->mki_len || s->n_boxes != n)
		return false;
	for (unsigned int k = 0; k < n; k++)
		if (sp_srtp_direction_by_mki(s, conf->key[k].mki) != k ||
			!e->ops->box_same(
				e->lib, *sp_srtp_direction_box(s, k), conf, k))
			return false;
	return true;
}
