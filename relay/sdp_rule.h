/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SDP_RULE_H
#define SP_RELAY_SDP_RULE_H

#include "relay/sdp_edit.h"

/*
 * What of a body does not come through an edit, and which c= lines it then
 * needs: the decisions of sdp_edit.c. Core: control.
 */

/*
 * Return a bit for each enum sp_sdp_attr of the session's keys that goes.
 * a=crypto is none of its attributes (RFC 4568 section 4); the others go if
 * no m= line that lives still goes by them.
 */
uint32_t sp_sdp_rule_session_keys(
	const struct sp_sdp *sdp, const struct sp_sdp_edit *edit);

/* Is the line one that goes, whatever comes in its place? */
bool sp_sdp_rule_goes(
	const struct sp_sdp_edit *edit, const struct sp_sdp_line *line);

/*
 * The same for an m= line; @codecs are its payload types, if they are fewer
 * now, or NULL.
 */
bool sp_sdp_rule_goes_from_media(const struct sp_sdp_edit *edit,
	const struct sp_sdp_edit_media *own, const struct sp_sdp_codecs *codecs,
	const struct sp_sdp_line *line);

/*
 * Return what the session's c= becomes: the address of the first m= line that
 * relies on it, so that one line serves all of them in the usual case. NULL:
 * it stays.
 */
const struct sp_addr *sp_sdp_rule_session_address(
	const struct sp_sdp *sdp, const struct sp_sdp_edit *edit);

/* Must this m= line get a c= that says what the session's no longer does? */
bool sp_sdp_rule_needs_connection(const struct sp_sdp_media *m,
	const struct sp_sdp_edit_media *edit, const struct sp_addr *session);

#endif
