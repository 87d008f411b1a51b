/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/quality.h"

#include <stdbool.h>

enum {
	MAX_MISORDER = 100, /* RFC 3550 A.1: later than this is a jump */
	WINDOW = 64,
};

/* Begin anew at @first, as if nothing had been lost before it. */
static void
restart(struct sp_quality *q, uint16_t first)
{
	if (q->window != 0)
		q->expected += q->highest - q->base + 1;
	q->base = first;
	q->highest = first;
	q->jump_seq = first;
	q->window = 1;
	q->received++;
}

static void
count_new_source(
	struct sp_quality *q, const struct sp_rtp *rtp, uint32_t arrival)
{
	if (q->window != 0 && q->source_changes < UINT16_MAX)
		q->source_changes++;
	restart(q, rtp->seq);
	q->ssrc = rtp->ssrc;
	q->transit = arrival - rtp->timestamp;
}

/*
 * A packet @behind the highest one. Those too old for the window may be
 * duplicates; they are taken for late, as RFC 3550 does.
 */
static void
count_late(struct sp_quality *q, const struct sp_rtp *rtp, uint32_t arrival,
	uint16_t behind)
{
	const uint64_t bit = behind < WINDOW ? (uint64_t)1 << behind : 0;

	if (q->window & bit) {
		q->duplicates++;
		return;
	}
	q->window |= bit;
	q->received++;
	q->reordered++;
	if (behind > q->highest - q->base)
		q->base = q->highest - behind; /* the first was not first */
	sp_quality_count_jitter(q, rtp, arrival);
}

void
sp_quality_count_rare(
	struct sp_quality *q, const struct sp_rtp *rtp, uint32_t arrival)
{
	const uint16_t behind = (uint16_t)((uint16_t)q->highest - rtp->seq);

	if (q->window == 0 || rtp->ssrc != q->ssrc) {
		count_new_source(q, rtp, arrival);
	} else if (behind < MAX_MISORDER) {
		count_late(q, rtp, arrival, behind);
	} else if (rtp->seq == (uint16_t)(q->jump_seq + 1)) {
		/* Two in a row: the sender did start again, one packet ago. */
		restart(q, q->jump_seq);
		q->highest++;
		q->window = 3;
		q->received++;
		q->jump_seq = rtp->seq;
		q->transit = arrival - rtp->timestamp;
	} else {
		q->jump_seq = rtp->seq;
	}
}

/*
 * The E-model cut down to what a relay can see. Ie and Bpl are those of G.711
 * with packet loss concealment under random loss (G.113 appendix I, table
 * I.3). The delay is what a receiver adds: 10 ms for the codec and a jitter
 * buffer of twice the jitter; its impairment Id is the usual line with a bend
 * where conversations begin to suffer (Cole and Rosenbluth, 2001).
 */
static uint16_t
estimate_mos(double loss_percent, double jitter_ms)
{
	const double bpl = 25.1;
	const double delay_ms = 10 + 2 * jitter_ms;
	const double bend_ms = 177.3;
	double mos,
		r = 93.2 - 0.024 * delay_ms -
		95 * loss_percent / (loss_percent + bpl);

	if (delay_ms > bend_ms)
		r -= 0.11 * (delay_ms - bend_ms);
	mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
	/* The curve dips below its own floor for the worst of paths. */
	return r <= 0 || mos < 1 ? 100 : (uint16_t)(100 * mos + 0.5);
}

static uint32_t
jitter_us(uint32_t jitter, uint32_t clock_hz)
{
	const uint64_t us =
		clock_hz > 0 ? (uint64_t)jitter * 1000000 / 16 / clock_hz : 0;

	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

void
sp_quality_read(const struct sp_quality *q, uint32_t clock_hz,
	struct sp_quality_report *out)
{
	const bool any = q->window != 0;
	struct sp_quality_report r = {
		.packets = (uint64_t)q->received + q->duplicates,
		.expected = q->expected,
		.reordered = q->reordered,
		.duplicates = q->duplicates,
		.ssrc = q->ssrc,
		.ssrc_changes = q->source_changes,
		.last_seq = (uint16_t)q->highest,
	};

	if (any) {
		r.expected += (uint64_t)(q->highest - q->base) + 1;
		if (r.expected > q->received)
			r.lost = r.expected - q->received;
		r.jitter_us = jitter_us(q->jitter, clock_hz);
		r.mos_x100 = estimate_mos(
			100.0 * (double)r.lost / (double)r.expected,
			r.jitter_us / 1000.0);
	}
	*out = r;
}
