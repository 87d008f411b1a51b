/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_DATAPLANE_NIC_H
#define SP_DATAPLANE_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/eal.h"
#include "relay/status.h"

struct rte_mempool;
struct sp_filter;

/* Most receive queues of a NIC, whatever the number of workers. */
#define SP_NIC_QUEUES_MAX 64

/*
 * Data room of a packet buffer that fits every driver: headroom, the 256 bytes
 * an XDP program may grow a packet by, a full frame with VLAN tag. AF_XDP needs
 * buffer, mbuf and pool header within one page: private data at most 512.
 */
#define SP_NIC_DATA_ROOM 2560

/* Packet buffers that one queue of a NIC may hold in its rings, at most. */
#define SP_NIC_QUEUE_MBUFS 6144

enum sp_nic_driver {
	SP_NIC_AUTO,      /* shared: AF_XDP, or else AF_PACKET */
	SP_NIC_AF_XDP,    /* shared, XDP filter: only our packets come */
	SP_NIC_AF_PACKET, /* shared, slower: all packets come, most not ours */
	SP_NIC_DEVICE,    /* dedicated: DPDK owns the link */
};

/* How a packet gets to the worker that owns its port. */
enum sp_nic_steering {
	SP_NIC_HANDOVER, /* any queue may get it: workers pass it on */
	SP_NIC_RSS,      /* by hash of the port: see sp_port_owner */
	SP_NIC_RTE_FLOW, /* by rules: queue i gets the ports of worker i */
};

/* What to open. Strings are borrowed until sp_nic_open returns. */
struct sp_nic_conf {
	const char *name; /* unique; for logs */
	enum sp_nic_driver driver;
	const char *interface;   /* shared: the kernel's name for it */
	const char *device;      /* dedicated: vdev string or PCI address */
	const char *xdp_program; /* shared: path of xdp_filter.bpf.o */
	unsigned n_workers;
	struct rte_mempool *pool; /* for all queues; one pool for all NICs
				     makes AF_XDP send without copying */
	bool vlan;                /* some realm on it has a VLAN */
	bool busy;                /* workers poll and never sleep */
	bool replace;             /* a program that a killed run of ours left */
	sp_eal_log log;           /* NULL: silent */
	void *log_arg;
};

/* One receive queue, and the transmit queue of the same number. */
struct sp_nic_queue {
	uint16_t port; /* DPDK's port id; a NIC may consist of several */
	uint16_t queue;
};

/*
 * An open NIC. Written by sp_nic_open, then only read, by any thread. Receive
 * queue i is polled by worker i % n_workers. Worker w sends on transmit queue
 * tx[w % n_tx]; when n_workers > n_tx, workers share one and must take turns.
 */
struct sp_nic {
	enum sp_nic_driver driver; /* the one in use, never AUTO */
	enum sp_nic_steering steering;
	uint16_t n_rx;
	uint16_t n_tx;
	struct sp_nic_queue rx[SP_NIC_QUEUES_MAX];
	struct sp_nic_queue tx[SP_NIC_QUEUES_MAX];
	uint16_t mtu; /* IP bytes, without Ethernet and VLAN headers */
	uint8_t mac[6];
	unsigned ifindex; /* the kernel's; 0 for a dedicated NIC */
	unsigned n_workers;
	uint16_t port[SP_NIC_QUEUES_MAX]; /* DPDK ports of this NIC */
	uint16_t n_ports;

	/* For closing; nobody else's. */
	int lock; /* holds the interface for us; -1 for a dedicated NIC */
	struct sp_filter *filter; /* NULL for a dedicated NIC */
	unsigned kernel_flags;    /* IFF_..., as found */
	bool strip_vlan;          /* the NIC stripped tags before */
	char interface[16];
	char name[32];
};

/*
 * Open a NIC, configure and start its queues. After it sp_filter_set names the
 * packets to take; a shared NIC receives nothing of the relay's before that.
 *
 * Core:  start-up; the control thread, after sp_eal_open.
 * Owns:  the caller closes *@out; the pool must outlive it.
 * Fails: SP_NOT_FOUND no such interface or device; SP_CONFLICT somebody else's
 *        XDP program or relay is on it; SP_FORBIDDEN a capability is missing;
 *        SP_UNSUPPORTED the driver or NIC can not do it; SP_NO_MEMORY;
 *        SP_SYSTEM the rest. @why names the cure; nothing is left behind.
 */
enum sp_status sp_nic_open(const struct sp_nic_conf *conf, struct sp_nic **out,
	char why[SP_EAL_WHY]) SP_MUST_CHECK;

/* Stop the queues and undo what open and sp_filter_set did to the kernel. */
void sp_nic_close(struct sp_nic *nic);

/* Return the name of @driver for logs: "af_xdp", "af_packet", "device". */
const char *sp_nic_driver_name(enum sp_nic_driver driver);

/* Return the name of @steering for logs: "hand-over", "rss", "rte_flow". */
const char *sp_nic_steering_name(enum sp_nic_steering steering);

#endif
