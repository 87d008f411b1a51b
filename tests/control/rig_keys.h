/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_CONTROL_RIG_KEYS_H
#define SP_TESTS_CONTROL_RIG_KEYS_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/control/rig_call.h"

/* Calls whose SDP has keys in it, and a look at what became of them. */

/* Keys of the parties: base64 of 30 bytes, all the same. */
#define KEY_A "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB" /* 'A' */
#define KEY_B "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC" /* 'B' */
#define KEY_C "Q0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0ND" /* 'C' */
#define CM80 "AES_CM_128_HMAC_SHA1_80"
#define CM32 "AES_CM_128_HMAC_SHA1_32"
#define LINE(tag, suite, key) "a=crypto:" #tag " " suite " inline:" key "\r\n"
#define LINE_A LINE(1, CM80, KEY_A)
#define LINE_B LINE(1, CM80, KEY_B)

/* Random bytes of the service: they count up, so keys can be told apart. */
static uint8_t next_key;

static bool
fixed_random(void *buf, size_t len)
{
	uint8_t *out = buf;

	/* The pool is used from its end. */
	for (size_t i = len; i-- > 0;)
		out[i] = (uint8_t)(next_key++);
	return true;
}

static inline void
open_keys(void)
{
	rig_open(&r);
	r.s->key_pool.more = fixed_random;
}

/* An SDP of one RTP/SAVP audio line. Static storage, as rig_sdp()'s. */
static inline const char *
savp(const char *ip, unsigned int port, const char *more)
{
	char *out = (char *)(uintptr_t)rig_sdp(ip, port, more);
	char *at = strstr(out, "RTP/AVP");

	if (strlen(out) + 2 > RIG_SDP)
		abort();
	memmove(at + 5, at + 4, strlen(at + 4) + 1);
	at[4] = 'S';
	return out;
}

/* What requests wish, but for replace. */
static struct sp_policy wish;

static inline int
try(enum sp_verb verb, const char *from, const char *to, const char *sdp)
{
	struct sp_request request = rig_request(verb, from, to, NULL, sdp);

	request.policy = wish;
	request.policy.replace = SP_REPLACE_ORIGIN;
	return rig_ask(&r, &request);
}

static inline void
ask(enum sp_verb verb, const char *from, const char *to, const char *sdp)
{
	cr_assert(eq(int, try(verb, from, to, sdp), 200), "%s: %s", r.where,
		r.detail);
}

static inline void
ask_as(uint8_t transport, enum sp_verb verb, const char *from, const char *to,
	const char *sdp)
{
	wish.transport = transport;
	ask(verb, from, to, sdp);
	wish.transport = SP_TRANSPORT_ANY;
}

static inline void
ask_avp(enum sp_verb verb, const char *from, const char *to, const char *sdp)
{
	ask_as(SP_TRANSPORT_RTP_AVP, verb, from, to, sdp);
}

static inline void
ask_savp(enum sp_verb verb, const char *from, const char *to, const char *sdp)
{
	ask_as(SP_TRANSPORT_RTP_SAVP, verb, from, to, sdp);
}

/* Is @text in the SDP of the last answer, and how often? */
static inline bool
has(const char *text)
{
	return strstr(rig_got(&r), text) != NULL;
}

static inline unsigned int
count(const char *text)
{
	unsigned int n = 0;

	for (const char *at = rig_got(&r); (at = strstr(at, text)); at++)
		n++;
	return n;
}

/* The keys of the leg whose RTP port this is; NULL: it has none. */
static inline const struct sp_flow_keys *
keys_at(unsigned int port)
{
	const struct sp_flow_conf *flow = rig_flow(&r, port);

	return flow && flow->keys != 0 ? &r.dp->flow[0][flow->keys].keys : NULL;
}

/* Is it the key whose base64 is @text? */
static inline bool
key_is(const struct sp_srtp_conf *conf, const char *text)
{
	struct sp_sdes line = { .tag = 1, .srtp = *conf };
	char value[SP_SDES_TEXT_MAX + 1];

	if (conf->n_keys == 0)
		return false;
	value[sp_sdes_write(&line, value)] = '\0';
	return strstr(value, text) != NULL;
}

/* Is it the key in the line of @sdp that begins with @begin? */
static inline bool
key_in(const char *sdp, const struct sp_srtp_conf *conf, const char *begin)
{
	const char *at = strstr(sdp, begin);
	char text[80];

	at = at ? strstr(at, "inline:") : NULL;
	if (!at)
		return false;
	snprintf(text, sizeof text, "%.*s", (int)strcspn(at + 7, "|\r\n "),
		at + 7);
	return key_is(conf, text);
}

/* The same of the last answer. */
static inline bool
has_key(const struct sp_srtp_conf *conf, const char *begin)
{
	return key_in(rig_got(&r), conf, begin);
}

/* The SDP of an answer, put aside. */
static char kept[RIG_SDP];

static inline void
keep_got(void)
{
	snprintf(kept, sizeof kept, "%s", rig_got(&r));
}

static inline bool
is_kept(void)
{
	return strcmp(kept, rig_got(&r)) == 0;
}

static inline bool
kept_key(const struct sp_srtp_conf *conf, const char *begin)
{
	return key_in(kept, conf, begin);
}

static inline bool
no_random(void *buf, size_t len)
{
	(void)buf;
	(void)len;
	return false;
}

/* A call of two SRTP phones: A's first line, B's third. */
static inline void
connect_keys(void)
{
	ask(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, LINE_A));
	port_b = rig_port(rig_got(&r), 0);
	ask(SP_VERB_ANSWER, "a", "b",
		savp("10.1.1.1", 5000, LINE(3, CM32, KEY_B)));
	port_a = rig_port(rig_got(&r), 0);
}

#endif
