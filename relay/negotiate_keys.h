/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_NEGOTIATE_KEYS_H
#define SP_RELAY_NEGOTIATE_KEYS_H

#include "relay/negotiate.h"
#include "relay/sdes.h"

/*
 * The protocol and the keys of an m= line's plan. Keys of a=crypto end with
 * us: each side has its own lines, suite and keys, or none. All other keys go
 * from end to end, and so does the protocol then: it changes only among those
 * of the same kind. Knows nothing of where our keys come from: a line of ours
 * without a key (n_keys 0) gets one by the caller.
 */

/* How an m= line is keyed towards one party. */
enum sp_keying {
	SP_KEYING_CLEAR,
	SP_KEYING_SDES,       /* by a=crypto (RFC 4568) */
	SP_KEYING_OSRTP,      /* the same beside RTP/AVP (RFC 8643): an answer
				 may do without */
	SP_KEYING_END_TO_END, /* by what passes us unread: DTLS, ZRTP, MIKEY,
				 a=crypto if sp_sdes_policy.pass */
};

/* The keys of one m= line's plan. Wipe it when done. */
struct sp_plan_keys {
	uint8_t from;        /* enum sp_keying of this party's line */
	uint8_t to;          /* and of the other party's */
	bool strip_crypto;   /* a=crypto of this party is not for the other */
	bool strip_keys;     /* nor are its fingerprint, ... */
	uint8_t count;       /* of @line */
	struct sp_sdes said; /* this party's line that counts, with its keys;
				tag 0: none */
	struct sp_sdes line[SP_SDES_LINES_MAX]; /* for the other party; ours */
};

/* What both sides of an m= line are used to when it is offered (again). */
struct sp_keys_before {
	uint8_t offerer;     /* enum sp_transport of its m= line; ANY: none */
	uint8_t receiver;    /* the same */
	bool offerer_srtp;   /* its realm takes no media in the clear */
	bool receiver_srtp;  /* the same */
	bool receiver_osrtp; /* it has keys beside RTP/AVP in use */
	uint8_t count;       /* of @line */
	const struct sp_sdes *said; /* the offerer's line that counts so far,
				       or NULL */
	uint8_t n_own;              /* of @own */
	const struct sp_sdes *line; /* ours that the receiver was shown; those
				       without a key are to get a new one */
	const struct sp_sdes *own;  /* ours towards the offerer: it may not use
				       their keys itself, or what we send could
				       be sent back to us and be believed */
};

/*
 * Plan protocol and keys of m= line @i of an offer, and change @plan so. The
 * receiver gets the protocol of the policy, else the one it is used to, else
 * the offerer's. Lines it was shown are shown again; else it gets the
 * offerer's suites, in its order and with its tags, and some of ours.
 *
 * Core:  control.
 * Owns:  the caller wipes @out, in any case.
 * Fails: SP_FORBIDDEN if a realm that takes no media in the clear would get
 *        them so, SP_UNSUPPORTED if there are no keys that we can use;
 *        @error says more.
 * Spec:  RFC 4568 sections 5.1.1, 7.1; RFC 8643 section 3.1; SEC-29.
 */
enum sp_status sp_negotiate_keys_offer(const struct sp_sdp *sdp, unsigned int i,
	const struct sp_policy *policy, const struct sp_keys_before *before,
	struct sp_sdp_error *error, struct sp_plan_media *plan,
	struct sp_plan_keys *out) SP_MUST_CHECK;

/* What an answer is held against. */
struct sp_keys_offered {
	uint8_t transport;  /* enum sp_transport of the offer */
	uint8_t kinds;      /* 1 << enum sp_keying of what the answerer was
			       offered; branches without an id share it */
	bool end_to_end;    /* so the offerer's line is keyed */
	bool offerer_srtp;  /* as in sp_keys_before */
	bool answerer_srtp; /* the same */
	uint8_t n_line;     /* of @line */
	uint8_t n_ours;     /* of @ours */
	uint8_t n_own;      /* of @own */
	const struct sp_sdes *said; /* the offerer's line that is answered, or
				       NULL: in the clear */
	const struct sp_sdes *line; /* ours that the answerer chooses from */
	const struct sp_sdes *ours; /* ours towards the offerer, whose keys
				       go on to be used where they fit */
	const struct sp_sdes *own;  /* ours towards the answerer, as in
				       sp_keys_before */
};

/*
 * Plan protocol and keys of m= line @i of an answer, and change @plan so. It
 * goes back in the protocol that was offered.
 *
 * Core:  control.
 * Owns:  the caller wipes @out, in any case.
 * Fails: SP_CONFLICT for an answer that is none to the offer: a protocol,
 *        tag, suite or session parameter that was not in it, no key, or a key
 *        of ours;
 *        SP_FORBIDDEN as above. @error says more.
 * Spec:  RFC 4568 sections 5.1.2, 5.1.3; RFC 8643 section 3.2.
 */
enum sp_status sp_negotiate_keys_answer(const struct sp_sdp *sdp,
	unsigned int i, const struct sp_policy *policy,
	const struct sp_keys_offered *offered, struct sp_sdp_error *error,
	struct sp_plan_media *plan, struct sp_plan_keys *out) SP_MUST_CHECK;

/* Is a media protocol with keys wanted: RTP/SAVP, UDP/TLS/RTP/SAVPF, ...? */
bool sp_negotiate_secure(enum sp_transport transport);

#endif
