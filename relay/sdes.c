/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/sdes.h"

#include <assert.h>
#include <string.h>

#include "relay/sdp_text.h"

#define LIFETIME_BITS 48u    /* RFC 3711: no key protects more packets */
#define MKI_GRAMMAR_MAX 128u /* bytes that the grammar has for an MKI */
#define KDR_MAX 24u
#define WINDOW_MIN 64u
#define DIGITS_MAX 40u /* of a number of SP_SRTP_MKI_MAX bytes */
#define LIFETIME "|2^31"

/* A line on its way in. */
struct reading {
	struct sp_sdes line;
	bool unsupported; /* its grammar is right; but not for us */
};

static const struct {
	char name[24];
	uint8_t flag;
} flags[] = {
	{ "UNENCRYPTED_SRTP", SP_SRTP_PLAIN_RTP },
	{ "UNENCRYPTED_SRTCP", SP_SRTP_PLAIN_RTCP },
	{ "UNAUTHENTICATED_SRTP", SP_SRTP_NO_AUTH },
};

/* What some phones call the suites of 256 bits; RFC 6188 has it otherwise. */
static const struct {
	char name[24];
	uint8_t suite;
} others[] = {
	{ "AES_CM_256_HMAC_SHA1_80", SP_SRTP_AES_CM_256_80 },
	{ "AES_CM_256_HMAC_SHA1_32", SP_SRTP_AES_CM_256_32 },
};

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

/*
 * Cut what is before @mark off @rest, and the mark. False: there is no more;
 * behind a mark there is, even if it is empty.
 */
static bool
next_part(struct sp_sdp_text *rest, char mark, struct sp_sdp_text *out)
{
	const struct sp_sdp_text all = *rest;

	if (!all.at)
		return false;
	*out = sp_sdp_text_before(rest, mark);
	if (out->len == all.len)
		rest->at = NULL;
	return true;
}

/* What RFC 4568 calls a suite or a key method. */
static bool
is_name(struct sp_sdp_text text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.at[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
			!(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return text.len > 0;
}

static bool
is_visible(struct sp_sdp_text text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~')
			return false;
	return text.len > 0;
}

static void
read_suite(struct reading *r, struct sp_sdp_text text)
{
	struct sp_sdes *line = &r->line;

	line->srtp.suite = (uint8_t)sp_srtp_suite(text.at, text.len);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (!sp_sdp_text_is(text, others[i].name))
			continue;
		line->srtp.suite = others[i].suite;
		line->other_name = true;
	}
}

static bool
read_tag(struct reading *r, struct sp_sdp_text text)
{
	return text.len > 0 && text.at[0] != '0' &&
		sp_sdp_text_number(text, SP_SDES_TAG_MAX, &r->line.tag);
}

static int
sextet(char c)
{
	const char *at = c ? strchr(base64, c) : NULL;

	return at ? (int)(at - base64) : -1;
}

/* Base64 of exactly @len bytes; the padding may be missing. */
static bool
decode(struct sp_sdp_text text, uint8_t *out, size_t len)
{
	const size_t digits = (len * 8 + 5) / 6;
	uint32_t bits = 0, held = 0;

	if (text.len < digits || text.len > (len + 2) / 3 * 4)
		return false;
	for (size_t i = 0; i < digits; i++) {
		const int six = sextet(text.at[i]);

		if (six < 0)
			return false;
		bits = bits << 6 | (uint32_t)six;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		*out++ = (uint8_t)(bits >> held);
	}
	for (size_t i = digits; i < text.len; i++)
		if (text.at[i] != '=')
			return false;
	return true;
}

/* "2^31", or a decimal number; no key lives longer than RFC 3711 lets it. */
static bool
is_lifetime(struct sp_sdp_text text)
{
	uint64_t packets = 0;
	uint32_t bits;

	if (sp_sdp_text_starts(text, "2^")) {
		text = (struct sp_sdp_text){ text.at + 2, text.len - 2 };
		return sp_sdp_text_number(text, LIFETIME_BITS, &bits);
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		packets = packets * 10 + (uint64_t)(text.at[i] - '0');
		if (packets >> LIFETIME_BITS > 0 &&
			packets != UINT64_C(1) << LIFETIME_BITS)
			return false;
	}
	return packets > 0;
}

static bool
is_number(struct sp_sdp_text text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	return text.len > 0;
}

/*
 * A decimal number as @len bytes, the highest first. Of zeros before it there
 * are no more than the largest has digits: they would cost time for nothing.
 */
static bool
read_number(struct sp_sdp_text text, uint8_t *out, size_t len)
{
	if (!is_number(text) || text.len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned int carry = (unsigned int)(text.at[i] - '0');

		for (size_t at = len; at-- > 0;) {
			carry += out[at] * 10u;
			out[at] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry > 0)
			return false; /* it needs more bytes */
	}
	return true;
}

/* "VALUE:LENGTH"; all keys of a line have one of the same length, or none. */
static bool
read_mki(struct reading *r, struct sp_sdp_text text, struct sp_srtp_key *key)
{
	const struct sp_sdp_text value = sp_sdp_text_before(&text, ':');
	struct sp_srtp_conf *srtp = &r->line.srtp;
	uint32_t len = 0;

	if (!sp_sdp_text_number(text, MKI_GRAMMAR_MAX, &len) || len == 0)
		return false;
	if (srtp->n_keys > 0 && srtp->mki_len != len)
		return false;
	srtp->mki_len = (uint8_t)len;
	if (len > SP_SRTP_MKI_MAX) {
		r->unsupported = true;
		return is_number(value);
	}
	return read_number(value, key->mki, len);
}

/* KEY[|lifetime][|MKI:length]; of the last two only MKIs have a colon. */
static bool
read_inline(struct reading *r, struct sp_sdp_text info)
{
	struct sp_srtp_conf *srtp = &r->line.srtp;
	const struct sp_srtp_facts *facts =
		sp_srtp_facts((enum sp_srtp_suite)srtp->suite);
	struct sp_srtp_key *key = &srtp->key[srtp->n_keys];
	struct sp_sdp_text part;
	bool mki = false;

	if (!next_part(&info, '|', &part) ||
		!decode(part, key->key, facts->key_len + facts->salt_len))
		return false;
	while (next_part(&info, '|', &part)) {
		const bool colon = part.len && memchr(part.at, ':', part.len);

		if (mki || (!colon && r->line.lifetime))
			return false;
		if (colon && !read_mki(r, part, key))
			return false;
		if (!colon && !is_lifetime(part))
			return false;
		mki = colon;
		r->line.lifetime |= !colon;
	}
	return mki || srtp->mki_len == 0;
}

/* Is no other key of the line known by the MKI of the last one? */
static bool
is_unique(const struct sp_srtp_conf *srtp)
{
	const unsigned int last = srtp->n_keys - 1u;

	for (unsigned int i = 0; i < last; i++)
		if (memcmp(srtp->key[i].mki, srtp->key[last].mki,
			    sizeof srtp->key[i].mki) == 0)
			return false;
	return true;
}

/* One "method:info" of those that a semicolon separates. */
static bool
read_key(struct reading *r, struct sp_sdp_text info)
{
	const struct sp_sdp_text method = sp_sdp_text_before(&info, ':');
	struct sp_srtp_conf *srtp = &r->line.srtp;
	bool lifetime = r->line.lifetime;

	if (!is_name(method) || !is_visible(info))
		return false;
	if (srtp->suite == SP_SRTP_NONE || srtp->n_keys == SP_SRTP_KEYS_MAX ||
		!sp_sdp_text_is(method, "inline"))
		r->unsupported = true;
	if (r->unsupported)
		return true;
	r->line.lifetime = false; /* of this key, for now */
	if (!read_inline(r, info))
		return false;
	r->line.lifetime |= lifetime;
	srtp->n_keys++;
	return is_unique(srtp);
}

static bool
read_keys(struct reading *r, struct sp_sdp_text keys)
{
	struct sp_sdp_text key;

	while (next_part(&keys, ';', &key))
		if (!read_key(r, key))
			return false;
	return true;
}

/*
 * A session parameter. Which order FEC has is of interest only to who does
 * it; the other order than the default we would have to know of packets that
 * we relay. The window is advice about ours.
 */
static bool
read_parameter(struct reading *r, struct sp_sdp_text text)
{
	struct sp_sdp_text value = text;
	const struct sp_sdp_text name = sp_sdp_text_before(&value, '=');
	uint32_t number = 0;

	if (!is_visible(text))
		return false;
	if (text.at[0] == '-') /* may be ignored by who does not know it */
		return text.len > 1 && text.at[1] != '-';
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (!sp_sdp_text_is(text, flags[i].name))
			continue;
		r->line.srtp.flags |= flags[i].flag;
		return true;
	}
	if (sp_sdp_text_is(name, "WSH"))
		return value.len >= 2 &&
			sp_sdp_text_number(value, UINT32_MAX, &number) &&
			number >= WINDOW_MIN;
	if (sp_sdp_text_is(name, "FEC_ORDER") &&
		sp_sdp_text_is(value, "FEC_SRTP"))
		return true;
	r->unsupported = true; /* others */
	if (sp_sdp_text_is(name, "KDR"))
		return value.len <= 2 &&
			sp_sdp_text_number(value, KDR_MAX, &number);
	return !sp_sdp_text_is(name, "FEC_ORDER") ||
		sp_sdp_text_is(value, "SRTP_FEC");
}

enum sp_status
sp_sdes_parse(struct sp_sdp_text value, struct sp_sdes *out)
{
	struct sp_sdp_text rest = sp_sdp_text_trim(value);
	const struct sp_sdp_text tag = sp_sdp_text_word(&rest);
	const struct sp_sdp_text suite = sp_sdp_text_word(&rest);
	const struct sp_sdp_text keys = sp_sdp_text_word(&rest);
	struct reading r = { .unsupported = false };
	bool fine = read_tag(&r, tag) && is_name(suite) && keys.len > 0;
	enum sp_status status = SP_MALFORMED;

	if (fine) {
		read_suite(&r, suite);
		fine = read_keys(&r, keys);
	}
	while (fine && rest.len > 0)
		fine = read_parameter(&r, sp_sdp_text_word(&rest));
	/* An AEAD cannot leave one half of its work out (RFC 7714). */
	if (r.line.srtp.flags && sp_srtp_facts(r.line.srtp.suite)->aead)
		r.unsupported = true;
	if (fine)
		status = r.unsupported ? SP_UNSUPPORTED : SP_OK;
	if (status == SP_OK)
		*out = r.line;
	explicit_bzero(&r, sizeof r);
	return status;
}

static char *
put(char *to, const char *text)
{
	const size_t len = strlen(text);

	memcpy(to, text, len);
	return to + len;
}

static char *
put_base64(char *to, const uint8_t *from, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		const size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)from[i] << 16;

		if (n > 1)
			bits |= (uint32_t)from[i + 1] << 8;
		if (n > 2)
			bits |= from[i + 2];
		*to++ = base64[bits >> 18];
		*to++ = base64[bits >> 12 & 63];
		*to++ = n > 1 ? base64[bits >> 6 & 63] : '=';
		*to++ = n > 2 ? base64[bits & 63] : '=';
	}
	return to;
}

/* A number of @len bytes, the highest first, in decimal. */
static char *
put_number(char *to, const uint8_t *from, size_t len)
{
	uint8_t left[SP_SRTP_MKI_MAX];
	char digits[DIGITS_MAX];
	size_t at = sizeof digits;
	bool more = true;

	memcpy(left, from, len);
	while (more) {
		unsigned int rest = 0;

		more = false;
		for (size_t i = 0; i < len; i++) {
			rest = rest << 8 | left[i];
			left[i] = (uint8_t)(rest / 10);
			rest %= 10;
			more |= left[i] > 0;
		}
		digits[--at] = (char)('0' + rest);
	}
	memcpy(to, digits + at, sizeof digits - at);
	return to + (sizeof digits - at);
}

static char *
put_small(char *to, uint32_t number)
{
	const uint8_t bytes[] = {
		(uint8_t)(number >> 24),
		(uint8_t)(number >> 16),
		(uint8_t)(number >> 8),
		(uint8_t)number,
	};

	return put_number(to, bytes, sizeof bytes);
}

static char *
put_key(char *to, const struct sp_sdes *line, unsigned int i)
{
	const struct sp_srtp_conf *srtp = &line->srtp;
	const struct sp_srtp_facts *facts =
		sp_srtp_facts((enum sp_srtp_suite)srtp->suite);

	to = put(to, i == 0 ? " inline:" : ";inline:");
	to = put_base64(to, srtp->key[i].key, facts->key_len + facts->salt_len);
	if (line->lifetime)
		to = put(to, LIFETIME);
	if (srtp->mki_len == 0)
		return to;
	*to++ = '|';
	to = put_number(to, srtp->key[i].mki, srtp->mki_len);
	*to++ = ':';
	return put_small(to, srtp->mki_len);
}

static const char *
name_of(const struct sp_sdes *line)
{
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (line->other_name && others[i].suite == line->srtp.suite)
			return others[i].name;
	return sp_srtp_facts((enum sp_srtp_suite)line->srtp.suite)->name;
}

size_t
sp_sdes_write(const struct sp_sdes *line, char *buf)
{
	const struct sp_srtp_conf *srtp = &line->srtp;
	char *to = put_small(buf, line->tag);

	assert(srtp->suite != SP_SRTP_NONE && srtp->n_keys > 0);
	assert(srtp->mki_len <= SP_SRTP_MKI_MAX);
	*to++ = ' ';
	to = put(to, name_of(line));
	for (unsigned int i = 0; i < srtp->n_keys; i++)
		to = put_key(to, line, i);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (!(srtp->flags & flags[i].flag))
			continue;
		*to++ = ' ';
		to = put(to, flags[i].name);
	}
	assert((size_t)(to - buf) <= SP_SDES_TEXT_MAX);
	return (size_t)(to - buf);
}

bool
sp_sdes_next(const struct sp_sdp_media *m, size_t *at, struct sp_sdes *out)
{
	struct sp_cursor c = sp_sdp_cursor(m->section);
	struct sp_sdp_line line;

	if (!(m->attrs >> SP_SDP_ATTR_CRYPTO & 1))
		return false;
	sp_cursor_take(&c, *at);
	while (sp_sdp_next_line(&c, &line)) {
		if (line.attr != SP_SDP_ATTR_CRYPTO ||
			sp_sdes_parse(line.value, out) != SP_OK)
			continue;
		*at = m->section.len - sp_cursor_left(&c);
		return true;
	}
	*at = m->section.len;
	return false;
}
