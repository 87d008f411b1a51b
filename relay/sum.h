/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SUM_H
#define SP_RELAY_SUM_H

#include <stddef.h>
#include <stdint.h>

/*
 * The Internet checksum. Sums run over 16-bit words as they lie in memory:
 * ones' complement does not mind the byte order as long as everybody keeps to
 * one (RFC 1071 section 2 B), and so nothing is swapped. Hence _be.
 *
 * Core: any.
 */

/* Read two bytes as they lie. */
static inline uint16_t
sp_sum_word(const uint8_t *at)
{
	uint16_t word;

	__builtin_memcpy(&word, at, sizeof word);
	return word;
}

/* Read four bytes as they lie: two words to be summed. */
static inline uint32_t
sp_sum_pair(const uint8_t *at)
{
	uint32_t pair;

	__builtin_memcpy(&pair, at, sizeof pair);
	return pair;
}

/* Return @host as it lies in a packet. */
static inline uint16_t
sp_sum_swap(uint16_t host)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap16(host);
#else
	return host;
#endif
}

/*
 * Fold a sum of words into 16 bits, carries added back: a number and itself
 * with its halves swapped have the folded sum as the upper half of theirs.
 */
static inline uint16_t
sp_sum_fold(uint32_t sum_be)
{
	return (uint16_t)((sum_be + (sum_be << 16 | sum_be >> 16)) >> 16);
}

/* Fold a sum of word pairs into 16 bits, so that more can be added to it. */
static inline uint16_t
sp_sum_narrow(uint64_t sum_be)
{
	return sp_sum_fold(
		(uint32_t)((sum_be + (sum_be << 32 | sum_be >> 32)) >> 32));
}

/* Sum @len bytes, at most 64 KiB; an odd last byte is followed by a zero. */
static inline uint16_t
sp_sum_bytes(const uint8_t *data, size_t len)
{
	uint64_t sum = 0;

	for (; len >= 4; data += 4, len -= 4)
		sum += sp_sum_pair(data);
	if (len & 2) {
		sum += sp_sum_word(data);
		data += 2;
	}
	if (len & 1)
		sum += sp_sum_word((const uint8_t[]){ *data, 0 });
	return sp_sum_narrow(sum);
}

/* Return the checksum that goes with a sum, 0 written as 0xffff. */
static inline uint16_t
sp_sum_close(uint32_t sum_be)
{
	const uint16_t check = (uint16_t)~sp_sum_fold(sum_be);

	return check ? check : 0xffff;
}

/*
 * Move a UDP checksum from one set of addresses and ports to another. A
 * payload damaged before stays as detectable as it was.
 *
 * Spec: RFC 1624 section 3, equation 3.
 */
static inline uint16_t
sp_sum_move(
	uint16_t old_check_be, uint16_t old_pseudo_be, uint16_t new_pseudo_be)
{
	return sp_sum_close((uint32_t)(uint16_t)~old_check_be +
		(uint16_t)~old_pseudo_be + new_pseudo_be);
}

#endif
