/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/rtp.h"

#include <stdbool.h>

#include "relay/cursor.h"

enum {
	VERSION = 2,
	PADDING_BIT = 0x20,
	EXTENSION_BIT = 0x10,
	CSRC_COUNT = 0x0f,
};

static enum sp_status
parse(const uint8_t *data, size_t len, bool clear, struct sp_rtp *out)
{
	struct sp_cursor c = sp_cursor(data, len);
	const uint8_t first = sp_cursor_u8(&c);
	const uint8_t second = sp_cursor_u8(&c);
	const uint16_t seq = sp_cursor_u16(&c);
	const uint32_t timestamp = sp_cursor_u32(&c);
	const uint32_t ssrc = sp_cursor_u32(&c);
	uint8_t padding = 0;

	sp_cursor_take(&c, 4u * (first & CSRC_COUNT));
	if (first & EXTENSION_BIT) {
		sp_cursor_u16(&c); /* profile's own id */
		sp_cursor_take(&c, 4u * sp_cursor_u16(&c));
	}

	if (c.failed)
		return SP_SHORT;
	if (first >> 6 != VERSION)
		return SP_MALFORMED;
	if (len > UINT16_MAX)
		return SP_TOO_LONG;
	if (clear && first & PADDING_BIT) {
		padding = data[len - 1];
		if (padding == 0 || padding > sp_cursor_left(&c))
			return SP_MALFORMED;
	}

	*out = (struct sp_rtp){
		.ssrc = ssrc,
		.timestamp = timestamp,
		.seq = seq,
		.header_len = (uint16_t)(c.at - data),
		.payload_type = second & 0x7f,
		.marker = second >> 7,
		.padding_len = padding,
	};
	return SP_OK;
}

enum sp_status
sp_rtp_parse(const uint8_t *data, size_t len, struct sp_rtp *out)
{
	return parse(data, len, true, out);
}

enum sp_status
sp_rtp_parse_header(const uint8_t *data, size_t len, struct sp_rtp *out)
{
	return parse(data, len, false, out);
}
