/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/stalls.h"

#include "control/log.h"

#define US_PER_MS 1000u

static void
tell(unsigned int worker, uint64_t us, uint64_t displaced_us, uint64_t count)
{
	struct sp_log l = sp_log_begin(SP_LOG_WARNING, "worker_stalled");

	sp_log_number(&l, "worker", worker);
	sp_log_number(&l, "ms", (int64_t)(us / US_PER_MS));
	sp_log_number(&l, "displaced_ms", (int64_t)(displaced_us / US_PER_MS));
	sp_log_number(&l, "stalls", (int64_t)count);
	sp_log_string(&l, "text",
		displaced_us >= us / 2
			? "something else had this worker's CPU: packets may "
			  "be lost; give it a CPU of its own"
			: "this worker's CPU was taken by interrupts or by "
			  "the hypervisor: packets may be lost");
	sp_log_end(&l);
}

void
sp_stalls_tick(struct sp_stalls *s, const struct sp_dataplane *dp,
	unsigned int workers, uint64_t now_ms)
{
	for (unsigned int w = 0; w < workers; w++) {
		struct sp_worker_counts now;

		sp_dataplane_worker_counts(dp, w, &now);
		if (now.stalled_us - s->worker[w].us <
				SP_STALLS_TELL_MS * US_PER_MS ||
			now_ms < s->worker[w].next_ms)
			continue;
		/* Nobody's packets, nobody's loss. */
		if (now.flows > 0)
			tell(w, now.stalled_us - s->worker[w].us,
				now.displaced_us - s->worker[w].displaced_us,
				now.stalls - s->worker[w].count);
		s->worker[w].us = now.stalled_us;
		s->worker[w].displaced_us = now.displaced_us;
		s->worker[w].count = now.stalls;
		s->worker[w].next_ms = now_ms + SP_STALLS_EVERY_MS;
	}
}
