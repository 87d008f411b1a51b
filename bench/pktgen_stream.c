/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_stream.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pktgen.h"
#include "bench/pktgen_six.h"
#include "bench/pktgen_srtp.h"
#include "relay/srtp_conf.h"
#include "relay/sum.h"

#define PREFIX 12u    /* bytes of an address that all of a side have */
#define TALK 50u      /* packets until silence, in the mean */
#define NOISE_EVERY 8 /* packets' time: one says how silence sounds */
#define PT_NOISE 13
#define PT_EVENT 101

static void
put16(uint8_t *at, uint32_t value)
{
	const uint16_t be = htons((uint16_t)value);

	memcpy(at, &be, sizeof be);
}

static void
put32(uint8_t *at, uint32_t value)
{
	const uint32_t be = htonl(value);

	memcpy(at, &be, sizeof be);
}

static uint32_t
read32(const uint8_t *at)
{
	uint32_t be;

	memcpy(&be, at, sizeof be);
	return ntohl(be);
}

struct sp_addr
pktgen_party(const struct pktgen *g, uint32_t stream)
{
	const uint32_t call = stream / 2;
	struct sp_addr party = g->conf.first[stream % 2];
	uint8_t *low = party.ip + PREFIX;

	put32(low, read32(low) + call / g->conf.calls_an_ip);
	party.port = (uint16_t)(PKTGEN_FIRST_PORT +
		2 * (call % g->conf.calls_an_ip));
	return party;
}

/* Do the addresses of @side begin like the one that ends with @low? */
static bool
is_net_of(
	const struct sp_addr *first, enum sp_family family, const uint8_t *low)
{
	return first->family == family &&
		(family == SP_FAMILY_IP4 ||
			memcmp(first->ip, low - PREFIX, PREFIX) == 0);
}

uint32_t
pktgen_party_at(const struct pktgen *g, enum sp_family family,
	const uint8_t *low, uint16_t port)
{
	const uint32_t each = g->conf.calls_an_ip;
	const uint32_t place = (port - PKTGEN_FIRST_PORT) / 2;
	const uint32_t n_ips = (g->conf.calls + each - 1) / each;

	if (port < PKTGEN_FIRST_PORT || place >= each)
		return UINT32_MAX;
	for (uint32_t side = 0; side < PKTGEN_SIDES; side++) {
		const struct sp_addr *first = &g->conf.first[side];
		const uint32_t at = read32(low) - read32(first->ip + PREFIX);
		const uint32_t call = at * each + place;

		if (at < n_ips && call < g->conf.calls &&
			is_net_of(first, family, low))
			return 2 * call + side;
	}
	return UINT32_MAX;
}

/* Of a pseudo header. */
static uint32_t
address_sum(const struct sp_addr *a)
{
	return a->family == SP_FAMILY_IP6 ? sp_sum_bytes(a->ip, sizeof a->ip)
					  : sp_sum_bytes(a->ip + PREFIX, 4);
}

/* IPv4 and UDP of a datagram; returns the sum of what its UDP checksum covers
   beside the payload. Of IPv6 the header is not written here. */
static uint32_t
write_head(uint8_t *frame, const struct sp_addr *from, const struct sp_addr *to,
	uint32_t len)
{
	uint8_t *ip = frame + PKTGEN_ETH, *udp = frame + PKTGEN_UDP;
	uint16_t check;

	put16(frame + 12, 0x0800);
	memset(ip, 0, PKTGEN_RTP - PKTGEN_ETH);
	ip[0] = 0x45;
	put16(ip + 2, len + 28);
	ip[6] = 0x40; /* may not be cut */
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, from->ip + PREFIX, 4);
	memcpy(ip + 16, to->ip + PREFIX, 4);
	check = (uint16_t)~sp_sum_fold(sp_sum_bytes(ip, 20));
	memcpy(ip + 10, &check, sizeof check);
	put16(udp, from->port);
	put16(udp + 2, to->port);
	put16(udp + 4, len + 8);
	return address_sum(from) + address_sum(to) + sp_sum_bytes(udp, 6) +
		htons(17) + sp_sum_word(udp + 4);
}

static void
put_sum(uint8_t *frame, uint16_t sum)
{
	memcpy(frame + PKTGEN_UDP + 6, &sum, sizeof sum);
}

void
pktgen_datagram_close(uint8_t *frame, const struct sp_addr *from,
	const struct sp_addr *to, uint32_t payload_len)
{
	const uint32_t sum = write_head(frame, from, to, payload_len);

	put_sum(frame,
		sp_sum_close(sp_sum_fold(sum) +
			sp_sum_fold(sp_sum_bytes(
				frame + PKTGEN_RTP, payload_len))));
}

void
pktgen_stream_close(uint8_t *frame, const struct pktgen_stream *s, uint32_t len,
	uint32_t sum_be)
{
	uint8_t *ip = frame + PKTGEN_ETH, *udp = frame + PKTGEN_UDP;
	const uint8_t *usual = s->head + PKTGEN_UDP;
	uint16_t check, len_be;

	memcpy(&len_be, usual + 4, sizeof len_be);
	if (len_be != htons((uint16_t)(len + 8))) {
		put16(ip + 2, len + 28);
		put16(ip + 10, 0);
		check = (uint16_t)~sp_sum_fold(sp_sum_bytes(ip, 20));
		memcpy(ip + 10, &check, sizeof check);
		put16(udp + 4, len + 8);
	}
	/* What the head's sum has in it of lengths goes out again. */
	put_sum(frame,
		sp_sum_close((uint32_t)sp_sum_word(usual + 6) +
			2u * (uint32_t)(uint16_t)~len_be +
			2u * (uint32_t)htons((uint16_t)(len + 8)) +
			sp_sum_fold(sum_be)));
}

static int
by_value(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t
random32(void)
{
	return (uint32_t)random() << 16 ^ (uint32_t)random();
}

void
pktgen_streams_make(struct pktgen *g)
{
	g->n_order = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		const uint32_t at = g->n_order;
		const uint32_t other = random32() % (at + 1);

		if (g->conf.silent[i % 2])
			continue;
		g->order[at] = g->order[other];
		g->order[other] = i;
		g->phase[at] = random32();
		g->n_order++;
	}
	qsort(g->phase, g->n_order, sizeof g->phase[0], by_value);

	for (uint32_t i = 0; i < g->n; i++)
		g->stream[i].silence = -(int32_t)(random32() % 256);
	pktgen_streams_aim(g);
}

/* Addresses and lengths never change: they are summed once. */
void
pktgen_streams_aim(struct pktgen *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		struct pktgen_stream *s = &g->stream[i];
		const struct sp_addr from = pktgen_party(g, i);
		uint32_t sum;

		memcpy(s->head + 6, g->mac[i % 2], 6);
		if (from.family == SP_FAMILY_IP6)
			pktgen_six_make(&g->six[i], &from, &g->target[i].rtp);
		sum = write_head(s->head, &from, &g->target[i].rtp,
			12 + g->conf.payload +
				sp_srtp_facts(g->conf.suite[i % 2])->rtp_tag);
		put_sum(s->head, sp_sum_fold(sum));
		s->head[PKTGEN_RTP] = 0x80;
		put32(s->head + PKTGEN_RTP + 8, PKTGEN_SSRC + i);
	}
}

bool
pktgen_stream_rests(struct pktgen *g, uint32_t number)
{
	struct pktgen_stream *s = &g->stream[number];

	if (g->conf.dtx == 0)
		return false;
	if (s->silence < 0) {
		if (++s->silence == 0)
			s->silence = (int32_t)(1 +
				random32() %
					(2 * TALK * g->conf.dtx /
						(100 - g->conf.dtx)));
		return false;
	}
	if (--s->silence == 0)
		s->silence = -(int32_t)(1 + random32() % (2 * TALK));
	return s->silence < 0 || s->silence % NOISE_EVERY != 0;
}

void
pktgen_stream_fill(const struct pktgen *g, uint32_t number, uint32_t seq,
	uint64_t now, uint8_t *rtp)
{
	const struct pktgen_mark mark = { .magic = PKTGEN_MAGIC,
		.stream = number,
		.run = g->run,
		.seq = seq,
		.tsc = now };

	memcpy(rtp, g->stream[number].head + PKTGEN_RTP, 12);
	put16(rtp + 2, seq);
	put32(rtp + 4, seq * 8 * g->conf.ptime_ms);
	memcpy(rtp + 12, &mark, sizeof mark);
}

void
pktgen_stream_sent(
	struct pktgen *g, uint32_t stream, uint32_t seq, uint64_t now)
{
	g->sent[(size_t)stream * PKTGEN_REMEMBERED + seq % PKTGEN_REMEMBERED] =
		now;
}

uint64_t
pktgen_stream_when(const struct pktgen *g, uint32_t stream, uint32_t seq)
{
	return g->sent[(size_t)stream * PKTGEN_REMEMBERED +
		seq % PKTGEN_REMEMBERED];
}

/* A short one, if it is time for that: its length, or 0. */
static uint32_t
write_short(struct pktgen *g, const struct pktgen_stream *s, uint8_t *rtp)
{
	if (s->silence > 0 && g->conf.dtx > 0) {
		rtp[1] = PT_NOISE;
		rtp[12] = 64;
		return 13;
	}
	if (g->conf.dtmf > 0 && random32() % 1000 < g->conf.dtmf) {
		rtp[1] = PT_EVENT;
		memcpy(rtp + 12, "\x05\x0a\x03\x20", 4);
		return 16;
	}
	return 0;
}

/* The UDP checksum of what pktgen_stream_fill() wrote, from what it had: to
   read it back at once would have to wait for it. */
static uint16_t
clear_sum(const struct pktgen *g, uint32_t number, uint64_t now)
{
	const struct pktgen_stream *s = &g->stream[number];
	uint64_t sum = sp_sum_word(s->head + PKTGEN_UDP + 6);

	sum += sp_sum_word(s->head + PKTGEN_RTP) + htons((uint16_t)s->seq);
	sum += htonl(s->seq * 8 * g->conf.ptime_ms);
	sum += sp_sum_pair(s->head + PKTGEN_RTP + 8);
	sum += (uint64_t)PKTGEN_MAGIC + number + g->run + s->seq;
	sum += (uint32_t)now + (now >> 32);
	return sp_sum_close(sp_sum_narrow(sum));
}

/* In the clear: all behind the mark is zero in these buffers. */
static uint32_t
write_clear(struct pktgen *g, uint32_t number, uint64_t now, uint8_t *frame)
{
	const struct pktgen_stream *s = &g->stream[number];
	uint8_t *rtp = frame + PKTGEN_RTP;
	uint32_t len = 0;

	pktgen_stream_fill(g, number, s->seq, now, rtp);
	if (g->sent)
		len = write_short(g, s, rtp);
	if (len > 0) {
		pktgen_stream_close(frame, s, len, sp_sum_bytes(rtp, len));
		return PKTGEN_RTP + len;
	}
	put_sum(frame, clear_sum(g, number, now));
	return PKTGEN_RTP + 12 + g->conf.payload;
}

uint32_t
pktgen_stream_write(
	struct pktgen *g, uint32_t number, uint64_t now, uint8_t *frame)
{
	struct pktgen_stream *s = &g->stream[number];
	uint8_t *rtp = frame + PKTGEN_RTP;
	uint32_t len, sum_be;

	s->seq++;
	memcpy(frame, s->head, PKTGEN_HEAD);
	if (g->sent)
		pktgen_stream_sent(g, number, s->seq, now);
	if (g->conf.suite[number % 2] == SP_SRTP_NONE)
		return write_clear(g, number, now, frame);
	if (g->conf.srtp_live) {
		pktgen_stream_fill(g, number, s->seq, now, rtp);
		return PKTGEN_RTP + 12 + g->conf.payload;
	}
	len = pktgen_srtp_put(g, number % 2, rtp, &sum_be);
	pktgen_stream_close(frame, s, len, sum_be);
	return PKTGEN_RTP + len;
}
