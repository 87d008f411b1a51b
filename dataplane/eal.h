/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_EAL_H
#define SP_DATAPLANE_EAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/status.h"

/* Longest text that says why something did not open, NUL included. */
#define SP_EAL_WHY 200

/* Most workers: lcore 0 is the control thread, worker i is lcore i + 1. */
#define SP_EAL_WORKERS_MAX 64

/*
 * Take one line of DPDK's or our own log. @priority is as in syslog(3). Called
 * on whatever thread logs, at start-up nearly always the control thread.
 */
typedef void (*sp_eal_log)(void *arg, int priority, const char *line);

/* What DPDK's environment needs to know. Strings and arrays are borrowed. */
struct sp_eal_conf {
	const char *name;        /* argv[0]; NULL: "sallyport" */
	const char *file_prefix; /* of the run-time directory; NULL: DPDK's */
	bool hugepages;          /* false: ordinary memory, no root needed */
	unsigned memory_mb;      /* in all; 0 with hugepages: as it grows */
	unsigned n_workers;      /* at least 1 */
	const unsigned *cpus;    /* CPU ids the workers may use */
	unsigned n_cpus;         /* 0: those this process may run on */
	bool pin;                /* each worker keeps one CPU of its own */
	const char *const *pci;  /* PCI addresses that are handed to DPDK */
	unsigned n_pci;
	sp_eal_log log; /* NULL: DPDK writes to stderr */
	void *log_arg;
};

/* Argument vector for rte_eal_init: what sp_eal_open hands to DPDK. */
#define SP_EAL_ARGS_MAX 64
#define SP_EAL_TEXT_MAX 4096
struct sp_eal_args {
	int argc;
	char *argv[SP_EAL_ARGS_MAX + 1];
	size_t used;
	char text[SP_EAL_TEXT_MAX];
};

/*
 * Build DPDK's arguments for @conf. @allowed are the CPUs this process may run
 * on, used where @conf names none; pure, for sp_eal_open and tests.
 *
 * Core:  start-up.
 * Fails: SP_TOO_LONG if there are too many workers, CPUs or devices,
 *        SP_CONFLICT if more workers are to be pinned than there are CPUs;
 *        @why then says so.
 */
enum sp_status sp_eal_build(const struct sp_eal_conf *conf,
	const unsigned *allowed, unsigned n_allowed, struct sp_eal_args *out,
	char why[SP_EAL_WHY]) SP_MUST_CHECK;

/*
 * Start DPDK. The calling thread becomes the main lcore; launch worker i with
 * rte_eal_remote_launch on lcore sp_eal_lcore(i). Once in a process: DPDK can
 * not be started again after it was closed.
 *
 * Core:  start-up; the control thread.
 * Fails: as sp_eal_build; SP_SYSTEM if DPDK refuses, with the cure in @why.
 */
enum sp_status sp_eal_open(
	const struct sp_eal_conf *conf, char why[SP_EAL_WHY]) SP_MUST_CHECK;

/* Give everything of DPDK back, after the last port was closed. */
void sp_eal_close(void);

/*
 * Log a line of another library in the way of DPDK's.
 *
 * Core: any.
 */
void sp_eal_say(int priority, const char *line);

/*
 * Return the first line that was logged as an error since
 * sp_eal_forget_error, "" if none was: libraries name the cause there and
 * nowhere else, and then complain all the way up.
 *
 * Core: control.
 */
const char *sp_eal_first_error(void);
void sp_eal_forget_error(void);

/* Return the lcore id of worker @worker. */
static inline unsigned
sp_eal_lcore(unsigned worker)
{
	return worker + 1;
}

#endif
