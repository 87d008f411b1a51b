/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_NETLINK_H
#define SP_DATAPLANE_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/addr.h"
#include "relay/status.h"

/*
 * What the kernel knows of links, addresses, routes and neighbours, asked and
 * heard over rtnetlink; with rtnl it alone knows libmnl. Two sockets: one for
 * questions, which the kernel answers before its send call returns, so that
 * nothing here waits; one for what the kernel tells by itself.
 *
 * Core: start-up and control.
 */
struct sp_netlink;

struct sp_netlink_link {
	uint32_t ifindex;
	uint16_t mtu;
	uint8_t mac[6];
	bool up;       /* administratively, and with a carrier */
	bool ethernet; /* has a 6-byte MAC that frames can be sent from */
	char name[16];
};

enum sp_netlink_reach {
	SP_NETLINK_UNKNOWN, /* being resolved, or forgotten */
	SP_NETLINK_KNOWN,   /* @mac may be used */
	SP_NETLINK_FAILED,  /* asked in vain */
};

struct sp_netlink_neighbour {
	uint32_t ifindex;
	enum sp_netlink_reach reach;
	struct sp_addr addr;
	uint8_t mac[6];
	bool fixed; /* set by hand: the kernel never asks for it */
};

struct sp_netlink_route {
	struct sp_addr hop; /* the gateway, or the destination if on-link */
	uint16_t mtu;       /* the route's own; 0: the link's */
};

/* What the kernel tells by itself; called from sp_netlink_serve() only. */
struct sp_netlink_events {
	void *arg;
	void (*neighbour)(void *arg, const struct sp_netlink_neighbour *n);
	void (*link)(void *arg, const struct sp_netlink_link *link);
	void (*routes)(void *arg); /* some route or rule changed */
	void (*lost)(void *arg);   /* events were lost: ask for all anew */
};

/*
 * Open both sockets in the network namespace of the calling thread.
 *
 * Owns:  the caller closes *@out. @events is copied; NULL: only questions
 *        will be asked, sp_netlink_fd() is then -1.
 * Fails: SP_SYSTEM, SP_NO_MEMORY.
 */
enum sp_status sp_netlink_open(const struct sp_netlink_events *events,
	struct sp_netlink **out) SP_MUST_CHECK;

/* Close the sockets. Takes NULL and half-open ones. */
void sp_netlink_close(struct sp_netlink *nl);

/* Return the descriptor that is readable when the kernel has news, or -1. */
int sp_netlink_fd(const struct sp_netlink *nl);

/* Hand out what the kernel told; bounded, so the descriptor may stay ready. */
void sp_netlink_serve(struct sp_netlink *nl);

/*
 * Have the kernel tell all its neighbours again, as events, after a loss.
 *
 * Fails: SP_SYSTEM.
 */
enum sp_status sp_netlink_resync(struct sp_netlink *nl) SP_MUST_CHECK;

/*
 * Ask how packets from @source to @dst leave through the interface @ifindex,
 * whatever other interfaces the routing table might prefer.
 *
 * Fails: SP_NOT_FOUND without a unicast route through it, SP_SYSTEM.
 */
enum sp_status sp_netlink_find_route(struct sp_netlink *nl, uint32_t ifindex,
	const struct sp_addr *source, const struct sp_addr *dst,
	struct sp_netlink_route *out) SP_MUST_CHECK;

/* Ask for one link by index. Fails: SP_NOT_FOUND, SP_SYSTEM. */
enum sp_status sp_netlink_find_link(struct sp_netlink *nl, uint32_t ifindex,
	struct sp_netlink_link *out) SP_MUST_CHECK;

/* Ask for one neighbour. Fails: SP_NOT_FOUND, SP_SYSTEM. */
enum sp_status sp_netlink_find_neighbour(struct sp_netlink *nl,
	uint32_t ifindex, const struct sp_addr *addr,
	struct sp_netlink_neighbour *out) SP_MUST_CHECK;

/*
 * Tell the kernel that @addr is in use: it resolves what it does not know and
 * checks what has grown stale. The outcome arrives as an event.
 */
void sp_netlink_use_neighbour(
	struct sp_netlink *nl, uint32_t ifindex, const struct sp_addr *addr);

/*
 * Find the interface of the default route, IPv4 before IPv6, lowest metric
 * first.
 *
 * Fails: SP_NOT_FOUND without one, SP_SYSTEM.
 */
enum sp_status sp_netlink_find_default(
	struct sp_netlink *nl, uint32_t *ifindex) SP_MUST_CHECK;

/*
 * List the addresses of an interface that can be used beyond its link, in the
 * kernel's order, IPv4 first: no link-local, tentative or deprecated ones.
 *
 * Fails: SP_SYSTEM. More than @max are left out without a word.
 */
enum sp_status sp_netlink_list_addresses(struct sp_netlink *nl,
	uint32_t ifindex, struct sp_addr *out, size_t max,
	size_t *n) SP_MUST_CHECK;

/* Is @addr, of any kind, on the interface @ifindex now? */
bool sp_netlink_has_address(
	struct sp_netlink *nl, uint32_t ifindex, const struct sp_addr *addr);

#endif
