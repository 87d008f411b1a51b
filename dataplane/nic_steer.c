/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nic_steer.h"
#include "relay/port_pool.h"

#include <rte_ethdev.h>
#include <rte_flow.h>
#include <string.h>

/* Ports are dealt out in blocks of 1 << BLOCK_BITS. */
#define BLOCK_BITS 6

/*
 * Where the destination port ends in what the NIC hashes of an IPv4 UDP
 * packet: two addresses and two ports, 96 bits. Bit i of the input, from the
 * left, selects the 32 bits of the key that start at i.
 */
#define IP4_PORT_END 96
#define HASH_BITS 32

#define RETA_BITS_MAX 9
#define QUEUE_RULES_MAX (2u * SP_NIC_QUEUES_MAX)

static unsigned
next_power_of_two(unsigned n)
{
	unsigned p = 1;

	while (p < n)
		p *= 2;
	return p;
}

void
sp_nic_steer_key(uint8_t *key, size_t key_len, unsigned reta_bits)
{
	/*
	 * Port bit b is input bit IP4_PORT_END - 1 - b, and its window of the
	 * key ends HASH_BITS - 1 later: hash bit m is then the sum of port
	 * bits b with key[IP4_PORT_END + HASH_BITS - 2 - b - m] set. One such
	 * key bit makes hash bit m the port bit (top - m).
	 */
	const unsigned top = BLOCK_BITS + reta_bits - 1;
	const unsigned bit = IP4_PORT_END + HASH_BITS - 2 - top;

	memset(key, 0, key_len);
	key[bit / 8] = (uint8_t)(0x80 >> bit % 8);
}

uint16_t
sp_nic_steer_entry(unsigned index, unsigned reta_bits, unsigned n_workers)
{
	unsigned block = 0;

	/* The key turns the order of the bits round. */
	for (unsigned i = 0; i < reta_bits; i++)
		block |= (index >> i & 1) << (reta_bits - 1 - i);
	return (uint16_t)sp_port_owner(
		(uint16_t)(block << BLOCK_BITS), n_workers);
}

/* Binary logarithm of a table's size; 0 if it is none that we can fill. */
static unsigned
table_bits(unsigned size)
{
	for (unsigned bits = 1; bits <= RETA_BITS_MAX; bits++)
		if (size == 1u << bits)
			return bits;
	return 0;
}

void
sp_nic_steer_prepare(struct rte_eth_conf *conf,
	const struct rte_eth_dev_info *info, uint8_t *key, size_t key_size)
{
	const unsigned bits = table_bits(info->reta_size);
	const uint64_t udp =
		RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;

	if (bits == 0 || info->hash_key_size < 40 ||
		info->hash_key_size > key_size ||
		!(info->flow_type_rss_offloads & udp))
		return;
	sp_nic_steer_key(key, info->hash_key_size, bits);
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_key = key;
	conf->rx_adv_conf.rss_conf.rss_key_len = info->hash_key_size;
	conf->rx_adv_conf.rss_conf.rss_hf = udp & info->flow_type_rss_offloads;
}

/* Fill the redirection table to match the key. */
static bool
set_table(uint16_t port, uint16_t n_queues)
{
	struct rte_eth_rss_reta_entry64
		table[(1 << RETA_BITS_MAX) / RTE_ETH_RETA_GROUP_SIZE];
	struct rte_eth_dev_info info;
	unsigned bits;

	if (rte_eth_dev_info_get(port, &info) != 0)
		return false;
	bits = table_bits(info.reta_size);
	if (bits == 0)
		return false;
	memset(table, 0, sizeof table);
	for (unsigned i = 0; i < info.reta_size; i++) {
		struct rte_eth_rss_reta_entry64 *group =
			&table[i / RTE_ETH_RETA_GROUP_SIZE];

		group->mask |= UINT64_C(1) << i % RTE_ETH_RETA_GROUP_SIZE;
		group->reta[i % RTE_ETH_RETA_GROUP_SIZE] =
			sp_nic_steer_entry(i, bits, n_queues);
	}
	return rte_eth_dev_rss_reta_update(port, table, info.reta_size) == 0;
}

/* One rule: UDP over @ip whose port has @value under @mask, to @queue. */
static bool
add_rule(uint16_t port, enum rte_flow_item_type ip, uint16_t value,
	uint16_t mask, uint16_t queue)
{
	const struct rte_flow_attr attr = { .ingress = 1 };
	const struct rte_flow_item_udp spec = {
		.hdr.dst_port = rte_cpu_to_be_16(value),
	};
	const struct rte_flow_item_udp under = {
		.hdr.dst_port = rte_cpu_to_be_16(mask),
	};
	const struct rte_flow_item pattern[] = {
		{ .type = RTE_FLOW_ITEM_TYPE_ETH },
		{ .type = ip },
		{
			.type = RTE_FLOW_ITEM_TYPE_UDP,
			.spec = &spec,
			.mask = &under,
		},
		{ .type = RTE_FLOW_ITEM_TYPE_END },
	};
	const struct rte_flow_action_queue to = { .index = queue };
	const struct rte_flow_action action[] = {
		{ .type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &to },
		{ .type = RTE_FLOW_ACTION_TYPE_END },
	};
	struct rte_flow_error error;

	return rte_flow_create(port, &attr, pattern, action, &error) != NULL;
}

/* A rule for each value of the port's bits that choose a worker. */
static bool
set_rules(uint16_t port, uint16_t n_queues)
{
	const unsigned values = next_power_of_two(n_queues);
	const uint16_t mask = (uint16_t)((values - 1) << BLOCK_BITS);
	struct rte_flow_error error;
	bool ok = values <= QUEUE_RULES_MAX;

	for (unsigned v = 0; ok && v < values; v++) {
		const uint16_t value = (uint16_t)(v << BLOCK_BITS);
		const uint16_t queue = (uint16_t)(v % n_queues);

		ok = add_rule(port, RTE_FLOW_ITEM_TYPE_IPV4, value, mask,
			     queue) &&
			add_rule(port, RTE_FLOW_ITEM_TYPE_IPV6, value, mask,
				queue);
	}
	if (!ok)
		rte_flow_flush(port, &error);
	return ok;
}

enum sp_nic_steering
sp_nic_steer(uint16_t port, uint16_t n_queues)
{
	if (n_queues < 2)
		return SP_NIC_HANDOVER;
	if (set_rules(port, n_queues))
		return SP_NIC_RTE_FLOW;
	if (set_table(port, n_queues))
		return SP_NIC_RSS;
	return SP_NIC_HANDOVER;
}
