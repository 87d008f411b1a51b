/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Engines and directions: opening and closing. New keys are the business of
 * srtp_rekey.c, packets that of srtp_rtp.c and srtp_rtcp.c. All that is decided
 * is decided in these files, once for both libraries; srtp_engine.h is the line
 * between.
 */
#include "relay/srtp.h"

#include <stdlib.h>
#include <string.h>

#include "relay/srtp_agreement.h"

/*
 * Items that a direction may need at once: it and what it remembers, a second
 * key for each of these, and one that does not fit its room. So new keys never
 * fail for want of memory, however often they come. It is reserved only.
 */
#define ITEMS (2 * (1 + SP_SRTP_PASTS) + 1)
#define ITEMS_BESIDE 8u /* while a key is changed */

/* Which engines AUTO tries, best first. */
static const struct sp_srtp_ops *const engines[] = {
#ifdef SP_HAVE_IPSECMB
	&sp_srtp_ipsecmb_ops,
#endif
	&sp_srtp_libsrtp_ops,
};

static enum sp_status
open_library(
	struct sp_srtp_engine *e, enum sp_srtp_kind kind, uint32_t capacity)
{
	enum sp_status status = SP_UNSUPPORTED;

	for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
		if (kind != SP_SRTP_AUTO && kind != engines[i]->kind)
			continue;
		status = engines[i]->open(capacity, &e->lib);
		if (status == SP_OK)
			e->ops = engines[i];
		if (status != SP_UNSUPPORTED)
			break;
	}
	return status;
}

static enum sp_status
open_pools(struct sp_srtp_engine *e, uint32_t capacity)
{
	enum sp_status status = sp_srtp_pool_open(&e->crowds,
		sizeof(struct sp_srtp_crowd), capacity * (1 + SP_SRTP_PASTS));

	if (status == SP_OK)
		status =
			sp_srtp_pool_open(&e->mkis, sizeof(struct sp_srtp_mkis),
				capacity * (1 + SP_SRTP_PASTS) + ITEMS_BESIDE);
	for (unsigned int k = 0; k < SP_SRTP_BOXES; k++) {
		const size_t room = e->ops->box_size[k];

		if (status == SP_OK && (room > 0 || k == 0))
			status = sp_srtp_pool_open(&e->directions[k],
				sizeof(struct sp_srtp) + room,
				capacity * ITEMS + ITEMS_BESIDE);
	}
	return status;
}

enum sp_status
sp_srtp_engine_open(
	enum sp_srtp_kind kind, uint32_t capacity, struct sp_srtp_engine **out)
{
	struct sp_srtp_engine *e = calloc(1, sizeof *e);
	enum sp_status status = e ? SP_OK : SP_NO_MEMORY;

	if (status == SP_OK)
		status = open_library(e, kind, capacity);
	if (status == SP_OK)
		status = open_pools(e, capacity);

	if (status != SP_OK) {
		sp_srtp_engine_close(e);
		return status;
	}
	e->capacity = capacity;
	*out = e;
	return SP_OK;
}

/* An item that was given back is wiped, one that is another's box has none:
   neither says that it has boxes. */
static void
close_pool(struct sp_srtp_engine *e, struct sp_srtp_pool *pool)
{
	for (uint32_t i = 0; i < pool->fresh; i++)
		sp_srtp_agreement_close(e, sp_srtp_pool_item(pool, i));
}

void
sp_srtp_engine_close(struct sp_srtp_engine *e)
{
	if (!e)
		return;
	for (unsigned int k = 0; k < SP_SRTP_BOXES; k++)
		close_pool(e, &e->directions[k]);
	if (e->ops)
		e->ops->close(e->lib);
	for (unsigned int k = 0; k < SP_SRTP_BOXES; k++)
		sp_srtp_pool_close(&e->directions[k]);
	sp_srtp_pool_close(&e->crowds);
	sp_srtp_pool_close(&e->mkis);
	explicit_bzero(e, sizeof *e);
	free(e);
}

void
sp_srtp_engine_about(const struct sp_srtp_engine *e, struct sp_srtp_about *out)
{
	*out = (struct sp_srtp_about){
		.kind = e->ops->kind,
		.most = e->capacity,
	};
	e->ops->about(e->lib, out);
	if (out->most > e->capacity)
		out->most = e->capacity;
}

enum sp_status
sp_srtp_open(struct sp_srtp_engine *e, const struct sp_srtp_conf *conf,
	bool sends, struct sp_srtp **out)
{
	struct sp_srtp *s;
	enum sp_status status;

	if (!sp_srtp_agreement_sensible(conf))
		return SP_UNSUPPORTED;
	if (e->open == e->capacity)
		return SP_FULL;
	s = sp_srtp_agreement_take(e, e->ops->box_kind[conf->suite]);
	if (!s)
		return SP_FULL;
	s->sends = sends;
	status = sp_srtp_agreement_open(e, s, conf);
	if (status != SP_OK) {
		sp_srtp_agreement_drop(e, s);
		return status;
	}
	sp_srtp_agreement_move_in(e, s);
	e->open++;
	*out = s;
	return SP_OK;
}

void
sp_srtp_close(struct sp_srtp_engine *e, struct sp_srtp *s)
{
	if (!s)
		return;
	assert(e->open > 0);
	e->open--;
	while (s) {
		struct sp_srtp *past = s->past;

		sp_srtp_agreement_drop(e, s);
		s = past;
	}
}

/* Whatever is behind @s: nearly always the first lines of its key. */
void
sp_srtp_prefetch(const struct sp_srtp *s)
{
	const uint8_t *room = sp_srtp_direction_room(s);

	__builtin_prefetch(&s->first, 1);
	__builtin_prefetch(room);
	__builtin_prefetch(room + SP_SRTP_LINE);
	__builtin_prefetch(room + 2 * SP_SRTP_LINE);
	__builtin_prefetch(room + 3 * SP_SRTP_LINE);
}

uint16_t
sp_srtp_offset(const struct sp_srtp *s, uint32_t ssrc)
{
	return sp_srtp_direction_offset(s, ssrc);
}
