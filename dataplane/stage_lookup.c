/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "dataplane/stage.h"

/*
 * Nothing here waits for a flow's memory: each stage starts the loads of the
 * line that the next one reads, so that they run beside its own work.
 * bench/path, 200,000 flows: 95 cycles with all loads started here, 84 so.
 */
void
sp_stage_lookup(struct sp_burst *b, struct sp_flow_table *t)
{
	for (unsigned int i = 0; i < b->count; i++) {
		uint32_t id = 0;

		if (likely(b->verdict[i] == SP_VERDICT_FORWARD)) {
			const struct sp_local *l =
				&t->locals->local[b->local[i]];

			id = l->slot[b->datagram[i].to.port];
			if (unlikely(id == 0))
				b->verdict[i] = SP_VERDICT_NO_FLOW;
		}
		/* Id 0 is the empty flow: a miss needs no branch later. */
		b->flow[i] = &t->flow[id];
		rte_prefetch0(&b->flow[i]->latch);
	}
}
