/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "dataplane/rtnl.h"

#define BUFFER 32768    /* the kernel's largest message is smaller */
#define BACKLOG 1048576 /* bytes of news the kernel may hold for us */
#define SERVE_AT_ONCE 32
#define DUMP_TRIES 3 /* a dump starts over when its table changed */

struct sp_netlink {
	struct mnl_socket *ask;
	struct mnl_socket *news; /* NULL without events */
	uint32_t seq;
	struct sp_netlink_events events;
	alignas(8) char buffer[BUFFER];
};

static ssize_t
receive(struct sp_netlink *nl, const struct mnl_socket *from)
{
	const ssize_t n =
		mnl_socket_recvfrom(from, nl->buffer, sizeof nl->buffer);

	if (n == 0)
		errno = EIO;
	return n;
}

/*
 * Ask and let @on_message see each message of the answer. Returns 0 or an
 * errno. Never waits: the kernel has answered when sendto() returns, and it
 * prepares the next part of a dump while it hands out one.
 */
static int
ask_once(struct sp_netlink *nl, struct sp_rtnl_request *r, mnl_cb_t on_message,
	void *arg)
{
	const unsigned int port = mnl_socket_get_portid(nl->ask);
	int error = 0;
	int more = MNL_CB_OK;

	r->head->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->ask, r->head, r->head->nlmsg_len) < 0)
		return errno;
	while (more == MNL_CB_OK) {
		const ssize_t n = receive(nl, nl->ask);

		more = MNL_CB_ERROR;
		if (n > 0)
			more = mnl_cb_run(nl->buffer, (size_t)n, nl->seq, port,
				on_message, arg);
	}
	if (more == MNL_CB_ERROR) {
		error = errno;
		/* The rest must not be taken for the next answer. */
		while (receive(nl, nl->ask) > 0)
			;
	}
	return error;
}

static enum sp_status
ask(struct sp_netlink *nl, struct sp_rtnl_request *r, mnl_cb_t on_message,
	void *arg)
{
	int error = EINTR;

	for (int i = 0; i < DUMP_TRIES && error == EINTR; i++)
		error = ask_once(nl, r, on_message, arg);
	switch (error) {
	case 0:
		return SP_OK;
	case ENOENT:
	case ENODEV:
	case ENXIO:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EACCES: /* a "prohibit" route */
	case EINVAL: /* a "blackhole" route, a source that is not ours */
		return SP_NOT_FOUND;
	default:
		return SP_SYSTEM;
	}
}

static int
on_news(const struct nlmsghdr *nlh, void *arg)
{
	struct sp_netlink *nl = arg;
	struct sp_netlink_neighbour neighbour;
	struct sp_netlink_link link;

	switch (nlh->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		if (sp_rtnl_parse_neighbour(nlh, &neighbour))
			nl->events.neighbour(nl->events.arg, &neighbour);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		sp_rtnl_parse_link(nlh, &link);
		nl->events.link(nl->events.arg, &link);
		break;
	default: /* the other groups joined are about routes and rules */
		nl->events.routes(nl->events.arg);
		break;
	}
	return MNL_CB_OK;
}

static struct mnl_socket *
socket_open(unsigned int groups)
{
	struct mnl_socket *s =
		mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (s && mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(s);
		return NULL;
	}
	return s;
}

enum sp_status
sp_netlink_open(const struct sp_netlink_events *events, struct sp_netlink **out)
{
	const unsigned int groups = RTMGRP_LINK | RTMGRP_NEIGH |
		RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_RULE | RTMGRP_IPV6_ROUTE |
		1u << (RTNLGRP_IPV6_RULE - 1);
	const int backlog = BACKLOG;
	struct sp_netlink *nl = calloc(1, sizeof *nl);

	if (!nl)
		return SP_NO_MEMORY;
	nl->ask = socket_open(0);
	if (events) {
		nl->events = *events;
		nl->news = socket_open(groups);
	}
	if (!nl->ask || (events && !nl->news)) {
		sp_netlink_close(nl);
		return SP_SYSTEM;
	}
	/* A smaller backlog only means that news is lost earlier. */
	if (nl->news)
		(void)setsockopt(mnl_socket_get_fd(nl->news), SOL_SOCKET,
			SO_RCVBUFFORCE, &backlog, sizeof backlog);
	*out = nl;
	return SP_OK;
}

void
sp_netlink_close(struct sp_netlink *nl)
{
	if (!nl)
		return;
	if (nl->ask)
		mnl_socket_close(nl->ask);
	if (nl->news)
		mnl_socket_close(nl->news);
	free(nl);
}

int
sp_netlink_fd(const struct sp_netlink *nl)
{
	return nl->news ? mnl_socket_get_fd(nl->news) : -1;
}

void
sp_netlink_serve(struct sp_netlink *nl)
{
	for (int i = 0; nl->news && i < SERVE_AT_ONCE; i++) {
		const ssize_t n = receive(nl, nl->news);
		int error = n > 0 ? 0 : errno;

		if (error == EAGAIN || error == EINTR)
			return;
		if (n > 0 &&
			mnl_cb_run(nl->buffer, (size_t)n, 0, 0, on_news, nl) <
				0)
			error = errno;
		/*
		 * EINTR and EBUSY are about dumps: a table changed meanwhile,
		 * or another dump was not done. ENOENT and the like answer
		 * the use of a neighbour, which is repeated anyway.
		 */
		if (n <= 0 || error == EINTR || error == EBUSY)
			nl->events.lost(nl->events.arg);
	}
}

enum sp_status
sp_netlink_resync(struct sp_netlink *nl)
{
	struct sp_rtnl_request r;

	sp_rtnl_init(&r, RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
	if (mnl_socket_sendto(nl->news, r.head, r.head->nlmsg_len) < 0)
		return SP_SYSTEM;
	return SP_OK;
}

static int
on_route(const struct nlmsghdr *nlh, void *arg)
{
	sp_rtnl_parse_route(nlh, arg);
	return MNL_CB_STOP;
}

enum sp_status
sp_netlink_find_route(struct sp_netlink *nl, uint32_t ifindex,
	const struct sp_addr *source, const struct sp_addr *dst,
	struct sp_netlink_route *out)
{
	struct sp_rtnl_request r;
	struct sp_rtnl_route route;
	struct sp_rtnl_route row;
	enum sp_status status;

	sp_rtnl_init_route(&r, ifindex, source, dst);
	status = ask(nl, &r, on_route, &route);
	if (status == SP_OK && (!route.unicast || route.ifindex != ifindex))
		status = SP_NOT_FOUND;
	/*
	 * With the interface given and no route at all, IPv4 takes any
	 * address for on-link. Ask for the row of the table behind such an
	 * answer: that fails if there is none.
	 */
	if (status == SP_OK && dst->family == SP_FAMILY_IP4 &&
		route.gateway.family == SP_FAMILY_NONE) {
		((struct rtmsg *)r.body)->rtm_flags = RTM_F_FIB_MATCH;
		status = ask(nl, &r, on_route, &row);
	}
	if (status != SP_OK)
		return status;

	*out = (struct sp_netlink_route){ route.gateway, route.mtu };
	if (out->hop.family == SP_FAMILY_NONE)
		out->hop = *dst;
	out->hop.port = 0;
	return SP_OK;
}

static int
on_link(const struct nlmsghdr *nlh, void *arg)
{
	sp_rtnl_parse_link(nlh, arg);
	return MNL_CB_STOP;
}

enum sp_status
sp_netlink_find_link(
	struct sp_netlink *nl, uint32_t ifindex, struct sp_netlink_link *out)
{
	struct sp_rtnl_request r;

	sp_rtnl_init(&r, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	((struct ifinfomsg *)r.body)->ifi_index = (int)ifindex;
	mnl_attr_put_u32(r.head, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return ask(nl, &r, on_link, out);
}

static int
on_neighbour(const struct nlmsghdr *nlh, void *arg)
{
	(void)sp_rtnl_parse_neighbour(nlh, arg);
	return MNL_CB_STOP;
}

enum sp_status
sp_netlink_find_neighbour(struct sp_netlink *nl, uint32_t ifindex,
	const struct sp_addr *addr, struct sp_netlink_neighbour *out)
{
	struct sp_rtnl_request r;

	sp_rtnl_init_neighbour(&r, RTM_GETNEIGH, ifindex, addr);
	return ask(nl, &r, on_neighbour, out);
}

void
sp_netlink_use_neighbour(
	struct sp_netlink *nl, uint32_t ifindex, const struct sp_addr *addr)
{
	struct sp_rtnl_request r;

	sp_rtnl_init_neighbour(&r, RTM_NEWNEIGH, ifindex, addr);
	r.head->nlmsg_flags |= NLM_F_CREATE;
	((struct ndmsg *)r.body)->ndm_flags = NTF_USE;
	/* A request that fails is as one that the network lost. */
	(void)mnl_socket_sendto(nl->news, r.head, r.head->nlmsg_len);
}

static int
on_default(const struct nlmsghdr *nlh, void *arg)
{
	struct sp_rtnl_route *best = arg;
	struct sp_rtnl_route route;

	sp_rtnl_parse_route(nlh, &route);
	if (route.unicast && route.bits == 0 && route.ifindex > 0 &&
		route.table == RT_TABLE_MAIN &&
		(best->ifindex == 0 || route.metric < best->metric))
		*best = route;
	return MNL_CB_OK;
}

enum sp_status
sp_netlink_find_default(struct sp_netlink *nl, uint32_t *ifindex)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct sp_rtnl_route best = { 0 };
	enum sp_status status = SP_OK;

	for (size_t i = 0;
		i < sizeof families && status == SP_OK && best.ifindex == 0;
		i++) {
		struct sp_rtnl_request r;

		sp_rtnl_init(
			&r, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
		((struct rtmsg *)r.body)->rtm_family = families[i];
		status = ask(nl, &r, on_default, &best);
	}
	if (status == SP_OK && best.ifindex == 0)
		status = SP_NOT_FOUND;
	if (status == SP_OK)
		*ifindex = best.ifindex;
	return status;
}

/* A walk over the addresses of an interface. */
struct listing {
	uint32_t ifindex;
	struct sp_addr *out;
	size_t max;
	size_t n;
	const struct sp_addr *wanted; /* or NULL: list the lasting ones */
	bool found;
};

static int
on_address(const struct nlmsghdr *nlh, void *arg)
{
	struct listing *l = arg;
	struct sp_rtnl_address a;

	if (!sp_rtnl_parse_address(nlh, &a) || a.ifindex != l->ifindex)
		return MNL_CB_OK;
	if (l->wanted)
		l->found |= sp_addr_same_ip(&a.addr, l->wanted);
	else if (a.lasting && l->n < l->max)
		l->out[l->n++] = a.addr;
	return MNL_CB_OK;
}

static enum sp_status
ask_addresses(struct sp_netlink *nl, struct listing *l)
{
	struct sp_rtnl_request r;

	sp_rtnl_init(&r, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	return ask(nl, &r, on_address, l);
}

enum sp_status
sp_netlink_list_addresses(struct sp_netlink *nl, uint32_t ifindex,
	struct sp_addr *out, size_t max, size_t *n)
{
	struct listing l = { .ifindex = ifindex, .out = out, .max = max };
	const enum sp_status status = ask_addresses(nl, &l);

	if (status == SP_OK)
		*n = l.n;
	return status;
}

bool
sp_netlink_has_address(
	struct sp_netlink *nl, uint32_t ifindex, const struct sp_addr *addr)
{
	struct listing l = { .ifindex = ifindex, .wanted = addr };

	return ask_addresses(nl, &l) == SP_OK && l.found;
}
