/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_DATAPLANE_STATION_H
#define SP_TESTS_DATAPLANE_STATION_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dataplane/internal.h"
#include "tests/dataplane/bed_dpdk.h"

/*
 * Workers as the data plane makes them, and a NIC whose queues are rings: the
 * test is the wire. Locals as in a bed, of which it uses one.
 */

#define STATION_RING 4096

struct station {
	struct sp_dataplane dp;
	struct sp_nic nic;
	struct rte_ring *rx[2];
	struct rte_ring *tx[2];
	struct bed *bed;
};

static inline void
station_nic(struct station *s, uint16_t n_rx, uint16_t n_tx, unsigned int room)
{
	static const struct rte_eth_conf conf;
	int port;

	for (unsigned int i = 0; i < 2; i++) {
		char name[16];

		snprintf(name, sizeof name, "rx%u", i);
		s->rx[i] = rte_ring_create(name, STATION_RING, 0, 0);
		snprintf(name, sizeof name, "wire%u", i);
		s->tx[i] = rte_ring_create(name, room, 0, 0);
		cr_assert(s->rx[i] != NULL && s->tx[i] != NULL);
	}
	port = rte_eth_from_rings("wire", s->rx, n_rx, s->tx, n_tx, 0);
	cr_assert(port >= 0);
	cr_assert(eq(int,
		rte_eth_dev_configure((uint16_t)port, n_rx, n_tx, &conf), 0));
	s->nic = (struct sp_nic){ .n_rx = n_rx, .n_tx = n_tx, .mtu = 1500 };
	for (uint16_t q = 0; q < 2; q++) {
		if (q < n_rx)
			cr_assert(eq(int,
				rte_eth_rx_queue_setup((uint16_t)port, q, 64, 0,
					NULL, s->dp.pool),
				0));
		if (q < n_tx)
			cr_assert(eq(int,
				rte_eth_tx_queue_setup(
					(uint16_t)port, q, 64, 0, NULL),
				0));
		s->nic.rx[q].port = s->nic.tx[q].port = (uint16_t)port;
		s->nic.rx[q].queue = s->nic.tx[q].queue = q;
	}
	cr_assert(eq(int, rte_eth_dev_start((uint16_t)port), 0));
	s->dp.nic[0] = &s->nic;
	s->dp.n_nics = 1;
}

/* @n_rx 0: without a NIC. @room: of a transmit queue, less one. */
static inline struct station *
station_open(
	unsigned int workers, uint16_t n_rx, uint16_t n_tx, unsigned int room)
{
	struct station *s = calloc(1, sizeof *s);
	const struct sp_dataplane_conf conf = { .busy = true };
	struct sp_dataplane_error error;

	cr_assert(s != NULL);
	bed_start_dpdk(NULL);
	s->bed = bed_open();
	s->dp.locals = s->bed->locals;
	s->dp.n_workers = workers;
	s->dp.max_flows = 64;
	s->dp.tsc_start = rte_rdtsc();
	s->dp.tsc_hz = rte_get_tsc_hz();
	s->dp.bell = eventfd(0, EFD_NONBLOCK);
	s->dp.pool = rte_pktmbuf_pool_create("packets", 8191, 0, 0,
		RTE_PKTMBUF_HEADROOM + BED_BUFFER, SOCKET_ID_ANY);
	cr_assert(s->dp.pool != NULL);
	if (n_rx > 0)
		station_nic(s, n_rx, n_tx, room);
	cr_assert(eq(int, sp_crew_open(&s->dp, &conf, &error), SP_OK));
	return s;
}

/* Close it; every packet must have come home. */
static inline void
station_close(struct station *s)
{
	struct rte_mbuf *m;

	for (unsigned int q = 0; q < 2 && s->dp.n_nics > 0; q++)
		while (rte_ring_dequeue(s->tx[q], (void **)&m) == 0)
			rte_pktmbuf_free(m);
	sp_crew_close(&s->dp);
	cr_expect(eq(uint, rte_mempool_in_use_count(s->dp.pool), 0));
	close(s->dp.bell);
	bed_close(s->bed);
	free(s);
}

static inline struct sp_worker *
station_worker(struct station *s, unsigned int worker)
{
	return s->dp.crew[worker].worker;
}

static inline void
station_command(
	struct station *s, unsigned int worker, const struct sp_command *cmd)
{
	cr_assert(eq(int, sp_mailbox_send(&station_worker(s, worker)->box, cmd),
		SP_OK));
}

/* Take one answer; its status, or -1. */
static inline int
station_answer(struct station *s, unsigned int worker, uint64_t *ticket)
{
	struct sp_done done;

	if (rte_ring_dequeue_elem(station_worker(s, worker)->box.done, &done,
		    sizeof done) != 0)
		return -1;
	*ticket = done.ticket;
	return done.status;
}

/* A frame of @shape as the NIC's driver would hand it up. */
static inline struct rte_mbuf *
station_frame(struct station *s, const struct packet_shape *shape,
	const uint8_t *payload, unsigned int len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(s->dp.pool);
	struct packet p;

	cr_assert(m != NULL);
	packet_write(&p, shape, payload, len);
	memcpy(rte_pktmbuf_append(m, p.len), p.frame, p.len);
	return m;
}

/* SEC-41: what came in is where the counters say. */
static inline void
station_expect_sum(struct station *s)
{
	for (unsigned int i = 0; i < s->dp.n_workers; i++) {
		const struct sp_counters *c = &station_worker(s, i)->counters;
		uint64_t ended = c->handed_over + c->hand_over_full + c->held;

		for (unsigned int v = 0; v < SP_VERDICT_COUNT; v++)
			ended += c->verdict[v];
		cr_expect(eq(u64, c->received + c->taken_over, ended),
			"worker %u", i);
	}
}

#endif
