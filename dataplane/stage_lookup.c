/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "dataplane/stage.h"

/*
 * The first loop only starts the loads; the second one, and the stages after
 * it, find the lines on their way.
 */
void
sp_stage_lookup(struct sp_burst *b, struct sp_flow_table *t)
{
	for (unsigned int i = 0; i < b->count; i++) {
		uint32_t id = 0;

		/* Id 0 is the empty flow: a miss needs no branch later. */
		if (likely(b->verdict[i] == SP_VERDICT_FORWARD)) {
			const struct sp_local *l =
				&t->locals->local[b->local[i]];

			id = l->slot[b->datagram[i].to.port];
		}
		b->flow[i] = &t->flow[id];
		rte_prefetch0(&b->flow[i]->latch);
		rte_prefetch0(&b->flow[i]->quality);
	}

	for (unsigned int i = 0; i < b->count; i++) {
		const struct sp_flow *f = b->flow[i];

		if (b->verdict[i] != SP_VERDICT_FORWARD)
			continue;
		if (unlikely(f->index == 0)) {
			b->verdict[i] = SP_VERDICT_NO_FLOW;
			continue;
		}
		rte_prefetch0(&t->flow[f->out_rtp].header);
	}
}
