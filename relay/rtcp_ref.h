/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_RTCP_REF_H
#define SP_RELAY_RTCP_REF_H

#include <stddef.h>
#include <stdint.h>

/*
 * Where RTCP speaks of sequence numbers that somebody received. A relay that
 * sends a stream on under other numbers takes the difference out again, or
 * its source would resend packets that nobody asked for.
 */

#define SP_RTCP_REFS 64u /* of a datagram; more are not looked for */

struct sp_rtcp_ref {
	uint32_t ssrc; /* whose numbers they are */
	uint16_t at;   /* offset in the datagram */
	uint8_t len;   /* 2: a sequence number; 4: with its cycles */
};

/*
 * List what a datagram says of sequence numbers: report blocks, generic NACKs
 * and the extended reports that have a range of them. Reads as far as the
 * grammar goes. Returns how many.
 *
 * Core: worker, for RTCP of legs with keys.
 * Spec: RFC 3550 section 6.4, RFC 4585 section 6.2.1, RFC 3611 section 4.
 */
unsigned int sp_rtcp_ref_list(
	const uint8_t *data, size_t len, struct sp_rtcp_ref out[SP_RTCP_REFS]);

/* Take @offset out of the number that @ref found in @data. */
void sp_rtcp_ref_shift(
	uint8_t *data, const struct sp_rtcp_ref *ref, uint16_t offset);

#endif
