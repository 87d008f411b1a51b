/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_SRTP_RING_H
#define SP_BENCH_SRTP_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/srtp.h"

/*
 * What bench/crypto's contenders work on: packets of many streams in random
 * order, in as many buffers as a NIC's ring has, laid out like a pool's.
 */

#define RING_PACKETS 1024u
#define RING_MIXED 0u /* instead of a payload's size: lengths of a mix */

/* Streams met in random order, each once a turn. */
struct srtp_walk {
	uint32_t n;
	uint32_t at;
	uint32_t *order;
};

struct srtp_ring {
	uint8_t *buffers;
	uint16_t *seq;    /* of each stream, next */
	uint16_t len_min; /* of the packets in it, before protection */
	uint16_t len_max;
	uint32_t refused; /* packets that a contender did not take */
	uint32_t stream[RING_PACKETS];
	struct sp_srtp_packet packet[RING_PACKETS];
};

struct srtp_walk *srtp_walk_open(uint32_t n);
void srtp_walk_close(struct srtp_walk *w);

/* @streams: the most that any walk has. */
struct srtp_ring *srtp_ring_open(uint32_t streams);
void srtp_ring_close(struct srtp_ring *r);

/* Put fresh RTP packets of the next streams into all buffers. */
void srtp_ring_fill(struct srtp_ring *r, struct srtp_walk *w, uint16_t payload);

/* Damage each packet's tag, its last byte. */
void srtp_ring_forge(struct srtp_ring *r);

/* Are the payloads again what srtp_ring_fill() wrote? */
bool srtp_ring_restored(const struct srtp_ring *r);

/* Random enough for a benchmark's keys. */
void srtp_ring_key(uint8_t *out, unsigned int len);

/* Memory for many keys, in huge pages where there are some, as an engine's. */
void *srtp_ring_map(size_t bytes);

#endif
