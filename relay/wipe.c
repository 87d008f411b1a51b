/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/wipe.h"

#include <string.h>

__attribute__((noinline)) void
sp_wipe_stack(size_t depth)
{
	explicit_bzero(__builtin_alloca(depth), depth);
}
