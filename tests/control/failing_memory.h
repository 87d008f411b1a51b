/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_CONTROL_FAILING_MEMORY_H
#define SP_TESTS_CONTROL_FAILING_MEMORY_H

#include <stdbool.h>
#include <stdlib.h>

/*
 * Allocations of the program under test that can be made to fail and are
 * counted. The linker sends them here (--wrap, see meson.build).
 */

static unsigned int fail_in; /* allocations until one fails; 0: none does */
static long blocks;          /* allocated and not freed */
/* Looks at a block that is about to be freed, or moved; or NULL. */
static void (*look)(const void *block);

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *p);

static inline bool
fails(void)
{
	return fail_in > 0 && --fail_in == 0;
}

void *
__wrap_malloc(size_t size)
{
	void *p = fails() ? NULL : __real_malloc(size);

	blocks += p != NULL;
	return p;
}

void *
__wrap_calloc(size_t count, size_t size)
{
	void *p = fails() ? NULL : __real_calloc(count, size);

	blocks += p != NULL;
	return p;
}

void *
__wrap_realloc(void *old, size_t size)
{
	void *p;

	if (old && look)
		look(old);
	p = fails() ? NULL : __real_realloc(old, size);

	blocks += p && !old;
	return p;
}

void
__wrap_free(void *p)
{
	blocks -= p != NULL;
	if (p && look)
		look(p);
	__real_free(p);
}

#endif
