/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nic_kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* As the kernel cuts it: the name of the function in xdp_filter.bpf.c. */
#define OUR_PROGRAM "sallyport_xdp"

/* Ask for @request on @interface; what comes back is in @ifr. */
static bool
ask(const char *interface, unsigned long request, struct ifreq *ifr)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return false;
	snprintf(ifr->ifr_name, sizeof ifr->ifr_name, "%s", interface);
	err = ioctl(fd, request, ifr);
	close(fd);
	return err == 0;
}

/* Count queues of a driver that has no channels: "rx-0", "rx-1"... */
static unsigned
count_queues(const char *interface, const char *prefix)
{
	char path[64];
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof path, "/sys/class/net/%s/queues", interface);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) != NULL)
		n += strncmp(entry->d_name, prefix, 3) == 0;
	if (dir)
		closedir(dir);
	return n ? n : 1;
}

static void
read_queues(const char *interface, struct sp_nic_kernel *out)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq ifr = { .ifr_data = (char *)&channels };

	if (ask(interface, SIOCETHTOOL, &ifr)) {
		out->n_combined = channels.combined_count;
		out->n_rx = channels.combined_count + channels.rx_count;
		out->n_tx = channels.combined_count + channels.tx_count;
	} else {
		out->n_combined = 0;
		out->n_rx = count_queues(interface, "rx-");
		out->n_tx = count_queues(interface, "tx-");
	}
}

enum sp_status
sp_nic_kernel_read(
	const char *interface, struct sp_nic_kernel *out, char why[SP_EAL_WHY])
{
	struct ifreq ifr = { 0 };

	out->ifindex = if_nametoindex(interface);
	if (out->ifindex == 0) {
		snprintf(why, SP_EAL_WHY,
			"no interface %.32s here: \"ip link\" lists them",
			interface);
		return SP_NOT_FOUND;
	}
	if (!ask(interface, SIOCGIFMTU, &ifr)) {
		snprintf(why, SP_EAL_WHY, "%s tells no MTU: %m", interface);
		return SP_SYSTEM;
	}
	out->mtu = (unsigned)ifr.ifr_mtu;
	if (!ask(interface, SIOCGIFFLAGS, &ifr)) {
		snprintf(why, SP_EAL_WHY, "%s tells no flags: %m", interface);
		return SP_SYSTEM;
	}
	out->flags = (unsigned short)ifr.ifr_flags;
	if (!(out->flags & IFF_UP)) {
		snprintf(why, SP_EAL_WHY, "%s is down: ip link set dev %s up",
			interface, interface);
		return SP_CONFLICT;
	}
	read_queues(interface, out);
	return SP_OK;
}

enum sp_status
sp_nic_kernel_lock(const char *interface, int *lock, char why[SP_EAL_WHY])
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len;

	/* A NUL first makes the name abstract: no file, nothing to clean. */
	len = (socklen_t)snprintf(at.sun_path + 1, sizeof at.sun_path - 1,
		"sallyport.nic.%.32s", interface);
	len += (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1;
	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0) {
		*lock = fd;
		return SP_OK;
	}
	if (errno == EADDRINUSE) {
		snprintf(why, SP_EAL_WHY,
			"another sallyport has %.32s: stop it, or give each "
			"one an interface of its own",
			interface);
		close(fd);
		return SP_CONFLICT;
	}
	snprintf(why, SP_EAL_WHY, "%.32s can not be claimed: %m", interface);
	if (fd >= 0)
		close(fd);
	return SP_SYSTEM;
}

/* Does this process have capability @value now? */
static bool
has(cap_value_t value)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t set = CAP_CLEAR;

	if (!caps)
		return false;
	if (cap_get_flag(caps, value, CAP_EFFECTIVE, &set) != 0)
		set = CAP_CLEAR;
	cap_free(caps);
	return set == CAP_SET;
}

/* May this process pin @bytes of memory? */
static bool
may_lock(size_t bytes)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit limit;

	if (bytes == 0 || has(CAP_IPC_LOCK))
		return true;
	if (setrlimit(RLIMIT_MEMLOCK, &all) == 0)
		return true;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return false;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
	return limit.rlim_cur >= bytes;
}

enum sp_status
sp_nic_kernel_may(size_t locked, char why[SP_EAL_WHY])
{
	const char *missing = NULL;

	if (!has(CAP_NET_RAW))
		missing = "CAP_NET_RAW";
	else if (!has(CAP_NET_ADMIN))
		missing = "CAP_NET_ADMIN";
	else if (!has(CAP_BPF) && !has(CAP_SYS_ADMIN))
		missing = "CAP_BPF";
	if (missing) {
		snprintf(why, SP_EAL_WHY,
			"%s is missing: run as root or with "
			"AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN "
			"CAP_BPF CAP_IPC_LOCK",
			missing);
		return SP_FORBIDDEN;
	}
	if (!may_lock(locked)) {
		snprintf(why, SP_EAL_WHY,
			"%zu MiB of memory can not be locked: give "
			"CAP_IPC_LOCK or raise LimitMEMLOCK= (ulimit -l)",
			(locked >> 20) + 1);
		return SP_FORBIDDEN;
	}
	return SP_OK;
}

/* Read the name of program @id; false if this process may not ask. */
static bool
program_name(uint32_t id, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof info;
	const int fd = bpf_prog_get_fd_by_id(id);
	bool known;

	if (fd < 0)
		return false;
	known = bpf_obj_get_info_by_fd(fd, &info, &len) == 0;
	close(fd);
	memcpy(name, info.name, sizeof info.name);
	return known;
}

enum sp_status
sp_nic_kernel_clear_xdp(const char *interface, unsigned ifindex, bool replace,
	bool *replaced, char why[SP_EAL_WHY])
{
	char name[BPF_OBJ_NAME_LEN];
	uint32_t id = 0;

	*replaced = false;
	if (bpf_xdp_query_id((int)ifindex, 0, &id) != 0 || id == 0)
		return SP_OK;
	if (!program_name(id, name)) {
		snprintf(why, SP_EAL_WHY,
			"an XDP program is on %s, whose is for CAP_SYS_ADMIN "
			"to see: ip link set dev %s xdp off",
			interface, interface);
		return SP_CONFLICT;
	}
	if (strcmp(name, OUR_PROGRAM) != 0 || !replace) {
		snprintf(why, SP_EAL_WHY,
			"XDP program \"%s\" is on %s: take it off (ip link "
			"set dev %s xdp off) or set driver: af_packet",
			name, interface, interface);
		return SP_CONFLICT;
	}

	sp_nic_kernel_drop_xdp(ifindex);
	if (bpf_xdp_query_id((int)ifindex, 0, &id) == 0 && id != 0) {
		snprintf(why, SP_EAL_WHY,
			"XDP program \"%s\" does not come off %s: ip link set "
			"dev %s xdp off",
			name, interface, interface);
		return SP_SYSTEM;
	}
	*replaced = true;
	return SP_OK;
}

void
sp_nic_kernel_drop_xdp(unsigned ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	uint32_t flags = 0;

	if (bpf_xdp_query((int)ifindex, 0, &opts) != 0)
		return;
	if (opts.attach_mode == XDP_ATTACHED_SKB)
		flags = XDP_FLAGS_SKB_MODE;
	bpf_xdp_detach((int)ifindex, flags, NULL);
}

enum sp_status
sp_nic_kernel_strip_vlan(const char *interface, bool on, bool *was)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GFLAGS };
	struct ifreq ifr = { .ifr_data = (char *)&value };

	*was = false;
	if (!ask(interface, SIOCETHTOOL, &ifr))
		return SP_OK; /* a driver without offloads strips nothing */
	*was = (value.data & ETH_FLAG_RXVLAN) != 0;
	if (*was == on)
		return SP_OK;

	value.cmd = ETHTOOL_SFLAGS;
	value.data = on ? value.data | ETH_FLAG_RXVLAN
			: value.data & ~(uint32_t)ETH_FLAG_RXVLAN;
	return ask(interface, SIOCETHTOOL, &ifr) ? SP_OK : SP_UNSUPPORTED;
}

bool
sp_nic_kernel_is_veth(const char *interface)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { .ifr_data = (char *)&info };

	return ask(interface, SIOCETHTOOL, &ifr) &&
		strcmp(info.driver, "veth") == 0;
}

void
sp_nic_kernel_restore_flags(const char *interface, unsigned flags)
{
	struct ifreq ifr = { 0 };

	if (!ask(interface, SIOCGIFFLAGS, &ifr))
		return;
	if (((unsigned)ifr.ifr_flags ^ flags) & IFF_PROMISC) {
		ifr.ifr_flags = (short)(ifr.ifr_flags ^ IFF_PROMISC);
		ask(interface, SIOCSIFFLAGS, &ifr);
	}
}
