/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must hold of the service at any time, included by test_model.c: who
 * owns what, and that what was there before a request is there after it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdarg.h>

#include "control/job.h"
#include "tests/control/rig.c"

#define CALLS 4u
#define TRAIL 40u
#define WORKERS 2u
#define FLOWS 600u

static struct rig r;

/* For whoever has to find out how it came to this. */
static struct {
	uint64_t seed;
	unsigned int step;
	bool failing;
	char trail[TRAIL][200];
	unsigned int said;
} story;

static void
tell(const char *format, ...)
{
	char *line = story.trail[story.said++ % TRAIL];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof story.trail[0], format, args);
	va_end(args);
}

static void
broken(const char *what, int line)
{
	unsigned int first = story.said > TRAIL ? story.said - TRAIL : 0;

	while (first < story.said)
		fprintf(stderr, "  %s\n", story.trail[first++ % TRAIL]);
	fprintf(stderr,
		"again: MODEL_SEED=%llu MODEL_FAILING=%d, step %u, line %d: "
		"%s\n",
		(unsigned long long)story.seed, story.failing, story.step, line,
		what);
	cr_fatal("seed %llu, step %u: %s", (unsigned long long)story.seed,
		story.step, what);
}

#define HOLDS(condition)                                                       \
	do {                                                                   \
		if (!(condition))                                              \
			broken(#condition, __LINE__);                          \
	} while (0)

static struct sp_call *
find(unsigned int c)
{
	char id[8];

	snprintf(id, sizeof id, "c%u", c);
	return sp_calls_find(&r.s->calls, rig_text(id));
}

/* All calls as they were before a request, and what their workers knew. */
struct before {
	struct sp_cast cast[CALLS];
	uint64_t created_ms[CALLS];
	uint64_t ends_ms[CALLS];
	bool had[CALLS];
	uint64_t flows;
	uint32_t now_ms;
};

/* A number for everything that the workers were told. */
static uint64_t
sum_flows(void)
{
	struct sp_hash_key key = { { 1, 2 } };
	uint64_t sum = 0;

	for (unsigned int w = 0; w < WORKERS; w++)
		for (uint32_t f = 1; f < FLOWS; f++)
			if (r.dp->flow[w][f].running)
				sum += (w * FLOWS + f) *
					sp_hash(&key, &r.dp->flow[w][f].conf,
						sizeof(struct sp_flow_conf));
	return sum;
}

static void
remember(struct before *out)
{
	memset(out, 0, sizeof *out);
	for (unsigned int c = 0; c < CALLS; c++) {
		const struct sp_call *call = find(c);

		if (!call)
			continue;
		out->had[c] = true;
		out->created_ms[c] = call->created_ms;
		out->ends_ms[c] = call->ends_ms;
		if (sp_party_clone(&call->cast, &out->cast[c]) != SP_OK)
			abort();
	}
	out->flows = sum_flows();
	out->now_ms = r.dp->now_ms;
}

static void
forget(struct before *before)
{
	for (unsigned int c = 0; c < CALLS; c++)
		sp_party_free(&before->cast[c]);
}

#include "tests/control/model_same.c"

static bool
same_tags(const struct sp_tag *a, const struct sp_tag *b)
{
	for (; a && b; a = a->next, b = b->next)
		if (a->len != b->len || memcmp(a->text, b->text, a->len) != 0 ||
			!same_said(a->said, b->said) ||
			!same_said(a->staged, b->staged))
			return false;
	return a == b;
}

static bool
same_legs(const struct sp_party *a, const struct sp_party *b)
{
	for (unsigned int m = 0; m < a->legs && m < b->legs; m++)
		if (memcmp(a->leg[m].pair, b->leg[m].pair,
			    sizeof a->leg[m].pair) != 0 ||
			memcmp(a->leg[m].slot, b->leg[m].slot,
				sizeof a->leg[m].slot) != 0 ||
			a->leg[m].six != b->leg[m].six ||
			a->leg[m].mux != b->leg[m].mux ||
			a->leg[m].transport != b->leg[m].transport ||
			memcmp(a->leg[m].kinds, b->leg[m].kinds, 2) != 0 ||
			!same_keys(a->leg[m].keys, b->leg[m].keys))
			return false;
	return a->legs == b->legs;
}

static bool
same_offer(const struct sp_offer *a, const struct sp_offer *b)
{
	if (!a || !b)
		return a == b;
	return a->count == b->count && memcmp(a, b, sizeof *a + a->count) == 0;
}

static bool
same_party(const struct sp_party *a, const struct sp_party *b)
{
	return a->on == b->on && a->caller == b->caller && a->peer == b->peer &&
		a->answered == b->answered && a->blocked == b->blocked &&
		a->block_up == b->block_up && a->block_down == b->block_down &&
		a->realm == b->realm && a->family == b->family &&
		same_offer(a->offer[SP_BY_CALLER], b->offer[SP_BY_CALLER]) &&
		same_offer(a->offer[SP_BY_BRANCH], b->offer[SP_BY_BRANCH]) &&
		same_tags(a->tags, b->tags) && same_legs(a, b);
}

static bool
share_tag(const struct sp_party *a, const struct sp_party *b)
{
	for (const struct sp_tag *t = a->tags; t; t = t->next)
		if (sp_party_tag(b, (struct sp_text){ t->text, t->len }))
			return true;
	return false;
}

static bool
share_pair(const struct sp_party *a, const struct sp_party *b)
{
	for (unsigned int m = 0; m < a->legs && m < b->legs; m++)
		for (int six = 0; six < 2; six++)
			if (a->leg[m].pair[six].port != 0 &&
				memcmp(&a->leg[m].pair[six],
					&b->leg[m].pair[six],
					sizeof a->leg[m].pair[six]) == 0)
				return true;
	return false;
}

/* Was call @c deleted before, and gave way to time or to a new call? */
static bool
has_ended(const struct before *before, unsigned int c)
{
	const struct sp_call *call = find(c);

	if (before->ends_ms[c] == 0)
		return false;
	for (uint8_t p = 0; call && p < before->cast[c].count; p++)
		for (uint8_t q = 0; q < call->cast.count; q++)
			if (share_tag(before->cast[c].party[p],
				    call->cast.party[q]))
				return false;
	return true;
}

/* A request that was refused has changed nothing. */
static void
check_unchanged(const struct before *before)
{
	bool ended = false;

	for (unsigned int c = 0; c < CALLS; c++) {
		const struct sp_call *call = find(c);

		ended |= has_ended(before, c);
		if (has_ended(before, c))
			continue;
		HOLDS(before->had[c] == (call != NULL));
		if (!call)
			continue;
		HOLDS(call->created_ms == before->created_ms[c]);
		HOLDS(call->ends_ms == before->ends_ms[c]);
		HOLDS(call->cast.count == before->cast[c].count);
		HOLDS(call->cast.blocked == before->cast[c].blocked);
		for (uint8_t p = 0; p < call->cast.count; p++)
			HOLDS(same_party(
				call->cast.party[p], before->cast[c].party[p]));
	}
	HOLDS(ended || sum_flows() == before->flows);
}

/* Where party @p of call @c is now; NULL: it is gone. */
static const struct sp_party *
now_of(const struct before *before, unsigned int c, uint8_t p)
{
	const struct sp_party *was = before->cast[c].party[p];
	const struct sp_call *call = find(c);

	if (!call || call->created_ms != before->created_ms[c])
		return NULL;
	for (uint8_t q = 0; q < call->cast.count; q++)
		if (share_tag(was, call->cast.party[q]) ||
			share_pair(was, call->cast.party[q]))
			return call->cast.party[q];
	return NULL;
}

/* Parties keep their ports, realm and blocks through whatever is done. */
static void
check_kept(const struct before *before, bool ports, bool blocks)
{
	for (unsigned int c = 0; c < CALLS; c++)
		for (uint8_t p = 0; p < before->cast[c].count; p++) {
			const struct sp_party *was = before->cast[c].party[p];
			const struct sp_party *is = now_of(before, c, p);

			if (!is)
				continue;
			HOLDS(is->realm == was->realm);
			HOLDS(!blocks ||
				(is->blocked == was->blocked &&
					is->block_up == was->block_up &&
					is->block_down == was->block_down));
			HOLDS(is->legs >= was->legs);
			for (unsigned int m = 0; ports && m < was->legs; m++)
				for (int x = 0; x < 2; x++)
					HOLDS(was->leg[m].pair[x].port == 0 ||
						memcmp(&was->leg[m].pair[x],
							&is->leg[m].pair[x],
							sizeof(struct
								sp_pair)) == 0);
		}
}

/* Is it @was that a delete means? */
static bool
is_meant(const struct sp_request *q, const struct sp_cast *cast,
	const struct sp_party *was)
{
	const struct sp_text *branch = &q->branch;
	const uint8_t from = sp_party_by_tag(cast, q->from_tag);

	/* What made the proxy ask was refused inside a dialogue. */
	if (q->of_reply && was->answered && sp_party_tag(was, q->from_tag))
		return false;
	if (q->to_tag.len == 0 && branch->len == 0 &&
		(q->from_tag.len == 0 ||
			(from != SP_NOBODY &&
				cast->party[from]->caller == SP_NOBODY)))
		return true;
	return sp_party_tag(was, q->from_tag) || sp_party_tag(was, q->to_tag) ||
		(branch->len > 0 && was->branch &&
			strlen(was->branch) == branch->len &&
			memcmp(was->branch, branch->at, branch->len) == 0);
}

/* No dialogue that was answered is gone, unless @q deletes it. */
static void
check_survivors(const struct before *before, const struct sp_request *q)
{
	for (unsigned int c = 0; c < CALLS; c++)
		for (uint8_t p = 0; p < before->cast[c].count; p++) {
			const struct sp_party *was = before->cast[c].party[p];
			const struct sp_party *is = now_of(before, c, p);

			if (!was->answered || has_ended(before, c) ||
				(q->verb == SP_VERB_DELETE &&
					is_meant(q, &before->cast[c], was)))
				continue;
			HOLDS(is != NULL);
			HOLDS(is->answered);
		}
}

/* The parties of @cast name each other as they should. */
static void
check_cast(const struct sp_cast *cast)
{
	for (uint8_t p = 0; p < cast->count; p++) {
		const struct sp_party *party = cast->party[p];
		bool has_branch = false;

		if (party->caller != SP_NOBODY) {
			HOLDS(party->caller < cast->count);
			HOLDS(cast->party[party->caller]->caller == SP_NOBODY);
			continue;
		}
		for (uint8_t b = 0; b < cast->count; b++)
			has_branch |= cast->party[b]->caller == p;
		HOLDS(has_branch == (party->peer != SP_NOBODY));
		if (party->peer == SP_NOBODY)
			continue;
		HOLDS(party->peer < cast->count);
		HOLDS(cast->party[party->peer]->caller == p);
	}
}

/* What of party @p's packets is to be kept back, by what the cast says. */
static uint8_t
kept_back(const struct sp_cast *cast, uint8_t p)
{
	static const uint8_t flag[] = { SP_FLOW_BLOCK, SP_FLOW_SILENCE,
		SP_FLOW_NO_DTMF };
	const struct sp_party *party = cast->party[p];
	const uint8_t other = sp_party_other(cast, p);
	uint8_t bits = cast->blocked | party->blocked;
	uint8_t out = 0;

	if (party->caller != SP_NOBODY)
		bits |= party->block_up;
	else if (other != SP_NOBODY)
		bits |= cast->party[other]->block_down;
	for (unsigned int i = 0; i < 3; i++)
		out |= bits >> i & 1 ? flag[i] : 0;
	return out;
}

/* A running flow does what the cast says, and leads to the other side. */
static void
check_flow(const struct sp_call *call, uint8_t p, unsigned int m, int part)
{
	const struct sp_cast *cast = &call->cast;
	const struct sp_leg *leg = &cast->party[p]->leg[m];
	const struct sp_slot *slot = &leg->slot[part];
	const struct fake_flow *flow = &r.dp->flow[call->worker][slot->flow];
	const struct sp_flow_conf *conf = &flow->conf;
	const uint8_t other = sp_party_other(cast, p);
	struct sp_order order = { .party = p, .m = (uint8_t)m };

	HOLDS(flow->running && flow->taken);
	HOLDS(r.s->owners[call->worker].call[slot->flow] == call);
	HOLDS(conf->port == slot->port && conf->local == slot->local);
	HOLDS(slot->port == leg->pair[leg->six].port + part);
	HOLDS(sp_port_owner(slot->port, WORKERS) == call->worker);
	order.kind = SP_ORDER_PROGRAM;
	order.part = (uint8_t)part;
	sp_program_again(r.s, cast, &order);
	HOLDS(memcmp(conf, &order.conf, sizeof *conf) == 0);
	HOLDS((conf->flags &
		      (SP_FLOW_BLOCK | SP_FLOW_SILENCE | SP_FLOW_NO_DTMF)) ==
		(part == SP_PART_RTP ? kept_back(cast, p) : 0));
	if (conf->out_rtp == 0)
		return;
	HOLDS(other != SP_NOBODY && part == SP_PART_RTP);
	HOLDS(conf->out_rtp ==
		cast->party[other]->leg[m].slot[SP_PART_RTP].flow);
	HOLDS(r.dp->flow[call->worker][conf->out_rtp].running);
}

#include "tests/control/model_keys.c"

/* What is reserved and taken in all calls is what is missing elsewhere. */
static void
check_resources(void)
{
	static uint64_t owned[4][65536];
	static uint64_t round;
	unsigned int flows = 0, pairs = 0, used = 0;

	round++;
	for (unsigned int c = 0; c < CALLS; c++) {
		const struct sp_call *call = find(c);

		if (!call)
			continue;
		HOLDS(!call->job && !call->waiting);
		check_cast(&call->cast);
		for (uint8_t p = 0; p < call->cast.count; p++)
			for (unsigned int m = 0; m < call->cast.party[p]->legs;
				m++) {
				struct sp_leg *leg =
					&call->cast.party[p]->leg[m];

				for (int x = 0; x < 2; x++) {
					const struct sp_pair *pair =
						&leg->pair[x];
					uint64_t *at =
						&owned[pair->local][pair->port];

					if (pair->port == 0)
						continue;
					pairs++;
					HOLDS(*at != round);
					*at = round;
				}
				for (int x = 0; x < SP_PARTS; x++) {
					if (leg->slot[x].flow == 0)
						continue;
					flows++;
					check_flow(call, p, m, x);
				}
				flows += check_keys(call, p, m);
			}
	}
	for (unsigned int l = 0; l < r.s->ports.locals; l++)
		for (unsigned int w = 0; w < WORKERS; w++)
			used += sp_ports_pool(&r.s->ports, w, l)->used;
	HOLDS(flows == r.dp->taken);
	HOLDS(pairs == used);
	HOLDS(r.dp->errors == 0);
}
