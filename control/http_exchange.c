/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/http_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/log.h"
#include "control/ng_udp.h"
#include "control/problem.h"
#include "control/secret.h"

#define PROBLEM_TYPE "application/problem+json"
#define BODY_GROWTH 4096u      /* first room for a body of unknown length */
#define SKIPPED_MAX (1u << 20) /* bytes read just to get to the reply */

static struct sp_http_conn *
conn_of(struct sp_http_exchange *ex)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		ex->conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

static const char *
header_of(struct sp_http_exchange *ex, const char *name)
{
	return MHD_lookup_connection_value(ex->conn, MHD_HEADER_KIND, name);
}

void
sp_http_exchange_answer(struct sp_http_exchange *ex, unsigned int status,
	const char *type, char *text, size_t len,
	enum MHD_ResponseMemoryMode memory)
{
	const bool ours = memory != MHD_RESPMEM_PERSISTENT;
	char *copy = NULL;

	ex->http_status = status;
	if (memory == MHD_RESPMEM_MUST_COPY) {
		copy = malloc(len);
		if (copy)
			memcpy(copy, text, len);
		text = copy;
	}
	if (text)
		ex->response = ours
			? MHD_create_response_from_buffer_with_free_callback(
				  len, text, sp_secret_free)
			: MHD_create_response_from_buffer(len, text, memory);
	if (!ex->response) {
		if (ours)
			sp_secret_free(text);
		return;
	}
	MHD_add_response_header(
		ex->response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(
		ex->response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

void
sp_http_exchange_refuse(struct sp_http_exchange *ex, const struct sp_problem *p)
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

	sp_http_exchange_answer(ex, (unsigned int)p->http, PROBLEM_TYPE, text,
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

void
sp_http_exchange_answered(struct sp_http_exchange *ex)
{
	const bool resume = ex->state == SP_HTTP_WAITING;

	ex->state = SP_HTTP_READY;
	if (resume) {
		conn_of(ex)->waiting = false;
		MHD_resume_connection(ex->conn);
		sp_http_kick(ex->http);
	}
}

static void
refuse_size(struct sp_http_exchange *ex)
{
	ex->route = NULL;
	sp_problem_set(&ex->problem, SP_PROBLEM_TOO_LARGE, "",
		"a body has at most %u bytes", SP_BODY_MAX);
}

/* All that the headers alone tell. */
static void
check_headers(struct sp_http_exchange *ex)
{
	const bool free_for_all = ex->route && ex->route->open;

	if (!sp_http_gate_admits(ex->conn, ex->http->conf, free_for_all,
		    ex->route ? ex->route->body : SP_HTTP_BODY_ANY,
		    &ex->problem)) {
		ex->route = NULL;
		ex->allow[0] = '\0';
	}
}

static enum MHD_Result
send_answer(struct sp_http_exchange *ex)
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
	struct sp_http_exchange *ex = calloc(1, sizeof *ex);
	const char *length;

	if (!ex)
		return MHD_NO;
	*exchange = ex;
	ex->http = h;
	ex->conn = conn;
	conn_of(ex)->since_ms = h->now_ms;
	ex->route = sp_http_route_find(ex, url, method);
	check_headers(ex);
	length = header_of(ex, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (!length || strtoull(length, NULL, 10) <= SP_BODY_MAX)
		return MHD_YES;
	if (ex->route)
		refuse_size(ex);
	sp_http_exchange_refuse(ex, &ex->problem);
	return send_answer(ex);
}

static enum MHD_Result
take_body(struct sp_http_exchange *ex, const char *data, size_t len)
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
		/* Not realloc(), which leaves its old bytes behind. */
		body = malloc(room);
		if (!body)
			return MHD_NO;
		if (ex->len > 0)
			memcpy(body, ex->body, ex->len);
		sp_secret_free(ex->body);
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
	struct sp_http_exchange *ex = *exchange;
	size_t got;

	(void)version;
	if (!ex)
		return begin(http, conn, url, method, exchange);
	if (ex->state == SP_HTTP_READING && *len > 0) {
		got = *len;
		*len = 0;
		return take_body(ex, data, got);
	}
	if (ex->state == SP_HTTP_READING) {
		if (ex->http->closing) /* nobody is left to ask */
			return MHD_NO;
		ex->state = SP_HTTP_RUNNING;
		sp_ng_udp_glance(ex->http->ng_udp);
		if (ex->route)
			ex->route->run(ex, url);
		else
			sp_http_exchange_refuse(ex, &ex->problem);
		if (ex->state == SP_HTTP_ASKED) {
			ex->state = SP_HTTP_WAITING;
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
	struct sp_http_exchange *ex = *exchange;

	(void)conn;
	(void)why;
	if (!ex)
		return;
	conn_of(ex)->since_ms = h->now_ms;
	if (ex->response)
		MHD_destroy_response(ex->response);
	sp_secret_free(ex->body);
	free(ex);
	*exchange = NULL;
}
