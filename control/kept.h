/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_KEPT_H
#define SP_CONTROL_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/sdes.h"

/*
 * A line of a=crypto as calls keep it: in as many bytes as it has. It has its
 * keys in it, and is wiped when it is freed. Core: control.
 */
struct sp_kept {
	uint32_t tag;    /* as in struct sp_sdes, and so on */
	uint8_t suite;   /* enum sp_srtp_suite */
	uint8_t flags;   /* enum sp_srtp_flag */
	uint8_t mki_len; /* of each key */
	uint8_t n_keys;  /* 0: none, or none any more */
	bool lifetime;
	bool other_name;
	uint8_t keys[]; /* key, salt and MKI of each */
};

/* Keep @line; NULL without memory. */
struct sp_kept *sp_kept_new(const struct sp_sdes *line);

/* Copy a line; NULL without memory. */
struct sp_kept *sp_kept_clone(const struct sp_kept *from);

/* Wipe and free. Takes NULL. */
void sp_kept_free(struct sp_kept *kept);

/* Write the line as it was into @out; the caller wipes that. */
void sp_kept_read(const struct sp_kept *kept, struct sp_sdes *out);

/* Wipe the keys; the line stays, without any. */
void sp_kept_take(struct sp_kept *kept);

/* Have both keys, and the same ones, under the same suite and parameters? */
bool sp_kept_same(const struct sp_kept *a, const struct sp_kept *b);

/* The same, of a line that is not kept. */
bool sp_kept_has(const struct sp_kept *kept, const struct sp_srtp_conf *srtp);

#endif
