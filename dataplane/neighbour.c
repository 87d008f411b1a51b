/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/neighbour.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RETRANSMIT_MS 1000
#define TRIES 3
#define REACHABLE_MS 30000
#define RETRY_MS 5000 /* after a failure */
#define GATEWAYS 2u   /* the first entries are theirs */
#define ENTRIES (GATEWAYS + SP_NEIGHBOUR_MAX)

/*
 * Questions to who never answered, as SDP may name every address of a link.
 * Each kind of question has a budget of its own, so that none starves another.
 */
#define ASK_MS 5u        /* one in so long, or */
#define ASKS_AT_ONCE 50u /* after a rest */
#define ANSWER_MS 500u   /* a place is safe for so long after a question */

enum budget {
	AT_ONCE, /* as soon as it is wanted */
	WAITED,  /* later, for the first time */
	AGAIN,   /* long after a question in vain */
	REPEAT,  /* soon after: frames get lost */
	BUDGETS,
};

static_assert(BUDGETS * (ASKS_AT_ONCE + ANSWER_MS / ASK_MS) <
		SP_NEIGHBOUR_MAX * 2 / 3,
	"strangers leave room for many who answer");

enum state {
	FREE,
	INCOMPLETE, /* asked, no MAC yet */
	REACHABLE,  /* answered not long ago */
	PROBE,      /* asked again; the old MAC serves meanwhile */
	FAILED,     /* asked in vain */
};

struct entry {
	struct sp_addr addr;
	uint8_t mac[6];
	uint8_t state; /* enum state */
	uint8_t tries; /* requests sent in INCOMPLETE or PROBE */
	bool trusted;  /* a gateway, or its MAC was known once */
	uint64_t due_ms;
	uint64_t asked_ms; /* the last request */
};

struct sp_neighbour {
	struct sp_neighbour_conf conf;
	uint64_t asked_ms[BUDGETS]; /* ahead of now: asked for of late */
	struct entry entry[ENTRIES];
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
	for (unsigned int i = 0; i < ENTRIES; i++) {
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
	e->asked_ms = now_ms;
	request(table, e);
}

/* May a stranger be asked now? Then it counts as asked. */
static bool
take(struct sp_neighbour *table, enum budget budget, uint64_t now_ms)
{
	uint64_t *asked_ms = &table->asked_ms[budget];

	if (*asked_ms < now_ms)
		*asked_ms = now_ms;
	if (*asked_ms + ASK_MS > now_ms + ASKS_AT_ONCE * ASK_MS)
		return false;
	*asked_ms += ASK_MS;
	return true;
}

/*
 * A place for a new entry: a free one, or else that of the stranger, or of
 * the one that failed, whose last question is the oldest. NULL: there is none.
 */
static struct entry *
place(struct sp_neighbour *table, uint64_t now_ms)
{
	struct entry *best = NULL;

	for (unsigned int i = GATEWAYS; i < ENTRIES; i++) {
		struct entry *e = &table->entry[i];

		if (e->state == FREE)
			return e;
		if (known(e) || e->asked_ms + ANSWER_MS > now_ms)
			continue;
		if (!best || e->trusted < best->trusted ||
			(e->trusted == best->trusted &&
				e->asked_ms < best->asked_ms))
			best = e;
	}
	return best;
}

/* The place of @addr if it is a gateway, else NULL. */
static struct entry *
place_of_gateway(struct sp_neighbour *table, const struct sp_addr *addr)
{
	for (unsigned int i = 0; i < GATEWAYS; i++)
		if (sp_addr_same_ip(&table->conf.gateway[i], addr))
			return &table->entry[i];
	return NULL;
}

static void
begin(struct sp_neighbour *table, struct entry *e, const struct sp_addr *addr,
	bool trusted, uint64_t now_ms)
{
	*e = (struct entry){ .addr = *addr, .trusted = trusted };
	e->addr.port = 0;
	ask(table, e, INCOMPLETE, now_ms);
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
	struct entry *e = place_of_gateway(table, addr);
	const bool gateway = e != NULL;

	if (!asker(&table->conf.station, addr))
		return SP_NOT_FOUND;
	if (find(table, addr))
		return SP_OK;
	if (!gateway)
		e = place(table, now_ms);
	if (!e || (!gateway && !take(table, AT_ONCE, now_ms)))
		return SP_FULL;
	begin(table, e, addr, gateway, now_ms);
	return SP_OK;
}

enum sp_status
sp_neighbour_add_later(struct sp_neighbour *table, const struct sp_addr *addr,
	bool again, uint64_t now_ms)
{
	struct entry *e;

	/* First, as it is cheap and they may be thousands. */
	if (!take(table, again ? AGAIN : WAITED, now_ms))
		return SP_FULL;
	e = find(table, addr);
	if (e) {
		if (e->state == FAILED && !e->trusted)
			ask(table, e, FAILED, now_ms);
		return SP_OK;
	}
	e = place(table, now_ms);
	if (!e)
		return SP_FULL;
	begin(table, e, addr, false, now_ms);
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
		/* Strangers that failed are asked for by who wants them. */
		if (e->trusted ||
			(e->state != FAILED && take(table, REPEAT, now_ms)))
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
	for (unsigned int i = 0; i < ENTRIES; i++) {
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
	e->trusted = true;
	if (news)
		table->conf.on_change(table->conf.arg, &e->addr, e->mac);
	/* What came unasked is believed, and asked about at once. */
	if (!answer && e->state != PROBE)
		ask(table, e, PROBE, now_ms);
	return true;
}
