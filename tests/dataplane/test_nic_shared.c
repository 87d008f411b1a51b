/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <limits.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "dataplane/filter.h"
#include "dataplane/nic.h"
#include "tests/dataplane/filter_path.h"
#include "tests/dataplane/netns.h"

/*
 * A shared NIC on one end of a veth, in a namespace of the test's own. The
 * other end sends frames made by hand.
 */

#define PORTS 30000
#define FRAME 60
#define QUIET_MS 100     /* nothing came in that time: nothing comes */
#define PATIENCE_MS 5000 /* for what must come */

/* The last warning that was logged. */
static char warning[400];

static void
hear(void *arg, int priority, const char *line)
{
	(void)arg;
	if (priority == LOG_WARNING)
		snprintf(warning, sizeof warning, "%s", line);
}

static void
make_veth(unsigned rx, unsigned tx, unsigned peer_tx)
{
	netns_enter();
	netns_run("ip link add va numrxqueues %u numtxqueues %u type veth "
		  "peer name vb numrxqueues 4 numtxqueues %u && "
		  "ip addr add 10.0.0.1/24 dev va && "
		  "ip link set va up && ip link set vb up",
		rx, tx, peer_tx);
}

/* Open va for @workers; DPDK starts with it, once in the process. */
static enum sp_status
open_va(enum sp_nic_driver driver, unsigned workers, struct sp_nic **nic,
	char why[SP_EAL_WHY])
{
	const struct sp_eal_conf eal = {
		.memory_mb = 160,
		.n_workers = workers,
		.log = hear,
	};
	struct sp_nic_conf conf = {
		.name = "public",
		.driver = driver,
		.interface = "va",
		.xdp_program = filter_path(),
		.n_workers = workers,
		.replace = true,
		.log = hear,
	};

	cr_assert(eq(int, sp_eal_open(&eal, why), SP_OK), "%s", why);
	conf.pool = rte_pktmbuf_pool_create(
		"pool", 4 * SP_NIC_QUEUE_MBUFS, 0, 0, SP_NIC_DATA_ROOM, 0);
	cr_assert(ne(ptr, conf.pool, NULL));
	return sp_nic_open(&conf, nic, why);
}

/* Have the relay take 10.0.0.1's ports 30000 to 30099, untagged or tagged. */
static void
take_ports(struct sp_nic *nic, uint16_t vlan)
{
	const uint8_t ip[4] = { 10, 0, 0, 1 };
	const struct sp_filter_entry e = {
		.vlan = vlan,
		.first_port = PORTS,
		.last_port = PORTS + 99,
		.addr = sp_addr_ip4(ip, 0),
	};
	char why[SP_EAL_WHY] = "";

	cr_assert(eq(int, sp_filter_set(nic, &e, 1, why), SP_OK), "%s", why);
}

/* Send one UDP frame to @port out of vb, by a queue of the CPU's choice. */
static void
send_frame(unsigned port, unsigned vlan)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex("vb"),
	};
	uint8_t frame[FRAME] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0,
		0, 2, 0x81, 0x00, (uint8_t)(vlan >> 8), (uint8_t)vlan };
	uint8_t *ip = frame + (vlan ? 16 : 12);
	const uint8_t ip_udp[] = { 0x08, 0x00, 0x45, 0, 0, 32, 0, 0, 0, 0, 64,
		17, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1, 0x13, 0x8c,
		(uint8_t)(port >> 8), (uint8_t)port, 0, 12, 0, 0 };
	const int fd = socket(AF_PACKET, SOCK_RAW, 0);

	memcpy(ip, ip_udp, sizeof ip_udp);
	cr_assert(eq(int,
		(int)sendto(fd, frame, sizeof frame, 0, (struct sockaddr *)&to,
			sizeof to),
		FRAME));
	close(fd);
}

/* Count what comes until @want did; with none wanted, for a while. */
static unsigned
receive(const struct sp_nic *nic, unsigned want)
{
	const unsigned enough = want ? want : UINT_MAX;
	const int patience = want ? PATIENCE_MS : QUIET_MS;
	unsigned got = 0;

	for (int ms = 0; ms < patience && got < enough; ms++) {
		for (uint16_t q = 0; q < nic->n_rx; q++) {
			struct rte_mbuf *m[32];
			const uint16_t n = rte_eth_rx_burst(
				nic->rx[q].port, nic->rx[q].queue, m, 32);

			rte_pktmbuf_free_bulk(m, n);
			got += n;
		}
		usleep(1000);
	}
	return got;
}

static uint32_t
program_on_va(void)
{
	uint32_t id = 0;

	bpf_xdp_query_id((int)if_nametoindex("va"), 0, &id);
	return id;
}

struct driver_case {
	int driver;
	unsigned rx;
	unsigned tx;
	unsigned workers;
	unsigned want_rx;
	unsigned want_tx;
};

ParameterizedTestParameters(nic_shared, takes_its_ports_from_all_queues)
{
	static struct driver_case cases[] = {
		{ SP_NIC_AF_XDP, 1, 1, 1, 1, 1 },
		{ SP_NIC_AF_XDP, 4, 2, 2, 4, 2 },
		{ SP_NIC_AF_PACKET, 1, 1, 1, 1, 1 },
		{ SP_NIC_AF_PACKET, 4, 4, 2, 2, 2 },
	};

	return cr_make_param_array(
		struct driver_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(
	struct driver_case *c, nic_shared, takes_its_ports_from_all_queues)
{
	struct sp_nic *nic = NULL;
	char why[SP_EAL_WHY] = "";

	make_veth(c->rx, c->tx, c->rx);
	cr_assert(eq(int,
			  open_va((enum sp_nic_driver)c->driver, c->workers,
				  &nic, why),
			  SP_OK),
		"%s", why);
	cr_expect(eq(int, nic->driver, c->driver));
	cr_expect(eq(uint, nic->n_rx, c->want_rx));
	cr_expect(eq(uint, nic->n_tx, c->want_tx));
	cr_expect(eq(uint, nic->mtu, 1500));

	send_frame(PORTS, 0);
	cr_expect(eq(uint, receive(nic, 0), 0), "nothing is the relay's yet");
	take_ports(nic, 0);
	/* A new socket a frame: the kernel chooses among vb's queues. */
	for (unsigned i = 0; i < 100; i++)
		send_frame(PORTS + i, 0);
	cr_expect(eq(uint, receive(nic, 100), 100));
	send_frame(PORTS + 100, 0);
	send_frame(PORTS, 7);
	cr_expect(eq(uint, receive(nic, 0), 0), "not the relay's");
	take_ports(nic, 7);
	send_frame(PORTS, 7);
	cr_expect(eq(uint, receive(nic, 1), 1), "tagged");
	send_frame(PORTS, 0);
	cr_expect(eq(uint, receive(nic, 0), 0), "no longer untagged");
	sp_nic_close(nic);
	sp_eal_close();
	cr_expect(eq(uint, program_on_va(), 0));
}

Test(nic_shared, leaves_the_interface_as_it_was)
{
	struct sp_nic *nic = NULL;
	char why[SP_EAL_WHY] = "";

	make_veth(1, 1, 1);
	netns_run("ip link set va promisc on");
	cr_assert(eq(int, open_va(SP_NIC_AF_XDP, 1, &nic, why), SP_OK), "%s",
		why);
	cr_expect(ne(uint, program_on_va(), 0));
	netns_run("ip link show va | grep -q PROMISC");
	netns_run("ethtool -k va | grep -q 'rx-vlan-offload: off'");
	sp_nic_close(nic);
	cr_expect(eq(uint, program_on_va(), 0));
	netns_run("ip link show va | grep -q PROMISC");
	netns_run("ethtool -k va | grep -q 'rx-vlan-offload: on'");
}

Test(nic_shared, falls_back_to_af_packet_and_says_why)
{
	struct sp_nic *nic = NULL;
	char why[SP_EAL_WHY] = "";

	/* The kernel has no XDP where the peer may send on more queues. */
	make_veth(1, 1, 2);
	cr_assert(
		eq(int, open_va(SP_NIC_AUTO, 1, &nic, why), SP_OK), "%s", why);
	cr_expect(eq(int, nic->driver, SP_NIC_AF_PACKET));
	cr_expect(strstr(warning, "af_packet") != NULL, "%s", warning);
	cr_expect(strstr(warning, "rx queues") != NULL, "%s", warning);
	take_ports(nic, 0);
	send_frame(PORTS, 0);
	cr_expect(eq(uint, receive(nic, 1), 1));
	sp_nic_close(nic);
}

Test(nic_shared, does_not_fall_back_unasked)
{
	struct sp_nic *nic = NULL;
	char why[SP_EAL_WHY] = "";

	make_veth(1, 1, 2);
	cr_expect(eq(int, open_va(SP_NIC_AF_XDP, 1, &nic, why), SP_SYSTEM));
	cr_expect(strstr(why, "rx queues") != NULL, "%s", why);
	cr_expect(eq(ptr, nic, NULL));
	cr_expect(eq(uint, rte_eth_dev_count_avail(), 0));
	netns_run("ethtool -k va | grep -q 'rx-vlan-offload: on'");
}

Test(nic_shared, replaces_the_program_of_a_killed_run)
{
	struct sp_nic *nic = NULL;
	char why[SP_EAL_WHY] = "";
	uint32_t left;
	pid_t pid;

	make_veth(1, 1, 1);
	pid = fork();
	if (pid == 0) {
		if (open_va(SP_NIC_AF_XDP, 1, &nic, why) == SP_OK)
			raise(SIGKILL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	left = program_on_va();
	cr_assert(ne(uint, left, 0));

	cr_assert(eq(int, open_va(SP_NIC_AF_XDP, 1, &nic, why), SP_OK), "%s",
		why);
	cr_expect(ne(uint, program_on_va(), left));
	take_ports(nic, 0);
	send_frame(PORTS, 0);
	cr_expect(eq(uint, receive(nic, 1), 1));
	sp_nic_close(nic);
}

Test(nic_shared, respects_the_program_of_somebody_else)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	const struct bpf_insn pass[] = {
		{ .code = 0xb7, .dst_reg = 0, .imm = XDP_PASS },
		{ .code = 0x95 },
	};
	struct sp_nic *nic = NULL;
	char why[SP_EAL_WHY] = "";
	uint32_t theirs;
	int fd;

	make_veth(1, 1, 1);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "theirs", "GPL", pass, 2, &opts);
	cr_assert(ge(int, fd, 0));
	cr_assert(eq(int,
		bpf_xdp_attach((int)if_nametoindex("va"), fd, 0, NULL), 0));
	theirs = program_on_va();

	cr_expect(eq(int, open_va(SP_NIC_AF_XDP, 1, &nic, why), SP_CONFLICT));
	cr_expect(strstr(why, "\"theirs\"") != NULL, "%s", why);
	cr_expect(eq(uint, program_on_va(), theirs));
}
