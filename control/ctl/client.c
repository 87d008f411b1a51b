/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ctl/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_S 5L
#define TOTAL_S 30L
#define REPLY_MAX (16u << 20)
#define URL_MAX 2048
#define TOKEN_MAX 300
#define HTTP_GOOD_MAX 299
#define HTTP_UNAUTHORIZED 401
#define HTTP_NOT_FOUND 404

struct sp_client {
	const struct sp_client_conf *conf;
	CURL *curl;
	struct curl_slist *headers;
	char *reply;
	size_t len;
	long http;                 /* status of the last answer; 0: none */
	char why[CURL_ERROR_SIZE]; /* in libcurl's words */
};

/* The token's file has it in its first line. */
static bool
add_token(struct sp_client *c, char *why)
{
	char line[sizeof "Authorization: Bearer " + TOKEN_MAX];
	char token[TOKEN_MAX];
	FILE *file = fopen(c->conf->token_file, "re");

	if (!file || !fgets(token, sizeof token, file)) {
		snprintf(why, SP_CLIENT_WHY, "%.200s: %s", c->conf->token_file,
			file ? "empty" : strerror(errno));
		if (file)
			fclose(file);
		return false;
	}
	fclose(file);
	token[strcspn(token, "\r\n")] = '\0';
	snprintf(line, sizeof line, "Authorization: Bearer %s", token);
	c->headers = curl_slist_append(NULL, line);
	explicit_bzero(token, sizeof token);
	explicit_bzero(line, sizeof line);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
	return c->headers != NULL;
}

static size_t
on_data(char *data, size_t size, size_t count, void *arg)
{
	struct sp_client *c = arg;
	const size_t len = size * count;
	char *reply;

	if (len > REPLY_MAX - c->len)
		return 0;
	reply = realloc(c->reply, c->len + len + 1);
	if (!reply)
		return 0;
	memcpy(reply + c->len, data, len);
	c->reply = reply;
	c->len += len;
	return len;
}

struct sp_client *
sp_client_open(const struct sp_client_conf *conf, char why[SP_CLIENT_WHY])
{
	struct sp_client *c = calloc(1, sizeof *c);

	snprintf(why, SP_CLIENT_WHY, "out of memory");
	if (!c)
		return NULL;
	c->conf = conf;
	c->curl = curl_easy_init();
	if (!c->curl || (conf->token_file && !add_token(c, why))) {
		sp_client_close(c);
		return NULL;
	}
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, TOTAL_S);
	curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->why);
	/* A proxy for the web has no business with a token of ours. */
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	if (conf->ca)
		curl_easy_setopt(c->curl, CURLOPT_CAINFO, conf->ca);
	return c;
}

void
sp_client_close(struct sp_client *c)
{
	if (!c)
		return;
	curl_slist_free_all(c->headers);
	curl_easy_cleanup(c->curl);
	free(c->reply);
	free(c);
}

static bool
set_url(struct sp_client *c, const char *path, const char *text, char *why)
{
	char url[URL_MAX];
	char *escaped = curl_easy_escape(c->curl, text ? text : "", 0);
	size_t base = strlen(c->conf->url);
	int len;

	while (base > 0 && c->conf->url[base - 1] == '/')
		base--;
	len = snprintf(url, sizeof url, "%.*s%s%s", (int)base, c->conf->url,
		path, escaped ? escaped : "");
	curl_free(escaped);
	if (!escaped || len < 0 || len >= (int)sizeof url) {
		snprintf(why, SP_CLIENT_WHY, "what was asked for is too long");
		return false;
	}
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	return true;
}

/* The relay's own words, where it has some, and what to do. */
static void
explain(const json_t *problem, long http, char *why)
{
	const char *title =
		json_string_value(json_object_get(problem, "title"));
	const char *detail =
		json_string_value(json_object_get(problem, "detail"));

	snprintf(why, SP_CLIENT_WHY, "%s (%ld)%s%s%s",
		title ? title : "the relay refused", http, detail ? ": " : "",
		detail ? detail : "",
		http == HTTP_UNAUTHORIZED
			? "; its token is the first line of the file that "
			  "--token-file or $SALLYPORT_TOKEN_FILE names"
			: "");
}

/* What went wrong on the way, and what to do. */
static void
explain_curl(const struct sp_client *c, CURLcode code, char *why)
{
	const char *cure = "";

	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
		cure = "; does sallyport run there? --url or $SALLYPORT_URL "
		       "name another place";
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		cure = "; --ca names the file that its certificate is to be "
		       "checked by";
	snprintf(why, SP_CLIENT_WHY, "%.200s: %.200s%s", c->conf->url,
		c->why[0] ? c->why : curl_easy_strerror(code), cure);
}

json_t *
sp_client_ask(struct sp_client *c, const char *method, const char *path,
	const char *text, char why[SP_CLIENT_WHY])
{
	json_t *tree;
	CURLcode code;

	c->http = 0;
	if (!set_url(c, path, text, why))
		return NULL;
	c->len = 0;
	c->why[0] = '\0';
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
	code = curl_easy_perform(c->curl);
	if (code != CURLE_OK) {
		explain_curl(c, code, why);
		return NULL;
	}
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &c->http);
	tree = json_loadb(c->reply ? c->reply : "", c->len, 0, NULL);
	if (c->http > HTTP_GOOD_MAX) {
		explain(tree, c->http, why);
		json_decref(tree);
		return NULL;
	}
	if (!tree)
		snprintf(why, SP_CLIENT_WHY,
			"%.200s does not answer in JSON: is it a sallyport?",
			c->conf->url);
	return tree;
}

bool
sp_client_not_found(const struct sp_client *c)
{
	return c->http == HTTP_NOT_FOUND;
}
