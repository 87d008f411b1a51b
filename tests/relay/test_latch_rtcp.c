/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/relay/latch_leg.h"

/* The RTCP port of a leg, beside the leg itself. */
struct pair {
	struct leg rtp;
	struct leg rtcp;
	uint32_t seen_ms;
};

static void
pair_open(struct pair *pair, enum sp_latch_policy policy)
{
	const struct sp_addr rtcp = at(2, 4001);

	memset(pair, 0, sizeof *pair);
	leg_open(&pair->rtp, policy);
	leg_open(&pair->rtcp, policy);
	memset(&pair->rtcp.facts.signalled, 0, sizeof rtcp);
	say_sdp(&pair->rtcp, &rtcp);
}

static enum sp_latch_answer
hear_rtcp(struct pair *pair, const struct sp_addr *from)
{
	struct leg *leg = &pair->rtcp;
	const enum sp_latch_answer answer =
		sp_latch_commit_rtcp(&leg->latch, &leg->facts, &pair->rtp.latch,
			pair->seen_ms, from, leg->now_ms);

	if (answer == SP_LATCH_PASS || answer == SP_LATCH_NEW)
		pair->seen_ms = leg->now_ms;
	return answer;
}

/* Who may send RTCP, by who holds the leg's RTP; letters as elsewhere. */
struct rtcp_case {
	char name[32];
	enum sp_latch_policy policy;
	enum sp_latch_class rtp; /* NOBODY: not latched */
	uint8_t net;             /* of the RTCP; 2 SDP, 3 SIP, 9 neither */
	uint16_t port;           /* 4001 is what SDP said */
	enum sp_latch_answer want;
};

ParameterizedTestParameters(latch_rtcp, follows_rtp)
{
	/* clang-format off */
	static struct rtcp_case cases[] = {
#define CASE(policy, rtp, net, port, want)                                    \
	{ #policy " " #rtp " " #net ":" #port, SP_LATCH_##policy,             \
		SP_LATCH_##rtp, net, port, SP_LATCH_##want }
		CASE(SIGNALLED, NOBODY, 2, 4001, PASS),
		CASE(SIGNALLED, NOBODY, 2, 4003, DENY),
		CASE(SIGNALLED, EXACT, 2, 4001, NEW),
		CASE(SIGNALLED, EXACT, 2, 4003, DENY),
		CASE(SIGNALLED, EXACT, 9, 4001, DENY),
		CASE(RESTRICTED, NOBODY, 2, 4001, PASS),
		CASE(RESTRICTED, NOBODY, 2, 4003, DENY),
		CASE(RESTRICTED, NOBODY, 3, 4001, DENY),
		CASE(RESTRICTED, NOBODY, 9, 4001, DENY),
		CASE(RESTRICTED, EXACT, 2, 4001, NEW),
		CASE(RESTRICTED, EXACT, 2, 4003, NEW),
		CASE(RESTRICTED, EXACT, 3, 4001, DENY),
		CASE(RESTRICTED, EXACT, 9, 4001, DENY),
		CASE(RESTRICTED, SIP_SOURCE, 2, 4001, DENY),
		CASE(RESTRICTED, SIP_SOURCE, 3, 7001, NEW),
		CASE(RESTRICTED, SIP_SOURCE, 9, 4001, DENY),
		CASE(ANY, NOBODY, 9, 4001, DENY),
		CASE(ANY, STRANGER, 9, 7001, NEW),
		CASE(ANY, STRANGER, 2, 4001, DENY),
		CASE(HANDOVER, NOBODY, 9, 4001, DENY),
		CASE(HANDOVER, STRANGER, 9, 7001, NEW),
		CASE(HANDOVER, STRANGER, 2, 4001, DENY),
#undef CASE
	};
	/* clang-format on */

	return cr_make_param_array(
		struct rtcp_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct rtcp_case *tc, latch_rtcp, follows_rtp)
{
	const struct sp_addr from = at(tc->net, tc->port);
	struct sp_addr target;
	struct pair pair;

	pair_open(&pair, tc->policy);
	if (tc->rtp != SP_LATCH_NOBODY)
		occupy(&pair.rtp, tc->rtp);
	cr_expect(eq(int, hear_rtcp(&pair, &from), tc->want), "%s", tc->name);
	cr_expect(eq(int, sp_latch_holds(&pair.rtcp.latch, &from),
			  tc->want == SP_LATCH_NEW),
		"%s", tc->name);
	if (tc->rtp == SP_LATCH_NOBODY ||
		!sp_latch_target(&pair.rtcp.latch, &pair.rtcp.facts,
			&pair.rtp.latch, &target))
		return;
	cr_expect(sp_addr_same_ip(&target, &pair.rtp.latch.remote), "%s",
		tc->name);
}

Test(latch_rtcp, its_port_stays_between_two_reports)
{
	const struct sp_addr phone = at(3, 7001);
	const struct sp_addr neighbour = at(3, 9001);
	const struct sp_addr exact = at(2, 4001);
	struct pair pair;

	pair_open(&pair, SP_LATCH_RESTRICTED);
	occupy(&pair.rtp, SP_LATCH_SIP_SOURCE);
	cr_expect(eq(int, hear_rtcp(&pair, &phone), SP_LATCH_NEW));
	pair.rtcp.now_ms += 7500; /* the longest pause of RFC 3550 */
	cr_expect(eq(int, hear_rtcp(&pair, &neighbour), SP_LATCH_DENY));
	cr_expect(eq(int, hear_rtcp(&pair, &exact), SP_LATCH_DENY));
	cr_expect(eq(int, hear_rtcp(&pair, &phone), SP_LATCH_PASS));
	pair.rtcp.now_ms += SP_LATCH_RTCP_SILENCE_MS;
	cr_expect(eq(int, hear_rtcp(&pair, &neighbour), SP_LATCH_NEW));
}

/* Where RTP and RTCP go to: SDP's address, the source's, or nowhere. */
struct target_case {
	char name[40];
	enum sp_latch_class rtp; /* who holds RTP */
	bool rtcp;               /* RTCP latched on the same IP */
	bool moved;              /* the SDP then names 192.0.5.1 */
	uint8_t rtp_net;
	uint16_t rtp_port;
	uint8_t rtcp_net; /* 0: nowhere */
	uint16_t rtcp_port;
};

ParameterizedTestParameters(latch_rtcp, sends_where_rtp_goes)
{
	/* clang-format off */
	static struct target_case cases[] = {
		{ "nobody came", SP_LATCH_NOBODY, false, false,
			2, 4000, 2, 4001 },
		{ "exact", SP_LATCH_EXACT, false, false, 2, 4000, 2, 4001 },
		{ "exact, other RTCP port", SP_LATCH_EXACT, true, false,
			2, 4000, 2, 8001 },
		{ "NAT", SP_LATCH_SIP_SOURCE, false, false, 3, 7000, 0, 0 },
		{ "NAT, RTCP came", SP_LATCH_SIP_SOURCE, true, false,
			3, 7000, 3, 8001 },
		{ "nobody came, moved", SP_LATCH_NOBODY, false, true,
			5, 4000, 5, 4001 },
		{ "exact, moved", SP_LATCH_EXACT, false, true,
			5, 4000, 5, 4001 },
		{ "exact, RTCP came, moved", SP_LATCH_EXACT, true, true,
			5, 4000, 5, 4001 },
		{ "NAT, moved", SP_LATCH_SIP_SOURCE, false, true,
			3, 7000, 0, 0 },
		{ "NAT, RTCP came, moved", SP_LATCH_SIP_SOURCE, true, true,
			3, 7000, 3, 8001 },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct target_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct target_case *tc, latch_rtcp, sends_where_rtp_goes)
{
	const struct sp_addr moved = at(5, 4000), moved_rtcp = at(5, 4001);
	const struct sp_addr want = at(tc->rtp_net, tc->rtp_port);
	const struct sp_addr want_rtcp = at(tc->rtcp_net, tc->rtcp_port);
	struct sp_addr target, from;
	struct pair pair;

	pair_open(&pair, SP_LATCH_RESTRICTED);
	if (tc->rtp != SP_LATCH_NOBODY)
		occupy(&pair.rtp, tc->rtp);
	from = source(tc->rtp, false);
	from.port = 8001;
	if (tc->rtcp)
		cr_assert(eq(int, hear_rtcp(&pair, &from), SP_LATCH_NEW));
	if (tc->moved) {
		say_sdp(&pair.rtp, &moved);
		say_sdp(&pair.rtcp, &moved_rtcp);
	}
	cr_assert(sp_latch_target(
			  &pair.rtp.latch, &pair.rtp.facts, NULL, &target),
		"%s", tc->name);
	cr_expect(sp_addr_equal(&target, &want), "%s", tc->name);
	cr_expect(eq(int,
			  sp_latch_target(&pair.rtcp.latch, &pair.rtcp.facts,
				  &pair.rtp.latch, &target),
			  tc->rtcp_net != 0),
		"%s", tc->name);
	if (tc->rtcp_net != 0)
		cr_expect(sp_addr_equal(&target, &want_rtcp), "%s", tc->name);
}

Test(latch_rtcp, goes_nowhere_without_an_address)
{
	struct sp_addr target;
	struct leg leg = { .now_ms = START_MS };

	cr_expect(not(sp_latch_target(&leg.latch, &leg.facts, NULL, &target)));
}
