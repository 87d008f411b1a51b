/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SRTP stage against the system's libsrtp2. Few streams: the NSS build
 * looks through all its sessions for each packet.
 */
#include <stdio.h>

#include "bench/srtp_contender.h"
#include "bench/srtp_parts.h"
#include "bench/srtp_stage.h"
#include "bench/stats.h"

#define WALKS 2u
#define BURST 32u
#define ROUNDS 5u /* one of 1,000 streams takes 50 ms */

struct pair {
	struct stats stage[2]; /* protect, unprotect */
	struct stats libsrtp[2];
};

static const uint32_t all_streams[WALKS] = { 32, 1000 };
static const uint16_t all_payloads[] = { 20, 160, 1200 };

static void
add(struct stats s[2], struct srtp_lap lap)
{
	stats_add(&s[0], lap.protect);
	stats_add(&s[1], lap.unprotect);
}

static void
print(const struct pair *p, enum sp_srtp_suite suite, uint16_t payload,
	uint32_t streams, bool json)
{
	static const char *const ways[] = { "protect", "unprotect" };

	printf("%-24s %7u %7u", sp_srtp_facts(suite)->name, payload, streams);
	for (unsigned int w = 0; w < 2; w++)
		printf(" %7.0f %7.0f %6.1f", stats_median(&p->stage[w]),
			stats_median(&p->libsrtp[w]),
			stats_ratio(&p->libsrtp[w], &p->stage[w]));
	printf("\n");
	for (unsigned int w = 0; w < 2 && json; w++)
		printf("{\"bench\":\"srtp sessions\",\"suite\":\"%s\","
		       "\"payload\":%u,\"streams\":%u,\"way\":\"%s\","
		       "\"cycles\":%.1f,\"libsrtp\":%.1f,\"ratio\":%.2f}\n",
			sp_srtp_facts(suite)->name, payload, streams, ways[w],
			stats_median(&p->stage[w]),
			stats_median(&p->libsrtp[w]),
			stats_ratio(&p->libsrtp[w], &p->stage[w]));
}

/* Sessions are opened for each number of streams: all of them cost. */
static void
measure(const struct srtp_options *o, struct srtp_ring *ring,
	enum sp_srtp_suite suite, uint32_t streams)
{
	const unsigned int rounds = o->rounds < ROUNDS ? o->rounds : ROUNDS;
	struct srtp_walk *walk = srtp_walk_open(streams);
	void *stage = srtp_stage.open(suite, streams);
	void *libsrtp = srtp_libsrtp.open(suite, streams);

	srtp_lap_first(&srtp_stage, stage, ring, walk);
	srtp_lap_first(&srtp_libsrtp, libsrtp, ring, walk);
	for (size_t i = 0; i < sizeof all_payloads / sizeof all_payloads[0];
		i++) {
		struct pair p = { 0 };

		if (o->quick && all_payloads[i] != 160)
			continue;
		for (unsigned int round = 0; round < rounds; round++) {
			add(p.stage,
				srtp_lap(&srtp_stage, stage, ring, walk,
					all_payloads[i], BURST));
			add(p.libsrtp,
				srtp_lap(&srtp_libsrtp, libsrtp, ring, walk,
					all_payloads[i], BURST));
		}
		print(&p, suite, all_payloads[i], streams, o->json);
	}
	srtp_stage.close(stage);
	srtp_libsrtp.close(libsrtp);
	srtp_walk_close(walk);
}

bool
srtp_sessions(const struct srtp_options *o)
{
	const unsigned int walks =
		o->quick || srtp_stage_most() < all_streams[1] ? 1 : WALKS;
	struct srtp_ring *ring = srtp_ring_open(all_streams[WALKS - 1]);

	printf("\nstage in bursts of %u, libsrtp2, times; cycles a packet\n"
	       "%-24s %7s %7s %23s %23s\n",
		BURST, "", "payload", "streams", "protect", "unprotect");
	for (unsigned int s = SP_SRTP_NONE + 1; s < SP_SRTP_SUITES; s++)
		for (unsigned int i = 0; i < walks; i++)
			if (o->suite == SP_SRTP_NONE || o->suite == s)
				measure(o, ring, s, all_streams[i]);
	srtp_ring_close(ring);
	return true;
}
