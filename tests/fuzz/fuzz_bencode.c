/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/bencode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	json_t *tree = NULL;
	json_t *again = NULL;
	char *out;
	size_t out_len = 0;

	if (sp_bencode_parse((const char *)data, len, &tree) != SP_OK) {
		if (tree)
			abort();
		return 0;
	}
	out = malloc(len);
	if (!out)
		abort();
	/* What was read has no longer way to be written. */
	if (sp_bencode_write(tree, out, len, &out_len) != SP_OK ||
		out_len == 0 || out_len > len)
		abort();
	if (sp_bencode_parse(out, out_len, &again) != SP_OK ||
		!json_equal(tree, again))
		abort();
	json_decref(again);
	again = NULL;
	/* One byte less is never enough. */
	if (sp_bencode_parse(out, out_len - 1, &again) == SP_OK)
		abort();
	if (sp_bencode_write(tree, out, out_len - 1, &len) != SP_NO_SPACE)
		abort();
	json_decref(tree);
	free(out);
	return 0;
}
