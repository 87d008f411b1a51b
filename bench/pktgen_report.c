/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "bench/pktgen.h"

static double
us(const struct pktgen_hist *h, double share)
{
	return (double)pktgen_hist_quantile(h, share) / 1000;
}

void
pktgen_report_head(void)
{
	printf("%11s %11s %9s %9s %7s %7s %8s\n", "asked/s", "offered/s",
		"lost", "reordered", "p50 us", "p99 us", "stalled");
}

void
pktgen_report_row(const struct pktgen_result *r)
{
	static struct pktgen_hist both;

	both = r->way[PKTGEN_A].latency;
	pktgen_hist_merge(&both, &r->way[PKTGEN_B].latency);
	printf("%11.0f %11.0f %9" PRIu64 " %9" PRIu64 " %7.1f %7.1f %7.1f%%\n",
		r->asked, r->offered, pktgen_lost(r),
		r->way[0].reordered + r->way[1].reordered, us(&both, 0.5),
		us(&both, 0.99), 100 * r->stalled / r->seconds);
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
		printf(" %12.1f",
			share < 1 ? us(&r->way[s].latency, share)
				  : (double)r->way[s].latency.most / 1000);
	putchar('\n');
}

/* Who counts what: X(name, field). */
#define COUNTS(X)                                                              \
	X("sent", sent)                                                        \
	X("refused by our NIC", refused)                                       \
	X("received", received)                                                \
	X("reordered", reordered)                                              \
	X("duplicated", duplicated)                                            \
	X("to the wrong call", wrong)                                          \
	X("forged or broken", forged)                                          \
	X("RTCP sent", rtcp_sent)                                              \
	X("RTCP received", rtcp_received)

void
pktgen_report_table(const struct pktgen *g, const struct pktgen_result *r)
{
	printf("%u calls, %.0f packets/s asked, %.0f offered for %.1f s, "
	       "stalled %.1f %%\n%-22s %12s %12s\n",
		g->conf.calls, r->asked, r->offered, r->seconds,
		100 * r->stalled / r->seconds, "", "A to B", "B to A");
#define X(name, field) count_row(name, r, offsetof(struct pktgen_way, field));
	COUNTS(X)
#undef X
	printf("%-22s %12" PRIu64 " %12" PRIu64 "\n", "lost",
		r->way[0].sent - r->way[0].received,
		r->way[1].sent - r->way[1].received);
	time_row("latency us, p50", r, 0.5);
	time_row("p90", r, 0.9);
	time_row("p99", r, 0.99);
	time_row("p99.9", r, 0.999);
	time_row("most", r, 1);
	if (r->bound)
		puts("a higher rate is more than this generator can send");
	if (r->junk_sent > 0 || r->junk_received > 0)
		printf("junk: %" PRIu64 " sent, %" PRIu64 " came through\n",
			r->junk_sent, r->junk_received);
	if (r->strays > 0)
		printf("strays: %" PRIu64 "\n", r->strays);
}

static void
json_way(const char *name, const struct pktgen_way *way)
{
	printf(", \"%s\": {", name);
#define X(text, field) printf("\"" #field "\": %" PRIu64 ", ", way->field);
	COUNTS(X)
#undef X
	printf("\"lost\": %" PRIu64 ", \"latency_us\": {\"p50\": %.1f, "
	       "\"p90\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, "
	       "\"most\": %.1f}}",
		way->sent - way->received, us(&way->latency, 0.5),
		us(&way->latency, 0.9), us(&way->latency, 0.99),
		us(&way->latency, 0.999), (double)way->latency.most / 1000);
}

void
pktgen_report_json(
	const struct pktgen *g, const char *mode, const struct pktgen_result *r)
{
	printf("{\"mode\": \"%s\", \"calls\": %u, \"payload\": %u, "
	       "\"asked\": %.1f, \"offered\": %.1f, \"seconds\": %.3f, "
	       "\"stalled\": %.4f, \"strays\": %" PRIu64
	       ", \"junk_sent\": %" PRIu64 ", \"junk_received\": %" PRIu64,
		mode, g->conf.calls, g->conf.payload, r->asked, r->offered,
		r->seconds, r->stalled, r->strays, r->junk_sent,
		r->junk_received);
	printf(", \"generator_bound\": %s", r->bound ? "true" : "false");
	json_way("a_to_b", &r->way[PKTGEN_A]);
	json_way("b_to_a", &r->way[PKTGEN_B]);
	puts("}");
	fflush(stdout);
}
