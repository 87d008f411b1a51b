/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_DIALOGUE_H
#define SP_CONTROL_DIALOGUE_H

#include "control/exchange.h"

/*
 * Who talks to whom: from tags, branch ids and realms of a request to the
 * parties of a call (RFC 3261, 12; forks, with and without branch ids).
 * Core: control.
 */

/*
 * Find who offers to whom and set @x->from, @x->to and @x->pair; adds who is
 * new. False: @x->problem says why that is not certain.
 */
bool sp_dialogue_offer(struct sp_exchange *x);

/* The same for an answer: @x->from answers; from_tag is the offerer's. */
bool sp_dialogue_answer(struct sp_exchange *x);

#endif
