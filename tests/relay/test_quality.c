/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/quality.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

enum {
	PTIME = 160,
	CLOCK_HZ = 8000
};

/* Count packet @seq of @ssrc, sent and come on time. */
static void
come_from(struct sp_quality *q, uint32_t ssrc, uint16_t seq)
{
	const struct sp_rtp rtp = {
		.ssrc = ssrc,
		.seq = seq,
		.timestamp = (uint32_t)seq * PTIME,
	};

	sp_quality_count(q, &rtp, (uint32_t)seq * PTIME + 12345);
}

static void
come(struct sp_quality *q, uint16_t seq)
{
	come_from(q, 1, seq);
}

static struct sp_quality_report
report(const struct sp_quality *q)
{
	struct sp_quality_report r;

	sp_quality_read(q, CLOCK_HZ, &r);
	return r;
}

/* A stream as the steps it takes, and what it then amounts to. */
struct stream_case {
	char name[40];
	uint16_t seq[16];
	uint8_t count;
	uint8_t packets;
	uint16_t expected;
	uint16_t lost;
	uint8_t reordered;
	uint8_t duplicates;
	uint16_t last_seq;
};

ParameterizedTestParameters(quality, counts_what_came)
{
	/* clang-format off */
	static struct stream_case cases[] = {
		{ "nothing", { 0 }, 0, 0, 0, 0, 0, 0, 0 },
		{ "one", { 7 }, 1, 1, 1, 0, 0, 0, 7 },
		{ "sequence number 0", { 0 }, 1, 1, 1, 0, 0, 0, 0 },
		{ "in order", { 7, 8, 9 }, 3, 3, 3, 0, 0, 0, 9 },
		{ "wraps", { 65534, 65535, 0, 1 }, 4, 4, 4, 0, 0, 0, 1 },
		{ "one lost", { 7, 9 }, 2, 2, 3, 1, 0, 0, 9 },
		{ "lost at the wrap", { 65535, 1 }, 2, 2, 3, 1, 0, 0, 1 },
		{ "late", { 7, 9, 8, 10 }, 4, 4, 4, 0, 1, 0, 10 },
		{ "late over the wrap", { 65535, 1, 0 }, 3, 3, 3, 0, 1, 0, 1 },
		{ "doubled", { 7, 8, 8, 9 }, 4, 4, 3, 0, 0, 1, 9 },
		{ "doubled and late", { 7, 9, 8, 8 }, 4, 4, 3, 0, 1, 1, 9 },
		{ "first one doubled", { 7, 7 }, 2, 2, 1, 0, 0, 1, 7 },
		{ "late before the first", { 8, 7, 9 }, 3, 3, 3, 0, 1, 0, 9 },
		{ "that over the wrap", { 1, 65534 }, 2, 2, 4, 2, 1, 0, 1 },
		{ "a loss and a double", { 1, 3, 3 }, 3, 3, 3, 1, 0, 1, 3 },
		{ "64 behind is too old to tell",
			{ 100, 164, 100 }, 3, 3, 65, 62, 1, 0, 164 },
		{ "63 behind is not",
			{ 100, 163, 100 }, 3, 3, 64, 62, 0, 1, 163 },
		{ "99 behind is late", { 500, 401 }, 2, 2, 100, 98, 1, 0, 500 },
		{ "100 behind is a jump", { 500, 400 }, 2, 1, 1, 0, 0, 0, 500 },
		{ "largest gap", { 1, 3000 }, 2, 2, 3000, 2998, 0, 0, 3000 },
		{ "a stray jump ahead",
			{ 1, 3001, 2, 3 }, 4, 3, 3, 0, 0, 0, 3 },
		{ "a stray jump back",
			{ 9000, 1000, 9001 }, 3, 2, 2, 0, 0, 0, 9001 },
		{ "restart", { 9000, 9001, 7, 8, 9 }, 5, 5, 5, 0, 0, 0, 9 },
		{ "restart at 0", { 9000, 65535, 0, 1 }, 4, 4, 4, 0, 0, 0, 1 },
		{ "two strays apart",
			{ 1, 5000, 2, 5001, 3 }, 5, 3, 3, 0, 0, 0, 3 },
		{ "two strays that do not follow",
			{ 1, 5000, 7000, 2 }, 4, 2, 2, 0, 0, 0, 2 },
		{ "loss before and after a restart",
			{ 1, 3, 9000, 9001, 9003 }, 5, 5, 7, 2, 0, 0, 9003 },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct stream_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct stream_case *tc, quality, counts_what_came)
{
	struct sp_quality q = { 0 };
	struct sp_quality_report r;

	for (unsigned int i = 0; i < tc->count; i++)
		come(&q, tc->seq[i]);
	r = report(&q);
	cr_expect(eq(u64, r.packets, tc->packets), "%s", tc->name);
	cr_expect(eq(u64, r.expected, tc->expected), "%s", tc->name);
	cr_expect(eq(u64, r.lost, tc->lost), "%s", tc->name);
	cr_expect(eq(u64, r.reordered, tc->reordered), "%s", tc->name);
	cr_expect(eq(u64, r.duplicates, tc->duplicates), "%s", tc->name);
	cr_expect(eq(u16, r.last_seq, tc->last_seq), "%s", tc->name);
	cr_expect(eq(u32, r.jitter_us, 0), "%s: all on time", tc->name);
	cr_expect(eq(u32, r.ssrc_changes, 0), "%s", tc->name);
}

Test(quality, an_ssrc_of_zero_is_a_source_like_others)
{
	struct sp_quality q = { 0 };

	come_from(&q, 0, 7);
	come_from(&q, 0, 8);
	cr_expect(eq(u64, report(&q).packets, 2));
	cr_expect(eq(u64, report(&q).lost, 0));
	cr_expect(eq(u32, report(&q).ssrc_changes, 0));
}

Test(quality, a_new_ssrc_starts_anew_and_keeps_the_totals)
{
	struct sp_quality q = { 0 };

	come_from(&q, 1, 10);
	come_from(&q, 1, 12);
	come_from(&q, 2, 50000);
	come_from(&q, 2, 50003);
	come_from(&q, 1, 13);
	cr_expect(eq(u64, report(&q).packets, 5));
	cr_expect(eq(u64, report(&q).expected, 8));
	cr_expect(eq(u64, report(&q).lost, 3));
	cr_expect(eq(u32, report(&q).ssrc_changes, 2));
	cr_expect(eq(u32, report(&q).ssrc, 1));
}

Test(quality, counts_over_many_cycles)
{
	struct sp_quality q = { 0 };
	uint32_t came = 0;

	for (uint32_t i = 0; i < 300000; i++) {
		if (i % 10 == 3)
			continue;
		come(&q, (uint16_t)(i + 65000));
		came++;
	}
	cr_expect(eq(u64, report(&q).packets, came));
	cr_expect(eq(u64, report(&q).expected, 300000));
	cr_expect(eq(u64, report(&q).lost, 30000));
}

Test(quality, jitter_settles_at_the_mean_deviation)
{
	struct sp_quality q = { 0 };

	/* Every other packet is 40 units late: each differs by 40. */
	for (uint32_t i = 0; i < 1000; i++) {
		const struct sp_rtp rtp = {
			.ssrc = 1,
			.seq = (uint16_t)i,
			.timestamp = i * PTIME,
		};

		sp_quality_count(&q, &rtp, i * PTIME + (i % 2) * 40);
	}
	cr_expect(ge(u32, report(&q).jitter_us, 4900)); /* 5 ms = 40 units */
	cr_expect(le(u32, report(&q).jitter_us, 5000));
}

Test(quality, jitter_follows_the_rfc_step_by_step)
{
	static const uint32_t late[] = { 0, 3, 90, 17, 17, 0, 250, 1, 1, 1, 8 };
	struct sp_quality q = { 0 };
	double jitter = 0;

	for (uint32_t i = 0; i < sizeof late / sizeof *late; i++) {
		const struct sp_rtp rtp = {
			.ssrc = 1,
			.seq = (uint16_t)(65530 + i),
			.timestamp = UINT32_MAX - 300 + i * PTIME,
		};

		sp_quality_count(&q, &rtp, 77 + i * PTIME + late[i]);
		if (i > 0) {
			const double d = (double)late[i] - late[i - 1];

			jitter += ((d < 0 ? -d : d) - jitter) / 16;
		}
	}
	/* The integer form rounds each step by up to half a sixteenth. */
	cr_expect(lt(dbl, q.jitter / 16.0, jitter + 0.5));
	cr_expect(gt(dbl, q.jitter / 16.0, jitter - 0.5));
	cr_expect(gt(dbl, jitter, 20.0));
}

Test(quality, extremes_of_timestamp_and_arrival_stay_bounded)
{
	static const uint32_t extreme[] = { 0, 1, 1u << 17, 0x7fffffff,
		0x80000000, 0x80000001, UINT32_MAX - 1, UINT32_MAX };
	struct sp_quality q = { 0 };
	uint16_t seq = 0;

	for (unsigned int round = 0; round < 200; round++)
		for (unsigned int i = 0; i < 64; i++) {
			const struct sp_rtp rtp = {
				.ssrc = 1,
				.seq = seq++,
				.timestamp = extreme[i % 8],
			};

			sp_quality_count(&q, &rtp, extreme[i / 8] * round);
			cr_assert(lt(u32, q.jitter, 1u << 22));
		}
	cr_expect(eq(u64, report(&q).packets, 200 * 64));
	cr_expect(eq(u64, report(&q).lost, 0));
	sp_quality_read(&q, 1, &(struct sp_quality_report){ 0 });
	sp_quality_read(&q, UINT32_MAX, &(struct sp_quality_report){ 0 });
}

Test(quality, a_new_clock_at_the_sender_is_not_jitter)
{
	struct sp_quality q = { 0 };
	struct sp_rtp rtp = { .ssrc = 1, .timestamp = 1000 };

	sp_quality_count(&q, &rtp, 0);
	rtp.seq = 1;
	rtp.timestamp = 4000000000;
	sp_quality_count(&q, &rtp, PTIME);
	rtp.seq = 2;
	rtp.timestamp += PTIME;
	sp_quality_count(&q, &rtp, 2 * PTIME);
	cr_expect(eq(u32, report(&q).jitter_us, 0));
}

Test(quality, an_unknown_clock_reports_no_jitter)
{
	struct sp_quality q = { .window = 1, .received = 1, .jitter = 1000 };
	struct sp_quality_report r;

	sp_quality_read(&q, 0, &r);
	cr_expect(eq(u32, r.jitter_us, 0));
	sp_quality_read(&q, 1, &r);
	cr_expect(eq(u32, r.jitter_us, 62500000));
	q.jitter = 1u << 21;
	sp_quality_read(&q, 1, &r);
	cr_expect(eq(u32, r.jitter_us, UINT32_MAX), "as much as fits");
}

Test(quality, lost_is_never_negative)
{
	const struct sp_quality q = { .window = 1, .received = 9 };

	cr_expect(eq(u64, report(&q).expected, 1));
	cr_expect(eq(u64, report(&q).lost, 0));
}

struct mos_case {
	uint32_t lost_in_1000;
	uint32_t jitter_ms;
	uint16_t mos_x100;
};

ParameterizedTestParameters(quality, mos_falls_with_loss_and_jitter)
{
	static struct mos_case cases[] = {
		{ 0, 0, 440 },      /* R 92.96: the best that narrowband has */
		{ 10, 0, 432 },     /* R 89.32 */
		{ 50, 0, 391 },     /* R 77.18 */
		{ 200, 0, 262 },    /* R 50.83 */
		{ 0, 50, 435 },     /* delay 110 ms: R 90.56 */
		{ 0, 200, 298 },    /* delay 410 ms: R 57.76 */
		{ 999, 0, 117 },    /* R 17.04 */
		{ 999, 1000, 100 }, /* below all */
	};

	return cr_make_param_array(
		struct mos_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct mos_case *tc, quality, mos_falls_with_loss_and_jitter)
{
	const struct sp_quality q = {
		.window = 1,
		.highest = 999,
		.received = 1000 - tc->lost_in_1000,
		.jitter = tc->jitter_ms * CLOCK_HZ / 1000 * 16,
	};
	const uint16_t mos = report(&q).mos_x100;

	cr_expect(ge(u16, mos, tc->mos_x100 - 1), "%u lost", tc->lost_in_1000);
	cr_expect(le(u16, mos, tc->mos_x100 + 1), "%u lost", tc->lost_in_1000);
}

Test(quality, silence_has_no_mos)
{
	const struct sp_quality q = { 0 };

	cr_expect(eq(u16, report(&q).mos_x100, 0));
	cr_expect(eq(u64, report(&q).expected, 0));
}
