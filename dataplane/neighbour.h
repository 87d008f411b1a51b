/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_NEIGHBOUR_H
#define SP_DATAPLANE_NEIGHBOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "relay/addr.h"
#include "relay/neigh.h"
#include "relay/status.h"

/*
 * Who has which MAC on the link of a dedicated realm, by ARP and neighbour
 * discovery of our own. An entry is made because we want to send there, never
 * because somebody sent to us, so no flood of frames fills the table (SEC-38).
 * SDP of strangers does: those who never answered make room for others, those
 * who answer do not, and strangers are asked for at a bounded rate.
 *
 * Core:  control. Time is passed in and never goes back.
 * Spec:  RFC 826, RFC 4861 section 7.3 (without router discovery).
 */
#define SP_NEIGHBOUR_MAX 1024 /* entries a realm, its gateways apart */

/* A dedicated realm as its link sees it. Plain values. */
struct sp_station {
	uint16_t realm; /* passed on to @transmit */
	uint16_t vlan;  /* 802.1Q id of all frames; 0: untagged */
	uint8_t mac[6];
	uint8_t n_addrs;
	uint8_t prefix[SP_REALM_ADDRS_MAX]; /* bits on-link */
	struct sp_addr addr[SP_REALM_ADDRS_MAX];
	/* Send a whole frame, tag included; may drop it. Borrowed bytes. */
	void (*transmit)(
		void *arg, uint16_t realm, const uint8_t *frame, size_t len);
	void *arg;
};

/* Return the station's own address @addr is, or NULL. */
const struct sp_addr *sp_station_find(
	const struct sp_station *station, const struct sp_addr *addr);

/* Is @addr on the station's link by one of its prefixes? */
bool sp_station_on_link(
	const struct sp_station *station, const struct sp_addr *addr);

struct sp_neighbour; /* the table */

struct sp_neighbour_conf {
	struct sp_station station;
	struct sp_addr gateway[2]; /* have their own places; or NONE */
	void *arg;
	/* @addr has the MAC @mac now; NULL: it does not answer. */
	void (*on_change)(
		void *arg, const struct sp_addr *addr, const uint8_t *mac);
};

/* Open an empty table. Owns: caller closes *@out. Fails: SP_NO_MEMORY. */
enum sp_status sp_neighbour_open(const struct sp_neighbour_conf *conf,
	struct sp_neighbour **out) SP_MUST_CHECK;

/* Forget everybody. Takes NULL. */
void sp_neighbour_close(struct sp_neighbour *table);

/* Return the station the table was opened for; borrowed. */
const struct sp_station *sp_neighbour_station(const struct sp_neighbour *table);

/*
 * Want the MAC of @addr from now on; asks for it at once. Wanting twice is
 * wanting once. Until it answers its place may be taken by another's, without
 * a word: who still wants it says so now and then by sp_neighbour_add_later.
 *
 * Fails: SP_FULL without a place or when too many were asked for of late: try
 *        later; SP_NOT_FOUND without a local address of that family to ask
 *        from. Nothing is then changed.
 */
enum sp_status sp_neighbour_add(struct sp_neighbour *table,
	const struct sp_addr *addr, uint64_t now_ms) SP_MUST_CHECK;

/*
 * Want @addr still: it waits since sp_neighbour_add failed or, if @again, it
 * was asked for and has not answered. Cheap when it fails.
 *
 * Fails: SP_FULL, as above.
 */
enum sp_status sp_neighbour_add_later(struct sp_neighbour *table,
	const struct sp_addr *addr, bool again, uint64_t now_ms) SP_MUST_CHECK;

/* Want @addr no more. */
void sp_neighbour_del(struct sp_neighbour *table, const struct sp_addr *addr);

/* Return the MAC of @addr, borrowed, or NULL while it is not known. */
const uint8_t *sp_neighbour_find(
	const struct sp_neighbour *table, const struct sp_addr *addr);

/* Ask again, probe and give up where it is due; some ten times a second. */
void sp_neighbour_serve(struct sp_neighbour *table, uint64_t now_ms);

/*
 * Take in an ARP reply, a gratuitous ARP or a neighbour advertisement. Only
 * entries that exist learn from it. Returns false if it told us nothing.
 */
bool sp_neighbour_learn(struct sp_neighbour *table,
	const struct sp_neigh_event *event, uint64_t now_ms);

#endif
