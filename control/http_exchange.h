/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_HTTP_EXCHANGE_H
#define SP_CONTROL_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/http.h"

/* The inside of http.c (sockets), http_exchange.c (a request), http_gate.c. */

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

/*
 * May the request come in, as far as its headers tell? @open: without a
 * token too. @json: it must have a JSON body. False fills @problem.
 */
bool sp_http_gate_admits(struct MHD_Connection *conn,
	const struct sp_config *conf, bool open, bool json,
	struct sp_problem *problem);

#endif
