/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_NG_SOCKET_H
#define SP_CONTROL_NG_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/config.h"
#include "relay/addr.h"

/*
 * A UDP socket that knows which of our addresses a datagram came to, so that
 * the reply can leave from there: proxies connect their sockets. Core: control.
 */

#define SP_NG_BATCH 16u /* datagrams of one system call */
#define SP_NG_DATAGRAM_MAX 65536u

/* Both ends of an exchange. */
struct sp_ng_ends {
	struct sp_addr client;
	struct sp_addr local; /* without port */
	uint32_t scope;       /* interface, for link-local addresses */
};

struct sp_ng_datagram {
	struct sp_ng_ends ends;
	const char *data;
	size_t len;
};

/* Where sp_ng_socket_read() puts datagrams; a megabyte. */
struct sp_ng_buffer {
	char bytes[SP_NG_BATCH][SP_NG_DATAGRAM_MAX];
};

/*
 * Bind a socket that does not block to @addr, for its family only, and say
 * its @port. Returns -1 with errno.
 */
int sp_ng_socket_open(const struct sp_addr *addr, uint16_t *port);

/* Fill @out with the networks that this machine is on; return how many. */
unsigned int sp_ng_socket_networks(struct sp_prefix *out, unsigned int most);

/* Read what has come; return how many datagrams, which lie in @buffer. */
unsigned int sp_ng_socket_read(int fd, struct sp_ng_buffer *buffer,
	struct sp_ng_datagram out[SP_NG_BATCH]);

/* Send; false if the kernel does not take it now. */
bool sp_ng_socket_send(
	int fd, const struct sp_ng_ends *ends, const char *data, size_t len);

#endif
