/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "relay/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The short way says what the long way says. */
static void
compare(const uint8_t *data, size_t len, enum sp_status status,
	const struct sp_rtp *rtp)
{
	struct sp_rtp fast;

	if (sp_rtp_read(data, len, &fast) != status)
		abort();
	if (status == SP_OK &&
		(fast.ssrc != rtp->ssrc || fast.seq != rtp->seq ||
			fast.timestamp != rtp->timestamp ||
			fast.header_len != rtp->header_len ||
			fast.payload_type != rtp->payload_type ||
			fast.marker != rtp->marker ||
			fast.padding_len != rtp->padding_len))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sp_rtp rtp, again;
	const enum sp_status status = sp_rtp_parse(data, len, &rtp);

	compare(data, len, status, &rtp);
	if (status != SP_OK)
		return 0;
	if (rtp.header_len < SP_RTP_HEADER_MIN || rtp.header_len > len)
		abort();
	if (rtp.payload_type > 127 || rtp.marker > 1 || data[0] >> 6 != 2)
		abort();
	if (rtp.padding_len > len - rtp.header_len)
		abort();
	if ((data[0] & 0x20) ? rtp.padding_len == 0 : rtp.padding_len != 0)
		abort();
	if (sp_rtp_parse_header(data, rtp.header_len, &again) != SP_OK)
		abort(); /* what it said is the header must be enough */
	if (again.header_len != rtp.header_len || again.ssrc != rtp.ssrc)
		abort();
	if (sp_rtp_parse_header(data, rtp.header_len - 1u, &again) != SP_SHORT)
		abort(); /* and one byte less must not */
	return 0;
}
