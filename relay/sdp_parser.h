/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SDP_PARSER_H
#define SP_RELAY_SDP_PARSER_H

#include "relay/sdp.h"

/*
 * What the two files of sp_sdp_parse share: sdp_parse.c walks the lines,
 * sdp_value.c reads what one says. Not for others. Core: control.
 */

#define SP_SDP_NO_FORMAT 255 /* no payload type yet */

/* Where the parser stands. */
struct sp_sdp_parser {
	struct sp_sdp *sdp;
	struct sp_sdp_media *media; /* NULL while in the session part */
	struct sp_sdp_error error;  /* line and media follow along */
	uint32_t letters;           /* lines seen in this section, a bit each */
	uint32_t attrs;             /* a= lines of this section */
	uint32_t candidates;
	uint32_t cryptos;
	uint8_t first_format; /* of this m= line */
};

/* Say why the body is refused; returns @status. */
enum sp_status sp_sdp_parser_refuse(
	struct sp_sdp_parser *p, enum sp_status status, const char *reason);

/* Read o=, c= or m= of which @value is what follows the letter. */
enum sp_status sp_sdp_value_origin(
	struct sp_sdp_parser *p, struct sp_sdp_text value) SP_MUST_CHECK;
enum sp_status sp_sdp_value_connection(
	struct sp_sdp_parser *p, struct sp_sdp_text value) SP_MUST_CHECK;
enum sp_status sp_sdp_value_media(
	struct sp_sdp_parser *p, struct sp_sdp_text value) SP_MUST_CHECK;

/* Keep what an attribute of the session, or else of an m= line, tells. */
void sp_sdp_value_attribute(
	struct sp_sdp_parser *p, const struct sp_sdp_line *line);

#endif
