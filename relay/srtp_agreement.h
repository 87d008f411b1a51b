/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SRTP_AGREEMENT_H
#define SP_RELAY_SRTP_AGREEMENT_H

#include "relay/srtp_direction.h"

/*
 * The part of a direction that comes from its keys: boxes, and where they are.
 * A box is in the room behind its direction, or in that of an item that serves
 * as nothing else. Engines that want no memory have neither.
 *
 * Core: worker, on an order.
 */

/* Do suite, flags, keys and MKI go together? */
bool sp_srtp_agreement_sensible(const struct sp_srtp_conf *conf);

/* Take an item with room for a box of @kind; NULL if there is none left. */
struct sp_srtp *sp_srtp_agreement_take(struct sp_srtp_engine *e, uint8_t kind);

/* Wipe one agreement and give its memory back; not its past. Takes NULL. */
void sp_srtp_agreement_drop(struct sp_srtp_engine *e, struct sp_srtp *s);

/*
 * Open the boxes of @conf in items of their own, fill in what is known of it.
 * Streams stay as they are.
 *
 * Fails: as sp_srtp_open; @s has no boxes then.
 */
enum sp_status sp_srtp_agreement_open(struct sp_srtp_engine *e,
	struct sp_srtp *s, const struct sp_srtp_conf *conf) SP_MUST_CHECK;
void sp_srtp_agreement_close(struct sp_srtp_engine *e, struct sp_srtp *s);

/* Move the first box into the room behind @s, if it fits. */
void sp_srtp_agreement_move_in(struct sp_srtp_engine *e, struct sp_srtp *s);

/* Move it out, if it is there. False: there is no memory; nothing changed. */
bool sp_srtp_agreement_move_out(struct sp_srtp_engine *e, struct sp_srtp *s);

/* Is @s under @conf already? */
bool sp_srtp_agreement_is(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct sp_srtp_conf *conf);

/* Has @s one of the keys of @conf, however it is used? */
bool sp_srtp_agreement_shares(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct sp_srtp_conf *conf);

#endif
