/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_HTTP_EXCHANGE_H
#define SP_CONTROL_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/http.h"
#include "control/problem.h"

/*
 * The inside of the HTTP door: http.c has the sockets, http_exchange.c one
 * request, http_gate.c who may come in, http_route.c what can be asked,
 * http_ng.c POST /ng. Core: control.
 */

#define SP_HTTP_JSON "application/json"
#define SP_HTTP_NG "application/x-rtpengine-ng"
#define SP_HTTP_ALLOW_TEXT 32

/* A client's connection, for our own deadline: MHD's knows only idleness. */
struct sp_http_conn {
	struct sp_http_conn *next;
	struct sp_http_conn **link; /* what points here */
	int fd;
	uint64_t since_ms; /* accepted, or its last request began or ended */
	bool waiting;      /* for our own reply: not the client's fault */
	bool cut;          /* shut down, and MHD will see it */
};

struct sp_http {
	const struct sp_config *conf;
	struct sp_service *service;
	struct sp_ng *ng;         /* NULL: there is no POST /ng */
	struct sp_ng_udp *ng_udp; /* or NULL */
	struct MHD_Daemon *daemon;
	struct sp_http_conn *conns; /* newest first */
	unsigned int n_conns;
	uint64_t now_ms; /* of the last tick */
	int epoll;       /* @kick and MHD's own, as one descriptor to poll */
	int kick;        /* eventfd: there is work that no socket tells of */
	bool closing;    /* @service is gone: replies only */
	uint16_t port;
	char *tls_cert; /* PEM texts, or NULL */
	char *tls_key;
};

/*
 * Serve soon, whatever the sockets say. MHD, which polls nothing itself here,
 * does not notice that a connection goes on.
 */
void sp_http_kick(struct sp_http *h);

/* Serve a step of a request: MHD_AccessHandlerCallback. */
enum MHD_Result sp_http_exchange_step(void *http, struct MHD_Connection *conn,
	const char *url, const char *method, const char *version,
	const char *data, size_t *len, void **exchange);

/* Free what a request left: MHD_RequestCompletedCallback. */
void sp_http_exchange_end(void *http, struct MHD_Connection *conn,
	void **exchange, enum MHD_RequestTerminationCode why);

/* What a request's body must be. */
enum sp_http_body {
	SP_HTTP_BODY_ANY, /* it is not looked at */
	SP_HTTP_BODY_JSON,
	SP_HTTP_BODY_NG, /* in either content type */
};

struct sp_http_exchange;

/* What can be asked. @prefix: the path goes on with a call-id. */
struct sp_http_route {
	const char *method;
	const char *path;
	void (*run)(struct sp_http_exchange *ex, const char *url);
	enum sp_verb verb; /* SP_VERB_COUNT: none that has a handler */
	enum sp_http_body body;
	bool prefix;
	bool open; /* to probes, without a token */
};

enum sp_http_state {
	SP_HTTP_READING, /* headers, then the body */
	SP_HTTP_RUNNING, /* on our side: answered when this ends, or */
	SP_HTTP_ASKED,   /* by the service, at once or */
	SP_HTTP_WAITING, /* suspended until the reply comes */
	SP_HTTP_READY,   /* @response can be sent */
};

/* One request from its headers to its reply. */
struct sp_http_exchange {
	struct sp_http *http;
	struct MHD_Connection *conn;
	const struct sp_http_route *route; /* NULL: refused already */
	struct sp_problem problem;         /* when refused */
	enum sp_http_state state;
	char *body;
	size_t len;
	size_t room;
	size_t skipped; /* bytes of a body that nobody wants */
	char allow[SP_HTTP_ALLOW_TEXT];
	char call_id[SP_TAG_MAX + 1]; /* for the log */
	struct MHD_Response *response;
	unsigned int http_status;
};

/*
 * May the request come in, as far as its headers tell? @open: without a
 * token too. False fills @problem.
 */
bool sp_http_gate_admits(struct MHD_Connection *conn,
	const struct sp_config *conf, bool open, enum sp_http_body body,
	struct sp_problem *problem);

/* Is the body's content type @type, whatever its parameters? */
bool sp_http_gate_is(struct MHD_Connection *conn, const char *type);

/*
 * Find what @url and @method ask for; NULL fills @ex->problem and, when it
 * is the method that is wrong, @ex->allow.
 */
const struct sp_http_route *sp_http_route_find(
	struct sp_http_exchange *ex, const char *url, const char *method);

/* Ask the ng door: POST /ng. */
void sp_http_ng_run(struct sp_http_exchange *ex, const char *url);

/* Make @text, which is freed with the response, the reply. */
void sp_http_exchange_answer(struct sp_http_exchange *ex, unsigned int status,
	const char *type, char *text, size_t len,
	enum MHD_ResponseMemoryMode memory);

/* Make @p the reply. */
void sp_http_exchange_refuse(
	struct sp_http_exchange *ex, const struct sp_problem *p);

/* Go on after SP_HTTP_ASKED: the reply was made. */
void sp_http_exchange_answered(struct sp_http_exchange *ex);

#endif
