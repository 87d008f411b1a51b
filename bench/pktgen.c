/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A generator and sink of RTP on any device that DPDK has. It sets up calls
 * through the relay's own control protocol, is both parties of all of them,
 * and says what became of each packet and how long it took.
 */
#include "bench/pktgen.h"
#include "bench/pktgen_six.h"
#include "bench/pktgen_srtp.h"

#include <rte_cycles.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE (2u << 20) /* bytes of a large page */
#define WARM_ROUNDS 2.0  /* packets of each stream before we count */
#define WARM_TRIES 3u
#define WARM_RATE 100000.0 /* and at most so many a second */
#define FINE 1.03          /* rates that a search takes for one */
#define REPEATS 4u         /* of a trial that was disturbed */
#define STATUS_OF_END 2    /* and the reason: 3, 4 or 5 */

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

void *
pktgen_room(uint64_t n, size_t size)
{
	const uint64_t len = (n * size + LARGE - 1) / LARGE * LARGE;
	void *p = aligned_alloc(LARGE, len);

	if (!p)
		pktgen_die("no memory");
	(void)madvise(p, len, MADV_HUGEPAGE);
	return memset(p, 0, n * size);
}

void
pktgen_room_end(void *room)
{
	free(room);
}

static void
open_all(struct pktgen *g)
{
	g->n = 2 * g->conf.calls;
	g->stream = pktgen_room(g->n, sizeof *g->stream);
	g->heard = pktgen_room(g->n, sizeof *g->heard);
	g->target = pktgen_room(g->n, sizeof *g->target);
	if (g->conf.first[PKTGEN_A].family == SP_FAMILY_IP6 ||
		g->conf.first[PKTGEN_B].family == SP_FAMILY_IP6)
		g->six = pktgen_room(g->n, sizeof *g->six);
	g->order = pktgen_room(g->n, sizeof *g->order);
	g->phase = pktgen_room(g->n, sizeof *g->phase);
	if (g->conf.srtp_live || g->conf.suite[0] || g->conf.suite[1] ||
		g->conf.dtx > 0 || g->conf.dtmf > 0)
		g->sent = pktgen_room(
			(uint64_t)g->n * PKTGEN_REMEMBERED, sizeof *g->sent);
	pktgen_ports_open(g);
	g->hz = (double)rte_get_tsc_hz();
	pktgen_srtp_open(g);
	pktgen_calls_open(g);
	pktgen_streams_make(g);
	pktgen_hop_resolve(g);
	if (g->conf.watch > 0)
		pktgen_watch_open(g->conf.watch);
}

static void
close_all(struct pktgen *g)
{
	pktgen_calls_close(g);
	pktgen_srtp_close(g);
	pktgen_ports_close(g);
	pktgen_slices_close(&g->slices);
	pktgen_room_end(g->stream);
	pktgen_room_end(g->heard);
	pktgen_room_end(g->target);
	pktgen_room_end(g->six);
	pktgen_room_end(g->order);
	pktgen_room_end(g->phase);
	pktgen_room_end(g->sent);
}

/* Both ends learn where packets go, and memory is touched. The first packets
   are lost: whoever must ask for our MAC does not keep them. */
static void
warm_up(struct pktgen *g, struct pktgen_result *r)
{
	const double packets = WARM_ROUNDS * g->n_order;
	double rate = 1000.0 / g->conf.ptime_ms * g->n_order;

	if (rate > WARM_RATE)
		rate = WARM_RATE;
	for (unsigned int i = 0; i < WARM_TRIES; i++) {
		pktgen_trial(g, rate, packets / rate, false, r);
		for (unsigned int side = 0; side < PKTGEN_SIDES; side++)
			g->warm_received += r->way[side].received +
				r->way[side].rtcp_received;
		if (pktgen_lost(r) == 0)
			return;
	}
}

/* Calls that nothing has happened to. */
static void
renew(struct pktgen *g, struct pktgen_result *r)
{
	pktgen_calls_end(g, 0, g->conf.calls);
	for (uint32_t i = 0; i < g->n; i++)
		g->stream[i].seq = 0;
	pktgen_srtp_forget(g);
	memset(g->heard, 0, g->n * sizeof *g->heard);
	pktgen_calls_open(g);
	pktgen_streams_aim(g);
	pktgen_hop_resolve(g);
	warm_up(g, r);
}

/* What a search asks for. */
struct asker {
	struct pktgen *g;
	struct pktgen_result *r;
	unsigned int trials;
};

static enum pktgen_verdict
try_rate(void *arg, double rate, double seconds)
{
	struct asker *a = arg;
	const bool fresh = a->g->conf.fresh_calls;

	if (a->trials++ > 0 && fresh)
		renew(a->g, a->r);
	pktgen_trial(a->g, rate, seconds, true, a->r);
	/* New calls are deaf to nothing that was before. */
	if (a->r->verdict == PKTGEN_SILENT && fresh)
		a->r->verdict = PKTGEN_LOST;
	if (a->g->conf.json)
		pktgen_json_step(a->r);
	else
		pktgen_report_row(a->r);
	return a->r->verdict;
}

static const char *const complaint[] = {
	[PKTGEN_NOT_LEAST] = "the least rate does not pass, or nothing holds",
	[PKTGEN_NEVER_QUIET] =
		"others take the cores away too often to say what is lost",
	[PKTGEN_GONE_SILENT] =
		"nothing comes through any more since an earlier trial: "
		"--fresh-calls",
};

static int
search(struct pktgen *g, struct pktgen_result *r)
{
	struct asker asker = { g, r, 0 };
	struct pktgen_search s = { .least = g->conf.least,
		.most = g->conf.most,
		.fine = FINE,
		.seconds = g->conf.seconds,
		.confirm_s = g->conf.confirm_s,
		.repeats = REPEATS,
		.trial = try_rate,
		.arg = &asker };
	enum pktgen_end end;

	if (!g->conf.json)
		pktgen_report_head();
	end = pktgen_search_run(&s);
	if (g->conf.json)
		pktgen_json(g, r, &s, end);
	else
		pktgen_report_table(g, r, &s);
	if (end != PKTGEN_FOUND)
		fprintf(stderr, "pktgen: %s\n", complaint[end]);
	return end == PKTGEN_FOUND ? EXIT_SUCCESS : STATUS_OF_END + (int)end;
}

int
main(int argc, char **argv)
{
	static struct pktgen g;
	static struct pktgen_result r;
	int status;

	pktgen_conf_read(&g.conf, argc, argv);
	open_all(&g);
	warm_up(&g, &r);
	if (g.conf.search) {
		status = search(&g, &r);
	} else {
		pktgen_trial(&g, g.conf.rate, g.conf.seconds, false, &r);
		if (g.conf.json)
			pktgen_json(&g, &r, NULL, PKTGEN_FOUND);
		else
			pktgen_report_table(&g, &r, NULL);
		status = r.verdict == PKTGEN_SILENT;
	}
	close_all(&g);
	return status;
}
