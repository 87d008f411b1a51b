/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_KEYS_H
#define SP_CONTROL_KEYS_H

#include "control/party.h"
#include "relay/negotiate_keys.h"

/*
 * The SRTP keys of legs (RFC 4568). A party sends under the key of its line
 * that counts, which is in what it said; it is sent under the key of the line
 * of ours with the same tag and suite, which is in its leg. Whatever holds
 * keys is made and freed here, and is wiped then. Core: control.
 */

/* What a leg has of ours. Exists only for legs that are or may get keyed. */
struct sp_leg_keys {
	uint64_t told;    /* hash of the order; 0: none yet */
	uint32_t id;      /* of the worker's; 0: it holds none */
	uint8_t count;    /* of @line */
	uint16_t offered; /* bits of lines: an answer may choose them */
	uint16_t used;    /* bits of lines that have been in use */
	struct sp_kept *line[];
};

#define SP_KEYS_LINES_MAX 12u /* of a leg: shown, or in use with some tag */

/* Random bytes at hand; tests replace @more. All zero: none yet. */
struct sp_key_pool {
	bool (*more)(void *buf, size_t len); /* NULL: the system's */
	size_t left;
	uint8_t bytes[256];
};

/*
 * Give lines of ours without a key a new one.
 *
 * Fails: SP_SYSTEM when there is no entropy.
 */
enum sp_status sp_keys_fill(
	struct sp_key_pool *pool, struct sp_plan_keys *plan) SP_MUST_CHECK;

/* Forget what is at hand. */
void sp_keys_drain(struct sp_key_pool *pool);

/* Make @leg's keys without a line, if it has none. Fails: SP_NO_MEMORY. */
enum sp_status sp_keys_make(struct sp_leg *leg) SP_MUST_CHECK;

/* Copy keys; NULL without memory. */
struct sp_leg_keys *sp_keys_clone(const struct sp_leg_keys *from);

/* Wipe and free. Takes NULL. */
void sp_keys_free(struct sp_leg_keys *keys);

/* Make room for what an SDP says of @count m= lines, all zero; or NULL. */
struct sp_said *sp_said_new(unsigned int count);

/* Copy what was said, keys included; NULL without memory. */
struct sp_said *sp_said_clone(const struct sp_said *from);

/* Wipe the keys and free. Takes NULL. */
void sp_said_free(struct sp_said *said);

/*
 * Replace m= line @m of @said by a copy of @media, that of its keys included.
 *
 * Fails: SP_NO_MEMORY; nothing is changed.
 */
enum sp_status sp_said_set(struct sp_said *said, unsigned int m,
	const struct sp_media *media) SP_MUST_CHECK;

/*
 * Take the keys from @party's lines that were in use and are not any more:
 * they are never shown again. Those that were offered stay if @keep says that
 * this may still be answered.
 */
void sp_keys_retire(struct sp_party *party, bool keep);

/*
 * Note that @party, which has a leg for m= line @m, is shown the lines of
 * @plan, to choose from if @offer. Others are forgotten unless they are in
 * use, or were offered and @keep says that this may still be answered.
 *
 * Fails: SP_NO_MEMORY; nothing is changed.
 */
enum sp_status sp_keys_show(struct sp_party *party, unsigned int m,
	const struct sp_plan_keys *plan, bool offer, bool keep) SP_MUST_CHECK;

/*
 * List in @out the lines that @keys (may be NULL) has offered, without their
 * keys. Returns how many.
 */
unsigned int sp_keys_offered(
	const struct sp_leg_keys *keys, struct sp_sdes out[SP_KEYS_LINES_MAX]);

/* List in @out all lines of @keys (may be NULL); the caller wipes it. Returns
   how many. */
unsigned int sp_keys_lines(
	const struct sp_leg_keys *keys, struct sp_sdes out[SP_KEYS_LINES_MAX]);

/* Note which of our lines is in use by what @said says. */
void sp_keys_use(struct sp_party *party, const struct sp_said *said);

/*
 * Forget keys of leg @leg that were in use: its line went off, or it goes on
 * in the clear.
 */
void sp_keys_leave(struct sp_leg *leg);

/*
 * A worker may have sent under @out, for m= line @m of party @p, though that
 * was undone: it counts as used; if the worker has @forgotten how far it was,
 * it is taken, never to be used or shown again. Does nothing if the party has
 * no such key.
 */
void sp_keys_undone(const struct sp_cast *cast, uint8_t p, unsigned int m,
	const struct sp_srtp_conf *out, bool forgotten);

/*
 * Is m= line @m of party @p keyed by us now, or will its answer tell? Then
 * @out (may be NULL) gets the keys, a suite of NONE where not agreed; the
 * caller wipes it.
 */
bool sp_keys_conf(const struct sp_cast *cast, uint8_t p, unsigned int m,
	struct sp_flow_keys *out);

/*
 * Return how m= line @m of @party is keyed, for people: CLEAR, SDES or
 * END_TO_END; @in and @out are enum sp_srtp_suite of what it sends and gets.
 */
enum sp_keying sp_keys_of(const struct sp_party *party, unsigned int m,
	uint8_t *in, uint8_t *out);

#endif
