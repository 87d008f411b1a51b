/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet with a wrong tag costs against a good one, and that it
 * changes nothing: the same packet, mended, is good afterwards.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/srtp_contender.h"
#include "bench/srtp_parts.h"
#include "bench/srtp_stage.h"
#include "bench/stats.h"

#define STREAMS 10000u
#define STREAMS_FEW 100u
#define PAYLOAD 160u
#define BURST 32u
#define AIM 1.2

/* Cycles a packet of unprotecting what is in the ring. */
static double
unprotect(void *stage, struct srtp_ring *ring, uint32_t refused)
{
	double took;

	ring->refused = 0;
	took = srtp_lap_cycles();
	srtp_stage.unprotect(stage, ring, BURST);
	took = srtp_lap_cycles() - took;
	if (ring->refused != refused) {
		fprintf(stderr, "%u packets refused instead of %u\n",
			ring->refused, refused);
		exit(1);
	}
	return took / RING_PACKETS;
}

static void
protect(void *stage, struct srtp_ring *ring, struct srtp_walk *walk)
{
	srtp_ring_fill(ring, walk, PAYLOAD);
	srtp_stage.find(stage, ring);
	srtp_stage.protect(stage, ring, BURST);
}

static bool
measure(const struct srtp_options *o, enum sp_srtp_suite suite,
	struct srtp_ring *ring, struct srtp_walk *walk)
{
	const bool aead = sp_srtp_facts(suite)->aead;
	void *stage = srtp_stage.open(suite, walk->n);
	struct stats good = { 0 }, forged = { 0 };
	double ratio;

	srtp_lap_first(&srtp_stage, stage, ring, walk);
	for (unsigned int round = 0; round < o->rounds; round++) {
		protect(stage, ring, walk);
		srtp_ring_forge(ring);
		stats_add(&forged, unprotect(stage, ring, RING_PACKETS));
		srtp_ring_forge(ring); /* twice is not at all */
		if (!aead)             /* of those nothing may be left */
			unprotect(stage, ring, 0);
		protect(stage, ring, walk);
		stats_add(&good, unprotect(stage, ring, 0));
	}
	ratio = stats_ratio(&forged, &good);
	printf("%-24s %7.0f %7.0f %6.2f\n", sp_srtp_facts(suite)->name,
		stats_median(&forged), stats_median(&good), ratio);
	if (o->json)
		printf("{\"bench\":\"srtp forged\",\"suite\":\"%s\","
		       "\"cycles\":%.1f,\"good\":%.1f,\"ratio\":%.3f}\n",
			sp_srtp_facts(suite)->name, stats_median(&forged),
			stats_median(&good), ratio);
	srtp_stage.close(stage);
	return ratio <= AIM;
}

bool
srtp_forged(const struct srtp_options *o)
{
	const bool few = o->quick || srtp_stage_most() < STREAMS;
	const uint32_t streams = few ? STREAMS_FEW : STREAMS;
	struct srtp_ring *ring = srtp_ring_open(streams);
	struct srtp_walk *walk = srtp_walk_open(streams);
	bool fine = true;

	printf("\npackets with a wrong tag, payload %u, %u streams, bursts "
	       "of %u; cycles a packet\n%-24s %7s %7s %6s\n",
		PAYLOAD, streams, BURST, "", "forged", "good", "times");
	for (unsigned int s = SP_SRTP_NONE + 1; s < SP_SRTP_SUITES; s++)
		if (o->suite == SP_SRTP_NONE || s == o->suite)
			fine = measure(o, s, ring, walk) && fine;
	printf("%s: at most %.2f times a good packet\n", fine ? "pass" : "FAIL",
		AIM);
	srtp_walk_close(walk);
	srtp_ring_close(ring);
	return fine;
}
