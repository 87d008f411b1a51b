/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_slice.h"

#include <stdlib.h>
#include <string.h>

bool
pktgen_slices_begin(struct pktgen_slices *s, uint32_t n, double hold_s)
{
	if (n > s->room) {
		free(s->slice);
		s->room = 0;
		s->slice = calloc(n, sizeof *s->slice);
		if (!s->slice)
			return false;
		s->room = n;
	}
	memset(s->slice, 0, s->room * sizeof *s->slice);
	s->used = 0;
	s->hold_s = (float)hold_s;
	return true;
}

void
pktgen_slices_close(struct pktgen_slices *s)
{
	free(s->slice);
	*s = (struct pktgen_slices){ 0 };
}

/* The relay's pauses are known by their sum, and may lie in two slices. */
static bool
is_taken(const struct pktgen_slices *s, uint32_t i)
{
	const struct pktgen_slice *at = &s->slice[i];
	float relay_s = at->relay_s;

	if (i + 1 < s->used)
		relay_s += at[1].relay_s;
	return at->own_s > s->hold_s || relay_s > s->hold_s;
}

bool
pktgen_slice_is_quiet(const struct pktgen_slices *s, uint32_t i)
{
	const uint32_t before = PKTGEN_SLICE_GRACE + 1;

	for (uint32_t k = i > before ? i - before : 0; k <= i; k++)
		if (is_taken(s, k))
			return false;
	return true;
}

struct pktgen_judged
pktgen_slices_judge(const struct pktgen_slices *s, uint32_t first, uint32_t end)
{
	struct pktgen_judged j = { 0 };

	for (uint32_t i = first; i < end && i < s->used; i++) {
		const struct pktgen_slice *at = &s->slice[i];

		if (!pktgen_slice_is_quiet(s, i)) {
			j.disturbed++;
			continue;
		}
		j.quiet++;
		j.sent += at->sent;
		j.lost += at->sent - at->received;
	}
	return j;
}
