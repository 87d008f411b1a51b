/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/describe.h"

#include <string.h>

/* What is known of m= line @m: what the party said, else what the other did. */
static const struct sp_media *
media_of(const struct sp_cast *cast, uint8_t p, unsigned int m)
{
	const struct sp_media *media = sp_party_media(cast->party[p], m);
	const uint8_t other = sp_party_other(cast, p);

	if ((!media || !media->live) && other != SP_NOBODY)
		media = sp_party_media(cast->party[other], m);
	return media;
}

bool
sp_describe_wants(const struct sp_cast *cast, uint8_t p, unsigned int m,
	enum sp_part part)
{
	const struct sp_leg *leg = &cast->party[p]->leg[m];
	const struct sp_media *media = media_of(cast, p, m);

	if (!sp_party_on(cast, p, m) || leg->pair[leg->six].port == 0)
		return false;
	return part == SP_PART_RTP ||
		(!leg->mux && media && media->kind == SP_MEDIA_RTP);
}

/* A private address is of no use when the SIP came from a public one. */
static bool
must_wait(const struct sp_addr *signalled, const struct sp_addr *signalling)
{
	return signalled->family != SP_FAMILY_NONE &&
		signalling->family != SP_FAMILY_NONE &&
		sp_addr_scope(signalled) == SP_ADDR_PRIVATE &&
		sp_addr_scope(signalling) == SP_ADDR_PUBLIC;
}

/* What of the packets that party @p sends is kept back. */
static uint8_t
block_flags(const struct sp_cast *cast, uint8_t p)
{
	const struct sp_party *party = cast->party[p];
	uint8_t blocked = cast->blocked | party->blocked;
	uint8_t flags = 0;

	if (party->caller != SP_NOBODY)
		blocked |= party->block_up;
	else if (party->peer != SP_NOBODY)
		blocked |= cast->party[party->peer]->block_down;

	if (blocked & SP_BLOCK_MEDIA)
		flags |= SP_FLOW_BLOCK;
	if (blocked & SP_BLOCK_SILENCE)
		flags |= SP_FLOW_SILENCE;
	if (blocked & SP_BLOCK_DTMF)
		flags |= SP_FLOW_NO_DTMF;
	return flags;
}

static uint16_t
shorter(uint16_t a, uint16_t b)
{
	if (a == 0 || b == 0)
		return a > b ? a : b;
	return a < b ? a : b;
}

/* The flows on the other side that send on what arrives here. */
static void
connect_flows(const struct sp_cast *cast, uint8_t p, unsigned int m,
	enum sp_part part, struct sp_flow_conf *out)
{
	const uint8_t other = sp_party_other(cast, p);
	const uint8_t branch = cast->party[p]->caller != SP_NOBODY ? p : other;
	const struct sp_leg *to;

	if (part == SP_PART_RTCP)
		out->rtp_flow = cast->party[p]->leg[m].slot[SP_PART_RTP].flow;
	if (other == SP_NOBODY || m >= cast->party[other]->legs ||
		!sp_party_on(cast, branch, m))
		return;
	to = &cast->party[other]->leg[m];
	if (to->keys)
		out->out_keys = to->keys->id;
	if (part == SP_PART_RTP)
		out->out_rtp = to->slot[SP_PART_RTP].flow;
	if (out->kind != SP_FLOW_DATA)
		out->out_rtcp =
			to->slot[to->mux ? SP_PART_RTP : SP_PART_RTCP].flow;
}

/* What the SDPs say of the stream. */
static void
describe(const struct sp_cast *cast, uint8_t p, unsigned int m,
	enum sp_part part, struct sp_flow_conf *out)
{
	const struct sp_media *media = media_of(cast, p, m);
	const struct sp_media *said = sp_party_media(cast->party[p], m);
	const uint8_t other = sp_party_other(cast, p);
	const struct sp_media *back = other == SP_NOBODY
		? NULL
		: sp_party_media(cast->party[other], m);

	out->send = 1;
	out->kind = part == SP_PART_RTCP ? SP_FLOW_RTCP : SP_FLOW_RTP;
	if (part == SP_PART_RTP && cast->party[p]->leg[m].mux)
		out->kind = SP_FLOW_MUX;
	if (media) {
		if (media->kind == SP_MEDIA_DATA)
			out->kind = SP_FLOW_DATA;
		if (media->secure)
			out->flags = SP_FLOW_OPAQUE;
		out->payload_types = media->payload_types;
		out->dtmf_types = media->dtmf_types;
		memcpy(out->quiet, media->quiet, sizeof out->quiet);
		out->clock_hz = media->clock_hz;
		out->ptime_ms = media->ptime_ms;
	}
	if (back && back->live) {
		out->payload_types |= back->payload_types;
		out->dtmf_types |= back->dtmf_types;
		/* A sender uses the numbers that its receiver gave. */
		for (unsigned int q = 0; q < SP_QUIET_CODECS; q++)
			if (back->quiet[q] != SP_QUIET_NONE)
				out->quiet[q] = back->quiet[q];
		out->ptime_ms = shorter(out->ptime_ms, back->ptime_ms);
		if (out->clock_hz == 0)
			out->clock_hz = back->clock_hz;
	}
	if (said && said->live) {
		out->signalled = part == SP_PART_RTCP ? said->rtcp : said->rtp;
		/* A party on hold still gets RTCP (RFC 3264, 8.4). */
		out->send = part == SP_PART_RTCP ||
			said->direction & SP_SDP_RECVONLY;
	}
}

/*
 * Whoever has the keys is who the party is: nobody else is believed, unless
 * the proxy or the realm is stricter, or nothing proves them.
 */
static uint8_t
keyed_policy(uint8_t policy, const struct sp_party *party, unsigned int m)
{
	const struct sp_media *said = sp_party_media(party, m);

	if (policy == SP_LATCH_SIGNALLED || policy == SP_LATCH_ASYMMETRIC)
		return policy;
	if (said && said->crypto && said->crypto->flags & SP_SRTP_NO_AUTH)
		return policy;
	return SP_LATCH_AUTH;
}

void
sp_describe_flow(const struct sp_service *s, const struct sp_cast *cast,
	uint8_t p, unsigned int m, enum sp_part part, struct sp_flow_conf *out)
{
	const struct sp_party *party = cast->party[p];
	const struct sp_slot *slot = &party->leg[m].slot[part];
	const struct sp_said *said = party->tags ? party->tags->said : NULL;
	const struct sp_realm_more *realm = &s->conf->more[party->realm];
	const struct sp_leg_keys *keys = party->leg[m].keys;

	memset(out, 0, sizeof *out); /* its padding is hashed, too */
	memset(out->quiet, SP_QUIET_NONE, sizeof out->quiet);
	describe(cast, p, m, part, out);
	connect_flows(cast, p, m, part, out);
	if (part == SP_PART_RTP)
		out->flags |= block_flags(cast, p);
	out->policy = said ? said->policy : (uint8_t)realm->latch;
	if (keys && keys->id != 0) {
		out->keys = keys->id;
		out->policy = keyed_policy(out->policy, party, m);
	}
	if (said)
		out->signalling = said->signalling;
	out->wait = must_wait(&out->signalled, &out->signalling);
	out->unanswered = realm->unanswered_packets;
	out->dscp =
		cast->has_dscp ? cast->dscp : s->conf->realm[party->realm].dscp;
	out->local = slot->local;
	out->port = slot->port;
}
