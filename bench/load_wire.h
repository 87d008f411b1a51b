/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_LOAD_WIRE_H
#define SP_BENCH_LOAD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How bench/load speaks: requests out, replies in, without ever blocking. */

enum load_kind {
	LOAD_NG,      /* bencode in UDP */
	LOAD_NG_HTTP, /* the same, POST /ng */
	LOAD_API,     /* JSON, POST /v1/... */
};

enum load_request {
	LOAD_OFFER,
	LOAD_ANSWER,
	LOAD_DELETE,
	LOAD_PING /* over ng only */
};

struct load_wire;

/* Connect to @address ("127.0.0.1:2223"). NULL: errno says why. */
struct load_wire *load_wire_open(enum load_kind kind, const char *address);

void load_wire_close(struct load_wire *wire);

bool load_wire_is_datagram(const struct load_wire *wire);

/* Put @request of call @number, under way in @slot, on its way. */
void load_wire_send(struct load_wire *wire, unsigned int slot, uint64_t number,
	enum load_request request);

/* Give the kernel what it has not taken yet. */
void load_wire_flush(struct load_wire *wire);

/* Wait until a reply comes, at most @us. */
void load_wire_wait(struct load_wire *wire, unsigned int us);

/* A reply: to @slot, borrowed @text. */
typedef void (*load_reply_fn)(
	void *arg, unsigned int slot, bool fine, const char *text, size_t len);

/* Take all replies that are there. */
void load_wire_receive(struct load_wire *wire, load_reply_fn reply, void *arg);

#endif
