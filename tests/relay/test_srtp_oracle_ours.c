/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "relay/srtp_direction.h"
#include "tests/relay/srtp_rig.h"

/*
 * Where engines mean to differ from libsrtp2: what it does, what ours do, and
 * that a peer with libsrtp2 still understands us.
 */

struct engine_case {
	unsigned int k;
	enum sp_srtp_suite suite;
};

static struct engine_case engine_cases[] = {
	{ 0, SP_SRTP_AES_CM_128_80 },
	{ 0, SP_SRTP_GCM_256 },
	{ 1, SP_SRTP_AES_CM_128_80 },
	{ 1, SP_SRTP_GCM_256 },
};
#define ENGINE_CASES (sizeof engine_cases / sizeof *engine_cases)

static struct rig rig;
static struct lots lots;
static struct sp_srtp_conf conf;

/* False: this CPU has no such engine. */
static bool
begin(const struct engine_case *tc, bool sends)
{
	lots.state = tc->suite;
	conf = draw_conf(&lots, tc->suite, 0, 0, 1);
	rig_open(&rig, 1);
	if (!rig.engine[tc->k]) {
		rig_close(&rig);
		return false;
	}
	rig_add(&rig, 0, &conf, sends);
	return true;
}

/* One packet through engine @k; it is what comes out, if it is OK. */
static enum sp_srtp_fate
pass(unsigned int k, enum work work, bool rtcp, struct wire *w)
{
	static const uint8_t leg[1] = { 0 };
	const struct wire before = *w;
	const struct sp_srtp_packet *p = &rig.packet[k][0];

	rig_run(&rig, k, work, rtcp, w, leg, 1);
	cr_assert(box_whole(&rig.box[0]));
	w->len = p->len;
	memcpy(w->data, p->data, p->len);
	if (p->fate != SP_SRTP_OK)
		cr_assert(w->len == before.len &&
			memcmp(w->data, before.data, w->len) == 0);
	return p->fate;
}

static struct wire
rtp(uint32_t ssrc, uint16_t seq)
{
	const struct source source = { .ssrc = ssrc, .seq = seq };
	struct wire w;

	draw_rtp(&lots, &source, &w);
	return w;
}

static uint16_t
seq_of(const struct wire *w)
{
	return (uint16_t)(w->data[SEQ_AT] << 8 | w->data[SEQ_AT + 1]);
}

ParameterizedTestParameters(srtp_oracle_ours, a_restarted_source_goes_on)
{
	return cr_make_param_array(
		struct engine_case, engine_cases, ENGINE_CASES);
}

/*
 * A phone that starts its sequence numbers anew under the same SSRC: libsrtp2
 * refuses it, for as long as it takes to catch up. We shift its numbers.
 */
ParameterizedTest(
	struct engine_case *tc, srtp_oracle_ours, a_restarted_source_goes_on)
{
	static const uint16_t seqs[] = { 5000, 5001, 5002, 100, 101, 102, 104,
		103, 102 };
	static const uint16_t sent[] = { 5000, 5001, 5002, 0, 5003, 5004, 5006,
		5005, 0 };
	srtp_t oracle, peer;

	if (!begin(tc, true))
		cr_skip("no such engine on this CPU");
	oracle = oracle_open(&conf, true, false);
	peer = oracle_open(&conf, false, false);
	for (unsigned int i = 0; i < sizeof seqs / sizeof *seqs; i++) {
		struct wire ours = rtp(1, seqs[i]);
		struct wire plain = ours, theirs = ours;

		cr_assert(eq(int, oracle_protect(oracle, false, false, &theirs),
			i < 3 ? SP_SRTP_OK : SP_SRTP_REPLAY));
		cr_assert(eq(int, pass(tc->k, PROTECT, false, &ours),
				  sent[i] ? SP_SRTP_OK : SP_SRTP_REPLAY),
			"packet %u", i);
		if (!sent[i])
			continue;
		cr_assert(eq(u16, seq_of(&ours), sent[i]));
		cr_assert(eq(int, oracle_unprotect(peer, false, false, &ours),
			SP_SRTP_OK));
		put16(plain.data + SEQ_AT, sent[i]);
		cr_assert(ours.len == plain.len &&
			memcmp(ours.data, plain.data, plain.len) == 0);
	}
	cr_assert(eq(u16, sp_srtp_offset(rig.leg[tc->k][0], 1), 5003 - 101));
	srtp_dealloc(oracle);
	srtp_dealloc(peer);
	rig_close(&rig);
}

ParameterizedTestParameters(srtp_oracle_ours, a_ninth_source_waits)
{
	return cr_make_param_array(
		struct engine_case, engine_cases, ENGINE_CASES);
}

static enum sp_srtp_fate
hear(unsigned int k, srtp_t peer, uint32_t ssrc, uint16_t seq)
{
	struct wire w = rtp(ssrc, seq);

	cr_assert(eq(int, oracle_protect(peer, false, false, &w), SP_SRTP_OK));
	return pass(k, UNPROTECT, false, &w);
}

/* libsrtp2 makes a stream for every SSRC that authenticates. */
ParameterizedTest(
	struct engine_case *tc, srtp_oracle_ours, a_ninth_source_waits)
{
	struct wire old = rtp(1, 10), again;
	srtp_t peer;

	if (!begin(tc, false))
		cr_skip("no such engine on this CPU");
	peer = oracle_open(&conf, true, false);
	cr_assert(
		eq(int, oracle_protect(peer, false, false, &old), SP_SRTP_OK));
	again = old;
	cr_assert(eq(int, pass(tc->k, UNPROTECT, false, &again), SP_SRTP_OK));
	for (uint32_t ssrc = 2; ssrc <= SP_SRTP_SSRCS; ssrc++)
		cr_assert(eq(int, hear(tc->k, peer, ssrc, 10), SP_SRTP_OK));
	cr_assert(eq(int, hear(tc->k, peer, 9, 10), SP_SRTP_SSRC));

	/* It gets the place of one that has been silent. */
	rig.now_ms += SP_SRTP_IDLE_MS - 1;
	for (uint32_t ssrc = 2; ssrc <= SP_SRTP_SSRCS; ssrc++)
		cr_assert(eq(int, hear(tc->k, peer, ssrc, 11), SP_SRTP_OK));
	cr_assert(eq(int, hear(tc->k, peer, 9, 11), SP_SRTP_SSRC));
	rig.now_ms += 1;
	cr_assert(eq(int, hear(tc->k, peer, 9, 12), SP_SRTP_OK));

	/* That one is known still: its packets can't be played again. */
	cr_assert(eq(int, hear(tc->k, peer, 1, 11), SP_SRTP_SSRC));
	rig.now_ms += SP_SRTP_IDLE_MS;
	again = old;
	cr_assert(
		eq(int, pass(tc->k, UNPROTECT, false, &again), SP_SRTP_REPLAY));
	cr_assert(eq(int, hear(tc->k, peer, 1, 12), SP_SRTP_OK));
	srtp_dealloc(peer);
	rig_close(&rig);
}

/*
 * libsrtp2 takes RTCP in the clear under GCM, if its tag is right, though that
 * was never agreed; under AES-CM it does not. We never do.
 */
Test(srtp_oracle_ours, rtcp_in_the_clear_is_refused_under_gcm_too)
{
	for (unsigned int k = 0; k < ENGINES; k++) {
		const struct engine_case tc = { k, SP_SRTP_GCM_128 };
		const struct source source = { .ssrc = 7 };
		struct oracle_words words;
		srtp_t clear, oracle;
		struct wire w, copy;

		if (!begin(&tc, false))
			continue;
		oracle_policy(&words, &conf, true, true);
		words.policy.rtcp.sec_serv = sec_serv_auth;
		cr_assert(eq(int, srtp_create(&clear, &words.policy),
			srtp_err_status_ok));
		oracle = oracle_open(&conf, false, true);
		draw_rtcp(&lots, &source, &w);
		cr_assert(eq(int, oracle_protect(clear, true, false, &w),
			SP_SRTP_OK));
		copy = w;
		cr_expect(eq(int, oracle_unprotect(oracle, true, false, &copy),
			SP_SRTP_OK));
		cr_expect(eq(int, pass(k, UNPROTECT, true, &w), SP_SRTP_AUTH));
		srtp_dealloc(clear);
		srtp_dealloc(oracle);
		rig_close(&rig);
	}
}

/*
 * A party told not to encrypt RTCP may do so all the same: libsrtp2 refuses
 * the packets that it would not have sent. For us both kinds are one stream.
 */
Test(srtp_oracle_ours, rtcp_may_be_encrypted_where_it_need_not_be)
{
	for (unsigned int k = 0; k < ENGINES; k++) {
		const struct engine_case tc = { k, SP_SRTP_AES_CM_256_32 };
		const struct source source = { .ssrc = 7 };
		struct sp_srtp_conf plain;
		srtp_t sender[2], oracle;

		if (!begin(&tc, false))
			continue;
		plain = conf;
		plain.flags = SP_SRTP_PLAIN_RTCP;
		sp_srtp_close(rig.engine[k], rig.leg[k][0]);
		cr_assert(eq(int,
			sp_srtp_open(
				rig.engine[k], &plain, false, &rig.leg[k][0]),
			SP_OK));
		oracle = oracle_open(&plain, false, true);
		sender[0] = oracle_open(&plain, true, true);
		sender[1] = oracle_open(&conf, true, true);
		for (unsigned int i = 0; i < 20; i++) {
			const bool encrypts = i % 3 == 1;
			struct wire before, w, copy;

			draw_rtcp(&lots, &source, &before);
			for (unsigned int j = 0; j < 2; j++) {
				copy = before; /* both count it */
				cr_assert(eq(int,
					oracle_protect(
						sender[j], true, false, &copy),
					SP_SRTP_OK));
				if (j == encrypts)
					w = copy;
			}
			copy = w;
			cr_assert(eq(int,
				oracle_unprotect(oracle, true, false, &copy),
				encrypts ? SP_SRTP_AUTH : SP_SRTP_OK));
			copy = w;
			cr_assert(eq(int, pass(k, UNPROTECT, true, &copy),
				SP_SRTP_OK));
			cr_assert(copy.len == before.len &&
				!memcmp(copy.data, before.data, copy.len));
			cr_assert(eq(int, pass(k, UNPROTECT, true, &w),
				SP_SRTP_REPLAY));
		}
		srtp_dealloc(oracle);
		srtp_dealloc(sender[0]);
		srtp_dealloc(sender[1]);
		rig_close(&rig);
	}
}

ParameterizedTestParameters(srtp_oracle_ours, the_last_index_is_the_last)
{
	return cr_make_param_array(
		struct engine_case, engine_cases, ENGINE_CASES);
}

/*
 * libsrtp2 counts packets under a key and stops at 2^48; but RTP's index may
 * get there sooner, as a source may leave numbers out. Nobody lives to see it,
 * so the stream is put there by hand.
 */
ParameterizedTest(
	struct engine_case *tc, srtp_oracle_ours, the_last_index_is_the_last)
{
	const struct source source = { .ssrc = 1 };
	struct wire w = rtp(1, 1);

	if (!begin(tc, true))
		cr_skip("no such engine on this CPU");
	cr_assert(eq(int, pass(tc->k, PROTECT, false, &w), SP_SRTP_OK));
	rig.leg[tc->k][0]->first.index = SP_SRTP_INDEX_MAX - 1;
	rig.leg[tc->k][0]->first_rtcp.index = SP_SRTCP_INDEX_MAX - 1;

	w = rtp(1, 0xffff);
	cr_assert(eq(int, pass(tc->k, PROTECT, false, &w), SP_SRTP_OK));
	w = rtp(1, 0);
	cr_assert(eq(int, pass(tc->k, PROTECT, false, &w), SP_SRTP_EXPIRED));
	w = rtp(1, 1);
	cr_assert(eq(int, pass(tc->k, PROTECT, false, &w), SP_SRTP_EXPIRED));

	draw_rtcp(&lots, &source, &w);
	cr_assert(eq(int, pass(tc->k, PROTECT, true, &w), SP_SRTP_OK));
	draw_rtcp(&lots, &source, &w);
	cr_assert(eq(int, pass(tc->k, PROTECT, true, &w), SP_SRTP_EXPIRED));
	rig_close(&rig);
}
