/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_SRTP_IPSECMB_H
#define SP_RELAY_SRTP_IPSECMB_H

/* Else its header defines SHA1, CBC and more. */
#define NO_COMPAT_IMB_API_053
#include <assert.h>
#include <intel-ipsec-mb.h>
#include <stdalign.h>
#include <string.h>

#include "relay/srtp_engine.h"
#include "relay/srtp_pool.h"

/*
 * The inside of the engine on libipsec-mb. What is to be known of version 1.3
 * and why the calls are what they are:
 *
 * - Ciphers and hashes go as two synchronous bursts. Its jobs write a global
 *   errno each, over which workers fight for a cache line (fixed in 1.4), and
 *   miscount once their ring has wrapped. Bursts write it once, GCM's direct
 *   calls per packet: there is no other way to it.
 * - The unchecked calls, because the checked ones refuse tags of 10 and 4
 *   bytes and fail a whole burst for one empty payload. So the length of all
 *   tags is 12, of which ours is the start, and what is empty is not given
 *   to a cipher.
 * - A manager fills all its lanes, even for one packet: few packets are
 *   hashed by a second manager, that of SSE with the SHA instructions.
 * - struct gcm_key_data is aligned only if LINUX is defined, and grew in 1.4:
 *   we align it, and open only on the version that we were built with.
 * - A manager is one thread's.
 */

#define SP_IPSECMB_TAG 12u /* bytes that a hash writes */
#define SP_IPSECMB_SALT 14u
#define SP_IPSECMB_AUTH 20u
#define SP_IPSECMB_BLOCK 16u
#define SP_IPSECMB_GCM_TAG 16u

/* What is to be done to an RTP packet: also the order within a burst, in
   which what needs the same call stands together. */
enum sp_ipsecmb_work {
	SP_IPSECMB_128,      /* AES-CM with 128 bits, no tag */
	SP_IPSECMB_128_HMAC, /* the same and a tag */
	SP_IPSECMB_HMAC,     /* only a tag */
	SP_IPSECMB_256_HMAC,
	SP_IPSECMB_256,
	SP_IPSECMB_NOTHING,
	SP_IPSECMB_GCM,
	SP_IPSECMB_WORKS,
};

/* Which keys a box has: its size comes from it. */
enum sp_ipsecmb_kind {
	SP_IPSECMB_KEY_128,
	SP_IPSECMB_KEY_256,
	SP_IPSECMB_KEY_GCM,
	SP_IPSECMB_KINDS,
};

/*
 * A box: a line of what RTP needs first, its expanded key, and what RTCP's
 * keys are made from when a packet comes. No pointers: equal keys are equal
 * bytes.
 */
struct sp_ipsecmb_box {
	alignas(SP_SRTP_LINE) uint8_t kind;
	uint8_t work;       /* on a payload */
	uint8_t work_empty; /* on none */
	uint8_t flags;
	uint8_t tag_len;
	uint8_t mki_len;
	uint8_t long_key; /* 1: of 256 bits */
	uint8_t spare;
	uint8_t salt[SP_IPSECMB_BLOCK]; /* 14 or 12 bytes, then zeros */
	uint32_t inner[5];              /* HMAC's states after its pads */
	uint32_t outer[5];
	alignas(SP_SRTP_LINE) uint8_t keys[];
};

static_assert(offsetof(struct sp_ipsecmb_box, keys) == SP_SRTP_LINE,
	"the library wants its keys aligned");

/* Behind the keys. */
struct sp_ipsecmb_rtcp {
	uint8_t salt[SP_IPSECMB_SALT];
	uint8_t auth[SP_IPSECMB_AUTH];
	uint8_t key[]; /* 16 or 32 */
};

/* What goes with a job of the library's. */
struct sp_ipsecmb_lane {
	alignas(SP_SRTP_LINE) uint8_t iv[SP_IPSECMB_BLOCK];
	uint8_t made[SP_IPSECMB_BLOCK];  /* the tag that should be */
	uint8_t found[SP_IPSECMB_BLOCK]; /* the tag that is */
	uint32_t under;                  /* what the ROC lies over */
	uint16_t end;                    /* of the payload */
	uint8_t blocks;                  /* that are hashed */
};

struct sp_ipsecmb {
	IMB_MGR *many;
	IMB_MGR *few;             /* NULL: the CPU has no SHA instructions */
	unsigned int lanes;       /* of @many's hash */
	struct sp_srtp_pool self; /* where this is: what it holds is secret */
	struct sp_srtp_pool managers;
	char instructions[24];

	/* Of the burst at hand: its packets in order of their work, and where
	   each work starts. */
	struct sp_srtp_job *order[SP_SRTP_BURST];
	uint8_t at[SP_IPSECMB_WORKS + 1];
	uint8_t place[UINT8_MAX + 1]; /* of each sort key; else zero */
	struct sp_ipsecmb_lane lane[SP_SRTP_BURST];
	IMB_JOB job[SP_SRTP_BURST];

	/* Whose ciphers are filled in already: those of unprotect(). */
	const struct sp_srtp_job *filled;
	unsigned int n_filled;
};

/* Sizes of boxes with their keys. */
#define SP_IPSECMB_BOX(keys, key)                                              \
	(sizeof(struct sp_ipsecmb_box) + (keys) +                              \
		sizeof(struct sp_ipsecmb_rtcp) + (key))
#define SP_IPSECMB_KEYS_128 ((size_t)11 * SP_IPSECMB_BLOCK)
#define SP_IPSECMB_KEYS_256 ((size_t)15 * SP_IPSECMB_BLOCK)
#define SP_IPSECMB_BOX_128 SP_IPSECMB_BOX(SP_IPSECMB_KEYS_128, 16)
#define SP_IPSECMB_BOX_256 SP_IPSECMB_BOX(SP_IPSECMB_KEYS_256, 32)
#define SP_IPSECMB_BOX_GCM SP_IPSECMB_BOX(sizeof(struct gcm_key_data), 32)

/* Return where the RTCP part of @box is. */
struct sp_ipsecmb_rtcp *sp_ipsecmb_rtcp(const struct sp_ipsecmb_box *box);

/* Session keys, as RFC 3711 section 4.3 derives them. */
struct sp_ipsecmb_half {
	uint8_t key[32];
	uint8_t salt[SP_IPSECMB_SALT];
	uint8_t auth[SP_IPSECMB_AUTH];
};
struct sp_ipsecmb_session {
	struct sp_ipsecmb_half rtp;
	struct sp_ipsecmb_half rtcp;
};

/*
 * Derive them from a master key, its salt behind it. The caller wipes @out.
 *
 * Spec: RFC 3711 section 4.3, RFC 6188 section 3, RFC 7714 section 11.
 */
void sp_ipsecmb_derive(struct sp_ipsecmb *m, const struct sp_srtp_facts *facts,
	const uint8_t *key, struct sp_ipsecmb_session *out);

/* Put session keys into a box that is all zero but for its kind. Tag length,
   flags and MKI are not theirs, and not set. */
void sp_ipsecmb_set(struct sp_ipsecmb *m, const struct sp_srtp_facts *facts,
	const struct sp_ipsecmb_session *from, struct sp_ipsecmb_box *box);

/* srtp_ipsecmb_key.c: see sp_srtp_ops. */
enum sp_status sp_ipsecmb_box_open(void *lib, const struct sp_srtp_conf *conf,
	unsigned int k, bool sends, void **box);
void sp_ipsecmb_box_close(void *lib, void *box);
bool sp_ipsecmb_box_same(void *lib, const void *box,
	const struct sp_srtp_conf *conf, unsigned int k);

/* The states of HMAC-SHA1 after its two pads. */
void sp_ipsecmb_pads(const struct sp_ipsecmb *m,
	const uint8_t auth[SP_IPSECMB_AUTH], uint32_t inner[5],
	uint32_t outer[5]);

/* srtp_ipsecmb_rtp.c */
void sp_ipsecmb_protect(void *lib, struct sp_srtp_job job[], unsigned int n);
void sp_ipsecmb_unprotect(void *lib, struct sp_srtp_job job[], unsigned int n);
void sp_ipsecmb_finish(void *lib, struct sp_srtp_job job[], unsigned int n);

/* srtp_ipsecmb_gcm.c: the GCM packets of the burst at hand. */
void sp_ipsecmb_gcm_protect(struct sp_ipsecmb *m);
void sp_ipsecmb_gcm_unprotect(struct sp_ipsecmb *m);
void sp_ipsecmb_undo(void *lib, struct sp_srtp_job *job);

/* srtp_ipsecmb_rtcp.c */
void sp_ipsecmb_rtcp_protect(void *lib, struct sp_srtp_job *job);
void sp_ipsecmb_rtcp_unprotect(void *lib, struct sp_srtp_job *job);
void sp_ipsecmb_rtcp_undo(void *lib, struct sp_srtp_job *job);

/* Encrypt or decrypt one piece with AES-CM. */
void sp_ipsecmb_crypt(struct sp_ipsecmb *m, const void *keys, bool is_long,
	const uint8_t iv[SP_IPSECMB_BLOCK], uint8_t *at, size_t len);

#endif
