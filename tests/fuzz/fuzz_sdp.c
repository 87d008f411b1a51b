/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SDP in, SDP out. Of every body that is accepted: an edit that changes
 * nothing gives a body that says the same and does not change again; an edit
 * that moves all media, with any mix of policies, leaves no address of the
 * sender where it counts, parses again to exactly what was asked for, with
 * the keys that were planned and no others, and asked of that again it changes
 * nothing more; the buffer is full only if the request has long texts of its
 * own.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/negotiate_keys.h"

#define SEED 12 /* bytes that decide what a request wishes */

static struct sp_policy policy;
static struct sp_negotiate_told told;
static struct sp_sdp sdp, again;
static struct sp_sdp_edit edit;
static struct sp_plan plan;
static struct sp_plan_keys keys[SP_SDP_MEDIA_MAX];
static char first[SP_SDP_OUT_MAX];
static char second[SP_SDP_OUT_MAX];

static void
must(bool truth)
{
	if (!truth)
		abort();
}

/* False: our lines took a body that was at a limit over it. That may be. */
static bool
parse_again(const char *body, size_t len)
{
	struct sp_sdp_error error;
	const enum sp_status status = sp_sdp_parse(body, len, &error, &again);

	must(status == SP_OK || status == SP_TOO_LONG);
	return status == SP_OK;
}

static bool
same_text(struct sp_sdp_text a, struct sp_sdp_text b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.at, b.at, a.len));
}

static void
check_same_media(const struct sp_sdp_media *a, const struct sp_sdp_media *b)
{
	must(same_text(a->type, b->type));
	must(same_text(a->proto, b->proto));
	must(same_text(a->formats, b->formats));
	must(!memcmp(
		a->payload_types, b->payload_types, sizeof a->payload_types));
	must(a->clock_hz == b->clock_hz);
	must(a->ptime_ms == b->ptime_ms);
	must(a->kind == b->kind);
	must(a->secure == b->secure);
	must(a->direction == b->direction);
}

/* Each m= line gets what it has: nothing may come out differently. */
static void
ask_for_the_same(void)
{
	memset(&edit, 0, sizeof edit);
	edit.addr = sdp.addr;
	for (unsigned int i = 0; i < sdp.media_count; i++) {
		const struct sp_sdp_media *m = &sdp.media[i];

		edit.media[i] = (struct sp_sdp_edit_media){
			.addr = m->addr,
			.rtcp_port = m->rtcp.port,
			.direction = SP_SDP_KEEP_DIRECTION,
			.rtcp_mux = m->attrs >> SP_SDP_ATTR_RTCP_MUX & 1,
		};
	}
}

static void
check_identity(void)
{
	size_t len, len_again;

	ask_for_the_same();
	must(sp_sdp_edit(&sdp, &edit, first, sizeof first, &len) == SP_OK);
	if (!parse_again(first, len))
		return;
	must(again.media_count == sdp.media_count);
	must(again.direction == sdp.direction);
	must(same_text(again.origin, sdp.origin));
	must(sp_addr_same_ip(&again.addr, &sdp.addr));
	for (unsigned int i = 0; i < sdp.media_count; i++) {
		check_same_media(&sdp.media[i], &again.media[i]);
		must(sp_addr_equal(&sdp.media[i].addr, &again.media[i].addr));
		must(sdp.media[i].rtcp.port == again.media[i].rtcp.port);
	}

	sdp = again;
	ask_for_the_same();
	must(sp_sdp_edit(&sdp, &edit, second, sizeof second, &len_again) ==
		SP_OK);
	must(len == len_again && memcmp(first, second, len) == 0);
}

/* No c=, a=rtcp or candidate of the other side is left in what we relay. */
static void
check_section(struct sp_sdp_text section, const struct sp_addr *ours)
{
	struct sp_cursor c = sp_sdp_cursor(section);
	struct sp_sdp_line line;
	char text[SP_ADDR_TEXT];

	sp_addr_print_ip(ours, text);
	while (sp_sdp_next_line(&c, &line)) {
		must(policy.keep_ice || line.attr != SP_SDP_ATTR_CANDIDATE);
		must(policy.keep_ice || line.attr != SP_SDP_ATTR_ICE);
		must(line.attr != SP_SDP_ATTR_ADDRESS);
		must(line.attr != SP_SDP_ATTR_BUNDLE);
		must(!policy.strip_extmap || policy.n_attr > 0 ||
			line.attr != SP_SDP_ATTR_EXTMAP);
		if (line.type == 'c' ||
			(line.attr == SP_SDP_ATTR_RTCP &&
				policy.full_rtcp_attribute))
			must(memmem(line.value.at, line.value.len, text,
				     strlen(text)) ||
				memmem(line.value.at, line.value.len,
					"IN IP4 0.0.0.0", 14) ||
				memmem(line.value.at, line.value.len,
					"IN IP6 ::", 9));
		else if (line.attr == SP_SDP_ATTR_RTCP)
			must(!memchr(line.value.at, ' ', line.value.len));
	}
}

/* A text out of the body itself: a word of it, or what a fuzzer thought of. */
static struct sp_sdp_text
some_text(uint8_t seed)
{
	static const char *const fixed[] = { "all", "PCMU", "opus/48000/2",
		"telephone-event", "rtpmap", "sendrecv", "ptime", "x:1",
		"rtcp:9", "candidate:1", "ice-lite", "fmtp:101 0-15" };
	const size_t n = sizeof fixed / sizeof *fixed;
	const size_t at = sdp.body.len * seed / 256;

	if (seed % 2 == 0)
		return (struct sp_sdp_text){
			fixed[seed / 2 % n],
			strlen(fixed[seed / 2 % n]),
		};
	return (struct sp_sdp_text){
		sdp.body.at + at,
		sdp.body.len - at < seed % 32u ? sdp.body.len - at : seed % 32u,
	};
}

/* Of what is asked about keys, most requests say nothing. */
static void
make_key_wishes(const uint8_t *seed, struct sp_sdes_policy *sdes)
{
	sdes->osrtp_offer = seed[8] & 1;
	sdes->osrtp_accept = seed[8] >> 1 & 1;
	sdes->lifetime = seed[8] >> 2 & 1;
	sdes->no_new = seed[8] >> 3 & 1;
	sdes->pass = seed[8] >> 4 == 1;
	sdes->off = seed[8] >> 4 == 2;
	sdes->without = seed[9] & 0x0e;
	sdes->add = seed[9] >> 5;
	sdes->n_order = seed[10] & 1;
	sdes->order[0] = 1 + seed[10] % (SP_SRTP_SUITES - 1);
}

/* Wishes from the last bytes of the body, which may be anything. */
static void
make_wishes(const uint8_t *seed)
{
	static const uint8_t ip4[4] = { 198, 51, 100, 7 };
	static const char *const media[] = { "", "audio", "video", "x" };

	memset(&policy, 0, sizeof policy);
	memset(&told, 0, sizeof told);
	policy.rtcp_mux = seed[0] & 31;
	policy.keep_direction = seed[0] >> 7;
	policy.replace = seed[1] & 31;
	policy.transport = seed[1] >> 5 & 7;
	policy.keep_ice = seed[2] & 1;
	policy.generate_mid = seed[2] >> 1 & 1;
	policy.strip_extmap = seed[2] >> 2 & 1;
	policy.full_rtcp_attribute = seed[2] >> 3 & 1;
	policy.no_rtcp_attribute = seed[2] >> 4 & 1;
	if (seed[2] >> 5 & 1)
		policy.endpoint = sp_addr_ip4(ip4, 0);
	if (policy.transport == SP_TRANSPORT_OTHER)
		policy.transport = SP_TRANSPORT_ANY;
	make_key_wishes(seed, &policy.sdes);
	if (seed[3] & 1)
		told.username = some_text(seed[4]);
	if (seed[3] & 2)
		told.session_name = some_text(seed[5]);
	if (seed[3] & 4)
		told.loop = some_text(seed[6]);
	told.version = seed[3] >> 3;
	policy.n_codec = seed[4] % 4;
	for (uint8_t i = 0; i < policy.n_codec; i++)
		policy.codec[i] = (struct sp_codec_wish){
			some_text(seed[5 + i]),
			seed[6 + i] % 4,
		};
	policy.n_attr = seed[7] % 4;
	for (uint8_t i = 0; i < policy.n_attr; i++)
		policy.attr[i] = (struct sp_attr_wish){
			.media = { media[seed[i] % 4],
				strlen(media[seed[i] % 4]) },
			.text = some_text(seed[1 + i]),
			.with = some_text(seed[2 + i]),
			.what = seed[3 + i] % 3,
		};
}

/* Does the request write lines of its own, or other ones away? */
static bool
textual(void)
{
	return policy.n_attr > 0 || policy.n_codec > 0;
}

/* Lines of keys are those that were planned; or they came, and may stay. */
static void
check_keys(unsigned int i)
{
	const struct sp_sdp_media *m = &again.media[i];
	const struct sp_plan_keys *k = &keys[i];
	struct sp_cursor c = sp_sdp_cursor(m->section);
	struct sp_sdp_line line;
	struct sp_sdes found;
	unsigned int n = 0;
	size_t at = 0;

	while (sp_sdp_next_line(&c, &line)) {
		n += line.attr == SP_SDP_ATTR_CRYPTO;
		must(!k->strip_keys ||
			(line.attr != SP_SDP_ATTR_FINGERPRINT &&
				line.attr != SP_SDP_ATTR_SETUP &&
				line.attr != SP_SDP_ATTR_TLS_ID &&
				line.attr != SP_SDP_ATTR_ZRTP_HASH &&
				line.attr != SP_SDP_ATTR_KEY_MGMT));
	}
	if (!k->strip_crypto)
		return;
	must(n == k->count);
	for (n = 0; n < k->count; n++) {
		must(sp_sdes_next(m, &at, &found));
		must(found.tag == k->line[n].tag);
		must(found.lifetime == k->line[n].lifetime);
		must(sp_srtp_conf_equal(&found.srtp, &k->line[n].srtp));
	}
}

/* What the plan promised of one m= line that is relayed. */
static void
check_media(unsigned int i, const struct sp_addr *ours, bool accepted)
{
	const struct sp_plan_media *p = &plan.media[i];
	const struct sp_sdp_media *m = &again.media[i];

	check_section(m->section, ours);
	must(m->addr.port == (accepted ? 30000 : 0));
	must(m->rtcp.port == edit.media[i].rtcp_port);
	must((m->attrs >> SP_SDP_ATTR_RTCP_MUX & 1) == p->mux_written);
	must(m->transport == p->written);
	must(m->kind == p->kind);
	/* What we can read is not offered keys; the session's may stay there
	   for the sake of another line. */
	must(p->secure || p->kind != SP_MEDIA_RTP || !m->secure ||
		m->other_keys || keys[i].count > 0 ||
		p->written == SP_TRANSPORT_OTHER ||
		sp_negotiate_secure(p->written));
	check_keys(i);
	must((m->payload_types[0] & ~p->payload_types[0]) == 0);
	must((m->payload_types[1] & ~p->payload_types[1]) == 0);
	must(p->kind != SP_MEDIA_RTP || m->formats.len > 0 ||
		sdp.media[i].formats.len == 0);
	if (textual())
		return;
	must(m->direction == p->direction ||
		edit.media[i].direction == SP_SDP_KEEP_DIRECTION);
	must(m->ptime_ms == p->ptime_ms && m->clock_hz == p->clock_hz);
	must(m->dtmf_types == p->dtmf_types);
	must(!memcmp(m->quiet, p->quiet, sizeof m->quiet));
	must(plan.answer || !policy.generate_mid ||
		m->attrs >> SP_SDP_ATTR_MID & 1);
}

/* Asked once more, now of its own words, it would say the same. */
static void
check_again(const struct sp_addr *ours, const struct sp_addr *local, size_t len)
{
	const struct sp_negotiate_own own = { NULL, 0 };
	struct sp_sdp_error error;
	size_t len_again;

	/* These have an effect each time, or are about what came. */
	for (unsigned int i = 0; i < again.media_count; i++)
		if (keys[i].count > 0 || keys[i].strip_keys)
			return;
	if (plan.answer || textual() || told.loop.len > 0 ||
		policy.generate_mid || policy.rtcp_mux != 0 ||
		sp_negotiate_offer(&again, &policy, &own, &error, &plan) !=
			SP_OK)
		return;
	sp_negotiate_edit(
		&again, &plan, &policy, NULL, &told, ours, local, &edit);
	must(sp_sdp_edit(&again, &edit, second, sizeof second, &len_again) ==
		SP_OK);
	must(len == len_again && memcmp(first, second, len) == 0);
}

/* An offer, or an answer to whatever may have been offered. */
static enum sp_status
negotiate(const uint8_t *seed)
{
	const struct sp_negotiate_own own = { NULL, 0 };
	uint8_t offered[SP_SDP_MEDIA_MAX];
	struct sp_sdp_error error;

	if (!(seed[2] >> 6 & 1))
		return sp_negotiate_offer(&sdp, &policy, &own, &error, &plan);
	for (unsigned int i = 0; i < SP_SDP_MEDIA_MAX; i++)
		offered[i] = seed[i % SEED];
	return sp_negotiate_answer(
		&sdp, &policy, &own, offered, SP_SDP_MEDIA_MAX, &error, &plan);
}

/* A key of ours, for lines that have none yet. */
static void
give_keys(struct sp_plan_keys *k)
{
	for (unsigned int n = 0; n < k->count; n++) {
		struct sp_srtp_conf *srtp = &k->line[n].srtp;
		const struct sp_srtp_facts *facts =
			sp_srtp_facts((enum sp_srtp_suite)srtp->suite);

		must(srtp->n_keys == 0);
		srtp->n_keys = 1;
		memset(srtp->key[0].key, 0x5a,
			facts->key_len + facts->salt_len);
	}
}

/* Any offer, or any answer to what the first line with keys had offered. */
static bool
plan_keys(const uint8_t *seed)
{
	const struct sp_keys_before before = {
		.offerer_srtp = seed[11] >> 4 == 1,
		.receiver_srtp = seed[11] >> 4 == 2,
	};
	struct sp_keys_offered offered = {
		.transport = 1 + seed[9] % SP_TRANSPORT_DTLS_SAVPF,
		.kinds = seed[10] & 15,
		.end_to_end = seed[10] >> 7,
	};
	struct sp_sdp_error error;
	struct sp_sdes line;

	memset(&line, 0, sizeof line);
	for (unsigned int i = 0; i < sdp.media_count; i++) {
		struct sp_plan_media *m = &plan.media[i];
		enum sp_status status;
		size_t at = 0;

		if (line.tag == 0 && sp_sdes_next(&sdp.media[i], &at, &line)) {
			offered.said = seed[11] & 1 ? &line : NULL;
			offered.line = &line;
			offered.n_line = 1;
		}
		if (plan.answer)
			status = sp_negotiate_keys_answer(&sdp, i, &policy,
				&offered, &error, m, &keys[i]);
		else
			status = sp_negotiate_keys_offer(
				&sdp, i, &policy, &before, &error, m, &keys[i]);
		if (status != SP_OK)
			return false;
		give_keys(&keys[i]);
	}
	return true;
}

/* Move all media to us; @seed decides what the request wishes. */
static void
check_relayed(const uint8_t *seed)
{
	static const uint8_t ip4[4] = { 203, 0, 113, 1 };
	static const uint8_t ip6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	const struct sp_addr ours =
		seed[0] & 1 ? sp_addr_ip4(ip4, 30000) : sp_addr_ip6(ip6, 30000);
	struct sp_addr local[SP_SDP_MEDIA_MAX];
	bool kept = false;
	size_t len;

	make_wishes(seed);
	for (unsigned int i = 0; i < SP_SDP_MEDIA_MAX; i++)
		local[i] = ours;
	if (negotiate(seed) != SP_OK)
		return;
	if (!plan_keys(seed))
		return;
	sp_negotiate_edit(
		&sdp, &plan, &policy, keys, &told, &ours, local, &edit);
	if (sp_sdp_edit(&sdp, &edit, first, sizeof first, &len) != SP_OK) {
		must(policy.n_attr > 0);
		return;
	}
	if (!parse_again(first, len))
		return;
	must(again.media_count == sdp.media_count);
	for (unsigned int i = 0; i < sdp.media_count; i++) {
		if (edit.media[i].keep) {
			must(sp_addr_equal(
				&again.media[i].addr, &sdp.media[i].addr));
			kept = true;
			continue;
		}
		check_media(i, &ours, plan.media[i].accepted);
	}
	if (!kept)
		check_section(again.session, &ours);
	check_again(&ours, local, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sp_sdp_error error = { .reason = NULL };
	const char *body = (const char *)data;
	uint8_t seed[SEED] = { 0 };

	memset(&sdp, 0, sizeof sdp);
	if (sp_sdp_parse(body, len, &error, &sdp) != SP_OK) {
		must(error.reason != NULL && sdp.media_count == 0);
		return 0;
	}
	for (size_t i = 0; i < len; i++) /* any change of the body counts */
		seed[i % SEED] = (uint8_t)(seed[i % SEED] * 31 + data[i]);
	check_relayed(seed);
	check_identity();
	return 0;
}
