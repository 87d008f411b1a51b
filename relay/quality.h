/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_QUALITY_H
#define SP_RELAY_QUALITY_H

#include <stdint.h>

#include "relay/rtp.h"

/* How far a sequence number may run ahead in one step: RFC 3550 A.1. */
#define SP_QUALITY_MAX_DROPOUT 3000

/*
 * A larger change of transit time than this, in timestamp units, is a new
 * clock at the sender and not jitter: 16 s at 8 kHz, 1.5 s at 90 kHz. It also
 * bounds @jitter, whatever timestamps a peer makes up.
 */
#define SP_QUALITY_MAX_TRANSIT_STEP (1u << 17)

/*
 * What the packets of one stream say about its path. All zero is a stream
 * not heard of yet. The worker that owns the flow writes all of it for
 * every packet; whoever else reads, reads a copy.
 */
struct sp_quality {
	uint64_t window;         /* bit n: @highest - n has come */
	uint32_t highest;        /* sequence number with its cycles */
	uint32_t base;           /* first one since the last restart */
	uint32_t ssrc;           /* whose sequence numbers these are */
	uint32_t expected;       /* up to the last restart */
	uint32_t received;       /* in all, without duplicates */
	uint32_t duplicates;     /* in all */
	uint32_t reordered;      /* came after a later one, in all */
	uint32_t jitter;         /* RFC 3550 A.8: sixteenths of a unit */
	uint32_t transit;        /* arrival minus timestamp of the last one */
	uint16_t jump_seq;       /* follows a wild jump that may be a restart */
	uint16_t source_changes; /* new SSRCs after the first; stops at max */
};

_Static_assert(sizeof(struct sp_quality) == 48,
	"statistics share one cache line with the octet and packet counts");

/* What a person or a metric wants to know. */
struct sp_quality_report {
	uint64_t packets; /* received, duplicates included */
	uint64_t expected;
	uint64_t lost; /* expected and not received, never below 0 */
	uint64_t reordered;
	uint64_t duplicates;
	uint32_t jitter_us;
	uint32_t ssrc;
	uint32_t ssrc_changes;
	uint16_t last_seq; /* the highest one */
	uint16_t mos_x100; /* 100..450, 0 before the first packet */
};

/* Count a packet that is not simply the next one of the same source. */
void sp_quality_count_rare(
	struct sp_quality *q, const struct sp_rtp *rtp, uint32_t arrival);

/* Take the transit time of one more packet into the jitter. */
static inline void
sp_quality_count_jitter(
	struct sp_quality *q, const struct sp_rtp *rtp, uint32_t arrival)
{
	const uint32_t transit = arrival - rtp->timestamp;
	const uint32_t ahead = transit - q->transit;
	const uint32_t back = q->transit - transit;
	uint32_t step = ahead < back ? ahead : back;

	step = step < SP_QUALITY_MAX_TRANSIT_STEP ? step : 0;
	q->transit = transit;
	q->jitter += step - ((q->jitter + 8) >> 4);
}

/*
 * Count one valid packet of the stream. @arrival is when it came, in units
 * of the stream's clock rate; it may start anywhere and wraps.
 *
 * Core: worker, for every RTP packet, after it was authenticated.
 * Spec: RFC 3550 appendix A.1, A.3 and A.8; SEC-31, SEC-32.
 */
static inline void
sp_quality_count(
	struct sp_quality *q, const struct sp_rtp *rtp, uint32_t arrival)
{
	const uint16_t step = (uint16_t)(rtp->seq - (uint16_t)q->highest);

	/* Step 0 is a duplicate; an empty window, a stream not begun. */
	if (__builtin_expect(rtp->ssrc != q->ssrc || q->window == 0 ||
			    (uint16_t)(step - 1) >= SP_QUALITY_MAX_DROPOUT - 1,
		    0)) {
		sp_quality_count_rare(q, rtp, arrival);
		return;
	}
	q->highest += step;
	q->window = (step < 64 ? q->window << step : 0) | 1;
	q->received++;
	q->jump_seq = rtp->seq; /* no jump ends here: the last one was alone */
	sp_quality_count_jitter(q, rtp, arrival);
}

/*
 * Work out a report. @clock_hz is the stream's clock rate; with 0 the jitter
 * is not known and reported as 0. The MOS is an estimate for G.711 with loss
 * concealment, from loss and jitter alone: the network's delay is not seen.
 *
 * Core: control; @q is a copy.
 * Spec: ITU-T G.107, G.113 appendix I.
 */
void sp_quality_read(const struct sp_quality *q, uint32_t clock_hz,
	struct sp_quality_report *out);

#endif
