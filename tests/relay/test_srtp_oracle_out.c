/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "tests/relay/srtp_cases.h"

/*
 * What we send: both engines write the bytes that libsrtp2 would, packet by
 * packet, and refuse what it refuses. Sources lose packets, swap and repeat
 * them; what engines do with one that starts anew is their own, and shown in
 * test_srtp_oracle_ours.c.
 */

/* What of a source was too old, since its last packet that went out. */
struct refusals {
	uint16_t seq[16];
	unsigned int n;
};

/* One test's world. */
struct speech {
	const struct oracle_case *tc;
	struct lots lots;
	srtp_t oracle[LEGS_MOST];
	struct traffic traffic[LEGS_MOST];
	struct refusals refusals[LEGS_MOST][SP_SRTP_SSRCS];
	uint32_t told[SP_SRTP_EXPIRED + 1];
	/* The burst under way. */
	unsigned int n;
	uint8_t leg[SP_SRTP_BURST];
	struct wire wire[SP_SRTP_BURST];
	struct wire want[SP_SRTP_BURST];
	enum sp_srtp_fate fate[SP_SRTP_BURST];
};

static struct rig rig;
static struct speech speech;

static void
begin(struct speech *h, const struct oracle_case *tc)
{
	struct sp_srtp_conf conf;

	rig_open(&rig, LEGS_MOST);
	memset(h, 0, sizeof *h);
	h->tc = tc;
	h->lots.state = case_seed(tc);
	for (unsigned int i = 0; i < tc->legs; i++) {
		conf = draw_conf(&h->lots, tc->suite, tc->flags, tc->mki_len,
			tc->n_keys);
		rig_add(&rig, i, &conf, true);
		h->oracle[i] = oracle_open(&conf, true, tc->rtcp);
		traffic_open(&h->traffic[i], lots_draw(&h->lots), NULL, NULL,
			tc->sources, tc->rtcp);
	}
}

static void
end(struct speech *h)
{
	for (unsigned int i = 0; i < h->tc->legs; i++)
		cr_assert(eq(
			int, srtp_dealloc(h->oracle[i]), srtp_err_status_ok));
	rig_close(&rig);
}

static uint16_t
seq_of(const struct wire *w)
{
	return (uint16_t)(w->data[SEQ_AT] << 8 | w->data[SEQ_AT + 1]);
}

/*
 * Two old ones in a row are how a source looks that starts anew: then the
 * second one is not sent at all.
 */
static bool
looks_new(struct refusals *r, uint16_t seq, enum sp_srtp_fate fate)
{
	if (fate == SP_SRTP_OK)
		r->n = 0;
	if (fate != SP_SRTP_REPLAY || !oracle_said_old)
		return false;
	for (unsigned int i = 0; i < r->n; i++)
		if (seq == (uint16_t)(r->seq[i] + 1))
			return true;
	if (r->n == sizeof r->seq / sizeof *r->seq)
		return true;
	r->seq[r->n++] = seq;
	return false;
}

static struct refusals *
refusals_of(struct speech *h, uint32_t leg, const struct wire *w)
{
	uint8_t ssrc[4];
	unsigned int i = 0;

	for (; i < h->tc->sources - 1u; i++) {
		put32(ssrc, h->traffic[leg].source[i].ssrc);
		if (memcmp(ssrc, w->data + RTP_SSRC_AT, sizeof ssrc) == 0)
			break;
	}
	return &h->refusals[leg][i];
}

/* A third of the bursts are one leg's, which is many of each stream. */
static void
gather(struct speech *h)
{
	struct lots *lots = &h->lots;
	const bool lone = lots_percent(lots, 33);
	const uint32_t first = lots_below(lots, h->tc->legs);
	const unsigned int n = 1 +
		lots_below(lots, lots_percent(lots, 30) ? 4 : SP_SRTP_BURST);

	for (h->n = 0; h->n < n;) {
		const unsigned int i = h->n;
		const uint32_t leg =
			lone ? first : lots_below(lots, h->tc->legs);

		arrive(&h->traffic[leg], &h->wire[i]);
		h->leg[i] = (uint8_t)leg;
		h->want[i] = h->wire[i];
		h->fate[i] = oracle_protect(h->oracle[leg], h->tc->rtcp,
			h->tc->mki_len > 0, &h->want[i]);
		if (!h->tc->rtcp &&
			looks_new(refusals_of(h, leg, &h->wire[i]),
				seq_of(&h->wire[i]), h->fate[i]))
			continue;
		h->told[h->fate[i]]++;
		h->n++;
	}
}

static void
compare(const struct speech *h, unsigned int k)
{
	for (unsigned int i = 0; i < h->n; i++) {
		const struct sp_srtp_packet *p = &rig.packet[k][i];
		const char *what = box_differs(
			&rig.box[i], p, false, h->fate[i], &h->want[i]);

		if (what)
			cr_fatal("%s: SRTP_SEED=%s, engine %u, packet %u of %u "
				 "(leg %u, %u bytes): %s; fate %u, "
				 "libsrtp's %d",
				h->tc->name, case_story(), k, i, h->n,
				h->leg[i], h->wire[i].len, what, p->fate,
				h->fate[i]);
	}
}

ParameterizedTestParameters(srtp_oracle_out, what_leaves_is_the_same)
{
	return cr_make_param_array(struct oracle_case, cases, CASES);
}

ParameterizedTest(
	struct oracle_case *tc, srtp_oracle_out, what_leaves_is_the_same)
{
	const uint32_t wanted = case_packets(tc);
	struct speech *h = &speech;

	begin(h, tc);
	for (uint32_t done = 0; done < wanted; done += h->n) {
		gather(h);
		for (unsigned int k = 0; k < ENGINES; k++) {
			if (!rig.engine[k])
				continue;
			rig_run(&rig, k, PROTECT, tc->rtcp, h->wire, h->leg,
				h->n);
			compare(h, k);
		}
		rig.now_ms += 20;
	}
	/* The story was worth telling. */
	cr_expect(gt(u32, h->told[SP_SRTP_OK], wanted / 2));
	if (!tc->rtcp)
		cr_expect(gt(u32, h->told[SP_SRTP_REPLAY], wanted / 100));
	end(h);
}
