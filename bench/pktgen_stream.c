/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_stream.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pktgen.h"
#include "bench/pktgen_srtp.h"
#include "relay/srtp_conf.h"
#include "relay/sum.h"

#define TALK 50u      /* packets until silence, in the mean */
#define NOISE_EVERY 8 /* packets' time: one says how silence sounds */
#define PT_NOISE 13
#define PT_EVENT 101
#define WINDOW 64u /* packets that a late one is looked for in */

enum pktgen_place
pktgen_heard_note(struct pktgen_heard *h, uint32_t seq)
{
	const int32_t ahead = (int32_t)(seq - h->highest);
	const uint32_t behind = (uint32_t)-ahead;

	if (ahead > 0) {
		h->seen = ahead < (int32_t)WINDOW ? h->seen << ahead : 0;
		h->seen |= 1;
		h->highest = seq;
		return PKTGEN_NEW;
	}
	if (behind >= WINDOW)
		return PKTGEN_LATE;
	if (h->seen & 1ull << behind)
		return PKTGEN_AGAIN;
	h->seen |= 1ull << behind;
	return PKTGEN_LATE;
}

struct sp_addr
pktgen_party(const struct pktgen *g, uint32_t stream)
{
	const uint32_t call = stream / 2;
	const uint32_t ip = htonl(
		g->conf.first_ip[stream % 2] + call / g->conf.calls_an_ip);
	const uint32_t port =
		PKTGEN_FIRST_PORT + 2 * (call % g->conf.calls_an_ip);

	return sp_addr_ip4((const uint8_t *)&ip, (uint16_t)port);
}

uint32_t
pktgen_party_at(const struct pktgen *g, uint32_t ip, uint16_t port)
{
	const uint32_t each = g->conf.calls_an_ip;
	const uint32_t place = (port - PKTGEN_FIRST_PORT) / 2;
	const uint32_t n_ips = (g->conf.calls + each - 1) / each;

	if (port < PKTGEN_FIRST_PORT || place >= each)
		return UINT32_MAX;
	for (uint32_t side = 0; side < PKTGEN_SIDES; side++) {
		const uint32_t at = ip - g->conf.first_ip[side];
		const uint32_t call = at * each + place;

		if (at < n_ips && call < g->conf.calls)
			return 2 * call + side;
	}
	return UINT32_MAX;
}

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

/* IPv4 and UDP, with the sum of addresses, ports and protocol as checksum. */
static void
write_head(uint8_t *frame, const struct sp_addr *from, const struct sp_addr *to)
{
	uint8_t *ip = frame + PKTGEN_ETH, *udp = frame + PKTGEN_UDP;
	uint16_t sum;

	put16(frame + 12, 0x0800);
	memset(ip, 0, PKTGEN_RTP - PKTGEN_ETH);
	ip[0] = 0x45;
	ip[6] = 0x40; /* may not be cut */
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, from->ip + 12, 4);
	memcpy(ip + 16, to->ip + 12, 4);
	put16(udp, from->port);
	put16(udp + 2, to->port);
	sum = sp_sum_fold(
		sp_sum_bytes(ip + 12, 8) + sp_sum_bytes(udp, 4) + htons(17));
	memcpy(udp + 6, &sum, sizeof sum);
}

/* Lengths and checksums; @sum_be is the payload's. */
static void
close_head(uint8_t *frame, uint32_t len, uint32_t sum_be)
{
	uint8_t *ip = frame + PKTGEN_ETH, *udp = frame + PKTGEN_UDP;
	const uint16_t udp_be = htons((uint16_t)(len + 8));
	uint16_t check;

	put16(ip + 2, len + 28);
	check = (uint16_t)~sp_sum_fold(sp_sum_bytes(ip, 20));
	memcpy(ip + 10, &check, sizeof check);
	memcpy(udp + 4, &udp_be, sizeof udp_be);
	check = sp_sum_close((uint32_t)sp_sum_word(udp + 6) +
		2u * (uint32_t)udp_be + sp_sum_fold(sum_be));
	memcpy(udp + 6, &check, sizeof check);
}

void
pktgen_datagram_close(uint8_t *frame, const struct sp_addr *from,
	const struct sp_addr *to, uint32_t payload_len)
{
	write_head(frame, from, to);
	close_head(frame, payload_len,
		sp_sum_bytes(frame + PKTGEN_RTP, payload_len));
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
	for (uint32_t i = 0; i < g->n; i++) {
		const uint32_t other = random32() % (i + 1);

		g->order[i] = g->order[other];
		g->order[other] = i;
		g->phase[i] = random32();
	}
	qsort(g->phase, g->n, sizeof g->phase[0], by_value);

	for (uint32_t i = 0; i < g->n; i++) {
		struct pktgen_stream *s = &g->stream[i];
		const struct sp_addr from = pktgen_party(g, i);

		memcpy(s->head + 6, g->mac[i % 2], 6);
		write_head(s->head, &from, &g->target[i].rtp);
		s->head[PKTGEN_RTP] = 0x80;
		put32(s->head + PKTGEN_RTP + 8, PKTGEN_SSRC + i);
		s->silence = -(int32_t)(random32() % 256);
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

uint32_t
pktgen_stream_write(
	struct pktgen *g, uint32_t number, uint64_t now, uint8_t *frame)
{
	struct pktgen_stream *s = &g->stream[number];
	uint8_t *rtp = frame + PKTGEN_RTP;
	uint32_t len = 12 + g->conf.payload, sum_be, some;

	s->seq++;
	memcpy(frame, s->head, PKTGEN_RTP);
	if (g->srtp)
		pktgen_srtp_sent(g, number, s->seq, now);
	if (g->conf.suite[number % 2] != SP_SRTP_NONE) {
		len = pktgen_srtp_put(g, g->event, rtp, &sum_be);
	} else {
		pktgen_stream_fill(g, number, s->seq, now, rtp);
		some = write_short(g, s, rtp);
		len = some > 0 ? some : len;
		/* All behind the mark is zero in these buffers. */
		sum_be = sp_sum_bytes(
			rtp, some > 0 ? some : 12 + sizeof(struct pktgen_mark));
	}
	close_head(frame, len, sum_be);
	return PKTGEN_RTP + len;
}
