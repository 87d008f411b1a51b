/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SRTP in the model's SDP: lines with keys, and answers to the lines that the
 * service showed. Included by model_ask.c.
 */

/* Base64 of 30 bytes, or of 28. */
static const char *const model_keys[] = {
	"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB",
	"QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC",
};
#define MODEL_KEY_28 "Q0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQw=="

static unsigned int pick(unsigned int below);
static bool one_in(unsigned int n);

/* Write a=crypto:@tag; returns its length. */
static int
random_key(char *out, unsigned int tag, const char *suite)
{
	return snprintf(out, RIG_SDP / 8, "a=crypto:%u %s inline:%s\r\n", tag,
		suite,
		suite[1] == 'E' && suite[2] == 'A' ? MODEL_KEY_28
						   : model_keys[pick(2)]);
}

/* A few a=crypto lines of an offer. Static storage. */
static const char *
random_keys(void)
{
	static const char *const suites[] = { "AES_CM_128_HMAC_SHA1_80",
		"AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM" };
	static char text[RIG_SDP / 2];
	const unsigned int lines = 1 + pick(3), first = 1 + pick(3);
	int at = 0;

	for (unsigned int i = 0; i < lines; i++)
		at += random_key(text + at, first + i, suites[pick(3)]);
	return text;
}

/* Wishes about protocols and keys, at times. */
static void
random_wishes(struct sp_policy *policy)
{
	static const uint8_t transports[] = { SP_TRANSPORT_RTP_AVP,
		SP_TRANSPORT_RTP_AVPF, SP_TRANSPORT_RTP_SAVP,
		SP_TRANSPORT_RTP_SAVPF };

	if (one_in(3))
		policy->transport = transports[pick(4)];
	policy->sdes.osrtp_offer = one_in(8);
	policy->sdes.osrtp_accept = one_in(8);
	if (one_in(8))
		policy->sdes.without = SP_SDES_BIT(1 + pick(2));
}

/* One of the a=crypto lines of the section at @at, answered. */
static int
random_choice(const char *at, char *out)
{
	const char *end = strstr(at, "\r\nm=");
	const char *line[8];
	unsigned int n = 0, tag;
	char suite[32];

	while (n < 8 && (at = strstr(at, "a=crypto:")) != NULL &&
		(!end || at < end))
		line[n++] = at++;
	if (n == 0 ||
		sscanf(line[pick(n)], "a=crypto:%u %31s", &tag, suite) != 2)
		return 0;
	return random_key(out, tag, suite);
}

/* An answer to @told, line by line; in IPv6 if @six. */
static struct sp_text
random_answer(bool six, const char *told)
{
	static char text[RIG_SDP];
	int at = snprintf(text, sizeof text,
		"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
		"c=IN IP%c %s%u\r\nt=0 0\r\n",
		six ? '6' : '4', six ? "2001:db8::" : "192.0.2.", 1 + pick(3));

	for (const char *m = told; (m = strstr(m, "\r\nm=")) != NULL; m += 4) {
		char type[16], proto[16];
		unsigned int port;

		if (sscanf(m, "\r\nm=%15s %u %15s", type, &port, proto) != 3)
			abort();
		if (one_in(6))
			port = 0;
		else
			port = 4000 + 2 * pick(4);
		at += snprintf(text + at, sizeof text - (size_t)at,
			"m=%s %u %s %s\r\n", type, port, proto,
			type[0] == 'i' ? "t38" : "8 18");
		/* Beside RTP/AVP a key is no must. */
		if (strstr(proto, "SAVP") || !one_in(3))
			at += random_choice(m + 4, text + at);
		if (one_in(4))
			at += snprintf(text + at, sizeof text - (size_t)at,
				"a=rtcp-mux\r\n");
	}
	return rig_text(text);
}

/* What the worker holds of a leg's keys is what the cast says. */
static unsigned int
check_keys(const struct sp_call *call, uint8_t p, unsigned int m)
{
	const struct sp_leg *leg = &call->cast.party[p]->leg[m];
	struct sp_flow_keys keys;
	const bool keyed = sp_keys_conf(&call->cast, p, m, &keys);
	const uint32_t id = leg->keys ? leg->keys->id : 0;
	const struct fake_flow *is = &r.dp->flow[call->worker][id];

	HOLDS(keyed == (id != 0));
	for (int x = 0; x < SP_PARTS; x++)
		if (leg->slot[x].flow != 0)
			HOLDS(r.dp->flow[call->worker][leg->slot[x].flow]
					.conf.keys == id);
	if (!keyed)
		return 0;
	HOLDS(is->keyed && is->taken && !is->running);
	HOLDS(memcmp(&is->keys, &keys, sizeof keys) == 0);
	/* Nobody else is sent anything under this key. */
	for (uint32_t f = 1; f < FLOWS && keys.out.suite != 0; f++)
		for (unsigned int w = 0; w < WORKERS; w++) {
			const struct fake_flow *other = &r.dp->flow[w][f];

			HOLDS(other == is || !other->keyed ||
				memcmp(&other->keys.out, &keys.out,
					sizeof keys.out) != 0);
		}
	return 1;
}
