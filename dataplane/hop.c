/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/hop.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define REFRESH_MS 30000 /* how often the kernel hears that a hop is in use */
#define RETRY_MS 5000    /* of hops without a MAC */

/*
 * SDP of strangers may name every address of a link, and the kernel's table
 * of neighbours (1024 by default) is the whole host's. It keeps those that do
 * not answer for some seconds: so many asked for leave room for all others.
 */
#define ASK_MS 10u        /* one unknown hop in so long, or */
#define ASKS_AT_ONCE 200u /* after a rest */
#define ASKS_SPARED 100u  /* of these, for hops that are new */

#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd

struct sp_hop {
	struct sp_addr addr;
	struct sp_l2 l2;     /* as the workers know it */
	uint64_t due_ms;     /* when to use it again, or to ask */
	uint64_t free_at_ms; /* not before: a flow may not have moved yet */
	uint32_t refs;
	uint16_t next; /* in its chain */
	uint16_t realm;
	uint16_t mtu;   /* of the route; 0: the link's */
	uint8_t family; /* of the packets; NONE: a free entry */
	bool known;     /* @mac is right as far as anybody told */
	bool asked;     /* dedicated: the link was asked for it */
	bool fixed;     /* @mac was set by hand */
	uint8_t mac[6];
};

uint32_t
sp_hop_hash(const struct sp_hop_table *t, uint16_t realm,
	const struct sp_addr *addr)
{
	unsigned __int128 product;
	uint64_t word[2];

	memcpy(word, addr->ip, sizeof word);
	product = (unsigned __int128)(word[0] ^ t->secret[0] ^ realm) *
		(word[1] ^ t->secret[1]);
	return (uint32_t)(product >> 64) ^ (uint32_t)product;
}

static uint16_t *
chain_of(const struct sp_hop_table *t, uint16_t realm,
	const struct sp_addr *addr)
{
	return &t->chain[sp_hop_hash(t, realm, addr) & t->mask];
}

enum sp_status
sp_hop_open(struct sp_hop_table *t, uint16_t max)
{
	t->max = max;
	t->mask = 1;
	while (t->mask < max)
		t->mask = t->mask << 1 | 1;
	/* Untouched pages cost nothing, so the largest size is no waste. */
	t->hop = calloc(max + 1u, sizeof *t->hop);
	t->chain = calloc(t->mask + 1u, sizeof *t->chain);
	t->free = calloc(max + 1u, sizeof *t->free);
	if (!t->hop || !t->chain || !t->free)
		return SP_NO_MEMORY;
	if (getrandom(t->secret, sizeof t->secret, 0) != sizeof t->secret)
		return SP_SYSTEM;
	return SP_OK;
}

void
sp_hop_close(struct sp_hop_table *t)
{
	free(t->hop);
	free(t->chain);
	free(t->free);
}

static void
put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Bring what the workers know of a hop up to date, if it is not. */
static void
publish(struct sp_hop_table *t, uint16_t id)
{
	struct sp_hop *h = &t->hop[id];
	const struct sp_hop_realm *r = &t->realm[h->realm];
	struct sp_l2 l2 = {
		.len = r->vlan ? SP_L2_TAGGED : SP_L2_PLAIN,
		.realm = (uint8_t)h->realm,
	};

	memcpy(l2.header, h->mac, sizeof h->mac);
	memcpy(l2.header + 6, r->mac, sizeof r->mac);
	if (r->vlan) {
		put_u16(l2.header + 12, ETHERTYPE_VLAN);
		put_u16(l2.header + 14, r->vlan);
	}
	put_u16(l2.header + l2.len - 2,
		h->family == SP_FAMILY_IP6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
	l2.ready = h->known && r->up;
	l2.mtu = h->mtu > 0 && h->mtu < r->mtu ? h->mtu : r->mtu;
	if (memcmp(&l2, &h->l2, sizeof l2) == 0)
		return;
	h->l2 = l2;
	t->on_change(t->arg, id, &h->l2);
}

static void
set_mac(struct sp_hop *h, const uint8_t *mac)
{
	h->known = mac != NULL;
	if (mac)
		memcpy(h->mac, mac, sizeof h->mac);
}

/* May the kernel be asked for an unknown hop, and @spared more? */
static bool
may_ask(struct sp_hop_table *t, unsigned int spared)
{
	if (t->asked_ms < t->now_ms)
		t->asked_ms = t->now_ms;
	if (t->asked_ms + (spared + 1) * ASK_MS >
		t->now_ms + ASKS_AT_ONCE * ASK_MS)
		return false;
	t->asked_ms += ASK_MS;
	return true;
}

/*
 * Tell the kernel that a hop is in use; the outcome comes as news. Not of one
 * that was set by hand: the kernel would then forget it.
 */
static void
use(struct sp_hop_table *t, struct sp_hop *h, unsigned int spared)
{
	if (h->fixed) {
		h->due_ms = t->now_ms + REFRESH_MS;
		return;
	}
	if (!h->known && !may_ask(t, spared)) {
		h->due_ms = t->now_ms + ASK_MS;
		return;
	}
	sp_netlink_use_neighbour(
		t->netlink, t->realm[h->realm].ifindex, &h->addr);
	h->due_ms = t->now_ms + (h->known ? REFRESH_MS : RETRY_MS);
}

/*
 * Have the link asked for a hop that has no MAC. One that finds no place or
 * was asked in vain waits here: no call is refused for want of neighbours.
 */
static void
ask_link(struct sp_hop_table *t, struct sp_hop *h)
{
	if (sp_neighbour_add_later(t->realm[h->realm].neighbour, &h->addr,
		    h->asked, t->now_ms) != SP_OK)
		return;
	h->asked = true;
	h->due_ms = t->now_ms + RETRY_MS;
}

/* Begin to find out a new hop's MAC; it may be known already. */
static enum sp_status
resolve(struct sp_hop_table *t, struct sp_hop *h)
{
	const struct sp_hop_realm *r = &t->realm[h->realm];
	struct sp_netlink_neighbour n;
	enum sp_status status;

	if (r->neighbour) {
		status = sp_neighbour_add(r->neighbour, &h->addr, t->now_ms);
		set_mac(h, sp_neighbour_find(r->neighbour, &h->addr));
		h->asked = status == SP_OK;
		h->due_ms = t->now_ms + (h->asked ? RETRY_MS : 0);
		return status == SP_FULL ? SP_OK : status;
	}
	status =
		sp_netlink_find_neighbour(t->netlink, r->ifindex, &h->addr, &n);
	if (status == SP_OK && n.reach == SP_NETLINK_KNOWN) {
		set_mac(h, n.mac);
		h->fixed = n.fixed;
	}
	use(t, h, 0);
	return SP_OK;
}

static void
give_back(struct sp_hop_table *t, uint16_t id)
{
	struct sp_hop *h = &t->hop[id];
	struct sp_neighbour *neighbour = t->realm[h->realm].neighbour;
	uint16_t *at = chain_of(t, h->realm, &h->addr);

	if (neighbour)
		sp_neighbour_del(neighbour, &h->addr);
	while (*at != id)
		at = &t->hop[*at].next;
	*at = h->next;
	h->family = SP_FAMILY_NONE;
	t->free[t->n_free++] = id;
}

static uint16_t
find(const struct sp_hop_table *t, uint16_t realm, uint8_t family,
	const struct sp_netlink_route *route)
{
	uint16_t id = *chain_of(t, realm, &route->hop);

	while (id > 0) {
		const struct sp_hop *h = &t->hop[id];

		if (h->realm == realm && h->family == family &&
			h->mtu == route->mtu &&
			sp_addr_same_ip(&h->addr, &route->hop))
			break;
		id = h->next;
	}
	return id;
}

enum sp_status
sp_hop_get(struct sp_hop_table *t, uint16_t realm, uint8_t family,
	const struct sp_netlink_route *route, uint16_t *out)
{
	uint16_t *chain = chain_of(t, realm, &route->hop);
	uint16_t id = find(t, realm, family, route);
	enum sp_status status;

	if (id > 0) {
		t->hop[id].refs++;
		*out = id;
		return SP_OK;
	}
	if (t->n_free == 0 && t->used == t->max)
		return SP_FULL;
	id = t->n_free > 0 ? t->free[--t->n_free] : (uint16_t)++t->used;
	t->hop[id] = (struct sp_hop){
		.addr = route->hop,
		.refs = 1,
		.next = *chain,
		.realm = realm,
		.mtu = route->mtu,
		.family = family,
	};
	*chain = id;
	status = resolve(t, &t->hop[id]);
	if (status != SP_OK) {
		give_back(t, id);
		return status;
	}
	publish(t, id);
	*out = id;
	return SP_OK;
}

static bool
idle(const struct sp_hop_table *t, const struct sp_hop *h)
{
	return h->refs == 0 && h->free_at_ms <= t->now_ms;
}

void
sp_hop_put(struct sp_hop_table *t, uint16_t id, bool moved)
{
	struct sp_hop *h = &t->hop[id];

	if (id == 0)
		return;
	h->refs--;
	if (moved)
		h->free_at_ms = t->now_ms + SP_HOP_LINGER_MS;
	if (idle(t, h))
		give_back(t, id);
}

const struct sp_l2 *
sp_hop_find(const struct sp_hop_table *t, uint16_t id)
{
	if (id > t->used || t->hop[id].family == SP_FAMILY_NONE)
		return NULL;
	return &t->hop[id].l2;
}

static void
learn(struct sp_hop_table *t, uint16_t realm, const struct sp_addr *addr,
	const uint8_t *mac, bool fixed)
{
	uint16_t id = *chain_of(t, realm, addr);

	for (; id > 0; id = t->hop[id].next) {
		struct sp_hop *h = &t->hop[id];

		if (h->realm != realm || !sp_addr_same_ip(&h->addr, addr))
			continue;
		/*
		 * The kernel fails a neighbour that moved, and one that
		 * somebody flushed, without asking everybody: have it ask.
		 */
		if (!mac)
			h->due_ms = t->now_ms + (h->known ? 0 : RETRY_MS);
		set_mac(h, mac);
		h->fixed = fixed;
		publish(t, id);
	}
}

void
sp_hop_learn(struct sp_hop_table *t, uint16_t realm, const struct sp_addr *addr,
	const uint8_t *mac)
{
	learn(t, realm, addr, mac, false);
}

/*
 * The kernel forgot a neighbour, perhaps for want of space, or begins to
 * resolve it anew. Its MAC is still the best guess: keep it and ask.
 */
static void
doubt(struct sp_hop_table *t, uint16_t realm, const struct sp_addr *addr)
{
	uint16_t id = *chain_of(t, realm, addr);

	for (; id > 0; id = t->hop[id].next) {
		struct sp_hop *h = &t->hop[id];

		if (h->known && h->realm == realm &&
			sp_addr_same_ip(&h->addr, addr)) {
			h->due_ms = t->now_ms;
			h->fixed = false;
		}
	}
}

void
sp_hop_hear(struct sp_hop_table *t, const struct sp_netlink_neighbour *n)
{
	for (uint16_t realm = 0; realm < SP_REALMS_MAX; realm++) {
		const struct sp_hop_realm *r = &t->realm[realm];

		if (!r->used || r->neighbour || r->ifindex != n->ifindex)
			continue;
		if (n->reach == SP_NETLINK_UNKNOWN)
			doubt(t, realm, &n->addr);
		else
			learn(t, realm, &n->addr,
				n->reach == SP_NETLINK_KNOWN ? n->mac : NULL,
				n->fixed);
	}
}

void
sp_hop_renew(struct sp_hop_table *t, uint16_t realm)
{
	for (uint32_t id = 1; id <= t->used; id++)
		if (t->hop[id].family != SP_FAMILY_NONE &&
			t->hop[id].realm == realm)
			publish(t, (uint16_t)id);
}

void
sp_hop_serve(struct sp_hop_table *t)
{
	const uint32_t n = t->used < SP_HOP_SLICE ? t->used : SP_HOP_SLICE;

	for (uint32_t i = 0; i < n; i++) {
		struct sp_hop *h;

		t->at = t->at < t->used ? t->at + 1 : 1;
		h = &t->hop[t->at];
		if (h->family == SP_FAMILY_NONE)
			continue;
		if (idle(t, h))
			give_back(t, (uint16_t)t->at);
		else if (h->due_ms > t->now_ms)
			continue;
		else if (!t->realm[h->realm].neighbour)
			use(t, h, ASKS_SPARED);
		else if (!h->known)
			ask_link(t, h);
	}
}
