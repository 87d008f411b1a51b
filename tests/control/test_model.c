/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random dialogues against what must always hold, whatever is asked and
 * whatever fails in between. A failure prints the seed that brings it back:
 *
 *     MODEL_SEED=... MODEL_FAILING=1 test_model
 *
 * and MODEL_STEPS=1000000 plays for longer.
 */
#include <fcntl.h>

#include "control/log.h"
#include "tests/control/model_ask.c"

#define STEPS 2000u

static unsigned int answers; /* that were fine */

static void
step_offer(unsigned int c, unsigned int t)
{
	struct model_call *call = &model[c];
	const unsigned int b = branch_of(c, t), lines = 1 + pick(LINES);
	const bool in = is_answered(c, t) && !one_in(4);
	const bool back = in && one_in(3);
	struct sp_request q = request_of(c, SP_VERB_OFFER, back ? tags[t] : "a",
		back         ? "a"
			: in ? tags[t]
			     : NULL,
		branch_id(c, t));

	q.sdp = random_sdp(call->six && !back, lines);
	q.label = rig_text(back ? labels[t] : "la");
	q.policy.rtcp_mux = (uint8_t)(one_in(4) ? 1u << pick(5) : 0);
	random_wishes(&q.policy);
	q.new_ports = one_in(10);
	if (ask(&q) != 200)
		return;
	call->offer[b] = (struct model_offer){ true, back, !call->muddled,
		in ? (int)t : -1, lines, false };
	snprintf(call->told[b], sizeof call->told[b], "%s", rig_got(&r));
	if (q.new_ports) {
		memset(call->offered, 0, sizeof call->offered);
		memset(call->port, 0, sizeof call->port);
		memset(call->caller, 0, sizeof call->caller);
	}
	check_told(call,
		back         ? callers(call)
			: in ? call->port[t]
			     : call->offered[b],
		lines);
}

static void
step_answer(unsigned int c, unsigned int any)
{
	struct model_call *call = &model[c];
	const unsigned int b = branch_of(c, any);
	const struct model_offer offer = call->offer[b];
	const unsigned int t = offer.tag >= 0 ? (unsigned int)offer.tag : any;
	struct sp_request q =
		request_of(c, SP_VERB_ANSWER, offer.back ? tags[t] : "a",
			offer.back ? "a" : tags[t], branch_id(c, t));
	int http;

	if (!offer.any)
		return;
	q.sdp = random_answer(call->six && offer.back, call->told[b]);
	q.label = rig_text(offer.back ? "la" : labels[t]);
	http = ask(&q);
	/* An answer may come too late for a key that was left. */
	HOLDS(http == 200 || !offer.certain || call->muddled || story.failing ||
		(offer.heard && http == 409));
	if (http != 200)
		return;
	/* The caller's leg is one for all: it may have left a key, too. */
	for (unsigned int o = 0; o < BRANCHES; o++)
		call->offer[o].heard |= o == b || call->offer[o].back;
	answers++;
	call->muddled |= is_muddled(c, &find(c)->cast);
	check_told(
		call, offer.back ? call->port[t] : callers(call), offer.lines);
	for (unsigned int m = 0; m < LINES && offer.tag < 0; m++)
		if (call->port[t][m] == 0)
			call->port[t][m] = call->offered[b][m];
}

/* What no proxy in its right mind would ask. */
static void
step_nonsense(unsigned int c, unsigned int t)
{
	static const enum sp_verb verbs[] = { SP_VERB_OFFER, SP_VERB_ANSWER,
		SP_VERB_DELETE, SP_VERB_BLOCK_MEDIA };
	static const char *const names[] = { "a", "x", "y", "b0", "b1", NULL };
	const enum sp_verb verb = verbs[pick(4)];
	struct sp_request q = request_of(c, verb, names[pick(5)],
		names[pick(verb == SP_VERB_ANSWER ? 5 : 6)],
		one_in(2) ? branches[t % BRANCHES] : NULL);

	if (verb == SP_VERB_OFFER || verb == SP_VERB_ANSWER)
		q.sdp = random_sdp(false, 1 + pick(LINES));
	ask(&q);
	look_around(c);
	model[c].muddled |= r.http == 200;
}

static void
step_delete(unsigned int c, unsigned int t)
{
	const bool answered = is_answered(c, t);
	const unsigned int how = pick(12);
	struct sp_request q =
		request_of(c, SP_VERB_DELETE, "a", NULL, branch_id(c, t));

	if (how == 0)
		q.branch = q.from_tag = rig_text(NULL); /* all of it */
	else if (how == 1)
		q.branch = rig_text(NULL); /* the caller hangs up */
	else if (how < 4)
		q.to_tag = rig_text("487"); /* who never answered */
	else if (how < 8 && answered)
		q.to_tag = rig_text(tags[t]);
	else if (how < 10 && answered)
		q = request_of(c, SP_VERB_DELETE, tags[t], "a", NULL);
	q.has_delete_delay = one_in(3);
	q.delete_delay_s = pick(8);
	q.of_reply = one_in(3);
	ask(&q);
	look_around(c);
}

/* The place in @cast that a block by @q changes; NULL: it is refused. */
static uint8_t *
block_of(struct sp_cast *cast, const struct sp_request *q)
{
	uint8_t p = sp_party_by_tag(cast, q->from_tag);
	const uint8_t sink = sp_party_by_tag(cast, q->to_tag);

	if (q->all || (q->from_tag.len == 0 && q->label.len == 0))
		return &cast->blocked;
	for (uint8_t i = 0; i < cast->count && q->label.len > 0; i++) {
		const char *label = cast->party[i]->label;

		p = SP_NOBODY;
		if (label && strcmp(label, q->label.at) == 0) {
			p = i;
			break;
		}
	}
	if (p == SP_NOBODY || q->to_tag.len == 0)
		return p == SP_NOBODY ? NULL : &cast->party[p]->blocked;
	if (sink != SP_NOBODY && cast->party[p]->caller == sink)
		return &cast->party[p]->block_up;
	if (sink != SP_NOBODY && cast->party[sink]->caller == p)
		return &cast->party[sink]->block_down;
	return NULL;
}

static bool
same_blocks(const struct sp_cast *a, const struct sp_cast *b)
{
	bool same = a->count == b->count && a->blocked == b->blocked;

	for (uint8_t p = 0; same && p < a->count; p++)
		same = a->party[p]->blocked == b->party[p]->blocked &&
			a->party[p]->block_up == b->party[p]->block_up &&
			a->party[p]->block_down == b->party[p]->block_down;
	return same;
}

static void
step_block(unsigned int c, unsigned int t)
{
	const unsigned int which = pick(6), how = pick(8);
	const uint8_t bit = (uint8_t)(1u << which / 2);
	const bool on = which % 2 == 0;
	struct sp_request q =
		request_of(c, SP_VERB_BLOCK_MEDIA + which, NULL, NULL, NULL);
	struct sp_cast *cast = &was.cast[c];
	uint8_t *bits;

	q.all = one_in(12);
	if (how < 5)
		q.from_tag = rig_text(how < 2 ? "a" : tags[t]);
	if (how == 1 || how == 2)
		q.to_tag = rig_text(how == 1 ? tags[t] : "a");
	if (how == 5)
		q.label = rig_text(one_in(2) ? "la" : labels[t]);
	ask(&q);
	if (!find(c))
		return;
	bits = block_of(cast, &q);
	HOLDS((r.http != 200 && story.failing) ||
		(r.http == 200) == (bits != NULL));
	if (r.http != 200)
		return;
	if (on)
		*bits |= bit;
	else
		*bits &= (uint8_t)~bit;
	for (uint8_t p = 0; !on && q.all && p < cast->count; p++) {
		cast->party[p]->blocked &= (uint8_t)~bit;
		cast->party[p]->block_up &= (uint8_t)~bit;
		cast->party[p]->block_down &= (uint8_t)~bit;
	}
	HOLDS(same_blocks(cast, &find(c)->cast));
}

/* The same again: the same answer, and nothing to do. */
static void
step_again(void)
{
	const unsigned int orders =
		r.dp->programs + r.dp->stops + r.dp->key_orders + r.dp->wipes;
	int http;

	if (last.verb == SP_VERB_LIST)
		return;
	http = rig_ask(&r, &last);
	tell("%u: again -> %d %s", story.step, http, r.type);
	HOLDS(http == 200);
	if (strcmp(rig_got(&r), last_got) != 0)
		fprintf(stderr, "was\n%s\nis\n%s\n", last_got, rig_got(&r));
	HOLDS(strcmp(rig_got(&r), last_got) == 0);
	HOLDS(r.dp->programs + r.dp->stops + r.dp->key_orders + r.dp->wipes ==
		orders);
	check_resources();
}

/* Several requests for one call, before the first of them is done. */
static void
step_burst(unsigned int c)
{
	const unsigned int count = 2 + pick(3), before = r.replies;
	struct sp_request none = { .verb = SP_VERB_LIST };
	bool kills = false;

	forget(&was);
	remember(&was);
	spoil();
	for (unsigned int i = 0; i < count; i++) {
		const unsigned int t = pick(TAGS), what = pick(5);
		struct sp_request q = request_of(c,
			what < 2           ? SP_VERB_OFFER
				: what < 4 ? SP_VERB_ANSWER
					   : SP_VERB_DELETE,
			"a", what < 2 ? NULL : tags[t], branch_id(c, t));

		kills |= what == 4;
		if (what < 4)
			q.sdp = random_sdp(model[c].six, 1 + pick(LINES));
		tell_request(&q, 0);
		sp_command(r.s, &q, rig_reply, &r);
	}
	rig_serve(&r);
	for (int i = 0; i < 40 && r.replies < before + count; i++) {
		media_comes();
		rig_sleep(&r, 1);
	}
	HOLDS(r.replies == before + count);
	recover();
	if (!kills) {
		check_kept(&was, true, true);
		check_survivors(&was, &none);
	}
	check_resources();
	look_around(c);
}

/* Time passes; calls with media go on. */
static void
step_time(void)
{
	const struct sp_request none = { .verb = SP_VERB_LIST };

	forget(&was);
	remember(&was);
	media_comes();
	rig_sleep(&r, 1 + pick(5));
	recover();
	check_kept(&was, true, true);
	for (unsigned int c = 0; c < CALLS; c++)
		if (!find(c))
			sp_party_free(&was.cast[c]);
	check_survivors(&was, &none);
	check_resources();
}

static void
step(void)
{
	const unsigned int c = pick(CALLS), t = pick(TAGS), what = pick(100);

	if (what < 34)
		step_offer(c, t);
	else if (what < 64)
		step_answer(c, t);
	else if (what < 78)
		step_block(c, t);
	else if (what < 86)
		step_delete(c, t);
	else if (what < 94)
		step_burst(c);
	else if (what < 96)
		step_nonsense(c, t);
	else
		step_time();
	if (what < 78 && one_in(4))
		step_again();
	last.verb = SP_VERB_LIST;
	for (unsigned int i = 0; i < CALLS; i++)
		if (!find(i))
			look_around(i);
}

/* Pairs that could be taken. */
static unsigned int
count_free(void)
{
	unsigned int count = 0;

	for (unsigned int w = 0; w < WORKERS; w++)
		for (unsigned int l = 0; l < r.s->ports.locals; l++)
			count += sp_port_pool_have(
				sp_ports_pool(&r.s->ports, w, l),
				sp_service_now_s(r.s), UINT32_MAX);
	return count;
}

static void
open_model(void)
{
	memset(&r, 0, sizeof r);
	rig_conf(&r.conf);
	r.conf.workers = WORKERS;
	r.conf.realm[0].last_port = 30999;
	r.conf.realm[1].last_port = 40999;
	r.conf.delete_delay_s = 0;
	rig_start(&r);
	r.dp->flows = FLOWS;
	last.verb = SP_VERB_LIST;
	for (unsigned int c = 0; c < CALLS; c++)
		look_around(c);
}

/* All end, and all that was taken comes back. */
static void
close_model(unsigned int pairs)
{
	story.failing = false;
	for (unsigned int c = 0; c < CALLS; c++) {
		struct sp_request q =
			request_of(c, SP_VERB_DELETE, NULL, NULL, NULL);

		ask(&q);
	}
	HOLDS(r.s->calls.count == 0);
	HOLDS(r.dp->taken == 0);
	HOLDS(sp_service_idle(r.s));
	rig_sleep(&r, SP_PORT_POOL_QUARANTINE_S + 1);
	HOLDS(count_free() == pairs);
	forget(&was);
	rig_close(&r);
}

static void
play(uint64_t seed, bool failing, unsigned int steps)
{
	static uint64_t gone[FAKE_GONE];
	const long before = blocks;
	unsigned int pairs;

	answers = 0;
	memset(&story, 0, sizeof story);
	story.seed = dice = seed;
	open_model();
	memset(gone, 0, sizeof gone);
	r.dp->gone = gone;
	pairs = count_free();
	story.failing = failing;
	while (story.step++ < steps)
		step();
	story.failing = failing;
	HOLDS(answers > steps / 20);
	close_model(pairs);
	HOLDS(blocks == before);
}

static unsigned long long
number_of(const char *variable, unsigned long long otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

/* Play @seeds games, or the one that the environment asks for. */
static void
play_some(bool failing, uint64_t first, unsigned int seeds)
{
	const unsigned int steps =
		(unsigned int)number_of("MODEL_STEPS", STEPS);
	const uint64_t one = number_of("MODEL_SEED", 0);

	if (one != 0 && number_of("MODEL_FAILING", 0) != failing)
		return;
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	sp_log_to(open("/dev/null", O_WRONLY)); /* of so many calls */
	for (uint64_t s = 1; s <= (one != 0 ? 1 : seeds); s++)
		play(one != 0 ? one : s * first, failing, steps);
}

Test(model, holds_when_all_goes_well)
{
	play_some(false, UINT64_C(0x9e3779b97f4a7c15), 4);
}

Test(model, holds_when_orders_memory_and_workers_fail)
{
	play_some(true, UINT64_C(0xd1342543de82ef95), 4);
}

/* Flow ids that the parties of the rig's call have. */
static unsigned int
count_flows(void)
{
	const struct sp_call *call =
		sp_calls_find(&r.s->calls, rig_text("call-1"));
	struct sp_orders all;
	unsigned int count;

	cr_assert(eq(
		int, sp_program_all(&call->cast, SP_ORDER_READ, &all), SP_OK));
	count = (unsigned int)all.count;
	free(all.order);
	return count;
}

/* Who is left gets flows then, but not before all else is certain. */
Test(model, branch_that_finds_no_memory_to_leave_takes_nothing)
{
	const char *two =
		rig_sdp("10.1.1.1", 5002, "m=audio 5012 RTP/AVP 8\r\n");
	unsigned int fails_at = 0;
	int http = 503;

	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	rig_open(&r);
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z1", rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b1", "z1", rig_sdp("10.1.1.1", 5000, "")),
		200));
	cr_assert(eq(int, rig_offer(&r, "b2", "a", "z2", two), 200));
	while (http == 503) {
		fail_in = ++fails_at;
		http = rig_delete(&r, "a", "b1", NULL);
		fail_in = 0;
		cr_assert(eq(u32, count_flows(), r.dp->taken));
	}
	/* A delete whose reply finds no memory is done all the same. */
	cr_expect(http == 200 || http == 404);
	cr_expect(gt(u32, fails_at, 5));
	rig_close(&r);
}
