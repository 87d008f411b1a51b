/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_RTCP_H
#define SP_RELAY_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/cursor.h"
#include "relay/status.h"

#define SP_RTCP_HEADER 4
#define SP_RTCP_MIN 8 /* header and sender: what SRTCP leaves in the clear */

enum sp_rtcp_type {
	SP_RTCP_FIRST = 192, /* RFC 5761's range, first and last */
	SP_RTCP_SR = 200,
	SP_RTCP_RR = 201,
	SP_RTCP_SDES = 202,
	SP_RTCP_BYE = 203,
	SP_RTCP_APP = 204,
	SP_RTCP_RTPFB = 205,
	SP_RTCP_PSFB = 206,
	SP_RTCP_XR = 207,
	SP_RTCP_LAST = 223,
};

/* One packet of a compound. Borrows from the datagram. */
struct sp_rtcp_packet {
	uint8_t type;          /* 192..223 */
	uint8_t count;         /* reports, sources, subtype or format: 0..31 */
	uint8_t padding_len;   /* 0, or 4 to 252 in the last packet */
	uint32_t ssrc;         /* first word of @body, 0 if there is none */
	struct sp_cursor body; /* after the four-byte header, no padding */
};

/* What is known of a whole datagram. */
struct sp_rtcp_info {
	uint32_t ssrc;    /* the sender, by the first packet */
	uint16_t packets; /* in the compound; 1 if only the first was read */
	uint8_t type;     /* of the first packet */
	bool bye;         /* one of those read is a BYE */
};

/*
 * Read the packet at @at and step over it. Ask while sp_cursor_left(@at).
 *
 * Core:  any.
 * Owns:  @out->body borrows what @at borrows.
 * Fails: SP_SHORT if the packet is cut off; SP_MALFORMED if its version is
 *        not 2, its type is not RTCP's or it has padding that is not whole
 *        words of its own, or is not the last packet. @at and @out are then
 *        untouched.
 * Spec:  RFC 3550 section 6.4, RFC 5761 section 4.
 */
enum sp_status sp_rtcp_next(
	struct sp_cursor *at, struct sp_rtcp_packet *out) SP_MUST_CHECK;

/*
 * Walk a whole RTCP datagram; with @first_only just its first header, as is
 * right for SRTCP, where the rest is encrypted and a tag follows. Packets
 * of reduced size (any type first) are welcome.
 *
 * Core:  worker, for every RTCP packet.
 * Fails: as sp_rtcp_next for any packet in it, SP_SHORT below SP_RTCP_MIN or
 *        if the first packet names no sender, SP_TOO_LONG above 65,535 bytes;
 *        @out is then untouched.
 * Spec:  RFC 3550 appendix A.2, RFC 5506, RFC 3711 section 3.4; SEC-5.
 */
enum sp_status sp_rtcp_check(const uint8_t *data, size_t len, bool first_only,
	struct sp_rtcp_info *out) SP_MUST_CHECK;

#endif
