/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/slow_path.h"

#include <stdlib.h>
#include <string.h>

#include "relay/cursor.h"
#include "relay/neigh.h"

#define ETHERTYPE_VLAN 0x8100
#define VLAN_ID 0x0fff
#define MAC_LEN 6
#define TOKEN 1000 /* of a bucket: rates are in thousandths a millisecond */

/* What has a rate of its own, so that no flood silences the other kinds. */
enum kind {
	ASKED, /* for our MAC */
	TOLD,  /* somebody else's */
	PINGED,
	KINDS,
};

struct rate {
	uint32_t per_s;
	uint32_t burst;
};

/*
 * All together may take less than the kinds add up to, and still more than
 * any two of them: what we are told is never starved.
 */
static const struct rate rates[KINDS + 1] = {
	[ASKED] = { 500, 100 },
	[TOLD] = { 1000, 1024 }, /* all neighbours may answer at once */
	[PINGED] = { 200, 50 },
	[KINDS] = { 1500, 1200 },
};

struct bucket {
	uint64_t at_ms;
	uint64_t tokens; /* in thousandths */
};

struct place {
	struct sp_neighbour *neighbours;
	uint16_t nic;
};

struct sp_slow_path {
	struct place place[SP_REALMS_MAX];
	unsigned int places;
	bool started; /* the buckets are full at the first frame */
	struct bucket bucket[KINDS + 1];
	uint64_t count[SP_SLOW_PATH_COUNT];
};

/* The Ethernet header of a frame. */
struct ethernet {
	const uint8_t *to;
	const uint8_t *from;
	uint16_t vlan;
	uint16_t type;
};

enum sp_status
sp_slow_path_open(struct sp_slow_path **out)
{
	struct sp_slow_path *slow = calloc(1, sizeof *slow);

	if (!slow)
		return SP_NO_MEMORY;
	*out = slow;
	return SP_OK;
}

void
sp_slow_path_close(struct sp_slow_path *slow)
{
	free(slow);
}

enum sp_status
sp_slow_path_add(struct sp_slow_path *slow, uint16_t nic,
	struct sp_neighbour *neighbours)
{
	if (slow->places == SP_REALMS_MAX)
		return SP_FULL;
	slow->place[slow->places++] = (struct place){ neighbours, nic };
	return SP_OK;
}

static enum sp_status
parse_ethernet(struct sp_cursor *c, uint16_t vlan, struct ethernet *out)
{
	struct ethernet e = { .vlan = vlan };

	e.to = sp_cursor_take(c, MAC_LEN);
	e.from = sp_cursor_take(c, MAC_LEN);
	e.type = sp_cursor_u16(c);
	if (e.type == ETHERTYPE_VLAN) {
		e.vlan = sp_cursor_u16(c) & VLAN_ID;
		e.type = sp_cursor_u16(c);
	}
	if (c->failed)
		return SP_SHORT;
	*out = e;
	return SP_OK;
}

static bool
has_token(const struct sp_slow_path *slow, unsigned int i)
{
	return slow->bucket[i].tokens >= TOKEN;
}

static void
refill(struct sp_slow_path *slow, unsigned int i, uint64_t now_ms)
{
	const uint64_t full = (uint64_t)rates[i].burst * TOKEN;
	struct bucket *b = &slow->bucket[i];

	b->tokens += (now_ms - b->at_ms) * rates[i].per_s;
	if (b->tokens > full || !slow->started)
		b->tokens = full;
	b->at_ms = now_ms;
}

static bool
within_rate(struct sp_slow_path *slow, enum kind kind, uint64_t now_ms)
{
	for (unsigned int i = 0; i <= KINDS; i++)
		refill(slow, i, now_ms);
	slow->started = true;
	if (!has_token(slow, kind) || !has_token(slow, KINDS))
		return false;
	slow->bucket[kind].tokens -= TOKEN;
	slow->bucket[KINDS].tokens -= TOKEN;
	return true;
}

static enum sp_slow_path_fate
answer(const struct sp_station *station, const struct ethernet *ethernet,
	const struct sp_neigh_event *event, enum kind kind)
{
	struct sp_neigh_link link = { .vlan = station->vlan };
	uint8_t frame[SP_NEIGH_FRAME_MAX];
	enum sp_status status;
	size_t len;

	memcpy(link.to, ethernet->from, sizeof link.to);
	memcpy(link.from, station->mac, sizeof link.from);
	if (kind == PINGED)
		status = sp_neigh_write_echo(
			&link, event, frame, sizeof frame, &len);
	else
		status = sp_neigh_write_answer(
			&link, event, frame, sizeof frame, &len);
	if (status != SP_OK)
		return SP_SLOW_PATH_IGNORED;
	station->transmit(station->arg, station->realm, frame, len);
	return kind == PINGED ? SP_SLOW_PATH_ECHO : SP_SLOW_PATH_ADDRESS;
}

/* Is this realm on the frame's way, and the frame for it or for a group? */
static const struct sp_station *
hears(const struct place *p, uint16_t nic, const struct ethernet *ethernet,
	enum kind kind)
{
	const struct sp_station *station = sp_neighbour_station(p->neighbours);
	const bool to_us = memcmp(ethernet->to, station->mac, MAC_LEN) == 0;
	const bool to_group = ethernet->to[0] & 1;

	if (p->nic != nic || station->vlan != ethernet->vlan)
		return NULL;
	return to_us || (to_group && kind != PINGED) ? station : NULL;
}

/*
 * A question concerns the realm that has the address. Other people's
 * questions, of which any link is full, cost nothing of the rate.
 */
static enum sp_slow_path_fate
hear_question(struct sp_slow_path *slow, uint16_t nic,
	const struct ethernet *ethernet, const struct sp_neigh_event *event,
	enum kind kind, uint64_t now_ms)
{
	for (unsigned int i = 0; i < slow->places; i++) {
		const struct sp_station *station =
			hears(&slow->place[i], nic, ethernet, kind);

		if (!station || !sp_station_find(station, &event->target))
			continue;
		if (!within_rate(slow, kind, now_ms))
			return SP_SLOW_PATH_LIMITED;
		return answer(station, ethernet, event, kind);
	}
	return SP_SLOW_PATH_IGNORED;
}

/* What we are told may concern several realms on the same link. */
static enum sp_slow_path_fate
hear_statement(struct sp_slow_path *slow, uint16_t nic,
	const struct ethernet *ethernet, const struct sp_neigh_event *event,
	uint64_t now_ms)
{
	enum sp_slow_path_fate fate = SP_SLOW_PATH_IGNORED;

	if (!within_rate(slow, TOLD, now_ms))
		return SP_SLOW_PATH_LIMITED;
	for (unsigned int i = 0; i < slow->places; i++) {
		const struct place *p = &slow->place[i];

		if (hears(p, nic, ethernet, TOLD) &&
			sp_neighbour_learn(p->neighbours, event, now_ms))
			fate = SP_SLOW_PATH_LEARNED;
	}
	return fate;
}

static enum kind
kind_of(const struct sp_neigh_event *event)
{
	switch (event->kind) {
	case SP_NEIGH_ARP_REQUEST:
	case SP_NEIGH_NS:
		return sp_addr_same_ip(&event->sender, &event->target) ? TOLD
								       : ASKED;
	case SP_NEIGH_ECHO:
	case SP_NEIGH_ECHO6:
		return PINGED;
	default:
		return TOLD;
	}
}

static enum sp_slow_path_fate
take(struct sp_slow_path *slow, uint16_t nic, uint16_t vlan,
	const uint8_t *frame, size_t len, uint64_t now_ms)
{
	struct sp_cursor c = sp_cursor(frame, len);
	struct sp_neigh_event event;
	struct ethernet ethernet;
	enum sp_status status;
	enum kind kind;

	if (parse_ethernet(&c, vlan, &ethernet) != SP_OK)
		return SP_SLOW_PATH_MALFORMED;
	status =
		sp_neigh_parse(ethernet.type, c.at, sp_cursor_left(&c), &event);
	if (status == SP_UNSUPPORTED)
		return SP_SLOW_PATH_IGNORED;
	if (status != SP_OK || (ethernet.from[0] & 1))
		return SP_SLOW_PATH_MALFORMED;
	kind = kind_of(&event);
	if (kind == TOLD)
		return hear_statement(slow, nic, &ethernet, &event, now_ms);
	return hear_question(slow, nic, &ethernet, &event, kind, now_ms);
}

enum sp_slow_path_fate
sp_slow_path_take(struct sp_slow_path *slow, uint16_t nic, uint16_t vlan,
	const uint8_t *frame, size_t len, uint64_t now_ms)
{
	const enum sp_slow_path_fate fate =
		take(slow, nic, vlan, frame, len, now_ms);

	slow->count[fate]++;
	return fate;
}

uint64_t
sp_slow_path_count(const struct sp_slow_path *slow, enum sp_slow_path_fate fate)
{
	return slow->count[fate];
}
