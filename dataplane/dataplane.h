/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_DATAPLANE_H
#define SP_DATAPLANE_DATAPLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/info.h"
#include "relay/addr.h"
#include "relay/latch.h"
#include "relay/order.h"
#include "relay/realm.h"
#include "relay/srtp.h"
#include "relay/status.h"
#include "relay/verdict.h"

/*
 * The facade: all that control can see of the data plane. Everything here is
 * called on the control thread, never blocks on a worker and never waits for
 * the network.
 *
 * A *local* is one local IP address of one realm, numbered in the order of
 * the configuration over all realms. A *flow* is one UDP port of one local
 * as one worker serves it: what arrives there, and what leaves from there.
 * Flow ids are per worker; 0 is no flow.
 */

#define SP_WORKERS_MAX 16
#define SP_WHY 256

/* A line for people from below; @arg is the caller's. Core: control. */
typedef void (*sp_dataplane_say)(void *arg, bool warning, const char *text);

struct sp_dataplane_conf {
	const struct sp_realm_conf *realms; /* borrowed for the call */
	unsigned int n_realms;
	unsigned int workers; /* 1..SP_WORKERS_MAX */
	const uint16_t *cpus; /* one a worker to pin it to, or NULL */
	uint32_t max_flows;   /* a worker */
	bool hugepages;
	bool busy; /* poll always; else sleep when idle */
	enum sp_srtp_kind srtp;
	const char *xdp_program; /* path of the XDP filter's object */
	sp_dataplane_say say;
	void *say_arg;
};

/* What is wrong with a configuration: for one line that names the cure. */
struct sp_dataplane_error {
	int realm;         /* index, or -1 when it is about no realm */
	char key[32];      /* "addresses", "interface", "srtp", ... or "" */
	char text[SP_WHY]; /* what and the cure */
};

struct sp_dataplane;

/*
 * Hold @conf against the machine without changing anything: interfaces,
 * addresses on them, overlapping port ranges, capabilities, hugepages.
 *
 * Fails: SP_NOT_FOUND, SP_CONFLICT, SP_FORBIDDEN, SP_SYSTEM: see @error.
 */
enum sp_status sp_dataplane_check(const struct sp_dataplane_conf *conf,
	struct sp_dataplane_error *error) SP_MUST_CHECK;

/*
 * Fill in the shared realm that is used without a configuration file: the
 * interface of the default route and its addresses. Ports are left alone.
 *
 * Fails: SP_NOT_FOUND without a default route; SP_SYSTEM.
 */
enum sp_status sp_dataplane_default_realm(
	struct sp_realm_conf *out) SP_MUST_CHECK;

/*
 * Open NICs and start the workers. One at a time in a process, and only once:
 * DPDK's EAL does not start twice.
 *
 * Owns:  the caller closes *@out.
 * Fails: as sp_dataplane_check; nothing is left behind.
 */
enum sp_status sp_dataplane_open(const struct sp_dataplane_conf *conf,
	struct sp_dataplane **out,
	struct sp_dataplane_error *error) SP_MUST_CHECK;

/* Stop the workers, give the NICs back. Takes NULL and half-open ones. */
void sp_dataplane_close(struct sp_dataplane *dp);

/* What happens below, told from sp_dataplane_serve(). */
enum sp_dataplane_news {
	SP_NEWS_LATCHED,   /* a source was believed for the first time */
	SP_NEWS_MOVED,     /* another source took its place */
	SP_NEWS_CONTESTED, /* a rival passed probation and was refused */
};

struct sp_dataplane_events {
	void *arg;
	/* The order with @ticket was obeyed or refused by the worker. */
	void (*done)(void *arg, uint64_t ticket, enum sp_status status);
	/* @at_ms: as sp_dataplane_now_ms(). */
	void (*news)(void *arg, unsigned int worker, uint32_t flow,
		enum sp_dataplane_news news, const struct sp_addr *remote,
		enum sp_latch_class class, uint32_t at_ms);
};

/* Return a descriptor to poll for input: readable means call serve. */
int sp_dataplane_fd(const struct sp_dataplane *dp);
/* Wake sleeping workers for their orders: once a turn of control's loop. */
void sp_dataplane_ring(struct sp_dataplane *dp);
/* Do what is due: answers of workers, the kernel's routes, ARP, timers. */
void sp_dataplane_serve(
	struct sp_dataplane *dp, const struct sp_dataplane_events *events);

/* Return monotonic milliseconds since open; the clock of all reports. */
uint32_t sp_dataplane_now_ms(const struct sp_dataplane *dp);

/* How many workers and locals there are, and the first local of @realm. */
unsigned int sp_dataplane_workers(const struct sp_dataplane *dp);
unsigned int sp_dataplane_locals(const struct sp_dataplane *dp);
unsigned int sp_dataplane_local(
	const struct sp_dataplane *dp, unsigned int realm);

/* Take an id of @worker for a flow or for a leg's keys. Fails: SP_FULL. */
enum sp_status sp_dataplane_flow_take(struct sp_dataplane *dp,
	unsigned int worker, uint32_t *flow) SP_MUST_CHECK;
enum sp_status sp_dataplane_keys_take(struct sp_dataplane *dp,
	unsigned int worker, uint32_t *id) SP_MUST_CHECK;
/* Give back one that was never ordered, or whose stop or wiping is done. */
void sp_dataplane_flow_give(
	struct sp_dataplane *dp, unsigned int worker, uint32_t flow);
void sp_dataplane_keys_give(
	struct sp_dataplane *dp, unsigned int worker, uint32_t id);

/* How many orders @worker's mailbox takes now without SP_FULL. */
unsigned int sp_dataplane_room(
	const struct sp_dataplane *dp, unsigned int worker);

/*
 * Order @worker to serve @flow as @conf says. A flow that runs keeps its
 * latch and statistics; only a changed @conf->signalled re-opens learning,
 * and the old source is heard until the new one has proved itself.
 *
 * Fails: SP_FULL when the mailbox or next-hop table is; nothing is ordered.
 */
enum sp_status sp_dataplane_program(struct sp_dataplane *dp,
	unsigned int worker, uint32_t flow, const struct sp_flow_conf *conf,
	uint64_t ticket) SP_MUST_CHECK;

/*
 * Order @worker to hold @keys under @id, for the flows programmed after it.
 * The same keys again change nothing; a key that is replaced is still heard
 * for up to five seconds. NULL: wipe them, once no flow names them any more.
 *
 * Owns:  @keys are copied; the caller wipes its own.
 * Fails: SP_FULL when the mailbox is. The ticket comes back with SP_FULL when
 *        the SRTP engine carries no more, SP_UNSUPPORTED for keys it can't.
 */
enum sp_status sp_dataplane_keys(struct sp_dataplane *dp, unsigned int worker,
	uint32_t id, const struct sp_flow_keys *keys,
	uint64_t ticket) SP_MUST_CHECK;

/*
 * Order @worker to forget @flow. Not one packet follows once it is done.
 *
 * Owns:  @report (may be NULL) belongs to the worker until the ticket is back.
 * Fails: SP_FULL.
 */
enum sp_status sp_dataplane_stop(struct sp_dataplane *dp, unsigned int worker,
	uint32_t flow, struct sp_flow_report *report,
	uint64_t ticket) SP_MUST_CHECK;

/* Order a report of a running flow; otherwise as sp_dataplane_stop. */
enum sp_status sp_dataplane_read(struct sp_dataplane *dp, unsigned int worker,
	uint32_t flow, struct sp_flow_report *report,
	uint64_t ticket) SP_MUST_CHECK;

/*
 * Return when the flow's last admitted packet came (0: never), read straight
 * from the worker's memory with relaxed loads; cheap enough for timers.
 */
uint32_t sp_dataplane_seen_ms(
	const struct sp_dataplane *dp, unsigned int worker, uint32_t flow);

/* Return how many packets of @worker ended in @verdict. */
uint64_t sp_dataplane_count(const struct sp_dataplane *dp, unsigned int worker,
	enum sp_verdict verdict);

/* Return how many frames that are not media met @fate. */
uint64_t sp_dataplane_slow_count(
	const struct sp_dataplane *dp, enum sp_slow_path_fate fate);

void sp_dataplane_worker_counts(const struct sp_dataplane *dp,
	unsigned int worker, struct sp_worker_counts *out);
void sp_dataplane_realm_info(const struct sp_dataplane *dp, unsigned int realm,
	struct sp_realm_info *out);
void sp_dataplane_srtp_info(
	const struct sp_dataplane *dp, struct sp_srtp_info *out);

#endif
