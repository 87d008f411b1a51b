/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_REPLY_HTTP_H
#define SP_CONTROL_REPLY_HTTP_H

#include "control/reply.h"

/*
 * Describe @call in the layout of control/openapi.yaml; arguments as those of
 * sp_reply_call(). Core: control.
 *
 * Owns: the caller releases it; NULL without memory.
 */
json_t *sp_reply_http(const struct sp_service *s, const struct sp_call *call,
	const struct sp_cast *cast, const struct sp_flow_report *report,
	const char *state);

#endif
