/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers that refuse keys or flows, are full, or do not answer. */
#include "tests/control/rig_keys.h"

TestSuite(sdes_workers, .init = open_keys, .fini = close_rig);

#define B_ANSWER savp("10.1.1.1", 5000, LINE(3, CM32, KEY_B))

/* Every order of a first offer is refused once: nothing is left of it. */
Test(sdes_workers, refused_offer_leaves_no_keys)
{
	for (unsigned int n = 1; n <= 6; n++) {
		r.dp->refuse_in = n;
		cr_expect(eq(int,
				  try(SP_VERB_OFFER, "a", NULL,
					  savp("192.0.2.5", 4000, LINE_A)),
				  n <= 2 ? 503 : 500),
			"%u", n);
		cr_expect(eq(u32, r.dp->refuse_in, 0));
		rig_serve(&r);
		cr_expect(eq(u32, r.dp->taken, 0), "%u", n);
		cr_expect(eq(sz, r.s->calls.count, 0));
	}
	connect_keys();
}

/* The same of a re-offer's answer: the old keys are there again. */
Test(sdes_workers, refused_answer_goes_back_to_the_old_keys)
{
	struct sp_flow_keys a, b;

	connect_keys();
	a = *keys_at(port_a);
	b = *keys_at(port_b);
	for (unsigned int n = 1; n <= 4; n++) {
		ask(SP_VERB_OFFER, "a", "b",
			savp("192.0.2.6", 4000, LINE(1, CM80, KEY_C)));
		r.dp->refuse_in = n;
		cr_expect(ge(int,
			try(SP_VERB_ANSWER, "a", "b",
				savp("10.1.1.1", 5000, LINE_B)),
			400));
		r.dp->refuse_in = 0;
		rig_serve(&r);
		cr_expect(zero(int, memcmp(&a, keys_at(port_a), sizeof a)),
			"%u", n);
		cr_expect(zero(int, memcmp(&b, keys_at(port_b), sizeof b)),
			"%u", n);
		cr_expect(eq(u32, r.dp->taken, 6));
	}
	ask(SP_VERB_ANSWER, "a", "b", savp("10.1.1.1", 5000, LINE_B));
	cr_expect(key_is(&keys_at(port_a)->in, KEY_C));
}

Test(sdes_workers, leg_that_was_to_be_keyed_is_clear_again)
{
	ask(SP_VERB_OFFER, "a", NULL, rig_sdp("192.0.2.5", 4000, ""));
	port_b = rig_port(rig_got(&r), 0);
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	ask_savp(SP_VERB_OFFER, "a", "b", rig_sdp("192.0.2.5", 4000, ""));
	r.dp->refuse_in = 3; /* the keys are in place then */
	cr_expect(eq(int, try(SP_VERB_ANSWER, "a", "b", B_ANSWER), 500));
	rig_serve(&r);
	cr_expect(eq(u32, rig_flow(&r, port_b)->keys, 0));
	cr_expect(eq(u32, r.dp->wipes, 1));
	cr_expect(eq(u32, r.dp->taken, 4));
}

/*
 * The worker has forgotten how far it was under our key: an answer that would
 * begin with it again is refused, and the next offer shows another one.
 */
Test(sdes_workers, key_that_was_programmed_and_undone_is_not_used_again)
{
	ask(SP_VERB_OFFER, "a", NULL, rig_sdp("192.0.2.5", 4000, ""));
	port_b = rig_port(rig_got(&r), 0);
	ask(SP_VERB_ANSWER, "a", "b", rig_sdp("10.1.1.1", 5000, ""));
	ask_savp(SP_VERB_OFFER, "a", "b", rig_sdp("192.0.2.5", 4000, ""));
	keep_got();
	r.dp->refuse_in = 3;
	cr_expect(eq(int, try(SP_VERB_ANSWER, "a", "b", B_ANSWER), 500));
	rig_serve(&r);
	cr_expect(eq(int, try(SP_VERB_ANSWER, "a", "b", B_ANSWER), 409));
	cr_expect(eq(u32, rig_flow(&r, port_b)->keys, 0));
	/* What it did not choose was never in use. */
	ask(SP_VERB_ANSWER, "a", "b", savp("10.1.1.1", 5000, LINE_B));
	cr_expect(kept_key(&keys_at(port_b)->out, "a=crypto:1 "));

	ask_savp(SP_VERB_OFFER, "a", "b", rig_sdp("192.0.2.5", 4000, ""));
	ask(SP_VERB_ANSWER, "a", "b", B_ANSWER);
	cr_expect(not(kept_key(&keys_at(port_b)->out, "a=crypto:3 ")));
	cr_expect(key_is(&keys_at(port_b)->in, KEY_B));
}

Test(sdes_workers, without_ids_the_offer_is_refused)
{
	r.dp->flows = 6; /* ids 1 to 5, and it takes 6 */
	cr_expect(eq(int,
		try(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, LINE_A)),
		503));
	cr_expect(eq(str, r.type, "worker-busy"));
	cr_expect(eq(u32, r.dp->taken, 0));
	ask(SP_VERB_OFFER, "a", NULL, rig_sdp("192.0.2.5", 4000, ""));
}

Test(sdes_workers, full_mailbox_refuses_before_the_first_key)
{
	r.dp->room = 5;
	cr_expect(eq(int,
		try(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, LINE_A)),
		503));
	cr_expect(eq(u32, r.dp->key_orders, 0));
	cr_expect(eq(u32, r.dp->taken, 0));
}

/* Stops and wipes come as room allows, in their order. */
Test(sdes_workers, end_of_a_call_needs_little_room)
{
	connect_keys();
	r.dp->room = 1;
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	cr_expect(eq(u32, r.dp->wipes, 2));
	cr_expect(eq(u32, r.dp->taken, 0));
}

Test(sdes_workers, stuck_worker_costs_the_request_and_no_keys)
{
	struct sp_flow_keys a;

	connect_keys();
	a = *keys_at(port_a);
	ask(SP_VERB_OFFER, "a", "b",
		savp("192.0.2.5", 4000, LINE(1, CM80, KEY_C)));
	r.dp->stuck = true;
	cr_expect(eq(int, try(SP_VERB_ANSWER, "a", "b", B_ANSWER), 503));
	cr_expect(eq(str, r.type, "worker-stuck"));
	r.dp->stuck = false;
	rig_sleep(&r, 2);
	cr_expect(zero(int, memcmp(&a, keys_at(port_a), sizeof a)));
	ask(SP_VERB_ANSWER, "a", "b", B_ANSWER);
	cr_expect(key_is(&keys_at(port_a)->in, KEY_C));
}

Test(sdes_workers, shutdown_wipes_all)
{
	connect_keys();
	sp_service_stop(r.s);
	rig_serve(&r);
	cr_expect(sp_service_idle(r.s));
	cr_expect(eq(u32, r.dp->wipes, 2));
	cr_expect(eq(u32, r.dp->taken, 0));
}

/* Keys are held for as long as a call that has lost its media. */
Test(sdes_workers, timeout_wipes_the_keys)
{
	connect_keys();
	rig_sleep(&r, 62);
	cr_expect(eq(sz, r.s->calls.count, 0));
	cr_expect(eq(u32, r.dp->wipes, 2));
	cr_expect(eq(u32, r.dp->taken, 0));
}
