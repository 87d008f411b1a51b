/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The value of an a=crypto line. Of every one that is accepted: it is within
 * the limits that an engine relies on, says nothing where its suite has
 * nothing to say, and what is written of it is of bounded length, has no
 * blank or line end too many, reads back as the very same and is written the
 * same again. Nothing is left in the output of one that is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/sdes.h"

static void
must(bool truth)
{
	if (!truth)
		abort();
}

static bool
is_zero(const uint8_t *at, size_t len)
{
	while (len > 0 && at[len - 1] == 0)
		len--;
	return len == 0;
}

static void
check_conf(const struct sp_srtp_conf *srtp)
{
	const struct sp_srtp_facts *facts =
		sp_srtp_facts((enum sp_srtp_suite)srtp->suite);
	const size_t key = facts->key_len + facts->salt_len;

	must(srtp->suite > SP_SRTP_NONE && srtp->suite < SP_SRTP_SUITES);
	must(srtp->n_keys >= 1 && srtp->n_keys <= SP_SRTP_KEYS_MAX);
	must(srtp->mki_len <= SP_SRTP_MKI_MAX);
	must(srtp->n_keys == 1 || srtp->mki_len > 0);
	must(srtp->n_keys == 1 ||
		memcmp(srtp->key[0].mki, srtp->key[1].mki, srtp->mki_len) != 0);
	must(!facts->aead || srtp->flags == 0);
	must(srtp->flags <=
		(SP_SRTP_PLAIN_RTP | SP_SRTP_PLAIN_RTCP | SP_SRTP_NO_AUTH));
	for (unsigned int i = 0; i < SP_SRTP_KEYS_MAX; i++) {
		const struct sp_srtp_key *k = &srtp->key[i];
		const size_t used = i < srtp->n_keys ? key : 0;
		const size_t mki = i < srtp->n_keys ? srtp->mki_len : 0;

		must(is_zero(k->key + used, sizeof k->key - used));
		must(is_zero(k->mki + mki, sizeof k->mki - mki));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct sp_sdp_text value = { (const char *)data, len };
	char text[SP_SDES_TEXT_MAX], again[SP_SDES_TEXT_MAX];
	struct sp_sdes line, second, untouched;
	enum sp_status status;
	size_t n;

	memset(&line, 0xa5, sizeof line);
	untouched = line;
	status = sp_sdes_parse(value, &line);
	if (status != SP_OK) {
		must(status == SP_MALFORMED || status == SP_UNSUPPORTED);
		must(memcmp(&line, &untouched, sizeof line) == 0);
		return 0;
	}
	must(line.tag >= 1 && line.tag <= SP_SDES_TAG_MAX);
	check_conf(&line.srtp);

	n = sp_sdes_write(&line, text);
	must(n <= sizeof text && text[n - 1] != ' ');
	for (size_t i = 0; i < n; i++)
		must(text[i] >= ' ' && text[i] <= '~');
	memset(&second, 0, sizeof second);
	must(sp_sdes_parse((struct sp_sdp_text){ text, n }, &second) == SP_OK);
	must(line.tag == second.tag && line.lifetime == second.lifetime);
	must(memcmp(&line.srtp, &second.srtp, sizeof line.srtp) == 0);
	must(sp_sdes_write(&second, again) == n);
	must(memcmp(text, again, n) == 0);
	return 0;
}
