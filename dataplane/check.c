/* SPDX-License-Identifier: BSD-3-Clause */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/gauge.h"
#include "dataplane/internal.h"
#include "dataplane/netlink.h"
#include "dataplane/nic_kernel.h"

/*
 * The kernel lists its VLAN interfaces here, one a line: name | id | parent.
 */
#define VLAN_CONFIG "/proc/net/vlan/config"

uint32_t
sp_realm_ifindex(const struct sp_realm_conf *realm)
{
	char line[256], name[16], parent[16];
	unsigned int id;
	uint32_t found = 0;
	FILE *file;

	if (realm->vlan == 0)
		return if_nametoindex(realm->interface);
	file = fopen(VLAN_CONFIG, "re");
	if (!file)
		return 0;
	while (found == 0 && fgets(line, sizeof line, file))
		if (sscanf(line, "%15[^ |] | %u | %15s", name, &id, parent) ==
				3 &&
			id == realm->vlan &&
			strcmp(parent, realm->interface) == 0)
			found = if_nametoindex(name);
	fclose(file);
	return found;
}

static enum sp_status
check_shared(const struct sp_realm_conf *realm, int r, struct sp_netlink *nl,
	struct sp_dataplane_error *error)
{
	struct sp_nic_kernel kernel;
	char why[SP_EAL_WHY], text[SP_ADDR_TEXT];
	enum sp_status status =
		sp_nic_kernel_read(realm->interface, &kernel, why);
	uint32_t ifindex;

	if (status != SP_OK)
		return sp_dataplane_fault(
			error, status, r, "interface", "%s", why);
	ifindex = sp_realm_ifindex(realm);
	if (ifindex == 0)
		return sp_dataplane_fault(error, SP_NOT_FOUND, r, "vlan",
			"the kernel has no interface for VLAN %u on %s; add "
			"one: ip link add link %s name %s.%u type vlan id %u",
			realm->vlan, realm->interface, realm->interface,
			realm->interface, realm->vlan, realm->vlan);
	for (unsigned int i = 0; i < realm->n_addrs; i++)
		if (!sp_netlink_has_address(nl, ifindex, &realm->addr[i]))
			return sp_dataplane_fault(error, SP_NOT_FOUND, r,
				"addresses",
				"%s is not an address of %s; see `ip address "
				"show`, or use `advertise` for an address that "
				"somebody else translates",
				sp_addr_print_ip(&realm->addr[i], text),
				realm->interface);
	return SP_OK;
}

static enum sp_status
check_dedicated(const struct sp_realm_conf *realm, int r,
	struct sp_dataplane_error *error)
{
	char text[SP_ADDR_TEXT];

	for (unsigned int i = 0; i < 2; i++) {
		bool on_link = realm->gateway[i].family == SP_FAMILY_NONE;

		for (unsigned int j = 0; j < realm->n_addrs; j++)
			on_link |= sp_addr_within(&realm->gateway[i],
				&realm->addr[j], realm->prefix[j]);
		if (!on_link)
			return sp_dataplane_fault(error, SP_CONFLICT, r,
				"gateway",
				"%s is in no prefix of the realm's addresses; "
				"write them with their prefix, as 10.0.0.10/24",
				sp_addr_print_ip(&realm->gateway[i], text));
	}
	return SP_OK;
}

/* Do @a and @b claim the same packets? */
static bool
overlap(const struct sp_realm_conf *a, const struct sp_realm_conf *b)
{
	if (strcmp(a->interface, b->interface) != 0 ||
		strcmp(a->device, b->device) != 0 || a->vlan != b->vlan ||
		a->last_port < b->first_port || b->last_port < a->first_port)
		return false;
	for (unsigned int i = 0; i < a->n_addrs; i++)
		for (unsigned int j = 0; j < b->n_addrs; j++)
			if (sp_addr_same_ip(&a->addr[i], &b->addr[j]))
				return true;
	return false;
}

static enum sp_status
check_hugepages(struct sp_dataplane_error *error)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long pages = 0;
	char line[128];

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "HugePages_Free: %lu", &pages) == 1)
			break;
	if (file)
		fclose(file);
	if (pages == 0)
		return sp_dataplane_fault(error, SP_NOT_FOUND, -1, "hugepages",
			"no free hugepages; reserve some: sysctl "
			"vm.nr_hugepages=512, or set `hugepages: false`");
	return SP_OK;
}

static enum sp_status
check_realm(const struct sp_dataplane_conf *conf, unsigned int r,
	struct sp_netlink *nl, struct sp_dataplane_error *error)
{
	const struct sp_realm_conf *realm = &conf->realms[r];

	for (unsigned int before = 0; before < r; before++)
		if (overlap(realm, &conf->realms[before]))
			return sp_dataplane_fault(error, SP_CONFLICT, (int)r,
				"ports",
				"overlap those of realm %s on the same "
				"address; give each realm ports of its own",
				conf->realms[before].name);
	return realm->device[0] ? check_dedicated(realm, (int)r, error)
				: check_shared(realm, (int)r, nl, error);
}

static enum sp_status
check_srtp(enum sp_srtp_kind kind, struct sp_dataplane_error *error)
{
	struct sp_srtp_engine *engine = NULL;
	const enum sp_status status = sp_srtp_engine_open(kind, 2, &engine);

	sp_srtp_engine_close(engine);
	if (status != SP_OK)
		return sp_gauge_fault(error, status, kind);
	return SP_OK;
}

enum sp_status
sp_dataplane_check(
	const struct sp_dataplane_conf *conf, struct sp_dataplane_error *error)
{
	struct sp_netlink *nl = NULL;
	char why[SP_EAL_WHY];
	enum sp_status status = sp_nic_kernel_may(0, why);

	if (status != SP_OK)
		return sp_dataplane_fault(error, status, -1, "", "%s", why);
	if (sp_netlink_open(NULL, &nl) != SP_OK)
		return sp_dataplane_fault(error, SP_SYSTEM, -1, "",
			"cannot open an rtnetlink socket");
	status = check_srtp(conf->srtp, error);
	if (status == SP_OK && conf->hugepages)
		status = check_hugepages(error);
	for (unsigned int r = 0; status == SP_OK && r < conf->n_realms; r++)
		status = check_realm(conf, r, nl, error);
	sp_netlink_close(nl);
	return status;
}

enum sp_status
sp_dataplane_default_realm(struct sp_realm_conf *out)
{
	struct sp_addr addr[SP_REALM_ADDRS_MAX];
	struct sp_netlink *nl;
	uint32_t ifindex;
	size_t n = 0;
	enum sp_status status = sp_netlink_open(NULL, &nl);

	if (status != SP_OK)
		return status;
	status = sp_netlink_find_default(nl, &ifindex);
	if (status == SP_OK)
		status = sp_netlink_list_addresses(
			nl, ifindex, addr, SP_REALM_ADDRS_MAX, &n);
	if (status == SP_OK &&
		(n == 0 || !if_indextoname(ifindex, out->interface)))
		status = SP_NOT_FOUND;
	if (status == SP_OK) {
		memcpy(out->addr, addr, n * sizeof *addr);
		out->n_addrs = (uint8_t)n;
	}
	sp_netlink_close(nl);
	return status;
}
