/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/log.h"

static int out[2];

static void
start(void)
{
	unsetenv("JOURNAL_STREAM");
	cr_assert(eq(int, pipe2(out, O_NONBLOCK | O_CLOEXEC), 0));
	sp_log_to(out[1]);
}

/* What was written since, as a string. */
static size_t
written(char *text, size_t size)
{
	const ssize_t n = read(out[0], text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

Test(log, a_line_has_time_level_event_and_fields, .init = start)
{
	char text[400];
	int year = 0, month = 0, ms = -1;
	struct sp_log l = sp_log_begin(SP_LOG_WARNING, "call_end");

	sp_log_text(&l, "call", "abc\0def", 3);
	sp_log_number(&l, "packets", -17);
	sp_log_string(&l, "nothing", NULL);
	sp_log_string(&l, "text", "two words");
	sp_log_end(&l);
	written(text, sizeof text);
	cr_expect(eq(int,
		sscanf(text, "%4d-%2d-%*2dT%*2d:%*2d:%*2d.%3dZ ", &year, &month,
			&ms),
		3));
	cr_expect(ge(int, year, 2024));
	cr_expect(eq(str, strchr(text, ' '),
		" warning call_end call=abc packets=-17 "
		"text=\"two words\"\n"));
}

Test(log, under_systemd_the_level_leads, .init = start)
{
	char text[400];

	setenv("JOURNAL_STREAM", "8:1234", 1);
	sp_log_say(SP_LOG_ERROR, "bad", "%d %s", 5, "apples");
	written(text, sizeof text);
	cr_expect(eq(int, strncmp(text, "<3>2", 4), 0), "%s", text);
	cr_expect(eq(str, strchr(text, ' '), " error bad text=\"5 apples\"\n"));
}

struct value_case {
	char value[32];
	size_t len;
	char want[64];
};

ParameterizedTestParameters(log, values_cannot_forge_lines_or_fields)
{
	static struct value_case cases[] = {
		{ "plain-1.2@host", 14, "v=plain-1.2@host\n" },
		{ "", 0, "v=\"\"\n" },
		{ "a b", 3, "v=\"a b\"\n" },
		{ "a=b", 3, "v=\"a=b\"\n" },
		{ "a\"b", 3, "v=\"a\\\"b\"\n" },
		{ "a\\b", 3, "v=\"a\\\\b\"\n" },
		{ "a\nb\r", 4, "v=\"a\\nb\\r\"\n" },
		{ "\0", 1, "v=\"\\x00\"\n" },
		{ "\x1b[31m", 5, "v=\"\\x1b[31m\"\n" },
		{ "\xc3\xa4\x7f", 3, "v=\"\\xc3\\xa4\\x7f\"\n" },
	};

	return cr_make_param_array(
		struct value_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct value_case *tc, log,
	values_cannot_forge_lines_or_fields, .init = start)
{
	char text[400];
	struct sp_log l = sp_log_begin(SP_LOG_INFO, "test");

	sp_log_text(&l, "v", tc->value, tc->len);
	sp_log_end(&l);
	written(text, sizeof text);
	cr_expect(eq(str, strstr(text, "v="), tc->want));
}

Test(log, a_long_line_is_cut_and_stays_one_line, .init = start)
{
	static char value[3 * SP_LOG_LINE];
	static char text[4 * SP_LOG_LINE];
	struct sp_log l = sp_log_begin(SP_LOG_INFO, "test");
	size_t len;

	memset(value, '\n', sizeof value);
	sp_log_text(&l, "v", value, sizeof value);
	sp_log_string(&l, "w", "more");
	sp_log_end(&l);
	len = written(text, sizeof text);
	cr_expect(eq(sz, len, SP_LOG_LINE));
	cr_expect(eq(ptr, strchr(text, '\n'), text + SP_LOG_LINE - 1));
}

static int
lines_of(const char *text, const char *event)
{
	int lines = 0;

	for (const char *at = text; (at = strstr(at, event)); at++)
		lines++;
	return lines;
}

Test(log, a_flood_of_one_event_is_held_back, .init = start)
{
	static char text[65536];

	for (int i = 0; i < 1000; i++)
		sp_log_say(SP_LOG_INFO, "flood", "x");
	sp_log_say(SP_LOG_INFO, "other", "x");
	written(text, sizeof text);
	cr_expect(ge(int, lines_of(text, " flood "), (int)SP_LOG_AT_ONCE));
	cr_expect(le(int, lines_of(text, " flood "),
		(int)(SP_LOG_AT_ONCE + SP_LOG_A_SECOND)));
	cr_expect(eq(int, lines_of(text, " other "), 1));
}

Test(log, held_back_lines_are_counted_in_the_next_one, .init = start)
{
	static char text[65536];
	int number = 0;

	for (unsigned int i = 0; i < 10 * SP_LOG_AT_ONCE; i++)
		sp_log_say(SP_LOG_INFO, "flood", "x");
	written(text, sizeof text);
	cr_assert(eq(int, lines_of(text, "suppressed="), 0));
	usleep(2 * 1000000 / SP_LOG_A_SECOND);
	sp_log_say(SP_LOG_INFO, "flood", "x");
	written(text, sizeof text);
	cr_assert(eq(int,
		sscanf(text, "%*s info flood suppressed=%d text=x", &number),
		1));
	cr_expect(ge(int, number, (int)(9 * SP_LOG_AT_ONCE - SP_LOG_A_SECOND)));
	cr_expect(le(int, number, (int)(9 * SP_LOG_AT_ONCE)));
}

Test(log, a_bucket_refills_with_time)
{
	struct sp_log_bucket bucket = { 0 };
	uint64_t now_ms = 1000;
	unsigned int admitted = 0;

	for (unsigned int i = 0; i < 2 * SP_LOG_AT_ONCE; i++)
		admitted += sp_log_admit(&bucket, now_ms);
	cr_expect(eq(uint, admitted, SP_LOG_AT_ONCE));
	cr_expect(eq(u32, bucket.held_back, SP_LOG_AT_ONCE));
	now_ms += 1000;
	for (admitted = 0; sp_log_admit(&bucket, now_ms);)
		admitted++;
	cr_expect(eq(uint, admitted, SP_LOG_A_SECOND));
	now_ms += 3600 * 1000;
	for (admitted = 0; sp_log_admit(&bucket, now_ms);)
		admitted++;
	cr_expect(eq(uint, admitted, SP_LOG_AT_ONCE));
}

Test(log, more_event_names_than_rows_still_work, .init = start)
{
	static char names[200][16];
	static char text[65536];

	for (int i = 0; i < 200; i++) {
		snprintf(names[i], sizeof names[i], "e%d", i);
		sp_log_say(SP_LOG_INFO, names[i], "x");
	}
	written(text, sizeof text);
	cr_expect(eq(int, lines_of(text, " e62 "), 1));
	cr_expect(eq(int, lines_of(text, " e100 "), 1));
}

/* Fill what the log is written to; return how many bytes that took. */
static size_t
fill(void)
{
	static const char bytes[1024];
	size_t all = 0;
	ssize_t n;

	while ((n = write(out[1], bytes, sizeof bytes)) > 0)
		all += (size_t)n;
	return all;
}

/* The writing end waits, as stderr does: who logs would wait for ever. */
static void
check_that_nobody_waits(void)
{
	static char text[1 << 20];
	size_t before = fill();

	cr_assert(eq(int, fcntl(out[1], F_SETFL, 0), 0));
	sp_log_say(SP_LOG_INFO, "one", "lost");
	sp_log_say(SP_LOG_INFO, "two", "lost");
	while (before > 0)
		before -= written(text, sizeof text);
	sp_log_say(SP_LOG_INFO, "three", "kept");
	written(text, sizeof text);
	cr_expect(eq(str, strstr(text, " info "),
		" info three unwritten=2 text=kept\n"));
	sp_log_say(SP_LOG_INFO, "four", "kept");
	written(text, sizeof text);
	cr_expect(eq(str, strstr(text, " info "), " info four text=kept\n"));
}

Test(log, a_pipe_that_nobody_reads_makes_nobody_wait, .init = start,
	.timeout = 10)
{
	check_that_nobody_waits();
}

Test(log, a_journal_that_nobody_reads_makes_nobody_wait, .timeout = 10)
{
	unsetenv("JOURNAL_STREAM");
	cr_assert(eq(int,
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, out), 0));
	sp_log_to(out[1]);
	check_that_nobody_waits();
}
