/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "control/loop.h"

#define KICKS 3u

/* A descriptor that is served so many times, and what happened. */
struct probe {
	struct sp_loop *loop;
	int fd;
	unsigned int served;
	unsigned int ticks;
	unsigned int end_after; /* ticks */
};

static void
on_kick(void *arg)
{
	struct probe *p = arg;
	eventfd_t value;

	eventfd_read(p->fd, &value);
	if (++p->served == KICKS)
		sp_loop_end(p->loop);
	else
		eventfd_write(p->fd, 1);
}

static void
on_tick(void *arg)
{
	struct probe *p = arg;

	if (++p->ticks == p->end_after)
		sp_loop_end(p->loop);
}

static void
on_tick_raise(void *arg)
{
	(void)arg;
	kill(getpid(), SIGTERM);
}

Test(loop, serves_a_descriptor_until_told_to_end)
{
	struct probe p = { .fd = eventfd(1, EFD_NONBLOCK) };

	cr_assert(eq(int, sp_loop_open(&p.loop), SP_OK));
	cr_assert(eq(int, sp_loop_watch(p.loop, p.fd, on_kick, &p), SP_OK));
	cr_expect(eq(int, sp_loop_run(p.loop), 0));
	cr_expect(eq(uint, p.served, KICKS));
	sp_loop_close(p.loop);
	close(p.fd);
}

Test(loop, timers_tick_and_the_loop_can_run_again)
{
	struct probe p = { .end_after = 2 };

	cr_assert(eq(int, sp_loop_open(&p.loop), SP_OK));
	cr_assert(eq(int, sp_loop_every(p.loop, 5, on_tick, &p), SP_OK));
	cr_expect(eq(int, sp_loop_run(p.loop), 0));
	p.end_after = 4;
	cr_expect(eq(int, sp_loop_run(p.loop), 0));
	cr_expect(eq(uint, p.ticks, 4));
	sp_loop_close(p.loop);
}

Test(loop, a_signal_ends_a_run)
{
	struct sp_loop *loop = NULL;

	cr_assert(eq(int, sp_loop_open(&loop), SP_OK));
	cr_assert(eq(int, sp_loop_every(loop, 5, on_tick_raise, NULL), SP_OK));
	cr_expect(eq(int, sp_loop_run(loop), SIGTERM));
	cr_expect(eq(int, sp_loop_run(loop), SIGTERM));
	sp_loop_close(loop);
}

static void *
sleep_well(void *arg)
{
	sleep(1);
	return arg;
}

Test(loop, threads_started_later_get_no_signal)
{
	struct sp_loop *loop = NULL;
	pthread_t thread;

	cr_assert(eq(int, sp_loop_open(&loop), SP_OK));
	cr_assert(eq(int, pthread_create(&thread, NULL, sleep_well, NULL), 0));
	cr_expect(eq(int, pthread_kill(thread, SIGINT), 0));
	cr_expect(eq(int, pthread_join(thread, NULL), 0));
	sp_loop_close(loop);
}

Test(loop, more_watches_than_there_is_room_are_refused)
{
	struct sp_loop *loop = NULL;
	struct probe p = { 0 };
	unsigned int added = 0;

	cr_assert(eq(int, sp_loop_open(&loop), SP_OK));
	while (added <= SP_LOOP_WATCHES &&
		sp_loop_every(loop, 1000, on_tick, &p) == SP_OK)
		added++;
	cr_expect(eq(uint, added, SP_LOOP_WATCHES));
	cr_expect(eq(int, sp_loop_watch(loop, -1, on_tick, &p), SP_FULL));
	sp_loop_close(loop);
	sp_loop_close(NULL);
}

Test(loop, a_bad_descriptor_is_refused)
{
	struct sp_loop *loop = NULL;

	cr_assert(eq(int, sp_loop_open(&loop), SP_OK));
	cr_expect(eq(int, sp_loop_watch(loop, -1, on_tick, NULL), SP_SYSTEM));
	sp_loop_close(loop);
}
