/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_DATAPLANE_BED_FRAME_H
#define SP_TESTS_DATAPLANE_BED_FRAME_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/dataplane/bed_payload.h"

/* What B should get of A, byte for byte. */

/* All but the payload. */
static inline struct packet_shape
bed_expected(const struct bed *bed, enum bed_local b)
{
	const struct sp_local *l = &bed->locals.local[b];
	struct packet_shape s = {
		.from = l->addr,
		.to = bed_phone(b, BED_B),
		.tagged = l->vlan != 0,
		.tci = l->vlan,
		.dscp = 46,
		.ttl = 64,
	};

	s.from.port = bed->conf[BED_B].port;
	memcpy(s.to_mac, PACKET_PEER, 6);
	memcpy(s.from_mac, PACKET_OURS, 6);
	return s;
}

static inline void
bed_expect_frame(
	const struct packet *got, const struct packet *want, const char *name)
{
	cr_expect(eq(u16, got->len, want->len), "%s", name);
	for (uint16_t i = 0; i < want->len && i < got->len; i++)
		cr_expect(eq(u8, got->frame[i], want->frame[i]), "%s, byte %u",
			name, i);
}

static inline void
bed_expect_payload(const struct bed_payload *got,
	const struct bed_payload *want, const char *name)
{
	cr_assert(eq(u16, got->len, want->len), "%s", name);
	for (uint16_t i = 0; i < want->len; i++)
		cr_assert(eq(u8, got->bytes[i], want->bytes[i]), "%s, byte %u",
			name, i);
}

#endif
