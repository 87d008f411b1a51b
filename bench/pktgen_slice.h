/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_SLICE_H
#define SP_BENCH_PKTGEN_SLICE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A trial's time in slices, so that loss which the machine caused is told from
 * the relay's. Whoever takes a core away for longer than rings hold packets
 * makes any relay lose some: of a slice where that happened, and of those
 * next to it, nothing is judged. All is still counted and reported.
 */

#define PKTGEN_SLICE_S 0.02
#define PKTGEN_SLICE_GRACE 2u /* slices until what piled up is gone */

struct pktgen_slice {
	uint64_t sent;     /* in it, both ways */
	uint64_t received; /* of those; each once */
	float own_s;       /* without the generator's core, at once */
	float relay_s;     /* without the relay's, in all */
};

struct pktgen_slices {
	struct pktgen_slice *slice;
	uint32_t room;
	uint32_t used;
	float hold_s; /* a core may be away for as long */
};

/* What a trial comes to. */
struct pktgen_judged {
	uint32_t quiet;     /* slices */
	uint32_t disturbed; /* slices */
	uint64_t sent;      /* in quiet ones */
	uint64_t lost;      /* of these */
};

/* Begin with none of up to @n; false: no memory. */
bool pktgen_slices_begin(struct pktgen_slices *s, uint32_t n, double hold_s);
void pktgen_slices_close(struct pktgen_slices *s);

/* Was nothing taken away, in slice @i nor shortly before? What comes next is
   known only when the next slice is over. */
bool pktgen_slice_is_quiet(const struct pktgen_slices *s, uint32_t i);

/* Judge slices from @first to before @end. */
struct pktgen_judged pktgen_slices_judge(
	const struct pktgen_slices *s, uint32_t first, uint32_t end);

#endif
