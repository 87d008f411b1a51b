/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/sdp_codec.h"

#include <string.h>

#include "relay/sdp_text.h"

#define NO_APT 0xffu /* not a retransmission of another payload type */

/* clang-format off */
/* RFC 3551 tables 4 and 5; channels are 1 but where said. */
static const struct {
	char name[8];
	uint32_t clock_hz;
} static_codecs[] = {
	[0]  = { "PCMU", 8000 },  [3]  = { "GSM", 8000 },
	[4]  = { "G723", 8000 },  [5]  = { "DVI4", 8000 },
	[6]  = { "DVI4", 16000 }, [7]  = { "LPC", 8000 },
	[8]  = { "PCMA", 8000 },  [9]  = { "G722", 8000 },
	[10] = { "L16", 44100 },  [11] = { "L16", 44100 },
	[12] = { "QCELP", 8000 }, [13] = { "CN", 8000 },
	[14] = { "MPA", 90000 },  [15] = { "G728", 8000 },
	[16] = { "DVI4", 11025 }, [17] = { "DVI4", 22050 },
	[18] = { "G729", 8000 },  [25] = { "CelB", 90000 },
	[26] = { "JPEG", 90000 }, [28] = { "nv", 90000 },
	[31] = { "H261", 90000 }, [32] = { "MPV", 90000 },
	[33] = { "MP2T", 90000 }, [34] = { "H263", 90000 },
};
#define STEREO_L16 10u

/* What nobody can talk with alone. */
static const char auxiliary[][16] = {
	"telephone-event", "CN", "red", "rtx", "ulpfec", "flexfec-03",
	"parityfec",
};
/* clang-format on */

/* NAME/rate/channels, of a payload type or a wish. */
struct codec {
	struct sp_sdp_text name; /* empty: not known */
	uint32_t clock_hz;       /* 0: not known, or any */
	uint32_t channels;       /* the same */
};

/* What is known of an m= line's payload types; of those that it has. */
struct line {
	struct codec codec[SP_SDP_PAYLOAD_TYPES];
	uint8_t apt[SP_SDP_PAYLOAD_TYPES]; /* that rtx is for, or NO_APT */
};

uint32_t
sp_sdp_codec_clock_hz(uint32_t pt)
{
	return pt < sizeof static_codecs / sizeof *static_codecs
		? static_codecs[pt].clock_hz
		: 0;
}

static bool
has(const uint64_t *set, uint32_t pt)
{
	return set[pt / 64] >> pt % 64 & 1;
}

static void
add(uint64_t *set, uint32_t pt)
{
	set[pt / 64] |= UINT64_C(1) << pt % 64;
}

/* False if there is something where a number should be. */
static bool
read_part(struct sp_sdp_text *rest, uint32_t *out)
{
	const struct sp_sdp_text part = sp_sdp_text_before(rest, '/');

	return part.len == 0 || sp_sdp_text_number(part, UINT32_MAX, out);
}

static bool
read_codec(struct sp_sdp_text text, struct codec *out)
{
	*out = (struct codec){ .name = sp_sdp_text_before(&text, '/') };
	return out->name.len > 0 && read_part(&text, &out->clock_hz) &&
		read_part(&text, &out->channels);
}

static void
learn_static(uint32_t pt, struct codec *out)
{
	*out = (struct codec){ .channels = pt == STEREO_L16 ? 2 : 1 };
	if (sp_sdp_codec_clock_hz(pt) == 0)
		return;
	out->name.at = static_codecs[pt].name;
	out->name.len = strlen(static_codecs[pt].name);
	out->clock_hz = static_codecs[pt].clock_hz;
}

static uint8_t
read_apt(struct sp_sdp_text rest)
{
	uint32_t pt;

	while (rest.len > 0) {
		struct sp_sdp_text value =
			sp_sdp_text_trim(sp_sdp_text_before(&rest, ';'));
		const struct sp_sdp_text name = sp_sdp_text_before(&value, '=');

		if (sp_sdp_text_is(name, "apt") &&
			sp_sdp_text_number(
				value, SP_SDP_PAYLOAD_TYPES - 1, &pt))
			return (uint8_t)pt;
	}
	return NO_APT;
}

static void
learn(const struct sp_sdp_media *media, struct line *out)
{
	struct sp_cursor c = sp_sdp_cursor(media->section);
	struct sp_sdp_line line;
	struct codec codec;
	uint32_t pt;

	for (pt = 0; pt < SP_SDP_PAYLOAD_TYPES; pt++) {
		if (has(media->payload_types, pt))
			learn_static(pt, &out->codec[pt]);
	}
	memset(out->apt, NO_APT, sizeof out->apt);
	while (sp_sdp_next_line(&c, &line)) {
		if (line.attr != SP_SDP_ATTR_RTPMAP &&
			line.attr != SP_SDP_ATTR_FMTP)
			continue;
		if (!sp_sdp_text_number(sp_sdp_text_word(&line.value),
			    SP_SDP_PAYLOAD_TYPES - 1, &pt) ||
			!has(media->payload_types, pt))
			continue;
		if (line.attr == SP_SDP_ATTR_FMTP)
			out->apt[pt] = read_apt(line.value);
		else if (read_codec(line.value, &codec))
			out->codec[pt] = codec;
		if (out->codec[pt].channels == 0)
			out->codec[pt].channels = 1;
	}
}

/* Does the wish mean every codec? */
static bool
is_every(const struct codec *wish)
{
	return sp_sdp_text_is(wish->name, "all") ||
		sp_sdp_text_is(wish->name, "full");
}

static bool
means(const struct codec *wish, const struct codec *codec)
{
	if (is_every(wish))
		return true;
	return wish->name.len > 0 &&
		sp_sdp_text_same(wish->name, codec->name) &&
		(wish->clock_hz == 0 || wish->clock_hz == codec->clock_hz) &&
		(wish->channels == 0 || wish->channels == codec->channels);
}

static bool
is_auxiliary(const struct codec *codec)
{
	for (size_t i = 0; i < sizeof auxiliary / sizeof *auxiliary; i++) {
		if (sp_sdp_text_is(codec->name, auxiliary[i]))
			return true;
	}
	return false;
}

/*
 * Does the codec stay? @rank is 0 if it was never removed, or else tells which
 * wish put it back.
 */
static bool
judge(const struct codec *codec, const struct sp_codec_wish *wishes,
	const struct codec *wanted, unsigned int count, bool offer,
	uint8_t *rank)
{
	bool with_all = false, by_name = false, excepted = false;
	unsigned int offered = count;

	for (unsigned int i = 0; i < count; i++) {
		const uint8_t what = wishes[i].what;

		if (!means(&wanted[i], codec))
			continue;
		if (what == SP_CODEC_STRIP || (what == SP_CODEC_MASK && offer))
			*(is_every(&wanted[i]) ? &with_all : &by_name) = true;
		else if (what == SP_CODEC_OFFER && offered == count)
			offered = i;
		else if (what == SP_CODEC_EXCEPT)
			excepted = true;
	}
	*rank = 0;
	if (!by_name && (!with_all || excepted))
		return true;
	*rank = (uint8_t)(offered + 1);
	return offered < count;
}

/* The payload types of @media as they came, each of them once. */
static unsigned int
list(const struct sp_sdp_media *media, uint8_t *out)
{
	struct sp_sdp_text rest = media->formats;
	uint64_t seen[SP_SDP_PAYLOAD_TYPES / 64] = { 0 };
	unsigned int n = 0;
	uint32_t pt;

	while (rest.len > 0) {
		/* The parser has seen that it is a number. */
		if (!sp_sdp_text_number(sp_sdp_text_word(&rest),
			    SP_SDP_PAYLOAD_TYPES - 1, &pt) ||
			has(seen, pt))
			continue;
		add(seen, pt);
		out[n++] = (uint8_t)pt;
	}
	return n;
}

/* Those that are left, by rank. */
static void
sort(const uint8_t *pt, unsigned int n, const uint8_t *rank, unsigned int ranks,
	struct sp_sdp_codecs *out)
{
	out->count = 0;
	for (unsigned int r = 0; r <= ranks; r++) {
		for (unsigned int i = 0; i < n; i++)
			if (rank[pt[i]] == r && !has(out->gone, pt[i]))
				out->pt[out->count++] = pt[i];
	}
}

enum sp_codec_choice
sp_sdp_codecs_choose(const struct sp_sdp_media *media,
	const struct sp_codec_wish *wishes, unsigned int count, bool offer,
	struct sp_sdp_codecs *out)
{
	struct codec wanted[SP_CODECS_MAX];
	uint8_t pt[SP_SDP_PAYLOAD_TYPES], rank[SP_SDP_PAYLOAD_TYPES];
	struct line line;
	unsigned int n, left = 0;
	bool put_back = false;

	learn(media, &line);
	n = list(media, pt);
	for (unsigned int i = 0; i < count; i++) {
		if (!read_codec(wishes[i].name, &wanted[i]))
			wanted[i].name.len = 0; /* means nothing */
	}
	memset(out->gone, 0, sizeof out->gone);
	for (unsigned int i = 0; i < n; i++) {
		if (!judge(&line.codec[pt[i]], wishes, wanted, count, offer,
			    &rank[pt[i]]))
			add(out->gone, pt[i]);
		else
			put_back |= rank[pt[i]] > 0;
	}
	for (unsigned int i = 0; i < n; i++) {
		const uint8_t apt = line.apt[pt[i]];

		if (apt != NO_APT && has(out->gone, apt))
			add(out->gone, pt[i]);
		if (!is_auxiliary(&line.codec[pt[i]]))
			left += !has(out->gone, pt[i]);
		else if (put_back)
			rank[pt[i]] = (uint8_t)(count + 1);
	}
	sort(pt, n, rank, count + 1, out);
	if (out->count == n)
		return memcmp(pt, out->pt, n) == 0 ? SP_CODECS_SAME
						   : SP_CODECS_CHANGED;
	return left > 0 ? SP_CODECS_CHANGED : SP_CODECS_REFUSED;
}

bool
sp_sdp_codecs_gone(
	const struct sp_sdp_codecs *codecs, const struct sp_sdp_line *line)
{
	struct sp_sdp_text rest = line->value;
	uint32_t pt;

	return sp_sdp_text_number(sp_sdp_text_word(&rest),
		       SP_SDP_PAYLOAD_TYPES - 1, &pt) &&
		has(codecs->gone, pt);
}
