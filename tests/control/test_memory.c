/* SPDX-License-Identifier: BSD-3-Clause */
/* Every allocation of every request fails once. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <string.h>

#include "tests/control/failing_memory.h"
#include "tests/control/rig.c"

#define OFFER                                                                  \
	"v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\n"                           \
	"c=IN IP4 192.0.2.5\r\nt=0 0\r\n"
#define ANSWER                                                                 \
	"v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\n"                            \
	"c=IN IP4 10.1.1.1\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 8\r\na=rtcp-mux\r\n"
#define VIDEO "m=video 4002 RTP/AVP 96\r\n"

/* A life of a call: each step is to fail in every way there is. */
static const struct {
	enum sp_verb verb;
	const char *from, *to, *branch, *sdp;
	uint32_t delay_s;
} steps[] = {
	{ SP_VERB_OFFER, "a", NULL, "z1", OFFER AUDIO, 0 },
	{ SP_VERB_OFFER, "a", NULL, "z2", OFFER AUDIO, 0 },
	{ SP_VERB_ANSWER, "a", "b1", "z1", ANSWER AUDIO, 0 },
	{ SP_VERB_ANSWER, "a", "b2", "z1", ANSWER AUDIO, 0 },
	{ SP_VERB_QUERY, NULL, NULL, NULL, NULL, 0 },
	{ SP_VERB_LIST, NULL, NULL, NULL, NULL, 0 },
	{ SP_VERB_OFFER, "b1", "a", NULL, ANSWER AUDIO VIDEO, 0 },
	{ SP_VERB_ANSWER, "b1", "a", NULL, OFFER AUDIO VIDEO, 0 },
	{ SP_VERB_DELETE, "a", "b2", NULL, NULL, 0 },
	{ SP_VERB_DELETE, "a", NULL, "z2", NULL, 0 },
	{ SP_VERB_DELETE, "a", NULL, NULL, NULL, 9 },
	{ SP_VERB_OFFER, "new", NULL, NULL, OFFER AUDIO, 0 },
	{ SP_VERB_OFFER, "b", NULL, "z3", ANSWER AUDIO, 0 },
	{ SP_VERB_DELETE, "new", NULL, NULL, NULL, 0 },
	{ SP_VERB_DELETE, "b", NULL, NULL, NULL, 0 },
};

#define STEPS (sizeof steps / sizeof *steps)

static struct rig r;

static int
do_step(size_t i)
{
	struct sp_request request = rig_request(steps[i].verb, steps[i].from,
		steps[i].to, steps[i].branch, steps[i].sdp);

	request.policy.replace = UINT8_MAX;
	request.metadata = request.label = rig_text("some text");
	request.new_ports = true;
	request.has_delete_delay = true;
	request.delete_delay_s = steps[i].delay_s;
	return rig_ask(&r, &request);
}

/* Pairs in use and flows taken, to compare. */
static unsigned int
resources(void)
{
	unsigned int used = r.dp->taken * 1000;

	for (unsigned int l = 0; l < r.s->ports.locals; l++)
		used += sp_ports_pool(&r.s->ports, 0, l)->used;
	return used;
}

/* Fail allocation @n of step @i. False: it has not so many. */
static bool
fail_step(size_t i, unsigned int n)
{
	unsigned int before;
	bool reached;
	int http;

	rig_open(&r);
	for (size_t j = 0; j < i; j++)
		cr_assert(eq(int, do_step(j), 200), "step %zu", j);
	before = resources();

	fail_in = n;
	http = do_step(i);
	reached = fail_in == 0;
	fail_in = 0;
	cr_expect(http == 200 || http == 503, "step %zu, %u: %d", i, n, http);
	/* Of a deleted call and a stranger, the call may be gone already. */
	if (http != 200 && steps[i].verb != SP_VERB_DELETE && resources() > 0)
		cr_expect(eq(u32, resources(), before), "step %zu, %u", i, n);
	/* A delete whose reply can't be written is done all the same. */
	if (http != 200) {
		http = do_step(i);
		cr_expect(http == 200 ||
				(http == 404 &&
					steps[i].verb == SP_VERB_DELETE),
			"step %zu, %u: then %d", i, n, http);
	}
	for (size_t j = i + 1; j < STEPS; j++)
		cr_expect(eq(int, do_step(j), 200), "step %zu", j);
	cr_expect(eq(u32, resources(), 0));
	cr_expect(eq(sz, r.s->calls.count, 0));
	cr_expect(eq(u32, r.dp->errors, 0));
	rig_close(&r);
	cr_expect(eq(long, blocks, 0), "step %zu, %u leaks", i, n);
	return reached;
}

Test(memory, every_failed_allocation_is_a_clean_refusal)
{
	unsigned int in_all = 0;

	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	for (size_t i = 0; i < STEPS; i++) {
		unsigned int n = 1;

		while (fail_step(i, n))
			n++;
		in_all += n - 1;
	}
	cr_expect(gt(u32, in_all, 200));
}

/* Replies in ng's layout: what fails leaves nothing behind. */
Test(memory, ng_replies_are_whole_or_refused)
{
	static const enum sp_verb verbs[] = { SP_VERB_QUERY, SP_VERB_LIST,
		SP_VERB_STATISTICS };
	unsigned int in_all = 0;

	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	rig_open(&r);
	for (size_t i = 0; i < 4; i++)
		cr_assert(eq(int, do_step(i), 200));
	for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++) {
		struct sp_request request =
			rig_request(verbs[v], NULL, NULL, NULL, NULL);
		bool reached = true;
		long before;

		request.door = SP_DOOR_NG;
		/* Words that all replies share are made by the first one. */
		cr_assert(eq(int, rig_ask(&r, &request), 200));
		json_decref(r.body);
		r.body = NULL;
		before = blocks;
		for (unsigned int n = 1; reached; n++) {
			fail_in = n;
			rig_ask(&r, &request);
			reached = fail_in == 0;
			fail_in = 0;
			cr_expect(r.http == 200 || (reached && r.http == 503),
				"%zu, %u: %d", v, n, r.http);
			json_decref(r.body);
			r.body = NULL;
			cr_expect(eq(long, blocks, before), "%zu, %u", v, n);
			in_all++;
		}
	}
	cr_expect(gt(u32, in_all, 300));
	rig_close(&r);
}

Test(memory, service_that_does_not_open_leaves_nothing)
{
	struct sp_service *s;
	enum sp_status status = SP_NO_MEMORY;

	memset(&r, 0, sizeof r);
	rig_conf(&r.conf);
	r.dp = fake_open(1);
	for (unsigned int n = 1; status != SP_OK; n++) {
		fail_in = n;
		status = sp_service_open(&r.conf, r.dp, &s);
		cr_expect(status == SP_OK || status == SP_NO_MEMORY);
		fail_in = 0;
	}
	sp_service_close(s);
	free(r.dp);
	cr_expect(eq(long, blocks, 0));
}

/* Timeouts need memory, too: without it they come a little later. */
Test(memory, call_that_can_not_be_ended_now_ends_later)
{
	rig_open(&r);
	cr_assert(eq(int, do_step(0), 200));
	for (unsigned int i = 0; i < 299; i++)
		rig_sleep(&r, 1);
	fail_in = 1;
	rig_sleep(&r, 1);
	cr_expect(eq(u32, fail_in, 0));
	cr_expect(eq(sz, r.s->calls.count, 1));
	rig_sleep(&r, 2);
	cr_expect(eq(sz, r.s->calls.count, 0));
	rig_close(&r);
}
