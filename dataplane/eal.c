/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/eal.h"

#include <assert.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <syslog.h>

/* Longest line of a log; the rest of a longer one starts a new line. */
#define LINE_MAX_TEXT 512

/* There is one EAL in a process: so is there one of this. */
static struct {
	sp_eal_log log;
	void *arg;
	FILE *stream; /* what DPDK writes to */
	size_t len;   /* of the unfinished line */
	char line[LINE_MAX_TEXT];
	char error[SP_EAL_WHY]; /* the first line that was an error */
	bool opened;
} eal;

/* Append one argument; a full vector stays full and is noticed at the end. */
__attribute__((format(printf, 2, 3))) static void
put(struct sp_eal_args *a, const char *format, ...)
{
	const size_t room = sizeof a->text - a->used;
	va_list ap;
	int n;

	if (a->argc >= SP_EAL_ARGS_MAX || room == 0) {
		a->used = sizeof a->text;
		return;
	}
	va_start(ap, format);
	n = vsnprintf(a->text + a->used, room, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) {
		a->used = sizeof a->text;
		return;
	}
	a->argv[a->argc++] = a->text + a->used;
	a->argv[a->argc] = NULL;
	a->used += (size_t)n + 1;
}

/* Go on writing the last argument. */
__attribute__((format(printf, 2, 3))) static void
extend(struct sp_eal_args *a, const char *format, ...)
{
	const size_t room = sizeof a->text - a->used;
	va_list ap;
	int n;

	if (a->used == 0 || room == 0) {
		a->used = sizeof a->text;
		return;
	}
	va_start(ap, format);
	n = vsnprintf(a->text + a->used - 1, room + 1, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n > room)
		a->used = sizeof a->text;
	else
		a->used += (size_t)n;
}

/* Go on with "@(1,2,3)": the CPUs of an lcore. */
static void
extend_cpus(struct sp_eal_args *a, const unsigned *cpu, unsigned n)
{
	extend(a, "@(");
	for (unsigned i = 0; i < n; i++)
		extend(a, i ? ",%u" : "%u", cpu[i]);
	extend(a, ")");
}

/*
 * Name one lcore for the control thread and one for each worker. Pinned
 * workers have a CPU each, and the control thread those that are left.
 */
static void
put_lcores(struct sp_eal_args *a, const struct sp_eal_conf *conf,
	const unsigned *allowed, unsigned n_allowed)
{
	const unsigned *cpu = conf->n_cpus ? conf->cpus : allowed;
	const unsigned n_cpu = conf->n_cpus ? conf->n_cpus : n_allowed;
	unsigned left[CPU_SETSIZE];
	unsigned n_left = 0;

	for (unsigned i = 0; i < n_allowed && n_left < CPU_SETSIZE; i++) {
		bool taken = false;

		for (unsigned w = 0; conf->pin && w < conf->n_workers; w++)
			taken |= cpu[w] == allowed[i];
		if (!taken)
			left[n_left++] = allowed[i];
	}

	put(a, "--lcores=0");
	if (n_left)
		extend_cpus(a, left, n_left);
	else
		extend_cpus(a, cpu, n_cpu);
	for (unsigned w = 0; w < conf->n_workers; w++) {
		extend(a, ",%u", sp_eal_lcore(w));
		if (conf->pin)
			extend_cpus(a, &cpu[w], 1);
		else
			extend_cpus(a, cpu, n_cpu);
	}
	put(a, "--main-lcore=0");
}

static void
put_memory(struct sp_eal_args *a, const struct sp_eal_conf *conf)
{
	if (conf->hugepages) {
		put(a, "--in-memory");
	} else {
		put(a, "--no-huge");
		put(a, "--no-shconf");
	}
	if (conf->memory_mb) {
		put(a, "-m");
		put(a, "%u", conf->memory_mb);
	}
}

static void
put_devices(struct sp_eal_args *a, const struct sp_eal_conf *conf)
{
	if (conf->n_pci == 0)
		put(a, "--no-pci");
	/* Without a list DPDK takes every NIC that it has a driver for. */
	for (unsigned i = 0; i < conf->n_pci; i++) {
		put(a, "-a");
		put(a, "%s", conf->pci[i]);
	}
}

enum sp_status
sp_eal_build(const struct sp_eal_conf *conf, const unsigned *allowed,
	unsigned n_allowed, struct sp_eal_args *out, char why[SP_EAL_WHY])
{
	const unsigned n_cpu = conf->n_cpus ? conf->n_cpus : n_allowed;

	if (conf->n_workers == 0 || conf->n_workers > SP_EAL_WORKERS_MAX) {
		snprintf(why, SP_EAL_WHY, "%u workers: 1 to %u are possible",
			conf->n_workers, SP_EAL_WORKERS_MAX);
		return SP_TOO_LONG;
	}
	if (n_cpu == 0 || (conf->pin && n_cpu < conf->n_workers)) {
		snprintf(why, SP_EAL_WHY,
			"%u workers can not have a CPU each of %u: "
			"use fewer workers or idle: sleep",
			conf->n_workers, n_cpu);
		return SP_CONFLICT;
	}

	out->argc = 0;
	out->used = 0;
	put(out, "%s", conf->name ? conf->name : "sallyport");
	/* Its socket asks another DPDK process of our prefix, at the start,
	   whether it lives: a stopped one would hold us up for ever. */
	put(out, "--no-telemetry");
	if (conf->file_prefix)
		put(out, "--file-prefix=%s", conf->file_prefix);
	put_memory(out, conf);
	put_devices(out, conf);
	put_lcores(out, conf, allowed, n_allowed);
	if (out->used == sizeof out->text) {
		snprintf(why, SP_EAL_WHY,
			"too many workers, CPUs or devices for DPDK's "
			"command line");
		return SP_TOO_LONG;
	}
	return SP_OK;
}

void
sp_eal_say(int priority, const char *line)
{
	if (priority <= LOG_ERR && eal.error[0] == '\0')
		snprintf(eal.error, sizeof eal.error, "%.*s",
			(int)sizeof eal.error - 1, line);
	if (eal.log)
		eal.log(eal.arg, priority, line);
}

const char *
sp_eal_first_error(void)
{
	return eal.error;
}

void
sp_eal_forget_error(void)
{
	eal.error[0] = '\0';
}

/* Hand over the line that is complete. DPDK's levels are syslog's plus 1. */
static void
flush_line(void)
{
	int priority = rte_log_cur_msg_loglevel() - 1;

	if (priority < LOG_EMERG || priority > LOG_DEBUG)
		priority = LOG_INFO;
	eal.line[eal.len] = '\0';
	if (eal.len)
		sp_eal_say(priority, eal.line);
	eal.len = 0;
}

/* The C library calls it, under the stream's lock, for all DPDK writes. */
static ssize_t
take_log(void *cookie, const char *text, size_t len)
{
	(void)cookie;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' || eal.len == sizeof eal.line - 1)
			flush_line();
		if (text[i] != '\n')
			eal.line[eal.len++] = text[i];
	}
	return (ssize_t)len;
}

/* List the CPUs this process may run on; answer how many. */
static unsigned
allowed_cpus(unsigned cpu[CPU_SETSIZE])
{
	cpu_set_t set;
	unsigned n = 0;

	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 0;
	for (unsigned i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			cpu[n++] = i;
	return n;
}

static enum sp_status
open_log(const struct sp_eal_conf *conf, char why[SP_EAL_WHY])
{
	const cookie_io_functions_t io = { .write = take_log };

	eal.log = conf->log;
	eal.arg = conf->log_arg;
	if (!conf->log)
		return SP_OK;
	eal.stream = fopencookie(NULL, "w", io);
	if (!eal.stream) {
		snprintf(why, SP_EAL_WHY, "no stream for DPDK's log: %m");
		return SP_SYSTEM;
	}
	rte_openlog_stream(eal.stream);
	return SP_OK;
}

static void
close_log(void)
{
	rte_openlog_stream(NULL);
	if (eal.stream)
		fclose(eal.stream);
	eal.stream = NULL;
	eal.log = NULL;
}

enum sp_status
sp_eal_open(const struct sp_eal_conf *conf, char why[SP_EAL_WHY])
{
	static struct sp_eal_args args; /* DPDK keeps pointers into it */
	unsigned cpu[CPU_SETSIZE];
	enum sp_status status;

	assert(!eal.opened);
	status = sp_eal_build(conf, cpu, allowed_cpus(cpu), &args, why);
	if (status == SP_OK)
		status = open_log(conf, why);
	if (status != SP_OK)
		return status;

	sp_eal_forget_error();
	if (rte_eal_init(args.argc, args.argv) < 0) {
		snprintf(why, SP_EAL_WHY, "DPDK does not start (%s)%s%.90s%s",
			rte_strerror(rte_errno), eal.error[0] ? ": " : "",
			eal.error,
			conf->hugepages ? ": are there enough hugepages? See "
					  "/sys/kernel/mm/hugepages"
					: "");
		close_log();
		return SP_SYSTEM;
	}
	eal.opened = true;
	return SP_OK;
}

void
sp_eal_close(void)
{
	if (!eal.opened)
		return;
	rte_eal_cleanup();
	eal.opened = false;
	close_log();
}
