/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/stats.h"

#include <stdlib.h>

void
stats_add(struct stats *s, double value)
{
	if (s->n < STATS_ROUNDS)
		s->at[s->n++] = value;
}

static int
by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value that @share of all are below. */
static double
quantile(const struct stats *s, double share)
{
	struct stats sorted = *s;

	if (s->n == 0)
		return 0;
	qsort(sorted.at, sorted.n, sizeof sorted.at[0], by_value);
	return sorted.at[(unsigned int)(share * (double)(s->n - 1) + 0.5)];
}

double
stats_median(const struct stats *s)
{
	return quantile(s, 0.5);
}

double
stats_least(const struct stats *s)
{
	return quantile(s, 0);
}

double
stats_noise(const struct stats *s)
{
	const double median = quantile(s, 0.5);

	return median > 0 ? (quantile(s, 0.75) - quantile(s, 0.25)) / 2 / median
			  : 0;
}

double
stats_ratio(const struct stats *a, const struct stats *b)
{
	struct stats each = { 0 };

	for (unsigned int i = 0; i < a->n && i < b->n; i++)
		if (b->at[i] > 0)
			stats_add(&each, a->at[i] / b->at[i]);
	return quantile(&each, 0.5);
}
