/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_WORKER_H
#define SP_DATAPLANE_WORKER_H

#include <rte_cycles.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/flow_table.h"
#include "dataplane/mailbox.h"
#include "dataplane/nic.h"
#include "dataplane/stage.h"
#include "dataplane/stall.h"

struct rte_ring;

/* Packets between two workers, in the direction of the ring's index. */
struct sp_hand_over {
	struct rte_ring *owner;    /* received here, owned there */
	struct rte_ring *transmit; /* ready, to leave by a queue of theirs */
	struct sp_mailbox *box;    /* whose bell wakes them */
};

/* A burst on its way out, one a NIC. */
struct sp_outgoing {
	uint16_t count;
	struct rte_mbuf *pkt[SP_BURST];
};

/*
 * One worker core with all that is its own. The control thread fills it
 * before the launch and then only rings, counters and @stop are shared.
 */
struct sp_worker {
	unsigned int index;
	unsigned int count; /* of workers */
	bool busy;          /* never sleeps */
	uint32_t stop;      /* control: end the loop; relaxed */
	uint32_t ours;      /* 1 from launch to the loop's end; see run */
	uint64_t tsc_start; /* the clock of all reports starts here */
	uint64_t tsc_hz;
	uint64_t cycles_a_us; /* rounded, for short times */

	struct sp_nic *const *nics; /* borrowed, like all they point to */
	unsigned int n_nics;
	const struct sp_locals *locals;
	bool is_woken; /* by the sockets that packets come by, all of them */
	struct sp_flow_table table;
	struct sp_key_table keys; /* that @table's flows name */
	struct sp_l2 *hops;       /* by next-hop id, own copy */
	struct sp_mailbox box;
	struct sp_hand_over *to; /* by worker */
	struct sp_hand_over *from;

	struct sp_burst burst;
	struct sp_stage_commit commit;
	struct sp_outgoing out[SP_REALMS_MAX];
	uint64_t polled_tsc; /* when the last poll, or sleep, ended */
	uint64_t turn_tsc;   /* when control could have the CPU last */
	struct sp_stall stall;
	uint32_t idle_polls;
	uint32_t age_ms;  /* when held packets were last looked at */
	uint32_t punt_ms; /* when punt credit was last given */
	uint32_t punt_credit;
	alignas(SP_CACHE_LINE) struct sp_counters counters;
};

/* Run until @stop; @worker is a struct sp_worker. Core: launched on one. */
int sp_worker_run(void *worker);

/* Serve all queues, rings and commands once. Returns packets seen. */
unsigned int sp_worker_poll(struct sp_worker *w);

/* Transmit what the stages left, free the rest, count. Part of a poll. */
void sp_worker_send(struct sp_worker *w, struct sp_burst *b);

/* Send what other workers left for this one's queues. Returns packets. */
unsigned int sp_worker_transmit_shared(struct sp_worker *w);

/* Send frames of the slow path. Returns how many there were. */
unsigned int sp_worker_transmit_slow(struct sp_worker *w);

/* Obey up to a few commands. Part of a poll. */
void sp_worker_obey(struct sp_worker *w, uint32_t now_ms);

/* Turn TSC cycles of a machine with @tsc_hz into microseconds. */
static inline uint64_t
sp_worker_us(uint64_t cycles, uint64_t tsc_hz)
{
	/* Split, so that the product stays within 64 bits for centuries. */
	return cycles / tsc_hz * US_PER_S + cycles % tsc_hz * US_PER_S / tsc_hz;
}

#endif
