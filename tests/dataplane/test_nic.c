/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_thash.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/nic.h"
#include "dataplane/nic_kernel.h"
#include "dataplane/nic_steer.h"
#include "relay/port_pool.h"
#include "tests/dataplane/netns.h"

/* Which worker of how many owns a port. */
struct owner_case {
	uint16_t port;
	unsigned workers;
	unsigned want;
};

ParameterizedTestParameters(nic, deals_ports_out_in_blocks_of_64)
{
	static struct owner_case cases[] = {
		{ 0, 1, 0 },
		{ 65535, 1, 0 },
		{ 63, 2, 0 },
		{ 64, 2, 1 },
		{ 127, 2, 1 },
		{ 128, 2, 0 },
		{ 128, 3, 2 },
		{ 192, 3, 0 }, /* the fourth block of a power of two */
		{ 256, 3, 0 },
		{ 320, 3, 1 },
		{ 65535, 4, 3 },
	};

	return cr_make_param_array(
		struct owner_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct owner_case *c, nic, deals_ports_out_in_blocks_of_64)
{
	cr_expect(eq(uint, sp_port_owner(c->port, c->workers), c->want),
		"port %u of %u workers", c->port, c->workers);
}

Test(nic, gives_rtp_and_its_rtcp_to_one_worker)
{
	for (unsigned workers = 1; workers <= 16; workers++)
		for (unsigned port = 0; port < 65536; port += 2)
			cr_assert(eq(uint,
				sp_port_owner((uint16_t)port, workers),
				sp_port_owner((uint16_t)(port + 1), workers)));
}

Test(nic, leaves_no_worker_without_ports)
{
	for (unsigned workers = 1; workers <= 16; workers++) {
		unsigned ports[16] = { 0 };

		for (unsigned p = 30000; p < 40000; p++)
			ports[sp_port_owner((uint16_t)p, workers)]++;
		for (unsigned w = 0; w < workers; w++)
			cr_expect(gt(uint, ports[w], 0));
	}
}

/* The NIC's table and workers; what a NIC's hash does is in rte_thash.h. */
struct steer_case {
	unsigned reta_bits;
	unsigned workers;
};

ParameterizedTestParameters(nic, steers_ip4_by_the_hash_to_the_owner)
{
	static struct steer_case cases[] = {
		{ 7, 2 }, /* 128 entries */
		{ 7, 3 },
		{ 7, 8 },
		{ 9, 5 }, /* 512 entries */
		{ 6, 4 },
		{ 2, 4 },
	};

	return cr_make_param_array(
		struct steer_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct steer_case *c, nic, steers_ip4_by_the_hash_to_the_owner)
{
	uint8_t key[40];
	uint32_t tuple[] = { 0xc0a80105, 0xcb00710a, 0 };

	sp_nic_steer_key(key, sizeof key, c->reta_bits);
	for (unsigned port = 0; port < 65536; port++) {
		uint32_t hash;

		/* Source address and port are no part of the decision. */
		tuple[0] = tuple[0] * 1664525 + 1013904223;
		tuple[2] = tuple[0] << 16 | port;
		hash = rte_softrss(tuple, 3, key);
		cr_assert(eq(uint,
			sp_nic_steer_entry(hash & ((1u << c->reta_bits) - 1),
				c->reta_bits, c->workers),
			sp_port_owner((uint16_t)port, c->workers)));
	}
}

Test(nic, says_that_there_is_no_such_interface)
{
	const struct sp_nic_conf conf = {
		.name = "public",
		.interface = "sp-none",
		.xdp_program = "",
		.n_workers = 1,
	};
	struct sp_nic *nic = NULL;
	char why[SP_EAL_WHY] = "";

	cr_expect(eq(int, sp_nic_open(&conf, &nic, why), SP_NOT_FOUND));
	cr_expect(strstr(why, "sp-none") != NULL, "%s", why);
	cr_expect(eq(ptr, nic, NULL));
}

Test(nic, reads_an_interface)
{
	struct sp_nic_kernel kernel;
	char why[SP_EAL_WHY] = "";

	netns_enter();
	netns_run("ip link add va numrxqueues 3 numtxqueues 2 mtu 1400 type "
		  "veth peer name vb && ip link set va up");
	cr_assert(eq(int, sp_nic_kernel_read("va", &kernel, why), SP_OK));
	cr_expect(eq(uint, kernel.mtu, 1400));
	cr_expect(eq(uint, kernel.n_rx, 3));
	cr_expect(eq(uint, kernel.n_tx, 2));
	cr_expect(eq(uint, kernel.n_combined, 0));
	cr_expect(ne(uint, kernel.ifindex, 0));
	cr_expect(sp_nic_kernel_is_veth("va"));
	cr_expect(not(sp_nic_kernel_is_veth("lo")));
	cr_expect(eq(int, sp_nic_kernel_read("vb", &kernel, why), SP_CONFLICT));
	cr_expect(strstr(why, "ip link set dev vb up") != NULL, "%s", why);
}

Test(nic, lets_one_process_have_an_interface)
{
	char why[SP_EAL_WHY] = "";
	int one, two;

	netns_enter();
	cr_assert(eq(int, sp_nic_kernel_lock("va", &one, why), SP_OK));
	cr_expect(eq(int, sp_nic_kernel_lock("vb", &two, why), SP_OK));
	cr_expect(eq(int, sp_nic_kernel_lock("va", &two, why), SP_CONFLICT));
	close(one);
	cr_expect(eq(int, sp_nic_kernel_lock("va", &two, why), SP_OK));
}

Test(nic, switches_vlan_stripping_and_says_what_was)
{
	bool was;

	netns_enter();
	netns_run("ip link add va type veth peer name vb");
	cr_assert(eq(int, sp_nic_kernel_strip_vlan("va", false, &was), SP_OK));
	cr_expect(was);
	cr_assert(eq(int, sp_nic_kernel_strip_vlan("va", true, &was), SP_OK));
	cr_expect(not(was));
	cr_assert(eq(int, sp_nic_kernel_strip_vlan("va", true, &was), SP_OK));
	cr_expect(was);
}

Test(nic, opens_a_device_and_carries_a_packet)
{
	const struct sp_eal_conf eal = { .memory_mb = 64, .n_workers = 1 };
	struct sp_nic_conf conf = {
		.name = "core",
		.driver = SP_NIC_DEVICE,
		.device = "net_ring0",
		.n_workers = 1,
	};
	struct sp_nic *nic = NULL;
	struct rte_mbuf *sent, *got = NULL;
	char why[SP_EAL_WHY] = "";

	cr_assert(eq(int, sp_eal_open(&eal, why), SP_OK), "%s", why);
	conf.pool = rte_pktmbuf_pool_create(
		"pool", 4095, 0, 0, SP_NIC_DATA_ROOM, 0);
	cr_assert(ne(ptr, conf.pool, NULL));
	cr_assert(eq(int, sp_nic_open(&conf, &nic, why), SP_OK), "%s", why);
	cr_expect(eq(int, nic->driver, SP_NIC_DEVICE));
	cr_expect(eq(int, nic->steering, SP_NIC_HANDOVER));
	cr_expect(eq(uint, nic->ifindex, 0));
	cr_assert(eq(uint, nic->n_rx, 1));
	cr_assert(eq(uint, nic->n_tx, 1));

	sent = rte_pktmbuf_alloc(conf.pool);
	rte_pktmbuf_append(sent, 60);
	cr_assert(eq(uint,
		rte_eth_tx_burst(nic->tx[0].port, nic->tx[0].queue, &sent, 1),
		1));
	cr_assert(eq(uint,
		rte_eth_rx_burst(nic->rx[0].port, nic->rx[0].queue, &got, 1),
		1));
	cr_expect(eq(ptr, got, sent));
	rte_pktmbuf_free(got);

	sp_nic_close(nic);
	cr_expect(eq(uint, rte_eth_dev_count_avail(), 0));
	conf.device = "net_nosuch0,mode=1";
	cr_expect(eq(int, sp_nic_open(&conf, &nic, why), SP_NOT_FOUND));
	cr_expect(strstr(why, "net_nosuch0") != NULL, "%s", why);
	rte_mempool_free(conf.pool);
	sp_eal_close();
}
