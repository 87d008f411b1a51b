/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_DATAPLANE_PACKET_H
#define SP_TESTS_DATAPLANE_PACKET_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/addr.h"

/*
 * Frames as the peers and the relay should write them, made byte by byte and
 * summed up the slow way: nothing here is shared with the code under test.
 */

#define PACKET_MAX 1600
#define PACKET_OURS "\2\0\0\0\0\1"
#define PACKET_PEER "\2\0\0\0\0\2"

struct packet {
	uint8_t frame[PACKET_MAX];
	uint16_t len;
};

/* All that a frame's headers say. Zeros: plain, untagged, with checksum. */
struct packet_shape {
	struct sp_addr from;
	struct sp_addr to;
	uint8_t to_mac[6]; /* all zero: ours, from the peer's */
	uint8_t from_mac[6];
	uint16_t tpid; /* 0: 0x8100 if there is a VLAN */
	uint16_t tci;  /* with priority bits */
	uint8_t tagged;
	uint8_t dscp;
	uint8_t ecn;
	uint8_t ttl; /* 0: 57 */
	enum {
		PACKET_FULL,
		PACKET_NO_CHECK,
		PACKET_PARTIAL
	} check;
};

static inline void
packet_must(int truth)
{
	if (!truth)
		abort();
}

static inline struct sp_addr
packet_addr(const char *text, uint16_t port)
{
	struct sp_addr a;

	packet_must(sp_addr_parse(text, strlen(text), &a) == SP_OK);
	a.port = port;
	return a;
}

static inline void
packet_put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The ones' complement sum of @len bytes, added to @sum, folded. */
static inline uint16_t
packet_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

/* The sum of UDP's pseudo header. */
static inline uint16_t
packet_pseudo(const struct packet_shape *s, unsigned int udp_len)
{
	const unsigned int at = s->from.family == SP_FAMILY_IP4 ? 12 : 0;
	const uint16_t sum = packet_sum(17, s->from.ip + at, 16 - at);

	return packet_sum(packet_sum(sum, s->to.ip + at, 16 - at),
		(const uint8_t[]){ (uint8_t)(udp_len >> 8), (uint8_t)udp_len },
		2);
}

static inline uint8_t *
packet_put_ip(uint8_t *at, const struct packet_shape *s, unsigned int udp_len)
{
	const uint8_t class = (uint8_t)(s->dscp << 2 | s->ecn);
	const uint8_t ttl = s->ttl ? s->ttl : 57;

	if (s->from.family == SP_FAMILY_IP4) {
		memset(at, 0, 20);
		at[0] = 0x45;
		at[1] = class;
		packet_put16(at + 2, udp_len + 20);
		at[6] = 0x40; /* don't fragment */
		at[8] = ttl;
		at[9] = 17;
		memcpy(at + 12, s->from.ip + 12, 4);
		memcpy(at + 16, s->to.ip + 12, 4);
		packet_put16(at + 10, packet_sum(0, at, 20) ^ 0xffff);
		return at + 20;
	}
	memset(at, 0, 40);
	packet_put16(at, 0x6000u | class << 4);
	packet_put16(at + 4, udp_len);
	at[6] = 17;
	at[7] = ttl;
	memcpy(at + 8, s->from.ip, 16);
	memcpy(at + 24, s->to.ip, 16);
	return at + 40;
}

static inline void
packet_put_udp(uint8_t *at, const struct packet_shape *s,
	const uint8_t *payload, unsigned int len)
{
	const uint16_t pseudo = packet_pseudo(s, len + 8);
	uint16_t check;

	packet_put16(at, s->from.port);
	packet_put16(at + 2, s->to.port);
	packet_put16(at + 4, len + 8);
	packet_put16(at + 6, 0);
	memmove(at + 8, payload, len);
	check = packet_sum(pseudo, at, len + 8) ^ 0xffff;
	if (check == 0)
		check = 0xffff;
	if (s->check == PACKET_PARTIAL)
		check = pseudo;
	if (s->check != PACKET_NO_CHECK)
		packet_put16(at + 6, check);
}

/* Write a frame that carries @payload. Returns where the payload lies. */
static inline uint8_t *
packet_write(struct packet *p, const struct packet_shape *s,
	const uint8_t *payload, unsigned int len)
{
	static const uint8_t none[6];
	uint8_t *at = p->frame + 12;

	memcpy(p->frame,
		memcmp(s->to_mac, none, 6) ? s->to_mac
					   : (const uint8_t *)PACKET_OURS,
		6);
	memcpy(p->frame + 6,
		memcmp(s->from_mac, none, 6) ? s->from_mac
					     : (const uint8_t *)PACKET_PEER,
		6);
	if (s->tagged) {
		packet_put16(at, s->tpid ? s->tpid : 0x8100);
		packet_put16(at + 2, s->tci);
		at += 4;
	}
	packet_put16(at, s->from.family == SP_FAMILY_IP4 ? 0x0800 : 0x86dd);
	at = packet_put_ip(at + 2, s, len + 8);
	packet_put_udp(at, s, payload, len);
	p->len = (uint16_t)(at + 8 + len - p->frame);
	return at + 8;
}

/* Write an RTP packet of @len bytes, G.711 in it. */
static inline void
packet_put_rtp(uint8_t *at, unsigned int len, uint32_t ssrc, uint16_t seq)
{
	packet_must(len >= 12);
	memset(at, 0xd5, len);
	at[0] = 0x80;
	at[1] = 0;
	packet_put16(at + 2, seq);
	packet_put16(at + 4, (seq * 160u) >> 16);
	packet_put16(at + 6, seq * 160u);
	packet_put16(at + 8, ssrc >> 16);
	packet_put16(at + 10, ssrc);
}

#define PACKET_RTCP_LEN 8

/* Write an empty receiver report. */
static inline void
packet_put_rtcp(uint8_t *at, uint32_t ssrc)
{
	packet_put16(at, 0x80c9);
	packet_put16(at + 2, 1);
	packet_put16(at + 4, ssrc >> 16);
	packet_put16(at + 6, ssrc);
}

#endif
