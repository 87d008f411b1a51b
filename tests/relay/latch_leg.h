/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_RELAY_LATCH_LEG_H
#define SP_TESTS_RELAY_LATCH_LEG_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "relay/latch.h"

/* What the tests of the latch share: a leg, its sources and its clock. */

#define PTIME_MS 20
#define START_MS 1000

/* A leg with all that its latch needs, and the worker's part in it. */
struct leg {
	struct sp_latch latch;
	struct sp_latch_facts facts;
	struct sp_latch_trial trial;
	struct sp_latch_stream running;
	uint32_t now_ms;
};

static inline struct sp_addr
at(uint8_t net, uint16_t port)
{
	const uint8_t ip[4] = { 192, 0, net, 1 };

	return sp_addr_ip4(ip, port);
}

/* Sources, by what speaks for them when the leg was opened by leg_open. */
static inline struct sp_addr
source(enum sp_latch_class class, bool other)
{
	const uint16_t port = other ? 7002 : 7000;

	switch (class) {
	case SP_LATCH_EXACT:
		return at(2, 4000);
	case SP_LATCH_SAME_IP:
		return at(2, port);
	case SP_LATCH_SIP_SOURCE:
		return at(3, port);
	default:
		return at(9, port);
	}
}

static inline void
say_sdp(struct leg *leg, const struct sp_addr *media)
{
	const struct sp_addr sip = at(3, 5060);

	sp_latch_signal(&leg->latch, &leg->facts, media, &sip, leg->now_ms);
}

static inline void
leg_open(struct leg *leg, enum sp_latch_policy policy)
{
	const struct sp_addr media = source(SP_LATCH_EXACT, false);

	memset(leg, 0, sizeof *leg);
	leg->now_ms = START_MS;
	leg->latch.policy = (uint8_t)policy;
	leg->facts.min_spread_ms = PTIME_MS;
	say_sdp(leg, &media);
}

/* A packet as the worker treats it. */
static inline enum sp_latch_answer
hear(struct leg *leg, const struct sp_addr *from, uint32_t ssrc, uint16_t seq)
{
	const struct sp_rtp rtp = { .ssrc = ssrc, .seq = seq };
	enum sp_latch_answer answer;

	sp_latch_expire(
		&leg->latch, &leg->facts, leg->running.seen_ms, leg->now_ms);
	answer = sp_latch_commit(&leg->latch, &leg->facts, &leg->trial,
		&leg->running, from, &rtp, leg->now_ms);
	if (answer == SP_LATCH_PASS || answer == SP_LATCH_NEW)
		leg->running = (struct sp_latch_stream){
			.ssrc = ssrc,
			.seq = seq,
			.seen_ms = leg->now_ms,
			.rtp = true,
		};
	return answer;
}

/* @n packets at the pace of a phone; the answer to the last of them. */
static inline enum sp_latch_answer
hear_stream(struct leg *leg, const struct sp_addr *from, uint32_t ssrc,
	uint16_t seq, unsigned int n)
{
	enum sp_latch_answer answer = SP_LATCH_DENY;

	for (unsigned int i = 0; i < n; i++) {
		leg->now_ms += PTIME_MS;
		answer = hear(leg, from, ssrc, (uint16_t)(seq + i));
	}
	return answer;
}

/* In which state a leg is when somebody else speaks up. */
enum phase {
	EMPTY,
	SPEAKING,
	SILENT,
	RENEWED
};

/* Have a source of @class hold the leg, however that comes about. */
static inline void
occupy(struct leg *leg, enum sp_latch_class class)
{
	const struct sp_addr from = source(class, false);
	const uint8_t policy = leg->latch.policy;

	leg->latch.policy = SP_LATCH_ANY;
	cr_assert(eq(int, hear_stream(leg, &from, 1, 100, 3),
		class == SP_LATCH_EXACT ? SP_LATCH_PASS : SP_LATCH_NEW));
	leg->latch.policy = policy;
	cr_assert(eq(int, leg->latch.class, class));
}

#endif
