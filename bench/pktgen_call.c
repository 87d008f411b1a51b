/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "bench/pktgen.h"
#include "bench/pktgen_door.h"
#include "bench/pktgen_srtp.h"
#include "relay/sdp.h"
#include "relay/srtp_conf.h"

#define WINDOW PKTGEN_DOOR_SLOTS
#define WAIT_S 0.5 /* for a reply, until it is asked for again */
#define TRIES 10u

/* A call whose request is under way. */
struct slot {
	uint32_t call;
	uint32_t tries;
	uint64_t sent;
	enum pktgen_step step;
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
	const unsigned int family = at.family;
	char ip[SP_ADDR_TEXT];
	int len;

	sp_addr_print_ip(&at, ip);
	len = snprintf(to, size,
		"v=0\r\no=- %u 1 IN IP%u %s\r\ns=call\r\nc=IN IP%u %s\r\n"
		"t=0 0\r\nm=audio %u RTP/%s 0 13 101\r\n"
		"a=rtpmap:0 PCMU/8000\r\na=rtpmap:13 CN/8000\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
		"a=ptime:%u\r\na=sendrecv\r\n",
		party, family, ip, family, ip, at.port,
		is_secure(g, party) ? "SAVP" : "AVP", g->conf.ptime_ms);
	pktgen_srtp_offer(g, party, to + len, size - (size_t)len);
}

static void
send_slot(struct pktgen *g, unsigned int i, const struct slot *slot)
{
	struct pktgen_ask ask = { .run = run_id,
		.call = slot->call,
		.step = slot->step,
		.realm = { g->conf.realm[0], g->conf.realm[1] },
		.host = g->conf.http,
		.token = g->conf.token };
	char sdp[2048];

	if (slot->step != PKTGEN_DELETE) {
		write_sdp(g, 2 * slot->call + (slot->step == PKTGEN_ANSWER),
			sdp, sizeof sdp);
		ask.sdp = sdp;
	}
	if (g->srtp)
		ask.transport = is_secure(g, PKTGEN_B) ? "RTP/SAVP" : "RTP/AVP";
	if (g->conf.first[PKTGEN_A].family != g->conf.first[PKTGEN_B].family)
		ask.family = g->conf.first[PKTGEN_B].family == SP_FAMILY_IP6
			? "IP6"
			: "IP4";
	if (is_secure(g, PKTGEN_B))
		ask.suite = sp_srtp_facts(g->conf.suite[PKTGEN_B])->name;
	pktgen_door_send(i, &ask);
}

/* The SDP that @party got says where it sends. */
static void
take_sdp(struct pktgen *g, uint32_t party, const struct pktgen_said *said,
	const char *text)
{
	struct sp_sdp_error error = { 0 };
	struct sp_sdp sdp;

	if (!said->sdp ||
		sp_sdp_parse(said->sdp, said->sdp_len, &error, &sdp) != SP_OK ||
		sdp.media_count != 1 || sdp.media[0].addr.port == 0 ||
		sdp.media[0].addr.family != g->conf.first[party % 2].family)
		pktgen_die("call %u: no media in %s", party / 2, text);
	pktgen_srtp_agree(g, party, &sdp.media[0]);
	g->target[party].rtp = sdp.media[0].addr;
	g->target[party].rtcp = g->target[party].rtp;
	g->target[party].rtcp.port++;
	if (sdp.media[0].rtcp.port > 0)
		g->target[party].rtcp.port = sdp.media[0].rtcp.port;
}

/* Returns whether the call goes on with another request. */
static bool
take_reply(struct pktgen *g, struct slot *slot, const struct pktgen_said *said,
	const char *text)
{
	if (slot->step == PKTGEN_DELETE)
		return false;
	if (!said->ok)
		pktgen_die("call %u is refused: %s", slot->call, text);
	/* What the offer became is B's. */
	take_sdp(g, 2 * slot->call + (slot->step == PKTGEN_OFFER), said, text);
	return slot->step++ == PKTGEN_OFFER;
}

/* The slot that a reply is of; WINDOW: none. */
static unsigned int
slot_of(const struct slot *slots, int from, const struct pktgen_said *said)
{
	unsigned int i = 0;

	if (from < (int)WINDOW)
		return slots[from].busy ? (unsigned int)from : WINDOW;
	while (i < WINDOW &&
		(!slots[i].busy || slots[i].call != said->call ||
			slots[i].step != said->step))
		i++;
	return said->run == run_id ? i : WINDOW;
}

static void
take_replies(struct pktgen *g, struct slot *slots)
{
	static struct pktgen_said said;
	const char *text;
	int from;

	while ((from = pktgen_door_receive(&said, &text)) >= 0) {
		const unsigned int i = slot_of(slots, from, &said);
		struct slot *s = &slots[i];

		if (i == WINDOW)
			continue;
		s->busy = take_reply(g, s, &said, text);
		s->tries = 1;
		s->sent = rte_rdtsc();
		if (s->busy)
			send_slot(g, i, s);
	}
}

/* Is it time to ask, the first time or again? */
static bool
is_due(const struct pktgen *g, const struct slot *s, uint64_t now)
{
	if (s->tries == 0)
		return true;
	return (double)(now - s->sent) >= WAIT_S * g->hz;
}

/* All calls from @first on, @n of them, begin with @step and go as far as it
   leads. */
static void
walk(struct pktgen *g, enum pktgen_step step, uint32_t first, uint32_t n)
{
	struct slot slots[WINDOW] = { 0 };
	uint32_t next = first;
	bool any = true;

	while (any) {
		any = false;
		for (unsigned int i = 0; i < WINDOW; i++) {
			struct slot *s = &slots[i];
			const uint64_t now = rte_rdtsc();

			if (!s->busy && next < first + n)
				*s = (struct slot){ .call = next++,
					.step = step,
					.busy = true };
			if (!s->busy)
				continue;
			any = true;
			if (!is_due(g, s, now))
				continue;
			if (s->tries++ == TRIES)
				pktgen_die("call %u: no reply", s->call);
			s->sent = now;
			if (s->tries == 1 || !pktgen_door_is_sure())
				send_slot(g, i, s);
		}
		pktgen_door_wait();
		take_replies(g, slots);
		pktgen_receive(g);
	}
}

void
pktgen_calls_open(struct pktgen *g)
{
	const struct pktgen_conf *c = &g->conf;

	if (!c->ng && !c->http) {
		for (uint32_t i = 0; i < g->n; i++)
			g->target[i].rtp = pktgen_party(g, i ^ 1);
		return;
	}
	if (run_id == 0) {
		run_id = (uint32_t)getpid() ^ (uint32_t)time(NULL) << 15;
		pktgen_door_open(c->http, c->http ? c->http : c->ng, c->netns);
	}
	run_id++;
	walk(g, PKTGEN_OFFER, 0, c->calls);
}

void
pktgen_calls_end(struct pktgen *g, uint32_t first, uint32_t n)
{
	if (g->conf.ng || g->conf.http)
		walk(g, PKTGEN_DELETE, first, n);
}

void
pktgen_calls_close(struct pktgen *g)
{
	pktgen_calls_end(g, 0, g->conf.calls);
	if (run_id != 0)
		pktgen_door_close();
}
