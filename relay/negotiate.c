/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/negotiate.h"

#include <limits.h>
#include <string.h>

#include "relay/negotiate_keys.h"
#include "relay/sdp_text.h"

#define DISCARD_PORT 9

/* What both kinds of plan need on their way through the m= lines. */
struct job {
	const struct sp_sdp *sdp;
	const struct sp_policy *policy;
	const struct sp_negotiate_own *own;
	struct sp_sdp_error *error;
};

/* IPv4 that travels inside IPv6 is that IPv4 address, when we look for ours. */
static struct sp_addr
unwrap(const struct sp_addr *a)
{
	static const uint8_t prefix[][12] = {
		{ [10] = 0xff, [11] = 0xff },           /* mapped */
		{ 0 },                                  /* compatible */
		{ [1] = 0x64, [2] = 0xff, [3] = 0x9b }, /* NAT64 */
	};

	if (a->family != SP_FAMILY_IP6)
		return *a;
	if (a->ip[0] == 0x20 && a->ip[1] == 0x02) /* 6to4 */
		return sp_addr_ip4(a->ip + 2, a->port);
	for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++) {
		if (memcmp(a->ip, prefix[i], sizeof prefix[i]) == 0)
			return sp_addr_ip4(a->ip + sizeof prefix[i], a->port);
	}
	return *a;
}

static bool
is_own(const struct sp_negotiate_own *own, const struct sp_addr *target)
{
	const struct sp_addr real = unwrap(target);

	for (size_t i = 0; i < own->count; i++) {
		const struct sp_addr ours = unwrap(&own->addr[i]);

		if (sp_addr_same_ip(&real, &ours))
			return true;
	}
	return false;
}

/* May media go to @target? Zero addresses and missing ones get none. */
static enum sp_status
check_target(
	const struct job *job, uint32_t index, const struct sp_addr *target)
{
	const char *reason = NULL;

	if (target->family == SP_FAMILY_NONE)
		return SP_OK;
	if (sp_addr_scope(target) == SP_ADDR_FORBIDDEN)
		reason = "media address is loopback, multicast, link-local or "
			 "reserved: send one that can be reached";
	else if (is_own(job->own, target))
		reason = "media address is the relay's own: the SDP has been "
			 "through this relay before";
	if (!reason)
		return SP_OK;
	*job->error = (struct sp_sdp_error){
		.line = job->sdp->media[index].line,
		.media = index + 1,
		.reason = reason,
	};
	return SP_FORBIDDEN;
}

static bool
has(const struct sp_sdp_media *m, enum sp_sdp_attr attr)
{
	return m->attrs >> attr & 1;
}

/* Where @m wants its RTCP while nobody muxes; NONE: nowhere. */
static struct sp_addr
rtcp_target(const struct sp_sdp_media *m)
{
	struct sp_addr rtcp = m->addr;

	if (!has(m, SP_SDP_ATTR_RTCP))
		rtcp.port++; /* 65535 has no next one: 0 */
	else if (m->rtcp.family != SP_FAMILY_NONE)
		rtcp = m->rtcp;
	else
		rtcp.port = m->rtcp.port;
	if (rtcp.port == 0 || sp_addr_scope(&rtcp) == SP_ADDR_UNSPECIFIED)
		return (struct sp_addr){ .family = SP_FAMILY_NONE };
	return rtcp;
}

static void
plan_codecs(const struct job *job, const struct sp_sdp_media *m, bool offer,
	struct sp_plan_media *out)
{
	const struct sp_policy *policy = job->policy;
	struct sp_sdp_codecs codecs;

	if (policy->n_codec > 0 && m->kind == SP_MEDIA_RTP && out->accepted)
		out->codecs_refused =
			sp_sdp_codecs_choose(m, policy->codec, policy->n_codec,
				offer, &codecs) == SP_CODECS_REFUSED;
}

/* @addr with its port, but at the address that the policy has instead. */
static struct sp_addr
relocate(const struct sp_addr *instead, struct sp_addr addr)
{
	const uint16_t port = addr.port;

	if (addr.family == SP_FAMILY_NONE ||
		instead->family == SP_FAMILY_NONE ||
		sp_addr_scope(instead) == SP_ADDR_UNSPECIFIED)
		return addr;
	addr = *instead;
	addr.port = port;
	return addr;
}

/*
 * Is the zero address just not known yet? Trickle ICE begins with it and the
 * discard port (RFC 8840 section 4.1.1): that is no hold.
 */
static bool
will_trickle(const struct sp_sdp *sdp, const struct sp_sdp_media *m)
{
	return m->addr.port == DISCARD_PORT &&
		(m->attrs | sdp->attrs) >> SP_SDP_ATTR_ICE & 1;
}

/* What offers and answers have in common. */
static enum sp_status
plan_media(const struct job *job, uint32_t index, bool live,
	struct sp_plan_media *out)
{
	const struct sp_sdp_media *m = &job->sdp->media[index];
	const struct sp_addr *endpoint = &job->policy->endpoint;
	enum sp_status status;

	*out = (struct sp_plan_media){
		.payload_types = { m->payload_types[0], m->payload_types[1] },
		.dtmf_types = m->dtmf_types,
		.clock_hz = m->clock_hz,
		.ptime_ms = m->ptime_ms,
		.family = relocate(endpoint, m->addr).family,
		.transport = m->transport,
		.written = m->transport,
		.kind = m->kind,
		.direction = m->direction,
		.accepted =
			live && m->addr.port > 0 && m->kind != SP_MEDIA_OTHER,
		.secure = m->secure,
	};
	memcpy(out->quiet, m->quiet, sizeof out->quiet);
	if (!out->accepted)
		return SP_OK;
	if (sp_addr_scope(&m->addr) == SP_ADDR_UNSPECIFIED) {
		out->hold_by_zero = !will_trickle(job->sdp, m);
		if (out->hold_by_zero)
			out->direction &= SP_SDP_SENDONLY;
		return SP_OK;
	}

	out->rtp = relocate(endpoint, m->addr);
	if (m->kind == SP_MEDIA_RTP)
		out->rtcp = relocate(endpoint, rtcp_target(m));
	status = check_target(job, index, &out->rtp);
	if (status == SP_OK)
		status = check_target(job, index, &out->rtcp);
	return status;
}

/* RFC 5761: who muxes is agreed hop by hop, here within what policy says. */
static void
offer_mux(const struct sp_sdp_media *m, const struct sp_policy *policy,
	struct sp_plan_media *out)
{
	const uint8_t want = policy->rtcp_mux;
	const bool asked = has(m, SP_SDP_ATTR_RTCP_MUX);
	const bool rtp = out->accepted && out->kind == SP_MEDIA_RTP;

	if (want & (SP_RTCP_MUX_OFFER | SP_RTCP_MUX_REQUIRE))
		out->mux_written = rtp;
	else if (!(want & SP_RTCP_MUX_DEMUX))
		out->mux_written = rtp && asked;
	out->rtcp_written = rtp && !policy->no_rtcp_attribute &&
		!(want & SP_RTCP_MUX_REQUIRE);

	if (out->mux_written)
		out->offered |= SP_OFFERED_MUX_WRITTEN;
	if (!rtp || !asked || want & SP_RTCP_MUX_REJECT)
		return;
	out->offered |= SP_OFFERED_MUX_ASKED;
	if (want & (SP_RTCP_MUX_DEMUX | SP_RTCP_MUX_ACCEPT))
		out->offered |= SP_OFFERED_MUX_YES;
}

/* The rest of what the answer must know. */
static void
note_offer(const struct sp_sdp_media *m, const struct sp_policy *policy,
	struct sp_plan_media *out)
{
	if (m->addr.port > 0)
		out->offered |= SP_OFFERED_LIVE;
	if (policy->generate_mid && !has(m, SP_SDP_ATTR_MID))
		out->offered |= SP_OFFERED_MID_OURS;
	out->offered |= (uint8_t)(m->transport * SP_OFFERED_TRANSPORT);
}

static void
answer_mux(const struct sp_sdp_media *m, const struct sp_policy *policy,
	uint8_t offered, struct sp_plan_media *out)
{
	if (!out->accepted || out->kind != SP_MEDIA_RTP)
		return;
	out->mux = has(m, SP_SDP_ATTR_RTCP_MUX) &&
		offered & SP_OFFERED_MUX_WRITTEN;
	if (out->mux)
		out->rtcp = out->rtp;
	if (offered & SP_OFFERED_MUX_ASKED)
		out->mux_written = out->mux || offered & SP_OFFERED_MUX_YES;
	out->rtcp_written = !policy->no_rtcp_attribute;
}

/* The family that the SDP at hand uses for what is relayed. */
static uint8_t
own_family(const struct sp_sdp *sdp, const struct sp_plan *plan)
{
	for (unsigned int i = 0; i < sdp->media_count; i++) {
		if (plan->media[i].accepted)
			return plan->media[i].family;
	}
	return sdp->addr.family ? sdp->addr.family : SP_FAMILY_IP4;
}

/* @offered is NULL for an offer. */
static enum sp_status
plan_all(const struct job *job, const uint8_t *offered, struct sp_plan *plan)
{
	const struct sp_sdp *sdp = job->sdp;
	const struct sp_policy *policy = job->policy;

	plan->media_count = sdp->media_count;
	plan->answer = offered != NULL;
	for (unsigned int i = 0; i < sdp->media_count; i++) {
		const struct sp_sdp_media *m = &sdp->media[i];
		struct sp_plan_media *out = &plan->media[i];
		const bool live = !offered || offered[i] & SP_OFFERED_LIVE;
		const enum sp_status status = plan_media(job, i, live, out);

		if (status != SP_OK)
			return status;
		plan_codecs(job, m, !offered, out);
		if (offered) {
			answer_mux(m, policy, offered[i], out);
			out->mid_ours = offered[i] & SP_OFFERED_MID_OURS;
		} else {
			offer_mux(m, policy, out);
			note_offer(m, policy, out);
		}
	}
	plan->family = policy->address_family;
	if (plan->family == SP_FAMILY_NONE)
		plan->family = own_family(sdp, plan);
	return SP_OK;
}

static void
hand_out(const struct sp_plan *plan, struct sp_plan *out)
{
	memcpy(out, plan,
		offsetof(struct sp_plan, media) +
			plan->media_count * sizeof plan->media[0]);
}

enum sp_status
sp_negotiate_offer(const struct sp_sdp *sdp, const struct sp_policy *policy,
	const struct sp_negotiate_own *own, struct sp_sdp_error *error,
	struct sp_plan *out)
{
	const struct job job = { sdp, policy, own, error };
	struct sp_plan plan;
	const enum sp_status status = plan_all(&job, NULL, &plan);

	if (status == SP_OK)
		hand_out(&plan, out);
	return status;
}

enum sp_status
sp_negotiate_answer(const struct sp_sdp *sdp, const struct sp_policy *policy,
	const struct sp_negotiate_own *own, const uint8_t *offered,
	size_t offered_count, struct sp_sdp_error *error, struct sp_plan *out)
{
	static const uint8_t none[1];
	const struct job job = { sdp, policy, own, error };
	struct sp_plan plan;
	enum sp_status status;

	if (sdp->media_count > offered_count) {
		*error = (struct sp_sdp_error){
			.line = sdp->media[offered_count].line,
			.media = (uint32_t)offered_count + 1,
			.reason = "the answer has more m= lines than the offer",
		};
		return SP_CONFLICT;
	}
	status = plan_all(&job, offered ? offered : none, &plan);
	if (status == SP_OK)
		hand_out(&plan, out);
	return status;
}

void
sp_negotiate_keep(const struct sp_policy *policy,
	const struct sp_negotiate_before *before, struct sp_plan_media *plan)
{
	if (!plan->accepted || plan->kind != SP_MEDIA_RTP)
		return;
	/* A browser takes neither offer nor answer without it. */
	if (before->receiver_mux && !(policy->rtcp_mux & SP_RTCP_MUX_DEMUX)) {
		plan->mux_written = true;
		plan->offered |= SP_OFFERED_MUX_WRITTEN;
	}
	if (before->offerer_mux && plan->offered & SP_OFFERED_MUX_ASKED)
		plan->offered |= SP_OFFERED_MUX_YES;
}

static struct sp_addr
zero_address(uint8_t family, uint16_t port)
{
	static const uint8_t zero[16];

	return family == SP_FAMILY_IP6 ? sp_addr_ip6(zero, port)
				       : sp_addr_ip4(zero, port);
}

/* A number for a=mid that no other m= line has, and always the same. */
static uint16_t
new_mid(const struct sp_sdp *sdp, unsigned int index)
{
	uint32_t mid = index + 1, other = 0;

	for (unsigned int i = 0; i < sdp->media_count; i++) {
		if (!sp_sdp_text_number(
			    sdp->media[i].mid, UINT16_MAX, &other) ||
			other != mid)
			continue;
		mid += SP_SDP_MEDIA_MAX;
		i = UINT_MAX; /* from the beginning */
	}
	return (uint16_t)mid;
}

static void
edit_media(const struct sp_sdp *sdp, const struct sp_plan *plan,
	const struct sp_policy *policy, const struct sp_addr *local,
	unsigned int i, struct sp_sdp_edit_media *out)
{
	const struct sp_plan_media *p = &plan->media[i];
	const bool keep_zero = !(policy->replace & SP_REPLACE_ZERO_ADDRESS);

	if (p->written != p->transport)
		out->proto = sp_sdp_transport((enum sp_transport)p->written);
	out->codecs = policy->n_codec > 0 && p->kind == SP_MEDIA_RTP;
	out->strip_mid = plan->answer && p->mid_ours;
	if (!plan->answer && p->offered & SP_OFFERED_MID_OURS)
		out->mid = new_mid(sdp, i);
	if (!p->accepted)
		return;
	out->addr = relocate(&policy->advertised, *local);
	if (p->hold_by_zero && keep_zero)
		out->addr = zero_address(out->addr.family, local->port);
	if (p->kind == SP_MEDIA_RTP && !policy->keep_direction)
		out->direction = p->direction;
	out->rtcp_mux = p->mux_written;
	if (p->rtcp_written) /* one port, once mux is agreed */
		out->rtcp_port = (uint16_t)(local->port +
			!(plan->answer && p->mux_written));
}

/* Which keys the other party sees; @keys is the same m= line's, or NULL. */
static void
edit_keys(const struct sp_plan_keys *keys, struct sp_sdp_edit_media *out)
{
	if (!keys)
		return;
	out->strip_crypto = keys->strip_crypto;
	out->strip_keys = keys->strip_keys;
	out->n_crypto = keys->count;
	out->crypto = keys->line;
}

/* What is told of the session, as far as the policy wants it. */
static void
edit_session(const struct sp_policy *policy,
	const struct sp_negotiate_told *told, struct sp_sdp_edit *out)
{
	const struct sp_sdp_text none = { NULL, 0 };
	const uint8_t replace = policy->replace;

	out->origin = replace & SP_REPLACE_ORIGIN;
	out->username = replace & SP_REPLACE_USERNAME ? told->username : none;
	out->name =
		replace & SP_REPLACE_SESSION_NAME ? told->session_name : none;
	out->version = replace & SP_REPLACE_SDP_VERSION ? told->version : 0;
	out->loop = told->loop;
}

void
sp_negotiate_edit(const struct sp_sdp *sdp, const struct sp_plan *plan,
	const struct sp_policy *policy, const struct sp_plan_keys *keys,
	const struct sp_negotiate_told *told, const struct sp_addr *session,
	const struct sp_addr *local, struct sp_sdp_edit *out)
{
	bool relayed = sdp->media_count == 0;

	out->addr = relocate(&policy->advertised, *session);
	out->addr.port = 0;
	edit_session(policy, told, out);
	for (unsigned int i = 0; i < sdp->media_count; i++) {
		const struct sp_sdp_media *m = &sdp->media[i];
		struct sp_sdp_edit_media *e = &out->media[i];

		*e = (struct sp_sdp_edit_media){
			.addr = out->addr,
			.direction = SP_SDP_KEEP_DIRECTION,
			.keep = m->kind == SP_MEDIA_OTHER && m->addr.port > 0,
		};
		relayed |= !e->keep;
		if (e->keep)
			continue;
		edit_media(sdp, plan, policy, &local[i], i, e);
		edit_keys(keys ? &keys[i] : NULL, e);
	}
	out->offer = !plan->answer;
	out->full_rtcp = policy->full_rtcp_attribute;
	out->strip_addresses = out->strip_bundle = relayed;
	out->strip_ice = relayed && !policy->keep_ice;
	out->strip_extmap = policy->strip_extmap;
	out->n_codec = policy->n_codec;
	out->codec = policy->codec;
	out->n_attr = policy->n_attr;
	out->attr = policy->attr;
}
