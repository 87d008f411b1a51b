/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_COMMAND_H
#define SP_CONTROL_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "control/config.h"
#include "control/request.h"
#include "dataplane/dataplane.h"

/*
 * The service: all calls, and what may be asked of them. Requests come in
 * from any door, orders go out to the workers, and the reply follows when the
 * workers have confirmed. Everything here runs on the control thread.
 */
struct sp_service;
struct sp_outbox;

/* What became of a request. Borrowed for the call it is passed to. */
struct sp_reply {
	int http;                         /* status code; 200 when fine */
	const struct sp_problem *problem; /* NULL when fine */
	json_t *body;                     /* object, NULL with a problem */
};

/* Take a reply; @arg is what came with the request. */
typedef void (*sp_reply_fn)(void *arg, const struct sp_reply *reply);

/*
 * Make a service without calls on top of an open data plane.
 *
 * Owns:  the caller closes *@out; @conf and @dp are borrowed until then.
 * Fails: SP_NO_MEMORY; SP_SYSTEM when there is no entropy.
 */
enum sp_status sp_service_open(const struct sp_config *conf,
	struct sp_dataplane *dp, struct sp_service **out) SP_MUST_CHECK;

/*
 * Free everything, calls included, without telling the workers: the data
 * plane is closed before, so that none of them writes a report any more.
 * Requests without a reply yet get theirs. Takes NULL.
 */
void sp_service_close(struct sp_service *s);

/*
 * Do what @request asks. @reply is called exactly once: before this returns,
 * or from sp_service_serve() when the workers have confirmed. Requests for
 * one call are done in the order of their arrival.
 *
 * Owns:  @request is borrowed until this returns; its texts live as long as
 *        its tree, of which a reference is taken when it has to wait.
 */
void sp_command(struct sp_service *s, const struct sp_request *request,
	sp_reply_fn reply, void *arg);

/* Take the data plane's answers and news; call it when its fd is readable. */
void sp_service_serve(struct sp_service *s);

/* Do what time asks for: media and offer timeouts, quarantine. Once a second.
 */
void sp_service_tick(struct sp_service *s);

/*
 * Refuse new calls from now on and end the ones there are, with the reason
 * "shutdown". Go on serving until sp_service_idle(), or as long as you like.
 */
void sp_service_stop(struct sp_service *s);

/* Refuse new calls from now on, and serve the ones there are to their end. */
void sp_service_drain(struct sp_service *s);

/* Was it asked to drain? Then the process ends once it is idle. */
bool sp_service_draining(const struct sp_service *s);

/* Is there no call left, no order on its way, no reply outstanding? */
bool sp_service_idle(const struct sp_service *s);

/* Are new calls welcome? Not at max_calls, when draining or stopping. */
bool sp_service_ready(const struct sp_service *s);

/*
 * Call @fn between any two things that the service does on its own, such as
 * ending calls. It must be quick and ask nothing: it is for who cannot wait.
 */
void sp_service_between(struct sp_service *s, void (*fn)(void *arg), void *arg);

/*
 * Tell ends of calls to @records and @webhook from now on; each may be NULL,
 * and is borrowed until the service is closed.
 */
void sp_service_tell(struct sp_service *s, struct sp_outbox *records,
	struct sp_outbox *webhook);

/* Return where the ng door counts, which is borrowed until the close. */
struct sp_ng_counts *sp_service_ng_counts(struct sp_service *s);

/* Write all metrics as Prometheus text (version 0.0.4). */
void sp_metrics_write(struct sp_service *s, FILE *to);

#endif
