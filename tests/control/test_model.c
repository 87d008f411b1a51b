/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random dialogues against what must always hold. The model knows what was
 * agreed; the service has to keep it, whatever fails in between.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "control/job.h"
#include "tests/control/rig.c"

#define CALLS 4u
#define BRANCHES 3u
#define PARTIES (BRANCHES + 1) /* the last one is the caller */
#define CALLER BRANCHES
#define LINES 3u
#define STEPS 4000u

struct model_call {
	unsigned int port[PARTIES][LINES]; /* as told to the other side */
	unsigned int lines[BRANCHES];      /* of the last offer */
	bool offered[BRANCHES];
	bool answered[BRANCHES];
	bool by_branch[BRANCHES];
};

static struct rig r;
static struct model_call model[CALLS];
static uint64_t seed;

static unsigned int
pick(unsigned int below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned int)(seed >> 33) % below;
}

/* A body with @lines lines, any of them perhaps off, held, muxed. */
static const char *
random_sdp(bool caller, unsigned int lines)
{
	static char text[RIG_SDP];
	static const char *const extra[] = { "", "", "a=rtcp-mux\r\n",
		"a=sendonly\r\n", "a=inactive\r\n", "a=recvonly\r\n" };
	int at = snprintf(text, sizeof text,
		"v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s.%u\r\n"
		"t=0 0\r\n",
		"192.0.2.1", caller ? "192.0.2" : "10.1.1", 1 + pick(3));

	for (unsigned int m = 0; m < lines; m++)
		at += snprintf(text + at, sizeof text - (size_t)at,
			"m=%s %u %s %s\r\n%s", m < 2 ? "audio" : "image",
			pick(6) == 0 ? 0 : 4000 + 2 * pick(4),
			m < 2 ? "RTP/AVP" : "udptl", m < 2 ? "8" : "t38",
			extra[pick(sizeof extra / sizeof *extra)]);
	return text;
}

static struct sp_call *
find(unsigned int c)
{
	char id[8];

	snprintf(id, sizeof id, "c%u", c);
	return sp_calls_find(&r.s->calls, rig_text(id));
}

static int
ask(unsigned int c, enum sp_verb verb, const char *from, const char *to,
	const char *branch, const char *sdp)
{
	struct sp_request request = rig_request(verb, from, to, branch, sdp);
	char id[8];

	snprintf(id, sizeof id, "c%u", c);
	request.call_id = rig_text(id);
	if (verb == SP_VERB_OFFER)
		request.policy.rtcp_mux =
			(uint8_t)(pick(4) == 0 ? 1u << pick(5) : 0);
	return rig_ask(&r, &request);
}

/* A call that is gone has no ports to be kept. */
static void
forget_ended(void)
{
	for (unsigned int c = 0; c < CALLS; c++)
		if (!find(c))
			memset(&model[c], 0, sizeof model[c]);
}

/* The ports of @party in the last answer are those it always had. */
static void
check_ports(unsigned int c, unsigned int party, unsigned int lines)
{
	for (unsigned int m = 0; m < lines; m++) {
		const unsigned int port = rig_port(rig_got(&r), m);
		unsigned int *had = &model[c].port[party][m];

		if (port == 0)
			continue;
		if (*had == 0)
			*had = port;
		cr_assert(eq(u32, port, *had), "call %u party %u line %u", c,
			party, m);
	}
}

static void
names(unsigned int b, char branch[8], char tag[8])
{
	snprintf(branch, 8, "z%u", b);
	snprintf(tag, 8, "b%u", b);
}

static void
step_offer(unsigned int c, unsigned int b)
{
	struct model_call *call = &model[c];
	const bool back = call->answered[b] && pick(3) == 0;
	const unsigned int lines = 1 + pick(LINES);
	char branch[8], tag[8];
	int http;

	names(b, branch, tag);
	http = ask(c, SP_VERB_OFFER, back ? tag : "a",
		back ? "a" : (call->answered[b] ? tag : NULL), branch,
		random_sdp(!back, lines));
	if (http != 200)
		return;
	call->offered[b] = true;
	call->by_branch[b] = back;
	call->lines[b] = lines;
	check_ports(c, back ? CALLER : b, lines);
}

static void
step_answer(unsigned int c, unsigned int b)
{
	struct model_call *call = &model[c];
	char branch[8], tag[8];
	const bool back = call->by_branch[b];
	int http;

	if (!call->offered[b])
		return;
	names(b, branch, tag);
	http = ask(c, SP_VERB_ANSWER, back ? tag : "a", back ? "a" : tag,
		branch, random_sdp(back, call->lines[b]));
	if (http != 200) {
		cr_expect(
			ge(int, http, 500), "%d %s %s", http, r.type, r.detail);
		return;
	}
	call->answered[b] = true;
	check_ports(c, back ? b : CALLER, call->lines[b]);
}

static void
step_delete(unsigned int c, unsigned int b)
{
	struct model_call *call = &model[c];
	char branch[8], tag[8];
	int http;

	names(b, branch, tag);
	if (pick(8) == 0)
		http = ask(c, SP_VERB_DELETE, "a", NULL, NULL, NULL);
	else if (call->answered[b] && pick(2) == 0)
		http = ask(c, SP_VERB_DELETE, "a", tag, NULL, NULL);
	else
		http = ask(c, SP_VERB_DELETE, "a", NULL, branch, NULL);
	if (http == 200) {
		call->offered[b] = call->answered[b] = false;
		memset(call->port[b], 0, sizeof call->port[b]);
	}
}

static void
step_time(void)
{
	for (unsigned int w = 0; w < r.dp->workers; w++)
		for (uint32_t f = 1; f < 400; f++)
			if (r.dp->flow[w][f].running)
				fake_media(r.dp, w, f);
	rig_sleep(&r, 1 + pick(5));
}

/* What is reserved and taken in all calls is what is missing elsewhere. */
static void
check_resources(void)
{
	static uint8_t owned[4][65536];
	const struct sp_text start = { 0 };
	unsigned int flows = 0, pairs = 0, used = 0;

	memset(owned, 0, sizeof owned);
	for (const struct sp_call *call = sp_calls_after(&r.s->calls, start);
		call; call = sp_calls_next(&r.s->calls, call)) {
		for (unsigned int p = 0; p < call->cast.count; p++) {
			const struct sp_party *party = call->cast.party[p];

			for (unsigned int m = 0; m < party->legs; m++) {
				const struct sp_leg *leg = &party->leg[m];

				for (int six = 0; six < 2; six++) {
					if (leg->pair[six].port == 0)
						continue;
					pairs++;
					cr_assert(eq(u32,
						owned[leg->pair[six].local]
						     [leg->pair[six].port]++,
						0));
				}
				flows += (leg->slot[0].flow != 0) +
					(leg->slot[1].flow != 0);
			}
		}
	}
	for (unsigned int l = 0; l < r.s->ports.locals; l++)
		for (unsigned int w = 0; w < r.dp->workers; w++)
			used += sp_ports_pool(&r.s->ports, w, l)->used;
	cr_assert(eq(u32, flows, r.dp->taken));
	cr_assert(eq(u32, pairs, used));
}

/* Whoever answered and was not deleted is still there, and relayed. */
static void
check_dialogues(void)
{
	for (unsigned int c = 0; c < CALLS; c++)
		for (unsigned int b = 0; b < BRANCHES; b++) {
			const struct sp_call *call = find(c);
			char branch[8], tag[8];
			uint8_t p;

			if (!model[c].answered[b])
				continue;
			names(b, branch, tag);
			cr_assert(ne(ptr, (void *)call, NULL));
			p = sp_party_by_tag(&call->cast, rig_text(tag));
			cr_assert(ne(u8, p, SP_NOBODY));
			cr_assert(call->cast.party[p]->answered);
		}
}

/* Each flow sends to flows that run, on the side that it should. */
static void
check_flows(void)
{
	for (unsigned int w = 0; w < r.dp->workers; w++)
		for (uint32_t f = 1; f < 400; f++) {
			const struct fake_flow *flow = &r.dp->flow[w][f];
			const struct sp_call *owner, *other;

			if (!flow->running)
				continue;
			owner = r.s->owners[w].call[f];
			cr_assert(ne(ptr, (void *)owner, NULL));
			cr_assert(eq(u32, owner->worker, w));
			if (flow->conf.out_rtp == 0)
				continue;
			other = r.s->owners[w].call[flow->conf.out_rtp];
			cr_assert(eq(ptr, (void *)other, (void *)owner));
			cr_assert(r.dp->flow[w][flow->conf.out_rtp].running);
		}
}

static void
play(uint64_t start, bool failing)
{
	seed = start;
	memset(model, 0, sizeof model);
	rig_open(&r);
	sp_service_close(r.s);
	free(r.dp);
	r.conf.workers = 2;
	r.conf.realm[0].last_port = 30999;
	r.conf.realm[1].last_port = 40999;
	r.conf.delete_delay_s = 0;
	rig_start(&r);

	for (unsigned int n = 0; n < STEPS; n++) {
		const unsigned int c = pick(CALLS), b = pick(BRANCHES);
		const unsigned int what = pick(20);

		if (failing) {
			r.dp->no_hop_in = pick(5) == 0 ? 1 + pick(8) : 0;
			r.dp->refuse_in = pick(5) == 0 ? 1 + pick(8) : 0;
			r.dp->room = pick(5) == 0 ? 1 + pick(12) : FAKE_QUEUE;
		}
		if (what < 8)
			step_offer(c, b);
		else if (what < 16)
			step_answer(c, b);
		else if (what < 18)
			step_delete(c, b);
		else
			step_time();
		r.dp->no_hop_in = r.dp->refuse_in = 0;
		r.dp->room = FAKE_QUEUE;
		while (r.s->jobs)
			rig_sleep(&r, 1);
		forget_ended();
		check_resources();
		check_dialogues();
		check_flows();
	}

	for (unsigned int c = 0; c < CALLS; c++)
		ask(c, SP_VERB_DELETE, NULL, NULL, NULL, NULL);
	cr_expect(eq(sz, r.s->calls.count, 0));
	cr_expect(eq(u32, r.dp->taken, 0));
	cr_expect(sp_service_idle(r.s));
	check_resources();
	cr_expect(gt(u64, r.s->metrics.requests[SP_VERB_ANSWER][SP_RESULT_OK],
		STEPS / 20));
	cr_expect(eq(u32, r.dp->errors, 0));
	rig_close(&r);
}

Test(model, holds_when_all_goes_well)
{
	for (uint64_t s = 1; s <= 3; s++)
		play(s * UINT64_C(0x9e3779b97f4a7c15), false);
}

Test(model, holds_when_orders_fail)
{
	for (uint64_t s = 1; s <= 3; s++)
		play(s * UINT64_C(0xd1342543de82ef95), true);
}
