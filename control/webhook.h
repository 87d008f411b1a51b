/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_WEBHOOK_H
#define SP_CONTROL_WEBHOOK_H

#include "control/outbox.h"

/*
 * Start posting messages to @url as application/json ("": nothing, and *@out
 * is NULL). Any 2xx reply is success; redirects are not followed. What the
 * server refuses for good (4xx, but for 408 and 429) is lost, the rest is
 * tried again until it is SP_WEBHOOK_PATIENCE_MS old.
 *
 * Core:  as sp_outbox_open().
 * Owns:  sp_outbox_close(*@out).
 * Fails: as sp_outbox_open().
 */
enum sp_status sp_webhook_open(
	const char *url, struct sp_outbox **out) SP_MUST_CHECK;

#define SP_WEBHOOK_PATIENCE_MS 300000u

#endif
