/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/dataplane/bed_frame.h"
#include "tests/dataplane/bed_srtp.h"

/* What an order of keys changes, and what it must not. */

#define ID 1u
#define NOW_MS 1000u

static const uint32_t SSRC = 7;

/* A table, and the phone of its leg. */
struct leg {
	struct sp_key_table table;
	struct sp_srtp_engine *phones;
	struct sp_flow_keys keys; /* as ordered last */
	struct sp_srtp *says;
	struct sp_srtp *hears;
	uint16_t seq;
};

static void
leg_open(struct leg *leg, uint32_t directions)
{
	struct sp_srtp_engine *engine;

	memset(leg, 0, sizeof *leg);
	cr_assert(eq(int,
		sp_srtp_engine_open(SP_SRTP_AUTO, directions, &engine), SP_OK));
	cr_assert(eq(int, sp_key_table_open(&leg->table, engine, 4), SP_OK));
	cr_assert(eq(int,
		sp_srtp_engine_open(SP_SRTP_LIBSRTP, 16, &leg->phones), SP_OK));
}

static void
leg_close(struct leg *leg)
{
	sp_srtp_engine_close(leg->phones);
	sp_key_table_close(&leg->table);
}

/* Order keys: suites, and numbers that tell keys apart. */
static enum sp_status
order(struct leg *leg, enum sp_srtp_suite in, unsigned int in_number,
	enum sp_srtp_suite out, unsigned int out_number)
{
	leg->keys.in = bed_conf(in, in_number);
	leg->keys.out = bed_conf(out, out_number);
	return sp_key_table_set(&leg->table, ID, &leg->keys, NOW_MS);
}

/* The phone's keys become those that were ordered last. */
static void
equip(struct leg *leg)
{
	sp_srtp_close(leg->phones, leg->says);
	sp_srtp_close(leg->phones, leg->hears);
	cr_assert(eq(int,
		sp_srtp_open(leg->phones, &leg->keys.in, true, &leg->says),
		SP_OK));
	cr_assert(eq(int,
		sp_srtp_open(leg->phones, &leg->keys.out, false, &leg->hears),
		SP_OK));
}

/* The next packet through @from and @to. Is it heard? */
static bool
passes(struct leg *leg, struct sp_srtp_engine *by, struct sp_srtp *from,
	struct sp_srtp_engine *at, struct sp_srtp *to)
{
	struct bed_payload p = bed_rtp(SSRC, ++leg->seq, 60);
	struct sp_srtp_packet packet = bed_packet(&p);

	if (!from || !to)
		return false;
	sp_srtp_protect(by, &from, &packet, 1, NOW_MS);
	if (packet.fate != SP_SRTP_OK)
		return false;
	sp_srtp_unprotect(at, &to, &packet, 1, NOW_MS);
	return packet.fate == SP_SRTP_OK;
}

static bool
comes(struct leg *leg)
{
	return passes(leg, leg->phones, leg->says, leg->table.engine,
		leg->table.key[ID].in);
}

static bool
goes(struct leg *leg)
{
	return passes(leg, leg->table.engine, leg->table.key[ID].out,
		leg->phones, leg->hears);
}

Test(keys, both_directions_work)
{
	struct leg leg;

	leg_open(&leg, 4);
	cr_assert(eq(int,
		order(&leg, SP_SRTP_AES_CM_128_80, 1, SP_SRTP_GCM_256, 2),
		SP_OK));
	equip(&leg);
	cr_expect(comes(&leg));
	cr_expect(goes(&leg));
	leg_close(&leg);
}

Test(keys, same_keys_again_change_nothing)
{
	struct leg leg;
	struct sp_key before;

	leg_open(&leg, 4);
	cr_assert(eq(int,
		order(&leg, SP_SRTP_AES_CM_128_80, 1, SP_SRTP_GCM_256, 2),
		SP_OK));
	equip(&leg);
	/* Past the end of the sequence numbers: the ROC is 1. */
	for (leg.seq = 65530; leg.seq != 10;) {
		cr_expect(comes(&leg));
		leg.seq--;
		cr_expect(goes(&leg));
	}
	before = leg.table.key[ID];
	for (unsigned int i = 0; i < 5; i++)
		cr_assert(eq(int,
			order(&leg, SP_SRTP_AES_CM_128_80, 1, SP_SRTP_GCM_256,
				2),
			SP_OK));
	cr_expect(
		eq(int, memcmp(&before, &leg.table.key[ID], sizeof before), 0));
	cr_expect(comes(&leg));
	cr_expect(goes(&leg));
	leg_close(&leg);
}

Test(keys, half_that_is_not_agreed_is_closed)
{
	struct leg leg;

	leg_open(&leg, 4);
	cr_assert(eq(
		int, order(&leg, SP_SRTP_NONE, 0, SP_SRTP_GCM_256, 2), SP_OK));
	cr_expect(eq(ptr, leg.table.key[ID].in, NULL));
	cr_expect(ne(ptr, leg.table.key[ID].out, NULL));
	cr_assert(eq(int,
		order(&leg, SP_SRTP_AES_CM_128_80, 1, SP_SRTP_GCM_256, 2),
		SP_OK));
	equip(&leg);
	cr_expect(comes(&leg));
	cr_expect(goes(&leg));
	cr_assert(eq(int,
		order(&leg, SP_SRTP_AES_CM_128_80, 1, SP_SRTP_NONE, 0), SP_OK));
	cr_expect(eq(ptr, leg.table.key[ID].out, NULL));
	cr_expect(eq(u8, leg.table.key[ID].rtp_more, 0));
	cr_expect(comes(&leg));
	leg_close(&leg);
}

/* An answer that is taken back and comes again: no index is used twice. */
Test(keys, sending_goes_on_where_it_stopped)
{
	struct leg leg;

	leg_open(&leg, 4);
	cr_assert(eq(int,
		order(&leg, SP_SRTP_AES_CM_128_80, 1, SP_SRTP_GCM_256, 2),
		SP_OK));
	equip(&leg);
	for (leg.seq = 65530; leg.seq != 10;)
		cr_expect(goes(&leg));
	for (unsigned int i = 0; i < 2; i++)
		cr_assert(eq(int,
			order(&leg, SP_SRTP_AES_CM_128_80, 1, SP_SRTP_NONE, 0),
			SP_OK));
	cr_assert(eq(ptr, leg.table.key[ID].out, NULL));
	cr_assert(eq(int,
		order(&leg, SP_SRTP_AES_CM_128_80, 1, SP_SRTP_GCM_256, 2),
		SP_OK));
	cr_expect(goes(&leg), "the ROC is 1, as it was");
	cr_expect(eq(u32, leg.table.held, 1));

	/* Wiped, all of it has its place for others. */
	cr_assert(
		eq(int, order(&leg, SP_SRTP_NONE, 0, SP_SRTP_NONE, 0), SP_OK));
	cr_assert(
		eq(int, sp_key_table_set(&leg.table, ID, NULL, NOW_MS), SP_OK));
	cr_expect(eq(ptr, leg.table.key[ID].rests, NULL));
	cr_expect(eq(u32, leg.table.held, 0));
	cr_assert(eq(int, order(&leg, SP_SRTP_GCM_128, 3, SP_SRTP_GCM_256, 4),
		SP_OK));
	cr_expect(
		eq(int, sp_key_table_set(&leg.table, ID + 1, &leg.keys, NOW_MS),
			SP_OK));
	leg_close(&leg);
}

Test(keys, old_key_is_heard_beside_the_new_one)
{
	struct leg leg;

	leg_open(&leg, 4);
	cr_assert(eq(int,
		order(&leg, SP_SRTP_AES_CM_128_80, 1, SP_SRTP_GCM_256, 2),
		SP_OK));
	equip(&leg);
	cr_expect(comes(&leg));
	cr_assert(eq(int,
		order(&leg, SP_SRTP_AES_CM_128_80, 3, SP_SRTP_GCM_256, 4),
		SP_OK));
	cr_expect(comes(&leg));
	cr_expect(not(goes(&leg))); /* what we send is under the new one */
	equip(&leg);
	cr_expect(comes(&leg));
	cr_expect(goes(&leg));
	leg_close(&leg);
}

/* An order that fails, by what is wrong with which half. */
struct failure {
	char name[32];
	enum sp_srtp_suite was_in;
	enum sp_srtp_suite was_out;
	uint8_t bad_in; /* flags that no engine takes */
	uint8_t bad_out;
};

ParameterizedTestParameters(keys, order_that_fails_leaves_both_as_they_were)
{
	/* clang-format off */
	static struct failure cases[] = {
		{ "new, in", SP_SRTP_NONE, SP_SRTP_NONE, 0x80, 0 },
		{ "new, out", SP_SRTP_NONE, SP_SRTP_NONE, 0, 0x80 },
		{ "in is new, out fails", SP_SRTP_NONE, SP_SRTP_GCM_128, 0,
			0x80 },
		{ "out is new and fails", SP_SRTP_GCM_128, SP_SRTP_NONE, 0,
			0x80 },
		{ "out is new, in fails", SP_SRTP_GCM_128, SP_SRTP_NONE, 0x80,
			0 },
		{ "both change, in fails", SP_SRTP_GCM_128, SP_SRTP_GCM_256,
			0x80, 0 },
		{ "both change, out fails", SP_SRTP_GCM_128, SP_SRTP_GCM_256,
			0, 0x80 },
	};
	/* clang-format on */

	return cr_make_param_array(
		struct failure, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct failure *tc, keys, order_that_fails_leaves_both_as_they_were)
{
	struct sp_key before;
	struct leg leg;
	bool in, out;

	leg_open(&leg, 4);
	cr_assert(eq(int, order(&leg, tc->was_in, 1, tc->was_out, 2), SP_OK));
	in = tc->was_in != SP_SRTP_NONE;
	out = tc->was_out != SP_SRTP_NONE;
	if (in)
		cr_assert(eq(int,
			sp_srtp_open(leg.phones, &leg.keys.in, true, &leg.says),
			SP_OK));
	if (out)
		cr_assert(eq(int,
			sp_srtp_open(
				leg.phones, &leg.keys.out, false, &leg.hears),
			SP_OK));
	cr_expect(eq(int, comes(&leg), in), "%s", tc->name);
	cr_expect(eq(int, goes(&leg), out), "%s", tc->name);
	before = leg.table.key[ID];

	leg.keys.in = bed_conf(SP_SRTP_AES_CM_128_80, 3);
	leg.keys.out = bed_conf(SP_SRTP_AES_CM_128_32, 4);
	leg.keys.in.flags = tc->bad_in;
	leg.keys.out.flags = tc->bad_out;
	cr_expect(eq(int, sp_key_table_set(&leg.table, ID, &leg.keys, NOW_MS),
			  SP_UNSUPPORTED),
		"%s", tc->name);
	cr_expect(
		eq(int, memcmp(&before, &leg.table.key[ID], sizeof before), 0),
		"%s", tc->name);
	cr_expect(eq(int, comes(&leg), in), "%s", tc->name);
	cr_expect(eq(int, goes(&leg), out), "%s", tc->name);
	/* The new keys are not heard. */
	leg.keys.in.flags = leg.keys.out.flags = 0;
	equip(&leg);
	cr_expect(not(comes(&leg)), "%s", tc->name);
	cr_expect(not(goes(&leg)), "%s", tc->name);
	/* And nothing was lost: all of them fit. */
	cr_expect(eq(int, sp_key_table_set(&leg.table, ID, &leg.keys, NOW_MS),
			  SP_OK),
		"%s", tc->name);
	cr_expect(
		eq(int, sp_key_table_set(&leg.table, ID + 1, &leg.keys, NOW_MS),
			SP_OK),
		"%s", tc->name);
	leg_close(&leg);
}

Test(keys, engine_that_is_full_says_so)
{
	struct leg leg;

	leg_open(&leg, 3);
	cr_assert(eq(int,
		order(&leg, SP_SRTP_AES_CM_128_80, 1, SP_SRTP_GCM_256, 2),
		SP_OK));
	cr_expect(
		eq(int, sp_key_table_set(&leg.table, ID + 1, &leg.keys, NOW_MS),
			SP_FULL));
	cr_expect(eq(ptr, leg.table.key[ID + 1].in, NULL));
	cr_expect(eq(ptr, leg.table.key[ID + 1].out, NULL));
	/* New keys in the place of old ones still fit. */
	cr_expect(eq(int,
		order(&leg, SP_SRTP_GCM_128, 3, SP_SRTP_AES_CM_256_80, 4),
		SP_OK));
	cr_expect(
		eq(int, sp_key_table_set(&leg.table, ID, NULL, NOW_MS), SP_OK));
	cr_expect(
		eq(int, sp_key_table_set(&leg.table, ID + 1, &leg.keys, NOW_MS),
			SP_OK));
	leg_close(&leg);
}

Test(keys, refuses_ids_that_can_not_be)
{
	struct leg leg;

	leg_open(&leg, 4);
	leg.keys.in = bed_conf(SP_SRTP_GCM_128, 1);
	cr_expect(eq(int, sp_key_table_set(&leg.table, 0, &leg.keys, 1),
		SP_CONFLICT));
	cr_expect(eq(int, sp_key_table_set(&leg.table, 5, &leg.keys, 1),
		SP_CONFLICT));
	cr_expect(
		eq(int, sp_key_table_set(&leg.table, 5, NULL, 1), SP_CONFLICT));
	cr_expect(eq(int, sp_key_table_set(&leg.table, 4, NULL, 1), SP_OK));
	leg_close(&leg);
}

/* Who needs no tag under the old keys must need one under the new. */
Test(keys, untagged_keys_end_at_once)
{
	struct leg leg;

	leg_open(&leg, 4);
	leg.keys.in = bed_conf(SP_SRTP_AES_CM_128_80, 1);
	leg.keys.in.flags = SP_SRTP_NO_AUTH;
	leg.keys.out = bed_conf(SP_SRTP_GCM_128, 2);
	cr_assert(eq(int, sp_key_table_set(&leg.table, ID, &leg.keys, NOW_MS),
		SP_OK));
	equip(&leg);
	cr_expect(comes(&leg));
	cr_expect(leg.table.key[ID].no_auth);
	cr_assert(eq(int,
		order(&leg, SP_SRTP_AES_CM_128_80, 3, SP_SRTP_GCM_128, 2),
		SP_OK));
	cr_expect(not(leg.table.key[ID].no_auth));
	cr_expect(not(comes(&leg)));
	equip(&leg);
	cr_expect(comes(&leg));
	leg_close(&leg);
}
