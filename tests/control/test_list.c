/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of calls, page by page, whatever the calls are called. */
#include "tests/control/rig_call.h"

#define CALLS 24
#define LONG_CALLS 300
#define LONG_ID 240

TestSuite(list, .init = open_rig, .fini = close_rig);

static void
offer(struct sp_text id)
{
	struct sp_request request = rig_request(
		SP_VERB_OFFER, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));

	request.call_id = id;
	cr_assert(eq(int, rig_ask(&r, &request), 200));
}

/* One page of two calls behind @after, or the first. */
static void
turn_page(struct sp_text after)
{
	struct sp_request request =
		rig_request(SP_VERB_LIST, NULL, NULL, NULL, NULL);

	request.limit = 2;
	request.after = after;
	cr_assert(eq(int, rig_ask(&r, &request), 200));
}

/* A name that JSON cannot carry would lead to any page, and round again. */
Test(list, pages_have_each_call_once)
{
	size_t listed = 0;
	int pages = 0;
	char id[24], after[24] = "";

	for (int i = 0; i < CALLS; i++) {
		snprintf(id, sizeof id, "%s-%d", i % 4 ? "\xff\xfe" : "plain",
			i);
		offer(rig_text(id));
	}
	do {
		const char *next;

		turn_page(rig_text(after));
		listed += json_array_size(json_object_get(r.body, "calls"));
		next = json_string_value(json_object_get(r.body, "next"));
		snprintf(after, sizeof after, "%s", next ? next : "");
		cr_assert(lt(int, pages++, CALLS));
	} while (after[0]);
	cr_expect(eq(sz, listed, CALLS));
}

/* Start again, with room for more calls. */
static void
open_larger(void)
{
	rig_close(&r);
	memset(&r, 0, sizeof r);
	rig_conf(&r.conf);
	r.conf.max_calls = LONG_CALLS;
	for (unsigned int i = 0; i < r.conf.n_realms; i++)
		r.conf.realm[i].last_port += 4 * LONG_CALLS;
	rig_start(&r);
}

Test(list, ng_has_as_many_ids_as_a_datagram)
{
	struct sp_request request =
		rig_request(SP_VERB_LIST, NULL, NULL, NULL, NULL);
	const json_t *warnings;
	char id[LONG_ID + 1];

	open_larger();
	for (int i = 0; i < LONG_CALLS; i++) {
		snprintf(id, sizeof id, "%0*d", LONG_ID, i);
		offer(rig_text(id));
	}
	request.door = SP_DOOR_NG;
	request.limit = 10;
	cr_assert(eq(int, rig_ask(&r, &request), 200));
	cr_expect(
		eq(sz, json_array_size(json_object_get(r.body, "calls")), 10));
	cr_expect(eq(ptr, json_object_get(r.body, "warnings"), NULL));

	request.limit = 0;
	cr_assert(eq(int, rig_ask(&r, &request), 200));
	cr_expect(
		gt(sz, json_array_size(json_object_get(r.body, "calls")), 200));
	cr_expect(lt(sz, json_array_size(json_object_get(r.body, "calls")),
		LONG_CALLS));
	warnings = json_object_get(r.body, "warnings");
	cr_expect(eq(sz, json_array_size(warnings), 1));
}
