/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_INTERNAL_H
#define SP_DATAPLANE_INTERNAL_H

#include "dataplane/dataplane.h"
#include "dataplane/local.h"
#include "dataplane/nexthop.h"
#include "dataplane/nic.h"
#include "dataplane/reserve.h"
#include "dataplane/slow_path.h"
#include "dataplane/worker.h"

/* What the data plane's own files share; control sees dataplane.h only. */

/* The addresses a flow may send to, and the next hops they take. */
enum sp_way_kind {
	SP_WAY_SIGNALLED,
	SP_WAY_SIP,
	SP_WAY_LEARNT,
	SP_WAYS,
};

/* Control's side of a flow. */
struct sp_way {
	uint32_t dest[SP_WAYS]; /* of nexthop.h; 0: none held */
	uint16_t hop[SP_WAYS];
	uint16_t realm;
	bool live;   /* the flow was programmed, and not given back since */
	bool untold; /* the worker may have other ids than @hop */
};

/* Control's side of a worker. */
struct sp_crew {
	struct sp_worker *worker;
	struct sp_way *way; /* by flow id */
	/* Ids in no use, from @first up to @last. Flows take the last one, the
	   lowest, keys the first: so the tables of both stay dense. */
	uint32_t *free;
	uint32_t first;
	uint32_t last;
	uint32_t swept;   /* next flow id whose ways are looked at */
	bool sweep;       /* ways may have changed for some flows */
	bool sweep_again; /* and since it began others may have */
	bool wanted;      /* its bell is to be rung: there are orders */
	uint32_t l2_next; /* next hops from here on were not told; 0: all */
};

/*
 * A flow that is programmed, but whose next hop's MAC is being asked for. Its
 * ticket waits a moment, so that the first packet finds a way out.
 */
#define SP_LATE_MAX 1024u
struct sp_late {
	uint64_t ticket;
	uint64_t until_ms;
	uint16_t hop;
	uint16_t status;
};

struct sp_dataplane {
	struct sp_realm_conf realm[SP_REALMS_MAX];
	uint16_t first_local[SP_REALMS_MAX];
	uint8_t nic_of_realm[SP_REALMS_MAX];
	unsigned int n_realms;
	sp_dataplane_say say;
	void *say_arg;

	struct sp_nic *nic[SP_REALMS_MAX];
	unsigned int n_nics;
	struct sp_locals locals;
	struct sp_crew crew[SP_WORKERS_MAX];
	unsigned int n_workers;
	uint32_t max_flows; /* a worker */

	struct rte_mempool *pool;
	struct sp_srtp_info srtp;
	struct sp_nexthop *nexthop;
	struct sp_slow_path *slow;
	struct sp_reserve *reserve;
	struct sp_l2 *l2; /* what workers were told, by next-hop id */
	uint32_t max_l2;  /* highest id told */

	struct sp_late late[SP_LATE_MAX];
	unsigned int n_late;
	bool fast; /* the timer ticks faster for them */

	bool eal;      /* is open */
	bool launched; /* workers run */
	int epoll;
	int bell;  /* workers ring it */
	int timer; /* some ten times a second */
	uint64_t tsc_start;
	uint64_t tsc_hz;
};

/* Milliseconds since open, 64 bits. */
uint64_t sp_dataplane_clock_ms(const struct sp_dataplane *dp);

/* Set the timer's pace. */
#define SP_TICK_MS 100u
void sp_dataplane_tick(struct sp_dataplane *dp, unsigned int ms);

/* A next hop changed: tell the workers. Callback of nexthop.h. */
void sp_ways_on_change(void *arg, uint16_t id, const struct sp_l2 *l2);

/* A destination took another hop: look at all flows. Callback. */
void sp_ways_on_move(void *arg, uint16_t realm, const struct sp_addr *dst,
	uint16_t from, uint16_t to);

/* Let go of all ways of a flow that is stopped. */
void sp_ways_put(struct sp_dataplane *dp, unsigned int worker, uint32_t flow);

/* A worker sends to @remote now: see that it has the next hop for it. */
void sp_ways_learn(struct sp_dataplane *dp, unsigned int worker, uint32_t flow,
	const struct sp_addr *remote);

/* Do a bounded part of what route changes left to do. */
void sp_ways_serve(struct sp_dataplane *dp);

/* Make the workers and all that is one's own. Fails as sp_dataplane_open. */
enum sp_status sp_crew_open(struct sp_dataplane *dp,
	const struct sp_dataplane_conf *conf,
	struct sp_dataplane_error *error) SP_MUST_CHECK;

/* Set them to work. Fails: SP_SYSTEM. */
enum sp_status sp_crew_launch(struct sp_dataplane *dp,
	struct sp_dataplane_error *error) SP_MUST_CHECK;

/* End their loops and wait for it; then free them. Take half-open ones. */
void sp_crew_stop(struct sp_dataplane *dp);
void sp_crew_close(struct sp_dataplane *dp);

/* Send a frame of the slow path by the realm's NIC. Callback. */
void sp_dataplane_transmit(
	void *arg, uint16_t realm, const uint8_t *frame, size_t len);

/* Find the kernel's interface that carries @realm's addresses; 0: none. */
uint32_t sp_realm_ifindex(const struct sp_realm_conf *realm);

/* Fill @error. @realm -1: about none. Returns @status. */
enum sp_status sp_dataplane_fault(struct sp_dataplane_error *error,
	enum sp_status status, int realm, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#endif
