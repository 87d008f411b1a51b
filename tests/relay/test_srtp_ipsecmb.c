/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine on libipsec-mb by itself: what version 1.3 does otherwise than
 * one would think, and memory.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#ifdef SP_HAVE_IPSECMB
#include "relay/srtp_direction.h"
#include "relay/srtp_ipsecmb.h"

static const struct sp_srtp_ops *const ops = &sp_srtp_ipsecmb_ops;
static void *lib;

/* Memory of boxes, which is not the engine's. */
#define BOXES 8u
static alignas(SP_SRTP_LINE) uint8_t memory[BOXES][2048];
static unsigned int used;

static void
open_lib(void)
{
	const enum sp_status status = ops->open(1, &lib);

	if (status == SP_UNSUPPORTED)
		cr_skip_test("this CPU is not one for ipsec-mb");
	cr_assert(eq(int, status, SP_OK));
}

static void
close_lib(void)
{
	ops->close(lib);
}

TestSuite(srtp_ipsecmb, .init = open_lib, .fini = close_lib);

static void *
box_new(enum sp_srtp_suite suite, uint8_t flags, uint8_t seed)
{
	struct sp_srtp_conf conf = {
		.suite = (uint8_t)suite,
		.flags = flags,
		.n_keys = 1,
	};
	void *box = memory[used++];

	cr_assert(le(u32, used, BOXES));
	for (unsigned int i = 0; i < SP_SRTP_KEY_MAX; i++)
		conf.key[0].key[i] = (uint8_t)(seed + 3 * i);
	cr_assert(eq(int, ops->box_open(lib, &conf, 0, true, &box), SP_OK));
	return box;
}

#define DATA_MAX 2048
#define EDGE_BYTE 0xa5

static uint8_t data[SP_SRTP_BURST][DATA_MAX];
static uint8_t alone[SP_SRTP_BURST][DATA_MAX];
static struct sp_srtp_packet packet[SP_SRTP_BURST];
static struct sp_srtp_job job[SP_SRTP_BURST];

static void
load(unsigned int i, void *box, uint16_t len, uint8_t *at)
{
	memset(at, EDGE_BYTE, DATA_MAX);
	for (unsigned int b = 0; b < len; b++)
		at[b] = (uint8_t)(i * 5 + b);
	packet[i] = (struct sp_srtp_packet){
		.data = at,
		.len = len,
		.header_len = 12,
	};
	job[i] = (struct sp_srtp_job){
		.p = &packet[i],
		.box = box,
		.index = 0x123456789abull + i,
		.ok = true,
	};
}

struct mix_case {
	char name[32];
	uint8_t suites[6];
	uint8_t flags[6];
	uint16_t lens[6]; /* of packets, in turn */
};

/* clang-format off */
ParameterizedTestParameters(srtp_ipsecmb, a_burst_is_what_its_packets_are_alone)
{
#define CM_128 SP_SRTP_AES_CM_128_80
#define CM_256 SP_SRTP_AES_CM_256_32
#define GCM SP_SRTP_GCM_128
#define PLAIN SP_SRTP_PLAIN_RTP
#define NO_AUTH SP_SRTP_NO_AUTH
	static struct mix_case cases[] = {
		{ "alike", { CM_128, CM_128, CM_128, CM_128, CM_128, CM_128 },
			{ 0 }, { 172, 172, 172, 172, 172, 172 } },
		{ "of all lengths",
			{ CM_128, CM_128, CM_128, CM_128, CM_128, CM_128 },
			{ 0 }, { 13, 172, 1300, 44, 120, 1900 } },
		{ "some empty",
			{ CM_128, CM_128, CM_256, CM_256, GCM, GCM },
			{ 0 }, { 12, 172, 12, 172, 12, 172 } },
		{ "all empty",
			{ CM_128, CM_128, CM_128, CM_256, CM_256, GCM },
			{ 0 }, { 12, 12, 12, 12, 12, 12 } },
		{ "of all kinds", { CM_128, CM_256, GCM, CM_128, CM_256, GCM },
			{ 0 }, { 172, 172, 172, 45, 1000, 12 } },
		{ "with all flags",
			{ CM_128, CM_128, CM_128, CM_256, CM_256, CM_256 },
			{ PLAIN, NO_AUTH, PLAIN | NO_AUTH, 0, PLAIN, NO_AUTH },
			{ 172, 172, 100, 172, 50, 13 } },
	};

	return cr_make_param_array(
		struct mix_case, cases, sizeof cases / sizeof *cases);
}
/* clang-format on */

/* Each number of packets, so that each of both managers takes its part. */
ParameterizedTest(struct mix_case *tc, srtp_ipsecmb,
	a_burst_is_what_its_packets_are_alone)
{
	void *box[6];

	for (unsigned int k = 0; k < 6; k++)
		box[k] = box_new(tc->suites[k], tc->flags[k], (uint8_t)k);
	for (unsigned int n = 1; n <= SP_SRTP_BURST; n++) {
		for (unsigned int i = 0; i < n; i++) {
			load(i, box[i % 6], tc->lens[i % 6], alone[i]);
			ops->protect(lib, &job[i], 1);
		}
		for (unsigned int i = 0; i < n; i++)
			load(i, box[i % 6], tc->lens[i % 6], data[i]);
		ops->protect(lib, job, n);
		for (unsigned int i = 0; i < n; i++)
			cr_assert(memcmp(data[i], alone[i], packet[i].len) == 0,
				"%s: %u of %u", tc->name, i, n);

		ops->unprotect(lib, job, n);
		for (unsigned int i = 0; i < n; i++)
			cr_assert(job[i].ok, "%s: %u of %u", tc->name, i, n);
		ops->finish(lib, job, n);
		for (unsigned int i = 0; i < n; i++) {
			load(i, box[i % 6], tc->lens[i % 6], alone[i]);
			cr_assert(
				memcmp(data[i], alone[i], tc->lens[i % 6]) == 0,
				"%s: %u of %u", tc->name, i, n);
		}
	}
}

/* Its checked calls refuse tags of 10 and 4 bytes; ours ask for 12. */
Test(srtp_ipsecmb, nothing_is_written_beyond_the_room)
{
	static const uint8_t kinds[] = { SP_SRTP_AES_CM_128_80,
		SP_SRTP_AES_CM_128_32, SP_SRTP_GCM_256 };

	for (unsigned int k = 0; k < sizeof kinds; k++) {
		void *box = box_new(kinds[k], 0, 1);

		for (uint16_t len = 12; len < 300; len++) {
			load(0, box, len, data[0]);
			ops->protect(lib, job, 1);
			for (unsigned int at = len + SP_SRTP_ROOM;
				at < DATA_MAX; at++)
				cr_assert(eq(u8, data[0][at], EDGE_BYTE));
			for (unsigned int at = len + SP_SRTP_TAG_MAX;
				at < len + SP_SRTP_ROOM; at++)
				cr_assert(eq(u8, data[0][at], EDGE_BYTE),
					"%u of %u", at, len);
		}
		ops->box_close(lib, box);
	}
}

/* The header aligns it only if LINUX is defined. */
Test(srtp_ipsecmb, keys_lie_on_cache_lines)
{
	cr_expect(eq(sz, alignof(struct sp_ipsecmb_box), SP_SRTP_LINE));
	cr_expect(eq(sz, offsetof(struct sp_ipsecmb_box, keys), SP_SRTP_LINE));
	cr_expect(eq(sz, sizeof(struct sp_srtp) % SP_SRTP_LINE, 0));
}

static size_t
lines(size_t bytes)
{
	return (bytes + SP_SRTP_LINE - 1) / SP_SRTP_LINE * SP_SRTP_LINE;
}

/* An SRTP leg: two directions with the rooms of their keys. */
Test(srtp_ipsecmb, a_leg_of_aes_cm_takes_a_kilobyte)
{
	const size_t direction = sizeof(struct sp_srtp);

	cr_expect(le(sz, 2 * lines(direction + SP_IPSECMB_BOX_128), 1024));
	cr_expect(le(sz, 2 * lines(direction + SP_IPSECMB_BOX_256), 1152));
}

Test(srtp_ipsecmb, a_box_knows_the_key_it_is_from)
{
	struct sp_srtp_conf conf = {
		.suite = SP_SRTP_AES_CM_128_80,
		.n_keys = 1,
	};

	for (unsigned int s = SP_SRTP_NONE + 1; s < SP_SRTP_SUITES; s++) {
		void *box = memory[s];

		conf.suite = (uint8_t)s;
		memset(conf.key[0].key, 3, sizeof conf.key[0].key);
		cr_assert(eq(
			int, ops->box_open(lib, &conf, 0, true, &box), SP_OK));
		cr_expect(ops->box_same(lib, box, &conf, 0));
		conf.key[0].key[sp_srtp_facts(s)->key_len] ^= 1;
		cr_expect(not(ops->box_same(lib, box, &conf, 0)));
		conf.key[0].key[sp_srtp_facts(s)->key_len] ^= 1;
		conf.suite = (uint8_t)(s <= 2 ? s + 2 : s - 2);
		cr_expect(not(ops->box_same(lib, box, &conf, 0)));
		ops->box_close(lib, box);
	}
}

Test(srtp_ipsecmb, what_is_closed_is_wiped)
{
	ops->box_close(lib, box_new(SP_SRTP_GCM_256, 0, 9));
	ops->box_close(lib, box_new(SP_SRTP_AES_CM_256_80, 0, 9));
	for (size_t i = 0; i < sizeof memory[0]; i++) {
		cr_assert(eq(u8, memory[0][i], 0));
		cr_assert(eq(u8, memory[1][i], 0));
	}
}

/* As a new key moves them. */
Test(srtp_ipsecmb, a_box_works_wherever_it_is_copied)
{
	void *box = box_new(SP_SRTP_GCM_128, 0, 1);

	load(0, box, 100, data[0]);
	ops->protect(lib, job, 1);
	memcpy(memory[1], box, SP_IPSECMB_BOX_GCM);
	ops->box_close(lib, box);
	job[0].box = memory[1];
	ops->unprotect(lib, job, 1);
	cr_expect(job[0].ok);
}
#endif
