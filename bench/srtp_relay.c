/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets between RTP and SRTP through all stages of a worker, next to RTP to
 * RTP; and what the relay spends on a packet with a wrong tag.
 */
#include <inttypes.h>
#include <rte_cycles.h>
#include <stdio.h>

#include "bench/rig.h"
#include "bench/srtp_parts.h"
#include "bench/stats.h"

#define ROUNDS 7u
#define FEW 2000u
#define MANY 100000u
#define FEW_QUICK 200u

struct way {
	const char *name;
	uint8_t in;
	uint8_t out;
};

static const struct way ways[] = {
	{ "RTP to RTP", SP_SRTP_NONE, SP_SRTP_NONE },
	{ "RTP to CM", SP_SRTP_NONE, SP_SRTP_AES_CM_128_80 },
	{ "CM to RTP", SP_SRTP_AES_CM_128_80, SP_SRTP_NONE },
	{ "CM to GCM", SP_SRTP_AES_CM_128_80, SP_SRTP_GCM_128 },
	{ "GCM to CM", SP_SRTP_GCM_128, SP_SRTP_AES_CM_128_80 },
	{ "RTP to GCM", SP_SRTP_NONE, SP_SRTP_GCM_128 },
	{ "GCM to RTP", SP_SRTP_GCM_128, SP_SRTP_NONE },
};

#define WAYS (sizeof ways / sizeof ways[0])

struct row {
	struct rig *rig;
	uint32_t packets;    /* of a pass: enough to find its own caches */
	struct stats whole;  /* cycles a packet */
	struct stats srtp;   /* of these, in the two stages of SRTP */
	struct stats forged; /* of one with a wrong tag */
};

/* Of a pass: what the stages of SRTP took, in bursts undisturbed. */
static uint64_t srtp_cycles;
static uint64_t srtp_packets;

static void
relay_timed(struct rig *r)
{
	uint64_t start, took;

	sp_stage_classify(&r->burst, &r->locals);
	sp_stage_lookup(&r->burst, &r->table);
	sp_stage_admit(&r->burst, &r->table);
	start = rte_rdtsc();
	sp_stage_unprotect(&r->burst, &r->table);
	took = rte_rdtsc() - start;
	sp_stage_commit(&r->burst, &r->table, &r->commit);
	sp_stage_mute(&r->burst, &r->table);
	start = rte_rdtsc();
	sp_stage_protect(&r->burst, &r->table, r->hops);
	took += rte_rdtsc() - start;
	sp_stage_rewrite(&r->burst, r->hops);
	if (took > RIG_INTERRUPTED)
		return;
	srtp_cycles += took;
	srtp_packets += r->burst.count;
}

static void
measure(struct row *row)
{
	const uint32_t n = row->packets;
	struct rig *r = row->rig;

	stats_add(&row->whole,
		rig_measure(r, n, rig_receive, rig_relay, SP_VERDICT_FORWARD));
	if (r->conf.suite_in == SP_SRTP_NONE &&
		r->conf.suite_out == SP_SRTP_NONE)
		return;
	srtp_cycles = srtp_packets = 0;
	rig_measure(r, n, rig_receive, relay_timed, SP_VERDICT_FORWARD);
	stats_add(&row->srtp, (double)srtp_cycles / (double)srtp_packets);
	if (r->conf.suite_in != SP_SRTP_NONE)
		stats_add(&row->forged,
			rig_measure(r, n, rig_receive_forged, rig_relay,
				SP_VERDICT_SRTP_AUTH));
}

static void
print_row(const struct row *row, const struct row *plain, bool json)
{
	const double whole = stats_median(&row->whole);
	const double srtp = stats_median(&row->srtp);
	const double forged = stats_median(&row->forged);
	const double times = stats_ratio(&row->whole, &plain->whole);
	const double forged_times = stats_ratio(&row->forged, &row->whole);

	printf("%-11s %7" PRIu32 " %7.0f %6.2f %6.0f %4.0f %% %5.0f %%",
		row->rig->conf.name, row->rig->conf.n_flows, whole, times, srtp,
		srtp / whole * 100, stats_noise(&row->whole) * 100);
	if (row->forged.n > 0)
		printf(" %7.0f %6.2f", forged, forged_times);
	printf("\n");
	if (json)
		printf("{\"bench\":\"srtp relay\",\"way\":\"%s\","
		       "\"flows\":%" PRIu32 ",\"cycles\":%.1f,\"times\":%.3f,"
		       "\"srtp\":%.1f,\"forged\":%.1f,\"noise\":%.3f}\n",
			row->rig->conf.name, row->rig->conf.n_flows, whole,
			times, srtp, forged, stats_noise(&row->whole));
}

/* All ways take turns. */
static void
measure_all(const struct srtp_options *o, uint32_t flows)
{
	const unsigned int rounds = o->rounds < ROUNDS ? o->rounds : ROUNDS;
	static struct row rows[WAYS];

	for (size_t i = 0; i < WAYS; i++) {
		const struct rig_conf conf = {
			.name = ways[i].name,
			.family = RIG_FOUR,
			.n_flows = flows,
			.one_way = true,
			.suite_in = ways[i].in,
			.suite_out = ways[i].out,
		};

		rows[i] = (struct row){ .rig = rig_open(&conf),
			.packets = flows < 10000 ? 20000 : 2 * flows };
	}
	for (unsigned int round = 0; round < rounds; round++)
		for (size_t i = 0; i < WAYS; i++)
			measure(&rows[i]);
	for (size_t i = 0; i < WAYS; i++) {
		print_row(&rows[i], &rows[0], o->json);
		rig_close(rows[i].rig);
	}
}

bool
srtp_relay(const struct srtp_options *o)
{
	printf("\nthrough all stages, bursts of %u, %u bytes of RTP; CM: %s, "
	       "GCM: %s\n%-11s %7s %7s %6s %6s %6s %7s %7s %6s\n",
		SP_BURST, RIG_PAYLOAD,
		sp_srtp_facts(SP_SRTP_AES_CM_128_80)->name,
		sp_srtp_facts(SP_SRTP_GCM_128)->name, "", "flows", "cycles",
		"times", "SRTP", "share", "noise", "forged", "times");
	measure_all(o, o->quick ? FEW_QUICK : FEW);
	if (!o->quick)
		measure_all(o, MANY);
	return true;
}
