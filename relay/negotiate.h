/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_NEGOTIATE_H
#define SP_RELAY_NEGOTIATE_H

#include "relay/order.h"
#include "relay/sdes.h"
#include "relay/sdp_edit.h"

/*
 * Offer or answer, plus a policy, makes a plan: what each m= line asks of a
 * relay and what the other party shall be told. Knows nothing of calls, ports
 * or realms. "This party" is whoever wrote the SDP at hand.
 *
 * ICE and BUNDLE are removed from what is relayed: candidates beside a
 * rewritten c= would lead around the relay, and each m= line has a port. So
 * are a=altc (RFC 6947), a=ccap (RFC 7006), a=alt and a=source-filter
 * (RFC 4570), which name the party's own addresses, and capability
 * negotiation (RFC 5939, 6871, 7006: a=acap, tcap, pcfg, acfg, lcfg, csup,
 * creq, rmcap, omcap, mfcap, mscap, sescap, bcap, icap): it offers keys and
 * protocols that are the other side's, and would be agreed upon past us.
 *
 * The protocol of an m= line and its keys are negotiate_keys.h's: here they
 * are planned as they come.
 */

/* What is done about a=rtcp-mux; none set: the parties decide (RFC 5761). */
enum sp_policy_rtcp_mux {
	SP_RTCP_MUX_OFFER = 1,   /* offer it, asked or not */
	SP_RTCP_MUX_REQUIRE = 2, /* offer it, and no separate RTCP port */
	SP_RTCP_MUX_DEMUX = 4,   /* do not offer it on; accept it oneself */
	SP_RTCP_MUX_ACCEPT = 8,  /* offer it on; accept it in any case */
	SP_RTCP_MUX_REJECT = 16, /* offer it on; tell the offerer no */
};

/* What else is replaced; c= and a=rtcp always are. */
enum sp_policy_replace {
	SP_REPLACE_ORIGIN = 1,       /* the address in o= */
	SP_REPLACE_ZERO_ADDRESS = 2, /* c=0.0.0.0 too: no old-style hold */
	SP_REPLACE_USERNAME = 4,     /* of o=: stays as it was first sent */
	SP_REPLACE_SESSION_NAME = 8, /* s=: the same */
	SP_REPLACE_SDP_VERSION = 16, /* of o=: ours, grows with each change */
};

struct sp_plan_keys; /* negotiate_keys.h */

/* The request's wishes. All zero is the default. */
struct sp_policy {
	uint8_t rtcp_mux;         /* enum sp_policy_rtcp_mux, of an offer */
	uint8_t replace;          /* enum sp_policy_replace */
	uint8_t address_family;   /* enum sp_family for the receiver; 0: any */
	uint8_t transport;        /* enum sp_transport, of an offer */
	bool no_rtcp_attribute;   /* never write a=rtcp */
	bool full_rtcp_attribute; /* a=rtcp:PORT IN IP4 ADDRESS */
	bool keep_direction; /* leave a=sendrecv and its kin as they came */
	bool keep_ice;       /* pass ICE through as it is */
	bool generate_mid;   /* add a=mid to an offer's lines without one */
	bool strip_extmap;   /* remove a=extmap */
	uint8_t n_codec;
	uint8_t n_attr;
	struct sp_sdes_policy sdes;
	struct sp_addr endpoint;   /* instead of the addresses in the SDP, whose
				      ports stay; NONE or zero: these */
	struct sp_addr advertised; /* written instead of our addresses, as a
				      NAT before us has it; the same */
	struct sp_codec_wish codec[SP_CODECS_MAX];
	struct sp_attr_wish attr[SP_ATTRS_MAX];
};

/* Addresses that SDP may not name: ours. Borrowed; ports do not count. */
struct sp_negotiate_own {
	const struct sp_addr *addr;
	size_t count;
};

/* What an answer must know of the offer; a byte an m= line. */
enum sp_offered {
	SP_OFFERED_LIVE = 1,        /* the port was not 0 */
	SP_OFFERED_MUX_ASKED = 2,   /* the offerer may get mux */
	SP_OFFERED_MUX_WRITTEN = 4, /* and the answerer was proposed it */
	SP_OFFERED_MUX_YES = 8,     /* the offerer gets mux in any case */
	SP_OFFERED_MID_OURS = 16,   /* its a=mid is ours: not for the offerer */
	SP_OFFERED_TRANSPORT = 32,  /* times enum sp_transport of the offer */
};

/* One m= line of this party. */
struct sp_plan_media {
	struct sp_addr rtp;  /* where it listens; NONE: nowhere, for now */
	struct sp_addr rtcp; /* same for RTCP; equals @rtp when muxed */
	/* Codecs are those of the SDP as it came: what the receiver is not
	   told of, it will not send, but this party may still send it. */
	uint64_t payload_types[SP_SDP_PAYLOAD_TYPES / 64];
	uint64_t dtmf_types; /* bit (pt & 63) for telephone-event's */
	uint32_t clock_hz;   /* 0: not known */
	uint16_t ptime_ms;   /* 0: not said */
	uint8_t quiet[SP_QUIET_CODECS]; /* payload types, or QUIET_NONE */
	uint8_t transport; /* enum sp_transport of this SDP's m= line */
	uint8_t written;   /* and for the other party */
	uint8_t family;    /* enum sp_family of the party's media: where
			      sp_policy.endpoint is, or else c= */
	uint8_t kind;      /* enum sp_media_kind */
	uint8_t direction; /* bit 0: it may send, bit 1: it may be sent to */
	uint8_t offered;   /* of an offer: keep it for the answer */
	bool accepted;     /* ports are needed (never for MEDIA_OTHER) */
	bool secure;       /* relay as it is, after the source check */
	bool mux;          /* this party muxes from now on (answers only) */
	bool mux_written;  /* a=rtcp-mux for the other party; of an answer:
			      the offerer muxes from now on */
	bool rtcp_written; /* a=rtcp for the other party */
	bool mid_ours;     /* of an answer: the offerer gets no a=mid */
	bool hold_by_zero; /* c= was 0.0.0.0 or ::, and not for trickle ICE */
	bool transport_refused; /* another one would need keys: not done */
	bool codecs_refused;    /* the policy would leave none: not done */
};

struct sp_plan {
	uint8_t media_count;
	uint8_t family; /* enum sp_family to write: the policy's, or this
			   party's own where the receiver's is not known */
	bool answer;
	struct sp_plan_media media[SP_SDP_MEDIA_MAX];
};

/*
 * Plan an offer. sp_policy.generate_mid is for offers only: an answer goes
 * back with the mids that were.
 *
 * Core:  control.
 * Fails: SP_FORBIDDEN if an m= line that would be relayed, or its a=rtcp,
 *        names an address of SECURITY's list or one of @own, however it is
 *        wrapped into IPv6, or if sp_policy.endpoint is one; @error says in
 *        which m= line, @out is untouched.
 * Spec:  RFC 3264 section 5, RFC 3605, RFC 5761 section 5.1.1; SEC-9.
 */
enum sp_status sp_negotiate_offer(const struct sp_sdp *sdp,
	const struct sp_policy *policy, const struct sp_negotiate_own *own,
	struct sp_sdp_error *error, struct sp_plan *out) SP_MUST_CHECK;

/*
 * Plan an answer to the offer whose plan had these @offered bytes, one for
 * each of its @offered_count m= lines. Fewer m= lines than offered are
 * accepted: the missing ones are refused. A line refused in the offer stays
 * refused.
 *
 * Core:  control.
 * Fails: as sp_negotiate_offer; SP_CONFLICT for more m= lines than offered.
 * Spec:  RFC 3264 section 6, RFC 5761 section 5.1.1.
 */
enum sp_status sp_negotiate_answer(const struct sp_sdp *sdp,
	const struct sp_policy *policy, const struct sp_negotiate_own *own,
	const uint8_t *offered, size_t offered_count,
	struct sp_sdp_error *error, struct sp_plan *out) SP_MUST_CHECK;

/* Who has agreed to mux an m= line when it is offered again. */
struct sp_negotiate_before {
	bool offerer_mux;
	bool receiver_mux;
};

/*
 * Change @plan of an offer's m= line to go on as @before, where @policy does
 * not say otherwise: who muxes may do so again.
 */
void sp_negotiate_keep(const struct sp_policy *policy,
	const struct sp_negotiate_before *before, struct sp_plan_media *plan);

/*
 * What the receiver is told by sp_policy.replace: sp_sdp's username and name
 * of the first SDP that it got, and a version. All zero: as they come.
 */
struct sp_negotiate_told {
	struct sp_sdp_text username;     /* of o= */
	struct sp_sdp_text session_name; /* of s= */
	uint64_t version;                /* of o= */
	struct sp_sdp_text loop; /* a=rtpengine:@loop is added; or empty */
};

/*
 * Turn @plan, which was made from @sdp, into the edit for the other party.
 * @session is our address as it is advertised there; @local[i] is m= line i's
 * advertised address and RTP port, with RTCP on the next port (or the same,
 * once mux is agreed). @keys[i] are its keys; NULL leaves keys as they came.
 * @local of lines that are not accepted is not read.
 *
 * Owns: @out borrows the texts of all the others.
 */
void sp_negotiate_edit(const struct sp_sdp *sdp, const struct sp_plan *plan,
	const struct sp_policy *policy, const struct sp_plan_keys *keys,
	const struct sp_negotiate_told *told, const struct sp_addr *session,
	const struct sp_addr *local, struct sp_sdp_edit *out);

#endif
