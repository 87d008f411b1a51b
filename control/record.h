/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_RECORD_H
#define SP_CONTROL_RECORD_H

#include "control/line.h"
#include "control/metrics.h"
#include "control/outbox.h"
#include "control/party.h"
#include "relay/order.h"

/*
 * What is told about calls while nobody asks: a line of JSON when one ends
 * (sallyport.yaml(5) lists its fields), a branch leaves it or a leg falls
 * silent. Ends go to the records and the webhook, the rest to the webhook.
 * Core: control.
 */

struct sp_service;
struct sp_call;

/* Where a service tells; part of it. */
struct sp_records {
	struct sp_outbox *file;    /* or NULL; borrowed */
	struct sp_outbox *webhook; /* or NULL; borrowed */
	struct sp_line line;
};

/*
 * Start writing records to @path ("-": standard output, "": nothing, and
 * *@out is NULL). A file is opened anew when another one took its place.
 *
 * Core:  as sp_outbox_open().
 * Owns:  sp_outbox_close(*@out).
 * Fails: as sp_outbox_open(). A file that can't be written is tried again.
 */
enum sp_status sp_record_open(
	const char *path, struct sp_outbox **out) SP_MUST_CHECK;

/*
 * Tell that @call has ended. @report is as for sp_reply_call(); NULL when the
 * workers told nothing.
 */
void sp_record_end(struct sp_service *s, const struct sp_call *call,
	enum sp_end end, const struct sp_flow_report *report);

/* Tell that the parties of @gone have left @call, which goes on. */
void sp_record_leave(struct sp_service *s, const struct sp_call *call,
	const struct sp_cast *gone, enum sp_end end,
	const struct sp_flow_report *report);

/* Tell that m= line @m of party @p fell silent, or is heard again. */
void sp_record_leg(struct sp_service *s, const struct sp_call *call, uint8_t p,
	unsigned int m, bool silent);

#endif
