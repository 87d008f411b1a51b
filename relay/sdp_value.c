/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "relay/sdp_codec.h"
#include "relay/sdp_parser.h"
#include "relay/sdp_text.h"

/* What single lines say; sdp_parse.c knows where each may stand. */

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

enum sp_status
sp_sdp_parser_refuse(
	struct sp_sdp_parser *p, enum sp_status status, const char *reason)
{
	p->error.reason = reason;
	return status;
}

/* "IN IP4 192.0.2.1", as c= and a=rtcp have it. */
static enum sp_status
read_address(
	struct sp_sdp_parser *p, struct sp_sdp_text text, struct sp_addr *out)
{
	const struct sp_sdp_text net = sp_sdp_text_word(&text);
	const struct sp_sdp_text family = sp_sdp_text_word(&text);
	const struct sp_sdp_text host = sp_sdp_text_word(&text);
	struct sp_addr addr;

	if (!sp_sdp_text_is(net, "IN") || host.len == 0 || text.len > 0)
		return sp_sdp_parser_refuse(p, SP_MALFORMED,
			"address is not \"IN IP4 address\" or "
			"\"IN IP6 address\"");
	if (memchr(host.at, '/', host.len))
		return sp_sdp_parser_refuse(p, SP_UNSUPPORTED,
			"address has a multicast TTL or count: "
			"send one unicast address");
	if (sp_addr_parse(host.at, host.len, &addr) != SP_OK)
		return sp_sdp_parser_refuse(p, SP_MALFORMED,
			"not an IP address: host names are not resolved");
	if (!sp_sdp_text_is(
		    family, addr.family == SP_FAMILY_IP4 ? "IP4" : "IP6"))
		return sp_sdp_parser_refuse(p, SP_MALFORMED,
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
enum sp_status
sp_sdp_value_origin(struct sp_sdp_parser *p, struct sp_sdp_text value)
{
	struct sp_sdp_text rest = value, id;

	if (p->media)
		return sp_sdp_parser_refuse(p, SP_MALFORMED,
			"o= after the first m=: it belongs to the session");
	for (int i = 0; i < 3; i++) /* address, family, net */
		last_word(&rest);
	p->sdp->origin = rest;
	p->sdp->version = last_word(&rest);
	id = last_word(&rest);
	p->sdp->username = rest;
	if (rest.len == 0 || id.len == 0)
		return sp_sdp_parser_refuse(p, SP_MALFORMED,
			"o= needs six fields: user, id, version, IN, "
			"IP4 or IP6, address");
	return SP_OK;
}

static enum sp_status
read_formats(struct sp_sdp_parser *p, struct sp_sdp_media *m)
{
	struct sp_sdp_text rest = m->formats;
	uint32_t pt;

	if (rest.len == 0 && m->addr.port > 0)
		return sp_sdp_parser_refuse(
			p, SP_MALFORMED, "m= lists no formats");
	if (m->kind != SP_MEDIA_RTP)
		return SP_OK;
	while (rest.len > 0) {
		if (!sp_sdp_text_number(sp_sdp_text_word(&rest),
			    SP_SDP_PAYLOAD_TYPES - 1, &pt))
			return sp_sdp_parser_refuse(p, SP_MALFORMED,
				"m= has an RTP payload type that is not a "
				"number from 0 to 127");
		m->payload_types[pt / 64] |= UINT64_C(1) << pt % 64;
		for (size_t i = 0; i < SP_QUIET_CODECS; i++)
			if (pt == quiet[i].pt)
				m->quiet[i] = quiet[i].pt;
		if (p->first_format != SP_SDP_NO_FORMAT)
			continue;
		p->first_format = (uint8_t)pt;
		m->clock_hz = sp_sdp_codec_clock_hz(pt);
	}
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

enum sp_status
sp_sdp_value_media(struct sp_sdp_parser *p, struct sp_sdp_text value)
{
	struct sp_sdp_text rest = value;
	struct sp_sdp_text count;
	struct sp_sdp_media *m = p->media;
	uint32_t port, ports = 1;

	memset(m->quiet, SP_QUIET_NONE, sizeof m->quiet);
	m->type = sp_sdp_text_word(&rest);
	count = sp_sdp_text_word(&rest);
	m->proto = sp_sdp_text_word(&rest);
	m->formats = rest;
	if (!sp_sdp_text_number(
		    sp_sdp_text_before(&count, '/'), UINT16_MAX, &port))
		return sp_sdp_parser_refuse(p, SP_MALFORMED,
			"m= port is not a number from 0 to 65535");
	if (count.len > 0 && !sp_sdp_text_number(count, UINT16_MAX, &ports))
		return sp_sdp_parser_refuse(
			p, SP_MALFORMED, "m= port count is not a number");
	if (ports != 1)
		return sp_sdp_parser_refuse(p, SP_UNSUPPORTED,
			"m= asks for several ports: send one m= for each");
	if (m->proto.len == 0)
		return sp_sdp_parser_refuse(
			p, SP_MALFORMED, "m= has no protocol");
	find_protocol(m);
	m->addr.port = (uint16_t)port;
	return read_formats(p, m);
}

enum sp_status
sp_sdp_value_connection(struct sp_sdp_parser *p, struct sp_sdp_text value)
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
read_rtcp(struct sp_sdp_parser *p, struct sp_sdp_text value)
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
read_rtpmap(struct sp_sdp_parser *p, struct sp_sdp_text value)
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
void
sp_sdp_value_attribute(struct sp_sdp_parser *p, const struct sp_sdp_line *line)
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
