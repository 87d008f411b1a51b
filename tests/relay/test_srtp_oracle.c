/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "tests/relay/srtp_cases.h"

/*
 * What arrives: both engines decide and decrypt as libsrtp2 does, one packet
 * after the other. SRTP_PACKETS says how many packets a run has (a million),
 * SRTP_SEED begins another story.
 */

/* One test's world. */
struct hearing {
	const struct oracle_case *tc;
	struct lots lots;
	bool gcm;
	srtp_t stranger;
	srtp_t oracle[LEGS_MOST];
	struct traffic traffic[LEGS_MOST];
	uint32_t told[SP_SRTP_EXPIRED + 1]; /* how often libsrtp said what */
	/* The burst under way. */
	unsigned int n;
	uint8_t leg[SP_SRTP_BURST];
	enum origin origin[SP_SRTP_BURST];
	struct wire wire[SP_SRTP_BURST];
	struct wire want[SP_SRTP_BURST];
	enum sp_srtp_fate fate[SP_SRTP_BURST];
};

static struct rig rig;
static struct hearing hearing;

static void
begin(struct hearing *h, const struct oracle_case *tc)
{
	struct sp_srtp_conf conf;

	rig_open(&rig, LEGS_MOST);
	memset(h, 0, sizeof *h);
	h->tc = tc;
	h->lots.state = case_seed(tc);
	h->gcm = sp_srtp_facts(tc->suite)->aead;
	for (unsigned int i = 0; i < tc->legs; i++) {
		conf = draw_conf(&h->lots, tc->suite, tc->flags, tc->mki_len,
			tc->n_keys);
		rig_add(&rig, i, &conf, false);
		h->oracle[i] = oracle_open(&conf, false, tc->rtcp);
		if (i == 0) { /* has the MKI of leg 0, but not its key */
			struct sp_srtp_conf other = conf;

			other.key[0].key[0] ^= 1;
			h->stranger = oracle_open(&other, true, tc->rtcp);
		}
		traffic_open(&h->traffic[i], lots_draw(&h->lots), &conf,
			h->stranger, tc->sources, tc->rtcp);
	}
}

static void
end(struct hearing *h)
{
	for (unsigned int i = 0; i < h->tc->legs; i++) {
		traffic_close(&h->traffic[i]);
		cr_assert(eq(
			int, srtp_dealloc(h->oracle[i]), srtp_err_status_ok));
	}
	cr_assert(eq(int, srtp_dealloc(h->stranger), srtp_err_status_ok));
	rig_close(&rig);
}

/* A third of the bursts are one leg's, which is many of each stream. */
static void
gather(struct hearing *h)
{
	struct lots *lots = &h->lots;
	const bool lone = lots_percent(lots, 33);
	const uint32_t first = lots_below(lots, h->tc->legs);
	const unsigned int n = 1 +
		lots_below(lots, lots_percent(lots, 30) ? 4 : SP_SRTP_BURST);

	for (h->n = 0; h->n < n;) {
		const unsigned int i = h->n;

		h->leg[i] =
			(uint8_t)(lone ? first : lots_below(lots, h->tc->legs));
		h->origin[i] = arrive(&h->traffic[h->leg[i]], &h->wire[i]);
		if (h->tc->rtcp || header_of(&h->wire[i]) > 0)
			h->n++;
	}
}

/*
 * In half of the bursts libsrtp never hears of what is forged: that engines go
 * on agreeing with it shows that a forgery leaves no trace in their state.
 */
static void
ask(struct hearing *h)
{
	const bool blind = lots_percent(&h->lots, 50);
	const bool mki = h->tc->mki_len > 0;

	for (unsigned int i = 0; i < h->n; i++) {
		h->want[i] = h->wire[i];
		if (blind && h->origin[i] == FORGED && !h->traffic[0].open)
			h->fate[i] = SP_SRTP_AUTH;
		else
			h->fate[i] = oracle_unprotect(h->oracle[h->leg[i]],
				h->tc->rtcp, mki, &h->want[i]);
		h->told[h->fate[i]]++;
		if (h->origin[i] == FORGED && !h->traffic[0].open)
			cr_assert(h->fate[i] != SP_SRTP_OK);
	}
}

/* A forged packet may be refused for more than one reason. */
static bool
refused_alike(enum origin origin, enum sp_srtp_fate a, uint8_t b)
{
	return origin == FORGED && a != SP_SRTP_OK && b != SP_SRTP_OK &&
		b <= SP_SRTP_SSRC;
}

/* ipsec-mb decrypts GCM before it knows; libsrtp2 is given a copy. */
static void
compare(const struct hearing *h, unsigned int k)
{
	for (unsigned int i = 0; i < h->n; i++) {
		struct sp_srtp_packet p = rig.packet[k][i];
		const bool touches = h->gcm && k == 0 && p.fate == SP_SRTP_AUTH;
		const char *what;

		if (refused_alike(h->origin[i], h->fate[i], p.fate))
			p.fate = (uint8_t)h->fate[i];
		what = box_differs(
			&rig.box[i], &p, touches, h->fate[i], &h->want[i]);
		if (what)
			cr_fatal("%s: SRTP_SEED=%s, engine %u, packet %u of %u "
				 "(origin %d, leg %u, %u bytes): %s; "
				 "fate %u, libsrtp's %d",
				h->tc->name, case_story(), k, i, h->n,
				h->origin[i], h->leg[i], h->wire[i].len, what,
				p.fate, h->fate[i]);
	}
}

/* In what libsrtp does not decide they are of one mind, too. */
static void
compare_engines(const struct hearing *h)
{
	for (unsigned int i = 0; i < h->n; i++)
		if (rig.packet[0][i].fate != rig.packet[1][i].fate)
			cr_fatal(
				"%s: SRTP_SEED=%s, packet %u of %u: fate %u by "
				"ipsec-mb, %u by libsrtp",
				h->tc->name, case_story(), i, h->n,
				rig.packet[0][i].fate, rig.packet[1][i].fate);
}

ParameterizedTestParameters(srtp_oracle, what_arrives_is_decided_alike)
{
	return cr_make_param_array(struct oracle_case, cases, CASES);
}

ParameterizedTest(
	struct oracle_case *tc, srtp_oracle, what_arrives_is_decided_alike)
{
	const uint32_t wanted = case_packets(tc);
	struct hearing *h = &hearing;

	begin(h, tc);
	for (uint32_t done = 0; done < wanted; done += h->n) {
		gather(h);
		ask(h);
		for (unsigned int k = 0; k < ENGINES; k++) {
			if (!rig.engine[k])
				continue;
			rig_run(&rig, k, UNPROTECT, tc->rtcp, h->wire, h->leg,
				h->n);
			compare(h, k);
		}
		if (rig.engine[0])
			compare_engines(h);
		rig.now_ms += 20;
	}
	/* The story was worth telling. */
	cr_expect(gt(u32, h->told[SP_SRTP_OK], wanted / 4));
	cr_expect(gt(u32, h->told[SP_SRTP_REPLAY], wanted / 100));
	if (!h->traffic[0].open)
		cr_expect(gt(u32, h->told[SP_SRTP_AUTH], wanted / 20));
	end(h);
}
