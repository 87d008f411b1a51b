/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/config.h"

/* The example of the design, without its token file. */
static const char example[] =
	"control:\n"
	"  http: 127.0.0.1:8081\n"
	"  ng: [127.0.0.1:2224, \"[::1]:2223\", 10.0.0.10:2223]\n"
	"  ng_clients: [10.0.0.0/28, \"2001:db8::5\", 0.0.0.0/0]\n"
	"  records: /var/log/sallyport/calls.json\n"
	"  webhook: https://example.net:8443/calls?from=relay\n"
	"dataplane:\n"
	"  workers: 2                    # number of cores\n"
	"  hugepages: true\n"
	"  idle: busy\n"
	"  srtp: libsrtp\n"
	"  max_calls: 500\n"
	"  max_media: 32\n"
	"realms:\n"
	"  - name: public\n"
	"    interface: eth0\n"
	"    addresses: [203.0.113.10, \"2001:db8::10\"]\n"
	"    advertise: [198.51.100.7]\n"
	"    ports: 30000-39999\n"
	"    latch: signalled\n"
	"    driver: af_packet\n"
	"    unanswered_packets: 250\n"
	"    private_targets: refuse\n"
	"    require_srtp: true\n"
	"  - name: core\n"
	"    device: \"net_memif0,role=server,id=0,socket=/run/core.sock\"\n"
	"    vlan: 120\n"
	"    addresses: [10.0.0.10/24]\n"
	"    gateway: 10.0.0.1\n"
	"    ports: 20000-29999\n"
	"    dscp: 0\n"
	"timeouts: {media_s: 61, hold_s: 3601, offer_s: 301, "
	"delete_delay_s: 30,\n"
	"  max_s: 7200, silent_leg: end}\n";

static enum sp_status
parse(const char *text, struct sp_config *conf, char *why)
{
	why[0] = '\0';
	return sp_config_parse("test.yaml", text, strlen(text), conf, why);
}

static struct sp_addr
ip(const char *text)
{
	struct sp_addr addr = { 0 };

	cr_assert(eq(int, sp_addr_parse(text, strlen(text), &addr), SP_OK));
	return addr;
}

Test(config, control_part_of_the_example_is_read)
{
	char why[SP_CONFIG_WHY];
	char text[SP_ADDR_TEXT];
	struct sp_config conf;

	cr_assert(eq(int, parse(example, &conf, why), SP_OK), "%s", why);
	sp_addr_print(&conf.http, text);
	cr_expect(eq(str, text, "127.0.0.1:8081"));
	cr_assert(eq(uint, conf.n_ng, 3));
	sp_addr_print(&conf.ng[1], text);
	cr_expect(eq(str, text, "[::1]:2223"));
	cr_expect(eq(uint, conf.workers, 2));
	cr_expect(not(conf.pinned));
	cr_expect(conf.hugepages);
	cr_expect(conf.busy);
	cr_expect(eq(int, conf.srtp, SP_SRTP_LIBSRTP));
	cr_expect(eq(u32, conf.max_calls, 500));
	cr_expect(eq(u32, conf.max_media, 32));
	cr_expect(eq(u32, conf.media_s, 61));
	cr_expect(eq(u32, conf.hold_s, 3601));
	cr_expect(eq(u32, conf.offer_s, 301));
	cr_expect(eq(u32, conf.delete_delay_s, 30));
	cr_expect(eq(u32, conf.max_s, 7200));
	cr_expect(conf.end_silent);
}

Test(config, clients_and_news_of_the_example_are_read)
{
	const struct sp_addr v4 = ip("10.0.0.0"), v6 = ip("2001:db8::5");
	char why[SP_CONFIG_WHY];
	struct sp_config conf;

	cr_assert(eq(int, parse(example, &conf, why), SP_OK), "%s", why);
	cr_assert(eq(uint, conf.n_ng_clients, 3));
	cr_expect(sp_addr_same_ip(&conf.ng_clients[0].addr, &v4));
	cr_expect(eq(int, conf.ng_clients[0].bits, 28));
	cr_expect(sp_addr_same_ip(&conf.ng_clients[1].addr, &v6));
	cr_expect(eq(int, conf.ng_clients[1].bits, 128));
	cr_expect(eq(int, conf.ng_clients[2].bits, 0));
	cr_expect(
		eq(str, (char *)conf.records, "/var/log/sallyport/calls.json"));
	cr_expect(eq(str, (char *)conf.webhook,
		"https://example.net:8443/calls?from=relay"));
}

Test(config, records_may_go_nowhere_or_to_standard_output)
{
	char why[SP_CONFIG_WHY];
	struct sp_config conf;

	cr_assert(eq(
		int, parse("control: {records: none}\n", &conf, why), SP_OK));
	cr_expect(eq(str, (char *)conf.records, ""));
	cr_assert(eq(
		int, parse("control: {records: stdout}\n", &conf, why), SP_OK));
	cr_expect(eq(str, (char *)conf.records, "-"));
}

Test(config, shared_realm_of_the_example_is_read)
{
	char why[SP_CONFIG_WHY];
	struct sp_config conf;
	const struct sp_realm_conf *r = &conf.realm[0];
	const struct sp_addr v6 = ip("2001:db8::10");
	const struct sp_addr outside = ip("198.51.100.7");

	cr_assert(eq(int, parse(example, &conf, why), SP_OK), "%s", why);
	cr_assert(eq(uint, conf.n_realms, 2));
	cr_expect(eq(str, (char *)r->name, "public"));
	cr_expect(eq(str, (char *)r->interface, "eth0"));
	cr_expect(eq(int, r->driver, SP_DRIVER_AF_PACKET));
	cr_expect(eq(int, r->n_addrs, 2));
	cr_expect(sp_addr_equal(&r->addr[1], &v6));
	cr_expect(sp_addr_equal(&conf.more[0].advertise[0], &outside));
	cr_expect(eq(int, conf.more[0].advertise[1].family, SP_FAMILY_NONE));
	cr_expect(eq(int, r->first_port, 30000));
	cr_expect(eq(int, r->last_port, 39999));
	cr_expect(eq(int, r->dscp, 46));
	cr_expect(eq(int, conf.more[0].latch, SP_LATCH_SIGNALLED));
	cr_expect(eq(u32, conf.more[0].unanswered_packets, 250));
	cr_expect(conf.more[0].refuse_private);
	cr_expect(conf.more[0].require_srtp);
}

Test(config, dedicated_realm_of_the_example_is_read)
{
	char why[SP_CONFIG_WHY];
	struct sp_config conf;
	const struct sp_realm_conf *r = &conf.realm[1];
	const struct sp_addr gateway = ip("10.0.0.1");

	cr_assert(eq(int, parse(example, &conf, why), SP_OK), "%s", why);
	cr_expect(eq(str, (char *)r->device,
		"net_memif0,role=server,id=0,socket=/run/core.sock"));
	cr_expect(eq(int, r->vlan, 120));
	cr_expect(eq(int, r->prefix[0], 24));
	cr_expect(sp_addr_equal(&r->gateway[0], &gateway));
	cr_expect(eq(int, r->dscp, 0));
	cr_expect(eq(int, conf.more[1].latch, SP_LATCH_RESTRICTED));
	cr_expect(not(conf.more[1].refuse_private));
	cr_expect(not(conf.more[1].require_srtp));
}

Test(config, an_empty_file_means_the_defaults)
{
	char why[SP_CONFIG_WHY];
	struct sp_config conf, defaults;

	sp_config_default(&defaults);
	memset(&conf, 0xff, sizeof conf);
	cr_assert(eq(int, parse("# nothing\n", &conf, why), SP_OK), "%s", why);
	cr_expect(eq(int, memcmp(&conf, &defaults, sizeof conf), 0));
	cr_expect(eq(int, conf.http.port, 8080));
	cr_expect(eq(int, conf.ng[0].port, 2223));
	cr_expect(eq(u32, conf.max_calls, 20000));
	cr_expect(eq(u32, conf.max_media, 8));
	cr_expect(eq(u32, conf.media_s, 60));
	cr_expect(eq(u32, conf.delete_delay_s, 0));
	cr_expect(eq(u32, conf.max_s, 0));
	cr_expect(not(conf.end_silent));
	cr_expect(eq(int, conf.srtp, SP_SRTP_AUTO));
	cr_expect(eq(uint, conf.n_ng, 1));
	cr_expect(eq(uint, conf.n_ng_clients, 0));
	cr_expect(eq(str, (char *)conf.records, "-"));
	cr_expect(eq(str, (char *)conf.webhook, ""));
	cr_expect(eq(uint, conf.n_realms, 0));
}

Test(config, default_realm_is_restricted)
{
	struct sp_config conf;

	sp_config_default(&conf);
	sp_config_add_default_realm(&conf);
	cr_assert(eq(uint, conf.n_realms, 1));
	cr_expect(eq(str, (char *)conf.realm[0].name, "default"));
	cr_expect(eq(int, conf.realm[0].first_port, 30000));
	cr_expect(eq(int, conf.realm[0].last_port, 39999));
	cr_expect(eq(int, conf.more[0].latch, SP_LATCH_RESTRICTED));
	cr_expect(not(conf.more[0].refuse_private));
	cr_expect(not(conf.more[0].require_srtp));
}

Test(config, workers_may_be_a_list_of_cpus)
{
	char why[SP_CONFIG_WHY];
	struct sp_config conf;

	cr_assert(
		eq(int, parse("dataplane:\n  workers: [3, 5, 7]\n", &conf, why),
			SP_OK),
		"%s", why);
	cr_expect(conf.pinned);
	cr_expect(eq(uint, conf.workers, 3));
	cr_expect(eq(int, conf.cpus[0], 3));
	cr_expect(eq(int, conf.cpus[2], 7));
}

Test(config, srtp_is_done_by_the_library_that_is_named)
{
	static const struct {
		const char *text;
		enum sp_srtp_kind want;
	} cases[] = {
		{ "dataplane: {srtp: auto}\n", SP_SRTP_AUTO },
		{ "dataplane: {srtp: ipsec-mb}\n", SP_SRTP_IPSECMB },
		{ "dataplane: {srtp: libsrtp}\n", SP_SRTP_LIBSRTP },
	};
	char why[SP_CONFIG_WHY];
	struct sp_config conf;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_assert(eq(int, parse(cases[i].text, &conf, why), SP_OK),
			"%s", why);
		cr_expect(eq(int, conf.srtp, cases[i].want));
	}
}

Test(config, every_prefix_of_the_example_is_read_or_explained)
{
	for (size_t len = 0; len < sizeof example; len++) {
		char why[SP_CONFIG_WHY] = "";
		struct sp_config conf;
		enum sp_status status =
			sp_config_parse("cut.yaml", example, len, &conf, why);

		if (status != SP_OK)
			cr_expect(eq(int, strncmp(why, "cut.yaml:", 9), 0),
				"%zu: %s", len, why);
	}
}

/* Write @text to a new file and parse a configuration that names it. */
static enum sp_status
parse_with_token(
	const char *text, const char *more, struct sp_config *conf, char *why)
{
	char path[] = "token-XXXXXX";
	char yaml[200];
	const int fd = mkstemp(path);
	enum sp_status status;

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(long, write(fd, text, strlen(text)), (long)strlen(text)));
	close(fd);
	snprintf(yaml, sizeof yaml, "control:\n  token_file: %s\n%s", path,
		more);
	status = parse(yaml, conf, why);
	unlink(path);
	return status;
}

Test(config, a_token_opens_other_addresses)
{
	char why[SP_CONFIG_WHY];
	struct sp_config conf;

	cr_assert(eq(int,
			  parse_with_token("0123456789abcdef\n",
				  "  http: 0.0.0.0:80\n", &conf, why),
			  SP_OK),
		"%s", why);
	cr_expect(eq(str, (char *)conf.token, "0123456789abcdef"));
	sp_config_wipe(&conf);
	cr_expect(eq(str, (char *)conf.token, ""));
}

Test(config, a_short_or_odd_token_is_refused)
{
	char why[SP_CONFIG_WHY];
	struct sp_config conf;

	cr_expect(eq(int, parse_with_token("0123456789abcde\n", "", &conf, why),
		SP_MALFORMED));
	cr_expect(not(eq(ptr, strstr(why, "openssl rand -hex 32"), NULL)));
	cr_expect(eq(int,
		parse_with_token("0123456789abcdef xyz\n", "", &conf, why),
		SP_MALFORMED));
	cr_expect(eq(ptr, strstr(why, "0123456789"), NULL));
	cr_expect(eq(int, parse_with_token("", "", &conf, why), SP_MALFORMED));
}

Test(config, a_missing_file_is_named)
{
	char why[SP_CONFIG_WHY];
	struct sp_config conf;

	cr_expect(eq(int, sp_config_load("/nonexistent.yaml", &conf, why),
		SP_NOT_FOUND));
	cr_expect(eq(str, why,
		"/nonexistent.yaml: cannot read it: "
		"No such file or directory"));
}

Test(config, complaints_of_the_data_plane_get_their_line)
{
	struct sp_dataplane_error error = { 1, "addresses", "no such address" };
	char path[] = "conf-XXXXXX";
	char why[SP_CONFIG_WHY];
	char want[100];
	const int fd = mkstemp(path);

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(long, write(fd, example, strlen(example)),
		(long)strlen(example)));
	close(fd);
	sp_config_explain(path, &error, why);
	snprintf(want, sizeof want,
		"%s:28: realms[1].addresses: no such address", path);
	cr_expect(eq(str, why, want));
	unlink(path);

	sp_config_explain(NULL, &error, why);
	cr_expect(eq(str, why, "addresses: no such address"));
}
