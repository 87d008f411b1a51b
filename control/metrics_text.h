/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_METRICS_TEXT_H
#define SP_CONTROL_METRICS_TEXT_H

#include <stdio.h>

#include "control/service.h"

/* The inside of metrics.c, metrics_srtp.c and metrics_rtpengine.c. */

#define SP_METRICS_LABEL 32u
#define SP_METRICS_PORTS 3u /* used, free, quarantined */

/* Announce a family of metrics; its samples follow. */
void sp_metrics_family(
	FILE *to, const char *name, const char *type, const char *help);

/* Write a metric that is one number. */
void sp_metrics_single(FILE *to, const char *name, const char *type,
	const char *help, uint64_t value);

/* Return the ng command of @verb. */
const char *sp_metrics_verb(enum sp_verb verb);

/* Sum up the UDP ports of a local, all workers together. */
void sp_metrics_ports(const struct sp_service *s, unsigned int local,
	uint64_t sum[SP_METRICS_PORTS]);

/* Write which SRTP engine runs, what it costs and how many use it. */
void sp_metrics_srtp(const struct sp_service *s, FILE *to);

/* Write what dashboards for rtpengine know, where it means the same here. */
void sp_metrics_rtpengine(const struct sp_service *s, FILE *to);

#endif
