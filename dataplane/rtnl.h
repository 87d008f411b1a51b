/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_RTNL_H
#define SP_DATAPLANE_RTNL_H

#include <libmnl/libmnl.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/netlink.h"
#include "relay/addr.h"

/*
 * The messages of rtnetlink, bytes to structs and back; for netlink.c only,
 * which has the sockets.
 *
 * Core:  start-up and control.
 * Spec:  rtnetlink(7), RFC 3549.
 */

#define SP_RTNL_REQUEST 128 /* two headers and three attributes */

/* A request being built; @head and @body point into @bytes. */
struct sp_rtnl_request {
	alignas(8) char bytes[SP_RTNL_REQUEST];
	struct nlmsghdr *head;
	void *body; /* struct rtmsg, ndmsg, ... */
};

/* Start a request with a zeroed body of @body_len bytes. */
void sp_rtnl_init(struct sp_rtnl_request *r, uint16_t type, uint16_t flags,
	size_t body_len);

/* Start a request about one neighbour. */
void sp_rtnl_init_neighbour(struct sp_rtnl_request *r, uint16_t type,
	uint32_t ifindex, const struct sp_addr *addr);

/* Start a question for the route from @source, or NONE, to @dst. */
void sp_rtnl_init_route(struct sp_rtnl_request *r, uint32_t ifindex,
	const struct sp_addr *source, const struct sp_addr *dst);

/* Read a neighbour. Returns false if it is none of IP, or a proxy entry. */
bool sp_rtnl_parse_neighbour(
	const struct nlmsghdr *nlh, struct sp_netlink_neighbour *out);

/* Read a link. */
void sp_rtnl_parse_link(
	const struct nlmsghdr *nlh, struct sp_netlink_link *out);

/* A route, as an answer or as a row of the table. */
struct sp_rtnl_route {
	struct sp_addr gateway; /* NONE: on-link */
	uint32_t ifindex;       /* 0: none */
	uint32_t metric;
	uint32_t table;
	uint16_t mtu; /* 0: the link's */
	uint8_t bits; /* of the prefix */
	bool unicast;
};

/* Read a route; of several next hops the first. */
void sp_rtnl_parse_route(const struct nlmsghdr *nlh, struct sp_rtnl_route *out);

struct sp_rtnl_address {
	struct sp_addr addr;
	uint32_t ifindex;
	bool lasting; /* of global scope, verified, neither old nor temporary */
};

/* Read an interface's address. Returns false if it is none of IP. */
bool sp_rtnl_parse_address(
	const struct nlmsghdr *nlh, struct sp_rtnl_address *out);

#endif
