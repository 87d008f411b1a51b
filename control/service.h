/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_SERVICE_H
#define SP_CONTROL_SERVICE_H

#include "control/call.h"
#include "control/command.h"
#include "control/hash.h"
#include "control/keys.h"
#include "control/metrics.h"
#include "control/ports.h"
#include "control/record.h"
#include "control/stalls.h"
#include "control/timers.h"

/*
 * The inside of the service, for the files that command.h is made of: who
 * holds what, and the clock. Core: control.
 */

#define SP_WAITING_MAX 16u /* requests that wait for one call */

/* A request that waits for its turn, with a reference to its tree. */
struct sp_waiting {
	struct sp_waiting *next;
	sp_reply_fn reply;
	void *arg;
	struct sp_request request;
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
	struct sp_key_pool key_pool;
	struct sp_job *jobs;    /* all that are under way, newest first */
	struct sp_waiting *due; /* requests whose turn has come */
	struct sp_metrics metrics;
	struct sp_records records;
	struct sp_stalls stalls;
	uint64_t now_ms;  /* since the service was opened */
	uint32_t last_ms; /* data plane's clock at @now_ms */
	int64_t epoch_ms; /* wall clock, as since 1970, when @now_ms was 0 */
	bool stopping;    /* calls are being ended */
	bool draining;    /* no new calls; the process ends with the last */
	bool busy;        /* new requests wait in @due until this is done */
	void (*between)(void *arg); /* or NULL; sp_service_between() */
	void *between_arg;
	char id[17]; /* of this process, for a=rtpengine */
	char sdp[SP_SDP_OUT_MAX];
};

/* Read the data plane's clock; @s->now_ms does not wrap. */
void sp_service_clock(struct sp_service *s);

/* One thing is done, the next one has not begun. */
static inline void
sp_service_breathe(const struct sp_service *s)
{
	if (s->between)
		s->between(s->between_arg);
}

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
void sp_command_statistics(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg);
/* block, unblock, silence and unsilence media; block and unblock DTMF */
void sp_command_media(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg);

/* End the deleted @call now, and do @request when it is gone. */
void sp_command_renew(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg);

/*
 * Work through the requests whose turn has come. A reply may bring the next
 * request at once: it goes to the end of the line.
 */
void sp_command_due(struct sp_service *s);

/* Answer all of @line with @problem, doing nothing, and free it. */
void sp_command_dismiss(struct sp_service *s, struct sp_waiting *line,
	const struct sp_problem *problem);

/* Let the requests in @call's line take their turn: it is not busy now. */
void sp_command_wake(struct sp_service *s, struct sp_call *call);

#endif
