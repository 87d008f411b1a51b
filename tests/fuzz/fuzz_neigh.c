/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "relay/neigh.h"
#include "relay/sum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum {
	ETHERNET = 14,
	IP4_LEN = 20,
	IP6_LEN = 40,
	L3_MAX = 1600
};

static const struct sp_neigh_link wire = {
	.to = { 2, 0, 0, 0, 0, 1 },
	.from = { 2, 0, 0, 0, 0, 2 },
};

/*
 * Put right the checksums that a fuzzer can't guess. The last byte of an
 * input says whether to, so that wrong ones are tried as well.
 */
static void
seal(uint16_t ethertype, uint8_t *l3, size_t len)
{
	uint16_t check;

	if (ethertype == 0x0800 && len > IP4_LEN + 4) {
		memset(l3 + 10, 0, 2);
		check = sp_sum_close(sp_sum_bytes(l3, IP4_LEN));
		memcpy(l3 + 10, &check, 2);
		memset(l3 + 22, 0, 2);
		check = sp_sum_close(sp_sum_bytes(l3 + 20, len - 20));
		memcpy(l3 + 22, &check, 2);
	} else if (ethertype == 0x86dd && len > IP6_LEN + 4) {
		memset(l3 + 42, 0, 2);
		check = sp_sum_close(sp_sum_bytes(l3 + 8, len - 8) +
			sp_sum_swap(58) +
			sp_sum_swap((uint16_t)(len - IP6_LEN)));
		memcpy(l3 + 42, &check, 2);
	}
}

/* What is true of everything that may be believed or answered. */
static void
judge(const struct sp_neigh_event *e, const uint8_t *l3, size_t len)
{
	static const uint8_t nothing[6];

	if (e->kind > SP_NEIGH_ECHO6 || e->sender.port || e->target.port)
		abort();
	if (e->learn &&
		(e->mac[0] & 1 || memcmp(e->mac, nothing, 6) == 0 ||
			e->sender.ip[0] == 0xff ||
			sp_addr_scope(&e->sender) == SP_ADDR_UNSPECIFIED))
		abort();
	if (e->kind < SP_NEIGH_ECHO)
		return;
	if (e->learn || e->echo < l3 || e->echo_len < 4 ||
		e->echo + e->echo_len > l3 + len)
		abort();
}

/* An answer must be read as the opposite of its question. */
static void
answer(const struct sp_neigh_event *e, uint16_t ethertype)
{
	uint8_t frame[ETHERNET + L3_MAX];
	struct sp_neigh_event back;
	size_t len = 0;

	if (sp_neigh_write_answer(&wire, e, frame, sizeof frame, &len) != SP_OK)
		return;
	if (sp_neigh_parse(ethertype, frame + ETHERNET, len - ETHERNET,
		    &back) != SP_OK)
		abort();
	if (back.kind != e->kind + 1 || !back.learn ||
		!sp_addr_equal(&back.sender, &e->target) ||
		memcmp(back.mac, wire.from, 6) != 0)
		abort();
}

/* A reply turned into a request again must say what the first one said. */
static void
echo(const struct sp_neigh_event *e, uint16_t ethertype)
{
	uint8_t frame[ETHERNET + L3_MAX];
	uint8_t *l3 = frame + ETHERNET;
	struct sp_neigh_event back;
	size_t len = 0;

	if (sp_neigh_write_echo(&wire, e, frame, sizeof frame, &len) != SP_OK)
		return;
	len = (e->kind == SP_NEIGH_ECHO ? IP4_LEN : IP6_LEN) + 4u + e->echo_len;
	if (e->kind == SP_NEIGH_ECHO)
		l3[IP4_LEN] = 8;
	else
		l3[IP6_LEN] = 128;
	seal(ethertype, l3, len);
	if (sp_neigh_parse(ethertype, l3, len, &back) != SP_OK)
		abort();
	if (!sp_addr_equal(&back.sender, &e->target) ||
		!sp_addr_equal(&back.target, &e->sender) ||
		back.echo_len != e->echo_len ||
		memcmp(back.echo, e->echo, e->echo_len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint16_t ethertypes[] = { 0x0800, 0x0806, 0x86dd, 0x88cc };
	uint8_t l3[L3_MAX];
	struct sp_neigh_event e;
	uint16_t ethertype;

	if (len < 1 || len > sizeof l3)
		return 0;
	len--;
	ethertype = ethertypes[data[len] & 3];
	memcpy(l3, data, len);
	if (data[len] & 4)
		seal(ethertype, l3, len);
	if (sp_neigh_parse(ethertype, l3, len, &e) != SP_OK)
		return 0;
	judge(&e, l3, len);
	answer(&e, ethertype);
	echo(&e, ethertype);
	return 0;
}
