/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/srtp_conf.h"

#include <string.h>
#include <strings.h>

static const struct sp_srtp_facts suites[SP_SRTP_SUITES] = {
	[SP_SRTP_NONE] = { .name = "none" },
#define X(id, text, key, salt, rtp, rtcp)                                      \
	[SP_SRTP_##id] = { text, key, salt, rtp, rtcp, (salt) == 12 },
	SP_SRTP_SUITE_LIST(X)
#undef X
};

const struct sp_srtp_facts *
sp_srtp_facts(enum sp_srtp_suite suite)
{
	return &suites[suite < SP_SRTP_SUITES ? suite : SP_SRTP_NONE];
}

enum sp_srtp_suite
sp_srtp_suite(const char *text, size_t len)
{
	for (unsigned int s = SP_SRTP_NONE + 1; s < SP_SRTP_SUITES; s++)
		if (strlen(suites[s].name) == len &&
			strncasecmp(suites[s].name, text, len) == 0)
			return (enum sp_srtp_suite)s;
	return SP_SRTP_NONE;
}

bool
sp_srtp_conf_equal(const struct sp_srtp_conf *a, const struct sp_srtp_conf *b)
{
	const struct sp_srtp_facts *facts = sp_srtp_facts(a->suite);

	if (a->suite != b->suite)
		return false;
	if (a->suite == SP_SRTP_NONE)
		return true;
	if (a->flags != b->flags || a->mki_len != b->mki_len ||
		a->n_keys != b->n_keys)
		return false;
	for (unsigned int k = 0; k < a->n_keys; k++)
		if (memcmp(a->key[k].key, b->key[k].key,
			    (size_t)facts->key_len + facts->salt_len) != 0 ||
			memcmp(a->key[k].mki, b->key[k].mki, a->mki_len) != 0)
			return false;
	return true;
}
