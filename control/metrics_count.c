/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <time.h>

#include "control/job.h"

#define PERCENT 100.0
#define US_PER_S 1000000u

static const struct {
	const char *label;
	const char *rtpengine;
} ends[SP_END_COUNT] = {
#define X(name, label, rtpengine) [SP_END_##name] = { label, rtpengine },
	SP_END_LIST(X)
#undef X
};

static const uint32_t edges_us[] = {
#define X(us, le) us,
	SP_LATENCY_LIST(X)
#undef X
};

const char *
sp_metrics_end(enum sp_end end)
{
	return ends[end].label;
}

static void
count_latency(struct sp_latency *latency, uint64_t began_us)
{
	struct timespec now;
	unsigned int i = 0;
	uint64_t took_us;

	if (began_us == 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	took_us = (uint64_t)now.tv_sec * US_PER_S +
		(uint64_t)now.tv_nsec / 1000u - began_us;
	while (i < SP_LATENCY_MORE && took_us > edges_us[i])
		i++;
	latency->bucket[i]++;
	latency->sum_us += took_us;
}

void
sp_metrics_count_reply(
	struct sp_service *s, const struct sp_asker *asker, int http)
{
	enum sp_result result = SP_RESULT_OK;

	if (http >= 500)
		result = http == 503 ? SP_RESULT_CAPACITY : SP_RESULT_FAILED;
	else if (http >= 400)
		result = SP_RESULT_REFUSED;
	s->metrics.requests[asker->door][asker->verb][result]++;
	count_latency(
		&s->metrics.latency[asker->door][asker->verb], asker->began_us);
}

static void
sample(struct sp_samples *to, double value)
{
	to->count++;
	to->sum += value;
	to->sum2 += value * value;
}

static void
count_quality(struct sp_metrics *m, const struct sp_quality_report *quality)
{
	if (quality->mos_x100 == 0 || quality->expected == 0)
		return;
	sample(&m->mos, quality->mos_x100 / 100.0);
	sample(&m->jitter_ms, quality->jitter_us / 1000.0);
	sample(&m->loss_percent,
		PERCENT * (double)quality->lost / (double)quality->expected);
}

void
sp_metrics_count_streams(struct sp_service *s, const struct sp_cast *cast,
	const struct sp_flow_report *report)
{
	static const struct sp_flow_report none;

	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int m = 0; m < cast->party[p]->legs; m++) {
			const struct sp_leg *leg = &cast->party[p]->leg[m];
			const bool on = leg->slot[SP_PART_RTP].flow != 0;
			struct sp_flow_report sum;

			if (!on && !leg->past)
				continue;
			sp_reply_sum(leg, on ? report++ : &none, &sum);
			report += leg->slot[SP_PART_RTCP].flow != 0;
			if (sum.has_quality)
				count_quality(&s->metrics, &sum.quality);
		}
}

/* Of an answered call: were there streams that never came? */
static void
count_missing(struct sp_metrics *m, const struct sp_cast *cast,
	const struct sp_flow_report *report)
{
	bool heard = false, missing = false;

	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int i = 0; i < cast->party[p]->legs; i++) {
			const struct sp_leg *leg = &cast->party[p]->leg[i];
			const struct sp_media *media =
				sp_party_media(cast->party[p], i);
			uint64_t packets = leg->past ? leg->past->packets : 0;

			if (leg->slot[SP_PART_RTP].flow == 0)
				continue;
			packets += report++->packets;
			report += leg->slot[SP_PART_RTCP].flow != 0;
			if (!media || !media->live ||
				!(media->direction & SP_SDP_SENDONLY))
				continue;
			heard |= packets > 0;
			missing |= packets == 0;
			m->zero_streams += packets == 0;
		}
	m->one_way_calls += heard && missing;
}

void
sp_metrics_count_end(struct sp_service *s, const struct sp_call *call,
	enum sp_end end, const struct sp_flow_report *report)
{
	struct sp_metrics *m = &s->metrics;

	m->ends[end]++;
	sample(&m->duration_s, (double)(s->now_ms - call->created_ms) / 1000);
	if (!report)
		return;
	sp_metrics_count_streams(s, &call->cast, report);
	if (call->answered_ms > 0)
		count_missing(m, &call->cast, report);
}

static uint64_t
sum_of(const struct sp_service *s, enum sp_verdict verdict)
{
	uint64_t sum = 0;

	for (unsigned int w = 0; w < s->workers; w++)
		sum += sp_dataplane_count(s->dp, w, verdict);
	return sum;
}

uint64_t
sp_metrics_forwarded(const struct sp_service *s)
{
	return sum_of(s, SP_VERDICT_FORWARD);
}

uint64_t
sp_metrics_errors(const struct sp_service *s)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < SP_REPLY_ERRORS; i++)
		sum += sum_of(s, sp_reply_errors[i]);
	return sum;
}

void
sp_metrics_tick(struct sp_service *s)
{
	struct sp_metrics *m = &s->metrics;
	const uint64_t forwarded = sp_metrics_forwarded(s);

	if (s->now_ms <= m->ticked_ms)
		return;
	m->packet_rate = (double)(forwarded - m->forwarded) * 1000 /
		(double)(s->now_ms - m->ticked_ms);
	m->forwarded = forwarded;
	m->ticked_ms = s->now_ms;
}

uint64_t
sp_metrics_closed(const struct sp_service *s, const char *label)
{
	const struct sp_metrics *m = &s->metrics;
	uint64_t sum = 0;

	for (unsigned int e = 0; e < SP_END_COUNT; e++)
		if (strcmp(ends[e].rtpengine, label) == 0)
			sum += m->ends[e];
	/* Those that were never let in are calls to rtpengine, too. */
	if (strcmp(label, ends[SP_END_FAILED].rtpengine) == 0)
		for (unsigned int d = 0; d < SP_DOORS; d++)
			sum += m->requests[d][SP_VERB_OFFER]
					  [SP_RESULT_CAPACITY];
	return sum;
}

uint64_t
sp_metrics_replies(
	const struct sp_service *s, enum sp_door door, enum sp_verb verb)
{
	/* The door answers pings by itself. */
	uint64_t sum = door == SP_DOOR_NG && verb == SP_VERB_PING
		? s->metrics.ng.pings
		: 0;

	for (unsigned int r = 0; r < SP_RESULT_COUNT; r++)
		sum += s->metrics.requests[door][verb][r];
	return sum;
}
