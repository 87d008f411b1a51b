/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_NIC_OPEN_H
#define SP_DATAPLANE_NIC_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/nic.h"
#include "dataplane/nic_kernel.h"

/* What the drivers' ways of opening share: between nic.c and nic_xdp.c. */

/* Ethernet header with one tag. */
#define SP_NIC_LINK_HEADER 18

/* A NIC on its way through open, and what it was asked for. */
struct sp_nic_open {
	const struct sp_nic_conf *conf;
	struct sp_nic *nic;
	struct sp_nic_kernel kernel; /* shared NICs only */
	char *why;                   /* SP_EAL_WHY bytes */
};

/* Log a line about the NIC, its name first. */
__attribute__((format(printf, 3, 4))) void sp_nic_open_say(
	const struct sp_nic_open *o, int priority, const char *format, ...);

/* Make DPDK's virtual device @name and find its @port. */
enum sp_status sp_nic_open_vdev(struct sp_nic_open *o, const char *name,
	const char *args, uint16_t *port) SP_MUST_CHECK;

/* Take @port into the NIC with at most that many queues, and start it. */
enum sp_status sp_nic_open_port(struct sp_nic_open *o, uint16_t port,
	uint16_t n_rx, uint16_t n_tx) SP_MUST_CHECK;

/*
 * Open a shared NIC with AF_XDP and our filter: nic_xdp.c.
 *
 * Fails: as sp_nic_open; ports taken so far are left to sp_nic_close.
 */
enum sp_status sp_nic_xdp_open(struct sp_nic_open *o) SP_MUST_CHECK;

#endif
