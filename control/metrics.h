/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_METRICS_H
#define SP_CONTROL_METRICS_H

#include <stdint.h>

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

struct sp_metrics {
	uint64_t requests[SP_VERB_COUNT][SP_RESULT_COUNT];
	uint64_t ends[SP_END_COUNT];
	uint64_t calls;       /* that were ever set up */
	uint64_t duration_ms; /* of the calls that ended */
	uint64_t latched;     /* news of the data plane */
	uint64_t moved;
	uint64_t contested;
	uint64_t silent_legs;   /* no media while the other leg had some */
	uint64_t branches_lost; /* never answered, while the call was */
};

#endif
