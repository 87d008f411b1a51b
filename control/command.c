/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "control/ageing.h"
#include "control/job.h"
#include "control/log.h"

#define STUCK_MS 3000u /* without an answer of the worker */

static const struct {
	sp_command_fn run;
	bool about_call; /* takes its turn behind what the call is at */
} commands[SP_VERB_COUNT] = {
	[SP_VERB_OFFER] = { sp_command_offer, true },
	[SP_VERB_ANSWER] = { sp_command_answer, true },
	[SP_VERB_DELETE] = { sp_command_delete, true },
	[SP_VERB_QUERY] = { sp_command_query, true },
	[SP_VERB_LIST] = { sp_command_list, false },
};

void
sp_service_clock(struct sp_service *s)
{
	const uint32_t now_ms = sp_dataplane_now_ms(s->dp);

	s->now_ms += (uint32_t)(now_ms - s->last_ms);
	s->last_ms = now_ms;
}

enum sp_status
sp_service_open(const struct sp_config *conf, struct sp_dataplane *dp,
	struct sp_service **out)
{
	struct sp_hash_key key[2];
	struct sp_service *s = calloc(1, sizeof *s);
	enum sp_status status;

	if (!s)
		return SP_NO_MEMORY;
	s->conf = conf;
	s->dp = dp;
	s->workers = sp_dataplane_workers(dp);
	s->last_ms = sp_dataplane_now_ms(dp);
	status = getrandom(key, sizeof key, 0) == (ssize_t)sizeof key
		? SP_OK
		: SP_SYSTEM;
	if (status == SP_OK) {
		s->told_key = key[1];
		status = sp_calls_open(&s->calls, &key[0]);
	}
	if (status == SP_OK)
		status = sp_ports_open(&s->ports, conf, s->workers);
	if (status != SP_OK) {
		sp_service_close(s);
		return status;
	}
	sp_timers_init(&s->timers, 0);
	*out = s;
	return SP_OK;
}

static void
refuse(struct sp_service *s, sp_reply_fn reply, void *arg, enum sp_verb verb,
	const char *type, const char *text)
{
	const struct sp_asker asker = { reply, arg, verb };
	struct sp_problem problem;

	sp_reply_full(&problem, type, "%s", text);
	sp_reply_problem(s, &asker, &problem);
}

/* Answer all of a line without doing anything. */
static void
dismiss(struct sp_service *s, struct sp_waiting *line, const char *type,
	const char *text)
{
	while (line) {
		struct sp_waiting *next = line->next;

		refuse(s, line->reply, line->arg, line->request.verb, type,
			text);
		free(line);
		line = next;
	}
}

void
sp_service_close(struct sp_service *s)
{
	const char *why = "the service stops: ask another relay";
	const struct sp_text start = { 0 };
	struct sp_call *call;

	if (!s)
		return;
	sp_job_close(s);
	dismiss(s, s->due, "stopping", why);
	while (s->calls.bucket &&
		(call = sp_calls_after(&s->calls, start)) != NULL) {
		dismiss(s, call->waiting, "stopping", why);
		sp_calls_del(&s->calls, call);
		sp_call_free(call);
	}
	for (unsigned int w = 0; w < s->workers; w++)
		free(s->owners[w].call);
	sp_calls_close(&s->calls);
	sp_ports_close(&s->ports);
	free(s);
}

/* Copy @text behind @to, and make it name the copy. */
static void
move_text(struct sp_text *text, char **to)
{
	if (text->len == 0)
		return;
	memcpy(*to, text->at, text->len);
	text->at = *to;
	*to += text->len;
}

/* A copy of a request that outlives its bytes; NULL without memory. */
static struct sp_waiting *
waiting_new(const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	struct sp_waiting *waiting;
	struct sp_request *copy;
	char *to;

	waiting = malloc(sizeof *waiting + request->call_id.len +
		request->from_tag.len + request->to_tag.len +
		request->branch.len + request->label.len + request->sdp.len +
		request->from_realm.len + request->to_realm.len +
		request->after.len);
	if (!waiting)
		return NULL;
	waiting->next = NULL;
	waiting->reply = reply;
	waiting->arg = arg;
	waiting->request = *request;
	copy = &waiting->request;
	copy->tree = NULL;
	to = waiting->bytes;
	move_text(&copy->call_id, &to);
	move_text(&copy->from_tag, &to);
	move_text(&copy->to_tag, &to);
	move_text(&copy->branch, &to);
	move_text(&copy->label, &to);
	move_text(&copy->sdp, &to);
	move_text(&copy->from_realm, &to);
	move_text(&copy->to_realm, &to);
	move_text(&copy->after, &to);
	return waiting;
}

static void
append(struct sp_waiting **line, struct sp_waiting *more)
{
	while (*line)
		line = &(*line)->next;
	*line = more;
}

/* Put a request into @line, or refuse it. */
static bool
queue(struct sp_service *s, struct sp_waiting **line,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	struct sp_waiting *waiting = waiting_new(request, reply, arg);

	if (!waiting) {
		refuse(s, reply, arg, request->verb, "no-memory",
			"out of memory: ask another relay");
		return false;
	}
	append(line, waiting);
	return true;
}

/* Do @request, or put it behind what its call is at. */
static void
dispatch(struct sp_service *s, const struct sp_request *request,
	sp_reply_fn reply, void *arg)
{
	struct sp_call *call = NULL;

	if (commands[request->verb].about_call)
		call = sp_calls_find(&s->calls, request->call_id);
	if (!call || !call->job)
		commands[request->verb].run(s, call, request, reply, arg);
	else if (call->n_waiting >= SP_WAITING_MAX)
		refuse(s, reply, arg, request->verb, "call-busy",
			"too many requests wait for this call: slow down");
	else
		call->n_waiting +=
			queue(s, &call->waiting, request, reply, arg);
}

void
sp_command_wake(struct sp_service *s, struct sp_call *call)
{
	append(&s->due, call->waiting);
	call->waiting = NULL;
	call->n_waiting = 0;
}

/*
 * Work through the requests whose turn has come. A reply may bring the next
 * request at once: it goes to the end of the line.
 */
static void
do_due(struct sp_service *s)
{
	if (s->busy)
		return;
	s->busy = true;
	while (s->due) {
		struct sp_waiting *first = s->due;

		s->due = first->next;
		dispatch(s, &first->request, first->reply, first->arg);
		free(first);
	}
	s->busy = false;
}

void
sp_command(struct sp_service *s, const struct sp_request *request,
	sp_reply_fn reply, void *arg)
{
	assert(request->verb < SP_VERB_COUNT);
	sp_service_clock(s);
	if (s->busy || s->due) {
		queue(s, &s->due, request, reply, arg);
	} else {
		s->busy = true;
		dispatch(s, request, reply, arg);
		s->busy = false;
	}
	do_due(s);
}

static void
on_done(void *arg, uint64_t ticket, enum sp_status status)
{
	sp_job_done(arg, ticket, status);
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
	do_due(s);
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
			sp_job_end(s, call, SP_END_SHUTDOWN, &nobody) != SP_OK)
			return; /* no memory, in a second perhaps */
		call = next;
	}
}

/* Nobody waits for ever because a worker does not answer. */
static void
give_up(struct sp_service *s)
{
	for (struct sp_job *job = s->jobs; job; job = job->next) {
		struct sp_waiting *line;

		/* One that refuses its orders does answer. */
		if (s->now_ms - job->since_ms < STUCK_MS || job->tries > 0)
			continue;
		if (job->asker.reply)
			sp_job_give_up(s, job);
		line = job->call->waiting;
		job->call->waiting = NULL;
		job->call->n_waiting = 0;
		dismiss(s, line, "worker-stuck",
			"the call's worker does not confirm its orders: ask "
			"another relay");
	}
}

void
sp_service_tick(struct sp_service *s)
{
	sp_service_clock(s);
	s->busy = true;
	give_up(s);
	sp_timers_run(&s->timers, s->now_ms / 1000, sp_ageing_due, s);
	if (s->stopping)
		end_all(s);
	sp_job_pump(s);
	s->busy = false;
	do_due(s);
}

void
sp_service_stop(struct sp_service *s)
{
	s->stopping = true;
	sp_service_clock(s);
	end_all(s);
	do_due(s);
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
