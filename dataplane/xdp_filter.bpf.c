/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * What the kernel runs for each packet of an interface that it shares with the
 * relay. One question, asked in three places: is this UDP to one of the
 * relay's addresses, on that address' VLAN, with a port in its ranges?
 *
 *   sallyport_xdp   AF_XDP: yes goes to the relay, no to the kernel.
 *   sallyport_sock  AF_PACKET: only yes is copied to the relay.
 *   sallyport_tc    AF_PACKET: yes is taken from the kernel, which would
 *                   answer "port unreachable" to what the relay has a copy of.
 *
 * The first fragment of a datagram names its port and is treated as a whole
 * one: the relay counts it, so that lost media has a visible reason. Later
 * fragments name none and may be a part of somebody else's datagram, a large
 * SIP request say. They stay with the kernel, which forgets what lacks its
 * first fragment without answering.
 */
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "dataplane/xdp_filter.h"

enum {
	PROTO_IP4 = 0x0800,
	PROTO_IP6 = 0x86dd,
	PROTO_VLAN = 0x8100,
	VLAN_ID = 0x0fff,

	ETH_ADDRESSES = 12,
	IP4_HEADER = 20,
	IP6_HEADER = 40,
	IP4_OFFSET = 0x1fff,
	IP6_OFFSET = 0xfff8,

	NEXT_HOP_BY_HOP = 0,
	NEXT_UDP = 17,
	NEXT_FRAGMENT = 44,
	NEXT_DESTINATION = 60,
	EXTENSIONS_MAX = 4,

	QUEUES_MAX = 64,
};

/* The name is the one that DPDK's driver looks for. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, QUEUES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SP_XDP_ADDRS_MAX);
	__type(key, struct sp_xdp_key);
	__type(value, struct sp_xdp_ranges);
} sp_ranges SEC(".maps");

/* A packet, and how far into it we are. One of the contexts is NULL. */
struct packet {
	struct xdp_md *xdp;
	struct __sk_buff *skb;
	const char *here; /* XDP only: the byte at @at */
	__u32 at;
};

/*
 * Step over @by bytes, a constant. Without CAP_PERFMON the kernel lets a
 * pointer into a packet move by constants only; the barrier keeps the compiler
 * from making a variable of two of them.
 */
#define STEP(p, by)                                                            \
	do {                                                                   \
		(p)->at += (by);                                               \
		(p)->here += (by);                                             \
		asm volatile("" : "+r"((p)->here)::);                          \
	} while (0)

/* Copy the next @len bytes; false if the packet ends before. */
static __always_inline bool
load(const struct packet *p, void *to, __u32 len)
{
	if (p->skb)
		return bpf_skb_load_bytes(p->skb, p->at, to, len) == 0;
	if (p->here + len > (const char *)(long)p->xdp->data_end)
		return false;
	__builtin_memcpy(to, p->here, len);
	return true;
}

/* The same at any place, more slowly: for what is rare. */
static __always_inline bool
load_at(const struct packet *p, __u32 at, void *to, __u32 len)
{
	if (p->skb)
		return bpf_skb_load_bytes(p->skb, at, to, len) == 0;
	return bpf_xdp_load_bytes(p->xdp, at, to, len) == 0;
}

/* Read IPv4 and the ports of UDP; false if that is not what is here. */
static __always_inline bool
ip4(struct packet *p, struct sp_xdp_key *key, __u16 port[2])
{
	__u8 header[IP4_HEADER];
	__u32 words;

	if (!load(p, header, sizeof header))
		return false;
	words = header[0] & 0xf;
	if (header[0] >> 4 != 4 || words < IP4_HEADER / 4 ||
		header[9] != NEXT_UDP ||
		((header[6] << 8 | header[7]) & IP4_OFFSET))
		return false;

	key->family = 4;
	key->ip[10] = 0xff;
	key->ip[11] = 0xff;
	__builtin_memcpy(key->ip + 12, header + 16, 4);
	if (words != IP4_HEADER / 4)
		return load_at(p, p->at + 4 * words, port, 4);
	STEP(p, IP4_HEADER);
	return load(p, port, 4);
}

/* Walk IPv6 extensions from @at on to the ports of UDP. */
static __always_inline bool
extensions(const struct packet *p, __u8 next, __u32 at, __u16 port[2])
{
	__u8 header[4];

#pragma unroll
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		if (next == NEXT_UDP)
			break;
		if (next != NEXT_HOP_BY_HOP && next != NEXT_FRAGMENT &&
			next != NEXT_DESTINATION)
			return false;
		if (!load_at(p, at, header, sizeof header))
			return false;
		if (next != NEXT_FRAGMENT)
			at += 8 * (header[1] + 1);
		else if ((header[2] << 8 | header[3]) & IP6_OFFSET)
			return false;
		else
			at += 8;
		next = header[0];
	}
	return next == NEXT_UDP && load_at(p, at, port, 4);
}

/* Read IPv6 and the ports of UDP; false if that is not what is here. */
static __always_inline bool
ip6(struct packet *p, struct sp_xdp_key *key, __u16 port[2])
{
	__u8 header[IP6_HEADER];

	if (!load(p, header, sizeof header) || header[0] >> 4 != 6)
		return false;
	key->family = 6;
	__builtin_memcpy(key->ip, header + 24, sizeof key->ip);
	if (header[6] != NEXT_UDP)
		return extensions(p, header[6], p->at + IP6_HEADER, port);
	STEP(p, IP6_HEADER);
	return load(p, port, 4);
}

/* Is @port of the address in @key the relay's? */
static __always_inline bool
in_ranges(const struct sp_xdp_key *key, __u16 port)
{
	const struct sp_xdp_ranges *r = bpf_map_lookup_elem(&sp_ranges, key);

	if (!r)
		return false;
#pragma unroll
	for (int i = 0; i < SP_XDP_RANGES_MAX; i++)
		if (port >= r->range[i].first && port <= r->range[i].last)
			return true;
	return false;
}

/* Is the packet the relay's? @vlan is what was taken out of the frame. */
static __always_inline bool
ours(struct packet *p, __u16 vlan)
{
	struct sp_xdp_key key = { .vlan = vlan };
	__u16 proto, tag[2], port[2];
	bool udp = false;

	STEP(p, ETH_ADDRESSES);
	if (!load(p, &proto, sizeof proto))
		return false;
	STEP(p, sizeof proto);
	if (proto == bpf_htons(PROTO_VLAN)) {
		if (vlan || !load(p, tag, sizeof tag))
			return false;
		/* Tag 0 carries a priority only: the frame is untagged. */
		key.vlan = bpf_ntohs(tag[0]) & VLAN_ID;
		proto = tag[1];
		STEP(p, sizeof tag);
	}

	if (proto == bpf_htons(PROTO_IP4))
		udp = ip4(p, &key, port);
	else if (proto == bpf_htons(PROTO_IP6))
		udp = ip6(p, &key, port);
	return udp && in_ranges(&key, bpf_ntohs(port[1]));
}

/* First in the file: DPDK attaches the first program that it finds. */
SEC("xdp")
int
sallyport_xdp(struct xdp_md *ctx)
{
	struct packet p = {
		.xdp = ctx,
		.here = (const char *)(long)ctx->data,
	};

	if (!ours(&p, 0))
		return XDP_PASS;
	/* A queue that nobody has opened: the kernel may have it. */
	return bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
}

/* As ours, for a frame whose outer VLAN tag the kernel has taken out. */
static __always_inline bool
skb_ours(struct __sk_buff *skb)
{
	struct packet p = { .skb = skb };

	if (!skb->vlan_present)
		return ours(&p, 0);
	if (skb->vlan_proto != bpf_htons(PROTO_VLAN))
		return false;
	return ours(&p, skb->vlan_tci & VLAN_ID);
}

SEC("tc")
int
sallyport_tc(struct __sk_buff *skb)
{
	return skb_ours(skb) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("socket")
int
sallyport_sock(struct __sk_buff *skb)
{
	/* What the kernel itself sends passes here too. */
	if (skb->pkt_type == PACKET_OUTGOING)
		return 0;
	return skb_ours(skb) ? skb->len : 0;
}

char terms[] SEC("license") = "Dual BSD/GPL";
