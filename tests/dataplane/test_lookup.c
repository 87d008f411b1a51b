/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/dataplane/bed_relay.h"

Test(lookup, finds_a_flow_by_local_and_port)
{
	struct bed *bed = bed_open();

	bed_call(bed, BED_IP4, BED_TAGGED4);
	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++) {
		const struct sp_addr from =
			bed_phone((enum bed_local)bed->conf[id].local, id);

		bed_arrive_rtp(bed, &from, id, 1, 1);
	}
	sp_stage_classify(&bed->burst, &bed->locals);
	sp_stage_lookup(&bed->burst, &bed->table);
	for (unsigned int i = 0; i < bed->burst.count; i++) {
		cr_expect(eq(int, bed->burst.verdict[i], SP_VERDICT_FORWARD));
		cr_expect(eq(u32, bed->burst.flow[i]->index, BED_A + i));
	}
	bed_close(bed);
}

Test(lookup, misses_a_port_without_a_call)
{
	struct bed *bed = bed_open();
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);

	bed_call(bed, BED_IP4, BED_IP4);
	bed->conf[BED_A].port = 30100;
	bed_arrive_rtp(bed, &from, BED_A, 1, 1);
	bed->conf[BED_A].port = 39999;
	bed_arrive_rtp(bed, &from, BED_A, 1, 1);
	bed_relay(bed);
	cr_expect(eq(uint, bed->count[SP_VERDICT_NO_FLOW], 2));
	bed_close(bed);
}

Test(lookup, keeps_twins_of_one_address_apart)
{
	struct bed *bed = bed_open();
	const struct sp_addr from = bed_phone(BED_TWIN, BED_A);

	bed_call(bed, BED_TAGGED4, BED_IP4);
	cr_expect(eq(uint, bed_talk(bed, &from, BED_A, 1, 1, 1),
		SP_VERDICT_FORWARD));
	/* The same address and port, but on the other NIC: no call there. */
	bed->conf[BED_A].local = BED_TWIN;
	cr_expect(eq(uint, bed_talk(bed, &from, BED_A, 1, 2, 1),
		SP_VERDICT_NO_FLOW));
	bed_close(bed);
}

Test(lookup, leaves_packets_that_were_turned_away_alone)
{
	struct bed *bed = bed_open();
	const struct sp_addr from = bed_phone(BED_IP4, BED_A);

	bed_call(bed, BED_IP4, BED_IP4);
	bed_arrive_rtp(bed, &from, BED_A, 1, 1);
	sp_stage_classify(&bed->burst, &bed->locals);
	bed->burst.verdict[0] = SP_VERDICT_BAD_SUM;
	sp_stage_lookup(&bed->burst, &bed->table);
	cr_expect(eq(int, bed->burst.verdict[0], SP_VERDICT_BAD_SUM));
	cr_expect(eq(u32, bed->burst.flow[0]->index, 0));
	bed_close(bed);
}
