/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_LOG_H
#define SP_CONTROL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The log: one line an event on stderr, key=value, for people and for grep.
 *
 *     struct sp_log l = sp_log_begin(SP_LOG_INFO, "call_end");
 *     sp_log_text(&l, "call", id, id_len);
 *     sp_log_number(&l, "packets", n);
 *     sp_log_end(&l);
 *
 * gives  2026-01-31T12:00:00.123Z info call_end call=abc packets=17
 *
 * Never for a packet, never with a secret. Core: control.
 */

#define SP_LOG_LINE 1024u   /* bytes of a line, a longer one is cut */
#define SP_LOG_A_SECOND 20u /* lines of one event name, on average ... */
#define SP_LOG_AT_ONCE 100u /* ... and at once */

enum sp_log_level {
	SP_LOG_ERROR,
	SP_LOG_WARNING,
	SP_LOG_INFO,
};

/* A line in the making, on the caller's stack. */
struct sp_log {
	size_t len;
	bool muted; /* too many of its name: the line is only counted */
	char line[SP_LOG_LINE];
};

/*
 * Start a line. @event is lower_snake_case and static: the rate limit is
 * kept by its name. A line that follows held-back ones tells their number as
 * suppressed=.
 */
struct sp_log sp_log_begin(enum sp_log_level level, const char *event);

/* Add key=value, quoted and escaped when it has more than plain text in it. */
void sp_log_text(struct sp_log *l, const char *key, const char *at, size_t len);

/* The same for text that ends in NUL; NULL adds nothing. */
void sp_log_string(struct sp_log *l, const char *key, const char *text);

void sp_log_number(struct sp_log *l, const char *key, int64_t number);

/*
 * Write the line, in one go and without waiting: what stderr has no room for
 * is lost, and the next line that it takes tells how many as unwritten=.
 */
void sp_log_end(struct sp_log *l);

/* Write a line that is one sentence: event and text="...", printf style. */
void sp_log_say(enum sp_log_level level, const char *event, const char *format,
	...) __attribute__((format(printf, 3, 4)));

/* Write to @fd from now on instead of stderr, and forget all rates. */
void sp_log_to(int fd);

/*
 * May one more line of an event be written at @now_ms? The bucket holds
 * SP_LOG_AT_ONCE lines and gains SP_LOG_A_SECOND. All zero is a full bucket.
 */
struct sp_log_bucket {
	const char *event;
	uint64_t used_ms; /* line time that is still to be paid back */
	uint64_t last_ms;
	uint32_t held_back;
};
bool sp_log_admit(struct sp_log_bucket *bucket, uint64_t now_ms);

#endif
