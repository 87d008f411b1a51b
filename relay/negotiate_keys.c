/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/negotiate_lines.h"

/* What it takes to plan one m= line. */
struct job {
	const struct sp_sdp_media *m;
	const struct sp_sdes_policy *sdes;
	struct sp_sdp_error *error;
	uint32_t index;
	uint8_t want; /* enum sp_transport of the policy, for an offer */
};

static enum sp_status
refuse(const struct job *job, enum sp_status status, const char *reason)
{
	*job->error = (struct sp_sdp_error){
		.line = job->m->line,
		.media = job->index + 1,
		.reason = reason,
	};
	return status;
}

static bool
has_crypto(const struct sp_sdp_media *m)
{
	return m->attrs >> SP_SDP_ATTR_CRYPTO & 1;
}

/* Is the protocol one of those between which we can bridge? */
static bool
is_bridged(uint8_t transport)
{
	return transport >= SP_TRANSPORT_RTP_AVP &&
		transport <= SP_TRANSPORT_RTP_SAVPF;
}

static bool
is_savp(uint8_t transport)
{
	return transport == SP_TRANSPORT_RTP_SAVP ||
		transport == SP_TRANSPORT_RTP_SAVPF;
}

static bool
has_feedback(uint8_t transport)
{
	return transport == SP_TRANSPORT_RTP_AVPF ||
		transport == SP_TRANSPORT_RTP_SAVPF;
}

static uint8_t
bridged(bool savp, bool feedback)
{
	if (savp)
		return feedback ? SP_TRANSPORT_RTP_SAVPF
				: SP_TRANSPORT_RTP_SAVP;
	return feedback ? SP_TRANSPORT_RTP_AVPF : SP_TRANSPORT_RTP_AVP;
}

bool
sp_negotiate_secure(enum sp_transport transport)
{
	return transport >= SP_TRANSPORT_RTP_SAVP &&
		transport <= SP_TRANSPORT_DTLS_SAVPF;
}

/* Which transports differ by feedback only, and need no other keys. */
static int
kind_of(uint8_t transport)
{
	if (transport == SP_TRANSPORT_ANY || transport == SP_TRANSPORT_OTHER)
		return 0;
	return 1 + (transport - SP_TRANSPORT_RTP_AVP) / 2;
}

/* The protocol for the receiver, if the policy asks for none of ours. */
static uint8_t
used_to(const struct sp_keys_before *before, uint8_t transport)
{
	const bool known = is_bridged(before->receiver);
	const bool changed = is_bridged(before->offerer) &&
		has_feedback(before->offerer) != has_feedback(transport);

	return bridged(is_savp(known ? before->receiver : transport),
		has_feedback(known && !changed ? before->receiver : transport));
}

/*
 * May what is beside RTP/AVP, ZRTP say, go from end to end? Not to who is to
 * get RTP/SAVP from us.
 */
static bool
stays_plain(const struct job *job, const struct sp_keys_before *before)
{
	const uint8_t transport = job->m->transport;
	const uint8_t to =
		is_bridged(job->want) ? job->want : used_to(before, transport);

	return !is_savp(to) && (!before->receiver_srtp || job->sdes->off);
}

/* The protocol of a line that is off: @want, if it could have been that. */
static uint8_t
unused(uint8_t want, uint8_t transport)
{
	const bool same_kind =
		kind_of(want) != 0 && kind_of(want) == kind_of(transport);

	return same_kind || (is_bridged(want) && is_bridged(transport))
		? want
		: transport;
}

/* How is the offerer's line keyed? Fills @out->said if by a=crypto. */
static enum sp_status
hear_offer(const struct job *job, const struct sp_keys_before *before,
	struct sp_plan_keys *out)
{
	const struct sp_sdp_media *m = job->m;
	const struct sp_sdes_policy *sdes = job->sdes;
	const bool osrtp = sdes->osrtp_accept || before->said;
	const bool passes = sdes->pass && !sdes->off && has_crypto(m);

	out->from = m->other_keys || passes ? SP_KEYING_END_TO_END
					    : SP_KEYING_CLEAR;
	if (!is_bridged(m->transport)) {
		if (m->secure)
			out->from = SP_KEYING_END_TO_END;
		return SP_OK;
	}
	/* Who is not to see a=crypto may still use what is beside it. */
	if (passes || (sdes->off && m->other_keys))
		return SP_OK;
	if ((is_savp(m->transport) || osrtp) &&
		sp_negotiate_lines_choose(m, sdes, before, &out->said))
		out->from = is_savp(m->transport) ? SP_KEYING_SDES
						  : SP_KEYING_OSRTP;
	else if (is_savp(m->transport) && !m->other_keys)
		return refuse(job, SP_UNSUPPORTED,
			"RTP/SAVP without a key that the relay can use: offer "
			"a=crypto with a suite that it knows");
	else if (!is_savp(m->transport) && !stays_plain(job, before))
		out->from = SP_KEYING_CLEAR;
	return SP_OK;
}

/* End to end, or a protocol that we know nothing of: it goes on as it came. */
static enum sp_status
pass_offer(const struct job *job, const struct sp_keys_before *before,
	struct sp_plan_media *plan, struct sp_plan_keys *out)
{
	const int kind = kind_of(plan->transport);
	const uint8_t want = job->want;

	out->to = out->from;
	if (want != SP_TRANSPORT_ANY) {
		if (kind != 0 && kind_of(want) == kind)
			plan->written = want;
		else
			plan->transport_refused = want != plan->transport;
	} else if (before->offerer == plan->transport && kind != 0 &&
		kind_of(before->receiver) == kind) {
		plan->written = before->receiver;
	}
	if ((before->offerer_srtp || before->receiver_srtp) &&
		!sp_negotiate_secure((enum sp_transport)plan->transport))
		return refuse(job, SP_FORBIDDEN,
			"the realm requires SRTP: offer RTP/SAVP with "
			"a=crypto");
	return SP_OK;
}

/* May the receiver be told RTP/SAVP, or RTP/AVP, as @plan->written says? */
static enum sp_status
check_written(const struct job *job, bool wished,
	const struct sp_keys_before *before, struct sp_plan_media *plan)
{
	const bool feedback = has_feedback(plan->written);

	if (before->receiver_srtp && !is_savp(plan->written)) {
		if (wished)
			return refuse(job, SP_FORBIDDEN,
				"the receiver's realm requires SRTP: ask for "
				"RTP/SAVP, or for no protocol");
		plan->written = bridged(true, feedback);
	}
	if (!is_savp(plan->written) || !job->sdes->off)
		return SP_OK;
	if (before->receiver_srtp || !wished || is_savp(plan->transport))
		return refuse(job, SP_UNSUPPORTED,
			"RTP/SAVP needs SDES, which the request turns off: "
			"there are no other keys of the relay's");
	plan->transport_refused = true;
	plan->written = plan->transport;
	return SP_OK;
}

/* Between RTP/AVP and RTP/SAVP either way. */
static enum sp_status
bridge_offer(const struct job *job, const struct sp_keys_before *before,
	struct sp_plan_media *plan, struct sp_plan_keys *out)
{
	const struct sp_sdes_policy *sdes = job->sdes;
	const uint8_t want = job->want;
	const bool wished = is_bridged(want);
	enum sp_status status;
	bool osrtp;

	if (before->offerer_srtp && out->from != SP_KEYING_SDES)
		return refuse(job, SP_FORBIDDEN,
			"the offerer's realm requires SRTP: offer RTP/SAVP");
	plan->transport_refused = want != SP_TRANSPORT_ANY && !wished;
	plan->written = wished ? want : used_to(before, plan->transport);
	status = check_written(job, wished, before, plan);
	if (status != SP_OK)
		return status;
	osrtp = sdes->osrtp_offer || before->receiver_osrtp;
	if (is_savp(plan->written))
		out->to = SP_KEYING_SDES;
	else
		out->to =
			osrtp && !sdes->off ? SP_KEYING_OSRTP : SP_KEYING_CLEAR;
	if (out->to == SP_KEYING_CLEAR)
		return SP_OK;
	sp_negotiate_lines_show(job->m, sdes, before, out);
	if (out->count == 0 && out->to == SP_KEYING_SDES)
		return refuse(job, SP_UNSUPPORTED,
			"the request leaves no SRTP suite to offer: allow one");
	if (out->count == 0)
		out->to = SP_KEYING_CLEAR;
	return SP_OK;
}

enum sp_status
sp_negotiate_keys_offer(const struct sp_sdp *sdp, unsigned int i,
	const struct sp_policy *policy, const struct sp_keys_before *before,
	struct sp_sdp_error *error, struct sp_plan_media *plan,
	struct sp_plan_keys *out)
{
	const struct job job = {
		&sdp->media[i],
		&policy->sdes,
		error,
		i,
		policy->transport,
	};
	enum sp_status status;

	*out = (struct sp_plan_keys){ .strip_crypto = true };
	if (plan->kind != SP_MEDIA_RTP)
		return SP_OK;
	if (!plan->accepted) {
		plan->written = unused(job.want, plan->transport);
		return SP_OK;
	}
	status = hear_offer(&job, before, out);
	if (status != SP_OK)
		return status;
	plan->secure = out->from == SP_KEYING_END_TO_END;
	if (plan->secure || !is_bridged(plan->transport)) {
		out->strip_crypto = !policy->sdes.pass || policy->sdes.off;
		return pass_offer(&job, before, plan, out);
	}
	out->strip_keys = out->from != SP_KEYING_CLEAR || job.m->other_keys;
	return bridge_offer(&job, before, plan, out);
}

/* How is the answerer's line keyed? Fills @out->said if by a=crypto. */
static enum sp_status
hear_answer(const struct job *job, const struct sp_keys_offered *offered,
	struct sp_plan_keys *out)
{
	const struct sp_sdp_media *m = job->m;
	const uint8_t sdes = 1u << SP_KEYING_SDES,
		      osrtp = 1u << SP_KEYING_OSRTP;
	const bool savp = is_savp(m->transport);
	const char *wrong = NULL;

	if (!is_bridged(m->transport) ||
		(savp && !(offered->kinds & (sdes | osrtp))))
		return refuse(job, SP_CONFLICT,
			"the answer's protocol is not the one offered");
	if (savp || offered->kinds & osrtp)
		wrong = sp_negotiate_lines_match(m, offered, &out->said);
	if (out->said.tag > 0) {
		out->from = savp ? SP_KEYING_SDES : SP_KEYING_OSRTP;
		return SP_OK;
	}
	if (wrong)
		return refuse(job, SP_CONFLICT, wrong);
	if (savp)
		return refuse(job, SP_CONFLICT,
			"the answer has no a=crypto that was offered");
	if (offered->kinds & sdes && !(offered->kinds & ~sdes))
		return refuse(job, SP_CONFLICT,
			"RTP/SAVP was offered, and the answer is in the clear");
	if (offered->answerer_srtp)
		return refuse(job, SP_FORBIDDEN,
			"the answerer's realm requires SRTP, and the answer is "
			"in the clear");
	return SP_OK;
}

/* End to end, or a protocol that we know nothing of. */
static enum sp_status
pass_answer(const struct job *job, const struct sp_keys_offered *offered,
	struct sp_plan_media *plan, struct sp_plan_keys *out)
{
	const uint8_t transport = job->m->transport;
	const int kind = kind_of(transport);
	const bool srtp = offered->offerer_srtp || offered->answerer_srtp;

	/* Only who was offered a=crypto answers with it. */
	out->strip_crypto = !offered->end_to_end || job->sdes->off ||
		!is_bridged(transport);
	out->from = out->to =
		offered->end_to_end ? SP_KEYING_END_TO_END : SP_KEYING_CLEAR;
	plan->secure = offered->end_to_end && job->m->secure;
	if (kind != 0 && kind == kind_of(offered->transport))
		plan->written = offered->transport;
	else
		plan->transport_refused = transport != offered->transport;
	if (srtp && !sp_negotiate_secure((enum sp_transport)transport))
		return refuse(job, SP_FORBIDDEN,
			"the realm requires SRTP, and the answer is in the "
			"clear");
	return SP_OK;
}

enum sp_status
sp_negotiate_keys_answer(const struct sp_sdp *sdp, unsigned int i,
	const struct sp_policy *policy, const struct sp_keys_offered *offered,
	struct sp_sdp_error *error, struct sp_plan_media *plan,
	struct sp_plan_keys *out)
{
	const struct sp_sdp_media *m = &sdp->media[i];
	const struct job job = { m, &policy->sdes, error, i, SP_TRANSPORT_ANY };
	enum sp_status status;

	*out = (struct sp_plan_keys){ .strip_crypto = true };
	if (plan->kind != SP_MEDIA_RTP)
		return SP_OK;
	if (!plan->accepted) {
		plan->written = unused(offered->transport, plan->transport);
		return SP_OK;
	}
	if (offered->end_to_end || !is_bridged(offered->transport))
		return pass_answer(&job, offered, plan, out);
	status = hear_answer(&job, offered, out);
	if (status != SP_OK)
		return status;
	if (offered->offerer_srtp && !offered->said)
		return refuse(&job, SP_FORBIDDEN,
			"the offerer's realm requires SRTP, and its offer was "
			"in the clear");
	plan->written = offered->transport;
	/* What comes in ZRTP's way between two in the clear is their own. */
	plan->secure =
		m->other_keys && !offered->said && out->from == SP_KEYING_CLEAR;
	out->strip_keys = m->other_keys && !plan->secure;
	if (!offered->said)
		return SP_OK;
	out->to =
		is_savp(offered->transport) ? SP_KEYING_SDES : SP_KEYING_OSRTP;
	sp_negotiate_lines_reply(&policy->sdes, offered, out);
	return SP_OK;
}
