/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <string.h>

#include "bench/pktgen.h"
#include "bench/pktgen_extra.h"
#include "bench/pktgen_srtp.h"

#define LAG_S 0.0005      /* of the clock: more is not made up for in a rush */
#define DRAIN_S 0.3       /* nothing came for so long: nothing comes */
#define DRAIN_MOST_S 3    /* but what overloads does not end */
#define PAUSE_S 5e-5      /* long enough without us to count */
#define ROUND_MOST_S 2e-3 /* what a round of our own work may take */
#define CALM_S 2e-4       /* what may be taken from a slice whose times count */
#define HONEST 0.98       /* of the rate asked for: we must send as much */
#define ENOUGH 0.5        /* of the quiet time asked for, to say it failed */
#define SILENCE 0.01      /* of what is sent: less came through */
#define PATIENCE 3        /* times the time asked for, until it was quiet */
#define PATIENCE_SRTP 1.5 /* when all that is sent must lie ready */
#define HOLD_LEAST_S 5e-5
#define HOLD_MOST_S 2e-2

/* A trial that is on. */
struct trial {
	struct pktgen_schedule schedule;
	uint64_t last;        /* TSC of the last round */
	uint64_t quiet_since; /* nothing arrived since */
	uint64_t stopped;     /* sending; 0: not yet */
	double pause_s;       /* the longest since slices turned */
	double seconds;       /* asked for */
	uint32_t quiet;       /* slices so far */
	uint32_t told;        /* slices of which that is known */
	uint32_t lost_at;     /* slices looked at for loss */
	bool strict;
};

uint64_t
pktgen_lost(const struct pktgen_result *r)
{
	uint64_t lost = 0;

	for (unsigned int s = 0; s < PKTGEN_SIDES; s++)
		lost += r->way[s].sent - r->way[s].received;
	return lost;
}

/* The rings of a side hold the packets of that time. */
static double
hold_s(const struct pktgen *g, double rate)
{
	const double s = g->conf.ring / (rate * g->conf.calls / g->n_order);

	if (s < HOLD_LEAST_S)
		return HOLD_LEAST_S;
	return s > HOLD_MOST_S ? HOLD_MOST_S : s;
}

/* Behind by too much: go on from here. */
static void
shift(const struct pktgen *g, struct pktgen_schedule *t, uint64_t now)
{
	const double due =
		t->begun + t->period * (double)g->phase[t->at] / 4294967296.0;
	const double lag = (double)now - due;

	if (lag > LAG_S * g->hz)
		t->begun += lag;
}

/* A slice is over: its times count unless something was taken from it. */
static void
keep_times(struct pktgen *g, const struct pktgen_slice *at)
{
	const bool calm = at->own_s < CALM_S && at->relay_s < CALM_S;

	for (unsigned int side = 0; side < PKTGEN_SIDES; side++) {
		struct pktgen_way *way = &g->counted->way[side];

		pktgen_hist_merge(&way->all, &g->now[side]);
		if (calm)
			pktgen_hist_merge(&way->latency, &g->now[side]);
		memset(&g->now[side], 0, sizeof g->now[side]);
	}
}

/* What is known by now ends a strict trial: it was quiet for long enough, or
   a packet sent in quiet will not come any more. */
static bool
is_decided(struct pktgen *g, struct trial *t)
{
	const uint32_t used = g->slices.used;
	const double slowest_s = 1e-9 *
		fmax((double)g->counted->way[0].all.most,
			(double)g->counted->way[1].all.most);
	const uint32_t late =
		(uint32_t)((DRAIN_S + 2 * slowest_s) / PKTGEN_SLICE_S);

	for (; t->told + 2 < used; t->told++)
		t->quiet += pktgen_slice_is_quiet(&g->slices, t->told);
	if (t->quiet * PKTGEN_SLICE_S >= t->seconds)
		return true;
	for (; t->lost_at + late < used; t->lost_at++)
		if (pktgen_slices_judge(&g->slices, t->lost_at, t->lost_at + 1)
				.lost > 0)
			return true;
	return false;
}

static void
turn_slice(struct pktgen *g, struct trial *t, double missed_s)
{
	struct pktgen_slices *s = &g->slices;
	struct pktgen_slice *at = &s->slice[s->used - 1];

	at->own_s = (float)t->pause_s;
	at->relay_s = (float)missed_s;
	keep_times(g, at);
	if (!t->stopped && t->strict && is_decided(g, t))
		t->schedule.left = 0;
	if (s->used < s->room)
		s->used++;
}

/* Slices are over. Of several at once nobody knows in which of them something
   was taken: in all, then. */
static void
turn_slices(struct pktgen *g, struct trial *t, uint64_t now)
{
	const uint32_t slice = pktgen_slice_of(g, now);
	double missed_s;

	if (likely(slice < g->slices.used))
		return;
	missed_s = pktgen_watch_missed_s();
	if (!t->stopped)
		g->counted->taken += missed_s;
	while (slice >= g->slices.used && g->slices.used < g->slices.room)
		turn_slice(g, t, missed_s);
	t->pause_s = 0;
}

/* A round that took long: how much of it was not our own work? The thread's
   clock tells, but not when the hypervisor had the CPU: it goes on then. */
static void
note_pause(struct pktgen *g, struct trial *t, uint64_t now)
{
	double pause_s = (double)(now - t->last) / g->hz;

	t->last = now;
	if (likely(pause_s < PAUSE_S))
		return;
	if (pause_s < ROUND_MOST_S)
		pause_s = fmin(pause_s, pktgen_watch_own_s());
	else
		(void)pktgen_watch_own_s();
	if (pause_s < PAUSE_S)
		return;
	t->pause_s = fmax(t->pause_s, pause_s);
	if (t->stopped)
		return;
	g->counted->stalled += pause_s;
	g->counted->longest = fmax(g->counted->longest, pause_s);
}

static void
begin(struct pktgen *g, struct trial *t, double rate, double most_s)
{
	const uint32_t slices = (uint32_t)(most_s / PKTGEN_SLICE_S * 1.5 +
		DRAIN_MOST_S / PKTGEN_SLICE_S + 8);

	t->schedule.period = (double)g->n_order / rate * g->hz;
	t->schedule.left = (uint64_t)(rate * most_s);
	pktgen_srtp_prepare(g, t->schedule.left);
	if (!pktgen_slices_begin(&g->slices, slices, hold_s(g, rate)))
		pktgen_die("no memory");
	g->slices.used = 1;
	memset(g->now, 0, sizeof g->now);
	g->run++;
	(void)pktgen_watch_missed_s();
	(void)pktgen_watch_own_s();
	g->slices_a_cycle = 1 / (PKTGEN_SLICE_S * g->hz);
	g->start = rte_rdtsc();
	t->last = g->start;
	/* Go on in the order, from now on. */
	t->schedule.at = (uint32_t)(g->events % g->n_order);
	t->schedule.begun = (double)g->start -
		t->schedule.period * (double)g->phase[t->schedule.at] /
			4294967296.0;
	pktgen_extra_begin(g, g->start);
}

/* Send what is due; false: the trial is over. */
static bool
go_on(struct pktgen *g, struct trial *t, uint64_t now)
{
	if (t->schedule.left > 0) {
		shift(g, &t->schedule, now);
		g->counted->due += pktgen_send_due(g, &t->schedule, now);
		pktgen_extra_send(g, now);
		return true;
	}
	if (!t->stopped) {
		t->stopped = now;
		t->quiet_since = now;
		g->counted->seconds = (double)(now - g->start) / g->hz;
	}
	return (double)(now - t->quiet_since) < DRAIN_S * g->hz &&
		(double)(now - t->stopped) < DRAIN_MOST_S * g->hz;
}

static enum pktgen_verdict
verdict_of(const struct pktgen_result *r, double seconds)
{
	const uint64_t sent = r->way[0].sent + r->way[1].sent;
	const struct pktgen_judged *j = &r->judged;
	const double quiet_s = j->quiet * PKTGEN_SLICE_S;
	/* Of the time that we had. */
	const double share = HONEST * (1 - r->stalled / r->seconds);
	const bool full = (double)r->due >= share * r->asked * r->seconds;

	if (sent > 0 &&
		(double)(sent - pktgen_lost(r)) < SILENCE * (double)sent)
		return PKTGEN_SILENT;
	if (pktgen_lost(r) == 0 && full)
		return PKTGEN_PASSED;
	if (j->lost > 0)
		return PKTGEN_LOST;
	if (quiet_s < ENOUGH * seconds)
		return PKTGEN_DISTURBED;
	if (!full)
		return PKTGEN_SHORT;
	return quiet_s < seconds - 1.5 * PKTGEN_SLICE_S ? PKTGEN_DISTURBED
							: PKTGEN_PASSED;
}

void
pktgen_trial(struct pktgen *g, double rate, double seconds, bool strict,
	struct pktgen_result *r)
{
	const bool ready = g->srtp && !g->conf.srtp_live;
	const double patience = ready ? PATIENCE_SRTP : PATIENCE;
	struct trial t = { .seconds = seconds, .strict = strict };
	uint64_t now;
	uint32_t end;

	memset(r, 0, sizeof *r);
	r->asked = rate;
	begin(g, &t, rate, strict ? patience * seconds : seconds);
	g->counted = r;
	do {
		now = rte_rdtsc();
		note_pause(g, &t, now);
		turn_slices(g, &t, now);
		if (pktgen_receive(g) > 0)
			t.quiet_since = now;
	} while (go_on(g, &t, now));
	keep_times(g, &g->slices.slice[g->slices.used - 1]);
	g->counted = NULL;

	end = (uint32_t)(r->seconds / PKTGEN_SLICE_S);
	r->judged = pktgen_slices_judge(&g->slices, 0, end);
	if (r->seconds > 0)
		r->offered =
			(double)(r->way[0].sent + r->way[1].sent) / r->seconds;
	r->verdict = verdict_of(r, seconds);
}
