/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/addr.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <string.h>

static struct sp_addr
addr(const char *text, uint16_t port)
{
	struct sp_addr a = { 0 };

	cr_assert(eq(int, sp_addr_parse(text, strlen(text), &a), SP_OK), "%s",
		text);
	a.port = port;
	return a;
}

struct text_case {
	char text[64];
	char printed[64]; /* empty: refused */
};

ParameterizedTestParameters(addr, parse_then_print)
{
	static struct text_case cases[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "2001:DB8:0:0::1", "2001:db8::1" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "1111:2222:3333:4444:5555:6666:7777:8888",
			"1111:2222:3333:4444:5555:6666:7777:8888" },
		{ "", "" },
		{ "192.0.2", "" },
		{ "192.0.2.1.5", "" },
		{ "192.0.2.256", "" },
		{ "192.0.02.1", "" },
		{ "0192.0.2.1", "" },
		{ "0x7f.0.0.1", "" },
		{ "2130706433", "" },
		{ " 192.0.2.1", "" },
		{ "192.0.2.1 ", "" },
		{ "192.0.2.1:80", "" },
		{ "fe80::1%eth0", "" },
		{ "[::1]", "" },
		{ "1::2::3", "" },
		{ ":::", "" },
		{ "12345::", "" },
		{ "example.org", "" },
		{ "1111:2222:3333:4444:5555:6666:255.255.255.255 and more",
			"" },
	};

	return cr_make_param_array(
		struct text_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct text_case *tc, addr, parse_then_print)
{
	char text[SP_ADDR_TEXT];
	struct sp_addr a = { .port = 7 };
	const enum sp_status status =
		sp_addr_parse(tc->text, strlen(tc->text), &a);

	if (tc->printed[0] == '\0') {
		cr_expect(eq(int, status, SP_MALFORMED), "%s", tc->text);
		cr_expect(eq(u16, a.port, 7), "untouched");
		return;
	}
	cr_assert(eq(int, status, SP_OK), "%s", tc->text);
	cr_expect(eq(u16, a.port, 0));
	cr_expect(eq(str, (char *)sp_addr_print_ip(&a, text), tc->printed));
}

Test(addr, parse_reads_only_as_far_as_it_is_told)
{
	struct sp_addr a;

	cr_assert(eq(int, sp_addr_parse("192.0.2.123", 9, &a), SP_OK));
	cr_expect(eq(u8, a.ip[15], 1));
}

Test(addr, parse_refuses_a_nul_inside)
{
	struct sp_addr a;

	cr_expect(eq(int, sp_addr_parse("10.0.0.1\0x", 10, &a), SP_MALFORMED));
	cr_expect(eq(int, sp_addr_parse("10.0.0.1", 9, &a), SP_MALFORMED));
}

Test(addr, print_brackets_ip6_and_adds_the_port)
{
	const struct sp_addr four = addr("192.0.2.1", 65535);
	const struct sp_addr six =
		addr("1111:2222:3333:4444:5555:6666:7777:8888", 40000);
	const struct sp_addr none = { 0 };
	char text[SP_ADDR_TEXT];

	cr_expect(
		eq(str, (char *)sp_addr_print(&four, text), "192.0.2.1:65535"));
	cr_expect(eq(str, (char *)sp_addr_print(&six, text),
		"[1111:2222:3333:4444:5555:6666:7777:8888]:40000"));
	cr_expect(eq(str, (char *)sp_addr_print(&none, text), "none"));
	sp_addr_print(&(struct sp_addr){ .family = SP_FAMILY_IP4 }, text);
	cr_expect(eq(str, text, "0.0.0.0:0"));
}

Test(addr, equal_means_family_address_and_port)
{
	const struct sp_addr a = addr("192.0.2.1", 5000);
	const struct sp_addr port = addr("192.0.2.1", 5002);
	const struct sp_addr mapped = addr("::ffff:192.0.2.1", 5000);
	const struct sp_addr again = sp_addr_ip4(a.ip + 12, 5000);

	cr_expect(sp_addr_equal(&a, &again));
	cr_expect(not(sp_addr_equal(&a, &port)));
	cr_expect(sp_addr_same_ip(&a, &port));
	cr_expect(not(sp_addr_same_ip(&a, &mapped)), "another family");
}

struct scope_case {
	char text[48];
	enum sp_addr_scope want;
};

ParameterizedTestParameters(addr, scope_sees_through_disguises)
{
	static struct scope_case cases[] = {
		{ "192.0.2.1", SP_ADDR_PUBLIC },
		{ "1.0.0.0", SP_ADDR_PUBLIC },
		{ "223.255.255.255", SP_ADDR_PUBLIC },
		{ "10.0.0.1", SP_ADDR_PRIVATE },
		{ "11.0.0.1", SP_ADDR_PUBLIC },
		{ "172.15.0.1", SP_ADDR_PUBLIC },
		{ "172.16.0.1", SP_ADDR_PRIVATE },
		{ "172.31.255.255", SP_ADDR_PRIVATE },
		{ "172.32.0.1", SP_ADDR_PUBLIC },
		{ "192.168.0.1", SP_ADDR_PRIVATE },
		{ "192.169.0.1", SP_ADDR_PUBLIC },
		{ "100.63.0.1", SP_ADDR_PUBLIC },
		{ "100.64.0.1", SP_ADDR_PRIVATE },
		{ "100.127.0.1", SP_ADDR_PRIVATE },
		{ "100.128.0.1", SP_ADDR_PUBLIC },
		{ "0.0.0.0", SP_ADDR_UNSPECIFIED },
		{ "0.0.0.1", SP_ADDR_FORBIDDEN },
		{ "127.0.0.1", SP_ADDR_FORBIDDEN },
		{ "169.254.169.254", SP_ADDR_FORBIDDEN },
		{ "169.253.0.1", SP_ADDR_PUBLIC },
		{ "224.0.0.1", SP_ADDR_FORBIDDEN },
		{ "240.0.0.1", SP_ADDR_FORBIDDEN },
		{ "255.255.255.255", SP_ADDR_FORBIDDEN },
		{ "::", SP_ADDR_UNSPECIFIED },
		{ "::1", SP_ADDR_FORBIDDEN },
		{ "2001:db8::1", SP_ADDR_PUBLIC },
		{ "fc00::1", SP_ADDR_PRIVATE },
		{ "fd12::1", SP_ADDR_PRIVATE },
		{ "fe80::1", SP_ADDR_FORBIDDEN },
		{ "febf::1", SP_ADDR_FORBIDDEN },
		{ "fec0::1", SP_ADDR_PUBLIC },
		{ "ff02::1", SP_ADDR_FORBIDDEN },
		{ "::ffff:127.0.0.1", SP_ADDR_FORBIDDEN },
		{ "::ffff:10.0.0.1", SP_ADDR_PRIVATE },
		{ "::ffff:192.0.2.1", SP_ADDR_PUBLIC },
		{ "::127.0.0.1", SP_ADDR_FORBIDDEN },
		{ "2002:7f00:1::", SP_ADDR_FORBIDDEN },
		{ "2002:a9fe:a9fe::1", SP_ADDR_FORBIDDEN },
		{ "2002:c000:201::1", SP_ADDR_PUBLIC },
		{ "64:ff9b::169.254.169.254", SP_ADDR_FORBIDDEN },
		{ "64:ff9b::10.1.2.3", SP_ADDR_PRIVATE },
		{ "64:ff9b::192.0.2.1", SP_ADDR_PUBLIC },
	};

	return cr_make_param_array(
		struct scope_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct scope_case *tc, addr, scope_sees_through_disguises)
{
	const struct sp_addr a = addr(tc->text, 0);

	cr_expect(eq(int, sp_addr_scope(&a), tc->want), "%s", tc->text);
}

Test(addr, scope_of_no_address_is_unspecified)
{
	const struct sp_addr none = { 0 };

	cr_expect(eq(int, sp_addr_scope(&none), SP_ADDR_UNSPECIFIED));
}

struct within_case {
	char text[32];
	char prefix[32];
	unsigned int bits;
	bool want;
};

ParameterizedTestParameters(addr, within_counts_bits)
{
	static struct within_case cases[] = {
		{ "10.1.2.3", "10.0.0.0", 8, true },
		{ "11.1.2.3", "10.0.0.0", 8, false },
		{ "10.1.2.3", "10.1.2.3", 32, true },
		{ "10.1.2.2", "10.1.2.3", 32, false },
		{ "10.1.2.2", "10.1.2.3", 31, true },
		{ "10.1.2.3", "99.99.99.99", 0, true },
		{ "192.0.2.130", "192.0.2.128", 25, true },
		{ "192.0.2.127", "192.0.2.128", 25, false },
		{ "10.1.2.3", "10.1.2.3", 33, false },
		{ "2001:db8::1", "2001:db8::", 32, true },
		{ "2001:db9::1", "2001:db8::", 32, false },
		{ "2001:db9::1", "2001:db8::", 31, true },
		{ "2001:db8::1", "2001:db8::1", 128, true },
		{ "2001:db8::1", "2001:db8::1", 129, false },
		{ "2001:db8::1", "2001:db8::1", 4000000000, false },
		{ "::ffff:10.1.2.3", "10.0.0.0", 8, false },
		{ "10.1.2.3", "::", 0, false },
	};

	return cr_make_param_array(
		struct within_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct within_case *tc, addr, within_counts_bits)
{
	const struct sp_addr a = addr(tc->text, 1);
	const struct sp_addr prefix = addr(tc->prefix, 2);

	cr_expect(eq(int, sp_addr_within(&a, &prefix, tc->bits), tc->want),
		"%s in %s/%u", tc->text, tc->prefix, tc->bits);
}

Test(addr, within_is_never_so_for_no_address)
{
	const struct sp_addr none = { 0 };

	cr_expect(not(sp_addr_within(&none, &none, 0)));
}
