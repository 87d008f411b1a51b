/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/outbox.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "control/log.h"

#define JOIN_MS 500u /* beyond the patience, for a thread that hangs */
/*
 * To wake a thread that sleeps on an idle core costs the waker 100 us in a
 * virtual machine, more than all of a call. So when messages come often it
 * looks for them by itself.
 */
#define NAP_MS 10u
#define NAPS 20u /* without a message before it sleeps */

struct message {
	_Atomic(struct message *) next;
	uint64_t born_ms;
	size_t len;
	char bytes[];
};

/*
 * A list with one writer at its tail and one reader at its head, where the
 * message before the first one stays until its successor is done. So neither
 * waits for the other.
 */
struct sp_outbox {
	struct sp_outbox_sink sink;
	pthread_t thread;
	bool started;
	int wake; /* eventfd */

	/* Of the control thread. */
	struct message *tail;
	uint64_t put;
	uint64_t put_bytes;
	uint64_t refused; /* no room or memory */
	uint64_t told_lost;
	int told_trouble;

	/* Of the outbox's own thread. */
	struct message *head;

	/* Of both. */
	_Atomic uint64_t sent;
	_Atomic uint64_t given_up;
	_Atomic uint64_t again;
	_Atomic uint64_t gone_bytes;
	_Atomic uint64_t deadline_ms; /* 0: not closing */
	_Atomic int trouble;          /* 0: none */
	_Atomic bool asleep;
};

static uint64_t
monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

bool
sp_outbox_hurries(const struct sp_outbox *outbox)
{
	const uint64_t deadline_ms = atomic_load(&outbox->deadline_ms);

	return deadline_ms > 0 && monotonic_ms() >= deadline_ms;
}

/* Forget that somebody has called. */
static void
hush(const struct sp_outbox *outbox)
{
	uint64_t times;

	if (read(outbox->wake, &times, sizeof times) < 0)
		return; /* nobody had */
}

bool
sp_outbox_wait(struct sp_outbox *outbox, int fd, uint32_t ms)
{
	struct pollfd polled[] = {
		{ .fd = fd, .events = POLLOUT },
		{ .fd = outbox->wake, .events = POLLIN },
	};
	uint64_t deadline_ms = atomic_load(&outbox->deadline_ms);
	uint64_t now_ms;

	if (deadline_ms == 0) {
		if (poll(polled, 2, (int)ms) <= 0 || !polled[1].revents)
			return polled[0].revents != 0;
		hush(outbox);
		deadline_ms = atomic_load(&outbox->deadline_ms);
	}
	/* Called to close, after which only time matters, or late and idly. */
	now_ms = monotonic_ms();
	if (deadline_ms > 0 && now_ms + ms > deadline_ms)
		ms = now_ms < deadline_ms ? (uint32_t)(deadline_ms - now_ms)
					  : 0;
	return poll(polled, 1, (int)ms) > 0;
}

/* Sleep until something is put or the outbox closes. */
static void
sleep_now(struct sp_outbox *outbox)
{
	struct pollfd polled = { .fd = outbox->wake, .events = POLLIN };

	atomic_store(&outbox->asleep, true);
	if (!atomic_load(&outbox->head->next) &&
		atomic_load(&outbox->deadline_ms) == 0)
		poll(&polled, 1, -1);
	atomic_store(&outbox->asleep, false);
	hush(outbox);
}

/* The first message is done with, one way or the other. */
static void
drop_first(struct sp_outbox *outbox)
{
	struct message *first = atomic_load(&outbox->head->next);

	atomic_fetch_add(&outbox->gone_bytes, sizeof *first + first->len);
	free(outbox->head);
	outbox->head = first;
}

/* Deliver @message until it is delivered or given up; false: time is over. */
static bool
deliver(struct sp_outbox *outbox, const struct message *message)
{
	const struct sp_outbox_sink *sink = &outbox->sink;
	uint32_t pause_ms = sink->again_ms;

	for (;;) {
		int trouble = 0;
		const enum sp_outbox_result result = sink->deliver(sink->arg,
			outbox, message->bytes, message->len, &trouble);
		const bool old = sink->patience_ms > 0 &&
			monotonic_ms() - message->born_ms > sink->patience_ms;

		atomic_store(&outbox->trouble, trouble);
		if (result == SP_OUTBOX_DONE) {
			atomic_fetch_add(&outbox->sent, 1);
			return true;
		}
		if (result == SP_OUTBOX_NEVER || old) {
			atomic_fetch_add(&outbox->given_up, 1);
			return true;
		}
		if (sp_outbox_hurries(outbox))
			return false;
		atomic_fetch_add(&outbox->again, 1);
		sp_outbox_wait(outbox, -1, pause_ms);
		pause_ms = pause_ms * 2 < sink->again_most_ms
			? pause_ms * 2
			: sink->again_most_ms;
	}
}

static void *
run(void *arg)
{
	struct sp_outbox *outbox = arg;
	unsigned int naps = NAPS;

	while (!sp_outbox_hurries(outbox)) {
		struct message *first = atomic_load(&outbox->head->next);

		if (first) {
			if (!deliver(outbox, first))
				break;
			drop_first(outbox);
			naps = 0;
		} else if (atomic_load(&outbox->deadline_ms) > 0) {
			break;
		} else if (naps++ < NAPS) {
			sp_outbox_wait(outbox, -1, NAP_MS);
		} else {
			sleep_now(outbox);
		}
	}
	return NULL;
}

/* Signals are the loop's, whichever thread the kernel would choose. */
static enum sp_status
start(struct sp_outbox *outbox)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&outbox->thread, NULL, run, outbox);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return SP_SYSTEM;
	outbox->started = true;
	pthread_setname_np(outbox->thread, outbox->sink.name);
	return SP_OK;
}

enum sp_status
sp_outbox_open(const struct sp_outbox_sink *sink, struct sp_outbox **out)
{
	struct sp_outbox *outbox = calloc(1, sizeof *outbox);
	enum sp_status status = SP_NO_MEMORY;

	if (!outbox) {
		sink->close(sink->arg);
		return SP_NO_MEMORY;
	}
	outbox->sink = *sink;
	outbox->head = outbox->tail = calloc(1, sizeof *outbox->head);
	outbox->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (outbox->head)
		status = outbox->wake >= 0 ? start(outbox) : SP_SYSTEM;
	if (status != SP_OK) {
		sp_outbox_close(outbox, 0);
		return status;
	}
	*out = outbox;
	return SP_OK;
}

static void
wake(struct sp_outbox *outbox)
{
	const uint64_t once = 1;

	/* It can only fail by overflow, and then it is readable, too. */
	if (write(outbox->wake, &once, sizeof once) < 0)
		return;
}

/* False: it hangs in a system call that nothing ends. */
static bool
join(struct sp_outbox *outbox, uint32_t patience_ms)
{
	const uint64_t more_ms = (uint64_t)patience_ms + JOIN_MS;
	struct timespec until;

	if (!outbox->started)
		return true;
	/* 0 means that nobody closes. */
	atomic_store(&outbox->deadline_ms, monotonic_ms() + patience_ms + 1);
	wake(outbox);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)(more_ms / 1000u);
	until.tv_nsec += (long)(more_ms % 1000u) * 1000000l;
	if (until.tv_nsec >= 1000000000l) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000l;
	}
	return pthread_timedjoin_np(outbox->thread, NULL, &until) == 0;
}

void
sp_outbox_close(struct sp_outbox *outbox, uint32_t patience_ms)
{
	bool ended;

	if (!outbox)
		return;
	ended = join(outbox, patience_ms);
	sp_outbox_tick(outbox);
	if (outbox->started) {
		struct sp_outbox_counts counts;

		sp_outbox_read(outbox, &counts);
		if (counts.waiting > 0)
			sp_log_say(SP_LOG_ERROR, outbox->sink.name,
				"%llu could not be delivered before the end",
				(unsigned long long)counts.waiting);
	}
	if (!ended)
		return; /* the thread has it all until the process ends */
	while (outbox->head) {
		struct message *gone = outbox->head;

		outbox->head = atomic_load(&gone->next);
		free(gone);
	}
	outbox->sink.close(outbox->sink.arg);
	if (outbox->wake >= 0)
		close(outbox->wake);
	free(outbox);
}

void
sp_outbox_put(struct sp_outbox *outbox, const char *bytes, size_t len)
{
	const uint64_t size = sizeof(struct message) + len;
	const uint64_t waiting =
		outbox->put_bytes - atomic_load(&outbox->gone_bytes);
	struct message *message = NULL;

	if (bytes && waiting + size <= outbox->sink.most_bytes)
		message = malloc(size);
	if (!message) {
		outbox->refused++;
		return;
	}
	atomic_init(&message->next, NULL);
	message->born_ms = monotonic_ms();
	message->len = len;
	memcpy(message->bytes, bytes, len);
	outbox->put++;
	outbox->put_bytes += size;
	atomic_store(&outbox->tail->next, message);
	outbox->tail = message;
	if (atomic_exchange(&outbox->asleep, false))
		wake(outbox);
}

void
sp_outbox_read(const struct sp_outbox *outbox, struct sp_outbox_counts *out)
{
	const uint64_t given_up = atomic_load(&outbox->given_up);

	out->sent = atomic_load(&outbox->sent);
	out->lost = given_up + outbox->refused;
	out->again = atomic_load(&outbox->again);
	out->waiting = outbox->put - out->sent - given_up;
	out->waiting_bytes =
		outbox->put_bytes - atomic_load(&outbox->gone_bytes);
}

void
sp_outbox_tick(struct sp_outbox *outbox)
{
	int trouble;
	struct sp_outbox_counts counts;
	char why[SP_OUTBOX_WHY];

	if (!outbox)
		return;
	trouble = atomic_load(&outbox->trouble);
	sp_outbox_read(outbox, &counts);
	if (trouble != outbox->told_trouble) {
		outbox->told_trouble = trouble;
		if (trouble) {
			outbox->sink.explain(outbox->sink.arg, trouble, why);
			sp_log_say(SP_LOG_WARNING, outbox->sink.name,
				"%s; %llu wait", why,
				(unsigned long long)counts.waiting);
		} else {
			sp_log_say(SP_LOG_INFO, outbox->sink.name,
				"delivered again");
		}
	}
	if (counts.lost > outbox->told_lost) {
		sp_log_say(SP_LOG_ERROR, outbox->sink.name, "%llu are lost",
			(unsigned long long)(counts.lost - outbox->told_lost));
		outbox->told_lost = counts.lost;
	}
}
