/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/pktgen.h"

#define SPACE (4 << 20) /* bytes that may wait in ng's socket */
#define WAIT_MS 1

/* A connection, and as much of its reply as is there. */
struct line {
	char in[PKTGEN_SAID_MAX];
	size_t len;
};

static struct line line[PKTGEN_DOOR_SLOTS];
static struct pollfd polled[PKTGEN_DOOR_SLOTS];
static unsigned int n_lines; /* 1: ng */
static bool is_http;

static struct sockaddr_in
read_address(const char *address)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	const char *colon = strrchr(address, ':');
	char host[64] = "";

	if (colon && (size_t)(colon - address) < sizeof host)
		snprintf(host, sizeof host, "%.*s", (int)(colon - address),
			address);
	if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
		pktgen_die("%s: not an IPv4 address and port", address);
	to.sin_port = htons((uint16_t)atoi(colon + 1));
	return to;
}

/* A socket stays in the namespace that it was made in. */
static int
socket_in(const char *netns, int kind)
{
	int home, there, fd = -1;

	if (!netns)
		return socket(AF_INET, kind, 0);
	home = open("/proc/thread-self/ns/net", O_RDONLY);
	there = open(netns, O_RDONLY);
	if (home >= 0 && there >= 0 && setns(there, CLONE_NEWNET) == 0) {
		fd = socket(AF_INET, kind, 0);
		if (setns(home, CLONE_NEWNET) != 0)
			pktgen_die("setns: %s", strerror(errno));
	}
	if (home >= 0)
		close(home);
	if (there >= 0)
		close(there);
	return fd;
}

void
pktgen_door_open(bool http, const char *address, const char *netns)
{
	const struct sockaddr_in to = read_address(address);
	const int space = SPACE, on = 1;

	is_http = http;
	n_lines = http ? PKTGEN_DOOR_SLOTS : 1;
	for (unsigned int i = 0; i < n_lines; i++) {
		const int fd =
			socket_in(netns, http ? SOCK_STREAM : SOCK_DGRAM);

		if (fd < 0 ||
			connect(fd, (const struct sockaddr *)&to, sizeof to) ||
			fcntl(fd, F_SETFL, O_NONBLOCK))
			pktgen_die("%s: %s", address, strerror(errno));
		if (http)
			setsockopt(
				fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		else
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &space,
				sizeof space);
		polled[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
		line[i].len = 0;
	}
}

void
pktgen_door_close(void)
{
	while (n_lines > 0)
		close(polled[--n_lines].fd);
}

bool
pktgen_door_is_sure(void)
{
	return is_http;
}

void
pktgen_door_send(unsigned int slot, const struct pktgen_ask *ask)
{
	char text[PKTGEN_ASK_MAX];
	const size_t len = is_http ? pktgen_http_write(ask, text)
				   : pktgen_ng_write(ask, text);
	ssize_t sent;

	if (len == 0)
		pktgen_die("call %u: a request is too long", ask->call);
	sent = send(polled[is_http ? slot : 0].fd, text, len, MSG_NOSIGNAL);
	/* What is lost of ng is sent again. */
	if (is_http && sent != (ssize_t)len)
		pktgen_die("call %u: HTTP: %s", ask->call, strerror(errno));
}

void
pktgen_door_wait(void)
{
	poll(polled, n_lines, WAIT_MS);
}

/* More of the line's reply; false: there is none yet. */
static bool
read_more(unsigned int i)
{
	struct line *l = &line[i];
	const ssize_t n = recv(
		polled[i].fd, l->in + l->len, sizeof l->in - 1 - l->len, 0);

	if (is_http && n == 0)
		pktgen_die("the relay ended an HTTP connection");
	if (n <= 0)
		return false;
	l->len += (size_t)n;
	l->in[l->len] = '\0';
	return true;
}

static int
receive_http(struct pktgen_said *out, const char **text)
{
	for (unsigned int i = 0; i < n_lines; i++) {
		struct line *l = &line[i];
		long len;

		if (!(polled[i].revents & (POLLIN | POLLHUP)))
			continue;
		polled[i].revents = 0;
		if (!read_more(i))
			continue;
		len = pktgen_http_read(l->in, l->len, out);
		if (len < 0)
			pktgen_die("not a reply: %.200s", l->in);
		if (len == 0)
			continue;
		*text = l->in;
		l->len = 0; /* one request, one reply */
		return (int)i;
	}
	return -1;
}

int
pktgen_door_receive(struct pktgen_said *out, const char **text)
{
	if (is_http)
		return receive_http(out, text);
	line[0].len = 0;
	while (read_more(0)) {
		if (pktgen_ng_read(line[0].in, line[0].len, out)) {
			*text = line[0].in;
			return PKTGEN_DOOR_SLOTS;
		}
		line[0].len = 0;
	}
	return -1;
}
