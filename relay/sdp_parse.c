/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/sdp.h"

#include <string.h>

#include "relay/sdp_parser.h"
#include "relay/sdp_text.h"

/* From line to line: sections, limits, and what one inherits. */

/* RFC 8866 wants these; without them the body was most likely cut off. */
static enum sp_status
check_session(struct sp_sdp_parser *p)
{
	if (!(p->letters & 1u << ('o' - 'a')))
		return sp_sdp_parser_refuse(
			p, SP_MALFORMED, "the session has no o= line");
	if (!(p->letters & 1u << ('t' - 'a')))
		return sp_sdp_parser_refuse(p, SP_MALFORMED,
			"the session has no t= line: was the SDP cut off?");
	return SP_OK;
}

/* Keys of a kind that the session may have for all its m= lines. */
static bool
has_other_keys(uint32_t attrs)
{
	return attrs &
		(1u << SP_SDP_ATTR_FINGERPRINT | 1u << SP_SDP_ATTR_ZRTP_HASH |
			1u << SP_SDP_ATTR_KEY_MGMT);
}

/* The section that ends here is complete: what does it inherit? */
static enum sp_status
close_section(struct sp_sdp_parser *p, const char *end)
{
	struct sp_sdp *sdp = p->sdp;
	struct sp_sdp_media *m = p->media;
	const uint16_t port = m ? m->addr.port : 0;

	if (!m) {
		sdp->session.len = (size_t)(end - sdp->session.at);
		return check_session(p);
	}
	m->section.len = (size_t)(end - m->section.at);
	if (m->addr.family == SP_FAMILY_NONE)
		m->addr = sdp->addr;
	if (m->addr.family == SP_FAMILY_NONE && port > 0) {
		p->error.line = m->line;
		return sp_sdp_parser_refuse(p, SP_MALFORMED,
			"m= has no c=, nor has the session: add one");
	}
	m->addr.port = port;
	m->other_keys = has_other_keys(m->attrs | sdp->attrs);
	/*
	 * Keys may come with a plain protocol too (RFC 8643, 6189): whether
	 * they are taken we can't tell, and what is encrypted then looks
	 * malformed to us. a=crypto is no attribute of sessions (RFC 4568).
	 */
	m->secure |= m->other_keys || m->attrs >> SP_SDP_ATTR_CRYPTO & 1;
	return SP_OK;
}

/* Begin with another m= line. */
static enum sp_status
read_media(struct sp_sdp_parser *p, const struct sp_sdp_line *line)
{
	p->error.media++;
	if (p->sdp->media_count == SP_SDP_MEDIA_MAX)
		return sp_sdp_parser_refuse(
			p, SP_TOO_LONG, "more than 32 m= lines");
	p->media = &p->sdp->media[p->sdp->media_count++];
	p->letters = p->attrs = p->candidates = p->cryptos = 0;
	p->first_format = SP_SDP_NO_FORMAT;
	*p->media = (struct sp_sdp_media){
		.section = line->all,
		.line = p->error.line,
		.kind = SP_MEDIA_OTHER,
		.direction = p->sdp->direction,
	};
	return sp_sdp_value_media(p, line->value);
}

static enum sp_status
read_attribute(struct sp_sdp_parser *p, const struct sp_sdp_line *line)
{
	if (++p->attrs > SP_SDP_ATTR_MAX)
		return sp_sdp_parser_refuse(p, SP_TOO_LONG,
			"more than 256 attributes in one section");
	p->candidates += line->attr == SP_SDP_ATTR_CANDIDATE;
	p->cryptos += line->attr == SP_SDP_ATTR_CRYPTO;
	if (p->candidates > SP_SDP_CANDIDATE_MAX)
		return sp_sdp_parser_refuse(
			p, SP_TOO_LONG, "more than 64 candidates");
	if (p->cryptos > SP_SDP_CRYPTO_MAX)
		return sp_sdp_parser_refuse(
			p, SP_TOO_LONG, "more than 16 a=crypto lines");
	*(p->media ? &p->media->attrs : &p->sdp->attrs) |= 1u << line->attr;
	sp_sdp_value_attribute(p, line);
	return SP_OK;
}

/* Parsers that differ on a line's end see different addresses: refuse. */
static enum sp_status
check_line(struct sp_sdp_parser *p, const struct sp_sdp_line *line)
{
	const char *end = line->all.at + line->all.len;
	const char *cr = memchr(line->all.at, '\r', line->all.len);
	uint32_t letter;

	if (memchr(line->all.at, '\0', line->all.len))
		return sp_sdp_parser_refuse(
			p, SP_MALFORMED, "a NUL byte in the SDP");
	if (line->type == 0)
		return sp_sdp_parser_refuse(p, SP_MALFORMED,
			"line is not a lower-case letter, \"=\" and a value");
	if (cr && cr + 1 < end && cr[1] != '\n')
		return sp_sdp_parser_refuse(
			p, SP_MALFORMED, "a carriage return inside the line");
	if (p->error.line == 1 &&
		(line->type != 'v' || !sp_sdp_text_is(line->value, "0")))
		return sp_sdp_parser_refuse(p, SP_MALFORMED,
			"SDP does not begin with the line v=0");
	letter = 1u << (line->type - 'a');
	if (line->type == 'v' && p->error.line > 1)
		return sp_sdp_parser_refuse(
			p, SP_MALFORMED, "a second v= line");
	if (p->letters & letter && memchr("osc", line->type, 3))
		return sp_sdp_parser_refuse(p, SP_MALFORMED,
			"a second o=, s= or c= line in one section");
	p->letters |= letter;
	return SP_OK;
}

static enum sp_status
read_line(struct sp_sdp_parser *p, const struct sp_sdp_line *line)
{
	enum sp_status status = check_line(p, line);

	if (status != SP_OK)
		return status;
	switch (line->type) {
	case 'o':
		return sp_sdp_value_origin(p, line->value);
	case 's':
		if (!p->media)
			p->sdp->name = line->value;
		return SP_OK;
	case 'c':
		return sp_sdp_value_connection(p, line->value);
	case 'a':
		return read_attribute(p, line);
	case 'm':
		status = close_section(p, line->all.at);
		return status == SP_OK ? read_media(p, line) : status;
	default:
		return SP_OK;
	}
}

/* Nothing but line ends from @line on? Then the body ended before it. */
static bool
only_empty(const struct sp_sdp_line *line, struct sp_cursor rest)
{
	struct sp_sdp_line next = *line;

	do {
		if (next.value.len > 0)
			return false;
	} while (sp_sdp_next_line(&rest, &next));
	return true;
}

enum sp_status
sp_sdp_parse(const char *body, size_t len, struct sp_sdp_error *error,
	struct sp_sdp *out)
{
	struct sp_sdp sdp;
	struct sp_sdp_parser p = { .sdp = &sdp };
	struct sp_cursor c = sp_cursor((const uint8_t *)body, len);
	struct sp_sdp_line line;
	enum sp_status status = SP_OK;
	const char *end = body;

	/* The m= lines are cleared one by one, as they come. */
	memset(&sdp, 0, offsetof(struct sp_sdp, media));
	sdp.session.at = sdp.body.at = body;
	sdp.direction = SP_SDP_SENDRECV;

	if (len > SP_SDP_MAX)
		status = sp_sdp_parser_refuse(
			&p, SP_TOO_LONG, "SDP is over 64 KiB");
	while (status == SP_OK && sp_sdp_next_line(&c, &line)) {
		if (line.value.len == 0 && line.type == 0 && p.error.line > 0 &&
			only_empty(&line, c))
			break;
		p.error.line++;
		status = read_line(&p, &line);
		end = line.all.at + line.all.len;
	}
	if (status == SP_OK && p.error.line == 0)
		status = sp_sdp_parser_refuse(&p, SP_MALFORMED, "SDP is empty");
	if (status == SP_OK)
		status = close_section(&p, end);
	if (status != SP_OK) {
		*error = p.error;
		return status;
	}

	sdp.body.len = (size_t)(end - body);
	end = memchr(body, '\n', len);
	sdp.crlf = !end || (end > body && end[-1] == '\r');
	memcpy(out, &sdp,
		offsetof(struct sp_sdp, media) +
			sdp.media_count * sizeof sdp.media[0]);
	return SP_OK;
}
