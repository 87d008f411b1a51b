/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "control/reader.h"

#define BIT(verb) (1u << (verb))
#define DELAY_MAX_S 86400

static const char *const verbs[] = {
#define X(name, text) [SP_VERB_##name] = text,
	SP_VERB_LIST_ALL(X)
#undef X
};

static void *
field(struct sp_reader *r, const struct sp_flag *f)
{
	return (char *)r->to + f->offset;
}

static bool
number(const struct sp_value *value, int64_t *out)
{
	char digits[16];
	struct sp_text text;
	char *end;

	if (json_is_integer(value->json)) {
		*out = json_integer_value(value->json);
		return true;
	}
	if (!sp_reader_text(value, &text) || text.len == 0 ||
		text.len >= sizeof digits)
		return false;
	memcpy(digits, text.at, text.len);
	digits[text.len] = '\0';
	*out = strtoll(digits, &end, 10);
	return end == digits + text.len;
}

static bool
set_text(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value)
{
	struct sp_text *to = field(r, f);
	struct sp_text text;
	bool go_on;

	if (!sp_reader_text(value, &text))
		return sp_reader_bad(
			r, f, "\"%s\" must be a string", sp_reader_name(r, f));
	if (text.len == 0 && !sp_reader_strict(r))
		return true; /* a proxy's way to give none */
	if (text.len > 0 && text.len <= f->most &&
		!memchr(text.at, '\0', text.len)) {
		/* What a flag says of itself is weaker than a key. */
		if (f->kind != SP_FLAG_ID || !r->in_flags || to->len == 0)
			*to = text;
		return true;
	}
	go_on = sp_reader_bad(r, f,
		"\"%s\" has %zu bytes; from 1 to %u are possible, without NUL",
		sp_reader_name(r, f), text.len, (unsigned int)f->most);
	if (f->kind != SP_FLAG_ID || !go_on)
		return go_on;
	sp_problem_set(r->problem, SP_PROBLEM_BAD_VALUE, f->json,
		"\"%s\" has %zu bytes; from 1 to %u are possible, without NUL",
		f->ng, text.len, (unsigned int)f->most);
	return false;
}

static bool
set_bool(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value)
{
	bool *to = field(r, f);

	if (value->json && !json_is_boolean(value->json))
		return sp_reader_bad(r, f, "\"%s\" must be true or false",
			sp_reader_name(r, f));
	*to = f->kind != SP_FLAG_UNSET && !json_is_false(value->json);
	return true;
}

/* Two that contradict each other: the narrower one holds. */
static bool
latch(struct sp_reader *r, unsigned int value)
{
	struct sp_request *to = r->to;

	if (to->has_latch && to->latch != value)
		sp_reader_warn(r,
			"asymmetric (or endpoint-learning=off) and "
			"media-handover exclude each other: the first of "
			"these holds");
	if (!to->has_latch || value < to->latch)
		to->latch = (enum sp_latch_policy)value;
	to->has_latch = true;
	return true;
}

static bool
set_word(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_flag_word *word)
{
	if (f->kind == SP_FLAG_LATCH)
		return latch(r, word->value);
	if (f->kind == SP_FLAG_WORD)
		memcpy(field(r, f), &word->value, 1);
	else if (f->kind == SP_FLAG_WORDS)
		*(uint8_t *)field(r, f) |= word->value;
	return true;
}

static bool
set_words(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value)
{
	const bool one = f->kind != SP_FLAG_WORDS && sp_reader_strict(r);
	struct sp_words list = sp_words(r, value, true);
	const struct sp_flag_word *word;
	struct sp_text text;

	if (one) {
		list = (struct sp_words){ .bad = false };
		list.bad = !sp_reader_text(value, &list.rest);
		if (!list.bad && list.rest.len == 0)
			return sp_reader_unknown(r, f, list.rest);
	}
	while (sp_words_next(&list, &text)) {
		if (!sp_reader_word(r, f, text, &word))
			return false;
		if (word && !set_word(r, f, word))
			return false;
	}
	if (list.bad)
		return sp_reader_bad(r, f, "\"%s\" must be a %s",
			sp_reader_name(r, f),
			one ? "string" : "list of strings");
	return true;
}

/* To do something to other flows, or to all, is not what was asked. */
static bool
set_flows(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value)
{
	const struct sp_flag_word *word = NULL;
	struct sp_text text;

	if (sp_reader_text(value, &text))
		word = sp_flags_word(f, SP_DOOR_NG, text);
	if (word && !word->refused) {
		r->to->all |= word->value != 0;
		return true;
	}
	sp_problem_set(r->problem, SP_PROBLEM_BAD_VALUE, f->ng,
		"\"%s\" names flows that no call has", f->ng);
	return false;
}

static bool
set_addr(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value)
{
	struct sp_value given = *value;
	const size_t n = json_array_size(given.json);
	struct sp_addr *to = field(r, f);
	struct sp_text text;

	/* On ng also ["IP4", "192.0.2.1"]. */
	if (f->kind == SP_FLAG_SOURCE && !sp_reader_strict(r) && n > 0)
		given.json = json_array_get(given.json, n - 1);
	if (sp_reader_text(&given, &text) &&
		sp_addr_parse(text.at, text.len, to) == SP_OK)
		return true;
	if (sp_reader_bad(r, f,
		    "\"%s\" must be a bare IPv4 or IPv6 address in a string, "
		    "as in 192.0.2.1 or 2001:db8::1",
		    sp_reader_name(r, f)) &&
		f->kind != SP_FLAG_SELECTOR)
		return true;
	if (!sp_reader_strict(r))
		sp_problem_set(r->problem, SP_PROBLEM_BAD_VALUE, f->json,
			"\"%s\" is no IP address", f->ng);
	return false;
}

/* Only on ng: [of the sender, of the receiver], or one for both. */
static bool
set_realms(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value)
{
	struct sp_words list = sp_words(r, value, true);
	struct sp_text text;

	for (unsigned int i = 0; sp_words_next(&list, &text); i++) {
		if (text.len > SP_TAG_MAX ||
			sp_flags_same("round-robin-calls", text))
			text.len = 0;
		if (i == 0)
			r->to->from_realm = text;
		if (i <= 1)
			r->to->to_realm = text;
	}
	return list.bad
		? sp_reader_bad(r, f, "\"%s\" must be a list of names", f->ng)
		: true;
}

static bool
set_number(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value)
{
	struct sp_request *to = r->to;
	const int64_t most = f->kind == SP_FLAG_TOS ? UINT8_MAX : DELAY_MAX_S;
	const int64_t least = f->kind == SP_FLAG_TOS ? -1 : 0;
	int64_t n;

	if (!number(value, &n) ||
		(sp_reader_strict(r) && !json_is_integer(value->json)))
		return sp_reader_bad(
			r, f, "\"%s\" must be a number", sp_reader_name(r, f));
	if (sp_reader_strict(r) && (n < least || n > most))
		return sp_reader_bad(r, f,
			"\"%s\" is %lld; from %lld to %lld are possible",
			f->json, (long long)n, (long long)least,
			(long long)most);
	if (f->kind == SP_FLAG_TOS) {
		to->tos_mode = n < 0    ? SP_TOS_KEEP
			: n > UINT8_MAX ? SP_TOS_DEFAULT
					: SP_TOS_SET;
		to->tos = to->tos_mode == SP_TOS_SET ? (uint8_t)n : 0;
	} else if (f->kind == SP_FLAG_DELAY) {
		to->has_delete_delay = n >= 0;
		to->delete_delay_s = (uint32_t)(n < 0 ? 0
				: n > most            ? most
						      : n);
	} else if (n >= 0) {
		to->limit = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	} else {
		sp_problem_set(r->problem, SP_PROBLEM_BAD_VALUE, f->ng,
			"invalid limit, must be >= 0");
		return false;
	}
	return true;
}

bool
sp_reader_set(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value)
{
	switch (f->kind) {
	case SP_FLAG_NOTHING:
		return f->words ? set_words(r, f, value) : true;
	case SP_FLAG_ID:
	case SP_FLAG_TEXT:
		return set_text(r, f, value);
	case SP_FLAG_BOOL:
	case SP_FLAG_UNSET:
		return set_bool(r, f, value);
	case SP_FLAG_WORD:
	case SP_FLAG_WORDS:
		return set_words(r, f, value);
	case SP_FLAG_LATCH:
		return f->words ? set_words(r, f, value) : latch(r, f->most);
	case SP_FLAG_ADDR:
	case SP_FLAG_SELECTOR:
	case SP_FLAG_SOURCE:
		return set_addr(r, f, value);
	case SP_FLAG_REALMS:
		return set_realms(r, f, value);
	case SP_FLAG_CODEC:
		return sp_reader_codec(r, f, value);
	case SP_FLAG_ATTR:
		return sp_reader_attr(r, f, value);
	case SP_FLAG_SDES:
		return sp_reader_sdes(r, f, value);
	case SP_FLAG_FLOWS:
		return set_flows(r, f, value);
	default:
		return set_number(r, f, value);
	}
}

static bool
complete(struct sp_reader *r)
{
	const unsigned int verb = BIT(r->to->verb);

	for (const struct sp_flag *f = sp_flags; f->needed; f++) {
		const struct sp_text *text = field(r, f);

		if (!(f->needed & verb) || text->len > 0)
			continue;
		sp_problem_set(r->problem, SP_PROBLEM_MISSING_FIELD, f->json,
			"%s needs \"%s\"", verbs[r->to->verb],
			sp_reader_name(r, f));
		return false;
	}
	return true;
}

bool
sp_reader_finish(struct sp_reader *r)
{
	struct sp_request *to = r->to;
	const bool lost = to->trust_source &&
		to->signalling_source.family == SP_FAMILY_NONE;

	if (!complete(r) || !sp_reader_sdes_finish(r))
		return false;
	if (lost && sp_reader_strict(r)) {
		sp_problem_set(r->problem, SP_PROBLEM_MISSING_FIELD,
			"signalling_source",
			"\"trust_source\" needs \"signalling_source\"");
		return false;
	}
	if (lost) {
		to->trust_source = false;
		sp_reader_warn(r, "SIP-source-address without received-from");
	}
	/* Proxies put a from-tag into everything; whoever uses HTTP means it.
	 */
	if (sp_reader_strict(r) && to->verb >= SP_VERB_BLOCK_MEDIA)
		to->directional = to->from_tag.len > 0;
	return true;
}
