/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_TOLD_H
#define SP_CONTROL_TOLD_H

#include "control/exchange.h"

/*
 * What the other party is told: the SDP with our addresses, and what is to
 * stay as that party was told before. Core: control.
 */

/*
 * Write the SDP for @x->to and return the reply to be: {"sdp": ...,
 * "warnings": [...]}; NULL without memory.
 */
json_t *sp_told_write(struct sp_exchange *x);

#endif
