/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/pktgen.h"

#define RING 2048u /* descriptors */
#define BUFFERS 16383u
#define CACHE 256u
#define LINK_S 15u /* until the other end must be there */

/* A vdev's name is given with its options; else it is on a bus. */
static void
start_dpdk(struct pktgen *g)
{
	char lcores[64] = "--lcores=0", memory[16];
	char *argv[24] = { "pktgen", "--no-telemetry", "--log-level=error" };
	int argc = 3;
	bool pci = false;

	snprintf(memory, sizeof memory, "%u", g->conf.memory_mb);
	argv[argc++] = "-m";
	argv[argc++] = memory;
	if (g->conf.cpu)
		snprintf(lcores, sizeof lcores, "--lcores=0@%s", g->conf.cpu);
	argv[argc++] = lcores;
	if (g->conf.hugepages) {
		argv[argc++] = "--in-memory";
	} else {
		argv[argc++] = "--no-huge";
		argv[argc++] = "--no-shconf";
	}
	for (unsigned int i = 0; i < 2 && g->conf.device[i]; i++) {
		const bool vdev = strncmp(g->conf.device[i], "net_", 4) == 0;

		argv[argc++] = vdev ? "--vdev" : "-a";
		argv[argc++] = (char *)g->conf.device[i];
		pci |= !vdev;
	}
	if (!pci)
		argv[argc++] = "--no-pci";
	if (rte_eal_init(argc, argv) < 0)
		pktgen_die("DPDK: %s", rte_strerror(rte_errno));
}

static void
open_port(uint16_t port, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = { 0 };
	uint16_t rx = RING, tx = RING;
	int status;

	status = rte_eth_dev_configure(port, 1, 1, &conf);
	if (status == 0)
		status = rte_eth_dev_adjust_nb_rx_tx_desc(port, &rx, &tx);
	if (status == 0)
		status = rte_eth_rx_queue_setup(
			port, 0, rx, SOCKET_ID_ANY, NULL, pool);
	if (status == 0)
		status = rte_eth_tx_queue_setup(
			port, 0, tx, SOCKET_ID_ANY, NULL);
	if (status == 0)
		status = rte_eth_dev_start(port);
	if (status != 0)
		pktgen_die("port %u: %s", port, rte_strerror(-status));
	/* Not all can, and not all need to. */
	(void)rte_eth_promiscuous_enable(port);
}

static void
wait_for_link(uint16_t port)
{
	struct rte_eth_link link = { 0 };

	for (unsigned int i = 0; i < LINK_S * 100; i++) {
		if (rte_eth_link_get_nowait(port, &link) == 0 &&
			link.link_status == RTE_ETH_LINK_UP)
			return;
		usleep(10000);
	}
	pktgen_die("port %u: nobody is at the other end", port);
}

static void
clear_buffer(struct rte_mempool *pool, void *arg, void *object, unsigned i)
{
	struct rte_mbuf *m = object;

	(void)pool;
	(void)arg;
	(void)i;
	memset(m->buf_addr, 0, m->buf_len);
}

void
pktgen_ports_open(struct pktgen *g)
{
	const unsigned int n = g->conf.device[1] ? 2 : 1;
	struct rte_mempool *rx;

	start_dpdk(g);
	rx = rte_pktmbuf_pool_create("rx", BUFFERS, CACHE, 0,
		RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	g->tx_pool = rte_pktmbuf_pool_create("tx", BUFFERS, CACHE, 0,
		RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	g->other_pool = rte_pktmbuf_pool_create("other", BUFFERS, CACHE, 0,
		RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!rx || !g->tx_pool || !g->other_pool)
		pktgen_die(
			"buffers: %s: more --memory", rte_strerror(rte_errno));
	/* So that a packet's filling need not be written each time. */
	rte_mempool_obj_iter(g->tx_pool, clear_buffer, NULL);

	for (uint16_t port = 0; port < n; port++)
		open_port(port, rx);
	for (uint16_t port = 0; port < n; port++)
		wait_for_link(port);
	for (uint16_t side = 0; side < PKTGEN_SIDES; side++) {
		struct rte_ether_addr mac;

		g->port[side] = n == 2 ? side : 0;
		if (rte_eth_macaddr_get(g->port[side], &mac) != 0)
			pktgen_die("port %u has no MAC", g->port[side]);
		memcpy(g->mac[side], mac.addr_bytes, sizeof mac.addr_bytes);
	}
}

uint16_t
pktgen_port_send(
	struct pktgen *g, unsigned int side, struct rte_mbuf **m, uint16_t n)
{
	uint16_t taken;

	for (uint16_t i = 0; g->conf.vlan[side] > 0 && i < n; i++) {
		m[i]->vlan_tci = g->conf.vlan[side];
		if (rte_vlan_insert(&m[i]) != 0)
			pktgen_die("a frame has no room for a tag");
	}
	taken = rte_eth_tx_burst(g->port[side], 0, m, n);
	if (taken < n)
		rte_pktmbuf_free_bulk(&m[taken], n - taken);
	return taken;
}

void
pktgen_ports_close(struct pktgen *g)
{
	for (uint16_t port = 0; port < (g->conf.device[1] ? 2 : 1); port++) {
		rte_eth_dev_stop(port);
		rte_eth_dev_close(port);
	}
	rte_eal_cleanup();
}
