/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <syslog.h>
#include <unistd.h>

#include "dataplane/eal.h"
#include "dataplane/filter.h"
#include "dataplane/gauge.h"
#include "dataplane/internal.h"
#include "dataplane/nic_kernel.h"

#define PORTS 65536u
#define POOL_CACHE 256u
#define WORKER_MB 16u    /* rings, and packets on probation */
#define POOL_SPARE 4096u /* bursts, rings between workers, slow path */
#define MEMORY_SPARE_MB 48u
#define MBUF_BYTES (SP_NIC_DATA_ROOM + 256u)
#define MAX_DESTINATIONS 65000u
#define MAX_HOPS 65000u

enum sp_status
sp_dataplane_fault(struct sp_dataplane_error *error, enum sp_status status,
	int realm, const char *key, const char *fmt, ...)
{
	va_list args;

	*error = (struct sp_dataplane_error){ .realm = realm };
	snprintf(error->key, sizeof error->key, "%s", key);
	va_start(args, fmt);
	vsnprintf(error->text, sizeof error->text, fmt, args);
	va_end(args);
	return status;
}

static void
eal_says(void *arg, int priority, const char *line)
{
	const struct sp_dataplane *dp = arg;

	/* A warning at every start about an interface nobody has any more. */
	if (strstr(line, "No legacy callbacks"))
		return;
	if (dp->say && priority <= LOG_NOTICE)
		dp->say(dp->say_arg, priority <= LOG_WARNING, line);
}

/* Do two realms share a NIC? */
static bool
same_nic(const struct sp_realm_conf *a, const struct sp_realm_conf *b)
{
	return strcmp(a->interface, b->interface) == 0 &&
		strcmp(a->device, b->device) == 0;
}

/* Number NICs and locals; pure bookkeeping. */
static void
lay_out(struct sp_dataplane *dp, const struct sp_dataplane_conf *conf)
{
	dp->n_realms = conf->n_realms;
	for (unsigned int r = 0; r < conf->n_realms; r++) {
		const struct sp_realm_conf *realm = &conf->realms[r];
		unsigned int nic = dp->n_nics;

		dp->realm[r] = *realm;
		for (unsigned int before = 0; before < r; before++)
			if (same_nic(realm, &conf->realms[before]))
				nic = dp->nic_of_realm[before];
		if (nic == dp->n_nics)
			dp->n_nics++;
		dp->nic_of_realm[r] = (uint8_t)nic;

		dp->first_local[r] = dp->locals.count;
		for (unsigned int i = 0; i < realm->n_addrs; i++)
			dp->locals.local[dp->locals.count++] =
				(struct sp_local){
					.addr = realm->addr[i],
					.vlan = realm->vlan,
					.first_port = realm->first_port,
					.last_port = realm->last_port,
					.nic = (uint8_t)nic,
					.realm = (uint8_t)r,
					.dedicated = realm->device[0] != 0,
				};
	}
	sp_locals_index(&dp->locals);
}

static enum sp_status
open_slots(struct sp_dataplane *dp)
{
	for (unsigned int i = 0; i < dp->locals.count; i++) {
		void *slots = mmap(NULL, PORTS * sizeof(uint32_t),
			PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);

		if (slots == MAP_FAILED)
			return SP_NO_MEMORY;
		dp->locals.local[i].slot = slots;
	}
	return SP_OK;
}

/* How many queues the NIC of @realm may use; dedicated ones take what fits. */
static unsigned int
queues_of(const struct sp_dataplane *dp, const struct sp_realm_conf *realm)
{
	struct sp_nic_kernel kernel = { 0 };
	char why[SP_EAL_WHY];
	unsigned int n = dp->n_workers;

	if (realm->interface[0] != 0 &&
		sp_nic_kernel_read(realm->interface, &kernel, why) == SP_OK &&
		kernel.n_rx > n)
		n = kernel.n_rx;
	return n;
}

/* Buffers for all queues of all NICs, in the worst case. */
static unsigned int
count_mbufs(const struct sp_dataplane *dp)
{
	unsigned int queues = 0;

	for (unsigned int r = 0; r < dp->n_realms; r++) {
		unsigned int own = queues_of(dp, &dp->realm[r]);

		for (unsigned int before = 0; before < r; before++)
			if (same_nic(&dp->realm[r], &dp->realm[before]))
				own = 0;
		queues += own;
	}
	return queues * SP_NIC_QUEUE_MBUFS + POOL_SPARE +
		dp->n_workers * POOL_CACHE * 2;
}

/* What DPDK must have where it cannot grow: buffers, rings, the rest. */
static unsigned int
memory_mb(const struct sp_dataplane *dp)
{
	const uint64_t packets = (uint64_t)count_mbufs(dp) * MBUF_BYTES;

	return (unsigned int)(packets >> 20) + MEMORY_SPARE_MB +
		dp->n_workers * WORKER_MB;
}

static enum sp_status
open_eal(struct sp_dataplane *dp, const struct sp_dataplane_conf *conf,
	struct sp_dataplane_error *error)
{
	unsigned int cpus[SP_WORKERS_MAX] = { 0 };
	const char *pci[SP_REALMS_MAX];
	char why[SP_EAL_WHY];
	struct sp_eal_conf eal = {
		.name = "sallyport",
		.file_prefix = "sallyport",
		.hugepages = conf->hugepages,
		.memory_mb = conf->hugepages ? 0 : memory_mb(dp),
		.n_workers = conf->workers,
		.cpus = cpus,
		.n_cpus = conf->cpus ? conf->workers : 0,
		.pin = conf->cpus != NULL || conf->busy,
		.pci = pci,
		.log = eal_says,
		.log_arg = dp,
	};
	enum sp_status status;

	for (unsigned int i = 0; conf->cpus && i < conf->workers; i++)
		cpus[i] = conf->cpus[i];
	for (unsigned int r = 0; r < dp->n_realms; r++)
		if (strchr(dp->realm[r].device, ':') &&
			strncmp(dp->realm[r].device, "net_", 4) != 0)
			pci[eal.n_pci++] = dp->realm[r].device;

	status = sp_eal_open(&eal, why);
	if (status != SP_OK)
		return sp_dataplane_fault(error, status, -1,
			conf->hugepages ? "hugepages" : "workers", "%s", why);
	dp->eal = true;
	dp->tsc_start = rte_rdtsc();
	dp->tsc_hz = rte_get_tsc_hz();
	return SP_OK;
}

static enum sp_status
open_pools(struct sp_dataplane *dp, struct sp_dataplane_error *error)
{
	dp->pool = rte_pktmbuf_pool_create("packets", count_mbufs(dp),
		POOL_CACHE, 0, SP_NIC_DATA_ROOM, SOCKET_ID_ANY);
	if (!dp->pool)
		return sp_dataplane_fault(error, SP_NO_MEMORY, -1, "hugepages",
			"no memory for %u packet buffers (%s)", count_mbufs(dp),
			rte_strerror(rte_errno));
	return sp_stage_has_room(dp->pool)
		? SP_OK
		: sp_dataplane_fault(error, SP_UNSUPPORTED, -1, "srtp",
			  "packet buffers are too small for it");
}

/* Is any realm on @nic in a VLAN? */
static bool
has_vlan(const struct sp_dataplane *dp, unsigned int nic)
{
	for (unsigned int i = 0; i < dp->locals.count; i++)
		if (dp->locals.local[i].nic == nic &&
			dp->locals.local[i].vlan != 0)
			return true;
	return false;
}

static enum sp_status
open_nic(struct sp_dataplane *dp, unsigned int r,
	const struct sp_dataplane_conf *conf, struct sp_dataplane_error *error)
{
	static const enum sp_nic_driver drivers[] = {
		[SP_DRIVER_AUTO] = SP_NIC_AUTO,
		[SP_DRIVER_AF_XDP] = SP_NIC_AF_XDP,
		[SP_DRIVER_AF_PACKET] = SP_NIC_AF_PACKET,
	};
	const struct sp_realm_conf *realm = &dp->realm[r];
	const bool dedicated = realm->device[0] != 0;
	const unsigned int nic = dp->nic_of_realm[r];
	const struct sp_nic_conf nc = {
		.name = realm->name,
		.driver = dedicated ? SP_NIC_DEVICE : drivers[realm->driver],
		.interface = realm->interface,
		.vlan = has_vlan(dp, nic),
		.device = realm->device,
		.xdp_program = conf->xdp_program,
		.n_workers = conf->workers,
		.pool = dp->pool,
		.busy = conf->busy,
		.replace = true,
		.log = eal_says,
		.log_arg = dp,
	};
	char why[SP_EAL_WHY];
	enum sp_status status;

	if (dp->nic[nic])
		return SP_OK;
	status = sp_nic_open(&nc, &dp->nic[nic], why);
	if (status != SP_OK)
		return sp_dataplane_fault(error, status, (int)r,
			dedicated ? "device" : "interface", "%s", why);
	return SP_OK;
}

/* Which of the local addresses a realm's questions are asked from. */
static void
by_family(const struct sp_realm_conf *realm, struct sp_addr out[2])
{
	out[0] = out[1] = (struct sp_addr){ 0 };
	for (unsigned int i = realm->n_addrs; i > 0; i--)
		out[realm->addr[i - 1].family == SP_FAMILY_IP6] =
			realm->addr[i - 1];
}

static enum sp_status
open_ways(struct sp_dataplane *dp, unsigned int r,
	struct sp_dataplane_error *error)
{
	const struct sp_realm_conf *realm = &dp->realm[r];
	const struct sp_nic *nic = dp->nic[dp->nic_of_realm[r]];
	struct sp_station station = {
		.realm = (uint16_t)r,
		.vlan = realm->vlan,
		.n_addrs = realm->n_addrs,
		.transmit = sp_dataplane_transmit,
		.arg = dp,
	};
	struct sp_addr source[2];
	enum sp_status status;

	if (realm->device[0] == 0) {
		by_family(realm, source);
		status = sp_nexthop_add_shared(dp->nexthop, (uint16_t)r,
			sp_realm_ifindex(realm), realm->vlan, source, nic->mtu);
	} else {
		memcpy(station.mac, nic->mac, sizeof station.mac);
		memcpy(station.addr, realm->addr, sizeof station.addr);
		memcpy(station.prefix, realm->prefix, sizeof station.prefix);
		status = sp_nexthop_add_dedicated(
			dp->nexthop, &station, realm->gateway, nic->mtu);
		if (status == SP_OK)
			status = sp_slow_path_add(dp->slow, dp->nic_of_realm[r],
				sp_nexthop_neighbours(
					dp->nexthop, (uint16_t)r));
	}
	if (status != SP_OK)
		return sp_dataplane_fault(error, status, (int)r, "interface",
			"cannot find next hops there: %s",
			sp_status_text(status));
	return SP_OK;
}

static enum sp_status
open_filter(struct sp_dataplane *dp, struct sp_dataplane_error *error)
{
	struct sp_filter_entry entry[SP_LOCALS_MAX];
	char why[SP_EAL_WHY];

	for (unsigned int nic = 0; nic < dp->n_nics; nic++) {
		size_t n = 0;
		enum sp_status status;

		for (unsigned int i = 0; i < dp->locals.count; i++) {
			const struct sp_local *l = &dp->locals.local[i];

			if (l->nic != nic)
				continue;
			entry[n++] = (struct sp_filter_entry){
				.vlan = l->vlan,
				.first_port = l->first_port,
				.last_port = l->last_port,
				.addr = l->addr,
			};
		}
		status = sp_filter_set(dp->nic[nic], entry, n, why);
		if (status != SP_OK)
			return sp_dataplane_fault(error, status,
				dp->locals.local[0].realm, "addresses", "%s",
				why);
	}
	return SP_OK;
}

static void
found_socket(void *arg, const struct sp_addr *local, uint64_t inode)
{
	const struct sp_dataplane *dp = arg;
	char text[SP_ADDR_TEXT], line[SP_WHY];

	snprintf(line, sizeof line,
		"a UDP socket of another program is bound to %s, in the "
		"relay's ports (socket inode %llu): it will hear nothing",
		sp_addr_print(local, text), (unsigned long long)inode);
	if (dp->say)
		dp->say(dp->say_arg, true, line);
}

/* Keep the kernel's ephemeral ports out of ours; go on without, if need be. */
static void
open_reserve(struct sp_dataplane *dp)
{
	struct sp_reserve_range range[SP_REALMS_MAX];
	char why[SP_EAL_WHY];
	size_t n = 0;

	for (unsigned int r = 0; r < dp->n_realms; r++)
		if (dp->realm[r].device[0] == 0)
			range[n++] = (struct sp_reserve_range){
				.first = dp->realm[r].first_port,
				.last = dp->realm[r].last_port,
			};
	if (n == 0)
		return;
	sp_reserve_sockets(range, n, found_socket, dp);
	if (sp_reserve_open(range, n, &dp->reserve, why) != SP_OK && dp->say)
		dp->say(dp->say_arg, true, why);
}

static enum sp_status
open_fds(struct sp_dataplane *dp)
{
	const int fds[] = { dp->bell, dp->timer, sp_nexthop_fd(dp->nexthop) };

	sp_dataplane_tick(dp, SP_TICK_MS);
	for (unsigned int i = 0; i < sizeof fds / sizeof *fds; i++) {
		struct epoll_event event = { .events = EPOLLIN,
			.data.fd = fds[i] };

		if (fds[i] >= 0 &&
			epoll_ctl(dp->epoll, EPOLL_CTL_ADD, fds[i], &event) < 0)
			return SP_SYSTEM;
	}
	return SP_OK;
}

static enum sp_status
open_all(struct sp_dataplane *dp, const struct sp_dataplane_conf *conf,
	struct sp_dataplane_error *error)
{
	const struct sp_nexthop_conf nexthop = {
		.max_destinations = MAX_DESTINATIONS,
		.max_hops = MAX_HOPS,
		.arg = dp,
		.on_change = sp_ways_on_change,
		.on_move = sp_ways_on_move,
	};
	enum sp_status status;

	dp->epoll = epoll_create1(EPOLL_CLOEXEC);
	dp->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	dp->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	dp->l2 = calloc(MAX_HOPS + 1, sizeof *dp->l2);
	if (dp->epoll < 0 || dp->bell < 0 || dp->timer < 0 || !dp->l2 ||
		open_slots(dp) != SP_OK ||
		sp_nexthop_open(&nexthop, &dp->nexthop) != SP_OK ||
		sp_slow_path_open(&dp->slow) != SP_OK)
		return sp_dataplane_fault(error, SP_NO_MEMORY, -1, "",
			"out of memory or file descriptors at start");

	open_reserve(dp);
	status = open_eal(dp, conf, error);
	if (status == SP_OK)
		status = open_pools(dp, error);
	if (status == SP_OK)
		status = sp_gauge_open(dp, conf->srtp, error);
	for (unsigned int r = 0; status == SP_OK && r < dp->n_realms; r++)
		status = open_nic(dp, r, conf, error);
	if (status == SP_OK)
		status = sp_crew_open(dp, conf, error);
	for (unsigned int r = 0; status == SP_OK && r < dp->n_realms; r++)
		status = open_ways(dp, r, error);
	if (status == SP_OK)
		status = open_filter(dp, error);
	if (status == SP_OK && open_fds(dp) != SP_OK)
		status = sp_dataplane_fault(
			error, SP_SYSTEM, -1, "", "epoll: %s", strerror(errno));
	if (status == SP_OK)
		status = sp_crew_launch(dp, error);
	return status;
}

enum sp_status
sp_dataplane_open(const struct sp_dataplane_conf *conf,
	struct sp_dataplane **out, struct sp_dataplane_error *error)
{
	enum sp_status status = sp_dataplane_check(conf, error);
	struct sp_dataplane *dp;

	if (status != SP_OK)
		return status;
	dp = calloc(1, sizeof *dp);
	if (!dp)
		return sp_dataplane_fault(
			error, SP_NO_MEMORY, -1, "", "out of memory");
	dp->epoll = dp->bell = dp->timer = -1;
	dp->say = conf->say;
	dp->say_arg = conf->say_arg;
	dp->n_workers = conf->workers;
	dp->max_flows = conf->max_flows;
	lay_out(dp, conf);
	status = open_all(dp, conf, error);
	if (status != SP_OK) {
		sp_dataplane_close(dp);
		return status;
	}
	*out = dp;
	return SP_OK;
}

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void
sp_dataplane_close(struct sp_dataplane *dp)
{
	if (!dp)
		return;
	sp_crew_stop(dp);
	for (unsigned int i = 0; i < dp->n_nics; i++)
		sp_nic_close(dp->nic[i]);
	sp_crew_close(dp);
	sp_slow_path_close(dp->slow);
	sp_nexthop_close(dp->nexthop);
	sp_reserve_close(dp->reserve);
	for (unsigned int i = 0; i < dp->locals.count; i++)
		if (dp->locals.local[i].slot)
			munmap(dp->locals.local[i].slot,
				PORTS * sizeof(uint32_t));
	rte_mempool_free(dp->pool);
	if (dp->eal)
		sp_eal_close();
	close_fd(dp->epoll);
	close_fd(dp->bell);
	close_fd(dp->timer);
	free(dp->l2);
	free(dp);
}
