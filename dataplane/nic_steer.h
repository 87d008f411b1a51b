/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_NIC_STEER_H
#define SP_DATAPLANE_NIC_STEER_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/nic.h"

struct rte_eth_conf;
struct rte_eth_dev_info;

/*
 * Bring the packets of a dedicated NIC to the worker that owns their port,
 * as sp_port_owner says. Whatever the NIC promises, a worker passes on what
 * is not its own.
 */

/*
 * Write a key for the NIC's Toeplitz hash of IPv4 UDP that has a single bit
 * set, so that the hash's lowest bits are bits of the destination port and
 * nothing else of the packet counts. @reta_bits is the binary logarithm of the
 * size of the NIC's redirection table; pure.
 */
void sp_nic_steer_key(uint8_t *key, size_t key_len, unsigned reta_bits);

/*
 * Answer which queue entry @index of the redirection table must name so that
 * the key of sp_nic_steer_key brings a port to its owner; pure.
 */
uint16_t sp_nic_steer_entry(
	unsigned index, unsigned reta_bits, unsigned n_workers);

/* Ask for that hash in @conf, before the port is configured. */
void sp_nic_steer_prepare(struct rte_eth_conf *conf,
	const struct rte_eth_dev_info *info, uint8_t *key, size_t key_size);

/*
 * Steer the packets of a started @port over its @n_queues, one a worker, as
 * well as the NIC can; answer how.
 *
 * Core: start-up.
 */
enum sp_nic_steering sp_nic_steer(uint16_t port, uint16_t n_queues);

#endif
