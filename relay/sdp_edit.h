/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SDP_EDIT_H
#define SP_RELAY_SDP_EDIT_H

#include "relay/sdes.h"
#include "relay/sdp.h"
#include "relay/sdp_attr.h"
#include "relay/sdp_codec.h"

/* An SDP body, written again with what is ours in it. */

/*
 * Most that an edit adds to a section, and so the largest body there can be:
 * as long as nobody asks for more text than this by sp_sdp_edit's username,
 * name, loop and attributes.
 */
#define SP_SDP_GROWTH_MAX (256u + SP_SDES_LINES_MAX * (SP_SDES_TEXT_MAX + 16))
#define SP_SDP_OUT_MAX (SP_SDP_MAX + (SP_SDP_MEDIA_MAX + 1) * SP_SDP_GROWTH_MAX)

/* What becomes of one m= line and its section. */
struct sp_sdp_edit_media {
	struct sp_addr addr; /* for c= and m=; port 0 writes a port of 0 */
	const char *proto;   /* instead of the one of m=; NULL: that one */
	uint16_t rtcp_port;  /* written as a=rtcp:PORT; 0: no a=rtcp */
	uint16_t mid;        /* written as a=mid, if not 0 */
	uint8_t direction;   /* written at the end, or KEEP_DIRECTION */
	bool rtcp_mux;       /* a=rtcp-mux is written */
	bool strip_mid;      /* remove a=mid */
	bool strip_crypto;   /* remove a=crypto */
	bool strip_keys;     /* remove other keys: fingerprint, setup, tls-id,
				zrtp-hash, key-mgmt */
	uint8_t n_crypto;    /* a=crypto lines of ours that are written */
	const struct sp_sdes *crypto; /* borrowed */
	bool codecs;                  /* obey the codec wishes */
	bool keep; /* all leaves as it came; the rest is ignored */
};

/* What becomes of a body. sp_negotiate_edit makes one from a plan. */
struct sp_sdp_edit {
	struct sp_addr addr; /* for o=, and c= if no m= line gives another */
	struct sp_sdp_text username; /* for o=; empty: as it came */
	struct sp_sdp_text name;     /* for s=; the same */
	struct sp_sdp_text loop;     /* a=rtpengine:LOOP is added, or empty */
	uint64_t version;            /* for o=; 0: as it came */
	bool origin;                 /* replace o='s address */
	bool offer;                  /* of the codec wishes: MASK counts */
	bool full_rtcp;              /* a=rtcp with our address */
	bool strip_ice;
	bool strip_addresses; /* what else names addresses or keys: altc ... */
	bool strip_bundle;    /* remove a=group:BUNDLE */
	bool strip_extmap;    /* these four: m= lines with keep apart */
	uint8_t n_codec;
	uint8_t n_attr;
	const struct sp_codec_wish *codec; /* borrowed, as all texts are */
	const struct sp_attr_wish *attr;
	struct sp_sdp_edit_media media[SP_SDP_MEDIA_MAX]; /* as in the view */
};

/*
 * Write the edited body: lines stay in place and as they came; m=, c=, o= and
 * s= change where asked. What is ours goes and comes back at the end of its
 * section, in this order: mid, direction, rtcp, rtcp-mux, crypto, and the
 * line's a=ptime; of the session: rtpengine. After it follow attributes that
 * are asked for. c= is added only where the session's no longer fits. No NUL is
 * added. Username, name and loop with a line end or NUL are not written.
 *
 * Core:  control.
 * Owns:  nothing; @sdp's body and @buf must not overlap.
 * Fails: SP_NO_SPACE if @size is too small; @len is then untouched and @buf
 *        holds rubbish. See SP_SDP_OUT_MAX.
 */
enum sp_status sp_sdp_edit(const struct sp_sdp *sdp,
	const struct sp_sdp_edit *edit, char *buf, size_t size,
	size_t *len) SP_MUST_CHECK;

#endif
