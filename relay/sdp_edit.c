/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/sdp.h"

#include <assert.h>
#include <string.h>

#define NUMBER_TEXT 5 /* digits of a 16-bit number */

/* Where the next byte goes; @full once a piece did not fit. */
struct writer {
	char *at;
	char *end;
	const char *eol; /* of lines that are ours */
	bool full;
	char last; /* byte written */
};

static void
put(struct writer *w, const char *text, size_t len)
{
	if (len == 0)
		return;
	if (len > (size_t)(w->end - w->at)) {
		w->full = true;
		return;
	}
	memcpy(w->at, text, len);
	w->at += len;
	w->last = text[len - 1];
}

static void
put_string(struct writer *w, const char *text)
{
	put(w, text, strlen(text));
}

static void
put_text(struct writer *w, struct sp_sdp_text text)
{
	put(w, text.at, text.len);
}

static void
put_number(struct writer *w, uint16_t number)
{
	char text[NUMBER_TEXT];
	size_t at = sizeof text;

	do {
		text[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put(w, text + at, sizeof text - at);
}

static void
put_address(struct writer *w, const struct sp_addr *addr)
{
	char text[SP_ADDR_TEXT];

	put_string(w, addr->family == SP_FAMILY_IP6 ? "IN IP6 " : "IN IP4 ");
	put_string(w, sp_addr_print_ip(addr, text));
}

static void
put_connection(struct writer *w, const struct sp_addr *addr)
{
	put_string(w, "c=");
	put_address(w, addr);
	put_string(w, w->eol);
}

/* The body's last line may have come without its end, or with half of it. */
static void
end_line(struct writer *w)
{
	if (w->last != '\n')
		put_string(w, w->last == '\r' ? "\n" : w->eol);
}

/* Is the line one that goes, whatever comes in its place? */
static bool
goes(const struct sp_sdp_edit *edit, const struct sp_sdp_line *line)
{
	switch (line->attr) {
	case SP_SDP_ATTR_RTCP:
	case SP_SDP_ATTR_RTCP_MUX:
		return true;
	case SP_SDP_ATTR_CANDIDATE:
	case SP_SDP_ATTR_ICE:
	case SP_SDP_ATTR_ADDRESS:
		return edit->strip_ice;
	case SP_SDP_ATTR_BUNDLE:
		return edit->strip_bundle;
	default:
		return false;
	}
}

static bool
inherits(const struct sp_sdp_media *m)
{
	return m->connection.len == 0 && m->addr.port > 0;
}

/*
 * What the session's c= becomes: the address of the first m= line that relies
 * on it, so that one line serves all of them in the usual case. NULL: stays.
 */
static const struct sp_addr *
session_address(const struct sp_sdp *sdp, const struct sp_sdp_edit *edit)
{
	const struct sp_addr *found = &edit->addr;

	for (unsigned int i = 0; i < sdp->media_count; i++) {
		if (!inherits(&sdp->media[i]))
			continue;
		if (edit->media[i].keep)
			found = NULL;
		else if (edit->media[i].addr.port > 0)
			return &edit->media[i].addr;
	}
	return found;
}

/* Must this m= line get a c= that says what the session's no longer does? */
static bool
needs_connection(const struct sp_sdp_media *m,
	const struct sp_sdp_edit_media *edit, const struct sp_addr *session)
{
	if (!inherits(m))
		return false;
	if (edit->keep)
		return session != NULL;
	return edit->addr.port > 0 &&
		!(session && sp_addr_same_ip(session, &edit->addr));
}

static void
write_session(struct writer *w, const struct sp_sdp *sdp,
	const struct sp_sdp_edit *edit, const struct sp_addr *session)
{
	struct sp_cursor c = sp_sdp_cursor(sdp->session);
	struct sp_sdp_line line;

	while (sp_sdp_next_line(&c, &line)) {
		if (line.type == 'o' && edit->origin) {
			put_string(w, "o=");
			put_text(w, sdp->origin);
			put_string(w, " ");
			put_address(w, &edit->addr);
			put_string(w, w->eol);
		} else if (line.type == 'c' && session) {
			put_connection(w, session);
		} else if (!goes(edit, &line)) {
			put_text(w, line.all);
		}
	}
}

static void
write_media_line(struct writer *w, const struct sp_sdp_media *m, uint16_t port)
{
	put_string(w, "m=");
	put_text(w, m->type);
	put_string(w, " ");
	put_number(w, port);
	put_string(w, " ");
	put_text(w, m->proto);
	put_string(w, m->formats.len > 0 ? " " : "");
	put_text(w, m->formats);
	put_string(w, w->eol);
}

/* The attributes that are ours, in the order that proxies know. */
static void
write_own(struct writer *w, const struct sp_sdp_edit_media *edit)
{
	static const char *const direction[] = {
		[SP_SDP_INACTIVE] = "a=inactive",
		[SP_SDP_SENDONLY] = "a=sendonly",
		[SP_SDP_RECVONLY] = "a=recvonly",
		[SP_SDP_SENDRECV] = "a=sendrecv",
	};

	if (edit->direction != SP_SDP_KEEP_DIRECTION) {
		put_string(w, direction[edit->direction]);
		put_string(w, w->eol);
	}
	if (edit->rtcp_port > 0) {
		put_string(w, "a=rtcp:");
		put_number(w, edit->rtcp_port);
		put_string(w, w->eol);
	}
	if (edit->rtcp_mux) {
		put_string(w, "a=rtcp-mux");
		put_string(w, w->eol);
	}
}

static void
write_media(struct writer *w, const struct sp_sdp_media *m,
	const struct sp_sdp_edit *edit, const struct sp_sdp_edit_media *own,
	bool connection)
{
	struct sp_cursor c = sp_sdp_cursor(m->section);
	struct sp_sdp_line line;

	while (sp_sdp_next_line(&c, &line)) {
		if (connection && line.type != 'm' && line.type != 'i') {
			put_connection(w, &own->addr);
			connection = false;
		}
		if (line.type == 'm')
			write_media_line(w, m, own->addr.port);
		else if (line.type == 'c')
			put_connection(w, &own->addr);
		else if (line.attr == SP_SDP_ATTR_DIRECTION &&
			own->direction != SP_SDP_KEEP_DIRECTION)
			continue;
		else if (!goes(edit, &line))
			put_text(w, line.all);
	}
	end_line(w);
	if (connection)
		put_connection(w, &own->addr);
	write_own(w, own);
}

/* As it came, but for the c= it had from the session: that one changed. */
static void
write_kept(struct writer *w, const struct sp_sdp *sdp,
	const struct sp_sdp_media *m, bool connection)
{
	struct sp_cursor c = sp_sdp_cursor(m->section);
	struct sp_sdp_line line;
	bool more = sp_sdp_next_line(&c, &line);

	put_text(w, line.all);
	more = more && sp_sdp_next_line(&c, &line);
	if (more && line.type == 'i') {
		put_text(w, line.all);
		more = sp_sdp_next_line(&c, &line);
	}
	if (connection) {
		end_line(w);
		put_string(w, "c=");
		put_text(w, sdp->connection);
		put_string(w, w->eol);
	}
	for (; more; more = sp_sdp_next_line(&c, &line))
		put_text(w, line.all);
}

enum sp_status
sp_sdp_edit(const struct sp_sdp *sdp, const struct sp_sdp_edit *edit, char *buf,
	size_t size, size_t *len)
{
	const struct sp_addr *session = session_address(sdp, edit);
	struct writer w = {
		.at = buf, .end = buf + size, .eol = sdp->crlf ? "\r\n" : "\n"
	};

	write_session(&w, sdp, edit, session);
	for (unsigned int i = 0; i < sdp->media_count; i++) {
		const struct sp_sdp_media *m = &sdp->media[i];
		const struct sp_sdp_edit_media *own = &edit->media[i];
		const bool connection = needs_connection(m, own, session);

		assert(own->direction <= SP_SDP_KEEP_DIRECTION);
		if (own->keep)
			write_kept(&w, sdp, m, connection);
		else
			write_media(&w, m, edit, own, connection);
	}

	if (w.full)
		return SP_NO_SPACE;
	*len = (size_t)(w.at - buf);
	return SP_OK;
}
