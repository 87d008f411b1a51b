/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/eal.h"

/* A configuration as values, and the arguments that it makes. */
struct args_case {
	char name[32];
	unsigned workers;
	unsigned n_cpus;
	unsigned cpu[4];
	unsigned n_allowed; /* CPUs 0, 1, ... */
	bool pin;
	bool hugepages;
	unsigned memory_mb;
	char pci[16];
	char want[192];
};

ParameterizedTestParameters(eal, builds_arguments)
{
	static struct args_case cases[] = {
		{ "two workers on two CPUs", 2, 0, { 0 }, 2, false, false, 64,
			"",
			"sp --no-telemetry --no-huge --no-shconf -m 64 "
			"--no-pci "
			"--lcores=0@(0,1),1@(0,1),2@(0,1) --main-lcore=0" },
		{ "two workers on one CPU", 2, 0, { 0 }, 1, false, false, 64,
			"",
			"sp --no-telemetry --no-huge --no-shconf -m 64 "
			"--no-pci "
			"--lcores=0@(0),1@(0),2@(0) --main-lcore=0" },
		{ "pinned: control has the rest", 2, 0, { 0 }, 4, true, false,
			64, "",
			"sp --no-telemetry --no-huge --no-shconf -m 64 "
			"--no-pci "
			"--lcores=0@(2,3),1@(0),2@(1) --main-lcore=0" },
		{ "pinned: no CPU is left", 1, 0, { 0 }, 1, true, false, 64, "",
			"sp --no-telemetry --no-huge --no-shconf -m 64 "
			"--no-pci "
			"--lcores=0@(0),1@(0) --main-lcore=0" },
		{ "a list, pinned", 2, 2, { 3, 1 }, 4, true, false, 64, "",
			"sp --no-telemetry --no-huge --no-shconf -m 64 "
			"--no-pci "
			"--lcores=0@(0,2),1@(3),2@(1) --main-lcore=0" },
		{ "a list, floating", 1, 2, { 2, 3 }, 4, false, false, 64, "",
			"sp --no-telemetry --no-huge --no-shconf -m 64 "
			"--no-pci "
			"--lcores=0@(0,1,2,3),1@(2,3) --main-lcore=0" },
		{ "hugepages and a NIC", 1, 0, { 0 }, 1, false, true, 0,
			"0000:3b:00.0",
			"sp --no-telemetry --in-memory -a 0000:3b:00.0 "
			"--lcores=0@(0),1@(0) --main-lcore=0" },
	};

	return cr_make_param_array(
		struct args_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct args_case *c, eal, builds_arguments)
{
	const unsigned allowed[] = { 0, 1, 2, 3 };
	const char *pci = c->pci;
	const struct sp_eal_conf conf = {
		.name = "sp",
		.hugepages = c->hugepages,
		.memory_mb = c->memory_mb,
		.n_workers = c->workers,
		.cpus = c->cpu,
		.n_cpus = c->n_cpus,
		.pin = c->pin,
		.pci = &pci,
		.n_pci = c->pci[0] != '\0',
	};
	static struct sp_eal_args args;
	char why[SP_EAL_WHY] = "";
	char line[1024] = "";

	cr_assert(
		eq(int, sp_eal_build(&conf, allowed, c->n_allowed, &args, why),
			SP_OK),
		"%s: %s", c->name, why);
	for (int i = 0; i < args.argc; i++) {
		strcat(line, i ? " " : "");
		strcat(line, args.argv[i]);
	}
	cr_expect(eq(str, line, c->want), "%s", c->name);
	cr_expect(eq(ptr, args.argv[args.argc], NULL));
}

/* Build for @workers on @n CPUs; the reason goes to @why. */
static enum sp_status
build(unsigned workers, unsigned n, bool pin, char why[SP_EAL_WHY])
{
	static unsigned allowed[CPU_SETSIZE];
	static struct sp_eal_args args;
	const struct sp_eal_conf conf = { .n_workers = workers, .pin = pin };

	for (unsigned i = 0; i < n; i++)
		allowed[i] = i;
	return sp_eal_build(&conf, allowed, n, &args, why);
}

Test(eal, refuses_more_pinned_workers_than_cpus)
{
	char why[SP_EAL_WHY] = "";

	cr_expect(eq(int, build(3, 2, true, why), SP_CONFLICT));
	cr_expect(strstr(why, "3 workers") != NULL, "%s", why);
	cr_expect(eq(int, build(3, 2, false, why), SP_OK));
}

Test(eal, refuses_no_and_too_many_workers)
{
	char why[SP_EAL_WHY] = "";

	cr_expect(eq(int, build(0, 2, false, why), SP_TOO_LONG));
	cr_expect(eq(int, build(SP_EAL_WORKERS_MAX, 2, false, why), SP_OK));
	cr_expect(eq(int, build(SP_EAL_WORKERS_MAX + 1, 2, false, why),
		SP_TOO_LONG));
}

Test(eal, refuses_what_does_not_fit_a_command_line)
{
	char why[SP_EAL_WHY] = "";

	cr_expect(eq(
		int, build(SP_EAL_WORKERS_MAX, 500, false, why), SP_TOO_LONG));
}

/* What came through the log's callback. */
struct heard {
	unsigned lines;
	int priority;
	char last[128];
};

static void
hear(void *arg, int priority, const char *line)
{
	struct heard *h = arg;

	h->lines++;
	h->priority = priority;
	snprintf(h->last, sizeof h->last, "%s", line);
}

static int
answer(void *arg)
{
	(void)arg;
	return 42;
}

Test(eal, runs_a_worker_on_its_lcore_and_logs_lines)
{
	struct heard heard = { 0 };
	const struct sp_eal_conf conf = {
		.memory_mb = 64,
		.n_workers = 2,
		.log = hear,
		.log_arg = &heard,
	};
	char why[SP_EAL_WHY] = "";

	cr_assert(eq(int, sp_eal_open(&conf, why), SP_OK), "%s", why);
	cr_expect(eq(uint, rte_get_main_lcore(), 0));
	cr_expect(eq(uint, rte_lcore_count(), 3));
	for (unsigned w = 0; w < 2; w++) {
		const unsigned lcore = sp_eal_lcore(w);

		cr_assert(
			eq(int, rte_eal_remote_launch(answer, NULL, lcore), 0));
		cr_expect(eq(int, rte_eal_wait_lcore(lcore), 42));
	}

	cr_expect(gt(uint, heard.lines, 0), "DPDK says what it starts with");
	sp_eal_forget_error();
	rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "half a ");
	rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "line\nanother one\n");
	cr_expect(eq(str, heard.last, "another one"));
	cr_expect(eq(int, heard.priority, 3));
	cr_expect(eq(str, (char *)sp_eal_first_error(), "half a line"));
	sp_eal_close();
	sp_eal_close();
}
