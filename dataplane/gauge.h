/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_GAUGE_H
#define SP_DATAPLANE_GAUGE_H

#include "dataplane/dataplane.h"

/*
 * Which SRTP engine works here, and what it costs: found out at the start,
 * for the log and for metrics.
 */

/*
 * Open engine @kind for a moment and measure it.
 *
 * Core:  start-up, after sp_eal_open; some milliseconds.
 * Fails: as sp_srtp_engine_open.
 */
enum sp_status sp_gauge_srtp(
	enum sp_srtp_kind kind, struct sp_srtp_info *out) SP_MUST_CHECK;

/*
 * Measure the engine that the workers will use, and keep what
 * sp_dataplane_srtp_info tells.
 *
 * Core:  start-up.
 * Fails: as sp_gauge_srtp: see @error.
 */
enum sp_status sp_gauge_open(struct sp_dataplane *dp, enum sp_srtp_kind kind,
	struct sp_dataplane_error *error) SP_MUST_CHECK;

/* Fill @error: engine @kind does not work here. Returns @status. */
enum sp_status sp_gauge_fault(struct sp_dataplane_error *error,
	enum sp_status status, enum sp_srtp_kind kind);

#endif
