/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "relay/port_pool.h"

#define AGE_EVERY_MS 100u

/*
 * How long an idle worker sleeps: until a packet comes, where sockets tell.
 * Else shortly while flows run, because a packet waits as long, and longer
 * without any, because only control can wake it then.
 */
#define POLLS_BEFORE_SLEEP 8u /* more cost more than a sleep saves */
#define SLEEP_BUSY_US 50u
#define SLEEP_IDLE_US 1000u
#define SLEEP_WOKEN_US (AGE_EVERY_MS * 1000)
#define TIMER_SLACK_NS 1000ul
#define NICE (-5)
#define SLICE_NS 100000u
#define TURN_US 25u
#define TURN_BEHIND_US 250u
#define FEW 16u /* packets of a poll: more is a worker that is behind */

/* Microseconds since the clock's start. */
static uint64_t
now_us(const struct sp_worker *w)
{
	return sp_worker_us(rte_rdtsc() - w->tsc_start, w->tsc_hz);
}

/* Give packets of other workers' ports to these workers. */
static void
hand_over(struct sp_worker *w, struct sp_burst *b)
{
	unsigned int kept = 0;
	uint32_t given = 0; /* a bit an owner */

	for (unsigned int i = 0; i < b->count; i++) {
		const unsigned int owner = b->verdict[i] == SP_VERDICT_FORWARD
			? sp_port_owner(b->datagram[i].to.port, w->count)
			: w->index;

		if (owner == w->index) {
			b->pkt[kept] = b->pkt[i];
			b->verdict[kept] = b->verdict[i];
			b->datagram[kept] = b->datagram[i];
			b->payload[kept] = b->payload[i];
			b->local[kept] = b->local[i];
			kept++;
			continue;
		}
		b->pkt[i]->port = b->nic;
		if (rte_ring_enqueue(w->to[owner].owner, b->pkt[i]) == 0) {
			given |= 1u << owner;
			sp_counter_add(&w->counters.handed_over, 1);
		} else {
			rte_pktmbuf_free(b->pkt[i]);
			sp_counter_add(&w->counters.hand_over_full, 1);
		}
	}
	b->count = (uint16_t)kept;
	for (unsigned int i = 0; given != 0; i++, given >>= 1)
		if (given & 1)
			sp_mailbox_ring(w->to[i].box);
}

/* Tell control what the commit stage learnt. */
static void
tell(struct sp_worker *w, uint64_t now_us)
{
	struct sp_stage_commit *c = &w->commit;

	for (unsigned int i = 0; i < c->n_news; i++) {
		const struct sp_report_news news = {
			.remote = c->news[i].remote,
			.flow = c->news[i].flow,
			.kind = c->news[i].kind,
			.class = c->news[i].class,
			.at_ms = (uint32_t)(now_us / 1000),
		};

		if (!sp_mailbox_tell(&w->box, &news))
			sp_counter_add(&w->counters.news_lost, 1);
	}
	c->n_news = 0;
	sp_mailbox_wake_control(&w->box);
}

static void journey(struct sp_worker *w, struct sp_burst *b);

/*
 * Send on what was held while its source proved itself: each with the time
 * it came at, before the packet that was the proof.
 */
static void
send_released(struct sp_worker *w)
{
	struct sp_stage_commit *c = &w->commit;
	struct rte_mbuf *pkt[SP_STAGE_OUT];
	const unsigned int n = c->n_released;
	struct sp_burst one;

	memcpy(pkt, c->released, n * sizeof *pkt);
	c->n_released = 0;
	for (unsigned int i = 0; i < n; i++) {
		one.count = 1;
		one.pkt[0] = pkt[i];
		one.nic = (uint8_t)pkt[i]->port;
		one.now_us = *sp_stage_arrival(pkt[i]);
		sp_stage_classify(&one, w->locals);
		journey(w, &one);
	}
}

/* A burst of this worker's own ports, from lookup to transmission. */
static void
journey(struct sp_worker *w, struct sp_burst *b)
{
	sp_stage_lookup(b, &w->table);
	sp_stage_admit(b, &w->table);
	sp_stage_unprotect(b, &w->table);
	sp_stage_commit(b, &w->table, &w->commit);
	if (unlikely(w->commit.n_news > 0))
		tell(w, b->now_us);
	if (unlikely(w->commit.n_released > 0))
		send_released(w);
	sp_stage_mute(b, &w->table);
	sp_stage_protect(b, &w->table, w->hops);
	sp_stage_rewrite(b, w->hops);
	sp_worker_send(w, b);
}

static unsigned int
poll_nic(struct sp_worker *w, unsigned int nic)
{
	const struct sp_nic *n = w->nics[nic];
	struct sp_burst *b = &w->burst;
	unsigned int seen = 0;

	for (unsigned int q = w->index; q < n->n_rx; q += w->count) {
		b->count = rte_eth_rx_burst(
			n->rx[q].port, n->rx[q].queue, b->pkt, SP_BURST);
		if (b->count == 0)
			continue;
		seen += b->count;
		sp_counter_add(&w->counters.received, b->count);
		b->nic = (uint8_t)nic;
		b->now_us = now_us(w);
		sp_stage_classify(b, w->locals);
		if (w->count > 1)
			hand_over(w, b);
		journey(w, b);
	}
	return seen;
}

/* Take packets that other workers received for this one's ports. */
static unsigned int
take_over(struct sp_worker *w)
{
	struct sp_burst *b = &w->burst;
	unsigned int seen = 0;

	for (unsigned int i = 0; i < w->count; i++) {
		struct rte_mbuf *pkt[SP_BURST];
		unsigned int n, at = 0;

		if (i == w->index)
			continue;
		n = rte_ring_dequeue_burst(
			w->from[i].owner, (void **)pkt, SP_BURST, NULL);
		seen += n;
		sp_counter_add(&w->counters.taken_over, n);
		/* A burst is of one NIC; runs of a NIC keep their order. */
		while (at < n) {
			b->nic = (uint8_t)pkt[at]->port;
			b->count = 0;
			while (at < n && pkt[at]->port == b->nic)
				b->pkt[b->count++] = pkt[at++];
			b->now_us = now_us(w);
			sp_stage_classify(b, w->locals);
			journey(w, b);
		}
	}
	return seen;
}

/* Packets held are in no verdict yet; those held in vain now get theirs. */
static void
count_held(struct sp_worker *w)
{
	struct sp_stage_commit *c = &w->commit;

	if (likely(c->expired == 0 && c->holding == w->counters.held))
		return;
	sp_counter_add(&w->counters.verdict[SP_VERDICT_PROBATION], c->expired);
	__atomic_store_n(&w->counters.held, c->holding, __ATOMIC_RELAXED);
	c->expired = 0;
}

/* The time since the last poll was spent well if there was a packet. */
static void
count_time(struct sp_worker *w, uint64_t tsc, unsigned int seen)
{
	const uint64_t cycles = tsc - w->polled_tsc;

	if (seen > 0)
		sp_counter_add(&w->counters.busy_cycles, cycles);
	if (unlikely(sp_stall_is(&w->stall, cycles)))
		sp_stall_count(&w->stall, &w->counters, tsc, cycles);
	w->polled_tsc = tsc;
}

unsigned int
sp_worker_poll(struct sp_worker *w)
{
	unsigned int seen = 0;
	uint32_t now_ms;
	uint64_t tsc;

	for (unsigned int nic = 0; nic < w->n_nics; nic++)
		seen += poll_nic(w, nic);
	if (w->count > 1)
		seen += take_over(w) + sp_worker_transmit_shared(w);
	seen += sp_worker_transmit_slow(w);

	tsc = rte_rdtsc();
	count_time(w, tsc, seen);
	now_ms = (uint32_t)(sp_worker_us(tsc - w->tsc_start, w->tsc_hz) / 1000);
	sp_worker_obey(w, now_ms);
	if (unlikely(w->commit.n_released > 0))
		send_released(w);
	if (unlikely(now_ms - w->age_ms >= AGE_EVERY_MS)) {
		w->age_ms = now_ms;
		sp_stage_commit_age(&w->commit, &w->table, now_ms);
		sp_stall_refresh(&w->stall, tsc);
	}
	count_held(w);
	return seen;
}

static void
sleep_idle(struct sp_worker *w)
{
	uint32_t us = w->table.running > 0 ? SLEEP_BUSY_US : SLEEP_IDLE_US;
	uint64_t tsc;

	if (w->is_woken)
		us = SLEEP_WOKEN_US;
	sp_mailbox_sleep(&w->box, us);
	tsc = rte_rdtsc();
	w->stall.slept_cycles += tsc - w->polled_tsc;
	w->polled_tsc = tsc;
	w->turn_tsc = tsc;
}

/*
 * Let control have the CPU, if that waits for it: a worker that finds no time
 * to sleep is else stopped by nothing but the kernel's tick, 4 ms or so, and a
 * request takes several turns of both. The kernel counts the rest of a slice
 * as used, so whoever is behind with its packets does it more rarely. When
 * nobody waits it costs as much as any system call.
 */
static void
take_turns(struct sp_worker *w, unsigned int seen)
{
	const uint32_t us = seen < FEW ? TURN_US : TURN_BEHIND_US;

	if (w->polled_tsc - w->turn_tsc < us * w->cycles_a_us)
		return;
	sched_yield();
	w->turn_tsc = rte_rdtsc();
}

/*
 * Control may have the same CPU, and must not keep packets waiting when it is
 * flooded: the worker weighs three times as much, and takes short turns, for
 * which it is let in as soon as packets come (Linux from 6.12). It sleeps when
 * there are none. Without the right to do so it is as others are.
 */
static void
go_before_control(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t slice_ns, deadline_ns, period_ns;
	} wanted = {
		.size = sizeof wanted, .nice = NICE, .slice_ns = SLICE_NS
	};

	/* Who runs us under another policy, or before others, knows why. */
	if (sched_getscheduler(0) == SCHED_OTHER &&
		getpriority(PRIO_PROCESS, 0) > NICE)
		(void)syscall(SYS_sched_setattr, 0, &wanted, 0);
}

int
sp_worker_run(void *worker)
{
	struct sp_worker *w = worker;

	/*
	 * DPDK's launch and wait order memory as well, but out of sight of
	 * whoever checks this code for races: so it is said here.
	 */
	(void)__atomic_load_n(&w->ours, __ATOMIC_ACQUIRE);
	/* The kernel's 50 us of slack would double the shortest sleep. */
	if (!w->busy) {
		prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
		go_before_control();
	}
	w->polled_tsc = rte_rdtsc();
	w->turn_tsc = w->polled_tsc;
	w->cycles_a_us = w->tsc_hz / US_PER_S;
	sp_stall_start(&w->stall, w->polled_tsc, w->tsc_hz);
	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		const unsigned int seen = sp_worker_poll(w);

		sp_counter_add(&w->counters.polls, 1);
		if (seen > 0) {
			sp_counter_add(&w->counters.busy_polls, 1);
			w->idle_polls = 0;
		} else if (!w->busy && ++w->idle_polls > POLLS_BEFORE_SLEEP) {
			sleep_idle(w);
		}
		if (!w->busy)
			take_turns(w, seen);
	}
	__atomic_store_n(&w->ours, 0, __ATOMIC_RELEASE);
	return 0;
}
