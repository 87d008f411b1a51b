/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/rtcp.h"

enum {
	VERSION = 2,
	PADDING_BIT = 0x20,
	COUNT = 0x1f,
	WORD = 4,
};

/* The header alone; @c is stepped over the packet it announces. */
static enum sp_status
read_header(struct sp_cursor *c, struct sp_rtcp_packet *out, bool *padded)
{
	const uint8_t first = sp_cursor_u8(c);
	const uint8_t type = sp_cursor_u8(c);
	const uint16_t words = sp_cursor_u16(c);
	const struct sp_cursor body = sp_cursor_sub(c, (size_t)WORD * words);
	struct sp_cursor look = body;

	if (c->failed)
		return SP_SHORT;
	if (first >> 6 != VERSION || type < SP_RTCP_FIRST ||
		type > SP_RTCP_LAST)
		return SP_MALFORMED;

	*padded = first & PADDING_BIT;
	*out = (struct sp_rtcp_packet){
		.type = type,
		.count = first & COUNT,
		.ssrc = sp_cursor_u32(&look),
		.body = body,
	};
	return SP_OK;
}

enum sp_status
sp_rtcp_next(struct sp_cursor *at, struct sp_rtcp_packet *out)
{
	struct sp_cursor c = *at;
	struct sp_rtcp_packet packet;
	bool padded;
	enum sp_status status = read_header(&c, &packet, &padded);

	if (status != SP_OK)
		return status;
	if (padded) {
		const size_t body_len = sp_cursor_left(&packet.body);
		const uint8_t padding = body_len > 0 ? packet.body.end[-1] : 0;

		if (sp_cursor_left(&c) > 0 || padding == 0 ||
			padding % WORD != 0 || padding > body_len)
			return SP_MALFORMED;
		packet.padding_len = padding;
		packet.body.end -= padding;
		if (padding == body_len)
			packet.ssrc = 0;
	}
	*at = c;
	*out = packet;
	return SP_OK;
}

enum sp_status
sp_rtcp_check(const uint8_t *data, size_t len, bool first_only,
	struct sp_rtcp_info *out)
{
	struct sp_cursor c = sp_cursor(data, len);
	struct sp_rtcp_info info = { 0 };

	if (len < SP_RTCP_MIN)
		return SP_SHORT;
	if (len > UINT16_MAX)
		return SP_TOO_LONG;
	do {
		struct sp_rtcp_packet packet;
		bool padded; /* SRTCP's padding count is encrypted */
		const enum sp_status status = first_only
			? read_header(&c, &packet, &padded)
			: sp_rtcp_next(&c, &packet);

		if (status != SP_OK)
			return status;
		if (info.packets == 0) {
			if (sp_cursor_left(&packet.body) < WORD)
				return SP_SHORT;
			info.ssrc = packet.ssrc;
			info.type = packet.type;
		}
		info.packets++;
		info.bye |= packet.type == SP_RTCP_BYE;
	} while (!first_only && sp_cursor_left(&c) > 0);

	*out = info;
	return SP_OK;
}
