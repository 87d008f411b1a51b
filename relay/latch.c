/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/latch.h"

#include <string.h>

/* How far a running stream may jump and still be the same one: a second. */
#define CONTINUES_WITHIN 100
/* How far back a late packet lies that says nothing for or against. */
#define LATE_WITHIN 16

static bool
same_sip_ip(const struct sp_latch_facts *facts, const struct sp_addr *from)
{
	return facts->sip_family != SP_FAMILY_NONE &&
		facts->sip_family == from->family &&
		memcmp(facts->sip_ip, from->ip, sizeof from->ip) == 0;
}

enum sp_latch_class
sp_latch_class(const struct sp_latch *latch, const struct sp_latch_facts *facts,
	const struct sp_addr *from)
{
	if (sp_addr_equal(&facts->signalled, from))
		return SP_LATCH_EXACT;
	if (latch->policy == SP_LATCH_SIGNALLED)
		return SP_LATCH_NOBODY;
	if (sp_addr_same_ip(&facts->signalled, from))
		return SP_LATCH_SAME_IP;
	if (same_sip_ip(facts, from))
		return SP_LATCH_SIP_SOURCE;
	/* Even anybody is somebody: no loopback, no group, no link-local. */
	return (latch->policy == SP_LATCH_ANY ||
		       latch->policy == SP_LATCH_HANDOVER) &&
			sp_addr_scope(from) <= SP_ADDR_PRIVATE
		? SP_LATCH_STRANGER
		: SP_LATCH_NOBODY;
}

/* May an authentic packet of @from make it the leg's source? */
static bool
is_eligible(const struct sp_latch *latch, const struct sp_latch_facts *facts,
	const struct sp_addr *from)
{
	return sp_latch_class(latch, facts, from) != SP_LATCH_NOBODY ||
		(latch->policy == SP_LATCH_AUTH &&
			sp_addr_scope(from) <= SP_ADDR_PRIVATE);
}

bool
sp_latch_allows(const struct sp_latch *latch,
	const struct sp_latch_facts *facts, const struct sp_addr *from)
{
	if (latch->state == SP_LATCH_HELD &&
		sp_addr_equal(&latch->remote, from))
		return true;
	return is_eligible(latch, facts, from);
}

/* Time gone by; packets that were held come with times of the past. */
static uint32_t
since(uint32_t then_ms, uint32_t now_ms)
{
	const int32_t ms = (int32_t)(now_ms - then_ms);

	return ms > 0 ? (uint32_t)ms : 0;
}

/* The place for @from: its own, a free one, or one that lost its claim. */
static struct sp_latch_candidate *
place(struct sp_latch_trial *trial, const struct sp_addr *from,
	enum sp_latch_class class, uint32_t now_ms)
{
	struct sp_latch_candidate *found = NULL;

	for (unsigned int i = 0; i < SP_LATCH_CANDIDATES; i++) {
		struct sp_latch_candidate *c = &trial->candidate[i];

		if (c->from.family != SP_FAMILY_NONE &&
			since(c->last_ms, now_ms) > SP_LATCH_GAP_MS)
			memset(c, 0, sizeof *c);
		if (sp_addr_equal(&c->from, from))
			return c;
		/* One that makes no progress must not keep others out. */
		if (c->in_row > 1 && c->class >= class)
			continue;
		if (!found || c->in_row < found->in_row)
			found = c;
	}
	if (found)
		*found = (struct sp_latch_candidate){ .from = *from };
	return found;
}

/* Count a packet of a candidate. Returns whether it has passed. */
static bool
advance(struct sp_latch_candidate *c, const struct sp_rtp *rtp,
	uint16_t min_spread_ms, uint32_t now_ms)
{
	bool follows = c->in_row > 0;

	if (rtp && c->in_row > 0) {
		const int16_t step = (int16_t)(uint16_t)(rtp->seq - c->seq);

		if (rtp->ssrc == c->ssrc && step < 0 && step > -LATE_WITHIN)
			return false; /* late: proves nothing either way */
		follows = rtp->ssrc == c->ssrc && step == 1;
	}
	if (!follows) {
		c->in_row = 0;
		c->first_ms = now_ms;
	}
	if (rtp) {
		c->ssrc = rtp->ssrc;
		c->seq = rtp->seq;
	}
	c->last_ms = now_ms;
	if (c->in_row < UINT8_MAX)
		c->in_row++;
	return c->in_row >= SP_LATCH_PROBATION &&
		since(c->first_ms, now_ms) >= min_spread_ms;
}

static enum sp_latch_answer
take(struct sp_latch *latch, struct sp_latch_trial *trial,
	const struct sp_addr *from, enum sp_latch_class class)
{
	latch->remote = *from;
	latch->state = SP_LATCH_HELD;
	latch->class = (uint8_t) class;
	latch->renewing = 0;
	/* A trial that never was stays untouched: it may cost a page. */
	if (trial && sp_latch_tries(trial))
		memset(trial, 0, sizeof *trial);
	return SP_LATCH_NEW;
}

/* Same IP, same SSRC, sequence going on: a NAT moved the stream's port. */
static bool
continues(const struct sp_latch *latch, const struct sp_latch_stream *running,
	const struct sp_addr *from, const struct sp_rtp *rtp)
{
	const uint16_t ahead =
		rtp ? (uint16_t)(rtp->seq - running->seq) : UINT16_MAX;

	return rtp && running->rtp && rtp->ssrc == running->ssrc && ahead > 0 &&
		ahead <= CONTINUES_WITHIN &&
		sp_addr_same_ip(&latch->remote, from);
}

/* Another source than the holder, eligible as @class, sent a packet. */
static enum sp_latch_answer
challenge(struct sp_latch *latch, const struct sp_latch_facts *facts,
	struct sp_latch_trial *trial, const struct sp_latch_stream *running,
	const struct sp_addr *from, const struct sp_rtp *rtp,
	enum sp_latch_class class, uint32_t now_ms)
{
	struct sp_latch_candidate *c = place(trial, from, class, now_ms);
	bool vacant, passed;

	if (!c)
		return SP_LATCH_DENY;
	c->class = (uint8_t) class;
	passed = advance(c, rtp, facts->min_spread_ms, now_ms);

	vacant = latch->renewing || class > latch->class ||
		latch->policy == SP_LATCH_HANDOVER ||
		since(running->seen_ms, now_ms) >= SP_LATCH_SILENCE_MS;
	/* The old port must be silent since the new one began. */
	if (!vacant && continues(latch, running, from, rtp))
		vacant = !passed ||
			(int32_t)(c->first_ms - running->seen_ms) >= 0;

	if (vacant)
		return passed ? take(latch, trial, from, class) : SP_LATCH_WAIT;
	if (!passed || c->in_row == UINT8_MAX)
		return SP_LATCH_DENY;
	c->in_row = UINT8_MAX; /* told once */
	return SP_LATCH_RIVAL;
}

bool
sp_latch_expire(struct sp_latch *latch, const struct sp_latch_facts *facts,
	uint32_t seen_ms, uint32_t now_ms)
{
	if (latch->state != SP_LATCH_HELD || !latch->renewing ||
		since(facts->renewed_ms, now_ms) <= SP_LATCH_GRACE_MS)
		return false;
	latch->renewing = 0;
	if (latch->class != SP_LATCH_AUTHENTIC ||
		!is_eligible(latch, facts, &latch->remote))
		latch->class =
			(uint8_t)sp_latch_class(latch, facts, &latch->remote);
	/* One that fell silent must not keep what is meant for a listener. */
	if (latch->class == SP_LATCH_NOBODY ||
		since(seen_ms, now_ms) >= SP_LATCH_SILENCE_MS)
		latch->state = SP_LATCH_EMPTY;
	return true;
}

enum sp_latch_answer
sp_latch_commit(struct sp_latch *latch, const struct sp_latch_facts *facts,
	struct sp_latch_trial *trial, const struct sp_latch_stream *running,
	const struct sp_addr *from, const struct sp_rtp *rtp, uint32_t now_ms)
{
	const enum sp_latch_class class = sp_latch_class(latch, facts, from);
	struct sp_latch_candidate *c;

	if (latch->state == SP_LATCH_HELD) {
		if (class == SP_LATCH_EXACT &&
			(latch->renewing || latch->class < SP_LATCH_EXACT))
			return take(latch, trial, from, class);
		if (sp_addr_equal(&latch->remote, from))
			return SP_LATCH_PASS;
		if (class == SP_LATCH_NOBODY)
			return SP_LATCH_DENY;
		return challenge(
			latch, facts, trial, running, from, rtp, class, now_ms);
	}

	if (class == SP_LATCH_NOBODY)
		return SP_LATCH_DENY;
	if (class == SP_LATCH_EXACT)
		return take(latch, trial, from, class);
	c = place(trial, from, class, now_ms);
	if (!c)
		return SP_LATCH_DENY;
	c->class = (uint8_t) class;
	return advance(c, rtp, facts->min_spread_ms, now_ms)
		? take(latch, trial, from, class)
		: SP_LATCH_WAIT;
}

/* The place @from has; NULL: none. */
static struct sp_latch_candidate *
find(struct sp_latch_trial *trial, const struct sp_addr *from)
{
	for (unsigned int i = 0; i < SP_LATCH_CANDIDATES; i++)
		if (sp_addr_equal(&trial->candidate[i].from, from))
			return &trial->candidate[i];
	return NULL;
}

/* Count a packet of an authentic candidate: @first_ms is the holder's last. */
static bool
advance_authentic(struct sp_latch_candidate *c, uint32_t seen_ms, bool newest,
	uint32_t now_ms)
{
	/* Whoever passed since its own last packet was another. */
	if (c->in_row == 0 || seen_ms != c->last_ms) {
		c->in_row = 0;
		c->first_ms = seen_ms;
	}
	c->last_ms = now_ms;
	if (!newest)
		return false;
	if (c->in_row < UINT8_MAX)
		c->in_row++;
	return c->in_row >= SP_LATCH_PROBATION &&
		since(c->first_ms, now_ms) >= SP_LATCH_AUTH_MS;
}

enum sp_latch_answer
sp_latch_commit_authentic(struct sp_latch *latch,
	const struct sp_latch_facts *facts, struct sp_latch_trial *trial,
	uint32_t seen_ms, const struct sp_addr *from, bool newest,
	uint32_t now_ms)
{
	struct sp_latch_candidate *c;

	if (latch->state == SP_LATCH_HELD &&
		sp_addr_equal(&latch->remote, from))
		return SP_LATCH_PASS;
	if (!is_eligible(latch, facts, from))
		return SP_LATCH_DENY;
	/* A late one is the party's, but may be from where it was before. */
	if (newest &&
		(latch->state != SP_LATCH_HELD ||
			(latch->renewing &&
				sp_addr_equal(&facts->signalled, from))))
		return take(latch, trial, from, SP_LATCH_AUTHENTIC);
	if (latch->state != SP_LATCH_HELD)
		return SP_LATCH_PASS;

	c = newest ? place(trial, from, SP_LATCH_AUTHENTIC, now_ms)
		   : find(trial, from);
	if (!c)
		return SP_LATCH_PASS;
	c->class = SP_LATCH_AUTHENTIC;
	return advance_authentic(c, seen_ms, newest, now_ms)
		? take(latch, trial, from, SP_LATCH_AUTHENTIC)
		: SP_LATCH_PASS;
}

enum sp_latch_answer
sp_latch_commit_rtcp(struct sp_latch *latch, const struct sp_latch_facts *facts,
	const struct sp_latch *rtp, uint32_t seen_ms,
	const struct sp_addr *from, uint32_t now_ms)
{
	const bool exact = sp_addr_equal(&facts->signalled, from);

	if (rtp->state != SP_LATCH_HELD)
		return exact ? SP_LATCH_PASS : SP_LATCH_DENY;
	if (!sp_addr_same_ip(&rtp->remote, from))
		return SP_LATCH_DENY;
	if (latch->policy == SP_LATCH_SIGNALLED && !exact)
		return SP_LATCH_DENY;

	if (latch->state == SP_LATCH_HELD &&
		sp_addr_equal(&latch->remote, from))
		return SP_LATCH_PASS;
	if (latch->state == SP_LATCH_HELD && !exact && !latch->renewing &&
		sp_addr_same_ip(&latch->remote, from) &&
		since(seen_ms, now_ms) < SP_LATCH_RTCP_SILENCE_MS)
		return SP_LATCH_DENY;
	return take(
		latch, NULL, from, exact ? SP_LATCH_EXACT : SP_LATCH_SAME_IP);
}

bool
sp_latch_signal(struct sp_latch *latch, struct sp_latch_facts *facts,
	const struct sp_addr *signalled, const struct sp_addr *sip,
	uint32_t now_ms)
{
	const bool held = latch->state == SP_LATCH_HELD;
	const bool changed = !sp_addr_equal(&facts->signalled, signalled);
	const bool was_exact = sp_addr_equal(&facts->signalled, &latch->remote);

	/* Hold by removing the address is no move: the party stays put. */
	if (signalled->family != SP_FAMILY_NONE || !held)
		facts->signalled = *signalled;
	facts->sip_family = sip->family;
	memcpy(facts->sip_ip, sip->ip, sizeof facts->sip_ip);
	if (!changed || !held || signalled->family == SP_FAMILY_NONE)
		return changed && !held;
	/* What holds the leg may be just what is signalled now. */
	if (sp_addr_equal(&latch->remote, signalled)) {
		if (latch->class < SP_LATCH_EXACT)
			latch->class = SP_LATCH_EXACT;
		latch->renewing = 0;
		return false;
	}
	/* What was sent to the SDP's address goes to its new one at once. */
	if (was_exact && latch->class == SP_LATCH_AUTHENTIC)
		latch->class = SP_LATCH_EXACT;
	latch->renewing = 1;
	facts->renewed_ms = now_ms;
	return true;
}

/*
 * Do we send to who holds the leg? A source that was just where the SDP said
 * moves with the SDP at once; one behind a NAT is kept until its new mapping
 * is known. An asymmetric one does not listen where it sends from.
 */
static bool
sends_back(const struct sp_latch *latch)
{
	return latch->state == SP_LATCH_HELD &&
		latch->policy != SP_LATCH_ASYMMETRIC &&
		!(latch->renewing && latch->class == SP_LATCH_EXACT);
}

bool
sp_latch_target(const struct sp_latch *latch,
	const struct sp_latch_facts *facts, const struct sp_latch *rtp,
	struct sp_addr *out)
{
	const bool led = rtp && sends_back(rtp);

	if (sends_back(latch) &&
		(!rtp ||
			(led &&
				sp_addr_same_ip(
					&rtp->remote, &latch->remote)))) {
		*out = latch->remote;
		return true;
	}
	if (facts->signalled.family == SP_FAMILY_NONE)
		return false;
	if (led && !sp_addr_same_ip(&rtp->remote, &facts->signalled))
		return false;
	*out = facts->signalled;
	return true;
}
