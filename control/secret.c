/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/secret.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void
sp_secret_free(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}
