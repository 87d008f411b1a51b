/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_PROGRAM_H
#define SP_CONTROL_PROGRAM_H

#include "control/service.h"

/*
 * From the cast of a call to orders for its worker. The cast says which flows
 * there have to be and what they do; the orders are the difference to what
 * the worker was told last. Core: control.
 */

/* In this order they are sent. */
enum sp_order_kind {
	SP_ORDER_KEYS, /* of a leg; the flows that name them come after */
	SP_ORDER_PROGRAM,
	SP_ORDER_STOP,
	SP_ORDER_READ,
	SP_ORDER_WIPE, /* keys that no flow names any more */
};

struct sp_order {
	union {
		struct sp_flow_conf conf; /* of PROGRAM */
		struct sp_flow_keys keys; /* of KEYS */
	};
	uint32_t flow; /* or the id of the keys */
	uint8_t kind;  /* enum sp_order_kind */
	uint8_t party; /* whose flow it is, by index */
	uint8_t m;     /* of which m= line */
	uint8_t part;  /* enum sp_part */
	bool fresh;    /* the worker did not have it before this order */
};

struct sp_orders {
	struct sp_order *order;
	size_t count;
};

/*
 * Work out what to tell @call's worker so that it does what @cast says, and
 * note in @cast that it was told. Takes the flow ids that are needed.
 *
 * Owns:  the caller frees both lists by sp_orders_free().
 * Fails: SP_FULL without flow ids, SP_NO_MEMORY. Ids are then given back;
 *        @cast is fit only to be freed.
 */
enum sp_status sp_program_plan(struct sp_service *s, struct sp_call *call,
	struct sp_cast *cast, struct sp_orders *tell,
	struct sp_orders *stop) SP_MUST_CHECK;

/*
 * Make orders of @kind (STOP or READ) for every flow of @cast; behind stops,
 * WIPE for every leg's keys.
 *
 * Owns:  the caller frees @out by sp_orders_free().
 * Fails: SP_NO_MEMORY.
 */
enum sp_status sp_program_all(const struct sp_cast *cast,
	enum sp_order_kind kind, struct sp_orders *out) SP_MUST_CHECK;

/* Free the orders, and wipe what keys there are in them. */
void sp_orders_free(struct sp_orders *orders);

/* Work out @order anew: what its flow or leg, which @cast has, does there. */
void sp_program_again(const struct sp_service *s, const struct sp_cast *cast,
	struct sp_order *order);

/* Give back the id of the flow or of the keys that @order is about. */
void sp_program_give(struct sp_service *s, unsigned int worker,
	const struct sp_order *order);

/* Return the slot of @flow in @cast, or NULL; says whose leg it is. */
struct sp_slot *sp_program_slot(const struct sp_cast *cast, uint32_t flow,
	uint8_t *party, unsigned int *m);

#endif
