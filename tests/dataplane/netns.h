/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_DATAPLANE_NETNS_H
#define SP_TESTS_DATAPLANE_NETNS_H

#include <criterion/criterion.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Network namespaces without names: they end with the process of the test,
 * however that ends, and nothing is left to clean up.
 */

/* Run a shell command; the test fails if it does. */
__attribute__((format(printf, 1, 2))) static inline void
netns_run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof command, format, args);
	va_end(args);
	cr_assert(system(command) == 0, "%s", command);
}

/* Move the test into a namespace of its own, with only the loopback. */
static inline void
netns_enter(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root for a network namespace");
	cr_assert(unshare(CLONE_NEWNET) == 0);
	netns_run("ip link set lo up");
}

static pid_t netns_peer_pid;

static inline void
netns_peer_end(void)
{
	if (netns_peer_pid > 0 && kill(netns_peer_pid, SIGKILL) == 0)
		waitpid(netns_peer_pid, NULL, 0);
}

/*
 * Start a process in a second namespace; one a test. It ends with the test,
 * and by the kernel's hand if the test crashes.
 */
static inline pid_t
netns_peer(void)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	cr_assert(pipe(ready) == 0 && netns_peer_pid == 0);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
			unshare(CLONE_NEWNET) != 0 ||
			write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	netns_peer_pid = pid;
	atexit(netns_peer_end);
	cr_assert(pid > 0 && read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* Add a link @name that is up and ends in the test's own namespace. */
static inline void
netns_link(const char *name)
{
	netns_run("ip link add %s type veth peer name %s-far && "
		  "ip link set %s up && ip link set %s-far up",
		name, name, name, name);
}

/* The kernel gets there a little later: links up, no address tentative. */
#define NETNS_SETTLE                                                           \
	"while ip link show up | grep -q \"state [DL]\" || "                   \
	"ip -6 addr show tentative | grep -q inet6; do sleep 0.01; done"

/*
 * Connect the test (va: 10.0.0.1/24, fd00::1/64) with a peer (vb: .2, ::2)
 * that answers 02:00:00:00:00:0b. Return the peer's process.
 */
static inline pid_t
netns_pair(void)
{
	pid_t peer;

	netns_enter();
	peer = netns_peer();
	netns_run("ip link add va address 02:00:00:00:00:0a type veth "
		  "peer name vb netns %d address 02:00:00:00:00:0b",
		peer);
	netns_run("echo 0 >/proc/sys/net/ipv6/conf/va/accept_dad && "
		  "ip addr add 10.0.0.1/24 dev va && "
		  "ip addr add fd00::1/64 dev va nodad && "
		  "ip link set va up");
	netns_run("nsenter -t %d -n sh -c '"
		  "echo 0 >/proc/sys/net/ipv6/conf/vb/accept_dad && "
		  "ip addr add 10.0.0.2/24 dev vb && "
		  "ip addr add fd00::2/64 dev vb nodad && "
		  "ip link set vb up && " NETNS_SETTLE "'",
		peer);
	netns_run(NETNS_SETTLE);
	return peer;
}

/* Have va ask quickly, so that failures do not take seconds. */
static inline void
netns_hurry(void)
{
	netns_run("echo 20 >/proc/sys/net/ipv4/neigh/va/retrans_time_ms && "
		  "echo 20 >/proc/sys/net/ipv6/neigh/va/retrans_time_ms");
}

/* Wait until @fd is readable, at most @ms. */
static inline bool
netns_wait(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

#endif
