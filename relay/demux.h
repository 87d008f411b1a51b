/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_DEMUX_H
#define SP_RELAY_DEMUX_H

#include <stddef.h>
#include <stdint.h>

/* What a datagram on a media port is, told by its first two bytes. */
enum sp_demux {
	SP_DEMUX_UNKNOWN, /* RFC 7983: to be dropped, unless SDP named it */
	SP_DEMUX_STUN,
	SP_DEMUX_ZRTP,
	SP_DEMUX_DTLS,
	SP_DEMUX_TURN, /* a TURN channel */
	SP_DEMUX_RTP,
	SP_DEMUX_RTCP, /* RTP + 1: the second byte decides by addition */
};

/* First byte over four, to what it announces: one cache line. */
extern const uint8_t sp_demux_table[64];

/*
 * Say what @data is. Shorter than two bytes is SP_DEMUX_UNKNOWN.
 *
 * Core: worker, for every packet.
 * Spec: RFC 7983 section 7, RFC 6189 section 5, RFC 5761 section 4.
 */
static inline enum sp_demux
sp_demux(const uint8_t *data, size_t len)
{
	if (__builtin_expect(len < 2, 0))
		return SP_DEMUX_UNKNOWN;

	const unsigned int first = sp_demux_table[data[0] >> 2];
	const unsigned int rtcp = (data[1] & 0xe0) == 192;

	return (enum sp_demux)(first + ((first == SP_DEMUX_RTP) & rtcp));
}

#endif
