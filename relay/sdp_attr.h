/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SDP_ATTR_H
#define SP_RELAY_SDP_ATTR_H

#include "relay/sdp.h"

/*
 * Attributes that a request adds, removes or replaces. This is text: the
 * relay itself does not follow it. So what says where media goes, or how it
 * is protected, cannot be written this way, and the lines by which the relay
 * says it (a=rtcp, a=rtcp-mux, a=rtpengine, a=crypto) cannot be changed.
 */

enum sp_attr_what {
	SP_ATTR_ADD,        /* a=@text, at the end of its section, unless
			       it is there already */
	SP_ATTR_REMOVE,     /* lines whose name, name:value or all is @text */
	SP_ATTR_SUBSTITUTE, /* such lines become a=@with */
};

#define SP_ATTRS_MAX 32u

/* A change of attributes; texts come without "a=". Borrowed. */
struct sp_attr_wish {
	struct sp_sdp_text media; /* "audio" ...; empty: the session's */
	struct sp_sdp_text text;
	struct sp_sdp_text with;
	uint8_t what; /* enum sp_attr_what */
};

/*
 * May a request write a=@text? Not a line end or NUL, which would start
 * another line, and none of a=rtcp, rtcp-mux, rtpengine, candidate, ice-*,
 * remote-candidates, altc, ccap, alt, source-filter, those of RFC 5939, 6871
 * and 7006 (acap, tcap, pcfg ...), group:BUNDLE, crypto, fingerprint, setup,
 * tls-id, zrtp-hash or key-mgmt. Wishes to write these are not obeyed.
 */
bool sp_sdp_attr_allows(struct sp_sdp_text text);

/*
 * Find the first of @count @wishes, among those with a bit in @mask, that
 * removes or substitutes the attribute line a=@text; NULL if none does.
 */
const struct sp_attr_wish *sp_sdp_attr_find(const struct sp_attr_wish *wishes,
	unsigned int count, uint32_t mask, struct sp_sdp_text text);

/*
 * Return a bit for each of @count @wishes that is about an m= line of
 * @media, or about the session, if that is empty, and may be obeyed.
 */
uint32_t sp_sdp_attr_mask(const struct sp_attr_wish *wishes, unsigned int count,
	struct sp_sdp_text media);

#endif
