/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "bench/pktgen_report.h"

#define STEPS_MAX 64u

/* What is kept of a search's trials. */
static struct step {
	double asked, offered, seconds, quiet_s;
	uint64_t lost, lost_quiet;
	enum pktgen_verdict verdict;
} steps[STEPS_MAX];
static unsigned int n_steps;

static void
json_times(const char *name, const struct pktgen_hist *h)
{
	printf(", \"%s\": {\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, "
	       "\"p99.9\": %.1f, \"most\": %.1f, \"count\": %" PRIu64 "}",
		name, pktgen_us(h, 0.5), pktgen_us(h, 0.9), pktgen_us(h, 0.99),
		pktgen_us(h, 0.999), pktgen_us(h, 1), h->count);
}

static void
json_way(const char *name, const struct pktgen_way *way)
{
	printf(", \"%s\": {\"lost\": %" PRIu64, name,
		way->sent - way->received);
#define X(text, field) printf(", \"" #field "\": %" PRIu64, way->field);
	PKTGEN_COUNTS(X)
#undef X
	json_times("latency_us", pktgen_times(way));
	json_times("latency_all_us", &way->all);
	putchar('}');
}

void
pktgen_json_step(const struct pktgen_result *r)
{
	if (n_steps == STEPS_MAX)
		return;
	steps[n_steps++] = (struct step){ .asked = r->asked,
		.offered = r->offered,
		.seconds = r->seconds,
		.quiet_s = r->judged.quiet * PKTGEN_SLICE_S,
		.lost = pktgen_lost(r),
		.lost_quiet = r->judged.lost,
		.verdict = r->verdict };
}

static void
json_search(const struct pktgen_search *s, enum pktgen_end end)
{
	printf(", \"end\": \"%s\", \"limit\": \"%s\", "
	       "\"generator_bound\": %s, \"steps\": [",
		pktgen_end_name(end), pktgen_limit_name(s->limit),
		s->limit == PKTGEN_BY_RELAY ? "false" : "true");
	for (unsigned int i = 0; i < n_steps; i++)
		printf("%s{\"asked\": %.1f, \"offered\": %.1f, "
		       "\"seconds\": %.3f, \"quiet_seconds\": %.2f, "
		       "\"lost\": %" PRIu64 ", \"lost_quiet\": %" PRIu64
		       ", \"verdict\": \"%s\"}",
			i > 0 ? ", " : "", steps[i].asked, steps[i].offered,
			steps[i].seconds, steps[i].quiet_s, steps[i].lost,
			steps[i].lost_quiet,
			pktgen_verdict_name(steps[i].verdict));
	putchar(']');
}

/* What the machine did meanwhile. */
static void
json_quiet(const struct pktgen *g, const struct pktgen_result *r)
{
	printf(", \"stalled\": %.4f, \"longest_pause_us\": %.0f, "
	       "\"watched\": %s, \"relay_missed\": %.4f, "
	       "\"quiet_seconds\": %.2f, \"disturbed_seconds\": %.2f, "
	       "\"sent_quiet\": %" PRIu64 ", \"lost_quiet\": %" PRIu64,
		r->stalled, r->longest * 1e6,
		g->conf.watch > 0 ? "true" : "false", r->taken,
		r->judged.quiet * PKTGEN_SLICE_S,
		r->judged.disturbed * PKTGEN_SLICE_S, r->judged.sent,
		r->judged.lost);
}

void
pktgen_json(const struct pktgen *g, const struct pktgen_result *r,
	const struct pktgen_search *s, enum pktgen_end end)
{
	printf("{\"mode\": \"%s\", \"calls\": %u, \"payload\": %u, "
	       "\"asked\": %.1f, \"offered\": %.1f, \"seconds\": %.3f, "
	       "\"verdict\": \"%s\", \"strays\": %" PRIu64
	       ", \"junk_sent\": %" PRIu64 ", \"junk_received\": %" PRIu64
	       ", \"warm_up_received\": %" PRIu64,
		s ? "search" : "rate", g->conf.calls, g->conf.payload, r->asked,
		r->offered, r->seconds, pktgen_verdict_name(r->verdict),
		r->strays, r->junk_sent, r->junk_received, g->warm_received);
	json_quiet(g, r);
	if (s)
		json_search(s, end);
	json_way("a_to_b", &r->way[PKTGEN_A]);
	json_way("b_to_a", &r->way[PKTGEN_B]);
	puts("}");
	fflush(stdout);
}
