/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/dataplane/bed_relay.h"

/* The kinds of flow, in the order of the letters below. */
static const struct {
	enum sp_flow_kind kind;
	uint8_t flags;
} kinds[] = {
	{ SP_FLOW_RTP, 0 },
	{ SP_FLOW_RTCP, 0 },
	{ SP_FLOW_MUX, 0 },
	{ SP_FLOW_DATA, 0 },
	{ SP_FLOW_RTP, SP_FLOW_OPAQUE },
	{ SP_FLOW_RTCP, SP_FLOW_OPAQUE },
	{ SP_FLOW_MUX, SP_FLOW_OPAQUE },
	{ SP_FLOW_DATA, SP_FLOW_OPAQUE },
};

#define KINDS (sizeof kinds / sizeof *kinds)

/*
 * What a datagram of a good source is told on a flow of each kind: RTP, RTCP,
 * both, data, then the same end-to-end encrypted. F: forward, N: not media,
 * M: malformed.
 */
struct datagram {
	char name[32];
	uint8_t bytes[24];
	uint8_t len;
	char want[KINDS + 1];
};

ParameterizedTestParameters(admit, asks_what_it_is)
{
	/* clang-format off */
	static struct datagram cases[] = {
		{ "RTP", { 0x80, 0, 0, 1 }, 20, "FNFFFNFF" },
		{ "RTP, marker", { 0x80, 0x88 }, 20,
			"FNFFFNFF" },
		{ "shortest RTP", { 0x80 }, 12, "FNFFFNFF" },
		{ "RTP too short", { 0x80 }, 11, "MNMFMNMF" },
		{ "RTP, CSRC cut off", { 0x81 }, 15, "MNMFMNMF" },
		{ "RTP, extension cut off", { 0x90, [15] = 9 }, 20,
			"MNMFMNMF" },
		{ "RTP, padding of 0", { 0xa0 }, 20, "MNMFFNFF" },
		{ "RTP, all padding", { 0xa0, [19] = 9 }, 20, "MNMFFNFF" },
		{ "RTCP", { 0x80, 201, 0, 1 }, 8, "NFFFNFFF" },
		{ "RTCP of 4 bytes", { 0x80, 201, 0, 0 }, 4, "NMMFNMMF" },
		{ "RTCP cut off", { 0x80, 201, 0, 2 }, 8, "NMMFNMMF" },
		{ "RTCP, then too little", { 0x80, 201, 0, 1,
			[8] = 0x80, 202, 0, 1 }, 12, "NMMFNFFF" },
		{ "RTCP, then nonsense", { 0x80, 201, 0, 1 }, 16, "NMMFNFFF" },
		{ "STUN", { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 }, 20,
			"NNNFNNNF" },
		{ "ZRTP", { 0x10, 0 }, 20, "FNFFFNFF" },
		{ "DTLS", { 22, 254, 253 }, 20, "NNNFFFFF" },
		{ "TURN channel", { 0x40, 0 }, 20, "NNNFNNNF" },
		{ "between DTLS and RTP", { 0x50, 0 }, 20, "NNNFNNNF" },
		{ "after RTP", { 0xc0, 0 }, 20, "NNNFNNNF" },
		{ "nothing", { 0 }, 0, "NNNFNNNF" },
		{ "one byte", { 0x80 }, 1, "NNNFNNNF" },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct datagram, cases, sizeof cases / sizeof *cases);
}

/* Take the burst as far as admit. */
static unsigned int
admit(struct bed *bed)
{
	struct sp_burst *b = &bed->burst;

	sp_stage_classify(b, &bed->locals);
	sp_stage_lookup(b, &bed->table);
	sp_stage_admit(b, &bed->table);
	return b->verdict[b->count - 1];
}

ParameterizedTest(struct datagram *tc, admit, asks_what_it_is)
{
	static const char letter[SP_VERDICT_COUNT] = {
		[SP_VERDICT_FORWARD] = 'F',
		[SP_VERDICT_NOT_MEDIA] = 'N',
		[SP_VERDICT_MALFORMED] = 'M',
	};

	for (unsigned int k = 0; k < KINDS; k++) {
		struct bed *bed = bed_open();
		struct sp_addr from;
		struct sp_flow before;

		bed_call(bed, BED_IP4, BED_IP4);
		bed->conf[BED_A].kind = (uint8_t)kinds[k].kind;
		bed->conf[BED_A].flags = kinds[k].flags;
		bed->conf[BED_A].rtp_flow = BED_B;
		bed_program(bed, BED_A);
		from = bed->conf[BED_A].signalled;
		before = bed->table.flow[BED_A];
		bed_arrive(bed, &from, BED_A, tc->bytes, tc->len);
		cr_expect(eq(chr, letter[admit(bed)], tc->want[k]),
			"%s, kind %u", tc->name, k);
		cr_expect(eq(int,
				  memcmp(&before, &bed->table.flow[BED_A],
					  sizeof before),
				  0),
			"%s, kind %u", tc->name, k);
		cr_expect(eq(int, bed->table.aside[BED_A].used, 0));
		bed_close(bed);
	}
}

/* Who may speak at all, before anything is proved. */
struct speaker {
	char name[40];
	enum sp_latch_policy policy;
	char ip[16];
	uint16_t port;
	enum sp_verdict want;
};

ParameterizedTestParameters(admit, asks_where_it_comes_from)
{
	/* clang-format off */
	static struct speaker cases[] = {
		{ "signalled: exact", SP_LATCH_SIGNALLED, "198.51.100.1", 4000,
			SP_VERDICT_FORWARD },
		{ "signalled: other port", SP_LATCH_SIGNALLED, "198.51.100.1",
			4002, SP_VERDICT_SOURCE },
		{ "signalled: SIP's address", SP_LATCH_SIGNALLED,
			"198.51.100.99", 4000, SP_VERDICT_SOURCE },
		{ "restricted: exact", SP_LATCH_RESTRICTED, "198.51.100.1",
			4000, SP_VERDICT_FORWARD },
		{ "restricted: other port", SP_LATCH_RESTRICTED,
			"198.51.100.1", 4002, SP_VERDICT_FORWARD },
		{ "restricted: SIP's address", SP_LATCH_RESTRICTED,
			"198.51.100.99", 1, SP_VERDICT_FORWARD },
		{ "restricted: a stranger", SP_LATCH_RESTRICTED,
			"198.51.100.2", 4000, SP_VERDICT_SOURCE },
		{ "any: a stranger", SP_LATCH_ANY, "198.51.100.2", 4000,
			SP_VERDICT_FORWARD },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct speaker, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct speaker *tc, admit, asks_where_it_comes_from)
{
	struct bed *bed = bed_open();
	const struct sp_addr from = packet_addr(tc->ip, tc->port);

	bed_call(bed, BED_IP4, BED_IP4);
	bed->conf[BED_A].policy = (uint8_t)tc->policy;
	bed_program(bed, BED_A);
	bed_arrive_rtp(bed, &from, BED_A, 1, 1);
	cr_expect(eq(uint, admit(bed), tc->want), "%s", tc->name);
	bed_close(bed);
}

Test(admit, finds_the_way_out)
{
	struct bed *bed = bed_open();
	const uint8_t dtls[13] = { 22, 254, 253 };
	const struct sp_addr rtp = bed_phone(BED_IP4, BED_A);
	const struct sp_addr rtcp = bed_phone(BED_IP4, BED_A_RTCP);
	struct sp_flow *flow = bed->table.flow;

	bed_call(bed, BED_IP4, BED_IP4);
	bed->conf[BED_A].kind = SP_FLOW_MUX;
	bed->conf[BED_A_RTCP].flags = SP_FLOW_OPAQUE;
	bed_program(bed, BED_A);
	bed_program(bed, BED_A_RTCP);
	bed_arrive_rtp(bed, &rtp, BED_A, 1, 1);
	bed_arrive_rtcp(bed, &rtp, BED_A);
	bed_arrive_rtcp(bed, &rtcp, BED_A_RTCP);
	bed_arrive(bed, &rtcp, BED_A_RTCP, dtls, sizeof dtls);
	admit(bed);
	cr_expect(eq(ptr, bed->burst.out[0], &flow[BED_B]));
	cr_expect(eq(ptr, bed->burst.out[1], &flow[BED_B_RTCP]));
	cr_expect(eq(ptr, bed->burst.out[2], &flow[BED_B_RTCP]));
	cr_expect(eq(ptr, bed->burst.out[3], &flow[BED_B_RTCP]));
	bed_close(bed);
}
