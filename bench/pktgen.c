/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A generator and sink of RTP on any device that DPDK has. It sets up calls
 * through the relay's own control protocol, is both parties of all of them,
 * and says what became of each packet and how long it took.
 */
#include "bench/pktgen.h"
#include "bench/pktgen_srtp.h"

#include <rte_cycles.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WARM_ROUNDS 2.0 /* packets of each stream before we count */
#define WARM_TRIES 5u
#define WARM_RATE 100000.0 /* and at most so many a second */

void
pktgen_die(const char *what, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("pktgen: ", stderr);
	va_start(ap, what);
	vfprintf(stderr, what, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static void *
room(size_t n, size_t size)
{
	void *p = aligned_alloc(64, (n * size + 63) / 64 * 64);

	if (!p)
		pktgen_die("no memory");
	return __builtin_memset(p, 0, n * size);
}

static void
open_all(struct pktgen *g)
{
	g->n = 2 * g->conf.calls;
	g->stream = room(g->n, sizeof *g->stream);
	g->heard = room(g->n, sizeof *g->heard);
	g->target = room(g->n, sizeof *g->target);
	g->order = room(g->n, sizeof *g->order);
	g->phase = room(g->n, sizeof *g->phase);
	pktgen_ports_open(g);
	g->hz = (double)rte_get_tsc_hz();
	pktgen_srtp_open(g);
	pktgen_calls_open(g);
	pktgen_streams_make(g);
	pktgen_hop_resolve(g);
}

static void
close_all(struct pktgen *g)
{
	pktgen_calls_close(g);
	pktgen_srtp_close(g);
	pktgen_ports_close(g);
	free(g->stream);
	free(g->heard);
	free(g->target);
	free(g->order);
	free(g->phase);
}

/* Both ends learn where packets go, and memory is touched. The first packets
   are lost: whoever must ask for our MAC does not keep them. */
static void
warm_up(struct pktgen *g, struct pktgen_result *r)
{
	const double packets = WARM_ROUNDS * g->n;
	double rate = 1000.0 / g->conf.ptime_ms * g->n;

	if (rate > WARM_RATE)
		rate = WARM_RATE;
	for (unsigned int i = 0; i < WARM_TRIES; i++) {
		pktgen_trial(g, rate, packets / rate, r);
		if (pktgen_lost(r) == 0)
			return;
	}
}

int
main(int argc, char **argv)
{
	static struct pktgen g;
	static struct pktgen_result r;

	pktgen_conf_read(&g.conf, argc, argv);
	open_all(&g);
	warm_up(&g, &r);
	if (g.conf.search)
		pktgen_search(&g, &r);
	else
		pktgen_trial(&g, g.conf.rate, g.conf.seconds, &r);
	if (g.conf.json)
		pktgen_report_json(&g, g.conf.search ? "search" : "rate", &r);
	else
		pktgen_report_table(&g, &r);
	close_all(&g);
	return r.way[0].received == 0;
}
