/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_STALL_H
#define SP_DATAPLANE_STALL_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/counters.h"

/*
 * Stalls: a worker that does not sleep looked for packets, and then for so
 * long did not look again that a full NIC queue may have overflowed. Work of
 * its own takes microseconds. What takes milliseconds is somebody else:
 * another thread on its CPU, interrupts, or the hypervisor. For how long it
 * was another thread tells the clock of the CPU time that this one had. How
 * late it was woken from a sleep a worker can not tell: with `idle: sleep`
 * there is more of this than is counted.
 */
#define SP_STALL_MS 2u

/* One worker's; all zero: nobody watches. Core: its worker. */
struct sp_stall {
	uint64_t least_cycles; /* between two polls: as long is a stall */
	uint64_t tsc_hz;
	uint64_t read_tsc;     /* when CPU time was read last ... */
	uint64_t cpu_ns;       /* ... and what it was */
	uint64_t slept_cycles; /* since then */
};

/* Watch from now on; of the thread that calls. */
void sp_stall_start(struct sp_stall *s, uint64_t tsc, uint64_t tsc_hz);

/*
 * Read CPU time, some times a second: it tells the last moments before a
 * stall from the stall itself.
 */
void sp_stall_refresh(struct sp_stall *s, uint64_t tsc);

/* Count a stall of @cycles that ends now, at @tsc. */
void sp_stall_count(struct sp_stall *s, struct sp_counters *counters,
	uint64_t tsc, uint64_t cycles);

/* Is @cycles between two polls a stall? */
static inline bool
sp_stall_is(const struct sp_stall *s, uint64_t cycles)
{
	return cycles >= s->least_cycles && s->least_cycles > 0;
}

#endif
