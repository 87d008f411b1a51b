/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet costs: CPU cycles from classify to the rewritten frame, in
 * memory, without a NIC, for more and more flows met in random order. Beside
 * it a floor: the least a relay could do (array lookup, header copied,
 * counters), so that the ratio means something on any machine.
 *
 * Usage: path [rounds]
 */
#include <inttypes.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/stage.h"

#define PORTS_PER_LOCAL 32768u
#define FIRST_PORT 16384u
#define PAYLOAD 172u /* RTP header and 20 ms of G.711 */
#define FRAME (14u + SP_DATAGRAM_IP4 + PAYLOAD)
#define BUFFER 2048u
#define HEADROOM 128u
#define RING 1024u /* buffers in turn, as a NIC's ring has them */
#define MAX_ROUNDS 4096u

struct bench {
	struct sp_locals locals;
	struct sp_flow_table table;
	struct sp_stage_commit commit;
	struct sp_l2 hops[2];
	struct rte_mbuf mbuf[RING];
	uint8_t *data;
	struct sp_burst burst;
	uint32_t n_flows;
	uint32_t *order; /* flows in random order */
	uint32_t turn;   /* of the ring */
};

static uint16_t
port_of(uint32_t i)
{
	return (uint16_t)(FIRST_PORT + i % PORTS_PER_LOCAL);
}

static struct sp_addr
local_of(uint32_t i)
{
	const uint8_t ip[4] = { 10, 0, 0, (uint8_t)(i / PORTS_PER_LOCAL + 1) };

	return sp_addr_ip4(ip, port_of(i));
}

static struct sp_addr
remote_of(uint32_t i)
{
	const uint8_t ip[4] = { 198, (uint8_t)(18 + (i >> 16)),
		(uint8_t)(i >> 8), (uint8_t)i };

	return sp_addr_ip4(ip, (uint16_t)(20000 + i % 1000));
}

/* The party's packet number @seq to flow @i. */
static void
write_frame(uint8_t *frame, uint32_t i, uint16_t seq)
{
	static const uint8_t ethernet[14] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0,
		2, 8, 0 };
	const struct sp_addr from = remote_of(i), to = local_of(i);
	struct sp_header h;

	memcpy(frame, ethernet, sizeof ethernet);
	sp_header_build(&h, &from, &to, 0, 60);
	sp_header_place(&h, frame + 14, PAYLOAD, 0, 0x1234);
	frame += 14 + SP_DATAGRAM_IP4;
	memset(frame, 0, SP_RTP_HEADER_MIN);
	frame[0] = SP_RTP_PLAIN;
	frame[2] = (uint8_t)(seq >> 8);
	frame[3] = (uint8_t)seq;
	frame[11] = (uint8_t)i;
}

static void
open_locals(struct bench *b)
{
	const uint32_t n = (b->n_flows + PORTS_PER_LOCAL - 1) / PORTS_PER_LOCAL;

	for (uint32_t l = 0; l < n; l++) {
		struct sp_local *local = &b->locals.local[l];

		local->addr = local_of(l * PORTS_PER_LOCAL);
		local->addr.port = 0;
		local->first_port = FIRST_PORT;
		local->last_port = FIRST_PORT + PORTS_PER_LOCAL - 1;
		local->slot = calloc(65536, sizeof *local->slot);
		if (!local->slot)
			abort();
	}
	b->locals.count = (uint16_t)n;
	sp_locals_index(&b->locals);
}

static void
open_flows(struct bench *b)
{
	if (sp_flow_table_open(&b->table, &b->locals, b->n_flows, false) !=
		SP_OK)
		abort();
	for (uint32_t i = 0; i < b->n_flows; i++) {
		const struct sp_flow_conf conf = {
			.signalled = remote_of(i),
			.out_rtp = (i ^ 1) + 1,
			.clock_hz = 8000,
			.local = (uint16_t)(i / PORTS_PER_LOCAL),
			.port = port_of(i),
			.kind = SP_FLOW_RTP,
			.policy = SP_LATCH_RESTRICTED,
			.send = 1,
		};

		if (sp_flow_table_program(
			    &b->table, i + 1, &conf, 1, 1, 1) != SP_OK)
			abort();
	}
}

static struct bench *
open_bench(uint32_t n_flows)
{
	struct bench *b = calloc(1, sizeof *b);

	if (!b)
		abort();
	b->n_flows = n_flows;
	b->data = malloc((size_t)RING * BUFFER);
	b->order = calloc(n_flows, sizeof *b->order);
	if (!b->data || !b->order)
		abort();
	for (uint32_t i = 0; i < n_flows; i++)
		b->order[i] = i;
	for (unsigned int i = 0; i < RING; i++) {
		b->mbuf[i].buf_addr = b->data + (size_t)i * BUFFER;
		b->mbuf[i].buf_len = BUFFER;
		b->mbuf[i].nb_segs = 1;
	}
	b->hops[1] = (struct sp_l2){
		.len = SP_L2_PLAIN, .ready = 1, .mtu = 1500, .header = { 2, [12] = 8 }
	};
	open_locals(b);
	open_flows(b);
	return b;
}

static void
close_bench(struct bench *b)
{
	sp_flow_table_close(&b->table);
	for (unsigned int i = 0; i < b->locals.count; i++)
		free(b->locals.local[i].slot);
	free(b->data);
	free(b->order);
	free(b);
}

static void
shuffle(struct bench *b)
{
	for (uint32_t i = b->n_flows - 1; i > 0; i--) {
		const uint32_t j = (uint32_t)random() % (i + 1);
		const uint32_t keep = b->order[i];

		b->order[i] = b->order[j];
		b->order[j] = keep;
	}
}

/* Not timed: put the next packets of @n flows into the ring's buffers. */
static void
receive(struct bench *b, uint32_t at, uint16_t n, uint16_t seq)
{
	b->burst.count = n;
	b->burst.now_us += 100;
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = &b->mbuf[b->turn++ % RING];

		m->data_off = HEADROOM;
		m->data_len = FRAME;
		m->pkt_len = FRAME;
		m->ol_flags = 0;
		write_frame(rte_pktmbuf_mtod(m, uint8_t *), b->order[at + i],
			seq);
		b->burst.pkt[i] = m;
	}
}

static void
relay(struct bench *b)
{
	sp_stage_classify(&b->burst, &b->locals);
	sp_stage_lookup(&b->burst, &b->table);
	sp_stage_admit(&b->burst, &b->table);
	sp_stage_commit(&b->burst, &b->table, &b->commit);
	sp_stage_rewrite(&b->burst, b->hops);
}

/* The floor: no checks, no source, no statistics but two counters. */
static void
copy_only(struct bench *b)
{
	struct sp_flow *flow[SP_BURST];

	for (uint16_t i = 0; i < b->burst.count; i++) {
		const uint8_t *l3 =
			rte_pktmbuf_mtod(b->burst.pkt[i], uint8_t *) + 14;
		const unsigned int local = l3[19] - 1u;
		const uint16_t port = (uint16_t)(l3[22] << 8 | l3[23]);

		flow[i] = &b->table.flow[b->locals.local[local].slot[port]];
		__builtin_prefetch(&flow[i]->latch);
		__builtin_prefetch(&flow[i]->quality);
	}
	for (uint16_t i = 0; i < b->burst.count; i++)
		__builtin_prefetch(&b->table.flow[flow[i]->out_rtp].header);
	for (uint16_t i = 0; i < b->burst.count; i++) {
		uint8_t *frame = rte_pktmbuf_mtod(b->burst.pkt[i], uint8_t *);
		const struct sp_flow *out = &b->table.flow[flow[i]->out_rtp];

		memcpy(frame + 14, out->header.bytes, SP_DATAGRAM_IP4);
		memcpy(frame, b->hops[1].header, SP_L2_PLAIN);
		flow[i]->packets++;
		flow[i]->octets += PAYLOAD;
	}
}

static int
by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median over rounds of the mean cycles of a packet. */
static double
measure(struct bench *b, unsigned int rounds, void (*path)(struct bench *))
{
	static double per_packet[MAX_ROUNDS];
	uint64_t forwarded = 0;

	for (unsigned int r = 0; r < rounds; r++) {
		uint64_t cycles = 0;

		shuffle(b);
		for (uint32_t at = 0; at < b->n_flows; at += SP_BURST) {
			const uint32_t left = b->n_flows - at;
			uint64_t start;

			receive(b, at,
				(uint16_t)(left < SP_BURST ? left : SP_BURST),
				(uint16_t)(r + 1));
			start = rte_rdtsc_precise();
			path(b);
			cycles += rte_rdtsc_precise() - start;
			for (uint16_t i = 0; i < b->burst.count; i++)
				forwarded += b->burst.verdict[i] ==
					SP_VERDICT_FORWARD;
		}
		per_packet[r] = (double)cycles / b->n_flows;
	}
	if (path == relay && forwarded != (uint64_t)rounds * b->n_flows) {
		fprintf(stderr, "only %" PRIu64 " packets were forwarded\n",
			forwarded);
		exit(1);
	}
	qsort(per_packet, rounds, sizeof *per_packet, by_value);
	return per_packet[rounds / 2];
}

int
main(int argc, char **argv)
{
	static const uint32_t flows[] = { 2, 32, 2000, 20000, 200000 };
	const unsigned int asked =
		argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 0;

	printf("flows     cycles/packet     floor   ratio   (%zu bytes a "
	       "flow)\n",
		sizeof(struct sp_flow));
	for (size_t i = 0; i < sizeof flows / sizeof *flows; i++) {
		struct bench *b = open_bench(flows[i]);
		unsigned int rounds = asked
			? asked
			: (flows[i] < 1000 ? MAX_ROUNDS
						 : 2000000 / flows[i] + 1);
		double path, floor_cycles;

		rounds = rounds < MAX_ROUNDS ? rounds : MAX_ROUNDS;
		path = measure(b, rounds, relay);
		floor_cycles = measure(b, rounds, copy_only);
		printf("%6" PRIu32 "    %13.1f %9.1f %7.2f\n", flows[i], path,
			floor_cycles, path / floor_cycles);
		close_bench(b);
	}
	return 0;
}
