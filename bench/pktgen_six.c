/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_six.h"

#include <rte_mbuf.h>
#include <string.h>

#include "bench/pktgen.h"

#define MACS 12u
#define UDP (PKTGEN_UDP + PKTGEN_SIX_MORE)

void
pktgen_six_make(struct pktgen_six *six, const struct sp_addr *from,
	const struct sp_addr *to)
{
	uint8_t *ip = six->head + 2;

	memset(six, 0, sizeof *six);
	six->head[0] = 0x86;
	six->head[1] = 0xdd;
	ip[0] = 0x60;
	ip[6] = 17;
	ip[7] = 64;
	memcpy(ip + 8, from->ip, sizeof from->ip);
	memcpy(ip + 24, to->ip, sizeof to->ip);
}

void
pktgen_six_put(const struct pktgen_six *six, struct rte_mbuf *m)
{
	uint8_t *frame = (uint8_t *)rte_pktmbuf_prepend(m, PKTGEN_SIX_MORE);

	if (!frame)
		pktgen_die("a frame has no room for IPv6");
	memcpy(frame, frame + PKTGEN_SIX_MORE, MACS);
	memcpy(frame + MACS, six->head, sizeof six->head);
	memcpy(frame + PKTGEN_ETH + 4, frame + UDP + 4, 2);
}
