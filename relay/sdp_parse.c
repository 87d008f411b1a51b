/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/sdp.h"

#include <string.h>

#include "relay/sdp_codec.h"
#include "relay/sdp_text.h"

#define NO_FORMAT 255 /* no payload type yet */

/* Where the parser stands. */
struct parser {
	struct sp_sdp *sdp;
	struct sp_sdp_media *media; /* NULL while in the session part */
	struct sp_sdp_error error;  /* line and media follow along */
	uint32_t letters;           /* lines seen in this section, a bit each */
	uint32_t attrs;             /* a= lines of this section */
	uint32_t candidates;
	uint32_t cryptos;
	uint8_t first_format; /* of this m= line */
};

/* clang-format off */
/* Names of enum sp_transport. */
static const char *const transports[SP_TRANSPORT_OTHER] = {
	[SP_TRANSPORT_RTP_AVP]    = "RTP/AVP",
	[SP_TRANSPORT_RTP_AVPF]   = "RTP/AVPF",
	[SP_TRANSPORT_RTP_SAVP]   = "RTP/SAVP",
	[SP_TRANSPORT_RTP_SAVPF]  = "RTP/SAVPF",
	[SP_TRANSPORT_DTLS_SAVP]  = "UDP/TLS/RTP/SAVP",
	[SP_TRANSPORT_DTLS_SAVPF] = "UDP/TLS/RTP/SAVPF",
};

/* The longer prefix first. */
static const struct {
	char prefix[16];
	uint8_t kind;
	bool secure;
} protocols[] = {
	{ "RTP/SAVP",     SP_MEDIA_RTP,  true },
	{ "RTP/",         SP_MEDIA_RTP,  false },
	{ "UDP/TLS/RTP/", SP_MEDIA_RTP,  true },
	{ "UDP/TLS",      SP_MEDIA_DATA, true },
	{ "UDP/DTLS",     SP_MEDIA_DATA, true },
	{ "DTLS/",        SP_MEDIA_DATA, true },
	{ "UDP",          SP_MEDIA_DATA, false }, /* udptl, UDP/BFCP */
};

/* The codecs whose silence is known, with their static payload types. */
static const struct {
	char name[8];
	uint8_t pt;
} quiet[SP_QUIET_CODECS] = {
	[SP_QUIET_PCMU] = { "PCMU", 0 },
	[SP_QUIET_PCMA] = { "PCMA", 8 },
	[SP_QUIET_G722] = { "G722", 9 },
};
/* clang-format on */

const char *
sp_sdp_transport(enum sp_transport transport)
{
	return transport < SP_TRANSPORT_OTHER ? transports[transport] : NULL;
}

static enum sp_status
refuse(struct parser *p, enum sp_status status, const char *reason)
{
	p->error.reason = reason;
	return status;
}

/* "IN IP4 192.0.2.1", as c= and a=rtcp have it. */
static enum sp_status
read_address(struct parser *p, struct sp_sdp_text text, struct sp_addr *out)
{
	const struct sp_sdp_text net = sp_sdp_text_word(&text);
	const struct sp_sdp_text family = sp_sdp_text_word(&text);
	const struct sp_sdp_text host = sp_sdp_text_word(&text);
	struct sp_addr addr;

	if (!sp_sdp_text_is(net, "IN") || host.len == 0 || text.len > 0)
		return refuse(p, SP_MALFORMED,
			"address is not \"IN IP4 address\" or "
			"\"IN IP6 address\"");
	if (memchr(host.at, '/', host.len))
		return refuse(p, SP_UNSUPPORTED,
			"address has a multicast TTL or count: "
			"send one unicast address");
	if (sp_addr_parse(host.at, host.len, &addr) != SP_OK)
		return refuse(p, SP_MALFORMED,
			"not an IP address: host names are not resolved");
	if (!sp_sdp_text_is(
		    family, addr.family == SP_FAMILY_IP4 ? "IP4" : "IP6"))
		return refuse(p, SP_MALFORMED,
			"address is not of the family (IP4, IP6) before it");
	*out = addr;
	return SP_OK;
}

/* Cut the last word off @rest, which has no blanks at its end. */
static struct sp_sdp_text
last_word(struct sp_sdp_text *rest)
{
	size_t at = rest->len;
	struct sp_sdp_text word;

	while (at > 0 && !sp_sdp_text_blank(rest->at[at - 1]))
		at--;
	word = (struct sp_sdp_text){ rest->at + at, rest->len - at };
	*rest = sp_sdp_text_trim((struct sp_sdp_text){ rest->at, at });
	return word;
}

/* Some phones have blanks in the user name: what counts is at the end. */
static enum sp_status
read_origin(struct parser *p, struct sp_sdp_text value)
{
	struct sp_sdp_text rest = value, id;

	if (p->media)
		return refuse(p, SP_MALFORMED,
			"o= after the first m=: it belongs to the session");
	for (int i = 0; i < 3; i++) /* address, family, net */
		last_word(&rest);
	p->sdp->origin = rest;
	p->sdp->version = last_word(&rest);
	id = last_word(&rest);
	p->sdp->username = rest;
	if (rest.len == 0 || id.len == 0)
		return refuse(p, SP_MALFORMED,
			"o= needs six fields: user, id, version, IN, "
			"IP4 or IP6, address");
	return SP_OK;
}

static enum sp_status
read_formats(struct parser *p, struct sp_sdp_media *m)
{
	struct sp_sdp_text rest = m->formats;
	uint32_t pt;

	if (rest.len == 0 && m->addr.port > 0)
		return refuse(p, SP_MALFORMED, "m= lists no formats");
	if (m->kind != SP_MEDIA_RTP)
		return SP_OK;
	while (rest.len > 0) {
		if (!sp_sdp_text_number(sp_sdp_text_word(&rest),
			    SP_SDP_PAYLOAD_TYPES - 1, &pt))
			return refuse(p, SP_MALFORMED,
				"m= has an RTP payload type that is not a "
				"number from 0 to 127");
		m->payload_types[pt / 64] |= UINT64_C(1) << pt % 64;
		for (size_t i = 0; i < SP_QUIET_CODECS; i++)
			if (pt == quiet[i].pt)
				m->quiet[i] = quiet[i].pt;
		if (p->first_format != NO_FORMAT)
			continue;
		p->first_format = (uint8_t)pt;
		m->clock_hz = sp_sdp_codec_clock_hz(pt);
	}
	return SP_OK;
}

/* RFC 8866 wants these; without them the body was most likely cut off. */
static enum sp_status
check_session(struct parser *p)
{
	if (!(p->letters & 1u << ('o' - 'a')))
		return refuse(p, SP_MALFORMED, "the session has no o= line");
	if (!(p->letters & 1u << ('t' - 'a')))
		return refuse(p, SP_MALFORMED,
			"the session has no t= line: was the SDP cut off?");
	return SP_OK;
}

/*
 * Keys may come with a plain protocol too (RFC 8643, 6189): whether they are
 * taken we can't tell, and what is encrypted then looks malformed to us.
 */
static bool
offers_keys(uint32_t attrs)
{
	return attrs &
		(1u << SP_SDP_ATTR_CRYPTO | 1u << SP_SDP_ATTR_FINGERPRINT |
			1u << SP_SDP_ATTR_ZRTP_HASH);
}

/* The section that ends here is complete: what does it inherit? */
static enum sp_status
close_section(struct parser *p, const char *end)
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
		return refuse(p, SP_MALFORMED,
			"m= has no c=, nor has the session: add one");
	}
	m->addr.port = port;
	m->secure |= offers_keys(m->attrs | sdp->attrs);
	return SP_OK;
}

static void
find_protocol(struct sp_sdp_media *m)
{
	m->transport = SP_TRANSPORT_ANY + 1;
	while (m->transport < SP_TRANSPORT_OTHER &&
		!sp_sdp_text_is(m->proto, transports[m->transport]))
		m->transport++;
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		if (!sp_sdp_text_starts(m->proto, protocols[i].prefix))
			continue;
		m->kind = protocols[i].kind;
		m->secure = protocols[i].secure;
		break;
	}
}

static enum sp_status
read_media(struct parser *p, const struct sp_sdp_line *line)
{
	struct sp_sdp_text rest = line->value;
	struct sp_sdp_text count;
	struct sp_sdp_media *m;
	uint32_t port, ports = 1;

	p->error.media++;
	if (p->sdp->media_count == SP_SDP_MEDIA_MAX)
		return refuse(p, SP_TOO_LONG, "more than 32 m= lines");
	m = p->media = &p->sdp->media[p->sdp->media_count++];
	p->letters = p->attrs = p->candidates = p->cryptos = 0;
	p->first_format = NO_FORMAT;
	*m = (struct sp_sdp_media){
		.section = line->all,
		.line = p->error.line,
		.kind = SP_MEDIA_OTHER,
		.direction = p->sdp->direction,
	};
	memset(m->quiet, SP_QUIET_NONE, sizeof m->quiet);

	m->type = sp_sdp_text_word(&rest);
	count = sp_sdp_text_word(&rest);
	m->proto = sp_sdp_text_word(&rest);
	m->formats = rest;
	if (!sp_sdp_text_number(
		    sp_sdp_text_before(&count, '/'), UINT16_MAX, &port))
		return refuse(p, SP_MALFORMED,
			"m= port is not a number from 0 to 65535");
	if (count.len > 0 && !sp_sdp_text_number(count, UINT16_MAX, &ports))
		return refuse(p, SP_MALFORMED, "m= port count is not a number");
	if (ports != 1)
		return refuse(p, SP_UNSUPPORTED,
			"m= asks for several ports: send one m= for each");
	if (m->proto.len == 0)
		return refuse(p, SP_MALFORMED, "m= has no protocol");
	find_protocol(m);
	m->addr.port = (uint16_t)port;
	return read_formats(p, m);
}

static enum sp_status
read_connection(struct parser *p, struct sp_sdp_text value)
{
	struct sp_addr addr;
	const enum sp_status status = read_address(p, value, &addr);

	if (status != SP_OK)
		return status;
	if (!p->media) {
		p->sdp->connection = value;
		p->sdp->addr = addr;
		return SP_OK;
	}
	addr.port = p->media->addr.port;
	p->media->connection = value;
	p->media->addr = addr;
	return SP_OK;
}

/*
 * The line is written anew in any case (RFC 3605), so what cannot be read of
 * it, a host name say, is as if it were not there.
 */
static void
read_rtcp(struct parser *p, struct sp_sdp_text value)
{
	struct sp_sdp_media *m = p->media;
	struct sp_addr addr = { .family = SP_FAMILY_NONE };
	uint32_t port;

	if (!sp_sdp_text_number(sp_sdp_text_word(&value), UINT16_MAX, &port)) {
		m->attrs &= ~(1u << SP_SDP_ATTR_RTCP);
		return;
	}
	(void)read_address(p, value, &addr); /* none: where c= says */
	addr.port = (uint16_t)port;
	m->rtcp = addr;
}

/* Not ours to judge: a broken one leaves as it came and tells us nothing. */
static void
read_rtpmap(struct parser *p, struct sp_sdp_text value)
{
	struct sp_sdp_media *m = p->media;
	const struct sp_sdp_text format = sp_sdp_text_word(&value);
	const struct sp_sdp_text name = sp_sdp_text_before(&value, '/');
	uint32_t pt, clock_hz;

	if (!sp_sdp_text_number(format, SP_SDP_PAYLOAD_TYPES - 1, &pt) ||
		!(m->payload_types[pt / 64] >> pt % 64 & 1))
		return;
	if (pt == p->first_format &&
		sp_sdp_text_number(
			sp_sdp_text_before(&value, '/'), UINT32_MAX, &clock_hz))
		m->clock_hz = clock_hz;
	if (sp_sdp_text_is(name, "telephone-event"))
		m->dtmf_types |= UINT64_C(1) << pt % 64;
	for (size_t i = 0; i < SP_QUIET_CODECS; i++) {
		const bool is = sp_sdp_text_is(name, quiet[i].name);

		if (is && m->quiet[i] == SP_QUIET_NONE)
			m->quiet[i] = (uint8_t)pt;
		else if (!is && m->quiet[i] == pt) /* a static number's */
			m->quiet[i] = SP_QUIET_NONE;
	}
}

/* What an attribute of the session, or else of an m= line, tells. */
static void
keep_attribute(struct parser *p, const struct sp_sdp_line *line)
{
	struct sp_sdp_media *m = p->media;
	uint32_t ptime_ms;

	if (line->attr == SP_SDP_ATTR_DIRECTION)
		*(m ? &m->direction : &p->sdp->direction) = line->direction;
	else if (line->attr == SP_SDP_ATTR_LOOP && !m && !p->sdp->loop.len)
		p->sdp->loop = line->value;
	if (!m)
		return;
	switch (line->attr) {
	case SP_SDP_ATTR_RTCP:
		read_rtcp(p, line->value);
		break;
	case SP_SDP_ATTR_RTPMAP:
		read_rtpmap(p, line->value);
		break;
	case SP_SDP_ATTR_MID:
		m->mid = line->value;
		break;
	case SP_SDP_ATTR_PTIME: /* of several, the last one leaves */
		m->ptime_ms = 0;
		if (sp_sdp_text_number(line->value, UINT16_MAX, &ptime_ms))
			m->ptime_ms = (uint16_t)ptime_ms;
		break;
	default:
		break;
	}
}

static enum sp_status
read_attribute(struct parser *p, const struct sp_sdp_line *line)
{
	if (++p->attrs > SP_SDP_ATTR_MAX)
		return refuse(p, SP_TOO_LONG,
			"more than 256 attributes in one section");
	p->candidates += line->attr == SP_SDP_ATTR_CANDIDATE;
	p->cryptos += line->attr == SP_SDP_ATTR_CRYPTO;
	if (p->candidates > SP_SDP_CANDIDATE_MAX)
		return refuse(p, SP_TOO_LONG, "more than 64 candidates");
	if (p->cryptos > SP_SDP_CRYPTO_MAX)
		return refuse(p, SP_TOO_LONG, "more than 16 a=crypto lines");
	*(p->media ? &p->media->attrs : &p->sdp->attrs) |= 1u << line->attr;
	keep_attribute(p, line);
	return SP_OK;
}

/* Parsers that differ on a line's end see different addresses: refuse. */
static enum sp_status
check_line(struct parser *p, const struct sp_sdp_line *line)
{
	const char *end = line->all.at + line->all.len;
	const char *cr = memchr(line->all.at, '\r', line->all.len);
	uint32_t letter;

	if (memchr(line->all.at, '\0', line->all.len))
		return refuse(p, SP_MALFORMED, "a NUL byte in the SDP");
	if (line->type == 0)
		return refuse(p, SP_MALFORMED,
			"line is not a lower-case letter, \"=\" and a value");
	if (cr && cr + 1 < end && cr[1] != '\n')
		return refuse(
			p, SP_MALFORMED, "a carriage return inside the line");
	if (p->error.line == 1 &&
		(line->type != 'v' || !sp_sdp_text_is(line->value, "0")))
		return refuse(p, SP_MALFORMED,
			"SDP does not begin with the line v=0");
	letter = 1u << (line->type - 'a');
	if (line->type == 'v' && p->error.line > 1)
		return refuse(p, SP_MALFORMED, "a second v= line");
	if (p->letters & letter && memchr("osc", line->type, 3))
		return refuse(p, SP_MALFORMED,
			"a second o=, s= or c= line in one section");
	p->letters |= letter;
	return SP_OK;
}

static enum sp_status
read_line(struct parser *p, const struct sp_sdp_line *line)
{
	enum sp_status status = check_line(p, line);

	if (status != SP_OK)
		return status;
	switch (line->type) {
	case 'o':
		return read_origin(p, line->value);
	case 's':
		if (!p->media)
			p->sdp->name = line->value;
		return SP_OK;
	case 'c':
		return read_connection(p, line->value);
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
	struct parser p = { .sdp = &sdp };
	struct sp_cursor c = sp_cursor((const uint8_t *)body, len);
	struct sp_sdp_line line;
	enum sp_status status = SP_OK;
	const char *end = body;

	/* The m= lines are cleared one by one, as they come. */
	memset(&sdp, 0, offsetof(struct sp_sdp, media));
	sdp.session.at = sdp.body.at = body;
	sdp.direction = SP_SDP_SENDRECV;

	if (len > SP_SDP_MAX)
		status = refuse(&p, SP_TOO_LONG, "SDP is over 64 KiB");
	while (status == SP_OK && sp_sdp_next_line(&c, &line)) {
		if (line.value.len == 0 && line.type == 0 && p.error.line > 0 &&
			only_empty(&line, c))
			break;
		p.error.line++;
		status = read_line(&p, &line);
		end = line.all.at + line.all.len;
	}
	if (status == SP_OK && p.error.line == 0)
		status = refuse(&p, SP_MALFORMED, "SDP is empty");
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
