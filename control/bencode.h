/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_BENCODE_H
#define SP_CONTROL_BENCODE_H

#include <jansson.h>
#include <stddef.h>

#include "relay/status.h"

/*
 * Bencode to Jansson's trees and back. Its strings are bytes: a tree may hold
 * text that is not UTF-8, and NUL, which only keys may not have. Core: control.
 */

#define SP_BENCODE_DEPTH 32u    /* lists and dictionaries in each other */
#define SP_BENCODE_VALUES 8192u /* of all kinds */

/*
 * Read the value at the start of @data. What follows it is not looked at, as
 * rtpengine does. Keys may come in any order; of equal ones the last counts.
 *
 * Owns:  the caller releases *@out, which copies what it needs.
 * Fails: SP_SHORT, SP_MALFORMED, also for an integer beyond 64 bits,
 *        SP_TOO_LONG beyond the limits above, SP_NO_MEMORY; *@out is then
 *        untouched.
 * Spec:  BEP 3, "bencoding"; sorted keys are not demanded.
 */
enum sp_status sp_bencode_parse(
	const char *data, size_t len, json_t **out) SP_MUST_CHECK;

/*
 * Write @tree into @out, keys in their order. What bencode does not have is
 * written as near as can be: booleans as 1 and 0, reals as text, null as "".
 *
 * Fails: SP_NO_SPACE beyond @room, SP_TOO_LONG beyond the depth above; *@len
 *        is then untouched.
 */
enum sp_status sp_bencode_write(
	const json_t *tree, char *out, size_t room, size_t *len) SP_MUST_CHECK;

#endif
