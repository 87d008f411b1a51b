/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <strings.h>

#include "control/http_exchange.h"
#include "control/problem.h"

#define BEARER "Bearer "
#define LOCALHOST "localhost"

static const char *
header(struct MHD_Connection *conn, const char *name)
{
	return MHD_lookup_connection_value(conn, MHD_HEADER_KIND, name);
}

/* Takes as long for a wrong first byte as for a wrong last one. */
static bool
same_secret(const char *given, const char *secret)
{
	const size_t len = strlen(secret);
	unsigned char differ = strlen(given) != len;

	for (size_t i = 0, j = 0; i < len; i++) {
		differ |= (unsigned char)(given[j] ^ secret[i]);
		j += given[j] != '\0';
	}
	return differ == 0;
}

static bool
has_token(struct MHD_Connection *conn, const char *token)
{
	const char *given = header(conn, MHD_HTTP_HEADER_AUTHORIZATION);

	return given && strncasecmp(given, BEARER, strlen(BEARER)) == 0 &&
		same_secret(given + strlen(BEARER), token);
}

/*
 * Without a token only programs of this machine are meant. A browser on it
 * can be made to send requests for others, but not with our address as Host
 * (DNS rebinding), nor anything but a GET without the page's Origin.
 */
static bool
has_own_host(struct MHD_Connection *conn)
{
	const char *host = header(conn, MHD_HTTP_HEADER_HOST);
	const char *colon = host ? strrchr(host, ':') : NULL;
	struct sp_addr addr;
	size_t len;

	if (!host)
		return true;
	len = strlen(host);
	if (colon && !strchr(colon, ']'))
		len = (size_t)(colon - host);
	if (len == strlen(LOCALHOST) && strncasecmp(host, LOCALHOST, len) == 0)
		return true;
	if (len > 2 && host[0] == '[' && host[len - 1] == ']')
		return sp_addr_parse(host + 1, len - 2, &addr) == SP_OK;
	return sp_addr_parse(host, len, &addr) == SP_OK;
}

bool
sp_http_gate_is(struct MHD_Connection *conn, const char *type)
{
	const char *given = header(conn, MHD_HTTP_HEADER_CONTENT_TYPE);
	const size_t len = strlen(type);

	return given && strncasecmp(given, type, len) == 0 &&
		strchr("; ", given[len]);
}

static bool
fits(struct MHD_Connection *conn, enum sp_http_body body)
{
	return body == SP_HTTP_BODY_ANY ||
		sp_http_gate_is(conn, SP_HTTP_JSON) ||
		(body == SP_HTTP_BODY_NG && sp_http_gate_is(conn, SP_HTTP_NG));
}

bool
sp_http_gate_admits(struct MHD_Connection *conn, const struct sp_config *conf,
	bool open, enum sp_http_body body, struct sp_problem *problem)
{
	const bool secret = conf->token[0] != '\0';

	if (secret && !open && !has_token(conn, conf->token)) {
		sp_problem_set(problem, SP_PROBLEM_UNAUTHORIZED, "",
			"send \"Authorization: Bearer TOKEN\" with the token "
			"of the relay's token_file");
		return false;
	}
	if (!secret &&
		(!has_own_host(conn) || header(conn, MHD_HTTP_HEADER_ORIGIN))) {
		sp_problem_set(problem, SP_PROBLEM_FORBIDDEN, "",
			"without a token_file the relay answers to localhost "
			"or an IP address as Host only, and to no web page");
		return false;
	}
	if (!fits(conn, body)) {
		sp_problem_set(problem, SP_PROBLEM_CONTENT_TYPE, "",
			"send \"Content-Type: %s\"%s", SP_HTTP_JSON,
			body == SP_HTTP_BODY_NG ? " or " SP_HTTP_NG : "");
		return false;
	}
	return true;
}
