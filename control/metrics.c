/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/metrics.h"

#include <inttypes.h>

#include "control/job.h"

static const struct {
	const char *label;
	const char *rtpengine;
} ends[SP_END_COUNT] = {
#define X(name, label, rtpengine) [SP_END_##name] = { label, rtpengine },
	SP_END_LIST(X)
#undef X
};

static const char *const verbs[SP_VERB_COUNT] = {
	[SP_VERB_OFFER] = "offer",
	[SP_VERB_ANSWER] = "answer",
	[SP_VERB_DELETE] = "delete",
	[SP_VERB_QUERY] = "query",
	[SP_VERB_LIST] = "list",
};

static const char *const results[SP_RESULT_COUNT] = {
	[SP_RESULT_OK] = "ok",
	[SP_RESULT_REFUSED] = "refused",
	[SP_RESULT_CAPACITY] = "capacity",
	[SP_RESULT_FAILED] = "failed",
};

const char *
sp_metrics_end(enum sp_end end)
{
	return ends[end].label;
}

static void
family(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A metric that is one number. */
static void
single(FILE *to, const char *name, const char *type, const char *help,
	uint64_t value)
{
	family(to, name, type, help);
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

	family(to, "sallyport_packets_total", "counter",
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
	family(to, name, type, help);
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
}

static void
write_requests(const struct sp_service *s, FILE *to)
{
	family(to, "sallyport_requests_total", "counter",
		"Requests by verb and result");
	for (unsigned int v = 0; v < SP_VERB_COUNT; v++)
		for (unsigned int r = 0; r < SP_RESULT_COUNT; r++)
			fprintf(to,
				"sallyport_requests_total{verb=\"%s\","
				"result=\"%s\"} %" PRIu64 "\n",
				verbs[v], results[r],
				s->metrics.requests[v][r]);
}

static void
write_calls(const struct sp_service *s, FILE *to)
{
	const struct sp_metrics *m = &s->metrics;

	single(to, "sallyport_calls", "gauge", "Calls now", s->calls.count);
	single(to, "sallyport_calls_max", "gauge", "Calls allowed",
		s->conf->max_calls);
	single(to, "sallyport_calls_total", "counter", "Calls ever set up",
		m->calls);
	family(to, "sallyport_call_ends_total", "counter",
		"Calls that ended, by reason");
	for (unsigned int e = 0; e < SP_END_COUNT; e++)
		fprintf(to,
			"sallyport_call_ends_total{reason=\"%s\"} %" PRIu64
			"\n",
			ends[e].label, m->ends[e]);
	single(to, "sallyport_latched_total", "counter",
		"Sources believed for the first time", m->latched);
	single(to, "sallyport_moved_total", "counter",
		"Sources that took another's place", m->moved);
	single(to, "sallyport_contested_total", "counter",
		"Rival sources that were refused", m->contested);
	single(to, "sallyport_silent_legs_total", "counter",
		"Legs without media while their call had some", m->silent_legs);
	single(to, "sallyport_branches_lost_total", "counter",
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
	single(to, "sallyport_jobs", "gauge",
		"Calls whose orders are with the workers", count);
	family(to, "sallyport_jobs_oldest_seconds", "gauge",
		"Age of the oldest of them: above 1, a worker is stuck");
	fprintf(to, "sallyport_jobs_oldest_seconds %.3f\n",
		(double)oldest_ms / 1000);
}

/* Ports of one local, all workers together. */
static void
sum_ports(const struct sp_service *s, unsigned int local, uint64_t sum[3])
{
	sum[0] = sum[1] = sum[2] = 0;
	for (unsigned int w = 0; w < s->workers; w++) {
		const struct sp_port_pool *pool =
			sp_ports_pool(&s->ports, w, local);

		sum[0] += 2u * pool->used;
		sum[1] += 2u * pool->free;
		sum[2] += 2u * pool->quarantined;
	}
}

/* The same three numbers in our names, and two of them in rtpengine's. */
static void
write_ports(const struct sp_service *s, FILE *to)
{
	static const char *const state[] = { "used", "free", "quarantined" };
	static const char *const names[] = { "used", "free" };
	char text[SP_ADDR_TEXT];
	uint64_t sum[3];

	family(to, "sallyport_ports", "gauge", "UDP ports by state");
	for (unsigned int l = 0; l < s->ports.locals; l++) {
		const struct sp_local *local = &s->ports.local[l];

		sum_ports(s, l, sum);
		for (unsigned int i = 0; i < 3; i++)
			fprintf(to,
				"sallyport_ports{realm=\"%s\",address=\"%s\","
				"state=\"%s\"} %" PRIu64 "\n",
				s->conf->realm[local->realm].name,
				sp_addr_print_ip(&local->addr, text), state[i],
				sum[i]);
	}
	for (unsigned int i = 0; i < 2; i++) {
		char name[32];

		snprintf(name, sizeof name, "rtpengine_ports_%s", names[i]);
		family(to, name, "gauge", "UDP ports of a local address");
		for (unsigned int l = 0; l < s->ports.locals; l++) {
			const struct sp_local *local = &s->ports.local[l];

			sum_ports(s, l, sum);
			fprintf(to,
				"%s{name=\"%s\",address=\"%s\"} %" PRIu64 "\n",
				name, s->conf->realm[local->realm].name,
				sp_addr_print_ip(&local->addr, text), sum[i]);
		}
	}
}

/* What dashboards for rtpengine know, where it means the same here. */
static void
write_rtpengine(const struct sp_service *s, FILE *to)
{
	const struct sp_metrics *m = &s->metrics;

	family(to, "rtpengine_sessions", "gauge", "Calls now");
	fprintf(to,
		"rtpengine_sessions{type=\"own\"} %zu\n"
		"rtpengine_sessions{type=\"foreign\"} 0\n",
		s->calls.count);
	single(to, "rtpengine_sessions_total", "counter", "Calls ever set up",
		m->calls);
	family(to, "rtpengine_closed_sessions_total", "counter",
		"Calls that ended, by reason");
	for (unsigned int e = 0; e < SP_END_COUNT; e++)
		fprintf(to,
			"rtpengine_closed_sessions_total{reason=\"%s\"} "
			"%" PRIu64 "\n",
			ends[e].rtpengine, m->ends[e]);
	family(to, "rtpengine_call_duration_total", "counter",
		"Seconds that the calls which ended had lasted");
	fprintf(to, "rtpengine_call_duration_total %.3f\n",
		(double)m->duration_ms / 1000);
	family(to, "rtpengine_uptime_seconds", "gauge",
		"Seconds since the service began");
	fprintf(to, "rtpengine_uptime_seconds %.3f\n",
		(double)s->now_ms / 1000);
}

void
sp_metrics_write(struct sp_service *s, FILE *to)
{
	sp_service_clock(s);
	write_packets(s, to);
	write_workers(s, to);
	write_requests(s, to);
	write_calls(s, to);
	write_jobs(s, to);
	write_ports(s, to);
	write_rtpengine(s, to);
}
