/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_JOB_H
#define SP_CONTROL_JOB_H

#include "control/program.h"
#include "control/reply.h"

/*
 * What a call's worker is at: orders that went out, and what follows when all
 * of them are done. A call has one job at a time. Core: control.
 */

enum sp_stage {
	SP_STAGE_PROGRAM, /* all or nothing; the reply follows */
	SP_STAGE_CLEAN,   /* flows of no further use stop; no reply */
	SP_STAGE_READ,    /* reports come in; the reply is made of them */
	SP_STAGE_LEAVE,   /* a branch is stopped; the same */
	SP_STAGE_END,     /* all flows are stopped; the same, and the end */
};

struct sp_job {
	struct sp_job *next; /* of the service's */
	struct sp_job **link;
	struct sp_call *call;
	struct sp_asker asker;
	json_t *body; /* of the reply to PROGRAM */
	struct sp_orders orders;
	struct sp_orders later;        /* PROGRAM: the stops of CLEAN */
	struct sp_flow_report *report; /* one an order, but for PROGRAM */
	size_t reports_at;             /* LEAVE: the first one of who leaves */
	struct sp_cast other; /* PROGRAM: the cast before; LEAVE: who leaves */
	size_t programs; /* CLEAN, LEAVE: orders that come before the stops */
	size_t sent;
	size_t back;
	uint64_t since_ms;
	uint64_t retry_ms; /* not before */
	uint64_t ends_ms;  /* PROGRAM: what the call's was before */
	unsigned int tries;
	enum sp_stage stage;
	enum sp_status worst;
	enum sp_end end;
	bool first;  /* PROGRAM: the call is new and falls with it */
	bool broken; /* the workers would not do it: the call ends */
};

/*
 * Make @call do what @cast says, then answer with @body. A @call that is in
 * no table yet is added. What needs no order is answered at once.
 *
 * Owns:  @cast and @body are taken over in any case; the new @call is, on
 *        success.
 * Fails: SP_FULL for flow ids or the worker's mailbox, SP_NO_MEMORY; the call
 *        is as it was, and nobody was answered.
 */
enum sp_status sp_job_program(struct sp_service *s, struct sp_call *call,
	struct sp_cast *cast, const struct sp_asker *asker,
	json_t *body) SP_MUST_CHECK;

/* Read all of @call's flows and answer. Fails: SP_NO_MEMORY. */
enum sp_status sp_job_read(struct sp_service *s, struct sp_call *call,
	const struct sp_asker *asker) SP_MUST_CHECK;

/*
 * Take the parties whose bits are in @gone out of @call (as sp_party_leave
 * does) and answer with their statistics.
 *
 * Fails: SP_NO_MEMORY; nothing is changed.
 */
enum sp_status sp_job_leave(struct sp_service *s, struct sp_call *call,
	uint32_t gone, const struct sp_asker *asker) SP_MUST_CHECK;

/*
 * End @call, which has no job, for the reason @end and answer with its
 * statistics.
 *
 * Fails: SP_NO_MEMORY; nothing is changed.
 */
enum sp_status sp_job_end(struct sp_service *s, struct sp_call *call,
	enum sp_end end, const struct sp_asker *asker) SP_MUST_CHECK;

/* An order of the job behind @ticket was obeyed or refused. */
void sp_job_done(struct sp_service *s, uint64_t ticket, enum sp_status status);

/* Make a job for @call, which has none; NULL without memory. */
struct sp_job *sp_job_new(struct sp_service *s, struct sp_call *call,
	enum sp_stage stage, const struct sp_asker *asker);

/* Free @job; its call has none then. */
void sp_job_free(struct sp_job *job);

/* Send the next order of @job. Fails: SP_FULL. */
enum sp_status sp_job_send(
	struct sp_service *s, struct sp_job *job) SP_MUST_CHECK;

/*
 * Go on with @job: send what can be sent, finish when all is done. Not while
 * orders of PROGRAM are out. @job may be gone afterwards.
 */
void sp_job_pump_one(struct sp_service *s, struct sp_job *job);

/* Send the orders that found a worker's mailbox full. */
void sp_job_pump(struct sp_service *s);

/*
 * Answer for @job, whose worker does not confirm, and expect nothing of it:
 * what it was to change is undone should the worker come back.
 */
void sp_job_give_up(struct sp_service *s, struct sp_job *job);

/* Give back the ports that @cast has and @before does not. */
void sp_job_give_ports(struct sp_service *s, unsigned int worker,
	const struct sp_cast *cast, const struct sp_cast *before);

/* Answer and free all jobs without waiting for the workers. */
void sp_job_close(struct sp_service *s);

#endif
