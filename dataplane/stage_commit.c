/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/stage.h"
#include "relay/demux.h"

#define US_PER_MS 1000u

/* 0 means "never": the first millisecond is told as the second. */
static inline uint32_t
to_ms(uint64_t us)
{
	const uint32_t ms = (uint32_t)(us / US_PER_MS);

	return ms ? ms : 1;
}

uint64_t *
sp_stage_arrival(struct rte_mbuf *m)
{
	return rte_mbuf_to_priv(m);
}

static void
tell(struct sp_stage_commit *c, const struct sp_flow *f,
	enum sp_dataplane_news kind, const struct sp_addr *remote)
{
	if (c->n_news == SP_BURST)
		return;
	c->news[c->n_news++] = (struct sp_stage_news){
		.flow = f->index,
		.kind = (uint8_t)kind,
		.class = f->latch.class,
		.remote = *remote,
	};
}

/* Free the copies of @f, which were held in vain. */
static void
expire(struct sp_stage_commit *c, struct sp_flow_table *t, uint32_t id)
{
	struct sp_flow_aside *a = &t->aside[id];

	for (unsigned int i = 0; i < a->held; i++) {
		rte_pktmbuf_free(a->hold[i]);
		sp_stage_count_drop(t, id, SP_VERDICT_PROBATION);
	}
	c->expired += a->held;
	c->holding -= a->held;
	a->held = 0;
	a->early = 0;
}

/* Take @id off the list of flows that hold. */
static void
unlist(struct sp_stage_commit *c, uint32_t id)
{
	for (unsigned int i = 0; i < c->n_holders; i++) {
		if (c->holder[i] != id)
			continue;
		c->holder[i] = c->holder[--c->n_holders];
		return;
	}
}

void
sp_stage_commit_drop(
	struct sp_stage_commit *c, struct sp_flow_table *t, uint32_t id)
{
	if (id == 0 || id > t->capacity || t->aside[id].held == 0)
		return;
	expire(c, t, id);
	unlist(c, id);
}

/* RTCP follows RTP: never does it go to, or come from, another IP. */
static void
lead_rtcp(struct sp_flow *f, struct sp_flow_table *t)
{
	struct sp_flow *rtcp = &t->flow[f->pair];

	if (f->pair == 0 || f->kind != SP_FLOW_RTP)
		return;
	if (rtcp->latch.state == SP_LATCH_HELD &&
		!sp_addr_same_ip(&rtcp->latch.remote, &f->latch.remote))
		rtcp->latch.state = SP_LATCH_EMPTY;
	sp_flow_table_aim(t, rtcp);
}

static void
end_own_grace(struct sp_flow *f, struct sp_flow_table *t, uint32_t now_ms)
{
	/* RTCP is silent most of the time, and follows RTP anyway. */
	const uint32_t seen_ms = f->kind == SP_FLOW_RTCP ? now_ms : f->seen_ms;

	if (!sp_latch_expire(&f->latch, &f->facts, seen_ms, now_ms))
		return;
	sp_flow_table_aim(t, f);
	lead_rtcp(f, t);
}

/* The time is up of a source that the SDP does not speak for any more. */
static void
end_grace(struct sp_flow *f, struct sp_flow_table *t, uint32_t now_ms)
{
	if (f->kind == SP_FLOW_RTCP && f->pair != 0)
		end_own_grace(&t->flow[f->pair], t, now_ms);
	end_own_grace(f, t, now_ms);
}

void
sp_stage_commit_age(
	struct sp_stage_commit *c, struct sp_flow_table *t, uint32_t now_ms)
{
	for (unsigned int i = c->n_holders; i > 0; i--) {
		const uint32_t id = c->holder[i - 1];

		if (now_ms - t->aside[id].held_ms <= SP_STAGE_HOLD_MS)
			continue;
		expire(c, t, id);
		c->holder[i - 1] = c->holder[--c->n_holders];
	}
}

/* A copy, so that the NIC's own buffers are never tied up. Or NULL. */
static struct rte_mbuf *
copy(const struct sp_burst *b, unsigned int i, struct sp_stage_commit *c)
{
	struct rte_mbuf *m =
		rte_pktmbuf_copy(b->pkt[i], c->hold_pool, 0, UINT32_MAX);

	if (!m)
		return NULL;
	*sp_stage_arrival(m) = b->now_us;
	m->port = b->nic;
	return m;
}

/* Is it a packet whose keys were used on it: not one to send through again? */
static bool
is_opened(const struct sp_burst *b, unsigned int i)
{
	return b->flow[i]->flags & SP_FLOW_KEYED &&
		b->proof[i] != SP_PROOF_MISSING;
}

static uint8_t
hold(struct sp_burst *b, unsigned int i, struct sp_flow_table *t,
	struct sp_stage_commit *c)
{
	const uint32_t id = b->flow[i]->index;
	struct sp_flow_aside *a = &t->aside[id];
	struct rte_mbuf *m;

	if (is_opened(b, i))
		return SP_VERDICT_PROBATION;
	if (a->held == 0 && c->n_holders == SP_STAGE_HOLDERS)
		return SP_VERDICT_PROBATION;
	m = copy(b, i, c);
	if (!m)
		return SP_VERDICT_PROBATION;

	if (a->held == 0)
		c->holder[c->n_holders++] = id;
	if (a->held == SP_FLOW_HOLD) {
		rte_pktmbuf_free(a->hold[0]);
		memmove(a->hold, a->hold + 1, sizeof a->hold - sizeof *a->hold);
		a->held--;
		c->holding--;
		c->expired++;
		sp_stage_count_drop(t, id, SP_VERDICT_PROBATION);
	}
	a->hold[a->held++] = m;
	c->holding++;
	a->held_ms = to_ms(b->now_us);
	a->used = 1;
	return SP_BURST_HELD;
}

/*
 * A phone speaks as soon as it has answered, and its answer takes longer than
 * its first packets. They wait for it, as far as half of the places go: who
 * sprays the ports of unanswered calls must not starve those on probation.
 */
static uint8_t
hold_early(struct sp_burst *b, unsigned int i, struct sp_flow_table *t,
	struct sp_stage_commit *c)
{
	struct sp_flow_aside *a = &t->aside[b->flow[i]->index];
	uint8_t verdict;

	if (a->held == 0 && c->n_holders >= SP_STAGE_HOLDERS / 2)
		return SP_VERDICT_SOURCE;
	verdict = hold(b, i, t, c);
	a->early |= verdict == SP_BURST_HELD;
	return verdict;
}

static void
let_go(struct sp_stage_commit *c, struct sp_flow_table *t, uint32_t id)
{
	struct sp_flow_aside *a = &t->aside[id];

	for (unsigned int n = 0; n < a->held; n++)
		c->released[c->n_released++] = a->hold[n];
	c->holding -= a->held;
	a->held = 0;
	a->early = 0;
	unlist(c, id);
}

void
sp_stage_commit_answered(
	struct sp_stage_commit *c, struct sp_flow_table *t, uint32_t id)
{
	const struct sp_flow *f = &t->flow[id];

	if (t->aside[id].early && !sp_latch_is_blank(&f->latch, &f->facts))
		let_go(c, t, id);
}

/*
 * Send on what was held of a source that has proved itself. The proof goes
 * last, so that it is counted last, too. Returns what becomes of the proof.
 */
static uint8_t
release(struct sp_burst *b, unsigned int i, struct sp_flow_table *t,
	struct sp_stage_commit *c)
{
	const uint32_t id = b->flow[i]->index;
	struct rte_mbuf *proof;

	if (t->aside[id].held == 0)
		return SP_VERDICT_FORWARD;
	let_go(c, t, id);
	if (is_opened(b, i))
		return SP_VERDICT_FORWARD;
	proof = copy(b, i, c);
	if (!proof)
		return SP_VERDICT_FORWARD;
	c->released[c->n_released++] = proof;
	return SP_BURST_HELD;
}

/* Untouched pages stay untouched. */
static void
note_trial(struct sp_flow_aside *a)
{
	if (sp_latch_tries(&a->trial))
		a->used = 1;
}

static enum sp_latch_answer
ask_latch(struct sp_burst *b, unsigned int i, struct sp_flow_table *t)
{
	struct sp_flow *f = b->flow[i];
	const struct sp_addr *from = &b->datagram[i].from;
	const struct sp_rtp *rtp = &b->rtp[i];
	const bool is_rtp = b->what[i] == SP_DEMUX_RTP;
	const uint32_t now_ms = to_ms(b->now_us);
	struct sp_flow_aside *aside = &t->aside[f->index];
	enum sp_latch_answer answer;
	struct sp_latch_stream running = {
		.ssrc = f->quality.ssrc,
		.seq = (uint16_t)f->quality.highest,
		.seen_ms = f->seen_ms,
		.rtp = f->quality.window != 0,
	};

	if (f->kind == SP_FLOW_RTCP)
		return f->pair == 0 ? SP_LATCH_DENY
				    : sp_latch_commit_rtcp(&f->latch, &f->facts,
					      &t->flow[f->pair].latch,
					      f->seen_ms, from, now_ms);

	if (!is_rtp && b->what[i] != SP_DEMUX_UNKNOWN) {
		/* RTCP on the RTP port, ZRTP, DTLS: they prove nothing. */
		if (f->latch.state == SP_LATCH_HELD &&
			sp_addr_equal(&f->latch.remote, from))
			return SP_LATCH_PASS;
		if (f->latch.state == SP_LATCH_HELD &&
			!sp_addr_same_ip(&f->latch.remote, from))
			return SP_LATCH_DENY;
		return sp_addr_equal(&f->facts.signalled, from) ? SP_LATCH_PASS
								: SP_LATCH_DENY;
	}
	if (is_rtp && is_opened(b, i) && b->proof[i] != SP_PROOF_NONE) {
		answer = sp_latch_commit_authentic(&f->latch, &f->facts,
			&aside->trial, f->seen_ms, from,
			b->proof[i] == SP_PROOF_NEWEST, now_ms);
		note_trial(aside);
		return answer;
	}
	if (is_rtp && f->payload_types != 0 &&
		!(f->payload_types >> (rtp->payload_type & 63) & 1) &&
		!(f->latch.state == SP_LATCH_HELD &&
			sp_addr_equal(&f->latch.remote, from)))
		return SP_LATCH_DENY;
	answer = sp_latch_commit(&f->latch, &f->facts, &aside->trial, &running,
		from, is_rtp ? rtp : NULL, now_ms);
	note_trial(aside);
	return answer;
}

/* Does it come before the answer says whose it is, or brings its keys? */
static bool
is_early(const struct sp_burst *b, unsigned int i)
{
	const struct sp_flow *f = b->flow[i];

	if (f->flags & SP_FLOW_KEYED)
		return b->proof[i] == SP_PROOF_MISSING;
	return f->kind != SP_FLOW_RTCP &&
		sp_latch_is_blank(&f->latch, &f->facts) &&
		sp_latch_class(&f->latch, &f->facts, &b->datagram[i].from) ==
		SP_LATCH_NOBODY;
}

/* A packet of somebody who does not hold the flow. May it pass? */
static uint8_t
learn(struct sp_burst *b, unsigned int i, struct sp_flow_table *t,
	struct sp_stage_commit *c)
{
	struct sp_flow *f = b->flow[i];
	const bool held = f->latch.state == SP_LATCH_HELD;
	const bool leads = f->kind != SP_FLOW_RTCP;

	end_grace(f, t, to_ms(b->now_us));
	if (is_early(b, i))
		return hold_early(b, i, t, c);
	switch (ask_latch(b, i, t)) {
	case SP_LATCH_PASS:
		return SP_VERDICT_FORWARD;
	case SP_LATCH_NEW:
		sp_flow_table_aim(t, f);
		lead_rtcp(f, t);
		if (leads)
			tell(c, f, held ? SP_NEWS_MOVED : SP_NEWS_LATCHED,
				&f->latch.remote);
		return release(b, i, t, c);
	case SP_LATCH_WAIT:
		return hold(b, i, t, c);
	case SP_LATCH_RIVAL:
		tell(c, f, SP_NEWS_CONTESTED, &b->datagram[i].from);
		return SP_VERDICT_SOURCE;
	case SP_LATCH_DENY:
		break;
	}
	return held ? SP_VERDICT_SOURCE : SP_VERDICT_PROBATION;
}

/* The first valid packet since the SDP named the party's address. */
static void
hear(struct sp_flow *f, struct sp_flow_table *t)
{
	/* An old source does not answer for the address that is named now. */
	if (f->latch.renewing || t->flow[f->pair].latch.renewing)
		return;
	f->heard = 1;
	f->answered = 1;
	if (f->pair != 0) {
		t->flow[f->pair].heard = 1;
		t->flow[f->pair].answered = 1;
	}
}

static inline void
count(struct sp_burst *b, unsigned int i, uint32_t now_ms)
{
	struct sp_flow *f = b->flow[i];

	f->octets += b->datagram[i].payload_len;
	if (unlikely(++f->packets == 0))
		f->packets_high++;
	/* RTCP on RTP's port keeps neither a call alive nor its source. */
	if (likely(b->what[i] != SP_DEMUX_RTCP) || f->kind == SP_FLOW_RTCP)
		__atomic_store_n(&f->seen_ms, now_ms, __ATOMIC_RELAXED);
	if (likely(b->what[i] == SP_DEMUX_RTP))
		sp_quality_count(&f->quality, &b->rtp[i],
			(uint32_t)(b->now_us * f->clock_hz / US_PER_S));
}

void
sp_stage_commit(
	struct sp_burst *b, struct sp_flow_table *t, struct sp_stage_commit *c)
{
	const uint32_t now_ms = to_ms(b->now_us);
	const unsigned int n = b->count;

	for (unsigned int i = 0; i < n; i++) {
		struct sp_flow *f = b->flow[i];

		if (b->verdict[i] != SP_VERDICT_FORWARD)
			continue;
		if (unlikely(b->strangers) &&
			!sp_latch_holds(&f->latch, &b->datagram[i].from)) {
			b->verdict[i] = learn(b, i, t, c);
			if (b->verdict[i] != SP_VERDICT_FORWARD)
				continue;
		}
		if (unlikely(!f->heard))
			hear(f, t);
		count(b, i, now_ms);
		/* A new listener may never speak: what we send ends it, too. */
		if (unlikely(b->out[i]->ready & SP_FLOW_GRACE)) {
			end_grace(b->out[i], t, now_ms);
			b->strangers = 1; /* its latch may hold no more */
		}
	}
}
