/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 64u /* names with a rate of their own */
#define LINE_COST_MS (1000u / SP_LOG_A_SECOND)
#define NUMBER_TEXT 24u /* longest int64_t, and NUL */
#define LAST_BYTES 1u   /* the newline always fits */

static int log_fd = STDERR_FILENO;
static struct sp_log_bucket buckets[EVENTS];
static uint64_t unwritten; /* lines that there was no room for */

static const struct {
	const char *name;
	int journal; /* syslog(3) priority, as systemd wants it: <6> */
} levels[] = {
	[SP_LOG_ERROR] = { "error", 3 },
	[SP_LOG_WARNING] = { "warning", 4 },
	[SP_LOG_INFO] = { "info", 6 },
};

bool
sp_log_admit(struct sp_log_bucket *bucket, uint64_t now_ms)
{
	const uint64_t paid_ms = now_ms - bucket->last_ms;

	bucket->last_ms = now_ms;
	bucket->used_ms -=
		paid_ms < bucket->used_ms ? paid_ms : bucket->used_ms;
	if (bucket->used_ms + LINE_COST_MS > SP_LOG_AT_ONCE * LINE_COST_MS) {
		bucket->held_back++;
		return false;
	}
	bucket->used_ms += LINE_COST_MS;
	return true;
}

/* Names beyond the table share its last row. */
static struct sp_log_bucket *
bucket_of(const char *event)
{
	size_t i = 0;

	while (i < EVENTS - 1 && buckets[i].event &&
		strcmp(buckets[i].event, event) != 0)
		i++;
	if (!buckets[i].event)
		buckets[i].event = event;
	return &buckets[i];
}

static uint64_t
monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

static void
add(struct sp_log *l, const char *bytes, size_t len)
{
	const size_t room = sizeof l->line - LAST_BYTES - l->len;

	if (len > room)
		len = room;
	memcpy(l->line + l->len, bytes, len);
	l->len += len;
}

static void
add_time(struct sp_log *l)
{
	struct timespec ts;
	struct tm tm;
	char text[sizeof "2026-01-31T12:00:00"];
	char ms[NUMBER_TEXT];

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	add(l, text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm));
	snprintf(ms, sizeof ms, ".%03uZ ", (unsigned int)ts.tv_nsec / 1000000u);
	add(l, ms, strlen(ms));
}

struct sp_log
sp_log_begin(enum sp_log_level level, const char *event)
{
	struct sp_log_bucket *bucket = bucket_of(event);
	struct sp_log l;

	l.len = 0;
	l.muted = !sp_log_admit(bucket, monotonic_ms());
	if (l.muted)
		return l;

	/* journald takes the level from here; people read the word. */
	if (getenv("JOURNAL_STREAM")) {
		const char mark[] = { '<', (char)('0' + levels[level].journal),
			'>' };

		add(&l, mark, sizeof mark);
	}
	add_time(&l);
	add(&l, levels[level].name, strlen(levels[level].name));
	add(&l, " ", 1);
	add(&l, event, strlen(event));
	if (bucket->held_back > 0) {
		sp_log_number(&l, "suppressed", bucket->held_back);
		bucket->held_back = 0;
	}
	if (unwritten > 0)
		sp_log_number(&l, "unwritten", (int64_t)unwritten);
	return l;
}

static bool
plain(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] <= ' ' || at[i] > '~' || strchr("\"\\=", at[i]))
			return false;
	return len > 0;
}

/* Nothing that a terminal or a log reader could take for its own. */
static void
add_escaped(struct sp_log *l, char c)
{
	char text[sizeof "\\xff"];

	if (c == '"' || c == '\\')
		snprintf(text, sizeof text, "\\%c", c);
	else if (c == '\n')
		snprintf(text, sizeof text, "\\n");
	else if (c == '\r')
		snprintf(text, sizeof text, "\\r");
	else if (c < ' ' || c > '~')
		snprintf(text, sizeof text, "\\x%02x", (unsigned char)c);
	else
		snprintf(text, sizeof text, "%c", c);
	add(l, text, strlen(text));
}

void
sp_log_text(struct sp_log *l, const char *key, const char *at, size_t len)
{
	if (l->muted)
		return;
	add(l, " ", 1);
	add(l, key, strlen(key));
	add(l, "=", 1);
	if (plain(at, len)) {
		add(l, at, len);
		return;
	}
	add(l, "\"", 1);
	for (size_t i = 0; i < len; i++)
		add_escaped(l, at[i]);
	add(l, "\"", 1);
}

void
sp_log_string(struct sp_log *l, const char *key, const char *text)
{
	if (text)
		sp_log_text(l, key, text, strlen(text));
}

void
sp_log_number(struct sp_log *l, const char *key, int64_t number)
{
	char text[NUMBER_TEXT];

	snprintf(text, sizeof text, "%" PRId64, number);
	sp_log_string(l, key, text);
}

/*
 * A journal or pipe that nobody reads must not stop the calls. What is no
 * socket says whether it has room: a pipe then takes a line, which is shorter
 * than PIPE_BUF, in one piece.
 */
static bool
write_line(const char *bytes, size_t len)
{
	struct pollfd polled = { .fd = log_fd, .events = POLLOUT };

	if (send(log_fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	return errno == ENOTSOCK && poll(&polled, 1, 0) > 0 &&
		polled.revents & POLLOUT && write(log_fd, bytes, len) >= 0;
}

void
sp_log_end(struct sp_log *l)
{
	if (l->muted)
		return;
	l->line[l->len++] = '\n';
	unwritten = write_line(l->line, l->len) ? 0 : unwritten + 1;
}

void
sp_log_say(enum sp_log_level level, const char *event, const char *format, ...)
{
	struct sp_log l = sp_log_begin(level, event);
	char text[SP_LOG_LINE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	sp_log_string(&l, "text", text);
	sp_log_end(&l);
}

void
sp_log_to(int fd)
{
	log_fd = fd;
	unwritten = 0;
	memset(buckets, 0, sizeof buckets);
}
