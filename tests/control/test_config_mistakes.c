/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "control/config.h"

struct wrong_case {
	char yaml[300];
	char want[200]; /* the whole line */
};

#define REALM                                                                  \
	"realms:\n"                                                            \
	"  - name: a\n"                                                        \
	"    interface: eth0\n"                                                \
	"    addresses: [192.0.2.1]\n"
#define DEVICE                                                                 \
	"realms:\n"                                                            \
	"  - name: a\n"                                                        \
	"    device: net_null0\n"                                              \
	"    addresses: [192.0.2.1/24]\n"
#define SECOND                                                                 \
	"  - name: b\n"                                                        \
	"    interface: eth0\n"                                                \
	"    addresses: [192.0.2.1]\n"

static struct wrong_case wrong_cases[] = {
	{ "control: {ng: [127.0.0.1:2223, 127.0.0.1:2223]}\n",
		"test.yaml:1: control.ng[1]: "
		"127.0.0.1:2223 is given twice" },
	{ "control: {ng_clients: [10.0.0.1/33]}\n",
		"test.yaml:1: control.ng_clients[0]: "
		"\"/33\" is not a prefix from /0 to /32" },
	{ "control: {ng_clients: [10.0.0.1/]}\n",
		"test.yaml:1: control.ng_clients[0]: "
		"\"/\" is not a prefix from /0 to /32" },
	{ "control: {ng_clients: [proxy.example]}\n",
		"test.yaml:1: control.ng_clients[0]: "
		"\"proxy.example\" is not an IPv4 or IPv6 address" },
	{ "control: {records: stdot}\n",
		"test.yaml:1: control.records: "
		"\"stdot\" is not stdout, none or a file's path with a slash "
		"in it; write /var/log/sallyport/calls.json" },
	{ "control: {webhook: \"ftp://example.net/\"}\n",
		"test.yaml:1: control.webhook: "
		"is not a URL of http or https; write "
		"https://example.net/calls" },
	{ "control: {webhook: example.net}\n",
		"test.yaml:1: control.webhook: "
		"is not a URL of http or https; write "
		"https://example.net/calls" },
	{ "timeouts: {silent_leg: stop}\n",
		"test.yaml:1: timeouts.silent_leg: "
		"\"stop\" is not one of report, end" },
	{ "timeouts: {max_s: 604801}\n",
		"test.yaml:1: timeouts.max_s: "
		"604801 is not a number from 0 to 604800" },
	{ "controll: {}\n",
		"test.yaml:1: controll: "
		"unknown key; did you mean control?" },
	{ "foo: {}\n",
		"test.yaml:1: foo: "
		"unknown key; see sallyport.yaml(5) for those there "
		"are" },
	{ REALM "    latsh: any\n",
		"test.yaml:5: realms[0].latsh: "
		"unknown key; did you mean latch?" },
	{ REALM "    latch: restrictd\n",
		"test.yaml:5: realms[0].latch: "
		"\"restrictd\" is not one of signalled, restricted, "
		"any; "
		"did you mean restricted?" },
	{ REALM "    latch: 2\n",
		"test.yaml:5: realms[0].latch: "
		"\"2\" is not one of signalled, restricted, any" },
	{ REALM "    latch: Any\n",
		"test.yaml:5: realms[0].latch: "
		"\"Any\" is not one of signalled, restricted, any; "
		"did you mean any?" },
	{ REALM "    latch:\n",
		"test.yaml:5: realms[0].latch: "
		"\"\" is not one of signalled, restricted, any" },
	{ REALM "    ports: 30001-39999\n",
		"test.yaml:5: "
		"realms[0].ports: starts with an odd port, but RTP "
		"takes "
		"even ones; write 30002-39999" },
	{ REALM "    ports: 30000-39998\n",
		"test.yaml:5: "
		"realms[0].ports: ends with an even port, whose RTCP "
		"would lie outside; write 30000-39997" },
	{ REALM "    ports: 30000\n",
		"test.yaml:5: realms[0].ports: "
		"\"30000\" is not a range of ports from 1024 to 65535; "
		"write 30000-39999" },
	{ REALM "    ports: 40000-30001\n",
		"test.yaml:5: "
		"realms[0].ports: \"40000-30001\" is not a range of "
		"ports "
		"from 1024 to 65535; write 30000-39999" },
	{ REALM "    ports: 30000-70001\n",
		"test.yaml:5: "
		"realms[0].ports: \"30000-70001\" is not a range of "
		"ports "
		"from 1024 to 65535; write 30000-39999" },
	{ REALM SECOND "    ports: 39998-50001\n",
		"test.yaml:8: "
		"realms[1].ports: 39998-50001 overlaps with "
		"30000-39999 "
		"of realm a on the same address; give each realm its "
		"own "
		"range" },
	{ REALM REALM,
		"test.yaml:5: realms: given twice; remove one of "
		"them" },
	{ REALM "  - name: a\n",
		"test.yaml:5: realms[1].name: "
		"\"a\" is realms[0] already; rename one" },
	{ REALM "    vlan: 4095\n",
		"test.yaml:5: realms[0].vlan: "
		"4095 is not a number from 1 to 4094" },
	{ REALM "    vlan: ten\n",
		"test.yaml:5: realms[0].vlan: "
		"\"ten\" is not a number from 0 to 4294967295" },
	{ REALM "    dscp: 064\n",
		"test.yaml:5: realms[0].dscp: "
		"\"064\" is not a number from 0 to 4294967295" },
	{ REALM "    gateway: 192.0.2.2\n",
		"test.yaml:5: "
		"realms[0].gateway: goes with device only; remove it: "
		"a "
		"shared interface follows the kernel's routes" },
	{ REALM "    device: net_null0\n",
		"test.yaml:5: "
		"realms[0].device: needs either interface (shared with "
		"the kernel) or device (DPDK's own)" },
	{ REALM "    advertise: [198.51.100.1, 198.51.100.2]\n",
		"test.yaml:5: realms[0].advertise[1]: 198.51.100.2 "
		"stands "
		"for no address: there are fewer of its family in "
		"addresses" },
	{ DEVICE "    driver: auto\n",
		"test.yaml:5: realms[0].driver: "
		"goes with interface only; remove it" },
	{ DEVICE "    gateway: \"2001:db8::1\"\n",
		"test.yaml:5: "
		"realms[0].gateway: 2001:db8::1 is not an IPv4 "
		"address; "
		"gateway takes IPv4, gateway6 IPv6" },
	{ "realms:\n  - name: a\n    device: x\n    addresses:\n"
	  "      - 192.0.2.1/24\n      - 192.0.2.7\n",
		"test.yaml:6: realms[0].addresses[1]: reaches nobody; "
		"add "
		"a prefix, as in 10.0.0.10/24, or a gateway" },
	{ "realms:\n  - name: a\n    interface: eth0\n",
		"test.yaml:2: "
		"realms[0]: has no addresses; add them, as in "
		"\"addresses: [192.0.2.10]\"" },
	{ "realms:\n  - interface: eth0\n",
		"test.yaml:2: realms[0]: "
		"has no name; add one, as in \"name: public\"" },
	{ "realms:\n  - name: a\n    interface: eth0\n    addresses:\n"
	  "      - 192.0.2.1\n      - 192.0.2.300\n",
		"test.yaml:6: realms[0].addresses[1]: \"192.0.2.300\" "
		"is "
		"not an IPv4 or IPv6 address" },
	{ "realms:\n  - name: a\n    interface: eth0\n"
	  "    addresses: [127.0.0.1]\n",
		"test.yaml:4: "
		"realms[0].addresses[0]: 127.0.0.1 cannot be an "
		"address "
		"of a realm: use one that others can reach" },
	{ "realms:\n  - name: a\n    interface: eth0\n"
	  "    addresses: 192.0.2.1\n",
		"test.yaml:4: "
		"realms[0].addresses: needs a list, as in [one, two] "
		"or "
		"lines with a dash" },
	{ "realms:\n  - name: a b\n",
		"test.yaml:2: realms[0].name: "
		"\"a b\": only letters, digits, dots, dashes and "
		"underscores make a name" },
	{ "realms: []\n",
		"test.yaml:1: realms: has 0 entries; from 1 "
		"to 16 are possible" },
	{ "realms:\n",
		"test.yaml:1: realms: needs a list, as in "
		"[one, two] or lines with a dash" },
	{ "control:\n  http: 0.0.0.0:8080\n",
		"test.yaml:2: "
		"control.http: 0.0.0.0:8080 is not loopback: add "
		"token_file, so that not everybody commands the relay, "
		"or "
		"use 127.0.0.1" },
	{ "control:\n  http: 127.0.0.1\n",
		"test.yaml:2: control.http: "
		"\"127.0.0.1\" has no port; write 127.0.0.1:8080 or "
		"[::1]:8080" },
	{ "control:\n  http: localhost:8080\n",
		"test.yaml:2: "
		"control.http: \"localhost\" is not an IPv4 or IPv6 "
		"address" },
	{ "control:\n  http: 127.0.0.1:99999\n",
		"test.yaml:2: "
		"control.http: \"99999\" is not a port from 1 to "
		"65535" },
	{ "control:\n  token_file: /nonexistent\n",
		"test.yaml:2: "
		"control.token_file: cannot read /nonexistent: "
		"No such file or directory" },
	{ "control:\n  tls_cert: /a\n",
		"test.yaml:2: control.tls_key: "
		"tls_cert and tls_key go together; add the other one" },
	{ "control: 5\n",
		"test.yaml:1: control: needs \"key: value\" "
		"lines, indented below it" },
	{ "dataplane: {workers: 0}\n",
		"test.yaml:1: dataplane.workers: "
		"0 is not a number from 1 to 16; to name CPUs write "
		"[2, 3]" },
	{ "dataplane: {workers: [1, 1]}\n",
		"test.yaml:1: "
		"dataplane.workers[1]: CPU 1 twice; a worker wants one "
		"of "
		"its own" },
	{ "dataplane: {workers: [1, 70000]}\n",
		"test.yaml:1: "
		"dataplane.workers[1]: \"70000\" is not a number from "
		"0 "
		"to 65535" },
	{ "dataplane: {workers: many}\n",
		"test.yaml:1: "
		"dataplane.workers: \"many\" is not a number from 0 to "
		"4294967295" },
	{ "dataplane: {hugepages: off}\n",
		"test.yaml:1: "
		"dataplane.hugepages: \"off\" is not one of true, yes, "
		"false, no" },
	{ "dataplane: {idle: bussy}\n",
		"test.yaml:1: dataplane.idle: "
		"\"bussy\" is not one of sleep, busy; did you mean "
		"busy?" },
	{ "dataplane: {srtp: ipsecmb}\n",
		"test.yaml:1: dataplane.srtp: "
		"\"ipsecmb\" is not one of auto, ipsec-mb, libsrtp; did you "
		"mean ipsec-mb?" },
	{ "dataplane: {srtp: openssl}\n",
		"test.yaml:1: dataplane.srtp: "
		"\"openssl\" is not one of auto, ipsec-mb, libsrtp" },
	{ REALM "    require_srtp: always\n",
		"test.yaml:5: realms[0].require_srtp: "
		"\"always\" is not one of true, yes, false, no" },
	{ REALM "    required_srtp: true\n",
		"test.yaml:5: realms[0].required_srtp: unknown key; did you "
		"mean require_srtp?" },
	{ "dataplane: {max_calls: 0}\n",
		"test.yaml:1: "
		"dataplane.max_calls: 0 is not a number from 1 to "
		"1000000" },
	{ "dataplane: {max_media: 0}\n",
		"test.yaml:1: "
		"dataplane.max_media: 0 is not a number from 1 to 32" },
	{ "dataplane: {max_media: 33}\n",
		"test.yaml:1: "
		"dataplane.max_media: 33 is not a number from 1 to 32" },
	{ REALM "    private_targets: deny\n",
		"test.yaml:5: realms[0].private_targets: "
		"\"deny\" is not one of allow, refuse" },
	{ "timeouts:\n  media_s: -1\n",
		"test.yaml:2: "
		"timeouts.media_s: \"-1\" is not a number from 0 to "
		"4294967295" },
	{ "timeouts:\n  media_s: 1\n  media_s: 2\n",
		"test.yaml:3: "
		"timeouts.media_s: given twice; remove one of them" },
	{ "timeouts: {media_s: 99999999999999999999}\n",
		"test.yaml:1: "
		"timeouts.media_s: \"99999999999999999999\" is not a "
		"number from 0 to 4294967295" },
	{ "[a]: 1\n", "test.yaml:1: a key must be a word" },
	{ "- a\n",
		"test.yaml:1: needs \"key: value\" lines, indented "
		"below it" },
	{ "control: {http: \"127.0.0.1:80\\0x\"}\n",
		"test.yaml:1: "
		"control.http: has a NUL byte in it; remove it" },
	{ "timeouts: {media_s: 5}\n---\ntimeouts: {media_s: 6}\n",
		"test.yaml:3: a second document begins; remove the \"---\" "
		"before" },
	{ "a: [1,\n",
		"test.yaml:2: not YAML: did not find expected "
		"node content while parsing a flow node" },
};

ParameterizedTestParameters(
	config_mistakes, mistakes_are_told_with_line_key_and_cure)
{
	return cr_make_param_array(struct wrong_case, wrong_cases,
		sizeof wrong_cases / sizeof *wrong_cases);
}

ParameterizedTest(struct wrong_case *tc, config_mistakes,
	mistakes_are_told_with_line_key_and_cure)
{
	char why[SP_CONFIG_WHY];
	struct sp_config conf, before;

	memset(&conf, 0x5a, sizeof conf);
	before = conf;
	cr_expect(eq(int,
			  sp_config_parse("test.yaml", tc->yaml,
				  strlen(tc->yaml), &conf, why),
			  SP_MALFORMED),
		"%s", tc->yaml);
	cr_expect(eq(str, why, tc->want));
	cr_expect(eq(int, memcmp(&conf, &before, sizeof conf), 0));
}
