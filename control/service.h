/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_SERVICE_H
#define SP_CONTROL_SERVICE_H

#include "control/call.h"
#include "control/command.h"
#include "control/hash.h"
#include "control/metrics.h"
#include "control/ports.h"
#include "control/timers.h"

/*
 * The inside of the service, for the files that command.h is made of: who
 * holds what, and the clock. Core: control.
 */

#define SP_WAITING_MAX 16u /* requests that wait for one call */

/* A request that waits for its turn, with a copy of all its bytes. */
struct sp_waiting {
	struct sp_waiting *next;
	sp_reply_fn reply;
	void *arg;
	struct sp_request request;
	char bytes[];
};

/* Whose the flows of a worker are. */
struct sp_owners {
	struct sp_call **call; /* by flow id */
	uint32_t size;
	uint32_t flows; /* taken now */
};

struct sp_service {
	const struct sp_config *conf;
	struct sp_dataplane *dp;
	struct sp_ports ports;
	struct sp_calls calls;
	struct sp_timers timers;
	struct sp_owners owners[SP_WORKERS_MAX];
	unsigned int workers;
	struct sp_hash_key told_key; /* for sp_slot.told */
	struct sp_job *jobs;         /* all that are under way, newest first */
	struct sp_waiting *due;      /* requests whose turn has come */
	struct sp_metrics metrics;
	uint64_t now_ms;  /* since the service was opened */
	uint32_t last_ms; /* data plane's clock at @now_ms */
	bool stopping;    /* calls are being ended */
	bool draining;    /* no new calls; the process ends with the last */
	bool busy;        /* new requests wait in @due until this is done */
	char sdp[SP_SDP_OUT_MAX];
};

/* Read the data plane's clock; @s->now_ms does not wrap. */
void sp_service_clock(struct sp_service *s);

/* The clock for ports and timers. */
static inline uint32_t
sp_service_now_s(const struct sp_service *s)
{
	return (uint32_t)(s->now_ms / 1000);
}

/* One handler a verb; @call is NULL when there is none of that name. */
typedef void (*sp_command_fn)(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg);
void sp_command_offer(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg);
void sp_command_answer(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg);
void sp_command_delete(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg);
void sp_command_query(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg);
void sp_command_list(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg);

/* Let the requests in @call's line take their turn: it is not busy now. */
void sp_command_wake(struct sp_service *s, struct sp_call *call);

#endif
