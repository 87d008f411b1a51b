/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every folder of tests/vectors/sdp is a case: in.sdp and policy.json (what a
 * request may say) make out.sdp, byte for byte, or the line in error.
 *
 * policy.json has these keys; all but "kind" may be missing:
 *   kind               "offer" or "answer"
 *   session            our address (203.0.113.1)
 *   local, rtp_port    address of m= lines, "a b c" for each of them, and the
 *                      first one's port (30000; each next one is two higher)
 *   own                addresses that SDP may not name, "a b c"
 *   offered            of an answer, a word an m= line: "live,asked,..."
 *   rtcp_mux, replace, transport  words as in the HTTP API
 *   endpoint           where media is, whatever the SDP says
 *   advertised         written instead of the addresses above
 *   no_rtcp_attribute, full_rtcp_attribute, keep_direction, keep_ice,
 *   generate_mid, strip_extmap    true or false
 *   codec              {"strip": ["PCMU", ...], "offer": ...}
 *   attr               [["audio", "add", "x:y"], ["", "remove", "x"],
 *                      ["video", "substitute", "x", "z"]]
 *   username, session_name, version, loop   what was told before
 *   space              size of the output buffer
 * and those about keys that sdp_vector_keys.h has.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/negotiate.h"
#include "sdp_vector_keys.h"

#define FOLDER "tests/vectors/sdp"
#define CASES_MIN 200

/* One case, read. */
struct vector {
	struct sp_policy policy;
	struct sp_addr session;
	struct sp_addr local[SP_SDP_MEDIA_MAX];
	struct sp_addr own[8];
	size_t own_count;
	uint8_t offered[SP_SDP_MEDIA_MAX];
	size_t offered_count;
	size_t space;
	bool answer;
	struct sp_negotiate_told told;
	struct vector_keys keys;
	json_t *root; /* has the texts */
};

struct bits {
	const char *word;
	uint8_t bit;
};

static const struct bits mux_bits[] = {
	{ "offer", SP_RTCP_MUX_OFFER },
	{ "require", SP_RTCP_MUX_REQUIRE },
	{ "demux", SP_RTCP_MUX_DEMUX },
	{ "accept", SP_RTCP_MUX_ACCEPT },
	{ "reject", SP_RTCP_MUX_REJECT },
	{ NULL, 0 },
};

static const struct bits replace_bits[] = {
	{ "origin", SP_REPLACE_ORIGIN },
	{ "zero-address", SP_REPLACE_ZERO_ADDRESS },
	{ "username", SP_REPLACE_USERNAME },
	{ "session-name", SP_REPLACE_SESSION_NAME },
	{ "sdp-version", SP_REPLACE_SDP_VERSION },
	{ NULL, 0 },
};

static const struct bits offered_bits[] = {
	{ "live", SP_OFFERED_LIVE },
	{ "asked", SP_OFFERED_MUX_ASKED },
	{ "written", SP_OFFERED_MUX_WRITTEN },
	{ "yes", SP_OFFERED_MUX_YES },
	{ "mid", SP_OFFERED_MID_OURS },
	{ "none", 0 },
	{ "RTP/AVP", SP_OFFERED_TRANSPORT *SP_TRANSPORT_RTP_AVP },
	{ "RTP/AVPF", SP_OFFERED_TRANSPORT *SP_TRANSPORT_RTP_AVPF },
	{ "RTP/SAVP", SP_OFFERED_TRANSPORT *SP_TRANSPORT_RTP_SAVP },
	{ "RTP/SAVPF", SP_OFFERED_TRANSPORT *SP_TRANSPORT_RTP_SAVPF },
	{ "UDP/TLS/RTP/SAVP", SP_OFFERED_TRANSPORT *SP_TRANSPORT_DTLS_SAVP },
	{ "UDP/TLS/RTP/SAVPF", SP_OFFERED_TRANSPORT *SP_TRANSPORT_DTLS_SAVPF },
	{ NULL, 0 },
};

static const struct bits codec_words[] = {
	{ "strip", SP_CODEC_STRIP },
	{ "offer", SP_CODEC_OFFER },
	{ "except", SP_CODEC_EXCEPT },
	{ "mask", SP_CODEC_MASK },
	{ NULL, 0 },
};

static const struct bits attr_words[] = {
	{ "add", SP_ATTR_ADD },
	{ "remove", SP_ATTR_REMOVE },
	{ "substitute", SP_ATTR_SUBSTITUTE },
	{ NULL, 0 },
};

static uint8_t
read_bits(const struct bits *names, const char *text)
{
	char copy[128], *at = NULL;
	uint8_t all = 0;

	snprintf(copy, sizeof copy, "%s", text);
	for (char *w = strtok_r(copy, " ,", &at); w;
		w = strtok_r(NULL, " ,", &at)) {
		const struct bits *n = names;

		while (n->word && strcmp(n->word, w) != 0)
			n++;
		cr_assert(n->word != NULL, "unknown word %s", w);
		all |= n->bit;
	}
	return all;
}

static size_t
read_addresses(const char *text, struct sp_addr *out, size_t most)
{
	char copy[256], *at = NULL;
	size_t n = 0;

	snprintf(copy, sizeof copy, "%s", text);
	for (char *w = strtok_r(copy, " ", &at); w && n < most;
		w = strtok_r(NULL, " ", &at))
		cr_assert(sp_addr_parse(w, strlen(w), &out[n++]) == SP_OK, "%s",
			w);
	return n;
}

static void
read_offered(const char *text, struct vector *v)
{
	char copy[256], *at = NULL;

	snprintf(copy, sizeof copy, "%s", text);
	for (char *w = strtok_r(copy, " ", &at); w;
		w = strtok_r(NULL, " ", &at))
		v->offered[v->offered_count++] = read_bits(offered_bits, w);
}

/* The lines of @v that policy.json left out, and one address for each m=. */
static void
complete(struct vector *v, size_t locals, int rtp_port)
{
	if (v->session.family == SP_FAMILY_NONE)
		read_addresses("203.0.113.1", &v->session, 1);
	for (size_t i = 0; i < SP_SDP_MEDIA_MAX; i++) {
		if (locals == 0)
			v->local[i] = v->session;
		else if (i >= locals)
			v->local[i] = v->local[locals - 1];
		v->local[i].port = (uint16_t)(rtp_port + 2 * (int)i);
	}
}

static struct sp_sdp_text
text_of(const json_t *value)
{
	return (struct sp_sdp_text){
		json_string_value(value),
		json_string_length(value),
	};
}

static void
read_codecs(json_t *root, struct sp_policy *policy)
{
	const char *what;
	json_t *list, *name;
	size_t i;

	json_object_foreach(root, what, list)
	{
		json_array_foreach(list, i, name)
		{
			policy->codec[policy->n_codec++] =
				(struct sp_codec_wish){
					.name = text_of(name),
					.what = read_bits(codec_words, what),
				};
		}
	}
}

static void
read_attributes(json_t *root, struct sp_policy *policy)
{
	json_t *wish;
	size_t i;

	json_array_foreach(root, i, wish)
	{
		policy->attr[policy->n_attr++] = (struct sp_attr_wish){
			.media = text_of(json_array_get(wish, 0)),
			.what = read_bits(attr_words,
				json_string_value(json_array_get(wish, 1))),
			.text = text_of(json_array_get(wish, 2)),
			.with = text_of(json_array_get(wish, 3)),
		};
	}
}

/* Keys of the policy; false if it is none of these. */
static bool
read_wish(struct vector *v, const char *key, json_t *value)
{
	struct sp_policy *policy = &v->policy;
	const struct {
		const char *key;
		bool *to;
	} flags[] = {
		{ "no_rtcp_attribute", &policy->no_rtcp_attribute },
		{ "full_rtcp_attribute", &policy->full_rtcp_attribute },
		{ "keep_direction", &policy->keep_direction },
		{ "keep_ice", &policy->keep_ice },
		{ "generate_mid", &policy->generate_mid },
		{ "strip_extmap", &policy->strip_extmap },
	};
	const char *text = json_string_value(value);

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (strcmp(key, flags[i].key) == 0)
			return *flags[i].to = json_is_true(value);
	}
	if (strcmp(key, "rtcp_mux") == 0)
		policy->rtcp_mux = read_bits(mux_bits, text);
	else if (strcmp(key, "replace") == 0)
		policy->replace = read_bits(replace_bits, text);
	else if (strcmp(key, "transport") == 0)
		policy->transport =
			read_bits(offered_bits, text) / SP_OFFERED_TRANSPORT;
	else if (strcmp(key, "endpoint") == 0)
		read_addresses(text, &policy->endpoint, 1);
	else if (strcmp(key, "advertised") == 0)
		read_addresses(text, &policy->advertised, 1);
	else if (strcmp(key, "codec") == 0)
		read_codecs(value, policy);
	else if (strcmp(key, "attr") == 0)
		read_attributes(value, policy);
	else
		return false;
	return true;
}

/* Keys of what was told before; false if it is none of these. */
static bool
read_told(struct vector *v, const char *key, json_t *value)
{
	if (strcmp(key, "username") == 0)
		v->told.username = text_of(value);
	else if (strcmp(key, "session_name") == 0)
		v->told.session_name = text_of(value);
	else if (strcmp(key, "version") == 0)
		v->told.version = (uint64_t)json_integer_value(value);
	else if (strcmp(key, "loop") == 0)
		v->told.loop = text_of(value);
	else
		return false;
	return true;
}

static struct vector
read_policy(const char *path)
{
	struct vector v = { .space = SP_SDP_OUT_MAX };
	json_t *value;
	size_t locals = 0;
	int rtp_port = 30000;
	const char *key;

	v.root = json_load_file(path, JSON_ALLOW_NUL, NULL);
	cr_assert(v.root != NULL, "%s", path);
	json_object_foreach(v.root, key, value)
	{
		const char *text = json_string_value(value);

		if (strcmp(key, "kind") == 0)
			v.answer = strcmp(text, "answer") == 0;
		else if (strcmp(key, "session") == 0)
			read_addresses(text, &v.session, 1);
		else if (strcmp(key, "local") == 0)
			locals =
				read_addresses(text, v.local, SP_SDP_MEDIA_MAX);
		else if (strcmp(key, "rtp_port") == 0)
			rtp_port = (int)json_integer_value(value);
		else if (strcmp(key, "own") == 0)
			v.own_count = read_addresses(text, v.own, 8);
		else if (strcmp(key, "offered") == 0)
			read_offered(text, &v);
		else if (strcmp(key, "space") == 0)
			v.space = (size_t)json_integer_value(value);
		else
			cr_assert(read_wish(&v, key, value) ||
					read_told(&v, key, value) ||
					read_keys(&v.keys, &v.policy.sdes, key,
						value),
				"%s: unknown key %s", path, key);
	}
	complete(&v, locals, rtp_port);
	return v;
}

/* Return the length of the file in @buf; -1 if there is none. */
static long
slurp(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return -1;
	n = fread(buf, 1, size, f);
	fclose(f);
	return (long)n;
}

/* Do what a request does; an error becomes the text of the file "error". */
static size_t
run(const struct vector *v, const char *in, size_t len, char *out)
{
	static struct sp_sdp sdp;
	static struct sp_plan plan;
	static struct sp_plan_keys keys[SP_SDP_MEDIA_MAX];
	static struct sp_sdp_edit edit;
	const struct sp_negotiate_own own = { v->own, v->own_count };
	struct sp_sdp_error error = { 0 };
	enum sp_status status = sp_sdp_parse(in, len, &error, &sdp);
	size_t written = 0;

	if (status == SP_OK && v->answer)
		status = sp_negotiate_answer(&sdp, &v->policy, &own, v->offered,
			v->offered_count, &error, &plan);
	else if (status == SP_OK)
		status = sp_negotiate_offer(
			&sdp, &v->policy, &own, &error, &plan);
	if (status == SP_OK)
		status = plan_keys(&v->keys, &sdp, &v->policy, v->offered,
			&plan, keys, &error);
	if (status == SP_OK) {
		sp_negotiate_edit(&sdp, &plan, &v->policy, keys, &v->told,
			&v->session, v->local, &edit);
		status = sp_sdp_edit(&sdp, &edit, out, v->space, &written);
	}
	if (status == SP_OK)
		return written;
	return (size_t)sprintf(out, "%s; line %u, m= %u: %s\n",
		sp_status_text(status), error.line, error.media,
		error.reason ? error.reason : "-");
}

/* The tests run in a build folder somewhere: this file knows the way. */
static const char *
folder(void)
{
	static char path[512];
	const char *end = strstr(__FILE__, "tests/relay/");

	cr_assert(end != NULL);
	snprintf(path, sizeof path, "%.*s" FOLDER, (int)(end - __FILE__),
		__FILE__);
	return path;
}

static bool
check_case(const char *name)
{
	static char in[2 * SP_SDP_MAX], want[SP_SDP_OUT_MAX],
		out[SP_SDP_OUT_MAX];
	char path[1024];
	struct vector v;
	long len, want_len;
	size_t got;

	snprintf(path, sizeof path, "%s/%s/policy.json", folder(), name);
	v = read_policy(path);
	snprintf(path, sizeof path, "%s/%s/in.sdp", folder(), name);
	len = slurp(path, in, sizeof in);
	cr_assert(len >= 0, "%s", path);
	got = run(&v, in, (size_t)len, out);
	json_decref(v.root);

	snprintf(path, sizeof path, "%s/%s/out.sdp", folder(), name);
	want_len = slurp(path, want, sizeof want);
	if (want_len < 0) {
		snprintf(path, sizeof path, "%s/%s/error", folder(), name);
		want_len = slurp(path, want, sizeof want);
	}
	cr_expect(want_len >= 0, "%s has neither out.sdp nor error", name);
	if (want_len >= 0 && got == (size_t)want_len &&
		memcmp(out, want, got) == 0)
		return true;
	cr_expect(false, "%s gives\n%.*s", name, (int)got, out);
	return false;
}

Test(sdp_vectors, every_case_gives_what_its_folder_says)
{
	DIR *dir = opendir(folder());
	struct dirent *entry;
	int cases = 0;

	cr_assert(dir != NULL, "%s", folder());
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			cases += check_case(entry->d_name);
	}
	closedir(dir);
	cr_expect(ge(int, cases, CASES_MIN));
}
