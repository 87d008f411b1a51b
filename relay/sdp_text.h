/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SDP_TEXT_H
#define SP_RELAY_SDP_TEXT_H

#include <string.h>
#include <strings.h>

#include "relay/sdp.h"

/*
 * Cutting pieces off a borrowed text: what SDP's parsers are made of. All
 * stay within the piece they are given. Core: any.
 */

/* Is @c what separates words? */
static inline bool
sp_sdp_text_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Is @text this @name, whatever the case? */
static inline bool
sp_sdp_text_is(struct sp_sdp_text text, const char *name)
{
	return text.len == strlen(name) &&
		(text.len == 0 || strncasecmp(text.at, name, text.len) == 0);
}

/* Are these two the same, but for the case? */
static inline bool
sp_sdp_text_same(struct sp_sdp_text a, struct sp_sdp_text b)
{
	return a.len == b.len &&
		(a.len == 0 || strncasecmp(a.at, b.at, a.len) == 0);
}

/* Has @text nothing in it that ends a line or a string? */
static inline bool
sp_sdp_text_clean(struct sp_sdp_text text)
{
	return text.len == 0 ||
		(!memchr(text.at, '\n', text.len) &&
			!memchr(text.at, '\r', text.len) &&
			!memchr(text.at, '\0', text.len));
}

/* Does @text begin with @prefix, whatever the case? */
static inline bool
sp_sdp_text_starts(struct sp_sdp_text text, const char *prefix)
{
	const size_t len = strlen(prefix);

	return text.len >= len && strncasecmp(text.at, prefix, len) == 0;
}

/* Return @t without the blanks around it. */
static inline struct sp_sdp_text
sp_sdp_text_trim(struct sp_sdp_text t)
{
	while (t.len > 0 && sp_sdp_text_blank(t.at[0]))
		t = (struct sp_sdp_text){ t.at + 1, t.len - 1 };
	while (t.len > 0 && sp_sdp_text_blank(t.at[t.len - 1]))
		t.len--;
	return t;
}

/* Cut the first word off @rest and return it; empty at the end. */
static inline struct sp_sdp_text
sp_sdp_text_word(struct sp_sdp_text *rest)
{
	struct sp_sdp_text all = *rest;
	size_t n = 0;

	while (all.len > 0 && sp_sdp_text_blank(all.at[0]))
		all = (struct sp_sdp_text){ all.at + 1, all.len - 1 };
	while (n < all.len && !sp_sdp_text_blank(all.at[n]))
		n++;
	*rest = (struct sp_sdp_text){ all.at + n, all.len - n };
	while (rest->len > 0 && sp_sdp_text_blank(rest->at[0]))
		*rest = (struct sp_sdp_text){ rest->at + 1, rest->len - 1 };
	return (struct sp_sdp_text){ all.at, n };
}

/* Cut what is before @mark off @rest, and the mark; all if there is none. */
static inline struct sp_sdp_text
sp_sdp_text_before(struct sp_sdp_text *rest, char mark)
{
	const struct sp_sdp_text all = *rest;
	const char *at = all.len ? memchr(all.at, mark, all.len) : NULL;
	const size_t n = at ? (size_t)(at - all.at) : all.len;
	const size_t cut = at ? n + 1 : n;

	*rest = (struct sp_sdp_text){ all.at + cut, all.len - cut };
	return (struct sp_sdp_text){ all.at, n };
}

/* Read digits, and nothing else, as a number up to @max. */
static inline bool
sp_sdp_text_number(struct sp_sdp_text text, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.at[i] - '0');
		if (value > max)
			return false;
	}
	if (text.len > 0)
		*out = (uint32_t)value;
	return text.len > 0;
}

#endif
