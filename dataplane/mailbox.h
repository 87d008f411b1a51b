/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_MAILBOX_H
#define SP_DATAPLANE_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/command.h"
#include "dataplane/vault.h"
#include "relay/status.h"

struct rte_ring;

#define SP_MAILBOX_ORDERS 4096u /* commands on their way to a worker */
#define SP_MAILBOX_NEWS 1024u
#define SP_MAILBOX_INBOUND 32u
#define SP_MAILBOX_WAKERS 64u /* sockets that may end a sleep */

/*
 * The rings between control and one worker; each has one producer and one
 * consumer. Neither side ever waits for the other: the worker takes no more
 * commands than it has room to answer, and the doorbells only wake sleepers.
 */
struct sp_mailbox {
	struct rte_ring *orders; /* struct sp_command, control to worker */
	struct rte_ring *done;   /* struct sp_done, worker to control */
	struct rte_ring *news;   /* struct sp_report_news, worker to control */
	struct rte_ring *punt;   /* struct rte_mbuf *, worker to control */
	struct rte_ring *transmit; /* struct rte_mbuf *, control to worker */
	struct sp_vault vault;     /* keys that orders on their way name */
	int worker_bell;  /* eventfd: wakes the worker from its sleep */
	int wakers;       /* epoll: that bell, and sockets */
	int control_bell; /* eventfd, shared by all workers; not owned */
	/* Rings of other workers that end at this one; set before launch. */
	const struct rte_ring *inbound[SP_MAILBOX_INBOUND];
	unsigned int n_inbound;
	uint32_t asleep; /* worker: I may be sleeping; relaxed */
	uint32_t called; /* control was woken and has not looked yet */
};

/* Make the rings of worker @index. Core: start-up. Fails: SP_NO_MEMORY. */
enum sp_status sp_mailbox_open(struct sp_mailbox *box, unsigned int index,
	int control_bell) SP_MUST_CHECK;

/*
 * Free them, and packets still in them; wipe keys that nobody took. Takes
 * half-open and zeroed ones.
 */
void sp_mailbox_close(struct sp_mailbox *box);

/* Core: control. How many commands fit now. */
unsigned int sp_mailbox_room(const struct sp_mailbox *box);

/* Send a command. Core: control. Fails: SP_FULL. */
enum sp_status sp_mailbox_send(
	struct sp_mailbox *box, const struct sp_command *cmd) SP_MUST_CHECK;

/*
 * Send a KEYS command with @keys, which are copied, or to wipe with NULL.
 *
 * Core:  control.
 * Fails: SP_FULL; no copy is left.
 */
enum sp_status sp_mailbox_send_keys(struct sp_mailbox *box,
	struct sp_command *cmd, const struct sp_flow_keys *keys) SP_MUST_CHECK;

/*
 * Wake the worker if it sleeps. Core: control, after sending; another worker,
 * after it put packets into one of @inbound.
 */
void sp_mailbox_ring(struct sp_mailbox *box);

/* Take up to @max commands that can be answered. Core: worker. */
unsigned int sp_mailbox_take(
	struct sp_mailbox *box, struct sp_command *cmd, unsigned int max);

/* Answer one of them. Core: worker. */
void sp_mailbox_answer(struct sp_mailbox *box, const struct sp_done *done);

/* Tell news. False if the ring is full. Core: worker. */
bool sp_mailbox_tell(struct sp_mailbox *box, const struct sp_report_news *news);

/*
 * Wake control: something was put into done, news or punt. Core: worker; and
 * control, when it has left something there for the next time.
 */
void sp_mailbox_wake_control(struct sp_mailbox *box);

/* Control is awake and about to look into done, news and punt. Core: control.
 */
void sp_mailbox_heard(struct sp_mailbox *box);

/*
 * From now on a sleep ends when socket @fd can be read, too. False: it can't
 * be waited for. Core: start-up.
 */
bool sp_mailbox_hear(struct sp_mailbox *box, int fd) SP_MUST_CHECK;

/*
 * Sleep until somebody rings, a socket can be read, or @us have passed.
 * Core: worker, when idle.
 */
void sp_mailbox_sleep(struct sp_mailbox *box, uint32_t us);

#endif
