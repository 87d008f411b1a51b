/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_NG_COUNTS_H
#define SP_CONTROL_NG_COUNTS_H

#include <stdint.h>

/*
 * What the ng door counts, for sp_metrics_write(). Core: control.
 *
 * X(name, help)
 */
/* clang-format off */
#define SP_NG_COUNT_LIST(X)                                                   \
	X(datagrams,       "read from the ng sockets")                        \
	X(refused_clients, "from clients that may not speak ng")              \
	X(pings,           "answered as soon as they were read")              \
	X(no_cookie,       "without a cookie, which get no reply")            \
	X(malformed,       "answered with an error before any command ran")   \
	X(requests,        "commands handed on")                              \
	X(replayed,        "answered with the reply kept for the cookie")     \
	X(duplicates,      "of a request in progress, which get its reply")   \
	X(surplus,         "duplicates too many, which get none")             \
	X(queue_full,      "dropped because too many waited before them")     \
	X(evicted,         "replies forgotten early, for lack of room")       \
	X(unsent,          "replies that did not leave")

/* Not counters: how much there is now. */
#define SP_NG_GAUGE_LIST(X)                                                   \
	X(queued,          "requests that wait for their turn")               \
	X(cache_entries,   "requests whose reply is kept")                    \
	X(cache_bytes,     "memory these replies take")
/* clang-format on */

struct sp_ng_counts {
#define X(name, help) uint64_t name;
	SP_NG_COUNT_LIST(X)
	SP_NG_GAUGE_LIST(X)
#undef X
};

#endif
