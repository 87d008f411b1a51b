/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "dataplane/filter.h"
#include "dataplane/nic_open.h"

/* What an XDP program may put in front of a frame: XDP_PACKET_HEADROOM. */
#define XDP_HEADROOM 256

#define ARGS_MAX 512

#ifdef __SANITIZE_ADDRESS__
/*
 * DPDK's driver never closes the program that it loads, nor, after a failure,
 * its memory: known, once a NIC, and nothing that we could free. Asked for by
 * the leak detector.
 */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libxdp.so\nleak:libbpf.so\n";
}
#endif

/*
 * One device of DPDK's driver serves the queues that the kernel calls combined;
 * where receive and transmit queues are counted apart (veth, gve) it serves
 * one. The rest get devices of their own with one queue each, opened first:
 * each device brings the program along, the last one's stays, and the sockets
 * of the others are put into its map.
 */
struct plan {
	uint16_t n_rx;   /* queues in all */
	uint16_t n_main; /* of these, queues of the main device */
};

static struct plan
plan_queues(const struct sp_nic_kernel *kernel)
{
	struct plan p = { .n_rx = 1, .n_main = 1 };

	if (kernel->n_rx > 1)
		p.n_rx = (uint16_t)(kernel->n_rx < SP_NIC_QUEUES_MAX
				? kernel->n_rx
				: SP_NIC_QUEUES_MAX);
	if (kernel->n_combined > 1)
		p.n_main = (uint16_t)(kernel->n_combined < p.n_rx
				? kernel->n_combined
				: p.n_rx);
	return p;
}

/* How much memory the kernel pins for @queues: all of the pool, each time. */
static size_t
pinned(const struct rte_mempool *pool, unsigned queues)
{
	const uint32_t object =
		pool->header_size + pool->elt_size + pool->trailer_size;

	return (size_t)pool->size * object * queues;
}

/* Buffers must lie within a page each for the kernel to take them. */
static enum sp_status
check_pool(struct sp_nic_open *o, uint16_t n_rx)
{
	const struct rte_mempool *pool = o->conf->pool;
	const long page = sysconf(_SC_PAGESIZE);
	const uint32_t object =
		pool->header_size + pool->elt_size + pool->trailer_size;
	uint32_t room = rte_pktmbuf_data_room_size(o->conf->pool);

	if (object > (uint32_t)page || pool->nb_mem_chunks != 1) {
		snprintf(o->why, SP_EAL_WHY,
			"packet buffers of %u bytes in %u pieces of memory: "
			"AF_XDP wants %ld at most, in one piece",
			object, pool->nb_mem_chunks, page);
		return SP_UNSUPPORTED;
	}
	if (pool->size < n_rx * SP_NIC_QUEUE_MBUFS) {
		snprintf(o->why, SP_EAL_WHY,
			"%u packet buffers are too few for %u queues of %u",
			pool->size, n_rx, SP_NIC_QUEUE_MBUFS);
		return SP_NO_MEMORY;
	}

	room -= RTE_PKTMBUF_HEADROOM + XDP_HEADROOM + SP_NIC_LINK_HEADER;
	o->nic->mtu = (uint16_t)(o->kernel.mtu < room ? o->kernel.mtu : room);
	return SP_OK;
}

/*
 * Have VLAN tags left in the frames. One that the NIC strips is lost, and a
 * packet of any VLAN would pass for one of the untagged realm.
 */
static enum sp_status
keep_tags(struct sp_nic_open *o)
{
	const char *interface = o->conf->interface;

	if (sp_nic_kernel_strip_vlan(interface, false, &o->nic->strip_vlan) !=
		SP_OK) {
		o->nic->strip_vlan = false;
		snprintf(o->why, SP_EAL_WHY,
			"%s strips VLAN tags before AF_XDP sees them and that "
			"can not be switched off: set driver: af_packet",
			interface);
		if (o->conf->vlan)
			return SP_UNSUPPORTED;
		sp_nic_open_say(o, LOG_WARNING, "%s", o->why);
	}
	/* A veth's peer keeps the tag beside the frame, whatever we set. */
	if (o->conf->vlan && sp_nic_kernel_is_veth(interface))
		sp_nic_open_say(o, LOG_WARNING,
			"%s is a veth: its peer must put VLAN tags into the "
			"frames (there: ethtool -K <peer> txvlan off)",
			interface);
	return SP_OK;
}

/* Open a device of DPDK's for @n queues from @first on. */
static enum sp_status
open_queues(struct sp_nic_open *o, uint16_t first, uint16_t n)
{
	struct sp_nic *nic = o->nic;
	char name[64], args[ARGS_MAX];
	uint16_t port;
	enum sp_status status;

	snprintf(name, sizeof name, "net_af_xdp_%u_%u", nic->ifindex, first);
	/*
	 * With a budget the kernel hands over packets only while somebody
	 * polls. One that sleeps, and the host's other traffic, want its
	 * interrupts.
	 */
	snprintf(args, sizeof args,
		"iface=%s,start_queue=%u,queue_count=%u,xdp_prog=%s%s",
		o->conf->interface, first, n, o->conf->xdp_program,
		o->conf->busy ? "" : ",busy_budget=0");
	status = sp_nic_open_vdev(o, name, args, &port);
	if (status == SP_OK)
		status = sp_nic_open_port(o, port, n, n);
	/* The kernel has fewer transmit queues than receive queues. */
	if (status == SP_OK && first > 0 && first >= o->kernel.n_tx)
		nic->n_tx--;
	return status;
}

enum sp_status
sp_nic_xdp_open(struct sp_nic_open *o)
{
	const struct plan plan = plan_queues(&o->kernel);
	struct sp_filter_known known;
	int fd[SP_NIC_QUEUES_MAX];
	uint16_t n_fds = 0;
	bool replaced;
	enum sp_status status;

	o->nic->driver = SP_NIC_AF_XDP;
	status = check_pool(o, plan.n_rx);
	if (status == SP_OK)
		status = sp_nic_kernel_may(
			pinned(o->conf->pool, plan.n_rx), o->why);
	if (status == SP_OK)
		status = sp_nic_kernel_clear_xdp(o->conf->interface,
			o->kernel.ifindex, o->conf->replace, &replaced, o->why);
	if (status != SP_OK)
		return status;
	if (replaced)
		sp_nic_open_say(o, LOG_NOTICE,
			"took away the XDP program that a killed run left");
	status = keep_tags(o);
	if (status != SP_OK)
		return status;

	for (uint16_t q = plan.n_main; q < plan.n_rx; q++) {
		/* Other NICs have sockets too: what is new is this queue's. */
		sp_filter_know(&known);
		status = open_queues(o, q, 1);
		if (status != SP_OK)
			return status;
		fd[n_fds++] = sp_filter_new_socket(&known);
		sp_nic_kernel_drop_xdp(o->kernel.ifindex);
	}
	status = open_queues(o, 0, plan.n_main);
	if (status == SP_OK)
		status = sp_filter_adopt(
			o->kernel.ifindex, &o->nic->filter, o->why);
	for (uint16_t i = 0; status == SP_OK && i < n_fds; i++) {
		status = sp_filter_socket(
			o->nic->filter, (uint32_t)(plan.n_main + i), fd[i]);
		if (status != SP_OK)
			snprintf(o->why, SP_EAL_WHY,
				"queue %u has no XDP socket", plan.n_main + i);
	}
	return status;
}
