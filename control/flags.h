/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_FLAGS_H
#define SP_CONTROL_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "control/request.h"

/*
 * The one table of what can be asked: each key, flag and value of ng, each
 * field of the JSON API, and what it does to a request. Both readers go by it
 * and flags.md is written from it. Core: control.
 */

/* What a row does with its value. */
enum sp_flag_kind {
	SP_FLAG_NOTHING,  /* holds anyhow, or asks nothing of a relay */
	SP_FLAG_REFUSED,  /* known, and not supported: the text says why */
	SP_FLAG_ID,       /* text that must not be cut: struct sp_text */
	SP_FLAG_TEXT,     /* struct sp_text; on ng ignored when too long */
	SP_FLAG_BOOL,     /* true or false; as a flag: true */
	SP_FLAG_UNSET,    /* a flag: false */
	SP_FLAG_WORD,     /* one of @words, into a byte */
	SP_FLAG_WORDS,    /* some of @words, or-ed into a byte */
	SP_FLAG_LATCH,    /* one of @words, or as a flag @most */
	SP_FLAG_ADDR,     /* a bare IP address: struct sp_addr */
	SP_FLAG_SELECTOR, /* the same; one that is no address is an error */
	SP_FLAG_SOURCE,   /* the same; on ng also [family, address] */
	SP_FLAG_REALMS,   /* two realms, or one for both */
	SP_FLAG_CODEC,    /* lists of codecs by what is done with them */
	SP_FLAG_ATTR,     /* changes of attributes */
	SP_FLAG_SDES,     /* a list of @words, enum sp_flag_sdes */
	SP_FLAG_TOS,      /* -1 to 255 */
	SP_FLAG_DELAY,    /* seconds */
	SP_FLAG_LIMIT,    /* length of a list */
	SP_FLAG_FLOWS,    /* which flows of a call */
	SP_FLAG_FLAGS,    /* a list of flags */
	SP_FLAG_STRING,   /* "flag key=value key=[value value]" */
};

/* What the words of SDES and OSRTP ask of struct sp_sdes_policy. */
enum sp_flag_sdes {
	SP_FLAG_SDES_NOTHING,
	SP_FLAG_SDES_OFF,
	SP_FLAG_SDES_PASS,
	SP_FLAG_SDES_NO_NEW,
	SP_FLAG_SDES_LIFETIME,
	SP_FLAG_SDES_KEEP,
	SP_FLAG_SDES_OFFER,  /* OSRTP */
	SP_FLAG_SDES_ACCEPT, /* the same */
	/* These have suites in what follows. */
	SP_FLAG_SDES_WITHOUT,
	SP_FLAG_SDES_ONLY,
	SP_FLAG_SDES_ORDER,
	SP_FLAG_SDES_PREFER,
	/* Plus an enum sp_srtp_flag. */
	SP_FLAG_SDES_ADD = 16,
	SP_FLAG_SDES_DROP = 32,
};

/* Where a name may stand; a row's names may stand in several places. */
enum sp_flag_place {
	SP_FLAG_KEY = 1,    /* ng: the dictionary's root */
	SP_FLAG_FLAG = 2,   /* ng: the list of flags */
	SP_FLAG_PREFIX = 4, /* ng: name-value in the list of flags */
	SP_FLAG_FIELD = 8,  /* HTTP: the JSON object */
};

/* One value of a row that takes words. */
struct sp_flag_word {
	const char *name; /* "x*": all that begins so; NULL ends a list */
	uint8_t doors;    /* 1 << enum sp_door */
	uint8_t value;
	bool refused;     /* known, and not supported */
	const char *text; /* why, or NULL */
};

/* One row. Names of ng are compared as sp_flags_same() does. */
struct sp_flag {
	const char *json; /* HTTP field, or NULL */
	const char *ng;   /* key or flag, or NULL */
	const char *also; /* its other names on ng, with blanks, or NULL */
	uint8_t kind;     /* enum sp_flag_kind */
	uint8_t places;   /* of the ng names, enum sp_flag_place */
	uint16_t verbs;   /* that take it, by bit; the others ignore it */
	uint16_t needed;  /* verbs that do not do without */
	uint16_t offset;  /* in struct sp_request */
	uint32_t most;    /* bytes of a text; value of a latch */
	const struct sp_flag_word *words;
	const char *text; /* one line for people */
};

/* The rows. Those that a verb needs are the first. */
extern const struct sp_flag sp_flags[];
extern const size_t sp_flags_count;

/*
 * Find the row that has @name in @place; NULL when there is none. On ng blank,
 * "_" and "-" are the same, and so are upper and lower case.
 */
const struct sp_flag *sp_flags_find(
	enum sp_flag_place place, struct sp_text name);

/* Find the word of @row that @given is, at @door; NULL when there is none. */
const struct sp_flag_word *sp_flags_word(
	const struct sp_flag *row, enum sp_door door, struct sp_text given);

/* Is @given, as spelled on ng, the @name? */
bool sp_flags_same(const char *name, struct sp_text given);

/* Write the table for people, as Markdown: this is flags.md. */
void sp_flags_write(FILE *to);

#endif
