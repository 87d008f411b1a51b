/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/status.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

Test(status, every_status_has_a_text_of_its_own)
{
	for (int a = 0; a < SP_STATUS_COUNT; a++) {
		const char *text = sp_status_text((enum sp_status)a);

		cr_expect(gt(sz, strlen(text), 0), "status %d", a);
		for (int b = 0; b < a; b++)
			cr_expect(
				strcmp(text,
					sp_status_text((enum sp_status)b)) != 0,
				"%d and %d", a, b);
	}
}

Test(status, a_number_out_of_range_has_a_text_too)
{
	cr_expect(eq(str, (char *)sp_status_text(SP_STATUS_COUNT),
		"unknown status"));
	cr_expect(eq(str, (char *)sp_status_text((enum sp_status) - 1),
		"unknown status"));
}
