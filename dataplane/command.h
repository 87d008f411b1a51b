/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_COMMAND_H
#define SP_DATAPLANE_COMMAND_H

#include <assert.h>
#include <stdint.h>

#include "dataplane/l2.h"
#include "relay/order.h"

enum sp_command_kind {
	SP_COMMAND_PROGRAM, /* start or change a flow */
	SP_COMMAND_STOP,    /* forget it */
	SP_COMMAND_READ,    /* report on it */
	SP_COMMAND_HOPS,    /* its next hops changed */
	SP_COMMAND_L2,      /* a next hop itself changed */
	SP_COMMAND_KEYS,    /* hold keys under this id, or wipe them */
};

#define SP_COMMAND_NO_KEYS UINT32_MAX /* instead of a slot: wipe them */

/*
 * Control to worker, copied through a ring. Values only, so that a worker
 * never follows a pointer into control's heap; @report alone moves, and comes
 * back in the sp_done with the same ticket. Keys are no values for a ring:
 * they lie in the mailbox's vault.
 */
struct sp_command {
	uint16_t kind;   /* enum sp_command_kind */
	uint16_t hop[3]; /* signalled, SIP source, learnt; L2: which one */
	uint32_t flow;
	uint32_t silent; /* 1: nobody waits for a sp_done */
	uint64_t ticket;
	struct sp_flow_report *report; /* STOP, READ; may be NULL */
	union {
		struct sp_flow_conf conf; /* PROGRAM */
		struct sp_addr learnt;    /* HOPS */
		struct sp_l2 l2;          /* L2 */
		uint32_t slot;            /* KEYS: of the vault */
	};
};

/* Worker to control: from now on the worker uses nothing of @ticket. */
struct sp_done {
	uint64_t ticket;
	uint32_t flow;
	uint16_t status; /* enum sp_status */
	uint16_t kind;   /* enum sp_command_kind */
};

/* Worker to control: something a person or a route should know of. */
struct sp_report_news {
	struct sp_addr remote;
	uint32_t flow;
	uint32_t at_ms;
	uint8_t kind;  /* enum sp_dataplane_news */
	uint8_t class; /* enum sp_latch_class */
	uint16_t zero;
};

static_assert(sizeof(struct sp_command) % 4 == 0, "rte_ring copies words");
static_assert(sizeof(struct sp_command) <= 160, "a command is small");
static_assert(sizeof(struct sp_done) == 16, "rte_ring copies words");
static_assert(sizeof(struct sp_report_news) == 32, "rte_ring copies words");

#endif
