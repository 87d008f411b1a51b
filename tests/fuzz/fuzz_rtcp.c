/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "relay/rtcp.h"
#include "relay/rtcp_ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Accepted packets lie end to end and fill the datagram exactly. */
static void
walk(const uint8_t *data, size_t len, const struct sp_rtcp_info *info)
{
	struct sp_cursor at = sp_cursor(data, len);
	const uint8_t *end = data;
	unsigned int packets = 0;

	while (sp_cursor_left(&at) > 0) {
		struct sp_rtcp_packet p;

		if (sp_rtcp_next(&at, &p) != SP_OK)
			abort(); /* check said they are all good */
		if (p.body.at != end + SP_RTCP_HEADER || p.body.failed)
			abort();
		end = p.body.end + p.padding_len;
		if (end != at.at || (end - data) % 4 != 0)
			abort();
		if (p.type < SP_RTCP_FIRST || p.type > SP_RTCP_LAST ||
			p.count > 31)
			abort();
		if (p.padding_len > 0 && sp_cursor_left(&at) > 0)
			abort();
		if (packets++ == 0 &&
			(p.ssrc != info->ssrc || p.type != info->type))
			abort();
	}
	if (packets != info->packets || end != data + len)
		abort();
}

/* Whatever it is, numbers lie within it, in order and apart. */
static void
look(const uint8_t *data, size_t len)
{
	struct sp_rtcp_ref ref[SP_RTCP_REFS];
	const unsigned int n = sp_rtcp_ref_list(data, len, ref);
	size_t end = SP_RTCP_MIN;

	if (n > SP_RTCP_REFS)
		abort();
	for (unsigned int i = 0; i < n; i++) {
		if (ref[i].at < end || (ref[i].len != 2 && ref[i].len != 4))
			abort();
		end = (size_t)ref[i].at + ref[i].len;
	}
	if (n > 0 && end > len)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sp_rtcp_info whole, first;
	const enum sp_status status = sp_rtcp_check(data, len, false, &whole);

	look(data, len);
	if (sp_rtcp_check(data, len, true, &first) != SP_OK) {
		if (status == SP_OK)
			abort(); /* the whole can't be better than its part */
		return 0;
	}
	if (len < SP_RTCP_MIN || first.packets != 1)
		abort();
	if (status != SP_OK)
		return 0;
	if (whole.ssrc != first.ssrc || whole.type != first.type)
		abort();
	walk(data, len, &whole);
	if (sp_rtcp_check(data, len - 1, false, &whole) == SP_OK)
		abort(); /* lengths are whole words */
	return 0;
}
