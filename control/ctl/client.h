/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CTL_CLIENT_H
#define SP_CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

/* The relay's HTTP API, from the client's end. */

#define SP_CLIENT_WHY 512

struct sp_client;

/* Where the relay is and how to be let in; NULL: not needed. */
struct sp_client_conf {
	const char *url; /* http://127.0.0.1:8080 */
	const char *token_file;
	const char *ca; /* PEM file that its certificate is checked by */
};

/*
 * Make a client; nothing is sent yet.
 *
 * Owns:  the caller closes what is returned; @conf's texts are borrowed.
 * Fails: NULL; @why says what.
 */
struct sp_client *sp_client_open(
	const struct sp_client_conf *conf, char why[SP_CLIENT_WHY]);

/* Takes NULL. */
void sp_client_close(struct sp_client *c);

/*
 * Ask @method of @path and, if not NULL, @text escaped behind it.
 *
 * Owns:  the caller releases what is returned.
 * Fails: NULL if the relay is not reached or refuses; @why says what.
 */
json_t *sp_client_ask(struct sp_client *c, const char *method, const char *path,
	const char *text, char why[SP_CLIENT_WHY]);

/* Was the last answer that there is no such thing? */
bool sp_client_not_found(const struct sp_client *c);

#endif
