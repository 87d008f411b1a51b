/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_search.h"

#include <math.h>

#define STEPS_BACK 8u /* rates that may pass once and not hold */
#define SAME_STEP 2u  /* so many as long, then twice as long */

/* Ask until it is an answer. */
static enum pktgen_verdict
ask(struct pktgen_search *s, double rate, double seconds)
{
	enum pktgen_verdict v = PKTGEN_DISTURBED;

	s->rate = rate;
	for (unsigned int i = 0; i <= s->repeats && v == PKTGEN_DISTURBED; i++)
		v = s->trial(s->arg, rate, seconds);
	return v;
}

/* What a search that can't go on after @v ends with. */
static enum pktgen_end
end_of(const struct pktgen_search *s, enum pktgen_verdict v)
{
	if (v == PKTGEN_DISTURBED)
		return PKTGEN_NEVER_QUIET;
	if (v == PKTGEN_SILENT && s->rate > s->least)
		return PKTGEN_GONE_SILENT;
	return PKTGEN_NOT_LEAST;
}

/* See that @rate holds, or one below it. */
static enum pktgen_end
confirm(struct pktgen_search *s, double rate)
{
	enum pktgen_verdict v = PKTGEN_LOST;
	double step = s->fine;

	for (unsigned int i = 0; i < STEPS_BACK; i++) {
		v = ask(s, rate, s->confirm_s);
		if (v == PKTGEN_PASSED)
			return PKTGEN_FOUND;
		if (v == PKTGEN_DISTURBED || v == PKTGEN_SILENT)
			break;
		s->limit = v == PKTGEN_SHORT ? PKTGEN_BY_GENERATOR
					     : PKTGEN_BY_RELAY;
		if (rate <= s->least)
			break;
		if (i % SAME_STEP == SAME_STEP - 1)
			step *= step;
		rate = fmax(rate / step, s->least);
	}
	return end_of(s, v);
}

enum pktgen_end
pktgen_search_run(struct pktgen_search *s)
{
	double low = s->least, high = s->most, rate = s->least;

	s->limit = PKTGEN_BY_MOST;
	do {
		const enum pktgen_verdict v = ask(s, rate, s->seconds);

		if (v == PKTGEN_PASSED)
			low = rate;
		else if (rate <= s->least || v == PKTGEN_DISTURBED ||
			v == PKTGEN_SILENT)
			return end_of(s, v);
		else
			high = rate;
		if (v == PKTGEN_LOST)
			s->limit = PKTGEN_BY_RELAY;
		if (v == PKTGEN_SHORT)
			s->limit = PKTGEN_BY_GENERATOR;
		rate = sqrt(low * high);
	} while (high > low * s->fine);
	return confirm(s, low);
}

const char *
pktgen_verdict_name(enum pktgen_verdict v)
{
	static const char *const name[] = { "passed", "lost", "short",
		"disturbed", "silent" };

	return name[v];
}

const char *
pktgen_limit_name(enum pktgen_limit limit)
{
	static const char *const name[] = { "relay", "generator", "most" };

	return name[limit];
}

const char *
pktgen_end_name(enum pktgen_end end)
{
	static const char *const name[] = { "found", "not least", "never quiet",
		"gone silent" };

	return name[end];
}
