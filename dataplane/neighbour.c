/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/neighbour.h"

#include <stdlib.h>
#include <string.h>

#define RETRANSMIT_MS 1000
#define TRIES 3
#define REACHABLE_MS 30000
#define RETRY_MS 5000 /* after a failure */

enum state {
	FREE,
	INCOMPLETE, /* asked, no MAC yet */
	REACHABLE,  /* answered not long ago */
	PROBE,      /* asked again; the old MAC serves meanwhile */
	FAILED,     /* asked in vain, asked again now and then */
};

struct entry {
	struct sp_addr addr;
	uint8_t mac[6];
	uint8_t state; /* enum state */
	uint8_t tries; /* requests sent in INCOMPLETE or PROBE */
	uint64_t due_ms;
};

struct sp_neighbour {
	struct sp_neighbour_conf conf;
	struct entry entry[SP_NEIGHBOUR_MAX];
};

const struct sp_addr *
sp_station_find(const struct sp_station *station, const struct sp_addr *addr)
{
	for (unsigned int i = 0; i < station->n_addrs; i++)
		if (sp_addr_same_ip(&station->addr[i], addr))
			return &station->addr[i];
	return NULL;
}

bool
sp_station_on_link(const struct sp_station *station, const struct sp_addr *addr)
{
	for (unsigned int i = 0; i < station->n_addrs; i++)
		if (sp_addr_within(addr, &station->addr[i], station->prefix[i]))
			return true;
	return false;
}

/* The address to ask from: on the same subnet if there is one. */
static const struct sp_addr *
asker(const struct sp_station *station, const struct sp_addr *addr)
{
	const struct sp_addr *any = NULL;

	for (unsigned int i = 0; i < station->n_addrs; i++) {
		const struct sp_addr *own = &station->addr[i];

		if (sp_addr_within(addr, own, station->prefix[i]))
			return own;
		if (!any && own->family == addr->family)
			any = own;
	}
	return any;
}

static struct entry *
find(const struct sp_neighbour *table, const struct sp_addr *addr)
{
	for (unsigned int i = 0; i < SP_NEIGHBOUR_MAX; i++) {
		const struct entry *e = &table->entry[i];

		if (e->state != FREE && sp_addr_same_ip(&e->addr, addr))
			return (struct entry *)e;
	}
	return NULL;
}

static bool
known(const struct entry *e)
{
	return e->state == REACHABLE || e->state == PROBE;
}

/*
 * Probes go to everybody as the first request does: a MAC that moved is then
 * found by the first probe and not after three that nobody hears.
 */
static void
request(const struct sp_neighbour *table, const struct entry *e)
{
	const struct sp_station *station = &table->conf.station;
	struct sp_neigh_link link = { .vlan = station->vlan };
	uint8_t frame[SP_NEIGH_FRAME_MAX];
	size_t len;

	memcpy(link.from, station->mac, sizeof link.from);
	if (sp_neigh_write_request(&link, asker(station, &e->addr), &e->addr,
		    frame, sizeof frame, &len) == SP_OK)
		station->transmit(station->arg, station->realm, frame, len);
}

static void
ask(const struct sp_neighbour *table, struct entry *e, enum state state,
	uint64_t now_ms)
{
	e->tries = e->state == state ? (uint8_t)(e->tries + 1) : 1;
	e->state = (uint8_t)state;
	e->due_ms = now_ms + (state == FAILED ? RETRY_MS : RETRANSMIT_MS);
	request(table, e);
}

enum sp_status
sp_neighbour_open(
	const struct sp_neighbour_conf *conf, struct sp_neighbour **out)
{
	struct sp_neighbour *table = calloc(1, sizeof *table);

	if (!table)
		return SP_NO_MEMORY;
	table->conf = *conf;
	*out = table;
	return SP_OK;
}

void
sp_neighbour_close(struct sp_neighbour *table)
{
	free(table);
}

const struct sp_station *
sp_neighbour_station(const struct sp_neighbour *table)
{
	return &table->conf.station;
}

enum sp_status
sp_neighbour_add(
	struct sp_neighbour *table, const struct sp_addr *addr, uint64_t now_ms)
{
	struct entry *e = NULL;

	if (!asker(&table->conf.station, addr))
		return SP_NOT_FOUND;
	if (find(table, addr))
		return SP_OK;
	for (unsigned int i = 0; i < SP_NEIGHBOUR_MAX && !e; i++)
		if (table->entry[i].state == FREE)
			e = &table->entry[i];
	if (!e)
		return SP_FULL;

	*e = (struct entry){ .addr = *addr };
	e->addr.port = 0;
	ask(table, e, INCOMPLETE, now_ms);
	return SP_OK;
}

void
sp_neighbour_del(struct sp_neighbour *table, const struct sp_addr *addr)
{
	struct entry *e = find(table, addr);

	if (e)
		e->state = FREE;
}

const uint8_t *
sp_neighbour_find(const struct sp_neighbour *table, const struct sp_addr *addr)
{
	const struct entry *e = find(table, addr);

	return e && known(e) ? e->mac : NULL;
}

static void
step(struct sp_neighbour *table, struct entry *e, uint64_t now_ms)
{
	if (e->state == REACHABLE) {
		ask(table, e, PROBE, now_ms);
	} else if (e->state == FAILED || e->tries < TRIES) {
		ask(table, e, e->state, now_ms);
	} else {
		e->state = FAILED;
		e->due_ms = now_ms + RETRY_MS;
		table->conf.on_change(table->conf.arg, &e->addr, NULL);
	}
}

void
sp_neighbour_serve(struct sp_neighbour *table, uint64_t now_ms)
{
	for (unsigned int i = 0; i < SP_NEIGHBOUR_MAX; i++) {
		struct entry *e = &table->entry[i];

		if (e->state != FREE && e->due_ms <= now_ms)
			step(table, e, now_ms);
	}
}

/* Is @event the answer to a request of ours, as far as one can see? */
static bool
answers(const struct sp_neighbour *table, const struct sp_neigh_event *event)
{
	if (event->kind == SP_NEIGH_NA)
		return event->solicited;
	return event->kind == SP_NEIGH_ARP_REPLY &&
		sp_station_find(&table->conf.station, &event->target);
}

static bool
gratuitous(const struct sp_neigh_event *event)
{
	if (event->kind == SP_NEIGH_NA)
		return !event->solicited;
	return (event->kind == SP_NEIGH_ARP_REPLY ||
		       event->kind == SP_NEIGH_ARP_REQUEST) &&
		sp_addr_same_ip(&event->sender, &event->target);
}

bool
sp_neighbour_learn(struct sp_neighbour *table,
	const struct sp_neigh_event *event, uint64_t now_ms)
{
	bool answer = answers(table, event);
	struct entry *e = NULL;
	bool news;

	if (event->learn && (answer || gratuitous(event)))
		e = find(table, &event->sender);
	if (!e)
		return false;
	answer = answer && e->state != REACHABLE; /* else we did not ask */
	news = !known(e) || memcmp(e->mac, event->mac, sizeof e->mac) != 0;
	if (news && known(e) && event->kind == SP_NEIGH_NA && !event->override)
		return false; /* somebody else answers in its place */

	if (answer) {
		e->state = REACHABLE;
		e->due_ms = now_ms + REACHABLE_MS;
	} else if (!news) {
		return false; /* unasked it confirms nothing */
	}
	memcpy(e->mac, event->mac, sizeof e->mac);
	if (news)
		table->conf.on_change(table->conf.arg, &e->addr, e->mac);
	/* What came unasked is believed, and asked about at once. */
	if (!answer && e->state != PROBE)
		ask(table, e, PROBE, now_ms);
	return true;
}
