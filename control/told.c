/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/told.h"

#include <stdlib.h>
#include <string.h>

#define KEPT                                                                   \
	(SP_REPLACE_USERNAME | SP_REPLACE_SESSION_NAME | SP_REPLACE_SDP_VERSION)

/* The address that SDP names @party by, with the port of its m= line @m. */
static struct sp_addr
advertised(const struct sp_exchange *x, const struct sp_party *party,
	unsigned int m)
{
	const struct sp_leg *leg = &party->leg[m];
	const struct sp_pair *pair = &leg->pair[leg->six];
	struct sp_addr addr = x->s->ports.local[pair->local].advertised;

	addr.port = pair->port;
	return addr;
}

/* Our address for what is not about an m= line that is relayed. */
static struct sp_addr
session_address(const struct sp_exchange *x, const struct sp_party *party)
{
	int local = sp_ports_local(
		&x->s->ports, party->realm, (enum sp_family)party->family);

	for (unsigned int m = 0; m < x->plan.media_count; m++)
		if (x->plan.media[m].accepted)
			return advertised(x, party, m);
	/* A realm has at least one address. */
	if (local < 0)
		local = sp_ports_local(
			&x->s->ports, party->realm, SP_FAMILY_IP4);
	if (local < 0)
		local = sp_ports_local(
			&x->s->ports, party->realm, SP_FAMILY_IP6);
	return x->s->ports.local[local].advertised;
}

static bool
write_sdp(struct sp_exchange *x, const struct sp_negotiate_told *told,
	size_t *len)
{
	const struct sp_party *party = x->cast.party[x->to];
	struct sp_addr local[SP_SDP_MEDIA_MAX];
	const struct sp_addr session = session_address(x, party);
	struct sp_sdp_edit edit = { 0 };

	for (unsigned int m = 0; m < x->plan.media_count; m++)
		if (x->plan.media[m].accepted)
			local[m] = advertised(x, party, m);
	sp_negotiate_edit(&x->sdp, &x->plan, x->policy, x->keys, told, &session,
		local, &edit);
	if (sp_sdp_edit(&x->sdp, &edit, x->s->sdp, sizeof x->s->sdp, len) ==
		SP_OK)
		return true;
	sp_problem_set(&x->problem, SP_PROBLEM_BAD_SDP, "sdp",
		"with what the request adds it would have more than %zu bytes: "
		"add less",
		sizeof x->s->sdp);
	return false;
}

static struct sp_sdp_text
text_of(const char *string)
{
	return (struct sp_sdp_text){ string, string ? strlen(string) : 0 };
}

/* Keep @text as what was told first, unless something was. */
static bool
keep(char **first, struct sp_sdp_text text)
{
	const struct sp_text copy = { text.at, text.len };

	return *first || sp_party_text(first, copy) == SP_OK;
}

/* The number in @text, or 1: ours need not continue anything else. */
static uint64_t
number_of(struct sp_sdp_text text)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9' ||
			value > UINT64_MAX / 20)
			return 1;
		value = value * 10 + (uint64_t)(text.at[i] - '0');
	}
	return value > 0 ? value : 1;
}

/* What @x->to was told, as far as the request wants it kept. */
static bool
remember(struct sp_exchange *x, struct sp_told **out)
{
	struct sp_party *party = x->cast.party[x->to];
	const uint8_t replace = x->policy->replace;
	struct sp_told *told = party->told;

	*out = NULL;
	if (!(replace & KEPT))
		return true;
	if (!told)
		told = party->told = calloc(1, sizeof *told);
	if (!told)
		return false;
	if (replace & SP_REPLACE_USERNAME &&
		!keep(&told->username, x->sdp.username))
		return false;
	if (replace & SP_REPLACE_SESSION_NAME &&
		!keep(&told->session_name, x->sdp.name))
		return false;
	*out = told;
	return true;
}

/* With our own version in o=, which grows when anything else differs. */
static bool
write_counted(struct sp_exchange *x, struct sp_told *kept,
	struct sp_negotiate_told *told, size_t *len)
{
	const bool first = kept->version == 0;
	uint64_t body;

	if (first)
		kept->version = number_of(x->sdp.version);
	told->version = kept->version;
	if (!write_sdp(x, told, len))
		return false;
	body = sp_hash(&x->s->told_key, x->s->sdp, *len);
	if (!first && body != kept->body) {
		told->version = ++kept->version;
		if (!write_sdp(x, told, len))
			return false;
		body = sp_hash(&x->s->told_key, x->s->sdp, *len);
	}
	kept->body = body;
	return true;
}

/* Is there a key in the SDP, of ours or of those that go end to end? */
static bool
has_keys(const struct sp_exchange *x)
{
	bool has = false;

	for (unsigned int m = 0; m < x->plan.media_count; m++)
		has |= x->keys[m].count > 0 || !x->keys[m].strip_crypto;
	return has;
}

json_t *
sp_told_write(struct sp_exchange *x)
{
	struct sp_negotiate_told told = { 0 };
	struct sp_told *kept;
	json_t *body = NULL;
	size_t len = 0;
	bool fine;

	if (!remember(x, &kept))
		return NULL;
	if (x->request->loop_protect)
		told.loop = text_of(x->s->id);
	if (kept && x->policy->replace & SP_REPLACE_USERNAME)
		told.username = text_of(kept->username);
	if (kept && x->policy->replace & SP_REPLACE_SESSION_NAME)
		told.session_name = text_of(kept->session_name);
	fine = kept && x->policy->replace & SP_REPLACE_SDP_VERSION
		? write_counted(x, kept, &told, &len)
		: write_sdp(x, &told, &len);
	/* What came in as UTF-8 goes out as such; ng does not ask for it. */
	if (fine)
		body = json_pack("{s:o, s:O}", "sdp",
			json_stringn_nocheck(x->s->sdp, len), "warnings",
			x->warnings);
	if (has_keys(x))
		explicit_bzero(x->s->sdp, fine ? len : sizeof x->s->sdp);
	return body;
}
