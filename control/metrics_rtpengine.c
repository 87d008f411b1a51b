/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "control/job.h"
#include "control/metrics_text.h"

#define US_PER_S 1e6

static const char *const doors[SP_DOORS] = {
	[SP_DOOR_HTTP] = "http",
	[SP_DOOR_NG] = "ng",
};

const char *
sp_metrics_verb(enum sp_verb verb)
{
	static const char *const text[SP_VERB_COUNT] = {
#define X(name, text) [SP_VERB_##name] = text,
		SP_VERB_LIST_ALL(X)
#undef X
	};

	return text[verb];
}

static void
write_sessions(const struct sp_service *s, FILE *to)
{
	static const char *const closed[] = { "rejected", "timeout",
		"silent_timeout", "final_timeout", "offer_timeout",
		"terminated", "force_terminated" };

	sp_metrics_family(to, "rtpengine_sessions", "gauge", "Calls now");
	fprintf(to,
		"rtpengine_sessions{type=\"own\"} %zu\n"
		"rtpengine_sessions{type=\"foreign\"} 0\n",
		s->calls.count);
	sp_metrics_single(to, "rtpengine_transcoded_media", "gauge",
		"Media that is transcoded now", 0);
	sp_metrics_single(to, "rtpengine_sessions_total", "counter",
		"Calls ever set up", s->metrics.calls);
	sp_metrics_family(to, "rtpengine_closed_sessions_total", "counter",
		"Calls that ended, by reason");
	for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
		fprintf(to,
			"rtpengine_closed_sessions_total{reason=\"%s\"} "
			"%" PRIu64 "\n",
			closed[i], sp_metrics_closed(s, closed[i]));
	sp_metrics_family(to, "rtpengine_uptime_seconds", "gauge",
		"Seconds since the service began");
	fprintf(to, "rtpengine_uptime_seconds %.3f\n",
		(double)s->now_ms / 1000);
}

static void
write_packets(const struct sp_service *s, FILE *to)
{
	sp_metrics_family(to, "rtpengine_packets_total", "counter",
		"Packets sent to the other leg");
	fprintf(to, "rtpengine_packets_total{type=\"userspace\"} %" PRIu64 "\n",
		sp_metrics_forwarded(s));
	sp_metrics_family(to, "rtpengine_packet_errors_total", "counter",
		"Packets that were let in and could not be sent");
	fprintf(to,
		"rtpengine_packet_errors_total{type=\"userspace\"} "
		"%" PRIu64 "\n",
		sp_metrics_errors(s));
	sp_metrics_single(to, "rtpengine_zero_packet_streams_total", "counter",
		"Streams of ended calls without a packet",
		s->metrics.zero_streams);
	sp_metrics_single(to, "rtpengine_one_way_sessions_total", "counter",
		"Ended calls of which one side was never heard",
		s->metrics.one_way_calls);
}

/* A sum, the sum of its squares, and of how many. */
static void
write_samples(FILE *to, const char *name, const char *what,
	const struct sp_samples *samples)
{
	const struct {
		const char *suffix;
		const char *help;
		double value;
		int digits;
	} rows[] = {
		{ "_total", "Sum of", samples->sum, 6 },
		{ "2_total", "Sum of the squares of", samples->sum2, 6 },
		{ "_samples_total", "Number of samples of",
			(double)samples->count, 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char full[64], help[96];

		snprintf(full, sizeof full, "rtpengine_%s%s", name,
			rows[i].suffix);
		snprintf(help, sizeof help, "%s %s", rows[i].help, what);
		sp_metrics_family(to, full, "counter", help);
		fprintf(to, "%s %.*f\n", full, rows[i].digits, rows[i].value);
	}
}

static void
write_durations(const struct sp_service *s, FILE *to)
{
	const struct sp_samples *d = &s->metrics.duration_s;

	sp_metrics_family(to, "rtpengine_call_duration_avg", "gauge",
		"Mean seconds that the calls which ended had lasted");
	fprintf(to, "rtpengine_call_duration_avg %.6f\n",
		d->count > 0 ? d->sum / (double)d->count : 0);
	sp_metrics_family(to, "rtpengine_call_duration_total", "counter",
		"Seconds that the calls which ended had lasted");
	fprintf(to, "rtpengine_call_duration_total %.3f\n", d->sum);
	sp_metrics_family(to, "rtpengine_call_duration2_total", "counter",
		"The sum of their squares");
	fprintf(to, "rtpengine_call_duration2_total %.3f\n", d->sum2);
}

/* The proxy is not named, but how it came: addresses would have no bound. */
static void
write_requests(const struct sp_service *s, FILE *to)
{
	const struct sp_metrics *m = &s->metrics;

	sp_metrics_family(to, "rtpengine_requests_total", "counter",
		"Requests, by the way they came");
	for (unsigned int d = 0; d < SP_DOORS; d++)
		for (unsigned int v = 0; v < SP_VERB_COUNT; v++)
			fprintf(to,
				"rtpengine_requests_total{proxy=\"%s\","
				"request=\"%s\"} %" PRIu64 "\n",
				doors[d], sp_metrics_verb(v),
				sp_metrics_replies(s, d, v));
	sp_metrics_family(to, "rtpengine_request_seconds_total", "counter",
		"Time that they took");
	for (unsigned int d = 0; d < SP_DOORS; d++)
		for (unsigned int v = 0; v < SP_VERB_COUNT; v++)
			fprintf(to,
				"rtpengine_request_seconds_total{proxy=\"%s\","
				"request=\"%s\"} %.6f\n",
				doors[d], sp_metrics_verb(v),
				(double)m->latency[d][v].sum_us / US_PER_S);
	sp_metrics_family(to, "rtpengine_errors_total", "counter",
		"Requests that were answered with an error");
	for (unsigned int d = 0; d < SP_DOORS; d++) {
		uint64_t errors = d == SP_DOOR_NG ? m->ng.malformed : 0;

		for (unsigned int v = 0; v < SP_VERB_COUNT; v++)
			for (unsigned int r = SP_RESULT_OK + 1;
				r < SP_RESULT_COUNT; r++)
				errors += m->requests[d][v][r];
		fprintf(to,
			"rtpengine_errors_total{proxy=\"%s\"} %" PRIu64 "\n",
			doors[d], errors);
	}
}

static void
write_ports(const struct sp_service *s, FILE *to)
{
	static const struct {
		const char *name;
		const char *help;
	} rows[] = {
		{ "rtpengine_ports_used", "UDP ports in use" },
		{ "rtpengine_ports_free", "UDP ports that can be taken" },
		{ "rtpengine_ports", "UDP ports there are" },
	};
	char text[SP_ADDR_TEXT];

	for (unsigned int i = 0; i < sizeof rows / sizeof *rows; i++) {
		sp_metrics_family(to, rows[i].name, "gauge", rows[i].help);
		for (unsigned int l = 0; l < s->ports.locals; l++) {
			const struct sp_local *local = &s->ports.local[l];
			uint64_t sum[SP_METRICS_PORTS];

			sp_metrics_ports(s, l, sum);
			fprintf(to,
				"%s{name=\"%s\",address=\"%s\"} %" PRIu64 "\n",
				rows[i].name, s->conf->realm[local->realm].name,
				sp_addr_print_ip(&local->addr, text),
				i < 2 ? sum[i] : sum[0] + sum[1] + sum[2]);
		}
	}
}

void
sp_metrics_rtpengine(const struct sp_service *s, FILE *to)
{
	const struct sp_metrics *m = &s->metrics;

	write_sessions(s, to);
	write_packets(s, to);
	write_durations(s, to);
	write_samples(to, "mos", "MOS, a sample a stream", &m->mos);
	write_samples(to, "jitter", "jitter in ms", &m->jitter_ms);
	write_samples(
		to, "packetloss", "lost packets in percent", &m->loss_percent);
	write_requests(s, to);
	write_ports(s, to);
}
