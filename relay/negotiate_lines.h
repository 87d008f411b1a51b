/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_NEGOTIATE_LINES_H
#define SP_RELAY_NEGOTIATE_LINES_H

#include "relay/negotiate_keys.h"

/*
 * The inside of negotiate_keys.c: which a=crypto line of a party counts, and
 * which lines the other one is shown.
 */

/*
 * Choose the offerer's line that counts: the same as before if it is still
 * there, else as the policy prefers, else its first one that we can use.
 * False: there is none; @out is then untouched.
 */
bool sp_negotiate_lines_choose(const struct sp_sdp_media *m,
	const struct sp_sdes_policy *sdes, const struct sp_keys_before *before,
	struct sp_sdes *out);

/*
 * Put into @out->line what the receiver of an offer is shown; may be none.
 * @out->from says whether the offerer's suites count.
 */
void sp_negotiate_lines_show(const struct sp_sdp_media *m,
	const struct sp_sdes_policy *sdes, const struct sp_keys_before *before,
	struct sp_plan_keys *out);

/*
 * Find the answerer's line that is one of ours. @out->tag is 0 if there is
 * none; returned is then what is wrong with those there are, or NULL.
 */
const char *sp_negotiate_lines_match(const struct sp_sdp_media *m,
	const struct sp_keys_offered *offered, struct sp_sdes *out);

/*
 * Put into @out->line the one that answers the offerer's: its tag, suite,
 * parameters and MKI, with the key that we send under already, if it fits.
 */
void sp_negotiate_lines_reply(const struct sp_sdes_policy *sdes,
	const struct sp_keys_offered *offered, struct sp_plan_keys *out);

#endif
