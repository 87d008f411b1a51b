/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_KEY_TABLE_H
#define SP_DATAPLANE_KEY_TABLE_H

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "relay/order.h"
#include "relay/srtp.h"
#include "relay/status.h"

/* Both directions of a leg, as its worker's engine has them. */
struct sp_key {
	alignas(32) struct sp_srtp *in; /* NULL: not agreed */
	struct sp_srtp *out;            /* NULL: not agreed */
	struct sp_srtp *rests;          /* what @out was before that */
	bool no_auth;      /* RTP comes without a tag: it proves nothing */
	uint8_t rtp_more;  /* bytes that protecting adds to RTP */
	uint8_t rtcp_more; /* and to RTCP */
};

static_assert(sizeof(struct sp_key) == 32, "two a line, none on two lines");

/*
 * The keys of one worker's legs, by the id that their flows name. Apart from
 * the flows, so that a stream's roll-over counter outlives them. Opened and
 * closed by control; between, only the worker touches it.
 */
struct sp_key_table {
	struct sp_key *key; /* [0] is in the clear */
	struct sp_srtp_engine *engine;
	uint32_t capacity; /* ids 1..capacity */
	uint32_t held;     /* ids that have keys now */
};

/*
 * Directions an engine needs for @capacity ids of flows and keys: two a leg,
 * which has a flow at least, and two to try new keys beside the old ones.
 */
#define SP_KEY_TABLE_DIRECTIONS(capacity) ((capacity) + 2)

/*
 * Reserve a table over @engine, which it owns from then on. Pages are used as
 * ids are.
 *
 * Core:  start-up.
 * Fails: SP_NO_MEMORY; @engine is then closed.
 */
enum sp_status sp_key_table_open(struct sp_key_table *t,
	struct sp_srtp_engine *engine, uint32_t capacity) SP_MUST_CHECK;

/* Wipe all keys and free the table and its engine. Takes a zeroed one. */
void sp_key_table_close(struct sp_key_table *t);

/*
 * Hold @keys under @id, or, with NULL, wipe what is held. Keys that stay the
 * same keep their streams; a suite of NONE closes that direction. Should the
 * keys that we sent under come back after it, no index is used twice: an order
 * that is taken back and repeated may not cost that.
 *
 * Core:  worker.
 * Fails: SP_CONFLICT for an id that can't be; SP_FULL, SP_UNSUPPORTED and
 *        SP_NO_MEMORY as the engine says. Both directions are then as they
 *        were.
 */
enum sp_status sp_key_table_set(struct sp_key_table *t, uint32_t id,
	const struct sp_flow_keys *keys, uint32_t now_ms) SP_MUST_CHECK;

#endif
