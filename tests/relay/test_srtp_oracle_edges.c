/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "relay/srtp_engine.h"
#include "tests/relay/srtp_rig.h"

/*
 * Where guessing an index turns over: next to half a cycle of sequence numbers
 * away, in the first cycle and later, and at the end of the window. Every
 * cycle that a packet might be of is tried: engines take the one, if any, that
 * libsrtp2 takes.
 */

#define CYCLE 65536
#define TEMPLATE_SSRC 3

struct edge_case {
	enum sp_srtp_suite suite;
	uint32_t highest; /* index, before the packet in question */
};

/* clang-format off */
static struct edge_case edge_cases[] = {
#define EDGES(suite)                                                          \
	{ suite, 0 }, { suite, 1 }, { suite, 32766 }, { suite, 32767 },       \
	{ suite, 32768 }, { suite, 32769 }, { suite, 50000 },                 \
	{ suite, 65535 }, { suite, 65536 }, { suite, 65537 },                 \
	{ suite, CYCLE + 32767 }, { suite, CYCLE + 32768 },                   \
	{ suite, CYCLE + 32769 }, { suite, 2 * CYCLE },                       \
	{ suite, 3 * CYCLE - 1 }
	EDGES(SP_SRTP_AES_CM_128_32),
	EDGES(SP_SRTP_GCM_128),
};
/* clang-format on */

static const int steps[] = { 0, 1, 2, 126, 127, 128, 129, 130, 32765, 32766,
	32767, 32768, 32769, 32770, 40000, 65535 };

static struct rig rig;
static struct lots lots = { 11 };
static void *lib, *box; /* protect any index there is */

static struct wire
at_index(uint64_t index)
{
	static struct {
		struct wire w;
		uint8_t room[SP_SRTP_ROOM];
	} at;
	const struct source source = {
		.ssrc = TEMPLATE_SSRC,
		.seq = (uint16_t)index,
	};
	struct sp_srtp_packet p = { .data = at.w.data };
	struct sp_srtp_job job = {
		.p = &p,
		.box = box,
		.index = index,
		.ok = true,
	};

	draw_rtp(&lots, &source, &at.w);
	p.len = at.w.len;
	p.header_len = header_of(&at.w);
	sp_srtp_libsrtp_ops.protect(lib, &job, 1);
	cr_assert(job.ok);
	at.w.len = p.len;
	return at.w;
}

/* Have all of them, libsrtp2 first, hear one packet; its fate. */
static enum sp_srtp_fate
hear(srtp_t oracle, uint64_t index)
{
	static const uint8_t leg[1] = { 0 };
	const struct wire w = at_index(index);
	struct wire want = w;
	const enum sp_srtp_fate fate =
		oracle_unprotect(oracle, false, false, &want);

	for (unsigned int k = 0; k < ENGINES; k++) {
		const char *what;

		if (!rig.engine[k])
			continue;
		rig_run(&rig, k, UNPROTECT, false, &w, leg, 1);
		what = box_differs(
			&rig.box[0], &rig.packet[k][0], k == 0, fate, &want);
		cr_assert(what == NULL, "engine %u, index %llu: %s", k,
			(unsigned long long)index, what);
	}
	return fate;
}

/* Up to @highest in steps that everybody follows. */
static void
climb(srtp_t oracle, uint64_t highest)
{
	uint64_t index = highest % 20000;

	for (; index < highest; index += 20000)
		cr_assert(eq(int, hear(oracle, index), SP_SRTP_OK));
	cr_assert(eq(int, hear(oracle, highest), SP_SRTP_OK));
}

/* One that is @step ahead or back, as of each cycle. */
static unsigned int
probe(const struct sp_srtp_conf *conf, uint64_t highest, int step)
{
	const uint16_t seq = (uint16_t)(highest + (uint64_t)step);
	unsigned int accepted = 0;

	for (uint64_t cycle = 0; cycle < 5; cycle++) {
		srtp_t oracle = oracle_open(conf, false, false);

		rig_add(&rig, 0, conf, false);
		climb(oracle, highest);
		accepted += hear(oracle, cycle * CYCLE + seq) == SP_SRTP_OK;
		for (unsigned int k = 0; k < ENGINES; k++)
			if (rig.engine[k])
				sp_srtp_close(rig.engine[k], rig.leg[k][0]);
		srtp_dealloc(oracle);
	}
	cr_assert(accepted <= 1);
	return accepted;
}

ParameterizedTestParameters(srtp_oracle_edges, an_index_is_guessed_alike)
{
	return cr_make_param_array(struct edge_case, edge_cases,
		sizeof edge_cases / sizeof *edge_cases);
}

ParameterizedTest(
	struct edge_case *tc, srtp_oracle_edges, an_index_is_guessed_alike)
{
	const struct sp_srtp_conf conf = draw_conf(&lots, tc->suite, 0, 0, 1);
	unsigned int accepted = 0;

	rig_open(&rig, 1);
	cr_assert(eq(int, sp_srtp_libsrtp_ops.open(1, &lib), SP_OK));
	cr_assert(
		eq(int, sp_srtp_libsrtp_ops.box_open(lib, &conf, 0, true, &box),
			SP_OK));
	for (unsigned int i = 0; i < sizeof steps / sizeof *steps; i++) {
		accepted += probe(&conf, tc->highest, steps[i]);
		accepted += probe(&conf, tc->highest, -steps[i]);
	}
	cr_expect(gt(uint, accepted, 5));
	sp_srtp_libsrtp_ops.box_close(lib, box);
	sp_srtp_libsrtp_ops.close(lib);
	rig_close(&rig);
}
