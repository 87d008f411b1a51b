/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/cursor.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

Test(cursor, reads_in_network_order_and_moves_on)
{
	struct sp_cursor c = sp_cursor(bytes, sizeof bytes);

	cr_expect(eq(u8, sp_cursor_u8(&c), 1));
	cr_expect(eq(u16, sp_cursor_u16(&c), 0x0203));
	cr_expect(eq(u32, sp_cursor_u32(&c), 0x04050607));
	cr_expect(eq(sz, sp_cursor_left(&c), 2));
	cr_expect(not(c.failed));
}

Test(cursor, may_be_read_to_its_very_end)
{
	struct sp_cursor c = sp_cursor(bytes, 4);

	cr_expect(eq(u32, sp_cursor_u32(&c), 0x01020304));
	cr_expect(eq(sz, sp_cursor_left(&c), 0));
	cr_expect(sp_cursor_take(&c, 0) == bytes + 4);
	cr_expect(not(c.failed));
}

Test(cursor, fails_for_good_at_the_first_read_past_the_end)
{
	struct sp_cursor c = sp_cursor(bytes, 3);

	cr_expect(eq(u32, sp_cursor_u32(&c), 0));
	cr_expect(c.failed);
	cr_expect(eq(u8, sp_cursor_u8(&c), 0), "the bytes left are gone too");
	cr_expect(eq(sz, sp_cursor_left(&c), 0));
	cr_expect(c.failed);
}

Test(cursor, does_not_overflow_with_a_huge_length)
{
	struct sp_cursor c = sp_cursor(bytes, 3);

	cr_expect(sp_cursor_take(&c, SIZE_MAX) == NULL);
	cr_expect(c.failed);
}

Test(cursor, a_sub_cursor_cannot_leave_its_field)
{
	struct sp_cursor c = sp_cursor(bytes, sizeof bytes);
	struct sp_cursor field = sp_cursor_sub(&c, 3);

	cr_expect(eq(u16, sp_cursor_u16(&field), 0x0102));
	cr_expect(eq(u16, sp_cursor_u16(&field), 0));
	cr_expect(field.failed);
	cr_expect(eq(u8, sp_cursor_u8(&c), 4), "the outer one goes on");
	cr_expect(not(c.failed));
}

Test(cursor, a_sub_cursor_longer_than_the_rest_has_failed)
{
	struct sp_cursor c = sp_cursor(bytes, 2);
	struct sp_cursor field = sp_cursor_sub(&c, 3);

	cr_expect(field.failed);
	cr_expect(c.failed);
	cr_expect(eq(sz, sp_cursor_left(&field), 0));
}
