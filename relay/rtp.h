/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_RTP_H
#define SP_RELAY_RTP_H

#include <stddef.h>
#include <stdint.h>

#include "relay/status.h"

#define SP_RTP_HEADER_MIN 12

/* First byte of most packets: version 2, no padding, extension or CSRC. */
#define SP_RTP_PLAIN 0x80

/* An RTP header. Values only; the payload starts at @header_len. */
struct sp_rtp {
	uint32_t ssrc;
	uint32_t timestamp;
	uint16_t seq;
	uint16_t header_len;  /* fixed part, CSRCs and extension */
	uint8_t payload_type; /* 0..127 */
	uint8_t marker;       /* 0 or 1 */
	uint8_t padding_len;  /* at the end of the packet, 0 if none */
};

/*
 * Read the RTP header of a packet whose payload is in the clear.
 *
 * Core:  any; touches only its arguments.
 * Fails: SP_SHORT if the header is cut off, SP_MALFORMED if the version is
 *        not 2 or the padding is not 1 to as many bytes as there is payload,
 *        SP_TOO_LONG above 65,535 bytes; @out is then untouched.
 * Spec:  RFC 3550 section 5.1, header extension section 5.3.1.
 */
enum sp_status sp_rtp_parse(
	const uint8_t *data, size_t len, struct sp_rtp *out) SP_MUST_CHECK;

/*
 * Read only the RTP header, as is right for SRTP, where the padding count is
 * still encrypted. @out->padding_len becomes 0. Otherwise as sp_rtp_parse.
 *
 * Core: any.
 * Spec: RFC 3711 section 3.1.
 */
enum sp_status sp_rtp_parse_header(
	const uint8_t *data, size_t len, struct sp_rtp *out) SP_MUST_CHECK;

/*
 * Read the fixed header of a packet that is known to be SP_RTP_HEADER_MIN
 * bytes long and to start with SP_RTP_PLAIN.
 *
 * Core: worker, for every packet.
 */
static inline void
sp_rtp_peek(const uint8_t *data, struct sp_rtp *out)
{
	uint16_t seq;
	uint32_t timestamp, ssrc;

	__builtin_memcpy(&seq, data + 2, sizeof seq);
	__builtin_memcpy(&timestamp, data + 4, sizeof timestamp);
	__builtin_memcpy(&ssrc, data + 8, sizeof ssrc);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	seq = __builtin_bswap16(seq);
	timestamp = __builtin_bswap32(timestamp);
	ssrc = __builtin_bswap32(ssrc);
#endif
	out->ssrc = ssrc;
	out->timestamp = timestamp;
	out->seq = seq;
	out->header_len = SP_RTP_HEADER_MIN;
	out->payload_type = data[1] & 0x7f;
	out->marker = data[1] >> 7;
	out->padding_len = 0;
}

/*
 * Do what sp_rtp_parse does, but without a call for a plain header.
 *
 * Core: worker, for every packet.
 */
SP_MUST_CHECK static inline enum sp_status
sp_rtp_read(const uint8_t *data, size_t len, struct sp_rtp *out)
{
	/* One unsigned comparison for both limits of the length. */
	if (len - SP_RTP_HEADER_MIN > UINT16_MAX - SP_RTP_HEADER_MIN ||
		data[0] != SP_RTP_PLAIN)
		return sp_rtp_parse(data, len, out);
	sp_rtp_peek(data, out);
	return SP_OK;
}

#endif
