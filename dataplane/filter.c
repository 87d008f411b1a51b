/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/filter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/nic.h"
#include "dataplane/xdp_filter.h"

_Static_assert(SP_FILTER_RANGES_MAX == SP_XDP_RANGES_MAX,
	"filter.h promises what the map can hold");

/* Where our tc filter sits, so that it replaces one of a killed run. */
#define TC_HANDLE 1
#define TC_PRIORITY 0x5350

/* What open must undo. A descriptor of -1 is none. */
struct sp_filter {
	int ranges;              /* map sp_ranges */
	int sockets;             /* map xsks_map, AF_XDP only */
	struct bpf_object *file; /* AF_PACKET only */
	bool hooked;             /* clsact was made by us */
	struct bpf_tc_hook hook;
};

/* Calls @found for each descriptor of this process until it answers true. */
static bool
each_fd(bool (*found)(void *arg, int fd), void *arg)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	bool done = false;

	if (!dir)
		return false;
	while (!done && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			done = found(arg, atoi(entry->d_name));
	closedir(dir);
	return done;
}

/* Is @fd an object of BPF of this kind ("bpf-map", "bpf-prog")? */
static bool
is_bpf(int fd, const char *kind)
{
	char path[32], target[64];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof target - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strncmp(target, "anon_inode:", 11) == 0 &&
		strcmp(target + 11, kind) == 0;
}

/* A program that is looked for, and its maps when it was found. */
struct wanted {
	uint32_t program;
	uint32_t map[8];
	uint32_t n_maps;
	struct sp_filter *filter;
};

static bool
program_found(void *arg, int fd)
{
	struct wanted *w = arg;
	struct bpf_prog_info info = {
		.nr_map_ids = sizeof w->map / sizeof *w->map,
		.map_ids = (uintptr_t)w->map,
	};
	uint32_t len = sizeof info;

	if (!is_bpf(fd, "bpf-prog") ||
		bpf_obj_get_info_by_fd(fd, &info, &len) != 0 ||
		info.id != w->program)
		return false;
	w->n_maps = info.nr_map_ids;
	return true;
}

static bool
map_found(void *arg, int fd)
{
	struct wanted *w = arg;
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof info;
	bool its = false;
	int *slot;

	if (!is_bpf(fd, "bpf-map") ||
		bpf_obj_get_info_by_fd(fd, &info, &len) != 0)
		return false;
	for (uint32_t i = 0; i < w->n_maps; i++)
		its |= w->map[i] == info.id;
	if (!its)
		return false;

	slot = strcmp(info.name, "sp_ranges") == 0   ? &w->filter->ranges
		: strcmp(info.name, "xsks_map") == 0 ? &w->filter->sockets
						     : NULL;
	if (slot && *slot < 0)
		*slot = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return w->filter->ranges >= 0 && w->filter->sockets >= 0;
}

static struct sp_filter *
filter_new(void)
{
	struct sp_filter *filter = calloc(1, sizeof *filter);

	if (filter) {
		filter->ranges = -1;
		filter->sockets = -1;
	}
	return filter;
}

enum sp_status
sp_filter_adopt(unsigned ifindex, struct sp_filter **out, char why[SP_EAL_WHY])
{
	struct wanted w = { .filter = filter_new() };

	if (!w.filter) {
		snprintf(why, SP_EAL_WHY, "out of memory");
		return SP_NO_MEMORY;
	}
	if (bpf_xdp_query_id((int)ifindex, 0, &w.program) != 0 ||
		w.program == 0 || !each_fd(program_found, &w) ||
		!each_fd(map_found, &w)) {
		snprintf(why, SP_EAL_WHY,
			"the XDP program on the interface has no map "
			"sp_ranges: is it sallyport's xdp_filter.bpf.o?");
		sp_filter_close(w.filter);
		return SP_NOT_FOUND;
	}
	*out = w.filter;
	return SP_OK;
}

static bool
is_socket(int fd, int wanted)
{
	int domain = 0;
	socklen_t len = sizeof domain;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
		domain == wanted;
}

static bool
is_xdp_socket(int fd)
{
	return fd < SP_FILTER_FDS && is_socket(fd, AF_XDP);
}

static bool
know_fd(void *arg, int fd)
{
	struct sp_filter_known *known = arg;

	if (is_xdp_socket(fd))
		known->is[fd] = 1;
	return false;
}

void
sp_filter_know(struct sp_filter_known *known)
{
	memset(known, 0, sizeof *known);
	each_fd(know_fd, known);
}

/* A search for the XDP socket that is new. */
struct newcomer {
	const struct sp_filter_known *known;
	int fd;
};

static bool
newcomer_found(void *arg, int fd)
{
	struct newcomer *c = arg;

	if (!is_xdp_socket(fd) || c->known->is[fd])
		return false;
	c->fd = fd;
	return true;
}

int
sp_filter_new_socket(const struct sp_filter_known *known)
{
	struct newcomer c = { .known = known, .fd = -1 };

	each_fd(newcomer_found, &c);
	return c.fd;
}

struct listed {
	int *fd;
	unsigned int n;
	unsigned int max;
};

static bool
list_fd(void *arg, int fd)
{
	struct listed *l = arg;

	if (!is_socket(fd, AF_XDP) && !is_socket(fd, AF_PACKET))
		return false;
	if (l->n < l->max)
		l->fd[l->n] = fd;
	l->n++;
	return false;
}

unsigned int
sp_filter_sockets(int *fd, unsigned int max)
{
	struct listed l = { .fd = fd, .max = max };

	each_fd(list_fd, &l);
	return l.n;
}

enum sp_status
sp_filter_socket(struct sp_filter *filter, uint32_t queue, int fd)
{
	return bpf_map_update_elem(filter->sockets, &queue, &fd, BPF_ANY) == 0
		? SP_OK
		: SP_SYSTEM;
}

/* What to show packet sockets. */
struct tapped {
	unsigned ifindex;
	int program;
	bool failed;
};

/* Let a packet socket on our interface see only what is the relay's. */
static bool
socket_found(void *arg, int fd)
{
	struct tapped *t = arg;
	struct sockaddr_ll at = { 0 };
	socklen_t len = sizeof at;

	if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
		at.sll_family != AF_PACKET || at.sll_ifindex != (int)t->ifindex)
		return false;
	t->failed |= setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &t->program,
			     sizeof t->program) != 0;
	return false;
}

/* Hook the classifier in; say in @why what did not go. */
static enum sp_status
hook_tc(struct sp_filter *filter, unsigned ifindex, char why[SP_EAL_WHY])
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(filter->file, "sallyport_tc");
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(program),
		.handle = TC_HANDLE, .priority = TC_PRIORITY,
		.flags = BPF_TC_F_REPLACE);
	libbpf_print_fn_t print;
	int err;

	filter->hook = (struct bpf_tc_hook){
		.sz = sizeof filter->hook,
		.ifindex = (int)ifindex,
		.attach_point = BPF_TC_INGRESS,
	};
	/* That clsact is there already is no news. */
	print = libbpf_set_print(NULL);
	err = bpf_tc_hook_create(&filter->hook);
	libbpf_set_print(print);
	if (err == 0 || err == -EEXIST) {
		filter->hooked = err == 0;
		err = bpf_tc_attach(&filter->hook, &opts);
	}
	if (err == 0)
		return SP_OK;

	filter->hook.ifindex = 0; /* nothing of ours to take away */
	snprintf(why, SP_EAL_WHY,
		"tc refuses the filter (%s): CAP_NET_ADMIN and the kernel "
		"modules sch_ingress, cls_bpf are needed",
		strerror(-err));
	return err == -EPERM ? SP_FORBIDDEN : SP_SYSTEM;
}

static enum sp_status
load_file(struct sp_filter *filter, const char *path, char why[SP_EAL_WHY])
{
	struct bpf_program *xdp;
	int err;

	filter->file = bpf_object__open_file(path, NULL);
	if (!filter->file) {
		snprintf(why, SP_EAL_WHY, "%.90s: can not be read as BPF: %s",
			path, strerror(errno));
		return SP_NOT_FOUND;
	}
	/* Not used here, so a kernel without XDP need not know it. */
	xdp = bpf_object__find_program_by_name(filter->file, "sallyport_xdp");
	bpf_program__set_autoload(xdp, false);
	bpf_map__set_autocreate(
		bpf_object__find_map_by_name(filter->file, "xsks_map"), false);

	err = bpf_object__load(filter->file);
	if (err != 0) {
		snprintf(why, SP_EAL_WHY,
			"the kernel refuses the filter (%s): CAP_BPF and "
			"CAP_NET_ADMIN are needed",
			strerror(-err));
		return err == -EPERM ? SP_FORBIDDEN : SP_SYSTEM;
	}
	filter->ranges = fcntl(
		bpf_object__find_map_fd_by_name(filter->file, "sp_ranges"),
		F_DUPFD_CLOEXEC, 0);
	return filter->ranges >= 0 ? SP_OK : SP_SYSTEM;
}

enum sp_status
sp_filter_attach(unsigned ifindex, const char *path, struct sp_filter **out,
	char why[SP_EAL_WHY])
{
	struct sp_filter *filter = filter_new();
	struct tapped tapped = { .ifindex = ifindex };
	enum sp_status status;

	snprintf(why, SP_EAL_WHY, "out of memory");
	if (!filter)
		return SP_NO_MEMORY;
	status = load_file(filter, path, why);
	if (status == SP_OK)
		status = hook_tc(filter, ifindex, why);
	if (status == SP_OK) {
		tapped.program =
			bpf_program__fd(bpf_object__find_program_by_name(
				filter->file, "sallyport_sock"));
		each_fd(socket_found, &tapped);
		if (tapped.failed) {
			snprintf(why, SP_EAL_WHY,
				"packet sockets refuse the filter: %m");
			status = SP_SYSTEM;
		}
	}
	if (status != SP_OK) {
		sp_filter_close(filter);
		return status;
	}
	*out = filter;
	return SP_OK;
}

void
sp_filter_close(struct sp_filter *filter)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE,
		.priority = TC_PRIORITY);

	if (!filter)
		return;
	if (filter->hook.ifindex) {
		bpf_tc_detach(&filter->hook, &opts);
		/* Both directions: libbpf takes clsact itself away then. */
		filter->hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		if (filter->hooked)
			bpf_tc_hook_destroy(&filter->hook);
	}
	bpf_object__close(filter->file);
	if (filter->ranges >= 0)
		close(filter->ranges);
	if (filter->sockets >= 0)
		close(filter->sockets);
	free(filter);
}

/* Put one range into the first unused place of @ranges. */
static bool
add_range(struct sp_xdp_ranges *ranges, const struct sp_filter_entry *e)
{
	for (unsigned i = 0; i < SP_XDP_RANGES_MAX; i++) {
		if (ranges->range[i].first <= ranges->range[i].last)
			continue;
		ranges->range[i].first = e->first_port;
		ranges->range[i].last = e->last_port;
		return true;
	}
	return false;
}

enum sp_status
sp_filter_plan(const struct sp_filter_entry *entry, size_t n,
	struct sp_xdp_key *key, struct sp_xdp_ranges *ranges, size_t *n_keys)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		struct sp_xdp_key k = {
			.vlan = entry[i].vlan,
			.family = entry[i].addr.family,
		};
		size_t at = 0;

		memcpy(k.ip, entry[i].addr.ip, sizeof k.ip);
		while (at < used && memcmp(&key[at], &k, sizeof k) != 0)
			at++;
		if (at == SP_XDP_ADDRS_MAX)
			return SP_FULL;
		if (at == used) {
			key[used++] = k;
			for (unsigned r = 0; r < SP_XDP_RANGES_MAX; r++) {
				ranges[at].range[r].first = UINT16_MAX;
				ranges[at].range[r].last = 0;
			}
		}
		if (!add_range(&ranges[at], &entry[i]))
			return SP_FULL;
	}
	*n_keys = used;
	return SP_OK;
}

/* Take out of the map the addresses that are not among @key. */
static void
del_others(int map, const struct sp_xdp_key *key, size_t n)
{
	struct sp_xdp_key at, next;
	bool more = bpf_map_get_next_key(map, NULL, &next) == 0;

	while (more) {
		bool keep = false;

		at = next;
		more = bpf_map_get_next_key(map, &at, &next) == 0;
		for (size_t i = 0; i < n; i++)
			keep |= memcmp(&key[i], &at, sizeof at) == 0;
		if (!keep)
			bpf_map_delete_elem(map, &at);
	}
}

enum sp_status
sp_filter_set(struct sp_nic *nic, const struct sp_filter_entry *entry, size_t n,
	char why[SP_EAL_WHY])
{
	struct sp_xdp_key key[SP_XDP_ADDRS_MAX];
	struct sp_xdp_ranges ranges[SP_XDP_ADDRS_MAX];
	size_t n_keys;
	enum sp_status status;

	if (!nic->filter)
		return SP_OK;
	status = sp_filter_plan(entry, n, key, ranges, &n_keys);
	if (status != SP_OK) {
		snprintf(why, SP_EAL_WHY,
			"%s: at most %u addresses, and %u port ranges each",
			nic->name, SP_XDP_ADDRS_MAX, SP_XDP_RANGES_MAX);
		return status;
	}

	/* Room first: the map may be full of what is about to go. */
	del_others(nic->filter->ranges, key, n_keys);
	for (size_t i = 0; i < n_keys; i++) {
		if (bpf_map_update_elem(nic->filter->ranges, &key[i],
			    &ranges[i], BPF_ANY) != 0) {
			snprintf(why, SP_EAL_WHY,
				"%s: the XDP filter takes no address: %m",
				nic->name);
			return SP_SYSTEM;
		}
	}
	return SP_OK;
}
