/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/reply_ng.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define US_PER_S 1000000
#define MS_PER_S 1000

/* One reply in the making. */
struct writer {
	const struct sp_service *s;
	const struct sp_call *call;
	const struct sp_cast *cast;
	json_t *ssrcs;
	struct sp_stream_sum total[SP_PARTS];
};

/*
 * Words of which a reply has many: each is one value that all replies share,
 * made when it is needed first.
 */
enum word {
	IPV4,
	IPV6,
	RTP,
	RTCP,
	FILLED,
	CONFIRMED,
	INITIALIZED,
	SEND,
	RECV,
	RTCP_MUX,
	PASSTHROUGH,
	SDES,
	OFFER_ANSWER,
	WORDS
};

static const char *const words[WORDS] = {
	[IPV4] = "IPv4",
	[IPV6] = "IPv6",
	[RTP] = "RTP",
	[RTCP] = "RTCP",
	[FILLED] = "filled",
	[CONFIRMED] = "confirmed",
	[INITIALIZED] = "initialized",
	[SEND] = "send",
	[RECV] = "recv",
	[RTCP_MUX] = "rtcp-mux",
	[PASSTHROUGH] = "passthrough",
	[SDES] = "SDES",
	[OFFER_ANSWER] = "offer/answer",
};

static const char *const types[] = { NULL, "audio", "video", "image", "text",
	"application", "message" };

static const char *const protocols[] = { NULL, "RTP/AVP", "RTP/SAVP",
	"RTP/AVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF",
	"UDP/TLS/UDPTL", "udptl" };

#define COUNT(table) (sizeof(table) / sizeof *(table))

static uint8_t
index_of(const char *const *table, size_t count, const char *at, size_t len)
{
	for (uint8_t i = 1; i < count; i++)
		if (strlen(table[i]) == len &&
			strncasecmp(table[i], at, len) == 0)
			return i;
	return 0;
}

uint8_t
sp_reply_ng_type(const char *at, size_t len)
{
	return index_of(types, COUNT(types), at, len);
}

uint8_t
sp_reply_ng_protocol(const char *at, size_t len)
{
	return index_of(protocols, COUNT(protocols), at, len);
}

/* Our own keys and words are ASCII and need no check. */
static bool
set(json_t *to, const char *key, json_t *value)
{
	return json_object_set_new_nocheck(to, key, value) == 0;
}

static bool
set_count(json_t *to, const char *key, uint64_t value)
{
	return set(to, key, json_integer((json_int_t)value));
}

static bool
set_word(json_t *to, const char *key, const char *word)
{
	return !word || set(to, key, json_string_nocheck(word));
}

static bool
set_text(json_t *to, const char *key, const char *text)
{
	return !text || set(to, key, sp_reply_text(text, strlen(text)));
}

static bool
push(json_t *to, json_t *value)
{
	return json_array_append_new(to, value) == 0;
}

static json_t *
shared(enum word word)
{
	static json_t *values[WORDS];

	if (!values[word])
		values[word] = json_string_nocheck(words[word]);
	return json_incref(values[word]);
}

/* @value if all went well; else nothing of it. */
static json_t *
whole(json_t *value, bool fine)
{
	if (fine)
		return value;
	json_decref(value);
	return NULL;
}

static uint64_t
unix_s(const struct sp_service *s, uint64_t at_ms)
{
	return (uint64_t)(s->epoch_ms + (int64_t)at_ms) / MS_PER_S;
}

/* When the last packet of a flow came; before one, when the party did. */
static uint64_t
last_packet_s(const struct sp_service *s, const struct sp_party *party,
	const struct sp_flow_report *report)
{
	const int32_t ago_ms = (int32_t)(s->last_ms - report->seen_ms);

	if (report->seen_ms == 0)
		return unix_s(s, party->since_ms);
	return unix_s(s, s->now_ms - (ago_ms > 0 ? (uint32_t)ago_ms : 0));
}

static json_t *
family_of(const struct sp_addr *addr)
{
	return shared(addr->family == SP_FAMILY_IP6 ? IPV6 : IPV4);
}

static bool
set_endpoint(json_t *to, const char *key, const struct sp_addr *addr)
{
	char text[SP_ADDR_TEXT];
	json_t *out;
	bool fine;

	if (addr->family == SP_FAMILY_NONE)
		return true;
	out = json_object();
	fine = set(out, "family", family_of(addr));
	fine &= set_word(out, "address", sp_addr_print_ip(addr, text));
	fine &= set_count(out, "port", addr->port);
	return set(to, key, whole(out, fine));
}

static json_t *
stats(const struct sp_stream_sum *sum)
{
	json_t *out = json_object();
	bool fine = set_count(out, "packets", sum->packets);

	fine &= set_count(out, "bytes", sum->octets);
	fine &= set_count(out, "errors", sum->errors);
	return whole(out, fine);
}

static json_t *
stream_flags(const struct sp_leg *leg, unsigned int part, bool filled,
	const struct sp_flow_report *report)
{
	json_t *out = json_array();
	bool fine = true;

	if (part == SP_PART_RTP)
		fine &= push(out, shared(RTP));
	if (part == SP_PART_RTCP || leg->mux)
		fine &= push(out, shared(RTCP));
	if (filled)
		fine &= push(out, shared(FILLED));
	if (report->state == SP_LATCH_HELD)
		fine &= push(out, shared(CONFIRMED));
	return whole(out, fine);
}

/* One port of ours and who is behind it. */
static json_t *
stream(struct writer *w, const struct sp_party *party, unsigned int m,
	unsigned int part, const struct sp_flow_report *report)
{
	static const struct sp_addr none;
	const struct sp_leg *leg = &party->leg[m];
	const struct sp_slot *slot = &leg->slot[part];
	const struct sp_addr *local = &w->s->ports.local[slot->local].addr;
	const struct sp_media *media = sp_party_media(party, m);
	const struct sp_addr *told = &none;
	const struct sp_addr *heard = &report->remote;
	struct sp_stream_sum sum;
	char text[SP_ADDR_TEXT];
	json_t *out = json_object();
	bool fine = set_count(out, "local port", slot->port);

	if (media)
		told = part == SP_PART_RTP ? &media->rtp : &media->rtcp;
	if (heard->family == SP_FAMILY_NONE)
		heard = told;
	sp_reply_stream_sum(report, &sum);
	sp_reply_stream_add(&w->total[part], &sum);

	fine &= set_word(out, "local address", sp_addr_print_ip(local, text));
	fine &= set(out, "family", family_of(local));
	fine &= set_endpoint(out, "endpoint", heard);
	fine &= set_endpoint(out, "advertised endpoint", told);
	fine &= set_word(out, "crypto suite", sp_reply_suite(party, m));
	fine &= set_count(
		out, "last packet", last_packet_s(w->s, party, report));
	fine &= set(out, "flags",
		stream_flags(
			leg, part, heard->family != SP_FAMILY_NONE, report));
	if (report->has_quality)
		fine &= set_count(out, "SSRC", report->quality.ssrc);
	fine &= set(out, "stats", stats(&sum));
	return whole(out, fine);
}

/* Of one stream: what its packets alone tell. A MOS is a score times ten. */
static json_t *
mos(const struct sp_quality_report *quality)
{
	json_t *out = json_object();
	bool fine = set_count(out, "MOS", (quality->mos_x100 + 5u) / 10);

	fine &= set_count(out, "jitter", (quality->jitter_us + 500u) / 1000);
	fine &= set_count(out, "packet loss",
		quality->expected > 0 ? quality->lost * 100 / quality->expected
				      : 0);
	return whole(out, fine);
}

/* All of a stream is one sample, the lowest and the highest there is. */
static bool
set_mos(json_t *to, const struct sp_quality_report *quality, uint64_t at_s)
{
	static const char *const extremes[] = { "lowest MOS", "highest MOS" };
	json_t *out = mos(quality);
	bool fine = set_count(out, "samples", 1);

	fine &= set(to, "average MOS", out);
	for (size_t i = 0; i < COUNT(extremes); i++) {
		out = mos(quality);
		fine &= set_count(out, "reported at", at_s);
		fine &= set(to, extremes[i], out);
	}
	return fine;
}

/* The first stream of an SSRC tells of it: an echo has the same one. */
static bool
set_ssrc(struct writer *w, const struct sp_party *party,
	const struct sp_flow_report *report)
{
	const struct sp_quality_report *quality = &report->quality;
	char key[sizeof "4294967295"];
	json_t *out;
	bool fine;

	snprintf(key, sizeof key, "%u", quality->ssrc);
	if (json_object_get(w->ssrcs, key))
		return true;
	out = json_object();
	fine = set_count(out, "packets", quality->packets);
	fine &= set_count(out, "last RTP seq", quality->last_seq);
	fine &= set_count(out, "cumulative loss", quality->lost);
	if (quality->mos_x100 > 0)
		fine &= set_mos(
			out, quality, last_packet_s(w->s, party, report));
	return set(w->ssrcs, key, whole(out, fine));
}

static json_t *
media_flags(const struct sp_party *party, unsigned int m)
{
	const struct sp_media *media = sp_party_media(party, m);
	json_t *out = json_array();
	bool fine = push(out, shared(INITIALIZED));

	if (media && media->direction & SP_SDP_RECVONLY)
		fine &= push(out, shared(SEND));
	if (media && media->direction & SP_SDP_SENDONLY)
		fine &= push(out, shared(RECV));
	if (party->leg[m].mux)
		fine &= push(out, shared(RTCP_MUX));
	if (media && media->secure)
		fine &= push(out, shared(PASSTHROUGH));
	if (sp_reply_suite(party, m))
		fine &= push(out, shared(SDES));
	return whole(out, fine);
}

/* One m= line; takes as many of @report as it has flows. */
static json_t *
medium(struct writer *w, const struct sp_party *party, unsigned int m,
	const struct sp_flow_report **report)
{
	const struct sp_media *media = sp_party_media(party, m);
	const struct sp_leg *leg = &party->leg[m];
	json_t *streams = json_array();
	json_t *out = json_object();
	bool fine = set_count(out, "index", m + 1);

	if (media)
		fine &= set_word(out, "type", types[media->type]) &&
			set_word(out, "protocol", protocols[media->protocol]);
	for (unsigned int part = 0; part < SP_PARTS; part++) {
		struct sp_flow_report sum;

		if (leg->slot[part].flow == 0)
			continue;
		sum = *(*report)++;
		if (part == SP_PART_RTP)
			sp_reply_sum(leg, &(*report)[-1], &sum);
		fine &= push(streams, stream(w, party, m, part, &sum));
		if (part == SP_PART_RTP && sum.has_quality)
			fine &= set_ssrc(w, party, &sum);
	}
	if (leg->past && leg->slot[SP_PART_RTP].flow == 0) {
		struct sp_stream_sum past;

		sp_reply_stream_sum(leg->past, &past);
		sp_reply_stream_add(&w->total[SP_PART_RTP], &past);
	}
	fine &= set(out, "streams", streams);
	fine &= set(out, "flags", media_flags(party, m));
	return whole(out, fine);
}

/* The name that a party goes by: its tag, or what stands for none. */
static json_t *
tag_of(const struct writer *w, uint8_t p)
{
	const struct sp_tag *tag = w->cast->party[p]->tags;
	char text[sizeof "<untagged 255>"] = "";

	if (tag)
		return sp_reply_text(tag->text, tag->len);
	for (uint8_t i = 0; i < p; i++)
		if (!w->cast->party[i]->tags)
			snprintf(text, sizeof text, "<untagged %u>", p);
	return json_string_nocheck(text);
}

static bool
add_peer(const struct writer *w, json_t *to, uint8_t p)
{
	json_t *out = json_object();
	bool fine = set(out, "tag", tag_of(w, p));

	fine &= set(out, "type", shared(OFFER_ANSWER));
	return push(to, whole(out, fine));
}

/* Whose media party @p gets, and who gets that of @p. */
static bool
set_peers(const struct writer *w, json_t *to, uint8_t p)
{
	const uint8_t other = sp_party_other(w->cast, p);
	json_t *from = json_array();
	json_t *by = json_array();
	bool fine = true;

	if (other < w->cast->count)
		fine &= add_peer(w, from, other);
	for (uint8_t i = 0; i < w->cast->count; i++)
		if (i != p && sp_party_other(w->cast, i) == p)
			fine &= add_peer(w, by, i);
	fine &= set(to, "subscriptions", from);
	fine &= set(to, "subscribers", by);
	return fine;
}

/* The tags of a fork beyond us, after the one that gets the media. */
static bool
set_aliases(json_t *to, const struct sp_party *party)
{
	json_t *out;
	bool fine = true;

	if (!party->tags || !party->tags->next)
		return true;
	out = json_array();
	for (const struct sp_tag *t = party->tags->next; t; t = t->next)
		fine &= push(out, sp_reply_text(t->text, t->len));
	return set(to, "tag-aliases", whole(out, fine));
}

static bool
add_party(struct writer *w, json_t *tags, uint8_t p,
	const struct sp_flow_report **report)
{
	const struct sp_party *party = w->cast->party[p];
	json_t *tag = tag_of(w, p);
	json_t *medias = json_array();
	json_t *out = json_object();
	bool fine = json_object_set_nocheck(out, "tag", tag) == 0;

	fine &= set_text(out, "via-branch", party->branch);
	fine &= set_text(out, "label", party->label);
	fine &= set_count(out, "created", unix_s(w->s, party->since_ms));
	fine &= set_aliases(out, party);
	fine &= set_peers(w, out, p);
	for (unsigned int m = 0; m < party->legs; m++)
		fine &= push(medias, medium(w, party, m, report));
	fine &= set(out, "medias", medias);
	/* Without memory for one of them there is nothing to add. */
	out = whole(out, fine && tag);
	fine = json_object_setn_new_nocheck(tags, json_string_value(tag),
		       json_string_length(tag), out) == 0;
	json_decref(tag);
	return fine;
}

/* Step over the reports of a party that is not asked for. */
static void
pass_over(const struct sp_party *party, const struct sp_flow_report **report)
{
	for (unsigned int m = 0; m < party->legs; m++)
		for (unsigned int part = 0; part < SP_PARTS; part++)
			*report += party->leg[m].slot[part].flow != 0;
}

json_t *
sp_reply_ng(const struct sp_service *s, const struct sp_call *call,
	const struct sp_cast *cast, const struct sp_flow_report *report,
	uint32_t hidden)
{
	const int64_t created_ms = s->epoch_ms + (int64_t)call->created_ms;
	struct writer w = { s, call, cast, json_object(), { { 0 } } };
	json_t *tags = json_object();
	json_t *totals = json_object();
	json_t *out = json_object();
	bool fine = set_count(out, "created", (uint64_t)created_ms / MS_PER_S);

	fine &= set_count(out, "created_us",
		(uint64_t)created_ms % MS_PER_S * (US_PER_S / MS_PER_S));
	fine &= set_count(out, "last signal", unix_s(s, call->active_ms));
	fine &= set_text(out, "metadata", call->cast.metadata);
	fine &= set(out, "SSRC", json_incref(w.ssrcs));
	for (uint8_t p = 0; p < cast->count; p++) {
		if (hidden >> p & 1)
			pass_over(cast->party[p], &report);
		else
			fine &= add_party(&w, tags, p, &report);
	}
	fine &= set(out, "tags", tags);
	fine &= set(totals, "RTP", stats(&w.total[SP_PART_RTP]));
	fine &= set(totals, "RTCP", stats(&w.total[SP_PART_RTCP]));
	fine &= set(out, "totals", totals);
	json_decref(w.ssrcs);
	return whole(out, fine);
}
