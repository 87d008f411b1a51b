/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_READY_H
#define SP_CONTROL_READY_H

#include "control/config.h"

/*
 * Log what was opened and how: realms and their NICs, the SRTP engine, the
 * doors; and warn of what is insecure or slow. Core: control, once.
 */
void sp_ready_say(const struct sp_config *conf, const struct sp_dataplane *dp,
	const char *version);

#endif
