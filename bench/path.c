/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet costs: CPU cycles from classify to the rewritten frame, in
 * memory, without a NIC, for more and more flows met in random order. Beside
 * it a floor: the least a relay could do (array lookup, header copied,
 * counters), so that the ratio means something on any machine.
 *
 * All sizes take turns in each pass, so that a noisy machine disturbs all of
 * them alike; the table has the quietest pass and the median one.
 *
 * Usage: path [passes]
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
#define BUFFER 2048u
#define HEADROOM 128u
#define RING 1024u /* buffers in turn, as a NIC's ring has them */
#define PASS_PACKETS 200000u
#define PASSES 40u
#define PASSES_MAX 1000u
#define INTERRUPTED 100000u /* cycles: no burst needs so long by itself */

/* What comes in; what goes out differs only with FOUR_TO_SIX. */
enum family {
	FOUR,
	SIX,
	FOUR_TO_SIX
};

struct bench {
	const char *name;
	enum family family;
	uint8_t flags;    /* of these flows */
	uint32_t n_flows; /* packets arrive on so many */
	struct sp_locals locals;
	struct sp_flow_table table;
	struct sp_stage_commit commit;
	struct sp_l2 hops[2];
	struct rte_mbuf mbuf[RING];
	uint8_t *data;
	struct sp_burst burst;
	uint32_t *order; /* these flows, in random order */
	uint32_t at;     /* of @order */
	uint32_t turn;   /* of the ring */
	uint16_t seq;    /* of all flows, a turn of @order */
	uint32_t interrupted;
	double path[PASSES_MAX]; /* cycles a packet, by pass */
	double floor[PASSES_MAX];
};

/* Flows face each other in pairs, an even and an odd one. */
static bool
is_six(const struct bench *b, uint32_t i)
{
	return b->family == SIX || (b->family == FOUR_TO_SIX && i % 2 == 1);
}

static uint16_t
port_of(uint32_t i)
{
	return (uint16_t)(FIRST_PORT + i % PORTS_PER_LOCAL);
}

/* IPv4 locals come first, then as many of IPv6. */
static uint16_t
local_index(const struct bench *b, uint32_t i)
{
	return (uint16_t)(i / PORTS_PER_LOCAL +
		(is_six(b, i) ? b->locals.count / 2u : 0));
}

static struct sp_addr
address(bool six, uint8_t net, uint32_t host, uint16_t port)
{
	const uint8_t four[4] = { net, (uint8_t)(host >> 16),
		(uint8_t)(host >> 8), (uint8_t)host };
	const uint8_t ip[16] = { 0xfd, net, [13] = four[1], four[2], four[3] };

	return six ? sp_addr_ip6(ip, port) : sp_addr_ip4(four, port);
}

static struct sp_addr
local_of(const struct bench *b, uint32_t i)
{
	return address(is_six(b, i), 10, i / PORTS_PER_LOCAL + 1, port_of(i));
}

static struct sp_addr
remote_of(const struct bench *b, uint32_t i)
{
	return address(is_six(b, i), 20, i, (uint16_t)(20000 + i % 1000));
}

/* The party's packet number @seq to flow @i. Returns the frame's length. */
static uint16_t
write_frame(const struct bench *b, uint8_t *frame, uint32_t i, uint16_t seq)
{
	const uint8_t ethernet[14] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
		is_six(b, i) ? 0x86 : 0x08, is_six(b, i) ? 0xdd : 0x00 };
	const struct sp_addr from = remote_of(b, i), to = local_of(b, i);
	struct sp_header h;
	uint8_t *rtp;

	memcpy(frame, ethernet, sizeof ethernet);
	sp_header_build(&h, &from, &to, 0, 60);
	sp_header_place(&h, frame + sizeof ethernet, PAYLOAD, 0, 0x1234);
	rtp = frame + sizeof ethernet + h.len;
	memset(rtp, 0, SP_RTP_HEADER_MIN);
	rtp[0] = SP_RTP_PLAIN;
	rtp[2] = (uint8_t)(seq >> 8);
	rtp[3] = (uint8_t)seq;
	rtp[11] = (uint8_t)i;
	return (uint16_t)(sizeof ethernet + h.len + PAYLOAD);
}

static void
open_locals(struct bench *b, uint32_t n_flows)
{
	const uint32_t n = (n_flows + PORTS_PER_LOCAL - 1) / PORTS_PER_LOCAL;

	b->locals.count = (uint16_t)(2 * n);
	for (uint32_t l = 0; l < 2 * n; l++) {
		struct sp_local *local = &b->locals.local[l];

		local->addr = address(l >= n, 10, l % n + 1, 0);
		local->first_port = FIRST_PORT;
		local->last_port = FIRST_PORT + PORTS_PER_LOCAL - 1;
		local->slot = calloc(65536, sizeof *local->slot);
		if (!local->slot)
			abort();
	}
	sp_locals_index(&b->locals);
}

static void
open_flows(struct bench *b, uint32_t n_flows)
{
	if (sp_flow_table_open(&b->table, &b->locals, n_flows, false) != SP_OK)
		abort();
	for (uint32_t i = 0; i < n_flows; i++) {
		const struct sp_flow_conf conf = {
			.signalled = remote_of(b, i),
			.out_rtp = (i ^ 1) + 1,
			.clock_hz = 8000,
			.local = local_index(b, i),
			.port = port_of(i),
			.kind = SP_FLOW_RTP,
			.flags = b->flags,
			.policy = SP_LATCH_RESTRICTED,
			.send = 1,
		};

		if (sp_flow_table_program(&b->table, i + 1, &conf, 1, 1, 1) !=
			SP_OK)
			abort();
	}
}

static struct bench *
open_bench(
	const char *name, enum family family, uint8_t flags, uint32_t n_flows)
{
	const uint32_t step = family == FOUR_TO_SIX ? 2 : 1;
	struct bench *b = calloc(1, sizeof *b);

	if (!b)
		abort();
	b->name = name;
	b->family = family;
	b->flags = flags;
	b->n_flows = n_flows;
	b->data = malloc((size_t)RING * BUFFER);
	b->order = calloc(n_flows, sizeof *b->order);
	if (!b->data || !b->order)
		abort();
	for (uint32_t i = 0; i < n_flows; i++)
		b->order[i] = i * step;
	b->at = n_flows;
	for (unsigned int i = 0; i < RING; i++) {
		b->mbuf[i].buf_addr = b->data + (size_t)i * BUFFER;
		b->mbuf[i].buf_len = BUFFER;
		b->mbuf[i].nb_segs = 1;
	}
	b->hops[1] = (struct sp_l2){ .len = SP_L2_PLAIN,
		.ready = 1,
		.mtu = 1500,
		.header = { 2, [12] = 8 } };
	open_locals(b, n_flows * step);
	open_flows(b, n_flows * step);
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

/* Not timed: put the next packets into the ring's buffers. */
static void
receive(struct bench *b)
{
	b->burst.count = SP_BURST;
	b->burst.now_us += 100;
	for (uint16_t i = 0; i < SP_BURST; i++) {
		struct rte_mbuf *m = &b->mbuf[b->turn++ % RING];

		if (b->at == b->n_flows) {
			shuffle(b);
			b->at = 0;
			b->seq++;
		}
		m->data_off = HEADROOM;
		m->data_len = write_frame(b, rte_pktmbuf_mtod(m, uint8_t *),
			b->order[b->at++], b->seq);
		m->pkt_len = m->data_len;
		m->ol_flags = 0;
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
	sp_stage_mute(&b->burst, &b->table);
	sp_stage_rewrite(&b->burst, b->hops);
}

/* The floor: no checks, no source, no statistics but two counters. IPv4. */
static void
copy_only(struct bench *b)
{
	struct sp_flow *flow[SP_BURST];

	for (uint16_t i = 0; i < SP_BURST; i++) {
		const uint8_t *l3 =
			rte_pktmbuf_mtod(b->burst.pkt[i], uint8_t *) + 14;
		const unsigned int local = l3[19] - 1u;
		const uint16_t port = (uint16_t)(l3[22] << 8 | l3[23]);

		flow[i] = &b->table.flow[b->locals.local[local].slot[port]];
		__builtin_prefetch(&flow[i]->latch);
		__builtin_prefetch(&flow[i]->quality);
	}
	for (uint16_t i = 0; i < SP_BURST; i++)
		__builtin_prefetch(&b->table.flow[flow[i]->out_rtp].header);
	for (uint16_t i = 0; i < SP_BURST; i++) {
		uint8_t *frame = rte_pktmbuf_mtod(b->burst.pkt[i], uint8_t *);
		const struct sp_flow *out = &b->table.flow[flow[i]->out_rtp];

		memcpy(frame + 14, out->header.bytes, SP_DATAGRAM_IP4);
		memcpy(frame, b->hops[1].header, SP_L2_PLAIN);
		flow[i]->packets++;
		flow[i]->octets += PAYLOAD;
	}
}

static void
check_forwarded(const struct bench *b)
{
	for (unsigned int i = 0; i < SP_BURST; i++) {
		if (b->burst.verdict[i] == SP_VERDICT_FORWARD)
			continue;
		fprintf(stderr, "%s, %" PRIu32 " flows: verdict %u\n", b->name,
			b->n_flows, b->burst.verdict[i]);
		exit(1);
	}
}

/* Mean cycles of a packet, over bursts that no other process cut in on. */
static double
measure(struct bench *b, void (*path)(struct bench *))
{
	uint64_t cycles = 0, packets = 0;

	for (uint32_t n = 0; n < PASS_PACKETS; n += SP_BURST) {
		uint64_t start, took;

		receive(b);
		start = rte_rdtsc_precise();
		path(b);
		took = rte_rdtsc_precise() - start;
		if (path == relay)
			check_forwarded(b);
		if (took > INTERRUPTED) {
			b->interrupted++;
			continue;
		}
		cycles += took;
		packets += SP_BURST;
	}
	return packets > 0 ? (double)cycles / (double)packets : 0;
}

/* Every flow latches, every page is there. */
static void
warm_up(struct bench *b)
{
	for (uint32_t n = 0; n < 2 * b->n_flows + SP_BURST; n += SP_BURST) {
		receive(b);
		relay(b);
		check_forwarded(b);
	}
}

static int
by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print_row(struct bench *b, unsigned int passes)
{
	qsort(b->path, passes, sizeof *b->path, by_value);
	qsort(b->floor, passes, sizeof *b->floor, by_value);
	printf("%-9s %7" PRIu32 " %9.1f %7.1f", b->name, b->n_flows, b->path[0],
		b->path[passes / 2]);
	if (b->family == FOUR)
		printf(" %9.1f %7.1f", b->floor[0], b->floor[passes / 2]);
	if (b->interrupted > 0)
		printf("   %" PRIu32 " bursts interrupted", b->interrupted);
	printf("\n");
}

int
main(int argc, char **argv)
{
	struct bench *all[] = {
		open_bench("IPv4", FOUR, 0, 2),
		open_bench("IPv4", FOUR, 0, 2000),
		open_bench("IPv4", FOUR, 0, 20000),
		open_bench("IPv4", FOUR, 0, 200000),
		open_bench("IPv6", SIX, 0, 2000),
		open_bench("IPv4-IPv6", FOUR_TO_SIX, 0, 2000),
		open_bench("silenced", FOUR, SP_FLOW_SILENCE, 2000),
	};
	const struct bench *few = all[1], *many = all[3];
	const size_t n = sizeof all / sizeof *all;
	unsigned int passes =
		argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : PASSES;

	if (passes == 0 || passes > PASSES_MAX)
		passes = PASSES;
	for (size_t i = 0; i < n; i++)
		warm_up(all[i]);
	for (unsigned int pass = 0; pass < passes; pass++) {
		for (size_t i = 0; i < n; i++) {
			all[i]->path[pass] = measure(all[i], relay);
			if (all[i]->family == FOUR)
				all[i]->floor[pass] =
					measure(all[i], copy_only);
		}
	}
	printf("TSC cycles a packet, %u passes of %u packets, "
	       "%zu bytes a flow\n"
	       "            flows      path  median     floor  median\n",
		passes, PASS_PACKETS, sizeof(struct sp_flow));
	for (size_t i = 0; i < n; i++)
		print_row(all[i], passes);
	printf("200,000 flows cost %.2f times what 2,000 do (least), "
	       "%.2f times (median)\n",
		many->path[0] / few->path[0],
		many->path[passes / 2] / few->path[passes / 2]);
	for (size_t i = 0; i < n; i++)
		close_bench(all[i]);
	return 0;
}
