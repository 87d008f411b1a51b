/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_DATAPLANE_BED_PAYLOAD_H
#define SP_TESTS_DATAPLANE_BED_PAYLOAD_H

#include "relay/srtp.h"
#include "tests/dataplane/bed_relay.h"

/* UDP payloads that a phone makes, and those of the frames that left. */

#define BED_PAYLOAD 1500 /* bytes of a packet here, with all that is added */

/* A packet's bytes with the room that engines want. */
struct bed_payload {
	uint8_t bytes[BED_PAYLOAD + SP_SRTP_ROOM];
	uint16_t len;
};

static inline struct bed_payload
bed_rtp(uint32_t ssrc, uint16_t seq, uint16_t len)
{
	struct bed_payload p = { .len = len };

	packet_put_rtp(p.bytes, len, ssrc, seq);
	for (unsigned int i = 12; i < len; i++)
		p.bytes[i] = (uint8_t)(seq + i);
	return p;
}

/* A receiver report without blocks, and a BYE behind it. */
static inline struct bed_payload
bed_rtcp(uint32_t ssrc)
{
	struct bed_payload p = { .len = 2 * PACKET_RTCP_LEN };

	packet_put_rtcp(p.bytes, ssrc);
	packet_put_rtcp(p.bytes + PACKET_RTCP_LEN, ssrc);
	p.bytes[PACKET_RTCP_LEN] = 0x81;
	p.bytes[PACKET_RTCP_LEN + 1] = 203;
	return p;
}

static inline bool
bed_is_rtcp(const struct bed_payload *p)
{
	return p->bytes[1] >= 192 && p->bytes[1] <= 223;
}

static inline struct sp_srtp_packet
bed_packet(struct bed_payload *p)
{
	struct sp_rtp rtp = { .header_len = 0 };

	if (!bed_is_rtcp(p))
		packet_must(
			sp_rtp_parse_header(p->bytes, p->len, &rtp) == SP_OK);
	return (struct sp_srtp_packet){
		.data = p->bytes, .len = p->len, .header_len = rtp.header_len
	};
}

/* Where the payload of frame @i that left lies. */
static inline struct bed_payload
bed_sent_payload(const struct bed *bed, unsigned int i)
{
	const struct packet *p = &bed->sent[i];
	const unsigned int l2 = p->frame[12] == 0x81 ? 18 : 14;
	const bool ip6 = p->frame[l2] >> 4 == 6;
	const unsigned int at = l2 + (ip6 ? 48 : 28);
	struct bed_payload out = { .len = (uint16_t)(p->len - at) };

	packet_must(out.len <= BED_PAYLOAD);
	memcpy(out.bytes, p->frame + at, out.len);
	return out;
}

/* Is frame @i that left one that a receiver's checksums are happy with? */
static inline bool
bed_sum_is_right(const struct bed *bed, unsigned int i)
{
	const struct packet *p = &bed->sent[i];
	const unsigned int l2 = p->frame[12] == 0x81 ? 18 : 14;
	const bool ip6 = p->frame[l2] >> 4 == 6;
	const unsigned int udp = l2 + (ip6 ? 40 : 20);
	const unsigned int len = p->len - udp;
	uint16_t sum = packet_sum(
		17 + len, p->frame + l2 + (ip6 ? 8 : 12), ip6 ? 32 : 8);

	if ((p->frame[udp + 4] << 8 | p->frame[udp + 5]) != (int)len)
		return false;
	return packet_sum(sum, p->frame + udp, len) == 0xffff;
}

#endif
