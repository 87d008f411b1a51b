/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/sdp_edit.h"

#include <assert.h>
#include <string.h>

#include "relay/sdp_rule.h"
#include "relay/sdp_text.h"

#define NUMBER_TEXT 20 /* digits of a 64-bit number */

/* Where the next byte goes; @full once a piece did not fit. */
struct writer {
	const struct sp_sdp_edit *edit;
	char *at;
	char *end;
	const char *eol; /* of lines that are ours */
	uint32_t wishes; /* bits: attributes to change in this section */
	uint32_t there;  /* and those of them that need not be added */
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
put_number(struct writer *w, uint64_t number)
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

/* An attribute line with these words. */
static void
put_attribute(struct writer *w, struct sp_sdp_text text)
{
	put_string(w, "a=");
	put_text(w, text);
	put_string(w, w->eol);
}

/* What is there needs not be added. */
static void
note(struct writer *w, struct sp_sdp_text text)
{
	for (unsigned int i = 0; i < w->edit->n_attr; i++) {
		const struct sp_attr_wish *wish = &w->edit->attr[i];

		if (wish->what == SP_ATTR_ADD &&
			sp_sdp_text_same(wish->text, text))
			w->there |= 1u << i;
	}
}

/*
 * Does a request change the attribute? Then what it wants is written instead,
 * if anything.
 */
static bool
changed(struct writer *w, struct sp_sdp_text text)
{
	const struct sp_attr_wish *wish;

	if (w->wishes == 0)
		return false;
	wish = sp_sdp_attr_find(
		w->edit->attr, w->edit->n_attr, w->wishes, text);
	if (!wish)
		note(w, text);
	if (!wish || wish->what == SP_ATTR_REMOVE)
		return wish != NULL;
	note(w, wish->with);
	put_attribute(w, wish->with);
	return true;
}

/* An attribute of ours, or one that has moved: the request may change it. */
static void
put_own(struct writer *w, struct sp_sdp_text text)
{
	if (text.len > 0 && !changed(w, text))
		put_attribute(w, text);
}

/* What the request adds to the section that ends here. */
static void
put_added(struct writer *w)
{
	for (unsigned int i = 0; i < w->edit->n_attr; i++) {
		const struct sp_attr_wish *wish = &w->edit->attr[i];

		if (wish->what != SP_ATTR_ADD ||
			!((w->wishes & ~w->there) >> i & 1))
			continue;
		put_attribute(w, wish->text);
		note(w, wish->text);
	}
}

static void
begin_section(struct writer *w, struct sp_sdp_text media)
{
	w->there = 0;
	w->wishes = w->edit->n_attr == 0
		? 0
		: sp_sdp_attr_mask(w->edit->attr, w->edit->n_attr, media);
}

/* Is there a text, and one that does not end its line? */
static bool
usable(struct sp_sdp_text text)
{
	return sp_sdp_text_trim(text).len > 0 && sp_sdp_text_clean(text);
}

/* o=, of which any part but the id may be ours. */
static void
write_origin(struct writer *w, const struct sp_sdp *sdp,
	const struct sp_sdp_line *line)
{
	const struct sp_sdp_edit *edit = w->edit;
	const char *const id = sdp->username.at + sdp->username.len;
	const char *const rest = sdp->origin.at + sdp->origin.len;
	const char *const end = line->text.at + line->text.len;
	const bool user = usable(edit->username);

	if (!user && edit->version == 0 && !edit->origin) {
		put_text(w, line->all);
		return;
	}
	put_string(w, "o=");
	put_text(w, user ? edit->username : sdp->username);
	put(w, id, (size_t)(sdp->version.at - id));
	if (edit->version > 0)
		put_number(w, edit->version);
	else
		put_text(w, sdp->version);
	if (edit->origin) {
		put_string(w, " ");
		put_address(w, &edit->addr);
	} else {
		put(w, rest, (size_t)(end - rest));
	}
	put_string(w, w->eol);
}

static void
write_session(struct writer *w, const struct sp_sdp *sdp,
	const struct sp_addr *session)
{
	const struct sp_sdp_edit *edit = w->edit;
	const uint32_t keys = sp_sdp_rule_session_keys(sdp, edit);
	struct sp_cursor c = sp_sdp_cursor(sdp->session);
	struct sp_sdp_line line;

	begin_section(w, (struct sp_sdp_text){ NULL, 0 });
	while (sp_sdp_next_line(&c, &line)) {
		if (line.type == 'o') {
			write_origin(w, sdp, &line);
		} else if (line.type == 's' && usable(edit->name)) {
			put_string(w, "s=");
			put_text(w, edit->name);
			put_string(w, w->eol);
		} else if (line.type == 'c' && session) {
			put_connection(w, session);
		} else if (!(keys >> line.attr & 1) &&
			!sp_sdp_rule_goes(edit, &line) &&
			(line.type != 'a' || line.attr == SP_SDP_ATTR_LOOP ||
				!changed(w, line.text))) {
			put_text(w, line.all);
		}
	}
	if (usable(edit->loop)) {
		end_line(w);
		put_string(w, "a=rtpengine:");
		put_text(w, edit->loop);
		put_string(w, w->eol);
	}
	if (w->wishes & ~w->there) {
		end_line(w);
		put_added(w);
	}
}

static void
write_media_line(struct writer *w, const struct sp_sdp_media *m,
	const struct sp_sdp_edit_media *own, const struct sp_sdp_codecs *codecs)
{
	put_string(w, "m=");
	put_text(w, m->type);
	put_string(w, " ");
	put_number(w, own->addr.port);
	put_string(w, " ");
	if (own->proto)
		put_string(w, own->proto);
	else
		put_text(w, m->proto);
	for (unsigned int i = 0; codecs && i < codecs->count; i++) {
		put_string(w, " ");
		put_number(w, codecs->pt[i]);
	}
	if (!codecs && m->formats.len > 0) {
		put_string(w, " ");
		put_text(w, m->formats);
	}
	put_string(w, w->eol);
}

static void
write_rtcp(struct writer *w, const struct sp_sdp_edit_media *own)
{
	put_string(w, "a=rtcp:");
	put_number(w, own->rtcp_port);
	if (w->edit->full_rtcp) {
		put_string(w, " ");
		put_address(w, &own->addr);
	}
	put_string(w, w->eol);
}

/* Keys: the text goes to the other party, and is not left behind here. */
static void
write_crypto(struct writer *w, const struct sp_sdes *line)
{
	char text[SP_SDES_TEXT_MAX];
	const size_t len = sp_sdes_write(line, text);

	put_string(w, "a=crypto:");
	put(w, text, len);
	put_string(w, w->eol);
	explicit_bzero(text, sizeof text);
}

/* The attributes that are ours, in the order that proxies know. */
static void
write_own(struct writer *w, const struct sp_sdp_edit_media *own,
	struct sp_sdp_text ptime)
{
	static const struct sp_sdp_text direction[] = {
		[SP_SDP_INACTIVE] = { "inactive", 8 },
		[SP_SDP_SENDONLY] = { "sendonly", 8 },
		[SP_SDP_RECVONLY] = { "recvonly", 8 },
		[SP_SDP_SENDRECV] = { "sendrecv", 8 },
		[SP_SDP_KEEP_DIRECTION] = { NULL, 0 },
	};

	if (own->mid > 0) {
		put_string(w, "a=mid:");
		put_number(w, own->mid);
		put_string(w, w->eol);
	}
	put_own(w, direction[own->direction]);
	if (own->rtcp_port > 0)
		write_rtcp(w, own);
	if (own->rtcp_mux) {
		put_string(w, "a=rtcp-mux");
		put_string(w, w->eol);
	}
	for (unsigned int i = 0; i < own->n_crypto; i++)
		write_crypto(w, &own->crypto[i]);
	put_own(w, ptime);
	put_added(w);
}

static void
write_media(struct writer *w, const struct sp_sdp_media *m,
	const struct sp_sdp_edit_media *own, bool connection)
{
	const struct sp_sdp_edit *edit = w->edit;
	struct sp_cursor c = sp_sdp_cursor(m->section);
	struct sp_sdp_codecs codecs;
	const struct sp_sdp_codecs *chosen = NULL;
	struct sp_sdp_text ptime = { NULL, 0 };
	struct sp_sdp_line line;

	if (own->codecs &&
		sp_sdp_codecs_choose(m, edit->codec, edit->n_codec, edit->offer,
			&codecs) == SP_CODECS_CHANGED)
		chosen = &codecs;
	begin_section(w, m->type);
	while (sp_sdp_next_line(&c, &line)) {
		if (connection && line.type != 'm' && line.type != 'i') {
			put_connection(w, &own->addr);
			connection = false;
		}
		if (line.attr == SP_SDP_ATTR_PTIME)
			ptime = line.text;
		if (line.type == 'm')
			write_media_line(w, m, own, chosen);
		else if (line.type == 'c')
			put_connection(w, &own->addr);
		else if (!sp_sdp_rule_goes_from_media(
				 edit, own, chosen, &line) &&
			(line.type != 'a' || line.attr == SP_SDP_ATTR_CRYPTO ||
				!changed(w, line.text)))
			put_text(w, line.all);
	}
	end_line(w);
	if (connection)
		put_connection(w, &own->addr);
	write_own(w, own, ptime);
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
	const struct sp_addr *session = sp_sdp_rule_session_address(sdp, edit);
	struct writer w = {
		.edit = edit,
		.at = buf,
		.end = buf + size,
		.eol = sdp->crlf ? "\r\n" : "\n",
	};

	write_session(&w, sdp, session);
	for (unsigned int i = 0; i < sdp->media_count; i++) {
		const struct sp_sdp_media *m = &sdp->media[i];
		const struct sp_sdp_edit_media *own = &edit->media[i];
		const bool connection =
			sp_sdp_rule_needs_connection(m, own, session);

		assert(own->direction <= SP_SDP_KEEP_DIRECTION);
		if (own->keep)
			write_kept(&w, sdp, m, connection);
		else
			write_media(&w, m, own, connection);
	}

	if (w.full)
		return SP_NO_SPACE;
	*len = (size_t)(w.at - buf);
	return SP_OK;
}
