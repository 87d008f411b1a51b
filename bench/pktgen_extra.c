/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_extra.h"

#include <arpa/inet.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pktgen.h"
#include "bench/pktgen_six.h"
#include "bench/pktgen_srtp.h"

#define SDES_LEN 20u
#define SR_LEN 28u
#define JUNK_MAX 200u
#define AT_ONCE 4u /* of each kind: media goes first */

static double rtcp_due, junk_due; /* cycles */

/* Write the headers of @m, whose payload is there, and send it. */
static bool
send_frame(struct pktgen *g, uint32_t stream, struct rte_mbuf *m,
	const struct sp_addr *from, const struct sp_addr *to,
	uint32_t payload_len)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	struct pktgen_six six;

	memcpy(frame, g->stream[stream].head, 12);
	pktgen_datagram_close(frame, from, to, payload_len);
	m->data_len = (uint16_t)(PKTGEN_RTP + payload_len);
	m->pkt_len = m->data_len;
	if (from->family == SP_FAMILY_IP6) {
		pktgen_six_make(&six, from, to);
		pktgen_six_put(&six, m);
	}
	return pktgen_port_send(g, stream % 2, &m, 1) == 1;
}

/* A sender report and the name that RFC 3550 wants with it. */
static void
write_rtcp(const struct pktgen *g, uint32_t stream, uint64_t now, uint8_t *at)
{
	const struct pktgen_stream *s = &g->stream[stream];
	const uint32_t word[] = { 0x80c80006, PKTGEN_SSRC + stream,
		(uint32_t)((double)now / g->hz), 0,
		s->seq * 8 * g->conf.ptime_ms, s->seq, s->seq * g->conf.payload,
		0x81ca0004, PKTGEN_SSRC + stream };

	for (unsigned int i = 0; i < sizeof word / sizeof *word; i++) {
		const uint32_t be = htonl(word[i]);

		memcpy(at + 4 * i, &be, sizeof be);
	}
	memcpy(at + sizeof word, "\x01\x06pktgen\0\0\0", 12);
}

static void
send_rtcp(struct pktgen *g, uint64_t now)
{
	const uint32_t stream = (uint32_t)random() % g->n;
	const struct sp_addr *to = &g->target[stream].rtcp;
	struct sp_addr from = pktgen_party(g, stream);
	struct rte_mbuf *m = rte_pktmbuf_alloc(g->other_pool);
	uint32_t len = SR_LEN + SDES_LEN;
	uint8_t *rtcp;

	if (!m)
		return;
	from.port++;
	rtcp = rte_pktmbuf_mtod_offset(m, uint8_t *, PKTGEN_RTP);
	write_rtcp(g, stream, now, rtcp);
	len = pktgen_srtp_rtcp(g, stream, rtcp, len, now);
	if (send_frame(g, stream, m, &from, to, len))
		g->counted->way[stream % 2].rtcp_sent++;
}

/* Like RTP, RTCP or STUN by its first bytes, or like nothing. */
static uint32_t
write_junk(uint8_t *at)
{
	static const uint8_t first[4][2] = { { 0x80, 0 }, { 0x80, 200 },
		{ 0, 1 }, { 0xff, 0xff } };
	const uint32_t len = 20 + (uint32_t)random() % (JUNK_MAX - 20);

	for (uint32_t i = 0; i < len; i++)
		at[i] = (uint8_t)(random() >> 8);
	memcpy(at, first[random() % 4], 2);
	return len;
}

static void
send_junk(struct pktgen *g)
{
	const uint32_t stream = (uint32_t)random() % g->n;
	struct sp_addr from = pktgen_party(g, stream);
	struct rte_mbuf *m = rte_pktmbuf_alloc(g->other_pool);
	uint32_t len;

	if (!m)
		return;
	/* A neighbour of ours that is no party. */
	from.ip[14] = (uint8_t)(128 + random() % 64);
	from.ip[15] = (uint8_t)(1 + random() % 250);
	from.port = (uint16_t)(1024 + random() % 60000);
	len = write_junk(rte_pktmbuf_mtod_offset(m, uint8_t *, PKTGEN_RTP));
	if (send_frame(g, stream, m, &from, &g->target[stream].rtp, len))
		g->counted->junk_sent++;
}

/* Half the mean to one and a half times. */
static double
wait(const struct pktgen *g, double mean_s)
{
	return g->hz * mean_s * (0.5 + (double)random() / RAND_MAX);
}

void
pktgen_extra_begin(struct pktgen *g, uint64_t now)
{
	rtcp_due = (double)now;
	junk_due = (double)now;
	(void)g;
}

void
pktgen_extra_send(struct pktgen *g, uint64_t now)
{
	unsigned int i;

	for (i = 0; g->conf.rtcp_s > 0 && g->target[0].rtcp.port > 0 &&
		rtcp_due <= (double)now && i < AT_ONCE;
		i++) {
		send_rtcp(g, now);
		rtcp_due += wait(g, g->conf.rtcp_s / g->n);
	}
	for (i = 0; g->conf.junk > 0 && junk_due <= (double)now && i < AT_ONCE;
		i++) {
		send_junk(g);
		junk_due += wait(g, 1 / g->conf.junk);
	}
}
