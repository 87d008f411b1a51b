/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_VERDICT_H
#define SP_RELAY_VERDICT_H

/*
 * What became of a packet. Every packet ends in exactly one of these and each
 * is a counter, so the counters add up to what the NIC delivered. Rows up to
 * NO_FLOW happen before a flow is known; those after it are counted per flow
 * too. A new row shows up in metrics, query replies and `sallyportctl` by
 * itself.
 *
 * X(name, label, help)
 */
/* clang-format off */
#define SP_VERDICT_LIST(X)                                                    \
	X(PUNT,        "punted",      "ARP, ND, ICMP: given to the slow path") \
	X(PUNT_LIMIT,  "punt_limit",  "slow path's rate or ring exceeded")    \
	X(NOT_OURS,    "not_ours",    "no local address, VLAN or protocol")   \
	X(BAD_FRAME,   "bad_frame",   "cut off, or lengths that disagree")    \
	X(BAD_SUM,     "bad_sum",     "IPv4 header checksum is wrong")        \
	X(IP_OPTIONS,  "ip_options",  "IPv4 options or IPv6 extensions")      \
	X(FRAGMENT,    "fragment",    "an IP fragment")                       \
	X(NO_FLOW,     "no_flow",     "no call uses this port")               \
	X(FORWARD,     "forwarded",   "sent to the other leg")                \
	X(NOT_MEDIA,   "not_media",   "neither RTP, RTCP nor what SDP named") \
	X(MALFORMED,   "malformed",   "RTP or RTCP that breaks its grammar")  \
	X(SOURCE,      "source",      "not from the leg's source")            \
	X(NO_KEYS,     "no_keys",     "SRTP before its keys are agreed")      \
	X(SRTP_AUTH,   "srtp_auth",   "SRTP whose tag or MKI is wrong")       \
	X(SRTP_REPLAY, "srtp_replay", "SRTP seen before, or too old to say")  \
	X(SRTP_LIMIT,  "srtp_limit",  "too many SSRCs or packets for the key") \
	X(PROBATION,   "probation",   "source not yet believed")              \
	X(BLOCKED,     "blocked",     "media that was ordered to be blocked") \
	X(NO_REMOTE,   "no_remote",   "held, or nowhere to send it yet")      \
	X(UNANSWERED,  "unanswered",  "destination has never answered")       \
	X(NO_NEXT_HOP, "no_next_hop", "no route or neighbour to destination") \
	X(TOO_BIG,     "too_big",     "does not fit the next link's MTU")     \
	X(TX_FULL,     "tx_full",     "the NIC took no more")
/* clang-format on */

enum sp_verdict {
#define X(name, label, help) SP_VERDICT_##name,
	SP_VERDICT_LIST(X)
#undef X
	SP_VERDICT_COUNT
};

/* How many verdicts a flow counts by itself: the drops after FORWARD. */
#define SP_FLOW_VERDICTS (SP_VERDICT_COUNT - SP_VERDICT_FORWARD - 1)

/*
 * What became of a frame on the slow path, where PUNT leads: exactly one of
 * these, each a counter.
 *
 * X(name, label, help)
 */
/* clang-format off */
#define SP_SLOW_PATH_LIST(X)                                                  \
	X(ADDRESS,   "address",   "ARP or ND question, answered")             \
	X(ECHO,      "echo",      "ping, answered")                           \
	X(LEARNED,   "learned",   "told us of a neighbour we want")           \
	X(LIMITED,   "limited",   "over the rate of its kind or of all")      \
	X(MALFORMED, "malformed", "cut off, wrong checksum or not allowed")   \
	X(IGNORED,   "ignored",   "not for us, or nothing we do")
/* clang-format on */

enum sp_slow_path_fate {
#define X(name, label, help) SP_SLOW_PATH_##name,
	SP_SLOW_PATH_LIST(X)
#undef X
	SP_SLOW_PATH_COUNT
};

#endif
