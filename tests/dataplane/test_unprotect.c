/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/dataplane/bed_frame.h"
#include "tests/dataplane/bed_srtp.h"

/* SRTP of party A, which B gets in the clear. */

struct opening {
	char name[40];
	enum sp_srtp_suite suite;
	enum bed_local a;
	enum bed_local b;
	uint16_t len; /* of the plain RTP packet */
	uint8_t flags;
	uint8_t mki_len;
	int check;
	int want_check;
};

ParameterizedTestParameters(unprotect, b_gets_what_a_said)
{
	/* clang-format off */
	static struct opening cases[] = {
		{ "AES-CM-128, 80", SP_SRTP_AES_CM_128_80, BED_IP4, BED_IP4,
			172, 0, 0, 0, 0 },
		{ "AES-CM-128, 32", SP_SRTP_AES_CM_128_32, BED_IP4, BED_IP4,
			172, 0, 0, 0, 0 },
		{ "AES-CM-256, 80", SP_SRTP_AES_CM_256_80, BED_IP4, BED_IP4,
			172, 0, 0, 0, 0 },
		{ "AES-CM-256, 32", SP_SRTP_AES_CM_256_32, BED_IP4, BED_IP4,
			172, 0, 0, 0, 0 },
		{ "GCM-128", SP_SRTP_GCM_128, BED_IP4, BED_IP4, 172, 0, 0, 0,
			0 },
		{ "GCM-256", SP_SRTP_GCM_256, BED_IP4, BED_IP4, 172, 0, 0, 0,
			0 },
		{ "to IPv6", SP_SRTP_AES_CM_128_80, BED_IP4, BED_IP6, 172, 0,
			0, 0, 0 },
		{ "from IPv6 to a VLAN", SP_SRTP_GCM_128, BED_IP6, BED_TAGGED4,
			172, 0, 0, 0, 0 },
		{ "to the other NIC", SP_SRTP_AES_CM_128_32, BED_TAGGED6,
			BED_TWIN, 172, 0, 0, 0, 0 },
		{ "odd length", SP_SRTP_AES_CM_128_80, BED_IP4, BED_IP4, 173,
			0, 0, 0, 0 },
		{ "no payload", SP_SRTP_AES_CM_128_80, BED_IP4, BED_IP6, 12, 0,
			0, 0, 0 },
		{ "one byte", SP_SRTP_GCM_128, BED_IP4, BED_IP4, 13, 0, 0, 0,
			0 },
		{ "a large one", SP_SRTP_AES_CM_256_80, BED_IP4, BED_IP6, 1400,
			0, 0, 0, 0 },
		{ "MKI", SP_SRTP_AES_CM_128_80, BED_IP4, BED_IP4, 172, 0, 4, 0,
			0 },
		{ "not encrypted", SP_SRTP_AES_CM_128_80, BED_IP4, BED_IP4,
			172, SP_SRTP_PLAIN_RTP, 0, 0, 0 },
		{ "no checksum", SP_SRTP_AES_CM_128_80, BED_IP4, BED_IP4, 172,
			0, 0, PACKET_NO_CHECK, PACKET_NO_CHECK },
		{ "no checksum to IPv6", SP_SRTP_AES_CM_128_80, BED_IP4,
			BED_IP6, 172, 0, 0, PACKET_NO_CHECK, PACKET_FULL },
		{ "partial checksum", SP_SRTP_GCM_256, BED_IP4, BED_IP4, 172,
			0, 0, PACKET_PARTIAL, PACKET_FULL },
		{ "partial checksum, IPv6", SP_SRTP_AES_CM_128_80, BED_IP6,
			BED_IP6, 173, 0, 0, PACKET_PARTIAL, PACKET_FULL },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct opening, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct opening *tc, unprotect, b_gets_what_a_said)
{
	struct bed_srtp s;
	struct packet_shape in, out;
	struct packet came, want;
	struct sp_addr from;

	bed_srtp_open(&s);
	bed_srtp_call(&s, tc->a, tc->suite, tc->b, SP_SRTP_NONE);
	s.conf[BED_PARTY_A].in.flags = tc->flags;
	s.conf[BED_PARTY_A].in.mki_len = tc->mki_len;
	s.conf[BED_PARTY_A].in.key[0].mki[0] = 7;
	bed_hold_keys(&s, BED_PARTY_A);
	bed_equip(&s, BED_PARTY_A);
	from = bed_phone(tc->a, BED_A);
	in = bed_shape(s.bed, &from, BED_A);
	in.check = tc->check;
	out = bed_expected(s.bed, tc->b);
	out.check = tc->want_check;
	for (uint16_t i = 0; i < 40; i++) {
		const struct bed_payload plain =
			bed_rtp(7, (uint16_t)(65530 + i), tc->len);
		const struct bed_payload srtp =
			bed_protect(&s, BED_PARTY_A, plain);

		packet_write(&came, &in, srtp.bytes, srtp.len);
		packet_write(&want, &out, plain.bytes, plain.len);
		bed_add(s.bed, &came, s.bed->locals.local[tc->a].nic);
		s.bed->now_us += 20000;
		bed_relay(s.bed);
		cr_assert(eq(uint, s.bed->n_sent, i + 1u), "%s", tc->name);
		bed_expect_frame(&s.bed->sent[i], &want, tc->name);
	}
	cr_expect(eq(u64, s.bed->table.flow[BED_A].octets, 40u * tc->len));
	bed_srtp_close(&s);
}

/* RTCP on its own port, or on RTP's. */
struct control_port {
	char name[24];
	enum sp_srtp_suite suite;
	uint8_t flags;
	bool mux;
};

ParameterizedTestParameters(unprotect, rtcp_is_opened_too)
{
	static struct control_port cases[] = {
		{ "own port", SP_SRTP_AES_CM_128_80, 0, false },
		{ "short tag of RTP", SP_SRTP_AES_CM_128_32, 0, false },
		{ "GCM", SP_SRTP_GCM_256, 0, false },
		{ "mux", SP_SRTP_AES_CM_256_32, 0, true },
		{ "mux, GCM", SP_SRTP_GCM_128, 0, true },
		{ "not encrypted", SP_SRTP_AES_CM_128_80, SP_SRTP_PLAIN_RTCP,
			true },
	};

	return cr_make_param_array(
		struct control_port, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct control_port *tc, unprotect, rtcp_is_opened_too)
{
	const enum bed_flow flow = tc->mux ? BED_A : BED_A_RTCP;
	const struct sp_addr from = bed_phone(BED_IP4, flow);
	const struct bed_payload plain = bed_rtcp(7);
	struct bed_payload srtcp, got;
	struct bed_srtp s;

	bed_srtp_open(&s);
	bed_srtp_call(&s, BED_IP4, tc->suite, BED_IP6, SP_SRTP_NONE);
	s.conf[BED_PARTY_A].in.flags = tc->flags;
	bed_hold_keys(&s, BED_PARTY_A);
	bed_equip(&s, BED_PARTY_A);
	if (tc->mux) {
		s.bed->conf[BED_A].kind = SP_FLOW_MUX;
		bed_program(s.bed, BED_A);
	}
	for (unsigned int i = 0; i < 3; i++) {
		srtcp = bed_protect(&s, BED_PARTY_A, plain);
		cr_expect(gt(u16, srtcp.len, plain.len));
		cr_assert(eq(uint, bed_say_payload(&s, &from, flow, &srtcp),
				  SP_VERDICT_FORWARD),
			"%s", tc->name);
		got = bed_sent_payload(s.bed, i);
		bed_expect_payload(&got, &plain, tc->name);
		cr_expect(bed_sum_is_right(s.bed, i), "%s", tc->name);
		/* The same once more is none of the party's. */
		cr_expect(eq(uint, bed_say_payload(&s, &from, flow, &srtcp),
				  SP_VERDICT_SRTP_REPLAY),
			"%s", tc->name);
	}
	srtcp = bed_protect(&s, BED_PARTY_A, plain);
	srtcp.bytes[srtcp.len - 1] ^= 1;
	cr_expect(eq(uint, bed_say_payload(&s, &from, flow, &srtcp),
			  SP_VERDICT_SRTP_AUTH),
		"%s", tc->name);
	bed_srtp_close(&s);
}

/* The last packets under the old key, and RTCP under the new one, at once. */
Test(unprotect, new_key_ends_nothing_of_the_burst_it_is_in)
{
	const struct sp_addr rtp = bed_phone(BED_IP4, BED_A);
	const struct sp_addr rtcp = bed_phone(BED_IP4, BED_A_RTCP);
	struct bed_payload payload;
	struct bed_srtp s;

	bed_srtp_open(&s);
	bed_srtp_call(
		&s, BED_IP4, SP_SRTP_AES_CM_128_80, BED_IP4, SP_SRTP_NONE);
	payload = bed_protect(&s, BED_PARTY_A, bed_rtp(7, 1, 172));
	cr_expect(eq(uint, bed_say_payload(&s, &rtp, BED_A, &payload),
		SP_VERDICT_FORWARD));
	s.conf[BED_PARTY_A].in = bed_conf(SP_SRTP_AES_CM_128_80, 9);
	bed_hold_keys(&s, BED_PARTY_A);
	for (uint16_t i = 2; i < 5; i++) {
		payload = bed_protect(&s, BED_PARTY_A, bed_rtp(7, i, 172));
		bed_arrive_payload(&s, &rtp, BED_A, &payload);
	}
	bed_equip(&s, BED_PARTY_A);
	payload = bed_protect(&s, BED_PARTY_A, bed_rtcp(7));
	bed_arrive_payload(&s, &rtcp, BED_A_RTCP, &payload);
	bed_relay(s.bed);
	cr_expect(eq(uint, s.bed->count[SP_VERDICT_FORWARD], 5));
	bed_srtp_close(&s);
}

Test(unprotect, what_breaks_its_grammar_inside_is_malformed)
{
	const struct sp_addr rtp = bed_phone(BED_IP4, BED_A);
	const struct sp_addr rtcp = bed_phone(BED_IP4, BED_A_RTCP);
	struct bed_payload plain = bed_rtp(7, 1, 40), srtp;
	struct bed_srtp s;

	bed_srtp_open(&s);
	bed_srtp_call(
		&s, BED_IP4, SP_SRTP_AES_CM_128_80, BED_IP4, SP_SRTP_NONE);
	plain.bytes[0] |= 0x20;
	plain.bytes[39] = 29; /* one more than there is payload */
	srtp = bed_protect(&s, BED_PARTY_A, plain);
	cr_expect(eq(uint, bed_say_payload(&s, &rtp, BED_A, &srtp),
		SP_VERDICT_MALFORMED));
	plain.bytes[3] = 2;
	plain.bytes[39] = 28;
	srtp = bed_protect(&s, BED_PARTY_A, plain);
	cr_expect(eq(uint, bed_say_payload(&s, &rtp, BED_A, &srtp),
		SP_VERDICT_FORWARD));

	plain = bed_rtcp(7);
	plain.bytes[PACKET_RTCP_LEN] = 0x41; /* version 1 */
	srtp = bed_protect(&s, BED_PARTY_A, plain);
	cr_expect(eq(uint, bed_say_payload(&s, &rtcp, BED_A_RTCP, &srtp),
		SP_VERDICT_MALFORMED));
	bed_srtp_close(&s);
}

/* What is no SRTP of the leg, whoever sends it. */
struct stray {
	char name[24];
	uint8_t bytes[24];
	uint8_t len;
	enum sp_verdict want;
};

ParameterizedTestParameters(unprotect, what_is_no_srtp_stops_early)
{
	static struct stray cases[] = {
		{ "DTLS", { 22, 254, 253 }, 13, SP_VERDICT_NOT_MEDIA },
		{ "ZRTP", { 0x10, 0, 0, 0, 'Z', 'R', 'T', 'P' }, 16,
			SP_VERDICT_NOT_MEDIA },
		{ "STUN", { 0, 1 }, 20, SP_VERDICT_NOT_MEDIA },
		{ "RTCP on RTP's port", { 0x80, 201, 0, 1 }, 24,
			SP_VERDICT_NOT_MEDIA },
		{ "cut off", { 0x80 }, 11, SP_VERDICT_MALFORMED },
		{ "CSRCs cut off", { 0x8f }, 24, SP_VERDICT_MALFORMED },
		{ "no room for a tag", { 0x80 }, 21, SP_VERDICT_MALFORMED },
		{ "plain RTP", { 0x80 }, 24, SP_VERDICT_SRTP_AUTH },
	};

	return cr_make_param_array(
		struct stray, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct stray *tc, unprotect, what_is_no_srtp_stops_early)
{
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);
	struct bed_srtp s;

	bed_srtp_open(&s);
	bed_srtp_call(
		&s, BED_IP4, SP_SRTP_AES_CM_128_80, BED_IP4, SP_SRTP_NONE);
	cr_expect(eq(uint, bed_say(s.bed, &from, BED_A, tc->bytes, tc->len),
			  tc->want),
		"%s", tc->name);
	cr_expect(eq(uint, s.bed->n_sent, 0), "%s", tc->name);
	bed_srtp_close(&s);
}

/* A buffer whose packet may not be written to, or not behind its end. */
enum buffer {
	ROOMY,
	TIGHT,
	TOO_TIGHT,
	SHARED,
	INDIRECT
};

static void
constrain(struct rte_mbuf *m, enum buffer how)
{
	const uint16_t end = (uint16_t)(m->data_off + m->data_len);

	switch (how) {
	case ROOMY:
		break;
	case TIGHT:
		m->buf_len = (uint16_t)(end + SP_SRTP_ROOM);
		break;
	case TOO_TIGHT:
		m->buf_len = (uint16_t)(end + SP_SRTP_ROOM - 1);
		break;
	case SHARED:
		m->refcnt = 2;
		break;
	case INDIRECT:
		m->ol_flags |= RTE_MBUF_F_INDIRECT;
		break;
	}
}

Test(unprotect, bytes_that_are_not_ours_alone_are_left_alone)
{
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);

	for (enum buffer how = ROOMY; how <= INDIRECT; how++) {
		const bool fits = how <= TIGHT;
		struct packet_shape shape;
		struct bed_payload srtp;
		struct bed_srtp s;
		struct packet p;
		struct rte_mbuf *m;

		bed_srtp_open(&s);
		bed_srtp_call(
			&s, BED_IP4, SP_SRTP_GCM_128, BED_IP4, SP_SRTP_NONE);
		srtp = bed_protect(&s, BED_PARTY_A, bed_rtp(7, 1, 172));
		shape = bed_shape(s.bed, &from, BED_A);
		packet_write(&p, &shape, srtp.bytes, srtp.len);
		m = bed_add(s.bed, &p, 0);
		memset(rte_pktmbuf_mtod_offset(m, uint8_t *, p.len), 0x5a,
			SP_SRTP_ROOM);
		constrain(m, how);
		bed_relay(s.bed);
		cr_expect(
			eq(int, s.bed->burst.verdict[0],
				fits ? SP_VERDICT_FORWARD : SP_VERDICT_TOO_BIG),
			"%u", how);
		if (!fits) {
			const uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

			cr_expect(eq(int, memcmp(data, p.frame, p.len), 0),
				"%u", how);
			for (unsigned int i = 0; i < SP_SRTP_ROOM; i++)
				cr_expect(eq(u8, data[p.len + i], 0x5a), "%u",
					how);
		}
		bed_srtp_close(&s);
	}
}

/* Each as if it had come alone, and B gets them in the order they came. */
Test(unprotect, burst_is_decided_packet_by_packet)
{
	enum {
		N = 40
	};
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);
	const uint16_t order[] = { 3, 1, 2, 2, 5, 4, 4, 6 };
	struct bed_payload srtp[8];
	unsigned int sent = 0;
	struct bed_srtp s;

	bed_srtp_open(&s);
	bed_srtp_call(
		&s, BED_IP4, SP_SRTP_AES_CM_128_80, BED_IP6, SP_SRTP_NONE);
	for (uint16_t i = 0; i < 8; i++)
		srtp[i] = bed_protect(&s, BED_PARTY_A, bed_rtp(7, i, 60));
	for (unsigned int i = 0; i < N; i++) {
		struct bed_payload one = srtp[order[i % 8]];

		if (i / 8 % 2 == 1)
			one.bytes[20] ^= 1; /* forged, in every other turn */
		bed_arrive_payload(&s, &from, BED_A, &one);
	}
	bed_relay(s.bed);
	for (unsigned int i = 0; i < N; i++) {
		const bool again = i >= 8 || i == 3 || i == 6;
		const uint8_t verdict = s.bed->burst.verdict[i];
		struct bed_payload got;

		if (again) {
			cr_expect(verdict == SP_VERDICT_SRTP_REPLAY ||
					(i / 8 % 2 == 1 &&
						verdict ==
							SP_VERDICT_SRTP_AUTH),
				"%u", i);
			continue;
		}
		cr_expect(eq(u8, verdict, SP_VERDICT_FORWARD), "%u", i);
		got = bed_sent_payload(s.bed, sent++);
		cr_expect(eq(uint, got.bytes[3], order[i]), "%u", i);
	}
	cr_expect(eq(uint, s.bed->n_sent, 6));
	bed_srtp_close(&s);
}

/* What a UDP checksum says of a packet, and what is true of it. */
struct told_by_sum {
	char name[32];
	enum sp_srtp_suite suite;
	uint8_t flags;
	int check;
	bool damaged; /* on its way, before the relay */
	bool right;   /* the checksum that B gets */
};

ParameterizedTestParameters(unprotect, tag_vouches_for_the_sum)
{
	/* clang-format off */
	static struct told_by_sum cases[] = {
		{ "sum", SP_SRTP_AES_CM_128_80, 0, PACKET_FULL, true, true },
		{ "sum, GCM", SP_SRTP_GCM_128, 0, PACKET_FULL, true, true },
		{ "no tag", SP_SRTP_AES_CM_128_80, SP_SRTP_NO_AUTH,
			PACKET_FULL, false, true },
		{ "no tag, damaged", SP_SRTP_AES_CM_128_80, SP_SRTP_NO_AUTH,
			PACKET_FULL, true, false },
		{ "no tag, partial", SP_SRTP_AES_CM_128_80, SP_SRTP_NO_AUTH,
			PACKET_PARTIAL, false, true },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct told_by_sum, cases, sizeof cases / sizeof *cases);
}

/*
 * What is authentic is as its sender made it, whatever became of its
 * checksum. Without a tag only the checksum can tell, and B is told.
 */
ParameterizedTest(struct told_by_sum *tc, unprotect, tag_vouches_for_the_sum)
{
	enum {
		SUM_AT = 14 + 20 + 6,
		PAYLOAD_AT = 14 + 28 + 12
	};
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);
	struct bed_payload srtp;
	struct packet_shape in;
	struct packet came;
	struct bed_srtp s;

	bed_srtp_open(&s);
	bed_srtp_call(&s, BED_IP4, tc->suite, BED_IP4, SP_SRTP_NONE);
	s.conf[BED_PARTY_A].in.flags = tc->flags;
	bed_hold_keys(&s, BED_PARTY_A);
	bed_equip(&s, BED_PARTY_A);
	in = bed_shape(s.bed, &from, BED_A);
	in.check = tc->check;
	for (uint16_t i = 0; i < 3; i++) {
		srtp = bed_protect(&s, BED_PARTY_A, bed_rtp(7, i, 172));
		packet_write(&came, &in, srtp.bytes, srtp.len);
		/* No tag would let another payload pass. */
		if (tc->damaged)
			came.frame[tc->flags ? PAYLOAD_AT : SUM_AT] ^= 1;
		bed_add(s.bed, &came, s.bed->locals.local[BED_IP4].nic);
		bed_relay(s.bed);
		cr_assert(eq(uint, s.bed->n_sent, i + 1u), "%s", tc->name);
		cr_expect(eq(int, bed_sum_is_right(s.bed, i), tc->right), "%s",
			tc->name);
	}
	bed_srtp_close(&s);
}
