/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of branches, of several answers to one offer, and of who leaves. */
#include "tests/control/rig_keys.h"

TestSuite(sdes_forks, .init = open_keys, .fini = close_rig);

static unsigned int ports[3]; /* towards each branch */
static char shown[3][RIG_SDP];

static void
offer_branch(unsigned int n, const char *sdp)
{
	static const char *const names[] = { "z1", "z2", "z3" };
	struct sp_request request =
		rig_request(SP_VERB_OFFER, "a", NULL, names[n], sdp);

	request.policy = wish;
	cr_assert(eq(int, rig_ask(&r, &request), 200), "%s", r.detail);
	ports[n] = rig_port(rig_got(&r), 0);
	snprintf(shown[n], sizeof shown[n], "%s", rig_got(&r));
}

static void
answer_branch(const char *branch, const char *tag, const char *sdp)
{
	cr_assert(eq(int, rig_answer(&r, "a", tag, branch, sdp), 200), "%s",
		r.detail);
	port_a = rig_port(rig_got(&r), 0);
}

Test(sdes_forks, each_branch_has_keys_of_its_own)
{
	const struct sp_flow_keys *one, *two;

	offer_branch(0, savp("192.0.2.5", 4000, LINE_A));
	offer_branch(1, savp("192.0.2.5", 4000, LINE_A));
	answer_branch("z1", "b1", savp("10.1.1.1", 5000, LINE_B));
	keep_got();
	answer_branch("z2", "b2", savp("10.1.1.2", 5002, LINE(1, CM80, KEY_C)));
	one = keys_at(ports[0]);
	two = keys_at(ports[1]);
	cr_expect(key_in(shown[0], &one->out, "a=crypto:1 "));
	cr_expect(key_in(shown[1], &two->out, "a=crypto:1 "));
	cr_expect(not(sp_srtp_conf_equal(&one->out, &two->out)));
	cr_expect(key_is(&one->in, KEY_B));
	cr_expect(key_is(&two->in, KEY_C));
	/* The caller has one line and one key of ours, for all of them. */
	cr_expect(kept_key(&keys_at(port_a)->out, "a=crypto:1 "));
	cr_expect(has_key(&keys_at(port_a)->out, "a=crypto:1 "));
	cr_expect(eq(u32, rig_flow(&r, port_a)->out_keys,
		rig_flow(&r, ports[1])->keys));
}

Test(sdes_forks, branches_may_differ_in_protocol)
{
	offer_branch(0, savp("192.0.2.5", 4000, LINE_A));
	wish.transport = SP_TRANSPORT_RTP_AVP;
	offer_branch(1, savp("192.0.2.5", 4000, LINE_A));
	cr_expect(not(has("crypto")));
	cr_expect(ne(u32, rig_flow(&r, ports[0])->keys, 0));
	cr_expect(eq(u32, rig_flow(&r, ports[1])->keys, 0));
	answer_branch("z2", "b2", rig_sdp("10.1.1.2", 5002, ""));
	cr_expect(eq(u32, rig_flow(&r, port_a)->out_keys, 0));
	cr_expect(has_key(&keys_at(port_a)->out, "a=crypto:1 "));
}

/* Whatever one branch's offer prefers: the caller's line is chosen once. */
Test(sdes_forks, caller_keeps_its_line_for_all_branches)
{
	const char *lines = LINE_A LINE(2, CM32, KEY_A);

	offer_branch(0, savp("192.0.2.5", 4000, lines));
	wish.sdes.n_prefer = 1;
	wish.sdes.prefer[0] = SP_SRTP_AES_CM_128_32;
	offer_branch(1, savp("192.0.2.5", 4000, lines));
	answer_branch("z2", "b2", savp("10.1.1.2", 5002, LINE_B));
	cr_expect(has("a=crypto:1 " CM80));
}

Test(sdes_forks, early_answer_and_final_one_are_the_same)
{
	const char *answer = savp("10.1.1.1", 5000, LINE_B);
	struct sp_flow_keys early;

	offer_branch(0, savp("192.0.2.5", 4000, LINE_A));
	answer_branch("z1", "b1", answer);
	keep_got();
	early = *keys_at(port_a);
	r.dp->now_ms += 20000;
	answer_branch("z1", "b1", savp("10.1.1.1", 5000, LINE_B));
	cr_expect(is_kept());
	cr_expect(zero(int, memcmp(&early, keys_at(port_a), sizeof early)));
}

/* A proxy beyond us forks: each answers with a line of its choice. */
Test(sdes_forks, tags_of_a_branch_may_choose_differently)
{
	offer_branch(0, savp("192.0.2.5", 4000, LINE_A));
	answer_branch("z1", "b1", savp("10.1.1.1", 5000, LINE_B));
	cr_expect(key_in(shown[0], &keys_at(ports[0])->out, "a=crypto:1 "));
	answer_branch("z1", "b2", savp("10.1.1.2", 5002, LINE(3, CM32, KEY_C)));
	cr_expect(key_in(shown[0], &keys_at(ports[0])->out, "a=crypto:3 "));
	cr_expect(key_is(&keys_at(ports[0])->in, KEY_C));
	/* Back to the first one, who says the same as before. */
	r.dp->now_ms += 20000;
	answer_branch("z1", "b1", savp("10.1.1.1", 5000, LINE_B));
	cr_expect(key_in(shown[0], &keys_at(ports[0])->out, "a=crypto:1 "));
	cr_expect(key_is(&keys_at(ports[0])->in, KEY_B));
	/* Or it is gone: the other one is there still. */
	cr_assert(eq(int, rig_delete(&r, "a", "b1", NULL), 200));
	cr_expect(key_in(shown[0], &keys_at(ports[0])->out, "a=crypto:3 "));
	cr_expect(key_is(&keys_at(ports[0])->in, KEY_C));
}

/* Without branch ids two targets share our ports, and our lines. */
Test(sdes_forks, targets_without_an_id_answer_to_their_own_offer)
{
	ask(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, LINE_A));
	keep_got();
	port_b = rig_port(rig_got(&r), 0);
	ask_avp(SP_VERB_OFFER, "a", NULL, savp("192.0.2.5", 4000, LINE_A));
	cr_expect(not(has("crypto")));
	cr_expect(eq(u32, rig_port(rig_got(&r), 0), port_b));
	/* Nothing passes before one of them has said which it is. */
	cr_expect(ne(u32, rig_flow(&r, port_b)->keys, 0));
	ask(SP_VERB_ANSWER, "a", "b1", savp("10.1.1.1", 5000, LINE_B));
	cr_expect(kept_key(&keys_at(port_b)->out, "a=crypto:1 "));
	ask(SP_VERB_ANSWER, "a", "b2", rig_sdp("10.1.1.2", 5002, ""));
	cr_expect(eq(u32, rig_flow(&r, port_b)->keys, 0));
	cr_expect(eq(u32, r.dp->wipes, 1));
}

Test(sdes_forks, branch_that_leaves_is_wiped)
{
	offer_branch(0, savp("192.0.2.5", 4000, LINE_A));
	offer_branch(1, savp("192.0.2.5", 4000, LINE_A));
	answer_branch("z1", "b1", savp("10.1.1.1", 5000, LINE_B));
	cr_assert(eq(int, rig_delete(&r, "a", NULL, "z2"), 200));
	cr_expect(eq(u32, r.dp->wipes, 1));
	cr_expect(eq(u32, r.dp->taken, 6));
	cr_expect(ne(ptr, (void *)(uintptr_t)keys_at(ports[0]), NULL));
	cr_assert(eq(int, rig_delete(&r, "a", "b1", NULL), 200));
	cr_expect(eq(u32, r.dp->wipes, 3));
	cr_expect(eq(u32, r.dp->taken, 0));
}

/* The branch that the caller hears leaves, another one is there. */
Test(sdes_forks, caller_is_led_to_the_keys_of_who_stays)
{
	offer_branch(0, savp("192.0.2.5", 4000, LINE_A));
	offer_branch(1, savp("192.0.2.5", 4000, LINE_A));
	answer_branch("z1", "b1", savp("10.1.1.1", 5000, LINE_B));
	answer_branch("z2", "b2", savp("10.1.1.2", 5002, LINE(1, CM80, KEY_C)));
	cr_assert(eq(int, rig_delete(&r, "a", "b2", NULL), 200));
	cr_expect(eq(u32, rig_flow(&r, port_a)->out_keys,
		rig_flow(&r, ports[0])->keys));
	cr_expect(eq(u32, r.dp->wipes, 1));
}

/* Two branches offer to the caller, whose leg is one for both. */
Test(sdes_forks, offer_of_one_branch_leaves_the_choice_of_anothers)
{
	offer_branch(0, savp("192.0.2.5", 4000, LINE_A));
	offer_branch(1, savp("192.0.2.5", 4000, LINE_A));
	answer_branch("z1", "b1", savp("10.1.1.1", 5000, LINE_B));
	answer_branch("z2", "b2", savp("10.1.1.2", 5002, LINE(1, CM80, KEY_C)));
	ask(SP_VERB_OFFER, "b1", "a", savp("10.1.1.1", 5000, LINE_B));
	cr_expect(has("a=crypto:1 " CM80));
	wish.sdes.without = SP_SDES_BIT(SP_SRTP_AES_CM_128_80);
	ask(SP_VERB_OFFER, "b2", "a",
		savp("10.1.1.2", 5002, LINE(1, CM80, KEY_C)));
	cr_expect(not(has(CM80)));
	ask(SP_VERB_ANSWER, "b1", "a", savp("192.0.2.5", 4000, LINE_A));
	cr_expect(key_is(&keys_at(port_a)->in, KEY_A));
	ask(SP_VERB_ANSWER, "b2", "a",
		savp("192.0.2.5", 4000, LINE(2, CM32, KEY_A)));
	cr_expect(eq(int, keys_at(port_a)->out.suite, SP_SRTP_AES_CM_128_32));
}
