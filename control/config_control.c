/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config_schema.h"

#define PORT_MAX 65535ul

/* "192.0.2.1:8080" or "[2001:db8::1]:8080". */
static bool
read_socket(const struct sp_config_reader *r, struct sp_config_place place,
	const char *text, struct sp_addr *out)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	struct sp_addr addr;
	char *end;
	unsigned long port;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return sp_config_wrong(r, place,
			"\"%.60s\" has no port; write 127.0.0.1:%d or [::1]:%d",
			text, SP_CONFIG_HTTP_PORT, SP_CONFIG_HTTP_PORT);
	port = strtoul(colon + 1, &end, 10);
	if (*end || port == 0 || port > PORT_MAX)
		return sp_config_wrong(r, place,
			"\"%.20s\" is not a port from 1 to 65535", colon + 1);
	if (text[0] == '[' && len > 2 && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (!sp_config_ip(r, place, text, len, &addr))
		return false;
	addr.port = (uint16_t)port;
	*out = addr;
	return true;
}

static bool
is_loopback(const struct sp_addr *a)
{
	static const uint8_t ip4[] = { 127, 0, 0, 1 };
	static const uint8_t ip6[16] = { [15] = 1 };
	const struct sp_addr net4 = sp_addr_ip4(ip4, 0);
	const struct sp_addr net6 = sp_addr_ip6(ip6, 0);

	return sp_addr_within(a, &net4, 8) || sp_addr_within(a, &net6, 128);
}

/* The token is the file's first line, without what an editor adds. */
static bool
read_token(const struct sp_config_reader *r, const char *path)
{
	const struct sp_config_place place = { "control", -1, "token_file",
		-1 };
	char *const token = r->conf->token;
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return sp_config_wrong(r, place, "cannot read %.100s: %s", path,
			strerror(errno));
	if (!fgets(token, SP_CONFIG_TOKEN, file))
		token[0] = '\0';
	fclose(file);
	len = strcspn(token, "\r\n");
	token[len] = '\0';
	if (len < SP_CONFIG_TOKEN_MIN || len == SP_CONFIG_TOKEN - 1)
		return sp_config_wrong(r, place,
			"%.100s must hold %u to %u characters on one line; "
			"make it with: openssl rand -hex 32",
			path, SP_CONFIG_TOKEN_MIN, SP_CONFIG_TOKEN - 2);
	for (size_t i = 0; i < len; i++)
		if (token[i] <= ' ' || token[i] > '~')
			return sp_config_wrong(r, place,
				"%.100s has a blank or a byte that is not "
				"ASCII in its first line; make it with: "
				"openssl rand -hex 32",
				path);
	return true;
}

/* "192.0.2.1" or "192.0.2.0/24". */
static bool
read_prefix(const struct sp_config_reader *r, struct sp_config_place place,
	const char *text, struct sp_prefix *out)
{
	const char *slash = strchr(text, '/');
	const size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long most, bits;
	char *end = NULL;

	if (!sp_config_ip(r, place, text, len, &out->addr))
		return false;
	most = out->addr.family == SP_FAMILY_IP4 ? 32 : 128;
	bits = most;
	if (slash) {
		bits = strtoul(slash + 1, &end, 10);
		if (!isdigit((unsigned char)slash[1]) || *end || bits > most)
			return sp_config_wrong(r, place,
				"\"%.20s\" is not a prefix from /0 to /%lu",
				slash, most);
	}
	out->bits = (uint8_t)bits;
	return true;
}

static bool
read_ng(const struct sp_config_reader *r)
{
	const struct sp_raw_control *raw = &r->raw->control;
	struct sp_config *conf = r->conf;
	struct sp_config_place at = { "control", -1, "ng_clients", 0 };

	conf->n_ng_clients = raw->ng_clients_count;
	for (; at.item < (int)raw->ng_clients_count; at.item++)
		if (!read_prefix(r, at, raw->ng_clients[at.item],
			    &conf->ng_clients[at.item]))
			return false;

	at.key = "ng";
	if (raw->ng_count > 0)
		conf->n_ng = raw->ng_count;
	for (at.item = 0; at.item < (int)raw->ng_count; at.item++) {
		struct sp_addr *ng = &conf->ng[at.item];

		if (!read_socket(r, at, raw->ng[at.item], ng))
			return false;
		for (int i = 0; i < at.item; i++)
			if (sp_addr_equal(&conf->ng[i], ng))
				return sp_config_wrong(r, at,
					"%.60s is given twice",
					raw->ng[at.item]);
	}
	return true;
}

static bool
read_webhook(const struct sp_config_reader *r, const char *text)
{
	const struct sp_config_place at = { "control", -1, "webhook", -1 };
	CURLU *url = curl_url();
	char *scheme = NULL;
	bool good = url &&
		curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;

	good = good &&
		(strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
	curl_free(scheme);
	curl_url_cleanup(url);
	if (!good) /* not quoted: it may have a password in it */
		return sp_config_wrong(r, at,
			"is not a URL of http or https; write "
			"https://example.net/calls");
	return sp_config_copy(
		r, at, text, r->conf->webhook, sizeof r->conf->webhook);
}

/* Where news of calls go. */
static bool
read_news(const struct sp_config_reader *r)
{
	const struct sp_config_place at = { "control", -1, "records", -1 };
	const char *records = r->raw->control.records;

	if (records && strcmp(records, "stdout") == 0)
		records = "-";
	else if (records && strcmp(records, "none") == 0)
		records = "";
	else if (records && !strchr(records, '/'))
		return sp_config_wrong(r, at,
			"\"%.60s\" is not stdout, none or a file's path with "
			"a slash in it; write /var/log/sallyport/calls.json",
			records);
	if (!sp_config_copy(
		    r, at, records, r->conf->records, sizeof r->conf->records))
		return false;
	return !r->raw->control.webhook ||
		read_webhook(r, r->raw->control.webhook);
}

static bool
read_tls(const struct sp_config_reader *r)
{
	const struct sp_raw_control *raw = &r->raw->control;
	struct sp_config *conf = r->conf;
	struct sp_config_place at = { "control", -1, "tls_cert", -1 };

	if (!sp_config_copy(r, at, raw->tls_cert, conf->tls_cert,
		    sizeof conf->tls_cert))
		return false;
	at.key = "tls_key";
	if (!sp_config_copy(
		    r, at, raw->tls_key, conf->tls_key, sizeof conf->tls_key))
		return false;
	if (!conf->tls_cert[0] != !conf->tls_key[0])
		return sp_config_wrong(r, at,
			"tls_cert and tls_key go together; add the other one");
	return true;
}

bool
sp_config_control(const struct sp_config_reader *r)
{
	const struct sp_raw_control *raw = &r->raw->control;
	struct sp_config *conf = r->conf;
	const struct sp_config_place at = { "control", -1, "http", -1 };

	if (raw->http && !read_socket(r, at, raw->http, &conf->http))
		return false;
	if (raw->token_file && !read_token(r, raw->token_file))
		return false;
	if (!is_loopback(&conf->http) && !conf->token[0])
		return sp_config_wrong(r, at,
			"%.60s is not loopback: add token_file, so that not "
			"everybody commands the relay, or use 127.0.0.1",
			raw->http);
	return read_tls(r) && read_ng(r) && read_news(r);
}
