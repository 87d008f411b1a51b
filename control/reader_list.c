/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/reader.h"

/*
 * Codecs and attributes: dictionaries of lists, and on ng also flags such as
 * codec-strip-PCMA and sdp-attr-add-audio-ptime:20.
 */

#define CODEC_MAX 64u  /* bytes of a name with rate and channels */
#define CODEC_PARTS 3u /* of those; ng's further ones are for converting */
#define ATTR_MAX 1024u /* bytes of a line */
#define MEDIA_MAX 32u  /* bytes of "audio" */

/* What is being read, beside the value. */
struct list {
	struct sp_reader *r;
	const struct sp_flag *f;
	uint8_t what;
	struct sp_text media;
};

static struct sp_text
text_of(const char *text)
{
	return (struct sp_text){ text, strlen(text) };
}

/* Cut off what is before the first @c of @from; all of it without one. */
static struct sp_text
cut(struct sp_text *from, char c)
{
	const char *at = from->len ? memchr(from->at, c, from->len) : NULL;
	struct sp_text head = *from;

	if (at)
		head.len = (size_t)(at - from->at);
	from->at += head.len + (at != NULL);
	from->len -= head.len + (at != NULL);
	return head;
}

/* In ng's lists "--" stands for "=" and ".." for a blank. */
static bool
decode(struct sp_reader *r, struct sp_text *text)
{
	char out[ATTR_MAX];
	size_t n = 0;
	json_t *json;

	if (sp_reader_strict(r) || text->len > sizeof out)
		return true;
	for (size_t i = 0; i < text->len; i++) {
		const char c = text->at[i];
		const bool twice = i + 1 < text->len && text->at[i + 1] == c;

		if (twice && (c == '-' || c == '.')) {
			out[n++] = c == '-' ? '=' : ' ';
			i++;
		} else {
			out[n++] = c;
		}
	}
	if (n == text->len)
		return true;
	json = json_stringn_nocheck(out, n);
	if (!sp_reader_keep(r, json))
		return false;
	text->at = json_string_value(json);
	text->len = n;
	return true;
}

static bool
codec_fits(struct sp_text name)
{
	if (name.len == 0 || name.len > CODEC_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] <= ' ' || name.at[i] > '~')
			return false;
	return true;
}

static bool
add_codec(const struct list *l, struct sp_text name)
{
	struct sp_policy *policy = &l->r->to->policy;
	struct sp_text rest;

	if (!decode(l->r, &name))
		return false;
	rest = name;
	for (unsigned int i = 0; i < CODEC_PARTS; i++)
		cut(&rest, '/');
	if (rest.len > 0 && !sp_reader_strict(l->r)) {
		name.len = (size_t)(rest.at - name.at) - 1;
		rest.len = 0;
	}
	if (!codec_fits(name) || rest.len > 0)
		return sp_reader_bad(l->r, l->f,
			"a codec is NAME[/rate[/channels]], as in "
			"opus/48000/2");
	if (policy->n_codec == SP_CODECS_MAX)
		return sp_reader_bad(l->r, l->f,
			"more than %u codecs in a request", SP_CODECS_MAX);
	policy->codec[policy->n_codec++] = (struct sp_codec_wish){
		.name = { name.at, name.len },
		.what = l->what,
	};
	return true;
}

static bool
add_codecs(const struct list *l, const struct sp_value *value)
{
	struct sp_words list = sp_words(l->r, value, true);
	struct sp_text name;

	while (sp_words_next(&list, &name))
		if (!add_codec(l, name))
			return false;
	return list.bad
		? sp_reader_bad(l->r, l->f, "codecs must be a list of strings")
		: true;
}

/* Let @l be about the word @given. Sets @known to whether to go on with it. */
static bool
what_of(struct list *l, struct sp_text given, bool *known)
{
	const struct sp_flag_word *word;

	if (!sp_reader_word(l->r, l->f, given, &word))
		return false;
	*known = word != NULL;
	if (word)
		l->what = word->value;
	return true;
}

bool
sp_reader_codec(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value)
{
	struct list l = { .r = r, .f = f };
	struct sp_value part = { NULL, value->text };
	const char *name;
	bool known;

	if (!value->json) {
		if (!what_of(&l, cut(&part.text, '-'), &known))
			return false;
		return known ? add_codecs(&l, &part) : true;
	}
	if (!json_is_object(value->json))
		return sp_reader_bad(r, f, "\"%s\" must be an object of lists",
			sp_reader_name(r, f));
	json_object_foreach(value->json, name, part.json)
	{
		if (!what_of(&l, text_of(name), &known))
			return false;
		if (known && !add_codecs(&l, &part))
			return false;
	}
	return true;
}

static bool
attr_fits(struct sp_text text)
{
	if (text.len == 0 || text.len > ATTR_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] == '\r' || text.at[i] == '\n' ||
			text.at[i] == '\0')
			return false;
	return true;
}

static bool
add_attr(const struct list *l, struct sp_text text, struct sp_text with)
{
	struct sp_policy *policy = &l->r->to->policy;
	const bool two = l->what == SP_ATTR_SUBSTITUTE;

	if (!decode(l->r, &text) || !decode(l->r, &with))
		return false;
	if (!attr_fits(text) || (two && !attr_fits(with)))
		return sp_reader_bad(l->r, l->f,
			"an attribute of \"%s\" is one line of 1 to %u bytes%s",
			sp_reader_name(l->r, l->f), ATTR_MAX,
			two ? ", two of them to substitute" : "");
	if (policy->n_attr == SP_ATTRS_MAX)
		return sp_reader_bad(l->r, l->f,
			"more than %u changes of attributes in a request",
			SP_ATTRS_MAX);
	policy->attr[policy->n_attr++] = (struct sp_attr_wish){
		.media = { l->media.at, l->media.len },
		.text = { text.at, text.len },
		.with = { with.at, with.len },
		.what = l->what,
	};
	return true;
}

static bool
add_attrs(const struct list *l, const struct sp_value *value)
{
	struct sp_words list = sp_words(l->r, value, false);
	struct sp_text text, with = { NULL, 0 };

	while (sp_words_next(&list, &text)) {
		with = (struct sp_text){ NULL, 0 };
		if (l->what == SP_ATTR_SUBSTITUTE && !sp_reader_strict(l->r)) {
			/* "from>to", or two in a row */
			with = text;
			text = cut(&with, '>');
			if (with.len == 0)
				sp_words_next(&list, &with);
		}
		if (!add_attr(l, text, with))
			return false;
	}
	return list.bad ? sp_reader_bad(l->r, l->f,
				  "attributes must be a list of strings")
			: true;
}

/* [[from, to], ...] */
static bool
substitute(const struct list *l, const struct sp_value *value)
{
	json_t *pair;
	size_t i;

	if (!json_is_array(value->json) ||
		(json_is_string(json_array_get(value->json, 0)) &&
			!sp_reader_strict(l->r)))
		return add_attrs(l, value);
	json_array_foreach(value->json, i, pair)
	{
		const struct sp_value from = { json_array_get(pair, 0),
			{ NULL, 0 } };
		const struct sp_value to = { json_array_get(pair, 1),
			{ NULL, 0 } };
		struct sp_text text = { NULL, 0 }, with = { NULL, 0 };

		if (json_array_size(pair) != 2 ||
			!sp_reader_text(&from, &text) ||
			!sp_reader_text(&to, &with)) {
			if (!sp_reader_bad(l->r, l->f,
				    "what to substitute must be a list of "
				    "[from, to]"))
				return false;
		} else if (!add_attr(l, text, with)) {
			return false;
		}
	}
	return true;
}

/* Let @l be about the section @given. */
static bool
media_of(struct list *l, struct sp_text given, bool *known)
{
	static const char *const session[] = { "session", "none", "global" };
	const size_t names = sp_reader_strict(l->r) ? 1 : 3;

	*known = given.len > 0 && given.len <= MEDIA_MAX;
	l->media = given;
	for (size_t i = 0; i < names; i++)
		if (sp_flags_same(session[i], given))
			l->media.len = 0;
	if (*known)
		return true;
	return sp_reader_bad(l->r, l->f,
		"\"%s\" goes by \"session\", \"audio\" and so on",
		sp_reader_name(l->r, l->f));
}

static bool
section(struct list *l, const struct sp_value *value)
{
	struct sp_value part = { NULL, { NULL, 0 } };
	const char *name;
	bool known;

	if (!json_is_object(value->json))
		return sp_reader_bad(l->r, l->f,
			"\"%s\" must be an object of objects of lists",
			sp_reader_name(l->r, l->f));
	json_object_foreach(value->json, name, part.json)
	{
		if (!what_of(l, text_of(name), &known))
			return false;
		if (known &&
			!(l->what == SP_ATTR_SUBSTITUTE ? substitute(l, &part)
							: add_attrs(l, &part)))
			return false;
	}
	return true;
}

bool
sp_reader_attr(struct sp_reader *r, const struct sp_flag *f,
	const struct sp_value *value)
{
	struct list l = { .r = r, .f = f };
	struct sp_value part = { NULL, value->text };
	const char *name;
	bool known;

	if (!value->json) {
		if (!what_of(&l, cut(&part.text, '-'), &known))
			return false;
		if (known && !media_of(&l, cut(&part.text, '-'), &known))
			return false;
		return known ? add_attrs(&l, &part) : true;
	}
	if (!json_is_object(value->json))
		return sp_reader_bad(r, f,
			"\"%s\" must be an object of objects of lists",
			sp_reader_name(r, f));
	json_object_foreach(value->json, name, part.json)
	{
		if (!media_of(&l, text_of(name), &known))
			return false;
		if (known && !section(&l, &part))
			return false;
	}
	return true;
}
