/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/sdp_attr.h"

#include <string.h>

#include "relay/sdp_text.h"

/* What is not for a request to write: the relay's own, and keys. */
#define OURS                                                                   \
	(1u << SP_SDP_ATTR_RTCP | 1u << SP_SDP_ATTR_RTCP_MUX |                 \
		1u << SP_SDP_ATTR_LOOP | 1u << SP_SDP_ATTR_CANDIDATE |         \
		1u << SP_SDP_ATTR_ICE | 1u << SP_SDP_ATTR_ADDRESS |            \
		1u << SP_SDP_ATTR_BUNDLE | 1u << SP_SDP_ATTR_CRYPTO |          \
		1u << SP_SDP_ATTR_FINGERPRINT | 1u << SP_SDP_ATTR_SETUP |      \
		1u << SP_SDP_ATTR_TLS_ID | 1u << SP_SDP_ATTR_ZRTP_HASH |       \
		1u << SP_SDP_ATTR_KEY_MGMT)

bool
sp_sdp_attr_allows(struct sp_sdp_text text)
{
	text = sp_sdp_text_trim(text);
	return text.len > 0 && sp_sdp_text_clean(text) &&
		!(OURS >> sp_sdp_attr(text) & 1);
}

uint32_t
sp_sdp_attr_mask(const struct sp_attr_wish *wishes, unsigned int count,
	struct sp_sdp_text media)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < count; i++) {
		const struct sp_attr_wish *w = &wishes[i];

		if (sp_sdp_text_same(w->media, media) &&
			(w->what == SP_ATTR_REMOVE ||
				sp_sdp_attr_allows(w->what == SP_ATTR_ADD
						? w->text
						: w->with)))
			mask |= 1u << i;
	}
	return mask;
}

/* name, name:value or the whole line, which may have more words? */
static bool
means(struct sp_sdp_text wish, struct sp_sdp_text line)
{
	struct sp_sdp_text rest = line;
	struct sp_sdp_text first;

	if (sp_sdp_text_same(wish, line))
		return true;
	first = sp_sdp_text_word(&rest);
	if (sp_sdp_text_same(wish, first))
		return true;
	return sp_sdp_text_same(wish, sp_sdp_text_before(&first, ':'));
}

const struct sp_attr_wish *
sp_sdp_attr_find(const struct sp_attr_wish *wishes, unsigned int count,
	uint32_t mask, struct sp_sdp_text text)
{
	for (unsigned int i = 0; i < count; i++) {
		if (mask >> i & 1 && wishes[i].what != SP_ATTR_ADD &&
			means(wishes[i].text, text))
			return &wishes[i];
	}
	return NULL;
}
