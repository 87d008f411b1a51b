/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/sdp.h"

#include <string.h>

#include "relay/sdp_text.h"

#define NAME(text) text, sizeof text - 1

/* clang-format off */
static const struct {
	char name[20];
	uint8_t len;
	uint8_t attr;
	uint8_t direction;
} attributes[] = {
	{ NAME("rtpmap"),            SP_SDP_ATTR_RTPMAP,      0 },
	{ NAME("fmtp"),              SP_SDP_ATTR_FMTP,        0 },
	{ NAME("rtcp-fb"),           SP_SDP_ATTR_RTCP_FB,     0 },
	{ NAME("sendrecv"),          SP_SDP_ATTR_DIRECTION,   SP_SDP_SENDRECV },
	{ NAME("sendonly"),          SP_SDP_ATTR_DIRECTION,   SP_SDP_SENDONLY },
	{ NAME("recvonly"),          SP_SDP_ATTR_DIRECTION,   SP_SDP_RECVONLY },
	{ NAME("inactive"),          SP_SDP_ATTR_DIRECTION,   SP_SDP_INACTIVE },
	{ NAME("ptime"),             SP_SDP_ATTR_PTIME,       0 },
	{ NAME("rtcp"),              SP_SDP_ATTR_RTCP,        0 },
	{ NAME("rtcp-mux"),          SP_SDP_ATTR_RTCP_MUX,    0 },
	{ NAME("rtcp-mux-only"),     SP_SDP_ATTR_RTCP_MUX,    0 },
	{ NAME("candidate"),         SP_SDP_ATTR_CANDIDATE,   0 },
	{ NAME("end-of-candidates"), SP_SDP_ATTR_ICE,         0 },
	{ NAME("remote-candidates"), SP_SDP_ATTR_ICE,         0 },
	{ NAME("altc"),              SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("ccap"),              SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("alt"),               SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("source-filter"),     SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("acap"),               SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("tcap"),               SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("pcfg"),               SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("acfg"),               SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("lcfg"),               SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("csup"),               SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("creq"),               SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("rmcap"),              SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("omcap"),              SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("mfcap"),              SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("mscap"),              SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("sescap"),             SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("bcap"),               SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("icap"),               SP_SDP_ATTR_ADDRESS,     0 },
	{ NAME("crypto"),            SP_SDP_ATTR_CRYPTO,      0 },
	{ NAME("fingerprint"),       SP_SDP_ATTR_FINGERPRINT, 0 },
	{ NAME("setup"),             SP_SDP_ATTR_SETUP,       0 },
	{ NAME("tls-id"),            SP_SDP_ATTR_TLS_ID,      0 },
	{ NAME("zrtp-hash"),         SP_SDP_ATTR_ZRTP_HASH,   0 },
	{ NAME("key-mgmt"),          SP_SDP_ATTR_KEY_MGMT,    0 },
	{ NAME("extmap"),            SP_SDP_ATTR_EXTMAP,      0 },
	{ NAME("mid"),               SP_SDP_ATTR_MID,         0 },
	{ NAME("rtpengine"),         SP_SDP_ATTR_LOOP,        0 },
};
/* clang-format on */

static void
classify(struct sp_sdp_line *line)
{
	struct sp_sdp_text rest = line->text;
	const struct sp_sdp_text name =
		sp_sdp_text_trim(sp_sdp_text_before(&rest, ':'));

	line->value = rest = sp_sdp_text_trim(rest);
	if (sp_sdp_text_starts(name, "ice-"))
		line->attr = SP_SDP_ATTR_ICE;
	else if (sp_sdp_text_is(name, "group") &&
		sp_sdp_text_starts(rest, "BUNDLE"))
		line->attr = SP_SDP_ATTR_BUNDLE;
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
		if (name.len != attributes[i].len ||
			strncasecmp(name.at, attributes[i].name, name.len) != 0)
			continue;
		line->attr = attributes[i].attr;
		line->direction = attributes[i].direction;
		break;
	}
}

bool
sp_sdp_next_line(struct sp_cursor *c, struct sp_sdp_line *line)
{
	const size_t left = sp_cursor_left(c);
	const uint8_t *end = left ? memchr(c->at, '\n', left) : NULL;
	const size_t len = end ? (size_t)(end - c->at) + 1 : left;
	struct sp_sdp_text text = { (const char *)c->at, len };

	if (left == 0)
		return false;
	sp_cursor_take(c, len);
	*line = (struct sp_sdp_line){ .all = text };
	if (end)
		text.len--;
	if (text.len > 0 && text.at[text.len - 1] == '\r')
		text.len--;
	line->text = line->value = text;
	if (text.len < 2 || text.at[1] != '=' || text.at[0] < 'a' ||
		text.at[0] > 'z')
		return true;

	line->type = text.at[0];
	line->text = line->value = sp_sdp_text_trim(
		(struct sp_sdp_text){ text.at + 2, text.len - 2 });
	if (line->type == 'a')
		classify(line);
	return true;
}

uint8_t
sp_sdp_attr(struct sp_sdp_text text)
{
	struct sp_sdp_line line = { .text = text };

	classify(&line);
	return line.attr;
}

bool
sp_sdp_went_through(const struct sp_sdp *sdp, struct sp_sdp_text id)
{
	struct sp_cursor c = sp_sdp_cursor(sdp->session);
	struct sp_sdp_line line;

	if (!(sdp->attrs >> SP_SDP_ATTR_LOOP & 1))
		return false;
	while (sp_sdp_next_line(&c, &line)) {
		if (line.attr == SP_SDP_ATTR_LOOP &&
			sp_sdp_text_same(line.value, id))
			return true;
	}
	return false;
}
