/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * storm OBJECT SEED EVERY_MS MOST_MS: take CPUs away, one pause in EVERY_MS,
 * of MOST_MS at most, until SIGTERM; then say how often and for how long.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* storm.bpf.c's, in its order; a timer is opaque. */
struct settings {
	__u64 seed;
	__u64 every_ms;
	__u64 most_ms;
};

struct cpu {
	__u64 timer[2];
	__u64 pauses;
	__u64 paused_ns;
};

static struct bpf_object *
load(char **argv)
{
	const struct settings s = { strtoull(argv[2], NULL, 10),
		strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10) };
	struct bpf_object *o = bpf_object__open_file(argv[1], NULL);
	struct bpf_map *map;

	if (!o || s.every_ms == 0 || s.most_ms == 0)
		errx(1, "no program, or no time");
	map = bpf_object__find_map_by_name(o, ".rodata");
	if (!map || bpf_map__set_initial_value(map, &s, sizeof s) != 0 ||
		bpf_object__load(o) != 0)
		err(1, "%s", argv[1]);
	return o;
}

/* The timer of each CPU is started on it. */
static void
arm(int program)
{
	char frame[64] = { 0 };
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof all, &all) != 0)
		err(1, "sched_getaffinity");
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame,
			.data_size_in = sizeof frame, .repeat = 1);

		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof one, &one) != 0 ||
			bpf_prog_test_run_opts(program, &o) != 0 ||
			o.retval != 0)
			err(1, "CPU %d", cpu);
	}
	(void)sched_setaffinity(0, sizeof all, &all);
}

int
main(int argc, char **argv)
{
	struct bpf_program *program;
	struct bpf_object *o;
	struct cpu c, sum = { 0 };
	sigset_t end;
	int got, cpus;

	if (argc != 5)
		errx(2, "usage: storm OBJECT SEED EVERY_MS MOST_MS");
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	sigprocmask(SIG_BLOCK, &end, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	o = load(argv);
	program = bpf_object__find_program_by_name(o, "arm");
	cpus = bpf_object__find_map_fd_by_name(o, "cpus");
	if (!program || cpus < 0)
		errx(1, "%s: not the program", argv[1]);
	arm(bpf_program__fd(program));
	puts("storm");
	fflush(stdout);
	sigwait(&end, &got);
	for (__u32 cpu = 0; bpf_map_lookup_elem(cpus, &cpu, &c) == 0; cpu++) {
		sum.pauses += c.pauses;
		sum.paused_ns += c.paused_ns;
	}
	printf("paused %llu times, %.3f s\n", sum.pauses,
		(double)sum.paused_ns * 1e-9);
	bpf_object__close(o);
	return 0;
}
