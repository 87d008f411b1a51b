/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "control/metrics_text.h"

#define NS_PER_S 1e9

static void
write_engine(const struct sp_srtp_info *info, FILE *to)
{
	const struct {
		const char *work;
		uint32_t ns;
	} rows[] = {
		{ "protect", info->protect_ns },
		{ "unprotect", info->unprotect_ns },
	};

	sp_metrics_family(to, "sallyport_srtp_engine_info", "gauge",
		"Which library does SRTP");
	fprintf(to,
		"sallyport_srtp_engine_info{engine=\"%s\",library=\"%s\"} 1\n",
		info->engine, info->library);
	sp_metrics_family(to, "sallyport_srtp_packet_seconds", "gauge",
		"Cost of a packet of AES_CM_128_HMAC_SHA1_80 with 160 bytes, "
		"measured at the start");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		fprintf(to, "sallyport_srtp_packet_seconds{work=\"%s\"} %.9f\n",
			rows[i].work, rows[i].ns / NS_PER_S);
	sp_metrics_single(to, "sallyport_srtp_legs_max", "gauge",
		"Legs with keys that a worker is fit to carry", info->most / 2);
}

void
sp_metrics_srtp(const struct sp_service *s, FILE *to)
{
	struct sp_srtp_info info;

	sp_dataplane_srtp_info(s->dp, &info);
	write_engine(&info, to);
	sp_metrics_family(to, "sallyport_srtp_legs", "gauge",
		"Legs whose keys a worker holds now");
	for (unsigned int w = 0; w < s->workers; w++) {
		struct sp_worker_counts counts;

		sp_dataplane_worker_counts(s->dp, w, &counts);
		fprintf(to, "sallyport_srtp_legs{worker=\"%u\"} %" PRIu32 "\n",
			w, counts.keys);
	}
	sp_metrics_single(to, "sallyport_srtp_refused_total", "counter",
		"Requests refused because a realm requires SRTP",
		s->metrics.srtp_refused);
}
