/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_CALL_H
#define SP_CONTROL_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/hash.h"
#include "control/party.h"
#include "control/timers.h"

/*
 * Calls, found by their call-id in a table that whoever chooses the ids can't
 * unbalance, and listed in an order that survives coming and going.
 * Core: control.
 */

struct sp_job;
struct sp_waiting;

struct sp_call {
	struct sp_call *next; /* of its bucket */
	uint64_t hash;
	struct sp_timer timer;
	struct sp_cast cast;
	struct sp_job *job;         /* what the workers are at, or NULL */
	struct sp_waiting *waiting; /* requests that come after @job */
	uint64_t created_ms;
	uint64_t answered_ms; /* 0: not yet */
	uint64_t active_ms;   /* when signalling last changed anything */
	uint64_t ends_ms;     /* deleted: media goes on so long; 0: as ever */
	uint8_t worker;
	uint8_t n_waiting;
	uint16_t id_len;
	char id[];
};

struct sp_calls {
	struct sp_call **bucket;
	size_t count;
	unsigned int bits; /* of the number of buckets */
	struct sp_hash_key key;
};

/* Make an empty table. Fails: SP_NO_MEMORY. */
enum sp_status sp_calls_open(
	struct sp_calls *calls, const struct sp_hash_key *key) SP_MUST_CHECK;

/* Release the table; calls that are in it are the caller's. */
void sp_calls_close(struct sp_calls *calls);

/* Make a call that is in no table yet; NULL without memory. */
struct sp_call *sp_call_new(struct sp_text id);

/* Free @call and its cast; it is in no table. Takes NULL. */
void sp_call_free(struct sp_call *call);

struct sp_text sp_call_id(const struct sp_call *call);

/* Put @call, whose id must be new, into the table. */
void sp_calls_add(struct sp_calls *calls, struct sp_call *call);

/* Take @call out of the table. */
void sp_calls_del(struct sp_calls *calls, struct sp_call *call);

/* Return the call with @id, borrowed, or NULL. */
struct sp_call *sp_calls_find(const struct sp_calls *calls, struct sp_text id);

/*
 * Return the first call after @id, which need not exist; NULL at the end. An
 * empty @id starts. The order is that of the hashes.
 */
struct sp_call *sp_calls_after(const struct sp_calls *calls, struct sp_text id);

/* Return the call after @call, NULL at the end. */
struct sp_call *sp_calls_next(
	const struct sp_calls *calls, const struct sp_call *call);

#endif
