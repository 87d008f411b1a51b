/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/reserve.h"
#include "tests/dataplane/netns.h"

#define SETTING "/proc/sys/net/ipv4/ip_local_reserved_ports"

/* What is read, and how the same set is written. */
struct text_case {
	char in[48];
	char out[48];
	enum sp_status want;
};

ParameterizedTestParameters(reserve, reads_the_kernels_list)
{
	static struct text_case cases[] = {
		{ "\n", "", SP_OK },
		{ "", "", SP_OK },
		{ "5060\n", "5060", SP_OK },
		{ "0", "0", SP_OK },
		{ "65535", "65535", SP_OK },
		{ "30000-39999\n", "30000-39999", SP_OK },
		{ "1,2,3", "1-3", SP_OK },
		{ "63-64,65", "63-65", SP_OK },
		{ "9,7-7,30000-30001", "7,9,30000-30001", SP_OK },
		{ "1-5,3-9", "1-9", SP_OK },
		{ "0-65535", "0-65535", SP_OK },
		{ "65536", "", SP_MALFORMED },
		{ "100000", "", SP_MALFORMED },
		{ "5-4", "", SP_MALFORMED },
		{ "-4", "", SP_MALFORMED },
		{ "4-", "", SP_MALFORMED },
		{ "4,", "", SP_MALFORMED },
		{ ",4", "", SP_MALFORMED },
		{ "4 5", "", SP_MALFORMED },
		{ "4;5", "", SP_MALFORMED },
		{ "x", "", SP_MALFORMED },
		{ "\n\n", "", SP_MALFORMED },
	};

	return cr_make_param_array(
		struct text_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct text_case *c, reserve, reads_the_kernels_list)
{
	struct sp_reserve_set set;
	char text[48];
	const enum sp_status got = sp_reserve_parse(c->in, strlen(c->in), &set);

	cr_assert(eq(int, got, c->want), "\"%s\"", c->in);
	if (got != SP_OK)
		return;
	cr_assert(eq(int, sp_reserve_write(&set, text, sizeof text), SP_OK));
	cr_expect(eq(str, text, c->out));
}

Test(reserve, says_that_a_text_does_not_fit)
{
	struct sp_reserve_set set;
	char text[12];

	cr_assert(eq(int, sp_reserve_parse("30000-39999", 11, &set), SP_OK));
	cr_expect(eq(int, sp_reserve_write(&set, text, 12), SP_OK));
	cr_expect(eq(int, sp_reserve_write(&set, text, 11), SP_NO_SPACE));
	cr_expect(eq(int, sp_reserve_write(&set, text, 0), SP_NO_SPACE));
}

/* Does the kernel's list read @want? */
static void
expect_setting(const char *want)
{
	char line[256] = "";
	FILE *from = fopen(SETTING, "r");

	cr_assert(from != NULL);
	cr_assert(fgets(line, sizeof line, from) != NULL);
	fclose(from);
	line[strcspn(line, "\n")] = '\0';
	cr_expect(eq(str, line, (char *)want));
}

Test(reserve, adds_its_ports_and_takes_them_out_again)
{
	const struct sp_reserve_range ranges[] = {
		{ 30000, 30999 },
		{ 5060, 5061 },
	};
	struct sp_reserve *reserve = NULL;
	char why[SP_EAL_WHY] = "";

	netns_enter();
	netns_run("echo 5061,8080 > " SETTING);
	cr_assert(eq(int, sp_reserve_open(ranges, 2, &reserve, why), SP_OK),
		"%s", why);
	expect_setting("5060-5061,8080,30000-30999");
	netns_run("echo 5060-5061,8080,9090,30000-30999 > " SETTING);
	sp_reserve_close(reserve);
	expect_setting("5061,8080,9090");
}

Test(reserve, leaves_an_empty_list_empty)
{
	const struct sp_reserve_range range = { 30000, 39999 };
	struct sp_reserve *reserve = NULL;
	char why[SP_EAL_WHY] = "";

	netns_enter();
	cr_assert(eq(int, sp_reserve_open(&range, 1, &reserve, why), SP_OK));
	expect_setting("30000-39999");
	sp_reserve_close(reserve);
	expect_setting("");
}

Test(reserve, takes_a_list_longer_than_a_page)
{
	static struct sp_reserve_range range[4000];
	struct sp_reserve *reserve = NULL;
	struct sp_reserve *again = NULL;
	char why[SP_EAL_WHY] = "";

	netns_enter();
	for (unsigned i = 0; i < 4000; i++)
		range[i].first = range[i].last = (uint16_t)(10000 + 2 * i);
	cr_assert(eq(int, sp_reserve_open(range, 4000, &reserve, why), SP_OK),
		"%s", why);
	/* It sees all of them there: so it adds, and takes out, none. */
	cr_assert(eq(int, sp_reserve_open(range, 4000, &again, why), SP_OK),
		"%s", why);
	sp_reserve_close(reserve);
	expect_setting("");
	sp_reserve_close(again);
	expect_setting("");
}

/* What was reported. */
struct report {
	size_t n;
	char text[4][SP_ADDR_TEXT];
	uint64_t inode[4];
};

static void
note(void *arg, const struct sp_addr *local, uint64_t inode)
{
	struct report *r = arg;

	cr_assert(lt(sz, r->n, 4));
	sp_addr_print(local, r->text[r->n]);
	r->inode[r->n++] = inode;
}

static void
bind_socket(const char *ip, unsigned port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port) };
	struct sockaddr_in four = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	const bool is_six = strchr(ip, ':') != NULL;
	const int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	int err;

	if (is_six) {
		inet_pton(AF_INET6, ip, &six.sin6_addr);
		err = bind(fd, (struct sockaddr *)&six, sizeof six);
	} else {
		inet_pton(AF_INET, ip, &four.sin_addr);
		err = bind(fd, (struct sockaddr *)&four, sizeof four);
	}
	cr_assert(eq(int, err, 0));
}

Test(reserve, names_the_sockets_in_its_ranges)
{
	const struct sp_reserve_range range = { 30000, 30999 };
	struct report report = { 0 };

	netns_enter();
	bind_socket("127.0.0.1", 30000);
	bind_socket("127.0.0.1", 31000);
	bind_socket("::1", 30999);
	bind_socket("::1", 29999);
	cr_assert(eq(sz, sp_reserve_sockets(&range, 1, note, &report), 2));
	cr_expect(eq(str, report.text[0], "127.0.0.1:30000"));
	cr_expect(eq(str, report.text[1], "[::1]:30999"));
	cr_expect(ne(u64, report.inode[0], 0));
	cr_expect(ne(u64, report.inode[0], report.inode[1]));
}
