/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls over ng, from message to reply, on a fake data plane. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <string.h>

#include "control/bencode.h"
#include "control/log.h"
#include "control/ng.h"
#include "tests/control/failing_memory.h"
#include "tests/control/rig.c"

#define CALLER "192.0.2.5"
#define CALLEE "10.1.1.1"
#define SDP(ip)                                                                \
	"v=0\r\no=- 1 1 IN IP4 " ip "\r\ns=-\r\nc=IN IP4 " ip "\r\nt=0 0\r\n"  \
	"m=audio 4000 RTP/AVP 8\r\n"

static struct rig r;
static struct sp_ng *ng;
static json_t *got; /* the last reply */
static unsigned int replies;

static void
open_rig(void)
{
	sp_log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	replies = 0;
	rig_open(&r);
	cr_assert(eq(int, sp_ng_open(r.s, &ng), SP_OK));
}

static void
close_rig(void)
{
	cr_expect(eq(u32, r.dp->errors, 0));
	rig_close(&r);
	sp_ng_close(ng);
	json_decref(got);
	got = NULL;
}

static void
on_send(const struct sp_ng_path *path, const char *reply, size_t len)
{
	const char *space = memchr(reply, ' ', len);
	const unsigned int saved = fail_in;

	(void)path;
	replies++;
	json_decref(got);
	got = NULL;
	fail_in = 0; /* it is the door's memory that fails, not this one */
	cr_assert(eq(int,
		sp_bencode_parse(
			space + 1, len - (size_t)(space + 1 - reply), &got),
		SP_OK));
	fail_in = saved;
}

/* Say @body under a cookie of its own; returns the reply's result. */
static const char *
say(json_t *body)
{
	static unsigned int cookie;
	const struct sp_ng_path path = { .send = on_send, .came_us = 1000 };
	const unsigned int before = replies;
	const unsigned int saved = fail_in;
	char message[4096];
	size_t len = 0;
	size_t used;

	fail_in = 0;
	used = (size_t)snprintf(message, sizeof message, "%u ", ++cookie);
	cr_assert(eq(int,
		sp_bencode_write(
			body, message + used, sizeof message - used, &len),
		SP_OK));
	fail_in = saved;
	cr_assert(sp_ng_take(ng, &path, message, used + len));
	for (int i = 0; i < 20 && replies == before; i++)
		rig_sleep(&r, 1);
	cr_assert(eq(uint, replies, before + 1), "one reply");
	json_decref(body);
	return json_string_value(json_object_get(got, "result"));
}

static char *
text(const char *key)
{
	const char *value = json_string_value(json_object_get(got, key));

	return (char *)(uintptr_t)(value ? value : "");
}

static json_t *
about(const char *command, const char *call, const char *to, const char *sdp)
{
	json_t *body = json_pack("{s:s, s:s, s:s}", "command", command,
		"call-id", call, "from-tag", "a");

	if (to)
		json_object_set_new(body, "to-tag", json_string(to));
	if (sdp)
		json_object_set_new(body, "sdp", json_string(sdp));
	return body;
}

static json_t *
offer(const char *call)
{
	json_t *body = about("offer", call, NULL, SDP(CALLER));

	json_object_set_new(body, "direction", json_pack("[ss]", "out", "in"));
	return body;
}

/* A request whose client knows the result "load limit". */
static json_t *
knowing(json_t *body)
{
	json_object_set_new(body, "supports", json_pack("[s]", "load limit"));
	return body;
}

Test(ng_call, a_call_is_set_up_told_of_and_ended, .init = open_rig,
	.fini = close_rig)
{
	cr_expect(eq(str, (char *)say(offer("c")), "ok"));
	cr_expect(ne(ptr, strstr(text("sdp"), "IN IP4 10.9.0.1"), NULL));
	cr_expect(eq(str, (char *)say(about("answer", "c", "b", SDP(CALLEE))),
		"ok"));
	cr_expect(ne(ptr, strstr(text("sdp"), "IN IP4 198.51.100.7"), NULL));
	cr_expect(eq(str, (char *)say(about("query", "c", NULL, NULL)), "ok"));
	cr_expect(ne(ptr, json_object_get(got, "totals"), NULL));
	cr_expect(eq(str, (char *)say(about("delete", "c", "b", NULL)), "ok"));
	cr_expect(eq(sz, r.s->calls.count, 0));
}

Test(ng_call, an_unknown_call_has_the_text_of_its_command, .init = open_rig,
	.fini = close_rig)
{
	say(about("query", "x", NULL, NULL));
	cr_expect(eq(str, text("error-reason"), "Unknown call-id"));
	say(about("answer", "x", "b", SDP(CALLEE)));
	cr_expect(eq(str, text("error-reason"), "Unknown call-id"));
	say(about("block media", "x", NULL, NULL));
	cr_expect(eq(str, text("error-reason"), "Unknown call-ID"));
	cr_expect(eq(str, (char *)say(about("delete", "x", NULL, NULL)), "ok"));
	cr_expect(eq(str, text("warning"),
		"Call-ID not found or tags didn't match"));
	say(offer("c"));
	cr_expect(eq(str, (char *)say(about("delete", "c", "?", NULL)), "ok"));
}

Test(ng_call, an_sdp_that_can_not_be_used_has_its_text, .init = open_rig,
	.fini = close_rig)
{
	say(about("offer", "c", NULL, "v=0\r\n"));
	cr_expect(eq(str, text("error-reason"), "Failed to parse SDP"));
	cr_expect(gt(sz, strlen(text("detail")), 0));
	say(about("offer", "c", NULL, SDP("127.0.0.1")));
	cr_expect(eq(str, text("error-reason"), "Failed to parse SDP"));
	cr_expect(eq(sz, r.s->calls.count, 0));
}

Test(ng_call, a_full_relay_makes_proxies_ask_another, .init = open_rig,
	.fini = close_rig)
{
	r.conf.max_calls = 1;
	cr_expect(eq(str, (char *)say(offer("1")), "ok"));
	cr_expect(eq(str, (char *)say(offer("2")), "error"));
	cr_expect(eq(
		str, text("error-reason"), "Parallel session limit reached"));
	cr_expect(eq(str, (char *)say(knowing(offer("2"))), "load limit"));
	cr_expect(eq(str, text("message"), "Parallel session limit reached"));
	cr_expect(eq(str, (char *)say(offer("1")), "ok"));
}

Test(ng_call, a_draining_relay_makes_proxies_ask_another, .init = open_rig,
	.fini = close_rig)
{
	sp_service_drain(r.s);
	say(offer("1"));
	cr_expect(eq(
		str, text("error-reason"), "Parallel session limit reached"));
}

Test(ng_call, without_ports_the_text_says_so_to_everybody, .init = open_rig,
	.fini = close_rig)
{
	char call[16];
	unsigned int i = 0;

	do
		snprintf(call, sizeof call, "%u", i);
	while (strcmp(say(offer(call)), "ok") == 0 && i++ < 64);
	cr_expect(gt(uint, i, 10));
	cr_expect(eq(str, text("error-reason"), "Ran out of ports"));
	cr_expect(eq(str, (char *)say(knowing(offer("x"))), "error"));
	cr_expect(eq(str, text("error-reason"), "Ran out of ports"));
}

/* One step of a call; what was there before is left or undone. */
static json_t *
step(unsigned int i)
{
	switch (i) {
	case 0:
		return knowing(offer("c"));
	case 1:
		return about("answer", "c", "b", SDP(CALLEE));
	case 2:
		return about("query", "c", NULL, NULL);
	default:
		return about("delete", "c", "b", NULL);
	}
}

/* Fail allocation @n of step @i; false: there are not so many. */
static bool
fail_step(unsigned int i, unsigned int n)
{
	const long before = blocks;
	const char *result;
	json_t *body;
	bool reached;

	open_rig();
	for (unsigned int j = 0; j < i; j++)
		cr_assert(eq(str, (char *)say(step(j)), "ok"));
	body = step(i);
	fail_in = n;
	result = say(body);
	reached = fail_in == 0;
	fail_in = 0;
	cr_expect(ne(ptr, (char *)result, NULL));
	/* Not known to be able to is not able to. */
	cr_expect(strcmp(result, "error") == 0 || strcmp(result, "ok") == 0 ||
			strcmp(result, "load limit") == 0,
		"%u, %u: %s", i, n, result);
	if (strcmp(result, "error") == 0)
		cr_expect(eq(str, text("error-reason"), "Load limit exceeded"),
			"%u, %u", i, n);
	close_rig();
	cr_expect(eq(long, blocks, before), "%u, %u leaks", i, n);
	return reached;
}

Test(ng_call, every_failed_allocation_has_one_reply_and_no_leak, .init = NULL,
	.fini = NULL)
{
	unsigned int in_all = 0;

	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	/* Words that all replies share are made by the first one. */
	open_rig();
	for (unsigned int i = 0; i < 4; i++)
		cr_assert(eq(str, (char *)say(step(i)), "ok"));
	close_rig();
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int n = 1;

		while (fail_step(i, n))
			n++;
		in_all += n;
	}
	cr_expect(gt(uint, in_all, 200));
}
