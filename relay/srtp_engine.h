/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SRTP_ENGINE_H
#define SP_RELAY_SRTP_ENGINE_H

#include "relay/srtp.h"

/*
 * What srtp.c asks of a crypto library. srtp.c decides: which stream a packet
 * is of, its index, whether it is a replay, which key it is tried under. An
 * engine does the cryptography of one packet under one *box*: the session
 * keys that come from one master key, for RTP and RTCP of one direction. A
 * box sees the packets of at most SP_SRTP_KNOWN SSRCs.
 */

/* SSRCs that srtp.c ever lets pass under a key: those that speak and those
   that have left. */
#define SP_SRTP_KNOWN 136u

/* Agreements before the present one whose indices srtp.c keeps. */
#define SP_SRTP_PASTS 3u

/* Sizes that an engine's boxes have, at most. */
#define SP_SRTP_BOXES 3u

/* One packet's work. */
struct sp_srtp_job {
	struct sp_srtp_packet *p; /* its fate is srtp.c's to write */
	void *box;
	const uint8_t *mki; /* of the box's key, if it has one */
	uint64_t index;     /* RTP: ROC << 16 | seq. RTCP: 31 bits */
	bool ok;            /* done (protect); authentic (unprotect) */
};

/*
 * An engine. Lengths have been checked against tag and MKI before a job is
 * made, RTP's header_len too; an RTCP packet's E bit is as agreed and its
 * index is that in the packet, or goes into it. A job's @ok is true when it
 * comes.
 */
struct sp_srtp_ops {
	enum sp_srtp_kind kind;
	unsigned int burst; /* jobs of a call, at most */

	/* Fails: SP_UNSUPPORTED, SP_NO_MEMORY. */
	enum sp_status (*open)(uint32_t capacity, void **lib);
	void (*close)(void *lib);
	void (*about)(const void *lib, struct sp_srtp_about *out);

	/*
	 * Derive the session keys of conf->key[k] into a box. Its memory is
	 * srtp.c's, zeroed, where box_size says how much: then *box points to
	 * it, and the box may be moved by copying. Else the engine takes its
	 * own and sets *box. Close wipes. same(): are they those that this
	 * key and suite yield, whatever the tag's length, flags and MKI?
	 * Fails: SP_FULL, SP_UNSUPPORTED, SP_NO_MEMORY.
	 */
	enum sp_status (*box_open)(void *lib, const struct sp_srtp_conf *conf,
		unsigned int k, bool sends, void **box);
	void (*box_close)(void *lib, void *box);
	bool (*box_same)(void *lib, const void *box,
		const struct sp_srtp_conf *conf, unsigned int k);
	uint16_t box_size[SP_SRTP_BOXES];  /* bytes; 0: the engine's own */
	uint8_t box_kind[SP_SRTP_SUITES];  /* index above */
	uint8_t box_lines[SP_SRTP_SUITES]; /* of a box's cache lines, the
					      first so many for every packet */

	/* Encrypt, authenticate, append MKI and tag: p->len grows. */
	void (*protect)(void *lib, struct sp_srtp_job job[], unsigned int n);

	/*
	 * Check the tags, set @ok. An engine that authenticates first leaves
	 * the bytes and p->len alone until finish(), which is called with
	 * those that were found to be fresh, too. One that does it all here
	 * has no finish(), and p->len shrinks here when @ok.
	 */
	void (*unprotect)(void *lib, struct sp_srtp_job job[], unsigned int n);
	void (*finish)(void *lib, struct sp_srtp_job job[], unsigned int n);

	/*
	 * Give back the bytes and the length that a job had before the last
	 * unprotect(), whatever that said: the packet will be tried under
	 * another index or box. NULL when unprotect() changes nothing.
	 */
	void (*undo)(void *lib, struct sp_srtp_job *job);

	/* The same for RTCP; each one in a step. Turned away, the bytes are
	   as they were, but for GCM ones. */
	void (*rtcp_protect)(void *lib, struct sp_srtp_job *job);
	void (*rtcp_unprotect)(void *lib, struct sp_srtp_job *job);
	void (*rtcp_undo)(void *lib, struct sp_srtp_job *job);
};

extern const struct sp_srtp_ops sp_srtp_libsrtp_ops;
#ifdef SP_HAVE_IPSECMB
extern const struct sp_srtp_ops sp_srtp_ipsecmb_ops;
#endif

#endif
