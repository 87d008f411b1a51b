/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_SRTP_H
#define SP_BENCH_PKTGEN_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * SRTP at the parties' ends, by the relay's own engine. Packets are protected
 * before a trial begins, so that sending them costs a copy, or with
 * --srtp-live in bursts while they are sent. Of those that arrive protected
 * some are opened, the others known by their header.
 */

#define PKTGEN_SRTP_LIVE 64u /* packets that are protected at once */

struct pktgen;

/* Open it if a side has a suite. */
void pktgen_srtp_open(struct pktgen *g);
void pktgen_srtp_close(struct pktgen *g);

/* Write @party's a=crypto line, or nothing; returns the length. */
size_t pktgen_srtp_offer(
	const struct pktgen *g, uint32_t party, char *to, size_t size);

struct sp_sdp_media;

/* The other end's key is in @m; open what @party sends and receives. */
void pktgen_srtp_agree(
	struct pktgen *g, uint32_t party, const struct sp_sdp_media *m);

/* Protect the next @count packets, as far as they are not; ends the process
   when there is no memory for them. What a trial leaves over is the next
   one's: no number is protected twice. */
void pktgen_srtp_prepare(struct pktgen *g, uint64_t count);

/* Calls are new ones: what is left over is nobody's. */
void pktgen_srtp_forget(struct pktgen *g);

/* Put @side's next packet at @rtp; returns its length, and the sum of its
   bytes. */
uint32_t pktgen_srtp_put(
	struct pktgen *g, unsigned int side, uint8_t *rtp, uint32_t *sum_be);

/* Protect @n frames that are written but for that, and their checksums;
   returns by how many bytes each has grown. */
uint32_t pktgen_srtp_live(struct pktgen *g, const uint32_t stream[],
	uint8_t *const frame[], unsigned int n);

/* Is what arrived at @party in good order? Opens some. */
bool pktgen_srtp_good(struct pktgen *g, uint32_t party, uint32_t stream,
	uint32_t seq, uint8_t *rtp, uint32_t len, uint64_t now);

/* Protect RTCP of @len bytes in place, with room behind; the new length. */
uint32_t pktgen_srtp_rtcp(struct pktgen *g, uint32_t party, uint8_t *rtcp,
	uint32_t len, uint64_t now);

#endif
