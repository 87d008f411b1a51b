/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nic.h"

#include <bpf/libbpf.h>
#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "dataplane/filter.h"
#include "dataplane/nic_open.h"
#include "dataplane/nic_steer.h"

/*
 * Descriptors of a ring, unless the driver wants others. AF_XDP's: as many as
 * DPDK's driver gives the kernel buffers; whoever takes our CPU away for
 * longer than they last makes us lose packets.
 */
#define RING 1024
#define XDP_RING 2048

/*
 * AF_PACKET's rings hold 2,048 frames a queue: as many as may come while a
 * worker sleeps. A frame's own header takes 66 bytes or less.
 */
#define PACKET_FRAME 2048
#define PACKET_HEADER 66
#define PACKET_BLOCK 65536
#define PACKET_FRAMES 2048
#define PACKET_QUEUES_MAX 16

#define BURST 32
#define KEY_MAX 64
#define ARGS_MAX 512

void
sp_nic_open_say(
	const struct sp_nic_open *o, int priority, const char *format, ...)
{
	char text[2 * SP_EAL_WHY], line[2 * SP_EAL_WHY + 64];
	va_list ap;

	if (!o->conf->log)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	snprintf(line, sizeof line, "%s: %s", o->nic->name, text);
	o->conf->log(o->conf->log_arg, priority, line);
}

/*
 * Where libbpf's lines go. In them the kernel says what it dislikes, before
 * DPDK says that something failed.
 */
static int
print_bpf(enum libbpf_print_level level, const char *format, va_list ap)
{
	char line[2 * SP_EAL_WHY];
	int n;

	if (level != LIBBPF_WARN)
		return 0;
	n = vsnprintf(line, sizeof line, format, ap);
	line[strcspn(line, "\n")] = '\0';
	sp_eal_say(LOG_ERR, line);
	return n;
}

/*
 * Configure @port with its queues. Checksums are moved by difference, so that
 * damage before us stays detectable: no offload of them is asked for.
 */
static enum sp_status
configure(struct sp_nic_open *o, uint16_t port, uint16_t n_rx, uint16_t n_tx,
	const struct rte_eth_dev_info *info)
{
	uint8_t key[KEY_MAX];
	struct rte_eth_conf conf = { 0 };
	int err;

	if (n_rx > 1 && o->nic->driver == SP_NIC_DEVICE)
		sp_nic_steer_prepare(&conf, info, key, sizeof key);
	err = rte_eth_dev_configure(port, n_rx, n_tx, &conf);
	if (err != 0) {
		snprintf(o->why, SP_EAL_WHY,
			"%u receive and %u transmit queues are refused: %s",
			n_rx, n_tx, rte_strerror(-err));
		return SP_UNSUPPORTED;
	}
	return SP_OK;
}

/* Set up the queues of @port and start it. */
static enum sp_status
start(struct sp_nic_open *o, uint16_t port, uint16_t n_rx, uint16_t n_tx)
{
	const int socket = rte_eth_dev_socket_id(port);
	const unsigned node = socket < 0 ? 0 : (unsigned)socket;
	const uint16_t ring = o->nic->driver == SP_NIC_AF_XDP ? XDP_RING : RING;
	uint16_t n_rx_desc = ring;
	uint16_t n_tx_desc = ring;
	int err;

	err = rte_eth_dev_adjust_nb_rx_tx_desc(port, &n_rx_desc, &n_tx_desc);
	for (uint16_t q = 0; err == 0 && q < n_rx; q++)
		err = rte_eth_rx_queue_setup(
			port, q, n_rx_desc, node, NULL, o->conf->pool);
	for (uint16_t q = 0; err == 0 && q < n_tx; q++)
		err = rte_eth_tx_queue_setup(port, q, n_tx_desc, node, NULL);
	if (err == 0)
		err = rte_eth_dev_start(port);
	if (err == 0)
		return SP_OK;

	snprintf(o->why, SP_EAL_WHY, "queues do not start (%s)%s%.120s",
		rte_strerror(-err), sp_eal_first_error()[0] ? ": " : "",
		sp_eal_first_error());
	return err == -ENOMEM ? SP_NO_MEMORY : SP_SYSTEM;
}

/*
 * memif has as many rings as the two ends agree on, when the other one comes;
 * each time anew. DPDK's driver takes any number of queues all the same, and
 * one that has no ring works on the memory of the first: it takes packets from
 * there, and writes to it. The first there always is.
 */
static bool
has_one_ring(const struct rte_eth_dev_info *info)
{
	return strcmp(info->driver_name, "net_memif") == 0;
}

/* Lower what is wanted to what can be had. */
static void
limit_queues(struct sp_nic_open *o, const struct rte_eth_dev_info *info,
	uint16_t *n_rx, uint16_t *n_tx)
{
	if (has_one_ring(info) && (*n_rx > 1 || *n_tx > 1)) {
		sp_nic_open_say(o, LOG_INFO,
			"memif has one queue, which %u workers share",
			o->conf->n_workers);
		*n_rx = 1;
		*n_tx = 1;
	}
	if (*n_rx > info->max_rx_queues)
		*n_rx = info->max_rx_queues;
	if (*n_tx > info->max_tx_queues)
		*n_tx = info->max_tx_queues;
}

enum sp_status
sp_nic_open_port(
	struct sp_nic_open *o, uint16_t port, uint16_t n_rx, uint16_t n_tx)
{
	struct sp_nic *nic = o->nic;
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	enum sp_status status;

	nic->port[nic->n_ports++] = port;
	if (rte_eth_dev_info_get(port, &info) != 0 ||
		rte_eth_macaddr_get(port, &mac) != 0) {
		snprintf(o->why, SP_EAL_WHY, "the driver tells nothing");
		return SP_SYSTEM;
	}
	memcpy(nic->mac, mac.addr_bytes, sizeof nic->mac);
	limit_queues(o, &info, &n_rx, &n_tx);
	status = configure(o, port, n_rx, n_tx, &info);
	if (status == SP_OK)
		status = start(o, port, n_rx, n_tx);
	if (status != SP_OK)
		return status;
	for (uint16_t q = 0; q < n_rx; q++)
		nic->rx[nic->n_rx++] = (struct sp_nic_queue){ port, q };
	for (uint16_t q = 0; q < n_tx; q++)
		nic->tx[nic->n_tx++] = (struct sp_nic_queue){ port, q };
	return SP_OK;
}

enum sp_status
sp_nic_open_vdev(struct sp_nic_open *o, const char *name, const char *args,
	uint16_t *port)
{
	int err;

	sp_eal_forget_error();
	err = rte_eal_hotplug_add("vdev", name, args);
	if (err == 0)
		err = rte_eth_dev_get_port_by_name(name, port);
	if (err == 0)
		return SP_OK;
	snprintf(o->why, SP_EAL_WHY, "DPDK's driver refuses (%s)%s%.120s",
		rte_strerror(-err), sp_eal_first_error()[0] ? ": " : "",
		sp_eal_first_error());
	return SP_SYSTEM;
}

/* Throw away what came in before the filter was there. */
static void
drain(const struct sp_nic *nic)
{
	struct rte_mbuf *m[BURST];
	uint16_t n;

	for (uint16_t q = 0; q < nic->n_rx; q++)
		do {
			n = rte_eth_rx_burst(
				nic->rx[q].port, nic->rx[q].queue, m, BURST);
			rte_pktmbuf_free_bulk(m, n);
		} while (n > 0);
}

static enum sp_status
open_packet(struct sp_nic_open *o)
{
	const unsigned workers = o->conf->n_workers;
	const uint16_t queues =
		(uint16_t)(workers < PACKET_QUEUES_MAX ? workers
						       : PACKET_QUEUES_MAX);
	const unsigned room = PACKET_FRAME - PACKET_HEADER - SP_NIC_LINK_HEADER;
	char name[64], args[ARGS_MAX];
	uint16_t port;
	enum sp_status status;

	o->nic->driver = SP_NIC_AF_PACKET;
	o->nic->mtu = (uint16_t)(o->kernel.mtu < room ? o->kernel.mtu : room);
	status = sp_nic_kernel_may(0, o->why);
	if (status != SP_OK)
		return status;

	snprintf(name, sizeof name, "net_af_packet_%u", o->nic->ifindex);
	snprintf(args, sizeof args,
		"iface=%s,qpairs=%u,framesz=%u,blocksz=%u,framecnt=%u",
		o->conf->interface, queues, PACKET_FRAME, PACKET_BLOCK,
		PACKET_FRAMES);
	status = sp_nic_open_vdev(o, name, args, &port);
	if (status == SP_OK)
		status = sp_nic_open_port(o, port, queues, queues);
	if (status == SP_OK)
		status = sp_filter_attach(o->nic->ifindex, o->conf->xdp_program,
			&o->nic->filter, o->why);
	if (status == SP_OK)
		drain(o->nic);
	return status;
}

/* Give the ports back, whatever state they are in. */
static void
drop_ports(struct sp_nic *nic)
{
	struct rte_eth_dev_info info;

	while (nic->n_ports > 0) {
		const uint16_t port = nic->port[--nic->n_ports];

		if (rte_eth_dev_info_get(port, &info) != 0)
			continue;
		rte_eth_dev_stop(port);
		rte_eth_dev_close(port);
		rte_dev_remove(info.device);
	}
	nic->n_rx = 0;
	nic->n_tx = 0;
}

/* A dedicated NIC hears neighbours only if multicast comes through. */
static void
hear_multicast(uint16_t port)
{
	if (rte_eth_allmulticast_enable(port) != 0)
		rte_eth_promiscuous_enable(port);
}

static enum sp_status
open_device(struct sp_nic_open *o)
{
	const uint16_t workers = (uint16_t)o->conf->n_workers;
	const char *device = o->conf->device;
	struct sp_nic *nic = o->nic;
	char name[64];
	uint16_t port;
	enum sp_status status;
	int err;

	nic->driver = SP_NIC_DEVICE;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(device, ","), device);
	sp_eal_forget_error();
	/* A PCI device was found when DPDK started, others are made here. */
	err = rte_eth_dev_get_port_by_name(name, &port);
	if (err != 0 && rte_dev_probe(device) == 0)
		err = rte_eth_dev_get_port_by_name(name, &port);
	if (err != 0) {
		snprintf(o->why, SP_EAL_WHY,
			"%.40s does not open%s%.80s: known to DPDK, bound to "
			"vfio-pci, parameters right?",
			name, sp_eal_first_error()[0] ? ": " : "",
			sp_eal_first_error());
		return SP_NOT_FOUND;
	}

	status = sp_nic_open_port(o, port, workers, workers);
	if (status != SP_OK)
		return status;
	hear_multicast(port);
	if (rte_eth_dev_get_mtu(port, &nic->mtu) != 0)
		nic->mtu = RTE_ETHER_MTU;
	if (nic->n_rx == workers)
		nic->steering = sp_nic_steer(port, workers);
	return SP_OK;
}

/* AF_XDP, AF_PACKET, or the second when the first does not work out. */
static enum sp_status
open_shared(struct sp_nic_open *o)
{
	const char *interface = o->conf->interface;
	struct sp_nic *nic = o->nic;
	enum sp_status status;

	status = sp_nic_kernel_read(interface, &o->kernel, o->why);
	if (status != SP_OK)
		return status;
	nic->ifindex = o->kernel.ifindex;
	nic->kernel_flags = o->kernel.flags;
	snprintf(nic->interface, sizeof nic->interface, "%s", interface);
	status = sp_nic_kernel_lock(interface, &nic->lock, o->why);
	if (status != SP_OK)
		return status;

	if (o->conf->driver == SP_NIC_AF_PACKET)
		return open_packet(o);
	status = sp_nic_xdp_open(o);
	if (status == SP_OK || o->conf->driver != SP_NIC_AUTO)
		return status;

	sp_nic_open_say(o, LOG_WARNING,
		"no AF_XDP on %s, so af_packet, which is slower: %s", interface,
		o->why);
	sp_filter_close(nic->filter);
	nic->filter = NULL;
	drop_ports(nic);
	return open_packet(o);
}

enum sp_status
sp_nic_open(const struct sp_nic_conf *conf, struct sp_nic **out,
	char why[SP_EAL_WHY])
{
	struct sp_nic_open o = {
		.conf = conf,
		.nic = calloc(1, sizeof *o.nic),
		.why = why,
	};
	enum sp_status status;

	snprintf(why, SP_EAL_WHY, "out of memory");
	if (!o.nic)
		return SP_NO_MEMORY;
	o.nic->lock = -1;
	o.nic->n_workers = conf->n_workers;
	o.nic->steering = SP_NIC_HANDOVER;
	snprintf(o.nic->name, sizeof o.nic->name, "%s", conf->name);
	libbpf_set_print(print_bpf);

	status = conf->driver == SP_NIC_DEVICE ? open_device(&o)
					       : open_shared(&o);
	if (status != SP_OK) {
		sp_nic_close(o.nic);
		return status;
	}
	/* Starting a port switched it off, whoever had switched it on. */
	if (o.nic->ifindex)
		sp_nic_kernel_restore_flags(
			o.nic->interface, o.nic->kernel_flags);
	*out = o.nic;
	return SP_OK;
}

void
sp_nic_close(struct sp_nic *nic)
{
	bool was;

	if (!nic)
		return;
	sp_filter_close(nic->filter);
	drop_ports(nic);
	if (nic->ifindex)
		sp_nic_kernel_restore_flags(nic->interface, nic->kernel_flags);
	if (nic->strip_vlan &&
		sp_nic_kernel_strip_vlan(nic->interface, true, &was) != SP_OK)
		sp_eal_say(LOG_WARNING, "VLAN stripping stays off");
	if (nic->lock >= 0)
		close(nic->lock);
	free(nic);
}

const char *
sp_nic_driver_name(enum sp_nic_driver driver)
{
	static const char *const names[] = {
		[SP_NIC_AUTO] = "auto",
		[SP_NIC_AF_XDP] = "af_xdp",
		[SP_NIC_AF_PACKET] = "af_packet",
		[SP_NIC_DEVICE] = "device",
	};

	return names[driver];
}

const char *
sp_nic_steering_name(enum sp_nic_steering steering)
{
	static const char *const names[] = {
		[SP_NIC_HANDOVER] = "hand-over",
		[SP_NIC_RSS] = "rss",
		[SP_NIC_RTE_FLOW] = "rte_flow",
	};

	return names[steering];
}
