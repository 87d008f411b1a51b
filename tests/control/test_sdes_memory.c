/* SPDX-License-Identifier: BSD-3-Clause */
/* Every allocation of calls with keys fails once, and no key is left behind. */
#include <malloc.h>

#include "control/secret.h"
#include "tests/control/failing_memory.h"
#include "tests/control/rig_keys.h"

/*
 * Bytes of each party's keys and of ours, as such and in base64: a run of
 * them in a block that is freed is a key that somebody forgot to wipe.
 */
static const char traces[][9] = { "AAAAAAAA", "BBBBBBBB", "CCCCCCCC",
	"RRRRRRRR", "QUFBQUFB", "QkJCQkJC", "Q0NDQ0ND", "UlJSUlJS" };

static unsigned int found;

static void
find_keys(const void *block)
{
	const size_t len = malloc_usable_size((void *)(uintptr_t)block);

	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++)
		found += memmem(block, len, traces[i], sizeof traces[i] - 1) !=
			NULL;
}

/* The buffer in which SDP is written holds none either, between requests. */
static void
find_keys_in_service(void)
{
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++)
		found += memmem(r.s->sdp, sizeof r.s->sdp, traces[i],
				 sizeof traces[i] - 1) != NULL;
}

static bool
all_the_same(void *buf, size_t len)
{
	memset(buf, 'R', len);
	return true;
}

/* A life of a call: each step is to fail in every way there is. */
static const struct {
	enum sp_verb verb;
	const char *from, *to, *branch;
	uint8_t transport; /* wished */
	bool savp;
	unsigned int port;
	const char *more;
} steps[] = {
	{ SP_VERB_OFFER, "a", NULL, "z1", 0, true, 4000, LINE_A },
	{ SP_VERB_OFFER, "a", NULL, "z2", SP_TRANSPORT_RTP_AVP, true, 4000,
		LINE_A },
	{ SP_VERB_ANSWER, "a", "b1", "z1", 0, true, 5000, LINE_B },
	{ SP_VERB_ANSWER, "a", "b2", "z1", 0, true, 5000,
		LINE(3, CM32, KEY_C) },
	{ SP_VERB_QUERY, NULL, NULL, NULL, 0, false, 0, NULL },
	{ SP_VERB_OFFER, "b2", "a", NULL, 0, true, 5000,
		LINE(1, CM32, KEY_C) "m=video 5010 RTP/SAVP 96\r\n" LINE(
			1, CM80, KEY_B) },
	{ SP_VERB_ANSWER, "b2", "a", NULL, 0, true, 4000,
		LINE_A "m=video 4010 RTP/SAVP 96\r\n" LINE(1, CM80, KEY_A) },
	{ SP_VERB_OFFER, "a", "b2", NULL, SP_TRANSPORT_RTP_AVP, true, 4000,
		LINE(2, CM32, KEY_C) },
	{ SP_VERB_ANSWER, "a", "b2", NULL, 0, false, 5000, "" },
	{ SP_VERB_DELETE, "a", "b1", NULL, 0, false, 0, NULL },
	{ SP_VERB_DELETE, "a", NULL, "z2", 0, false, 0, NULL },
	{ SP_VERB_DELETE, "a", NULL, NULL, 0, false, 0, NULL },
};

#define STEPS (sizeof steps / sizeof *steps)

static int
do_step(size_t i)
{
	const char *sdp = NULL;
	struct sp_request request;
	int http;

	if (steps[i].more)
		sdp = (steps[i].savp ? savp : rig_sdp)(
			steps[i].port == 4000 ? "192.0.2.5" : "10.1.1.1",
			steps[i].port, steps[i].more);
	request = rig_request(steps[i].verb, steps[i].from, steps[i].to,
		steps[i].branch, sdp);
	request.policy.transport = steps[i].transport;
	request.policy.replace = SP_REPLACE_ORIGIN | SP_REPLACE_SDP_VERSION;
	http = rig_ask(&r, &request);
	find_keys_in_service();
	return http;
}

static unsigned int
resources(void)
{
	unsigned int used = r.dp->taken * 1000;

	for (unsigned int l = 0; l < r.s->ports.locals; l++)
		used += sp_ports_pool(&r.s->ports, 0, l)->used;
	return used;
}

static void
begin(void)
{
	rig_open(&r);
	r.s->key_pool.more = all_the_same;
}

/* The data plane that is played here has no secrets to keep. */
static void
end(void)
{
	void (*const looks)(const void *block) = look;

	sp_service_close(r.s);
	r.s = NULL;
	json_decref(r.body);
	r.body = NULL;
	look = NULL;
	rig_close(&r);
	look = looks;
}

/* Fail allocation @n of step @i. False: it has not so many. */
static bool
fail_step(size_t i, unsigned int n)
{
	unsigned int before;
	bool reached;
	int http;

	begin();
	for (size_t j = 0; j < i; j++)
		cr_assert(
			eq(int, do_step(j), 200), "step %zu: %s", j, r.detail);
	before = resources();
	fail_in = n;
	http = do_step(i);
	reached = fail_in == 0;
	fail_in = 0;
	cr_expect(http == 200 || http == 503, "step %zu, %u: %d", i, n, http);
	if (http != 200 && steps[i].verb != SP_VERB_DELETE)
		cr_expect(eq(u32, resources(), before), "step %zu, %u", i, n);
	if (http != 200) {
		http = do_step(i);
		cr_expect(http == 200 ||
				(http == 404 &&
					steps[i].verb == SP_VERB_DELETE),
			"step %zu, %u: then %d", i, n, http);
	}
	for (size_t j = i + 1; j < STEPS; j++)
		cr_expect(
			eq(int, do_step(j), 200), "step %zu: %s", j, r.detail);
	cr_expect(eq(u32, resources(), 0));
	cr_expect(eq(u32, r.dp->errors, 0));
	end();
	cr_expect(eq(long, blocks, 0), "step %zu, %u leaks", i, n);
	cr_expect(eq(u32, found, 0), "step %zu, %u", i, n);
	found = 0;
	return reached;
}

Test(sdes_memory, failed_allocations_are_clean_and_leave_no_key)
{
	unsigned int in_all = 0;

	json_set_alloc_funcs(__wrap_malloc, sp_secret_free);
	look = find_keys;
	for (size_t i = 0; i < STEPS; i++) {
		unsigned int n = 1;

		while (fail_step(i, n))
			n++;
		in_all += n - 1;
	}
	cr_expect(gt(u32, in_all, 200));
}

/* Refusals by workers, and orders that could not be sent. */
Test(sdes_memory, refused_orders_leave_no_key)
{
	json_set_alloc_funcs(__wrap_malloc, sp_secret_free);
	look = find_keys;
	for (unsigned int n = 1; n < 60; n++) {
		begin();
		if (n < 30)
			r.dp->refuse_in = n;
		else
			r.dp->no_key_in = n - 29;
		for (size_t i = 0; i < STEPS; i++)
			if (do_step(i) != 200)
				do_step(i);
		cr_expect(eq(u32, r.dp->errors, 0), "%u", n);
		end();
		cr_expect(eq(u32, found, 0), "%u", n);
		cr_expect(eq(long, blocks, 0), "%u", n);
		found = 0;
	}
}

/* A call that is there when the service closes, with orders on their way. */
Test(sdes_memory, close_wipes_what_is_on_its_way)
{
	json_set_alloc_funcs(__wrap_malloc, sp_secret_free);
	look = find_keys;
	begin();
	cr_assert(eq(int, do_step(0), 200));
	r.dp->stuck = true;
	do_step(2);
	cr_expect(ne(ptr, r.s->jobs, NULL));
	end();
	cr_expect(eq(u32, found, 0));
	cr_expect(eq(long, blocks, 0));
}

/* The look at freed blocks does see keys. */
Test(sdes_memory, key_that_is_not_wiped_is_found)
{
	char *block = malloc(64);

	look = find_keys;
	memset(block, 'R', 64);
	__asm__ volatile("" : : "r"(block) : "memory"); /* write it, indeed */
	free(block);
	cr_expect(eq(u32, found, 1));
}
