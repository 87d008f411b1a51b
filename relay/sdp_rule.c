/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/sdp_rule.h"

#define BIT(attr) (1u << SP_SDP_ATTR_##attr)
#define OTHER_KEYS                                                             \
	(BIT(FINGERPRINT) | BIT(SETUP) | BIT(TLS_ID) | BIT(ZRTP_HASH) |        \
		BIT(KEY_MGMT))

uint32_t
sp_sdp_rule_session_keys(
	const struct sp_sdp *sdp, const struct sp_sdp_edit *edit)
{
	bool crypto = false, stripped = false, needed = false;

	for (unsigned int i = 0; i < sdp->media_count; i++) {
		const struct sp_sdp_edit_media *own = &edit->media[i];

		crypto |= !own->keep;
		stripped |= own->strip_keys && !own->keep;
		needed |= own->keep || (own->addr.port > 0 && !own->strip_keys);
	}
	return (crypto ? BIT(CRYPTO) : 0u) |
		(stripped && !needed ? OTHER_KEYS : 0u);
}

bool
sp_sdp_rule_goes(const struct sp_sdp_edit *edit, const struct sp_sdp_line *line)
{
	switch (line->attr) {
	case SP_SDP_ATTR_RTCP:
	case SP_SDP_ATTR_RTCP_MUX:
		return true;
	case SP_SDP_ATTR_CANDIDATE:
	case SP_SDP_ATTR_ICE:
		return edit->strip_ice;
	case SP_SDP_ATTR_ADDRESS:
		return edit->strip_addresses;
	case SP_SDP_ATTR_BUNDLE:
		return edit->strip_bundle;
	case SP_SDP_ATTR_EXTMAP:
		return edit->strip_extmap;
	default:
		return false;
	}
}

bool
sp_sdp_rule_goes_from_media(const struct sp_sdp_edit *edit,
	const struct sp_sdp_edit_media *own, const struct sp_sdp_codecs *codecs,
	const struct sp_sdp_line *line)
{
	switch (line->attr) {
	case SP_SDP_ATTR_DIRECTION:
		return own->direction != SP_SDP_KEEP_DIRECTION;
	case SP_SDP_ATTR_MID:
		return own->strip_mid;
	case SP_SDP_ATTR_PTIME:
		return true;
	case SP_SDP_ATTR_CRYPTO:
		return own->strip_crypto;
	case SP_SDP_ATTR_FINGERPRINT:
	case SP_SDP_ATTR_SETUP:
	case SP_SDP_ATTR_TLS_ID:
	case SP_SDP_ATTR_ZRTP_HASH:
	case SP_SDP_ATTR_KEY_MGMT:
		return own->strip_keys;
	case SP_SDP_ATTR_RTPMAP:
	case SP_SDP_ATTR_FMTP:
	case SP_SDP_ATTR_RTCP_FB:
		return codecs && sp_sdp_codecs_gone(codecs, line);
	default:
		return sp_sdp_rule_goes(edit, line);
	}
}

static bool
inherits(const struct sp_sdp_media *m)
{
	return m->connection.len == 0 && m->addr.port > 0;
}

const struct sp_addr *
sp_sdp_rule_session_address(
	const struct sp_sdp *sdp, const struct sp_sdp_edit *edit)
{
	const struct sp_addr *found = &edit->addr;

	for (unsigned int i = 0; i < sdp->media_count; i++) {
		if (!inherits(&sdp->media[i]))
			continue;
		if (edit->media[i].keep)
			found = NULL;
		else if (edit->media[i].addr.port > 0)
			return &edit->media[i].addr;
	}
	return found;
}

bool
sp_sdp_rule_needs_connection(const struct sp_sdp_media *m,
	const struct sp_sdp_edit_media *edit, const struct sp_addr *session)
{
	if (!inherits(m))
		return false;
	if (edit->keep)
		return session != NULL;
	return edit->addr.port > 0 &&
		!(session && sp_addr_same_ip(session, &edit->addr));
}
