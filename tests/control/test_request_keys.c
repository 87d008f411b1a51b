/* SPDX-License-Identifier: BSD-3-Clause */
#include "ng_reader.h"

/* What is looked at, as one number each. */
enum seen {
	REPLACE,
	MUX,
	FAMILY,
	TRANSPORT,
	ICE,
	LATCH, /* plus 100 when it was asked for */
	TRUST,
	PORTS,
	LOOP,
	FRAGMENT,
	MID,
	NO_RTCP,
	FULL_RTCP,
	DIRECTION,
	EXTMAP,
	TOS, /* plus 1000 times the mode */
	CODECS,
	ATTRS,
	NONE, /* nothing but ids and SDP */
};

static int
look(const struct sp_request *r, enum seen what)
{
	const struct sp_policy *p = &r->policy;
	const struct sp_policy none = { 0 };

	switch (what) {
	case REPLACE:
		return p->replace;
	case MUX:
		return p->rtcp_mux;
	case FAMILY:
		return p->address_family;
	case TRANSPORT:
		return p->transport;
	case ICE:
		return p->keep_ice;
	case LATCH:
		return (int)r->latch + (r->has_latch ? 100 : 0);
	case TRUST:
		return r->trust_source;
	case PORTS:
		return r->new_ports;
	case LOOP:
		return r->loop_protect;
	case FRAGMENT:
		return r->fragment;
	case MID:
		return p->generate_mid;
	case NO_RTCP:
		return p->no_rtcp_attribute;
	case FULL_RTCP:
		return p->full_rtcp_attribute;
	case DIRECTION:
		return p->keep_direction;
	case EXTMAP:
		return p->strip_extmap;
	case TOS:
		return r->tos + 1000 * (int)r->tos_mode;
	case CODECS:
		return p->n_codec;
	case ATTRS:
		return p->n_attr;
	default:
		return memcmp(p, &none, sizeof none) != 0 || r->has_latch ||
			r->trust_source || r->new_ports || r->tos_mode ||
			r->fragment || r->loop_protect;
	}
}

/* A key or flag beside an offer, what it does, and what is said of it. */
struct key_case {
	char body[96];
	enum seen what;
	int want;
	char warning[72]; /* "": none; or how it starts */
};

#define FLAGS(list) "\"flags\":[" list "]"
#define STRING(text) "\"rtpp-flags\":\"" text "\""
#define FROM "\"received-from\":[\"IP4\",\"192.0.2.1\"],"

/* clang-format off */
static struct key_case key_cases[] = {
	/* one value each, in each form */
	{ "\"replace\":[\"origin\",\"session-connection\"]", REPLACE, 1, "" },
	{ "\"replace\":[\"session connection\",\"SDP_version\"]", REPLACE, 16,
	  "" },
	{ "\"replace\":\"username,session-name\"", REPLACE, 12, "" },
	{ "\"replace\":[\"zero address\"]", REPLACE, 2, "" },
	{ "\"replace\":[\"origin-full\"]", REPLACE, 0,
	  "\"replace=origin-full\" is not supported: " },
	{ "\"replace\":[\"force_increment_sdp_ver\"]", REPLACE, 0,
	  "\"replace=force_increment_sdp_ver\" is not supported: " },
	{ "\"replace\":[\"orgin\",\"username\"]", REPLACE, 4,
	  "unknown value \"orgin\" of \"replace\"" },
	{ "\"replace\":[7]", REPLACE, 0, "\"replace\" must be a list" },
	{ "\"replace\":{\"origin\":1}", REPLACE, 0,
	  "\"replace\" must be a list" },
	{ FLAGS("\"replace-origin\",\"replace username\""), REPLACE, 5, "" },
	{ "\"rtcp-mux\":[\"offer\",\"accept\"]", MUX, 9, "" },
	{ "\"RTCP-mux\":\"demux\"", MUX, 4, "" },
	{ "\"rtcp mux\":[\"require\",\"reject\"]", MUX, 18, "" },
	{ FLAGS("\"rtcp-mux-offer\",\"rtcp_mux_reject\""), MUX, 17, "" },
	{ "\"address family\":\"IP6\"", FAMILY, 6, "" },
	{ "\"address-family\":\"ip4\"", FAMILY, 4, "" },
	{ "\"address-family\":\"IP5\"", FAMILY, 0, "unknown value \"IP5\"" },
	{ "\"transport-protocol\":\"RTP/AVP\"", TRANSPORT,
	  SP_TRANSPORT_RTP_AVP, "" },
	{ "\"transport protocol\":\"UDP/TLS/RTP/SAVPF\"", TRANSPORT,
	  SP_TRANSPORT_DTLS_SAVPF, "" },
	{ "\"transport_protocol\":\"rtp/savp\"", TRANSPORT,
	  SP_TRANSPORT_RTP_SAVP, "" },
	{ "\"transport-protocol\":\"accept\"", TRANSPORT, 0,
	  "\"transport-protocol=accept\" is not supported" },
	{ "\"transport-protocol\":\"RTP/XYZ\"", TRANSPORT, 0,
	  "unknown value \"RTP/XYZ\"" },
	{ "\"ICE\":\"remove\"", ICE, 0, "" },
	{ "\"ICE\":\"default\"", ICE, 0, "" },
	{ "\"ice\":\"pass\"", ICE, 1, "" },
	{ "\"ICE\":[\"pass through\"]", ICE, 1, "" },
	{ "\"ICE\":\"force\"", ICE, 0,
	  "\"ICE=force\" is not supported: candidates are removed" },
	{ "\"ICE\":\"force_relay\"", ICE, 0, "\"ICE=force_relay\" is not" },
	{ "\"ICE\":[\"lite-fwd\"]", ICE, 0, "\"ICE=lite-fwd\" is not" },
	{ "\"ICE\":\"optionall\"", ICE, 0, "unknown value" },
	/* who is believed */
	{ FLAGS("\"asymmetric\""), LATCH, 100 + SP_LATCH_ASYMMETRIC, "" },
	{ FLAGS("\"media handover\""), LATCH, 100 + SP_LATCH_HANDOVER, "" },
	{ FLAGS("\"Media_Handover\""), LATCH, 100 + SP_LATCH_HANDOVER, "" },
	{ FLAGS("\"mediahandover\""), LATCH, 0, "unknown flag" },
	{ FLAGS("\"media-handover-x\""), LATCH, 0, "unknown flag" },
	{ FLAGS("\"media-handover=yes\""), LATCH, 0,
	  "unknown key \"media-handover\"" },
	{ FLAGS("\"media-handover\",\"asymmetric\""), LATCH,
	  100 + SP_LATCH_ASYMMETRIC, "asymmetric (or" },
	{ FLAGS("\"asymmetric\",\"media-handover\""), LATCH,
	  100 + SP_LATCH_ASYMMETRIC, "asymmetric (or" },
	{ "\"media-handover\":\"yes\"", LATCH, 0, "unknown key" },
	{ "\"latch\":\"any\"", LATCH, 0, "unknown key \"latch\"" },
	{ "\"endpoint-learning\":\"off\"", LATCH, 100 + SP_LATCH_ASYMMETRIC,
	  "" },
	{ "\"endpoint-learning\":\"any\"", LATCH, 0, "unknown value \"any\"" },
	{ "\"endpoint-learning\":\"handover\"", LATCH, 0, "unknown value" },
	{ FLAGS("\"endpoint-learning-heuristic\""), LATCH, 0,
	  "\"endpoint-learning=heuristic\" is not supported: sources" },
	{ FLAGS("\"endpoint-learning-off\""), LATCH,
	  100 + SP_LATCH_ASYMMETRIC, "" },
	{ FLAGS("\"symmetric\",\"strict-source\""), LATCH, 0, "" },
	{ FROM FLAGS("\"SIP-source-address\""), TRUST, 1, "" },
	{ FROM FLAGS("\"sip source address\""), TRUST, 1, "" },
	{ FROM FLAGS("\"SIP-source-address\",\"trust-address\""), TRUST, 0,
	  "" },
	{ FLAGS("\"SIP-source-address\""), TRUST, 0,
	  "SIP-source-address without received-from" },
	{ FLAGS("\"no-port-latching\""), PORTS, 1, "" },
	{ FLAGS("\"port-latching\""), PORTS, 0, "" },
	/* the other flags */
	{ FLAGS("\"loop-protect\""), LOOP, 1, "" },
	{ "\"flags\":\"loop-protect,generate-mid\"", MID, 1, "" },
	{ FLAGS("\"fragment\""), FRAGMENT, 1, "" },
	{ FLAGS("\"generate mid\""), MID, 1, "" },
	{ FLAGS("\"no-rtcp-attribute\""), NO_RTCP, 1, "" },
	{ FLAGS("\"full rtcp attribute\""), FULL_RTCP, 1, "" },
	{ FLAGS("\"original-sendrecv\""), DIRECTION, 1, "" },
	{ FLAGS("\"strip-extmap\""), EXTMAP, 1, "" },
	{ "\"TOS\":184", TOS, 2184, "" },
	{ "\"tos\":\"184\"", TOS, 2184, "" },
	{ "\"TOS\":-1", TOS, 1000, "" },
	{ "\"TOS\":256", TOS, 0, "" },
	{ "\"TOS\":0", TOS, 2000, "" },
	{ "\"TOS\":\"ef\"", TOS, 0, "\"TOS\" must be a number" },
	{ "\"TOS\":[1]", TOS, 0, "\"TOS\" must be a number" },
	/* nothing to do */
	{ "\"supports\":[\"load limit\"],\"command\":\"offer\"", NONE, 0, "" },
	{ "\"sip-message-type\":\"sip_request\",\"SIP code\":200", NONE, 0,
	  "" },
	{ "\"DTLS\":\"off\",\"DTLS-reverse\":\"disabled\"", NONE, 0, "" },
	{ FLAGS("\"OSRTP-off\",\"DTLS-off\",\"pad-crypto\""), NONE, 0, "" },
	{ FLAGS("\"reject-ICE\",\"ICE-reject\",\"debug\""), NONE, 0, "" },
	{ FLAGS("\"unidirectional\",\"to-tag\",\"symmetric\""), NONE, 0, "" },
	{ "\"record-call\":\"off\",\"bundle\":\"reject\"", NONE, 0, "" },
	{ "\"player\":\"default\",\"generate RTCP\":\"no\"", NONE, 0, "" },
	{ "\"delete delay\":5,\"limit\":-1,\"directional\":1", NONE, 0,
	  "unknown key \"directional\"" },
	/* known, not supported */
	{ "\"DTLS\":\"passive\"", NONE, 0, "\"DTLS=passive\" is not" },
	{ "\"record-call\":\"on\"", NONE, 0, "\"record-call=on\" is not" },
	{ FLAGS("\"record-call\""), NONE, 0, "\"record-call\" is not" },
	{ FLAGS("\"WebRTC\""), NONE, 0, "\"WebRTC\" is not supported" },
	{ FLAGS("\"trickle-ICE\""), NONE, 0, "\"trickle-ICE\" is not" },
	{ FLAGS("\"always-transcode\""), NONE, 0, "\"always-transcode\" is" },
	{ FLAGS("\"transcode-PCMU\""), NONE, 0, "\"transcode-PCMU\" is not" },
	{ FLAGS("\"T.38-decode\""), NONE, 0, "\"T.38-decode\" is not" },
	{ FLAGS("\"mirror_RTCP\",\"RTCP-mirror\""), NONE, 0, "\"mirror_RTCP" },
	{ "\"T38\":[\"decode\"]", NONE, 0, "\"T38\" is not supported" },
	{ "\"xmlrpc-callback\":\"192.0.2.1\"", NONE, 0,
	  "\"xmlrpc-callback\" is not supported: the ends of calls go to" },
	{ "\"ptime\":20", NONE, 0, "\"ptime\" is not supported" },
	{ "\"recording file\":\"x\"", NONE, 0, "\"recording file\" is not" },
	{ "\"DTMF-security\":\"drop\"", NONE, 0, "\"DTMF-security\" is not" },
	/* unknown */
	{ "\"colour\":\"red\"", NONE, 0, "unknown key \"colour\"" },
	{ FLAGS("\"trust-adress\""), NONE, 0, "unknown flag \"trust-adress\"" },
	{ FLAGS("\"\""), NONE, 0, "" },
	{ FLAGS("\"-\",\"=\""), NONE, 0, "unknown flag \"-\"" },
	{ FLAGS("3"), NONE, 0, "\"flags\" must be a list" },
	{ "\"flags\":7", NONE, 0, "\"flags\" must be a list" },
	{ FLAGS("\"flags=x\""), NONE, 0, "no flags within flags" },
	{ FLAGS("\"rtpp-flags=x\""), NONE, 0, "no flags within flags" },
	{ "\"metadata\":5", NONE, 0, "\"metadata\" must be a string" },
	{ "\"media-address\":\"x\"", NONE, 0, "\"media-address\" must be" },
	{ "\"x\\ny\\u00e4\":1", NONE, 0, "unknown key \"x?y??\"" },
	/* a string of flags */
	{ STRING("replace-origin  ICE=remove"), REPLACE, 1, "" },
	{ STRING("rtcp-mux=[offer accept] TOS=46"), MUX, 9, "" },
	{ STRING("TOS=46 loop-protect"), TOS, 2046, "" },
	{ STRING("codec=[strip=[PCMA PCMU] offer=GSM mask=[]]"), CODECS, 3,
	  "" },
	{ STRING("codec-strip-all"), CODECS, 1, "" },
	{ STRING("sdp-attr=[audio=[add=[a--b c..d] remove=[e]]]"), ATTRS, 3,
	  "" },
	{ STRING("direction=[a b] no-such"), NONE, 0,
	  "unknown flag \"no-such\"" },
	{ STRING("none"), NONE, 0, "" },
	{ STRING(""), NONE, 0, "" },
	{ STRING("codec=[strip=[PCMA"), CODECS, 0,
	  "\"rtpp-flags\" cannot be read" },
	{ STRING("loop-protect ] generate-mid"), LOOP, 1,
	  "\"rtpp-flags\" cannot be read from \"] generate-mid\"" },
	{ STRING("codec=[[[[[[[[[["), CODECS, 0,
	  "\"rtpp-flags\" cannot be read" },
	{ STRING("codec=[a=[b=[c=[d=[e=[f]]]]]]"), CODECS, 0,
	  "\"rtpp-flags\" cannot be read" },
	{ STRING("codec=[strip=[a] b]"), CODECS, 0,
	  "\"rtpp-flags\" cannot be read" },
	{ "\"rtpp-flags\":[]", NONE, 0, "\"rtpp-flags\" must be a string" },
	{ STRING("call-id=x via-branch=auto"), NONE, 0, "" },
	/* codecs and attributes */
	{ "\"codec\":{\"strip\":[\"all\"],\"except\":\"PCMA,PCMU\"}", CODECS,
	  3, "" },
	{ "\"codecs\":{\"mask\":[\"opus/48000/2/64000///x--1\"]}", CODECS, 1,
	  "" },
	{ "\"codec\":{\"transcode\":[\"PCMA\"]}", CODECS, 0,
	  "\"codec=transcode\" is not supported: codecs" },
	{ "\"codec\":{\"stripp\":[\"PCMA\"]}", CODECS, 0, "unknown value" },
	{ "\"codec\":{\"strip\":[\"a b\",\"\"]}", CODECS, 0, "a codec is" },
	{ "\"codec\":{\"strip\":[3]}", CODECS, 0, "codecs must be a list" },
	{ "\"codec\":\"strip\"", CODECS, 0, "\"codec\" must be an object" },
	{ FLAGS("\"codec-strip-PCMA\",\"codec mask opus/48000\""), CODECS, 1,
	  "unknown value \"mask opus/48000\"" },
	{ FLAGS("\"codec-accept-PCMA\""), CODECS, 0,
	  "\"codec=accept\" is not supported" },
	{ FLAGS("\"codec-\",\"codec-strip\""), CODECS, 0, "unknown value" },
	{ "\"sdp-attr\":{\"none\":{\"add\":[\"x:1,2\"]}}", ATTRS, 1, "" },
	{ "\"sdp attr\":{\"audio\":{\"substitute\":[[\"a\",\"b\"]]}}", ATTRS,
	  1, "" },
	{ "\"sdp-attr\":{\"audio\":{\"substitute\":[\"a\",\"b\",\"c>d\"]}}",
	  ATTRS, 2, "" },
	{ "\"sdp-attr\":{\"audio\":{\"substitute\":\"a>b\"}}", ATTRS, 1, "" },
	{ "\"sdp-attr\":{\"audio\":{\"substitute\":[\"a\"]}}", ATTRS, 0,
	  "an attribute of \"sdp-attr\" is one line" },
	{ "\"sdp-attr\":{\"audio\":{\"add\":[\"a\\r\\nc=IN\"]}}", ATTRS, 0,
	  "an attribute of \"sdp-attr\" is one line" },
	{ "\"sdp-attr\":{\"audio\":{\"add\":[\"a\\u0000\"]}}", ATTRS, 0,
	  "an attribute of \"sdp-attr\" is one line" },
	{ "\"sdp-attr\":{\"audio\":[]}", ATTRS, 0, "\"sdp-attr\" must be" },
	{ FLAGS("\"sdp-attr-add-audio-ptime:20\""), ATTRS, 1, "" },
	{ FLAGS("\"sdp-attr-substitute-none-a>b\""), ATTRS, 1, "" },
	{ FLAGS("\"sdp-attr-add-audio-fmtp:101 x=1\""), ATTRS, 1, "" },
	{ FLAGS("\"sdp-attr-add\""), ATTRS, 0, "\"sdp-attr\" goes by" },
	{ FLAGS("\"sdp-attr-add-audio\""), ATTRS, 0, "" },
};
/* clang-format on */

ParameterizedTestParameters(request_keys, keys_and_flags_do_what_they_say)
{
	return cr_make_param_array(struct key_case, key_cases,
		sizeof key_cases / sizeof *key_cases);
}

ParameterizedTest(
	struct key_case *tc, request_keys, keys_and_flags_do_what_they_say)
{
	char body[200];
	struct read read;

	snprintf(body, sizeof body, "{%s,%s}", tc->body, OFFER);
	read = read_ng(SP_VERB_OFFER, body);
	cr_assert(eq(int, read.status, SP_OK), "%s: %s", body,
		read.problem.detail);
	cr_expect(is(read.request.call_id, "c"));
	cr_expect(is(read.request.sdp, "v=0"));
	cr_expect(eq(int, look(&read.request, tc->what), tc->want), "%s",
		tc->body);
	cr_expect(eq(int,
			  strncmp(warning(&read, 0), tc->warning,
				  strlen(tc->warning)),
			  0),
		"%s: %s", tc->body, warning(&read, 0));
	if (!tc->warning[0])
		cr_expect(eq(sz, json_array_size(read.warnings), 0), "%s: %s",
			tc->body, warning(&read, 0));
	done(&read);
}
