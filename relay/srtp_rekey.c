/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * New keys for a direction. It keeps its address; the agreement that it was
 * under becomes its past, whose indices stay known for a while.
 */
#include <string.h>

#include "relay/srtp_agreement.h"

/* Forget the oldest agreement when there are more than are kept. */
static void
trim(struct sp_srtp_engine *e, struct sp_srtp *s)
{
	struct sp_srtp **at = &s->past;

	for (unsigned int i = 0; i < SP_SRTP_PASTS && *at; i++)
		at = &(*at)->past;
	sp_srtp_agreement_drop(e, *at);
	*at = NULL;
}

/* Take the keys of @fresh, keep the streams of @s. */
static void
change_keys(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct sp_srtp *fresh)
{
	const struct sp_srtp was = *s;

	sp_srtp_agreement_close(e, s);
	*s = *fresh;
	s->first = was.first;
	s->first_rtcp = was.first_rtcp;
	s->crowd = was.crowd;
	s->n_left = was.n_left;
	s->kind = was.kind;
	s->past = was.past;
	s->grace = was.grace;
	s->rekeyed_ms = was.rekeyed_ms;
	sp_srtp_agreement_move_in(e, s);
}

/* Make @next the agreement of @s; what that is now moves to @home, the head of
   its past. No box is in either's room. */
static void
succeed(struct sp_srtp_engine *e, struct sp_srtp *s, const struct sp_srtp *next,
	struct sp_srtp *home, uint32_t now_ms)
{
	const uint8_t kind = s->kind, home_kind = home->kind;

	*home = *s;
	home->kind = home_kind;
	home->grace = false;
	*s = *next;
	s->kind = kind;
	s->past = home;
	/* A key that authenticates nothing would let anything in. */
	s->grace = !s->sends && !(home->flags & SP_SRTP_NO_AUTH);
	s->rekeyed_ms = now_ms;
	sp_srtp_agreement_move_in(e, home);
	sp_srtp_agreement_move_in(e, s);
	trim(e, s);
}

/* Go back to @known, one of the past of @s, under the keys of @fresh if those
   are not quite its own. */
static enum sp_status
go_back(struct sp_srtp_engine *e, struct sp_srtp *s, struct sp_srtp **known,
	const struct sp_srtp_conf *conf, struct sp_srtp *fresh, uint32_t now_ms)
{
	struct sp_srtp *home = *known;

	if (!sp_srtp_agreement_move_out(e, s))
		return SP_FULL;
	if (!sp_srtp_agreement_move_out(e, home)) {
		sp_srtp_agreement_move_in(e, s);
		return SP_FULL;
	}
	*known = home->past;
	if (sp_srtp_agreement_is(e, home, conf)) {
		sp_srtp_agreement_close(e, fresh);
		*fresh = *home;
	} else {
		sp_srtp_agreement_close(e, home);
		fresh->first = home->first;
		fresh->first_rtcp = home->first_rtcp;
		fresh->crowd = home->crowd;
		fresh->n_left = home->n_left;
	}
	succeed(e, s, fresh, home, now_ms);
	return SP_OK;
}

static enum sp_status
go_on(struct sp_srtp_engine *e, struct sp_srtp *s, const struct sp_srtp *fresh,
	uint32_t now_ms)
{
	struct sp_srtp *home =
		sp_srtp_agreement_take(e, e->ops->box_kind[s->suite]);

	if (!home || !sp_srtp_agreement_move_out(e, s)) {
		sp_srtp_agreement_drop(e, home);
		return SP_FULL;
	}
	succeed(e, s, fresh, home, now_ms);
	return SP_OK;
}

/*
 * Keys that are known, alone or beside others, keep their streams: an index
 * stays used, whatever suite, flags or MKI are said with the key now.
 */
enum sp_status
sp_srtp_rekey(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct sp_srtp_conf *conf, uint32_t now_ms)
{
	struct sp_srtp fresh = { .sends = s->sends };
	struct sp_srtp **known = &s->past;
	enum sp_status status;

	if (!sp_srtp_agreement_sensible(conf))
		return SP_UNSUPPORTED;
	if (sp_srtp_agreement_is(e, s, conf))
		return SP_OK;
	status = sp_srtp_agreement_open(e, &fresh, conf);
	if (status != SP_OK)
		return status;

	if (sp_srtp_agreement_shares(e, s, conf)) {
		change_keys(e, s, &fresh);
		return SP_OK;
	}
	while (*known && !sp_srtp_agreement_shares(e, *known, conf))
		known = &(*known)->past;
	status = *known ? go_back(e, s, known, conf, &fresh, now_ms)
			: go_on(e, s, &fresh, now_ms);
	if (status != SP_OK)
		sp_srtp_agreement_close(e, &fresh);
	return status;
}
