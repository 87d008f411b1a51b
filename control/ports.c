/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ports.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static unsigned int
count_locals(const struct sp_config *conf)
{
	unsigned int count = 0;

	for (unsigned int r = 0; r < conf->n_realms; r++)
		count += conf->realm[r].n_addrs;
	return count;
}

static void
add_own(struct sp_ports *ports, const struct sp_addr *addr)
{
	/* A door open on every address has none that SDP could name. */
	if (addr->family != SP_FAMILY_NONE &&
		sp_addr_scope(addr) != SP_ADDR_UNSPECIFIED)
		ports->own[ports->n_own++] = *addr;
}

/* Name the locals, and all addresses that SDP must not lead to. */
static void
name_locals(struct sp_ports *ports)
{
	const struct sp_config *conf = ports->conf;
	unsigned int at = 0;

	for (unsigned int r = 0; r < conf->n_realms; r++) {
		for (unsigned int a = 0; a < conf->realm[r].n_addrs; a++) {
			struct sp_local *local = &ports->local[at++];

			local->addr = conf->realm[r].addr[a];
			local->advertised = conf->more[r].advertise[a];
			if (local->advertised.family == SP_FAMILY_NONE)
				local->advertised = local->addr;
			local->realm = (uint8_t)r;
			add_own(ports, &local->addr);
			add_own(ports, &local->advertised);
		}
	}
	add_own(ports, &conf->http);
	for (unsigned int n = 0; n < conf->n_ng; n++)
		add_own(ports, &conf->ng[n]);
}

static enum sp_status
pool_open(struct sp_ports *ports, unsigned int local, unsigned int worker)
{
	const struct sp_config *conf = ports->conf;
	const struct sp_realm_conf *realm =
		&conf->realm[ports->local[local].realm];
	const unsigned int at = local * ports->workers + worker;
	const struct sp_port_pool_conf pool = {
		.first = realm->first_port,
		.last = realm->last_port,
		.worker = worker,
		.workers = ports->workers,
		.quarantine_s = SP_PORT_POOL_QUARANTINE_S,
		.scarce_s = SP_PORT_POOL_SCARCE_S,
	};
	const size_t size = sp_port_pool_size(&pool);

	ports->storage[at] = malloc(size > 0 ? size : 1);
	if (!ports->storage[at])
		return SP_NO_MEMORY;
	sp_port_pool_init(&ports->pool[at], &pool, ports->storage[at]);
	return SP_OK;
}

enum sp_status
sp_ports_open(struct sp_ports *ports, const struct sp_config *conf,
	unsigned int workers)
{
	const unsigned int locals = count_locals(conf);
	enum sp_status status = SP_OK;

	memset(ports, 0, sizeof *ports);
	ports->conf = conf;
	ports->workers = workers;
	ports->realms = conf->n_realms;
	ports->local = calloc(locals + 1u, sizeof ports->local[0]);
	ports->pool = calloc(locals * workers + 1u, sizeof ports->pool[0]);
	ports->storage =
		calloc(locals * workers + 1u, sizeof ports->storage[0]);
	ports->own =
		calloc(2u * locals + 1u + conf->n_ng, sizeof ports->own[0]);
	if (!ports->local || !ports->pool || !ports->storage || !ports->own)
		return SP_NO_MEMORY;
	ports->locals = locals;
	name_locals(ports);
	for (unsigned int l = 0; status == SP_OK && l < locals; l++)
		for (unsigned int w = 0; status == SP_OK && w < workers; w++)
			status = pool_open(ports, l, w);
	return status;
}

void
sp_ports_close(struct sp_ports *ports)
{
	if (ports->storage)
		for (unsigned int i = 0; i < ports->locals * ports->workers;
			i++)
			free(ports->storage[i]);
	free(ports->storage);
	free(ports->local);
	free(ports->pool);
	free(ports->own);
	memset(ports, 0, sizeof *ports);
}

int
sp_ports_realm(const struct sp_ports *ports, struct sp_text name)
{
	for (unsigned int r = 0; r < ports->realms; r++) {
		const char *has = ports->conf->realm[r].name;

		if (strlen(has) == name.len &&
			memcmp(has, name.at, name.len) == 0)
			return (int)r;
	}
	return -1;
}

int
sp_ports_local(
	const struct sp_ports *ports, unsigned int realm, enum sp_family family)
{
	for (unsigned int l = 0; l < ports->locals; l++)
		if (ports->local[l].realm == realm &&
			ports->local[l].addr.family == family)
			return (int)l;
	return -1;
}

static enum sp_status
next_random(struct sp_ports *ports, uint32_t *out)
{
	if (ports->random_left == 0) {
		/* Up to 256 bytes are never cut short by a signal. */
		if (getrandom(ports->random, sizeof ports->random, 0) !=
			(ssize_t)sizeof ports->random)
			return SP_SYSTEM;
		ports->random_left =
			sizeof ports->random / sizeof ports->random[0];
	}
	*out = ports->random[--ports->random_left];
	return SP_OK;
}

unsigned int
sp_ports_have(const struct sp_ports *ports, unsigned int worker,
	unsigned int realm, enum sp_family family, uint32_t now_s)
{
	unsigned int count = 0;

	for (unsigned int l = 0; l < ports->locals; l++) {
		const struct sp_port_pool *pool =
			&ports->pool[l * ports->workers + worker];

		if (ports->local[l].realm == realm &&
			ports->local[l].addr.family == family)
			count += sp_port_pool_have(
				pool, now_s, SP_SDP_MEDIA_MAX * 2);
	}
	return count;
}

/* The local of @realm in @family with most ports to choose from, or -1. */
static int
roomiest(const struct sp_ports *ports, unsigned int worker, unsigned int realm,
	enum sp_family family, uint32_t now_s)
{
	uint32_t most = 0;
	int best = -1;

	for (unsigned int l = 0; l < ports->locals; l++) {
		uint32_t have;

		if (ports->local[l].realm != realm ||
			ports->local[l].addr.family != family)
			continue;
		have = sp_port_pool_have(
			&ports->pool[l * ports->workers + worker], now_s, 1);
		if (have > most) {
			most = have;
			best = (int)l;
		}
	}
	return best;
}

enum sp_status
sp_ports_take(struct sp_ports *ports, unsigned int worker, unsigned int realm,
	enum sp_family family, int prefer, uint32_t now_s, uint16_t *local,
	uint16_t *port)
{
	int best = prefer;
	uint32_t random;

	if (best < 0 ||
		sp_port_pool_have(
			sp_ports_pool(ports, worker, (unsigned int)best), now_s,
			1) == 0)
		best = roomiest(ports, worker, realm, family, now_s);
	if (best < 0)
		return SP_FULL;
	if (next_random(ports, &random) != SP_OK)
		return SP_SYSTEM;
	*local = (uint16_t)best;
	return sp_port_pool_take(
		&ports->pool[(unsigned int)best * ports->workers + worker],
		random, now_s, port);
}

void
sp_ports_give(struct sp_ports *ports, unsigned int worker, uint16_t local,
	uint16_t port, uint32_t now_s)
{
	const enum sp_status status = sp_port_pool_give(
		&ports->pool[local * ports->workers + worker], port, now_s);

	assert(status == SP_OK);
	(void)status;
}

const struct sp_port_pool *
sp_ports_pool(
	const struct sp_ports *ports, unsigned int worker, unsigned int local)
{
	return &ports->pool[local * ports->workers + worker];
}
