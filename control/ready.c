/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ready.h"

#include "control/log.h"

static void
say_realm(const struct sp_config *conf, const struct sp_dataplane *dp,
	unsigned int i)
{
	const struct sp_realm_conf *realm = &conf->realm[i];
	char where[SP_ADDR_TEXT];
	struct sp_realm_info info;
	struct sp_log l = sp_log_begin(SP_LOG_INFO, "realm");

	sp_dataplane_realm_info(dp, i, &info);
	sp_log_string(&l, "name", realm->name);
	sp_log_string(
		&l, "nic", realm->device[0] ? realm->device : realm->interface);
	sp_log_string(&l, "driver", info.driver);
	sp_log_string(&l, "steering", info.steering);
	sp_log_number(&l, "queues", info.queues);
	sp_log_number(&l, "mtu", info.mtu);
	for (unsigned int a = 0; a < realm->n_addrs; a++)
		sp_log_string(&l, "address",
			sp_addr_print_ip(&realm->addr[a], where));
	sp_log_number(&l, "first_port", realm->first_port);
	sp_log_number(&l, "last_port", realm->last_port);
	if (conf->more[i].require_srtp)
		sp_log_string(&l, "require_srtp", "true");
	sp_log_end(&l);
	if (conf->more[i].latch == SP_LATCH_ANY)
		sp_log_say(SP_LOG_WARNING, "insecure",
			"realm %s has latch: any, so that whoever sends first "
			"gets a call's media",
			realm->name);
}

static void
say_srtp(const struct sp_dataplane *dp)
{
	struct sp_srtp_info info;
	struct sp_log l;

	sp_dataplane_srtp_info(dp, &info);
	l = sp_log_begin(SP_LOG_INFO, "srtp");
	sp_log_string(&l, "engine", info.engine);
	sp_log_string(&l, "library", info.library);
	sp_log_number(&l, "protect_ns", info.protect_ns);
	sp_log_number(&l, "unprotect_ns", info.unprotect_ns);
	sp_log_number(&l, "legs_a_worker", info.most / 2);
	sp_log_end(&l);
	if (info.slow)
		sp_log_say(SP_LOG_WARNING, "srtp_slow",
			"%s slows down with each SRTP leg, so a worker takes "
			"no more than %u of them: use srtp: ipsec-mb where the "
			"CPU can",
			info.library, info.most / 2);
}

void
sp_ready_say(const struct sp_config *conf, const struct sp_dataplane *dp,
	const char *version)
{
	char where[SP_ADDR_TEXT];
	struct sp_log l;

	for (unsigned int i = 0; i < conf->n_realms; i++)
		say_realm(conf, dp, i);
	say_srtp(dp);
	l = sp_log_begin(SP_LOG_INFO, "ready");
	sp_log_string(&l, "version", version);
	sp_log_string(&l, "http", sp_addr_print(&conf->http, where));
	for (unsigned int i = 0; i < conf->n_ng; i++)
		sp_log_string(&l, "ng", sp_addr_print(&conf->ng[i], where));
	sp_log_number(&l, "workers", conf->workers);
	sp_log_number(&l, "max_calls", conf->max_calls);
	sp_log_end(&l);
}
