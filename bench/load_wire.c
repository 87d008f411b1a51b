/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load_wire.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNS 8u        /* TCP connections */
#define QUEUE 4096u     /* requests under way on one of them */
#define MESSAGE 4096u   /* bytes of a request */
#define ROOM (1u << 20) /* bytes to or from one of them */

/* One socket. */
struct conn {
	int fd;
	char *out; /* not yet taken by the kernel */
	size_t out_len;
	char *in;
	size_t in_len;
	unsigned int slot[QUEUE]; /* whose replies come next, in order */
	unsigned int first;
	unsigned int count;
};

struct load_wire {
	enum load_kind kind;
	unsigned int n_conns;
	unsigned int serial;
	uint32_t run; /* no cookie is like one of another run's */
	struct conn conn[CONNS];
};

/* What a phone behind a proxy says: three codecs, events. */
static const char sdp_format[] =
	"v=0\r\no=- %" PRIu64 " 1 IN IP4 %s\r\ns=call\r\nc=IN IP4 %s\r\n"
	"t=0 0\r\nm=audio %u RTP/AVP 0 8 9 101\r\na=rtpmap:0 PCMU/8000\r\n"
	"a=rtpmap:8 PCMA/8000\r\na=rtpmap:9 G722/8000\r\n"
	"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
	"a=ptime:20\r\na=sendrecv\r\n";

static int
write_sdp(char *to, size_t size, uint64_t number, bool offer)
{
	char ip[20];

	snprintf(ip, sizeof ip, "%s.%u.%u", offer ? "10.18" : "10.19",
		(unsigned int)(number >> 8) % 250, (unsigned int)number % 250);
	return snprintf(to, size, sdp_format, number, ip, ip,
		10000 + 2 * (unsigned int)(number % 20000));
}

static int
write_ng(struct load_wire *wire, char *to, size_t size, unsigned int slot,
	uint64_t number, enum load_request request)
{
	static const char *const command[] = { "5:offer", "6:answer",
		"6:delete" };
	char sdp[1024] = "", id[64], from[32], tag[32];
	const int sdp_len =
		write_sdp(sdp, sizeof sdp, number, request == LOAD_OFFER);
	const int id_len = snprintf(id, sizeof id,
		"%08" PRIx64 "-2f1c-4b7a-9d3e@198.51.100.7", number);
	const int from_len =
		snprintf(from, sizeof from, "%" PRIx64 "f", number * 7919);
	const int tag_len =
		snprintf(tag, sizeof tag, "%" PRIx64 "t", number * 104729);
	int at = snprintf(
		to, size, "%u_%u_%u ", slot, wire->run, wire->serial++);

	if (request == LOAD_PING)
		return at +
			snprintf(to + at, size - (size_t)at,
				"d7:command4:pinge");
	at += snprintf(
		to + at, size - (size_t)at, "d8:supportsl10:load limite");
	if (request != LOAD_DELETE)
		at += snprintf(to + at, size - (size_t)at,
			"3:sdp%d:%s9:directionl6:public4:coree"
			"7:replacel6:origin18:session-connectione",
			sdp_len, sdp);
	at += snprintf(to + at, size - (size_t)at,
		"7:call-id%d:%s13:received-froml3:IP412:198.51.100.7e"
		"8:from-tag%d:%s",
		id_len, id, from_len, from);
	if (request == LOAD_ANSWER)
		at += snprintf(to + at, size - (size_t)at, "6:to-tag%d:%s",
			tag_len, tag);
	at += snprintf(
		to + at, size - (size_t)at, "7:command%se", command[request]);
	return at;
}

static int
write_json(char *to, size_t size, uint64_t number, enum load_request request)
{
	char sdp[1024], text[1400] = "";
	int at;
	size_t len = 0;

	write_sdp(sdp, sizeof sdp, number, request == LOAD_OFFER);
	for (const char *c = sdp; *c; c++) {
		if (*c == '\r' || *c == '\n') {
			text[len++] = '\\';
			text[len++] = *c == '\r' ? 'r' : 'n';
		} else {
			text[len++] = *c;
		}
	}
	text[len] = '\0';
	at = snprintf(to, size,
		"{\"call_id\": \"%08" PRIx64 "-2f1c-4b7a-9d3e@198.51.100.7\", "
		"\"from_tag\": \"%" PRIx64 "f\"",
		number, number * 7919);
	if (request == LOAD_ANSWER)
		at += snprintf(to + at, size - (size_t)at,
			", \"to_tag\": \"%" PRIx64 "t\"", number * 104729);
	if (request == LOAD_OFFER)
		at += snprintf(to + at, size - (size_t)at,
			", \"from_realm\": \"public\", \"to_realm\": \"core\"");
	if (request != LOAD_DELETE)
		at += snprintf(to + at, size - (size_t)at,
			", \"signalling_source\": \"198.51.100.7\", "
			"\"replace\": [\"origin\"], \"sdp\": \"%s\"",
			text);
	at += snprintf(to + at, size - (size_t)at, "}");
	return at;
}

static int
write_http(char *to, size_t size, const char *path, const char *type,
	const char *body, int len)
{
	return snprintf(to, size,
		"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n"
		"Content-Length: %d\r\n\r\n%.*s",
		path, type, len, len, body);
}

static int
write_message(struct load_wire *wire, char *to, size_t size, unsigned int slot,
	uint64_t number, enum load_request request)
{
	static const char *const path[] = { "/v1/offer", "/v1/answer",
		"/v1/delete" };
	char body[MESSAGE];
	int len;

	if (wire->kind == LOAD_NG)
		return write_ng(wire, to, size, slot, number, request);
	if (wire->kind == LOAD_API) {
		len = write_json(body, sizeof body, number, request);
		return write_http(
			to, size, path[request], "application/json", body, len);
	}
	len = write_ng(wire, body, sizeof body, slot, number, request);
	return write_http(
		to, size, "/ng", "application/x-rtpengine-ng", body, len);
}

static int
connect_to(const char *address, int type)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	const char *colon = strrchr(address, ':');
	const int on = 1, space = 4 << 20;
	char host[64];
	int fd;

	errno = EINVAL;
	if (!colon || (size_t)(colon - address) >= sizeof host)
		return -1;
	snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
	to.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
		return -1;
	fd = socket(AF_INET, type, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &space, sizeof space);
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
		fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

struct load_wire *
load_wire_open(enum load_kind kind, const char *address)
{
	struct load_wire *wire = calloc(1, sizeof *wire);

	if (!wire)
		return NULL;
	wire->kind = kind;
	wire->run = (uint32_t)getpid() ^ (uint32_t)time(NULL) << 16;
	wire->n_conns = kind == LOAD_NG ? 1 : CONNS;
	for (unsigned int i = 0; i < CONNS; i++)
		wire->conn[i].fd = -1;
	for (unsigned int i = 0; i < wire->n_conns; i++) {
		struct conn *c = &wire->conn[i];

		c->fd = connect_to(
			address, kind == LOAD_NG ? SOCK_DGRAM : SOCK_STREAM);
		c->out = malloc(ROOM);
		c->in = malloc(ROOM);
		if (c->fd < 0 || !c->out || !c->in) {
			load_wire_close(wire);
			return NULL;
		}
	}
	return wire;
}

void
load_wire_close(struct load_wire *wire)
{
	for (unsigned int i = 0; i < wire->n_conns; i++) {
		if (wire->conn[i].fd >= 0)
			close(wire->conn[i].fd);
		free(wire->conn[i].out);
		free(wire->conn[i].in);
	}
	free(wire);
}

bool
load_wire_is_datagram(const struct load_wire *wire)
{
	return wire->kind == LOAD_NG;
}

void
load_wire_send(struct load_wire *wire, unsigned int slot, uint64_t number,
	enum load_request request)
{
	struct conn *c = &wire->conn[slot % wire->n_conns];
	char text[2 * MESSAGE];
	const int len =
		write_message(wire, text, sizeof text, slot, number, request);

	assert(len > 0 && (size_t)len < sizeof text);
	if (wire->kind == LOAD_NG) {
		/* What the kernel can't take is sent again in a second. */
		(void)!send(c->fd, text, (size_t)len, 0);
		return;
	}
	assert(c->count < QUEUE && c->out_len + (size_t)len <= ROOM);
	memcpy(c->out + c->out_len, text, (size_t)len);
	c->out_len += (size_t)len;
	c->slot[(c->first + c->count++) % QUEUE] = slot;
}

void
load_wire_flush(struct load_wire *wire)
{
	for (unsigned int i = 0; i < wire->n_conns; i++) {
		struct conn *c = &wire->conn[i];
		ssize_t sent;

		if (c->out_len == 0)
			continue;
		sent = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
		if (sent <= 0)
			continue;
		c->out_len -= (size_t)sent;
		memmove(c->out, c->out + sent, c->out_len);
	}
}

void
load_wire_wait(struct load_wire *wire, unsigned int us)
{
	const struct timespec limit = { .tv_nsec = us * 1000L };
	struct pollfd polled[CONNS];

	for (unsigned int i = 0; i < wire->n_conns; i++)
		polled[i] = (struct pollfd){ .fd = wire->conn[i].fd,
			.events = POLLIN |
				(wire->conn[i].out_len > 0 ? POLLOUT : 0) };
	ppoll(polled, wire->n_conns, &limit, NULL);
}

static void
receive_datagrams(struct conn *c, load_reply_fn reply, void *arg)
{
	ssize_t len;

	while ((len = recv(c->fd, c->in, ROOM - 1, 0)) > 0) {
		c->in[len] = '\0';
		reply(arg, (unsigned int)strtoul(c->in, NULL, 10),
			memmem(c->in, (size_t)len, "6:result2:ok", 12) ||
				memmem(c->in, (size_t)len, "4:pong", 6),
			c->in, (size_t)len);
	}
}

/* Take one reply off @c; false when it is not complete. */
static bool
take_reply(struct conn *c, load_reply_fn reply, void *arg)
{
	const char *end, *field;
	size_t head, length;
	bool fine;

	c->in[c->in_len] = '\0';
	end = strstr(c->in, "\r\n\r\n");
	if (!end)
		return false;
	head = (size_t)(end - c->in) + 4;
	field = strcasestr(c->in, "content-length:");
	length = field && field < end ? strtoul(field + 15, NULL, 10) : 0;
	if (c->in_len < head + length)
		return false;
	fine = strncmp(c->in, "HTTP/1.1 200", 12) == 0 &&
		(!memmem(c->in + head, length, "6:result5:error", 15));
	assert(c->count > 0);
	c->count--;
	reply(arg, c->slot[c->first++ % QUEUE], fine, c->in, head + length);
	c->first %= QUEUE;
	c->in_len -= head + length;
	memmove(c->in, c->in + head + length, c->in_len);
	return true;
}

void
load_wire_receive(struct load_wire *wire, load_reply_fn reply, void *arg)
{
	for (unsigned int i = 0; i < wire->n_conns; i++) {
		struct conn *c = &wire->conn[i];
		ssize_t len;

		if (wire->kind == LOAD_NG) {
			receive_datagrams(c, reply, arg);
			continue;
		}
		len = recv(c->fd, c->in + c->in_len, ROOM - 1 - c->in_len, 0);
		if (len == 0) {
			fputs("load: the relay closed a connection\n", stderr);
			exit(EXIT_FAILURE);
		}
		if (len > 0)
			c->in_len += (size_t)len;
		while (take_reply(c, reply, arg))
			continue;
	}
}
