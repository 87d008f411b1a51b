/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/http_exchange.h"
#include "control/log.h"

#define BACKLOG 256
#define TURNS 8u /* of MHD before others on the loop have theirs */
#define PEM_MAX 65536u
/*
 * Of a connection, for the requests it carries. libmicrohttpd maps more than
 * 32 KiB, and so unmaps them when it ends: keys do not stay in the heap.
 */
#define CONNECTION_BYTES ((size_t)36864)
#define FLAGS (MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG)

/* An address as the socket calls want it. */
struct socket_address {
	union {
		struct sockaddr any;
		struct sockaddr_in ip4;
		struct sockaddr_in6 ip6;
	} sa;
	socklen_t len;
};

static struct socket_address
socket_address(const struct sp_addr *a)
{
	struct socket_address out;

	memset(&out, 0, sizeof out);
	if (a->family == SP_FAMILY_IP6) {
		out.sa.ip6.sin6_family = AF_INET6;
		out.sa.ip6.sin6_port = htons(a->port);
		memcpy(&out.sa.ip6.sin6_addr, a->ip, sizeof a->ip);
		out.len = sizeof out.sa.ip6;
	} else {
		out.sa.ip4.sin_family = AF_INET;
		out.sa.ip4.sin_port = htons(a->port);
		memcpy(&out.sa.ip4.sin_addr, a->ip + 12, 4);
		out.len = sizeof out.sa.ip4;
	}
	return out;
}

/* Our own socket, so that a taken port is told by its name. */
static int
listen_on(const struct sp_addr *addr, uint16_t *port)
{
	struct socket_address at = socket_address(addr);
	const int on = 1;
	const int fd = socket(at.sa.any.sa_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
		bind(fd, &at.sa.any, at.len) != 0 || listen(fd, BACKLOG) != 0 ||
		getsockname(fd, &at.sa.any, &at.len) != 0) {
		const int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	*port = ntohs(at.sa.any.sa_family == AF_INET6 ? at.sa.ip6.sin6_port
						      : at.sa.ip4.sin_port);
	return fd;
}

static char *
read_pem(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = file ? calloc(1, PEM_MAX) : NULL;

	if (text && fread(text, 1, PEM_MAX - 1, file) == 0) {
		free(text);
		text = NULL;
	}
	if (file)
		fclose(file);
	return text;
}

static void
free_pem(char *text)
{
	if (text)
		explicit_bzero(text, PEM_MAX);
	free(text);
}

static void
on_log(void *arg, const char *format, va_list args)
{
	char text[SP_LOG_LINE / 2];

	(void)arg;
	vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	sp_log_say(SP_LOG_INFO, "http", "%s", text);
}

static void
cut_off(struct sp_http_conn *conn)
{
	conn->cut = true;
	shutdown(conn->fd, SHUT_RDWR);
}

/*
 * Slow clients must not keep quick ones out, and on loopback all of them have
 * one address: who has taken longest goes.
 */
static void
make_room(struct sp_http *h)
{
	struct sp_http_conn *idlest = NULL;

	for (struct sp_http_conn *c = h->conns; c; c = c->next)
		if (!c->waiting && !c->cut &&
			(!idlest || c->since_ms <= idlest->since_ms))
			idlest = c;
	if (idlest)
		cut_off(idlest);
}

/* A connection came or went. */
static void
on_connection(void *http, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	struct sp_http *h = http;
	struct sp_http_conn *conn = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(
			mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

		conn = calloc(1, sizeof *conn);
		*context = conn;
		if (!conn) {
			/* Not to be watched, so not to be kept. */
			shutdown(info->connect_fd, SHUT_RDWR);
			return;
		}
		if (++h->n_conns > SP_HTTP_CROWD)
			make_room(h);
		conn->fd = info->connect_fd;
		conn->since_ms = h->now_ms;
		conn->next = h->conns;
		conn->link = &h->conns;
		if (conn->next)
			conn->next->link = &conn->next;
		h->conns = conn;
	} else if (conn) {
		*conn->link = conn->next;
		if (conn->next)
			conn->next->link = conn->link;
		free(conn);
		h->n_conns--;
		*context = NULL;
	}
}

/* A path's escapes are undone where its call-id is known by its length. */
static size_t
keep_escapes(void *arg, struct MHD_Connection *conn, char *text)
{
	(void)arg;
	(void)conn;
	return strlen(text);
}

static enum sp_status
tls_open(struct sp_http *h, char *why)
{
	if (!h->conf->tls_cert[0])
		return SP_OK;
	h->tls_cert = read_pem(h->conf->tls_cert);
	h->tls_key = read_pem(h->conf->tls_key);
	if (h->tls_cert && h->tls_key)
		return SP_OK;
	snprintf(why, SP_HTTP_WHY, "cannot read %s of control.%s",
		h->tls_cert ? h->conf->tls_key : h->conf->tls_cert,
		h->tls_cert ? "tls_key" : "tls_cert");
	return SP_SYSTEM;
}

static enum sp_status
daemon_open(struct sp_http *h, int fd, char *why)
{
	const struct MHD_OptionItem tls[] = {
		{ h->tls_cert ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0,
			h->tls_cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, h->tls_key },
		{ MHD_OPTION_END, 0, NULL },
	};

	h->daemon = MHD_start_daemon(FLAGS | (h->tls_cert ? MHD_USE_TLS : 0), 0,
		NULL, NULL, sp_http_exchange_step, h,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, h, MHD_OPTION_LISTEN_SOCKET,
		fd, MHD_OPTION_CONNECTION_LIMIT, SP_HTTP_CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES,
		MHD_OPTION_NOTIFY_COMPLETED, sp_http_exchange_end, h,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, h, MHD_OPTION_ARRAY,
		tls, MHD_OPTION_END);
	if (!h->daemon) {
		close(fd);
		snprintf(why, SP_HTTP_WHY, "libmicrohttpd does not start%s",
			h->tls_cert ? ": see control.tls_cert and tls_key"
				    : "");
		return SP_SYSTEM;
	}
	return SP_OK;
}

static enum sp_status
epoll_open(struct sp_http *h, char *why)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct epoll_event event = { .events = EPOLLIN };

	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	h->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->epoll >= 0 && h->kick >= 0 &&
		epoll_ctl(h->epoll, EPOLL_CTL_ADD, h->kick, &event) == 0 &&
		epoll_ctl(h->epoll, EPOLL_CTL_ADD, info->epoll_fd, &event) == 0)
		return SP_OK;
	snprintf(why, SP_HTTP_WHY, "epoll: %s", strerror(errno));
	return SP_SYSTEM;
}

enum sp_status
sp_http_open(const struct sp_config *conf, struct sp_service *service,
	struct sp_http **out, char why[SP_HTTP_WHY])
{
	struct sp_http *h = calloc(1, sizeof *h);
	char where[SP_ADDR_TEXT];
	enum sp_status status;
	int fd = -1;

	snprintf(why, SP_HTTP_WHY, "out of memory");
	if (!h)
		return SP_NO_MEMORY;
	h->conf = conf;
	h->service = service;
	h->epoll = -1;
	h->kick = -1;
	status = tls_open(h, why);
	if (status == SP_OK) {
		fd = listen_on(&conf->http, &h->port);
		if (fd < 0) {
			status = SP_SYSTEM;
			snprintf(why, SP_HTTP_WHY,
				"cannot listen on control.http %s: %s",
				sp_addr_print(&conf->http, where),
				strerror(errno));
		}
	}
	if (status == SP_OK)
		status = daemon_open(h, fd, why);
	if (status == SP_OK)
		status = epoll_open(h, why);

	if (status != SP_OK) {
		sp_http_close(h);
		return status;
	}
	*out = h;
	return SP_OK;
}

void
sp_http_close(struct sp_http *h)
{
	if (!h)
		return;
	h->closing = true;
	if (h->daemon) {
		sp_http_serve(h); /* let the last replies out */
		MHD_stop_daemon(h->daemon);
	}
	if (h->kick >= 0)
		close(h->kick);
	if (h->epoll >= 0)
		close(h->epoll);
	free_pem(h->tls_cert);
	free_pem(h->tls_key);
	free(h);
}

void
sp_http_serve_ng(struct sp_http *h, struct sp_ng *ng, struct sp_ng_udp *udp)
{
	h->ng = ng;
	h->ng_udp = udp;
}

int
sp_http_fd(const struct sp_http *h)
{
	return h->epoll;
}

void
sp_http_kick(struct sp_http *h)
{
	/* It can only fail by being full, which is as good. */
	eventfd_write(h->kick, 1);
}

void
sp_http_serve(struct sp_http *h)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;
	eventfd_t kicks;

	eventfd_read(h->kick, &kicks);
	for (unsigned int i = 0; i < TURNS; i++) {
		if (MHD_run(h->daemon) != MHD_YES)
			return;
		if (MHD_get_timeout(h->daemon, &wait_ms) != MHD_YES ||
			wait_ms > 0)
			return;
	}
	sp_http_kick(h);
}

void
sp_http_tick(struct sp_http *h, uint64_t now_ms)
{
	h->now_ms = now_ms;
	for (struct sp_http_conn *c = h->conns; c; c = c->next) {
		/* Accepted before the first tick, when no time was known. */
		if (c->since_ms == 0 || c->waiting)
			c->since_ms = now_ms;
		if (now_ms - c->since_ms > SP_HTTP_PATIENCE_MS)
			cut_off(c);
	}
}

uint16_t
sp_http_port(const struct sp_http *h)
{
	return h->port;
}
