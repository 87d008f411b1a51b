/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "relay/srtp_direction.h"
#include "tests/dataplane/bed_dpdk.h"
#include "tests/dataplane/bed_frame.h"
#include "tests/dataplane/bed_srtp.h"

/*
 * SEC-6, SEC-21: a packet that is not authentic, or was there before, changes
 * no state at all, but the counter of what it was refused for.
 */

/* All that a worker remembers of a call; drop counters are not in it. */
struct image {
	struct sp_flow flow[BED_FLOWS];
	struct sp_latch_trial trial[BED_FLOWS];
	struct sp_key key[BED_DIRECTIONS];
	struct sp_srtp in;
	uint32_t holding;
	uint16_t n_news;
	unsigned int n_sent;
};

static void
take_image(const struct bed_srtp *s, struct image *out)
{
	memset(out, 0, sizeof *out);
	memcpy(out->flow, s->bed->table.flow, sizeof out->flow);
	for (unsigned int id = 0; id < BED_FLOWS; id++)
		out->trial[id] = s->bed->table.aside[id].trial;
	memcpy(out->key, s->keys.key, sizeof out->key);
	out->in = *s->keys.key[bed_key_id(BED_PARTY_A)].in;
	out->holding = s->bed->commit.holding;
	out->n_news = s->bed->commit.n_news;
	out->n_sent = s->bed->n_sent;
}

/* How an attacker makes a packet of one that is authentic. */
enum forgery {
	BAD_TAG,
	BAD_PAYLOAD,
	BAD_HEADER, /* a payload type that would be new */
	OTHER_SSRC,
	OTHER_SEQ, /* far ahead: a ROC that would be new */
	CUT_OFF,
	NO_TAG,
	OTHER_MKI,
	OTHER_KEY,
	REPLAYED,
	PLAIN,
	FORGERIES
};

static struct bed_payload
forge(struct bed_srtp *s, enum forgery how, struct bed_payload p)
{
	struct sp_srtp_conf other = s->conf[BED_PARTY_A].in;

	switch (how) {
	case BAD_TAG:
		p.bytes[p.len - 1] ^= 0x80;
		break;
	case BAD_PAYLOAD:
		p.bytes[20] ^= 1;
		break;
	case BAD_HEADER:
		p.bytes[1] ^= 0x55;
		break;
	case OTHER_SSRC:
		p.bytes[9] ^= 1;
		break;
	case OTHER_SEQ:
		p.bytes[2] ^= 0x70;
		break;
	case CUT_OFF:
		p.len--;
		break;
	case NO_TAG:
		p.len = 172;
		break;
	case OTHER_MKI:
		p.bytes[p.len - 11] ^= 1;
		break;
	case OTHER_KEY:
		other.key[0].key[3] ^= 1;
		sp_srtp_close(s->phones, s->says[BED_PARTY_A]);
		packet_must(sp_srtp_open(s->phones, &other, true,
				    &s->says[BED_PARTY_A]) == SP_OK);
		p = bed_protect(s, BED_PARTY_A, bed_rtp(7, 300, 172));
		break;
	case REPLAYED:
		break;
	case PLAIN:
		p = bed_rtp(7, 300, 172);
		break;
	case FORGERIES:
		break;
	}
	return p;
}

/* Where it comes from: the party itself, its NAT, another port, anywhere. */
static struct sp_addr
sender(unsigned int i)
{
	const struct sp_addr party = bed_phone(BED_IP4, BED_A);
	struct sp_addr other = party;

	other.port++;
	switch (i % 4) {
	case 0:
		return party;
	case 1:
		return other;
	case 2:
		return packet_addr("198.51.100.99", 7000);
	default:
		return packet_addr("192.0.2.200", 7000);
	}
}

struct flood {
	char name[24];
	enum sp_srtp_suite suite;
	uint16_t heard; /* packets of the party before */
};

ParameterizedTestParameters(unprotect_forged, forgeries_leave_no_trace)
{
	static struct flood cases[] = {
		{ "before the party", SP_SRTP_AES_CM_128_80, 0 },
		{ "CM", SP_SRTP_AES_CM_128_80, 5 },
		{ "short tags", SP_SRTP_AES_CM_256_32, 5 },
		{ "GCM", SP_SRTP_GCM_128, 5 },
		{ "GCM before the party", SP_SRTP_GCM_256, 0 },
	};

	return cr_make_param_array(
		struct flood, cases, sizeof cases / sizeof *cases);
}

/* Sixteen at a time from all sides, and twice. */
static void
flood(struct bed_srtp *s, const struct bed_payload *forged)
{
	for (unsigned int turn = 0; turn < 2; turn++) {
		for (unsigned int i = 0; i < 16; i++) {
			const struct sp_addr from = sender(i);

			bed_arrive_payload(s, &from, BED_A, forged);
		}
		bed_relay(s->bed);
	}
}

ParameterizedTest(struct flood *tc, unprotect_forged, forgeries_leave_no_trace)
{
	const struct sp_addr party = sender(0);

	bed_start_dpdk(NULL);
	for (enum forgery how = BAD_TAG; how < FORGERIES; how++) {
		static struct image before, after;
		struct bed_payload srtp = { .len = 0 }, forged;
		struct bed_srtp s;
		unsigned int refused;

		if (how == REPLAYED && tc->heard == 0)
			continue;
		bed_srtp_open(&s);
		bed_open_pool(s.bed);
		bed_srtp_call(&s, BED_IP4, tc->suite, BED_IP4, SP_SRTP_NONE);
		s.conf[BED_PARTY_A].in.mki_len = 1;
		bed_hold_keys(&s, BED_PARTY_A);
		bed_equip(&s, BED_PARTY_A);
		for (uint16_t i = 0; i < tc->heard; i++) {
			srtp = bed_protect(&s, BED_PARTY_A, bed_rtp(7, i, 172));
			cr_assert(eq(uint,
				bed_say_payload(&s, &party, BED_A, &srtp),
				SP_VERDICT_FORWARD));
		}
		if (how != REPLAYED)
			srtp = bed_protect(
				&s, BED_PARTY_A, bed_rtp(7, 100, 172));
		forged = forge(&s, how, srtp);
		s.bed->now_us += 20000;

		take_image(&s, &before);
		flood(&s, &forged);
		take_image(&s, &after);
		for (size_t i = 0; i < sizeof before; i++)
			cr_assert(eq(u8, ((uint8_t *)&after)[i],
					  ((uint8_t *)&before)[i]),
				"%s, forgery %u, byte %zu", tc->name, how, i);
		refused = s.bed->count[SP_VERDICT_SRTP_AUTH] +
			s.bed->count[SP_VERDICT_SRTP_REPLAY];
		cr_expect(eq(uint, refused, 32), "%s, %u", tc->name, how);
		/* And the party is heard as if nothing had been. */
		if (how != OTHER_KEY && how != REPLAYED) {
			cr_expect(eq(uint,
					  bed_say_payload(
						  &s, &party, BED_A, &srtp),
					  SP_VERDICT_FORWARD),
				"%s, %u", tc->name, how);
			cr_expect(sp_addr_equal(
				&s.bed->table.flow[BED_A].latch.remote,
				&party));
		}
		bed_srtp_close(&s);
	}
}

Test(unprotect_forged, rtcp_forgeries_leave_no_trace)
{
	const struct sp_addr party = bed_phone(BED_IP4, BED_A_RTCP);
	static struct image before, after;
	struct bed_payload srtcp, forged;
	struct bed_srtp s;

	bed_srtp_open(&s);
	bed_srtp_call(
		&s, BED_IP4, SP_SRTP_AES_CM_128_80, BED_IP4, SP_SRTP_NONE);
	srtcp = bed_protect(&s, BED_PARTY_A, bed_rtcp(7));
	cr_assert(eq(uint, bed_say_payload(&s, &party, BED_A_RTCP, &srtcp),
		SP_VERDICT_FORWARD));
	take_image(&s, &before);
	for (uint16_t at = 0; at < srtcp.len; at++) {
		forged = srtcp;
		forged.bytes[at] ^= 0x10;
		for (unsigned int i = 0; i < 4; i++) {
			const struct sp_addr from = sender(i);

			cr_expect(ne(uint,
				bed_say_payload(&s, &from, BED_A_RTCP, &forged),
				SP_VERDICT_FORWARD));
		}
	}
	take_image(&s, &after);
	cr_expect(eq(int, memcmp(&before, &after, sizeof before), 0));
	bed_srtp_close(&s);
}

/* A rival's flood in the same bursts costs the party and a neighbour none. */
Test(unprotect_forged, flood_takes_nothing_from_those_beside_it)
{
	const struct sp_addr a = bed_phone(BED_IP4, BED_A);
	const struct sp_addr b = bed_phone(BED_IP4, BED_B);
	struct bed_payload forged = bed_rtp(7, 9999, 172);
	struct bed_srtp s;

	bed_srtp_open(&s);
	bed_srtp_call(
		&s, BED_IP4, SP_SRTP_AES_CM_128_80, BED_IP4, SP_SRTP_GCM_128);
	for (uint16_t round = 0; round < 20; round++) {
		const struct bed_payload of_a =
			bed_protect(&s, BED_PARTY_A, bed_rtp(7, round, 172));
		const struct bed_payload of_b =
			bed_protect(&s, BED_PARTY_B, bed_rtp(8, round, 60));

		for (unsigned int i = 0; i < SP_BURST; i++) {
			const struct sp_addr from = sender(i);

			forged.bytes[11] = (uint8_t)i;
			if (i == 30)
				bed_arrive_payload(&s, &a, BED_A, &of_a);
			else if (i == 40)
				bed_arrive_payload(&s, &b, BED_B, &of_b);
			else
				bed_arrive_payload(&s, &from, BED_A, &forged);
		}
		s.bed->now_us += 20000;
		bed_relay(s.bed);
	}
	cr_expect(eq(uint, s.bed->n_sent, 40));
	cr_expect(eq(u32, s.bed->table.flow[BED_A].packets, 20));
	cr_expect(eq(u32, s.bed->table.flow[BED_B].packets, 20));
	cr_expect(eq(uint, s.bed->count[SP_VERDICT_SRTP_AUTH], 62 * 20));
	cr_expect(eq(u32,
		s.bed->table.aside[BED_A]
			.dropped[SP_VERDICT_SRTP_AUTH - SP_VERDICT_FORWARD - 1],
		62 * 20));
	bed_srtp_close(&s);
}
