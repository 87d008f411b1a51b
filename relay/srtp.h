/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SRTP_H
#define SP_RELAY_SRTP_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/srtp_conf.h"
#include "relay/status.h"

/*
 * SRTP and SRTCP over bursts (RFC 3711, 6188, 7714). An *engine* is one
 * worker's: its crypto library's state, scratch, and the memory of all its
 * directions. A *direction* (struct sp_srtp) is what a leg sends, or what it
 * receives, under the keys of one agreement: under it live up to
 * SP_SRTP_SSRCS streams, each with its own ROC and replay window, made only
 * once a packet has authenticated. Both engines decide alike; see srtp.c.
 *
 * Core: start-up opens and closes an engine; the rest is its worker's alone.
 */

#define SP_SRTP_BURST 64u        /* packets of a call, at most */
#define SP_SRTP_ROOM 64u         /* bytes behind a packet that get written */
#define SP_SRTP_SSRCS 8u         /* streams of a direction */
#define SP_SRTP_WINDOW 128u      /* packets that may come late */
#define SP_SRTP_GRACE_MS 5000u   /* an old key is heard after a new one */
#define SP_SRTP_IDLE_MS 10000u   /* a stream so silent may be replaced */
#define SP_SRTP_LIBSRTP_MAX 200u /* directions: Debian's slows with each */

/* Which library does the work. */
enum sp_srtp_kind {
	SP_SRTP_AUTO, /* ipsec-mb where the CPU can, else libsrtp */
	SP_SRTP_IPSECMB,
	SP_SRTP_LIBSRTP,
};

/* What became of a packet. */
enum sp_srtp_fate {
	SP_SRTP_OK,
	SP_SRTP_SHORT,   /* for what it must hold, or no room to grow */
	SP_SRTP_AUTH,    /* the tag is wrong, or the MKI is of no key */
	SP_SRTP_REPLAY,  /* its index was used before, or is too old to say */
	SP_SRTP_SSRC,    /* a new SSRC beside too many that speak, or did */
	SP_SRTP_EXPIRED, /* the key has protected all it may */
};

/*
 * One packet, changed in place: contiguous, ours alone, with SP_SRTP_ROOM
 * bytes behind @len that may be written. Unless @fate is OK, @len is as it
 * was; the bytes are, too, but for a failed GCM packet's.
 */
struct sp_srtp_packet {
	uint8_t *data; /* the RTP or RTCP header */
	uint16_t len;
	uint16_t header_len; /* of RTP: with CSRCs and extension; <= @len */
	uint8_t fate;        /* enum sp_srtp_fate */
	uint8_t newest;      /* unprotected RTP: no higher index came before */
};

struct sp_srtp_engine;
struct sp_srtp;

/*
 * Open an engine for up to @capacity directions. Memory is reserved, not
 * used: a direction costs its pages when it is opened. It is left out of core
 * dumps.
 *
 * Core:  start-up.
 * Owns:  the caller closes *@out, which frees all its directions.
 * Fails: SP_UNSUPPORTED when the CPU or library can't, SP_NO_MEMORY.
 */
enum sp_status sp_srtp_engine_open(enum sp_srtp_kind kind, uint32_t capacity,
	struct sp_srtp_engine **out) SP_MUST_CHECK;
void sp_srtp_engine_close(struct sp_srtp_engine *e); /* takes NULL */

/* What an engine is, for logs and metrics. */
struct sp_srtp_about {
	const char *name; /* "ipsec-mb", "libsrtp"; static */
	char library[48]; /* name and version, and the instructions used */
	enum sp_srtp_kind kind;
	uint32_t most; /* directions it is fit to carry */
	bool slow;     /* it costs more with each direction */
};
void sp_srtp_engine_about(
	const struct sp_srtp_engine *e, struct sp_srtp_about *out);

/*
 * Open a direction: @sends is true for what we protect.
 *
 * Core:  worker, on an order; some microseconds.
 * Owns:  the engine's memory; close it. Keys are copied, @conf is the
 *        caller's to wipe.
 * Fails: SP_FULL beyond the engine's capacity, SP_UNSUPPORTED for a suite,
 *        flags or MKI that don't go together, SP_NO_MEMORY.
 */
enum sp_status sp_srtp_open(struct sp_srtp_engine *e,
	const struct sp_srtp_conf *conf, bool sends,
	struct sp_srtp **out) SP_MUST_CHECK;

/*
 * Go on under @conf. The same keys change nothing: ROC and windows stay. New
 * ones start anew; what is received under the old ones is accepted until the
 * first packet authenticates under the new, at most SP_SRTP_GRACE_MS. The
 * indices used under the last few agreements stay known, should one return. If
 * only some keys are new (there is an MKI), or they are said with another
 * suite or other parameters, streams and windows stay, too.
 *
 * Fails: as sp_srtp_open, but never for want of room; the direction is then
 *        as it was.
 */
enum sp_status sp_srtp_rekey(struct sp_srtp_engine *e, struct sp_srtp *s,
	const struct sp_srtp_conf *conf, uint32_t now_ms) SP_MUST_CHECK;

/* Wipe a direction and give its memory back. Takes NULL. */
void sp_srtp_close(struct sp_srtp_engine *e, struct sp_srtp *s);

/* Start loading what a packet under @s needs: the earlier, the better. */
void sp_srtp_prefetch(const struct sp_srtp *s);

/*
 * Protect or unprotect @n (0..SP_SRTP_BURST) RTP packets, p[i] under s[i],
 * exactly as one after the other would be; several may be of one stream.
 *
 * Protecting never uses an index for two payloads: a repeated or late one
 * beyond doubt is REPLAY. When a source starts its sequence numbers anew
 * (two packets in a row, as in RFC 3550 appendix A.1), the numbers it gets
 * on the wire go on where the old ones ended.
 *
 * Core: worker, for every packet.
 * Spec: RFC 3711 sections 3.3, 3.3.1, 3.3.2, appendix A.
 */
void sp_srtp_protect(struct sp_srtp_engine *e, struct sp_srtp *const s[],
	struct sp_srtp_packet p[], unsigned int n, uint32_t now_ms);
void sp_srtp_unprotect(struct sp_srtp_engine *e, struct sp_srtp *const s[],
	struct sp_srtp_packet p[], unsigned int n, uint32_t now_ms);

/*
 * The same for one compound RTCP packet. Encrypted ones and, with
 * SP_SRTP_PLAIN_RTCP, authentic ones in the clear are accepted.
 *
 * Spec: RFC 3711 section 3.4, RFC 7714 section 9.
 */
void sp_srtcp_protect(struct sp_srtp_engine *e, struct sp_srtp *s,
	struct sp_srtp_packet *p, uint32_t now_ms);
void sp_srtcp_unprotect(struct sp_srtp_engine *e, struct sp_srtp *s,
	struct sp_srtp_packet *p, uint32_t now_ms);

/*
 * Return what must be added to a sequence number of @ssrc as its source sent
 * it to get the one on our wire: 0 unless it started anew. For RTCP that
 * speaks of our numbers.
 */
uint16_t sp_srtp_offset(const struct sp_srtp *s, uint32_t ssrc);

#endif
