/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ng_socket.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_BYTES (8 << 20) /* wished for, in and out */

/* An address as the socket calls want it. */
union socket_address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

/* Room for the address that was asked. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static socklen_t
to_socket(const struct sp_addr *a, uint32_t scope, union socket_address *out)
{
	memset(out, 0, sizeof *out);
	if (a->family == SP_FAMILY_IP6) {
		out->ip6.sin6_family = AF_INET6;
		out->ip6.sin6_port = htons(a->port);
		memcpy(&out->ip6.sin6_addr, a->ip, sizeof a->ip);
		if (IN6_IS_ADDR_LINKLOCAL(&out->ip6.sin6_addr))
			out->ip6.sin6_scope_id = scope;
		return sizeof out->ip6;
	}
	out->ip4.sin_family = AF_INET;
	out->ip4.sin_port = htons(a->port);
	memcpy(&out->ip4.sin_addr, a->ip + 12, 4);
	return sizeof out->ip4;
}

static struct sp_addr
from_socket(const union socket_address *sa)
{
	if (sa->any.sa_family == AF_INET6)
		return sp_addr_ip6(
			sa->ip6.sin6_addr.s6_addr, ntohs(sa->ip6.sin6_port));
	return sp_addr_ip4(
		(const uint8_t *)&sa->ip4.sin_addr, ntohs(sa->ip4.sin_port));
}

/* Big buffers ride out a burst; without the capability, what is allowed. */
static void
enlarge(int fd, int forced, int modest)
{
	const int bytes = SOCKET_BYTES;

	if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0)
		(void)setsockopt(fd, SOL_SOCKET, modest, &bytes, sizeof bytes);
}

static bool
switch_on(int fd, int level, int option)
{
	const int on = 1;

	return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

static bool
set_up(int fd, int family)
{
	enlarge(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	enlarge(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (family == AF_INET)
		return switch_on(fd, IPPROTO_IP, IP_PKTINFO);
	return switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) &&
		switch_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
}

int
sp_ng_socket_open(const struct sp_addr *addr, uint16_t *port)
{
	union socket_address at;
	socklen_t len = to_socket(addr, 0, &at);
	const int fd = socket(
		at.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (!set_up(fd, at.any.sa_family) || bind(fd, &at.any, len) != 0 ||
		getsockname(fd, &at.any, &len) != 0) {
		const int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	*port = from_socket(&at).port;
	return fd;
}

static void
read_ends(struct msghdr *msg, struct sp_ng_ends *ends)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	*ends = (struct sp_ng_ends){ .client = from_socket(msg->msg_name) };
	for (; c; c = CMSG_NXTHDR(msg, c)) {
		struct in_pktinfo info;
		struct in6_pktinfo info6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof info);
			ends->local = sp_addr_ip4(
				(const uint8_t *)&info.ipi_spec_dst, 0);
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
			c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof info6);
			ends->local = sp_addr_ip6(info6.ipi6_addr.s6_addr, 0);
			ends->scope = info6.ipi6_ifindex;
		}
	}
}

unsigned int
sp_ng_socket_read(int fd, struct sp_ng_buffer *buffer,
	struct sp_ng_datagram out[SP_NG_BATCH])
{
	struct mmsghdr msg[SP_NG_BATCH];
	struct iovec iov[SP_NG_BATCH];
	union socket_address from[SP_NG_BATCH];
	union control control[SP_NG_BATCH];
	int n;

	for (unsigned int i = 0; i < SP_NG_BATCH; i++) {
		iov[i] = (struct iovec){ buffer->bytes[i], SP_NG_DATAGRAM_MAX };
		msg[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i],
			.msg_namelen = sizeof from[i],
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_control = &control[i],
			.msg_controllen = sizeof control[i],
		};
	}
	n = recvmmsg(fd, msg, SP_NG_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		read_ends(&msg[i].msg_hdr, &out[i].ends);
		out[i].data = buffer->bytes[i];
		out[i].len = msg[i].msg_len;
	}
	return n > 0 ? (unsigned int)n : 0;
}

/* Ancillary data: the address that the datagram leaves from. */
static void
set_source(struct msghdr *msg, union control *control,
	const struct sp_ng_ends *ends)
{
	struct in_pktinfo info = { .ipi_ifindex = 0 };
	struct in6_pktinfo info6 = { .ipi6_ifindex = 0 };
	struct cmsghdr *c = &control->align;

	memset(control, 0, sizeof *control);
	msg->msg_control = control;
	if (ends->local.family == SP_FAMILY_IP6) {
		memcpy(&info6.ipi6_addr, ends->local.ip, sizeof ends->local.ip);
		if (IN6_IS_ADDR_LINKLOCAL(&info6.ipi6_addr))
			info6.ipi6_ifindex = ends->scope;
		msg->msg_controllen = CMSG_SPACE(sizeof info6);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof info6);
		memcpy(CMSG_DATA(c), &info6, sizeof info6);
	} else {
		memcpy(&info.ipi_spec_dst, ends->local.ip + 12, 4);
		msg->msg_controllen = CMSG_SPACE(sizeof info);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(c), &info, sizeof info);
	}
}

bool
sp_ng_socket_send(
	int fd, const struct sp_ng_ends *ends, const char *data, size_t len)
{
	struct iovec iov = { (char *)(uintptr_t)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union socket_address to;
	union control control;

	msg.msg_name = &to;
	msg.msg_namelen = to_socket(&ends->client, ends->scope, &to);
	set_source(&msg, &control, ends);
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/* How many bits of the mask @a are set; they come first. */
static uint8_t
bits_of(const struct sockaddr *a)
{
	const struct sockaddr_in *in = (const void *)a;
	const struct sockaddr_in6 *in6 = (const void *)a;
	const bool six = a->sa_family == AF_INET6;
	const uint8_t *at = six ? in6->sin6_addr.s6_addr
				: (const uint8_t *)&in->sin_addr.s_addr;
	uint8_t bits = 0;

	for (unsigned int i = 0; i < (six ? 16u : 4u); i++)
		bits = (uint8_t)(bits + __builtin_popcount(at[i]));
	return bits;
}

unsigned int
sp_ng_socket_networks(struct sp_prefix *out, unsigned int most)
{
	struct ifaddrs *all = NULL;
	unsigned int n = 0;

	if (getifaddrs(&all) != 0)
		return 0;
	for (const struct ifaddrs *i = all; i && n < most; i = i->ifa_next) {
		const struct sockaddr_in *in = (const void *)i->ifa_addr;
		const struct sockaddr_in6 *in6 = (const void *)i->ifa_addr;

		if (!i->ifa_addr || !i->ifa_netmask)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			out[n].addr = sp_addr_ip4(
				(const uint8_t *)&in->sin_addr.s_addr, 0);
		else if (i->ifa_addr->sa_family == AF_INET6)
			out[n].addr = sp_addr_ip6(in6->sin6_addr.s6_addr, 0);
		else
			continue;
		out[n++].bits = bits_of(i->ifa_netmask);
	}
	freeifaddrs(all);
	return n;
}
