/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/job.h"

#include <stdlib.h>

#include "control/ageing.h"

/* Give back the flow ids that @orders were the first to use. */
static void
give_fresh(struct sp_service *s, const struct sp_call *call,
	const struct sp_orders *orders)
{
	for (size_t i = 0; i < orders->count; i++)
		if (orders->order[i].fresh)
			sp_program_give(s, call->worker, &orders->order[i]);
}

/* Answer for a job that could not even start, and leave no trace of it. */
static void
take_back(struct sp_service *s, struct sp_call *call, struct sp_job *job,
	struct sp_cast *cast)
{
	if (job) {
		give_fresh(s, call, &job->orders);
		sp_job_free(job);
	}
	sp_job_give_ports(s, call->worker, cast, &call->cast);
	sp_party_free(cast);
}

/* All orders at once. What fails after the first one is rolled back later. */
static enum sp_status
send_all(struct sp_service *s, struct sp_job *job)
{
	enum sp_status status = SP_OK;

	if (sp_dataplane_room(s->dp, job->call->worker) < job->orders.count)
		return SP_FULL;
	while (status == SP_OK && job->sent < job->orders.count)
		status = sp_job_send(s, job);
	if (job->sent == 0)
		return status;
	job->worst = status;
	return SP_OK;
}

enum sp_status
sp_job_program(struct sp_service *s, struct sp_call *call, struct sp_cast *cast,
	const struct sp_asker *asker, json_t *body)
{
	struct sp_job *job = sp_job_new(s, call, SP_STAGE_PROGRAM, asker);
	const bool first = call->cast.count == 0;
	enum sp_status status = job ? SP_OK : SP_NO_MEMORY;

	if (status == SP_OK)
		status = sp_program_plan(
			s, call, cast, &job->orders, &job->later);
	if (status == SP_OK)
		status = send_all(s, job);
	if (status != SP_OK) {
		take_back(s, call, job, cast);
		json_decref(body);
		return status;
	}

	job->body = body;
	job->first = first;
	job->end = SP_END_FAILED;
	job->ends_ms = call->ends_ms;
	job->other = call->cast;
	call->cast = *cast;
	*cast = (struct sp_cast){ 0 };
	if (job->orders.count + job->later.count > 0 || first)
		call->active_ms = s->now_ms;
	if (call->answered_ms == 0 && sp_party_answered(&call->cast))
		call->answered_ms = s->now_ms > 0 ? s->now_ms : 1;
	if (first) {
		sp_calls_add(&s->calls, call);
		s->metrics.calls++;
	}
	sp_ageing_watch(s, call);
	if (job->orders.count == 0)
		sp_job_pump_one(s, job);
	return SP_OK;
}

/* Start a job whose orders need not go out all at once. */
static enum sp_status
start(struct sp_service *s, struct sp_job *job, enum sp_order_kind kind)
{
	enum sp_status status = SP_NO_MEMORY;

	if (job)
		status = sp_program_all(&job->call->cast, kind, &job->orders);
	if (status == SP_OK) {
		job->report =
			calloc(job->orders.count + 1, sizeof job->report[0]);
		status = job->report ? SP_OK : SP_NO_MEMORY;
	}
	if (status == SP_OK)
		sp_job_pump_one(s, job);
	else if (job)
		sp_job_free(job);
	return status;
}

enum sp_status
sp_job_read(struct sp_service *s, struct sp_call *call,
	const struct sp_asker *asker)
{
	return start(
		s, sp_job_new(s, call, SP_STAGE_READ, asker), SP_ORDER_READ);
}

enum sp_status
sp_job_end(struct sp_service *s, struct sp_call *call, enum sp_end end,
	const struct sp_asker *asker)
{
	struct sp_job *job = sp_job_new(s, call, SP_STAGE_END, asker);

	if (job)
		job->end = end;
	return start(s, job, SP_ORDER_STOP);
}

static void
append(struct sp_orders *to, const struct sp_orders *from, size_t first,
	size_t end)
{
	for (size_t i = first; i < end; i++)
		to->order[to->count++] = from->order[i];
}

/* How many of @orders stop flows: the first ones; then keys are wiped. */
static size_t
count_stops(const struct sp_orders *orders)
{
	size_t count = 0;

	while (count < orders->count &&
		orders->order[count].kind == SP_ORDER_STOP)
		count++;
	return count;
}

/*
 * All of a LEAVE's orders: what changes for the others, then the stops. Keys
 * of those who stay may still be named by flows of those who leave.
 */
static enum sp_status
plan_leave(struct sp_service *s, struct sp_job *job, struct sp_cast *cast)
{
	struct sp_orders tell = { 0 }, stop = { 0 }, all = { 0 };
	enum sp_status status;
	size_t stops;

	status = sp_program_all(&job->other, SP_ORDER_STOP, &all);
	if (status == SP_OK)
		status = sp_program_plan(s, job->call, cast, &tell, &stop);
	if (status == SP_OK) {
		const size_t count = tell.count + stop.count + all.count;

		job->orders.order =
			calloc(count + 1, sizeof job->orders.order[0]);
		job->report = calloc(count + 1, sizeof job->report[0]);
		status =
			job->orders.order && job->report ? SP_OK : SP_NO_MEMORY;
	}
	if (status == SP_OK) {
		stops = count_stops(&stop);
		append(&job->orders, &tell, 0, tell.count);
		append(&job->orders, &stop, 0, stops);
		job->reports_at = job->orders.count;
		append(&job->orders, &all, 0, all.count);
		append(&job->orders, &stop, stops, stop.count);
		job->programs = tell.count;
	} else {
		give_fresh(s, job->call, &tell);
	}
	sp_orders_free(&tell);
	sp_orders_free(&stop);
	sp_orders_free(&all);
	return status;
}

enum sp_status
sp_job_leave(struct sp_service *s, struct sp_call *call, uint32_t gone,
	const struct sp_asker *asker)
{
	struct sp_job *job = sp_job_new(s, call, SP_STAGE_LEAVE, asker);
	struct sp_cast cast = { 0 };
	enum sp_status status = job ? SP_OK : SP_NO_MEMORY;

	if (status == SP_OK)
		status = sp_party_clone(&call->cast, &cast);
	if (status == SP_OK)
		status = sp_party_leave(&cast, gone, &job->other);
	if (status == SP_OK)
		status = plan_leave(s, job, &cast);
	if (status != SP_OK) {
		sp_party_free(&cast);
		if (job)
			sp_job_free(job);
		return status;
	}
	sp_party_free(&call->cast);
	call->cast = cast;
	sp_ageing_watch(s, call);
	sp_job_pump_one(s, job);
	return SP_OK;
}
