/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_JSON_MEMORY_H
#define SP_CONTROL_JSON_MEMORY_H

#include <stddef.h>

/*
 * The memory of Jansson's values. A request and its reply are trees of some
 * hundred small blocks that live for less than a millisecond: they are kept
 * by size for the next tree, because malloc() is slow to find such blocks
 * among those that live longer. Each is overwritten when it is given back: SDP
 * has keys in it. Core: control, no other thread uses Jansson.
 */

/* Make Jansson use what follows, before its first value. */
void sp_json_memory_use(void);

/* Return @size bytes from malloc(), which free() takes, too; or NULL. */
void *sp_json_memory_take(size_t size);

/* Keep @memory for the next one who takes as much, or free it. Takes NULL. */
void sp_json_memory_give(void *memory);

/* Free what is kept. */
void sp_json_memory_close(void);

#endif
