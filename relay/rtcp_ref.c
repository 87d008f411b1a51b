/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/rtcp_ref.h"

#include "relay/rtcp.h"

enum {
	SENDER_INFO = 20,
	HIGHEST_AT = 4, /* of a report block, after its SSRC */
	BLOCK_REST = 12,
	GENERIC_NACK = 1,
	XR_LOSS = 1, /* and duplicates, and receipt times */
	XR_TIMES = 3,
	XR_SUMMARY = 6,
	WORD = 4,
};

/* The references found so far. */
struct list {
	const uint8_t *data;
	struct sp_rtcp_ref *ref;
	unsigned int n;
};

/* There is one of @len bytes at the cursor: step over it. */
static void
add(struct list *l, struct sp_cursor *c, uint32_t ssrc, uint8_t len)
{
	const uint8_t *at = sp_cursor_take(c, len);

	if (at && l->n < SP_RTCP_REFS)
		l->ref[l->n++] = (struct sp_rtcp_ref){
			.ssrc = ssrc,
			.at = (uint16_t)(at - l->data),
			.len = len,
		};
}

static void
read_reports(struct list *l, struct sp_cursor c, unsigned int n, size_t skip)
{
	sp_cursor_take(&c, WORD + skip);
	for (unsigned int i = 0; i < n && !c.failed; i++) {
		const uint32_t ssrc = sp_cursor_u32(&c);

		sp_cursor_take(&c, HIGHEST_AT);
		add(l, &c, ssrc, 4);
		sp_cursor_take(&c, BLOCK_REST);
	}
}

static void
read_nacks(struct list *l, struct sp_cursor c)
{
	uint32_t ssrc;

	sp_cursor_take(&c, WORD);
	ssrc = sp_cursor_u32(&c);
	while (sp_cursor_left(&c) >= WORD) {
		add(l, &c, ssrc, 2);
		sp_cursor_take(&c, 2); /* those that follow it, as bits */
	}
}

static void
read_extended(struct list *l, struct sp_cursor c)
{
	sp_cursor_take(&c, WORD);
	while (sp_cursor_left(&c) >= WORD) {
		const uint8_t type = sp_cursor_u8(&c);
		struct sp_cursor block;
		uint16_t words;
		uint32_t ssrc;

		sp_cursor_u8(&c);
		words = sp_cursor_u16(&c);
		block = sp_cursor_sub(&c, (size_t)WORD * words);
		if (c.failed)
			return;
		if ((type < XR_LOSS || type > XR_TIMES) && type != XR_SUMMARY)
			continue;
		ssrc = sp_cursor_u32(&block);
		add(l, &block, ssrc, 2);
		add(l, &block, ssrc, 2);
	}
}

unsigned int
sp_rtcp_ref_list(
	const uint8_t *data, size_t len, struct sp_rtcp_ref out[SP_RTCP_REFS])
{
	struct sp_cursor c = sp_cursor(data, len);
	struct list l = { .data = data, .ref = out };
	struct sp_rtcp_packet packet;

	while (sp_cursor_left(&c) > 0 && sp_rtcp_next(&c, &packet) == SP_OK) {
		if (packet.type == SP_RTCP_SR)
			read_reports(
				&l, packet.body, packet.count, SENDER_INFO);
		else if (packet.type == SP_RTCP_RR)
			read_reports(&l, packet.body, packet.count, 0);
		else if (packet.type == SP_RTCP_RTPFB &&
			packet.count == GENERIC_NACK)
			read_nacks(&l, packet.body);
		else if (packet.type == SP_RTCP_XR)
			read_extended(&l, packet.body);
	}
	return l.n;
}

void
sp_rtcp_ref_shift(uint8_t *data, const struct sp_rtcp_ref *ref, uint16_t offset)
{
	uint8_t *at = data + ref->at;
	uint32_t number = 0;

	for (unsigned int i = 0; i < ref->len; i++)
		number = number << 8 | at[i];
	number -= offset;
	for (unsigned int i = ref->len; i > 0; i--, number >>= 8)
		at[i - 1] = (uint8_t)number;
}
