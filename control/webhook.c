/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/webhook.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SP_VERSION
#define SP_VERSION "unknown"
#endif

#define QUEUE_BYTES (8u << 20)
#define AGAIN_MS 500u
#define AGAIN_MOST_MS 30000u
#define JSON_TYPE "Content-Type: application/json"
#define CONNECT_MS 3000l
#define REPLY_MS 10000l
/* Troubles below are curl's; from here on they are replies. */
#define HTTP_TROUBLE 1000

struct hook {
	CURL *curl;
	struct curl_slist *headers;
	struct sp_outbox *outbox; /* of the delivery that is under way */
};

/* What the server says beyond its status is of no interest. */
static size_t
ignore(char *bytes, size_t size, size_t count, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * count;
}

/* Anything but 0 ends the transfer. */
static int
on_progress(void *arg, curl_off_t total_in, curl_off_t in, curl_off_t total_out,
	curl_off_t out)
{
	const struct hook *hook = arg;

	(void)total_in;
	(void)in;
	(void)total_out;
	(void)out;
	return sp_outbox_hurries(hook->outbox);
}

static enum sp_outbox_result
judge(long status, int *trouble)
{
	if (status >= 200 && status < 300)
		return SP_OUTBOX_DONE;
	*trouble = HTTP_TROUBLE + (int)status;
	/* 408 and 429 are about the moment, not about the message. */
	if (status >= 400 && status < 500 && status != 408 && status != 429)
		return SP_OUTBOX_NEVER;
	return SP_OUTBOX_AGAIN;
}

static enum sp_outbox_result
deliver(void *arg, struct sp_outbox *outbox, const char *bytes, size_t len,
	int *trouble)
{
	struct hook *hook = arg;
	long status = 0;
	CURLcode code;

	hook->outbox = outbox;
	/* The newline is for files. */
	curl_easy_setopt(hook->curl, CURLOPT_POSTFIELDS, bytes);
	curl_easy_setopt(
		hook->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len - 1);
	code = curl_easy_perform(hook->curl);
	if (code != CURLE_OK) {
		*trouble = (int)code;
		return SP_OUTBOX_AGAIN;
	}
	curl_easy_getinfo(hook->curl, CURLINFO_RESPONSE_CODE, &status);
	return judge(status, trouble);
}

static void
explain(void *arg, int trouble, char why[SP_OUTBOX_WHY])
{
	(void)arg;
	if (trouble >= HTTP_TROUBLE)
		snprintf(why, SP_OUTBOX_WHY, "the server answers with %d",
			trouble - HTTP_TROUBLE);
	else
		snprintf(why, SP_OUTBOX_WHY, "%s",
			curl_easy_strerror((CURLcode)trouble));
}

static void
hook_close(void *arg)
{
	struct hook *hook = arg;

	curl_easy_cleanup(hook->curl);
	curl_slist_free_all(hook->headers);
	free(hook);
	curl_global_cleanup();
}

static bool
set_options(struct hook *hook, const char *url)
{
	CURL *c = hook->curl;

	return curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") ==
		CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0l) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, hook->headers) ==
		CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_USERAGENT,
			"sallyport/" SP_VERSION) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, ignore) ==
		CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1l) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) ==
		CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, REPLY_MS) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0l) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_XFERINFODATA, hook) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) ==
		CURLE_OK;
}

/* NULL without memory. */
static struct hook *
hook_open(const char *url)
{
	struct hook *hook;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	hook = calloc(1, sizeof *hook);
	if (!hook) {
		curl_global_cleanup();
		return NULL;
	}
	hook->curl = curl_easy_init();
	/* "Expect:" would cost a round trip. */
	hook->headers = curl_slist_append(
		curl_slist_append(NULL, "Expect:"), JSON_TYPE);
	if (!hook->curl || !hook->headers || !set_options(hook, url)) {
		hook_close(hook);
		return NULL;
	}
	return hook;
}

enum sp_status
sp_webhook_open(const char *url, struct sp_outbox **out)
{
	struct sp_outbox_sink sink = {
		.name = "webhook",
		.deliver = deliver,
		.explain = explain,
		.close = hook_close,
		.most_bytes = QUEUE_BYTES,
		.again_ms = AGAIN_MS,
		.again_most_ms = AGAIN_MOST_MS,
		.patience_ms = SP_WEBHOOK_PATIENCE_MS,
	};

	*out = NULL;
	if (!url[0])
		return SP_OK;
	sink.arg = hook_open(url);
	if (!sink.arg)
		return SP_NO_MEMORY;
	return sp_outbox_open(&sink, out);
}
