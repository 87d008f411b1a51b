/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/control/rig.c"

static struct rig r;
static char *text;
static size_t text_len;

static void
open_rig(void)
{
	rig_open(&r);
}

static void
close_rig(void)
{
	free(text);
	rig_close(&r);
}

TestSuite(metrics, .init = open_rig, .fini = close_rig);

static void
write_text(void)
{
	FILE *to = open_memstream(&text, &text_len);

	sp_metrics_write(r.s, to);
	fclose(to);
}

/* Is @line one of the lines? */
static bool
has(const char *line)
{
	const char *at = strstr(text, line);

	return at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

Test(metrics, tells_calls_requests_ports_and_ends)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_expect(eq(int, rig_delete(&r, "nobody", NULL, NULL), 404));
	cr_expect(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	write_text();
	cr_expect(has("sallyport_calls 1"));
	cr_expect(has("sallyport_calls_total 2"));
	cr_expect(has("sallyport_call_ends_total{reason=\"deleted\"} 1"));
	cr_expect(has("sallyport_requests_total{verb=\"offer\","
		      "result=\"ok\",door=\"http\"} 2"));
	cr_expect(has("sallyport_requests_total{verb=\"delete\","
		      "result=\"refused\",door=\"http\"} 1"));
	cr_expect(has("sallyport_ports{realm=\"in\",address=\"10.9.0.1\","
		      "state=\"used\"} 2"));
	cr_expect(has("sallyport_ports{realm=\"in\",address=\"10.9.0.1\","
		      "state=\"quarantined\"} 2"));
	cr_expect(has("rtpengine_sessions{type=\"own\"} 1"));
	cr_expect(has("rtpengine_sessions_total 2"));
	cr_expect(has("rtpengine_closed_sessions_total{"
		      "reason=\"terminated\"} 1"));
	cr_expect(has("rtpengine_ports_free{name=\"in\","
		      "address=\"10.9.0.1\"} 60"));
	cr_expect(has("sallyport_flows{worker=\"0\"} 4"));
	cr_expect(has("sallyport_received_total{worker=\"0\"} 7"));
	cr_expect(has("sallyport_busy_seconds_total{worker=\"0\"} 1.500000"));
	cr_expect(has("sallyport_worker_stalls_total{worker=\"0\"} 3"));
	cr_expect(has("sallyport_worker_stalled_seconds_total{worker=\"0\"} "
		      "0.250000"));
	cr_expect(has("sallyport_worker_displaced_seconds_total{worker=\"0\"} "
		      "0.200000"));
	cr_expect(has("sallyport_slow_path_total{fate=\"echo\"} 41"));
}

Test(metrics, replies_are_counted_by_door_and_time)
{
	struct sp_request request =
		rig_request(SP_VERB_BLOCK_MEDIA, "a", NULL, NULL, NULL);

	request.door = SP_DOOR_NG;
	cr_expect(eq(int, rig_ask(&r, &request), 404));
	request.began_us = 1; /* long ago */
	cr_expect(eq(int, rig_ask(&r, &request), 404));
	r.s->metrics.ng.pings = 3;
	write_text();
	cr_expect(has("sallyport_requests_total{verb=\"block_media\","
		      "result=\"refused\",door=\"ng\"} 2"));
	cr_expect(has("rtpengine_requests_total{proxy=\"ng\","
		      "request=\"block media\"} 2"));
	cr_expect(has("rtpengine_requests_total{proxy=\"ng\","
		      "request=\"ping\"} 3"));
	cr_expect(has("rtpengine_errors_total{proxy=\"ng\"} 2"));
	cr_expect(has("sallyport_ng_pings_total 3"));
	cr_expect(has("sallyport_request_seconds_bucket{"
		      "command=\"block_media\",le=\"5\"} 1"));
	cr_expect(has("sallyport_request_seconds_bucket{"
		      "command=\"block_media\",le=\"+Inf\"} 2"));
	cr_expect(has("sallyport_request_seconds_count{"
		      "command=\"block_media\"} 2"));
}

Test(metrics, the_srtp_engine_and_its_cost_are_told)
{
	r.s->metrics.srtp_refused = 5;
	write_text();
	cr_expect(has("sallyport_srtp_engine_info{engine=\"ipsec-mb\","
		      "library=\"libIPSec_MB 1.3.0 AVX512\"} 1"));
	cr_expect(has("sallyport_srtp_packet_seconds{work=\"protect\"} "
		      "0.000000115"));
	cr_expect(has("sallyport_srtp_packet_seconds{work=\"unprotect\"} "
		      "0.000000120"));
	cr_expect(has("sallyport_srtp_legs_max 10000"));
	cr_expect(has("sallyport_srtp_legs{worker=\"0\"} 0"));
	cr_expect(has("sallyport_srtp_refused_total 5"));
}

/* Media from one side only, by what the fake data plane reports of it. */
Test(metrics, quality_of_what_ended_is_summed_up)
{
	unsigned int port_a;

	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, rig_sdp("10.1.1.1", 5000, "")),
		200));
	port_a = rig_port(rig_got(&r), 0);
	for (int i = 0; i < 98; i++)
		fake_media(r.dp, 0, fake_find(r.dp, 0, (uint16_t)port_a));
	rig_sleep(&r, 10);
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	write_text();
	cr_expect(has("rtpengine_mos_samples_total 1"));
	cr_expect(has("rtpengine_mos_total 4.300000"));
	cr_expect(has("rtpengine_mos2_total 18.490000"));
	cr_expect(has("rtpengine_jitter_total 1.500000"));
	cr_expect(has("rtpengine_packetloss_total 2.000000"));
	cr_expect(has("rtpengine_one_way_sessions_total 1"));
	cr_expect(has("rtpengine_zero_packet_streams_total 1"));
	cr_expect(has("rtpengine_call_duration_total 10.000"));
	cr_expect(has("rtpengine_call_duration2_total 100.000"));
}

/* A scraper takes one sample a name and labels, and rejects the second. */
Test(metrics, no_sample_is_there_twice)
{
	char *save = NULL;
	size_t n = 0;
	char *lines[2000];

	write_text();
	for (char *at = strtok_r(text, "\n", &save); at;
		at = strtok_r(NULL, "\n", &save)) {
		if (at[0] == '#')
			continue;
		*strrchr(at, ' ') = '\0';
		cr_assert(lt(sz, n, sizeof lines / sizeof *lines));
		lines[n++] = at;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			cr_assert(not(eq(str, lines[i], lines[j])));
}

Test(metrics, every_verdict_has_its_line)
{
	static const char *const label[] = {
#define X(name, text, help) text,
		SP_VERDICT_LIST(X)
#undef X
	};
	char line[128];

	write_text();
	for (unsigned int v = 0; v < SP_VERDICT_COUNT; v++) {
		snprintf(line, sizeof line,
			"sallyport_packets_total{worker=\"0\",verdict=\"%s\"} "
			"%u",
			label[v], v);
		cr_expect(has(line), "%s", line);
	}
}

/* The text format: each family is announced once, before its samples. */
Test(metrics, families_are_announced_once)
{
	char *save = NULL;
	char *copy;
	char family[64] = "";

	write_text();
	copy = strdup(text);
	for (char *line = strtok_r(copy, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		char again[96];

		if (strncmp(line, "# TYPE ", 7) == 0) {
			snprintf(family, sizeof family, "%.*s",
				(int)strcspn(line + 7, " "), line + 7);
			snprintf(again, sizeof again, "# TYPE %s ", family);
			cr_expect(eq(ptr,
				strstr(strstr(text, again) + 1, again), NULL));
		} else if (line[0] != '#') {
			cr_expect(eq(
				int, strncmp(line, family, strlen(family)), 0));
		}
	}
	free(copy);
}
