/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* A descriptor and who cares. */
struct watch {
	int fd;
	sp_loop_fn fn;
	void *arg;
	bool timer; /* ours to read and close */
};

struct sp_loop {
	int epoll;
	int signals;
	unsigned int count;
	bool ended;
	struct watch watch[SP_LOOP_WATCHES];
};

static enum sp_status
epoll_add(struct sp_loop *loop, int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0
		? SP_OK
		: SP_SYSTEM;
}

static enum sp_status
signals_open(struct sp_loop *loop)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return SP_SYSTEM;
	loop->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->signals < 0)
		return SP_SYSTEM;
	return epoll_add(loop, loop->signals, NULL);
}

enum sp_status
sp_loop_open(struct sp_loop **out)
{
	struct sp_loop *loop = calloc(1, sizeof *loop);
	enum sp_status status = SP_OK;

	if (!loop)
		return SP_NO_MEMORY;
	loop->signals = -1;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		status = SP_SYSTEM;
	if (status == SP_OK)
		status = signals_open(loop);

	if (status != SP_OK) {
		sp_loop_close(loop);
		return status;
	}
	*out = loop;
	return SP_OK;
}

void
sp_loop_close(struct sp_loop *loop)
{
	if (!loop)
		return;
	for (unsigned int i = 0; i < loop->count; i++)
		if (loop->watch[i].timer)
			close(loop->watch[i].fd);
	if (loop->signals >= 0)
		close(loop->signals);
	if (loop->epoll >= 0)
		close(loop->epoll);
	free(loop);
}

static enum sp_status
watch_add(struct sp_loop *loop, const struct watch *watch)
{
	enum sp_status status;

	if (loop->count == SP_LOOP_WATCHES)
		return SP_FULL;
	loop->watch[loop->count] = *watch;
	status = epoll_add(loop, watch->fd, &loop->watch[loop->count]);
	if (status == SP_OK)
		loop->count++;
	return status;
}

enum sp_status
sp_loop_watch(struct sp_loop *loop, int fd, sp_loop_fn fn, void *arg)
{
	const struct watch watch = { .fd = fd, .fn = fn, .arg = arg };

	return watch_add(loop, &watch);
}

enum sp_status
sp_loop_every(
	struct sp_loop *loop, unsigned int period_ms, sp_loop_fn fn, void *arg)
{
	const struct timespec period = {
		.tv_sec = period_ms / 1000u,
		.tv_nsec = (long)(period_ms % 1000u) * 1000000l,
	};
	const struct itimerspec spec = { period, period };
	struct watch watch = { .fn = fn, .arg = arg, .timer = true };
	enum sp_status status = SP_SYSTEM;

	watch.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (watch.fd < 0)
		return SP_SYSTEM;
	if (timerfd_settime(watch.fd, 0, &spec, NULL) == 0)
		status = watch_add(loop, &watch);
	if (status != SP_OK)
		close(watch.fd);
	return status;
}

static void
call(struct watch *w)
{
	uint64_t ticks;

	/* Late is late: missed ticks are not made up for. */
	if (w->timer && read(w->fd, &ticks, sizeof ticks) < 0)
		return;
	w->fn(w->arg);
}

static int
read_signal(struct sp_loop *loop)
{
	struct signalfd_siginfo info;

	if (read(loop->signals, &info, sizeof info) != sizeof info)
		return 0;
	return (int)info.ssi_signo;
}

int
sp_loop_run(struct sp_loop *loop)
{
	struct epoll_event events[SP_LOOP_WATCHES + 1];

	loop->ended = false;
	while (!loop->ended) {
		int signal_no = 0;
		const int n = epoll_wait(
			loop->epoll, events, SP_LOOP_WATCHES + 1, -1);

		if (n < 0 && errno != EINTR)
			return -1;
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				call(events[i].data.ptr);
			else
				signal_no = read_signal(loop);
		}
		if (signal_no > 0)
			return signal_no;
	}
	return 0;
}

void
sp_loop_end(struct sp_loop *loop)
{
	loop->ended = true;
}
