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
		      "result=\"ok\"} 2"));
	cr_expect(has("sallyport_requests_total{verb=\"delete\","
		      "result=\"refused\"} 1"));
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
