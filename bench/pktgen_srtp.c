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
#define AHEAD 4u       /* slots whose lines are on their way */
#define LINE 64u
#define TAG_MAX 16u
#define BUFFER 1536u /* a packet and SP_SRTP_ROOM */
_Static_assert(PKTGEN_SRTP_LIVE <= SP_SRTP_BURST, "protected at once");

struct slot {
	uint16_t len;
	uint16_t sum_be;
	uint8_t rtp[];
};

/* What one side sends, in this order. */
struct slots {
	uint8_t *at;
	uint64_t room;
	uint64_t first; /* to be sent */
	uint64_t count; /* a ring */
};

struct pktgen_srtp {
	struct sp_srtp_engine *engine;
	struct sp_srtp **sends;    /* of each party; NULL: in the clear */
	struct sp_srtp **receives; /* of each party */
	uint32_t *tag;             /* of the line that B answers */
	struct slots slots[PKTGEN_SIDES];
	size_t stride;
	uint32_t arrived;
	uint32_t *used;  /* each stream's last number that is protected */
	uint64_t events; /* as g->events: protected so far */
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
	s->used = calloc(g->n, sizeof *s->used);
	if (!s->sends || !s->receives || !s->tag || !s->used)
		pktgen_die("no memory");
	/* No more behind a packet than its tag, so that as many as can be lie
	   in memory: the next one is protected later. */
	s->stride = (sizeof(struct slot) + 12 + g->conf.payload + TAG_MAX +
			    LINE - 1) /
		LINE * LINE;
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
	free(s->used);
	for (unsigned int side = 0; side < PKTGEN_SIDES; side++)
		pktgen_room_end(s->slots[side].at);
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
		sp_srtp_close(s->engine, s->sends[party]);
		sp_srtp_close(s->engine, s->receives[party]);
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
slot_at(const struct pktgen_srtp *s, unsigned int side, uint64_t number)
{
	return (struct slot *)(s->slots[side].at + number * s->stride);
}

/* Packets to be protected together. */
struct batch {
	struct sp_srtp_packet packet[SP_SRTP_BURST];
	struct sp_srtp *under[SP_SRTP_BURST];
	struct slot *slot[SP_SRTP_BURST];
	uint8_t rtp[SP_SRTP_BURST][BUFFER];
	unsigned int n;
};

/* The engine writes behind its packets, and a slot has no room for that. */
static void
finish(struct pktgen *g, struct batch *b)
{
	sp_srtp_protect(g->srtp->engine, b->under, b->packet, b->n,
		now_ms(g, rte_rdtsc()));
	for (unsigned int i = 0; i < b->n; i++) {
		const struct sp_srtp_packet *p = &b->packet[i];

		if (p->fate != SP_SRTP_OK)
			pktgen_die("our own SRTP: fate %u", p->fate);
		b->slot[i]->len = p->len;
		b->slot[i]->sum_be = sp_sum_fold(sp_sum_bytes(p->data, p->len));
		memcpy(b->slot[i]->rtp, p->data, p->len);
	}
	b->n = 0;
}

static void
add(struct pktgen *g, struct batch *b, uint32_t number)
{
	struct pktgen_srtp *s = g->srtp;
	struct slots *slots = &s->slots[number % 2];
	const unsigned int i = b->n++;

	b->slot[i] = slot_at(
		s, number % 2, (slots->first + slots->count++) % slots->room);
	pktgen_stream_fill(g, number, ++s->used[number], 0, b->rtp[i]);
	b->under[i] = s->sends[number];
	b->packet[i] = (struct sp_srtp_packet){
		.data = b->rtp[i],
		.len = (uint16_t)(12 + g->conf.payload),
		.header_len = 12,
	};
}

static uint64_t
memory_free(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long kib = 0;
	char text[128];

	while (file && fgets(text, sizeof text, file))
		if (sscanf(text, "MemAvailable: %llu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib * 1024;
}

/* Move what is left over to the front of more memory. */
static void
grow(struct pktgen_srtp *s, struct slots *slots, uint64_t room)
{
	const uint64_t there = memory_free();
	struct slots more = { .room = room };

	if (room * s->stride > there / 10 * 9)
		pktgen_die("%llu packets to protect beforehand take %llu MB, "
			   "%llu are free: --srtp-live, or less a second, or "
			   "fewer seconds",
			(unsigned long long)room,
			(unsigned long long)(room * s->stride >> 20),
			(unsigned long long)(there >> 20));
	more.at = pktgen_room(room, s->stride);
	for (; more.count < slots->count; more.count++)
		memcpy(more.at + more.count * s->stride,
			slots->at +
				(slots->first + more.count) % slots->room *
					s->stride,
			s->stride);
	pktgen_room_end(slots->at);
	*slots = more;
}

/* Of @count packets of both sides, a side sends half; all, if alone. */
static void
make_room(struct pktgen *g, uint64_t count)
{
	struct pktgen_srtp *s = g->srtp;
	const uint64_t each = count * g->conf.calls / g->n_order + g->n;

	for (unsigned int side = 0; side < PKTGEN_SIDES; side++) {
		struct slots *slots = &s->slots[side];
		const uint64_t room = slots->count + each;

		if (g->conf.suite[side] != SP_SRTP_NONE && room > slots->room)
			grow(s, slots, room);
	}
}

void
pktgen_srtp_prepare(struct pktgen *g, uint64_t count)
{
	static struct batch batch;
	struct pktgen_srtp *s = g->srtp;

	if (!s || g->conf.srtp_live)
		return;
	make_room(g, count);
	for (; s->events < g->events + count; s->events++) {
		const uint32_t number = g->order[s->events % g->n_order];

		if (!s->sends[number])
			continue;
		add(g, &batch, number);
		if (batch.n == SP_SRTP_BURST)
			finish(g, &batch);
	}
	finish(g, &batch);
}

void
pktgen_srtp_forget(struct pktgen *g)
{
	struct pktgen_srtp *s = g->srtp;

	if (!s)
		return;
	s->events = g->events;
	memset(s->used, 0, g->n * sizeof *s->used);
	for (unsigned int side = 0; side < PKTGEN_SIDES; side++)
		s->slots[side].count = 0;
}

uint32_t
pktgen_srtp_put(
	struct pktgen *g, unsigned int side, uint8_t *rtp, uint32_t *sum_be)
{
	struct slots *slots = &g->srtp->slots[side];
	const struct slot *slot = slot_at(g->srtp, side, slots->first);

	/* It may point behind the last one: nothing comes of that. */
	for (size_t at = 0; at < g->srtp->stride; at += LINE)
		rte_prefetch0(
			(const uint8_t *)slot + AHEAD * g->srtp->stride + at);
	if (++slots->first == slots->room)
		slots->first = 0;
	slots->count--;
	memcpy(rtp, slot->rtp, slot->len);
	*sum_be = slot->sum_be;
	return slot->len;
}

uint32_t
pktgen_srtp_live(struct pktgen *g, const uint32_t stream[],
	uint8_t *const frame[], unsigned int n)
{
	struct pktgen_srtp *s = g->srtp;
	struct sp_srtp_packet packet[PKTGEN_SRTP_LIVE];
	struct sp_srtp *under[PKTGEN_SRTP_LIVE];
	const uint32_t before = 12 + g->conf.payload;

	for (unsigned int i = 0; i < n; i++) {
		under[i] = s->sends[stream[i]];
		packet[i] = (struct sp_srtp_packet){
			.data = frame[i] + PKTGEN_RTP,
			.len = (uint16_t)before,
			.header_len = 12,
		};
	}
	sp_srtp_protect(s->engine, under, packet, n, now_ms(g, rte_rdtsc()));
	for (unsigned int i = 0; i < n; i++) {
		if (packet[i].fate != SP_SRTP_OK)
			pktgen_die("our own SRTP: fate %u", packet[i].fate);
		pktgen_stream_close(frame[i], &g->stream[stream[i]],
			packet[i].len,
			sp_sum_bytes(packet[i].data, packet[i].len));
	}
	return n > 0 ? packet[0].len - before : 0;
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
