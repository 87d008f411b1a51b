/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/mailbox.h"

#include <errno.h>
#include <poll.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define PUNT_RING 256u
#define AFTER_ERROR_NS 1000000L
#define WOKEN_BY 8 /* what is told of a wake-up; the rest is told next time */
#define ONE_TO_ONE (RING_F_SP_ENQ | RING_F_SC_DEQ)
/* As many as the ring holds, and those that the worker is obeying. */
#define VAULT (SP_MAILBOX_ORDERS + 64u)

static struct rte_ring *
make(const char *what, unsigned int index, unsigned int element,
	unsigned int count)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof name, "%s%u", what, index);
	return rte_ring_create_elem(
		name, element, count, SOCKET_ID_ANY, ONE_TO_ONE);
}

enum sp_status
sp_mailbox_open(struct sp_mailbox *box, unsigned int index, int control_bell)
{
	memset(box, 0, sizeof *box);
	box->control_bell = control_bell;
	box->worker_bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	box->orders = make(
		"orders", index, sizeof(struct sp_command), SP_MAILBOX_ORDERS);
	box->done =
		make("done", index, sizeof(struct sp_done), SP_MAILBOX_ORDERS);
	box->news = make(
		"news", index, sizeof(struct sp_report_news), SP_MAILBOX_NEWS);
	box->punt = make("punt", index, sizeof(void *), PUNT_RING);
	box->transmit = make("transmit", index, sizeof(void *), PUNT_RING);
	box->wakers = epoll_create1(EPOLL_CLOEXEC);
	if (box->worker_bell < 0 || !sp_mailbox_hear(box, box->worker_bell) ||
		!box->orders || !box->done || !box->news || !box->punt ||
		!box->transmit || sp_vault_open(&box->vault, VAULT) != SP_OK) {
		sp_mailbox_close(box);
		return SP_NO_MEMORY;
	}
	return SP_OK;
}

static void
close_packets(struct rte_ring *ring)
{
	struct rte_mbuf *m;

	while (ring && rte_ring_dequeue(ring, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

void
sp_mailbox_close(struct sp_mailbox *box)
{
	close_packets(box->punt);
	close_packets(box->transmit);
	rte_ring_free(box->orders);
	rte_ring_free(box->done);
	rte_ring_free(box->news);
	sp_vault_close(&box->vault);
	/* Zeroed is never opened: descriptor 0 is somebody else's. */
	if (box->worker_bell > 0)
		close(box->worker_bell);
	if (box->wakers > 0)
		close(box->wakers);
	memset(box, 0, sizeof *box);
}

/* DPDK's rings do not promise to leave the element alone, but they do. */
static bool
put(struct rte_ring *ring, const void *element, unsigned int size)
{
	return rte_ring_enqueue_elem(ring, (void *)(uintptr_t)element, size) ==
		0;
}

unsigned int
sp_mailbox_room(const struct sp_mailbox *box)
{
	return rte_ring_free_count(box->orders);
}

enum sp_status
sp_mailbox_send(struct sp_mailbox *box, const struct sp_command *cmd)
{
	return put(box->orders, cmd, sizeof *cmd) ? SP_OK : SP_FULL;
}

enum sp_status
sp_mailbox_send_keys(struct sp_mailbox *box, struct sp_command *cmd,
	const struct sp_flow_keys *keys)
{
	enum sp_status status = SP_OK;

	cmd->slot = SP_COMMAND_NO_KEYS;
	if (keys)
		status = sp_vault_put(&box->vault, keys, &cmd->slot);
	if (status == SP_OK)
		status = sp_mailbox_send(box, cmd);
	if (status != SP_OK && cmd->slot != SP_COMMAND_NO_KEYS)
		sp_vault_undo(&box->vault, cmd->slot);
	return status;
}

static void
ring_bell(int fd)
{
	const uint64_t one = 1;

	/* Full means rung already; nothing else can fail here. */
	if (write(fd, &one, sizeof one) < 0)
		return;
}

void
sp_mailbox_ring(struct sp_mailbox *box)
{
	/* Pairs with the fence in sleep: one of the two sees the other. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* Rung once for each sleep: it takes a while until it is awake. */
	if (__atomic_load_n(&box->asleep, __ATOMIC_RELAXED) &&
		__atomic_exchange_n(&box->asleep, 0, __ATOMIC_RELAXED))
		ring_bell(box->worker_bell);
}

unsigned int
sp_mailbox_take(
	struct sp_mailbox *box, struct sp_command *cmd, unsigned int max)
{
	const unsigned int room = rte_ring_free_count(box->done);

	return rte_ring_dequeue_burst_elem(
		box->orders, cmd, sizeof *cmd, room < max ? room : max, NULL);
}

void
sp_mailbox_answer(struct sp_mailbox *box, const struct sp_done *done)
{
	/* take() left room for it. */
	put(box->done, done, sizeof *done);
}

bool
sp_mailbox_tell(struct sp_mailbox *box, const struct sp_report_news *news)
{
	return put(box->news, news, sizeof *news);
}

void
sp_mailbox_wake_control(struct sp_mailbox *box)
{
	/* Once until it looks. Whoever finds the mark was in time for that. */
	if (!__atomic_exchange_n(&box->called, 1, __ATOMIC_ACQ_REL))
		ring_bell(box->control_bell);
}

void
sp_mailbox_heard(struct sp_mailbox *box)
{
	__atomic_exchange_n(&box->called, 0, __ATOMIC_ACQ_REL);
}

bool
sp_mailbox_hear(struct sp_mailbox *box, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(box->wakers, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Nothing to do that came before the bell could be rung? */
static bool
is_quiet(const struct sp_mailbox *box)
{
	for (unsigned int i = 0; i < box->n_inbound; i++)
		if (!rte_ring_empty(box->inbound[i]))
			return false;
	return rte_ring_empty(box->orders) && rte_ring_empty(box->transmit);
}

/* What epoll_pwait2 does, which Linux has from 5.11 on and some containers
   forbid: a worker that could not sleep would take a whole CPU. */
static int
wait_up_to(struct sp_mailbox *box, struct epoll_event at[WOKEN_BY],
	const struct timespec *limit)
{
	struct pollfd any = { .fd = box->wakers, .events = POLLIN };
	const int n = epoll_pwait2(box->wakers, at, WOKEN_BY, limit, NULL);

	if (n >= 0 || errno == EINTR)
		return n;
	if (ppoll(&any, 1, limit, NULL) <= 0)
		return 0;
	return epoll_wait(box->wakers, at, WOKEN_BY, 0);
}

void
sp_mailbox_sleep(struct sp_mailbox *box, uint32_t us)
{
	const struct timespec limit = { .tv_sec = us / 1000000,
		.tv_nsec = us % 1000000 * 1000L };
	const struct timespec error = { .tv_nsec = AFTER_ERROR_NS };
	struct epoll_event at[WOKEN_BY];
	bool broken = false;
	uint64_t rung;
	int n = 0;

	__atomic_store_n(&box->asleep, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (is_quiet(box))
		n = wait_up_to(box, at, &limit);
	for (int i = 0; i < n; i++) {
		broken |= (at[i].events & ~(uint32_t)EPOLLIN) != 0;
		/* Somebody else's wake-up: there is none to take. */
		if (at[i].data.fd == box->worker_bell &&
			read(box->worker_bell, &rung, sizeof rung) < 0)
			rung = 0;
	}
	/* A socket with an error is readable for ever: it is not to keep us
	   awake. */
	if (broken)
		nanosleep(&error, NULL);
	__atomic_store_n(&box->asleep, 0, __ATOMIC_RELAXED);
}
