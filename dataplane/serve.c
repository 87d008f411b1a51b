/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "dataplane/internal.h"
#include "relay/sum.h"

#define AT_ONCE 64u
#define LATE_MS 20u /* how long a ticket waits for a MAC at most */
#define LATE_TICK_MS 5u
#define ETHERTYPE_VLAN 0x8100
#define VLAN_ID 0x0fff

uint64_t
sp_dataplane_clock_ms(const struct sp_dataplane *dp)
{
	return (rte_rdtsc() - dp->tsc_start) / (dp->tsc_hz / 1000);
}

uint32_t
sp_dataplane_now_ms(const struct sp_dataplane *dp)
{
	return (uint32_t)sp_dataplane_clock_ms(dp);
}

int
sp_dataplane_fd(const struct sp_dataplane *dp)
{
	return dp->epoll;
}

unsigned int
sp_dataplane_locals(const struct sp_dataplane *dp)
{
	return dp->locals.count;
}

unsigned int
sp_dataplane_local(const struct sp_dataplane *dp, unsigned int realm)
{
	return dp->first_local[realm];
}

unsigned int
sp_dataplane_workers(const struct sp_dataplane *dp)
{
	return dp->n_workers;
}

void
sp_dataplane_realm_info(const struct sp_dataplane *dp, unsigned int realm,
	struct sp_realm_info *out)
{
	const struct sp_nic *nic = dp->nic[dp->nic_of_realm[realm]];

	*out = (struct sp_realm_info){ .queues = nic->n_rx, .mtu = nic->mtu };
	snprintf(out->driver, sizeof out->driver, "%s",
		sp_nic_driver_name(nic->driver));
	snprintf(out->steering, sizeof out->steering, "%s",
		dp->n_workers == 1 ? "one worker"
				   : sp_nic_steering_name(nic->steering));
}

uint64_t
sp_dataplane_slow_count(
	const struct sp_dataplane *dp, enum sp_slow_path_fate fate)
{
	return sp_slow_path_count(dp->slow, fate);
}

void
sp_dataplane_transmit(
	void *arg, uint16_t realm, const uint8_t *frame, size_t len)
{
	struct sp_dataplane *dp = arg;
	struct sp_mailbox *box = &dp->crew[0].worker->box;
	struct rte_mbuf *m = rte_pktmbuf_alloc(dp->pool);
	char *at = m ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;

	if (at) {
		memcpy(at, frame, len);
		m->port = dp->nic_of_realm[realm];
	}
	if (!at || rte_ring_enqueue(box->transmit, m) != 0)
		rte_pktmbuf_free(m);
	else
		sp_mailbox_ring(box);
}

/* Take what a worker could not answer itself. */
static void
serve_punts(struct sp_dataplane *dp, struct sp_mailbox *box)
{
	struct rte_mbuf *pkt[AT_ONCE];
	const unsigned int n =
		rte_ring_dequeue_burst(box->punt, (void **)pkt, AT_ONCE, NULL);

	for (unsigned int i = 0; i < n; i++) {
		const uint8_t *frame = rte_pktmbuf_mtod(pkt[i], uint8_t *);
		uint16_t vlan = 0;

		if (pkt[i]->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
			vlan = pkt[i]->vlan_tci & VLAN_ID;
		else if (sp_sum_swap(sp_sum_word(frame + 12)) == ETHERTYPE_VLAN)
			vlan = sp_sum_swap(sp_sum_word(frame + 14)) & VLAN_ID;
		sp_slow_path_take(dp->slow, pkt[i]->port, vlan, frame,
			rte_pktmbuf_data_len(pkt[i]),
			sp_dataplane_clock_ms(dp));
		rte_pktmbuf_free(pkt[i]);
	}
}

static void
serve_news(struct sp_dataplane *dp, unsigned int worker,
	const struct sp_dataplane_events *events)
{
	struct rte_ring *ring = dp->crew[worker].worker->box.news;
	struct sp_report_news news[AT_ONCE];
	const unsigned int n = rte_ring_dequeue_burst_elem(
		ring, news, sizeof *news, AT_ONCE, NULL);

	for (unsigned int i = 0; i < n; i++) {
		if (news[i].kind != SP_NEWS_CONTESTED)
			sp_ways_learn(
				dp, worker, news[i].flow, &news[i].remote);
		events->news(events->arg, worker, news[i].flow,
			(enum sp_dataplane_news)news[i].kind, &news[i].remote,
			(enum sp_latch_class)news[i].class, news[i].at_ms);
	}
}

/* Is the ticket to wait for a MAC? Then keep it. */
static bool
keep_late(struct sp_dataplane *dp, unsigned int worker,
	const struct sp_done *done)
{
	const struct sp_way *way = &dp->crew[worker].way[done->flow];
	const uint16_t hop = way->hop[SP_WAY_SIGNALLED];

	if (done->kind != SP_COMMAND_PROGRAM || done->status != SP_OK ||
		hop == 0 || dp->l2[hop].ready || dp->n_late == SP_LATE_MAX)
		return false;
	dp->late[dp->n_late++] = (struct sp_late){
		.ticket = done->ticket,
		.status = done->status,
		.hop = hop,
		.until_ms = sp_dataplane_clock_ms(dp) + LATE_MS,
	};
	return true;
}

static void
serve_done(struct sp_dataplane *dp, unsigned int worker,
	const struct sp_dataplane_events *events)
{
	struct rte_ring *ring = dp->crew[worker].worker->box.done;
	struct sp_done done[AT_ONCE];
	unsigned int n;

	do {
		n = rte_ring_dequeue_burst_elem(
			ring, done, sizeof *done, AT_ONCE, NULL);
		for (unsigned int i = 0; i < n; i++)
			if (!keep_late(dp, worker, &done[i]))
				events->done(events->arg, done[i].ticket,
					(enum sp_status)done[i].status);
	} while (n == AT_ONCE);
}

/* Tickets whose MAC came, or whose time is up. */
static void
serve_late(struct sp_dataplane *dp, const struct sp_dataplane_events *events)
{
	const uint64_t now_ms = sp_dataplane_clock_ms(dp);

	for (unsigned int i = dp->n_late; i > 0; i--) {
		const struct sp_late late = dp->late[i - 1];

		if (!dp->l2[late.hop].ready && now_ms < late.until_ms)
			continue;
		dp->late[i - 1] = dp->late[--dp->n_late];
		events->done(
			events->arg, late.ticket, (enum sp_status)late.status);
	}
}

void
sp_dataplane_tick(struct sp_dataplane *dp, unsigned int ms)
{
	const struct itimerspec tick = {
		.it_interval.tv_nsec = ms * 1000000L,
		.it_value.tv_nsec = ms * 1000000L,
	};

	timerfd_settime(dp->timer, 0, &tick, NULL);
}

/* Tick faster while tickets wait, or flows for their new next hops. */
static void
set_pace(struct sp_dataplane *dp)
{
	bool fast = dp->n_late > 0;

	for (unsigned int w = 0; w < dp->n_workers; w++)
		fast |= dp->crew[w].sweep;
	if (fast == dp->fast)
		return;
	dp->fast = fast;
	sp_dataplane_tick(dp, fast ? LATE_TICK_MS : SP_TICK_MS);
}

void
sp_dataplane_serve(
	struct sp_dataplane *dp, const struct sp_dataplane_events *events)
{
	uint64_t ticks;

	/* Both are non-blocking and say no more than "look". */
	if (read(dp->bell, &ticks, sizeof ticks) < 0)
		ticks = 0;
	if (read(dp->timer, &ticks, sizeof ticks) < 0)
		ticks = 0;

	for (unsigned int w = 0; w < dp->n_workers; w++) {
		sp_mailbox_heard(&dp->crew[w].worker->box);
		serve_news(dp, w, events);
		serve_done(dp, w, events);
		serve_punts(dp, &dp->crew[w].worker->box);
		/* What one call left must not wait for the next bell. */
		if (!rte_ring_empty(dp->crew[w].worker->box.news) ||
			!rte_ring_empty(dp->crew[w].worker->box.punt))
			sp_mailbox_wake_control(&dp->crew[w].worker->box);
	}
	sp_nexthop_serve(dp->nexthop, sp_dataplane_clock_ms(dp));
	sp_ways_serve(dp);
	serve_late(dp, events);
	set_pace(dp);
}
