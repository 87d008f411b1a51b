/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SDP_H
#define SP_RELAY_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/addr.h"
#include "relay/cursor.h"
#include "relay/order.h"
#include "relay/status.h"

/*
 * An SDP body as a view: parsed once, nothing copied. sdp_edit.h writes it
 * into another buffer, line by line. Limits are SEC-33's, but for attributes:
 * browsers send up to 166 for one video line, more than its 128. A body beyond
 * a limit is SP_TOO_LONG.
 */
#define SP_SDP_MAX 65536u        /* bytes of a body */
#define SP_SDP_MEDIA_MAX 32      /* m= lines */
#define SP_SDP_ATTR_MAX 256      /* a= lines of the session or an m= line */
#define SP_SDP_CANDIDATE_MAX 64  /* a=candidate lines, same */
#define SP_SDP_CRYPTO_MAX 16     /* a=crypto lines, same */
#define SP_SDP_PAYLOAD_TYPES 128 /* RTP has seven bits for them */

/* A piece of the body; borrowed, no NUL. */
struct sp_sdp_text {
	const char *at;
	size_t len;
};

/* What the writer of the SDP wants to do; two bits. */
enum sp_sdp_direction {
	SP_SDP_INACTIVE = 0,
	SP_SDP_SENDONLY = 1, /* bit 0: it sends */
	SP_SDP_RECVONLY = 2, /* bit 1: it receives */
	SP_SDP_SENDRECV = 3,
	SP_SDP_KEEP_DIRECTION = 4, /* in an edit: leave the lines alone */
};

/* Of what an m= line is made, by its protocol. */
enum sp_media_kind {
	SP_MEDIA_RTP,   /* RTP/..., UDP/TLS/RTP/... */
	SP_MEDIA_DATA,  /* over UDP, but not RTP: udptl, UDP/BFCP, DTLS/SCTP */
	SP_MEDIA_OTHER, /* not UDP (TCP/MSRP): never relayed */
};

/* The protocol of an m= line. */
enum sp_transport {
	SP_TRANSPORT_ANY, /* in a policy: as it came, or as it was offered */
	SP_TRANSPORT_RTP_AVP,
	SP_TRANSPORT_RTP_AVPF,
	SP_TRANSPORT_RTP_SAVP,
	SP_TRANSPORT_RTP_SAVPF,
	SP_TRANSPORT_DTLS_SAVP,  /* UDP/TLS/RTP/SAVP */
	SP_TRANSPORT_DTLS_SAVPF, /* UDP/TLS/RTP/SAVPF */
	SP_TRANSPORT_OTHER,      /* only in views: none of these */
};

/* The attributes that somebody in the relay reads, removes or writes. */
enum sp_sdp_attr {
	SP_SDP_ATTR_NONE, /* not an a= line, or one that is not ours */
	SP_SDP_ATTR_DIRECTION,
	SP_SDP_ATTR_RTCP,
	SP_SDP_ATTR_RTCP_MUX, /* and rtcp-mux-only */
	SP_SDP_ATTR_PTIME,
	SP_SDP_ATTR_RTPMAP,
	SP_SDP_ATTR_FMTP,
	SP_SDP_ATTR_RTCP_FB,
	SP_SDP_ATTR_CANDIDATE,
	SP_SDP_ATTR_ICE,     /* ice-*, end-of-candidates, remote-candidates */
	SP_SDP_ATTR_ADDRESS, /* altc, ccap, alt, source-filter; capabilities
				(acap, pcfg ...), which may have keys, too */
	SP_SDP_ATTR_CRYPTO,
	SP_SDP_ATTR_FINGERPRINT,
	SP_SDP_ATTR_SETUP,
	SP_SDP_ATTR_TLS_ID,
	SP_SDP_ATTR_ZRTP_HASH,
	SP_SDP_ATTR_KEY_MGMT, /* MIKEY (RFC 4567) */
	SP_SDP_ATTR_BUNDLE,   /* a=group:BUNDLE */
	SP_SDP_ATTR_EXTMAP,
	SP_SDP_ATTR_MID,
	SP_SDP_ATTR_LOOP, /* a=rtpengine: who had the SDP in hand */
};

/* One line, as sp_sdp_next_line finds it. */
struct sp_sdp_line {
	struct sp_sdp_text all;   /* with its line end, if it has one */
	struct sp_sdp_text text;  /* after "x=" */
	struct sp_sdp_text value; /* the same, or what is after "a=name:" */
	char type;                /* 'v', 'o', 'm' ...; 0: not "x=..." */
	uint8_t attr;             /* enum sp_sdp_attr */
	uint8_t direction;        /* of SP_SDP_ATTR_DIRECTION */
};

/* One m= line and what follows it. Written by sp_sdp_parse alone. */
struct sp_sdp_media {
	struct sp_sdp_text section; /* from m= to the next one or the end */
	struct sp_sdp_text type;    /* audio, video, image ... */
	struct sp_sdp_text proto;
	struct sp_sdp_text formats;    /* after the protocol; may be empty */
	struct sp_sdp_text connection; /* its own c= line's value, or empty */
	struct sp_sdp_text mid;        /* a=mid's, or empty */
	struct sp_addr addr; /* c=, its own or the session's; port is m='s */
	struct sp_addr rtcp; /* a=rtcp; family NONE unless it had an address
				that can be read */
	uint64_t payload_types[SP_SDP_PAYLOAD_TYPES / 64];
	uint64_t dtmf_types; /* bit (pt & 63) for each telephone-event */
	uint32_t clock_hz;   /* of the first format; 0: not known */
	uint32_t attrs;      /* 1u << enum sp_sdp_attr of what it has;
				ATTR_RTCP only with a port */
	uint32_t line;       /* number of the m= line, from 1 */
	uint16_t ptime_ms;   /* 0: not said */
	uint8_t quiet[SP_QUIET_CODECS]; /* payload types, or QUIET_NONE */
	uint8_t transport;              /* enum sp_transport */
	uint8_t kind;                   /* enum sp_media_kind */
	uint8_t direction; /* enum sp_sdp_direction, its own or inherited */
	bool secure;       /* SAVP or DTLS, or keys for it: opaque to us, unless
			      the keys are a=crypto that we take */
	bool other_keys;   /* a=fingerprint, zrtp-hash or key-mgmt, its own or
			      the session's */
};

/* The body. Borrows it: dies with the buffer that was parsed. */
struct sp_sdp {
	struct sp_sdp_text body;       /* without empty lines at its end */
	struct sp_sdp_text session;    /* from v= to the first m= */
	struct sp_sdp_text origin;     /* o=: user, id, version */
	struct sp_sdp_text username;   /* of these, the user */
	struct sp_sdp_text version;    /* and the version */
	struct sp_sdp_text name;       /* s=; may be empty */
	struct sp_sdp_text connection; /* session's c= value, or empty */
	struct sp_sdp_text loop;       /* of the session's first a=rtpengine */
	struct sp_addr addr;           /* session's c=; NONE if absent */
	uint32_t attrs;                /* as in sp_sdp_media */
	uint8_t direction;             /* session's; SENDRECV if not said */
	bool crlf;                     /* lines end in CR LF, not LF */
	uint8_t media_count;
	struct sp_sdp_media media[SP_SDP_MEDIA_MAX];
};

/* Where a body was refused and why, for whoever sent it. */
struct sp_sdp_error {
	uint32_t line;      /* from 1; 0: the body as a whole */
	uint32_t media;     /* which m= line, from 1; 0: the session */
	const char *reason; /* static; what is wrong and what would do */
};

/*
 * Read @body as SDP.
 *
 * Core:  control, every offer and answer.
 * Owns:  @out borrows @body.
 * Fails: SP_MALFORMED for broken grammar, SP_TOO_LONG beyond a limit,
 *        SP_UNSUPPORTED for multicast forms and port ranges; @error then
 *        says more and @out is untouched.
 * Spec:  RFC 8866, 3264, 3605, 5761; SEC-33.
 */
enum sp_status sp_sdp_parse(const char *body, size_t len,
	struct sp_sdp_error *error, struct sp_sdp *out) SP_MUST_CHECK;

/* Return a cursor over @text, for sp_sdp_next_line. */
static inline struct sp_cursor
sp_sdp_cursor(struct sp_sdp_text text)
{
	return sp_cursor((const uint8_t *)text.at, text.len);
}

/*
 * Read the next line (of a section, say: that is how to get at all candidates
 * or keys) and step over it; return false at the end.
 */
bool sp_sdp_next_line(struct sp_cursor *c, struct sp_sdp_line *line);

/* Return the enum sp_sdp_attr of an attribute's @text, without its "a=". */
uint8_t sp_sdp_attr(struct sp_sdp_text text);

/* Return the name of a protocol; NULL for ANY and OTHER. Static. */
const char *sp_sdp_transport(enum sp_transport transport);

/* Has the SDP been through the instance @id, by any a=rtpengine line? */
bool sp_sdp_went_through(const struct sp_sdp *sdp, struct sp_sdp_text id);

#endif
