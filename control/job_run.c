/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "control/ageing.h"
#include "control/keys.h"
#include "control/log.h"

/* After so many seconds of refusals a call can't be put in order. */
#define TRIES 5u
#define RETRY_MS 1000u

struct sp_job *
sp_job_new(struct sp_service *s, struct sp_call *call, enum sp_stage stage,
	const struct sp_asker *asker)
{
	struct sp_job *job = calloc(1, sizeof *job);

	if (!job)
		return NULL;
	assert(!call->job);
	job->call = call;
	job->stage = stage;
	job->asker = *asker;
	job->since_ms = s->now_ms;
	job->next = s->jobs;
	job->link = &s->jobs;
	if (job->next)
		job->next->link = &job->next;
	s->jobs = job;
	call->job = job;
	return job;
}

void
sp_job_free(struct sp_job *job)
{
	*job->link = job->next;
	if (job->next)
		job->next->link = job->link;
	job->call->job = NULL;
	json_decref(job->body);
	sp_orders_free(&job->orders);
	sp_orders_free(&job->later);
	free(job->report);
	sp_party_free(&job->other);
	free(job);
}

static uint64_t
ticket_of(struct sp_job *job)
{
	return (uint64_t)(uintptr_t)job;
}

enum sp_status
sp_job_send(struct sp_service *s, struct sp_job *job)
{
	const struct sp_order *order = &job->orders.order[job->sent];
	const unsigned int worker = job->call->worker;
	struct sp_flow_report *report =
		job->report ? &job->report[job->sent] : NULL;
	enum sp_status status;

	switch ((enum sp_order_kind)order->kind) {
	case SP_ORDER_KEYS:
		status = sp_dataplane_keys(s->dp, worker, order->flow,
			&order->keys, ticket_of(job));
		break;
	case SP_ORDER_WIPE:
		status = sp_dataplane_keys(
			s->dp, worker, order->flow, NULL, ticket_of(job));
		break;
	case SP_ORDER_PROGRAM:
		status = sp_dataplane_program(s->dp, worker, order->flow,
			&order->conf, ticket_of(job));
		break;
	case SP_ORDER_STOP:
		status = sp_dataplane_stop(
			s->dp, worker, order->flow, report, ticket_of(job));
		break;
	case SP_ORDER_READ:
	default:
		status = sp_dataplane_read(
			s->dp, worker, order->flow, report, ticket_of(job));
		break;
	}
	job->sent += status == SP_OK;
	return status;
}

/* Is an even/odd pair in use in @before, too, by the same leg? */
static bool
had_pair(const struct sp_cast *before, uint8_t p, unsigned int m, int six,
	const struct sp_pair *pair)
{
	const struct sp_pair *had;

	if (!before || p >= before->count || m >= before->party[p]->legs)
		return false;
	had = &before->party[p]->leg[m].pair[six];
	return had->port == pair->port && had->local == pair->local;
}

void
sp_job_give_ports(struct sp_service *s, unsigned int worker,
	const struct sp_cast *cast, const struct sp_cast *before)
{
	for (uint8_t p = 0; p < cast->count; p++)
		for (unsigned int m = 0; m < cast->party[p]->legs; m++)
			for (int six = 0; six < 2; six++) {
				const struct sp_pair *pair =
					&cast->party[p]->leg[m].pair[six];

				if (pair->port == 0 ||
					had_pair(before, p, m, six, pair))
					continue;
				sp_ports_give(&s->ports, worker, pair->local,
					pair->port, sp_service_now_s(s));
			}
}

/* What lines did that are not in use any more. */
static void
keep_past(const struct sp_job *job)
{
	for (size_t i = 0; job->report && i < job->orders.count; i++) {
		const struct sp_order *order = &job->orders.order[i];

		if (order->part == SP_PART_RTP && job->report[i].packets > 0)
			sp_party_keep(job->call->cast.party[order->party],
				order->m, &job->report[i]);
	}
}

static void
give_stopped(struct sp_service *s, const struct sp_job *job)
{
	for (size_t i = 0; i < job->orders.count; i++)
		if (job->orders.order[i].kind == SP_ORDER_STOP ||
			job->orders.order[i].kind == SP_ORDER_WIPE)
			sp_program_give(
				s, job->call->worker, &job->orders.order[i]);
}

static void
log_end(const struct sp_job *job, uint64_t lived_ms)
{
	const struct sp_call *call = job->call;
	struct sp_log log = sp_log_begin(SP_LOG_INFO, "call_end");
	uint64_t packets = 0, lost = 0;

	for (size_t i = 0; job->report && i < job->orders.count; i++) {
		packets += job->report[i].packets;
		lost += job->report[i].quality.lost;
	}
	sp_log_text(&log, "call", call->id, call->id_len);
	sp_log_string(&log, "reason", sp_metrics_end(job->end));
	sp_log_number(&log, "duration_ms", (int64_t)lived_ms);
	sp_log_number(&log, "parties", call->cast.count);
	sp_log_number(&log, "packets", (int64_t)packets);
	sp_log_number(&log, "lost", (int64_t)lost);
	sp_log_end(&log);
}

/* The call is over and its flows are stopped. Frees @job. */
static void
bury(struct sp_service *s, struct sp_job *job)
{
	struct sp_call *call = job->call;
	const struct sp_flow_report *report =
		job->stage == SP_STAGE_END ? job->report : NULL;

	log_end(job, s->now_ms - call->created_ms);
	sp_record_end(s, call, job->end, report);
	sp_metrics_count_end(s, call, job->end, report);
	sp_job_free(job);
	sp_job_give_ports(s, call->worker, &call->cast, NULL);
	sp_calls_del(&s->calls, call);
	sp_command_wake(s, call);
	sp_call_free(call);
}

static int
by_kind(const void *a, const void *b)
{
	const struct sp_order *left = a, *right = b;

	return (int)left->kind - (int)right->kind;
}

static size_t
count_programs(const struct sp_orders *orders)
{
	size_t count = 0;

	while (count < orders->count &&
		orders->order[count].kind <= SP_ORDER_PROGRAM)
		count++;
	return count;
}

/* Make of the first order about a flow or keys the last one. */
static void
undo_fresh(struct sp_order *order)
{
	const bool keys = order->kind == SP_ORDER_KEYS;

	if (keys)
		explicit_bzero(&order->keys, sizeof order->keys);
	order->kind = keys ? SP_ORDER_WIPE : SP_ORDER_STOP;
}

/* The workers did not do it: back to how it was before. */
static void
roll_back(struct sp_service *s, struct sp_job *job)
{
	struct sp_call *call = job->call;
	struct sp_problem problem;
	const struct sp_asker nobody = { 0 };
	struct sp_cast failed = call->cast;

	sp_reply_status(&problem, job->worst);
	sp_reply_problem(s, &job->asker, &problem);
	job->asker = nobody;

	for (size_t i = 0; i < job->orders.count; i++) {
		struct sp_order *order = &job->orders.order[i];

		if (order->kind == SP_ORDER_KEYS && i < job->sent)
			sp_keys_undone(&job->other, order->party, order->m,
				&order->keys.out, order->fresh);
		if (order->fresh && i >= job->sent)
			sp_program_give(s, call->worker, order);
		else if (order->fresh)
			undo_fresh(order);
		else
			sp_program_again(s, &job->other, order);
	}
	/* What was never sent needs no way back. */
	explicit_bzero(job->orders.order + job->sent,
		(job->orders.count - job->sent) * sizeof job->orders.order[0]);
	job->orders.count = job->sent;
	qsort(job->orders.order, job->orders.count, sizeof job->orders.order[0],
		by_kind);
	sp_job_give_ports(s, call->worker, &failed, &job->other);
	call->cast = job->other;
	job->other = (struct sp_cast){ 0 };
	sp_party_free(&failed);
	call->ends_ms = job->ends_ms;
	sp_ageing_watch(s, call);
	job->later.count = 0;
	job->stage = SP_STAGE_CLEAN;
	job->worst = SP_OK;
	job->sent = job->back = 0;
}

static void
finish_program(struct sp_service *s, struct sp_job *job)
{
	if (job->worst != SP_OK) {
		roll_back(s, job);
		return;
	}
	sp_reply_body(s, &job->asker, job->body);
	job->asker = (struct sp_asker){ 0 }; /* answered once */
	job->body = NULL;
	job->first = false;
	sp_orders_free(&job->orders);
	job->orders = job->later;
	job->later = (struct sp_orders){ 0 };
	job->stage = SP_STAGE_CLEAN;
	job->sent = job->back = 0;
	/* Without memory nobody learns what these flows have seen. */
	if (job->orders.count > 0)
		job->report = calloc(job->orders.count, sizeof job->report[0]);
}

/* All is done: answer, give back what is not needed any more. */
static void
finish(struct sp_service *s, struct sp_job *job)
{
	struct sp_call *call = job->call;
	const bool broken = job->broken;
	const struct sp_asker nobody = { 0 };

	if (job->stage == SP_STAGE_READ)
		sp_reply_body(s, &job->asker,
			sp_reply_call(s, &job->asker, call, &call->cast,
				job->report,
				job->asker.verb == SP_VERB_DELETE
					? sp_metrics_end(SP_END_DELETED)
					: sp_reply_state(call)));
	if (job->stage == SP_STAGE_END)
		sp_reply_body(s, &job->asker,
			sp_reply_call(s, &job->asker, call, &call->cast,
				job->report, sp_metrics_end(job->end)));
	if (job->stage == SP_STAGE_LEAVE) {
		sp_reply_body(s, &job->asker,
			sp_reply_call(s, &job->asker, call, &job->other,
				job->report + job->reports_at, "deleted"));
		/* What nobody asked for is a branch that nobody answered. */
		sp_record_leave(s, call, &job->other,
			job->asker.reply ? SP_END_DELETED
					 : SP_END_OFFER_TIMEOUT,
			job->report + job->reports_at);
		sp_metrics_count_streams(
			s, &job->other, job->report + job->reports_at);
		sp_job_give_ports(s, call->worker, &job->other, NULL);
	}
	if (job->stage == SP_STAGE_CLEAN) {
		keep_past(job);
		/* Of lines whose port was replaced. */
		sp_job_give_ports(s, call->worker, &job->other, &call->cast);
	}
	give_stopped(s, job);
	if (job->stage == SP_STAGE_END || job->first) {
		bury(s, job);
		return;
	}
	sp_job_free(job);
	/*
	 * Its flows may still feed those that were stopped, whose ids the next
	 * call gets. These stops overtake it: a mailbox keeps its order.
	 */
	if (broken && sp_job_end(s, call, SP_END_FAILED, &nobody) == SP_OK)
		return;
	sp_command_wake(s, call);
}

/* May the next order go out? Stops wait until all programs are obeyed. */
static bool
is_next(const struct sp_service *s, const struct sp_job *job)
{
	const bool obeyed = job->back == job->sent && job->worst == SP_OK;

	return job->sent < job->orders.count && s->now_ms >= job->retry_ms &&
		(job->programs == 0 || job->sent != job->programs || obeyed) &&
		sp_dataplane_room(s->dp, job->call->worker) > 0;
}

/* The way back or on was refused: again in a while, but not for ever. */
static void
retry(struct sp_service *s, struct sp_job *job)
{
	job->worst = SP_OK;
	if (++job->tries < TRIES) {
		job->sent = job->back = 0;
		job->retry_ms = s->now_ms + RETRY_MS;
	} else {
		job->broken = true;
		job->sent = job->back = job->programs;
	}
}

void
sp_job_pump_one(struct sp_service *s, struct sp_job *job)
{
	if (job->stage == SP_STAGE_PROGRAM) {
		finish_program(s, job);
		job->programs = count_programs(&job->orders);
	}
	while (is_next(s, job)) {
		if (sp_job_send(s, job) == SP_OK)
			continue;
		if (job->sent < job->programs)
			job->worst = SP_FULL;
		break;
	}
	if (job->back < job->sent)
		return;
	if (job->worst != SP_OK && job->programs > 0 &&
		job->sent <= job->programs) {
		retry(s, job);
		if (job->broken)
			sp_job_pump_one(s, job);
	} else if (job->sent == job->orders.count) {
		finish(s, job);
	}
}

void
sp_job_done(struct sp_service *s, uint64_t ticket, enum sp_status status)
{
	struct sp_job *job = (struct sp_job *)(uintptr_t)ticket;

	job->back++;
	if (status != SP_OK && job->worst == SP_OK)
		job->worst = status;
	if (job->back == job->sent)
		sp_job_pump_one(s, job);
}

void
sp_job_pump(struct sp_service *s)
{
	struct sp_job *next;

	for (struct sp_job *job = s->jobs; job; job = next) {
		next = job->next;
		if (job->stage != SP_STAGE_PROGRAM &&
			job->sent < job->orders.count)
			sp_job_pump_one(s, job);
	}
}

void
sp_job_give_up(struct sp_service *s, struct sp_job *job)
{
	const struct sp_asker nobody = { 0 };
	struct sp_log log = sp_log_begin(SP_LOG_ERROR, "worker_stuck");
	struct sp_problem problem;

	sp_log_number(&log, "worker", job->call->worker);
	sp_log_text(&log, "call", job->call->id, job->call->id_len);
	sp_log_end(&log);
	sp_reply_full(&problem, "worker-stuck",
		"worker %u does not confirm its orders: ask another relay",
		job->call->worker);
	sp_reply_problem(s, &job->asker, &problem);
	job->asker = nobody;
	if (job->stage == SP_STAGE_PROGRAM)
		job->worst = SP_SYSTEM;
}

void
sp_job_close(struct sp_service *s)
{
	struct sp_problem problem;

	sp_problem_set(&problem, SP_PROBLEM_DRAINING, "",
		"the service stops: ask another one");
	while (s->jobs) {
		struct sp_job *job = s->jobs;

		sp_reply_problem(s, &job->asker, &problem);
		sp_job_free(job);
	}
}
