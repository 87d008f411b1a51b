/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/rtnl.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define MAC_LEN 6
#define ATTRS 32 /* of higher types we need none */
#define USABLE                                                                 \
	(NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE |   \
		NUD_DELAY)
#define FIXED (NUD_PERMANENT | NUD_NOARP)
#define PASSING (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)

static uint8_t
kernel_family(const struct sp_addr *a)
{
	return a->family == SP_FAMILY_IP4 ? AF_INET : AF_INET6;
}

static uint8_t
bits(const struct sp_addr *a)
{
	return a->family == SP_FAMILY_IP4 ? 32 : 128;
}

static void
put_addr(struct sp_rtnl_request *r, uint16_t type, const struct sp_addr *a)
{
	if (a->family == SP_FAMILY_IP4)
		mnl_attr_put(r->head, type, 4, a->ip + 12);
	else
		mnl_attr_put(r->head, type, 16, a->ip);
}

/* The attributes of a message by type; NULL: not there. */
struct attrs {
	const struct nlattr *of[ATTRS];
};

static int
keep(const struct nlattr *a, void *arg)
{
	struct attrs *attrs = arg;

	if (mnl_attr_get_type(a) < ATTRS)
		attrs->of[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

static struct attrs
attributes(const struct nlmsghdr *nlh, size_t body_len)
{
	struct attrs attrs = { 0 };

	(void)mnl_attr_parse(nlh, (unsigned int)body_len, keep, &attrs);
	return attrs;
}

static bool
get_addr(unsigned int family, const uint8_t *bytes, size_t len,
	struct sp_addr *out)
{
	if (family == AF_INET && len == 4)
		*out = sp_addr_ip4(bytes, 0);
	else if (family == AF_INET6 && len == 16)
		*out = sp_addr_ip6(bytes, 0);
	else
		return false;
	return true;
}

static bool
get_attr_addr(unsigned int family, const struct nlattr *a, struct sp_addr *out)
{
	return a &&
		get_addr(family, mnl_attr_get_payload(a),
			mnl_attr_get_payload_len(a), out);
}

static bool
get_mac(const struct nlattr *a, uint8_t mac[MAC_LEN])
{
	if (!a || mnl_attr_get_payload_len(a) != MAC_LEN)
		return false;
	memcpy(mac, mnl_attr_get_payload(a), MAC_LEN);
	return true;
}

static uint32_t
get_u32(const struct nlattr *a, uint32_t otherwise)
{
	if (!a || mnl_attr_get_payload_len(a) != sizeof(uint32_t))
		return otherwise;
	return mnl_attr_get_u32(a);
}

/* What does not fit into 16 bits is as good as the largest IP packet. */
static uint16_t
get_mtu(const struct nlattr *a)
{
	const uint32_t mtu = get_u32(a, 0);

	return mtu < UINT16_MAX ? (uint16_t)mtu : UINT16_MAX;
}

void
sp_rtnl_init(struct sp_rtnl_request *r, uint16_t type, uint16_t flags,
	size_t body_len)
{
	memset(r->bytes, 0, sizeof r->bytes);
	r->head = mnl_nlmsg_put_header(r->bytes);
	r->head->nlmsg_type = type;
	r->head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	r->body = mnl_nlmsg_put_extra_header(r->head, body_len);
}

void
sp_rtnl_init_neighbour(struct sp_rtnl_request *r, uint16_t type,
	uint32_t ifindex, const struct sp_addr *addr)
{
	struct ndmsg *nd;

	sp_rtnl_init(r, type, 0, sizeof *nd);
	nd = r->body;
	nd->ndm_family = kernel_family(addr);
	nd->ndm_ifindex = (int)ifindex;
	put_addr(r, NDA_DST, addr);
}

void
sp_rtnl_init_route(struct sp_rtnl_request *r, uint32_t ifindex,
	const struct sp_addr *source, const struct sp_addr *dst)
{
	struct rtmsg *rt;

	sp_rtnl_init(r, RTM_GETROUTE, 0, sizeof *rt);
	rt = r->body;
	rt->rtm_family = kernel_family(dst);
	rt->rtm_dst_len = bits(dst);
	put_addr(r, RTA_DST, dst);
	if (source->family == dst->family) {
		rt->rtm_src_len = bits(source);
		put_addr(r, RTA_SRC, source);
	}
	mnl_attr_put_u32(r->head, RTA_OIF, ifindex);
}

bool
sp_rtnl_parse_neighbour(
	const struct nlmsghdr *nlh, struct sp_netlink_neighbour *out)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(nlh);
	const struct attrs attrs = attributes(nlh, sizeof *nd);
	struct sp_netlink_neighbour n = { 0 };

	if (nd->ndm_flags & NTF_PROXY)
		return false;
	if (!get_attr_addr(nd->ndm_family, attrs.of[NDA_DST], &n.addr))
		return false;
	n.ifindex = (uint32_t)nd->ndm_ifindex;
	if (nlh->nlmsg_type == RTM_DELNEIGH)
		n.reach = SP_NETLINK_UNKNOWN;
	else if (nd->ndm_state & NUD_FAILED)
		n.reach = SP_NETLINK_FAILED;
	else if ((nd->ndm_state & USABLE) &&
		get_mac(attrs.of[NDA_LLADDR], n.mac))
		n.reach = SP_NETLINK_KNOWN;
	n.fixed = n.reach == SP_NETLINK_KNOWN && (nd->ndm_state & FIXED);
	*out = n;
	return true;
}

void
sp_rtnl_parse_link(const struct nlmsghdr *nlh, struct sp_netlink_link *out)
{
	const unsigned int wanted = IFF_UP | IFF_LOWER_UP;
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct attrs attrs = attributes(nlh, sizeof *ifi);
	const struct nlattr *name = attrs.of[IFLA_IFNAME];

	*out = (struct sp_netlink_link){
		.ifindex = (uint32_t)ifi->ifi_index,
		.mtu = get_mtu(attrs.of[IFLA_MTU]),
		.up = nlh->nlmsg_type == RTM_NEWLINK &&
			(ifi->ifi_flags & wanted) == wanted,
	};
	out->ethernet = ifi->ifi_type == ARPHRD_ETHER &&
		get_mac(attrs.of[IFLA_ADDRESS], out->mac);
	if (name && mnl_attr_get_payload_len(name) < sizeof out->name)
		memcpy(out->name, mnl_attr_get_payload(name),
			mnl_attr_get_payload_len(name));
}

void
sp_rtnl_parse_route(const struct nlmsghdr *nlh, struct sp_rtnl_route *out)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	const struct attrs attrs = attributes(nlh, sizeof *rt);
	const struct nlattr *via = attrs.of[RTA_VIA];
	const struct nlattr *paths = attrs.of[RTA_MULTIPATH];
	struct attrs metrics = { 0 };

	*out = (struct sp_rtnl_route){
		.table = get_u32(attrs.of[RTA_TABLE], rt->rtm_table),
		.ifindex = get_u32(attrs.of[RTA_OIF], 0),
		.metric = get_u32(attrs.of[RTA_PRIORITY], 0),
		.bits = rt->rtm_dst_len,
		.unicast = rt->rtm_type == RTN_UNICAST,
	};
	(void)get_attr_addr(
		rt->rtm_family, attrs.of[RTA_GATEWAY], &out->gateway);
	if (via && mnl_attr_get_payload_len(via) > sizeof(struct rtvia)) {
		/* A gateway of the other family. */
		const struct rtvia *v = mnl_attr_get_payload(via);

		(void)get_addr(v->rtvia_family, v->rtvia_addr,
			mnl_attr_get_payload_len(via) - sizeof *v,
			&out->gateway);
	}
	if (paths &&
		mnl_attr_get_payload_len(paths) >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *first = mnl_attr_get_payload(paths);

		out->ifindex = (uint32_t)first->rtnh_ifindex;
	}
	if (attrs.of[RTA_METRICS])
		(void)mnl_attr_parse_nested(
			attrs.of[RTA_METRICS], keep, &metrics);
	out->mtu = get_mtu(metrics.of[RTAX_MTU]);
}

bool
sp_rtnl_parse_address(const struct nlmsghdr *nlh, struct sp_rtnl_address *out)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct attrs attrs = attributes(nlh, sizeof *ifa);
	const uint32_t flags = get_u32(attrs.of[IFA_FLAGS], ifa->ifa_flags);
	/* IFA_ADDRESS is the peer's, if there is IFA_LOCAL too. */
	const struct nlattr *own = attrs.of[IFA_LOCAL] ? attrs.of[IFA_LOCAL]
						       : attrs.of[IFA_ADDRESS];
	/* The bit of IPv6's temporary ones means secondary in IPv4. */
	const uint32_t passing =
		PASSING | (ifa->ifa_family == AF_INET6 ? IFA_F_TEMPORARY : 0);
	struct sp_addr addr;

	if (!get_attr_addr(ifa->ifa_family, own, &addr))
		return false;
	*out = (struct sp_rtnl_address){
		.addr = addr,
		.ifindex = ifa->ifa_index,
		.lasting = ifa->ifa_scope == RT_SCOPE_UNIVERSE &&
			!(flags & passing),
	};
	return true;
}
