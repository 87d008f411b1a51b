/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_DATAPLANE_BED_SRTP_H
#define SP_TESTS_DATAPLANE_BED_SRTP_H

#include "tests/dataplane/bed_payload.h"

/*
 * A test bed's call with keys: the legs' as a worker holds them, and phones
 * that have the same ones. Phones use libsrtp, whatever the worker uses.
 */

#define BED_DIRECTIONS 16

enum bed_party {
	BED_PARTY_A,
	BED_PARTY_B
};

struct bed_srtp {
	struct bed *bed;
	struct sp_key_table keys;
	struct sp_flow_keys conf[2]; /* of each party's leg, as ordered */
	struct sp_srtp_engine *phones;
	struct sp_srtp *says[2];  /* what a party protects with */
	struct sp_srtp *hears[2]; /* what it opens with */
};

static inline uint32_t
bed_key_id(enum bed_party p)
{
	return 5u + p;
}

/* Keys of @suite, other ones for each @number. */
static inline struct sp_srtp_conf
bed_conf(enum sp_srtp_suite suite, unsigned int number)
{
	struct sp_srtp_conf conf = { .suite = (uint8_t)suite };
	const struct sp_srtp_facts *facts = sp_srtp_facts(suite);

	if (suite == SP_SRTP_NONE)
		return conf;
	conf.n_keys = 1;
	for (unsigned int i = 0; i < facts->key_len + facts->salt_len; i++)
		conf.key[0].key[i] = (uint8_t)(number * 37 + i * 11 + 1);
	return conf;
}

static inline void
bed_hold_keys(struct bed_srtp *s, enum bed_party p)
{
	packet_must(sp_key_table_set(&s->keys, bed_key_id(p), &s->conf[p],
			    (uint32_t)(s->bed->now_us / 1000)) == SP_OK);
}

/* Give party @p's phone the keys that its leg has. */
static inline void
bed_equip(struct bed_srtp *s, enum bed_party p)
{
	sp_srtp_close(s->phones, s->says[p]);
	sp_srtp_close(s->phones, s->hears[p]);
	s->says[p] = s->hears[p] = NULL;
	if (s->conf[p].in.suite != SP_SRTP_NONE)
		packet_must(sp_srtp_open(s->phones, &s->conf[p].in, true,
				    &s->says[p]) == SP_OK);
	if (s->conf[p].out.suite != SP_SRTP_NONE)
		packet_must(sp_srtp_open(s->phones, &s->conf[p].out, false,
				    &s->hears[p]) == SP_OK);
}

/* Have the flows of the call name the keys that their legs have. */
static inline void
bed_name_keys(struct bed_srtp *s)
{
	struct bed *bed = s->bed;

	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++) {
		struct sp_flow_conf *c = &bed->conf[id];
		const enum bed_party own =
			id < BED_B ? BED_PARTY_A : BED_PARTY_B;

		c->keys = s->conf[own].in.suite ? bed_key_id(own) : 0;
		c->out_keys = s->conf[!own].out.suite
			? bed_key_id((enum bed_party) !own)
			: 0;
		c->policy = c->keys ? SP_LATCH_AUTH : SP_LATCH_RESTRICTED;
		bed_program(bed, id);
	}
}

/* Open a bed without a call that can hold keys. */
static inline void
bed_srtp_open(struct bed_srtp *s)
{
	struct sp_srtp_engine *engine;

	memset(s, 0, sizeof *s);
	s->bed = bed_open();
	packet_must(sp_srtp_engine_open(
			    SP_SRTP_AUTO, BED_DIRECTIONS, &engine) == SP_OK);
	packet_must(sp_key_table_open(
			    &s->keys, engine, s->bed->table.capacity) == SP_OK);
	s->bed->table.keys = &s->keys;
	packet_must(sp_srtp_engine_open(SP_SRTP_LIBSRTP, BED_DIRECTIONS,
			    &s->phones) == SP_OK);
}

/* Set up a call of party A on @a, with @suite_a, and party B. NONE: plain. */
static inline void
bed_srtp_call(struct bed_srtp *s, enum bed_local a, enum sp_srtp_suite suite_a,
	enum bed_local b, enum sp_srtp_suite suite_b)
{
	bed_call(s->bed, a, b);
	s->conf[BED_PARTY_A].in = bed_conf(suite_a, 1);
	s->conf[BED_PARTY_A].out = bed_conf(suite_a, 2);
	s->conf[BED_PARTY_B].in = bed_conf(suite_b, 3);
	s->conf[BED_PARTY_B].out = bed_conf(suite_b, 4);
	for (enum bed_party p = BED_PARTY_A; p <= BED_PARTY_B; p++) {
		if (s->conf[p].in.suite != SP_SRTP_NONE)
			bed_hold_keys(s, p);
		bed_equip(s, p);
	}
	bed_name_keys(s);
}

static inline void
bed_srtp_close(struct bed_srtp *s)
{
	sp_srtp_engine_close(s->phones);
	bed_close(s->bed);
	sp_key_table_close(&s->keys);
}

/* Protect @payload as party @p's phone does, or leave it if that can't be. */
static inline bool
bed_try_protect(
	struct bed_srtp *s, enum bed_party p, struct bed_payload *payload)
{
	struct bed_payload srtp = *payload;
	struct sp_srtp_packet packet = bed_packet(&srtp);

	if (bed_is_rtcp(&srtp))
		sp_srtcp_protect(s->phones, s->says[p], &packet, 1);
	else
		sp_srtp_protect(s->phones, &s->says[p], &packet, 1, 1);
	if (packet.fate != SP_SRTP_OK)
		return false;
	srtp.len = packet.len;
	*payload = srtp;
	return true;
}

/* What party @p's phone makes of it. A phone without keys leaves it. */
static inline struct bed_payload
bed_protect(struct bed_srtp *s, enum bed_party p, struct bed_payload plain)
{
	if (s->says[p])
		packet_must(bed_try_protect(s, p, &plain));
	return plain;
}

/* What party @p's phone hears of frame @i; len 0: it does not believe it. */
static inline struct bed_payload
bed_hear(struct bed_srtp *s, enum bed_party p, unsigned int i)
{
	struct bed_payload got = bed_sent_payload(s->bed, i);
	struct sp_srtp_packet packet = bed_packet(&got);

	if (!s->hears[p])
		return got;
	if (bed_is_rtcp(&got))
		sp_srtcp_unprotect(s->phones, s->hears[p], &packet, 1);
	else
		sp_srtp_unprotect(s->phones, &s->hears[p], &packet, 1, 1);
	got.len = packet.fate == SP_SRTP_OK ? packet.len : 0;
	return got;
}

/* Party @p sends @payload to @flow; put it into the burst. */
static inline void
bed_arrive_payload(struct bed_srtp *s, const struct sp_addr *from,
	enum bed_flow flow, const struct bed_payload *payload)
{
	bed_arrive(s->bed, from, flow, payload->bytes, payload->len);
}

/* The same, alone; its verdict. */
static inline unsigned int
bed_say_payload(struct bed_srtp *s, const struct sp_addr *from,
	enum bed_flow flow, const struct bed_payload *payload)
{
	return bed_say(s->bed, from, flow, payload->bytes, payload->len);
}

#endif
