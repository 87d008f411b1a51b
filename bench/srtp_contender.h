/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_SRTP_CONTENDER_H
#define SP_BENCH_SRTP_CONTENDER_H

#include "bench/srtp_ring.h"

/*
 * Ways to do a ring's SRTP, each with keys of its own for both ends of every
 * stream. They work through a whole ring in bursts, so that one look at the
 * clock is enough for small bursts too.
 */
struct srtp_contender {
	const char *name;

	/* Make keys of @suite for @streams streams. */
	void *(*open)(enum sp_srtp_suite suite, uint32_t streams);
	void (*close)(void *self);

	/* Not timed, may be NULL: make the best of such rings to come. */
	void (*tune)(void *self, struct srtp_ring *r, struct srtp_walk *w,
		uint16_t payload, unsigned int burst);

	/* Not timed: find what the ring's packets are worked on with. */
	void (*find)(void *self, const struct srtp_ring *r);

	/* Timed. Packets not taken are counted in @refused. */
	void (*protect)(void *self, struct srtp_ring *r, unsigned int burst);
	void (*unprotect)(void *self, struct srtp_ring *r, unsigned int burst);
};

extern const struct srtp_contender srtp_stage;   /* relay/srtp.h */
extern const struct srtp_contender srtp_bare;    /* ipsec-mb's work alone */
extern const struct srtp_contender srtp_libsrtp; /* Debian's libsrtp2 */

/* What a contender took for a ring, cycles a packet. */
struct srtp_lap {
	double protect;
	double unprotect;
};

/*
 * Return the TSC cycles that this thread has had. Not of the wall clock: a
 * lap with libsrtp2 is longer than others leave us the CPU.
 */
double srtp_lap_cycles(void);

/*
 * Fill the ring, let a contender protect and unprotect it, and see that it
 * is what it was: else the process ends.
 */
struct srtp_lap srtp_lap(const struct srtp_contender *c, void *self,
	struct srtp_ring *r, struct srtp_walk *w, uint16_t payload,
	unsigned int burst);

/* Let each of the walk's streams have a packet: their first one costs more. */
void srtp_lap_first(const struct srtp_contender *c, void *self,
	struct srtp_ring *r, struct srtp_walk *w);

#endif
