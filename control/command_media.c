/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/job.h"
#include "control/select.h"

#define TAG_SHOWN 64  /* bytes of a tag in a warning */
#define DYNAMIC 32u   /* this bit of payload_types is type 96 */
#define CN 13u        /* comfort noise (RFC 3389): silent as it is */
#define TYPES_TEXT 96 /* room for payload types in a warning */

static const struct {
	uint8_t what; /* enum sp_block */
	bool on;
} effect[SP_VERB_COUNT] = {
	[SP_VERB_BLOCK_MEDIA] = { SP_BLOCK_MEDIA, true },
	[SP_VERB_UNBLOCK_MEDIA] = { SP_BLOCK_MEDIA, false },
	[SP_VERB_SILENCE_MEDIA] = { SP_BLOCK_SILENCE, true },
	[SP_VERB_UNSILENCE_MEDIA] = { SP_BLOCK_SILENCE, false },
	[SP_VERB_BLOCK_DTMF] = { SP_BLOCK_DTMF, true },
	[SP_VERB_UNBLOCK_DTMF] = { SP_BLOCK_DTMF, false },
};

/*
 * What is blocked for all, for a party and for a dialogue adds up, and each is
 * taken back as it was asked for; only "all" takes back everything.
 */
static void
change(struct sp_cast *cast, const struct sp_select *who,
	const struct sp_request *request)
{
	const uint8_t what = effect[request->verb].what;
	uint8_t *blocked = sp_select_blocked(cast, who);

	if (effect[request->verb].on) {
		*blocked |= what;
		return;
	}
	*blocked &= (uint8_t)~what;
	for (uint8_t p = 0; request->all && p < cast->count; p++) {
		struct sp_party *party = cast->party[p];

		party->blocked &= (uint8_t)~what;
		party->block_up &= (uint8_t)~what;
		party->block_down &= (uint8_t)~what;
	}
}

/* False without memory. */
static bool
add_warning(json_t *warnings, const struct sp_party *about, const char *what)
{
	char text[384];
	const struct sp_tag *tag = about->tags;
	int shown = tag ? tag->len : 0;
	int len;

	if (shown > TAG_SHOWN)
		shown = TAG_SHOWN;
	len = snprintf(text, sizeof text, "tag \"%.*s\": %s", shown,
		tag ? tag->text : "", what);
	return json_array_append_new(
		       warnings, sp_reply_text(text, (size_t)len)) == 0;
}

/*
 * What @p may send on its line @m: of the types that it reads itself, those
 * that whom it talks to reads, as far as both have said so.
 */
static uint64_t
types_sent(const struct sp_cast *cast, uint8_t p, unsigned int m)
{
	const uint8_t other = sp_party_other(cast, p);
	const struct sp_media *own = sp_party_media(cast->party[p], m);
	const struct sp_media *read = other == SP_NOBODY
		? NULL
		: sp_party_media(cast->party[other], m);

	if (!own || !own->live || !read || !read->live ||
		!(own->payload_types & read->payload_types))
		return UINT64_MAX;
	return own->payload_types & read->payload_types;
}

/* Those of @types that have no known silence, as text; "" if all have. */
static void
loud_types(
	const struct sp_flow_conf *conf, uint64_t types, char text[TYPES_TEXT])
{
	uint64_t loud = types & conf->payload_types & ~conf->dtmf_types;
	size_t len = 0;

	loud &= ~(UINT64_C(1) << CN);
	for (unsigned int q = 0; q < SP_QUIET_CODECS; q++)
		if (conf->quiet[q] != SP_QUIET_NONE)
			loud &= ~(UINT64_C(1) << (conf->quiet[q] & 63));
	text[0] = '\0';
	for (unsigned int bit = 0; bit < 64 && len < TYPES_TEXT - 8; bit++)
		if (loud >> bit & 1)
			len += (size_t)snprintf(text + len, TYPES_TEXT - len,
				"%s%u", len > 0 ? ", " : "",
				bit < DYNAMIC ? bit : bit - DYNAMIC + 96);
}

/* Of what is to be silent, say what can only be blocked. */
static bool
warn_of_line(const struct sp_service *s, const struct sp_cast *cast, uint8_t p,
	unsigned int m, json_t *warnings)
{
	struct sp_order order = {
		.kind = SP_ORDER_PROGRAM, .party = p, .m = (uint8_t)m
	};
	const struct sp_flow_conf *conf = &order.conf;
	char types[TYPES_TEXT], text[192];

	sp_program_again(s, cast, &order);
	loud_types(conf, types_sent(cast, p, m), types);
	if (!(conf->flags & SP_FLOW_SILENCE))
		return true;
	if (conf->flags & SP_FLOW_OPAQUE)
		snprintf(text, sizeof text,
			"m-line %u is encrypted end to end: it is blocked "
			"instead of silenced",
			m + 1);
	else if (conf->kind == SP_FLOW_DATA)
		snprintf(text, sizeof text,
			"m-line %u is not RTP: it is blocked instead of "
			"silenced",
			m + 1);
	else if (types[0])
		snprintf(text, sizeof text,
			"m-line %u: no silence is known for payload types %s: "
			"these are blocked instead",
			m + 1, types);
	else
		return true;
	return add_warning(warnings, cast->party[p], text);
}

static bool
warn(const struct sp_service *s, const struct sp_cast *cast,
	const struct sp_select *who, const struct sp_request *request,
	json_t *warnings)
{
	bool fine = true;

	if (!effect[request->verb].on)
		return true;
	if (who->sink != SP_NOBODY &&
		sp_party_other(cast, who->party) != who->sink)
		return add_warning(warnings, cast->party[who->sink],
			"another branch gets the media now: this counts from "
			"when it goes here");
	if (effect[request->verb].what != SP_BLOCK_SILENCE)
		return true;
	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int m = 0; m < cast->party[p]->legs; m++)
			if ((who->party == SP_NOBODY || who->party == p) &&
				cast->party[p]->leg[m].slot[SP_PART_RTP].flow)
				fine &= warn_of_line(s, cast, p, m, warnings);
	return fine;
}

static void
refuse_media(struct sp_service *s, const struct sp_call *call,
	const struct sp_asker *asker, enum sp_status status)
{
	struct sp_problem problem;

	if (status == SP_FULL)
		sp_reply_full(&problem, "worker-busy",
			"worker %u takes no more orders now", call->worker);
	else
		sp_reply_status(&problem, status);
	sp_reply_problem(s, asker, &problem);
}

void
sp_command_media(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = sp_asker(request, reply, arg);
	struct sp_cast cast = { 0 };
	struct sp_problem problem;
	struct sp_select who;
	enum sp_status status;
	json_t *warnings;
	json_t *body;

	if (!call) {
		sp_reply_unknown(s, &asker);
		return;
	}
	if (!sp_select(&call->cast, request, &who, &problem)) {
		sp_reply_problem(s, &asker, &problem);
		return;
	}
	status = sp_party_clone(&call->cast, &cast);
	if (status != SP_OK) {
		refuse_media(s, call, &asker, status);
		return;
	}
	change(&cast, &who, request);
	warnings = json_array();
	body = json_pack("{s:O}", "warnings", warnings);
	if (!body || !warn(s, &cast, &who, request, warnings)) {
		sp_party_free(&cast);
		json_decref(body);
		status = SP_NO_MEMORY;
	} else {
		status = sp_job_program(s, call, &cast, &asker, body);
	}
	json_decref(warnings);
	if (status != SP_OK)
		refuse_media(s, call, &asker, status);
}
