/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/pktgen.h"
#include "bench/pktgen_ng.h"
#include "bench/pktgen_srtp.h"
#include "relay/sdp.h"
#include "relay/srtp_conf.h"

#define WINDOW 32u /* requests under way */
#define WAIT_S 0.5 /* for a reply */
#define TRIES 10u

enum step {
	STEP_OFFER,
	STEP_ANSWER,
	STEP_DELETE
};

/* A call whose request is under way. */
struct slot {
	uint32_t call;
	uint32_t tries;
	uint64_t sent;
	enum step step;
	bool busy;
};

static uint32_t run_id; /* no two runs have a call or a cookie in common */

static bool
is_secure(const struct pktgen *g, uint32_t party)
{
	return g->conf.suite[party % 2] != SP_SRTP_NONE;
}

static void
write_sdp(const struct pktgen *g, uint32_t party, char *to, size_t size)
{
	const struct sp_addr at = pktgen_party(g, party);
	char ip[SP_ADDR_TEXT];
	int len;

	sp_addr_print_ip(&at, ip);
	len = snprintf(to, size,
		"v=0\r\no=- %u 1 IN IP4 %s\r\ns=call\r\nc=IN IP4 %s\r\n"
		"t=0 0\r\nm=audio %u RTP/%s 0 13 101\r\n"
		"a=rtpmap:0 PCMU/8000\r\na=rtpmap:13 CN/8000\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
		"a=ptime:%u\r\na=sendrecv\r\n",
		party, ip, ip, at.port, is_secure(g, party) ? "SAVP" : "AVP",
		g->conf.ptime_ms);
	pktgen_srtp_offer(g, party, to + len, size - (size_t)len);
}

static void
send_slot(struct pktgen *g, const struct slot *slot)
{
	static const char *const command[] = { "offer", "answer", "delete" };
	char text[4096], sdp[2048], id[48], tag[48];
	struct pktgen_ng_text t = { text, sizeof text, 0 };

	snprintf(id, sizeof id, "pktgen-%08x-%u", run_id, slot->call);
	pktgen_ng_printf(&t, "%08x_%u_%d ", run_id, slot->call, slot->step);
	pktgen_ng_printf(&t, "d");
	pktgen_ng_pair(&t, "command", command[slot->step]);
	pktgen_ng_pair(&t, "call-id", id);
	snprintf(tag, sizeof tag, "a%u", slot->call);
	pktgen_ng_pair(&t, "from-tag", tag);
	if (slot->step == STEP_ANSWER) {
		snprintf(tag, sizeof tag, "b%u", slot->call);
		pktgen_ng_pair(&t, "to-tag", tag);
	}
	if (slot->step != STEP_DELETE) {
		write_sdp(g, 2 * slot->call + (slot->step == STEP_ANSWER), sdp,
			sizeof sdp);
		pktgen_ng_pair(&t, "sdp", sdp);
		pktgen_ng_printf(&t, "7:replacel6:origine3:ICE6:remove");
	}
	if (slot->step == STEP_OFFER && g->srtp)
		pktgen_ng_pair(&t, "transport-protocol",
			is_secure(g, PKTGEN_B) ? "RTP/SAVP" : "RTP/AVP");
	if (slot->step == STEP_OFFER && is_secure(g, PKTGEN_B)) {
		snprintf(tag, sizeof tag, "only-%s",
			sp_srtp_facts(g->conf.suite[PKTGEN_B])->name);
		pktgen_ng_printf(&t, "4:SDESl");
		pktgen_ng_string(&t, tag);
		pktgen_ng_printf(&t, "e");
	}
	if (slot->step == STEP_OFFER && g->conf.realm[0]) {
		pktgen_ng_printf(&t, "9:directionl");
		pktgen_ng_string(&t, g->conf.realm[0]);
		pktgen_ng_string(&t, g->conf.realm[1]);
		pktgen_ng_printf(&t, "e");
	}
	pktgen_ng_printf(&t, "e");
	pktgen_ng_send(text, t.len);
}

/* The SDP that @party got says where it sends. */
static void
take_sdp(struct pktgen *g, uint32_t party, const char *reply, size_t len)
{
	struct sp_sdp_error error = { 0 };
	struct sp_sdp sdp;
	size_t sdp_len;
	const char *body = pktgen_ng_find(reply, len, "3:sdp", &sdp_len);

	if (!body || sp_sdp_parse(body, sdp_len, &error, &sdp) != SP_OK ||
		sdp.media_count != 1 || sdp.media[0].addr.port == 0)
		pktgen_die("call %u: no media in %.*s", party / 2, (int)len,
			reply);
	pktgen_srtp_agree(g, party, &sdp.media[0]);
	g->target[party].rtp = sdp.media[0].addr;
	g->target[party].rtcp = g->target[party].rtp;
	g->target[party].rtcp.port++;
	if (sdp.media[0].rtcp.port > 0)
		g->target[party].rtcp.port = sdp.media[0].rtcp.port;
}

/* Returns whether the call goes on with another request. */
static bool
take_reply(struct pktgen *g, struct slot *slot, const char *reply, size_t len)
{
	if (slot->step == STEP_DELETE)
		return false;
	if (!memmem(reply, len, "6:result2:ok", 12))
		pktgen_die("call %u is refused: %.*s", slot->call, (int)len,
			reply);
	/* What the offer became is B's. */
	take_sdp(g, 2 * slot->call + (slot->step == STEP_OFFER), reply, len);
	return slot->step++ == STEP_OFFER;
}

static void
take_replies(struct pktgen *g, struct slot *slots)
{
	char reply[PKTGEN_NG_MAX];
	size_t len;

	while ((len = pktgen_ng_receive(reply)) > 0) {
		unsigned int run, call, step;

		if (sscanf(reply, "%8x_%u_%u ", &run, &call, &step) != 3 ||
			run != run_id)
			continue;
		for (unsigned int i = 0; i < WINDOW; i++) {
			struct slot *s = &slots[i];

			if (!s->busy || s->call != call || s->step != step)
				continue;
			s->busy = take_reply(g, s, reply, len);
			s->tries = 1;
			s->sent = rte_rdtsc();
			if (s->busy)
				send_slot(g, s);
		}
	}
}

/* All calls begin with @step and go as far as it leads. */
static void
walk(struct pktgen *g, enum step step)
{
	struct slot slots[WINDOW] = { 0 };
	uint32_t next = 0;
	bool any = true;

	while (any) {
		any = false;
		for (unsigned int i = 0; i < WINDOW; i++) {
			struct slot *s = &slots[i];
			const uint64_t now = rte_rdtsc();

			if (!s->busy && next < g->conf.calls)
				*s = (struct slot){ .call = next++,
					.step = step,
					.busy = true };
			if (!s->busy)
				continue;
			any = true;
			if (s->tries > 0 &&
				(double)(now - s->sent) < WAIT_S * g->hz)
				continue;
			if (s->tries++ == TRIES)
				pktgen_die("call %u: no reply", s->call);
			s->sent = now;
			send_slot(g, s);
		}
		pktgen_ng_wait();
		take_replies(g, slots);
		pktgen_receive(g);
	}
}

void
pktgen_calls_open(struct pktgen *g)
{
	run_id = (uint32_t)getpid() ^ (uint32_t)time(NULL) << 15;
	if (!g->conf.ng) {
		for (uint32_t i = 0; i < g->n; i++)
			g->target[i].rtp = pktgen_party(g, i ^ 1);
		return;
	}
	if (!pktgen_ng_open(g->conf.ng, g->conf.netns))
		pktgen_die("%s: %s", g->conf.ng, strerror(errno));
	walk(g, STEP_OFFER);
}

void
pktgen_calls_close(struct pktgen *g)
{
	if (!g->conf.ng)
		return;
	walk(g, STEP_DELETE);
	pktgen_ng_close();
}
