/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_srtp.h"

#include <rte_cycles.h>
#include <rte_prefetch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pktgen.h"
#include "relay/sdes.h"
#include "relay/srtp.h"
#include "relay/sum.h"

#define OPEN_EVERY 16u /* packets that arrive, one is opened */
#define REMEMBERED 16u /* packets of a stream that may be under way */
#define AHEAD 4u       /* slots whose lines are on their way */

struct slot {
	uint16_t len;
	uint16_t sum_be;
	uint8_t rtp[];
};

struct pktgen_srtp {
	struct sp_srtp_engine *engine;
	struct sp_srtp **sends;    /* of each party; NULL: in the clear */
	struct sp_srtp **receives; /* of each party */
	uint32_t *tag;             /* of the line that B answers */
	uint64_t *sent;            /* REMEMBERED of each stream */
	uint8_t *slots;            /* prepared packets */
	size_t stride;
	uint64_t n_slots;
	uint32_t arrived;
};

static uint32_t
now_ms(const struct pktgen *g, uint64_t now)
{
	return (uint32_t)((double)now / g->hz * 1000);
}

void
pktgen_srtp_open(struct pktgen *g)
{
	struct pktgen_srtp *s;

	if (g->conf.suite[0] == SP_SRTP_NONE &&
		g->conf.suite[1] == SP_SRTP_NONE)
		return;
	s = calloc(1, sizeof *s);
	if (!s || sp_srtp_engine_open(SP_SRTP_AUTO, 2 * g->n, &s->engine))
		pktgen_die("no SRTP engine");
	s->sends = calloc(g->n, sizeof(void *));
	s->receives = calloc(g->n, sizeof(void *));
	s->tag = calloc(g->n, sizeof *s->tag);
	s->sent = calloc((size_t)g->n * REMEMBERED, sizeof *s->sent);
	if (!s->sends || !s->receives || !s->tag || !s->sent)
		pktgen_die("no memory");
	s->stride = (sizeof(struct slot) + 12 + g->conf.payload + SP_SRTP_ROOM +
			    63) /
		64 * 64;
	g->srtp = s;
}

void
pktgen_srtp_close(struct pktgen *g)
{
	struct pktgen_srtp *s = g->srtp;

	if (!s)
		return;
	sp_srtp_engine_close(s->engine);
	free(s->sends);
	free(s->receives);
	free(s->tag);
	free(s->sent);
	free(s->slots);
	free(s);
	g->srtp = NULL;
}

/* A party's own key: anybody may know it. */
static struct sp_srtp_conf
key_of(const struct pktgen *g, uint32_t party)
{
	struct sp_srtp_conf conf = { .suite = g->conf.suite[party % 2],
		.n_keys = 1 };
	const struct sp_srtp_facts *facts = sp_srtp_facts(conf.suite);
	uint64_t x = (uint64_t)party * 0x9e3779b97f4a7c15u + 1;

	for (unsigned int i = 0; i < facts->key_len + facts->salt_len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		conf.key[0].key[i] = (uint8_t)(x >> 24);
	}
	return conf;
}

size_t
pktgen_srtp_offer(const struct pktgen *g, uint32_t party, char *to, size_t size)
{
	struct sp_sdes line = { .tag = 1 };
	char value[SP_SDES_TEXT_MAX];
	int len;

	if (g->conf.suite[party % 2] == SP_SRTP_NONE)
		return 0;
	if (g->srtp->tag[party] > 0)
		line.tag = g->srtp->tag[party];
	line.srtp = key_of(g, party);
	len = (int)sp_sdes_write(&line, value);
	return (size_t)snprintf(to, size, "a=crypto:%.*s\r\n", len, value);
}

void
pktgen_srtp_agree(
	struct pktgen *g, uint32_t party, const struct sp_sdp_media *m)
{
	struct pktgen_srtp *s = g->srtp;
	const struct sp_srtp_conf own =
		s ? key_of(g, party) : (struct sp_srtp_conf){ 0 };
	struct sp_sdes line;
	size_t at = 0;

	if (own.suite == SP_SRTP_NONE)
		return;
	while (sp_sdes_next(m, &at, &line)) {
		if (line.srtp.suite != own.suite)
			continue;
		s->tag[party] = line.tag;
		if (sp_srtp_open(s->engine, &own, true, &s->sends[party]) ||
			sp_srtp_open(s->engine, &line.srtp, false,
				&s->receives[party]))
			pktgen_die("call %u: no room for its keys", party / 2);
		return;
	}
	pktgen_die("call %u: the relay does not offer %s", party / 2,
		sp_srtp_facts(own.suite)->name);
}

static struct slot *
slot_at(const struct pktgen_srtp *s, uint64_t event)
{
	return (struct slot *)(s->slots + event * s->stride);
}

/* Protect @n slots from @first on; those in the clear stay empty. */
static void
prepare_burst(struct pktgen *g, uint64_t first, unsigned int n)
{
	struct pktgen_srtp *s = g->srtp;
	struct sp_srtp_packet packet[SP_SRTP_BURST];
	struct sp_srtp *under[SP_SRTP_BURST];
	struct slot *slot[SP_SRTP_BURST];
	unsigned int count = 0;

	for (uint64_t event = first; event < first + n; event++) {
		const uint32_t number = g->order[event % g->n];
		const uint32_t seq =
			g->stream[number].seq + 1 + (uint32_t)(event / g->n);

		if (!s->sends[number])
			continue;
		slot[count] = slot_at(s, event);
		pktgen_stream_fill(g, number, seq, 0, slot[count]->rtp);
		memset(slot[count]->rtp + 12 + sizeof(struct pktgen_mark), 0,
			g->conf.payload - sizeof(struct pktgen_mark));
		under[count] = s->sends[number];
		packet[count] = (struct sp_srtp_packet){
			.data = slot[count]->rtp,
			.len = (uint16_t)(12 + g->conf.payload),
			.header_len = 12,
		};
		count++;
	}
	sp_srtp_protect(
		s->engine, under, packet, count, now_ms(g, rte_rdtsc()));
	for (unsigned int i = 0; i < count; i++) {
		if (packet[i].fate != SP_SRTP_OK)
			pktgen_die("our own SRTP: fate %u", packet[i].fate);
		slot[i]->len = packet[i].len;
		slot[i]->sum_be =
			sp_sum_fold(sp_sum_bytes(slot[i]->rtp, packet[i].len));
	}
}

void
pktgen_srtp_prepare(struct pktgen *g, uint64_t count)
{
	struct pktgen_srtp *s = g->srtp;

	if (!s)
		return;
	if (count > s->n_slots) {
		free(s->slots);
		s->slots = aligned_alloc(64, count * s->stride);
		if (!s->slots)
			pktgen_die("no memory for %llu prepared packets",
				(unsigned long long)count);
		s->n_slots = count;
	}
	for (uint64_t at = 0; at < count; at += SP_SRTP_BURST)
		prepare_burst(g, at,
			count - at < SP_SRTP_BURST ? (unsigned int)(count - at)
						   : SP_SRTP_BURST);
}

uint32_t
pktgen_srtp_put(
	struct pktgen *g, uint64_t event, uint8_t *rtp, uint32_t *sum_be)
{
	const struct slot *slot = slot_at(g->srtp, event);

	for (unsigned int i = 0; i < 4 && event + AHEAD < g->srtp->n_slots; i++)
		rte_prefetch0((const uint8_t *)slot_at(g->srtp, event + AHEAD) +
			64 * i);
	memcpy(rtp, slot->rtp, slot->len);
	*sum_be = slot->sum_be;
	return slot->len;
}

void
pktgen_srtp_sent(struct pktgen *g, uint32_t stream, uint32_t seq, uint64_t now)
{
	g->srtp->sent[(size_t)stream * REMEMBERED + seq % REMEMBERED] = now;
}

uint64_t
pktgen_srtp_took(
	const struct pktgen *g, uint32_t stream, uint32_t seq, uint64_t now)
{
	const uint64_t sent =
		g->srtp->sent[(size_t)stream * REMEMBERED + seq % REMEMBERED];

	return (uint64_t)((double)(now - sent) * 1e9 / g->hz);
}

bool
pktgen_srtp_good(struct pktgen *g, uint32_t party, uint32_t stream,
	uint32_t seq, uint8_t *rtp, uint32_t len, uint64_t now)
{
	struct pktgen_srtp *s = g->srtp;
	struct sp_srtp_packet packet = {
		.data = rtp, .len = (uint16_t)len, .header_len = 12
	};
	struct pktgen_mark mark;

	if (s->receives[party]) {
		if (s->arrived++ % OPEN_EVERY != 0)
			return true;
		sp_srtp_unprotect(s->engine, &s->receives[party], &packet, 1,
			now_ms(g, now));
		if (packet.fate == SP_SRTP_REPLAY)
			return true; /* one that is counted as such anyway */
		if (packet.fate != SP_SRTP_OK)
			return false;
	}
	if (packet.len != 12 + g->conf.payload)
		return false;
	memcpy(&mark, rtp + 12, sizeof mark);
	return mark.magic == PKTGEN_MAGIC && mark.stream == stream &&
		mark.seq == seq;
}

uint32_t
pktgen_srtp_rtcp(struct pktgen *g, uint32_t party, uint8_t *rtcp, uint32_t len,
	uint64_t now)
{
	struct sp_srtp_packet packet = { .data = rtcp, .len = (uint16_t)len };

	if (!g->srtp || !g->srtp->sends[party])
		return len;
	sp_srtcp_protect(g->srtp->engine, g->srtp->sends[party], &packet,
		now_ms(g, now));
	return packet.len;
}
