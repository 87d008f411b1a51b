/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_RELAY_SDP_VECTOR_KEYS_H
#define SP_TESTS_RELAY_SDP_VECTOR_KEYS_H

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "relay/negotiate_keys.h"

/*
 * What policy.json of an SDP vector says about keys, all of it optional:
 *   sdes          "off pass no_new lifetime keep osrtp_offer osrtp_accept"
 *   without, order, prefer    suites, with blanks between them
 *   require_srtp  "offerer", "receiver": the realms that do
 *   said          of an answer: the a=crypto that the offerer is answered
 *   shown         of an answer: a list of those that were offered on
 *   kind_offered  of an answer: "clear", "sdes" or "osrtp"; without it keys
 *                 are end to end if the protocol offered has any
 * A key of ours is its line's tag, again and again.
 */
struct vector_keys {
	struct sp_keys_before before;
	struct sp_keys_offered offered;
	struct sp_sdes said;
	struct sp_sdes shown[SP_SDES_LINES_MAX];
};

static inline struct sp_sdes
read_line(const json_t *text)
{
	const struct sp_sdp_text value = {
		json_string_value(text),
		json_string_length(text),
	};
	struct sp_sdes line;

	cr_assert(sp_sdes_parse(value, &line) == SP_OK, "%s", value.at);
	return line;
}

static inline void
read_sdes_words(const char *words, struct sp_sdes_policy *sdes)
{
	const struct {
		const char *word;
		bool *to;
	} known[] = {
		{ "off", &sdes->off },
		{ "pass", &sdes->pass },
		{ "no_new", &sdes->no_new },
		{ "lifetime", &sdes->lifetime },
		{ "keep", &sdes->keep },
		{ "osrtp_offer", &sdes->osrtp_offer },
		{ "osrtp_accept", &sdes->osrtp_accept },
	};
	char copy[128], *at = NULL;

	snprintf(copy, sizeof copy, "%s", words);
	for (char *w = strtok_r(copy, " ", &at); w;
		w = strtok_r(NULL, " ", &at)) {
		size_t i = 0;

		while (i < 7 && strcmp(known[i].word, w) != 0)
			i++;
		cr_assert(i < 7, "unknown word %s", w);
		*known[i].to = true;
	}
}

/* Suites into a list; returns their bits. */
static inline uint8_t
read_suites(const char *names, uint8_t *list, uint8_t *count)
{
	char copy[256], *at = NULL;
	uint8_t bits = 0;

	snprintf(copy, sizeof copy, "%s", names);
	for (char *w = strtok_r(copy, " ", &at); w;
		w = strtok_r(NULL, " ", &at)) {
		const enum sp_srtp_suite suite = sp_srtp_suite(w, strlen(w));

		cr_assert(suite != SP_SRTP_NONE, "unknown suite %s", w);
		list[(*count)++] = (uint8_t)suite;
		bits |= (uint8_t)SP_SDES_BIT(suite);
	}
	return bits;
}

static inline uint8_t
read_kind(const char *word)
{
	if (strcmp(word, "osrtp") == 0)
		return 1u << SP_KEYING_OSRTP;
	return strcmp(word, "sdes") == 0 ? 1u << SP_KEYING_SDES
					 : 1u << SP_KEYING_CLEAR;
}

/* False if @key is none of these. */
static inline bool
read_keys(struct vector_keys *k, struct sp_sdes_policy *sdes, const char *key,
	const json_t *value)
{
	const char *text = json_string_value(value);
	uint8_t none[SP_SRTP_SUITES], count = 0;

	if (strcmp(key, "sdes") == 0) {
		read_sdes_words(text, sdes);
	} else if (strcmp(key, "without") == 0) {
		sdes->without = read_suites(text, none, &count);
	} else if (strcmp(key, "order") == 0) {
		read_suites(text, sdes->order, &sdes->n_order);
	} else if (strcmp(key, "prefer") == 0) {
		read_suites(text, sdes->prefer, &sdes->n_prefer);
	} else if (strcmp(key, "require_srtp") == 0) {
		k->before.offerer_srtp = strstr(text, "offerer") != NULL;
		k->before.receiver_srtp = strstr(text, "receiver") != NULL;
		k->offered.offerer_srtp = k->before.offerer_srtp;
		k->offered.answerer_srtp = k->before.receiver_srtp;
	} else if (strcmp(key, "said") == 0) {
		k->said = read_line(value);
	} else if (strcmp(key, "shown") == 0) {
		for (size_t i = 0; i < json_array_size(value); i++)
			k->shown[k->offered.n_line++] =
				read_line(json_array_get(value, i));
	} else if (strcmp(key, "kind_offered") == 0) {
		k->offered.kinds = read_kind(text);
	} else {
		return false;
	}
	return true;
}

/* Plan the keys of each m= line, after the plan itself. */
static inline enum sp_status
plan_keys(const struct vector_keys *k, const struct sp_sdp *sdp,
	const struct sp_policy *policy, const uint8_t *offered,
	struct sp_plan *plan, struct sp_plan_keys *out,
	struct sp_sdp_error *error)
{
	struct sp_keys_offered held = k->offered;
	enum sp_status status = SP_OK;

	held.said = k->said.tag > 0 ? &k->said : NULL;
	held.line = k->shown;
	for (unsigned int i = 0; i < sdp->media_count && status == SP_OK; i++) {
		struct sp_plan_media *media = &plan->media[i];

		held.transport = offered[i] / SP_OFFERED_TRANSPORT;
		held.end_to_end = k->offered.kinds == 0 &&
			sp_negotiate_secure(held.transport);
		if (k->offered.kinds == 0)
			held.kinds = 1u << SP_KEYING_CLEAR;
		if (plan->answer)
			status = sp_negotiate_keys_answer(
				sdp, i, policy, &held, error, media, &out[i]);
		else
			status = sp_negotiate_keys_offer(sdp, i, policy,
				&k->before, error, media, &out[i]);
		for (unsigned int n = 0; n < out[i].count; n++) {
			struct sp_sdes *line = &out[i].line[n];
			const struct sp_srtp_facts *facts =
				sp_srtp_facts(line->srtp.suite);

			line->srtp.n_keys = 1;
			memset(line->srtp.key[0].key, (int)line->tag,
				facts->key_len + facts->salt_len);
		}
	}
	return status;
}

#endif
