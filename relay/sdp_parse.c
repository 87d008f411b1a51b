/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/sdp.h"
#include "relay/sdp_text.h"

#include <string.h>

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
static const struct {
	char name[20];
	uint8_t attr;
	uint8_t direction;
} attributes[] = {
	{ "rtpmap",            SP_SDP_ATTR_RTPMAP,      0 },
	{ "sendrecv",          SP_SDP_ATTR_DIRECTION,   SP_SDP_SENDRECV },
	{ "sendonly",          SP_SDP_ATTR_DIRECTION,   SP_SDP_SENDONLY },
	{ "recvonly",          SP_SDP_ATTR_DIRECTION,   SP_SDP_RECVONLY },
	{ "inactive",          SP_SDP_ATTR_DIRECTION,   SP_SDP_INACTIVE },
	{ "ptime",             SP_SDP_ATTR_PTIME,       0 },
	{ "rtcp",              SP_SDP_ATTR_RTCP,        0 },
	{ "rtcp-mux",          SP_SDP_ATTR_RTCP_MUX,    0 },
	{ "rtcp-mux-only",     SP_SDP_ATTR_RTCP_MUX,    0 },
	{ "candidate",         SP_SDP_ATTR_CANDIDATE,   0 },
	{ "end-of-candidates", SP_SDP_ATTR_ICE,         0 },
	{ "remote-candidates", SP_SDP_ATTR_ICE,         0 },
	{ "altc",              SP_SDP_ATTR_ADDRESS,     0 },
	{ "ccap",              SP_SDP_ATTR_ADDRESS,     0 },
	{ "alt",               SP_SDP_ATTR_ADDRESS,     0 },
	{ "source-filter",     SP_SDP_ATTR_ADDRESS,     0 },
	{ "crypto",            SP_SDP_ATTR_CRYPTO,      0 },
	{ "fingerprint",       SP_SDP_ATTR_FINGERPRINT, 0 },
	{ "setup",             SP_SDP_ATTR_SETUP,       0 },
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

/* Clock rates of static payload types; RFC 3551 tables 4 and 5. */
static const uint32_t static_clock_hz[] = {
	[0]  = 8000,  [3]  = 8000,  [4]  = 8000,  [5]  = 8000,  [6]  = 16000,
	[7]  = 8000,  [8]  = 8000,  [9]  = 8000,  [10] = 44100, [11] = 44100,
	[12] = 8000,  [13] = 8000,  [14] = 90000, [15] = 8000,  [16] = 11025,
	[17] = 22050, [18] = 8000,  [25] = 90000, [26] = 90000, [28] = 90000,
	[31] = 90000, [32] = 90000, [33] = 90000, [34] = 90000,
};
/* clang-format on */

static enum sp_status
refuse(struct parser *p, enum sp_status status, const char *reason)
{
	p->error.reason = reason;
	return status;
}

static void
classify(struct sp_sdp_line *line)
{
	struct sp_sdp_text rest = line->value;
	const struct sp_sdp_text name =
		sp_sdp_text_trim(sp_sdp_text_before(&rest, ':'));

	rest = sp_sdp_text_trim(rest);
	if (sp_sdp_text_starts(name, "ice-"))
		line->attr = SP_SDP_ATTR_ICE;
	else if (sp_sdp_text_is(name, "group") &&
		sp_sdp_text_starts(rest, "BUNDLE"))
		line->attr = SP_SDP_ATTR_BUNDLE;
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
		if (!sp_sdp_text_is(name, attributes[i].name))
			continue;
		line->attr = attributes[i].attr;
		line->direction = attributes[i].direction;
		break;
	}
	line->value = rest;
}

bool
sp_sdp_next_line(struct sp_cursor *c, struct sp_sdp_line *line)
{
	const size_t left = sp_cursor_left(c);
	const uint8_t *end = left ? memchr(c->at, '\n', left) : NULL;
	const size_t len = end ? (size_t)(end - c->at) + 1 : left;
	struct sp_sdp_text text = { (const char *)c->at, len };

	if (left == 0)
		return false;
	sp_cursor_take(c, len);
	*line = (struct sp_sdp_line){ .all = text };
	if (end)
		text.len--;
	if (text.len > 0 && text.at[text.len - 1] == '\r')
		text.len--;
	line->value = text;
	if (text.len < 2 || text.at[1] != '=' || text.at[0] < 'a' ||
		text.at[0] > 'z')
		return true;

	line->type = text.at[0];
	line->value = sp_sdp_text_trim(
		(struct sp_sdp_text){ text.at + 2, text.len - 2 });
	if (line->type == 'a')
		classify(line);
	return true;
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

/* Some phones have blanks in the user name: what counts is at the end. */
static enum sp_status
read_origin(struct parser *p, struct sp_sdp_text value)
{
	struct sp_sdp_text rest = value;

	if (p->media)
		return refuse(p, SP_MALFORMED,
			"o= after the first m=: it belongs to the session");
	for (int i = 0; i < 3; i++) { /* address, family, net */
		while (rest.len > 0 &&
			!sp_sdp_text_blank(rest.at[rest.len - 1]))
			rest.len--;
		rest = sp_sdp_text_trim(rest);
	}
	p->sdp->origin = rest;
	sp_sdp_text_word(&rest); /* user */
	sp_sdp_text_word(&rest); /* id; the version is left */
	if (rest.len == 0)
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
		if (p->first_format != NO_FORMAT)
			continue;
		p->first_format = (uint8_t)pt;
		if (pt < sizeof static_clock_hz / sizeof *static_clock_hz)
			m->clock_hz = static_clock_hz[pt];
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
	return SP_OK;
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
	*m = (struct sp_sdp_media){ .section = line->all,
		.line = p->error.line,
		.kind = SP_MEDIA_OTHER,
		.direction = p->sdp->direction };

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
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		if (!sp_sdp_text_starts(m->proto, protocols[i].prefix))
			continue;
		m->kind = protocols[i].kind;
		m->secure = protocols[i].secure;
		break;
	}
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

static enum sp_status
read_rtcp(struct parser *p, struct sp_sdp_text value)
{
	struct sp_addr addr = { .family = SP_FAMILY_NONE };
	enum sp_status status = SP_OK;
	uint32_t port;

	if (!sp_sdp_text_number(sp_sdp_text_word(&value), UINT16_MAX, &port))
		return refuse(p, SP_MALFORMED,
			"a=rtcp port is not a number from 0 to 65535");
	if (value.len > 0)
		status = read_address(p, value, &addr);
	if (status != SP_OK)
		return status;
	addr.port = (uint16_t)port;
	p->media->rtcp = addr;
	return SP_OK;
}

/* Not ours to judge: a broken one leaves as it came and tells us nothing. */
static void
read_rtpmap(struct parser *p, struct sp_sdp_text value)
{
	const struct sp_sdp_text format = sp_sdp_text_word(&value);
	uint32_t pt, clock_hz;

	sp_sdp_text_before(&value, '/'); /* the encoding's name */
	if (sp_sdp_text_number(format, SP_SDP_PAYLOAD_TYPES - 1, &pt) &&
		pt == p->first_format &&
		sp_sdp_text_number(
			sp_sdp_text_before(&value, '/'), UINT32_MAX, &clock_hz))
		p->media->clock_hz = clock_hz;
}

static enum sp_status
read_attribute(struct parser *p, const struct sp_sdp_line *line)
{
	struct sp_sdp_media *m = p->media;
	uint32_t ptime_ms;

	if (++p->attrs > SP_SDP_ATTR_MAX)
		return refuse(p, SP_TOO_LONG,
			"more than 128 attributes in one section");
	p->candidates += line->attr == SP_SDP_ATTR_CANDIDATE;
	p->cryptos += line->attr == SP_SDP_ATTR_CRYPTO;
	if (p->candidates > SP_SDP_CANDIDATE_MAX)
		return refuse(p, SP_TOO_LONG, "more than 64 candidates");
	if (p->cryptos > SP_SDP_CRYPTO_MAX)
		return refuse(p, SP_TOO_LONG, "more than 8 a=crypto lines");
	*(m ? &m->attrs : &p->sdp->attrs) |= 1u << line->attr;

	if (line->attr == SP_SDP_ATTR_DIRECTION)
		*(m ? &m->direction : &p->sdp->direction) = line->direction;
	else if (line->attr == SP_SDP_ATTR_RTCP && m)
		return read_rtcp(p, line->value);
	else if (line->attr == SP_SDP_ATTR_RTPMAP && m)
		read_rtpmap(p, line->value);
	else if (line->attr == SP_SDP_ATTR_PTIME && m &&
		sp_sdp_text_number(line->value, UINT16_MAX, &ptime_ms))
		m->ptime_ms = (uint16_t)ptime_ms;
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
