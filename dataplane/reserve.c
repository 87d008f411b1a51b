/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/reserve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTING "/proc/sys/net/ipv4/ip_local_reserved_ports"

/* What the kernel writes at most: each second port by itself. */
#define SETTING_MAX (6 * 65536 / 2 + 2)

#define PORTS 65536u
#define WORD 64u

struct sp_reserve {
	struct sp_reserve_set added;
};

static bool
has(const struct sp_reserve_set *set, unsigned port)
{
	return set->bit[port / WORD] >> port % WORD & 1;
}

static void
add(struct sp_reserve_set *set, unsigned first, unsigned last)
{
	for (unsigned p = first; p <= last; p++)
		set->bit[p / WORD] |= UINT64_C(1) << p % WORD;
}

/* Read a port of 1 to 5 digits and step over it. */
static bool
take_port(const char **at, const char *end, unsigned *out)
{
	unsigned value = 0;
	unsigned digits = 0;

	while (*at < end && **at >= '0' && **at <= '9' && digits < 5) {
		value = 10 * value + (unsigned)(*(*at)++ - '0');
		digits++;
	}
	*out = value;
	return digits > 0 && value < PORTS;
}

enum sp_status
sp_reserve_parse(const char *text, size_t len, struct sp_reserve_set *out)
{
	const char *at = text;
	const char *end = text + len;

	memset(out, 0, sizeof *out);
	if (end > at && end[-1] == '\n')
		end--;
	while (at < end) {
		unsigned first, last;

		if (!take_port(&at, end, &first))
			return SP_MALFORMED;
		last = first;
		if (at < end && *at == '-') {
			at++;
			if (!take_port(&at, end, &last) || last < first)
				return SP_MALFORMED;
		}
		add(out, first, last);
		if (at < end && (*at++ != ',' || at == end))
			return SP_MALFORMED;
	}
	return SP_OK;
}

enum sp_status
sp_reserve_write(const struct sp_reserve_set *set, char *text, size_t size)
{
	size_t used = 0;

	if (size == 0)
		return SP_NO_SPACE;
	text[0] = '\0';
	for (unsigned p = 0; p < PORTS; p++) {
		const unsigned first = p;
		int n;

		if (!has(set, p))
			continue;
		while (p + 1 < PORTS && has(set, p + 1))
			p++;
		n = snprintf(text + used, size - used,
			first == p ? "%s%u" : "%s%u-%u", used ? "," : "", first,
			p);
		if (n < 0 || (size_t)n >= size - used)
			return SP_NO_SPACE;
		used += (size_t)n;
	}
	return SP_OK;
}

/* Read the kernel's list. */
static enum sp_status
load(struct sp_reserve_set *out, char *text)
{
	const int fd = open(SETTING, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return SP_SYSTEM;
	do {
		n = read(fd, text + used, SETTING_MAX - used);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0 && used < SETTING_MAX);
	close(fd);
	return n < 0 ? SP_SYSTEM : sp_reserve_parse(text, used, out);
}

/* Replace the kernel's list; the errno of a refusal is left. */
static enum sp_status
store(const struct sp_reserve_set *set, char *text)
{
	enum sp_status status = sp_reserve_write(set, text, SETTING_MAX - 1);
	ssize_t n = 1;
	size_t len;
	size_t done = 0;
	int fd;

	if (status != SP_OK)
		return status;
	fd = open(SETTING, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return SP_FORBIDDEN;
	/* The kernel takes an empty line for an empty list, not nothing. */
	len = strlen(text);
	text[len++] = '\n';
	/* It takes a page at a time; what follows is added to it. */
	while (done < len && n > 0) {
		n = write(fd, text + done, len - done);
		done += n > 0 ? (size_t)n : 0;
	}
	if (done < len)
		status = SP_SYSTEM;
	close(fd);
	return status;
}

enum sp_status
sp_reserve_open(const struct sp_reserve_range *range, size_t n,
	struct sp_reserve **out, char why[SP_EAL_WHY])
{
	struct sp_reserve *reserve = calloc(1, sizeof *reserve);
	struct sp_reserve_set *set = calloc(1, sizeof *set);
	char *text = malloc(SETTING_MAX);
	enum sp_status status = SP_NO_MEMORY;

	if (reserve && set && text)
		status = load(set, text);
	if (status == SP_OK) {
		for (size_t i = 0; i < n; i++)
			add(&reserve->added, range[i].first, range[i].last);
		for (size_t i = 0; i < PORTS / WORD; i++) {
			reserve->added.bit[i] &= ~set->bit[i];
			set->bit[i] |= reserve->added.bit[i];
		}
		status = store(set, text);
	}
	if (status != SP_OK)
		snprintf(why, SP_EAL_WHY,
			"%s: %m: the kernel may give media ports to other "
			"sockets; set it from outside (sysctl, or the "
			"container's own)",
			SETTING);

	free(text);
	free(set);
	if (status != SP_OK) {
		free(reserve);
		return status;
	}
	*out = reserve;
	return SP_OK;
}

void
sp_reserve_close(struct sp_reserve *reserve)
{
	struct sp_reserve_set *set;
	char *text;

	if (!reserve)
		return;
	set = calloc(1, sizeof *set);
	text = malloc(SETTING_MAX);
	if (set && text && load(set, text) == SP_OK) {
		for (size_t i = 0; i < PORTS / WORD; i++)
			set->bit[i] &= ~reserve->added.bit[i];
		/* When it fails, ports stay reserved: harmless, and all that
		 * one could do. */
		(void)!store(set, text);
	}
	free(text);
	free(set);
	free(reserve);
}

/*
 * Read one line of /proc/net/udp: "sl local:port remote:port ...". Addresses
 * are the words of memory in hexadecimal, in the order of this machine.
 */
static bool
read_line(const char *line, struct sp_addr *local, uint64_t *inode)
{
	uint32_t word[4];
	char hex[33];
	unsigned port;
	size_t words;

	if (sscanf(line,
		    " %*u: %32[0-9A-F]:%4X %*[0-9A-F]:%*X %*X %*X:%*X %*X:%*X "
		    "%*X %*u %*u %" SCNu64,
		    hex, &port, inode) != 3)
		return false;
	words = strlen(hex) / 8;
	for (size_t i = 0; i < words && i < 4; i++)
		if (sscanf(hex + 8 * i, "%8" SCNx32, &word[i]) != 1)
			return false;
	if (words == 1)
		*local = sp_addr_ip4((const uint8_t *)word, (uint16_t)port);
	else if (words == 4)
		*local = sp_addr_ip6((const uint8_t *)word, (uint16_t)port);
	else
		return false;
	return true;
}

static bool
in_ranges(uint16_t port, const struct sp_reserve_range *range, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (port >= range[i].first && port <= range[i].last)
			return true;
	return false;
}

/* Report the sockets of one file. */
static size_t
list(const char *path, const struct sp_reserve_range *range, size_t n,
	sp_reserve_found found, void *arg)
{
	FILE *from = fopen(path, "re");
	struct sp_addr local;
	char line[256];
	uint64_t inode;
	size_t count = 0;

	while (from && fgets(line, sizeof line, from)) {
		if (!read_line(line, &local, &inode) ||
			!in_ranges(local.port, range, n))
			continue;
		found(arg, &local, inode);
		count++;
	}
	if (from)
		fclose(from);
	return count;
}

size_t
sp_reserve_sockets(const struct sp_reserve_range *range, size_t n,
	sp_reserve_found found, void *arg)
{
	return list("/proc/self/net/udp", range, n, found, arg) +
		list("/proc/self/net/udp6", range, n, found, arg);
}
