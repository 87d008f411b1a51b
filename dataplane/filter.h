/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_FILTER_H
#define SP_DATAPLANE_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/eal.h"
#include "relay/addr.h"
#include "relay/status.h"

struct sp_nic;
struct sp_filter; /* what the kernel does for one NIC */
struct sp_xdp_key;
struct sp_xdp_ranges;

/* Most port ranges of one local address on one NIC. */
#define SP_FILTER_RANGES_MAX 4

/* UDP to @addr, ports @first_port to @last_port, is the relay's. */
struct sp_filter_entry {
	uint16_t vlan; /* 0: untagged */
	uint16_t first_port;
	uint16_t last_port;
	struct sp_addr addr; /* its port is not looked at */
};

/*
 * Replace the set of packets that a shared NIC takes from the kernel. A range
 * that was and stays in the set never falls out meanwhile. A dedicated NIC
 * takes everything; there the call does nothing.
 *
 * Core:  start-up or control.
 * Fails: SP_FULL if an address has more than SP_FILTER_RANGES_MAX ranges or
 *        there are more addresses than the map holds: nothing was changed;
 *        SP_SYSTEM if the kernel refuses: see @why.
 */
enum sp_status sp_filter_set(struct sp_nic *nic,
	const struct sp_filter_entry *entry, size_t n,
	char why[SP_EAL_WHY]) SP_MUST_CHECK;

/*
 * Take over the filter that DPDK's AF_XDP driver has put on @ifindex: finds
 * the map of its ranges among this process' own descriptors, because asking
 * the kernel for them by number is for CAP_SYS_ADMIN.
 *
 * Core:  start-up; for nic.c.
 * Owns:  the caller closes *@out.
 * Fails: SP_NOT_FOUND if the program on the interface is not our filter.
 */
enum sp_status sp_filter_adopt(unsigned ifindex, struct sp_filter **out,
	char why[SP_EAL_WHY]) SP_MUST_CHECK;

/*
 * Load the filter from @path for AF_PACKET: keep the relay's packets from the
 * kernel on @ifindex (tc, clsact ingress) and all others from this process'
 * packet sockets on it.
 *
 * Core:  start-up; for nic.c.
 * Owns:  the caller closes *@out.
 * Fails: SP_FORBIDDEN a capability is missing, SP_NOT_FOUND no such file,
 *        SP_SYSTEM.
 */
enum sp_status sp_filter_attach(unsigned ifindex, const char *path,
	struct sp_filter **out, char why[SP_EAL_WHY]) SP_MUST_CHECK;

/*
 * Note which descriptors of this process are XDP sockets, and find one that
 * was none when they were noted; -1 without such.
 *
 * Core: start-up.
 */
#define SP_FILTER_FDS 4096
struct sp_filter_known {
	uint8_t is[SP_FILTER_FDS];
};
void sp_filter_know(struct sp_filter_known *known);
int sp_filter_new_socket(const struct sp_filter_known *known);

/*
 * List the sockets that packets of shared NICs come by. Returns how many
 * there are; no more than @max are written.
 *
 * Core: start-up.
 */
unsigned int sp_filter_sockets(int *fd, unsigned int max);

/* Insert this process' XDP socket @fd as the one of receive queue @queue. */
enum sp_status sp_filter_socket(
	struct sp_filter *filter, uint32_t queue, int fd) SP_MUST_CHECK;

/* Undo what attach did to the kernel. Takes NULL. */
void sp_filter_close(struct sp_filter *filter);

/*
 * Write the map's content for @entry, an address a slot; pure, for
 * sp_filter_set and tests.
 *
 * Fails: SP_FULL as sp_filter_set.
 */
enum sp_status sp_filter_plan(const struct sp_filter_entry *entry, size_t n,
	struct sp_xdp_key *key, struct sp_xdp_ranges *ranges,
	size_t *n_keys) SP_MUST_CHECK;

#endif
