/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A leg that hears packets of four sources, on RTP's port and on RTCP's, while
 * signalling and time go on. The input is the story, three bytes an event.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/latch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define SOURCES 4
#define EVENT 3

enum event {
	RTP,
	RTP_NEXT,   /* the source's next one, at a phone's pace */
	RTP_STOLEN, /* with another one's stream and sequence */
	NOT_RTP,
	RTCP,
	SIGNAL,
	TIME,
	AUTHENTIC, /* SRTP under the leg's keys, on RTP's port */
};

struct story {
	struct sp_latch rtp;
	struct sp_latch rtcp;
	struct sp_latch_facts facts;
	struct sp_latch_facts rtcp_facts;
	struct sp_latch_trial trial;
	struct sp_latch_stream running;
	uint32_t rtcp_seen_ms;
	uint32_t now_ms;
	uint16_t seq[SOURCES];
};

static void
must(bool truth)
{
	if (!truth)
		abort();
}

/* SDP's address, its IP, SIP's IP, and a stranger. */
static struct sp_addr
source(unsigned int i, unsigned int rtcp)
{
	static const uint8_t ip[SOURCES][4] = { { 192, 0, 2, 1 },
		{ 192, 0, 2, 1 }, { 198, 51, 100, 1 }, { 203, 0, 113, 9 } };

	return sp_addr_ip4(ip[i], (uint16_t)(4000 + 2 * i + rtcp));
}

/* Does RTP go to who holds the leg, and not to where the SDP points? */
static bool
sends_back(const struct sp_latch *latch)
{
	return latch->state == SP_LATCH_HELD &&
		latch->policy != SP_LATCH_ASYMMETRIC &&
		!(latch->renewing && latch->class == SP_LATCH_EXACT);
}

/* What is true at all times. */
static void
judge(const struct story *s)
{
	struct sp_addr rtp, rtcp;
	const bool has_rtp = sp_latch_target(&s->rtp, &s->facts, NULL, &rtp);
	const bool has_rtcp =
		sp_latch_target(&s->rtcp, &s->rtcp_facts, &s->rtp, &rtcp);

	must(s->rtp.state != SP_LATCH_HELD ||
		s->rtp.remote.family != SP_FAMILY_NONE);
	if (has_rtp)
		must(sp_addr_equal(&rtp, &s->rtp.remote) ||
			sp_addr_equal(&rtp, &s->facts.signalled));
	if (has_rtp && s->rtp.policy == SP_LATCH_ASYMMETRIC)
		must(sp_addr_equal(&rtp, &s->facts.signalled));
	if (has_rtcp && sends_back(&s->rtp))
		must(has_rtp && sp_addr_same_ip(&rtp, &rtcp));
}

static void
hear(struct story *s, unsigned int i, const struct sp_rtp *rtp)
{
	const struct sp_addr from = source(i, 0);
	const struct sp_latch before = s->rtp;
	const bool allowed = sp_latch_allows(&s->rtp, &s->facts, &from);
	enum sp_latch_answer answer;
	struct sp_latch waiting;

	sp_latch_expire(&s->rtp, &s->facts, s->running.seen_ms, s->now_ms);
	waiting = s->rtp;
	must(memcmp(&before, &waiting, sizeof before) == 0 || before.renewing);
	answer = sp_latch_commit(&s->rtp, &s->facts, &s->trial, &s->running,
		&from, rtp, s->now_ms);
	must(allowed || answer == SP_LATCH_DENY);
	switch (answer) {
	case SP_LATCH_PASS:
		must(sp_addr_equal(&from, &s->rtp.remote));
		must(memcmp(&waiting, &s->rtp, sizeof waiting) == 0);
		break;
	case SP_LATCH_NEW:
		must(sp_addr_equal(&from, &s->rtp.remote));
		must(s->rtp.state == SP_LATCH_HELD && !s->rtp.renewing);
		must(sp_latch_class(&s->rtp, &s->facts, &from) == s->rtp.class);
		must(s->rtp.class != SP_LATCH_NOBODY);
		must(s->rtp.class != SP_LATCH_STRANGER ||
			s->rtp.policy == SP_LATCH_ANY ||
			s->rtp.policy == SP_LATCH_HANDOVER);
		must(s->rtp.class == SP_LATCH_EXACT ||
			s->rtp.policy != SP_LATCH_SIGNALLED);
		break;
	case SP_LATCH_RIVAL:
		must(waiting.state == SP_LATCH_HELD);
		must(waiting.policy != SP_LATCH_HANDOVER);
		/* fall through */
	case SP_LATCH_WAIT:
	case SP_LATCH_DENY:
		must(memcmp(&waiting, &s->rtp, sizeof waiting) == 0);
		return;
	}
	s->running.seen_ms = s->now_ms;
	if (!rtp)
		return;
	s->running.rtp = true;
	s->running.ssrc = rtp->ssrc;
	s->running.seq = rtp->seq;
}

static void
hear_authentic(struct story *s, unsigned int i, bool newest)
{
	const struct sp_addr from = source(i, 0);
	const bool allowed = sp_latch_allows(&s->rtp, &s->facts, &from);
	enum sp_latch_answer answer;
	struct sp_latch waiting;

	sp_latch_expire(&s->rtp, &s->facts, s->running.seen_ms, s->now_ms);
	waiting = s->rtp;
	answer = sp_latch_commit_authentic(&s->rtp, &s->facts, &s->trial,
		s->running.seen_ms, &from, newest, s->now_ms);
	must(allowed || answer == SP_LATCH_DENY);
	if (answer == SP_LATCH_NEW) {
		must(newest && sp_addr_equal(&from, &s->rtp.remote));
		must(s->rtp.state == SP_LATCH_HELD && !s->rtp.renewing);
		must(s->rtp.class == SP_LATCH_AUTHENTIC);
	} else {
		must(answer == SP_LATCH_PASS || answer == SP_LATCH_DENY);
		must(memcmp(&waiting, &s->rtp, sizeof waiting) == 0);
	}
	if (answer != SP_LATCH_DENY)
		s->running.seen_ms = s->now_ms;
}

static void
hear_rtcp(struct story *s, unsigned int i)
{
	const struct sp_addr from = source(i, 1);
	const struct sp_latch before = s->rtcp;
	enum sp_latch_answer answer;

	answer = sp_latch_commit_rtcp(&s->rtcp, &s->rtcp_facts, &s->rtp,
		s->rtcp_seen_ms, &from, s->now_ms);
	must(answer == SP_LATCH_NEW ||
		memcmp(&before, &s->rtcp, sizeof before) == 0);
	if (answer == SP_LATCH_DENY)
		return;
	must(answer == SP_LATCH_PASS || answer == SP_LATCH_NEW);
	if (s->rtp.state == SP_LATCH_HELD)
		must(sp_addr_same_ip(&s->rtp.remote, &from));
	else
		must(sp_addr_equal(&s->rtcp_facts.signalled, &from));
	s->rtcp_seen_ms = s->now_ms;
}

/* The SDP names one of the sources, or a fifth address, or none. */
static void
signal_to(struct story *s, unsigned int choice)
{
	const struct sp_latch before = s->rtp;
	const struct sp_addr sip = source(2, 0);
	struct sp_addr to = source(choice % SOURCES, 0), rtcp;
	bool opened;

	if (choice % 8 == 4)
		to.ip[15] ^= 0x55;
	if (choice % 8 == 5)
		to = (struct sp_addr){ 0 };
	rtcp = to;
	if (to.family != SP_FAMILY_NONE)
		rtcp.port++;
	opened = sp_latch_signal(&s->rtp, &s->facts, &to, &sip, s->now_ms);
	must(opened || s->rtp.renewing == before.renewing ||
		sp_addr_equal(&s->rtp.remote, &to));
	must(s->rtp.state == before.state);
	must(sp_addr_equal(&s->rtp.remote, &before.remote));
	sp_latch_signal(&s->rtcp, &s->rtcp_facts, &rtcp, &sip, s->now_ms);
}

static void
happen(struct story *s, const uint8_t *event)
{
	const unsigned int i = event[0] >> 3 & 3;
	struct sp_rtp rtp = { .ssrc = 10 + i, .seq = s->seq[i] };

	switch ((enum event)(event[0] & 7)) {
	case RTP:
		rtp.seq = (uint16_t)(rtp.seq + (int8_t)event[1]);
		rtp.ssrc ^= event[2] & 1;
		break;
	case RTP_NEXT:
		s->now_ms += 20;
		rtp.seq++;
		break;
	case RTP_STOLEN:
		s->now_ms += event[2] & 31;
		rtp.ssrc = s->running.ssrc;
		rtp.seq = (uint16_t)(s->running.seq + event[1]);
		break;
	case NOT_RTP:
		hear(s, i, NULL);
		return;
	case RTCP:
		hear_rtcp(s, i);
		return;
	case SIGNAL:
		signal_to(s, event[1]);
		return;
	case TIME:
		s->now_ms += event[1] * event[2];
		return;
	case AUTHENTIC:
		s->now_ms += event[1] & 31;
		hear_authentic(s, i, event[2] & 1);
		return;
	}
	s->seq[i] = rtp.seq;
	hear(s, i, &rtp);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct story s = { .now_ms = (uint32_t)-5000 };

	if (len < 1)
		return 0;
	s.rtp.policy = s.rtcp.policy = data[0] % 6;
	s.facts.min_spread_ms = 20;
	signal_to(&s, data[0] >> 2);
	for (size_t at = 1; at + EVENT <= len; at += EVENT) {
		happen(&s, data + at);
		judge(&s);
	}
	return 0;
}
