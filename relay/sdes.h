/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SDES_H
#define SP_RELAY_SDES_H

#include "relay/sdp.h"
#include "relay/srtp_conf.h"

/*
 * a=crypto lines (RFC 4568): how SDP carries SRTP's keys. A line holds the key
 * that its writer sends with.
 */

#define SP_SDES_LINES_MAX 4u  /* that we write for an m= line */
#define SP_SDES_TEXT_MAX 336u /* bytes of a line's value, as we write it */
#define SP_SDES_TAG_MAX 999999999u

/* One line, with its keys or without. */
struct sp_sdes {
	uint32_t tag;    /* 1..SP_SDES_TAG_MAX; 0: none */
	bool lifetime;   /* it has one; written as |2^31: some phones insist */
	bool other_name; /* its suite is written AES_CM_256_HMAC_..., as some
			    phones do, and is answered so */
	struct sp_srtp_conf srtp;
};

/* Bit of a suite in sp_sdes_policy.without. */
#define SP_SDES_BIT(suite) (1u << (suite))

/*
 * What a request asks of SDES and OSRTP. All zero is the default. A reader
 * sees to it that @without leaves a suite, or else sets @off.
 */
struct sp_sdes_policy {
	bool off;          /* none for whoever gets the SDP; beats @pass */
	bool pass;         /* keys go from end to end, unread */
	bool no_new;       /* offer no suite that the offerer did not */
	bool lifetime;     /* write |2^31 */
	bool keep;         /* answer under the suite that is in use */
	bool osrtp_offer;  /* offer keys beside RTP/AVP (RFC 8643) */
	bool osrtp_accept; /* and answer to such an offer with keys */
	uint8_t without;   /* SP_SDES_BIT() of suites not to be used */
	uint8_t add;       /* enum sp_srtp_flag to offer ... */
	uint8_t drop;      /* ... and not to be taken over from the offerer */
	uint8_t n_order;
	uint8_t n_prefer;
	uint8_t order[SP_SRTP_SUITES];  /* which suites are offered first, and
					   at all; the usual ones follow */
	uint8_t prefer[SP_SRTP_SUITES]; /* which of the offerer's is answered;
					   else its first one */
};

/*
 * Read what follows "a=crypto:". Base64 is taken with and without padding, a
 * lifetime is read and not enforced beyond RFC 3711's limits. Session
 * parameters: those of enum sp_srtp_flag are kept; WSH, FEC_ORDER=FEC_SRTP
 * (the default) and unknown ones with "-" before them change nothing.
 *
 * Core:  control.
 * Owns:  nothing; the caller wipes @out.
 * Fails: SP_MALFORMED for broken grammar, a key of the wrong length, several
 *        keys that no MKI tells apart; SP_UNSUPPORTED for a suite, a session
 *        parameter (KDR, FEC_KEY ..., and any of enum sp_srtp_flag with an
 *        AEAD), an MKI or a number of keys that we don't do. Such a line is
 *        not to be chosen. @out is then untouched.
 * Spec:  RFC 4568 sections 4, 6, 9; RFC 6188 section 4; RFC 7714 section 14.
 */
enum sp_status sp_sdes_parse(
	struct sp_sdp_text value, struct sp_sdes *out) SP_MUST_CHECK;

/*
 * Write @line's value, without NUL; base64 always with padding. The caller
 * wipes @buf where it does not leave as SDP. Returns its
 * length, at most SP_SDES_TEXT_MAX, which @buf must hold.
 */
size_t sp_sdes_write(const struct sp_sdes *line, char *buf);

/*
 * Step through the a=crypto lines of @m, from *@at (0 at first): the next one
 * that we can use is put into @out. False: there is none any more.
 */
bool sp_sdes_next(
	const struct sp_sdp_media *m, size_t *at, struct sp_sdes *out);

#endif
