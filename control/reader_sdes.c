/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/reader.h"

/*
 * What is asked of SDES and OSRTP: words, some with suites behind them. A
 * suite is never let in by mistake: who wants only one that we don't have
 * gets none, not all.
 */

#define QUOTED 48 /* bytes of a client's word that are repeated */

#define ALL_SUITES ((1u << SP_SRTP_SUITES) - 2u) /* but not NONE */

/* Names for people, a blank before each. */
static const char names[] =
#define X(name, text, ...) " " text
	SP_SRTP_SUITE_LIST(X);
#undef X

/* That others do. Who wants to do without one of these may have it so. */
static bool
is_elsewhere(struct sp_text name)
{
	static const char *const others[] = {
		"AES_192_CM_HMAC_SHA1_80",
		"AES_192_CM_HMAC_SHA1_32",
		"F8_128_HMAC_SHA1_80",
		"F8_128_HMAC_SHA1_32",
		"NULL_HMAC_SHA1_80",
		"NULL_HMAC_SHA1_32",
	};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (sp_flags_same(others[i], name))
			return true;
	return false;
}

/* Cut the next of "A;B" off @list, empty or not; false: there is no more. */
static bool
next_name(struct sp_text *list, struct sp_text *out)
{
	const char *at = list->len ? memchr(list->at, ';', list->len) : NULL;

	if (!list->at)
		return false;
	*out = *list;
	*list = (struct sp_text){ NULL, 0 };
	if (at) {
		list->at = at + 1;
		list->len = out->len - (size_t)(at - out->at) - 1;
		out->len = (size_t)(at - out->at);
	}
	return true;
}

/* Put @suite behind the others of @list, unless it is there. */
static void
append(uint8_t *list, uint8_t *count, uint8_t suite)
{
	if (!memchr(list, suite, *count))
		list[(*count)++] = suite;
}

static void
use_suite(struct sp_reader *r, unsigned int what, uint8_t suite)
{
	struct sp_sdes_policy *sdes = &r->to->policy.sdes;

	if (what == SP_FLAG_SDES_WITHOUT)
		sdes->without |= (uint8_t)SP_SDES_BIT(suite);
	else if (what == SP_FLAG_SDES_ONLY)
		append(r->only, &r->n_only, suite);
	else if (what == SP_FLAG_SDES_ORDER)
		append(sdes->order, &sdes->n_order, suite);
	else
		append(sdes->prefer, &sdes->n_prefer, suite);
}

/* The suites in @given, which is the @word with what follows it. */
static bool
read_suites(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_flag_word *word, struct sp_text given)
{
	const size_t prefix = strlen(word->name) - 1;
	struct sp_text list = { given.at + prefix, given.len - prefix };
	struct sp_text name;

	if (word->value == SP_FLAG_SDES_ONLY)
		r->has_only = true;
	while (next_name(&list, &name)) {
		const enum sp_srtp_suite suite =
			sp_srtp_suite(name.at, name.len);

		if (suite != SP_SRTP_NONE)
			use_suite(r, word->value, (uint8_t)suite);
		else if ((word->value != SP_FLAG_SDES_WITHOUT ||
				 !is_elsewhere(name)) &&
			!sp_reader_bad(r, f,
				"\"%s=%.*s\" is not supported: the suites "
				"are%s",
				sp_reader_name(r, f),
				(int)(given.len < QUOTED ? given.len : QUOTED),
				given.at, names))
			return false;
	}
	return true;
}

static void
obey(struct sp_sdes_policy *sdes, unsigned int what)
{
	switch (what) {
	case SP_FLAG_SDES_NOTHING:
		break;
	case SP_FLAG_SDES_OFF:
		sdes->off = true;
		break;
	case SP_FLAG_SDES_PASS:
		sdes->pass = true;
		break;
	case SP_FLAG_SDES_NO_NEW:
		sdes->no_new = true;
		break;
	case SP_FLAG_SDES_LIFETIME:
		sdes->lifetime = true;
		break;
	case SP_FLAG_SDES_KEEP:
		sdes->keep = true;
		break;
	case SP_FLAG_SDES_OFFER:
		sdes->osrtp_offer = true;
		break;
	case SP_FLAG_SDES_ACCEPT:
		sdes->osrtp_accept = true;
		break;
	default:
		if (what & SP_FLAG_SDES_ADD)
			sdes->add |= what & (SP_FLAG_SDES_ADD - 1);
		else
			sdes->drop |= what & (SP_FLAG_SDES_ADD - 1);
	}
}

bool
sp_reader_sdes(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value)
{
	struct sp_words list = sp_words(r, value, true);
	const struct sp_flag_word *word;
	struct sp_text text;

	while (sp_words_next(&list, &text)) {
		if (!sp_reader_word(r, f, text, &word))
			return false;
		if (!word)
			continue;
		if (word->name[strlen(word->name) - 1] != '*')
			obey(&r->to->policy.sdes, word->value);
		else if (!read_suites(r, f, word, text))
			return false;
	}
	return list.bad
		? sp_reader_bad(r, f, "\"%s\" must be a list of strings",
			  sp_reader_name(r, f))
		: true;
}

/* No other suites than these, and these in any case: they are in order. */
static void
do_with(struct sp_sdes_policy *sdes, const uint8_t *only, unsigned int n)
{
	unsigned int others = ALL_SUITES;

	for (unsigned int i = 0; i < n; i++) {
		others &= ~SP_SDES_BIT(only[i]);
		append(sdes->order, &sdes->n_order, only[i]);
	}
	sdes->without |= (uint8_t)others;
}

bool
sp_reader_sdes_finish(struct sp_reader *r)
{
	struct sp_sdes_policy *sdes = &r->to->policy.sdes;

	if (r->has_only)
		do_with(sdes, r->only, r->n_only);
	if (sdes->off || (sdes->without & ALL_SUITES) != ALL_SUITES)
		return true;
	if (sp_reader_strict(r)) {
		sp_problem_set(r->problem, SP_PROBLEM_BAD_VALUE, "sdes",
			"\"sdes\" leaves no suite; is \"off\" meant?");
		return false;
	}
	sp_reader_warn(r, "\"SDES\" leaves no suite: it is off");
	sdes->off = true;
	return true;
}
