/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "control/problem.h"
#include "control/request.h"

#define METADATA_MAX 1024u
#define LINE_MAX 1024u
#define WARNINGS_MAX 17u

static const enum sp_verb verbs[] = { SP_VERB_OFFER, SP_VERB_ANSWER,
	SP_VERB_DELETE, SP_VERB_BLOCK_MEDIA };

/* A text of an accepted request: given or not, within its limit, no NUL. */
static void
check_text(struct sp_text text, size_t most)
{
	if (text.len > most || (text.len > 0 && !text.at))
		abort();
	if (text.len > 0 && memchr(text.at, '\0', text.len))
		abort();
}

/* What goes into an SDP is one line, and may not begin another. */
static void
check_line(struct sp_sdp_text text, size_t most)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] == '\r' || text.at[i] == '\n' ||
			text.at[i] == '\0')
			abort();
	if (text.len > most)
		abort();
}

/* A list of suites names each once, and none that there is not. */
static void
check_suites(const uint8_t *suites, unsigned int count)
{
	unsigned int seen = 0;

	if (count >= SP_SRTP_SUITES)
		abort();
	for (unsigned int i = 0; i < count; i++) {
		if (suites[i] == SP_SRTP_NONE || suites[i] >= SP_SRTP_SUITES ||
			seen & SP_SDES_BIT(suites[i]))
			abort();
		seen |= SP_SDES_BIT(suites[i]);
	}
}

/* Who leaves no suite has turned SDES off, and not opened it. */
static void
check_sdes(const struct sp_sdes_policy *sdes)
{
	const unsigned int all = SP_SDES_BIT(SP_SRTP_SUITES) - 2;
	const unsigned int flags =
		SP_SRTP_PLAIN_RTP | SP_SRTP_PLAIN_RTCP | SP_SRTP_NO_AUTH;

	check_suites(sdes->order, sdes->n_order);
	check_suites(sdes->prefer, sdes->n_prefer);
	if (sdes->without & ~all || (sdes->without == all && !sdes->off))
		abort();
	if ((sdes->add | sdes->drop) & ~flags)
		abort();
}

static void
check_policy(const struct sp_policy *policy)
{
	check_sdes(&policy->sdes);
	if (policy->address_family != SP_FAMILY_NONE &&
		policy->address_family != SP_FAMILY_IP4 &&
		policy->address_family != SP_FAMILY_IP6)
		abort();
	if (policy->transport >= SP_TRANSPORT_OTHER ||
		policy->rtcp_mux >= 2 * SP_RTCP_MUX_REJECT ||
		policy->replace >= 2 * SP_REPLACE_SDP_VERSION ||
		policy->endpoint.port != 0)
		abort();
	if (policy->n_codec > SP_CODECS_MAX || policy->n_attr > SP_ATTRS_MAX)
		abort();
	for (unsigned int i = 0; i < policy->n_codec; i++) {
		check_line(policy->codec[i].name, 64);
		if (policy->codec[i].name.len == 0 ||
			policy->codec[i].what > SP_CODEC_MASK)
			abort();
	}
	for (unsigned int i = 0; i < policy->n_attr; i++) {
		const struct sp_attr_wish *wish = &policy->attr[i];

		check_line(wish->text, LINE_MAX);
		check_line(wish->with, LINE_MAX);
		if (wish->text.len == 0 || wish->what > SP_ATTR_SUBSTITUTE ||
			(wish->what == SP_ATTR_SUBSTITUTE) !=
				(wish->with.len > 0))
			abort();
	}
}

static void
check_accepted(enum sp_verb verb, const struct sp_request *r)
{
	const bool media = verb == SP_VERB_OFFER || verb == SP_VERB_ANSWER;

	if (r->verb != verb || r->call_id.len == 0)
		abort();
	if (media != (r->sdp.len > 0) || (media && r->from_tag.len == 0))
		abort();
	if (verb == SP_VERB_ANSWER && r->to_tag.len == 0)
		abort();
	check_text(r->call_id, SP_TAG_MAX);
	check_text(r->from_tag, SP_TAG_MAX);
	check_text(r->to_tag, SP_TAG_MAX);
	check_text(r->branch, SP_TAG_MAX);
	check_text(r->label, SP_TAG_MAX);
	check_text(r->to_label, SP_TAG_MAX);
	check_text(r->metadata, METADATA_MAX);
	check_text(r->sdp, SP_BODY_MAX);
	if (r->from_realm.len > SP_TAG_MAX || r->to_realm.len > SP_TAG_MAX)
		abort();
	if (r->latch > SP_LATCH_HANDOVER || (r->latch != 0 && !r->has_latch))
		abort(); /* a policy is never wider than was asked for */
	if (r->signalling_source.port != 0 || r->address.port != 0)
		abort();
	if (r->trust_source && r->signalling_source.family == SP_FAMILY_NONE)
		abort();
	check_policy(&r->policy);
}

static void
check_refused(const struct sp_problem *p)
{
	char *text;

	if (p->http < 400 || p->http > 599 || !p->type || !p->detail[0])
		abort();
	text = sp_problem_text(p);
	if (!text)
		abort(); /* whatever a client wrote can be quoted */
	free(text);
}

static void
ask_http(enum sp_verb verb, const uint8_t *data, size_t len)
{
	struct sp_problem problem = { 0 };
	struct sp_request request;

	if (sp_request_parse(verb, (const char *)data, len, &request,
		    &problem) != SP_OK) {
		check_refused(&problem);
		return;
	}
	check_accepted(verb, &request);
	if (request.door != SP_DOOR_HTTP)
		abort();
	sp_request_close(&request);
}

/* The same dictionary for ng; what @data is not JSON of is a flag string. */
static void
ask_ng(enum sp_verb verb, json_t *tree)
{
	struct sp_problem problem = { 0 };
	struct sp_request request;
	json_t *warnings = json_array();
	json_t *item;
	size_t i;

	if (sp_request_ng(verb, tree, warnings, &request, &problem) == SP_OK) {
		check_accepted(verb, &request);
		if (request.door != SP_DOOR_NG || request.latch == SP_LATCH_ANY)
			abort(); /* ng has no word for it */
		sp_request_close(&request);
	} else {
		check_refused(&problem);
	}
	if (json_array_size(warnings) > WARNINGS_MAX)
		abort();
	json_array_foreach(warnings, i, item)
	{
		if (json_string_length(item) == 0)
			abort();
	}
	json_decref(warnings);
}

/* Decoding never makes a text longer nor leaves an early end in it. */
static void
check_unescape(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	size_t before;
	size_t after;

	if (!text)
		return;
	memcpy(text, data, len);
	text[len] = '\0';
	before = strlen(text);
	if (sp_request_unescape(text, &after) &&
		(after > before || strlen(text) != after))
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	json_t *tree = json_loadb((const char *)data, len,
		JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);

	if (!json_is_object(tree)) {
		json_decref(tree);
		tree = json_pack("{s:s, s:s, s:s, s:s, s:o}", "call-id", "c",
			"from-tag", "f", "to-tag", "t", "sdp", "v=0",
			"rtpp-flags",
			json_stringn_nocheck((const char *)data, len));
	}
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		ask_http(verbs[i], data, len);
		ask_ng(verbs[i], tree);
	}
	json_decref(tree);
	check_unescape(data, len);
	return 0;
}
