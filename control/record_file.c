/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/record.h"

#define QUEUE_BYTES (16u << 20)
#define AGAIN_MS 100u
#define AGAIN_MOST_MS 5000u
#define WRITABLE_MS 1000u
/* Owner writes, group reads: whom people called is nobody else's business. */
#define MODE (S_IRUSR | S_IWUSR | S_IRGRP)

/* The file that records go to. Its outbox's thread alone uses it. */
struct file {
	int fd;      /* -1: not open */
	size_t done; /* bytes of the first message that are in it already */
	bool ours;   /* to open and close, and not standard output */
	bool plain;  /* a regular file, which never makes anybody wait long */
	char path[];
};

static void
file_close(struct file *file)
{
	if (file->ours && file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	file->done = 0;
}

/* Has somebody moved it away, as logrotate(8) does? */
static bool
was_moved(const struct file *file)
{
	struct stat here, there;

	return stat(file->path, &there) != 0 || fstat(file->fd, &here) != 0 ||
		here.st_dev != there.st_dev || here.st_ino != there.st_ino;
}

static bool
look_at(struct file *file)
{
	struct stat st;

	if (fstat(file->fd, &st) != 0)
		return false;
	file->plain = S_ISREG(st.st_mode);
	return true;
}

static bool
file_ready(struct file *file)
{
	if (!file->ours)
		return true;
	if (file->fd >= 0 && !was_moved(file))
		return true;
	file_close(file);
	file->fd = open(file->path,
		O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK |
			O_NOCTTY,
		MODE);
	return file->fd >= 0 && look_at(file);
}

/*
 * Write some of @bytes. A pipe with room at all takes PIPE_BUF at once; so
 * that, and not what others set on it too, keeps a full one from blocking.
 */
static ssize_t
write_some(struct file *file, struct sp_outbox *outbox, const char *bytes,
	size_t len)
{
	if (!file->plain) {
		len = len < PIPE_BUF ? len : PIPE_BUF;
		if (!sp_outbox_wait(outbox, file->fd, WRITABLE_MS)) {
			errno = EAGAIN;
			return -1;
		}
	}
	return write(file->fd, bytes, len);
}

static enum sp_outbox_result
deliver(void *arg, struct sp_outbox *outbox, const char *bytes, size_t len,
	int *trouble)
{
	struct file *file = arg;

	if (!file_ready(file)) {
		*trouble = errno;
		return SP_OUTBOX_AGAIN;
	}
	while (file->done < len) {
		const ssize_t n = write_some(
			file, outbox, bytes + file->done, len - file->done);

		if (n < 0 && errno != EINTR) {
			*trouble = errno;
			return SP_OUTBOX_AGAIN;
		}
		file->done += n > 0 ? (size_t)n : 0;
	}
	file->done = 0;
	return SP_OUTBOX_DONE;
}

static void
explain(void *arg, int trouble, char why[SP_OUTBOX_WHY])
{
	const struct file *file = arg;

	snprintf(why, SP_OUTBOX_WHY, "cannot write to %.60s: %.40s",
		file->ours ? file->path : "standard output", strerror(trouble));
}

static void
free_file(void *arg)
{
	file_close(arg);
	free(arg);
}

enum sp_status
sp_record_open(const char *path, struct sp_outbox **out)
{
	struct sp_outbox_sink sink = {
		.name = "records",
		.deliver = deliver,
		.explain = explain,
		.close = free_file,
		.most_bytes = QUEUE_BYTES,
		.again_ms = AGAIN_MS,
		.again_most_ms = AGAIN_MOST_MS,
	};
	struct file *file;

	*out = NULL;
	if (!path[0])
		return SP_OK;
	file = calloc(1, sizeof *file + strlen(path) + 1);
	if (!file)
		return SP_NO_MEMORY;
	memcpy(file->path, path, strlen(path) + 1);
	file->ours = strcmp(path, "-") != 0;
	file->fd = file->ours ? -1 : STDOUT_FILENO;
	file->plain = !file->ours && look_at(file) && file->plain;
	sink.arg = file;
	return sp_outbox_open(&sink, out);
}
