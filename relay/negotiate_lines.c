/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/negotiate_lines.h"

#include <string.h>

/* The suites that are offered to whoever does not say what it can do. */
static const uint8_t usual[] = {
	SP_SRTP_AES_CM_128_80,
	SP_SRTP_GCM_128,
	SP_SRTP_AES_CM_128_32,
};

/* SRTP in name only: what it carries can be read or forged. */
static bool
is_hollow(const struct sp_sdes *line)
{
	return line->srtp.flags & (SP_SRTP_PLAIN_RTP | SP_SRTP_NO_AUTH);
}

static bool
same_line(const struct sp_sdes *a, const struct sp_sdes *b)
{
	return a->tag == b->tag && sp_srtp_conf_equal(&a->srtp, &b->srtp);
}

/* Do two lines have a master key in common? */
static bool
shares_key(const struct sp_srtp_conf *a, const struct sp_srtp_conf *b)
{
	const size_t len = sp_srtp_facts((enum sp_srtp_suite)a->suite)->key_len;

	if (sp_srtp_facts((enum sp_srtp_suite)b->suite)->key_len != len)
		return false;
	for (unsigned int i = 0; i < a->n_keys; i++)
		for (unsigned int k = 0; k < b->n_keys; k++)
			if (memcmp(a->key[i].key, b->key[k].key, len) == 0)
				return true;
	return false;
}

/* Does @line have a key of one of @own, our @n lines to who wrote it? */
static bool
is_echo(const struct sp_sdes *own, unsigned int n, const struct sp_sdes *line)
{
	for (unsigned int i = 0; i < n; i++)
		if (shares_key(&own[i].srtp, &line->srtp))
			return true;
	return false;
}

/* The place of @suite in a list of @count, or @count. */
static unsigned int
place(const uint8_t *list, unsigned int count, uint8_t suite)
{
	unsigned int at = 0;

	while (at < count && list[at] != suite)
		at++;
	return at;
}

/* How much a line of the offerer is to be answered; less is better. */
static unsigned int
rank(const struct sp_sdes_policy *sdes, const struct sp_sdes *before,
	const struct sp_sdes *line)
{
	if (before && same_line(before, line))
		return 0;
	if (before && sdes->keep && before->srtp.suite == line->srtp.suite)
		return 1;
	return 2 + place(sdes->prefer, sdes->n_prefer, line->srtp.suite);
}

bool
sp_negotiate_lines_choose(const struct sp_sdp_media *m,
	const struct sp_sdes_policy *sdes, const struct sp_keys_before *before,
	struct sp_sdes *out)
{
	unsigned int best = UINT32_MAX;
	struct sp_sdes line;
	size_t at = 0;

	while (sp_sdes_next(m, &at, &line)) {
		const unsigned int this = rank(sdes, before->said, &line);

		if (this >= best ||
			(before->offerer_srtp && is_hollow(&line)) ||
			is_echo(before->own, before->n_own, &line))
			continue;
		best = this;
		*out = line;
	}
	explicit_bzero(&line, sizeof line);
	return best != UINT32_MAX;
}

/* Sort stably by the policy's order; what is not in it comes last. */
static void
sort(const struct sp_sdes_policy *sdes, struct sp_sdes *line, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++) {
		const struct sp_sdes moving = line[i];
		const unsigned int to =
			place(sdes->order, sdes->n_order, moving.srtp.suite);
		unsigned int at = i;

		for (; at > 0 &&
			place(sdes->order, sdes->n_order,
				line[at - 1].srtp.suite) > to;
			at--)
			line[at] = line[at - 1];
		line[at] = moving;
	}
}

/* The least tag that no line has. */
static uint32_t
free_tag(const struct sp_sdes *line, unsigned int n)
{
	uint32_t tag = 1;

	for (unsigned int i = 0; i < n; i++) {
		if (line[i].tag != tag)
			continue;
		tag++;
		i = UINT32_MAX; /* from the beginning */
	}
	return tag;
}

/* The lines of an offer as they are put together, one a suite. */
struct list {
	const struct sp_sdes_policy *sdes;
	bool srtp; /* for a realm that takes no media in the clear */
	unsigned int n;
	struct sp_sdes line[SP_SRTP_SUITES];
};

/* Add @suite with the session parameters @flags; tag 0: still to be given. */
static void
add(struct list *list, uint32_t tag, uint8_t suite, uint8_t flags)
{
	const struct sp_sdes_policy *sdes = list->sdes;

	if (sdes->without & SP_SDES_BIT(suite))
		return;
	for (unsigned int i = 0; i < list->n; i++)
		if (list->line[i].srtp.suite == suite)
			return;
	flags = (uint8_t)((flags & ~sdes->drop) | sdes->add);
	if (list->srtp)
		flags &= SP_SRTP_PLAIN_RTCP;
	if (sp_srtp_facts((enum sp_srtp_suite)suite)->aead)
		flags = 0;
	list->line[list->n++] = (struct sp_sdes){
		.tag = tag,
		.lifetime = sdes->lifetime,
		.srtp = { .suite = suite, .flags = flags },
	};
}

/* Lines for who was shown none: the offerer's suites, then ours. */
static void
compose(struct list *list, const struct sp_sdp_media *m, bool keyed)
{
	const struct sp_sdes_policy *sdes = list->sdes;
	struct sp_sdes line;
	size_t at = 0;

	while (keyed && sp_sdes_next(m, &at, &line))
		add(list, line.tag, line.srtp.suite, line.srtp.flags);
	if (at > 0)
		explicit_bzero(&line, sizeof line);
	if (!keyed || !sdes->no_new) {
		for (unsigned int i = 0; i < sdes->n_order; i++)
			add(list, 0, sdes->order[i], 0);
		for (unsigned int i = 0; i < sizeof usual; i++)
			add(list, 0, usual[i], 0);
		/* The usual ones may all be forbidden. */
		for (uint8_t s = 1; s < SP_SRTP_SUITES && list->n == 0; s++)
			add(list, 0, s, 0);
	}
	sort(sdes, list->line, list->n);
	if (list->n > SP_SDES_LINES_MAX)
		list->n = SP_SDES_LINES_MAX;
	for (unsigned int i = 0; i < list->n; i++)
		if (list->line[i].tag == 0)
			list->line[i].tag = free_tag(list->line, list->n);
}

/*
 * Add a line of before, one a suite. Of two with one tag, from offers of
 * either side, the first one keeps it.
 */
static void
again(struct sp_plan_keys *out, const struct sp_sdes *line, bool lifetime)
{
	struct sp_sdes *new = &out->line[out->count];

	for (unsigned int i = 0; i < out->count; i++)
		if (out->line[i].srtp.suite == line->srtp.suite)
			return;
	*new = *line;
	new->lifetime |= lifetime;
	for (unsigned int i = 0; i < out->count; i++)
		if (out->line[i].tag == line->tag)
			new->tag = 0;
	out->count++;
}

void
sp_negotiate_lines_show(const struct sp_sdp_media *m,
	const struct sp_sdes_policy *sdes, const struct sp_keys_before *before,
	struct sp_plan_keys *out)
{
	struct list list = { .sdes = sdes, .srtp = before->receiver_srtp };

	for (unsigned int i = 0; i < before->count; i++) {
		const struct sp_sdes *line = &before->line[i];

		if (out->count < SP_SDES_LINES_MAX &&
			!(sdes->without & SP_SDES_BIT(line->srtp.suite)) &&
			!(list.srtp && is_hollow(line)))
			again(out, line, sdes->lifetime);
	}
	for (unsigned int i = 0; i < out->count; i++)
		if (out->line[i].tag == 0)
			out->line[i].tag = free_tag(out->line, out->count);
	if (out->count > 0)
		return;
	compose(&list, m, out->from != SP_KEYING_CLEAR);
	for (; out->count < list.n; out->count++)
		out->line[out->count] = list.line[out->count];
}

/* What is wrong with @line as an answer to @shown; NULL: nothing. */
static const char *
compare(const struct sp_sdes *shown, const struct sp_sdes *line)
{
	if (shown->srtp.suite != line->srtp.suite)
		return "a=crypto has another suite than was offered under its "
		       "tag";
	if (shown->srtp.flags != line->srtp.flags)
		return "a=crypto has other session parameters than were "
		       "offered under its tag";
	return NULL;
}

const char *
sp_negotiate_lines_match(const struct sp_sdp_media *m,
	const struct sp_keys_offered *offered, struct sp_sdes *out)
{
	const char *wrong = NULL;
	struct sp_sdes line;
	size_t at = 0;

	while (out->tag == 0 && sp_sdes_next(m, &at, &line)) {
		wrong = "a=crypto has a tag that was not offered";
		/* Offers in several dialogues may give a tag two suites. */
		for (unsigned int i = 0; wrong && i < offered->n_line; i++)
			if (offered->line[i].tag == line.tag &&
				offered->line[i].srtp.n_keys > 0)
				wrong = compare(&offered->line[i], &line);
		if (is_echo(offered->own, offered->n_own, &line))
			wrong = "a=crypto has a key of the relay's own: the "
				"answerer must make one itself";
		if (!wrong)
			*out = line;
	}
	if (at > 0)
		explicit_bzero(&line, sizeof line);
	return wrong;
}

void
sp_negotiate_lines_reply(const struct sp_sdes_policy *sdes,
	const struct sp_keys_offered *offered, struct sp_plan_keys *out)
{
	const struct sp_sdes *said = offered->said;
	struct sp_sdes *line = &out->line[0];

	out->count = 1;
	*line = (struct sp_sdes){
		.srtp = {
			.suite = said->srtp.suite,
			.flags = said->srtp.flags,
			.mki_len = said->srtp.mki_len,
		},
	};
	memcpy(line->srtp.key[0].mki, said->srtp.key[0].mki, SP_SRTP_MKI_MAX);
	for (unsigned int i = 0; i < offered->n_ours; i++) {
		const struct sp_srtp_conf *ours = &offered->ours[i].srtp;

		if (ours->n_keys > 0 && ours->suite == line->srtp.suite &&
			ours->flags == line->srtp.flags &&
			ours->mki_len == line->srtp.mki_len &&
			memcmp(ours->key[0].mki, line->srtp.key[0].mki,
				SP_SRTP_MKI_MAX) == 0) {
			line->srtp = *ours;
			break;
		}
	}
	line->tag = said->tag;
	line->other_name = said->other_name;
	line->lifetime = sdes->lifetime || said->lifetime;
}
