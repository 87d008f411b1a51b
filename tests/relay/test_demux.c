/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/demux.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* RFC 7983 figure 3 once more, in the way it is printed there. */
static enum sp_demux
by_the_book(unsigned int first, unsigned int second)
{
	if (first <= 3)
		return SP_DEMUX_STUN;
	if (first >= 16 && first <= 19)
		return SP_DEMUX_ZRTP;
	if (first >= 20 && first <= 63)
		return SP_DEMUX_DTLS;
	if (first >= 64 && first <= 79)
		return SP_DEMUX_TURN;
	if (first >= 128 && first <= 191)
		return second >= 192 && second <= 223 ? SP_DEMUX_RTCP
						      : SP_DEMUX_RTP;
	return SP_DEMUX_UNKNOWN;
}

Test(demux, agrees_with_the_rfc_on_every_first_and_second_byte)
{
	for (unsigned int first = 0; first < 256; first++)
		for (unsigned int second = 0; second < 256; second++) {
			const uint8_t data[2] = { (uint8_t)first,
				(uint8_t)second };

			cr_assert(eq(int, sp_demux(data, sizeof data),
					  by_the_book(first, second)),
				"%u %u", first, second);
		}
}

Test(demux, less_than_two_bytes_are_nothing)
{
	const uint8_t data[1] = { 0x80 };

	cr_expect(eq(int, sp_demux(data, 1), SP_DEMUX_UNKNOWN));
	cr_expect(eq(int, sp_demux(data, 0), SP_DEMUX_UNKNOWN));
}
