/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/flags.h"

/* The rows of flags.h, and nothing else. flags.md is written from them. */

#define BIT(verb) (1u << SP_VERB_##verb)
#define OFFER BIT(OFFER)
#define ANSWER BIT(ANSWER)
#define MEDIA (OFFER | ANSWER)
#define DELETE BIT(DELETE)
#define BLOCK                                                                  \
	(BIT(BLOCK_MEDIA) | BIT(UNBLOCK_MEDIA) | BIT(SILENCE_MEDIA) |          \
		BIT(UNSILENCE_MEDIA) | BIT(BLOCK_DTMF) | BIT(UNBLOCK_DTMF))
#define CALL (MEDIA | DELETE | BIT(QUERY) | BLOCK)
#define ANY (CALL | BIT(LIST) | BIT(STATISTICS))

#define NG (1u << SP_DOOR_NG)
#define HTTP (1u << SP_DOOR_HTTP)
#define BOTH (NG | HTTP)

#define KEY SP_FLAG_KEY
#define FLAG SP_FLAG_FLAG
#define WITH_PREFIX (SP_FLAG_KEY | SP_FLAG_PREFIX)

#define LEARNT "sources are learnt as the realm's latch says"
#define NO_ICE "candidates are removed; ICE=pass leaves them"
#define SUITE(name, text, ...) " " text
#define SUITES SP_SRTP_SUITE_LIST(SUITE)
#define NO_DTLS "DTLS passes from end to end as it is"
#define NO_CODECS "codecs are not converted"

/* clang-format off */
/* On ng only asymmetric and media-handover make a latch wider. */
static const struct sp_flag_word latch_words[] = {
	{ "signalled",  HTTP, SP_LATCH_SIGNALLED,  false, NULL },
	{ "asymmetric", HTTP, SP_LATCH_ASYMMETRIC, false, NULL },
	{ "restricted", HTTP, SP_LATCH_RESTRICTED, false, NULL },
	{ "any",        HTTP, SP_LATCH_ANY,        false, NULL },
	{ "handover",   HTTP, SP_LATCH_HANDOVER,   false, NULL },
	{ "off",        NG,   SP_LATCH_ASYMMETRIC, false, NULL },
	{ "immediate",  NG,   0, true, LEARNT },
	{ "delayed",    NG,   0, true, LEARNT },
	{ "heuristic",  NG,   0, true, LEARNT },
	{ NULL, 0, 0, false, NULL },
};

static const struct sp_flag_word replace_words[] = {
	{ "origin",             BOTH, SP_REPLACE_ORIGIN,       false, NULL },
	{ "zero-address",       BOTH, SP_REPLACE_ZERO_ADDRESS, false, NULL },
	{ "username",           BOTH, SP_REPLACE_USERNAME,     false, NULL },
	{ "session-name",       BOTH, SP_REPLACE_SESSION_NAME, false, NULL },
	{ "sdp-version",        BOTH, SP_REPLACE_SDP_VERSION,  false, NULL },
	{ "session-connection", BOTH, 0, false, NULL },
	{ "origin-full",        NG,   0, true,
	  "origin, username and sdp-version are" },
	{ "force-increment-sdp-ver", NG, 0, true,
	  "sdp-version grows with each change" },
	{ NULL, 0, 0, false, NULL },
};

static const struct sp_flag_word mux_words[] = {
	{ "offer",   BOTH, SP_RTCP_MUX_OFFER,   false, NULL },
	{ "require", BOTH, SP_RTCP_MUX_REQUIRE, false, NULL },
	{ "demux",   BOTH, SP_RTCP_MUX_DEMUX,   false, NULL },
	{ "accept",  BOTH, SP_RTCP_MUX_ACCEPT,  false, NULL },
	{ "reject",  BOTH, SP_RTCP_MUX_REJECT,  false, NULL },
	{ NULL, 0, 0, false, NULL },
};

static const struct sp_flag_word family_words[] = {
	{ "IP4", BOTH, SP_FAMILY_IP4, false, NULL },
	{ "IP6", BOTH, SP_FAMILY_IP6, false, NULL },
	{ "ip4", HTTP, SP_FAMILY_IP4, false, NULL },
	{ "ip6", HTTP, SP_FAMILY_IP6, false, NULL },
	{ NULL, 0, 0, false, NULL },
};

static const struct sp_flag_word transport_words[] = {
	{ "RTP/AVP",            BOTH, SP_TRANSPORT_RTP_AVP,    false, NULL },
	{ "RTP/AVPF",           BOTH, SP_TRANSPORT_RTP_AVPF,   false, NULL },
	{ "RTP/SAVP",           BOTH, SP_TRANSPORT_RTP_SAVP,   false, NULL },
	{ "RTP/SAVPF",          BOTH, SP_TRANSPORT_RTP_SAVPF,  false, NULL },
	{ "UDP/TLS/RTP/SAVP",   BOTH, SP_TRANSPORT_DTLS_SAVP,  false, NULL },
	{ "UDP/TLS/RTP/SAVPF",  BOTH, SP_TRANSPORT_DTLS_SAVPF, false, NULL },
	{ "accept",             NG,   0, true,
	  "an answer goes back in the protocol offered" },
	{ NULL, 0, 0, false, NULL },
};

static const struct sp_flag_word ice_words[] = {
	{ "remove",       BOTH, 0, false, NULL },
	{ "pass",         BOTH, 1, false, NULL },
	{ "pass-through", NG,   1, false, NULL },
	{ "passthrough",  NG,   1, false, NULL },
	{ "default",      NG,   0, false, NULL },
	{ "force",        NG,   0, true, NO_ICE },
	{ "force-relay",  NG,   0, true, NO_ICE },
	{ "optional",     NG,   0, true, NO_ICE },
	{ "lite*",        NG,   0, true, NO_ICE },
	{ "trickle",      NG,   0, true, NO_ICE },
	{ "ice2",         NG,   0, true, NO_ICE },
	{ NULL, 0, 0, false, NULL },
};

/* To ask that something be off which is never on asks nothing. */
static const struct sp_flag_word dtls_words[] = {
	{ "off",      NG, 0, false, NULL },
	{ "no",       NG, 0, false, NULL },
	{ "disable",  NG, 0, false, NULL },
	{ "disabled", NG, 0, false, NULL },
	{ "*",        NG, 0, true, NO_DTLS },
	{ NULL, 0, 0, false, NULL },
};

#define SDES(door, name, what)                                                \
	{ name, door, SP_FLAG_SDES_##what, false, NULL }
#define PLAIN(door, name, what, flag)                                         \
	{ name, door, SP_FLAG_SDES_##what + SP_SRTP_##flag, false, NULL }
static const struct sp_flag_word sdes_words[] = {
	SDES(BOTH, "off", OFF),
	SDES(NG,   "no", OFF),
	SDES(NG,   "disable", OFF),
	SDES(NG,   "disabled", OFF),
	SDES(HTTP, "pass", PASS),
	SDES(BOTH, "no-*", WITHOUT),
	SDES(BOTH, "only-*", ONLY),
	SDES(BOTH, "nonew", NO_NEW),
	SDES(BOTH, "order:*", ORDER),
	SDES(BOTH, "offerer_pref:*", PREFER),
	SDES(BOTH, "lifetime", LIFETIME),
	SDES(BOTH, "static", KEEP),
	SDES(NG,   "pad", NOTHING),
	SDES(NG,   "prefer", NOTHING),
	PLAIN(BOTH, "unencrypted_srtp", ADD, PLAIN_RTP),
	PLAIN(BOTH, "unencrypted_srtcp", ADD, PLAIN_RTCP),
	PLAIN(BOTH, "unauthenticated_srtp", ADD, NO_AUTH),
	PLAIN(BOTH, "encrypted_srtp", DROP, PLAIN_RTP),
	PLAIN(BOTH, "encrypted_srtcp", DROP, PLAIN_RTCP),
	PLAIN(BOTH, "authenticated_srtp", DROP, NO_AUTH),
	{ NULL, 0, 0, false, NULL },
};

static const struct sp_flag_word osrtp_words[] = {
	SDES(BOTH, "offer", OFFER),
	SDES(BOTH, "accept", ACCEPT),
	SDES(NG,   "offer-RFC", OFFER),
	SDES(NG,   "offer-legacy", OFFER),
	SDES(NG,   "accept-RFC", ACCEPT),
	SDES(NG,   "accept-legacy", ACCEPT),
	SDES(NG,   "off", NOTHING),
	SDES(NG,   "no", NOTHING),
	SDES(NG,   "disable", NOTHING),
	SDES(NG,   "disabled", NOTHING),
	{ NULL, 0, 0, false, NULL },
};

static const struct sp_flag_word pass_words[] = {
	{ "on",       NG, 1, false, NULL },
	{ "yes",      NG, 1, false, NULL },
	{ "enable",   NG, 1, false, NULL },
	{ "enabled",  NG, 1, false, NULL },
	{ "off",      NG, 0, false, NULL },
	{ "no",       NG, 0, false, NULL },
	{ "disable",  NG, 0, false, NULL },
	{ "disabled", NG, 0, false, NULL },
	{ NULL, 0, 0, false, NULL },
};

static const struct sp_flag_word bundle_words[] = {
	{ "reject", NG, 0, false, NULL },
	{ "*",      NG, 0, true, "each m= line has a port of its own" },
	{ NULL, 0, 0, false, NULL },
};

static const struct sp_flag_word message_words[] = {
	{ "request",      NG, 0, false, NULL },
	{ "sip-request",  NG, 0, false, NULL },
	{ "reply",        NG, 1, false, NULL },
	{ "sip-reply",    NG, 1, false, NULL },
	{ "response",     NG, 1, false, NULL },
	{ "sip-response", NG, 1, false, NULL },
	{ NULL, 0, 0, false, NULL },
};

#define OFF_WORDS(name, why)                                                  \
	static const struct sp_flag_word name[] = {                           \
		{ "off",      NG, 0, false, NULL },                           \
		{ "no",       NG, 0, false, NULL },                           \
		{ "disable",  NG, 0, false, NULL },                           \
		{ "disabled", NG, 0, false, NULL },                           \
		{ "none",     NG, 0, false, NULL },                           \
		{ "default",  NG, 0, false, NULL },                           \
		{ "*",        NG, 0, true, why },                             \
		{ NULL, 0, 0, false, NULL },                                  \
	}
OFF_WORDS(record_words, "there is no recording");
OFF_WORDS(rtcp_words, "RTCP is relayed as it is");
OFF_WORDS(player_words, NO_CODECS);
OFF_WORDS(lite_words, NO_ICE);

static const struct sp_flag_word codec_words[] = {
	{ "strip",     BOTH, SP_CODEC_STRIP,  false, NULL },
	{ "offer",     BOTH, SP_CODEC_OFFER,  false, NULL },
	{ "except",    BOTH, SP_CODEC_EXCEPT, false, NULL },
	{ "mask",      BOTH, SP_CODEC_MASK,   false, NULL },
	{ "transcode", NG, 0, true, NO_CODECS },
	{ "set",       NG, 0, true, NO_CODECS },
	{ "accept",    NG, 0, true, NO_CODECS },
	{ "consume",   NG, 0, true, NO_CODECS },
	{ "ignore",    NG, 0, true, NO_CODECS },
	{ NULL, 0, 0, false, NULL },
};

static const struct sp_flag_word attr_words[] = {
	{ "add",        BOTH, SP_ATTR_ADD,        false, NULL },
	{ "remove",     BOTH, SP_ATTR_REMOVE,     false, NULL },
	{ "substitute", BOTH, SP_ATTR_SUBSTITUTE, false, NULL },
	{ NULL, 0, 0, false, NULL },
};

/* A call has the flows of its offers and answers, and no others. */
static const struct sp_flag_word flows_words[] = {
	{ "all",                 NG, 1, false, NULL },
	{ "flows",               NG, 0, false, NULL },
	{ "offer-answer",        NG, 0, false, NULL },
	{ "except-offer-answer", NG, 0, true, "there are no subscriptions" },
	{ NULL, 0, 0, false, NULL },
};

#define AT(field) offsetof(struct sp_request, field)
#define ID(json, ng, verbs, needed, at, most, text)                           \
	{ json, ng, NULL, SP_FLAG_ID, KEY, verbs, needed, AT(at), most, NULL, \
	  text }
#define TEXT(json, ng, also, verbs, at, most, text)                           \
	{ json, ng, also, SP_FLAG_TEXT, KEY, verbs, 0, AT(at), most, NULL,    \
	  text }
#define BOOL(json, ng, also, verbs, at, text)                                 \
	{ json, ng, also, SP_FLAG_BOOL, FLAG, verbs, 0, AT(at), 0, NULL, text }
#define OTHER(json, ng, also, kind, places, verbs, words, text)               \
	{ json, ng, also, SP_FLAG_##kind, places, verbs, 0, 0, 0, words, text }
#define WORDS(json, ng, also, kind, places, verbs, at, words, text)           \
	{ json, ng, also, SP_FLAG_##kind, places, verbs, 0, AT(at), 0, words, \
	  text }
#define NOTHING(ng, also, places, text)                                       \
	{ NULL, ng, also, SP_FLAG_NOTHING, places, ANY, 0, 0, 0, NULL, text }
#define OFF(ng, also, places, words, text)                                    \
	{ NULL, ng, also, SP_FLAG_NOTHING, places, ANY, 0, 0, 0, words, text }
#define REFUSED(ng, also, places, text)                                       \
	{ NULL, ng, also, SP_FLAG_REFUSED, places, ANY, 0, 0, 0, NULL, text }

const struct sp_flag sp_flags[] = {
	/* Who and what */
	ID("call_id",  "call-id",    CALL, CALL,   call_id,  SP_TAG_MAX,
	   "the Call-ID"),
	ID("from_tag", "from-tag",   CALL, MEDIA,  from_tag, SP_TAG_MAX,
	   "the tag of who offers, also in an answer; on ng a block or "
	   "silence command reads it with the flag directional only"),
	ID("to_tag",   "to-tag",     CALL, ANSWER, to_tag,   SP_TAG_MAX,
	   "the tag of who answers; of a block or silence: the sink"),
	ID("sdp",      "sdp",        MEDIA, MEDIA, sdp,      SP_BODY_MAX,
	   "the session description as it came"),
	ID("branch",   "via-branch", CALL, 0,      branch,   SP_TAG_MAX,
	   "the branch of a forked call"),
	TEXT("label",  "label", "from-label set-label", MEDIA | BLOCK, label,
	   SP_TAG_MAX, "a name for the party; elsewhere who is meant"),
	TEXT("to_label", "to-label", NULL, BLOCK, to_label, SP_TAG_MAX,
	   "the name of the sink that is meant"),
	WORDS("address", "address", NULL, SELECTOR, KEY, BLOCK, address, NULL,
	   "who is meant, by the address in the SDP"),
	BOOL(NULL, "directional", NULL, BLOCK, directional,
	   "from-tag says who is meant; on HTTP it always does"),
	BOOL("all", "all", NULL, BLOCK, all,
	   "all of the call, of whatever kind"),
	OTHER(NULL, "all", NULL, FLOWS, KEY, BLOCK, flows_words,
	   "which flows of a call"),
	BOOL(NULL, "fatal", NULL, DELETE, fatal,
	   "an unknown call is an error; on HTTP it always is"),
	WORDS(NULL, "SIP-message-type", NULL, WORD, KEY, DELETE, of_reply,
	   message_words, "what made the proxy ask; a reply that deletes is "
	   "one branch's refusal"),
	BOOL("of_reply", NULL, NULL, DELETE, of_reply,
	   "the same: it was a reply"),
	WORDS("delete_delay_s", "delete-delay", NULL, DELAY, KEY, DELETE,
	   delete_delay_s, NULL,
	   "seconds until a deleted call ends; without it the configuration's"),
	TEXT("metadata", "metadata", NULL, MEDIA | DELETE, metadata,
	   SP_METADATA_MAX, "kept for queries and records"),
	OTHER(NULL, "limit", NULL, LIMIT, KEY, BIT(LIST), NULL,
	   "length of a list, 32 without it; 0: as many as a reply carries"),

	/* Where */
	TEXT("from_realm", "from-interface", NULL, OFFER, from_realm,
	   SP_TAG_MAX, "the realm that the SDP came from"),
	TEXT("to_realm", "to-interface", NULL, OFFER, to_realm, SP_TAG_MAX,
	   "the realm that the rewritten SDP goes to; without it on HTTP the "
	   "other one of two, on ng the sender's"),
	OTHER(NULL, "direction", "interface", REALMS, KEY, OFFER, NULL,
	   "the realms of both sides, or one for both; without it the first"),
	WORDS("signalling_source", "received-from", NULL, SOURCE, KEY, MEDIA,
	   signalling_source, NULL,
	   "where the SIP message came from: latching believes it too"),
	BOOL("trust_source", "SIP-source-address", NULL, MEDIA, trust_source,
	   "media is there, whatever addresses the SDP has"),
	WORDS(NULL, "trust-address", NULL, UNSET, FLAG, MEDIA, trust_source,
	   NULL, "media is where the SDP says; the default"),
	WORDS("media_address", "media-address", NULL, ADDR, KEY, MEDIA,
	   policy.advertised, NULL,
	   "written in the SDP instead of our address"),
	WORDS("address_family", "address-family", NULL, WORD, KEY, MEDIA,
	   policy.address_family, family_words,
	   "of the rewritten SDP; without it the receiver's, else the "
	   "sender's"),

	/* Whom media is taken from */
	OTHER("latch", "endpoint-learning", NULL, LATCH, WITH_PREFIX, MEDIA,
	   latch_words, "which sources are believed; else the realm's latch"),
	{ NULL, "asymmetric", NULL, SP_FLAG_LATCH, FLAG, MEDIA, 0, 0,
	  SP_LATCH_ASYMMETRIC, NULL, "media goes to the SDP's address, from "
	  "wherever the party sends: its other ports, or where its SIP came "
	  "from" },
	{ NULL, "media-handover", NULL, SP_FLAG_LATCH, FLAG, MEDIA, 0, 0,
	  SP_LATCH_HANDOVER, NULL, "whoever spoke last is believed: insecure" },
	BOOL("new_ports", "no-port-latching", NULL, MEDIA, new_ports,
	   "a changed address gets other ports of ours"),
	WORDS(NULL, "port-latching", NULL, UNSET, FLAG, MEDIA, new_ports, NULL,
	   "ports stay the same; the default"),

	/* What the SDP becomes */
	WORDS("replace", "replace", NULL, WORDS, WITH_PREFIX, MEDIA,
	   policy.replace, replace_words,
	   "what else is replaced; c= and a=rtcp always are"),
	WORDS("rtcp_mux", "rtcp-mux", NULL, WORDS, WITH_PREFIX, MEDIA,
	   policy.rtcp_mux, mux_words,
	   "a=rtcp-mux; without it the parties decide, who muxes goes on"),
	WORDS("transport", "transport-protocol", NULL, WORD, KEY, MEDIA,
	   policy.transport, transport_words,
	   "the protocol of m= lines; without it as it came or was before"),
	WORDS("ice", "ICE", NULL, WORD, KEY, MEDIA, policy.keep_ice, ice_words,
	   "pass: leave it as it is; candidates are removed otherwise"),
	OTHER("sdes", "SDES", NULL, SDES, WITH_PREFIX, MEDIA, sdes_words,
	   "which keys who gets the SDP is offered or answered (a=crypto, "
	   "RFC 4568); suites are named one by one or as A;B:" SUITES),
	OTHER("osrtp", "OSRTP", NULL, SDES, WITH_PREFIX, MEDIA, osrtp_words,
	   "keys beside RTP/AVP (RFC 8643): offer them on, accept them"),
	WORDS(NULL, "passthrough", "passthru", WORD, KEY, MEDIA,
	   policy.sdes.pass, pass_words,
	   "a=crypto passes from end to end; on HTTP sdes has a word for it"),
	BOOL(NULL, "passthrough", "passthru", MEDIA, policy.sdes.pass,
	   "the same"),
	WORDS(NULL, "recrypt", "no-passthrough", UNSET, FLAG, MEDIA,
	   policy.sdes.pass, NULL,
	   "each side has keys of its own with us; the default"),
	BOOL("keep_direction", "original-sendrecv", NULL, MEDIA,
	   policy.keep_direction, "a=sendrecv and its kin stay as they came"),
	BOOL("no_rtcp_attribute", "no-rtcp-attribute", NULL, MEDIA,
	   policy.no_rtcp_attribute, "no a=rtcp is written"),
	BOOL("full_rtcp_attribute", "full-rtcp-attribute", NULL, MEDIA,
	   policy.full_rtcp_attribute, "a=rtcp is written with the address"),
	BOOL("generate_mid", "generate-mid", NULL, MEDIA, policy.generate_mid,
	   "a=mid is added where there is none"),
	BOOL("strip_extmap", "strip-extmap", NULL, MEDIA, policy.strip_extmap,
	   "a=extmap is removed"),
	BOOL("loop_protect", "loop-protect", NULL, MEDIA, loop_protect,
	   "the SDP is marked, and left alone when it has our mark"),
	BOOL("fragment", "fragment", NULL, MEDIA, fragment,
	   "the body is an ICE fragment (RFC 8840)"),
	OTHER("codec", "codec", "codecs", CODEC, WITH_PREFIX, MEDIA,
	   codec_words, "remove codecs from the SDP, or put them back"),
	OTHER("sdp_attributes", "sdp-attr", NULL, ATTR, WITH_PREFIX, MEDIA,
	   attr_words, "change attributes of the session (\"session\", on ng "
	   "also \"none\" and \"global\") or of a medium (\"audio\" ...)"),
	OTHER("tos", "TOS", NULL, TOS, KEY, MEDIA, NULL,
	   "of what is sent: 0 to 255, -1: as it is, else the realm's"),

	/* How flags come */
	OTHER(NULL, "flags", NULL, FLAGS, KEY, ANY, NULL, "a list of flags"),
	OTHER(NULL, "rtpp-flags", NULL, STRING, KEY, ANY, NULL,
	   "flags and keys as one string"),

	/* Nothing to do */
	NOTHING("command", "supports SIP-code "
	   "SIP-response-code", KEY, "nothing depends on it"),
	NOTHING("to-tag", NULL, FLAG, "the to-tag is looked at in any case"),
	NOTHING("symmetric", NULL, FLAG, "the default"),
	NOTHING("none", NULL, FLAG, "says that there are none"),
	NOTHING("strict-source", NULL, FLAG, "other sources never pass"),
	NOTHING("unidirectional", NULL, FLAG, "all flows are fast"),
	NOTHING("reject-ICE", "ICE-reject", FLAG, "no ICE of ours is offered"),
	NOTHING("pad-crypto", NULL, FLAG, "base64 always has its padding"),
	NOTHING("no-jitter-buffer", "no-player", FLAG, "there is none"),
	NOTHING("no-redis-update", "debug debugging no-TLS-ID reset fast", FLAG,
	   "nothing depends on it"),
	NOTHING("exclude-recording", "skip-recording-db", FLAG,
	   "there is no recording"),
	OFF("record-call", NULL, KEY, record_words, "only off"),
	OFF("generate-RTCP", NULL, KEY, rtcp_words, "only off"),
	OFF("audio-player", "player", KEY, player_words, "only off"),
	OFF("ICE-lite", NULL, KEY, lite_words, "only off"),
	OFF("DTLS", "DTLS-reverse", WITH_PREFIX, dtls_words, "only off"),
	OFF("bundle", NULL, WITH_PREFIX, bundle_words, "only reject"),

	/* Known, not supported */
	REFUSED("xmlrpc-callback", NULL, KEY,
	   "the ends of calls go to control.webhook"),
	REFUSED("trickle-ICE", NULL, FLAG, NO_ICE),
	REFUSED("WebRTC", NULL, FLAG, "there is no DTLS of our own"),
	REFUSED("DTLS-fingerprint", NULL, KEY, NO_DTLS),
	REFUSED("ptime", "ptime-reverse repacketize T.38 T38 T.38-version "
	   "T38-version transcode", WITH_PREFIX, NO_CODECS),
	REFUSED("always-transcode", "allow-transcoding force-transcoding "
	   "static-codecs single-codec no-codec-renegotiation reuse-codecs "
	   "reorder-codecs asymmetric-codecs symmetric-codecs "
	   "allow-asymmetric-codecs allow-no-codec-media inject-DTMF "
	   "detect-DTMF audio-player early-media", FLAG, NO_CODECS),
	REFUSED("record-call", "discard-recording recording-announcement "
	   "recording-vsc", FLAG, "there is no recording"),
	REFUSED("output-destination", "output-file output-dest output-path "
	   "output-dir output-directory output-folder output-pattern "
	   "recording-destination recording-file recording-dest "
	   "recording-path recording-dir recording-directory "
	   "recording-folder recording-pattern recording-media-slot-offer "
	   "recording-media-slot-answer recording-media-slots "
	   "vsc-start-rec vsc-stop-rec vsc-pause-rec vsc-start-stop-rec "
	   "vsc-pause-resume-rec vsc-start-pause-resume-rec", KEY,
	   "there is no recording"),
	REFUSED("generate-RTCP", "mirror-RTCP RTCP-mirror", FLAG,
	   "RTCP is relayed as it is"),
	REFUSED("NAT-wait", "pierce-NAT", FLAG, "media goes as it comes"),
	REFUSED("provisional", "new-branch", FLAG,
	   "tags and branches tell answers apart"),
	REFUSED("block-DTMF", "block-egress block-short", FLAG,
	   "there are commands for it"),
	REFUSED("drop-traffic", "media-echo", KEY,
	   "see the block media command"),
	REFUSED("bidirectional", "egress mix inactive siprec unsubscribe",
	   FLAG, "there are no subscriptions"),
	REFUSED("from-tags", NULL, WITH_PREFIX, "there are no subscriptions"),
	REFUSED("to-call-id", "calls tags instance media medias source-tag "
	   "source-call-id", KEY, "there are no subscriptions"),
	REFUSED("inbound-peer", "outbound-peer peer", KEY,
	   "name the realms in direction"),
	REFUSED("file", "blob blob64 db-id repeat-times repeat-duration "
	   "start-pos duration code digit volume pause moh", KEY,
	   "nothing is played"),
	REFUSED("DTMF-security", "DTMF-security-trigger "
	   "DTMF-security-trigger-end trigger trigger-end end-trigger "
	   "trigger-end-time end-trigger-time trigger-end-digits "
	   "end-trigger-digits DTMF-delay DTMF-log-dest frequency "
	   "frequencies delay-buffer", KEY, "DTMF is blocked or relayed"),
	REFUSED("extmap", "alias-key sdp-media-remove template", KEY,
	   "say it with sdp-attr"),
};
/* clang-format on */

const size_t sp_flags_count = sizeof sp_flags / sizeof *sp_flags;
