/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/service.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "control/ageing.h"
#include "control/job.h"
#include "control/log.h"

#define STUCK_MS 3000u /* without an answer of the worker */
#define EPOCH_SLACK_MS 100

void
sp_service_clock(struct sp_service *s)
{
	const uint32_t now_ms = sp_dataplane_now_ms(s->dp);

	s->now_ms += (uint32_t)(now_ms - s->last_ms);
	s->last_ms = now_ms;
}

static int64_t
wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * What the wall clock said when ours began. It is kept as long as nobody sets
 * the clock, so that times told of a call do not waver.
 */
static void
set_epoch(struct sp_service *s)
{
	const int64_t epoch_ms = wall_ms() - (int64_t)s->now_ms;

	if (llabs(epoch_ms - s->epoch_ms) > EPOCH_SLACK_MS)
		s->epoch_ms = epoch_ms;
}

void
sp_service_between(struct sp_service *s, void (*fn)(void *arg), void *arg)
{
	s->between = fn;
	s->between_arg = arg;
}

void
sp_service_tell(struct sp_service *s, struct sp_outbox *records,
	struct sp_outbox *webhook)
{
	s->records.file = records;
	s->records.webhook = webhook;
}

enum sp_status
sp_service_open(const struct sp_config *conf, struct sp_dataplane *dp,
	struct sp_service **out)
{
	struct sp_hash_key key[2];
	uint64_t id;
	struct sp_service *s = calloc(1, sizeof *s);
	enum sp_status status;

	if (!s)
		return SP_NO_MEMORY;
	s->conf = conf;
	s->dp = dp;
	s->workers = sp_dataplane_workers(dp);
	s->last_ms = sp_dataplane_now_ms(dp);
	status = getrandom(key, sizeof key, 0) == (ssize_t)sizeof key &&
			getrandom(&id, sizeof id, 0) == (ssize_t)sizeof id
		? SP_OK
		: SP_SYSTEM;
	if (status == SP_OK) {
		s->told_key = key[1];
		snprintf(s->id, sizeof s->id, "%016" PRIx64, id);
		status = sp_calls_open(&s->calls, &key[0]);
	}
	if (status == SP_OK)
		status = sp_ports_open(&s->ports, conf, s->workers);
	if (status != SP_OK) {
		sp_service_close(s);
		return status;
	}
	sp_timers_init(&s->timers, 0);
	set_epoch(s);
	*out = s;
	return SP_OK;
}

/* Why does a call end that the service ends? It may be deleted already. */
static enum sp_end
end_of(const struct sp_call *call)
{
	return call->ends_ms > 0 ? SP_END_DELETED : SP_END_SHUTDOWN;
}

void
sp_service_close(struct sp_service *s)
{
	const struct sp_text start = { 0 };
	struct sp_problem problem;
	struct sp_call *call;

	if (!s)
		return;
	sp_job_close(s);
	sp_problem_set(&problem, SP_PROBLEM_DRAINING, "",
		"the service stops: ask another relay");
	sp_command_dismiss(s, s->due, &problem);
	while (s->calls.bucket &&
		(call = sp_calls_after(&s->calls, start)) != NULL) {
		sp_command_dismiss(s, call->waiting, &problem);
		sp_record_end(s, call, end_of(call), NULL);
		sp_calls_del(&s->calls, call);
		sp_call_free(call);
	}
	for (unsigned int w = 0; w < s->workers; w++)
		free(s->owners[w].call);
	sp_calls_close(&s->calls);
	sp_ports_close(&s->ports);
	sp_line_free(&s->records.line);
	sp_keys_drain(&s->key_pool);
	free(s);
}

static void
on_done(void *arg, uint64_t ticket, enum sp_status status)
{
	sp_job_done(arg, ticket, status);
	sp_service_breathe(arg);
}

static void
log_news(const struct sp_call *call, uint8_t p, unsigned int m,
	const struct sp_slot *slot, enum sp_dataplane_news news,
	const struct sp_addr *remote)
{
	static const char *const event[] = {
		[SP_NEWS_LATCHED] = "latched",
		[SP_NEWS_MOVED] = "moved",
		[SP_NEWS_CONTESTED] = "contested",
	};
	const struct sp_party *party = call->cast.party[p];
	struct sp_log log = sp_log_begin(
		news == SP_NEWS_CONTESTED ? SP_LOG_WARNING : SP_LOG_INFO,
		event[news]);
	char text[SP_ADDR_TEXT];

	sp_log_text(&log, "call", call->id, call->id_len);
	if (party->tags)
		sp_log_text(&log, "tag", party->tags->text, party->tags->len);
	sp_log_number(&log, "m", m);
	sp_log_string(&log, "part",
		slot == &party->leg[m].slot[SP_PART_RTCP] ? "rtcp" : "rtp");
	sp_log_string(&log, "remote", sp_addr_print(remote, text));
	sp_log_end(&log);
}

static void
count_up(uint8_t *counter)
{
	if (*counter < UINT8_MAX)
		(*counter)++;
}

static void
on_news(void *arg, unsigned int worker, uint32_t flow,
	enum sp_dataplane_news news, const struct sp_addr *remote,
	enum sp_latch_class class, uint32_t at_ms)
{
	struct sp_service *s = arg;
	const struct sp_owners *owners = &s->owners[worker];
	struct sp_call *call = flow < owners->size ? owners->call[flow] : NULL;
	struct sp_slot *slot;
	unsigned int m;
	uint8_t p;

	(void)class;
	slot = call ? sp_program_slot(&call->cast, flow, &p, &m) : NULL;
	if (!slot)
		return; /* news of a flow that has gone in the meantime */
	switch (news) {
	case SP_NEWS_LATCHED:
		slot->latched_ms = at_ms;
		s->metrics.latched++;
		break;
	case SP_NEWS_MOVED:
		count_up(&slot->moves);
		s->metrics.moved++;
		break;
	case SP_NEWS_CONTESTED:
		count_up(&slot->rivals);
		s->metrics.contested++;
		break;
	}
	log_news(call, p, m, slot, news, remote);
}

void
sp_service_serve(struct sp_service *s)
{
	const struct sp_dataplane_events events = {
		.arg = s,
		.done = on_done,
		.news = on_news,
	};

	sp_service_clock(s);
	s->busy = true;
	sp_dataplane_serve(s->dp, &events);
	sp_job_pump(s);
	s->busy = false;
	sp_command_due(s);
}

/* End every call that is not busy; the others are for the next time. */
static void
end_all(struct sp_service *s)
{
	const struct sp_asker nobody = { 0 };
	const struct sp_text start = { 0 };
	struct sp_call *call = sp_calls_after(&s->calls, start);

	while (call) {
		struct sp_call *next = sp_calls_next(&s->calls, call);

		if (!call->job &&
			sp_job_end(s, call, end_of(call), &nobody) != SP_OK)
			return; /* no memory, in a second perhaps */
		call = next;
	}
}

/* Nobody waits for ever because a worker does not answer. */
static void
give_up(struct sp_service *s)
{
	for (struct sp_job *job = s->jobs; job; job = job->next) {
		struct sp_problem problem;
		struct sp_waiting *line;

		/* One that refuses its orders does answer: see retry_ms. */
		if (s->now_ms < job->since_ms + STUCK_MS ||
			s->now_ms < job->retry_ms + STUCK_MS)
			continue;
		if (job->asker.reply)
			sp_job_give_up(s, job);
		line = job->call->waiting;
		job->call->waiting = NULL;
		job->call->n_waiting = 0;
		sp_reply_full(&problem, "worker-stuck",
			"the call's worker does not confirm its orders: ask "
			"another relay");
		sp_command_dismiss(s, line, &problem);
	}
}

void
sp_service_tick(struct sp_service *s)
{
	sp_service_clock(s);
	s->busy = true;
	set_epoch(s);
	give_up(s);
	sp_metrics_tick(s);
	sp_stalls_tick(&s->stalls, s->dp, s->workers, s->now_ms);
	sp_outbox_tick(s->records.file);
	sp_outbox_tick(s->records.webhook);
	sp_timers_run(&s->timers, s->now_ms / 1000, sp_ageing_due, s);
	if (s->stopping)
		end_all(s);
	sp_job_pump(s);
	s->busy = false;
	sp_command_due(s);
}

void
sp_service_stop(struct sp_service *s)
{
	s->stopping = true;
	sp_service_clock(s);
	end_all(s);
	sp_command_due(s);
}

void
sp_service_drain(struct sp_service *s)
{
	if (!s->draining)
		sp_log_say(SP_LOG_INFO, "draining",
			"no new calls; the process ends with the last one");
	s->draining = true;
}

bool
sp_service_draining(const struct sp_service *s)
{
	return s->draining;
}

bool
sp_service_idle(const struct sp_service *s)
{
	return s->calls.count == 0 && !s->jobs && !s->due;
}

bool
sp_service_ready(const struct sp_service *s)
{
	return !s->stopping && !s->draining &&
		s->calls.count < s->conf->max_calls;
}

struct sp_ng_counts *
sp_service_ng_counts(struct sp_service *s)
{
	return &s->metrics.ng;
}
