/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_LATCH_H
#define SP_RELAY_LATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/addr.h"
#include "relay/rtp.h"

/*
 * Whom a leg talks to, learnt from its packets (RFC 7362, SECURITY 3.2).
 * Ask before a packet is authenticated, commit after: a forged datagram must
 * never move a call. Pure: the time is the caller's, in ms that may wrap.
 *
 * Core: worker (the owner of the flow); nobody else looks.
 */

/* Which sources may ever be believed. */
enum sp_latch_policy {
	SP_LATCH_SIGNALLED,  /* only the exact address of the SDP */
	SP_LATCH_ASYMMETRIC, /* as below, but we send to the SDP's alone */
	SP_LATCH_RESTRICTED, /* also its other ports, and the SIP source's IP */
	SP_LATCH_ANY,        /* anybody: insecure, never a default */
	SP_LATCH_HANDOVER,   /* whoever came last, too: even less secure */
	SP_LATCH_AUTH,       /* RESTRICTED, and who has the leg's SRTP keys */
};

/* What speaks for a source; a higher class wins. */
enum sp_latch_class {
	SP_LATCH_NOBODY,     /* not eligible under the policy */
	SP_LATCH_STRANGER,   /* nothing does; eligible under ANY, HANDOVER */
	SP_LATCH_SIP_SOURCE, /* the IP that the signalling came from */
	SP_LATCH_SAME_IP,    /* the SDP's IP, another port */
	SP_LATCH_EXACT,      /* the SDP's IP and port */
	SP_LATCH_AUTHENTIC,  /* its SRTP is, under the leg's keys */
};

enum sp_latch_state {
	SP_LATCH_EMPTY, /* nobody has proved itself */
	SP_LATCH_HELD,  /* @remote has */
};

/* What to do with a packet, and what it changed. */
enum sp_latch_answer {
	SP_LATCH_PASS,  /* from the leg's source: forward */
	SP_LATCH_NEW,   /* its source is the leg's from now on: forward */
	SP_LATCH_WAIT,  /* on probation: hold it */
	SP_LATCH_RIVAL, /* passed probation, but the place is taken: drop */
	SP_LATCH_DENY,  /* not the leg's source: drop */
};

#define SP_LATCH_PROBATION 3u           /* packets in a row before we believe */
#define SP_LATCH_SILENCE_MS 2000u       /* a source so silent can be replaced */
#define SP_LATCH_RTCP_SILENCE_MS 12000u /* RTCP's: it comes each 5 s or so */
#define SP_LATCH_GRACE_MS 5000u         /* of the old source after a new SDP */
#define SP_LATCH_GAP_MS 1500u           /* so silent, a candidate has gone */
#define SP_LATCH_AUTH_MS 200u           /* so silent, an authentic one is */
#define SP_LATCH_CANDIDATES 2u

/* Who holds a leg. Compared with every packet. */
struct sp_latch {
	struct sp_addr remote; /* valid when HELD */
	uint8_t state;         /* enum sp_latch_state */
	uint8_t class;         /* of @remote */
	uint8_t policy;        /* enum sp_latch_policy */
	uint8_t renewing;      /* the SDP changed: @remote is on its way out */
};

/* What signalling said of a leg. Looked at for sources not yet believed. */
struct sp_latch_facts {
	struct sp_addr signalled; /* c= and m=, or a=rtcp; NONE: unknown */
	uint8_t sip_ip[16];       /* laid out as in struct sp_addr */
	uint32_t renewed_ms;      /* when @renewing began */
	uint16_t min_spread_ms;   /* probation lasts at least so long */
	uint8_t sip_family;       /* enum sp_family; NONE: not told */
};

/* Sources on probation. Zeroed: none. */
struct sp_latch_trial {
	struct sp_latch_candidate {
		struct sp_addr from; /* family NONE: free */
		uint32_t ssrc;
		uint32_t first_ms;
		uint32_t last_ms;
		uint16_t seq;   /* of its last packet */
		uint8_t in_row; /* consecutive packets */
		uint8_t class;
	} candidate[SP_LATCH_CANDIDATES];
};

/* The stream that runs on a held leg: lets a NAT's new port continue it. */
struct sp_latch_stream {
	uint32_t ssrc;
	uint32_t seen_ms; /* last packet from the held source */
	uint16_t seq;
	bool rtp; /* false: no RTP seen, @ssrc and @seq mean nothing */
};

/* Is any source on probation? */
static inline bool
sp_latch_tries(const struct sp_latch_trial *trial)
{
	for (unsigned int i = 0; i < SP_LATCH_CANDIDATES; i++)
		if (trial->candidate[i].from.family != SP_FAMILY_NONE)
			return true;
	return false;
}

/* What speaks for @from but its keys? Changes nothing. */
enum sp_latch_class sp_latch_class(const struct sp_latch *latch,
	const struct sp_latch_facts *facts, const struct sp_addr *from);

/* Does @from hold the leg? The fast answer for nearly every packet. */
static inline bool
sp_latch_holds(const struct sp_latch *latch, const struct sp_addr *from)
{
	return latch->state == SP_LATCH_HELD && !latch->renewing &&
		sp_addr_equal(&latch->remote, from);
}

/*
 * Is nothing known of the leg: nobody held it, nothing was signalled? So it is
 * between an offer and its answer, for the party that is to answer.
 */
static inline bool
sp_latch_is_blank(
	const struct sp_latch *latch, const struct sp_latch_facts *facts)
{
	return latch->state == SP_LATCH_EMPTY &&
		facts->signalled.family == SP_FAMILY_NONE &&
		facts->sip_family == SP_FAMILY_NONE;
}

/*
 * May @from speak or apply here, once it is authentic? So under AUTH all may
 * that can be sent to. Changes nothing.
 */
bool sp_latch_allows(const struct sp_latch *latch,
	const struct sp_latch_facts *facts, const struct sp_addr *from);

/*
 * End the grace of a source that a new SDP did not speak for, once it is
 * over: ask before every commit, and when sending to it. It stays if it is
 * still eligible and still speaks: it was heard last at @seen_ms. Returns
 * whether anything changed.
 */
bool sp_latch_expire(struct sp_latch *latch, const struct sp_latch_facts *facts,
	uint32_t seen_ms, uint32_t now_ms);

/*
 * A valid media packet of @from arrived; @rtp is NULL for media that is not
 * RTP. Decide what it proves.
 */
enum sp_latch_answer sp_latch_commit(struct sp_latch *latch,
	const struct sp_latch_facts *facts, struct sp_latch_trial *trial,
	const struct sp_latch_stream *running, const struct sp_addr *from,
	const struct sp_rtp *rtp, uint32_t now_ms);

/*
 * An authentic packet of @from arrived, @newest if no later one of its stream
 * came before; somebody last passed at @seen_ms. It needs no probation: it
 * passes from wherever the policy allows, and the first one holds the leg.
 * The holder loses it, and what we send, to SP_LATCH_PROBATION newest packets
 * of another source while it is silent for SP_LATCH_AUTH_MS: copies that win
 * a race now and then move nothing. Spec: RFC 7362 section 5.
 */
enum sp_latch_answer sp_latch_commit_authentic(struct sp_latch *latch,
	const struct sp_latch_facts *facts, struct sp_latch_trial *trial,
	uint32_t seen_ms, const struct sp_addr *from, bool newest,
	uint32_t now_ms);

/*
 * A valid RTCP packet of @from arrived on the leg's own RTCP port. RTCP
 * follows the RTP latch @rtp of the leg: never another IP than that.
 */
enum sp_latch_answer sp_latch_commit_rtcp(struct sp_latch *latch,
	const struct sp_latch_facts *facts, const struct sp_latch *rtp,
	uint32_t seen_ms, const struct sp_addr *from, uint32_t now_ms);

/*
 * Take over what signalling says now. Only a changed address re-opens
 * learning: the held source is then heard until another proves itself, at
 * most SP_LATCH_GRACE_MS. Returns whether anything was re-opened.
 */
bool sp_latch_signal(struct sp_latch *latch, struct sp_latch_facts *facts,
	const struct sp_addr *signalled, const struct sp_addr *sip,
	uint32_t now_ms);

/*
 * Where to send to. Returns false when that is not known: nothing signalled
 * and nobody latched. @rtp is NULL but for an RTCP port of its own, which
 * goes nowhere while RTP goes to an IP the SDP did not name for RTCP.
 */
bool sp_latch_target(const struct sp_latch *latch,
	const struct sp_latch_facts *facts, const struct sp_latch *rtp,
	struct sp_addr *out) SP_MUST_CHECK;

#endif
