/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nexthop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/hop.h"
#include "dataplane/netlink.h"

#define REROUTE_MS 30000 /* finds what the kernel does not tell */
#define RESYNC_MS 1000   /* not more often, however much news is lost */
#define SLICE_MS 10      /* between two slices */

struct destination {
	struct sp_addr addr;
	uint32_t refs;
	uint32_t next;       /* in its chain */
	uint32_t generation; /* of the routes when it was looked up */
	uint16_t realm;
	uint16_t hop;
	bool used;
	uint64_t idle_ms; /* since when nobody holds it */
};

/* What the callbacks of one dedicated realm are told of it. */
struct ear {
	struct sp_nexthop *table;
	uint16_t realm;
};

struct sp_nexthop {
	struct sp_nexthop_conf conf;
	struct sp_hop_table hops;
	struct ear ear[SP_REALMS_MAX];
	uint64_t slice_ms;   /* when the next slice is due */
	uint64_t reroute_ms; /* when all routes are looked up anew */
	uint64_t resync_ms;  /* not before, if news was lost */
	bool lost;
	uint32_t generation;      /* of the routes */
	struct destination *dest; /* [max_destinations + 1], 0 is none */
	uint32_t *chain;          /* [@mask + 1] first destination, by hash */
	uint32_t *free;           /* destinations given back */
	uint32_t n_free;
	uint32_t mask;
	uint32_t used; /* destinations up to here have been in use */
	uint32_t at;   /* the next slice follows it */
};

static uint32_t *
chain_of(const struct sp_nexthop *t, uint16_t realm, const struct sp_addr *addr)
{
	return &t->chain[sp_hop_hash(&t->hops, realm, addr) & t->mask];
}

static unsigned int
of_family(const struct sp_addr *addr)
{
	return addr->family == SP_FAMILY_IP6;
}

static void
on_routes(void *arg)
{
	struct sp_nexthop *t = arg;

	t->generation++;
}

static void
on_lost(void *arg)
{
	struct sp_nexthop *t = arg;

	t->lost = true;
}

static void
on_neighbour(void *arg, const struct sp_netlink_neighbour *n)
{
	struct sp_nexthop *t = arg;

	sp_hop_hear(&t->hops, n);
}

/* Take in the link of a shared realm. */
static void
set_link(struct sp_hop_realm *r, const struct sp_netlink_link *link)
{
	r->up = link->up;
	r->mtu = link->mtu < r->mtu_max ? link->mtu : r->mtu_max;
	memcpy(r->mac, link->mac, sizeof r->mac);
}

static void
on_link(void *arg, const struct sp_netlink_link *link)
{
	struct sp_nexthop *t = arg;

	for (uint16_t i = 0; i < SP_REALMS_MAX; i++) {
		struct sp_hop_realm *r = &t->hops.realm[i];

		if (!r->used || r->neighbour || r->ifindex != link->ifindex)
			continue;
		/* Routes leave and return with a link, unannounced. */
		if (r->up != link->up)
			t->generation++;
		set_link(r, link);
		sp_hop_renew(&t->hops, i);
	}
}

static void
on_answer(void *arg, const struct sp_addr *addr, const uint8_t *mac)
{
	const struct ear *ear = arg;

	sp_hop_learn(&ear->table->hops, ear->realm, addr, mac);
}

enum sp_status
sp_nexthop_open(const struct sp_nexthop_conf *conf, struct sp_nexthop **out)
{
	const uint32_t max = conf->max_destinations;
	struct sp_nexthop *t = calloc(1, sizeof *t);
	enum sp_status status;

	if (!t)
		return SP_NO_MEMORY;
	t->conf = *conf;
	t->hops.arg = conf->arg;
	t->hops.on_change = conf->on_change;
	t->mask = 1;
	while (t->mask < max)
		t->mask = t->mask << 1 | 1;
	status = sp_hop_open(&t->hops, conf->max_hops);
	t->dest = calloc(max + 1ul, sizeof *t->dest);
	t->chain = calloc(t->mask + 1ul, sizeof *t->chain);
	t->free = calloc(max + 1ul, sizeof *t->free);
	if (status == SP_OK && (!t->dest || !t->chain || !t->free))
		status = SP_NO_MEMORY;
	if (status != SP_OK) {
		sp_nexthop_close(t);
		return status;
	}
	*out = t;
	return SP_OK;
}

void
sp_nexthop_close(struct sp_nexthop *t)
{
	if (!t)
		return;
	for (unsigned int i = 0; i < SP_REALMS_MAX; i++)
		sp_neighbour_close(t->hops.realm[i].neighbour);
	sp_hop_close(&t->hops);
	sp_netlink_close(t->hops.netlink);
	free(t->dest);
	free(t->chain);
	free(t->free);
	free(t);
}

enum sp_status
sp_nexthop_add_shared(struct sp_nexthop *t, uint16_t realm, uint32_t ifindex,
	uint16_t vlan, const struct sp_addr source[2], uint16_t mtu)
{
	const struct sp_netlink_events events = {
		.arg = t,
		.neighbour = on_neighbour,
		.link = on_link,
		.routes = on_routes,
		.lost = on_lost,
	};
	struct sp_netlink_link link;
	enum sp_status status = SP_OK;

	assert(realm < SP_REALMS_MAX && !t->hops.realm[realm].used);
	if (!t->hops.netlink)
		status = sp_netlink_open(&events, &t->hops.netlink);
	if (status == SP_OK)
		status = sp_netlink_find_link(t->hops.netlink, ifindex, &link);
	if (status == SP_OK && !link.ethernet)
		status = SP_UNSUPPORTED;
	if (status != SP_OK)
		return status;
	t->hops.realm[realm] = (struct sp_hop_realm){
		.used = true,
		.vlan = vlan,
		.mtu_max = mtu,
		.ifindex = ifindex,
		.source = { source[0], source[1] },
	};
	set_link(&t->hops.realm[realm], &link);
	return SP_OK;
}

enum sp_status
sp_nexthop_add_dedicated(struct sp_nexthop *t, const struct sp_station *station,
	const struct sp_addr gateway[2], uint16_t mtu)
{
	const uint16_t realm = station->realm;
	const struct sp_neighbour_conf conf = {
		.station = *station,
		.gateway = { gateway[0], gateway[1] },
		.arg = &t->ear[realm],
		.on_change = on_answer,
	};
	struct sp_neighbour *neighbour;
	enum sp_status status;

	assert(realm < SP_REALMS_MAX && !t->hops.realm[realm].used);
	status = sp_neighbour_open(&conf, &neighbour);
	if (status != SP_OK)
		return status;
	t->ear[realm] = (struct ear){ t, realm };
	t->hops.realm[realm] = (struct sp_hop_realm){
		.used = true,
		.up = true,
		.vlan = station->vlan,
		.mtu = mtu,
		.neighbour = neighbour,
		.gateway = { gateway[0], gateway[1] },
	};
	memcpy(t->hops.realm[realm].mac, station->mac, sizeof station->mac);
	return SP_OK;
}

struct sp_neighbour *
sp_nexthop_neighbours(const struct sp_nexthop *t, uint16_t realm)
{
	return t->hops.realm[realm].neighbour;
}

/* The way to @dst. SP_NOT_FOUND: there is none. */
static enum sp_status
find_route(const struct sp_nexthop *t, uint16_t realm,
	const struct sp_addr *dst, struct sp_netlink_route *out)
{
	const struct sp_hop_realm *r = &t->hops.realm[realm];
	const struct sp_station *station;

	if (!r->neighbour)
		return sp_netlink_find_route(t->hops.netlink, r->ifindex,
			&r->source[of_family(dst)], dst, out);

	station = sp_neighbour_station(r->neighbour);
	*out = (struct sp_netlink_route){ .hop = *dst };
	if (sp_station_find(station, dst))
		return SP_NOT_FOUND; /* nobody else has it */
	if (!sp_station_on_link(station, dst))
		out->hop = r->gateway[of_family(dst)];
	return out->hop.family == SP_FAMILY_NONE ? SP_NOT_FOUND : SP_OK;
}

/*
 * Look up the hop of a destination anew and tell its holders if it is another
 * one. What cannot be had now is tried again with the next generation.
 *
 * Fails: SP_FULL, SP_SYSTEM; the destination then keeps its hop.
 */
static enum sp_status
reroute(struct sp_nexthop *t, struct destination *d)
{
	const uint16_t from = d->hop;
	struct sp_netlink_route route;
	enum sp_status status;
	uint16_t to = 0;

	d->generation = t->generation;
	status = find_route(t, d->realm, &d->addr, &route);
	if (status == SP_OK)
		status = sp_hop_get(
			&t->hops, d->realm, d->addr.family, &route, &to);
	if (status != SP_OK && status != SP_NOT_FOUND)
		return status;
	d->hop = to;
	sp_hop_put(&t->hops, from, to != from);
	if (to != from && d->refs > 0)
		t->conf.on_move(t->conf.arg, d->realm, &d->addr, from, to);
	return SP_OK;
}

static void
forget(struct sp_nexthop *t, uint32_t i)
{
	struct destination *d = &t->dest[i];
	uint32_t *at = chain_of(t, d->realm, &d->addr);

	sp_hop_put(&t->hops, d->hop, false);
	while (*at != i)
		at = &t->dest[*at].next;
	*at = d->next;
	d->used = false;
	t->free[t->n_free++] = i;
}

/* Make room: nobody waits for what nobody holds. */
static void
forget_idle(struct sp_nexthop *t)
{
	for (uint32_t i = 1; i <= t->used; i++)
		if (t->dest[i].used && t->dest[i].refs == 0)
			forget(t, i);
}

static uint32_t
find(const struct sp_nexthop *t, uint16_t realm, const struct sp_addr *dst)
{
	uint32_t i = *chain_of(t, realm, dst);

	while (i > 0 &&
		(t->dest[i].realm != realm ||
			!sp_addr_same_ip(&t->dest[i].addr, dst)))
		i = t->dest[i].next;
	return i;
}

static enum sp_status
add(struct sp_nexthop *t, uint16_t realm, const struct sp_addr *dst,
	uint32_t *out)
{
	uint32_t *chain = chain_of(t, realm, dst);
	enum sp_status status;
	uint32_t i;

	if (t->n_free == 0 && t->used == t->conf.max_destinations)
		return SP_FULL;
	i = t->n_free > 0 ? t->free[--t->n_free] : ++t->used;
	t->dest[i] = (struct destination){
		.used = true,
		.addr = *dst,
		.realm = realm,
		.next = *chain,
		.idle_ms = t->hops.now_ms,
	};
	t->dest[i].addr.port = 0;
	*chain = i;
	status = reroute(t, &t->dest[i]);
	if (status != SP_OK) {
		forget(t, i);
		return status;
	}
	*out = i;
	return SP_OK;
}

enum sp_status
sp_nexthop_get(struct sp_nexthop *t, uint16_t realm, const struct sp_addr *dst,
	uint64_t now_ms, uint32_t *dest)
{
	enum sp_status status = SP_OK;
	uint32_t i;

	assert(realm < SP_REALMS_MAX && t->hops.realm[realm].used);
	t->hops.now_ms = now_ms;
	i = find(t, realm, dst);
	if (i == 0)
		status = add(t, realm, dst, &i);
	if (status == SP_FULL) {
		forget_idle(t);
		status = add(t, realm, dst, &i);
	}
	if (status != SP_OK)
		return status;
	t->dest[i].refs++;
	*dest = i;
	return SP_OK;
}

uint16_t
sp_nexthop_hop(struct sp_nexthop *t, uint32_t dest, uint64_t now_ms)
{
	struct destination *d = &t->dest[dest];

	if (dest == 0)
		return 0;
	assert(d->refs > 0);
	t->hops.now_ms = now_ms;
	if (d->generation != t->generation)
		(void)reroute(t, d);
	return d->hop;
}

const struct sp_addr *
sp_nexthop_addr(const struct sp_nexthop *t, uint32_t dest)
{
	return &t->dest[dest].addr;
}

void
sp_nexthop_put(struct sp_nexthop *t, uint32_t dest, uint64_t now_ms)
{
	struct destination *d = &t->dest[dest];

	assert(dest > 0 && d->refs > 0);
	t->hops.now_ms = now_ms;
	d->refs--;
	d->idle_ms = now_ms;
}

const struct sp_l2 *
sp_nexthop_find(const struct sp_nexthop *t, uint16_t id)
{
	return sp_hop_find(&t->hops, id);
}

int
sp_nexthop_fd(const struct sp_nexthop *t)
{
	return t->hops.netlink ? sp_netlink_fd(t->hops.netlink) : -1;
}

/* Ask the kernel for all that lost news may have been about. */
static void
resync(struct sp_nexthop *t)
{
	t->lost = sp_netlink_resync(t->hops.netlink) != SP_OK;
	t->resync_ms = t->hops.now_ms + RESYNC_MS;
	t->generation++;
	for (uint16_t i = 0; i < SP_REALMS_MAX; i++) {
		const struct sp_hop_realm *r = &t->hops.realm[i];
		struct sp_netlink_link link;

		if (r->used && !r->neighbour &&
			sp_netlink_find_link(
				t->hops.netlink, r->ifindex, &link) == SP_OK)
			on_link(t, &link);
	}
}

/* Reroute or forget what is due among the next slice of destinations. */
static void
serve_destinations(struct sp_nexthop *t)
{
	const uint32_t n = t->used < SP_HOP_SLICE ? t->used : SP_HOP_SLICE;

	for (uint32_t i = 0; i < n; i++) {
		struct destination *d;

		t->at = t->at < t->used ? t->at + 1 : 1;
		d = &t->dest[t->at];
		if (!d->used)
			continue;
		if (d->refs == 0 &&
			d->idle_ms + SP_HOP_LINGER_MS <= t->hops.now_ms)
			forget(t, t->at);
		else if (d->refs > 0 && d->generation != t->generation)
			(void)reroute(t, d);
	}
}

void
sp_nexthop_serve(struct sp_nexthop *t, uint64_t now_ms)
{
	t->hops.now_ms = now_ms;
	if (t->hops.netlink)
		sp_netlink_serve(t->hops.netlink);
	if (now_ms < t->slice_ms)
		return;
	t->slice_ms = now_ms + SLICE_MS;
	if (t->lost && now_ms >= t->resync_ms)
		resync(t);
	if (now_ms >= t->reroute_ms) {
		t->reroute_ms = now_ms + REROUTE_MS;
		t->generation++;
	}
	for (unsigned int i = 0; i < SP_REALMS_MAX; i++)
		if (t->hops.realm[i].neighbour)
			sp_neighbour_serve(t->hops.realm[i].neighbour, now_ms);
	serve_destinations(t);
	sp_hop_serve(&t->hops);
}
