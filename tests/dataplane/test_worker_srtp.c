/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>

#include "dataplane/gauge.h"
#include "tests/dataplane/bed_frame.h"
#include "tests/dataplane/bed_srtp.h"
#include "tests/dataplane/station.h"

/* Keys from control's order to the wire, and where they stay meanwhile. */

#define HOP 1
#define LINK "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
#define KEYS_A 10u
#define KEYS_B 11u
#define PORT 30080

/* Do as ordered; what the worker answers to @ticket. */
static int
answer(struct station *s, uint64_t ticket)
{
	uint64_t got = 0;
	int status;

	sp_worker_poll(station_worker(s, 0));
	status = station_answer(s, 0, &got);
	cr_assert(eq(u64, got, ticket));
	return status;
}

static void
obey(struct station *s, const struct sp_command *cmd)
{
	station_command(s, 0, cmd);
	cr_assert(eq(int, answer(s, cmd->ticket), SP_OK));
}

/* Keys of a leg; the test keeps none of them. */
static int
order_keys(struct station *s, uint32_t id, enum sp_srtp_suite suite,
	unsigned int number, uint8_t flags)
{
	struct sp_flow_keys keys = {
		.in = bed_conf(suite, number),
		.out = bed_conf(suite, number + 1),
	};

	keys.out.flags = flags;
	cr_assert(eq(
		int, sp_dataplane_keys(&s->dp, 0, id, &keys, 50 + id), SP_OK));
	explicit_bzero(&keys, sizeof keys);
	return answer(s, 50 + id);
}

/* Two flows that feed each other, the first with keys KEYS_A. */
static void
set_up(struct station *s)
{
	struct sp_command cmd = {
		.kind = SP_COMMAND_L2, .hop = { HOP }, .ticket = 1
	};

	cmd.l2 = (struct sp_l2){
		.header = LINK, .len = SP_L2_PLAIN, .ready = 1, .mtu = 1500
	};
	obey(s, &cmd);
	for (uint32_t i = 0; i < 2; i++) {
		cmd = (struct sp_command){ .kind = SP_COMMAND_PROGRAM,
			.hop = { HOP, HOP },
			.flow = i + 1,
			.ticket = 100 + i,
			.conf = {
				.signalled = packet_addr(
					i ? "192.0.2.1" : "198.51.100.1", 4000),
				.local = BED_IP4,
				.port = (uint16_t)(PORT + 2 * i),
				.kind = SP_FLOW_RTP,
				.policy = SP_LATCH_AUTH,
				.keys = KEYS_A + i,
				.out_keys = KEYS_B - i,
				.out_rtp = 2 - i,
				.clock_hz = 8000,
				.send = 1,
			} };
		obey(s, &cmd);
	}
}

/* A call with a suite for each leg, and the phones of both parties. */
struct call {
	struct station *s;
	struct sp_srtp_engine *phones;
	struct sp_srtp *says;  /* A */
	struct sp_srtp *hears; /* B */
};

static void
call_open(struct call *c, enum sp_srtp_suite a, enum sp_srtp_suite b)
{
	const struct sp_srtp_conf in = bed_conf(a, 1), out = bed_conf(b, 4);

	*c = (struct call){ .s = station_open(1, 1, 1, 1024) };
	cr_assert(eq(int, order_keys(c->s, KEYS_A, a, 1, 0), SP_OK));
	cr_assert(eq(int, order_keys(c->s, KEYS_B, b, 3, 0), SP_OK));
	set_up(c->s);
	cr_assert(eq(int, sp_srtp_engine_open(SP_SRTP_LIBSRTP, 2, &c->phones),
		SP_OK));
	cr_assert(eq(int, sp_srtp_open(c->phones, &in, true, &c->says), SP_OK));
	cr_assert(eq(
		int, sp_srtp_open(c->phones, &out, false, &c->hears), SP_OK));
}

static void
call_close(struct call *c)
{
	sp_srtp_engine_close(c->phones);
	station_close(c->s);
}

/* A speaks; what came in by the wire. */
static struct bed_payload
speak(struct call *c, uint16_t seq)
{
	const struct packet_shape shape = {
		.from = packet_addr("198.51.100.1", 4000),
		.to = packet_addr("203.0.113.10", PORT),
	};
	struct bed_payload p = bed_rtp(7, seq, 172);
	struct sp_srtp_packet packet = bed_packet(&p);

	sp_srtp_protect(c->phones, &c->says, &packet, 1, 1);
	cr_assert(eq(int, packet.fate, SP_SRTP_OK));
	p.len = packet.len;
	cr_assert(eq(int,
		rte_ring_enqueue(c->s->rx[0],
			station_frame(c->s, &shape, p.bytes, p.len)),
		0));
	return p;
}

/* B hears the next packet on the wire. */
static bool
hear(struct call *c, struct bed_payload *out)
{
	struct sp_srtp_packet packet;
	struct rte_mbuf *m;

	if (rte_ring_dequeue(c->s->tx[0], (void **)&m) != 0)
		return false;
	out->len = (uint16_t)(m->data_len - 42);
	memcpy(out->bytes, rte_pktmbuf_mtod(m, uint8_t *) + 42, out->len);
	rte_pktmbuf_free(m);
	packet = bed_packet(out);
	sp_srtp_unprotect(c->phones, &c->hears, &packet, 1, 1);
	out->len = packet.fate == SP_SRTP_OK ? packet.len : 0;
	return true;
}

Test(worker_srtp, bridges_two_suites_from_wire_to_wire)
{
	struct bed_payload got;
	struct call c;

	call_open(&c, SP_SRTP_AES_CM_128_80, SP_SRTP_GCM_256);
	for (uint16_t i = 0; i < 200; i++)
		speak(&c, (uint16_t)(65436 + i));
	while (sp_worker_poll(station_worker(c.s, 0)) > 0)
		;
	for (uint16_t i = 0; i < 200; i++) {
		const struct bed_payload want =
			bed_rtp(7, (uint16_t)(65436 + i), 172);

		cr_assert(hear(&c, &got));
		bed_expect_payload(&got, &want, "bridged");
	}
	station_expect_sum(c.s);
	call_close(&c);
}

Test(worker_srtp, keys_that_are_gone_let_nothing_pass)
{
	struct bed_payload got;
	struct call c;

	call_open(&c, SP_SRTP_AES_CM_128_80, SP_SRTP_AES_CM_128_32);
	for (unsigned int turn = 0; turn < 3; turn++) {
		speak(&c, (uint16_t)turn);
		sp_worker_poll(station_worker(c.s, 0));
		cr_expect(eq(int, hear(&c, &got), turn == 0));
		cr_assert(eq(int,
			sp_dataplane_keys(
				&c.s->dp, 0, turn ? KEYS_A : KEYS_B, NULL, 9),
			SP_OK));
		cr_assert(eq(int, answer(c.s, 9), SP_OK));
	}
	cr_expect(eq(u64,
		station_worker(c.s, 0)->counters.verdict[SP_VERDICT_NO_KEYS],
		2));
	station_expect_sum(c.s);
	call_close(&c);
}

Test(worker_srtp, refused_keys_are_told_and_wiped)
{
	struct station *s = station_open(1, 0, 0, 0);
	const struct sp_vault *v = &station_worker(s, 0)->box.vault;
	static const struct sp_flow_keys none;

	cr_expect(eq(int, order_keys(s, 3, SP_SRTP_GCM_128, 1, 0x80),
		SP_UNSUPPORTED));
	cr_expect(
		eq(int, order_keys(s, 65, SP_SRTP_GCM_128, 1, 0), SP_CONFLICT));
	cr_expect(eq(int, order_keys(s, 64, SP_SRTP_GCM_128, 1, 0), SP_OK));
	for (uint32_t i = 0; i < v->size; i++)
		cr_assert(eq(int, memcmp(&v->slot[i], &none, sizeof none), 0));
	station_close(s);
}

Test(worker_srtp, full_mailbox_keeps_no_copy)
{
	struct station *s = station_open(1, 0, 0, 0);
	const struct sp_command read = { .kind = SP_COMMAND_READ };
	const struct sp_vault *v = &station_worker(s, 0)->box.vault;
	struct sp_flow_keys keys = { .in = bed_conf(SP_SRTP_GCM_128, 1) };

	while (sp_dataplane_room(&s->dp, 0) > 0)
		station_command(s, 0, &read);
	cr_expect(eq(int, sp_dataplane_keys(&s->dp, 0, 1, &keys, 1), SP_FULL));
	cr_expect(eq(int, sp_dataplane_keys(&s->dp, 0, 1, NULL, 1), SP_FULL));
	cr_expect(eq(u32, v->put, v->taken));
	for (size_t i = 0; i < sizeof *v->slot; i++)
		cr_assert(eq(u8, ((const uint8_t *)v->slot)[i], 0));
	station_close(s);
}

Test(worker_srtp, as_many_keys_as_orders_may_wait)
{
	struct station *s = station_open(1, 0, 0, 0);
	struct sp_flow_keys keys = { .in = bed_conf(SP_SRTP_GCM_128, 1) };
	unsigned int sent = 0, answered = 0;
	uint64_t ticket;

	/* Twice round, with some on their way all the time. */
	while (answered < 2 * SP_MAILBOX_ORDERS) {
		int status;

		while (sp_dataplane_keys(
			       &s->dp, 0, 1 + sent % 8, &keys, sent) == SP_OK)
			sent++;
		sp_worker_poll(station_worker(s, 0));
		while ((status = station_answer(s, 0, &ticket)) >= 0) {
			cr_assert(eq(int, status, SP_OK));
			cr_assert(eq(u64, ticket, answered++));
		}
	}
	station_close(s);
}

static uint8_t
key_byte(unsigned int number, unsigned int i)
{
	return (uint8_t)(number * 37 + i * 11 + 1);
}

#define CHUNK 65536u
#define KEY_LEN 16u
#define HUGE_MAPPING (1ul << 30) /* a sanitizer's shadow, not memory */

/* What a search writes itself, and does not count. */
struct search {
	uint8_t key[KEY_LEN];
	uint8_t chunk[CHUNK + KEY_LEN - 1];
};

/* Count the key in the first @n bytes of a chunk that was read from @from. */
static unsigned int
count_in(const struct search *s, uintptr_t from, size_t n)
{
	const uint8_t *at = s->chunk;
	unsigned int found = 0;

	while ((at = memmem(
			at, (size_t)(s->chunk + n - at), s->key, KEY_LEN))) {
		const uintptr_t where = from + (size_t)(at++ - s->chunk);

		found += where < (uintptr_t)s || where >= (uintptr_t)(s + 1);
	}
	return found;
}

/* Look for key @number in all memory of the process that can be written. */
static unsigned int
count_keys(unsigned int number)
{
	static struct search s;
	FILE *maps = fopen("/proc/self/maps", "r");
	const int mem = open("/proc/self/mem", O_RDONLY);
	unsigned long from, to;
	unsigned int found = 0;
	char line[512], mode[8];

	cr_assert(maps != NULL && mem >= 0);
	for (unsigned int i = 0; i < KEY_LEN; i++)
		s.key[i] = key_byte(number, i);
	while (fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 ||
			mode[1] != 'w' || to - from >= HUGE_MAPPING)
			continue;
		for (; from < to; from += CHUNK) {
			const ssize_t n = pread(
				mem, s.chunk, sizeof s.chunk, (off_t)from);

			if (n > 0)
				found += count_in(&s, from, (size_t)n);
		}
	}
	explicit_bzero(&s, sizeof s);
	fclose(maps);
	close(mem);
	return found;
}

/* SEC-27: keys stay nowhere but, derived, in the engine. */
Test(worker_srtp, master_keys_are_nowhere_once_they_are_held)
{
	struct station *s = station_open(1, 0, 0, 0);
	static struct sp_flow_keys keys;

	/* In their place at once: a copy on the stack would be found. */
	keys.in.suite = SP_SRTP_AES_CM_128_80;
	keys.out.suite = SP_SRTP_GCM_128;
	keys.in.n_keys = keys.out.n_keys = 1;
	for (unsigned int i = 0; i < SP_SRTP_KEY_MAX; i++) {
		keys.in.key[0].key[i] = key_byte(77, i);
		keys.out.key[0].key[i] = key_byte(78, i);
	}
	/* The search finds what is there. */
	cr_assert(eq(uint, count_keys(77), 1));
	cr_assert(eq(int, sp_dataplane_keys(&s->dp, 0, 1, &keys, 1), SP_OK));
	explicit_bzero(&keys, sizeof keys);
	cr_assert(eq(uint, count_keys(77), 1)); /* the vault */
	cr_assert(eq(int, answer(s, 1), SP_OK));
	cr_expect(eq(uint, count_keys(77), 0));
	cr_expect(eq(uint, count_keys(78), 0));
	cr_assert(eq(int, sp_dataplane_keys(&s->dp, 0, 1, NULL, 2), SP_OK));
	cr_assert(eq(int, answer(s, 2), SP_OK));
	cr_expect(eq(uint, count_keys(77), 0));
	station_close(s);
}

Test(worker_srtp, engine_that_fails_is_told_by_its_key)
{
	struct sp_dataplane_error error;

	cr_expect(
		eq(int, sp_gauge_fault(&error, SP_UNSUPPORTED, SP_SRTP_IPSECMB),
			SP_UNSUPPORTED));
	cr_expect(eq(int, error.realm, -1));
	cr_expect(eq(str, error.key, "srtp"));
	cr_expect(ne(ptr, strstr(error.text, "srtp: libsrtp"), NULL));
}

Test(worker_srtp, gauge_says_which_engine_and_what_it_costs)
{
	struct sp_srtp_info info;

	bed_start_dpdk(NULL);
	for (enum sp_srtp_kind kind = SP_SRTP_AUTO; kind <= SP_SRTP_LIBSRTP;
		kind++) {
		const enum sp_status status = sp_gauge_srtp(kind, &info);

		if (status == SP_UNSUPPORTED && kind == SP_SRTP_IPSECMB)
			continue;
		cr_assert(eq(int, status, SP_OK));
		cr_expect(info.engine[0] != 0 && info.library[0] != 0);
		cr_expect(gt(u32, info.most, 0));
		cr_expect(gt(u32, info.protect_ns, 0));
		cr_expect(gt(u32, info.unprotect_ns, 0));
		if (kind == SP_SRTP_LIBSRTP)
			cr_expect(eq(str, info.engine, "libsrtp"));
	}
}
