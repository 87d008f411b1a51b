/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_WIPE_H
#define SP_RELAY_WIPE_H

#include <stddef.h>

/*
 * Overwrite what functions that have returned left on this thread's stack, as
 * far as @depth bytes below the caller. Whoever holds keys wipes its own
 * copies; but compilers spill values, libraries keep buffers in their frames,
 * and the dynamic linker saves the vector registers, which memcpy() went
 * through, whenever it looks up a function.
 *
 * Core: any, after work with keys; 64 KiB take half a microsecond.
 */
void sp_wipe_stack(size_t depth);

#endif
