/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/http_exchange.h"
#include "control/ng.h"
#include "control/ng_udp.h"

/* The ng protocol in the bodies of HTTP. */

#define BLANKS " \t\r\n"

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

/* Without the port: a client tries again on another connection. */
static struct sp_addr
client_of(struct sp_http_exchange *ex)
{
	const struct sp_addr nobody = { .family = SP_FAMILY_NONE };
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		ex->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;

	if (info->client_addr->sa_family == AF_INET) {
		memcpy(&ip4, info->client_addr, sizeof ip4);
		return sp_addr_ip4((const uint8_t *)&ip4.sin_addr, 0);
	}
	if (info->client_addr->sa_family == AF_INET6) {
		memcpy(&ip6, info->client_addr, sizeof ip6);
		return sp_addr_ip6(ip6.sin6_addr.s6_addr, 0);
	}
	return nobody;
}

/* The reply has the request's content type. */
static void
on_reply(const struct sp_ng_path *path, const char *reply, size_t len)
{
	struct sp_http_exchange *ex = path->arg;
	const bool json = sp_http_gate_is(ex->conn, SP_HTTP_JSON);

	sp_http_exchange_answer(ex, MHD_HTTP_OK,
		json ? SP_HTTP_JSON : SP_HTTP_NG, (char *)(uintptr_t)reply, len,
		MHD_RESPMEM_MUST_COPY);
	sp_http_exchange_answered(ex);
	sp_ng_udp_glance(ex->http->ng_udp);
}

/* In JSON the cookie may be missing: is it? */
static bool
is_bare(struct sp_http_exchange *ex, size_t *blanks)
{
	while (*blanks < ex->len && strchr(BLANKS, ex->body[*blanks]) &&
		ex->body[*blanks])
		(*blanks)++;
	return *blanks < ex->len && ex->body[*blanks] == '{' &&
		sp_http_gate_is(ex->conn, SP_HTTP_JSON);
}

void
sp_http_ng_run(struct sp_http_exchange *ex, const char *url)
{
	const struct sp_ng_path path = {
		.send = on_reply,
		.arg = ex,
		.ends = { .client = client_of(ex) },
		.came_us = now_us(),
	};
	struct sp_ng *ng = ex->http->ng;
	const char *body = ex->body ? ex->body : "";
	size_t blanks = 0;
	bool taken = true;

	(void)url;
	ex->state = SP_HTTP_ASKED;
	if (is_bare(ex, &blanks))
		sp_ng_take_bare(ng, &path, body + blanks, ex->len - blanks);
	else
		taken = sp_ng_take(ng, &path, body, ex->len);
	if (taken)
		return;
	ex->state = SP_HTTP_RUNNING;
	sp_problem_set(&ex->problem, SP_PROBLEM_BAD_VALUE, "",
		"send COOKIE SPACE DICTIONARY; with Content-Type: " SP_HTTP_JSON
		" a JSON object will do. A request that is in progress may be "
		"repeated %u times",
		SP_NG_ASKERS_MAX - 1);
	sp_http_exchange_refuse(ex, &ex->problem);
}
