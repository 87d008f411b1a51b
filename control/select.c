/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/select.h"

#include <assert.h>
#include <string.h>

/* Why nobody was found: the words of ng, and what HTTP says. */
struct reason {
	enum sp_problem_kind kind;
	const char *where;
	const char *ng;
	const char *http;
};

/* clang-format off */
static const struct reason
	no_label = { SP_PROBLEM_NO_LABEL, "label",
		"No monologue matching the given label",
		"no party of the call has this label: a query shows them" },
	no_address = { SP_PROBLEM_NO_ADDRESS, "address",
		"Failed to match address to any tag",
		"no SDP of the call named this address: a query shows them" },
	no_tag = { SP_PROBLEM_NO_TAG, "from_tag",
		"From-tag given, but no such tag exists",
		"no party of the call has this tag: a query shows them" },
	no_to_tag = { SP_PROBLEM_NO_SINK, "to_tag",
		"Media flow not found (to-tag not found)",
		"no party of the call has this tag: a query shows them" },
	no_to_label = { SP_PROBLEM_NO_SINK, "to_label",
		"Media flow not found (to-label not found)",
		"no party of the call has this label: a query shows them" },
	no_flow = { SP_PROBLEM_NO_SINK, "to_tag",
		"Media flow not found (to-tag not subscribed)",
		"the two are not in a dialogue: no media goes from one to "
		"the other" },
	no_source = { SP_PROBLEM_MISSING_FIELD, "from_tag",
		"No participant party specified",
		"to_tag and to_label say who gets the media: say whose it is, "
		"by from_tag, label or address" };
/* clang-format on */

static bool
no_such(const struct sp_request *request, const struct reason *reason,
	struct sp_problem *problem)
{
	sp_problem_set(problem, reason->kind, reason->where, "%s",
		request->door == SP_DOOR_NG ? reason->ng : reason->http);
	return false;
}

static uint8_t
by_label(const struct sp_cast *cast, struct sp_text label)
{
	for (uint8_t p = 0; p < cast->count; p++) {
		const char *has = cast->party[p]->label;

		if (has && strlen(has) == label.len &&
			memcmp(has, label.at, label.len) == 0)
			return p;
	}
	return SP_NOBODY;
}

static bool
said_names(const struct sp_said *said, const struct sp_addr *ip)
{
	for (unsigned int m = 0; said && m < said->count; m++)
		if (sp_addr_same_ip(&said->media[m].rtp, ip))
			return true;
	return false;
}

static uint8_t
by_address(const struct sp_cast *cast, const struct sp_addr *ip)
{
	for (uint8_t p = 0; p < cast->count; p++) {
		const struct sp_tag *tag = cast->party[p]->tags;

		for (; tag; tag = tag->next)
			if (said_names(tag->said, ip) ||
				said_names(tag->staged, ip))
				return p;
	}
	return SP_NOBODY;
}

/* Whose media? False: @problem says why nobody's. */
static bool
find_party(const struct sp_cast *cast, const struct sp_request *request,
	uint8_t *out, struct sp_problem *problem)
{
	const struct reason *reason = NULL;

	*out = SP_NOBODY;
	if (request->all)
		return true;
	if (request->label.len > 0) {
		*out = by_label(cast, request->label);
		reason = &no_label;
	} else if (request->address.family != SP_FAMILY_NONE) {
		*out = by_address(cast, &request->address);
		reason = &no_address;
	} else if (request->from_tag.len > 0 &&
		(request->directional || request->door != SP_DOOR_NG)) {
		*out = sp_party_by_tag(cast, request->from_tag);
		reason = &no_tag;
	}
	return !reason || *out != SP_NOBODY ||
		no_such(request, reason, problem);
}

/* Proxies put the to_tag into everything; rtpengine skips it for DTMF. */
static bool
names_sink(const struct sp_request *request)
{
	if (request->to_tag.len == 0 && request->to_label.len == 0)
		return false;
	return request->door != SP_DOOR_NG ||
		(request->verb != SP_VERB_BLOCK_DTMF &&
			request->verb != SP_VERB_UNBLOCK_DTMF);
}

bool
sp_select(const struct sp_cast *cast, const struct sp_request *request,
	struct sp_select *out, struct sp_problem *problem)
{
	struct sp_select who = { SP_NOBODY, SP_NOBODY };
	bool by_tag;

	if (!find_party(cast, request, &who.party, problem))
		return false;
	if (who.party == SP_NOBODY && request->door != SP_DOOR_NG &&
		!request->all && names_sink(request))
		return no_such(request, &no_source, problem);
	if (who.party == SP_NOBODY || !names_sink(request)) {
		*out = who;
		return true;
	}

	by_tag = request->to_tag.len > 0;
	who.sink = by_tag ? sp_party_by_tag(cast, request->to_tag)
			  : by_label(cast, request->to_label);
	if (who.sink == SP_NOBODY)
		return no_such(
			request, by_tag ? &no_to_tag : &no_to_label, problem);
	if (cast->party[who.party]->caller != who.sink &&
		cast->party[who.sink]->caller != who.party)
		return no_such(request, &no_flow, problem);
	*out = who;
	return true;
}

uint8_t *
sp_select_blocked(struct sp_cast *cast, const struct sp_select *who)
{
	if (who->party == SP_NOBODY)
		return &cast->blocked;
	if (who->sink == SP_NOBODY)
		return &cast->party[who->party]->blocked;
	/* A dialogue is known by its branch. */
	if (cast->party[who->party]->caller == who->sink)
		return &cast->party[who->party]->block_up;
	assert(cast->party[who->sink]->caller == who->party);
	return &cast->party[who->sink]->block_down;
}
