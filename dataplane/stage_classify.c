/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "dataplane/stage.h"

#define VLAN_ID 0x0fff

/* What a frame is before its IP header is read. */
struct frame {
	uint16_t type; /* EtherType, host order */
	uint16_t vlan;
	uint16_t offset; /* of the network header */
};

/* Read Ethernet and at most one VLAN tag. False if cut off. */
static inline bool
read_ethernet(const struct rte_mbuf *m, const uint8_t *data, uint32_t len,
	struct frame *f)
{
	if (unlikely(len < RTE_ETHER_HDR_LEN || m->nb_segs != 1))
		return false;
	f->type = sp_sum_swap(sp_sum_word(data + 12));
	f->offset = RTE_ETHER_HDR_LEN;
	f->vlan = m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED
		? m->vlan_tci & VLAN_ID
		: 0;
	/* A tag below one that the NIC took off is another VLAN's business. */
	if (f->type == RTE_ETHER_TYPE_VLAN &&
		!(m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)) {
		if (len < RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)
			return false;
		f->vlan = sp_sum_swap(sp_sum_word(data + 14)) & VLAN_ID;
		f->type = sp_sum_swap(sp_sum_word(data + 16));
		f->offset += RTE_VLAN_HLEN;
	}
	return true;
}

/* Only where no kernel sits on the same link do we answer for ourselves. */
static bool
is_dedicated(const struct sp_locals *locals, uint8_t nic, uint16_t vlan)
{
	for (unsigned int i = 0; i < locals->count; i++) {
		const struct sp_local *l = &locals->local[i];

		if (l->nic == nic && l->vlan == vlan && l->dedicated)
			return true;
	}
	return false;
}

static enum sp_verdict
classify(struct sp_burst *b, unsigned int i, const struct sp_locals *locals)
{
	const struct rte_mbuf *m = b->pkt[i];
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
	const uint32_t len = rte_pktmbuf_data_len(m);
	struct sp_datagram *d = &b->datagram[i];
	enum sp_verdict verdict = SP_VERDICT_NOT_OURS;
	struct frame f;
	int local;

	if (unlikely(!read_ethernet(m, data, len, &f)))
		return SP_VERDICT_BAD_FRAME;

	if (likely(f.type == RTE_ETHER_TYPE_IPV4 ||
		    f.type == RTE_ETHER_TYPE_IPV6)) {
		const bool ip4 = f.type == RTE_ETHER_TYPE_IPV4;

		if (unlikely(len == f.offset ||
			    data[f.offset] >> 4 != (ip4 ? 4 : 6)))
			return SP_VERDICT_BAD_FRAME;
		verdict = sp_datagram_parse(data + f.offset, len - f.offset, d);
	} else if (f.type == RTE_ETHER_TYPE_ARP) {
		verdict = SP_VERDICT_PUNT;
	}
	if (unlikely(verdict != SP_VERDICT_FORWARD)) {
		if (verdict == SP_VERDICT_PUNT &&
			!is_dedicated(locals, b->nic, f.vlan))
			return SP_VERDICT_NOT_OURS;
		return verdict;
	}

	/* No media comes by Ethernet broadcast or multicast. */
	local = data[0] & 1 ? -1
			    : sp_locals_find(locals, b->nic, f.vlan, &d->to);
	if (unlikely(local < 0))
		return SP_VERDICT_NOT_OURS;
	b->local[i] = (uint8_t)local;
	b->payload[i] = data + f.offset + d->header_len;
	rte_prefetch0(&locals->local[local].slot[d->to.port]);
	return SP_VERDICT_FORWARD;
}

void
sp_stage_classify(struct sp_burst *b, const struct sp_locals *locals)
{
	const unsigned int n = b->count;

	for (unsigned int i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(b->pkt[i], void *));
	for (unsigned int i = 0; i < n; i++)
		b->verdict[i] = (uint8_t)classify(b, i, locals);
}
