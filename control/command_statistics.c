/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "control/job.h"
#include "control/metrics_text.h"

/*
 * Statistics of the whole relay in rtpengine's sections and by its names, of
 * which those are left out that nothing here measures.
 */

#define SECONDS_TEXT 32u

static bool
set(json_t *to, const char *key, json_t *value)
{
	return json_object_set_new(to, key, value) == 0;
}

static bool
set_count(json_t *to, const char *key, uint64_t value)
{
	return set(to, key, json_integer((json_int_t)value));
}

static bool
set_decimal(json_t *to, const char *key, double value)
{
	char text[SECONDS_TEXT];

	/* Bencode has no fractions; rtpengine writes them as text. */
	snprintf(text, sizeof text, "%.6f", value);
	return set(to, key, json_string(text));
}

static json_t *
whole(json_t *value, bool fine)
{
	if (fine)
		return value;
	json_decref(value);
	return NULL;
}

static json_t *
current(const struct sp_service *s)
{
	json_t *out = json_object();
	bool fine = set_count(out, "sessionsown", s->calls.count);

	fine &= set_count(out, "sessionsforeign", 0);
	fine &= set_count(out, "sessionstotal", s->calls.count);
	fine &= set_count(out, "transcodedmedia", 0);
	fine &= set_count(
		out, "packetrate", (uint64_t)(s->metrics.packet_rate + 0.5));
	return whole(out, fine);
}

static json_t *
totals(const struct sp_service *s)
{
	static const struct {
		const char *key;
		const char *closed;
	} ends[] = {
		{ "rejectedsessions", "rejected" },
		{ "timeoutsessions", "timeout" },
		{ "silenttimeoutsessions", "silent_timeout" },
		{ "finaltimeoutsessions", "final_timeout" },
		{ "offertimeoutsessions", "offer_timeout" },
		{ "regularterminatedsessions", "terminated" },
		{ "forcedterminatedsessions", "force_terminated" },
	};
	const struct sp_samples *d = &s->metrics.duration_s;
	json_t *out = json_object();
	bool fine = set_count(out, "uptime", s->now_ms / 1000);

	fine &= set_count(out, "managedsessions", s->metrics.calls);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		fine &= set_count(
			out, ends[i].key, sp_metrics_closed(s, ends[i].closed));
	fine &= set_count(out, "relayedpackets", sp_metrics_forwarded(s));
	fine &= set_count(out, "relayedpacketerrors", sp_metrics_errors(s));
	fine &= set_count(out, "zerowaystreams", s->metrics.zero_streams);
	fine &= set_count(out, "onewaystreams", s->metrics.one_way_calls);
	fine &= set_decimal(out, "avgcallduration",
		d->count > 0 ? d->sum / (double)d->count : 0);
	return whole(out, fine);
}

/* The mean and how many there were, of all streams that ended. */
static json_t *
quality(const struct sp_service *s)
{
	const struct {
		const char *key;
		const struct sp_samples *samples;
	} rows[] = {
		{ "mos", &s->metrics.mos },
		{ "jitter", &s->metrics.jitter_ms },
		{ "packetloss", &s->metrics.loss_percent },
	};
	json_t *out = json_object();
	bool fine = set_count(out, "samples", s->metrics.mos.count);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct sp_samples *t = rows[i].samples;

		fine &= set_decimal(out, rows[i].key,
			t->count > 0 ? t->sum / (double)t->count : 0);
	}
	return whole(out, fine);
}

static const struct {
	enum sp_verb verb;
	const char *key;
	const char *total;
} verbs[] = {
	{ SP_VERB_PING, "pingcount", "totalpingcount" },
	{ SP_VERB_OFFER, "offercount", "totaloffercount" },
	{ SP_VERB_ANSWER, "answercount", "totalanswercount" },
	{ SP_VERB_DELETE, "deletecount", "totaldeletecount" },
	{ SP_VERB_QUERY, "querycount", "totalquerycount" },
	{ SP_VERB_LIST, "listcount", "totallistcount" },
};

#define VERBS (sizeof verbs / sizeof *verbs)

/* What came through one door. */
static json_t *
door(const struct sp_service *s, enum sp_door door, const char *name)
{
	json_t *out = json_object();
	bool fine = set(out, "proxy", json_string(name));

	for (size_t i = 0; i < VERBS; i++)
		fine &= set_count(out, verbs[i].key,
			sp_metrics_replies(s, door, verbs[i].verb));
	return whole(out, fine);
}

static json_t *
control(const struct sp_service *s)
{
	json_t *out = json_object();
	json_t *proxies = json_array();
	bool fine =
		json_array_append_new(proxies, door(s, SP_DOOR_NG, "ng")) == 0;

	fine &= json_array_append_new(proxies, door(s, SP_DOOR_HTTP, "http")) ==
		0;
	fine &= set(out, "proxies", proxies);
	for (size_t i = 0; i < VERBS; i++)
		fine &= set_count(out, verbs[i].total,
			sp_metrics_replies(s, SP_DOOR_NG, verbs[i].verb) +
				sp_metrics_replies(
					s, SP_DOOR_HTTP, verbs[i].verb));
	return whole(out, fine);
}

static json_t *
ports(const struct sp_service *s, unsigned int local)
{
	const struct sp_realm_conf *realm =
		&s->conf->realm[s->ports.local[local].realm];
	uint64_t sum[SP_METRICS_PORTS];
	json_t *out = json_object();
	bool fine = set_count(out, "min", realm->first_port);

	sp_metrics_ports(s, local, sum);
	fine &= set_count(out, "max", realm->last_port);
	fine &= set_count(out, "used", sum[0]);
	fine &= set_count(out, "free", sum[1]);
	fine &= set_count(out, "quarantined", sum[2]);
	fine &= set_count(out, "totals", sum[0] + sum[1] + sum[2]);
	return whole(out, fine);
}

static json_t *
interface(const struct sp_service *s, unsigned int local)
{
	const struct sp_local *at = &s->ports.local[local];
	char text[SP_ADDR_TEXT];
	json_t *out = json_object();
	bool fine =
		set(out, "name", json_string(s->conf->realm[at->realm].name));

	fine &= set(
		out, "address", json_string(sp_addr_print_ip(&at->addr, text)));
	fine &= set(out, "ports", ports(s, local));
	return whole(out, fine);
}

static json_t *
statistics(const struct sp_service *s)
{
	json_t *out = json_object();
	json_t *interfaces = json_array();
	bool fine = set(out, "currentstatistics", current(s));

	fine &= set(out, "totalstatistics", totals(s));
	fine &= set(out, "quality", quality(s));
	fine &= set(out, "controlstatistics", control(s));
	for (unsigned int l = 0; l < s->ports.locals; l++)
		fine &= json_array_append_new(interfaces, interface(s, l)) == 0;
	fine &= set(out, "interfaces", interfaces);
	return whole(out, fine);
}

void
sp_command_statistics(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = sp_asker(request, reply, arg);
	json_t *inner = statistics(s);
	json_t *out = inner ? json_object() : NULL;

	(void)call;
	if (!set(out, "statistics", inner)) {
		json_decref(out);
		out = NULL;
	}
	sp_reply_body(s, &asker, out);
}
