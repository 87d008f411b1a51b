/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_STALLS_H
#define SP_CONTROL_STALLS_H

#include <stdint.h>

#include "dataplane/dataplane.h"

/*
 * Warns of workers that could not look for packets for long, and says who
 * was to blame. Core: control.
 */

#define SP_STALLS_TELL_MS 10u     /* stalled for less is not worth a line */
#define SP_STALLS_EVERY_MS 10000u /* one line a worker */

struct sp_stalls {
	struct {
		uint64_t us; /* stalled, when last told */
		uint64_t displaced_us;
		uint64_t count;
		uint64_t next_ms; /* not before */
	} worker[SP_WORKERS_MAX];
};

/* Look at all workers, some times a second, and log what is new. */
void sp_stalls_tick(struct sp_stalls *s, const struct sp_dataplane *dp,
	unsigned int workers, uint64_t now_ms);

#endif
