/* SPDX-License-Identifier: BSD-3-Clause */
#include "http_lab.h"

struct route_case {
	char request[80];
	int want;
	char in_reply[80];
};

static struct route_case route_cases[] = {
	{ "GET /healthz", 200, "{\"status\":\"ok\"}" },
	{ "HEAD /healthz", 200, "Content-Length: 15" },
	{ "GET /readyz", 200, "{\"status\":\"ready\"}" },
	{ "GET /metrics", 200, "sallyport_fake 1\n" },
	{ "GET /metrics", 200, "text/plain; version=0.0.4" },
	{ "GET /openapi.json", 200, "\"openapi\"" },
	{ "GET /v1/calls", 200, "\"fake\":true" },
	{ "GET /v1/calls?limit=5&after=x", 200, "\"fake\":true" },
	{ "GET /v1/calls?limit=0", 400, "\"where\":\"limit\"" },
	{ "GET /v1/calls?limit=1001", 400, "\"where\":\"limit\"" },
	{ "GET /v1/calls?limit=ten", 400, "problem:bad-query" },
	{ "GET /v1/calls?limt=5", 400, "\"where\":\"limt\"" },
	{ "GET /v1/calls?after=%0", 400, "\"where\":\"after\"" },
	{ "GET /v1/calls/abc", 200, "\"fake\":true" },
	{ "GET /v1/calls/", 400, "problem:bad-value" },
	{ "GET /v1/calls/a%00b", 400, "problem:bad-query" },
	{ "GET /v1/calls/a%4", 400, "problem:bad-query" },
	{ "DELETE /v1/calls/abc", 200, "\"fake\":true" },
	{ "PUT /v1/calls/abc", 405, "Allow: GET, DELETE\r\n" },
	{ "POST /v1/calls", 405, "Allow: GET\r\n" },
	{ "GET /v1/offer", 405, "Allow: POST\r\n" },
	{ "OPTIONS /v1/offer", 405, "problem:method" },
	{ "GET /v1/offers", 404, "problem:unknown-path" },
	{ "GET /", 404, "\"status\":404" },
	{ "GET /healthz/", 404, "application/problem+json" },
};

ParameterizedTestParameters(http_gate, paths_and_methods_are_checked)
{
	return cr_make_param_array(struct route_case, route_cases,
		sizeof route_cases / sizeof *route_cases);
}

ParameterizedTest(struct route_case *tc, http_gate,
	paths_and_methods_are_checked, .init = start_open, .fini = stop)
{
	char request[200];
	char reply[REPLY_MAX];

	snprintf(request, sizeof request, "%s HTTP/1.1\r\n" END, tc->request);
	cr_expect(eq(int, ask(request, reply), tc->want), "%s", tc->request);
	cr_expect(has(reply, tc->in_reply), "%s: %s", tc->request, reply);
}

struct token_case {
	char path[16];
	char header[80];
	int want;
};

#define TOKEN "correct-horse-battery"

static struct token_case token_cases[] = {
	{ "/v1/calls", "Authorization: Bearer " TOKEN "\r\n", 200 },
	{ "/v1/calls", "Authorization: bearer " TOKEN "\r\n", 200 },
	{ "/v1/calls", "", 401 },
	{ "/v1/calls", "Authorization: Bearer\r\n", 401 },
	{ "/v1/calls", "Authorization: Bearer " TOKEN "x\r\n", 401 },
	{ "/v1/calls", "Authorization: Bearer correct\r\n", 401 },
	{ "/v1/calls", "Authorization: Basic " TOKEN "\r\n", 401 },
	{ "/metrics", "", 401 },
	{ "/nowhere", "", 401 },
	{ "/healthz", "", 200 },
	{ "/readyz", "", 200 },
};

ParameterizedTestParameters(http_gate, a_token_is_asked_for)
{
	return cr_make_param_array(struct token_case, token_cases,
		sizeof token_cases / sizeof *token_cases);
}

ParameterizedTest(struct token_case *tc, http_gate, a_token_is_asked_for)
{
	char request[300];
	char reply[REPLY_MAX];

	start(TOKEN);
	snprintf(request, sizeof request,
		"GET %s HTTP/1.1\r\n%sHost: sallyport.example\r\n"
		"Connection: close\r\n\r\n",
		tc->path, tc->header);
	cr_expect(eq(int, ask(request, reply), tc->want), "%s %s", tc->path,
		tc->header);
	if (tc->want == 401)
		cr_expect(has(reply, "WWW-Authenticate: Bearer\r\n"));
	cr_expect(not(has(reply, TOKEN)));
	stop();
}

struct host_case {
	char host[40];
	int want;
};

static struct host_case host_cases[] = {
	{ "localhost", 200 },
	{ "LOCALHOST:8080", 200 },
	{ "127.0.0.1", 200 },
	{ "127.0.0.1:8080", 200 },
	{ "[::1]", 200 },
	{ "[::1]:8080", 200 },
	{ "evil.example", 403 },
	{ "evil.example:8080", 403 },
	{ "localhost.evil.example", 403 },
	{ "127.0.0.1.evil.example", 403 },
	{ "[]", 403 },
};

ParameterizedTestParameters(http_gate, without_a_token_names_are_not_answered)
{
	return cr_make_param_array(struct host_case, host_cases,
		sizeof host_cases / sizeof *host_cases);
}

ParameterizedTest(struct host_case *tc, http_gate,
	without_a_token_names_are_not_answered, .init = start_open,
	.fini = stop)
{
	char request[200];
	char reply[REPLY_MAX];

	snprintf(request, sizeof request,
		"GET /v1/calls HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
		"\r\n",
		tc->host);
	cr_expect(eq(int, ask(request, reply), tc->want), "%s", tc->host);
}

/* Browsers let any page post to this machine, but say which page it was. */
Test(http_gate, without_a_token_web_pages_are_not_answered, .init = start_open,
	.fini = stop)
{
	static const char *const pages[] = { "https://evil.example", "null" };
	char request[200];
	char reply[REPLY_MAX];

	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		snprintf(request, sizeof request,
			"POST /v1/drain HTTP/1.1\r\nOrigin: %s\r\n"
			"Content-Length: 0\r\n" END,
			pages[i]);
		cr_expect(eq(int, ask(request, reply), 403), "%s", pages[i]);
		cr_expect(has(reply, "web page"), "%s", reply);
	}
}

Test(http_gate, with_a_token_web_pages_are_answered)
{
	char reply[REPLY_MAX];

	start(TOKEN);
	cr_expect(eq(int,
		ask("GET /v1/calls HTTP/1.1\r\nOrigin: https://noc.example\r\n"
		    "Authorization: Bearer " TOKEN "\r\n" END,
			reply),
		200));
	stop();
}
