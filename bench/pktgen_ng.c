/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pktgen_ask.h"

/* A request that grows; too long for good, once it is. */
struct text {
	char *at;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void
put(struct text *t, const char *format, ...)
{
	const size_t room = PKTGEN_ASK_MAX - t->len;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->at + t->len, room, format, ap);
	va_end(ap);
	t->len = n < 0 || (size_t)n >= room ? PKTGEN_ASK_MAX
					    : t->len + (size_t)n;
}

static void
put_string(struct text *t, const char *value)
{
	put(t, "%zu:%s", strlen(value), value);
}

static void
put_pair(struct text *t, const char *key, const char *value)
{
	put_string(t, key);
	put_string(t, value);
}

/* What only an offer says. */
static void
put_wishes(struct text *t, const struct pktgen_ask *ask)
{
	char word[64];

	if (ask->transport)
		put_pair(t, "transport-protocol", ask->transport);
	if (ask->family)
		put_pair(t, "address-family", ask->family);
	if (ask->suite) {
		snprintf(word, sizeof word, "only-%s", ask->suite);
		put(t, "4:SDESl");
		put_string(t, word);
		put(t, "e");
	}
	if (ask->realm[0]) {
		put(t, "9:directionl");
		put_string(t, ask->realm[0]);
		put_string(t, ask->realm[1]);
		put(t, "e");
	}
}

size_t
pktgen_ng_write(const struct pktgen_ask *ask, char *to)
{
	static const char *const command[] = { "offer", "answer", "delete" };
	struct text t = { to, 0 };
	char word[64];

	put(&t, "%08x_%u_%d d", ask->run, ask->call, ask->step);
	put_pair(&t, "command", command[ask->step]);
	snprintf(word, sizeof word, "pktgen-%08x-%u", ask->run, ask->call);
	put_pair(&t, "call-id", word);
	snprintf(word, sizeof word, "a%u", ask->call);
	put_pair(&t, "from-tag", word);
	if (ask->step == PKTGEN_ANSWER) {
		snprintf(word, sizeof word, "b%u", ask->call);
		put_pair(&t, "to-tag", word);
	}
	if (ask->step != PKTGEN_DELETE) {
		put_pair(&t, "sdp", ask->sdp);
		put(&t, "7:replacel6:origine3:ICE6:remove");
	}
	if (ask->step == PKTGEN_OFFER)
		put_wishes(&t, ask);
	put(&t, "e");
	return t.len < PKTGEN_ASK_MAX ? t.len : 0;
}

/* The string behind @key, which is written as "3:sdp"; NULL: none. */
static const char *
find(const char *data, size_t len, const char *key, size_t *out_len)
{
	const char *at = memmem(data, len, key, strlen(key));
	char *value;

	if (!at)
		return NULL;
	*out_len = strtoul(at + strlen(key), &value, 10);
	if (*value != ':' || *out_len > len - (size_t)(value + 1 - data))
		return NULL;
	return value + 1;
}

bool
pktgen_ng_read(const char *data, size_t len, struct pktgen_said *out)
{
	const char *result;
	size_t result_len;
	unsigned int run, call, step;

	if (sscanf(data, "%8x_%u_%u ", &run, &call, &step) != 3 ||
		step > PKTGEN_DELETE)
		return false;
	result = find(data, len, "6:result", &result_len);
	if (!result)
		return false;
	out->run = run;
	out->call = call;
	out->step = (enum pktgen_step)step;
	out->ok = result_len == 2 && memcmp(result, "ok", 2) == 0;
	out->sdp = find(data, len, "3:sdp", &out->sdp_len);
	return true;
}
