/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_CONTROL_SCARCE_JSON_H
#define SP_TESTS_CONTROL_SCARCE_JSON_H

#include <stdlib.h>

/* For json_set_alloc_funcs(): so many allocations work, then none does. */

static unsigned int allocations_left;
static unsigned int allocations_open; /* not freed */

static void *
scarce_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	allocations_open++;
	return malloc(size);
}

static void
scarce_free(void *p)
{
	if (p)
		allocations_open--;
	free(p);
}

#endif
