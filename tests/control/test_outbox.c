/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/log.h"
#include "control/outbox.h"

/* A sink that does what a test tells it to. */
struct sink {
	pthread_mutex_t lock;
	enum sp_outbox_result result;
	unsigned int fail_times; /* so often "again" before @result */
	unsigned int deliveries;
	unsigned int heard;   /* that ended well */
	unsigned int next;    /* number that has to come now */
	unsigned int unequal; /* numbers that came out of order */
	unsigned int closed;
	bool blocks; /* until the outbox hurries */
};

static struct sink sink = { .lock = PTHREAD_MUTEX_INITIALIZER };
static struct sp_outbox *outbox;

static enum sp_outbox_result
deliver(void *arg, struct sp_outbox *box, const char *bytes, size_t len,
	int *trouble)
{
	struct sink *to = arg;
	enum sp_outbox_result result;
	bool blocks;

	pthread_mutex_lock(&to->lock);
	to->deliveries++;
	result = to->result;
	blocks = to->blocks;
	if (to->fail_times > 0) {
		to->fail_times--;
		result = SP_OUTBOX_AGAIN;
	}
	if (result == SP_OUTBOX_DONE && !blocks) {
		to->heard++;
		to->unequal += strtoul(bytes, NULL, 10) != to->next;
		to->unequal += bytes[len - 1] != '\n';
		to->next++;
	}
	pthread_mutex_unlock(&to->lock);
	while (blocks && !sp_outbox_hurries(box))
		sp_outbox_wait(box, -1, 10);
	*trouble = result == SP_OUTBOX_DONE ? 0 : 28;
	return blocks ? SP_OUTBOX_AGAIN : result;
}

static void
explain(void *arg, int trouble, char why[SP_OUTBOX_WHY])
{
	(void)arg;
	snprintf(why, SP_OUTBOX_WHY, "trouble %d", trouble);
}

static void
close_sink(void *arg)
{
	((struct sink *)arg)->closed++;
}

static void
open_outbox(size_t most_bytes, uint32_t patience_ms)
{
	const struct sp_outbox_sink to = {
		.name = "test",
		.arg = &sink,
		.deliver = deliver,
		.explain = explain,
		.close = close_sink,
		.most_bytes = most_bytes,
		.again_ms = 1,
		.again_most_ms = 4,
		.patience_ms = patience_ms,
	};

	cr_assert(eq(int, sp_outbox_open(&to, &outbox), SP_OK));
}

static void
put(unsigned int number)
{
	char text[16];
	const int len = snprintf(text, sizeof text, "%u\n", number);

	sp_outbox_put(outbox, text, (size_t)len);
}

/* Wait, for as long as it takes, until nothing waits any more. */
static struct sp_outbox_counts
drained(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct sp_outbox_counts counts;

	for (;;) {
		sp_outbox_read(outbox, &counts);
		if (counts.waiting == 0)
			return counts;
		nanosleep(&ms, NULL);
	}
}

Test(outbox, all_arrive_once_and_in_order)
{
	struct sp_outbox_counts counts;

	open_outbox(1 << 20, 0);
	for (unsigned int i = 0; i < 5000; i++) {
		put(i);
		if (i % 1000 == 0)
			drained(); /* so that it falls asleep in between */
	}
	counts = drained();
	cr_expect(eq(u64, counts.sent, 5000));
	cr_expect(eq(u64, counts.lost, 0));
	sp_outbox_close(outbox, 1000);
	cr_expect(eq(u32, sink.heard, 5000));
	cr_expect(eq(u32, sink.unequal, 0));
	cr_expect(eq(u32, sink.closed, 1));
}

Test(outbox, what_fails_is_tried_again_before_the_next_one)
{
	struct sp_outbox_counts counts;

	sink.fail_times = 5;
	open_outbox(1 << 20, 0);
	put(0);
	put(1);
	counts = drained();
	cr_expect(eq(u64, counts.again, 5));
	cr_expect(eq(u64, counts.sent, 2));
	sp_outbox_close(outbox, 0);
	cr_expect(eq(u32, sink.unequal, 0));
	cr_expect(eq(u32, sink.deliveries, 7));
}

Test(outbox, refused_and_old_ones_are_lost)
{
	struct sp_outbox_counts counts;

	sink.result = SP_OUTBOX_NEVER;
	open_outbox(1 << 20, 20);
	put(0);
	counts = drained();
	cr_expect(eq(u64, counts.lost, 1));
	cr_expect(eq(u64, counts.again, 0));
	pthread_mutex_lock(&sink.lock);
	sink.result = SP_OUTBOX_AGAIN;
	pthread_mutex_unlock(&sink.lock);
	put(1);
	counts = drained();
	cr_expect(eq(u64, counts.lost, 2));
	cr_expect(eq(u64, counts.sent, 0));
	sp_outbox_close(outbox, 0);
}

Test(outbox, full_queue_loses_the_new_and_says_how_many)
{
	char log[400] = "";
	FILE *to = tmpfile();
	struct sp_outbox_counts counts;

	sp_log_to(fileno(to));
	sink.blocks = true;
	open_outbox(1000, 0);
	for (unsigned int i = 0; i < 100; i++)
		put(i);
	sp_outbox_put(outbox, NULL, 0);
	sp_outbox_read(outbox, &counts);
	cr_expect(gt(u64, counts.waiting, 1));
	cr_expect(le(u64, counts.waiting_bytes, 1000));
	cr_expect(eq(u64, counts.lost + counts.waiting, 101));
	cr_expect(eq(u64, counts.sent, 0));
	sp_outbox_tick(outbox);
	rewind(to);
	cr_assert(gt(sz, fread(log, 1, sizeof log - 1, to), 0));
	cr_expect(not(eq(ptr, strstr(log, " are lost"), NULL)), "%s", log);
	sp_outbox_close(outbox, 0);
	fclose(to);
}

Test(outbox, close_delivers_what_waits)
{
	open_outbox(1 << 20, 0);
	for (unsigned int i = 0; i < 1000; i++)
		put(i);
	sp_outbox_close(outbox, 60000);
	cr_expect(eq(u32, sink.heard, 1000));
}

/* Its patience ends the wait of a sink, and nothing else does. */
Test(outbox, close_does_not_wait_for_ever)
{
	sink.blocks = true;
	open_outbox(1 << 20, 0);
	put(0);
	put(1);
	sp_outbox_close(outbox, 30);
	cr_expect(eq(u32, sink.deliveries, 1));
	cr_expect(eq(u32, sink.closed, 1));
}
