/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/http_exchange.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/log.h"
#include "control/problem.h"

#define JSON_TYPE "application/json"
#define PROBLEM_TYPE "application/problem+json"
#define METRICS_TYPE "text/plain; version=0.0.4"
#define CALLS "/v1/calls/"
#define BODY_GROWTH 4096u      /* first room for a body of unknown length */
#define SKIPPED_MAX (1u << 20) /* bytes read just to get to the reply */
#define ALLOW_TEXT 32

enum state {
	READING, /* headers, then the body */
	RUNNING, /* on our side: answered when this ends, or */
	ASKED,   /* by the service, at once or */
	WAITING, /* suspended until the reply comes */
	READY,   /* @response can be sent */
};

struct exchange;

/* What can be asked. @prefix: the path goes on with a call-id. */
struct route {
	const char *method;
	const char *path;
	void (*run)(struct exchange *ex, const char *url);
	enum sp_verb verb;
	bool prefix;
	bool open; /* to probes, without a token */
};

/* One request from its headers to its reply. */
struct exchange {
	struct sp_http *http;
	struct MHD_Connection *conn;
	const struct route *route; /* NULL: refused already */
	struct sp_problem problem; /* when refused */
	enum state state;
	char *body;
	size_t len;
	size_t room;
	size_t skipped; /* bytes of a body that nobody wants */
	char allow[ALLOW_TEXT];
	char call_id[SP_TAG_MAX + 1]; /* for the log */
	struct MHD_Response *response;
	unsigned int http_status;
};

static const char openapi[] =
#include "openapi.inc"
	;

static void run_post(struct exchange *ex, const char *url);
static void run_call(struct exchange *ex, const char *url);
static void run_list(struct exchange *ex, const char *url);
static void run_health(struct exchange *ex, const char *url);
static void run_ready(struct exchange *ex, const char *url);
static void run_drain(struct exchange *ex, const char *url);
static void run_metrics(struct exchange *ex, const char *url);
static void run_openapi(struct exchange *ex, const char *url);

/* clang-format off */
static const struct route routes[] = {
	{ "POST",   "/v1/offer",     run_post, SP_VERB_OFFER,  false, false },
	{ "POST",   "/v1/answer",    run_post, SP_VERB_ANSWER, false, false },
	{ "POST",   "/v1/delete",    run_post, SP_VERB_DELETE, false, false },
	{ "GET",    "/v1/calls",     run_list, SP_VERB_LIST,   false, false },
	{ "GET",    CALLS,           run_call, SP_VERB_QUERY,  true,  false },
	{ "DELETE", CALLS,           run_call, SP_VERB_DELETE, true,  false },
	{ "POST",   "/v1/drain",     run_drain,   0,           false, false },
	{ "GET",    "/healthz",      run_health,  0,           false, true },
	{ "GET",    "/readyz",       run_ready,   0,           false, true },
	{ "GET",    "/metrics",      run_metrics, 0,           false, false },
	{ "GET",    "/openapi.json", run_openapi, 0,           false, false },
};
/* clang-format on */

static struct sp_http_conn *
conn_of(struct exchange *ex)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		ex->conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

static const char *
header_of(struct exchange *ex, const char *name)
{
	return MHD_lookup_connection_value(ex->conn, MHD_HEADER_KIND, name);
}

/* Make @text, which is freed with the response, the reply. */
static void
answer(struct exchange *ex, unsigned int status, const char *type, char *text,
	size_t len, enum MHD_ResponseMemoryMode memory)
{
	ex->http_status = status;
	if (text)
		ex->response =
			MHD_create_response_from_buffer(len, text, memory);
	if (!ex->response) {
		if (memory == MHD_RESPMEM_MUST_FREE)
			free(text);
		return;
	}
	MHD_add_response_header(
		ex->response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(
		ex->response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

static void
answer_problem(struct exchange *ex, const struct sp_problem *p)
{
	char *text = sp_problem_text(p);
	char seconds[16];
	struct sp_log l = sp_log_begin(SP_LOG_WARNING, "refused");

	sp_log_string(&l, "call", ex->call_id[0] ? ex->call_id : NULL);
	sp_log_number(&l, "http", p->http);
	sp_log_string(&l, "type", p->type);
	sp_log_string(&l, "where", p->where[0] ? p->where : NULL);
	sp_log_string(&l, "text", p->detail);
	sp_log_end(&l);

	answer(ex, (unsigned int)p->http, PROBLEM_TYPE, text,
		text ? strlen(text) : 0, MHD_RESPMEM_MUST_FREE);
	if (!ex->response)
		return;
	if (p->http == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(ex->response,
			MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (ex->allow[0])
		MHD_add_response_header(
			ex->response, MHD_HTTP_HEADER_ALLOW, ex->allow);
	if (p->retry_after_s > 0) {
		snprintf(seconds, sizeof seconds, "%u", p->retry_after_s);
		MHD_add_response_header(
			ex->response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
	}
}

static void
on_reply(void *arg, const struct sp_reply *reply)
{
	struct exchange *ex = arg;
	const bool resume = ex->state == WAITING;
	char *text;

	if (reply->problem) {
		answer_problem(ex, reply->problem);
	} else {
		text = json_dumps(
			reply->body, JSON_COMPACT | JSON_REAL_PRECISION(6));
		answer(ex, (unsigned int)reply->http, JSON_TYPE, text,
			text ? strlen(text) : 0, MHD_RESPMEM_MUST_FREE);
	}
	ex->state = READY;
	if (resume) {
		conn_of(ex)->waiting = false;
		MHD_resume_connection(ex->conn);
		sp_http_kick(ex->http);
	}
}

static void
run_request(struct exchange *ex, const struct sp_request *request)
{
	const struct sp_text *id = &request->call_id;

	if (id->len > 0)
		memcpy(ex->call_id, id->at, id->len);
	ex->call_id[id->len] = '\0';
	ex->state = ASKED;
	sp_command(ex->http->service, request, on_reply, ex);
}

static void
run_post(struct exchange *ex, const char *url)
{
	struct sp_request request;

	(void)url;
	if (sp_request_parse(ex->route->verb, ex->body ? ex->body : "", ex->len,
		    &request, &ex->problem) != SP_OK) {
		answer_problem(ex, &ex->problem);
		return;
	}
	run_request(ex, &request);
	sp_request_close(&request);
}

static void
run_call(struct exchange *ex, const char *url)
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
		answer_problem(ex, &ex->problem);
	} else if (sp_request_call(ex->route->verb, id, &request,
			   &ex->problem) != SP_OK) {
		answer_problem(ex, &ex->problem);
	} else {
		run_request(ex, &request);
	}
	free(text);
}

/* A parameter that is not known is a typo that would change the answer. */
static enum MHD_Result
check_parameter(
	void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct sp_problem *problem = arg;

	(void)kind;
	(void)value;
	if (strcmp(key, "limit") == 0 || strcmp(key, "after") == 0)
		return MHD_YES;
	sp_problem_set(problem, SP_PROBLEM_BAD_QUERY, key,
		"\"%.32s\" is not a parameter of the list; limit and after "
		"are",
		key);
	return MHD_NO;
}

static void
run_list(struct exchange *ex, const char *url)
{
	const char *limit = MHD_lookup_connection_value(
		ex->conn, MHD_GET_ARGUMENT_KIND, "limit");
	const char *given = MHD_lookup_connection_value(
		ex->conn, MHD_GET_ARGUMENT_KIND, "after");
	char *text = strdup(given ? given : "");
	struct sp_text after = { text, 0 };
	struct sp_request request;

	(void)url;
	if (!text)
		return;
	ex->problem.http = 0;
	MHD_get_connection_values(
		ex->conn, MHD_GET_ARGUMENT_KIND, check_parameter, &ex->problem);
	if (ex->problem.http == 0 && !sp_request_unescape(text, &after.len))
		sp_problem_set(&ex->problem, SP_PROBLEM_BAD_QUERY, "after",
			"\"after\" is badly escaped");
	if (ex->problem.http == 0 &&
		sp_request_list(limit, given ? &after : NULL, &request,
			&ex->problem) == SP_OK)
		run_request(ex, &request);
	else
		answer_problem(ex, &ex->problem);
	free(text);
}

#define STATUS(word) "{\"status\":\"" word "\"}"

static void
answer_static(struct exchange *ex, const char *text, size_t len)
{
	answer(ex, MHD_HTTP_OK, JSON_TYPE, (char *)(uintptr_t)text, len,
		MHD_RESPMEM_PERSISTENT);
}

static void
run_health(struct exchange *ex, const char *url)
{
	(void)url;
	answer_static(ex, STATUS("ok"), sizeof STATUS("ok") - 1);
}

static void
run_ready(struct exchange *ex, const char *url)
{
	(void)url;
	if (sp_service_ready(ex->http->service)) {
		answer_static(ex, STATUS("ready"), sizeof STATUS("ready") - 1);
		return;
	}
	sp_problem_set(&ex->problem, SP_PROBLEM_CAPACITY, "",
		"no new calls now: at max_calls, or going out of use");
	answer_problem(ex, &ex->problem);
}

static void
run_drain(struct exchange *ex, const char *url)
{
	(void)url;
	sp_service_drain(ex->http->service);
	answer_static(ex, STATUS("draining"), sizeof STATUS("draining") - 1);
}

static void
run_metrics(struct exchange *ex, const char *url)
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
	answer(ex, MHD_HTTP_OK, METRICS_TYPE, text, len, MHD_RESPMEM_MUST_FREE);
}

static void
run_openapi(struct exchange *ex, const char *url)
{
	(void)url;
	answer_static(ex, openapi, sizeof openapi - 1);
}

static bool
path_fits(const struct route *r, const char *url)
{
	return r->prefix ? strncmp(url, r->path, strlen(r->path)) == 0
			 : strcmp(url, r->path) == 0;
}

/* Find the route; without one @ex->problem is filled. */
static void
find_route(struct exchange *ex, const char *url, const char *method)
{
	const char *asked = strcmp(method, "HEAD") == 0 ? "GET" : method;

	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		const size_t used = strlen(ex->allow);

		if (!path_fits(&routes[i], url))
			continue;
		if (strcmp(routes[i].method, asked) == 0) {
			ex->route = &routes[i];
			ex->allow[0] = '\0';
			return;
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
}

static void
refuse_size(struct exchange *ex)
{
	ex->route = NULL;
	sp_problem_set(&ex->problem, SP_PROBLEM_TOO_LARGE, "",
		"a body has at most %u bytes", SP_BODY_MAX);
}

/* All that the headers alone tell. */
static void
check_headers(struct exchange *ex)
{
	const bool free_for_all = ex->route && ex->route->open;

	if (!sp_http_gate_admits(ex->conn, ex->http->conf, free_for_all,
		    ex->route && ex->route->run == run_post, &ex->problem)) {
		ex->route = NULL;
		ex->allow[0] = '\0';
	}
}

static enum MHD_Result
send_answer(struct exchange *ex)
{
	if (!ex->response)
		return MHD_NO;
	return MHD_queue_response(ex->conn, ex->http_status, ex->response);
}

/* The first step: headers are there, the body is not. */
static enum MHD_Result
begin(struct sp_http *h, struct MHD_Connection *conn, const char *url,
	const char *method, void **exchange)
{
	struct exchange *ex = calloc(1, sizeof *ex);
	const char *length;

	if (!ex)
		return MHD_NO;
	*exchange = ex;
	ex->http = h;
	ex->conn = conn;
	conn_of(ex)->since_ms = h->now_ms;
	find_route(ex, url, method);
	check_headers(ex);
	length = header_of(ex, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (!length || strtoull(length, NULL, 10) <= SP_BODY_MAX)
		return MHD_YES;
	if (ex->route)
		refuse_size(ex);
	answer_problem(ex, &ex->problem);
	return send_answer(ex);
}

static enum MHD_Result
take_body(struct exchange *ex, const char *data, size_t len)
{
	char *body = ex->body;

	if (ex->route && len > SP_BODY_MAX - ex->len)
		refuse_size(ex);
	if (!ex->route) {
		ex->skipped += len;
		return ex->skipped <= SKIPPED_MAX ? MHD_YES : MHD_NO;
	}
	if (ex->len + len > ex->room) {
		size_t room = ex->room > 0 ? 2 * ex->room : BODY_GROWTH;

		while (room < ex->len + len)
			room *= 2;
		body = realloc(ex->body, room);
		if (!body)
			return MHD_NO;
		ex->body = body;
		ex->room = room;
	}
	memcpy(body + ex->len, data, len);
	ex->len += len;
	return MHD_YES;
}

enum MHD_Result
sp_http_exchange_step(void *http, struct MHD_Connection *conn, const char *url,
	const char *method, const char *version, const char *data, size_t *len,
	void **exchange)
{
	struct exchange *ex = *exchange;
	size_t got;

	(void)version;
	if (!ex)
		return begin(http, conn, url, method, exchange);
	if (ex->state == READING && *len > 0) {
		got = *len;
		*len = 0;
		return take_body(ex, data, got);
	}
	if (ex->state == READING) {
		if (ex->http->closing) /* nobody is left to ask */
			return MHD_NO;
		ex->state = RUNNING;
		if (ex->route)
			ex->route->run(ex, url);
		else
			answer_problem(ex, &ex->problem);
		if (ex->state == ASKED) {
			ex->state = WAITING;
			conn_of(ex)->waiting = true;
			MHD_suspend_connection(conn);
			return MHD_YES;
		}
	}
	return send_answer(ex);
}

void
sp_http_exchange_end(void *http, struct MHD_Connection *conn, void **exchange,
	enum MHD_RequestTerminationCode why)
{
	struct sp_http *h = http;
	struct exchange *ex = *exchange;

	(void)conn;
	(void)why;
	if (!ex)
		return;
	conn_of(ex)->since_ms = h->now_ms;
	if (ex->response)
		MHD_destroy_response(ex->response);
	free(ex->body);
	free(ex);
	*exchange = NULL;
}
