/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config_schema.h"

#define FIRST_PORT 30000
#define LAST_PORT 39999
#define LOWEST_PORT 1024ul /* below are the system's services */
#define HIGHEST_PORT 65535ul
#define VLAN_MAX 4094u
#define DSCP_MAX 63u
#define DSCP_EXPEDITED 46 /* RFC 3246: what voice asks for */
#define UNANSWERED_MAX 100000u

/* One realm in the reading. */
struct realm {
	const struct sp_config_reader *r;
	const struct sp_raw_realm *raw;
	struct sp_realm_conf *conf;
	struct sp_realm_more *more;
	int index;
};

static struct sp_config_place
place(const struct realm *m, const char *key, int item)
{
	return (struct sp_config_place){ "realms", m->index, key, item };
}

static bool
read_name(const struct realm *m)
{
	const struct sp_config_place at = place(m, "name", -1);
	const char *name = m->raw->name;

	if (!name)
		return sp_config_wrong(m->r, place(m, NULL, -1),
			"has no name; add one, as in \"name: public\"");
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			return sp_config_wrong(m->r, at,
				"\"%.40s\": only letters, digits, dots, dashes "
				"and underscores make a name",
				name);
	for (int i = 0; i < m->index; i++)
		if (strcmp(m->r->conf->realm[i].name, name) == 0)
			return sp_config_wrong(m->r, at,
				"\"%.40s\" is realms[%d] already; rename one",
				name, i);
	return sp_config_copy(
		m->r, at, name, m->conf->name, sizeof m->conf->name);
}

static bool
read_nic(const struct realm *m)
{
	struct sp_realm_conf *conf = m->conf;
	const struct sp_raw_realm *raw = m->raw;

	if (!raw->interface == !raw->device)
		return sp_config_wrong(m->r,
			place(m, raw->device ? "device" : NULL, -1),
			"needs either interface (shared with the kernel) or "
			"device (DPDK's own)");
	if (raw->device && sp_config_given(m->r, place(m, "driver", -1)))
		return sp_config_wrong(m->r, place(m, "driver", -1),
			"goes with interface only; remove it");
	if (raw->interface && (raw->gateway || raw->gateway6))
		return sp_config_wrong(m->r,
			place(m, raw->gateway ? "gateway" : "gateway6", -1),
			"goes with device only; remove it: a shared interface "
			"follows the kernel's routes");
	conf->driver = (enum sp_driver)raw->driver;
	return sp_config_copy(m->r, place(m, "interface", -1), raw->interface,
		       conf->interface, sizeof conf->interface) &&
		sp_config_copy(m->r, place(m, "device", -1), raw->device,
			conf->device, sizeof conf->device);
}

static bool
read_numbers(const struct realm *m)
{
	const struct {
		const char *key;
		uint32_t value;
		uint32_t least;
		uint32_t most;
	} numbers[] = {
		{ "vlan", m->raw->vlan, 1, VLAN_MAX },
		{ "dscp", m->raw->dscp, 0, DSCP_MAX },
		{ "unanswered_packets", m->raw->unanswered_packets, 1,
			UNANSWERED_MAX },
	};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (sp_config_given(m->r, place(m, numbers[i].key, -1)) &&
			(numbers[i].value < numbers[i].least ||
				numbers[i].value > numbers[i].most))
			return sp_config_wrong(m->r,
				place(m, numbers[i].key, -1),
				"%u is not a number from %u to %u",
				numbers[i].value, numbers[i].least,
				numbers[i].most);
	m->conf->vlan = (uint16_t)m->raw->vlan;
	if (sp_config_given(m->r, place(m, "dscp", -1)))
		m->conf->dscp = (uint8_t)m->raw->dscp;
	if (sp_config_given(m->r, place(m, "latch", -1)))
		m->more->latch = (enum sp_latch_policy)m->raw->latch;
	m->more->refuse_private = m->raw->private_targets != 0;
	m->more->require_srtp = m->raw->require_srtp;
	m->more->unanswered_packets = m->raw->unanswered_packets;
	return true;
}

static bool
read_ports(const struct realm *m)
{
	const struct sp_config_place at = place(m, "ports", -1);
	const char *text = m->raw->ports;
	unsigned long first;
	unsigned long last = 0;
	char *end;

	if (!text)
		return true;
	first = strtoul(text, &end, 10);
	if (isdigit((unsigned char)text[0]) && *end == '-' &&
		isdigit((unsigned char)end[1]))
		last = strtoul(end + 1, &end, 10);
	if (*end || first < LOWEST_PORT || last > HIGHEST_PORT || first >= last)
		return sp_config_wrong(m->r, at,
			"\"%.40s\" is not a range of ports from %lu to %lu; "
			"write 30000-39999",
			text, LOWEST_PORT, HIGHEST_PORT);
	if (first % 2 != 0)
		return sp_config_wrong(m->r, at,
			"starts with an odd port, but RTP takes even ones; "
			"write %lu-%lu",
			first + 1, last);
	if (last % 2 == 0)
		return sp_config_wrong(m->r, at,
			"ends with an even port, whose RTCP would lie outside; "
			"write %lu-%lu",
			first, last - 1);
	m->conf->first_port = (uint16_t)first;
	m->conf->last_port = (uint16_t)last;
	return true;
}

/* "192.0.2.1" or "192.0.2.1/24". */
static bool
read_address(const struct realm *m, int i)
{
	const struct sp_config_place at = place(m, "addresses", i);
	const char *text = m->raw->addresses[i];
	const char *slash = strchr(text, '/');
	const size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct sp_addr *addr = &m->conf->addr[i];
	unsigned long most;
	unsigned long bits;
	char *end = NULL;

	if (!sp_config_ip(m->r, at, text, len, addr))
		return false;
	if (sp_addr_scope(addr) >= SP_ADDR_UNSPECIFIED)
		return sp_config_wrong(m->r, at,
			"%.60s cannot be an address of a realm: use one that "
			"others can reach",
			text);
	for (int j = 0; j < i; j++)
		if (sp_addr_same_ip(&m->conf->addr[j], addr))
			return sp_config_wrong(
				m->r, at, "%.60s is given twice", text);
	most = addr->family == SP_FAMILY_IP4 ? 32 : 128;
	bits = most;
	if (slash) {
		bits = strtoul(slash + 1, &end, 10);
		if (!isdigit((unsigned char)slash[1]) || *end || bits < 1 ||
			bits > most)
			return sp_config_wrong(m->r, at,
				"\"%.20s\" is not a prefix from /1 to /%lu",
				slash, most);
	}
	m->conf->prefix[i] = (uint8_t)bits;
	return true;
}

static bool
read_addresses(const struct realm *m)
{
	if (m->raw->addresses_count == 0)
		return sp_config_wrong(m->r, place(m, NULL, -1),
			"has no addresses; add them, as in "
			"\"addresses: [192.0.2.10]\"");
	m->conf->n_addrs = (uint8_t)m->raw->addresses_count;
	for (int i = 0; i < m->conf->n_addrs; i++)
		if (!read_address(m, i))
			return false;
	return true;
}

/* The nth advertised address of a family stands for the nth local one. */
static bool
read_advertise(const struct realm *m)
{
	for (int i = 0; i < (int)m->raw->advertise_count; i++) {
		const struct sp_config_place at = place(m, "advertise", i);
		const char *text = m->raw->advertise[i];
		struct sp_addr addr;
		int to = 0;

		if (!sp_config_ip(m->r, at, text, strlen(text), &addr))
			return false;
		if (sp_addr_scope(&addr) >= SP_ADDR_UNSPECIFIED)
			return sp_config_wrong(m->r, at,
				"%.60s cannot be reached from anywhere", text);
		while (to < m->conf->n_addrs &&
			(m->conf->addr[to].family != addr.family ||
				m->more->advertise[to].family))
			to++;
		if (to == m->conf->n_addrs)
			return sp_config_wrong(m->r, at,
				"%.60s stands for no address: there are fewer "
				"of its family in addresses",
				text);
		m->more->advertise[to] = addr;
	}
	return true;
}

static bool
read_gateway(const struct realm *m, const char *key, const char *text,
	enum sp_family family, struct sp_addr *out)
{
	if (!text)
		return true;
	if (!sp_config_ip(m->r, place(m, key, -1), text, strlen(text), out))
		return false;
	if (out->family != family)
		return sp_config_wrong(m->r, place(m, key, -1),
			"%.60s is not an IPv%d address; gateway takes IPv4, "
			"gateway6 IPv6",
			text, (int)family);
	for (int i = 0; i < m->conf->n_addrs; i++)
		if (sp_addr_same_ip(&m->conf->addr[i], out))
			return sp_config_wrong(m->r, place(m, key, -1),
				"%.60s is the realm's own address", text);
	return true;
}

/* Of a device nobody but the file says where packets can go. */
static bool
check_reachable(const struct realm *m)
{
	if (!m->raw->device)
		return true;
	for (int i = 0; i < m->conf->n_addrs; i++) {
		const bool ip4 = m->conf->addr[i].family == SP_FAMILY_IP4;

		if (m->conf->gateway[!ip4].family == SP_FAMILY_NONE &&
			m->conf->prefix[i] == (ip4 ? 32 : 128))
			return sp_config_wrong(m->r, place(m, "addresses", i),
				"reaches nobody; add a prefix, as in "
				"10.0.0.10/24, or a %s",
				ip4 ? "gateway" : "gateway6");
	}
	return true;
}

static bool
share_address(const struct sp_realm_conf *a, const struct sp_realm_conf *b)
{
	if (a->vlan != b->vlan || strcmp(a->interface, b->interface) != 0 ||
		strcmp(a->device, b->device) != 0)
		return false;
	for (int i = 0; i < a->n_addrs; i++)
		for (int j = 0; j < b->n_addrs; j++)
			if (sp_addr_same_ip(&a->addr[i], &b->addr[j]))
				return true;
	return false;
}

static bool
check_overlap(const struct realm *m)
{
	for (int i = 0; i < m->index; i++) {
		const struct sp_realm_conf *other = &m->r->conf->realm[i];

		if (!share_address(m->conf, other))
			continue;
		if (m->conf->first_port <= other->last_port &&
			m->conf->last_port >= other->first_port)
			return sp_config_wrong(m->r, place(m, "ports", -1),
				"%u-%u overlaps with %u-%u of realm %s on the "
				"same address; give each realm its own range",
				m->conf->first_port, m->conf->last_port,
				other->first_port, other->last_port,
				other->name);
	}
	return true;
}

static void
set_defaults(struct sp_realm_conf *conf, struct sp_realm_more *more)
{
	conf->first_port = FIRST_PORT;
	conf->last_port = LAST_PORT;
	conf->dscp = DSCP_EXPEDITED;
	more->latch = SP_LATCH_RESTRICTED;
}

void
sp_config_add_default_realm(struct sp_config *conf)
{
	const unsigned int i = conf->n_realms++;

	snprintf(conf->realm[i].name, sizeof conf->realm[i].name, "default");
	set_defaults(&conf->realm[i], &conf->more[i]);
}

bool
sp_config_realms(const struct sp_config_reader *r)
{
	for (int i = 0; i < (int)r->raw->realms_count; i++) {
		const struct realm m = { r, &r->raw->realms[i],
			&r->conf->realm[i], &r->conf->more[i], i };

		set_defaults(m.conf, m.more);
		if (!read_name(&m) || !read_nic(&m) || !read_numbers(&m) ||
			!read_ports(&m) || !read_addresses(&m) ||
			!read_advertise(&m) ||
			!read_gateway(&m, "gateway", m.raw->gateway,
				SP_FAMILY_IP4, &m.conf->gateway[0]) ||
			!read_gateway(&m, "gateway6", m.raw->gateway6,
				SP_FAMILY_IP6, &m.conf->gateway[1]) ||
			!check_reachable(&m) || !check_overlap(&m))
			return false;
		r->conf->n_realms++;
	}
	return true;
}
