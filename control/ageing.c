/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ageing.h"

#include "control/job.h"
#include "control/log.h"

#define NEVER UINT64_MAX
#define LISTEN_MS 1000u /* how soon a silent leg's return is told */

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How long ago did media come to this leg, or signalling change the call? */
static uint64_t
age_ms(const struct sp_service *s, const struct sp_call *call,
	const struct sp_leg *leg)
{
	const uint64_t quiet = s->now_ms - call->active_ms;
	const uint32_t flow = leg->slot[SP_PART_RTP].flow;
	uint32_t seen, ago;

	if (flow == 0)
		return quiet;
	seen = sp_dataplane_seen_ms(s->dp, call->worker, flow);
	ago = s->last_ms - seen;
	if (seen == 0)
		return quiet;
	/* Ahead of our clock: the packet came since we read it. */
	return ago > UINT32_MAX / 2 ? 0 : least(quiet, ago);
}

/* Do party @p and its other one talk on m= line @m, neither of them on hold? */
static bool
talks(const struct sp_cast *cast, uint8_t p, unsigned int m)
{
	const uint8_t other = sp_party_other(cast, p);
	const struct sp_media *here, *there;

	if (other == SP_NOBODY || !sp_party_on(cast, p, m))
		return false;
	here = sp_party_media(cast->party[p], m);
	there = sp_party_media(cast->party[other], m);
	return here && there && here->live && there->live &&
		here->direction == SP_SDP_SENDRECV &&
		there->direction == SP_SDP_SENDRECV;
}

bool
sp_ageing_silent(const struct sp_service *s, const struct sp_call *call,
	uint8_t p, unsigned int m)
{
	return talks(&call->cast, p, m) &&
		age_ms(s, call, &call->cast.party[p]->leg[m]) >=
		s->conf->media_s * UINT64_C(1000);
}

static void
tell_silence(struct sp_service *s, const struct sp_call *call, uint8_t p,
	unsigned int m, bool silent)
{
	const struct sp_tag *tag = call->cast.party[p]->tags;
	struct sp_log log = sp_log_begin(silent ? SP_LOG_WARNING : SP_LOG_INFO,
		silent ? "leg_silent" : "leg_heard");

	sp_log_text(&log, "call", call->id, call->id_len);
	if (tag)
		sp_log_text(&log, "tag", tag->text, tag->len);
	sp_log_number(&log, "m", m);
	sp_log_number(&log, "limit_s", s->conf->media_s);
	sp_log_end(&log);
	s->metrics.silent_legs += silent;
	sp_record_leg(s, call, p, m, silent);
}

/* Is a leg silent while the other one of its m= line is heard? */
static bool
one_way(const struct sp_service *s, const struct sp_call *call)
{
	const struct sp_cast *cast = &call->cast;

	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int m = 0; m < cast->party[p]->legs; m++)
			if (sp_ageing_silent(s, call, p, m) &&
				!sp_ageing_silent(
					s, call, sp_party_other(cast, p), m))
				return true;
	return false;
}

/* Report legs that fell silent; return when the next one may. */
static uint64_t
watch_legs(struct sp_service *s, struct sp_call *call)
{
	const uint64_t limit = s->conf->media_s * UINT64_C(1000);
	uint64_t wait = NEVER;

	for (uint8_t p = 0; p < call->cast.count; p++) {
		const struct sp_party *party = call->cast.party[p];

		for (unsigned int m = 0; m < party->legs; m++) {
			struct sp_leg *leg = &party->leg[m];
			const bool silent = sp_ageing_silent(s, call, p, m);

			if (silent != leg->silent)
				tell_silence(s, call, p, m, silent);
			leg->silent = silent;
			if (silent)
				wait = least(wait, LISTEN_MS);
			else if (talks(&call->cast, p, m))
				wait = least(
					wait, limit - age_ms(s, call, leg));
		}
	}
	return wait;
}

/* Milliseconds until the call has been without media for too long; 0: now. */
static uint64_t
media_left(const struct sp_service *s, const struct sp_call *call,
	enum sp_end *end)
{
	uint64_t youngest = s->now_ms - call->active_ms;
	uint64_t limit = s->conf->hold_s * UINT64_C(1000);

	*end = SP_END_HOLD_TIMEOUT;
	for (uint8_t p = 0; p < call->cast.count; p++) {
		const struct sp_party *party = call->cast.party[p];

		for (unsigned int m = 0; m < party->legs; m++) {
			youngest = least(
				youngest, age_ms(s, call, &party->leg[m]));
			if (talks(&call->cast, p, m))
				*end = SP_END_MEDIA_TIMEOUT;
		}
	}
	if (*end == SP_END_MEDIA_TIMEOUT)
		limit = s->conf->media_s * UINT64_C(1000);
	return youngest < limit ? limit - youngest : 0;
}

/* Milliseconds until branch @p has waited too long for an answer; 0: now. */
static uint64_t
offer_left(const struct sp_service *s, const struct sp_party *party)
{
	const uint64_t waited = s->now_ms - party->offered_ms;
	const uint64_t limit = s->conf->offer_s * UINT64_C(1000);

	if (party->caller == SP_NOBODY || party->answered)
		return NEVER;
	return waited < limit ? limit - waited : 0;
}

/* Milliseconds until the youngest offer is too old; 0 if none waits. */
static uint64_t
offers_left(const struct sp_service *s, const struct sp_call *call)
{
	uint64_t left = 0;

	for (uint8_t p = 0; p < call->cast.count; p++) {
		const uint64_t mine = offer_left(s, call->cast.party[p]);

		if (mine != NEVER && mine > left)
			left = mine;
	}
	return left;
}

/* Of an answered call: give up on a branch that never answered. */
static uint64_t
prune(struct sp_service *s, struct sp_call *call)
{
	const struct sp_asker nobody = { 0 };
	uint64_t wait = NEVER;

	for (uint8_t p = 0; p < call->cast.count; p++) {
		const uint64_t left = offer_left(s, call->cast.party[p]);

		wait = least(wait, left);
		if (left > 0)
			continue;
		if (sp_job_leave(s, call, sp_party_without(&call->cast, p),
			    &nobody) == SP_OK)
			s->metrics.branches_lost++;
		return 0;
	}
	return wait;
}

static void
set_timer(struct sp_service *s, struct sp_call *call, uint64_t wait_ms)
{
	if (wait_ms != NEVER)
		sp_timers_set(&s->timers, &call->timer,
			(s->now_ms + wait_ms + 999) / 1000);
}

/* Milliseconds until the call is as old as any may get; 0: now. */
static uint64_t
age_left(const struct sp_service *s, const struct sp_call *call)
{
	const uint64_t age = s->now_ms - call->created_ms;
	const uint64_t limit = s->conf->max_s * UINT64_C(1000);

	if (limit == 0)
		return NEVER;
	return age < limit ? limit - age : 0;
}

/* When to look again; 0: it is time for something now. */
static uint64_t
look(struct sp_service *s, struct sp_call *call, enum sp_end *end)
{
	const uint64_t oldest = age_left(s, call);
	uint64_t wait;

	*end = SP_END_DELETED;
	if (call->ends_ms > 0)
		return call->ends_ms > s->now_ms ? call->ends_ms - s->now_ms
						 : 0;
	if (sp_party_answered(&call->cast)) {
		/* Whoever rings after another's early media needs none. */
		wait = media_left(s, call, end);
		if (wait < offers_left(s, call))
			wait = offers_left(s, call);
	} else {
		*end = SP_END_OFFER_TIMEOUT;
		wait = offers_left(s, call);
	}
	if (oldest < wait)
		*end = SP_END_FINAL_TIMEOUT;
	return least(wait, oldest);
}

void
sp_ageing_watch(struct sp_service *s, struct sp_call *call)
{
	enum sp_end end;
	uint64_t wait = look(s, call, &end);

	/* A leg may fall silent before the call does. */
	for (uint8_t p = 0; p < call->cast.count; p++)
		wait = least(wait, offer_left(s, call->cast.party[p]));
	if (sp_party_answered(&call->cast))
		wait = least(wait, s->conf->media_s * UINT64_C(1000));
	set_timer(s, call, wait);
}

void
sp_ageing_due(void *arg, struct sp_timer *timer)
{
	struct sp_service *s = arg;
	struct sp_call *call = (struct sp_call *)((char *)timer -
		offsetof(struct sp_call, timer));
	const struct sp_asker nobody = { 0 };
	enum sp_end end;
	uint64_t wait;

	sp_service_breathe(s);
	/* Looked at again even if what follows fails for want of memory. */
	set_timer(s, call, 1000);
	if (call->job)
		return;
	wait = look(s, call, &end);
	if (wait > 0 && sp_party_answered(&call->cast) && call->ends_ms == 0) {
		wait = least(wait, watch_legs(s, call));
		if (s->conf->end_silent && offers_left(s, call) == 0 &&
			one_way(s, call)) {
			end = SP_END_SILENT_LEG;
			wait = 0;
		}
	}
	if (wait == 0) {
		if (sp_job_end(s, call, end, &nobody) != SP_OK)
			sp_log_say(SP_LOG_WARNING, "no_memory",
				"a call can't be ended yet");
		return;
	}
	if (sp_party_answered(&call->cast))
		wait = least(wait, prune(s, call));
	if (wait > 0)
		set_timer(s, call, wait);
}
