/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_DESCRIBE_H
#define SP_CONTROL_DESCRIBE_H

#include "control/service.h"

/*
 * What a cast says of a single flow, in the words of a worker. Ids of flows
 * and keys must have been taken before. Core: control.
 */

/* Is there to be a flow for @part of m= line @m of party @p? */
bool sp_describe_wants(const struct sp_cast *cast, uint8_t p, unsigned int m,
	enum sp_part part);

/* Fill @out, padding included: it is hashed. */
void sp_describe_flow(const struct sp_service *s, const struct sp_cast *cast,
	uint8_t p, unsigned int m, enum sp_part part, struct sp_flow_conf *out);

#endif
