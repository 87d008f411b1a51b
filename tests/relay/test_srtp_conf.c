/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "relay/srtp_conf.h"

Test(srtp_conf, every_suite_is_found_by_its_name_in_any_case)
{
	for (unsigned int i = SP_SRTP_NONE + 1; i < SP_SRTP_SUITES; i++) {
		char text[40];

		strcpy(text, sp_srtp_facts(i)->name);
		cr_expect(eq(int, sp_srtp_suite(text, strlen(text)), (int)i));
		text[0] |= 0x20;
		text[5] |= 0x20;
		cr_expect(eq(int, sp_srtp_suite(text, strlen(text)), (int)i));
	}
}

Test(srtp_conf, nothing_else_is_a_suite)
{
	static const char *const others[] = { "", "none", "F8_128_HMAC_SHA1_80",
		"AES_CM_128_HMAC_SHA1_8", "AES_CM_128_HMAC_SHA1_800",
		"AES_192_CM_HMAC_SHA1_80", "AES_CM_128_NULL_AUTH" };

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		cr_expect(eq(int, sp_srtp_suite(others[i], strlen(others[i])),
				  SP_SRTP_NONE),
			"%s", others[i]);
}

Test(srtp_conf, facts_are_those_of_the_rfcs)
{
	const struct sp_srtp_facts *f = sp_srtp_facts(SP_SRTP_AES_CM_256_32);

	cr_expect(eq(int, f->key_len, 32));
	cr_expect(eq(int, f->salt_len, 14));
	cr_expect(eq(int, f->rtp_tag, 4));
	cr_expect(eq(int, f->rtcp_tag, 10)); /* of 80 bits all the same */
	cr_expect(not(f->aead));
	f = sp_srtp_facts(SP_SRTP_GCM_128);
	cr_expect(eq(int, f->key_len, 16));
	cr_expect(eq(int, f->salt_len, 12));
	cr_expect(eq(int, f->rtp_tag, 16));
	cr_expect(f->aead);
	cr_expect(eq(int, sp_srtp_facts(SP_SRTP_NONE)->key_len, 0));
	cr_expect(eq(int, sp_srtp_facts(99)->key_len, 0));
}

static struct sp_srtp_conf
conf_of(uint8_t suite)
{
	struct sp_srtp_conf conf = {
		.suite = suite,
		.mki_len = 2,
		.n_keys = 2,
	};

	for (unsigned int k = 0; k < 2; k++) {
		memset(conf.key[k].key, (int)k + 1, sizeof conf.key[k].key);
		memset(conf.key[k].mki, (int)k + 7, sizeof conf.key[k].mki);
	}
	return conf;
}

Test(srtp_conf, only_what_counts_is_compared)
{
	const struct sp_srtp_conf a = conf_of(SP_SRTP_GCM_128);
	struct sp_srtp_conf b = a;

	cr_expect(sp_srtp_conf_equal(&a, &b));
	b.key[1].key[28] ^= 1; /* behind 16 + 12 bytes */
	b.key[1].mki[2] ^= 1;
	cr_expect(sp_srtp_conf_equal(&a, &b));
	b.key[1].key[27] ^= 1;
	cr_expect(not(sp_srtp_conf_equal(&a, &b)));
	b = a;
	b.key[0].mki[1] ^= 1;
	cr_expect(not(sp_srtp_conf_equal(&a, &b)));
	b = a;
	b.n_keys = 1;
	cr_expect(not(sp_srtp_conf_equal(&a, &b)));
	b = a;
	b.mki_len = 1;
	cr_expect(not(sp_srtp_conf_equal(&a, &b)));
	b = a;
	b.flags = SP_SRTP_NO_AUTH;
	cr_expect(not(sp_srtp_conf_equal(&a, &b)));
	b = conf_of(SP_SRTP_GCM_256);
	cr_expect(not(sp_srtp_conf_equal(&a, &b)));
}

Test(srtp_conf, without_a_suite_nothing_else_counts)
{
	const struct sp_srtp_conf a = { 0 };
	const struct sp_srtp_conf b = conf_of(SP_SRTP_NONE);

	cr_expect(sp_srtp_conf_equal(&a, &b));
}
