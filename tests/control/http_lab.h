/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_HTTP_LAB_H
#define SP_TESTS_HTTP_LAB_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_command.c"

#include "control/http.h"
#include "control/log.h"

/*
 * A real HTTP server on a loopback port with a fake service behind it, and a
 * client on a bare socket, both in one thread. For inclusion in one test.
 */

#define REPLY_MAX 65536
#define PATIENCE 500 /* polls of 10 ms */

#define END "Host: 127.0.0.1\r\nConnection: close\r\n\r\n"
#define JSON "Content-Type: application/json\r\n"
#define OFFER "{\"call_id\":\"abc\",\"from_tag\":\"t\",\"sdp\":\"v=0\\r\\n\"}"

static struct sp_config conf;
static struct sp_http *http;

static inline void
start(const char *token)
{
	char why[SP_HTTP_WHY];

	sp_log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	memset(&fake, 0, sizeof fake);
	sp_config_default(&conf);
	conf.http.port = 0;
	snprintf(conf.token, sizeof conf.token, "%s", token);
	cr_assert(eq(int, sp_http_open(&conf, NULL, &http, why), SP_OK), "%s",
		why);
	sp_http_tick(http, 1000);
}

static inline void
start_open(void)
{
	start("");
}

static inline void
stop(void)
{
	fake_answer_all();
	sp_http_close(http);
	http = NULL;
}

static inline int
dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(sp_http_port(http)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(int, connect(fd, (void *)&to, sizeof to), 0));
	return fd;
}

/* Serve when the descriptor says so, as the event loop would. */
static inline void
serve(void)
{
	struct pollfd p = { .fd = sp_http_fd(http), .events = POLLIN };

	if (poll(&p, 1, 10) > 0)
		sp_http_serve(http);
}

static inline void
serve_for(int polls)
{
	while (polls-- > 0)
		serve();
}

/* Read until the server hangs up; the length, or -1 if it never does. */
static inline ssize_t
read_all(int fd, char *reply)
{
	size_t len = 0;

	for (int i = 0; i < PATIENCE; i++) {
		ssize_t n;

		serve();
		n = recv(fd, reply + len, REPLY_MAX - 1 - len, MSG_DONTWAIT);
		if (n > 0)
			len += (size_t)n;
		reply[len] = '\0';
		if (n == 0)
			return (ssize_t)len;
	}
	return -1;
}

static inline void
send_text(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		const ssize_t n =
			send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			serve();
		else
			text += n, len -= (size_t)n;
	}
}

/* One request on a connection of its own; the reply's status code. */
static inline int
ask(const char *request, char *reply)
{
	const int fd = dial();
	int status = 0;

	send_text(fd, request);
	cr_assert(ge(long, (long)read_all(fd, reply), 0), "no end: %s", reply);
	close(fd);
	sscanf(reply, "HTTP/1.1 %d", &status);
	return status;
}

static inline int
post(const char *path, const char *headers, const char *body, char *reply)
{
	char request[4096];

	snprintf(request, sizeof request,
		"POST %s HTTP/1.1\r\n%sContent-Length: %zu\r\n" END "%s", path,
		headers, strlen(body), body);
	return ask(request, reply);
}

static inline bool
has(const char *reply, const char *text)
{
	return strstr(reply, text) != NULL;
}

#endif
