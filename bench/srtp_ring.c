/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/srtp_ring.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "relay/rtp.h"

#define STRIDE 2432u /* a pool's distance of 2,048 byte buffers */
#define OFFSET 298u  /* mbuf, headroom, Ethernet, IPv4 and UDP */
#define PAYLOAD_MAX 1400u

/* What every payload is. */
static uint8_t pattern[PAYLOAD_MAX];

struct srtp_walk *
srtp_walk_open(uint32_t n)
{
	struct srtp_walk *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	w->n = n;
	w->at = n;
	w->order = calloc(n, sizeof *w->order);
	if (!w->order)
		abort();
	for (uint32_t i = 0; i < n; i++)
		w->order[i] = i;
	return w;
}

void
srtp_walk_close(struct srtp_walk *w)
{
	free(w->order);
	free(w);
}

static uint32_t
next_stream(struct srtp_walk *w)
{
	if (w->at == w->n) {
		for (uint32_t i = w->n - 1; i > 0; i--) {
			const uint32_t j = (uint32_t)random() % (i + 1);
			const uint32_t keep = w->order[i];

			w->order[i] = w->order[j];
			w->order[j] = keep;
		}
		w->at = 0;
	}
	return w->order[w->at++];
}

struct srtp_ring *
srtp_ring_open(uint32_t streams)
{
	struct srtp_ring *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	r->buffers = aligned_alloc(4096, (size_t)RING_PACKETS * STRIDE);
	r->seq = calloc(streams, sizeof *r->seq);
	if (!r->buffers || !r->seq)
		abort();
	memset(r->buffers, 0, (size_t)RING_PACKETS * STRIDE);
	for (uint32_t i = 0; i < streams; i++)
		r->seq[i] = (uint16_t)random();
	for (unsigned int i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 7 + 1);
	return r;
}

void
srtp_ring_close(struct srtp_ring *r)
{
	free(r->buffers);
	free(r->seq);
	free(r);
}

/* Of four: two of 160 bytes, one of 60 to 120, one of 20. */
static uint16_t
mixed(unsigned int i)
{
	if (i % 4 < 2)
		return 160;
	if (i % 4 == 2)
		return (uint16_t)(60 + random() % 61);
	return 20;
}

void
srtp_ring_fill(struct srtp_ring *r, struct srtp_walk *w, uint16_t payload)
{
	r->len_min = UINT16_MAX;
	r->len_max = 0;
	r->refused = 0;
	for (unsigned int i = 0; i < RING_PACKETS; i++) {
		const uint16_t size =
			payload != RING_MIXED ? payload : mixed(i);
		uint8_t *rtp = r->buffers + (size_t)i * STRIDE + OFFSET;
		const uint32_t stream = next_stream(w);
		const uint16_t seq = r->seq[stream]++;

		memset(rtp, 0, SP_RTP_HEADER_MIN);
		rtp[0] = SP_RTP_PLAIN;
		rtp[2] = (uint8_t)(seq >> 8);
		rtp[3] = (uint8_t)seq;
		memcpy(rtp + 8, &stream, sizeof stream);
		memcpy(rtp + SP_RTP_HEADER_MIN, pattern, size);
		r->stream[i] = stream;
		r->packet[i] = (struct sp_srtp_packet){
			.data = rtp,
			.len = (uint16_t)(SP_RTP_HEADER_MIN + size),
			.header_len = SP_RTP_HEADER_MIN,
		};
		if (r->packet[i].len < r->len_min)
			r->len_min = r->packet[i].len;
		if (r->packet[i].len > r->len_max)
			r->len_max = r->packet[i].len;
	}
}

void
srtp_ring_forge(struct srtp_ring *r)
{
	for (unsigned int i = 0; i < RING_PACKETS; i++)
		r->packet[i].data[r->packet[i].len - 1] ^= 1;
}

bool
srtp_ring_restored(const struct srtp_ring *r)
{
	for (unsigned int i = 0; i < RING_PACKETS; i++) {
		const struct sp_srtp_packet *p = &r->packet[i];

		if (p->len < r->len_min || p->len > r->len_max ||
			memcmp(p->data + p->header_len, pattern,
				(size_t)(p->len - p->header_len)) != 0)
			return false;
	}
	return r->refused == 0;
}

void
srtp_ring_key(uint8_t *out, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		out[i] = (uint8_t)(random() >> 8);
}

void *
srtp_ring_map(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		abort();
	madvise(at, bytes, MADV_HUGEPAGE);
	return at;
}
