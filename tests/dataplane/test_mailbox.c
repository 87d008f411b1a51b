/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/mailbox.h"
#include "tests/dataplane/bed_dpdk.h"

#define SIGNALS_BYTES 8 /* of a set, as the kernel has it */

/* In the library's place: fails with that, if it is not 0. */
static int refusal;

int
epoll_pwait2(int fd, struct epoll_event *at, int most,
	const struct timespec *limit, const sigset_t *mask)
{
	if (refusal != 0) {
		errno = refusal;
		return -1;
	}
	return (int)syscall(
		SYS_epoll_pwait2, fd, at, most, limit, mask, SIGNALS_BYTES);
}

static void
box_open(struct sp_mailbox *box)
{
	bed_start_dpdk(NULL);
	cr_assert(eq(
		int, sp_mailbox_open(box, 0, eventfd(0, EFD_NONBLOCK)), SP_OK));
}

static void
box_close(struct sp_mailbox *box)
{
	const int bell = box->control_bell;

	sp_mailbox_close(box);
	sp_mailbox_close(box); /* once more does no harm */
	close(bell);
}

static bool
rung(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

Test(mailbox, carries_commands_in_order)
{
	struct sp_mailbox box;
	struct sp_command cmd[8];

	box_open(&box);
	for (uint32_t i = 0; i < 10; i++) {
		const struct sp_command c = {
			.kind = SP_COMMAND_READ, .ticket = 100 + i, .flow = i
		};

		cr_assert(eq(int, sp_mailbox_send(&box, &c), SP_OK));
	}
	cr_assert(eq(uint, sp_mailbox_take(&box, cmd, 8), 8));
	for (uint32_t i = 0; i < 8; i++)
		cr_expect(eq(u64, cmd[i].ticket, 100 + i));
	cr_assert(eq(uint, sp_mailbox_take(&box, cmd, 8), 2));
	cr_expect(eq(u64, cmd[1].ticket, 109));
	cr_assert(eq(uint, sp_mailbox_take(&box, cmd, 8), 0));
	box_close(&box);
}

Test(mailbox, full_one_says_so)
{
	struct sp_mailbox box;
	const struct sp_command c = { .kind = SP_COMMAND_READ };
	unsigned int sent = 0;

	box_open(&box);
	cr_expect(eq(uint, sp_mailbox_room(&box), SP_MAILBOX_ORDERS - 1));
	while (sent <= SP_MAILBOX_ORDERS && sp_mailbox_send(&box, &c) == SP_OK)
		sent++;
	cr_expect(eq(uint, sent, SP_MAILBOX_ORDERS - 1));
	cr_expect(eq(uint, sp_mailbox_room(&box), 0));
	box_close(&box);
}

Test(mailbox, worker_takes_no_more_than_it_can_answer)
{
	struct sp_mailbox box;
	struct sp_command cmd[8];
	struct sp_done done = { .ticket = 0 };
	const struct sp_command c = { .kind = SP_COMMAND_READ };
	unsigned int answered = 0;

	box_open(&box);
	/* Control does not look at its answers for a while. */
	for (unsigned int i = 0; i < 2 * SP_MAILBOX_ORDERS; i++) {
		if (sp_mailbox_room(&box) > 0)
			cr_assert(eq(int, sp_mailbox_send(&box, &c), SP_OK));
		for (unsigned int n = sp_mailbox_take(&box, cmd, 8); n > 0;
			n--) {
			done.ticket = ++answered;
			sp_mailbox_answer(&box, &done);
		}
	}
	cr_expect(eq(uint, answered, SP_MAILBOX_ORDERS - 1));
	/* Each answer is there, and room for one makes room for a command. */
	cr_assert(eq(
		int, rte_ring_dequeue_elem(box.done, &done, sizeof done), 0));
	cr_expect(eq(u64, done.ticket, 1));
	cr_expect(eq(uint, sp_mailbox_take(&box, cmd, 8), 1));
	box_close(&box);
}

Test(mailbox, news_that_do_not_fit_are_refused)
{
	struct sp_mailbox box;
	const struct sp_report_news news = { .flow = 1 };
	unsigned int told = 0;

	box_open(&box);
	while (told <= SP_MAILBOX_NEWS && sp_mailbox_tell(&box, &news))
		told++;
	cr_expect(eq(uint, told, SP_MAILBOX_NEWS - 1));
	box_close(&box);
}

Test(mailbox, bells_ring_for_sleepers)
{
	struct sp_mailbox box;
	eventfd_t count;

	box_open(&box);
	sp_mailbox_ring(&box);
	cr_expect(not(rung(box.worker_bell))); /* nobody sleeps: no call */
	box.asleep = 1;
	sp_mailbox_ring(&box);
	cr_expect(rung(box.worker_bell));
	cr_expect(not(rung(box.control_bell)));
	sp_mailbox_wake_control(&box);
	cr_expect(rung(box.control_bell));
	/* Once until control looks, and then again. */
	cr_assert(eq(int, eventfd_read(box.control_bell, &count), 0));
	sp_mailbox_wake_control(&box);
	cr_expect(not(rung(box.control_bell)));
	sp_mailbox_heard(&box);
	sp_mailbox_wake_control(&box);
	cr_expect(rung(box.control_bell));
	box_close(&box);
}

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

Test(mailbox, sleep_ends_by_itself)
{
	struct sp_mailbox box;
	int64_t start;

	box_open(&box);
	start = now_us();
	sp_mailbox_sleep(&box, 20000);
	cr_expect(ge(i64, now_us() - start, 20000));
	cr_expect(eq(u32, box.asleep, 0));
	box_close(&box);
}

/* Old kernels have no epoll_pwait2, and some containers forbid it. */
struct refusal_case {
	int with;
};

ParameterizedTestParameters(mailbox, sleeps_without_epoll_pwait2)
{
	static struct refusal_case cases[] = { { ENOSYS }, { EPERM } };

	return cr_make_param_array(
		struct refusal_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct refusal_case *c, mailbox, sleeps_without_epoll_pwait2)
{
	struct sp_mailbox box;
	int64_t start;

	box_open(&box);
	refusal = c->with;
	start = now_us();
	sp_mailbox_sleep(&box, 20000);
	cr_expect(ge(i64, now_us() - start, 20000));

	/* Who rings while it falls asleep wakes it, once. */
	cr_assert(eq(int, eventfd_write(box.worker_bell, 1), 0));
	start = now_us();
	sp_mailbox_sleep(&box, 60000000);
	cr_expect(lt(i64, now_us() - start, 30000000));
	cr_expect(not(rung(box.worker_bell)));
	cr_expect(eq(u32, box.asleep, 0));
	box_close(&box);
}

Test(mailbox, a_socket_ends_the_sleep)
{
	struct sp_mailbox box;
	const int fd = eventfd(1, EFD_NONBLOCK);
	int64_t start;

	box_open(&box);
	cr_assert(sp_mailbox_hear(&box, fd));
	start = now_us();
	sp_mailbox_sleep(&box, 60000000);
	cr_expect(lt(i64, now_us() - start, 30000000));
	cr_expect(eq(u32, box.asleep, 0));
	close(fd);
	box_close(&box);
}

Test(mailbox, a_broken_socket_does_not_keep_it_awake)
{
	struct sp_mailbox box;
	int64_t start;
	int ends[2];

	box_open(&box);
	cr_expect(not(sp_mailbox_hear(&box, -1)));
	cr_assert(eq(int, pipe(ends), 0));
	cr_assert(sp_mailbox_hear(&box, ends[0]));
	close(ends[1]); /* now the other end has an error for ever */
	start = now_us();
	sp_mailbox_sleep(&box, 60000000);
	cr_expect(ge(i64, now_us() - start, 1000));
	cr_expect(lt(i64, now_us() - start, 30000000));
	close(ends[0]);
	box_close(&box);
}

Test(mailbox, nobody_sleeps_over_a_command)
{
	struct sp_mailbox box;
	const struct sp_command c = { .kind = SP_COMMAND_READ };
	int64_t start;

	box_open(&box);
	cr_assert(eq(int, sp_mailbox_send(&box, &c), SP_OK));
	start = now_us();
	sp_mailbox_sleep(&box, 60000000);
	cr_expect(lt(i64, now_us() - start, 30000000));
	box_close(&box);
}

/* Sends a command whenever the one before was taken. */
static void *
control(void *arg)
{
	struct sp_mailbox *box = arg;
	struct sp_command c = { .kind = SP_COMMAND_READ };

	for (c.ticket = 1; c.ticket <= 2000; c.ticket++) {
		struct sp_done done;

		if (sp_mailbox_send(box, &c) != SP_OK)
			return NULL;
		sp_mailbox_ring(box);
		while (rte_ring_dequeue_elem(box->done, &done, sizeof done))
			sched_yield();
		if (done.ticket != c.ticket)
			return NULL;
	}
	return box;
}

/* If one ring of the bell were lost, it would sleep for a minute. */
Test(mailbox, bell_is_never_missed, .timeout = 30)
{
	struct sp_mailbox box;
	pthread_t thread;
	void *result;
	unsigned int answered = 0;

	box_open(&box);
	cr_assert(eq(int, pthread_create(&thread, NULL, control, &box), 0));
	while (answered < 2000) {
		struct sp_command cmd[8];
		const unsigned int n = sp_mailbox_take(&box, cmd, 8);

		for (unsigned int i = 0; i < n; i++) {
			const struct sp_done done = { .ticket = cmd[i].ticket };

			sp_mailbox_answer(&box, &done);
		}
		answered += n;
		if (n == 0)
			sp_mailbox_sleep(&box, 60000000);
	}
	pthread_join(thread, &result);
	cr_expect(eq(ptr, result, &box));
	box_close(&box);
}
