/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_branch_prediction.h>
#include <string.h>

#include "dataplane/stage.h"
#include "relay/demux.h"

/*
 * The byte that means nothing to each codec. G.711: the smallest value there
 * is. G.722: the code words of which inverse quantizers make the smallest
 * positive difference, which is 0 once the step is at its smallest, and by
 * which both predictors decay. What encoders make of zeros at first, 0xfa,
 * does not: a decoder that is fed it drifts to some 200 of 32,768 and stays.
 *
 * Spec: ITU-T G.711 tables 1a and 2a; ITU-T G.722 clause 6.2 (INVQAL, INVQBL,
 *       INVQAH and the tables QM4, QM6 and QM2).
 */
static const uint8_t silence[SP_QUIET_CODECS] = {
	[SP_QUIET_PCMU] = 0xff,
	[SP_QUIET_PCMA] = 0xd5,
	[SP_QUIET_G722] = 0xfd,
};

/* Up to here records of DTLS agree on keys, those above carry data. */
#define DTLS_HANDSHAKE 22

/* Could there be sound or pictures in it? */
static bool
is_media(const struct sp_burst *b, unsigned int i)
{
	switch ((enum sp_demux)b->what[i]) {
	case SP_DEMUX_RTCP:
	case SP_DEMUX_ZRTP:
		return false;
	case SP_DEMUX_DTLS:
		return b->payload[i][0] > DTLS_HANDSHAKE;
	default:
		return true;
	}
}

/* Write @byte over the payload; the checksum keeps what it knew of the rest. */
static void
fill(struct sp_burst *b, unsigned int i, uint8_t byte)
{
	const struct sp_rtp *rtp = &b->rtp[i];
	struct sp_datagram *d = &b->datagram[i];
	uint8_t *sound = b->payload[i] + rtp->header_len;
	const uint16_t len =
		(uint16_t)(d->payload_len - rtp->header_len - rtp->padding_len);
	const uint16_t old_be = sp_sum_bytes(sound, len);

	memset(sound, byte, len);
	/* None stays none; a partial one is not looked at again. */
	if (d->check_be != 0)
		d->check_be = sp_sum_move(
			d->check_be, old_be, sp_sum_bytes(sound, len));
}

static enum sp_verdict
mute(struct sp_burst *b, unsigned int i, const struct sp_flow_aside *a)
{
	const uint8_t flags = b->flow[i]->flags;
	const bool is_rtp = b->what[i] == SP_DEMUX_RTP;
	const uint8_t type = b->rtp[i].payload_type;

	if (is_rtp && a->dtmf_types >> (type & 63) & 1) {
		/* What is encrypted may as well be sound. */
		if (flags & SP_FLOW_NO_DTMF ||
			(flags & SP_FLOW_OPAQUE &&
				flags & (SP_FLOW_BLOCK | SP_FLOW_SILENCE)))
			return SP_VERDICT_BLOCKED;
		return SP_VERDICT_FORWARD;
	}
	if (!(flags & (SP_FLOW_BLOCK | SP_FLOW_SILENCE)) || !is_media(b, i))
		return SP_VERDICT_FORWARD;
	if (flags & (SP_FLOW_BLOCK | SP_FLOW_OPAQUE) || !is_rtp)
		return SP_VERDICT_BLOCKED;
	for (unsigned int codec = 0; codec < SP_QUIET_CODECS; codec++) {
		if (a->quiet[codec] != type)
			continue;
		fill(b, i, silence[codec]);
		return SP_VERDICT_FORWARD;
	}
	return SP_VERDICT_BLOCKED;
}

void
sp_stage_mute(struct sp_burst *b, const struct sp_flow_table *t)
{
	if (likely(!(b->flags & SP_FLOW_MUTED)))
		return;
	for (unsigned int i = 0; i < b->count; i++) {
		const struct sp_flow *f = b->flow[i];

		if (b->verdict[i] == SP_VERDICT_FORWARD &&
			f->flags & SP_FLOW_MUTED)
			b->verdict[i] =
				(uint8_t)mute(b, i, &t->aside[f->index]);
	}
}
