/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "relay/srtp_engine.h"
#include "tests/relay/srtp_traffic.h"

/* The engine on libsrtp2 by itself: its boxes, and what they are asked. */

static const struct sp_srtp_ops *const ops = &sp_srtp_libsrtp_ops;

static struct lots lots = { 7 };

/* One packet, with the room that engines want. */
static struct {
	struct wire wire;
	uint8_t room[SP_SRTP_ROOM];
} at;
static struct sp_srtp_packet packet;
static struct sp_srtp_job job;
static const uint8_t *mki;

static void *
lib_new(void)
{
	void *lib = NULL;

	cr_assert(eq(int, ops->open(1, &lib), SP_OK));
	return lib;
}

static void *
box_new(void *lib, const struct sp_srtp_conf *conf, unsigned int k)
{
	void *box = NULL;

	cr_assert(eq(int, ops->box_open(lib, conf, k, true, &box), SP_OK));
	return box;
}

static void
load(const struct wire *w, uint16_t header_len, void *box, uint64_t index)
{
	at.wire = *w;
	packet = (struct sp_srtp_packet){
		.data = at.wire.data,
		.len = w->len,
		.header_len = header_len,
	};
	job = (struct sp_srtp_job){
		.p = &packet,
		.box = box,
		.mki = mki,
		.index = index,
		.ok = true,
	};
}

static bool
holds(const struct wire *w)
{
	return packet.len == w->len &&
		memcmp(packet.data, w->data, w->len) == 0;
}

struct box_case {
	char name[40];
	enum sp_srtp_suite suite;
	uint8_t flags;
	uint8_t mki_len;
};

/* clang-format off */
static struct box_case box_cases[] = {
	{ "AES_CM_128_80", SP_SRTP_AES_CM_128_80, 0, 0 },
	{ "AES_CM_128_32", SP_SRTP_AES_CM_128_32, 0, 3 },
	{ "AES_CM_256_80", SP_SRTP_AES_CM_256_80, 0, 16 },
	{ "AES_CM_256_32", SP_SRTP_AES_CM_256_32, 0, 0 },
	{ "GCM_128", SP_SRTP_GCM_128, 0, 0 },
	{ "GCM_128, MKI", SP_SRTP_GCM_128, 0, 4 },
	{ "GCM_256", SP_SRTP_GCM_256, 0, 16 },
	{ "plain RTP", SP_SRTP_AES_CM_128_80, SP_SRTP_PLAIN_RTP, 1 },
	{ "plain RTCP", SP_SRTP_AES_CM_256_80, SP_SRTP_PLAIN_RTCP, 1 },
	{ "no tag", SP_SRTP_AES_CM_128_32, SP_SRTP_NO_AUTH, 4 },
	{ "no tag, plain", SP_SRTP_AES_CM_128_32,
		SP_SRTP_NO_AUTH | SP_SRTP_PLAIN_RTP, 0 },
};
/* clang-format on */

ParameterizedTestParameters(srtp_libsrtp, a_box_does_as_a_session)
{
	return cr_make_param_array(struct box_case, box_cases,
		sizeof box_cases / sizeof *box_cases);
}

/* A session starts at index 0 of RTP and 1 of RTCP; so the box is told. */
static void
compare_sessions(
	void *lib, void *box, const struct sp_srtp_conf *conf, bool rtcp)
{
	const bool has_mki = conf->mki_len > 0;
	srtp_t session = oracle_open(conf, true, rtcp);
	struct source source = { .ssrc = 0xfedcba98, .seq = 65000 };

	for (uint64_t i = 0; i < 1000; i++, source.seq++) {
		const uint64_t index = rtcp ? i + 1 : 65000 + i;
		struct wire plain, want;
		uint16_t header_len;

		draw_plain(&lots, rtcp, &source, &plain);
		header_len = rtcp
			? 0
			: (uint16_t)(RTP_FIXED + 4 * (plain.data[0] & 15));
		if (!rtcp && plain.data[0] & 0x10)
			header_len = (uint16_t)(header_len + 4 +
				4 * plain.data[header_len + 3]);
		want = plain;
		cr_assert(eq(int, oracle_protect(session, rtcp, has_mki, &want),
			SP_SRTP_OK));

		load(&plain, header_len, box, index);
		if (rtcp)
			ops->rtcp_protect(lib, &job);
		else
			ops->protect(lib, &job, 1);
		cr_assert(job.ok && holds(&want), "packet %u", (unsigned)i);

		if (rtcp) {
			ops->rtcp_unprotect(lib, &job);
		} else {
			ops->unprotect(lib, &job, 1);
			cr_assert(holds(&want), "left alone until finish");
			cr_assert(job.ok);
			ops->finish(lib, &job, 1);
		}
		cr_assert(job.ok && holds(&plain), "packet %u", (unsigned)i);
	}
	cr_assert(eq(int, srtp_dealloc(session), srtp_err_status_ok));
}

ParameterizedTest(struct box_case *tc, srtp_libsrtp, a_box_does_as_a_session)
{
	const struct sp_srtp_conf conf =
		draw_conf(&lots, tc->suite, tc->flags, tc->mki_len, 1);
	void *lib = lib_new();
	void *box = box_new(lib, &conf, 0);

	mki = conf.key[0].mki;
	compare_sessions(lib, box, &conf, false);
	compare_sessions(lib, box, &conf, true);
	ops->box_close(lib, box);
	ops->close(lib);
}

ParameterizedTestParameters(srtp_libsrtp, a_forgery_changes_nothing)
{
	return cr_make_param_array(struct box_case, box_cases,
		sizeof box_cases / sizeof *box_cases);
}

/* Every bit of it; and the packet itself is still good thereafter. */
static void
forge_all(void *lib, void *box, const struct wire *w, bool rtcp,
	unsigned int skip)
{
	for (unsigned int bit = 0; bit <= 8u * w->len; bit++) {
		struct wire forged = *w;
		const bool genuine = bit == 8u * w->len;

		if (bit / 8 >= skip && bit / 8 < w->len - 16u)
			continue; /* an MKI, which is srtp.c's to look at */
		if (!genuine)
			forged.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		load(&forged, RTP_FIXED, box, rtcp ? 1 : 9);
		if (rtcp)
			ops->rtcp_unprotect(lib, &job);
		else
			ops->unprotect(lib, &job, 1);
		cr_assert(eq(int, job.ok, genuine), "bit %u", bit);
		if (!genuine)
			cr_assert(holds(&forged), "bit %u", bit);
	}
}

ParameterizedTest(struct box_case *tc, srtp_libsrtp, a_forgery_changes_nothing)
{
	const struct sp_srtp_conf conf =
		draw_conf(&lots, tc->suite, tc->flags, 0, 1);
	struct wire w = { .len = 40, .data = { 0x80, 200, 0, 9 } };
	void *lib = lib_new();
	void *box = box_new(lib, &conf, 0);

	load(&w, RTP_FIXED, box, 9);
	ops->protect(lib, &job, 1);
	cr_assert(job.ok);
	w = at.wire;
	w.len = packet.len;
	if (!(tc->flags & SP_SRTP_NO_AUTH))
		forge_all(lib, box, &w, false, w.len);

	w = (struct wire){ .len = 40, .data = { 0x80, 200, 0, 9 } };
	load(&w, 0, box, 1);
	ops->rtcp_protect(lib, &job);
	cr_assert(job.ok);
	w = at.wire;
	w.len = packet.len;
	forge_all(lib, box, &w, true, w.len);
	ops->box_close(lib, box);
	ops->close(lib);
}

/* NSS would keep what it was told of the header for the next packet. */
Test(srtp_libsrtp, a_huge_header_harms_no_other_packet)
{
	static uint8_t huge[4096 + SP_SRTP_ROOM];
	const struct sp_srtp_conf conf =
		draw_conf(&lots, SP_SRTP_GCM_128, 0, 0, 1);
	struct wire plain = { .len = 40, .data = { 0x80, 200, 0, 9 } };
	void *lib = lib_new();
	void *box = box_new(lib, &conf, 0);

	for (uint16_t header_len = 2000; header_len < 4000; header_len++) {
		load(&plain, header_len, box, 8);
		packet.data = huge;
		packet.len = 4000;
		ops->protect(lib, &job, 1);
		cr_assert(eq(int, job.ok, header_len <= 2044));
		if (header_len % 97 != 0)
			continue;
		load(&plain, RTP_FIXED, box, 9);
		ops->protect(lib, &job, 1);
		cr_assert(job.ok);
		ops->unprotect(lib, &job, 1);
		cr_assert(job.ok);
		ops->finish(lib, &job, 1);
		cr_assert(job.ok && holds(&plain));
	}
	ops->box_close(lib, box);
	ops->close(lib);
}

Test(srtp_libsrtp, a_slow_library_carries_no_more_than_it_can)
{
	const struct sp_srtp_conf conf =
		draw_conf(&lots, SP_SRTP_AES_CM_128_80, 0, 0, 1);
	void *lib[2] = { lib_new(), lib_new() };
	void *box[SP_SRTP_LIBSRTP_MAX], *more = NULL;
	struct sp_srtp_about about;

	ops->about(lib[0], &about);
	if (!about.slow)
		cr_skip("this libsrtp2 is not built on NSS");
	cr_expect(eq(u32, about.most, SP_SRTP_LIBSRTP_MAX));
	/* Whichever engines they are of. */
	for (unsigned int i = 0; i < SP_SRTP_LIBSRTP_MAX; i++)
		box[i] = box_new(lib[i % 2], &conf, 0);
	for (unsigned int i = 0; i < 3; i++)
		cr_expect(eq(int,
			ops->box_open(lib[i % 2], &conf, 0, true, &more),
			SP_FULL));
	ops->box_close(lib[0], box[0]);
	box[0] = box_new(lib[1], &conf, 0);
	for (unsigned int i = 0; i < SP_SRTP_LIBSRTP_MAX; i++)
		ops->box_close(lib[i % 2], box[i]);
	ops->close(lib[0]);
	ops->close(lib[1]);
}

Test(srtp_libsrtp, a_box_knows_its_keys)
{
	const struct sp_srtp_conf conf =
		draw_conf(&lots, SP_SRTP_GCM_256, 0, 2, 2);
	void *lib = lib_new();
	void *box = box_new(lib, &conf, 1);
	struct sp_srtp_conf other = conf;

	cr_expect(ops->box_same(lib, box, &conf, 1));
	cr_expect(not(ops->box_same(lib, box, &conf, 0)));
	other.key[1].key[43] ^= 1;
	cr_expect(not(ops->box_same(lib, box, &other, 1)));
	/* The same keystream, whatever is around it. */
	other = conf;
	other.key[1].mki[1] ^= 1;
	cr_expect(ops->box_same(lib, box, &other, 1));
	other.suite = SP_SRTP_AES_CM_256_80;
	cr_expect(not(ops->box_same(lib, box, &other, 1)));
	other.suite = SP_SRTP_GCM_128;
	cr_expect(not(ops->box_same(lib, box, &other, 1)));
	ops->box_close(lib, box);
	ops->box_close(lib, NULL);
	ops->close(lib);
	ops->close(NULL);
}

Test(srtp_libsrtp, it_says_what_it_is)
{
	void *lib = lib_new();
	struct sp_srtp_about about;

	ops->about(lib, &about);
	cr_expect(eq(str, (char *)about.name, "libsrtp"));
	cr_expect(eq(int, about.kind, SP_SRTP_LIBSRTP));
	cr_expect(strstr(about.library, "libsrtp2 2.") != NULL);
	cr_expect(eq(int, about.slow, strstr(about.library, "NSS") != NULL));
	ops->close(lib);
}
