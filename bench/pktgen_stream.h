/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_STREAM_H
#define SP_BENCH_PKTGEN_STREAM_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "relay/addr.h"

/*
 * One direction of a call: its frames' first bytes, ready but for what counts
 * up, and what became of it at the other end.
 */

struct pktgen;

#define PKTGEN_FIRST_PORT 10000u
#define PKTGEN_MAGIC 0x53504731u
#define PKTGEN_SSRC 0x5a000000u /* and the stream's number */

enum {
	PKTGEN_ETH = 14,
	PKTGEN_UDP = PKTGEN_ETH + 20,
	PKTGEN_RTP = PKTGEN_UDP + 8,
	PKTGEN_HEAD = PKTGEN_RTP + 12,
};

struct pktgen_stream {
	/* Ethernet to RTP, as in a packet of usual length. In place of the UDP
	   checksum: the sum of all that never changes. */
	alignas(64) uint8_t head[PKTGEN_HEAD];
	uint16_t spare;
	uint32_t seq;    /* of the last packet; the first is 1 */
	int32_t silence; /* packets until it ends; negative: it begins */
};
_Static_assert(sizeof(struct pktgen_stream) == 64, "one line a packet");

/* Behind the RTP header. Numbers as they lie: we read them ourselves. */
struct pktgen_mark {
	uint32_t magic;
	uint32_t stream;
	uint32_t run;
	uint32_t seq;
	uint64_t tsc;
};

/* Where a party was told to send to. */
struct pktgen_target {
	struct sp_addr rtp;
	struct sp_addr rtcp;
};

/* The address of a party, which sends the stream of the same number. */
struct sp_addr pktgen_party(const struct pktgen *g, uint32_t stream);

/* Which party has the address whose last four bytes are at @low, and @port;
   UINT32_MAX: none. Of RTP's port, or the one after it. */
uint32_t pktgen_party_at(const struct pktgen *g, enum sp_family family,
	const uint8_t *low, uint16_t port);

/* Make order, phases and heads; targets are known. */
void pktgen_streams_make(struct pktgen *g);

/* Make heads only: targets are other ones now. */
void pktgen_streams_aim(struct pktgen *g);

/* Write IPv4 and UDP of a datagram into @frame, its payload there already; or
   UDP with IPv6's checksum. */
void pktgen_datagram_close(uint8_t *frame, const struct sp_addr *from,
	const struct sp_addr *to, uint32_t payload_len);

/* Is the stream silent now, so that nothing is sent? Asked once a packet. */
bool pktgen_stream_rests(struct pktgen *g, uint32_t number);

/* Write the RTP header and the mark of a packet to @rtp. */
void pktgen_stream_fill(const struct pktgen *g, uint32_t number, uint32_t seq,
	uint64_t now, uint8_t *rtp);

/* Write lengths and checksums of a packet whose payload is there: of @len
   bytes with the RTP header, which sum to @sum_be. */
void pktgen_stream_close(uint8_t *frame, const struct pktgen_stream *s,
	uint32_t len, uint32_t sum_be);

/* Write the stream's next packet; return the frame's length. */
uint32_t pktgen_stream_write(
	struct pktgen *g, uint32_t number, uint64_t now, uint8_t *frame);

/*
 * When packets were sent that can't say so themselves: of short ones, and of
 * SRTP. The last PKTGEN_REMEMBERED of each stream are known.
 */
#define PKTGEN_REMEMBERED 16u
void pktgen_stream_sent(
	struct pktgen *g, uint32_t stream, uint32_t seq, uint64_t now);
uint64_t pktgen_stream_when(
	const struct pktgen *g, uint32_t stream, uint32_t seq);

#endif
