/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/reply_http.h"

#include <string.h>

#include "control/job.h"

/* Set @key; a missing value or object shows in the answer. */
static bool
set(json_t *to, const char *key, json_t *value)
{
	return json_object_set_new(to, key, value) == 0;
}

static bool
set_count(json_t *to, const char *key, uint64_t value)
{
	return set(to, key, json_integer((json_int_t)value));
}

static bool
set_addr(json_t *to, const char *key, const struct sp_addr *addr)
{
	char text[SP_ADDR_TEXT];

	if (addr->family == SP_FAMILY_NONE)
		return set(to, key, json_null());
	return set(to, key, json_string(sp_addr_print(addr, text)));
}

static bool
set_string(json_t *to, const char *key, const char *text)
{
	return !text || set(to, key, sp_reply_text(text, strlen(text)));
}

static json_t *
dropped(const struct sp_flow_report *report)
{
	json_t *out = json_object();
	bool fine = out != NULL;

	for (unsigned int i = 0; fine && i < SP_FLOW_VERDICTS; i++)
		if (report->dropped[i] > 0)
			fine = set_count(
				out, sp_reply_verdict(i), report->dropped[i]);
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static const char *
class_name(uint8_t class)
{
	static const char *const name[] = {
		[SP_LATCH_NOBODY] = "none",
		[SP_LATCH_STRANGER] = "stranger",
		[SP_LATCH_SIP_SOURCE] = "signalling_source",
		[SP_LATCH_SAME_IP] = "same_ip",
		[SP_LATCH_EXACT] = "exact",
		[SP_LATCH_AUTHENTIC] = "authentic",
	};

	return class < sizeof name / sizeof *name ? name[class] : "none";
}

/* Whom a flow talks to, and what it has seen. */
static bool
set_flow(json_t *to, const struct sp_service *s, const struct sp_call *call,
	const struct sp_slot *slot, const struct sp_flow_report *report)
{
	const uint32_t began_ms =
		s->last_ms - (uint32_t)(s->now_ms - call->created_ms);
	const bool held = report->state == SP_LATCH_HELD;
	const int32_t idle_ms = (int32_t)(s->last_ms - report->seen_ms);
	bool fine = set_addr(to, "latched", &report->remote);

	fine &= set(to, "latched_at_ms",
		held && slot->latched_ms > 0
			? json_integer(slot->latched_ms - began_ms)
			: json_null());
	fine &= set_string(to, "class",
		class_name(held ? report->class : SP_LATCH_NOBODY));
	fine &= set_count(to, "moved", slot->moves);
	fine &= set_count(to, "contested", slot->rivals);
	fine &= set(to, "idle_ms",
		report->seen_ms > 0 ? json_integer(idle_ms > 0 ? idle_ms : 0)
				    : json_null());
	fine &= set_count(to, "packets", report->packets);
	fine &= set_count(to, "octets", report->octets);
	fine &= set_count(to, "sent", report->sent);
	fine &= set(to, "dropped", dropped(report));
	return fine;
}

static bool
set_quality(json_t *to, const struct sp_quality_report *quality)
{
	bool fine = set_count(to, "expected", quality->expected);

	fine &= set_count(to, "lost", quality->lost);
	fine &= set_count(to, "reordered", quality->reordered);
	fine &= set_count(to, "duplicates", quality->duplicates);
	fine &= set(to, "jitter_ms", json_real(quality->jitter_us / 1000.0));
	fine &= set(to, "mos", json_real(quality->mos_x100 / 100.0));
	fine &= set_count(to, "ssrc", quality->ssrc);
	fine &= set_count(to, "ssrc_changes", quality->ssrc_changes);
	return fine;
}

/* What a line did before it was switched off, or its port changed. */
static json_t *
earlier(const struct sp_flow_report *past)
{
	json_t *out = json_object();
	bool fine = set_count(out, "packets", past->packets);

	fine &= set_count(out, "octets", past->octets);
	fine &= set_count(out, "sent", past->sent);
	fine &= set(out, "dropped", dropped(past));
	if (past->has_quality)
		fine &= set_quality(out, &past->quality);
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static bool
set_local(json_t *to, const struct sp_service *s, const struct sp_slot *slot,
	const struct sp_addr *signalled)
{
	const struct sp_local *local = &s->ports.local[slot->local];
	struct sp_addr addr = local->addr;
	struct sp_addr advertised = local->advertised;
	bool fine;

	addr.port = advertised.port = slot->port;
	fine = set_addr(to, "local", &addr);
	fine &= set_addr(to, "advertised", &advertised);
	fine &= set_addr(to, "signalled", signalled);
	return fine;
}

/* RTCP on a port of its own. */
static json_t *
rtcp(const struct sp_service *s, const struct sp_call *call,
	const struct sp_slot *slot, const struct sp_media *media,
	const struct sp_flow_report *report)
{
	const struct sp_addr none = { 0 };
	json_t *out = json_object();
	bool fine = set_local(out, s, slot, media ? &media->rtcp : &none);

	fine &= set_flow(out, s, call, slot, report);
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static bool
set_media(json_t *out, const struct sp_party *party, unsigned int m, bool on)
{
	const struct sp_media *media = sp_party_media(party, m);
	const struct sp_leg *leg = &party->leg[m];
	static const char *const direction[] = {
		[SP_SDP_INACTIVE] = "inactive",
		[SP_SDP_SENDONLY] = "sendonly",
		[SP_SDP_RECVONLY] = "recvonly",
		[SP_SDP_SENDRECV] = "sendrecv",
	};
	bool fine = set(out, "on", json_boolean(on));

	fine &= set(out, "mux", json_boolean(leg->mux));
	fine &= set(out, "silent", json_boolean(leg->silent));
	if (media && media->live) {
		fine &= set_string(out, "kind",
			media->kind == SP_MEDIA_RTP ? "rtp" : "data");
		fine &= set_string(
			out, "direction", direction[media->direction & 3]);
		fine &= set(out, "secure", json_boolean(media->secure));
		fine &= set_string(out, "keying", sp_reply_keying(party, m));
		fine &= set_string(
			out, "crypto_suite", sp_reply_suite(party, m));
	}
	return fine;
}

/* One m= line; takes as many of @report as it has flows. */
static json_t *
describe_leg(const struct sp_service *s, const struct sp_call *call,
	const struct sp_party *party, unsigned int m,
	const struct sp_flow_report **report)
{
	const struct sp_addr none = { 0 };
	const struct sp_leg *leg = &party->leg[m];
	const struct sp_slot *slot = leg->slot;
	const struct sp_media *media = sp_party_media(party, m);
	json_t *out = json_object();
	bool fine = set_count(out, "index", m);

	fine &= set_media(out, party, m, slot[SP_PART_RTP].flow != 0);
	if (slot[SP_PART_RTP].flow != 0) {
		const struct sp_flow_report *r = (*report)++;

		fine &= set_local(out, s, &slot[SP_PART_RTP],
			media ? &media->rtp : &none);
		fine &= set_flow(out, s, call, &slot[SP_PART_RTP], r);
		if (r->has_quality)
			fine &= set_quality(out, &r->quality);
	}
	if (leg->past)
		fine &= set(out, "earlier", earlier(leg->past));
	if (slot[SP_PART_RTCP].flow != 0)
		fine &= set(out, "rtcp",
			rtcp(s, call, &slot[SP_PART_RTCP], media, (*report)++));
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}

/* What is kept back of what a party sends, by words. */
static json_t *
blocked(const struct sp_cast *cast, const struct sp_party *party)
{
	const unsigned int bits = cast->blocked | party->blocked;
	json_t *out = json_array();
	bool fine = out != NULL;

	if (bits & SP_BLOCK_MEDIA)
		fine &= json_array_append_new(out, json_string("media")) == 0;
	if (bits & SP_BLOCK_SILENCE)
		fine &= json_array_append_new(out, json_string("silence")) == 0;
	if (bits & SP_BLOCK_DTMF)
		fine &= json_array_append_new(out, json_string("dtmf")) == 0;
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static json_t *
describe_party(const struct sp_service *s, const struct sp_call *call,
	const struct sp_cast *cast, uint8_t p,
	const struct sp_flow_report **report)
{
	const struct sp_party *party = cast->party[p];
	const bool caller = party->caller == SP_NOBODY;
	json_t *out = json_object();
	json_t *media = json_array();
	bool fine = set_string(out, "role", caller ? "caller" : "branch");

	fine &= set(out, "tag",
		party->tags ? sp_reply_text(party->tags->text, party->tags->len)
			    : json_null());
	fine &= set_string(out, "branch", party->branch);
	fine &= set_string(out, "label", party->label);
	fine &= set_string(out, "realm", s->conf->realm[party->realm].name);
	if (!caller)
		fine &= set(out, "answered", json_boolean(party->answered));
	if (cast->blocked | party->blocked)
		fine &= set(out, "blocked", blocked(cast, party));
	for (unsigned int m = 0; m < party->legs; m++)
		fine &= json_array_append_new(media,
				describe_leg(s, call, party, m, report)) == 0;
	fine &= set(out, "media", media);
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}

json_t *
sp_reply_http(const struct sp_service *s, const struct sp_call *call,
	const struct sp_cast *cast, const struct sp_flow_report *report,
	const char *state)
{
	const struct sp_flow_report *at = report;
	json_t *out = json_object();
	json_t *parties = json_array();
	bool fine = set(out, "call_id", sp_reply_text(call->id, call->id_len));

	fine &= set_string(out, "state", state);
	fine &= set_count(out, "duration_ms", s->now_ms - call->created_ms);
	fine &= set_count(out, "worker", call->worker);
	fine &= set_string(out, "metadata", call->cast.metadata);
	for (uint8_t p = 0; p < cast->count; p++)
		fine &= json_array_append_new(parties,
				describe_party(s, call, cast, p, &at)) == 0;
	fine &= set(out, "parties", parties);
	if (!fine) {
		json_decref(out);
		return NULL;
	}
	return out;
}
