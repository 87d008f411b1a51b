/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pktgen_ask.h"

#define OK_FIRST 200
#define OK_LAST 299

/* What only an offer says. */
static int
add_wishes(json_t *body, const struct pktgen_ask *ask)
{
	char word[64];
	int bad = 0;

	if (ask->transport)
		bad |= json_object_set_new(
			body, "transport", json_string(ask->transport));
	if (ask->family)
		bad |= json_object_set_new(
			body, "address_family", json_string(ask->family));
	if (ask->suite) {
		snprintf(word, sizeof word, "only-%s", ask->suite);
		bad |= json_object_set_new(
			body, "sdes", json_pack("[s]", word));
	}
	if (ask->realm[0]) {
		bad |= json_object_set_new(
			body, "from_realm", json_string(ask->realm[0]));
		bad |= json_object_set_new(
			body, "to_realm", json_string(ask->realm[1]));
	}
	return bad;
}

static json_t *
make_body(const struct pktgen_ask *ask)
{
	char id[48], from[16], to[16];
	json_t *body;
	int bad = 0;

	snprintf(id, sizeof id, "pktgen-%08x-%u", ask->run, ask->call);
	snprintf(from, sizeof from, "a%u", ask->call);
	snprintf(to, sizeof to, "b%u", ask->call);
	body = json_pack("{s:s, s:s}", "call_id", id, "from_tag", from);
	if (ask->step == PKTGEN_ANSWER)
		bad |= json_object_set_new(body, "to_tag", json_string(to));
	if (ask->step != PKTGEN_DELETE)
		bad |= json_object_set_new(body, "sdp", json_string(ask->sdp));
	if (ask->step == PKTGEN_OFFER)
		bad |= add_wishes(body, ask);
	if (bad) {
		json_decref(body);
		return NULL;
	}
	return body;
}

size_t
pktgen_http_write(const struct pktgen_ask *ask, char *to)
{
	static const char *const path[] = { "offer", "answer", "delete" };
	json_t *body = make_body(ask);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	int len = 0;

	if (text)
		len = snprintf(to, PKTGEN_ASK_MAX,
			"POST /v1/%s HTTP/1.1\r\nHost: %s\r\n"
			"Content-Type: application/json\r\n%s%s%s"
			"Content-Length: %zu\r\n\r\n%s",
			path[ask->step], ask->host,
			ask->token ? "Authorization: Bearer " : "",
			ask->token ? ask->token : "", ask->token ? "\r\n" : "",
			strlen(text), text);
	free(text);
	json_decref(body);
	return len > 0 && (size_t)len < PKTGEN_ASK_MAX ? (size_t)len : 0;
}

/* The SDP of a body; false: the body is no JSON. */
static bool
read_body(const char *body, size_t len, struct pktgen_said *out)
{
	json_t *value = json_loadb(body, len, 0, NULL);
	const json_t *sdp = json_object_get(value, "sdp");
	bool fits = true;

	if (!value)
		return false;
	if (json_is_string(sdp)) {
		out->sdp_len = json_string_length(sdp);
		fits = out->sdp_len < sizeof out->own;
		if (fits)
			memcpy(out->own, json_string_value(sdp), out->sdp_len);
		out->sdp = out->own;
	}
	json_decref(value);
	return fits;
}

/* The value of a header of @head, which ends with a NUL. */
static long
header_number(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);

	return at ? atol(at + strlen(name)) : -1;
}

long
pktgen_http_read(const char *data, size_t len, struct pktgen_said *out)
{
	const char *end = memmem(data, len, "\r\n\r\n", 4);
	char head[1024];
	size_t head_len;
	long body;
	int status;

	if (!end)
		return len < sizeof head ? 0 : -1;
	head_len = (size_t)(end - data);
	if (head_len >= sizeof head)
		return -1;
	memcpy(head, data, head_len);
	head[head_len] = '\0';
	body = header_number(head, "\r\nContent-Length:");
	if (sscanf(head, "HTTP/1.%*d %d", &status) != 1 || body < 0 ||
		body > (long)PKTGEN_SAID_MAX)
		return -1;
	head_len += 4;
	if (len - head_len < (size_t)body)
		return 0;
	out->ok = status >= OK_FIRST && status <= OK_LAST;
	out->sdp = NULL;
	out->sdp_len = 0;
	if (body > 0 && !read_body(data + head_len, (size_t)body, out))
		return -1;
	return (long)head_len + body;
}
