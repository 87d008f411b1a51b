/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <string.h>

#include "bench/pktgen.h"
#include "relay/neigh.h"

#define HOPS_MAX 64u
#define TRIES 50u
#define TRY_MS 100u

/* The relay's addresses, or the gateways to it, and where they are. */
static struct hop {
	struct sp_addr addr; /* port 0 */
	uint8_t mac[6];
	uint8_t side;
	bool known;
} hops[HOPS_MAX];
static unsigned int n_hops;

static void
send_frame(
	struct pktgen *g, unsigned int side, const uint8_t *frame, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(g->other_pool);

	if (!m)
		return;
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), frame, len);
	(void)pktgen_port_send(g, side, &m, 1);
}

static bool
is_ours(const struct pktgen *g, const struct sp_addr *a)
{
	return pktgen_party_at(g, (enum sp_family)a->family, a->ip + 12,
		       PKTGEN_FIRST_PORT) != UINT32_MAX;
}

static void
learn(const struct sp_neigh_event *event)
{
	for (unsigned int i = 0; i < n_hops; i++) {
		if (!sp_addr_same_ip(&hops[i].addr, &event->sender))
			continue;
		memcpy(hops[i].mac, event->mac, sizeof event->mac);
		hops[i].known = true;
	}
}

void
pktgen_hop_take(
	struct pktgen *g, unsigned int side, const uint8_t *frame, uint32_t len)
{
	const uint16_t type = (uint16_t)(frame[12] << 8 | frame[13]);
	struct sp_neigh_link link = { 0 };
	struct sp_neigh_event event;
	uint8_t answer[SP_NEIGH_FRAME_MAX];
	size_t answer_len;

	if (sp_neigh_parse(type, frame + PKTGEN_ETH, len - PKTGEN_ETH,
		    &event) != SP_OK)
		return;
	if (event.learn)
		learn(&event);
	if ((event.kind != SP_NEIGH_ARP_REQUEST && event.kind != SP_NEIGH_NS) ||
		!is_ours(g, &event.target))
		return;
	memcpy(link.to, frame + 6, sizeof link.to);
	memcpy(link.from, g->mac[side], sizeof link.from);
	if (sp_neigh_write_answer(
		    &link, &event, answer, sizeof answer, &answer_len) == SP_OK)
		send_frame(g, side, answer, answer_len);
}

static struct hop *
find_hop(const struct sp_addr *addr, unsigned int side)
{
	for (unsigned int i = 0; i < n_hops; i++)
		if (hops[i].side == side &&
			sp_addr_same_ip(&hops[i].addr, addr))
			return &hops[i];
	if (n_hops == HOPS_MAX)
		pktgen_die("the relay has more than %u addresses", HOPS_MAX);
	hops[n_hops].addr = *addr;
	hops[n_hops].addr.port = 0;
	hops[n_hops].side = (uint8_t)side;
	return &hops[n_hops++];
}

/* Ask for those that are not known; returns how many. */
static unsigned int
ask(struct pktgen *g)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < n_hops; i++) {
		struct sp_addr from = pktgen_party(g, hops[i].side);
		struct sp_neigh_link link = { 0 };
		uint8_t frame[SP_NEIGH_FRAME_MAX];
		size_t len;

		if (hops[i].known)
			continue;
		n++;
		from.port = 0;
		memcpy(link.from, g->mac[hops[i].side], sizeof link.from);
		if (sp_neigh_write_request(&link, &from, &hops[i].addr, frame,
			    sizeof frame, &len) == SP_OK)
			send_frame(g, hops[i].side, frame, len);
	}
	return n;
}

/* What packets of @stream go to next. */
static struct sp_addr
next_of(const struct pktgen *g, uint32_t stream)
{
	const struct sp_addr *gateway = &g->conf.gateway[stream % 2];

	return gateway->family == SP_FAMILY_NONE ? g->target[stream].rtp
						 : *gateway;
}

/* Does somebody have to be asked where packets of @side go? */
static bool
must_ask(const struct pktgen *g, unsigned int side)
{
	static const uint8_t none[6];

	if (memcmp(g->conf.hop[side], none, sizeof none) != 0)
		return false;
	return g->conf.gateway[side].family != SP_FAMILY_NONE || g->conf.ng ||
		g->conf.http;
}

static void
find_all(struct pktgen *g)
{
	for (unsigned int try = 0; ask(g) > 0; try++) {
		const uint64_t start = rte_rdtsc();
		char text[SP_ADDR_TEXT];

		for (unsigned int i = 0; try == TRIES && i < n_hops; i++)
			if (!hops[i].known)
				pktgen_die("nobody is at %s",
					sp_addr_print_ip(&hops[i].addr, text));
		while ((double)(rte_rdtsc() - start) < g->hz * TRY_MS / 1000)
			(void)pktgen_receive(g);
	}
}

void
pktgen_hop_resolve(struct pktgen *g)
{
	static const uint8_t anybody[6] = { 2, 0, 0, 0, 0, 1 }, none[6];

	for (uint32_t i = 0; i < g->n; i++) {
		const struct sp_addr next = next_of(g, i);

		if (must_ask(g, i % 2))
			(void)find_hop(&next, i % 2);
	}
	find_all(g);
	for (uint32_t i = 0; i < g->n; i++) {
		const struct sp_addr next = next_of(g, i);
		const uint8_t *mac = g->conf.hop[i % 2];

		if (must_ask(g, i % 2))
			mac = find_hop(&next, i % 2)->mac;
		else if (memcmp(mac, none, sizeof none) == 0)
			mac = anybody;
		memcpy(g->stream[i].head, mac, sizeof none);
	}
}
