/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames through all stages, from classify to the rewritten frame. An input
 * is a byte that chooses the call, one that mutes it, then frames: a byte
 * that chooses how to wrap it, one that says how long it is, and that many
 * bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/dataplane/bed_dpdk.h"
#include "tests/dataplane/bed_relay.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FRAMES 60 /* no more than a bed remembers */

/* What came in, to be found again in what went out. */
struct came {
	unsigned int n;
	struct packet payload[FRAMES];
	bool sums_right; /* the UDP checksum of every one */
	bool sums_there;
};

static struct bed *bed;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	bed_start_dpdk(NULL);
	bed = bed_open();
	bed_open_pool(bed);
	return 0;
}

/* The payload types that silence is known of, and a telephone-event's. */
static const uint8_t quiet[SP_QUIET_CODECS] = { 0, 8, 9 };
#define EVENT 101

/* A call as the input's first byte wants it; the second one mutes flows. */
static void
open_call(uint8_t how, uint8_t mute)
{
	static const uint8_t kinds[] = { SP_FLOW_RTP, SP_FLOW_MUX,
		SP_FLOW_DATA };
	const enum bed_local a = how % BED_LOCALS;
	const enum bed_local b = how / BED_LOCALS % BED_LOCALS;

	bed_call(bed, a, b);
	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++) {
		struct sp_flow_conf *c = &bed->conf[id];

		if (c->kind == SP_FLOW_RTP)
			c->kind = kinds[how / 25 % 3];
		c->flags = how / 75 % 2 ? SP_FLOW_OPAQUE : 0;
		/* Each party's bits, as they lie in the flags. */
		c->flags |= (id < BED_B ? mute : mute >> 3) & SP_FLOW_MUTED;
		c->dtmf_types = 1ull << (EVENT & 63);
		memcpy(c->quiet, quiet, sizeof c->quiet);
		c->policy = how / 150 ? SP_LATCH_ANY : SP_LATCH_RESTRICTED;
		if (mute & 1)
			c->policy = SP_LATCH_HANDOVER;
		bed_program(bed, id);
	}
}

static void
close_call(void)
{
	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++) {
		sp_stage_commit_drop(&bed->commit, &bed->table, id);
		packet_must(sp_flow_table_stop(&bed->table, id) == SP_OK);
	}
	packet_must(rte_mempool_in_use_count(bed->commit.hold_pool) == 0);
	bed->commit.expired = 0;
	bed->commit.n_news = 0;
	bed->n_sent = 0;
	memset(bed->count, 0, sizeof bed->count);
}

/* Bytes as they are, or as what a phone sends to a flow. Returns the NIC. */
static uint8_t
wrap(uint8_t how, const uint8_t *data, uint8_t len, struct packet *p)
{
	const enum bed_flow id = BED_A + (how & 3);
	struct sp_addr from = bed->conf[id].signalled;
	struct packet_shape s;

	if ((how & 0xc0) == 0) {
		memcpy(p->frame, data, len);
		p->len = len;
		return how >> 2 & 1;
	}
	if (how & 4)
		from.port = (uint16_t)(from.port + 100);
	if (how & 8)
		from.ip[15] ^= 1;
	s = bed_shape(bed, &from, id);
	s.ecn = how >> 4 & 3;
	if ((how & 0xc0) == 0xc0)
		s.check = from.family == SP_FAMILY_IP4 ? PACKET_NO_CHECK
						       : PACKET_PARTIAL;
	packet_write(p, &s, data, len);
	return bed->locals.local[bed->conf[id].local].nic;
}

/*
 * What muting must make of @payload, which came to a flow of @c: true, and
 * silence where it is to be, or false when it must not pass.
 */
static bool
may_pass(const struct sp_flow_conf *c, uint8_t *payload, uint16_t len)
{
	const bool opaque = c->flags & SP_FLOW_OPAQUE;
	const uint8_t type = len > 1 ? payload[1] & 0x7f : 0;
	const bool is_rtp = len > 1 && payload[0] >> 6 == 2 &&
		(payload[1] < 192 || payload[1] > 223);
	struct sp_rtp rtp;

	if (c->kind == SP_FLOW_DATA)
		return !(c->flags & (SP_FLOW_BLOCK | SP_FLOW_SILENCE));
	if (!is_rtp)
		return len < 1 || payload[0] < 23 || payload[0] > 63 ||
			!(c->flags & (SP_FLOW_BLOCK | SP_FLOW_SILENCE));
	if ((type & 63) == (EVENT & 63) &&
		(c->flags & SP_FLOW_NO_DTMF || !opaque))
		return !(c->flags & SP_FLOW_NO_DTMF);
	if (c->flags & SP_FLOW_BLOCK)
		return false;
	if (!(c->flags & SP_FLOW_SILENCE))
		return true;
	if (opaque || sp_rtp_parse(payload, len, &rtp) != SP_OK)
		return false;
	for (unsigned int i = 0; i < SP_QUIET_CODECS; i++)
		if (quiet[i] == type) {
			memset(payload + rtp.header_len,
				(const uint8_t[]){ 0xff, 0xd5, 0xfd }[i],
				(size_t)len - rtp.header_len - rtp.padding_len);
			return true;
		}
	return false;
}

/* Note what is to come out again. */
static void
remember(struct came *came, const struct sp_burst *b)
{
	const struct sp_flow_conf *c;
	const struct sp_datagram *d = &b->datagram[0];
	struct packet *keep = &came->payload[came->n];
	const uint8_t *udp = b->payload[0] - 8;
	struct packet_shape s = { .from = d->from, .to = d->to };

	keep->len = d->payload_len;
	memcpy(keep->frame, b->payload[0], keep->len);
	if (d->check_be == 0)
		came->sums_there = false;
	else if (!d->partial &&
		packet_sum(packet_pseudo(&s, d->payload_len + 8u), udp,
			d->payload_len + 8u) != 0xffff)
		came->sums_right = false;
	for (c = &bed->conf[BED_A]; c < &bed->conf[BED_FLOWS]; c++)
		if (c->local == b->local[0] && c->port == d->to.port &&
			may_pass(c, keep->frame, keep->len)) {
			came->n++;
			return;
		}
}

/* The flow that a frame claims to leave by. */
static const struct sp_flow *
leaves_by(const struct sp_datagram *d)
{
	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++) {
		const struct sp_flow *f = &bed->table.flow[id];

		if (d->from.port == f->port &&
			sp_addr_same_ip(
				&d->from, &bed->locals.local[f->local].addr))
			return f;
	}
	abort();
}

/* What is true of every frame that leaves. */
static void
judge(const struct came *came, const struct packet *p)
{
	const bool tagged = p->frame[12] == 0x81;
	const unsigned int l2 = tagged ? 18 : 14;
	const uint8_t *ip = p->frame + l2;
	struct sp_datagram d;
	const struct sp_flow *f;
	const uint8_t *payload;
	unsigned int i = 0;

	packet_must(
		sp_datagram_parse(ip, p->len - l2, &d) == SP_VERDICT_FORWARD);
	packet_must(l2 + d.header_len + d.payload_len == p->len);
	packet_must(memcmp(p->frame, PACKET_PEER PACKET_OURS, 12) == 0);
	packet_must((ip[0] >> 4 == 4 ? ip[8] : ip[7]) == 64);
	f = leaves_by(&d);
	packet_must(tagged == (bed->locals.local[f->local].vlan != 0));
	packet_must(d.to.family == d.from.family && d.to.port != 0);

	payload = ip + d.header_len;
	while (i < came->n &&
		(came->payload[i].len != d.payload_len ||
			memcmp(came->payload[i].frame, payload,
				d.payload_len) != 0))
		i++;
	packet_must(i < came->n);

	if (d.check_be == 0) {
		packet_must(!came->sums_there);
	} else if (came->sums_right) {
		const struct packet_shape s = { .from = d.from, .to = d.to };

		packet_must(packet_sum(packet_pseudo(&s, d.payload_len + 8u),
				    payload - 8, d.payload_len + 8u) == 0xffff);
	}
}

/* Each packet is somewhere, once. */
static void
judge_counts(unsigned int n, bool muted)
{
	unsigned int ended = bed->commit.expired + bed->commit.holding;
	uint32_t sent = 0;

	for (unsigned int v = 0; v < SP_VERDICT_COUNT; v++)
		ended += bed->count[v];
	for (enum bed_flow id = BED_A; id < BED_FLOWS; id++)
		sent += bed->table.flow[id].sent;
	packet_must(ended == n);
	packet_must(bed->count[SP_VERDICT_FORWARD] == bed->n_sent);
	packet_must(muted || bed->count[SP_VERDICT_BLOCKED] == 0);
	packet_must(sent == bed->n_sent);
	packet_must(bed->table.flow[0].index == 0 &&
		bed->table.flow[0].sent == 0 && bed->table.flow[0].ready == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct came came = { .sums_right = true, .sums_there = true };
	unsigned int n = 0;
	size_t at = 2;

	if (len < 2)
		return 0;
	open_call(data[0], data[1]);
	while (at + 2 <= len && n < FRAMES) {
		const uint8_t how = data[at], want = data[at + 1];
		const size_t left = len - at - 2;
		const uint8_t take = (uint8_t)(want < left ? want : left);
		struct packet p;
		const uint8_t nic = wrap(how, data + at + 2, take, &p);

		at += 2u + take;
		bed->now_us += 20000;
		bed_add(bed, &p, nic);
		sp_stage_classify(&bed->burst, &bed->locals);
		if (bed->burst.verdict[0] == SP_VERDICT_FORWARD)
			remember(&came, &bed->burst);
		bed_relay(bed);
		n++;
	}
	for (unsigned int i = 0; i < bed->n_sent; i++)
		judge(&came, &bed->sent[i]);
	judge_counts(n, data[1] & (SP_FLOW_MUTED | SP_FLOW_MUTED << 3));
	close_call();
	return 0;
}
