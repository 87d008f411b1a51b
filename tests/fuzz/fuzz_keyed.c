/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call of two SRTP legs, and packets that somebody tampers with. The input
 * is the story, eight bytes a packet: who sends it, from where, what is
 * damaged. Whatever happens, only what a party has said reaches the other one,
 * as it was said, and no packet that is refused leaves a trace.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/srtp_direction.h"
#include "tests/dataplane/bed_srtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define EVENT 8
#define EVENTS 48 /* all that leaves is kept until the end */
#define SUITES (SP_SRTP_SUITES - 1)

enum damage {
	NONE,
	A_BYTE,
	CUT,
	LONGER,
	REPEATED,
	PLAIN,
	DAMAGES
};

static struct bed_srtp s;
static struct bed_payload said[2]; /* by each party, last */
static struct bed_payload last[2]; /* the same as it was sent */

static void
must(bool truth)
{
	if (!truth)
		abort();
}

/* All that a refused packet must not change. */
struct image {
	struct sp_flow flow[BED_FLOWS];
	struct sp_latch_trial trial[BED_FLOWS];
	struct sp_srtp in[2];
	struct sp_srtp out[2];
};

static void
take_image(struct image *out)
{
	memcpy(out->flow, s.bed->table.flow, sizeof out->flow);
	for (unsigned int id = 0; id < BED_FLOWS; id++)
		out->trial[id] = s.bed->table.aside[id].trial;
	for (enum bed_party p = BED_PARTY_A; p <= BED_PARTY_B; p++) {
		out->in[p] = *s.keys.key[bed_key_id(p)].in;
		out->out[p] = *s.keys.key[bed_key_id(p)].out;
	}
}

static struct bed_payload
tamper(struct bed_payload p, enum damage how, const uint8_t *event)
{
	switch (how) {
	case A_BYTE:
		p.bytes[event[3] % p.len] ^= event[4] ? event[4] : 1;
		break;
	case CUT:
		p.len = (uint16_t)(p.len - event[3] % p.len);
		break;
	case LONGER:
		memset(p.bytes + p.len, event[4], event[3]);
		p.len = (uint16_t)(p.len + event[3]);
		break;
	case NONE:
	case REPEATED:
	case PLAIN:
	case DAMAGES:
		break;
	}
	return p;
}

/* The other party hears just what was said. */
static void
judge_sent(unsigned int at, enum bed_party by, struct bed_payload want)
{
	const struct bed_payload got =
		bed_hear(&s, by == BED_PARTY_A ? BED_PARTY_B : BED_PARTY_A, at);

	must(s.bed->n_sent == at + 1);
	must(bed_sum_is_right(s.bed, at));
	must(got.len == want.len);
	/* A source that jumps gets numbers that go on. */
	if (!bed_is_rtcp(&want))
		memcpy(want.bytes + 2, got.bytes + 2, 2);
	must(memcmp(got.bytes, want.bytes, want.len) == 0);
}

/* Does this leave nothing of what a party has sent? */
static bool
is_forged(enum damage how, const uint8_t *event, uint16_t len)
{
	return how == A_BYTE || how == PLAIN ||
		(how == CUT && event[3] % len != 0) ||
		(how == LONGER && event[3] != 0);
}

static void
happen(const uint8_t *event)
{
	const enum bed_party by = event[0] & 1 ? BED_PARTY_B : BED_PARTY_A;
	const bool rtcp = event[0] & 2;
	const enum damage how = (event[0] >> 2) % DAMAGES;
	const enum bed_flow flow = (by ? BED_B : BED_A) + (rtcp ? 1u : 0);
	const unsigned int at = s.bed->n_sent;
	struct sp_addr from = s.bed->conf[flow].signalled;
	struct bed_payload plain = bed_rtp(7 + (event[6] & 1),
		(uint16_t)(event[1] << 8 | event[2]),
		(uint16_t)(12 + event[5]));
	struct bed_payload wire;
	static struct image before, after;
	unsigned int verdict;

	if (event[7] & 1)
		from.port++;
	if (event[7] & 2)
		from.ip[15] ^= 0x40;
	if (rtcp)
		plain = bed_rtcp(7 + (event[6] & 1));
	wire = plain;
	if (how == REPEATED && last[by].len > 0) {
		wire = last[by];
	} else if (how != PLAIN) {
		if (!bed_try_protect(&s, by, &wire))
			return; /* the phone itself would not send it */
		said[by] = plain;
		last[by] = wire;
	}
	wire = tamper(wire, how, event);

	take_image(&before);
	verdict = bed_say_payload(&s, &from, flow, &wire);
	take_image(&after);
	if (is_forged(how, event, last[by].len)) {
		must(verdict != SP_VERDICT_FORWARD);
		must(memcmp(&before, &after, sizeof before) == 0);
	}
	if (verdict != SP_VERDICT_FORWARD)
		must(s.bed->n_sent == at);
	else
		judge_sent(at, by, how == REPEATED ? said[by] : plain);
}

/* Nothing of it is left for the next story. */
static void
close_call(void)
{
	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++)
		must(sp_flow_table_stop(&s.bed->table, id) == SP_OK);
	for (enum bed_party p = BED_PARTY_A; p <= BED_PARTY_B; p++) {
		must(sp_key_table_set(&s.keys, bed_key_id(p), NULL, 1) ==
			SP_OK);
		memset(&s.conf[p], 0, sizeof s.conf[p]);
		bed_equip(&s, p);
	}
	s.bed->n_sent = 0;
	s.bed->commit.n_news = 0;
	memset(said, 0, sizeof said);
	memset(last, 0, sizeof last);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned int n = 0;

	if (len < 2)
		return 0;
	if (!s.bed)
		bed_srtp_open(&s);
	bed_srtp_call(&s, data[0] & 0x80 ? BED_IP6 : BED_IP4,
		1 + data[0] % SUITES, data[1] & 0x80 ? BED_IP6 : BED_IP4,
		1 + data[1] % SUITES);
	for (size_t at = 2; at + EVENT <= len && n < EVENTS; at += EVENT, n++)
		happen(data + at);
	close_call();
	return 0;
}
