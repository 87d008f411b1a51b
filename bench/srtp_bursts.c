/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SRTP stage against ipsec-mb's cipher and hash alone: every suite,
 * payload, burst and number of streams.
 */
#include <stdio.h>

#include "bench/srtp_contender.h"
#include "bench/srtp_parts.h"
#include "bench/srtp_stage.h"
#include "bench/srtp_summary.h"
#include "bench/stats.h"

#define WALKS 4u
#define AIM_BURST 16u   /* the aims are about bursts so large */
#define AIM_BARE 1.25   /* times the bare library */
#define AIM_FLAT 1.4    /* times with the most streams against the least */
#define MIXED_BURST 32u /* the mix is measured with bursts of */

enum {
	STAGE,
	BARE,
	CONTENDERS
};
enum {
	PROTECT,
	UNPROTECT,
	WAYS
};

static const uint32_t all_streams[WALKS] = { 32, 1000, 10000, 100000 };
static const uint16_t all_payloads[] = { 20, 160, 1200, RING_MIXED };
static const unsigned int all_bursts[] = { 1, 2, 4, 8, 16, 32, 64 };

/* One row: a suite, a payload and a burst. */
struct row {
	enum sp_srtp_suite suite;
	uint16_t payload;
	unsigned int burst;
	struct stats cycles[WALKS][CONTENDERS][WAYS];
};

/* How far an aim is reached, over all rows of a suite. */
struct aim {
	unsigned int cells;
	unsigned int reached;
	double worst;
	double bare; /* what the bare library did there, or 0 */
	char where[64];
};

struct bench {
	const struct srtp_options *o;
	unsigned int walks;
	struct srtp_walk *walk[WALKS];
	struct srtp_ring *ring;
	const struct srtp_contender *contender[CONTENDERS];
	void *self[CONTENDERS];
	struct row row;
	struct aim bare[SP_SRTP_SUITES];
	struct aim flat[SP_SRTP_SUITES];
	double noise; /* the most */
};

static const char *
payload_name(uint16_t payload, char text[16])
{
	if (payload == RING_MIXED)
		return "mixed";
	snprintf(text, 16, "%u", payload);
	return text;
}

static void
judge(struct aim *a, double value, double limit, const struct row *r,
	uint32_t streams, unsigned int way)
{
	char text[16];

	a->cells++;
	a->reached += value <= limit;
	if (value <= a->worst)
		return;
	a->worst = value;
	snprintf(a->where, sizeof a->where, "%s, %s, bursts of %u, %u streams",
		way == PROTECT ? "protect" : "unprotect",
		payload_name(r->payload, text), r->burst, streams);
}

static double
flatness(const struct bench *b, unsigned int contender, unsigned int way)
{
	return stats_ratio(&b->row.cycles[b->walks - 1][contender][way],
		&b->row.cycles[0][contender][way]);
}

/* Keys out of cache slow everybody: how much do they slow the library? */
static void
judge_flat(struct bench *b, unsigned int way)
{
	struct aim *a = &b->flat[b->row.suite];
	const double before = a->worst;

	judge(a, flatness(b, STAGE, way), AIM_FLAT, &b->row,
		b->walk[b->walks - 1]->n, way);
	if (a->worst != before)
		a->bare = flatness(b, BARE, way);
}

static void
judge_row(struct bench *b)
{
	struct row *r = &b->row;

	for (unsigned int w = 0; w < WAYS; w++) {
		for (unsigned int i = 0; i < b->walks; i++) {
			const struct stats *stage = &r->cycles[i][STAGE][w];
			const double noise = stats_noise(stage);

			if (noise > b->noise)
				b->noise = noise;
			if (r->burst >= AIM_BURST)
				judge(&b->bare[r->suite],
					stats_ratio(
						stage, &r->cycles[i][BARE][w]),
					AIM_BARE, r, b->walk[i]->n, w);
		}
		if (r->burst >= AIM_BURST)
			judge_flat(b, w);
	}
}

static void
print_row(const struct bench *b)
{
	printf("%5u", b->row.burst);
	for (unsigned int i = 0; i < b->walks; i++)
		for (unsigned int w = 0; w < WAYS; w++)
			printf(" %5.0f %4.2f",
				stats_median(&b->row.cycles[i][STAGE][w]),
				stats_ratio(&b->row.cycles[i][STAGE][w],
					&b->row.cycles[i][BARE][w]));
	printf("\n");
}

static void
note(const struct bench *b)
{
	const struct row *r = &b->row;

	for (unsigned int i = 0; i < b->walks; i++) {
		struct srtp_summary s = { r->suite, r->payload, r->burst,
			b->walk[i]->n, { 0 }, { 0 } };

		for (unsigned int w = 0; w < WAYS; w++) {
			s.cycles[w] = stats_median(&r->cycles[i][STAGE][w]);
			s.ratio[w] = stats_ratio(&r->cycles[i][STAGE][w],
				&r->cycles[i][BARE][w]);
		}
		srtp_summary_note(&s);
	}
}

static void
print_json(const struct bench *b)
{
	const struct row *r = &b->row;
	char text[16];

	for (unsigned int i = 0; i < b->walks; i++)
		for (unsigned int w = 0; w < WAYS; w++)
			printf("{\"bench\":\"srtp bursts\",\"suite\":\"%s\","
			       "\"payload\":\"%s\",\"burst\":%u,"
			       "\"streams\":%u,\"way\":\"%s\","
			       "\"cycles\":%.1f,\"bare\":%.1f,\"ratio\":%.3f,"
			       "\"noise\":%.3f}\n",
				sp_srtp_facts(r->suite)->name,
				payload_name(r->payload, text), r->burst,
				b->walk[i]->n,
				w == PROTECT ? "protect" : "unprotect",
				stats_median(&r->cycles[i][STAGE][w]),
				stats_median(&r->cycles[i][BARE][w]),
				stats_ratio(&r->cycles[i][STAGE][w],
					&r->cycles[i][BARE][w]),
				stats_noise(&r->cycles[i][STAGE][w]));
}

/* All streams and contenders take turns in each round. */
static void
measure_row(struct bench *b)
{
	struct row *r = &b->row;

	for (unsigned int c = 0; c < CONTENDERS; c++)
		if (b->contender[c]->tune)
			b->contender[c]->tune(b->self[c], b->ring, b->walk[0],
				r->payload, r->burst);
	for (unsigned int round = 0; round < b->o->rounds; round++) {
		for (unsigned int i = 0; i < b->walks; i++) {
			for (unsigned int c = 0; c < CONTENDERS; c++) {
				const struct srtp_lap lap = srtp_lap(
					b->contender[c], b->self[c], b->ring,
					b->walk[i], r->payload, r->burst);

				stats_add(
					&r->cycles[i][c][PROTECT], lap.protect);
				stats_add(&r->cycles[i][c][UNPROTECT],
					lap.unprotect);
			}
		}
	}
	judge_row(b);
	print_row(b);
	note(b);
	if (b->o->json)
		print_json(b);
}

static void
print_head(const struct bench *b, enum sp_srtp_suite suite, uint16_t payload)
{
	char text[16];

	printf("\n%s, payload %s: cycles a packet, times bare; by streams, "
	       "protect and unprotect\nburst",
		sp_srtp_facts(suite)->name, payload_name(payload, text));
	for (unsigned int i = 0; i < b->walks; i++)
		printf(" %21u", b->walk[i]->n);
	printf("\n");
}

static bool
is_wanted(const struct bench *b, uint16_t payload, unsigned int burst)
{
	const struct srtp_options *o = b->o;

	if ((o->payload != 0 && o->payload != payload) ||
		(o->burst != 0 && o->burst != burst))
		return false;
	if (payload == RING_MIXED)
		return burst == MIXED_BURST;
	return !o->quick || (payload == 160 && (burst == 1 || burst == 32));
}

static bool
is_suite_wanted(const struct srtp_options *o, enum sp_srtp_suite suite)
{
	if (o->suite != SP_SRTP_NONE)
		return suite == o->suite;
	return !o->quick || suite == SP_SRTP_AES_CM_128_80 ||
		suite == SP_SRTP_GCM_128;
}

static void
measure_suite(struct bench *b, enum sp_srtp_suite suite)
{
	const uint32_t streams = b->walk[b->walks - 1]->n;
	struct srtp_stage_cost cost;

	for (unsigned int c = 0; c < CONTENDERS; c++) {
		b->self[c] = b->contender[c]->open(suite, streams);
		srtp_lap_first(b->contender[c], b->self[c], b->ring,
			b->walk[b->walks - 1]);
	}
	cost = srtp_stage_cost(b->self[STAGE]);
	for (size_t p = 0; p < sizeof all_payloads / sizeof all_payloads[0];
		p++) {
		bool any = false;

		for (size_t i = 0; i < sizeof all_bursts / sizeof all_bursts[0];
			i++) {
			if (!is_wanted(b, all_payloads[p], all_bursts[i]))
				continue;
			if (!any)
				print_head(b, suite, all_payloads[p]);
			any = true;
			b->row = (struct row){ .suite = suite,
				.payload = all_payloads[p],
				.burst = all_bursts[i] };
			measure_row(b);
		}
	}
	printf("a direction: %.0f bytes, %.2f us to open\n", cost.bytes,
		cost.us);
	for (unsigned int c = 0; c < CONTENDERS; c++)
		b->contender[c]->close(b->self[c]);
}

static bool
print_aim(const char *name, const struct aim aims[], double limit)
{
	bool all = true;

	printf("\n%s, bursts of %u and more: at most %.2f\n", name, AIM_BURST,
		limit);
	for (unsigned int s = 0; s < SP_SRTP_SUITES; s++) {
		if (aims[s].cells == 0)
			continue;
		all = all && aims[s].reached == aims[s].cells;
		printf("  %-4s %-24s %2u of %2u, worst %.2f",
			aims[s].reached == aims[s].cells ? "pass" : "FAIL",
			sp_srtp_facts(s)->name, aims[s].reached, aims[s].cells,
			aims[s].worst);
		if (aims[s].bare > 0)
			printf(", bare %.2f", aims[s].bare);
		printf(" (%s)\n", aims[s].where);
	}
	return all;
}

bool
srtp_bursts(const struct srtp_options *o)
{
	static struct bench b;
	const uint32_t most = srtp_stage_most();
	bool fine;

	b.o = o;
	b.walks = o->quick ? 2 : WALKS;
	while (b.walks > 1 && all_streams[b.walks - 1] > most)
		b.walks--;
	b.contender[STAGE] = &srtp_stage;
	b.contender[BARE] = &srtp_bare;
	for (unsigned int i = 0; i < b.walks; i++)
		b.walk[i] = srtp_walk_open(all_streams[i]);
	b.ring = srtp_ring_open(all_streams[b.walks - 1]);
	for (unsigned int s = SP_SRTP_NONE + 1; s < SP_SRTP_SUITES; s++)
		if (is_suite_wanted(o, s))
			measure_suite(&b, s);
	if (!o->quick)
		srtp_summary_print(all_streams, b.walks);
	fine = print_aim("stage against bare library", b.bare, AIM_BARE);
	fine = print_aim("most streams against least", b.flat, AIM_FLAT) &&
		fine;
	printf("noise of a number: at most %.0f %%\n", b.noise * 100);
	for (unsigned int i = 0; i < b.walks; i++)
		srtp_walk_close(b.walk[i]);
	srtp_ring_close(b.ring);
	return fine;
}
