/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/http_exchange.h"
#include "control/ng_udp.h"

/* What can be asked: the paths, and what each of them does. */

#define METRICS_TYPE "text/plain; version=0.0.4"
#define CALLS "/v1/calls/"

static const char openapi[] =
#include "openapi.inc"
	;

static void
on_reply(void *arg, const struct sp_reply *reply)
{
	struct sp_http_exchange *ex = arg;
	char *text;

	if (reply->problem) {
		sp_http_exchange_refuse(ex, reply->problem);
	} else {
		text = json_dumps(
			reply->body, JSON_COMPACT | JSON_REAL_PRECISION(6));
		sp_http_exchange_answer(ex, (unsigned int)reply->http,
			SP_HTTP_JSON, text, text ? strlen(text) : 0,
			MHD_RESPMEM_MUST_FREE);
	}
	sp_http_exchange_answered(ex);
	sp_ng_udp_glance(ex->http->ng_udp);
}

static void
run_request(struct sp_http_exchange *ex, const struct sp_request *request)
{
	const struct sp_text *id = &request->call_id;

	if (id->len > 0)
		memcpy(ex->call_id, id->at, id->len);
	ex->call_id[id->len] = '\0';
	ex->state = SP_HTTP_ASKED;
	sp_command(ex->http->service, request, on_reply, ex);
}

static void
run_post(struct sp_http_exchange *ex, const char *url)
{
	struct sp_request request;

	(void)url;
	if (sp_request_parse(ex->route->verb, ex->body ? ex->body : "", ex->len,
		    &request, &ex->problem) != SP_OK) {
		sp_http_exchange_refuse(ex, &ex->problem);
		return;
	}
	run_request(ex, &request);
	sp_request_close(&request);
}

static void
run_call(struct sp_http_exchange *ex, const char *url)
{
	char *text = strdup(url + strlen(CALLS));
	struct sp_request request;
	struct sp_text id = { text, 0 };

	if (!text)
		return;
	if (!sp_request_unescape(text, &id.len)) {
		sp_problem_set(&ex->problem, SP_PROBLEM_BAD_QUERY, "call_id",
			"the call-id in the path is badly escaped: %%41 is "
			"fine, %%4 and %%00 are not");
		sp_http_exchange_refuse(ex, &ex->problem);
	} else if (sp_request_call(ex->route->verb, id, &request,
			   &ex->problem) != SP_OK) {
		sp_http_exchange_refuse(ex, &ex->problem);
	} else {
		run_request(ex, &request);
		sp_request_close(&request);
	}
	free(text);
}

enum {
	AFTER,
	TAG,
	LABEL,
	TEXTS
};
static const char *const texts[TEXTS] = { "after", "tag", "label" };

/* A parameter that is not known is a typo that would change the answer. */
static enum MHD_Result
check_parameter(
	void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct sp_problem *problem = arg;

	(void)kind;
	(void)value;
	if (strcmp(key, "limit") == 0)
		return MHD_YES;
	for (int i = 0; i < TEXTS; i++)
		if (strcmp(key, texts[i]) == 0)
			return MHD_YES;
	sp_problem_set(problem, SP_PROBLEM_BAD_QUERY, key,
		"\"%.32s\" is not a parameter of the list; limit, after, tag "
		"and label are",
		key);
	return MHD_NO;
}

/* Read the text parameters; @copy holds their bytes and is to be freed. */
static void
read_texts(struct sp_http_exchange *ex, char *copy[TEXTS],
	struct sp_text out[TEXTS])
{
	for (int i = 0; i < TEXTS; i++) {
		const char *given = MHD_lookup_connection_value(
			ex->conn, MHD_GET_ARGUMENT_KIND, texts[i]);

		copy[i] = given ? strdup(given) : NULL;
		out[i] = (struct sp_text){ copy[i], 0 };
		if (given && !copy[i])
			sp_problem_set(&ex->problem, SP_PROBLEM_INTERNAL, "",
				"out of memory");
		else if (given && !sp_request_unescape(copy[i], &out[i].len))
			sp_problem_set(&ex->problem, SP_PROBLEM_BAD_QUERY,
				texts[i], "\"%s\" is badly escaped", texts[i]);
	}
}

static void
run_list(struct sp_http_exchange *ex, const char *url)
{
	const char *limit = MHD_lookup_connection_value(
		ex->conn, MHD_GET_ARGUMENT_KIND, "limit");
	char *copy[TEXTS];
	struct sp_text text[TEXTS];
	struct sp_request request;

	(void)url;
	ex->problem.http = 0;
	read_texts(ex, copy, text);
	MHD_get_connection_values(
		ex->conn, MHD_GET_ARGUMENT_KIND, check_parameter, &ex->problem);
	if (ex->problem.http != 0 ||
		sp_request_list(limit, text[AFTER].at ? &text[AFTER] : NULL,
			&request, &ex->problem) != SP_OK) {
		sp_http_exchange_refuse(ex, &ex->problem);
	} else {
		if (sp_request_narrow(&request, &text[TAG], &text[LABEL],
			    &ex->problem) == SP_OK)
			run_request(ex, &request);
		else
			sp_http_exchange_refuse(ex, &ex->problem);
		sp_request_close(&request);
	}
	for (int i = 0; i < TEXTS; i++)
		free(copy[i]);
}

#define STATUS(word) "{\"status\":\"" word "\"}"

static void
answer_static(struct sp_http_exchange *ex, const char *text, size_t len)
{
	sp_http_exchange_answer(ex, MHD_HTTP_OK, SP_HTTP_JSON,
		(char *)(uintptr_t)text, len, MHD_RESPMEM_PERSISTENT);
}

static void
run_health(struct sp_http_exchange *ex, const char *url)
{
	(void)url;
	answer_static(ex, STATUS("ok"), sizeof STATUS("ok") - 1);
}

static void
run_ready(struct sp_http_exchange *ex, const char *url)
{
	(void)url;
	if (sp_service_ready(ex->http->service)) {
		answer_static(ex, STATUS("ready"), sizeof STATUS("ready") - 1);
		return;
	}
	sp_problem_set(&ex->problem, SP_PROBLEM_CAPACITY, "",
		"no new calls now: at max_calls, or going out of use");
	sp_http_exchange_refuse(ex, &ex->problem);
}

static void
run_statistics(struct sp_http_exchange *ex, const char *url)
{
	const struct sp_request request = { .verb = SP_VERB_STATISTICS };

	(void)url;
	run_request(ex, &request);
}

static void
run_drain(struct sp_http_exchange *ex, const char *url)
{
	(void)url;
	sp_service_drain(ex->http->service);
	answer_static(ex, STATUS("draining"), sizeof STATUS("draining") - 1);
}

static void
run_metrics(struct sp_http_exchange *ex, const char *url)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	(void)url;
	if (!to)
		return;
	sp_metrics_write(ex->http->service, to);
	if (fclose(to) != 0) {
		free(text);
		return;
	}
	sp_http_exchange_answer(ex, MHD_HTTP_OK, METRICS_TYPE, text, len,
		MHD_RESPMEM_MUST_FREE);
}

static void
run_openapi(struct sp_http_exchange *ex, const char *url)
{
	(void)url;
	answer_static(ex, openapi, sizeof openapi - 1);
}

/* clang-format off */
#define ROW(method, path, run, verb, body)                                    \
	{ method, path, run, SP_VERB_##verb, SP_HTTP_BODY_##body, false, false }
#define CALL(method, verb)                                                    \
	{ method, CALLS, run_call, SP_VERB_##verb,                            \
		SP_HTTP_BODY_ANY, true, false }
#define PROBE(path, run)                                                      \
	{ "GET", path, run, SP_VERB_COUNT, SP_HTTP_BODY_ANY, false, true }

static const struct sp_http_route routes[] = {
	ROW("POST", "/v1/offer", run_post, OFFER, JSON),
	ROW("POST", "/v1/answer", run_post, ANSWER, JSON),
	ROW("POST", "/v1/delete", run_post, DELETE, JSON),
	ROW("POST", "/v1/block_media", run_post, BLOCK_MEDIA, JSON),
	ROW("POST", "/v1/unblock_media", run_post, UNBLOCK_MEDIA, JSON),
	ROW("POST", "/v1/silence_media", run_post, SILENCE_MEDIA, JSON),
	ROW("POST", "/v1/unsilence_media", run_post, UNSILENCE_MEDIA, JSON),
	ROW("POST", "/v1/block_dtmf", run_post, BLOCK_DTMF, JSON),
	ROW("POST", "/v1/unblock_dtmf", run_post, UNBLOCK_DTMF, JSON),
	ROW("GET", "/v1/calls", run_list, LIST, ANY),
	CALL("GET", QUERY),
	CALL("DELETE", DELETE),
	ROW("GET", "/v1/statistics", run_statistics, STATISTICS, ANY),
	ROW("POST", "/v1/drain", run_drain, COUNT, ANY),
	ROW("GET", "/metrics", run_metrics, COUNT, ANY),
	ROW("GET", "/openapi.json", run_openapi, COUNT, ANY),
	ROW("POST", "/ng", sp_http_ng_run, COUNT, NG),
	PROBE("/healthz", run_health),
	PROBE("/readyz", run_ready),
};
/* clang-format on */

static bool
path_fits(const struct sp_http_route *r, const char *url)
{
	return r->prefix ? strncmp(url, r->path, strlen(r->path)) == 0
			 : strcmp(url, r->path) == 0;
}

const struct sp_http_route *
sp_http_route_find(
	struct sp_http_exchange *ex, const char *url, const char *method)
{
	const char *asked = strcmp(method, "HEAD") == 0 ? "GET" : method;

	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		const size_t used = strlen(ex->allow);

		if (!path_fits(&routes[i], url))
			continue;
		if (strcmp(routes[i].method, asked) == 0) {
			ex->allow[0] = '\0';
			return &routes[i];
		}
		snprintf(ex->allow + used, sizeof ex->allow - used, "%s%s",
			used > 0 ? ", " : "", routes[i].method);
	}
	if (ex->allow[0])
		sp_problem_set(&ex->problem, SP_PROBLEM_METHOD, "",
			"this path takes %s", ex->allow);
	else
		sp_problem_set(&ex->problem, SP_PROBLEM_NO_PATH, "",
			"GET /openapi.json tells the paths there are");
	return NULL;
}
