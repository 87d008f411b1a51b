/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told of calls: one line for each end, and news of legs. */
#include <pthread.h>

#include "control/record.h"
#include "tests/control/rig_call.h"

#define LINES 40

/* What came out of an outbox; its thread writes, closing makes it readable. */
struct heard {
	json_t *line[LINES];
	size_t count;
	struct sp_outbox *outbox;
};

static struct heard file, hook;

static enum sp_outbox_result
deliver(void *arg, struct sp_outbox *outbox, const char *bytes, size_t len,
	int *trouble)
{
	struct heard *to = arg;

	(void)outbox;
	*trouble = 0;
	if (to->count < LINES)
		to->line[to->count++] = json_loadb(bytes, len, 0, NULL);
	return SP_OUTBOX_DONE;
}

static void
nothing(void *arg)
{
	(void)arg;
}

static void
open_outbox(struct heard *to)
{
	const struct sp_outbox_sink sink = {
		.name = "test",
		.arg = to,
		.deliver = deliver,
		.close = nothing,
		.most_bytes = 1 << 20,
	};

	if (sp_outbox_open(&sink, &to->outbox) != SP_OK)
		abort();
}

static void
open_all(void)
{
	open_rig();
	open_outbox(&file);
	open_outbox(&hook);
	sp_service_tell(r.s, file.outbox, hook.outbox);
}

/* From now on the lines may be read, and the service is gone. */
static void
close_all(void)
{
	if (!file.outbox)
		return;
	close_rig();
	sp_outbox_close(file.outbox, 60000);
	sp_outbox_close(hook.outbox, 60000);
	file.outbox = hook.outbox = NULL;
}

static void
free_all(void)
{
	close_all();
	for (size_t i = 0; i < LINES; i++) {
		json_decref(file.line[i]);
		json_decref(hook.line[i]);
	}
}

TestSuite(record, .init = open_all, .fini = free_all);

static const char *
word(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static json_int_t
number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static json_t *
party(const json_t *line, size_t p)
{
	return json_array_get(json_object_get(line, "parties"), p);
}

static json_t *
media(const json_t *line, size_t p)
{
	return json_array_get(json_object_get(party(line, p), "media"), 0);
}

static void
hear(unsigned int port, int packets)
{
	while (packets-- > 0)
		fake_media(r.dp, 0, fake_find(r.dp, 0, (uint16_t)port));
}

Test(record, deleted_call_is_one_line_with_its_parties)
{
	const json_t *line, *m;

	connect_call();
	hear(port_a, 98);
	hear(port_b, 50);
	rig_sleep(&r, 3);
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	close_all();
	cr_assert(eq(sz, file.count, 1));
	cr_assert(eq(sz, hook.count, 1));
	cr_expect(eq(int, json_equal(file.line[0], hook.line[0]), 1));
	line = file.line[0];
	cr_expect(eq(str, (char *)word(line, "event"), "call_end"));
	cr_expect(eq(str, (char *)word(line, "call_id"), "call-1"));
	cr_expect(eq(str, (char *)word(line, "reason"), "deleted"));
	cr_expect(eq(long, number(line, "duration_ms"), 3000));
	cr_expect(eq(sz, strlen(word(line, "created")), 24));
	cr_expect(eq(sz, strlen(word(line, "answered")), 24));
	cr_expect(eq(str, (char *)word(party(line, 0), "tag"), "a"));
	cr_expect(eq(str, (char *)word(party(line, 0), "role"), "caller"));
	cr_expect(eq(str, (char *)word(party(line, 1), "tag"), "b"));
	m = media(line, 0);
	cr_expect(eq(long, number(m, "packets"), 98));
	cr_expect(eq(long, number(m, "octets"), 98 * 172));
	cr_expect(eq(long, number(m, "lost"), 2));
	cr_expect(eq(dbl, json_real_value(json_object_get(m, "mos")), 4.3));
	cr_expect(
		eq(dbl, json_real_value(json_object_get(m, "jitter_ms")), 1.5));
	cr_expect(eq(str, (char *)word(m, "latched"), "192.0.2.5:4000"));
	cr_expect(eq(long, number(media(line, 1), "packets"), 50));
	cr_expect(eq(long,
		number(json_object_get(media(line, 1), "rtcp"), "packets"), 0));
}

Test(record, offer_without_an_answer_says_so)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL, rig_sdp("192.0.2.5", 4000, "")),
		200));
	rig_sleep(&r, 303);
	close_all();
	cr_assert(eq(sz, file.count, 1));
	cr_expect(
		eq(str, (char *)word(file.line[0], "reason"), "offer_timeout"));
	cr_expect(eq(int,
		json_is_null(json_object_get(file.line[0], "answered")), 1));
	cr_expect(eq(int,
		json_is_null(json_object_get(party(file.line[0], 1), "tag")),
		1));
}

Test(record, branch_that_leaves_has_a_line_of_its_own)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z1", rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, "z2", rig_sdp("192.0.2.5", 4000, "")),
		200));
	cr_assert(eq(int, rig_delete(&r, "a", NULL, "z1"), 200));
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	close_all();
	cr_assert(eq(sz, file.count, 2));
	cr_expect(eq(str, (char *)word(file.line[0], "event"), "branch_end"));
	cr_expect(eq(sz,
		json_array_size(json_object_get(file.line[0], "parties")), 1));
	cr_expect(
		eq(str, (char *)word(party(file.line[0], 0), "branch"), "z1"));
	cr_expect(eq(str, (char *)word(file.line[1], "event"), "call_end"));
}

Test(record, shutdown_tells_of_every_call)
{
	char id[24];

	for (int i = 0; i < 10; i++) {
		struct sp_request request = rig_request(SP_VERB_OFFER, "a",
			NULL, NULL, rig_sdp("192.0.2.5", 4000, ""));

		snprintf(id, sizeof id, "call-%d", i);
		request.call_id = rig_text(id);
		cr_assert(eq(int, rig_ask(&r, &request), 200));
	}
	/* A worker that hangs does not keep a record from being written. */
	r.dp->stuck = true;
	sp_service_stop(r.s);
	rig_serve(&r);
	r.dp->queued = 0;
	close_all();
	cr_expect(eq(sz, file.count, 10));
	for (int i = 0; i < 10; i++)
		cr_expect(eq(
			str, (char *)word(file.line[i], "reason"), "shutdown"));
}

Test(record, deleted_call_that_lingers_is_told_as_deleted)
{
	r.conf.delete_delay_s = 30;
	connect_call();
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	close_all();
	cr_assert(eq(sz, file.count, 1));
	cr_expect(eq(str, (char *)word(file.line[0], "reason"), "deleted"));
}

Test(record, leg_that_falls_silent_is_told_to_the_webhook)
{
	connect_call();
	for (int i = 0; i < 70; i++) {
		hear(port_a, 1);
		rig_sleep(&r, 1);
	}
	hear(port_b, 1);
	rig_sleep(&r, 2);
	close_all();
	cr_assert(eq(sz, hook.count, 3));
	cr_expect(eq(str, (char *)word(hook.line[0], "event"), "leg_silent"));
	cr_expect(eq(str, (char *)word(hook.line[0], "tag"), "b"));
	cr_expect(eq(long, number(hook.line[0], "limit_s"), 60));
	cr_expect(eq(str, (char *)word(hook.line[1], "event"), "leg_heard"));
	cr_expect(eq(str, (char *)word(hook.line[2], "reason"), "shutdown"));
	cr_expect(eq(sz, file.count, 1));
}

Test(record, odd_bytes_in_names_stay_json)
{
	struct sp_request request = rig_request(SP_VERB_OFFER, "\"\x07\xff",
		NULL, "b\\r", rig_sdp("192.0.2.5", 4000, ""));

	request.call_id = rig_text("{\"\xc3\xbc\"}\n");
	cr_assert(eq(int, rig_ask(&r, &request), 200));
	close_all();
	cr_assert(eq(sz, file.count, 1));
	cr_expect(eq(str, (char *)word(file.line[0], "call_id"),
		"{\"\xc3\xbc\"}\n"));
	cr_expect(eq(
		str, (char *)word(party(file.line[0], 0), "tag"), "\"\x07?"));
}
