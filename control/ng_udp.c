/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ng_udp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "control/log.h"
#include "control/ng_counts.h"
#include "control/ng_socket.h"
#include "control/secret.h"

#define LOOK_MOST 8u          /* batches of one listener at a look */
#define LOOK_US 200u          /* between two looks */
#define SLICE_US 500u         /* of commands before others have a turn */
#define COMPLAIN_US 60000000u /* about strangers, once in */
#define NETWORKS_MAX 32u

/* A request that waits, with a copy of its bytes. */
struct waiting {
	struct waiting *next;
	struct sp_ng_path path;
	size_t len;
	char data[];
};

struct listener {
	struct sp_ng_udp *udp;
	int fd;
	uint16_t port;
};

struct sp_ng_udp {
	const struct sp_config *conf;
	struct sp_ng *ng;
	struct sp_ng_counts *counts;
	struct listener listener[SP_CONFIG_NG_MAX];
	unsigned int n_listeners;
	int epoll;   /* the sockets and @kick as one descriptor to poll */
	int kick;    /* eventfd: requests wait that no socket tells of */
	bool kicked; /* @kick is readable */
	struct waiting *first;
	struct waiting **last;
	size_t n_waiting;
	size_t waiting_bytes;
	uint64_t looked_us;
	uint64_t complained_us;
	struct sp_ng_buffer *buffer;
	struct sp_prefix network[NETWORKS_MAX]; /* that we were on at start */
	unsigned int n_networks;
};

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

/* Add a listener, which is closed with the others in any case. */
static bool
listen_on(struct sp_ng_udp *u, const struct sp_addr *addr)
{
	struct listener *l = &u->listener[u->n_listeners];
	struct epoll_event event = { .events = EPOLLIN };

	l->udp = u;
	l->fd = sp_ng_socket_open(addr, &l->port);
	if (l->fd < 0)
		return false;
	u->n_listeners++;
	return epoll_ctl(u->epoll, EPOLL_CTL_ADD, l->fd, &event) == 0;
}

static enum sp_status
open_all(struct sp_ng_udp *u, char *why)
{
	struct epoll_event event = { .events = EPOLLIN };
	char where[SP_ADDR_TEXT];

	u->buffer = malloc(sizeof *u->buffer);
	if (!u->buffer)
		return SP_NO_MEMORY;
	u->epoll = epoll_create1(EPOLL_CLOEXEC);
	u->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (u->epoll < 0 || u->kick < 0 ||
		epoll_ctl(u->epoll, EPOLL_CTL_ADD, u->kick, &event) != 0) {
		snprintf(why, SP_NG_UDP_WHY, "epoll: %s", strerror(errno));
		return SP_SYSTEM;
	}
	for (unsigned int i = 0; i < u->conf->n_ng; i++) {
		if (listen_on(u, &u->conf->ng[i]))
			continue;
		snprintf(why, SP_NG_UDP_WHY,
			"cannot listen on control.ng %s: %s",
			sp_addr_print(&u->conf->ng[i], where), strerror(errno));
		return SP_SYSTEM;
	}
	return SP_OK;
}

enum sp_status
sp_ng_udp_open(const struct sp_config *conf, struct sp_ng *ng,
	struct sp_ng_counts *counts, struct sp_ng_udp **out,
	char why[SP_NG_UDP_WHY])
{
	struct sp_ng_udp *u = calloc(1, sizeof *u);
	enum sp_status status;

	snprintf(why, SP_NG_UDP_WHY, "out of memory");
	if (!u)
		return SP_NO_MEMORY;
	u->conf = conf;
	u->ng = ng;
	u->counts = counts;
	u->epoll = -1;
	u->kick = -1;
	u->last = &u->first;
	u->n_networks = sp_ng_socket_networks(u->network, NETWORKS_MAX);
	status = open_all(u, why);
	if (status != SP_OK) {
		sp_ng_udp_close(u);
		return status;
	}
	*out = u;
	return SP_OK;
}

/* The oldest request that waits, which becomes the caller's; or NULL. */
static struct waiting *
dequeue(struct sp_ng_udp *u)
{
	struct waiting *w = u->first;

	if (!w)
		return NULL;
	u->first = w->next;
	if (!u->first)
		u->last = &u->first;
	u->waiting_bytes -= w->len;
	u->n_waiting--;
	return w;
}

void
sp_ng_udp_close(struct sp_ng_udp *u)
{
	struct waiting *w;

	if (!u)
		return;
	while ((w = dequeue(u)) != NULL)
		sp_secret_free(w);
	while (u->n_listeners > 0)
		close(u->listener[--u->n_listeners].fd);
	if (u->kick >= 0)
		close(u->kick);
	if (u->epoll >= 0)
		close(u->epoll);
	free(u->buffer);
	free(u);
}

int
sp_ng_udp_fd(const struct sp_ng_udp *u)
{
	return u->epoll;
}

uint16_t
sp_ng_udp_port(const struct sp_ng_udp *u, unsigned int i)
{
	return u->listener[i].port;
}

/* Who gets none asks again, and is then sent the one that is kept. */
static void
transmit(const struct sp_ng_path *path, const char *reply, size_t len)
{
	const struct listener *l = path->arg;

	if (!sp_ng_socket_send(l->fd, &path->ends, reply, len))
		l->udp->counts->unsent++;
}

/* The reply to a request. Before the next one may be a ping's turn. */
static void
on_reply(const struct sp_ng_path *path, const char *reply, size_t len)
{
	const struct listener *l = path->arg;

	transmit(path, reply, len);
	sp_ng_udp_glance(l->udp);
}

static bool
is_within(const struct sp_addr *addr, const struct sp_prefix *prefix,
	unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (sp_addr_within(addr, &prefix[i].addr, prefix[i].bits))
			return true;
	return false;
}

/* ng knows no password: who is not named must be private or on-link. */
static bool
is_client(const struct sp_ng_udp *u, const struct sp_addr *addr)
{
	const struct sp_config *conf = u->conf;

	if (conf->n_ng_clients > 0)
		return is_within(addr, conf->ng_clients, conf->n_ng_clients);
	return sp_addr_scope(addr) == SP_ADDR_PRIVATE ||
		is_within(addr, u->network, u->n_networks);
}

static void
refuse_stranger(struct sp_ng_udp *u, const struct sp_ng_path *path)
{
	char text[SP_ADDR_TEXT];

	u->counts->refused_clients++;
	if (u->complained_us > 0 &&
		path->came_us - u->complained_us < COMPLAIN_US)
		return;
	u->complained_us = path->came_us;
	sp_log_say(SP_LOG_WARNING, "ng_stranger",
		"%s may not speak ng, see ng_clients; datagrams dropped so "
		"far: %" PRIu64,
		sp_addr_print(&path->ends.client, text),
		u->counts->refused_clients);
}

/*
 * Put a message behind those that wait. What finds the queue full is dropped
 * rather than left to the kernel, where it would hide the pings behind it;
 * its sender tries again.
 */
static void
enqueue(struct sp_ng_udp *u, const struct sp_ng_path *path, const char *data,
	size_t len)
{
	struct waiting *w = NULL;

	if (u->n_waiting < SP_NG_QUEUE &&
		u->waiting_bytes + len <= SP_NG_QUEUE_BYTES)
		w = malloc(sizeof *w + len);
	if (!w) {
		u->counts->queue_full++;
		return;
	}
	w->next = NULL;
	w->path = *path;
	w->len = len;
	memcpy(w->data, data, len);
	*u->last = w;
	u->last = &w->next;
	u->waiting_bytes += len;
	u->n_waiting++;
}

static void
take_datagram(
	struct listener *l, const struct sp_ng_datagram *datagram, uint64_t now)
{
	struct sp_ng_udp *u = l->udp;
	const struct sp_ng_path path = {
		.send = on_reply,
		.arg = l,
		.ends = datagram->ends,
		.came_us = now,
	};
	char pong[SP_NG_PONG_MAX];
	size_t pong_len;

	u->counts->datagrams++;
	if (!is_client(u, &path.ends.client)) {
		refuse_stranger(u, &path);
		return;
	}
	pong_len = sp_ng_pong(u->ng, datagram->data, datagram->len, pong);
	if (pong_len > 0)
		transmit(&path, pong, pong_len);
	else
		enqueue(u, &path, datagram->data, datagram->len);
}

/* A flood of one listener must not keep the others, or the work, waiting. */
static void
look(struct sp_ng_udp *u)
{
	struct sp_ng_datagram got[SP_NG_BATCH];
	const uint64_t now = now_us();

	for (unsigned int i = 0; i < u->n_listeners; i++) {
		struct listener *l = &u->listener[i];
		unsigned int n = SP_NG_BATCH;

		for (unsigned int b = 0; b < LOOK_MOST && n == SP_NG_BATCH;
			b++) {
			n = sp_ng_socket_read(l->fd, u->buffer, got);
			for (unsigned int d = 0; d < n; d++) {
				take_datagram(l, &got[d], now);
				explicit_bzero(u->buffer->bytes[d], got[d].len);
			}
		}
	}
	u->looked_us = now_us();
}

/* Be called again if requests wait, and only then. */
static void
kick(struct sp_ng_udp *u)
{
	const bool wanted = u->first != NULL;
	eventfd_t kicks;

	if (wanted && !u->kicked)
		eventfd_write(u->kick, 1);
	else if (!wanted && u->kicked)
		eventfd_read(u->kick, &kicks);
	u->kicked = wanted;
	u->counts->queued = u->n_waiting;
}

void
sp_ng_udp_glance(struct sp_ng_udp *u)
{
	if (!u || now_us() - u->looked_us < LOOK_US)
		return;
	look(u);
	kick(u);
}

void
sp_ng_udp_serve(struct sp_ng_udp *u)
{
	const uint64_t until = now_us() + SLICE_US;
	struct waiting *w;

	look(u);
	while (now_us() < until && (w = dequeue(u)) != NULL) {
		/* Without a cookie there is no reply, and nobody to tell. */
		(void)!sp_ng_take(u->ng, &w->path, w->data, w->len);
		sp_secret_free(w);
		sp_ng_udp_glance(u);
	}
	kick(u);
}
