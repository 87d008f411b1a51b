/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_NIC_KERNEL_H
#define SP_DATAPLANE_NIC_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/eal.h"
#include "relay/status.h"

/* What the kernel knows of an interface that the relay shares with it. */
struct sp_nic_kernel {
	unsigned ifindex;
	unsigned flags; /* IFF_... */
	unsigned mtu;
	unsigned n_rx;       /* receive queues */
	unsigned n_tx;       /* transmit queues */
	unsigned n_combined; /* queues that receive and send */
};

/*
 * Ask the kernel about @interface.
 *
 * Fails: SP_NOT_FOUND no such interface, SP_CONFLICT it is down, SP_SYSTEM.
 */
enum sp_status sp_nic_kernel_read(const char *interface,
	struct sp_nic_kernel *out, char why[SP_EAL_WHY]) SP_MUST_CHECK;

/*
 * Claim @interface for this process until *@lock is closed or the process
 * ends, however it ends: an abstract socket, which the network namespace owns
 * as it owns the interface.
 *
 * Fails: SP_CONFLICT another process has it, SP_SYSTEM.
 */
enum sp_status sp_nic_kernel_lock(
	const char *interface, int *lock, char why[SP_EAL_WHY]) SP_MUST_CHECK;

/*
 * Check that this process may do what AF_XDP and AF_PACKET need, and raise the
 * limit for locked memory to @locked bytes where that is allowed (0: none).
 *
 * Fails: SP_FORBIDDEN, with the missing capability in @why.
 */
enum sp_status sp_nic_kernel_may(
	size_t locked, char why[SP_EAL_WHY]) SP_MUST_CHECK;

/*
 * Make sure that no XDP program is on @interface; take away one that a killed
 * run of ours left if @replace. Call it under the lock.
 *
 * Fails: SP_CONFLICT there is one that is not ours, or nobody may say whose;
 *        SP_SYSTEM it can not be taken away.
 */
enum sp_status sp_nic_kernel_clear_xdp(const char *interface, unsigned ifindex,
	bool replace, bool *replaced, char why[SP_EAL_WHY]) SP_MUST_CHECK;

/* Take our own XDP program away again. */
void sp_nic_kernel_drop_xdp(unsigned ifindex);

/*
 * Switch the stripping of VLAN tags in hardware. A tag that is gone before the
 * XDP program runs is lost, and with it the realm that a packet is for.
 * Answers whether it was on before.
 *
 * Fails: SP_UNSUPPORTED if it can not be switched.
 */
enum sp_status sp_nic_kernel_strip_vlan(
	const char *interface, bool on, bool *was) SP_MUST_CHECK;

/* Is @interface one end of a pair of virtual Ethernet devices? */
bool sp_nic_kernel_is_veth(const char *interface);

/* Set the interface's IFF_PROMISC as it is in @flags. */
void sp_nic_kernel_restore_flags(const char *interface, unsigned flags);

#endif
