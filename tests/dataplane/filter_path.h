/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_DATAPLANE_FILTER_PATH_H
#define SP_TESTS_DATAPLANE_FILTER_PATH_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Return where the build put the XDP filter: named by SP_XDP_PROGRAM, or in
 * the folder that the data plane has beside the one of this program. */
static inline const char *
filter_path(void)
{
	static char path[4096];
	const char *told = getenv("SP_XDP_PROGRAM");
	ssize_t n;

	if (told)
		return told;
	n = readlink("/proc/self/exe", path, sizeof path - 64);
	cr_assert(n > 0);
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	strcat(path, "/../../dataplane/xdp_filter.bpf.o");
	return path;
}

#endif
