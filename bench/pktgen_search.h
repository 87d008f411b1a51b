/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_SEARCH_H
#define SP_BENCH_PKTGEN_SEARCH_H

#include <stdbool.h>

/*
 * The highest rate of which nothing is lost. The search knows nothing of
 * packets: it asks for trials, and is told their verdicts.
 */

/* What a trial says of its rate. */
enum pktgen_verdict {
	PKTGEN_PASSED,    /* nothing was lost */
	PKTGEN_LOST,      /* something was */
	PKTGEN_SHORT,     /* nothing was, but less was sent than asked */
	PKTGEN_DISTURBED, /* the machine was not quiet for long enough to say */
	PKTGEN_SILENT,    /* nothing came through at all */
};

/* Why the rate above the one that was found is none. */
enum pktgen_limit {
	PKTGEN_BY_RELAY,     /* it loses some */
	PKTGEN_BY_GENERATOR, /* it can't send as much */
	PKTGEN_BY_MOST,      /* nobody asked for more */
};

/* How a search ended. */
enum pktgen_end {
	PKTGEN_FOUND,
	PKTGEN_NOT_LEAST, /* not even the least rate passes, or holds */
	PKTGEN_NEVER_QUIET,
	PKTGEN_GONE_SILENT, /* LEAST passed, and later nothing comes through */
};

struct pktgen_search {
	double least, most;
	double fine;          /* ratio of two rates that are as good as one */
	double seconds;       /* of a trial */
	double confirm_s;     /* of the last one */
	unsigned int repeats; /* of a trial that says nothing */
	enum pktgen_verdict (*trial)(void *arg, double rate, double seconds);
	void *arg;

	/* What came of it. */
	double rate; /* of the last trial: the one found, if one was */
	enum pktgen_limit limit;
};

/*
 * Halve the ratio of a rate that passes and one that does not, until they are
 * one, then see that the lower holds for longer; where it does not, less must
 * do. A rate that fails once in quiet has failed.
 */
enum pktgen_end pktgen_search_run(struct pktgen_search *s);

const char *pktgen_verdict_name(enum pktgen_verdict v);
const char *pktgen_limit_name(enum pktgen_limit limit);
const char *pktgen_end_name(enum pktgen_end end);

#endif
