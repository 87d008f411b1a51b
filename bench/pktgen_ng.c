/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_ng.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/pktgen.h"

#define SPACE (4 << 20) /* bytes that may wait in the socket */

static int sock = -1;

void
pktgen_ng_printf(struct pktgen_ng_text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->at + t->len, t->size - t->len, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->size - t->len)
		pktgen_die("a request is too long");
	t->len += (size_t)n;
}

void
pktgen_ng_string(struct pktgen_ng_text *t, const char *value)
{
	pktgen_ng_printf(t, "%zu:%s", strlen(value), value);
}

void
pktgen_ng_pair(struct pktgen_ng_text *t, const char *key, const char *value)
{
	pktgen_ng_string(t, key);
	pktgen_ng_string(t, value);
}

/* A socket stays in the namespace that it was made in. */
static int
socket_in(const char *netns)
{
	int home, there, fd = -1;

	if (!netns)
		return socket(AF_INET, SOCK_DGRAM, 0);
	home = open("/proc/thread-self/ns/net", O_RDONLY);
	there = open(netns, O_RDONLY);
	if (home >= 0 && there >= 0 && setns(there, CLONE_NEWNET) == 0) {
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		if (setns(home, CLONE_NEWNET) != 0)
			pktgen_die("setns: %s", strerror(errno));
	}
	if (home >= 0)
		close(home);
	if (there >= 0)
		close(there);
	return fd;
}

bool
pktgen_ng_open(const char *address, const char *netns)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	const char *colon = strrchr(address, ':');
	const int space = SPACE;
	char host[64];

	errno = EINVAL;
	if (!colon || (size_t)(colon - address) >= sizeof host)
		return false;
	snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
	to.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
		return false;
	sock = socket_in(netns);
	if (sock < 0)
		return false;
	setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &space, sizeof space);
	return connect(sock, (const struct sockaddr *)&to, sizeof to) == 0 &&
		fcntl(sock, F_SETFL, O_NONBLOCK) == 0;
}

void
pktgen_ng_close(void)
{
	close(sock);
	sock = -1;
}

void
pktgen_ng_send(const char *text, size_t len)
{
	/* What is lost is sent again. */
	(void)!send(sock, text, len, 0);
}

void
pktgen_ng_wait(void)
{
	struct pollfd polled = { .fd = sock, .events = POLLIN };

	poll(&polled, 1, 1);
}

size_t
pktgen_ng_receive(char reply[PKTGEN_NG_MAX])
{
	const ssize_t len = recv(sock, reply, PKTGEN_NG_MAX - 1, 0);

	if (len <= 0)
		return 0;
	reply[len] = '\0';
	return (size_t)len;
}

const char *
pktgen_ng_find(const char *reply, size_t len, const char *key, size_t *out_len)
{
	const char *at = memmem(reply, len, key, strlen(key));
	char *value;

	if (!at)
		return NULL;
	*out_len = strtoul(at + strlen(key), &value, 10);
	if (*value != ':' || *out_len > len - (size_t)(value + 1 - reply))
		return NULL;
	return value + 1;
}
