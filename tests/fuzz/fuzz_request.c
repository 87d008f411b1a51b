/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "control/problem.h"
#include "control/request.h"

/* A text of an accepted request: given or not, within its limit, no NUL. */
static void
check_text(struct sp_text text, size_t most)
{
	if (text.len > most || (text.len > 0 && !text.at))
		abort();
	if (text.len > 0 && memchr(text.at, '\0', text.len))
		abort();
}

static void
check_accepted(enum sp_verb verb, const struct sp_request *r)
{
	const bool media = verb != SP_VERB_DELETE;

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
	check_text(r->from_realm, SP_TAG_MAX);
	check_text(r->to_realm, SP_TAG_MAX);
	check_text(r->sdp, SP_BODY_MAX);
	if (r->latch > SP_LATCH_ANY || (r->latch != 0 && !r->has_latch))
		abort(); /* a policy is never wider than was asked for */
	if (r->policy.address_family != SP_FAMILY_NONE &&
		r->policy.address_family != SP_FAMILY_IP4 &&
		r->policy.address_family != SP_FAMILY_IP6)
		abort();
	if (r->signalling_source.port != 0)
		abort();
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
	static const enum sp_verb verbs[] = { SP_VERB_OFFER, SP_VERB_ANSWER,
		SP_VERB_DELETE };

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		struct sp_problem problem = { 0 };
		struct sp_request request;

		if (sp_request_parse(verbs[i], (const char *)data, len,
			    &request, &problem) != SP_OK) {
			check_refused(&problem);
			continue;
		}
		check_accepted(verbs[i], &request);
		sp_request_close(&request);
	}
	check_unescape(data, len);
	return 0;
}
