/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SDP in, SDP out. Of every body that is accepted: an edit that changes
 * nothing gives a body that says the same and does not change again; an edit
 * that moves all media leaves no address of the sender where it counts, always
 * fits SP_SDP_OUT_MAX, and parses again to exactly what was asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/negotiate.h"

static struct sp_sdp sdp, again;
static struct sp_sdp_edit edit;
static struct sp_plan plan;
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
		must(line.attr != SP_SDP_ATTR_CANDIDATE);
		must(line.attr != SP_SDP_ATTR_ICE);
		must(line.attr != SP_SDP_ATTR_ADDRESS);
		must(line.attr != SP_SDP_ATTR_BUNDLE);
		if (line.type == 'c')
			must(memmem(line.value.at, line.value.len, text,
				     strlen(text)) ||
				memmem(line.value.at, line.value.len,
					"IN IP4 0.0.0.0", 14) ||
				memmem(line.value.at, line.value.len,
					"IN IP6 ::", 9));
		if (line.attr == SP_SDP_ATTR_RTCP)
			must(!memchr(line.value.at, ' ', line.value.len));
	}
}

/* Move all media to us; @mood decides what the request wishes. */
static void
check_relayed(uint8_t mood)
{
	static const uint8_t ip4[4] = { 203, 0, 113, 1 };
	static const uint8_t ip6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	const struct sp_policy policy = {
		.rtcp_mux = mood & 31,
		.replace = mood >> 5 & 3,
		.keep_direction = mood >> 7,
	};
	const struct sp_negotiate_own own = { NULL, 0 };
	const struct sp_addr ours =
		mood & 1 ? sp_addr_ip4(ip4, 30000) : sp_addr_ip6(ip6, 30000);
	struct sp_addr local[SP_SDP_MEDIA_MAX];
	struct sp_sdp_error error;
	bool kept = false;
	size_t len;

	for (unsigned int i = 0; i < SP_SDP_MEDIA_MAX; i++)
		local[i] = ours;
	if (sp_negotiate_offer(&sdp, &policy, &own, &error, &plan) != SP_OK)
		return;
	sp_negotiate_edit(&sdp, &plan, &policy, &ours, local, &edit);
	must(sp_sdp_edit(&sdp, &edit, first, sizeof first, &len) == SP_OK);
	if (!parse_again(first, len))
		return;
	must(again.media_count == sdp.media_count);
	for (unsigned int i = 0; i < sdp.media_count; i++) {
		const struct sp_sdp_media *m = &again.media[i];

		if (edit.media[i].keep) {
			must(sp_addr_equal(&m->addr, &sdp.media[i].addr));
			kept = true;
			continue;
		}
		check_section(m->section, &ours);
		must(m->addr.port == (plan.media[i].accepted ? 30000 : 0));
		must(m->rtcp.port == edit.media[i].rtcp_port);
		must((m->attrs >> SP_SDP_ATTR_RTCP_MUX & 1) ==
			plan.media[i].mux_written);
		must(m->direction == plan.media[i].direction ||
			edit.media[i].direction == SP_SDP_KEEP_DIRECTION);
	}
	if (!kept)
		check_section(again.session, &ours);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sp_sdp_error error = { .reason = NULL };
	const uint8_t mood = len > 0 ? data[len - 1] : 0;
	const char *body = (const char *)data;

	memset(&sdp, 0, sizeof sdp);
	if (sp_sdp_parse(body, len, &error, &sdp) != SP_OK) {
		must(error.reason != NULL && sdp.media_count == 0);
		return 0;
	}
	check_relayed((uint8_t)(mood + len));
	check_identity();
	return 0;
}
