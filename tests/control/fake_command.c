/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_command.h"

#include <stdio.h>
#include <string.h>

#include "control/problem.h"

struct fake_service fake;

static void
answer_one(sp_reply_fn reply, void *arg)
{
	struct sp_problem problem;
	struct sp_reply good = { .http = 200 };
	struct sp_reply bad = { .problem = &problem };

	if (fake.refuse) {
		sp_problem_set(
			&problem, SP_PROBLEM_CAPACITY, "", "no port is free");
		if (fake.problem)
			bad.problem = fake.problem;
		bad.http = bad.problem->http;
		reply(arg, &bad);
		return;
	}
	good.body = fake.body
		? json_incref(fake.body)
		: json_pack("{s:s, s:b}", "sdp", "v=0\r\n", "fake", 1);
	reply(arg, &good);
	json_decref(good.body);
}

static void
copy(char *to, const struct sp_text *text)
{
	if (text->len > 0)
		memcpy(to, text->at, text->len);
	to[text->len] = '\0';
}

void
sp_command(struct sp_service *s, const struct sp_request *request,
	sp_reply_fn reply, void *arg)
{
	(void)s;
	fake.asked++;
	fake.verb = request->verb;
	fake.door = request->door;
	fake.began_us = request->began_us;
	fake.limit = request->limit;
	fake.sdp_len = request->sdp.len;
	fake.call_id_len = request->call_id.len;
	copy(fake.call_id, &request->call_id);
	copy(fake.after, &request->after);
	if (!fake.later) {
		answer_one(reply, arg);
		return;
	}
	fake.reply[fake.waiting] = reply;
	fake.arg[fake.waiting++] = arg;
}

void
fake_answer_all(void)
{
	while (fake.waiting > 0) {
		fake.waiting--;
		answer_one(fake.reply[fake.waiting], fake.arg[fake.waiting]);
	}
}

bool
sp_service_ready(const struct sp_service *s)
{
	(void)s;
	return !fake.full;
}

void
sp_service_drain(struct sp_service *s)
{
	(void)s;
	fake.full = true;
}

void
sp_metrics_write(struct sp_service *s, FILE *to)
{
	(void)s;
	fprintf(to, "sallyport_fake 1\n");
}

struct sp_ng_counts *
sp_service_ng_counts(struct sp_service *s)
{
	(void)s;
	return &fake.counts;
}
