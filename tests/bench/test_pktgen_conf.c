/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "bench/pktgen_conf.h"
#include "relay/srtp_conf.h"

#define WORDS 24

static struct pktgen_conf conf;
static char words[512];

/* Read a command line, split at blanks. */
static void
read_line(const char *line)
{
	char *argv[WORDS] = { "pktgen" }, *rest = words;
	int argc = 1;

	snprintf(words, sizeof words, "%s", line);
	while (argc < WORDS - 1 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	pktgen_conf_read(&conf, argc, argv);
}

/* Is @a the address that is written so? */
static bool
is(const struct sp_addr *a, const char *written)
{
	char text[SP_ADDR_TEXT];

	return strcmp(sp_addr_print_ip(a, text), written) == 0;
}

Test(pktgen_conf, what_is_not_said_has_a_value)
{
	read_line("--device net_memif0");
	cr_expect(eq(u32, conf.calls, 10));
	cr_expect(eq(u32, conf.payload, 160));
	/* Two ways, 50 packets a second each. */
	cr_expect(eq(dbl, conf.rate, 1000));
	cr_expect(eq(dbl, conf.ring, 1024));
	cr_expect(zero(int, conf.search));
	cr_expect(zero(u16, conf.vlan[0]));
}

Test(pktgen_conf, everything_is_read)
{
	read_line("--device net_memif0,role=client --device 0000:3b:00.1 "
		  "--http 10.0.0.1:8080 --token t --realms public,core "
		  "--net-a 10.1.2.3 --gateway-a 10.1.0.1 "
		  "--gateway-b 02:00:00:00:00:0f --vlan 7,0 --calls 20 "
		  "--search 1e3,2e6");
	cr_expect(eq(str, (char *)conf.device[1], "0000:3b:00.1"));
	cr_expect(eq(str, (char *)conf.http, "10.0.0.1:8080"));
	cr_expect(eq(str, (char *)conf.realm[1], "core"));
	cr_expect(is(&conf.first[0], "10.1.2.3"));
	cr_expect(is(&conf.first[1], "198.19.0.1"));
	cr_expect(is(&conf.gateway[0], "10.1.0.1"));
	cr_expect(zero(u8, conf.gateway[1].family));
	cr_expect(eq(int, memcmp(conf.hop[1], "\2\0\0\0\0\17", 6), 0));
	cr_expect(eq(u16, conf.vlan[0], 7));
	cr_expect(zero(u16, conf.vlan[1]));
	cr_expect(eq(dbl, conf.least, 1000));
	cr_expect(eq(dbl, conf.most, 2000000));
}

Test(pktgen_conf, sides_have_a_family_each)
{
	read_line("--device net_memif0 --ng 10.0.0.1:2223 "
		  "--net-a 2001:db8:a::1 --gateway-a fe80::1");
	cr_expect(is(&conf.first[0], "2001:db8:a::1"));
	cr_expect(is(&conf.first[1], "198.19.0.1"));
	cr_expect(is(&conf.gateway[0], "fe80::1"));
}

Test(pktgen_conf, kinds_are_read)
{
	read_line("--device net_memif0 --ng 10.0.0.1:2223 --only a "
		  "--srtp-a AES_CM_128_HMAC_SHA1_80 --srtp-live --rtcp 5 "
		  "--fresh-calls --watch 12 --ring 16384 --vlan 9 --json");
	cr_expect(eq(u8, conf.suite[0],
		sp_srtp_suite("AES_CM_128_HMAC_SHA1_80", 23)));
	cr_expect(eq(u8, conf.suite[1], SP_SRTP_NONE));
	cr_expect(zero(int, conf.silent[0]));
	cr_expect(conf.silent[1] && conf.srtp_live && conf.fresh_calls);
	cr_expect(conf.json);
	cr_expect(eq(int, conf.watch, 12));
	cr_expect(eq(dbl, conf.ring, 16384));
	cr_expect(eq(u16, conf.vlan[1], 9));
	cr_expect(eq(dbl, conf.rtcp_s, 5));
}

struct wrong_case {
	char line[160];
};

ParameterizedTestParameters(pktgen_conf, refuses)
{
	static struct wrong_case cases[] = {
		{ "--calls 5" },
		{ "--device a --device b --device c" },
		{ "--device a --calls 0" },
		{ "--device a --calls-an-ip 25001" },
		{ "--device a --ng 1.2.3.4:1 --http 1.2.3.4:2" },
		{ "--device a --net-a 1.2.3" },
		{ "--device a --net-a 2001:db8:::1" },
		{ "--device a --net-a 2001:db8::1" },
		{ "--device a --ng 1.2.3.4:1 --net-a 2001:db8::1 "
		  "--gateway-a 1.2.3.4" },
		{ "--device a --gateway-a 1.2.3" },
		{ "--device a --gateway-a 02:00:00:00:00" },
		{ "--device a --gateway-a 02:00:00:00:00:01:02" },
		{ "--device a --vlan 4095" },
		{ "--device a --vlan x" },
		{ "--device a --payload 23" },
		{ "--device a --payload 1401" },
		{ "--device a --ptime 0" },
		{ "--device a --seconds 0" },
		{ "--device a --dtx 91" },
		{ "--device a --only c" },
		{ "--device a --search 5" },
		{ "--device a --search 5,5" },
		{ "--device a --search 0,5" },
		{ "--device a --ring 0" },
		{ "--device a --srtp-a NO_SUITE" },
		{ "--device a --srtp-a AEAD_AES_128_GCM" },
		{ "--device a --ng 1.2.3.4:5 --srtp-a AEAD_AES_128_GCM "
		  "--dtx 5" },
		{ "--device a --nonsense" },
	};

	return cr_make_param_array(
		struct wrong_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct wrong_case *tc, pktgen_conf, refuses, .exit_code = 2,
	.init = cr_redirect_stderr)
{
	read_line(tc->line);
}
