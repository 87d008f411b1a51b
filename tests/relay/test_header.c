/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/header.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <string.h>

enum {
	PAYLOAD_MAX = 200,
	ROOM = SP_DATAGRAM_IP6 + PAYLOAD_MAX
};

static struct sp_addr
addr(const char *text, uint16_t port)
{
	struct sp_addr a = { 0 };

	cr_assert(eq(int, sp_addr_parse(text, strlen(text), &a), SP_OK));
	a.port = port;
	return a;
}

/* The plain way, a byte at a time: what everything here is held against. */
static uint32_t
add(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	return sum;
}

static uint16_t
fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Sum of a whole packet's pseudo-header, UDP header and payload. */
static uint16_t
udp_sum(const uint8_t *packet, size_t len)
{
	const bool four = packet[0] >> 4 == 4;
	const size_t at = four ? 20 : 40;
	uint32_t sum = add(0, packet + (four ? 12 : 8), four ? 8 : 32);

	sum += 17 + (uint32_t)(len - at);
	return fold(add(sum, packet + at, len - at));
}

/* Write a whole packet from @from to @to with a correct checksum. */
static size_t
packet(uint8_t out[ROOM], const struct sp_addr *from, const struct sp_addr *to,
	const uint8_t *payload, uint16_t len)
{
	struct sp_header h;
	uint16_t check;

	sp_header_build(&h, from, to, 46, 64);
	memcpy(out + h.len, payload, len);
	sp_header_place(&h, out, len, 1, 0);
	check = (uint16_t)~udp_sum(out, h.len + (size_t)len);
	check = check ? check : 0xffff;
	out[h.len - 2] = (uint8_t)(check >> 8);
	out[h.len - 1] = (uint8_t)check;
	return h.len + (size_t)len;
}

/* Rewrite the packet at @in to go from @from to @to; return its length. */
static size_t
relay(const uint8_t *in, size_t len, uint8_t out[ROOM],
	const struct sp_addr *from, const struct sp_addr *to)
{
	struct sp_datagram d = { 0 };
	struct sp_header h;

	cr_assert(eq(int, sp_datagram_parse(in, len, &d), SP_VERDICT_FORWARD));
	sp_header_build(&h, from, to, 46, 64);
	memcpy(out + h.len, in + d.header_len, d.payload_len);
	sp_header_place(&h, out, d.payload_len, d.ecn,
		sp_header_check(&h, &d, in + d.header_len));
	return h.len + (size_t)d.payload_len;
}

/* The four ways across, with addresses that make sums carry. */
struct way {
	char in_from[40], in_to[40], out_from[40], out_to[40];
};

static struct way ways[] = {
	{ "192.0.2.1", "198.51.100.7", "255.255.255.254", "255.255.255.255" },
	{ "0.0.0.1", "0.0.0.2", "2001:db8::1", "2001:db8::2" },
	{ "2001:db8::1", "2001:db8::2", "10.0.0.1", "10.0.0.2" },
	{ "::1", "::2", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe" },
};

ParameterizedTestParameters(header, checksums_stay_right)
{
	return cr_make_param_array(
		struct way, ways, sizeof ways / sizeof *ways);
}

/* Numbers that look random and are the same every time. */
static uint32_t
next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

ParameterizedTest(struct way *w, header, checksums_stay_right)
{
	uint8_t payload[PAYLOAD_MAX], in[ROOM], out[ROOM];
	uint32_t state = 1;

	for (unsigned int i = 0; i < 5000; i++) {
		const uint16_t len = (uint16_t)(next(&state) % PAYLOAD_MAX);
		const struct sp_addr a =
			addr(w->in_from, (uint16_t)(next(&state) | 1));
		const struct sp_addr b = addr(w->in_to, (uint16_t)next(&state));
		const struct sp_addr c =
			addr(w->out_from, (uint16_t)(next(&state) | 1));
		const struct sp_addr d =
			addr(w->out_to, (uint16_t)(next(&state) | 1));
		size_t n;

		for (unsigned int j = 0; j < len; j++)
			payload[j] = (uint8_t)next(&state);
		n = relay(in, packet(in, &a, &b, payload, len), out, &c, &d);
		cr_assert(eq(u16, udp_sum(out, n), 0xffff), "packet %u", i);
		cr_assert(memcmp(out + n - len, payload, len) == 0);
		if (d.family == SP_FAMILY_IP4)
			cr_assert(eq(u16, fold(add(0, out, 20)), 0xffff));
		/* What we write is a packet that we would take. */
		n = relay(out, n, in, &b, &a);
		cr_assert(eq(u16, udp_sum(in, n), 0xffff), "packet %u", i);
	}
}

ParameterizedTestParameters(header, damage_stays_detectable)
{
	return cr_make_param_array(
		struct way, ways, sizeof ways / sizeof *ways);
}

ParameterizedTest(struct way *w, header, damage_stays_detectable)
{
	const struct sp_addr a = addr(w->in_from, 5000);
	const struct sp_addr b = addr(w->in_to, 30000);
	const struct sp_addr c = addr(w->out_from, 40000);
	const struct sp_addr d = addr(w->out_to, 6000);
	const uint8_t payload[] = { 1, 2, 3, 4, 5 };
	uint8_t in[ROOM], out[ROOM];
	size_t n = packet(in, &a, &b, payload, sizeof payload);

	in[n - 1] ^= 0x10;
	n = relay(in, n, out, &c, &d);
	cr_expect(ne(u16, udp_sum(out, n), 0xffff));
}

Test(header, no_checksum_stays_none_between_ip4_and_is_made_for_ip6)
{
	const struct sp_addr a = addr("192.0.2.1", 5000);
	const struct sp_addr b = addr("192.0.2.2", 30000);
	const struct sp_addr six = addr("2001:db8::1", 40000);
	const uint8_t payload[] = { 1, 2, 3, 4, 5 };
	uint8_t in[ROOM], out[ROOM];
	size_t n, len = packet(in, &a, &b, payload, sizeof payload);

	in[26] = in[27] = 0;
	n = relay(in, len, out, &b, &a);
	cr_expect(eq(u16, sp_sum_word(out + n - sizeof payload - 2), 0));
	n = relay(in, len, out, &six, &six);
	cr_expect(ne(u16, sp_sum_word(out + n - sizeof payload - 2), 0));
	cr_expect(eq(u16, udp_sum(out, n), 0xffff));
}

ParameterizedTestParameters(header, a_sum_left_to_the_nic_is_completed)
{
	return cr_make_param_array(
		struct way, ways, sizeof ways / sizeof *ways);
}

ParameterizedTest(struct way *w, header, a_sum_left_to_the_nic_is_completed)
{
	const struct sp_addr a = addr(w->in_from, 5000);
	const struct sp_addr b = addr(w->in_to, 30000);
	const struct sp_addr c = addr(w->out_from, 40000);
	const struct sp_addr d = addr(w->out_to, 6000);
	const uint8_t payload[] = { 1, 2, 3, 4, 5 };
	uint8_t in[ROOM], out[ROOM];
	size_t n = packet(in, &a, &b, payload, sizeof payload);
	const bool four = a.family == SP_FAMILY_IP4;
	const uint16_t pseudo = fold(add(
		17 + 8 + sizeof payload, in + (four ? 12 : 8), four ? 8 : 32));
	uint8_t *check = in + n - sizeof payload - 2;

	check[0] = (uint8_t)(pseudo >> 8);
	check[1] = (uint8_t)pseudo;
	n = relay(in, n, out, &c, &d);
	cr_expect(eq(u16, udp_sum(out, n), 0xffff));
}

Test(header, a_checksum_that_comes_to_zero_is_sent_as_all_ones)
{
	const struct sp_addr a = addr("10.0.0.1", 5000);
	const struct sp_addr b = addr("10.0.0.2", 30000);
	const struct sp_addr c = addr("10.0.0.3", 6000);
	uint8_t in[ROOM], out[ROOM], payload[2] = { 0 };
	unsigned int ones = 0;

	/* One of all two-byte payloads makes the sum that is sought. */
	for (unsigned int i = 0; i < 1u << 16; i++) {
		size_t n;

		payload[0] = (uint8_t)(i >> 8);
		payload[1] = (uint8_t)i;
		n = relay(in, packet(in, &a, &b, payload, 2), out, &b, &c);
		cr_assert(ne(u16, sp_sum_word(out + 26), 0), "payload %u", i);
		cr_assert(eq(u16, udp_sum(out, n), 0xffff), "payload %u", i);
		ones += sp_sum_word(out + 26) == 0xffff;
	}
	cr_expect(ge(uint, ones, 1));
}

Test(header, ip4_has_our_ttl_dscp_df_and_the_senders_ecn)
{
	const struct sp_addr a = addr("192.0.2.1", 0x1234);
	const struct sp_addr b = addr("198.51.100.7", 0xabcd);
	static const uint8_t want[] = { 0x45, 0xb9, 0, 38, 0, 0, 0x40, 0, 64,
		17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7, 0x12, 0x34, 0xab, 0xcd,
		0, 18, 0x56, 0x78 };
	uint8_t at[SP_DATAGRAM_IP6];
	struct sp_header h;

	sp_header_build(&h, &a, &b, 46, 64);
	cr_expect(eq(u8, h.len, SP_DATAGRAM_IP4));
	sp_header_place(&h, at, 10, 1, sp_sum_swap(0x5678));
	cr_expect(eq(u16, fold(add(0, at, 20)), 0xffff));
	at[10] = at[11] = 0;
	cr_expect(memcmp(at, want, sizeof want) == 0);
}

Test(header, ip6_has_our_hop_limit_dscp_and_the_senders_ecn)
{
	const struct sp_addr a = addr("2001:db8::1", 0x1234);
	const struct sp_addr b = addr("2001:db8::2", 0xabcd);
	static const uint8_t udp[] = { 0x12, 0x34, 0xab, 0xcd, 0, 18, 0x56,
		0x78 };
	static const uint8_t want[] = { 0x6b, 0xb0, 0, 0, 0, 18, 17, 64 };
	uint8_t at[SP_DATAGRAM_IP6];
	struct sp_header h;

	sp_header_build(&h, &a, &b, 46, 64);
	cr_expect(eq(u8, h.len, sizeof at));
	sp_header_place(&h, at, 10, 3, sp_sum_swap(0x5678));
	cr_expect(memcmp(at, want, sizeof want) == 0);
	cr_expect(memcmp(at + 8, a.ip, 16) == 0);
	cr_expect(memcmp(at + 24, b.ip, 16) == 0);
	cr_expect(memcmp(at + 40, udp, sizeof udp) == 0);
}

Test(header, the_ip4_checksum_is_right_for_every_length_and_ecn)
{
	const struct sp_addr a = addr("255.255.255.255", 1);
	const struct sp_addr b = addr("255.255.255.254", 1);
	struct sp_header h;
	uint8_t at[SP_DATAGRAM_IP6];

	sp_header_build(&h, &a, &b, 63, 255);
	for (uint32_t len = 0; len <= UINT16_MAX - 28; len++) {
		sp_header_place(&h, at, (uint16_t)len, len & 3, 0);
		cr_assert(eq(u16, fold(add(0, at, 20)), 0xffff), "%u", len);
		cr_assert(eq(u32, at[2] * 256u + at[3], len + 28));
	}
}

Test(header, sums_of_any_length_agree_with_the_plain_way)
{
	uint8_t data[70];
	uint32_t state = 7;

	for (unsigned int i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)next(&state);
	for (size_t len = 0; len <= sizeof data; len++)
		cr_expect(eq(u16,
				  sp_sum_swap(
					  sp_sum_fold(sp_sum_bytes(data, len))),
				  fold(add(0, data, len))),
			"%zu bytes", len);
	static uint8_t ones[1 << 16];

	memset(ones, 0xff, sizeof ones);
	cr_expect(
		eq(u16, sp_sum_fold(sp_sum_bytes(ones, sizeof ones)), 0xffff));
}
