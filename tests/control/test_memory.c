/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every allocation of every request fails once. The sources are compiled in
 * here, so that their malloc is ours and nobody else's is.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static unsigned int fail_in; /* allocations until one fails; 0: none does */
static long blocks;          /* allocated and not freed */

static bool
fails(void)
{
	return fail_in > 0 && --fail_in == 0;
}

static void *
test_malloc(size_t size)
{
	void *p = fails() ? NULL : malloc(size);

	blocks += p != NULL;
	return p;
}

static void *
test_calloc(size_t count, size_t size)
{
	void *p = fails() ? NULL : calloc(count, size);

	blocks += p != NULL;
	return p;
}

static void *
test_realloc(void *old, size_t size)
{
	void *p = fails() ? NULL : realloc(old, size);

	blocks += p && !old;
	return p;
}

static void
test_free(void *p)
{
	blocks -= p != NULL;
	free(p);
}

#define malloc test_malloc
#define calloc test_calloc
#define realloc test_realloc
#define free test_free
#include "control/call.c"
#include "control/command.c"
#include "control/command_answer.c"
#include "control/command_delete.c"
#include "control/command_offer.c"
#include "control/command_query.c"
#include "control/exchange.c"
#include "control/job.c"
#include "control/job_run.c"
#include "control/party.c"
#include "control/ports.c"
#include "control/program.c"
#include "control/reply.c"
#undef malloc
#undef calloc
#undef realloc
#undef free

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
} steps[] = {
	{ SP_VERB_OFFER, "a", NULL, "z1", OFFER AUDIO },
	{ SP_VERB_OFFER, "a", NULL, "z2", OFFER AUDIO },
	{ SP_VERB_ANSWER, "a", "b1", "z1", ANSWER AUDIO },
	{ SP_VERB_ANSWER, "a", "b2", "z1", ANSWER AUDIO },
	{ SP_VERB_QUERY, NULL, NULL, NULL, NULL },
	{ SP_VERB_LIST, NULL, NULL, NULL, NULL },
	{ SP_VERB_OFFER, "b1", "a", NULL, ANSWER AUDIO VIDEO },
	{ SP_VERB_ANSWER, "b1", "a", NULL, OFFER AUDIO VIDEO },
	{ SP_VERB_DELETE, "a", "b2", NULL, NULL },
	{ SP_VERB_DELETE, "a", NULL, "z2", NULL },
	{ SP_VERB_DELETE, "a", NULL, NULL, NULL },
};

#define STEPS (sizeof steps / sizeof *steps)

static struct rig r;

static int
do_step(size_t i)
{
	const struct sp_request request = rig_request(steps[i].verb,
		steps[i].from, steps[i].to, steps[i].branch, steps[i].sdp);

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
	if (http != 200 && steps[i].verb != SP_VERB_DELETE)
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

	json_set_alloc_funcs(test_malloc, test_free);
	for (size_t i = 0; i < STEPS; i++) {
		unsigned int n = 1;

		while (fail_step(i, n))
			n++;
		in_all += n - 1;
	}
	cr_expect(gt(u32, in_all, 200));
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
	cr_expect(eq(long, blocks, 0));
	free(r.dp);
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
