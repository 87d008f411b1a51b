/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_CURSOR_H
#define SP_RELAY_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A reading position that cannot leave its buffer. The first read past the
 * end sets @failed for good and yields zeros, so a parser reads straight
 * through and asks once. Borrows the bytes; copy the struct to look ahead.
 *
 * Core: any.
 */
struct sp_cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

/* Return a cursor over @len bytes at @data. */
static inline struct sp_cursor
sp_cursor(const uint8_t *data, size_t len)
{
	return (struct sp_cursor){ .at = data, .end = data + len };
}

/* Return how many bytes are left. */
static inline size_t
sp_cursor_left(const struct sp_cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* Step over @n bytes; return where they start, NULL if there are fewer. */
static inline const uint8_t *
sp_cursor_take(struct sp_cursor *c, size_t n)
{
	const uint8_t *p = c->at;

	if (n > (size_t)(c->end - p)) {
		c->failed = true;
		c->at = c->end;
		return NULL;
	}
	c->at += n;
	return p;
}

/* Read one byte. */
static inline uint8_t
sp_cursor_u8(struct sp_cursor *c)
{
	const uint8_t *p = sp_cursor_take(c, 1);

	return p ? p[0] : 0;
}

/* Read two bytes, network order. */
static inline uint16_t
sp_cursor_u16(struct sp_cursor *c)
{
	const uint8_t *p = sp_cursor_take(c, 2);

	return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

/* Read four bytes, network order. */
static inline uint32_t
sp_cursor_u32(struct sp_cursor *c)
{
	const uint8_t *p = sp_cursor_take(c, 4);

	if (!p)
		return 0;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		(uint32_t)p[2] << 8 | p[3];
}

/* Return a cursor over the next @n bytes and step over them. */
static inline struct sp_cursor
sp_cursor_sub(struct sp_cursor *c, size_t n)
{
	const uint8_t *p = sp_cursor_take(c, n);

	if (!p)
		return (struct sp_cursor){
			.at = c->end, .end = c->end, .failed = true
		};
	return sp_cursor(p, n);
}

#endif
