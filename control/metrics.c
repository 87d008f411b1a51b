/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/metrics.h"

#include <inttypes.h>
#include <malloc.h>
#include <string.h>

#include "control/job.h"
#include "control/metrics_text.h"

static const char *const results[SP_RESULT_COUNT] = {
	[SP_RESULT_OK] = "ok",
	[SP_RESULT_REFUSED] = "refused",
	[SP_RESULT_CAPACITY] = "capacity",
	[SP_RESULT_FAILED] = "failed",
};

static const char *const doors[SP_DOORS] = {
	[SP_DOOR_HTTP] = "http",
	[SP_DOOR_NG] = "ng",
};

static const char *const latency_edges[SP_LATENCY_COUNT] = {
#define X(us, le) [SP_LATENCY_##us] = le,
	SP_LATENCY_LIST(X)
#undef X
		[SP_LATENCY_MORE] = "+Inf",
};

/* A verb's name as a label of ours: blanks are underscores. */
static const char *
verb_label(enum sp_verb verb, char out[SP_METRICS_LABEL])
{
	snprintf(out, SP_METRICS_LABEL, "%s", sp_metrics_verb(verb));
	for (char *c = out; *c; c++)
		*c = *c == ' ' ? '_' : *c;
	return out;
}

void
sp_metrics_family(
	FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A metric that is one number. */
void
sp_metrics_single(FILE *to, const char *name, const char *type,
	const char *help, uint64_t value)
{
	sp_metrics_family(to, name, type, help);
	fprintf(to, "%s %" PRIu64 "\n", name, value);
}

static void
write_packets(const struct sp_service *s, FILE *to)
{
	static const struct {
		const char *label;
		const char *help;
	} verdicts[] = {
#define X(name, label, help) [SP_VERDICT_##name] = { label, help },
		SP_VERDICT_LIST(X)
#undef X
	};

	sp_metrics_family(to, "sallyport_packets_total", "counter",
		"Packets by what became of them");
	for (unsigned int v = 0; v < SP_VERDICT_COUNT; v++) {
		fprintf(to, "# %s: %s\n", verdicts[v].label, verdicts[v].help);
		for (unsigned int w = 0; w < s->workers; w++)
			fprintf(to,
				"sallyport_packets_total{worker=\"%u\","
				"verdict=\"%s\"} %" PRIu64 "\n",
				w, verdicts[v].label,
				sp_dataplane_count(
					s->dp, w, (enum sp_verdict)v));
	}
}

/* One counter of every worker. */
static void
write_worker(const struct sp_service *s, FILE *to, const char *name,
	const char *type, const char *help, size_t offset)
{
	sp_metrics_family(to, name, type, help);
	for (unsigned int w = 0; w < s->workers; w++) {
		struct sp_worker_counts counts;

		sp_dataplane_worker_counts(s->dp, w, &counts);
		fprintf(to, "%s{worker=\"%u\"} %" PRIu64 "\n", name, w,
			offset == offsetof(struct sp_worker_counts, flows)
				? counts.flows
				: *(const uint64_t *)((const char *)&counts +
					  offset));
	}
}

/*
 * Microseconds of every worker. Busy time alone tells the load: sleeping and
 * looking in vain cost none.
 */
static void
write_seconds(const struct sp_service *s, FILE *to, const char *name,
	const char *help, size_t offset)
{
	sp_metrics_family(to, name, "counter", help);
	for (unsigned int w = 0; w < s->workers; w++) {
		struct sp_worker_counts counts;

		sp_dataplane_worker_counts(s->dp, w, &counts);
		fprintf(to, "%s{worker=\"%u\"} %.6f\n", name, w,
			(double)*(const uint64_t *)((const char *)&counts +
				offset) /
				1e6);
	}
}

/* Times in which packets waited too long for their worker. */
static void
write_stalls(const struct sp_service *s, FILE *to)
{
	write_worker(s, to, "sallyport_worker_stalls_total", "counter",
		"Times a worker did not look for packets for 2 ms or longer",
		offsetof(struct sp_worker_counts, stalls));
	write_seconds(s, to, "sallyport_worker_stalled_seconds_total",
		"Time of stalls, in which queues may overflow",
		offsetof(struct sp_worker_counts, stalled_us));
	write_seconds(s, to, "sallyport_worker_displaced_seconds_total",
		"Time of stalls in which another thread had the CPU",
		offsetof(struct sp_worker_counts, displaced_us));
}

/* What became of ARP, ND and ICMP for addresses of ours. */
static void
write_slow_path(const struct sp_service *s, FILE *to)
{
	static const char *const fates[] = {
#define X(name, label, help) [SP_SLOW_PATH_##name] = label,
		SP_SLOW_PATH_LIST(X)
#undef X
	};

	sp_metrics_family(to, "sallyport_slow_path_total", "counter",
		"Packets for the slow path by what became of them");
	for (unsigned int f = 0; f < sizeof fates / sizeof *fates; f++)
		fprintf(to,
			"sallyport_slow_path_total{fate=\"%s\"} %" PRIu64 "\n",
			fates[f],
			sp_dataplane_slow_count(
				s->dp, (enum sp_slow_path_fate)f));
}

static void
write_workers(const struct sp_service *s, FILE *to)
{
	/* clang-format off */
	static const struct {
		const char *name;
		const char *type;
		const char *help;
		size_t offset;
	} rows[] = {
#define ROW(field) offsetof(struct sp_worker_counts, field)
		{ "sallyport_received_total", "counter",
			"Packets taken from NICs", ROW(received) },
		{ "sallyport_handed_over_total", "counter",
			"Packets given to the worker that owns their port",
			ROW(handed_over) },
		{ "sallyport_taken_over_total", "counter",
			"Packets got from other workers", ROW(taken_over) },
		{ "sallyport_hand_over_full_total", "counter",
			"Packets lost because the owner's ring was full",
			ROW(hand_over_full) },
		{ "sallyport_passed_on_lost_total", "counter",
			"Packets forwarded, then lost in a shared queue",
			ROW(passed_on_lost) },
		{ "sallyport_held_packets", "gauge",
			"Copies on probation, in no verdict yet", ROW(held) },
		{ "sallyport_polls_total", "counter",
			"Turns of the worker's loop", ROW(polls) },
		{ "sallyport_busy_polls_total", "counter",
			"Turns that found at least one packet",
			ROW(busy_polls) },
		{ "sallyport_news_lost_total", "counter",
			"Events that found their ring full", ROW(news_lost) },
		{ "sallyport_flows", "gauge", "Flows running now",
			ROW(flows) },
#undef ROW
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		write_worker(s, to, rows[i].name, rows[i].type, rows[i].help,
			rows[i].offset);
	write_seconds(s, to, "sallyport_busy_seconds_total",
		"Time of the turns that found packets: its rate is the load",
		offsetof(struct sp_worker_counts, busy_us));
	write_stalls(s, to);
	write_slow_path(s, to);
}

static void
write_requests(const struct sp_service *s, FILE *to)
{
	char label[SP_METRICS_LABEL];

	sp_metrics_family(to, "sallyport_requests_total", "counter",
		"Requests by verb, result and how they came");
	for (unsigned int d = 0; d < SP_DOORS; d++)
		for (unsigned int v = 0; v < SP_VERB_COUNT; v++)
			for (unsigned int r = 0; r < SP_RESULT_COUNT; r++)
				fprintf(to,
					"sallyport_requests_total{verb=\"%s\","
					"result=\"%s\",door=\"%s\"} "
					"%" PRIu64 "\n",
					verb_label(v, label), results[r],
					doors[d], s->metrics.requests[d][v][r]);
}

/* One command's histogram, of all doors together. */
static void
write_latency(const struct sp_service *s, FILE *to, enum sp_verb verb)
{
	const char *name = "sallyport_request_seconds";
	char label[SP_METRICS_LABEL];
	uint64_t count = 0, sum_us = 0;

	verb_label(verb, label);
	for (unsigned int i = 0; i < SP_LATENCY_COUNT; i++) {
		for (unsigned int d = 0; d < SP_DOORS; d++)
			count += s->metrics.latency[d][verb].bucket[i];
		fprintf(to, "%s_bucket{command=\"%s\",le=\"%s\"} %" PRIu64 "\n",
			name, label, latency_edges[i], count);
	}
	for (unsigned int d = 0; d < SP_DOORS; d++)
		sum_us += s->metrics.latency[d][verb].sum_us;
	fprintf(to,
		"%s_sum{command=\"%s\"} %.6f\n%s_count{command=\"%s\"} %" PRIu64
		"\n",
		name, label, (double)sum_us / 1e6, name, label, count);
}

static void
write_latencies(const struct sp_service *s, FILE *to)
{
	sp_metrics_family(to, "sallyport_request_seconds", "histogram",
		"From a request's last byte to its reply");
	for (unsigned int v = 0; v < SP_VERB_COUNT; v++)
		if (v != SP_VERB_PING)
			write_latency(s, to, v);
}

static void
write_ng(const struct sp_service *s, FILE *to)
{
	const struct sp_ng_counts *ng = &s->metrics.ng;

#define X(name, help)                                                          \
	sp_metrics_single(to, "sallyport_ng_" #name "_total", "counter",       \
		"ng: " help, ng->name);
	SP_NG_COUNT_LIST(X)
#undef X
#define X(name, help)                                                          \
	sp_metrics_single(                                                     \
		to, "sallyport_ng_" #name, "gauge", "ng: " help, ng->name);
	SP_NG_GAUGE_LIST(X)
#undef X
}

/* What is told of calls, and where it has got to. */
static void
write_outboxes(const struct sp_service *s, FILE *to)
{
	static const char *const names[] = { "records", "webhook" };
	/* clang-format off */
	static const struct {
		const char *name;
		const char *type;
		const char *help;
		size_t offset;
	} rows[] = {
#define ROW(field) offsetof(struct sp_outbox_counts, field)
		{ "sallyport_outbox_sent_total", "counter",
			"Messages delivered", ROW(sent) },
		{ "sallyport_outbox_lost_total", "counter",
			"Messages given up: no room, refused or too old",
			ROW(lost) },
		{ "sallyport_outbox_again_total", "counter",
			"Deliveries that failed and were tried again",
			ROW(again) },
		{ "sallyport_outbox_waiting", "gauge",
			"Messages that wait for delivery", ROW(waiting) },
		{ "sallyport_outbox_waiting_bytes", "gauge",
			"Memory these messages take", ROW(waiting_bytes) },
#undef ROW
	};
	/* clang-format on */
	struct sp_outbox_counts counts[2];

	memset(counts, 0, sizeof counts);
	if (s->records.file)
		sp_outbox_read(s->records.file, &counts[0]);
	if (s->records.webhook)
		sp_outbox_read(s->records.webhook, &counts[1]);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		sp_metrics_family(to, rows[i].name, rows[i].type, rows[i].help);
		for (unsigned int o = 0; o < 2; o++)
			fprintf(to, "%s{outbox=\"%s\"} %" PRIu64 "\n",
				rows[i].name, names[o],
				*(const uint64_t *)((const char *)&counts[o] +
					rows[i].offset));
	}
}

static void
write_calls(const struct sp_service *s, FILE *to)
{
	const struct sp_metrics *m = &s->metrics;

	sp_metrics_single(
		to, "sallyport_calls", "gauge", "Calls now", s->calls.count);
	sp_metrics_single(to, "sallyport_calls_max", "gauge", "Calls allowed",
		s->conf->max_calls);
	sp_metrics_single(to, "sallyport_calls_total", "counter",
		"Calls ever set up", m->calls);
	sp_metrics_family(to, "sallyport_call_ends_total", "counter",
		"Calls that ended, by reason");
	for (unsigned int e = 0; e < SP_END_COUNT; e++)
		fprintf(to,
			"sallyport_call_ends_total{reason=\"%s\"} %" PRIu64
			"\n",
			sp_metrics_end(e), m->ends[e]);
	sp_metrics_single(to, "sallyport_heap_bytes", "gauge",
		"Memory that control has in use, its calls above all",
		mallinfo2().uordblks);
	sp_metrics_single(to, "sallyport_latched_total", "counter",
		"Sources believed for the first time", m->latched);
	sp_metrics_single(to, "sallyport_moved_total", "counter",
		"Sources that took another's place", m->moved);
	sp_metrics_single(to, "sallyport_contested_total", "counter",
		"Rival sources that were refused", m->contested);
	sp_metrics_single(to, "sallyport_silent_legs_total", "counter",
		"Legs without media while their call had some", m->silent_legs);
	sp_metrics_single(to, "sallyport_branches_lost_total", "counter",
		"Branches never answered in a call that was", m->branches_lost);
}

static void
write_jobs(const struct sp_service *s, FILE *to)
{
	uint64_t count = 0, oldest_ms = 0;

	for (const struct sp_job *job = s->jobs; job; job = job->next) {
		count++;
		if (s->now_ms - job->since_ms > oldest_ms)
			oldest_ms = s->now_ms - job->since_ms;
	}
	sp_metrics_single(to, "sallyport_jobs", "gauge",
		"Calls whose orders are with the workers", count);
	sp_metrics_family(to, "sallyport_jobs_oldest_seconds", "gauge",
		"Age of the oldest of them: above 1, a worker is stuck");
	fprintf(to, "sallyport_jobs_oldest_seconds %.3f\n",
		(double)oldest_ms / 1000);
}

void
sp_metrics_ports(const struct sp_service *s, unsigned int local,
	uint64_t sum[SP_METRICS_PORTS])
{
	memset(sum, 0, SP_METRICS_PORTS * sizeof *sum);
	for (unsigned int w = 0; w < s->workers; w++) {
		const struct sp_port_pool *pool =
			sp_ports_pool(&s->ports, w, local);

		sum[0] += 2u * pool->used;
		sum[1] += 2u * pool->free;
		sum[2] += 2u * pool->quarantined;
	}
}

static void
write_ports(const struct sp_service *s, FILE *to)
{
	static const char *const state[SP_METRICS_PORTS] = { "used", "free",
		"quarantined" };
	char text[SP_ADDR_TEXT];
	uint64_t sum[SP_METRICS_PORTS];

	sp_metrics_family(to, "sallyport_ports", "gauge", "UDP ports by state");
	for (unsigned int l = 0; l < s->ports.locals; l++) {
		const struct sp_local *local = &s->ports.local[l];

		sp_metrics_ports(s, l, sum);
		for (unsigned int i = 0; i < SP_METRICS_PORTS; i++)
			fprintf(to,
				"sallyport_ports{realm=\"%s\",address=\"%s\","
				"state=\"%s\"} %" PRIu64 "\n",
				s->conf->realm[local->realm].name,
				sp_addr_print_ip(&local->addr, text), state[i],
				sum[i]);
	}
}

void
sp_metrics_write(struct sp_service *s, FILE *to)
{
	sp_service_clock(s);
	write_packets(s, to);
	write_workers(s, to);
	write_requests(s, to);
	write_latencies(s, to);
	write_ng(s, to);
	write_calls(s, to);
	write_jobs(s, to);
	write_ports(s, to);
	write_outboxes(s, to);
	sp_metrics_srtp(s, to);
	sp_metrics_rtpengine(s, to);
}
