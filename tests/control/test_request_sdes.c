/* SPDX-License-Identifier: BSD-3-Clause */
/* What is asked of SDES and OSRTP, at both doors. */
#include "ng_reader.h"

/* Every field that is not zero, by a word each. */
static const char *
shown(const struct sp_sdes_policy *p)
{
	static const char *const flag_names[] = { "rtp", "rtcp", "auth" };
	static const char suites[][4] = { "0", "80", "32", "280", "232", "g1",
		"g2" };
	static char text[256];
	const struct {
		bool is;
		const char *name;
	} words[] = {
		{ p->off, "off" },
		{ p->pass, "pass" },
		{ p->no_new, "no_new" },
		{ p->lifetime, "lifetime" },
		{ p->keep, "keep" },
		{ p->osrtp_offer, "offer" },
		{ p->osrtp_accept, "accept" },
	};
	FILE *to = fmemopen(text, sizeof text, "w");

	cr_assert(to != NULL);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].is)
			fprintf(to, " %s", words[i].name);
	for (unsigned int i = 0; i < SP_SRTP_SUITES; i++)
		if (p->without & SP_SDES_BIT(i))
			fprintf(to, " -%s", suites[i]);
	for (unsigned int i = 0; i < 3; i++)
		if (p->add >> i & 1)
			fprintf(to, " +%s", flag_names[i]);
	for (unsigned int i = 0; i < 3; i++)
		if (p->drop >> i & 1)
			fprintf(to, " !%s", flag_names[i]);
	for (unsigned int i = 0; i < p->n_order; i++)
		fprintf(to, " <%s", suites[p->order[i]]);
	for (unsigned int i = 0; i < p->n_prefer; i++)
		fprintf(to, " >%s", suites[p->prefer[i]]);
	fputc('\0', to);
	fclose(to);
	return text[0] ? text + 1 : text;
}

#define FLAGS(list) "\"flags\":[" list "]"
#define STRING(text) "\"rtpp-flags\":\"" text "\""
#define SDES(list) "\"SDES\":[" list "]"
#define CM80 "AES_CM_128_HMAC_SHA1_80"
#define CM32 "AES_CM_128_HMAC_SHA1_32"
#define G128 "AEAD_AES_128_GCM"
#define ONLY_CM80 "-32 -280 -232 -g1 -g2"
#define NO_SUITE "off -80 -32 -280 -232 -g1 -g2"
#define LEAVES_NONE "\"SDES\" leaves no suite"

/* A key or flag of ng, what becomes of it, and what is said. */
struct ng_case {
	char body[160];
	char want[64];
	char warning[64]; /* "": none; or how the first one starts */
};

/* clang-format off */
static struct ng_case ng_cases[] = {
	{ SDES(""), "", "" },
	/* none */
	{ SDES("\"off\""), "off", "" },
	{ "\"SDES\":\"no\"", "off", "" },
	{ "\"sdes\":\"Disable\"", "off", "" },
	{ FLAGS("\"SDES-disabled\""), "off", "" },
	{ STRING("SDES=off"), "off", "" },
	{ STRING("SDES-off"), "off", "" },
	/* suites */
	{ SDES("\"no-" CM32 "\""), "-32", "" },
	{ FLAGS("\"SDES-no-" CM32 "\",\"SDES_no_" G128 "\""), "-32 -g1", "" },
	{ SDES("\"no-" CM32 ";" G128 "\""), "-32 -g1", "" },
	{ SDES("\"only-" CM80 "\""), ONLY_CM80 " <80", "" },
	{ FLAGS("\"SDES-only-" G128 "\",\"SDES-only-" CM80 "\""),
	  "-32 -280 -232 -g2 <g1 <80", "" },
	{ STRING("SDES-only-" CM80 " SDES-nonew"), "no_new " ONLY_CM80 " <80",
	  "" },
	{ STRING("SDES=[only-" CM80 " lifetime]"),
	  "lifetime " ONLY_CM80 " <80", "" },
	{ SDES("\"only-" CM80 "\",\"only-" CM32 "\",\"order:" CM32 "\""),
	  "-280 -232 -g1 -g2 <32 <80", "" },
	{ SDES("\"only-aes_cm_128_hmac_sha1_80\""), ONLY_CM80 " <80", "" },
	{ SDES("\"no-F8_128_HMAC_SHA1_80\",\"no-NULL_HMAC_SHA1_32\""), "",
	  "" },
	{ SDES("\"no-AES_192_CM_HMAC_SHA1_80\",\"no-" CM80 "\""), "-80",
	  "" },
	{ SDES("\"no-AEAD_AES_128_GMC\""), "",
	  "\"SDES=no-AEAD_AES_128_GMC\" is not supported: the" },
	{ SDES("\"no-\""), "", "\"SDES=no-\" is not supported" },
	{ SDES("\"only-" CM80 "\",\"only-F8_128_HMAC_SHA1_80\""),
	  ONLY_CM80 " <80", "\"SDES=only-F8_128_HMAC_SHA1_80\" is not" },
	/* who wants only what we cannot do gets nothing, not all */
	{ SDES("\"only-F8_128_HMAC_SHA1_80\""), NO_SUITE,
	  "\"SDES=only-F8_128_HMAC_SHA1_80\" is not" },
	{ FLAGS("\"SDES-only-x\""), NO_SUITE, "\"SDES=only-x\" is not" },
	{ SDES("\"only-\""), NO_SUITE, "\"SDES=only-\" is not supported" },
	{ SDES("\"only-" CM80 "\",\"no-" CM80 "\""), NO_SUITE " <80",
	  LEAVES_NONE },
	{ SDES("\"only-x\",\"off\""), NO_SUITE, "\"SDES=only-x\" is not" },
	/* which first */
	{ SDES("\"order:" G128 ";" CM80 ";" G128 "\""), "<g1 <80", "" },
	{ FLAGS("\"SDES-order:" G128 ";" CM80 "\""), "<g1 <80", "" },
	{ SDES("\"order:x;" CM80 "\""), "<80", "\"SDES=order:x;AES_CM" },
	{ SDES("\"order:\""), "", "\"SDES=order:\" is not supported" },
	{ SDES("\"offerer_pref:" CM32 ";" CM80 "\""), ">32 >80", "" },
	{ FLAGS("\"SDES-offerer-pref:" CM32 "\""), ">32", "" },
	/* the rest */
	{ SDES("\"nonew\",\"lifetime\",\"static\""),
	  "no_new lifetime keep", "" },
	{ SDES("\"pad\",\"prefer\""), "", "" },
	{ FLAGS("\"SDES-pad\",\"pad-crypto\""), "", "" },
	{ SDES("\"unencrypted_srtp\",\"UNENCRYPTED_SRTCP\""), "+rtp +rtcp",
	  "" },
	{ FLAGS("\"SDES-unauthenticated_srtp\",\"SDES-ENCRYPTED_SRTP\""),
	  "+auth !rtp", "" },
	{ SDES("\"encrypted-srtcp\",\"AUTHENTICATED_SRTP\""), "!rtcp !auth",
	  "" },
	{ SDES("\"nonewer\""), "", "unknown value \"nonewer\" of \"SDES\"" },
	{ SDES("\"pass\""), "", "unknown value \"pass\" of \"SDES\"" },
	{ SDES("7"), "", "\"SDES\" must be a list of strings" },
	/* end to end */
	{ FLAGS("\"passthrough\""), "pass", "" },
	{ FLAGS("\"passthru\""), "pass", "" },
	{ FLAGS("\"passthrough\",\"recrypt\""), "", "" },
	{ FLAGS("\"no-passthrough\""), "", "" },
	{ "\"passthrough\":\"on\"", "pass", "" },
	{ "\"passthru\":\"yes\"", "pass", "" },
	{ "\"passthrough\":\"off\"", "", "" },
	{ STRING("passthrough=on"), "pass", "" },
	{ "\"passthrough\":\"maybe\"", "", "unknown value \"maybe\"" },
	/* OSRTP */
	{ "\"OSRTP\":[\"offer\",\"accept\"]", "offer accept", "" },
	{ "\"OSRTP\":\"offer-RFC,accept-legacy\"", "offer accept", "" },
	{ FLAGS("\"OSRTP-accept\""), "accept", "" },
	{ FLAGS("\"OSRTP-offer-legacy\",\"osrtp_accept_rfc\""),
	  "offer accept", "" },
	{ STRING("OSRTP=offer"), "offer", "" },
	{ "\"OSRTP\":\"off\"", "", "" },
	{ FLAGS("\"OSRTP-no\""), "", "" },
	{ FLAGS("\"OSRTP-require\""), "", "unknown value \"require\" of" },
};
/* clang-format on */

ParameterizedTestParameters(request_sdes, ng_asks_with_a_key_or_with_flags)
{
	return cr_make_param_array(
		struct ng_case, ng_cases, sizeof ng_cases / sizeof *ng_cases);
}

ParameterizedTest(
	struct ng_case *tc, request_sdes, ng_asks_with_a_key_or_with_flags)
{
	char body[260];
	struct read read;

	snprintf(body, sizeof body, "{%s,%s}", tc->body, OFFER);
	read = read_ng(SP_VERB_OFFER, body);
	cr_assert(eq(int, read.status, SP_OK), "%s", body);
	cr_expect(eq(str, (char *)(uintptr_t)shown(&read.request.policy.sdes),
			  tc->want),
		"%s", tc->body);
	cr_expect(strncmp(warning(&read, 0), tc->warning,
			  strlen(tc->warning)) == 0,
		"%s: %s", tc->body, warning(&read, 0));
	if (!tc->warning[0])
		cr_expect(eq(sz, json_array_size(read.warnings), 0), "%s: %s",
			tc->body, warning(&read, 0));
	done(&read);
}

Test(request_sdes, that_nothing_is_left_is_said_besides_why)
{
	struct read read = read_ng(SP_VERB_ANSWER,
		"{" OFFER ",\"to-tag\":\"t\",\"SDES\":[\"only-x\"]}");

	cr_assert(eq(int, read.status, SP_OK));
	cr_expect(read.request.policy.sdes.off);
	cr_assert(eq(sz, json_array_size(read.warnings), 2));
	cr_expect(strncmp(warning(&read, 1), LEAVES_NONE,
			  strlen(LEAVES_NONE)) == 0);
	done(&read);
}

Test(request_sdes, other_commands_do_not_look_at_it)
{
	struct read read = read_ng(
		SP_VERB_DELETE, "{" CALL ",\"SDES\":[\"only-x\",\"what\"]}");

	cr_assert(eq(int, read.status, SP_OK));
	cr_expect(eq(
		str, (char *)(uintptr_t)shown(&read.request.policy.sdes), ""));
	cr_expect(eq(sz, json_array_size(read.warnings), 0));
	done(&read);
}

/* Fields of HTTP, and what becomes of them or what is wrong. */
struct http_case {
	char body[160];
	char want[64];
	char refused[80]; /* "": it is not; or a part of why */
};

/* clang-format off */
static struct http_case http_cases[] = {
	{ "\"sdes\":[],\"osrtp\":[]", "", "" },
	{ "\"sdes\":[\"off\"]", "off", "" },
	{ "\"sdes\":[\"pass\"]", "pass", "" },
	{ "\"sdes\":[\"no-" CM32 "\",\"nonew\"]", "no_new -32", "" },
	{ "\"sdes\":[\"only-" CM80 "\"]", ONLY_CM80 " <80", "" },
	{ "\"sdes\":[\"order:" G128 ";" CM80 "\"]", "<g1 <80", "" },
	{ "\"sdes\":[\"offerer_pref:" CM32 "\",\"static\"]", "keep >32", "" },
	{ "\"sdes\":[\"lifetime\",\"unencrypted_srtcp\"]", "lifetime +rtcp",
	  "" },
	{ "\"sdes\":[\"encrypted_srtp\",\"authenticated_srtp\"]",
	  "!rtp !auth", "" },
	{ "\"sdes\":[\"no-F8_128_HMAC_SHA1_80\"]", "", "" },
	{ "\"osrtp\":[\"offer\",\"accept\"]", "offer accept", "" },
	{ "\"sdes\":\"off\"", "", "\"sdes\" must be a list of strings" },
	{ "\"sdes\":[1]", "", "\"sdes\" must be a list of strings" },
	{ "\"sdes\":[\"Off\"]", "", "\"Off\" is not one of off, pass, no-*" },
	{ "\"sdes\":[\"of\"]", "", "did you mean off?" },
	{ "\"sdes\":[\"pad\"]", "", "\"pad\" is not one of" },
	{ "\"sdes\":[\"NO-" CM80 "\"]", "", "is not one of" },
	{ "\"sdes\":[\"no-x\"]", "", "\"sdes=no-x\" is not supported: the" },
	{ "\"sdes\":[\"no-\"]", "", "\"sdes=no-\" is not supported" },
	{ "\"sdes\":[\"only-F8_128_HMAC_SHA1_80\"]", "",
	  "is not supported: the suites are AES_CM_128_HMAC_SHA1_80 AES" },
	{ "\"sdes\":[\"order:" CM80 ";\"]", "", "is not supported" },
	{ "\"sdes\":[\"only-" CM80 "\",\"no-" CM80 "\"]", "",
	  "leaves no suite" },
	{ "\"osrtp\":[\"accept-RFC\"]", "", "is not one of offer, accept" },
	{ "\"osrtp\":\"offer\"", "", "\"osrtp\" must be a list" },
	{ "\"sdess\":[\"off\"]", "", "did you mean sdes?" },
	{ "\"passthrough\":true", "", "\"passthrough\" is not a field" },
};
/* clang-format on */

ParameterizedTestParameters(request_sdes, http_refuses_what_it_does_not_know)
{
	return cr_make_param_array(struct http_case, http_cases,
		sizeof http_cases / sizeof *http_cases);
}

ParameterizedTest(
	struct http_case *tc, request_sdes, http_refuses_what_it_does_not_know)
{
	struct sp_problem problem = { .detail = "" };
	struct sp_request request;
	char body[260];
	enum sp_status status;

	snprintf(body, sizeof body,
		"{%s,\"call_id\":\"c\",\"from_tag\":\"f\",\"sdp\":\"v=0\"}",
		tc->body);
	status = sp_request_parse(
		SP_VERB_OFFER, body, strlen(body), &request, &problem);
	cr_assert(eq(int, status == SP_OK, tc->refused[0] == 0), "%s: %s", body,
		problem.detail);
	if (status != SP_OK) {
		cr_expect(strstr(problem.detail, tc->refused) != NULL, "%s: %s",
			body, problem.detail);
		cr_expect(eq(int, problem.http, 400));
		return;
	}
	cr_expect(eq(str, (char *)(uintptr_t)shown(&request.policy.sdes),
			  tc->want),
		"%s", body);
	sp_request_close(&request);
}
