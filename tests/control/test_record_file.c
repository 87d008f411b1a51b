/* SPDX-License-Identifier: BSD-3-Clause */
/* Records in files and pipes: rotated, full, stuck, gone. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/record.h"

#define LINE_LEN 100u

static struct sp_outbox *records;
static char folder[] = "records-XXXXXX";
static char path[64], moved[64];

static void
open_folder(void)
{
	cr_assert(not(eq(ptr, mkdtemp(folder), NULL)));
	snprintf(path, sizeof path, "./%s/calls.json", folder);
	snprintf(moved, sizeof moved, "./%s/calls.json.1", folder);
}

static void
remove_folder(void)
{
	unlink(path);
	unlink(moved);
	rmdir(folder);
}

TestSuite(record_file, .init = open_folder, .fini = remove_folder);

static void
put(unsigned int number)
{
	char line[LINE_LEN + 1];

	snprintf(line, sizeof line, "%-99u\n", number);
	sp_outbox_put(records, line, LINE_LEN);
}

static void
wait_for(uint64_t sent)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct sp_outbox_counts counts;

	do {
		nanosleep(&ms, NULL);
		sp_outbox_read(records, &counts);
	} while (counts.sent < sent);
}

/* Do whole lines with the numbers from @first to @last stand in @name? */
static bool
holds(const char *name, unsigned int first, unsigned int last)
{
	FILE *file = fopen(name, "re");
	char line[LINE_LEN + 2];
	unsigned int next = first;
	bool good = file != NULL;

	while (good && fgets(line, sizeof line, file))
		good = strlen(line) == LINE_LEN && line[LINE_LEN - 1] == '\n' &&
			strtoul(line, NULL, 10) == next++;
	if (file)
		fclose(file);
	return good && next == last + 1;
}

Test(record_file, lines_are_appended_and_private)
{
	FILE *before = fopen(path, "we");
	struct stat st;

	fprintf(before, "%-99u\n", 0u);
	fclose(before);
	unlink(moved);
	cr_assert(eq(int, sp_record_open(path, &records), SP_OK));
	for (unsigned int i = 1; i < 500; i++)
		put(i);
	sp_outbox_close(records, 60000);
	cr_expect(holds(path, 0, 499));

	cr_assert(eq(int, sp_record_open(moved, &records), SP_OK));
	put(0);
	sp_outbox_close(records, 60000);
	cr_assert(eq(int, stat(moved, &st), 0));
	cr_expect(eq(u32, st.st_mode & 07, 0));
}

Test(record_file, rotation_is_noticed)
{
	cr_assert(eq(int, sp_record_open(path, &records), SP_OK));
	put(0);
	put(1);
	wait_for(2);
	cr_assert(eq(int, rename(path, moved), 0));
	put(2);
	wait_for(3);
	cr_assert(eq(int, unlink(path), 0));
	put(3);
	sp_outbox_close(records, 60000);
	cr_expect(holds(moved, 0, 1));
	cr_expect(holds(path, 3, 3));
}

Test(record_file, full_disk_loses_nothing_when_it_has_room_again)
{
	struct rlimit limit;
	struct sp_outbox_counts counts;

	/* A line and a half fit. */
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = LINE_LEN + LINE_LEN / 2;
	cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &limit), 0));
	cr_assert(eq(int, sp_record_open(path, &records), SP_OK));
	for (unsigned int i = 0; i < 4; i++)
		put(i);
	do {
		wait_for(1);
		sp_outbox_read(records, &counts);
	} while (counts.again == 0);
	cr_expect(eq(u64, counts.sent, 1));
	cr_expect(eq(u64, counts.waiting, 3));
	cr_expect(eq(u64, counts.lost, 0));
	limit.rlim_cur = limit.rlim_max;
	cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &limit), 0));
	wait_for(4);
	sp_outbox_close(records, 60000);
	cr_expect(holds(path, 0, 3));
}

Test(record_file, folder_that_is_missing_may_come_later)
{
	struct sp_outbox_counts counts;

	cr_assert(eq(int, rmdir(folder), 0));
	cr_assert(eq(int, sp_record_open(path, &records), SP_OK));
	put(0);
	do
		sp_outbox_read(records, &counts);
	while (counts.again == 0);
	cr_assert(eq(int, mkdir(folder, 0700), 0));
	wait_for(1);
	sp_outbox_close(records, 60000);
	cr_expect(holds(path, 0, 0));
}

Test(record_file, device_that_is_always_full_delays_only_the_end)
{
	struct sp_outbox_counts counts;

	cr_assert(eq(int, sp_record_open("/dev/full", &records), SP_OK));
	put(0);
	do
		sp_outbox_read(records, &counts);
	while (counts.again == 0);
	cr_expect(eq(u64, counts.sent, 0));
	sp_outbox_close(records, 20);
}

/* Nobody reads standard output: the writer waits, and the end comes. */
Test(record_file, stuck_reader_holds_nobody_up)
{
	struct sp_outbox_counts counts;
	int ends[2];

	cr_assert(eq(int, pipe(ends), 0));
	cr_assert(ge(int, dup2(ends[1], STDOUT_FILENO), 0));
	cr_assert(eq(int, sp_record_open("-", &records), SP_OK));
	for (unsigned int i = 0; i < 2000; i++)
		put(i); /* more than a pipe's 64 KiB */
	wait_for(100);
	sp_outbox_read(records, &counts);
	cr_expect(gt(u64, counts.waiting, 1000));
	cr_expect(eq(u64, counts.lost, 0));
	sp_outbox_close(records, 20);
	close(ends[0]);
	close(ends[1]);
}

Test(record_file, reader_gets_all_lines_whole)
{
	static char got[200 * LINE_LEN];
	size_t len = 0;
	int ends[2];

	cr_assert(eq(int, pipe(ends), 0));
	cr_assert(ge(int, dup2(ends[1], STDOUT_FILENO), 0));
	cr_assert(eq(int, sp_record_open("-", &records), SP_OK));
	for (unsigned int i = 0; i < 200; i++)
		put(i);
	while (len < sizeof got) {
		const ssize_t n = read(ends[0], got + len, sizeof got - len);

		cr_assert(gt(long, n, 0));
		len += (size_t)n;
	}
	for (unsigned int i = 0; i < 200; i++)
		cr_assert(eq(ulong, strtoul(got + i * LINE_LEN, NULL, 10), i));
	sp_outbox_close(records, 0);
	close(ends[0]);
	close(ends[1]);
}

Test(record_file, no_records_need_no_thread)
{
	records = (struct sp_outbox *)path;
	cr_assert(eq(int, sp_record_open("", &records), SP_OK));
	cr_expect(eq(ptr, records, NULL));
	sp_outbox_close(records, 0);
	sp_outbox_tick(records);
}
