/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_NG_REPLY_H
#define SP_CONTROL_NG_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "control/command.h"

/*
 * Replies in the words of rtpengine, which proxies compare: results, texts of
 * errors, and the bytes around them. Core: control.
 */

enum sp_ng_encoding {
	SP_NG_BENCODE,
	SP_NG_JSON,
};

/* What a reply depends on, besides what the service says. */
struct sp_ng_asked {
	enum sp_verb verb;
	bool fatal;      /* to delete an unknown call is an error */
	bool load_limit; /* the client knows this result */
	json_t *warning; /* text of the door's own, or NULL; borrowed */
};

/*
 * Return the dictionary for @reply.
 *
 * Owns: the caller releases it; NULL without memory.
 */
json_t *sp_ng_reply(
	const struct sp_ng_asked *asked, const struct sp_reply *reply);

/* Return the error @reason, with @detail unless it is NULL; as above. */
json_t *sp_ng_reply_error(const char *reason, const char *detail);

/*
 * Return the strings of @list, joined by "; ", after @first unless that is
 * NULL. Owns: as above; NULL too when there is nothing to say.
 */
json_t *sp_ng_reply_join(const json_t *first, const json_t *list);

/*
 * Write @tree in @encoding into @out and return its length. What does not fit
 * into @room, of at least SP_NG_REPLY_LEAST, loses "tags" and then "SSRC", with
 * a warning; a NULL tree, or one that is still too large, becomes an error.
 */
#define SP_NG_REPLY_LEAST 128u
size_t sp_ng_reply_write(enum sp_ng_encoding encoding, const json_t *tree,
	char *out, size_t room);

#endif
