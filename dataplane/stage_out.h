/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_STAGE_OUT_H
#define SP_DATAPLANE_STAGE_OUT_H

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "dataplane/stage.h"
#include "relay/demux.h"

/*
 * What may leave: asked before a packet is protected and when its header is
 * put on. Core: worker, for every packet.
 */

/* May a packet leave by @out at all? */
static inline enum sp_verdict
sp_stage_out_check(const struct sp_flow *out, uint8_t what)
{
	const uint8_t need =
		what == SP_DEMUX_RTCP ? SP_FLOW_READY : SP_FLOW_READY_MEDIA;

	if (unlikely(!(out->ready & need)))
		return SP_VERDICT_NO_REMOTE;
	if (unlikely(!out->answered) && out->unanswered != 0 &&
		(int32_t)(out->sent - out->unanswered) >= 0)
		return SP_VERDICT_UNANSWERED;
	return SP_VERDICT_FORWARD;
}

#endif
