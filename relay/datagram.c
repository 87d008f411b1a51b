/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/datagram.h"

enum {
	PROTO_HOP_BY_HOP = 0,
	PROTO_ICMP = 1,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_AUTHENTICATION = 51,
	PROTO_ICMP6 = 58,
	PROTO_DESTINATION = 60,
	PROTO_MOBILITY = 135,
	PROTO_HOST_IDENTITY = 139,
	PROTO_SHIM6 = 140,
};

static uint16_t
read_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* What is left to be wrong once the IP header is a good one. */
static enum sp_verdict
refuse_payload(uint8_t proto, uint8_t icmp)
{
	if (proto == icmp)
		return SP_VERDICT_PUNT;
	if (proto != SP_DATAGRAM_PROTO)
		return SP_VERDICT_NOT_OURS;
	return SP_VERDICT_BAD_FRAME;
}

static enum sp_verdict
refuse_ip4(const uint8_t *l3, size_t len)
{
	const size_t header = 4u * (l3[0] & 0x0f);
	const size_t total = read_u16(l3 + 2);

	if (header < 20 || header > total || total > len)
		return SP_VERDICT_BAD_FRAME;
	if (sp_sum_fold(sp_sum_bytes(l3, header)) != 0xffff)
		return SP_VERDICT_BAD_SUM;
	if (header > 20)
		return SP_VERDICT_IP_OPTIONS;
	if (read_u16(l3 + 6) & 0x3fff)
		return SP_VERDICT_FRAGMENT;
	return refuse_payload(l3[9], PROTO_ICMP);
}

static enum sp_verdict
refuse_ip6(const uint8_t *l3, size_t len)
{
	const size_t ip_len = read_u16(l3 + 4);

	if (ip_len > len - 40)
		return SP_VERDICT_BAD_FRAME;
	switch (l3[6]) {
	case PROTO_FRAGMENT:
		return SP_VERDICT_FRAGMENT;
	case PROTO_HOP_BY_HOP:
	case PROTO_ROUTING:
	case PROTO_AUTHENTICATION:
	case PROTO_DESTINATION:
	case PROTO_MOBILITY:
	case PROTO_HOST_IDENTITY:
	case PROTO_SHIM6:
		return SP_VERDICT_IP_OPTIONS;
	}
	/* Only the checksum can be at fault when all else is as it should. */
	if (l3[6] == SP_DATAGRAM_PROTO && ip_len >= SP_DATAGRAM_UDP &&
		read_u16(l3 + 44) == ip_len && read_u16(l3 + 40) != 0)
		return SP_VERDICT_BAD_SUM;
	return refuse_payload(l3[6], PROTO_ICMP6);
}

enum sp_verdict
sp_datagram_refuse(const uint8_t *l3, size_t len)
{
	if (len >= 20 && l3[0] >> 4 == 4)
		return refuse_ip4(l3, len);
	if (len >= 40 && l3[0] >> 4 == 6)
		return refuse_ip6(l3, len);
	return SP_VERDICT_BAD_FRAME;
}
