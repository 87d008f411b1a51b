/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/json_memory.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MANY 5000
#define LINK sizeof(void *) /* what the list of kept blocks writes */

TestSuite(json_memory, .fini = sp_json_memory_close);

Test(json_memory, blocks_of_all_sizes_are_aligned_and_apart)
{
	unsigned char *block[600];

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 600; i++) {
			block[i] = sp_json_memory_take(i);
			cr_assert(ne(ptr, block[i], NULL));
			cr_expect(eq(sz, (uintptr_t)block[i] % 16, 0));
			memset(block[i], (int)i, i);
		}
		for (size_t i = 0; i < 600; i++) {
			for (size_t at = 0; at < i; at++)
				cr_assert(block[i][at] == (unsigned char)i,
					"%zu", i);
			sp_json_memory_give(block[i]);
		}
	}
}

Test(json_memory, block_that_was_given_is_the_next_of_its_size)
{
	void *one = sp_json_memory_take(33);
	void *two;

	sp_json_memory_give(one);
	two = sp_json_memory_take(48);
	cr_expect(eq(ptr, two, one));
	sp_json_memory_give(two);
	two = sp_json_memory_take(32);
	cr_expect(ne(ptr, two, one));
	sp_json_memory_give(two);
	sp_json_memory_give(NULL);
}

Test(json_memory, more_than_can_be_kept_goes_back)
{
	static void *block[MANY];

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < MANY; i++)
			block[i] = sp_json_memory_take(40);
		for (size_t i = 0; i < MANY; i++)
			sp_json_memory_give(block[i]);
	}
}

/* Of sizes that are kept and come back, and a size from malloc() alike. */
Test(json_memory, block_that_is_given_back_is_overwritten)
{
	static const size_t sizes[] = { 16, 40, 100, 256 };

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		unsigned char *block = sp_json_memory_take(sizes[i]);
		unsigned char *again;

		memset(block, 0xa5, sizes[i]);
		sp_json_memory_give(block);
		again = sp_json_memory_take(sizes[i]);
		cr_assert(eq(ptr, again, block));
		for (size_t at = LINK; at < sizes[i]; at++)
			cr_assert(eq(int, again[at], 0), "%zu of %zu", at,
				sizes[i]);
		sp_json_memory_give(again);
	}
}

Test(json_memory, jansson_lives_in_it)
{
	char *text;

	sp_json_memory_use();
	for (int i = 0; i < 3; i++) {
		json_t *tree = json_pack("{s:[i,s,{s:b}], s:s}", "list", i,
			"text", "on", 1, "more", "of it");

		text = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS);
		cr_expect(ne(ptr, strstr(text, "\"more\":\"of it\""), NULL));
		free(text);
		json_decref(tree);
	}
}
