/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_RELAY_SRTP_CASES_H
#define SP_TESTS_RELAY_SRTP_CASES_H

#include <stdlib.h>

#include "tests/relay/srtp_rig.h"

/* The agreements that engines are compared under, for both directions. */

struct oracle_case {
	char name[40];
	enum sp_srtp_suite suite;
	uint8_t flags;
	uint8_t mki_len;
	uint8_t n_keys;
	uint8_t legs;
	uint8_t sources;
	uint8_t part; /* of all packets, compared with the others' */
	bool rtcp;
};

/* clang-format off */
#define CASE(name, suite, flags, mki, keys, legs, sources, part, rtcp)        \
	{ name, SP_SRTP_##suite, flags, mki, keys, legs, sources, part, rtcp }
#define SUITE(name, suite)                                                    \
	CASE(name, suite, 0, 0, 1, 4, 5, 4, false),                           \
	CASE(name ", one stream", suite, 0, 0, 1, 1, 1, 2, false),            \
	CASE(name ", MKI", suite, 0, 4, 2, 2, 3, 1, false),                   \
	CASE(name ", RTCP", suite, 0, 0, 1, 3, 4, 1, true),                   \
	CASE(name ", RTCP, MKI", suite, 0, 1, 2, 2, 2, 1, true)
#define CM_SUITE(name, suite)                                                 \
	SUITE(name, suite),                                                   \
	CASE(name ", plain", suite, SP_SRTP_PLAIN_RTP, 0, 1, 2, 3, 1, false), \
	CASE(name ", no tag", suite, SP_SRTP_NO_AUTH, 0, 1, 2, 3, 1, false),  \
	CASE(name ", neither", suite, SP_SRTP_PLAIN_RTP | SP_SRTP_NO_AUTH,    \
		2, 2, 2, 3, 1, false),                                        \
	CASE(name ", plain RTCP", suite, SP_SRTP_PLAIN_RTCP, 0, 1, 2, 3, 1,   \
		true)
static struct oracle_case cases[] = {
	CM_SUITE("AES_CM_128_80", AES_CM_128_80),
	CM_SUITE("AES_CM_128_32", AES_CM_128_32),
	CM_SUITE("AES_CM_256_80", AES_CM_256_80),
	CM_SUITE("AES_CM_256_32", AES_CM_256_32),
	SUITE("GCM_128", GCM_128),
	SUITE("GCM_256", GCM_256),
	CASE("many legs", AES_CM_128_80, 0, 0, 1, LEGS_MOST, 8, 2, false),
	CASE("longest MKI", GCM_128, 0, SP_SRTP_MKI_MAX, 2, 2, 2, 1, false),
};
#define CASES (sizeof cases / sizeof *cases)
/* clang-format on */

/* How many packets are a case's: SRTP_PACKETS is what a run has in all. */
static inline uint32_t
case_packets(const struct oracle_case *tc)
{
	const char *text = getenv("SRTP_PACKETS");
	const uint64_t all = text ? strtoull(text, NULL, 10) : 1050000;
	uint32_t parts = 0;

	for (size_t i = 0; i < CASES; i++)
		parts += 2u * cases[i].part; /* both directions */
	return (uint32_t)(all * tc->part / parts + 1);
}

/* Which story is told: SRTP_SEED. */
static inline const char *
case_story(void)
{
	const char *text = getenv("SRTP_SEED");

	return text ? text : "4";
}

static inline uint64_t
case_seed(const struct oracle_case *tc)
{
	uint64_t seed = strtoull(case_story(), NULL, 10);

	for (const char *c = tc->name; *c; c++)
		seed = seed * 31 + (uint8_t)*c;
	return seed;
}

#endif
