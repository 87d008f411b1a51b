/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_STATS_H
#define SP_BENCH_STATS_H

/*
 * What was measured in one round after another. Contenders take turns within
 * a round, so that what disturbs the machine disturbs them alike: compare
 * round by round, and believe the median.
 */

#define STATS_ROUNDS 256u

struct stats {
	unsigned int n;
	double at[STATS_ROUNDS]; /* in the order of rounds */
};

/* Note one round's number; those beyond STATS_ROUNDS are left out. */
void stats_add(struct stats *s, double value);

double stats_median(const struct stats *s);
double stats_least(const struct stats *s);

/* Return half the distance between the quartiles, as a share of the median. */
double stats_noise(const struct stats *s);

/* Return the median of @a / @b, round by round. */
double stats_ratio(const struct stats *a, const struct stats *b);

#endif
