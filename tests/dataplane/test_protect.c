/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/dataplane/bed_frame.h"
#include "tests/dataplane/bed_srtp.h"

/* What leaves for a party with keys. */

struct bridge {
	char name[40];
	enum sp_srtp_suite suite_a; /* NONE: A speaks in the clear */
	enum bed_local a;
	enum sp_srtp_suite suite_b;
	enum bed_local b;
	uint16_t len; /* of the plain RTP packet */
	int check;    /* of the packet that comes */
};

ParameterizedTestParameters(protect, b_hears_what_a_said)
{
	/* clang-format off */
	static struct bridge cases[] = {
		{ "AES-CM-128, 80", SP_SRTP_NONE, BED_IP4,
			SP_SRTP_AES_CM_128_80, BED_IP4, 172, 0 },
		{ "AES-CM-128, 32", SP_SRTP_NONE, BED_IP4,
			SP_SRTP_AES_CM_128_32, BED_IP4, 172, 0 },
		{ "AES-CM-256, 80", SP_SRTP_NONE, BED_IP4,
			SP_SRTP_AES_CM_256_80, BED_IP4, 172, 0 },
		{ "AES-CM-256, 32", SP_SRTP_NONE, BED_IP4,
			SP_SRTP_AES_CM_256_32, BED_IP4, 172, 0 },
		{ "GCM-128", SP_SRTP_NONE, BED_IP4, SP_SRTP_GCM_128, BED_IP4,
			172, 0 },
		{ "GCM-256", SP_SRTP_NONE, BED_IP4, SP_SRTP_GCM_256, BED_IP4,
			172, 0 },
		{ "to IPv6", SP_SRTP_NONE, BED_IP4, SP_SRTP_AES_CM_128_80,
			BED_IP6, 172, 0 },
		{ "from IPv6 to a VLAN", SP_SRTP_NONE, BED_IP6,
			SP_SRTP_GCM_256, BED_TAGGED4, 173, 0 },
		{ "no payload", SP_SRTP_NONE, BED_IP4, SP_SRTP_GCM_128,
			BED_IP4, 12, 0 },
		{ "no checksum", SP_SRTP_NONE, BED_IP4, SP_SRTP_AES_CM_128_80,
			BED_IP6, 172, PACKET_NO_CHECK },
		{ "partial checksum", SP_SRTP_NONE, BED_IP4,
			SP_SRTP_AES_CM_128_80, BED_IP4, 172, PACKET_PARTIAL },
		{ "opened and closed", SP_SRTP_AES_CM_128_80, BED_IP4,
			SP_SRTP_GCM_128, BED_IP4, 172, 0 },
		{ "same suite, other keys", SP_SRTP_AES_CM_128_80, BED_IP4,
			SP_SRTP_AES_CM_128_80, BED_TWIN, 172, 0 },
		{ "GCM to the short tag", SP_SRTP_GCM_256, BED_IP6,
			SP_SRTP_AES_CM_256_32, BED_IP4, 173, 0 },
		{ "both, partial checksum", SP_SRTP_AES_CM_128_32, BED_TAGGED6,
			SP_SRTP_AES_CM_256_80, BED_TAGGED4, 171,
			PACKET_PARTIAL },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct bridge, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct bridge *tc, protect, b_hears_what_a_said)
{
	struct bed_srtp s;
	struct packet_shape shape;
	struct packet came;
	struct sp_addr from;

	bed_srtp_open(&s);
	bed_srtp_call(&s, tc->a, tc->suite_a, tc->b, tc->suite_b);
	from = bed_phone(tc->a, BED_A);
	shape = bed_shape(s.bed, &from, BED_A);
	shape.check = tc->check;
	for (uint16_t i = 0; i < 40; i++) {
		const struct bed_payload plain =
			bed_rtp(7, (uint16_t)(65520 + i), tc->len);
		const struct bed_payload sent =
			bed_protect(&s, BED_PARTY_A, plain);
		struct bed_payload got;

		packet_write(&came, &shape, sent.bytes, sent.len);
		bed_add(s.bed, &came, s.bed->locals.local[tc->a].nic);
		s.bed->now_us += 20000;
		bed_relay(s.bed);
		cr_assert(eq(uint, s.bed->n_sent, i + 1u), "%s", tc->name);
		cr_expect(bed_sum_is_right(s.bed, i), "%s, %u", tc->name, i);
		got = bed_sent_payload(s.bed, i);
		cr_expect(gt(u16, got.len, plain.len));
		got = bed_hear(&s, BED_PARTY_B, i);
		bed_expect_payload(&got, &plain, tc->name);
	}
	bed_srtp_close(&s);
}

/* RTCP, each way muxed or not. */
struct reports {
	char name[32];
	enum sp_srtp_suite suite_a;
	enum sp_srtp_suite suite_b;
	bool mux_a;
	bool mux_b;
};

ParameterizedTestParameters(protect, rtcp_is_protected_too)
{
	static struct reports cases[] = {
		{ "plain to SRTP", SP_SRTP_NONE, SP_SRTP_AES_CM_128_32, false,
			false },
		{ "muxed to not", SP_SRTP_NONE, SP_SRTP_GCM_128, true, false },
		{ "not to muxed", SP_SRTP_AES_CM_128_80, SP_SRTP_GCM_256, false,
			true },
		{ "both muxed", SP_SRTP_GCM_256, SP_SRTP_AES_CM_256_32, true,
			true },
	};

	return cr_make_param_array(
		struct reports, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct reports *tc, protect, rtcp_is_protected_too)
{
	const enum bed_flow flow = tc->mux_a ? BED_A : BED_A_RTCP;
	const struct sp_addr from = bed_phone(BED_IP4, flow);
	const struct bed_payload plain = bed_rtcp(7);
	struct bed_srtp s;

	bed_srtp_open(&s);
	bed_srtp_call(&s, BED_IP4, tc->suite_a, BED_IP6, tc->suite_b);
	if (tc->mux_a)
		s.bed->conf[BED_A].kind = SP_FLOW_MUX;
	if (tc->mux_b) {
		s.bed->conf[BED_B].kind = SP_FLOW_MUX;
		s.bed->conf[BED_A].out_rtcp = BED_B;
		s.bed->conf[BED_A_RTCP].out_rtcp = BED_B;
	}
	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++)
		bed_program(s.bed, id);
	for (unsigned int i = 0; i < 3; i++) {
		const struct bed_payload sent =
			bed_protect(&s, BED_PARTY_A, plain);
		struct bed_payload got;

		cr_assert(eq(uint, bed_say_payload(&s, &from, flow, &sent),
				  SP_VERDICT_FORWARD),
			"%s", tc->name);
		cr_expect(bed_sum_is_right(s.bed, i), "%s", tc->name);
		got = bed_hear(&s, BED_PARTY_B, i);
		bed_expect_payload(&got, &plain, tc->name);
	}
	bed_srtp_close(&s);
}

/* A call of a plain A and B with @suite. */
static void
open_call(struct bed_srtp *s, enum sp_srtp_suite suite)
{
	bed_srtp_open(s);
	bed_srtp_call(s, BED_IP4, SP_SRTP_NONE, BED_IP4, suite);
}

/* A says a packet in the clear; the verdict. */
static unsigned int
say(struct bed_srtp *s, uint16_t seq, uint16_t len)
{
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);
	const struct bed_payload plain = bed_rtp(7, seq, len);

	return bed_say_payload(s, &from, BED_A, &plain);
}

/*
 * A packet that could not leave gets no index: what B hears next is at the
 * very start of the stream. A GCM index that is skipped would do no harm, but
 * one that is used twice would: so it is not touched at all.
 */
static void
expect_untouched(struct bed_srtp *s, uint16_t seq)
{
	struct bed_payload got;

	s->bed->n_sent = 0;
	cr_assert(eq(uint, say(s, seq, 172), SP_VERDICT_FORWARD));
	got = bed_hear(s, BED_PARTY_B, 0);
	cr_expect(eq(u16, got.len, 172));
}

Test(protect, what_can_not_leave_is_not_protected)
{
	struct bed_srtp s;

	open_call(&s, SP_SRTP_GCM_128);
	s.bed->conf[BED_B].send = 0;
	bed_program(s.bed, BED_B);
	cr_expect(eq(uint, say(&s, 1, 172), SP_VERDICT_NO_REMOTE));
	s.bed->conf[BED_B].send = 1;
	bed_program(s.bed, BED_B);
	s.bed->hops[BED_IP4 + 1].ready = 0;
	cr_expect(eq(uint, say(&s, 1, 172), SP_VERDICT_NO_NEXT_HOP));
	s.bed->hops[BED_IP4 + 1].ready = 1;
	s.bed->table.flow[BED_B].unanswered = 5;
	s.bed->table.flow[BED_B].sent = 5;
	cr_expect(eq(uint, say(&s, 1, 172), SP_VERDICT_UNANSWERED));
	s.bed->table.flow[BED_B].unanswered = 0;
	s.bed->hops[BED_IP4 + 1].mtu = 28 + 172 + 15;
	cr_expect(eq(uint, say(&s, 1, 172), SP_VERDICT_TOO_BIG));
	s.bed->hops[BED_IP4 + 1].mtu = BED_MTU;
	/* The same sequence number all the time: a repeated one is refused. */
	expect_untouched(&s, 1);
	cr_expect(eq(uint, say(&s, 1, 172), SP_VERDICT_SRTP_REPLAY));
	bed_srtp_close(&s);
}

/* The tag counts for the MTU, to the byte. */
struct fit {
	char name[24];
	enum sp_srtp_suite suite;
	uint16_t more;
	uint8_t mki_len;
};

ParameterizedTestParameters(protect, tag_counts_for_the_mtu)
{
	static struct fit cases[] = {
		{ "80 bits", SP_SRTP_AES_CM_128_80, 10, 0 },
		{ "32 bits", SP_SRTP_AES_CM_256_32, 4, 0 },
		{ "GCM", SP_SRTP_GCM_256, 16, 0 },
		{ "with MKI", SP_SRTP_AES_CM_128_80, 14, 4 },
	};

	return cr_make_param_array(
		struct fit, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct fit *tc, protect, tag_counts_for_the_mtu)
{
	const uint16_t most = (uint16_t)(BED_MTU - 28 - tc->more);
	struct bed_srtp s;

	open_call(&s, tc->suite);
	s.conf[BED_PARTY_B].out.mki_len = tc->mki_len;
	bed_hold_keys(&s, BED_PARTY_B);
	cr_expect(eq(uint, say(&s, 1, most + 1), SP_VERDICT_TOO_BIG), "%s",
		tc->name);
	cr_expect(
		eq(uint, say(&s, 1, most), SP_VERDICT_FORWARD), "%s", tc->name);
	cr_expect(eq(u16, s.bed->sent[0].len, 14 + BED_MTU), "%s", tc->name);
	bed_srtp_close(&s);
}

Test(protect, nothing_leaves_in_the_clear)
{
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);
	const uint8_t zrtp[16] = { 0x10, 0, 0, 0, 'Z', 'R', 'T', 'P' };
	const struct bed_payload rtcp = bed_rtcp(7);
	struct bed_srtp s;

	open_call(&s, SP_SRTP_AES_CM_128_80);
	cr_expect(eq(uint, say(&s, 1, 172), SP_VERDICT_FORWARD));
	/* Keys that are not agreed, but will be: the leg is no plain one. */
	s.conf[BED_PARTY_B].out.suite = SP_SRTP_NONE;
	bed_hold_keys(&s, BED_PARTY_B);
	cr_expect(eq(uint, say(&s, 2, 172), SP_VERDICT_NO_KEYS));
	s.bed->conf[BED_A].kind = SP_FLOW_MUX;
	bed_program(s.bed, BED_A);
	cr_expect(eq(uint, bed_say_payload(&s, &from, BED_A, &rtcp),
		SP_VERDICT_NO_KEYS));
	cr_expect(eq(uint, bed_say(s.bed, &from, BED_A, zrtp, sizeof zrtp),
		SP_VERDICT_NOT_MEDIA));
	s.bed->conf[BED_A].kind = SP_FLOW_DATA;
	bed_program(s.bed, BED_A);
	cr_expect(eq(uint, say(&s, 3, 172), SP_VERDICT_NOT_MEDIA));
	cr_expect(eq(uint, s.bed->n_sent, 1));
	/* Nor once the keys are gone. */
	cr_assert(eq(int,
		sp_key_table_set(&s.keys, bed_key_id(BED_PARTY_B), NULL, 1),
		SP_OK));
	s.bed->conf[BED_A].kind = SP_FLOW_RTP;
	bed_program(s.bed, BED_A);
	cr_expect(eq(uint, say(&s, 4, 172), SP_VERDICT_NO_KEYS));
	bed_srtp_close(&s);
}

Test(protect, bytes_that_are_not_ours_alone_are_left_alone)
{
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);
	const struct bed_payload plain = bed_rtp(7, 1, 172);
	struct packet_shape shape;
	struct bed_srtp s;
	struct packet p;

	open_call(&s, SP_SRTP_AES_CM_128_80);
	shape = bed_shape(s.bed, &from, BED_A);
	packet_write(&p, &shape, plain.bytes, plain.len);
	for (unsigned int how = 0; how < 3; how++) {
		struct rte_mbuf *m = bed_add(s.bed, &p, 0);
		const uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

		if (how == 0)
			m->buf_len = (uint16_t)(m->data_off + p.len +
				SP_SRTP_ROOM - 1);
		else if (how == 1)
			m->refcnt = 2;
		else
			m->ol_flags |= RTE_MBUF_F_INDIRECT;
		s.bed->now_us += 20000;
		bed_relay(s.bed);
		cr_expect(eq(int, s.bed->burst.verdict[0], SP_VERDICT_TOO_BIG),
			"%u", how);
		cr_expect(eq(int, memcmp(data, p.frame, p.len), 0), "%u", how);
	}
	expect_untouched(&s, 1);
	bed_srtp_close(&s);
}

Test(protect, silence_is_protected_like_sound)
{
	struct bed_payload got;
	struct bed_srtp s;

	bed_srtp_open(&s);
	bed_srtp_call(
		&s, BED_IP4, SP_SRTP_AES_CM_128_80, BED_IP4, SP_SRTP_GCM_128);
	s.bed->conf[BED_A].flags = SP_FLOW_SILENCE;
	s.bed->conf[BED_A].quiet[SP_QUIET_PCMU] = 0;
	s.bed->conf[BED_A].quiet[SP_QUIET_PCMA] = SP_QUIET_NONE;
	s.bed->conf[BED_A].quiet[SP_QUIET_G722] = SP_QUIET_NONE;
	bed_program(s.bed, BED_A);
	for (uint16_t i = 0; i < 3; i++) {
		const struct sp_addr from = bed_phone(BED_IP4, BED_A);
		const struct bed_payload srtp =
			bed_protect(&s, BED_PARTY_A, bed_rtp(7, i, 172));

		cr_expect(eq(uint, bed_say_payload(&s, &from, BED_A, &srtp),
			SP_VERDICT_FORWARD));
		cr_expect(bed_sum_is_right(s.bed, i));
		got = bed_hear(&s, BED_PARTY_B, i);
		cr_assert(eq(u16, got.len, 172));
		for (unsigned int at = 12; at < 172; at++)
			cr_expect(eq(u8, got.bytes[at], 0xff));
	}
	bed_srtp_close(&s);
}

/* Its numbers start anew, those on the wire go on; and so does the sum. */
Test(protect, source_that_starts_anew_is_heard_on)
{
	struct bed_payload got;
	struct bed_srtp s;
	unsigned int heard = 0;

	open_call(&s, SP_SRTP_GCM_256);
	for (uint16_t i = 0; i < 20; i++)
		say(&s, (uint16_t)(20000 + i), 172);
	for (uint16_t i = 0; i < 20; i++)
		say(&s, (uint16_t)(100 + i), 172);
	cr_expect(ge(uint, s.bed->n_sent, 38));
	got = bed_sent_payload(s.bed, s.bed->n_sent - 1);
	cr_expect(ne(uint, got.bytes[3], 119)); /* or nothing is tested */
	for (unsigned int i = 0; i < s.bed->n_sent; i++) {
		cr_expect(bed_sum_is_right(s.bed, i), "%u", i);
		got = bed_hear(&s, BED_PARTY_B, i);
		heard += got.len == 172;
	}
	cr_expect(eq(uint, heard, s.bed->n_sent));
	bed_srtp_close(&s);
}

/* What B reports of them is told A in the numbers that A knows. */
Test(protect, report_on_numbers_of_ours_is_told_in_its_sources_own)
{
	const struct sp_addr rtcp = bed_phone(BED_IP4, BED_B_RTCP);
	struct bed_payload report = { .len = 32,
		.bytes = { 0x81, 201, 0, 7, 0, 0, 0, 8, 0, 0, 0, 7 } };
	struct bed_payload got, last;
	struct bed_srtp s;
	unsigned int wire;

	open_call(&s, SP_SRTP_AES_CM_128_80);
	for (uint16_t i = 0; i < 20; i++)
		say(&s, (uint16_t)(20000 + i), 172);
	for (uint16_t i = 0; i < 20; i++)
		say(&s, (uint16_t)(100 + i), 172);
	last = bed_sent_payload(s.bed, s.bed->n_sent - 1);
	wire = (unsigned int)last.bytes[2] << 8 | last.bytes[3];
	cr_assert(ne(uint, wire, 119));
	packet_put16(report.bytes + 18, wire);
	s.bed->n_sent = 0;
	report = bed_protect(&s, BED_PARTY_B, report);
	cr_assert(eq(uint, bed_say_payload(&s, &rtcp, BED_B_RTCP, &report),
		SP_VERDICT_FORWARD));
	got = bed_sent_payload(s.bed, 0);
	cr_expect(eq(u16, got.len, 32));
	cr_expect(eq(uint, got.bytes[18] << 8 | got.bytes[19], 119));
	cr_expect(bed_sum_is_right(s.bed, 0));
	bed_srtp_close(&s);
}

Test(protect, burst_of_both_kinds_keeps_its_order)
{
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);
	struct bed_srtp s;

	open_call(&s, SP_SRTP_AES_CM_128_80);
	for (uint16_t i = 0; i < 30; i++) {
		const struct bed_payload plain = bed_rtp(7, i, 172);
		const struct bed_payload srtp = bed_protect(
			&s, BED_PARTY_B, bed_rtp(8, (uint16_t)(500 + i), 60));

		bed_arrive_payload(&s, &a, BED_A, &plain);
		bed_arrive_payload(&s, &b, BED_B, &srtp);
	}
	bed_relay(s.bed);
	cr_assert(eq(uint, s.bed->n_sent, 60));
	for (uint16_t i = 0; i < 30; i++) {
		const struct bed_payload to_b =
			bed_hear(&s, BED_PARTY_B, 2u * i);
		const struct bed_payload to_a =
			bed_hear(&s, BED_PARTY_A, 2u * i + 1);
		const struct bed_payload said_a = bed_rtp(7, i, 172);
		const struct bed_payload said_b =
			bed_rtp(8, (uint16_t)(500 + i), 60);

		bed_expect_payload(&to_b, &said_a, "to B");
		bed_expect_payload(&to_a, &said_b, "to A");
	}
	bed_srtp_close(&s);
}
