/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/rig.h"

#include <inttypes.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORTS_PER_LOCAL 32768u
#define FIRST_PORT 16384u
#define BUFFER 2048u
#define HEADROOM 128u
#define RING 1024u /* buffers in turn, as a NIC's ring has them */

/* Flows face each other in pairs, an even and an odd one. */
static bool
is_six(const struct rig *r, uint32_t i)
{
	return r->conf.family == RIG_SIX ||
		(r->conf.family == RIG_FOUR_TO_SIX && i % 2 == 1);
}

static uint16_t
port_of(uint32_t i)
{
	return (uint16_t)(FIRST_PORT + i % PORTS_PER_LOCAL);
}

/* IPv4 locals come first, then as many of IPv6. */
static uint16_t
local_index(const struct rig *r, uint32_t i)
{
	return (uint16_t)(i / PORTS_PER_LOCAL +
		(is_six(r, i) ? r->locals.count / 2u : 0));
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
local_of(const struct rig *r, uint32_t i)
{
	return address(is_six(r, i), 10, i / PORTS_PER_LOCAL + 1, port_of(i));
}

static struct sp_addr
remote_of(const struct rig *r, uint32_t i)
{
	return address(is_six(r, i), 20, i, (uint16_t)(20000 + i % 1000));
}

static uint32_t
flows_of(const struct rig *r)
{
	return r->conf.n_flows * (r->conf.one_way ? 2u : 1u);
}

/* The suite of flow @i's leg. */
static uint8_t
suite_of(const struct rig *r, uint32_t i)
{
	return i % 2 == 0 ? r->conf.suite_in : r->conf.suite_out;
}

static void
must(enum sp_status status, const char *what)
{
	if (status == SP_OK)
		return;
	fprintf(stderr, "%s: %s\n", what, sp_status_text(status));
	exit(1);
}

static void
open_locals(struct rig *r)
{
	const uint32_t n =
		(flows_of(r) + PORTS_PER_LOCAL - 1) / PORTS_PER_LOCAL;

	r->locals.count = (uint16_t)(2 * n);
	for (uint32_t l = 0; l < 2 * n; l++) {
		struct sp_local *local = &r->locals.local[l];

		local->addr = address(l >= n, 10, l % n + 1, 0);
		local->first_port = FIRST_PORT;
		local->last_port = FIRST_PORT + PORTS_PER_LOCAL - 1;
		local->slot = calloc(65536, sizeof *local->slot);
		if (!local->slot)
			abort();
	}
	sp_locals_index(&r->locals);
}

/* What the party protects with, and what we think it does. */
static struct sp_srtp_conf
keys_of(uint32_t i, uint8_t suite)
{
	struct sp_srtp_conf conf = { .suite = suite };

	if (suite == SP_SRTP_NONE)
		return conf;
	conf.n_keys = 1;
	memcpy(conf.key[0].key, &i, sizeof i);
	return conf;
}

static void
open_keys(struct rig *r)
{
	const uint32_t n = flows_of(r);
	struct sp_srtp_engine *engine;

	must(sp_srtp_engine_open(
		     SP_SRTP_AUTO, SP_KEY_TABLE_DIRECTIONS(2 * n), &engine),
		"engine");
	must(sp_key_table_open(&r->keys, engine, n), "keys");
	for (uint32_t i = 0; i < n; i++) {
		const struct sp_flow_keys keys = {
			.in = keys_of(i, suite_of(r, i)),
			.out = keys_of(i + n, suite_of(r, i)),
		};

		if (suite_of(r, i) != SP_SRTP_NONE)
			must(sp_key_table_set(&r->keys, i + 1, &keys, 1),
				"keys");
	}
	r->table.keys = &r->keys;
}

static void
open_phones(struct rig *r)
{
	const uint32_t n = flows_of(r);

	r->phone = calloc(n, sizeof(struct sp_srtp *));
	if (!r->phone)
		abort();
	must(sp_srtp_engine_open(SP_SRTP_AUTO, n, &r->phones), "engine");
	for (uint32_t i = 0; i < n; i++) {
		const struct sp_srtp_conf conf = keys_of(i, suite_of(r, i));

		if (suite_of(r, i) != SP_SRTP_NONE)
			must(sp_srtp_open(r->phones, &conf, true, &r->phone[i]),
				"keys");
	}
}

static void
open_flows(struct rig *r)
{
	const uint32_t n = flows_of(r);

	must(sp_flow_table_open(&r->table, &r->locals, n, false), "flows");
	if (r->conf.suite_in != SP_SRTP_NONE ||
		r->conf.suite_out != SP_SRTP_NONE) {
		open_keys(r);
		open_phones(r);
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct sp_flow_conf conf = {
			.signalled = remote_of(r, i),
			.out_rtp = (i ^ 1) + 1,
			.keys = suite_of(r, i) == SP_SRTP_NONE ? 0 : i + 1,
			.out_keys = suite_of(r, i ^ 1) == SP_SRTP_NONE
				? 0
				: (i ^ 1) + 1,
			.clock_hz = 8000,
			.local = local_index(r, i),
			.port = port_of(i),
			.kind = SP_FLOW_RTP,
			.flags = r->conf.flags,
			.policy = SP_LATCH_RESTRICTED,
			.send = 1,
		};

		must(sp_flow_table_program(&r->table, i + 1, &conf, 1, 1, 1),
			"flow");
	}
}

/* Let packets arrive on each @step-th flow. */
static void
arrive_on(struct rig *r, uint32_t step)
{
	r->n_order = flows_of(r) / step;
	for (uint32_t i = 0; i < r->n_order; i++)
		r->order[i] = i * step;
	r->at = r->n_order;
}

/* Every flow latches, those that only send too; every page is there. */
static void
warm_up(struct rig *r)
{
	arrive_on(r, 1);
	for (uint32_t n = 0; n < 2 * r->n_order + SP_BURST; n += SP_BURST) {
		rig_receive(r);
		rig_relay(r);
		rig_check(r, SP_VERDICT_FORWARD);
	}
	if (r->conf.one_way)
		arrive_on(r, 2);
}

struct rig *
rig_open(const struct rig_conf *conf)
{
	struct rig *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	r->conf = *conf;
	r->mbuf = calloc(RING, sizeof *r->mbuf);
	r->data = malloc((size_t)RING * BUFFER);
	r->order = calloc(flows_of(r), sizeof *r->order);
	if (!r->mbuf || !r->data || !r->order)
		abort();
	for (unsigned int i = 0; i < RING; i++) {
		r->mbuf[i].buf_addr = r->data + (size_t)i * BUFFER;
		r->mbuf[i].buf_len = BUFFER;
		r->mbuf[i].nb_segs = 1;
	}
	r->hops[1] = (struct sp_l2){ .len = SP_L2_PLAIN,
		.ready = 1,
		.mtu = 1500,
		.header = { 2, [12] = 8 } };
	open_locals(r);
	open_flows(r);
	warm_up(r);
	return r;
}

void
rig_close(struct rig *r)
{
	sp_flow_table_close(&r->table);
	sp_key_table_close(&r->keys);
	sp_srtp_engine_close(r->phones);
	for (unsigned int i = 0; i < r->locals.count; i++)
		free(r->locals.local[i].slot);
	free(r->phone);
	free(r->mbuf);
	free(r->data);
	free(r->order);
	free(r);
}

static void
shuffle(struct rig *r)
{
	for (uint32_t i = r->n_order - 1; i > 0; i--) {
		const uint32_t j = (uint32_t)random() % (i + 1);
		const uint32_t keep = r->order[i];

		r->order[i] = r->order[j];
		r->order[j] = keep;
	}
}

/* Protect packet @rtp as the party of flow @i does. */
static uint16_t
protect(struct rig *r, uint32_t i, uint8_t *rtp)
{
	struct sp_srtp_packet p = {
		.data = rtp, .len = RIG_PAYLOAD, .header_len = SP_RTP_HEADER_MIN
	};

	sp_srtp_protect(r->phones, &r->phone[i], &p, 1, 1);
	if (p.fate != SP_SRTP_OK) {
		fprintf(stderr, "a phone could not protect\n");
		exit(1);
	}
	return p.len;
}

/* The party's packet number @seq on flow @i. Returns the frame's length. */
static uint16_t
write_frame(struct rig *r, uint8_t *frame, uint32_t i, uint16_t seq)
{
	const uint8_t ethernet[14] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
		is_six(r, i) ? 0x86 : 0x08, is_six(r, i) ? 0xdd : 0x00 };
	const struct sp_addr from = remote_of(r, i), to = local_of(r, i);
	uint8_t *l3 = frame + sizeof ethernet, *rtp;
	uint16_t payload = RIG_PAYLOAD;
	struct sp_header h;

	memcpy(frame, ethernet, sizeof ethernet);
	sp_header_build(&h, &from, &to, 0, 60);
	rtp = l3 + h.len;
	memset(rtp, 0, RIG_PAYLOAD);
	rtp[0] = SP_RTP_PLAIN;
	rtp[2] = (uint8_t)(seq >> 8);
	rtp[3] = (uint8_t)seq;
	rtp[11] = (uint8_t)i;
	if (suite_of(r, i) != SP_SRTP_NONE)
		payload = protect(r, i, rtp);
	sp_header_place(&h, l3, payload, 0, 0x1234);
	return (uint16_t)(sizeof ethernet + h.len + payload);
}

void
rig_receive(struct rig *r)
{
	r->burst.count = SP_BURST;
	r->burst.now_us += 100;
	for (uint16_t i = 0; i < SP_BURST; i++) {
		struct rte_mbuf *m = &r->mbuf[r->turn++ % RING];

		if (r->at == r->n_order) {
			shuffle(r);
			r->at = 0;
			r->seq++;
		}
		m->data_off = HEADROOM;
		m->data_len = write_frame(r, rte_pktmbuf_mtod(m, uint8_t *),
			r->order[r->at++], r->seq);
		m->pkt_len = m->data_len;
		m->ol_flags = 0;
		r->burst.pkt[i] = m;
	}
}

void
rig_receive_forged(struct rig *r)
{
	rig_receive(r);
	for (uint16_t i = 0; i < SP_BURST; i++) {
		const struct rte_mbuf *m = r->burst.pkt[i];

		*rte_pktmbuf_mtod_offset(m, uint8_t *, m->data_len - 1) ^= 1;
	}
}

void
rig_relay(struct rig *r)
{
	sp_stage_classify(&r->burst, &r->locals);
	sp_stage_lookup(&r->burst, &r->table);
	sp_stage_admit(&r->burst, &r->table);
	sp_stage_unprotect(&r->burst, &r->table);
	sp_stage_commit(&r->burst, &r->table, &r->commit);
	sp_stage_mute(&r->burst, &r->table);
	sp_stage_protect(&r->burst, &r->table, r->hops);
	sp_stage_rewrite(&r->burst, r->hops);
}

void
rig_check(const struct rig *r, enum sp_verdict verdict)
{
	for (unsigned int i = 0; i < SP_BURST; i++) {
		if (r->burst.verdict[i] == verdict)
			continue;
		fprintf(stderr, "%s, %" PRIu32 " flows: verdict %u\n",
			r->conf.name, r->conf.n_flows, r->burst.verdict[i]);
		exit(1);
	}
}

double
rig_measure(struct rig *r, uint32_t packets, void (*receive)(struct rig *),
	void (*path)(struct rig *), enum sp_verdict verdict)
{
	uint64_t cycles = 0, counted = 0;

	for (uint32_t n = 0; n < packets; n += SP_BURST) {
		uint64_t start, took;

		receive(r);
		start = rte_rdtsc_precise();
		path(r);
		took = rte_rdtsc_precise() - start;
		if (path == rig_relay)
			rig_check(r, verdict);
		if (took > RIG_INTERRUPTED) {
			r->interrupted++;
			continue;
		}
		cycles += took;
		counted += SP_BURST;
	}
	return counted > 0 ? (double)cycles / (double)counted : 0;
}
