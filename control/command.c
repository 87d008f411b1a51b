/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/command.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "control/job.h"

/* Requests: who does them, and the lines in which they wait. */

static const struct {
	sp_command_fn run;
	bool about_call; /* takes its turn behind what the call is at */
} commands[SP_VERB_COUNT] = {
	[SP_VERB_OFFER] = { sp_command_offer, true },
	[SP_VERB_ANSWER] = { sp_command_answer, true },
	[SP_VERB_DELETE] = { sp_command_delete, true },
	[SP_VERB_QUERY] = { sp_command_query, true },
	[SP_VERB_LIST] = { sp_command_list, false },
	[SP_VERB_STATISTICS] = { sp_command_statistics, false },
	[SP_VERB_BLOCK_MEDIA] = { sp_command_media, true },
	[SP_VERB_UNBLOCK_MEDIA] = { sp_command_media, true },
	[SP_VERB_SILENCE_MEDIA] = { sp_command_media, true },
	[SP_VERB_UNSILENCE_MEDIA] = { sp_command_media, true },
	[SP_VERB_BLOCK_DTMF] = { sp_command_media, true },
	[SP_VERB_UNBLOCK_DTMF] = { sp_command_media, true },
};

static void
refuse(struct sp_service *s, const struct sp_asker *asker, const char *type,
	const char *text)
{
	struct sp_problem problem;

	sp_reply_full(&problem, type, "%s", text);
	sp_reply_problem(s, asker, &problem);
}

static void
waiting_free(struct sp_waiting *waiting)
{
	json_decref(waiting->request.tree);
	free(waiting);
}

void
sp_command_dismiss(struct sp_service *s, struct sp_waiting *line,
	const struct sp_problem *problem)
{
	while (line) {
		struct sp_waiting *next = line->next;
		const struct sp_asker asker =
			sp_asker(&line->request, line->reply, line->arg);

		sp_reply_problem(s, &asker, problem);
		waiting_free(line);
		line = next;
	}
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
	const struct sp_asker asker = sp_asker(request, reply, arg);
	struct sp_waiting *waiting = malloc(sizeof *waiting);

	if (!waiting) {
		refuse(s, &asker, "no-memory",
			"out of memory: ask another relay");
		return false;
	}
	*waiting = (struct sp_waiting){ NULL, reply, arg, *request };
	json_incref(waiting->request.tree);
	append(line, waiting);
	return true;
}

void
sp_command_renew(struct sp_service *s, struct sp_call *call,
	const struct sp_request *request, sp_reply_fn reply, void *arg)
{
	const struct sp_asker nobody = { 0 };
	struct sp_problem problem;
	struct sp_waiting *line;

	if (!queue(s, &call->waiting, request, reply, arg))
		return;
	call->n_waiting++;
	line = call->waiting;
	/* What ends the call lets its line take its turn. */
	if (sp_job_end(s, call, SP_END_DELETED, &nobody) == SP_OK)
		return;
	call->waiting = NULL;
	call->n_waiting = 0;
	sp_reply_status(&problem, SP_NO_MEMORY);
	sp_command_dismiss(s, line, &problem);
}

/* Do @request, or put it behind what its call is at. */
static void
dispatch(struct sp_service *s, const struct sp_request *request,
	sp_reply_fn reply, void *arg)
{
	const struct sp_asker asker = sp_asker(request, reply, arg);
	struct sp_call *call = NULL;

	if (commands[request->verb].about_call)
		call = sp_calls_find(&s->calls, request->call_id);
	if (!call || !call->job)
		commands[request->verb].run(s, call, request, reply, arg);
	else if (call->n_waiting >= SP_WAITING_MAX)
		refuse(s, &asker, "call-busy",
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

void
sp_command_due(struct sp_service *s)
{
	if (s->busy)
		return;
	s->busy = true;
	while (s->due) {
		struct sp_waiting *first = s->due;

		s->due = first->next;
		dispatch(s, &first->request, first->reply, first->arg);
		waiting_free(first);
	}
	s->busy = false;
}

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void
sp_command(struct sp_service *s, const struct sp_request *request,
	sp_reply_fn reply, void *arg)
{
	struct sp_request timed;

	assert(commands[request->verb].run);
	if (request->began_us == 0) {
		timed = *request;
		timed.began_us = now_us();
		request = &timed;
	}
	sp_service_clock(s);
	if (s->busy || s->due) {
		queue(s, &s->due, request, reply, arg);
	} else {
		s->busy = true;
		dispatch(s, request, reply, arg);
		s->busy = false;
	}
	sp_command_due(s);
}
