/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "bench/pktgen_report.h"

void
pktgen_report_head(void)
{
	printf("%10s %10s %9s %9s %6s %7s %7s %7s %8s %s\n", "asked/s",
		"offered/s", "lost", "in quiet", "s", "quiet s", "p50 us",
		"p99 us", "stalled", "verdict");
}

void
pktgen_report_row(const struct pktgen_result *r)
{
	static struct pktgen_hist both;

	both = r->way[PKTGEN_A].all;
	pktgen_hist_merge(&both, &r->way[PKTGEN_B].all);
	printf("%10.0f %10.0f %9" PRIu64 " %9" PRIu64
	       " %6.2f %7.2f %7.1f %7.1f %7.1f%% %s\n",
		r->asked, r->offered, pktgen_lost(r), r->judged.lost,
		r->seconds, r->judged.quiet * PKTGEN_SLICE_S,
		pktgen_us(&both, 0.5), pktgen_us(&both, 0.99),
		100 * r->stalled / r->seconds, pktgen_verdict_name(r->verdict));
	fflush(stdout);
}

static void
count_row(const char *name, const struct pktgen_result *r, size_t offset)
{
	printf("%-22s", name);
	for (unsigned int s = 0; s < PKTGEN_SIDES; s++)
		printf(" %12" PRIu64,
			*(const uint64_t *)((const char *)&r->way[s] + offset));
	putchar('\n');
}

static void
time_row(const char *name, const struct pktgen_result *r, double share)
{
	printf("%-22s", name);
	for (unsigned int s = 0; s < PKTGEN_SIDES; s++)
		printf(" %12.1f", pktgen_us(pktgen_times(&r->way[s]), share));
	putchar('\n');
}

/* What the machine did meanwhile. */
static void
say_quiet(const struct pktgen *g, const struct pktgen_result *r)
{
	printf("the generator's core was away for %.2f %% (%.0f us at most)",
		100 * r->stalled / r->seconds, r->longest * 1e6);
	if (g->conf.watch > 0)
		printf(", the relay's for %.2f %%",
			100 * r->taken / r->seconds);
	printf("; in %.2f s of quiet %" PRIu64 " of %" PRIu64 " were lost\n",
		r->judged.quiet * PKTGEN_SLICE_S, r->judged.lost,
		r->judged.sent);
}

void
pktgen_report_table(const struct pktgen *g, const struct pktgen_result *r,
	const struct pktgen_search *s)
{
	printf("%u calls, %.0f packets/s asked, %.0f offered for %.1f s\n"
	       "%-22s %12s %12s\n",
		g->conf.calls, r->asked, r->offered, r->seconds, "", "A to B",
		"B to A");
#define X(name, field) count_row(name, r, offsetof(struct pktgen_way, field));
	PKTGEN_COUNTS(X)
#undef X
	printf("%-22s %12" PRIu64 " %12" PRIu64 "\n", "lost",
		r->way[0].sent - r->way[0].received,
		r->way[1].sent - r->way[1].received);
	time_row("latency us, p50", r, 0.5);
	time_row("p90", r, 0.9);
	time_row("p99", r, 0.99);
	time_row("p99.9", r, 0.999);
	time_row("most", r, 1);
	say_quiet(g, r);
	if (s)
		printf("more is limited by: %s\n", pktgen_limit_name(s->limit));
	if (r->junk_sent > 0 || r->junk_received > 0)
		printf("junk: %" PRIu64 " sent, %" PRIu64 " came through\n",
			r->junk_sent, r->junk_received);
	if (r->strays > 0)
		printf("strays: %" PRIu64 "\n", r->strays);
}
