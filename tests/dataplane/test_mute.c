/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/dataplane/bed_dpdk.h"
#include "tests/dataplane/bed_frame.h"

#define BLOCK SP_FLOW_BLOCK
#define SILENCE SP_FLOW_SILENCE
#define NO_DTMF SP_FLOW_NO_DTMF
#define OPAQUE SP_FLOW_OPAQUE

enum {
	PCMU = 0,
	PCMA = 8,
	G722 = 9,
	OPUS = 96,
	EVENT = 101,
	OTHER_EVENT = 110,
};

/* A flow's flags are these, and its payload types those above. */
static void
set_flags(struct bed *bed, enum bed_flow id, uint8_t flags)
{
	struct sp_flow_conf *c = &bed->conf[id];
	const uint8_t quiet[SP_QUIET_CODECS] = { PCMU, PCMA, G722 };

	c->flags = flags;
	c->payload_types = 0;
	c->dtmf_types = 1ull << (EVENT & 63) | 1ull << (OTHER_EVENT & 63);
	memcpy(c->quiet, quiet, sizeof c->quiet);
	bed_program(bed, id);
}

static struct bed *
open_call(enum sp_flow_kind kind, uint8_t flags)
{
	struct bed *bed = bed_open();

	bed_call(bed, BED_IP4, BED_IP4);
	bed->conf[BED_A].kind = (uint8_t)kind;
	bed->conf[BED_A].out_rtcp = BED_B;
	set_flags(bed, BED_A, flags);
	return bed;
}

/* One RTP packet of party A; the verdict. */
static unsigned int
say(struct bed *bed, uint8_t payload_type, uint16_t seq)
{
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	uint8_t rtp[172];

	packet_put_rtp(rtp, sizeof rtp, 7, seq);
	rtp[1] = payload_type;
	return bed_say(bed, &a, BED_A, rtp, sizeof rtp);
}

/* What a flow may be told, in the order of the letters below. */
static const struct {
	enum sp_flow_kind kind;
	uint8_t flags;
} orders[] = {
	{ SP_FLOW_MUX, 0 },
	{ SP_FLOW_MUX, BLOCK },
	{ SP_FLOW_MUX, SILENCE },
	{ SP_FLOW_MUX, NO_DTMF },
	{ SP_FLOW_MUX, BLOCK | NO_DTMF },
	{ SP_FLOW_MUX, SILENCE | NO_DTMF },
	{ SP_FLOW_MUX, BLOCK | SILENCE },
	{ SP_FLOW_MUX, OPAQUE },
	{ SP_FLOW_MUX, OPAQUE | BLOCK },
	{ SP_FLOW_MUX, OPAQUE | SILENCE },
	{ SP_FLOW_MUX, OPAQUE | NO_DTMF },
	{ SP_FLOW_DATA, BLOCK },
	{ SP_FLOW_DATA, SILENCE },
	{ SP_FLOW_DATA, NO_DTMF },
};

#define ORDERS (sizeof orders / sizeof *orders)

/*
 * What becomes of a packet: F forwarded as it is, S with silence in it, B
 * blocked, N not media in any case.
 */
struct datagram {
	char name[32];
	uint8_t bytes[24];
	uint8_t len;
	char want[ORDERS + 1];
};

ParameterizedTestParameters(mute, keeps_media_from_the_other_side)
{
	/* clang-format off */
	static struct datagram cases[] = {
		/* clear, then opaque, then data */
		{ "PCMU", { 0x80, PCMU, 0, 1 }, 20, "FBSFBSB" "FBBF" "BBF" },
		{ "PCMA", { 0x80, PCMA, 0, 1 }, 20, "FBSFBSB" "FBBF" "BBF" },
		{ "G.722", { 0x80, G722, 0, 1 }, 20, "FBSFBSB" "FBBF" "BBF" },
		{ "marker", { 0x80, 0x80 | PCMA, 0, 1 }, 20,
			"FBSFBSB" "FBBF" "BBF" },
		{ "Opus", { 0x80, OPUS, 0, 1 }, 20, "FBBFBBB" "FBBF" "BBF" },
		{ "comfort noise", { 0x80, 13, 0, 1 }, 13,
			"FBBFBBB" "FBBF" "BBF" },
		{ "event", { 0x80, EVENT, 0, 1 }, 16,
			"FFFBBBF" "FBBB" "BBF" },
		{ "event, marker", { 0x80, 0x80 | EVENT, 0, 1 }, 16,
			"FFFBBBF" "FBBB" "BBF" },
		{ "other event", { 0x80, OTHER_EVENT, 0, 1 }, 16,
			"FFFBBBF" "FBBB" "BBF" },
		{ "RTCP", { 0x80, 201, 0, 1 }, 8, "FFFFFFF" "FFFF" "BBF" },
		{ "ZRTP", { 0x10, 0 }, 20, "FFFFFFF" "FFFF" "BBF" },
		{ "DTLS handshake", { 22, 254, 253 }, 20,
			"NNNNNNN" "FFFF" "BBF" },
		{ "DTLS data", { 23, 254, 253 }, 20, "NNNNNNN" "FBBF" "BBF" },
		{ "anything", { 0x50, 1 }, 20, "NNNNNNN" "NNNN" "BBF" },
		{ "one byte", { 0x80 }, 1, "NNNNNNN" "NNNN" "BBF" },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct datagram, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct datagram *tc, mute, keeps_media_from_the_other_side)
{
	for (unsigned int i = 0; i < ORDERS; i++) {
		struct bed *bed = open_call(orders[i].kind, orders[i].flags);
		const struct sp_addr a = bed_phone(BED_IP4, BED_A);
		const unsigned int verdict =
			bed_say(bed, &a, BED_A, tc->bytes, tc->len);
		char got = '?';

		if (verdict == SP_VERDICT_FORWARD)
			got = memcmp(bed->sent[0].frame + 42, tc->bytes,
				      tc->len) == 0
				? 'F'
				: 'S';
		if (verdict == SP_VERDICT_BLOCKED)
			got = 'B';
		if (verdict == SP_VERDICT_NOT_MEDIA)
			got = 'N';
		cr_expect(
			eq(chr, got, tc->want[i]), "%s, order %u", tc->name, i);
		bed_close(bed);
	}
}

/* A packet with sound in it, from @at on and for @len bytes. */
struct sound {
	char name[40];
	uint8_t bytes[16]; /* its first ones */
	uint8_t header_len;
	uint16_t len;
	uint8_t padding;
	uint8_t want; /* each byte of it */
	enum bed_local b;
	int check;
	int want_check;
};

ParameterizedTestParameters(mute, writes_silence_and_nothing_else)
{
	/* clang-format off */
	static struct sound cases[] = {
#define PLAIN(type) { 0x80, type }, 12
		{ "PCMU", PLAIN(PCMU), 160, 0, 0xff, BED_IP4, 0, 0 },
		{ "PCMA", PLAIN(PCMA), 160, 0, 0xd5, BED_IP4, 0, 0 },
		{ "G.722", PLAIN(G722), 160, 0, 0xfd, BED_IP4, 0, 0 },
		{ "odd length", PLAIN(PCMA), 161, 0, 0xd5, BED_IP4, 0, 0 },
		{ "two bytes over", PLAIN(PCMA), 162, 0, 0xd5, BED_IP4, 0, 0 },
		{ "one byte", PLAIN(PCMU), 1, 0, 0xff, BED_IP4, 0, 0 },
		{ "none", PLAIN(PCMU), 0, 0, 0xff, BED_IP4, 0, 0 },
		{ "CSRCs", { 0x82, PCMU }, 20, 80, 0, 0xff, BED_IP4, 0, 0 },
		{ "extension", { 0x90, PCMA, [12] = 0xbe, 0xde, 0, 2 }, 24,
			160, 0, 0xd5, BED_IP4, 0, 0 },
		{ "padding", { 0xa0, PCMU }, 12, 160, 4, 0xff, BED_IP4, 0, 0 },
		{ "padding at an odd place", { 0xa0, PCMU }, 12, 33, 7, 0xff,
			BED_IP4, 0, 0 },
		{ "all padding", { 0xa0, PCMU }, 12, 0, 20, 0xff,
			BED_IP4, 0, 0 },
		{ "to IPv6", PLAIN(PCMU), 160, 0, 0xff, BED_IP6, 0, 0 },
		{ "with a tag", PLAIN(G722), 160, 0, 0xfd, BED_TAGGED4, 0, 0 },
		{ "no checksum", PLAIN(PCMU), 160, 0, 0xff, BED_IP4,
			PACKET_NO_CHECK, PACKET_NO_CHECK },
		{ "no checksum, but IPv6 needs one", PLAIN(PCMU), 160, 0, 0xff,
			BED_IP6, PACKET_NO_CHECK, PACKET_FULL },
		{ "partial checksum", PLAIN(PCMA), 160, 0, 0xd5, BED_IP4,
			PACKET_PARTIAL, PACKET_FULL },
		{ "partial checksum, odd length", PLAIN(PCMA), 161, 0, 0xd5,
			BED_IP6, PACKET_PARTIAL, PACKET_FULL },
#undef PLAIN
	};
	/* clang-format on */

	return cr_make_param_array(
		struct sound, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct sound *tc, mute, writes_silence_and_nothing_else)
{
	struct bed *bed = bed_open();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	const unsigned int len = tc->header_len + tc->len + tc->padding;
	struct packet_shape in, out;
	struct packet came, want;
	uint8_t rtp[256];

	bed_call(bed, BED_IP4, tc->b);
	set_flags(bed, BED_A, SILENCE);
	in = bed_shape(bed, &a, BED_A);
	in.check = tc->check;
	out = bed_expected(bed, tc->b);
	out.check = tc->want_check;
	/* Several payloads, so that carries run in every way. */
	for (uint16_t seq = 0; seq < 40; seq++) {
		for (unsigned int i = 0; i < len; i++)
			rtp[i] = (uint8_t)(i * 29 + seq * 77 + (i * seq >> 3));
		memcpy(rtp, tc->bytes, sizeof tc->bytes);
		packet_put16(rtp + 2, seq);
		if (tc->padding)
			rtp[len - 1] = tc->padding;
		packet_write(&came, &in, rtp, len);
		memset(rtp + tc->header_len, tc->want, tc->len);
		packet_write(&want, &out, rtp, len);
		bed_add(bed, &came, 0);
		bed_relay(bed);
		cr_assert(eq(uint, bed->n_sent, seq + 1u), "%s", tc->name);
		bed_expect_frame(&bed->sent[seq], &want, tc->name);
	}
	bed_close(bed);
}

Test(mute, damage_before_us_stays_visible)
{
	struct bed *bed = bed_open();
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	struct packet_shape in, out;
	struct packet came, want;
	uint8_t rtp[172];
	uint16_t sum, good;

	bed_call(bed, BED_IP4, BED_IP4);
	set_flags(bed, BED_A, SILENCE);
	in = bed_shape(bed, &a, BED_A);
	out = bed_expected(bed, BED_IP4);
	packet_put_rtp(rtp, sizeof rtp, 1, 1);
	packet_write(&came, &in, rtp, sizeof rtp);
	came.frame[came.len - 5] ^= 0x10;
	memset(rtp + 12, 0xff, sizeof rtp - 12);
	packet_write(&want, &out, rtp, sizeof rtp);
	bed_add(bed, &came, 0);
	bed_relay(bed);
	cr_assert(eq(uint, bed->n_sent, 1));
	sum = (uint16_t)(bed->sent[0].frame[40] << 8 | bed->sent[0].frame[41]);
	good = (uint16_t)(want.frame[40] << 8 | want.frame[41]);
	cr_expect(ne(u16, sum, good));
	packet_put16(want.frame + 40, sum);
	bed_expect_frame(&bed->sent[0], &want, "damaged");
	bed_close(bed);
}

static struct sp_flow_report
read_flow(const struct bed *bed, enum bed_flow id)
{
	struct sp_flow_report r;

	cr_assert(eq(int, sp_flow_table_read(&bed->table, id, &r), SP_OK));
	return r;
}

static uint32_t
blocked(const struct bed *bed, enum bed_flow id)
{
	return read_flow(bed, id)
		.dropped[SP_VERDICT_BLOCKED - SP_VERDICT_FORWARD - 1];
}

Test(mute, blocked_party_is_alive_all_the_same)
{
	struct bed *bed = open_call(SP_FLOW_RTP, BLOCK);
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	struct sp_flow_report r;

	for (uint16_t seq = 0; seq < 10; seq++)
		cr_expect(eq(uint, say(bed, PCMU, seq), SP_VERDICT_BLOCKED));
	r = read_flow(bed, BED_A);
	cr_expect(eq(u64, r.packets, 10));
	cr_expect(eq(u64, r.octets, 1720));
	cr_expect(eq(u32, r.seen_ms, (uint32_t)(bed->now_us / 1000)));
	cr_expect(eq(int, r.state, SP_LATCH_HELD));
	cr_expect(sp_addr_equal(&r.remote, &a));
	cr_expect(eq(u8, r.has_quality, 1));
	cr_expect(eq(u64, r.quality.lost, 0));
	cr_expect(eq(u32, blocked(bed, BED_A), 10));
	cr_expect(eq(u32, read_flow(bed, BED_B).sent, 0));
	cr_expect(eq(uint, bed->count[SP_VERDICT_BLOCKED], 10));
	bed_close(bed);
}

Test(mute, probation_of_a_muted_party_is_as_any_other)
{
	static const unsigned int want[] = { SP_BURST_HELD, SP_BURST_HELD,
		SP_BURST_HELD, SP_VERDICT_BLOCKED };
	struct bed *bed;
	const struct sp_addr natted = packet_addr("198.51.100.99", 7000);

	bed_start_dpdk(NULL);
	bed = open_call(SP_FLOW_RTP, BLOCK);
	bed_open_pool(bed);
	for (uint16_t seq = 0; seq < 4; seq++)
		cr_expect(eq(uint, bed_talk(bed, &natted, BED_A, 7, seq, 1),
			want[seq]));
	/* What was held is blocked when it is released, the proof as well. */
	cr_expect(eq(uint, bed->count[SP_VERDICT_BLOCKED], 4));
	cr_expect(eq(u32, blocked(bed, BED_A), 4));
	cr_expect(sp_latch_holds(&bed->table.flow[BED_A].latch, &natted));
	cr_expect(eq(uint, bed->n_sent, 0));
	cr_expect(eq(uint, rte_mempool_in_use_count(bed->commit.hold_pool), 0));
	bed_close(bed);
}

Test(mute, flags_come_and_go_and_the_flow_goes_on)
{
	static const struct {
		uint8_t flags;
		enum sp_verdict want;
		uint8_t sound;
	} turn[] = {
		{ 0, SP_VERDICT_FORWARD, 0xd5 },
		{ BLOCK, SP_VERDICT_BLOCKED, 0 },
		{ SILENCE, SP_VERDICT_FORWARD, 0xff },
		{ NO_DTMF, SP_VERDICT_FORWARD, 0xd5 },
		{ 0, SP_VERDICT_FORWARD, 0xd5 },
	};
	struct bed *bed = open_call(SP_FLOW_RTP, 0);
	const struct sp_flow *f = &bed->table.flow[BED_A];
	struct sp_latch latch;

	say(bed, PCMU, 0);
	latch = f->latch;
	for (uint16_t i = 0; i < sizeof turn / sizeof *turn; i++) {
		struct sp_flow_report before, after;

		before = read_flow(bed, BED_A);
		set_flags(bed, BED_A, turn[i].flags);
		after = read_flow(bed, BED_A);
		cr_expect(eq(int, memcmp(&before, &after, sizeof after), 0));
		cr_expect(eq(int, memcmp(&latch, &f->latch, sizeof latch), 0));
		cr_expect(eq(uint, say(bed, PCMU, 1u + i), turn[i].want));
		cr_expect(eq(u64, read_flow(bed, BED_A).packets, 2u + i));
		if (turn[i].want == SP_VERDICT_FORWARD)
			cr_expect(eq(u8,
				bed->sent[bed->n_sent - 1].frame[42 + 12],
				turn[i].sound));
	}
	cr_expect(eq(u64, read_flow(bed, BED_A).quality.lost, 0));
	cr_expect(eq(uint, bed->commit.n_news, 1));
	bed_close(bed);
}

Test(mute, one_flow_of_a_burst_is_muted_and_no_other)
{
	struct bed *bed = open_call(SP_FLOW_RTP, BLOCK);
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);
	const struct sp_addr a_rtcp = bed_phone(BED_IP4, BED_A_RTCP);

	for (uint16_t seq = 0; seq < 10; seq++) {
		bed_arrive_rtp(bed, &a, BED_A, 7, seq);
		bed_arrive_rtp(bed, &b, BED_B, 8, seq);
		bed_arrive_rtcp(bed, &a_rtcp, BED_A_RTCP);
	}
	bed_relay(bed);
	cr_expect(eq(uint, bed->count[SP_VERDICT_BLOCKED], 10));
	cr_expect(eq(uint, bed->count[SP_VERDICT_FORWARD], 20));
	cr_expect(eq(u32, blocked(bed, BED_A), 10));
	cr_expect(eq(u32, blocked(bed, BED_B), 0));
	cr_expect(eq(u32, bed->table.flow[BED_A].sent, 10));
	bed_close(bed);
}

/* Refused packets are refused by their own names. */
Test(mute, stranger_is_not_blocked_but_refused)
{
	struct bed *bed = open_call(SP_FLOW_RTP, BLOCK);
	const struct sp_addr stranger = packet_addr("198.51.100.2", 4000);

	cr_expect(eq(uint, bed_talk(bed, &stranger, BED_A, 7, 1, 9),
		SP_VERDICT_SOURCE));
	cr_expect(eq(u32, blocked(bed, BED_A), 0));
	cr_expect(eq(u64, read_flow(bed, BED_A).packets, 0));
	bed_close(bed);
}

Test(mute, silence_needs_a_payload_type_that_was_told)
{
	struct bed *bed = open_call(SP_FLOW_RTP, SILENCE);

	memset(bed->conf[BED_A].quiet, SP_QUIET_NONE,
		sizeof bed->conf[BED_A].quiet);
	bed->conf[BED_A].quiet[SP_QUIET_PCMA] = 97;
	bed_program(bed, BED_A);
	cr_expect(eq(uint, say(bed, PCMU, 1), SP_VERDICT_BLOCKED));
	cr_expect(eq(uint, say(bed, 127, 2), SP_VERDICT_BLOCKED));
	cr_expect(eq(uint, say(bed, 97, 3), SP_VERDICT_FORWARD));
	cr_expect(eq(u8, bed->sent[0].frame[42 + 12], 0xd5));
	bed_close(bed);
}

Test(mute, next_call_is_not_muted_and_costs_nothing_aside)
{
	struct bed *bed = open_call(SP_FLOW_RTP, SILENCE);
	const struct sp_flow_aside none = { 0 };

	cr_assert(eq(int, sp_flow_table_stop(&bed->table, BED_A), SP_OK));
	cr_expect(eq(
		int, memcmp(&bed->table.aside[BED_A], &none, sizeof none), 0));
	set_flags(bed, BED_A, 0);
	cr_expect(eq(
		int, memcmp(&bed->table.aside[BED_A], &none, sizeof none), 0));
	cr_expect(eq(uint, say(bed, OPUS, 1), SP_VERDICT_FORWARD));
	cr_expect(eq(uint, say(bed, EVENT, 2), SP_VERDICT_FORWARD));
	bed_close(bed);
}
