/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet costs: CPU cycles from classify to the rewritten frame, in
 * memory, without a NIC, for more and more flows met in random order. Beside
 * it a floor: the least a relay could do (array lookup, header copied,
 * counters), so that the ratio means something on any machine.
 *
 * All sizes take turns in each pass, so that a noisy machine disturbs all of
 * them alike; the table has the quietest pass and the median one.
 *
 * Usage: path [--json] [passes]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/rig.h"
#include "bench/stats.h"

#define PASS_PACKETS 200000u
#define PASSES 40u

/* One row of the table. */
struct row {
	struct rig *rig;
	struct stats path; /* cycles a packet, by pass */
	struct stats floor;
};

/* The floor: no checks, no source, no statistics but two counters. IPv4. */
static void
copy_only(struct rig *r)
{
	struct sp_flow *flow[SP_BURST];

	for (uint16_t i = 0; i < SP_BURST; i++) {
		const uint8_t *l3 =
			rte_pktmbuf_mtod(r->burst.pkt[i], uint8_t *) + 14;
		const unsigned int local = l3[19] - 1u;
		const uint16_t port = (uint16_t)(l3[22] << 8 | l3[23]);

		flow[i] = &r->table.flow[r->locals.local[local].slot[port]];
		__builtin_prefetch(&flow[i]->latch);
		__builtin_prefetch(&flow[i]->quality);
	}
	for (uint16_t i = 0; i < SP_BURST; i++)
		__builtin_prefetch(&r->table.flow[flow[i]->out_rtp].header);
	for (uint16_t i = 0; i < SP_BURST; i++) {
		uint8_t *frame = rte_pktmbuf_mtod(r->burst.pkt[i], uint8_t *);
		const struct sp_flow *out = &r->table.flow[flow[i]->out_rtp];

		memcpy(frame + 14, out->header.bytes, SP_DATAGRAM_IP4);
		memcpy(frame, r->hops[1].header, SP_L2_PLAIN);
		flow[i]->packets++;
		flow[i]->octets += RIG_PAYLOAD;
	}
}

static bool
has_floor(const struct row *row)
{
	return row->rig->conf.family == RIG_FOUR;
}

static void
measure(struct row *row)
{
	stats_add(&row->path,
		rig_measure(row->rig, PASS_PACKETS, rig_receive, rig_relay,
			SP_VERDICT_FORWARD));
	if (has_floor(row))
		stats_add(&row->floor,
			rig_measure(row->rig, PASS_PACKETS, rig_receive,
				copy_only, SP_VERDICT_FORWARD));
}

static void
print_json(const struct row *row)
{
	printf("{\"name\": \"%s\", \"flows\": %" PRIu32
	       ", \"least\": %.1f, \"median\": %.1f",
		row->rig->conf.name, row->rig->conf.n_flows,
		stats_least(&row->path), stats_median(&row->path));
	if (has_floor(row))
		printf(", \"floor\": %.1f, \"floor_median\": %.1f",
			stats_least(&row->floor), stats_median(&row->floor));
	printf("}\n");
}

static void
print_row(const struct row *row)
{
	const struct rig *r = row->rig;

	printf("%-9s %7" PRIu32 " %9.1f %7.1f", r->conf.name, r->conf.n_flows,
		stats_least(&row->path), stats_median(&row->path));
	if (has_floor(row))
		printf(" %9.1f %7.1f", stats_least(&row->floor),
			stats_median(&row->floor));
	if (r->interrupted > 0)
		printf("   %" PRIu32 " bursts interrupted", r->interrupted);
	printf("\n");
}

int
main(int argc, char **argv)
{
	static const struct rig_conf confs[] = {
		{ .name = "IPv4", .family = RIG_FOUR, .n_flows = 20 },
		{ .name = "IPv4", .family = RIG_FOUR, .n_flows = 2000 },
		{ .name = "IPv4", .family = RIG_FOUR, .n_flows = 20000 },
		{ .name = "IPv4", .family = RIG_FOUR, .n_flows = 200000 },
		{ .name = "IPv6", .family = RIG_SIX, .n_flows = 2000 },
		{ .name = "IPv4-IPv6",
			.family = RIG_FOUR_TO_SIX,
			.n_flows = 2000,
			.one_way = true },
		{ .name = "silenced",
			.family = RIG_FOUR,
			.flags = SP_FLOW_SILENCE,
			.n_flows = 2000 },
	};
	static struct row rows[sizeof confs / sizeof confs[0]];
	const struct row *few = &rows[1], *many = &rows[3];
	const size_t n = sizeof rows / sizeof rows[0];
	const bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
	unsigned int passes = argc > 1 + json
		? (unsigned int)strtoul(argv[1 + json], NULL, 10)
		: PASSES;

	if (passes == 0 || passes > STATS_ROUNDS)
		passes = PASSES;
	for (size_t i = 0; i < n; i++)
		rows[i].rig = rig_open(&confs[i]);
	for (unsigned int pass = 0; pass < passes; pass++)
		for (size_t i = 0; i < n; i++)
			measure(&rows[i]);
	printf("TSC cycles a packet, %u passes of %u packets, "
	       "%zu bytes a flow\n"
	       "            flows      path  median     floor  median\n",
		passes, PASS_PACKETS, sizeof(struct sp_flow));
	for (size_t i = 0; i < n; i++) {
		print_row(&rows[i]);
		if (json)
			print_json(&rows[i]);
	}
	printf("200,000 flows cost %.2f times what 2,000 do (least), "
	       "%.2f times (median)\n",
		stats_least(&many->path) / stats_least(&few->path),
		stats_median(&many->path) / stats_median(&few->path));
	for (size_t i = 0; i < n; i++)
		rig_close(rows[i].rig);
	return 0;
}
