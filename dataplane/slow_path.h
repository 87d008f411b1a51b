/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_SLOW_PATH_H
#define SP_DATAPLANE_SLOW_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/neighbour.h"
#include "relay/status.h"
#include "relay/verdict.h"

/*
 * The frames that are not media, for the addresses of dedicated realms: ARP,
 * neighbour discovery and ping. Frames of shared realms are the kernel's, and
 * ignored here.
 *
 * Core:  control.
 * Units: milliseconds; time never goes back.
 */
struct sp_slow_path;

/* Open it without realms. Owns: caller closes *@out. Fails: SP_NO_MEMORY. */
enum sp_status sp_slow_path_open(struct sp_slow_path **out) SP_MUST_CHECK;

/* Close it. Takes NULL. */
void sp_slow_path_close(struct sp_slow_path *slow);

/*
 * Answer for the realm whose neighbours these are, on NIC @nic.
 *
 * Owns:  @neighbours is borrowed until close.
 * Fails: SP_FULL beyond SP_REALMS_MAX.
 */
enum sp_status sp_slow_path_add(struct sp_slow_path *slow, uint16_t nic,
	struct sp_neighbour *neighbours) SP_MUST_CHECK;

/*
 * Deal with a frame that came in on @nic in VLAN @vlan (0: untagged). Answers
 * leave through the station's transmit before this returns.
 *
 * Owns:  @frame starts at the Ethernet header, with or without its tag;
 *        borrowed.
 */
enum sp_slow_path_fate sp_slow_path_take(struct sp_slow_path *slow,
	uint16_t nic, uint16_t vlan, const uint8_t *frame, size_t len,
	uint64_t now_ms);

/* Return how many frames met @fate. */
uint64_t sp_slow_path_count(
	const struct sp_slow_path *slow, enum sp_slow_path_fate fate);

#endif
