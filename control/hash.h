/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_HASH_H
#define SP_CONTROL_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A secret that makes hashes unpredictable to whoever chooses the input. */
struct sp_hash_key {
	uint64_t word[2];
};

/*
 * Hash @len bytes with SipHash-2-4.
 *
 * Core: any.
 * Spec: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 */
uint64_t sp_hash(const struct sp_hash_key *key, const void *data, size_t len);

#endif
