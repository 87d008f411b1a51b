/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_RESERVE_H
#define SP_DATAPLANE_RESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/eal.h"
#include "relay/addr.h"
#include "relay/status.h"

/* Ports @first to @last, both included. */
struct sp_reserve_range {
	uint16_t first;
	uint16_t last;
};

/* A set of ports, a bit each: what net.ipv4.ip_local_reserved_ports holds. */
struct sp_reserve_set {
	uint64_t bit[65536 / 64];
};

struct sp_reserve; /* what was added, to be taken out again */

/*
 * Read the kernel's list of ports ("1,30000-39999\n") into a set; pure.
 *
 * Fails: SP_MALFORMED; @out is then undefined.
 */
enum sp_status sp_reserve_parse(
	const char *text, size_t len, struct sp_reserve_set *out) SP_MUST_CHECK;

/*
 * Write a set as the kernel wants it, NUL-terminated; pure.
 *
 * Fails: SP_NO_SPACE if @size is too small.
 */
enum sp_status sp_reserve_write(const struct sp_reserve_set *set, char *text,
	size_t size) SP_MUST_CHECK;

/*
 * Keep the kernel from giving ports of the @n ranges to sockets that ask for
 * none in particular: the relay would take the answers to them. What others
 * have reserved stays.
 *
 * Core:  start-up.
 * Owns:  the caller closes *@out.
 * Fails: SP_FORBIDDEN if the setting can not be written (not root, or /proc/sys
 *        read-only in a container), SP_SYSTEM; @why names the cure.
 */
enum sp_status sp_reserve_open(const struct sp_reserve_range *range, size_t n,
	struct sp_reserve **out, char why[SP_EAL_WHY]) SP_MUST_CHECK;

/* Take out of the kernel's list what open put in. NULL is fine. */
void sp_reserve_close(struct sp_reserve *reserve);

/* Told of a UDP socket in the ranges. @inode finds its owner in /proc. */
typedef void (*sp_reserve_found)(
	void *arg, const struct sp_addr *local, uint64_t inode);

/*
 * Call @found for each UDP socket of the kernel that is bound to a port in the
 * ranges: it will hear nothing on the relay's addresses. Returns how many.
 *
 * Core: start-up.
 */
size_t sp_reserve_sockets(const struct sp_reserve_range *range, size_t n,
	sp_reserve_found found, void *arg);

#endif
