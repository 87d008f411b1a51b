/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/dataplane/station.h"

#define HOP 1
#define LINK "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"

/* The port of side @b of call @k, such that worker @w owns it. */
static uint16_t
port_of(unsigned int w, unsigned int k, bool b)
{
	return (uint16_t)((470 + w) * 64 + 4 * k + 2 * b);
}

static struct sp_addr
phone(unsigned int k, bool b)
{
	return packet_addr(
		b ? "192.0.2.1" : "198.51.100.1", (uint16_t)(4000 + k));
}

static void
obey(struct station *s, unsigned int w, const struct sp_command *cmd,
	enum sp_status want)
{
	uint64_t ticket = 0;

	station_command(s, w, cmd);
	sp_worker_poll(station_worker(s, w));
	cr_assert(eq(int, station_answer(s, w, &ticket), want));
	cr_assert(eq(u64, ticket, cmd->ticket));
}

static struct sp_flow_conf
conf_of(unsigned int w, unsigned int k, bool b)
{
	struct sp_flow_conf conf = {
		.signalled = phone(k, b),
		.local = BED_IP4,
		.port = port_of(w, k, b),
		.kind = SP_FLOW_RTP,
		.policy = SP_LATCH_RESTRICTED,
		.out_rtp = 2 * k + (b ? 1 : 2),
		.clock_hz = 8000,
		.ptime_ms = 1,
		.send = 1,
	};

	return conf;
}

/* Calls 0..@n-1 on worker @w, by its mailbox. */
static void
set_up(struct station *s, unsigned int w, unsigned int n)
{
	struct sp_command cmd = {
		.kind = SP_COMMAND_L2, .hop = { HOP }, .ticket = 1
	};

	cmd.l2 = (struct sp_l2){
		.header = LINK, .len = SP_L2_PLAIN, .ready = 1, .mtu = 1500
	};
	obey(s, w, &cmd, SP_OK);
	for (unsigned int i = 0; i < 2 * n; i++) {
		cmd = (struct sp_command){ .kind = SP_COMMAND_PROGRAM,
			.hop = { HOP, HOP },
			.flow = i + 1,
			.ticket = 100 + i,
			.conf = conf_of(w, i / 2, i % 2) };
		obey(s, w, &cmd, SP_OK);
	}
}

/* A packet of party A of call @k of worker @w comes in by queue @q. */
static void
arrive(struct station *s, unsigned int q, unsigned int w, unsigned int k,
	struct sp_addr from, uint16_t seq)
{
	const struct packet_shape shape = { .from = from,
		.to = packet_addr("203.0.113.10", port_of(w, k, false)) };
	uint8_t rtp[172];

	packet_put_rtp(rtp, sizeof rtp, (w << 8) + k, seq);
	cr_assert(eq(int,
		rte_ring_enqueue(
			s->rx[q], station_frame(s, &shape, rtp, sizeof rtp)),
		0));
}

/* Take what left by queue @q: each stream in order. Returns how many. */
static unsigned int
take(struct station *s, unsigned int q, uint16_t *next, unsigned int calls)
{
	unsigned int n = 0;
	struct rte_mbuf *m;

	for (; rte_ring_dequeue(s->tx[q], (void **)&m) == 0; n++) {
		const uint8_t *rtp = rte_pktmbuf_mtod(m, uint8_t *) + 42;
		const unsigned int stream = rtp[10] * calls + rtp[11];

		cr_expect(
			eq(u16, (uint16_t)(rtp[2] << 8 | rtp[3]), next[stream]),
			"stream %u", stream);
		next[stream]++;
		rte_pktmbuf_free(m);
	}
	return n;
}

static struct sp_flow_report
read_flow(struct station *s, unsigned int w, uint32_t flow)
{
	struct sp_flow_report r = { 0 };
	const struct sp_command cmd = {
		.kind = SP_COMMAND_READ, .flow = flow, .ticket = 7, .report = &r
	};

	obey(s, w, &cmd, SP_OK);
	return r;
}

static uint64_t
verdicts(struct station *s, unsigned int w, enum sp_verdict verdict)
{
	return station_worker(s, w)->counters.verdict[verdict];
}

Test(worker, relays_from_wire_to_wire)
{
	struct station *s = station_open(1, 1, 1, 1024);
	uint16_t next[1] = { 1 };

	set_up(s, 0, 1);
	for (uint16_t seq = 1; seq <= 100; seq++)
		arrive(s, 0, 0, 0, phone(0, false), seq);
	while (sp_worker_poll(station_worker(s, 0)) > 0)
		;
	cr_expect(eq(uint, take(s, 0, next, 1), 100));
	cr_expect(eq(u64, verdicts(s, 0, SP_VERDICT_FORWARD), 100));
	cr_expect(eq(u64, read_flow(s, 0, 1).packets, 100));
	cr_expect(eq(u32, read_flow(s, 0, 2).sent, 100));
	cr_expect(eq(u64, station_worker(s, 0)->counters.flows, 2));
	station_expect_sum(s);
	station_close(s);
}

/* Queues to receive by and to send by, for two workers. */
struct queues {
	uint16_t n_rx;
	uint16_t n_tx;
};

ParameterizedTestParameters(worker, two_keep_the_order_of_each_stream)
{
	static struct queues cases[] = { { 1, 1 }, { 1, 2 }, { 2, 1 },
		{ 2, 2 } };

	return cr_make_param_array(
		struct queues, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct queues *tc, worker, two_keep_the_order_of_each_stream)
{
	enum {
		CALLS = 8,
		ROUNDS = 50
	};
	struct station *s = station_open(2, tc->n_rx, tc->n_tx, STATION_RING);
	uint16_t next[2 * CALLS] = { 0 };
	unsigned int sent = 0;
	uint64_t handed = 0, taken = 0;

	set_up(s, 0, CALLS);
	set_up(s, 1, CALLS);
	for (uint16_t seq = 0; seq < ROUNDS; seq++) {
		/* A stream stays on its queue, whoever owns its port. */
		for (unsigned int i = 0; i < 2 * CALLS; i++)
			arrive(s, (i / 2) % tc->n_rx, i % 2, i / 2,
				phone(i / 2, false), seq);
		sp_worker_poll(station_worker(s, seq % 2));
		if (seq % 3 == 0)
			sp_worker_poll(station_worker(s, 1));
	}
	for (unsigned int i = 0; i < 100; i++)
		sp_worker_poll(station_worker(s, i % 2));
	sent = take(s, 0, next, CALLS) + take(s, 1, next, CALLS);
	cr_expect(eq(uint, sent, 2 * CALLS * ROUNDS));
	for (unsigned int w = 0; w < 2; w++) {
		const struct sp_counters *c = &station_worker(s, w)->counters;

		cr_expect(eq(u64, verdicts(s, w, SP_VERDICT_FORWARD),
			CALLS * ROUNDS));
		handed += c->handed_over;
		taken += c->taken_over;
		for (uint32_t k = 0; k < CALLS; k++)
			cr_expect(eq(u64,
				read_flow(s, w, 2 * k + 1).quality.reordered,
				0));
	}
	cr_expect(eq(u64, handed, CALLS * ROUNDS));
	cr_expect(eq(u64, taken, handed));
	station_expect_sum(s);
	station_close(s);
}

Test(worker, hand_over_that_does_not_fit_is_counted)
{
	struct station *s = station_open(2, 1, 1, STATION_RING);
	uint16_t next[2] = { 0 };

	set_up(s, 1, 1);
	for (uint16_t seq = 0; seq < 1500; seq++)
		arrive(s, 0, 1, 0, phone(0, false), seq);
	while (sp_worker_poll(station_worker(s, 0)) > 0)
		;
	cr_expect(eq(u64, station_worker(s, 0)->counters.handed_over, 1023));
	cr_expect(eq(u64, station_worker(s, 0)->counters.hand_over_full, 477));
	for (unsigned int i = 0; i < 200; i++)
		sp_worker_poll(station_worker(s, i % 2));
	cr_expect(eq(uint, take(s, 0, next, 1), 1023));
	station_expect_sum(s);
	station_close(s);
}

Test(worker, nic_that_takes_no_more_costs_packets_by_name)
{
	struct station *s = station_open(1, 1, 1, 16);
	uint16_t next[1] = { 0 };

	set_up(s, 0, 1);
	for (uint16_t seq = 0; seq < 20; seq++)
		arrive(s, 0, 0, 0, phone(0, false), seq);
	sp_worker_poll(station_worker(s, 0));
	cr_expect(eq(uint, take(s, 0, next, 1), 15));
	cr_expect(eq(u64, verdicts(s, 0, SP_VERDICT_FORWARD), 15));
	cr_expect(eq(u64, verdicts(s, 0, SP_VERDICT_TX_FULL), 5));
	cr_expect(eq(u32, read_flow(s, 0, 2).sent, 15));
	cr_expect(eq(u32,
		read_flow(s, 0, 1)
			.dropped[SP_VERDICT_TX_FULL - SP_VERDICT_FORWARD - 1],
		5));
	station_expect_sum(s);
	station_close(s);
}

Test(worker, blocked_media_ends_in_a_verdict)
{
	struct station *s = station_open(1, 1, 1, 1024);
	uint16_t next[1] = { 20 };
	struct sp_command cmd = { .kind = SP_COMMAND_PROGRAM,
		.hop = { HOP, HOP },
		.flow = 1,
		.ticket = 8,
		.conf = conf_of(0, 0, false) };

	set_up(s, 0, 1);
	for (unsigned int turn = 0; turn < 2; turn++) {
		cmd.conf.flags = turn == 0 ? SP_FLOW_BLOCK : 0;
		obey(s, 0, &cmd, SP_OK);
		for (uint16_t i = 0; i < 20; i++)
			arrive(s, 0, 0, 0, phone(0, false),
				(uint16_t)(20 * turn + i));
		sp_worker_poll(station_worker(s, 0));
		station_expect_sum(s);
	}
	cr_expect(eq(uint, take(s, 0, next, 1), 20));
	cr_expect(eq(u64, verdicts(s, 0, SP_VERDICT_BLOCKED), 20));
	cr_expect(eq(u64, verdicts(s, 0, SP_VERDICT_FORWARD), 20));
	cr_expect(eq(u32,
		read_flow(s, 0, 1)
			.dropped[SP_VERDICT_BLOCKED - SP_VERDICT_FORWARD - 1],
		20));
	cr_expect(eq(u64, read_flow(s, 0, 1).packets, 40));
	station_close(s);
}

Test(worker, polls_with_packets_are_its_load)
{
	struct station *s = station_open(1, 1, 1, 1024);
	struct sp_worker *w = station_worker(s, 0);
	struct sp_worker_counts counts;
	uint64_t start;

	set_up(s, 0, 1);
	rte_delay_us_block(2000);
	sp_worker_poll(w);
	cr_expect(eq(u64, w->counters.busy_cycles, 0));
	start = w->polled_tsc;
	arrive(s, 0, 0, 0, phone(0, false), 1);
	rte_delay_us_block(2000);
	sp_worker_poll(w);
	cr_expect(eq(u64, w->counters.busy_cycles, w->polled_tsc - start));
	sp_worker_poll(w);
	sp_dataplane_worker_counts(&s->dp, 0, &counts);
	cr_expect(ge(u64, counts.busy_us, 2000));
	cr_expect(le(u64, counts.busy_us,
		sp_worker_us(w->polled_tsc - start, w->tsc_hz)));
	station_close(s);
}

Test(worker, what_was_held_leaves_in_order_or_is_counted)
{
	struct station *s = station_open(1, 1, 1, 1024);
	struct sp_worker *w = station_worker(s, 0);
	uint16_t next[2] = { 0 };
	struct sp_addr other = phone(0, false);
	struct sp_report_news news;
	struct sp_command stop = { .kind = SP_COMMAND_STOP, .ticket = 9 };

	other.port = 9999;
	set_up(s, 0, 2);
	for (uint16_t seq = 0; seq < 3; seq++) {
		arrive(s, 0, 0, 0, other, seq);
		arrive(s, 0, 0, 1, other, 0); /* never makes progress */
		rte_delay_us_block(2000);
		if (seq == 2) /* in one burst with the proof */
			arrive(s, 0, 0, 0, other, 3);
		sp_worker_poll(w);
		station_expect_sum(s);
	}
	cr_expect(eq(uint, take(s, 0, next, 2), 4));
	cr_expect(eq(u64, w->counters.held, 3));
	cr_expect(eq(u64, read_flow(s, 0, 1).quality.lost, 0));
	cr_assert(eq(int,
		rte_ring_dequeue_elem(w->box.news, &news, sizeof news), 0));
	cr_expect(eq(int, news.kind, SP_NEWS_LATCHED));
	cr_expect(eq(u32, news.flow, 1));
	cr_expect(sp_addr_equal(&news.remote, &other));

	stop.flow = 3;
	obey(s, 0, &stop, SP_OK);
	cr_expect(eq(u64, w->counters.held, 0));
	cr_expect(eq(u64, verdicts(s, 0, SP_VERDICT_PROBATION), 3));
	cr_expect(eq(uint, rte_mempool_in_use_count(w->commit.hold_pool), 0));
	station_expect_sum(s);
	station_close(s);
}

Test(worker, held_in_vain_ends_by_the_clock)
{
	struct station *s = station_open(1, 1, 1, 1024);
	struct sp_worker *w = station_worker(s, 0);
	struct sp_addr other = phone(0, false);

	other.port = 9999;
	set_up(s, 0, 1);
	arrive(s, 0, 0, 0, other, 0);
	sp_worker_poll(w);
	cr_expect(eq(u64, w->counters.held, 1));
	rte_delay_us_block((SP_STAGE_HOLD_MS + 150) * 1000);
	sp_worker_poll(w);
	cr_expect(eq(u64, w->counters.held, 0));
	cr_expect(eq(u64, verdicts(s, 0, SP_VERDICT_PROBATION), 1));
	station_expect_sum(s);
	station_close(s);
}

Test(worker, punts_so_many_and_no_more)
{
	struct station *s = station_open(1, 1, 1, 1024);
	struct sp_worker *w = station_worker(s, 0);
	const struct packet arp = { .frame = PACKET_OURS PACKET_PEER
		"\x81\0\0\x78\x08\x06",
		.len = 60 };
	struct rte_mbuf *m;
	unsigned int punted = 0;

	rte_delay_us_block(100000); /* the credit is full */
	for (unsigned int i = 0; i < 400; i++) {
		m = rte_pktmbuf_alloc(s->dp.pool);
		cr_assert(m != NULL);
		memcpy(rte_pktmbuf_append(m, arp.len), arp.frame, arp.len);
		cr_assert(eq(int, rte_ring_enqueue(s->rx[0], m), 0));
	}
	while (sp_worker_poll(w) > 0)
		;
	while (rte_ring_dequeue(w->box.punt, (void **)&m) == 0) {
		cr_expect(eq(u16, m->port, 0)); /* the NIC */
		punted++;
		rte_pktmbuf_free(m);
	}
	cr_expect(gt(uint, punted, 100));
	cr_expect(lt(uint, punted, 300));
	cr_expect(eq(u64, verdicts(s, 0, SP_VERDICT_PUNT), punted));
	cr_expect(eq(u64, verdicts(s, 0, SP_VERDICT_PUNT_LIMIT), 400 - punted));
	station_expect_sum(s);
	station_close(s);
}

Test(worker, sends_for_the_slow_path)
{
	struct station *s = station_open(1, 1, 1, 1024);
	struct sp_worker *w = station_worker(s, 0);
	struct rte_mbuf *m = rte_pktmbuf_alloc(s->dp.pool), *out;

	m->port = 0; /* the NIC */
	rte_pktmbuf_append(m, 60);
	cr_assert(eq(int, rte_ring_enqueue(w->box.transmit, m), 0));
	cr_expect(eq(uint, sp_worker_poll(w), 1));
	cr_assert(eq(int, rte_ring_dequeue(s->tx[0], (void **)&out), 0));
	cr_expect(eq(ptr, out, m));
	rte_pktmbuf_free(out);
	station_close(s);
}

Test(worker, answers_each_command_but_silent_ones)
{
	struct station *s = station_open(1, 0, 0, 0);
	struct sp_command cmd = {
		.kind = SP_COMMAND_READ, .flow = 1, .ticket = 1
	};
	struct sp_flow_report r;
	uint64_t ticket;

	obey(s, 0, &cmd, SP_NOT_FOUND);
	cmd.kind = SP_COMMAND_STOP;
	obey(s, 0, &cmd, SP_NOT_FOUND);
	cmd.kind = 99;
	obey(s, 0, &cmd, SP_UNSUPPORTED);
	set_up(s, 0, 1);
	cmd = (struct sp_command){ .kind = SP_COMMAND_PROGRAM,
		.flow = 3,
		.ticket = 4,
		.conf = conf_of(0, 0, false) };
	obey(s, 0, &cmd, SP_CONFLICT); /* flow 1 has this port */
	cmd = (struct sp_command){ .kind = SP_COMMAND_HOPS,
		.flow = 1,
		.hop = { 2, 3, 4 },
		.silent = 1 };
	station_command(s, 0, &cmd);
	sp_worker_poll(station_worker(s, 0));
	cr_expect(eq(int, station_answer(s, 0, &ticket), -1));
	cr_expect(eq(u16, station_worker(s, 0)->table.flow[1].hop, 2));
	memset(&r, 0xff, sizeof r);
	cmd = (struct sp_command){
		.kind = SP_COMMAND_STOP, .flow = 1, .ticket = 5, .report = &r
	};
	obey(s, 0, &cmd, SP_OK);
	cr_expect(eq(u64, r.packets, 0));
	cr_expect(eq(u64, station_worker(s, 0)->counters.flows, 1));
	station_close(s);
}

Test(worker, obeys_a_few_commands_a_poll)
{
	struct station *s = station_open(1, 0, 0, 0);
	const struct sp_command cmd = { .kind = SP_COMMAND_READ };
	uint64_t ticket;
	unsigned int answers = 0;

	for (unsigned int i = 0; i < 20; i++)
		station_command(s, 0, &cmd);
	sp_worker_poll(station_worker(s, 0));
	while (station_answer(s, 0, &ticket) != -1)
		answers++;
	cr_expect(eq(uint, answers, 8));
	sp_worker_poll(station_worker(s, 0));
	sp_worker_poll(station_worker(s, 0));
	while (station_answer(s, 0, &ticket) != -1)
		answers++;
	cr_expect(eq(uint, answers, 20));
	station_close(s);
}
