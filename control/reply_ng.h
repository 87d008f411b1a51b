/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_REPLY_NG_H
#define SP_CONTROL_REPLY_NG_H

#include "control/reply.h"

/*
 * What a call did, laid out as rtpengine does for query and delete: the keys
 * that proxies' statistics variables read, as far as they are measured here.
 * Loss, jitter and MOS are of the packets that came, not of RTCP reports, so
 * there is no round-trip time. Core: control.
 */

/*
 * Describe @call; arguments as those of sp_reply_call(). Bit p of @hidden: the
 * party of that index is left out.
 *
 * Owns: the caller releases it; NULL without memory.
 */
json_t *sp_reply_ng(const struct sp_service *s, const struct sp_call *call,
	const struct sp_cast *cast, const struct sp_flow_report *report,
	uint32_t hidden);

/*
 * Return the number that sp_media keeps of an m= line's type or protocol; 0
 * is one that is not known.
 */
uint8_t sp_reply_ng_type(const char *at, size_t len);
uint8_t sp_reply_ng_protocol(const char *at, size_t len);

#endif
