/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_METRICS_H
#define SP_CONTROL_METRICS_H

#include <stdint.h>

#include "control/ng_counts.h"
#include "control/request.h"

/* What the service counts for sp_metrics_write(). Core: control. */

/*
 * Why calls end.
 *
 * X(name, our label, rtpengine's label)
 */
/* clang-format off */
#define SP_END_LIST(X)                                                        \
	X(DELETED,       "deleted",       "terminated")                       \
	X(MEDIA_TIMEOUT, "media_timeout", "timeout")                          \
	X(HOLD_TIMEOUT,  "hold_timeout",  "silent_timeout")                   \
	X(OFFER_TIMEOUT, "offer_timeout", "offer_timeout")                    \
	X(FINAL_TIMEOUT, "final_timeout", "final_timeout")                    \
	X(SILENT_LEG,    "silent_leg",    "timeout")                          \
	X(SHUTDOWN,      "shutdown",      "force_terminated")                 \
	X(FAILED,        "failed",        "rejected")
/* clang-format on */

enum sp_end {
#define X(name, label, rtpengine) SP_END_##name,
	SP_END_LIST(X)
#undef X
	SP_END_COUNT
};

/* Return the label of @end, for logs and replies. */
const char *sp_metrics_end(enum sp_end end);

enum sp_result {
	SP_RESULT_OK,
	SP_RESULT_REFUSED,  /* 4xx: the request was wrong */
	SP_RESULT_CAPACITY, /* 503 */
	SP_RESULT_FAILED,   /* 500 */
	SP_RESULT_COUNT
};

#define SP_DOORS 2u /* enum sp_door */

/* Upper ends of a histogram's buckets; the last bucket has none. */
#define SP_LATENCY_LIST(X)                                                     \
	X(50, "0.00005")                                                       \
	X(100, "0.0001")                                                       \
	X(250, "0.00025")                                                      \
	X(500, "0.0005")                                                       \
	X(1000, "0.001")                                                       \
	X(2500, "0.0025")                                                      \
	X(5000, "0.005")                                                       \
	X(10000, "0.01")                                                       \
	X(50000, "0.05")                                                       \
	X(250000, "0.25")                                                      \
	X(1000000, "1")                                                        \
	X(5000000, "5")

enum {
#define X(us, le) SP_LATENCY_##us,
	SP_LATENCY_LIST(X)
#undef X
	SP_LATENCY_MORE,
	SP_LATENCY_COUNT
};

/* How long replies took. */
struct sp_latency {
	uint64_t bucket[SP_LATENCY_COUNT];
	uint64_t sum_us;
};

/* A quantity, once for each stream that ended, as rtpengine sums it up. */
struct sp_samples {
	uint64_t count;
	double sum;
	double sum2; /* of the squares */
};

struct sp_metrics {
	uint64_t requests[SP_DOORS][SP_VERB_COUNT][SP_RESULT_COUNT];
	struct sp_latency latency[SP_DOORS][SP_VERB_COUNT];
	uint64_t ends[SP_END_COUNT];
	uint64_t calls;               /* that were ever set up */
	struct sp_samples duration_s; /* of the calls that ended */
	struct sp_samples mos;
	struct sp_samples jitter_ms;
	struct sp_samples loss_percent;
	uint64_t zero_streams;  /* answered, and not one packet came */
	uint64_t one_way_calls; /* answered, and one side was never heard */
	uint64_t latched;       /* news of the data plane */
	uint64_t moved;
	uint64_t contested;
	uint64_t silent_legs;   /* no media while the other leg had some */
	uint64_t branches_lost; /* never answered, while the call was */
	uint64_t srtp_refused;  /* requests refused by require_srtp */
	uint64_t forwarded;     /* packets at the last tick */
	uint64_t ticked_ms;     /* when that was */
	double packet_rate;     /* forwarded a second, before the last tick */
	struct sp_ng_counts ng;
};

struct sp_asker;
struct sp_call;
struct sp_cast;
struct sp_flow_report;
struct sp_service;

/* Count a reply, whose result is @http, to @asker. */
void sp_metrics_count_reply(
	struct sp_service *s, const struct sp_asker *asker, int http);

/*
 * Count the end of @call; @report is as for sp_reply_call(), or NULL when
 * nobody told.
 */
void sp_metrics_count_end(struct sp_service *s, const struct sp_call *call,
	enum sp_end end, const struct sp_flow_report *report);

/* Count the quality of what the parties of @cast, who left, have sent. */
void sp_metrics_count_streams(struct sp_service *s, const struct sp_cast *cast,
	const struct sp_flow_report *report);

/* Measure what is told by the second. Once a second. */
void sp_metrics_tick(struct sp_service *s);

/* Sum up what all workers forwarded, and what they could not. */
uint64_t sp_metrics_forwarded(const struct sp_service *s);
uint64_t sp_metrics_errors(const struct sp_service *s);

/* Count the calls that rtpengine would have said were @label. */
uint64_t sp_metrics_closed(const struct sp_service *s, const char *label);

/* Count the replies of @door to @verb. */
uint64_t sp_metrics_replies(
	const struct sp_service *s, enum sp_door door, enum sp_verb verb);

#endif
