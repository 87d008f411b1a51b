/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_RELAY_SRTP_RIG_H
#define SP_TESTS_RELAY_SRTP_RIG_H

#include "tests/relay/srtp_network.h"

/*
 * Both engines side by side, fed with copies of the same packets in boxes that
 * show a byte written where none may be.
 */

#define ENGINES 2
#define LEGS_MOST 24
#define EDGE 16 /* bytes before and behind what an engine may touch */
#define EDGE_BYTE 0xa5

struct box {
	struct wire before;
	uint8_t offset; /* engines get no aligned headers */
	uint8_t room[EDGE + 4 + WIRE_MAX + 8 + SP_SRTP_ROOM + EDGE];
};

struct rig {
	struct sp_srtp_engine *engine[ENGINES]; /* NULL: not on this CPU */
	struct sp_srtp *leg[ENGINES][LEGS_MOST];
	struct box box[SP_SRTP_BURST];
	struct sp_srtp_packet packet[ENGINES][SP_SRTP_BURST];
	uint32_t now_ms;
};

/* The engine on libsrtp2 has started the library; a second time fails. */
static inline void
rig_open(struct rig *rig, uint32_t capacity)
{
	static const enum sp_srtp_kind kinds[ENGINES] = { SP_SRTP_IPSECMB,
		SP_SRTP_LIBSRTP };

	memset(rig, 0, sizeof *rig);
	rig->now_ms = (uint32_t)-1000; /* it wraps like anything else */
	for (unsigned int k = 0; k < ENGINES; k++) {
		const enum sp_status status = sp_srtp_engine_open(
			kinds[k], capacity, &rig->engine[k]);

		if (status == SP_UNSUPPORTED && kinds[k] == SP_SRTP_IPSECMB)
			rig->engine[k] = NULL;
		else
			cr_assert(eq(int, status, SP_OK));
	}
}

static inline void
rig_close(struct rig *rig)
{
	for (unsigned int k = 0; k < ENGINES; k++)
		sp_srtp_engine_close(rig->engine[k]);
}

static inline void
rig_add(struct rig *rig, unsigned int leg, const struct sp_srtp_conf *conf,
	bool sends)
{
	for (unsigned int k = 0; k < ENGINES; k++)
		if (rig->engine[k])
			cr_assert(eq(int,
				sp_srtp_open(rig->engine[k], conf, sends,
					&rig->leg[k][leg]),
				SP_OK));
}

/* Return where the packet of a box starts. */
static inline uint8_t *
box_fill(struct box *box, const struct wire *w, unsigned int at)
{
	box->before = *w;
	box->offset = (uint8_t)(EDGE + at % 4);
	memset(box->room, EDGE_BYTE, sizeof box->room);
	memcpy(box->room + box->offset, w->data, w->len);
	return box->room + box->offset;
}

/* Nothing was written beside the packet and its room. */
static inline bool
box_whole(const struct box *box)
{
	const size_t end = box->offset + box->before.len + SP_SRTP_ROOM;

	for (size_t i = 0; i < sizeof box->room; i++)
		if ((i < box->offset || i >= end) && box->room[i] != EDGE_BYTE)
			return false;
	return true;
}

enum work {
	PROTECT,
	UNPROTECT
};

/* Have engine @k do its work on @n packets, @leg[i] says under which keys. */
static inline void
rig_run(struct rig *rig, unsigned int k, enum work work, bool rtcp,
	const struct wire *wire, const uint8_t *leg, unsigned int n)
{
	struct sp_srtp_packet *p = rig->packet[k];
	struct sp_srtp *s[SP_SRTP_BURST];

	for (unsigned int i = 0; i < n; i++) {
		s[i] = rig->leg[k][leg[i]];
		p[i] = (struct sp_srtp_packet){
			.data = box_fill(&rig->box[i], &wire[i], i),
			.len = wire[i].len,
			.header_len = rtcp ? 0 : header_of(&wire[i]),
			.fate = UINT8_MAX,
		};
	}
	if (!rtcp && work == PROTECT)
		sp_srtp_protect(rig->engine[k], s, p, n, rig->now_ms);
	else if (!rtcp)
		sp_srtp_unprotect(rig->engine[k], s, p, n, rig->now_ms);
	for (unsigned int i = 0; rtcp && i < n; i++)
		if (work == PROTECT)
			sp_srtcp_protect(
				rig->engine[k], s[i], &p[i], rig->now_ms);
		else
			sp_srtcp_unprotect(
				rig->engine[k], s[i], &p[i], rig->now_ms);
}

/*
 * Hold what became of packet @i against libsrtp's @fate and bytes. How it
 * names a packet that is both cut short and forged is left to each side.
 * @touches: it may leave other bytes where it refuses. NULL: they agree.
 */
static inline const char *
box_differs(const struct box *box, const struct sp_srtp_packet *p, bool touches,
	enum sp_srtp_fate fate, const struct wire *want)
{
	const bool refused =
		p->fate == SP_SRTP_AUTH || p->fate == SP_SRTP_SHORT;

	if (!box_whole(box))
		return "wrote beyond its room";
	if (fate == SP_SRTP_AUTH || fate == SP_SRTP_SHORT) {
		if (!refused)
			return "did not refuse it";
	} else if (p->fate != fate) {
		return "decided otherwise";
	}
	if (p->fate == SP_SRTP_OK)
		return p->len != want->len                    ? "another length"
			: memcmp(p->data, want->data, p->len) ? "other bytes"
							      : NULL;
	if (p->len != box->before.len)
		return "changed the length of what it refused";
	if (!touches && memcmp(p->data, box->before.data, p->len) != 0)
		return "changed what it refused";
	return NULL;
}

#endif
