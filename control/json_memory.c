/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/json_memory.h"

#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "control/secret.h"

#define STEP 16u       /* bytes from one class to the next */
#define CLASSES 17u    /* larger blocks are malloc's own business */
#define KEPT_MAX 2048u /* blocks of a class */

/* A block that is kept. Those of class c have room for c times STEP. */
struct block {
	struct block *next;
};

static struct {
	struct block *first;
	unsigned int count;
} kept[CLASSES];

void *
sp_json_memory_take(size_t size)
{
	const size_t class = size > 0 ? (size - 1) / STEP + 1 : 1;
	struct block *block;

	if (class >= CLASSES)
		return malloc(size);
	block = kept[class].first;
	if (!block)
		return malloc(class * STEP);
	kept[class].first = block->next;
	kept[class].count--;
	return block;
}

void
sp_json_memory_give(void *memory)
{
	const size_t room = malloc_usable_size(memory);
	const size_t class = room / STEP;
	struct block *block = memory;

	if (class == 0 || class >= CLASSES || kept[class].count >= KEPT_MAX) {
		sp_secret_free(memory);
		return;
	}
	explicit_bzero(memory, room);
	block->next = kept[class].first;
	kept[class].first = block;
	kept[class].count++;
}

void
sp_json_memory_use(void)
{
#ifdef SP_DEBUG /* there, sanitizers watch each block */
	json_set_alloc_funcs(malloc, sp_secret_free);
#else
	json_set_alloc_funcs(sp_json_memory_take, sp_json_memory_give);
#endif
}

void
sp_json_memory_close(void)
{
	for (size_t c = 0; c < CLASSES; c++) {
		while (kept[c].first) {
			struct block *block = kept[c].first;

			kept[c].first = block->next;
			free(block);
		}
		kept[c].count = 0;
	}
}
