/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/gauge.h"

#include <rte_cycles.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/internal.h"
#include "relay/rtp.h"

#define PACKETS 32u /* a burst: each of another stream */
#define PAYLOAD 160u
#define LEN (SP_RTP_HEADER_MIN + PAYLOAD)
#define ROUNDS 40u

/* An engine at work, and the fewest cycles that a burst took. */
struct gauge {
	struct sp_srtp_engine *engine;
	struct sp_srtp *out[PACKETS];
	struct sp_srtp *in[PACKETS];
	struct sp_srtp_packet packet[PACKETS];
	uint8_t data[PACKETS][LEN + SP_SRTP_ROOM];
	uint64_t protect;
	uint64_t unprotect;
};

static enum sp_status
open_directions(struct gauge *g)
{
	struct sp_srtp_conf conf = { .suite = SP_SRTP_AES_CM_128_80,
		.n_keys = 1 };
	enum sp_status status = SP_OK;

	/* What they are does not matter: nothing leaves this function. */
	for (unsigned int i = 0; i < PACKETS && status == SP_OK; i++) {
		conf.key[0].key[0] = (uint8_t)i;
		status = sp_srtp_open(g->engine, &conf, true, &g->out[i]);
		if (status == SP_OK)
			status = sp_srtp_open(
				g->engine, &conf, false, &g->in[i]);
	}
	return status;
}

static void
write_packets(struct gauge *g, uint8_t seq)
{
	for (unsigned int i = 0; i < PACKETS; i++) {
		memset(g->data[i], 0, LEN);
		g->data[i][0] = SP_RTP_PLAIN;
		g->data[i][3] = seq;
		g->packet[i] = (struct sp_srtp_packet){ .data = g->data[i],
			.len = LEN,
			.header_len = SP_RTP_HEADER_MIN };
	}
}

static void
keep_least(uint64_t *least, uint64_t cycles)
{
	if (*least == 0 || cycles < *least)
		*least = cycles;
}

/* The quietest round tells what the work costs. */
static void
measure(struct gauge *g)
{
	for (unsigned int round = 1; round <= ROUNDS; round++) {
		uint64_t start, between;

		write_packets(g, (uint8_t)round);
		start = rte_rdtsc_precise();
		sp_srtp_protect(g->engine, g->out, g->packet, PACKETS, round);
		between = rte_rdtsc_precise();
		sp_srtp_unprotect(g->engine, g->in, g->packet, PACKETS, round);
		keep_least(&g->unprotect, rte_rdtsc_precise() - between);
		keep_least(&g->protect, between - start);
	}
}

static uint32_t
to_ns(uint64_t cycles)
{
	return (uint32_t)(cycles * (uint64_t)NS_PER_S / PACKETS /
		rte_get_tsc_hz());
}

enum sp_status
sp_gauge_srtp(enum sp_srtp_kind kind, struct sp_srtp_info *out)
{
	struct sp_srtp_about about;
	struct gauge g = { .engine = NULL };
	enum sp_status status =
		sp_srtp_engine_open(kind, 2 * PACKETS, &g.engine);

	if (status == SP_OK)
		status = open_directions(&g);
	if (status == SP_OK) {
		measure(&g);
		sp_srtp_engine_about(g.engine, &about);
		*out = (struct sp_srtp_info){
			.most = about.most,
			.slow = about.slow,
			.protect_ns = to_ns(g.protect),
			.unprotect_ns = to_ns(g.unprotect),
		};
		snprintf(out->engine, sizeof out->engine, "%s", about.name);
		snprintf(
			out->library, sizeof out->library, "%s", about.library);
	}
	sp_srtp_engine_close(g.engine);
	return status;
}

enum sp_status
sp_gauge_fault(struct sp_dataplane_error *error, enum sp_status status,
	enum sp_srtp_kind kind)
{
	static const char *const name[] = {
		[SP_SRTP_AUTO] = "auto",
		[SP_SRTP_IPSECMB] = "ipsec-mb",
		[SP_SRTP_LIBSRTP] = "libsrtp",
	};

	return sp_dataplane_fault(error, status, -1, "srtp",
		"engine %s does not work here (%s); use `srtp: %s`", name[kind],
		sp_status_text(status),
		kind == SP_SRTP_IPSECMB ? "libsrtp" : "auto");
}

enum sp_status
sp_gauge_open(struct sp_dataplane *dp, enum sp_srtp_kind kind,
	struct sp_dataplane_error *error)
{
	const enum sp_status status = sp_gauge_srtp(kind, &dp->srtp);

	return status == SP_OK ? SP_OK : sp_gauge_fault(error, status, kind);
}

void
sp_dataplane_srtp_info(const struct sp_dataplane *dp, struct sp_srtp_info *out)
{
	struct sp_srtp_about about;

	/* The engine that was measured is smaller than a worker's. */
	sp_srtp_engine_about(dp->crew[0].worker->keys.engine, &about);
	*out = dp->srtp;
	out->most = about.most;
}
