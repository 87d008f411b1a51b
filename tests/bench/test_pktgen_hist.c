/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "bench/pktgen_hist.h"

static struct pktgen_hist h, other;

/* What is read back may be low by a step, and never high. */
static void
expect_near(uint64_t got, uint64_t want)
{
	cr_expect(le(u64, got, want));
	cr_expect(ge(u64, got + got / PKTGEN_HIST_STEPS + 1, want));
}

struct value_case {
	uint64_t value;
};

ParameterizedTestParameters(pktgen_hist, one_value_is_every_quantile)
{
	static struct value_case cases[] = { { 0 }, { 1 }, { 63 }, { 64 },
		{ 65 }, { 127 }, { 128 }, { 4095 }, { 4096 }, { 999999 },
		{ 123456789 }, { (1ull << 36) - 1 } };

	return cr_make_param_array(
		struct value_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct value_case *tc, pktgen_hist, one_value_is_every_quantile)
{
	pktgen_hist_add(&h, tc->value);
	expect_near(pktgen_hist_quantile(&h, 0.001), tc->value);
	expect_near(pktgen_hist_quantile(&h, 0.5), tc->value);
	expect_near(pktgen_hist_quantile(&h, 1), tc->value);
	cr_expect(eq(u64, h.most, tc->value));
}

Test(pktgen_hist, quantiles_of_a_thousand_values)
{
	for (uint64_t i = 1; i <= 1000; i++)
		pktgen_hist_add(&h, i * 1000);
	expect_near(pktgen_hist_quantile(&h, 0.5), 500000);
	expect_near(pktgen_hist_quantile(&h, 0.9), 900000);
	expect_near(pktgen_hist_quantile(&h, 0.99), 990000);
	expect_near(pktgen_hist_quantile(&h, 0.999), 999000);
	cr_expect(eq(u64, h.count, 1000));
	cr_expect(eq(u64, h.most, 1000000));
}

Test(pktgen_hist, one_late_packet_in_a_thousand_is_not_in_p99)
{
	for (unsigned int i = 0; i < 999; i++)
		pktgen_hist_add(&h, 10);
	pktgen_hist_add(&h, 5000000);
	cr_expect(eq(u64, pktgen_hist_quantile(&h, 0.99), 10));
	cr_expect(eq(u64, pktgen_hist_quantile(&h, 0.999), 10));
	expect_near(pktgen_hist_quantile(&h, 0.9999), 5000000);
}

Test(pktgen_hist, cells_rise_with_values)
{
	uint64_t last = 0;

	for (uint64_t v = 1; v < 1ull << 36; v += v / 50 + 1) {
		struct pktgen_hist *one = &other;

		*one = (struct pktgen_hist){ 0 };
		pktgen_hist_add(one, v);
		cr_assert(ge(u64, pktgen_hist_quantile(one, 1), last));
		last = pktgen_hist_quantile(one, 1);
		expect_near(last, v);
	}
}

Test(pktgen_hist, what_is_too_large_counts_as_the_largest)
{
	pktgen_hist_add(&h, UINT64_MAX);
	cr_expect(eq(u64, h.most, UINT64_MAX));
	cr_expect(eq(u64, h.cell[PKTGEN_HIST_CELLS - 1], 1));
}

Test(pktgen_hist, merged_ones_are_as_one)
{
	static struct pktgen_hist all;

	for (uint64_t i = 0; i < 100; i++) {
		pktgen_hist_add(&h, i * 7);
		pktgen_hist_add(&other, 100000 + i);
		pktgen_hist_add(&all, i * 7);
		pktgen_hist_add(&all, 100000 + i);
	}
	pktgen_hist_merge(&h, &other);
	cr_expect(eq(int, memcmp(&h, &all, sizeof h), 0));
}

Test(pktgen_hist, nothing_has_no_quantile)
{
	cr_expect(eq(u64, pktgen_hist_quantile(&h, 0.5), 0));
}
