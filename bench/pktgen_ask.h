/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_ASK_H
#define SP_BENCH_PKTGEN_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a relay is asked about a call and says, in ng's words (pktgen_ng.c,
 * which rtpengine understands, too) and in the HTTP API's (pktgen_http.c).
 * Texts only; who carries them is pktgen_door.h.
 */

#define PKTGEN_ASK_MAX 4096u   /* bytes of a request */
#define PKTGEN_SAID_MAX 16384u /* bytes of a reply, with a NUL */

enum pktgen_step {
	PKTGEN_OFFER,
	PKTGEN_ANSWER,
	PKTGEN_DELETE
};

/* A request. */
struct pktgen_ask {
	uint32_t run;  /* no two runs have a call in common */
	uint32_t call; /* its number */
	enum pktgen_step step;
	const char *sdp;       /* not of a delete */
	const char *realm[2];  /* NULL: the relay knows */
	const char *transport; /* of the SDP that an offer becomes, or NULL */
	const char *suite;     /* the only one to offer; NULL: any */
	const char *family;    /* of the same; NULL: the offer's */
	const char *host;      /* of HTTP, as its address */
	const char *token;     /* of HTTP; NULL: none */
};

/* A reply; @sdp borrows it, or @own. */
struct pktgen_said {
	uint32_t run; /* of ng; HTTP answers in order */
	uint32_t call;
	enum pktgen_step step;
	bool ok;
	const char *sdp; /* NULL: it has none */
	size_t sdp_len;
	char own[PKTGEN_ASK_MAX];
};

/* Write a request to @to, which has room for PKTGEN_ASK_MAX bytes; returns
   its length, 0 if it is too long. */
size_t pktgen_ng_write(const struct pktgen_ask *ask, char *to);
size_t pktgen_http_write(const struct pktgen_ask *ask, char *to);

/* Read a datagram; false: it is no reply to a request of ours. */
bool pktgen_ng_read(const char *data, size_t len, struct pktgen_said *out);

/* Read the reply that @data begins with: returns its length; 0: it is not
   complete, -1: it can't be read. @out: its ok and SDP. */
long pktgen_http_read(const char *data, size_t len, struct pktgen_said *out);

#endif
