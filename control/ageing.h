/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_AGEING_H
#define SP_CONTROL_AGEING_H

#include "control/service.h"

/*
 * When calls end by themselves: never answered, or no media any more. RTCP
 * alone keeps no call alive. Core: control.
 */

/* Look after @call, whose state has changed, from now on. */
void sp_ageing_watch(struct sp_service *s, struct sp_call *call);

/* The timer of a call went off. @arg is the service. */
void sp_ageing_due(void *arg, struct sp_timer *timer);

/* Was media expected from party @p's m= line and has long not come? */
bool sp_ageing_silent(const struct sp_service *s, const struct sp_call *call,
	uint8_t p, unsigned int m);

#endif
