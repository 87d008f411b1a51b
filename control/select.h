/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_SELECT_H
#define SP_CONTROL_SELECT_H

#include "control/party.h"
#include "control/problem.h"

/* Who is meant by a request about one party's media. Core: control. */

struct sp_select {
	uint8_t party; /* by index; SP_NOBODY: all of the call */
	uint8_t sink;  /* only what this one gets; SP_NOBODY: whoever does */
};

/*
 * Find whom @request means: by label, else by an address that its SDP named,
 * else by from_tag; nobody in particular means all of the call, and so does
 * "all". On the ng door from_tag counts only if the request is "directional",
 * because proxies put it into each request. With a party, to_tag or to_label
 * names a sink, who must be in a dialogue with it.
 *
 * Fails: false when there is no such party or sink; @problem then says so,
 *        for ng in the words that its clients know. @out is untouched.
 */
bool sp_select(const struct sp_cast *cast, const struct sp_request *request,
	struct sp_select *out, struct sp_problem *problem) SP_MUST_CHECK;

/*
 * Return where @cast keeps what is blocked of the media that is meant; enum
 * sp_block. Valid as long as @cast is.
 */
uint8_t *sp_select_blocked(struct sp_cast *cast, const struct sp_select *who);

#endif
